/*
 * http_client.c - a pool of kept-alive connections to one HTTP server.
 *
 * A call is sent at most once. Its fate says what the caller must know before it decides to repeat:
 * as long as no byte of it was given to the kernel the call is free to go elsewhere; afterwards the
 * server may have acted on it, whatever happens to the connection.
 */
#include "adapters/net/http_answer.h"
#include "adapters/net/internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct call {
    struct net_link link; /* in the pool's waiting list, or alone */
    net_http_fn on_done;
    void *ctx;
    int64_t timeout_us, taken_us, sent_us;
    bool is_head;
    bool reused;
    size_t sent; /* bytes given to the kernel */
    struct net_buf bytes;
};

enum line_state { LINE_CONNECTING, LINE_IDLE, LINE_BUSY };

struct line {
    struct net_link link;
    struct net_task task; /* its end */
    struct net_http *pool;
    int fd;
    enum line_state state;
    bool broken;
    bool used;
    ev_io io;
    ev_timer timer;
    struct call *call;
    struct net_buf in;
    struct http_answer answer;
};

struct net_http {
    struct net_link link;
    struct net_task task; /* hand waiting calls to lines */
    struct net_loop *loop;
    struct net_http_config config;
    char *host;
    struct net_buf fields;
    struct net_link lines, waiting;
    unsigned n_lines, n_waiting, n_on_wire;
    struct sockaddr_storage address;
    socklen_t address_len;
    ev_timer timer; /* the oldest waiting call's deadline */
    char connect_error[128];
};

/* --- calls ------------------------------------------------------------------------------- */

static void call_done(struct call *call, const struct net_http_result *result)
{
    struct net_http_result r = *result;
    r.body = r.body ? r.body : "";
    r.content_type = r.content_type ? r.content_type : "";
    r.error = r.error ? r.error : "";
    r.reused = call->reused;
    r.sent_us = call->sent_us;
    call->on_done(call->ctx, &r);
    buf_free(&call->bytes);
    free(call);
}

static void call_failed(struct call *call, const char *why)
{
    struct net_http_result r = {.fate = call->sent > 0 ? NET_MAYBE_SENT : NET_NOT_SENT,
                                .error = why};
    call_done(call, &r);
}

/* --- lines ------------------------------------------------------------------------------- */

static void line_end(struct line *l, const char *why)
{
    struct net_http *pool = l->pool;
    struct call *call = l->call;
    ev_io_stop(pool->loop->ev, &l->io);
    ev_timer_stop(pool->loop->ev, &l->timer);
    link_remove(&l->task.link);
    link_remove(&l->link);
    pool->n_lines--;
    close(l->fd);
    buf_free(&l->in);
    buf_free(&l->answer.body);
    free(l);
    net_defer(pool->loop, &pool->task); /* there is room for another */
    if (call) {
        pool->n_on_wire--;
        call_failed(call, why);
    }
}

static void line_task(struct net_task *task)
{
    line_end((struct line *)(void *)((char *)task - offsetof(struct line, task)),
             "connection closed");
}

static void line_watch(struct line *l, int events)
{
    struct net_loop *loop = l->pool->loop;
    ev_io_stop(loop->ev, &l->io);
    ev_io_set(&l->io, l->fd, events);
    ev_io_start(loop->ev, &l->io);
}

/* Give the rest of the request to the kernel. False: broken. */
static bool line_write(struct line *l)
{
    struct call *call = l->call;
    while (call->sent < call->bytes.len) {
        ssize_t n = send(l->fd, buf_at(&call->bytes) + call->sent, call->bytes.len - call->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            if (call->sent == 0) {
                call->sent_us = net_now_us();
            }
            call->sent += (size_t)n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            line_watch(l, EV_READ | EV_WRITE);
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
    line_watch(l, EV_READ);
    return true;
}

/* Has the server closed this idle connection? Asked right before use: what the kernel knows already
 * need not cost a call its certainty. */
static bool line_is_stale(const struct line *l)
{
    char byte;
    ssize_t n = recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void line_take(struct line *l, struct call *call)
{
    struct net_http *pool = l->pool;
    link_remove(&call->link);
    pool->n_waiting--;
    pool->n_on_wire++;
    l->call = call;
    l->state = LINE_BUSY;
    http_answer_begin(&l->answer, call->is_head, pool->config.max_body);
    call->reused = l->used;
    l->used = true;
    net_ev_timer_in(pool->loop, &l->timer, call->timeout_us);
    if (!line_write(l)) {
        line_end(l, "connection broke while sending");
    }
}

/* The whole answer is here. */
static void line_answered(struct line *l, const char *body, size_t len, bool keep)
{
    struct net_http *pool = l->pool;
    struct call *call = l->call;
    struct net_buf taken = l->answer.body;
    char type[sizeof l->answer.content_type];
    memcpy(type, l->answer.content_type, sizeof type);
    struct net_http_result r = {.fate = NET_ANSWERED,
                                .status = l->answer.head.status,
                                .body = body,
                                .len = len,
                                .content_type = type};
    bool all_sent = call->sent == call->bytes.len;
    l->call = NULL;
    l->answer.body = (struct net_buf){0};
    pool->n_on_wire--;
    if (keep && all_sent && l->in.len == 0) {
        l->state = LINE_IDLE;
        net_ev_timer_in(pool->loop, &l->timer, pool->config.idle_us);
        line_watch(l, EV_READ);
        net_defer(pool->loop, &pool->task);
    } else {
        l->state = LINE_IDLE;
        l->broken = true;
        ev_io_stop(pool->loop->ev, &l->io);
        net_defer(pool->loop, &l->task);
    }
    call_done(call, &r); /* may close the pool's other lines, not the pool */
    buf_free(&taken);
}

static void line_deliver(struct line *l, bool keep)
{
    struct net_buf *body = &l->answer.body;
    if (!buf_reserve(body, 0)) {
        line_end(l, "no memory");
        return;
    }
    body->data[body->head + body->len] = '\0';
    line_answered(l, buf_at(body), body->len, keep);
}

static void line_read(struct line *l)
{
    char bytes[16 * 1024];
    ssize_t n = recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (l->state == LINE_IDLE) {
        line_end(l, ""); /* closed, or an answer nobody asked for */
        return;
    }
    if (n <= 0) {
        if (n == 0 && http_answer_ends_with_connection(&l->answer)) {
            line_deliver(l, false);
        } else {
            line_end(l, n == 0 ? "server closed the connection" : "connection lost");
        }
        return;
    }
    if (!buf_append(&l->in, bytes, (size_t)n)) {
        line_end(l, "no memory");
        return;
    }
    bool done;
    const char *broken = http_answer_feed(&l->answer, &l->in, &done);
    if (broken) {
        line_end(l, broken);
    } else if (done) {
        line_deliver(l, !l->answer.head.close);
    }
}

static void pool_connect_failed(struct net_http *pool, const char *why)
{
    snprintf(pool->connect_error, sizeof pool->connect_error, "%s", why);
    /* Every waiting call learns it: nothing of them has left. Those that its on_done adds wait for
     * the next try. */
    struct net_link now;
    link_init(&now);
    while (!link_is_alone(&pool->waiting)) {
        struct net_link *l = pool->waiting.next;
        link_remove(l);
        link_append(&now, l);
        pool->n_waiting--;
    }
    while (!link_is_alone(&now)) {
        struct call *call = (struct call *)now.next;
        link_remove(&call->link);
        call_failed(call, pool->connect_error);
    }
}

static void on_line_io(struct ev_loop *ev, ev_io *w, int revents)
{
    (void)ev;
    struct line *l = w->data;
    struct net_http *pool = l->pool;
    if (l->state == LINE_CONNECTING) {
        int failed = 0;
        socklen_t len = sizeof failed;
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failed, &len);
        if (failed) {
            char why[96];
            errno = failed;
            snprintf(why, sizeof why, "cannot connect: %m");
            line_end(l, why);
            pool_connect_failed(pool, why);
            return;
        }
        l->state = LINE_IDLE;
        net_ev_timer_in(pool->loop, &l->timer, pool->config.idle_us);
        line_watch(l, EV_READ);
        net_defer(pool->loop, &pool->task);
        return;
    }
    if ((revents & EV_WRITE) && l->call && !line_write(l)) {
        line_end(l, "connection broke while sending");
        return;
    }
    if (revents & EV_READ) {
        line_read(l);
    }
}

static void on_line_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)revents;
    struct line *l = w->data;
    struct net_http *pool = l->pool;
    bool connecting = l->state == LINE_CONNECTING;
    line_end(l, "no answer in time");
    if (connecting) {
        pool_connect_failed(pool, "cannot connect: no answer in time");
    }
}

/* Another connection. NULL: the error is in pool->connect_error. */
static struct line *line_open(struct net_http *pool)
{
    struct line *l = calloc(1, sizeof *l);
    int fd =
        l ? socket(pool->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        snprintf(pool->connect_error, sizeof pool->connect_error, "cannot make a socket: %m");
        free(l);
        return NULL;
    }
    int on = 1;
    unsigned dead_ms = (unsigned)(pool->config.timeout_us / US_PER_MS);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
    if (connect(fd, (struct sockaddr *)&pool->address, pool->address_len) != 0 &&
        errno != EINPROGRESS) {
        snprintf(pool->connect_error, sizeof pool->connect_error, "cannot connect: %m");
        close(fd);
        free(l);
        return NULL;
    }
    l->pool = pool;
    l->fd = fd;
    l->task.fn = line_task;
    link_init(&l->task.link);
    link_append(&pool->lines, &l->link);
    pool->n_lines++;
    ev_io_init(&l->io, on_line_io, fd, EV_WRITE);
    net_ev_timer_init(&l->timer, on_line_timer, l);
    l->io.data = l;
    ev_io_start(pool->loop->ev, &l->io);
    net_ev_timer_in(pool->loop, &l->timer, pool->config.connect_us);
    return l;
}

/* --- the pool ---------------------------------------------------------------------------- */

/* Hand waiting calls to idle lines; open as many more as they need. */
static void pool_serve(struct net_task *task)
{
    struct net_http *pool =
        (struct net_http *)(void *)((char *)task - offsetof(struct net_http, task));
    unsigned connecting = 0;
    struct net_link *at = pool->lines.next;
    while (at != &pool->lines) {
        struct line *l = (struct line *)at;
        at = at->next;
        if (l->state == LINE_CONNECTING) {
            connecting++;
        }
        if (l->state != LINE_IDLE || l->broken || link_is_alone(&pool->waiting)) {
            continue;
        }
        if (line_is_stale(l)) {
            line_end(l, "");
        } else {
            line_take(l, (struct call *)pool->waiting.next);
            at = pool->lines.next; /* a failed send has called the user */
        }
    }
    while (connecting < pool->n_waiting && pool->n_lines < pool->config.max_connections) {
        if (!line_open(pool)) {
            char why[sizeof pool->connect_error];
            memcpy(why, pool->connect_error, sizeof why);
            pool_connect_failed(pool, why);
            break;
        }
        connecting++;
    }
    if (!link_is_alone(&pool->waiting) && !ev_is_active(&pool->timer)) {
        const struct call *oldest = (const struct call *)pool->waiting.next;
        net_ev_timer_in(pool->loop, &pool->timer,
                        oldest->taken_us + oldest->timeout_us - net_now_us());
    }
}

/* Calls that waited for a line longer than they may take at all. */
static void on_pool_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)revents;
    struct net_http *pool = w->data;
    int64_t now = net_now_us();
    for (;;) {
        struct call *late = NULL;
        for (struct net_link *l = pool->waiting.next; l != &pool->waiting && !late; l = l->next) {
            struct call *call = (struct call *)l;
            late = call->taken_us + call->timeout_us <= now ? call : NULL;
        }
        if (!late) {
            break;
        }
        link_remove(&late->link);
        pool->n_waiting--;
        call_failed(late, "no free connection in time");
    }
    net_defer(pool->loop, &pool->task);
}

static bool put_fields(struct net_buf *b, const struct net_header *headers, size_t n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        ok = buf_field(b, headers[i].name, headers[i].value);
    }
    return ok;
}

struct net_http *net_http_open(struct net_loop *loop, const struct net_http_config *config,
                               char *err, size_t errlen)
{
    struct net_http *pool = config && config->host ? calloc(1, sizeof *pool) : NULL;
    if (!pool) {
        net_error(err, errlen, "cannot make an HTTP client: no host, or no memory");
        return NULL;
    }
    pool->loop = loop;
    pool->config = *config;
    struct net_http_config *c = &pool->config;
    c->max_connections = c->max_connections ? c->max_connections : 4;
    c->max_waiting = c->max_waiting ? c->max_waiting : 1024;
    c->max_body = c->max_body ? c->max_body : 1024u * 1024u;
    c->connect_us = c->connect_us ? c->connect_us : 2 * US_PER_S;
    c->timeout_us = c->timeout_us ? c->timeout_us : 5 * US_PER_S;
    c->idle_us = c->idle_us ? c->idle_us : 10 * US_PER_S;
    link_init(&pool->lines);
    link_init(&pool->waiting);
    link_init(&pool->task.link);
    pool->task.fn = pool_serve;
    net_ev_timer_init(&pool->timer, on_pool_timer, pool);
    link_append(&loop->pools, &pool->link);

    char port[8];
    snprintf(port, sizeof port, "%u", c->port);
    struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(c->host, port, &hints, &found);
    if (failed) {
        net_error(err, errlen, "cannot resolve %s: %s", c->host, gai_strerror(failed));
        net_http_close(pool);
        return NULL;
    }
    memcpy(&pool->address, found->ai_addr, found->ai_addrlen);
    pool->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    pool->host = strdup(c->host);
    bool ok = pool->host && buf_text(&pool->fields, "Host: ") && buf_text(&pool->fields, c->host) &&
              buf_text(&pool->fields, ":") && buf_text(&pool->fields, port) &&
              buf_text(&pool->fields, "\r\n") &&
              put_fields(&pool->fields, c->headers, c->n_headers);
    c->host = NULL;
    c->headers = NULL;
    if (!ok) {
        net_error(err, errlen, "cannot make an HTTP client: a header is malformed, or no memory");
        net_http_close(pool);
        return NULL;
    }
    return pool;
}

void net_http_close(struct net_http *http)
{
    if (!http) {
        return;
    }
    /* on_done may ask for more; there will be none. */
    http->config.max_waiting = 0;
    while (!link_is_alone(&http->lines)) {
        line_end((struct line *)http->lines.next, "client closed");
    }
    pool_connect_failed(http, "client closed");
    ev_timer_stop(http->loop->ev, &http->timer);
    link_remove(&http->task.link);
    link_remove(&http->link);
    buf_free(&http->fields);
    free(http->host);
    free(http);
}

void pools_close_all(struct net_loop *loop)
{
    while (!link_is_alone(&loop->pools)) {
        net_http_close((struct net_http *)loop->pools.next);
    }
}

static bool put_request(struct net_http *http, const struct net_http_call *call, struct net_buf *b)
{
    char length[48];
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", call->len);
    bool wants_length = call->len > 0 || call->body || strcmp(call->method, "GET") != 0;
    return buf_text(b, call->method) && buf_text(b, " ") && buf_text(b, call->target) &&
           buf_text(b, " HTTP/1.1\r\n") && buf_append(b, buf_at(&http->fields), http->fields.len) &&
           put_fields(b, call->headers, call->n_headers) &&
           (!call->content_type || (buf_text(b, "Content-Type: ") &&
                                    buf_text(b, call->content_type) && buf_text(b, "\r\n"))) &&
           (!wants_length || buf_text(b, length)) && buf_text(b, "\r\n") &&
           (call->len == 0 || buf_append(b, call->body, call->len));
}

int net_http_send(struct net_http *http, const struct net_http_call *call)
{
    if (!call->on_done || !header_name_ok(call->method) || !call->target ||
        call->target[0] != '/' || !header_value_ok(call->target) || strchr(call->target, ' ') ||
        (call->content_type && !header_value_ok(call->content_type))) {
        return NET_EINVAL;
    }
    for (size_t i = 0; i < call->n_headers; i++) {
        if (!header_name_ok(call->headers[i].name) || !header_value_ok(call->headers[i].value)) {
            return NET_EINVAL;
        }
    }
    if (http->n_waiting >= http->config.max_waiting) {
        return NET_EFULL;
    }
    struct call *c = calloc(1, sizeof *c);
    if (!c || !put_request(http, call, &c->bytes)) {
        if (c) {
            buf_free(&c->bytes);
        }
        free(c);
        return NET_ENOMEM;
    }
    c->on_done = call->on_done;
    c->ctx = call->ctx;
    c->taken_us = net_now_us();
    c->timeout_us = call->timeout_us ? call->timeout_us : http->config.timeout_us;
    c->is_head = strcmp(call->method, "HEAD") == 0;
    link_append(&http->waiting, &c->link);
    http->n_waiting++;
    net_defer(http->loop, &http->task);
    return NET_OK;
}

unsigned net_http_in_flight(const struct net_http *http, unsigned *on_wire)
{
    if (on_wire) {
        *on_wire = http->n_on_wire;
    }
    return http->n_waiting + http->n_on_wire;
}
