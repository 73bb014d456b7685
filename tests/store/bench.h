/*
 * bench.h - the store's service on a bus of its own, with SQLite behind it that can be told to
 * fail, and us in the places of the desk and the operator.
 */
#ifndef TESTS_STORE_BENCH_H
#define TESTS_STORE_BENCH_H

#include <stdatomic.h>

#include "adapters/journal/journal.h"
#include "adapters/store/service.h"
#include "core/pool.h"
#include "tests/store/conformance.h"

extern atomic_bool away;       /* nothing works */
extern atomic_bool hangs;      /* connecting takes until bench_release() */
extern atomic_int lose_before; /* so many commits fail and do nothing */
extern atomic_int lose_after;  /* so many commits succeed, and nobody hears of it */

struct bench {
    char folder[64], path[96], journal[96];
    bool kept; /* with a journal */
    struct sent *sent;
    struct pool *pool;
    struct metrics *metrics;
    struct service *service;
    struct endpoint *endpoint; /* we are the operator's door */
    struct secret_key key;
    struct world world;
    int wake_fd;
    atomic_int ready, held;
    /* what arrived */
    unsigned claimed, disposed, settled, legs, loaded, campaigns, agents, candidates, ends;
    unsigned ups, downs, suppressed, logins, opens, unsent, states, fails;
    struct msg_journal_state last_state;
    char last_why[200]; /* of last_state */
    char last_suppressed[20];
    struct msg_claimed last_claimed;
    char last_number[20];
    struct msg_leg_claimed last_leg;
    struct msg_disposed last_disposed;
    struct msg_lead_settled last_settled;
    struct msg_loaded last_loaded;
    struct msg_login_known last_login;
    uint64_t rows[64];
};

struct service *open_service(struct bench *b, struct pool *pool, const char *owner);
struct pool *open_pool(struct metrics *metrics);
int bench_setup(void **state);
int bench_setup_kept(void **state); /* with a journal */
/* Everything but the disk is made anew; is not waited for. */
void bench_restart(struct bench *b);
void bench_end(struct bench *b);
void bench_start(struct bench *b);
/* The store as a tool sees it; close it with its ops. */
struct store *bench_tool(const struct bench *b);
int bench_teardown(void **state);
void bench_send(struct bench *b, uint16_t type, const void *msg);
void ask_rows(struct bench *b, uint32_t n);
struct msg_claim claim_of(struct bench *b, size_t i);
struct msg_attempt_over over_of(const struct msg_claim *c);
void run_until(struct bench *b, const unsigned *count, unsigned n);
void wait_flag(struct bench *b, atomic_int *flag);
void bench_wake(void *ctx);
void bench_release(void);
void send_marker(struct bench *b, const struct msg_claim *c);
void expect_over_once(struct bench *b, uint64_t lead);
void bench_take(void *ctx, handle to, handle from, uint16_t type, const void *msg);

#endif
