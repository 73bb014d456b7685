/* test_words.c - the judge (test_judge.c) on what the daemon says of itself: its board (I9) and its
 * log (I10). */
#include "tests/judge/tale.h"

/* --- I9 ------------------------------------------------------------------------------------------
 */

static void moved(struct tale *t, double at, unsigned state)
{
    judge_moved(t->j, &(struct judge_moved){
                          .agent = 7, .campaign = 1, .state = (uint8_t)state, .at_ms = ms(at)});
}

/* The right history, with the record of its agent. */
static struct tale recorded(void)
{
    struct tale t = good();

    moved(&t, 0, AGENT_CONNECTING);
    moved(&t, 0.2, AGENT_AVAILABLE);
    moved(&t, 5, AGENT_BUSY);
    moved(&t, 60, AGENT_WRAPUP);
    moved(&t, 70, AGENT_AVAILABLE);
    moved(&t, 100, AGENT_OFFLINE);
    return t;
}

static void board(struct tale *t, double at, const char *state, const char *call, int64_t agents)
{
    see(t, at, JUDGE_BOARD, NULL, NULL);
    agent(t, at, JUDGE_BOARD_AGENT, NULL, state);
    if (call) {
        see(t, at, JUDGE_BOARD_CALL, call, NULL);
    }
    judge_see(t->j,
              &(struct judge_event){
                  .at_us = us(at), .kind = JUDGE_BOARD_CAMPAIGN, .agent = 1, .value = agents});
}

static void shows(double at, const char *state, const char *call, int64_t agents, unsigned wrong)
{
    struct tale t = recorded();

    board(&t, at, state, call, agents);
    finds(&t, 9, wrong);
}

static void test_a_board_as_it_should_be(void **state)
{
    (void)state;
    shows(30, "busy", CALL, 1, 0);
    shows(80, "available", NULL, 1, 0);
    shows(110, "offline", NULL, 0, 0);
    shows(61, "busy", CALL, 1, 0); /* just over: it may be there or not */
    shows(61, "wrapup", NULL, 1, 0);
    shows(101, "available", NULL, 1, 0);
}

static void test_a_board_that_shows_another_state(void **state)
{
    (void)state;
    shows(30, "available", CALL, 1, 1);
    shows(110, "available", NULL, 0, 1);
}

static void test_a_board_with_a_call_that_is_over(void **state)
{
    (void)state;
    shows(80, "available", CALL, 1, 1);
    shows(80, "available", OTHER, 1, 1); /* there never was one */
}

static void test_a_board_without_a_call(void **state)
{
    (void)state;
    shows(30, "busy", NULL, 1, 1);
}

static void test_a_board_with_too_many_agents(void **state)
{
    (void)state;
    shows(30, "busy", CALL, 2, 1);
    shows(30, "busy", CALL, 0, 1);
    shows(110, "offline", NULL, 1, 1);
}

/* --- I10 -----------------------------------------------------------------------------------------
 */

static void fault(struct tale *t, double at, const char *what, const char *codes)
{
    judge_see(t->j, &(struct judge_event){
                        .at_us = us(at), .kind = JUDGE_FAULT, .text = what, .number = codes});
    see(t, at + 1, JUDGE_RECOVERED, NULL, what);
}

static void test_a_fault_that_the_log_names(void **state)
{
    struct tale t = good();

    (void)state;
    fault(&t, 10, "link cut", "DLR-ARI-LINK DLR-ARI-LANE");
    see(&t, 10.3, JUDGE_NOTICED, NULL, "DLR-ARI-LANE");
    fault(&t, 20, "redis flushed", NULL);
    finds(&t, 0, 0);
}

static void test_a_fault_of_which_the_log_is_silent(void **state)
{
    struct tale t = good();

    (void)state;
    see(&t, 5, JUDGE_NOTICED, NULL, "DLR-ARI-LINK"); /* of something else */
    fault(&t, 10, "link cut", "DLR-ARI-LINK DLR-ARI-LANE");
    see(&t, 10.3, JUDGE_NOTICED, NULL, "DLR-ARI");
    see(&t, 40, JUDGE_NOTICED, NULL, "DLR-ARI-LINK");
    finds(&t, 10, 1);
}

/* One word is not enough for two faults. */
static void test_each_fault_has_its_own_word(void **state)
{
    struct tale t = good();

    (void)state;
    fault(&t, 10, "redis killed", "DLR-HOPPER-AWAY");
    fault(&t, 15, "link to redis cut", "DLR-HOPPER-AWAY");
    see(&t, 15.2, JUDGE_NOTICED, NULL, "DLR-HOPPER-AWAY");
    finds(&t, 10, 1);
}

static void test_a_daemon_that_dies_takes_it_along(void **state)
{
    struct tale t = good();

    (void)state;
    fault(&t, 80, "redis killed", "DLR-HOPPER-AWAY");
    fault(&t, 82, "daemon killed", "DLR-START");
    see(&t, 82.2, JUDGE_NOTICED, NULL, "DLR-START");
    finds(&t, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_board_as_it_should_be),
        cmocka_unit_test(test_a_board_that_shows_another_state),
        cmocka_unit_test(test_a_board_with_a_call_that_is_over),
        cmocka_unit_test(test_a_board_without_a_call),
        cmocka_unit_test(test_a_board_with_too_many_agents),
        cmocka_unit_test(test_a_fault_that_the_log_names),
        cmocka_unit_test(test_a_fault_of_which_the_log_is_silent),
        cmocka_unit_test(test_each_fault_has_its_own_word),
        cmocka_unit_test(test_a_daemon_that_dies_takes_it_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
