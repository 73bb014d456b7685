/*
 * memory.c - the model: opening, transactions, rows. See memory.h.
 *
 * Rows never move and nothing is freed before the end, so that a transaction is undone by putting
 * old bytes back and cutting the tables to their old lengths.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

static struct m_shared *all;

int memory_fail(struct memory *me, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(me->base.error, sizeof me->base.error, format, args);
    va_end(args);
    return status;
}

struct store_memory_faults *store_memory_faults(struct store *s)
{
    return &memory_of(s)->faults;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* A model without memory cannot go on, and nobody depends on one. */
static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static void *block(struct memory *me, size_t size)
{
    struct m_block *b = must(calloc(1, sizeof *b + size));

    b->next = me->m->blocks;
    me->m->blocks = b;
    return b->data;
}

void *memory_add(struct memory *me, enum m_table table, size_t size, uint64_t *id)
{
    struct m_rows *rows = &me->m->table[table];

    if (rows->n == rows->size) {
        rows->size = rows->size ? rows->size * 2 : 64;
        rows->row = must(realloc(rows->row, rows->size * sizeof *rows->row));
    }
    rows->row[rows->n++] = block(me, size);
    if (id)
        *id = rows->n;
    return rows->row[rows->n - 1];
}

void *memory_edit(struct memory *me, void *at, size_t size)
{
    struct m_undo *u = must(malloc(sizeof *u + size));

    u->next = me->m->undo;
    u->at = at;
    u->size = size;
    memcpy(u->old, at, size);
    me->m->undo = u;
    return at;
}

struct text memory_text(struct memory *me, struct text t)
{
    char *copy;

    if (t.len == 0)
        return (struct text){NULL, 0};
    copy = block(me, t.len);
    memcpy(copy, t.ptr, t.len);
    return (struct text){copy, t.len};
}

/* The same with its end, for the names of owners: they outlive the handle. */
static const char *word(struct memory *me, const char *s)
{
    return memory_text(me, (struct text){s, (uint32_t)strlen(s) + 1}).ptr;
}

size_t memory_hash(struct text t)
{
    uint64_t h = UINT64_C(14695981039346656037);
    uint32_t i;

    for (i = 0; i < t.len; i++)
        h = (h ^ (unsigned char)t.ptr[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32) % MEMORY_BUCKETS;
}

/* --- transactions ----------------------------------------------------------------------------- */

static void open_tx(struct memory *me)
{
    size_t i;

    for (i = 0; i < M_TABLE_COUNT; i++)
        me->m->before[i] = me->m->table[i].n;
}

static void end_tx(struct memory *me, bool keep)
{
    size_t i;

    while (me->m->undo) {
        struct m_undo *u = me->m->undo;
        if (!keep)
            memcpy(u->at, u->old, u->size);
        me->m->undo = u->next;
        free(u);
    }
    for (i = 0; i < M_TABLE_COUNT && !keep; i++)
        me->m->table[i].n = me->m->before[i];
}

static bool told(unsigned *times)
{
    if (*times == 0)
        return false;
    --*times;
    return true;
}

static int finish(struct memory *me)
{
    if (told(&me->faults.lose_before)) {
        end_tx(me, false);
        return memory_fail(me, STORE_AWAY, "told to lose a transaction");
    }
    end_tx(me, true);
    if (told(&me->faults.lose_after))
        return memory_fail(me, STORE_AWAY, "told to lose an answer");
    return STORE_OK;
}

int memory_enter(struct memory *me, bool *mine)
{
    *mine = false;
    if (me->faults.away || !me->connected)
        return memory_fail(me, STORE_AWAY, "told to be away");
    *mine = !me->in_tx;
    if (*mine)
        open_tx(me);
    return STORE_OK;
}

int memory_leave(struct memory *me, bool mine, int status)
{
    if (status != STORE_OK && me->in_tx)
        me->broken = true;
    if (!mine)
        return status;
    if (status == STORE_OK)
        return finish(me);
    end_tx(me, false);
    return status;
}

static int begin(struct store *s)
{
    struct memory *me = memory_of(s);
    int rc = memory_enter(me, &me->in_tx);

    me->broken = false;
    return rc;
}

static void rollback(struct store *s)
{
    struct memory *me = memory_of(s);

    if (me->in_tx)
        end_tx(me, false);
    me->in_tx = false;
}

static int commit(struct store *s)
{
    struct memory *me = memory_of(s);

    if (!me->in_tx)
        return memory_fail(me, STORE_AWAY, "no transaction is open");
    if (me->broken) {
        rollback(s);
        return STORE_FAULT;
    }
    me->in_tx = false;
    if (me->faults.away) {
        end_tx(me, false);
        return memory_fail(me, STORE_AWAY, "told to be away");
    }
    return finish(me);
}

/* --- life ------------------------------------------------------------------------------------- */

static int connect_memory(struct store *s, int64_t now)
{
    struct memory *me = memory_of(s);
    struct store_installation *in = &me->m->in;

    rollback(s);
    if (me->faults.away)
        return memory_fail(me, STORE_AWAY, "told to be away");
    me->connected = true;
    if (!me->own)
        return STORE_OK;
    if (me->m->holder && strcmp(me->m->holder, me->owner) != 0) {
        me->connected = false;
        return memory_fail(me, STORE_HELD, "the store is held by %s since %lld (UTC ms)", in->owner,
                           (long long)in->since_wall_ms);
    }
    me->m->holder = me->owner;
    if (strcmp(in->owner, me->owner) != 0) {
        snprintf(in->owner, sizeof in->owner, "%s", me->owner);
        in->since_wall_ms = in->beat_wall_ms = now;
        in->starts++;
    }
    return STORE_OK;
}

static void close_memory(struct store *s)
{
    struct memory *me = memory_of(s);
    struct m_shared *m;

    if (!s)
        return;
    rollback(s);
    m = me->m;
    if (me->own && m->holder && strcmp(m->holder, me->owner) == 0)
        m->holder = NULL;
    m->handles--;
    free(me);
    if (m->where[0] == '\0')
        store_memory_forget(NULL);
}

static void destroy(struct m_shared *m)
{
    size_t i;

    while (m->blocks) {
        struct m_block *next = m->blocks->next;
        free(m->blocks);
        m->blocks = next;
    }
    for (i = 0; i < M_TABLE_COUNT; i++)
        free(m->table[i].row);
    free(m->where);
    free(m);
}

/* NULL: those without a name and without handles. */
void store_memory_forget(const char *where)
{
    struct m_shared **at = &all, *m;

    while ((m = *at) != NULL) {
        if (m->handles == 0 && strcmp(m->where, where ? where : "") == 0) {
            *at = m->next;
            destroy(m);
        } else {
            at = &m->next;
        }
    }
}

static int ping(struct store *s, int64_t now, int64_t *clock_ms)
{
    struct memory *me = memory_of(s);
    bool mine;
    int rc = memory_enter(me, &mine);

    *clock_ms = now;
    if (rc == STORE_OK && me->own)
        me->m->in.beat_wall_ms = now;
    return rc ? rc : memory_leave(me, mine, rc);
}

static int installation(struct store *s, struct store_installation *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    int rc = memory_enter(me, &mine);

    *out = me->m->in;
    return rc ? rc : memory_leave(me, mine, rc);
}

static int lease_take(struct store *s, uint64_t campaign, int64_t now)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc;

    if (!me->own)
        return memory_fail(me, STORE_INVALID, "only the owner of the store takes leases");
    rc = memory_enter(me, &mine);
    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(campaigns); i++) {
        struct m_lease *l = &M_ROW(struct m_campaign, campaigns, i)->lease;
        if ((campaign && campaign != i + 1) || (l->owner && strcmp(l->owner, me->owner) == 0))
            continue;
        memory_edit(me, l, sizeof *l);
        *l = (struct m_lease){me->owner, l->epoch + 1, now + STORE_LEASE_MS};
    }
    return memory_leave(me, mine, rc);
}

static int lease_renew(struct store *s, int64_t now)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    for (i = 0; i < M_COUNT(campaigns) && rc == STORE_OK; i++) {
        struct m_lease *l = &M_ROW(struct m_campaign, campaigns, i)->lease;
        if (l->owner && strcmp(l->owner, me->owner) == 0)
            ((struct m_lease *)memory_edit(me, l, sizeof *l))->expires_ms = now + STORE_LEASE_MS;
    }
    return rc ? rc : memory_leave(me, mine, rc);
}

static struct m_shared *shared_of(const char *where)
{
    struct m_shared *m;

    for (m = all; m && (!where[0] || strcmp(m->where, where) != 0);)
        m = m->next;
    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m || !(m->where = strdup(where))) {
        free(m);
        return NULL;
    }
    m->in.node = 1;
    m->in.schema = 1;
    m->next = all;
    all = m;
    return m;
}

static struct store *make(const struct store_options *o)
{
    static struct store_ops ops = {
        .connect = connect_memory,
        .close = close_memory,
        .ping = ping,
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .installation = installation,
        .lease_take = lease_take,
        .lease_renew = lease_renew,
    };
    struct memory *me = calloc(1, sizeof *me);

    memory_claim(&ops);
    memory_choice(&ops);
    memory_record(&ops);
    memory_bulk(&ops);
    memory_operator(&ops);
    memory_session(&ops);
    if (!me || !(me->m = shared_of(o->where ? o->where : ""))) {
        free(me);
        return NULL;
    }
    me->m->handles++;
    me->base.ops = &ops;
    me->own = o->own;
    me->owner = word(me, o->owner ? o->owner : "");
    return &me->base;
}

const struct store_driver store_memory = {"memory", make};
