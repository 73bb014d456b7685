// Shared by front.c and socket.c.
#ifndef SIM_FRONT_INT_H
#define SIM_FRONT_INT_H

#include "adapters/sim/front.h"
#include "adapters/sim/sched.h"

#define FRONT_BUCKETS 256

// One request that waits or is served. It owns its texts: a client that gives up while its request
// waits does not take the request back, Asterisk carries it out all the same.
struct job {
    struct job *next;
    char *method, *path; // of a RESTRequest as far as its cost needs them
    struct net_req *req; // HTTP; NULL: the client went away
    char *query, *content_type;
    char *text; // body, or RESTRequest frame
    size_t len;
};

// An HTTP connection or a websocket, as something that is served one request at a time.
struct line {
    struct line *next;
    struct front *front;
    uint64_t connection;
    struct socket *socket; // NULL: HTTP
    struct pbx_peer peer;
    struct job *first, *last;
    bool busy;
    bool closed; // its connection is gone; freed when nothing waits any more
    struct task task;
};

struct socket {
    struct socket *next;
    struct line line;
    struct net_ws *ws;
    struct pbx_client *client;
    char *apps;
    bool all;
    bool full; // said NET_EFULL: being cut off
};

enum front_state { FRONT_DOWN, FRONT_BOOT_HTML, FRONT_BOOT_503, FRONT_UP };

struct front {
    struct front_config config;
    struct ledger *ledger;
    struct net_server *server;
    struct net_timer *timer;
    struct pbx *pbx;
    struct sched work;
    struct line *http[FRONT_BUCKETS];
    struct socket *sockets;
    enum front_state state;
    struct task boot, down;
    int64_t down_us;
    int64_t core_free[16];
    int64_t charged_us; // of pbx_work_us
    bool stalled;
    int64_t delay_us;
    unsigned swallow;
    bool swallow_carried;
    uint64_t requests, slow, swallowed;
    struct json frame; // a RESTRequest being read
};

void front_time(struct front *f); // lets the model's time pass, unless stalled
void line_take(struct line *line, struct job *job);
void line_clear(struct line *line);
struct line **http_line_at(struct front *f,
                           uint64_t connection); // its place, which holds NULL if there is none
void http_line_free(struct line *line);
bool front_swallowed(struct front *f); // this one gets no answer
void front_serve(struct front *f, struct line *line, struct job *job);

extern const struct net_ws_events socket_events;
struct socket *socket_new(struct front *f, const char *apps, bool all);
void socket_free(struct socket *s);
bool socket_send(struct front *f, struct socket *s, const char *text, size_t len);
void socket_serve(struct front *f, struct socket *s, struct job *job);

#endif
