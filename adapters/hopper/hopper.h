/*
 * hopper.h - the port to the hopper: for each campaign a list of queue-row ids that may go next.
 *
 * A hint, never the truth: losing it loses nothing, and what it gives is checked by the claim. In
 * Redis the list is hopper:<campaign id>, ids as text, taken from the left, put to the right. The
 * twin in the process keeps the same lists.
 *
 * A hopper is used by one thread; the process must ignore SIGPIPE. Nothing blocks: what is asked is
 * answered through the events, in the order of asking, from hopper_ops.handle() (the twin answers
 * at once, from within the call).
 */
#ifndef ADAPTERS_HOPPER_HOPPER_H
#define ADAPTERS_HOPPER_HOPPER_H

#include "core/types.h"

#define HOPPER_TAKE_MAX 1000 /* rows in one take */

struct hopper_options {
    const char *where;         /* redis://host:port/database, redis+unix:///path; memory: ignored */
    const char *password_file; /* NULL or empty: none */
    uint32_t timeout_ms;       /* for connecting, and for an answer; 0: 1000 */
};

struct hopper_events {
    /* One row of a take, in order. */
    void (*row)(void *ctx, uint64_t campaign, uint64_t row);
    /* The end of a take. dropped: entries that were not ids, or one for something that was no list.
     * ok false: no answer, ask again later. */
    void (*taken)(void *ctx, uint64_t campaign, uint32_t rows, uint32_t left, uint32_t dropped,
                  bool ok);
    /* Is it there? `text` says what is wrong. Told on each change, and once after the start. */
    void (*state)(void *ctx, bool up, const char *text);
    void *ctx;
};

struct hopper;
struct hopper_ops {
    void (*close)(struct hopper *h); /* NULL is fine; open takes are answered first, not ok */
    /* While it is away these are forgotten (put, clear) or answered not ok (take). */
    void (*put)(struct hopper *h, uint64_t campaign, uint64_t row);
    void (*take)(struct hopper *h, uint64_t campaign, uint32_t rows);
    void (*clear)(struct hopper *h, uint64_t campaign);
    /* For the caller's poll(2): the file descriptor or -1, what to wait for, and until when
     * (monotonic, INT64_MAX: no limit). Ask anew before each wait. */
    int (*fd)(const struct hopper *h);
    short (*wants)(const struct hopper *h);
    int64_t (*until_us)(const struct hopper *h);
    /* After each wait, with what poll found (0: nothing, time only). */
    void (*handle)(struct hopper *h, short found, int64_t now_us);
};

struct hopper {
    const struct hopper_ops *ops;
    struct hopper_events events;
};

struct hopper_driver {
    const char *name;
    /* NULL with a sentence when the options are wrong. An absent server is no error. */
    struct hopper *(*make)(const struct hopper_options *options, const struct hopper_events *events,
                           char *why, size_t why_size);
};

extern const struct hopper_driver hopper_memory;
extern const struct hopper_driver hopper_redis;

/* A positive decimal number and nothing else: the id, or 0. */
uint64_t hopper_id(const char *text, size_t len);

#endif
