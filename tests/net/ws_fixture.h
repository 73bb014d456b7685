/* ws_fixture.h - a websocket server of ours that echoes, and who it serves. */
#ifndef TESTS_NET_WS_FIXTURE_H
#define TESTS_NET_WS_FIXTURE_H

#include "tests/net/net_fixture.h"

#define MANY 500

struct peer {
    struct net_ws *ws;
    int opened, closed, messages, drained;
    char last[512];
    size_t last_len;
    struct net_ws_end end;
    char reason[128];
    bool echo;
};

extern struct net_server *server;
extern struct net_ws_limits server_limits; /* for who comes from now on */
extern struct peer served[MANY + 10];      /* in the order they came; each echoes */
extern int refuse_status;                  /* answered instead, 0: accepted */
extern char seen_auth[64], seen_origin[64], seen_subprotocol[64];
extern const char *answer_subprotocol;

/* What both sides of a test listen to; the context is a struct peer. */
extern const struct net_ws_events peer_events;

int setup_ws(void **state);
/* A client of ours; `limits` may be NULL. */
struct net_ws *dial(struct peer *p, const struct net_ws_limits *limits);

#endif
