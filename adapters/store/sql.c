/*
 * sql.c - what all SQL operations stand on: opening, transactions, memory for answers, leases.
 */
#include "adapters/store/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/secret/secret.h"
#include "adapters/store/rules.h"

/* --- memory for answers -------------------------------------------------------------------------
 */

#define CHUNK_SIZE 65536

/* Reset, not freed, at the start of an operation: a handle settles at what its largest answer took.
 */
struct sql_chunk {
    struct sql_chunk *next;
    size_t used, size;
    max_align_t data[];
};

static void chunks_reset(struct sql_store *s)
{
    struct sql_chunk *c;

    for (c = s->chunks; c; c = c->next)
        c->used = 0;
}

void *sql_alloc(struct sql_store *s, size_t size)
{
    struct sql_chunk *c;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    for (c = s->chunks; c; c = c->next) {
        if (c->size - c->used >= size) {
            void *at = (char *)c->data + c->used;
            c->used += size;
            return at;
        }
    }
    c = malloc(sizeof *c + room + sizeof(max_align_t));
    if (!c)
        return NULL;
    c->size = room + sizeof(max_align_t);
    c->used = size;
    c->next = s->chunks;
    s->chunks = c;
    return c->data;
}

struct text sql_keep(struct sql_store *s, struct text t)
{
    char *copy;

    if (t.len == 0)
        return (struct text){NULL, 0};
    copy = sql_alloc(s, t.len);
    if (!copy) {
        s->broken = true;
        return (struct text){NULL, 0};
    }
    memcpy(copy, t.ptr, t.len);
    return (struct text){copy, t.len};
}

/* --- the handle ---------------------------------------------------------------------------------
 */

bool sql_store_init(struct sql_store *s, const struct sql_backend *backend,
                    const struct store_options *options)
{
    s->base.ops = &sql_ops;
    s->backend = backend;
    s->where = strdup(options->where ? options->where : "");
    s->owner = strdup(options->owner ? options->owner : "");
    s->password_file = options->password_file ? strdup(options->password_file) : NULL;
    s->own = options->own;
    s->timeout_ms = options->timeout_ms ? options->timeout_ms : 5000;
    s->migrating = options->migrating;
    return s->where && s->owner && (!options->password_file || s->password_file);
}

void sql_store_fini(struct sql_store *s)
{
    while (s->chunks) {
        struct sql_chunk *next = s->chunks->next;
        free(s->chunks);
        s->chunks = next;
    }
    free(s->where);
    free(s->owner);
    free(s->password_file);
}

int sql_fail(struct sql_store *s, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->base.error, sizeof s->base.error, format, args);
    va_end(args);
    return status;
}

struct sql_value sql_s(const char *s)
{
    return (struct sql_value){.t = text_from(s)};
}

/* --- operations and transactions -----------------------------------------------------------------
 */

int sql_enter(struct sql_store *s)
{
    if (!s->connected)
        return sql_fail(s, STORE_AWAY, "not connected");
    if (s->in_tx && s->broken)
        return STORE_FAULT; /* the error is that of the operation that failed */
    if (!s->in_tx) {
        chunks_reset(s);
        s->broken = false;
    }
    return STORE_OK;
}

int sql_enter_tx(struct sql_store *s, bool *mine)
{
    int rc = sql_enter(s);

    *mine = false;
    if (rc || s->in_tx)
        return rc;
    rc = s->backend->begin(s);
    *mine = rc == STORE_OK;
    return rc;
}

int sql_leave(struct sql_store *s, bool mine, int status)
{
    if (status == STORE_OK && s->broken)
        status = sql_fail(s, STORE_AWAY, "out of memory");
    if (status != STORE_OK && s->in_tx)
        s->broken = true;
    if (!mine)
        return status;
    if (status == STORE_OK)
        status = s->backend->commit(s);
    if (status != STORE_OK)
        s->backend->rollback(s);
    return status;
}

static int begin(struct store *st)
{
    struct sql_store *s = sql_of(st);
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = s->backend->begin(s);
    s->in_tx = rc == STORE_OK;
    return rc;
}

static void rollback(struct store *st)
{
    struct sql_store *s = sql_of(st);

    if (s->in_tx && s->connected)
        s->backend->rollback(s);
    s->in_tx = s->broken = false;
}

static int commit(struct store *st)
{
    struct sql_store *s = sql_of(st);
    int rc;

    if (!s->connected || !s->in_tx)
        return sql_fail(s, STORE_AWAY, "no transaction is open");
    if (s->broken) {
        rollback(st);
        return STORE_FAULT; /* the error is that of the operation that failed */
    }
    rc = s->backend->commit(s);
    if (rc != STORE_OK)
        s->backend->rollback(s);
    s->in_tx = false;
    return rc;
}

int sql_take_int(void *ctx, size_t item, const struct sql_value *column)
{
    struct sql_ints *out = ctx;

    (void)item;
    out->v[0] = column[0].i;
    out->found = true;
    return 0;
}

int sql_take_ints2(void *ctx, size_t item, const struct sql_value *column)
{
    ((struct sql_ints *)ctx)->v[1] = column[1].i;
    return sql_take_int(ctx, item, column);
}

int sql_take_ints4(void *ctx, size_t item, const struct sql_value *column)
{
    ((struct sql_ints *)ctx)->v[2] = column[2].i;
    ((struct sql_ints *)ctx)->v[3] = column[3].i;
    return sql_take_ints2(ctx, item, column);
}

/* --- life ------------------------------------------------------------------------------------- */

static int take_installation(void *ctx, size_t item, const struct sql_value *column)
{
    struct store_installation *out = ctx;
    size_t n = column[2].t.len < sizeof out->owner ? column[2].t.len : sizeof out->owner - 1;

    (void)item;
    out->node = (uint16_t)column[0].i;
    out->starts = (uint32_t)column[1].i;
    if (n)
        memcpy(out->owner, column[2].t.ptr, n);
    out->owner[n] = '\0';
    out->since_wall_ms = column[3].i;
    out->beat_wall_ms = column[4].i;
    return 0;
}

static int installation(struct store *st, struct store_installation *out)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints schema = {0};
    int rc = sql_enter(s);

    memset(out, 0, sizeof *out);
    if (rc == STORE_OK)
        rc = s->backend->query(s, SQL_installation_read, NULL, take_installation, out);
    if (rc == STORE_OK)
        rc = s->backend->query(s, SQL_schema_has, NULL, sql_take_int, &schema);
    out->schema = (uint32_t)schema.v[0];
    return rc;
}

/* Who has it? Best effort: the answer is for a person. */
static int held(struct sql_store *s)
{
    struct store_installation in = {0};

    if (s->backend->query(s, SQL_installation_read, NULL, take_installation, &in) == STORE_OK &&
        in.owner[0]) {
        const time_t since = (time_t)(in.since_wall_ms / 1000);
        char when[64] = "an unknown time";
        struct tm tm;
        if (gmtime_r(&since, &tm))
            strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
        return sql_fail(s, STORE_HELD, "the store is held by %s since %s", in.owner, when);
    }
    return sql_fail(s, STORE_HELD, "the store is held by another daemon");
}

/* R27. The lock dies with the process; the row tells people and later starts who it was. */
static int take_store(struct sql_store *s, int64_t now)
{
    struct store_installation in = {0};
    uint16_t node;
    bool mine;
    int rc;

    rc = s->backend->hold(s);
    if (rc == STORE_HELD)
        return held(s);
    if (rc)
        return rc;
    rc = sql_migrate(s, now);
    if (rc)
        return rc;
    secret_random(&node, sizeof node);
    rc = sql_enter_tx(s, &mine);
    if (rc)
        return rc;
    rc = sql_exec(s, installation_make, NULL, sql_i(node), sql_s(""), sql_i(now));
    if (rc == STORE_OK)
        rc = s->backend->query(s, SQL_installation_read, NULL, take_installation, &in);
    if (rc == STORE_OK && strcmp(in.owner, s->owner) != 0)
        rc = sql_exec(s, installation_take, NULL, sql_s(s->owner), sql_i(now));
    return sql_leave(s, mine, rc);
}

static int connect_store(struct store *st, int64_t now)
{
    struct sql_store *s = sql_of(st);
    int rc;

    if (s->connected) {
        s->backend->disconnect(s);
        s->connected = false;
    }
    s->in_tx = s->broken = false;
    rc = s->backend->connect(s);
    s->connected = rc == STORE_OK;
    if (rc == STORE_OK)
        rc = s->own ? take_store(s, now) : sql_migrate(s, now);
    if (rc != STORE_OK && s->connected) {
        s->backend->disconnect(s);
        s->connected = false;
    }
    return rc;
}

static void close_store(struct store *st)
{
    struct sql_store *s = sql_of(st);

    if (!s)
        return;
    if (s->connected)
        s->backend->disconnect(s);
    sql_store_fini(s);
    s->backend->destroy(s);
}

static int ping(struct store *st, int64_t now, int64_t *clock_ms)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints clock = {0};
    int rc = sql_enter(s);

    if (rc == STORE_OK)
        rc = s->backend->each(s, SQL_clock, SQL_PARAMS(sql_i(now)), 1, sql_take_int, &clock);
    *clock_ms = clock.v[0];
    if (rc == STORE_OK && s->own) {
        bool mine;
        rc = sql_enter_tx(s, &mine);
        if (rc == STORE_OK)
            rc = sql_leave(s, mine,
                           sql_exec(s, installation_beat, NULL, sql_s(s->owner), sql_i(now)));
    }
    return rc;
}

static int drop_row(void *ctx, size_t item, const struct sql_value *column)
{
    (void)ctx;
    (void)item;
    (void)column;
    return 0;
}

static int lease_take(struct store *st, uint64_t campaign, int64_t now)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc;

    if (!s->own)
        return sql_fail(s, STORE_INVALID, "only the owner of the store takes leases");
    rc = sql_enter_tx(s, &mine);
    if (rc)
        return rc;
    rc = s->backend->each(s, SQL_lease_take,
                          SQL_PARAMS(sql_u(campaign), sql_s(s->owner), sql_i(now + STORE_LEASE_MS)),
                          1, drop_row, NULL);
    return sql_leave(s, mine, rc);
}

static int lease_renew(struct store *st, int64_t now)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = s->backend->each(s, SQL_lease_renew,
                          SQL_PARAMS(sql_s(s->owner), sql_i(now + STORE_LEASE_MS)), 1, drop_row,
                          NULL);
    return sql_leave(s, mine, rc);
}

const struct store_ops sql_ops = {
    .connect = connect_store,
    .close = close_store,
    .ping = ping,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .installation = installation,
    .lease_take = lease_take,
    .lease_renew = lease_renew,
    .claim = sql_claim,
    .attempt_moved = sql_attempt_moved,
    .attempt_over = sql_attempt_over,
    .leg_claim = sql_leg_claim,
    .leg_over = sql_leg_over,
    .agent_moved = sql_agent_moved,
    .dispose = sql_dispose,
    .settle = sql_settle,
    .suppress = sql_suppress,
    .recycle = sql_recycle,
    .candidates = sql_candidates,
    .abandon_window = sql_abandon_window,
    .lead_match = sql_lead_match,
    .load = sql_load,
    .explain_lead = sql_explain_lead,
    .campaign_add = sql_campaign_add,
    .campaign_put = sql_campaign_put,
    .trunk_add = sql_trunk_add,
    .trunk_put = sql_trunk_put,
    .agent_add = sql_agent_add,
    .agent_put = sql_agent_put,
    .agent_password = sql_agent_password,
    .agent_assign = sql_agent_assign,
    .list_add = sql_list_add,
    .list_put = sql_list_put,
    .lists = sql_lists,
    .pbx_put = sql_pbx_put,
    .login = sql_login,
    .session_save = sql_session_save,
    .session_find = sql_session_find,
    .session_end = sql_session_end,
    .dispositions = sql_dispositions,
    .unsuppress = sql_unsuppress,
    .suppressed = sql_suppressed,
    .audit = sql_audit,
    .audits = sql_audits,
    .alarm = sql_alarm,
    .alarms = sql_alarms,
    .import_begin = sql_import_begin,
    .leads_insert = sql_leads_insert,
    .leads_look = sql_leads_look,
    .lead_read = sql_lead_read,
    .calls = sql_calls,
    .agent_times = sql_agent_times,
    .legs = sql_legs,
    .leads = sql_leads,
};
