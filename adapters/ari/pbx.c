/* pbx.c - one Asterisk server: sockets, lanes, and the steps of the link. */
#include "adapters/ari/pbx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_PORT 8088
/* A request on a lane; later the lane is given up. Longer than a server takes that is only slow
 * (5 s): what it was asked would be of unknown fate. */
#define ANSWER_US (8 * US_PER_S)
#define REST_PROBE_US (1500 * US_PER_MS)
#define SWEEP_US (250 * US_PER_MS)

void pbx_log(const struct pbx *pbx, int level, const char *code, const char *format, ...)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s: ", pbx->name);
    va_list ap;
    va_start(ap, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, ap);
    va_end(ap);
    pbx->host->log(pbx->host->ctx, level, code, line);
}

void pbx_count(const struct pbx *pbx, const char *name, const char *label)
{
    pbx->host->count(pbx->host->ctx, name, label, pbx->number, 1);
}

void pbx_send(const struct pbx *pbx, handle to, uint16_t type, const void *msg)
{
    pbx->host->send(pbx->host->ctx, to, type, msg);
}

static void trouble(struct pbx *pbx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Why the link is not up, for people. */
static void trouble(struct pbx *pbx, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(pbx->why, sizeof pbx->why, format, ap);
    va_end(ap);
}

/* --- the events' socket ------------------------------------------------------------------------
 */

static void on_events_open(void *ctx, struct net_ws *ws)
{
    struct pbx *pbx = ctx;
    (void)ws;
    pbx->events_open = true;
    pbx_maybe_opened(pbx);
}

static void on_events_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    pbx_event(ctx, text, len);
}

static void on_events_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct pbx *pbx = ctx;
    (void)ws;
    pbx->events = NULL;
    pbx->events_open = false;
    if (pbx->closing) {
        return;
    }
    if (link_state(&pbx->link) != LINK_DOWN) {
        trouble(pbx, "%s%s%.*s", end->opened ? "the connection ended" : "no connection",
                end->reason[0] ? ": " : "", 100, end->reason);
        if (end->http_status) {
            trouble(pbx, "the server answered HTTP %d", end->http_status);
        }
    }
    link_fire(&pbx->link, LINK_LOST);
}

/* --- the steps ---------------------------------------------------------------------------------
 */

static void drop_sockets(struct pbx *pbx)
{
    /* Each on_close comes from the loop; they look at the state before they act. */
    if (pbx->events) {
        net_ws_drop(pbx->events);
    }
    pbx->events_open = false;
    pbx_lane_drop(&pbx->lanes[LANE_ORIGINATE]);
    pbx_lane_drop(&pbx->lanes[LANE_CONTROL]);
}

static void hook_connect(void *ctx)
{
    static const struct net_ws_events events = {
        .on_open = on_events_open, .on_message = on_events_message, .on_close = on_events_close};
    struct pbx *pbx = ctx;
    if (pbx->events || pbx->lanes[0].ws || pbx->lanes[1].ws) {
        /* The last ones are not gone yet: the connect timer brings us here again. */
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    pbx->connect++;
    pbx->rest_over_ws = true;
    pbx->events = pbx_dial(pbx, "", &events, 256u * 1024u, pbx);
    pbx_lane_connect(&pbx->lanes[LANE_ORIGINATE]);
    pbx_lane_connect(&pbx->lanes[LANE_CONTROL]);
    if (!pbx->events) {
        trouble(pbx, "no memory for a connection");
        link_fire(&pbx->link, LINK_BAD);
    }
}

static void step_failed(struct pbx *pbx, const char *what, const struct answer *a)
{
    if (a->fate == NET_ANSWERED) {
        trouble(pbx, "%s: HTTP %d", what, a->status);
    } else {
        trouble(pbx, "%s: %.100s", what, a->error);
    }
    link_fire(&pbx->link, LINK_BAD);
}

static void on_checked(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    /* The question that went unanswered on a websocket was asked again over HTTP. */
    if (link_state(&pbx->link) != LINK_CHECKING || (!cmd->http && !pbx->rest_over_ws)) {
        return;
    }
    if (!answer_good(a) || json_parse(&pbx->doc, a->body, a->len) != 0) {
        step_failed(pbx, "asking for its state", a);
        return;
    }
    char now[sizeof pbx->startup_time];
    json_copy(&pbx->doc, json_path(&pbx->doc, JSON_ROOT, "status.startup_time"), now, sizeof now);
    pbx->restarted = pbx->startup_time[0] && strcmp(now, pbx->startup_time) != 0;
    if (pbx->restarted) {
        pbx_log(pbx, 2, "DLR-ARI-RESTART", "it was started anew at %s: calls there are over", now);
        for (size_t i = 0; i < pbx->n_watched; i++) {
            pbx->watched[i].subscribed = false;
        }
    }
    memcpy(pbx->startup_time, now, sizeof now);
    link_fire(&pbx->link, LINK_GOOD);
}

static void ask_state(struct pbx *pbx)
{
    struct command *cmd = pbx_step(pbx, on_checked);
    if (!cmd || wire_get("asterisk/info?only=status", &cmd->request_text) != 0) {
        free(cmd);
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    pbx_send_command(pbx, cmd);
}

/* An Asterisk before 22 leaves requests on a websocket unanswered: if the first one stays so, HTTP
 * carries them all. The question goes out again there; it changes nothing. */
static void on_rest_probe(struct pbx *pbx)
{
    if (link_state(&pbx->link) == LINK_CHECKING && pbx->rest_over_ws && pbx->http) {
        pbx_log(pbx, 1, "DLR-ARI-HTTP", "no answer to requests on a websocket: using HTTP");
        pbx->rest_over_ws = false;
        pbx_lane_drop(&pbx->lanes[LANE_ORIGINATE]);
        pbx_lane_drop(&pbx->lanes[LANE_CONTROL]);
        ask_state(pbx);
    }
}

static void hook_check(void *ctx)
{
    ask_state(ctx);
}

static void on_filtered(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    (void)cmd;
    if (link_state(&pbx->link) != LINK_FILTERING) {
        return;
    }
    if (answer_good(a)) {
        link_fire(&pbx->link, LINK_GOOD);
    } else {
        step_failed(pbx, "setting the event filter", a);
    }
}

static void hook_filter(void *ctx)
{
    struct pbx *pbx = ctx;
    struct command *cmd = pbx_step(pbx, on_filtered);
    if (!cmd || wire_filter(pbx->application, &cmd->request_text) != 0) {
        free(cmd);
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    pbx_send_command(pbx, cmd);
}

static void hook_subscribe(void *ctx)
{
    pbx_subscribe(ctx);
}

static void hook_list(void *ctx)
{
    pbx_list(ctx);
}

static void hook_up(void *ctx)
{
    struct pbx *pbx = ctx;
    pbx->why[0] = '\0';
    pbx_walk_phones(pbx);
}

static void hook_down(void *ctx)
{
    struct pbx *pbx = ctx;
    drop_sockets(pbx);
    pbx_fail_originates(pbx, "the server is not connected");
    pbx_count(pbx, "dialer_ari_link_lost_total", NULL);
}

static void hook_replaced(void *ctx)
{
    struct pbx *pbx = ctx;
    trouble(pbx, "another program took over the application %s", pbx->application);
    drop_sockets(pbx);
    pbx_fail_originates(pbx, "the application was taken over");
    pbx_log(pbx, 3, "DLR-ARI-REPLACED", "another program took over the application %s: stopping",
            pbx->application);
}

static uint8_t outside_state(enum link_state state)
{
    switch (state) {
    case LINK_CONNECTING:
        return PBX_CONNECTING;
    case LINK_CHECKING:
    case LINK_FILTERING:
    case LINK_SUBSCRIBING:
        return PBX_CHECKING;
    case LINK_LISTING:
        return PBX_LISTING;
    case LINK_UP:
        return PBX_UP;
    case LINK_REPLACED:
        return PBX_REPLACED;
    case LINK_DOWN:
    case LINK_STATES:
    default:
        return PBX_DOWN;
    }
}

static void tell_state(struct pbx *pbx)
{
    uint8_t state = outside_state(link_state(&pbx->link));
    if (state == pbx->told_state) {
        return;
    }
    pbx->told_state = state;
    const struct msg_pbx_moved m = {
        .pbx = pbx->number,
        .name = {pbx->name, (uint32_t)strlen(pbx->name)},
        .state = state,
        .restarted = pbx->restarted,
        .text = {pbx->why, (uint32_t)strlen(pbx->why)},
    };
    pbx_send(pbx, ADDR_DESK, MSG_pbx_moved, &m);
}

/* Coming and going are news; the steps between, and each further failure to come, are not. */
static void hook_moved(void *ctx)
{
    struct pbx *pbx = ctx;
    enum link_state state = link_state(&pbx->link);
    bool first_failure = state == LINK_DOWN && pbx->link.failures == 1;
    pbx_log(pbx, first_failure ? 2 : state == LINK_UP, "DLR-ARI-LINK", "%s%s%s",
            link_state_name(state), pbx->why[0] ? ": " : "", pbx->why);
    tell_state(pbx);
    pbx_update_hold(pbx);
    pbx_pump(pbx);
}

static void hook_set_timer(void *ctx, int64_t delay_us)
{
    net_timer_set(((struct pbx *)ctx)->link_timer, delay_us);
}

static void hook_clear_timer(void *ctx)
{
    net_timer_clear(((struct pbx *)ctx)->link_timer);
}

static int64_t hook_now(void *ctx)
{
    (void)ctx;
    return net_now_us();
}

static uint64_t hook_random(void *ctx)
{
    uint64_t n = 0;
    (void)ctx;
    return getrandom(&n, sizeof n, 0) == (ssize_t)sizeof n ? n : 0;
}

static const struct link_hooks hooks = {
    .connect = hook_connect,
    .check = hook_check,
    .filter = hook_filter,
    .subscribe = hook_subscribe,
    .list = hook_list,
    .up = hook_up,
    .down = hook_down,
    .replaced = hook_replaced,
    .moved = hook_moved,
    .set_timer = hook_set_timer,
    .clear_timer = hook_clear_timer,
    .now_us = hook_now,
    .random = hook_random,
};

/* --- timers ------------------------------------------------------------------------------------
 */

static void on_link_timer(void *ctx)
{
    struct pbx *pbx = ctx;
    if (link_state(&pbx->link) != LINK_DOWN) {
        trouble(pbx, "no progress while %s", link_state_name(link_state(&pbx->link)));
    }
    link_fire(&pbx->link, LINK_TIMEOUT);
}

void pbx_pump(struct pbx *pbx)
{
    int64_t now = net_now_us();
    struct queue_item *item;
    if (pbx->closing) {
        return;
    }
    /* The table also has those that have not left yet. */
    size_t coming = pbx->queue.waiting[QUEUE_ORIGINATE].count + pbx->queue.originates_flying;
    size_t known = pbx->chans.count;
    queue_set_live(&pbx->queue, known > coming ? (unsigned)(known - coming) : 0);
    while ((item = queue_shed(&pbx->queue, now))) {
        const struct answer a = {
            .fate = NET_NOT_SENT, .body = "", .error = "it waited too long for the server"};
        pbx_count(pbx, "dialer_ari_shed_total", NULL);
        ((struct command *)item)->direct = true; /* it is not in flight */
        pbx_answered((struct command *)item, &a);
    }
    while ((item = queue_take(&pbx->queue, now))) {
        pbx_send_command(pbx, (struct command *)item);
        now = net_now_us();
    }
    int64_t next = queue_next_us(&pbx->queue, now);
    if (next == INT64_MAX) {
        net_timer_clear(pbx->pump_timer);
    } else {
        net_timer_set(pbx->pump_timer, next - now + US_PER_MS);
    }
}

static void on_pump_timer(void *ctx)
{
    pbx_pump(ctx);
}

static void on_sweep_timer(void *ctx)
{
    struct pbx *pbx = ctx;
    int64_t now = net_now_us();
    char line[200];
    for (int i = 0; i < LANES; i++) {
        struct lane *lane = &pbx->lanes[i];
        int64_t waits = lane->head ? now - lane->waits_us : 0;
        if (waits > REST_PROBE_US && link_state(&pbx->link) == LINK_CHECKING) {
            on_rest_probe(pbx);
        } else if (waits > ANSWER_US && lane->ws) {
            pbx_log(pbx, 2, "DLR-ARI-SILENT", "no answer in %d s on a request socket: dropping it",
                    (int)(ANSWER_US / US_PER_S));
            pbx_lane_drop(lane);
        }
    }
    pbx_sweep(pbx);
    while (refused_due(&pbx->refused, now, line, sizeof line)) {
        pbx_log(pbx, 2, "DLR-ARI-REFUSED", "%s", line);
    }
    pbx_pump(pbx);
    net_timer_set(pbx->sweep_timer, SWEEP_US);
}

/* --- beginning and end -------------------------------------------------------------------------
 */

/* http://HOST[:PORT][/PATH] */
static int read_url(struct pbx *pbx, const char *url, char *err, size_t errlen)
{
    const char *at = url;
    if (strncmp(at, "https://", 8) == 0) {
        pbx->tls = true;
        at += 8;
    } else if (strncmp(at, "http://", 7) == 0) {
        at += 7;
    } else {
        snprintf(err, errlen, "%s: not a http:// or https:// address", url);
        return -1;
    }
    bool bracket = *at == '[';
    size_t host = bracket ? strcspn(at + 1, "]") : strcspn(at, ":/");
    at += bracket ? 1 : 0;
    if (host == 0 || host >= sizeof pbx->server) {
        snprintf(err, errlen, "%s: no host in it", url);
        return -1;
    }
    memcpy(pbx->server, at, host);
    at += host + (bracket && at[host] == ']' ? 1u : 0u);
    unsigned long port = DEFAULT_PORT;
    if (*at == ':') {
        char *end;
        port = strtoul(at + 1, &end, 10);
        at = end;
    }
    size_t path = strlen(at);
    while (path > 0 && at[path - 1] == '/') {
        path--;
    }
    if (port == 0 || port > UINT16_MAX || (path > 0 && *at != '/') || path >= sizeof pbx->path) {
        snprintf(err, errlen, "%s: bad port or path", url);
        return -1;
    }
    pbx->port = (uint16_t)port;
    snprintf(pbx->path, sizeof pbx->path, "%.*s", path ? (int)path : 4, path ? at : "/ari");
    return 0;
}

static bool open_http(struct pbx *pbx, char *err, size_t errlen)
{
    const struct net_header headers[] = {{"Authorization", pbx->authorization}};
    /* One connection: Asterisk uses one core for it, and the order of bridging commands holds. */
    const struct net_http_config config = {
        .host = pbx->server,
        .port = pbx->port,
        .headers = headers,
        .n_headers = 1,
        .max_connections = 1,
        .max_body = LIST_MAX,
        .timeout_us = ANSWER_US,
    };
    if (pbx->tls) {
        return true; /* everything goes over the websockets */
    }
    pbx->http = net_http_open(pbx->host->loop, &config, err, errlen);
    return pbx->http != NULL;
}

static bool make_timers(struct pbx *pbx)
{
    struct net_loop *loop = pbx->host->loop;
    pbx->link_timer = net_timer_new(loop, on_link_timer, pbx);
    pbx->pump_timer = net_timer_new(loop, on_pump_timer, pbx);
    pbx->sweep_timer = net_timer_new(loop, on_sweep_timer, pbx);
    for (int i = 0; i < LANES; i++) {
        pbx->lanes[i].pbx = pbx;
        pbx->lanes[i].kind = (enum lane_kind)i;
        pbx->lanes[i].retry = net_timer_new(loop, pbx_lane_retry, &pbx->lanes[i]);
    }
    return pbx->link_timer && pbx->pump_timer && pbx->sweep_timer && pbx->lanes[0].retry &&
           pbx->lanes[1].retry;
}

struct pbx *pbx_open(const struct ari_host *host, const struct ari_server *server, char *err,
                     size_t errlen)
{
    struct pbx *pbx = calloc(1, sizeof *pbx);
    if (!pbx) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }
    pbx->host = host;
    pbx->number = server->pbx;
    pbx->told_state = PBX_STATES;
    snprintf(pbx->name, sizeof pbx->name, "%s", server->name ? server->name : "asterisk");
    snprintf(pbx->application, sizeof pbx->application, "%s", server->application);
    snprintf(pbx->tls_ca, sizeof pbx->tls_ca, "%s", server->tls_ca ? server->tls_ca : "");
    json_init(&pbx->doc, 256u * 1024u);
    json_init(&pbx->bridges_doc, LIST_MAX);
    json_init(&pbx->list_doc, LIST_MAX);
    const struct queue_config config = {.calls_per_s = server->calls_per_s, .lines = server->lines};
    queue_init(&pbx->queue, &config, net_now_us());
    queue_hold(&pbx->queue, true);
    if (net_basic_auth_make(server->user, server->password, pbx->authorization,
                            sizeof pbx->authorization) < 0) {
        snprintf(err, errlen, "%s: user or password cannot be sent", pbx->name);
        pbx_close(pbx);
        return NULL;
    }
    if (read_url(pbx, server->url, err, errlen) != 0 || !make_timers(pbx) ||
        !open_http(pbx, err, errlen)) {
        pbx_close(pbx);
        return NULL;
    }
    return pbx;
}

void pbx_limits(struct pbx *pbx, double calls_per_s, unsigned lines)
{
    queue_limits(&pbx->queue, calls_per_s, lines, net_now_us());
}

void pbx_start(struct pbx *pbx)
{
    link_init(&pbx->link, &hooks, pbx);
    tell_state(pbx);
    net_timer_set(pbx->sweep_timer, SWEEP_US);
}

void pbx_close(struct pbx *pbx)
{
    if (!pbx) {
        return;
    }
    pbx->closing = true;
    drop_sockets(pbx);
    while (pbx->events || pbx->lanes[0].ws || pbx->lanes[1].ws) {
        net_loop_run_once(pbx->host->loop, 10 * US_PER_MS); /* dropped ones end in the next turn */
    }
    net_http_close(pbx->http);
    for (int i = 0; i < LANES; i++) {
        net_timer_free(pbx->lanes[i].retry);
    }
    struct queue_item *item;
    while ((item = queue_empty_one(&pbx->queue))) {
        free(item);
    }
    net_timer_free(pbx->link_timer);
    net_timer_free(pbx->pump_timer);
    net_timer_free(pbx->sweep_timer);
    chans_free(&pbx->chans);
    chans_free(&pbx->ended);
    json_free(&pbx->doc);
    json_free(&pbx->bridges_doc);
    json_free(&pbx->list_doc);
    free(pbx->watched);
    explicit_bzero(pbx->authorization, sizeof pbx->authorization);
    free(pbx);
}
