/*
 * agent_leg.c - the agent's phone leg. Its row is committed before it is called; permanent legs sit
 * in a bridge of their own between calls, on_demand legs live for one call (R2).
 */
#include "actors/agent.h"
#include "actors/words.h"

#include <string.h>

#define ADOPTED_US (60 * US_PER_S)

/* A place is asked for again after 2 s, 4 s .. 10 s on average, for five minutes in all: longer
 * than a full house takes to log in. */
#define AGAIN_US (2 * US_PER_S)
#define AGAIN_MOST_US (10 * US_PER_S)
#define TRIES_MOST 32u

enum { T_CLAIM = 1, T_RING, T_AGAIN, T_END, T_FOUND, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_CLAIM] = {"claim", 15 * US_PER_S, "the store must have committed the leg"},
    [T_RING] = {"ring", 40 * US_PER_S, "the phone's ring time and what Asterisk needs"},
    [T_AGAIN] = {"again", AGAIN_US, "the server may have a place now"},
    [T_END] = {"end", 10 * US_PER_S, "a hang-up must be confirmed"},
    [T_FOUND] = {"found", 15 * US_PER_S,
                 "a call that lives is adopted by then, or another has come"},
};

static const char *const states[LEG_STATES] = {"none",    "left", "claiming", "calling",
                                               "waiting", "up",   "ending"};
static const char *const events[LE_EVENTS] = {"timeout", "open",     "call", "claimed", "refused",
                                              "busy",    "answered", "gone", "hang_up", "found"};

static struct agent *self(const struct fsm_ctx *x)
{
    return x->owner;
}

/* --- actions ---------------------------------------------------------------------------------- */

static void record_over(const struct agent *g, uint16_t cause, const struct fsm_ctx *x)
{
    struct msg_leg_over m = {
        .leg = words_of(g->leg_id),
        .cause = cause,
        .answered_wall_ms = g->leg_answered_wall_ms,
        .at_wall_ms = x->ev->wall_ms,
    };

    fx_send(x->fx, ADDR_STORE, MSG_leg_over, &m);
}

/* The bridge has its leg's id, as all of them (ids.h). brg- ids carry a campaign or an agent in the
 * same place: the agent's are told apart by the first digit of their sequence, so that the two can
 * never be the same. */
static void name_bridge(struct agent *g)
{
    id_convert(g->leg_bridge, ID_BRIDGE, g->leg_id);
    g->leg_bridge[27] = 'f';
}

/* While the server is away the command would be lost: leg_server_back() sends it then. */
static void drop_bridge(struct agent *g, const struct fsm_ctx *x)
{
    struct msg_bridge_destroy m = {.pbx = g->pbx, .bridge = words_of(g->leg_bridge)};

    if (g->leg_kind != LEG_PERMANENT || g->leg_bridge[0] == 0) {
        return;
    }
    if (g->pbx_up) {
        fx_send(x->fx, ADDR_ARI, MSG_bridge_destroy, &m);
    } else {
        memcpy(g->left_bridge, g->leg_bridge, ID_SIZE);
    }
    g->leg_bridge[0] = 0;
}

void leg_server_back(struct agent *g, struct effects *fx)
{
    struct msg_bridge_destroy m = {.pbx = g->pbx, .bridge = words_of(g->left_bridge)};

    if (g->left_bridge[0] != 0) {
        fx_send(fx, ADDR_ARI, MSG_bridge_destroy, &m);
        g->left_bridge[0] = 0;
    }
}

static void ask_claim(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct channel_id id = {g->node, (uint32_t)g->id, g->epoch, ++g->seq};

    id_make(g->leg_id, ID_LEG, &id);
    g->leg_bridge[0] = 0;
    g->leg_answered_wall_ms = 0;
    g->leg_tries = 0;
    struct msg_leg_claim m = {
        .leg = words_of(g->leg_id),
        .agent = g->id,
        .use = LEG_AGENT,
        .pbx = g->pbx,
        .endpoint = words_of(g->endpoint),
        .attempt = words_of(g->leg_kind == LEG_ON_DEMAND ? g->attempt : ""),
        .at_wall_ms = x->ev->wall_ms,
    };

    fx_send(x->fx, ADDR_STORE, MSG_leg_claim, &m);
}

static void originate(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_originate_leg m = {
        .leg = words_of(g->leg_id),
        .permit = g->leg_permit,
        .pbx = g->pbx,
        .endpoint = words_of(g->endpoint),
        .caller_id = words_of(""),
        .ring_s = g->leg_ring_s,
        .until_us = x->ev->now_us + SEND_WITHIN_US,
    };

    g->leg_seen = true; /* a list that is on its way cannot know of it */
    g->leg_asked_us = x->ev->now_us;
    fx_send(x->fx, ADDR_ARI, MSG_originate_leg, &m);
}

static uint16_t cause_of(const struct fsm_ctx *x)
{
    return x->ev->type == MSG_channel_ended ? ((const struct msg_channel_ended *)x->ev->msg)->cause
                                            : 0;
}

static void hang_up(const struct fsm_ctx *x)
{
    struct agent *g = self(x);
    struct msg_hangup m = {.pbx = g->pbx, .channel = words_of(g->leg_id)};

    fx_send(x->fx, ADDR_ARI, MSG_hangup, &m);
}

void leg_home(struct agent *g, struct effects *fx)
{
    struct msg_bridge_add m = {.pbx = g->pbx,
                               .bridge = words_of(g->leg_bridge),
                               .channel = words_of(g->leg_id),
                               .channel2 = words_of(""),
                               .reply_to = HANDLE_NONE};

    /* adding it to the bridge it is in would be heard as a gap */
    if (g->leg.state == LEG_UP && g->leg_kind == LEG_PERMANENT && g->leg_away) {
        g->leg_away = false;
        fx_send(fx, ADDR_ARI, MSG_bridge_add, &m);
    }
}

static void went_up(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->leg_answered_wall_ms = x->ev->wall_ms;
    if (g->leg_kind == LEG_PERMANENT) {
        name_bridge(g);
        struct msg_bridge_create m = {.pbx = g->pbx, .bridge = words_of(g->leg_bridge)};

        fx_send(x->fx, ADDR_ARI, MSG_bridge_create, &m);
        g->leg_away = true;
        if (!g->call_alive) {
            leg_home(g, x->fx);
        }
    }
    mute_fire(g, ME_LEG_UP, x->ev, x->fx); /* before anybody can hear it */
    agent_leg_up(g, x->ev, x->fx);
}

void leg_await_page(struct agent *g, struct effects *fx)
{
    if (!g->socket && g->socket_timer == 0) {
        g->socket_timer = fx_arm(fx, ADOPTED_US, TIMER_SOCKET, 0);
    }
}

/* It lives from before our start, and so does its bridge. */
static void adopt(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->leg_answered_wall_ms = x->ev->wall_ms; /* not later than now */
    leg_await_page(g, x->fx);
    mute_fire(g, ME_LEG_FOUND, x->ev, x->fx);
    agent_leg_up(g, x->ev, x->fx);
}

static bool on_demand(const struct fsm_ctx *x)
{
    return self(x)->leg_kind == LEG_ON_DEMAND;
}

/* Its call ended while no daemon was there. */
static bool without_call(const struct fsm_ctx *x)
{
    const uint8_t state = self(x)->fsm.state;

    return on_demand(x) && state != AGENT_RESERVED && state != AGENT_BUSY;
}

static void claim_failed(const struct fsm_ctx *x)
{
    agent_leg_failed(self(x), "the store cannot record the phone's leg", x->ev, x->fx);
}

static void call_failed(const struct fsm_ctx *x)
{
    record_over(self(x), cause_of(x), x);
    agent_leg_failed(self(x), "your phone did not answer", x->ev, x->fx);
}

/* Nothing has left: its row and permit are still good, and another claim would be one more row for
 * the same call. */
static void wait_for_place(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    g->leg_tries++;
    g->trouble = "the telephone server is busy; your phone will ring";
    agent_view(g, x->fx);
}

static bool may_ask_again(const struct fsm_ctx *x)
{
    return self(x)->pbx_up && self(x)->leg_tries < TRIES_MOST;
}

static void give_up_ringing(const struct fsm_ctx *x)
{
    hang_up(x);
    agent_leg_failed(self(x), "your phone did not answer", x->ev, x->fx);
}

static void close_leg(const struct fsm_ctx *x)
{
    record_over(self(x), cause_of(x), x);
    drop_bridge(self(x), x);
    mute_fire(self(x), ME_LEG_GONE, x->ev, x->fx);
}

static void went_down(const struct fsm_ctx *x)
{
    close_leg(x);
    agent_leg_down(self(x), x->ev, x->fx);
}

static void ended(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    close_leg(x);
    if (g->call_again) {
        g->call_again = false;
        leg_fire(g, LE_CALL, x->ev, x->fx);
    }
}

static void call_later(const struct fsm_ctx *x)
{
    self(x)->call_again = true;
}

static void not_again(const struct fsm_ctx *x)
{
    self(x)->call_again = false;
}

/* A commit that came after we had stopped waiting: its row must not stay open. */
static void close_row(const struct fsm_ctx *x)
{
    record_over(self(x), 0, x);
}

static void keep_left(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    words_keep(g->leg_id, sizeof g->leg_id, ((const struct msg_open_leg *)x->ev->msg)->leg);
    name_bridge(g); /* so that it is ended with the leg */
}

/* A leg that cannot be in use any more: its row is closed, and if it lives channel_found ends it.
 */
static void close_told_leg(struct text leg, const struct event *ev, struct effects *fx)
{
    struct msg_leg_over over = {.leg = leg, .at_wall_ms = ev->wall_ms};

    fx_send(fx, ADDR_STORE, MSG_leg_over, &over);
}

static void close_told(const struct fsm_ctx *x)
{
    close_told_leg(((const struct msg_open_leg *)x->ev->msg)->leg, x->ev, x->fx);
}

/* Of several only the last can be in use (ids grow). */
static void keep_newer(const struct fsm_ctx *x)
{
    close_leg(x);
    keep_left(x);
}

/* Not found yet: a new one takes its place, and if it lives channel_found ends it. */
static void replace_left(const struct fsm_ctx *x)
{
    close_leg(x);
    ask_claim(x);
}

#define S(name) LEG_##name

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state        event        guard action           next         timer */
    ROW(S(NONE), LE_OPEN, 0, keep_left, S(LEFT), FSM_NO_TIMER),
    ROW(S(NONE), LE_CALL, 0, ask_claim, S(CLAIMING), T_CLAIM),
    ROW(S(NONE), LE_CLAIMED, 0, close_row, FSM_STAY, FSM_NO_TIMER),
    ROW(S(NONE), LE_ANSWERED, 0, hang_up, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LEFT), LE_OPEN, 0, keep_newer, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LEFT), LE_CALL, 0, replace_left, S(CLAIMING), T_CLAIM),
    ROW(S(LEFT), LE_ANSWERED, 0, hang_up, FSM_STAY, FSM_NO_TIMER),
    ROW(S(LEFT), LE_FOUND, on_demand, adopt, S(UP), T_FOUND),
    ROW(S(LEFT), LE_FOUND, 0, adopt, S(UP), FSM_NO_TIMER),
    ROW(S(LEFT), LE_GONE, 0, went_down, S(NONE), FSM_NO_TIMER),
    ROW(S(CLAIMING), LE_CLAIMED, 0, originate, S(CALLING), T_RING),
    ROW(S(CLAIMING), LE_REFUSED, 0, claim_failed, S(NONE), FSM_NO_TIMER),
    ROW(S(CLAIMING), LE_HANG_UP, 0, 0, S(NONE), FSM_NO_TIMER),
    ROW(S(CLAIMING), LE_TIMEOUT, 0, claim_failed, S(NONE), FSM_NO_TIMER),
    ROW(S(CALLING), LE_ANSWERED, 0, went_up, S(UP), FSM_NO_TIMER),
    ROW(S(CALLING), LE_REFUSED, 0, call_failed, S(NONE), FSM_NO_TIMER),
    ROW(S(CALLING), LE_BUSY, 0, wait_for_place, S(WAITING), T_AGAIN),
    ROW(S(CALLING), LE_GONE, 0, call_failed, S(NONE), FSM_NO_TIMER),
    ROW(S(CALLING), LE_HANG_UP, 0, hang_up, S(ENDING), T_END),
    ROW(S(CALLING), LE_TIMEOUT, 0, give_up_ringing, S(ENDING), T_END),
    ROW(S(WAITING), LE_HANG_UP, 0, close_row, S(NONE), FSM_NO_TIMER),
    ROW(S(WAITING), LE_TIMEOUT, may_ask_again, originate, S(CALLING), T_RING),
    ROW(S(WAITING), LE_TIMEOUT, 0, call_failed, S(NONE), FSM_NO_TIMER),
    ROW(S(UP), LE_GONE, 0, went_down, S(NONE), FSM_NO_TIMER),
    ROW(S(UP), LE_HANG_UP, 0, hang_up, S(ENDING), T_END),
    ROW(S(UP), LE_TIMEOUT, without_call, hang_up, S(ENDING), T_END),
    ROW(S(UP), LE_TIMEOUT, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), LE_CALL, 0, call_later, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), LE_HANG_UP, 0, not_again, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), LE_ANSWERED, 0, hang_up, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), LE_GONE, 0, ended, S(NONE), FSM_NO_TIMER),
    ROW(S(ENDING), LE_REFUSED, 0, ended, S(NONE), FSM_NO_TIMER),
    ROW(S(ENDING), LE_BUSY, 0, ended, S(NONE), FSM_NO_TIMER),
    ROW(S(ENDING), LE_TIMEOUT, 0, ended, S(NONE), FSM_NO_TIMER),
    ANY(LE_OPEN, 0, close_told, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_CALL, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_CLAIMED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_REFUSED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_BUSY, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_ANSWERED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_GONE, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_HANG_UP, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(LE_FOUND, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

static int64_t duration(const struct fsm_ctx *x, uint8_t timer)
{
    int64_t mean = (self(x)->leg_tries + 1) * AGAIN_US;

    if (timer == T_AGAIN) { /* spread, or all who were turned away together come back together */
        mean = mean < AGAIN_MOST_US ? mean : AGAIN_MOST_US;
        return mean / 2 + (int64_t)(fx_random(x->fx) % (uint64_t)mean);
    }
    return timer == T_RING ? ((int64_t)self(x)->leg_ring_s + 10) * US_PER_S : -1;
}

const struct fsm_def leg_fsm = {
    .name = "leg",
    .states = states,
    .n_states = LEG_STATES,
    .events = events,
    .n_events = LE_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = LEG_NONE,
    .ends = 1u << LEG_NONE | 1u << LEG_LEFT | 1u << LEG_UP,
    .timer_kind = TIMER_LEG,
    .duration = duration,
};

void leg_fire(struct agent *g, enum leg_event on, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {g, g, NULL, ev, fx};

    fsm_fire(&leg_fsm, NULL, &g->leg, (uint8_t)on, &x);
}

/* --- messages --------------------------------------------------------------------------------- */

static bool ours(const struct agent *g, struct text channel)
{
    return g->leg_id[0] != 0 && words_equal(channel, g->leg_id);
}

static void on_claimed(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_leg_claimed *m = ev->msg;

    if (!ours(g, m->leg)) {
        if (m->result == RESULT_OK) { /* nobody waits for it any more: its row must not stay open */
            close_told_leg(m->leg, ev, fx);
        }
        return;
    }
    g->leg_permit = m->permit;
    leg_fire(g, m->result == RESULT_OK ? LE_CLAIMED : LE_REFUSED, ev, fx);
}

static void on_answered(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_channel_answered *m = ev->msg;
    struct msg_hangup h = {.pbx = m->pbx, .channel = m->channel};

    if (ours(g, m->channel)) {
        leg_fire(g, LE_ANSWERED, ev, fx);
    } else {
        fx_send(fx, ADDR_ARI, MSG_hangup, &h); /* a leg we had given up */
    }
}

static void on_failed(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_originate_failed *m = ev->msg;

    if (ours(g, m->channel)) {
        leg_fire(g, m->busy ? LE_BUSY : LE_REFUSED, ev, fx);
    }
}

/* It is in a call's bridge. If the record of that was lost, only this tells the campaign that the
 * two are talking. */
static void tell_where(const struct agent *g, const struct msg_channel_found *m, struct effects *fx)
{
    struct msg_leg_found found = {.agent = g->id, .bridge = m->bridge, .leg = m->channel};
    struct channel_id bridge;

    if (id_parse(m->bridge, &bridge) == ID_BRIDGE && bridge.owner != 0 &&
        !words_equal(m->bridge, g->leg_bridge)) {
        fx_send(fx, named(KIND_CAMPAIGN, bridge.owner), MSG_leg_found, &found);
    }
}

static void on_found(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_channel_found *m = ev->msg;
    struct msg_hangup h = {.pbx = m->pbx, .channel = m->channel};

    if (!ours(g, m->channel)) {
        fx_send(fx, ADDR_ARI, MSG_hangup, &h); /* a leg nobody knows any more */
        return;
    }
    g->leg_seen = true;
    tell_where(g, m, fx);
    if (m->up) {
        leg_fire(g, g->leg.state == LEG_LEFT ? LE_FOUND : LE_ANSWERED, ev, fx);
    } else if (leg_unused(g)) {
        fx_send(fx, ADDR_ARI, MSG_hangup, &h); /* rings for somebody who has asked before us */
    }
}

bool leg_waits(const struct agent *g)
{
    return g->leg_tries > 0 && (g->leg.state == LEG_WAITING || g->leg.state == LEG_CALLING);
}

bool leg_unused(const struct agent *g)
{
    return g->leg.state == LEG_NONE || g->leg.state == LEG_LEFT;
}

static void on_open_leg(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_open_leg *m = ev->msg;

    if (m->use != LEG_AGENT || m->leg.len != ID_LEN || words_equal(m->leg, g->leg_id)) {
        return;
    }
    if (g->leg_id[0] != 0 && memcmp(m->leg.ptr, g->leg_id, ID_LEN) < 0) {
        close_told_leg(m->leg, ev, fx); /* older than the one we know */
    } else {
        leg_fire(g, LE_OPEN, ev, fx);
    }
}

static void on_listed(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_listed *m = ev->msg;

    if (m->pbx != g->pbx) {
        return;
    }
    if (!g->leg_seen && g->leg.state != LEG_CLAIMING && g->leg.state != LEG_WAITING) {
        leg_fire(g, LE_GONE, ev, fx);
    }
}

void leg_on_message(struct agent *g, const struct event *ev, struct effects *fx)
{
    switch (ev->type) {
    case MSG_leg_claimed:
        on_claimed(g, ev, fx);
        break;
    case MSG_channel_answered:
        on_answered(g, ev, fx);
        break;
    case MSG_channel_ended:
        if (ours(g, ((const struct msg_channel_ended *)ev->msg)->channel)) {
            leg_fire(g, LE_GONE, ev, fx);
        }
        break;
    case MSG_originate_failed:
        on_failed(g, ev, fx);
        break;
    case MSG_channel_found:
        on_found(g, ev, fx);
        break;
    case MSG_open_leg:
        on_open_leg(g, ev, fx);
        break;
    case MSG_pbx_listed:
        on_listed(g, ev, fx);
        break;
    default:
        break;
    }
}
