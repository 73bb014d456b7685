/* spawn.h - run a program to its end, with what it said. */
#ifndef TESTS_DAEMON_SPAWN_H
#define TESTS_DAEMON_SPAWN_H

#include <stddef.h>

struct ran {
    int status; /* exit status; 128 + signal */
    char *out;  /* standard output, NUL-terminated */
    char *err;
};

/* argv[0] is the path; input (may be NULL) is its standard input. The caller frees with ran_free.
 */
struct ran ran(const char *input, char *const argv[]);
/* The same, its standard error a terminal. */
struct ran ran_on_terminal(char *const argv[]);
void ran_free(struct ran *r);

/* Called every 20 ms while a program runs, NULL nothing: a test whose sockets must go on meanwhile.
 */
extern void (*ran_meanwhile)(void);

#endif
