/*
 * sql_record.c - what happened: attempts, legs, agents, dispositions. Everything here may be told
 * twice: each statement has the condition under which it has not been done yet.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

int sql_attempt_moved(struct store *st, const struct msg_attempt_moved *req, size_t n)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++) {
        const struct msg_attempt_moved *m = &req[i];
        rc =
            sql_exec(s, moved, NULL, sql_t(m->attempt), sql_i(m->state), sql_u(m->agent),
                     sql_i(m->at_wall_ms), sql_i(m->originated_wall_ms), sql_i(m->ringing_wall_ms));
        if (rc == STORE_OK && m->state == ATTEMPT_ANSWERED)
            rc = sql_exec(s, moved_row, NULL, sql_t(m->attempt),
                          sql_i(row_next(ROW_DIALING, false, RE_PICKED_UP).status));
        if (rc == STORE_OK)
            rc = sql_exec(s, call_event, NULL, sql_t(m->attempt), sql_i(m->state), sql_i(0),
                          sql_u(m->agent), sql_i(m->at_wall_ms), sql_s(""));
    }
    return sql_leave(s, mine, rc);
}

/* What becomes of the attempt's row, by one of the statements over_*. */
static int row_over(struct sql_store *s, enum sql_id how, const struct msg_attempt_over *m,
                    enum row_event on, bool counts)
{
    const struct row_step row = row_next(ROW_DIALING, false, on);
    const struct row_step final = row_next(ROW_DIALING, true, on);

    return s->backend->exec(s, how,
                            SQL_PARAMS(sql_t(m->attempt), sql_i(row.status), sql_i(row.final),
                                       sql_i(final.status), sql_i(final.final),
                                       sql_i(m->due_wall_ms), sql_i(on == RE_NOT_SENT),
                                       sql_s(outcome_name(m->outcome)), sql_i(counts)),
                            NULL);
}

static int over(struct sql_store *s, const struct msg_attempt_over *m, int64_t *changed)
{
    int state = m->outcome == OUTCOME_UNKNOWN ? ATTEMPT_UNKNOWN : ATTEMPT_ENDED;
    enum row_event on = row_event_of(m->outcome);
    int rc = STORE_OK;

    /* The row first: it asks whether the attempt is still the one it waits for. A typed number that
     * is none says nothing of its lead's own. */
    if (on == RE_BAD_NUMBER)
        rc = row_over(s, SQL_over_typed, m, RE_NOT_SENT, false);
    if (rc == STORE_OK)
        rc = row_over(s, SQL_over_row, m, on, m->counts);
    if (rc == STORE_OK)
        rc = sql_exec(s, over, changed, sql_t(m->attempt), sql_i(m->outcome), sql_i(m->cause),
                      sql_i(m->tech_cause), sql_u(m->agent), sql_i(m->counts),
                      sql_i(m->answered_wall_ms), sql_i(m->bridged_wall_ms), sql_i(m->at_wall_ms),
                      sql_i(m->originated_wall_ms), sql_i(m->ringing_wall_ms), sql_t(m->skipped));
    if (rc == STORE_OK)
        rc = sql_exec(s, call_event, NULL, sql_t(m->attempt), sql_i(state), sql_i(m->outcome),
                      sql_u(m->agent), sql_i(m->at_wall_ms),
                      m->skipped.len ? sql_t(m->skipped) : sql_s(outcome_name(m->outcome)));
    return rc;
}

int sql_attempt_over(struct store *st, const struct msg_attempt_over *req, size_t n,
                     uint8_t *result)
{
    struct sql_store *s = sql_of(st);
    int64_t changed[STORE_BATCH_MAX];
    struct sql_ints none = {0};
    bool mine;
    size_t i;
    int rc;

    if (n > STORE_BATCH_MAX)
        return sql_fail(s, STORE_INVALID, "%zu records in one call", n);
    rc = sql_enter_tx(s, &mine);
    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = over(s, &req[i], &changed[i]);
    /* A query brings in what exec has put off: changed[] is valid after it. */
    if (rc == STORE_OK && n > 0)
        rc = sql_query(s, attempt_there, sql_take_int, &none, sql_s(""));
    for (i = 0; i < n && rc == STORE_OK; i++) {
        struct sql_ints there = {0};
        result[i] = RESULT_OK;
        if (changed[i] > 0)
            continue;
        rc = sql_query(s, attempt_there, sql_take_int, &there, sql_t(req[i].attempt));
        if (!there.found)
            result[i] = RESULT_NOT_FOUND;
    }
    return sql_leave(s, mine, rc);
}

int sql_leg_claim(struct store *st, const struct msg_leg_claim *req, size_t n,
                  struct msg_leg_claimed *out)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++) {
        const struct msg_leg_claim *m = &req[i];
        struct sql_ints same = {0};
        memset(&out[i], 0, sizeof out[i]);
        out[i].leg = m->leg;
        rc = sql_exec(s, leg_insert, NULL, sql_t(m->leg), sql_u(m->agent), sql_i(m->use),
                      sql_i(m->pbx), sql_t(m->endpoint), sql_t(m->attempt), sql_i(m->at_wall_ms));
        if (rc == STORE_OK)
            rc = sql_query(s, leg_same, sql_take_int, &same, sql_t(m->leg), sql_u(m->agent),
                           sql_t(m->endpoint), sql_i(m->pbx));
        out[i].result = same.found ? RESULT_OK : RESULT_CONFLICT;
    }
    return sql_leave(s, mine, rc);
}

int sql_leg_over(struct store *st, const struct msg_leg_over *req, size_t n)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = sql_exec(s, leg_over, NULL, sql_t(req[i].leg), sql_i(req[i].cause),
                      sql_i(req[i].answered_wall_ms), sql_i(req[i].at_wall_ms));
    return sql_leave(s, mine, rc);
}

int sql_agent_moved(struct store *st, const struct msg_agent_moved *req, size_t n)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = sql_exec(s, agent_event, NULL, sql_u(req[i].agent), sql_i(req[i].state),
                      sql_t(req[i].reason), sql_u(req[i].campaign), sql_t(req[i].attempt),
                      sql_i(req[i].at_wall_ms));
    return sql_leave(s, mine, rc);
}

int sql_suppress(struct store *st, const struct msg_suppress *req, size_t n)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++) {
        if (!number_valid(req[i].number))
            rc = sql_fail(s, STORE_INVALID, "%.*s is not an E.164 number",
                          (int)(req[i].number.len < 40 ? req[i].number.len : 40),
                          req[i].number.ptr ? req[i].number.ptr : "");
        else
            rc = sql_exec(s, suppress, NULL, sql_u(req[i].account), sql_t(req[i].number),
                          sql_t(req[i].source), sql_i(req[i].at_wall_ms));
    }
    return sql_leave(s, mine, rc);
}

/* --- dispositions ----------------------------------------------------------------------------- */

struct dispose_read {
    struct sql_store *s;
    struct dispose_facts f;
    uint64_t account, campaign, row, lead;
    struct text number, zone, own; /* called; the lead's own number */
};

static int take_dispose(void *ctx, size_t item, const struct sql_value *c)
{
    struct dispose_read *r = ctx;

    (void)item;
    r->f.found = true;
    r->account = (uint64_t)c[0].i;
    r->campaign = (uint64_t)c[1].i;
    r->f.agent = (uint64_t)c[2].i;
    r->f.counts = c[4].i != 0;
    r->f.disposition = sql_keep(r->s, c[5].t);
    r->f.by_system = text_same(c[6].t, text_from("system"));
    r->row = (uint64_t)c[7].i;
    r->f.row_status = (uint8_t)c[8].i;
    r->f.row_final = c[9].i != 0;
    r->f.superseded = c[10].i != c[11].i;
    r->lead = (uint64_t)c[12].i;
    r->f.no_answer_s = c[13].i;
    r->f.busy_s = c[14].i;
    r->f.not_disposed_s = c[15].i;
    r->number = sql_keep(r->s, c[16].t);
    r->zone = sql_keep(r->s, c[17].t);
    r->own = sql_keep(r->s, c[18].t);
    return 0;
}

struct disposition_read {
    struct sql_store *s;
    struct store_disposition *out;
    store_each_disposition each;
    void *ctx;
};

static int take_disposition(void *ctx, size_t item, const struct sql_value *c)
{
    struct disposition_read *r = ctx;
    struct store_disposition d = {.code = c[0].t,
                                  .name = c[1].t,
                                  .reached = c[2].i != 0,
                                  .machine = c[3].i != 0,
                                  .sale = c[4].i != 0,
                                  .final = c[5].i != 0,
                                  .counts = c[6].i != 0,
                                  .dnc = c[7].i != 0,
                                  .callback = c[8].i != 0,
                                  .offered = c[9].i != 0,
                                  .recycle_s = c[10].i};

    (void)item;
    if (r->each)
        return r->each(r->ctx, &d);
    d.code = sql_keep(r->s, d.code);
    d.name = sql_keep(r->s, d.name);
    *r->out = d;
    return 0;
}

int sql_dispositions(struct store *st, uint64_t account, store_each_disposition each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct disposition_read r = {s, NULL, each, ctx};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, dispositions, take_disposition, &r, sql_u(account));
    return sql_leave(s, false, rc);
}

static int dispose_effects(struct dispose_read *r, const struct msg_dispose *m,
                           const struct dispose_effect *e)
{
    struct sql_store *s = r->s;
    const struct store_disposition *d = &r->f.d;
    const char *by = m->corrected_by.len ? "supervisor" : d->offered ? "agent" : "system";
    int rc;

    rc = sql_exec(s, dispose, NULL, sql_t(m->attempt), sql_t(d->code), sql_s(by),
                  sql_i(m->at_wall_ms), sql_t(m->note), sql_i(d->counts));
    if (rc == STORE_OK && m->corrected_by.len) /* R25: both stay */
        rc =
            sql_exec(s, audit, NULL, sql_i(m->at_wall_ms), sql_t(m->corrected_by), sql_s("attempt"),
                     sql_u(r->lead), sql_t(m->attempt), sql_t(r->f.disposition), sql_t(d->code));
    if (rc == STORE_OK && e->row.moves)
        rc = sql_exec(s, dispose_row, NULL, sql_u(r->row), sql_i(e->row.status),
                      sql_i(e->row.final), sql_i(e->due_ms), sql_t(d->code), sql_i(e->callback),
                      sql_i(e->callback ? 1 : 0), sql_i(e->attempts));
    if (rc == STORE_OK)
        rc = d->callback ? sql_exec(s, callback_put, NULL, sql_t(m->attempt), sql_u(r->campaign),
                                    sql_u(r->lead), sql_u(r->row), sql_u(m->agent),
                                    sql_i(m->callback_wall_ms), sql_t(r->zone), sql_t(m->note),
                                    sql_i(m->at_wall_ms))
                         : sql_exec(s, callback_drop, NULL, sql_t(m->attempt));
    for (int i = 0; i < 2 && rc == STORE_OK && d->dnc; i++) /* most often the same twice */
        rc = sql_exec(s, suppress, NULL, sql_u(r->account), sql_t(i ? r->own : r->number),
                      sql_s("disposition"), sql_i(m->at_wall_ms));
    if (rc == STORE_OK)
        rc = sql_exec(s, call_event, NULL, sql_t(m->attempt), sql_i(ATTEMPT_DISPOSED), sql_i(0),
                      sql_u(m->agent), sql_i(m->at_wall_ms), sql_t(d->code));
    return rc;
}

static int dispose_one(struct sql_store *s, const struct msg_dispose *m, struct msg_disposed *out)
{
    struct dispose_read r = {.s = s};
    struct disposition_read dr = {s, &r.f.d, NULL, NULL};
    struct sql_ints due = {0};
    struct dispose_effect e;
    int rc;

    memset(out, 0, sizeof *out);
    out->attempt = m->attempt;
    out->code = m->code;
    out->request = m->request;
    out->client = m->client;
    rc = sql_query(s, dispose_read, take_dispose, &r, sql_t(m->attempt));
    if (rc == STORE_OK && r.f.found)
        rc = sql_query(s, disposition, take_disposition, &dr, sql_u(r.account), sql_t(m->code));
    if (rc == STORE_OK && r.f.disposition.len)
        rc = sql_query(s, callback_due, sql_take_int, &due, sql_t(m->attempt));
    if (rc)
        return rc;
    r.f.callback_ms = due.v[0];
    e = dispose_decide(m, &r.f);
    out->campaign = r.campaign;
    out->result = e.result;
    out->text = text_from(e.text);
    if (e.result == RESULT_OK && r.f.d.dnc)
        say_suppressed(out, r.number, r.own);
    if (e.result != RESULT_OK || e.repeated)
        return STORE_OK;
    return dispose_effects(&r, m, &e);
}

int sql_dispose(struct store *st, const struct msg_dispose *req, size_t n, struct msg_disposed *out)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    size_t i;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = dispose_one(s, &req[i], &out[i]);
    return sql_leave(s, mine, rc);
}
