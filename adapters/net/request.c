/* request.c - what a handler sees of a request, and how it answers. */
#include "adapters/net/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- answers ----------------------------------------------------------------------------- */

static bool put_default_fields(struct net_buf *b)
{
    char date[40];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return buf_field(b, "Date", date) && buf_field(b, "X-Content-Type-Options", "nosniff");
}

bool put_answer(struct conn *c, const struct net_response *r, bool is_head, bool close_after)
{
    struct net_buf *b = &c->out;
    char line[64];
    const char *reason = r->reason ? r->reason : http1_reason(r->status);
    snprintf(line, sizeof line, "HTTP/1.1 %d ", r->status);
    bool ok = buf_text(b, line) && buf_text(b, reason) && buf_text(b, "\r\n");
    if (!c->server->config.no_default_headers) {
        ok = ok && put_default_fields(b);
    }
    if (r->content_type) {
        ok = ok && buf_field(b, "Content-Type", r->content_type);
    }
    for (size_t i = 0; i < r->n_headers; i++) {
        ok = ok && buf_field(b, r->headers[i].name, r->headers[i].value);
    }
    bool bodiless = r->status < 200 || r->status == 204 || r->status == 304;
    if (!bodiless) {
        snprintf(line, sizeof line, "Content-Length: %zu\r\n", r->len);
        ok = ok && buf_text(b, line);
    }
    ok = ok &&
         buf_text(b, close_after ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
    if (!bodiless && !is_head && r->len > 0) {
        ok = ok && buf_append(b, r->body, r->len);
    }
    return ok;
}

static bool response_ok(const struct net_response *r)
{
    if (r->status < 100 || r->status > 999 || (r->len > 0 && !r->body) ||
        (r->reason && !header_value_ok(r->reason)) ||
        (r->content_type && !header_value_ok(r->content_type))) {
        return false;
    }
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!header_name_ok(r->headers[i].name) || !header_value_ok(r->headers[i].value)) {
            return false;
        }
    }
    return true;
}

/* Length of the present request, head and body. */
static size_t request_len(const struct conn *c)
{
    const struct http1_head *head = &c->req.head;
    return head->head_len + (head->content_length > 0 ? (size_t)head->content_length : 0);
}

/* The handler is done with the bytes of its request. */
static bool forget_request(struct conn *c)
{
    size_t len = request_len(c);
    buf_at(&c->in)[len] = c->saved;
    buf_consume(&c->in, len);
    bool ok = buf_append(&c->in, c->next.len ? buf_at(&c->next) : "", c->next.len);
    buf_consume(&c->next, c->next.len);
    return ok;
}

/* The answer is in the queue (or memory ran out): go on with the connection. */
static void answered(struct conn *c, bool queued, bool close_after)
{
    queued = forget_request(c) && queued;
    c->began_us = 0;
    c->answered_continue = false;
    c->state = close_after ? CONN_ENDING : CONN_READING;
    if (!queued || !conn_flush(c)) {
        conn_end_later(c);
        return;
    }
    conn_arm(c);
    conn_watch(c);
    if (c->state == CONN_READING && c->in.len > 0) {
        net_defer(c->server->loop, &c->task); /* the next request is here already */
    }
}

int net_respond(struct net_req *req, const struct net_response *response)
{
    struct conn *c = req->conn;
    if (c->gone || c->state != CONN_HANDLING) {
        return NET_ECLOSED;
    }
    static const struct net_response broken = {.status = 500, .close = true};
    bool ok = response_ok(response);
    const struct net_response *r = ok ? response : &broken;
    bool is_head = req->head.method_len == 4 && memcmp(buf_at(&c->in), "HEAD", 4) == 0;
    bool close_after = r->close || req->head.close;
    bool queued = put_answer(c, r, is_head, close_after);
    answered(c, queued, close_after);
    return !ok ? NET_EINVAL : queued ? NET_OK : NET_ENOMEM;
}

int net_respond_text(struct net_req *req, int status, const char *content_type, const char *body)
{
    struct net_response r = {.status = status,
                             .content_type = content_type,
                             .body = body ? body : "",
                             .len = body ? strlen(body) : 0};
    return net_respond(req, &r);
}

void net_req_drop(struct net_req *req)
{
    struct conn *c = req->conn;
    if (!c->gone && c->state == CONN_HANDLING) {
        c->state = CONN_ENDING;
        conn_end_later(c);
    }
}

/* --- looking at a request ---------------------------------------------------------------- */

/* The head's bytes are cut into C strings in place when the handler first asks: "METHOD\0target\0".
 */
static const char *cut(const struct net_req *req, uint32_t at, uint32_t len)
{
    char *bytes = buf_at(&req->conn->in);
    bytes[at + len] = '\0';
    return bytes + at;
}

const char *net_req_method(const struct net_req *req)
{
    return cut(req, req->head.method, req->head.method_len);
}

const char *net_req_target(const struct net_req *req)
{
    return cut(req, req->head.target, req->head.target_len);
}

struct text net_req_path(const struct net_req *req)
{
    const char *target = buf_at(&req->conn->in) + req->head.target;
    const char *mark = memchr(target, '?', req->head.target_len);
    return (struct text){target, mark ? (uint32_t)(mark - target) : req->head.target_len};
}

struct text net_req_query(const struct net_req *req)
{
    const char *target = buf_at(&req->conn->in) + req->head.target;
    const char *mark = memchr(target, '?', req->head.target_len);
    if (!mark) {
        return (struct text){target + req->head.target_len, 0};
    }
    return (struct text){mark + 1, req->head.target_len - (uint32_t)(mark + 1 - target)};
}

const char *net_req_header(const struct net_req *req, const char *name)
{
    const char *bytes = buf_at(&req->conn->in);
    struct text value = http1_field(bytes, &req->head, name);
    return value.ptr ? cut(req, (uint32_t)(value.ptr - bytes), value.len) : NULL;
}

struct text net_req_body(const struct net_req *req)
{
    uint32_t len = req->head.content_length > 0 ? (uint32_t)req->head.content_length : 0;
    return (struct text){buf_at(&req->conn->in) + req->head.head_len, len};
}

const char *net_req_peer(const struct net_req *req)
{
    return req->conn->peer;
}

uint64_t net_req_connection(const struct net_req *req)
{
    return req->conn->id;
}

void *net_req_ctx(const struct net_req *req)
{
    return req->ctx;
}

void net_req_set_ctx(struct net_req *req, void *ctx)
{
    req->ctx = ctx;
}

bool net_req_is_websocket(const struct net_req *req)
{
    const char *bytes = buf_at(&req->conn->in);
    struct text version = http1_field(bytes, &req->head, "Sec-WebSocket-Version");
    struct text key = http1_field(bytes, &req->head, "Sec-WebSocket-Key");
    return req->head.upgrade_websocket && req->head.minor == 1 && req->head.content_length <= 0 &&
           req->head.method_len == 3 && memcmp(bytes + req->head.method, "GET", 3) == 0 &&
           version.len == 2 && memcmp(version.ptr, "13", 2) == 0 && key.len == 24;
}

struct net_ws *net_ws_accept(struct net_req *req, const char *subprotocol,
                             const struct net_ws_limits *limits, const struct net_ws_events *events,
                             void *ctx)
{
    struct conn *c = req->conn;
    if (c->gone || c->state != CONN_HANDLING) {
        return NULL;
    }
    /* A client that pipelines before a handshake whose answer it has not seen gets none. */
    if (!net_req_is_websocket(req) || (subprotocol && !header_name_ok(subprotocol)) ||
        c->out.len > 0) {
        net_respond_text(req, 400, "text/plain", "not a websocket handshake");
        return NULL;
    }
    struct net_server *s = c->server;
    char key[25];
    memcpy(key, net_req_header(req, "Sec-WebSocket-Key"), sizeof key);
    if (!forget_request(c)) {
        conn_end_later(c);
        return NULL;
    }
    const struct ws_takeover from = {
        .fd = c->fd,
        .key = key,
        .subprotocol = subprotocol,
        .peer = c->peer,
        .early = c->in.len ? buf_at(&c->in) : "",
        .early_len = c->in.len,
        .server = s,
        .connection = c->id,
    };
    ev_io_stop(s->loop->ev, &c->io);
    struct net_ws *ws = ws_take_over(s->loop, &from, limits, events, ctx);
    if (!ws) {
        c->state = CONN_ENDING;
        conn_end_later(c);
        return NULL;
    }
    s->stats.websockets++;
    /* The connection lives on in the websocket, which tells server_connection_ended. conn_step may
     * be above us on the stack but touches nothing after the handler. */
    c->fd = -1;
    conn_release(c);
    return ws;
}
