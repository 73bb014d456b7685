/* test_answers.c - the judge (test_judge.c) on calls that were answered: two with one agent, nobody
 * there, parted, adopted or not (I6), and whether the abandoned ones are counted (I7). */
#include "tests/judge/tale.h"

/* --- I6 ------------------------------------------------------------------------------------------
 */

static void test_two_customers_with_one_agent(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    judge_leg(t.j, &(struct judge_leg){.id = LEG2, .agent = 7, .ended_ms = ms(100)});
    see(&t, 3, JUDGE_ORIGINATE, OTHER, "+12125550102");
    see(&t, 10, JUDGE_ANSWER, OTHER, NULL);
    see(&t, 10, JUDGE_ORIGINATE, LEG2, "");
    see(&t, 11, JUDGE_ENTER, OTHER, "brg-2");
    see(&t, 11, JUDGE_ENTER, LEG2, "brg-2");
    see(&t, 50, JUDGE_END, OTHER, "far");
    see(&t, 51, JUDGE_END, LEG2, "us");
    finds(&t, 6, 1);
    assert_int_equal(t.v.two_calls, 1);
    assert_int_equal(t.v.breaches, 0);
}

static void test_two_customers_in_one_bridge(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    see(&t, 3, JUDGE_ORIGINATE, OTHER, "+12125550102");
    see(&t, 10, JUDGE_ANSWER, OTHER, NULL);
    see(&t, 11, JUDGE_ENTER, OTHER, "brg-1");
    see(&t, 12, JUDGE_LEAVE, OTHER, "brg-1");
    see(&t, 50, JUDGE_END, OTHER, "far");
    decide(&t);
    assert_true(t.v.two_calls >= 1);
}

/* The row of a call that was never joined with an agent. */
static struct judge_attempt unjoined(const char *id, unsigned outcome)
{
    struct judge_attempt r = row(id);

    r.outcome = (uint8_t)outcome;
    r.state = ATTEMPT_ENDED;
    r.agent = 0;
    r.by_agent = false;
    r.bridged_ms = r.disposed_ms = 0;
    r.dispositions = 0;
    r.disposition = NULL;
    return r;
}

/* An answer that nobody takes; `message` and `end` from the answer, 0 none. */
static struct tale nobody_within(int64_t late_us, double message, double end, bool held,
                                 unsigned outcome)
{
    struct judge_attempt r = unjoined(CALL, outcome);
    struct tale t = begin_late(late_us);

    see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
    see_as(&t, 5, JUDGE_ANSWER, held, CALL, NULL);
    if (message > 0) {
        see(&t, 5 + message, JUDGE_MESSAGE, CALL, NULL);
    }
    see_as(&t, 5 + end, JUDGE_END, message <= 0, CALL, NULL);
    judge_attempt(t.j, &r);
    at_rest(&t);
    return t;
}

static struct tale nobody(double message, double end, bool held, unsigned outcome)
{
    return nobody_within(0, message, end, held, outcome);
}

/* Who leaves just when the two seconds are over: network and daemon may each say the other thing,
 * on a machine that is allowed to be slow as on any. */
static void test_left_at_the_last_moment(void **state)
{
    (void)state;
    for (int64_t late_us = 0; late_us <= 600000; late_us += 600000) {
        struct tale t = nobody_within(late_us, 0, 2.01, true, OUTCOME_CUSTOMER_GONE);
        decide(&t);
        only(&t, late_us > 0 ? 0 : 6, late_us > 0 ? 0 : 1);          /* no word in two seconds */
        t = nobody_within(late_us, 0, 1.2, true, OUTCOME_ABANDONED); /* long before */
        decide(&t);
        only(&t, 7, 1);
    }
}

static void test_answered_and_nobody_there(void **state)
{
    struct tale t = nobody(1.9, 8, true, OUTCOME_ABANDONED);

    (void)state;
    finds(&t, 0, 0);
    assert_int_equal(t.v.abandoned, 1);
    t = nobody(2.5, 8, true, OUTCOME_ABANDONED); /* too late */
    finds(&t, 6, 1);
    t = nobody(0, 1, true, OUTCOME_CUSTOMER_GONE); /* the callee did not wait */
    finds(&t, 0, 0);
    assert_int_equal(t.v.gone, 1);
    t = nobody(0, 9, true, OUTCOME_ABANDONED); /* silence */
    finds(&t, 6, 1);
    t = nobody(1.6, 6, false, OUTCOME_ABANDONED); /* the dialplan's */
    finds(&t, 0, 0);
    assert_int_equal(t.v.nobody_home, 1);
    t = nobody(0, 9, false, OUTCOME_ABANDONED);
    finds(&t, 6, 1);
}

/* Called off while it rang: the hang-up and the answer can meet on the way, and then no later. */
static void test_called_off_and_answered(void **state)
{
    static const struct {
        double end;
        unsigned found;
    } cases[] = {{0.1, 0}, {0.9, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judge_attempt r = unjoined(CALL, OUTCOME_CANCELLED);
        struct tale t = begin();

        r.answered_ms = 0;
        see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
        see_as(&t, 5, JUDGE_ANSWER, true, CALL, NULL);
        see_as(&t, 5 + cases[i].end, JUDGE_END, false, CALL, NULL);
        judge_attempt(t.j, &r);
        at_rest(&t);
        decide(&t);
        assert_int_equal(t.v.broken[6], cases[i].found);
    }
}

/* The agent hung up, and the join was on its way: they were together for an instant, or for long.
 */
static void test_parted_by_a_crossing(void **state)
{
    static const struct {
        double parted;
        unsigned found;
    } cases[] = {{5.6, 0}, {6.5, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judge_attempt r = unjoined(CALL, OUTCOME_ABANDONED);
        struct tale t = begin();

        see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
        see_as(&t, 5, JUDGE_ANSWER, true, CALL, NULL);
        see(&t, 5.3, JUDGE_ENTER, CALL, "brg-1");
        see(&t, 5.5, JUDGE_ENTER, LEG, "brg-1");
        see(&t, cases[i].parted, JUDGE_LEAVE, LEG, "brg-1");
        see(&t, 6.9, JUDGE_LEAVE, CALL, "brg-1");
        see(&t, 6.9, JUDGE_MESSAGE, CALL, NULL);
        see(&t, 10, JUDGE_END, CALL, "us");
        judge_attempt(t.j, &r);
        at_rest(&t);
        decide(&t);
        assert_int_equal(t.v.broken[7], cases[i].found);
    }
}

static void test_answered_into_a_fault(void **state)
{
    struct tale t = nobody(5, 9, true, OUTCOME_ABANDONED);

    (void)state;
    see(&t, 4, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 8.5, JUDGE_RECOVERED, NULL, "daemon killed");
    finds(&t, 0, 0);
    assert_int_equal(t.v.downtime_waits, 1);
    t = nobody(5, 9, true, OUTCOME_ABANDONED); /* the message at 10 s, 3 s after the recovery */
    see(&t, 4, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 7, JUDGE_RECOVERED, NULL, "daemon killed");
    finds(&t, 6, 1);
    t = nobody(5, 9, true, OUTCOME_ABANDONED); /* a fault that concerns no call excuses nothing */
    see_as(&t, 4, JUDGE_FAULT, false, NULL, "hopper flushed");
    see(&t, 7, JUDGE_RECOVERED, NULL, "hopper flushed");
    finds(&t, 6, 1);
}

static void test_a_live_call_is_not_adopted(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.outcome = OUTCOME_UNKNOWN;
    r.state = ATTEMPT_UNKNOWN;
    r.ended_ms = ms(22);
    t = told(&r);
    see(&t, 20, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 20, JUDGE_NOT_HELD, NULL, NULL);
    see(&t, 21, JUDGE_HELD, NULL, NULL);
    see(&t, 22, JUDGE_RECOVERED, NULL, "daemon killed");
    finds(&t, 6, 1);
    t = good();
    see(&t, 20, JUDGE_NOT_HELD, NULL, NULL);
    see(&t, 21, JUDGE_HELD, NULL, NULL);
    finds(&t, 0, 0);
    assert_int_equal(t.v.adopted, 1);
}

/* --- I7 ------------------------------------------------------------------------------------------
 */

static void test_an_abandoned_call_is_not_counted(void **state)
{
    struct tale t = nobody(1.9, 8, true, OUTCOME_CUSTOMER_GONE);

    (void)state;
    finds(&t, 7, 1);
    t = nobody(1.9, 8, true, OUTCOME_ABANDONED);
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .counted = true, .answers = 1});
    finds(&t, 7, 1);
    t = nobody(1.9, 8, true, OUTCOME_UNKNOWN); /* and nothing was broken */
    finds(&t, 7, 1);
}

#define LOOKED_AT 9u /* automatic, but its agent has looked at it first */

/* The figures of the daemon against what was seen: an agent's own call and a machine are not
 * counted, an unknown fate is if the store has its answer. */
static void counted(unsigned outcome, unsigned cause, uint64_t abandoned, uint64_t answers,
                    bool right)
{
    struct judge_attempt r = unjoined(OTHER, outcome);
    struct tale t = good();

    r.number = "+12125550102";
    r.lead = 2;
    r.agent = cause == CAUSE_AGENT ? 7 : 0;
    r.cause = cause == LOOKED_AT ? CAUSE_AUTO : (uint8_t)cause;
    r.previewed = cause == LOOKED_AT;
    r.claimed_ms = ms(109.9);
    r.originated_ms = ms(110);
    r.answered_ms = ms(112);
    r.ended_ms = ms(115);
    judge_attempt(t.j, &r);
    see(&t, 110, JUDGE_ORIGINATE, OTHER, "+12125550102");
    see(&t, 112, JUDGE_ANSWER, OTHER, NULL);
    if (outcome == OUTCOME_UNKNOWN) {
        see(&t, 112.5, JUDGE_FAULT, NULL, "daemon killed");
        see(&t, 113, JUDGE_RECOVERED, NULL, "daemon killed");
    }
    if (outcome == OUTCOME_ABANDONED || outcome == OUTCOME_MACHINE) {
        see(&t, 113.9, JUDGE_MESSAGE, OTHER, NULL);
    }
    see(&t, outcome == OUTCOME_CUSTOMER_GONE ? 113 : 115, JUDGE_END, OTHER, "far");
    judge_campaign(t.j, &(struct judge_campaign){.campaign = 1,
                                                 .retry_ms = 300000,
                                                 .prefixes = "+1",
                                                 .counted = true,
                                                 .abandoned = abandoned,
                                                 .answers = answers});
    finds(&t, 7, right ? 0 : 1);
}

static void test_the_daemons_figures(void **state)
{
    (void)state;
    counted(OUTCOME_ABANDONED, CAUSE_AUTO, 1, 2, true);
    counted(OUTCOME_ABANDONED, CAUSE_AUTO, 0, 2, false);
    counted(OUTCOME_ABANDONED, CAUSE_AUTO, 1, 3, false);
    counted(OUTCOME_CUSTOMER_GONE, CAUSE_AUTO, 0, 2, true);
    counted(OUTCOME_CUSTOMER_GONE, CAUSE_AGENT, 0, 1, true);
    counted(OUTCOME_CUSTOMER_GONE, CAUSE_AGENT, 0, 2, false);
    counted(OUTCOME_CUSTOMER_GONE, LOOKED_AT, 0, 1, true);
    counted(OUTCOME_CUSTOMER_GONE, LOOKED_AT, 0, 2, false);
    counted(OUTCOME_MACHINE, CAUSE_AUTO, 0, 1, true);
    counted(OUTCOME_MACHINE, CAUSE_AUTO, 0, 2, false);
    counted(OUTCOME_UNKNOWN, CAUSE_AUTO, 0, 2, true);
    counted(OUTCOME_UNKNOWN, CAUSE_AUTO, 1, 2, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_customers_with_one_agent),
        cmocka_unit_test(test_two_customers_in_one_bridge),
        cmocka_unit_test(test_left_at_the_last_moment),
        cmocka_unit_test(test_answered_and_nobody_there),
        cmocka_unit_test(test_called_off_and_answered),
        cmocka_unit_test(test_parted_by_a_crossing),
        cmocka_unit_test(test_answered_into_a_fault),
        cmocka_unit_test(test_a_live_call_is_not_adopted),
        cmocka_unit_test(test_an_abandoned_call_is_not_counted),
        cmocka_unit_test(test_the_daemons_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
