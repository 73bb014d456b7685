/*
 * campaign_agents.c - who may take a call: the campaign's view of its agents, as they told it; and
 * what they say of their calls. The reservation itself is granted by the agent's own actor.
 */
#include "actors/campaign.h"
#include "actors/words.h"

#include <string.h>

static void idle_unlink(struct campaign *c, struct member *m)
{
    if (!m->idle) {
        return;
    }
    if (m->prev) {
        m->prev->next_idle = m->next_idle;
    } else {
        c->idle_head = m->next_idle;
    }
    if (m->next_idle) {
        m->next_idle->prev = m->prev;
    } else {
        c->idle_tail = m->prev;
    }
    m->prev = m->next_idle = NULL;
    m->idle = false;
    c->idle_length--;
}

/* Longest idle first (R7); ties by agent id, so that nothing depends on who spoke first. */
static bool before(const struct member *a, const struct member *b)
{
    return a->idle_since_us != b->idle_since_us ? a->idle_since_us < b->idle_since_us
                                                : a->agent < b->agent;
}

static void idle_link(struct campaign *c, struct member *m)
{
    struct member *after = c->idle_tail;

    while (after && before(m, after)) {
        after = after->prev;
    }
    m->prev = after;
    m->next_idle = after ? after->next_idle : c->idle_head;
    if (m->prev) {
        m->prev->next_idle = m;
    } else {
        c->idle_head = m;
    }
    if (m->next_idle) {
        m->next_idle->prev = m;
    } else {
        c->idle_tail = m;
    }
    m->idle = true;
    c->idle_length++;
}

static void set_state(struct campaign *c, struct member *m, uint8_t state)
{
    c->member_count[m->state]--;
    m->state = state;
    c->member_count[state]++;
}

/* Counted among the idle only if it can be reached: its phone must be on the Asterisk that carries
 * this campaign's calls. */
static void relink(struct campaign *c, struct member *m)
{
    idle_unlink(c, m);
    if (m->state == AGENT_AVAILABLE && !m->asked && m->pbx == c->set.pbx) {
        idle_link(c, m);
    }
}

static struct member *member_find(const struct campaign *c, uint64_t agent)
{
    struct map_slot *slot = map_find(&c->members, agent);

    return slot ? slot->value.ptr : NULL;
}

static struct member *member_of(struct campaign *c, uint64_t agent, struct effects *fx)
{
    bool made;
    struct map_slot *slot = map_put(&c->members, agent, &made, fx);

    if (made) {
        struct member *m = fx_realloc(fx, NULL, sizeof *m);

        memset(m, 0, sizeof *m);
        m->agent = agent;
        slot = map_find(&c->members, agent);
        slot->value.ptr = m;
        c->member_count[AGENT_OFFLINE]++;
    }
    return slot->value.ptr;
}

static void member_drop(struct campaign *c, struct member *m, struct effects *fx)
{
    idle_unlink(c, m);
    c->member_count[m->state]--;
    map_drop(&c->members, m->agent);
    fx_realloc(fx, m, 0);
}

void campaign_on_agent_status(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_status *s = ev->msg;

    campaign_view_later(c, fx);
    if (s->state == AGENT_OFFLINE || s->state >= AGENT_STATES) {
        struct member *gone = member_find(c, s->agent);

        if (gone) {
            member_drop(c, gone, fx);
        }
        return;
    }
    struct member *m = member_of(c, s->agent, fx);

    set_state(c, m, s->state);
    m->pbx = s->pbx;
    m->idle_since_us = s->idle_since_us;
    /* What was said before the question reached it is no answer to it: nothing more is asked. */
    m->asked = m->asked && (s->state == AGENT_AVAILABLE || s->state == AGENT_BREAK);
    relink(c, m);
}

/* In a call from before our start, which it may not have heard of yet: "available" can be its word
 * from before that, and it would leave one customer for the other. */
static bool is_taken(const struct campaign *c, uint64_t agent)
{
    static const enum attempt_state joined[] = {ATTEMPT_UNKNOWN, ATTEMPT_BRIDGED};

    for (size_t s = 0; s < sizeof joined / sizeof joined[0]; s++) {
        const struct attempt *a = attempt_first(c, joined[s]);

        for (; a; a = attempt_next(a)) {
            bool found = joined[s] == ATTEMPT_UNKNOWN && a->found_agent == agent;

            if (a->restored && (a->agent == agent || found)) {
                return true;
            }
        }
    }
    return false;
}

bool campaign_ask_agent(struct campaign *c, struct attempt *a, uint64_t only,
                        const struct event *ev, struct effects *fx)
{
    struct member *m = c->idle_head;

    (void)ev;
    while (m && (m->agent == a->tried || (only != 0 && m->agent != only) || m->pbx != a->pbx ||
                 is_taken(c, m->agent))) {
        m = m->next_idle;
    }
    if (!m) {
        return false;
    }
    struct msg_reserve r = {
        .campaign = c->id,
        .attempt = words_of(a->id),
        .lead = a->lead,
        .number = words_of(a->number),
        .name = words_of(a->name),
        .fields = attempt_fields(a),
        .attempt_no = a->attempt_no,
        .matches = a->matches,
        .cause = (uint8_t)a->cause,
        .preview_s = campaign_previews(c, a) ? c->set.preview_s : 0,
        .preview_expiry = (uint8_t)c->set.preview_expiry,
    };

    m->asked = true;
    relink(c, m);
    a->agent = m->agent;
    a->asked = true;
    a->ready = false;
    fx_send(fx, named(KIND_AGENT, m->agent), MSG_reserve, &r);
    return true;
}

void campaign_agent_answered(struct campaign *c, uint64_t agent, bool granted)
{
    struct member *m = member_find(c, agent);

    if (!m) {
        return;
    }
    m->asked = false;
    if (granted && m->state == AGENT_AVAILABLE) {
        set_state(c, m, AGENT_RESERVED); /* its own word for it is on the way */
    } else if (!granted && m->state == AGENT_AVAILABLE) {
        set_state(c, m, AGENT_BREAK); /* not to be asked again before it says so */
    }
    relink(c, m);
}

void campaign_match(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct attempt *a = attempt_first(c, ATTEMPT_ANSWERED);

    while (a && c->idle_head) {
        struct attempt *next = attempt_next(a);

        if (!a->asked) {
            campaign_ask_agent(c, a, 0, ev, fx);
        }
        a = next;
    }
}

uint32_t campaign_idle(const struct campaign *c)
{
    return c->idle_length;
}

uint32_t campaign_logged_in(const struct campaign *c)
{
    return c->members.used;
}

void campaign_free_members(struct campaign *c, struct effects *fx)
{
    for (uint32_t i = 0; i < c->members.size; i++) {
        if (c->members.slots[i].key != 0) {
            fx_realloc(fx, c->members.slots[i].value.ptr, 0);
        }
    }
    map_free(&c->members, fx);
}

/* --- agents' words about calls ---------------------------------------------------------------- */

/* An agent bound before the originate leaves may tell only while the customer is called that its
 * tone is over: without that word the two would not be joined after the answer. */
static bool awaits_agent(const struct attempt *a, bool ok)
{
    uint8_t s = a->fsm.state;
    bool called = s == ATTEMPT_ORIGINATING || s == ATTEMPT_RINGING || s == ATTEMPT_UNKNOWN;

    return s == ATTEMPT_CLAIMED || s == ATTEMPT_PREVIEW || s == ATTEMPT_ANSWERED ||
           s == ATTEMPT_BRIDGING || (called && ok && a->bound);
}

void campaign_on_reserved(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_reserved *m = ev->msg;
    struct attempt *a = attempt_find(c, m->attempt);

    campaign_agent_answered(c, m->agent, m->ok);
    if (!a || a->agent != m->agent || !awaits_agent(a, m->ok)) {
        if (m->ok && (!a || a->agent != m->agent)) { /* over, or another's: let the agent go */
            struct msg_call_moved gone = {.attempt = m->attempt,
                                          .state = ATTEMPT_ENDED,
                                          .outcome =
                                              (uint8_t)(a ? a->outcome : OUTCOME_CUSTOMER_GONE),
                                          .number = words_of("")};

            fx_send(fx, named(KIND_AGENT, m->agent), MSG_call_moved, &gone);
        }
        return;
    }
    if (!m->ok && a->fsm.state == ATTEMPT_PREVIEW) { /* its phone did not come: another time */
        attempt_fire(c, a, AE_LEG_LOST, ev, fx);
        return;
    }
    if (!m->ok) {
        a->tried = a->agent;
        a->agent = 0;
        a->asked = false;
        a->bound = false;
        campaign_ask_agent(c, a, 0, ev, fx);
        return;
    }
    words_keep(a->leg, sizeof a->leg, m->leg);
    a->ready = m->ready;
    a->asked = false;
    if (m->shown) {
        attempt_fire(c, a, AE_SHOWN, ev, fx);
        return;
    }
    if (a->fsm.state == ATTEMPT_CLAIMED || a->fsm.state == ATTEMPT_PREVIEW) {
        a->bound = true;
    }
    attempt_fire(c, a, AE_GRANTED, ev, fx);
}

void campaign_on_agent_word(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct attempt *a;

    if (ev->type == MSG_agent_hangup) {
        const struct msg_agent_hangup *m = ev->msg;

        a = attempt_find(c, m->attempt);
        if (a && a->agent == m->agent) {
            /* before the two were joined the agent is out of it, the customer is not */
            bool refused = a->cause == CAUSE_AUTO && a->fsm.state == ATTEMPT_BRIDGING &&
                           a->bridged_wall_ms == 0;

            attempt_fire(c, a, refused ? AE_LEG_LOST : AE_HANG_UP, ev, fx);
        }
    } else if (ev->type == MSG_leg_lost) {
        const struct msg_leg_lost *m = ev->msg;

        a = attempt_find(c, m->attempt);
        if (a && a->agent == m->agent) {
            attempt_fire(c, a, AE_LEG_LOST, ev, fx);
        }
    } else if (ev->type == MSG_leg_back) {
        const struct msg_leg_back *m = ev->msg;

        a = attempt_find(c, m->attempt);
        if (a && a->agent == m->agent && a->fsm.state == ATTEMPT_HELD) {
            words_keep(a->leg, sizeof a->leg, m->leg);
            a->ready = true;
            attempt_fire(c, a, AE_LEG_BACK, ev, fx);
        }
    } else {
        const struct msg_attempt_done *m = ev->msg;

        a = attempt_find(c, m->attempt);
        if (a && a->agent == m->agent) {
            attempt_fire(c, a, AE_DISPOSED, ev, fx);
        }
        if (m->disposed) {
            /* S10: the disposition may have given the row a time of its own, which only the store
             * knows; asking tells when the next row is due */
            campaign_recycle(c, ev, fx);
        }
    }
}
