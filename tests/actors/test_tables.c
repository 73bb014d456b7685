/* The static proof over every state table: each (state, event) has an answer, each state is
 * reachable, silence leads each to its end. A table that breaks a rule is caught. */
#include "actors/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_table_holds(void **state)
{
    char why[256] = "";

    (void)state;
    for (size_t i = 0; i < ACTOR_TABLES; i++) {
        if (fsm_check(actor_tables[i], why, sizeof why) != 0) {
            fail_msg("%s", why);
        }
    }
}

/* Take any one row out of any table: the proof must notice, or another row answered too. */
static void a_missing_row_is_noticed(void **state)
{
    char why[256];
    unsigned noticed = 0;
    unsigned rows = 0;

    (void)state;
    for (size_t i = 0; i < ACTOR_TABLES; i++) {
        struct fsm_def broken = *actor_tables[i];
        struct fsm_row copy[256];

        assert_true(broken.n_rows <= 256);
        for (uint16_t gap = 0; gap < broken.n_rows; gap++) {
            memcpy(copy, actor_tables[i]->rows, gap * sizeof copy[0]);
            memcpy(copy + gap, actor_tables[i]->rows + gap + 1,
                   (size_t)(actor_tables[i]->n_rows - gap - 1) * sizeof copy[0]);
            broken.rows = copy;
            broken.n_rows = (uint16_t)(actor_tables[i]->n_rows - 1);
            noticed += fsm_check(&broken, why, sizeof why) != 0 ? 1u : 0u;
            broken.n_rows = actor_tables[i]->n_rows;
            rows++;
        }
    }
    printf("# %u of %u removed rows are noticed by the proof alone\n", noticed, rows);
    assert_true(noticed * 3 > rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_holds),
        cmocka_unit_test(a_missing_row_is_noticed),
    };

    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
