/*
 * memory_choice.c - the model: several leads have the number of a call (R14, choice.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

/* The whole number first, and each kind by lead. */
static bool comes_before(const struct memory *me, const struct match *a, const struct match *b,
                         struct text number)
{
    const bool x = text_same(M_ROW(struct m_lead, leads, a->lead - 1)->d.number, number);
    const bool y = text_same(M_ROW(struct m_lead, leads, b->lead - 1)->d.number, number);

    return x != y ? x : a->lead < b->lead;
}

void memory_match(const struct memory *me, uint64_t campaign, struct text number, enum choice kept,
                  struct matches *m)
{
    const int64_t tail = number_tail(number);
    const struct m_lead *d = me->m->by_tail[(size_t)tail % MEMORY_BUCKETS];
    size_t i;

    m->n = m->exact = 0;
    for (; d; d = d->next) {
        const struct store_list *l = M_ROW(struct store_list, lists, d->list - 1);
        const struct match one = {d->d.lead, d->d.lead, d->d.name, l->name};
        if (number_tail(d->d.number) != tail || l->campaign != campaign)
            continue;
        for (i = m->n; i > 0 && comes_before(me, &one, &m->at[i - 1], number); i--)
            if (i < MATCHES_MAX)
                m->at[i] = m->at[i - 1];
        if (i < MATCHES_MAX)
            m->at[i] = one;
        m->n += m->n < MATCHES_MAX;
        m->exact += text_same(d->d.number, number);
    }
    if (m->exact > m->n)
        m->exact = m->n;
    if (kept == CHOICE_NUMBER)
        m->n = m->exact;
}

struct text memory_offer(struct memory *me, const struct matches *m)
{
    const size_t size = choice_size(m);
    char *out = malloc(size);
    struct text kept = {NULL, 0};

    if (!out)
        return kept;
    kept = memory_text(me, choice_write(m, out, size));
    free(out);
    return kept;
}

static int lead_match(struct store *s, uint64_t campaign, struct text number, uint64_t *leads,
                      size_t *n)
{
    struct memory *me = memory_of(s);
    struct matches m;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    memory_match(me, campaign, number, CHOICE_NONE, &m);
    (void)choice_among(&m);
    if (m.n < *n)
        *n = m.n;
    for (i = 0; i < *n; i++)
        leads[i] = m.at[i].lead;
    return memory_leave(me, mine, rc);
}

/* --- the choice ------------------------------------------------------------------------------- */

static void move_attempt(struct memory *me, struct m_attempt *a, struct m_lead *to,
                         const struct settle_effect *e)
{
    struct m_lead *from = M_ROW(struct m_lead, leads, a->c.lead - 1);

    EDIT(from);
    EDIT(to);
    m_row_moves(to, e->taken);
    to->last_no++;
    to->cause = (struct text){NULL, 0};
    m_row_moves(from, e->left);
    from->due_ms = e->left_due_ms;
    from->last_no--;
    a->c.lead = a->c.row = to->d.lead;
    a->c.list = to->list;
    a->c.attempt_no = to->last_no;
}

static void write_down(struct memory *me, const struct msg_settle_lead *m, uint64_t earlier)
{
    char who[32], before[24], after[24];
    struct store_audit line = {.at_wall_ms = m->at_wall_ms,
                               .kind = text_from("attempt"),
                               .subject = m->lead,
                               .field = m->attempt};

    snprintf(who, sizeof who, "agent:%llu", (unsigned long long)m->agent);
    snprintf(before, sizeof before, "lead %llu", (unsigned long long)earlier);
    snprintf(after, sizeof after, "lead %llu", (unsigned long long)m->lead);
    line.who = text_from(who);
    line.before = text_from(before);
    line.after = text_from(after);
    memory_audit(me, &line);
}

static struct msg_lead_settled settle_one(struct memory *me, const struct msg_settle_lead *m)
{
    struct msg_lead_settled out = {
        .attempt = m->attempt, .lead = m->lead, .client = m->client, .request = m->request};
    struct m_attempt *a = memory_attempt(me, m->attempt);
    struct m_lead *d = M_FIND(struct m_lead, leads, m->lead);
    struct settle_facts f = {0};
    struct settle_effect e;

    if (a) {
        const struct m_lead *row;
        struct matches found = {0};
        if (a->choice != CHOICE_NONE)
            memory_match(me, a->c.campaign, a->c.number, (enum choice)a->choice, &found);
        f = (struct settle_facts){.found = true,
                                  .live = a->live,
                                  .disposed = a->c.disposed_ms != 0,
                                  .choice = a->choice,
                                  .agent = a->c.agent,
                                  .lead = a->c.lead,
                                  .offered = choice_offers(&found, m->lead)};
        row = M_ROW(struct m_lead, leads, a->c.lead - 1);
        f.row_status = row->status;
        f.row_final = row->final;
        f.row_due_ms = row->due_ms;
        f.asked_status = d ? d->status : (uint8_t)ROW_PENDING;
        f.asked_final = d && d->final;
        out.campaign = a->c.campaign;
    }
    e = settle_decide(m, &f);
    out.result = e.result;
    out.text = text_from(e.text);
    if (e.result != RESULT_OK || !a || !d) /* a good result has both */
        return out;
    if (!e.repeated) {
        write_down(me, m, a->c.lead);
        EDIT(a);
        a->choice = CHOICE_NONE;
    }
    if (e.moves)
        move_attempt(me, a, d, &e);
    out.row = a->c.row;
    out.attempt_no = a->c.attempt_no;
    out.name = d->d.name;
    out.fields = d->d.fields;
    return out;
}

static int settle(struct store *s, const struct msg_settle_lead *req, size_t n,
                  struct msg_lead_settled *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < n; i++)
        out[i] = settle_one(me, &req[i]);
    return memory_leave(me, mine, rc);
}

void memory_choice(struct store_ops *ops)
{
    ops->lead_match = lead_match;
    ops->settle = settle;
}
