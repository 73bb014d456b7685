/*
 * actor.h - what an actor is, and what it may do.
 *
 * An actor is one const descriptor and a private block of state. Its step function takes one event
 * (which carries the time) and answers with effects. A step does no I/O, takes no lock, reads no
 * clock, calls no library, never blocks and never fails: it decides. The executor carries the
 * effects out after the step has returned, in the order they were asked for.
 *
 * The same actors run on two executors: pool.h (worker threads) and sim.h (one thread, virtual
 * clock, seeded choice among runnable actors).
 */
#ifndef CORE_ACTOR_H
#define CORE_ACTOR_H

#include "core/types.h"

/* Message types below this are the runtime's own. Types of the contract start here (message.h). */
#define EV_START 1  /* first event of every actor; msg = the spawn argument (a message) or NULL */
#define EV_TIMER 2  /* a timer of this actor ran out: event.timer_kind, event.timer_key */
#define EV_PARKED 3 /* only in actor_type.parked */
#define EV_CONTRACT 16

struct event {
    uint16_t type;       /* EV_* or MSG_* (actors/messages.h) */
    uint16_t timer_kind; /* EV_TIMER: as armed */
    uint64_t timer_key;  /* EV_TIMER: as armed */
    handle self;         /* the actor that is stepping: named(kind, id) if it has a name */
    handle from;     /* who sent it (its name, if it has one); HANDLE_NONE for EV_START, EV_TIMER */
    int64_t now_us;  /* monotonic */
    int64_t wall_ms; /* UTC */
    const void *msg; /* struct msg_<type>, valid during the step only; texts in it likewise */
};

/* Opaque to actors: collects what the step asks for. Lives for one step. */
struct effects;

/* A running timer of this actor. 0 = none. A stale one (already fired) is harmless to cancel. */
typedef uint64_t timer_ref;

struct actor_type {
    const char *name;
    uint8_t kind;      /* the kind under which instances are named; 0 = they have no name */
    size_t state_size; /* zeroed before init */
    void (*step)(void *self, const struct event *ev, struct effects *fx);
    void (*fini)(void *self); /* frees what the state owns; may be NULL */
    /* The actor is parked: a step was left in the middle, for want of memory or because of a check
     * that did not hold (`why`). It takes no more mail, has no timers, and its name is free. Here
     * it can tell others, once; it must not trust its state, nor change it. May be NULL. */
    void (*parked)(void *self, const struct event *ev, const char *why, struct effects *fx);
};

/* --- effects: what a step may ask for -------------------------------------------------------- */

/* Send a message (struct msg_<type>) to an actor or an endpoint. The struct and its texts are
 * copied before the call returns. Order between any two actors is kept. */
void fx_send(struct effects *fx, handle to, uint16_t type, const void *msg);

/* Arm a timer `delay_us` from the event's now (negative counts as 0). It arrives as EV_TIMER with
 * kind and key. Several timers may share kind and key. */
timer_ref fx_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key);

/* Cancel a timer: after the call it will not arrive, even if it was due already. */
void fx_cancel(struct effects *fx, timer_ref ref);

/* Create an actor. It is named (type->kind, id) when the type has a kind; its EV_START carries
 * `arg` (a message of type `arg_type`, or 0 and NULL) as event.msg. It starts on the worker of its
 * maker. If the name is taken nothing is created and the event is counted. */
void fx_spawn(struct effects *fx, const struct actor_type *type, uint64_t id, uint16_t arg_type,
              const void *arg);

/* This actor ends after the step: its timers and its mail go with it. */
void fx_end(struct effects *fx);

/* One line of the decision trace: hashed by the virtual executor, kept in a ring by the pool.
 * `what` must be a string with static life. */
void fx_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b);

/* Add to a named counter (static string, Prometheus style: "dial_refused_total"). `label` is a
 * static string or NULL; `id` is the campaign, agent or trunk it belongs to, 0 for none. */
void fx_count(struct effects *fx, const char *name, const char *label, uint64_t id, int64_t add);

/* A log line: stable code (static string such as "DLR-GATE"), level 0 debug .. 3 error, text with
 * at most three numbers put in its %d places (no other format letters). */
void fx_log(struct effects *fx, int level, const char *code, const char *text, int64_t a, int64_t b,
            int64_t c);

/* A random number from the actor's own seeded generator (same seed, same numbers). */
uint64_t fx_random(struct effects *fx);

/* What a step takes for granted. If it does not hold the step does not go on, and this actor is
 * parked; all others go on. What was sent before it has been sent: check first. */
#define fx_check(fx, holds) ((holds) ? (void)0 : fx_broken((fx), #holds))
_Noreturn void fx_broken(struct effects *fx, const char *what); /* what: of static life */

/* Memory for the state's own tables: the executor's allocator, never NULL (a failed allocation
 * parks the actor with an alarm, the step does not return). realloc semantics: size 0 frees; fini,
 * which has no effects, frees with fx_realloc(NULL, ptr, 0). */
void *fx_realloc(struct effects *fx, void *ptr, size_t size);

#endif
