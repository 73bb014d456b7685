/* Websockets: both sides against each other, and each against a peer that misbehaves.
 *
 * Reason for length: all cases share one loop, server and pair of peers. */
#include "net_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static struct net_server *server;
static struct net_ws_limits server_limits;
static struct peer served[MANY + 10];
static int n_served;
static int refuse_status;
static char seen_auth[64], seen_origin[64], seen_subprotocol[64];
static const char *answer_subprotocol;

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

static const struct net_ws_events events = {on_open, on_message, on_drain, on_close};

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
    net_ws_accept(req, answer_subprotocol, &server_limits, &events, p);
}

static int setup(void **state)
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

static struct net_ws *dial(struct peer *p, const struct net_ws_limits *limits)
{
    const struct net_ws_target to = {
        .host = "127.0.0.1", .port = net_server_port(server), .path = "/w"};
    return net_ws_connect(loop, &to, limits, &events, p);
}

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
    assert_non_null(net_ws_connect(loop, &to, NULL, &events, &c));
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

/* --- a peer made of bytes ---------------------------------------------------------------- */

#define HANDSHAKE                                                                                  \
    "GET /w HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"      \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static int raw_ws(void)
{
    static char answer[1024];
    answer[0] = '\0';
    int fd = raw_connect(net_server_port(server));
    raw_send(fd, HANDSHAKE, sizeof HANDSHAKE - 1);
    run_until((raw_read(fd, answer, sizeof answer), strstr(answer, "\r\n\r\n") != NULL));
    assert_non_null(strstr(answer, " 101 "));
    assert_non_null(strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    return fd;
}

/* A masked frame with mask 0. */
static void raw_frame(int fd, unsigned first, const char *bytes, size_t len)
{
    unsigned char head[8] = {(unsigned char)first, (unsigned char)(0x80u | len)};
    assert_true(len < 126);
    raw_send(fd, head, 6);
    if (len > 0) {
        raw_send(fd, bytes, len);
    }
}

static void fragments_are_put_together(void **state)
{
    (void)state;
    int fd = raw_ws();
    raw_frame(fd, 0x01, "one ", 4);
    run_for(10 * US_PER_MS);
    raw_frame(fd, 0x89, "ping", 4); /* control frames may stand between */
    raw_frame(fd, 0x00, "two ", 4);
    raw_frame(fd, 0x80, "three", 5);
    run_until(served[0].messages == 1);
    assert_string_equal(served[0].last, "one two three");
    close(fd);
    run_until(served[0].closed == 1);
    assert_int_equal(served[0].end.cause, NET_WS_PEER);
    assert_int_equal(served[0].end.code, NET_WS_ABNORMAL);
}

static void early_bytes_count(void **state)
{
    (void)state;
    int fd = raw_connect(net_server_port(server));
    static const char both[] = HANDSHAKE "\x81\x82\0\0\0\0hi";
    raw_send(fd, both, sizeof both - 1);
    run_until(served[0].messages == 1);
    assert_string_equal(served[0].last, "hi");
    close(fd);
}

static void violations(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned first;
        const char *bytes;
        size_t len;
        int code;
    } cases[] = {
        {"not UTF-8", 0x81, "a\xff", 2, NET_WS_BAD_UTF8},
        {"cut UTF-8", 0x81, "\xc3", 1, NET_WS_BAD_UTF8},
        {"surrogate", 0x81, "\xed\xa0\x80", 3, NET_WS_BAD_UTF8},
        {"binary", 0x82, "ab", 2, NET_WS_UNSUPPORTED},
        {"reserved bits", 0xf1, "ab", 2, NET_WS_PROTOCOL},
        {"unknown opcode", 0x83, "ab", 2, NET_WS_PROTOCOL},
        {"continuation of nothing", 0x80, "ab", 2, NET_WS_PROTOCOL},
        {"fragmented ping", 0x09, "ab", 2, NET_WS_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("# %s\n", cases[i].what);
        int fd = raw_ws();
        raw_frame(fd, cases[i].first, cases[i].bytes, cases[i].len);
        char got[256] = "";
        run_until(
            (recv(fd, got, sizeof got, MSG_DONTWAIT | MSG_PEEK), (unsigned char)got[0] == 0x88));
        assert_int_equal((unsigned char)got[2] << 8 | (unsigned char)got[3], cases[i].code);
        run_until(served[i].closed == 1);
        assert_int_equal(served[i].end.cause, NET_WS_VIOLATION);
        assert_int_equal(served[i].end.code, cases[i].code);
        assert_int_equal(served[i].messages, 0);
        close(fd);
    }
}

static void huge_length_is_refused_at_once(void **state)
{
    (void)state;
    int fd = raw_ws();
    static const unsigned char head[] = {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0,    0,    0,    0};
    raw_send(fd, head, sizeof head);
    char some[8192];
    memset(some, 'a', sizeof some);
    raw_send(fd, some, sizeof some);
    run_until(served[0].closed == 1);
    assert_int_equal(served[0].end.code, NET_WS_TOO_BIG);
    close(fd);
}

/* Whoever breaks a limit and goes on sending: lws 4.1.6 kept what came behind its buffer's end when
 * it was told of the breach from inside its callback (attack A6; a hostile Asterisk, or a page
 * before its hello). */
static void what_follows_a_breach_is_dropped(void **state)
{
    enum { LONG = 4 * 1024 * 1024 };
    static struct peer c;
    char *big = malloc(LONG);
    size_t sent = 0;

    (void)state;
    memset(big, 'a', LONG);
    /* Towards a server, by bytes. */
    int fd = raw_ws();
    static const unsigned char head[] = {0x81, 0xff, 0, 0, 0, 0, 0, LONG >> 16, 0, 0, 0, 0, 0, 0};
    raw_send(fd, head, sizeof head);
    while (sent < LONG) {
        const ssize_t n = send(fd, big + sent, LONG - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        net_loop_run_once(loop, US_PER_MS);
        if (n < 0 && served[0].closed) {
            break; /* it has had enough */
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    run_until(served[0].closed == 1);
    assert_int_equal(served[0].end.code, NET_WS_TOO_BIG);
    close(fd);
    /* Towards a client. */
    server_limits.max_queue = 2 * (size_t)LONG;
    c = (struct peer){0};
    (void)dial(&c, NULL);
    run_until(c.opened == 1 && served[1].opened == 1);
    assert_int_equal(net_ws_send(served[1].ws, big, LONG), NET_OK);
    run_until(c.closed == 1 && served[1].closed == 1);
    assert_int_equal(c.end.code, NET_WS_TOO_BIG);
    /* A small breach first, and much behind it. */
    for (int i = 2; i < 12; i++) {
        c = (struct peer){0};
        (void)dial(&c, NULL);
        run_until(c.opened == 1 && served[i].opened == 1);
        assert_int_equal(net_ws_send(served[i].ws, "\xff\xfe\xfd", 3), NET_OK);
        assert_int_equal(net_ws_send(served[i].ws, big, (size_t)LONG - (size_t)i * 100000), NET_OK);
        run_until(c.closed == 1 && served[i].closed == 1);
        assert_int_equal(c.end.code, NET_WS_BAD_UTF8);
    }
    free(big);
}

static void binary_may_be_ignored(void **state)
{
    (void)state;
    server_limits.ignore_binary = true;
    int fd = raw_ws();
    raw_frame(fd, 0x82, "\xff\xfe", 2);
    raw_frame(fd, 0x81, "text", 4);
    run_until(served[0].messages == 1);
    assert_string_equal(served[0].last, "text");
    close(fd);
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

static void silence_is_noticed(void **state)
{
    (void)state;
    server_limits.ping_us = 50 * US_PER_MS;
    server_limits.dead_us = 200 * US_PER_MS;
    int fd = raw_ws(); /* never answers a ping */
    int64_t start = net_now_us();
    run_until(served[0].closed == 1);
    assert_int_equal(served[0].end.cause, NET_WS_SILENT);
    int64_t took = net_now_us() - start;
    assert_true(took > 150 * US_PER_MS && took < 2 * US_PER_S);
    char got[512] = "";
    raw_read(fd, got, sizeof got);
    assert_int_equal((unsigned char)got[0], 0x89); /* it had been asked */
    close(fd);
    /* one that answers pings lives */
    static struct peer c; /* the socket may outlive this function */
    c = (struct peer){0};
    struct net_ws *ws = dial(&c, NULL);
    run_until(c.opened == 1);
    run_for(500 * US_PER_MS);
    assert_int_equal(served[1].closed, 0);
    net_ws_drop(ws);
    run_until(c.closed == 1);
}

static void slow_reader_is_cut(void **state)
{
    (void)state;
    server_limits.block_us = 100 * US_PER_MS;
    server_limits.send_buffer = 4096;
    server_limits.dead_us = -1;
    server_limits.max_queue = 100000;
    int fd = raw_ws(); /* does not read any more */
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    char text[2000];
    memset(text, 'x', sizeof text);
    int64_t start = net_now_us();
    int64_t full_at = 0;
    while (!served[0].closed && net_now_us() < start + 4 * US_PER_S) {
        struct peer *p = &served[0];
        if (p->ws) {
            int sent = net_ws_send(p->ws, text, sizeof text);
            if (sent == NET_EFULL && !full_at) {
                full_at = net_now_us();
            }
            assert_true(net_ws_pending(p->ws) <= 100000);
        }
        net_loop_run_once(loop, 2 * US_PER_MS);
    }
    assert_int_equal(served[0].closed, 1);
    assert_int_equal(served[0].end.cause, NET_WS_SLOW);
    close(fd);
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
    static const struct net_ws_events ends = {on_open, end_inside_callbacks_message, NULL,
                                              on_close};
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
    on_close(ctx, ws, end);
}

/* A line that broke: who is told may still try to say something on it. */
static void nothing_goes_out_from_on_close(void **state)
{
    (void)state;
    static const struct net_ws_events late = {on_open, on_message, NULL, last_words};
    static struct peer c;
    const struct net_ws_target to = {
        .host = "127.0.0.1", .port = net_server_port(server), .path = "/w"};

    c = (struct peer){0};
    net_ws_connect(loop, &to, NULL, &late, &c);
    run_until(c.opened == 1 && served[0].opened == 1);
    net_ws_drop(served[0].ws);
    run_until(c.closed == 1 && served[0].closed == 1);
    assert_int_equal(c.end.cause, NET_WS_PEER);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(echo_both_ways),
        t(server_closes_with_code),
        t(headers_arrive),
        t(refused_with_status),
        t(big_messages),
        t(queue_is_bounded),
        t(in_order_and_coalesced),
        t(fragments_are_put_together),
        t(early_bytes_count),
        t(violations),
        t(huge_length_is_refused_at_once),
        t(what_follows_a_breach_is_dropped),
        t(binary_may_be_ignored),
        t(abrupt_ends),
        t(silence_is_noticed),
        t(slow_reader_is_cut),
        t(paused_reader_pushes_back),
        t(many_clients),
        t(end_inside_callbacks),
        t(nothing_goes_out_from_on_close),
    };
    return cmocka_run_group_tests_name("net_ws", tests, NULL, NULL);
}
