/* place.h - a daemon of this test's own: a folder, a config file, the program, its operator. */
#ifndef TESTS_DAEMON_PLACE_H
#define TESTS_DAEMON_PLACE_H

#include "adapters/daemon/child.h"
#include "tests/daemon/spawn.h"
#include "tests/support/services.h"

struct place {
    char dir[40];
    char conf[80];
    char socket[80];
    char log[80];
    char page[80]; /* ws://HOST:PORT of the running daemon */
    struct child daemon;
    struct child sim;
    struct child agents;
    unsigned ari_port;
    const char *talk; /* how long callees talk, for ari-sim; NULL: two seconds */
};

void place_open(struct place *p);
void place_close(struct place *p); /* ends what runs, removes the folder */
/* Writes a file of mode 0600 into the folder. */
void place_write(struct place *p, const char *name, const char *text);
/* The whole text of a file in the folder, "" if there is none. The caller frees. */
char *place_read(struct place *p, const char *name);
/* The config file: [store] sqlite unless `store` says otherwise, [ctl], [web] port 0, then `more`.
 */
void place_config(struct place *p, const char *store, const char *more);
/* The `store` of place_config for a new database of this server. */
void place_postgres(struct support_postgres *pg, char *store, size_t size);
/* Starts the daemon; waits until it says READY (and that the store is its own, if `store`). */
void place_start(struct place *p, bool store);
/* Ends it with SIGTERM; its exit status. */
int place_end(struct place *p);
/* Ends it with SIGKILL. */
void place_kill(struct place *p);
/* Starts ari-sim on `port` (0: a free one, then in ari_port). */
void place_sim(struct place *p, unsigned port);
/* Starts agent-sim for the first `count` agents: 0.2 s of wrap-up, and `hang_up` is the share of
 * calls that they end themselves. */
void place_agents(struct place *p, unsigned count, const char *hang_up);

/* dialerctl and its arguments: words separated by blanks, ~ standing for a blank inside a word. */
struct place_argv {
    char *argv[64];
    char words[2048];
};
void place_argv(struct place *p, struct place_argv *a, const char *words);
/* Runs it. */
struct ran place_ctl(struct place *p, const char *words);
/* Fails unless it ends with `status` and says `out` (NULL: anything). */
void place_expect(struct place *p, const char *words, int status, const char *out);
/* Runs it again and again until it says `out`, for at most `seconds`. */
void place_until(struct place *p, const char *words, const char *out, int seconds);
/* The same with the daemon's log. */
void place_until_log(struct place *p, const char *text, int seconds);

#endif
