/* page_client.c - see page_client.h. */
#include "tests/web/page_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct net_loop *loop;
uint16_t page_port;

static void on_open(void *ctx, struct net_ws *ws)
{
    struct page *p = ctx;

    (void)ws;
    p->open = true;
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct page *p = ctx;

    (void)ws;
    assert_true(p->n < PAGE_MESSAGES);
    p->message[p->n] = malloc(len + 1);
    memcpy(p->message[p->n], text, len);
    p->message[p->n++][len] = '\0';
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct page *p = ctx;

    (void)ws;
    p->closed = true;
    p->code = end->code != 0 ? end->code : end->http_status;
    if (end->cause == NET_WS_REFUSED) {
        p->code = end->http_status;
    }
    p->cause = end->cause;
    snprintf(p->reason, sizeof p->reason, "%s", end->reason);
}

struct page *page_new(const char *origin, const char *subprotocol,
                      const struct net_ws_limits *limits)
{
    static const struct net_ws_events events = {
        .on_open = on_open, .on_message = on_message, .on_close = on_close};
    /* The daemon's patience is tested, not ours: a test may be busy with other things. */
    static const struct net_ws_limits wide = {.max_message = 1024u * 1024u, .dead_us = -1};
    const struct net_ws_target target = {.host = "127.0.0.1",
                                         .port = page_port,
                                         .path = "/socket",
                                         .subprotocol = subprotocol,
                                         .origin = origin};
    struct page *p = calloc(1, sizeof *p);

    p->ws = net_ws_connect(loop, &target, limits != NULL ? limits : &wide, &events, p);
    assert_non_null(p->ws);
    run_until(p->open || p->closed);
    return p;
}

void page_send(struct page *p, const char *text)
{
    assert_int_equal(net_ws_send(p->ws, text, strlen(text)), NET_OK);
}

struct page *page_hello(const char *ticket, const char *resume_stream, int64_t resume_seq)
{
    struct page *p = page_new(NULL, "dialer.v1", NULL);
    char hello[256];

    if (resume_stream == NULL) {
        snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"ticket\":\"%s\"}", ticket);
    } else {
        snprintf(
            hello, sizeof hello,
            "{\"type\":\"hello\",\"ticket\":\"%s\",\"resume\":{\"stream\":\"%s\",\"seq\":%lld}}",
            ticket, resume_stream, (long long)resume_seq);
    }
    page_send(p, hello);
    return p;
}

void page_next(struct page *p, const char *type, struct json *doc)
{
    for (;;) {
        const char *text;
        run_until(p->read < p->n || p->closed);
        if (p->read == p->n) {
            fail_msg("closed (%d %s) before a %s came", p->code, p->reason, type);
        }
        text = p->message[p->read++];
        if (json_parse(doc, text, strlen(text)) != 0) {
            fail_msg("no JSON: %s", text);
        }
        if (json_is(doc, json_get(doc, JSON_ROOT, "type"), type)) {
            return;
        }
    }
}

void page_item(struct page *p, const char *type, struct json *doc)
{
    for (;;) {
        json_ref items;
        page_next(p, "changes", doc);
        items = json_get(doc, JSON_ROOT, "items");
        for (json_ref i = json_first(doc, items); i != JSON_NONE; i = json_next(doc, i)) {
            if (json_is(doc, json_get(doc, i, "type"), type)) {
                const struct text raw = json_raw(doc, i, p->message[p->read - 1]);
                char *copy = strndup(raw.ptr, raw.len);
                assert_int_equal(json_parse(doc, copy, raw.len), 0);
                free(copy);
                return;
            }
        }
    }
}

void page_free(struct page *p)
{
    if (!p->closed) {
        net_ws_drop(p->ws);
        run_until(p->closed);
    }
    for (unsigned i = 0; i < p->n; i++) {
        free(p->message[i]);
    }
    free(p);
}
