/*
 * sql_load.c - the configuration and what was open, as messages for the desk.
 */
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

/* A call whose lead is still to be chosen: what there is to choose from is a question of its own.
 */
struct unchosen {
    struct unchosen *next;
    struct msg_open_attempt m;
    uint8_t choice;
};

struct load {
    struct sql_store *s;
    store_sink sink;
    void *ctx;
    int64_t now;
    uint32_t starts;
    uint16_t node;
    size_t found;
    struct unchosen *unchosen;
};

static int take_trunk(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_trunk_config m = {.trunk = (uint64_t)c[0].i,
                                 .name = c[1].t,
                                 .pbx = (uint32_t)c[2].i,
                                 .endpoint = c[3].t,
                                 .lines = (uint32_t)c[4].i,
                                 .calls_per_s = c[5].d};

    (void)item;
    l->found++;
    return l->sink(l->ctx, MSG_trunk_config, &m);
}

static int take_agent(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_agent_config m = {.agent = (uint64_t)c[0].i,
                                 .account = (uint64_t)c[1].i,
                                 .login = c[2].t,
                                 .name = c[3].t,
                                 .enabled = c[4].i != 0,
                                 .campaign = (uint64_t)c[5].i,
                                 .endpoint = c[6].t,
                                 .pbx = (uint32_t)c[7].i,
                                 .phone_kind = (uint8_t)c[8].i,
                                 .phone_enabled = c[9].i != 0,
                                 .epoch = l->starts,
                                 .node = l->node,
                                 .wrapup_default_s = (uint32_t)c[10].i,
                                 .busy_reset_s = (uint32_t)c[11].i,
                                 .link_grace_s = (uint32_t)c[12].i,
                                 .leg_ring_s = (uint32_t)c[13].i};

    (void)item;
    l->found++;
    return l->sink(l->ctx, MSG_agent_config, &m);
}

static int take_campaign(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_campaign_config m = {.campaign = (uint64_t)c[0].i,
                                    .account = (uint64_t)c[1].i,
                                    .name = c[2].t,
                                    .mode = (uint8_t)c[3].i,
                                    .active = c[4].i != 0,
                                    .trunk = (uint64_t)c[5].i,
                                    .pbx = (uint32_t)c[6].i,
                                    .endpoint = c[7].t,
                                    .context = c[8].t,
                                    .caller_id = c[9].t,
                                    .prefixes = c[10].t,
                                    .country = c[11].t,
                                    .zone = c[12].t,
                                    .window_from_min = (uint16_t)c[13].i,
                                    .window_to_min = (uint16_t)c[14].i,
                                    .ratio = c[15].d,
                                    .max_lines = (uint32_t)c[16].i,
                                    .ring_s = (uint32_t)c[17].i,
                                    .answer_wait_ms = (uint32_t)c[18].i,
                                    .wrapup_s = (uint32_t)c[19].i,
                                    .retry_s = (uint32_t)c[20].i,
                                    .no_answer_s = (uint32_t)c[21].i,
                                    .busy_s = (uint32_t)c[22].i,
                                    .abandoned_s = (uint32_t)c[23].i,
                                    .not_disposed_s = (uint32_t)c[24].i,
                                    .fault_s = (uint32_t)c[25].i,
                                    .max_attempts = (uint32_t)c[26].i,
                                    .hopper_size = (uint32_t)c[27].i,
                                    .hopper_low = (uint32_t)c[28].i,
                                    .claim_ahead_ms = (uint32_t)c[29].i,
                                    .claim_ahead_max = (uint32_t)c[30].i,
                                    .message = c[31].t,
                                    .leg = (uint8_t)c[32].i,
                                    .tone = c[33].t,
                                    .abandon_limit_bp = (uint32_t)c[34].i,
                                    .max_call_s = (uint32_t)c[35].i,
                                    .epoch = (uint32_t)c[36].i,
                                    .preview_s = (uint32_t)c[37].i,
                                    .preview_expiry = (uint8_t)c[38].i};

    (void)item;
    l->found++;
    config_zone(&m, l->now);
    return l->sink(l->ctx, MSG_campaign_config, &m);
}

static int put_aside(struct load *l, const struct msg_open_attempt *m, uint8_t choice)
{
    struct unchosen *u = sql_alloc(l->s, sizeof *u);

    if (!u) {
        l->s->broken = true;
        return 1;
    }
    *u = (struct unchosen){.next = l->unchosen, .m = *m, .choice = choice};
    u->m.attempt = sql_keep(l->s, m->attempt);
    u->m.number = sql_keep(l->s, m->number);
    l->unchosen = u;
    return 0;
}

static int take_attempt(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_open_attempt m = {.campaign = (uint64_t)c[0].i,
                                 .attempt = c[1].t,
                                 .row = (uint64_t)c[2].i,
                                 .lead = (uint64_t)c[3].i,
                                 .pbx = (uint32_t)c[4].i,
                                 .state = (uint8_t)c[5].i,
                                 .agent = (uint64_t)c[6].i,
                                 .number = c[7].t,
                                 .attempt_no = (uint32_t)c[8].i,
                                 .cause = (uint8_t)c[9].i,
                                 .answered_wall_ms = c[10].i,
                                 .bridged_wall_ms = c[11].i,
                                 .name = c[12].t,
                                 .fields = c[13].t,
                                 .claimed_wall_ms = c[14].i,
                                 .matches = choice_matches((uint8_t)c[16].i, (size_t)c[15].i),
                                 .previewed = c[17].i != 0};

    (void)item;
    if (c[16].i == CHOICE_NONE)
        return l->sink(l->ctx, MSG_open_attempt, &m);
    m.lead = 0;
    m.name = m.fields = (struct text){NULL, 0};
    if (m.state == ATTEMPT_ENDED) /* too late to choose */
        return l->sink(l->ctx, MSG_open_attempt, &m);
    return put_aside(l, &m, (uint8_t)c[16].i);
}

static int load_attempts(struct load *l, uint64_t id)
{
    int rc = sql_query(l->s, open_attempts, take_attempt, l, sql_u(id));
    struct unchosen *u;

    for (u = l->unchosen; u && rc == STORE_OK; u = u->next) {
        struct matches found;
        rc = sql_match(l->s, u->m.campaign, u->m.number, (enum choice)u->choice, &found);
        if (rc == STORE_OK)
            u->m.fields = sql_offer(l->s, &found);
        if (rc == STORE_OK && l->sink(l->ctx, MSG_open_attempt, &u->m) != 0)
            break;
    }
    return rc;
}

static int take_leg(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_open_leg m = {.leg = c[0].t,
                             .agent = (uint64_t)c[1].i,
                             .pbx = (uint32_t)c[2].i,
                             .use = (uint8_t)c[3].i,
                             .attempt = c[4].t};

    (void)item;
    return l->sink(l->ctx, MSG_open_leg, &m);
}

static int take_member(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_member m = {.agent = (uint64_t)c[0].i, .campaign = (uint64_t)c[1].i};

    (void)item;
    return l->sink(l->ctx, MSG_member, &m);
}

static int take_open_agent(void *ctx, size_t item, const struct sql_value *c)
{
    struct load *l = ctx;
    struct msg_open_agent m = {
        .agent = (uint64_t)c[0].i, .state = (uint8_t)c[1].i, .reason = c[2].t};

    (void)item;
    return l->sink(l->ctx, MSG_open_agent, &m);
}

static int load_kind(struct load *l, uint8_t kind, uint64_t id)
{
    switch (kind) {
    case KIND_TRUNK:
        return sql_query(l->s, trunks, take_trunk, l, sql_u(id));
    case KIND_AGENT:
        return sql_query(l->s, agents, take_agent, l, sql_u(id));
    case KIND_CAMPAIGN:
        return sql_query(l->s, campaigns, take_campaign, l, sql_u(id));
    default:
        return sql_fail(l->s, STORE_INVALID, "there is no configuration of kind %u", kind);
    }
}

int sql_load(struct store *st, uint8_t kind, uint64_t id, int64_t now, store_sink sink, void *ctx)
{
    static const uint8_t kinds[] = {KIND_TRUNK, KIND_AGENT, KIND_CAMPAIGN};
    struct sql_store *s = sql_of(st);
    struct load l = {.s = s, .sink = sink, .ctx = ctx, .now = now};
    struct store_installation in;
    size_t i;
    int rc = st->ops->installation(st, &in);

    l.starts = in.starts;
    l.node = in.node;
    for (i = 0; i < sizeof kinds && rc == STORE_OK; i++)
        if (kind == 0 || kind == kinds[i])
            rc = load_kind(&l, kinds[i], id);
    if (rc == STORE_OK && (kind == 0 || kind == KIND_CAMPAIGN))
        rc = load_attempts(&l, id);
    if (rc == STORE_OK && kind == 0)
        rc = sql_query(s, open_wrapups, take_attempt, &l, sql_u(id));
    if (rc == STORE_OK && (kind == 0 || kind == KIND_AGENT))
        rc = sql_query(s, members, take_member, &l, sql_u(id));
    if (rc == STORE_OK && (kind == 0 || kind == KIND_AGENT))
        rc = sql_query(s, open_legs, take_leg, &l, sql_u(id));
    if (rc == STORE_OK && kind == 0)
        rc = s->backend->query(s, SQL_open_agents, NULL, take_open_agent, &l);
    if (rc == STORE_OK && id != 0 && l.found == 0)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is nothing with the id %llu",
                      (unsigned long long)id);
    return sql_leave(s, false, rc);
}

/* --- why is this lead dialed, or not ---------------------------------------------------------- */

struct explain {
    struct sql_store *s;
    struct msg_explain_lead *out;
    int64_t now;
    bool found;
};

static int take_explain(void *ctx, size_t item, const struct sql_value *c)
{
    struct explain *e = ctx;
    struct msg_explain_lead *out = e->out;
    struct msg_claimed zone = {0};
    int64_t free_ms = c[11].i > 0 ? c[11].i + c[12].i * MS_PER_S : 0;

    (void)item;
    e->found = true;
    out->campaign = (uint64_t)c[0].i;
    out->row = (uint64_t)c[1].i;
    out->number = sql_keep(e->s, c[2].t);
    out->row_status = (uint8_t)c[3].i;
    out->attempts = (uint32_t)c[4].i;
    out->due_wall_ms = c[5].i == DUE_NEVER ? 0 : c[5].i;
    out->final = c[6].i != 0;
    out->list_active = c[7].i != 0;
    out->suppressed = c[8].i != 0;
    out->number_alive = c[9].i != 0;
    out->attempts_24h = (uint32_t)c[10].i;
    out->number_free_wall_ms = free_ms > e->now ? free_ms : 0;
    claim_zone(c[13].t, c[14].t, e->now, &zone);
    out->own_zone = zone.own_zone;
    out->zone_offset_s = zone.zone_offset_s;
    out->zone_until_wall_ms = zone.zone_until_wall_ms;
    out->zone_next_offset_s = zone.zone_next_offset_s;
    return 0;
}

int sql_explain_lead(struct store *st, uint64_t lead, int64_t now, struct msg_explain_lead *out)
{
    struct sql_store *s = sql_of(st);
    struct explain e = {.s = s, .out = out, .now = now};
    int rc = sql_enter(s);

    memset(out, 0, sizeof *out);
    out->lead = lead;
    if (rc == STORE_OK)
        rc = sql_query(s, explain, take_explain, &e, sql_u(lead), sql_i(now - DAY_MS),
                       sql_i(now - 31 * DAY_MS));
    if (rc == STORE_OK && !e.found)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is no lead %llu", (unsigned long long)lead);
    return sql_leave(s, false, rc);
}
