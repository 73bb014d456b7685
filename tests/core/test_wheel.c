/* The timer wheel against a list: never early, at most a tick late, nothing lost, long sleeps, many
 * turns. */
#include "core/rng.h"
#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMERS 2000
#define TICK 1024

struct clock {
    struct wheel wheel;
    struct wheel_entry entries[TIMERS];
    bool armed[TIMERS];
    int64_t now;
    unsigned fired;
};

static void fire(void *ctx, struct wheel_entry *e)
{
    struct clock *c = ctx;
    const size_t i = (size_t)(e - c->entries);

    assert_true(c->armed[i]);
    assert_true(e->due_us <= c->now);
    c->armed[i] = false;
    c->fired++;
}

static void nothing_is_late(const struct clock *c)
{
    for (size_t i = 0; i < TIMERS; i++) {
        assert_true(!c->armed[i] || c->entries[i].due_us > c->now - 2 * TICK);
    }
}

static void against_a_list(void **state)
{
    struct clock *c = calloc(1, sizeof *c);
    struct rng r = rng_stream(11, 0);
    unsigned armed = 0;
    unsigned cancelled = 0;

    (void)state;
    c->now = 123456789;
    wheel_init(&c->wheel, c->now);
    for (int round = 0; round < 3000; round++) {
        for (int k = 0; k < 10; k++) {
            const size_t i = rng_below(&r, TIMERS);
            if (c->armed[i]) {
                wheel_remove(&c->wheel, &c->entries[i]);
                c->armed[i] = false;
                cancelled++;
            } else {
                const int64_t delay = (int64_t)(rng_next(&r) >> (34 + rng_below(&r, 30)));
                wheel_add(&c->wheel, &c->entries[i], c->now + delay);
                c->armed[i] = true;
                armed++;
            }
        }
        {
            const int64_t wait = wheel_wait(&c->wheel, c->now);
            int64_t soonest = INT64_MAX;
            for (size_t i = 0; i < TIMERS; i++) {
                if (c->armed[i] && c->entries[i].due_us < soonest) {
                    soonest = c->entries[i].due_us;
                }
            }
            assert_true(soonest == INT64_MAX
                            ? wait == -1
                            : wait >= 0 &&
                                  wait <= (soonest > c->now ? soonest - c->now : 0) + 2 * TICK);
        }
        c->now += (int64_t)(rng_next(&r) >> (40 + rng_below(&r, 20)));
        wheel_expire(&c->wheel, c->now, fire, c);
        nothing_is_late(c);
    }
    c->now += INT64_C(1) << 40;
    wheel_expire(&c->wheel, c->now, fire, c);
    assert_int_equal(c->wheel.count, 0);
    assert_int_equal(armed, cancelled + c->fired);
    assert_true(c->fired > 1000);
    free(c);
}

struct chain {
    struct wheel wheel;
    struct wheel_entry e;
    int64_t now;
    int left;
};

static void again(void *ctx, struct wheel_entry *e)
{
    struct chain *c = ctx;

    if (c->left-- > 0) {
        wheel_add(&c->wheel, e,
                  c->now); /* due at once: comes with the next tick, not in an endless loop */
    }
}

static void adding_while_firing(void **state)
{
    struct chain *c = calloc(1, sizeof *c);

    (void)state;
    wheel_init(&c->wheel, 0);
    c->left = 5;
    wheel_add(&c->wheel, &c->e, 0);
    for (int i = 0; i < 10; i++) {
        c->now += TICK;
        wheel_expire(&c->wheel, c->now, again, c);
    }
    assert_int_equal(c->left, -1);
    assert_int_equal(c->wheel.count, 0);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_a_list),
                                       cmocka_unit_test(adding_while_firing)};

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
