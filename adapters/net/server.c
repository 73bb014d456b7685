/* server.c - HTTP/1.1 server: listening, requests, answers, and the handing on of websockets. */
#include "adapters/net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void conn_step(struct conn *c);

/* --- connections ------------------------------------------------------------------------- */

void server_connection_ended(struct net_server *server, uint64_t connection)
{
    server->stats.open_now--;
    if (server->events.on_connection) {
        server->events.on_connection(server->ctx, connection, false);
    }
}

void conn_watch(struct conn *c)
{
    struct net_loop *loop = c->server->loop;
    int want = c->out.len > 0 ? EV_WRITE : 0;
    /* A peer that pipelines more than a request's worth waits in its own kernel. */
    size_t full = c->server->config.max_header + c->server->config.max_body;
    if (!c->peer_done && (c->in.len + c->next.len <= full || c->lingering)) {
        want |= EV_READ;
    }
    if (ev_is_active(&c->io) && (c->io.events & (EV_READ | EV_WRITE)) == want) {
        return;
    }
    ev_io_stop(loop->ev, &c->io);
    if (want) {
        ev_io_set(&c->io, c->fd, want);
        ev_io_start(loop->ev, &c->io);
    }
}

void conn_release(struct conn *c)
{
    struct net_loop *loop = c->server->loop;
    c->server->per_address[c->address]--;
    ev_io_stop(loop->ev, &c->io);
    ev_timer_stop(loop->ev, &c->timer);
    link_remove(&c->task.link);
    link_remove(&c->link);
    if (c->fd >= 0) {
        close(c->fd);
    }
    buf_free(&c->in);
    buf_free(&c->next);
    buf_free(&c->out);
    free(c);
}

/* The connection is over: tell whoever waits, free. Only from the loop. */
static void conn_end(struct conn *c)
{
    struct net_server *s = c->server;
    bool open_request = c->state == CONN_HANDLING;
    c->state = CONN_ENDING;
    if (open_request && s->events.on_abort) {
        s->events.on_abort(s->ctx, &c->req);
    }
    uint64_t id = c->id;
    conn_release(c);
    server_connection_ended(s, id);
}

/* The same, from inside a call of a handler. */
void conn_end_later(struct conn *c)
{
    c->gone = true;
    ev_io_stop(c->server->loop->ev, &c->io);
    net_defer(c->server->loop, &c->task);
}

static void conn_task(struct net_task *task)
{
    struct conn *c = (struct conn *)(void *)((char *)task - offsetof(struct conn, task));
    if (c->gone) {
        conn_end(c);
    } else {
        conn_step(c);
    }
}

/* Deadlines: the whole request within request_us of its first byte; the first byte within idle_us.
 */
void conn_arm(struct conn *c)
{
    const struct net_server_config *cfg = &c->server->config;
    struct net_loop *loop = c->server->loop;
    if (c->state == CONN_HANDLING) {
        ev_timer_stop(loop->ev, &c->timer);
    } else if (c->state == CONN_ENDING) {
        net_ev_timer_in(loop, &c->timer, c->lingering ? US_PER_S : cfg->request_us);
    } else if (c->began_us) {
        net_ev_timer_in(loop, &c->timer, c->began_us + cfg->request_us - net_now_us());
    } else {
        net_ev_timer_in(loop, &c->timer, cfg->idle_us);
    }
}

/* Give what waits to the kernel. False: the connection is broken. */
bool conn_flush(struct conn *c)
{
    while (c->out.len > 0) {
        ssize_t n = send(c->fd, buf_at(&c->out), c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            buf_consume(&c->out, (size_t)n);
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
    if (c->state == CONN_ENDING && !c->lingering) {
        /* Closing with unread bytes would reset the connection and could destroy our last answer on
         * its way: shut our side, throw away what still comes, for at most a second. */
        shutdown(c->fd, SHUT_WR);
        c->lingering = true;
        conn_arm(c);
    }
    return true;
}

/* --- requests ---------------------------------------------------------------------------- */

/* A request that never reaches the handler. */
static void refuse(struct conn *c, int status)
{
    struct net_server *s = c->server;
    if (status == 408) {
        s->stats.timeouts++;
    } else {
        s->stats.bad_requests++;
    }
    const char *type = "text/plain; charset=utf-8";
    const char *body = http1_reason(status);
    if (s->config.on_refuse) {
        s->config.on_refuse(s->ctx, &status, &type, &body);
    }
    struct net_response r = {
        .status = status, .content_type = type, .body = body, .len = strlen(body), .close = true};
    c->state = CONN_ENDING;
    buf_consume(&c->in, c->in.len);
    if (!put_answer(c, &r, false, true) || !conn_flush(c)) {
        conn_end_later(c);
        return;
    }
    conn_arm(c);
    conn_watch(c);
}

/* What has arrived may be a request. */
static void conn_step(struct conn *c)
{
    struct net_server *s = c->server;
    if (c->gone || c->state != CONN_READING || c->in.len == 0) {
        return;
    }
    if (!c->began_us) {
        c->began_us = net_now_us();
        conn_arm(c);
    }
    const struct http1_limits limits = {s->config.max_target, s->config.max_header};
    int got = http1_request(buf_at(&c->in), c->in.len, &limits, &c->req.head);
    if (got < 0) {
        refuse(c, -got);
        return;
    }
    size_t body =
        got > 0 && c->req.head.content_length > 0 ? (size_t)c->req.head.content_length : 0;
    if (body > s->config.max_body) {
        refuse(c, 413);
        return;
    }
    if (got == 0 || c->in.len < c->req.head.head_len + body) {
        if (got > 0 && c->req.head.expect_continue && !c->answered_continue) {
            c->answered_continue = true;
            if (!buf_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n") || !conn_flush(c)) {
                conn_end_later(c);
                return;
            }
            conn_watch(c);
        }
        return;
    }
    s->stats.requests++;
    c->state = CONN_HANDLING;
    char *behind = buf_at(&c->in) + c->req.head.head_len + body;
    c->saved = *behind; /* buf_reserve keeps a byte more than it was asked for */
    *behind = '\0';
    conn_arm(c);
    c->req.conn = c;
    c->req.ctx = NULL;
    s->events.on_request(s->ctx, &c->req);
}

static void conn_read(struct conn *c)
{
    char bytes[16 * 1024];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (n == 0 && c->state != CONN_HANDLING && !c->lingering && c->out.len > 0) {
        c->peer_done = true; /* it has shut its side but may still read what it is owed */
        c->state = CONN_ENDING;
        conn_watch(c);
        return;
    }
    if (n <= 0) {
        /* Also while a handler works: a client that has gone and one that only shut its side look
         * the same, and work for nobody is worse than a half-closing client without an answer. */
        conn_end(c);
        return;
    }
    if (c->state == CONN_ENDING) {
        return;
    }
    if (!buf_append(c->state == CONN_HANDLING ? &c->next : &c->in, bytes, (size_t)n)) {
        conn_end(c);
        return;
    }
    conn_watch(c);
    conn_step(c);
}

static void on_conn_io(struct ev_loop *ev, ev_io *w, int revents)
{
    (void)ev;
    struct conn *c = w->data;
    if ((revents & EV_WRITE) && c->out.len > 0) {
        if (!conn_flush(c) || (c->peer_done && c->out.len == 0)) {
            conn_end(c);
            return;
        }
        conn_watch(c);
    }
    if (revents & EV_READ) {
        conn_read(c);
    }
}

static void on_conn_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)revents;
    struct conn *c = w->data;
    if (c->state == CONN_READING && c->began_us) {
        refuse(c, 408);
    } else {
        conn_end(c);
    }
}

/* --- listening --------------------------------------------------------------------------- */

static void name_peer(const struct sockaddr_storage *from, char *out, size_t size)
{
    char host[48];
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &a->sin_addr, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(a->sin_port));
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)from;
        inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(a->sin6_port));
    } else {
        snprintf(out, size, "unix");
    }
}

static unsigned address_place(const struct net_server *s, const struct sockaddr_storage *from)
{
    const unsigned char *bytes = NULL;
    size_t n = 0;
    uint32_t h = s->address_secret;
    if (from->ss_family == AF_INET) {
        bytes = (const unsigned char *)&((const struct sockaddr_in *)from)->sin_addr;
        n = 4;
    } else if (from->ss_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)from)->sin6_addr;
        bytes = address->s6_addr;
        n = IN6_IS_ADDR_V4MAPPED(address) ? 16 : 8;
    }
    for (size_t i = 0; i < n; i++) {
        h = (h ^ bytes[i]) * 0x9e3779b1u;
        h ^= h >> 15;
    }
    return h % (sizeof s->per_address / sizeof s->per_address[0]);
}

static void take_connection(struct net_server *s, int fd, const struct sockaddr_storage *from)
{
    unsigned place = address_place(s, from);
    if (s->config.max_per_address > 0 && s->per_address[place] >= s->config.max_per_address) {
        s->stats.refused_address++;
        close(fd);
        return;
    }
    /* The kernel gives the lowest number that is free: this one tells how many are in use. */
    bool room = s->stats.open_now < s->config.max_connections &&
                (s->config.max_descriptor == 0 || fd <= s->config.max_descriptor);
    struct conn *c = room ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        if (s->stats.refused_full++ % 1024 == 0) {
            net_log(s->loop, 2, "port %u: no place for another connection", s->port);
        }
        close(fd);
        return;
    }
    int on = 1;
    if (from->ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    c->server = s;
    c->address = place;
    s->per_address[place]++;
    c->fd = fd;
    c->id = ++s->loop->next_connection;
    c->state = CONN_READING;
    c->task.fn = conn_task;
    link_init(&c->task.link);
    link_append(&s->conns, &c->link);
    name_peer(from, c->peer, sizeof c->peer);
    ev_io_init(&c->io, on_conn_io, fd, EV_READ);
    net_ev_timer_init(&c->timer, on_conn_timer, c);
    c->io.data = c;
    s->stats.connections++;
    s->stats.open_now++;
    conn_arm(c);
    conn_watch(c);
    if (s->events.on_connection) {
        s->events.on_connection(s->ctx, c->id, true);
    }
}

static void on_accept(struct ev_loop *ev, ev_io *w, int revents)
{
    (void)revents;
    struct net_server *s = w->data;
    /* Not for ever: a flood of connects must not starve those that are in. */
    for (int i = 0; i < 64; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        memset(&from, 0, sizeof from);
        int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(s, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* The listening socket stays readable: look away for a moment instead of spinning. */
            net_log(s->loop, 2, "accept on port %u: %m", s->port);
            ev_io_stop(ev, w);
            net_ev_timer_in(s->loop, &s->retry, 100 * US_PER_MS);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
        if (s->fd < 0) {
            return;
        }
    }
}

static void on_accept_retry(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)revents;
    struct net_server *s = w->data;
    if (s->fd >= 0) {
        ev_io_start(ev, &s->io);
    }
}

static int open_unix(struct net_server *s, char *err, size_t errlen)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(s->unix_path) >= sizeof a.sun_path) {
        net_error(err, errlen, "socket path is too long: %s", s->unix_path);
        return -1;
    }
    memcpy(a.sun_path, s->unix_path, strlen(s->unix_path) + 1);
    struct stat st;
    if (lstat(s->unix_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(s->unix_path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mode = (mode_t)(s->config.unix_mode ? s->config.unix_mode : 0600);
    /* The file must never exist with wider permissions, not even for a moment. */
    mode_t before = umask(0177);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    umask(before);
    if (!bound || chmod(s->unix_path, mode) != 0 || listen(fd, s->config.backlog) != 0) {
        net_error(err, errlen, "cannot listen on %s: %m", s->unix_path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static int open_tcp(struct net_server *s, char *err, size_t errlen)
{
    char port[8];
    snprintf(port, sizeof port, "%u", s->port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(s->host, port, &hints, &found);
    if (failed) {
        net_error(err, errlen, "cannot resolve %s: %s", s->host, gai_strerror(failed));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(fd, s->config.backlog) != 0) {
        net_error(err, errlen, "cannot listen on %s:%u: %m", s->host, s->port);
        freeaddrinfo(found);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    freeaddrinfo(found);
    struct sockaddr_in6 self = {0}; /* holds either family; the port stands at one place */
    socklen_t len = sizeof self;
    getsockname(fd, (struct sockaddr *)&self, &len);
    s->port = ntohs(self.sin6_port);
    return fd;
}

int net_server_accept(struct net_server *server, bool on, char *err, size_t errlen)
{
    struct net_loop *loop = server->loop;
    if (!on) {
        ev_io_stop(loop->ev, &server->io);
        ev_timer_stop(loop->ev, &server->retry);
        if (server->fd >= 0) {
            close(server->fd);
            server->fd = -1;
        }
        return NET_OK;
    }
    if (server->fd >= 0) {
        return NET_OK;
    }
    server->fd = server->unix_path ? open_unix(server, err, errlen) : open_tcp(server, err, errlen);
    if (server->fd < 0) {
        return NET_EADDR;
    }
    ev_io_set(&server->io, server->fd, EV_READ);
    ev_io_start(loop->ev, &server->io);
    return NET_OK;
}

static void server_defaults(struct net_server_config *c)
{
    c->backlog = c->backlog ? c->backlog : 1024;
    c->max_connections = c->max_connections ? c->max_connections : 16384;
    c->max_target = c->max_target ? c->max_target : 8u * 1024u;
    c->max_header = c->max_header ? c->max_header : 16u * 1024u;
    c->max_body = c->max_body ? c->max_body : 64u * 1024u;
    c->request_us = c->request_us ? c->request_us : 10 * US_PER_S;
    c->idle_us = c->idle_us ? c->idle_us : 15 * US_PER_S;
}

static void server_free(struct net_server *s)
{
    link_remove(&s->link);
    free(s->host);
    free(s->unix_path);
    free(s);
}

struct net_server *net_listen(struct net_loop *loop, const struct net_server_config *config,
                              const struct net_server_events *events, void *ctx, char *err,
                              size_t errlen)
{
    struct net_server *s = events && events->on_request ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        net_error(err, errlen, "cannot make a server: no on_request, or no memory");
        return NULL;
    }
    s->loop = loop;
    s->config = config ? *config : (struct net_server_config){0};
    server_defaults(&s->config);
    s->events = *events;
    s->ctx = ctx;
    if (getrandom(&s->address_secret, sizeof s->address_secret, 0) < 0) {
        s->address_secret = (uint32_t)net_now_us();
    }
    s->fd = -1;
    s->port = s->config.port;
    link_init(&s->conns);
    link_append(&loop->servers, &s->link);
    ev_io_init(&s->io, on_accept, -1, EV_READ);
    net_ev_timer_init(&s->retry, on_accept_retry, s);
    s->io.data = s;
    s->host = strdup(s->config.host ? s->config.host : "127.0.0.1");
    s->unix_path = s->config.unix_path ? strdup(s->config.unix_path) : NULL;
    s->config.host = NULL;
    s->config.unix_path = NULL;
    if (!s->host || net_server_accept(s, true, err, errlen) != NET_OK) {
        server_free(s);
        return NULL;
    }
    return s;
}

uint16_t net_server_port(const struct net_server *server)
{
    return server->unix_path ? 0 : server->port;
}

void net_server_drop_all(struct net_server *server)
{
    /* Handlers may answer other requests meanwhile, but nobody is added: take them from the front.
     */
    while (!link_is_alone(&server->conns)) {
        struct conn *c = (struct conn *)server->conns.next;
        struct linger abort_it = {.l_onoff = 1, .l_linger = 0};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
        conn_end(c);
    }
    ws_end_all(server->loop, server);
}

void net_server_close(struct net_server *server)
{
    if (!server) {
        return;
    }
    net_server_accept(server, false, NULL, 0);
    net_server_drop_all(server);
    if (server->unix_path) {
        unlink(server->unix_path);
    }
    server_free(server);
}

void net_server_stats(const struct net_server *server, struct net_server_stats *out)
{
    *out = server->stats;
}
