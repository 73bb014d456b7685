// The model with a made-up clock: what the transcripts do not show, and bad input.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sim/pbx.h"

enum { LOG = 1 << 20, WALL_MS = 1795424352 };

struct world {
    struct pbx *pbx;
    struct pbx_client *client;
    struct pbx_peer peer;
    int64_t now;
    struct pbx_answer answer;
    char body[4096];
    char events[LOG], witness[LOG]; // one line each
    size_t events_len, witness_len;
};

static void keep(char *log, size_t *len, const char *text, size_t n)
{
    if (*len + n + 2 > LOG)
        *len = 0;
    memcpy(log + *len, text, n);
    *len += n;
    log[(*len)++] = '\n';
    log[*len] = '\0';
}

static bool take_event(void *ctx, void *socket, const char *text, size_t len)
{
    (void)socket;
    struct world *w = ctx;
    keep(w->events, &w->events_len, text, len);
    return true;
}

static void take_witness(void *ctx, const char *line, size_t len)
{
    struct world *w = ctx;
    keep(w->witness, &w->witness_len, line, len);
}

static void plain_config(struct pbx_config *c)
{
    pbx_config_default(c);
    c->scripts = true;
    c->early_events = 0;
    c->trunks = 1;
    strcpy(c->trunk[0].name, "carrier");
    c->phones = 1;
    c->phone[0] = (struct pbx_phone){.pattern = "agent*", .answer_ms = 200};
}

static struct world *world_with(const struct pbx_config *config)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    struct pbx_hooks hooks = {w, take_event, take_witness};
    w->now = 1000000;
    w->pbx = pbx_new(config, &hooks, w->now, (int64_t)WALL_MS * 1000);
    return w;
}

static struct world *world_new(void)
{
    struct pbx_config config;
    plain_config(&config);
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    return w;
}

static void world_free(struct world *w)
{
    pbx_free(w->pbx);
    free(w);
}

static void pass(struct world *w, int ms)
{
    w->now += (int64_t)ms * 1000;
    pbx_run(w->pbx, w->now);
}

static int request(struct world *w, const char *method, const char *path, const char *query,
                   const char *body)
{
    struct pbx_request r = {
        .method = method, .path = path, .query = query, .body = body, .peer = &w->peer};
    r.path_len = strlen(path);
    r.query_len = strlen(query);
    r.body_len = strlen(body);
    r.content_type = "application/json";
    pbx_request(w->pbx, &r, &w->answer);
    snprintf(w->body, sizeof w->body, "%.*s", (int)(w->answer.len < 4000 ? w->answer.len : 4000),
             w->answer.body != NULL ? w->answer.body : "");
    return w->answer.status;
}

static int originate(struct world *w, const char *id, const char *endpoint)
{
    char query[400];
    snprintf(query, sizeof query, "endpoint=PJSIP/%s&app=dialer&channelId=%s", endpoint, id);
    return request(w, "POST", "channels", query, "");
}

static bool event_with(struct world *w, const char *a, const char *b)
{
    for (const char *line = w->events; line[0] != '\0';) {
        const char *end = strchr(line, '\n');
        const char *found = strstr(line, a);
        const char *other = strstr(line, b);
        if (found != NULL && found < end && other != NULL && other < end)
            return true;
        line = end + 1;
    }
    return false;
}

static int count(const char *log, const char *what)
{
    int n = 0;
    for (const char *at = strstr(log, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

// --- callees ---

static void fate_follows_from_seed_and_number(void **state)
{
    (void)state;
    struct population p;
    population_default(&p);
    int same = 0, humans = 0, busy = 0;
    enum { NUMBERS = 20000 };
    for (int i = 0; i < NUMBERS; i++) {
        char number[24];
        struct far_end a, b, other;
        snprintf(number, sizeof number, "+1212555%04d", i);
        far_draw(&a, &p, 7, number, 0);
        far_draw(&b, &p, 7, number, 0);
        far_draw(&other, &p, 8, number, 0);
        assert_memory_equal(a.step, b.step, sizeof a.step);
        assert_string_equal(a.fate, b.fate);
        same += strcmp(a.fate, other.fate) == 0;
        humans += strcmp(a.fate, "human") == 0;
        busy += strcmp(a.fate, "busy") == 0;
    }
    assert_in_range(same, NUMBERS / 6, NUMBERS / 2);
    assert_in_range(humans, (int)(NUMBERS * 0.285), (int)(NUMBERS * 0.315));
    assert_in_range(busy, (int)(NUMBERS * 0.07), (int)(NUMBERS * 0.09));
}

static void distributions_have_their_mean(void **state)
{
    (void)state;
    static const char *const texts[] = {"constant:10", "exponential:10", "lognormal:10,0.8"};
    for (size_t k = 0; k < 3; k++) {
        struct population p = {.human = 1};
        double sum = 0;
        assert_int_equal(dist_parse(&p.talk, texts[k]), 0);
        for (uint32_t i = 0; i < 20000; i++) {
            struct far_end f;
            far_draw(&f, &p, 1, "+442079460000", i);
            assert_int_equal(f.steps, 3);
            sum += f.step[2].at_ms;
        }
        assert_in_range((int)(sum / 20000), 9600, 10400);
    }
    struct dist d;
    assert_int_not_equal(dist_parse(&d, "lognormal:10"), 0);
    assert_int_not_equal(dist_parse(&d, "constant:-1"), 0);
    assert_int_not_equal(dist_parse(&d, "constant:1x"), 0);
    assert_int_not_equal(dist_parse(&d, "normal:1"), 0);
}

static void scripts_are_told_from_numbers(void **state)
{
    (void)state;
    struct far_end f;
    static const char *const scripts[] = {"r100-a400-h1500", "c486",     "s",
                                          "r50-n",           "a50-d12#", "c302-ta100"};
    static const char *const others[] = {
        "",  "+12125550100", "5551234",      "x9",     "r",    "c200", "r100-", "rx",
        "q", "a1-b2",        "r99999999999", "a50-dZ", "hello"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        assert_int_equal(far_parse(&f, scripts[i]), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(far_parse(&f, others[i]), 0);
    assert_int_equal(far_parse(&f, "r100-a400-h1500-H17"), 0);
    assert_int_equal(f.steps, 3);
    assert_int_equal(f.step[2].at_ms, 2000);
    assert_int_equal(f.step[2].arg, 17);
}

static void shares_are_checked(void **state)
{
    (void)state;
    struct population p = {.human = 0.6, .busy = 0.6};
    assert_non_null(population_check(&p));
    p.busy = 0.4;
    assert_null(population_check(&p));
    p.busy = -0.1;
    assert_non_null(population_check(&p));
}

// --- trunks and phones ---

static void trunk_refuses_over_its_rate(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.trunk[0].cps = 10;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    for (int i = 0; i < 12; i++) {
        char id[20];
        snprintf(id, sizeof id, "id%03d", i);
        assert_int_equal(originate(w, id, "r50-n@carrier"), 200);
        pass(w, 10);
    }
    pass(w, 100);
    assert_int_equal(count(w->events, "\"dialstatus\":\"CONGESTION\""), 2);
    assert_int_equal(count(w->events, "\"tech_cause\":503"), 4);
    pass(w, 1000);
    assert_int_equal(originate(w, "later", "r50-n@carrier"), 200);
    pass(w, 100);
    assert_int_equal(count(w->events, "\"dialstatus\":\"CONGESTION\""), 2);
    world_free(w);
}

static void trunk_has_its_lines(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.trunk[0].lines = 2;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    originate(w, "one", "r50-n@carrier");
    originate(w, "two", "r50-n@carrier");
    originate(w, "three", "r50-n@carrier");
    pass(w, 200);
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"id\":\"three\""));
    assert_false(event_with(w, "\"ChannelDestroyed\"", "\"id\":\"two\""));
    struct pbx_trunk down = {.name = "carrier", .down = true};
    assert_true(pbx_trunk_set(w->pbx, &down));
    assert_int_equal(originate(w, "four", "r50-n@carrier"), 500);
    strcpy(down.name, "nosuch");
    assert_false(pbx_trunk_set(w->pbx, &down));
    world_free(w);
}

static void phones_answer_refuse_or_are_absent(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.phones = 3;
    config.phone[1] = (struct pbx_phone){.pattern = "busyphone", .refuse = 486};
    config.phone[2] = (struct pbx_phone){.pattern = "gone", .unregistered = true};
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    assert_int_equal(originate(w, "leg-1", "agent7"), 200);
    assert_int_equal(originate(w, "leg-2", "busyphone"), 200);
    assert_int_equal(originate(w, "leg-3", "gone"), 500);
    pass(w, 150);
    assert_false(event_with(w, "\"StasisStart\"", "\"id\":\"leg-1\""));
    pass(w, 100);
    assert_true(event_with(w, "\"StasisStart\"", "\"id\":\"leg-1\""));
    assert_true(event_with(w, "\"tech_cause\":486", "\"id\":\"leg-2\""));
    pass(w, 3600000);
    assert_int_equal(request(w, "GET", "channels/leg-1", "", ""), 200);
    assert_true(pbx_register(w->pbx, "agent7", false));
    assert_int_equal(originate(w, "leg-4", "agent7"), 500);
    assert_int_equal(request(w, "GET", "endpoints/PJSIP/agent7", "", ""), 200);
    assert_non_null(strstr(w->body, "\"offline\""));
    world_free(w);
}

// --- customers in the dialplan ---

static void customer(struct world *w, const char *id, const char *endpoint)
{
    char query[300];
    snprintf(query, sizeof query,
             "endpoint=PJSIP/%s&context=customers&extension=s&channelId=%s&timeout=9", endpoint,
             id);
    assert_int_equal(request(w, "POST", "channels", query,
                             "{\"variables\":{\"SAFE_HARBOUR\":\"dialer/message\"}}"),
                     200);
}

static void an_answer_without_a_client_hears_the_message(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    customer(w, "att-1", "a100@carrier");
    pass(w, 200);
    assert_int_equal(count(w->witness, "\"what\":\"no_client\""), 1);
    pass(w, 1600);
    assert_int_equal(count(w->witness, "\"what\":\"no_client\""), 4);
    assert_int_equal(count(w->witness, "\"what\":\"message\""), 1);
    assert_int_equal(count(w->witness, "\"what\":\"message_end\""), 0);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    assert_int_equal(request(w, "POST", "channels/att-1/move", "app=dialer", ""), 409);
    pass(w, 5100);
    assert_int_equal(count(w->witness, "\"what\":\"message_end\""), 1);
    assert_int_equal(count(w->witness, "\"by\":\"dialplan\""), 1);
    assert_int_equal(request(w, "GET", "channels/att-1", "", ""), 404);
    world_free(w);
}

static void a_client_that_is_back_gets_the_answer(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    customer(w, "att-1", "a100@carrier");
    pass(w, 700);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    pass(w, 500);
    assert_true(event_with(w, "\"StasisStart\"", "\"id\":\"att-1\""));
    assert_int_equal(count(w->witness, "\"what\":\"message\""), 0);
    world_free(w);
}

static void a_missing_message_is_seen(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    request(w, "POST", "channels",
            "endpoint=PJSIP/a100@carrier&context=customers&extension=s&channelId=att-1",
            "{\"variables\":{\"SAFE_HARBOUR\":\"no/such\"}}");
    pass(w, 3000);
    assert_int_equal(count(w->witness, "\"what\":\"message_missing\""), 1);
    assert_int_equal(request(w, "GET", "channels/att-1", "", ""), 404);
    assert_int_equal(request(w, "GET", "sounds/dialer%2Fmessage", "", ""), 200);
    assert_int_equal(request(w, "GET", "sounds/no%2Fsuch", "", ""), 404);
    world_free(w);
}

// --- races that the transcripts leave to chance ---

static void dial_right_after_create(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct pbx_config config;
        plain_config(&config);
        config.early_events = late;
        struct world *w = world_with(&config);
        w->client = pbx_client_open(w->pbx, "dialer", false, w);
        request(w, "POST", "channels/create",
                "endpoint=PJSIP/c486@carrier&app=dialer&channelId=made", "");
        pass(w, 1);
        assert_int_equal(request(w, "POST", "channels/made/dial", "", ""), late ? 409 : 204);
        pass(w, 100);
        assert_int_equal(request(w, "GET", "channels/made", "", ""), late ? 200 : 404);
        world_free(w);
    }
}

static void continue_to_an_absent_extension_drops_the_call(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "call", "a50@carrier");
    pass(w, 100);
    assert_int_equal(
        request(w, "POST", "channels/call/continue", "context=nowhere&extension=z", ""), 204);
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"cause\":0"));
    world_free(w);
}

static void an_event_may_come_before_its_answer(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.early_events = 1;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    originate(w, "early", "a50@carrier");
    assert_true(event_with(w, "\"type\":\"Dial\"", "\"id\":\"early\"")); // no time has passed
    world_free(w);
}

// --- what a test does from outside ---

static void far_ends_obey(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "call", "r50-n@carrier");
    pass(w, 100);
    assert_false(pbx_far_dtmf(w->pbx, "call", "1"));
    assert_true(pbx_far_answer(w->pbx, "call"));
    assert_false(pbx_far_answer(w->pbx, "call"));
    assert_true(pbx_far_dtmf(w->pbx, "call", "12"));
    assert_false(pbx_far_dtmf(w->pbx, "call", "z"));
    assert_int_equal(count(w->events, "\"ChannelDtmfReceived\""), 2);
    assert_true(pbx_far_hold(w->pbx, "call", true));
    assert_true(pbx_far_hangup(w->pbx, "call", 17));
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"cause\":17"));
    assert_false(pbx_far_hangup(w->pbx, "call", -1));
    struct pbx_call call = {"agent1", "in-1", "5551000", "inbound", "600"};
    assert_true(pbx_inbound(w->pbx, &call));
    assert_false(pbx_inbound(w->pbx, &call));
    assert_true(event_with(w, "\"StasisStart\"", "\"args\":[\"inbound\",\"600\"]"));
    world_free(w);
}

static void stop_tells_and_kill_does_not(void **state)
{
    (void)state;
    for (int hard = 0; hard < 2; hard++) {
        struct world *w = world_new();
        originate(w, "call", "a50@carrier");
        request(w, "POST", "bridges/br", "", "");
        pass(w, 100);
        pbx_stop(w->pbx, hard);
        assert_int_equal(event_with(w, "\"ChannelHangupRequest\"", "\"cause\":4"), !hard);
        assert_int_equal(pbx_live_channels(w->pbx), 0);
        pbx_client_close(w->pbx, w->client);
        pass(w, 1000);
        request(w, "GET", "asterisk/info", "only=status", "");
        char before[sizeof w->body];
        strcpy(before, w->body);
        pbx_boot(w->pbx);
        request(w, "GET", "asterisk/info", "only=status", "");
        assert_string_not_equal(before, w->body);
        assert_int_equal(request(w, "GET", "bridges/br", "", ""), 404);
        assert_int_equal(request(w, "GET", "applications/dialer", "", ""), 404);
        assert_int_equal(originate(w, "call", "a50@carrier"), 200);
        world_free(w);
    }
}

static void the_witness_sees_everything(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "leg-1", "agent1");
    customer(w, "att-1", "a300@carrier");
    originate(w, "x", "1@nosuch");
    pass(w, 400);
    request(w, "POST", "bridges/brg-1", "", "");
    request(w, "POST", "bridges/brg-1/addChannel", "channel=leg-1,att-1", "");
    request(w, "DELETE", "channels/att-1", "", "");
    pass(w, 10);
    static const char *const lines[] = {
        "\"what\":\"originate\",\"id\":\"leg-1\",\"kind\":\"leg\"",
        "\"what\":\"originate\",\"id\":\"att-1\",\"kind\":\"customer\"",
        "\"what\":\"answer\",\"id\":\"att-1\"",
        "\"what\":\"bridge_enter\",\"id\":\"att-1\",\"kind\":\"customer\",\"bridge\":\"brg-1\"",
        "\"what\":\"bridge_leave\",\"id\":\"att-1\"",
        "\"what\":\"end\",\"id\":\"att-1\",\"kind\":\"customer\",\"by\":\"us\",\"cause\":16",
        "\"fate\":\"failed\",\"status\":500",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(w->witness, lines[i]));
    world_free(w);
}

// --- bad input ---

static void hostile_requests_do_no_harm(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET",  "POST", "PUT",  "DELETE", "OPTIONS",
                                          "HEAD", "",     "\xff", "get"};
    static const char *const words[] = {
        "channels",     "bridges",      "a50",        "..",     "%2F",          "%",
        "%00",          "%zz",          "play",       "record", "dial",         "variable",
        "snoop",        "addChannel",   "",           "moh",    "applications", "dialer",
        "subscription", "eventFilter",  "recordings", "live",   "stored",       "playbacks",
        "control",      "deviceStates", "Stasis:x",   "events", "user",         "move",
        "continue"};
    static const char *const queries[] = {"",
                                          "&&&",
                                          "=",
                                          "a",
                                          "endpoint=PJSIP/a50@carrier&app=dialer",
                                          "channel=a,a",
                                          "eventSource=channel:a",
                                          "eventSource=:",
                                          "media=,,,sound:beep",
                                          "channelId=%",
                                          "endpoint=PJSIP/300&PJSIP/301@carrier&app=dialer",
                                          "name=x&format=wav",
                                          "direction=both",
                                          "spy=in&app=dialer",
                                          "variable=CHANNEL(&value=1",
                                          "endpoint=Local/s@dialer&app=dialer",
                                          "context=amd&extension=s",
                                          "app=ghost",
                                          "application=dialer&source=channel:",
                                          "deviceState=BUSY",
                                          "operation=pause"};
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{}",
        "null",
        "{\"variables\":[]}",
        "{\"variables\":{\"a\":[]}}",
        "{\"allowed\":{}}",
        "{\"allowed\":[{\"type\":5}]}",
        "\xff\xfe",
        "{\"endpoint\":\"PJSIP/a5@carrier\",\"app\":\"dialer\",\"timeout\":1e99}",
        "{\"media\":[1,{},\"\"]}",
        "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]"};
    // Routes with two ids that may live: one of them is made again and again below.
    static const char *const routes[] = {"channels",
                                         "channels/create",
                                         "channels/a",
                                         "channels/a/dial",
                                         "channels/a/continue",
                                         "channels/a/move",
                                         "channels/a/redirect",
                                         "channels/a/answer",
                                         "channels/a/ring",
                                         "channels/a/dtmf",
                                         "channels/a/mute",
                                         "channels/a/hold",
                                         "channels/a/moh",
                                         "channels/a/variable",
                                         "channels/a/variables",
                                         "channels/a/play",
                                         "channels/a/play/p",
                                         "channels/a/record",
                                         "channels/a/snoop",
                                         "channels/a/snoop/s",
                                         "channels/s",
                                         "bridges/b",
                                         "bridges/b/addChannel",
                                         "bridges/b/removeChannel",
                                         "bridges/b/moh",
                                         "bridges/b/play",
                                         "bridges/b/record",
                                         "playbacks/p",
                                         "playbacks/p/control",
                                         "recordings/live/x",
                                         "recordings/live/x/stop",
                                         "recordings/stored/x",
                                         "recordings/stored/x/copy",
                                         "applications/dialer",
                                         "applications/dialer/subscription",
                                         "applications/dialer/eventFilter",
                                         "endpoints/PJSIP/agent1",
                                         "events/user/e"};
    struct world *w = world_new();
    unsigned ok = 0;
    uint32_t x = 12345;
    for (int i = 0; i < 60000; i++) {
        char path[200] = "";
        x = x * 1664525u + 1013904223u;
        for (unsigned n = x >> 29; n > 0; n--) {
            x = x * 1664525u + 1013904223u;
            strcat(path, words[(x >> 8) % (sizeof words / sizeof *words)]);
            if (n > 1)
                strcat(path, "/");
        }
        x = x * 1664525u + 1013904223u;
        if (x >> 30 != 0)
            strcpy(path, routes[(x >> 8) % (sizeof routes / sizeof *routes)]);
        x = x * 1664525u + 1013904223u;
        uint32_t y = x >> 8;
        if (y % 16 == 0)
            originate(w, "a", "r5-a10-d1-h900@carrier");
        if (y % 16 == 1)
            request(w, "POST", "bridges/b/addChannel", "channel=a", "");
        int status =
            request(w, methods[y % 9], path, queries[y / 9 % (sizeof queries / sizeof *queries)],
                    bodies[y / 300 % (sizeof bodies / sizeof *bodies)]);
        assert_in_range(status, 200, 503);
        ok += status < 300;
        if (i % 7 == 0)
            pass(w, 20);
        if (i % 5000 == 4999) { // now and then everything goes
            pbx_stop(w->pbx, i % 2 == 0);
            pbx_client_close(w->pbx, w->client);
            w->client = pbx_client_open(w->pbx, "dialer,second", i % 3 == 0, w);
        }
    }
    assert_true(ok > 1000);
    world_free(w);
}

static void long_things_are_refused_or_cut(void **state)
{
    (void)state;
    static char big[70000], query[70100];
    struct world *w = world_new();
    memset(big, 'x', sizeof big - 1);
    snprintf(query, sizeof query, "endpoint=PJSIP/%.400s@carrier&app=dialer", big);
    request(w, "POST", "channels", query, "");
    assert_int_equal(request(w, "GET", "channels", query, big), 400);
    snprintf(query, sizeof query,
             "app=%.5000s&endpoint=PJSIP/a50@carrier&appArgs=%.5000s&callerId=%.5000s", big, big,
             big);
    assert_int_equal(request(w, "POST", "channels", query, ""), 200);
    pass(w, 100);
    snprintf(query, sizeof query, "bridgeId=%.60000s", big);
    assert_int_equal(request(w, "POST", "bridges", query, ""), 200);
    assert_null(pbx_client_open(w->pbx, big, false, w));
    assert_null(pbx_client_open(w->pbx, ",,", false, w));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fate_follows_from_seed_and_number),
        cmocka_unit_test(distributions_have_their_mean),
        cmocka_unit_test(scripts_are_told_from_numbers),
        cmocka_unit_test(shares_are_checked),
        cmocka_unit_test(trunk_refuses_over_its_rate),
        cmocka_unit_test(trunk_has_its_lines),
        cmocka_unit_test(phones_answer_refuse_or_are_absent),
        cmocka_unit_test(an_answer_without_a_client_hears_the_message),
        cmocka_unit_test(a_client_that_is_back_gets_the_answer),
        cmocka_unit_test(a_missing_message_is_seen),
        cmocka_unit_test(dial_right_after_create),
        cmocka_unit_test(continue_to_an_absent_extension_drops_the_call),
        cmocka_unit_test(an_event_may_come_before_its_answer),
        cmocka_unit_test(far_ends_obey),
        cmocka_unit_test(stop_tells_and_kill_does_not),
        cmocka_unit_test(the_witness_sees_everything),
        cmocka_unit_test(hostile_requests_do_no_harm),
        cmocka_unit_test(long_things_are_refused_or_cut),
    };
    return cmocka_run_group_tests_name("ari_sim_model", tests, NULL, NULL);
}
