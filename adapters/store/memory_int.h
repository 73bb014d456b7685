/* memory_int.h - the model's tables; inside memory*.c only. */
#ifndef ADAPTERS_STORE_MEMORY_INT_H
#define ADAPTERS_STORE_MEMORY_INT_H

#include "adapters/store/choice.h"
#include "adapters/store/memory.h"
#include "adapters/store/rules.h"

#define MEMORY_BUCKETS 16384

struct m_lease {
    const char *owner;
    uint32_t epoch;
    int64_t expires_ms;
};

struct m_campaign {
    struct msg_campaign_config c;
    struct m_lease lease;
};

struct m_agent {
    struct msg_agent_config a;
    uint8_t role;
    struct text hash;
};

/* A lead with its queue row: the ids of both are the same here. */
struct m_lead {
    struct m_lead *next; /* of those with the same bucket of tail */
    struct store_lead d;
    uint64_t list, import;
    uint8_t status;
    bool final, callback;
    int64_t due_ms, created_ms;
    uint32_t attempts, last_no;
    struct text cause;
};

static inline void m_row_moves(struct m_lead *d, struct row_step to)
{
    d->status = to.status;
    d->final = to.final;
}

struct m_attempt {
    struct m_attempt *next_id, *next_number; /* in their buckets */
    struct store_call c;
    uint64_t account;
    struct text zone;
    bool live, by_system, previewed;
    uint8_t choice; /* enum choice */
    int64_t callback_ms;
    uint32_t epoch;
};

struct m_leg {
    struct msg_leg_claim m;
    bool over;
    int64_t answered_ms, ended_ms;
};

struct m_event {
    struct msg_agent_moved m;
};

struct m_number {
    uint64_t account;
    struct text number, source;
    int64_t at_ms;
    bool gone;
};

struct m_import {
    uint64_t list;
    struct text key;
};

struct m_session {
    struct msg_session_save m;
    bool gone;
};

/* Pointers to records that never move; ids are places + 1. */
#define M_TABLES(T)                                                                                \
    T(struct m_campaign, campaigns)                                                                \
    T(struct msg_trunk_config, trunks)                                                             \
    T(struct m_agent, agents)                                                                      \
    T(struct store_list, lists)                                                                    \
    T(struct m_lead, leads)                                                                        \
    T(struct m_attempt, attempts)                                                                  \
    T(struct m_leg, legs)                                                                          \
    T(struct m_event, events)                                                                      \
    T(struct m_number, numbers)                                                                    \
    T(struct m_import, imports)                                                                    \
    T(struct store_audit, audits)                                                                  \
    T(struct store_alarm, alarms)                                                                  \
    T(struct m_session, sessions)

enum m_table {
#define T(type, name) M_##name,
    M_TABLES(T)
#undef T
        M_TABLE_COUNT
};

struct m_rows {
    void **row;
    size_t n, size;
};

struct m_undo {
    struct m_undo *next;
    void *at;
    size_t size;
    max_align_t old[];
};

struct m_block {
    struct m_block *next;
    max_align_t data[];
};

struct m_shared {
    struct m_shared *next;
    char *where;
    unsigned handles;
    const char *holder; /* R27 */
    struct store_installation in;
    struct m_rows table[M_TABLE_COUNT];
    struct m_lead *by_tail[MEMORY_BUCKETS];
    struct m_attempt *by_id[MEMORY_BUCKETS];
    struct m_attempt *by_number[MEMORY_BUCKETS];
    struct m_block *blocks; /* every record and text, until the end */
    /* the open transaction */
    size_t before[M_TABLE_COUNT];
    struct m_undo *undo;
};

struct memory {
    struct store base; /* first */
    struct m_shared *m;
    struct store_memory_faults faults;
    const char *owner;
    bool own, connected, in_tx, broken;
};

static inline struct memory *memory_of(struct store *s)
{
    return (struct memory *)s;
}

#define M_ROW(type, name, place) ((type *)me->m->table[M_##name].row[place])
#define M_COUNT(name) (me->m->table[M_##name].n)
/* The row with this id, or NULL. */
#define M_FIND(type, name, id)                                                                     \
    ((id) > 0 && (id) <= M_COUNT(name) ? M_ROW(type, name, (id)-1) : (type *)NULL)

int memory_fail(struct memory *me, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Each operation: STORE_OK between enter and leave; what it changed is taken back unless it ends
 * with STORE_OK. */
int memory_enter(struct memory *me, bool *mine);
int memory_leave(struct memory *me, bool mine, int status);
/* A new zeroed row; its id in *id. */
void *memory_add(struct memory *me, enum m_table table, size_t size, uint64_t *id);
/* Say that `size` bytes at `at` are about to change. Returns at. */
void *memory_edit(struct memory *me, void *at, size_t size);
struct text memory_text(struct memory *me, struct text t);
size_t memory_hash(struct text t);

struct m_attempt *memory_attempt(struct memory *me, struct text id);
/* Another line of the audit; everything is copied. */
void memory_audit(struct memory *me, const struct store_audit *a);
void memory_suppress(struct memory *me, uint64_t account, struct text number, struct text source,
                     int64_t at);
bool memory_leased(const struct memory *me, uint64_t campaign, uint32_t epoch, int64_t now);
bool memory_suppressed(const struct memory *me, uint64_t account, struct text number);
/* A lead in a list; NULL: it has the number already (*there). */
struct m_lead *memory_lead_add(struct memory *me, const struct store_list *list, uint64_t import,
                               const struct store_lead *d, int64_t now, struct m_lead **there);
const struct store_disposition *memory_disposition(struct text code);

/* As sql_match(), sql_offer(). */
void memory_match(const struct memory *me, uint64_t campaign, struct text number, enum choice kept,
                  struct matches *m);
struct text memory_offer(struct memory *me, const struct matches *m);

/* The operations, by file. */
void memory_choice(struct store_ops *ops);
void memory_claim(struct store_ops *ops);
void memory_record(struct store_ops *ops);
void memory_bulk(struct store_ops *ops);
void memory_operator(struct store_ops *ops);
void memory_session(struct store_ops *ops);

#endif
