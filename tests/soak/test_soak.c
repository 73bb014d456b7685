/*
 * test_soak.c - a short soak of the real programs with a fixed seed, the daemon's death at every
 * crash point at its end; and its death under live calls. The judge decides; here is only read what
 * the soak says at its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "adapters/net/json.h"
#include "core/crash.h"
#include "tests/daemon/spawn.h"

#define POINTS (CRASH_POINT_COUNT - 1)

static struct json report;

static int64_t figure(const char *name)
{
    int64_t n = -1;

    (void)json_int(&report, json_get(&report, JSON_ROOT, name), &n);
    return n;
}

/* Its last line, parsed. */
static void soak(const char *seconds)
{
    char *const argv[] = {getenv("SOAK"), (char *)seconds, "--real", "--points",
                          "--json",       "--seed",        "7",      "--agents",
                          "20",           "--rate",        "40",     NULL};
    struct ran r;

    assert_non_null(argv[0]);
    r = ran(NULL, argv);
    if (r.status == 77) {
        print_message("skipped: no PostgreSQL or Redis here\n");
        ran_free(&r);
        skip();
    }
    if (r.status != 0) {
        fail_msg("the soak ended with %d:\n%s%s", r.status, r.err, r.out);
    }
    assert_int_equal(json_parse(&report, r.out, strlen(r.out)), 0);
    ran_free(&r);
    assert_int_equal(figure("lost"), 0);
    assert_int_equal(figure("dialed_twice"), 0);
    assert_int_equal(figure("stuck"), 0);
    assert_int_equal(figure("two_calls"), 0);
    assert_int_equal(figure("breaches"), 0);
}

/* Faults of all kinds for 12 s, then a death at each crash point: one world set up and brought to
 * its rest for both. */
static void test_a_short_soak(void **state)
{
    (void)state;
    soak("12");
    assert_true(figure("real_calls") > 100);
    assert_true(figure("real_kills") >= POINTS + 2);
    assert_true(figure("real_adopted") > 0);
    assert_int_equal(figure("points_missed"), 0);
}

/* The times are the full run's matter (README.md), not a loaded machine's. */
static void test_a_kill_parts_nobody(void **state)
{
    char *const argv[] = {getenv("RECOVER"), "--calls", "60",     "--leads", "3000",
                          "--kills",         "2",       "--json", NULL};
    struct ran r;

    (void)state;
    assert_non_null(argv[0]);
    r = ran(NULL, argv);
    if (json_parse(&report, r.out, strlen(r.out)) != 0 || figure("kills") != 2 ||
        figure("broken") != 0) {
        fail_msg("recover ended with %d:\n%s%s", r.status, r.err, r.out);
    }
    assert_true(figure("calls") >= 60);
    ran_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_soak),
        cmocka_unit_test(test_a_kill_parts_nobody),
    };
    int failed;

    json_init(&report, 65536);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_free(&report);
    return failed;
}
