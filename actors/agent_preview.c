/*
 * agent_preview.c - preview mode, the agent's side: a lead is shown before it is dialed, for as
 * long as the campaign gives; its agent has it dialed, or skips it and says why. Whatever else ends
 * that time (the page or the leg gone, a logout, nobody there) gives the lead back as it was.
 */
#include "actors/agent.h"
#include "actors/words.h"

void agent_show(struct agent *g, const struct msg_reserve *m, const struct event *ev,
                struct effects *fx)
{
    struct msg_reserved shown = {.agent = g->id,
                                 .attempt = m->attempt,
                                 .ok = true,
                                 .leg = words_of(""),
                                 .pbx = g->pbx,
                                 .shown = true};

    g->call_alive = false; /* there is none yet */
    g->preview_dials = m->preview_expiry != PREVIEW_NOT_READY;
    agent_fire(g, GE_SHOWN, ev, fx);
    fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_reserved, &shown);
}

/* Its time is over: only with somebody before the page to talk. */
bool agent_dials_shown(const struct fsm_ctx *x)
{
    const struct agent *g = x->owner;

    return g->preview_dials && g->socket && agent_reachable(g);
}

void agent_dial_shown(const struct fsm_ctx *x)
{
    agent_take_call(x->owner, x->ev, x->fx);
}

static void let_go(const struct agent *g, struct text why, bool waits, struct effects *fx)
{
    struct msg_preview_over m = {
        .agent = g->id, .attempt = words_of(g->attempt), .reason = why, .waits = waits};

    fx_send(fx, named(KIND_CAMPAIGN, g->call_campaign), MSG_preview_over, &m);
}

void agent_return_shown(struct agent *g, const char *why, struct effects *fx)
{
    let_go(g, words_of(why), false, fx);
}

void agent_shown_is_gone(struct agent *g, uint8_t reason)
{
    if (g->preview_s != 0) {
        g->trouble = reason == REASON_allow ? "the lead that you looked at was taken back"
                                            : reason_sentence(reason);
    }
}

/* Why not, NULL: the lead is before this agent. */
static const char *not_shown(const struct agent *g, struct text attempt)
{
    return g->fsm.state == AGENT_PREVIEW && words_equal(attempt, g->attempt)
               ? NULL
               : "this lead is not before you any more";
}

void agent_on_preview_dial(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_preview_dial *m = ev->msg;
    const char *why = not_shown(g, m->attempt);

    if (!why && !agent_reachable(g)) {
        why = "your phone is not connected";
    }
    if (!why) {
        agent_fire(g, GE_DIAL, ev, fx);
    }
    agent_answer(m->client, m->request, why ? RESULT_REFUSED : RESULT_OK, why ? why : "", NO_JSON,
                 fx);
}

void agent_on_preview_skip(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_preview_skip *m = ev->msg;
    const char *why = not_shown(g, m->attempt);

    if (!why && m->reason.len == 0) {
        agent_answer(m->client, m->request, RESULT_INVALID, "say why you skip it", NO_JSON, fx);
        return;
    }
    if (!why) {
        let_go(g, m->reason, true, fx);
        agent_fire(g, GE_SKIP, ev, fx);
    }
    agent_answer(m->client, m->request, why ? RESULT_REFUSED : RESULT_OK, why ? why : "", NO_JSON,
                 fx);
}
