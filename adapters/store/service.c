/*
 * service.c - the service's thread: mail, connection, leases, questions. The others are in
 * service_int.h.
 */
#include "adapters/store/service.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "adapters/store/rules.h"
#include "adapters/store/service_int.h"
#include "core/pool.h"

#define RENEW_US (1500 * US_PER_MS)
#define PING_US (5 * US_PER_S)
#define WINDOW_US (60 * US_PER_S)
#define BACKOFF_MIN_US (100 * US_PER_MS)
#define BACKOFF_MAX_US (5 * US_PER_S)
#define HELD_WAIT_US (3 * US_PER_S)
#define BACKLOG_BYTES ((size_t)64 << 20)
#define SILENCE_MS 100
#define STARVED_MS 20
#define LAST_WORDS_US (2 * US_PER_S)

static void say(const struct service *s, int level, const char *code, const char *text)
{
    s->batch.log(s->batch.log_ctx, level, code, text);
}

/* --- the state of the connection -------------------------------------------------------------- */

static void tell_state(struct service *s, const char *text)
{
    struct msg_store_state m = {
        .up = s->up, .clock_apart_ms = s->apart_ms, .text = text_from(text)};
    bool apart = clocks_apart(s->apart_ms);
    bool told_apart = clocks_apart(s->told_apart_ms);

    if (s->told && s->told_up == s->up && apart == told_apart)
        return;
    s->told = true;
    s->told_up = s->up;
    s->told_apart_ms = s->apart_ms;
    if (s->batch.metrics)
        metric_gauge(s->batch.metrics, "store_up", NULL, 0, s->up);
    endpoint_send(s->endpoint, ADDR_DESK, MSG_store_state, &m);
}

/* Full jitter: many daemons that lost one server must not come back all at once. */
static void retry_later(struct service *s)
{
    uint32_t random;

    secret_random(&random, sizeof random);
    s->retry_us =
        pool_now_us() + s->backoff_us / 2 + (int64_t)(random % (uint64_t)s->backoff_us) / 2;
    s->backoff_us = s->backoff_us * 2 < BACKOFF_MAX_US ? s->backoff_us * 2 : BACKOFF_MAX_US;
}

static void went_away(struct service *s)
{
    if (s->up || !s->told)
        say(s, 2, "DLR-STORE-AWAY", s->store->error);
    s->up = false;
    s->linked = false;
    if (s->batch.metrics)
        metric_add(s->batch.metrics, "store_failures_total", NULL, 0, 1);
    tell_state(s, s->store->error);
    retry_later(s);
}

static int look_at_clock(struct service *s)
{
    int64_t clock_ms, now = pool_wall_ms();
    int rc = s->store->ops->ping(s->store, now, &clock_ms);

    if (rc == STORE_OK)
        s->apart_ms = clock_ms - now;
    s->ping_us = pool_now_us() + PING_US;
    return rc;
}

static void wake(void *ctx)
{
    const struct service *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);

    (void)n; /* a full counter is as good as a wake-up */
}

static void *connect_store(void *arg)
{
    struct service *s = arg;
    int rc = s->store->ops->connect(s->store, pool_wall_ms());

    if (rc == STORE_OK)
        rc = s->store->ops->lease_take(s->store, 0, pool_wall_ms());
    if (rc == STORE_OK)
        rc = s->store->ops->lease_renew(s->store, pool_wall_ms());
    if (rc == STORE_OK)
        rc = look_at_clock(s);
    if (rc == STORE_OK)
        rc = s->store->ops->installation(s->store, &s->installation);
    s->connect_result = rc;
    atomic_store(&s->connected, true);
    wake(s);
    return NULL;
}

static void try_connect(struct service *s)
{
    atomic_store(&s->connected, false);
    s->connecting = pthread_create(&s->connector, NULL, connect_store, s) == 0;
    if (!s->connecting)
        retry_later(s);
}

/* A daemon that was killed a moment ago leaves a connection that the database may need a while to
 * notice, above all in the middle of a statement: it holds the store for so long. */
static bool waits_for_owner(struct service *s)
{
    const int64_t now = pool_now_us();

    if (s->held_us == 0) {
        s->held_us = now;
        say(s, 1, "DLR-STORE-WAIT", s->store->error);
    }
    s->backoff_us = BACKOFF_MIN_US;
    return now - s->held_us < HELD_WAIT_US;
}

/* The thread has ended, or is waited for. */
static void take_connection(struct service *s)
{
    int rc;

    pthread_join(s->connector, NULL);
    s->connecting = false;
    rc = s->connect_result;
    if (rc == STORE_HELD && !s->ready && waits_for_owner(s)) {
        retry_later(s);
        return;
    }
    if (rc == STORE_HELD && !s->ready) {
        s->held = true;
        say(s, 3, "DLR-STORE-HELD", s->store->error);
        if (s->on_held)
            s->on_held(s->ctx, s->store->error);
        return;
    }
    if (rc != STORE_OK) {
        went_away(s);
        return;
    }
    s->linked = true;
    s->node = s->installation.node;
    s->backoff_us = BACKOFF_MIN_US;
    s->renew_us = pool_now_us() + RENEW_US;
    say(s, 1, "DLR-STORE-UP", "the store is connected");
    keep_bind(&s->keep, &s->batch, &s->installation);
}

/* Whatever was kept is in the store: it counts as there from now on. */
static void is_up(struct service *s)
{
    s->up = true;
    keep_leave(&s->keep);
    tell_state(s, "");
    if (!s->ready && s->on_ready)
        s->on_ready(s->ctx, s->node);
    s->ready = true;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void take_mail(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct service *s = ctx;
    int rc;

    (void)to;
    if (!s->up && service_answer_away(s, from, type, msg))
        return;
    if (batch_takes(type)) {
        rc = batch_put(&s->batch, from, type, msg);
    } else if (service_asks(type)) {
        rc = queue_put(&s->asks, s->catalogue, from, type, msg);
    } else {
        if (s->batch.metrics)
            metric_add(s->batch.metrics, "store_unknown_messages_total", NULL, 0, 1);
        return;
    }
    if (rc != 0) {
        endpoint_put_back(s->endpoint);
        s->starved = true;
        return;
    }
    if (!s->up && type == MSG_suppress) { /* R24: binds at once, wherever it will be kept */
        const struct msg_suppress *m = msg;
        struct msg_suppressed out = {.account = m->account, .number = m->number};
        endpoint_send(s->endpoint, ADDR_DESK, MSG_suppressed, &out);
    }
}

static bool room(const struct service *s)
{
    return batch_bytes(&s->batch) + s->asks.bytes < s->backlog_bytes;
}

static void receive(struct service *s)
{
    const bool was_starved = s->starved;
    size_t n;

    s->more_mail = s->starved = false;
    do {
        if (!room(s)) {
            s->more_mail = true;
            return;
        }
        n = endpoint_receive(s->endpoint, take_mail, s, 256);
    } while (n == 256 && batch_waiting(&s->batch) < STORE_BATCH_MAX);
    s->more_mail = n == 256;
    if (s->starved && !was_starved)
        say(s, 3, "DLR-STORE-MEMORY", "out of memory: mail waits until there is some");
}

/* The first step of what waits. STORE_OK with nothing done: nothing waits. */
static int work(struct service *s)
{
    int rc = batch_run(&s->batch);

    if (rc != STORE_OK || !s->asks.head)
        return rc;
    rc = service_ask(s, s->asks.head);
    if (rc == STORE_AWAY)
        return rc;
    if (rc != STORE_OK) {
        say(s, 3, "DLR-STORE-FAULT", s->store->error);
        if (rc == STORE_FAULT && ++s->asks.head->tries < 3)
            return rc;
    }
    queue_drop(&s->asks, 1);
    return STORE_OK;
}

static int keep_up(struct service *s, int64_t now)
{
    int rc = STORE_OK;

    if (s->own && now >= s->renew_us) {
        rc = s->store->ops->lease_renew(s->store, pool_wall_ms());
        s->renew_us = now + RENEW_US;
    }
    if (rc == STORE_OK && now >= s->ping_us) {
        rc = look_at_clock(s);
        if (rc == STORE_OK && s->up)
            tell_state(s, "");
    }
    if (rc == STORE_OK && s->up && now >= s->window_us) {
        size_t i;
        for (i = 0; i < s->n_campaigns && rc == STORE_OK; i++)
            rc = service_tell_window(s, i);
        s->window_us = now + WINDOW_US;
    }
    return rc;
}

static int wait_ms(const struct service *s)
{
    int64_t until, now = pool_now_us();

    if (s->held)
        return -1;
    if (s->linked && !s->up)
        return 0;
    if (s->up && (s->more_mail || batch_waiting(&s->batch) > 0 || s->asks.head))
        return 0;
    if (s->starved)
        return STARVED_MS;
    until = s->connecting ? now + PING_US : s->up ? s->renew_us : s->retry_us;
    if (s->up && s->ping_us < until)
        until = s->ping_us;
    if (keep_next_us(&s->keep) < until)
        until = keep_next_us(&s->keep);
    return until <= now ? 0 : (int)((until - now) / US_PER_MS) + 1;
}

/* Whatever was told before the stop is written, if the store is there. The last bags may still be
 * on their way through nng's threads, and nothing counts them: silence says that there are none. */
static void last_words(struct service *s)
{
    const int64_t until = pool_now_us() + LAST_WORDS_US;
    struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
    uint64_t drained;

    do {
        receive(s);
        if (!s->up)
            keep_flush(&s->keep, &s->batch);
        while (s->up && batch_waiting(&s->batch) > 0 && batch_run(&s->batch) == STORE_OK)
            receive(s);
        endpoint_flush(s->endpoint);
    } while ((s->up || s->keep.ok) && pool_now_us() < until &&
             ((poll(&fd, 1, SILENCE_MS) > 0 &&
               read(s->wake_fd, &drained, sizeof drained) == sizeof drained) ||
              s->starved));
}

/* One step: the store's turn, and the disk's. */
static int turn(struct service *s)
{
    int rc;

    if (s->connecting && atomic_load(&s->connected))
        take_connection(s);
    if (!s->linked && !s->held && !s->connecting && pool_now_us() >= s->retry_us)
        try_connect(s);
    receive(s);
    if (!s->up)
        keep_flush(&s->keep, &s->batch);
    keep_look(&s->keep, &s->batch, s->up, pool_now_us());
    rc = s->linked ? keep_up(s, pool_now_us()) : STORE_OK;
    if (rc == STORE_OK && s->linked && !s->up) {
        if (!keep_empty(&s->keep))
            return keep_replay(&s->keep, &s->batch);
        is_up(s);
    }
    return rc == STORE_OK && s->up ? work(s) : rc;
}

static void *loop(void *arg)
{
    struct service *s = arg;
    uint64_t drained;

    pthread_setname_np(pthread_self(), "store");
    while (!atomic_load(&s->stop)) {
        struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
        if (poll(&fd, 1, wait_ms(s)) > 0 && read(s->wake_fd, &drained, sizeof drained) < 0)
            continue;
        if (turn(s) != STORE_OK)
            went_away(s);
        endpoint_flush(s->endpoint);
    }
    if (s->connecting)
        pthread_join(s->connector, NULL);
    last_words(s);
    return NULL;
}

static void no_log(void *ctx, int level, const char *code, const char *text)
{
    (void)ctx;
    (void)level;
    (void)code;
    (void)text;
}

struct service *service_open(const struct service_options *o, char *why, size_t why_size)
{
    struct service *s = calloc(1, sizeof *s);

    snprintf(why, why_size, "out of memory");
    if (!s)
        return NULL;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->catalogue = o->catalogue;
    s->key = *o->key;
    s->on_ready = o->on_ready;
    s->on_held = o->on_held;
    s->ctx = o->ctx;
    s->own = o->store.own;
    s->backlog_bytes = o->backlog_bytes ? o->backlog_bytes : BACKLOG_BYTES;
    s->backoff_us = BACKOFF_MIN_US;
    s->store = o->driver->make(&o->store);
    if (s->store)
        s->endpoint = endpoint_open(o->pool, KIND_STORE, wake, s);
    s->batch.store = s->store;
    s->batch.catalogue = o->catalogue;
    s->batch.key = &s->key;
    s->batch.endpoint = s->endpoint;
    s->batch.metrics = o->metrics ? metrics_set(o->metrics) : NULL;
    s->batch.log = o->log ? o->log : no_log;
    s->batch.log_ctx = o->ctx;
    if (!s->store || !s->endpoint || s->wake_fd < 0 || batch_init(&s->batch) != 0 ||
        keep_init(&s->keep, o->journal, o->journal_size, o->sent) != 0) {
        if (s->store && !s->endpoint)
            snprintf(why, why_size, "the store's endpoint could not be opened");
        service_close(s);
        return NULL;
    }
    return s;
}

int service_start(struct service *s)
{
    if (pthread_create(&s->thread, NULL, loop, s) != 0)
        return -1;
    s->running = true;
    return 0;
}

void service_stop(struct service *s)
{
    if (!s || !s->running)
        return;
    atomic_store(&s->stop, true);
    wake(s);
    pthread_join(s->thread, NULL);
    s->running = false;
}

void service_close(struct service *s)
{
    size_t i;

    if (!s)
        return;
    service_stop(s);
    if (s->endpoint)
        endpoint_close(s->endpoint);
    if (s->store)
        s->store->ops->close(s->store);
    batch_fini(&s->batch);
    keep_fini(&s->keep);
    queue_drop(&s->asks, s->asks.n);
    for (i = 0; i < s->n_campaigns; i++)
        free((char *)s->zone[i].ptr);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    free(s);
}
