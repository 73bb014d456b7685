/*
 * test_doors.c - the daemon's port, as strangers and hostile pages use it: A7 (frames), A8 (foreign
 * origins), A9 (tickets and sessions), A10 (passwords), A16 (paths), A17 (requests and
 * connections). After each the daemon must serve somebody else.
 *
 * Reason for length: one daemon meets all of them, one after the other.
 */
#include "tests/attacks/attack.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_doors(void **state)
{
    (void)state;
    attack_begin(NULL, "max_clients = 1000\n", 4);
    return 0;
}

static int close_doors(void **state)
{
    (void)state;
    attack_end();
    return 0;
}

/* Somebody who behaves well comes, asks something and is answered. */
static void others_are_served(void)
{
    struct page *p;
    struct json doc;

    assert_true(alive());
    p = page_hello(ticket(4), NULL, 0);
    json_init(&doc, 0);
    page_next(p, "welcome", &doc);
    page_send(p, "{\"type\":\"ping\",\"id\":1}");
    page_next(p, "reply", &doc);
    json_free(&doc);
    page_free(p);
}

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

/* --- A10 -------------------------------------------------------------------------------------- */

#define AT_ONCE 60

/* So many logins at the same time, each from an address of its own; how many were answered 401,
 * that is, checked. */
static unsigned burst(unsigned from, const char *user, unsigned *n_user)
{
    int fd[AT_ONCE];
    char text[1024];
    unsigned checked = 0;

    for (unsigned i = 0; i < AT_ONCE; i++) {
        char address[32];
        char body[160];
        const unsigned at = from + i;
        snprintf(address, sizeof address, "127.2.%u.%u", at / 250 % 250, 1 + at % 250);
        snprintf(body, sizeof body, "{\"user\":\"%s%.0u\",\"password\":\"guess%u\"}", user,
                 n_user != NULL ? (*n_user)++ : 0, at);
        fd[i] = wire_open(address);
        snprintf(text, sizeof text,
                 "POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        if (fd[i] >= 0) {
            wire_send(fd[i], text, strlen(text));
        }
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        if (fd[i] >= 0) {
            wire_read(fd[i], text, sizeof text, NULL);
            checked += status_of(text) == 401;
            close(fd[i]);
        }
    }
    return checked;
}

static int by_size(const void *a, const void *b)
{
    const double d = *(const double *)a - *(const double *)b;

    return (d > 0) - (d < 0);
}

static void guessing(void **state)
{
    const long before = rss_kib();
    const int64_t begun = now_ms();
    double honest[10];
    unsigned checked = 0;
    unsigned tries = 0;
    unsigned many = 0;
    unsigned name = 1;

    (void)state;
    for (unsigned i = 0; i < 10; i++, tries += AT_ONCE) {
        checked += burst(i * AT_ONCE, "agent2", NULL);
    }
    print_message("A10: %u tries on one account from 250 addresses in %.1f s: %u checked\n", tries,
                  (double)(now_ms() - begun) / 1e3, checked);
    assert_in_range(checked, 1, 10);
    for (unsigned i = 0; i < 10; i++) {
        char from[32];
        /* Guesses at many accounts are under way while an honest agent logs in for the first time.
         */
        many += burst(i % 4 * AT_ONCE, "user", &name);
        snprintf(from, sizeof from, "127.77.0.%u", i + 1);
        const int64_t at = now_ms();
        assert_int_equal(log_in(from, "agent3", SECRET_OF_AGENT), 200);
        honest[i] = (double)(now_ms() - at);
    }
    qsort(honest, 10, sizeof *honest, by_size);
    print_message("A10: %u tries on as many accounts, %u checked; honest logins between them: all "
                  "of 10, median %.0f ms, "
                  "slowest %.0f ms; memory %+ld KiB\n",
                  10 * AT_ONCE, many, honest[5], honest[9], rss_kib() - before);
    assert_true(rss_kib() - before <
                700 *
                    1024); /* two hashes of 64 MiB, and what AddressSanitizer keeps of freed ones */
    others_are_served();
}

/* --- A16 -------------------------------------------------------------------------------------- */

static size_t traversal(unsigned n, char *out, size_t size)
{
    static const char *const ups[] = {
        "../",    "..%2f", "%2e%2e/",         "%2e%2e%2f", "..\\",   "..%5c",
        "....//", "..;/",  "%252e%252e%252f", "..%c0%af",  ".%00./", "%uff0e%uff0e/",
        "//",     "./",    "..%01/"};
    static const char *const targets[] = {
        "etc/passwd", "proc/self/environ", "agent.password", "dialerd.conf",      "db",
        "app.js",     "index.html%00",     "app.js%00.txt",  "etc/passwd%00.css", "app.js/",
        "app.js.map", ".git/config"};
    static const char *const begins[] = {"/",  "/app.js/", "/static/", "/enter/",
                                         "//", "/socket/", "/%2f",     "/assets/"};
    size_t len = (size_t)snprintf(out, size, "%s", begins[n % 8]);

    n /= 8;
    for (unsigned depth = n % 9; depth > 0; depth--) {
        len += (size_t)snprintf(out + len, size - len, "%s",
                                ups[(n / 9 + depth * (n / 135 % 2)) % 15]);
    }
    len += (size_t)snprintf(out + len, size - len, "%s", targets[n / 270 % 12]);
    return len;
}

static void paths(void **state)
{
    static char text[1u << 20];
    unsigned tried = 0;
    unsigned answered = 0;
    unsigned escapes = 0;

    (void)state;
    while (tried < 20000) {
        const int fd = wire_open("127.0.16.1");
        size_t n = 0;
        assert_true(fd >= 0);
        for (unsigned i = 0; i < 100; i++) {
            char path[400];
            traversal(tried++, path, sizeof path);
            if (strcmp(path, "/app.js") == 0) { /* which is there for everybody */
                snprintf(path, sizeof path, "/app.js~");
            }
            n += (size_t)snprintf(text + n, sizeof text - n, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n",
                                  path, i == 99 ? "Connection: close\r\n" : "");
        }
        wire_send(fd, text, n);
        wire_read(fd, text, sizeof text, NULL);
        close(fd);
        for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")) != NULL; at += 9) {
            answered++;
        }
        escapes += strstr(text, "root:") != NULL || strstr(text, SECRET_OF_AGENT) != NULL ||
                   strstr(text, "SQLite format") != NULL || strstr(text, "HTTP/1.1 200") != NULL;
    }
    print_message("A16: %u paths, %u answered, %u escapes\n", tried, answered, escapes);
    assert_true(answered > tried / 100);
    assert_int_equal(escapes, 0);
    others_are_served();
}

/* --- A17 -------------------------------------------------------------------------------------- */

static void smuggling(void **state)
{
#define HIDDEN "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
    static const char *const requests[] = {
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
        "6\r\n\r\n0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, "
        "identity\r\n\r\n0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\n Content-Length: 0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\nHost: a\nContent-Length: 0\n\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\rContent-Length: 0\r\n\r\n" HIDDEN,
        "POST /login HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" HIDDEN,
        "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" HIDDEN,
        "GET /livez HTTP/1.1\r\n\r\n" HIDDEN,
        "GET /livez HTTP/9.9\r\nHost: a\r\n\r\n" HIDDEN,
        "GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n" HIDDEN,
        "GET\t/livez HTTP/1.1\r\nHost: a\r\n\r\n" HIDDEN,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    static char text[65536];
    unsigned second = 0;
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const int fd = wire_open(NULL);
        const char *at;
        wire_send(fd, requests[i], strlen(requests[i]));
        shutdown(fd, SHUT_WR);
        wire_read(fd, text, sizeof text, NULL);
        close(fd);
        at = strstr(text, "HTTP/1.1 ");
        refused += at != NULL && status_of(at) >= 400;
        if (at != NULL && strstr(at + 9, "HTTP/1.1 ") != NULL) {
            print_error("a second answer to %s\n", requests[i]);
            second++;
        }
    }
    print_message("A17: %zu ways to smuggle, %u refused, %u second answers\n",
                  sizeof requests / sizeof *requests, refused, second);
    assert_int_equal(second, 0);
    assert_int_equal(refused, sizeof requests / sizeof *requests);
    others_are_served();
}

static void slow_and_many(void **state)
{
    enum { SLOW = 400, ROUNDS = 24 };
    static int fd[SLOW];
    static char flood[40000];
    const long before = rss_kib();
    const int64_t begun = now_ms();
    double probe[ROUNDS];
    unsigned cut = 0;
    unsigned denied = 0;

    (void)state;
    for (unsigned i = 0; i < SLOW; i++) {
        fd[i] = wire_open("127.0.17.1");
        assert_true(fd[i] >= 0);
        wire_send(fd[i], "GET / HTTP/1.1\r\nX: ", 19);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < SLOW; k++) {
            (void)send(fd[k], "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        probe[i] = probe_ms();
        (void)poll(NULL, 0, 500);
    }
    for (unsigned i = 0; i < SLOW; i++) {
        char byte[512];
        cut += recv(fd[i], byte, sizeof byte, MSG_DONTWAIT) >= 0; /* 408 has come, or the end */
        close(fd[i]);
    }
    qsort(probe, ROUNDS, sizeof *probe, by_size);
    print_message("A17: 400 slow requests for %.0f s: %u cut; others' answers: median %.1f ms, "
                  "slowest %.1f ms\n",
                  (double)(now_ms() - begun) / 1e3, cut, probe[ROUNDS / 2], probe[ROUNDS - 1]);
    assert_int_equal(cut, SLOW);
    assert_true(probe[ROUNDS - 1] < 2000);
    memset(flood, 'a', sizeof flood);
    memcpy(flood, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
    for (unsigned i = 0; i < 200; i++) {
        char text[512];
        const int one = wire_open("127.0.17.2");
        wire_send(one, flood, sizeof flood);
        wire_read(one, text, sizeof text, "\r\n\r\n");
        denied += status_of(text) == 431;
        close(one);
    }
    print_message("A17: 200 header floods, %u answered 431; memory %+ld KiB\n", denied,
                  rss_kib() - before);
    assert_true(denied >= 190); /* a reset may overtake the answer */
    assert_true(rss_kib() - before < 64 * 1024);
    others_are_served();
}

static void one_address_cannot_take_all_places(void **state)
{
    enum { MANY = 1400 };
    static int fd[MANY];
    const long long before = metric("web_connections_refused_address_total");

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        fd[i] = wire_open("127.0.17.3");
    }
    assert_true(probe_ms() < 2000);
    print_message("A17: 1400 connections from one address, %lld refused, others served\n",
                  metric("web_connections_refused_address_total") - before);
    assert_true(metric("web_connections_refused_address_total") - before >= MANY - 512);
    for (unsigned i = 0; i < MANY; i++) {
        close(fd[i]);
    }
    others_are_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_that_break_a_rule),
        cmocka_unit_test(floods_of_frames),
        cmocka_unit_test(foreign_origins),
        cmocka_unit_test(tickets_and_sessions),
        cmocka_unit_test(paths),
        cmocka_unit_test(smuggling),
        cmocka_unit_test(slow_and_many),
        cmocka_unit_test(one_address_cannot_take_all_places),
        cmocka_unit_test(guessing),
    };

    return cmocka_run_group_tests_name("attacks: doors", tests, open_doors, close_doors);
}
