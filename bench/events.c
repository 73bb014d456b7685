/*
 * events.c - what an event of Asterisk costs the telephony adapter's thread, before the actors: the
 * text to a struct alone, and the whole way from the socket. A thread of ours plays Asterisk and
 * sends as fast as it is read; what counts is the CPU time of the reader's thread, so the sender,
 * and whoever else the machine serves, is not in the figure.
 */
#include "adapters/ari/wire.h"
#include "adapters/net/net.h"
#include "bench/bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 1024
#define KINDS 4 /* of events, in the order of a call */
#define WARM 20000u

/* One call: dialed, ringing, answered, ended. The fields and lengths are those of Asterisk 20. */
static char texts[KINDS][TEXT_MAX];
static size_t lengths[KINDS];

static void make_texts(void)
{
    static const char *const beginnings[KINDS] = {
        "{\"type\":\"Dial\",\"dialstatus\":\"\",\"forward\":\"\","
        "\"dialstring\":\"carrier/+12125550123\",\"peer\":",
        "{\"type\":\"Dial\",\"dialstatus\":\"RINGING\",\"forward\":\"\","
        "\"dialstring\":\"carrier/+12125550123\",\"peer\":",
        "{\"type\":\"StasisStart\",\"args\":[],\"channel\":",
        "{\"type\":\"ChannelDestroyed\",\"cause\":16,\"cause_txt\":\"Normal Clearing\","
        "\"channel\":",
    };
    static const char rest[] =
        "{\"id\":\"att-0001-00000007-0000002a-0000c0de\",\"name\":\"PJSIP/carrier-00000207\","
        "\"state\":\"Up\",\"protocol_id\":\"2cf82551-de03-4ca0-9bb9-b8f3c6d7a2e8\","
        "\"caller\":{\"name\":\"\",\"number\":\"+12125550100\"},"
        "\"connected\":{\"name\":\"\",\"number\":\"dial\"},\"accountcode\":\"\","
        "\"dialplan\":{\"context\":\"dialer\",\"exten\":\"dial\",\"priority\":1,"
        "\"app_name\":\"AppDial2\",\"app_data\":\"(Outgoing Line)\"},"
        "\"creationtime\":\"2026-11-23T09:06:19.790+0000\",\"language\":\"en\"},"
        "\"timestamp\":\"2026-11-23T09:06:21.054+0000\","
        "\"asterisk_id\":\"02:00:00:00:00:01\",\"application\":\"dialer\"}";

    for (size_t i = 0; i < KINDS; i++) {
        lengths[i] = (size_t)snprintf(texts[i], TEXT_MAX, "%s%s", beginnings[i], rest);
    }
}

static int64_t thread_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* --- the text alone -------------------------------------------------------------------------- */

static double read_us(const struct bench_options *o)
{
    const int64_t until_ns = bench_now_ns() + (int64_t)(o->seconds * 1e9);
    const int64_t from_ns = thread_ns();
    struct json doc;
    struct wire_event event;
    uint64_t n = 0;

    json_init(&doc, 0);
    while (bench_now_ns() < until_ns) {
        for (unsigned i = 0; i < 256; i++, n++) {
            if (wire_read(&doc, texts[n % KINDS], lengths[n % KINDS], &event) != 0) {
                json_free(&doc);
                return -1;
            }
        }
    }
    json_free(&doc);
    return (double)(thread_ns() - from_ns) / 1e3 / (double)n;
}

/* --- the sender ------------------------------------------------------------------------------ */

struct asterisk {
    struct net_loop *loop;
    struct net_server *server;
    uint64_t sent;
    atomic_bool over;
};

static void send_all(struct asterisk *a, struct net_ws *ws)
{
    while (net_ws_send(ws, texts[a->sent % KINDS], lengths[a->sent % KINDS]) == NET_OK) {
        a->sent++;
    }
}

static void on_sender_open(void *ctx, struct net_ws *ws)
{
    send_all(ctx, ws);
}

static void on_sender_drain(void *ctx, struct net_ws *ws)
{
    send_all(ctx, ws);
}

static void on_sender_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ctx;
    (void)ws;
    (void)text;
    (void)len;
}

static void on_sender_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ctx;
    (void)ws;
    (void)end;
}

static void on_request(void *ctx, struct net_req *req)
{
    static const struct net_ws_events events = {on_sender_open, on_sender_message, on_sender_drain,
                                                on_sender_close};
    const struct net_ws_limits limits = {.dead_us = -1, .ping_us = -1, .block_us = -1};

    (void)net_ws_accept(req, NULL, &limits, &events, ctx);
}

static void *send_events(void *arg)
{
    struct asterisk *a = arg;

    while (!atomic_load(&a->over)) {
        (void)net_loop_run_once(a->loop, 100000);
    }
    net_server_close(a->server);
    net_loop_close(a->loop);
    return NULL;
}

/* --- the reader ------------------------------------------------------------------------------ */

struct reader {
    struct json doc;
    uint64_t n;
    bool failed;
};

static void on_event(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct reader *r = ctx;
    struct wire_event event;

    (void)ws;
    if (wire_read(&r->doc, text, len, &event) != 0) {
        r->failed = true;
    }
    r->n++;
}

static void on_reader_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    (void)end;
    ((struct reader *)ctx)->failed = true;
}

static double listen_to(const struct bench_options *o, struct net_loop *loop, uint16_t port)
{
    static const struct net_ws_events events = {.on_message = on_event,
                                                .on_close = on_reader_close};
    const struct net_ws_target target = {.host = "127.0.0.1", .port = port, .path = "/ari/events"};
    struct reader r = {0};
    struct net_ws *ws = net_ws_connect(loop, &target, NULL, &events, &r);
    int64_t from_ns, until_ns;
    uint64_t before;
    double us;

    json_init(&r.doc, 0);
    while (ws != NULL && r.n < WARM && !r.failed) {
        (void)net_loop_run_once(loop, 100000);
    }
    before = r.n;
    from_ns = thread_ns();
    until_ns = bench_now_ns() + (int64_t)(o->seconds * 1e9);
    while (ws != NULL && !r.failed && bench_now_ns() < until_ns) {
        (void)net_loop_run_once(loop, 100000);
    }
    us = (double)(thread_ns() - from_ns) / 1e3 / (double)(r.n - before);
    if (ws != NULL && !r.failed) {
        net_ws_drop(ws);
        while (!r.failed) { /* its end comes from the loop */
            (void)net_loop_run_once(loop, 100000);
        }
    } else {
        us = -1;
    }
    json_free(&r.doc);
    return us;
}

static double socket_us(const struct bench_options *o)
{
    const struct net_server_events on = {.on_request = on_request};
    struct asterisk a = {0};
    struct net_loop *loop;
    char err[200];
    pthread_t thread;
    double us = -1;

    a.loop = net_loop_open(NULL, err, sizeof err);
    loop = net_loop_open(NULL, err, sizeof err);
    a.server = a.loop != NULL ? net_listen(a.loop, NULL, &on, &a, err, sizeof err) : NULL;
    if (loop == NULL || a.server == NULL || pthread_create(&thread, NULL, send_events, &a) != 0) {
        (void)fprintf(stderr, "dialer-bench: %s\n", err);
        net_loop_close(loop);
        net_loop_close(a.loop);
        return -1;
    }
    us = listen_to(o, loop, net_server_port(a.server));
    atomic_store(&a.over, true);
    net_loop_wake(a.loop);
    (void)pthread_join(thread, NULL);
    net_loop_close(loop);
    return us;
}

int bench_events(const struct bench_options *options, struct bench_report *report)
{
    static const struct {
        const char *name;
        double (*one)(const struct bench_options *o);
    } metrics[] = {{"events.read", read_us}, {"events.socket", socket_us}};
    double samples[BENCH_MAX_SAMPLES];

    make_texts();
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const unsigned n = bench_repeat(options, metrics[i].one, samples);
        if (n == 0) {
            (void)fprintf(stderr, "dialer-bench: %s: an event was not read\n", metrics[i].name);
            return 1;
        }
        report_metric(report, metrics[i].name, "us/event", BENCH_LOWER, samples, n);
    }
    return 0;
}
