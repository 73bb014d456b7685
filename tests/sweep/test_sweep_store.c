/*
 * test_sweep_store.c - the store on SQLite while memory fails, or the kernel's calls that SQLite
 * makes (store_sweep.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/support/services.h"
#include "tests/sweep/store_sweep.h"

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

static const struct fixture fixture = {&store_sqlite, fresh, again, drop, false, NULL};

static uint64_t content(sqlite3 *db, const char *table)
{
    /* a table's name cannot be a parameter: SQLite quotes it */
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    sqlite3_stmt *st;
    uint64_t sum = 0;

    assert_non_null(sql);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    sqlite3_free(sql);
    while (sqlite3_step(st) == SQLITE_ROW) {
        uint64_t row = UINT64_C(0xcbf29ce484222325);

        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const unsigned char *text = sqlite3_column_text(st, i);
            row =
                dump_mix(row, text ? (const void *)text : "", (size_t)sqlite3_column_bytes(st, i));
            row = dump_mix(row, "|", 1);
        }
        sum += row; /* whatever order they come in */
    }
    sqlite3_finalize(st);
    return sum;
}

static void dump(struct dump *out)
{
    sqlite3 *db;
    sqlite3_stmt *st;

    out->n = 0;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type = 'table'",
                                        -1, &st, NULL),
                     SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0);

        if (!dump_leaves_out(name)) {
            assert_true(out->n < DUMP_TABLES);
            snprintf(out->table[out->n].name, sizeof out->table[0].name, "%s", name);
            out->table[out->n++].content = content(db, name);
        }
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static const struct sweep_place place = {&fixture, dump};

static void memory_fails(void **state)
{
    (void)state;
    store_sweep_open(&place, SWEEP_MEMORY, ENOMEM, false);
    store_sweep(&place, SWEEP_MEMORY, ENOMEM, false, 1);
    store_sweep(&place, SWEEP_MEMORY, ENOMEM, true, sweep_stride(2));
}

static void the_disk_fails(void **state)
{
    (void)state;
    store_sweep_open(&place, SWEEP_BELOW_READ, EIO, true);
    store_sweep_open(&place, SWEEP_BELOW_WRITE, EIO, true);
    store_sweep(&place, SWEEP_BELOW_READ, EIO, true, sweep_stride(5));
    store_sweep(&place, SWEEP_BELOW_WRITE, ENOSPC, true, sweep_stride(5));
    store_sweep(&place, SWEEP_BELOW_WRITE, EIO, false, sweep_stride(5));
    store_sweep(&place, SWEEP_BELOW_SYNC, EIO, false, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(the_disk_fails),
    };

    return cmocka_run_group_tests_name("sweep_store", tests, NULL, NULL);
}
