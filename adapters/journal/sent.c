/* sent.c - see journal.h. */
#include "adapters/journal/journal_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ID_BYTES 40u

static const char magic[8] = "DLRSENT";

struct entry {
    char id[ID_BYTES];
    int64_t at_wall_ms;
};

/* In the file as in memory: one machine, one build; another magic when it changes. */
struct map {
    char magic[8];
    char boot[40];
    uint32_t node, starts;
    int64_t since_wall_ms; /* everything that left from then on is here */
    _Atomic uint64_t used; /* entries ever written */
    struct entry entries[SENT_ENTRIES];
};

struct sent {
    struct map *map;
    char boot[40];
};

static void read_boot(char out[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, 36) : -1;

    out[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
}

struct sent *sent_open(const char *path, char *why, size_t why_size)
{
    struct sent *s = calloc(1, sizeof *s);
    int fd =
        make_folders(path) == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    void *at = MAP_FAILED;

    /* All blocks now: a page that the disk has no room for would be a signal later. */
    if (s && fd >= 0) {
        errno = posix_fallocate(fd, 0, sizeof(struct map));
        if (errno == 0)
            at = mmap(NULL, sizeof(struct map), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      fd, 0);
    }
    if (at == MAP_FAILED) {
        snprintf(why, why_size, "%s: %m", path);
        if (fd >= 0)
            close(fd);
        free(s);
        return NULL;
    }
    close(fd);
    s->map = at;
    read_boot(s->boot);
    return s;
}

void sent_close(struct sent *s)
{
    if (!s)
        return;
    munmap(s->map, sizeof *s->map);
    free(s);
}

void sent_bind(struct sent *s, uint16_t node, uint32_t starts, int64_t now_wall_ms)
{
    struct map *m = s->map;
    bool goes_on = memcmp(m->magic, magic, sizeof magic) == 0 && s->boot[0] != 0 &&
                   memcmp(m->boot, s->boot, sizeof m->boot) == 0 && m->node == node &&
                   (m->starts == starts || m->starts + 1u == starts);

    if (!goes_on) {
        memset(m, 0, sizeof *m);
        m->since_wall_ms = now_wall_ms;
        m->node = node;
        memcpy(m->boot, s->boot, sizeof m->boot);
        memcpy(m->magic, magic, sizeof magic);
    }
    m->starts = starts;
}

void sent_note(struct sent *s, struct text attempt, int64_t now_wall_ms)
{
    struct map *m = s->map;
    uint64_t used = atomic_load_explicit(&m->used, memory_order_relaxed);
    struct entry *e = &m->entries[used % SENT_ENTRIES];

    if (attempt.len >= ID_BYTES)
        return; /* none of ours: the adapter refuses it */
    if (used >= SENT_ENTRIES && e->at_wall_ms >= m->since_wall_ms)
        m->since_wall_ms = e->at_wall_ms + 1;
    memset(e->id, 0, sizeof e->id);
    memcpy(e->id, attempt.ptr, attempt.len);
    e->at_wall_ms = now_wall_ms;
    atomic_store_explicit(&m->used, used + 1, memory_order_release);
}

enum sent_answer sent_says(const struct sent *s, struct text attempt, int64_t claimed_wall_ms)
{
    const struct map *m = s->map;
    uint64_t used = atomic_load_explicit(&m->used, memory_order_acquire);
    uint64_t n = used < SENT_ENTRIES ? used : SENT_ENTRIES;

    if (attempt.len == 0 || attempt.len >= ID_BYTES)
        return SENT_PERHAPS;
    for (uint64_t i = 0; i < n; i++) {
        const struct entry *e = &m->entries[i];

        if (memcmp(e->id, attempt.ptr, attempt.len) == 0 && e->id[attempt.len] == 0)
            return SENT_YES;
    }
    return claimed_wall_ms > m->since_wall_ms ? SENT_NEVER : SENT_PERHAPS;
}
