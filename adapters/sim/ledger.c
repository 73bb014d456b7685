#include "adapters/sim/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/sim/mem.h"

enum { LEDGER_ROOM = 64 * 1024 };

struct ledger {
    int fd; // -1: keeps nothing
    bool failed;
    size_t len;
    char text[LEDGER_ROOM];
};

struct ledger *ledger_open(const char *path)
{
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (path != NULL && fd < 0)
        return NULL;
    struct ledger *l = mem_new(sizeof *l);
    l->fd = fd;
    return l;
}

int ledger_flush(struct ledger *l)
{
    size_t done = 0;
    while (l->fd >= 0 && done < l->len && !l->failed) {
        ssize_t n = write(l->fd, l->text + done, l->len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            fprintf(stderr, "ari-sim: cannot write the witness file: %s\n", strerror(errno));
            l->failed = true;
        }
    }
    l->len = 0;
    return l->failed ? -1 : 0;
}

void ledger_add(struct ledger *l, const char *line, size_t len)
{
    if (l->fd < 0 || len >= LEDGER_ROOM)
        return;
    if (l->len + len + 1 > LEDGER_ROOM)
        ledger_flush(l);
    memcpy(l->text + l->len, line, len);
    l->len += len;
    l->text[l->len++] = '\n';
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    ledger_flush(l);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}
