/*
 * test_feeds.c - what comes in large pieces from others: a hostile Asterisk (A6, and A5 at that
 * link), and hostile files of leads (A15). The server beside it and everything else go on.
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct net_server *fake;
static unsigned connections, messages, rests, with_header, with_key;
static char *big;

#define BIG (300u * 1024u)

/* --- A6: the fake -------------------------------------------------------------------------------
 */

static const char *const events[] = {
    "",
    "{",
    "[]",
    "null",
    "{\"type\":5}",
    "{\"type\":\"StasisStart\"}",
    "\xff\xfe\xfd",
    "{\"type\":\"\\ud800\"}",
    "{\"type\":\"StasisStart\",\"channel\":5,\"application\":\"dialer\"}",
    "{\"type\":\"StasisStart\",\"application\":\"dialer\",\"args\":[\"customer\"],\"channel\":{"
    "\"id\":"
    "\"att-0000-00000001-00000001-00000001\",\"state\":\"Up\"}}",
    "{\"type\":\"ChannelDestroyed\",\"application\":\"dialer\",\"cause\":99999999999,\"channel\":{"
    "\"id\":"
    "\"leg-ffff-ffffffff-ffffffff-ffffffff\"}}",
    "{\"type\":\"ChannelDestroyed\",\"application\":\"dialer\",\"cause\":-1,\"timestamp\":"
    "\"9999999-99-99\",\"channel\":{\"id\":"
    "\"../../etc/passwd\"}}",
    "{\"type\":\"RESTResponse\",\"request_id\":\"99999999999999999999\",\"status_code\":-5,"
    "\"message_body\":\"[[[\"}",
    "{\"type\":\"RESTResponse\",\"request_id\":\"1\",\"status_code\":200,\"message_body\":\"{}\"}",
    "{\"type\":\"RESTResponse\",\"request_id\":\"2\",\"status_code\":200,\"message_body\":\"[{"
    "\\\"id\\\":5},[],null]\"}",
    "{\"type\":\"ApplicationReplaced\"}",
    "{\"type\":\"PlaybackFinished\",\"playback\":[]}",
    "{\"type\":\"ContactStatusChange\",\"endpoint\":{\"technology\":\"'; DROP "
    "TABLE\",\"resource\":{}}}",
    "{\"type\":\"Dial\",\"dialstatus\":\"RINGING\",\"peer\":{\"id\":\"att-0000-00000001-00000001-"
    "00000001\"}}",
};

static void hostile(struct net_ws *ws)
{
    const unsigned count = (unsigned)(sizeof events / sizeof *events);

    for (unsigned i = 0; i < 200; i++, messages++) {
        const unsigned which = messages % (count + 3);
        if (which < count) {
            (void)net_ws_send(ws, events[which], strlen(events[which]));
        } else if (which == count) {
            memset(big, '[', 5000); /* deep */
            (void)net_ws_send(ws, big, 5000);
        } else if (which == count + 1) {
            memset(big, 'a', BIG); /* and long */
            memcpy(big, "{\"type\":\"", 9);
            (void)net_ws_send(ws, big, messages % 5 == 0 ? BIG : 60000);
        } else {
            char text[900];
            char piece[400];
            payload_json(messages, piece, sizeof piece);
            snprintf(text, sizeof text, "{\"type\":\"%s\",\"channel\":{\"id\":\"%s\"}}", piece,
                     piece);
            (void)net_ws_send(ws, text, strlen(text));
        }
    }
}

static void on_open(void *ctx, struct net_ws *ws)
{
    (void)ctx;
    hostile(ws);
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ctx;
    (void)text;
    (void)len;
    rests++;
    (void)net_ws_send(ws, events[rests % 19], strlen(events[rests % 19]));
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ctx;
    (void)ws;
    (void)end;
}

static const struct net_ws_events ws_events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

static void on_request(void *ctx, struct net_req *req)
{
    static const struct net_ws_limits limits = {.max_queue = 64u << 20};

    (void)ctx;
    with_header += net_req_header(req, "Authorization") != NULL;
    with_key += strstr(net_req_target(req), "api_key") != NULL ||
                strstr(net_req_target(req), SECRET_OF_PBX) != NULL;
    connections++;
    if (net_req_is_websocket(req)) {
        (void)net_ws_accept(req, NULL, &limits, &ws_events, NULL);
    } else if (connections % 2 == 0) {
        memset(big, '[', BIG);
        (void)net_respond(
            req, &(struct net_response){
                     .status = 200, .content_type = "application/json", .body = big, .len = BIG});
    } else {
        (void)net_respond_text(req, 200, "application/json", events[connections % 19]);
    }
}

static int open_feeds(void **state)
{
    static const struct net_server_events server_events = {.on_request = on_request};
    const struct net_loop_config config = {.on_wake = NULL};
    char more[300];
    char err[200];

    (void)state;
    big = malloc(BIG);
    /* A loop of its own: the fake's port must be known before the daemon starts. */
    loop = net_loop_open(&config, err, sizeof err);
    fake = net_listen(loop, NULL, &server_events, NULL, err, sizeof err);
    assert_non_null(fake);
    snprintf(more, sizeof more, "[pbx two]\nurl = http://127.0.0.1:%u\n", net_server_port(fake));
    struct net_loop *ours = loop;
    attack_begin(NULL, more, 2);
    net_loop_close(loop);
    loop = ours;
    return 0;
}

static int close_feeds(void **state)
{
    (void)state;
    attack_end();
    free(big);
    return 0;
}

static void a_hostile_asterisk(void **state)
{
    const long before = rss_kib();
    const int64_t until = now_ms() + 10000;

    (void)state;
    while (now_ms() < until || (messages < 600 && now_ms() < until + 20000)) {
        net_loop_run_once(loop, 20 * US_PER_MS);
    }
    print_message("A6: %u connections, %u hostile messages, %u answers; memory %+ld KiB\n",
                  connections, messages, rests, rss_kib() - before);
    print_message("A5: %u requests to the Asterisk with an Authorization header, %u with the "
                  "secret in the address\n",
                  with_header, with_key);
    assert_true(messages >= 400);
    assert_int_equal(with_header, connections);
    assert_int_equal(with_key, 0);
    assert_true(rss_kib() - before < 128 * 1024);
    assert_true(alive());
    place_expect(&place, "--json status", 0, "\"up\"");
}

/* --- A15 ----------------------------------------------------------------------------------------
 */

/* Imports a file; what dialerctl said. */
static struct ran import(const char *name)
{
    char words[200];

    snprintf(words, sizeof words, "--json lead import %s/%s --list 1 --country US", place.dir,
             name);
    return place_ctl(&place, words);
}

static FILE *file(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", place.dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    return f;
}

static void expect_import(const char *what, int status, const char *says)
{
    struct ran r = import("hostile.csv");
    const bool good =
        r.status == status && (strstr(r.out, says) != NULL || strstr(r.err, says) != NULL);

    if (!good) {
        print_error("%s: %d\n%.300s\n%.600s\n", what, r.status, r.out, r.err);
    }
    ran_free(&r);
    assert_true(good);
    assert_true(alive());
}

static void hostile_files(void **state)
{
    FILE *f = file("hostile.csv");

    (void)state;
    fwrite("\xff\xfen\0u\0m\0", 1, 8, f);
    fclose(f);
    expect_import("UTF-16", 2, "UTF-16");
    f = file("hostile.csv");
    fwrite("number,name\n+12125550123,\0\n", 1, 27, f);
    fclose(f);
    expect_import("NUL", 2, "NUL");
    f = file("hostile.csv"); /* a million columns, then a good row */
    fputs("number,name\n", f);
    for (unsigned i = 0; i < 1000000; i++) {
        fputc(',', f);
    }
    fputs("\n+12125550124,after\n", f);
    fclose(f);
    expect_import("columns", 0, "\"inserted\":1");
    f = file("hostile.csv"); /* a quote that never closes, bad UTF-8, text behind a quote, a byte
                                order mark */
    fputs("\xef\xbb\xbfnumber,name\n\"open,\n+12125550125,\xff\xfe\n\"+1\"x,y\n+12125550126,good\n",
          f);
    fclose(f);
    expect_import("quotes", 0, "\"inserted\":1");
    f = file("hostile.csv");
    fclose(f);
    expect_import("empty", 2, "");
    print_message(
        "A15: 5 hostile files, each told by its name; good rows behind the bad ones are in\n");
}

/* Rows of 20 KB, none of them good. */
static void write_rows(unsigned megabytes)
{
    FILE *f = file("hostile.csv");

    fputs("number,name\n", f);
    memset(big, 'x', 20000);
    for (unsigned i = 0; i < megabytes * 50; i++) {
        fprintf(f, "%s%u,", i % 3 == 0 ? "\"" : "", i);
        fwrite(big, 1, 20000, f);
        fputc('\n', f);
    }
    fclose(f);
}

static void memory_does_not_grow_with_the_file(void **state)
{
    long grown[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        write_rows(i == 0 ? 4 : 64);
        const long before = rss_kib();
        struct ran r = import("hostile.csv");
        assert_int_equal(r.status, 0);
        assert_non_null(strstr(r.out, "\"inserted\":0"));
        ran_free(&r);
        grown[i] = rss_kib() - before;
    }
    print_message("A15: memory %+ld KiB for a file of 4 MB, %+ld KiB for one of 64 MB\n", grown[0],
                  grown[1]);
    assert_true(grown[1] < grown[0] + 24 * 1024);
    assert_true(alive());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_asterisk),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(memory_does_not_grow_with_the_file),
    };

    return cmocka_run_group_tests_name("attacks: feeds", tests, open_feeds, close_feeds);
}
