/* conformance_more.h - the second half of the suite: configuration, ownership, the operator, import
 * and export. */
#ifndef TESTS_STORE_CONFORMANCE_MORE_H
#define TESTS_STORE_CONFORMANCE_MORE_H

#include "tests/store/conformance.h"

void conformance_more_fixture(const struct fixture *f);

#define CONFORMANCE_MORE(CASE)                                                                     \
    CASE(loads_configuration), CASE(loads_what_was_open), CASE(second_owner_is_refused),           \
        CASE(next_start_takes_over), CASE(settings_change_with_their_audit),                       \
        CASE(bad_settings_change_nothing), CASE(names_are_unique), CASE(agents_log_in),            \
        CASE(sessions_last), CASE(agents_are_assigned), CASE(do_not_call_list_in_pages),           \
        CASE(alarms_stand_and_end), CASE(transactions_group), CASE(import_may_be_repeated),        \
        CASE(import_may_be_tried), CASE(import_marks_do_not_call), CASE(exports_in_pages),         \
        CASE(agent_times_tile), CASE(explains_a_lead), CASE(dispositions_are_offered),             \
        CASE(data_never_becomes_sql), CASE(candidates_by_hours), CASE(claims_by_hours),            \
        CASE(callbacks_go_before_every_list), CASE(list_priorities_act), CASE(claims_by_prefix),   \
        CASE(rows_follow_their_table), CASE(what_goes_back_keeps_its_time),                        \
        CASE(a_choice_is_of_the_campaigns_leads), CASE(a_choice_moves_the_call),                   \
        CASE(a_choice_that_is_none_is_refused), CASE(a_choice_of_the_first_moves_nothing),         \
        CASE(a_choice_by_the_last_ten_digits), CASE(a_typed_number_is_judged_and_its_lead_too),    \
        CASE(a_number_in_a_call_is_not_typed_again), CASE(typed_numbers_of_one_row),               \
        CASE(a_typed_number_that_is_none), CASE(a_choice_leaves_a_final_row_final),                \
        CASE(a_choice_outlives_the_daemon), CASE(no_choice_shows_nobody_afterwards)

void loads_configuration(void **state);
void loads_what_was_open(void **state);
void second_owner_is_refused(void **state);
void next_start_takes_over(void **state);
void settings_change_with_their_audit(void **state);
void bad_settings_change_nothing(void **state);
void names_are_unique(void **state);
void agents_log_in(void **state);
void sessions_last(void **state);
void agents_are_assigned(void **state);
void do_not_call_list_in_pages(void **state);
void alarms_stand_and_end(void **state);
void transactions_group(void **state);
void import_may_be_repeated(void **state);
void import_may_be_tried(void **state);
void import_marks_do_not_call(void **state);
void exports_in_pages(void **state);
void agent_times_tile(void **state);
void explains_a_lead(void **state);
void dispositions_are_offered(void **state);
void data_never_becomes_sql(void **state);
/* conformance_hours.c */
void candidates_by_hours(void **state);
void claims_by_hours(void **state);
/* conformance_queue.c */
void callbacks_go_before_every_list(void **state);
void list_priorities_act(void **state);
void claims_by_prefix(void **state);
/* conformance_rows.c */
void rows_follow_their_table(void **state);
void what_goes_back_keeps_its_time(void **state);
/* conformance_choice.c */
void a_choice_is_of_the_campaigns_leads(void **state);
void a_choice_moves_the_call(void **state);
void a_choice_that_is_none_is_refused(void **state);
void a_choice_of_the_first_moves_nothing(void **state);
void a_choice_by_the_last_ten_digits(void **state);
void a_typed_number_is_judged_and_its_lead_too(void **state);
void a_number_in_a_call_is_not_typed_again(void **state);
void typed_numbers_of_one_row(void **state);
void a_typed_number_that_is_none(void **state);
void a_choice_leaves_a_final_row_final(void **state);
void a_choice_outlives_the_daemon(void **state);
void no_choice_shows_nobody_afterwards(void **state);

#endif
