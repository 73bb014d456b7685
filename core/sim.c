/*
 * sim.c - the virtual-time executor.
 *
 * One heap holds everything that happens later (timers, posted messages, model callbacks), ordered
 * by (deadline, sequence number). Cancelled timers stay in it and are skipped when they come up.
 * What a step sends waits in the outbox until the step has returned.
 */
#include "core/sim_internal.h"

#include <stdlib.h>
#include <string.h>

void *sim_need(void *p)
{
    if (p == NULL) {
        abort(); /* a simulation without memory proves nothing */
    }
    return p;
}

void *sim_grow(void *at, uint32_t *room, uint32_t used, size_t size)
{
    if (used < *room) {
        return at;
    }
    *room = *room != 0 ? *room * 2 : 64;
    return sim_need(realloc(at, *room * size));
}

/* --- the trace hash -------------------------------------------------------------------------- */

void sim_mix(struct sim *s, uint64_t word)
{
    s->hash = rng_mix(s->hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
}

/* --- what happens later ---------------------------------------------------------------------- */

static bool earlier(const struct later *a, const struct later *b)
{
    return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

void sim_later(struct sim *s, struct later item)
{
    size_t i = s->n_heap;

    if (i == s->room_heap) {
        s->room_heap = s->room_heap != 0 ? s->room_heap * 2 : 256;
        s->heap = sim_need(realloc(s->heap, s->room_heap * sizeof *s->heap));
    }
    s->n_heap++;
    item.seq = s->seq++;
    while (i != 0 && earlier(&item, &s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = item;
}

/* Puts `item` at the place `i`, or below it. */
static void heap_sink(struct sim *s, size_t i, struct later item)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->n_heap) {
            break;
        }
        if (child + 1 < s->n_heap && earlier(&s->heap[child + 1], &s->heap[child])) {
            child++;
        }
        if (!earlier(&s->heap[child], &item)) {
            break;
        }
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = item;
}

static struct later heap_pop(struct sim *s)
{
    const struct later top = s->heap[0];
    const struct later last = s->heap[--s->n_heap];

    if (s->n_heap != 0) {
        heap_sink(s, 0, last);
    }
    return top;
}

/* --- steps ----------------------------------------------------------------------------------- */

static void drop_mail(struct sim *s, struct actor *a)
{
    struct node *n;

    while ((n = sim_take(&a->mail)) != NULL) {
        s->queued--;
        free(n);
    }
}

static void end_actor(struct sim *s, struct actor *a)
{
    const uint32_t index = sim_slot_of(a->self);

    sim_make_idle(s, a);
    drop_mail(s, a);
    while (a->timers != 0) {
        sim_unlink_timer(s, a->timers - 1);
    }
    if (a->name != HANDLE_NONE) {
        names_remove(s->names, a->name, a->self);
    }
    if (a->type->fini != NULL) {
        a->type->fini(a->state);
    }
    s->slots[index].actor = NULL;
    s->slots[index].next_free = s->free_slot;
    s->free_slot = index + 1;
    s->living--;
    s->parked -= a->parked ? 1 : 0;
    free(a->state);
    free(a);
}

static void park(struct sim *s, struct actor *a, const struct event *ev)
{
    const struct event last = {
        .type = EV_PARKED, .self = ev->self, .now_us = s->now_us, .wall_ms = sim_wall_ms(s)};

    if (a->parked) {
        return; /* its last word failed, too */
    }
    metric_add(s->counters, "actor_parked_total", a->type->name, 0, 1);
    s->parked++;
    sim_make_idle(s, a);
    a->parked = true;
    drop_mail(s, a);
    while (a->timers != 0) {
        sim_unlink_timer(s, a->timers - 1);
    }
    if (a->name != HANDLE_NONE) {
        names_remove(s->names, a->name, a->self);
    }
    if (a->type->parked != NULL) {
        a->type->parked(a->state, &last, s->why, &s->fx);
    }
}

void sim_crash(struct sim *sim)
{
    size_t kept = 0;

    for (uint32_t i = 0; i < sim->n_slots; i++) {
        if (sim->slots[i].actor != NULL) {
            end_actor(sim, sim->slots[i].actor);
        }
    }
    for (size_t i = 0; i < sim->n_heap; i++) {
        if (sim->heap[i].kind == LATER_POST) {
            free(sim->heap[i].node);
        } else if (sim->heap[i].kind == LATER_CALL) {
            sim->heap[kept++] = sim->heap[i];
        }
    }
    sim->n_heap = kept;
    for (size_t i = kept / 2; i-- > 0;) {
        heap_sink(sim, i, sim->heap[i]);
    }
    sim->frozen_until_us = 0;
}

void sim_freeze(struct sim *sim, int64_t us)
{
    sim->frozen_until_us = sim_time_in(sim, us);
}

void sim_stop(struct sim *sim)
{
    sim->stop = true;
}

/* Hands `n` to the actor; false when it was a timer that has been cancelled meanwhile. */
static bool step(struct sim *s, struct actor *a, struct node *n, struct event *ev)
{
    *ev = (struct event){.type = n->type,
                         .self = sim_shown_as(a),
                         .from = n->from,
                         .now_us = s->now_us,
                         .wall_ms = sim_wall_ms(s),
                         .msg = n->has_msg ? n->block : NULL};
    if (n->timer != 0) {
        if (s->timers[n->timer - 1].gen != n->timer_gen) {
            return false;
        }
        sim_unlink_timer(s, n->timer - 1);
        ev->timer_kind = n->timer_kind;
        ev->timer_key = n->timer_key;
    }
    s->steps++;
    sim_mix(s, (uint64_t)s->now_us);
    sim_mix(s, a->born << 16 | n->type);
    sim_mix(s, (uint64_t)n->timer_kind << 32 ^ n->timer_key);
    s->running = a;
    s->ending = false;
    if (setjmp(s->no_memory) == 0) {
        a->type->step(a->state, ev, &s->fx);
    } else {
        park(s, a, ev);
    }
    return true;
}

/* Later, by chance, but after what went the same way before. */
static void delay(struct sim *s, struct node *n)
{
    int64_t *last = &s->way_due[rng_mix(n->from ^ rng_mix(n->to)) % SIM_WAYS];
    const int64_t due =
        s->now_us + (int64_t)rng_below(&s->jitter, (uint64_t)s->config.jitter_us + 1);

    *last = due > *last ? due : *last;
    sim_later(s, (struct later){.due = *last, .kind = LATER_POST, .node = n});
}

/* One event of one runnable actor. Returns true when the hook wants the run to stop. */
static bool run_one(struct sim *s)
{
    struct actor *a = s->slots[s->runnable[rng_below(&s->choice, s->n_runnable)]].actor;
    struct node *n = sim_take(&a->mail);
    struct node *out;
    struct event ev;
    bool stop = false;

    s->queued--;
    if (a->mail.head == NULL) {
        sim_make_idle(s, a);
    }
    if (step(s, a, n, &ev)) {
        while ((out = sim_take(&s->outbox)) != NULL) {
            if (s->config.jitter_us > 0) {
                delay(s, out);
            } else {
                sim_deliver(s, out);
            }
        }
        if (s->ending && !a->parked) {
            end_actor(s, a);
        }
        s->running = NULL;
        stop = s->hook != NULL && s->hook(s->hook_ctx, ev.self, &ev);
    }
    free(n);
    return stop;
}

static bool is_stale(const struct sim *s, const struct later *item)
{
    return item->kind == LATER_TIMER && s->timers[item->timer].gen != item->timer_gen;
}

static void happen(struct sim *s, const struct later *item)
{
    switch (item->kind) {
    case LATER_TIMER:
        sim_timer_fired(s, item);
        break;
    case LATER_POST:
        sim_deliver(s, item->node);
        break;
    case LATER_CALL:
        item->fn(item->ctx, item->arg);
        break;
    }
}

/* Runs up to `until`; leaves the clock at the last thing that happened. */
static int run(struct sim *s, int64_t until)
{
    s->stop = false;
    while (!s->stop) {
        const bool frozen = s->now_us < s->frozen_until_us;
        const int64_t thaw = s->frozen_until_us < until ? s->frozen_until_us : until;
        const int64_t limit = frozen ? thaw : s->n_runnable != 0 ? s->now_us : until;

        while (s->n_heap != 0 && is_stale(s, &s->heap[0])) {
            (void)heap_pop(s);
        }
        if (s->n_heap != 0 && s->heap[0].due <= limit) {
            const struct later item = heap_pop(s);
            s->now_us = item.due > s->now_us ? item.due : s->now_us;
            happen(s, &item);
        } else if (frozen && s->frozen_until_us <= until) {
            s->now_us = s->frozen_until_us;
        } else if (!frozen && s->n_runnable != 0) {
            if (run_one(s) || (s->config.max_steps != 0 && s->steps >= s->config.max_steps)) {
                return -1;
            }
        } else {
            return 0;
        }
    }
    return -1;
}

int sim_run_until(struct sim *sim, int64_t until_us)
{
    const int rv = run(sim, until_us);

    if (rv == 0 && sim->now_us < until_us) {
        sim->now_us = until_us;
    }
    return rv;
}

int sim_run_idle(struct sim *sim)
{
    return run(sim, INT64_MAX);
}

/* --- the rest of the interface --------------------------------------------------------------- */

struct sim *sim_open(const struct sim_config *config)
{
    struct sim *s = sim_need(calloc(1, sizeof *s));

    s->fx.ops = &sim_ops;
    s->config = *config;
    s->choice = rng_stream(config->seed, 0);
    s->jitter = rng_stream(config->seed, 900);
    for (unsigned i = 0; i < 64; i++) {
        s->streams[i] = rng_stream(config->seed, 1 + i);
    }
    s->names = sim_need(names_open());
    s->metrics = sim_need(metrics_open());
    s->counters = sim_need(metrics_set(s->metrics));
    return s;
}

void sim_close(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (uint32_t i = 0; i < sim->n_slots; i++) {
        if (sim->slots[i].actor != NULL) {
            end_actor(sim, sim->slots[i].actor);
        }
    }
    for (size_t i = 0; i < sim->n_heap; i++) {
        if (sim->heap[i].kind == LATER_POST) {
            free(sim->heap[i].node);
        }
    }
    free(sim->heap);
    free(sim->timers);
    free(sim->runnable);
    free(sim->slots);
    metrics_close(sim->metrics);
    names_close(sim->names);
    free(sim);
}

void sim_endpoint(struct sim *sim, unsigned kind, endpoint_handler deliver_fn, void *ctx)
{
    if (kind == 0 || kind > KIND_ENDPOINT_MAX) {
        abort();
    }
    sim->deliver[kind] = deliver_fn;
    sim->deliver_ctx[kind] = ctx;
}

handle sim_spawn(struct sim *sim, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                 const void *arg)
{
    return sim_create(sim, type, id, arg_type, arg);
}

void sim_post(struct sim *sim, int64_t delay_us, handle from, handle to, uint16_t type,
              const void *msg)
{
    sim_later(sim, (struct later){.due = sim_time_in(sim, delay_us),
                                  .kind = LATER_POST,
                                  .node = sim_copy(sim, from, to, type, msg)});
}

void sim_at(struct sim *sim, int64_t delay_us, void (*fn)(void *ctx, uint64_t arg), void *ctx,
            uint64_t arg)
{
    sim_later(sim, (struct later){.due = sim_time_in(sim, delay_us),
                                  .kind = LATER_CALL,
                                  .fn = fn,
                                  .ctx = ctx,
                                  .arg = arg});
}

void sim_hook(struct sim *sim, bool (*after_step)(void *ctx, handle actor, const struct event *ev),
              void *ctx)
{
    sim->hook = after_step;
    sim->hook_ctx = ctx;
}

int64_t sim_now_us(const struct sim *sim)
{
    return sim->now_us;
}

int64_t sim_wall_ms(const struct sim *sim)
{
    return sim->config.wall_ms + sim->wall_offset_ms + sim->now_us / US_PER_MS;
}

void sim_step_wall(struct sim *sim, int64_t by_ms)
{
    sim->wall_offset_ms += by_ms;
}

uint64_t sim_hash(const struct sim *sim)
{
    return sim->hash;
}

uint64_t sim_steps(const struct sim *sim)
{
    return sim->steps;
}

uint64_t sim_random(struct sim *sim, unsigned stream)
{
    return rng_next(&sim->streams[stream % 64]);
}

const void *sim_state(const struct sim *sim, handle actor)
{
    const struct actor *a = sim_resolve(sim, actor);

    return a != NULL ? a->state : NULL;
}

handle sim_find(const struct sim *sim, handle name)
{
    return names_get(sim->names, name);
}

size_t sim_actors(const struct sim *sim)
{
    return sim->living;
}

size_t sim_timers(const struct sim *sim)
{
    return sim->armed;
}

size_t sim_queued(const struct sim *sim)
{
    size_t posted = 0;

    for (size_t i = 0; i < sim->n_heap; i++) {
        posted += sim->heap[i].kind == LATER_POST ? 1 : 0;
    }
    return sim->queued + posted;
}

int64_t sim_counter(const struct sim *sim, const char *name, const char *label, uint64_t id)
{
    return metric_value(sim->metrics, name, label, id);
}

int64_t sim_counter_sum(const struct sim *sim, const char *name)
{
    return metric_sum(sim->metrics, name);
}

void sim_fail_alloc(struct sim *sim, uint64_t nth)
{
    sim->fail_alloc = nth;
}

size_t sim_parked(const struct sim *sim)
{
    return sim->parked;
}
