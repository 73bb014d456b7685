/* Ids, words, outcomes and pacing: small things with sharp edges. */
#include "actors/ids.h"
#include "actors/outcome.h"
#include "actors/pacing.h"
#include "actors/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ids_have_one_width(void **state)
{
    struct channel_id in = {0xbeef, 7, 3, 0xffffffffu};
    struct channel_id out;
    char id[ID_SIZE];
    char bridge[ID_SIZE];

    (void)state;
    id_make(id, ID_ATTEMPT, &in);
    assert_string_equal(id, "att-beef-00000007-00000003-ffffffff");
    assert_int_equal(strlen(id), ID_LEN);
    assert_int_equal(id_parse(words_of(id), &out), ID_ATTEMPT);
    assert_int_equal(out.node, in.node);
    assert_int_equal(out.owner, in.owner);
    assert_int_equal(id_key(&out), id_key(&in));
    id_convert(bridge, ID_BRIDGE, id);
    assert_int_equal(id_parse(words_of(bridge), &out), ID_BRIDGE);
    assert_int_equal(id_parse(words_of("1795424352.69"), &out), ID_FOREIGN);
    assert_int_equal(id_parse(words_of("att-beef-00000007-00000003-fffffffF"), &out), ID_FOREIGN);
    assert_int_equal(id_parse(words_of("xxx-beef-00000007-00000003-ffffffff"), &out), ID_FOREIGN);
}

static void words_cut_and_escape(void **state)
{
    char small[8];
    char buffer[64];
    struct words w;

    (void)state;
    words_keep(small, sizeof small, words_of("abcdef\xc3\xa9"));
    assert_string_equal(small, "abcdef"); /* not half an e acute */
    words_start(&w, buffer, sizeof buffer);
    words_add(&w, "{");
    words_key(&w, "a");
    words_add_json(&w, words_of("q\"\\\n<"));
    words_key(&w, "n");
    words_add_int(&w, INT64_MIN);
    words_add(&w, "}");
    assert_string_equal(buffer, "{\"a\":\"q\\\"\\\\\\u000a<\",\"n\":-9223372036854775808}");
    words_start(&w, small, sizeof small);
    words_add(&w, "123456789");
    assert_true(w.cut);
    assert_string_equal(small, "1234567");
}

static void causes(void **state)
{
    (void)state;
    assert_int_equal(outcome_of_cause(17, 486), OUTCOME_BUSY);
    assert_int_equal(outcome_of_cause(19, 480), OUTCOME_NO_ANSWER);
    assert_int_equal(outcome_of_cause(18, 408), OUTCOME_NO_ANSWER);
    assert_int_equal(outcome_of_cause(1, 404), OUTCOME_BAD_NUMBER);
    assert_int_equal(outcome_of_cause(34, 503), OUTCOME_CONGESTION);
    assert_int_equal(outcome_of_cause(21, 603), OUTCOME_REJECTED);
    assert_int_equal(outcome_of_cause(127, 608), OUTCOME_REJECTED);
}

static void what_becomes_of_the_row(void **state)
{
    struct recycle_delays d = {300, 301, 302, 259200, 60};

    (void)state;
    assert_int_equal(outcome_rule(OUTCOME_NO_ANSWER, &d).delay_s, 301);
    assert_int_equal(outcome_rule(OUTCOME_BUSY, &d).delay_s, 302);
    assert_int_equal(outcome_rule(OUTCOME_ABANDONED, &d).delay_s, 259200);
    assert_false(outcome_rule(OUTCOME_CONGESTION, &d).counts);
    assert_int_equal(outcome_rule(OUTCOME_FAULT, &d).delay_s, 60);
    assert_true(outcome_rule(OUTCOME_UNKNOWN, &d).counts); /* unknown fate counts as dialed */
    assert_int_equal(row_event_of(OUTCOME_ANSWERED), RE_TALKED);
    assert_int_equal(row_event_of(OUTCOME_NEVER_SENT), RE_NOT_SENT);
    assert_int_equal(row_event_of(OUTCOME_UNKNOWN), RE_MISSED);
    assert_true(row_next(ROW_DIALING, false, row_event_of(OUTCOME_BAD_NUMBER)).final);
}

static struct pacing_input floor_of(enum campaign_mode mode, uint32_t available)
{
    return (struct pacing_input){.mode = mode,
                                 .ratio = 3.0,
                                 .logged_in = 20,
                                 .available = available,
                                 .abandon_limit_bp = 300};
}

static void nobody_available_no_dialing(void **state)
{
    struct pacing p = {0};
    struct pacing_input in = floor_of(MODE_RATIO, 0);

    (void)state;
    assert_int_equal(pacing_decide(&p, &in).calls, 0);
    assert_int_equal(pacing_decide(&p, &in).bound_by, REASON_agents_not_ready);
    in = floor_of(MODE_PROGRESSIVE, 0);
    assert_int_equal(pacing_decide(&p, &in).calls, 0);
    in.logged_in = 0;
    assert_int_equal(pacing_decide(&p, &in).bound_by, REASON_no_available_agent);
    in = floor_of(MODE_MANUAL, 5);
    assert_int_equal(pacing_decide(&p, &in).calls, 0);
}

static void modes(void **state)
{
    struct pacing p = {0};
    struct pacing_input in = floor_of(MODE_PROGRESSIVE, 4);

    (void)state;
    assert_int_equal(pacing_decide(&p, &in).calls, 4);
    in.in_flight = 3;
    assert_int_equal(pacing_decide(&p, &in).calls, 1);
    in = floor_of(MODE_RATIO, 4);
    assert_int_equal(pacing_decide(&p, &in).calls, 12);
    in.in_flight = 13;
    assert_int_equal(pacing_decide(&p, &in).calls, 0);
    in.in_flight = 0;
    in.live = 5;
    in.max_lines = 8;
    assert_int_equal(pacing_decide(&p, &in).calls, 3);
    assert_int_equal(pacing_decide(&p, &in).bound_by, REASON_lines_used);
    in = floor_of(MODE_RATIO, 4);
    in.abandon_limit_bp = 0; /* means progressive */
    assert_int_equal(pacing_decide(&p, &in).calls, 4);
}

/* R21: hard after 100 live answers, soft again when answers have thinned the share. */
static void the_window_of_thirty_days(void **state)
{
    struct pacing p = {0};
    struct pacing_input in = floor_of(MODE_RATIO, 10);

    (void)state;
    pacing_window(&p, 99, 30, 0);
    assert_int_equal(pacing_decide(&p, &in).calls, 30);
    pacing_window(&p, 100, 3, 0);
    assert_int_equal(pacing_decide(&p, &in).calls, 10);
    assert_int_equal(pacing_decide(&p, &in).bound_by, REASON_abandon_limit);
    pacing_window(&p, 100, 2, 0);
    assert_int_equal(pacing_decide(&p, &in).calls, 30); /* one more is 3 of 100: allowed */
    pacing_note(&p, PACING_ENDED, OUTCOME_ABANDONED, 0);
    assert_int_equal(pacing_decide(&p, &in).calls, 10);
    for (int i = 0; i < 34; i++) {
        pacing_note(&p, PACING_ANSWERED, OUTCOME_NONE, 0);
    }
    assert_int_equal(pacing_decide(&p, &in).calls, 30); /* 4 of 134 = 2.99 % */
}

/* What is new may not be in the store's figures yet; what they do not explain is taken as they say.
 */
static void what_is_on_its_way_is_not_forgotten(void **state)
{
    struct pacing p = {0};
    const int64_t t = 1000 * US_PER_S;

    (void)state;
    pacing_window(&p, 1000, 20, t);
    pacing_note(&p, PACING_ANSWERED, OUTCOME_NONE, t);
    pacing_note(&p, PACING_ENDED, OUTCOME_ABANDONED, t + US_PER_S);
    pacing_window(&p, 1001, 20, t + US_PER_S); /* the answer is in it, its end is not */
    assert_int_equal(p.answers_30d, 1001);
    assert_int_equal(p.abandoned_30d, 21);
    pacing_window(&p, 900, 18, t + 9 * US_PER_S); /* a day has left the thirty */
    assert_int_equal(p.answers_30d, 900);
    assert_int_equal(p.abandoned_30d, 18);
    pacing_note(&p, PACING_ANSWERED, OUTCOME_NONE, t + 9 * US_PER_S);
    pacing_window(&p, 900, 18, t + 30 * US_PER_S); /* nothing is on its way for so long */
    assert_int_equal(p.answers_30d, 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_one_width),
        cmocka_unit_test(words_cut_and_escape),
        cmocka_unit_test(causes),
        cmocka_unit_test(what_becomes_of_the_row),
        cmocka_unit_test(nobody_available_no_dialing),
        cmocka_unit_test(modes),
        cmocka_unit_test(the_window_of_thirty_days),
        cmocka_unit_test(what_is_on_its_way_is_not_forgotten),
    };

    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
