/* test_stop.c - stop, drain, do-not-call (R24), and why (P7). */
#include "tests/sim/sim_test.h"

/* R24: stop lets ringing calls finish, and what is claimed goes back. */
static void test_stop(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 5, 100);

    (void)state;
    world_callees(w, ANSWERS(10, 0));
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 2);
    assert_int_equal(world_lines(w), 5);
    expect_reply(w, world_switch(w, 1, 2), RESULT_OK, NULL);
    world_run(w, 1);
    assert_int_equal(world_lines(w), 5);
    assert_int_equal(world_open_attempts(w), 5);
    assert_int_equal(world_hopper_length(w, 1), 0);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->bridged, 5);
    assert_int_equal(world_board(w, 1)->state, CAMPAIGN_STOPPED);
    assert_int_equal(world_witness(w)->originates, 5);
    for (uint64_t a = 1; a <= 5; a++) {
        world_hang_up(w, a);
        expect_agent(w, a, AGENT_WRAPUP, 2);
        world_dispose(w, a, "sale");
    }
    world_run(w, 30);
    assert_int_equal(world_witness(w)->originates, 5);
    expect_reply(w, world_dial(w, 1, "+12125550142"), RESULT_REFUSED, "not running");
    world_switch(w, 1, 1);
    world_run(w, 5);
    assert_int_equal(world_witness(w)->originates, 10);
    world_close(w);
}

static void test_stop_now(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 5, 100);

    (void)state;
    world_callees(w, ANSWERS(10, 0));
    world_begin(w);
    all_ready(w, 4);
    expect_agent(w, 1, AGENT_BUSY, 15);
    world_ready(w, 5);
    world_run(w, 2);
    assert_int_equal(world_lines(w), 5);
    world_switch(w, 1, 3);
    world_run(w, 1.9);
    assert_int_equal(world_lines(w), 4); /* conversations stay */
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_CANCELLED], 1);
    assert_int_equal(world_open_attempts(w), 4);
    world_close(w);
}

/* A configuration that was read before a switch and comes after it undoes nothing; one that says
 * something new about the wish does. */
static void test_stale_wish(void **state)
{
    (void)state;
    struct world *w = with_agents(MODE_PROGRESSIVE, 2, 50);

    world_campaign_config(w, 1)->active = true;
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 3);
    assert_true(world_lines(w) > 0);
    world_switch(w, 1, 2);
    world_run(w, 1);
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 120);
    assert_int_equal(world_lines(w), 0);
    world_campaign_config(w, 1)->active = false;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 1);
    world_switch(w, 1, 1);
    world_changed(w, KIND_CAMPAIGN, 1); /* read before the start, comes after it */
    world_run(w, 400);
    assert_true(world_lines(w) > 0);
    world_campaign_config(w, 1)->active = true;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 1);
    world_campaign_config(w, 1)->active = false; /* news: somebody stopped it elsewhere */
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 120);
    assert_int_equal(world_lines(w), 0);
    world_close(w);
}

/* R24: rows that are claimed and wait for a line when somebody changes his mind. The trunk has
 * three lines, and then many: what may not go any more does not go, and goes back within 2 s. */
static void minds_stop(struct world *w)
{
    world_switch(w, 1, 2);
}

static void minds_stop_now(struct world *w)
{
    world_switch(w, 1, 3);
}

static void minds_list(struct world *w)
{
    world_list_active(w, 1, false);
}

static void minds_do_not_call(struct world *w)
{
    for (uint64_t lead = 1; lead <= 100; lead++) {
        world_do_not_call(w, world_number(w, lead));
    }
}

/* Only the gate knows prefixes: rows that are claimed after it wait for a line, and then do not go.
 */
static void minds_prefixes(struct world *w)
{
    world_campaign_config(w, 1)->prefixes = (struct text){"+44", 3};
    world_changed(w, KIND_CAMPAIGN, 1);
}

static void minds_hours(struct world *w)
{
    world_campaign_config(w, 1)->window_to_min = 1;
    world_changed(w, KIND_CAMPAIGN, 1);
}

/* Rows stay claimed, as they may go when a call ends; they do not go before. */
static void minds_lines(struct world *w)
{
    world_campaign_config(w, 1)->max_lines = 3;
    world_changed(w, KIND_CAMPAIGN, 1);
}

static void minds_manual(struct world *w)
{
    world_campaign_config(w, 1)->mode = MODE_MANUAL;
    world_changed(w, KIND_CAMPAIGN, 1);
}

static void (*const changes_mind[])(struct world *w) = {
    minds_stop,     minds_stop_now, minds_list,  minds_do_not_call,
    minds_prefixes, minds_hours,    minds_lines, minds_manual};

static void test_claimed_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes_mind / sizeof changes_mind[0]; i++) {
        struct world *w = with_agents(MODE_PROGRESSIVE, 10, 100);
        bool stays = changes_mind[i] == minds_lines || changes_mind[i] == minds_manual ||
                     changes_mind[i] == minds_prefixes;
        bool cancels = changes_mind[i] == minds_stop_now || changes_mind[i] == minds_do_not_call;

        world_trunk(w)->lines = 3;
        world_callees(w, NEVER);
        world_begin(w);
        all_ready(w, 10);
        world_run(w, 3);
        assert_int_equal(world_lines(w), 3);
        assert_in_range(world_board(w, 1)->claimed, 5, 10);
        changes_mind[i](w);
        world_run(w, 2);
        assert_int_equal(world_lines(w), cancels ? 0 : 3);
        if (!stays) {
            if (world_board(w, 1)->claimed != 0) {
                fail_msg("change %u: %u rows are claimed still", (unsigned)i,
                         world_board(w, 1)->claimed);
            }
            assert_int_equal(world_open_attempts(w), world_lines(w));
        }
        world_trunk(w)->lines = 50;
        world_changed(w, KIND_TRUNK, 1);
        world_run(w, 10);
        assert_int_equal(world_witness(w)->originates, 3);
        world_close(w);
    }
}

/* A list that is stopped: its rows in the hopper and the claimed ones are not dialed. */
static void test_list_stopped(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 3, 100);

    (void)state;
    world_callees(w, HEARS_BUSY);
    world_begin(w);
    all_ready(w, 3);
    world_run(w, 5);
    world_list_active(w, 1, false);
    world_run(w, 2);
    uint64_t before = world_witness(w)->originates;

    assert_true(before > 0);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, before);
    assert_int_equal(world_open_attempts(w), 0);
    expect_reply(w, world_explain_lead(w, 90), RESULT_OK, "list_stopped");
    world_list_active(w, 1, true);
    world_run(w, 5);
    assert_true(world_witness(w)->originates > before);
    world_close(w);
}

/* Do-not-call acts on a call that rings, on a claimed row, on the hopper. */
static void test_do_not_call(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 6);

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    for (uint64_t lead = 1; lead <= 5; lead++) {
        world_do_not_call(w, world_number(w, lead));
    }
    world_run(w, 1.9);
    assert_int_equal(world_line(w, world_number(w, 1)), LINE_NONE);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_CANCELLED);
    world_run(w, 3600);
    for (uint64_t lead = 1; lead <= 5; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), lead == 1 ? 1 : 0);
        assert_true(world_row_final(w, lead));
    }
    assert_int_equal(world_attempts(w, world_number(w, 6)), 3);
    expect_reply(w, world_dial(w, 1, world_number(w, 2)), RESULT_REFUSED, "do-not-call");
    assert_true(world_refused(w, 1, REASON_do_not_call) > 0);
    world_close(w);
}

/* The suppression overtakes the answer to a claim that was committed before it. */
static void test_do_not_call_overtakes_claim(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    struct msg_suppressed told = {.account = 1};

    (void)state;
    world_callees(w, ANSWERS(3, 0));
    world_begin(w);
    world_login(w, 1);
    expect_agent(w, 1, AGENT_BREAK, 5);
    world_store_latency(w, 500);
    world_available(w, 1);
    world_run(w, 0.3);
    assert_int_equal(world_witness(w)->claims_allowed, 1);
    told.number = (struct text){world_number(w, 1), 12};
    sim_post(world_sim(w), 0, named(KIND_CTL, 0), ADDR_DESK, MSG_suppressed, &told);
    world_do_not_call(w, world_number(w, 1));
    world_run(w, 60);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 0);
    assert_true(world_row_final(w, 1));
    world_close(w);
}

/* The disposition do-not-call: for every campaign, at once. */
static void test_disposed_do_not_call(void **state)
{
    struct world *w = world_open(1);
    const char *number = "+12125550177";

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 1, 1);
    world_agent(w, 2, 2);
    world_lead(w, 1, number);
    world_lead(w, 2, number);
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    world_ready(w, 1);
    expect_agent(w, 1, AGENT_WRAPUP, 20);
    expect_reply(w, world_dispose(w, 1, "dnc"), RESULT_OK, NULL);
    assert_true(world_suppressed(w, number));
    world_ready(w, 2);
    world_run(w, 2 * 86400.0);
    assert_int_equal(world_attempts(w, number), 1);
    world_close(w);
}

/* SIGTERM: no new dials at once, ringing calls are served or cancelled in the time, and it ends. */
static void test_drain(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 6, 100);

    (void)state;
    for (uint64_t lead = 1; lead <= 100; lead++) {
        world_callee(w, world_number(w, lead), lead % 2 ? ANSWERS(10, 0) : NEVER);
    }
    world_begin(w);
    all_ready(w, 6);
    world_run(w, 2);
    assert_int_equal(world_lines(w), 6);
    uint64_t before = world_witness(w)->originates;

    world_drain(w, 30);
    world_run(w, 15);
    assert_int_equal(world_witness(w)->originates, before);
    assert_int_equal(world_witness(w)->bridged, 3);
    assert_false(world_drained(w));
    world_run(w, 11); /* the others are cancelled after 24 s */
    assert_true(world_drained(w));
    assert_int_equal(world_lines(w), 3); /* bridged calls stay up */
    assert_int_equal(world_witness(w)->drained, 1);
    world_close(w);
}

static void test_drain_quiet(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 0);

    (void)state;
    world_begin(w);
    world_drain(w, 30);
    world_run(w, 1);
    assert_true(world_drained(w));
    world_close(w);
}

/* Claims that come back during a drain go back at once. */
static void test_drain_with_slow_store(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 5, 100);

    (void)state;
    world_begin(w);
    for (uint64_t a = 1; a <= 5; a++) {
        world_login(w, a);
        expect_agent(w, a, AGENT_BREAK, 5);
    }
    world_store_latency(w, 2000);
    for (uint64_t a = 1; a <= 5; a++) {
        world_available(w, a);
    }
    world_run(w, 0.5);
    world_drain(w, 30);
    world_run(w, 6);
    assert_int_equal(world_witness(w)->originates, 0);
    assert_true(world_witness(w)->claims_allowed > 0);
    assert_true(world_drained(w));
    assert_int_equal(world_open_attempts(w), 0);
    expect_row(w, 1, ROW_PENDING, 1);
    world_close(w);
}

/* P7: the answers of explain. */
static void test_explain(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 3);

    (void)state;
    world_callees(w, NEVER);
    world_begin(w);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "\"state\":\"running\"");
    all_ready(w, 1);
    world_run(w, 3);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "pace_full");
    expect_reply(w, world_explain_lead(w, 1), RESULT_OK, "number_alive");
    expect_reply(w, world_explain_lead(w, 3), RESULT_OK, "pace_full");
    world_run(w, 40);
    expect_reply(w, world_explain_lead(w, 1), RESULT_OK, "not_due");
    world_do_not_call(w, world_number(w, 3));
    expect_reply(w, world_explain_lead(w, 3), RESULT_OK, "do_not_call");
    world_switch(w, 1, 2);
    world_run(w, 1);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "campaign_stopped");
    expect_reply(w, world_switch(w, 99, 1), RESULT_NOT_FOUND, "no such campaign");
    world_run(w, 60);
    world_close(w);
}

/* Called off while the link is away, and answered before it is back: who waits hears the message,
 * and the line is in use for as long as nobody can tell. */
static void test_stop_link_away(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 2);

    (void)state;
    world_trunk(w)->lines = 1;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_link_deaf(w);
    world_run(w, 1);
    world_link_noticed(w);
    world_switch(w, 1, 3);
    world_run(w, 15);
    assert_int_equal(world_open_attempts(w), 1);
    world_switch(w, 1, 1);
    world_link_back(w);
    expect_line(w, world_number(w, 1), LINE_MESSAGE, 2.2);
    world_run(w, 30);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ABANDONED);
    assert_int_equal(world_witness(w)->lines_most, 1);
    world_close(w);
}

/* The hang-up of a call that rings is lost on a deaf link: asked for again when the list has the
 * call, and its line is in use until it is over. */
static void test_stop_hang_up_lost(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 2);
    const char *number = world_number(w, 1);

    (void)state;
    world_trunk(w)->lines = 1;
    world_callees(w, ANSWERS(20, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_link_deaf(w);
    world_switch(w, 1, 3);
    world_run(w, 3);
    world_link_noticed(w);
    world_run(w, 1);
    expect_line(w, number, LINE_RINGING, 0);
    world_switch(w, 1, 1);
    world_link_back(w);
    expect_line(w, number, LINE_NONE, 2);
    world_run(w, 5);
    assert_int_equal(world_outcome(w, number), OUTCOME_CANCELLED);
    assert_int_equal(world_witness(w)->lines_most, 1);
    world_close(w);
}

/* The same, answered while nobody holds the application: the dialplan has the call, and brings it
 * when the link is back. Called off before that, or after it. */
static void stop_link_cut(bool before)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 2);

    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 5);
    world_pbx_up(w, false);
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 6);
    if (before) {
        world_switch(w, 1, 3);
    }
    world_run(w, 0.6);
    expect_line(w, world_number(w, 1), LINE_ANSWERED, 0);
    world_pbx_up(w, true);
    if (!before) {
        world_run(w, 0.2);
        world_switch(w, 1, 3);
    }
    expect_line(w, world_number(w, 1), LINE_MESSAGE, 1.2);
    world_run(w, 30);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ABANDONED);
    world_close(w);
}

static void test_stop_link_cut(void **state)
{
    (void)state;
    stop_link_cut(true);
    stop_link_cut(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_link_away),
        cmocka_unit_test(test_stop_link_cut),
        cmocka_unit_test(test_stop_now),
        cmocka_unit_test(test_claimed_rows),
        cmocka_unit_test(test_list_stopped),
        cmocka_unit_test(test_do_not_call),
        cmocka_unit_test(test_do_not_call_overtakes_claim),
        cmocka_unit_test(test_stale_wish),
        cmocka_unit_test(test_disposed_do_not_call),
        cmocka_unit_test(test_stop_hang_up_lost),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_quiet),
        cmocka_unit_test(test_drain_with_slow_store),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
