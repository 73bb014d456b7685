/* ws.h - the inside of a websocket, shared by ws.c (its life) and ws_open.c (how it begins, and
 * what libwebsockets calls). */
#ifndef ADAPTERS_NET_WS_H
#define ADAPTERS_NET_WS_H

#include "adapters/net/internal.h"

#define CLOSE_WAIT_US US_PER_S
#define REASON_MAX 123

enum ws_state { WS_OPENING, WS_OPEN, WS_CLOSING, WS_CLOSE_SENT };

struct ws_client {
    char *host, *path, *subprotocol, *tls_ca;
    char *fields; /* "Name: value\r\n" for each header */
    uint16_t port;
    bool tls;
};

struct net_ws {
    struct net_link link;
    struct net_task task; /* connect, take over, or end */
    struct net_loop *loop;
    struct lws *wsi;
    struct net_ws_events events;
    void *ctx;
    struct net_ws_limits limits;
    enum ws_state state;
    bool ending;  /* the task ends it */
    bool parked;  /* client: waits in loop->to_connect */
    bool counted; /* client: one of loop->connecting */
    bool paused;
    bool want_drain; /* on_drain is owed */
    bool excused;    /* its silence has begun anew once, because we were away */
    ev_timer timer;
    int64_t opened_us, rx_us, ping_us; /* began; last received; last ping */
    int64_t due_us;                    /* when its timer should run */
    int64_t waiting_us;                /* since when bytes wait for the kernel; 0 = none do */
    int64_t close_us;                  /* when the close began */
    struct net_buf in;                 /* the message so far */
    struct net_buf out;                /* whole frames */
    size_t in_lws;                     /* bytes of the last write that lws may still hold */
    struct net_ws_end end;
    char reason[REASON_MAX + 1];
    struct ws_client client;
    /* server side */
    struct net_server *server;
    uint64_t connection;
    int fd; /* until lws has it; -1 */
    char key[32];
    char subprotocol[64];
    struct net_buf early;
};

/* Set the timer to the next deadline of the present state. */
void ws_arm(struct net_ws *ws);
/* The last callback, and the end of the object. Not while lws works on its wsi, unless ws->wsi is
 * NULL already. */
void ws_finish(struct net_ws *ws);
/* Note how it ends; the reason is cut to what a close frame holds. */
void ws_say(struct net_ws *ws, enum net_ws_cause cause, int code, const char *reason, size_t len);
/* End it in the next turn of the loop. The first cause counts. */
void ws_end_later(struct net_ws *ws, enum net_ws_cause cause, int code, const char *reason);

/* A new one in state WS_OPENING, on the loop's list, its timer not set. NULL: events are missing,
 * or no memory. ws_free is for one that nobody knows of yet. */
struct net_ws *ws_new(struct net_loop *loop, const struct net_ws_limits *limits,
                      const struct net_ws_events *events, void *ctx,
                      void (*task)(struct net_task *));
void ws_free(struct net_ws *ws);
/* A client's connect is over, well or not: the next one may begin. */
void ws_connect_over(struct net_ws *ws);

/* Has lws itself found the peer breaking the protocol, and begun to close? It says so nowhere but
 * in the close frame it has prepared. True: noted as the cause. */
bool ws_lws_found_fault(struct net_ws *ws, struct lws *wsi);

/* Something came from the peer. */
void ws_heard(struct net_ws *ws);
/* From lws's callbacks. The answer goes back to lws: -1 = close. */
int ws_on_writable(struct net_ws *ws);
int ws_on_receive(struct net_ws *ws, const char *bytes, size_t len);

#endif
