/* test_agents.c - agents: R1, R4 to R6, S7, S8, S9, with the default times. */
#include "tests/sim/sim_test.h"

/* S7, R4: the wrap-up ends by itself after 120 s; the attempt is not disposed, its lead waits 24 h,
 * and its agent may still dispose it. */
static void test_wrapup_times_out(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    world_run(w, 119);
    assert_int_equal(world_page(w, 7)->state, AGENT_WRAPUP);
    expect_agent(w, 7, AGENT_AVAILABLE, 2);
    world_run(w, 0.1);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "not_disposed");
    expect_row(w, 1, ROW_FAILED, 1);
    int64_t wait = world_row_due_ms(w, 1) - world_now_ms(w);

    assert_in_range(wait, 86390000, 86400000);
    expect_reply(w, world_dispose_as(w, 7, world_attempt(w, world_number(w, 1)), "sale", 0),
                 RESULT_OK, NULL);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "sale");
    expect_row(w, 1, ROW_COMPLETED, 1);
    world_close(w);
}

/* R4: the second in a row sends the agent to break `no response`; a disposition in between does
 * not count as one. */
static void test_second_missed_wrapup(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_leads(w, 1, 10);
    world_callees(w, ANSWERS(5, 10));
    world_begin(w);
    world_ready(w, 7);
    for (int missed = 0; missed < 2; missed++) {
        expect_agent(w, 7, AGENT_WRAPUP, 60);
        expect_agent(w, 7, AGENT_AVAILABLE, 125); /* missed once */
        expect_agent(w, 7, AGENT_WRAPUP, 60);
        if (missed == 0) {
            world_dispose(w, 7, "sale");
            expect_agent(w, 7, AGENT_AVAILABLE, 1);
        }
    }
    expect_agent(w, 7, AGENT_BREAK, 125);
    assert_string_equal(world_page(w, 7)->reason, "no response");
    world_run(w, 600);
    assert_int_equal(world_page(w, 7)->state, AGENT_BREAK); /* never available by itself */
    world_close(w);
}

/* R4: they are in a row when a reservation in between came to nothing. */
static void test_missed_wrapups_around_a_lost_call(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_leads(w, 1, 3);
    world_callees(w, ANSWERS(5, 10));
    world_callee(w, world_number(w, 2), (struct callee){FATE_HUMAN, 5, 10, 0.05});
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_WRAPUP, 60);
    expect_agent(w, 7, AGENT_AVAILABLE, 125);
    expect_agent(w, 7, AGENT_RESERVED, 20);
    expect_agent(w, 7, AGENT_AVAILABLE, 2); /* the callee hung up before they were joined */
    expect_agent(w, 7, AGENT_WRAPUP, 60);
    expect_agent(w, 7, AGENT_BREAK, 125);
    assert_string_equal(world_page(w, 7)->reason, "no response");
    world_close(w);
}

/* S8: moved out of every campaign while in wrap-up, it lasts 5 min. */
static void test_wrapup_without_campaign(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    struct msg_agent_config *a = world_agent_config(w, 7);

    a->campaign = 0;
    world_changed(w, KIND_AGENT, 7);
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    world_run(w, 295);
    assert_int_equal(world_page(w, 7)->state, AGENT_WRAPUP);
    expect_agent(w, 7, AGENT_AVAILABLE, 10);
    world_close(w);
}

/* S9: busy without a call for 10 min. The call is lost to the agent when its channel vanished and
 * nobody could tell; here the campaign dies under it. */
static void test_busy_without_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    struct msg_call_moved lost = {.attempt = {world_page(w, 7)->attempt, ID_LEN},
                                  .state = ATTEMPT_UNKNOWN,
                                  .number = {"", 0}};

    sim_post(world_sim(w), 0, named(KIND_CAMPAIGN, 1), named(KIND_AGENT, 7), MSG_call_moved, &lost);
    world_run(w, 590);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    expect_agent(w, 7, AGENT_AVAILABLE, 15);
    world_close(w);
}

/* S9 with a call: nobody is taken out of a long conversation. */
static void test_busy_with_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 0);

    (void)state;
    world_run(w, 3600);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    assert_int_equal(world_talks_with(w, 7), 1);
    world_close(w);
}

/* R5: the next status chosen in a call is taken at the end of the wrap-up. */
static void test_next_status(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    expect_reply(w, world_break(w, 7, "lunch"), RESULT_OK, NULL);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    assert_int_equal(world_page(w, 7)->next, AGENT_BREAK);
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_BREAK, 1);
    assert_string_equal(world_page(w, 7)->reason, "lunch");
    assert_int_equal(world_page(w, 7)->next, 0);
    world_close(w);
}

/* Disposed while still talking: no wrap-up is waited for. */
static void test_disposed_in_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    expect_agent(w, 7, AGENT_AVAILABLE, 12);
    world_run(w, 0.1);
    assert_true(world_open_attempts(w) == 0 && world_row(w, 1) == ROW_COMPLETED);
    world_close(w);
}

/* R6: a logout waits for the end of the call, asks for the disposition first. */
static void test_logout(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    expect_reply(w, world_logout(w, 7), RESULT_OK, "after this call");
    assert_int_equal(world_talks_with(w, 7), 1);
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    expect_reply(w, world_logout(w, 7), RESULT_REFUSED, "dispose");
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_OFFLINE, 1);
    world_run(w, 2);
    assert_false(world_leg_up(w, 7));
    assert_int_equal(world_open_legs(w), 0);
    assert_int_equal(world_bridges(w), 0);
    world_close(w);
}

/* Out, in and out again while Asterisk has not told that the phone was hung up: it is not called
 * for who has gone. */
static void test_logout_twice(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    world_link_deaf(w);
    expect_reply(w, world_logout(w, 7), RESULT_OK, NULL);
    world_login(w, 7);
    world_run(w, 0.5);
    world_logout(w, 7);
    expect_agent(w, 7, AGENT_OFFLINE, 1);
    world_run(w, 12); /* the hang-up is not waited for any longer */
    world_link_back(w);
    world_run(w, 30);
    assert_int_equal(world_witness(w)->leg_claims, 1);
    assert_false(world_leg_up(w, 7));
    assert_int_equal(world_open_legs(w), 0);
    world_close(w);
}

/* R6: an account that is switched off in a call ends with the call. */
static void test_disabled_in_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    world_agent_config(w, 7)->enabled = false;
    world_changed(w, KIND_AGENT, 7);
    world_run(w, 1);
    assert_int_equal(world_talks_with(w, 7), 1);
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_OFFLINE, 1);
    expect_reply(w, world_login(w, 7), RESULT_REFUSED, "may not log in");
    world_close(w);
}

/* R1: moved live to another campaign; only that one offers calls then. */
static void test_moved(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    world_lead(w, 2, "+12125550177");
    world_callees(w, ANSWERS(3, 10));
    world_begin(w);
    world_ready(w, 7);
    world_run(w, 10);
    assert_int_equal(world_witness(w)->originates, 0);
    world_agent_config(w, 7)->campaign = 2;
    world_changed(w, KIND_AGENT, 7);
    expect_agent(w, 7, AGENT_BUSY, 20);
    world_leads(w, 1, 5);
    expect_agent(w, 7, AGENT_WRAPUP, 20);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_run(w, 30);
    assert_int_equal(world_witness(w)->originates, 1);
    assert_int_equal(world_board(w, 1)->agents, 0);
    assert_int_equal(world_board(w, 2)->agents, 1);
    world_close(w);
}

/* R1: chosen at login, among the campaigns the agent belongs to. */
static void test_chosen_at_login(void **state)
{
    struct world *w = world_open(1);
    struct msg_member member = {.agent = 7, .campaign = 2};

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    world_begin(w);
    world_run(w, 2);
    expect_reply(w, world_login_to(w, 7, 2), RESULT_REFUSED, "may not work in that campaign");
    expect_agent(w, 7, AGENT_OFFLINE, 1);
    sim_post(world_sim(w), 0, ADDR_STORE, ADDR_DESK, MSG_member, &member);
    expect_reply(w, world_login_to(w, 7, 2), RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_BREAK, 20);
    expect_reply(w, world_login_to(w, 7, 1), RESULT_REFUSED, "logged in elsewhere");
    world_available(w, 7);
    expect_agent(w, 7, AGENT_AVAILABLE, 5);
    assert_int_equal(world_board(w, 1)->agents, 0);
    assert_int_equal(world_board(w, 2)->agents, 1);
    world_close(w);
}

/* R1: moved in the middle of a call: the call is the old campaign's to its end. */
static void test_moved_in_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 20);

    (void)state;
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_changed(w, KIND_CAMPAIGN, 2);
    world_agent_config(w, 7)->campaign = 2;
    world_changed(w, KIND_AGENT, 7);
    world_run(w, 1);
    assert_int_equal(world_talks_with(w, 7), 1);
    expect_agent(w, 7, AGENT_WRAPUP, 25);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_run(w, 1);
    assert_int_equal(world_board(w, 1)->available, 0);
    assert_int_equal(world_board(w, 2)->available, 1);
    world_close(w);
}

/* Requests that make no sense now are answered, and change nothing. */
static void test_refused_requests(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_MANUAL);
    world_agent(w, 7, 1);
    world_agent(w, 8, 0);
    world_begin(w);
    expect_reply(w, world_available(w, 7), RESULT_REFUSED, "log in first");
    world_login(w, 7);
    expect_agent(w, 7, AGENT_BREAK, 5);
    expect_reply(w, world_dial(w, 7, "+12125550142"), RESULT_REFUSED, "available");
    expect_reply(w, world_hang_up(w, 7), RESULT_REFUSED, "no call");
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_NOT_FOUND, "no call");
    world_available(w, 7);
    expect_agent(w, 7, AGENT_AVAILABLE, 5);
    expect_reply(w, world_dial(w, 7, ""), RESULT_INVALID, "E.164");
    expect_reply(w, world_dial(w, 7, "+1212555014212125550142121255501"), RESULT_INVALID, "E.164");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_ready(w, 8);
    expect_reply(w, world_dial(w, 8, "+12125550142"), RESULT_REFUSED, "no campaign");
    world_close(w);
}

/* Only the agent who had the call may dispose it, once, with a code that exists. */
static void test_foreign_disposition(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    const char *attempt = world_attempt(w, world_number(w, 1));

    world_agent(w, 8, 1);
    world_changed(w, KIND_AGENT, 8);
    world_run(w, 1);
    world_ready(w, 8);
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    expect_reply(w, world_dispose_as(w, 8, attempt, "sale", 0), RESULT_REFUSED, "only the agent");
    expect_reply(w, world_dispose(w, 7, "nonsense"), RESULT_INVALID, "no such disposition");
    expect_reply(w, world_dispose(w, 7, "not_disposed"), RESULT_INVALID, "system");
    assert_int_equal(world_page(w, 7)->state, AGENT_WRAPUP);
    expect_reply(w, world_dispose(w, 7, "busy"), RESULT_OK, NULL);
    expect_reply(w, world_dispose_as(w, 7, attempt, "sale", 0), RESULT_CONFLICT, "already");
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrapup_times_out),
        cmocka_unit_test(test_second_missed_wrapup),
        cmocka_unit_test(test_missed_wrapups_around_a_lost_call),
        cmocka_unit_test(test_wrapup_without_campaign),
        cmocka_unit_test(test_busy_without_call),
        cmocka_unit_test(test_busy_with_call),
        cmocka_unit_test(test_next_status),
        cmocka_unit_test(test_disposed_in_call),
        cmocka_unit_test(test_logout),
        cmocka_unit_test(test_logout_twice),
        cmocka_unit_test(test_disabled_in_call),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_chosen_at_login),
        cmocka_unit_test(test_moved_in_call),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_foreign_disposition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
