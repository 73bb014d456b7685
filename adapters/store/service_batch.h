/*
 * service_batch.h - one transaction of the service: what goes in, what is answered. Inside the
 * service only.
 */
#ifndef ADAPTERS_STORE_SERVICE_BATCH_H
#define ADAPTERS_STORE_SERVICE_BATCH_H

#include "adapters/store/service.h"
#include "adapters/store/service_queue.h"
#include "core/metric.h"

struct service_batch {
    struct store *store;
    const struct message_catalogue *catalogue;
    const struct secret_key *key;
    struct endpoint *endpoint;
    struct metric_set *metrics; /* may be NULL */
    void (*log)(void *ctx, int level, const char *code, const char *text);
    void *log_ctx;
    struct queue records, claims, legs;
    struct queue replay; /* out of the journal */
    unsigned replay_tries;
    uint64_t sent_suppressed;
    /* scratch of the running transaction */
    char *scratch; /* STORE_BATCH_MAX structs of any type in `records`, `claims`, `legs` */
    struct msg_claimed claimed[STORE_BATCH_MAX];
    struct msg_leg_claimed leg_claimed[STORE_BATCH_MAX];
    struct msg_disposed disposed[STORE_BATCH_MAX];
    struct msg_lead_settled settled[STORE_BATCH_MAX];
    uint8_t over[STORE_BATCH_MAX]; /* results nobody waits for */
};

int batch_init(struct service_batch *b);
void batch_fini(struct service_batch *b);

bool batch_takes(uint16_t type);
/* Into its queue; -1 without memory. */
int batch_put(struct service_batch *b, handle from, uint16_t type, const void *msg);
static inline size_t batch_waiting(const struct service_batch *b)
{
    return b->records.n + b->claims.n + b->legs.n;
}
static inline size_t batch_bytes(const struct service_batch *b)
{
    return b->records.bytes + b->claims.bytes + b->legs.bytes;
}

/* Carries out as much as fits into one transaction and answers. STORE_OK, or STORE_AWAY (or FAULT)
 * with everything still in its queue. */
int batch_run(struct service_batch *b);

/* Carries out b->replay, all of it, in one transaction or, where the store takes one of them for
 * nothing, one by one. *refused: how many it took for nothing. STORE_OK or STORE_AWAY. */
int batch_replay(struct service_batch *b, uint64_t *refused);

/* Refuses a claim, a leg or the choice of a lead without asking the store. */
void batch_refuse(struct endpoint *endpoint, handle from, uint16_t type, const void *msg);

#endif
