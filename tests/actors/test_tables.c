/* The static proof over every state table: each (state, event) has an answer, each state is
 * reachable, silence leads each to its end. A table that breaks a rule is caught. */
#include "actors/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* May the table do without this row? Only if it asks first (what follows answers when its guard
 * says no), is a state's one exception to an ANY row, or is the end's answer to a timer that never
 * runs.
 */
static bool another_answers(const struct fsm_def *def, const struct fsm_row *row)
{
    bool any = false;
    bool timer = def->initial == row->from && def->initial_timer != FSM_NO_TIMER;

    if (row->guard != NULL) {
        return true;
    }
    for (uint16_t i = 0; i < def->n_rows && row->kind != FSM_ANY; i++) {
        const struct fsm_row *other = &def->rows[i];
        if (other->kind != FSM_ANY && other != row && other->from == row->from &&
            other->on == row->on) {
            return false; /* a guarded one, which may say no */
        }
        any = any || (other->kind == FSM_ANY && other->on == row->on && other->guard == NULL);
        timer = timer || (other->to == row->from && other->timer != FSM_NO_TIMER);
    }
    if (row->on == FSM_TIMEOUT && row->kind != FSM_ANY && (def->ends >> row->from & 1u) != 0) {
        any = any || !timer;
    }
    return any;
}

/* Take any one row out of any table: the proof notices, or another row answers in its place. */
static void a_missing_row_is_noticed(void **state)
{
    char why[256];
    unsigned noticed = 0;
    unsigned rows = 0;

    (void)state;
    for (size_t i = 0; i < ACTOR_TABLES; i++) {
        const struct fsm_def *whole = actor_tables[i];
        struct fsm_def broken = *whole;
        struct fsm_row copy[256];

        assert_in_range(whole->n_rows, 1, 256);
        broken.rows = copy;
        broken.n_rows = (uint16_t)(whole->n_rows - 1);
        for (uint16_t gap = 0; gap < whole->n_rows; gap++) {
            memcpy(copy, whole->rows, gap * sizeof copy[0]);
            memcpy(copy + gap, whole->rows + gap + 1,
                   (size_t)(whole->n_rows - gap - 1) * sizeof copy[0]);
            rows++;
            if (fsm_check(&broken, why, sizeof why) != 0) {
                noticed++;
            } else if (!another_answers(whole, &whole->rows[gap])) {
                fail_msg("%s: nobody misses row %u", whole->name, gap);
            }
        }
    }
    printf("# %u of %u removed rows are noticed by the proof alone, in place of the others another "
           "row answers\n",
           noticed, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_holds),
        cmocka_unit_test(a_missing_row_is_noticed),
    };

    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
