/*
 * worker_fx.c - what a step asks for, carried out by a worker.
 *
 * Sends go to the mailbox or the bag at once: nobody can look at them before the step has returned,
 * because this thread runs one actor at a time. A step never returns early: the one exception is
 * memory, which ends it with a longjmp to the worker's loop.
 */
#include "core/log.h"
#include "core/pool_internal.h"

#include <stdlib.h>
#include <string.h>

static struct worker *worker_of(struct effects *fx)
{
    return (struct worker *)(void *)fx;
}

static void send_at_home(struct worker *w, handle to, struct slot *slot,
                         const struct message_desc *desc, const void *msg)
{
    struct node *n = node_copy(w, desc, actor_shown_as(w->running), msg);

    if (w->moves != NULL) {
        struct move *m = move_find(w, to);
        if (m != NULL) {
            move_hold(m, n, false);
            return;
        }
    }
    mail_put(w, slot->actor, n);
}

static void worker_send(struct effects *fx, handle to, uint16_t type, const void *msg)
{
    struct worker *w = worker_of(fx);
    const struct message_desc *desc = message_find(w->out.pool->config.catalogue, type);
    struct slot *slot = NULL;
    struct way *way = NULL;
    uint32_t home;

    if (handle_is_named(to)) {
        if (handle_kind(to) <= KIND_ENDPOINT_MAX) {
            way = &w->out.to_endpoint[handle_kind(to)];
        } else {
            to = names_get(w->out.pool->names, to);
        }
    }
    if (desc == NULL) {
        dead_letter(&w->out, to, type);
        return;
    }
    if (way == NULL) {
        home = pool_home(w->out.pool, to, &slot);
        if (home == w->index) {
            send_at_home(w, to, slot, desc, msg);
            return;
        }
        way = home != NO_HOME ? &w->out.to_worker[home] : NULL;
    }
    if (way == NULL || way->link == NULL) {
        dead_letter(&w->out, to, type);
        return;
    }
    (void)way_send(&w->out, way, to, actor_shown_as(w->running), desc, msg);
}

/* --- timers ---------------------------------------------------------------------------------- */

/* A reference is the block's address with 16 bits of its generation above the 48 it uses. Blocks of
 * timers stay timers as long as the pool lives; a stale reference finds another generation, or,
 * once in 65,536 lives of the block, a timer that is somebody else's. */
static timer_ref ref_of(const struct timer *t, uint16_t gen)
{
    return (uint64_t)gen << 48 | (uint64_t)(uintptr_t)t;
}

static timer_ref worker_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key)
{
    struct worker *w = worker_of(fx);
    struct timer *t = timer_alloc(w);
    struct actor *a = w->running;
    const uint16_t gen = (uint16_t)(atomic_load_explicit(&t->gen, memory_order_relaxed) + 1u) | 1u;

    atomic_store_explicit(&t->gen, gen, memory_order_relaxed);
    atomic_store_explicit(&t->actor, a, memory_order_relaxed);
    t->kind = kind;
    t->key = key;
    t->state = TIMER_ARMED;
    t->prev = NULL;
    t->next = a->timers;
    if (a->timers != NULL) {
        a->timers->prev = t;
    }
    a->timers = t;
    wheel_add(&w->wheel, &t->entry, w->now_us + delay_us);
    return ref_of(t, gen);
}

static void leave_actor(struct timer *t)
{
    struct actor *a = atomic_load_explicit(&t->actor, memory_order_relaxed);

    if (t->prev != NULL) {
        t->prev->next = t->next;
    } else {
        a->timers = t->next;
    }
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
    atomic_store_explicit(&t->actor, NULL, memory_order_relaxed);
    atomic_store_explicit(&t->gen,
                          (uint16_t)(atomic_load_explicit(&t->gen, memory_order_relaxed) + 1u),
                          memory_order_relaxed);
}

void timer_drop(struct worker *w, struct timer *t)
{
    leave_actor(t);
    if (t->state == TIMER_ARMED) {
        if (wheel_holds(&t->entry)) {
            wheel_remove(&w->wheel, &t->entry);
        }
        timer_free(w, t);
    } else {
        t->node.is_void = true; /* it waits in the mailbox: freed when its turn comes */
    }
}

static void worker_cancel(struct effects *fx, timer_ref ref)
{
    struct worker *w = worker_of(fx);
    struct timer *t = (struct timer *)(uintptr_t)(ref & UINT64_C(0xffffffffffff)); /* NOLINT */

    if (atomic_load_explicit(&t->gen, memory_order_relaxed) == ref >> 48 &&
        atomic_load_explicit(&t->actor, memory_order_relaxed) == w->running) {
        timer_drop(w, t);
    }
}

/* --- birth and end --------------------------------------------------------------------------- */

handle actor_create(struct worker *w, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                    const void *arg)
{
    struct pool *pool = w->out.pool;
    const uint32_t index = slot_alloc(w);
    struct slot *slot = pool_slot(pool, (handle)index + 1);
    const uint64_t was = atomic_load_explicit(&slot->where, memory_order_relaxed);
    const uint64_t generation = ((was >> 32) + 1) & 0x7fffffffu;
    const handle self = generation << 32 | (index + 1);
    struct actor *a = block_alloc(w, sizeof *a + type->state_size);
    struct node *n;

    memset(a, 0, sizeof *a + type->state_size);
    a->type = type;
    a->self = self;
    a->mail_end = &a->mail;
    slot->actor = a;
    if (type->kind != 0) {
        a->name = named(type->kind, id);
    }
    atomic_store_explicit(&slot->where, generation << 32 | w->index, memory_order_release);
    if (a->name != HANDLE_NONE && names_put(pool->names, a->name, self) != 0) {
        atomic_store_explicit(&slot->where, generation << 32 | NO_HOME, memory_order_release);
        block_free(w, a, sizeof *a + type->state_size);
        slot_free(w, index);
        if (w->out.metrics != NULL) {
            metric_add(w->out.metrics, "spawn_name_taken_total", type->name, 0, 1);
        }
        return HANDLE_NONE;
    }
    /* the worker's own count keeps streams apart without a shared counter */
    a->rng = rng_stream(pool->config.seed,
                        atomic_load_explicit(&w->spawned, memory_order_relaxed) << 8 | w->index);
    bump(&w->spawned, 1);
    if (arg != NULL) {
        n = node_copy(w, message_find(pool->config.catalogue, arg_type), HANDLE_NONE, arg);
    } else {
        n = node_alloc(w, 0);
    }
    n->type = EV_START;
    actor_append(a, n);
    actor_schedule(w, a);
    return self;
}

static void worker_spawn(struct effects *fx, const struct actor_type *type, uint64_t id,
                         uint16_t arg_type, const void *arg)
{
    (void)actor_create(worker_of(fx), type, id, arg_type, arg);
}

static void drop_mail(struct worker *w, struct actor *a)
{
    while (a->timers != NULL) {
        timer_drop(w, a->timers);
    }
    while (a->mail != NULL) {
        struct node *n = a->mail;
        a->mail = n->next;
        if (n->is_timer) {
            timer_free(w, (struct timer *)(void *)((char *)n - offsetof(struct timer, node)));
        } else {
            node_free(w, n);
        }
    }
    a->mail_end = &a->mail;
    a->mail_count = 0;
}

void actor_end(struct worker *w, struct actor *a)
{
    struct slot *slot = pool_slot(w->out.pool, a->self);
    const uint64_t generation = a->self >> 32;

    if (a->name != HANDLE_NONE) {
        names_remove(w->out.pool->names, a->name, a->self);
    }
    atomic_store_explicit(&slot->where, generation << 32 | NO_HOME, memory_order_release);
    drop_mail(w, a);
    if (a->type->fini != NULL) {
        a->type->fini(a->state);
    }
    slot_free(w, slot_index(a->self));
    block_free(w, a, sizeof *a + a->type->state_size);
    bump(&w->ended, 1);
}

void actor_park(struct worker *w, struct actor *a)
{
    const struct event ev = {.type = EV_PARKED,
                             .self = a->name != HANDLE_NONE ? a->name : a->self,
                             .now_us = w->now_us,
                             .wall_ms = w->wall_ms};

    if (a->parked) {
        return; /* its last word failed, too */
    }
    a->parked = true;
    drop_mail(w, a);
    if (a->name != HANDLE_NONE) {
        names_remove(w->out.pool->names, a->name, a->self);
    }
    log_line(3, "DLR-ACTOR-PARKED", "a step of %s cannot go on (%s): it takes no more mail",
             a->type->name, w->why);
    if (w->out.metrics != NULL) {
        metric_add(w->out.metrics, "actor_parked_total", a->type->name, 0, 1);
    }
    if (a->type->parked != NULL) {
        a->type->parked(a->state, &ev, w->why, &w->fx);
    }
}

static void worker_end(struct effects *fx)
{
    worker_of(fx)->ending = true;
}

/* --- the rest -------------------------------------------------------------------------------- */

static void worker_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    struct worker *w = worker_of(fx);
    const uint64_t at = atomic_load_explicit(&w->trace_at, memory_order_relaxed);
    struct trace_line *line = &w->trace[at % TRACE_LINES];

    atomic_store_explicit(&line->now_us, w->now_us, memory_order_relaxed);
    atomic_store_explicit(&line->actor, w->running->self, memory_order_relaxed);
    atomic_store_explicit(&line->what, what, memory_order_relaxed);
    atomic_store_explicit(&line->a, a, memory_order_relaxed);
    atomic_store_explicit(&line->b, b, memory_order_relaxed);
    atomic_store_explicit(&w->trace_at, at + 1, memory_order_release);
}

static void worker_count(struct effects *fx, const char *name, const char *label, uint64_t id,
                         int64_t add)
{
    struct worker *w = worker_of(fx);

    if (w->out.metrics != NULL) {
        metric_add(w->out.metrics, name, label, id, add);
    }
}

static void worker_log(struct effects *fx, int level, const char *code, const char *text, int64_t a,
                       int64_t b, int64_t c)
{
    const int64_t numbers[3] = {a, b, c};
    char line[400];

    if (log_wanted(level, code)) {
        (void)effects_format(line, sizeof line, text, numbers);
        log_line(level, code, "%s actor=%s", line, worker_of(fx)->running->type->name);
    }
}

static uint64_t worker_random(struct effects *fx)
{
    return rng_next(&worker_of(fx)->running->rng);
}

static void *worker_realloc(struct effects *fx, void *ptr, size_t size)
{
    void *p;

    if (size == 0) {
        free(ptr);
        return NULL;
    }
    p = realloc(ptr, size);
    if (p == NULL) {
        worker_of(fx)->why = "no memory";
        longjmp(worker_of(fx)->no_memory, 1);
    }
    return p;
}

static void worker_broken(struct effects *fx, const char *what)
{
    worker_of(fx)->why = what;
    longjmp(worker_of(fx)->no_memory, 1);
}

const struct effects_ops worker_ops = {.send = worker_send,
                                       .arm = worker_arm,
                                       .cancel = worker_cancel,
                                       .spawn = worker_spawn,
                                       .end = worker_end,
                                       .trace = worker_trace,
                                       .count = worker_count,
                                       .log = worker_log,
                                       .random = worker_random,
                                       .realloc = worker_realloc,
                                       .broken = worker_broken};
