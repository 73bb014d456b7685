/* test_calls.c - calls from end to end: the seed's statements S1, S2, S3, S6, S11, S12. */
#include "tests/sim/sim_test.h"

#include <string.h>

/* One agent, 7, in campaign 1 with so many leads. */
static struct world *one_agent(enum campaign_mode mode, enum leg_kind leg, unsigned leads)
{
    struct world *w = world_open(1);

    world_campaign(w, 1, mode)->leg = (uint8_t)leg;
    world_agent(w, 7, 1);
    world_leads(w, 1, leads);
    return w;
}

/* S3: pending, dialing, answered, completed. */
static void test_progressive_call(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_AUTO, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 30));
    world_begin(w);
    assert_int_equal(world_row(w, 1), ROW_PENDING);
    world_ready(w, 7);
    expect_row(w, 1, ROW_DIALING, 5);
    expect_row(w, 1, ROW_ANSWERED, 10);
    expect_agent(w, 7, AGENT_BUSY, 2);
    assert_int_equal(world_talks_with(w, 7), 1);
    expect_agent(w, 7, AGENT_WRAPUP, 40);
    assert_true(world_page(w, 7)->needs_disposition);
    expect_row(w, 1, ROW_COMPLETED, 1);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    assert_true(world_row_final(w, 1));
    assert_string_equal(world_disposition(w, world_number(w, 1)), "sale");
    world_run(w, 1000);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 1);
    assert_int_equal(world_bridges(w), 1); /* the agent's own */
    assert_null(world_times_tile(w));
    world_close(w);
}

/* The record has each time of a call, and an attempt that nobody answers is still written twice
 * only: as it is claimed and as it ends. */
static void test_times_of_a_call(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_AUTO, 2);
    struct call_times t;

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    world_ready(w, 7);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_callees(w, ANSWERS(5, 30)); /* the next */
    expect_row(w, 1, ROW_FAILED, 60);
    t = world_times(w, world_number(w, 1));
    assert_true(t.originated_ms >= t.claimed_ms);
    assert_true(t.ringing_ms > t.originated_ms);
    assert_true(t.ended_ms >= t.ringing_ms + 29000);
    assert_int_equal(t.answered_ms, 0);
    assert_int_equal(world_witness(w)->moved, 0);
    expect_row(w, 2, ROW_ANSWERED, 60);
    t = world_times(w, world_number(w, 2)); /* a talk that goes on has them as well */
    assert_true(t.ringing_ms > t.originated_ms && t.originated_ms > 0);
    assert_true(t.answered_ms > t.ringing_ms);
    world_close(w);
}

/* S2, with the agent's phone rung first and hung up after. */
static void test_manual_on_demand(void **state)
{
    struct world *w = one_agent(MODE_MANUAL, LEG_AUTO, 3);
    const char *number = "+12125550142";

    (void)state;
    world_callees(w, ANSWERS(6, 20));
    world_begin(w);
    world_ready(w, 7);
    assert_false(world_leg_up(w, 7));
    uint64_t asked = world_dial(w, 7, number);

    expect_agent(w, 7, AGENT_RESERVED, 1);
    assert_int_equal(world_line(w, number), LINE_NONE); /* R2: the agent's phone first */
    expect_line(w, number, LINE_RINGING, 5);
    assert_true(world_leg_up(w, 7));
    expect_reply(w, asked, RESULT_OK, "attempt");
    assert_string_equal(world_page(w, 7)->pop_number, number); /* S11: by number */
    expect_agent(w, 7, AGENT_BUSY, 10);
    assert_int_not_equal(world_talks_with(w, 7), 0);
    expect_agent(w, 7, AGENT_WRAPUP, 30); /* the customer hung up */
    world_run(w, 1);
    assert_false(world_leg_up(w, 7)); /* S12: both legs end */
    assert_int_equal(world_bridges(w), 0);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_open_legs(w), 0);
    world_close(w);
}

static void test_manual_permanent(void **state)
{
    struct world *w = one_agent(MODE_MANUAL, LEG_PERMANENT, 3);
    const char *number = world_number(w, 2);

    (void)state;
    world_callees(w, ANSWERS(6, 0));
    world_begin(w);
    world_ready(w, 7);
    assert_true(world_leg_up(w, 7));
    expect_reply(w, world_dial(w, 7, number), RESULT_OK, "attempt");
    expect_agent(w, 7, AGENT_BUSY, 10);
    assert_int_equal(world_page(w, 7)->pop_lead, 2); /* R14: the campaign's lead of that number */
    assert_int_equal(world_talks_with(w, 7), 2);
    expect_reply(w, world_hang_up(w, 7), RESULT_OK, NULL); /* S12 */
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    expect_line(w, number, LINE_NONE, 1);
    world_run(w, 1);
    assert_true(world_leg_up(w, 7)); /* it went back to its own bridge */
    assert_int_equal(world_bridges(w), 1);
    expect_row(w, 2, ROW_COMPLETED, 1);
    world_dispose(w, 7, "not_interested");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* A manual call that nobody answers: the agent disposes it. */
static void test_manual_no_answer(void **state)
{
    struct world *w = one_agent(MODE_MANUAL, LEG_AUTO, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    world_ready(w, 7);
    world_dial(w, 7, number);
    expect_line(w, number, LINE_RINGING, 5);
    expect_agent(w, 7, AGENT_WRAPUP, 40);
    assert_int_equal(world_outcome(w, number), OUTCOME_NO_ANSWER);
    expect_row(w, 1, ROW_FAILED, 1);
    world_dispose(w, 7, "no_answer");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_run(w, 400);
    assert_int_equal(world_attempts(w, number), 1); /* manual mode never dials by itself */
    world_close(w);
}

/* The agent gives up while it rings. */
static void test_manual_given_up(void **state)
{
    struct world *w = one_agent(MODE_MANUAL, LEG_AUTO, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    world_ready(w, 7);
    world_dial(w, 7, number);
    expect_line(w, number, LINE_RINGING, 5);
    expect_reply(w, world_hang_up(w, 7), RESULT_OK, NULL);
    expect_line(w, number, LINE_NONE, 1);
    assert_int_equal(world_outcome(w, number), OUTCOME_CANCELLED);
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    world_close(w);
}

/* S6 and P8: no available agent, no dialing. */
static void nobody_available(enum campaign_mode mode)
{
    struct world *w = one_agent(mode, LEG_PERMANENT, 50);

    world_begin(w);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "no_available_agent");
    world_login(w, 7);
    expect_agent(w, 7, AGENT_BREAK, 5);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "agents_not_ready");
    world_callees(w, ANSWERS(2, 600));
    world_available(w, 7);
    expect_agent(w, 7, AGENT_BUSY, 10);
    world_run(w, 5);
    uint64_t before = world_witness(w)->originates;

    world_run(w, 300); /* the one agent talks */
    assert_int_equal(world_witness(w)->originates, before);
    world_close(w);
}

static void test_nobody_available_progressive(void **state)
{
    (void)state;
    nobody_available(MODE_PROGRESSIVE);
}

static void test_nobody_available_ratio(void **state)
{
    (void)state;
    nobody_available(MODE_RATIO);
}

/* Progressive with the agent's phone rung before the customer is called. */
static void test_progressive_on_demand(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_ON_DEMAND, 2);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_RESERVED, 5);
    assert_int_equal(world_lines(w), 0);
    assert_int_equal(world_page(w, 7)->pop_lead, 1); /* S11: with the reserve event */
    expect_agent(w, 7, AGENT_BUSY, 20);
    assert_int_equal(world_talks_with(w, 7), 1);
    world_hang_up(w, 7);
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    world_run(w, 1);
    assert_false(world_leg_up(w, 7));
    assert_int_equal(world_bridges(w), 0);
    assert_int_equal(world_lines(w), 0);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_BUSY, 20);
    assert_int_equal(world_talks_with(w, 7), 2);
    world_close(w);
}

/* On demand, nobody answers: the agent's phone is let go and the agent is free again. */
static void test_on_demand_no_answer(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_ON_DEMAND, 1);

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_RESERVED, 5);
    expect_agent(w, 7, AGENT_AVAILABLE, 60);
    expect_row(w, 1, ROW_FAILED, 1);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_NO_ANSWER);
    world_run(w, 2);
    assert_false(world_leg_up(w, 7));
    world_close(w);
}

/* The agent's phone does not answer: no customer is called for it, and the agent is asked why. */
static void test_on_demand_phone_silent(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_ON_DEMAND, 1);

    (void)state;
    world_begin(w);
    world_phone_answers(w, 7, false);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_RESERVED, 5);
    expect_agent(w, 7, AGENT_BREAK, 40);
    assert_string_equal(world_page(w, 7)->reason, "no phone");
    assert_string_equal(world_page(w, 7)->text, "your phone did not answer");
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    expect_row(w, 1, ROW_PENDING, 1);
    world_close(w);
}

/* Longest idle first (R7), one customer each. */
static void test_longest_idle_first(void **state)
{
    struct world *w = world_open(3);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= 3; a++) {
        world_agent(w, a, 1);
    }
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(20, 0));
    world_begin(w);
    world_ready(w, 3);
    world_ready(w, 1);
    world_ready(w, 2);
    expect_agent(w, 3, AGENT_BUSY, 40);
    assert_int_equal(world_page(w, 1)->state, AGENT_AVAILABLE);
    assert_int_equal(world_page(w, 2)->state, AGENT_AVAILABLE);
    world_close(w);
}

/* The tone is heard before the customer is joined (R7), and the customer has 2 s all the same. */
static void test_tone(void **state)
{
    struct world *w = one_agent(MODE_PROGRESSIVE, LEG_PERMANENT, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_ready(w, 7);
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 10);
    world_run(w, 0.1);
    assert_int_equal(world_line(w, world_number(w, 1)), LINE_ANSWERED); /* the tone plays */
    expect_line(w, world_number(w, 1), LINE_BRIDGED, 0.4);
    world_close(w);
}

/* An agent of another campaign never gets the call. */
static void test_campaigns_do_not_share(void **state)
{
    struct world *w = world_open(4);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    world_agent(w, 8, 2);
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_ready(w, 7);
    world_ready(w, 8);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_break(w, 7, "coffee");
    expect_line(w, world_number(w, 1), LINE_MESSAGE, 20);
    assert_int_equal(world_page(w, 8)->state, AGENT_AVAILABLE);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progressive_call),
        cmocka_unit_test(test_times_of_a_call),
        cmocka_unit_test(test_manual_on_demand),
        cmocka_unit_test(test_manual_permanent),
        cmocka_unit_test(test_manual_no_answer),
        cmocka_unit_test(test_manual_given_up),
        cmocka_unit_test(test_nobody_available_progressive),
        cmocka_unit_test(test_nobody_available_ratio),
        cmocka_unit_test(test_progressive_on_demand),
        cmocka_unit_test(test_on_demand_no_answer),
        cmocka_unit_test(test_on_demand_phone_silent),
        cmocka_unit_test(test_longest_idle_first),
        cmocka_unit_test(test_tone),
        cmocka_unit_test(test_campaigns_do_not_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
