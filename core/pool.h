/*
 * pool.h - the executor of the product: W worker threads, stealing, timers in real time.
 *
 *     pool_open -> endpoint_open... -> pool_spawn... -> pool_start -> ... -> pool_stop ->
 * pool_close
 *
 * stop ends the threads (each finishes the step it is in); close frees actors, mail and timers and
 * calls every fini. Functions are called by one thread, the owner's, unless a line says otherwise.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/message.h"

struct metrics;
struct pool;

struct pool_config {
    unsigned workers; /* 1 to POOL_MAX_WORKERS; 0: one for each processor */
    uint64_t seed;    /* of the actors' generators */
    const struct message_catalogue *catalogue;
    struct metrics *metrics; /* not owned; NULL: none kept */
    size_t mailbox_limit;    /* messages in one mailbox before its classes count; 0: 1024 */
    int64_t spin_us;         /* how long a worker looks around before it parks; -1: default */
    bool no_steal;           /* actors stay where they were made (benches that pin) */
    /* For tests: asked by each worker in each round, on whichever thread runs it; true = offer what
     * there is to run, and take from others, however little. */
    bool (*force_steal)(void *ctx, unsigned worker);
    void *force_ctx;
};

#define POOL_MAX_WORKERS 32u

/* Returns NULL with a sentence in `why`. The threads do not run yet. */
struct pool *pool_open(const struct pool_config *config, char *why, size_t why_size);

/* Create an actor before the start. `worker` is its first home (modulo the number of workers).
 * Returns its handle, HANDLE_NONE when the name is taken. */
handle pool_spawn(struct pool *pool, unsigned worker, const struct actor_type *type, uint64_t id,
                  uint16_t arg_type, const void *arg);

int pool_start(struct pool *pool);

/* Ask all workers to end and wait for them. Idempotent. */
void pool_stop(struct pool *pool);

void pool_close(struct pool *pool);

unsigned pool_workers(const struct pool *pool);

/* Monotonic microseconds and UTC milliseconds, as events carry them. Any thread. */
int64_t pool_now_us(void);
int64_t pool_wall_ms(void);

/* Counters of the runtime itself, summed over workers. Any thread, at any time; a little old. */
struct pool_stats {
    uint64_t steps;        /* events handed to actors */
    uint64_t actors;       /* alive */
    uint64_t steals;       /* moves completed */
    uint64_t parks;        /* times a worker had nothing to do and was left */
    uint64_t bags;         /* sent */
    uint64_t records;      /* sent in bags */
    uint64_t forwarded;    /* records that followed an actor to its new home */
    uint64_t dead_letters; /* no such receiver, or bytes that could not be read */
    uint64_t shed;         /* DROP and LATEST messages that gave way */
    uint64_t over_limit;   /* MUST messages taken into a full mailbox */
};
void pool_stats(const struct pool *pool, struct pool_stats *out);

/* The newest trace lines of all workers, newest last: calls `line` for at most `max`. Any thread;
 * lines that are overwritten meanwhile are left out. */
void pool_trace(const struct pool *pool, size_t max,
                void (*line)(void *ctx, int64_t now_us, handle actor, const char *what, uint64_t a,
                             uint64_t b),
                void *ctx);

#endif
