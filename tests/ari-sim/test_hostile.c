// Requests that mean harm, or nothing: the model answers each and keeps its senses.
#include "tests/ari-sim/world.h"

static const char *const methods[] = {"GET",  "POST", "PUT",  "DELETE", "OPTIONS",
                                      "HEAD", "",     "\xff", "get"};
static const char *const words[] = {
    "channels", "bridges", "a50",          "..",      "%2F",          "%",           "%00",
    "%zz",      "play",    "record",       "dial",    "variable",     "snoop",       "addChannel",
    "",         "moh",     "applications", "dialer",  "subscription", "eventFilter", "recordings",
    "live",     "stored",  "playbacks",    "control", "deviceStates", "Stasis:x",    "events",
    "user",     "move",    "continue"};
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

static void hostile_requests_do_no_harm(void **state)
{
    (void)state;
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
        cmocka_unit_test(hostile_requests_do_no_harm),
        cmocka_unit_test(long_things_are_refused_or_cut),
    };
    return cmocka_run_group_tests_name("ari_sim_hostile", tests, NULL, NULL);
}
