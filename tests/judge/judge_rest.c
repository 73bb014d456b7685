/* judge_rest.c - the tables at rest: nothing lost (I1), nothing stuck (I3), claims in order (I4),
 * dispositions (I8), pages (I9). */
#include "tests/judge/judge_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool at_rest(const struct judge *j)
{
    return !j->options.calls_still_on;
}

/* --- I1 ------------------------------------------------------------------------------------------
 */

static void check_lead(struct judge *j, const struct lead *l)
{
    const struct judge_lead *r = &l->row;
    const char *number = judge_text(j, l->number);

    if (r->rows == 0 && !r->suppressed) {
        judge_broken(j, 1, NULL, 0, 0, "lead %" PRIu64 " %s has no queue row", r->lead, number);
        return;
    }
    if (r->rows > 1) {
        judge_broken(j, 1, NULL, 0, 0, "lead %" PRIu64 " %s has %u queue rows", r->lead, number,
                     r->rows);
    }
    if (r->rows > 0 && r->status == ROW_FAILED && !r->final && r->due_ms == 0) {
        judge_broken(j, 1, NULL, 0, 0,
                     "lead %" PRIu64 " %s has failed, is not final and will never be due", r->lead,
                     number);
    }
    if ((r->status == ROW_DIALING || r->status == ROW_ANSWERED) && r->rows > 0) {
        if (l->live == 0) {
            judge_broken(j, 3, NULL, 0, 0, "lead %" PRIu64 " %s is %s without a live attempt",
                         r->lead, number, row_status_name(r->status));
        } else if (at_rest(j)) {
            judge_broken(j, 3, NULL, 0, 0, "lead %" PRIu64 " %s is still %s at rest", r->lead,
                         number, row_status_name(r->status));
        }
    }
    if (r->attempts > l->attempts) {
        judge_broken(j, 1, NULL, 0, 0,
                     "lead %" PRIu64 " %s has used %" PRIu64 " attempts, the store has %u", r->lead,
                     number, r->attempts, l->attempts);
    }
}

static void check_leads(struct judge *j)
{
    uint64_t imported = 0;

    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct attempt *a = &j->attempts.at[i];
        const uint32_t l = judge_find(&j->lead_of, a->row.lead);
        if (l != NONE) {
            j->leads.at[l].attempts++;
            j->leads.at[l].live += a->row.live;
        } else if (j->leads.n > 0) {
            judge_broken(j, 1, &j->calls.at[judge_find(&j->call_of, a->id)], 0, 0,
                         "attempt %s is of lead %" PRIu64 ", which is not there",
                         judge_text(j, a->id), a->row.lead);
        }
    }
    for (uint32_t i = 0; i < j->leads.n; i++) {
        imported += !j->leads.at[i].row.manual;
        check_lead(j, &j->leads.at[i]);
    }
    if (j->options.imported && imported != j->options.imported) {
        judge_broken(j, 1, NULL, 0, 0, "%" PRIu64 " leads were imported, the store has %" PRIu64,
                     j->options.imported, imported);
    }
}

/* --- I3 ------------------------------------------------------------------------------------------
 */

/* Outcomes of calls that need not have reached the network. */
static bool may_be_unseen(const struct judge_attempt *r)
{
    return r->state < ATTEMPT_ORIGINATING || r->state == ATTEMPT_PREVIEW ||
           r->outcome == OUTCOME_NEVER_SENT || r->outcome == OUTCOME_FAULT ||
           r->outcome == OUTCOME_UNKNOWN || r->outcome == OUTCOME_CANCELLED ||
           r->outcome == OUTCOME_CONGESTION;
}

static void check_attempt(struct judge *j, struct call *c)
{
    const struct judge_attempt *r = &j->attempts.at[c->attempt].row;

    if (r->live && at_rest(j)) {
        judge_broken(j, 3, c, r->agent, c->ended_us, "its row is still %s at rest",
                     attempt_state_name(r->state));
        return;
    }
    if (c->originates == 0 && !r->live && !may_be_unseen(r)) {
        judge_broken(j, 3, c, 0, r->claimed_ms * 1000,
                     "the store says it was dialed (%s), the network has not seen it",
                     outcome_name(r->outcome));
    }
    if (c->originates == 0) {
        return;
    }
    if (!r->live && at_rest(j) && r->outcome == OUTCOME_ANSWERED && r->disposed_ms == 0) {
        judge_broken(j, 3, c, r->agent, r->ended_ms * 1000,
                     "it was answered, and waits for its disposition at rest");
    }
    if (r->outcome == OUTCOME_NEVER_SENT) {
        judge_broken(j, 3, c, 0, c->originated_us, "the store says it never left; it rang");
    }
    if (!r->live && r->ended_ms > 0 &&
        (c->ended_us == 0 || c->ended_us - r->ended_ms * 1000 > judge_margin_us(j) * 10) &&
        c->answered_us && r->outcome == OUTCOME_UNKNOWN && c->survived) {
        judge_broken(j, 6, c, 0, r->ended_ms * 1000,
                     "it lived in Asterisk when the daemon came back, and was not adopted");
    }
}

static void check_call(struct judge *j, struct call *c)
{
    if (c->customer && c->attempt != NONE) {
        check_attempt(j, c);
    } else if (c->originates > 0 && (c->customer || c->leg == NONE) && (c->customer || j->legs.n)) {
        judge_broken(j, 3, c, 0, c->originated_us, "the network saw it, the store has no row");
    }
    if (!c->customer && c->leg != NONE && at_rest(j) && j->legs.at[c->leg].row.ended_ms == 0) {
        judge_broken(j, 3, c, c->owner, c->ended_us, "the leg's row is still open at rest");
    }
    if (c->originates > 0 && c->ended_us == 0 && at_rest(j)) {
        judge_broken(j, 3, c, 0, c->originated_us, "it still lives in Asterisk at rest");
    }
}

static void check_agent(struct judge *j, const struct agent *a)
{
    if (!a->stored) {
        return;
    }
    if (at_rest(j) && (a->state == AGENT_PREVIEW || a->state == AGENT_RESERVED ||
                       a->state == AGENT_BUSY || a->state == AGENT_CONNECTING)) {
        judge_broken(j, 3, NULL, a->agent, 0, "agent %" PRIu64 " is still %s at rest", a->agent,
                     agent_state_name(a->state));
    }
    if (j->options.check_pages && a->told && !a->gone &&
        strcmp(judge_text(j, a->page), agent_state_name(a->state)) != 0) {
        judge_broken(j, 9, NULL, a->agent, 0, "agent %" PRIu64 ": the page shows %s, the store %s",
                     a->agent, judge_text(j, a->page), agent_state_name(a->state));
    }
}

/* --- I4 ------------------------------------------------------------------------------------------
 */

struct claim {
    uint64_t campaign, epoch;
    int64_t at_ms;
    uint32_t attempt;
};

static int by_claim(const void *x, const void *y)
{
    const struct claim *a = x;
    const struct claim *b = y;

    if (a->campaign != b->campaign) {
        return a->campaign < b->campaign ? -1 : 1;
    }
    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

static void check_epochs(struct judge *j)
{
    struct claim *claims = calloc(j->attempts.n + 1, sizeof *claims);
    uint64_t epoch = 0;
    int64_t since = 0;

    if (!claims) {
        abort();
    }
    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct judge_attempt *r = &j->attempts.at[i].row;
        claims[i] = (struct claim){r->campaign, r->epoch, r->claimed_ms, i};
    }
    qsort(claims, j->attempts.n, sizeof *claims, by_claim);
    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct claim *k = &claims[i];
        if (i == 0 || k->campaign != claims[i - 1].campaign || k->epoch > epoch) {
            epoch = k->epoch;
            since = k->at_ms;
        } else if (k->epoch < epoch && k->at_ms > since) {
            judge_broken(j, 4, &j->calls.at[judge_find(&j->call_of, j->attempts.at[k->attempt].id)],
                         0, k->at_ms * 1000,
                         "claimed by epoch %" PRIu64 " %" PRId64 " ms after epoch %" PRIu64
                         " had claimed",
                         k->epoch, k->at_ms - since, epoch);
        }
    }
    free(claims);
}

/* --- I8 ------------------------------------------------------------------------------------------
 */

static void check_disposition(struct judge *j, const struct call *c)
{
    const struct attempt *a = c->attempt == NONE ? NULL : &j->attempts.at[c->attempt];

    if (a && a->row.dispositions > 1) {
        judge_broken(j, 8, c, a->row.agent, a->row.disposed_ms * 1000, "disposed %u times",
                     a->row.dispositions);
    }
    if (!c->acked) {
        return;
    }
    if (!a || a->row.disposed_ms == 0) {
        judge_broken(j, 8, c, c->acked_agent, c->acked_us,
                     "the disposition %s was acknowledged and is not in the store",
                     judge_text(j, c->acked));
    } else if (a->disposition != c->acked) {
        judge_broken(j, 8, c, c->acked_agent, c->acked_us,
                     "the disposition %s was acknowledged, the store has %s",
                     judge_text(j, c->acked), judge_text(j, a->disposition));
    }
}

void judge_rest(struct judge *j)
{
    check_leads(j);
    for (uint32_t i = 0; i < j->calls.n; i++) {
        check_call(j, &j->calls.at[i]);
        check_disposition(j, &j->calls.at[i]);
    }
    for (uint32_t i = 0; i < j->agents.n; i++) {
        check_agent(j, &j->agents.at[i]);
    }
    check_epochs(j);
}
