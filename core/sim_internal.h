/*
 * sim_internal.h - what the two files of the virtual-time executor share: sim.c (what happens when,
 * steps, the interface) and sim_fx.c (actors, mail, timers: what a step asks for). Nobody else
 * includes it.
 */
#ifndef CORE_SIM_INTERNAL_H
#define CORE_SIM_INTERNAL_H

#include "core/effects.h"
#include "core/metric.h"
#include "core/names.h"
#include "core/rng.h"
#include "core/sim.h"

#include <setjmp.h>

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

#define SIM_WAYS 4096u

struct sim {
    struct effects fx; /* first: fx_*() hand it back */
    struct sim_config config;
    int64_t now_us;
    int64_t wall_offset_ms;
    int64_t frozen_until_us;
    bool stop;
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

    struct actor *running; /* whose step it is */
    bool ending;
    struct queue outbox;
    struct rng jitter;
    int64_t way_due[SIM_WAYS]; /* with jitter: when the last of a way arrives; ways may share */
    jmp_buf no_memory;
    const char *why; /* a step was left */
    uint64_t fail_alloc;
};

/* What others, and the actor itself, are told it is: its name if it has one (actor.h). */
static inline handle sim_shown_as(const struct actor *a)
{
    return a->name != HANDLE_NONE ? a->name : a->self;
}

static inline uint32_t sim_slot_of(handle h)
{
    return (uint32_t)h - 1;
}

static inline struct node *sim_take(struct queue *q)
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

static inline int64_t sim_time_in(const struct sim *s, int64_t delay_us)
{
    return s->now_us + (delay_us > 0 ? delay_us : 0);
}

/* --- sim.c ----------------------------------------------------------------------------------- */

void *sim_need(void *p); /* aborts without memory: a simulation without it proves nothing */
void *sim_grow(void *at, uint32_t *room, uint32_t used, size_t size);
void sim_mix(struct sim *s, uint64_t word); /* into the trace hash */
void sim_later(struct sim *s, struct later item);

/* --- sim_fx.c -------------------------------------------------------------------------------- */

extern const struct effects_ops sim_ops;
struct actor *sim_resolve(const struct sim *s, handle h);
void sim_make_idle(struct sim *s, struct actor *a);
/* The message as the receiver will see it; through the codec when the test wants that. */
struct node *sim_copy(struct sim *s, handle from, handle to, uint16_t type, const void *msg);
void sim_deliver(struct sim *s, struct node *n);
handle sim_create(struct sim *s, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                  const void *arg);
void sim_unlink_timer(struct sim *s, uint32_t index);
void sim_timer_fired(struct sim *s, const struct later *item);

#endif
