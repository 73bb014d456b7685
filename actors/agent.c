/*
 * agent.c - the agent's actor: one state table, what the page asks for, what the campaign asks for.
 * It alone grants a reservation of its agent.
 */
#include "actors/agent.h"
#include "actors/words.h"

#include <string.h>

#define TONE_MOST_US (600 * US_PER_MS)
#define MISSED_MOST 2u /* R4: the second wrap-up in a row without a word */

enum { T_CONNECT = 1, T_RESERVED, T_BUSY, T_WRAPUP, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_CONNECT] = {"connect", 60 * US_PER_S, "the phone must have answered"},
    [T_RESERVED] = {"reserved", 20 * US_PER_S, "the call that was announced must have come"},
    [T_BUSY] = {"busy", 600 * US_PER_S, "S9: busy without a call"},
    [T_WRAPUP] = {"wrapup", 120 * US_PER_S, "S7, S8: wrap-up without a disposition"},
};

static const char *const states[AGENT_STATES] = {"offline", "connecting", "available", "reserved",
                                                 "busy",    "wrapup",     "break"};
static const char *const events[GE_EVENTS] = {
    "timeout", "login",  "leg_up",    "leg_failed", "leg_down",  "set_available", "set_break",
    "reserve", "joined", "call_over", "disposed",   "link_lost", "logout",        "adopt"};

static struct agent *self(const struct fsm_ctx *x)
{
    return x->owner;
}

static void set_reason(struct agent *g, const char *reason)
{
    words_keep(g->reason, sizeof g->reason, words_of(reason));
}

static void answer(uint64_t client, uint64_t request, enum result result, const char *text,
                   struct text json, struct effects *fx)
{
    struct msg_reply r = {.client = client,
                          .request = request,
                          .result = (uint8_t)result,
                          .text = words_of(text),
                          .json = json};

    fx_send(fx, ADDR_WEB, MSG_reply, &r);
}

#define NO_JSON ((struct text){"", 0})

/* --- guards ----------------------------------------------------------------------------------- */

bool agent_reachable(const struct agent *g)
{
    bool phone = g->phone_enabled && g->endpoint[0] != 0 && g->pbx_up;

    /* a leg that is up proves the phone, whatever became of its registration */
    return !g->link_lost && phone &&
           (g->leg_kind == LEG_ON_DEMAND ? g->phone_online : g->leg.state == LEG_UP);
}

static bool reachable(const struct fsm_ctx *x)
{
    return agent_reachable(self(x));
}

static bool wanted_and_reachable(const struct fsm_ctx *x)
{
    return self(x)->want_available && agent_reachable(self(x));
}

/* Only the leg is missing, and it can be called. */
static bool can_connect(const struct fsm_ctx *x)
{
    const struct agent *g = self(x);

    return g->leg_kind == LEG_PERMANENT && g->leg.state != LEG_UP && g->phone_enabled &&
           g->endpoint[0] != 0 && g->phone_online && g->pbx_up && !g->link_lost;
}

static bool call_alive(const struct fsm_ctx *x)
{
    return self(x)->call_alive;
}

static bool must_dispose(const struct fsm_ctx *x)
{
    const struct agent *g = self(x);

    return g->attempt[0] != 0 && (g->talked || g->cause == CAUSE_AGENT);
}

static bool wants_logout(const struct fsm_ctx *x)
{
    return self(x)->want_logout;
}

static bool wants_break(const struct fsm_ctx *x)
{
    return self(x)->next == AGENT_BREAK;
}

static bool silent_again(const struct fsm_ctx *x)
{
    return self(x)->missed_wrapups + 1u >= MISSED_MOST;
}

/* --- actions ---------------------------------------------------------------------------------- */

static void forget_call(struct agent *g)
{
    g->attempt[0] = 0;
    g->call_campaign = 0;
    g->call_alive = false;
    g->talked = false;
    g->disposed = false;
    g->dialing = false;
    g->lead = 0;
    g->number[0] = 0;
    g->missed_wrapups = 0;
}

static void forget_next(struct agent *g)
{
    g->next = 0;
    g->next_reason[0] = 0;
    g->want_logout = false;
}

static void call_leg(const struct fsm_ctx *x)
{
    leg_fire(self(x), LE_CALL, x->ev, x->fx);
}

static void call_leg_to_work(const struct fsm_ctx *x)
{
    self(x)->want_available = true;
    call_leg(x);
}

static void be_available(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->want_available = false;
    g->reason[0] = 0;
    forget_next(g);
}

static void rest_after_login(const struct fsm_ctx *x)
{
    self(x)->want_available = false;
    set_reason(self(x), "login");
}

/* The reason was put there by whoever fired the event. */
static void rest_as_asked(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    words_keep(g->reason, sizeof g->reason, words_of(g->next_reason));
    forget_next(g);
}

static void rest_link_lost(const struct fsm_ctx *x)
{
    set_reason(self(x), "link lost");
    forget_next(self(x));
}

static void rest_no_phone(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->want_available = false;
    set_reason(g, "no phone");
    forget_next(g);
    leg_fire(g, LE_HANG_UP, x->ev, x->fx);
}

static void rest_no_answer(const struct fsm_ctx *x)
{
    set_reason(self(x), "no response");
    forget_next(self(x));
}

static void want_available(const struct fsm_ctx *x)
{
    self(x)->want_available = true;
}

static void want_rest(const struct fsm_ctx *x)
{
    self(x)->want_available = false;
}

static void leave(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->reason[0] = 0;
    g->want_available = false;
    g->missed_wrapups = 0;
    forget_next(g);
    leg_fire(g, LE_HANG_UP, x->ev, x->fx);
}

static void joined(const struct fsm_ctx *x)
{
    self(x)->talked = true;
    self(x)->reason[0] = 0;
}

/* The leg's place between calls. */
static void put_leg_away(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    if (g->leg_kind == LEG_ON_DEMAND) {
        leg_fire(g, LE_HANG_UP, x->ev, x->fx);
    } else {
        leg_home(g, x->fx);
    }
}

static void tell_done(const struct agent *g, bool disposed, struct effects *fx)
{
    struct msg_attempt_done m = {
        .agent = g->id, .attempt = words_of(g->attempt), .disposed = disposed};

    if (g->call_campaign != 0 && g->attempt[0] != 0) {
        fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_attempt_done, &m);
    }
}

/* The wrap-up is over: by a disposition, or by its timer (R4). */
static void end_wrapup(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    bool disposed = g->disposed;
    uint32_t missed = disposed ? 0 : g->missed_wrapups + 1u;

    if (!disposed && g->attempt[0] != 0) {
        struct msg_dispose m = {
            .attempt = words_of(g->attempt),
            .agent = g->id,
            .code = words_of("not_disposed"),
            .note = words_of(""),
            .at_wall_ms = x->ev->wall_ms,
        };

        fx_send(x->fx, ADDR_STORE, MSG_dispose, &m);
    }
    tell_done(g, disposed, x->fx);
    forget_call(g);
    g->missed_wrapups = missed;
}

static void work_after_wrapup(const struct fsm_ctx *x)
{
    end_wrapup(x);
    be_available(x);
}

static void rest_after_wrapup(const struct fsm_ctx *x)
{
    end_wrapup(x);
    rest_as_asked(x);
}

static void lost_after_wrapup(const struct fsm_ctx *x)
{
    end_wrapup(x);
    rest_link_lost(x);
}

static void silent_after_wrapup(const struct fsm_ctx *x)
{
    end_wrapup(x);
    rest_no_answer(x);
    self(x)->missed_wrapups = 0;
}

static void leave_after_wrapup(const struct fsm_ctx *x)
{
    end_wrapup(x);
    leave(x);
}

/* A call that never was, or was not for us any more. */
static void work_after_call(const struct fsm_ctx *x)
{
    put_leg_away(x);
    forget_call(self(x));
    be_available(x);
}

static void rest_after_call(const struct fsm_ctx *x)
{
    put_leg_away(x);
    forget_call(self(x));
    rest_as_asked(x);
}

static void lost_after_call(const struct fsm_ctx *x)
{
    put_leg_away(x);
    forget_call(self(x));
    rest_link_lost(x);
}

static void leave_after_call(const struct fsm_ctx *x)
{
    forget_call(self(x));
    leave(x);
}

static void no_phone_for_call(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_reserved refuse = {
        .agent = g->id, .attempt = words_of(g->attempt), .leg = words_of(""), .pbx = g->pbx};

    if (!g->dialing && g->attempt[0] != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_reserved, &refuse);
    }
    forget_call(g);
    rest_no_phone(x);
}

static void give_up_waiting(struct agent *g, const struct fsm_ctx *x)
{
    struct msg_agent_hangup m = {.agent = g->id, .attempt = words_of(g->attempt)};

    if (g->attempt[0] != 0 && g->call_campaign != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_agent_hangup, &m);
    }
    if (g->dialing) {
        answer(g->dial_client, g->dial_request, RESULT_AWAY, "the call could not be placed in time",
               NO_JSON, x->fx);
    }
    fx_count(x->fx, "dialer_agent_resets_total", "reserved", 0, 1);
}

static void work_after_waiting(const struct fsm_ctx *x)
{
    give_up_waiting(self(x), x);
    work_after_call(x);
}

static void lost_after_waiting(const struct fsm_ctx *x)
{
    give_up_waiting(self(x), x);
    lost_after_call(x);
}

static void still_talking(const struct fsm_ctx *x)
{
    fx_trace(x->fx, "busy with a call", self(x)->id, 0);
}

static void tell_leg_lost(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_leg_lost m = {.agent = g->id, .attempt = words_of(g->attempt)};

    if (g->call_alive && g->call_campaign != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_leg_lost, &m);
        leg_fire(g, LE_CALL, x->ev, x->fx);
    }
}

static void tell_leg_back(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_leg_back m = {
        .agent = g->id, .attempt = words_of(g->attempt), .leg = words_of(g->leg_id)};

    if (g->call_alive && g->call_campaign != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_leg_back, &m);
    }
}

/* A manual call, or a reservation with a leg on demand, waited for the phone. */
static void leg_for_call(const struct fsm_ctx *x);

/* --- the table -------------------------------------------------------------------------------- */

#define S(name) AGENT_##name

/* Where an agent goes when nothing holds it any more. */
#define GOES_ON(state, event, left, rested, worked, lost)                                          \
    ROW(state, event, wants_logout, left, S(OFFLINE), FSM_NO_TIMER),                               \
        ROW(state, event, wants_break, rested, S(BREAK), FSM_NO_TIMER),                            \
        ROW(state, event, reachable, worked, S(AVAILABLE), FSM_NO_TIMER),                          \
        ROW(state, event, 0, lost, S(BREAK), FSM_NO_TIMER)

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state          event          guard                 action               next timer */
    ROW(S(OFFLINE), GE_LOGIN, can_connect, call_leg, S(CONNECTING), T_CONNECT),
    ROW(S(OFFLINE), GE_LOGIN, 0, rest_after_login, S(BREAK), FSM_NO_TIMER),
    ROW(S(OFFLINE), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(OFFLINE), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(CONNECTING), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(CONNECTING), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(AVAILABLE), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(AVAILABLE), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(BREAK), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(BREAK), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(OFFLINE), GE_LINK_LOST, 0, leave, FSM_STAY, FSM_NO_TIMER),

    ROW(S(CONNECTING), GE_LEG_UP, wanted_and_reachable, be_available, S(AVAILABLE), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LEG_UP, 0, rest_after_login, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LEG_FAILED, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_AVAILABLE, 0, want_available, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_BREAK, 0, want_rest, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LINK_LOST, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LOGOUT, 0, leave, S(OFFLINE), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_TIMEOUT, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),

    ROW(S(AVAILABLE), GE_RESERVED, 0, 0, S(RESERVED), T_RESERVED),
    ROW(S(AVAILABLE), GE_BREAK, 0, rest_as_asked, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LEG_DOWN, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LEG_FAILED, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LINK_LOST, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LOGOUT, 0, leave, S(OFFLINE), FSM_NO_TIMER),

    ROW(S(RESERVED), GE_LEG_UP, 0, leg_for_call, FSM_STAY, FSM_NO_TIMER),
    ROW(S(RESERVED), GE_LEG_FAILED, 0, no_phone_for_call, S(BREAK), FSM_NO_TIMER),
    ROW(S(RESERVED), GE_LEG_DOWN, 0, tell_leg_lost, FSM_STAY, FSM_NO_TIMER),
    ROW(S(RESERVED), GE_JOINED, 0, joined, S(BUSY), T_BUSY),
    ROW(S(RESERVED), GE_CALL_OVER, must_dispose, put_leg_away, S(WRAPUP), T_WRAPUP),
    GOES_ON(S(RESERVED), GE_CALL_OVER, leave_after_call, rest_after_call, work_after_call,
            lost_after_call),
    ROW(S(RESERVED), GE_TIMEOUT, reachable, work_after_waiting, S(AVAILABLE), FSM_NO_TIMER),
    ROW(S(RESERVED), GE_TIMEOUT, 0, lost_after_waiting, S(BREAK), FSM_NO_TIMER),

    ROW(S(BUSY), GE_LEG_DOWN, 0, tell_leg_lost, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BUSY), GE_LEG_UP, 0, tell_leg_back, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BUSY), GE_CALL_OVER, 0, put_leg_away, S(WRAPUP), T_WRAPUP),
    ROW(S(BUSY), GE_TIMEOUT, call_alive, still_talking, S(BUSY), T_BUSY),
    GOES_ON(S(BUSY), GE_TIMEOUT, leave_after_call, rest_after_call, work_after_call,
            lost_after_call),

    GOES_ON(S(WRAPUP), GE_DISPOSED, leave_after_wrapup, rest_after_wrapup, work_after_wrapup,
            lost_after_wrapup),
    ROW(S(WRAPUP), GE_TIMEOUT, silent_again, silent_after_wrapup, S(BREAK), FSM_NO_TIMER),
    GOES_ON(S(WRAPUP), GE_TIMEOUT, leave_after_wrapup, rest_after_wrapup, work_after_wrapup,
            lost_after_wrapup),

    ROW(S(BREAK), GE_AVAILABLE, reachable, be_available, S(AVAILABLE), FSM_NO_TIMER),
    ROW(S(BREAK), GE_AVAILABLE, can_connect, call_leg_to_work, S(CONNECTING), T_CONNECT),
    ROW(S(BREAK), GE_AVAILABLE, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BREAK), GE_BREAK, 0, rest_as_asked, S(BREAK), FSM_NO_TIMER),
    ROW(S(BREAK), GE_LOGOUT, 0, leave, S(OFFLINE), FSM_NO_TIMER),

    ANY(GE_LOGIN, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_LEG_UP, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_LEG_FAILED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_LEG_DOWN, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_AVAILABLE, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_BREAK, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_RESERVED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_JOINED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_CALL_OVER, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_DISPOSED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_LINK_LOST, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_LOGOUT, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_ADOPT, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

static int64_t duration(const struct fsm_ctx *x, uint8_t timer)
{
    const struct agent *g = self(x);

    switch (timer) {
    case T_RESERVED: /* a call that an agent asked for rings its phone and the customer's */
        return g->dialing || g->cause == CAUSE_AGENT || g->leg_kind == LEG_ON_DEMAND
                   ? 180 * US_PER_S
                   : -1;
    case T_BUSY:
        return (int64_t)g->busy_reset_s * US_PER_S;
    case T_WRAPUP:
        return (int64_t)(g->campaign != 0 ? g->wrapup_s : g->wrapup_default_s) * US_PER_S;
    default:
        return -1;
    }
}

const struct fsm_def agent_fsm = {
    .name = "agent",
    .states = states,
    .n_states = AGENT_STATES,
    .events = events,
    .n_events = GE_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = AGENT_OFFLINE,
    .ends = 1u << AGENT_OFFLINE | 1u << AGENT_AVAILABLE | 1u << AGENT_BREAK,
    .timer_kind = TIMER_AGENT,
    .duration = duration,
};

/* --- telling ---------------------------------------------------------------------------------- */

static const char *trouble(const struct agent *g)
{
    if (g->fsm.state == AGENT_OFFLINE) {
        return "";
    }
    if (g->endpoint[0] == 0 || !g->phone_enabled) {
        return "you have no phone: no calls";
    }
    if (!g->pbx_up) {
        return "the telephone system is not connected";
    }
    if (!g->phone_online && g->leg.state != LEG_UP) {
        return "your phone is not registered: no calls";
    }
    if (g->campaign == 0) {
        return "you work in no campaign: no calls";
    }
    return g->trouble;
}

void agent_view(const struct agent *g, struct effects *fx)
{
    int64_t until = 0;

    if (g->fsm.state == AGENT_WRAPUP) {
        uint32_t s = g->campaign != 0 ? g->wrapup_s : g->wrapup_default_s;

        until = g->fsm.since_wall_ms + (int64_t)s * MS_PER_S;
    }
    struct msg_view_agent v = {
        .agent = g->id,
        .name = words_of(g->name),
        .state = g->fsm.state,
        .reason = words_of(g->reason),
        .since_wall_ms = g->fsm.since_wall_ms,
        .until_wall_ms = until,
        .campaign = g->campaign,
        .attempt = words_of(g->attempt),
        .needs_disposition = g->fsm.state == AGENT_WRAPUP && !g->disposed && g->attempt[0] != 0,
        .phone_online = g->phone_online,
        .leg_up = g->leg.state == LEG_UP,
        .next = g->next,
        .next_reason = words_of(g->next_reason),
        .text = words_of(trouble(g)),
    };

    fx_send(fx, ADDR_WEB, MSG_view_agent, &v);
}

/* What a campaign hears is what it may count on: available with a server that is away would be
 * asked, refuse, and be asked again. */
static void tell_campaign(const struct agent *g, uint64_t campaign, uint8_t state,
                          struct effects *fx)
{
    if (state == AGENT_AVAILABLE && !agent_reachable(g)) {
        state = AGENT_BREAK;
    }
    struct msg_agent_status m = {
        .agent = g->id,
        .state = state,
        .pbx = g->pbx,
        .leg = (uint8_t)g->leg_kind,
        .idle_since_us = g->fsm.since_us,
        .next = g->next,
    };

    if (campaign != 0) {
        fx_send(fx, named(KIND_CAMPAIGN, campaign), MSG_agent_status, &m);
    }
}

static void tell_all(const struct agent *g, const struct event *ev, struct effects *fx)
{
    struct msg_agent_moved m = {
        .agent = g->id,
        .state = g->fsm.state,
        .reason = words_of(g->reason),
        .campaign = g->campaign,
        .attempt = words_of(g->attempt),
        .at_wall_ms = ev->wall_ms,
    };

    fx_send(fx, ADDR_STORE, MSG_agent_moved, &m);
    tell_campaign(g, g->campaign, g->fsm.state, fx);
    agent_view(g, fx);
}

void agent_fire(struct agent *g, enum agent_event on, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {g, g, NULL, ev, fx};

    if (fsm_fire(&agent_fsm, NULL, &g->fsm, (uint8_t)on, &x) == FSM_MOVED) {
        tell_all(g, ev, fx);
    }
    if (g->fsm.state == AGENT_WRAPUP && g->disposed) { /* disposed while still talking */
        agent_fire(g, GE_DISPOSED, ev, fx);
    }
}

/* --- the leg speaks --------------------------------------------------------------------------- */

void agent_leg_up(struct agent *g, const struct event *ev, struct effects *fx)
{
    g->trouble[0] = 0;
    agent_fire(g, GE_LEG_UP, ev, fx);
    agent_view(g, fx);
}

void agent_leg_failed(struct agent *g, const char *why, const struct event *ev, struct effects *fx)
{
    words_keep(g->trouble, sizeof g->trouble, words_of(why));
    if (g->dialing) {
        answer(g->dial_client, g->dial_request, RESULT_REFUSED, why, NO_JSON, fx);
    }
    agent_fire(g, GE_LEG_FAILED, ev, fx);
}

void agent_leg_down(struct agent *g, const struct event *ev, struct effects *fx)
{
    agent_fire(g, GE_LEG_DOWN, ev, fx);
    agent_view(g, fx);
}

static void ask_dial(struct agent *g, struct effects *fx)
{
    struct msg_manual_dial m = {
        .agent = g->id,
        .number = words_of(g->number),
        .lead = g->lead,
        .leg = words_of(g->leg_id),
        .pbx = g->pbx,
        .request = g->dial_request,
    };

    g->call_campaign = g->campaign;
    g->leg_away = true;
    fx_send(fx, named(KIND_CAMPAIGN, g->campaign), MSG_manual_dial, &m);
}

static void grant(struct agent *g, bool ready, struct effects *fx)
{
    struct msg_reserved m = {
        .agent = g->id,
        .attempt = words_of(g->attempt),
        .ok = true,
        .ready = ready,
        .leg = words_of(g->leg_id),
        .pbx = g->pbx,
    };

    g->leg_away = g->leg_away || ready;
    fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_reserved, &m);
}

static void leg_for_call(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    if (g->dialing) {
        ask_dial(g, x->fx);
    } else if (g->attempt[0] != 0) {
        grant(g, true, x->fx);
    }
}

/* --- the campaign speaks ---------------------------------------------------------------------- */

static void pop_screen(const struct agent *g, const struct msg_reserve *m, struct effects *fx)
{
    struct msg_screen_pop pop = {
        .agent = g->id,
        .attempt = m->attempt,
        .campaign = m->campaign,
        .lead = m->lead,
        .number = m->number,
        .name = m->name,
        .fields = m->fields,
        .attempt_no = m->attempt_no,
        .matches = m->matches,
    };

    fx_send(fx, ADDR_WEB, MSG_screen_pop, &pop);
}

static void begin_tone(struct agent *g, struct effects *fx)
{
    struct msg_play m = {.pbx = g->pbx,
                         .channel = words_of(g->leg_id),
                         .playback = words_of(g->attempt),
                         .media = words_of(g->tone)};

    g->tone_over = g->tone[0] == 0;
    if (!g->tone_over) {
        fx_send(fx, ADDR_ARI, MSG_play, &m);
        g->tone_timer = fx_arm(fx, TONE_MOST_US, TIMER_TONE, 0);
    }
}

static void on_reserve(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_reserve *m = ev->msg;

    if (g->fsm.state != AGENT_AVAILABLE || m->campaign != g->campaign || !agent_reachable(g)) {
        struct msg_reserved refuse = {
            .agent = g->id, .attempt = m->attempt, .leg = words_of(""), .pbx = g->pbx};

        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_reserved, &refuse);
        tell_campaign(g, g->campaign == m->campaign ? m->campaign : 0, g->fsm.state, fx);
        return;
    }
    words_keep(g->attempt, sizeof g->attempt, m->attempt);
    words_keep(g->number, sizeof g->number, m->number);
    g->lead = m->lead;
    g->call_campaign = m->campaign;
    g->cause = m->cause == CAUSE_AGENT ? CAUSE_AGENT : CAUSE_AUTO;
    g->call_alive = true;
    g->talked = false;
    g->disposed = false;
    pop_screen(g, m, fx);
    agent_fire(g, GE_RESERVED, ev, fx);
    if (g->leg_kind == LEG_ON_DEMAND && g->leg.state != LEG_UP) {
        leg_fire(g, LE_CALL, ev, fx);
        return;
    }
    begin_tone(g, fx);
    grant(g, g->tone_over, fx);
}

static void tone_is_over(struct agent *g, struct effects *fx)
{
    if (g->tone_over || !g->call_alive || g->fsm.state != AGENT_RESERVED) {
        return;
    }
    g->tone_over = true;
    grant(g, true, fx);
}

/* The campaign's word about the manual call this page waits for. */
static void answer_dial(struct agent *g, const struct msg_call_moved *m, struct effects *fx)
{
    char buffer[96];
    struct words w;

    if (!g->dialing) {
        return;
    }
    g->dialing = false;
    if (m->state == ATTEMPT_DISPOSED) {
        answer(g->dial_client, g->dial_request, RESULT_REFUSED, reason_sentence(m->reason), NO_JSON,
               fx);
        return;
    }
    words_start(&w, buffer, sizeof buffer);
    words_add(&w, "{\"attempt\":");
    words_add_json(&w, m->attempt);
    words_add(&w, "}");
    answer(g->dial_client, g->dial_request, RESULT_OK, "", words_text(&w), fx);
}

static void on_call_moved(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_call_moved *m = ev->msg;
    bool mine = words_equal(m->attempt, g->attempt);

    if (g->dialing && g->attempt[0] == 0) {
        answer_dial(g, m, fx);
        if (m->state != ATTEMPT_DISPOSED) {
            words_keep(g->attempt, sizeof g->attempt, m->attempt);
            words_keep(g->number, sizeof g->number, m->number);
            g->lead = m->lead;
            g->cause = CAUSE_AGENT;
            g->call_alive = true;
            if (g->leg.state != LEG_UP) { /* it went while the campaign was claiming */
                struct msg_leg_lost lost = {.agent = g->id, .attempt = m->attempt};

                fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_leg_lost, &lost);
            }
        }
        mine = true;
    }
    if (!mine) {
        return;
    }
    switch (m->state) {
    case ATTEMPT_BRIDGED:
        agent_fire(g, GE_JOINED, ev, fx);
        break;
    case ATTEMPT_DISPOSED: /* it was never made */
        g->call_alive = false;
        g->attempt[0] = 0;
        agent_fire(g, GE_CALL_OVER, ev, fx);
        break;
    case ATTEMPT_ENDED:
        g->call_alive = false;
        agent_fire(g, GE_CALL_OVER, ev, fx);
        break;
    case ATTEMPT_UNKNOWN: /* the campaign lost sight of it: S9's timer decides */
        g->call_alive = false;
        break;
    default:
        agent_view(g, fx);
        break;
    }
}

static void on_adopted(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_call_adopted *m = ev->msg;
    struct msg_reserve pop = {
        .campaign = m->campaign,
        .attempt = m->attempt,
        .lead = m->lead,
        .number = m->number,
        .name = m->name,
        .fields = m->fields,
        .attempt_no = m->attempt_no,
        .cause = m->cause,
    };

    if (g->attempt[0] != 0) {
        return;
    }
    leg_await_page(g, fx);
    words_keep(g->attempt, sizeof g->attempt, m->attempt);
    words_keep(g->number, sizeof g->number, m->number);
    g->lead = m->lead;
    g->call_campaign = m->campaign;
    g->cause = m->cause == CAUSE_AGENT ? CAUSE_AGENT : CAUSE_AUTO;
    g->call_alive = m->state == ATTEMPT_BRIDGED;
    g->talked = true;
    g->leg_away = true;
    pop_screen(g, &pop, fx);
    agent_fire(g, GE_ADOPT, ev, fx);
    if (g->leg.state == LEG_NONE && !leg_may_live(g)) {
        agent_fire(g, GE_LEG_DOWN, ev, fx); /* the customer is there, our leg is not */
    }
}

/* --- the page speaks -------------------------------------------------------------------------- */

static void on_login(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_login *m = ev->msg;

    if (!g->configured || !g->enabled) {
        answer(m->client, m->request, RESULT_REFUSED, "this agent may not log in", NO_JSON, fx);
        return;
    }
    if (m->campaign != 0 && m->campaign != g->campaign) {
        answer(m->client, m->request, RESULT_REFUSED,
               "you do not work in that campaign: a supervisor can move you", NO_JSON, fx);
        return;
    }
    g->link_lost = false;
    if (g->fsm.state == AGENT_OFFLINE && g->leg.state == LEG_NONE) {
        g->leg_kind = g->leg_wish; /* R2: the kind stays while logged in */
    }
    agent_fire(g, GE_LOGIN, ev, fx);
    answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
    agent_view(g, fx);
}

static void on_logout(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_logout *m = ev->msg;
    uint8_t s = g->fsm.state;

    if (s == AGENT_WRAPUP) { /* R6 */
        answer(m->client, m->request, RESULT_REFUSED, "dispose your last call first", NO_JSON, fx);
        return;
    }
    if (s == AGENT_RESERVED || s == AGENT_BUSY) {
        g->want_logout = true;
        answer(m->client, m->request, RESULT_OK, "you will be logged out after this call", NO_JSON,
               fx);
        agent_view(g, fx);
        return;
    }
    agent_fire(g, GE_LOGOUT, ev, fx);
    answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
}

static void on_set_status(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_set_status *m = ev->msg;
    uint8_t s = g->fsm.state;

    if (m->state != AGENT_AVAILABLE && m->state != AGENT_BREAK) {
        answer(m->client, m->request, RESULT_INVALID, "a status is available or break", NO_JSON,
               fx);
        return;
    }
    if (s == AGENT_OFFLINE) {
        answer(m->client, m->request, RESULT_REFUSED, "log in first", NO_JSON, fx);
        return;
    }
    if (s == AGENT_RESERVED || s == AGENT_BUSY || s == AGENT_WRAPUP) { /* R5 */
        g->next = m->state;
        words_keep(g->next_reason, sizeof g->next_reason, m->reason);
        tell_campaign(g, g->campaign, s, fx);
        answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
        agent_view(g, fx);
        return;
    }
    g->trouble[0] = 0;
    words_keep(g->next_reason, sizeof g->next_reason, m->reason);
    agent_fire(g, m->state == AGENT_AVAILABLE ? GE_AVAILABLE : GE_BREAK, ev, fx);
    if (m->state == AGENT_AVAILABLE && g->fsm.state == AGENT_BREAK) {
        const char *why = trouble(g);

        answer(m->client, m->request, RESULT_REFUSED, why[0] ? why : "your phone is not connected",
               NO_JSON, fx);
        agent_view(g, fx);
        return;
    }
    answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
}

static void on_dial(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_dial *m = ev->msg;

    if (g->fsm.state != AGENT_AVAILABLE) {
        answer(m->client, m->request, RESULT_REFUSED, "you must be available to dial", NO_JSON, fx);
        return;
    }
    if (g->campaign == 0) {
        answer(m->client, m->request, RESULT_REFUSED, "you work in no campaign", NO_JSON, fx);
        return;
    }
    if (!agent_reachable(g)) {
        answer(m->client, m->request, RESULT_REFUSED, "your phone is not connected", NO_JSON, fx);
        return;
    }
    if (m->number.len == 0 || m->number.len >= sizeof g->number) {
        answer(m->client, m->request, RESULT_INVALID, reason_sentence(REASON_bad_number), NO_JSON,
               fx);
        return;
    }
    forget_call(g);
    words_keep(g->number, sizeof g->number, m->number);
    g->lead = m->lead;
    g->dialing = true;
    g->cause = CAUSE_AGENT;
    g->dial_client = m->client;
    g->dial_request = m->request;
    agent_fire(g, GE_RESERVED, ev, fx);
    if (g->leg.state == LEG_UP) {
        ask_dial(g, fx);
    } else {
        leg_fire(g, LE_CALL, ev, fx);
    }
}

static void on_hang_up(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_hang_up *m = ev->msg;
    struct msg_agent_hangup h = {.agent = g->id, .attempt = words_of(g->attempt)};

    if (!g->call_alive || g->call_campaign == 0) {
        answer(m->client, m->request, RESULT_REFUSED, "there is no call", NO_JSON, fx);
        return;
    }
    fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_agent_hangup, &h);
    answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
}

static void on_set_disposition(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_set_disposition *m = ev->msg;
    struct msg_dispose d = {
        .attempt = m->attempt.len > 0 ? m->attempt : words_of(g->attempt),
        .agent = g->id,
        .code = m->code,
        .note = m->note,
        .callback_wall_ms = m->callback_wall_ms,
        .request = m->request,
        .client = m->client,
        .at_wall_ms = ev->wall_ms,
    };

    if (d.attempt.len != ID_LEN) {
        answer(m->client, m->request, RESULT_NOT_FOUND, "there is no call to dispose", NO_JSON, fx);
        return;
    }
    if (words_equal(m->code, "not_disposed")) {
        answer(m->client, m->request, RESULT_INVALID, "that disposition is the system's own",
               NO_JSON, fx);
        return;
    }
    fx_send(fx, ADDR_STORE, MSG_dispose, &d);
}

/* The commit is through: only now the page hears "saved". */
static void on_disposed(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_disposed *m = ev->msg;

    if (m->client != 0) {
        struct msg_reply r = {.client = m->client,
                              .request = m->request,
                              .result = m->result,
                              .text = m->text,
                              .json = NO_JSON};

        fx_send(fx, ADDR_WEB, MSG_reply, &r);
    }
    /* Refused for good: another agent has taken the call over, or it is disposed already. There is
     * nothing left here to wait for. */
    bool settled = m->result != RESULT_INVALID && m->result != RESULT_AWAY;

    if (!settled || m->client == 0 || !words_equal(m->attempt, g->attempt)) {
        return;
    }
    g->disposed = true;
    if (g->fsm.state == AGENT_WRAPUP) {
        agent_fire(g, GE_DISPOSED, ev, fx);
    } else {
        agent_view(g, fx);
    }
}

static void on_socket(struct agent *g, const struct event *ev, struct effects *fx)
{
    bool open = ev->type == MSG_socket_open;

    g->socket = open;
    if (g->socket_timer != 0) {
        fx_cancel(fx, g->socket_timer);
        g->socket_timer = 0;
    }
    if (open) {
        g->link_lost = false;
        agent_view(g, fx);
    } else if (g->fsm.state != AGENT_OFFLINE) {
        g->socket_timer = fx_arm(fx, (int64_t)g->link_grace_s * US_PER_S, TIMER_SOCKET, 0);
    }
}

/* --- the desk speaks -------------------------------------------------------------------------- */

/* R8: who is available must be reachable. A server that is away says nothing about the phone: its
 * campaigns do not dial then. */
static void need_phone(struct agent *g, const struct event *ev, struct effects *fx)
{
    if (g->fsm.state == AGENT_AVAILABLE && g->pbx_up && !agent_reachable(g)) {
        agent_fire(g, GE_LEG_FAILED, ev, fx);
    }
}

static void on_config(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_config *m = ev->msg;

    if (!g->configured) {
        struct msg_agent_moved begun = {.agent = g->id,
                                        .state = AGENT_OFFLINE,
                                        .reason = words_of("daemon started"),
                                        .attempt = words_of(""),
                                        .at_wall_ms = ev->wall_ms};

        g->epoch = m->epoch;
        fx_send(fx, ADDR_STORE, MSG_agent_moved, &begun); /* R28: ends what a crash left open */
    }
    g->account = m->account;
    words_keep(g->login, sizeof g->login, m->login);
    words_keep(g->name, sizeof g->name, m->name);
    g->enabled = m->enabled;
    if (g->fsm.state == AGENT_OFFLINE || g->leg.state == LEG_NONE) {
        words_keep(g->endpoint, sizeof g->endpoint, m->endpoint);
        g->pbx_up = g->pbx_up && m->pbx == g->pbx; /* of another server the desk tells next */
        g->pbx = m->pbx;
    }
    g->phone_enabled = m->phone_enabled;
    g->node = m->node;
    g->wrapup_default_s = m->wrapup_default_s;
    g->busy_reset_s = m->busy_reset_s;
    g->link_grace_s = m->link_grace_s;
    g->leg_ring_s = m->leg_ring_s;
    g->configured = true;
    if (!g->enabled && g->fsm.state != AGENT_OFFLINE) { /* R6: waits for the end of the call */
        g->want_logout = true;
        agent_fire(g, GE_LOGOUT, ev, fx);
    }
    need_phone(g, ev, fx);
    agent_view(g, fx);
}

static void on_work_in(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_work_in *m = ev->msg;
    uint64_t before = g->campaign;

    if (m->campaign != before) {
        tell_campaign(g, before, AGENT_OFFLINE, fx);
    }
    g->campaign = m->campaign;
    g->wrapup_s = m->wrapup_s;
    g->campaign_pbx = m->pbx;
    words_keep(g->tone, sizeof g->tone, m->tone);
    words_keep(g->campaign_name, sizeof g->campaign_name, m->name);
    g->leg_wish = m->leg == LEG_PERMANENT ? LEG_PERMANENT : LEG_ON_DEMAND;
    if (g->fsm.state != AGENT_OFFLINE && m->campaign != before) {
        tell_campaign(g, g->campaign, g->fsm.state, fx);
    } else if (g->fsm.state == AGENT_OFFLINE && g->leg.state == LEG_NONE) {
        g->leg_kind = g->leg_wish; /* for a leg that is found after a restart */
    }
    (void)ev;
    agent_view(g, fx);
}

static void on_endpoint(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_endpoint_state *m = ev->msg;

    if (m->pbx != g->pbx || !words_equal(m->endpoint, g->endpoint) ||
        g->phone_online == m->online) {
        return;
    }
    g->phone_online = m->online;
    need_phone(g, ev, fx);
    agent_view(g, fx);
}

static void on_pbx(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_moved *m = ev->msg;
    bool up = m->state == PBX_UP;

    if (m->pbx != g->pbx || up == g->pbx_up) {
        return;
    }
    if (g->pbx_up && !up) {
        g->leg_seen = false; /* the next list tells whether the leg is still there */
    }
    g->pbx_up = up;
    if (g->fsm.state == AGENT_AVAILABLE) {
        tell_campaign(g, g->campaign, g->fsm.state, fx);
    }
    agent_view(g, fx);
}

static void on_timer(struct agent *g, const struct event *ev, struct effects *fx)
{
    switch (ev->timer_kind) {
    case TIMER_AGENT:
        agent_fire(g, GE_TIMEOUT, ev, fx);
        break;
    case TIMER_LEG:
        leg_fire(g, LE_TIMEOUT, ev, fx);
        break;
    case TIMER_SOCKET:
        g->socket_timer = 0;
        g->link_lost = true;
        agent_fire(g, GE_LINK_LOST, ev, fx);
        break;
    case TIMER_TONE:
        g->tone_timer = 0;
        tone_is_over(g, fx);
        break;
    default:
        break;
    }
}

static void on_tone(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_playback_over *m = ev->msg;

    if (words_equal(m->playback, g->attempt)) {
        if (g->tone_timer != 0) {
            fx_cancel(fx, g->tone_timer);
            g->tone_timer = 0;
        }
        tone_is_over(g, fx);
    }
}

static const struct {
    uint16_t type;
    void (*handle)(struct agent *g, const struct event *ev, struct effects *fx);
} handlers[] = {
    {EV_TIMER, on_timer},
    {MSG_agent_config, on_config},
    {MSG_work_in, on_work_in},
    {MSG_endpoint_state, on_endpoint},
    {MSG_pbx_moved, on_pbx},
    {MSG_reserve, on_reserve},
    {MSG_call_moved, on_call_moved},
    {MSG_call_adopted, on_adopted},
    {MSG_playback_over, on_tone},
    {MSG_socket_open, on_socket},
    {MSG_socket_gone, on_socket},
    {MSG_agent_login, on_login},
    {MSG_agent_logout, on_logout},
    {MSG_set_status, on_set_status},
    {MSG_dial, on_dial},
    {MSG_hang_up, on_hang_up},
    {MSG_set_disposition, on_set_disposition},
    {MSG_disposed, on_disposed},
    {MSG_leg_claimed, leg_on_message},
    {MSG_open_leg, leg_on_message},
    {MSG_channel_answered, leg_on_message},
    {MSG_channel_ended, leg_on_message},
    {MSG_originate_failed, leg_on_message},
    {MSG_channel_found, leg_on_message},
    {MSG_pbx_listed, leg_on_message},
};

static void step(void *state, const struct event *ev, struct effects *fx)
{
    struct agent *g = state;

    if (ev->type == EV_START) {
        struct fsm_ctx x = {g, g, NULL, ev, fx};

        g->id = handle_id(ev->self);
        g->leg_kind = LEG_PERMANENT;
        fsm_init(&agent_fsm, NULL, &g->fsm, 0, &x);
        fsm_init(&leg_fsm, NULL, &g->leg, 0, &x);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == ev->type) {
            handlers[i].handle(g, ev, fx);
            return;
        }
    }
}

const struct actor_type agent_actor = {
    .name = "agent",
    .kind = KIND_AGENT,
    .state_size = sizeof(struct agent),
    .step = step,
};
