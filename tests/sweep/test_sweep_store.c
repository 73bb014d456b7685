/*
 * test_sweep_store.c - the store (our side of it, on SQLite) while memory fails: each operation of
 * a call's life is refused as a whole or done as a whole, the next try works, and nothing leaks.
 */
#include "tests/store/conformance.h"
#include "tests/support/services.h"
#include "tests/support/sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/store/sql.h"

static char directory[64], path[96];

static int again(struct store_options *o)
{
    o->where = path;
    return 0;
}

static int fresh(struct store_options *o)
{
    snprintf(directory, sizeof directory, "/tmp/dialer-sweep-XXXXXX");
    if (!mkdtemp(directory)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/dialer.db", directory);
    return again(o);
}

static void drop(void)
{
    support_remove(directory);
}

static const struct fixture fixture = {&store_sqlite, fresh, again, drop, false};

/* Making and connecting. */
static void a_store_is_opened(void **state)
{
    struct store_options o = {.owner = "first", .own = true};
    unsigned n = 0;

    (void)state;
    assert_int_equal(fresh(&o), 0);
    SWEEP(nth)
    {
        sweep_arm(SWEEP_MEMORY, nth, ENOMEM, false);
        struct store *s = store_sqlite.make(&o);
        int rc = s ? s->ops->connect(s, WORLD_NOW) : STORE_AWAY;

        SWEEP_DISARM();
        if (s) {
            if (rc != STORE_OK) {
                store_good(s, s->ops->connect(s, WORLD_NOW));
            }
            s->ops->close(s);
        }
        n = nth;
    }
    print_message("store, opened: %u places\n", n - 1);
    drop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_opened),
    };
    (void)fixture;

    return cmocka_run_group_tests_name("sweep_store", tests, NULL, NULL);
}
