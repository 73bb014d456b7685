/*
 * sql_bulk.c - leads in, everything out.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

#define INSERT_MAX (STORE_BATCH_MAX * 16)

int sql_import_begin(struct store *st, const struct store_by *by, uint64_t list, struct text key,
                     uint64_t *import)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints found = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_exec(s, import_put, NULL, sql_u(list), sql_t(key), sql_s(by->who),
                  sql_i(by->at_wall_ms));
    if (rc == STORE_OK)
        rc = sql_query(s, import_find, sql_take_int, &found, sql_u(list), sql_t(key));
    if (rc == STORE_OK && !found.found)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is no list %llu", (unsigned long long)list);
    *import = (uint64_t)found.v[0];
    return sql_leave(s, mine, rc);
}

struct insert {
    struct sql_store *s;
    const struct store_lead *leads;
    size_t n;
    int64_t *id; /* 0: not inserted */
    bool *suppressed;
    uint64_t import;
    int64_t now;
    struct store_import_count count;
    struct sql_value *params;
    uint32_t *table; /* slots of place + 1, 0 free */
    size_t slots;
};

/* Which lead of the batch has a number: the first, if it came twice. */

static size_t slot_of(struct text number, size_t slots)
{
    uint64_t h = (uint64_t)number_tail(number) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(h >> 32) % slots;
}

/* Its place in the table: of the lead with this number, or a free one. */
static size_t find_slot(const struct insert *in, struct text number)
{
    size_t at = slot_of(number, in->slots);

    while (in->table[at] && !text_same(in->leads[in->table[at] - 1].number, number))
        at = (at + 1) % in->slots;
    return at;
}

static void fill_table(struct insert *in)
{
    size_t i;

    for (i = 0; i < in->n; i++) {
        size_t at = find_slot(in, in->leads[i].number);
        if (!in->table[at])
            in->table[at] = (uint32_t)i + 1;
    }
}

static int take_id(void *ctx, size_t i, const struct sql_value *c)
{
    struct insert *in = ctx;
    uint32_t found = in->table[find_slot(in, c[1].t)];

    (void)i;
    if (found)
        in->id[found - 1] = c[0].i;
    return 0;
}

static int take_suppressed(void *ctx, size_t i, const struct sql_value *c)
{
    struct insert *in = ctx;

    (void)c;
    in->suppressed[i] = true;
    return 0;
}

static int take_there(void *ctx, size_t i, const struct sql_value *c)
{
    struct insert *in = ctx;

    (void)i;
    /* A number that came twice in this very file is a duplicate in the run that put it in, however
     * far apart its rows are, and repeated when the import runs again. */
    if ((uint64_t)c[0].i == in->import && c[1].i != in->now)
        in->count.repeated++;
    else
        in->count.duplicates++;
    return 0;
}

static int insert_rows(struct insert *in, uint64_t list, int64_t account)
{
    struct row_step barred = row_next(ROW_PENDING, false, RE_BARRED);
    size_t i, n = 0;
    int rc;

    for (i = 0; i < in->n; i++) {
        in->params[i * 2] = sql_i(account);
        in->params[i * 2 + 1] = sql_t(in->leads[i].number);
    }
    rc =
        in->s->backend->each(in->s, SQL_numbers_suppressed, in->params, in->n, take_suppressed, in);
    for (i = 0; i < in->n && rc == STORE_OK; i++) {
        struct sql_value *p = in->params + n * 8;
        if (in->id[i] == 0)
            continue;
        in->count.inserted++;
        in->count.suppressed += in->suppressed[i];
        p[0] = sql_u(list);
        p[1] = sql_i(in->id[i]);
        p[2] = sql_i(in->suppressed[i] ? barred.status : ROW_PENDING);
        p[3] = sql_i(in->suppressed[i] && barred.final);
        p[4] = sql_i(in->leads[i].priority ? in->leads[i].priority : 50);
        p[5] = sql_i(in->id[i]);
        p[6] = sql_s(in->suppressed[i] ? reason_name(REASON_do_not_call) : "");
        p[7] = sql_i(in->leads[i].zone.len > 0);
        n++;
    }
    if (rc == STORE_OK && n > 0)
        rc = in->s->backend->each(in->s, SQL_rows_insert, in->params, n, NULL, NULL);
    return rc;
}

static void there_params(struct sql_value *p, uint64_t list, struct text number)
{
    p[0] = sql_u(list);
    p[1] = sql_i(number_tail(number));
    p[2] = sql_t(number);
}

static int count_there(struct insert *in, uint64_t list)
{
    size_t i, n = 0;

    for (i = 0; i < in->n; i++) {
        size_t first = in->table[find_slot(in, in->leads[i].number)] - 1;
        if (in->id[i])
            continue;
        if (in->id[first]) { /* twice in this batch, and the first one made it */
            in->count.duplicates++;
            continue;
        }
        there_params(in->params + n++ * 3, list, in->leads[i].number);
    }
    return n ? in->s->backend->each(in->s, SQL_leads_there, in->params, n, take_there, in)
             : STORE_OK;
}

static int account_of(struct sql_store *s, uint64_t list, int64_t *account)
{
    struct sql_ints found = {0};
    int rc = sql_query(s, list_account, sql_take_int, &found, sql_u(list));

    *account = found.v[0];
    if (rc == STORE_OK && !found.found)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is no list %llu", (unsigned long long)list);
    return rc;
}

static int insert_leads(struct insert *in, uint64_t list)
{
    int64_t account;
    size_t i;
    int rc = account_of(in->s, list, &account);

    for (i = 0; i < in->n && rc == STORE_OK; i++) {
        const struct store_lead *d = &in->leads[i];
        struct sql_value *p = in->params + i * 8;
        p[0] = sql_u(list);
        p[1] = sql_u(in->import);
        p[2] = sql_t(d->number);
        p[3] = sql_i(number_tail(d->number));
        p[4] = sql_t(d->name);
        p[5] = sql_t(d->zone);
        p[6] = d->fields.len ? sql_t(d->fields) : sql_s("{}");
        p[7] = sql_i(in->now);
        if (!number_valid(d->number))
            rc = sql_fail(in->s, STORE_INVALID, "lead %zu of the batch has no E.164 number", i);
    }
    if (rc == STORE_OK)
        rc = in->s->backend->each(in->s, SQL_leads_insert, in->params, in->n, take_id, in);
    if (rc == STORE_OK)
        rc = insert_rows(in, list, account);
    return rc == STORE_OK ? count_there(in, list) : rc;
}

int sql_leads_insert(struct store *st, uint64_t list, uint64_t import, int64_t now,
                     const struct store_lead *leads, size_t n, struct store_import_count *count)
{
    struct sql_store *s = sql_of(st);
    struct insert in = {.s = s, .leads = leads, .n = n, .import = import, .now = now};
    bool mine;
    int rc;

    if (n == 0 || n > INSERT_MAX)
        return n == 0 ? STORE_OK : sql_fail(s, STORE_INVALID, "%zu leads in one call", n);
    rc = sql_enter_tx(s, &mine);
    if (rc)
        return rc;
    in.id = sql_alloc(s, n * sizeof *in.id);
    in.suppressed = sql_alloc(s, n * sizeof *in.suppressed);
    in.params = sql_alloc(s, n * 8 * sizeof *in.params);
    in.slots = n * 2 + 1;
    in.table = sql_alloc(s, in.slots * sizeof *in.table);
    if (!in.id || !in.suppressed || !in.params || !in.table)
        return sql_leave(s, mine, sql_fail(s, STORE_AWAY, "out of memory"));
    memset(in.id, 0, n * sizeof *in.id);
    memset(in.suppressed, 0, n * sizeof *in.suppressed);
    memset(in.table, 0, in.slots * sizeof *in.table);
    fill_table(&in);
    rc = sql_leave(s, mine, insert_leads(&in, list));
    if (rc == STORE_OK) {
        count->inserted += in.count.inserted;
        count->repeated += in.count.repeated;
        count->duplicates += in.count.duplicates;
        count->suppressed += in.count.suppressed;
    }
    return rc;
}

struct look {
    uint64_t import; /* 0: this one never ran */
    struct store_lead_look *out;
};

static int look_there(void *ctx, size_t i, const struct sql_value *c)
{
    const struct look *l = ctx;

    l->out[i].there = l->import && (uint64_t)c[0].i == l->import ? LEAD_REPEATED : LEAD_DUPLICATE;
    return 0;
}

static int look_suppressed(void *ctx, size_t i, const struct sql_value *c)
{
    const struct look *l = ctx;

    (void)c;
    l->out[i].suppressed = true;
    return 0;
}

int sql_leads_look(struct store *st, uint64_t list, struct text key, const struct store_lead *leads,
                   size_t n, struct store_lead_look *out)
{
    struct sql_store *s = sql_of(st);
    struct look l = {.out = out};
    struct sql_ints import = {0};
    struct sql_value *p;
    int64_t account = 0;
    size_t i;
    int rc = sql_enter(s);

    memset(out, 0, n * sizeof *out);
    if (rc == STORE_OK && n > INSERT_MAX)
        rc = sql_fail(s, STORE_INVALID, "%zu leads in one call", n);
    if (rc)
        return sql_leave(s, false, rc);
    p = sql_alloc(s, (n + 1) * 3 * sizeof *p);
    if (!p)
        return sql_leave(s, false, sql_fail(s, STORE_AWAY, "out of memory"));
    rc = account_of(s, list, &account);
    if (rc == STORE_OK)
        rc = sql_query(s, import_find, sql_take_int, &import, sql_u(list), sql_t(key));
    l.import = (uint64_t)import.v[0];
    for (i = 0; i < n && rc == STORE_OK; i++)
        there_params(p + i * 3, list, leads[i].number);
    if (rc == STORE_OK)
        rc = s->backend->each(s, SQL_leads_there, p, n, look_there, &l);
    for (i = 0; i < n && rc == STORE_OK; i++) {
        p[i * 2] = sql_i(account);
        p[i * 2 + 1] = sql_t(leads[i].number);
    }
    if (rc == STORE_OK)
        rc = s->backend->each(s, SQL_numbers_suppressed, p, n, look_suppressed, &l);
    return sql_leave(s, false, rc);
}

/* --- leads out -------------------------------------------------------------------------------- */

struct leads_out {
    struct sql_store *s;
    store_each_lead each;
    void *ctx;
    struct store_cursor *at;
    size_t n;
    struct store_lead_state *one;
};

static void lead_state(const struct sql_value *c, struct store_lead_state *d)
{
    *d = (struct store_lead_state){.lead = {.lead = (uint64_t)c[0].i,
                                            .number = c[1].t,
                                            .name = c[2].t,
                                            .zone = c[3].t,
                                            .fields = c[4].t,
                                            .priority = (uint32_t)c[5].i},
                                   .list = (uint64_t)c[6].i,
                                   .campaign = (uint64_t)c[7].i,
                                   .row = (uint64_t)c[8].i,
                                   .row_status = (uint8_t)c[9].i,
                                   .final = c[10].i != 0,
                                   .attempts = (uint32_t)c[11].i,
                                   .due_wall_ms = c[12].i == DUE_NEVER ? 0 : c[12].i,
                                   .cause = c[13].t,
                                   .created_wall_ms = c[14].i};
}

static int take_lead(void *ctx, size_t item, const struct sql_value *c)
{
    struct leads_out *o = ctx;
    struct store_lead_state d;

    (void)item;
    lead_state(c, &d);
    o->n++;
    if (o->one) {
        d.lead.number = sql_keep(o->s, d.lead.number);
        d.lead.name = sql_keep(o->s, d.lead.name);
        d.lead.zone = sql_keep(o->s, d.lead.zone);
        d.lead.fields = sql_keep(o->s, d.lead.fields);
        d.cause = sql_keep(o->s, d.cause);
        *o->one = d;
        return 0;
    }
    o->at->at_ms = d.created_wall_ms;
    o->at->id = d.lead.lead;
    return o->each(o->ctx, &d);
}

int sql_lead_read(struct store *st, uint64_t lead, struct store_lead_state *out)
{
    struct sql_store *s = sql_of(st);
    struct leads_out o = {.s = s, .one = out};
    int rc = sql_enter(s);

    memset(out, 0, sizeof *out);
    if (rc == STORE_OK)
        rc = sql_query(s, lead_read, take_lead, &o, sql_u(lead));
    if (rc == STORE_OK && o.n == 0)
        rc = sql_fail(s, STORE_NOT_FOUND, "there is no lead %llu", (unsigned long long)lead);
    return sql_leave(s, false, rc);
}

int sql_leads(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
              store_each_lead each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct leads_out o = {.s = s, .each = each, .ctx = ctx, .at = at};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = sql_query(s, leads, take_lead, &o, sql_i(from), sql_i(to), sql_i(at->at_ms),
                       sql_u(at->id), sql_u(*n));
    *n = o.n;
    return sql_leave(s, false, rc);
}

/* --- calls out -------------------------------------------------------------------------------- */

struct calls_out {
    store_each_call each;
    void *ctx;
    struct store_cursor *at;
    size_t n;
};

static int take_call(void *ctx, size_t item, const struct sql_value *c)
{
    struct calls_out *o = ctx;
    struct store_call d = {.attempt = c[0].t,
                           .campaign = (uint64_t)c[1].i,
                           .list = (uint64_t)c[2].i,
                           .lead = (uint64_t)c[3].i,
                           .row = (uint64_t)c[4].i,
                           .agent = (uint64_t)c[5].i,
                           .trunk = (uint64_t)c[6].i,
                           .attempt_no = (uint32_t)c[7].i,
                           .pbx = (uint32_t)c[8].i,
                           .number = c[9].t,
                           .caller_id = c[10].t,
                           .disposition = c[11].t,
                           .note = c[12].t,
                           .disposed_by = c[13].t,
                           .cause = (uint8_t)c[14].i,
                           .state = (uint8_t)c[15].i,
                           .outcome = (uint8_t)c[16].i,
                           .q850 = (uint16_t)c[17].i,
                           .sip = (uint16_t)c[18].i,
                           .counts = c[19].i != 0,
                           .claimed_ms = c[20].i,
                           .originated_ms = c[21].i,
                           .ringing_ms = c[22].i,
                           .answered_ms = c[23].i,
                           .bridged_ms = c[24].i,
                           .ended_ms = c[25].i,
                           .disposed_ms = c[26].i};

    (void)item;
    o->n++;
    o->at->at_ms = d.claimed_ms;
    snprintf(o->at->key, sizeof o->at->key, "%.*s", (int)d.attempt.len,
             d.attempt.ptr ? d.attempt.ptr : "");
    return o->each(o->ctx, &d);
}

int sql_calls(struct store *st, int64_t from, int64_t to, uint64_t lead, struct store_cursor *at,
              size_t *n, store_each_call each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct calls_out o = {each, ctx, at, 0};
    char key[sizeof at->key];
    int rc = sql_enter(s);

    /* The cursor moves while the rows come: the parameter must not. */
    memcpy(key, at->key, sizeof key);
    if (rc == STORE_OK)
        rc = lead ? sql_query(s, calls_of_lead, take_call, &o, sql_u(lead), sql_i(from), sql_i(to),
                              sql_i(at->at_ms), sql_s(key), sql_u(*n))
                  : sql_query(s, calls, take_call, &o, sql_i(from), sql_i(to), sql_i(at->at_ms),
                              sql_s(key), sql_u(*n));
    *n = o.n;
    return sql_leave(s, false, rc);
}

/* --- legs out --------------------------------------------------------------------------------- */

struct legs_out {
    store_each_leg each;
    void *ctx;
    struct store_cursor *at;
    size_t n;
};

static int take_leg(void *ctx, size_t item, const struct sql_value *c)
{
    struct legs_out *o = ctx;
    struct store_leg d = {.leg = c[0].t,
                          .agent = (uint64_t)c[1].i,
                          .use = (uint8_t)c[2].i,
                          .pbx = (uint32_t)c[3].i,
                          .endpoint = c[4].t,
                          .attempt = c[5].t,
                          .claimed_ms = c[6].i,
                          .answered_ms = c[7].i,
                          .ended_ms = c[8].i};

    (void)item;
    o->n++;
    o->at->at_ms = d.claimed_ms;
    snprintf(o->at->key, sizeof o->at->key, "%.*s", (int)d.leg.len, d.leg.ptr ? d.leg.ptr : "");
    return o->each(o->ctx, &d);
}

int sql_legs(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
             store_each_leg each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct legs_out o = {each, ctx, at, 0};
    char key[sizeof at->key];
    int rc = sql_enter(s);

    memcpy(key, at->key, sizeof key);
    if (rc == STORE_OK)
        rc = sql_query(s, legs, take_leg, &o, sql_i(from), sql_i(to), sql_i(at->at_ms), sql_s(key),
                       sql_u(*n));
    *n = o.n;
    return sql_leave(s, false, rc);
}

/* --- agents' times ---------------------------------------------------------------------------- */

/* Each interval ends where the agent's next one begins, so one row is always held back until the
 * next has been seen: also across pages, by reading it again. */
struct times_out {
    struct sql_store *s;
    store_each_time each;
    void *ctx;
    struct store_cursor *at;
    int64_t to;
    size_t seen, given, room;
    bool held, stopped;
    uint64_t held_id;
    struct store_agent_time last;
};

static int give(struct times_out *o, int64_t until_ms)
{
    int stop = 0;

    o->last.until_ms = until_ms;
    if (o->last.from_ms < o->to) {
        o->given++;
        stop = o->each(o->ctx, &o->last);
    }
    o->at->at_ms = o->last.from_ms;
    o->at->id = o->held_id;
    snprintf(o->at->key, sizeof o->at->key, "%llu", (unsigned long long)o->last.agent);
    o->held = false;
    o->stopped = stop != 0;
    return stop;
}

static int take_time(void *ctx, size_t item, const struct sql_value *c)
{
    struct times_out *o = ctx;
    uint64_t agent = (uint64_t)c[0].i;

    (void)item;
    o->seen++;
    if (o->held && give(o, o->last.agent == agent ? c[5].i : 0))
        return 1;
    o->last = (struct store_agent_time){.agent = agent,
                                        .state = (uint8_t)c[1].i,
                                        .reason = sql_keep(o->s, c[2].t),
                                        .campaign = (uint64_t)c[3].i,
                                        .attempt = sql_keep(o->s, c[4].t),
                                        .from_ms = c[5].i,
                                        .login = sql_keep(o->s, c[7].t)};
    o->held_id = (uint64_t)c[6].i;
    o->held = true;
    return 0;
}

int sql_agent_times(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
                    store_each_time each, void *ctx)
{
    struct sql_store *s = sql_of(st);
    struct times_out o = {
        .s = s, .each = each, .ctx = ctx, .at = at, .to = to, .room = *n < 2 ? 2 : *n};
    unsigned long long agent = 0;
    int rc = sql_enter(s);

    /* A page in which nothing began before `to` is not the end: go on until there is no page. */
    while (rc == STORE_OK && o.given == 0 && !o.stopped) {
        if (at->key[0] && sscanf(at->key, "%llu", &agent) != 1)
            return sql_fail(s, STORE_INVALID, "a cursor that is not ours");
        o.seen = 0;
        o.held = false;
        rc = sql_query(s, agent_events, take_time, &o, sql_i(from), sql_u(agent), sql_i(at->at_ms),
                       sql_u(at->id), sql_u(o.room + 1));
        if (rc == STORE_OK && o.held && !o.stopped && o.seen <= o.room)
            give(&o, 0);
        if (o.seen == 0)
            break;
    }
    *n = o.given;
    return sql_leave(s, false, rc);
}
