/*
 * migrate.c - the schema's numbered steps.
 *
 * Each step's text is compiled in (migrations/ at build time), applied once, in its own
 * transaction, and noted with its digest and with the oldest program that may run on what it
 * leaves. Schema versions and program versions are one count: PROGRAM_SCHEMA below. A newer schema
 * is fine as long as its steps say that this program may still run.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/secret/secret.h"
#include "adapters/store/migrations.h"
#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

struct applied {
    struct sql_store *s;
    int64_t last, oldest;
    int rc;
};

static int take_applied(void *ctx, size_t item, const struct sql_value *c)
{
    struct applied *a = ctx;
    char digest[SECRET_DIGEST_SIZE];
    size_t i;

    (void)item;
    a->last = c[0].i;
    if (c[2].i > a->oldest)
        a->oldest = c[2].i;
    for (i = 0; i < store_migrations_count; i++) {
        const struct store_migration *m = &store_migrations[i];
        if (m->number != c[0].i)
            continue;
        secret_digest(m->text, strlen(m->text), digest);
        if (!text_same(c[1].t, text_from(digest)))
            a->rc = sql_fail(a->s, STORE_FAULT,
                             "migration %04d was applied with another text than this program has",
                             m->number);
    }
    return 0;
}

/* The text with @ID@ put in: the one word in which the backends' schemas differ. */
static char *dialect(const char *text, const char *id_column)
{
    static const char mark[] = "@ID@";
    size_t n = 0, id_len = strlen(id_column);
    const char *p = text, *at;
    char *out, *to;

    for (at = text; (at = strstr(at, mark)) != NULL; at += sizeof mark - 1)
        n++;
    out = malloc(strlen(text) + n * id_len + 1);
    if (!out)
        return NULL;
    to = out;
    while ((at = strstr(p, mark)) != NULL) {
        memcpy(to, p, (size_t)(at - p));
        to += at - p;
        memcpy(to, id_column, id_len);
        to += id_len;
        p = at + sizeof mark - 1;
    }
    memcpy(to, p, strlen(p) + 1);
    return out;
}

static int apply(struct sql_store *s, const struct store_migration *m, int64_t now)
{
    char digest[SECRET_DIGEST_SIZE];
    char *text = dialect(m->text, s->backend->id_column);
    int rc;

    if (!text)
        return sql_fail(s, STORE_AWAY, "out of memory");
    secret_digest(m->text, strlen(m->text), digest);
    rc = s->backend->script(s, text);
    free(text);
    if (rc == STORE_OK)
        rc = sql_exec(s, schema_add, NULL, sql_i(m->number), sql_i(m->oldest), sql_s(digest),
                      sql_i(now));
    return rc;
}

static int read_applied(struct sql_store *s, struct applied *a)
{
    bool mine;
    int rc = STORE_OK;

    if (s->own) {
        rc = sql_enter_tx(s, &mine);
        if (rc == STORE_OK)
            rc = sql_leave(s, mine, s->backend->exec(s, SQL_schema_table, NULL, NULL));
    }
    if (rc == STORE_OK)
        rc = s->backend->query(s, SQL_schema_rows, NULL, take_applied, a);
    return rc == STORE_OK ? a->rc : rc;
}

int sql_migrate(struct sql_store *s, int64_t now)
{
    struct applied a = {.s = s};
    int program = store_migrations[store_migrations_count - 1].number;
    size_t i;
    int rc = read_applied(s, &a);

    if (rc)
        return rc;
    if (a.oldest > program)
        return sql_fail(s, STORE_TOO_NEW,
                        "the schema is at %lld and needs a program that knows %lld; this one "
                        "knows %d: upgrade it",
                        (long long)a.last, (long long)a.oldest, program);
    if (!s->own)
        return a.last >= program
                   ? STORE_OK
                   : sql_fail(s, STORE_AWAY,
                              "the schema is at %lld, this program needs %d: start the daemon",
                              (long long)a.last, program);
    for (i = 0; i < store_migrations_count && rc == STORE_OK; i++) {
        bool mine;
        if (store_migrations[i].number <= a.last)
            continue;
        if (s->migrating)
            s->migrating(store_migrations[i].number, program);
        rc = sql_enter_tx(s, &mine);
        if (rc == STORE_OK)
            rc = sql_leave(s, mine, apply(s, &store_migrations[i], now));
    }
    return rc;
}
