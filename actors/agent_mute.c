/*
 * agent_mute.c - mute, as a table. It lies on the agent's leg in Asterisk, which nobody can ask
 * about it: what is wanted is on record before it is asked for, so that a daemon that comes after
 * makes it so again, and what is uncertain is shown as not muted.
 */
#include "actors/agent.h"
#include "actors/words.h"

enum { T_ASK = 1, T_AGAIN, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_ASK] = {"ask", 5 * US_PER_S, "Asterisk must have muted the leg"},
    [T_AGAIN] = {"again", 5 * US_PER_S, "a leg must not stay muted: it is asked again"},
};

static const char *const states[MUTE_STATES] = {"off", "asked", "on", "lifting"};
static const char *const events[ME_EVENTS] = {"timeout",     "mute",     "unmute",    "done",
                                              "failed",      "leg_up",   "leg_found", "leg_gone",
                                              "server_back", "call_over"};

static struct agent *self(const struct fsm_ctx *x)
{
    return x->owner;
}

/* --- guards ----------------------------------------------------------------------------------- */

static bool leg_is_up(const struct fsm_ctx *x)
{
    return self(x)->leg.state == LEG_UP;
}

static bool was_muted(const struct fsm_ctx *x)
{
    return self(x)->was_muted;
}

static bool somebody_waits(const struct fsm_ctx *x)
{
    return self(x)->mute_request != 0;
}

static bool turned(const struct fsm_ctx *x)
{
    return self(x)->mute_turned;
}

/* --- actions ---------------------------------------------------------------------------------- */

static void answer(const struct fsm_ctx *x, enum result result, const char *text)
{
    struct agent *g = self(x);

    g->mute_turned = false;
    if (g->mute_request != 0) {
        agent_answer(g->mute_client, g->mute_request, result, text, NO_JSON, x->fx);
        g->mute_request = 0;
    }
}

static void keep_request(const struct fsm_ctx *x)
{
    const struct msg_set_mute *m = x->ev->msg;

    self(x)->mute_client = m->client;
    self(x)->mute_request = m->request;
}

/* With the call the record of a wish ends by itself. */
static void record(const struct fsm_ctx *x)
{
    if (self(x)->fsm.state == AGENT_BUSY) {
        agent_record(self(x), x->ev, x->fx);
    }
}

static void ask(const struct fsm_ctx *x, bool on)
{
    struct agent *g = self(x);
    struct msg_mute m = {.pbx = g->pbx, .channel = words_of(g->leg_id), .on = on};

    g->was_muted = false;
    record(x);
    fx_send(x->fx, ADDR_ARI, MSG_mute, &m);
}

static void mute_again(const struct fsm_ctx *x)
{
    ask(x, true);
}

static void ask_mute(const struct fsm_ctx *x)
{
    keep_request(x);
    ask(x, true);
}

static void lift(const struct fsm_ctx *x)
{
    ask(x, false);
}

static void ask_lift(const struct fsm_ctx *x)
{
    keep_request(x);
    lift(x);
}

/* The last of an agent's wishes counts, also one that comes while the one before is on its way. */
static void last_wish(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    const struct msg_set_mute *m = x->ev->msg;

    answer(x, RESULT_OK, "");
    keep_request(x);
    g->mute_turned = m->on != (g->mute.state == MUTE_ASKED);
}

static void mute_turned(const struct fsm_ctx *x)
{
    self(x)->mute_turned = false;
    ask(x, true);
}

static void lift_turned(const struct fsm_ctx *x)
{
    self(x)->mute_turned = false;
    ask(x, false);
}

static void say_done(const struct fsm_ctx *x)
{
    answer(x, RESULT_OK, "");
}

static void say_failed(const struct fsm_ctx *x)
{
    answer(x, RESULT_AWAY, "the telephone system did not do it");
}

static void say_over(const struct fsm_ctx *x)
{
    answer(x, RESULT_REFUSED, "the call is over");
}

static void say_no_phone(const struct fsm_ctx *x)
{
    record(x);
    answer(x, RESULT_REFUSED, "your phone is away");
}

static void lift_unmuted(const struct fsm_ctx *x)
{
    say_failed(x);
    lift(x);
}

static void lift_after_call(const struct fsm_ctx *x)
{
    answer(x, RESULT_REFUSED, "the call is over");
    lift(x);
}

/* --- the table -------------------------------------------------------------------------------- */

#define S(name) MUTE_##name

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state        event         guard           action           next        timer */
    ROW(S(OFF), ME_MUTE, 0, ask_mute, S(ASKED), T_ASK),
    ROW(S(OFF), ME_UNMUTE, 0, ask_lift, S(LIFTING), T_AGAIN),
    ROW(S(OFF), ME_LEG_UP, was_muted, mute_again, S(ASKED), T_ASK),
    ROW(S(OFF), ME_LEG_UP, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(OFF), ME_LEG_FOUND, was_muted, mute_again, S(ASKED), T_ASK),
    ROW(S(OFF), ME_LEG_FOUND, 0, lift, S(LIFTING), T_AGAIN),

    ROW(S(ASKED), ME_MUTE, 0, last_wish, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ASKED), ME_UNMUTE, 0, last_wish, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ASKED), ME_DONE, turned, lift_turned, S(LIFTING), T_AGAIN),
    ROW(S(ASKED), ME_DONE, 0, say_done, S(ON), FSM_NO_TIMER),
    ROW(S(ASKED), ME_FAILED, 0, lift_unmuted, S(LIFTING), T_AGAIN),
    ROW(S(ASKED), ME_TIMEOUT, 0, lift_unmuted, S(LIFTING), T_AGAIN),
    ROW(S(ASKED), ME_LEG_GONE, somebody_waits, say_no_phone, S(OFF), FSM_NO_TIMER),
    ROW(S(ASKED), ME_LEG_GONE, 0, 0, S(ON), FSM_NO_TIMER),
    ROW(S(ASKED), ME_OVER, leg_is_up, lift_after_call, S(LIFTING), T_AGAIN),
    ROW(S(ASKED), ME_OVER, 0, say_over, S(OFF), FSM_NO_TIMER),

    ROW(S(ON), ME_MUTE, 0, ask_mute, S(ASKED), T_ASK),
    ROW(S(ON), ME_UNMUTE, 0, ask_lift, S(LIFTING), T_AGAIN),
    ROW(S(ON), ME_LEG_UP, 0, mute_again, S(ASKED), T_ASK),
    ROW(S(ON), ME_OVER, leg_is_up, lift, S(LIFTING), T_AGAIN),
    ROW(S(ON), ME_OVER, 0, 0, S(OFF), FSM_NO_TIMER),

    ROW(S(LIFTING), ME_MUTE, 0, last_wish, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_UNMUTE, 0, last_wish, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_DONE, turned, mute_turned, S(ASKED), T_ASK),
    ROW(S(LIFTING), ME_DONE, 0, say_done, S(OFF), FSM_NO_TIMER),
    ROW(S(LIFTING), ME_FAILED, 0, say_failed, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_LEG_FOUND, was_muted, mute_again, S(ASKED), T_ASK),
    ROW(S(LIFTING), ME_LEG_FOUND, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_SERVER_BACK, 0, lift, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_OVER, 0, say_over, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LIFTING), ME_TIMEOUT, leg_is_up, lift_unmuted, S(LIFTING), T_AGAIN),
    ROW(S(LIFTING), ME_TIMEOUT, 0, say_failed, S(OFF), FSM_NO_TIMER),
    ROW(S(LIFTING), ME_LEG_GONE, 0, say_no_phone, S(OFF), FSM_NO_TIMER),

    ANY(ME_DONE, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_FAILED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_LEG_UP, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_LEG_FOUND, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_LEG_GONE, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_SERVER_BACK, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(ME_OVER, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

const struct fsm_def mute_fsm = {
    .name = "mute",
    .states = states,
    .n_states = MUTE_STATES,
    .events = events,
    .n_events = ME_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = MUTE_OFF,
    .ends = 1u << MUTE_OFF | 1u << MUTE_ON,
    .timer_kind = TIMER_MUTE,
};

void mute_fire(struct agent *g, enum mute_event on, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {g, g, NULL, ev, fx};
    bool before = agent_is_muted(g);

    fsm_fire(&mute_fsm, NULL, &g->mute, (uint8_t)on, &x);
    if (agent_is_muted(g) != before) {
        agent_view(g, fx);
    }
}

/* --- messages --------------------------------------------------------------------------------- */

void agent_on_set_mute(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_set_mute *m = ev->msg;
    const char *why = agent_no_talk(g);

    if (why) {
        agent_answer(m->client, m->request, RESULT_REFUSED, why, NO_JSON, fx);
        return;
    }
    mute_fire(g, m->on ? ME_MUTE : ME_UNMUTE, ev, fx);
}

void agent_on_muted(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_muted *m = ev->msg;

    /* An answer that comes late may be to what was asked before. */
    if (words_equal(m->channel, g->leg_id) && m->on == (g->mute.state == MUTE_ASKED)) {
        mute_fire(g, m->status >= 200 && m->status < 300 ? ME_DONE : ME_FAILED, ev, fx);
    }
}
