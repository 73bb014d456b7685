// ari-sim behind real sockets: connections, limits, faults, the control channel and the program
// itself.
#include "tests/net/net_fixture.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/sim/control.h"
#include "adapters/sim/options.h"

enum { BODY = 4096, FRAMES = 200 };

struct bench {
    struct front_config config;
    struct ledger *ledger;
    struct front *front;
    struct net_http *http, *control_http;
    struct control *control;
    unsigned done; // answers that came
    int status;
    enum net_fate fate;
    char body[BODY];
    struct net_ws *ws;
    bool open, closed;
    int close_code;
    unsigned frames;
    char frame[FRAMES][400];
};

static const struct net_header header = {"Authorization", "Basic ZGlhbGVyOmRpYWxlci1zZWNyZXQ="};

static void plain(struct front_config *c)
{
    front_config_default(c);
    c->pbx.scripts = true;
    c->pbx.early_events = 0;
    c->pbx.trunks = 1;
    strcpy(c->pbx.trunk[0].name, "carrier");
}

static struct net_http *client_of(uint16_t port)
{
    char err[200];
    struct net_http_config config = {
        .host = "127.0.0.1", .port = port, .headers = &header, .n_headers = 1};
    config.timeout_us = 3 * US_PER_S;
    struct net_http *http = net_http_open(loop, &config, err, sizeof err);
    assert_non_null(http);
    return http;
}

static struct bench *bench_with(const struct front_config *config)
{
    char err[200];
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->config = *config;
    b->ledger = ledger_open(NULL);
    b->front = front_open(loop, config, b->ledger, err, sizeof err);
    assert_non_null(b->front);
    b->control = control_open(loop, b->front, 0, "", err, sizeof err);
    assert_non_null(b->control);
    b->http = client_of(front_port(b->front));
    b->control_http = client_of(control_port(b->control));
    return b;
}

static struct bench *bench_new(void)
{
    struct front_config config;
    plain(&config);
    return bench_with(&config);
}

static void bench_free(struct bench *b)
{
    net_http_close(b->http);
    net_http_close(b->control_http);
    control_close(b->control);
    front_close(b->front);
    ledger_close(b->ledger);
    run_for(20000); // the websocket's end is told
    free(b);
}

static void on_done(void *ctx, const struct net_http_result *r)
{
    struct bench *b = ctx;
    b->done++;
    b->status = r->status;
    b->fate = r->fate;
    snprintf(b->body, sizeof b->body, "%.*s", (int)(r->len < BODY - 1 ? r->len : BODY - 1),
             r->body);
}

static void send_to(struct bench *b, struct net_http *http, const char *method, const char *target)
{
    struct net_http_call call = {.method = method, .target = target, .on_done = on_done, .ctx = b};
    assert_int_equal(net_http_send(http, &call), NET_OK);
}

static int ask(struct bench *b, const char *method, const char *target)
{
    unsigned before = b->done;
    send_to(b, b->http, method, target);
    run_until(b->done > before);
    return b->status;
}

static int order(struct bench *b, const char *target)
{
    unsigned before = b->done;
    send_to(b, b->control_http, "POST", target);
    run_until(b->done > before);
    return b->status;
}

static void ws_open(void *ctx, struct net_ws *ws)
{
    (void)ws;
    ((struct bench *)ctx)->open = true;
}

static void ws_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    struct bench *b = ctx;
    if (b->frames < FRAMES)
        snprintf(b->frame[b->frames++], sizeof b->frame[0], "%.*s", (int)(len < 399 ? len : 399),
                 text);
}

static void ws_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    struct bench *b = ctx;
    b->ws = NULL;
    b->open = false;
    b->closed = true;
    b->close_code = end->code;
}

static void connect_ws(struct bench *b)
{
    static const struct net_ws_events events = {ws_open, ws_message, NULL, ws_close};
    struct net_ws_target target = {.host = "127.0.0.1",
                                   .port = front_port(b->front),
                                   .path = "/ari/events?app=dialer",
                                   .headers = &header,
                                   .n_headers = 1};
    struct net_ws_limits limits = {.max_message = 1 << 20, .receive_buffer = 4096};
    b->closed = false;
    b->ws = net_ws_connect(loop, &target, &limits, &events, b);
    run_until(b->open || b->closed);
}

static void frame(struct bench *b, const char *method, const char *uri)
{
    char text[400];
    int n =
        snprintf(text, sizeof text,
                 "{\"type\":\"RESTRequest\",\"request_id\":\"r\",\"method\":\"%s\",\"uri\":\"%s\"}",
                 method, uri);
    assert_int_equal(net_ws_send(b->ws, text, (size_t)n), NET_OK);
}

static unsigned frames_with(const struct bench *b, const char *what)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b->frames; i++)
        n += strstr(b->frame[i], what) != NULL;
    return n;
}

// --- HTTP ---

static void paths_and_credentials(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    uint16_t port = front_port(b->front);
    assert_non_null(
        strstr(raw_talk(port, "GET /ari/asterisk/ping HTTP/1.1\r\nHost: x\r\n\r\n", "required\"}"),
               " 401 "));
    assert_non_null(
        strstr(raw_talk(port, "GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n", "</html>"), " 404 "));
    assert_non_null(
        strstr(raw_talk(port, "GET /ariel HTTP/1.1\r\nHost: x\r\n\r\n", "</html>"), " 404 "));
    assert_non_null(strstr(raw_talk(port, "\x16\x03\x01 rubbish\r\n\r\n", "request\"}"), " 400 "));
    assert_int_equal(ask(b, "GET", "/ari/asterisk/ping"), 200);
    assert_int_equal(ask(b, "GET", "/ari/events?app=x"), 426);
    bench_free(b);
}

static void hostile_bytes_do_no_harm(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    uint32_t x = 99;
    for (int i = 0; i < 150; i++) {
        char bytes[300];
        for (size_t k = 0; k < sizeof bytes; k++) {
            x = x * 1664525u + 1013904223u;
            bytes[k] = (char)(x >> 24);
        }
        if (i % 2 == 0)
            memcpy(bytes, "POST /ari/channels HTTP/1.1\r\nContent-Length: 90\r\n", 48);
        int fd = raw_connect(front_port(b->front));
        raw_send(fd, bytes, sizeof bytes);
        run_for(1000);
        close(fd);
    }
    static const char half_body[] = "{\"type\":\"RESTRequest\",\"uri\":\"channels\",\"method\":"
                                    "\"POST\",\"content_type\":\"application/json\","
                                    "\"message_body\":\"{\\\"a\\\":\"}";
    connect_ws(b);
    for (int i = 0; i < 200 && b->open; i++) {
        static const char *const frames[] = {
            "{",
            "[]",
            "\"\"",
            "{\"type\":\"RESTRequest\",\"uri\":5}",
            "{\"type\":\"RESTRequest\",\"uri\":\"?\",\"method\":\"GET\"}",
            half_body};
        net_ws_send(b->ws, frames[i % 6], strlen(frames[i % 6]));
    }
    run_until(b->frames == 200);
    assert_int_equal(ask(b, "GET", "/ari/asterisk/ping"), 200);
    bench_free(b);
}

static void connections_are_limited_and_idle_ones_closed(void **state)
{
    (void)state;
    struct front_config config;
    plain(&config);
    config.sessions = 4;
    config.idle_us = 3 * US_PER_S; // all six are there before the first is idle for so long
    struct bench *b = bench_with(&config);
    int fd[6];
    char buf[64];
    int64_t since = net_now_us();
    for (int i = 0; i < 6; i++) {
        fd[i] = raw_connect(front_port(b->front));
        run_for(20000);
    }
    for (int i = 4; i < 6; i++) {
        buf[0] = '\0';
        run_until(!raw_read(fd[i], buf, sizeof buf)); // closed without an answer
        assert_string_equal(buf, "");
    }
    buf[0] = '\0';
    assert_true(raw_read(fd[0], buf, sizeof buf));
    run_until(!raw_read(fd[0], buf, sizeof buf));
    assert_true(net_now_us() - since >= 2 * US_PER_S);
    for (int i = 0; i < 6; i++)
        close(fd[i]);
    bench_free(b);
}

// --- websockets ---

static void a_slow_reader_is_cut_off(void **state)
{
    (void)state;
    struct front_config config;
    plain(&config);
    config.send_buffer = 4096;
    struct bench *b = bench_with(&config);
    connect_ws(b);
    net_ws_pause(b->ws, true);
    for (int i = 0; i < 400;
         i++) { /* all at once: one by one, the kernel takes them in its stride */
        char target[200];
        snprintf(target, sizeof target,
                 "/ari/channels?endpoint=PJSIP/c486@carrier&app=dialer&channelId=slow%04d", i);
        send_to(b, b->http, "POST", target);
    }
    run_until(b->done == 400);
    run_for(400000);
    net_ws_pause(b->ws, false);
    run_until(b->closed);
    assert_int_equal(b->close_code, NET_WS_ABNORMAL);
    assert_int_equal(ask(b, "GET", "/ari/applications/dialer"), 404);
    bench_free(b);
}

static void requests_on_a_websocket_are_answered_in_order(void **state)
{
    (void)state;
    struct front_config config;
    plain(&config);
    config.cost = true;
    struct bench *b = bench_with(&config);
    connect_ws(b);
    int64_t since = net_now_us();
    char text[200];
    for (int i = 0; i < 50; i++) {
        int n = snprintf(text, sizeof text,
                         "{\"type\":\"RESTRequest\",\"request_id\":\"%02d\",\"method\":\"%s\","
                         "\"uri\":\"channels/x%02d?"
                         "endpoint=PJSIP/s@carrier&app=dialer\"}",
                         i, i % 2 == 0 ? "POST" : "GET", i);
        assert_int_equal(net_ws_send(b->ws, text, (size_t)n), NET_OK);
    }
    run_until(frames_with(b, "RESTResponse") == 50);
    assert_true(net_now_us() - since >= 25 * 1100 + 25 * 700); // one after the other
    int expected = 0;
    for (unsigned i = 0; i < b->frames; i++) {
        snprintf(text, sizeof text, "\"request_id\":\"%02d\"", expected);
        expected += strstr(b->frame[i], text) != NULL;
    }
    assert_int_equal(expected, 50);
    bench_free(b);
}

// --- faults ---

static const int boot_answers[] = {0, 404, 503, 200}; // refused; no ARI yet; not booted; up
enum { BOOT_STEPS = 4 };

// Kills it and asks until it is up: each answer is one of those, never an earlier one again. Marks
// the ones that were seen: a step lasts 40 ms and more, which a busy machine may sleep through.
static void kill_and_watch(struct bench *b, bool *seen)
{
    connect_ws(b);
    b->frames = 0;
    assert_int_equal(
        ask(b, "POST", "/ari/channels?endpoint=PJSIP/a10@carrier&app=dialer&channelId=one"), 200);
    run_until(frames_with(b, "StasisStart") == 1);
    assert_int_equal(order(b, "/sim/kill?down_ms=150"), 200);
    run_until(b->closed);
    assert_int_equal(b->close_code, NET_WS_ABNORMAL);
    const int64_t until_us = net_now_us() + 20 * US_PER_S;
    for (int step = 0; step < BOOT_STEPS - 1;) {
        assert_true(net_now_us() < until_us);
        int status = ask(b, "GET", "/ari/asterisk/ping");
        while (step < BOOT_STEPS && boot_answers[step] != status)
            step++;
        assert_in_range(step, 0, BOOT_STEPS - 1);
        seen[step] = true;
        run_for(5000);
    }
    assert_int_equal(ask(b, "GET", "/ari/channels"), 200);
    assert_string_equal(b->body, "[]");
}

static void kill_and_boot(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bool seen[BOOT_STEPS] = {false};
    for (int i = 0; i < 20 && !(seen[0] && seen[1] && seen[2] && seen[3]); i++)
        kill_and_watch(b, seen);
    for (int i = 0; i < BOOT_STEPS; i++)
        assert_true(seen[i]);
    bench_free(b);
}

static void stop_gracefully_waits_for_the_last_call(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    connect_ws(b);
    assert_int_equal(
        ask(b, "POST", "/ari/channels?endpoint=PJSIP/a10@carrier&app=dialer&channelId=one"), 200);
    run_until(frames_with(b, "StasisStart") == 1);
    assert_int_equal(order(b, "/sim/stop-gracefully?down_ms=50"), 200);
    run_for(100000);
    assert_int_equal(
        ask(b, "POST", "/ari/channels?endpoint=PJSIP/a10@carrier&app=dialer&channelId=two"), 500);
    assert_true(b->open);
    assert_int_equal(order(b, "/sim/hangup?channel=one"), 200);
    run_until(b->closed);
    assert_int_equal(b->close_code, NET_WS_NORMAL);
    bench_free(b);
}

static void stall_delay_and_swallow(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    connect_ws(b);
    assert_int_equal(order(b, "/sim/stall?on=1"), 200);
    unsigned before = b->done;
    send_to(b, b->http, "GET", "/ari/asterisk/ping");
    frame(b, "GET", "asterisk/ping");
    run_for(200000);
    assert_int_equal(b->done, before);
    assert_int_equal(b->frames, 0);
    assert_int_equal(order(b, "/sim/stall?on=0"), 200);
    run_until(b->done == before + 2 && b->frames == 1);

    assert_int_equal(order(b, "/sim/delay?ms=120"), 200);
    int64_t since = net_now_us();
    assert_int_equal(ask(b, "GET", "/ari/asterisk/ping"), 200);
    assert_true(net_now_us() - since >= 120000);
    assert_int_equal(order(b, "/sim/delay?ms=0"), 200);

    assert_int_equal(order(b, "/sim/swallow?requests=1&carried=1"), 200);
    assert_int_equal(
        ask(b, "POST", "/ari/channels?endpoint=PJSIP/s@carrier&app=dialer&channelId=heard"), 0);
    assert_int_equal(b->fate, NET_MAYBE_SENT);
    assert_int_equal(ask(b, "GET", "/ari/channels/heard"), 200);
    assert_int_equal(order(b, "/sim/swallow?requests=1&carried=0"), 200);
    assert_int_equal(
        ask(b, "POST", "/ari/channels?endpoint=PJSIP/s@carrier&app=dialer&channelId=lost"), 0);
    assert_int_equal(ask(b, "GET", "/ari/channels/lost"), 404);

    assert_int_equal(order(b, "/sim/drop-sockets"), 200);
    run_until(b->closed);
    bench_free(b);
}

// A client that gives up does not take its request back.
static void an_abandoned_request_is_carried_out(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    assert_int_equal(order(b, "/sim/delay?ms=500"), 200);
    int fd = raw_connect(front_port(b->front));
    static const char text[] =
        "POST /ari/channels?endpoint=PJSIP/s@carrier&app=dialer&channelId=left HTTP/1.1\r\nHost: "
        "x\r\n"
        "Authorization: Basic ZGlhbGVyOmRpYWxlci1zZWNyZXQ=\r\nContent-Length: 0\r\n\r\n";
    raw_send(fd, text, sizeof text - 1);
    run_for(200000);
    close(fd);
    run_until(ask(b, "GET", "/ari/channels/left") == 200);
    bench_free(b);
}

static void the_control_channel_refuses_nonsense(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    assert_int_equal(order(b, "/sim/nosuch"), 404);
    assert_int_equal(order(b, "/sim/hangup"), 409);
    assert_int_equal(order(b, "/sim/hangup?channel=absent"), 409);
    assert_int_equal(order(b, "/sim/people?human=2"), 409);
    assert_int_equal(
        order(
            b,
            "/sim/people?human=1&machine=0&no-answer=0&busy=0&bad=0&congestion=0&talk=constant:5"),
        200);
    assert_int_equal(order(b, "/sim/delay?ms=nan"), 409);
    assert_int_equal(order(b, "/sim/register?endpoint=carrier&on=0"), 200);
    assert_int_equal(ask(b, "POST", "/ari/channels?endpoint=PJSIP/s@carrier&app=dialer"), 500);
    assert_int_equal(order(b, "/sim/stats"), 200);
    assert_non_null(strstr(b->body, "\"originates\":1"));
    bench_free(b);
}

// --- the program ---

static int options_of(const char *const *args, char *err, size_t size)
{
    static struct options o;
    char *argv[12] = {(char *)(uintptr_t) "ari-sim"};
    int argc = 1;
    for (; args[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    return options_read(&o, argc, argv, err, size);
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    static const char *const wrong[][4] = {{"--nosuch", "1"},
                                           {"--human", "1.5"},
                                           {"--human", "0.7", "--busy", "0.7"},
                                           {"--port", "70000"},
                                           {"--talk", "sometimes"},
                                           {"--trunk", "x,cps=fast"},
                                           {"--phones", ""},
                                           {"--seed"},
                                           {"stray"},
                                           {"--config", "/nonexistent/file"},
                                           {"--user", "x:/nonexistent"},
                                           {"--sound", "beep"}};
    char err[400];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *args[6] = {wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], NULL, NULL};
        if (wrong[i][2] != NULL && wrong[i][3] == NULL)
            args[2] = NULL;
        err[0] = '\0';
        assert_int_equal(options_of(args, err, sizeof err), -1);
        assert_true(err[0] != '\0');
    }
    const char *right[] = {
        "--trunk", "carrier,cps=5,lines=10", "--talk", "lognormal:30,0.5", "--cost", "on", NULL};
    assert_int_equal(options_of(right, err, sizeof err), 0);
}

static void a_config_file_says_the_same(void **state)
{
    (void)state;
    char path[] = "/tmp/ari-sim-test-XXXXXX", err[400];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] =
        "{\"human\": 0.5, \"busy\": 0.5, \"talk\": \"constant:3\", \"cost\": true,\n"
        " \"trunk\": [\"a,cps=3\", \"b\"], \"seed\": 7}";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    const char *args[] = {"--config", path, NULL};
    assert_int_equal(options_of(args, err, sizeof err), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "{\"humann\": 1}", 13, 0), 13);
    assert_int_equal(options_of(args, err, sizeof err), -1);
    assert_non_null(strstr(err, "humann"));
    assert_non_null(strstr(err, path));
    close(fd);
    unlink(path);
}

static void the_program_serves_and_ends(void **state)
{
    (void)state;
    const char *program = getenv("ARI_SIM");
    if (program == NULL)
        skip();
    int out[2];
    char line[200], witness[] = "/tmp/ari-sim-witness-XXXXXX";
    int fd = mkstemp(witness);
    assert_int_equal(pipe(out), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--witness", witness, NULL};
    pid_t pid;
    assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    FILE *f = fdopen(out[0], "re");
    assert_non_null(fgets(line, sizeof line, f));
    unsigned port = 0;
    assert_int_equal(sscanf(line, "listening 127.0.0.1:%u", &port), 1);
    const char *answer = raw_talk(
        (uint16_t)port,
        "POST /ari/channels?endpoint=PJSIP/%2B12125550123@carrier&app=dialer&channelId=att-1 "
        "HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ZGlhbGVyOmRpYWxlci1zZWNyZXQ=\r\n"
        "Content-Length: 0\r\n\r\n",
        "\"language\"");
    assert_non_null(strstr(answer, " 200 "));
    // The line is on its way to the file before the answer is.
    static char text[2000];
    text[read(fd, text, sizeof text - 1)] = '\0';
    assert_non_null(strstr(text, "\"what\":\"originate\",\"id\":\"att-1\",\"kind\":\"customer\""));
    assert_non_null(strstr(text, "\"number\":\"+12125550123\""));
    assert_int_equal(kill(pid, SIGTERM), 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fclose(f);
    close(fd);
    unlink(witness);
}

#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, setup_loop, teardown_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LOOP(paths_and_credentials),
        ON_LOOP(hostile_bytes_do_no_harm),
        ON_LOOP(connections_are_limited_and_idle_ones_closed),
        ON_LOOP(a_slow_reader_is_cut_off),
        ON_LOOP(requests_on_a_websocket_are_answered_in_order),
        ON_LOOP(kill_and_boot),
        ON_LOOP(stop_gracefully_waits_for_the_last_call),
        ON_LOOP(stall_delay_and_swallow),
        ON_LOOP(an_abandoned_request_is_carried_out),
        ON_LOOP(the_control_channel_refuses_nonsense),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(a_config_file_says_the_same),
        ON_LOOP(the_program_serves_and_ends),
    };
    return cmocka_run_group_tests_name("ari_sim_front", tests, NULL, NULL);
}
