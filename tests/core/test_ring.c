/* The rings under many threads: nothing lost, nothing twice, order of each producer, contents
 * visible. */
#include "core/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define THREADS 3
#if defined(__SANITIZE_THREAD__)
#define ITEMS 60 /* slow code is suspended inside a push more often: see work() */
#else
#define ITEMS 4000
#endif

/* Something to do between two pushes. Producers that do nothing else end in a convoy when there are
 * more threads than processors: each waits, spinning, for one that has reserved its place and was
 * suspended (ring.h). */
static void work(void)
{
    for (volatile unsigned i = 0; i < 200; i++) {
    }
}

struct item {
    unsigned producer;
    unsigned number;
    unsigned check; /* written before the push, plainly: the pop must show it */
    _Atomic unsigned seen;
};

static struct ring *ring;
static struct item *items;

static void *produce(void *arg)
{
    const unsigned self = (unsigned)(uintptr_t)arg;

    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *it = &items[self * ITEMS + i];
        it->producer = self;
        it->number = i;
        it->check = self * 7919 + i;
        work();
        while (!ring_push_mp(ring, it)) {
            (void)sched_yield();
        }
    }
    return NULL;
}

static void many_producers(void **state)
{
    pthread_t t[THREADS];
    unsigned next[THREADS] = {0};

    (void)state;
    ring = ring_open(256);
    items = calloc((size_t)THREADS * ITEMS, sizeof *items);
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, produce, (void *)i), 0);
    }
    for (unsigned n = 0; n < THREADS * ITEMS;) {
        const struct item *it = ring_pop_sc(ring);
        if (it != NULL) {
            assert_int_equal(it->number, next[it->producer]++);
            assert_int_equal(it->check, it->producer * 7919 + it->number);
            n++;
        } else {
            (void)sched_yield();
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(t[i], NULL);
    }
    assert_null(ring_pop_sc(ring));
    ring_close(ring);
    free(items);
}

static _Atomic unsigned taken;

static void *consume(void *arg)
{
    (void)arg;
    while (atomic_load(&taken) < ITEMS) {
        struct item *it = ring_pop_mc(ring);
        if (it != NULL) {
            assert_int_equal(it->check, it->number + 5);
            assert_int_equal(atomic_fetch_add(&it->seen, 1), 0);
            atomic_fetch_add(&taken, 1);
        } else {
            (void)sched_yield();
        }
    }
    return NULL;
}

static void many_consumers(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    ring = ring_open(64);
    items = calloc(ITEMS, sizeof *items);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, consume, NULL), 0);
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        items[i].number = i;
        items[i].check = i + 5;
        while (!ring_push_sp(ring, &items[i])) {
            (void)sched_yield();
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(t[i], NULL);
    }
    assert_int_equal(ring_size(ring), 0);
    ring_close(ring);
    free(items);
}

static void full_and_empty(void **state)
{
    struct ring *r = ring_open(8);
    int x[8];

    (void)state;
    assert_null(ring_pop_sc(r));
    for (int i = 0; i < 7; i++) { /* one slot stays unused */
        assert_true(ring_push_mp(r, &x[i]));
    }
    assert_false(ring_push_mp(r, &x[7]));
    assert_int_equal(ring_size(r), 7);
    assert_ptr_equal(ring_pop_sc(r), &x[0]);
    assert_true(ring_push_mp(r, &x[7]));
    ring_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(full_and_empty),
                                       cmocka_unit_test(many_producers),
                                       cmocka_unit_test(many_consumers)};

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
