/* The store's suite on SQLite, and what only SQLite has: a file, and two handles of one process on
 * it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "adapters/store/sql.h"
#include "tests/store/conformance_schema.h"
#include "tests/support/services.h"

static char directory[64];
static char path[96];

static int again(struct store_options *o)
{
    o->where = path;
    return 0;
}

static int fresh(struct store_options *o)
{
    snprintf(directory, sizeof directory, "/tmp/dialer-store-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/dialer.db", directory);
    return again(o);
}

static void drop(void)
{
    support_remove(directory);
}

/* Somebody else's hand in the file. */
static void file_does(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static const struct fixture fixture = {&store_sqlite, fresh, again, drop, false, file_does};

static int opens(const char *where, bool own, const char *says)
{
    struct store_options o = {.where = where, .owner = "second", .own = own};
    struct store *s = store_sqlite.make(&o);
    int rc = s->ops->connect(s, WORLD_NOW);

    if (says && !strstr(s->error, says))
        fail_msg("%s", s->error);
    s->ops->close(s);
    return rc;
}

static void tool_does_not_migrate(void **state)
{
    char empty[128];

    (void)state;
    snprintf(empty, sizeof empty, "%s/empty.db", directory);
    assert_int_equal(opens(empty, false, "empty.db"), STORE_FAULT);
}

static void no_store_there(void **state)
{
    char other[128];
    FILE *f;

    (void)state;
    snprintf(other, sizeof other, "%s/no/such/folder.db", directory);
    assert_int_equal(opens(other, true, "folder.db"), STORE_AWAY);
    snprintf(other, sizeof other, "%s/text.db", directory);
    f = fopen(other, "w");
    assert_non_null(f);
    fputs("this is a letter, not a database; it is long enough to have a header of its own....", f);
    fputs("this is a letter, not a database; it is long enough to have a header of its own....", f);
    fclose(f);
    assert_int_equal(opens(other, true, "text.db"), STORE_FAULT);
}

/* No statement reads a table that grows with the calls from end to end: those all go by an index,
 * and so they do in PostgreSQL, which has the same ones. */
static bool grows(const char *detail)
{
    static const char *const scans[] = {
        "SCAN lead",        "SCAN queue_row", "SCAN attempt", "SCAN call_event",
        "SCAN agent_event", "SCAN leg",       "SCAN d",       "SCAN q",
        "SCAN a",           "SCAN e",         "SCAN r"};
    size_t i;

    if (strstr(detail, "attempt_live") || strstr(detail, "attempt_wrapup") ||
        strstr(detail, "leg_live"))
        return false; /* what is open now */
    for (i = 0; i < sizeof scans / sizeof *scans; i++) {
        size_t n = strlen(scans[i]);
        if (strncmp(detail, scans[i], n) == 0 && (detail[n] == '\0' || detail[n] == ' '))
            return true;
    }
    return false;
}

static void nothing_is_scanned(void **state)
{
    char text[8192];
    sqlite3 *db;
    size_t i;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (i = 0; i < SQL_COUNT; i++) {
        sqlite3_stmt *st;
        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_catalogue[i].sqlite);
        if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql_catalogue[i].name, sqlite3_errmsg(db));
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(st, 3);
            if (grows(detail))
                fail_msg("%s: %s", sql_catalogue[i].name, detail);
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
}

/* What fills a hopper is read in the queue's order from an index made for it, and from nothing
 * else: each row that is only looked at is one for every pending row of a large list, once a
 * second. */
static void the_queue_is_read_in_order(void **state)
{
    static const char *const by[][2] = {{"candidates", "INDEX queue_row_next"},
                                        {"candidates_zoned", "INDEX queue_row_zoned"},
                                        {"callbacks", "INDEX queue_row_callback"}};
    char text[8192];
    sqlite3 *db;
    size_t i, k, seen = 0;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (i = 0; i < SQL_COUNT; i++) {
        for (k = 0; k < 3 && strcmp(sql_catalogue[i].name, by[k][0]) != 0; k++)
            continue;
        if (k == 3)
            continue;
        sqlite3_stmt *st;
        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql_catalogue[i].sqlite);
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *detail = (const char *)sqlite3_column_text(st, 3);
            if (!strstr(detail, by[k][1]))
                fail_msg("%s: %s", sql_catalogue[i].name, detail);
            seen++;
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
    assert_int_equal(seen, 3);
}

/* An import on one handle must not keep the claims on the other waiting: they take turns. */
struct import {
    struct world w;
    atomic_bool stop;
    unsigned batches;
};

static void *import_on(void *arg)
{
    struct import *in = arg;
    static struct store_lead leads[2000];
    static char numbers[2000][20];
    unsigned n = 0, i;

    while (!atomic_load(&in->stop)) {
        struct store_import_count count = {0};
        for (i = 0; i < 2000; i++) {
            snprintf(numbers[i], sizeof numbers[i], "+4420%08u", 79460000 + n++);
            leads[i] = (struct store_lead){.number = text_of(numbers[i])};
        }
        if (in->w.s->ops->leads_insert(in->w.s, in->w.list, 0, WORLD_NOW, leads, 2000, &count) != 0)
            break;
        in->batches++;
    }
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void claims_during_an_import(void **state)
{
    struct store_options o = {.where = path, .owner = "owner", .own = true};
    struct store *s = store_sqlite.make(&o);
    static struct import in;
    struct world w;
    pthread_t thread;
    uint64_t rows[100];
    int64_t worst = 0, start;
    size_t i, n;

    (void)state;
    store_good(s, s->ops->connect(s, WORLD_NOW));
    world_make(&w, s);
    world_leads(&w, 100);
    n = world_rows(&w, WORLD_NOW, rows, 100);
    in.w = w;
    o.own = false;
    o.owner = "tool";
    in.w.s = store_sqlite.make(&o);
    store_good(in.w.s, in.w.s->ops->connect(in.w.s, WORLD_NOW));
    assert_int_equal(pthread_create(&thread, NULL, import_on, &in), 0);
    for (i = 0; i < n; i++) {
        start = now_ms();
        assert_int_equal(world_claim_one(&w, rows[i], WORLD_NOW, NULL), REASON_allow);
        if (now_ms() - start > worst)
            worst = now_ms() - start;
    }
    atomic_store(&in.stop, true);
    pthread_join(thread, NULL);
    print_message("# longest claim %lld ms beside %u batches of 2000\n", (long long)worst,
                  in.batches);
    assert_true(in.batches > 0);
    assert_true(worst < 5000);
    in.w.s->ops->close(in.w.s);
    s->ops->close(s);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, schema_setup, schema_teardown)
    const struct CMUnitTest more[] = {
        CONFORMANCE_SCHEMA,       CASE(tool_does_not_migrate),
        CASE(no_store_there),     CASE(claims_during_an_import),
        CASE(nothing_is_scanned), CASE(the_queue_is_read_in_order),
    };

    return conformance_run("sqlite", &fixture, more, sizeof more / sizeof *more);
}
