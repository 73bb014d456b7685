/*
 * world_choice.c - several leads have the number of a call, and its agent chooses one (R14). What
 * is decided is adapters/store/choice.c.
 */
#include "tests/sim/world_int.h"

#include "adapters/store/rules.h"

void store_match(const struct world *w, uint64_t campaign, struct text number, enum choice kept,
                 struct matches *m)
{
    const uint64_t key = number_key(number);
    const uint64_t tail = (uint64_t)number_tail(number);

    m->n = m->exact = 0;
    for (int exact = 1; exact >= 0; exact--) {
        for (uint32_t i = 0; i < w->n_rows && m->n < MATCHES_MAX; i++) {
            const struct row *r = &w->rows[i];

            if (r->campaign == campaign && (r->key == key) == (exact != 0) &&
                r->key % UINT64_C(10000000000) == tail) {
                m->at[m->n++] = (struct match){
                    .lead = i + 1u, .row = i + 1u, .name = text_of("A Lead"), .list = text_of("")};
                m->exact += exact != 0 ? 1u : 0u;
            }
        }
    }
    if (kept == CHOICE_NUMBER) {
        m->n = m->exact;
    }
}

struct text store_offer(const struct matches *m)
{
    static char text[4096];

    return choice_write(m, text, sizeof text);
}

static void move(struct world *w, struct att *a, uint64_t lead, const struct settle_effect *e)
{
    struct row *from = &w->rows[a->row - 1];
    struct row *to = &w->rows[lead - 1];

    from->last_no--;
    store_row_moves(w, from, e->left, e->left_due_ms);
    a->row = lead;
    a->no = ++to->last_no;
    store_row_moves(w, to, e->taken, to->due_ms);
}

void store_settle(struct world *w, const struct msg_settle_lead *m)
{
    struct att *a = store_att(w, m->attempt);
    struct msg_lead_settled out = {.attempt = m->attempt,
                                   .lead = m->lead,
                                   .client = m->client,
                                   .request = m->request,
                                   .result = RESULT_AWAY,
                                   .text = text_of("the store is away"),
                                   .name = text_of(""),
                                   .fields = text_of("")};
    struct settle_facts f = {.found = a != NULL};
    struct matches found = {.n = 0};

    if (a != NULL && w->store_up) {
        if (a->choice != CHOICE_NONE) {
            store_match(w, a->campaign, text_of(w->rows[a->row - 1].number), (enum choice)a->choice,
                        &found);
        }
        f.live = a->live;
        f.disposed = a->disposed_ms != 0;
        f.choice = a->choice;
        f.agent = a->agent;
        f.lead = a->row;
        f.offered = choice_offers(&found, m->lead);
        f.row_status = w->rows[a->row - 1].status;
        f.row_final = w->rows[a->row - 1].final;
        f.row_due_ms = w->rows[a->row - 1].due_ms;
        if (f.offered) {
            f.asked_status = w->rows[m->lead - 1].status;
            f.asked_final = w->rows[m->lead - 1].final;
        }
        out.campaign = a->campaign;
    }
    if (w->store_up) {
        struct settle_effect e = settle_decide(m, &f);

        out.result = e.result;
        out.text = text_of(e.text);
        if (e.moves) {
            move(w, a, m->lead, &e);
        }
    }
    if (out.result == RESULT_OK) {
        a->choice = CHOICE_NONE;
        out.row = a->row;
        out.attempt_no = a->no;
        out.name = text_of("A Lead");
        out.fields = text_of("{\"city\":\"Springfield\"}");
    }
    store_answer(w, named(KIND_AGENT, m->agent), MSG_lead_settled, &out);
}
