/* wss: the client's websockets inside TLS, against a certificate made here; who is not trusted or
 * has another name gets nothing, least of all the password in the header. */
#include "net_fixture.h"

#include "tests/support/tls_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct net_server *server;
static struct tls_front *front;
static char folder[40];
static char ca[80];
static int asked; /* requests that reached the server */
static char seen_auth[64];

struct peer {
    struct net_ws *ws;
    int opened, closed, messages;
    char last[64 * 1024];
    struct net_ws_end end;
};
static struct peer here, there;

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
    snprintf(p->last, sizeof p->last, "%s", text);
    if (p == &there) {
        net_ws_send(ws, text, len);
    }
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct peer *p = ctx;
    (void)ws;
    p->ws = NULL;
    p->closed++;
    p->end = *end;
}

static const struct net_ws_events events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

static void on_request(void *ctx, struct net_req *req)
{
    const char *auth = net_req_header(req, "authorization");
    (void)ctx;
    asked++;
    snprintf(seen_auth, sizeof seen_auth, "%s", auth ? auth : "");
    net_ws_accept(req, NULL, NULL, &events, &there);
}

static const struct net_server_events server_events = {.on_request = on_request};

static int setup(void **state)
{
    const struct net_server_config config = {.port = 0};
    char err[200];
    if (setup_loop(state) != 0) {
        return -1;
    }
    here = there = (struct peer){0};
    asked = 0;
    snprintf(folder, sizeof folder, "/tmp/dialer-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    server = net_listen(loop, &config, &server_events, NULL, err, sizeof err);
    assert_non_null(server);
    front = NULL;
    return 0;
}

static int teardown(void **state)
{
    if (front) {
        tls_front_stop(front);
    }
    unlink(ca);
    rmdir(folder);
    return teardown_loop(state);
}

static void call(const char *host, const char *trusted)
{
    const struct net_header header = {"Authorization", "Basic c2VjcmV0"};
    const struct net_ws_target target = {.host = host,
                                         .port = tls_front_port(front),
                                         .tls = true,
                                         .tls_ca = trusted,
                                         .path = "/ari/events",
                                         .headers = &header,
                                         .n_headers = 1};
    assert_non_null(net_ws_connect(loop, &target, NULL, &events, &here));
}

static void speaks_inside_tls(void **state)
{
    static char large[60 * 1024];
    (void)state;
    front = tls_front_start(net_server_port(server), "localhost", ca);
    assert_non_null(front);
    call("localhost", ca);
    run_until(here.opened == 1);
    assert_string_equal(seen_auth, "Basic c2VjcmV0");
    assert_int_equal(tls_front_good(front), 1);
    net_ws_send(here.ws, "hello", 5);
    run_until(here.messages == 1);
    assert_string_equal(here.last, "hello");
    memset(large, 'x', sizeof large - 1); /* several records of TLS */
    net_ws_send(here.ws, large, sizeof large - 1);
    run_until(here.messages == 2);
    assert_string_equal(here.last, large);
    /* Its end is seen. */
    tls_front_stop(front);
    front = NULL;
    run_until(here.closed == 1);
}

static void expect_refused(void)
{
    run_until(here.closed == 1);
    assert_int_equal(here.end.cause, NET_WS_REFUSED);
    assert_int_equal(here.opened, 0);
    run_for(200 * US_PER_MS);
    assert_int_equal(asked, 0);
}

static void a_certificate_nobody_vouches_for_is_refused(void **state)
{
    (void)state;
    front = tls_front_start(net_server_port(server), "localhost", ca);
    assert_non_null(front);
    call("localhost", NULL); /* the system's roots do not know it */
    expect_refused();
}

static void another_name_is_refused(void **state)
{
    (void)state;
    front = tls_front_start(net_server_port(server), "pbx.example.net", ca);
    assert_non_null(front);
    call("localhost", ca);
    expect_refused();
}

static void a_server_without_tls_is_refused(void **state)
{
    (void)state;
    const struct net_ws_target target = {
        .host = "localhost", .port = net_server_port(server), .tls = true, .path = "/ari/events"};
    assert_non_null(net_ws_connect(loop, &target, NULL, &events, &here));
    run_until(here.closed == 1);
    assert_int_equal(here.end.cause, NET_WS_REFUSED);
    assert_int_equal(asked, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(speaks_inside_tls),
        TEST(a_certificate_nobody_vouches_for_is_refused),
        TEST(another_name_is_refused),
        TEST(a_server_without_tls_is_refused),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
