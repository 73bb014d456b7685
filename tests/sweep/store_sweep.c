/* store_sweep.c - see store_sweep.h: the sweep itself; store_ops.c has what is swept. */
#include "tests/sweep/store_sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sweep/store_ops.h"

bool dump_leaves_out(const char *table)
{
    return strcmp(table, "installation") == 0 || strcmp(table, "campaign_lease") == 0;
}

uint64_t dump_mix(uint64_t sum, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < n; i++) {
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* The table that differs, NULL: none. */
static const char *differs(const struct dump *a, const struct dump *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->table[i].name, b->table[i].name);
        if (a->table[i].content != b->table[i].content) {
            return a->table[i].name;
        }
    }
    return NULL;
}

static struct store *make(const struct sweep_place *place)
{
    struct store_options o = {.timeout_ms = 1000};

    assert_int_equal(place->fixture->again(&o), 0);
    o.owner = "test-1";
    o.own = true;
    return place->fixture->driver->make(&o);
}

static struct store *opened(const struct sweep_place *place)
{
    struct store *s = make(place);

    assert_non_null(s);
    store_good(s, s->ops->connect(s, WORLD_NOW));
    store_good(s, s->ops->lease_take(s, 0, WORLD_NOW));
    store_good(s, s->ops->lease_renew(s, WORLD_NOW));
    return s;
}

/* As the service does it: away is connected anew, everything else is only tried again. */
static void again(struct store *s, const struct store_op *op, struct subject *t)
{
    int rc = STORE_AWAY;

    for (unsigned tries = 0; tries < 3 && rc != STORE_OK; tries++) {
        rc = op->run(t, s);
        if (rc == STORE_AWAY) {
            store_good(s, s->ops->connect(s, WORLD_NOW));
            store_good(s, s->ops->lease_take(s, 0, WORLD_NOW));
            store_good(s, s->ops->lease_renew(s, WORLD_NOW));
        }
    }
    if (rc != STORE_OK) {
        fail_msg("%s, without trouble: %s: %s", op->name, store_status_name(rc), s->error);
    }
}

struct swept {
    const struct sweep_place *place;
    enum sweep_kind kind;
    int error;
    bool on;
    struct world *w;
};

static void reopen(const struct swept *k)
{
    k->w->s->ops->close(k->w->s);
    k->w->s = opened(k->place);
}

/* False: nothing failed. */
static bool sweep_one(const struct swept *k, const struct store_op *op, struct subject *t,
                      unsigned nth)
{
    static struct dump before, after, end;
    const char *change;
    uint64_t answer;
    bool failed;
    int rc;

    /* Who only reads leaves its subject as it was. With another one each time a load would have
     * more places with each place that is tried, and never pass. */
    if (op->writes || !t->w) {
        *t = (struct subject){.w = k->w};
        op->before(t);
    }
    reopen(k);
    k->place->dump(&before);
    sweep_arm(k->kind, nth, k->error, k->on);
    rc = op->run(t, k->w->s);
    failed = sweep_disarm();
    answer = t->answer;
    k->place->dump(&after);
    change = differs(&before, &after);
    if (rc != STORE_OK && rc != STORE_AWAY && change) {
        fail_msg("%s, %s %u: refused (%s), and %s has changed", op->name, sweep_name(k->kind), nth,
                 k->w->s->error, change);
    }
    if (k->kind == SWEEP_MEMORY && rc != STORE_OK && rc != STORE_AWAY) {
        /* it passes: a record that the service holds must not be given up for it */
        fail_msg("%s, %s %u: %s", op->name, sweep_name(k->kind), nth, store_status_name(rc));
    }
    if (rc != STORE_OK && k->w->s->error[0] == '\0') {
        fail_msg("%s, %s %u: refused without a word", op->name, sweep_name(k->kind), nth);
    }
    if (!op->once || (rc != STORE_OK && !change)) {
        again(k->w->s, op, t);
    } else if (rc != STORE_OK) { /* done, and the word of it was lost with the connection */
        reopen(k);
    }
    k->place->dump(&end);
    if (op->writes != (differs(&before, &end) != NULL)) {
        fail_msg("%s, %s %u: in the end %s", op->name, sweep_name(k->kind), nth,
                 op->writes ? "nothing was done" : differs(&before, &end));
    }
    if (rc == STORE_OK || change) {
        change = differs(&after, &end);
        if (change) {
            fail_msg("%s, %s %u: done by half (%d): %s", op->name, sweep_name(k->kind), nth, rc,
                     change);
        }
    }
    if (rc == STORE_OK && op->same && answer != t->answer) {
        fail_msg("%s, %s %u: taken, and answered something else", op->name, sweep_name(k->kind),
                 nth);
    }
    return failed;
}

/* A leg goes to one place after the other, then at every stride's; never past the last. */
static unsigned sweep_op(const struct swept *k, const struct store_op *op, unsigned first,
                         unsigned stride)
{
    struct subject t = {0};
    unsigned places = 0;

    for (unsigned nth = 1 + first % stride; nth < SWEEP_MOST; nth += stride) {
        if (!sweep_one(k, op, &t, nth)) {
            return places;
        }
        places++;
    }
    fail_msg("%s never passes", op->name);
    return 0;
}

void store_sweep(const struct sweep_place *place, enum sweep_kind kind, int error, bool on,
                 unsigned stride)
{
    struct world w;
    struct swept k = {place, kind, error, on, &w};
    unsigned places = 0;

    for (size_t i = 0; i < store_ops_n; i++) { /* each in a world that holds nothing else */
        world_make(&w, world_open(place->fixture, "test-1"));
        store_ops_begin();
        places += sweep_op(&k, &store_ops[i], (unsigned)i, stride);
        w.s->ops->close(w.s);
        place->fixture->drop();
    }
    print_message("# %s, %s%s: %zu operations, %u places, each %u.\n", place->fixture->driver->name,
                  sweep_name(kind), on ? " and all after" : "", store_ops_n, places, stride);
}

void store_sweep_open(const struct sweep_place *place, enum sweep_kind kind, int error, bool on)
{
    static struct dump before, after;
    struct world w;
    unsigned n = 0;

    world_make(&w, world_open(place->fixture, "test-1"));
    w.s->ops->close(w.s);
    place->dump(&before);
    SWEEP(nth)
    {
        sweep_arm(kind, nth, error, on);
        struct store *s = make(place);
        int rc = s ? s->ops->connect(s, WORLD_NOW) : STORE_AWAY;

        SWEEP_DISARM();
        if (s && rc != STORE_OK) {
            store_good(s, s->ops->connect(s, WORLD_NOW));
        }
        if (s) {
            store_good(s, s->ops->lease_take(s, 0, WORLD_NOW));
            s->ops->close(s);
        }
        n = nth;
    }
    place->dump(&after);
    assert_null(differs(&before, &after));
    print_message("# %s opened, %s%s: %u places\n", place->fixture->driver->name, sweep_name(kind),
                  on ? " and all after" : "", n - 1);
    place->fixture->drop();
}
