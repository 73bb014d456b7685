/*
 * test_doors.c - the daemon's port, as strangers use it: A10 (passwords), A16 (paths), A17
 * (requests and connections). After each the daemon must serve somebody else.
 */
#include "tests/attacks/attack.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* How many of them have been answered (408) or cut by now; waits half a second for one more. */
static unsigned ended(struct pollfd *slow, unsigned n)
{
    char answer[512];
    unsigned cut = 0;

    (void)poll(slow, n, 500);
    for (unsigned i = 0; i < n; i++) {
        if (slow[i].fd >= 0 && recv(slow[i].fd, answer, sizeof answer, MSG_DONTWAIT) >= 0) {
            close(slow[i].fd);
            slow[i].fd = -1; /* poll() passes it over */
        }
        cut += slow[i].fd < 0;
    }
    return cut;
}

static void slow_requests_are_cut(void **state)
{
    enum { SLOW = 400, PROBES = 1000, LIMIT_MS = 60000 };
    static struct pollfd slow[SLOW];
    static double probe[PROBES];
    const long before = rss_kib();
    const int64_t begun = now_ms();
    unsigned rounds = 0;
    unsigned cut = 0;

    (void)state;
    for (unsigned i = 0; i < SLOW; i++) {
        slow[i] = (struct pollfd){.fd = wire_open("127.0.17.1"), .events = POLLIN};
        assert_true(slow[i].fd >= 0);
        wire_send(slow[i].fd, "GET / HTTP/1.1\r\nX: ", 19);
    }
    while (cut < SLOW && rounds < PROBES && now_ms() - begun < LIMIT_MS) {
        for (unsigned k = 0; k < SLOW; k++) {
            (void)send(slow[k].fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        probe[rounds++] = probe_ms();
        cut = ended(slow, SLOW);
    }
    qsort(probe, rounds, sizeof *probe, by_size);
    print_message("A17: 400 slow requests for %.0f s: %u cut; others' answers: median %.1f ms, "
                  "slowest %.1f ms\n",
                  (double)(now_ms() - begun) / 1e3, cut, probe[rounds / 2], probe[rounds - 1]);
    assert_int_equal(cut, SLOW);
    assert_true(probe[rounds - 1] < 2000);
    assert_true(rss_kib() - before < 64 * 1024);
    others_are_served();
}

static void header_floods(void **state)
{
    static char flood[40000];
    const long before = rss_kib();
    unsigned denied = 0;

    (void)state;
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
        cmocka_unit_test(paths),
        cmocka_unit_test(smuggling),
        cmocka_unit_test(slow_requests_are_cut),
        cmocka_unit_test(header_floods),
        cmocka_unit_test(one_address_cannot_take_all_places),
        cmocka_unit_test(guessing),
    };

    return cmocka_run_group_tests_name("attacks: doors", tests, doors_open, doors_close);
}
