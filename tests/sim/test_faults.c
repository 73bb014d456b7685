/* test_faults.c - what must hold when a part fails: the claim, the link, the daemon. */
#include "tests/sim/sim_test.h"

#include <string.h>

/* An originate without its row cannot be: the telephony wants the permit, and only the store makes
 * permits, after the commit, for one attempt and one number. */
static void test_forged_originate(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    char attempt[40];

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_row(w, 1, ROW_DIALING, 5);
    (void)strcpy(attempt, world_attempt(w, world_number(w, 1)));
    world_forge_originate(w, "att-0051-00000001-00000001-0000ffff", "+12125550177", 0);
    world_forge_originate(w, "att-0051-00000001-00000001-0000ffff", "+12125550177", 4711);
    world_forge_originate(w, attempt, "+12125550177", 4711);
    world_forge_originate(w, attempt, world_number(w, 1), 4711);
    assert_int_equal(world_witness(w)->unclaimed, 4);
    assert_int_equal(world_attempts(w, "+12125550177"), 0);
    world_close(w);
}

/* The request never left, or was refused: our fault, 60 s, no attempt used. */
static void refused_originate(uint8_t fate)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_next_originate_fails(w, fate, false);
    all_ready(w, 1);
    expect_row(w, 1, ROW_FAILED, 5);
    assert_int_equal(world_outcome(w, number), OUTCOME_FAULT);
    assert_in_range(world_row_due_ms(w, 1) - world_now_ms(w), 59000, 60000);
    assert_int_equal(world_lines(w), 0);
    world_run(w, 305); /* the number's own interval binds as well */
    expect_agent(w, 1, AGENT_BUSY, 60);
    world_close(w);
}

static void test_refused_originate(void **state)
{
    (void)state;
    refused_originate(0);
    refused_originate(1);
}

/* Fate unknown, and it was carried out: it rings, is answered, gets its agent. */
static void test_unknown_carried_out(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 10));
    world_begin(w);
    world_next_originate_fails(w, 2, true);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 15);
    assert_int_equal(world_talks_with(w, 1), 1);
    expect_agent(w, 1, AGENT_WRAPUP, 15);
    expect_row(w, 1, ROW_COMPLETED, 1);
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_ANSWERED], 1);
    world_close(w);
}

/* Fate unknown, and nothing shows itself: counts as dialed, waits its retry interval. */
static void test_unknown_lost(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    world_next_originate_fails(w, 2, false);
    all_ready(w, 1);
    expect_row(w, 1, ROW_FAILED, 70);
    assert_int_equal(world_outcome(w, number), OUTCOME_UNKNOWN);
    assert_in_range(world_row_due_ms(w, 1) - world_now_ms(w), 299000, 300000);
    world_run(w, 290);
    assert_int_equal(world_lines(w), 0);
    expect_agent(w, 1, AGENT_BUSY, 30);
    world_close(w);
}

/* Somebody else has put a hundred thousand rows into the hopper, before ours and behind them. */
static void test_flooded_hopper(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 3, 60);

    (void)state;
    world_callees(w, ANSWERS(5, 20));
    for (uint64_t a = 1; a <= 3; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 2, .code = "sale"});
    }
    world_begin(w);
    for (uint64_t row = 1; row <= 50000; row++) {
        world_hopper_push(w, 1, 1000000 + row);
    }
    all_ready(w, 3);
    world_run(w, 60);
    assert_true(world_witness(w)->originates >= 3);
    uint64_t before = world_witness(w)->originates;

    for (uint64_t row = 1; row <= 50000; row++) {
        world_hopper_push(w, 1, 1000000 + row);
    }
    world_run(w, 30);
    assert_true(world_hopper_length(w, 1) <= 60);
    assert_true(world_witness(w)->originates > before);
    world_close(w);
}

/* S9: the call's end was not heard. The agent is asked for again and again; a talk of an hour is
 * not ended by that. */
static void test_unheard_end(void **state)
{
    struct world *w = one_call(5, 3600);

    (void)state;
    world_run(w, 3500);
    expect_agent(w, 1, AGENT_BUSY, 0);
    world_pbx_hides_ends(w, true);
    world_customer_hangs_up(w, world_number(w, 1));
    expect_agent(w, 1, AGENT_WRAPUP, 601);
    world_pbx_hides_ends(w, false);
    world_dispose(w, 1, "sale");
    expect_row(w, 1, ROW_COMPLETED, 5);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ANSWERED);
    world_close(w);
}

/* Events may come twice. */
static void test_duplicates(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 5, 200);

    (void)state;
    world_pbx_duplicates(w, 0.7);
    world_population(w, 0.6, 0.1, 0.1, 20);
    for (uint64_t a = 1; a <= 5; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 5, .hang_up_share = 0.3, .code = "sale"});
    }
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 3600);
    uint64_t ended = 0;

    for (unsigned o = 0; o < OUTCOMES; o++) {
        ended += o == OUTCOME_NEVER_SENT ? 0 : world_witness(w)->by_outcome[o];
    }
    assert_true(ended > 150);
    assert_int_equal(ended + world_open_attempts(w), world_witness(w)->originates);
    world_close(w);
}

/* A slow Asterisk: every promise holds, the 2 s included. */
static void test_slow_pbx(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 5, 200);

    (void)state;
    world_pbx_latency(w, 150);
    world_population(w, 0.6, 0.1, 0.1, 20);
    for (uint64_t a = 1; a <= 5; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 5, .hang_up_share = 0.3, .code = "sale"});
    }
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 3600);
    assert_true(world_witness(w)->bridged > 80);
    assert_int_equal(world_witness(w)->messages, 0);
    world_close(w);
}

/* The agent's phone goes at the moment of the answer: hold is for those who have talked; who has
 * only answered gets another agent or the message within 2 s. */
static void test_leg_lost_at_answer(void **state)
{
    struct world *w = world_open(1);
    const char *number = "+12125550177";

    (void)state;
    world_campaign(w, 1, MODE_MANUAL);
    world_agent(w, 7, 1);
    world_callees(w, ANSWERS(5, 0));
    world_pbx_latency(w, 30);
    world_begin(w);
    world_ready(w, 7);
    world_dial(w, 7, number);
    expect_line(w, number, LINE_RINGING, 5);
    world_phone_answers(w, 7, false);
    expect_line(w, number, LINE_ANSWERED, 10);
    world_phone_drops(w, 7);
    expect_line(w, number, LINE_MESSAGE, 2.3);
    expect_line(w, number, LINE_NONE, 6);
    world_run(w, 0.2);
    assert_int_equal(world_outcome(w, number), OUTCOME_ABANDONED);
    world_close(w);
}

/* --- the link ----------------------------------------------------------------------------- */

/* Socket to Asterisk lost for 10 s: conversations stay, what ended meanwhile is known to have
 * ended, nobody is called meanwhile. */
static void test_link_lost(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 3, 100);

    (void)state;
    world_callee(w, world_number(w, 1), ANSWERS(3, 0));
    world_callee(w, world_number(w, 2), ANSWERS(3, 15));
    world_callees(w, NEVER);
    world_begin(w);
    world_ready(w, 1);
    world_ready(w, 2);
    world_run(w, 10);
    world_ready(w, 3);
    world_run(w, 3);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_talks_with(w, 2), 2);
    assert_int_equal(world_line(w, world_number(w, 3)), LINE_RINGING);
    uint64_t before = world_witness(w)->originates;

    world_pbx_up(w, false);
    world_run(w, 10);
    assert_int_equal(world_witness(w)->originates, before);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "line_away");
    world_pbx_up(w, true);
    world_run(w, 1);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_page(w, 1)->state, AGENT_BUSY);
    assert_int_equal(world_page(w, 2)->state, AGENT_WRAPUP);
    assert_int_equal(world_line(w, world_number(w, 3)), LINE_RINGING);
    expect_row(w, 2, ROW_COMPLETED, 1);
    world_dispose(w, 2, "sale");
    expect_agent(w, 2, AGENT_AVAILABLE, 1);
    world_run(w, 5);
    assert_true(world_witness(w)->originates > before);
    world_run(w, 60);
    world_close(w);
}

/* Answered while the link was away, and back within the dialplan's 1.5 s and more: served. */
static void test_answered_while_away(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);

    (void)state;
    world_callees(w, ANSWERS(6, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 3);
    world_run(w, 4);
    world_pbx_up(w, false);
    world_run(w, 3);
    world_pbx_up(w, true);
    expect_agent(w, 1, AGENT_BUSY, 3);
    assert_int_equal(world_talks_with(w, 1), 1);
    world_close(w);
}

/* Asterisk restarted: every call there is over. */
static void test_pbx_restarted(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 4, 100);

    (void)state;
    world_callee(w, world_number(w, 1), ANSWERS(3, 0));
    world_callee(w, world_number(w, 2), ANSWERS(3, 0));
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 4);
    world_run(w, 5);
    assert_int_equal(world_lines(w), 4);
    world_pbx_restarts(w, 8);
    world_run(w, 9);
    assert_int_equal(world_lines(w), 0);
    expect_agent(w, 1, AGENT_WRAPUP, 1);
    expect_agent(w, 2, AGENT_WRAPUP, 1);
    expect_agent(w, 3, AGENT_BREAK, 1); /* its permanent leg is gone */
    assert_string_equal(world_page(w, 3)->reason, "link lost");
    assert_int_equal(world_outcome(w, world_number(w, 3)), OUTCOME_UNKNOWN);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ANSWERED);
    expect_reply(w, world_dispose(w, 1, "sale"), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_AVAILABLE, 1); /* its leg was called again: it was in a call */
    world_run(w, 10);
    assert_int_equal(world_lines(w), 1);
    world_break(w, 1, "coffee");
    world_run(w, 70); /* what was claimed for agents who were not there went back */
    assert_int_equal(world_open_attempts(w), 0);
    world_close(w);
}

/* --- the daemon --------------------------------------------------------------------------- */

/* P6: the daemon dies in the middle and comes back: bridged calls are adopted with their agents,
 * ringing ones are served, what ended meanwhile is closed; no number is called again. */
static void test_restart(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 4, 100);

    (void)state;
    world_callee(w, world_number(w, 1), ANSWERS(3, 0));
    world_callee(w, world_number(w, 2), ANSWERS(3, 0));
    world_callee(w, world_number(w, 3), ANSWERS(15, 0));
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 4);
    world_run(w, 5);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_line(w, world_number(w, 3)), LINE_RINGING);
    uint64_t before = world_witness(w)->originates;

    world_restart(w);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_talks_with(w, 2), 2);
    assert_int_equal(world_page(w, 1)->state, AGENT_BUSY);
    for (uint64_t a = 1; a <= 4; a++) {
        world_login(w, a);
    }
    world_run(w, 1);
    expect_agent(w, 3, AGENT_BREAK, 1);
    assert_true(world_leg_up(w, 3));
    world_available(w, 3);
    expect_agent(w, 3, AGENT_BUSY, 20); /* the one that rang */
    assert_int_equal(world_talks_with(w, 3), 3);
    assert_int_equal(world_witness(w)->originates, before);
    expect_reply(w, world_hang_up(w, 1), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_WRAPUP, 1);
    assert_true(world_page(w, 1)->needs_disposition);
    world_dispose(w, 1, "sale");
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "sale");
    world_run(w, 60);
    assert_int_equal(world_attempts(w, world_number(w, 2)), 1);
    world_close(w);
}

/* Adopted calls use lines as others do. */
static void test_restart_with_few_lines(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 4, 20);

    (void)state;
    world_trunk(w)->lines = 3;
    world_callees(w, ANSWERS(3, 0));
    world_begin(w);
    world_ready(w, 1);
    world_ready(w, 2);
    world_run(w, 10);
    assert_int_equal(world_lines(w), 2);
    world_restart(w);
    for (uint64_t a = 1; a <= 4; a++) {
        world_login(w, a);
    }
    world_run(w, 5);
    world_available(w, 3);
    world_available(w, 4);
    world_run(w, 60);
    assert_int_equal(world_lines(w), 3);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "lines_used");
    world_hang_up(w, 1);
    world_run(w, 10);
    assert_int_equal(world_lines(w), 3); /* the line came back and was used */
    world_close(w);
}

/* Rows claimed and not sent when the daemon died: unknown, so they count as dialed. */
static void test_restart_with_claims(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 10, 200);

    (void)state;
    world_callees(w, HEARS_BUSY);
    world_begin(w);
    all_ready(w, 10);
    world_run(w, 5);
    world_restart(w);
    world_run(w, 120);
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_lines(w), 0);
    for (uint64_t lead = 1; lead <= 200; lead++) {
        assert_int_not_equal(world_row(w, lead), ROW_DIALING);
        assert_in_range(world_attempts(w, world_number(w, lead)), 0, 1);
    }
    world_close(w);
}

/* The daemon comes back, Asterisk only two minutes later: the conversation is adopted all the same.
 */
static void test_restart_before_pbx(void **state)
{
    struct world *w = one_call(3, 0);

    (void)state;
    world_run(w, 5);
    world_restart_without_pbx(w);
    world_run(w, 120);
    world_pbx_up(w, true);
    world_run(w, 1);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_page(w, 1)->state, AGENT_BUSY);
    world_close(w);
}

/* The agent's leg ended while the daemon was away: hold, leg called again, joined. */
static void test_restart_leg_gone(void **state)
{
    struct world *w = one_call(3, 0);

    (void)state;
    world_run(w, 5);
    world_restart_without_pbx(w);
    world_phone_drops(w, 1);
    world_run(w, 1);
    world_pbx_up(w, true);
    world_login(w, 1);
    expect_line(w, world_number(w, 1), LINE_BRIDGED, 5);
    assert_int_equal(world_talks_with(w, 1), 1);
    assert_int_equal(world_page(w, 1)->state, AGENT_BUSY);
    world_close(w);
}

/* The customer hung up while the daemon was away: the agent disposes it all the same. */
static void test_restart_customer_gone(void **state)
{
    struct world *w = one_call(3, 0);

    (void)state;
    world_run(w, 5);
    world_restart_without_pbx(w);
    world_customer_hangs_up(w, world_number(w, 1));
    world_run(w, 1);
    world_pbx_up(w, true);
    world_login(w, 1);
    world_run(w, 2);
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_ANSWERED);
    expect_agent(w, 1, AGENT_WRAPUP, 1);
    expect_reply(w, world_dispose(w, 1, "sale"), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* The link is back after a restart. Agents who talked before it say that they are available in the
 * moment between their leg's being found and their campaign's word of the call; others have
 * answered and wait. Nobody is taken from the one for the other. */
static void restart_available_in_a_call(uint64_t seed)
{
    const unsigned talking = 6, waiting = 4;
    struct world *w = world_open_with(seed, false, false, 20);
    uint64_t lead[6];

    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= talking + waiting; a++) {
        world_agent(w, a, 1);
    }
    (void)world_leads(w, 1, talking + waiting);
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, talking);
    for (uint64_t a = 1; a <= talking; a++) {
        expect_agent(w, a, AGENT_BUSY, 30);
        lead[a - 1] = world_talks_with(w, a);
    }
    for (uint64_t a = talking + 1; a <= talking + waiting; a++) {
        world_ready(w, a);
    }
    expect_line(w, world_number(w, talking + waiting), LINE_RINGING, 5);
    for (uint64_t a = talking + 1; a <= talking + waiting; a++) {
        (void)world_break(w, a, "lunch");
    }
    expect_line(w, world_number(w, talking + waiting), LINE_ANSWERED, 6);
    world_restart_without_pbx(w);
    for (uint64_t a = 1; a <= talking; a++) {
        (void)world_login(w, a);
    }
    world_run(w, 1);
    world_pbx_up(w, true);
    for (unsigned i = 0; i < 60; i++) {
        for (uint64_t a = 1; a <= talking; a++) {
            if (world_page(w, a)->state == AGENT_BREAK) {
                (void)world_available(w, a);
            }
        }
        world_run(w, 0.001);
    }
    world_run(w, 5);
    for (uint64_t a = 1; a <= talking; a++) {
        assert_int_equal(world_talks_with(w, a), lead[a - 1]);
        assert_int_equal(world_page(w, a)->state, AGENT_BUSY);
    }
    assert_true(world_witness(w)->messages > 0);
    world_close(w);
}

static void test_restart_available_in_a_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        restart_available_in_a_call(seed);
    }
}

/* A page that does not come back: the adopted leg is not held for ever (P2). */
static void test_restart_agent_stays_away(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 0);

    (void)state;
    world_begin(w);
    all_ready(w, 1);
    world_restart(w);
    world_run(w, 30);
    assert_true(world_leg_up(w, 1));
    world_run(w, 40);
    assert_false(world_leg_up(w, 1));
    assert_int_equal(world_open_legs(w), 0);
    world_close(w);
}

/* A store that is away while agents end their calls: nothing of it is lost. */
static void test_disposed_while_store_away(void **state)
{
    struct world *w = one_call(3, 10);

    (void)state;
    world_store_up(w, false);
    expect_agent(w, 1, AGENT_WRAPUP, 15);
    expect_reply(w, world_dispose(w, 1, "sale"), RESULT_OK, NULL); /* it is in the journal */
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "");
    world_store_up(w, true);
    world_run(w, 1);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "sale");
    world_close(w);
}

/* The daemon dies in a wrap-up: it goes on after the restart, to a disposition or to its timer. */
static void test_restart_in_wrapup(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 2, 2);

    (void)state;
    world_callees(w, ANSWERS(3, 10));
    world_begin(w);
    all_ready(w, 2);
    expect_agent(w, 1, AGENT_WRAPUP, 60);
    expect_agent(w, 2, AGENT_WRAPUP, 60);
    world_restart(w);
    expect_agent(w, 1, AGENT_WRAPUP, 2);
    expect_agent(w, 2, AGENT_WRAPUP, 2);
    assert_true(world_page(w, 1)->needs_disposition);
    expect_reply(w, world_dispose(w, 1, "sale"), RESULT_OK, NULL);
    world_run(w, 1);
    assert_true(world_row_final(w, 1) != world_row_final(w, 2));
    world_run(w, 130);
    assert_int_equal(world_witness(w)->not_disposed, 1);
    assert_int_equal(world_row(w, world_row_final(w, 1) ? 2 : 1), ROW_FAILED);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forged_originate),
        cmocka_unit_test(test_refused_originate),
        cmocka_unit_test(test_unknown_carried_out),
        cmocka_unit_test(test_unknown_lost),
        cmocka_unit_test(test_flooded_hopper),
        cmocka_unit_test(test_unheard_end),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_slow_pbx),
        cmocka_unit_test(test_leg_lost_at_answer),
        cmocka_unit_test(test_link_lost),
        cmocka_unit_test(test_answered_while_away),
        cmocka_unit_test(test_pbx_restarted),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_with_few_lines),
        cmocka_unit_test(test_restart_with_claims),
        cmocka_unit_test(test_restart_before_pbx),
        cmocka_unit_test(test_restart_leg_gone),
        cmocka_unit_test(test_restart_customer_gone),
        cmocka_unit_test(test_restart_available_in_a_call),
        cmocka_unit_test(test_restart_agent_stays_away),
        cmocka_unit_test(test_restart_in_wrapup),
        cmocka_unit_test(test_disposed_while_store_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
