/* The zone reader against the C library, and at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/zone/rule.h"
#include "adapters/zone/zone.h"

static struct text text_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static const char *const names[] = {"Europe/Berlin",    "Europe/London",       "America/New_York",
                                    "America/St_Johns", "America/Sao_Paulo",   "Asia/Kolkata",
                                    "Asia/Kathmandu",   "Australia/Lord_Howe", "Australia/Sydney",
                                    "Pacific/Chatham",  "Africa/Casablanca",   "America/Phoenix",
                                    "Pacific/Apia",     "Asia/Tehran",         "UTC",
                                    "Etc/GMT+5",        "Europe/Dublin",       "America/Santiago"};

#define NAMES (sizeof names / sizeof *names)

/* Every 7 hours and a bit from 1965 to 2060. */
static void agrees_with_the_library(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < NAMES; i++) {
        int64_t t;
        setenv("TZ", names[i], 1);
        tzset();
        for (t = -157766400; t < INT64_C(2840140800); t += 26001) {
            time_t when = (time_t)t;
            struct zone_span span;
            struct tm tm;
            assert_true(zone_at(text_of(names[i]), t * 1000, &span));
            localtime_r(&when, &tm);
            if (span.offset_s != tm.tm_gmtoff)
                fail_msg("%s at %lld: %lld, the library has %ld", names[i], (long long)t,
                         (long long)span.offset_s, tm.tm_gmtoff);
        }
    }
    unsetenv("TZ");
}

/* until is the moment of the change: one millisecond before, and at it. */
static void changes_are_where_they_are_said_to_be(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < NAMES; i++) {
        int64_t t = INT64_C(1577836800000);
        int changes;
        for (changes = 0; changes < 60; changes++) {
            struct zone_span now, before, after;
            assert_true(zone_at(text_of(names[i]), t, &now));
            if (now.until_wall_ms == 0) {
                assert_int_equal(now.next_offset_s, now.offset_s);
                break;
            }
            assert_true(now.until_wall_ms > t);
            zone_at(text_of(names[i]), now.until_wall_ms - 1, &before);
            zone_at(text_of(names[i]), now.until_wall_ms, &after);
            assert_int_equal(before.offset_s, now.offset_s);
            assert_int_equal(after.offset_s, now.next_offset_s);
            assert_true(after.offset_s != before.offset_s);
            t = now.until_wall_ms;
        }
    }
}

static void unknown_names(void **state)
{
    static const char *const bad[] = {"",
                                      "Mars/Olympus",
                                      "../../../etc/passwd",
                                      "/etc/passwd",
                                      "Europe//Berlin",
                                      "Europe/Berlin/",
                                      "Europe",
                                      "Europe/Berlin\n",
                                      "zone.tab",
                                      "tzdata.zi",
                                      "Europe/B\xc3\xa9rlin"};
    struct zone_span span;
    char longer[200];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(zone_at(text_of(bad[i]), 0, &span));
    memset(longer, 'a', sizeof longer);
    assert_false(zone_known((struct text){longer, sizeof longer}));
    assert_true(zone_known(text_of("Europe/Berlin")));
}

static void days_start_at_midnight(void **state)
{
    struct text berlin = text_of("Europe/Berlin"), none = text_of("Nowhere/At_All");

    (void)state;
    /* 29 March 2026, the clock goes from 02:00 to 03:00: midnight was at 23:00 UTC */
    assert_int_equal(zone_day_start(berlin, INT64_C(1774771200000)), INT64_C(1774738800000));
    assert_int_equal(zone_day_start(berlin, INT64_C(1774738800000)), INT64_C(1774738800000));
    assert_int_equal(zone_day_start(berlin, INT64_C(1774738799999)), INT64_C(1774652400000));
    assert_int_equal(zone_day_start(text_of("Asia/Kolkata"), INT64_C(1767612600000)),
                     INT64_C(1767551400000));
    assert_int_equal(zone_day_start(none, INT64_C(1767612600000)), INT64_C(1767571200000));
}

static void rules_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "C",
                                      "CET",
                                      "CET-1CEST,",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,J400,J1",
                                      "<+03",
                                      "CET-1CEST,M3.5.0,M10.5.0x"};
    struct zone_rule rule;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        zone_rule_parse(bad[i], strlen(bad[i]), &rule);
        assert_false(rule.valid);
    }
    zone_rule_parse("<+0330>-3:30", 12, &rule);
    assert_true(rule.valid);
    assert_int_equal(rule.standard, 12600);
    zone_rule_parse("EST5EDT,J60/0,J300/1", 20, &rule);
    assert_true(rule.valid && rule.changes);
    assert_int_equal(rule.summer, -14400);
}

/* Files that are cut, or lie about their counts, are no zones; nothing is read past their end. */
static void damaged_files(void **state)
{
    char folder[] = "/tmp/dialer-zone-XXXXXX", path[64];
    unsigned char data[4096];
    size_t size, cut;
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    unsigned made = 0;

    (void)state;
    assert_non_null(f);
    size = fread(data, 1, sizeof data, f);
    fclose(f);
    assert_non_null(mkdtemp(folder));
    zone_directory(folder);
    for (cut = 0; cut < size; cut += 37) {
        struct zone_span span;
        char name[32];
        snprintf(name, sizeof name, "Cut_%u", made++);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(data, 1, cut, f);
        fclose(f);
        zone_at(text_of(name), INT64_C(1767612600000), &span);
        data[20 + made % 24] ^= (unsigned char)(1u << made % 8);
        unlink(path);
        snprintf(name, sizeof name, "Bent_%u", made);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(data, 1, size, f);
        fclose(f);
        data[20 + made % 24] ^= (unsigned char)(1u << made % 8);
        zone_at(text_of(name), INT64_C(1767612600000), &span);
        unlink(path);
    }
    rmdir(folder);
    zone_directory("/usr/share/zoneinfo");
}

static int forget(void **state)
{
    (void)state;
    zone_forget();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(changes_are_where_they_are_said_to_be),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(days_start_at_midnight),
        cmocka_unit_test(rules_that_are_none),
        cmocka_unit_test(damaged_files),
    };

    return cmocka_run_group_tests_name("zone", tests, NULL, forget);
}
