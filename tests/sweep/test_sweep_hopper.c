/*
 * test_sweep_hopper.c - the hopper on a private Redis while memory fails, or the calls to the
 * kernel that hiredis makes: each take is answered once, whatever comes; no row is given twice; the
 * next connection works; and nothing leaks. That a row is lost is allowed: the hopper is a hint.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/messages.h"
#include "adapters/hopper/service.h"
#include "core/pool.h"
#include "tests/hopper/conformance.h"
#include "tests/support/services.h"
#include "tests/support/sweep.h"

#define ROWS 6

static struct support_redis server;
static char where[64];

/* Until it has said something, or has been asked and has answered. */
static void connects(struct seen *s)
{
    hopper_run(s, &s->told, true, 5000);
}

static void takes(struct seen *s, unsigned given[ROWS + 1])
{
    hopper_take(s, 4);
    for (unsigned i = 0; i < s->rows; i++) {
        assert_in_range(s->row[i], 1, ROWS);
        given[s->row[i]]++;
        assert_int_equal(given[s->row[i]], 1);
    }
}

/* Gives six rows in and takes eight in two takes. */
static void work(struct seen *s, unsigned given[ROWS + 1])
{
    connects(s);
    s->hopper->ops->clear(s->hopper, s->campaign);
    for (uint64_t row = 1; row <= ROWS; row++) {
        s->hopper->ops->put(s->hopper, s->campaign, row);
    }
    takes(s, given);
    takes(s, given);
}

/* Without any trouble now: what is in the list is not what was given already; then all is well. */
static void check(struct seen *s, unsigned given[ROWS + 1])
{
    hopper_run(s, &s->up, true, 10000);
    takes(s, given);
    assert_true(s->ok);
    s->hopper->ops->clear(s->hopper, s->campaign);
    s->hopper->ops->put(s->hopper, s->campaign, 5);
    hopper_take(s, 4);
    assert_true(s->ok);
    assert_int_equal(s->rows, 1);
    assert_int_equal(s->row[0], 5);
    s->hopper->ops->close(s->hopper);
}

static void sweep(enum sweep_kind kind, int error, bool on)
{
    const struct hopper_options o = {.where = where, .timeout_ms = 5000};
    unsigned n = 0;

    SWEEP(nth)
    {
        unsigned given[ROWS + 1] = {0};
        struct seen s;

        hopper_make(&s, &hopper_redis, &o);
        sweep_arm(kind, nth, error, on);
        work(&s, given);
        SWEEP_DISARM();
        if (!sweeping_) {
            for (unsigned row = 1; row <= ROWS; row++) {
                assert_int_equal(given[row], 1);
            }
        }
        check(&s, given);
        n = nth;
    }
    print_message("# hopper, %s%s: %u places\n", sweep_name(kind), on ? " and all after" : "",
                  n - 1);
    assert_in_range(n, 2, SWEEP_MOST);
}

static void memory_fails(void **state)
{
    (void)state;
    sweep(SWEEP_MEMORY, ENOMEM, false);
    sweep(SWEEP_MEMORY, ENOMEM, true);
}

static void the_connection_fails(void **state)
{
    (void)state;
    sweep(SWEEP_BELOW_CONNECT, EMFILE, false);
    sweep(SWEEP_BELOW_WRITE, ECONNRESET, false); /* hiredis writes and reads */
    sweep(SWEEP_BELOW_READ, ECONNRESET, false);
    sweep(SWEEP_BELOW_READ, ECONNRESET, true);
}

/* The service around it: made as a whole or not at all. */
static void the_service_is_made(void **state)
{
    struct pool_config config = {.workers = 1, .catalogue = &dialer_catalogue};
    char why[200] = "";
    struct pool *pool = pool_open(&config, why, sizeof why);
    struct hopper_service_options o = {
        .pool = pool, .driver = &hopper_redis, .hopper = {.where = where}};
    unsigned n = 0;

    (void)state;
    assert_non_null(pool);
    SWEEP(nth)
    {
        struct hopper_service *s;

        sweep_arm(SWEEP_MEMORY, nth, ENOMEM, false);
        s = hopper_service_open(&o, why, sizeof why);
        SWEEP_DISARM();
        assert_true(s != NULL || sweeping_);
        if (s) {
            assert_int_equal(hopper_service_start(s), 0);
            hopper_service_stop(s);
        }
        hopper_service_close(s);
        n = nth;
    }
    pool_close(pool);
    print_message("# the hopper's service, memory: %u places\n", n - 1);
    assert_in_range(n, 2, SWEEP_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(the_connection_fails),
        cmocka_unit_test(the_service_is_made),
    };
    int rc = support_redis_begin(&server);

    if (rc) {
        return rc;
    }
    snprintf(where, sizeof where, "redis://127.0.0.1:%d/3", server.port);
    rc = cmocka_run_group_tests_name("sweep_hopper", tests, NULL, NULL);
    support_redis_stop(&server);
    return rc;
}
