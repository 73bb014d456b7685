/*
 * service_int.h - the service's insides, as its own files see them.
 *
 *   service.c        the thread: mail, connection, leases
 *   service_ask.c    questions: loads, candidates, recycling, logins, sessions
 *   service_batch.c  one transaction for whatever has arrived
 *   service_keep.c   the journal: what is promised while the store is away
 */
#ifndef ADAPTERS_STORE_SERVICE_INT_H
#define ADAPTERS_STORE_SERVICE_INT_H

#include "adapters/store/service_batch.h"
#include "adapters/store/service_keep.h"

#include <pthread.h>
#include <stdatomic.h>

#define CAMPAIGNS_MAX 1024
#define CANDIDATES_MAX 10000

struct service {
    struct service_batch batch;
    struct keeper keep;
    struct queue asks; /* loads, candidates, logins...: what changes nothing, or may wait */
    const struct message_catalogue *catalogue;
    struct secret_key key;
    struct store *store;
    struct endpoint *endpoint;
    size_t backlog_bytes;
    void (*on_ready)(void *ctx, uint16_t node);
    void (*on_held)(void *ctx, const char *sentence);
    void *ctx;
    bool own;
    uint16_t node;

    /* A server that is gone without a word keeps connect() waiting for seconds: a thread of its own
     * waits, so that the journal goes on. While it runs nobody else touches `store`. */
    pthread_t connector;
    bool connecting;
    atomic_bool connected;
    int connect_result;
    struct store_installation installation;

    int wake_fd;
    pthread_t thread;
    bool running;
    atomic_bool stop;

    bool linked; /* connected; up is told when the journal has been brought in */
    bool up, told_up, told, ready, held;
    bool more_mail; /* the last look did not see the end of it */
    bool starved;   /* a message could not be copied: it stays with the endpoint, tried again */
    int64_t apart_ms, told_apart_ms;
    int64_t retry_us, backoff_us;
    int64_t held_us; /* since when another one has the store; 0: none has */
    int64_t renew_us, ping_us, window_us;
    uint64_t campaigns[CAMPAIGNS_MAX]; /* loaded ones: their windows are told from time to time */
    struct text zone[CAMPAIGNS_MAX];
    size_t n_campaigns;
    uint64_t rows[CANDIDATES_MAX];
};

/* --- service_ask.c: STORE_OK, STORE_AWAY (ask again), or what is wrong with it */
bool service_asks(uint16_t type);
int service_ask(struct service *s, const struct item *it);
/* What somebody waits for, and what makes no sense to keep: answered without the store. */
bool service_answer_away(struct service *s, handle from, uint16_t type, const void *msg);
/* Tells the abandonment of the i-th campaign. */
int service_tell_window(struct service *s, size_t i);

#endif
