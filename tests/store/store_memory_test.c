/* The store's suite on the model in memory, and its faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/store/memory.h"
#include "tests/store/conformance.h"

static int again(struct store_options *o)
{
    o->where = "suite";
    return 0;
}

static void drop(void)
{
    store_memory_forget("suite");
}

static const struct fixture fixture = {&store_memory, again, again, drop, false, NULL};

/* The same claim before and after a lost transaction, and after a lost answer. */
static void faults(void **state)
{
    struct world w;
    struct msg_claimed out;
    struct msg_claim req;
    uint64_t row;

    (void)state;
    world_make(&w, world_open(&fixture, "one"));
    world_leads(&w, 1);
    world_rows(&w, WORLD_NOW, &row, 1);
    req = world_claim(&w, row, WORLD_NOW);
    store_memory_faults(w.s)->away = true;
    assert_int_equal(w.s->ops->claim(w.s, &req, 1, &out), STORE_AWAY);
    assert_int_equal(w.s->ops->connect(w.s, WORLD_NOW), STORE_AWAY);
    store_memory_faults(w.s)->away = false;
    store_memory_faults(w.s)->lose_before = 1;
    assert_int_equal(w.s->ops->claim(w.s, &req, 1, &out), STORE_AWAY);
    assert_int_equal(world_rows(&w, WORLD_NOW, &row, 1), 1);
    store_memory_faults(w.s)->lose_after = 1;
    assert_int_equal(w.s->ops->claim(w.s, &req, 1, &out), STORE_AWAY);
    assert_int_equal(world_rows(&w, WORLD_NOW, &row, 1), 0);
    store_good(w.s, w.s->ops->claim(w.s, &req, 1, &out));
    assert_int_equal(out.reason, REASON_allow);
    assert_int_equal(out.attempt_no, 1);
    w.s->ops->close(w.s);
    drop();
}

int main(void)
{
    const struct CMUnitTest more[] = {cmocka_unit_test(faults)};

    return conformance_run("memory", &fixture, more, sizeof more / sizeof *more);
}
