/*
 * postgres.c - the store on PostgreSQL. Owns libpq.
 *
 * The connection is in pipeline mode for its whole life. BEGIN and every statement whose answer
 * nobody needs yet are only sent; a query, or COMMIT, sends a sync and reads the answers of all
 * that was sent before it, in order. So a transaction of many records costs as many round trips as
 * it has questions, and a batch of claims has three. All statements are prepared once, with the
 * types of the catalogue; what runs for many sets of parameters gets an array for each parameter.
 *
 * Nothing waits without a limit: a server that is stopped or unreachable is "away" after the
 * timeout. Only a migration has weeks; whether its server lives, TCP asks.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "adapters/postgres/params.h"
#include "adapters/secret/secret.h"
#include "adapters/store/sql.h"

#define PENDING_MAX 4096
#define PASSWORD_MAX 512
/* A daemon that was killed a moment ago may still have its session, and with it the store. */
#define HELD_PATIENCE_MS 1000u

/* Where the numbers come from: pg_type.h. */
enum { OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701 };
enum { OID_INT8_ARRAY = 1016, OID_TEXT_ARRAY = 1009, OID_FLOAT8_ARRAY = 1022 };

/* "dial": the daemon's ownership of its database, as an advisory lock of the session. */
static const char hold_text[] = "SELECT pg_advisory_lock(1684628844)";

enum pending_kind { PENDING_STATEMENT, PENDING_PREPARE, PENDING_SYNC };

struct pending {
    enum pending_kind kind;
    enum sql_id id; /* SQL_COUNT: BEGIN, COMMIT, ROLLBACK */
    int64_t *changed;
};

enum prepared { PREPARED_NOT, PREPARED_SENT, PREPARED_YES };

struct postgres {
    struct sql_store sql; /* first */
    PGconn *conn;
    uint8_t prepared[SQL_COUNT]; /* enum prepared */
    struct pending pending[PENDING_MAX];
    size_t first, n;
    struct params params;
    int64_t deadline_ms;
};

static struct postgres *of(struct sql_store *s)
{
    return (struct postgres *)s;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- errors ----------------------------------------------------------------------------------- */

/* libpq's messages are several lines; people get the first. */
static int fail_line(struct postgres *p, int status, const char *what, const char *message)
{
    int n = (int)strcspn(message, "\n");

    return sql_fail(&p->sql, status, "postgres: %s: %.*s", what, n > 180 ? 180 : n, message);
}

static int lost(struct postgres *p, const char *what)
{
    return fail_line(p, STORE_AWAY, what, PQerrorMessage(p->conn));
}

/* Classes of SQLSTATE: what may pass by itself is "away". */
static int status_of(const char *state)
{
    if (!state || strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0 ||
        strncmp(state, "57", 2) == 0 || strncmp(state, "40", 2) == 0 ||
        strncmp(state, "55", 2) == 0 || strncmp(state, "25", 2) == 0)
        return STORE_AWAY;
    if (strncmp(state, "23", 2) == 0)
        return STORE_CONFLICT;
    if (strncmp(state, "22", 2) == 0)
        return STORE_INVALID;
    return STORE_FAULT;
}

static int refused(struct postgres *p, const PGresult *r, enum sql_id id)
{
    return fail_line(p, status_of(PQresultErrorField(r, PG_DIAG_SQLSTATE)),
                     id < SQL_COUNT ? sql_catalogue[id].name : "transaction",
                     PQresultErrorMessage(r));
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int wait_for(struct postgres *p, short what)
{
    struct pollfd fd = {.fd = PQsocket(p->conn), .events = what};
    int64_t left = p->deadline_ms - now_ms();
    /* Late or not, what is there already counts: it may have been us who were stopped. */
    int n = poll(&fd, 1, left > 0 ? (int)left : 0);

    if (n < 0 && errno == EINTR)
        return STORE_OK;
    if (n <= 0)
        return sql_fail(&p->sql, STORE_AWAY, "postgres: no answer in %u ms", p->sql.timeout_ms);
    return STORE_OK;
}

static int flush(struct postgres *p)
{
    int rc, left;

    while ((left = PQflush(p->conn)) > 0) {
        rc = wait_for(p, POLLIN | POLLOUT);
        if (rc != STORE_OK)
            return rc;
        if (!PQconsumeInput(p->conn))
            return lost(p, "sending");
    }
    return left == 0 ? STORE_OK : lost(p, "sending");
}

static int next_result(struct postgres *p, PGresult **out)
{
    int rc;

    while (PQisBusy(p->conn)) {
        rc = wait_for(p, POLLIN);
        if (rc != STORE_OK)
            return rc;
        if (!PQconsumeInput(p->conn))
            return lost(p, "reading");
    }
    *out = PQgetResult(p->conn);
    return STORE_OK;
}

/* --- what was sent, and its answers ----------------------------------------------------------- */

static int note(struct postgres *p, enum pending_kind kind, enum sql_id id, int64_t *changed)
{
    if (p->n == PENDING_MAX)
        return sql_fail(&p->sql, STORE_INVALID, "postgres: a transaction of too many statements");
    p->pending[(p->first + p->n++) % PENDING_MAX] =
        (struct pending){.kind = kind, .id = id, .changed = changed};
    return STORE_OK;
}

struct receiver {
    sql_row row;
    void *ctx;
    bool stopped;
};

static void read_row(const PGresult *r, int at, const struct sql_statement *text,
                     struct receiver *to)
{
    struct sql_value column[SQL_COLUMNS_MAX];
    size_t item = 0;
    int i, first = text->each ? 1 : 0;

    if (first)
        item = (size_t)strtoull(PQgetvalue(r, at, 0), NULL, 10);
    for (i = 0; text->columns[i]; i++) {
        const char *value = PQgetvalue(r, at, i + first);
        if (text->columns[i] == 'i')
            column[i].i = strtoll(value, NULL, 10);
        else if (text->columns[i] == 'd')
            column[i].d = strtod(value, NULL);
        else
            column[i].t = (struct text){value, (uint32_t)PQgetlength(r, at, i + first)};
    }
    to->stopped = to->row(to->ctx, item, column) != 0;
}

static int read_rows(struct postgres *p, const PGresult *r, enum sql_id id, struct receiver *to)
{
    const struct sql_statement *text = &sql_catalogue[id];
    int i, n = PQntuples(r);

    if (n > 0 && PQnfields(r) != (int)strlen(text->columns) + (text->each ? 1 : 0))
        return sql_fail(&p->sql, STORE_FAULT, "postgres: %s has %d columns", text->name,
                        PQnfields(r));
    for (i = 0; i < n && to && to->row && !to->stopped; i++)
        read_row(r, i, text, to);
    return STORE_OK;
}

/* One answer. The first thing that went wrong is what counts: the rest was skipped for it. */
static int take_result(struct postgres *p, const struct pending *what, const PGresult *r,
                       struct receiver *to)
{
    ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_TUPLES_OK) {
        if (what->changed)
            *what->changed = PQntuples(r);
        return what->id < SQL_COUNT ? read_rows(p, r, what->id, to) : STORE_OK;
    }
    if (what->kind == PENDING_PREPARE)
        p->prepared[what->id] = status == PGRES_COMMAND_OK ? PREPARED_YES : PREPARED_NOT;
    else if (status == PGRES_COMMAND_OK && what->changed)
        *what->changed = strtoll(PQcmdTuples((PGresult *)(uintptr_t)r), NULL, 10);
    if (status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_ABORTED)
        return STORE_OK;
    return refused(p, r, what->id);
}

static int drain_one(struct postgres *p, struct receiver *last)
{
    struct pending what = p->pending[p->first % PENDING_MAX];
    /* Rows are wanted of the last statement only. */
    struct receiver *to = p->n == 2 ? last : NULL;
    PGresult *r = NULL;
    int rc, worst = STORE_OK;

    p->first++;
    p->n--;
    for (;;) {
        rc = next_result(p, &r);
        if (rc != STORE_OK)
            return rc;
        if (!r)
            return worst;
        if (what.kind == PENDING_SYNC) {
            bool synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
            PQclear(r);
            return synced ? STORE_OK : sql_fail(&p->sql, STORE_AWAY, "postgres: out of step");
        }
        rc = take_result(p, &what, r, to);
        PQclear(r);
        if (worst == STORE_OK)
            worst = rc;
        if (PQstatus(p->conn) == CONNECTION_BAD)
            return lost(p, "connection");
    }
}

/* Sends a sync and reads everything up to it. */
static int drain(struct postgres *p, struct receiver *last)
{
    char first_error[sizeof p->sql.base.error] = "";
    int rc, worst = STORE_OK;

    p->deadline_ms = now_ms() + p->sql.timeout_ms + 1000;
    if (PQstatus(p->conn) == CONNECTION_BAD || !PQpipelineSync(p->conn))
        return lost(p, "connection");
    rc = note(p, PENDING_SYNC, SQL_COUNT, NULL);
    if (rc == STORE_OK)
        rc = flush(p);
    if (rc != STORE_OK)
        return rc;
    while (p->n > 0) {
        rc = drain_one(p, last);
        if (rc == STORE_OK)
            continue;
        if (worst == STORE_OK) {
            worst = rc;
            memcpy(first_error, p->sql.base.error, sizeof first_error);
        }
        if (PQstatus(p->conn) == CONNECTION_BAD || now_ms() > p->deadline_ms)
            break;
    }
    if (worst != STORE_OK)
        memcpy(p->sql.base.error, first_error, sizeof first_error);
    return worst;
}

/* --- sending ---------------------------------------------------------------------------------- */

static Oid type_of(char letter, bool array)
{
    switch (letter) {
    case 'i':
        return array ? OID_INT8_ARRAY : OID_INT8;
    case 'd':
        return array ? OID_FLOAT8_ARRAY : OID_FLOAT8;
    default:
        return array ? OID_TEXT_ARRAY : OID_TEXT;
    }
}

static int prepare(struct postgres *p, enum sql_id id)
{
    const struct sql_statement *text = &sql_catalogue[id];
    size_t n = strlen(text->params), i;
    Oid types[PARAMS_MAX];
    char *sql, *mark;
    int sent;

    if (p->prepared[id] != PREPARED_NOT)
        return STORE_OK;
    sql = strdup(text->postgres);
    if (!sql)
        return sql_fail(&p->sql, STORE_AWAY, "out of memory");
    /* The catalogue writes parameters SQLite's way; no text in it has another question mark. */
    for (mark = sql; (mark = strchr(mark, '?')) != NULL;)
        *mark = '$';
    for (i = 0; i < n; i++)
        types[i] = type_of(text->params[i], text->each);
    sent = PQsendPrepare(p->conn, text->name, sql, (int)n, types);
    free(sql);
    if (!sent)
        return lost(p, text->name);
    p->prepared[id] = PREPARED_SENT;
    return note(p, PENDING_PREPARE, id, NULL);
}

static int send_statement(struct postgres *p, enum sql_id id, const struct sql_value *params,
                          size_t n, int64_t *changed)
{
    const struct sql_statement *text = &sql_catalogue[id];
    const char *values[PARAMS_MAX];
    int rc = prepare(p, id);

    if (rc == STORE_OK)
        rc = params_write(&p->params, &p->sql, text, params, n, values);
    if (rc != STORE_OK)
        return rc;
    if (!PQsendQueryPrepared(p->conn, text->name, (int)strlen(text->params), values, NULL, NULL, 0))
        return lost(p, text->name);
    return note(p, PENDING_STATEMENT, id, changed);
}

static int send_word(struct postgres *p, const char *word)
{
    if (!PQsendQueryParams(p->conn, word, 0, NULL, NULL, NULL, NULL, 0))
        return lost(p, word);
    return note(p, PENDING_STATEMENT, SQL_COUNT, NULL);
}

/* What has piled up goes out now and then, so that neither side's buffers grow without bound. */
static int exec(struct sql_store *base, enum sql_id id, const struct sql_value *params,
                int64_t *changed)
{
    struct postgres *p = of(base);
    int rc;

    if (changed)
        *changed = 0;
    rc = send_statement(p, id, params, 1, changed);
    return rc == STORE_OK && p->n > PENDING_MAX - 16 ? drain(p, NULL) : rc;
}

static int query(struct sql_store *base, enum sql_id id, const struct sql_value *params,
                 sql_row row, void *ctx)
{
    struct postgres *p = of(base);
    struct receiver to = {row, ctx, false};
    int rc = send_statement(p, id, params, 1, NULL);

    return rc == STORE_OK ? drain(p, &to) : rc;
}

static int each(struct sql_store *base, enum sql_id id, const struct sql_value *params, size_t n,
                sql_row row, void *ctx)
{
    struct postgres *p = of(base);
    struct receiver to = {row, ctx, false};
    int rc;

    if (n == 0)
        return STORE_OK;
    rc = send_statement(p, id, params, n, NULL);
    return rc == STORE_OK && row ? drain(p, &to) : rc;
}

/* --- transactions ----------------------------------------------------------------------------- */

static int begin(struct sql_store *base)
{
    return send_word(of(base), "BEGIN");
}

/* Sent, and answered with all that was sent before it. */
static int do_word(struct postgres *p, const char *word)
{
    int rc = send_word(p, word);

    return rc == STORE_OK ? drain(p, NULL) : rc;
}

static int commit(struct sql_store *base)
{
    struct postgres *p = of(base);
    int rc = do_word(p, "COMMIT");

    if (rc == STORE_OK && PQtransactionStatus(p->conn) != PQTRANS_IDLE)
        rc = sql_fail(base, STORE_FAULT, "postgres: the transaction did not end");
    return rc;
}

/* Whoever waited for these numbers has failed and gone, and its variables with it. */
static void rollback(struct sql_store *base)
{
    struct postgres *p = of(base);
    char error[sizeof base->base.error];

    for (size_t i = 0; i < p->n; i++)
        p->pending[(p->first + i) % PENDING_MAX].changed = NULL;
    memcpy(error, base->base.error, sizeof error);
    if (PQstatus(p->conn) == CONNECTION_OK)
        (void)do_word(p, "ROLLBACK");
    memcpy(base->base.error, error, sizeof error); /* the cause matters, not the clearing up */
}

/* Outside of the pipeline: one statement with one value, for which the server has timeout_ms and we
 * wait a little longer; or, value NULL, many without, which take their time. */
static int ask(struct postgres *p, const char *text, const char *const *value)
{
    int rc, worst = STORE_OK;
    PGresult *r = NULL;

    if (!PQexitPipelineMode(p->conn) ||
        !(value ? PQsendQueryParams(p->conn, text, 1, NULL, value, NULL, NULL, 0)
                : PQsendQuery(p->conn, text)))
        return lost(p, "sending");
    do {
        p->deadline_ms = now_ms() + (value ? (int64_t)p->sql.timeout_ms + 1000 : INT32_MAX);
        rc = flush(p);
        if (rc == STORE_OK)
            rc = next_result(p, &r);
        if (rc != STORE_OK)
            return rc;
        if (worst == STORE_OK && r && PQresultStatus(r) != PGRES_COMMAND_OK &&
            PQresultStatus(r) != PGRES_TUPLES_OK)
            worst = refused(p, r, SQL_COUNT);
        PQclear(r);
    } while (r);
    return PQenterPipelineMode(p->conn) ? worst : lost(p, "sending");
}

/* A migration is many statements, and those do not go through a pipeline. On a large table one may
 * need minutes: given up after some seconds it would be so at every start. */
static int script(struct sql_store *base, const char *text)
{
    int rc = do_word(of(base), "SET LOCAL statement_timeout = 0");

    return rc == STORE_OK ? ask(of(base), text, NULL) : rc;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void disconnect(struct sql_store *base)
{
    struct postgres *p = of(base);

    PQfinish(p->conn);
    p->conn = NULL;
    p->first = p->n = 0;
    memset(p->prepared, PREPARED_NOT, sizeof p->prepared);
}

/* Like PQconnectdbParams, with a limit of its own on each wait. */
static int open_connection(struct postgres *p, const char *password)
{
    char timeout[16];
    const char *const names[] = {"dbname",
                                 "application_name",
                                 "client_encoding",
                                 "tcp_user_timeout",
                                 "keepalives_idle",
                                 password[0] ? "password" : NULL,
                                 NULL};
    const char *const values[] = {p->sql.where, "dialerd", "UTF8", timeout, "10", password, NULL};
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    int rc = STORE_OK;

    snprintf(timeout, sizeof timeout, "%u", p->sql.timeout_ms);
    p->deadline_ms = now_ms() + p->sql.timeout_ms;
    p->conn = PQconnectStartParams(names, values, 1);
    if (!p->conn)
        return sql_fail(&p->sql, STORE_AWAY, "out of memory");
    while (PQstatus(p->conn) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
           state != PGRES_POLLING_FAILED && rc == STORE_OK) {
        rc = wait_for(p, state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        if (rc == STORE_OK)
            state = PQconnectPoll(p->conn);
    }
    if (rc == STORE_OK && state != PGRES_POLLING_OK)
        rc = lost(p, "connecting");
    return rc;
}

static int set_up(struct postgres *p)
{
    static const char text[] =
        "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),"
        " set_config('idle_in_transaction_session_timeout', '60000', false),"
        /* Every statement goes by an index. Without statistics, as after an import, the planner
         * would rather read a whole table, and plan anew each time. */
        " set_config('plan_cache_mode', 'force_generic_plan', false),"
        " set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),"
        " set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false),"
        " set_config('client_min_messages', 'warning', false)";
    char timeout[16];
    const char *const values[] = {timeout};

    snprintf(timeout, sizeof timeout, "%u", p->sql.timeout_ms);
    return PQsetnonblocking(p->conn, 1) == 0 ? ask(p, text, values) : lost(p, "connecting");
}

static int connect_postgres(struct sql_store *base)
{
    struct postgres *p = of(base);
    char password[PASSWORD_MAX] = "";
    int rc = STORE_OK;

    if (base->password_file && base->password_file[0] &&
        secret_file_read(base->password_file, password, sizeof password) != 0)
        rc = sql_fail(base, STORE_AWAY, "postgres: the password file %s: %s", base->password_file,
                      strerrordesc_np(errno));
    if (rc == STORE_OK)
        rc = open_connection(p, password);
    explicit_bzero(password, sizeof password);
    if (rc == STORE_OK)
        rc = set_up(p);
    if (rc != STORE_OK)
        disconnect(base);
    return rc;
}

static int lock_timeout(struct postgres *p, unsigned ms)
{
    char text[16];
    const char *const values[] = {text};

    snprintf(text, sizeof text, "%u", ms);
    return ask(p, "SELECT set_config('lock_timeout', $1, false)", values);
}

/* The lock goes with the session, so with the process. */
static int hold(struct sql_store *base)
{
    struct postgres *p = of(base);
    int rc = lock_timeout(p, HELD_PATIENCE_MS);

    if (rc == STORE_OK)
        rc = do_word(p, hold_text);
    if (rc == STORE_AWAY && PQstatus(p->conn) == CONNECTION_OK)
        return sql_fail(base, STORE_HELD, "postgres: the store is held");
    return rc == STORE_OK ? lock_timeout(p, p->sql.timeout_ms) : rc;
}

static void destroy(struct sql_store *base)
{
    params_free(&of(base)->params);
    free(base);
}

static const struct sql_backend backend = {
    .connect = connect_postgres,
    .disconnect = disconnect,
    .destroy = destroy,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .exec = exec,
    .query = query,
    .each = each,
    .script = script,
    .hold = hold,
    .id_column = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
};

static struct store *make(const struct store_options *options)
{
    struct postgres *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    if (!sql_store_init(&p->sql, &backend, options)) {
        sql_store_fini(&p->sql);
        free(p);
        return NULL;
    }
    return &p->sql.base;
}

const struct store_driver store_postgres = {"postgres", make};
