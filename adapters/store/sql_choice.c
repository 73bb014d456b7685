/*
 * sql_choice.c - several leads have the number of a call: who they are, and the one that the agent
 * chose (R14, choice.h).
 */
#include <stdio.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

struct matching {
    struct sql_store *s;
    struct matches *m;
};

static int take_match(void *ctx, size_t item, const struct sql_value *c)
{
    struct matching *g = ctx;

    (void)item;
    if (g->m->n == MATCHES_MAX)
        return 1;
    g->m->at[g->m->n++] = (struct match){.lead = (uint64_t)c[0].i,
                                         .row = (uint64_t)c[1].i,
                                         .name = sql_keep(g->s, c[3].t),
                                         .list = sql_keep(g->s, c[4].t)};
    g->m->exact += c[2].i != 0;
    return 0;
}

int sql_match(struct sql_store *s, uint64_t campaign, struct text number, enum choice kept,
              struct matches *m)
{
    struct matching g = {s, m};
    int rc;

    m->n = m->exact = 0;
    rc = sql_query(s, lead_match, take_match, &g, sql_u(campaign), sql_t(number),
                   sql_i(number_tail(number)));
    if (kept == CHOICE_NUMBER)
        m->n = m->exact;
    return rc;
}

struct text sql_offer(struct sql_store *s, const struct matches *m)
{
    const size_t size = choice_size(m);
    char *out = sql_alloc(s, size);

    s->broken = s->broken || !out;
    return out ? choice_write(m, out, size) : (struct text){NULL, 0};
}

int sql_lead_match(struct store *st, uint64_t campaign, struct text number, uint64_t *leads,
                   size_t *n)
{
    struct sql_store *s = sql_of(st);
    struct matches m = {0};
    int rc = sql_enter(s);
    size_t i;

    if (rc == STORE_OK)
        rc = sql_match(s, campaign, number, CHOICE_NONE, &m);
    (void)choice_among(&m);
    if (m.n < *n)
        *n = m.n;
    for (i = 0; i < *n; i++)
        leads[i] = m.at[i].lead;
    return sql_leave(s, false, rc);
}

/* --- the choice ------------------------------------------------------------------------------- */

struct settling {
    struct sql_store *s;
    struct settle_facts f;
    uint64_t campaign;
    uint32_t attempt_no;
    struct text number;
    /* the lead */
    bool there;
    uint64_t row, list;
    uint32_t last_no;
    struct text name, fields;
};

static int take_call(void *ctx, size_t item, const struct sql_value *c)
{
    struct settling *g = ctx;

    (void)item;
    g->f.found = true;
    g->campaign = (uint64_t)c[0].i;
    g->f.agent = (uint64_t)c[1].i;
    g->f.live = c[2].i != 0;
    g->f.choice = (uint8_t)c[3].i;
    g->f.disposed = c[4].i != 0;
    g->f.lead = (uint64_t)c[5].i;
    g->f.row_status = (uint8_t)c[6].i;
    g->number = sql_keep(g->s, c[7].t);
    g->attempt_no = (uint32_t)c[8].i;
    g->f.row_final = c[9].i != 0;
    g->f.row_due_ms = c[10].i;
    return 0;
}

static int take_lead(void *ctx, size_t item, const struct sql_value *c)
{
    struct settling *g = ctx;

    (void)item;
    g->there = true;
    g->row = (uint64_t)c[0].i;
    g->f.asked_status = (uint8_t)c[1].i;
    g->last_no = (uint32_t)c[2].i;
    g->list = (uint64_t)c[3].i;
    g->name = sql_keep(g->s, c[4].t);
    g->fields = sql_keep(g->s, c[5].t);
    g->f.asked_final = c[6].i != 0;
    return 0;
}

static int read_all(struct settling *g, const struct msg_settle_lead *m)
{
    struct matches found = {0};
    int rc = sql_query(g->s, settle_read, take_call, g, sql_t(m->attempt));

    if (rc == STORE_OK && g->f.found && g->f.choice != CHOICE_NONE)
        rc = sql_match(g->s, g->campaign, g->number, (enum choice)g->f.choice, &found);
    g->f.offered = choice_offers(&found, m->lead);
    if (rc == STORE_OK && g->f.found)
        rc = sql_query(g->s, settle_lead, take_lead, g, sql_u(m->lead));
    return rc;
}

static int write_all(const struct settling *g, const struct msg_settle_lead *m,
                     const struct settle_effect *e)
{
    struct sql_store *s = g->s;
    const uint32_t no = e->moves ? g->last_no + 1 : g->attempt_no;
    char who[32], before[24], after[24];
    int rc = STORE_OK;

    if (e->moves)
        rc = sql_exec(s, settle_leave, NULL, sql_t(m->attempt), sql_i(e->left.status),
                      sql_i(e->left.final), sql_i(e->left_due_ms));
    if (rc == STORE_OK && e->moves)
        rc = sql_exec(s, settle_row, NULL, sql_u(g->row), sql_i(e->taken.status),
                      sql_i(e->taken.final), sql_i(no));
    if (rc == STORE_OK)
        rc = sql_exec(s, settle, NULL, sql_t(m->attempt), sql_u(m->lead), sql_u(g->row),
                      sql_u(g->list), sql_i(no));
    snprintf(who, sizeof who, "agent:%llu", (unsigned long long)m->agent);
    snprintf(before, sizeof before, "lead %llu", (unsigned long long)g->f.lead);
    snprintf(after, sizeof after, "lead %llu", (unsigned long long)m->lead);
    return rc ? rc
              : sql_exec(s, audit, NULL, sql_i(m->at_wall_ms), sql_s(who), sql_s("attempt"),
                         sql_u(m->lead), sql_t(m->attempt), sql_s(before), sql_s(after));
}

static int settle_one(struct sql_store *s, const struct msg_settle_lead *m,
                      struct msg_lead_settled *out)
{
    struct settling g = {.s = s};
    struct settle_effect e;
    int rc;

    *out = (struct msg_lead_settled){
        .attempt = m->attempt, .lead = m->lead, .client = m->client, .request = m->request};
    rc = read_all(&g, m);
    if (rc)
        return rc;
    e = settle_decide(m, &g.f);
    out->campaign = g.campaign;
    out->result = e.result;
    out->text = text_from(e.text);
    if (e.result != RESULT_OK)
        return STORE_OK;
    out->row = g.row;
    out->attempt_no = e.moves ? g.last_no + 1 : g.attempt_no;
    out->name = g.name;
    out->fields = g.fields;
    return e.repeated ? STORE_OK : write_all(&g, m, &e);
}

int sql_settle(struct store *st, const struct msg_settle_lead *req, size_t n,
               struct msg_lead_settled *out)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = settle_one(s, &req[i], &out[i]);
    return sql_leave(s, mine, rc);
}
