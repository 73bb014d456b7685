/* The virtual-time executor: determinism, clocks, timers, names, endpoints, the end of actors,
 * failing memory. */
#include "core/rng.h"
#include "core/sim.h"
#include "tests/core/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KIND_OUT 3
#define KIND_WALKER 20
#define KIND_OTHER 21
#define S US_PER_S

static struct sim *open_sim(uint64_t seed)
{
    return sim_open(&(struct sim_config){
        .seed = seed, .catalogue = &sample_catalogue, .wall_ms = 1000000, .codec = true});
}

/* --- walkers: send each other numbers, arm and cancel timers, all by their own dice ---------- */

#define WALKERS 20

struct walker {
    uint64_t seen;
    timer_ref timer;
};

static void walk(void *self, const struct event *ev, struct effects *fx)
{
    struct walker *w = self;
    const uint64_t dice = fx_random(fx);
    struct msg_note note = {.value = dice % 100, .words = {"some words", 10}, .more = {"", 0}};

    w->seen++;
    fx_trace(fx, "walk", ev->type, w->seen);
    if (dice % 4 != 0) { /* fewer than one each: time has to move on */
        fx_send(fx, named(KIND_WALKER, dice % WALKERS), MSG_note, &note);
    }
    fx_cancel(fx, w->timer);
    w->timer = fx_arm(fx, (int64_t)(dice % 1000), 1, dice);
    if (dice % 7 == 0) {
        fx_send(fx, named(KIND_OUT, 5), MSG_status, &(struct msg_status){w->seen});
    }
}

static const struct actor_type walker = {
    .name = "walker", .kind = KIND_WALKER, .state_size = sizeof(struct walker), .step = walk};

struct out {
    struct sim *sim;
    uint64_t n;
};

static void answer(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct out *out = ctx;

    assert_int_equal(handle_id(to), 5);
    assert_int_equal(type, MSG_status);
    out->n++;
    sim_post(out->sim, (int64_t)(sim_random(out->sim, 1) % 5000), to, from, MSG_status, msg);
}

static uint64_t walk_hash(uint64_t seed, uint64_t *steps)
{
    struct sim *sim = open_sim(seed);
    struct out out = {sim, 0};
    uint64_t hash;

    sim_endpoint(sim, KIND_OUT, answer, &out);
    for (uint64_t i = 0; i < WALKERS; i++) {
        assert_true(sim_spawn(sim, &walker, i, 0, NULL) != HANDLE_NONE);
    }
    assert_int_equal(sim_run_until(sim, S / 10), 0);
    assert_int_equal(sim_now_us(sim), S / 10);
    assert_true(out.n > 10);
    assert_int_equal(sim_actors(sim), WALKERS);
    assert_true(sim_timers(sim) <= WALKERS);
    hash = sim_hash(sim);
    *steps = sim_steps(sim);
    sim_close(sim);
    return hash;
}

static void same_seed_same_hash(void **state)
{
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t c = 0;
    const uint64_t first = walk_hash(1, &a);

    (void)state;
    assert_true(first == walk_hash(1, &b));
    assert_true(first != walk_hash(2, &c));
    assert_int_equal(a, b);
    assert_true(a > 1000);
}

/* --- a probe that does what the test tells it ------------------------------------------------ */

struct probe {
    int64_t timer_at[8];
    uint64_t timer_key[8];
    int timers;
    uint64_t numbers[64];
    int n;
    bool had_arg;
    int64_t wall_ms;
    timer_ref ref;
    void *memory;
};

enum { ARM, CANCEL, END, SPAWN, TAKE_MEMORY, MAIL_SELF, ORDERS };
#define ORDER(what, with) ((uint64_t)(what) << 32 | (uint64_t)(with))

static int finis;

static void probe_fini(void *self)
{
    struct probe *p = self;

    fx_realloc(NULL, p->memory, 0);
    finis++;
}

static void probe_step(void *self, const struct event *ev, struct effects *fx);
static const struct actor_type probe = {.name = "probe",
                                        .kind = KIND_OTHER,
                                        .state_size = sizeof(struct probe),
                                        .step = probe_step,
                                        .fini = probe_fini};

static void obey(struct probe *p, uint64_t order, const struct event *ev, struct effects *fx)
{
    const int64_t with = (int64_t)(order & 0xffffffffu);

    switch (order >> 32) {
    case ARM:
        p->ref = fx_arm(fx, with, 9, (uint64_t)with);
        break;
    case CANCEL:
        fx_cancel(fx, p->ref);
        fx_cancel(fx, p->ref); /* stale: harmless */
        break;
    case END:
        fx_end(fx);
        break;
    case SPAWN:
        fx_spawn(fx, &probe, (uint64_t)with, MSG_start, &(struct msg_start){7, ev->self});
        fx_send(fx, named(KIND_OTHER, (uint64_t)with), MSG_number, &(struct msg_number){1, 0});
        break;
    case TAKE_MEMORY:
        p->memory = fx_realloc(fx, p->memory, (size_t)with);
        memset(p->memory, 1, (size_t)with);
        break;
    default:
        fx_send(fx, ev->self, MSG_number, &(struct msg_number){(uint64_t)with, 0});
        break;
    }
}

static void probe_step(void *self, const struct event *ev, struct effects *fx)
{
    struct probe *p = self;

    p->wall_ms = ev->wall_ms;
    if (ev->type == EV_START) {
        const struct msg_start *arg = ev->msg;
        p->had_arg = arg != NULL && arg->value == 7;
    } else if (ev->type == EV_TIMER) {
        assert_int_equal(ev->timer_kind, 9);
        p->timer_at[p->timers] = ev->now_us;
        p->timer_key[p->timers++] = ev->timer_key;
    } else if (ev->type == MSG_number) {
        p->numbers[p->n++] = ((const struct msg_number *)ev->msg)->value;
    } else if (ev->type == MSG_status) {
        obey(p, ((const struct msg_status *)ev->msg)->value, ev, fx);
    }
}

static void order(struct sim *sim, int64_t delay, handle to, uint64_t what)
{
    sim_post(sim, delay, HANDLE_NONE, to, MSG_status, &(struct msg_status){what});
}

static void timers_and_clocks(void **state)
{
    struct sim *sim = open_sim(9);
    const handle h = sim_spawn(sim, &probe, 1, 0, NULL);
    const struct probe *p;

    (void)state;
    order(sim, 0, h, ORDER(ARM, 300));
    order(sim, 10, h, ORDER(ARM, 100));
    order(sim, 20, h, ORDER(ARM, 200));
    order(sim, 150, h, ORDER(CANCEL, 0)); /* the last one armed */
    assert_int_equal(sim_run_until(sim, 1000), 0);
    p = sim_state(sim, h);
    assert_int_equal(p->timers, 2);
    assert_int_equal(p->timer_at[0], 110);
    assert_int_equal(p->timer_key[0], 100);
    assert_int_equal(p->timer_at[1], 300);
    assert_int_equal(sim_timers(sim), 0);
    /* due and cancelled at the same instant: must not arrive */
    order(sim, 0, h, ORDER(ARM, 500));
    assert_int_equal(sim_run_until(sim, 1400), 0);
    order(sim, 100, h, ORDER(CANCEL, 0));
    assert_int_equal(sim_run_idle(sim), 0);
    assert_true(p->timers == 2 || p->timer_at[2] == 1500);
    assert_int_equal(p->wall_ms, 1000001);
    sim_step_wall(sim, 3600000);
    order(sim, 0, h, ORDER(ARM, 0));
    assert_int_equal(sim_run_idle(sim), 0);
    assert_int_equal(p->wall_ms, 1000001 + 3600000);
    sim_close(sim);
}

static void names_and_ends(void **state)
{
    struct sim *sim = open_sim(9);
    const handle h = sim_spawn(sim, &probe, 1, 0, NULL);
    const struct probe *child;
    handle c;

    (void)state;
    finis = 0;
    assert_true(sim_spawn(sim, &probe, 1, 0, NULL) == HANDLE_NONE); /* the name is taken */
    order(sim, 0, h, ORDER(SPAWN, 2));
    order(sim, 5, h, ORDER(SPAWN, 2));
    assert_int_equal(sim_run_idle(sim), 0);
    assert_int_equal(sim_counter(sim, "spawn_name_taken_total", "probe", 0), 2);
    c = sim_find(sim, named(KIND_OTHER, 2));
    child = sim_state(sim, c);
    assert_true(child->had_arg);
    assert_int_equal(child->n, 2);
    order(sim, 0, c, ORDER(ARM, 100));
    order(sim, 0, c, ORDER(TAKE_MEMORY, 10));
    order(sim, 1, named(KIND_OTHER, 2), ORDER(END, 0));
    order(sim, 2, c, ORDER(MAIL_SELF, 0)); /* nobody any more */
    assert_int_equal(sim_run_idle(sim), 0);
    assert_int_equal(finis, 1);
    assert_null(sim_state(sim, c));
    assert_int_equal(sim_timers(sim), 0);
    assert_int_equal(sim_counter_sum(sim, "bus_no_receiver_total"), 1);
    /* the slot is used again, the old handle stays dead */
    assert_true(sim_spawn(sim, &probe, 2, 0, NULL) != c);
    assert_null(sim_state(sim, c));
    sim_close(sim);
    assert_int_equal(finis, 3);
}

static void memory_fails(void **state)
{
    struct sim *sim = open_sim(9);
    const handle h = sim_spawn(sim, &probe, 1, 0, NULL);

    (void)state;
    order(sim, 0, h, ORDER(TAKE_MEMORY, 10));
    order(sim, 1, h, ORDER(ARM, 1000));
    assert_int_equal(sim_run_until(sim, 10), 0);
    sim_fail_alloc(sim, 1);
    order(sim, 2, h, ORDER(TAKE_MEMORY, 20));
    order(sim, 3, h, ORDER(MAIL_SELF, 20));
    assert_int_equal(sim_run_idle(sim), 0);
    assert_int_equal(sim_parked(sim), 1);
    assert_int_equal(sim_counter_sum(sim, "actor_parked_total"), 1);
    assert_int_equal(sim_timers(sim), 0);
    assert_int_equal(sim_queued(sim), 0);
    sim_close(sim);
}

static bool too_many(void *ctx, handle actor, const struct event *ev)
{
    (void)actor;
    (void)ev;
    return ++*(int *)ctx == 50;
}

static void hooks_and_bounds(void **state)
{
    struct sim *sim = open_sim(4);
    struct out out = {sim, 0};
    int steps = 0;

    (void)state;
    sim_endpoint(sim, KIND_OUT, answer, &out);
    for (uint64_t i = 0; i < WALKERS; i++) {
        (void)sim_spawn(sim, &walker, i, 0, NULL);
    }
    sim_hook(sim, too_many, &steps);
    assert_int_equal(sim_run_until(sim, S), -1);
    assert_int_equal(steps, 50);
    sim_close(sim);
    sim =
        sim_open(&(struct sim_config){.seed = 4, .catalogue = &sample_catalogue, .max_steps = 30});
    (void)sim_spawn(sim, &walker, 0, 0, NULL);
    assert_int_equal(sim_run_until(sim, 1000 * S), -1);
    assert_int_equal(sim_steps(sim), 30);
    sim_close(sim);
}

static void calls_in_order(void *ctx, uint64_t arg)
{
    uint64_t *last = ctx;

    assert_int_equal(arg, *last + 1);
    *last = arg;
}

static void later_calls(void **state)
{
    struct sim *sim = open_sim(4);
    uint64_t last = 0;

    (void)state;
    sim_at(sim, 20, calls_in_order, &last, 3);
    sim_at(sim, 10, calls_in_order, &last, 1);
    sim_at(sim, 10, calls_in_order, &last, 2); /* same time: in the order of the asking */
    sim_at(sim, -5, calls_in_order, &(uint64_t){0}, 1);
    assert_int_equal(sim_run_until(sim, 15), 0);
    assert_int_equal(last, 2);
    assert_int_equal(sim_run_idle(sim), 0);
    assert_int_equal(last, 3);
    assert_int_equal(sim_now_us(sim), 20);
    sim_close(sim);
}

static void stop_here(void *ctx, uint64_t arg)
{
    (void)arg;
    sim_stop(ctx);
}

/* The process dies: actors, timers and mail go, the world outside and its clock stay; who comes
 * after it has the names. */
static void crash(void **state)
{
    struct sim *sim = open_sim(4);
    struct out out = {sim, 0};
    uint64_t last = 0;

    (void)state;
    sim_endpoint(sim, KIND_OUT, answer, &out);
    for (uint64_t i = 0; i < WALKERS; i++) {
        (void)sim_spawn(sim, &walker, i, 0, NULL);
    }
    for (uint64_t i = 1; i <= 40; i++) {
        sim_at(sim, (int64_t)i * S, calls_in_order, &last, i);
    }
    sim_at(sim, S / 2, stop_here, sim, 0);
    assert_int_equal(sim_run_until(sim, S), -1);
    assert_int_equal(sim_now_us(sim), S / 2);
    assert_true(sim_queued(sim) + sim_timers(sim) > 0);
    sim_crash(sim);
    assert_int_equal(sim_actors(sim), 0);
    assert_int_equal(sim_timers(sim), 0);
    assert_int_equal(sim_queued(sim), 0);
    assert_true(sim_spawn(sim, &walker, 1, 0, NULL) != HANDLE_NONE);
    assert_int_equal(sim_run_until(sim, 41 * S), 0);
    assert_int_equal(last, 40);
    sim_close(sim);
}

static bool notes_steps(void *ctx, handle actor, const struct event *ev)
{
    (void)actor;
    *(int64_t *)ctx = ev->now_us;
    return false;
}

/* Stopped for 10 s: nobody steps, callbacks of the world do come; then all that waited. */
static void freeze(void **state)
{
    struct sim *sim = open_sim(4);
    struct out out = {sim, 0};
    int64_t step_us = 0;
    uint64_t last = 0;

    (void)state;
    sim_endpoint(sim, KIND_OUT, answer, &out);
    sim_hook(sim, notes_steps, &step_us);
    for (uint64_t i = 0; i < WALKERS; i++) {
        (void)sim_spawn(sim, &walker, i, 0, NULL);
    }
    assert_int_equal(sim_run_until(sim, S / 10), 0);
    sim_freeze(sim, 10 * S);
    sim_at(sim, S, calls_in_order, &last, 1);
    assert_int_equal(sim_run_until(sim, 10 * S), 0);
    assert_in_range(step_us, 0, S / 10);
    assert_int_equal(last, 1);
    assert_int_equal(sim_now_us(sim), 10 * S);
    assert_int_equal(sim_run_until(sim, 10 * S + S / 10), 0);
    assert_int_equal(step_us, 10 * S + S / 10);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_hash),
        cmocka_unit_test(timers_and_clocks),
        cmocka_unit_test(names_and_ends),
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(hooks_and_bounds),
        cmocka_unit_test(later_calls),
        cmocka_unit_test(crash),
        cmocka_unit_test(freeze),
    };

    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
