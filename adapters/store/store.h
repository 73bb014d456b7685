/*
 * store.h - the port to the durable store: PostgreSQL, SQLite, or a model in memory.
 *
 * A store is a handle: one connection, used by one thread at a time. The daemon opens two, one for
 * the service thread (service.h) and one for the operator's thread. Every operation is synchronous,
 * takes many requests at once where that pays, and is one transaction, unless the caller has opened
 * one with begin(): then it is part of that.
 *
 * What operations promise:
 *   - Repeating a request that was carried out already changes nothing and answers the same. That
 *     is what the service leans on when it does not know whether a commit arrived.
 *   - A status other than STORE_OK means that nothing of the request was done, except STORE_AWAY
 *     out of commit(), or out of an operation that was its own transaction: then it may have been.
 *   - Texts in an answer belong to the handle and live until the next operation on it. A text
 *     without content has len 0; ptr may be NULL then.
 *   - Data never becomes SQL: statements are constants, data are parameters.
 *
 * Times are UTC milliseconds, 0 none. Ids are positive, 0 none.
 */
#ifndef ADAPTERS_STORE_STORE_H
#define ADAPTERS_STORE_STORE_H

#include "actors/messages.h"
#include "actors/types.h"
#include "core/types.h"

#define STORE_ACCOUNT 1     /* the one account there is for now */
#define STORE_BATCH_MAX 256 /* requests in one call at most */
#define STORE_FIELDS_MAX 500
#define STORE_LEASE_MS 5000 /* how long a lease lasts without being renewed */

enum store_status {
    STORE_OK = 0,
    STORE_AWAY = -1,      /* not reachable, or no memory, now: connect() again, then repeat */
    STORE_HELD = -2,      /* another daemon owns this store (R27) */
    STORE_TOO_NEW = -3,   /* the schema needs a newer program */
    STORE_INVALID = -4,   /* the request itself is wrong */
    STORE_NOT_FOUND = -5, /* what it names does not exist */
    STORE_CONFLICT = -6,  /* the name is taken, or somebody was first */
    STORE_FAULT = -7,     /* damaged: needs a person */
};

/* "not reachable" */
const char *store_status_name(int status);

/* Who makes a change, for the audit record (R25). */
struct store_by {
    const char *who; /* "cli:root", "agent:17", "system" */
    int64_t at_wall_ms;
};

/* --- opening ---------------------------------------------------------------------------------- */

struct store_options {
    const char *where;         /* sqlite: path of the file; postgres: connection string without a
                                  password; memory: ignored */
    const char *password_file; /* postgres: file with the password, NULL none */
    const char *owner;         /* who we are, for R27 and the leases: unique for each process */
    bool own;                  /* be the store's owner: migrate, hold it against a second daemon */
    uint32_t timeout_ms;       /* postgres: for connecting and for a statement; 0: 5000 */
    /* Told by connect before each step of the schema that it applies; NULL: nobody listens. */
    void (*migrating)(int step, int of);
};

struct store;
struct store_driver {
    const char *name; /* "sqlite" */
    /* Makes a handle without touching the store; NULL: no memory. */
    struct store *(*make)(const struct store_options *options);
};

extern const struct store_driver store_sqlite;
extern const struct store_driver store_postgres;
extern const struct store_driver store_memory;

/* --- what the operator's side reads and writes -------------------------------------------------
 */

struct store_login {
    uint64_t agent;
    uint64_t account;
    bool enabled;
    uint8_t role; /* enum role */
    struct text name;
    struct text hash; /* Argon2id, empty: no login by password */
};

struct store_list {
    uint64_t list;
    uint64_t account;
    uint64_t campaign; /* 0 none */
    struct text name;
    struct text country; /* for national formats, empty: the campaign's */
    struct text zone;    /* IANA, empty: the campaign's */
    uint32_t priority;   /* 1 first */
    bool active;
    bool manual; /* leads made by manual calls: never dialed automatically */
    uint64_t leads;
};

struct store_disposition {
    struct text code;
    struct text name;
    bool reached, machine, sale, final, counts, dnc, callback; /* R12 */
    bool offered;      /* agents may choose it; else only the system sets it */
    int64_t recycle_s; /* 0: none; -1: the campaign's delay for this outcome */
};

struct store_lead {
    uint64_t lead;      /* 0 when inserting */
    struct text number; /* E.164 */
    struct text name;
    struct text zone;   /* IANA, empty none */
    struct text fields; /* JSON object, string values */
    uint32_t priority;  /* 1 first, 50 by default; inserting: 0 means 50 */
};

struct store_lead_state {
    struct store_lead lead;
    uint64_t list;
    uint64_t campaign;
    uint64_t row;
    uint8_t row_status; /* enum row_status */
    bool final;
    uint32_t attempts; /* used */
    int64_t due_wall_ms;
    struct text cause; /* why the row is where it is: an outcome, a disposition, a reason */
    int64_t created_wall_ms;
};

struct store_import_count {
    uint64_t inserted;
    uint64_t repeated;   /* put in by an earlier run of this same import */
    uint64_t duplicates; /* the number is in the list already, maybe by this very run */
    uint64_t suppressed; /* inserted, but on the do-not-call list: not queued */
};

/* What an import would find of a lead; see leads_look. */
enum store_lead_there { LEAD_NEW, LEAD_DUPLICATE, LEAD_REPEATED };
struct store_lead_look {
    uint8_t there; /* enum store_lead_there */
    bool suppressed;
};

/* One row of the export of calls: everything about one attempt. */
struct store_call {
    struct text attempt;
    uint64_t campaign, list, lead, row, agent, trunk;
    uint32_t attempt_no, pbx;
    struct text number, caller_id, disposition, note, disposed_by;
    uint8_t cause, state, outcome; /* enums attempt_cause, attempt_state, outcome */
    uint16_t q850, sip;
    bool counts;
    int64_t claimed_ms, originated_ms, ringing_ms, answered_ms, bridged_ms, ended_ms, disposed_ms;
};

/* One interval of an agent's time: state, from, until (0: it lasts). */
struct store_agent_time {
    uint64_t agent;
    struct text login;
    uint8_t state;
    struct text reason;
    uint64_t campaign;
    struct text attempt;
    int64_t from_ms, until_ms;
};

/* One originate that is not a customer's. */
struct store_leg {
    struct text leg;
    uint64_t agent;
    uint8_t use; /* enum leg_use */
    uint32_t pbx;
    struct text endpoint;
    struct text attempt;
    int64_t claimed_ms, answered_ms, ended_ms;
};

struct store_audit {
    uint64_t id;
    int64_t at_wall_ms;
    struct text who;
    struct text kind; /* "campaign" */
    uint64_t subject; /* its id */
    struct text field;
    struct text before;
    struct text after;
};

struct store_alarm {
    uint64_t id;
    struct text code;    /* stable: "DLR-STORE-AWAY" */
    struct text subject; /* "pbx 1", empty none */
    struct text text;
    int64_t started_wall_ms;
    int64_t ended_wall_ms; /* 0: it stands */
};

struct store_installation {
    uint16_t node;
    uint32_t starts; /* how often a daemon has taken this store */
    uint32_t schema; /* number of the last migration */
    char owner[128]; /* who holds it or held it last */
    int64_t since_wall_ms;
    int64_t beat_wall_ms;
};

/* Receivers return 0 to go on, anything else to stop early (not an error). They must not use the
 * handle. */
typedef int (*store_sink)(void *ctx, uint16_t type, const void *msg);
typedef int (*store_each_list)(void *ctx, const struct store_list *list);
typedef int (*store_each_disposition)(void *ctx, const struct store_disposition *d);
typedef int (*store_each_call)(void *ctx, const struct store_call *call);
typedef int (*store_each_time)(void *ctx, const struct store_agent_time *time);
typedef int (*store_each_leg)(void *ctx, const struct store_leg *leg);
typedef int (*store_each_lead)(void *ctx, const struct store_lead_state *lead);
typedef int (*store_each_audit)(void *ctx, const struct store_audit *audit);
typedef int (*store_each_alarm)(void *ctx, const struct store_alarm *alarm);
typedef int (*store_each_number)(void *ctx, struct text number, struct text source, int64_t at_ms);

/* Where a long read goes on: zero it, call until the answer is 0 rows. Constant memory, no
 * transaction stays open between the calls. */
struct store_cursor {
    int64_t at_ms;
    uint64_t id;
    char key[40];
};

/* --- the port ----------------------------------------------------------------------------------
 */

struct store_ops {
    /* Opens, checks the schema (own: migrates it), takes the ownership. Repeat it after STORE_AWAY.
     * STORE_HELD: error names owner and since when. */
    int (*connect)(struct store *s, int64_t now_wall_ms);
    void (*close)(struct store *s); /* frees the handle, NULL is fine */
    /* Is it there, and what time has it? Beats the installation row if we own it. */
    int (*ping)(struct store *s, int64_t now_wall_ms, int64_t *clock_wall_ms);
    int (*begin)(struct store *s);
    int (*commit)(struct store *s);
    void (*rollback)(struct store *s);
    int (*installation)(struct store *s, struct store_installation *out);

    /* Takes the lease of a campaign (0: of every campaign) unless it is ours already: epoch + 1.
     * Only the store's owner may. */
    int (*lease_take)(struct store *s, uint64_t campaign, int64_t now_wall_ms);
    int (*lease_renew)(struct store *s, int64_t now_wall_ms);

    /* --- claims and records; see actors/README.md for what a claim is refused for --------------
     */

    /* out[i].permit stays 0: the service makes permits after the commit. A row that is refused for
     * something lasting leaves the queue: to failed with the reason as cause, final or with the
     * time at which it may go. */
    int (*claim)(struct store *s, const struct msg_claim *req, size_t n, struct msg_claimed *out);
    int (*attempt_moved)(struct store *s, const struct msg_attempt_moved *req, size_t n);
    /* result[i]: RESULT_OK, RESULT_NOT_FOUND */
    int (*attempt_over)(struct store *s, const struct msg_attempt_over *req, size_t n,
                        uint8_t *result);
    int (*leg_claim)(struct store *s, const struct msg_leg_claim *req, size_t n,
                     struct msg_leg_claimed *out);
    int (*leg_over)(struct store *s, const struct msg_leg_over *req, size_t n);
    int (*agent_moved)(struct store *s, const struct msg_agent_moved *req, size_t n);
    int (*dispose)(struct store *s, const struct msg_dispose *req, size_t n,
                   struct msg_disposed *out);
    /* R14: the attempt gets this lead, of those that have its number, and that lead's row; the row
     * it stood on is as before the call. With a line of the audit. */
    int (*settle)(struct store *s, const struct msg_settle_lead *req, size_t n,
                  struct msg_lead_settled *out);
    int (*suppress)(struct store *s, const struct msg_suppress *req, size_t n);
    int (*recycle)(struct store *s, const struct msg_recycle *req, struct msg_recycled *out);
    /* Rows in queue order: callbacks, then list priority, row priority, due, position; *n: room in,
     * found out. */
    int (*candidates)(struct store *s, const struct msg_candidates *req, uint64_t *rows, size_t *n,
                      struct msg_candidates_end *out);
    int (*abandon_window)(struct store *s, uint64_t campaign, int64_t day_from_wall_ms,
                          int64_t now_wall_ms, struct msg_abandon_window *out);
    /* Leads of the campaign that have this number, else its last ten digits. */
    int (*lead_match)(struct store *s, uint64_t campaign, struct text number, uint64_t *leads,
                      size_t *n);
    /* trunk_config, agent_config, campaign_config, then open_attempt and open_leg; not `loaded`.
     * kind 0: everything, else id 0 all of the kind. Zones are resolved for now_wall_ms. */
    int (*load)(struct store *s, uint8_t kind, uint64_t id, int64_t now_wall_ms, store_sink sink,
                void *ctx);
    /* Everything but client, request and reply_to. */
    int (*explain_lead)(struct store *s, uint64_t lead, int64_t now_wall_ms,
                        struct msg_explain_lead *out);

    /* --- the operator ----------------------------------------------------------------------------
     */

    int (*campaign_add)(struct store *s, const struct store_by *by,
                        const struct msg_campaign_config *c, uint64_t *id);
    int (*campaign_put)(struct store *s, const struct msg_campaign_config *c);
    int (*trunk_add)(struct store *s, const struct store_by *by, const struct msg_trunk_config *t,
                     uint64_t *id);
    int (*trunk_put)(struct store *s, const struct msg_trunk_config *t);
    int (*agent_add)(struct store *s, const struct store_by *by, const struct msg_agent_config *a,
                     uint8_t role, struct text hash, uint64_t *id);
    int (*agent_put)(struct store *s, const struct msg_agent_config *a);
    int (*agent_password)(struct store *s, const struct store_by *by, uint64_t agent,
                          struct text hash);
    /* Makes the agent a member of the campaign and puts it to work there (0: nowhere). */
    int (*agent_assign)(struct store *s, const struct store_by *by, uint64_t agent,
                        uint64_t campaign);
    int (*list_add)(struct store *s, const struct store_by *by, const struct store_list *list,
                    uint64_t *id);
    int (*list_put)(struct store *s, const struct store_list *list);
    int (*lists)(struct store *s, uint64_t list, uint64_t campaign, store_each_list each,
                 void *ctx);
    int (*pbx_put)(struct store *s, uint32_t pbx, struct text name);
    int (*login)(struct store *s, uint64_t account, struct text login, struct store_login *out);
    /* Sessions of the page, by the digest of their token. A save throws away what is over. */
    int (*session_save)(struct store *s, const struct msg_session_save *m, int64_t now_wall_ms);
    /* STORE_NOT_FOUND: unknown, over, or its agent is disabled. Everything but request, result. */
    int (*session_find)(struct store *s, struct text digest, int64_t now_wall_ms,
                        struct msg_session_known *out);
    int (*session_end)(struct store *s, const struct msg_session_end *m);
    int (*dispositions)(struct store *s, uint64_t account, store_each_disposition each, void *ctx);
    int (*unsuppress)(struct store *s, const struct store_by *by, uint64_t account,
                      struct text number);
    /* Numbers after `after`, at most `limit`. */
    int (*suppressed)(struct store *s, uint64_t account, struct text after, uint32_t limit,
                      store_each_number each, void *ctx);
    int (*audit)(struct store *s, const struct store_audit *rows, size_t n);
    /* The newest first, older than id `before` (0: from the newest). */
    int (*audits)(struct store *s, uint64_t before, uint32_t limit, store_each_audit each,
                  void *ctx);
    /* Starts an alarm (nothing if it stands already) or ends it; ending "" ends all. */
    int (*alarm)(struct store *s, struct text code, struct text subject, struct text text,
                 bool stands, int64_t at_wall_ms);
    int (*alarms)(struct store *s, bool standing_only, uint32_t limit, store_each_alarm each,
                  void *ctx);

    /* The import with this key into this list: a new one, or the one that was cut off. */
    int (*import_begin)(struct store *s, const struct store_by *by, uint64_t list, struct text key,
                        uint64_t *import);
    /* Adds to count. One transaction; n may be up to STORE_BATCH_MAX * 16. The time tells the runs
     * of an import apart: the same one for all batches of a run. */
    int (*leads_insert)(struct store *s, uint64_t list, uint64_t import, int64_t now_wall_ms,
                        const struct store_lead *leads, size_t n, struct store_import_count *count);
    /* What leads_insert would find in an import with this key, lead by lead: each is compared with
     * the list, not with the others. Only reads. n as above. */
    int (*leads_look)(struct store *s, uint64_t list, struct text key,
                      const struct store_lead *leads, size_t n, struct store_lead_look *out);
    int (*lead_read)(struct store *s, uint64_t lead, struct store_lead_state *out);
    /* Claimed in [from, to), in that order; lead 0: of all. *n: most in, given out. */
    int (*calls)(struct store *s, int64_t from_ms, int64_t to_ms, uint64_t lead,
                 struct store_cursor *at, size_t *n, store_each_call each, void *ctx);
    /* Intervals that begin in [from, to), agent by agent. */
    int (*agent_times)(struct store *s, int64_t from_ms, int64_t to_ms, struct store_cursor *at,
                       size_t *n, store_each_time each, void *ctx);
    /* Legs claimed in [from, to), in that order. */
    int (*legs)(struct store *s, int64_t from_ms, int64_t to_ms, struct store_cursor *at, size_t *n,
                store_each_leg each, void *ctx);
    /* Leads made in [from, to). */
    int (*leads)(struct store *s, int64_t from_ms, int64_t to_ms, struct store_cursor *at,
                 size_t *n, store_each_lead each, void *ctx);
};

struct store {
    const struct store_ops *ops;
    char error[256]; /* of the last operation that was not STORE_OK: a sentence for people */
};

/* --- settings: one table, used by the command line, the page and the API ------------------------
 */

enum store_setting_type {
    SETTING_TEXT,
    SETTING_UINT,
    SETTING_FLOAT,
    SETTING_FLAG,   /* on, off */
    SETTING_MODE,   /* enum campaign_mode by name */
    SETTING_LEG,    /* auto, permanent, on_demand */
    SETTING_PHONE,  /* desk, softphone, browser */
    SETTING_EXPIRY, /* enum preview_expiry: dial, not_ready */
    SETTING_MINUTE, /* HH:MM */
    SETTING_NUMBER, /* E.164 or empty */
    SETTING_PREFIXES,
    SETTING_ZONE,
    SETTING_DIAL, /* dial string */
    SETTING_COUNTRY,
    SETTING_TEMPLATE, /* dial string with {number} in it, once */
};

struct store_setting {
    const char *name; /* as in `dialerctl campaign set 1 ring=30` */
    const char *sentence;
    uint8_t type;    /* enum store_setting_type */
    uint8_t width;   /* bytes of a SETTING_UINT */
    uint16_t offset; /* in the struct */
    double min, max; /* SETTING_TEXT: bytes */
};

/* kind: KIND_CAMPAIGN, KIND_TRUNK, KIND_AGENT, or 0 for lists. */
const struct store_setting *store_settings(unsigned kind, size_t *n);

/* New things start with these. */
void store_campaign_defaults(struct msg_campaign_config *c);
void store_trunk_defaults(struct msg_trunk_config *t);
void store_agent_defaults(struct msg_agent_config *a);

/* Puts a value given as text into the struct, checked. The struct keeps pointing at value's bytes.
 * STORE_INVALID: `why` says what is wrong, with the nearest known name. */
int store_setting_parse(unsigned kind, void *config, struct text name, struct text value, char *why,
                        size_t why_size);
/* The value as text. */
void store_setting_format(const struct store_setting *setting, const void *config, char *out,
                          size_t size);

/* Changes settings of one thing in one transaction, with an audit row for each that differs. */
int store_set(struct store *s, const struct store_by *by, unsigned kind, uint64_t id,
              const struct text *names, const struct text *values, size_t n, char *why,
              size_t why_size);

#endif
