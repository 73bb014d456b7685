/* spawn.c - see spawn.h. */
#include "tests/daemon/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct buffer {
    char *text;
    size_t len;
};

void (*ran_meanwhile)(void);

static int take(int fd, struct buffer *b)
{
    b->text = realloc(b->text, b->len + 65537);
    if (!b->text)
        abort();
    ssize_t n = read(fd, b->text + b->len, 65536);
    if (n > 0)
        b->len += (size_t)n;
    b->text[b->len] = '\0';
    return n > 0 ? 0 : -1;
}

/* Two ends of a terminal, as pipe2 gives those of a pipe. */
static int terminal(int ends[2])
{
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[0] < 0 || grantpt(ends[0]) != 0 || unlockpt(ends[0]) != 0)
        return -1;
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return ends[1] < 0 ? -1 : 0;
}

static struct ran run(const char *input, char *const argv[], bool on_terminal)
{
    int in[2];
    int out[2];
    int err[2];
    pid_t pid = 0;
    struct ran r = {.status = -1};
    struct buffer b[2] = {{calloc(1, 1), 0}, {calloc(1, 1), 0}};
    posix_spawn_file_actions_t actions;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        (on_terminal ? terminal(err) : pipe2(err, O_CLOEXEC)) != 0)
        abort();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    int failed = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (input && !failed && write(in[1], input, strlen(input)) < 0)
        failed = 1;
    close(in[1]);
    struct pollfd p[2] = {{.fd = out[0], .events = POLLIN}, {.fd = err[0], .events = POLLIN}};
    while (!failed && (p[0].fd >= 0 || p[1].fd >= 0)) {
        if (poll(p, 2, ran_meanwhile != NULL ? 20 : -1) <= 0) {
            if (ran_meanwhile != NULL)
                ran_meanwhile();
            continue;
        }
        for (int i = 0; i < 2; i++)
            if (p[i].revents && take(p[i].fd, &b[i]) != 0)
                p[i].fd = -1;
    }
    close(out[0]);
    close(err[0]);
    int status = 0;
    if (!failed && waitpid(pid, &status, 0) == pid)
        r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    r.out = b[0].text;
    r.err = b[1].text;
    return r;
}

struct ran ran(const char *input, char *const argv[])
{
    return run(input, argv, false);
}

struct ran ran_on_terminal(char *const argv[])
{
    return run("", argv, true);
}

void ran_free(struct ran *r)
{
    free(r->out);
    free(r->err);
    *r = (struct ran){.status = -1};
}
