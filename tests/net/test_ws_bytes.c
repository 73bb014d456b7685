/* Websockets: a server of ours against peers made of bytes, which break rules, stop or say nothing.
 */
#include "tests/net/ws_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup_ws, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(fragments_are_put_together),
        t(early_bytes_count),
        t(violations),
        t(huge_length_is_refused_at_once),
        t(what_follows_a_breach_is_dropped),
        t(binary_may_be_ignored),
        t(silence_is_noticed),
        t(slow_reader_is_cut),
    };
    return cmocka_run_group_tests_name("net_ws_bytes", tests, NULL, NULL);
}
