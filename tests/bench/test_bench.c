/* dialer-bench as a user meets it: its commands, its refusals, and that every promised metric is in
 * its JSON. */
#include "adapters/net/json.h"
#include "tests/daemon/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS 12

/* Runs it with those arguments (words between blanks). */
static struct ran bench(const char *program, const char *arguments)
{
    char text[200];
    char *argv[WORDS + 2] = {getenv(program)};
    char *save = NULL;

    assert_non_null(argv[0]);
    if (access(argv[0], X_OK) != 0) {
        fail_msg("%s: there is no program %s (all.sh builds the released one)", program, argv[0]);
    }
    snprintf(text, sizeof text, "%s", arguments);
    for (int n = 1; n <= WORDS; n++) {
        argv[n] = strtok_r(n == 1 ? text : NULL, " ", &save);
        if (argv[n] == NULL) {
            break;
        }
    }
    return ran("", argv);
}

static void wrong_words_are_usage(void **state)
{
    static const struct {
        const char *arguments, *named;
    } cases[] = {
        {"", "usage: dialer-bench"},
        {"nonsense", "\"nonsense\""},
        {"actors --nonsense", "usage"},
        {"actors --seconds soon", "--seconds wants"},
        {"actors --repeat 0", "--repeat wants"},
        {"actors actors.nonsense", "actors.nonsense"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ran r = bench("RELEASED_BENCH", cases[i].arguments);
        if (r.status != 2 || strstr(r.err, cases[i].named) == NULL || r.out[0] != '\0') {
            fail_msg("dialer-bench %s: status %d, \"%s\"", cases[i].arguments, r.status, r.err);
        }
        ran_free(&r);
    }
}

static void help_and_list(void **state)
{
    struct ran r = bench("RELEASED_BENCH", "--help");
    struct json doc;

    (void)state;
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "usage: dialer-bench COMMAND"));
    ran_free(&r);
    r = bench("RELEASED_BENCH", "list");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "actors "));
    assert_non_null(strstr(r.out, "dial "));
    ran_free(&r);
    r = bench("RELEASED_BENCH", "list --json");
    assert_int_equal(r.status, 0);
    json_init(&doc, 0);
    assert_int_equal(json_parse(&doc, r.out, strlen(r.out)), 0);
    assert_true(json_is(&doc, json_first(&doc, JSON_ROOT), "list"));
    json_free(&doc);
    ran_free(&r);
}

static void figures_of_a_sanitizer_are_refused(void **state)
{
    struct ran r = bench("DIALER_BENCH", "actors --quick");

    (void)state;
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "its figures would mean nothing"));
    ran_free(&r);
}

static double value(const struct json *doc, json_ref metric, const char *name)
{
    double v = -1;

    if (!json_double(doc, json_get(doc, metric, name), &v)) {
        fail_msg("a metric without %s", name);
    }
    return v;
}

/* Measured, and in order; or, where it may be, left out with a reason. */
static void look_at(const struct json *doc, const char *name, bool may_be_skipped)
{
    const json_ref metric = json_get(doc, json_get(doc, JSON_ROOT, "metrics"), name);
    const json_ref skipped = json_get(doc, json_get(doc, JSON_ROOT, "skipped"), name);
    const json_ref better = json_get(doc, metric, "better");

    if (metric == JSON_NONE && may_be_skipped && skipped != JSON_NONE &&
        !json_is(doc, skipped, "")) {
        return;
    }
    if (metric == JSON_NONE || skipped != JSON_NONE) {
        fail_msg("%s: %s", name, metric == JSON_NONE ? "not measured" : "measured and skipped");
    }
    assert_true(value(doc, metric, "min") <= value(doc, metric, "median"));
    assert_true(value(doc, metric, "median") <= value(doc, metric, "max"));
    assert_true(value(doc, metric, "n") >= 1);
    assert_true(json_is(doc, better, "higher") || json_is(doc, better, "lower"));
    assert_true(json_get(doc, metric, "unit") != JSON_NONE);
}

static struct json report(const char *arguments)
{
    static const char *const machine[] = {"cpu",      "cores",      "kernel",
                                          "governor", "load_start", "load_end"};
    static const char *const build[] = {"commit", "compiler", "flags", "libraries"};
    struct ran r = bench("RELEASED_BENCH", arguments);
    struct json doc;

    if (r.status != 0) {
        fail_msg("dialer-bench %s: status %d, %s", arguments, r.status, r.err);
    }
    json_init(&doc, 0);
    assert_int_equal(json_parse(&doc, r.out, strlen(r.out)), 0);
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++) {
        assert_true(json_get(&doc, json_get(&doc, JSON_ROOT, "machine"), machine[i]) != JSON_NONE);
    }
    for (size_t i = 0; i < sizeof build / sizeof *build; i++) {
        assert_true(json_get(&doc, json_get(&doc, JSON_ROOT, "build"), build[i]) != JSON_NONE);
    }
    assert_true(json_get(&doc, JSON_ROOT, "seed") != JSON_NONE);
    ran_free(&r);
    return doc;
}

static void every_metric_of_actors(void **state)
{
    static const char *const promised[] = {"actors.fanin_cross_msgs",  "actors.ring100_cross_msgs",
                                           "actors.ring100_msgs",      "actors.ring1_msgs",
                                           "actors.pingpong_cross_ns", "actors.pingpong_local_ns",
                                           "actors.skynet1m_ms",       "actors.idle_bytes",
                                           "actors.spawn_per_s",       "actors.timer_per_s"};
    struct json doc = report("actors --quick --repeat 1 --json");

    (void)state;
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++) {
        look_at(&doc, promised[i], false);
    }
    json_free(&doc);
}

static void every_metric_of_events(void **state)
{
    struct json doc = report("events --quick --repeat 1 --json");

    (void)state;
    look_at(&doc, "events.read", false);
    look_at(&doc, "events.socket", false);
    json_free(&doc);
}

static void every_metric_of_dial(void **state)
{
    static const char *const promised[] = {"dial.attempts_per_s",
                                           "dial.held",
                                           "dial.bridged_per_s",
                                           "dial.shed",
                                           "dial.first_call_s",
                                           "dial.abandoned",
                                           "dial.dialerd.resident",
                                           "dial.dialerd.cpu_us_per_attempt",
                                           "dial.ari-sim.cpu_us_per_attempt",
                                           "dial.agent-sim.cpu_us_per_attempt"};
    struct json doc = report("dial --quick --json --agents 20 --rate 10 --seconds 5 --warm-up 3");

    (void)state;
    for (size_t i = 0; i < sizeof promised / sizeof *promised; i++) {
        look_at(&doc, promised[i], strstr(promised[i], "cpu_us") != NULL);
    }
    look_at(&doc, "dial.postgres.cpu_us_per_attempt", true); /* only with --full */
    json_free(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_words_are_usage),
        cmocka_unit_test(help_and_list),
        cmocka_unit_test(figures_of_a_sanitizer_are_refused),
        cmocka_unit_test(every_metric_of_actors),
        cmocka_unit_test(every_metric_of_events),
        cmocka_unit_test(every_metric_of_dial),
    };

    return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
