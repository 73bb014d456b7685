/* test_refused.c - what the log says of an Asterisk that refuses: its words, not a flood of them,
 * and nobody's number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/ari/refused.h"

#define T0 (1000 * US_PER_S)

static char line[200];

static bool note(struct refused *r, int status, const char *why, int64_t now_us)
{
    struct text t = {why, (uint32_t)strlen(why)};

    return refused_note(r, status, t, now_us, line, sizeof line);
}

static void once_a_minute_with_a_count(void **state)
{
    struct refused r = {0};

    (void)state;
    assert_true(note(&r, 500, "Allocation failed", T0));
    assert_string_equal(line, "an originate was refused: 500 Allocation failed");
    for (int i = 1; i <= 30; i++) {
        assert_false(note(&r, 500, "Allocation failed", T0 + i * US_PER_S));
    }
    assert_true(note(&r, 400, "Endpoint in the wrong form", T0 + 31 * US_PER_S));
    assert_false(refused_due(&r, T0 + 59 * US_PER_S, line, sizeof line));
    assert_true(refused_due(&r, T0 + 60 * US_PER_S, line, sizeof line));
    assert_string_equal(line, "30 more originates were refused: 500 Allocation failed");
    assert_false(refused_due(&r, T0 + 900 * US_PER_S, line, sizeof line));
    assert_true(note(&r, 500, "Allocation failed", T0 + 900 * US_PER_S));
    assert_string_equal(line, "1 more originates were refused: 500 Allocation failed");
}

static void numbers_are_masked(void **state)
{
    struct refused r = {0};

    (void)state;
    assert_true(note(&r, 400, "no route to PJSIP/12125550123@carrier (5060)", T0));
    assert_non_null(strstr(line, "PJSIP/*******0123@carrier (5060)"));
    assert_false(note(&r, 400, "no route to PJSIP/12135550123@carrier (5060)", T0 + 1));
}

static void texts_without_end(void **state)
{
    struct refused r = {0};
    char why[4000], other[32];

    (void)state;
    memset(why, '7', sizeof why);
    assert_true(refused_note(&r, 500, (struct text){why, sizeof why}, T0, line, sizeof line));
    assert_null(strchr(line, '7')); /* cut before the digits that would be shown */
    for (int i = 1; i < 50; i++) {
        snprintf(other, sizeof other, "text %d", i);
        assert_true(note(&r, 500, other, T0 + i));
    }
    assert_false(note(&r, 500, "text 49", T0 + 60)); /* the last ones are remembered */
    assert_true(note(&r, 500, "", T0 + 61));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_a_minute_with_a_count),
        cmocka_unit_test(numbers_are_masked),
        cmocka_unit_test(texts_without_end),
    };

    return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
