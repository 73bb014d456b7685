/*
 * fsm.h - state machines as tables.
 *
 * A machine is a const table of rows (state, event, guard, action, next state, timer). fsm_fire()
 * alone changes a state: it finds the first row that matches, moves the subject to the list of its
 * new state, clears the old state's timer, arms the new one's, traces, and then runs the action.
 * Counts by state are lengths of those lists; there is no other counter.
 *
 * Every (state, event) must have an answer: ROW, ANY, LATE (an expected straggler: counted) or
 * REJECT (somebody's mistake: counted and logged). fsm_check() proves it, proves that each state
 * can be reached, and that timeouts alone lead each state to an end (the silence test).
 */
#ifndef CORE_FSM_H
#define CORE_FSM_H

#include "core/actor.h"

#define FSM_TIMEOUT 0 /* event 0 of every machine: the timer of its state ran out */
#define FSM_STAY 0xff /* next state: no change; the state's timer keeps running */
#define FSM_NO_TIMER 0

/* What guards and actions see. `owner` is the actor's state, `subject` the struct that has the
 * machine in it, `arg` whatever the caller of fsm_fire passed on (often the message). */
struct fsm_ctx {
    void *owner;
    void *subject;
    const void *arg;
    const struct event *ev;
    struct effects *fx;
};

typedef bool (*fsm_guard)(const struct fsm_ctx *c);
typedef void (*fsm_action)(const struct fsm_ctx *c);

enum fsm_row_kind { FSM_ROW, FSM_ANY, FSM_LATE, FSM_REJECT };

struct fsm_row {
    uint8_t kind; /* enum fsm_row_kind */
    uint8_t from; /* FSM_ANY: ignored, matches every state that has no row of its own for `on` */
    uint8_t on;
    uint8_t to;    /* FSM_STAY or a state */
    uint8_t timer; /* id of the timer armed on entry, FSM_NO_TIMER: none; ignored with FSM_STAY */
    fsm_guard guard;
    const char *guard_name;
    fsm_action action;
    const char *action_name;
};

/* Rows are written with these, so that the DOT picture can name guard and action. */
#define ROW(from, on, guard, action, to, timer)                                                    \
    {                                                                                              \
        FSM_ROW, from, on, to, timer, guard, #guard, action, #action                               \
    }
#define ANY(on, guard, action, to, timer)                                                          \
    {                                                                                              \
        FSM_ANY, 0, on, to, timer, guard, #guard, action, #action                                  \
    }
#define LATE(from, on)                                                                             \
    {                                                                                              \
        FSM_LATE, from, on, FSM_STAY, 0, 0, "", 0, ""                                              \
    }
#define REJECT(from, on)                                                                           \
    {                                                                                              \
        FSM_REJECT, from, on, FSM_STAY, 0, 0, "", 0, ""                                            \
    }

struct fsm_timer {
    const char *name;
    int64_t default_us; /* used when duration() is NULL or answers < 0 */
    const char *sentence;
};

struct fsm_def {
    const char *name;
    const char *const *states;
    uint8_t n_states;
    const char *const *events; /* events[0] is "timeout" */
    uint8_t n_events;
    const struct fsm_row *rows;
    uint16_t n_rows;
    const struct fsm_timer *timers; /* index 0 unused */
    uint8_t n_timers;
    uint8_t initial;
    uint8_t initial_timer; /* armed by fsm_init; needed unless the initial state is an end */
    uint32_t ends;         /* bit mask of end states; a resting state (such as offline) counts */
    uint16_t timer_kind;   /* EV_TIMER kind this machine's timers carry */
    /* how long timer `id` runs for this subject [us]; negative = default; NULL = always default */
    int64_t (*duration)(const struct fsm_ctx *c, uint8_t timer);
};

/* Embedded in the subject. `key` is what EV_TIMER brings back, to find the subject again. */
struct fsm {
    uint8_t state;
    uint8_t linked;
    timer_ref timer;
    int64_t due_us; /* of the last timer armed: who is much later than that stood still */
    int64_t since_us;
    int64_t since_wall_ms;
    uint64_t key;
    struct fsm *prev, *next; /* neighbours in the list of the state, oldest first */
};

/* The lists of all subjects of one machine in one owner, one list for each state. */
#define FSM_MAX_STATES 24
struct fsm_set {
    struct fsm *head[FSM_MAX_STATES];
    struct fsm *tail[FSM_MAX_STATES];
    uint32_t count[FSM_MAX_STATES];
};

enum fsm_result { FSM_MOVED, FSM_STAYED, FSM_WAS_LATE, FSM_REJECTED };

/* Put a new subject into the initial state. `set` may be NULL for a lone machine. */
void fsm_init(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint64_t key,
              const struct fsm_ctx *c);
/* Restore a subject read from the store into `state`, arming `timer` (0 none). */
void fsm_restore(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint64_t key,
                 uint8_t state, uint8_t timer, const struct fsm_ctx *c);
/* The one way to change a state. */
enum fsm_result fsm_fire(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint8_t on,
                         const struct fsm_ctx *c);
/* The row that answers (state, on), NULL if none does: for a machine whose subjects live in a
 * database, which changes their state itself. `c` is what guards see; NULL if there are none. */
const struct fsm_row *fsm_answer(const struct fsm_def *def, uint8_t state, uint8_t on,
                                 const struct fsm_ctx *c);
/* Take the subject out of its list and clear its timer (it is about to be freed). */
void fsm_drop(struct fsm_set *set, struct fsm *m, struct effects *fx);

static inline uint32_t fsm_count(const struct fsm_set *set, uint8_t state)
{
    return set->count[state];
}

/* Static proof over a table. Returns 0, or -1 with a sentence in `why`. */
int fsm_check(const struct fsm_def *def, char *why, size_t why_size);
/* The table as a DOT picture, for the docs. Returns bytes needed (like snprintf). */
size_t fsm_dot(const struct fsm_def *def, char *out, size_t size);

#endif
