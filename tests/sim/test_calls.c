/* test_calls.c - calls from end to end: the seed's statements S2, S3, S6, S11, S12. */
#include "tests/sim/sim_test.h"

static void test_progressive_call(void **state)
{
    struct world *w = world_open(1);

    (void)state;
    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    uint64_t lead = world_leads(w, 1, 1);

    world_callees(w, ANSWERS(5, 30));
    world_begin(w);
    world_ready(w, 7);
    expect_row(w, lead, ROW_DIALING, 5);
    expect_row(w, lead, ROW_ANSWERED, 10);
    expect_agent(w, 7, AGENT_BUSY, 2);
    assert_int_equal(world_talks_with(w, 7), lead);
    expect_agent(w, 7, AGENT_WRAPUP, 40);
    expect_row(w, lead, ROW_COMPLETED, 1);
    expect_reply(w, world_dispose(w, 7, "sale"), RESULT_OK, NULL);
    expect_agent(w, 7, AGENT_AVAILABLE, 1);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progressive_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
