/*
 * sql_operator.c - what the operator adds and changes.
 */
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

static int audit_one(struct sql_store *s, const struct store_by *by, const char *kind,
                     uint64_t subject, const char *field, struct text before, struct text after)
{
    return sql_exec(s, audit, NULL, sql_i(by->at_wall_ms), sql_s(by->who), sql_s(kind),
                    sql_u(subject), sql_s(field), sql_t(before), sql_t(after));
}

static const struct text nothing = {NULL, 0};

/* The end of each `add`: id found or the name was taken; then its line in the audit. */
static int added(struct sql_store *s, const struct store_by *by, const char *kind, struct text name,
                 const struct sql_ints *got, uint64_t *id, int rc)
{
    *id = (uint64_t)got->v[0];
    if (rc == STORE_OK && !got->found)
        rc = sql_fail(s, STORE_CONFLICT, "there is a %s %.*s already", kind, (int)name.len,
                      name.ptr ? name.ptr : "");
    if (rc == STORE_OK)
        rc = audit_one(s, by, kind, *id, "added", nothing, name);
    return rc;
}

static int changed_one(struct sql_store *s, const char *kind, uint64_t id, int64_t changed, int rc)
{
    if (rc == STORE_OK && changed == 0)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is no %s %llu", kind, (unsigned long long)id);
    return rc;
}

enum { CAMPAIGN_PARAMS = 35 };

static void campaign_params(const struct msg_campaign_config *c, struct sql_value *p)
{
    struct sql_value v[CAMPAIGN_PARAMS] = {sql_t(c->name),
                                           sql_i(c->mode),
                                           sql_i(c->active),
                                           sql_u(c->trunk),
                                           sql_t(c->context),
                                           sql_t(c->caller_id),
                                           sql_t(c->prefixes),
                                           sql_t(c->country),
                                           sql_t(c->zone),
                                           sql_i(c->window_from_min),
                                           sql_i(c->window_to_min),
                                           sql_d(c->ratio),
                                           sql_i(c->max_lines),
                                           sql_i(c->ring_s),
                                           sql_i(c->answer_wait_ms),
                                           sql_i(c->wrapup_s),
                                           sql_i(c->retry_s),
                                           sql_i(c->no_answer_s),
                                           sql_i(c->busy_s),
                                           sql_i(c->abandoned_s),
                                           sql_i(c->not_disposed_s),
                                           sql_i(c->fault_s),
                                           sql_i(c->max_attempts),
                                           sql_i(c->hopper_size),
                                           sql_i(c->hopper_low),
                                           sql_i(c->claim_ahead_ms),
                                           sql_i(c->claim_ahead_max),
                                           sql_t(c->message),
                                           sql_i(c->leg),
                                           sql_t(c->tone),
                                           sql_i(c->abandon_limit_bp),
                                           sql_i(c->max_call_s),
                                           sql_i(c->preview_s),
                                           sql_i(c->preview_expiry)};

    memcpy(p, v, sizeof v);
}

int sql_campaign_add(struct store *st, const struct store_by *by,
                     const struct msg_campaign_config *c, uint64_t *id)
{
    struct sql_store *s = sql_of(st);
    struct sql_value p[CAMPAIGN_PARAMS];
    struct sql_ints got = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    campaign_params(c, p);
    p[CAMPAIGN_PARAMS - 1] = sql_u(c->account ? c->account : STORE_ACCOUNT);
    rc = s->backend->query(s, SQL_campaign_insert, p, sql_take_int, &got);
    rc = added(s, by, "campaign", c->name, &got, id, rc);
    if (rc == STORE_OK)
        rc = sql_exec(s, lease_insert, NULL, sql_u(*id));
    return sql_leave(s, mine, rc);
}

int sql_campaign_put(struct store *st, const struct msg_campaign_config *c)
{
    struct sql_store *s = sql_of(st);
    struct sql_value p[CAMPAIGN_PARAMS];
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    campaign_params(c, p);
    p[CAMPAIGN_PARAMS - 1] = sql_u(c->campaign);
    rc = s->backend->exec(s, SQL_campaign_update, p,
                          NULL); /* inside a larger turn: a count would come later */
    /* Rows that had used their attempts may have some left under the new limit, and rows that wait
     * for their hours may have others. */
    if (rc == STORE_OK)
        rc = sql_exec(s, recycle_unpark, NULL, sql_u(c->campaign));
    return sql_leave(s, mine, rc);
}

int sql_trunk_add(struct store *st, const struct store_by *by, const struct msg_trunk_config *t,
                  uint64_t *id)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints got = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_query(s, trunk_insert, sql_take_int, &got, sql_t(t->name), sql_i(t->pbx),
                   sql_t(t->endpoint), sql_i(t->lines), sql_d(t->calls_per_s));
    return sql_leave(s, mine, added(s, by, "trunk", t->name, &got, id, rc));
}

int sql_trunk_put(struct store *st, const struct msg_trunk_config *t)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_exec(s, trunk_update, NULL, sql_t(t->name), sql_i(t->pbx), sql_t(t->endpoint),
                  sql_i(t->lines), sql_d(t->calls_per_s), sql_u(t->trunk));
    return sql_leave(s, mine, rc);
}

enum { AGENT_PARAMS = 15 };

static void agent_params(const struct msg_agent_config *a, struct sql_value *p)
{
    struct sql_value v[AGENT_PARAMS] = {
        sql_t(a->login),        sql_t(a->name),          sql_i(a->enabled),
        sql_u(a->campaign),     sql_t(a->endpoint),      sql_i(a->pbx),
        sql_i(a->phone_kind),   sql_i(a->phone_enabled), sql_i(a->wrapup_default_s),
        sql_i(a->busy_reset_s), sql_i(a->link_grace_s),  sql_i(a->leg_ring_s)};

    memcpy(p, v, sizeof v);
}

int sql_agent_add(struct store *st, const struct store_by *by, const struct msg_agent_config *a,
                  uint8_t role, struct text hash, uint64_t *id)
{
    struct sql_store *s = sql_of(st);
    struct sql_value p[AGENT_PARAMS];
    struct sql_ints got = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    agent_params(a, p);
    p[12] = sql_u(a->account ? a->account : STORE_ACCOUNT);
    p[13] = sql_i(role);
    p[14] = sql_t(hash);
    rc = s->backend->query(s, SQL_agent_insert, p, sql_take_int, &got);
    rc = added(s, by, "agent", a->login, &got, id, rc);
    if (rc == STORE_OK && a->campaign)
        rc = sql_exec(s, member_put, NULL, sql_u(a->campaign), sql_u(*id));
    return sql_leave(s, mine, rc);
}

int sql_agent_put(struct store *st, const struct msg_agent_config *a)
{
    struct sql_store *s = sql_of(st);
    struct sql_value p[AGENT_PARAMS];
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    agent_params(a, p);
    p[12] = sql_u(a->agent);
    rc = s->backend->exec(s, SQL_agent_update, p, NULL);
    if (rc == STORE_OK && a->campaign)
        rc = sql_exec(s, member_put, NULL, sql_u(a->campaign), sql_u(a->agent));
    return sql_leave(s, mine, rc);
}

int sql_agent_password(struct store *st, const struct store_by *by, uint64_t agent,
                       struct text hash)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints there = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_exec(s, agent_password, NULL, sql_u(agent), sql_t(hash));
    if (rc == STORE_OK)
        rc = sql_query(s, member_there, sql_take_ints2, &there, sql_i(0), sql_u(agent));
    rc = changed_one(s, "agent", agent, there.v[1], rc);
    if (rc == STORE_OK)
        rc = audit_one(s, by, "agent", agent, "password", nothing, text_from("(set)"));
    return sql_leave(s, mine, rc);
}

static struct text number_text(struct sql_store *s, uint64_t n)
{
    char digits[24], *p = digits + sizeof digits;

    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return sql_keep(s, (struct text){p, (uint32_t)(digits + sizeof digits - p)});
}

static int take_ints3(void *ctx, size_t item, const struct sql_value *c)
{
    ((struct sql_ints *)ctx)->v[2] = c[2].i;
    return sql_take_ints2(ctx, item, c);
}

int sql_agent_assign(struct store *st, const struct store_by *by, uint64_t agent, uint64_t campaign)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints there = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_query(s, member_there, take_ints3, &there, sql_u(campaign), sql_u(agent));
    rc = changed_one(s, "agent", agent, there.v[1], rc);
    if (campaign)
        rc = changed_one(s, "campaign", campaign, there.v[0], rc);
    if (rc == STORE_OK && campaign)
        rc = sql_exec(s, member_put, NULL, sql_u(campaign), sql_u(agent));
    if (rc == STORE_OK)
        rc = sql_exec(s, agent_campaign, NULL, sql_u(agent), sql_u(campaign));
    if (rc == STORE_OK && (uint64_t)there.v[2] != campaign)
        rc = audit_one(s, by, "agent", agent, "campaign", number_text(s, (uint64_t)there.v[2]),
                       number_text(s, campaign));
    return sql_leave(s, mine, rc);
}

int sql_list_add(struct store *st, const struct store_by *by, const struct store_list *l,
                 uint64_t *id)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints got = {0}, there = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    if (l->campaign) {
        rc = sql_query(s, member_there, sql_take_int, &there, sql_u(l->campaign), sql_i(0));
        rc = changed_one(s, "campaign", l->campaign, there.v[0], rc);
    }
    if (rc == STORE_OK)
        rc = s->backend->query(s, SQL_list_insert,
                               SQL_PARAMS(sql_u(l->account ? l->account : STORE_ACCOUNT),
                                          sql_u(l->campaign), sql_t(l->name), sql_t(l->country),
                                          sql_t(l->zone), sql_i(l->priority), sql_i(l->active),
                                          sql_i(l->manual)),
                               sql_take_int, &got);
    return sql_leave(s, mine, added(s, by, "list", l->name, &got, id, rc));
}

int sql_list_put(struct store *st, const struct store_list *l)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_exec(s, list_update, NULL, sql_u(l->list), sql_u(l->campaign), sql_t(l->name),
                  sql_t(l->country), sql_i(l->priority), sql_t(l->zone), sql_i(l->active));
    return sql_leave(s, mine, rc);
}

struct each_list {
    store_each_list each;
    void *ctx;
};

static int take_list(void *ctx, size_t item, const struct sql_value *c)
{
    struct each_list *e = ctx;
    struct store_list l = {.list = (uint64_t)c[0].i,
                           .account = (uint64_t)c[1].i,
                           .campaign = (uint64_t)c[2].i,
                           .name = c[3].t,
                           .country = c[4].t,
                           .zone = c[5].t,
                           .priority = (uint32_t)c[6].i,
                           .active = c[7].i != 0,
                           .manual = c[8].i != 0,
                           .leads = (uint64_t)c[9].i};

    (void)item;
    return e->each(e->ctx, &l);
}

int sql_lists(struct store *st, uint64_t list, uint64_t campaign, store_each_list each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct each_list e = {each, ctx};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, lists, take_list, &e, sql_u(list), sql_u(campaign));
    return sql_leave(s, false, rc);
}

int sql_pbx_put(struct store *st, uint32_t pbx, struct text name)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    return sql_leave(s, mine, sql_exec(s, pbx_put, NULL, sql_i(pbx), sql_t(name)));
}

struct login_read {
    struct sql_store *s;
    struct store_login *out;
};

static int take_login(void *ctx, size_t item, const struct sql_value *c)
{
    struct login_read *r = ctx;

    (void)item;
    *r->out = (struct store_login){.agent = (uint64_t)c[0].i,
                                   .account = (uint64_t)c[1].i,
                                   .enabled = c[2].i != 0,
                                   .role = (uint8_t)c[3].i,
                                   .hash = sql_keep(r->s, c[4].t),
                                   .name = sql_keep(r->s, c[5].t)};
    return 0;
}

int sql_login(struct store *st, uint64_t account, struct text login, struct store_login *out)
{
    struct sql_store *s = sql_of(st);
    struct login_read r = {s, out};
    int rc = sql_enter(s);

    memset(out, 0, sizeof *out);
    if (rc == STORE_OK)
        rc = sql_query(s, login, take_login, &r, sql_u(account), sql_t(login));
    if (rc == STORE_OK && out->agent == 0)
        rc = sql_fail(s, STORE_NOT_FOUND, "no such user");
    return sql_leave(s, false, rc);
}

int sql_unsuppress(struct store *st, const struct store_by *by, uint64_t account,
                   struct text number)
{
    struct sql_store *s = sql_of(st);
    struct row_step row = row_next(ROW_FAILED, true, RE_UNBARRED);
    struct sql_ints there = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_query(s, is_suppressed, sql_take_int, &there, sql_u(account), sql_t(number));
    if (rc == STORE_OK && !there.found)
        rc = sql_fail(s, STORE_NOT_FOUND, "the number is not on the do-not-call list");
    if (rc == STORE_OK)
        rc = sql_exec(s, unsuppress, NULL, sql_u(account), sql_t(number));
    if (rc == STORE_OK)
        rc = sql_exec(s, unsuppress_rows, NULL, sql_t(number), sql_i(number_tail(number)),
                      sql_u(account), sql_i(row.status), sql_i(row.final));
    if (rc == STORE_OK)
        rc = audit_one(s, by, "dnc", account, "removed", number, nothing);
    return sql_leave(s, mine, rc);
}

struct each_number {
    store_each_number each;
    void *ctx;
};

static int take_number(void *ctx, size_t item, const struct sql_value *c)
{
    struct each_number *e = ctx;

    (void)item;
    return e->each(e->ctx, c[0].t, c[1].t, c[2].i);
}

int sql_suppressed(struct store *st, uint64_t account, struct text after, uint32_t limit,
                   store_each_number each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct each_number e = {each, ctx};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, suppressed, take_number, &e, sql_u(account), sql_t(after), sql_i(limit));
    return sql_leave(s, false, rc);
}

int sql_audit(struct store *st, const struct store_audit *rows, size_t n)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = sql_exec(s, audit, NULL, sql_i(rows[i].at_wall_ms), sql_t(rows[i].who),
                      sql_t(rows[i].kind), sql_u(rows[i].subject), sql_t(rows[i].field),
                      sql_t(rows[i].before), sql_t(rows[i].after));
    return sql_leave(s, mine, rc);
}

struct each_audit {
    store_each_audit each;
    void *ctx;
};

static int take_audit(void *ctx, size_t item, const struct sql_value *c)
{
    struct each_audit *e = ctx;
    struct store_audit a = {.id = (uint64_t)c[0].i,
                            .at_wall_ms = c[1].i,
                            .who = c[2].t,
                            .kind = c[3].t,
                            .subject = (uint64_t)c[4].i,
                            .field = c[5].t,
                            .before = c[6].t,
                            .after = c[7].t};

    (void)item;
    return e->each(e->ctx, &a);
}

int sql_audits(struct store *st, uint64_t before, uint32_t limit, store_each_audit each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct each_audit e = {each, ctx};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, audits, take_audit, &e, sql_u(before), sql_i(limit));
    return sql_leave(s, false, rc);
}

int sql_alarm(struct store *st, struct text code, struct text subject, struct text text,
              bool stands, int64_t at)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    if (!stands && code.len == 0)
        rc = sql_exec(s, alarm_end_all, NULL, sql_i(at));
    else
        rc = stands ? sql_exec(s, alarm_start, NULL, sql_t(code), sql_t(subject), sql_t(text),
                               sql_i(at))
                    : sql_exec(s, alarm_end, NULL, sql_t(code), sql_t(subject), sql_i(at));
    return sql_leave(s, mine, rc);
}

struct each_alarm {
    store_each_alarm each;
    void *ctx;
};

static int take_alarm(void *ctx, size_t item, const struct sql_value *c)
{
    struct each_alarm *e = ctx;
    struct store_alarm a = {.id = (uint64_t)c[0].i,
                            .code = c[1].t,
                            .subject = c[2].t,
                            .text = c[3].t,
                            .started_wall_ms = c[4].i,
                            .ended_wall_ms = c[5].i};

    (void)item;
    return e->each(e->ctx, &a);
}

int sql_alarms(struct store *st, bool standing_only, uint32_t limit, store_each_alarm each,
               void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct each_alarm e = {each, ctx};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, alarms, take_alarm, &e, sql_i(standing_only), sql_i(limit));
    return sql_leave(s, false, rc);
}
