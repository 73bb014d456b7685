/* conformance.c - claims, manual calls and the queue: the same for every store; runs all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/store/conformance_calls.h"
#include "tests/store/conformance_more.h"
#include "tests/store/conformance_schema.h"

static const struct fixture *fixture;

static int setup(void **state)
{
    static struct world w;

    world_make(&w, world_open(fixture, "test-1"));
    w.clock = fixture->clock;
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

/* --- claims ----------------------------------------------------------------------------------- */

static void claim_commits_what_is_needed_to_dial(void **state)
{
    struct world *w = *state;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    assert_int_equal(world_rows(w, WORLD_NOW, &row, 1), 1);
    c = world_claim_good(w, row, WORLD_NOW);
    assert_true(text_is(c.number, "+12125550120"));
    assert_true(text_is(c.name, "Test Person"));
    assert_true(text_is(c.fields, "{\"city\":\"Anytown\"}"));
    assert_int_equal(c.row, row);
    assert_int_equal(c.attempt_no, 1);
    assert_int_equal(c.permit, 0);
    assert_false(c.own_zone);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_DIALING);
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
    assert_true(text_is(b.number, "+12125550120"));
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
    first = world_claim_good(w, row, WORLD_NOW);
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
        world_end(w, &m);
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
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_FAILED);
    assert_true(world_lead(w, c.lead).final);
    assert_true(text_is(world_lead(w, c.lead).cause, "do_not_call"));
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

static void retry_interval_counts_from_the_end(void **state)
{
    struct world *w = *state;
    int64_t end = WORLD_NOW + 90 * 1000;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = world_claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, end);
    m.due_wall_ms = end + MINUTE; /* too early: the claim must hold it back all the same */
    world_end(w, &m);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_FAILED);
    assert_int_equal(world_recycle(w, end + MINUTE - 1, 0), end + MINUTE);
    world_recycle(w, end + MINUTE, 1);
    assert_int_equal(world_claim_one(w, row, end + MINUTE, &c), REASON_retry_interval);
    assert_int_equal(c.due_wall_ms, end + 300000);
    assert_int_equal(world_recycle(w, end + 299999, 0), end + 300000);
    world_recycle(w, end + 300000, 1);
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
    c = world_claim_good(w, row, WORLD_NOW);
    lead = c.lead;
    req = world_claim(w, 0, WORLD_NOW);
    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.lead = lead;
    /* not while the first one lives */
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_row_not_pending);
    world_end(w, &m);
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
        c = world_claim_good(w, row, now);
        lead = c.lead;
        m = world_over(w, &c, OUTCOME_BUSY, now + 10000);
        world_end(w, &m);
        assert_int_equal(world_lead(w, lead).attempts, i + 1);
        now += 10000 + 300000;
        world_recycle(w, now, i < 2 ? 1 : 0);
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
    c = world_claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW);
    world_end(w, &m);
    world_recycle(w, WORLD_NOW + 300000, 1);
    req = world_claim(w, row, WORLD_NOW + 300000);
    req.max_attempts = 1;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_attempts_used);
    assert_int_equal(world_rows(w, WORLD_NOW + 300000, &row, 1), 0);
    assert_int_equal(world_recycle(w, WORLD_NOW + 600000, 0), 0);
}

static void never_sent_costs_nothing(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    c = world_claim_good(w, row, WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW + 100);
    m.counts = false;
    m.due_wall_ms = 0;
    world_end(w, &m);
    assert_int_equal(world_lead(w, c.lead).row_status, ROW_PENDING);
    assert_int_equal(world_lead(w, c.lead).attempts, 0);
    c = world_claim_good(w, row, WORLD_NOW + 200);
    assert_int_equal(c.attempt_no, 2);
}

static void stopped_list_is_not_dialed(void **state)
{
    struct world *w = *state;
    struct text key = text_of("active"), off = text_of("off"), on = text_of("on");
    char why[200];
    uint64_t row, none;
    struct msg_claim req;
    struct msg_claimed c;
    struct msg_attempt_over m;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    assert_int_equal(store_set(w->s, &w->by, 0, w->list, &key, &off, 1, why, sizeof why), STORE_OK);
    assert_int_equal(world_rows(w, WORLD_NOW, &none, 1), 0);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_list_stopped);
    /* but an agent may call one of its people */
    req = world_claim(w, 0, WORLD_NOW);
    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = world_number(0);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    assert_int_equal(c.row, row);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW);
    m.due_wall_ms = 0;
    world_end(w, &m);
    assert_int_equal(store_set(w->s, &w->by, 0, w->list, &key, &on, 1, why, sizeof why), STORE_OK);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, NULL), REASON_allow);
}

/* --- manual calls ----------------------------------------------------------------------------- */

static void manual_number_finds_its_lead(void **state)
{
    struct world *w = *state;
    struct msg_claimed c;
    uint64_t leads[4];
    size_t n = 4;

    world_leads(w, 3);
    assert_int_equal(world_manual(w, "+12125550121", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 1);
    assert_true(text_is(c.name, "Test Person"));
    assert_int_equal(world_lead(w, c.lead).list, w->list);
    /* by its last ten digits */
    store_good(w->s, OPS(w)->lead_match(w->s, w->campaign, text_of("+9992125550122"), leads, &n));
    assert_int_equal(n, 1);
    assert_int_equal(world_manual(w, "+9992125550122", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.lead, leads[0]);
    /* that is whose card is shown; called is who was typed */
    assert_true(text_is(c.number, "+9992125550122"));
}

static void manual_number_gets_a_lead(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t lead, row;

    assert_int_equal(world_manual(w, "+442079460123", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 0);
    lead = c.lead;
    assert_true(lead > 0);
    assert_true(world_lead(w, lead).list != w->list);
    assert_true(text_is(world_lead(w, lead).lead.number, "+442079460123"));
    assert_int_equal(world_manual(w, "+442079460123", WORLD_NOW, &c), REASON_row_not_pending);
    /* never dialed automatically */
    assert_int_equal(world_manual(w, "+442079460124", WORLD_NOW, &c), REASON_allow);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW);
    m.due_wall_ms = 0;
    world_end(w, &m);
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
        assert_int_equal(world_manual(w, bad[i], WORLD_NOW, &c), REASON_bad_number);
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
        struct msg_claimed c = world_claim_good(w, rows[i], WORLD_NOW);
        assert_true(text_is(c.number, want[i]));
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
    c = world_claim_good(w, rows[0], WORLD_NOW);
    m = world_over(w, &c, OUTCOME_NEVER_SENT, WORLD_NOW);
    m.due_wall_ms = WORLD_NOW + 5000;
    m.counts = false;
    world_end(w, &m);
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
    struct msg_attempt_moved shown = {.state = ATTEMPT_PREVIEW, .at_wall_ms = WORLD_NOW};
    struct msg_claim req;
    struct msg_claimed c;
    struct msg_attempt_over m;
    uint64_t rows[4];
    int i;

    world_leads(w, 6);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 4);
    for (i = 0; i < 4; i++) {
        c = world_claim_good(w, rows[i], WORLD_NOW);
        m = world_over(w, &c, i == 0 ? OUTCOME_ABANDONED : OUTCOME_ANSWERED, WORLD_NOW + 30000);
        m.answered_wall_ms = i == 3 ? 0 : WORLD_NOW + i * 1000;
        if (i == 3)
            m.outcome = OUTCOME_BUSY;
        world_end(w, &m);
    }
    store_good(w->s,
               OPS(w)->abandon_window(w->s, w->campaign, WORLD_NOW + 500, WORLD_NOW + 60000, &win));
    assert_int_equal(win.answers_30d, 3);
    assert_int_equal(win.abandoned_30d, 1);
    assert_int_equal(win.answers_day, 2);
    assert_int_equal(win.abandoned_day, 0);
    req = world_claim(w, 0, WORLD_NOW); /* an agent's own call counts for nothing */
    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = world_number(4);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    m = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    m.answered_wall_ms = WORLD_NOW + 50000;
    world_end(w, &m);
    /* nor a call that an agent has looked at first */
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 1), 1);
    c = world_claim_good(w, rows[0], WORLD_NOW);
    shown.attempt = c.attempt;
    store_good(w->s, OPS(w)->attempt_moved(w->s, &shown, 1));
    m = world_over(w, &c, OUTCOME_ABANDONED, WORLD_NOW + 60000);
    m.answered_wall_ms = WORLD_NOW + 50000;
    world_end(w, &m);
    store_good(w->s,
               OPS(w)->abandon_window(w->s, w->campaign, WORLD_NOW + 500, WORLD_NOW + 60000, &win));
    assert_int_equal(win.answers_30d, 3);
    assert_int_equal(win.abandoned_30d, 1);
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
        CASE(manual_number_gets_a_lead),
        CASE(manual_rubbish_is_refused),
        CONFORMANCE_CALLS(CASE),
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
    conformance_schema_fixture(f);
    return _cmocka_run_group_tests(name, all, n + n_more, NULL, NULL);
}
