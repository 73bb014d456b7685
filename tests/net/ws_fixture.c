#include "tests/net/ws_fixture.h"

#include <stdio.h>
#include <string.h>

struct net_server *server;
struct net_ws_limits server_limits;
struct peer served[MANY + 10];
int refuse_status;
char seen_auth[64], seen_origin[64], seen_subprotocol[64];
const char *answer_subprotocol;

static int n_served;

static void on_open(void *ctx, struct net_ws *ws)
{
    struct peer *p = ctx;
    p->ws = ws;
    p->opened++;
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct peer *p = ctx;
    p->messages++;
    p->last_len = len;
    assert_int_equal(text[len], 0);
    snprintf(p->last, sizeof p->last, "%s", text);
    if (p->echo) {
        net_ws_send(ws, text, len);
    }
}

static void on_drain(void *ctx, struct net_ws *ws)
{
    (void)ws;
    ((struct peer *)ctx)->drained++;
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct peer *p = ctx;
    (void)ws;
    p->ws = NULL;
    p->closed++;
    p->end = *end;
    snprintf(p->reason, sizeof p->reason, "%s", end->reason);
}

const struct net_ws_events peer_events = {on_open, on_message, on_drain, on_close};

static void keep(char *to, size_t size, const char *value)
{
    snprintf(to, size, "%s", value ? value : "");
}

static void on_request(void *ctx, struct net_req *req)
{
    (void)ctx;
    if (refuse_status) {
        net_respond_text(req, refuse_status, "text/plain", "no");
        return;
    }
    keep(seen_auth, sizeof seen_auth, net_req_header(req, "authorization"));
    keep(seen_origin, sizeof seen_origin, net_req_header(req, "Origin"));
    keep(seen_subprotocol, sizeof seen_subprotocol, net_req_header(req, "Sec-WebSocket-Protocol"));
    struct peer *p = &served[n_served++];
    p->echo = true;
    net_ws_accept(req, answer_subprotocol, &server_limits, &peer_events, p);
}

int setup_ws(void **state)
{
    memset(served, 0, sizeof served);
    n_served = 0;
    refuse_status = 0;
    answer_subprotocol = NULL;
    server_limits = (struct net_ws_limits){0};
    if (setup_loop(state) != 0) {
        return -1;
    }
    char err[200];
    const struct net_server_events on = {.on_request = on_request};
    server = net_listen(loop, NULL, &on, NULL, err, sizeof err);
    return server ? 0 : -1;
}

struct net_ws *dial(struct peer *p, const struct net_ws_limits *limits)
{
    const struct net_ws_target to = {
        .host = "127.0.0.1", .port = net_server_port(server), .path = "/w"};
    return net_ws_connect(loop, &to, limits, &peer_events, p);
}
