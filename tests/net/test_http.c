/* The HTTP server against raw bytes, and the HTTP client against our server and against raw ones.
 */
#include "net_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct net_server *server;
static int requests, aborts, connections_open;
static struct net_req *held; /* answered later */

static void respond_echo(struct net_req *req)
{
    char text[1024];
    char x[64] = "";
    struct text path = net_req_path(req);
    struct text query = net_req_query(req);
    net_query_get(query, "x", 0, x, sizeof x);
    const char *agent = net_req_header(req, "user-AGENT");
    int n = snprintf(text, sizeof text, "%s|%.*s|%s|%s|%s", net_req_method(req), (int)path.len,
                     path.ptr, x, agent ? agent : "-", net_req_body(req).ptr);
    const struct net_header fields[] = {{"X-One", "1"}, {"Set-Cookie", "s=1; HttpOnly"}};
    const struct net_response r = {.status = 200,
                                   .content_type = "text/plain",
                                   .headers = fields,
                                   .n_headers = 2,
                                   .body = text,
                                   .len = (size_t)n};
    assert_int_equal(net_respond(req, &r), NET_OK);
}

static void on_request(void *ctx, struct net_req *req)
{
    (void)ctx;
    requests++;
    const char *target = net_req_target(req);
    if (strncmp(target, "/hold", 5) == 0) {
        held = req;
    } else if (strcmp(target, "/drop") == 0) {
        net_req_drop(req);
    } else if (strcmp(target, "/none") == 0) {
        net_respond_text(req, 204, NULL, NULL);
    } else if (strcmp(target, "/bad-header") == 0) {
        const struct net_header fields[] = {{"X", "a\r\nSet-Cookie: evil=1"}};
        const struct net_response r = {.status = 200, .headers = fields, .n_headers = 1};
        assert_int_equal(net_respond(req, &r), NET_EINVAL);
    } else if (strcmp(target, "/odd") == 0) {
        const struct net_response r = {.status = 299, .reason = "Odd", .close = true};
        net_respond(req, &r);
    } else if (strncmp(target, "/big", 4) == 0) {
        static char big[300000];
        memset(big, 'b', sizeof big);
        const struct net_response r = {.status = 200, .body = big, .len = sizeof big};
        net_respond(req, &r);
    } else {
        respond_echo(req);
    }
}

static void on_abort(void *ctx, struct net_req *req)
{
    (void)ctx;
    assert_ptr_equal(req, held);
    held = NULL;
    aborts++;
}

static void on_connection(void *ctx, uint64_t id, bool open)
{
    (void)ctx;
    assert_true(id > 0);
    connections_open += open ? 1 : -1;
}

static const struct net_server_events on = {on_request, on_abort, on_connection};

static int setup_with(void **state, const struct net_server_config *config)
{
    char err[200];
    requests = aborts = connections_open = 0;
    held = NULL;
    if (setup_loop(state) != 0) {
        return -1;
    }
    server = net_listen(loop, config, &on, NULL, err, sizeof err);
    return server ? 0 : -1;
}

static int setup(void **state)
{
    const struct net_server_config config = {.max_connections = 10,
                                             .request_us = 200 * US_PER_MS,
                                             .idle_us = 150 * US_PER_MS,
                                             .max_target = 4096,
                                             .max_body = 1000};
    return setup_with(state, &config);
}

static const char *talk(const char *text, const char *until)
{
    return raw_talk(net_server_port(server), text, until);
}

#define H "HTTP/1.1\r\nHost: x\r\n"

static void plain_requests(void **state)
{
    (void)state;
    const char *a = talk("GET /a%2Fb//c?x=1%26+2 " H "User-Agent:  me \t\r\n\r\n", "|");
    assert_non_null(strstr(a, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(a, "\r\nX-One: 1\r\nSet-Cookie: s=1; HttpOnly\r\n"));
    assert_non_null(strstr(a, "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(a, "Connection: keep-alive"));
    assert_non_null(strstr(a, "GET|/a%2Fb//c|1& 2|me|"));
    a = talk("POST /p " H "Content-Length: 5\r\n\r\nhello", "hello");
    assert_non_null(strstr(a, "POST|/p||-|hello"));
    a = talk("HEAD / " H "\r\n", "\r\n\r\n");
    assert_non_null(strstr(a, "Content-Length: 10\r\n"));
    assert_null(strstr(a, "HEAD|"));
    a = talk("GET /none " H "\r\n", "\r\n\r\n");
    assert_non_null(strstr(a, " 204 No Content"));
    assert_null(strstr(a, "Content-Length"));
    a = talk("GET /odd " H "\r\n", NULL);
    assert_non_null(strstr(a, " 299 Odd"));
    assert_non_null(strstr(a, "Connection: close"));
    a = talk("GET /old HTTP/1.0\r\n\r\n", NULL);
    assert_non_null(strstr(a, "Connection: close"));
    a = talk("GET /bad-header " H "\r\n", NULL);
    assert_non_null(strstr(a, " 500 "));
    assert_null(strstr(a, "evil"));
    a = talk("GET /drop " H "\r\n", NULL);
    assert_string_equal(a, "");
    a = talk("PUT /x " H "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
             "100 Continue\r\n\r\n");
    assert_non_null(strstr(a, "HTTP/1.1 100 Continue"));
    run_until(connections_open == 0);
}

static void pipelined_and_split(void **state)
{
    (void)state;
    const char *a = talk("POST /1 " H "Content-Length: 2\r\n\r\nabGET /2 " H "\r\nGET /3 " H
                         "Connection: close\r\n\r\n",
                         NULL);
    assert_non_null(strstr(a, "POST|/1||-|ab"));
    assert_non_null(strstr(a, "GET|/2|"));
    assert_non_null(strstr(a, "GET|/3|"));
    assert_int_equal(requests, 3);
    /* a byte at a time */
    static const char text[] = "POST /slow " H "Content-Length: 3\r\n\r\nxyz";
    char got[2000] = "";
    int fd = raw_connect(net_server_port(server));
    for (size_t i = 0; i < sizeof text - 1; i++) {
        raw_send(fd, text + i, 1);
        net_loop_run_once(loop, 0);
    }
    run_until((raw_read(fd, got, sizeof got), strstr(got, "POST|/slow||-|xyz") != NULL));
    close(fd);
}

static void refused_requests(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *status;
    } cases[] = {
        {"\r\n\r\n", " 400 "},
        {"GET\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\n\n", " 400 "},
        {"GET / HTTP/1.1\r\n\r\n", " 400 "}, /* no Host */
        {"GET / " H "Host: y\r\n\r\n", " 400 "},
        {"GET http://x/ " H "\r\n", " 400 "},
        {"GET /a b " H "\r\n", " 400 "},
        {"GET / HTTP/2.0\r\n\r\n", " 505 "},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " 505 "},
        {"G\001T / " H "\r\n", " 400 "},
        {"GET / " H "Bad Name: 1\r\n\r\n", " 400 "},
        {"GET / " H "Name : 1\r\n\r\n", " 400 "},
        {"GET / " H " folded: 1\r\n\r\n", " 400 "},
        {"GET / " H "A: 1\r\n folded\r\n\r\n", " 400 "},
        {"GET / " H "A: \001\r\n\r\n", " 400 "},
        {"GET / " H "A: 1\nB: 2\r\n\r\n", " 400 "},
        {"POST / " H "Content-Length: -1\r\n\r\n", " 400 "},
        {"POST / " H "Content-Length: 1, 1\r\n\r\nx", " 400 "},
        {"POST / " H "Content-Length: 0x1\r\n\r\nx", " 400 "},
        {"POST / " H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", " 400 "},
        {"POST / " H "Content-Length: 99999999999999999999\r\n\r\nx", " 400 "},
        {"POST / " H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 400 "},
        {"POST / " H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", " 400 "},
        {"POST / " H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 411 "},
        {"POST / " H "Content-Length: 1001\r\n\r\n", " 413 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *a = talk(cases[i].text, NULL);
        if (!strstr(a, cases[i].status)) {
            fail_msg("%s\n-> %s", cases[i].text, a);
        }
    }
    assert_int_equal(requests, 0);
    char *big = calloc(1, 100000);
    strcpy(big, "GET /");
    memset(big + 5, 'a', 5000);
    assert_non_null(strstr(talk(big, NULL), " 414 "));
    memset(big, 0, 100000);
    strcpy(big, "GET / " H);
    for (int i = 0; i < 65; i++) {
        strcat(big, "A: 1\r\n");
    }
    strcat(big, "\r\n");
    assert_non_null(strstr(talk(big, NULL), " 431 "));
    memset(big, 0, 100000);
    strcpy(big, "GET / " H "A: ");
    memset(big + strlen(big), 'a', 20000);
    assert_non_null(strstr(talk(big, NULL), " 431 "));
    free(big);
    run_until(connections_open == 0);
}

static void slow_and_idle_connections_end(void **state)
{
    (void)state;
    int64_t start = net_now_us();
    const char *a = talk("GET / HTTP/1.1\r\nHost:", NULL);
    assert_non_null(strstr(a, " 408 "));
    assert_true(net_now_us() - start >= 190 * US_PER_MS);
    a = talk("", NULL);
    assert_string_equal(a, "");
    struct net_server_stats stats;
    net_server_stats(server, &stats);
    assert_int_equal(stats.timeouts, 1);
    run_until(connections_open == 0);
}

static void connection_limit(void **state)
{
    (void)state;
    int fds[12];
    for (int i = 0; i < 12; i++) {
        fds[i] = raw_connect(net_server_port(server));
    }
    struct net_server_stats stats;
    run_until((net_server_stats(server, &stats), stats.refused_full == 2));
    assert_int_equal(stats.open_now, 10);
    char got[8] = "";
    int closed = 0;
    for (int i = 0; i < 12; i++) {
        closed += raw_read(fds[i], got, sizeof got) ? 0 : 1;
        close(fds[i]);
    }
    assert_int_equal(closed, 2);
    run_until(connections_open == 0);
}

static void answers_may_come_later(void **state)
{
    (void)state;
    int fd = raw_connect(net_server_port(server));
    static const char text[] = "POST /hold " H "Content-Length: 2\r\n\r\nabGET /next " H "\r\n";
    raw_send(fd, text, sizeof text - 1);
    run_until(held);
    run_for(300 * US_PER_MS); /* no deadline while we work */
    assert_int_equal(requests, 1);
    raw_send(fd, "GET /third " H "\r\n", strlen("GET /third " H "\r\n"));
    run_for(20 * US_PER_MS);
    assert_string_equal(net_req_body(held).ptr, "ab");
    net_respond_text(held, 202, "text/plain", "later");
    char got[4000] = "";
    run_until((raw_read(fd, got, sizeof got), strstr(got, "GET|/third") != NULL));
    assert_non_null(strstr(got, "later"));
    assert_non_null(strstr(got, "GET|/next"));
    close(fd);
    /* the client goes away first */
    fd = raw_connect(net_server_port(server));
    raw_send(fd, "GET /hold " H "\r\n", strlen("GET /hold " H "\r\n"));
    held = NULL;
    run_until(held);
    close(fd);
    run_until(aborts == 1);
}

static void unix_socket(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/net_http_test.%d", (int)getpid());
    const struct net_server_config config = {.unix_path = path};
    char err[200];
    struct net_server *u = net_listen(loop, &config, &on, NULL, err, sizeof err);
    assert_non_null(u);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    raw_send(fd, "GET /u " H "\r\n", strlen("GET /u " H "\r\n"));
    char got[2000] = "";
    run_until((raw_read(fd, got, sizeof got), strstr(got, "GET|/u") != NULL));
    close(fd);
    net_server_close(u);
    assert_int_not_equal(stat(path, &st), 0);
}

/* --- client ------------------------------------------------------------------------------ */

struct result {
    int done;
    struct net_http_result r;
    char body[1024];
    char error[128];
};

static void on_done(void *ctx, const struct net_http_result *r)
{
    struct result *to = ctx;
    to->done++;
    to->r = *r;
    assert_int_equal(r->body[r->len], 0);
    snprintf(to->body, sizeof to->body, "%s", r->body);
    snprintf(to->error, sizeof to->error, "%s", r->error);
}

static struct net_http *client_to(uint16_t port, unsigned max_connections)
{
    static const struct net_header fields[] = {{"User-Agent", "client"}};
    const struct net_http_config config = {.host = "127.0.0.1",
                                           .port = port,
                                           .headers = fields,
                                           .n_headers = 1,
                                           .max_connections = max_connections,
                                           .timeout_us = 300 * US_PER_MS};
    char err[200];
    struct net_http *http = net_http_open(loop, &config, err, sizeof err);
    assert_non_null(http);
    return http;
}

static void ask(struct net_http *http, const char *method, const char *target, const char *body,
                struct result *to)
{
    *to = (struct result){0};
    const struct net_http_call call = {.method = method,
                                       .target = target,
                                       .content_type = body ? "text/plain" : NULL,
                                       .body = body,
                                       .len = body ? strlen(body) : 0,
                                       .on_done = on_done,
                                       .ctx = to};
    assert_int_equal(net_http_send(http, &call), NET_OK);
}

static void client_reuses_connections(void **state)
{
    (void)state;
    struct net_http *http = client_to(net_server_port(server), 1);
    struct result r;
    ask(http, "GET", "/one?x=y", NULL, &r);
    run_until(r.done);
    assert_int_equal(r.r.fate, NET_ANSWERED);
    assert_int_equal(r.r.status, 200);
    assert_string_equal(r.body, "GET|/one|y|client|");
    assert_false(r.r.reused);
    assert_true(r.r.sent_us > 0);
    struct result more[20];
    for (int i = 0; i < 20; i++) {
        ask(http, "POST", "/p", "body", &more[i]);
    }
    unsigned on_wire;
    assert_int_equal(net_http_in_flight(http, &on_wire), 20);
    for (int i = 0; i < 20; i++) {
        run_until(more[i].done);
        assert_true(more[i].r.reused);
        assert_string_equal(more[i].body, "POST|/p||client|body");
    }
    assert_int_equal(connections_open, 1);
    ask(http, "GET", "/big", NULL, &r);
    run_until(r.done);
    assert_int_equal(r.r.len, 300000);
    ask(http, "DELETE", "/none", NULL, &r);
    run_until(r.done);
    assert_int_equal(r.r.status, 204);
    const struct net_http_call bad = {.method = "GET", .target = "/a b", .on_done = on_done};
    assert_int_equal(net_http_send(http, &bad), NET_EINVAL);
    net_http_close(http);
    run_until(connections_open == 0);
}

static void client_survives_idle_close(void **state)
{
    (void)state;
    struct net_http *http = client_to(net_server_port(server), 2);
    struct result r;
    ask(http, "GET", "/a", NULL, &r);
    run_until(r.done);
    run_for(400 * US_PER_MS); /* the server closes its side meanwhile, idle_us 150 ms */
    assert_int_equal(connections_open, 0);
    ask(http, "GET", "/b", NULL, &r);
    run_until(r.done);
    assert_int_equal(r.r.fate, NET_ANSWERED);
    assert_false(r.r.reused);
    /* the close is in our kernel but the loop has not seen it yet: still nothing is lost */
    net_server_drop_all(server);
    ask(http, "GET", "/c", NULL, &r);
    run_until(r.done);
    assert_int_equal(r.r.fate, NET_ANSWERED);
    assert_int_equal(requests, 3);
}

static void client_tells_what_may_have_been_sent(void **state)
{
    (void)state;
    struct net_http *http = client_to(net_server_port(server), 1);
    struct result r;
    ask(http, "POST", "/drop", "x", &r); /* the server reads it and closes without an answer */
    run_until(r.done);
    assert_int_equal(r.r.fate, NET_MAYBE_SENT);
    assert_int_equal(r.r.status, 0);
    assert_true(r.r.sent_us > 0);
    ask(http, "POST", "/hold", "x", &r); /* no answer in time */
    struct result second;
    ask(http, "POST", "/x", "x", &second); /* waits for the only connection, then has its own */
    run_until(r.done && second.done);
    assert_int_equal(r.r.fate, NET_MAYBE_SENT);
    assert_string_equal(r.error, "no answer in time");
    assert_int_not_equal(second.r.fate, NET_MAYBE_SENT);
    uint16_t port = net_server_port(server);
    net_server_close(server);
    struct net_http *nobody = client_to(port, 1);
    ask(nobody, "POST", "/x", "x", &r);
    run_until(r.done);
    assert_int_equal(r.r.fate, NET_NOT_SENT);
    assert_non_null(strstr(r.error, "cannot connect"));
    /* closing tells those that wait */
    ask(nobody, "POST", "/x", "x", &r);
    net_http_close(nobody);
    assert_int_equal(r.done, 1);
    assert_int_equal(r.r.fate, NET_NOT_SENT);
}

/* A server that says what we want, once. */
static void answer_raw(const char *answer, size_t len, bool close_after, struct result *r)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in self = {.sin_family = AF_INET};
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof self;
    assert_int_equal(bind(listener, (struct sockaddr *)&self, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    getsockname(listener, (struct sockaddr *)&self, &size);
    struct net_http *http = client_to(ntohs(self.sin_port), 1);
    ask(http, "GET", "/", NULL, r);
    run_for(10 * US_PER_MS);
    int fd = accept(listener, NULL, NULL);
    char got[1000] = "";
    run_until((raw_read(fd, got, sizeof got), strstr(got, "\r\n\r\n") != NULL));
    raw_send(fd, answer, len);
    if (close_after) {
        close(fd);
    }
    run_until(r->done);
    if (!close_after) {
        close(fd);
    }
    net_http_close(http);
    close(listener);
}

static void client_reads_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum net_fate fate;
        int status;
        const char *body;
        bool close;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", NET_ANSWERED, 200, "ab", false},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
         NET_ANSWERED, 201, "", false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
         "chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: "
         "1\r\n\r\n",
         NET_ANSWERED, 200, "abc0123456789", false},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", NET_ANSWERED, 200, "until the end", true},
        {"HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", NET_ANSWERED, 404, "x", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nab", NET_MAYBE_SENT, 0, "", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
         NET_MAYBE_SENT, 0, "", false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", NET_MAYBE_SENT, 0, "",
         false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n", NET_MAYBE_SENT, 0, "", false},
        {"SSH-2.0-OpenSSH_9.2\r\n", NET_MAYBE_SENT, 0, "", false},
        {"HTTP/1.1 9x9 Odd\r\n\r\n", NET_MAYBE_SENT, 0, "", false},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", NET_MAYBE_SENT, 0, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r;

        answer_raw(cases[i].text, strlen(cases[i].text), cases[i].close, &r);
        assert_int_equal(r.r.fate, cases[i].fate);
        assert_int_equal(r.r.status, cases[i].status);
        assert_string_equal(r.body, cases[i].body);
    }
}

static void text_functions(void **state)
{
    (void)state;
    char out[64];
#define T(s) ((struct text){s, sizeof s - 1})
    assert_int_equal(net_url_decode(T("a%2Fb+c"), false, out, sizeof out), 5);
    assert_string_equal(out, "a/b+c");
    assert_int_equal(net_url_decode(T("%00"), false, out, sizeof out), -1);
    assert_int_equal(net_url_decode(T("%4"), false, out, sizeof out), -1);
    assert_int_equal(net_url_decode(T("%zz"), false, out, sizeof out), -1);
    assert_int_equal(net_url_decode(T("abc"), false, out, 3), -1);
    assert_int_equal(net_url_encode("PJSIP/100@carrier;x", 19, out, sizeof out), 25);
    assert_string_equal(out, "PJSIP%2F100%40carrier%3Bx");
    assert_int_equal(net_url_encode("///", 3, out, 9), -1);
    assert_int_equal(net_query_get(T("a=1&a=2&b"), "a", 1, out, sizeof out), 1);
    assert_string_equal(out, "2");
    assert_int_equal(net_query_get(T("a=1&b"), "b", 0, out, sizeof out), 0);
    assert_int_equal(net_query_get(T("a=1&b"), "c", 0, out, sizeof out), -1);
    assert_int_equal(net_query_get(T("c=%zz"), "c", 0, out, sizeof out), -2);
    assert_int_equal(net_cookie_get("a=1; session=xyz; b=2", "session", out, sizeof out), 3);
    assert_string_equal(out, "xyz");
    assert_int_equal(net_cookie_get("xsession=1", "session", out, sizeof out), -1);
    assert_int_equal(net_cookie_get(NULL, "session", out, sizeof out), -1);
    assert_int_equal(net_basic_auth_make("user", "p:w", out, sizeof out), 18);
    assert_string_equal(out, "Basic dXNlcjpwOnc=");
    net_basic_auth_make("a", "b", out, sizeof out);
    assert_string_equal(out, "Basic YTpi");
    net_basic_auth_make("a", "bc", out, sizeof out);
    assert_string_equal(out, "Basic YTpiYw==");
    assert_int_equal(net_basic_auth_make("a:b", "c", out, sizeof out), -1);
    assert_int_equal(net_basic_auth_make("user", "p:w", out, 18), -1);
    char password[8];
    assert_true(net_basic_auth("basic dXNlcjpwOnc=", out, sizeof out, password, sizeof password));
    assert_string_equal(out, "user");
    assert_string_equal(password, "p:w");
    assert_false(net_basic_auth("Bearer x", out, sizeof out, password, sizeof password));
    assert_false(net_basic_auth("Basic dXNlcg==", out, sizeof out, password, sizeof password));
    assert_false(net_basic_auth("Basic d*", out, sizeof out, password, sizeof password));
    assert_false(net_basic_auth("Basic dXNlcjpwYXNzd29yZDEyMw==", out, sizeof out, password,
                                sizeof password));
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown_loop)
    const struct CMUnitTest tests[] = {
        t(plain_requests),
        t(pipelined_and_split),
        t(refused_requests),
        t(slow_and_idle_connections_end),
        t(connection_limit),
        t(answers_may_come_later),
        t(unix_socket),
        t(client_reuses_connections),
        t(client_survives_idle_close),
        t(client_tells_what_may_have_been_sent),
        t(client_reads_strictly),
        cmocka_unit_test(text_functions),
    };
    return cmocka_run_group_tests_name("net_http", tests, NULL, NULL);
}
