/* The store's suite on a private PostgreSQL, and what can happen to a server only. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "adapters/store/sql.h"
#include "tests/store/conformance_schema.h"
#include "tests/support/services.h"

static struct support_postgres server;
static char where[200];

static int again(struct store_options *o)
{
    o->where = where;
    return 0;
}

static int fresh(struct store_options *o)
{
    return support_postgres_database(&server, where, sizeof where) == 0 ? again(o) : -1;
}

static void drop(void)
{
}

static PGconn *another_connection(void)
{
    PGconn *c = PQconnectdb(where);

    assert_int_equal(PQstatus(c), CONNECTION_OK);
    return c;
}

static void does(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s", PQerrorMessage(c));
    PQclear(r);
}

static void server_does(const char *sql)
{
    PGconn *c = another_connection();

    does(c, sql);
    PQfinish(c);
}

static const struct fixture fixture = {&store_postgres, fresh, again, drop, true, server_does};

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_make(&w, world_open(&fixture, "test-1"));
    world_leads(&w, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    w.s->ops->close(w.s);
    return 0;
}

/* The server dies between two operations, and in a transaction. */
static void restart_of_the_server(void **state)
{
    struct msg_claimed out;
    struct msg_claim req;
    uint64_t rows[10];

    (void)state;
    world_rows(&w, WORLD_NOW, rows, 10);
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_allow);
    store_good(w.s, w.s->ops->begin(w.s));
    assert_int_equal(world_claim_one(&w, rows[1], WORLD_NOW, NULL), REASON_allow);
    assert_int_equal(support_postgres_kill(&server, SIGQUIT), 0);
    assert_int_equal(w.s->ops->commit(w.s), STORE_AWAY);
    w.s->ops->rollback(w.s);
    req = world_claim(&w, rows[2], WORLD_NOW);
    assert_int_equal(w.s->ops->claim(w.s, &req, 1, &out), STORE_AWAY);
    assert_int_equal(w.s->ops->connect(w.s, WORLD_NOW), STORE_AWAY);
    assert_true(strlen(w.s->error) > 10);
    assert_int_equal(support_postgres_again(&server), 0);
    store_good(w.s, w.s->ops->connect(w.s, WORLD_NOW));
    store_good(w.s, w.s->ops->lease_take(w.s, 0, WORLD_NOW));
    store_good(w.s, w.s->ops->lease_renew(w.s, WORLD_NOW));
    /* committed is committed, the rest was not done; the epoch is the same: nobody else was here */
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_row_not_pending);
    assert_int_equal(world_claim_one(&w, rows[1], WORLD_NOW, NULL), REASON_allow);
}

/* Somebody holds a lock: the claim gives up in time, and works again afterwards. */
static void lock_held_by_somebody(void **state)
{
    struct store_options o = {.where = where, .owner = "test-1", .own = true, .timeout_ms = 300};
    struct msg_claimed out;
    struct msg_claim req;
    uint64_t rows[10];
    PGconn *c;

    (void)state;
    w.s->ops->close(w.s);
    w.s = store_postgres.make(&o);
    store_good(w.s, w.s->ops->connect(w.s, WORLD_NOW));
    world_rows(&w, WORLD_NOW, rows, 10);
    c = another_connection();
    does(c, "BEGIN");
    does(c, "LOCK TABLE queue_row IN ACCESS EXCLUSIVE MODE");
    req = world_claim(&w, rows[0], WORLD_NOW);
    assert_int_equal(w.s->ops->claim(w.s, &req, 1, &out), STORE_AWAY);
    does(c, "ROLLBACK");
    store_good(w.s, w.s->ops->connect(w.s, WORLD_NOW));
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_allow);
    PQfinish(c);
}

/* After a long outage everything is due at once: so many at a time as are asked for, and each row
 * is looked at once, not once for each row of the table (that took 20 s for 8,000 of them). */
static void everything_is_due(void **state)
{
    enum { AT_ONCE = 2000 };
    struct world many = w;
    struct store_list l = {.campaign = w.campaign, .name = text_of("many"), .active = true};
    struct msg_recycled out;
    uint32_t all = 0;
    PGconn *c;

    (void)state;
    store_good(w.s, w.s->ops->list_add(w.s, &w.by, &l, &many.list));
    world_leads(&many, 3000);
    c = another_connection();
    does(c, "UPDATE queue_row SET status = 4, due_ms = 1, attempts = 1");
    PQfinish(c);
    const struct msg_recycle r = {
        .campaign = many.campaign, .epoch = many.epoch, .max_attempts = 9, .at_wall_ms = WORLD_NOW};
    do {
        store_good(w.s, w.s->ops->recycle(w.s, &r, &out));
        assert_true(out.rows <= AT_ONCE);
        all += out.rows;
    } while (out.rows == AT_ONCE);
    assert_int_equal(all, 3010);
}

/* A migration takes as long as it takes; whatever comes after it has its limit again. */
static void script_without_limit(void **state)
{
    struct store_options o = {.where = where, .owner = "test-1", .own = true, .timeout_ms = 1000};
    struct sql_store *s;

    (void)state;
    w.s->ops->close(w.s);
    w.s = store_postgres.make(&o);
    store_good(w.s, w.s->ops->connect(w.s, WORLD_NOW));
    s = sql_of(w.s);
    store_good(w.s, w.s->ops->begin(w.s));
    store_good(w.s,
               s->backend->script(s, "SELECT pg_sleep(2.5)")); /* the server's limit, and ours */
    store_good(w.s, w.s->ops->commit(w.s));
    assert_int_equal(s->backend->script(s, "SELECT pg_sleep(20)"), STORE_AWAY); /* no transaction */
    assert_non_null(strstr(w.s->error, "statement timeout"));
}

/* A row that another transaction holds is not waited for. */
static void locked_row_is_skipped(void **state)
{
    uint64_t rows[10];
    char id[24];
    const char *const params[] = {id};
    PGconn *c;
    PGresult *r;

    (void)state;
    world_rows(&w, WORLD_NOW, rows, 10);
    c = another_connection();
    does(c, "BEGIN");
    snprintf(id, sizeof id, "%llu", (unsigned long long)rows[0]);
    r = PQexecParams(c, "SELECT 1 FROM queue_row WHERE id = $1 FOR UPDATE", 1, NULL, params, NULL,
                     NULL, 0);
    assert_int_equal(PQntuples(r), 1);
    PQclear(r);
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_row_not_pending);
    assert_int_equal(world_claim_one(&w, rows[1], WORLD_NOW, NULL), REASON_allow);
    PQfinish(c);
}

/* The lease is taken from outside, as a second node would: not one claim more. */
static void taken_over_from_outside(void **state)
{
    uint64_t rows[10];
    PGconn *c;

    (void)state;
    world_rows(&w, WORLD_NOW, rows, 10);
    c = another_connection();
    does(c, "UPDATE campaign_lease SET owner = 'node-2', epoch = epoch + 1");
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_fenced);
    does(c, "UPDATE campaign_lease SET owner = 'test-1', epoch = epoch - 1, expires_ms = 1");
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_fenced); /* expired */
    store_good(w.s, w.s->ops->lease_renew(w.s, WORLD_NOW));
    assert_int_equal(world_claim_one(&w, rows[0], WORLD_NOW, NULL), REASON_allow);
    PQfinish(c);
}

static void password_from_a_file_only(void **state)
{
    struct store_options o = {.where = where, .password_file = "/nonexistent/password"};
    struct store *s = store_postgres.make(&o);

    (void)state;
    assert_int_equal(s->ops->connect(s, WORLD_NOW), STORE_AWAY);
    assert_non_null(strstr(s->error, "/nonexistent/password"));
    s->ops->close(s);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest more[] = {
        CASE(restart_of_the_server),     CASE(lock_held_by_somebody), CASE(script_without_limit),
        CASE(locked_row_is_skipped),     CASE(everything_is_due),     CASE(taken_over_from_outside),
        CASE(password_from_a_file_only), CONFORMANCE_SCHEMA,
    };
    char why[200] = "";
    int rc = support_postgres_start(&server, why, sizeof why);

    if (rc == 0)
        rc = conformance_run("postgres", &fixture, more, sizeof more / sizeof *more);
    else
        fprintf(stderr, "%s\n", why);
    support_postgres_stop(&server);
    return rc;
}
