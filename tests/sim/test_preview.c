/* test_preview.c - preview mode: the lead goes to an agent first, who has it dialed or skips it. */
#include <string.h>

#include "tests/sim/sim_test.h"

/* Agents 1 to n in a preview campaign; leads are looked at for 30 s at most. */
static struct world *previews(unsigned agents, unsigned leads, enum preview_expiry expiry)
{
    struct world *w = with_agents(MODE_PREVIEW, agents, leads);

    world_campaign_config(w, 1)->preview_s = 30;
    world_campaign_config(w, 1)->preview_expiry = (uint8_t)expiry;
    world_callees(w, ANSWERS(3, 20));
    return w;
}

/* Agent 1 looks at lead 1. */
static struct world *shown(unsigned leads, enum preview_expiry expiry)
{
    struct world *w = previews(1, leads, expiry);

    world_begin(w);
    (void)world_login(w, 1);
    world_run(w, 2);
    (void)world_available(w, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    assert_int_equal(world_page(w, 1)->pop_lead, 1);
    expect_row(w, 1, ROW_DIALING, 0);
    return w;
}

/* It went back as it was, and nobody was called. */
static void expect_untouched(struct world *w, uint64_t lead, const char *why)
{
    uint64_t agent;

    expect_row(w, lead, ROW_PENDING, 1);
    assert_string_equal(world_skipped(w, world_number(w, lead), &agent), why);
    assert_int_equal(world_row_due_ms(w, lead), 0);
    assert_int_equal(world_witness(w)->originates, 0);
}

static void test_dialed_by_its_agent(void **state)
{
    struct world *w = shown(2, PREVIEW_DIAL);
    const struct page *page = world_page(w, 1);

    (void)state;
    assert_true(page->until_ms > world_now_ms(w) + 25000 &&
                page->until_ms <= world_now_ms(w) + 30000);
    assert_true(page->dials);
    assert_string_equal(page->pop_name, "A Lead");
    world_run(w, 20);
    assert_int_equal(world_witness(w)->originates, 0);
    expect_reply(w, world_preview_dial(w, 1), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_RESERVED, 1);
    assert_false(world_page(w, 1)->dials);
    expect_agent(w, 1, AGENT_BUSY, 6);
    assert_int_equal(world_talks_with(w, 1), 1);
    expect_row(w, 1, ROW_ANSWERED, 0);
    expect_agent(w, 1, AGENT_WRAPUP, 25);
    expect_reply(w, world_dispose(w, 1, "sale"), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_PREVIEW, 3);
    assert_int_equal(world_page(w, 1)->pop_lead, 2);
    assert_int_equal(world_witness(w)->messages, 0);
    /* somebody waited for it: no part of the abandonment figures, of the daemon or of its store */
    assert_int_equal(world_board(w, 1)->answers_30d, 0);
    world_store_counts(w);
    world_run(w, 15);
    assert_int_equal(world_board(w, 1)->answers_30d, 0);
    world_close(w);
}

/* Longer than a claimed row is kept in the other modes. */
static void test_dialed_late(void **state)
{
    struct world *w = previews(1, 1, PREVIEW_DIAL);

    (void)state;
    world_campaign_config(w, 1)->preview_s = 120;
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    world_run(w, 100);
    (void)world_preview_dial(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 6);
    world_close(w);
}

static void test_one_for_each_who_is_there(void **state)
{
    struct world *w = previews(3, 10, PREVIEW_DIAL);

    (void)state;
    world_begin(w);
    all_ready(w, 1);
    for (uint64_t a = 2; a <= 3; a++) {
        (void)world_login(w, a);
    }
    world_run(w, 5);
    assert_int_equal(world_witness(w)->claims_allowed, 1);
    (void)world_available(w, 2);
    (void)world_available(w, 3);
    world_run(w, 5);
    assert_int_equal(world_witness(w)->claims_allowed, 3);
    assert_int_equal(world_board(w, 1)->busy, 3);
    assert_int_equal(world_board(w, 1)->claimed, 3);
    assert_int_equal(world_witness(w)->originates, 0);
    for (uint64_t a = 1; a <= 3; a++) {
        for (uint64_t b = 1; b < a; b++) {
            assert_int_not_equal(world_page(w, a)->pop_lead, world_page(w, b)->pop_lead);
        }
    }
    world_close(w);
}

static void test_not_answered_the_next_comes(void **state)
{
    struct world *w = shown(2, PREVIEW_DIAL);

    (void)state;
    world_callees(w, HEARS_BUSY);
    (void)world_preview_dial(w, 1);
    world_run(w, 3);
    assert_int_equal(world_outcome(w, world_number(w, 1)), OUTCOME_BUSY);
    expect_agent(w, 1, AGENT_PREVIEW, 1);
    assert_int_equal(world_page(w, 1)->pop_lead, 2);
    world_close(w);
}

static void test_skipped(void **state)
{
    struct world *w = shown(2, PREVIEW_DIAL);
    uint64_t agent;
    char first[40];

    (void)state;
    (void)strcpy(first, world_page(w, 1)->attempt);
    expect_reply(w, world_preview_skip(w, 1, ""), RESULT_INVALID, "why");
    expect_reply(w, world_preview_skip(w, 1, "not at noon"), RESULT_OK, NULL);
    expect_row(w, 1, ROW_PENDING, 1);
    assert_string_equal(world_skipped(w, world_number(w, 1), &agent), "not at noon");
    assert_int_equal(agent, 1);
    assert_true(world_row_due_ms(w, 1) > world_now_ms(w) + 290000); /* the retry interval */
    expect_agent(w, 1, AGENT_PREVIEW, 2);
    assert_int_equal(world_page(w, 1)->pop_lead, 2);
    (void)world_preview_skip(w, 1, "not at noon");
    world_run(w, 200);
    expect_agent(w, 1, AGENT_AVAILABLE, 0);
    expect_agent(w, 1, AGENT_PREVIEW, 110);
    assert_int_equal(world_page(w, 1)->pop_lead, 1);
    assert_string_not_equal(world_page(w, 1)->attempt, first);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

static void test_time_over_dials(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_run(w, 28);
    assert_int_equal(world_witness(w)->originates, 0);
    expect_agent(w, 1, AGENT_BUSY, 8);
    assert_int_equal(world_talks_with(w, 1), 1);
    world_close(w);
}

static void test_time_over_not_ready(void **state)
{
    struct world *w = shown(1, PREVIEW_NOT_READY);

    (void)state;
    assert_false(world_page(w, 1)->dials);
    expect_agent(w, 1, AGENT_BREAK, 31);
    assert_string_equal(world_page(w, 1)->reason, "no response");
    expect_untouched(w, 1, "no response");
    (void)world_available(w, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 2); /* at once: it was nobody's choice */
    world_close(w);
}

static void test_what_was_chosen_for_afterwards(void **state)
{
    struct world *w = shown(2, PREVIEW_NOT_READY);

    (void)state;
    (void)world_break(w, 1, "lunch");
    world_run(w, 2);
    expect_agent(w, 1, AGENT_PREVIEW, 0);
    assert_int_equal(world_page(w, 1)->next, AGENT_BREAK);
    (void)world_preview_skip(w, 1, "after lunch");
    expect_agent(w, 1, AGENT_BREAK, 1);
    assert_string_equal(world_page(w, 1)->reason, "lunch");
    world_close(w);
}

/* The page that asks is one thing behind. */
static void test_too_late(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);
    uint64_t dial;

    (void)state;
    (void)world_preview_dial(w, 1);
    dial = world_preview_dial(w, 1);
    expect_reply(w, dial, RESULT_REFUSED, "not before you");
    expect_reply(w, world_preview_skip(w, 1, "x"), RESULT_REFUSED, "not before you");
    expect_agent(w, 1, AGENT_BUSY, 6);
    expect_reply(w, world_preview_dial(w, 1), RESULT_REFUSED, "not before you");
    assert_int_equal(world_witness(w)->originates, 1);
    world_close(w);
}

static void test_the_agent_leaves(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    expect_reply(w, world_logout(w, 1), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_OFFLINE, 1);
    expect_untouched(w, 1, "logout");
    world_close(w);
}

static void test_the_page_is_gone(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_socket(w, 1, false);
    world_run(w, 8);
    world_socket(w, 1, true); /* a reload: it is still there */
    expect_agent(w, 1, AGENT_PREVIEW, 0);
    world_socket(w, 1, false);
    expect_agent(w, 1, AGENT_BREAK, 11);
    assert_string_equal(world_page(w, 1)->reason, "link lost");
    expect_untouched(w, 1, "link lost");
    world_close(w);
}

/* Its time is over while nobody sits before a page: not dialed, though it is not yet lost. */
static void test_the_page_is_gone_at_the_end(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_run(w, 25);
    world_socket(w, 1, false);
    expect_agent(w, 1, AGENT_BREAK, 8);
    assert_string_equal(world_page(w, 1)->reason, "no response");
    expect_untouched(w, 1, "no response");
    world_close(w);
}

static void test_the_phone_drops(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_phone_drops(w, 1);
    expect_agent(w, 1, AGENT_BREAK, 2);
    expect_untouched(w, 1, "link lost");
    world_close(w);
}

static void test_suppressed_meanwhile(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_do_not_call(w, world_number(w, 1));
    expect_agent(w, 1, AGENT_AVAILABLE, 2);
    assert_non_null(strstr(world_page(w, 1)->text, "do-not-call"));
    expect_reply(w, world_preview_dial(w, 1), RESULT_REFUSED, "not before you");
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

static void test_stopped_meanwhile(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    (void)world_switch(w, 1, 2);
    expect_agent(w, 1, AGENT_AVAILABLE, 2);
    assert_non_null(strstr(world_page(w, 1)->text, "not running"));
    expect_untouched(w, 1, "");
    (void)world_switch(w, 1, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    world_list_active(w, 1, false);
    expect_agent(w, 1, AGENT_AVAILABLE, 2);
    assert_non_null(strstr(world_page(w, 1)->text, "taken back"));
    world_drain(w, 5);
    world_run(w, 2);
    assert_true(world_drained(w));
    world_close(w);
}

/* The gate looks once more when the agent says so: 12:00 UTC, the window closes at 12:05. */
static void test_hours_end_meanwhile(void **state)
{
    struct world *w = previews(1, 1, PREVIEW_DIAL);
    struct msg_campaign_config *c = world_campaign_config(w, 1);

    (void)state;
    c->preview_s = 600;
    c->window_from_min = 11 * 60;
    c->window_to_min = 12 * 60 + 5;
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    world_run(w, 330);
    expect_agent(w, 1, AGENT_PREVIEW, 0);
    expect_reply(w, world_preview_dial(w, 1), RESULT_OK, NULL);
    expect_agent(w, 1, AGENT_AVAILABLE, 2);
    assert_non_null(strstr(world_page(w, 1)->text, "daily window"));
    expect_row(w, 1, ROW_PENDING, 1);
    world_run(w, 60);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

static void test_restart_meanwhile(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);
    char first[40];

    (void)state;
    (void)strcpy(first, world_page(w, 1)->attempt);
    world_remembers_agents(w);
    world_restart(w);
    world_socket(w, 1, false);
    world_socket(w, 1, true);
    expect_agent(w, 1, AGENT_PREVIEW, 5); /* the same lead, in another attempt */
    assert_string_not_equal(world_page(w, 1)->attempt, first);
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_NEVER_SENT], 1);
    assert_int_equal(world_witness(w)->originates, 0);
    world_close(w);
}

/* The same, and nothing else to look at: the page says what became of it. */
static void test_restart_tells_the_agent(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    world_campaign_config(w, 1)->active = false;
    world_remembers_agents(w);
    world_restart(w);
    world_socket(w, 1, false);
    world_socket(w, 1, true);
    expect_agent(w, 1, AGENT_AVAILABLE, 5);
    assert_non_null(strstr(world_page(w, 1)->text, "restarted"));
    expect_untouched(w, 1, "");
    world_close(w);
}

/* R2: the phone is rung when the lead is wanted, and before the customer. */
static void test_on_demand(void **state)
{
    struct world *w = previews(1, 2, PREVIEW_DIAL);

    (void)state;
    world_campaign_config(w, 1)->leg = LEG_ON_DEMAND;
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    world_run(w, 10);
    assert_int_equal(world_witness(w)->legs, 0);
    (void)world_preview_dial(w, 1);
    expect_agent(w, 1, AGENT_BUSY, 15);
    assert_int_equal(world_witness(w)->legs, 1);
    assert_int_equal(world_talks_with(w, 1), 1);
    expect_agent(w, 1, AGENT_WRAPUP, 25);
    (void)world_dispose(w, 1, "sale");
    world_phone_answers(w, 1, false);
    expect_agent(w, 1, AGENT_PREVIEW, 5);
    (void)world_preview_dial(w, 1);
    expect_agent(w, 1, AGENT_BREAK, 40);
    expect_row(w, 2, ROW_PENDING, 1);
    assert_int_equal(world_attempts(w, world_number(w, 2)), 0);
    world_close(w);
}

/* Whoever answers has the agent who asked for it, or hears the message. */
static void test_answered_without_the_agent(void **state)
{
    struct world *w = shown(1, PREVIEW_DIAL);

    (void)state;
    (void)world_preview_dial(w, 1);
    expect_line(w, world_number(w, 1), LINE_RINGING, 2);
    world_phone_answers(w, 1, false);
    world_phone_drops(w, 1);
    world_run(w, 10);
    assert_int_equal(world_witness(w)->late_answers, 0);
    assert_true(world_outcome(w, world_number(w, 1)) == OUTCOME_CANCELLED ||
                world_witness(w)->messages == 1);
    world_close(w);
}

/* No line at once: it waits for one, its agent with it. */
static void test_waits_for_a_line(void **state)
{
    struct world *w = previews(2, 2, PREVIEW_DIAL);

    (void)state;
    world_trunk(w)->lines = 1;
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 3);
    (void)world_preview_dial(w, 1);
    (void)world_preview_dial(w, 2);
    world_run(w, 10);
    assert_int_equal(world_witness(w)->originates, 1);
    expect_agent(w, 2, AGENT_BUSY, 25);
    expect_agent(w, 1, AGENT_WRAPUP, 0);
    assert_int_equal(world_witness(w)->lines_most, 1);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialed_by_its_agent),
        cmocka_unit_test(test_dialed_late),
        cmocka_unit_test(test_one_for_each_who_is_there),
        cmocka_unit_test(test_not_answered_the_next_comes),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_time_over_dials),
        cmocka_unit_test(test_time_over_not_ready),
        cmocka_unit_test(test_what_was_chosen_for_afterwards),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_the_agent_leaves),
        cmocka_unit_test(test_the_page_is_gone),
        cmocka_unit_test(test_the_page_is_gone_at_the_end),
        cmocka_unit_test(test_the_phone_drops),
        cmocka_unit_test(test_suppressed_meanwhile),
        cmocka_unit_test(test_stopped_meanwhile),
        cmocka_unit_test(test_hours_end_meanwhile),
        cmocka_unit_test(test_restart_meanwhile),
        cmocka_unit_test(test_restart_tells_the_agent),
        cmocka_unit_test(test_on_demand),
        cmocka_unit_test(test_answered_without_the_agent),
        cmocka_unit_test(test_waits_for_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
