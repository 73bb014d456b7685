/*
 * agent.c - the agent's actor: which message goes where, its settings, its timers. It alone grants
 * a reservation of its agent (agent_call.c).
 */
#include "actors/agent.h"
#include "actors/words.h"

void agent_fire(struct agent *g, enum agent_event on, const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = {g, g, NULL, ev, fx};

    if (fsm_fire(&agent_fsm, NULL, &g->fsm, (uint8_t)on, &x) == FSM_MOVED) {
        if (g->fsm.state != AGENT_BUSY) {
            g->was_muted = false;
            mute_fire(g, ME_OVER, ev, fx);
        }
        agent_tell_all(g, ev, fx);
    }
    if (g->fsm.state == AGENT_WRAPUP && g->disposed) { /* disposed while still talking */
        agent_fire(g, GE_DISPOSED, ev, fx);
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

static void keep_texts(struct agent *g, struct text name, struct text endpoint, struct text tone,
                       struct effects *fx)
{
    const struct text parts[] = {name, endpoint, tone};
    const char **const places[] = {&g->name, &g->endpoint, &g->tone};
    char *texts = fx_realloc(fx, NULL, (size_t)name.len + endpoint.len + tone.len + 3u);
    char *at = texts;

    for (size_t i = 0; i < 3; i++) { /* some are copied from the old ones */
        words_keep(at, (size_t)parts[i].len + 1u, parts[i]);
        *places[i] = at;
        at += parts[i].len + 1u;
    }
    if (g->texts != NULL) {
        fx_realloc(fx, g->texts, 0);
    }
    g->texts = texts;
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
    bool moves = g->fsm.state == AGENT_OFFLINE || leg_unused(g);

    keep_texts(g, m->name, moves ? m->endpoint : words_of(g->endpoint), words_of(g->tone), fx);
    g->enabled = m->enabled;
    if (moves) {
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
        agent_tell_campaign(g, before, AGENT_OFFLINE, fx);
    }
    g->campaign = m->campaign;
    g->wrapup_s = m->wrapup_s;
    keep_texts(g, words_of(g->name), words_of(g->endpoint), m->tone, fx);
    g->leg_wish = m->leg == LEG_PERMANENT ? LEG_PERMANENT : LEG_ON_DEMAND;
    if (g->fsm.state != AGENT_OFFLINE && (m->campaign != before || m->anew)) {
        agent_tell_campaign(g, g->campaign, g->fsm.state, fx);
    } else if (g->fsm.state == AGENT_OFFLINE && leg_unused(g)) {
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

    if (m->pbx != g->pbx) {
        return;
    }
    if (!up && (g->pbx_up || m->restarted)) {
        /* The next list tells whether the leg is still there; not of one that has just been asked
         * for: the list may be older than that, and on its way to us. */
        g->leg_seen = !m->restarted && g->leg.state == LEG_CALLING &&
                      ev->now_us - g->leg_asked_us < SEND_WITHIN_US;
    }
    if (up == g->pbx_up) {
        return;
    }
    g->pbx_up = up;
    if (up) {
        leg_server_back(g, fx);
        mute_fire(g, ME_SERVER_BACK, ev, fx);
    }
    if (g->fsm.state == AGENT_AVAILABLE) {
        agent_tell_campaign(g, g->campaign, g->fsm.state, fx);
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
        agent_tone_is_over(g, fx);
        break;
    case TIMER_MUTE:
        mute_fire(g, ME_TIMEOUT, ev, fx);
        break;
    default:
        break;
    }
}

#define BACK_US (60 * US_PER_S)

/* How it was when the last daemon went. Who was in a call, or had one to dispose, is told by the
 * campaign that adopts it. */
static void on_open(struct agent *g, const struct event *ev, struct effects *fx)
{
    const struct msg_open_agent *m = ev->msg;

    if (g->fsm.state == AGENT_OFFLINE && g->attempt[0] == 0) {
        g->was = m->state == AGENT_BREAK || m->state == AGENT_PREVIEW          ? m->state
                 : m->state == AGENT_AVAILABLE || m->state == AGENT_CONNECTING ? AGENT_AVAILABLE
                                                                               : 0;
        g->was_until_us = ev->now_us + BACK_US;
        if (g->was != 0) {
            words_keep(g->next_reason, sizeof g->next_reason, m->reason);
        }
        g->was_muted = m->state == AGENT_BUSY && words_equal(m->reason, "muted");
        if (g->leg.state == LEG_UP) { /* it was found before this was told */
            mute_fire(g, ME_LEG_FOUND, ev, fx);
        }
    }
}

/* A restart of the daemon is no reason to log in again: the page is back, the campaign is known,
 * and the list of its server has told what became of the leg. */
static void go_on(struct agent *g, const struct event *ev, struct effects *fx)
{
    if (g->fsm.state == AGENT_OFFLINE && ev->now_us <= g->was_until_us) {
        if (g->socket && g->enabled && g->campaign != 0 && g->pbx_up && g->leg.state != LEG_LEFT) {
            if (g->was == AGENT_PREVIEW) {
                g->trouble = "the daemon was restarted: the lead that you looked at went back";
            }
            agent_fire(g, GE_BACK, ev, fx);
        }
    } else if (g->fsm.state == AGENT_OFFLINE) {
        g->next_reason[0] = 0;
        g->was = 0;
    }
    if (g->fsm.state != AGENT_OFFLINE) {
        g->was = 0;
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
    {MSG_reserve, agent_on_reserve},
    {MSG_call_moved, agent_on_call_moved},
    {MSG_call_adopted, agent_on_adopted},
    {MSG_playback_over, agent_on_tone},
    {MSG_socket_open, agent_on_socket},
    {MSG_socket_gone, agent_on_socket},
    {MSG_agent_login, agent_on_login},
    {MSG_campaign_chosen, agent_on_campaign_chosen},
    {MSG_agent_logout, agent_on_logout},
    {MSG_set_status, agent_on_set_status},
    {MSG_dial, agent_on_dial},
    {MSG_hang_up, agent_on_hang_up},
    {MSG_set_mute, agent_on_set_mute},
    {MSG_muted, agent_on_muted},
    {MSG_send_dtmf, agent_on_send_dtmf},
    {MSG_dtmf_sent, agent_on_dtmf_sent},
    {MSG_agent_order, agent_on_order},
    {MSG_preview_dial, agent_on_preview_dial},
    {MSG_preview_skip, agent_on_preview_skip},
    {MSG_choose_lead, agent_on_choose_lead},
    {MSG_lead_settled, agent_on_lead_settled},
    {MSG_set_disposition, agent_on_set_disposition},
    {MSG_disposed, agent_on_disposed},
    {MSG_leg_claimed, leg_on_message},
    {MSG_open_leg, leg_on_message},
    {MSG_open_agent, on_open},
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
        g->name = g->endpoint = g->tone = g->trouble = "";
        g->leg_kind = LEG_PERMANENT;
        fsm_init(&agent_fsm, NULL, &g->fsm, 0, &x);
        fsm_init(&leg_fsm, NULL, &g->leg, 0, &x);
        fsm_init(&mute_fsm, NULL, &g->mute, 0, &x);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == ev->type) {
            handlers[i].handle(g, ev, fx);
            if (g->was != 0) {
                go_on(g, ev, fx);
            }
            return;
        }
    }
}

static void fini(void *state)
{
    struct agent *g = state;

    if (g->texts != NULL) {
        fx_realloc(NULL, g->texts, 0);
    }
}

const struct actor_type agent_actor = {
    .name = "agent",
    .kind = KIND_AGENT,
    .state_size = sizeof(struct agent),
    .step = step,
    .fini = fini,
};
