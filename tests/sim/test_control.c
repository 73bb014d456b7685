/* test_control.c - abandonment (R20 to R23), hours and prefixes (R16, R18), lines and pace. */
#include "tests/sim/sim_test.h"

#include <string.h>

/* --- abandonment -------------------------------------------------------------------------- */

/* R20, R22: no agent within 2 s of the answer: the message, then hang-up; abandoned; 72 h. */
static void test_abandoned(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_break(w, 1, "coffee");
    expect_line(w, number, LINE_ANSWERED, 10);
    world_run(w, 1.9);
    assert_int_equal(world_line(w, number), LINE_ANSWERED);
    expect_line(w, number, LINE_MESSAGE, 0.2);
    expect_line(w, number, LINE_NONE, 6);
    world_run(w, 0.1);
    assert_int_equal(world_outcome(w, number), OUTCOME_ABANDONED);
    assert_in_range(world_row_due_ms(w, 1) - world_now_ms(w), 72 * 3600000 - 6000, 72 * 3600000);
    assert_int_equal(world_witness(w)->messages, 1);
    world_run(w, 1);
    assert_int_equal(world_board(w, 1)->abandoned, 1);
    world_close(w);
}

/* R21: the store tells what it has while the record of the last one is on its way to it: that one
 * stays counted. */
static void test_counted_on_its_way(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_break(w, 1, "coffee");
    world_store_latency(w, 9000); /* half of it to the commit */
    expect_line(w, number, LINE_MESSAGE, 10);
    expect_line(w, number, LINE_NONE, 6);
    world_run(w, 1.2);
    assert_int_equal(world_outcome(w, number), OUTCOME_NONE);
    assert_int_equal(world_board(w, 1)->abandoned_30d, 1);
    world_store_counts(w);
    for (int i = 0; i < 100; i++) {
        world_run(w, 0.1);
        assert_int_equal(world_board(w, 1)->answers_30d, 1);
        assert_int_equal(world_board(w, 1)->abandoned_30d, 1);
    }
    assert_int_equal(world_outcome(w, number), OUTCOME_ABANDONED);
    world_close(w);
}

/* An agent who comes back within the 2 s gets the call. */
static void test_saved_in_time(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_break(w, 1, "coffee");
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 10);
    world_run(w, 1);
    world_available(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 1);
    assert_int_equal(world_witness(w)->messages, 0);
    world_close(w);
}

/* A callee who hangs up inside the limit is not abandoned. */
static void test_customer_gone(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);

    (void)state;
    world_callees(w, (struct callee){FATE_HUMAN, 5, 0, 1.0});
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_break(w, 1, "coffee");
    expect_row(w, 1, ROW_FAILED, 10);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_CUSTOMER_GONE);
    assert_int_equal(world_witness(w)->messages, 0);
    world_close(w);
}

/* R22: a key pressed during the message suppresses the number and ends the call. */
static void test_opt_out(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_break(w, 1, "coffee");
    expect_line(w, number, LINE_MESSAGE, 10);
    world_run(w, 1);
    world_press(w, number, "9");
    expect_line(w, number, LINE_NONE, 1);
    assert_true(world_suppressed(w, number));
    assert_int_equal(world_outcome(w, number), OUTCOME_ABANDONED);
    world_available(w, 1);
    world_run(w, 4 * 86400.0);
    assert_int_equal(world_attempts(w, number), 1);
    assert_true(world_row_final(w, 1));
    world_close(w);
}

/* R22: a campaign whose message the Asterisk does not have does not start. */
static void test_no_message(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 5);

    (void)state;
    world_pbx_sound(w, false);
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 30);
    assert_int_equal(world_witness(w)->originates, 0);
    assert_true(world_refused(w, 1, REASON_no_message) > 0);
    world_run(w, 1);
    assert_int_equal(world_board(w, 1)->state, CAMPAIGN_STARTING);
    assert_int_equal(world_board(w, 1)->held_by, REASON_no_message);
    world_pbx_sound(w, true); /* uploaded */
    world_run(w, 10);
    assert_int_equal(world_witness(w)->originates, 1);
    world_close(w);
}

static void test_no_message_set(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 5);

    (void)state;
    world_campaign_config(w, 1)->message = (struct text){"", 0};
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 30);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

/* R21: after 100 live answers the 30-day window is hard in ratio mode: one call for each agent. */
static void test_abandon_limit(void **state)
{
    struct world *w = with_agents(MODE_RATIO, 10, 4000);

    (void)state;
    world_campaign_config(w, 1)->ratio = 3.0;
    for (uint64_t a = 1; a <= 10; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 5, .code = "sale"});
    }
    world_callees(w, ANSWERS(6, 20)); /* everybody answers: three answers for each agent */
    world_begin(w);
    all_ready(w, 10);
    world_run(w, 3600);
    const struct witness *seen = world_witness(w);
    uint64_t abandoned = seen->by_outcome[OUTCOME_ABANDONED];
    uint64_t answers = abandoned + seen->by_outcome[OUTCOME_ANSWERED];

    assert_true(answers > 300);
    assert_true(abandoned > 20);
    expect_reply(w, world_explain(w, 1), RESULT_OK, NULL);
    uint64_t before = abandoned;

    world_run(w, 1800); /* now it is hard: the share only falls */
    assert_in_range(seen->by_outcome[OUTCOME_ABANDONED] - before, 0, 3);
    world_close(w);
}

/* --- gate --------------------------------------------------------------------------------- */

static void refused_for(void (*change)(struct msg_campaign_config *c), enum reason reason)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 5);

    change(world_campaign_config(w, 1));
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 20);
    assert_int_equal(world_witness(w)->originates, 0);
    assert_true(world_refused(w, 1, reason) > 0);
    expect_reply(w, world_explain(w, 1), RESULT_OK, reason_name(reason)); /* counted, shown */
    expect_reply(w, world_dial(w, 1, "+12125550142"), RESULT_REFUSED, reason_sentence(reason));
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

static void no_prefix(struct msg_campaign_config *c)
{
    c->prefixes = (struct text){"", 0};
}

static void no_caller(struct msg_campaign_config *c)
{
    c->caller_id = (struct text){"", 0};
}

static void short_ring(struct msg_campaign_config *c)
{
    c->ring_s = 14;
}

static void test_gate(void **state)
{
    (void)state;
    refused_for(no_prefix, REASON_prefix_not_allowed);
    refused_for(no_caller, REASON_no_caller_id);
    refused_for(short_ring, REASON_ring_too_short);
}

/* R16: premium and emergency ranges never, and nothing that is no number. */
static void test_manual_numbers(void **state)
{
    struct world *w = with_agents(MODE_MANUAL, 1, 0);
    static const char *const never[] = {"+19005550142", "+1911",         "300&PJSIP/x",
                                        "2125550142",   "+442079460123", "+1212555014x"};

    (void)state;
    world_begin(w);
    all_ready(w, 1);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        uint64_t asked = world_dial(w, 1, never[i]);

        world_run(w, 10);
        assert_int_equal(world_reply(w, asked)->result, RESULT_REFUSED);
        expect_agent(w, 1, AGENT_AVAILABLE, 1);
    }
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

/* R18: the daily window; no originate whose ring time would pass the closing; it opens by itself.
 */
static void test_window(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 400);
    struct msg_campaign_config *c = world_campaign_config(w, 1);

    (void)state;
    c->window_from_min = 9 * 60;
    c->window_to_min = 12 * 60 + 5; /* it is 12:00 */
    world_callees(w, HEARS_BUSY);
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 4 * 60 + 20); /* 12:04:21 */
    uint64_t before = world_witness(w)->originates;

    assert_true(before > 0);
    world_run(w, 20); /* 30 s before the closing no more */
    before = world_witness(w)->originates;
    world_run(w, 20 * 3600);
    assert_int_equal(world_witness(w)->originates, before);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "outside_hours");
    world_run(w, 56 * 60 + 60); /* past 9:00 */
    assert_true(world_witness(w)->originates > before);
    world_close(w);
}

/* --- lines and pace ----------------------------------------------------------------------- */

static void test_lines(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 10, 100);

    (void)state;
    world_trunk(w)->lines = 4;
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 10);
    world_run(w, 20);
    assert_int_equal(world_lines(w), 4);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "lines_used");
    world_run(w, 300);
    assert_int_equal(world_witness(w)->lines_most, 4);
    assert_true(world_witness(w)->originates > 30);
    world_trunk(w)->lines = 8; /* a limit that is raised acts at once (R24) */
    world_changed(w, KIND_TRUNK, 1);
    world_run(w, 2);
    assert_int_equal(world_lines(w), 8);
    world_close(w);
}

static void test_max_lines(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 10, 100);

    (void)state;
    world_campaign_config(w, 1)->max_lines = 3;
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 10);
    world_run(w, 100);
    assert_int_equal(world_witness(w)->lines_most, 3);
    world_campaign_config(w, 1)->max_lines = 6;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 2);
    assert_int_equal(world_lines(w), 6);
    world_close(w);
}

static void test_calls_per_second(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 40, 2000);

    (void)state;
    world_trunk(w)->calls_per_s = 5;
    world_callees(w, NEVER);
    world_begin(w);
    for (uint64_t a = 1; a <= 40; a++) {
        world_login(w, a);
    }
    world_run(w, 5);
    for (uint64_t a = 1; a <= 40; a++) {
        world_available(w, a);
    }
    world_run(w, 4);
    assert_in_range(world_witness(w)->originates, 19, 21);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "calls_per_second");
    world_run(w, 300);
    assert_in_range((uintmax_t)world_witness(w)->originates_a_second_most, 5, 6);
    assert_true(world_witness(w)->originates > 250);
    world_close(w);
}

/* Two campaigns share a trunk fairly. */
static void test_shared_trunk(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_trunk(w)->lines = 10;
    for (uint64_t c = 1; c <= 2; c++) {
        world_campaign(w, c, MODE_PROGRESSIVE);
        world_leads(w, c, 300);
        for (uint64_t a = 1; a <= 20; a++) {
            world_agent(w, c * 100 + a, c);
        }
    }
    world_callees(w, NEVER);
    world_begin(w);
    for (uint64_t c = 1; c <= 2; c++) {
        for (uint64_t a = 1; a <= 20; a++) {
            world_ready(w, c * 100 + a);
        }
    }
    world_run(w, 400);
    uint64_t one = world_board(w, 1)->dialed;
    uint64_t two = world_board(w, 2)->dialed;

    assert_true(one + two > 80);
    assert_true(one > two / 2 && two > one / 2);
    world_close(w);
}

/* Ratio: so many calls for each available agent. */
static void test_ratio(void **state)
{
    struct world *w = with_agents(MODE_RATIO, 4, 100);

    (void)state;
    world_campaign_config(w, 1)->ratio = 2.5;
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 4);
    world_run(w, 5);
    assert_int_equal(world_lines(w), 10);
    world_break(w, 1, "coffee");
    world_break(w, 2, "coffee");
    world_run(w, 40); /* those that ring are not taken back */
    assert_int_equal(world_lines(w), 5);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_abandoned),      cmocka_unit_test(test_counted_on_its_way),
        cmocka_unit_test(test_saved_in_time),  cmocka_unit_test(test_customer_gone),
        cmocka_unit_test(test_opt_out),        cmocka_unit_test(test_no_message),
        cmocka_unit_test(test_no_message_set), cmocka_unit_test(test_abandon_limit),
        cmocka_unit_test(test_gate),           cmocka_unit_test(test_manual_numbers),
        cmocka_unit_test(test_window),         cmocka_unit_test(test_lines),
        cmocka_unit_test(test_max_lines),      cmocka_unit_test(test_calls_per_second),
        cmocka_unit_test(test_shared_trunk),   cmocka_unit_test(test_ratio),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
