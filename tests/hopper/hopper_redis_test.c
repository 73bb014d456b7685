/* The hopper's suite on a private Redis, and what can happen to a Redis only. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/hopper/conformance.h"
#include "tests/support/services.h"

static struct support_redis server;
static char where[64];

static void options(struct hopper_options *o)
{
    snprintf(where, sizeof where, "redis://127.0.0.1:%d/3", server.port);
    o->where = where;
    o->timeout_ms = 500;
}

/* Somebody else's hand on the same server. */
static void redis_does(const char *command)
{
    redisContext *c = redisConnect("127.0.0.1", server.port);

    assert_non_null(c);
    assert_int_equal(c->err, 0);
    freeReplyObject(redisCommand(c, "SELECT 3"));
    freeReplyObject(redisCommand(c, command));
    redisFree(c);
}

static int setup(void **state)
{
    static struct seen s;
    struct hopper_options o = {0};

    options(&o);
    redis_does("FLUSHALL");
    hopper_begin(&s, &hopper_redis, &o);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct seen *s = *state;

    s->hopper->ops->close(s->hopper);
    return 0;
}

static void list_is_as_documented(void **state)
{
    struct seen *s = *state;
    redisContext *c;
    redisReply *r;

    s->hopper->ops->put(s->hopper, 7, 41);
    s->hopper->ops->put(s->hopper, 7, 42);
    s->campaign = 9;
    hopper_take(s, 1); /* its answer is behind theirs */
    c = redisConnect("127.0.0.1", server.port);
    freeReplyObject(redisCommand(c, "SELECT 3"));
    r = redisCommand(c, "LRANGE hopper:7 0 -1");
    assert_int_equal(r->elements, 2);
    assert_string_equal(r->element[0]->str, "41");
    assert_string_equal(r->element[1]->str, "42");
    freeReplyObject(r);
    redisFree(c);
}

static void rubbish_is_dropped_and_counted(void **state)
{
    struct seen *s = *state;

    redis_does("RPUSH hopper:7 1 x 2 -3 4.5 03 99999999999999999999 5");
    hopper_take(s, 64);
    assert_true(s->ok);
    assert_int_equal(s->rows, 3);
    assert_int_equal(s->dropped, 5);
    assert_int_equal(s->row[2], 5);
}

static void foreign_type_is_replaced(void **state)
{
    struct seen *s = *state;

    redis_does("SET hopper:7 nonsense");
    hopper_take(s, 5);
    assert_false(s->ok);
    assert_int_equal(s->dropped, 1);
    s->hopper->ops->put(s->hopper, 7, 12);
    hopper_take(s, 5);
    assert_true(s->ok);
    assert_int_equal(s->row[0], 12);
}

static void flushall_is_an_empty_hopper(void **state)
{
    struct seen *s = *state;

    s->hopper->ops->put(s->hopper, 7, 1);
    hopper_take(s, 0);
    redis_does("FLUSHALL");
    hopper_take(s, 5);
    assert_true(s->ok);
    assert_int_equal(s->rows, 0);
    assert_int_equal(s->left, 0);
}

static void restart_is_noticed_and_survived(void **state)
{
    struct seen *s = *state;

    support_redis_kill(&server);
    hopper_run(s, &s->up, false, 5000);
    s->taken = false;
    s->hopper->ops->put(s->hopper, 7, 1);
    s->hopper->ops->take(s->hopper, 7, 1);
    assert_true(s->taken); /* answered at once, not ok */
    assert_false(s->ok);
    assert_int_equal(support_redis_again(&server), 0);
    hopper_run(s, &s->up, true, 5000);
    s->hopper->ops->put(s->hopper, 7, 2);
    hopper_take(s, 5);
    assert_true(s->ok);
    assert_int_equal(s->rows, 1);
    assert_int_equal(s->row[0], 2);
}

static void silence_ends_the_connection(void **state)
{
    struct seen *s = *state;
    int64_t start = hopper_now_us();

    kill(server.pid, SIGSTOP);
    s->taken = false;
    s->hopper->ops->take(s->hopper, 7, 1);
    hopper_run(s, &s->taken, true, 5000);
    assert_false(s->ok);
    assert_false(s->up);
    assert_true(hopper_now_us() - start < 3000000);
    kill(server.pid, SIGCONT);
    hopper_run(s, &s->up, true, 10000);
}

static void absent_at_start(void **state)
{
    struct hopper_options o = {0};
    struct seen s;

    (void)state;
    support_redis_kill(&server);
    options(&o);
    hopper_make(&s, &hopper_redis, &o);
    hopper_run(&s, &s.told, true, 5000);
    assert_false(s.up);
    assert_int_equal(support_redis_again(&server), 0);
    hopper_run(&s, &s.up, true, 5000);
    hopper_take(&s, 1);
    assert_true(s.ok);
    s.hopper->ops->close(s.hopper);
}

static void password(void **state)
{
    struct support_redis locked = {.password = "open-sesame"};
    struct hopper_options o = {.timeout_ms = 500};
    struct seen s;
    char why[200], here[64], file[128];
    FILE *f;

    (void)state;
    assert_int_equal(support_redis_start(&locked, why, sizeof why), 0);
    snprintf(here, sizeof here, "redis://127.0.0.1:%d", locked.port);
    snprintf(file, sizeof file, "%s/password", locked.folder);
    f = fopen(file, "w");
    assert_non_null(f);
    fputs("open-sesame\n", f);
    fclose(f);
    o.where = here;
    o.password_file = file;
    hopper_begin(&s, &hopper_redis, &o);
    hopper_take(&s, 1);
    assert_true(s.ok);
    s.hopper->ops->close(s.hopper);
    support_redis_stop(&locked);
}

static void addresses(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1:6379",
                                      "redis://",
                                      "redis://:6379",
                                      "redis://a:0",
                                      "redis://a:65536",
                                      "redis://a:6379x",
                                      "redis://a:6379/x",
                                      "http://a:6379",
                                      "redis+unix://relative"};
    struct hopper_events events = {0};
    char why[200];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hopper_options o = {.where = bad[i]};
        assert_null(hopper_redis.make(&o, &events, why, sizeof why));
        assert_non_null(strstr(why, "redis://host:port/database"));
    }
}

int main(void)
{
    static const struct hopper_fixture fixture = {&hopper_redis, options};
    const struct CMUnitTest more[] = {
        cmocka_unit_test_setup_teardown(list_is_as_documented, setup, teardown),
        cmocka_unit_test_setup_teardown(rubbish_is_dropped_and_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_type_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(flushall_is_an_empty_hopper, setup, teardown),
        cmocka_unit_test_setup_teardown(restart_is_noticed_and_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_ends_the_connection, setup, teardown),
        cmocka_unit_test(absent_at_start),
        cmocka_unit_test(password),
        cmocka_unit_test(addresses),
    };
    int rc = support_redis_begin(&server);

    if (rc) {
        return rc;
    }
    rc = hopper_conformance_run("redis", &fixture, more, sizeof more / sizeof *more);
    support_redis_stop(&server);
    return rc;
}
