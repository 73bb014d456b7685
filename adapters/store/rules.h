/*
 * rules.h - what the store decides, apart from how it is stored: the same for SQL and the model.
 */
#ifndef ADAPTERS_STORE_RULES_H
#define ADAPTERS_STORE_RULES_H

#include "adapters/store/store.h"
#include "core/hours.h"

#define DAY_MS INT64_C(86400000)
#define DAILY_LIMIT 3 /* R11: automatic attempts to a number in 24 h */
/* A row that used its attempts waits until the setting changes. */
#define DUE_NEVER INT64_C(4000000000000000)
/* Rows of one recycling: more would keep claims waiting, what is left comes with the next one. */
#define RECYCLE_MAX 2000
/* A number that is being called: look again after so long. */
#define ALIVE_AGAIN_MS 10000
#define MANUAL_LIST "manual"

/* What is known of a row and its number when a claim is decided. */
struct claim_facts {
    bool found;        /* the row exists, and nobody else has its lock */
    bool leased;       /* the lease is ours, in the epoch asked for, and lasts */
    uint64_t campaign; /* of the row's list */
    bool list_active;
    bool list_manual;
    uint8_t status;
    bool final;
    bool callback;
    int64_t due_ms;
    uint32_t attempts;
    struct text number;
    bool suppressed;
    bool alive;           /* an attempt to the number has not ended, in the account */
    int64_t last_ms;      /* end of the last attempt to the number in this campaign, 0 none */
    uint32_t day;         /* automatic attempts to the number in 24 h, in the account */
    int64_t day_first_ms; /* when the first of those was claimed */
    bool own_zone;        /* the callee's, by callee_zone(); else the campaign's binds */
    struct zone_now zone;
};

/* allow, or the reason; *due_ms: when it may go, 0 unknown. */
enum reason claim_decide(const struct msg_claim *req, const struct claim_facts *f, int64_t *due_ms);

/* What the claim does to its row, if it is allowed. */
struct row_step claim_step(const struct msg_claim *req, const struct claim_facts *f);
/* What its refusal does; only an automatic one does anything. `due_ms` is claim_decide's. */
struct claim_effect {
    struct row_step row;
    int64_t due_ms;
};
struct claim_effect claim_refused(const struct msg_claim *req, const struct claim_facts *f,
                                  enum reason reason, int64_t due_ms);

/* Until when a row waits that an ended attempt leaves. One that goes back as it came keeps the time
 * it had: somebody may have been promised it, and an agent tried sooner. */
int64_t over_due(const struct msg_attempt_over *m, int64_t due_ms);

/* What a disposition does. */
struct dispose_facts {
    bool found;
    uint64_t agent;          /* who had the call */
    struct text disposition; /* it has already, empty none */
    bool by_system;          /* and the system set it */
    uint8_t row_status;
    bool row_final;
    bool superseded; /* the row has a later attempt */
    bool counts;     /* the attempt as it counts now */
    int64_t callback_ms;
    struct store_disposition d;                  /* the one asked for; code empty: unknown */
    int64_t no_answer_s, busy_s, not_disposed_s; /* the campaign's delays */
};

struct dispose_effect {
    uint8_t result;      /* enum result */
    const char *text;    /* a sentence when refused */
    bool repeated;       /* it is so already: nothing to do */
    struct row_step row; /* does not move: a late word about what the row has left behind */
    bool callback;
    int64_t due_ms;
    int attempts; /* to be added to the row's */
};
struct dispose_effect dispose_decide(const struct msg_dispose *req, const struct dispose_facts *f);
/* Who does not want to be called is not called by the lead's own number either, if an agent had
 * typed another (R14 takes the two for one callee). */
void say_suppressed(struct msg_disposed *out, struct text called, struct text own);

/* --- while the store is away: what goes into the journal, and what may be promised then ---------
 */

/* Told once, must not be lost: kept, in order, until the store has it. */
bool away_keeps(uint16_t type);
/* How many fields such a message has had since there is a journal: a program that wrote it may have
 * known no more. What was added since is zero or empty when it is not known; 0: not kept. */
unsigned away_fields(uint16_t type);

struct away_dispose {
    uint8_t result;         /* enum result */
    const char *text;       /* a sentence when refused */
    bool repeated;          /* promised already: nothing to keep */
    struct text suppressed; /* binds at once, empty none */
};
/* A disposition may be promised only if the store will take it: by the agent who had the call (its
 * actor names the number of its last call and of no other), with a code that exists (d, NULL:
 * unknown) and not after another (earlier, promised while away; empty none). */
struct away_dispose away_dispose_decide(const struct msg_dispose *req,
                                        const struct store_disposition *d, struct text earlier);

/* The last ten digits of an E.164 number as one (R14). */
int64_t number_tail(struct text number);
/* + and 7 to 15 digits, the first not 0. */
bool number_valid(struct text number);

/* R17: the first zone that is not empty, the lead's or its list's, and what its clocks do now.
 * false: neither has one. */
bool callee_zone(struct text lead_zone, struct text list_zone, int64_t now_wall_ms,
                 struct zone_now *out);
/* Is the campaign's window open for a list's leads that have no zone of their own? When not, its
 * candidates are only those that have one, and *opens_wall_ms is when that ends. */
bool list_open(const struct msg_candidates *req, struct text list_zone, int64_t *opens_wall_ms);
/* Puts offset, until and next offset of the first zone that is not empty (lead's, list's) into the
 * answer; none: own_zone stays false. */
void claim_zone(struct text lead_zone, struct text list_zone, int64_t now_wall_ms,
                struct msg_claimed *out);
void config_zone(struct msg_campaign_config *c, int64_t now_wall_ms);

static inline bool text_same(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || __builtin_memcmp(a.ptr, b.ptr, a.len) == 0);
}
struct text text_from(const char *s);

#endif
