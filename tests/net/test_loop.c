/* The loop itself: timers, watches, waking from other threads. */
#include "net_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int fired;
static struct net_timer *timer;

static void on_timer(void *ctx)
{
    fired++;
    if (ctx) {
        net_timer_free(timer);
        timer = NULL;
    }
}

static void timers(void **state)
{
    (void)state;
    fired = 0;
    timer = net_timer_new(loop, on_timer, NULL);
    assert_false(net_timer_is_set(timer));
    int64_t start = net_now_us();
    net_timer_set(timer, 30 * US_PER_MS);
    assert_true(net_timer_is_set(timer));
    run_until(fired == 1);
    assert_true(net_now_us() - start >= 29 * US_PER_MS);
    assert_false(net_timer_is_set(timer));
    net_timer_set(timer, 10 * US_PER_MS);
    net_timer_clear(timer);
    run_for(30 * US_PER_MS);
    assert_int_equal(fired, 1);
    net_timer_set(timer, 1000 * US_PER_S);
    net_timer_set(timer, -5);
    run_until(fired == 2);
    net_timer_free(timer);
    timer = net_timer_new(loop, on_timer, &timer); /* frees itself */
    net_timer_set(timer, 0);
    run_until(fired == 3);
    assert_null(timer);
    net_timer_free(NULL);
}

static void run_once_waits_no_longer_than_told(void **state)
{
    (void)state;
    int64_t start = net_now_us();
    assert_int_equal(net_loop_run_once(loop, 0), NET_OK);
    assert_true(net_now_us() - start < 20 * US_PER_MS);
    run_for(50 * US_PER_MS);
    assert_true(net_now_us() - start < 200 * US_PER_MS);
}

static int watched;

static void on_readable(void *ctx, int fd, unsigned events)
{
    uint64_t n;
    assert_int_equal(events, NET_READ);
    assert_int_equal(read(fd, &n, sizeof n), sizeof n);
    watched += (int)n;
    if (watched >= 10) {
        net_watch_free(*(struct net_watch **)ctx);
    }
}

static void watches(void **state)
{
    (void)state;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    static struct net_watch *w;
    watched = 0;
    w = net_watch_new(loop, fd, NET_READ, on_readable, &w);
    uint64_t one = 1;
    uint64_t ten = 10;
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
    run_until(watched == 1);
    net_watch_set(w, 0);
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
    run_for(20 * US_PER_MS);
    assert_int_equal(watched, 1);
    net_watch_set(w, NET_READ);
    run_until(watched == 2);
    assert_int_equal(write(fd, &ten, sizeof ten), sizeof ten);
    run_until(watched == 12);
    assert_null(net_watch_new(loop, -1, NET_READ, on_readable, NULL));
    close(fd);
}

static atomic_int produced;
static int wakes, seen;

static void on_wake(void *ctx)
{
    wakes++;
    seen = atomic_load(&produced);
    (void)ctx;
}

static void *produce(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        atomic_fetch_add(&produced, 1);
        net_loop_wake(arg);
    }
    return NULL;
}

static void *stop_it(void *arg)
{
    net_loop_stop(arg);
    return NULL;
}

static void wake_from_threads(void **state)
{
    (void)state;
    char err[100];
    const struct net_loop_config config = {.on_wake = on_wake};
    struct net_loop *other = net_loop_open(&config, err, sizeof err);
    assert_non_null(other);
    atomic_store(&produced, 0);
    wakes = seen = 0;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, produce, other);
    }
    int64_t end = net_now_us() + 5 * US_PER_S;
    while (seen < 8000 && net_now_us() < end) {
        net_loop_run_once(other, 500 * US_PER_MS); /* a lost wake would cost half a second */
    }
    assert_int_equal(seen, 8000);
    assert_true(wakes > 0 && wakes <= 8000);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_t stopper;
    pthread_create(&stopper, NULL, stop_it, other);
    net_loop_run(other);
    pthread_join(stopper, NULL);
    net_loop_stop(other);
    assert_int_equal(net_loop_run_once(other, -1), NET_ECLOSED);
    assert_int_equal(net_loop_run_once(other, 0), NET_OK);
    net_loop_close(other);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup_loop, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(timers),
        t(run_once_waits_no_longer_than_told),
        t(watches),
        t(wake_from_threads),
    };
    return cmocka_run_group_tests_name("net_loop", tests, NULL, NULL);
}
