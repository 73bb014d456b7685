/*
 * service.c - the service's thread: mail, connection, leases, questions. Transactions are in
 * service_batch.c.
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
#include "adapters/store/service_batch.h"
#include "adapters/zone/zone.h"
#include "core/pool.h"

#define RENEW_US (1500 * US_PER_MS)
#define PING_US (5 * US_PER_S)
#define WINDOW_US (60 * US_PER_S)
#define BACKOFF_MIN_US (100 * US_PER_MS)
#define BACKOFF_MAX_US (5 * US_PER_S)
#define BACKLOG_BYTES ((size_t)64 << 20)
#define CAMPAIGNS_MAX 1024
#define CANDIDATES_MAX 10000
#define CLOCK_APART_MS 2000 /* R19 */
#define SILENCE_MS 100
#define LAST_WORDS_US (2 * US_PER_S)

struct service {
    struct service_batch batch;
    struct queue asks; /* loads, candidates, recycling, logins: what changes nothing, or may wait */
    const struct message_catalogue *catalogue;
    struct secret_key key;
    struct store *store;
    struct endpoint *endpoint;
    size_t backlog_bytes;
    void (*on_ready)(void *ctx, uint16_t node);
    void (*on_held)(void *ctx, const char *sentence);
    void *ctx;
    bool own;

    int wake_fd;
    pthread_t thread;
    bool running;
    atomic_bool stop;

    bool up, told_up, told, ready, held;
    bool more_mail; /* the last look did not see the end of it */
    int64_t apart_ms, told_apart_ms;
    int64_t retry_us, backoff_us;
    int64_t renew_us, ping_us, window_us;
    uint64_t campaigns[CAMPAIGNS_MAX]; /* loaded ones: their windows are told from time to time */
    struct text zone[CAMPAIGNS_MAX];
    size_t n_campaigns;
    uint64_t rows[CANDIDATES_MAX];
};

static void say(const struct service *s, int level, const char *code, const char *text)
{
    s->batch.log(s->batch.log_ctx, level, code, text);
}

/* --- the state of the connection -------------------------------------------------------------- */

static void tell_state(struct service *s, const char *text)
{
    struct msg_store_state m = {
        .up = s->up, .clock_apart_ms = s->apart_ms, .text = text_from(text)};
    bool apart = llabs(s->apart_ms) > CLOCK_APART_MS;
    bool told_apart = llabs(s->told_apart_ms) > CLOCK_APART_MS;

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

static void try_connect(struct service *s)
{
    struct store_installation in;
    int rc = s->store->ops->connect(s->store, pool_wall_ms());

    if (rc == STORE_HELD && !s->ready) {
        s->held = true;
        say(s, 3, "DLR-STORE-HELD", s->store->error);
        if (s->on_held)
            s->on_held(s->ctx, s->store->error);
        return;
    }
    if (rc == STORE_OK)
        rc = s->store->ops->lease_take(s->store, 0, pool_wall_ms());
    if (rc == STORE_OK)
        rc = s->store->ops->lease_renew(s->store, pool_wall_ms());
    if (rc == STORE_OK)
        rc = look_at_clock(s);
    if (rc == STORE_OK)
        rc = s->store->ops->installation(s->store, &in);
    if (rc != STORE_OK) {
        went_away(s);
        return;
    }
    s->up = true;
    s->backoff_us = BACKOFF_MIN_US;
    s->renew_us = pool_now_us() + RENEW_US;
    say(s, 1, "DLR-STORE-UP", "the store is connected");
    tell_state(s, "");
    if (!s->ready && s->on_ready)
        s->on_ready(s->ctx, in.node);
    s->ready = true;
}

/* --- questions -------------------------------------------------------------------------------- */

struct loading {
    struct service *s;
    uint64_t campaigns[CAMPAIGNS_MAX];
    size_t n;
};

static void remember(struct service *s, const struct msg_campaign_config *m)
{
    size_t i;
    char *zone;

    for (i = 0; i < s->n_campaigns && s->campaigns[i] != m->campaign;)
        i++;
    if (i == CAMPAIGNS_MAX)
        return;
    zone = m->zone.len ? malloc(m->zone.len) : NULL;
    if (zone)
        memcpy(zone, m->zone.ptr, m->zone.len);
    if (i < s->n_campaigns)
        free((char *)s->zone[i].ptr);
    else
        s->n_campaigns++;
    s->campaigns[i] = m->campaign;
    s->zone[i] = (struct text){zone, zone ? m->zone.len : 0};
}

static int pass_on(void *ctx, uint16_t type, const void *msg)
{
    struct loading *l = ctx;

    if (type == MSG_campaign_config) {
        const struct msg_campaign_config *m = msg;
        remember(l->s, m);
        if (l->n < CAMPAIGNS_MAX)
            l->campaigns[l->n++] = m->campaign;
    }
    endpoint_send(l->s->endpoint, ADDR_DESK, type, msg);
    return 0;
}

struct telling {
    struct service *s;
    uint64_t campaign;
    uint16_t position;
};

static int tell_disposition(void *ctx, const struct store_disposition *d)
{
    struct telling *t = ctx;
    struct msg_view_disposition m = {.campaign = t->campaign,
                                     .code = d->code,
                                     .name = d->name,
                                     .position = ++t->position,
                                     .callback = d->callback,
                                     .active = d->offered};

    if (d->offered)
        endpoint_send(t->s->endpoint, ADDR_WEB, MSG_view_disposition, &m);
    return 0;
}

static int tell_window(struct service *s, size_t i)
{
    struct msg_abandon_window m;
    int64_t now = pool_wall_ms();
    int rc = s->store->ops->abandon_window(s->store, s->campaigns[i],
                                           zone_day_start(s->zone[i], now), now, &m);

    if (rc == STORE_OK)
        endpoint_send(s->endpoint, ADDR_DESK, MSG_abandon_window, &m);
    return rc;
}

static size_t place_of(const struct service *s, uint64_t campaign)
{
    size_t i;

    for (i = 0; i < s->n_campaigns && s->campaigns[i] != campaign;)
        i++;
    return i;
}

static int do_load(struct service *s, const struct msg_load *m)
{
    struct msg_loaded out = {.kind = m->kind, .id = m->id};
    struct store_installation in;
    struct loading *l = calloc(1, sizeof *l);
    size_t i;
    int rc = STORE_OK;

    if (!l)
        return STORE_FAULT;
    l->s = s;
    /* A campaign that is new since the start has no owner yet. */
    if (m->kind == 0 || m->kind == KIND_CAMPAIGN)
        rc = s->store->ops->lease_take(s->store, m->id, pool_wall_ms());
    if (rc == STORE_OK)
        rc = s->store->ops->load(s->store, m->kind, m->id, pool_wall_ms(), pass_on, l);
    out.result = rc == STORE_NOT_FOUND ? RESULT_NOT_FOUND : RESULT_OK;
    if (rc == STORE_NOT_FOUND || rc == STORE_INVALID)
        rc = STORE_OK;
    for (i = 0; i < l->n && rc == STORE_OK; i++) {
        struct telling t = {s, l->campaigns[i], 0};
        size_t at = place_of(s, l->campaigns[i]);
        rc = s->store->ops->dispositions(s->store, STORE_ACCOUNT, tell_disposition, &t);
        if (rc == STORE_OK && at < s->n_campaigns)
            rc = tell_window(s, at);
    }
    if (rc == STORE_OK)
        rc = s->store->ops->installation(s->store, &in);
    free(l);
    if (rc == STORE_OK) {
        out.node = in.node;
        endpoint_send(s->endpoint, ADDR_DESK, MSG_loaded, &out);
    }
    return rc;
}

static int do_candidates(struct service *s, handle from, const struct msg_candidates *m)
{
    struct msg_candidates_end end;
    size_t n = CANDIDATES_MAX, i;
    int rc = s->store->ops->candidates(s->store, m, s->rows, &n, &end);

    if (rc == STORE_AWAY)
        return rc;
    for (i = 0; i < n; i++) {
        struct msg_candidate one = {.campaign = m->campaign, .row = s->rows[i]};
        endpoint_send(s->endpoint, from, MSG_candidate, &one);
    }
    endpoint_send(s->endpoint, from, MSG_candidates_end, &end);
    return rc;
}

static int do_recycle(struct service *s, handle from, const struct msg_recycle *m)
{
    struct msg_recycled out;
    int rc = s->store->ops->recycle(s->store, m, &out);

    if (rc == STORE_OK)
        endpoint_send(s->endpoint, from, MSG_recycled, &out);
    return rc;
}

static int do_login(struct service *s, handle from, const struct msg_login_ask *m)
{
    struct msg_login_known out = {.request = m->request};
    struct store_login login;
    int rc = s->store->ops->login(s->store, STORE_ACCOUNT, m->login, &login);

    out.result = RESULT_AWAY;
    if (rc == STORE_OK && login.enabled) {
        out.result = RESULT_OK;
        out.agent = login.agent;
        out.account = login.account;
        out.role = login.role;
        out.name = login.name;
        out.hash = login.hash;
    } else if (rc == STORE_OK || rc == STORE_NOT_FOUND) {
        out.result = RESULT_NOT_FOUND;
        rc = STORE_OK;
    }
    endpoint_send(s->endpoint, from, MSG_login_known, &out);
    return rc;
}

static int ask_one(struct service *s, const struct item *it)
{
    const void *msg = it->msg;

    switch (it->type) {
    case MSG_load:
        return do_load(s, msg);
    case MSG_candidates:
        return do_candidates(s, it->from, msg);
    case MSG_recycle:
        return do_recycle(s, it->from, msg);
    default:
        return do_login(s, it->from, msg);
    }
}

/* What somebody waits for, and what makes no sense to keep: answered without the store. */
static bool answer_away(struct service *s, handle from, uint16_t type, const void *msg)
{
    if (type == MSG_candidates) {
        const struct msg_candidates *m = msg;
        struct msg_candidates_end out = {.campaign = m->campaign, .result = RESULT_AWAY};
        endpoint_send(s->endpoint, from, MSG_candidates_end, &out);
        return true;
    }
    if (type == MSG_recycle) {
        const struct msg_recycle *m = msg;
        struct msg_recycled out = {.campaign = m->campaign,
                                   .next_wall_ms = m->at_wall_ms + 5 * MS_PER_S};
        endpoint_send(s->endpoint, from, MSG_recycled, &out);
        return true;
    }
    if (type == MSG_login_ask) {
        const struct msg_login_ask *m = msg;
        struct msg_login_known out = {.request = m->request, .result = RESULT_AWAY};
        endpoint_send(s->endpoint, from, MSG_login_known, &out);
        return true;
    }
    if (type == MSG_claim || type == MSG_leg_claim) {
        batch_refuse(s->endpoint, from, type, msg);
        return true;
    }
    return false;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void take_mail(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct service *s = ctx;
    int rc;

    (void)to;
    if (!s->up && answer_away(s, from, type, msg))
        return;
    if (batch_takes(type)) {
        rc = batch_put(&s->batch, s->catalogue, from, type, msg);
    } else if (type == MSG_load || type == MSG_candidates || type == MSG_recycle ||
               type == MSG_login_ask) {
        rc = queue_put(&s->asks, s->catalogue, from, type, msg);
    } else {
        if (s->batch.metrics)
            metric_add(s->batch.metrics, "store_unknown_messages_total", NULL, 0, 1);
        return;
    }
    if (rc != 0) {
        say(s, 3, "DLR-STORE-MEMORY", "a record could not be kept: out of memory");
        batch_refuse(s->endpoint, from, type, msg);
    }
}

static bool room(const struct service *s)
{
    return batch_bytes(&s->batch) + s->asks.bytes < s->backlog_bytes;
}

static void receive(struct service *s)
{
    size_t n;

    s->more_mail = false;
    do {
        if (!room(s)) {
            s->more_mail = true;
            return;
        }
        n = endpoint_receive(s->endpoint, take_mail, s, 256);
    } while (n == 256 && batch_waiting(&s->batch) < STORE_BATCH_MAX);
    s->more_mail = n == 256;
}

/* The first step of what waits. STORE_OK with nothing done: nothing waits. */
static int work(struct service *s)
{
    int rc = batch_run(&s->batch);

    if (rc != STORE_OK || !s->asks.head)
        return rc;
    rc = ask_one(s, s->asks.head);
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
        if (rc == STORE_OK)
            tell_state(s, "");
    }
    if (rc == STORE_OK && now >= s->window_us) {
        size_t i;
        for (i = 0; i < s->n_campaigns && rc == STORE_OK; i++)
            rc = tell_window(s, i);
        s->window_us = now + WINDOW_US;
    }
    return rc;
}

static int wait_ms(const struct service *s)
{
    int64_t until, now = pool_now_us();

    if (s->held)
        return -1;
    if (s->up && (s->more_mail || batch_waiting(&s->batch) > 0 || s->asks.head))
        return 0;
    until = s->up ? s->renew_us : s->retry_us;
    if (s->up && s->ping_us < until)
        until = s->ping_us;
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
        while (s->up && batch_waiting(&s->batch) > 0 && batch_run(&s->batch) == STORE_OK)
            receive(s);
        endpoint_flush(s->endpoint);
    } while (s->up && pool_now_us() < until && poll(&fd, 1, SILENCE_MS) > 0 &&
             read(s->wake_fd, &drained, sizeof drained) == sizeof drained);
}

static void *loop(void *arg)
{
    struct service *s = arg;
    uint64_t drained;
    int rc;

    pthread_setname_np(pthread_self(), "store");
    while (!atomic_load(&s->stop)) {
        struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
        if (poll(&fd, 1, wait_ms(s)) > 0 && read(s->wake_fd, &drained, sizeof drained) < 0)
            continue;
        if (!s->up && !s->held && pool_now_us() >= s->retry_us)
            try_connect(s);
        receive(s);
        rc = s->up ? keep_up(s, pool_now_us()) : STORE_OK;
        if (s->up && rc == STORE_OK)
            rc = work(s);
        if (rc != STORE_OK)
            went_away(s);
        endpoint_flush(s->endpoint);
    }
    last_words(s);
    return NULL;
}

static void wake(void *ctx)
{
    const struct service *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);

    (void)n; /* a full counter is as good as a wake-up */
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
    s->batch.key = &s->key;
    s->batch.endpoint = s->endpoint;
    s->batch.metrics = o->metrics ? metrics_set(o->metrics) : NULL;
    s->batch.log = o->log ? o->log : no_log;
    s->batch.log_ctx = o->ctx;
    if (!s->store || !s->endpoint || s->wake_fd < 0 || batch_init(&s->batch) != 0) {
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
    queue_drop(&s->asks, s->asks.n);
    for (i = 0; i < s->n_campaigns; i++)
        free((char *)s->zone[i].ptr);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    free(s);
}
