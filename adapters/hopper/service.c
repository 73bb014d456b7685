/*
 * service.c - see service.h.
 */
#include "adapters/hopper/service.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/messages.h"
#include "actors/types.h"
#include "core/crash.h"
#include "core/metric.h"
#include "core/pool.h"

struct hopper_service {
    struct hopper *hopper;
    struct endpoint *endpoint;
    struct metric_set *metrics;
    void (*log)(void *ctx, int level, const char *code, const char *text);
    void *ctx;
    int wake_fd;
    pthread_t thread;
    bool running;
    atomic_bool stop;
};

static void count(struct hopper_service *s, const char *name, int64_t add)
{
    if (s->metrics && add)
        metric_add(s->metrics, name, NULL, 0, add);
}

static void on_row(void *ctx, uint64_t campaign, uint64_t row)
{
    struct hopper_service *s = ctx;
    struct msg_hopper_row m = {.campaign = campaign, .row = row};

    endpoint_send(s->endpoint, named(KIND_CAMPAIGN, campaign), MSG_hopper_row, &m);
}

/* Somebody else writes where only we do. */
static void log_foreign(const struct hopper_service *s, uint64_t campaign, uint32_t dropped)
{
    char text[120];

    snprintf(text, sizeof text,
             "campaign %" PRIu64 ": somebody else's, no rows, dropped from its hopper: %" PRIu32,
             campaign, dropped);
    s->log(s->ctx, 2, "DLR-HOPPER-FOREIGN", text);
}

static void on_taken(void *ctx, uint64_t campaign, uint32_t rows, uint32_t left, uint32_t dropped,
                     bool ok)
{
    struct hopper_service *s = ctx;
    struct msg_hopper_taken m = {.campaign = campaign,
                                 .rows = rows,
                                 .left = left,
                                 .dropped = dropped,
                                 .result = ok ? RESULT_OK : RESULT_AWAY};

    CRASH_POINT_IF(ok, take_after);
    count(s, "hopper_taken_total", rows);
    count(s, "hopper_dropped_total", dropped);
    if (dropped && s->log)
        log_foreign(s, campaign, dropped);
    endpoint_send(s->endpoint, named(KIND_CAMPAIGN, campaign), MSG_hopper_taken, &m);
}

static void on_state(void *ctx, bool up, const char *text)
{
    struct hopper_service *s = ctx;
    struct msg_hopper_state m = {.up = up, .text = {text, (uint32_t)strlen(text)}};

    if (s->metrics)
        metric_gauge(s->metrics, "hopper_up", NULL, 0, up);
    if (s->log)
        s->log(s->ctx, up ? 1 : 2, up ? "DLR-HOPPER-UP" : "DLR-HOPPER-AWAY",
               up ? "the hopper is connected" : text);
    endpoint_send(s->endpoint, ADDR_DESK, MSG_hopper_state, &m);
}

static void take_mail(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct hopper_service *s = ctx;
    const struct hopper_ops *ops = s->hopper->ops;

    (void)to;
    (void)from;
    if (type == MSG_hopper_take) {
        const struct msg_hopper_take *m = msg;
        CRASH_POINT(take_before);
        ops->take(s->hopper, m->campaign, m->rows);
    } else if (type == MSG_hopper_put) {
        const struct msg_hopper_put *m = msg;
        ops->put(s->hopper, m->campaign, m->row);
    } else if (type == MSG_hopper_clear) {
        const struct msg_hopper_clear *m = msg;
        ops->clear(s->hopper, m->campaign);
    } else {
        count(s, "hopper_unknown_messages_total", 1);
    }
}

static int wait_ms(const struct hopper_service *s)
{
    int64_t until = s->hopper->ops->until_us(s->hopper), now;

    if (until == INT64_MAX)
        return -1;
    now = pool_now_us();
    return until <= now ? 0 : (int)((until - now) / US_PER_MS) + 1;
}

static void *loop(void *arg)
{
    struct hopper_service *s = arg;
    const struct hopper_ops *ops = s->hopper->ops;
    uint64_t drained;
    size_t n = 0;

    pthread_setname_np(pthread_self(), "hopper");
    while (!atomic_load(&s->stop)) {
        struct pollfd fds[2] = {{.fd = s->wake_fd, .events = POLLIN},
                                {.fd = ops->fd(s->hopper), .events = ops->wants(s->hopper)}};
        if (poll(fds, 2, n == 256 ? 0 : wait_ms(s)) < 0)
            continue;
        if (fds[0].revents && read(s->wake_fd, &drained, sizeof drained) < 0)
            fds[0].revents = 0; /* somebody's wake-up came twice */
        ops->handle(s->hopper, fds[1].revents, pool_now_us());
        n = endpoint_receive(s->endpoint, take_mail, s, 256);
        endpoint_flush(s->endpoint);
    }
    return NULL;
}

static void wake(void *ctx)
{
    const struct hopper_service *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);

    (void)n; /* a full counter is as good as a wake-up */
}

struct hopper_service *hopper_service_open(const struct hopper_service_options *o, char *why,
                                           size_t why_size)
{
    struct hopper_service *s = calloc(1, sizeof *s);
    struct hopper_events events = {on_row, on_taken, on_state, s};

    snprintf(why, why_size, "out of memory");
    if (!s)
        return NULL;
    s->log = o->log;
    s->ctx = o->ctx;
    s->metrics = o->metrics ? metrics_set(o->metrics) : NULL;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->hopper = o->driver->make(&o->hopper, &events, why, why_size);
    if (s->hopper) {
        snprintf(why, why_size, "the hopper's endpoint could not be opened");
        s->endpoint = endpoint_open(o->pool, KIND_HOPPER, wake, s);
    }
    if (!s->endpoint || s->wake_fd < 0) {
        hopper_service_close(s);
        return NULL;
    }
    return s;
}

int hopper_service_start(struct hopper_service *s)
{
    if (pthread_create(&s->thread, NULL, loop, s) != 0)
        return -1;
    s->running = true;
    return 0;
}

void hopper_service_stop(struct hopper_service *s)
{
    if (!s || !s->running)
        return;
    atomic_store(&s->stop, true);
    wake(s);
    pthread_join(s->thread, NULL);
    s->running = false;
}

void hopper_service_close(struct hopper_service *s)
{
    if (!s)
        return;
    hopper_service_stop(s);
    if (s->hopper)
        s->hopper->ops->close(s->hopper); /* may still answer: before its endpoint goes */
    if (s->endpoint)
        endpoint_close(s->endpoint);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    free(s);
}
