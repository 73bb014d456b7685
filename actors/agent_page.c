/* agent_page.c - what the agent's page asks for. Each request gets exactly one reply. */
#include "actors/agent.h"
#include "actors/words.h"

/* --- the page speaks -------------------------------------------------------------------------- */

static void log_in(struct agent *g, uint64_t client, uint64_t request, const struct event *ev,
                   struct effects *fx)
{
    g->link_lost = false;
    g->was = 0; /* its own word counts */
    if (g->fsm.state == AGENT_OFFLINE && leg_unused(g)) {
        g->leg_kind = g->leg_wish; /* R2: the kind stays while logged in */
    }
    agent_fire(g, GE_LOGIN, ev, fx);
    agent_answer(client, request, RESULT_OK, "", NO_JSON, fx);
    agent_view(g, fx);
}

void agent_on_login(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_login *m = ev->msg;

    if (!g->configured || !g->enabled) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "this agent may not log in", NO_JSON,
                     fx);
        return;
    }
    if (m->campaign != 0 && m->campaign != g->campaign) { /* R1: chosen at login */
        struct msg_choose_campaign choose = {
            .agent = g->id, .campaign = m->campaign, .client = m->client, .request = m->request};

        if (g->fsm.state == AGENT_OFFLINE) {
            fx_send(fx, ADDR_DESK, MSG_choose_campaign, &choose);
        } else {
            agent_answer(m->client, m->request, RESULT_REFUSED,
                         "you are logged in elsewhere: log out, or a supervisor can move you",
                         NO_JSON, fx);
        }
        return;
    }
    log_in(g, m->client, m->request, ev, fx);
}

void agent_on_campaign_chosen(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_chosen *m = ev->msg;

    if (m->result != RESULT_OK) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "you may not work in that campaign",
                     NO_JSON, fx);
        return;
    }
    log_in(g, m->client, m->request, ev, fx);
}

void agent_on_logout(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_logout *m = ev->msg;
    uint8_t s = g->fsm.state;

    g->was = 0;
    if (s == AGENT_WRAPUP) { /* R6 */
        agent_answer(m->client, m->request, RESULT_REFUSED, "dispose your last call first", NO_JSON,
                     fx);
        return;
    }
    if (s == AGENT_RESERVED || s == AGENT_BUSY) {
        g->want_logout = true;
        agent_answer(m->client, m->request, RESULT_OK, "you will be logged out after this call",
                     NO_JSON, fx);
        agent_view(g, fx);
        return;
    }
    agent_fire(g, GE_LOGOUT, ev, fx);
    agent_answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
}

/* Now, or after the call (R5). A sentence when it cannot be. */
static const char *change_status(struct agent *g, uint8_t to, struct text reason,
                                 const struct event *ev, struct effects *fx)
{
    uint8_t s = g->fsm.state;

    if (s == AGENT_PREVIEW || s == AGENT_RESERVED || s == AGENT_BUSY || s == AGENT_WRAPUP) {
        g->next = to;
        words_keep(g->next_reason, sizeof g->next_reason, reason);
        agent_tell_campaign(g, g->campaign, s, fx);
        agent_view(g, fx);
        return NULL;
    }
    g->trouble = "";
    words_keep(g->next_reason, sizeof g->next_reason, reason);
    agent_fire(g, to == AGENT_AVAILABLE ? GE_AVAILABLE : GE_BREAK, ev, fx);
    if (to == AGENT_AVAILABLE && g->fsm.state == AGENT_BREAK) {
        const char *why = agent_trouble(g);

        agent_view(g, fx);
        return why[0] ? why : "your phone is not connected";
    }
    return NULL;
}

void agent_on_set_status(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_set_status *m = ev->msg;
    const char *why;

    if (m->state != AGENT_AVAILABLE && m->state != AGENT_BREAK) {
        agent_answer(m->client, m->request, RESULT_INVALID, "a status is available or break",
                     NO_JSON, fx);
        return;
    }
    if (g->fsm.state == AGENT_OFFLINE) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "log in first", NO_JSON, fx);
        return;
    }
    why = change_status(g, m->state, m->reason, ev, fx);
    agent_answer(m->client, m->request, why ? RESULT_REFUSED : RESULT_OK, why ? why : "", NO_JSON,
                 fx);
}

void agent_on_dial(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_dial *m = ev->msg;

    if (g->fsm.state != AGENT_AVAILABLE) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "you must be available to dial",
                     NO_JSON, fx);
        return;
    }
    if (g->campaign == 0) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "you work in no campaign", NO_JSON, fx);
        return;
    }
    if (!agent_reachable(g)) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "your phone is not connected", NO_JSON,
                     fx);
        return;
    }
    if (m->number.len == 0 || m->number.len >= sizeof g->number) {
        agent_answer(m->client, m->request, RESULT_INVALID, reason_sentence(REASON_bad_number),
                     NO_JSON, fx);
        return;
    }
    agent_forget_call(g);
    words_keep(g->number, sizeof g->number, m->number);
    g->lead = m->lead;
    g->dialing = true;
    g->cause = CAUSE_AGENT;
    g->dial_client = m->client;
    g->dial_request = m->request;
    agent_fire(g, GE_RESERVED, ev, fx);
    if (g->leg.state == LEG_UP) {
        agent_ask_dial(g, fx);
    } else {
        leg_fire(g, LE_CALL, ev, fx);
    }
}

static bool end_call(const struct agent *g, struct effects *fx)
{
    struct msg_agent_hangup h = {.agent = g->id, .attempt = words_of(g->attempt)};

    if (!g->call_alive || g->call_campaign == 0) {
        return false;
    }
    fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_agent_hangup, &h);
    return true;
}

void agent_on_hang_up(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_hang_up *m = ev->msg;
    bool ended = end_call(g, fx);

    agent_answer(m->client, m->request, ended ? RESULT_OK : RESULT_REFUSED,
                 ended ? "" : "there is no call", NO_JSON, fx);
}

const char *agent_no_talk(const struct agent *g)
{
    if (g->fsm.state != AGENT_BUSY || !g->call_alive) {
        return "there is no call";
    }
    if (!g->pbx_up) {
        return "the telephone system is not connected";
    }
    return g->leg.state == LEG_UP ? NULL : "your phone is away";
}

#define DIGITS_MOST 32u

static bool are_keys(struct text digits)
{
    bool good = digits.len > 0 && digits.len <= DIGITS_MOST;

    for (uint32_t i = 0; i < digits.len && good; i++) {
        char d = digits.ptr[i];

        good = (d >= '0' && d <= '9') || d == '*' || d == '#' || (d >= 'A' && d <= 'D');
    }
    return good;
}

void agent_on_send_dtmf(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_send_dtmf *m = ev->msg;
    struct msg_dtmf out = {.pbx = g->pbx,
                           .channel = words_of(g->attempt),
                           .digits = m->digits,
                           .client = m->client,
                           .request = m->request};
    const char *why = agent_no_talk(g);

    if (!are_keys(m->digits)) {
        agent_answer(m->client, m->request, RESULT_INVALID,
                     "keys are 0 to 9, *, # and A to D, at most 32", NO_JSON, fx);
    } else if (why) {
        agent_answer(m->client, m->request, RESULT_REFUSED, why, NO_JSON, fx);
    } else {
        fx_send(fx, ADDR_ARI, MSG_dtmf, &out);
    }
}

void agent_on_dtmf_sent(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_dtmf_sent *m = ev->msg;

    (void)g;
    (void)ev;
    if (m->status >= 200 && m->status < 300) {
        agent_answer(m->client, m->request, RESULT_OK, "", NO_JSON, fx);
    } else if (m->status == 0) {
        agent_answer(m->client, m->request, RESULT_AWAY,
                     "nobody can say whether the keys were sent", NO_JSON, fx);
    } else {
        agent_answer(m->client, m->request, RESULT_REFUSED, "the call is over", NO_JSON, fx);
    }
}

/* R6: a state or logout that is forced waits for the end of the call, and the logout for the
 * disposition, too: nobody is kept from giving it. */
static const char *obey(struct agent *g, const struct msg_agent_order *m, const struct event *ev,
                        struct effects *fx)
{
    uint8_t s = g->fsm.state;
    const char *why;

    if (m->order == ORDER_HANG_UP) {
        return end_call(g, fx) ? NULL : "the agent has no call";
    }
    if (s == AGENT_OFFLINE) {
        return "the agent is not logged in";
    }
    if (m->order != ORDER_LOGOUT) {
        why = change_status(g, m->order == ORDER_AVAILABLE ? AGENT_AVAILABLE : AGENT_BREAK,
                            m->reason, ev, fx);
        return why ? "the agent cannot take calls: phone, page or telephone system is missing"
                   : NULL;
    }
    if (s == AGENT_RESERVED || s == AGENT_BUSY || s == AGENT_WRAPUP) {
        g->want_logout = true;
        agent_view(g, fx);
    } else {
        agent_fire(g, GE_LOGOUT, ev, fx);
    }
    return NULL;
}

void agent_on_order(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_order *m = ev->msg;
    const char *why = obey(g, m, ev, fx);
    struct msg_reply r = {.client = m->client,
                          .request = m->request,
                          .result = why ? RESULT_REFUSED : RESULT_OK,
                          .text = words_of(why ? why : ""),
                          .json = NO_JSON};

    fx_send(fx, m->reply_to, MSG_reply, &r);
}

/* R14. Which leads there are to choose from the store knows: it has kept that with the attempt. */
void agent_on_choose_lead(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_choose_lead *m = ev->msg;
    struct msg_settle_lead settle = {.attempt = m->attempt,
                                     .agent = g->id,
                                     .lead = m->lead,
                                     .client = m->client,
                                     .request = m->request,
                                     .at_wall_ms = ev->wall_ms};
    const char *why = NULL;

    if (m->attempt.len == 0 || !words_equal(m->attempt, g->attempt)) {
        why = "this is not your call";
    } else if (!g->call_alive) {
        why = "the call is over";
    }
    if (why) {
        agent_answer(m->client, m->request, RESULT_REFUSED, why, NO_JSON, fx);
        return;
    }
    fx_send(fx, ADDR_STORE, MSG_settle_lead, &settle);
}

void agent_on_set_disposition(struct agent *g, const struct event *ev, struct effects *fx)
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
        .number = words_of(""),
    };

    if (words_equal(d.attempt, g->attempt) && !g->disposed) {
        d.number = words_of(g->number);
    }
    if (d.attempt.len != ID_LEN) {
        agent_answer(m->client, m->request, RESULT_NOT_FOUND, "there is no call to dispose",
                     NO_JSON, fx);
        return;
    }
    if (words_equal(d.attempt, g->attempt) && !g->talked && g->cause != CAUSE_AGENT) {
        agent_answer(m->client, m->request, RESULT_REFUSED, "you have not had this call yet",
                     NO_JSON, fx);
        return;
    }
    if (words_equal(m->code, "not_disposed")) {
        agent_answer(m->client, m->request, RESULT_INVALID, "that disposition is the system's own",
                     NO_JSON, fx);
        return;
    }
    fx_send(fx, ADDR_STORE, MSG_dispose, &d);
}

/* The commit is through: only now the page hears "saved". */
void agent_on_disposed(struct agent *g, const struct event *ev, struct effects *fx)
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
    /* Refused for good after the call: another agent has taken it over, or it is disposed already.
     * There is nothing left here to wait for. Before its end it may only be too early. */
    bool refused = m->result != RESULT_INVALID && m->result != RESULT_AWAY;
    bool settled = m->result == RESULT_OK || (refused && g->fsm.state == AGENT_WRAPUP);

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

void agent_on_socket(struct agent *g, const struct event *ev, struct effects *fx)
{
    bool open = ev->type == MSG_socket_open;

    g->socket = open;
    g->page_seen = g->page_seen || open;
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
