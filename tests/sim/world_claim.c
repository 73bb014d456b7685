/*
 * world_claim.c - claims: what the store knows of a number, what it decides
 * (adapters/store/rules.c), and the attempt that comes of it.
 */
#include "adapters/store/rules.h"
#include "tests/sim/world_int.h"

#define PROMISED_MS 1500 /* of a mutant: from a claim's answer to its commit */

static void number_facts(const struct world *w, const struct number *n, const struct msg_claim *m,
                         struct claim_facts *f)
{
    f->suppressed = n->suppressed;
    f->alive = n->alive > 0;
    for (uint32_t i = n->last; i != 0; i = w->atts[i - 1].before) {
        const struct att *a = &w->atts[i - 1];
        int64_t end = a->ended_ms != 0 ? a->ended_ms : a->claimed_ms;

        if (a->claimed_ms < m->at_wall_ms - 2 * DAY_MS) {
            break;
        }
        if (a->campaign == m->campaign && a->outcome != OUTCOME_NEVER_SENT && end > f->last_ms) {
            f->last_ms = end;
        }
        if (a->claimed_ms > m->at_wall_ms - DAY_MS && a->cause == CAUSE_AUTO && a->counts) {
            f->day++;
            f->day_first_ms = a->claimed_ms;
        }
    }
}

/* R14: the row to call, and among what its agent has to choose; nobody has the number: a lead of
 * its own. */
static uint64_t manual_row(struct world *w, const struct msg_claim *m, uint8_t *choice,
                           struct msg_claimed *out)
{
    struct matches found;
    char number[NUMBER_MAX];
    uint64_t row;

    store_match(w, m->campaign, m->number, CHOICE_NONE, &found);
    *choice = (uint8_t)choice_among(&found);
    if (found.n == 0) {
        text_keep(number, sizeof number, m->number);
        row = world_lead(w, m->campaign, number);
        w->rows[row - 1].manual = true;
        return row;
    }
    out->matches = (uint32_t)found.n;
    out->fields = store_offer(&found);
    return found.at[0].row;
}

static void insert(struct world *w, const struct msg_claim *m, uint64_t row, struct number *n,
                   struct row_step to, uint8_t choice, struct msg_claimed *out)
{
    struct row *r = &w->rows[row - 1];

    w->atts = world_room(w->atts, &w->room_atts, w->n_atts, sizeof *w->atts);
    struct att *a = &w->atts[w->n_atts++];

    *a = (struct att){.row = row,
                      .campaign = m->campaign,
                      .agent = m->agent,
                      .key = number_key(out->number),
                      .no = ++r->last_no,
                      .pbx = m->pbx,
                      .epoch = m->epoch,
                      .before = n->last,
                      .cause = m->cause,
                      .choice = choice,
                      .state = ATTEMPT_CLAIMED,
                      .live = true,
                      .counts = true,
                      .claimed_ms = m->at_wall_ms};
    text_keep(a->id, sizeof a->id, m->attempt);
    text_keep(a->number, sizeof a->number, out->number);
    a->permit = store_permit(w, m->attempt, out->number);
    table_put(&w->att_of, store_key(m->attempt), w->n_atts);
    n->last = w->n_atts;
    n->alive++;
    a->open_claim = MUTANT(claim_after_originate);
    store_row_moves(w, r, to, r->due_ms);
    out->permit = a->permit;
    out->attempt_no = a->no;
}

static struct claim_facts facts_of(struct world *w, const struct row *r, const struct number *n,
                                   struct text number, const struct msg_claim *m)
{
    const struct camp *c = world_camp(w, m->campaign);
    const struct number *own = world_number_at(w, r->key);
    struct claim_facts f = {.found = true,
                            .leased = m->epoch == c->config.epoch,
                            .campaign = r->campaign,
                            .list_active = c->list_active || r->manual,
                            .list_manual = r->manual,
                            .status = r->status,
                            .final = r->final,
                            .callback = r->callback,
                            .number = number,
                            .due_ms = r->due_ms,
                            .attempts = r->attempts};

    f.own_zone =
        r->zone != NULL && callee_zone(text_of(r->zone), text_of(""), m->at_wall_ms, &f.zone);
    number_facts(w, n, m, &f);
    f.suppressed |= own->suppressed;
    f.alive |= own->alive > 0;
    return f;
}

void store_claim(struct world *w, const struct msg_claim *m)
{
    struct msg_claimed out = {.campaign = m->campaign,
                              .row = m->row,
                              .attempt = m->attempt,
                              .matches = 1,
                              .name = text_of(""),
                              .number = text_of(""),
                              .fields = text_of("")};
    uint64_t id = m->row != 0 ? m->row : m->lead;
    int64_t due = 0;
    uint8_t choice = CHOICE_NONE;

    w->seen.claims++;
    if (!w->store_up) {
        out.reason = REASON_store_away;
        store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_claimed, &out);
        return;
    }
    if (store_att(w, m->attempt) != NULL) {
        world_broken(w, "attempt id %.*s claimed twice", (int)m->attempt.len, m->attempt.ptr);
        return;
    }
    if (id == 0) {
        id = manual_row(w, m, &choice, &out);
    }
    struct row *r = id <= w->n_rows ? &w->rows[id - 1] : NULL;
    struct claim_facts f = {.found = r != NULL};
    struct number *n = NULL;

    if (r != NULL) {
        out.number = m->row == 0 && m->lead == 0 ? m->number : text_of(r->number);
        n = world_number_at(w, number_key(out.number));
        f = facts_of(w, r, n, out.number, m);
        out.row = id;
        if (choice == CHOICE_NONE) {
            out.lead = id;
            out.name = text_of("A Lead");
            out.fields = text_of("{\"city\":\"Springfield\"}");
        }
        out.own_zone = f.own_zone;
        out.zone_offset_s = f.zone.offset_s;
        out.zone_until_wall_ms = f.zone.until_wall_ms;
        out.zone_next_offset_s = f.zone.next_offset_s;
        out.callback = f.callback;
    }
    out.reason = (uint8_t)claim_decide(m, &f, &due);
    out.due_wall_ms = due;
    if (out.reason == REASON_allow) {
        w->seen.claims_allowed++;
        insert(w, m, id, n, claim_step(m, &f), choice, &out);
    } else {
        struct claim_effect e = claim_refused(m, &f, (enum reason)out.reason, due);

        w->seen.claims_refused++;
        if (r != NULL && e.row.moves) {
            store_row_moves(w, r, e.row, e.due_ms);
        }
    }
    store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_claimed, &out);
}

/* The mutant that answers first: what it had not committed is gone with it. */
void store_roll_back(struct world *w)
{
    for (uint32_t i = w->n_atts; i > 0 && MUTANT(claim_after_originate); i--) {
        struct att *a = &w->atts[i - 1];
        struct number *n = world_number_at(w, a->key);
        struct row *r = &w->rows[a->row - 1];

        if (!a->open_claim || !a->live || a->claimed_ms + PROMISED_MS < sim_wall_ms(w->sim)) {
            continue;
        }
        a->live = false;
        a->unmade = true;
        n->alive--;
        r->last_no--;
        store_row_moves(w, r, row_next(r->status, r->final, RE_NOT_SENT), 0);
        table_drop(&w->att_of, store_key(text_of(a->id)));
    }
}
