/* Websockets: both sides of ours against each other. */
#include "tests/net/ws_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void echo_both_ways(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    struct net_ws *ws = dial(&c, NULL);
    assert_non_null(ws);
    assert_int_equal(net_ws_send(ws, "x", 1), NET_ECLOSED); /* not open yet */
    run_until(c.opened == 1);
    assert_int_equal(net_ws_send(ws, "gr\xc3\xbc\xc3\x9f", 6), NET_OK);
    assert_int_equal(net_ws_send(ws, "", 0), NET_OK);
    run_until(c.messages == 2);
    assert_string_equal(served[0].last, "");
    assert_int_equal(net_ws_send(served[0].ws, "from the server", 15), NET_OK);
    run_until(c.messages == 3);
    assert_string_equal(c.last, "from the server");
    assert_int_equal(net_ws_pending(ws), 0);
    net_ws_close(ws, NET_WS_NORMAL, "bye");
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_int_equal(served[0].end.cause, NET_WS_PEER);
    assert_int_equal(served[0].end.code, NET_WS_NORMAL);
    assert_string_equal(served[0].reason, "bye");
    assert_int_equal(c.end.cause, NET_WS_LOCAL);
    assert_int_equal(c.opened, 1);
    struct net_server_stats stats;
    net_server_stats(server, &stats);
    assert_int_equal(stats.open_now, 0);
    assert_int_equal(stats.websockets, 1);
}

static void server_closes_with_code(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    dial(&c, NULL);
    run_until(c.opened == 1 && served[0].opened == 1);
    net_ws_send(served[0].ws, "last words", 10);
    net_ws_close(served[0].ws, 4001, "ticket");
    assert_int_equal(net_ws_send(served[0].ws, "x", 1), NET_ECLOSED);
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_string_equal(c.last, "last words");
    assert_int_equal(c.end.code, 4001);
    assert_string_equal(c.reason, "ticket");
    assert_int_equal(served[0].end.cause, NET_WS_LOCAL);
    assert_int_equal(served[0].end.code, 4001);
}

static void headers_arrive(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    answer_subprotocol = "desk.v1";
    const struct net_header fields[] = {{"Authorization", "Basic YTpi"}};
    const struct net_ws_target to = {.host = "127.0.0.1",
                                     .port = net_server_port(server),
                                     .path = "/w?app=x",
                                     .origin = "https://desk.example",
                                     .subprotocol = "desk.v1",
                                     .headers = fields,
                                     .n_headers = 1};
    assert_non_null(net_ws_connect(loop, &to, NULL, &peer_events, &c));
    run_until(c.opened == 1);
    assert_string_equal(seen_auth, "Basic YTpi");
    assert_string_equal(seen_origin, "https://desk.example");
    assert_string_equal(seen_subprotocol, "desk.v1");
    char user[8];
    char password[8];
    assert_true(net_basic_auth(seen_auth, user, sizeof user, password, sizeof password));
    assert_string_equal(user, "a");
    assert_string_equal(password, "b");
}

static void refused_with_status(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    refuse_status = 401;
    dial(&c, NULL);
    run_until(c.closed == 1);
    assert_int_equal(c.opened, 0);
    assert_int_equal(c.end.cause, NET_WS_REFUSED);
    assert_int_equal(c.end.http_status, 401);
    /* nobody there */
    assert_int_equal(net_server_accept(server, false, NULL, 0), NET_OK);
    dial(&c, NULL);
    run_until(c.closed == 2);
    assert_int_equal(c.end.cause, NET_WS_REFUSED);
    assert_int_equal(c.end.http_status, 0);
    /* and again */
    char err[100];
    refuse_status = 0;
    assert_int_equal(net_server_accept(server, true, err, sizeof err), NET_OK);
    dial(&c, NULL);
    run_until(c.opened == 1);
}

static void big_messages(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    struct net_ws *ws = dial(&c, NULL);
    run_until(c.opened == 1);
    size_t limit = 64u * 1024u;
    char *big = malloc(limit + 1);
    memset(big, 'a', limit + 1);
    static const size_t sizes[] = {125, 126, 127, 4096, 4097, 65535, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        c.messages = 0;
        assert_int_equal(net_ws_send(ws, big, sizes[i]), NET_OK);
        run_until(c.messages == 1);
        assert_int_equal(c.last_len, sizes[i]);
    }
    assert_int_equal(net_ws_send(ws, big, limit + 1), NET_OK);
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_int_equal(c.end.code, NET_WS_TOO_BIG);
    assert_int_equal(served[0].end.cause, NET_WS_VIOLATION);
    assert_int_equal(served[0].end.code, NET_WS_TOO_BIG);
    free(big);
}

static void queue_is_bounded(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    const struct net_ws_limits small = {.max_queue = 1000};
    struct net_ws *ws = dial(&c, &small);
    run_until(c.opened == 1);
    char text[300];
    memset(text, 'x', sizeof text);
    int taken = 0;
    while (net_ws_send(ws, text, sizeof text) == NET_OK) {
        taken++;
    }
    assert_int_equal(taken, 3);
    assert_true(net_ws_pending(ws) <= 1000);
    run_until(c.drained == 1 && c.messages == 3);
    assert_int_equal(net_ws_send(ws, text, sizeof text), NET_OK);
}

static void in_order_and_coalesced(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    dial(&c, NULL);
    run_until(c.opened == 1 && served[0].opened == 1);
    served[0].echo = false;
    char text[32];
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(net_ws_send(served[0].ws, text, (size_t)n), NET_OK);
    }
    run_until(c.messages == 5000);
    assert_string_equal(c.last, "4999");
}

static void abrupt_ends(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    dial(&c, NULL);
    run_until(c.opened == 1 && served[0].opened == 1);
    net_ws_send(served[0].ws, "never mind", 10);
    net_ws_drop(served[0].ws);
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_int_equal(c.end.cause, NET_WS_PEER);
    assert_int_equal(c.end.code, NET_WS_ABNORMAL);
    assert_int_equal(served[0].end.cause, NET_WS_LOCAL);
    /* the server as a whole */
    dial(&c, NULL);
    run_until(c.opened == 2 && served[1].opened == 1);
    net_server_drop_all(server);
    assert_int_equal(served[1].closed, 1);
    run_until(c.closed == 2);
    assert_int_equal(c.end.code, NET_WS_ABNORMAL);
}

static void paused_reader_pushes_back(void **state)
{
    (void)state;
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    struct net_ws *ws = dial(&c, NULL);
    run_until(c.opened == 1 && served[0].opened == 1);
    served[0].echo = false;
    net_ws_pause(served[0].ws, true);
    run_for(20 * US_PER_MS);
    net_ws_send(ws, "wait", 4);
    run_for(50 * US_PER_MS);
    assert_int_equal(served[0].messages, 0);
    net_ws_pause(served[0].ws, false);
    run_until(served[0].messages == 1);
}

static void many_clients(void **state)
{
    (void)state;
    static struct peer c[MANY];
    memset(c, 0, sizeof c);
    for (int i = 0; i < MANY; i++) {
        assert_non_null(dial(&c[i], NULL));
    }
    int open = 0;
    run_until((open = 0, ({
                   for (int i = 0; i < MANY; i++) {
                       open += c[i].opened;
                   }
               }),
               open == MANY));
    for (int i = 0; i < MANY; i++) {
        served[i].echo = false;
        net_ws_send(served[i].ws, "to all", 6);
    }
    int got = 0;
    run_until((got = 0, ({
                   for (int i = 0; i < MANY; i++) {
                       got += c[i].messages;
                   }
               }),
               got == MANY));
    for (int i = 0; i < MANY; i += 2) {
        net_ws_close(c[i].ws, NET_WS_NORMAL, NULL);
    }
    run_until(({
        int closed = 0;
        for (int i = 0; i < MANY; i++) {
            closed += c[i].closed + served[i].closed;
        }
        closed == MANY;
    }));
    struct net_server_stats stats;
    net_server_stats(server, &stats);
    assert_int_equal(stats.open_now, MANY / 2);
    /* the rest ends with the loop, each told once */
    net_loop_close(loop);
    loop = NULL;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(c[i].closed, 1);
        assert_int_equal(served[i].closed, 1);
    }
    assert_int_equal(c[1].end.cause, NET_WS_LOOP_CLOSED);
}

static void end_inside_callbacks_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)len;
    struct peer *p = ctx;
    p->messages++;
    if (strcmp(text, "drop") == 0) {
        net_ws_drop(ws);
    } else {
        net_ws_close(ws, NET_WS_NORMAL, NULL);
    }
}

static void end_inside_callbacks(void **state)
{
    (void)state;
    static struct net_ws_events ends;
    ends = peer_events;
    ends.on_message = end_inside_callbacks_message;
    for (int i = 0; i < 2; i++) {
        static struct peer c; /* the socket may outlive this function */
        c = (struct peer){0};
        const struct net_ws_target to = {
            .host = "127.0.0.1", .port = net_server_port(server), .path = "/w"};
        net_ws_connect(loop, &to, NULL, &ends, &c);
        run_until(c.opened == 1 && served[i].opened == 1);
        net_ws_send(served[i].ws, i ? "drop" : "close", i ? 4 : 5);
        net_ws_send(served[i].ws, "more", 4);
        run_until(c.closed == 1 && served[i].closed == 1);
        assert_int_equal(c.messages, 1);
    }
}

static void last_words(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    net_ws_close(ws, NET_WS_NORMAL, NULL);
    net_ws_pause(ws, true);
    assert_int_equal(net_ws_send(ws, "late", 4), NET_ECLOSED);
    peer_events.on_close(ctx, ws, end);
}

/* A line that broke: who is told may still try to say something on it. */
static void nothing_goes_out_from_on_close(void **state)
{
    (void)state;
    static struct net_ws_events late;
    static struct peer c;
    const struct net_ws_target to = {
        .host = "127.0.0.1", .port = net_server_port(server), .path = "/w"};

    late = peer_events;
    late.on_close = last_words;
    c = (struct peer){0};
    net_ws_connect(loop, &to, NULL, &late, &c);
    run_until(c.opened == 1 && served[0].opened == 1);
    net_ws_drop(served[0].ws);
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_int_equal(c.end.cause, NET_WS_PEER);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup_ws, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(echo_both_ways),
        t(server_closes_with_code),
        t(headers_arrive),
        t(refused_with_status),
        t(big_messages),
        t(queue_is_bounded),
        t(in_order_and_coalesced),
        t(abrupt_ends),
        t(paused_reader_pushes_back),
        t(many_clients),
        t(end_inside_callbacks),
        t(nothing_goes_out_from_on_close),
    };
    return cmocka_run_group_tests_name("net_ws", tests, NULL, NULL);
}
