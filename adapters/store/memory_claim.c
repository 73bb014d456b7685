/*
 * memory_claim.c - the model: claims. What is decided is in rules.c, for the model and for SQL;
 * here it is only kept, as plainly as can be.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

struct m_attempt *memory_attempt(struct memory *me, struct text id)
{
    struct m_attempt *a = me->m->by_id[memory_hash(id)];

    while (a && !text_same(a->c.attempt, id))
        a = a->next_id;
    return a;
}

bool memory_suppressed(const struct memory *me, uint64_t account, struct text number)
{
    size_t i;

    for (i = 0; i < M_COUNT(numbers); i++) {
        const struct m_number *n = M_ROW(struct m_number, numbers, i);
        if (!n->gone && n->account == account && text_same(n->number, number))
            return true;
    }
    return false;
}

void memory_suppress(struct memory *me, uint64_t account, struct text number, struct text source,
                     int64_t at)
{
    struct m_number *n;

    if (memory_suppressed(me, account, number))
        return;
    n = memory_add(me, M_numbers, sizeof *n, NULL);
    *n = (struct m_number){account, memory_text(me, number), memory_text(me, source), at, false};
}

bool memory_leased(const struct memory *me, uint64_t campaign, uint32_t epoch, int64_t now)
{
    const struct m_campaign *c = M_FIND(const struct m_campaign, campaigns, campaign);

    return c && c->lease.owner && strcmp(c->lease.owner, me->owner) == 0 &&
           c->lease.epoch == epoch && c->lease.expires_ms > now;
}

/* --- claims ----------------------------------------------------------------------------------- */

static void number_facts(const struct memory *me, const struct msg_claim *req, uint64_t account,
                         struct text number, uint64_t campaign, struct claim_facts *f)
{
    const struct m_attempt *a = me->m->by_number[memory_hash(number)];
    int64_t day = req->at_wall_ms - DAY_MS;

    f->suppressed = memory_suppressed(me, account, number);
    for (; a; a = a->next_number) {
        int64_t last = a->c.ended_ms ? a->c.ended_ms : a->c.claimed_ms;
        if (a->account != account || !text_same(a->c.number, number))
            continue;
        f->alive |= a->live;
        if (a->c.campaign == campaign && a->c.outcome != OUTCOME_NEVER_SENT && last > f->last_ms)
            f->last_ms = last;
        if (a->c.claimed_ms <= day || a->c.cause != CAUSE_AUTO || !a->c.counts)
            continue;
        f->day++;
        if (f->day_first_ms == 0 || a->c.claimed_ms < f->day_first_ms)
            f->day_first_ms = a->c.claimed_ms;
    }
}

/* typed: see find_manual; what keeps either number from being called keeps it from being made. */
static void facts_of(const struct memory *me, const struct msg_claim *req, const struct m_lead *d,
                     struct text typed, struct claim_facts *f)
{
    const struct store_list *l = M_ROW(struct store_list, lists, d->list - 1);

    *f = (struct claim_facts){.found = true,
                              .leased = memory_leased(me, l->campaign, req->epoch, req->at_wall_ms),
                              .campaign = l->campaign,
                              .list_active = l->active,
                              .list_manual = l->manual,
                              .status = d->status,
                              .final = d->final,
                              .callback = d->callback,
                              .number = typed.len ? typed : d->d.number,
                              .due_ms = d->due_ms,
                              .attempts = d->attempts};
    f->own_zone = callee_zone(d->d.zone, l->zone, req->at_wall_ms, &f->zone);
    number_facts(me, req, l->account, d->d.number, l->campaign, f);
    if (typed.len) {
        struct claim_facts its = {0};
        number_facts(me, req, l->account, typed, l->campaign, &its);
        f->suppressed |= its.suppressed;
        f->alive |= its.alive;
    }
}

static struct store_list *manual_list(struct memory *me, const struct m_campaign *c)
{
    struct store_list *l;
    size_t i;
    uint64_t id;

    for (i = 0; i < M_COUNT(lists); i++) {
        l = M_ROW(struct store_list, lists, i);
        if (l->campaign == c->c.campaign && l->manual)
            return l;
    }
    l = memory_add(me, M_lists, sizeof *l, &id);
    *l = (struct store_list){.list = id,
                             .account = c->c.account,
                             .campaign = c->c.campaign,
                             .name = text_from(MANUAL_LIST),
                             .priority = 99,
                             .active = true,
                             .manual = true};
    return l;
}

/* The reason why a number without a lead is refused; allow: *lead is its new lead. */
static enum reason new_lead(struct memory *me, const struct msg_claim *req, struct m_lead **lead)
{
    const struct m_campaign *c = M_FIND(const struct m_campaign, campaigns, req->campaign);
    struct store_lead d = {.number = req->number};
    struct claim_facts f = {0};
    struct m_lead *there;

    if (!c)
        return REASON_row_foreign;
    number_facts(me, req, c->c.account, req->number, req->campaign, &f);
    if (!memory_leased(me, req->campaign, req->epoch, req->at_wall_ms))
        return REASON_fenced;
    if (f.suppressed)
        return REASON_do_not_call;
    if (f.alive)
        return REASON_number_alive;
    *lead = memory_lead_add(me, manual_list(me, c), 0, &d, req->at_wall_ms, &there);
    return *lead ? REASON_allow : REASON_number_alive;
}

/* The number's leads: one is called, and if there are more the page is told which. kept: as it was
 * found before. */
static enum choice offer(struct memory *me, const struct msg_claim *req, struct text number,
                         enum choice kept, struct matches *m, struct msg_claimed *out)
{
    enum choice choice = kept;

    memory_match(me, req->campaign, number, kept, m);
    if (kept == CHOICE_NONE)
        choice = choice_among(m);
    out->matches = choice_matches((uint8_t)choice, m->n);
    if (choice != CHOICE_NONE)
        out->fields = memory_offer(me, m);
    return choice;
}

/* The lead a manual call is for. Called is what was typed: a lead that its last ten digits found
 * only has the card. *typed stays empty where it is the lead's own number. */
static enum reason find_manual(struct memory *me, const struct msg_claim *req,
                               struct msg_claimed *out, struct m_lead **lead, uint8_t *choice,
                               struct text *typed)
{
    const struct m_attempt *again = memory_attempt(me, req->attempt);
    struct matches m;

    out->matches = 1;
    if (again) {
        *lead = M_ROW(struct m_lead, leads, again->c.lead - 1);
        *choice = again->choice;
        *typed = again->c.number;
        if (again->choice != CHOICE_NONE)
            (void)offer(me, req, again->c.number, (enum choice)again->choice, &m, out);
        return REASON_allow;
    }
    if (req->lead) {
        *lead = M_FIND(struct m_lead, leads, req->lead);
        return *lead ? REASON_allow : REASON_row_not_pending;
    }
    if (!number_valid(req->number))
        return REASON_bad_number;
    *choice = (uint8_t)offer(me, req, req->number, CHOICE_NONE, &m, out);
    if (m.n == 0)
        return new_lead(me, req, lead);
    if (m.exact == 0)
        *typed = req->number;
    *lead = M_ROW(struct m_lead, leads, m.at[0].lead - 1);
    return REASON_allow;
}

static void insert_attempt(struct memory *me, const struct msg_claim *req, const struct m_lead *d,
                           struct text called, uint8_t choice)
{
    const struct store_list *l = M_ROW(struct store_list, lists, d->list - 1);
    struct m_attempt *a = memory_add(me, M_attempts, sizeof *a, NULL);
    struct m_attempt **id, **number;

    *a = (struct m_attempt){
        .account = l->account, .live = true, .choice = choice, .epoch = req->epoch};
    a->c = (struct store_call){.attempt = memory_text(me, req->attempt),
                               .campaign = req->campaign,
                               .list = d->list,
                               .lead = d->d.lead,
                               .row = d->d.lead,
                               .agent = req->agent,
                               .trunk = req->trunk,
                               .attempt_no = d->last_no,
                               .pbx = req->pbx,
                               .number = memory_text(me, called),
                               .caller_id = memory_text(me, req->caller_id),
                               .cause = req->cause,
                               .state = ATTEMPT_CLAIMED,
                               .counts = true,
                               .claimed_ms = req->at_wall_ms};
    a->zone = d->d.zone.len ? d->d.zone : l->zone;
    id = &me->m->by_id[memory_hash(req->attempt)];
    number = &me->m->by_number[memory_hash(called)];
    EDIT(id);
    EDIT(number);
    a->next_id = *id;
    *id = a;
    a->next_number = *number;
    *number = a;
}

static void answer(struct memory *me, const struct msg_claim *req, const struct m_lead *d,
                   uint32_t attempt_no, uint8_t choice, struct msg_claimed *out)
{
    out->reason = REASON_allow;
    out->due_wall_ms = 0;
    out->attempt_no = attempt_no;
    out->callback = d->callback;
    if (choice == CHOICE_NONE) {
        out->name = d->d.name;
        out->fields = d->d.fields;
    } else {
        out->lead = 0;
    }
    claim_zone(d->d.zone, M_ROW(struct store_list, lists, d->list - 1)->zone, req->at_wall_ms, out);
}

static void claim_one(struct memory *me, const struct msg_claim *req, struct msg_claimed *out)
{
    struct m_lead *d = M_FIND(struct m_lead, leads, req->row);
    const struct m_attempt *a = memory_attempt(me, req->attempt);
    struct claim_facts f = {0};
    struct claim_effect effect;
    uint8_t choice = CHOICE_NONE;
    struct text typed = {NULL, 0};

    *out =
        (struct msg_claimed){.campaign = req->campaign, .row = req->row, .attempt = req->attempt};
    if (req->row == 0) {
        out->reason = (uint8_t)find_manual(me, req, out, &d, &choice, &typed);
        if (out->reason == REASON_number_alive)
            out->due_wall_ms = req->at_wall_ms + ALIVE_AGAIN_MS;
        if (out->reason != REASON_allow)
            return;
    }
    if (!d) {
        out->reason = REASON_row_not_pending;
        return;
    }
    facts_of(me, req, d, typed, &f);
    out->row = d->d.lead;
    out->reason = (uint8_t)claim_decide(req, &f, &out->due_wall_ms);
    if (out->reason != REASON_row_foreign) {
        out->lead = d->d.lead;
        out->number = f.number;
    }
    if (out->reason == REASON_row_not_pending && a && a->live && f.leased &&
        a->c.state == ATTEMPT_CLAIMED && a->c.row == d->d.lead && a->c.campaign == req->campaign) {
        answer(me, req, d, a->c.attempt_no, choice, out);
        return;
    }
    if (out->reason == REASON_allow && a) { /* an id is used once */
        out->reason = REASON_number_alive;
        return;
    }
    effect = claim_refused(req, &f, out->reason, out->due_wall_ms);
    if (effect.row.moves) {
        EDIT(d);
        m_row_moves(d, effect.row);
        d->due_ms = effect.due_ms;
        d->cause = text_from(reason_name(out->reason));
    }
    if (out->reason != REASON_allow)
        return;
    EDIT(d);
    m_row_moves(d, claim_step(req, &f));
    d->last_no++;
    d->cause = (struct text){NULL, 0};
    insert_attempt(me, req, d, f.number, choice);
    answer(me, req, d, d->last_no, choice, out);
}

/* A row that comes twice in one batch is refused for its number, as SQL does, which reads all rows
 * first. */
static bool earlier(const struct msg_claim *req, const struct msg_claimed *out, size_t i)
{
    size_t k;

    for (k = 0; k < i; k++)
        if (out[k].reason == REASON_allow && req[i].row && out[k].row == req[i].row &&
            !text_same(req[k].attempt, req[i].attempt))
            return true;
    return false;
}

static int claim(struct store *s, const struct msg_claim *req, size_t n, struct msg_claimed *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc;

    if (n > STORE_BATCH_MAX)
        return memory_fail(me, STORE_INVALID, "%zu claims in one call", n);
    rc = memory_enter(me, &mine);
    if (rc)
        return rc;
    for (i = 0; i < n; i++) {
        claim_one(me, &req[i], &out[i]);
        if (out[i].reason == REASON_row_not_pending && earlier(req, out, i)) {
            out[i].reason = REASON_number_alive;
            out[i].due_wall_ms = req[i].at_wall_ms + ALIVE_AGAIN_MS;
        }
    }
    return memory_leave(me, mine, rc);
}

static int explain_lead(struct store *s, uint64_t lead, int64_t now, struct msg_explain_lead *out)
{
    struct memory *me = memory_of(s);
    const struct m_lead *d = M_FIND(const struct m_lead, leads, lead);
    const struct m_campaign *c;
    const struct store_list *l;
    struct msg_claimed zone = {0};
    struct claim_facts f;
    struct msg_claim req = {.at_wall_ms = now};
    int64_t free_ms;

    memset(out, 0, sizeof *out);
    out->lead = lead;
    if (!d)
        return memory_fail(me, STORE_NOT_FOUND, "there is no lead %llu", (unsigned long long)lead);
    facts_of(me, &req, d, (struct text){NULL, 0}, &f);
    l = M_ROW(struct store_list, lists, d->list - 1);
    c = M_FIND(const struct m_campaign, campaigns, l->campaign);
    free_ms = f.last_ms ? f.last_ms + (c ? (int64_t)c->c.retry_s * MS_PER_S : 0) : 0;
    claim_zone(d->d.zone, l->zone, now, &zone);
    out->campaign = l->campaign;
    out->row = lead;
    out->number = d->d.number;
    out->row_status = d->status;
    out->attempts = d->attempts;
    out->due_wall_ms = d->due_ms == DUE_NEVER ? 0 : d->due_ms;
    out->number_free_wall_ms = free_ms > now ? free_ms : 0;
    out->list_active = l->active;
    out->suppressed = f.suppressed;
    out->number_alive = f.alive;
    out->final = d->final;
    out->attempts_24h = f.day;
    out->own_zone = zone.own_zone;
    out->zone_offset_s = zone.zone_offset_s;
    out->zone_until_wall_ms = zone.zone_until_wall_ms;
    out->zone_next_offset_s = zone.zone_next_offset_s;
    return STORE_OK;
}

void memory_claim(struct store_ops *ops)
{
    ops->claim = claim;
    ops->explain_lead = explain_lead;
}
