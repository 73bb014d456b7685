/* test_order.c - what goes first: S5, R13, R15; and what does not go at all: R16. */
#include "tests/sim/sim_test.h"

/* S5: taken in queue order. */
static void test_order(void **state)
{
    struct world *w = progressive(1, 30);

    (void)state;
    world_callees(w, ANSWERS(1, 1));
    world_begin(w);
    all_ready(w, 1);
    for (uint64_t lead = 1; lead <= 30; lead++) {
        expect_row(w, lead, ROW_COMPLETED, 60);
        if (lead < 29) {
            assert_int_equal(world_row(w, lead + 2), ROW_PENDING);
        }
    }
    world_close(w);
}

/* A callback comes back at its time, attempts used or not (R15). */
static void test_callback(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE)->max_attempts = 1;
    world_agent(w, 1, 1);
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_WRAPUP, 20);
    expect_reply(w, world_dispose_as(w, 1, world_page(w, 1)->attempt, "callback", world_now_ms(w)),
                 RESULT_INVALID, "future");
    expect_reply(
        w, world_dispose_as(w, 1, world_page(w, 1)->attempt, "callback", world_now_ms(w) + 3600000),
        RESULT_OK, NULL);
    world_run(w, 3590);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 1);
    world_run(w, 15);
    assert_int_equal(world_attempts(w, world_number(w, 1)), 2);
    world_close(w);
}

/* R15: a callback that comes due goes before the fresh rows that are in the hopper already. */
static void test_callback_goes_first(void **state)
{
    struct world *w = progressive(2, 600);
    const char *number = world_number(w, 1);

    (void)state;
    world_habits(w, 1, (struct habits){0});
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    world_ready(w, 1);
    expect_agent(w, 1, AGENT_WRAPUP, 20);
    expect_reply(
        w, world_dispose_as(w, 1, world_page(w, 1)->attempt, "callback", world_now_ms(w) + 400000),
        RESULT_OK, NULL);
    world_break(w, 1, "lunch");
    world_ready(w, 2);
    world_run(w, 385);
    assert_int_equal(world_attempts(w, number), 1);
    assert_true(world_hopper_length(w, 1) > 400);
    world_run(w, 80);
    assert_int_equal(world_attempts(w, number), 2);
    assert_int_equal(world_attempts(w, world_number(w, 600)), 0);
    assert_int_equal(sim_counter(world_sim(w), "dialer_hopper_lost_total", NULL, 1), 0);
    world_close(w);
}

/* R13: a lead that is given priority goes before what is in the hopper already. */
static void test_priority_acts(void **state)
{
    struct world *w = progressive(1, 450);

    (void)state;
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    all_ready(w, 1);
    world_run(w, 30);
    assert_int_equal(world_attempts(w, world_number(w, 450)), 0);
    world_lead_first(w, 450);
    world_list_active(w, 1, true); /* the change is told */
    world_run(w, 40);
    assert_int_equal(world_attempts(w, world_number(w, 450)), 1);
    assert_int_equal(sim_counter(world_sim(w), "dialer_hopper_lost_total", NULL, 1), 0);
    world_run(w, 9000);
    for (uint64_t lead = 1; lead <= 450; lead++) {
        assert_int_equal(world_attempts(w, world_number(w, lead)), 1);
    }
    world_close(w);
}

/* R16: after a change of the prefixes no row is claimed any more to be refused at the gate. */
static void test_prefixes_change(void **state)
{
    struct world *w = progressive(2, 300);

    (void)state;
    world_callees(w, ANSWERS(3, 5));
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 60);
    world_campaign_config(w, 1)->prefixes = (struct text){"+999", 4};
    world_changed(w, KIND_CAMPAIGN, 1);
    world_run(w, 30);
    uint64_t claims = world_witness(w)->claims_allowed;
    uint64_t calls = world_witness(w)->originates;

    world_run(w, 600);
    assert_int_equal(world_witness(w)->claims_allowed, claims);
    assert_int_equal(world_witness(w)->originates, calls);
    assert_true(world_refused(w, 1, REASON_prefix_not_allowed) > 100);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_callback),
        cmocka_unit_test(test_callback_goes_first),
        cmocka_unit_test(test_priority_acts),
        cmocka_unit_test(test_prefixes_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
