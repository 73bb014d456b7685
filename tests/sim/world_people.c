/*
 * world_people.c - agents at their pages: what they ask for, what they see, what they do by
 * themselves; and the operator's connection.
 */
#include "adapters/store/rules.h"
#include "tests/sim/world_int.h"

#include <string.h>

#define OPERATOR 1000000u

static void ask(struct world *w, uint64_t agent, uint16_t type, const void *msg)
{
    see(w, &(struct judge_event){.kind = JUDGE_ASKED,
                                 .agent = agent,
                                 .text = message_find(&dialer_catalogue, type)->name});
    world_post(w, &w->web_way, 2 * US_PER_MS, KIND_WEB, named(KIND_AGENT, agent), type, msg);
}

uint64_t world_request(struct world *w, const char *what)
{
    w->replies =
        world_room(w->replies, &w->room_replies, (uint32_t)w->requests, sizeof *w->replies);
    w->replies[w->requests] = (struct reply){
        .result = REPLY_NONE, .what = what, .times = w->alive ? 0 : 1}; /* nobody can be asked */
    return ++w->requests;
}

const struct reply *world_reply(struct world *w, uint64_t request)
{
    return &w->replies[request - 1];
}

static void on_reply(struct world *w, const struct msg_reply *m)
{
    if (m->request == 0 || m->request > w->requests) {
        world_broken(w, "a reply to request %llu, which nobody made",
                     (unsigned long long)m->request);
        return;
    }
    struct reply *r = &w->replies[m->request - 1];

    r->result = m->result;
    text_keep(r->text, sizeof r->text, m->text);
    text_keep(r->json, sizeof r->json, m->json);
    if (r->agent != 0 && m->result == RESULT_OK) {
        see(w, &(struct judge_event){
                   .kind = JUDGE_ACKED, .agent = r->agent, .id = r->attempt, .text = r->code});
    }
    if (++r->times > 1) {
        world_broken(w, "request %llu was answered %u times", (unsigned long long)m->request,
                     r->times);
    }
}

/* --- what they ask for -------------------------------------------------------------------- */

uint64_t world_login(struct world *w, uint64_t agent)
{
    struct msg_agent_login m = {.client = agent, .request = world_request(w, "login")};

    world_socket(w, agent, true);
    ask(w, agent, MSG_agent_login, &m);
    return m.request;
}

uint64_t world_login_to(struct world *w, uint64_t agent, uint64_t campaign)
{
    struct msg_agent_login m = {
        .client = agent, .request = world_request(w, "login"), .campaign = campaign};

    world_socket(w, agent, true);
    ask(w, agent, MSG_agent_login, &m);
    return m.request;
}

uint64_t world_logout(struct world *w, uint64_t agent)
{
    struct msg_agent_logout m = {.client = agent, .request = world_request(w, "logout")};

    ask(w, agent, MSG_agent_logout, &m);
    return m.request;
}

static uint64_t set_status(struct world *w, uint64_t agent, enum agent_state state,
                           const char *reason)
{
    struct msg_set_status m = {.client = agent,
                               .request = world_request(w, "status"),
                               .state = (uint8_t)state,
                               .reason = text_of(reason)};

    ask(w, agent, MSG_set_status, &m);
    return m.request;
}

uint64_t world_available(struct world *w, uint64_t agent)
{
    return set_status(w, agent, AGENT_AVAILABLE, "");
}

uint64_t world_break(struct world *w, uint64_t agent, const char *reason)
{
    return set_status(w, agent, AGENT_BREAK, reason);
}

uint64_t world_dial(struct world *w, uint64_t agent, const char *number)
{
    struct msg_dial m = {
        .client = agent, .request = world_request(w, "dial"), .number = text_of(number)};

    ask(w, agent, MSG_dial, &m);
    return m.request;
}

uint64_t world_hang_up(struct world *w, uint64_t agent)
{
    struct msg_hang_up m = {.client = agent, .request = world_request(w, "hang_up")};

    ask(w, agent, MSG_hang_up, &m);
    return m.request;
}

uint64_t world_mute(struct world *w, uint64_t agent, bool on)
{
    struct msg_set_mute m = {.client = agent, .request = world_request(w, "mute"), .on = on};

    ask(w, agent, MSG_set_mute, &m);
    return m.request;
}

uint64_t world_dtmf(struct world *w, uint64_t agent, const char *digits)
{
    struct msg_send_dtmf m = {
        .client = agent, .request = world_request(w, "dtmf"), .digits = text_of(digits)};

    ask(w, agent, MSG_send_dtmf, &m);
    return m.request;
}

uint64_t world_dispose_as(struct world *w, uint64_t agent, const char *attempt, const char *code,
                          int64_t callback_wall_ms)
{
    struct msg_set_disposition m = {.client = agent,
                                    .request = world_request(w, "disposition"),
                                    .attempt = text_of(attempt),
                                    .code = text_of(code),
                                    .note = text_of("a note"),
                                    .callback_wall_ms = callback_wall_ms};
    struct reply *r = &w->replies[m.request - 1];

    r->agent = agent;
    text_keep(r->attempt, sizeof r->attempt, m.attempt);
    text_keep(r->code, sizeof r->code, m.code);
    ask(w, agent, MSG_set_disposition, &m);
    return m.request;
}

uint64_t world_choose(struct world *w, uint64_t agent, const char *attempt, uint64_t lead)
{
    struct msg_choose_lead m = {.client = agent,
                                .request = world_request(w, "choose"),
                                .attempt = text_of(attempt),
                                .lead = lead};

    ask(w, agent, MSG_choose_lead, &m);
    return m.request;
}

uint64_t world_preview_dial(struct world *w, uint64_t agent)
{
    struct msg_preview_dial m = {.client = agent,
                                 .request = world_request(w, "preview_dial"),
                                 .attempt = text_of(world_page(w, agent)->attempt)};

    ask(w, agent, MSG_preview_dial, &m);
    return m.request;
}

uint64_t world_preview_skip(struct world *w, uint64_t agent, const char *reason)
{
    struct msg_preview_skip m = {.client = agent,
                                 .request = world_request(w, "preview_skip"),
                                 .attempt = text_of(world_page(w, agent)->attempt),
                                 .reason = text_of(reason)};

    ask(w, agent, MSG_preview_skip, &m);
    return m.request;
}

uint64_t world_dispose(struct world *w, uint64_t agent, const char *code)
{
    return world_dispose_as(w, agent, world_page(w, agent)->attempt, code, 0);
}

void world_socket(struct world *w, uint64_t agent, bool open)
{
    struct person *p = world_person(w, agent);
    struct msg_socket_open m = {agent, agent};
    struct msg_socket_gone gone = {agent};

    if (p->socket == open || (open && !w->alive)) {
        return;
    }
    p->socket = open;
    if (open && !MUTANT(resume_gap)) {
        p->have_no = p->told_no; /* what it missed comes first */
    }
    if (!open) {
        see(w, &(struct judge_event){.kind = JUDGE_GONE, .agent = agent});
    }
    if (open) {
        ask(w, agent, MSG_socket_open, &m);
    } else {
        ask(w, agent, MSG_socket_gone, &gone);
    }
}

/* --- habits ------------------------------------------------------------------------------- */

enum intention {
    MEANS_TO_DISPOSE = 1,
    MEANS_TO_HANG_UP,
    MEANS_TO_WORK,
    MEANS_TO_REST,
    MEANS_TO_DIAL,
    MEANS_TO_SKIP
};

static void acts(void *ctx, uint64_t arg);

static void intend(struct world *w, struct person *p, enum intention what, double seconds)
{
    uint64_t index = (uint64_t)(p - w->people);

    p->wake++;
    sim_at(w->sim, (int64_t)(seconds * 1e6), acts, w,
           (p->wake & 0xffffffffu) << 32 | index << 8 | (uint64_t)what);
}

static void acts(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct person *p = &w->people[(arg >> 8) & 0xffffffu];
    uint64_t agent = p->config.agent;

    if (!p->socket || !p->has_habits) {
        return; /* no page to press a button on, or they were told to stop meanwhile */
    }
    if ((arg & 0xffu) == MEANS_TO_REST) { /* stands beside the others */
        if (p->page.state != AGENT_OFFLINE && p->page.state != AGENT_BREAK) {
            (void)world_break(w, agent, "rest");
        }
        return;
    }
    if ((p->wake & 0xffffffffu) != arg >> 32) {
        return;
    }
    switch ((enum intention)(arg & 0xffu)) {
    case MEANS_TO_DISPOSE:
        if (p->page.attempt[0] != 0) { /* one that has just connected shows no call yet */
            (void)world_dispose(w, agent, p->habits.code);
        }
        break;
    case MEANS_TO_HANG_UP:
        (void)world_hang_up(w, agent);
        break;
    case MEANS_TO_WORK:
        (void)world_available(w, agent);
        break;
    case MEANS_TO_DIAL:
        (void)world_preview_dial(w, agent);
        break;
    case MEANS_TO_SKIP:
        (void)world_preview_skip(w, agent, "not now");
        break;
    case MEANS_TO_REST:
        break;
    }
}

static void touches(void *ctx, uint64_t arg);

/* What somebody does with a call now and then, as long as it is this one. */
static void plan_touch(struct world *w, struct person *p)
{
    uint64_t index = (uint64_t)(p - w->people);

    if (p->habits.touch_s > 0) {
        sim_at(w->sim, (int64_t)(world_exp(w, 7, p->habits.touch_s) * 1e6), touches, w,
               (p->touch & 0xffffffffu) << 32 | index);
    }
}

static void touches(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct person *p = &w->people[arg & 0xffffffffu];
    uint64_t agent = p->config.agent;

    if (!p->socket || !p->has_habits || p->page.state != AGENT_BUSY ||
        (p->touch & 0xffffffffu) != arg >> 32) {
        return;
    }
    switch ((unsigned)(world_unit(w, 7) * 4)) {
    case 0:
        (void)world_dtmf(w, agent, "12#");
        break;
    case 1: /* in a hurry: and at once the other way */
        (void)world_mute(w, agent, !p->page.muted);
        (void)world_mute(w, agent, p->page.muted);
        break;
    default:
        (void)world_mute(w, agent, !p->page.muted);
        break;
    }
    plan_touch(w, p);
}

static void plan_rest(struct world *w, struct person *p)
{
    uint64_t index = (uint64_t)(p - w->people);

    if (p->habits.work_s > 0) {
        sim_at(w->sim, (int64_t)(world_exp(w, 4, p->habits.work_s) * 1e6), acts, w,
               index << 8 | (uint64_t)MEANS_TO_REST);
    }
}

/* Some leads are dialed, some are not, and some are looked at for ever. */
static void looks(struct world *w, struct person *p)
{
    double mind = world_unit(w, 4);

    if (mind < 0.9) {
        intend(w, p, mind < 0.7 ? MEANS_TO_DIAL : MEANS_TO_SKIP, world_exp(w, 4, 3.0));
    }
}

static void lives(struct world *w, struct person *p)
{
    const struct habits *h = &p->habits;

    switch ((enum agent_state)p->page.state) {
    case AGENT_WRAPUP:
        if (p->page.needs_disposition && h->wrap_s > 0) {
            intend(w, p, MEANS_TO_DISPOSE, world_lognormal(w, 4, h->wrap_s, 0.7));
        }
        break;
    case AGENT_BUSY:
        p->touch++;
        plan_touch(w, p);
        if (h->hang_up_share > 0 && world_unit(w, 4) < h->hang_up_share) {
            intend(w, p, MEANS_TO_HANG_UP, world_lognormal(w, 4, w->talk_s, 1.0));
        }
        break;
    case AGENT_BREAK:
        intend(w, p, MEANS_TO_WORK,
               strcmp(p->page.reason, "rest") == 0 ? world_exp(w, 4, h->break_s) : 3.0);
        if (strcmp(p->page.reason, "rest") == 0) {
            plan_rest(w, p);
        }
        break;
    case AGENT_PREVIEW:
        looks(w, p);
        break;
    case AGENT_OFFLINE:
    case AGENT_CONNECTING:
    case AGENT_AVAILABLE:
    case AGENT_RESERVED:
    case AGENT_STATES:
        break;
    }
}

void world_habits(struct world *w, uint64_t agent, struct habits habits)
{
    struct person *p = world_person(w, agent);

    p->habits = habits;
    p->has_habits = true;
    plan_rest(w, p);
}

/* --- what they see ------------------------------------------------------------------------ */

static void on_view_agent(struct world *w, const struct msg_view_agent *m)
{
    struct person *p = world_person(w, m->agent);
    struct page *g = &p->page;
    bool changed = g->state != m->state || g->updates == 0;

    if (p->n_shown == 0 || p->shown[p->n_shown - 1].state != m->state ||
        p->shown[p->n_shown - 1].at_ms != m->since_wall_ms) {
        p->shown = world_room(p->shown, &p->room_shown, p->n_shown, sizeof *p->shown);
        p->shown[p->n_shown++] = (struct spell){.state = m->state, .at_ms = m->since_wall_ms};
    }
    g->state = m->state;
    g->needs_disposition = m->needs_disposition;
    g->leg_up = m->leg_up;
    g->muted = m->muted;
    g->phone_online = m->phone_online;
    g->next = m->next;
    g->until_ms = m->until_wall_ms;
    g->dials = m->dials;
    text_keep(g->reason, sizeof g->reason, m->reason);
    text_keep(g->text, sizeof g->text, m->text);
    text_keep(g->attempt, sizeof g->attempt, m->attempt);
    g->updates++;
    p->told_no++;
    if (p->socket) {
        if (p->have_no + 1u != p->told_no) {
            see(w, &(struct judge_event){
                       .kind = JUDGE_GAP, .agent = m->agent, .text = "a change is missing"});
        }
        p->have_no = p->told_no;
    }
    if (changed) {
        p->moved_us = sim_now_us(w->sim);
        see(w, &(struct judge_event){.kind = JUDGE_TOLD,
                                     .agent = m->agent,
                                     .id = g->attempt[0] != 0 ? g->attempt : NULL,
                                     .text = agent_state_name(g->state)});
    }
    if (changed && p->has_habits && p->socket) {
        lives(w, p);
    }
}

static void on_screen_pop(struct world *w, const struct msg_screen_pop *m)
{
    struct page *g = &world_person(w, m->agent)->page;

    g->pops++;
    g->pop_lead = m->lead;
    g->pop_matches = m->matches;
    text_keep(g->pop_number, sizeof g->pop_number, m->number);
    text_keep(g->pop_attempt, sizeof g->pop_attempt, m->attempt);
    text_keep(g->pop_name, sizeof g->pop_name, m->name);
    text_keep(g->pop_fields, sizeof g->pop_fields, m->fields);
}

void web_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;

    (void)to;
    (void)from;
    if (type == MSG_view_agent) {
        on_view_agent(w, msg);
    } else if (type == MSG_screen_pop) {
        on_screen_pop(w, msg);
    } else if (type == MSG_reply) {
        on_reply(w, msg);
    } else if (type == MSG_view_campaign) {
        const struct msg_view_campaign *m = msg;
        struct camp *c = world_camp(w, m->campaign);

        c->board = *m;
        text_keep(c->board_text, sizeof c->board_text, m->text);
        c->board.text = text_of(c->board_text);
        c->board.name = c->config.name;
    } else if (type == MSG_view_call) {
        const struct msg_view_call *m = msg;

        world_camp(w, m->campaign)->calls_unknown += m->state == ATTEMPT_UNKNOWN;
    }
}

/* --- the operator ------------------------------------------------------------------------- */

void ctl_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;

    (void)to;
    (void)from;
    if (type == MSG_reply) {
        on_reply(w, msg);
    } else if (type == MSG_daemon_mode) {
        mode_told(w, msg);
    } else if (type == MSG_drained) {
        w->drained = true;
        w->seen.drained++;
    }
}

static void operate(struct world *w, handle to, uint16_t type, const void *msg)
{
    world_post(w, &w->ctl_way, US_PER_MS, KIND_CTL, to, type, msg);
}

uint64_t world_switch(struct world *w, uint64_t campaign, unsigned action)
{
    struct msg_campaign_switch m = {.campaign = campaign,
                                    .client = OPERATOR,
                                    .request = world_request(w, "switch"),
                                    .reply_to = ADDR_CTL,
                                    .action = (uint8_t)action};

    operate(w, ADDR_DESK, MSG_campaign_switch, &m);
    return m.request;
}

void world_drain(struct world *w, double seconds)
{
    struct msg_drain m = {.drain_ms = (uint32_t)(seconds * 1000.0)};

    operate(w, ADDR_DESK, MSG_drain, &m);
}

void world_do_not_call(struct world *w, const char *number)
{
    struct msg_suppress m = {.account = 1, .number = text_of(number), .source = text_of("ctl")};

    store_take(w, MSG_suppress, &m);
}

void world_changed(struct world *w, unsigned kind, uint64_t id)
{
    struct msg_changed m = {.kind = (uint8_t)kind, .id = id};

    operate(w, ADDR_DESK, MSG_changed, &m);
}

void world_list_active(struct world *w, uint64_t campaign, bool active)
{
    struct msg_list_changed m = {.campaign = campaign, .list = campaign, .active = active};

    world_camp(w, campaign)->list_active = active;
    operate(w, ADDR_DESK, MSG_list_changed, &m);
}

uint64_t world_explain(struct world *w, uint64_t campaign)
{
    struct msg_explain_campaign m = {.campaign = campaign,
                                     .client = OPERATOR,
                                     .request = world_request(w, "explain"),
                                     .reply_to = ADDR_CTL};

    bool parked = world_camp(w, campaign)->board.state == CAMPAIGN_PARKED;

    /* a parked one has no actor: then page and tool ask the desk */
    operate(w, parked ? ADDR_DESK : named(KIND_CAMPAIGN, campaign), MSG_explain_campaign, &m);
    return m.request;
}

uint64_t world_explain_lead(struct world *w, uint64_t lead)
{
    const struct row *r = &w->rows[lead - 1];
    const struct number *n = world_number_at(w, r->key);
    struct msg_explain_lead m = {.campaign = r->campaign,
                                 .client = OPERATOR,
                                 .request = world_request(w, "explain_lead"),
                                 .reply_to = ADDR_CTL,
                                 .lead = lead,
                                 .row = lead,
                                 .number = text_of(r->number),
                                 .row_status = r->status,
                                 .attempts = r->attempts,
                                 .due_wall_ms = r->due_ms,
                                 .list_active = world_camp(w, r->campaign)->list_active,
                                 .suppressed = n->suppressed,
                                 .number_alive = n->alive > 0,
                                 .final = r->final};
    struct zone_now zone = {0, 0, 0};

    m.own_zone =
        r->zone != NULL && callee_zone(text_of(r->zone), text_of(""), world_now_ms(w), &zone);
    m.zone_offset_s = zone.offset_s;
    m.zone_until_wall_ms = zone.until_wall_ms;
    m.zone_next_offset_s = zone.next_offset_s;
    operate(w, named(KIND_CAMPAIGN, r->campaign), MSG_explain_lead, &m);
    return m.request;
}

void people_free(struct world *w)
{
    for (uint32_t i = 0; i < w->n_people; i++) {
        free(w->people[i].spells);
        free(w->people[i].shown);
    }
    free(w->people);
    free(w->replies);
}
