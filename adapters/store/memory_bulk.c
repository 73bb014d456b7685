/*
 * memory_bulk.c - the model: loads, leads in, everything out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

/* --- load ------------------------------------------------------------------------------------- */

struct load {
    struct memory *me;
    store_sink sink;
    void *ctx;
    int64_t now;
    uint64_t id;
    size_t found;
};

static bool wanted(struct load *l, uint64_t id)
{
    if (l->id && l->id != id)
        return false;
    l->found++;
    return true;
}

static void load_trunks(struct load *l)
{
    const struct memory *me = l->me;
    size_t i;

    for (i = 0; i < M_COUNT(trunks); i++)
        if (wanted(l, i + 1))
            l->sink(l->ctx, MSG_trunk_config, M_ROW(struct msg_trunk_config, trunks, i));
}

static void load_agents(struct load *l)
{
    const struct memory *me = l->me;
    size_t i;

    for (i = 0; i < M_COUNT(agents); i++) {
        struct msg_agent_config a = M_ROW(struct m_agent, agents, i)->a;
        a.epoch = me->m->in.starts;
        a.node = me->m->in.node;
        struct msg_member m = {.agent = a.agent, .campaign = a.campaign};
        if (wanted(l, i + 1)) {
            l->sink(l->ctx, MSG_agent_config, &a);
            if (a.campaign)
                l->sink(l->ctx, MSG_member, &m);
        }
    }
}

static void load_campaigns(struct load *l)
{
    const struct memory *me = l->me;
    size_t i;

    for (i = 0; i < M_COUNT(campaigns); i++) {
        const struct m_campaign *from = M_ROW(struct m_campaign, campaigns, i);
        struct msg_campaign_config c = from->c;
        const struct msg_trunk_config *t = M_FIND(struct msg_trunk_config, trunks, c.trunk);
        c.pbx = t ? t->pbx : 0;
        c.endpoint = t ? t->endpoint : (struct text){NULL, 0};
        c.epoch = from->lease.epoch;
        config_zone(&c, l->now);
        if (wanted(l, i + 1))
            l->sink(l->ctx, MSG_campaign_config, &c);
    }
}

/* R14: nobody's data before the choice. */
static void hide_lead(struct memory *me, const struct m_attempt *a, struct msg_open_attempt *m)
{
    struct matches found;

    memory_match(me, a->c.campaign, a->c.number, (enum choice)a->choice, &found);
    m->matches = choice_matches(a->choice, found.n);
    m->lead = 0;
    m->name = (struct text){NULL, 0};
    m->fields = a->live ? memory_offer(me, &found) : (struct text){NULL, 0};
}

/* Live, or waiting for its disposition. */
static void load_attempts(struct load *l, bool live)
{
    const struct memory *me = l->me;
    size_t i;

    for (i = 0; i < M_COUNT(attempts); i++) {
        /* of an agent's wrap-ups the newest comes first */
        const struct m_attempt *a =
            M_ROW(struct m_attempt, attempts, live ? i : M_COUNT(attempts) - 1 - i);
        const struct m_lead *d = M_ROW(struct m_lead, leads, a->c.lead - 1);
        struct msg_open_attempt m = {.campaign = a->c.campaign,
                                     .attempt = a->c.attempt,
                                     .row = a->c.row,
                                     .lead = a->c.lead,
                                     .pbx = a->c.pbx,
                                     .state = a->c.state,
                                     .agent = a->c.agent,
                                     .number = a->c.number,
                                     .attempt_no = a->c.attempt_no,
                                     .cause = a->c.cause,
                                     .answered_wall_ms = a->c.answered_ms,
                                     .bridged_wall_ms = a->c.bridged_ms,
                                     .name = d->d.name,
                                     .fields = d->d.fields,
                                     .claimed_wall_ms = a->c.claimed_ms,
                                     .matches = 1,
                                     .previewed = a->previewed};
        bool wraps = !a->live && a->c.outcome == OUTCOME_ANSWERED && a->c.disposed_ms == 0;
        if (a->choice != CHOICE_NONE)
            hide_lead(l->me, a, &m);
        if ((live ? a->live : wraps) && (!l->id || l->id == a->c.campaign))
            l->sink(l->ctx, MSG_open_attempt, &m);
    }
}

static void load_legs(struct load *l)
{
    const struct memory *me = l->me;
    size_t i;

    for (i = 0; i < M_COUNT(legs); i++) {
        const struct m_leg *leg = M_ROW(struct m_leg, legs, i);
        struct msg_open_leg m = {.leg = leg->m.leg,
                                 .agent = leg->m.agent,
                                 .pbx = leg->m.pbx,
                                 .use = leg->m.use,
                                 .attempt = leg->m.attempt};
        if (!leg->over && (!l->id || l->id == leg->m.agent))
            l->sink(l->ctx, MSG_open_leg, &m);
    }
}

static void load_open_agents(struct load *l)
{
    const struct memory *me = l->me;
    size_t i, k;

    for (i = 0; i < M_COUNT(agents); i++) {
        const struct msg_agent_config *a = &M_ROW(struct m_agent, agents, i)->a;
        const struct msg_agent_moved *last = NULL;
        for (k = 0; k < M_COUNT(events); k++) {
            const struct msg_agent_moved *m = &M_ROW(struct m_event, events, k)->m;
            if (m->agent == a->agent && (!last || m->at_wall_ms >= last->at_wall_ms) &&
                !(m->state == AGENT_OFFLINE && text_same(m->reason, text_from("daemon started"))))
                last = m;
        }
        if (a->enabled && last && last->state != AGENT_OFFLINE) {
            struct msg_open_agent m = {
                .agent = a->agent, .state = last->state, .reason = last->reason};
            l->sink(l->ctx, MSG_open_agent, &m);
        }
    }
}

static int load(struct store *s, uint8_t kind, uint64_t id, int64_t now, store_sink sink, void *ctx)
{
    struct memory *me = memory_of(s);
    struct load l = {me, sink, ctx, now, id, 0};
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    if (kind != 0 && kind != KIND_TRUNK && kind != KIND_AGENT && kind != KIND_CAMPAIGN)
        rc = memory_fail(me, STORE_INVALID, "there is no configuration of kind %u", kind);
    if (kind == 0 || kind == KIND_TRUNK)
        load_trunks(&l);
    if (kind == 0 || kind == KIND_AGENT)
        load_agents(&l);
    if (kind == 0 || kind == KIND_CAMPAIGN)
        load_campaigns(&l);
    if (kind == 0 || kind == KIND_CAMPAIGN)
        load_attempts(&l, true);
    if (kind == 0)
        load_attempts(&l, false);
    if (kind == 0 || kind == KIND_AGENT)
        load_legs(&l);
    if (kind == 0)
        load_open_agents(&l);
    if (rc == STORE_OK && id && l.found == 0)
        rc = memory_fail(me, STORE_NOT_FOUND, "there is nothing with the id %llu",
                         (unsigned long long)id);
    return memory_leave(me, mine, rc);
}

/* --- leads in --------------------------------------------------------------------------------- */

static int import_begin(struct store *s, const struct store_by *by, uint64_t list, struct text key,
                        uint64_t *import)
{
    struct memory *me = memory_of(s);
    struct m_import *to;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    (void)by;
    if (rc)
        return rc;
    if (!M_FIND(struct store_list, lists, list))
        return memory_leave(
            me, mine,
            memory_fail(me, STORE_NOT_FOUND, "there is no list %llu", (unsigned long long)list));
    for (i = 0; i < M_COUNT(imports); i++) {
        to = M_ROW(struct m_import, imports, i);
        *import = i + 1;
        if (to->list == list && text_same(to->key, key))
            return memory_leave(me, mine, rc);
    }
    to = memory_add(me, M_imports, sizeof *to, import);
    *to = (struct m_import){list, memory_text(me, key)};
    return memory_leave(me, mine, rc);
}

static struct m_lead **bucket_of(const struct memory *me, struct text number)
{
    return &me->m->by_tail[(size_t)number_tail(number) % MEMORY_BUCKETS];
}

static struct m_lead *lead_find(const struct memory *me, uint64_t list, struct text number)
{
    struct m_lead *to = *bucket_of(me, number);

    while (to && !(to->list == list && text_same(to->d.number, number)))
        to = to->next;
    return to;
}

struct m_lead *memory_lead_add(struct memory *me, const struct store_list *list, uint64_t import,
                               const struct store_lead *d, int64_t now, struct m_lead **there)
{
    struct m_lead **bucket = bucket_of(me, d->number);
    struct m_lead *to = lead_find(me, list->list, d->number);
    uint64_t id;

    if (to) {
        *there = to;
        return NULL;
    }
    to = memory_add(me, M_leads, sizeof *to, &id);
    *to = (struct m_lead){
        .d = {.lead = id,
              .number = memory_text(me, d->number),
              .name = memory_text(me, d->name),
              .zone = memory_text(me, d->zone),
              .fields = d->fields.len ? memory_text(me, d->fields) : text_from("{}"),
              .priority = d->priority ? d->priority : 50},
        .list = list->list,
        .import = import,
        .created_ms = now};
    EDIT(bucket);
    to->next = *bucket;
    *bucket = to;
    return to;
}

static void insert_one(struct memory *me, const struct store_list *list, uint64_t import,
                       const struct store_lead *d, int64_t now, struct store_import_count *count)
{
    struct m_lead *there = NULL, *to = memory_lead_add(me, list, import, d, now, &there);

    if (!to) {
        /* of this very run: a duplicate, whatever its import */
        if (there->import == import && there->created_ms != now)
            count->repeated++;
        else
            count->duplicates++;
        return;
    }
    count->inserted++;
    if (memory_suppressed(me, list->account, d->number)) {
        count->suppressed++;
        m_row_moves(to, row_next(to->status, to->final, RE_BARRED));
        to->cause = text_from(reason_name(REASON_do_not_call));
    }
}

static int leads_insert(struct store *s, uint64_t list, uint64_t import, int64_t now,
                        const struct store_lead *leads, size_t n, struct store_import_count *count)
{
    struct memory *me = memory_of(s);
    const struct store_list *l = M_FIND(struct store_list, lists, list);
    size_t i;
    struct store_import_count own = {0};
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    if (!l)
        rc = memory_fail(me, STORE_NOT_FOUND, "there is no list %llu", (unsigned long long)list);
    for (i = 0; i < n && rc == STORE_OK; i++) {
        if (!number_valid(leads[i].number))
            rc = memory_fail(me, STORE_INVALID, "lead %zu of the batch has no E.164 number", i);
        else
            insert_one(me, l, import, &leads[i], now, &own);
    }
    rc = memory_leave(me, mine, rc);
    if (rc == STORE_OK) {
        count->inserted += own.inserted;
        count->repeated += own.repeated;
        count->duplicates += own.duplicates;
        count->suppressed += own.suppressed;
    }
    return rc;
}

static int leads_look(struct store *s, uint64_t list, struct text key,
                      const struct store_lead *leads, size_t n, struct store_lead_look *out)
{
    struct memory *me = memory_of(s);
    const struct store_list *l = M_FIND(struct store_list, lists, list);
    uint64_t import = 0;
    size_t i;

    memset(out, 0, n * sizeof *out);
    if (!l)
        return memory_fail(me, STORE_NOT_FOUND, "there is no list %llu", (unsigned long long)list);
    for (i = 0; i < M_COUNT(imports); i++) {
        const struct m_import *m = M_ROW(struct m_import, imports, i);
        if (m->list == list && text_same(m->key, key))
            import = i + 1;
    }
    for (i = 0; i < n; i++) {
        const struct m_lead *there = lead_find(me, list, leads[i].number);
        if (there)
            out[i].there = import && there->import == import ? LEAD_REPEATED : LEAD_DUPLICATE;
        out[i].suppressed = memory_suppressed(me, l->account, leads[i].number);
    }
    return STORE_OK;
}

/* --- everything out --------------------------------------------------------------------------- */

static struct store_lead_state state_of(const struct memory *me, const struct m_lead *d)
{
    return (struct store_lead_state){.lead = d->d,
                                     .list = d->list,
                                     .campaign =
                                         M_ROW(struct store_list, lists, d->list - 1)->campaign,
                                     .row = d->d.lead,
                                     .row_status = d->status,
                                     .final = d->final,
                                     .attempts = d->attempts,
                                     .due_wall_ms = d->due_ms == DUE_NEVER ? 0 : d->due_ms,
                                     .cause = d->cause,
                                     .created_wall_ms = d->created_ms};
}

static int lead_read(struct store *s, uint64_t lead, struct store_lead_state *out)
{
    struct memory *me = memory_of(s);
    const struct m_lead *d = M_FIND(struct m_lead, leads, lead);

    memset(out, 0, sizeof *out);
    if (!d)
        return memory_fail(me, STORE_NOT_FOUND, "there is no lead %llu", (unsigned long long)lead);
    *out = state_of(me, d);
    return STORE_OK;
}

/* Rows are kept in the order they came in, which is that of time: a cursor is a place. */
static int leads(struct store *s, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
                 store_each_lead each, void *ctx)
{
    struct memory *me = memory_of(s);
    size_t room = *n;

    *n = 0;
    for (; at->id < M_COUNT(leads) && *n < room; at->id++) {
        const struct m_lead *d = M_ROW(struct m_lead, leads, at->id);
        struct store_lead_state state = state_of(me, d);
        if (d->created_ms < from || d->created_ms >= to)
            continue;
        ++*n;
        if (each(ctx, &state)) {
            at->id++;
            break;
        }
    }
    return STORE_OK;
}

static int calls(struct store *s, int64_t from, int64_t to, uint64_t lead, struct store_cursor *at,
                 size_t *n, store_each_call each, void *ctx)
{
    struct memory *me = memory_of(s);
    size_t room = *n;

    *n = 0;
    for (; at->id < M_COUNT(attempts) && *n < room; at->id++) {
        const struct store_call *c = &M_ROW(struct m_attempt, attempts, at->id)->c;
        if (c->claimed_ms < from || c->claimed_ms >= to || (lead && c->lead != lead))
            continue;
        ++*n;
        if (each(ctx, c)) {
            at->id++;
            break;
        }
    }
    return STORE_OK;
}

static int legs(struct store *s, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
                store_each_leg each, void *ctx)
{
    struct memory *me = memory_of(s);
    size_t room = *n;

    *n = 0;
    for (; at->id < M_COUNT(legs) && *n < room; at->id++) {
        const struct m_leg *l = M_ROW(struct m_leg, legs, at->id);
        struct store_leg out = {.leg = l->m.leg,
                                .agent = l->m.agent,
                                .use = l->m.use,
                                .pbx = l->m.pbx,
                                .endpoint = l->m.endpoint,
                                .attempt = l->m.attempt,
                                .claimed_ms = l->m.at_wall_ms,
                                .answered_ms = l->answered_ms,
                                .ended_ms = l->ended_ms};
        if (out.claimed_ms < from || out.claimed_ms >= to)
            continue;
        ++*n;
        if (each(ctx, &out)) {
            at->id++;
            break;
        }
    }
    return STORE_OK;
}

/* The next interval of one agent after place `at`; its end is where the one after it begins. */
static size_t next_event(const struct memory *me, uint64_t agent, size_t at)
{
    while (at < M_COUNT(events) && M_ROW(struct m_event, events, at)->m.agent != agent)
        at++;
    return at;
}

static int agent_times(struct store *s, int64_t from, int64_t to, struct store_cursor *at,
                       size_t *n, store_each_time each, void *ctx)
{
    struct memory *me = memory_of(s);
    size_t room = *n, place = (size_t)at->id, next;
    uint64_t agent = (uint64_t)at->at_ms; /* of an agent: how many are done */

    *n = 0;
    while (agent < M_COUNT(agents) && *n < room) {
        const struct msg_agent_moved *m;
        struct store_agent_time t;
        place = next_event(me, agent + 1, place);
        if (place == M_COUNT(events)) {
            agent++;
            place = 0;
            continue;
        }
        m = &M_ROW(struct m_event, events, place)->m;
        next = next_event(me, agent + 1, ++place);
        t = (struct store_agent_time){
            .agent = m->agent,
            .login = M_ROW(struct m_agent, agents, agent)->a.login,
            .state = m->state,
            .reason = m->reason,
            .campaign = m->campaign,
            .attempt = m->attempt,
            .from_ms = m->at_wall_ms,
            .until_ms =
                next < M_COUNT(events) ? M_ROW(struct m_event, events, next)->m.at_wall_ms : 0};
        if (t.from_ms < from || t.from_ms >= to)
            continue;
        ++*n;
        if (each(ctx, &t))
            break;
    }
    at->at_ms = (int64_t)agent;
    at->id = place;
    return STORE_OK;
}

void memory_bulk(struct store_ops *ops)
{
    ops->load = load;
    ops->import_begin = import_begin;
    ops->leads_insert = leads_insert;
    ops->leads_look = leads_look;
    ops->lead_read = lead_read;
    ops->leads = leads;
    ops->calls = calls;
    ops->legs = legs;
    ops->agent_times = agent_times;
}
