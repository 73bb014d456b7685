/*
 * service_batch.c - see service_batch.h.
 */
#include "adapters/store/service_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/store/rules.h"

/* A record the store cannot take, though it takes others, must not keep those waiting for ever. */
#define TRIES_MAX 5

#define SCRATCH_STRUCT 256

_Static_assert(sizeof(struct msg_claim) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_attempt_over) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_attempt_moved) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_dispose) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_leg_claim) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_agent_moved) <= SCRATCH_STRUCT, "scratch");
_Static_assert(sizeof(struct msg_suppress) <= SCRATCH_STRUCT, "scratch");

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
    free(b->scratch);
}

static bool is_record(uint16_t type)
{
    switch (type) {
    case MSG_attempt_moved:
    case MSG_attempt_over:
    case MSG_leg_over:
    case MSG_agent_moved:
    case MSG_dispose:
    case MSG_suppress:
        return true;
    default:
        return false;
    }
}

bool batch_takes(uint16_t type)
{
    return is_record(type) || type == MSG_claim || type == MSG_leg_claim;
}

int batch_put(struct service_batch *b, const struct message_catalogue *catalogue, handle from,
              uint16_t type, const void *msg)
{
    struct queue *q = type == MSG_claim       ? &b->claims
                      : type == MSG_leg_claim ? &b->legs
                                              : &b->records;

    return queue_put(q, catalogue, from, type, msg);
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
    default:
        return ops->suppress(b->store, req, n);
    }
}

/* How much of each queue one transaction carries out. */
struct share {
    size_t records, claims, legs;
};

static int run_all(struct service_batch *b, const struct share *s)
{
    const struct item *it = b->records.head;
    size_t at = 0, n, k;
    int rc = STORE_OK;

    while (at < s->records && rc == STORE_OK) {
        n = gather(b, it, s->records - at);
        rc = run_records(b, it->type, at, n);
        for (k = 0; k < n; k++)
            it = it->next;
        at += n;
    }
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
        if (out->result == RESULT_OK && out->suppressed.len) {
            struct msg_suppressed m = {.account = STORE_ACCOUNT, .number = out->suppressed};
            endpoint_send(b->endpoint, ADDR_DESK, MSG_suppressed, &m);
        }
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

static int run_share(struct service_batch *b, const struct share *s)
{
    int rc = b->store->ops->begin(b->store);

    if (rc != STORE_OK)
        return rc;
    rc = run_all(b, s);
    if (rc == STORE_OK)
        rc = b->store->ops->commit(b->store);
    else
        b->store->ops->rollback(b->store);
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
