/*
 * conformance.c - claims, records, dispositions and the queue: the same for every store.
 *
 * Reason for length: one case after the other, each a few lines; splitting them would hide which
 * rules have no case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/store/conformance.h"
#include "tests/store/conformance_more.h"

static const struct fixture *fixture;

static int setup(void **state)
{
    static struct world w;

    world_make(&w, world_open(fixture, "test-1"));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    w->s->ops->close(w->s);
    fixture->drop();
    return 0;
}

#define OPS(w) ((w)->s->ops)
#define MINUTE 60000

static bool same(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.ptr, s, t.len) == 0;
}

static struct store_lead_state lead_of(struct world *w, uint64_t lead)
{
    struct store_lead_state d;

    store_good(w->s, OPS(w)->lead_read(w->s, lead, &d));
    return d;
}

static void end_attempt(struct world *w, const struct msg_attempt_over *m)
{
    uint8_t result = 99;

    store_good(w->s, OPS(w)->attempt_over(w->s, m, 1, &result));
    assert_int_equal(result, RESULT_OK);
}

/* The attempt's id outlives the answer it came in. */
static struct msg_claimed claim_good(struct world *w, uint64_t row, int64_t now)
{
    struct msg_claimed c;

    assert_int_equal(world_claim_one(w, row, now, &c), REASON_allow);
    return c;
}

/* --- claims ----------------------------------------------------------------------------------- */

static void claim_commits_what_is_needed_to_dial(void **state)
{
    struct world *w = *state;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 1);
    c = claim_good(w, row, WORLD_NOW);
    assert_true(same(c.number, "+12125550120"));
    assert_true(same(c.name, "Test Person"));
    assert_true(same(c.fields, "{\"city\":\"Anytown\"}"));
    assert_int_equal(c.row, row);
    assert_int_equal(c.attempt_no, 1);
    assert_int_equal(c.permit, 0);
    assert_false(c.own_zone);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_DIALING);
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 0);
}

static void batch_keeps_its_order_and_refuses_by_item(void **state)
{
    struct world *w = *state;
    struct msg_claim req[34];
    struct msg_claimed out[34];
    uint64_t rows[32];
    size_t i;

    world_leads(w, 32);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 32), 32);
    for (i = 0; i < 32; i++)
        req[i] = world_claim(w, rows[i], WORLD_NOW);
    req[32] = world_claim(w, rows[5], WORLD_NOW); /* twice in one batch */
    req[33] = world_claim(w, 999999, WORLD_NOW);
    store_good(w->s, OPS(w)->claim(w->s, req, 34, out));
    for (i = 0; i < 32; i++) {
        assert_int_equal(out[i].reason, REASON_allow);
        assert_int_equal(out[i].row, rows[i]);
        assert_true(out[i].attempt.ptr == req[i].attempt.ptr);
    }
    assert_int_equal(out[32].reason, REASON_number_alive);
    assert_int_equal(out[33].reason, REASON_row_not_pending);
}

static void repeated_claim_answers_the_same(void **state)
{
    struct world *w = *state;
    struct msg_claim req;
    struct msg_claimed a, b;
    uint64_t row, lead;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    req = world_claim(w, row, WORLD_NOW);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &a));
    assert_int_equal(a.reason, REASON_allow);
    lead = a.lead;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &b));
    assert_int_equal(b.reason, REASON_allow);
    assert_int_equal(b.lead, lead);
    assert_int_equal(b.attempt_no, 1);
    assert_true(same(b.number, "+12125550120"));
    /* another attempt for the same row is not a repetition */
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_row_not_pending);
}

static void number_alive_in_another_campaign(void **state)
{
    struct world *w = *state, other;
    struct msg_campaign_config c;
    struct store_list l = {.name = {"other", 5}, .priority = 1, .active = true};
    struct msg_claimed first;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    first = claim_good(w, row, WORLD_NOW);
    other = *w;
    store_campaign_defaults(&c);
    c.name = text_of("second");
    store_good(w->s, OPS(w)->campaign_add(w->s, &w->by, &c, &other.campaign));
    store_good(w->s, OPS(w)->lease_take(w->s, 0, WORLD_NOW));
    l.campaign = other.campaign;
    other.epoch = 1;
    store_good(w->s, OPS(w)->list_add(w->s, &w->by, &l, &other.list));
    world_leads(&other, 1);
    assert_int_equal(world_rows(&other, WORLD_NOW, &row, 1), 1);
    assert_int_equal(world_claim_one(&other, row, WORLD_NOW, NULL), REASON_number_alive);
    /* the retry interval is the campaign's own: the other one may call after the end */
    {
        struct msg_attempt_over m = world_over(w, &first, OUTCOME_NO_ANSWER, WORLD_NOW + MINUTE);
        struct msg_recycle r = {.campaign = other.campaign,
                                .epoch = 1,
                                .max_attempts = 3,
                                .at_wall_ms = WORLD_NOW + MINUTE};
        struct msg_recycled back;
        end_attempt(w, &m);
        store_good(w->s, OPS(w)->lease_renew(w->s, WORLD_NOW + MINUTE));
        store_good(w->s, OPS(w)->recycle(w->s, &r, &back));
        assert_int_equal(back.rows, 1);
    }
    assert_int_equal(world_claim_one(&other, row, WORLD_NOW + MINUTE, NULL), REASON_allow);
}

static void lease_fences(void **state)
{
    struct world *w = *state;
    struct msg_claim req;
    struct msg_claimed out;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    req = world_claim(w, row, WORLD_NOW);
    req.epoch = w->epoch + 1;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &out));
    assert_int_equal(out.reason, REASON_fenced);
    req = world_claim(w, row, WORLD_NOW);
    req.campaign = w->campaign + 100;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &out));
    assert_int_equal(out.reason, REASON_row_foreign);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_allow);
}

static void do_not_call_refuses_and_takes_the_row_out(void **state)
{
    struct world *w = *state;
    struct msg_suppress dnc = {.account = STORE_ACCOUNT,
                               .number = text_of("+12125550120"),
                               .source = text_of("test"),
                               .at_wall_ms = WORLD_NOW};
    struct msg_claimed c;
    uint64_t row;
    struct msg_claim req;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    store_good(w->s, OPS(w)->suppress(w->s, &dnc, 1));
    store_good(w->s, OPS(w)->suppress(w->s, &dnc, 1));
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, &c), REASON_do_not_call);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_FAILED);
    assert_true(lead_of(w, c.lead).final);
    assert_true(same(lead_of(w, c.lead).cause, "do_not_call"));
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 0);
    /* an agent may not either */
    req = world_claim(w, 0, WORLD_NOW);
    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = text_of("+12125550120");
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_do_not_call);
    /* taken off the list, the row is back */
    store_good(w->s, OPS(w)->unsuppress(w->s, &w->by, STORE_ACCOUNT, text_of("+12125550120")));
    assert_int_equal(OPS(w)->unsuppress(w->s, &w->by, STORE_ACCOUNT, text_of("+12125550120")),
                     STORE_NOT_FOUND);
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 1);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_allow);
}

static void bad_numbers_are_not_suppressed(void **state)
{
    struct world *w = *state;
    struct msg_suppress dnc = {.account = STORE_ACCOUNT, .number = text_of("300&PJSIP/evil")};

    assert_int_equal(OPS(w)->suppress(w->s, &dnc, 1), STORE_INVALID);
    assert_non_null(strstr(w->s->error, "300&PJSIP/evil"));
}

static int64_t recycle(struct world *w, int64_t now, uint32_t expect)
{
    struct msg_recycle r = {
        .campaign = w->campaign, .epoch = w->epoch, .max_attempts = 3, .at_wall_ms = now};
    struct msg_recycled out;

    store_good(w->s, OPS(w)->lease_renew(w->s, now));
    store_good(w->s, OPS(w)->recycle(w->s, &r, &out));
    assert_int_equal(out.rows, expect);
    return out.next_wall_ms;
}

static void retry_interval_counts_from_the_end(void **state)
{
    struct world *w = *state;
    int64_t end = WORLD_NOW + 90 * 1000;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, end);
    m.due_wall_ms = end + MINUTE; /* too early: the claim must hold it back all the same */
    end_attempt(w, &m);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_FAILED);
    assert_int_equal(recycle(w, end + MINUTE - 1, 0), end + MINUTE);
    recycle(w, end + MINUTE, 1);
    assert_int_equal(world_claim_one(w, row, end + MINUTE, &c), REASON_retry_interval);
    assert_int_equal(c.due_wall_ms, end + 300000);
    assert_int_equal(recycle(w, end + 299999, 0), end + 300000);
    recycle(w, end + 300000, 1);
    assert_int_equal(world_claim_one(w, row, end + 300000, &c), REASON_allow);
    assert_int_equal(c.attempt_no, 2);
}

static void agent_may_call_sooner(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claim req;
    struct msg_claimed c;
    uint64_t row, lead;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = claim_good(w, row, WORLD_NOW);
    lead = c.lead;
    req = world_claim(w, 0, WORLD_NOW);
    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.lead = lead;
    /* not while the first one lives */
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_row_not_pending);
    end_attempt(w, &m);
    req.at_wall_ms = WORLD_NOW + 2000;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    assert_int_equal(c.lead, lead);
    assert_int_equal(c.row, row);
    assert_int_equal(c.matches, 1);
    assert_int_equal(c.attempt_no, 2);
}

static void attempts_and_daily_limit(void **state)
{
    struct world *w = *state;
    int64_t now = WORLD_NOW;
    struct msg_claimed c;
    struct msg_claim req;
    uint64_t row, lead = 0;
    int i;

    world_leads(w, 1);
    world_rows(w, now, &row, 1);
    for (i = 0; i < 3; i++) {
        struct msg_attempt_over m;
        store_good(w->s, OPS(w)->lease_renew(w->s, now));
        c = claim_good(w, row, now);
        lead = c.lead;
        m = world_over(w, &c, OUTCOME_BUSY, now + 10000);
        end_attempt(w, &m);
        assert_int_equal(lead_of(w, lead).attempts, i + 1);
        now += 10000 + 300000;
        recycle(w, now, i < 2 ? 1 : 0);
    }
    /* under a higher limit of attempts the day's limit for the number holds */
    {
        struct msg_recycle r = {
            .campaign = w->campaign, .epoch = w->epoch, .max_attempts = 9, .at_wall_ms = now};
        struct msg_recycled out;
        char why[200];
        struct text key = text_of("max_attempts"), nine = text_of("9");
        assert_int_equal(
            store_set(w->s, &w->by, KIND_CAMPAIGN, w->campaign, &key, &nine, 1, why, sizeof why),
            STORE_OK);
        store_good(w->s, OPS(w)->recycle(w->s, &r, &out));
        assert_int_equal(out.rows, 1);
        req = world_claim(w, row, now);
        req.max_attempts = 9;
        store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
        assert_int_equal(c.reason, REASON_number_daily_limit);
        assert_int_equal(c.due_wall_ms, WORLD_NOW + INT64_C(86400000));
        r.at_wall_ms = c.due_wall_ms;
        store_good(w->s, OPS(w)->lease_renew(w->s, c.due_wall_ms));
        store_good(w->s, OPS(w)->recycle(w->s, &r, &out));
        assert_int_equal(out.rows, 1);
        req.at_wall_ms = r.at_wall_ms;
        store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
        assert_int_equal(c.reason, REASON_allow);
    }
}

static void attempts_used_is_refused(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    struct msg_claim req;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW);
    end_attempt(w, &m);
    recycle(w, WORLD_NOW + 300000, 1);
    req = world_claim(w, row, WORLD_NOW + 300000);
    req.max_attempts = 1;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_attempts_used);
    assert_int_equal(world_rows(w, WORLD_NOW + 300000, &row, 1), 0);
    assert_int_equal(recycle(w, WORLD_NOW + 600000, 0), 0);
}

static void never_sent_costs_nothing(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW + 100);
    m.counts = false;
    m.row_status = ROW_PENDING;
    m.due_wall_ms = 0;
    end_attempt(w, &m);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_PENDING);
    assert_int_equal(lead_of(w, c.lead).attempts, 0);
    c = claim_good(w, row, WORLD_NOW + 200);
    assert_int_equal(c.attempt_no, 2);
}

static void stopped_list_is_not_dialed(void **state)
{
    struct world *w = *state;
    struct text key = text_of("active"), off = text_of("off"), on = text_of("on");
    char why[200];
    uint64_t row, none;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    assert_int_equal(store_set(w->s, &w->by, 0, w->list, &key, &off, 1, why, sizeof why), STORE_OK);
    assert_int_equal(world_rows(w, WORLD_NOW, &none, 1), 0);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_list_stopped);
    assert_int_equal(store_set(w->s, &w->by, 0, w->list, &key, &on, 1, why, sizeof why), STORE_OK);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_allow);
}

/* --- manual calls ----------------------------------------------------------------------------- */

static unsigned manual(struct world *w, const char *number, int64_t now, struct msg_claimed *out)
{
    struct msg_claim req = world_claim(w, 0, now);

    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = text_of(number);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, out));
    return out->reason;
}

static void manual_number_finds_its_lead(void **state)
{
    struct world *w = *state;
    struct msg_claimed c;
    uint64_t leads[4];
    size_t n = 4;

    world_leads(w, 3);
    assert_int_equal(manual(w, "+12125550121", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 1);
    assert_true(same(c.name, "Test Person"));
    assert_int_equal(lead_of(w, c.lead).list, w->list);
    /* by its last ten digits */
    store_good(w->s, OPS(w)->lead_match(w->s, w->campaign, text_of("+9992125550122"), leads, &n));
    assert_int_equal(n, 1);
    assert_int_equal(manual(w, "+9992125550122", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.lead, leads[0]);
    assert_true(same(c.number, "+12125550122"));
}

static void several_matches_show_nobody(void **state)
{
    struct world *w = *state;
    struct store_list l = {.name = {"again", 5}, .campaign = 0, .priority = 2, .active = true};
    struct world second = *w;
    struct msg_claimed c;

    world_leads(w, 1);
    l.campaign = w->campaign;
    store_good(w->s, OPS(w)->list_add(w->s, &w->by, &l, &second.list));
    world_leads(&second, 1);
    assert_int_equal(manual(w, "+12125550120", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 2);
    assert_int_equal(c.name.len, 0);
    assert_int_equal(c.fields.len, 0);
}

static void manual_number_gets_a_lead(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t lead, row;

    assert_int_equal(manual(w, "+442079460123", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 0);
    lead = c.lead;
    assert_true(lead > 0);
    assert_true(lead_of(w, lead).list != w->list);
    assert_true(same(lead_of(w, lead).lead.number, "+442079460123"));
    assert_int_equal(manual(w, "+442079460123", WORLD_NOW, &c), REASON_row_not_pending);
    /* never dialed automatically */
    assert_int_equal(manual(w, "+442079460124", WORLD_NOW, &c), REASON_allow);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW);
    m.row_status = ROW_PENDING;
    m.due_wall_ms = 0;
    end_attempt(w, &m);
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 0);
    if (!fixture->clock)
        assert_int_equal(world_claim_one(w, c.row, WORLD_NOW + 400000, NULL), REASON_fenced);
    store_good(w->s, OPS(w)->lease_renew(w->s, WORLD_NOW + 400000));
    assert_int_equal(world_claim_one(w, c.row, WORLD_NOW + 400000, NULL), REASON_list_stopped);
}

static void manual_rubbish_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "300",
                                      "300&PJSIP/1000",
                                      "+1212555o123",
                                      "+0212555012",
                                      "+12125550123456789012345678901234567890",
                                      "2125550123"};
    struct world *w = *state;
    struct msg_claimed c;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(manual(w, bad[i], WORLD_NOW, &c), REASON_bad_number);
}

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

static struct msg_claimed talk(struct world *w, uint64_t row, int64_t now)
{
    static const uint8_t states[] = {ATTEMPT_ORIGINATING, ATTEMPT_RINGING, ATTEMPT_ANSWERED,
                                     ATTEMPT_BRIDGING, ATTEMPT_BRIDGED};
    struct msg_claimed c = claim_good(w, row, now);
    size_t i;

    for (i = 0; i < 5; i++) {
        struct msg_attempt_moved m = {.campaign = w->campaign,
                                      .attempt = c.attempt,
                                      .row = row,
                                      .state = states[i],
                                      .agent = i >= 3 ? w->agent : 0,
                                      .at_wall_ms = now + 1000 * (int64_t)i};
        store_good(w->s, OPS(w)->attempt_moved(w->s, &m, 1));
        store_good(w->s, OPS(w)->attempt_moved(w->s, &m, 1));
    }
    return c;
}

static void call_from_claim_to_end(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = talk(w, row, WORLD_NOW);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_ANSWERED);
    m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    m.answered_wall_ms = WORLD_NOW + 2000;
    m.bridged_wall_ms = WORLD_NOW + 4000;
    m.cause = 16;
    end_attempt(w, &m);
    end_attempt(w, &m); /* told twice: nothing is doubled */
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_COMPLETED);
    assert_int_equal(lead_of(w, c.lead).attempts, 1);
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

static void end_of_an_unknown_attempt(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m = {.campaign = w->campaign, .attempt = text_of("att-unknown")};
    uint8_t result = 0;

    store_good(w->s, OPS(w)->attempt_over(w->s, &m, 1, &result));
    assert_int_equal(result, RESULT_NOT_FOUND);
}

static void late_end_leaves_the_next_attempt_alone(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed first, second;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    first = claim_good(w, row, WORLD_NOW);
    m = world_over(w, &first, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    end_attempt(w, &m);
    recycle(w, WORLD_NOW + 301000, 1);
    second = claim_good(w, row, WORLD_NOW + 301000);
    end_attempt(w, &m);
    assert_int_equal(lead_of(w, second.lead).row_status, ROW_DIALING);
    assert_int_equal(lead_of(w, second.lead).attempts, 1);
}

static int take_leg(void *ctx, const struct store_leg *leg)
{
    assert_true(same(leg->endpoint, "PJSIP/anna"));
    assert_int_equal(leg->claimed_ms, WORLD_NOW);
    assert_int_equal(leg->answered_ms, WORLD_NOW + 1);
    assert_int_equal(leg->ended_ms, WORLD_NOW + 9);
    ++*(int *)ctx;
    return 0;
}

/* Whoever adds to the port adds to each of its implementations. */
static void nothing_is_missing(void **state)
{
    struct world *w = *state;
    void (*op)(void);
    size_t i;

    for (i = 0; i < sizeof *w->s->ops / sizeof op; i++) {
        memcpy(&op, (const char *)w->s->ops + i * sizeof op, sizeof op);
        assert_true(op != NULL);
    }
}

static void legs(void **state)
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
    end_attempt(w, &m);
    return c;
}

static void disposed_by_its_agent_only(void **state)
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
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_COMPLETED);
    assert_true(lead_of(w, c.lead).final);
    assert_int_equal(lead_of(w, c.lead).attempts, 1);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_DISPOSED);
    assert_int_equal(one_call.disposed_ms, WORLD_NOW + 61000);
}

static void disposition_recycles(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "no_answer", 0, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_FAILED);
    assert_false(lead_of(w, c.lead).final);
    assert_int_equal(lead_of(w, c.lead).due_wall_ms, WORLD_NOW + 370000);
    assert_true(same(lead_of(w, c.lead).cause, "no_answer"));
}

static void disposition_suppresses(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "dnc", 0, WORLD_NOW + 70000, &d), RESULT_OK);
    assert_true(same(d.suppressed, "+12125550120"));
    if (!fixture->clock)
        assert_int_equal(manual(w, "+12125550120", WORLD_NOW + 80000, &c), REASON_fenced);
    store_good(w->s, OPS(w)->lease_renew(w->s, WORLD_NOW + 80000));
    assert_int_equal(manual(w, "+12125550120", WORLD_NOW + 80000, &c), REASON_do_not_call);
}

static void callback_goes_first_and_past_the_attempts(void **state)
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
    assert_int_equal(lead_of(w, lead).due_wall_ms, due);
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, 0, WORLD_NOW, &fresh, 1, &count));
    assert_int_equal(recycle(w, due - 1, 0), due);
    recycle(w, due, 1);
    assert_int_equal(world_rows(w, due, rows, 3), 2);
    assert_int_equal(rows[0], row);
    req = world_claim(w, row, due);
    req.max_attempts = 1;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
}

static void disposition_before_the_end_is_kept(void **state)
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
    m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 10000);
    m.row_status = ROW_FAILED;
    end_attempt(w, &m);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_COMPLETED);
    assert_true(lead_of(w, c.lead).final);
    assert_int_equal(lead_of(w, c.lead).attempts, 1);
    read_call(w, c.lead, 1);
    assert_int_equal(one_call.state, ATTEMPT_DISPOSED);
    assert_int_equal(one_call.ended_ms, WORLD_NOW + 10000);
}

static void not_disposed_may_still_be_disposed(void **state)
{
    struct world *w = *state;
    struct msg_claimed c = talked(w, WORLD_NOW + 60000);
    struct msg_disposed d;

    assert_int_equal(dispose(w, c.attempt, w->agent, "not_disposed", 0, WORLD_NOW + 70000, &d),
                     RESULT_OK);
    assert_int_equal(lead_of(w, c.lead).due_wall_ms, WORLD_NOW + 70000 + 86400000);
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 90000, &d), RESULT_OK);
    assert_true(lead_of(w, c.lead).final);
    assert_int_equal(lead_of(w, c.lead).attempts, 1);
    /* a time-out that comes late does not undo it */
    assert_int_equal(dispose(w, c.attempt, w->agent, "not_disposed", 0, WORLD_NOW + 99000, &d),
                     RESULT_CONFLICT);
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
static void a_supervisor_corrects(void **state)
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
    assert_false(lead_of(w, c.lead).final);
    assert_int_equal(lead_of(w, c.lead).row_status, ROW_FAILED);
    assert_int_equal(lead_of(w, c.lead).attempts, 1);
    /* the agent's word does not undo the supervisor's */
    assert_int_equal(dispose(w, c.attempt, w->agent, "sale", 0, WORLD_NOW + 64000, &d),
                     RESULT_CONFLICT);
    assert_int_equal(correct(w, c.attempt, "dnc", WORLD_NOW + 65000, &k), RESULT_OK);
    assert_int_equal(k.lines, 2);
    assert_true(lead_of(w, c.lead).final);
}

/* --- queue ------------------------------------------------------------------------------------ */

static void queue_order(void **state)
{
    struct world *w = *state;
    struct store_list l = {.name = {"urgent", 6}, .priority = 1, .active = true};
    struct store_lead d[3] = {{.number = text_of("+12125550101"), .priority = 60},
                              {.number = text_of("+12125550102"), .priority = 10},
                              {.number = text_of("+12125550103"), .priority = 10}};
    struct store_import_count count = {0};
    struct text key = text_of("priority"), five = text_of("5");
    char why[200];
    uint64_t rows[8], urgent;
    size_t i;

    world_leads(w, 1); /* priority 50 */
    assert_int_equal(store_set(w->s, &w->by, 0, w->list, &key, &five, 1, why, sizeof why),
                     STORE_OK);
    l.campaign = w->campaign;
    store_good(w->s, OPS(w)->list_add(w->s, &w->by, &l, &urgent));
    store_good(w->s, OPS(w)->leads_insert(w->s, urgent, 0, WORLD_NOW, d, 3, &count));
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 8), 4);
    for (i = 0; i < 4; i++) {
        static const char *const want[] = {"+12125550102", "+12125550103", "+12125550101",
                                           "+12125550120"};
        struct msg_claimed c = claim_good(w, rows[i], WORLD_NOW);
        assert_true(same(c.number, want[i]));
    }
}

static void candidates_say_when_more_will_come(void **state)
{
    struct world *w = *state;
    struct msg_candidates req = {.campaign = w->campaign, .limit = 10, .at_wall_ms = WORLD_NOW};
    struct msg_candidates_end end;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t rows[10];
    size_t n = 10;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, rows, 1);
    c = claim_good(w, rows[0], WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW);
    m.row_status = ROW_PENDING;
    m.due_wall_ms = WORLD_NOW + 5000;
    m.counts = false;
    end_attempt(w, &m);
    store_good(w->s, OPS(w)->candidates(w->s, &req, rows, &n, &end));
    assert_int_equal(n, 0);
    assert_int_equal(end.next_wall_ms, WORLD_NOW + 5000);
    assert_int_equal(world_claim_one(w, m.row, WORLD_NOW, &c), REASON_not_due);
    assert_int_equal(c.due_wall_ms, WORLD_NOW + 5000);
}

static void abandoned_from_the_record(void **state)
{
    struct world *w = *state;
    struct msg_abandon_window win;
    uint64_t rows[4];
    int i;

    world_leads(w, 4);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 4);
    for (i = 0; i < 4; i++) {
        struct msg_claimed c = claim_good(w, rows[i], WORLD_NOW);
        struct msg_attempt_over m =
            world_over(w, &c, i == 0 ? OUTCOME_ABANDONED : OUTCOME_ANSWERED, WORLD_NOW + 30000);
        m.answered_wall_ms = i == 3 ? 0 : WORLD_NOW + i * 1000;
        if (i == 3)
            m.outcome = OUTCOME_BUSY;
        end_attempt(w, &m);
    }
    store_good(w->s,
               OPS(w)->abandon_window(w->s, w->campaign, WORLD_NOW + 500, WORLD_NOW + 60000, &win));
    assert_int_equal(win.answers_30d, 3);
    assert_int_equal(win.abandoned_30d, 1);
    assert_int_equal(win.answers_day, 2);
    assert_int_equal(win.abandoned_day, 0);
}

int conformance_run(const char *name, const struct fixture *f, const struct CMUnitTest *more,
                    size_t n_more)
{
#define CASE(test)                                                                                 \
    {                                                                                              \
#test, test, setup, teardown, NULL                                                         \
    }
    static const struct CMUnitTest claims[] = {
        CASE(claim_commits_what_is_needed_to_dial),
        CASE(batch_keeps_its_order_and_refuses_by_item),
        CASE(repeated_claim_answers_the_same),
        CASE(number_alive_in_another_campaign),
        CASE(lease_fences),
        CASE(do_not_call_refuses_and_takes_the_row_out),
        CASE(bad_numbers_are_not_suppressed),
        CASE(retry_interval_counts_from_the_end),
        CASE(agent_may_call_sooner),
        CASE(attempts_and_daily_limit),
        CASE(attempts_used_is_refused),
        CASE(never_sent_costs_nothing),
        CASE(stopped_list_is_not_dialed),
        CASE(manual_number_finds_its_lead),
        CASE(several_matches_show_nobody),
        CASE(manual_number_gets_a_lead),
        CASE(manual_rubbish_is_refused),
        CASE(call_from_claim_to_end),
        CASE(end_of_an_unknown_attempt),
        CASE(late_end_leaves_the_next_attempt_alone),
        CASE(legs),
        CASE(nothing_is_missing),
        CASE(disposed_by_its_agent_only),
        CASE(disposition_recycles),
        CASE(disposition_suppresses),
        CASE(callback_goes_first_and_past_the_attempts),
        CASE(disposition_before_the_end_is_kept),
        CASE(not_disposed_may_still_be_disposed),
        CASE(a_supervisor_corrects),
        CASE(queue_order),
        CASE(candidates_say_when_more_will_come),
        CASE(abandoned_from_the_record),
        CONFORMANCE_MORE(CASE),
    };

    struct CMUnitTest all[sizeof claims / sizeof *claims + 32];
    size_t n = sizeof claims / sizeof *claims;

    memcpy(all, claims, sizeof claims);
    memcpy(all + n, more, n_more * sizeof *more);
    fixture = f;
    conformance_more_fixture(f);
    return _cmocka_run_group_tests(name, all, n + n_more, NULL, NULL);
}
