/* adapter.c - the adapter's thread: mail from the actors to the servers, and back. */
#include "adapters/ari/ari.h"

#include "adapters/ari/pbx.h"
#include "adapters/secret/secret.h"
#include "core/endpoint.h"
#include "core/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256

/* What another thread wants of a server, until the loop has taken it. */
struct limits {
    uint32_t pbx;
    double calls_per_s;
    unsigned lines;
    bool fresh;
};

struct ari {
    struct ari_options options;
    struct ari_host host;
    struct secret_key permits;
    struct net_loop *loop;
    struct endpoint *endpoint;
    struct metric_set *metrics;
    struct pbx **pbxs;
    size_t n_pbxs;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    bool mail; /* the endpoint may have some */
    pthread_mutex_t limits_lock;
    struct limits *limits; /* one a server */
    size_t n_limits;
};

/* --- what the servers need ---------------------------------------------------------------------
 */

static void host_send(void *ctx, handle to, uint16_t type, const void *msg)
{
    struct ari *ari = ctx;
    endpoint_send(ari->endpoint, to, type, msg);
}

static void host_count(void *ctx, const char *name, const char *label, uint32_t pbx, int64_t add)
{
    struct ari *ari = ctx;
    if (ari->metrics) {
        metric_add(ari->metrics, name, label, pbx, add);
    }
}

static void host_observe(void *ctx, const char *name, const char *label, uint32_t pbx, int64_t us)
{
    struct ari *ari = ctx;
    if (ari->metrics) {
        metric_observe(ari->metrics, name, label, pbx, us);
    }
}

static void host_log(void *ctx, int level, const char *code, const char *line)
{
    struct ari *ari = ctx;
    if (ari->options.log) {
        ari->options.log(ari->options.log_ctx, level, code, line);
    }
}

static void net_log_line(void *ctx, int level, const char *line)
{
    host_log(ctx, level, "DLR-ARI-NET", line);
}

/* --- mail --------------------------------------------------------------------------------------
 */

/* The server a message is for. Each message of the contract names it in its own place. */
static bool server_of(uint16_t type, const void *msg, uint32_t *pbx)
{
    switch (type) {
    case MSG_originate_call:
        *pbx = ((const struct msg_originate_call *)msg)->pbx;
        return true;
    case MSG_originate_leg:
        *pbx = ((const struct msg_originate_leg *)msg)->pbx;
        return true;
    case MSG_hangup:
        *pbx = ((const struct msg_hangup *)msg)->pbx;
        return true;
    case MSG_channel_check:
        *pbx = ((const struct msg_channel_check *)msg)->pbx;
        return true;
    case MSG_bridge_create:
        *pbx = ((const struct msg_bridge_create *)msg)->pbx;
        return true;
    case MSG_bridge_add:
        *pbx = ((const struct msg_bridge_add *)msg)->pbx;
        return true;
    case MSG_bridge_destroy:
        *pbx = ((const struct msg_bridge_destroy *)msg)->pbx;
        return true;
    case MSG_play:
        *pbx = ((const struct msg_play *)msg)->pbx;
        return true;
    case MSG_music:
        *pbx = ((const struct msg_music *)msg)->pbx;
        return true;
    case MSG_mute:
        *pbx = ((const struct msg_mute *)msg)->pbx;
        return true;
    case MSG_dtmf:
        *pbx = ((const struct msg_dtmf *)msg)->pbx;
        return true;
    case MSG_check_sound:
        *pbx = ((const struct msg_check_sound *)msg)->pbx;
        return true;
    case MSG_watch_endpoint:
        *pbx = ((const struct msg_watch_endpoint *)msg)->pbx;
        return true;
    default:
        return false;
    }
}

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

/* Nobody must wait for an answer that cannot come: say so in the words of the contract. */
static void no_such_server(struct ari *ari, handle from, uint32_t pbx, uint16_t type,
                           const void *msg)
{
    char line[80];
    snprintf(line, sizeof line, "message %u for server %u, which is not configured", type, pbx);
    host_log(ari, 2, "DLR-ARI-SERVER", line);
    host_count(ari, "dialer_ari_no_server_total", NULL, 0, 1);
    if (type == MSG_originate_call || type == MSG_originate_leg) {
        const struct msg_originate_failed m = {
            .pbx = pbx,
            .channel = type == MSG_originate_call
                           ? ((const struct msg_originate_call *)msg)->attempt
                           : ((const struct msg_originate_leg *)msg)->leg,
            .text = words("the server is not configured"),
        };
        host_send(ari, from, MSG_originate_failed, &m);
    } else if (type == MSG_bridge_add) {
        const struct msg_bridge_add *add = msg;
        const struct msg_bridge_added m = {
            .pbx = pbx, .bridge = add->bridge, .channel = add->channel};
        host_send(ari, add->reply_to != HANDLE_NONE ? add->reply_to : from, MSG_bridge_added, &m);
    } else if (type == MSG_check_sound) {
        const struct msg_check_sound *check = msg;
        const struct msg_sound_checked m = {
            .campaign = check->campaign, .media = check->media, .result = RESULT_NOT_FOUND};
        host_send(ari, from, MSG_sound_checked, &m);
    }
}

static void retake(struct ari *ari, uint32_t pbx)
{
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        if (ari->pbxs[i]->number == pbx) {
            link_fire(&ari->pbxs[i]->link, LINK_RETAKE);
        }
    }
}

static void on_mail(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct ari *ari = ctx;
    uint32_t number;
    (void)to;
    if (type == MSG_list_again) {
        ari->host.node = ((const struct msg_list_again *)msg)->node;
        for (size_t i = 0; i < ari->n_pbxs; i++) {
            link_fire(&ari->pbxs[i]->link, LINK_AGAIN);
        }
        return;
    }
    if (type == MSG_pbx_retake) {
        retake(ari, ((const struct msg_pbx_retake *)msg)->pbx);
        return;
    }
    if (!server_of(type, msg, &number)) {
        host_count(ari, "dialer_ari_bad_commands_total", NULL, 0, 1);
        return;
    }
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        if (ari->pbxs[i]->number == number) {
            pbx_take(ari->pbxs[i], from, type, msg);
            return;
        }
    }
    no_such_server(ari, from, number, type, msg);
}

static void take_limits(struct ari *ari)
{
    pthread_mutex_lock(&ari->limits_lock);
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        struct limits *l = &ari->limits[i];
        if (l->fresh) {
            pbx_limits(ari->pbxs[i], l->calls_per_s, l->lines);
        }
        l->fresh = false;
    }
    pthread_mutex_unlock(&ari->limits_lock);
}

static void on_wake(void *ctx)
{
    struct ari *ari = ctx;
    take_limits(ari);
    ari->mail = true;
}

static void wake_loop(void *ctx)
{
    net_loop_wake(((struct ari *)ctx)->loop);
}

static void *run(void *arg)
{
    struct ari *ari = arg;
    ari->metrics = ari->options.metrics ? metrics_set(ari->options.metrics) : NULL;
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        pbx_start(ari->pbxs[i]);
    }
    ari->mail = true;
    while (!atomic_load(&ari->stop)) {
        /* Between two batches the sockets get their turn: they must never wait for our mail. */
        if (ari->mail) {
            ari->mail = endpoint_receive(ari->endpoint, on_mail, ari, BATCH) == BATCH;
            for (size_t i = 0; i < ari->n_pbxs; i++) {
                pbx_pump(ari->pbxs[i]);
            }
        }
        endpoint_flush(ari->endpoint);
        net_loop_run_once(ari->loop, ari->mail ? 0 : US_PER_S);
    }
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        pbx_close(ari->pbxs[i]);
    }
    ari->n_pbxs = 0;
    endpoint_flush(ari->endpoint);
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------
 */

static bool open_servers(struct ari *ari, char *err, size_t errlen)
{
    const struct ari_options *o = &ari->options;
    ari->pbxs = calloc(o->n_servers ? o->n_servers : 1, sizeof *ari->pbxs);
    ari->limits = calloc(o->n_servers ? o->n_servers : 1, sizeof *ari->limits);
    if (!ari->pbxs || !ari->limits) {
        snprintf(err, errlen, "no memory");
        return false;
    }
    for (size_t i = 0; i < o->n_servers; i++) {
        struct pbx *pbx = pbx_open(&ari->host, &o->servers[i], err, errlen);
        if (!pbx) {
            return false;
        }
        ari->pbxs[ari->n_pbxs++] = pbx;
        ari->limits[ari->n_limits++].pbx = pbx->number;
    }
    return true;
}

struct ari *ari_open(const struct ari_options *options, char *err, size_t errlen)
{
    struct ari *ari = calloc(1, sizeof *ari);
    if (!ari) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }
    pthread_mutex_init(&ari->limits_lock, NULL);
    ari->options = *options;
    ari->permits = *options->permits;
    ari->options.permits = NULL; /* copied */
    const struct net_loop_config config = {.on_wake = on_wake, .on_log = net_log_line, .ctx = ari};
    ari->loop = net_loop_open(&config, err, errlen);
    if (!ari->loop) {
        pthread_mutex_destroy(&ari->limits_lock);
        free(ari);
        return NULL;
    }
    ari->host = (struct ari_host){
        .loop = ari->loop,
        .permits = &ari->permits,
        .node = options->node,
        .send = host_send,
        .count = host_count,
        .observe = host_observe,
        .log = host_log,
        .ctx = ari,
        .leaving = options->leaving,
        .leaving_ctx = options->leaving_ctx,
    };
    ari->endpoint = endpoint_open(options->pool, KIND_ARI, wake_loop, ari);
    if (!ari->endpoint) {
        snprintf(err, errlen, "the telephony adapter's endpoint is taken");
    }
    if (!ari->endpoint || !open_servers(ari, err, errlen)) {
        ari_fini(ari);
        return NULL;
    }
    ari->options.servers = NULL; /* copied, and not ours to keep */
    return ari;
}

int ari_start(struct ari *ari)
{
    if (pthread_create(&ari->thread, NULL, run, ari) != 0) {
        return -1;
    }
    ari->running = true;
    return 0;
}

void ari_limits(struct ari *ari, uint32_t pbx, double calls_per_s, unsigned lines)
{
    pthread_mutex_lock(&ari->limits_lock);
    for (size_t i = 0; i < ari->n_limits; i++) {
        if (ari->limits[i].pbx == pbx) {
            ari->limits[i] = (struct limits){pbx, calls_per_s, lines, true};
        }
    }
    pthread_mutex_unlock(&ari->limits_lock);
    net_loop_wake(ari->loop);
}

void ari_close(struct ari *ari)
{
    atomic_store(&ari->stop, true);
    net_loop_wake(ari->loop);
}

void ari_stop(struct ari *ari)
{
    if (ari->running) {
        ari_close(ari);
        pthread_join(ari->thread, NULL);
        ari->running = false;
    }
}

void ari_fini(struct ari *ari)
{
    if (!ari) {
        return;
    }
    ari_stop(ari);
    for (size_t i = 0; i < ari->n_pbxs; i++) {
        pbx_close(ari->pbxs[i]); /* the thread never ran */
    }
    if (ari->endpoint) {
        endpoint_close(ari->endpoint);
    }
    net_loop_close(ari->loop);
    pthread_mutex_destroy(&ari->limits_lock);
    free(ari->limits);
    free(ari->pbxs);
    free(ari);
}
