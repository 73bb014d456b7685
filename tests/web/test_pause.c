/* test_pause.c - attack A10 against the pauses alone, in virtual time: an attacker who knows them
 * and never loses a moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/secret/secret.h"
#include "adapters/web/pause.h"

#define WINDOW_US (15 * 60 * US_PER_S)
#define TRIES_MAX 4096

static void ten_tries_in_any_quarter_of_an_hour(void **state)
{
    static int64_t at[TRIES_MAX];
    struct pauses *p = pauses_new();
    const int64_t end = 48 * 3600 * US_PER_S;
    unsigned n = 0;
    unsigned most = 0;

    (void)state;
    assert_non_null(p);
    for (int64_t now = US_PER_S; now < end;) {
        const int64_t left = pause_left_us(p, PAUSE_ACCOUNT, "ada", now);
        if (left > 0) {
            now += left;
            continue;
        }
        assert_true(n < TRIES_MAX);
        at[n++] = now;
        pause_failed(p, PAUSE_ACCOUNT, "ada", now);
    }
    for (unsigned first = 0, i = 0; i < n; i++) {
        while (at[i] - at[first] >= WINDOW_US) {
            first++;
        }
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    assert_in_range(most, 3, 10);
    print_message("A10: %u tries in 48 h, at most %u in any 15 minutes\n", n, most);
    pauses_free(p);
}

/* 10,000 accounts tried in turn: none of them is forgotten while it has a pause. */
static void many_names_push_nobody_out(void **state)
{
    struct pauses *p = pauses_new();
    char name[32];
    unsigned forgotten = 0;

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 10000; i++) {
            snprintf(name, sizeof name, "user%u", i);
            pause_failed(p, PAUSE_ACCOUNT, name, US_PER_S + i);
        }
    }
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "user%u", i);
        forgotten += pause_failures(p, PAUSE_ACCOUNT, name, 2 * US_PER_S) != 5;
    }
    print_message("A10: 10000 accounts, %u forgotten\n", forgotten);
    assert_in_range(forgotten, 0, 20); /* sets of eight: a few overflow by chance */
    pauses_free(p);
}

static void right_or_quiet_begins_anew(void **state)
{
    struct pauses *p = pauses_new();

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        pause_failed(p, PAUSE_ACCOUNT, "ada", US_PER_S);
        pause_failed(p, PAUSE_ADDRESS, "192.0.2.1", US_PER_S);
    }
    assert_true(pause_left_us(p, PAUSE_ACCOUNT, "ada", US_PER_S) > 0);
    assert_int_equal(pause_left_us(p, PAUSE_ADDRESS, "192.0.2.1", US_PER_S), 0);
    assert_int_equal(pause_failures(p, PAUSE_ADDRESS, "192.0.2.1", US_PER_S), 5);
    assert_int_equal(pause_failures(p, PAUSE_ADDRESS, "192.0.2.1", 3600 * US_PER_S), 0);
    pause_clear(p, PAUSE_ACCOUNT, "ada");
    assert_int_equal(pause_left_us(p, PAUSE_ACCOUNT, "ada", US_PER_S), 0);
    pauses_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_tries_in_any_quarter_of_an_hour),
        cmocka_unit_test(many_names_push_nobody_out),
        cmocka_unit_test(right_or_quiet_begins_anew),
    };

    if (secret_init() != 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("pauses", tests, NULL, NULL);
}
