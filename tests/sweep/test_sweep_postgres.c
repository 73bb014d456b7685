/*
 * test_sweep_postgres.c - the store on a private PostgreSQL while memory fails, or the calls to the
 * kernel that libpq makes (store_sweep.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "tests/support/services.h"
#include "tests/sweep/store_sweep.h"

static struct support_postgres server;
static char where[200];
static PGconn *other; /* somebody else's look at the tables */
static char look[8192];

static int again(struct store_options *o)
{
    o->where = where;
    return 0;
}

/* One database for all: to empty it costs less than to make another. */
static int fresh(struct store_options *o)
{
    PGconn *c;
    PGresult *r;
    int rc = -1;

    look[0] = '\0';
    if (where[0] == '\0' && support_postgres_database(&server, where, sizeof where) != 0) {
        return -1;
    }
    c = PQconnectdb(where);
    r = PQexec(
        c, "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    if (PQresultStatus(r) == PGRES_COMMAND_OK) {
        rc = again(o);
    }
    PQclear(r);
    PQfinish(c);
    return rc;
}

static void drop(void)
{
    PQfinish(other);
    other = NULL;
}

static const struct fixture fixture = {&store_postgres, fresh, again, drop, true, NULL};

static PGresult *ask(const char *sql)
{
    PGresult *r = PQexec(other, sql);

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        fail_msg("%s", PQerrorMessage(other));
    }
    return r;
}

/* One question for all tables: a number for each, whatever order its rows come in. */
static void write_question(void)
{
    PGresult *r;
    size_t n = 0;

    other = PQconnectdb(where);
    assert_int_equal(PQstatus(other), CONNECTION_OK);
    r = ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    for (int i = 0; i < PQntuples(r); i++) {
        const char *name = PQgetvalue(r, i, 0);

        if (!dump_leaves_out(name)) {
            n += (size_t)snprintf(look + n, sizeof look - n,
                                  "%sSELECT '%s', coalesce(sum(hashtextextended(t::text, 0)), 0)"
                                  " %% 4611686018427387904 FROM %s t",
                                  n ? " UNION ALL " : "", name, name);
        }
    }
    assert_in_range(n, 1, sizeof look - 1);
    PQclear(r);
}

static void dump(struct dump *out)
{
    PGresult *r;

    if (look[0] == '\0') {
        write_question();
    }
    r = ask(look);
    out->n = (size_t)PQntuples(r);
    assert_in_range(out->n, 1, DUMP_TABLES);
    for (int i = 0; i < PQntuples(r); i++) {
        snprintf(out->table[i].name, sizeof out->table[i].name, "%s", PQgetvalue(r, i, 0));
        out->table[i].content = (uint64_t)strtoll(PQgetvalue(r, i, 1), NULL, 10);
    }
    PQclear(r);
}

static const struct sweep_place place = {&fixture, dump};

static void memory_fails(void **state)
{
    (void)state;
    store_sweep_open(&place, SWEEP_MEMORY, ENOMEM, false);
    store_sweep(&place, SWEEP_MEMORY, ENOMEM, false, sweep_stride(4));
}

static void the_connection_fails(void **state)
{
    (void)state;
    store_sweep_open(&place, SWEEP_BELOW_CONNECT, ECONNREFUSED, false);
    store_sweep_open(&place, SWEEP_BELOW_LINK, ECONNRESET, true);
    store_sweep(&place, SWEEP_BELOW_LINK, ECONNRESET, true, sweep_stride(4));
}

/* The server has not noticed: it waits for us, as we for it. Each wait has an end. */
static void what_is_sent_is_lost(void **state)
{
    (void)state;
    store_sweep_open(&place, SWEEP_BELOW_SEND, EIO, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(the_connection_fails),
        cmocka_unit_test(what_is_sent_is_lost),
    };
    char why[200] = "";
    int rc = support_postgres_start(&server, why, sizeof why);

    if (rc == 0) {
        rc = cmocka_run_group_tests_name("sweep_postgres", tests, NULL, NULL);
    } else {
        fprintf(stderr, "%s\n", why);
    }
    support_postgres_stop(&server);
    return rc;
}
