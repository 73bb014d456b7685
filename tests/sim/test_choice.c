/* test_choice.c - R14: several leads have the number of a call, and its agent says which one. */
#include "tests/sim/sim_test.h"

#include <string.h>

#define NUMBER "+12125550177"

/* Leads 1 and 2 of campaign 1 have the number, and lead 3, which is campaign 2's. Agent 7 has
 * dialed it and talks, with nobody in particular. */
static struct world *in_a_call_with_somebody(double talk_s)
{
    struct world *w = world_open(1);

    world_campaign(w, 1, MODE_MANUAL);
    world_campaign(w, 2, MODE_MANUAL);
    world_agent(w, 7, 1);
    world_agent(w, 8, 1);
    world_lead(w, 1, NUMBER);
    world_lead(w, 1, NUMBER);
    world_lead(w, 2, NUMBER);
    world_callees(w, ANSWERS(3, talk_s));
    world_begin(w);
    world_ready(w, 7);
    world_ready(w, 8);
    world_dial(w, 7, NUMBER);
    expect_agent(w, 7, AGENT_BUSY, 10);
    return w;
}

static void expect_nobody(struct world *w)
{
    const struct page *g = world_page(w, 7);

    assert_int_equal(g->pop_matches, 2);
    assert_int_equal(g->pop_lead, 0);
    assert_string_equal(g->pop_name, "");
    assert_non_null(strstr(g->pop_fields, "[{\"lead\":1,"));
    assert_non_null(strstr(g->pop_fields, "},{\"lead\":2,"));
    assert_null(strstr(g->pop_fields, "\"lead\":3"));
    assert_null(strstr(g->pop_fields, "city"));
}

static void expect_lead(struct world *w, uint64_t lead)
{
    const struct page *g = world_page(w, 7);

    assert_int_equal(g->pop_matches, 1);
    assert_int_equal(g->pop_lead, lead);
    assert_string_equal(g->pop_name, "A Lead");
    assert_string_equal(g->pop_number, NUMBER);
    assert_string_equal(g->pop_attempt, g->attempt);
}

static uint64_t choose(struct world *w, uint64_t lead)
{
    return world_choose(w, 7, world_page(w, 7)->attempt, lead);
}

static void test_the_agent_chooses(void **state)
{
    struct world *w = in_a_call_with_somebody(30);

    (void)state;
    expect_nobody(w);
    expect_row(w, 1, ROW_ANSWERED, 1);
    expect_reply(w, choose(w, 2), RESULT_OK, NULL);
    expect_lead(w, 2);
    assert_int_equal(world_row(w, 1), ROW_PENDING);
    assert_int_equal(world_row(w, 2), ROW_ANSWERED);
    /* once more changes nothing, and another comes too late */
    expect_reply(w, choose(w, 2), RESULT_OK, NULL);
    expect_reply(w, choose(w, 1), RESULT_CONFLICT, "has its lead already");
    expect_lead(w, 2);
    expect_agent(w, 7, AGENT_WRAPUP, 60);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    assert_int_equal(world_row(w, 2), ROW_COMPLETED);
    assert_true(world_row_final(w, 2));
    assert_int_equal(world_row(w, 1), ROW_PENDING);
    assert_false(world_row_final(w, 1));
    world_close(w);
}

static void test_a_choice_is_refused(void **state)
{
    struct world *w = in_a_call_with_somebody(30);
    char attempt[40];

    (void)state;
    memcpy(attempt, world_page(w, 7)->attempt, sizeof attempt);
    expect_reply(w, choose(w, 3), RESULT_NOT_FOUND, "none of those who have the number");
    expect_reply(w, choose(w, 4711), RESULT_NOT_FOUND, "none of those who have the number");
    expect_reply(w, world_choose(w, 8, attempt, 2), RESULT_REFUSED, "not your call");
    expect_reply(w, world_choose(w, 7, "", 2), RESULT_REFUSED, "not your call");
    expect_reply(w, world_choose(w, 7, "att-0001-00000001-00000001-0000ffff", 2), RESULT_REFUSED,
                 "not your call");
    expect_nobody(w);
    expect_agent(w, 7, AGENT_WRAPUP, 60);
    expect_reply(w, choose(w, 2), RESULT_REFUSED, "the call is over");
    expect_nobody(w);
    /* without a choice it counts for the first of them */
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    assert_int_equal(world_row(w, 1), ROW_COMPLETED);
    assert_int_equal(world_row(w, 2), ROW_PENDING);
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    expect_reply(w, world_choose(w, 7, attempt, 2), RESULT_REFUSED, "not your call");
    world_close(w);
}

static void test_a_disposition_may_come_before(void **state)
{
    struct world *w = in_a_call_with_somebody(30);

    (void)state;
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    expect_reply(w, choose(w, 2), RESULT_CONFLICT, "has its disposition already");
    expect_agent(w, 7, AGENT_AVAILABLE, 60);
    assert_int_equal(world_row(w, 1), ROW_COMPLETED);
    assert_int_equal(world_row(w, 2), ROW_PENDING);
    world_close(w);
}

/* A choice is the store's: it is not promised while that is away. */
static void test_the_store_is_away(void **state)
{
    struct world *w = in_a_call_with_somebody(60);

    (void)state;
    world_store_up(w, false);
    expect_reply(w, choose(w, 2), RESULT_AWAY, "the store is away");
    expect_nobody(w);
    world_store_up(w, true);
    world_run(w, 1);
    expect_reply(w, choose(w, 2), RESULT_OK, NULL);
    expect_lead(w, 2);
    world_close(w);
}

static bool pops(struct world *w, uint64_t n)
{
    return world_page(w, 7)->pops >= n;
}

/* The daemon after this one shows nobody either, and knows who was chosen. */
static void test_a_restart_in_between(void **state)
{
    struct world *w = in_a_call_with_somebody(600);
    uint64_t seen = world_page(w, 7)->pops;

    (void)state;
    world_restart(w);
    world_until(w, pops, seen + 1, 10);
    expect_nobody(w);
    world_socket(w, 7, true);
    expect_agent(w, 7, AGENT_BUSY, 10);
    expect_reply(w, choose(w, 2), RESULT_OK, NULL);
    expect_lead(w, 2);
    seen = world_page(w, 7)->pops;
    world_restart(w);
    world_until(w, pops, seen + 1, 10);
    expect_lead(w, 2);
    world_socket(w, 7, true);
    world_customer_hangs_up(w, NUMBER);
    expect_agent(w, 7, AGENT_WRAPUP, 10);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    assert_int_equal(world_row(w, 2), ROW_COMPLETED);
    assert_int_equal(world_row(w, 1), ROW_PENDING);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_agent_chooses),
        cmocka_unit_test(test_a_choice_is_refused),
        cmocka_unit_test(test_a_disposition_may_come_before),
        cmocka_unit_test(test_the_store_is_away),
        cmocka_unit_test(test_a_restart_in_between),
    };

    return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
