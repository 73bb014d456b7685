/*
 * agent_call.c - the agent's calls: reservations, which only this actor grants, the tone before a
 * call, and what the leg and the campaign tell of it.
 */
#include "actors/agent.h"
#include "actors/words.h"

#define TONE_MOST_US (600 * US_PER_MS)

static struct agent *self(const struct fsm_ctx *x)
{
    return x->owner;
}

/* --- the leg speaks --------------------------------------------------------------------------- */

void agent_leg_up(struct agent *g, const struct event *ev, struct effects *fx)
{
    g->trouble = "";
    agent_fire(g, GE_LEG_UP, ev, fx);
    agent_view(g, fx);
}

void agent_leg_failed(struct agent *g, const char *why, const struct event *ev, struct effects *fx)
{
    g->trouble = why;
    if (g->dialing) {
        agent_answer(g->dial_client, g->dial_request, RESULT_REFUSED, why, NO_JSON, fx);
    }
    agent_fire(g, GE_LEG_FAILED, ev, fx);
}

void agent_leg_down(struct agent *g, const struct event *ev, struct effects *fx)
{
    agent_fire(g, GE_LEG_DOWN, ev, fx);
    agent_view(g, fx);
}

void agent_ask_dial(struct agent *g, struct effects *fx)
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

void agent_leg_for_call(const struct fsm_ctx *x)
{
    struct agent *g = self(x);

    if (g->dialing) {
        agent_ask_dial(g, x->fx);
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

void agent_take_call(struct agent *g, const struct event *ev, struct effects *fx)
{
    g->call_alive = true;
    if (g->leg_kind == LEG_ON_DEMAND && g->leg.state != LEG_UP) {
        leg_fire(g, LE_CALL, ev, fx);
        return;
    }
    begin_tone(g, fx);
    grant(g, g->tone_over, fx);
}

void agent_on_reserve(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_reserve *m = ev->msg;

    if (g->fsm.state != AGENT_AVAILABLE || m->campaign != g->campaign || !agent_reachable(g)) {
        struct msg_reserved refuse = {
            .agent = g->id, .attempt = m->attempt, .leg = words_of(""), .pbx = g->pbx};

        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_reserved, &refuse);
        agent_tell_campaign(g, g->campaign == m->campaign ? m->campaign : 0, g->fsm.state, fx);
        return;
    }
    words_keep(g->attempt, sizeof g->attempt, m->attempt);
    words_keep(g->number, sizeof g->number, m->number);
    g->lead = m->lead;
    g->call_campaign = m->campaign;
    g->cause = m->cause == CAUSE_AGENT ? CAUSE_AGENT : CAUSE_AUTO;
    g->talked = false;
    g->disposed = false;
    g->preview_s = m->preview_s;
    g->trouble = "";
    pop_screen(g, m, fx);
    if (m->preview_s != 0) {
        agent_show(g, m, ev, fx);
        return;
    }
    g->call_alive = true;
    agent_fire(g, GE_RESERVED, ev, fx);
    agent_take_call(g, ev, fx);
}

void agent_tone_is_over(struct agent *g, struct effects *fx)
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
        agent_answer(g->dial_client, g->dial_request, RESULT_REFUSED, reason_sentence(m->reason),
                     NO_JSON, fx);
        return;
    }
    words_start(&w, buffer, sizeof buffer);
    words_add(&w, "{\"attempt\":");
    words_add_json(&w, m->attempt);
    words_add(&w, "}");
    agent_answer(g->dial_client, g->dial_request, RESULT_OK, "", words_text(&w), fx);
}

void agent_on_call_moved(struct agent *g, const struct event *ev, struct effects *fx)
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
        agent_shown_is_gone(g, m->reason);
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
        if (g->fsm.state == AGENT_PREVIEW) { /* nobody was called */
            agent_fire(g, GE_CALL_OVER, ev, fx);
        }
        break;
    default:
        agent_view(g, fx);
        break;
    }
}

void agent_not_disposed(const struct agent *g, struct text attempt, const struct event *ev,
                        struct effects *fx)
{
    struct msg_dispose m = {.attempt = attempt,
                            .agent = g->id,
                            .code = words_of("not_disposed"),
                            .note = words_of(""),
                            .number = words_of(""),
                            .at_wall_ms = ev->wall_ms};

    fx_send(fx, ADDR_STORE, MSG_dispose, &m);
}

/* Its campaign had lost sight of it, and has found it again. */
static void goes_on(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_call_adopted *m = ev->msg;
    bool waits = g->fsm.state == AGENT_RESERVED || g->fsm.state == AGENT_BUSY;

    if (m->state == ATTEMPT_BRIDGED && !g->call_alive && waits) {
        g->call_alive = true;
        agent_fire(g, GE_ADOPT, ev, fx);
        if (g->leg.state == LEG_NONE) {
            agent_fire(g, GE_LEG_DOWN, ev, fx); /* the customer is there, our leg is not */
        }
    }
}

void agent_on_adopted(struct agent *g, const struct event *ev, struct effects *fx)
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
        .matches = m->matches,
        .cause = m->cause,
    };

    if (words_equal(m->attempt, g->attempt)) {
        goes_on(g, ev, fx);
        return;
    }
    /* Two calls wait for a disposition, or the agent is in the next: only one can be asked for. */
    if (g->attempt[0] != 0 && m->state == ATTEMPT_ENDED) {
        agent_not_disposed(g, m->attempt, ev, fx);
        return;
    }
    if (g->attempt[0] != 0 && g->fsm.state != AGENT_WRAPUP) {
        return;
    }
    if (g->attempt[0] != 0) { /* a call that lives goes before a wrap-up */
        agent_not_disposed(g, words_of(g->attempt), ev, fx);
        agent_forget_call(g);
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
    if (g->leg.state == LEG_NONE) {
        agent_fire(g, GE_LEG_DOWN, ev, fx); /* the customer is there, our leg is not */
    }
}

/* Not before the commit: the page, and the campaign whose call it is. */
void agent_on_lead_settled(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_lead_settled *m = ev->msg;
    struct msg_reply r = {.client = m->client,
                          .request = m->request,
                          .result = m->result,
                          .text = m->text,
                          .json = NO_JSON};
    struct msg_reserve pop = {
        .campaign = m->campaign,
        .attempt = m->attempt,
        .lead = m->lead,
        .number = words_of(g->number),
        .name = m->name,
        .fields = m->fields,
        .attempt_no = m->attempt_no,
        .matches = 1,
    };

    fx_send(fx, ADDR_WEB, MSG_reply, &r);
    if (m->result != RESULT_OK) {
        return;
    }
    fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_lead_settled, m);
    if (words_equal(m->attempt, g->attempt)) {
        g->lead = m->lead;
        pop_screen(g, &pop, fx);
    }
}

void agent_on_tone(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_playback_over *m = ev->msg;

    if (words_equal(m->playback, g->attempt)) {
        if (g->tone_timer != 0) {
            fx_cancel(fx, g->tone_timer);
            g->tone_timer = 0;
        }
        agent_tone_is_over(g, fx);
    }
}
