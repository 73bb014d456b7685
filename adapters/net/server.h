/* server.h - the inside of the HTTP server, shared by server.c (connections, listening) and
 * request.c (what a handler sees and answers). */
#ifndef ADAPTERS_NET_SERVER_H
#define ADAPTERS_NET_SERVER_H

#include "adapters/net/http1.h"
#include "adapters/net/internal.h"

struct conn;

enum conn_state {
    CONN_READING,  /* no request, or part of one */
    CONN_HANDLING, /* the handler has it */
    CONN_ENDING    /* the last answer is going out */
};

struct net_req {
    struct conn *conn;
    struct http1_head head;
    void *ctx;
};

struct conn {
    struct net_link link;
    struct net_task task; /* freeing, or the next request of the same bytes */
    struct net_server *server;
    int fd;
    uint64_t id;
    enum conn_state state;
    bool gone;      /* to be freed by the task */
    bool peer_done; /* the peer has shut its side */
    bool answered_continue;
    bool lingering; /* our side is shut: what still comes is thrown away */
    ev_io io;
    ev_timer timer;
    int64_t began_us; /* first byte of the present request; 0 = none yet */
    /* `in` holds the present request and does not move while the handler has it: what comes
     * meanwhile goes to `next`. */
    struct net_buf in, next, out;
    unsigned address; /* its place in the server's per_address */
    char saved;       /* the byte behind the body, where the handler sees a NUL */
    struct net_req req;
    char peer[64];
};

struct net_server {
    struct net_link link;
    struct net_loop *loop;
    struct net_server_config config;
    struct net_server_events events;
    void *ctx;
    char *host, *unix_path;
    int fd; /* -1: not accepting */
    uint16_t port;
    ev_io io;
    ev_timer retry; /* accepting again after running out of descriptors */
    struct net_link conns;
    /* Connections by address, at a place that depends on a secret of the loop: two addresses may
     * share one, by chance and not by choice. */
    uint32_t address_secret;
    uint16_t per_address[4096];
    struct net_server_stats stats;
};

/* Free the connection's memory and descriptor, without telling anybody. */
void conn_release(struct conn *c);
/* End it in the next turn of the loop: for use inside a handler's call. */
void conn_end_later(struct conn *c);
/* Set timer and events to what the state asks for. */
void conn_arm(struct conn *c);
void conn_watch(struct conn *c);
/* Give what waits to the kernel. False: the connection is broken. */
bool conn_flush(struct conn *c);
/* Write one answer into the queue. False: no memory. */
bool put_answer(struct conn *c, const struct net_response *r, bool is_head, bool close_after);

#endif
