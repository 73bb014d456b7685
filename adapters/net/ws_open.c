/*
 * ws_open.c - how a websocket begins: a client's connect, a server's takeover; and the one callback
 * that libwebsockets calls.
 */
#include "adapters/net/ws.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- opening ----------------------------------------------------------------------------- */

#define CONNECTING_MAX 128u

static void tune_socket(const struct net_ws *ws, int fd)
{
    unsigned dead_ms =
        (unsigned)((ws->limits.dead_us > 0 ? ws->limits.dead_us : 10 * US_PER_S) / US_PER_MS);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* A peer that reads slowly keeps acknowledging; this is for one that is not there any more. */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
    if (ws->limits.send_buffer > 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &ws->limits.send_buffer, sizeof(int));
    }
    if (ws->limits.receive_buffer > 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &ws->limits.receive_buffer, sizeof(int));
    }
}

static void on_established(struct net_ws *ws, struct lws *wsi)
{
    ws->wsi = wsi;
    if (ws->ending) {
        return;
    }
    ws_connect_over(ws);
    tune_socket(ws, lws_get_socket_fd(ws->wsi));
    ws->state = WS_OPEN;
    ws_heard(ws);
    ws->end.opened = true;
    ws_arm(ws);
    if (ws->events.on_open) {
        ws->events.on_open(ws->ctx, ws);
    }
    if (ws->paused && ws->wsi) {
        lws_rx_flow_control(ws->wsi, 0);
    }
}

/* The TLS trust of a client connection belongs to a vhost: one for each CA file, made at first use,
 * since reading the system's roots takes tens of milliseconds. */
struct tls_vhost {
    struct net_link link;
    struct lws_vhost *vhost;
    char ca[256]; /* "": the system's */
};

static struct lws_vhost *tls_vhost_for(struct net_loop *loop, const char *ca)
{
    for (struct net_link *l = loop->vhosts.next; l != &loop->vhosts; l = l->next) {
        if (strcmp(((struct tls_vhost *)l)->ca, ca) == 0) {
            return ((struct tls_vhost *)l)->vhost;
        }
    }
    struct tls_vhost *t = strlen(ca) < sizeof t->ca ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        return NULL;
    }
    memcpy(t->ca, ca, strlen(ca) + 1);
    struct lws_context_creation_info info = {0};
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = net_lws_protocols;
    info.vhost_name = ca[0] ? t->ca : "system roots";
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.client_ssl_ca_filepath = ca[0] ? t->ca : NULL;
    info.http_proxy_address = NET_NO_PROXY;
    info.retry_and_idle_policy = &net_lws_no_validity;
    t->vhost = lws_create_vhost(loop->lws, &info);
    if (!t->vhost) {
        free(t);
        return NULL;
    }
    link_append(&loop->vhosts, &t->link);
    return t->vhost;
}

static void ws_connect(struct net_ws *ws)
{
    char host[300];
    const struct ws_client *t = &ws->client;
    snprintf(host, sizeof host, "%s:%u", t->host, t->port);
    struct lws_client_connect_info info = {0};
    info.context = ws->loop->lws;
    info.vhost = t->tls ? tls_vhost_for(ws->loop, t->tls_ca ? t->tls_ca : "") : ws->loop->vhost;
    info.address = t->host;
    info.port = t->port;
    info.path = t->path;
    info.host = host;
    info.protocol = t->subprotocol;
    info.local_protocol_name = "net";
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (t->tls ? LCCSCF_USE_SSL : 0);
    info.ietf_version_or_minus_one = -1;
    info.opaque_user_data = ws;
    info.retry_and_idle_policy = &net_lws_no_validity;
    /* What fails at once, as a socket that cannot be had, ends ws from within: then it is not
     * `dialing` any more, and neither it nor a place in it may be touched. */
    struct net_loop *loop = ws->loop;
    loop->dialing = ws;
    struct lws *wsi = info.vhost ? lws_client_connect_via_info(&info) : NULL;
    if (loop->dialing != ws) {
        return;
    }
    loop->dialing = NULL;
    ws->wsi = wsi;
    if (!wsi) {
        ws_say(ws, NET_WS_REFUSED, NET_WS_ABNORMAL, "cannot connect", 14);
        ws_finish(ws);
    }
}

/* lws parses the handshake again, in a form that leaves nothing to interpret. */
static void ws_adopt(struct net_ws *ws)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "GET / HTTP/1.1\r\nHost: net\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
                     ws->key);
    struct net_buf bytes = {0};
    int fd = ws->fd;
    ws->fd = -1;
    if (!buf_append(&bytes, head, (size_t)n) ||
        !buf_append(&bytes, ws->early.len ? buf_at(&ws->early) : "", ws->early.len)) {
        buf_free(&bytes);
        close(fd);
        ws_say(ws, NET_WS_LOCAL, NET_WS_ABNORMAL, "no memory", 9);
        ws_finish(ws);
        return;
    }
    buf_free(&ws->early);
    struct net_loop *loop = ws->loop;
    loop->adopting = ws;
    struct lws *wsi = lws_adopt_socket_vhost_readbuf(loop->vhost, fd, buf_at(&bytes), bytes.len);
    buf_free(&bytes);
    /* NULL here: lws has ended the connection while reading, and its callbacks have ended ws; or it
     * never got so far, then nobody has taken `adopting`. */
    if (loop->adopting) {
        loop->adopting = NULL;
        if (!wsi) {
            ws_say(ws, NET_WS_PEER, NET_WS_ABNORMAL, "handshake failed", 16);
            ws_finish(ws);
        }
    }
}

void ws_connect_over(struct net_ws *ws)
{
    struct net_loop *loop = ws->loop;
    if (!ws->counted) {
        return;
    }
    ws->counted = false;
    loop->connecting--;
    if (!link_is_alone(&loop->to_connect)) {
        struct net_task *task = (struct net_task *)loop->to_connect.next;
        struct net_ws *next = (void *)((char *)task - offsetof(struct net_ws, task));
        link_remove(&task->link);
        next->parked = false;
        net_defer(loop, task);
    }
}

/* Few at a time: a thousand handshakes at once are slower than one after the other (lws keeps its
 * time-outs in one sorted list), and would overrun the other side's backlog. */
static void ws_connect_in_turn(struct net_ws *ws)
{
    struct net_loop *loop = ws->loop;
    if (loop->connecting >= CONNECTING_MAX) {
        ws->parked = true;
        link_append(&loop->to_connect, &ws->task.link);
        return;
    }
    ws->counted = true;
    loop->connecting++;
    ws->opened_us = net_now_us();
    ws_arm(ws);
    ws_connect(ws);
}

static void ws_task(struct net_task *task)
{
    struct net_ws *ws = (struct net_ws *)(void *)((char *)task - offsetof(struct net_ws, task));
    if (ws->ending) {
        ws_finish(ws);
    } else if (ws->fd >= 0) {
        ws_adopt(ws);
    } else {
        ws_connect_in_turn(ws);
    }
}

struct net_ws *ws_take_over(struct net_loop *loop, const struct ws_takeover *from,
                            const struct net_ws_limits *limits, const struct net_ws_events *events,
                            void *ctx)
{
    struct net_ws *ws = ws_new(loop, limits, events, ctx, ws_task);
    if (!ws) {
        return NULL;
    }
    if (!buf_append(&ws->early, from->early, from->early_len)) {
        link_remove(&ws->link);
        ws_free(ws);
        return NULL;
    }
    ws->server = from->server;
    ws->connection = from->connection;
    ws->fd = from->fd;
    snprintf(ws->key, sizeof ws->key, "%s", from->key);
    snprintf(ws->subprotocol, sizeof ws->subprotocol, "%s",
             from->subprotocol ? from->subprotocol : "");
    net_defer(loop, &ws->task);
    ws_arm(ws);
    return ws;
}

static bool copy_text(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

/* Origin is one of ours too: lws would put "http://" in front. */
static bool copy_fields(char **to, const struct net_ws_target *target)
{
    struct net_buf b = {0};
    bool ok = buf_append(&b, "", 0) && (!target->origin || buf_field(&b, "Origin", target->origin));
    for (size_t i = 0; ok && i < target->n_headers; i++) {
        ok = buf_field(&b, target->headers[i].name, target->headers[i].value);
    }
    if (!ok) {
        buf_free(&b);
        return false;
    }
    b.data[b.len] = '\0';
    *to = b.data;
    return true;
}

struct net_ws *net_ws_connect(struct net_loop *loop, const struct net_ws_target *target,
                              const struct net_ws_limits *limits,
                              const struct net_ws_events *events, void *ctx)
{
    if (!target || !target->host || !target->path || target->path[0] != '/' || !target->port ||
        strlen(target->host) > 255 || !header_value_ok(target->path) || strchr(target->path, ' ')) {
        return NULL;
    }
    struct net_ws *ws = ws_new(loop, limits, events, ctx, ws_task);
    if (!ws) {
        return NULL;
    }
    struct ws_client *c = &ws->client;
    if (!copy_text(&c->host, target->host) || !copy_text(&c->path, target->path) ||
        !copy_text(&c->subprotocol, target->subprotocol) ||
        !copy_text(&c->tls_ca, target->tls_ca) || !copy_fields(&c->fields, target)) {
        link_remove(&ws->link);
        ws_free(ws);
        return NULL;
    }
    c->port = target->port;
    c->tls = target->tls;
    net_defer(loop, &ws->task);
    return ws;
}

/* --- what libwebsockets calls ------------------------------------------------------------ */

static struct net_ws *ws_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

/* The first callback of an adopted socket that lets us mark it. */
static void claim_adopted(struct lws *wsi)
{
    struct lws_context *context = lws_get_context(wsi);
    struct net_loop *loop = lws_context_user(context);
    if (loop->adopting && !ws_of(wsi)) {
        loop->adopting->wsi = wsi;
        lws_set_opaque_user_data(wsi, loop->adopting);
        loop->adopting = NULL;
    }
}

/* The connection has ended and lws frees its side. */
static void on_closed(struct net_ws *ws, struct lws *wsi)
{
    ws->wsi = NULL;
    lws_set_opaque_user_data(wsi, NULL);
    if (!ws->ending && ws->state == WS_OPENING) {
        ws_say(ws, ws->server ? NET_WS_PEER : NET_WS_REFUSED, NET_WS_ABNORMAL, "connection lost",
               15);
    } else if (!ws->ending && ws->state == WS_OPEN) {
        if (ws->end.code == 0 && !ws_lws_found_fault(ws, wsi)) {
            ws_say(ws, NET_WS_PEER, NET_WS_ABNORMAL, "connection lost", 15);
        }
    }
    ws_finish(ws);
}

static void on_peer_close(struct net_ws *ws, const unsigned char *in, size_t len)
{
    if (ws->state == WS_OPEN && !ws->ending) {
        int code = len >= 2 ? in[0] << 8 | in[1] : NET_WS_NO_STATUS;
        ws_say(ws, NET_WS_PEER, code, len > 2 ? (const char *)in + 2 : "", len > 2 ? len - 2 : 0);
    }
}

static void on_refused(struct net_ws *ws, struct lws *wsi, const char *why, size_t len)
{
    ws->end.http_status = (int)lws_http_client_http_response(wsi);
    ws->wsi = NULL;
    lws_set_opaque_user_data(wsi, NULL);
    if (!ws->ending) {
        ws_say(ws, NET_WS_REFUSED, NET_WS_ABNORMAL, why ? why : "refused", why ? len : 7);
    }
    ws_finish(ws);
}

static int append_text(unsigned char **at, const unsigned char *end, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(end - *at) <= n) {
        return -1;
    }
    memcpy(*at, text, n);
    *at += n;
    return 0;
}

static int add_subprotocol(struct net_ws *ws, struct lws_process_html_args *args)
{
    unsigned char *at = (unsigned char *)args->p;
    unsigned char *end = at + args->max_len;
    if (ws->subprotocol[0] &&
        (append_text(&at, end, "Sec-WebSocket-Protocol: ") ||
         append_text(&at, end, ws->subprotocol) || append_text(&at, end, "\r\n"))) {
        return -1;
    }
    args->p = (char *)at;
    return 0;
}

static bool is_end(enum lws_callback_reasons reason)
{
    return reason == LWS_CALLBACK_CLOSED || reason == LWS_CALLBACK_CLIENT_CLOSED ||
           reason == LWS_CALLBACK_CLOSED_HTTP || reason == LWS_CALLBACK_WSI_DESTROY ||
           reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR;
}

static bool is_about_a_socket(enum lws_callback_reasons reason)
{
    return is_end(reason) || reason == LWS_CALLBACK_ESTABLISHED ||
           reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_RECEIVE ||
           reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_RECEIVE_PONG ||
           reason == LWS_CALLBACK_CLIENT_RECEIVE_PONG || reason == LWS_CALLBACK_SERVER_WRITEABLE ||
           reason == LWS_CALLBACK_CLIENT_WRITEABLE ||
           reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE ||
           reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER ||
           reason == LWS_CALLBACK_ADD_HEADERS || reason == LWS_CALLBACK_HTTP;
}

int ws_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    (void)user;
    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED ||
        reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION) {
        claim_adopted(wsi);
        return 0;
    }
    /* Only these reasons come with a real wsi; PROTOCOL_INIT for one has a piece of one. */
    if (!is_about_a_socket(reason)) {
        return 0;
    }
    struct net_ws *ws = ws_of(wsi);
    if (!ws && (reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE)) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        return 0; /* never -1 from here: see violation() in ws.c */
    }
    if (!ws) {
        return is_end(reason) ? 0 : -1; /* ended on our side already: close */
    }
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        on_established(ws, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return ws_on_receive(ws, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        ws_heard(ws);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return ws_on_writable(ws);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        on_peer_close(ws, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_text((unsigned char **)in, *(unsigned char **)in + len, ws->client.fields);
    case LWS_CALLBACK_ADD_HEADERS:
        return add_subprotocol(ws, in);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        on_refused(ws, wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
        on_closed(ws, wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        return -1; /* an adopted socket that did not become a websocket */
    default:
        return 0;
    }
}
