/*
 * net.h - HTTP/1.1 and websockets, client and server, in one event loop.
 *
 * The only door to libwebsockets: nothing outside adapters/net includes it. How the work is split:
 *   - the loop is libev's (epoll), libwebsockets runs in it through its libev plug-in (Debian
 *     package libwebsockets-evlib-ev, part of what libwebsockets-dev pulls in);
 *   - websockets, both sides, are libwebsockets';
 *   - HTTP/1.1, both sides, goes over plain sockets in the same loop and is read by the strict
 * parser of http1.c, because libwebsockets 4.1.6 cannot do what we need of it: it decodes %2F and
 * folds "//" before anybody can look (ids with a slash, 405 for an empty path element), answers
 * malformed requests by closing without a status, lets Content-Length and Transfer-Encoding stand
 * together, and its client may repeat a request on a fresh connection by itself, where an originate
 * must never leave twice;
 *   - a request that asks for a websocket and is accepted by its handler is handed on, socket and
 *     handshake, to libwebsockets (LWS_CALLBACK_HTTP_CONFIRM_UPGRADE is never handled:
 *     CVE-2025-11677).
 *
 * Threads: a loop and everything made from it belong to the thread that runs it, except
 * net_loop_wake and net_loop_stop, which may be called from any thread. All callbacks come from
 * inside net_loop_run_once / net_loop_run, never from inside another net_ call (so after a call
 * returns, the objects the caller holds are as they were). A callback may call everything here but
 * net_loop_run*, net_loop_close.
 *
 * Time: *_us are microseconds; a limit of 0 takes the default named beside it.
 * Errors: functions return NET_OK or a negative NET_E*; net_strerror gives the words.
 * Text handed to a callback is valid until the callback returns.
 */
#ifndef ADAPTERS_NET_NET_H
#define ADAPTERS_NET_NET_H

#include "core/types.h"

enum {
    NET_OK = 0,
    NET_EINVAL = -1,  /* an argument makes no sense */
    NET_ENOMEM = -2,  /* no memory, no descriptor */
    NET_EFULL = -3,   /* a bound is reached (send queue, calls waiting); nothing was taken */
    NET_ECLOSED = -4, /* the object is closing or closed */
    NET_EADDR = -5,   /* cannot resolve, bind or listen */
    NET_ELIB = -6,    /* libwebsockets refused to start (its log line went to on_log) */
};
const char *net_strerror(int status);

struct net_loop;
struct net_timer;
struct net_watch;
struct net_server;
struct net_req;  /* server side: one HTTP request that has no answer yet */
struct net_ws;   /* one websocket, either side */
struct net_http; /* client side: a pool of kept-alive connections to one server */

struct net_header {
    const char *name;
    const char *value; /* must not hold CR, LF or NUL: NET_EINVAL */
};

/* --- loop -------------------------------------------------------------------------------- */

struct net_loop_config {
    /* After net_loop_wake: once for any number of wakes that came before it ran. May be NULL. */
    void (*on_wake)(void *ctx);
    /* A line for the log; level 0 debug, 1 info, 2 warning, 3 error. May be NULL (dropped). */
    void (*on_log)(void *ctx, int level, const char *line);
    void *ctx;
};

/* NULL with a reason in err. SIGPIPE is set to be ignored (a write to a dead peer is an error, not
 * the end of the process). A soft limit of descriptors (RLIMIT_NOFILE) above 131,072 is lowered to
 * that: libwebsockets makes tables of that size. */
struct net_loop *net_loop_open(const struct net_loop_config *config, char *err, size_t errlen);
/* Ends everything that was made from the loop: servers, websockets (dropped; their on_close comes
 * with NET_WS_LOOP_CLOSED before this returns), calls (on_done with the fate they have), timers,
 * watches. Their pointers are dead afterwards. Not from inside a callback. */
void net_loop_close(struct net_loop *loop);

/* Wait at most timeout_us for something to happen (0 = only what is ready, negative = no limit)
 * and carry out all that is ready. 0, or NET_ECLOSED after net_loop_stop (which it consumes). */
int net_loop_run_once(struct net_loop *loop, int64_t timeout_us);
/* Run until net_loop_stop. */
void net_loop_run(struct net_loop *loop);
void net_loop_wake(struct net_loop *loop); /* any thread; also from a signal handler */
void net_loop_stop(struct net_loop *loop); /* any thread; also from a signal handler */
/* CLOCK_MONOTONIC, fresh. */
int64_t net_now_us(void);

/* One-shot timers that can be set again and again. Precision about 1 ms. */
typedef void (*net_timer_fn)(void *ctx);
struct net_timer *net_timer_new(struct net_loop *loop, net_timer_fn fn,
                                void *ctx);                /* NULL: memory */
void net_timer_set(struct net_timer *t, int64_t delay_us); /* (again) from now; <= 0: next turn */
void net_timer_clear(struct net_timer *t);                 /* not set: nothing happens */
bool net_timer_is_set(const struct net_timer *t);
void net_timer_free(struct net_timer *t); /* NULL is allowed; also from its own callback */

/* Foreign descriptors (an eventfd, a listening unix socket, another library's socket). The caller
 * keeps the descriptor, and must free the watch before closing it. */
#define NET_READ 1u
#define NET_WRITE 2u
typedef void (*net_watch_fn)(void *ctx, int fd, unsigned events);
struct net_watch *net_watch_new(struct net_loop *loop, int fd, unsigned events, net_watch_fn fn,
                                void *ctx);
void net_watch_set(struct net_watch *w, unsigned events); /* 0 = pause */
void net_watch_free(struct net_watch *w); /* NULL is allowed; also from its callback */

/* --- websockets, both sides -------------------------------------------------------------- */

/* Close codes: RFC 6455 7.4. */
#define NET_WS_NORMAL 1000
#define NET_WS_GOING_AWAY 1001
#define NET_WS_PROTOCOL 1002
#define NET_WS_UNSUPPORTED 1003
#define NET_WS_NO_STATUS 1005 /* never sent: a close frame without a code */
#define NET_WS_ABNORMAL 1006  /* never sent: the connection went without a close frame */
#define NET_WS_BAD_UTF8 1007
#define NET_WS_POLICY 1008
#define NET_WS_TOO_BIG 1009
#define NET_WS_TRY_LATER 1013

/* Who or what ended it. */
enum net_ws_cause {
    NET_WS_PEER,        /* close frame from the peer, or its connection broke (code says which) */
    NET_WS_LOCAL,       /* net_ws_close or net_ws_drop */
    NET_WS_REFUSED,     /* client: no connection, or an answer other than 101 (http_status) */
    NET_WS_SILENT,      /* nothing received for dead_us */
    NET_WS_SLOW,        /* write blocked for block_us */
    NET_WS_VIOLATION,   /* the peer broke a limit or the protocol; code was sent to it */
    NET_WS_LOOP_CLOSED, /* net_loop_close or net_server_close */
};

struct net_ws_end {
    enum net_ws_cause cause;
    bool opened;        /* on_open had been called */
    int code;           /* what the peer sent, or what we sent; 1005, 1006 as above */
    int http_status;    /* NET_WS_REFUSED after an HTTP answer: its status, else 0 */
    const char *reason; /* peer's or library's words, never NULL */
};

struct net_ws_events {
    /* Open for messages both ways. For a client after the 101. */
    void (*on_open)(void *ctx, struct net_ws *ws);
    /* One whole text message, valid UTF-8, at most max_message bytes; text[len] is NUL. */
    void (*on_message)(void *ctx, struct net_ws *ws, const char *text, size_t len);
    /* The send queue ran empty after net_ws_send said NET_EFULL or a write had blocked. NULL ok. */
    void (*on_drain)(void *ctx, struct net_ws *ws);
    /* Exactly once for every net_ws that exists, as the last callback; then the pointer is dead. */
    void (*on_close)(void *ctx, struct net_ws *ws, const struct net_ws_end *end);
};

struct net_ws_limits {
    size_t max_message; /* received bytes of a message, all fragments; over: 1009. 0 = 64 KiB */
    size_t max_queue;   /* bytes waiting to be sent, frame headers included. 0 = 256 KiB */
    int64_t ping_us;    /* a ping after this long without receiving. 0 = 1 s, negative = none */
    int64_t dead_us;    /* dropped (NET_WS_SILENT) after this long without receiving anything,
                           pongs included. 0 = 2.5 s, negative = never. What waits
                           unread is heard first; after a time in which this process did not run
                           (SIGSTOP) it begins anew */
    int64_t block_us;   /* dropped (NET_WS_SLOW) when bytes have waited this long and the kernel
                           takes none. 0 = 5 s, negative = never */
    int64_t open_us; /* client: from connect to 101. 0 = 3 s. At most 128 clients of a loop connect
                        at once, the others wait their turn */
    int send_buffer; /* SO_SNDBUF; 0 = the kernel's. Bounds what a slow reader can hold */
    int receive_buffer; /* SO_RCVBUF; 0 = the kernel's */
    bool ignore_binary; /* true: binary messages are dropped; false: close 1003 */
};

/* Queue one text message (copied). It leaves in order; messages that wait at the same time leave in
 * one write where the kernel takes it. The caller sees to valid UTF-8.
 * NET_EFULL: it does not fit into max_queue, nothing was queued. NET_ECLOSED: not open (any more).
 */
int net_ws_send(struct net_ws *ws, const char *text, size_t len);
/* Bytes not yet given to the kernel. */
size_t net_ws_pending(const struct net_ws *ws);
/* Stop / go on reading: TCP pushes back on the peer. While paused dead_us does not count. */
void net_ws_pause(struct net_ws *ws, bool paused);
/* Send what is queued, then a close frame with code and reason (at most 123 bytes, NULL = ""), and
 * wait for the peer's for at most 1 s. on_close follows from the loop. Repeating it is harmless. */
void net_ws_close(struct net_ws *ws, int code, const char *reason);
/* End the connection now without a close frame: the peer sees 1006. on_close follows from the loop,
 * no on_message comes any more. */
void net_ws_drop(struct net_ws *ws);

struct net_ws_target {
    const char *host; /* name or address; a name is resolved when connecting, and blocks the loop
                         for that long: give addresses where that matters */
    uint16_t port;
    bool tls;                /* certificate and name are checked against the system's roots */
    const char *tls_ca;      /* PEM file to check against instead of them; NULL = system */
    const char *path;        /* with query, "/ari/events?app=x"; already encoded */
    const char *subprotocol; /* NULL = none */
    const char *origin;      /* NULL = none */
    const struct net_header *headers; /* such as Authorization; copied */
    size_t n_headers;
};

/* Connect. NULL only for bad arguments or memory; everything else that can go wrong arrives as
 * on_close with cause NET_WS_REFUSED. Never connects again by itself. Everything is copied. */
struct net_ws *net_ws_connect(struct net_loop *loop, const struct net_ws_target *target,
                              const struct net_ws_limits *limits, /* NULL = defaults */
                              const struct net_ws_events *events, void *ctx);

/* --- server ------------------------------------------------------------------------------ */

struct net_server_events {
    /* A complete, well-formed request. Answer it with net_respond now or later (or, if it asks for
     * a websocket, with net_ws_accept), or end it with net_req_drop. Requests of one connection
     * come one at a time: the next after the answer. */
    void (*on_request)(void *ctx, struct net_req *req);
    /* The client went away before the answer: the pointer is dead afterwards. Only for requests
     * that were delivered and not answered. NULL ok if every answer is given at once. */
    void (*on_abort)(void *ctx, struct net_req *req);
    /* A connection was taken (open) or has ended; `connection` as net_req_connection. For what
     * sticks to a connection. NULL ok. A websocket's connection ends after its on_close. */
    void (*on_connection)(void *ctx, uint64_t connection, bool open);
};

struct net_server_config {
    const char *host;      /* address to bind; NULL = 127.0.0.1 */
    uint16_t port;         /* 0 = a free one, see net_server_port */
    const char *unix_path; /* not NULL: a unix socket instead; an old socket file is replaced */
    int unix_mode;         /* its permissions; 0 = 0600 */
    int backlog;           /* 0 = 1024 */
    int max_descriptor;    /* a connection whose descriptor would be greater is closed at once: the
                              process' last ones are for others. 0 = no limit */
    unsigned max_connections; /* open at once, websockets included; more are closed without an
                                 answer. 0 = 16384 */
    unsigned max_per_address; /* of these by one address (of IPv6 one /64) that are not websockets;
                                 more are closed without an answer. 0 = no limit */
    /* A request that breaks one of these is answered (with Connection: close) and counted, and
     * never reaches on_request. */
    size_t max_target;  /* request line; over: 414. 0 = 8 KiB */
    size_t max_header;  /* request line and all header fields; over: 431. 0 = 16 KiB */
    size_t max_body;    /* over: 413. 0 = 64 KiB */
    int64_t request_us; /* first byte to last of a request; over: 408. 0 = 10 s */
    int64_t idle_us;    /* kept-alive connection without a request: closed. 0 = 15 s */
    /* Replaces the answer to malformed or over-limit requests (ari-sim mimics Asterisk's). Gets the
     * status that would be sent and may change status, content type and body (static strings). */
    void (*on_refuse)(void *ctx, int *status, const char **content_type, const char **body);
    bool no_default_headers; /* true: only Content-Length, Connection and the handler's own headers.
                                false: adds "X-Content-Type-Options: nosniff" and Date */
};

struct net_server_stats {
    uint64_t connections, refused_full, refused_address, requests, bad_requests, timeouts,
        websockets;
    unsigned open_now;
};

/* Listen. NULL with a reason in err. Several servers may live in a loop. */
struct net_server *net_listen(struct net_loop *loop, const struct net_server_config *config,
                              const struct net_server_events *events, void *ctx, char *err,
                              size_t errlen);
uint16_t net_server_port(const struct net_server *server); /* 0 for a unix socket */
/* Stop / go on accepting: while stopped the listening socket is closed, so connects are refused. */
int net_server_accept(struct net_server *server, bool on, char *err, size_t errlen);
/* End every connection of this server without ceremony (a crash, as peers see it: 1006). The
 * websockets' on_close and the requests' on_abort come before it returns, with the listener still
 * open. */
void net_server_drop_all(struct net_server *server);
/* Stop listening, drop all connections (as above), free. Not from inside one of its callbacks. */
void net_server_close(struct net_server *server);
void net_server_stats(const struct net_server *server, struct net_server_stats *out);

/* What was asked. Pointers live as long as the request. */
const char *net_req_method(const struct net_req *req); /* as sent, "GET" */
const char *net_req_target(const struct net_req *req); /* as sent: "/ari/channels/a%2Fb?x=1" */
struct text net_req_path(const struct net_req *req);   /* up to '?', as sent, not decoded */
struct text net_req_query(const struct net_req *req);  /* behind '?', not decoded; len 0 if none */
/* First header field of that name (any case), without surrounding blanks; NULL if absent. */
const char *net_req_header(const struct net_req *req, const char *name);
struct text net_req_body(const struct net_req *req);  /* ptr[len] is NUL */
bool net_req_is_websocket(const struct net_req *req); /* a correct RFC 6455 handshake, GET, v13 */
const char *net_req_peer(const struct net_req *req);  /* "127.0.0.1:4711" or "unix" */
/* A number for the connection, never used again in this loop: for what sticks to a connection. */
uint64_t net_req_connection(const struct net_req *req);
/* A pointer of the handler's, for this request (an asynchronous answer). NULL at first. */
void *net_req_ctx(const struct net_req *req);
void net_req_set_ctx(struct net_req *req, void *ctx);

/* Percent-decode (and '+' as blank if plus). Length without the NUL, or -1 if it does not fit, an
 * escape is broken, or it holds %00. */
int net_url_decode(struct text in, bool plus, char *out, size_t size);
/* Percent-encode everything but unreserved characters (RFC 3986). Length, or -1 if too long. */
int net_url_encode(const char *in, size_t len, char *out, size_t size);
/* Value of a name in a query or form body, decoded ('+' as blank). Length, -1 absent, -2 too long
 * or broken. `nth` 0 = the first of that name. */
int net_query_get(struct text query, const char *name, unsigned nth, char *out, size_t size);
/* Value of a cookie by name in a Cookie header; length, -1 absent, -2 too long. */
int net_cookie_get(const char *header, const char *name, char *out, size_t size);
/* user:password of an "Authorization: Basic" header. False if it is something else. The caller
 * compares in constant time and wipes. */
bool net_basic_auth(const char *header, char *user, size_t user_size, char *password,
                    size_t password_size);

/* The value of such a header for a client. Length, or -1 if it does not fit or the user has a ':'.
 */
int net_basic_auth_make(const char *user, const char *password, char *out, size_t size);

struct net_response {
    int status;               /* 100..999 */
    const char *reason;       /* NULL = the usual words */
    const char *content_type; /* NULL = none */
    const struct net_header *headers;
    size_t n_headers;
    const void *body; /* copied; to a HEAD request only its length is told */
    size_t len;
    bool close; /* close the connection after it */
};
/* Answer; the request's pointer is dead afterwards, also on error. NET_EINVAL (bad header): the
 * client gets a 500. 204, 304 and 1xx are sent without body or Content-Length. */
int net_respond(struct net_req *req, const struct net_response *response);
/* The common case: status, content type and a text, no more headers. */
int net_respond_text(struct net_req *req, int status, const char *content_type, const char *body);
/* End the connection without an answer. The request's pointer is dead afterwards. */
void net_req_drop(struct net_req *req);

/* Take the request's connection as a websocket. on_open follows from the loop. The request's
 * pointer is dead afterwards, also on error. Checking Origin, tickets and subprotocol is the
 * caller's: net_req_header(req, "Origin"), "Sec-WebSocket-Protocol". subprotocol NULL = none.
 * NULL if the request is no websocket handshake (answered 400) or memory is short (dropped). */
struct net_ws *net_ws_accept(struct net_req *req, const char *subprotocol,
                             const struct net_ws_limits *limits, const struct net_ws_events *events,
                             void *ctx);

/* --- HTTP client ------------------------------------------------------------------------- */

struct net_http_config {
    const char *host; /* as net_ws_target.host. Plain HTTP only: where TLS is wanted, use the
                         websocket (REST goes over it too) or a TLS proxy on this host */
    uint16_t port;
    const struct net_header *headers; /* sent with each request, such as Authorization */
    size_t n_headers;
    unsigned max_connections; /* each carries one request at a time. 0 = 4 */
    unsigned max_waiting;     /* calls without a connection; over: NET_EFULL. 0 = 1024 */
    size_t max_body;          /* of an answer. 0 = 1 MiB */
    int64_t connect_us;       /* 0 = 2 s */
    int64_t timeout_us;       /* from the request's bytes to the whole answer. 0 = 5 s */
    int64_t idle_us;          /* our side closes a kept connection after; 0 = 10 s, below the 15 s
                                 at which Asterisk closes its side without notice */
};

/* What became of a call. Nothing is ever sent twice: what to repeat is the caller's decision, and
 * an originate may be repeated on NET_NOT_SENT only. */
enum net_fate {
    NET_ANSWERED, /* status and body are the answer */
    NET_NOT_SENT, /* no byte of the request was given to the kernel: the server cannot know of it */
    NET_MAYBE_SENT /* some bytes were, and no (whole) answer came */
};

struct net_http_result {
    enum net_fate fate;
    int status;       /* NET_ANSWERED, else 0 */
    const char *body; /* never NULL; body[len] is NUL */
    size_t len;
    const char *content_type; /* "" if none */
    const char *error;        /* what went wrong, "" if nothing */
    bool reused;              /* it went over a connection that had served before */
    int64_t sent_us; /* net_now_us when its first byte was given to the kernel; 0 = never */
};
/* Exactly once for each call that was taken. */
typedef void (*net_http_fn)(void *ctx, const struct net_http_result *result);

struct net_http_call {
    const char *method;
    const char *target;       /* path and query, encoded */
    const char *content_type; /* NULL if no body */
    const void *body;
    size_t len;
    const struct net_header *headers; /* besides the client's */
    size_t n_headers;
    int64_t timeout_us; /* 0 = the client's */
    net_http_fn on_done;
    void *ctx;
};

struct net_http *net_http_open(struct net_loop *loop, const struct net_http_config *config,
                               char *err, size_t errlen);
/* Calls under way and waiting end with on_done before it returns. Not from inside an on_done of
 * this client. */
void net_http_close(struct net_http *http);
/* Take a call (all copied). It goes out at once if a connection is free. NET_OK, or NET_EFULL,
 * NET_EINVAL, NET_ENOMEM: then on_done will not come. */
int net_http_send(struct net_http *http, const struct net_http_call *call);
/* Calls taken and not done; of these with a connection. */
unsigned net_http_in_flight(const struct net_http *http, unsigned *on_wire);

#endif
