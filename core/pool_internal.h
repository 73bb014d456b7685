/*
 * pool_internal.h - what the files of the pool share: pool.c (open, start, stop), worker.c (the
 * loop, mail, runs), worker_fx.c (effects), move.c (stealing), endpoint.c. Nobody else includes it.
 *
 * Who may touch what:
 *   actor, its mail, its timers   the worker that is its home; while it moves, see move.c
 *   slot.where                    written by the home (end) and the thief (move), read by anybody
 *   worker                        its own thread, but for the atomics and `offered` (thieves pop)
 */
#ifndef CORE_POOL_INTERNAL_H
#define CORE_POOL_INTERNAL_H

#include "core/bus.h"
#include "core/effects.h"
#include "core/metric.h"
#include "core/names.h"
#include "core/pool.h"
#include "core/ring.h"
#include "core/rng.h"
#include "core/wheel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#define BLOCK_UNIT 64u     /* bytes; blocks are multiples of it */
#define BLOCK_CLASSES 16u  /* larger ones come from malloc */
#define BAGS_A_ROUND 8u    /* a worker takes before it runs its queue */
#define IN_PLACE_MAX 512u  /* steps straight from bags before it runs its queue */
#define QUANTUM 64u        /* messages an actor takes in one turn */
#define OFFER_MAX 16u      /* actors offered to thieves at a time */
#define NO_HOME UINT32_MAX /* in slot.where: nobody lives here */
#define SLOTS_PER_CHUNK 4096u
#define SLOT_CHUNKS 4096u
#define MUTE_BACKLOG 16u /* bags: a worker that is so far ahead of another stops running actors */
#define SHED_BACKLOG 8u  /* bags: from here on DROP and LATEST messages give way */
#define DEFAULT_MAILBOX 1024u

/* The runtime's own records. `to` is the actor that moves, `from` tells who: see move.c. */
enum { CONTROL_FENCE = 8, CONTROL_ACK = 9 };

/* One message in a mailbox, its struct and texts behind it; or the part of a timer that waits
 * there. */
struct node {
    struct node *next;
    handle from;
    uint16_t type;
    uint16_t units; /* of the block it lies in, see memory.c; 0: not from there */
    bool is_timer;
    bool is_void; /* a newer one came (LATEST), or a timer was cancelled */
    bool has_msg;
};
_Static_assert(sizeof(struct node) % 8 == 0, "what follows a node is aligned");

static inline void *node_block(struct node *n)
{
    return n + 1;
}

enum timer_state { TIMER_FREE, TIMER_ARMED, TIMER_QUEUED };

struct timer {
    struct wheel_entry entry;  /* first */
    struct timer *prev, *next; /* of the same actor */
    /* atomic because a stale reference may look at a block that another worker uses now */
    _Atomic(struct actor *) actor;
    _Atomic uint16_t gen; /* odd while somebody's */
    uint64_t key;
    uint16_t kind;
    uint8_t state;
    struct node node;
};

struct actor {
    const struct actor_type *type;
    handle self;
    handle name; /* HANDLE_NONE: has none */
    struct node *mail, **mail_end;
    struct actor *run_next;
    struct timer *timers;
    struct rng rng;
    uint32_t mail_count;
    bool scheduled; /* in a run queue, offered, running or moving */
    bool parked;    /* memory failed in a step: takes no more mail */
    _Alignas(16) unsigned char state[];
};

/* What others, and the actor itself, are told it is: its name if it has one (actor.h). */
static inline handle actor_shown_as(const struct actor *a)
{
    return a->name != HANDLE_NONE ? a->name : a->self;
}

struct move;

struct slot {
    _Atomic uint64_t where; /* generation << 32 | home; NO_HOME when empty */
    struct actor *actor;    /* for the home to read */
};

/* A LATEST message that waits behind a backlog: where, so that a newer one can make it void. */
struct latest {
    handle to, from;
    uint16_t type;
    struct link_place place;
};
#define LATEST_SLOTS 512u

/* A link of a worker or an endpoint with what belongs to it. */
struct way {
    struct link *link; /* NULL: none */
    struct latest *latest;
    bool dirty; /* something is in its open bag */
};

struct trace_line {
    _Atomic int64_t now_us;
    _Atomic handle actor;
    _Atomic(const char *) what;
    _Atomic uint64_t a, b;
};
#define TRACE_LINES 2048u

/* Everything a thread needs to send: a worker has one, an endpoint has one. */
struct sender {
    struct pool *pool;
    struct station *station;
    struct way to_worker[POOL_MAX_WORKERS];
    struct way to_endpoint[KIND_ENDPOINT_MAX + 1]; /* workers only */
    struct way *dirty[POOL_MAX_WORKERS + KIND_ENDPOINT_MAX + 1];
    unsigned n_dirty;
    struct metric_set *metrics; /* NULL: nothing is kept */
    _Atomic uint64_t dead_letters, shed, bags, records;
};

struct fence; /* move.c */

struct worker {
    struct effects fx; /* first */
    struct sender out;
    unsigned index;
    pthread_t thread;
    bool started;

    int64_t now_us, wall_ms, wall_read_us;
    int64_t spin_us; /* see spin_budget() */
    unsigned spins_left_out;
    unsigned since_clock;  /* steps since the clock was read */
    unsigned clock_rounds; /* rounds since then */
    unsigned in_place;     /* steps straight from bags in this round */

    struct actor *run_head, **run_end;
    size_t run_count;
    struct ring *offered; /* actors that thieves may take */
    int64_t last_pass_us;

    struct bag bag; /* being read, when has_bag */
    const uint8_t *bag_at;
    bool has_bag;
    unsigned pass_left; /* actors to run in this pass */

    struct actor *running;
    struct node *in_hand; /* whose message it is; freed by the loop when the step does not return */
    bool ending;
    jmp_buf no_memory; /* out of a step that cannot go on */
    const char *why;   /* it cannot */
    void *scratch;     /* one unpacked message */

    struct wheel wheel;
    struct timer *free_timers;
    void *free_blocks[BLOCK_CLASSES];
    void *slabs; /* all of them, chained by their first word */
    unsigned n_slabs;
    unsigned char *slab_at, *slab_end;
    uint32_t *free_slots;
    unsigned n_free_slots, room_free_slots;

    struct move *moves;   /* actors on their way here */
    struct fence *fences; /* actors on their way out, waiting for bags to arrive */
    uint64_t steal_turn;

    /* serve.c */
    _Alignas(64) _Atomic uint32_t go; /* what the own thread sleeps on */
    _Atomic int64_t sleeps_until_us;  /* how long it means to sleep; 0: it does not */
    _Atomic int64_t due_us;           /* the nearest timer, when the worker was left last */

    /* read by others, a little old */
    _Alignas(64) _Atomic uint64_t steps, steals, parks, forwarded, over_limit, spawned, ended;
    struct trace_line *trace;
    _Atomic uint64_t trace_at;
};

struct endpoint {
    struct sender out;
    unsigned kind;
    void (*wake)(void *ctx);
    void *ctx;
    struct bag bag; /* being read */
    const uint8_t *at;
    bool has_bag;
    bool put_back; /* the record at `at` once more */
    bool closed;
    void *scratch;
};

struct pool {
    struct pool_config config;
    struct bus *bus;
    struct names *names;
    unsigned n_workers;
    struct worker **workers;
    struct endpoint *endpoints[KIND_ENDPOINT_MAX + 1];
    _Atomic(struct slot *) chunks[SLOT_CHUNKS];
    pthread_mutex_t chunk_lock; /* of growing the table; a leaf */
    _Atomic uint32_t next_slot;
    _Atomic uint64_t born;
    _Atomic unsigned hungry; /* workers that look for something to run */
    _Atomic bool stop;
    bool started;
    size_t scratch_bytes;
};

/* --- pool.c ---------------------------------------------------------------------------------- */

static inline uint32_t slot_index(handle actor)
{
    return (uint32_t)actor - 1;
}

/* The slot of an actor's handle, NULL when there never was such a one. */
struct slot *pool_slot(struct pool *pool, handle actor);
/* Where it lives now: a worker, or NO_HOME. */
uint32_t pool_home(struct pool *pool, handle actor, struct slot **slot);
_Noreturn void out_of_memory(const char *who);

/* One writer: a relaxed load and store is an increment. */
static inline void bump(_Atomic uint64_t *at, uint64_t add)
{
    atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + add,
                          memory_order_relaxed);
}

/* --- send.c ---------------------------------------------------------------------------------- */

/* Put a message, or a record that is passed on, into the open bag of a way. */
int way_send(struct sender *s, struct way *w, handle to, handle from,
             const struct message_desc *desc, const void *msg);
void way_forward(struct sender *s, struct way *w, handle to, handle from, unsigned type,
                 const uint8_t *map, size_t len);
void sender_flush(struct sender *s);
void sender_retry(struct sender *s);
void sender_close(struct sender *s);
void dead_letter(struct sender *s, handle to, unsigned type);

/* --- worker.c -------------------------------------------------------------------------------- */

bool worker_round(struct worker *w); /* true: there was something to do. For its owner */
void worker_no_memory(struct worker *w);
/* For the home worker: into the mailbox. The node is the mailbox's from now on. */
void mail_put(struct worker *w, struct actor *a, struct node *n);
void actor_schedule(struct worker *w, struct actor *a);
struct actor *actor_next(struct worker *w); /* the first in the run queue, or NULL */
void actor_append(struct actor *a, struct node *n);
/* The message at home: copied into a node. */
struct node *node_copy(struct worker *w, const struct message_desc *desc, handle from,
                       const void *msg);
/* A record for an actor, at any worker. */
void worker_record(struct worker *w, handle to, handle from, unsigned type, const uint8_t *map,
                   size_t len);
void timer_due(void *worker, struct wheel_entry *entry);
void clock_read(struct worker *w);

/* --- serve.c ---- */

void *worker_main(void *arg);
void worker_serve(void *worker);
void worker_wake(void *worker);
void worker_stop(struct worker *w);

/* --- memory.c: blocks and slots, of one worker ----------------------------------------------- */

void *block_alloc(struct worker *w, size_t bytes); /* never NULL; not cleared */
void block_free(struct worker *w, void *p, size_t bytes);
struct node *node_alloc(struct worker *w, size_t block_bytes); /* header filled in with nothing */
void node_free(struct worker *w, struct node *n);
struct timer *timer_alloc(struct worker *w);
void timer_free(struct worker *w, struct timer *t);
uint32_t slot_alloc(struct worker *w);
void slot_free(struct worker *w, uint32_t index);
void memory_close(struct worker *w);

/* --- worker_fx.c ----------------------------------------------------------------------------- */

extern const struct effects_ops worker_ops;
handle actor_create(struct worker *w, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                    const void *arg);
void actor_end(struct worker *w, struct actor *a);
void actor_park(struct worker *w, struct actor *a);
void timer_drop(struct worker *w, struct timer *t); /* out of the wheel and the actor's list */

/* --- move.c ---------------------------------------------------------------------------------- */

bool steal_one(struct worker *w, bool forced);
void offer_surplus(struct worker *w, bool forced);
void offer_take_back(struct worker *w);
struct move *move_find(const struct worker *w, handle actor);
void move_hold(struct move *m, struct node *n, bool forwarded);
void move_control(struct worker *w, unsigned type, handle actor, uint64_t who);
bool fences_check(struct worker *w);           /* true: nothing has changed */
uint64_t fences_await(const struct worker *w); /* ways they wait for: to_worker, then to_endpoint */
void move_close(struct worker *w);

#endif
