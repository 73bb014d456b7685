/*
 * actors.c - `dialer-bench actors`: the product's own pool, measured from outside.
 *
 * "cross" = sender and receiver are pinned to different workers, so that every message goes through
 * the codec and an nng bag; else everything starts on one worker and the pool may place it as it
 * likes. Rates are steps counted by the pool over a stretch of time after a warm-up; two workers,
 * as the peers get two schedulers.
 */
#include "actors/agent.h"
#include "actors/messages.h"
#include "bench/bench.h"
#include "bench/messages.h"
#include "core/pool.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WORKERS 2
#define RING 100
#define SENDERS 16
#define WINDOW 512 /* messages a sender may have under way */
#define CREDIT 128
#define IDLE_AGENTS 100000
#define KIND_RING 30
#define KIND_SINK 31

static struct pool *open_pool(const struct bench_options *o, bool pinned,
                              const struct message_catalogue *catalogue)
{
    char why[200] = "";
    struct pool *pool = pool_open(&(struct pool_config){.workers = WORKERS,
                                                        .seed = o->seed,
                                                        .catalogue = catalogue,
                                                        .mailbox_limit = SIZE_MAX,
                                                        .spin_us = -1,
                                                        .no_steal = pinned},
                                  why, sizeof why);

    if (pool == NULL) {
        (void)fprintf(stderr, "dialer-bench: %s\n", why);
    }
    return pool;
}

/* Steps a second of a pool that runs by itself. Closes it. */
static double rate(struct pool *pool, const struct bench_options *o)
{
    struct pool_stats before;
    struct pool_stats after;
    const int64_t opened = bench_now_ns();
    int64_t begin;
    int64_t end;

    if (pool_start(pool) != 0) {
        pool_close(pool);
        return -1;
    }
    do { /* what the first step sets up does not count */
        bench_sleep(o->seconds * 0.2);
        pool_stats(pool, &before);
    } while (before.steps < 10 && bench_now_ns() - opened < 10000000000);
    begin = bench_now_ns();
    pool_stats(pool, &before);
    bench_sleep(o->seconds);
    end = bench_now_ns();
    pool_stats(pool, &after);
    pool_close(pool);
    return (double)(after.steps - before.steps) * 1e9 / (double)(end - begin);
}

/* --- fan-in ---------------------------------------------------------------------------------- */

static _Atomic uint64_t received; /* by the sink: one writer */

struct source {
    uint64_t n;
};

static void offer(struct effects *fx, struct source *s, unsigned more)
{
    for (; more != 0; more--) {
        s->n++;
        fx_send(fx, named(KIND_SINK, 1), MSG_offer,
                &(struct msg_offer){.campaign = 17,
                                    .lead = 70000 + s->n,
                                    .attempt = 100000,
                                    .trunk = 3,
                                    .number = {"+12125550123", 12},
                                    .caller_id = {"+12125550199", 12},
                                    .deadline_wall_ms = 1750000000000,
                                    .mode = 3});
    }
}

static void source_step(void *self, const struct event *ev, struct effects *fx)
{
    offer(fx, self, ev->type == EV_START ? WINDOW : ((const struct msg_credit *)ev->msg)->more);
}

struct sink {
    uint64_t from[SENDERS];
    unsigned got[SENDERS];
};

static void sink_step(void *self, const struct event *ev, struct effects *fx)
{
    struct sink *k = self;
    unsigned i = 0;

    if (ev->type != MSG_offer) {
        return;
    }
    atomic_store_explicit(&received, atomic_load_explicit(&received, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    while (k->from[i] != ev->from && k->from[i] != 0) {
        i++;
    }
    k->from[i] = ev->from;
    if (++k->got[i] == CREDIT) {
        k->got[i] = 0;
        fx_send(fx, ev->from, MSG_credit, &(struct msg_credit){CREDIT});
    }
}

static const struct actor_type source_type = {
    .name = "source", .state_size = sizeof(struct source), .step = source_step};
static const struct actor_type sink_type = {
    .name = "sink", .kind = KIND_SINK, .state_size = sizeof(struct sink), .step = sink_step};

static double fanin(const struct bench_options *o)
{
    struct pool *pool = open_pool(o, true, &bench_catalogue);
    uint64_t before;
    int64_t begin;
    double v;

    if (pool == NULL) {
        return -1;
    }
    (void)pool_spawn(pool, 1, &sink_type, 1, 0, NULL);
    for (unsigned i = 0; i < SENDERS; i++) {
        (void)pool_spawn(pool, 0, &source_type, 0, 0, NULL);
    }
    if (pool_start(pool) != 0) {
        pool_close(pool);
        return -1;
    }
    bench_sleep(o->seconds * 0.2);
    begin = bench_now_ns();
    before = atomic_load_explicit(&received, memory_order_relaxed);
    bench_sleep(o->seconds);
    v = (double)(atomic_load_explicit(&received, memory_order_relaxed) - before) * 1e9 /
        (double)(bench_now_ns() - begin);
    pool_close(pool);
    return v;
}

/* --- rings and ping-pong --------------------------------------------------------------------- */

struct stage {
    handle next;
};

static void stage_step(void *self, const struct event *ev, struct effects *fx)
{
    struct stage *s = self;

    if (ev->type == EV_START) {
        const struct msg_place *p = ev->msg;
        s->next = named(KIND_RING, p->next);
        if (p->index != 0) {
            return;
        }
    }
    fx_send(fx, s->next, MSG_token,
            &(struct msg_token){
                ev->type == EV_START ? 1 : ((const struct msg_token *)ev->msg)->value + 1});
}

static const struct actor_type stage_type = {
    .name = "stage", .kind = KIND_RING, .state_size = sizeof(struct stage), .step = stage_step};

/* `size` actors in a ring, one token for each of the first `tokens`. Cross: neighbours on different
 * workers. */
static double ring(const struct bench_options *o, unsigned size, unsigned tokens, bool cross)
{
    struct pool *pool = open_pool(o, cross, &bench_catalogue);

    if (pool == NULL) {
        return -1;
    }
    for (unsigned i = size; i-- != 0;) { /* the last first: who is sent to is there */
        (void)pool_spawn(pool, cross ? i : 0, &stage_type, i + 1, MSG_place,
                         &(struct msg_place){(i + 1) % size + 1, i < tokens ? 0 : 1});
    }
    return rate(pool, o);
}

static double ring100_cross(const struct bench_options *o)
{
    return ring(o, RING, RING, true);
}

static double ring100(const struct bench_options *o)
{
    return ring(o, RING, RING, false);
}

static double ring1(const struct bench_options *o)
{
    return ring(o, RING, 1, false);
}

static double pingpong_cross(const struct bench_options *o)
{
    const double steps = ring(o, 2, 1, true);

    return steps > 0 ? 2e9 / steps : -1; /* a round is two steps */
}

static double pingpong_local(const struct bench_options *o)
{
    const double steps = ring(o, 2, 1, false);

    return steps > 0 ? 1e9 / steps : -1; /* from send to step */
}

/* --- skynet ---------------------------------------------------------------------------------- */

#define LEAVES UINT64_C(1000000)

static struct {
    _Atomic uint64_t most; /* leaves alive: none ends before all are born */
    _Atomic int64_t ended_ns;
    _Atomic uint64_t sum;
} tree;

struct branch {
    handle parent;
    uint64_t sum;
    unsigned missing;
};

static const struct actor_type branch_type;

static void grow(struct branch *b, const struct event *ev, struct effects *fx)
{
    const struct msg_branch *m = ev->msg;

    b->parent = m->parent;
    if (m->leaves == 1) {
        atomic_fetch_add_explicit(&tree.most, 1, memory_order_relaxed);
        b->sum = m->first;
        fx_send(fx, ev->self, MSG_token, &(struct msg_token){0}); /* comes when all are there */
        return;
    }
    b->missing = 10;
    for (unsigned i = 0; i < 10; i++) {
        fx_spawn(fx, &branch_type, 0, MSG_branch,
                 &(struct msg_branch){ev->self, m->first + i * (m->leaves / 10), m->leaves / 10});
    }
}

static void branch_step(void *self, const struct event *ev, struct effects *fx)
{
    struct branch *b = self;

    if (ev->type == EV_START) {
        grow(b, ev, fx);
        return;
    }
    if (ev->type == MSG_sum) {
        b->sum += ((const struct msg_sum *)ev->msg)->value;
        if (--b->missing != 0) {
            return;
        }
    } else if (atomic_load_explicit(&tree.most, memory_order_relaxed) < LEAVES) {
        fx_send(fx, ev->self, MSG_token, &(struct msg_token){0}); /* not all are born: wait */
        return;
    }
    if (b->parent != HANDLE_NONE) {
        fx_send(fx, b->parent, MSG_sum, &(struct msg_sum){b->sum});
    } else {
        atomic_store(&tree.sum, b->sum);
        atomic_store(&tree.ended_ns, bench_now_ns());
    }
    fx_end(fx);
}

static const struct actor_type branch_type = {
    .name = "branch", .state_size = sizeof(struct branch), .step = branch_step};

static double skynet(const struct bench_options *o)
{
    struct pool *pool = open_pool(o, false, &bench_catalogue);
    int64_t begin;
    int64_t ended;

    if (pool == NULL) {
        return -1;
    }
    atomic_store(&tree.ended_ns, 0);
    atomic_store(&tree.most, 0);
    begin = bench_now_ns();
    (void)pool_spawn(pool, 0, &branch_type, 0, MSG_branch,
                     &(struct msg_branch){HANDLE_NONE, 0, LEAVES});
    if (pool_start(pool) != 0) {
        pool_close(pool);
        return -1;
    }
    while ((ended = atomic_load(&tree.ended_ns)) == 0 && bench_now_ns() - begin < 60000000000) {
        bench_sleep(0.005);
    }
    pool_close(pool);
    if (ended == 0 || atomic_load(&tree.sum) != LEAVES * (LEAVES - 1) / 2 ||
        atomic_load(&tree.most) != LEAVES) {
        (void)fprintf(stderr, "dialer-bench: skynet: sum %llu, at most %llu leaves alive at once\n",
                      (unsigned long long)atomic_load(&tree.sum),
                      (unsigned long long)atomic_load(&tree.most));
        return -1;
    }
    return (double)(ended - begin) / 1e6;
}

/* --- births, timers, idle actors ------------------------------------------------------------- */

static void mayfly_step(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    (void)ev;
    fx_end(fx);
}

static const struct actor_type mayfly_type = {
    .name = "mayfly", .state_size = sizeof(struct branch), .step = mayfly_step};

static void maker_step(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    for (unsigned i = 0; i < 100; i++) {
        fx_spawn(fx, &mayfly_type, 0, 0, NULL);
    }
    fx_send(fx, ev->self, MSG_token, &(struct msg_token){0});
}

static const struct actor_type maker_type = {.name = "maker", .step = maker_step};

static double spawns(const struct bench_options *o)
{
    struct pool *pool = open_pool(o, false, &bench_catalogue);

    if (pool == NULL) {
        return -1;
    }
    (void)pool_spawn(pool, 0, &maker_type, 0, 0, NULL);
    return rate(pool, o) * 100 / 101; /* each mayfly is one step; so is the maker's */
}

#define ARMED 500000
#define BATCH 100
struct clockmaker {
    unsigned at;
    timer_ref refs[ARMED];
};

static void clockmaker_step(void *self, const struct event *ev, struct effects *fx)
{
    struct clockmaker *c = self;
    const unsigned n = ev->type == EV_START ? ARMED : BATCH;

    for (unsigned i = 0; i < n; i++) {
        fx_cancel(fx, c->refs[c->at]);
        c->refs[c->at] =
            fx_arm(fx, 60 * US_PER_S + (int64_t)(fx_random(fx) % (60 * US_PER_S)), 1, i);
        c->at = (c->at + 1) % ARMED;
    }
    fx_send(fx, ev->self, MSG_token, &(struct msg_token){0});
}

static const struct actor_type clockmaker_type = {
    .name = "clockmaker", .state_size = sizeof(struct clockmaker), .step = clockmaker_step};

/* One arm and one cancel are one. */
static double timers(const struct bench_options *o)
{
    struct pool *pool = open_pool(o, false, &bench_catalogue);

    if (pool == NULL) {
        return -1;
    }
    (void)pool_spawn(pool, 0, &clockmaker_type, 0, 0, NULL);
    return rate(pool, o) * BATCH;
}

static double idle_bytes(const struct bench_options *o)
{
    struct pool *pool = open_pool(o, false, &dialer_catalogue);
    struct pool_stats stats = {0};
    size_t before;
    double bytes;
    int64_t begin;

    if (pool == NULL) {
        return -1;
    }
    (void)malloc_trim(0); /* memory of earlier pools must not hide what these take */
    before = bench_resident();
    for (uint64_t i = 0; i < IDLE_AGENTS; i++) {
        (void)pool_spawn(pool, (unsigned)i, &agent_actor, i + 1, 0, NULL);
    }
    if (pool_start(pool) != 0) {
        pool_close(pool);
        return -1;
    }
    begin = bench_now_ns();
    while (stats.steps < IDLE_AGENTS && bench_now_ns() - begin < 10000000000) {
        bench_sleep(0.01);
        pool_stats(pool, &stats);
    }
    bytes = (double)(bench_resident() - before) / IDLE_AGENTS;
    pool_close(pool);
    return stats.steps < IDLE_AGENTS ? -1 : bytes;
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *unit;
    enum bench_better better;
    double (*one)(const struct bench_options *o);
} metrics[] = {
    {"actors.fanin_cross_msgs", "msgs/s", BENCH_HIGHER, fanin},
    {"actors.ring100_cross_msgs", "msgs/s", BENCH_HIGHER, ring100_cross},
    {"actors.ring100_msgs", "msgs/s", BENCH_HIGHER, ring100},
    {"actors.ring1_msgs", "msgs/s", BENCH_HIGHER, ring1},
    {"actors.pingpong_cross_ns", "ns", BENCH_LOWER, pingpong_cross},
    {"actors.pingpong_local_ns", "ns", BENCH_LOWER, pingpong_local},
    {"actors.skynet1m_ms", "ms", BENCH_LOWER, skynet},
    {"actors.idle_bytes", "bytes", BENCH_LOWER, idle_bytes},
    {"actors.spawn_per_s", "actors/s", BENCH_HIGHER, spawns},
    {"actors.timer_per_s", "timers/s", BENCH_HIGHER, timers},
};

#define N_METRICS (sizeof metrics / sizeof metrics[0])

static bool is_metric(const char *name)
{
    for (size_t i = 0; i < N_METRICS; i++) {
        if (strcmp(metrics[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* All, or those named on the command line. */
static bool is_wanted(const struct bench_options *o, const char *name)
{
    bool wanted = o->argc == 0;

    for (int i = 0; i < o->argc; i++) {
        wanted = wanted || strcmp(o->argv[i], name) == 0;
    }
    return wanted;
}

int bench_actors(const struct bench_options *options, struct bench_report *report)
{
    double samples[BENCH_MAX_SAMPLES];
    unsigned n;

    for (int i = 0; i < options->argc; i++) {
        if (!is_metric(options->argv[i])) {
            (void)fprintf(stderr, "dialer-bench actors: no metric \"%s\"\n", options->argv[i]);
            return 2;
        }
    }
    for (size_t i = 0; i < N_METRICS; i++) {
        if (!is_wanted(options, metrics[i].name)) {
            continue;
        }
        n = bench_repeat(options, metrics[i].one, samples);
        if (n == 0) {
            report_skip(report, metrics[i].name, "the pool did not start, or the run failed");
        } else {
            report_metric(report, metrics[i].name, metrics[i].unit, metrics[i].better, samples, n);
        }
    }
    return 0;
}
