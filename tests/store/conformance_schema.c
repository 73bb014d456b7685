/* conformance_schema.c - a store made by one program and opened by another: only an older program
 * is refused, and a migration whose text is not the one that ran. Somebody else's hand in the
 * tables stands for the other program. */
#include "tests/store/conformance_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct fixture *fixture;

void conformance_schema_fixture(const struct fixture *f)
{
    fixture = f;
}

int schema_setup(void **state)
{
    struct store *s = world_open(fixture, "first");

    *state = NULL;
    s->ops->close(s);
    return 0;
}

int schema_teardown(void **state)
{
    (void)state;
    fixture->drop();
    return 0;
}

/* What comes of opening it, as the daemon (own) or as a tool; in what is said stands `says`. */
static int opens(bool own, const char *says)
{
    struct store_options o = {.owner = "second"};

    assert_int_equal(fixture->again(&o), 0);
    o.own = own;

    struct store *s = fixture->driver->make(&o);
    int rc = s->ops->connect(s, WORLD_NOW);

    if (says && !strstr(s->error, says))
        fail_msg("%s", s->error);
    s->ops->close(s);
    return rc;
}

void schema_of_its_own_time(void **state)
{
    (void)state;
    assert_int_equal(opens(true, NULL), STORE_OK);
    assert_int_equal(opens(false, NULL), STORE_OK);
}

void newer_schema_that_allows_us(void **state)
{
    (void)state;
    fixture->does("INSERT INTO schema_migration VALUES (99, 1, 'x', 1)");
    assert_int_equal(opens(true, NULL), STORE_OK);
    assert_int_equal(opens(false, NULL), STORE_OK);
}

void newer_schema_that_does_not(void **state)
{
    (void)state;
    fixture->does("INSERT INTO schema_migration VALUES (99, 98, 'x', 1)");
    assert_int_equal(opens(true, "needs a program that knows 98"), STORE_TOO_NEW);
    assert_int_equal(opens(false, "upgrade"), STORE_TOO_NEW);
}

void migration_with_another_text(void **state)
{
    (void)state;
    fixture->does("UPDATE schema_migration SET digest = 'x' WHERE number = 1");
    assert_int_equal(opens(true, "migration 0001"), STORE_FAULT);
}
