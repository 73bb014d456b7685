/* walk_fault.c - what goes wrong in a walk: drawn from the seed before it begins. */
#include <inttypes.h>

#include "tests/sim/walk_int.h"

/* How often for each hour of 50 agents, and how long, in seconds (mean of an exponential; at most
 * four times that). */
static const struct {
    const char *name;
    double each_hour, lasts_s, least_s;
} kinds[FAULT_KINDS] = {
    [FAULT_KILL] = {"kill", 5, 1.5, 0.2},
    [FAULT_STORE_AWAY] = {"store away", 2, 20, 0.05},
    [FAULT_STORE_SLOW] = {"store slow", 2, 20, 1},
    [FAULT_STORE_STUTTERS] = {"store stutters", 1, 30, 1},
    [FAULT_HOPPER_AWAY] = {"hopper away", 2, 10, 0.05},
    [FAULT_HOPPER_FLUSHED] = {"hopper flushed", 2, 0, 0},
    [FAULT_HOPPER_POISONED] = {"hopper poisoned", 2, 0, 0},
    [FAULT_LINK_CUT] = {"link cut", 3, 3, 0.02},
    [FAULT_LINK_DEAF] = {"link deaf", 2, 4, 3.2},
    [FAULT_LINK_STALLS] = {"link stalls", 3, 0.7, 0.05},
    [FAULT_PBX_RESTARTS] = {"pbx restarts", 1, 4, 1},
    [FAULT_PBX_SLOW] = {"pbx slow", 2, 20, 1},
    [FAULT_FREEZE] = {"freeze", 2, 8, 0.05},
    [FAULT_ORIGINATE_FAILS] = {"originate fails", 6, 0, 0},
    [FAULT_PHONE_DROPS] = {"phone drops", 6, 0, 0},
    [FAULT_PHONE_OFFLINE] = {"phone offline", 3, 15, 0.1},
    [FAULT_PHONE_SILENT] = {"phone silent", 2, 15, 0.1},
    [FAULT_PAGE_GONE] = {"page gone", 5, 12, 0.1},
    [FAULT_WHIM] = {"whim", 10, 0, 0},
    [FAULT_CALLEE_GONE] = {"callee gone", 6, 0, 0},
    [FAULT_DO_NOT_CALL] = {"do not call", 6, 0, 0},
    [FAULT_LIST_STOPPED] = {"list stopped", 1, 20, 1},
    [FAULT_CAMPAIGN_STOPPED] = {"campaign stopped", 1, 20, 1},
};

const char *fault_name(unsigned kind)
{
    return kind < FAULT_KINDS ? kinds[kind].name : "?";
}

static double exponential(struct rng *r, double mean)
{
    return -mean * log(1.0 - rng_unit(r));
}

void faults_draw(struct walk *x)
{
    const double hours = (double)x->end_us / 3600e6;

    for (unsigned k = 0; k < FAULT_KINDS; k++) {
        struct rng r = rng_stream(x->options->seed, 1000 + k);
        double at_s = 5;
        /* Some walks have none of a kind, some have many: what is rare meets what is frequent. */
        double often = rng_below(&r, 4) == 0 ? 0.05 : 0.4 + 1.2 * rng_unit(&r);

        if (x->options->gentle) {
            often =
                k == FAULT_STORE_AWAY || k == FAULT_LINK_CUT || k == FAULT_HOPPER_FLUSHED ? 20 : 0;
        }
        if (often <= 0) {
            continue;
        }

        for (;;) {
            at_s += exponential(&r, 3600.0 / (kinds[k].each_hour * often));
            double lasts = exponential(&r, kinds[k].lasts_s);
            double most = kinds[k].lasts_s * 4;

            lasts = lasts < kinds[k].least_s ? kinds[k].least_s : lasts > most ? most : lasts;
            if (at_s + 5 > hours * 3600 || x->n_faults == WALK_FAULTS) {
                break;
            }
            int64_t at = (int64_t)(at_s * 1e6);
            int64_t until = at + (int64_t)(lasts * 1e6);

            x->faults[x->n_faults++] =
                (struct fault){.at_us = at,
                               .until_us = until < x->end_us ? until : x->end_us,
                               .kind = (uint8_t)k,
                               .amount = rng_unit(&r),
                               .who = rng_next(&r) >> 8};
        }
    }
}

/* --- what begins -------------------------------------------------------------------------- */

static const char *some_number(const struct walk *x, const struct fault *f)
{
    return world_number(x->w, 1 + f->who % x->leads);
}

static uint64_t some_agent(const struct walk *x, const struct fault *f)
{
    return 1 + f->who % x->agents;
}

static void whim(struct walk *x, const struct fault *f)
{
    uint64_t agent = some_agent(x, f);

    if (!world_person(x->w, agent)->socket) {
        return;
    }
    switch ((unsigned)(f->amount * 6)) {
    case 0:
        (void)world_logout(x->w, agent);
        break;
    case 1:
        (void)world_break(x->w, agent, "whim");
        break;
    case 2:
        (void)world_hang_up(x->w, agent);
        break;
    case 3:
        (void)world_login(x->w, agent);
        break;
    default:
        (void)world_dial(x->w, agent, world_number(x->w, 1 + (f->who >> 20) % x->leads));
        break;
    }
}

static void notice(void *ctx, uint64_t arg)
{
    const struct walk *x = ctx;

    (void)arg;
    if (x->on[FAULT_LINK_DEAF] > 0) {
        world_link_noticed(x->w);
    }
}

static void poison(struct walk *x, const struct fault *f)
{
    for (unsigned i = 0; i < 20; i++) {
        world_hopper_push(x->w, 1 + f->who % x->campaigns,
                          1 + (f->who >> 8) * (i + 1u) % (x->leads + 50u));
    }
}

/* Reason for length: one case for each kind of fault. */
static void begins(struct walk *x, const struct fault *f, bool first)
{
    struct world *w = x->w;

    switch ((enum fault_kind)f->kind) {
    case FAULT_KILL:
        x->result->kills += w->alive ? 1u : 0u;
        world_kill(w);
        break;
    case FAULT_STORE_AWAY:
        if (first) {
            world_store_up(w, false);
        }
        break;
    case FAULT_STORE_SLOW:
        world_store_latency(w, 50 + f->amount * 2500);
        break;
    case FAULT_STORE_STUTTERS:
        w->stutter = 0.02;
        break;
    case FAULT_HOPPER_AWAY:
        world_hopper_up(w, false);
        break;
    case FAULT_HOPPER_FLUSHED:
        world_hopper_flush(w);
        break;
    case FAULT_HOPPER_POISONED:
        poison(x, f);
        break;
    case FAULT_LINK_CUT:
        pbx_disconnect(w);
        break;
    case FAULT_LINK_DEAF:
        world_link_deaf(w);
        sim_at(w->sim, (int64_t)((0.2 + f->amount * 2.8) * 1e6), notice, x, 0);
        break;
    case FAULT_LINK_STALLS:
        world_link_stalls(w, (double)(f->until_us - f->at_us) / 1e6);
        break;
    case FAULT_PBX_RESTARTS:
        if (first) {
            world_pbx_stops(w);
        }
        break;
    case FAULT_PBX_SLOW:
        world_pbx_latency(w, 20 + f->amount * 130);
        break;
    case FAULT_FREEZE:
        if (w->alive) {
            world_freeze(w, (double)(f->until_us - f->at_us) / 1e6);
        }
        break;
    case FAULT_ORIGINATE_FAILS:
        world_next_originate_fails(w, (uint8_t)(f->who % 3), f->amount < 0.5);
        break;
    case FAULT_PHONE_DROPS:
        world_phone_drops(w, some_agent(x, f));
        break;
    case FAULT_PHONE_OFFLINE:
        world_phone_online(w, some_agent(x, f), false);
        break;
    case FAULT_PHONE_SILENT:
        world_phone_answers(w, some_agent(x, f), false);
        break;
    case FAULT_PAGE_GONE:
        world_person(w, some_agent(x, f))->away = true;
        world_socket(w, some_agent(x, f), false);
        break;
    case FAULT_WHIM:
        whim(x, f);
        break;
    case FAULT_CALLEE_GONE:
        for (uint64_t i = 0; i < 200; i++) { /* one that is on the line */
            const char *number = world_number(w, 1 + (f->who + i * 7919u) % x->leads);

            if (pbx_customer(w, number) != NULL) {
                world_customer_hangs_up(w, number);
                break;
            }
        }
        break;
    case FAULT_DO_NOT_CALL:
        if (w->store_up) {
            world_do_not_call(w, some_number(x, f));
        }
        break;
    case FAULT_LIST_STOPPED:
        world_list_active(w, 1 + f->who % x->campaigns, false);
        break;
    case FAULT_CAMPAIGN_STOPPED:
        (void)world_switch(w, 1 + f->who % x->campaigns, 2 + (unsigned)(f->amount * 2));
        break;
    case FAULT_KINDS:
        break;
    }
}

/* --- what ends ---------------------------------------------------------------------------- */

/* Reason for length: one case for each kind of fault that has an end. */
static void ends(struct walk *x, const struct fault *f, bool last)
{
    struct world *w = x->w;

    switch ((enum fault_kind)f->kind) {
    case FAULT_KILL:
        if (!w->alive && last) {
            world_start(w, false);
        }
        break;
    case FAULT_STORE_AWAY:
        if (last) {
            world_store_up(w, true);
        }
        break;
    case FAULT_STORE_SLOW:
        world_store_latency(w, x->store_ms);
        break;
    case FAULT_STORE_STUTTERS:
        w->stutter = 0;
        break;
    case FAULT_HOPPER_AWAY:
        if (last) {
            world_hopper_up(w, true);
        }
        break;
    case FAULT_PBX_RESTARTS:
        if (last) {
            w->pbx_up = true;
            see(w, &(struct judge_event){.kind = JUDGE_PBX_UP});
        }
        break;
    case FAULT_PBX_SLOW:
        world_pbx_latency(w, x->pbx_ms);
        break;
    case FAULT_LINK_DEAF:
        if (last) {
            world_link_noticed(w);
            w->deaf = false;
        }
        break;
    case FAULT_PHONE_OFFLINE:
        world_phone_online(w, some_agent(x, f), true);
        break;
    case FAULT_PHONE_SILENT:
        world_phone_answers(w, some_agent(x, f), true);
        break;
    case FAULT_PAGE_GONE:
        world_person(w, some_agent(x, f))->away = false;
        break;
    case FAULT_LIST_STOPPED:
        world_list_active(w, 1 + f->who % x->campaigns, true);
        break;
    case FAULT_CAMPAIGN_STOPPED:
        (void)world_switch(w, 1 + f->who % x->campaigns, 1);
        break;
    case FAULT_LINK_CUT: /* faults_reconnect() */
    case FAULT_LINK_STALLS:
    case FAULT_FREEZE:
    case FAULT_HOPPER_FLUSHED:
    case FAULT_HOPPER_POISONED:
    case FAULT_ORIGINATE_FAILS:
    case FAULT_PHONE_DROPS:
    case FAULT_WHIM:
    case FAULT_CALLEE_GONE:
    case FAULT_DO_NOT_CALL:
    case FAULT_KINDS:
        break;
    }
}

/* --- in time ------------------------------------------------------------------------------ */

static void tell(const struct walk *x, const struct fault *f, const char *what)
{
    if (x->options->tell != NULL) {
        (void)fprintf(x->options->tell, "%10.3f  fault %u %s %s (%.3f s, %" PRIu64 ", %.2f)\n",
                      (double)sim_now_us(x->w->sim) / 1e6, (unsigned)(f - x->faults),
                      fault_name(f->kind), what, (double)(f->until_us - f->at_us) / 1e6, f->who,
                      f->amount);
    }
}

static void on_end(void *ctx, uint64_t arg)
{
    struct walk *x = ctx;
    const struct fault *f = &x->faults[arg];

    tell(x, f, "ends");
    x->on[f->kind]--;
    ends(x, f, x->on[f->kind] == 0);
}

static void on_begin(void *ctx, uint64_t arg)
{
    struct walk *x = ctx;
    const struct fault *f = &x->faults[arg];

    tell(x, f, "begins");
    x->result->faults += f->kind != FAULT_KILL ? 1u : 0u;
    begins(x, f, x->on[f->kind]++ == 0);
    sim_at(x->w->sim, f->until_us - f->at_us, on_end, x, arg);
}

/* A death is not something that happens inside a step of the executor: the run is stopped for it.
 */
static void on_kill(void *ctx, uint64_t arg)
{
    struct walk *x = ctx;

    x->kill = (unsigned)arg + 1u;
    sim_stop(x->w->sim);
}

void faults_kill(struct walk *x)
{
    unsigned arg = x->kill - 1u;

    x->kill = 0;
    on_begin(x, arg);
}

static void starts(void *ctx, uint64_t arg)
{
    struct walk *x = ctx;

    (void)arg;
    if (!x->w->alive && x->on[FAULT_KILL] == 0) {
        world_start(x->w, false);
    }
}

void faults_crash(struct walk *x)
{
    x->result->crashes++;
    x->result->kills++;
    world_kill(x->w);
    if (x->options->tell != NULL) {
        (void)fprintf(x->options->tell, "%10.3f  the daemon dies at %s\n",
                      (double)sim_now_us(x->w->sim) / 1e6,
                      crash_point_name((enum crash_point)x->options->crash_point));
    }
    sim_at(x->w->sim, (int64_t)((0.2 + rng_unit(&x->rng)) * 1e6), starts, x, 0);
}

void faults_plan(struct walk *x)
{
    x->result->n_faults = x->n_faults;
    for (unsigned i = 0; i < x->n_faults; i++) {
        const struct fault *f = &x->faults[i];

        if (!x->options->without[i]) {
            sim_at(x->w->sim, f->at_us - sim_now_us(x->w->sim),
                   f->kind == FAULT_KILL ? on_kill : on_begin, x, i);
        }
    }
}

/* The adapter tries again and again. */
void faults_reconnect(struct walk *x)
{
    struct world *w = x->w;

    if (w->alive && !w->link && w->pbx_up && !w->deaf && x->on[FAULT_LINK_CUT] == 0 &&
        sim_now_us(w->sim) >= w->frozen_until_us) {
        world_link_back(w);
    }
}
