/*
 * services.h - private servers for tests: a PostgreSQL and a Redis of this test's own, in a
 * temporary folder, on unix sockets and loopback ports nobody else has. They end with the test,
 * whatever happens to it.
 */
#ifndef TESTS_SUPPORT_SERVICES_H
#define TESTS_SUPPORT_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- programs --------------------------------------------------------------------------------- */

/* Starts a program in a new session; it gets SIGKILL when this process dies. uid and gid other than
 * 0: runs as that user. Output goes to the file. Returns the pid, or -1. */
pid_t support_start(const char *const *argv, uid_t uid, gid_t gid, const char *output);
/* Ends it and waits. */
void support_end(pid_t pid, int signal);
/* Waits for a program's end: its exit status, -1 if it was killed. */
int support_wait(pid_t pid);
/* A loopback TCP port that was free a moment ago. */
int support_free_port(void);
/* Waits until something listens on the unix socket (path) or loopback port (path NULL); false after
 * timeout_ms or when pid has ended. Waits on the kernel, not on the clock, where it can. */
bool support_wait_listening(const char *path, int port, pid_t pid, int timeout_ms);
/* Deletes a folder of ours with all that is in it. */
void support_remove(const char *folder);

/* --- PostgreSQL ------------------------------------------------------------------------------- */

struct support_postgres {
    char folder[64];
    int port;
    pid_t pid;
    unsigned databases;
};

/* initdb and start; 0, 77 if there is no PostgreSQL here (skip), or -1 with a sentence. */
int support_postgres_start(struct support_postgres *p, char *why, size_t why_size);
/* A new, empty database; its connection string. */
int support_postgres_database(struct support_postgres *p, char *where, size_t size);
/* Ends the server (SIGQUIT: at once, as after a crash; SIGINT: orderly) and starts it again. */
int support_postgres_kill(struct support_postgres *p, int signal);
int support_postgres_again(struct support_postgres *p);
/* A server for a cluster that somebody has left in folder/data, whose superuser is `user`; its
 * socket is in the folder under its own port and under the usual one, 5432. Ended with
 * support_postgres_kill(): the folder is the caller's. */
int support_postgres_adopt(struct support_postgres *p, const char *folder, const char *user);
void support_postgres_stop(struct support_postgres *p);

/* --- Redis ------------------------------------------------------------------------------------ */

struct support_redis {
    char folder[64];
    int port;
    pid_t pid;
    char password[40]; /* empty: none */
};

int support_redis_start(struct support_redis *r, char *why, size_t why_size);
/* For a main() that needs one: 0, or the status to end with (77: skipped), having said why. A
 * connection that breaks is from now on an error of the call alone (SIGPIPE). */
int support_redis_begin(struct support_redis *r);
void support_redis_kill(struct support_redis *r);
int support_redis_again(struct support_redis *r);
void support_redis_stop(struct support_redis *r);

#endif
