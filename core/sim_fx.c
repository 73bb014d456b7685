/* sim_fx.c - actors of the virtual-time executor, their mail and timers, and the effects of a step.
 */
#include "core/sim_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void mix_text(struct sim *s, const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++) {
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    }
    sim_mix(s, h);
}

/* --- actors ---------------------------------------------------------------------------------- */

struct actor *sim_resolve(const struct sim *s, handle h)
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

static void make_runnable(struct sim *s, struct actor *a)
{
    if (a->run_index != NOBODY || a->parked) {
        return;
    }
    s->runnable = sim_grow(s->runnable, &s->room_runnable, s->n_runnable, sizeof *s->runnable);
    a->run_index = s->n_runnable;
    s->runnable[s->n_runnable++] = sim_slot_of(a->self);
}

void sim_make_idle(struct sim *s, struct actor *a)
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

static struct node *new_node(handle from, handle to, uint16_t type, size_t bytes)
{
    struct node *n = sim_need(calloc(1, sizeof *n + bytes));

    n->from = from;
    n->to = to;
    n->type = type;
    n->has_msg = bytes != 0;
    return n;
}

/* The message as the receiver will see it; through the codec when the test wants that. */
struct node *sim_copy(struct sim *s, handle from, handle to, uint16_t type, const void *msg)
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
    bytes = sim_need(malloc(d->bound(msg)));
    read = sim_need(malloc(d->size + 1u));
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

void sim_deliver(struct sim *s, struct node *n)
{
    const unsigned kind = handle_is_named(n->to) ? handle_kind(n->to) : KIND_ENDPOINT_MAX + 1;
    struct actor *a;

    if (kind <= KIND_ENDPOINT_MAX) {
        sim_mix(s, (uint64_t)n->type << 8 | kind);
        if (s->deliver[kind] != NULL) {
            s->deliver[kind](s->deliver_ctx[kind], n->to, n->from, n->type, n->block);
        } else {
            metric_add(s->counters, "bus_no_receiver_total", NULL, 0, 1);
        }
        free(n);
        return;
    }
    a = sim_resolve(s, n->to);
    if (a == NULL || a->parked) {
        metric_add(s->counters, "bus_no_receiver_total", NULL, 0, 1);
        free(n);
        return;
    }
    append(&a->mail, n);
    s->queued++;
    make_runnable(s, a);
}

handle sim_create(struct sim *s, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                  const void *arg)
{
    struct actor *a = sim_need(calloc(1, sizeof *a));
    struct slot *slot;
    struct node *first;
    uint32_t index;

    if (s->free_slot != 0) {
        index = s->free_slot - 1;
        s->free_slot = s->slots[index].next_free;
    } else {
        s->slots = sim_grow(s->slots, &s->room_slots, s->n_slots, sizeof *s->slots);
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
    a->state = sim_need(calloc(1, type->state_size + 1));
    slot->actor = a;
    s->living++;
    first = arg != NULL ? sim_copy(s, HANDLE_NONE, a->self, arg_type, arg)
                        : new_node(HANDLE_NONE, a->self, EV_START, 0);
    first->type = EV_START;
    sim_deliver(s, first);
    return a->self;
}

/* --- timers ---------------------------------------------------------------------------------- */

void sim_unlink_timer(struct sim *s, uint32_t index)
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
        s->timers = sim_grow(s->timers, &s->room_timers, s->n_timers, sizeof *s->timers);
        index = s->n_timers++;
        s->timers[index].gen = 0;
    }
    t = &s->timers[index];
    t->gen++;
    t->slot = sim_slot_of(a->self);
    t->prev = 0;
    t->next = a->timers;
    t->kind = kind;
    t->key = key;
    if (a->timers != 0) {
        s->timers[a->timers - 1].prev = index + 1;
    }
    a->timers = index + 1;
    s->armed++;
    sim_later(s, (struct later){.due = sim_time_in(s, delay_us),
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
        s->timers[index].slot == sim_slot_of(s->running->self)) {
        sim_unlink_timer(s, index);
    }
}

void sim_timer_fired(struct sim *s, const struct later *item)
{
    const struct timer *t = &s->timers[item->timer];
    struct node *n;

    n = new_node(HANDLE_NONE, s->slots[t->slot].actor->self, EV_TIMER, 0);
    n->timer = item->timer + 1;
    n->timer_gen = item->timer_gen;
    n->timer_kind = t->kind;
    n->timer_key = t->key;
    sim_deliver(s, n);
}

/* --- the other effects ----------------------------------------------------------------------- */

static void sim_send(struct effects *fx, handle to, uint16_t type, const void *msg)
{
    struct sim *s = (struct sim *)fx;

    if (handle_is_named(to) && handle_kind(to) > KIND_ENDPOINT_MAX) {
        to = names_get(s->names, to); /* who has the name now, not when the mail is handed over */
    }
    append(&s->outbox, sim_copy(s, sim_shown_as(s->running), to, type, msg));
}

static void sim_fx_spawn(struct effects *fx, const struct actor_type *type, uint64_t id,
                         uint16_t arg_type, const void *arg)
{
    (void)sim_create((struct sim *)fx, type, id, arg_type, arg);
}

static void sim_end(struct effects *fx)
{
    ((struct sim *)fx)->ending = true;
}

static void sim_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    struct sim *s = (struct sim *)fx;

    mix_text(s, what);
    sim_mix(s, a);
    sim_mix(s, b);
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
        s->why = "no memory";
        longjmp(s->no_memory, 1);
    }
    p = realloc(ptr, size);
    return sim_need(p);
}

static void sim_broken(struct effects *fx, const char *what)
{
    struct sim *s = (struct sim *)fx;

    s->why = what;
    longjmp(s->no_memory, 1);
}

const struct effects_ops sim_ops = {.send = sim_send,
                                    .arm = sim_arm,
                                    .cancel = sim_cancel,
                                    .spawn = sim_fx_spawn,
                                    .end = sim_end,
                                    .trace = sim_trace,
                                    .count = sim_count,
                                    .log = sim_log,
                                    .random = sim_fx_random,
                                    .realloc = sim_realloc,
                                    .broken = sim_broken};
