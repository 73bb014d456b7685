/*
 * service_batch.c - see service_batch.h.
 */
#include "adapters/store/service_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/store/rules.h"
#include "core/crash.h"
#include "core/mutant.h"

/* A record the store cannot take, though it takes others, must not keep those waiting for ever. */
#define TRIES_MAX 5

#define SCRATCH_STRUCT 256

_Static_assert(sizeof(struct msg_claim) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_attempt_over) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_attempt_moved) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_dispose) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_leg_claim) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_agent_moved) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_leg_over) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_alarm_moved) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_suppress) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_settle_lead) <= SCRATCH_STRUCT, "scratch");

int batch_init(struct service_batch *b)
{
    b->scratch = malloc((size_t)STORE_BATCH_MAX * SCRATCH_STRUCT);
    return b->scratch ? 0 : -1;
}

void batch_fini(struct service_batch *b)
{
    queue_drop(&b->records, b->records.n);
    queue_drop(&b->claims, b->claims.n);
    queue_drop(&b->legs, b->legs.n);
    queue_drop(&b->replay, b->replay.n);
    free(b->scratch);
}

bool batch_takes(uint16_t type)
{
    return away_keeps(type) || type == MSG_claim || type == MSG_settle_lead;
}

int batch_put(struct service_batch *b, handle from, uint16_t type, const void *msg)
{
    struct queue *q = type == MSG_claim       ? &b->claims
                      : type == MSG_leg_claim ? &b->legs
                                              : &b->records;

    return queue_put(q, b->catalogue, from, type, msg);
}

static void count(struct service_batch *b, const char *name, const char *label, int64_t add)
{
    if (b->metrics && add)
        metric_add(b->metrics, name, label, 0, add);
}

static size_t size_of(uint16_t type)
{
    switch (type) {
    case MSG_attempt_moved:
        return sizeof(struct msg_attempt_moved);
    case MSG_attempt_over:
        return sizeof(struct msg_attempt_over);
    case MSG_leg_over:
        return sizeof(struct msg_leg_over);
    case MSG_agent_moved:
        return sizeof(struct msg_agent_moved);
    case MSG_dispose:
        return sizeof(struct msg_dispose);
    case MSG_suppress:
        return sizeof(struct msg_suppress);
    case MSG_leg_claim:
        return sizeof(struct msg_leg_claim);
    case MSG_alarm_moved:
        return sizeof(struct msg_alarm_moved);
    case MSG_settle_lead:
        return sizeof(struct msg_settle_lead);
    default:
        return sizeof(struct msg_claim);
    }
}

/* Items of one type, one behind the other, as the store takes them. Returns how many. */
static size_t gather(struct service_batch *b, const struct item *it, size_t most)
{
    uint16_t type = it->type;
    size_t size = size_of(type), n = 0;

    for (; it && it->type == type && n < most; it = it->next, n++)
        memcpy(b->scratch + n * size, it->msg, size);
    return n;
}

static int run_alarms(struct service_batch *b, const struct msg_alarm_moved *m, size_t n)
{
    int rc = STORE_OK;
    size_t i;

    for (i = 0; i < n && rc == STORE_OK; i++)
        rc = b->store->ops->alarm(b->store, m[i].code, m[i].subject, m[i].text, m[i].stands,
                                  m[i].stands ? m[i].started_wall_ms : m[i].ended_wall_ms);
    return rc;
}

static int run_records(struct service_batch *b, uint16_t type, size_t at, size_t n)
{
    const struct store_ops *ops = b->store->ops;
    const void *req = b->scratch;

    switch (type) {
    case MSG_attempt_moved:
        return ops->attempt_moved(b->store, req, n);
    case MSG_attempt_over:
        return ops->attempt_over(b->store, req, n, &b->over[at]);
    case MSG_leg_over:
        return ops->leg_over(b->store, req, n);
    case MSG_agent_moved:
        return ops->agent_moved(b->store, req, n);
    case MSG_dispose:
        return ops->dispose(b->store, req, n, &b->disposed[at]);
    case MSG_leg_claim: /* out of the journal: behind the others it has its own queue */
        return ops->leg_claim(b->store, req, n, b->leg_claimed);
    case MSG_alarm_moved:
        return run_alarms(b, req, n);
    case MSG_settle_lead:
        return ops->settle(b->store, req, n, &b->settled[at]);
    default:
        return ops->suppress(b->store, req, n);
    }
}

/* How much of each queue one transaction carries out. */
struct share {
    size_t records, claims, legs;
};

static int run_queue(struct service_batch *b, const struct item *it, size_t most)
{
    size_t at = 0, n, k;
    int rc = STORE_OK;

    while (at < most && rc == STORE_OK) {
        n = gather(b, it, most - at);
        rc = run_records(b, it->type, at, n);
        for (k = 0; k < n; k++)
            it = it->next;
        at += n;
    }
    return rc;
}

static int run_all(struct service_batch *b, const struct share *s)
{
    size_t n;
    int rc = run_queue(b, b->records.head, s->records);

    if (rc == STORE_OK && s->legs > 0) {
        n = gather(b, b->legs.head, s->legs);
        rc = b->store->ops->leg_claim(b->store, (const void *)b->scratch, n, b->leg_claimed);
    }
    if (rc == STORE_OK && s->claims > 0) {
        n = gather(b, b->claims.head, s->claims);
        rc = b->store->ops->claim(b->store, (const void *)b->scratch, n, b->claimed);
    }
    return rc;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void answer_record(struct service_batch *b, const struct item *it, size_t at)
{
    if (it->type == MSG_dispose) {
        struct msg_disposed *out = &b->disposed[at];
        endpoint_send(b->endpoint, it->from, MSG_disposed, out);
        for (int i = 0; i < 2 && out->result == RESULT_OK; i++) {
            struct msg_suppressed m = {.account = STORE_ACCOUNT,
                                       .number = i ? out->suppressed_own : out->suppressed};
            if (m.number.len)
                endpoint_send(b->endpoint, ADDR_DESK, MSG_suppressed, &m);
        }
    } else if (it->type == MSG_settle_lead) {
        endpoint_send(b->endpoint, it->from, MSG_lead_settled, &b->settled[at]);
    } else if (it->type == MSG_suppress) {
        const struct msg_suppress *m = (const void *)it->msg;
        struct msg_suppressed out = {.account = m->account, .number = m->number};
        endpoint_send(b->endpoint, ADDR_DESK, MSG_suppressed, &out);
    }
}

static void answer_claim(struct service_batch *b, const struct item *it, struct msg_claimed *out)
{
    if (out->reason == REASON_allow)
        out->permit = secret_permit(b->key, out->attempt, out->number);
    count(b, "store_claims_total", reason_name(out->reason), 1);
    endpoint_send(b->endpoint, it->from, MSG_claimed, out);
}

static void answer_leg(struct service_batch *b, const struct item *it, struct msg_leg_claimed *out)
{
    const struct msg_leg_claim *m = (const void *)it->msg;

    if (out->result == RESULT_OK)
        out->permit = secret_permit(b->key, m->leg, m->endpoint);
    endpoint_send(b->endpoint, it->from, MSG_leg_claimed, out);
}

static void answer_all(struct service_batch *b, const struct share *s)
{
    const struct item *it;
    size_t i;

    for (i = 0, it = b->records.head; i < s->records; i++, it = it->next)
        answer_record(b, it, i);
    for (i = 0, it = b->legs.head; i < s->legs; i++, it = it->next)
        answer_leg(b, it, &b->leg_claimed[i]);
    for (i = 0, it = b->claims.head; i < s->claims; i++, it = it->next)
        answer_claim(b, it, &b->claimed[i]);
    count(b, "store_records_total", NULL, (int64_t)s->records);
    queue_drop(&b->records, s->records);
    queue_drop(&b->legs, s->legs);
    queue_drop(&b->claims, s->claims);
}

void batch_refuse(struct endpoint *endpoint, handle from, uint16_t type, const void *msg)
{
    if (type == MSG_claim) {
        const struct msg_claim *m = msg;
        struct msg_claimed out = {.campaign = m->campaign,
                                  .row = m->row,
                                  .attempt = m->attempt,
                                  .number = m->number,
                                  .lead = m->lead,
                                  .reason = REASON_store_away};
        endpoint_send(endpoint, from, MSG_claimed, &out);
    } else if (type == MSG_leg_claim) {
        const struct msg_leg_claim *m = msg;
        struct msg_leg_claimed out = {.leg = m->leg, .result = RESULT_AWAY};
        endpoint_send(endpoint, from, MSG_leg_claimed, &out);
    } else if (type == MSG_settle_lead) {
        const struct msg_settle_lead *m = msg;
        struct msg_lead_settled out = {
            .attempt = m->attempt,
            .lead = m->lead,
            .client = m->client,
            .request = m->request,
            .result = RESULT_AWAY,
            .text = text_from("the store is away: choose once more when it is back")};
        endpoint_send(endpoint, from, MSG_lead_settled, &out);
    }
}

/* The store takes everything but this one: whoever waits for it gets a no. */
static void give_up(struct service_batch *b, struct queue *q)
{
    const struct item *it = q->head;
    char text[400];

    snprintf(text, sizeof text, "a record of type %u was refused for good: %s", it->type,
             b->store->error);
    b->log(b->log_ctx, 3, "DLR-STORE-REFUSED", text);
    count(b, "store_refused_total", NULL, 1);
    if (it->type == MSG_dispose) {
        const struct msg_dispose *m = (const void *)it->msg;
        b->disposed[0] = (struct msg_disposed){.attempt = m->attempt,
                                               .code = m->code,
                                               .request = m->request,
                                               .client = m->client,
                                               .result = RESULT_INVALID,
                                               .text = text_from("the store refused it")};
        answer_record(b, it, 0);
    } else {
        batch_refuse(b->endpoint, it->from, it->type, it->msg);
    }
    queue_drop(q, 1);
}

/* --- running ---------------------------------------------------------------------------------- */

static bool has_disposition(const struct service_batch *b, const struct share *s)
{
    const struct item *it = b->records.head;
    size_t i;

    for (i = 0; i < s->records && it->type != MSG_dispose; i++)
        it = it->next;
    return i < s->records;
}

/* What a broken daemon says of a transaction that it has not committed yet. */
static bool promised(struct service_batch *b, const struct share *s, bool disposed)
{
    if (!(MUTANT(claim_after_originate) && s->claims > 0) &&
        !(MUTANT(lost_disposition) && disposed))
        return false;
    answer_all(b, s);
    endpoint_flush(b->endpoint);
    mutant_dawdle();
    return true;
}

static int run_share(struct service_batch *b, const struct share *s)
{
    const bool disposed = has_disposition(b, s);
    bool answered;
    int rc = b->store->ops->begin(b->store);

    if (rc != STORE_OK)
        return rc;
    rc = run_all(b, s);
    answered = rc == STORE_OK && promised(b, s, disposed);
    CRASH_POINT_IF(s->claims > 0, claim_before);
    CRASH_POINT_IF(disposed, dispose_before);
    if (rc == STORE_OK)
        rc = b->store->ops->commit(b->store);
    else
        b->store->ops->rollback(b->store);
    CRASH_POINT_IF(s->claims > 0, claim_after);
    CRASH_POINT_IF(disposed, dispose_after);
    if (answered)
        return STORE_OK; /* whatever became of it */
    if (rc == STORE_OK)
        answer_all(b, s);
    return rc;
}

/* One of the batch was refused, and with it all: one after the other, to find it. */
static int run_singly(struct service_batch *b, struct share s)
{
    struct share one = {0};
    struct queue *q;
    int rc = STORE_OK;

    while (s.records + s.claims + s.legs > 0) {
        one = (struct share){.records = s.records > 0};
        one.legs = !one.records && s.legs > 0;
        one.claims = !one.records && !one.legs;
        q = one.records ? &b->records : one.legs ? &b->legs : &b->claims;
        rc = run_share(b, &one);
        if (rc == STORE_AWAY || (rc == STORE_FAULT && ++q->head->tries < TRIES_MAX))
            return rc;
        if (rc != STORE_OK)
            give_up(b, q);
        s.records -= one.records;
        s.legs -= one.legs;
        s.claims -= one.claims;
    }
    return STORE_OK;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static size_t at_most(size_t n)
{
    return n < STORE_BATCH_MAX ? n : STORE_BATCH_MAX;
}

int batch_run(struct service_batch *b)
{
    struct share s = {at_most(b->records.n), at_most(b->claims.n), at_most(b->legs.n)};
    size_t size = s.records + s.claims + s.legs;
    int64_t start = now_us();
    int rc;

    if (size == 0)
        return STORE_OK;
    rc = run_share(b, &s);
    if (rc != STORE_OK && rc != STORE_AWAY)
        rc = run_singly(b, s);
    if (b->metrics && rc == STORE_OK) {
        metric_observe(b->metrics, "store_transaction_us", NULL, 0, now_us() - start);
        metric_observe(b->metrics, "store_transaction_size", NULL, 0, (int64_t)size);
    }
    return rc;
}

/* --- out of the journal ----------------------------------------------------------------------- */

static int replay_some(struct service_batch *b, const struct item *first, size_t n)
{
    int rc = b->store->ops->begin(b->store);

    if (rc != STORE_OK)
        return rc;
    rc = run_queue(b, first, n);
    if (rc == STORE_OK)
        return b->store->ops->commit(b->store);
    b->store->ops->rollback(b->store);
    return rc;
}

/* The call or leg that a record is about; empty: neither. */
static struct text id_of(const struct message_desc *desc, const struct item *it)
{
    const struct message_field *field = desc->fields();

    for (size_t i = 0; i < desc->n_fields; i++)
        if (field[i].type == FIELD_TEXT &&
            (strcmp(field[i].name, "attempt") == 0 || strcmp(field[i].name, "leg") == 0))
            return *(const struct text *)(const void *)((const char *)it->msg + field[i].offset);
    return (struct text){"", 0};
}

static void say_refused(struct service_batch *b, const struct item *it, const char *why)
{
    const struct message_desc *desc = message_find(b->catalogue, it->type);
    const struct text id = id_of(desc, it);
    char text[400];

    snprintf(text, sizeof text, "%s %.*s, kept while the store was away: %s", desc->name,
             (int)id.len, id.ptr, why);
    b->log(b->log_ctx, 3, "DLR-JOURNAL-REFUSED", text);
}

/* A disposition was promised to its agent; the system's own was not. */
static uint64_t broken_promises(struct service_batch *b, const struct item *it, size_t n)
{
    uint64_t broken = 0;
    size_t i;

    for (i = 0; i < n; i++, it = it->next) {
        const struct msg_dispose *m = (const void *)it->msg;
        if (it->type != MSG_dispose || m->client == 0 || b->disposed[i].result == RESULT_OK)
            continue;
        say_refused(b, it, b->disposed[i].text.len ? b->disposed[i].text.ptr : "refused");
        broken++;
    }
    return broken;
}

int batch_replay(struct service_batch *b, uint64_t *refused)
{
    struct item *it = b->replay.head;
    size_t n = b->replay.n;
    int rc = n > 0 ? replay_some(b, it, n) : STORE_OK;

    *refused = 0;
    if (rc == STORE_OK && n > 0)
        *refused = broken_promises(b, it, n);
    if (rc == STORE_OK || rc == STORE_AWAY)
        return rc;
    for (; it; it = it->next) {
        rc = replay_some(b, it, 1);
        if (rc == STORE_AWAY || (rc == STORE_FAULT && ++b->replay_tries < TRIES_MAX))
            return STORE_AWAY;
        if (rc == STORE_OK)
            *refused += broken_promises(b, it, 1);
        else
            say_refused(b, it, b->store->error);
        *refused += rc != STORE_OK;
    }
    b->replay_tries = 0;
    return STORE_OK;
}
