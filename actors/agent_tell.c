/* agent_tell.c - what others hear of an agent: its page, its campaign, the record. */
#include "actors/agent.h"
#include "actors/words.h"

void agent_answer(uint64_t client, uint64_t request, enum result result, const char *text,
                  struct text json, struct effects *fx)
{
    struct msg_reply r = {.client = client,
                          .request = request,
                          .result = (uint8_t)result,
                          .text = words_of(text),
                          .json = json};

    fx_send(fx, ADDR_WEB, MSG_reply, &r);
}

/* --- telling ---------------------------------------------------------------------------------- */

const char *agent_trouble(const struct agent *g)
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
    } else if (g->fsm.state == AGENT_PREVIEW) {
        until = g->fsm.since_wall_ms + (int64_t)g->preview_s * MS_PER_S;
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
        .text = words_of(agent_trouble(g)),
        .muted = agent_is_muted(g),
        .dials = g->fsm.state == AGENT_PREVIEW && g->preview_dials,
    };

    fx_send(fx, ADDR_WEB, MSG_view_agent, &v);
}

/* What a campaign hears is what it may count on: available with a server that is away would be
 * asked, refuse, and be asked again. */
void agent_tell_campaign(const struct agent *g, uint64_t campaign, uint8_t state,
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

/* A daemon that comes after can only read here that the leg was to be muted. */
static bool is_silent(const struct agent *g)
{
    return g->fsm.state == AGENT_BUSY &&
           (g->mute.state == MUTE_ASKED || g->mute.state == MUTE_ON || g->was_muted);
}

void agent_record(const struct agent *g, const struct event *ev, struct effects *fx)
{
    struct msg_agent_moved m = {
        .agent = g->id,
        .state = g->fsm.state,
        .reason = words_of(is_silent(g) ? "muted" : g->reason),
        .campaign = g->campaign,
        .attempt = words_of(g->attempt),
        .at_wall_ms = ev->wall_ms,
    };

    fx_send(fx, ADDR_STORE, MSG_agent_moved, &m);
}

void agent_tell_all(const struct agent *g, const struct event *ev, struct effects *fx)
{
    agent_record(g, ev, fx);
    agent_tell_campaign(g, g->campaign, g->fsm.state, fx);
    agent_view(g, fx);
}
