/*
 * test_pages.c - what pretends to be a page: A7 (frames), A8 (foreign origins), A9 (tickets and
 * sessions). After each the daemon must serve somebody else.
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- A7: frames ------------------------------------------------------------------------------- */

static bool read_all(int fd, unsigned char *out, size_t len)
{
    for (ssize_t n; len > 0; len -= (size_t)n, out += n) {
        n = recv(fd, out, len, 0);
        if (n <= 0) {
            return false;
        }
    }
    return true;
}

/* The next frame's opcode, its first bytes in `out` (NUL-terminated); -1: the connection is over.
 */
static int read_frame(int fd, unsigned char *out, size_t size)
{
    unsigned char head[10];
    unsigned char byte;
    size_t len;

    if (!read_all(fd, head, 2)) {
        return -1;
    }
    len = head[1] & 0x7f;
    if (len >= 126) {
        const size_t more = len == 126 ? 2 : 8;
        if (!read_all(fd, head + 2, more)) {
            return -1;
        }
        len = 0;
        for (size_t i = 0; i < more; i++) {
            len = len << 8 | head[2 + i];
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (!read_all(fd, &byte, 1)) {
            return -1;
        }
        if (i + 1 < size) {
            out[i] = byte;
            out[i + 1] = '\0';
        }
    }
    return head[0] & 15;
}

/* A websocket after its hello, as a bare connection. */
static int raw_page(void)
{
    static char text[65536];
    unsigned char frame[160];
    const int fd = wire_open("127.0.7.7");
    int n;

    assert_true(fd >= 0);
    n = snprintf(text, sizeof text,
                 "GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: dialer.v1\r\n\r\n");
    assert_true(wire_send(fd, text, (size_t)n));
    wire_read(fd, text, sizeof text, "\r\n\r\n");
    assert_int_equal(status_of(text), 101);
    n = snprintf(text, sizeof text, "{\"type\":\"hello\",\"ticket\":\"%s\"}", ticket(1));
    frame[0] = 0x81;
    frame[1] = (unsigned char)(0x80 | n);
    memset(frame + 2, 0, 4);
    memcpy(frame + 6, text, (size_t)n);
    assert_true(wire_send(fd, frame, 6 + (size_t)n));
    while (strstr(text, "\"welcome\"") == NULL) {
        assert_true(read_frame(fd, (unsigned char *)text, sizeof text) > 0);
    }
    return fd;
}

/* One frame, masked with zeros. */
static bool put_frame(int fd, unsigned first, const void *bytes, size_t len)
{
    unsigned char head[14] = {(unsigned char)first, 0x80 | 126, (unsigned char)(len >> 8),
                              (unsigned char)len};
    size_t n = 4;

    if (len < 126) {
        head[1] = (unsigned char)(0x80 | len);
        n = 2;
    } else if (len > 65535) {
        head[1] = 0x80 | 127;
        memset(head + 2, 0, 4);
        for (unsigned i = 0; i < 4; i++) {
            head[6 + i] = (unsigned char)(len >> (24 - 8 * i));
        }
        n = 10;
    }
    memset(head + n, 0, 4);
    return wire_send(fd, head, n + 4) && wire_send(fd, bytes, len);
}

/* The close frame's code; 1006: the connection went without one. */
static int close_code(int fd)
{
    unsigned char in[128] = "";
    int opcode;

    do {
        opcode = read_frame(fd, in, sizeof in);
    } while (opcode >= 0 && opcode != 8);
    close(fd);
    return opcode == 8 ? in[0] << 8 | in[1] : 1006;
}

static void frames_that_break_a_rule(void **state)
{
    static char big[70000];
    static const char deep[] = "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]";
    static const unsigned char huge[] = {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0,    0,    0,    0};
    static const unsigned char unmasked[] = {0x81, 2, '{', '}'};
    int fd;

    (void)state;
    memset(big, ' ', sizeof big);
    fd = raw_page();
    put_frame(fd, 0x81, big, sizeof big);
    assert_int_equal(close_code(fd), 1009);
    fd = raw_page();
    put_frame(fd, 0x81, deep, sizeof deep - 1);
    assert_int_equal(close_code(fd), 1008);
    fd = raw_page();
    put_frame(fd, 0x81, "{\"type\":", 8);
    assert_int_equal(close_code(fd), 1008);
    fd = raw_page();
    put_frame(fd, 0x82, "{}", 2);
    assert_int_equal(close_code(fd), 1003);
    fd = raw_page();
    put_frame(fd, 0x81, "\xff\xfe", 2);
    assert_int_equal(close_code(fd), 1007);
    fd = raw_page();
    put_frame(fd, 0xf1, "{}", 2); /* reserved bits */
    assert_in_range(close_code(fd), 1002, 1006);
    fd = raw_page();
    wire_send(fd, huge, sizeof huge);
    assert_in_range(close_code(fd), 1002, 1009);
    fd = raw_page();
    wire_send(fd, unmasked, sizeof unmasked);
    assert_in_range(close_code(fd), 1002, 1006);
    others_are_served();
    print_message("A7: 8 broken rules, each closed with its code\n");
}

static void floods_of_frames(void **state)
{
    const long long cut = metric("web_cut_rate_total");
    const long before = rss_kib();
    int fd = raw_page();
    unsigned sent = 0;

    (void)state;
    for (unsigned i = 0; i < 100 && put_frame(fd, 0x81, "{\"type\":\"ping\",\"id\":1}", 22); i++) {
    }
    assert_int_equal(close_code(fd), 1008);
    assert_int_equal(metric("web_cut_rate_total"), cut + 1);
    fd = raw_page(); /* pings of the protocol itself */
    while (sent < 20000 && put_frame(fd, 0x89, "abc", 3)) {
        sent++;
    }
    close(fd);
    fd = raw_page(); /* a message in pieces of nothing, without end */
    put_frame(fd, 0x01, "{", 1);
    for (sent = 0; sent < 20000 && put_frame(fd, 0x00, "", 0); sent++) {
    }
    close(fd);
    others_are_served();
    print_message(
        "A7: 100 messages cut after 40; 20000 pings and 20000 empty pieces, memory %+ld KiB\n",
        rss_kib() - before);
    assert_true(rss_kib() - before < 64 * 1024);
}

/* --- A8 --------------------------------------------------------------------------------------- */

static void foreign_origins(void **state)
{
    static const char *const forms[] = {
        "http://evil.example",
        "https://127.0.0.1",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "file://",
        "http://127.0.0.1:%u.evil.example",
        "http://127.0.0.1:%u/",
        "http://127.0.0.1:%u,http://evil.example",
        "HTTP://127.0.0.1:%u",
        "http://127.0.0.1:%u@evil.example",
        "http://evil.example#http://127.0.0.1:%u",
        ",",
        "http://[::1]:%u",
        "http://localhost:%u0",
    };
    static const char upgrade[] = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: dialer.v1\r\n";
    unsigned tried = 0;
    unsigned refused = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        char origin[120];
        char headers[500];
        const char *mark = strstr(forms[i], "%u");
        snprintf(origin, sizeof origin, "%.*s", (int)(mark != NULL ? mark - forms[i] : 100),
                 forms[i]);
        if (mark != NULL) {
            snprintf(origin + strlen(origin), 60, "%u%s", page_port, mark + 2);
        }
        snprintf(headers, sizeof headers, "Origin: %s\r\n%s", origin, upgrade);
        refused += status_of(http_ask(NULL, "GET", "/socket", headers, NULL)) == 403;
        snprintf(headers, sizeof headers, "Origin: %s\r\n", origin);
        refused += status_of(http_ask(NULL, "POST", "/login", headers,
                                      "{\"user\":\"a\",\"password\":\"b\"}")) == 403;
        refused += status_of(http_ask(NULL, "POST", "/ticket", headers, "{}")) == 403;
        refused += status_of(http_ask(NULL, "POST", "/enter", headers, "{\"token\":\"a\"}")) == 403;
        tried += 4;
    }
    print_message("A8: %u requests from foreign origins, %u refused\n", tried, refused);
    assert_int_equal(refused, tried);
    others_are_served();
}

/* --- A9 --------------------------------------------------------------------------------------- */

static bool welcome(const char *of)
{
    struct page *p = page_hello(of, NULL, 0);
    bool good;

    run_until(p->closed || p->n > 0);
    good = !p->closed;
    page_free(p);
    return good;
}

static void tickets_and_sessions(void **state)
{
    unsigned first = 0;
    unsigned again = 0;
    char cookie[256];
    char t[64];
    const char *answer;
    struct page *p;
    int64_t begun;

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        snprintf(t, sizeof t, "%s", ticket(1));
        first += welcome(t);
        again += welcome(t);
        t[10] = t[10] == 'A' ? 'B' : 'A';
        again += welcome(t);
    }
    assert_int_equal(first, 30);
    assert_int_equal(again, 0);
    answer = http_ask(NULL, "POST", "/login", "",
                      "{\"user\":\"agent1\",\"password\":\"" SECRET_OF_AGENT "\"}");
    assert_int_equal(status_of(answer), 200);
    answer = strstr(answer, "Set-Cookie: ");
    assert_non_null(answer);
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(answer + 12, ";"),
             answer + 12);
    answer = http_ask(NULL, "POST", "/ticket", cookie, "{}");
    assert_int_equal(status_of(answer), 200);
    snprintf(t, sizeof t, "%.43s", strstr(answer, "\"ticket\":\"") + 10);
    p = page_hello(t, NULL, 0);
    run_until(p->n > 0);
    begun = now_ms();
    assert_int_equal(status_of(http_ask(NULL, "POST", "/logout", cookie, "{}")), 204);
    run_until(p->closed);
    assert_int_equal(p->code, 1008);
    print_message(
        "A9: 30 tickets used, 60 replays, 0 let in; session ended: its page closed in %lld ms\n",
        (long long)(now_ms() - begun));
    assert_true(now_ms() - begun < 1000);
    page_free(p);
    assert_int_equal(status_of(http_ask(NULL, "POST", "/ticket", cookie, "{}")), 401);
    others_are_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_break_a_rule),
        cmocka_unit_test(floods_of_frames),
        cmocka_unit_test(foreign_origins),
        cmocka_unit_test(tickets_and_sessions),
    };

    return cmocka_run_group_tests_name("attacks: pages", tests, doors_open, doors_close);
}
