/*
 * place.h - the whole product and its world as processes: PostgreSQL, Redis, ari-sim, dialerd and
 * agent-sim, in a folder of their own, with a fault proxy on each link. All die with this process.
 */
#ifndef TESTS_SOAK_PLACE_H
#define TESTS_SOAK_PLACE_H

#include "tests/soak/proxy.h"
#include "tests/support/services.h"

#include <stdio.h>

enum { LINK_ARI, LINK_STORE, LINK_HOPPER, LINK_WEB, LINKS_OF_PLACE };

struct place {
    /* asked for */
    uint64_t seed;
    unsigned leads, agents, calls_per_s;
    unsigned lines;       /* of the trunk; 0: 400 */
    unsigned barred;      /* of the leads' numbers, on the do-not-call list before it dials; < 20 */
    bool embedded;        /* SQLite in the folder, a hopper inside the daemon, no proxies */
    bool lasting;         /* agents talk until somebody ends it for them */
    const char *callees;  /* /sim/people?... of ari-sim; NULL: of all kinds, and short */
    const char *settings; /* of the campaign, JSON texts with commas between; NULL: short times */
    /* made */
    char dir[64], bin[400];
    char witness[128], record[128], log[128], conf[128], ctl[128], journal[128];
    char store[200]; /* the database itself, past the proxy */
    struct support_postgres pg;
    struct support_redis redis;
    struct proxy *proxy;
    int link[LINKS_OF_PLACE], port[LINKS_OF_PLACE];
    int sim_port, control_port, web_port;
    pid_t sim, daemon, agents_pid;
    unsigned daemon_starts;
    bool small_disk; /* the journal has a little disk of its own, which can be filled */
    FILE *events;    /* the injector's log */
    uint64_t campaign;
};

int64_t place_now_us(void);  /* monotonic */
int64_t place_wall_us(void); /* UTC */
/* Waits; the processes go on. */
void place_wait(int64_t us);

/* Everything up, leads in, the campaign running, agents at work. 0, 77: no PostgreSQL or Redis
 * here, -1; with a sentence. */
int place_open(struct place *p, char *why, size_t why_size);
/* Ends everything; the folder goes unless it is to be kept. */
void place_close(struct place *p, bool keep);

int place_start_sim(struct place *p);
int place_start_daemon(struct place *p);
/* kill -9, and its end. */
void place_kill(pid_t *pid);
/* Has it ended by itself, within the time? Then it is waited for. */
bool place_gone(pid_t *pid, int64_t timeout_us);
/* Asks it to end; kills it after so long. */
void place_end(pid_t *pid, int64_t timeout_us);
/* Every dependency of the daemon is there, by its own /readyz. */
bool place_ready(const struct place *p);
/* Until it is ready: how long it took [us]; -1: not within the time. */
int64_t place_wait_ready(const struct place *p, int64_t timeout_us);
/* GET of ari-sim's control channel; the body's first bytes into out (NULL: not wanted). */
bool place_sim(const struct place *p, const char *target, char *out, size_t size);
/* One request line on the operator's socket. 0, or -1 with a sentence. */
int place_ask(struct place *p, const char *request, char *why, size_t why_size);
/* Fills the journal's disk, or makes room again; nothing where it has none of its own. */
void place_fill_disk(struct place *p, bool full);
/* One line of the injector's log. */
void place_log(struct place *p, const char *what, const char *text, bool calls, int64_t value);
/* A fault's, which began at at_us; shows: codes in the daemon's log of which one must follow, NULL:
 * none has to. */
void place_log_fault(struct place *p, int64_t at_us, const char *text, bool calls,
                     const char *shows);

#endif
