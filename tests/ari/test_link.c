/* The link's table: proved, and walked through in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/ari/link.h"

#include <string.h>

static char steps[256];
static int64_t timer_us; /* -1: not set */
static uint64_t chance;

static void note(const char *word)
{
    strcat(steps, word);
    strcat(steps, " ");
}

static void do_connect(void *ctx)
{
    (void)ctx;
    note("connect");
}

static void check(void *ctx)
{
    (void)ctx;
    note("check");
}

static void filter(void *ctx)
{
    (void)ctx;
    note("filter");
}

static void subscribe(void *ctx)
{
    (void)ctx;
    note("subscribe");
}

static void list(void *ctx)
{
    (void)ctx;
    note("list");
}

static void up(void *ctx)
{
    (void)ctx;
    note("up");
}

static void down(void *ctx)
{
    (void)ctx;
    note("down");
}

static void replaced(void *ctx)
{
    (void)ctx;
    note("replaced");
}

static void moved(void *ctx)
{
    (void)ctx;
}

static void set_timer(void *ctx, int64_t delay_us)
{
    (void)ctx;
    timer_us = delay_us;
}

static void clear_timer(void *ctx)
{
    (void)ctx;
    timer_us = -1;
}

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return 0;
}

static uint64_t some_chance(void *ctx)
{
    (void)ctx;
    return chance;
}

static const struct link_hooks hooks = {do_connect,  check,  filter,     subscribe, list,
                                        up,          down,   replaced,   moved,     set_timer,
                                        clear_timer, now_us, some_chance};

static struct link l;

static int setup(void **state)
{
    (void)state;
    steps[0] = '\0';
    chance = 0;
    link_init(&l, &hooks, NULL);
    return 0;
}

static void table_is_proved(void **state)
{
    (void)state;
    char why[200] = "";
    if (fsm_check(&link_def, why, sizeof why) != 0) {
        fail_msg("%s", why);
    }
}

static void the_recipe(void **state)
{
    (void)state;
    assert_int_equal(timer_us, 0); /* the first connect is due at once */
    link_fire(&l, LINK_TIMEOUT);
    assert_int_equal(link_state(&l), LINK_CONNECTING);
    link_fire(&l, LINK_OPENED);
    for (int i = 0; i < 4; i++) {
        link_fire(&l, LINK_GOOD);
    }
    assert_int_equal(link_state(&l), LINK_UP);
    assert_string_equal(steps, "connect check filter subscribe list up ");
    assert_int_equal(timer_us, -1);
    link_fire(&l, LINK_GOOD);
    link_fire(&l, LINK_BAD);
    link_fire(&l, LINK_OPENED);
    assert_int_equal(link_state(&l), LINK_UP);
    link_fire(&l, LINK_LOST);
    assert_int_equal(link_state(&l), LINK_DOWN);
    assert_true(timer_us >= 100 * US_PER_MS && timer_us <= 200 * US_PER_MS);
}

static void every_step_can_fail(void **state)
{
    (void)state;
    static const enum link_event failures[] = {LINK_BAD, LINK_TIMEOUT, LINK_LOST};
    for (int reach = 0; reach < 5; reach++) {
        for (int f = 0; f < 3; f++) {
            setup(NULL);
            link_fire(&l, LINK_TIMEOUT);
            if (reach > 0) {
                link_fire(&l, LINK_OPENED);
            }
            for (int i = 1; i < reach; i++) {
                link_fire(&l, LINK_GOOD);
            }
            assert_int_equal(link_state(&l), LINK_CONNECTING + reach);
            assert_true(timer_us > 0);
            link_fire(&l, failures[f]);
            assert_int_equal(link_state(&l), LINK_DOWN);
            assert_non_null(strstr(steps, "down"));
            assert_true(timer_us > 0);
        }
    }
}

static void pause_grows_to_five_seconds(void **state)
{
    (void)state;
    int64_t last = 0;
    chance = UINT64_MAX;
    for (int i = 0; i < 12; i++) {
        link_fire(&l, LINK_TIMEOUT);
        link_fire(&l, LINK_LOST);
        assert_true(timer_us <= 5 * US_PER_S);
        assert_true(timer_us >= last / 2);
        last = timer_us;
        steps[0] = '\0';
    }
    assert_true(last >= 2500 * US_PER_MS);
}

static void replaced_stays_until_it_is_asked_for(void **state)
{
    (void)state;
    link_fire(&l, LINK_TIMEOUT);
    link_fire(&l, LINK_OPENED);
    link_fire(&l, LINK_TAKEN);
    assert_int_equal(link_state(&l), LINK_REPLACED);
    assert_int_equal(timer_us, -1);
    for (int e = 0; e < LINK_EVENTS; e++) {
        if (e != LINK_RETAKE) {
            link_fire(&l, (enum link_event)e);
        }
        assert_int_equal(link_state(&l), LINK_REPLACED);
    }
    link_fire(&l, LINK_RETAKE);
    assert_int_equal(link_state(&l), LINK_CONNECTING);
    link_fire(&l, LINK_RETAKE);
    assert_int_equal(link_state(&l), LINK_CONNECTING);
    assert_string_equal(steps, "connect check replaced connect ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(table_is_proved, setup),
        cmocka_unit_test_setup(the_recipe, setup),
        cmocka_unit_test_setup(every_step_can_fail, setup),
        cmocka_unit_test_setup(pause_grows_to_five_seconds, setup),
        cmocka_unit_test_setup(replaced_stays_until_it_is_asked_for, setup),
    };
    return cmocka_run_group_tests_name("ari_link", tests, NULL, NULL);
}
