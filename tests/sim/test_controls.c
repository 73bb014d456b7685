/* test_controls.c - what an agent does with the call at hand: mute, keys. */
#include <string.h>

#include "tests/sim/sim_test.h"

static bool is_muted(struct world *w, uint64_t agent)
{
    return world_page(w, agent)->muted;
}

static bool is_heard(struct world *w, uint64_t agent)
{
    return !world_leg_muted(w, agent);
}

static void mutes(struct world *w)
{
    expect_reply(w, world_mute(w, 7, true), RESULT_OK, NULL);
    assert_true(world_leg_muted(w, 7));
    world_until(w, is_muted, 7, 1);
}

static void dispose(struct world *w)
{
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
}

static void mute_and_back(enum leg_kind leg)
{
    struct world *w = in_a_call(leg, 0);

    mutes(w);
    mutes(w); /* the same once more */
    assert_int_equal(world_talks_with(w, 7), 1);
    expect_reply(w, world_mute(w, 7, false), RESULT_OK, NULL);
    assert_false(world_leg_muted(w, 7));
    world_run(w, 1);
    assert_false(world_page(w, 7)->muted);
    expect_reply(w, world_mute(w, 7, false), RESULT_OK, NULL);
    world_close(w);
}

static void test_mute(void **state)
{
    (void)state;
    mute_and_back(LEG_PERMANENT);
    mute_and_back(LEG_ON_DEMAND);
}

/* Wishes that follow each other faster than Asterisk answers: the last counts. */
static void test_the_last_wish_counts(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);
    uint64_t asked[3];

    (void)state;
    asked[0] = world_mute(w, 7, true);
    asked[1] = world_mute(w, 7, false);
    expect_reply(w, asked[0], RESULT_OK, NULL);
    expect_reply(w, asked[1], RESULT_OK, NULL);
    assert_false(world_leg_muted(w, 7));
    mutes(w);
    asked[0] = world_mute(w, 7, false);
    asked[1] = world_mute(w, 7, true);
    expect_reply(w, asked[1], RESULT_OK, NULL);
    world_until(w, is_muted, 7, 1);
    assert_true(world_leg_muted(w, 7));
    asked[0] = world_mute(w, 7, false);
    asked[1] = world_mute(w, 7, true);
    asked[2] = world_mute(w, 7, false);
    expect_reply(w, asked[2], RESULT_OK, NULL);
    world_run(w, 1);
    assert_false(world_page(w, 7)->muted);
    assert_false(world_leg_muted(w, 7));
    world_close(w);
}

/* The next customer hears the agent. */
static void test_mute_ends_with_the_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    mutes(w);
    world_customer_hangs_up(w, world_number(w, 1));
    expect_agent(w, 7, AGENT_WRAPUP, 2);
    world_run(w, 1);
    assert_false(world_page(w, 7)->muted);
    assert_true(world_leg_up(w, 7));
    assert_false(world_leg_muted(w, 7));
    dispose(w);
    world_close(w);
}

static void test_refused_without_call(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_leads(w, 1, 1);
    world_callees(w, NEVER);
    world_begin(w);
    expect_reply(w, world_mute(w, 7, true), RESULT_REFUSED, "no call");
    world_ready(w, 7);
    expect_line(w, world_number(w, 1), LINE_RINGING, 20);
    expect_reply(w, world_mute(w, 7, true), RESULT_REFUSED, "no call");
    expect_reply(w, world_dtmf(w, 7, "1"), RESULT_REFUSED, "no call");
    assert_false(world_leg_muted(w, 7));
    world_close(w);
}

/* The phone is lost and called again: it comes back as it was. */
static void test_mute_outlives_the_phone(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    mutes(w);
    world_phone_drops(w, 7);
    world_run(w, 0.1);
    expect_reply(w, world_mute(w, 7, false), RESULT_REFUSED, "phone");
    expect_line(w, world_number(w, 1), LINE_BRIDGED, 20);
    world_until(w, is_muted, 7, 1);
    assert_true(world_leg_muted(w, 7));
    world_close(w);
}

/* kill -9 in a muted call: nobody is heard who did not want to be. */
static void test_mute_outlives_the_daemon(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    mutes(w);
    world_restart(w);
    expect_agent(w, 7, AGENT_BUSY, 5);
    world_until(w, is_muted, 7, 5);
    assert_true(world_leg_muted(w, 7));
    world_socket(w, 7, true);
    expect_reply(w, world_mute(w, 7, false), RESULT_OK, NULL);
    assert_false(world_leg_muted(w, 7));
    world_restart(w);
    world_run(w, 5);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    assert_false(world_page(w, 7)->muted);
    assert_false(world_leg_muted(w, 7));
    world_close(w);
}

/* And when the call ends while no daemon is there, the phone is open for the next. */
static void test_mute_of_a_call_that_ended_unseen(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    mutes(w);
    world_kill(w);
    world_customer_hangs_up(w, world_number(w, 1));
    world_start(w, true);
    expect_agent(w, 7, AGENT_WRAPUP, 20);
    assert_true(world_leg_up(w, 7));
    world_until(w, is_heard, 7, 20);
    world_close(w);
}

/* What cannot be done is said, and then lifted until it surely is. */
static void test_mute_while_asterisk_is_away(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);
    uint64_t asked;

    (void)state;
    world_link_deaf(w);
    asked = world_mute(w, 7, true);
    expect_reply(w, asked, RESULT_AWAY, "did not");
    assert_false(world_page(w, 7)->muted);
    world_link_noticed(w);
    world_run(w, 1);
    expect_reply(w, world_mute(w, 7, true), RESULT_REFUSED, "not connected");
    world_link_back(w);
    world_run(w, 12);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    assert_false(world_leg_muted(w, 7));
    mutes(w);
    world_link_deaf(w); /* the call ends where nobody sees it, nor hears "lift it" */
    world_customer_hangs_up(w, world_number(w, 1));
    world_link_noticed(w);
    world_run(w, 1);
    world_link_back(w);
    expect_agent(w, 7, AGENT_WRAPUP, 5);
    world_until(w, is_heard, 7, 10);
    world_close(w);
}

static void test_dtmf(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);
    const char *number = world_number(w, 1);

    (void)state;
    expect_reply(w, world_dtmf(w, 7, "12#*0D"), RESULT_OK, NULL);
    assert_string_equal(world_keys(w, number), "12#*0D");
    expect_reply(w, world_dtmf(w, 7, ""), RESULT_INVALID, "keys");
    expect_reply(w, world_dtmf(w, 7, "12a"), RESULT_INVALID, "keys");
    expect_reply(w, world_dtmf(w, 7, "000000000000000000000000000000000"), RESULT_INVALID, "keys");
    assert_string_equal(world_keys(w, number), "12#*0D");
    world_link_deaf(w);
    expect_reply(w, world_dtmf(w, 7, "5"), RESULT_AWAY, "nobody can say");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mute),
        cmocka_unit_test(test_the_last_wish_counts),
        cmocka_unit_test(test_mute_ends_with_the_call),
        cmocka_unit_test(test_refused_without_call),
        cmocka_unit_test(test_mute_outlives_the_phone),
        cmocka_unit_test(test_mute_outlives_the_daemon),
        cmocka_unit_test(test_mute_of_a_call_that_ended_unseen),
        cmocka_unit_test(test_mute_while_asterisk_is_away),
        cmocka_unit_test(test_dtmf),
    };

    return cmocka_run_group_tests_name("controls", tests, NULL, NULL);
}
