/* test_away.c - the store is away, for a minute or an hour; the journal's disk is full; modes and
 * alarms (issue B, points 2 and 3; R26). */
#include "tests/sim/sim_test.h"

#include <string.h>

static struct world *shift(uint64_t seed, unsigned agents, unsigned leads)
{
    struct world *w = world_open(seed);

    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= agents; a++) {
        world_agent(w, a, 1);
        world_habits(w, a, (struct habits){.wrap_s = 5, .hang_up_share = 0.3, .code = "sale"});
    }
    world_leads(w, 1, leads);
    world_population(w, 0.6, 0.1, 0.1, 30);
    return w;
}

static uint64_t ended(const struct world *w)
{
    uint64_t n = 0;

    for (unsigned o = 0; o < OUTCOMES; o++) {
        n += o == OUTCOME_NEVER_SENT ? 0 : world_witness(w)->by_outcome[o];
    }
    return n;
}

/* An hour without the store: calls on the line go on, agents dispose, dialing goes on from what is
 * claimed and stops with its reason; when it is back everything is there, and dialing goes on. */
static void test_an_hour(void **state)
{
    struct world *w = shift(7, 20, 4000);

    (void)state;
    world_begin(w);
    all_ready(w, 20);
    world_run(w, 600);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    uint64_t before = world_witness(w)->originates;

    world_store_up(w, false);
    world_run(w, 120);
    uint64_t rode = world_witness(w)->originates - before;

    assert_true(rode > 0);
    assert_int_equal(world_mode(w), DAEMON_NO_NEW_DIALS);
    assert_int_equal(world_mode_cause(w), REASON_store_away);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "store_away");
    world_run(w, 3480);
    assert_int_equal(world_witness(w)->originates, before + rode);
    for (uint64_t a = 1; a <= 20; a++) { /* every call was ended, and disposed without the store */
        assert_int_equal(world_page(w, a)->state, AGENT_AVAILABLE);
    }
    assert_true(ended(w) < before + rode); /* it is in the journal only */
    assert_int_equal(world_alarms(w, "DLR-STORE-AWAY", false), 0);
    uint64_t disposed = world_witness(w)->disposed;

    world_store_up(w, true);
    world_run(w, 5);
    assert_true(world_witness(w)->disposed > disposed);
    assert_int_equal(world_witness(w)->not_disposed, 0);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    assert_int_equal(world_mode_cause(w), REASON_allow);
    assert_true(world_witness(w)->originates > before + rode + 10);
    assert_int_equal(world_alarms(w, "DLR-STORE-AWAY", false), 1);
    assert_int_equal(world_alarms(w, "DLR-STORE-AWAY", true), 0);
    assert_in_range(world_alarm_ms(w, "DLR-STORE-AWAY"), 3599000, 3601000);
    world_switch(w, 1, 2);
    world_run(w, 300);
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(ended(w), world_witness(w)->originates); /* nothing lost */
    world_close(w);
}

/* claim_ahead raised to a minute: a minute without the store interrupts nothing. */
static void test_a_failover(void **state)
{
    struct world *w = shift(8, 20, 4000);
    struct msg_campaign_config *c = world_campaign_config(w, 1);

    (void)state;
    c->claim_ahead_ms = 60000;
    c->claim_ahead_max = 500;
    world_begin(w);
    all_ready(w, 20);
    world_run(w, 600);
    uint64_t start = world_witness(w)->originates;

    /* what is claimed a minute ahead is not given back before its minute is over; some is, because
     * the pace at the start of a shift is not the pace of the shift */
    assert_true(world_witness(w)->by_outcome[OUTCOME_NEVER_SENT] * 2 < start);

    world_run(w, 60);
    uint64_t minute = world_witness(w)->originates - start;

    start = world_witness(w)->originates;
    world_store_up(w, false);
    for (int s = 0; s < 60; s++) {
        world_run(w, 1);
        assert_int_equal(world_mode(w), DAEMON_RUN);
        assert_int_equal(world_mode_cause(w), REASON_store_away);
    }
    uint64_t away = world_witness(w)->originates - start;

    assert_true(away * 10 >= minute * 8);
    world_store_up(w, true);
    world_run(w, 300);
    assert_int_equal(world_mode_cause(w), REASON_allow);
    world_close(w);
}

/* The daemon dies with rows claimed far ahead: those that were never sent are dialed by the next
 * one as if nothing had been, those that were sent are not called again. */
static void test_claimed_and_never_sent(void **state)
{
    struct world *w = shift(9, 20, 1000);
    struct msg_campaign_config *c = world_campaign_config(w, 1);
    unsigned pending = 0, again = 0;

    (void)state;
    c->claim_ahead_ms = 60000;
    c->claim_ahead_max = 500;
    world_begin(w);
    all_ready(w, 20);
    world_run(w, 120);
    for (uint64_t lead = 1; lead <= 1000; lead++) {
        pending +=
            world_row(w, lead) == ROW_DIALING && world_attempts(w, world_number(w, lead)) == 0;
    }
    assert_true(pending > 20);
    world_store_up(w, false);
    world_run(w, 1);
    uint64_t back = world_witness(w)->by_outcome[OUTCOME_NEVER_SENT];
    uint64_t unknown = world_witness(w)->by_outcome[OUTCOME_UNKNOWN];

    world_restart(w);
    world_run(w, 30);
    assert_int_not_equal(world_mode(w), DAEMON_RUN);
    world_store_up(w, true);
    world_run(w, 5);
    for (uint64_t lead = 1; lead <= 1000; lead++) {
        again += world_row(w, lead) == ROW_DIALING && world_attempts(w, world_number(w, lead)) == 0;
        assert_in_range(world_attempts(w, world_number(w, lead)), 0, 1);
    }
    assert_int_equal(again, 0);
    back = world_witness(w)->by_outcome[OUTCOME_NEVER_SENT] - back;
    unknown = world_witness(w)->by_outcome[OUTCOME_UNKNOWN] - unknown;
    assert_true(back * 10 >= pending * 9);
    assert_true(unknown <= 20); /* those on the line when it died: one for each agent at most */
    world_close(w);
}

/* The journal's disk is full: no new calls, those on the line go on, people are told; and it passes
 * by itself. */
static void test_journal_full(void **state)
{
    struct world *w = shift(10, 30, 2000);

    (void)state;
    world_begin(w);
    all_ready(w, 30);
    world_run(w, 300);
    world_journal_ok(w, false);
    world_run(w, 0.5);
    uint64_t before = world_witness(w)->originates, bridged = world_witness(w)->bridged;

    assert_int_equal(world_mode(w), DAEMON_NO_NEW_DIALS);
    assert_int_equal(world_mode_cause(w), REASON_journal_failing);
    assert_int_equal(world_alarms(w, "DLR-JOURNAL-FAILING", true), 1);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "journal_failing");
    world_run(w, 600);
    assert_int_equal(world_witness(w)->originates, before);
    assert_true(world_witness(w)->bridged > bridged); /* who rang then was answered and served */
    assert_int_equal(world_lines(w), 0);
    world_journal_ok(w, true);
    world_run(w, 10);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    assert_int_equal(world_alarms(w, "DLR-JOURNAL-FAILING", true), 0);
    assert_true(world_witness(w)->originates > before + 5);
    world_close(w);
}

/* Neither store nor disk: nobody is told "saved" before it is. */
static void test_neither(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_agent(w, 1, 1);
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(3, 10));
    world_begin(w);
    world_ready(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 10);
    world_journal_ok(w, false);
    world_store_up(w, false);
    expect_agent(w, 1, AGENT_WRAPUP, 15);
    uint64_t asked = world_dispose(w, 1, "sale");

    world_run(w, 10);
    assert_int_equal(world_reply(w, asked)->result, REPLY_NONE);
    assert_int_equal(world_mode_cause(w), REASON_journal_failing);
    world_journal_ok(w, true);
    expect_reply(w, asked, RESULT_OK, NULL);
    world_restart(w); /* it is on the disk: the daemon may die now */
    world_store_up(w, true);
    world_run(w, 1);
    assert_string_equal(world_disposition(w, world_number(w, 1)), "sale");
    world_close(w);
}

/* Do not call, said while the store is away: the number is not called, not by a row that is claimed
 * already, not by the next daemon. */
static void test_do_not_call_while_away(void **state)
{
    struct world *w = world_open(1);
    const char *number = "+12125550177";

    (void)state;
    world_campaign(w, 1, MODE_MANUAL);
    world_agent(w, 7, 1);
    world_callees(w, ANSWERS(2, 5));
    world_begin(w);
    world_ready(w, 7);
    world_dial(w, 7, number);
    expect_agent(w, 7, AGENT_BUSY, 10);
    world_store_up(w, false);
    expect_agent(w, 7, AGENT_WRAPUP, 10);
    expect_reply(w, world_dispose(w, 7, "dnc"), RESULT_OK, NULL);
    world_restart(w);
    world_run(w, 5);
    world_store_up(w, true);
    world_run(w, 1);
    assert_true(world_suppressed(w, number));
    assert_string_equal(world_disposition(w, number), "dnc");
    world_ready(w, 7);
    expect_reply(w, world_dial(w, 7, number), RESULT_REFUSED, "do-not-call");
    world_close(w);
}

/* A server's link, and clocks: alarms start and end by themselves, each once. */
static void test_alarms(void **state)
{
    struct world *w = shift(11, 2, 10);

    (void)state;
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 5);
    world_pbx_up(w, false);
    world_run(w, 30);
    assert_int_equal(world_alarms(w, "DLR-PBX-AWAY", true), 1);
    world_pbx_up(w, true);
    world_run(w, 5);
    assert_int_equal(world_alarms(w, "DLR-PBX-AWAY", true), 0);
    assert_in_range(world_alarm_ms(w, "DLR-PBX-AWAY"), 29000, 36000);
    world_store_clock(w, 5000);
    world_run(w, 1);
    assert_int_equal(world_alarms(w, "DLR-CLOCKS-APART", true), 1);
    assert_int_equal(world_mode(w), DAEMON_NO_NEW_DIALS);
    assert_int_equal(world_mode_cause(w), REASON_clock_apart);
    world_store_clock(w, 0);
    world_run(w, 1);
    assert_int_equal(world_alarms(w, "DLR-CLOCKS-APART", true), 0);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    world_drain(w, 10);
    world_run(w, 1);
    assert_int_equal(world_mode(w), DAEMON_DRAIN);
    world_close(w);
}

/* What the daemon before left standing is over when the next one starts. */
static void test_alarms_over_a_restart(void **state)
{
    struct world *w = shift(12, 1, 10);

    (void)state;
    world_begin(w);
    world_pbx_up(w, false);
    world_run(w, 30);
    assert_int_equal(world_alarms(w, "DLR-PBX-AWAY", true), 1);
    world_restart_without_pbx(w);
    world_run(w, 30);
    world_pbx_up(w, true);
    world_run(w, 10);
    assert_int_equal(world_alarms(w, "DLR-PBX-AWAY", true), 0);
    world_close(w);
}

/* Up to the moment at which the configuration has been read nothing is dialed, and it says why. */
static void test_starting(void **state)
{
    struct world *w = shift(19, 20, 4000);

    (void)state;
    world_begin(w);
    all_ready(w, 20);
    world_run(w, 60);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    world_store_up(w, false);
    world_restart(w);
    uint64_t before = world_witness(w)->originates;

    world_run(w, 30);
    assert_int_equal(world_mode(w), DAEMON_NO_NEW_DIALS);
    assert_int_equal(world_mode_cause(w), REASON_starting);
    assert_int_equal(world_witness(w)->originates, before);
    world_store_up(w, true);
    world_run(w, 30);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    assert_int_equal(world_mode_cause(w), REASON_allow);
    world_close(w);
}

/* An originate stands in a stalled link while the link is replaced. The list does not have it; it
 * is carried out after that all the same, if it got so far, and somebody answers: who is served. */
static bool carried_out_late(uint64_t seed)
{
    struct world *w = world_open(seed);

    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_agent(w, 1, 1);
    world_leads(w, 1, 2);
    world_callees(w, ANSWERS(5, 20));
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_WRAPUP, 60);
    world_dispose(w, 1, "sale");
    world_break(w, 1, "lunch");
    expect_agent(w, 1, AGENT_BREAK, 10);
    assert_int_equal(world_witness(w)->originates, 1);
    world_link_stalls(w, 4);
    expect_reply(w, world_available(w, 1), RESULT_OK, NULL);
    world_run(w, 1);
    assert_int_equal(world_open_attempts(w), 1);
    world_link_deaf(w);
    world_link_noticed(w);
    world_link_back(w);
    world_run(w, 1);
    assert_int_equal(world_open_attempts(w), 1);
    world_run(w, 90);
    const bool carried = world_witness(w)->answered > 1;

    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_witness(w)->bridged, carried ? 2 : 1);
    assert_int_equal(world_outcome(w, world_number(w, 2)),
                     carried ? OUTCOME_ANSWERED : OUTCOME_UNKNOWN);
    world_close(w);
    return carried;
}

static void test_carried_out_late(void **state)
{
    int carried = 0;

    (void)state;
    for (uint64_t seed = 40; seed < 60; seed++) {
        carried += carried_out_late(seed);
    }
    assert_in_range(carried, 1, 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starting),
        cmocka_unit_test(test_an_hour),
        cmocka_unit_test(test_a_failover),
        cmocka_unit_test(test_claimed_and_never_sent),
        cmocka_unit_test(test_journal_full),
        cmocka_unit_test(test_neither),
        cmocka_unit_test(test_do_not_call_while_away),
        cmocka_unit_test(test_alarms),
        cmocka_unit_test(test_alarms_over_a_restart),
        cmocka_unit_test(test_carried_out_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
