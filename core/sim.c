/*
 * sim.c - the virtual-time executor.
 *
 * One heap holds everything that happens later (timers, posted messages, model callbacks), ordered
 * by (deadline, sequence number). Cancelled timers stay in it and are skipped when they come up.
 * What a step sends waits in the outbox until the step has returned.
 */
#include "core/sim.h"

#include "core/effects.h"
#include "core/metric.h"
#include "core/names.h"
#include "core/rng.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

/* One message, or one timer that ran out, on its way to or in a mailbox. */
struct node {
    struct node *next;
    handle to;
    handle from;
    uint16_t type;
    uint16_t timer_kind;
    uint32_t timer;     /* index + 1 in sim->timers; 0: a message */
    uint32_t timer_gen; /* of that timer when it ran out */
    bool has_msg;
    uint64_t timer_key;
    uint64_t block[]; /* the struct and its texts */
};

struct queue {
    struct node *head, *tail;
};

struct timer {
    uint32_t gen; /* odd while armed or fired and not yet taken */
    uint32_t slot;
    uint32_t prev, next; /* of the same actor; index + 1 */
    uint16_t kind;
    uint64_t key;
};

struct actor {
    const struct actor_type *type;
    handle self;
    handle name;
    uint64_t born; /* creation number: what the hash and the generator know it by */
    struct rng rng;
    struct queue mail;
    uint32_t run_index; /* in sim->runnable, NOBODY when not there */
    uint32_t timers;    /* index + 1 of the first */
    bool parked;
    void *state;
};

struct slot {
    struct actor *actor;
    uint32_t generation;
    uint32_t next_free; /* slot + 1 */
};

enum later_kind { LATER_TIMER, LATER_POST, LATER_CALL };

struct later {
    int64_t due;
    uint64_t seq;
    enum later_kind kind;
    uint32_t timer, timer_gen;
    struct node *node;
    void (*fn)(void *ctx, uint64_t arg);
    void *ctx;
    uint64_t arg;
};

struct sim {
    struct effects fx; /* first: fx_*() hand it back */
    struct sim_config config;
    int64_t now_us;
    int64_t wall_offset_ms;
    uint64_t seq;
    uint64_t born;
    uint64_t hash;
    uint64_t steps;
    struct rng choice;
    struct rng streams[64];
    struct names *names;
    struct metrics *metrics;
    struct metric_set *counters;

    struct slot *slots;
    uint32_t n_slots, room_slots, free_slot; /* free_slot: slot + 1 */
    size_t living, parked, queued;
    uint32_t *runnable;
    uint32_t n_runnable, room_runnable;
    struct timer *timers;
    uint32_t n_timers, room_timers, free_timer; /* free_timer: index + 1, chained by next */
    size_t armed;
    struct later *heap;
    size_t n_heap, room_heap;

    endpoint_handler deliver[KIND_ENDPOINT_MAX + 1];
    void *deliver_ctx[KIND_ENDPOINT_MAX + 1];
    bool (*hook)(void *ctx, handle actor, const struct event *ev);
    void *hook_ctx;
    uint64_t logged[4];

    struct actor *running; /* whose step it is */
    bool ending;
    struct queue outbox;
    jmp_buf no_memory;
    uint64_t fail_alloc;
};

static void *need(void *p)
{
    if (p == NULL) {
        abort(); /* a simulation without memory proves nothing */
    }
    return p;
}

static void *grow(void *at, uint32_t *room, uint32_t used, size_t size)
{
    if (used < *room) {
        return at;
    }
    *room = *room != 0 ? *room * 2 : 64;
    return need(realloc(at, *room * size));
}

/* --- the trace hash ------------------------------------------------------------------------------
 */

static void mix(struct sim *s, uint64_t word)
{
    s->hash = rng_mix(s->hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
}

static void mix_text(struct sim *s, const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    mix(s, h);
}

/* --- what happens later
 * --------------------------------------------------------------------------- */

static bool earlier(const struct later *a, const struct later *b)
{
    return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void heap_push(struct sim *s, struct later item)
{
    size_t i = s->n_heap;

    if (i == s->room_heap) {
        s->room_heap = s->room_heap != 0 ? s->room_heap * 2 : 256;
        s->heap = need(realloc(s->heap, s->room_heap * sizeof *s->heap));
    }
    s->n_heap++;
    item.seq = s->seq++;
    while (i != 0 && earlier(&item, &s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = item;
}

static struct later heap_pop(struct sim *s)
{
    const struct later top = s->heap[0];
    const struct later last = s->heap[--s->n_heap];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->n_heap) {
            break;
        }
        if (child + 1 < s->n_heap && earlier(&s->heap[child + 1], &s->heap[child])) {
            child++;
        }
        if (!earlier(&s->heap[child], &last)) {
            break;
        }
        s->heap[i] = s->heap[child];
        i = child;
    }
    if (s->n_heap != 0) {
        s->heap[i] = last;
    }
    return top;
}

static int64_t later_than(const struct sim *s, int64_t delay_us)
{
    return s->now_us + (delay_us > 0 ? delay_us : 0);
}

/* --- actors -------------------------------------------------------------------------------------
 */

static struct actor *resolve(const struct sim *s, handle h)
{
    uint32_t slot;

    if (handle_is_named(h)) {
        h = names_get(s->names, h);
    }
    slot = (uint32_t)h - 1;
    if (h == HANDLE_NONE || slot >= s->n_slots || s->slots[slot].generation != h >> 32) {
        return NULL;
    }
    return s->slots[slot].actor;
}

/* What others, and the actor itself, are told it is: its name if it has one (actor.h). */
static handle shown_as(const struct actor *a)
{
    return a->name != HANDLE_NONE ? a->name : a->self;
}

static uint32_t slot_of(handle h)
{
    return (uint32_t)h - 1;
}

static void make_runnable(struct sim *s, struct actor *a)
{
    if (a->run_index != NOBODY || a->parked) {
        return;
    }
    s->runnable = grow(s->runnable, &s->room_runnable, s->n_runnable, sizeof *s->runnable);
    a->run_index = s->n_runnable;
    s->runnable[s->n_runnable++] = slot_of(a->self);
}

static void make_idle(struct sim *s, struct actor *a)
{
    uint32_t moved;

    if (a->run_index == NOBODY) {
        return;
    }
    moved = s->runnable[--s->n_runnable];
    s->runnable[a->run_index] = moved;
    s->slots[moved].actor->run_index = a->run_index;
    a->run_index = NOBODY;
}

static void append(struct queue *q, struct node *n)
{
    n->next = NULL;
    if (q->tail != NULL) {
        q->tail->next = n;
    } else {
        q->head = n;
    }
    q->tail = n;
}

static struct node *take(struct queue *q)
{
    struct node *n = q->head;

    if (n != NULL) {
        q->head = n->next;
        if (q->head == NULL) {
            q->tail = NULL;
        }
    }
    return n;
}

static struct node *new_node(handle from, handle to, uint16_t type, size_t bytes)
{
    struct node *n = need(calloc(1, sizeof *n + bytes));

    n->from = from;
    n->to = to;
    n->type = type;
    n->has_msg = bytes != 0;
    return n;
}

/* The message as the receiver will see it; through the codec when the test wants that. */
static struct node *copy_message(struct sim *s, handle from, handle to, uint16_t type,
                                 const void *msg)
{
    const struct message_desc *d = message_find(s->config.catalogue, type);
    struct node *n;
    uint8_t *bytes;
    void *read;
    char why[200] = "";
    size_t len;

    if (d == NULL) {
        (void)fprintf(stderr, "sim: message type %u is not in the catalogue\n", type);
        abort();
    }
    n = new_node(from, to, type, message_bytes(d, msg) + 1);
    if (!s->config.codec) {
        message_copy(d, msg, n->block);
        return n;
    }
    bytes = need(malloc(d->bound(msg)));
    read = need(malloc(d->size + 1u));
    len = message_pack(d, msg, bytes, d->bound(msg));
    if (message_unpack(d, bytes, len, read, why, sizeof why) != 0) {
        (void)fprintf(stderr, "sim: %s does not survive the codec: %s\n", d->name, why);
        abort();
    }
    message_copy(d, read, n->block);
    free(read);
    free(bytes);
    return n;
}

static void deliver(struct sim *s, struct node *n)
{
    const unsigned kind = handle_is_named(n->to) ? handle_kind(n->to) : KIND_ENDPOINT_MAX + 1;
    struct actor *a;

    if (kind <= KIND_ENDPOINT_MAX) {
        mix(s, (uint64_t)n->type << 8 | kind);
        if (s->deliver[kind] != NULL) {
            s->deliver[kind](s->deliver_ctx[kind], n->to, n->from, n->type, n->block);
        } else {
            metric_add(s->counters, "bus_no_receiver_total", NULL, 0, 1);
        }
        free(n);
        return;
    }
    a = resolve(s, n->to);
    if (a == NULL || a->parked) {
        metric_add(s->counters, "bus_no_receiver_total", NULL, 0, 1);
        free(n);
        return;
    }
    append(&a->mail, n);
    s->queued++;
    make_runnable(s, a);
}

static handle create(struct sim *s, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                     const void *arg)
{
    struct actor *a = need(calloc(1, sizeof *a));
    struct slot *slot;
    struct node *first;
    uint32_t index;

    if (s->free_slot != 0) {
        index = s->free_slot - 1;
        s->free_slot = s->slots[index].next_free;
    } else {
        s->slots = grow(s->slots, &s->room_slots, s->n_slots, sizeof *s->slots);
        index = s->n_slots++;
        s->slots[index] = (struct slot){0};
    }
    slot = &s->slots[index];
    slot->generation = (slot->generation + 1) & 0x7fffffffu;
    a->self = (handle)slot->generation << 32 | (index + 1);
    a->type = type;
    a->run_index = NOBODY;
    if (type->kind != 0) {
        a->name = named(type->kind, id);
        if (names_put(s->names, a->name, a->self) != 0) {
            metric_add(s->counters, "spawn_name_taken_total", type->name, 0, 1);
            slot->next_free = s->free_slot;
            s->free_slot = index + 1;
            free(a);
            return HANDLE_NONE;
        }
    }
    a->born = s->born++;
    a->rng = rng_stream(s->config.seed, a->born + 1000);
    a->state = need(calloc(1, type->state_size + 1));
    slot->actor = a;
    s->living++;
    first = arg != NULL ? copy_message(s, HANDLE_NONE, a->self, arg_type, arg)
                        : new_node(HANDLE_NONE, a->self, EV_START, 0);
    first->type = EV_START;
    deliver(s, first);
    return a->self;
}

/* --- timers --------------------------------------------------------------------------------------
 */

static void unlink_timer(struct sim *s, uint32_t index)
{
    struct timer *t = &s->timers[index];

    if (t->prev != 0) {
        s->timers[t->prev - 1].next = t->next;
    } else {
        s->slots[t->slot].actor->timers = t->next;
    }
    if (t->next != 0) {
        s->timers[t->next - 1].prev = t->prev;
    }
    t->gen++;
    t->next = s->free_timer;
    s->free_timer = index + 1;
    s->armed--;
}

static timer_ref sim_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key)
{
    struct sim *s = (struct sim *)fx;
    struct actor *a = s->running;
    struct timer *t;
    uint32_t index;

    if (s->free_timer != 0) {
        index = s->free_timer - 1;
        s->free_timer = s->timers[index].next;
    } else {
        s->timers = grow(s->timers, &s->room_timers, s->n_timers, sizeof *s->timers);
        index = s->n_timers++;
        s->timers[index].gen = 0;
    }
    t = &s->timers[index];
    t->gen++;
    t->slot = slot_of(a->self);
    t->prev = 0;
    t->next = a->timers;
    t->kind = kind;
    t->key = key;
    if (a->timers != 0) {
        s->timers[a->timers - 1].prev = index + 1;
    }
    a->timers = index + 1;
    s->armed++;
    heap_push(s, (struct later){.due = later_than(s, delay_us),
                                .kind = LATER_TIMER,
                                .timer = index,
                                .timer_gen = t->gen});
    return (timer_ref)t->gen << 32 | (index + 1);
}

static void sim_cancel(struct effects *fx, timer_ref ref)
{
    struct sim *s = (struct sim *)fx;
    const uint32_t index = (uint32_t)ref - 1;

    if (index < s->n_timers && s->timers[index].gen == ref >> 32 &&
        s->timers[index].slot == slot_of(s->running->self)) {
        unlink_timer(s, index);
    }
}

static void timer_fired(struct sim *s, const struct later *item)
{
    const struct timer *t = &s->timers[item->timer];
    struct node *n;

    n = new_node(HANDLE_NONE, s->slots[t->slot].actor->self, EV_TIMER, 0);
    n->timer = item->timer + 1;
    n->timer_gen = item->timer_gen;
    n->timer_kind = t->kind;
    n->timer_key = t->key;
    deliver(s, n);
}

/* --- the other effects
 * ----------------------------------------------------------------------------- */

static void sim_send(struct effects *fx, handle to, uint16_t type, const void *msg)
{
    struct sim *s = (struct sim *)fx;

    if (handle_is_named(to) && handle_kind(to) > KIND_ENDPOINT_MAX) {
        to = names_get(s->names, to); /* who has the name now, not when the mail is handed over */
    }
    append(&s->outbox, copy_message(s, shown_as(s->running), to, type, msg));
}

static void sim_fx_spawn(struct effects *fx, const struct actor_type *type, uint64_t id,
                         uint16_t arg_type, const void *arg)
{
    (void)create((struct sim *)fx, type, id, arg_type, arg);
}

static void sim_end(struct effects *fx)
{
    ((struct sim *)fx)->ending = true;
}

static void sim_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    struct sim *s = (struct sim *)fx;

    mix_text(s, what);
    mix(s, a);
    mix(s, b);
}

static void sim_count(struct effects *fx, const char *name, const char *label, uint64_t id,
                      int64_t add)
{
    metric_add(((struct sim *)fx)->counters, name, label, id, add);
}

static void sim_log(struct effects *fx, int level, const char *code, const char *text, int64_t a,
                    int64_t b, int64_t c)
{
    struct sim *s = (struct sim *)fx;
    const int64_t numbers[3] = {a, b, c};
    char line[512];

    s->logged[level < 0 ? 0 : level > 3 ? 3 : level]++;
    if (s->config.log != NULL) {
        (void)effects_format(line, sizeof line, text, numbers);
        (void)fprintf(s->config.log, "%" PRId64 ".%06" PRId64 " %d %s %s: %s\n",
                      s->now_us / US_PER_S, s->now_us % US_PER_S, level, code,
                      s->running->type->name, line);
    }
}

static uint64_t sim_fx_random(struct effects *fx)
{
    return rng_next(&((struct sim *)fx)->running->rng);
}

static void *sim_realloc(struct effects *fx, void *ptr, size_t size)
{
    struct sim *s = (struct sim *)fx;
    void *p;

    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (s->fail_alloc != 0 && --s->fail_alloc == 0) {
        longjmp(s->no_memory, 1);
    }
    p = realloc(ptr, size);
    return need(p);
}

static const struct effects_ops ops = {.send = sim_send,
                                       .arm = sim_arm,
                                       .cancel = sim_cancel,
                                       .spawn = sim_fx_spawn,
                                       .end = sim_end,
                                       .trace = sim_trace,
                                       .count = sim_count,
                                       .log = sim_log,
                                       .random = sim_fx_random,
                                       .realloc = sim_realloc};

/* --- steps
 * ---------------------------------------------------------------------------------------- */

static void drop_mail(struct sim *s, struct actor *a)
{
    struct node *n;

    while ((n = take(&a->mail)) != NULL) {
        s->queued--;
        free(n);
    }
}

static void end_actor(struct sim *s, struct actor *a)
{
    const uint32_t index = slot_of(a->self);

    make_idle(s, a);
    drop_mail(s, a);
    while (a->timers != 0) {
        unlink_timer(s, a->timers - 1);
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

static void park(struct sim *s, struct actor *a)
{
    metric_add(s->counters, "actor_parked_total", a->type->name, 0, 1);
    s->logged[3]++;
    s->parked++;
    make_idle(s, a);
    a->parked = true;
    drop_mail(s, a);
    while (a->timers != 0) {
        unlink_timer(s, a->timers - 1);
    }
}

void sim_kill(struct sim *sim, handle actor)
{
    struct actor *a = resolve(sim, actor);

    if (a != NULL) {
        end_actor(sim, a);
    }
}

/* Hands `n` to the actor; false when it was a timer that has been cancelled meanwhile. */
static bool step(struct sim *s, struct actor *a, struct node *n, struct event *ev)
{
    *ev = (struct event){.type = n->type,
                         .self = shown_as(a),
                         .from = n->from,
                         .now_us = s->now_us,
                         .wall_ms = sim_wall_ms(s),
                         .msg = n->has_msg ? n->block : NULL};
    if (n->timer != 0) {
        if (s->timers[n->timer - 1].gen != n->timer_gen) {
            return false;
        }
        unlink_timer(s, n->timer - 1);
        ev->timer_kind = n->timer_kind;
        ev->timer_key = n->timer_key;
    }
    s->steps++;
    mix(s, (uint64_t)s->now_us);
    mix(s, a->born << 16 | n->type);
    mix(s, (uint64_t)n->timer_kind << 32 ^ n->timer_key);
    s->running = a;
    s->ending = false;
    if (setjmp(s->no_memory) == 0) {
        a->type->step(a->state, ev, &s->fx);
    } else {
        park(s, a);
    }
    return true;
}

/* One event of one runnable actor. Returns true when the hook wants the run to stop. */
static bool run_one(struct sim *s)
{
    struct actor *a = s->slots[s->runnable[rng_below(&s->choice, s->n_runnable)]].actor;
    struct node *n = take(&a->mail);
    struct node *out;
    struct event ev;
    bool stop = false;

    s->queued--;
    if (a->mail.head == NULL) {
        make_idle(s, a);
    }
    if (step(s, a, n, &ev)) {
        while ((out = take(&s->outbox)) != NULL) {
            deliver(s, out);
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
        timer_fired(s, item);
        break;
    case LATER_POST:
        deliver(s, item->node);
        break;
    case LATER_CALL:
        item->fn(item->ctx, item->arg);
        break;
    }
}

/* Runs up to `until`; leaves the clock at the last thing that happened. */
static int run(struct sim *s, int64_t until)
{
    for (;;) {
        while (s->n_heap != 0 && is_stale(s, &s->heap[0])) {
            (void)heap_pop(s);
        }
        if (s->n_heap != 0 && s->heap[0].due <= (s->n_runnable != 0 ? s->now_us : until)) {
            const struct later item = heap_pop(s);
            s->now_us = item.due > s->now_us ? item.due : s->now_us;
            happen(s, &item);
        } else if (s->n_runnable != 0) {
            if (run_one(s) || (s->config.max_steps != 0 && s->steps >= s->config.max_steps)) {
                return -1;
            }
        } else {
            return 0;
        }
    }
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

/* --- the rest of the interface
 * ----------------------------------------------------------------------- */

struct sim *sim_open(const struct sim_config *config)
{
    struct sim *s = need(calloc(1, sizeof *s));

    s->fx.ops = &ops;
    s->config = *config;
    s->choice = rng_stream(config->seed, 0);
    for (unsigned i = 0; i < 64; i++) {
        s->streams[i] = rng_stream(config->seed, 1 + i);
    }
    s->names = need(names_open());
    s->metrics = need(metrics_open());
    s->counters = need(metrics_set(s->metrics));
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
    return create(sim, type, id, arg_type, arg);
}

void sim_post(struct sim *sim, int64_t delay_us, handle from, handle to, uint16_t type,
              const void *msg)
{
    heap_push(sim, (struct later){.due = later_than(sim, delay_us),
                                  .kind = LATER_POST,
                                  .node = copy_message(sim, from, to, type, msg)});
}

void sim_at(struct sim *sim, int64_t delay_us, void (*fn)(void *ctx, uint64_t arg), void *ctx,
            uint64_t arg)
{
    heap_push(sim, (struct later){.due = later_than(sim, delay_us),
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
    const struct actor *a = resolve(sim, actor);

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

uint64_t sim_logged(const struct sim *sim, int level)
{
    uint64_t n = 0;

    for (int i = level < 0 ? 0 : level; i < 4; i++) {
        n += sim->logged[i];
    }
    return n;
}

void sim_fail_alloc(struct sim *sim, uint64_t nth)
{
    sim->fail_alloc = nth;
}

size_t sim_parked(const struct sim *sim)
{
    return sim->parked;
}
