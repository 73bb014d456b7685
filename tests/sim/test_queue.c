/* test_queue.c - the queue: S4, S10, R10, R11, and what happens to hopper and claims
 * when something else touches them. */
#include "tests/sim/sim_test.h"

/* S4: filled up to 500, refilled at the low-water mark, every lead once. */
static void test_hopper_size(void **state)
{
    struct world *w = progressive(20, 2000);
    uint32_t most = 0;
    uint32_t least = 500;

    (void)state;
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    assert_int_equal(world_hopper_length(w, 1), 500);
    all_ready(w, 20);
    for (int s = 0; s < 1200; s++) {
        uint32_t n = world_hopper_length(w, 1);

        most = n > most ? n : most;
        least = n < least ? n : least;
        world_run(w, 0.5);
        if (world_witness(w)->originates > 1000) {
            break;
        }
    }
    assert_in_range(most, 490, 500);
    assert_in_range(least, 50, 101);
    world_run(w, 1200);
    assert_int_equal(world_witness(w)->originates, 2000);
    for (uint64_t lead = 1; lead <= 2000; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    world_close(w);
}

/* S10 and R11: no answer and busy go again after 5 min, three times at most. */
static void recycled(struct callee callee, enum outcome outcome)
{
    struct world *w = progressive(1, 1);
    const char *number = world_number(w, 1);

    world_callees(w, callee);
    world_begin(w);
    all_ready(w, 1);
    for (unsigned n = 1; n <= 3; n++) {
        expect_row(w, 1, ROW_DIALING, 10);
        expect_row(w, 1, ROW_FAILED, 60);
        assert_int_equal(world_attempts(w, number), n);
        assert_int_equal(world_outcome(w, number), outcome);
        world_run(w, 298);
        assert_int_equal(world_attempts(w, number), n);
    }
    world_run(w, 3 * 86400.0);
    assert_int_equal(world_attempts(w, number), 3);
    expect_reply(w, world_explain_lead(w, 1), RESULT_OK, "attempts_used");
    world_close(w);
}

static void test_recycled_no_answer(void **state)
{
    (void)state;
    recycled(NEVER, OUTCOME_NO_ANSWER);
}

static void test_recycled_busy(void **state)
{
    (void)state;
    recycled(HEARS_BUSY, OUTCOME_BUSY);
}

/* S10: the dispositions no_answer and busy of an answered call. */
static void test_recycled_disposition(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_agent(w, 1, 1);
    world_leads(w, 1, 1);
    world_habits(w, 1, (struct habits){.wrap_s = 5, .code = "busy"});
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    all_ready(w, 1);
    expect_row(w, 1, ROW_ANSWERED, 10);
    expect_row(w, 1, ROW_FAILED, 60);
    world_run(w, 295);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 1);
    world_run(w, 10);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 2);
    world_close(w);
}

/* R11: what each outcome means for the lead. */
static void test_outcomes(void **state)
{
    static const struct {
        struct callee callee;
        enum outcome outcome;
        bool final;
        int wait_s;
    } cases[] = {
        {{FATE_BAD, 0.2, 0, 0}, OUTCOME_BAD_NUMBER, true, 0},
        {{FATE_CONGESTION, 0.2, 0, 0}, OUTCOME_CONGESTION, false, 60},
        {{FATE_REJECTED, 2, 0, 0}, OUTCOME_REJECTED, false, 300},
        {{FATE_NO_ANSWER, 0, 0, 0}, OUTCOME_NO_ANSWER, false, 300},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *w = progressive(1, 1);

        world_callees(w, cases[i].callee);
        world_begin(w);
        all_ready(w, 1);
        expect_row(w, 1, ROW_FAILED, 60);
        assert_int_equal(world_outcome(w, world_number(w, 1)), cases[i].outcome);
        assert_int_equal(world_row_final(w, 1), cases[i].final);
        if (!cases[i].final) {
            assert_in_range(world_row_due_ms(w, 1) - world_now_ms(w), cases[i].wait_s * 1000 - 50,
                            cases[i].wait_s * 1000);
        }
        world_close(w);
    }
}

/* Congestion costs no attempt: it goes on after three of them. The number's retry interval (300 s)
 * still binds. */
static void test_congestion_costs_nothing(void **state)
{
    struct world *w = progressive(1, 1);

    (void)state;
    world_callees(w, (struct callee){FATE_CONGESTION, 0.2, 0, 0});
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 3600);
    assert_true(world_attempts(w, world_number(w, 1)) > 8);
    world_close(w);
}

/* R11: three automatic attempts to a number in 24 h, over all campaigns and leads. */
static void test_daily_limit(void **state)
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
    world_callees(w, NEVER);
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 4 * 3600);
    assert_int_equal(world_attempts(w, number), 3);
    assert_true(world_refused(w, 1, REASON_number_daily_limit) +
                    world_refused(w, 2, REASON_number_daily_limit) >
                0);
    world_run(w, 21 * 3600);
    assert_true(world_attempts(w, number) > 3);
    world_close(w);
}

/* R10: never two calls to one number at once, over all campaigns, manual ones included. */
static void test_one_call_to_a_number(void **state)
{
    struct world *w = world_open(1);
    const char *number = "+12125550177";

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_campaign(w, 3, MODE_MANUAL);
    world_agent(w, 1, 1);
    world_agent(w, 2, 2);
    world_agent(w, 3, 3);
    world_lead(w, 1, number);
    world_lead(w, 2, number);
    world_callees(w, ANSWERS(3, 0));
    world_begin(w);
    world_ready(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 10);
    world_ready(w, 2);
    world_ready(w, 3);
    expect_reply(w, world_dial(w, 3, number), RESULT_REFUSED, "has not ended");
    world_run(w, 30);
    assert_int_equal(world_attempts(w, number), 1);
    assert_true(world_refused(w, 2, REASON_number_alive) > 0);
    expect_agent(w, 3, AGENT_AVAILABLE, 1);
    world_close(w);
}

/* R11 binds automatic dialing; a call that an agent asks for may come sooner. */
static void test_manual_may_come_sooner(void **state)
{
    struct world *w = progressive(1, 1);
    const char *number = world_number(w, 1);

    (void)state;
    world_habits(w, 1, (struct habits){.wrap_s = 5, .code = "no_answer"});
    world_callees(w, HEARS_BUSY);
    world_begin(w);
    all_ready(w, 1);
    expect_row(w, 1, ROW_FAILED, 10);
    world_run(w, 5);
    expect_reply(w, world_dial(w, 1, number), RESULT_OK, "attempt");
    world_run(w, 5);
    assert_int_equal(world_attempts(w, number), 2);
    world_close(w);
}

/* --- the hopper is a hint ----------------------------------------------------------------- */

/* FLUSHALL in the middle of dialing loses and repeats nothing. */
static void test_hopper_flushed(void **state)
{
    struct world *w = progressive(10, 700);

    (void)state;
    world_callees(w, ANSWERS(3, 4));
    world_begin(w);
    all_ready(w, 10);
    for (int i = 0; i < 40; i++) {
        world_run(w, 7.3);
        world_hopper_flush(w);
    }
    world_run(w, 1800);
    for (uint64_t lead = 1; lead <= 700; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    world_close(w);
}

/* Foreign, stale and repeated entries are dropped. */
static void test_hopper_rubbish(void **state)
{
    struct world *w = progressive(3, 40);

    (void)state;
    world_campaign(w, 2, MODE_PROGRESSIVE);
    uint64_t foreign = world_leads(w, 2, 5);

    world_callees(w, ANSWERS(3, 4));
    world_begin(w);
    for (uint64_t i = 0; i < 5; i++) {
        world_hopper_push(w, 1, foreign + i);
        world_hopper_push(w, 1, 3);
        world_hopper_push(w, 1, 999999);
        world_hopper_push(w, 1, 0);
    }
    all_ready(w, 3);
    world_run(w, 600);
    for (uint64_t lead = 1; lead <= 40; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    assert_int_equal(world_attempts(w, world_number(w, foreign)), 0);
    assert_true(world_refused(w, 1, REASON_row_foreign) >= 5);
    assert_true(sim_counter(world_sim(w), "dialer_hopper_dropped_total", "duplicate", 1) +
                    world_refused(w, 1, REASON_row_not_pending) >=
                10);
    world_close(w);
}

/* The hopper is away: dialing stops where no row comes, calls go on, it comes back by itself. */
static void test_hopper_away(void **state)
{
    struct world *w = progressive(5, 300);

    (void)state;
    world_callees(w, ANSWERS(3, 20));
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 60);
    world_hopper_up(w, false);
    world_run(w, 60);
    uint64_t before = world_witness(w)->originates;
    uint64_t takes = world_witness(w)->hopper_takes;

    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, before);
    assert_in_range(world_witness(w)->hopper_takes - takes, 10, 120); /* it asks, not too often */
    world_hopper_flush(w);
    world_hopper_up(w, true);
    world_run(w, 10);
    assert_true(world_witness(w)->originates > before);
    world_run(w, 3600);
    for (uint64_t lead = 1; lead <= 300; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    world_close(w);
}

/* An empty queue is not asked for more than once a second. */
static void test_empty_queue(void **state)
{
    struct world *w = progressive(5, 0);

    (void)state;
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 100);
    assert_in_range(world_witness(w)->candidates_asked, 50, 110);
    assert_in_range(world_witness(w)->hopper_takes, 0, 10);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "hopper_empty");
    world_leads(w, 1, 5); /* an import */
    world_callees(w, ANSWERS(3, 0));
    world_list_active(w, 1, true);
    world_run(w, 1);
    assert_int_equal(world_witness(w)->originates, 5);
    world_close(w);
}

/* --- the store ---------------------------------------------------------------------------- */

/* The store is away: no new dials, calls and agents go on, records come after; then it goes on. */
static void test_store_away(void **state)
{
    struct world *w = progressive(5, 300);

    (void)state;
    world_callees(w, ANSWERS(3, 30));
    world_begin(w);
    all_ready(w, 5);
    world_run(w, 60);
    world_store_up(w, false);
    world_run(w, 1);
    uint64_t before = world_witness(w)->originates;

    expect_reply(w, world_explain(w, 1), RESULT_OK, "store_away");
    world_run(w, 600);
    assert_in_range(world_witness(w)->originates - before, 0, 10); /* what was claimed already */
    assert_int_equal(world_lines(w), 0);
    expect_reply(w, world_dial(w, 1, "+12125550142"), RESULT_REFUSED, NULL);
    world_store_up(w, true);
    world_run(w, 200);
    assert_true(world_witness(w)->originates > before + 5);
    world_run(w, 7200);
    for (uint64_t lead = 1; lead <= 300; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_open_legs(w), 5);
    world_close(w);
}

/* R19: the clocks of daemon and store are more than 2 s apart: no new dials, manual ones neither;
 * calls go on. */
static void test_clocks_apart(void **state)
{
    struct world *w = progressive(2, 300);

    (void)state;
    world_callees(w, ANSWERS(3, 600));
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 60);
    assert_int_equal(world_lines(w), 2);
    uint64_t before = world_witness(w)->originates;

    for (int64_t ahead_ms = -2001; ahead_ms <= 2001; ahead_ms += 4002) {
        world_store_clock(w, ahead_ms);
        world_run(w, 1);
        expect_reply(w, world_explain(w, 1), RESULT_OK, "clock_apart");
        assert_int_equal(world_lines(w), 2);
    }
    world_run(w, 900);
    assert_int_equal(world_lines(w), 0);
    assert_int_equal(world_witness(w)->originates, before);
    expect_reply(w, world_dial(w, 1, "+12125550142"), RESULT_REFUSED, NULL);
    /* A campaign that is new hears of it, too. */
    world_campaign(w, 2, MODE_PROGRESSIVE);
    world_changed(w, KIND_CAMPAIGN, 2);
    world_run(w, 1);
    expect_reply(w, world_explain(w, 2), RESULT_OK, "clock_apart");
    world_store_clock(w, 2000);
    world_run(w, 200);
    assert_true(world_witness(w)->originates > before);
    world_close(w);
}

/* A claim that is answered after nobody waits for it any more goes back. */
static void test_late_claim(void **state)
{
    struct world *w = progressive(1, 1);

    (void)state;
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    world_login(w, 1);
    expect_agent(w, 1, AGENT_BREAK, 5);
    world_store_latency(w, 65000);
    world_available(w, 1);
    world_run(w, 64); /* the campaign gave up at 60 s */
    assert_int_equal(world_witness(w)->claims_allowed, 1);
    assert_int_equal(world_witness(w)->originates, 0);
    world_store_latency(w, 2);
    world_run(w, 600);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 1);
    assert_int_equal(world_open_attempts(w), 0);
    world_close(w);
}

/* The most rows that stood between claim and originate in the next 20 s. */
static unsigned most_ahead(struct world *w)
{
    unsigned most = 0;

    for (int i = 0; i < 200; i++) {
        uint64_t ahead = world_witness(w)->claims_allowed - world_witness(w)->originates -
                         world_witness(w)->by_outcome[OUTCOME_NEVER_SENT];

        most = (unsigned)ahead > most ? (unsigned)ahead : most;
        world_run(w, 0.1);
    }
    return most;
}

/* Claims run ahead by the pace of two seconds, 60 at most, both settings, and go back when they are
 * not used. */
static void test_claims_ahead(void **state)
{
    struct world *w = world_open(1);
    unsigned by_count, by_pace, at_once;

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    for (uint64_t a = 1; a <= 30; a++) {
        world_agent(w, a, 1);
    }
    world_leads(w, 1, 3000);
    world_callees(w, (struct callee){FATE_BUSY, 1, 0, 0});
    world_begin(w);
    all_ready(w, 30);
    by_count = most_ahead(w);
    world_campaign_config(w, 1)->claim_ahead_ms = 500;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 5);
    by_pace = most_ahead(w);
    world_campaign_config(w, 1)->claim_ahead_max = 7;
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 5);
    at_once = most_ahead(w);
    assert_in_range(by_count, 45, 60);
    assert_in_range(by_pace, 8, 20);
    assert_in_range(at_once, 3, 7);
    for (uint64_t a = 1; a <= 30; a++) {
        world_break(w, a, "all");
    }
    world_run(w, 40);
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_witness(w)->claims_allowed,
                     world_witness(w)->originates +
                         world_witness(w)->by_outcome[OUTCOME_NEVER_SENT]);
    world_close(w);
}

/* Fenced: another daemon has the lease. Nothing is dialed. */
static void test_fenced(void **state)
{
    struct world *w = progressive(2, 20);

    (void)state;
    world_begin(w);
    world_campaign_config(w, 1)->epoch++;
    all_ready(w, 2);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    assert_true(world_refused(w, 1, REASON_fenced) > 0);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hopper_size),
        cmocka_unit_test(test_recycled_no_answer),
        cmocka_unit_test(test_recycled_busy),
        cmocka_unit_test(test_recycled_disposition),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_congestion_costs_nothing),
        cmocka_unit_test(test_daily_limit),
        cmocka_unit_test(test_one_call_to_a_number),
        cmocka_unit_test(test_manual_may_come_sooner),
        cmocka_unit_test(test_hopper_flushed),
        cmocka_unit_test(test_hopper_rubbish),
        cmocka_unit_test(test_hopper_away),
        cmocka_unit_test(test_empty_queue),
        cmocka_unit_test(test_store_away),
        cmocka_unit_test(test_clocks_apart),
        cmocka_unit_test(test_late_claim),
        cmocka_unit_test(test_claims_ahead),
        cmocka_unit_test(test_fenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
