/*
 * sql_claim.c - the claim: an attempt's row is committed before anything is dialed.
 *
 * Three statements for a whole batch: read everything that matters (locking the queue rows, and the
 * lease against a take-over), insert the attempts, move the rows. What is decided in between is in
 * rules.c. The unique indexes of `attempt` have the last word: a number or id that somebody else
 * brought to life meanwhile makes no row, and then its queue row does not move either.
 */
#include <stdio.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

enum { READ_PARAMS = 6, INSERT_PARAMS = 18, ROW_PARAMS = 4 };

struct item {
    struct claim_facts facts;
    uint64_t row, lead, list, account;
    uint32_t attempt_no;
    struct text typed; /* by an agent, and only its tail is the lead's; else empty */
    struct text own;   /* the lead's number */
    struct text number, name, fields, lead_zone, list_zone, campaign_zone;
    uint8_t choice; /* not CHOICE_NONE: several leads match, nobody's data are shown (R14) */
    struct text offered;
    bool refused_early;
    bool inserted;
};

struct batch {
    struct sql_store *s;
    const struct msg_claim *req;
    struct msg_claimed *out;
    size_t n;
    struct item *item;
    size_t *order; /* items whose attempts are being inserted, in the order of the parameters */
    struct sql_value *params;
};

static int take_row(void *ctx, size_t i, const struct sql_value *c)
{
    struct batch *b = ctx;
    struct item *it = &b->item[i];
    struct claim_facts *f = &it->facts;

    f->found = true;
    it->lead = (uint64_t)c[0].i;
    f->status = (uint8_t)c[1].i;
    f->final = c[2].i != 0;
    f->callback = c[3].i != 0;
    f->due_ms = c[4].i;
    f->attempts = (uint32_t)c[5].i;
    it->attempt_no = (uint32_t)c[6].i + 1;
    it->list = (uint64_t)c[7].i;
    f->campaign = (uint64_t)c[8].i;
    it->account = (uint64_t)c[9].i;
    f->list_active = c[10].i != 0;
    f->list_manual = c[11].i != 0;
    it->list_zone = sql_keep(b->s, c[12].t);
    it->campaign_zone = sql_keep(b->s, c[13].t);
    it->own = sql_keep(b->s, c[14].t);
    it->number = f->number = it->typed.len ? it->typed : it->own;
    it->name = sql_keep(b->s, c[15].t);
    it->lead_zone = sql_keep(b->s, c[16].t);
    it->fields = sql_keep(b->s, c[17].t);
    f->leased = c[18].i != 0;
    /* The lead's own number; what was typed may have said so before. */
    f->suppressed = f->suppressed || c[19].i != 0;
    f->alive = f->alive || c[20].i != 0;
    f->last_ms = c[21].i;
    f->day = (uint32_t)c[22].i;
    f->day_first_ms = c[23].i;
    return 0;
}

static int read_rows(struct batch *b)
{
    size_t i;

    for (i = 0; i < b->n; i++) {
        struct sql_value *p = b->params + i * READ_PARAMS;
        int64_t now = b->req[i].at_wall_ms;
        p[0] = sql_u(b->item[i].row);
        p[1] = sql_i(now);
        p[2] = sql_s(b->s->owner);
        p[3] = sql_i(b->req[i].epoch);
        /* The interval counts from the end of the last call, and that may have been long. */
        p[4] = sql_i(now - (int64_t)b->req[i].retry_s * MS_PER_S - DAY_MS);
        p[5] = sql_i(now - DAY_MS);
    }
    return b->s->backend->each(b->s, SQL_claim_read, b->params, b->n, take_row, b);
}

static void refuse(struct batch *b, size_t i, enum reason reason, int64_t due_ms)
{
    b->out[i].reason = (uint8_t)reason;
    b->out[i].due_wall_ms = due_ms;
}

/* --- manual calls: find the lead's row, or make one ---------------------------------------------
 */

static int manual_list(struct sql_store *s, uint64_t account, uint64_t campaign, int64_t *list)
{
    struct sql_ints found = {0};
    int rc = sql_query(s, manual_list, sql_take_int, &found, sql_u(campaign));

    if (rc == STORE_OK && !found.found)
        rc = sql_query(s, list_insert, sql_take_int, &found, sql_u(account), sql_u(campaign),
                       sql_s(MANUAL_LIST), sql_s(""), sql_s(""), sql_i(99), sql_i(1), sql_i(1));
    *list = found.v[0];
    return rc;
}

/* The campaign's account; is the number on its do-not-call list; has it a call that lives. */
static int number_facts(const struct batch *b, size_t i, struct sql_ints *facts)
{
    return sql_query(b->s, number_refused, sql_take_ints4, facts, sql_u(b->req[i].campaign),
                     sql_t(b->req[i].number));
}

/* A lead of its own for a number nobody knew, unless the claim would be refused anyway. */
static int make_lead(struct batch *b, size_t i)
{
    const struct msg_claim *req = &b->req[i];
    struct sql_ints facts = {0}, leased = {0}, lead = {0}, row = {0};
    struct text none = {NULL, 0};
    int64_t list;
    int rc;

    rc = number_facts(b, i, &facts);
    if (rc == STORE_OK)
        rc = b->s->backend->each(b->s, SQL_lease_check,
                                 SQL_PARAMS(sql_u(req->campaign), sql_s(b->s->owner),
                                            sql_i(req->epoch), sql_i(req->at_wall_ms)),
                                 1, sql_take_int, &leased);
    if (rc)
        return rc;
    b->item[i].refused_early = true;
    if (!facts.found)
        refuse(b, i, REASON_row_foreign, 0);
    else if (!leased.v[0])
        refuse(b, i, REASON_fenced, 0);
    else if (facts.v[1])
        refuse(b, i, REASON_do_not_call, 0);
    else if (facts.v[2])
        refuse(b, i, REASON_number_alive, req->at_wall_ms + ALIVE_AGAIN_MS);
    else
        b->item[i].refused_early = false;
    if (b->item[i].refused_early)
        return STORE_OK;
    rc = manual_list(b->s, (uint64_t)facts.v[0], req->campaign, &list);
    if (rc == STORE_OK)
        rc = sql_query(b->s, lead_insert, sql_take_int, &lead, sql_i(list), sql_i(0),
                       sql_t(req->number), sql_i(number_tail(req->number)), sql_t(none),
                       sql_t(none), sql_s("{}"), sql_i(req->at_wall_ms));
    if (rc == STORE_OK && !lead.found) /* twice in one batch: the first has it */
        return b->item[i].refused_early = true, refuse(b, i, REASON_number_alive, 0), STORE_OK;
    if (rc == STORE_OK)
        rc = sql_query(b->s, row_insert, sql_take_int, &row, sql_i(list), sql_i(lead.v[0]),
                       sql_i(ROW_PENDING), sql_i(0), sql_i(50), sql_i(0), sql_i(lead.v[0]),
                       sql_s(""));
    b->item[i].row = (uint64_t)row.v[0];
    return rc;
}

struct known {
    bool found;
    uint64_t row, lead;
    uint32_t attempt_no;
    char number[20];
    uint32_t number_len;
    bool live;
    uint8_t state, choice;
    uint64_t campaign;
};

static int take_known(void *ctx, size_t item, const struct sql_value *c)
{
    struct known *k = ctx;

    (void)item;
    k->found = true;
    k->row = (uint64_t)c[0].i;
    k->lead = (uint64_t)c[1].i;
    k->attempt_no = (uint32_t)c[2].i;
    k->number_len = c[3].t.len < sizeof k->number ? c[3].t.len : sizeof k->number;
    if (k->number_len)
        memcpy(k->number, c[3].t.ptr, k->number_len);
    k->live = c[4].i != 0;
    k->state = (uint8_t)c[5].i;
    k->campaign = (uint64_t)c[7].i;
    k->choice = (uint8_t)c[8].i;
    return 0;
}

/* The number's leads: one is called, and if there are more the page is told which. kept: as it was
 * found before. */
static int offer(struct batch *b, size_t i, struct text number, enum choice kept, struct matches *m)
{
    struct item *it = &b->item[i];
    int rc = sql_match(b->s, b->req[i].campaign, number, kept, m);

    if (rc)
        return rc;
    it->choice = (uint8_t)(kept != CHOICE_NONE ? kept : choice_among(m));
    b->out[i].matches = choice_matches(it->choice, m->n);
    if (it->choice != CHOICE_NONE)
        it->offered = sql_offer(b->s, m);
    return STORE_OK;
}

/* Called is what was typed: the lead that its last ten digits found only has the card. What keeps
 * either number from being called keeps this call from being made. */
static int calls_typed(struct batch *b, size_t i)
{
    struct item *it = &b->item[i];
    struct sql_ints facts = {0};
    int rc = number_facts(b, i, &facts);

    it->typed = b->req[i].number;
    it->facts.suppressed = facts.v[1] != 0;
    it->facts.alive = facts.v[2] != 0;
    return rc;
}

static int find_manual(struct batch *b, size_t i)
{
    const struct msg_claim *req = &b->req[i];
    struct item *it = &b->item[i];
    struct matches m = {0};
    struct sql_ints row = {0};
    struct known known = {0};
    int rc;

    b->out[i].matches = 1;
    /* Asked before, and the answer got lost: the row is the attempt's. */
    rc = sql_query(b->s, claim_find, take_known, &known, sql_t(req->attempt));
    if (rc == STORE_OK && known.found) {
        it->typed = sql_keep(b->s, (struct text){known.number, known.number_len});
        it->row = known.row;
        return known.choice ? offer(b, i, it->typed, (enum choice)known.choice, &m) : rc;
    }
    if (rc == STORE_OK && req->lead) {
        rc = sql_query(b->s, lead_row, sql_take_ints2, &row, sql_u(req->lead));
        it->row = (uint64_t)row.v[0];
        if (!row.found) {
            it->refused_early = true;
            refuse(b, i, REASON_row_not_pending, 0);
        }
        return rc;
    }
    if (rc)
        return rc;
    if (!number_valid(req->number)) {
        it->refused_early = true;
        refuse(b, i, REASON_bad_number, 0);
        return rc;
    }
    rc = offer(b, i, req->number, CHOICE_NONE, &m);
    if (rc == STORE_OK && m.n == 0)
        return make_lead(b, i);
    it->row = m.n > 0 ? m.at[0].row : 0;
    return rc == STORE_OK && m.exact == 0 ? calls_typed(b, i) : rc;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* The same row or number earlier in this batch: what the store will say once that one is in. */
static bool earlier(const struct batch *b, size_t i)
{
    const struct item *it = &b->item[i];
    size_t k;

    for (k = 0; k < i; k++) {
        const struct item *had = &b->item[k];
        if (b->out[k].reason == REASON_allow && had->account == it->account &&
            (had->row == it->row || text_same(had->number, it->number) ||
             text_same(had->number, it->own)))
            return true;
    }
    return false;
}

/* A row that is dialing for this very attempt: the request came before, its answer was lost. */
static int repeated(struct batch *b, size_t i, bool *yes)
{
    struct known k = {0};
    int rc;

    *yes = false;
    if (b->item[i].facts.status != ROW_DIALING)
        return STORE_OK;
    rc = sql_query(b->s, claim_find, take_known, &k, sql_t(b->req[i].attempt));
    *yes = rc == STORE_OK && k.found && k.live && k.state == ATTEMPT_CLAIMED &&
           k.row == b->item[i].row && k.campaign == b->req[i].campaign && b->item[i].facts.leased;
    if (*yes)
        b->item[i].attempt_no = k.attempt_no;
    return rc;
}

static void answer(struct batch *b, size_t i)
{
    const struct item *it = &b->item[i];
    struct msg_claimed *out = &b->out[i];

    out->number = it->number;
    out->attempt_no = it->attempt_no;
    out->callback = it->facts.callback;
    if (it->choice == CHOICE_NONE) {
        out->lead = it->lead;
        out->name = it->name;
        out->fields = it->fields;
    } else {
        out->lead = 0;
        out->fields = it->offered;
    }
    claim_zone(it->lead_zone, it->list_zone, b->req[i].at_wall_ms, out);
}

static int decide(struct batch *b, size_t i)
{
    struct item *it = &b->item[i];
    struct claim_effect effect;
    enum reason reason;
    int64_t due_ms;
    bool again;
    int rc;

    b->out[i].row = it->row;
    if (it->refused_early)
        return STORE_OK;
    it->facts.own_zone =
        callee_zone(it->lead_zone, it->list_zone, b->req[i].at_wall_ms, &it->facts.zone);
    reason = claim_decide(&b->req[i], &it->facts, &due_ms);
    if (reason == REASON_row_not_pending && it->facts.found) {
        rc = repeated(b, i, &again);
        if (rc)
            return rc;
        if (again) {
            it->inserted = true;
            refuse(b, i, REASON_allow, 0);
            answer(b, i);
            return STORE_OK;
        }
    }
    if (reason == REASON_allow && earlier(b, i)) {
        reason = REASON_number_alive;
        due_ms = b->req[i].at_wall_ms + ALIVE_AGAIN_MS;
    }
    refuse(b, i, reason, due_ms);
    if (it->facts.found && reason != REASON_row_foreign) {
        b->out[i].lead = it->lead;
        b->out[i].number = it->number;
    }
    if (reason == REASON_allow) {
        answer(b, i);
        return STORE_OK;
    }
    effect = claim_refused(&b->req[i], &it->facts, reason, due_ms);
    if (!effect.row.moves)
        return STORE_OK;
    return sql_exec(b->s, claim_refuse, NULL, sql_u(it->row), sql_i(effect.row.status),
                    sql_i(effect.row.final), sql_i(effect.due_ms), sql_s(reason_name(reason)));
}

/* --- writing ---------------------------------------------------------------------------------- */

static void insert_params(const struct batch *b, size_t i, struct sql_value *p)
{
    const struct msg_claim *req = &b->req[i];
    const struct item *it = &b->item[i];
    struct text zone = it->lead_zone;
    const char *source = "lead";

    if (zone.len == 0) {
        zone = it->list_zone.len ? it->list_zone : it->campaign_zone;
        source = it->list_zone.len ? "list" : "campaign";
    }
    p[0] = sql_t(req->attempt);
    p[1] = sql_u(it->account);
    p[2] = sql_u(req->campaign);
    p[3] = sql_u(it->list);
    p[4] = sql_u(it->row);
    p[5] = sql_u(it->lead);
    p[6] = sql_i(it->attempt_no);
    p[7] = sql_t(it->number);
    p[8] = sql_i(req->cause);
    p[9] = sql_i(req->epoch);
    p[10] = sql_u(req->agent);
    p[11] = sql_u(req->trunk);
    p[12] = sql_i(req->pbx);
    p[13] = sql_t(req->caller_id);
    p[14] = sql_t(zone);
    p[15] = sql_s(source);
    p[16] = sql_i(req->at_wall_ms);
    p[17] = sql_i(it->choice);
}

static int take_moved(void *ctx, size_t i, const struct sql_value *c)
{
    struct batch *b = ctx;

    (void)c;
    b->item[b->order[i]].inserted = true;
    return 0;
}

static int write_attempts(struct batch *b)
{
    size_t i, n = 0;
    int rc;

    for (i = 0; i < b->n; i++) {
        if (b->out[i].reason != REASON_allow || b->item[i].inserted)
            continue;
        insert_params(b, i, b->params + n * INSERT_PARAMS);
        b->order[n++] = i;
    }
    if (n == 0)
        return STORE_OK;
    rc = b->s->backend->each(b->s, SQL_claim_insert, b->params, n, NULL, NULL);
    if (rc)
        return rc;
    for (i = 0; i < n; i++) {
        struct sql_value *p = b->params + i * ROW_PARAMS;
        const struct item *it = &b->item[b->order[i]];
        const struct msg_claim *req = &b->req[b->order[i]];
        p[0] = sql_u(it->row);
        p[1] = sql_t(req->attempt);
        p[2] = sql_i(it->attempt_no);
        p[3] = sql_i(claim_step(req, &it->facts).status);
    }
    rc = b->s->backend->each(b->s, SQL_claim_row, b->params, n, take_moved, b);
    for (i = 0; rc == STORE_OK && i < n; i++)
        if (!b->item[b->order[i]].inserted)
            refuse(b, b->order[i], REASON_number_alive,
                   b->req[b->order[i]].at_wall_ms + ALIVE_AGAIN_MS);
    return rc;
}

static int claim_all(struct batch *b)
{
    size_t i;
    int rc = STORE_OK;

    for (i = 0; i < b->n && rc == STORE_OK; i++) {
        b->item[i].row = b->req[i].row;
        if (b->req[i].row == 0)
            rc = find_manual(b, i);
    }
    if (rc == STORE_OK)
        rc = read_rows(b);
    for (i = 0; i < b->n && rc == STORE_OK; i++)
        rc = decide(b, i);
    return rc == STORE_OK ? write_attempts(b) : rc;
}

int sql_claim(struct store *st, const struct msg_claim *req, size_t n, struct msg_claimed *out)
{
    struct sql_store *s = sql_of(st);
    struct batch b = {.s = s, .req = req, .out = out, .n = n};
    bool mine;
    size_t i;
    int rc;

    if (n == 0 || n > STORE_BATCH_MAX)
        return n == 0 ? STORE_OK : sql_fail(s, STORE_INVALID, "%zu claims in one call", n);
    rc = sql_enter_tx(s, &mine);
    if (rc)
        return rc;
    b.item = sql_alloc(s, n * sizeof *b.item);
    b.order = sql_alloc(s, n * sizeof *b.order);
    b.params = sql_alloc(s, n * INSERT_PARAMS * sizeof *b.params);
    if (!b.item || !b.order || !b.params)
        return sql_leave(s, mine, sql_fail(s, STORE_AWAY, "out of memory"));
    memset(b.item, 0, n * sizeof *b.item);
    memset(out, 0, n * sizeof *out);
    for (i = 0; i < n; i++) {
        out[i].campaign = req[i].campaign;
        out[i].row = req[i].row;
        out[i].attempt = req[i].attempt;
    }
    rc = claim_all(&b);
    return sql_leave(s, mine, rc);
}
