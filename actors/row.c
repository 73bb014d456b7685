/*
 * row.c - the life of a row of the queue, as a table.
 *
 * A row lives in the store, and no actor has it: no timer of it is ever armed, and the conditions
 * under which it may move are the store's (statements.def), because only there are they one step
 * with the move. What follows what is said here, once, for each driver of the store and for the
 * campaign, which counts on it. tests/store/conformance_rows.c walks the table in every store.
 *
 * A row that is final is called only by hand. What such a call does not settle leaves it final: who
 * has said no is not called again because an agent tried once more and nobody picked up.
 *
 * Refusals that say nothing of the row (its list is stopped, the lease is another's) are no events.
 */
#include "actors/tables.h"
#include "actors/types.h"

enum {
    PENDING,
    DIALING,
    ANSWERED,
    COMPLETED,
    FAILED,
    DIALING_FINAL, /* called by hand */
    ANSWERED_FINAL,
    COMPLETED_FINAL,
    FAILED_FINAL,
    PLACES
};

enum { T_CALL = 1, T_DISPOSE, T_DUE, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_CALL] = {"call", 0, "its attempt's own (attempt.c), which a restart takes up again"},
    [T_DISPOSE] = {"dispose", 0, "the wrap-up, which ends as not_disposed; a restart takes it up"},
    [T_DUE] = {"due", 0, "the row's due time, at which recycling brings it back"},
};

static const struct row_step steps[PLACES] = {
    [PENDING] = {true, ROW_PENDING, false},        [DIALING] = {true, ROW_DIALING, false},
    [ANSWERED] = {true, ROW_ANSWERED, false},      [COMPLETED] = {true, ROW_COMPLETED, false},
    [FAILED] = {true, ROW_FAILED, false},          [DIALING_FINAL] = {true, ROW_DIALING, true},
    [ANSWERED_FINAL] = {true, ROW_ANSWERED, true}, [COMPLETED_FINAL] = {true, ROW_COMPLETED, true},
    [FAILED_FINAL] = {true, ROW_FAILED, true},
};

static const char *const states[PLACES] = {"pending",         "dialing",          "answered",
                                           "completed",       "failed",           "dialing, final",
                                           "answered, final", "completed, final", "failed, final"};

static const char *const events[RE_EVENTS] = {"timeout", "claimed",      "asked_for", "held_back",
                                              "barred",  "spent",        "picked_up", "not_sent",
                                              "missed",  "bad_number",   "talked",    "settled",
                                              "again",   "not_disposed", "unbarred"};

/* The call is over. */
#define ENDS(from)                                                                                 \
    ROW(from, RE_NOT_SENT, 0, 0, PENDING, FSM_NO_TIMER),                                           \
        ROW(from, RE_MISSED, 0, 0, FAILED, T_DUE), ROW(from, RE_TIMEOUT, 0, 0, FAILED, T_DUE),     \
        ROW(from, RE_BAD_NUMBER, 0, 0, FAILED_FINAL, FSM_NO_TIMER),                                \
        ROW(from, RE_TALKED, 0, 0, COMPLETED, T_DISPOSE)
#define ENDS_FINAL(from)                                                                           \
    ROW(from, RE_NOT_SENT, 0, 0, FAILED_FINAL, FSM_NO_TIMER),                                      \
        ROW(from, RE_MISSED, 0, 0, FAILED_FINAL, FSM_NO_TIMER),                                    \
        ROW(from, RE_TIMEOUT, 0, 0, FAILED_FINAL, FSM_NO_TIMER),                                   \
        ROW(from, RE_BAD_NUMBER, 0, 0, FAILED_FINAL, FSM_NO_TIMER),                                \
        ROW(from, RE_TALKED, 0, 0, COMPLETED_FINAL, FSM_NO_TIMER)
#define IGNORED(event) ANY(event, 0, 0, FSM_STAY, FSM_NO_TIMER)
#define IGNORED_IN(from, event) ROW(from, event, 0, 0, FSM_STAY, FSM_NO_TIMER)

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state           event      guard action next       timer */
    ROW(PENDING, RE_CLAIMED, 0, 0, DIALING, T_CALL),
    ROW(PENDING, RE_ASKED_FOR, 0, 0, DIALING, T_CALL),
    ROW(PENDING, RE_HELD_BACK, 0, 0, FAILED, T_DUE),
    ROW(PENDING, RE_BARRED, 0, 0, FAILED_FINAL, FSM_NO_TIMER),

    ROW(DIALING, RE_PICKED_UP, 0, 0, ANSWERED, T_CALL),
    ROW(DIALING_FINAL, RE_PICKED_UP, 0, 0, ANSWERED_FINAL, T_CALL),
    ENDS(DIALING),
    ENDS(ANSWERED),
    ENDS_FINAL(DIALING_FINAL),
    ENDS_FINAL(ANSWERED_FINAL),

    ROW(COMPLETED, RE_TIMEOUT, 0, 0, FAILED, T_DUE),
    ROW(COMPLETED, RE_ASKED_FOR, 0, 0, DIALING, T_CALL),
    ROW(COMPLETED_FINAL, RE_ASKED_FOR, 0, 0, DIALING_FINAL, T_CALL),

    ROW(FAILED, RE_TIMEOUT, 0, 0, PENDING, FSM_NO_TIMER),
    ROW(FAILED, RE_ASKED_FOR, 0, 0, DIALING, T_CALL),
    ROW(FAILED_FINAL, RE_ASKED_FOR, 0, 0, DIALING_FINAL, T_CALL),
    ROW(FAILED_FINAL, RE_UNBARRED, 0, 0, PENDING, FSM_NO_TIMER),

    ANY(RE_SETTLED, 0, 0, COMPLETED_FINAL, FSM_NO_TIMER),
    ANY(RE_AGAIN, 0, 0, FAILED, T_DUE),
    ANY(RE_NOT_DISPOSED, 0, 0, FAILED, T_DUE),
    IGNORED_IN(DIALING_FINAL, RE_NOT_DISPOSED),
    IGNORED_IN(ANSWERED_FINAL, RE_NOT_DISPOSED),
    IGNORED_IN(COMPLETED_FINAL, RE_NOT_DISPOSED),
    IGNORED_IN(FAILED_FINAL, RE_NOT_DISPOSED),

    IGNORED(RE_CLAIMED),
    IGNORED(RE_ASKED_FOR),
    IGNORED(RE_HELD_BACK),
    IGNORED(RE_BARRED),
    IGNORED(RE_SPENT),
    IGNORED(RE_PICKED_UP),
    IGNORED(RE_NOT_SENT),
    IGNORED(RE_MISSED),
    IGNORED(RE_BAD_NUMBER),
    IGNORED(RE_TALKED),
    IGNORED(RE_UNBARRED),
};
/* clang-format on */

const struct fsm_def row_fsm = {
    .name = "queue_row",
    .states = states,
    .n_states = PLACES,
    .events = events,
    .n_events = RE_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = PENDING,
    .ends = 1u << PENDING | 1u << COMPLETED_FINAL | 1u << FAILED_FINAL,
};

struct row_step row_next(uint8_t status, bool final, enum row_event on)
{
    for (unsigned place = 0; place < PLACES; place++) {
        const struct fsm_row *r;

        if (steps[place].status != status || steps[place].final != final) {
            continue;
        }
        r = fsm_answer(&row_fsm, (uint8_t)place, (uint8_t)on, NULL);
        if (r && r->to != FSM_STAY) {
            return steps[r->to];
        }
    }
    return (struct row_step){false, status, final};
}

enum row_event row_event_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_NEVER_SENT:
        return RE_NOT_SENT;
    case OUTCOME_BAD_NUMBER:
        return RE_BAD_NUMBER;
    case OUTCOME_ANSWERED:
    case OUTCOME_MACHINE:
        return RE_TALKED;
    case OUTCOME_NONE:
    case OUTCOME_NO_ANSWER:
    case OUTCOME_BUSY:
    case OUTCOME_CONGESTION:
    case OUTCOME_FAULT:
    case OUTCOME_CANCELLED:
    case OUTCOME_ABANDONED:
    case OUTCOME_CUSTOMER_GONE:
    case OUTCOME_UNKNOWN:
    case OUTCOME_REJECTED:
    case OUTCOMES:
        break;
    }
    return RE_MISSED;
}
