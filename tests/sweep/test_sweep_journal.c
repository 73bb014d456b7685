/*
 * test_sweep_journal.c - the journal under a sweep: whatever call fails, once or from then on, what
 * was confirmed is there afterwards, what was refused is not promised, and nothing leaks.
 */
#include "adapters/journal/journal.h"
#include "tests/support/services.h"
#include "tests/support/sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/dialer-sweep-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/sub/outcomes", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_remove(folder);
    return 0;
}

struct seen {
    unsigned n;
    unsigned last;
};

static int look(void *ctx, const struct journal_record *r)
{
    struct seen *s = ctx;

    assert_true(r->n == 3000);
    s->last = r->type;
    s->n++;
    return 0;
}

struct promise {
    unsigned put, confirmed, done; /* records: 1 to n */
};

static struct journal *make(void)
{
    const struct journal_options o = {.path = path};

    return journal_make(&o);
}

#define BEFORE 10u

/* Ten records of a daemon before. */
static void fill(struct promise *p)
{
    static const uint8_t bytes[3000];
    struct journal *j = make();

    assert_non_null(j);
    assert_int_equal(journal_open(j), JOURNAL_OK);
    assert_int_equal(journal_bind(j, 7), JOURNAL_OK);
    for (unsigned i = 1; i <= BEFORE; i++) {
        assert_int_equal(journal_put(j, 1, (uint16_t)i, bytes, sizeof bytes), JOURNAL_OK);
    }
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    p->put = p->confirmed = BEFORE;
}

/* Opens, puts three times ten records, commits each ten, reads five and is done with them. Goes on
 * after a refusal, as the store's thread does. */
static void work(struct promise *p)
{
    static const uint8_t bytes[3000];
    struct seen seen = {0};
    struct journal *j = make();
    size_t n = 0;

    if (!j) {
        return;
    }
    if (journal_open(j) == JOURNAL_OK && journal_bind(j, 7) == JOURNAL_OK) {
        for (unsigned batch = 0; batch < 3; batch++) {
            unsigned put = 0;

            for (unsigned i = 0; i < 10; i++) {
                if (journal_put(j, 1, (uint16_t)(p->put + put + 1), bytes, sizeof bytes) !=
                    JOURNAL_OK) {
                    break;
                }
                put++;
            }
            if (journal_commit(j) == JOURNAL_OK) {
                p->put += put;
                p->confirmed = p->put;
            } else {
                journal_forget(j);
            }
        }
        if (journal_read(j, 5, &n, look, &seen) == JOURNAL_OK && n == 5 &&
            journal_done(j, 5) == JOURNAL_OK) {
            p->done = 5;
        }
    }
    journal_close(j);
}

/* Without any trouble now: exactly what was promised, or more at the end (written, and the word of
 * it lost). */
static void check(const struct promise *p)
{
    struct seen seen = {0};
    struct journal *j = make();
    size_t n = 0;

    assert_non_null(j);
    assert_int_equal(journal_open(j), JOURNAL_OK);
    assert_int_equal(journal_bind(j, 7), JOURNAL_OK);
    for (;;) {
        assert_int_equal(journal_read(j, 100, &n, look, &seen), JOURNAL_OK);
        if (n == 0) {
            break;
        }
        assert_int_equal(journal_done(j, n), JOURNAL_OK);
    }
    assert_true(seen.n >= p->confirmed - p->done);
    assert_true(p->confirmed == 0 || seen.n == 0 || seen.last >= p->confirmed);
    journal_close(j);
    assert_int_equal(unlink(path), 0);
}

static void sweep(enum sweep_kind kind, int error, bool on)
{
    unsigned n = 0;

    SWEEP(nth)
    {
        struct promise p = {0};

        fill(&p);
        sweep_arm(kind, nth, error, on);
        work(&p);
        SWEEP_DISARM();
        check(&p);
        if (!sweeping_) {
            assert_int_equal(p.confirmed, BEFORE + 30);
            assert_int_equal(p.done, 5);
        }
        n = nth;
    }
    print_message("journal, %s: %u places%s\n", sweep_name(kind), n - 1,
                  on ? ", and all after" : "");
    assert_in_range(n, 2, SWEEP_MOST);
}

static void every_call_fails_once(void **state)
{
    (void)state;
    sweep(SWEEP_MEMORY, ENOMEM, false);
    sweep(SWEEP_READ, EIO, false);
    sweep(SWEEP_WRITE, EIO, false);
    sweep(SWEEP_SYNC, EIO, false);
    sweep(SWEEP_CONNECT, EMFILE, false);
}

static void and_all_after_it(void **state)
{
    (void)state;
    sweep(SWEEP_MEMORY, ENOMEM, true);
    sweep(SWEEP_READ, EIO, true);
    sweep(SWEEP_WRITE, ENOSPC, true);
    sweep(SWEEP_SYNC, EIO, true);
    sweep(SWEEP_CONNECT, EMFILE, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(and_all_after_it, setup, teardown),
    };

    return cmocka_run_group_tests_name("sweep_journal", tests, NULL, NULL);
}
