/* A process that was stopped (SIGSTOP, a frozen machine) blames nobody else for it: what arrived
 * meanwhile is heard before anybody is found late or silent. Here the loop is not turned. */
#include "net_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROWD 200 /* several times what one look at the sockets reports */
#define PING_US (200 * US_PER_MS)
#define DEAD_US (800 * US_PER_MS)
#define AWAY_MS 2000

static struct net_server *server;
static struct net_ws *served[CROWD];
static int n_served, messages, closed, silent, requests;

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ctx;
    (void)ws;
    (void)text;
    (void)len;
    messages++;
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ctx;
    (void)ws;
    closed++;
    silent += end->cause == NET_WS_SILENT;
}

static void on_request(void *ctx, struct net_req *req)
{
    static const struct net_ws_events events = {.on_message = on_message, .on_close = on_close};
    const struct net_ws_limits limits = {.ping_us = PING_US, .dead_us = DEAD_US};

    (void)ctx;
    if (net_req_is_websocket(req)) {
        served[n_served++] = net_ws_accept(req, NULL, &limits, &events, NULL);
    } else {
        requests++;
        net_respond_text(req, 200, "text/plain", "yes");
    }
}

static int setup(void **state)
{
    const struct net_server_events on = {.on_request = on_request};
    const struct net_server_config config = {.request_us = 500 * US_PER_MS,
                                             .idle_us = 500 * US_PER_MS};
    char err[200];

    n_served = messages = closed = silent = requests = 0;
    if (setup_loop(state) != 0) {
        return -1;
    }
    server = net_listen(loop, &config, &on, NULL, err, sizeof err);
    return server ? 0 : -1;
}

static void be_away(void)
{
    poll(NULL, 0, AWAY_MS);
}

static int open_page(void)
{
    static const char shake[] =
        "GET /w HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const int before = n_served;
    int fd = raw_connect(net_server_port(server));
    char answer[1024] = "";

    raw_send(fd, shake, sizeof shake - 1);
    run_until((raw_read(fd, answer, sizeof answer), strstr(answer, "\r\n\r\n") != NULL));
    assert_int_equal(n_served, before + 1);
    return fd;
}

/* A masked frame of at most four bytes, mask 0. */
static void frame(int fd, unsigned first, const char *four)
{
    unsigned char bytes[10] = {(unsigned char)first, 0x84u};

    memcpy(bytes + 6, four, 4);
    raw_send(fd, bytes, sizeof bytes);
}

/* Answer what pings there are. False: it was closed. */
static bool answer_pings(int fd)
{
    char got[256];
    ssize_t n = recv(fd, got, sizeof got, MSG_DONTWAIT);

    for (ssize_t i = 0; i < n; i++) {
        if ((unsigned char)got[i] == 0x89u) {
            frame(fd, 0x8a, "ping");
        }
    }
    return n != 0;
}

/* Away twice in one silence: what nobody has read yet is all there is to say for them. */
static void what_waits_unread_is_heard_first(void **state)
{
    int fd[CROWD];

    (void)state;
    for (int i = 0; i < CROWD; i++) {
        fd[i] = open_page();
        for (int k = 0; k < i; k++) {
            assert_true(answer_pings(fd[k]));
        }
    }
    be_away();
    run_for(PING_US / 2);
    for (int i = 0; i < CROWD; i++) {
        frame(fd[i], 0x81, "here");
    }
    be_away();
    run_until(messages == CROWD || closed > 0);
    assert_int_equal(closed, 0);
    for (int i = 0; i < CROWD; i++) {
        close(fd[i]);
    }
    run_until(closed == CROWD);
    assert_int_equal(silent, 0);
}

/* It was asked nothing, so it said nothing. */
static void who_was_not_asked_is_not_silent(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        const int from = n_served;
        int fd = open_page();
        bool lives = true;

        if (late) { /* away also when a first ping had been answered */
            int64_t until_us = net_now_us() + 2 * PING_US;
            while (net_now_us() < until_us) {
                net_loop_run_once(loop, 20 * US_PER_MS);
                assert_true(answer_pings(fd));
            }
        }
        be_away();
        for (int64_t until_us = net_now_us() + 2 * DEAD_US; lives && net_now_us() < until_us;) {
            net_loop_run_once(loop, 20 * US_PER_MS);
            lives = answer_pings(fd);
        }
        assert_true(lives);
        assert_int_equal(closed, from);
        close(fd);
        run_until(closed == from + 1);
    }
    assert_int_equal(silent, 0);
}

/* Its time begins anew, once: after that it is dead. */
static void who_never_answers_is_found(void **state)
{
    int fd = open_page();

    (void)state;
    be_away();
    const int64_t back_us = net_now_us();
    run_until(closed == 1);
    assert_true(net_now_us() - back_us >= DEAD_US);
    assert_int_equal(silent, 1);
    close(fd);
}

/* The rest of a request, and a request on a kept connection: longer away than either may take. */
static void a_request_that_came_meanwhile_is_answered(void **state)
{
    static const char head[] = "GET /one HTTP/1.1\r\n";
    static const char rest[] = "Host: x\r\n\r\n";
    int fd = raw_connect(net_server_port(server));
    char answer[2048] = "";

    (void)state;
    raw_send(fd, head, sizeof head - 1);
    run_for(50 * US_PER_MS);
    raw_send(fd, rest, sizeof rest - 1);
    be_away();
    run_until(!raw_read(fd, answer, sizeof answer) || strstr(answer, "yes"));
    assert_non_null(strstr(answer, " 200 "));
    answer[0] = '\0';
    raw_send(fd, head, sizeof head - 1);
    raw_send(fd, rest, sizeof rest - 1);
    be_away();
    run_until(!raw_read(fd, answer, sizeof answer) || strstr(answer, "yes"));
    assert_non_null(strstr(answer, " 200 "));
    assert_int_equal(requests, 2);
    close(fd);
}

static void on_done(void *ctx, const struct net_http_result *r)
{
    *(int *)ctx = r->fate == NET_ANSWERED ? r->status : -1;
}

/* Our own question: the answer has been there all the time. */
static void an_answer_that_came_meanwhile_counts(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = 0;
    char got[1024] = "";
    char err[200];

    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&at, &size), 0);
    const struct net_http_config config = {
        .host = "127.0.0.1", .port = ntohs(at.sin_port), .timeout_us = US_PER_S};
    struct net_http *http = net_http_open(loop, &config, err, sizeof err);
    const struct net_http_call call = {
        .method = "GET", .target = "/", .on_done = on_done, .ctx = &status};
    assert_int_equal(net_http_send(http, &call), NET_OK);
    run_for(50 * US_PER_MS);
    int fd = accept(listener, NULL, NULL);
    run_until((raw_read(fd, got, sizeof got), strstr(got, "\r\n\r\n") != NULL));
    raw_send(fd, text, sizeof text - 1);
    be_away();
    run_until(status != 0);
    assert_int_equal(status, 200);
    net_http_close(http);
    close(fd);
    close(listener);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(what_waits_unread_is_heard_first),     t(who_was_not_asked_is_not_silent),
        t(who_never_answers_is_found),           t(a_request_that_came_meanwhile_is_answered),
        t(an_answer_that_came_meanwhile_counts),
    };
    return cmocka_run_group_tests_name("net_away", tests, NULL, NULL);
}
