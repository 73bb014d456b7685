/* conformance_calls.h - the part of the suite about records and dispositions. */
#ifndef TESTS_STORE_CONFORMANCE_CALLS_H
#define TESTS_STORE_CONFORMANCE_CALLS_H

#include "tests/store/conformance.h"

#define CONFORMANCE_CALLS(CASE)                                                                    \
    CASE(call_from_claim_to_end), CASE(a_preview_is_skipped), CASE(end_of_an_unknown_attempt),     \
        CASE(late_end_leaves_the_next_attempt_alone), CASE(nothing_is_missing), CASE(legs),        \
        CASE(disposed_by_its_agent_only), CASE(disposed_before_its_record),                        \
        CASE(disposition_recycles), CASE(disposition_suppresses),                                  \
        CASE(a_typed_call_suppresses_its_lead_too),                                                \
        CASE(callback_goes_first_and_past_the_attempts), CASE(disposition_before_the_end_is_kept), \
        CASE(not_disposed_may_still_be_disposed), CASE(a_supervisor_corrects),                     \
        CASE(times_come_with_the_end), CASE(late_word_leaves_the_next_attempt_alone)

void call_from_claim_to_end(void **state);
void a_preview_is_skipped(void **state);
void end_of_an_unknown_attempt(void **state);
void late_end_leaves_the_next_attempt_alone(void **state);
void nothing_is_missing(void **state);
void legs(void **state);
void disposed_by_its_agent_only(void **state);
void disposed_before_its_record(void **state);
void disposition_recycles(void **state);
void disposition_suppresses(void **state);
void a_typed_call_suppresses_its_lead_too(void **state);
void callback_goes_first_and_past_the_attempts(void **state);
void disposition_before_the_end_is_kept(void **state);
void not_disposed_may_still_be_disposed(void **state);
void a_supervisor_corrects(void **state);
void times_come_with_the_end(void **state);
void late_word_leaves_the_next_attempt_alone(void **state);

#endif
