/* test_chaos.c - everything at once, at random, many seeds: links, store and hopper come and go,
 * phones drop, agents do what they like, the daemon dies. The promises are checked after each step;
 * when it calms down, everything must be over and add up. SEEDS=n runs more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "tests/sim/sim_test.h"

#define AGENTS 12u

static uint64_t somebody(struct rng *r)
{
    return 1 + rng_below(r, AGENTS);
}

static void agent_acts(struct world *w, struct rng *r)
{
    uint64_t a = somebody(r);
    char number[24];

    switch (rng_below(r, 10)) {
    case 0:
        world_break(w, a, "whim");
        break;
    case 1:
        world_logout(w, a);
        break;
    case 2:
        world_login(w, a);
        break;
    case 3:
        world_socket(w, a, rng_below(r, 3) != 0);
        break;
    case 4:
        world_phone_drops(w, a);
        break;
    case 5:
        world_phone_answers(w, a, rng_below(r, 3) != 0);
        break;
    case 6:
        world_phone_online(w, a, rng_below(r, 3) != 0);
        break;
    case 7:
        (void)snprintf(number, sizeof number, "%s", world_number(w, 1 + rng_below(r, 300)));
        world_dial(w, a, number);
        break;
    case 8:
        world_hang_up(w, a);
        break;
    default:
        world_available(w, a);
        break;
    }
}

static void something_breaks(struct world *w, struct rng *r, bool restarts)
{
    switch (rng_below(r, restarts ? 12 : 11)) {
    case 0:
        world_store_up(w, false);
        world_run(w, (double)rng_below(r, 100));
        world_store_up(w, true);
        break;
    case 1:
        world_hopper_flush(w);
        break;
    case 2:
        world_hopper_up(w, false);
        world_run(w, (double)rng_below(r, 20));
        world_hopper_up(w, true);
        break;
    case 3:
        world_pbx_up(w, false);
        world_run(w, (double)rng_below(r, 90));
        world_pbx_up(w, true);
        break;
    case 4:
        world_pbx_restarts(w, 5);
        world_run(w, 6);
        break;
    case 5:
        world_next_originate_fails(w, (uint8_t)rng_below(r, 3), rng_below(r, 2) != 0);
        break;
    case 6:
        world_do_not_call(w, world_number(w, 1 + rng_below(r, 300)));
        break;
    case 7:
        world_switch(w, 1 + rng_below(r, 2), 1 + (unsigned)rng_below(r, 3));
        break;
    case 8:
        world_list_active(w, 1 + rng_below(r, 2), rng_below(r, 2) != 0);
        break;
    case 9:
        world_store_latency(w, (double)rng_below(r, 3000));
        break;
    case 10:
        world_customer_hangs_up(w, world_number(w, 1 + rng_below(r, 300)));
        break;
    default:
        world_store_latency(w, 5); /* the page waits until everybody is loaded */
        world_run(w, 4);
        world_restart(w);
        for (uint64_t a = 1; a <= AGENTS; a++) {
            world_login(w, a);
        }
        break;
    }
}

static void calm_down(struct world *w)
{
    world_store_latency(w, 2);
    world_run(w, 5);
    for (uint64_t c = 1; c <= 2; c++) {
        world_switch(w, c, 2);
    }
    world_run(w, 60);
    for (int i = 0; i < 80; i++) {
        for (uint64_t a = 1; a <= AGENTS; a++) {
            if (world_page(w, a)->state != AGENT_OFFLINE) {
                world_logout(w, a);
            }
        }
        world_run(w, 30);
    }
    world_run(w, 400);
}

static void all_over(struct world *w, uint64_t seed)
{
    for (uint64_t a = 1; a <= AGENTS; a++) {
        if (world_page(w, a)->state != AGENT_OFFLINE) {
            fail_msg("seed %" PRIu64 ": agent %" PRIu64 " is %s, reason %s, %s", seed, a,
                     agent_state_name(world_page(w, a)->state), world_page(w, a)->reason,
                     world_page(w, a)->attempt);
        }
    }
    /* a command to end a bridge may be lost with the link: an empty bridge harms nobody */
    if (world_open_attempts(w) != 0 || world_open_legs(w) != 0 || world_lines(w) != 0 ||
        world_bridges(w) > 8) {
        fail_msg("seed %" PRIu64 ": %u attempts and %u legs are open, %u lines, %u bridges %s",
                 seed, world_open_attempts(w), world_open_legs(w), world_lines(w), world_bridges(w),
                 world_a_bridge(w));
    }
    for (uint64_t lead = 1; lead <= 600; lead++) {
        if (world_row(w, lead) == ROW_DIALING || world_row(w, lead) == ROW_ANSWERED) {
            fail_msg("seed %" PRIu64 ": row %" PRIu64 " is %s", seed, lead,
                     row_status_name(world_row(w, lead)));
        }
    }
    assert_null(world_times_tile(w));
    assert_in_range(sim_timers(world_sim(w)), 0, 16);
}

static void chaos(uint64_t seed, bool restarts)
{
    struct rng r = rng_stream(seed, 77);
    struct world *w = world_open_with(seed, false, getenv("WORLD_LOG") != NULL,
                                      seed % 2 ? 0 : (double)(seed % 5) * 8.0);

    world_campaign(w, 1, seed % 3 == 0 ? MODE_PROGRESSIVE : MODE_RATIO)->ratio = 1.5;
    world_campaign(w, 2, MODE_PROGRESSIVE)->leg = LEG_ON_DEMAND;
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_agent(w, a, a % 3 == 0 ? 2 : 1);
        world_habits(w, a, (struct habits){.wrap_s = 8, .hang_up_share = 0.3, .code = "sale"});
    }
    world_leads(w, 1, 300);
    world_leads(w, 2, 300);
    world_population(w, 0.5, 0.1, 0.05, 40);
    world_pbx_duplicates(w, 0.1);
    world_begin(w);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_login(w, a);
    }
    for (int i = 0; i < 150; i++) {
        world_run(w, (double)rng_below(&r, 15));
        agent_acts(w, &r);
        if (rng_below(&r, 5) == 0) {
            something_breaks(w, &r, restarts);
        }
    }
    calm_down(w);
    all_over(w, seed);
    world_close(w);
}

static unsigned seeds(unsigned usual)
{
    const char *wanted = getenv("SEEDS");

    return wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : usual;
}

/* SEED=n: only that one. */
static bool wanted(uint64_t seed)
{
    const char *only = getenv("SEED");

    return only == NULL || strtoull(only, NULL, 10) == seed;
}

static void test_chaos(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= seeds(30); seed++) {
        if (wanted(seed)) {
            chaos(seed, false);
        }
    }
}

static void test_chaos_with_restarts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= seeds(30); seed++) {
        if (wanted(1000 + seed)) {
            chaos(1000 + seed, true);
        }
    }
}

/* The process is stopped, up to a minute at a time, at any moment: nothing that was decided before
 * is sent after, every promise holds, and all agents come back to work. */
static void test_stopped(void **state)
{
    static const double seconds[] = {0.5, 2, 5, 20, 60};
    struct world *w = world_open(7);
    uint64_t before;

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= 6; a++) {
        world_agent(w, a, 1);
    }
    world_leads(w, 1, 600);
    world_callees(w, ANSWERS(4, 9));
    for (uint64_t a = 1; a <= 6; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 3, .hang_up_share = 0.3, .code = "sale"});
    }
    world_begin(w);
    all_ready(w, 6);
    for (int i = 0; i < 100; i++) {
        world_run(w, 0.13 + (i * 37 % 100) / 10.0);
        world_freeze(w, seconds[i % 5]);
        int64_t stopped_us = sim_now_us(world_sim(w));

        world_run(w, seconds[i % 5] + 0.05);
        assert_true(world_witness(w)->last_originate_us <= stopped_us ||
                    world_witness(w)->last_originate_us >=
                        stopped_us + (int64_t)(seconds[i % 5] * 1e6));
    }
    before = world_witness(w)->bridged;
    world_run(w, 120);
    assert_true(world_witness(w)->bridged > before + 6);
    assert_int_equal(world_witness(w)->unclaimed, 0);
    world_close(w);
}

/* Somebody answered when no agent was left, and the message was lost on a deaf link. Then the
 * process stands still until the time of the hang-up, which was lost as well, is over: awake, it
 * must not take the call for ended before it has heard of the link. The message is owed. */
static void test_asleep_on_a_deaf_link(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_break(w, 1, "lunch");
    expect_line(w, number, LINE_ANSWERED, 6);
    world_link_deaf(w);
    world_run(w, 3);
    world_freeze(w, 12.5);
    world_run(w, 12);
    world_link_noticed(w);
    world_run(w, 1);
    assert_int_equal(world_open_attempts(w), 1);
    world_link_back(w);
    expect_line(w, number, LINE_MESSAGE, 1);
    world_run(w, 30);
    assert_int_equal(world_witness(w)->messages, 1);
    assert_int_equal(world_outcome(w, number), OUTCOME_ABANDONED);
    assert_int_equal(world_open_attempts(w), 0);
    world_close(w);
}

/* The process stands still until the ring time is over, and reads a moment after it is awake that
 * somebody answered long ago: served, not cut off. */
static void test_answered_while_asleep(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_callees(w, ANSWERS(5, 0));
    world_begin(w);
    all_ready(w, 1);
    expect_line(w, number, LINE_RINGING, 5);
    world_run(w, 1);
    world_link_stalls(w, 60.05);
    world_freeze(w, 60);
    world_run(w, 60);
    expect_line(w, number, LINE_BRIDGED, 1);
    world_close(w);
}

/* A message that one campaign cannot be meant by: it is parked, its agent is free, an alarm stands,
 * and the other one goes on. The next start takes it up again. */
static void test_parked(void **state)
{
    struct world *w = world_open(8);
    const struct msg_hopper_row foreign = {.campaign = 2, .row = 1};

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_agent(w, 1, 1);
    world_agent(w, 2, 2);
    world_leads(w, 1, 50);
    world_leads(w, 2, 50);
    world_callees(w, ANSWERS(4, 30));
    world_habits(w, 2, (struct habits){.wrap_s = 3, .code = "sale"});
    world_begin(w);
    world_ready(w, 1);
    world_ready(w, 2);
    expect_agent(w, 1, AGENT_BUSY, 60);
    sim_post(world_sim(w), 0, ADDR_HOPPER, named(KIND_CAMPAIGN, 1), MSG_hopper_row, &foreign);
    world_run(w, 1);
    assert_int_equal(sim_parked(world_sim(w)), 1);
    assert_int_equal(world_alarms(w, "DLR-CAMPAIGN-PARKED", true), 1);
    assert_int_equal(world_board(w, 1)->state, CAMPAIGN_PARKED);
    assert_int_equal(world_board(w, 1)->held_by, REASON_parked);
    assert_int_equal(world_calls_unknown(w, 1), 1); /* the one that agent 1 is in */
    assert_non_null(strstr(world_board(w, 1)->text.ptr, "to take it up again: "));
    assert_int_equal(world_board(w, 2)->state, CAMPAIGN_RUNNING);
    expect_reply(w, world_switch(w, 1, 1), RESULT_REFUSED, "just been parked");
    expect_reply(w, world_explain(w, 1), RESULT_OK, "the daemon's own; start");
    uint64_t before = world_witness(w)->bridged;

    world_run(w, 700);
    assert_true(world_witness(w)->bridged > before + 10);
    assert_int_not_equal(world_page(w, 1)->state, AGENT_BUSY);
    world_store_up(w, false); /* it is not waited for, either, when nothing is left to dial */
    world_run(w, 300);
    assert_int_equal(world_mode(w), DAEMON_NO_NEW_DIALS);
    world_store_up(w, true);
    world_run(w, 5);
    assert_int_equal(world_mode(w), DAEMON_RUN);
    world_restart(w);
    assert_int_equal(sim_parked(world_sim(w)), 0);
    assert_int_equal(world_alarms(w, "DLR-CAMPAIGN-PARKED", true), 0);
    world_run(w, 5);
    assert_int_equal(world_board(w, 1)->state, CAMPAIGN_RUNNING);
    world_close(w);
}

static void park(struct world *w, uint64_t campaign)
{
    const struct msg_hopper_row foreign = {.campaign = campaign + 1, .row = 1};

    sim_post(world_sim(w), 0, ADDR_HOPPER, named(KIND_CAMPAIGN, campaign), MSG_hopper_row,
             &foreign);
    world_run(w, 0.1);
    assert_int_equal(world_alarms(w, "DLR-CAMPAIGN-PARKED", true), 1);
}

/* Who starts a parked campaign gets a new actor for it, without a restart: a conversation goes on
 * as one, what ended meanwhile is wrapped up, who is called and answers is served, and nobody is
 * called twice; then it dials on, with as many lines as it had. */
static void test_taken_up_again(void **state)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 4, 40);
    const char *numbers[] = {world_number(w, 1), world_number(w, 2), world_number(w, 3)};
    uint64_t with[2];

    (void)state;
    world_trunk(w)->lines = 5;
    world_callees(w, ANSWERS(2, 3000));
    world_callee(w, numbers[2], ANSWERS(14, 3000));
    world_begin(w);
    world_login(w, 4); /* and rests */
    all_ready(w, 3);
    expect_line(w, numbers[0], LINE_BRIDGED, 10);
    expect_line(w, numbers[1], LINE_BRIDGED, 10);
    expect_line(w, numbers[2], LINE_RINGING, 5);
    for (unsigned i = 0; i < 2; i++) {
        with[i] = world_talks_with(w, 1) == i + 1 ? 1 : world_talks_with(w, 2) == i + 1 ? 2 : 3;
        assert_int_equal(world_talks_with(w, with[i]), i + 1);
    }
    park(w, 1);
    world_run(w, 2);
    world_customer_hangs_up(w, numbers[1]);
    world_run(w, 2);
    assert_int_equal(world_page(w, with[1])->state, AGENT_BUSY); /* nobody knows */
    expect_line(w, numbers[2], LINE_RINGING, 0.1);
    expect_reply(w, world_switch(w, 1, 1), RESULT_OK, NULL);
    expect_agent(w, with[1], AGENT_WRAPUP, 1);
    world_run(w, 1);
    assert_int_equal(world_alarms(w, "DLR-CAMPAIGN-PARKED", true), 0);
    assert_int_equal(world_board(w, 1)->state, CAMPAIGN_RUNNING);
    assert_int_equal(world_board(w, 1)->agents, 4);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "\"running\"");
    expect_line(w, numbers[2], LINE_BRIDGED, 15);
    world_dispose(w, with[1], "sale");
    expect_line(w, world_number(w, 4), LINE_BRIDGED, 20); /* the next */
    world_run(w, 700);
    assert_int_equal(world_talks_with(w, with[0]), 1);
    assert_int_equal(world_page(w, with[0])->state, AGENT_BUSY);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(world_attempts(w, numbers[i]), 1);
    }
    assert_int_equal(world_witness(w)->unclaimed, 0);
    world_restart(w); /* what was parked is only then away */
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chaos),
        cmocka_unit_test(test_chaos_with_restarts),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_asleep_on_a_deaf_link),
        cmocka_unit_test(test_answered_while_asleep),
        cmocka_unit_test(test_parked),
        cmocka_unit_test(test_taken_up_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
