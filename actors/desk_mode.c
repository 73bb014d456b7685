/*
 * desk_mode.c - what the daemon as a whole does, decided here and nowhere else. It is entered and
 * left by itself; campaigns are told and obey; people see it with its cause.
 *
 * A store that is away is no cause at once: dialing goes on from rows that are claimed already.
 * When the last of them is gone nothing can be dialed, and that is NO_NEW_DIALS.
 */
#include "actors/desk_int.h"
#include "actors/words.h"

enum mode_event { ME_TIMEOUT = FSM_TIMEOUT, ME_BLOCKED, ME_CLEAR, ME_DRAIN, ME_EVENTS };

static const char *const states[DAEMON_MODES] = {"run", "no_new_dials", "drain"};
static const char *const events[ME_EVENTS] = {"timeout", "blocked", "clear", "drain"};
static const struct fsm_timer timers[1];

static void log_mode(const struct fsm_ctx *x)
{
    const struct desk *d = x->owner;

    if (d->cause == REASON_allow) {
        fx_log(x->fx, 1, "DLR-MODE", "RUN: new calls are dialed", 0, 0, 0);
    } else {
        fx_log(x->fx, 2, "DLR-MODE", reason_sentence(d->cause), 0, 0, 0);
    }
}

#define S(name) DAEMON_##name

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state             event       guard action    next             timer */
    ROW(S(RUN), ME_BLOCKED, 0, log_mode, S(NO_NEW_DIALS), FSM_NO_TIMER),
    ROW(S(RUN), ME_CLEAR, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(RUN), ME_DRAIN, 0, 0, S(DRAIN), FSM_NO_TIMER),
    ROW(S(NO_NEW_DIALS), ME_BLOCKED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(NO_NEW_DIALS), ME_CLEAR, 0, log_mode, S(RUN), FSM_NO_TIMER),
    ROW(S(NO_NEW_DIALS), ME_DRAIN, 0, 0, S(DRAIN), FSM_NO_TIMER),
    ANY(ME_BLOCKED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_CLEAR, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_DRAIN, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

const struct fsm_def desk_fsm = {
    .name = "daemon",
    .states = states,
    .n_states = DAEMON_MODES,
    .events = events,
    .n_events = ME_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = 1,
    .initial = DAEMON_NO_NEW_DIALS,
    .ends = 1u << DAEMON_RUN | 1u << DAEMON_NO_NEW_DIALS | 1u << DAEMON_DRAIN,
};

static bool rides(const struct desk *d)
{
    for (uint32_t i = 0; i < d->campaigns.size; i++) {
        const struct known_campaign *c = d->campaigns.slots[i].value.ptr;

        if (d->campaigns.slots[i].key != 0 && c->rides) {
            return true;
        }
    }
    return false;
}

/* What speaks against new calls, the gravest first; `blocks`: none may leave. */
static enum reason cause_now(const struct desk *d, bool *blocks)
{
    *blocks = true;
    if (d->draining) {
        return REASON_draining;
    }
    if (!d->loaded) {
        return REASON_starting;
    }
    if (!d->journal_ok) {
        return REASON_journal_failing;
    }
    if (clocks_apart(d->clock_apart_ms)) {
        return REASON_clock_apart;
    }
    if (!d->store_up) {
        *blocks = !rides(d);
        return REASON_store_away;
    }
    *blocks = false;
    return REASON_allow;
}

static struct text words_of_cause(const struct desk *d)
{
    if (d->cause == REASON_allow) {
        return words_of("");
    }
    if (d->cause == REASON_journal_failing && d->journal_text[0] != 0) {
        return words_of(d->journal_text);
    }
    return words_of(reason_sentence(d->cause));
}

void desk_mode_tell(const struct desk *d, handle to, struct effects *fx)
{
    struct msg_daemon_mode m = {.mode = d->mode.state,
                                .cause = d->cause,
                                .text = words_of_cause(d),
                                .since_wall_ms = d->mode.since_wall_ms};

    fx_send(fx, to, MSG_daemon_mode, &m);
}

static void tell_all(const struct desk *d, struct effects *fx)
{
    for (uint32_t i = 0; i < d->campaigns.size; i++) {
        if (d->campaigns.slots[i].key != 0) {
            desk_mode_tell(d, named(KIND_CAMPAIGN, d->campaigns.slots[i].key), fx);
        }
    }
    desk_mode_tell(d, ADDR_WEB, fx);
    desk_mode_tell(d, ADDR_CTL, fx);
}

void desk_mode_begin(struct desk *d, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {d, d, NULL, ev, fx};

    d->journal_ok = true;
    d->cause = REASON_starting;
    fsm_init(&desk_fsm, NULL, &d->mode, 0, &x);
    tell_all(d, fx);
}

void desk_mode_look(struct desk *d, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {d, d, NULL, ev, fx};
    bool blocks;
    uint8_t was = d->cause, state = d->mode.state;

    d->cause = (uint8_t)cause_now(d, &blocks);
    fsm_fire(&desk_fsm, NULL, &d->mode,
             d->draining ? ME_DRAIN
             : blocks    ? ME_BLOCKED
                         : ME_CLEAR,
             &x);
    if (d->cause != was || d->mode.state != state) {
        tell_all(d, fx);
    }
}

void desk_on_journal(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_journal_state *m = ev->msg;

    d->journal_ok = m->ok;
    words_keep(d->journal_text, sizeof d->journal_text, m->text);
    desk_alarm(d, ALARM_journal_failing, 0, !m->ok, m->text, ev, fx);
    fx_send(fx, ADDR_CTL, MSG_journal_state, m);
    desk_mode_look(d, ev, fx);
}

void desk_on_claims_left(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_claims_left *m = ev->msg;
    struct map_slot *slot = map_find(&d->campaigns, m->campaign);

    if (slot) {
        ((struct known_campaign *)slot->value.ptr)->rides = m->rows > 0;
    }
    desk_mode_look(d, ev, fx);
}
