/*
 * agent_state.c - the agent's states as a table, with its guards and actions. None of them sets a
 * state.
 */
#include "actors/agent.h"
#include "actors/words.h"

#define MISSED_MOST 2u /* R4: the second wrap-up in a row without a word */

enum { T_CONNECT = 1, T_PREVIEW, T_RESERVED, T_BUSY, T_WRAPUP, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_CONNECT] = {"connect", 60 * US_PER_S, "the phone must have answered"},
    [T_PREVIEW] = {"preview", 60 * US_PER_S, "the lead that is shown is dialed, or goes back"},
    [T_RESERVED] = {"reserved", 20 * US_PER_S, "the call that was announced must have come"},
    [T_BUSY] = {"busy", 600 * US_PER_S, "S9: busy without a call"},
    [T_WRAPUP] = {"wrapup", 120 * US_PER_S, "S7, S8: wrap-up without a disposition"},
};

static const char *const states[AGENT_STATES] = {"offline", "connecting", "available", "reserved",
                                                 "busy",    "wrapup",     "break",     "preview"};
static const char *const events[GE_EVENTS] = {
    "timeout",   "login",   "leg_up", "leg_failed", "leg_down", "set_available",
    "set_break", "reserve", "joined", "call_over",  "disposed", "link_lost",
    "logout",    "adopt",   "back",   "shown",      "dial",     "skip"};

static struct agent *self(const struct fsm_ctx *x)
{
    return x->owner;
}

static void set_reason(struct agent *g, const char *reason)
{
    words_keep(g->reason, sizeof g->reason, words_of(reason));
}

/* --- guards ----------------------------------------------------------------------------------- */

bool agent_reachable(const struct agent *g)
{
    bool phone = g->phone_enabled && g->endpoint[0] != 0 && g->pbx_up;

    /* a leg that is up proves the phone, whatever became of its registration */
    return !g->link_lost && g->page_seen && phone &&
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

static bool was_resting(const struct fsm_ctx *x)
{
    return self(x)->was == AGENT_BREAK;
}

static bool leg_in_turn(const struct fsm_ctx *x)
{
    return leg_waits(self(x));
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

/* Not the count of missed wrap-ups: a call that came to nothing says nothing about them (R4). */
void agent_forget_call(struct agent *g)
{
    g->attempt[0] = 0;
    g->call_campaign = 0;
    g->call_alive = false;
    g->talked = false;
    g->disposed = false;
    g->dialing = false;
    g->lead = 0;
    g->number[0] = 0;
    g->preview_s = 0;
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

    g->missed_wrapups = disposed ? 0 : g->missed_wrapups + 1u;
    if (!disposed && g->attempt[0] != 0) {
        agent_not_disposed(g, words_of(g->attempt), x->ev, x->fx);
    }
    tell_done(g, disposed, x->fx);
    agent_forget_call(g);
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
    agent_forget_call(self(x));
    be_available(x);
}

static void rest_after_call(const struct fsm_ctx *x)
{
    put_leg_away(x);
    agent_forget_call(self(x));
    rest_as_asked(x);
}

static void lost_after_call(const struct fsm_ctx *x)
{
    put_leg_away(x);
    agent_forget_call(self(x));
    rest_link_lost(x);
}

static void leave_after_call(const struct fsm_ctx *x)
{
    agent_forget_call(self(x));
    leave(x);
}

static void lost_in_preview(const struct fsm_ctx *x)
{
    agent_return_shown(self(x), "link lost", x->fx);
    lost_after_call(x);
}

static void no_phone_in_preview(const struct fsm_ctx *x)
{
    agent_return_shown(self(x), "no phone", x->fx);
    agent_forget_call(self(x));
    rest_no_phone(x);
}

static void leave_preview(const struct fsm_ctx *x)
{
    agent_return_shown(self(x), "logout", x->fx);
    leave_after_call(x);
}

/* Its time is over, and it is not to be dialed by itself, or nobody is there to talk. */
static void silent_in_preview(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    agent_return_shown(g, "no response", x->fx);
    if (g->next == AGENT_BREAK) {
        rest_after_call(x);
        return;
    }
    agent_forget_call(g);
    rest_no_answer(x);
}

static void no_phone_for_call(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_reserved refuse = {
        .agent = g->id, .attempt = words_of(g->attempt), .leg = words_of(""), .pbx = g->pbx};

    if (!g->dialing && g->attempt[0] != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_reserved, &refuse);
    }
    agent_forget_call(g);
    rest_no_phone(x);
}

static void give_up_waiting(struct agent *g, const struct fsm_ctx *x)
{
    struct msg_agent_hangup m = {.agent = g->id, .attempt = words_of(g->attempt)};

    if (g->attempt[0] != 0 && g->call_campaign != 0) {
        fx_send(x->fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_agent_hangup, &m);
    }
    if (g->dialing) {
        agent_answer(g->dial_client, g->dial_request, RESULT_AWAY,
                     "the call could not be placed in time", NO_JSON, x->fx);
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

/* Or is it? An end that nobody has heard would hold the agent for as long as a call may last. */
static void still_talking(const struct fsm_ctx *x)
{
    const struct agent *g = self(x);
    struct msg_channel_check m = {.pbx = g->pbx, .channel = words_of(g->attempt)};

    fx_trace(x->fx, "busy with a call", g->id, 0);
    fx_send(x->fx, ADDR_ARI, MSG_channel_check, &m);
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
    ROW(S(RESERVED), GE_ADOPT, 0, joined, S(BUSY), T_BUSY),
    ROW(S(BUSY), GE_ADOPT, 0, joined, S(BUSY), T_BUSY),
    ROW(S(WRAPUP), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(WRAPUP), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(BREAK), GE_ADOPT, call_alive, joined, S(BUSY), T_BUSY),
    ROW(S(BREAK), GE_ADOPT, 0, 0, S(WRAPUP), T_WRAPUP),
    ROW(S(OFFLINE), GE_LINK_LOST, 0, leave, FSM_STAY, FSM_NO_TIMER),
    ROW(S(OFFLINE), GE_BACK, was_resting, rest_as_asked, S(BREAK), FSM_NO_TIMER),
    ROW(S(OFFLINE), GE_BACK, reachable, be_available, S(AVAILABLE), FSM_NO_TIMER),
    ROW(S(OFFLINE), GE_BACK, can_connect, call_leg_to_work, S(CONNECTING), T_CONNECT),
    ROW(S(OFFLINE), GE_BACK, 0, 0, FSM_STAY, FSM_NO_TIMER),

    ROW(S(CONNECTING), GE_LEG_UP, wanted_and_reachable, be_available, S(AVAILABLE), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LEG_UP, 0, rest_after_login, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LEG_FAILED, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_AVAILABLE, 0, want_available, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_BREAK, 0, want_rest, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LINK_LOST, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_LOGOUT, 0, leave, S(OFFLINE), FSM_NO_TIMER),
    ROW(S(CONNECTING), GE_TIMEOUT, leg_in_turn, 0, S(CONNECTING), T_CONNECT),
    ROW(S(CONNECTING), GE_TIMEOUT, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),

    ROW(S(AVAILABLE), GE_RESERVED, 0, 0, S(RESERVED), T_RESERVED),
    ROW(S(AVAILABLE), GE_BREAK, 0, rest_as_asked, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LEG_DOWN, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LEG_FAILED, 0, rest_no_phone, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LINK_LOST, 0, rest_link_lost, S(BREAK), FSM_NO_TIMER),
    ROW(S(AVAILABLE), GE_LOGOUT, 0, leave, S(OFFLINE), FSM_NO_TIMER),

    ROW(S(AVAILABLE), GE_SHOWN, 0, 0, S(PREVIEW), T_PREVIEW),
    ROW(S(PREVIEW), GE_DIAL, 0, agent_dial_shown, S(RESERVED), T_RESERVED),
    GOES_ON(S(PREVIEW), GE_SKIP, leave_after_call, rest_after_call, work_after_call,
            lost_after_call),
    GOES_ON(S(PREVIEW), GE_CALL_OVER, leave_after_call, rest_after_call, work_after_call,
            lost_after_call),
    ROW(S(PREVIEW), GE_TIMEOUT, agent_dials_shown, agent_dial_shown, S(RESERVED), T_RESERVED),
    ROW(S(PREVIEW), GE_TIMEOUT, 0, silent_in_preview, S(BREAK), FSM_NO_TIMER),
    ROW(S(PREVIEW), GE_LEG_DOWN, 0, lost_in_preview, S(BREAK), FSM_NO_TIMER),
    ROW(S(PREVIEW), GE_LEG_FAILED, 0, no_phone_in_preview, S(BREAK), FSM_NO_TIMER),
    ROW(S(PREVIEW), GE_LINK_LOST, 0, lost_in_preview, S(BREAK), FSM_NO_TIMER),
    ROW(S(PREVIEW), GE_LOGOUT, 0, leave_preview, S(OFFLINE), FSM_NO_TIMER),

    ROW(S(RESERVED), GE_LEG_UP, 0, agent_leg_for_call, FSM_STAY, FSM_NO_TIMER),
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
    ANY(GE_BACK, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_SHOWN, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_DIAL, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(GE_SKIP, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

/* 0: a call was adopted after a restart before our configuration came. The table's own, then. */
static int64_t configured(uint32_t seconds)
{
    return seconds != 0 ? (int64_t)seconds * US_PER_S : -1;
}

static int64_t duration(const struct fsm_ctx *x, uint8_t timer)
{
    const struct agent *g = self(x);

    switch (timer) {
    case T_PREVIEW:
        return configured(g->preview_s);
    case T_RESERVED: /* a call that an agent asked for rings its phone and the customer's */
        return g->dialing || g->cause == CAUSE_AGENT || g->leg_kind == LEG_ON_DEMAND ||
                       g->preview_s != 0
                   ? 180 * US_PER_S
                   : -1;
    case T_BUSY:
        return configured(g->busy_reset_s);
    case T_WRAPUP:
        return configured(g->campaign != 0 ? g->wrapup_s : g->wrapup_default_s);
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
