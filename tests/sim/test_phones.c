/* test_phones.c - the agent's page and phone: R2, R3, R8. */
#include "actors/words.h"
#include "tests/sim/sim_test.h"

/* S7 and R3: the page is gone when the wrap-up ends: not available. */
static void test_reset_without_socket(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 10);

    (void)state;
    expect_agent(w, 7, AGENT_WRAPUP, 12);
    world_socket(w, 7, false);
    expect_agent(w, 7, AGENT_BREAK, 125);
    assert_string_equal(world_page(w, 7)->reason, "link lost");
    world_socket(w, 7, true);
    world_run(w, 60);
    assert_int_equal(world_page(w, 7)->state, AGENT_BREAK);
    expect_reply(w, world_available(w, 7), RESULT_OK, NULL); /* back by the agent */
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* R3: the socket is gone for 10 s. Less is nothing; during a call the call stays. */
static void test_socket_lost(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    world_socket(w, 7, false);
    world_run(w, 9);
    world_socket(w, 7, true);
    world_run(w, 20);
    assert_int_equal(world_page(w, 7)->state, AGENT_AVAILABLE);
    world_socket(w, 7, false);
    world_run(w, 9.9);
    assert_int_equal(world_page(w, 7)->state, AGENT_AVAILABLE);
    expect_agent(w, 7, AGENT_BREAK, 0.2);
    assert_string_equal(world_page(w, 7)->reason, "link lost");
    world_leads(w, 1, 5);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

static void test_socket_lost_in_call(void **state)
{
    struct world *w = in_a_call(LEG_PERMANENT, 60);

    (void)state;
    world_socket(w, 7, false);
    world_run(w, 30);
    assert_int_equal(world_talks_with(w, 7), 1);
    world_socket(w, 7, true);
    expect_agent(w, 7, AGENT_WRAPUP, 40);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* R3: permanent leg down while available. */
static void test_leg_lost(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    world_phone_drops(w, 7);
    expect_agent(w, 7, AGENT_BREAK, 1);
    assert_string_equal(world_page(w, 7)->reason, "link lost");
    assert_false(world_page(w, 7)->leg_up);
    world_available(w, 7); /* calls the leg again */
    expect_agent(w, 7, AGENT_AVAILABLE, 5);
    assert_true(world_leg_up(w, 7));
    world_close(w);
}

/* R3: leg lost in a call: hold, called back, joined again. */
static void leg_lost_in_call(enum leg_kind leg)
{
    struct world *w = in_a_call(leg, 0);
    const char *number = world_number(w, 1);

    world_run(w, 5);
    world_phone_drops(w, 7);
    world_run(w, 0.2);
    assert_true(world_hears_hold(w, number));
    assert_int_equal(world_page(w, 7)->state, AGENT_BUSY);
    expect_line(w, number, LINE_BRIDGED, 3);
    assert_false(world_hears_hold(w, number));
    assert_int_equal(world_talks_with(w, 7), 1);
    world_hang_up(w, 7);
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    world_dispose(w, 7, "sale");
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_ANSWERED], 1);
    world_close(w);
}

static void test_leg_lost_in_call_permanent(void **state)
{
    (void)state;
    leg_lost_in_call(LEG_PERMANENT);
}

static void test_leg_lost_in_call_on_demand(void **state)
{
    (void)state;
    leg_lost_in_call(LEG_ON_DEMAND);
}

/* It does not come back within 20 s: another eligible agent, else the message. */
static void leg_stays_away(bool second_agent)
{
    struct world *w = with_agent();

    world_agent(w, 8, 1);
    uint64_t lead = world_leads(w, 1, 1);

    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_BUSY, 20);
    if (second_agent) {
        world_ready(w, 8);
    }
    world_phone_answers(w, 7, false);
    world_phone_drops(w, 7);
    world_run(w, 19);
    assert_true(world_hears_hold(w, world_number(w, lead)));
    if (second_agent) {
        expect_agent(w, 8, AGENT_BUSY, 4);
        assert_int_equal(world_talks_with(w, 8), lead);
        assert_false(world_hears_hold(w, world_number(w, lead)));
    } else {
        expect_line(w, world_number(w, lead), LINE_MESSAGE, 4);
        expect_line(w, world_number(w, lead), LINE_NONE, 10);
    }
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    expect_reply(w, world_dispose(w, 7, "sale"), second_agent ? RESULT_REFUSED : RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_BREAK, 1); /* no leg: not available (S7 to S9) */
    world_close(w);
}

static void test_leg_stays_away_other_agent(void **state)
{
    (void)state;
    leg_stays_away(true);
}

static void test_leg_stays_away_message(void **state)
{
    (void)state;
    leg_stays_away(false);
}

/* R8: no phone, not registered, switched off: no calls, and the page says why. */
static void test_no_phone(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_agent(w, 8, 1)->endpoint = (struct text){"", 0};
    world_agent(w, 9, 1)->phone_enabled = false;
    world_leads(w, 1, 5);
    world_begin(w);
    world_phone_online(w, 7, false);
    for (uint64_t a = 7; a <= 9; a++) {
        world_login(w, a);
        expect_agent(w, a, AGENT_BREAK, 1);
        expect_reply(w, world_available(w, a), RESULT_REFUSED,
                     a == 7 ? "not registered" : "no phone");
    }
    world_run(w, 30);
    assert_int_equal(world_witness(w)->originates, 0);
    world_phone_online(w, 7, true);
    world_run(w, 1);
    assert_true(world_page(w, 7)->phone_online);
    world_available(w, 7);
    expect_agent(w, 7, AGENT_AVAILABLE, 5);
    world_close(w);
}

/* R8 and P8: an agent whose phone goes is not counted on. With a permanent leg the leg tells. */
static void test_phone_goes(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE)->leg = LEG_ON_DEMAND;
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    world_agent(w, 8, 2);
    world_begin(w);
    world_ready(w, 7);
    world_ready(w, 8);
    world_phone_online(w, 7, false);
    world_phone_online(w, 8, false);
    expect_agent(w, 7, AGENT_BREAK, 1);
    assert_string_equal(world_page(w, 7)->reason, "no phone");
    world_leads(w, 1, 5);
    world_lead(w, 2, "+12125550177");
    world_callees(w, ANSWERS(3, 0));
    expect_agent(w, 8, AGENT_BUSY, 20); /* its leg is up: it can be heard */
    assert_int_equal(world_attempts(w, world_number(w, 1)), 0);
    world_close(w);
}

/* All of a large house log in at once at a server that takes ten legs a second: each leg is claimed
 * once, waits its turn and is called once; who leaves meanwhile leaves nothing behind. */
static void test_all_log_in_at_once(void **state)
{
    enum { AGENTS = 1500, LEAVE = 5 };
    struct world *w = world_open(1);
    unsigned left = 0;
    unsigned ready = 0;

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_agent(w, a, 1);
    }
    world_begin(w);
    world_pbx_legs_a_second(w, 10);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_login(w, a);
    }
    world_run(w, 5);
    for (uint64_t a = AGENTS; left < LEAVE; a--) {
        if (world_page(w, a)->state == AGENT_CONNECTING) {
            assert_string_equal(world_page(w, a)->text,
                                "the telephone server is busy; your phone will ring");
            world_logout(w, a);
            left++;
        }
    }
    world_run(w, 160);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        ready += world_page(w, a)->state == AGENT_BREAK && world_leg_up(w, a) ? 1u : 0u;
    }
    assert_int_equal(ready, AGENTS - LEAVE);
    assert_int_equal(world_witness(w)->leg_claims, AGENTS);
    assert_int_equal(world_witness(w)->legs, AGENTS - LEAVE);
    assert_int_equal(world_open_legs(w), AGENTS - LEAVE);
    world_close(w);
}

/* R2: the kind of the leg does not change while logged in. */
static void test_leg_kind_stays(void **state)
{
    struct world *w = with_agent();

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    world_campaign_config(w, 1)->leg = LEG_ON_DEMAND;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 5);
    assert_true(world_leg_up(w, 7));
    world_logout(w, 7);
    expect_agent(w, 7, AGENT_OFFLINE, 1);
    world_run(w, 2);
    world_ready(w, 7);
    world_run(w, 5);
    assert_false(world_leg_up(w, 7));
    world_close(w);
}

/* Agent 7 of a campaign with legs on demand, whose leads ring for 5 s, answer and talk on. */
static struct world *on_demand(unsigned leads)
{
    struct world *w = with_agent();

    world_campaign_config(w, 1)->leg = LEG_ON_DEMAND;
    world_leads(w, 1, leads);
    world_callees(w, ANSWERS(5, 0));
    return w;
}

/* On demand, and the daemon restarts while the agent's phone is up: the leg serves the next call.
 * Its tone is over while the customer is still called, and that word counts after the answer. */
static void test_leg_left_over(void **state)
{
    struct world *w = on_demand(2);

    (void)state;
    world_callee(w, world_number(w, 1), NEVER);
    world_begin(w);
    world_ready(w, 7);
    expect_line(w, world_number(w, 1), LINE_RINGING, 10);
    world_restart(w);
    assert_true(world_leg_up(w, 7));
    world_login(w, 7);
    world_run(w, 1);
    world_available(w, 7);
    expect_line(w, world_number(w, 2), LINE_RINGING, 60);
    assert_true(world_leg_up(w, 7));
    expect_line(w, world_number(w, 2), LINE_BRIDGED, 6);
    assert_int_equal(world_talks_with(w, 7), 2);
    assert_int_equal(world_witness(w)->legs, 1);
    world_close(w);
}

/* On demand, and the call ends while the daemon is away: the leg that is found has no call any
 * more, and ends, whether its agent is in wrap-up or waits for the next one. */
static void test_leg_left_without_call(void **state)
{
    struct world *w = on_demand(1);

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_BUSY, 10);
    world_restart_without_pbx(w);
    world_customer_hangs_up(w, world_number(w, 1));
    world_run(w, 1);
    world_pbx_up(w, true);
    world_login(w, 7);
    world_run(w, 2);
    assert_true(world_leg_up(w, 7));
    expect_agent(w, 7, AGENT_WRAPUP, 1);
    world_run(w, 20);
    assert_false(world_leg_up(w, 7));
    assert_int_equal(world_open_legs(w), 0);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* And a call that goes on keeps its leg. */
static void test_leg_found_with_call(void **state)
{
    struct world *w = on_demand(1);

    (void)state;
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_BUSY, 10);
    world_restart(w);
    world_login(w, 7);
    world_run(w, 40);
    assert_true(world_leg_up(w, 7));
    assert_int_equal(world_talks_with(w, 7), 1);
    world_close(w);
}

/* An agent takes the call and says no more, and the link is away when the two seconds are over:
 * they begin anew when it is back. */
static void test_silent_agent_link_away(void **state)
{
    struct world *w = world_open(1);
    struct msg_agent_status ready = {
        .agent = 99, .state = AGENT_AVAILABLE, .pbx = WORLD_PBX, .leg = LEG_PERMANENT};
    struct msg_reserved yes = {.agent = 99, .ok = true, .pbx = WORLD_PBX};
    handle campaign = named(KIND_CAMPAIGN, 1);
    handle agent = named(KIND_AGENT, 99);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    sim_post(world_sim(w), 0, agent, campaign, MSG_agent_status, &ready);
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 20);
    yes.attempt = words_of(world_attempt(w, world_number(w, 1)));
    yes.leg = words_of("leg-0001-00000063-00000001-00000001");
    sim_post(world_sim(w), 0, agent, campaign, MSG_reserved, &yes);
    world_run(w, 1.5);
    world_pbx_up(w, false);
    world_run(w, 2);
    world_pbx_up(w, true);
    expect_line(w, world_number(w, 1), LINE_MESSAGE, 2.2);
    world_run(w, 30);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ABANDONED);
    assert_int_equal(world_lines(w), 0);
    world_close(w);
}

/* The join was on its way when the link went, and the list tells of the leg first: that it is gone
 * is no proof that the customer has heard nobody. */
static void test_joined_unseen(void **state)
{
    struct world *w = world_open(1);
    struct msg_agent_status ready = {
        .agent = 99, .state = AGENT_AVAILABLE, .pbx = WORLD_PBX, .leg = LEG_PERMANENT};
    struct msg_reserved yes = {.agent = 99, .ok = true, .ready = true, .pbx = WORLD_PBX};
    struct msg_leg_lost lost = {.agent = 99};
    handle campaign = named(KIND_CAMPAIGN, 1);
    handle agent = named(KIND_AGENT, 99);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    sim_post(world_sim(w), 0, agent, campaign, MSG_agent_status, &ready);
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 20);
    world_link_deaf(w);
    yes.attempt = words_of(world_attempt(w, world_number(w, 1)));
    yes.leg = words_of("leg-0001-00000063-00000001-00000001");
    sim_post(world_sim(w), 0, agent, campaign, MSG_reserved, &yes);
    world_run(w, 0.1);
    world_link_noticed(w);
    world_run(w, 3);
    lost.attempt = yes.attempt;
    sim_post(world_sim(w), 0, agent, campaign, MSG_leg_lost, &lost);
    world_customer_hangs_up(w, world_number(w, 1));
    world_run(w, 0.1);
    world_link_back(w);
    world_run(w, 30);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_UNKNOWN);
    assert_int_equal(world_lines(w), 0);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset_without_socket),
        cmocka_unit_test(test_socket_lost),
        cmocka_unit_test(test_socket_lost_in_call),
        cmocka_unit_test(test_leg_lost),
        cmocka_unit_test(test_leg_lost_in_call_permanent),
        cmocka_unit_test(test_leg_lost_in_call_on_demand),
        cmocka_unit_test(test_leg_stays_away_other_agent),
        cmocka_unit_test(test_leg_stays_away_message),
        cmocka_unit_test(test_no_phone),
        cmocka_unit_test(test_phone_goes),
        cmocka_unit_test(test_all_log_in_at_once),
        cmocka_unit_test(test_leg_kind_stays),
        cmocka_unit_test(test_leg_left_over),
        cmocka_unit_test(test_leg_left_without_call),
        cmocka_unit_test(test_leg_found_with_call),
        cmocka_unit_test(test_silent_agent_link_away),
        cmocka_unit_test(test_joined_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
