/* The static proof over every state table: each (state, event) has an answer, each state is
 * reachable, silence leads each to its end. */
#include "actors/agent.h"
#include "actors/campaign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void prove(const struct fsm_def *def)
{
    char why[256] = "";

    if (fsm_check(def, why, sizeof why) != 0) {
        fail_msg("%s", why);
    }
}

static void attempt_table_holds(void **state)
{
    (void)state;
    prove(&attempt_fsm);
}

static void campaign_table_holds(void **state)
{
    (void)state;
    prove(&campaign_fsm);
}

static void agent_table_holds(void **state)
{
    (void)state;
    prove(&agent_fsm);
}

static void leg_table_holds(void **state)
{
    (void)state;
    prove(&leg_fsm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempt_table_holds),
        cmocka_unit_test(campaign_table_holds),
        cmocka_unit_test(agent_table_holds),
        cmocka_unit_test(leg_table_holds),
    };

    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
