/*
 * service.h - the store as an endpoint of the bus: one thread, one handle, transactions as large as
 * what has arrived.
 *
 * Whatever arrives while a transaction is on its way becomes the next one: records first, in the
 * order of their arrival (what a claim depends on has then been told), then claims and legs; one
 * commit for all; then the answers, with their permits. Alone, a claim waits for nobody.
 *
 * While the store is away: new claims are refused at once (store_away). Records, legs and
 * dispositions go to the journal on this machine's disk, one fdatasync for whatever has arrived,
 * and are answered then: a disposition that was acknowledged is in the store or there. When the
 * store is back, or at the next start, the journal is brought in first, in order, before the store
 * counts as up: a claim sees everything that was told before it. Bringing in twice changes nothing.
 * Without a journal, or while its disk fails, they wait in memory, unanswered; past a bound the
 * service stops taking mail, and the bus keeps it. What was under way when the connection broke is
 * asked again: the store answers the same.
 *
 * Life, by the shell's thread: service_open (before pool_start), service_start, service_stop,
 * service_close (after pool_stop).
 */
#ifndef ADAPTERS_STORE_SERVICE_H
#define ADAPTERS_STORE_SERVICE_H

#include "adapters/secret/secret.h"
#include "adapters/store/store.h"
#include "core/endpoint.h"

struct metrics;
struct sent;
struct service;

struct service_options {
    struct pool *pool;
    const struct message_catalogue *catalogue;
    const struct store_driver *driver;
    struct store_options store;   /* copied; its texts must live as long as the service */
    const struct secret_key *key; /* of the permits, shared with the telephony adapter; copied */
    struct metrics *metrics;      /* NULL: none */
    size_t backlog_bytes;         /* messages kept in memory at most; 0: 64 MB */
    const char *journal;          /* file of the journal, NULL: none; copied */
    uint64_t journal_size;        /* bytes it may take */
    struct sent *sent;            /* what left for an Asterisk; NULL: nobody knows */
    /* All of these come from the service's thread. */
    void (*on_ready)(void *ctx, uint16_t node); /* first connection: the shell may send `begin` */
    void (*on_held)(void *ctx, const char *sentence); /* R27; the service tries no more */
    void (*log)(void *ctx, int level, const char *code, const char *text); /* 0 debug .. 3 error */
    void *ctx;
};

/* NULL with a sentence. */
struct service *service_open(const struct service_options *options, char *why, size_t why_size);
/* 0 or -1. The thread connects by itself; an absent store is no error. */
int service_start(struct service *s);
/* Takes what has arrived, writes it if the store is there, ends the thread. Idempotent. */
void service_stop(struct service *s);
/* NULL is fine. */
void service_close(struct service *s);

#endif
