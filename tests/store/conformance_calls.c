/* conformance_calls.c - what happened to attempts and legs, and dispositions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/store/conformance_calls.h"

#define OPS(w) ((w)->s->ops)

/* --- records ---------------------------------------------------------------------------------- */

static struct store_call one_call;

static int take_call(void *ctx, const struct store_call *call)
{
    one_call = *call;
    ++*(int *)ctx;
    return 0;
}

static void read_call(struct world *w, uint64_t lead, int expect)
{
    struct store_cursor at = {0};
    size_t n = 100;
    int calls = 0;

    store_good(w->s, OPS(w)->calls(w->s, 0, WORLD_NOW * 2, lead, &at, &n, take_call, &calls));
    assert_int_equal(calls, expect);
    assert_int_equal(n, expect);
}

static void tell_talk(struct world *w, const struct msg_claimed *claimed, uint64_t row, int64_t now)
{
    static const uint8_t states[] = {ATTEMPT_ANSWERED, ATTEMPT_BRIDGED};
    struct msg_claimed c = *claimed;
    size_t i;

    for (i = 0; i < 2; i++) {
        struct msg_attempt_moved m = {.campaign = w->campaign,
                                      .attempt = c.attempt,
                                      .row = row,
                                      .state = states[i],
                                      .agent = i == 1 ? w->agent : 0,
                                      .at_wall_ms = now + 2000 + 2000 * (int64_t)i,
                                      .originated_wall_ms = now,
                                      .ringing_wall_ms = now + 1000};
        store_good(w->s, OPS(w)->attempt_moved(w->s, &m, 1));
        store_good(w->s, OPS(w)->attempt_moved(w->s, &m, 1));
    }
}

static struct msg_claimed talk(struct world *w, uint64_t row, int64_t now)
{
    const struct msg_claimed c = world_claim_good(w, row, now);

    tell_talk(w, &c, row, now);
    return c;
}

static int take_preview(void *ctx, const struct store_call *call)
{
    const struct world *w = ctx;

    assert_int_equal(call->outcome, OUTCOME_NEVER_SENT);
    assert_int_equal(call->agent, w->agent);
    assert_int_equal(call->note.len, 11);
    assert_memory_equal(call->note.ptr, "not at noon", 11);
    assert_int_equal(call->originated_ms, 0);
    assert_false(call->counts);
    return 0;
}

/* Shown to an agent, who does not want it dialed: its record says whose it was and why, and its row
 * rests for the retry interval. */
void a_preview_is_skipped(void **state)
{
    struct world *w = *state;
    struct store_cursor at = {0};
    struct msg_attempt_moved shown;
    struct msg_attempt_over over;
    struct msg_claimed c;
    size_t n = 10;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = world_claim_good(w, row, WORLD_NOW);
    shown = (struct msg_attempt_moved){.campaign = w->campaign,
                                       .attempt = c.attempt,
                                       .row = row,
                                       .state = ATTEMPT_PREVIEW,
                                       .agent = w->agent,
                                       .at_wall_ms = WORLD_NOW + 10};
    store_good(w->s, OPS(w)->attempt_moved(w->s, &shown, 1));
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_DIALING);
    over = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW + 5000);
    over.agent = w->agent;
    over.counts = false;
    over.due_wall_ms = WORLD_NOW + 305000;
    over.skipped = text_of("not at noon");
    world_end(w, &over);
    world_end(w, &over);
    store_good(w->s, OPS(w)->calls(w->s, 0, WORLD_NOW * 2, c.lead, &at, &n, take_preview, w));
    assert_int_equal(n, 1);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_PENDING);
    assert_int_equal(world_lead(w, c.lead).attempts, 0);
    assert_int_equal(world_rows(w, WORLD_NOW + 304000, &row, 1), 0);
    assert_int_equal(world_rows(w, WORLD_NOW + 305000, &row, 1), 1);
}

void call_from_claim_to_end(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = talk(w, row, WORLD_NOW);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_ANSWERED);
    m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    m.answered_wall_ms = WORLD_NOW + 2000;
    m.bridged_wall_ms = WORLD_NOW + 4000;
    m.cause = 16;
    world_end(w, &m);
    world_end(w, &m); /* told twice: nothing is doubled */
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_COMPLETED);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_ENDED);
    assert_int_equal(one_call.outcome, OUTCOME_ANSWERED);
    assert_int_equal(one_call.originated_ms, WORLD_NOW);
    assert_int_equal(one_call.ringing_ms, WORLD_NOW + 1000);
    assert_int_equal(one_call.answered_ms, WORLD_NOW + 2000);
    assert_int_equal(one_call.bridged_ms, WORLD_NOW + 4000);
    assert_int_equal(one_call.ended_ms, WORLD_NOW + 60000);
    assert_int_equal(one_call.agent, w->agent);
    assert_int_equal(one_call.q850, 16);
}

/* A call that nobody takes is written twice: its claim, its end. */
void times_come_with_the_end(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row[2];

    world_leads(w, 2);
    world_rows(w, WORLD_NOW, row, 2);
    c = world_claim_good(w, row[0], WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 30000);
    m.originated_wall_ms = WORLD_NOW + 100;
    m.ringing_wall_ms = WORLD_NOW + 2000;
    world_end(w, &m);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.originated_ms, WORLD_NOW + 100);
    assert_int_equal(one_call.ringing_ms, WORLD_NOW + 2000);
    assert_int_equal(one_call.answered_ms, 0);
    /* ended by a daemon that did not send it: what was written before stays */
    c = talk(w, row[1], WORLD_NOW);
    m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &m);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.originated_ms, WORLD_NOW);
    assert_int_equal(one_call.ringing_ms, WORLD_NOW + 1000);
}

void end_of_an_unknown_attempt(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m = {.campaign = w->campaign, .attempt = text_of("att-unknown")};
    uint8_t result = 0;

    store_good(w->s, OPS(w)->attempt_over(w->s, &m, 1, &result));
    assert_int_equal(result, RESULT_NOT_FOUND);
}

void late_end_leaves_the_next_attempt_alone(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed first, second;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    first = world_claim_good(w, row, WORLD_NOW);
    m = world_over(w, &first, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    world_end(w, &m);
    world_recycle(w, WORLD_NOW + 301000, 1);
    second = world_claim_good(w, row, WORLD_NOW + 301000);
    world_end(w, &m);
    assert_int_equal(world_lead(w, second.lead).row_status, ROW_DIALING);
    assert_int_equal(world_lead(w, second.lead).attempts, 1);
}

static int take_leg(void *ctx, const struct store_leg *leg)
{
    assert_true(text_is(leg->endpoint, "PJSIP/anna"));
    assert_int_equal(leg->claimed_ms, WORLD_NOW);
    assert_int_equal(leg->answered_ms, WORLD_NOW + 1);
    assert_int_equal(leg->ended_ms, WORLD_NOW + 9);
    ++*(int *)ctx;
    return 0;
}

/* Whoever adds to the port adds to each of its implementations. */
void nothing_is_missing(void **state)
{
    struct world *w = *state;
    void (*op)(void);
    size_t i;

    for (i = 0; i < sizeof *w->s->ops / sizeof op; i++) {
        memcpy(&op, (const char *)w->s->ops + i * sizeof op, sizeof op);
        assert_true(op != NULL);
    }
}

void legs(void **state)
{
    struct world *w = *state;
    struct msg_leg_claim req = {.leg = text_of("leg-0001-00000001-00000001-00000001"),
                                .agent = w->agent,
                                .use = LEG_AGENT,
                                .pbx = 1,
                                .endpoint = text_of("PJSIP/anna"),
                                .at_wall_ms = WORLD_NOW};
    struct msg_leg_over over = {.leg = req.leg,
                                .cause = 16,
                                .answered_wall_ms = WORLD_NOW + 1,
                                .at_wall_ms = WORLD_NOW + 9};
    struct msg_leg_claimed out;

    store_good(w->s, OPS(w)->leg_claim(w->s, &req, 1, &out));
    assert_int_equal(out.result, RESULT_OK);
    store_good(w->s, OPS(w)->leg_claim(w->s, &req, 1, &out));
    assert_int_equal(out.result, RESULT_OK);
    req.endpoint = text_of("PJSIP/berta");
    store_good(w->s, OPS(w)->leg_claim(w->s, &req, 1, &out));
    assert_int_equal(out.result, RESULT_CONFLICT);
    req.endpoint = text_of("PJSIP/anna");
    store_good(w->s, OPS(w)->leg_over(w->s, &over, 1));
    store_good(w->s, OPS(w)->leg_over(w->s, &over, 1));
    {
        struct store_cursor at = {0};
        size_t n = 10;
        int seen = 0;
        store_good(w->s, OPS(w)->legs(w->s, WORLD_NOW, WORLD_NOW + 1, &at, &n, take_leg, &seen));
        assert_int_equal(seen, 1);
        assert_int_equal(n, 1);
        n = 10;
        store_good(w->s, OPS(w)->legs(w->s, WORLD_NOW, WORLD_NOW + 1, &at, &n, take_leg, &seen));
        assert_int_equal(n, 0);
    }
    /* an id is never used again */
    store_good(w->s, OPS(w)->leg_claim(w->s, &req, 1, &out));
    assert_int_equal(out.result, RESULT_CONFLICT);
}

/* --- dispositions ----------------------------------------------------------------------------- */

static uint8_t dispose(struct world *w, struct text attempt, uint64_t agent, const char *code,
                       int64_t callback, int64_t now, struct msg_disposed *out)
{
    struct msg_dispose m = {.attempt = attempt,
                            .agent = agent,
                            .code = text_of(code),
                            .note = text_of("said so"),
                            .callback_wall_ms = callback,
                            .request = 7,
                            .client = 8,
                            .at_wall_ms = now};

    store_good(w->s, OPS(w)->dispose(w->s, &m, 1, out));
    assert_int_equal(out->request, 7);
    assert_int_equal(out->client, 8);
    return out->result;
}

static struct msg_claimed talked(struct world *w, int64_t end)
{
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = talk(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_ANSWERED, end);
    world_end(w, &m);
    return c;
}

void disposed_by_its_agent_only(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent + 1, "sale", 0, WORLD_NOW + 61000, &d),
                     RESULT_REFUSED);
    assert_true(d.text.len > 0);
    assert_int_equal(dispose(w, c.attempt, w->agent, "no_such", 0, WORLD_NOW + 61000, &d),
                     RESULT_INVALID);
    assert_int_equal(dispose(w, text_of("att-x"), w->agent, "sale", 0, WORLD_NOW, &d),
                     RESULT_NOT_FOUND);
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 61000, &d), RESULT_OK);
    assert_int_equal(d.campaign, w->campaign);
    /* again: the same answer; another one: too late */
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 62000, &d), RESULT_OK);
    assert_int_equal(dispose(w, c.attempt, w->agent, "dnc", 0, WORLD_NOW + 63000, &d),
                     RESULT_CONFLICT);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_COMPLETED);
    assert_true(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_DISPOSED);
    assert_int_equal(one_call.disposed_ms, WORLD_NOW + 61000);
}

/* The agent's word and the campaign's come by different ways: the first may be here before the
 * store knows whose the call was. With the number it says that it is the call at hand. */
void disposed_before_its_record(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over over;
    struct msg_disposed d;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = world_claim_good(w, row, WORLD_NOW);
    const struct msg_dispose m = {.attempt = c.attempt,
                                  .agent = w->agent,
                                  .code = text_of("sale"),
                                  .note = text_of(""),
                                  .number = text_of("+12125550120"),
                                  .at_wall_ms = WORLD_NOW + 61000};

    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 61000, &d),
                     RESULT_REFUSED); /* an earlier call of somebody's, for all it says */
    store_good(w->s, OPS(w)->dispose(w->s, &m, 1, &d));
    assert_int_equal(d.result, RESULT_OK);
    tell_talk(w, &c, row, WORLD_NOW);
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &over);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_DISPOSED);
    assert_int_equal(one_call.agent, w->agent);
    assert_true(text_is(world_lead(w, c.lead).cause, "sale"));
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_COMPLETED);
    assert_true(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
}

void disposition_recycles(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "no_answer", 0, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_FAILED);
    assert_false(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).due_wall_ms, WORLD_NOW + 370000);
    assert_true(text_is(world_lead(w, c.lead).cause, "no_answer"));
}

void disposition_suppresses(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "dnc", 0, WORLD_NOW + 70000, &d), RESULT_OK);
    assert_true(text_is(d.suppressed, "+12125550120"));
    assert_int_equal(d.suppressed_own.len, 0);
    if (!w->clock)
        assert_int_equal(world_manual(w, "+12125550120", WORLD_NOW + 80000, &c), REASON_fenced);
    store_good(w->s, OPS(w)->lease_renew(w->s, WORLD_NOW + 80000));
    assert_int_equal(world_manual(w, "+12125550120", WORLD_NOW + 80000, &c), REASON_do_not_call);
}

/* Who was called by another number than the lead's is not called by that one either. */
void a_typed_call_suppresses_its_lead_too(void **state)
{
    static const char *const both[] = {"+9992125550120", "+12125550120"};
    struct world *w = *state;
    struct msg_claimed c;
    struct msg_disposed d;

    world_leads(w, 1);
    assert_int_equal(world_manual(w, both[0], WORLD_NOW, &c), REASON_allow);
    struct msg_attempt_over m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 1000);
    world_end(w, &m);
    assert_int_equal(dispose(w, c.attempt, w->agent, "dnc", 0, WORLD_NOW + 2000, &d), RESULT_OK);
    assert_true(text_is(d.suppressed, both[0]));
    assert_true(text_is(d.suppressed_own, both[1]));
    for (int i = 0; i < 2; i++)
        assert_int_equal(world_manual(w, both[i], WORLD_NOW + 3000, &c), REASON_do_not_call);
    assert_int_equal(world_manual(w, "+4482125550120", WORLD_NOW + 3000, &c), REASON_do_not_call);
}

void callback_goes_first_and_past_the_attempts(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;
    struct msg_claim req;
    int64_t due = WORLD_NOW + 7200000;
    uint64_t rows[3], lead = c.lead, row = c.row;
    struct store_lead fresh = {.number = text_of("+12125550100")};
    struct store_import_count count = {0};

    assert_int_equal(dispose(w, c.attempt, w->agent, "callback", 0, WORLD_NOW + 70000, &d),
                     RESULT_INVALID);
    assert_int_equal(dispose(w, c.attempt, w->agent, "callback", due, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    assert_int_equal(world_lead(w, lead).due_wall_ms, due);
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, 0, WORLD_NOW, &fresh, 1, &count));
    assert_int_equal(world_recycle(w, due - 1, 0), due);
    world_recycle(w, due, 1);
    assert_int_equal(world_rows(w, due, rows, 3), 2);
    assert_int_equal(rows[0], row);
    req = world_claim(w, row, due);
    req.max_attempts = 1;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
}

void disposition_before_the_end_is_kept(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_disposed d;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = talk(w, row, WORLD_NOW);
    assert_int_equal(dispose(w, c.attempt, w->agent, "not_interested", 0, WORLD_NOW + 9000, &d),
                     RESULT_OK);
    m = world_over(w, &c, OUTCOME_UNKNOWN, WORLD_NOW + 10000);
    world_end(w, &m);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_COMPLETED);
    assert_true(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_DISPOSED);
    assert_int_equal(one_call.ended_ms, WORLD_NOW + 10000);
}

void not_disposed_may_still_be_disposed(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "not_disposed", 0, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    assert_int_equal(world_lead(w, c.lead).due_wall_ms, WORLD_NOW + 70000 + 86400000);
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 90000, &d), RESULT_OK);
    assert_true(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
    /* a time-out that comes late does not undo it */
    assert_int_equal(dispose(w, c.attempt, w->agent, "not_disposed", 0, WORLD_NOW + 99000, &d),
                     RESULT_CONFLICT);
}

/* What the agent says after the system has spoken counts for the call; the row belongs to the call
 * that was made meanwhile. */
void late_word_leaves_the_next_attempt_alone(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_claimed next;
    struct msg_attempt_over m;
    struct msg_disposed d;
    int64_t due = WORLD_NOW + 70000 + 86400000;

    assert_int_equal(dispose(w, c.attempt, w->agent, "not_disposed", 0, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    world_recycle(w, due, 1);
    next = world_claim_good(w, c.row, due);
    assert_int_equal(dispose(w, c.attempt, w->agent, "no_answer", 0, due + 1000, &d), RESULT_OK);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_DIALING);
    m = world_over(w, &next, OUTCOME_BUSY, due + 5000);
    m.due_wall_ms = due + 900000;
    world_end(w, &m);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_FAILED);
    assert_int_equal(world_lead(w, c.lead).due_wall_ms, due + 900000);
    assert_int_equal(world_lead(w, c.lead).attempts, 2);
}

struct corrected {
    char code[32], by[16], who[32], before[32], after[32], attempt[64];
    int lines;
};

static void keep_text(char *to, size_t size, struct text t)
{
    snprintf(to, size, "%.*s", (int)t.len, t.len ? t.ptr : "");
}

static int take_corrected(void *ctx, const struct store_call *call)
{
    struct corrected *k = ctx;

    keep_text(k->code, sizeof k->code, call->disposition);
    keep_text(k->by, sizeof k->by, call->disposed_by);
    return 0;
}

static int take_correction(void *ctx, const struct store_audit *a)
{
    struct corrected *k = ctx;

    if (a->kind.len != 7 || memcmp(a->kind.ptr, "attempt", 7) != 0)
        return 0;
    k->lines++;
    keep_text(k->who, sizeof k->who, a->who);
    keep_text(k->before, sizeof k->before, a->before);
    keep_text(k->after, sizeof k->after, a->after);
    keep_text(k->attempt, sizeof k->attempt, a->field);
    return 0;
}

static uint8_t correct(struct world *w, struct text attempt, const char *code, int64_t now,
                       struct corrected *k)
{
    const struct msg_dispose m = {.attempt = attempt,
                                  .code = text_of(code),
                                  .at_wall_ms = now,
                                  .corrected_by = text_of("cli:sue")};
    struct store_cursor at = {.id = 0};
    struct msg_disposed out;
    size_t n = 10;

    store_good(w->s, OPS(w)->dispose(w->s, &m, 1, &out));
    memset(k, 0, sizeof *k);
    store_good(w->s, OPS(w)->calls(w->s, 0, INT64_MAX, 0, &at, &n, take_corrected, k));
    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_correction, k));
    return out.result;
}

/* R25: a supervisor corrects what an agent, or the system, said; both stay. */
void a_supervisor_corrects(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;
    struct corrected k;
    char id[64];

    keep_text(id, sizeof id, c.attempt);
    assert_int_equal(correct(w, c.attempt, "sale", WORLD_NOW + 61000, &k), RESULT_REFUSED);
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 61000, &d), RESULT_OK);
    assert_int_equal(correct(w, c.attempt, "not_disposed", WORLD_NOW + 62000, &k), RESULT_INVALID);
    assert_int_equal(correct(w, c.attempt, "no_such", WORLD_NOW + 62000, &k), RESULT_INVALID);
    assert_int_equal(k.lines, 0);
    assert_string_equal(k.code, "sale");
    assert_string_equal(k.by, "agent");
    assert_int_equal(correct(w, c.attempt, "no_answer", WORLD_NOW + 63000, &k), RESULT_OK);
    assert_string_equal(k.code, "no_answer");
    assert_string_equal(k.by, "supervisor");
    assert_int_equal(k.lines, 1);
    assert_string_equal(k.who, "cli:sue");
    assert_string_equal(k.before, "sale");
    assert_string_equal(k.after, "no_answer");
    assert_string_equal(k.attempt, id);
    assert_false(world_lead(w, c.lead).final);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_FAILED);
    assert_int_equal(world_lead(w, c.lead).attempts, 1);
    /* the agent's word does not undo the supervisor's */
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 64000, &d),
                     RESULT_CONFLICT);
    assert_int_equal(correct(w, c.attempt, "dnc", WORLD_NOW + 65000, &k), RESULT_OK);
    assert_int_equal(k.lines, 2);
    assert_true(world_lead(w, c.lead).final);
}
