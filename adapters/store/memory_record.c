/*
 * memory_record.c - the model: what happened to attempts, legs and agents, dispositions, the queue.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

/* --- records ---------------------------------------------------------------------------------- */

static void stamp(int64_t *field, int64_t at)
{
    if (*field == 0)
        *field = at;
}

/* The row waits for this very attempt. */
static bool row_waits(const struct m_lead *d, const struct m_attempt *a)
{
    return row_in_air(d->status) && d->last_no == a->c.attempt_no;
}

static void move_one(struct memory *me, const struct msg_attempt_moved *m)
{
    struct m_attempt *a = memory_attempt(me, m->attempt);
    struct m_lead *d;

    if (!a || !a->live)
        return;
    EDIT(a);
    a->c.state = m->state;
    a->previewed |= m->state == ATTEMPT_PREVIEW;
    if (m->agent)
        a->c.agent = m->agent;
    if (m->originated_wall_ms)
        a->c.originated_ms = m->originated_wall_ms;
    if (m->ringing_wall_ms)
        a->c.ringing_ms = m->ringing_wall_ms;
    if (m->state == ATTEMPT_BRIDGED)
        stamp(&a->c.bridged_ms, m->at_wall_ms);
    if (m->state != ATTEMPT_ANSWERED)
        return;
    stamp(&a->c.answered_ms, m->at_wall_ms);
    d = M_ROW(struct m_lead, leads, a->c.lead - 1);
    if (row_waits(d, a)) {
        EDIT(d);
        m_row_moves(d, row_next(d->status, d->final, RE_PICKED_UP));
    }
}

/* A typed number that is none says nothing of its lead's own: as if nobody had been called. */
static struct msg_attempt_over as_the_row_hears(const struct msg_attempt_over *m,
                                                const struct m_attempt *a, const struct m_lead *d)
{
    struct msg_attempt_over row = *m;

    if (m->outcome == OUTCOME_BAD_NUMBER && !text_same(a->c.number, d->d.number)) {
        row.outcome = OUTCOME_NEVER_SENT;
        row.counts = false;
    }
    return row;
}

static uint8_t over_one(struct memory *me, const struct msg_attempt_over *m)
{
    struct m_attempt *a = memory_attempt(me, m->attempt);
    struct m_lead *d;

    if (!a)
        return RESULT_NOT_FOUND;
    d = M_ROW(struct m_lead, leads, a->c.lead - 1);
    if (row_waits(d, a)) {
        const struct msg_attempt_over row = as_the_row_hears(m, a, d);
        EDIT(d);
        m_row_moves(d, row_next(d->status, d->final, row_event_of(row.outcome)));
        d->due_ms = over_due(&row, d->due_ms);
        d->cause = text_from(outcome_name(m->outcome));
        d->attempts += row.counts;
        d->callback = d->callback && !row.counts; /* nobody was called: still promised */
    }
    if (!a->live)
        return RESULT_OK;
    EDIT(a);
    a->live = false;
    a->c.state = m->outcome == OUTCOME_UNKNOWN ? ATTEMPT_UNKNOWN : ATTEMPT_ENDED;
    if (a->c.disposed_ms)
        a->c.state = ATTEMPT_DISPOSED;
    else
        a->c.counts = m->counts;
    a->c.outcome = m->outcome;
    a->c.q850 = m->cause;
    a->c.sip = m->tech_cause;
    a->c.ended_ms = m->at_wall_ms;
    if (m->agent)
        a->c.agent = m->agent;
    if (m->originated_wall_ms)
        a->c.originated_ms = m->originated_wall_ms;
    if (m->ringing_wall_ms)
        a->c.ringing_ms = m->ringing_wall_ms;
    if (m->answered_wall_ms)
        a->c.answered_ms = m->answered_wall_ms;
    if (m->bridged_wall_ms)
        a->c.bridged_ms = m->bridged_wall_ms;
    if (m->skipped.len)
        a->c.note = memory_text(me, m->skipped);
    return RESULT_OK;
}

/* Each of these: one after the other, in one transaction. */
#define EACH_OF(statement)                                                                         \
    struct memory *me = memory_of(s);                                                              \
    bool mine;                                                                                     \
    size_t i;                                                                                      \
    int rc = memory_enter(me, &mine);                                                              \
                                                                                                   \
    if (rc)                                                                                        \
        return rc;                                                                                 \
    for (i = 0; i < n && rc == STORE_OK; i++)                                                      \
        statement;                                                                                 \
    return memory_leave(me, mine, rc)

static int attempt_moved(struct store *s, const struct msg_attempt_moved *req, size_t n)
{
    EACH_OF(move_one(me, &req[i]));
}

static int attempt_over(struct store *s, const struct msg_attempt_over *req, size_t n,
                        uint8_t *result)
{
    EACH_OF(result[i] = over_one(me, &req[i]));
}

static struct m_leg *find_leg(struct memory *me, struct text id)
{
    size_t i;

    for (i = M_COUNT(legs); i > 0; i--)
        if (text_same(M_ROW(struct m_leg, legs, i - 1)->m.leg, id))
            return M_ROW(struct m_leg, legs, i - 1);
    return NULL;
}

static struct msg_leg_claimed claim_leg(struct memory *me, const struct msg_leg_claim *req)
{
    struct m_leg *leg = find_leg(me, req->leg);
    bool same;

    if (!leg) {
        leg = memory_add(me, M_legs, sizeof *leg, NULL);
        leg->m = *req;
        leg->m.leg = memory_text(me, req->leg);
        leg->m.endpoint = memory_text(me, req->endpoint);
        leg->m.attempt = memory_text(me, req->attempt);
    }
    same = !leg->over && leg->m.agent == req->agent && leg->m.pbx == req->pbx &&
           text_same(leg->m.endpoint, req->endpoint);
    return (struct msg_leg_claimed){.leg = req->leg, .result = same ? RESULT_OK : RESULT_CONFLICT};
}

static int leg_claim(struct store *s, const struct msg_leg_claim *req, size_t n,
                     struct msg_leg_claimed *out)
{
    EACH_OF(out[i] = claim_leg(me, &req[i]));
}

static void end_leg(struct memory *me, const struct msg_leg_over *m)
{
    struct m_leg *leg = find_leg(me, m->leg);

    if (!leg || leg->over)
        return;
    EDIT(leg);
    leg->over = true;
    leg->answered_ms = m->answered_wall_ms;
    leg->ended_ms = m->at_wall_ms;
}

static int leg_over(struct store *s, const struct msg_leg_over *req, size_t n)
{
    EACH_OF(end_leg(me, &req[i]));
}

static void move_agent(struct memory *me, const struct msg_agent_moved *m)
{
    struct m_event *e;
    size_t i;

    if (!M_FIND(struct m_agent, agents, m->agent))
        return;
    /* a repetition is a recent one */
    for (i = M_COUNT(events); i > 0 && i + 1000 > M_COUNT(events); i--) {
        const struct msg_agent_moved *o = &M_ROW(struct m_event, events, i - 1)->m;
        if (o->agent == m->agent && o->at_wall_ms == m->at_wall_ms && o->state == m->state &&
            text_same(o->reason, m->reason) && text_same(o->attempt, m->attempt))
            return;
    }
    e = memory_add(me, M_events, sizeof *e, NULL);
    e->m = *m;
    e->m.reason = memory_text(me, m->reason);
    e->m.attempt = memory_text(me, m->attempt);
}

static int agent_moved(struct store *s, const struct msg_agent_moved *req, size_t n)
{
    EACH_OF(move_agent(me, &req[i]));
}

static int suppress_one(struct memory *me, const struct msg_suppress *m)
{
    if (!number_valid(m->number))
        return memory_fail(me, STORE_INVALID, "%.*s is not an E.164 number",
                           (int)(m->number.len < 40 ? m->number.len : 40),
                           m->number.ptr ? m->number.ptr : "");
    memory_suppress(me, m->account, m->number, m->source, m->at_wall_ms);
    return STORE_OK;
}

static int suppress(struct store *s, const struct msg_suppress *req, size_t n)
{
    EACH_OF(rc = suppress_one(me, &req[i]));
}

/* --- dispositions ----------------------------------------------------------------------------- */

static void dispose_effects(struct memory *me, const struct msg_dispose *m, struct m_attempt *a,
                            const struct store_disposition *d, const struct dispose_effect *e)
{
    struct m_lead *lead = M_ROW(struct m_lead, leads, a->c.lead - 1);

    EDIT(a);
    EDIT(lead);
    if (m->corrected_by.len) { /* R25: both stay */
        const struct store_audit line = {.at_wall_ms = m->at_wall_ms,
                                         .who = m->corrected_by,
                                         .kind = text_from("attempt"),
                                         .subject = a->c.lead,
                                         .field = m->attempt,
                                         .before = a->c.disposition,
                                         .after = d->code};
        memory_audit(me, &line);
    }
    a->c.disposition = d->code;
    a->c.disposed_by = text_from(m->corrected_by.len ? "supervisor"
                                 : d->offered        ? "agent"
                                                     : "system");
    a->by_system = !d->offered;
    a->c.disposed_ms = m->at_wall_ms;
    a->c.counts = d->counts;
    a->callback_ms = d->callback ? m->callback_wall_ms : 0;
    if (m->note.len)
        a->c.note = memory_text(me, m->note);
    if (!a->live)
        a->c.state = ATTEMPT_DISPOSED;
    if (e->row.moves) {
        m_row_moves(lead, e->row);
        lead->due_ms = e->due_ms;
        lead->cause = d->code;
        lead->callback = e->callback;
        lead->attempts = (uint32_t)((int)lead->attempts + e->attempts);
        if (e->callback)
            lead->d.priority = 1;
    }
    if (d->dnc)
        for (int i = 0; i < 2; i++) /* the second is most often the first */
            memory_suppress(me, a->account, i ? lead->d.number : a->c.number,
                            text_from("disposition"), m->at_wall_ms);
}

static struct msg_disposed dispose_one(struct memory *me, const struct msg_dispose *m)
{
    struct msg_disposed out = {
        .attempt = m->attempt, .code = m->code, .request = m->request, .client = m->client};
    struct m_attempt *a = memory_attempt(me, m->attempt);
    const struct store_disposition *d = memory_disposition(m->code);
    struct dispose_facts f = {0};
    struct dispose_effect e;

    if (a) {
        const struct m_campaign *c = M_ROW(struct m_campaign, campaigns, a->c.campaign - 1);
        const struct m_lead *lead = M_ROW(struct m_lead, leads, a->c.lead - 1);
        f = (struct dispose_facts){.found = true,
                                   .agent = a->c.agent,
                                   .disposition = a->c.disposition,
                                   .by_system = a->by_system,
                                   .row_status = lead->status,
                                   .row_final = lead->final,
                                   .superseded = lead->last_no != a->c.attempt_no,
                                   .counts = a->c.counts,
                                   .callback_ms = a->callback_ms,
                                   .no_answer_s = c->c.no_answer_s,
                                   .busy_s = c->c.busy_s,
                                   .not_disposed_s = c->c.not_disposed_s};
        out.campaign = a->c.campaign;
    }
    if (d)
        f.d = *d;
    e = dispose_decide(m, &f);
    out.result = e.result;
    out.text = text_from(e.text);
    if (e.result != RESULT_OK || !d || !a) /* a good result has both */
        return out;
    if (d->dnc)
        say_suppressed(&out, a->c.number, M_ROW(struct m_lead, leads, a->c.lead - 1)->d.number);
    if (!e.repeated)
        dispose_effects(me, m, a, d, &e);
    return out;
}

static int dispose(struct store *s, const struct msg_dispose *req, size_t n,
                   struct msg_disposed *out)
{
    EACH_OF(out[i] = dispose_one(me, &req[i]));
}

/* --- the queue -------------------------------------------------------------------------------- */

static const struct store_list *dialed_list(const struct memory *me, const struct m_lead *d,
                                            uint64_t campaign)
{
    const struct store_list *l = M_ROW(struct store_list, lists, d->list - 1);

    return l->campaign == campaign && l->active && !l->manual ? l : NULL;
}

static void earliest(int64_t *at, int64_t due)
{
    if (due < DUE_NEVER && (*at == 0 || due < *at))
        *at = due;
}

static int recycle(struct store *s, const struct msg_recycle *req, struct msg_recycled *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    *out = (struct msg_recycled){.campaign = req->campaign};
    if (rc)
        return rc;
    if (!memory_leased(me, req->campaign, req->epoch, req->at_wall_ms))
        return memory_leave(me, mine, rc);
    for (i = 0; i < M_COUNT(leads); i++) {
        struct m_lead *d = M_ROW(struct m_lead, leads, i);
        if (d->status != ROW_FAILED || d->final || !dialed_list(me, d, req->campaign))
            continue;
        if (d->due_ms <= req->at_wall_ms && out->rows < RECYCLE_MAX) {
            bool left = d->attempts < req->max_attempts || d->callback;
            EDIT(d);
            m_row_moves(d, row_next(d->status, d->final, left ? RE_TIMEOUT : RE_SPENT));
            d->due_ms = left ? d->due_ms : DUE_NEVER;
            out->rows += left;
            out->callbacks += left && d->callback;
        } else {
            earliest(&out->next_wall_ms, d->due_ms);
        }
    }
    return memory_leave(me, mine, rc);
}

struct place {
    bool callback;
    uint64_t list_priority, priority, row;
    int64_t due;
};

static int in_queue_order(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->callback != y->callback)
        return x->callback ? -1 : 1;
    if (x->callback)
        return x->due != y->due ? (x->due < y->due ? -1 : 1)
                                : (x->row > y->row) - (x->row < y->row);
    if (x->list_priority != y->list_priority)
        return x->list_priority < y->list_priority ? -1 : 1;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->due != y->due)
        return x->due < y->due ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int candidates(struct store *s, const struct msg_candidates *req, uint64_t *rows, size_t *n,
                      struct msg_candidates_end *out)
{
    struct memory *me = memory_of(s);
    size_t room = *n < req->limit ? *n : req->limit, i, found = 0;
    struct place *places;
    bool mine;
    int rc = memory_enter(me, &mine);

    *n = 0;
    *out = (struct msg_candidates_end){.campaign = req->campaign, .result = RESULT_AWAY};
    if (rc)
        return rc;
    places = calloc(M_COUNT(leads) + 1, sizeof *places);
    if (!places)
        return memory_leave(me, mine, memory_fail(me, STORE_AWAY, "out of memory"));
    for (i = 0; i < M_COUNT(leads); i++) {
        const struct m_lead *d = M_ROW(struct m_lead, leads, i);
        const struct store_list *l = dialed_list(me, d, req->campaign);
        int64_t opens;
        if (d->status != ROW_PENDING || !l)
            continue;
        if (!list_open(req, l->zone, &opens)) {
            earliest(&out->opens_wall_ms, opens);
            if (d->d.zone.len == 0 && !d->callback)
                continue;
        }
        if (d->due_ms <= req->at_wall_ms)
            places[found++] =
                (struct place){d->callback, l->priority, d->d.priority, d->d.lead, d->due_ms};
        else
            earliest(&out->next_wall_ms, d->due_ms);
    }
    qsort(places, found, sizeof *places, in_queue_order);
    for (i = 0; i < found && i < room; i++)
        rows[i] = places[i].row;
    free(places);
    *n = i;
    out->rows = (uint32_t)i;
    out->result = RESULT_OK;
    if (i == room)
        out->next_wall_ms = 0;
    return memory_leave(me, mine, rc);
}

static int abandon_window(struct store *s, uint64_t campaign, int64_t day_from, int64_t now,
                          struct msg_abandon_window *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    *out = (struct msg_abandon_window){.campaign = campaign};
    for (i = 0; i < M_COUNT(attempts) && rc == STORE_OK; i++) {
        const struct m_attempt *a = M_ROW(struct m_attempt, attempts, i);
        const struct store_call *c = &a->c;
        bool gone = c->outcome == OUTCOME_ABANDONED;
        if (c->campaign != campaign || c->cause != CAUSE_AUTO || a->previewed ||
            c->answered_ms == 0 || c->outcome == OUTCOME_MACHINE)
            continue;
        if (c->answered_ms >= now - 30 * DAY_MS) {
            out->answers_30d++;
            out->abandoned_30d += gone;
        }
        if (c->answered_ms >= day_from) {
            out->answers_day++;
            out->abandoned_day += gone;
        }
    }
    return rc ? rc : memory_leave(me, mine, rc);
}

void memory_record(struct store_ops *ops)
{
    ops->attempt_moved = attempt_moved;
    ops->attempt_over = attempt_over;
    ops->leg_claim = leg_claim;
    ops->leg_over = leg_over;
    ops->agent_moved = agent_moved;
    ops->dispose = dispose;
    ops->suppress = suppress;
    ops->recycle = recycle;
    ops->candidates = candidates;
    ops->abandon_window = abandon_window;
}
