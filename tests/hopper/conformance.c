/* What every hopper must do; run for the twin and for Redis. */
#include "tests/hopper/conformance.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct hopper_fixture *fixture;

static void on_row(void *ctx, uint64_t campaign, uint64_t row)
{
    struct seen *s = ctx;

    assert_int_equal(campaign, s->campaign);
    if (s->rows < 64)
        s->row[s->rows] = row;
    s->rows++;
}

static void on_taken(void *ctx, uint64_t campaign, uint32_t rows, uint32_t left, uint32_t dropped,
                     bool ok)
{
    struct seen *s = ctx;

    assert_int_equal(campaign, s->campaign);
    s->taken = true;
    s->told_rows = rows;
    s->left = left;
    s->dropped = dropped;
    s->ok = ok;
}

static void on_state(void *ctx, bool up, const char *text)
{
    struct seen *s = ctx;

    assert_non_null(text);
    s->up = up;
    s->told = true;
}

int64_t hopper_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void hopper_run(struct seen *s, const bool *until, bool value, int timeout_ms)
{
    int64_t end = hopper_now_us() + timeout_ms * INT64_C(1000);

    while (*until != value) {
        const struct hopper_ops *ops = s->hopper->ops;
        int64_t now = hopper_now_us(), wait = ops->until_us(s->hopper);
        struct pollfd fd = {.fd = ops->fd(s->hopper), .events = ops->wants(s->hopper)};
        if (now > end)
            fail_msg("nothing happened in %d ms", timeout_ms);
        if (wait > end)
            wait = end;
        poll(&fd, 1, wait > now ? (int)((wait - now) / 1000) + 1 : 0);
        ops->handle(s->hopper, fd.revents, hopper_now_us());
    }
}

void hopper_make(struct seen *s, const struct hopper_driver *driver, const struct hopper_options *o)
{
    struct hopper_events events = {on_row, on_taken, on_state, s};
    char why[200] = "";

    memset(s, 0, sizeof *s);
    s->campaign = 7;
    s->hopper = driver->make(o, &events, why, sizeof why);
    if (!s->hopper)
        fail_msg("%s", why);
}

void hopper_begin(struct seen *s, const struct hopper_driver *driver,
                  const struct hopper_options *o)
{
    hopper_make(s, driver, o);
    hopper_run(s, &s->up, true, 5000);
}

void hopper_take(struct seen *s, uint32_t rows)
{
    s->rows = 0;
    s->taken = false;
    s->hopper->ops->take(s->hopper, s->campaign, rows);
    hopper_run(s, &s->taken, true, 5000);
    assert_int_equal(s->told_rows, s->rows);
}

static int setup(void **state)
{
    static struct seen s;
    struct hopper_options o = {0};

    fixture->options(&o);
    hopper_begin(&s, fixture->driver, &o);
    s.hopper->ops->clear(s.hopper, 7);
    s.hopper->ops->clear(s.hopper, 8);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct seen *s = *state;

    s->hopper->ops->close(s->hopper);
    return 0;
}

static void rows_come_in_order(void **state)
{
    struct seen *s = *state;
    uint64_t i;

    for (i = 1; i <= 50; i++)
        s->hopper->ops->put(s->hopper, 7, i * 1000003);
    hopper_take(s, 20);
    assert_true(s->ok);
    assert_int_equal(s->rows, 20);
    assert_int_equal(s->left, 30);
    for (i = 0; i < 20; i++)
        assert_int_equal(s->row[i], (i + 1) * 1000003);
    hopper_take(s, 40);
    assert_int_equal(s->rows, 30);
    assert_int_equal(s->left, 0);
    assert_int_equal(s->row[0], 21 * 1000003);
}

static void empty_is_an_answer(void **state)
{
    struct seen *s = *state;

    hopper_take(s, 10);
    assert_true(s->ok);
    assert_int_equal(s->rows, 0);
    assert_int_equal(s->left, 0);
}

static void campaigns_have_lists_of_their_own(void **state)
{
    struct seen *s = *state;

    s->hopper->ops->put(s->hopper, 7, 1);
    s->hopper->ops->put(s->hopper, 8, 2);
    hopper_take(s, 10);
    assert_int_equal(s->rows, 1);
    assert_int_equal(s->row[0], 1);
    s->campaign = 8;
    hopper_take(s, 10);
    assert_int_equal(s->row[0], 2);
}

static void clear_empties_one_list(void **state)
{
    struct seen *s = *state;
    uint64_t i;

    for (i = 1; i <= 200; i++)
        s->hopper->ops->put(s->hopper, 7, i);
    s->hopper->ops->put(s->hopper, 8, 5);
    s->hopper->ops->clear(s->hopper, 7);
    hopper_take(s, 10);
    assert_int_equal(s->rows, 0);
    s->hopper->ops->put(s->hopper, 7, 9);
    hopper_take(s, 10);
    assert_int_equal(s->row[0], 9);
    s->campaign = 8;
    hopper_take(s, 10);
    assert_int_equal(s->rows, 1);
}

static void row_zero_is_nothing(void **state)
{
    struct seen *s = *state;

    s->hopper->ops->put(s->hopper, 7, 0);
    hopper_take(s, 10);
    assert_int_equal(s->rows, 0);
    assert_int_equal(s->dropped, 0);
}

static void ids_are_numbers_and_nothing_else(void **state)
{
    static const char *const bad[] = {"",        "0",  "01",   "-1",  "+1",  "1 ",
                                      " 1",      "1x", "0x10", "1.0", "1e5", "12345678901234567890",
                                      "\xd9\xa1"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hopper_id(bad[i], strlen(bad[i])), 0);
    assert_int_equal(hopper_id("1", 1), 1);
    assert_int_equal(hopper_id("999999999999999999", 18), 999999999999999999);
}

int hopper_conformance_run(const char *name, const struct hopper_fixture *f,
                           const struct CMUnitTest *more, size_t n_more)
{
    struct CMUnitTest all[32] = {
        cmocka_unit_test_setup_teardown(rows_come_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_is_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(campaigns_have_lists_of_their_own, setup, teardown),
        cmocka_unit_test_setup_teardown(clear_empties_one_list, setup, teardown),
        cmocka_unit_test_setup_teardown(row_zero_is_nothing, setup, teardown),
        cmocka_unit_test(ids_are_numbers_and_nothing_else),
    };
    size_t n = 6, i;

    fixture = f;
    for (i = 0; i < n_more; i++)
        all[n++] = more[i];
    return _cmocka_run_group_tests(name, all, n, NULL, NULL);
}
