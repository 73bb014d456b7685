/* The command queue in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/ari/queue.h"

#define MS US_PER_MS

static struct queue q;
static struct queue_item items[4000];
static unsigned n_items;

static void begin(struct queue_config config)
{
    n_items = 0;
    queue_init(&q, &config, 0);
}

static struct queue_item *push(enum queue_priority priority, int64_t now)
{
    struct queue_item *item = &items[n_items++];
    queue_push(&q, item, priority, now);
    return item;
}

static void order_of_priorities(void **state)
{
    (void)state;
    begin((struct queue_config){.control_cap = 8});
    struct queue_item *o = push(QUEUE_ORIGINATE, 0);
    struct queue_item *h1 = push(QUEUE_HANGUP, 0);
    struct queue_item *b1 = push(QUEUE_BRIDGE, 0);
    struct queue_item *h2 = push(QUEUE_HANGUP, 0);
    struct queue_item *b2 = push(QUEUE_BRIDGE, 0);
    assert_ptr_equal(queue_take(&q, 0), b1);
    assert_ptr_equal(queue_take(&q, 0), b2);
    assert_ptr_equal(queue_take(&q, 0), h1);
    assert_ptr_equal(queue_take(&q, 0), h2);
    assert_ptr_equal(queue_take(&q, 0), o);
    assert_null(queue_take(&q, 0));
}

static void originates_never_pass_what_waits(void **state)
{
    (void)state;
    begin((struct queue_config){.control_cap = 1});
    push(QUEUE_ORIGINATE, 0);
    struct queue_item *b = push(QUEUE_BRIDGE, 0);
    struct queue_item *h = push(QUEUE_HANGUP, 0);
    assert_ptr_equal(queue_take(&q, 0), b);
    assert_null(queue_take(&q, 0)); /* a hang-up waits: the originate too */
    queue_answered(&q, b, QUEUE_GOOD, 1000);
    assert_ptr_equal(queue_take(&q, 1000), h);
    assert_non_null(queue_take(&q, 1000));
}

static void a_pile_of_bridges_stops_originates(void **state)
{
    (void)state;
    begin((struct queue_config){.control_cap = 20, .bridge_pile = 3});
    struct queue_item *b[3];
    for (int i = 0; i < 3; i++) {
        b[i] = push(QUEUE_BRIDGE, 0);
        assert_ptr_equal(queue_take(&q, 0), b[i]);
    }
    struct queue_item *o = push(QUEUE_ORIGINATE, 0);
    assert_null(queue_take(&q, 0));
    queue_answered(&q, b[0], QUEUE_GOOD, 10);
    assert_ptr_equal(queue_take(&q, 10), o);
}

static void window_follows_the_response_time(void **state)
{
    (void)state;
    begin((struct queue_config){.originate_cap = 8});
    for (int i = 0; i < 200; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    int64_t now = 0;
    /* quick answers: up to eight in flight */
    for (int round = 0; round < 40; round++) {
        struct queue_item *item = queue_take(&q, now);
        assert_non_null(item);
        now += 2 * MS;
        queue_answered(&q, item, QUEUE_GOOD, now);
    }
    struct queue_item *flying[20];
    unsigned n = 0;
    while ((flying[n] = queue_take(&q, now))) {
        n++;
    }
    assert_int_equal(n, 8);
    /* slow ones: down to one, but not for each of those that stood behind the first */
    now += 200 * MS;
    for (unsigned i = 0; i < n; i++) {
        queue_answered(&q, flying[i], QUEUE_GOOD, now);
    }
    assert_int_equal((int)q.window, 4);
    for (int round = 0; round < 5; round++) {
        struct queue_item *item = queue_take(&q, now);
        now += 500 * MS;
        queue_answered(&q, item, QUEUE_GOOD, now);
    }
    assert_int_equal((int)q.window, 1);
    assert_non_null(queue_take(&q, now));
    assert_null(queue_take(&q, now));
}

static void slow_bridging_shrinks_it_too(void **state)
{
    (void)state;
    begin((struct queue_config){0});
    assert_int_equal((int)q.window, 4);
    struct queue_item *b = push(QUEUE_BRIDGE, 0);
    assert_ptr_equal(queue_take(&q, 0), b);
    queue_answered(&q, b, QUEUE_GOOD, 10 * MS);
    assert_int_equal((int)q.window, 4);
    b = push(QUEUE_BRIDGE, 10 * MS);
    assert_ptr_equal(queue_take(&q, 10 * MS), b);
    queue_answered(&q, b, QUEUE_GOOD, 50 * MS);
    assert_int_equal((int)q.window, 2);
    struct queue_item *h = push(QUEUE_HANGUP, 50 * MS);
    assert_ptr_equal(queue_take(&q, 50 * MS), h);
    queue_answered(&q, h, QUEUE_GOOD, 500 * MS); /* nobody waits for a hang-up */
    assert_int_equal((int)q.window, 2);
}

static void calls_per_second(void **state)
{
    (void)state;
    begin((struct queue_config){.calls_per_s = 20, .wait_us = 100 * US_PER_S});
    for (int i = 0; i < 1000; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    unsigned sent = 0;
    for (int64_t now = 0; now < 10 * US_PER_S; now += MS) {
        struct queue_item *item = queue_take(&q, now);
        if (item) {
            sent++;
            queue_answered(&q, item, QUEUE_GOOD, now);
        } else {
            int64_t next = queue_next_us(&q, now);
            assert_true(next > now && next <= now + 51 * MS);
        }
    }
    assert_true(sent >= 199 && sent <= 203);
    /* a pause is not made up in a burst */
    int64_t later = 60 * US_PER_S;
    unsigned burst = 0;
    struct queue_item *item;
    while ((item = queue_take(&q, later))) {
        queue_answered(&q, item, QUEUE_GOOD, later);
        burst++;
    }
    assert_true(burst <= 2);
}

static void lines(void **state)
{
    (void)state;
    begin((struct queue_config){.lines = 3});
    for (int i = 0; i < 5; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    queue_set_live(&q, 2);
    struct queue_item *item = queue_take(&q, 0);
    assert_non_null(item);
    assert_null(queue_take(&q, 0));
    queue_answered(&q, item, QUEUE_GOOD, 1);
    queue_set_live(&q, 3);
    assert_null(queue_take(&q, 1));
    queue_set_live(&q, 1);
    assert_non_null(queue_take(&q, 1));
    assert_non_null(queue_take(&q, 1));
    assert_null(queue_take(&q, 1));
}

/* A reload: more lines let wait what waited, fewer cut nothing off; the rate so far counts. */
static void other_limits(void **state)
{
    (void)state;
    begin((struct queue_config){.lines = 1, .calls_per_s = 1, .originate_cap = 8});
    q.window = 8;
    for (int i = 0; i < 6; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    q.tokens = 1;
    assert_non_null(queue_take(&q, 0));
    assert_null(queue_take(&q, 0));
    queue_limits(&q, 0, 3, MS);
    assert_non_null(queue_take(&q, MS));
    assert_non_null(queue_take(&q, MS));
    assert_null(queue_take(&q, MS));
    queue_limits(&q, 0, 2, MS);
    assert_null(queue_take(&q, MS));
    queue_limits(&q, 2, 0, MS);
    assert_null(queue_take(&q, 2 * MS)); /* half a second for each */
    assert_non_null(queue_take(&q, 510 * MS));
    assert_null(queue_take(&q, 510 * MS));
}

static void oldest_is_shed_first(void **state)
{
    (void)state;
    begin((struct queue_config){.wait_us = 2 * US_PER_S});
    queue_hold(&q, true);
    struct queue_item *a = push(QUEUE_ORIGINATE, 0);
    struct queue_item *b = push(QUEUE_ORIGINATE, US_PER_S);
    push(QUEUE_HANGUP, 0);
    assert_null(queue_shed(&q, US_PER_S));
    assert_int_equal(queue_next_us(&q, US_PER_S), 2 * US_PER_S);
    assert_ptr_equal(queue_shed(&q, 2 * US_PER_S), a);
    assert_null(queue_shed(&q, 2 * US_PER_S));
    assert_ptr_equal(queue_shed(&q, 3 * US_PER_S), b);
    assert_null(queue_shed(&q, 100 * US_PER_S)); /* hang-ups never are */
    assert_int_equal(q.waiting[QUEUE_HANGUP].count, 1);
    assert_int_equal(q.n_shed, 2);
}

/* One originate, answered as told at once. False: none may go. */
static bool one(enum queue_result result, int64_t now)
{
    struct queue_item *item = queue_take(&q, now);
    if (item) {
        queue_answered(&q, item, result, now);
    }
    return item != NULL;
}

static void breaker(void **state)
{
    (void)state;
    begin((struct queue_config){
        .breaker_failures = 3, .breaker_us = 500 * MS, .wait_us = 1000 * US_PER_S});
    for (int i = 0; i < 100; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    assert_true(one(QUEUE_FAILURE, 0) && one(QUEUE_FAILURE, 0));
    assert_true(one(QUEUE_GOOD, 0)); /* not in a row */
    assert_true(one(QUEUE_FAILURE, 0) && one(QUEUE_FAILURE, 0) && one(QUEUE_FAILURE, 0));
    assert_true(queue_breaker_open(&q, 0));
    assert_false(one(QUEUE_GOOD, 499 * MS));
    assert_int_equal(queue_next_us(&q, 100 * MS), 500 * MS);
    /* bridging and hanging up go on */
    struct queue_item *h = push(QUEUE_HANGUP, 0);
    assert_ptr_equal(queue_take(&q, 100 * MS), h);
    queue_answered(&q, h, QUEUE_FAILURE, 100 * MS);
    /* one probe; it fails: a pause twice as long */
    struct queue_item *probe = queue_take(&q, 500 * MS);
    assert_non_null(probe);
    assert_null(queue_take(&q, 500 * MS));
    queue_answered(&q, probe, QUEUE_FAILURE, 500 * MS);
    assert_false(one(QUEUE_GOOD, 1499 * MS));
    /* the next one succeeds: closed */
    assert_true(one(QUEUE_GOOD, 1500 * MS));
    assert_false(queue_breaker_open(&q, 1500 * MS));
    assert_true(one(QUEUE_GOOD, 1500 * MS) && one(QUEUE_GOOD, 1500 * MS));
    assert_int_equal(q.n_opened, 2);
}

/* A good answer that comes seconds late is no good. */
static void breaker_opens_for_the_slow(void **state)
{
    (void)state;
    begin((struct queue_config){.wait_us = 1000 * US_PER_S});
    int64_t now = 0;
    for (int i = 0; i < 10; i++) {
        push(QUEUE_ORIGINATE, 0);
    }
    assert_true(one(QUEUE_GOOD, now));
    struct queue_item *first = queue_take(&q, now);
    struct queue_item *second = queue_take(&q, now);
    now += 5 * US_PER_S;
    queue_answered(&q, first, QUEUE_GOOD, now);
    assert_true(queue_breaker_open(&q, now));
    assert_null(queue_take(&q, now));
    queue_answered(&q, second, QUEUE_GOOD, now); /* it says nothing new */
    assert_int_equal(q.n_opened, 1);
    now += 500 * MS;
    struct queue_item *probe = queue_take(&q, now);
    assert_non_null(probe);
    assert_null(queue_take(&q, now));
    now += 5 * US_PER_S;
    queue_answered(&q, probe, QUEUE_GOOD, now);
    assert_null(queue_take(&q, now + 999 * MS)); /* the pause doubles */
    now += US_PER_S;
    assert_true(one(QUEUE_GOOD, now)); /* answered at once: closed */
    assert_false(queue_breaker_open(&q, now));
    assert_int_equal(q.n_opened, 2);
}

static void withdraw_and_empty(void **state)
{
    (void)state;
    begin((struct queue_config){0});
    struct queue_item *a = push(QUEUE_ORIGINATE, 0);
    struct queue_item *b = push(QUEUE_ORIGINATE, 0);
    struct queue_item *c = push(QUEUE_ORIGINATE, 0);
    queue_withdraw(&q, b);
    assert_false(b->waiting);
    assert_ptr_equal(queue_empty_one(&q), a);
    assert_ptr_equal(queue_empty_one(&q), c);
    assert_null(queue_empty_one(&q));
    assert_int_equal(queue_next_us(&q, 0), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_priorities),
        cmocka_unit_test(originates_never_pass_what_waits),
        cmocka_unit_test(a_pile_of_bridges_stops_originates),
        cmocka_unit_test(window_follows_the_response_time),
        cmocka_unit_test(slow_bridging_shrinks_it_too),
        cmocka_unit_test(calls_per_second),
        cmocka_unit_test(lines),
        cmocka_unit_test(other_limits),
        cmocka_unit_test(oldest_is_shed_first),
        cmocka_unit_test(breaker),
        cmocka_unit_test(breaker_opens_for_the_slow),
        cmocka_unit_test(withdraw_and_empty),
    };
    return cmocka_run_group_tests_name("ari_queue", tests, NULL, NULL);
}
