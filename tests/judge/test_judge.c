/* test_judge.c - the judge, on histories made by hand: for each invariant one that keeps it and one
 * that breaks it. A history that is right is told first; each test then spoils one thing. What
 * happens once somebody has answered (I6, I7) is in test_answers.c. */
#include "tests/judge/tale.h"

static void test_nothing_is_wrong(void **state)
{
    struct tale t = good();

    (void)state;
    finds(&t, 0, 0);
    assert_int_equal(t.v.calls, 1);
    assert_int_equal(t.v.answered, 1);
    assert_int_equal(t.v.bridged, 1);
    assert_int_equal(t.v.acked, 1);
    assert_int_equal(t.v.breaches + t.v.lost + t.v.stuck + t.v.dialed_twice + t.v.two_calls, 0);
}

/* --- I1 ------------------------------------------------------------------------------------------
 */

static void test_a_lead_is_lost(void **state)
{
    const struct judge_attempt r = row(CALL);
    struct judge_lead l = lead(2, ROW_FAILED);
    struct tale t = begin();

    (void)state;
    talk(&t, CALL);
    judge_attempt(t.j, &r);
    l.due_ms = 0; /* nobody will ever dial it again */
    judge_lead(t.j, &l);
    l = lead(1, ROW_COMPLETED);
    judge_lead(t.j, &l);
    see(&t, 100, JUDGE_END, LEG, "us");
    judge_leg(t.j, &(struct judge_leg){.id = LEG, .agent = 7, .ended_ms = ms(100)});
    finds(&t, 1, 1);
    assert_int_equal(t.v.lost, 1);
}

static void test_a_lead_is_missing(void **state)
{
    struct tale t = {.j = judge_open(&(struct judge_options){.imported = 2})};

    (void)state;
    judge_lead(t.j, &(struct judge_lead){.lead = 2, .number = "+12125550102", .rows = 1});
    finds(&t, 1, 1);
}

/* --- I2 ------------------------------------------------------------------------------------------
 */

static struct tale dialed_again(double at, unsigned cause)
{
    struct judge_attempt r = row(AGAIN);
    struct tale t = good();

    r.attempt_no = 2;
    r.cause = (uint8_t)cause;
    r.state = ATTEMPT_ENDED;
    r.outcome = OUTCOME_BUSY;
    r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
    r.disposition = "";
    r.claimed_ms = ms(at - 0.1);
    r.ended_ms = ms(at + 5);
    judge_attempt(t.j, &r);
    see(&t, at, JUDGE_ORIGINATE, AGAIN, NUMBER);
    see_as(&t, at + 5, JUDGE_END, false, AGAIN, "final");
    return t;
}

static void test_dialed_twice(void **state)
{
    struct tale t = dialed_again(359, CAUSE_AUTO); /* 299 s after the end */

    (void)state;
    finds(&t, 2, 1);
    assert_int_equal(t.v.dialed_twice, 1);
    t = dialed_again(361, CAUSE_AUTO);
    finds(&t, 0, 0);
    t = dialed_again(100, CAUSE_AGENT); /* a person may */
    finds(&t, 0, 0);
    t = dialed_again(30, CAUSE_AGENT); /* but not while the first lives */
    finds(&t, 5, 1);
    t = good();
    see(&t, 2, JUDGE_ORIGINATE, CALL, NUMBER);
    finds(&t, 2, 1);
}

/* --- I3 ------------------------------------------------------------------------------------------
 */

static void test_stuck(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.live = true;
    r.state = ATTEMPT_RINGING;
    t = told(&r);
    finds(&t, 3, 1);
    assert_int_equal(t.v.stuck, 1);
}

static void test_seen_without_a_row(void **state)
{
    struct tale t = good();

    (void)state;
    see(&t, 10, JUDGE_ORIGINATE, OTHER, "+12125550103");
    see(&t, 20, JUDGE_END, OTHER, "far");
    finds(&t, 3, 1);
}

static void test_a_row_of_a_call_that_nobody_saw(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    finds(&t, 3, 1);
}

static void test_an_agent_is_stuck(void **state)
{
    struct tale t = good();

    (void)state;
    judge_agent(t.j, &(struct judge_agent){.agent = 8, .state = AGENT_BUSY});
    finds(&t, 3, 1);
}

/* --- I4 ------------------------------------------------------------------------------------------
 */

static void test_a_stale_owner(void **state)
{
    struct judge_attempt r = row(STALE);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    r.epoch = 0;
    r.outcome = OUTCOME_BUSY;
    r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
    r.claimed_ms = ms(10);
    judge_attempt(t.j, &r);
    see(&t, 10.1, JUDGE_ORIGINATE, STALE, "+12125550102");
    see_as(&t, 12, JUDGE_END, false, STALE, "final");
    finds(&t, 4, 2); /* the claim and the call */
}

/* --- I5 ------------------------------------------------------------------------------------------
 */

static void test_not_allowed(void **state)
{
    struct tale t = good();

    (void)state;
    judge_suppressed(t.j, &(struct judge_suppressed){.number = NUMBER, .at_ms = ms(0.5)});
    finds(&t, 5, 1);
    t = good();
    judge_suppressed(t.j, &(struct judge_suppressed){.number = NUMBER, .at_ms = ms(70)});
    finds(&t, 0, 0);
    t = good();
    judge_campaign(t.j, &(struct judge_campaign){.campaign = 1, .prefixes = "+44"});
    finds(&t, 5, 1);
    t = good(); /* 1970-01-01 00:00:02 UTC is 19:00 in New York */
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .from_min = 540, .to_min = 1140});
    finds(&t, 5, 1);
    t = good();
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .from_min = 540, .to_min = 1141});
    finds(&t, 0, 0);
}

/* --- I8, I9, I10
 * ---------------------------------------------------------------------------------- */

static void test_a_disposition_is_lost(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.disposition = "";
    r.disposed_ms = 0;
    r.dispositions = 0;
    t = told(&r);
    decide(&t);
    assert_int_equal(t.v.broken[8], 1);
    assert_int_equal(t.v.stuck, 1); /* and it waits for ever */
    r.disposition = "dnc";
    r.disposed_ms = ms(71);
    t = told(&r);
    finds(&t, 8, 1);
    r = row(CALL);
    r.dispositions = 2;
    t = told(&r);
    finds(&t, 8, 1);
}

static void test_a_page_shows_something_else(void **state)
{
    struct tale t = good();

    (void)state;
    agent(&t, 110, JUDGE_TOLD, NULL, "busy");
    finds(&t, 9, 1);
    t = good();
    agent(&t, 110, JUDGE_TOLD, NULL, "busy");
    agent(&t, 111, JUDGE_GONE, NULL, NULL);
    finds(&t, 0, 0);
    t = good();
    agent(&t, 10, JUDGE_GAP, NULL, "after 7, has 5");
    finds(&t, 9, 1);
}

static void test_a_bound_is_passed(void **state)
{
    struct tale t = good();

    (void)state;
    see(&t, 10, JUDGE_LIMIT, NULL, "memory of dialerd");
    finds(&t, 10, 1);
}

/* Which fault a call met: one lived through the first, one of unknown fate belongs to the second.
 */
static void test_what_became_of_the_calls_at_each_fault(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct judge_fault faults[4];
    struct tale t = good();

    (void)state;
    see(&t, 20, JUDGE_FAULT, NULL, "claim_before");
    see(&t, 21, JUDGE_RECOVERED, NULL, "claim_before");
    see(&t, 65, JUDGE_FAULT, NULL, "claim_after");
    see(&t, 66, JUDGE_RECOVERED, NULL, "claim_after");
    see(&t, 80, JUDGE_FAULT, NULL, "claim_before");
    see(&t, 81, JUDGE_RECOVERED, NULL, "claim_before");
    r.number = "+12125550102";
    r.lead = 2;
    r.agent = 0;
    r.outcome = OUTCOME_UNKNOWN;
    r.state = ATTEMPT_UNKNOWN;
    r.originated_ms = r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
    r.dispositions = 0;
    r.disposition = "";
    r.claimed_ms = ms(64.9);
    r.ended_ms = ms(66.5);
    judge_attempt(t.j, &r);
    see(&t, 80.5, JUDGE_LIMIT, NULL, "memory");
    assert_int_equal(judge_decide(t.j, &t.v), 1);
    assert_int_equal(judge_faults(t.j, faults, 4), 2);
    assert_string_equal(faults[0].text, "claim_before");
    assert_int_equal(faults[0].times, 2);
    assert_int_equal(faults[0].adopted, 1);
    assert_int_equal(faults[0].unknown, 0);
    assert_int_equal(faults[0].broken, 1);
    assert_string_equal(faults[1].text, "claim_after");
    assert_int_equal(faults[1].times, 1);
    assert_int_equal(faults[1].adopted, 0);
    assert_int_equal(faults[1].unknown, 1);
    assert_int_equal(faults[1].broken, 0);
    judge_close(t.j);
}

/* The first finding comes with everything about its call. */
static void test_the_first_is_told_with_its_history(void **state)
{
    struct tale t = dialed_again(100, CAUSE_AUTO);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    assert_int_equal(judge_decide(t.j, &t.v), 1);
    judge_tell(t.j, out);
    fclose(out);
    judge_close(t.j);
    assert_non_null(strstr(text, "I2: dialed again 40.0 s after the end of " CALL));
    assert_non_null(strstr(text, "originate " CALL));
    assert_non_null(strstr(text, "enter " CALL));
    assert_non_null(strstr(text, "originate " AGAIN));
    assert_non_null(strstr(text, "attempt " AGAIN));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_wrong),
        cmocka_unit_test(test_a_lead_is_lost),
        cmocka_unit_test(test_a_lead_is_missing),
        cmocka_unit_test(test_dialed_twice),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_seen_without_a_row),
        cmocka_unit_test(test_a_row_of_a_call_that_nobody_saw),
        cmocka_unit_test(test_an_agent_is_stuck),
        cmocka_unit_test(test_a_stale_owner),
        cmocka_unit_test(test_not_allowed),
        cmocka_unit_test(test_a_disposition_is_lost),
        cmocka_unit_test(test_a_page_shows_something_else),
        cmocka_unit_test(test_a_bound_is_passed),
        cmocka_unit_test(test_what_became_of_the_calls_at_each_fault),
        cmocka_unit_test(test_the_first_is_told_with_its_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
