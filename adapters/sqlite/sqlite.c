/*
 * sqlite.c - the store on SQLite: one file, WAL, synchronous=FULL. Owns sqlite3.
 *
 * A daemon has two handles on one file: the service's, and the operator's, which may import a
 * million rows. SQLite lets one write at a time, and its own way of waiting (try again after ever
 * longer pauses) is not fair: an import that commits and begins again would keep claims waiting for
 * seconds. So writers of this process take turns by ticket, for each file.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "adapters/store/sql.h"

/* --- turns ------------------------------------------------------------------------------------ */

struct turns {
    struct turns *next;
    dev_t device;
    ino_t inode;
    unsigned handles;
    uint64_t ticket, serving;
    pthread_cond_t moved;
};

static pthread_mutex_t turns_lock = PTHREAD_MUTEX_INITIALIZER;
static struct turns *all_turns;

struct sqlite_store {
    struct sql_store sql; /* first */
    sqlite3 *db;
    sqlite3_stmt *statement[SQL_COUNT];
    struct turns *turns;
    bool writing; /* it is our turn */
    int lock_fd;  /* R27 */
};

static struct turns *turns_get(dev_t device, ino_t inode)
{
    struct turns *t;

    pthread_mutex_lock(&turns_lock);
    for (t = all_turns; t && (t->device != device || t->inode != inode);)
        t = t->next;
    if (!t && (t = calloc(1, sizeof *t)) != NULL) {
        t->device = device;
        t->inode = inode;
        pthread_cond_init(&t->moved, NULL);
        t->next = all_turns;
        all_turns = t;
    }
    if (t)
        t->handles++;
    pthread_mutex_unlock(&turns_lock);
    return t;
}

static void turns_put(struct turns *t)
{
    struct turns **at;

    pthread_mutex_lock(&turns_lock);
    if (--t->handles == 0) {
        for (at = &all_turns; *at != t;)
            at = &(*at)->next;
        *at = t->next;
        pthread_cond_destroy(&t->moved);
        free(t);
    }
    pthread_mutex_unlock(&turns_lock);
}

static void turn_take(struct sqlite_store *s)
{
    uint64_t mine;

    if (s->writing)
        return;
    pthread_mutex_lock(&turns_lock);
    mine = s->turns->ticket++;
    while (s->turns->serving != mine)
        pthread_cond_wait(&s->turns->moved, &turns_lock);
    pthread_mutex_unlock(&turns_lock);
    s->writing = true;
}

static void turn_pass(struct sqlite_store *s)
{
    if (!s->writing)
        return;
    s->writing = false;
    pthread_mutex_lock(&turns_lock);
    s->turns->serving++;
    pthread_cond_broadcast(&s->turns->moved);
    pthread_mutex_unlock(&turns_lock);
}

/* --- errors ----------------------------------------------------------------------------------- */

static struct sqlite_store *of(struct sql_store *s)
{
    return (struct sqlite_store *)s;
}

/* What may pass by itself is "away": the service tries again, and says so meanwhile. */
static int failed(struct sqlite_store *s, int code, const char *what)
{
    int status = STORE_AWAY;

    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        status = STORE_CONFLICT;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_TOOBIG:
        status = STORE_FAULT;
        break;
    default:
        break;
    }
    return sql_fail(&s->sql, status, "%s: %s: %s", s->sql.where, what,
                    s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
}

/* --- opening ---------------------------------------------------------------------------------- */

static void disconnect(struct sql_store *base)
{
    struct sqlite_store *s = of(base);
    size_t i;

    for (i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(s->statement[i]);
        s->statement[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
    turn_pass(s);
    if (s->turns)
        turns_put(s->turns);
    s->turns = NULL;
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
}

static int open_file(struct sqlite_store *s)
{
    /* exec: fixed texts, no data. The cache and the large journal are for imports. */
    static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                   "PRAGMA foreign_keys = OFF; PRAGMA cache_size = -131072;"
                                   "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 16000;"
                                   "PRAGMA trusted_schema = OFF;";
    int code = sqlite3_open_v2(s->sql.where, &s->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_PRIVATECACHE,
                               NULL);

    if (code != SQLITE_OK)
        return failed(s, code, "cannot open");
    sqlite3_busy_timeout(s->db, (int)s->sql.timeout_ms);
    sqlite3_extended_result_codes(s->db, 1);
    code = sqlite3_exec(s->db, settings, NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : failed(s, code, "cannot set up");
}

static int connect_sqlite(struct sql_store *base)
{
    struct sqlite_store *s = of(base);
    struct stat st;
    int rc = open_file(s);

    if (rc == STORE_OK && stat(base->where, &st) != 0)
        rc = sql_fail(base, STORE_AWAY, "%s: %s", base->where, strerrorname_np(errno));
    if (rc == STORE_OK) {
        s->turns = turns_get(st.st_dev, st.st_ino);
        if (!s->turns)
            rc = sql_fail(base, STORE_AWAY, "out of memory");
    }
    if (rc != STORE_OK)
        disconnect(base);
    return rc;
}

/* A lock that dies with the process, on a file of its own: SQLite uses its file's locks itself. */
static int hold(struct sql_store *base)
{
    struct sqlite_store *s = of(base);
    char path[4096];

    if (snprintf(path, sizeof path, "%s.owner", base->where) >= (int)sizeof path)
        return sql_fail(base, STORE_INVALID, "%s: the path is too long", base->where);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return sql_fail(base, STORE_AWAY, "%s: %s", path, strerrorname_np(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STORE_OK;
    close(s->lock_fd);
    s->lock_fd = -1;
    return sql_fail(base, STORE_HELD, "%s is held", path);
}

static void destroy(struct sql_store *base)
{
    free(base);
}

/* --- transactions ----------------------------------------------------------------------------- */

static int run(struct sqlite_store *s, const char *text)
{
    int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? STORE_OK : failed(s, code, text);
}

static int begin(struct sql_store *base)
{
    struct sqlite_store *s = of(base);
    int rc;

    turn_take(s);
    rc = run(s, "BEGIN IMMEDIATE");
    if (rc != STORE_OK)
        turn_pass(s);
    return rc;
}

static int commit(struct sql_store *base)
{
    struct sqlite_store *s = of(base);
    int rc = run(s, "COMMIT");

    if (rc == STORE_OK)
        turn_pass(s);
    return rc;
}

static void rollback(struct sql_store *base)
{
    struct sqlite_store *s = of(base);

    /* An error of the kind that matters may have rolled back already. */
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    turn_pass(s);
}

static int script(struct sql_store *base, const char *text)
{
    struct sqlite_store *s = of(base);
    int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK ? STORE_OK : failed(s, code, "migration");
}

/* --- statements ------------------------------------------------------------------------------- */

static int prepare(struct sqlite_store *s, enum sql_id id)
{
    const struct sql_statement *text = &sql_catalogue[id];
    sqlite3_stmt **st = &s->statement[id];
    int code;

    if (*st)
        return STORE_OK;
    code = sqlite3_prepare_v3(s->db, text->sqlite, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, text->name);
    if ((size_t)sqlite3_bind_parameter_count(*st) > strlen(text->params) ||
        (text->columns[0] && (size_t)sqlite3_column_count(*st) != strlen(text->columns)))
        return sql_fail(&s->sql, STORE_FAULT, "statement %s: %d parameters, %d columns", text->name,
                        sqlite3_bind_parameter_count(*st), sqlite3_column_count(*st));
    return STORE_OK;
}

/* Texts are bound in place: they outlive the step. A statement may use fewer parameters than its
 * PostgreSQL twin; binding those is refused as out of range, and that is fine. */
static void bind(sqlite3_stmt *st, const char *types, const struct sql_value *p)
{
    int i, n = sqlite3_bind_parameter_count(st);

    for (i = 0; i < n; i++) {
        switch (types[i]) {
        case 'i':
            sqlite3_bind_int64(st, i + 1, p[i].i);
            break;
        case 'd':
            sqlite3_bind_double(st, i + 1, p[i].d);
            break;
        default:
            sqlite3_bind_text(st, i + 1, p[i].t.len ? p[i].t.ptr : "", (int)p[i].t.len,
                              SQLITE_STATIC);
        }
    }
}

static void read_columns(sqlite3_stmt *st, const char *types, struct sql_value *out)
{
    int i;

    for (i = 0; types[i]; i++) {
        if (types[i] == 'i') {
            out[i].i = sqlite3_column_int64(st, i);
        } else if (types[i] == 'd') {
            out[i].d = sqlite3_column_double(st, i);
        } else {
            out[i].t.ptr = (const char *)sqlite3_column_text(st, i);
            out[i].t.len = (uint32_t)sqlite3_column_bytes(st, i);
        }
    }
}

static int step_all(struct sqlite_store *s, enum sql_id id, const struct sql_value *params,
                    size_t item, sql_row row, void *ctx)
{
    const struct sql_statement *text = &sql_catalogue[id];
    struct sql_value column[SQL_COLUMNS_MAX];
    sqlite3_stmt *st = s->statement[id];
    int code;

    bind(st, text->params, params);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        read_columns(st, text->columns, column);
        if (row && row(ctx, item, column)) {
            code = SQLITE_DONE;
            break;
        }
    }
    sqlite3_reset(st);
    return code == SQLITE_DONE ? STORE_OK : failed(s, code, text->name);
}

static int exec(struct sql_store *base, enum sql_id id, const struct sql_value *params,
                int64_t *changed)
{
    struct sqlite_store *s = of(base);
    int rc = prepare(s, id);

    if (rc == STORE_OK)
        rc = step_all(s, id, params, 0, NULL, NULL);
    if (rc == STORE_OK && changed)
        *changed = sqlite3_changes(s->db);
    return rc;
}

static int query(struct sql_store *base, enum sql_id id, const struct sql_value *params,
                 sql_row row, void *ctx)
{
    struct sqlite_store *s = of(base);
    int rc = prepare(s, id);

    return rc == STORE_OK ? step_all(s, id, params, 0, row, ctx) : rc;
}

static int each(struct sql_store *base, enum sql_id id, const struct sql_value *params, size_t n,
                sql_row row, void *ctx)
{
    struct sqlite_store *s = of(base);
    size_t width = strlen(sql_catalogue[id].params), i;
    int rc = prepare(s, id);

    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = step_all(s, id, params + i * width, i, row, ctx);
    return rc;
}

static const struct sql_backend backend = {
    .connect = connect_sqlite,
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
    .id_column = "INTEGER PRIMARY KEY",
};

static struct store *make(const struct store_options *options)
{
    struct sqlite_store *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->lock_fd = -1;
    if (!sql_store_init(&s->sql, &backend, options)) {
        sql_store_fini(&s->sql);
        free(s);
        return NULL;
    }
    return &s->sql.base;
}

const struct store_driver store_sqlite = {"sqlite", make};
