/*
 * sql.h - between the store's logic (the same for every SQL backend) and a backend.
 *
 * The logic never holds a statement's text: it names one of statements.def and gives parameters. A
 * backend prepares the texts and runs them. What differs between the backends is in the texts.
 */
#ifndef ADAPTERS_STORE_SQL_H
#define ADAPTERS_STORE_SQL_H

#include "adapters/store/choice.h"
#include "adapters/store/store.h"

enum sql_id {
#define STATEMENT(name, params, columns, text) SQL_##name,
#define EACH(name, params, columns, sqlite, postgres) SQL_##name,
#include "adapters/store/statements.def"
#undef STATEMENT
#undef EACH
    SQL_COUNT
};

/* One text of the catalogue. Types of parameters and columns, one letter each: i integer, d double,
 * t text. ?1 is the first parameter. `each`: runs over many sets of parameters (see below). */
struct sql_statement {
    const char *name;
    const char *params;
    const char *columns;
    const char *sqlite;
    const char *postgres;
    bool each;
};

extern const struct sql_statement sql_catalogue[SQL_COUNT];

#define SQL_COLUMNS_MAX 48

struct sql_value {
    int64_t i;
    double d;
    struct text t;
};

static inline struct sql_value sql_i(int64_t i)
{
    return (struct sql_value){.i = i};
}

static inline struct sql_value sql_u(uint64_t u)
{
    return (struct sql_value){.i = (int64_t)u};
}

static inline struct sql_value sql_d(double d)
{
    return (struct sql_value){.d = d};
}

static inline struct sql_value sql_t(struct text t)
{
    return (struct sql_value){.t = t};
}

struct sql_value sql_s(const char *s);

/* Gets a row; item: which set of parameters it belongs to (0 for plain statements). The columns'
 * texts live during the call. Not 0: stop. */
typedef int (*sql_row)(void *ctx, size_t item, const struct sql_value *column);

struct sql_store;

/* What a backend offers. Every int is an enum store_status, with store.error set. */
struct sql_backend {
    int (*connect)(struct sql_store *s);
    void (*disconnect)(struct sql_store *s);
    void (*destroy)(struct sql_store *s);
    int (*begin)(struct sql_store *s);
    int (*commit)(struct sql_store *s);
    void (*rollback)(struct sql_store *s);
    /* May be carried out later, but in order, and before the next query or commit returns: only
     * then *changed (may be NULL) is valid, and only then an error shows. */
    int (*exec)(struct sql_store *s, enum sql_id id, const struct sql_value *params,
                int64_t *changed);
    int (*query)(struct sql_store *s, enum sql_id id, const struct sql_value *params, sql_row row,
                 void *ctx);
    /* A statement of the kind EACH, for n sets of parameters, one set after the other. */
    int (*each)(struct sql_store *s, enum sql_id id, const struct sql_value *params, size_t n,
                sql_row row, void *ctx);
    /* A migration's text: many statements, without a limit of time. Only inside a transaction. */
    int (*script)(struct sql_store *s, const char *text);
    /* Hold the store against other processes, until disconnect or the end of this process.
     * STORE_HELD if somebody has it. */
    int (*hold)(struct sql_store *s);
    /* What @ID@ stands for in migrations. */
    const char *id_column;
};

struct sql_store {
    struct store base; /* first: a struct store* is one of these */
    const struct sql_backend *backend;
    char *where, *password_file, *owner;
    bool own;
    uint32_t timeout_ms;
    void (*migrating)(int step, int of);
    bool connected;
    bool in_tx;  /* the caller's transaction is open */
    bool broken; /* something in it failed: it can only be rolled back */
    struct sql_chunk *chunks;
};

/* For backends: fills in what they all have. false: no memory. */
bool sql_store_init(struct sql_store *s, const struct sql_backend *backend,
                    const struct store_options *options);
void sql_store_fini(struct sql_store *s);

/* Sets the error and returns the status. */
int sql_fail(struct sql_store *s, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- inside the logic ---------------------------------------------------------------------------
 */

static inline struct sql_store *sql_of(struct store *s)
{
    return (struct sql_store *)s;
}

/* Memory for an operation's answer. NULL: none left. */
void *sql_alloc(struct sql_store *s, size_t size);
/* A copy that outlives the row. Without memory: empty, and sql_leave fails the operation. */
struct text sql_keep(struct sql_store *s, struct text t);

/* Each operation begins with one of these and ends with sql_leave(status so far), which commits or
 * rolls back what sql_enter_tx began. */
int sql_enter(struct sql_store *s);
int sql_enter_tx(struct sql_store *s, bool *mine);
int sql_leave(struct sql_store *s, bool mine, int status);

#define SQL_PARAMS(...) ((const struct sql_value[]){__VA_ARGS__})
#define sql_exec(s, name, changed, ...)                                                            \
    ((s)->backend->exec((s), SQL_##name, SQL_PARAMS(__VA_ARGS__), (changed)))
#define sql_query(s, name, row, ctx, ...)                                                          \
    ((s)->backend->query((s), SQL_##name, SQL_PARAMS(__VA_ARGS__), (row), (ctx)))

/* Receiver for statements with one row of integers: copies them to an int64_t array whose room is
 * that of the statement; the array's owner zeroes it. */
struct sql_ints {
    int64_t v[8];
    bool found;
};
int sql_take_int(void *ctx, size_t item, const struct sql_value *column);
int sql_take_ints2(void *ctx, size_t item, const struct sql_value *column);
int sql_take_ints4(void *ctx, size_t item, const struct sql_value *column);

/* The operations, by file. */
extern const struct store_ops sql_ops;

int sql_claim(struct store *st, const struct msg_claim *req, size_t n, struct msg_claimed *out);

int sql_attempt_moved(struct store *st, const struct msg_attempt_moved *req, size_t n);
int sql_attempt_over(struct store *st, const struct msg_attempt_over *req, size_t n,
                     uint8_t *result);
int sql_leg_claim(struct store *st, const struct msg_leg_claim *req, size_t n,
                  struct msg_leg_claimed *out);
int sql_leg_over(struct store *st, const struct msg_leg_over *req, size_t n);
int sql_agent_moved(struct store *st, const struct msg_agent_moved *req, size_t n);
int sql_settle(struct store *st, const struct msg_settle_lead *req, size_t n,
               struct msg_lead_settled *out);
int sql_suppress(struct store *st, const struct msg_suppress *req, size_t n);
int sql_dispose(struct store *st, const struct msg_dispose *req, size_t n,
                struct msg_disposed *out);

int sql_recycle(struct store *st, const struct msg_recycle *req, struct msg_recycled *out);
int sql_candidates(struct store *st, const struct msg_candidates *req, uint64_t *rows, size_t *n,
                   struct msg_candidates_end *out);
int sql_abandon_window(struct store *st, uint64_t campaign, int64_t day_from, int64_t now,
                       struct msg_abandon_window *out);
int sql_lead_match(struct store *st, uint64_t campaign, struct text number, uint64_t *leads,
                   size_t *n);

int sql_load(struct store *st, uint8_t kind, uint64_t id, int64_t now, store_sink sink, void *ctx);
int sql_explain_lead(struct store *st, uint64_t lead, int64_t now, struct msg_explain_lead *out);

int sql_campaign_add(struct store *st, const struct store_by *by,
                     const struct msg_campaign_config *c, uint64_t *id);
int sql_campaign_put(struct store *st, const struct msg_campaign_config *c);
int sql_trunk_add(struct store *st, const struct store_by *by, const struct msg_trunk_config *t,
                  uint64_t *id);
int sql_trunk_put(struct store *st, const struct msg_trunk_config *t);
int sql_agent_add(struct store *st, const struct store_by *by, const struct msg_agent_config *a,
                  uint8_t role, struct text hash, uint64_t *id);
int sql_agent_put(struct store *st, const struct msg_agent_config *a);
int sql_agent_password(struct store *st, const struct store_by *by, uint64_t agent,
                       struct text hash);
int sql_agent_assign(struct store *st, const struct store_by *by, uint64_t agent,
                     uint64_t campaign);
int sql_list_add(struct store *st, const struct store_by *by, const struct store_list *list,
                 uint64_t *id);
int sql_list_put(struct store *st, const struct store_list *list);
int sql_lists(struct store *st, uint64_t list, uint64_t campaign, store_each_list each, void *ctx);
int sql_pbx_put(struct store *st, uint32_t pbx, struct text name);
int sql_login(struct store *st, uint64_t account, struct text login, struct store_login *out);
int sql_session_save(struct store *st, const struct msg_session_save *m, int64_t now);
int sql_session_find(struct store *st, struct text digest, int64_t now,
                     struct msg_session_known *out);
int sql_session_end(struct store *st, const struct msg_session_end *m);
int sql_dispositions(struct store *st, uint64_t account, store_each_disposition each, void *ctx);
int sql_unsuppress(struct store *st, const struct store_by *by, uint64_t account,
                   struct text number);
int sql_suppressed(struct store *st, uint64_t account, struct text after, uint32_t limit,
                   store_each_number each, void *ctx);
int sql_audit(struct store *st, const struct store_audit *rows, size_t n);
int sql_audits(struct store *st, uint64_t before, uint32_t limit, store_each_audit each, void *ctx);
int sql_alarm(struct store *st, struct text code, struct text subject, struct text text,
              bool stands, int64_t at);
int sql_alarms(struct store *st, bool standing_only, uint32_t limit, store_each_alarm each,
               void *ctx);

int sql_import_begin(struct store *st, const struct store_by *by, uint64_t list, struct text key,
                     uint64_t *import);
int sql_leads_insert(struct store *st, uint64_t list, uint64_t import, int64_t now,
                     const struct store_lead *leads, size_t n, struct store_import_count *count);
int sql_leads_look(struct store *st, uint64_t list, struct text key, const struct store_lead *leads,
                   size_t n, struct store_lead_look *out);
int sql_lead_read(struct store *st, uint64_t lead, struct store_lead_state *out);
int sql_calls(struct store *st, int64_t from, int64_t to, uint64_t lead, struct store_cursor *at,
              size_t *n, store_each_call each, void *ctx);
int sql_legs(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
             store_each_leg each, void *ctx);
int sql_agent_times(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
                    store_each_time each, void *ctx);
int sql_leads(struct store *st, int64_t from, int64_t to, struct store_cursor *at, size_t *n,
              store_each_lead each, void *ctx);

/* sql_choice.c: the leads of a campaign that have the number; `kept` or, CHOICE_NONE, as found. */
int sql_match(struct sql_store *s, uint64_t campaign, struct text number, enum choice kept,
              struct matches *m);
/* What the page is offered. */
struct text sql_offer(struct sql_store *s, const struct matches *m);

/* migrate.c: brings the schema up to date (own) or checks that this program may use it. */
int sql_migrate(struct sql_store *s, int64_t now_wall_ms);

#endif
