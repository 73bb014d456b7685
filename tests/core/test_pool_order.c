/* Order and loss under stealing: four workers, steals forced at random, every ordered pair of
 * actors and of actors and endpoints counts its own messages. Tokens walk until their hops are used
 * up; all must come to an end. */
#include "core/endpoint.h"
#include "core/pool.h"
#include "core/rng.h"
#include "tests/core/sample.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define ACTORS 48
#define ENDPOINTS 2
#define PARTIES (ACTORS + ENDPOINTS) /* endpoints come last */
#define TOKENS 400
#define KIND_PARTY 20
#define WORKERS 4

static unsigned hops = 2500;

static struct {
    struct pool *pool;
    _Atomic uint64_t disorder;
    _Atomic uint64_t late_timers;
    _Atomic uint64_t ended; /* tokens */
    _Atomic bool quit;
    sem_t done;
    sem_t wake[ENDPOINTS];
    struct endpoint *ep[ENDPOINTS];
} world;

/* What a party knows about each other party. */
struct book {
    uint32_t self;
    uint64_t sent[PARTIES];
    uint64_t seen[PARTIES];
};

static handle address(uint32_t party)
{
    return party < ACTORS ? named(KIND_PARTY, party + 1) : named(party - ACTORS + 1, 0);
}

/* Checks the number of the pair; says where the token goes next, PARTIES when it has ended. */
static uint32_t take_token(struct book *b, const struct msg_token *t, uint64_t dice,
                           struct msg_token *next)
{
    if (t->seq != ++b->seen[t->sender]) {
        atomic_fetch_add(&world.disorder, 1);
    }
    if (t->hops == 0) {
        if (atomic_fetch_add(&world.ended, 1) + 1 == TOKENS) {
            (void)sem_post(&world.done);
        }
        return PARTIES;
    }
    next->hops = t->hops - 1;
    next->sender = b->self;
    return (uint32_t)(dice % PARTIES);
}

/* --- actors ---------------------------------------------------------------------------------- */

struct party {
    struct book book;
    timer_ref timer;
    int64_t due;
};

static void pass_on(struct party *p, const struct msg_token *t, struct effects *fx)
{
    struct msg_token next;
    const uint32_t to = take_token(&p->book, t, fx_random(fx), &next);

    if (to != PARTIES) {
        next.seq = ++p->book.sent[to];
        fx_send(fx, address(to), MSG_token, &next);
    }
}

static void party_step(void *self, const struct event *ev, struct effects *fx)
{
    struct party *p = self;

    if (ev->type == EV_START) {
        p->book.self = (uint32_t)((const struct msg_start *)ev->msg)->value;
    } else if (ev->type == MSG_token) {
        pass_on(p, ev->msg, fx);
        if (fx_random(fx) % 4 == 0) { /* a timer that is often cancelled, and travels */
            fx_cancel(fx, p->timer);
            p->timer = fx_arm(fx, 3000, 1, 0);
            p->due = ev->now_us + 3000;
        }
    } else if (ev->type == EV_TIMER && ev->now_us < p->due) {
        atomic_fetch_add(&world.late_timers, 1); /* one that was cancelled has come */
    }
}

static const struct actor_type party = {
    .name = "party", .kind = KIND_PARTY, .state_size = sizeof(struct party), .step = party_step};

/* --- endpoints ------------------------------------------------------------------------------- */

struct outside {
    struct book book;
    struct rng rng;
    struct endpoint *ep;
};

static void receive_token(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct outside *o = ctx;
    struct msg_token next;
    uint32_t where;

    (void)from;
    (void)type;
    assert_true(to == address(o->book.self));
    where = take_token(&o->book, msg, rng_next(&o->rng), &next);
    if (where != PARTIES) {
        next.seq = ++o->book.sent[where];
        assert_int_equal(endpoint_send(o->ep, address(where), MSG_token, &next), 0);
    }
}

static void *endpoint_main(void *arg)
{
    const uint32_t index = (uint32_t)(uintptr_t)arg;
    struct outside o = {
        .book = {.self = ACTORS + index}, .rng = rng_stream(7, index), .ep = world.ep[index]};

    for (uint32_t i = 0; i < TOKENS / ENDPOINTS; i++) {
        const uint32_t to = i % ACTORS;
        const struct msg_token t = {++o.book.sent[to], o.book.self, hops};
        assert_int_equal(endpoint_send(o.ep, address(to), MSG_token, &t), 0);
    }
    endpoint_flush(o.ep);
    while (!atomic_load(&world.quit)) {
        while (endpoint_receive(o.ep, receive_token, &o, 64) == 64) {
            endpoint_flush(o.ep);
        }
        endpoint_flush(o.ep);
        (void)sem_wait(&world.wake[index]);
    }
    return NULL;
}

static void wake_endpoint(void *ctx)
{
    (void)sem_post(ctx);
}

/* --- the run --------------------------------------------------------------------------------- */

static bool sometimes(void *ctx, unsigned worker)
{
    static _Thread_local struct rng rng;

    (void)ctx;
    if (rng.state == 0) {
        rng = rng_stream(99, worker);
    }
    return rng_next(&rng) % 4 == 0;
}

static void order_holds_through_steals(void **state)
{
    pthread_t threads[ENDPOINTS];
    struct timespec limit;
    struct pool_stats stats;
    char why[100] = "";

    (void)state;
    (void)sem_init(&world.done, 0, 0);
    world.pool = pool_open(&(struct pool_config){.workers = WORKERS,
                                                 .seed = 1,
                                                 .catalogue = &sample_catalogue,
                                                 .spin_us = -1,
                                                 .force_steal = sometimes},
                           why, sizeof why);
    assert_non_null(world.pool);
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        (void)sem_init(&world.wake[i], 0, 0);
        world.ep[i] = endpoint_open(world.pool, i + 1, wake_endpoint, &world.wake[i]);
        assert_non_null(world.ep[i]);
    }
    for (uint32_t i = 0; i < ACTORS; i++) {
        assert_true(pool_spawn(world.pool, i, &party, i + 1, MSG_start,
                               &(struct msg_start){i, 0}) != HANDLE_NONE);
    }
    assert_int_equal(pool_start(world.pool), 0);
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, endpoint_main, (void *)(uintptr_t)i), 0);
    }
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 50;
    while (sem_timedwait(&world.done, &limit) != 0) {
        assert_int_equal(errno, EINTR);
    }
    atomic_store(&world.quit, true);
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        (void)sem_post(&world.wake[i]);
        (void)pthread_join(threads[i], NULL);
    }
    pool_stop(world.pool);
    pool_stats(world.pool, &stats);
    print_message("# steals %llu, forwarded %llu, steps %llu, bags %llu, parks %llu\n",
                  (unsigned long long)stats.steals, (unsigned long long)stats.forwarded,
                  (unsigned long long)stats.steps, (unsigned long long)stats.bags,
                  (unsigned long long)stats.parks);
    assert_int_equal(atomic_load(&world.disorder), 0);
    assert_int_equal(atomic_load(&world.late_timers), 0);
    assert_int_equal(atomic_load(&world.ended), TOKENS);
    assert_int_equal(stats.dead_letters, 0);
    assert_int_equal(stats.actors, ACTORS);
    assert_true(stats.steals > 100);
    assert_true(stats.forwarded > 0);
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        endpoint_close(world.ep[i]);
    }
    pool_close(world.pool);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_holds_through_steals)};

    if (argc > 1) {
        hops = (unsigned)strtoul(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests_name("pool_order", tests, NULL, NULL);
}
