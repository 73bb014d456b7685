/* The pool: wake-ups, overflow policies of mailboxes and of links, timers, names and ends, bad
 * receivers. */
#include "core/endpoint.h"
#include "core/metric.h"
#include "core/pool.h"
#include "tests/core/sample.h"

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define KIND_US 1 /* the test's own endpoint */
#define KIND_ACTOR 20
#define US named(KIND_US, 0)

struct bench {
    struct pool *pool;
    struct endpoint *ep;
    struct metrics *metrics;
    sem_t wake;
};

static void wake(void *ctx)
{
    (void)sem_post(ctx);
}

static void open_bench(struct bench *b, unsigned workers, size_t limit, int64_t spin)
{
    char why[100] = "";

    (void)sem_init(&b->wake, 0, 0);
    b->metrics = metrics_open();
    b->pool = pool_open(&(struct pool_config){.workers = workers,
                                              .seed = 1,
                                              .catalogue = &sample_catalogue,
                                              .metrics = b->metrics,
                                              .mailbox_limit = limit,
                                              .spin_us = spin},
                        why, sizeof why);
    assert_non_null(b->pool);
    b->ep = endpoint_open(b->pool, KIND_US, wake, &b->wake);
    assert_non_null(b->ep);
    assert_null(endpoint_open(b->pool, KIND_US, wake, &b->wake)); /* taken */
    assert_null(endpoint_open(b->pool, 0, wake, &b->wake));
    assert_null(endpoint_open(b->pool, KIND_ENDPOINT_MAX + 1, wake, &b->wake));
}

static void close_bench(struct bench *b)
{
    pool_stop(b->pool);
    endpoint_close(b->ep);
    pool_close(b->pool);
    metrics_close(b->metrics);
    (void)sem_destroy(&b->wake);
}

/* Reads what comes until the handler has set *done. A wake-up that is lost ends here, after 40 s.
 */
static void read_until(struct bench *b, endpoint_handler handler, void *ctx, const bool *done)
{
    struct timespec limit;

    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 40;
    for (;;) {
        while (endpoint_receive(b->ep, handler, ctx, 100) == 100) {
        }
        endpoint_flush(b->ep);
        if (*done) {
            return;
        }
        while (sem_timedwait(&b->wake, &limit) != 0) {
            assert_int_equal(errno, EINTR);
        }
    }
}

/* --- the hammer: every message finds everybody asleep ---------------------------------------- */

struct relay {
    handle next;
};

static void relay_step(void *self, const struct event *ev, struct effects *fx)
{
    struct relay *r = self;

    if (ev->type == EV_START) {
        r->next = ((const struct msg_start *)ev->msg)->parent;
    } else if (ev->type == MSG_number) {
        fx_send(fx, r->next, MSG_number, ev->msg);
    }
}

static const struct actor_type relay = {
    .name = "relay", .kind = KIND_ACTOR, .state_size = sizeof(struct relay), .step = relay_step};

struct hammer {
    struct bench *b;
    uint64_t rounds, left;
    bool done;
};

static void strike(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct hammer *h = ctx;

    (void)to;
    (void)from;
    assert_int_equal(type, MSG_number);
    assert_int_equal(((const struct msg_number *)msg)->value, h->left);
    if (--h->left == 0) {
        h->done = true;
        return;
    }
    assert_int_equal(
        endpoint_send(h->b->ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){h->left, 0}),
        0);
    endpoint_flush(h->b->ep);
}

static void no_wakeup_is_lost(void **state)
{
    struct bench b;
    struct hammer h = {.b = &b, .rounds = 3000};
    struct pool_stats stats;

    (void)state;
    h.left = h.rounds;
    open_bench(&b, 3, 0, 0);
    for (uint64_t i = 1; i <= 3; i++) { /* through three workers and back */
        (void)pool_spawn(b.pool, (unsigned)i, &relay, i, MSG_start,
                         &(struct msg_start){0, i == 3 ? US : named(KIND_ACTOR, i + 1)});
    }
    assert_int_equal(pool_start(b.pool), 0);
    assert_int_equal(
        endpoint_send(b.ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){h.left, 0}), 0);
    endpoint_flush(b.ep);
    read_until(&b, strike, &h, &h.done);
    pool_stats(b.pool, &stats);
    assert_true(stats.parks > h.rounds / 10);
    close_bench(&b);
}

/* --- a full mailbox -------------------------------------------------------------------------- */

#define MANY 100

static void flood_step(void *self, const struct event *ev, struct effects *fx)
{
    const handle to = named(KIND_ACTOR, 2);

    (void)self;
    if (ev->type != MSG_number) {
        return;
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        fx_send(fx, to, MSG_hint, &(struct msg_hint){i});
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        fx_send(fx, to, MSG_status, &(struct msg_status){i});
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        fx_send(fx, to, MSG_number, &(struct msg_number){i, 0});
    }
    fx_send(fx, to, MSG_note, &(struct msg_note){1, {"end", 3}, {"", 0}});
}

static const struct actor_type flood = {.name = "flood", .kind = KIND_ACTOR, .step = flood_step};

struct gauge {
    uint64_t hints, states, last_state, numbers;
};

static void gauge_step(void *self, const struct event *ev, struct effects *fx)
{
    struct gauge *g = self;

    if (ev->type == MSG_hint) {
        g->hints++;
    } else if (ev->type == MSG_status) {
        g->states++;
        g->last_state = ((const struct msg_status *)ev->msg)->value;
    } else if (ev->type == MSG_number) {
        g->numbers++;
        assert_int_equal(((const struct msg_number *)ev->msg)->value, g->numbers);
        assert_int_equal(g->last_state, MANY); /* the newest is not behind what was sent after it */
    } else if (ev->type == MSG_note) {
        fx_send(fx, US, MSG_start, &(struct msg_start){g->hints, g->states});
        fx_send(fx, US, MSG_number, &(struct msg_number){g->numbers, g->last_state});
    }
}

static const struct actor_type gauge = {
    .name = "gauge", .kind = KIND_ACTOR, .state_size = sizeof(struct gauge), .step = gauge_step};

struct result {
    uint64_t a, b, c, d;
    bool done;
};

static void note_result(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct result *r = ctx;

    (void)to;
    (void)from;
    if (type == MSG_start) {
        r->a = ((const struct msg_start *)msg)->value;
        r->b = ((const struct msg_start *)msg)->parent;
    } else {
        r->c = ((const struct msg_number *)msg)->value;
        r->d = ((const struct msg_number *)msg)->reply_to;
        r->done = true;
    }
}

static void full_mailbox(void **state)
{
    struct bench b;
    struct result r = {0};
    struct pool_stats stats;

    (void)state;
    open_bench(&b, 1, 8, -1);
    (void)pool_spawn(b.pool, 0, &gauge, 2, 0, NULL);
    (void)pool_spawn(b.pool, 0, &flood, 1, 0, NULL);
    assert_int_equal(pool_start(b.pool), 0);
    assert_int_equal(
        endpoint_send(b.ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){0, 0}), 0);
    endpoint_flush(b.ep);
    read_until(&b, note_result, &r, &r.done);
    assert_true(r.a <= 8);    /* DROP: as many as there was room for */
    assert_int_equal(r.b, 1); /* LATEST: one, the newest */
    assert_int_equal(r.d, MANY);
    assert_int_equal(r.c, MANY); /* MUST: all */
    pool_stats(b.pool, &stats);
    assert_int_equal(stats.shed, MANY - r.a + MANY - 1);
    assert_true(stats.over_limit >= MANY);
    close_bench(&b);
}

/* --- an endpoint that does not read ---------------------------------------------------------- */

#define RECORDS 20000

static void pour_step(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    if (ev->type != MSG_number) {
        return;
    }
    for (uint64_t i = 1; i <= RECORDS; i++) {
        fx_send(fx, US, MSG_number, &(struct msg_number){i, 0});
        fx_send(fx, US, MSG_status, &(struct msg_status){i});
        fx_send(fx, US, MSG_hint, &(struct msg_hint){i});
    }
    fx_send(fx, US, MSG_note, &(struct msg_note){0, {"end", 3}, {"", 0}});
}

static const struct actor_type pour = {.name = "pour", .kind = KIND_ACTOR, .step = pour_step};

struct poured {
    uint64_t numbers, states, last_state, hints;
    bool done;
};

static void take_poured(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct poured *p = ctx;

    (void)to;
    (void)from;
    if (type == MSG_number) {
        assert_int_equal(((const struct msg_number *)msg)->value, ++p->numbers);
    } else if (type == MSG_status) {
        p->states++;
        assert_true(((const struct msg_status *)msg)->value > p->last_state);
        p->last_state = ((const struct msg_status *)msg)->value;
    } else if (type == MSG_hint) {
        p->hints++;
    } else {
        p->done = true;
    }
}

static void full_link(void **state)
{
    struct bench b;
    struct poured p = {0};
    struct pool_stats stats;

    (void)state;
    open_bench(&b, 1, 0, -1);
    (void)pool_spawn(b.pool, 0, &pour, 1, 0, NULL);
    assert_int_equal(pool_start(b.pool), 0);
    assert_int_equal(
        endpoint_send(b.ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){0, 0}), 0);
    endpoint_flush(b.ep);
    do { /* not read from before everything has been sent */
        pool_stats(b.pool, &stats);
    } while (stats.steps < 2);
    read_until(&b, take_poured, &p, &p.done);
    assert_int_equal(p.numbers, RECORDS);
    assert_int_equal(p.last_state, RECORDS);
    assert_true(p.states < RECORDS / 2);
    assert_true(p.hints < RECORDS / 2);
    pool_stats(b.pool, &stats);
    assert_int_equal(stats.shed, 2 * RECORDS - p.states - p.hints);
    close_bench(&b);
}

/* --- timers ---------------------------------------------------------------------------------- */

#define TIMERS 400

struct timed {
    timer_ref refs[TIMERS];
    int64_t due[TIMERS];
    unsigned armed, fired, early, wrong;
};

static void timed_step(void *self, const struct event *ev, struct effects *fx)
{
    struct timed *t = self;

    if (ev->type == EV_START) {
        for (unsigned i = 0; i < TIMERS; i++) {
            const int64_t delay = (int64_t)(fx_random(fx) % 60000);
            t->refs[i] = fx_arm(fx, delay, 3, i);
            t->due[i] = ev->now_us + delay;
        }
        for (unsigned i = 0; i < TIMERS; i += 2) {
            fx_cancel(fx, t->refs[i]);
            fx_cancel(fx, t->refs[i]);
        }
        t->armed = TIMERS / 2;
        return;
    }
    if (ev->type == EV_TIMER) {
        t->early += ev->now_us < t->due[ev->timer_key] ? 1 : 0;
        t->wrong += ev->timer_kind != 3 || ev->timer_key % 2 == 0 ? 1 : 0;
        if (++t->fired == t->armed) {
            fx_send(fx, US, MSG_start, &(struct msg_start){t->early, t->wrong});
            fx_send(fx, US, MSG_number, &(struct msg_number){t->fired, 0});
            fx_end(fx);
        }
    }
}

static const struct actor_type timed = {
    .name = "timed", .state_size = sizeof(struct timed), .step = timed_step};

static void timers(void **state)
{
    struct bench b;
    struct result r = {0};

    (void)state;
    open_bench(&b, 2, 0, -1);
    (void)pool_spawn(b.pool, 0, &timed, 0, 0, NULL);
    assert_int_equal(pool_start(b.pool), 0);
    read_until(&b, note_result, &r, &r.done);
    assert_int_equal(r.a, 0);
    assert_int_equal(r.b, 0);
    assert_int_equal(r.c, TIMERS / 2);
    close_bench(&b);
}

/* --- births, ends, names, dead letters, memory ----------------------------------------------- */

static _Atomic int finis;

static void child_fini(void *self)
{
    (void)self;
    atomic_fetch_add(&finis, 1);
}

struct child {
    void *memory;
};

static void child_step(void *self, const struct event *ev, struct effects *fx)
{
    struct child *c = self;

    if (ev->type == EV_START) {
        assert_int_equal(((const struct msg_start *)ev->msg)->value, 5);
        (void)fx_arm(fx, 3600 * US_PER_S, 1, 1); /* goes with it */
    } else if (ev->type == MSG_number && ((const struct msg_number *)ev->msg)->value == 0) {
        fx_trace(fx, "memory", 1, 2);
        c->memory = fx_realloc(fx, NULL, SIZE_MAX / 2); /* no machine has that */
        fail_msg("a failed allocation came back");
    } else if (ev->type == MSG_note) {
        assert_memory_equal(((const struct msg_note *)ev->msg)->words.ptr, "go", 2);
        fx_end(fx);
        fx_send(fx, US, MSG_number, &(struct msg_number){1, 0});
    }
}

static const struct actor_type child = {.name = "child",
                                        .kind = KIND_ACTOR,
                                        .state_size = sizeof(struct child),
                                        .step = child_step,
                                        .fini = child_fini};

static void parent_step(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    if (ev->type == MSG_number) {
        fx_spawn(fx, &child, 50, MSG_start, &(struct msg_start){5, ev->self});
        fx_spawn(fx, &child, 50, MSG_start, &(struct msg_start){6, ev->self}); /* taken */
        fx_spawn(fx, &child, 51, MSG_start, &(struct msg_start){5, ev->self});
        fx_send(fx, named(KIND_ACTOR, 51), MSG_number, &(struct msg_number){0, 0});
        fx_send(fx, named(KIND_ACTOR, 50), MSG_note,
                &(struct msg_note){1, {"go", 2}, {"more text", 9}});
        fx_send(fx, named(KIND_ACTOR, 99), MSG_number, &(struct msg_number){1, 0}); /* nobody */
        fx_send(fx, named(9, 0), MSG_number, &(struct msg_number){1, 0}); /* no such endpoint */
    }
}

static const struct actor_type parent = {.name = "parent", .kind = KIND_ACTOR, .step = parent_step};

static void count_line(void *ctx, int64_t now_us, handle actor, const char *what, uint64_t a,
                       uint64_t b)
{
    (void)now_us;
    (void)actor;
    assert_string_equal(what, "memory");
    assert_int_equal(a + b, 3);
    ++*(int *)ctx;
}

static void births_and_ends(void **state)
{
    struct bench b;
    struct result r = {0};
    struct pool_stats stats;
    int lines = 0;

    (void)state;
    atomic_store(&finis, 0);
    open_bench(&b, 2, 0, -1);
    (void)pool_spawn(b.pool, 0, &parent, 1, 0, NULL);
    assert_true(pool_spawn(b.pool, 0, &parent, 1, 0, NULL) == HANDLE_NONE);
    assert_int_equal(pool_start(b.pool), 0);
    assert_int_equal(
        endpoint_send(b.ep, named(KIND_ACTOR, 77), MSG_number, &(struct msg_number){0, 0}), -1);
    assert_true(endpoint_exists(b.ep, named(KIND_ACTOR, 1)));
    assert_false(endpoint_exists(b.ep, named(KIND_ACTOR, 77)));
    assert_int_equal(
        endpoint_send(b.ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){0, 0}), 0);
    endpoint_flush(b.ep);
    read_until(&b, note_result, &r, &r.done);
    do { /* the child ends after the step that told us; the other one is parked */
        pool_stats(b.pool, &stats);
    } while (stats.actors != 2 || metric_sum(b.metrics, "actor_parked_total") != 1);
    assert_int_equal(atomic_load(&finis), 1);
    assert_int_equal(stats.dead_letters, 3);
    assert_int_equal(metric_value(b.metrics, "spawn_name_taken_total", "child", 0), 1);
    assert_int_equal(endpoint_send(b.ep, named(KIND_ACTOR, 50), MSG_hint, &(struct msg_hint){0}),
                     -1);
    pool_trace(b.pool, 10, count_line, &lines);
    assert_int_equal(lines, 1);
    close_bench(&b);
    assert_int_equal(atomic_load(&finis), 2);
}

/* --- a check that does not hold ----------------------------------------------------------------
 */

static void frail_step(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    if (ev->type == MSG_number) {
        const struct msg_number *m = ev->msg;

        fx_check(fx, m->value != 13);
        fx_send(fx, US, MSG_number, &(struct msg_number){m->value, ev->self});
    }
}

/* Its last word; that it fails, too, is the end of it. */
static void frail_parked(void *self, const struct event *ev, const char *why, struct effects *fx)
{
    (void)self;
    assert_string_equal(why, "m->value != 13");
    assert_int_equal(ev->type, EV_PARKED);
    fx_send(fx, US, MSG_start, &(struct msg_start){99, ev->self});
    fx_check(fx, why == NULL);
}

static const struct actor_type frail = {
    .name = "frail", .kind = KIND_ACTOR, .step = frail_step, .parked = frail_parked};

static void note_both(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct result *r = ctx;

    note_result(ctx, to, from, type, msg);
    r->done = r->a == 99 && r->c == 5;
}

static void a_check_that_fails_parks_one(void **state)
{
    struct bench b;
    struct result r = {0};

    (void)state;
    open_bench(&b, 2, 0, -1);
    (void)pool_spawn(b.pool, 0, &frail, 1, 0, NULL);
    (void)pool_spawn(b.pool, 0, &frail, 2, 0, NULL);
    assert_int_equal(pool_start(b.pool), 0);
    endpoint_send(b.ep, named(KIND_ACTOR, 1), MSG_number, &(struct msg_number){13, 0});
    endpoint_send(b.ep, named(KIND_ACTOR, 2), MSG_number, &(struct msg_number){5, 0});
    endpoint_flush(b.ep);
    read_until(&b, note_both, &r, &r.done);
    assert_int_equal(r.b, named(KIND_ACTOR, 1));
    assert_int_equal(r.d, named(KIND_ACTOR, 2));
    assert_false(endpoint_exists(b.ep, named(KIND_ACTOR, 1)));
    assert_int_equal(metric_sum(b.metrics, "actor_parked_total"), 1);
    close_bench(&b);
}

/* The sanitizers shall answer as malloc does. */
const char *__asan_default_options(void); /* NOLINT(readability-identifier-naming) */
const char *__asan_default_options(void)  /* NOLINT(readability-identifier-naming) */
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void); /* NOLINT(readability-identifier-naming) */
const char *__tsan_default_options(void)  /* NOLINT(readability-identifier-naming) */
{
    return "allocator_may_return_null=1";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wakeup_is_lost), cmocka_unit_test(full_mailbox),
        cmocka_unit_test(full_link),         cmocka_unit_test(timers),
        cmocka_unit_test(births_and_ends),   cmocka_unit_test(a_check_that_fails_parks_one),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
