/*
 * child.h - programs that `dialerd demo` starts: each dies with us, is ended in order, and is
 * waited for. One thread.
 */
#ifndef ADAPTERS_DAEMON_CHILD_H
#define ADAPTERS_DAEMON_CHILD_H

#include "core/types.h"

#include <sys/types.h>

struct child {
    const char *name;
    pid_t pid; /* 0: not running */
    int out;   /* its standard output, if asked for; else -1 */
};

struct child_options {
    const char *log; /* file for standard error, and standard output unless it is piped; appended */
    bool pipe_out;   /* child.out reads its standard output */
    const char *user;   /* become this user first (only root can); NULL: stay */
    const char *dir;    /* working directory, NULL: ours */
    const char *notify; /* NOTIFY_SOCKET of its environment, NULL: none */
};

/* argv[0] is the path. The child gets SIGTERM when we die, and is in a process group of its own: a
 * Ctrl-C on the terminal reaches us alone. 0, or -1 with a sentence. */
int child_start(struct child *c, const char *name, char *const argv[],
                const struct child_options *options, char *why, size_t why_size);
/* One line of its piped output, without the newline. 0; -1: it ended, or nothing came in time. */
int child_line(struct child *c, char *line, size_t size, int64_t timeout_ms);
/* Has it ended? Then it is gone, `status` is as waitpid gives it. */
bool child_ended(struct child *c, int *status);
/* Ask it to end, wait, and make it end after timeout_ms. Nothing if it is not running. */
void child_stop(struct child *c, int signal, int64_t timeout_ms);
/* The path of a program that was built or installed beside us. */
int child_beside(const char *program, char *path, size_t size);

#endif
