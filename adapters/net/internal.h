/*
 * internal.h - what the files of adapters/net share. Nobody else includes it.
 *
 * Life of an object: callbacks may end any object, so nothing is freed, connected or adopted in the
 * middle of a call from outside. Such work is a task on the loop's list, run before the loop waits.
 */
#ifndef ADAPTERS_NET_INTERNAL_H
#define ADAPTERS_NET_INTERNAL_H

#include "adapters/net/net.h"

#include <ev.h>
#include <libwebsockets.h>
#include <stdatomic.h>

/* --- rings of links: an empty one points to itself --------------------------------------- */

struct net_link {
    struct net_link *prev, *next;
};

static inline void link_init(struct net_link *l)
{
    l->prev = l->next = l;
}

static inline bool link_is_alone(const struct net_link *l)
{
    return l->next == l;
}

static inline void link_append(struct net_link *ring, struct net_link *l)
{
    l->prev = ring->prev;
    l->next = ring;
    ring->prev->next = l;
    ring->prev = l;
}

static inline void link_remove(struct net_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    link_init(l);
}

/* --- a queue of bytes ---------------------------------------------------------------------------
 */

struct net_buf {
    char *data;
    size_t head, len, cap; /* the bytes are data[head .. head + len) */
};

/* Room for `need` more bytes behind the present ones (one byte more is kept for a NUL). False: no
 * memory. */
bool buf_reserve(struct net_buf *b, size_t need);
bool buf_append(struct net_buf *b, const void *bytes, size_t n);
void buf_consume(struct net_buf *b, size_t n);
void buf_free(struct net_buf *b);

static inline char *buf_at(const struct net_buf *b)
{
    return b->data + b->head;
}

/* --- the loop ---------------------------------------------------------------------------- */

struct net_task {
    struct net_link link; /* alone: not waiting */
    void (*fn)(struct net_task *task);
};

struct net_loop {
    struct net_loop_config config;
    struct ev_loop *ev;
    ev_async wake, stop;
    ev_prepare before_wait;
    ev_idle keep_turning; /* active while tasks wait, so that the loop does not sleep on them */
    ev_timer run_limit;
    atomic_bool stopped;
    bool inside; /* net_loop_run* is on the stack */
    struct lws_context *lws;
    struct lws_vhost *vhost; /* adopted and plain client connections */
    struct net_ws *adopting; /* whose socket lws is being given right now */
    struct net_ws *dialing;  /* for whom lws is being asked to connect right now */
    uint64_t next_connection;
    unsigned connecting;        /* clients between connect and 101 */
    struct net_link to_connect; /* tasks of those that wait for their turn */
    struct net_link tasks, timers, watches, servers, sockets, pools, vhosts;
};

void net_defer(struct net_loop *loop, struct net_task *task);
void net_log(const struct net_loop *loop, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A timer that runs after the sockets of the same turn: what has arrived is heard before anybody is
 * found late or silent, also when this process was stopped in between. (libev alone would run the
 * timers first.) */
void net_ev_timer_init(ev_timer *timer, void (*fn)(struct ev_loop *, ev_timer *, int), void *data);
/* An ev_timer relative to the real now: the loop's own idea of it may be a long callback old. */
void net_ev_timer_in(struct net_loop *loop, ev_timer *timer, int64_t delay_us);
void net_error(char *err, size_t errlen, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Given as a vhost's proxy, or libwebsockets takes $http_proxy, for loopback too. */
#define NET_NO_PROXY ":0"
extern const struct lws_protocols net_lws_protocols[];
/* No keep-alive of lws's own: its timers stand in one sorted list, and re-arming one at each pong
 * walks it. ws.c has better ones. */
extern const lws_retry_bo_t net_lws_no_validity;

/* --- websockets (ws.c, ws_open.c) -------------------------------------------------------- */

/* A server's connection becomes a websocket; ws takes the descriptor. */
struct ws_takeover {
    int fd;
    const char *key; /* Sec-WebSocket-Key */
    const char *subprotocol;
    const char *peer;
    const char *early; /* bytes that came behind the handshake */
    size_t early_len;
    struct net_server *server;
    uint64_t connection;
};
struct net_ws *ws_take_over(struct net_loop *loop, const struct ws_takeover *from,
                            const struct net_ws_limits *limits, const struct net_ws_events *events,
                            void *ctx);
int ws_lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len);
/* End all websockets of `server` (NULL: of the loop), on_close included. */
void ws_end_all(struct net_loop *loop, const struct net_server *server);
/* ws.c tells the server that a connection of its has ended (server.c). */
void server_connection_ended(struct net_server *server, uint64_t connection);
void pools_close_all(struct net_loop *loop);

/* --- text ----------------------------------------------------------------------------------------
 */

/* No CR, LF, NUL or other control characters: may stand in a header field. */
bool header_value_ok(const char *value);
/* An RFC 9110 token. */
bool header_name_ok(const char *name);

bool buf_text(struct net_buf *b, const char *text);
/* "Name: value\r\n". False: no memory, or not fit for a header. */
bool buf_field(struct net_buf *b, const char *name, const char *value);

#endif
