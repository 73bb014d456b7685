/*
 * fuzz_page.c - a page's websocket, above the frames: messages as they come, hello and requests,
 * through client.c and request.c as they are, with the network and the actors played here.
 *
 * Input: the role, then messages, each behind a byte and up to a NUL. The byte moves the clock, and
 * says what the actors answer.
 */
#include "tests/fuzz/fuzz.h"

#include "adapters/web/internal.h"

#include <string.h>

static struct web web;
static int64_t now_us = US_PER_S;
static const struct net_ws_events *page;
static void *page_ctx;
static bool closed;          /* net_ws_close was called */
static unsigned replies;     /* frames with "type":"reply" since the last message */
static unsigned sent;        /* messages to the actors since then */
static struct msg_reply due; /* what they will answer */
static enum role role;
static struct json frame;

/* --- the network, played ---------------------------------------------------------------------- */

int64_t net_now_us(void)
{
    return now_us;
}

int64_t web_wall_ms(void)
{
    return now_us / 1000;
}

int net_ws_send(struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    MUST(!closed && json_parse(&frame, text, len) == 0);
    replies += json_is(&frame, json_get(&frame, JSON_ROOT, "type"), "reply");
    return 0;
}

size_t net_ws_pending(const struct net_ws *ws)
{
    (void)ws;
    return 0;
}

void net_ws_close(struct net_ws *ws, int code, const char *reason)
{
    (void)ws;
    /* What a close frame may hold. */
    MUST(code >= 1000 && strlen(reason) <= 123 && json_utf8_valid(reason, strlen(reason)));
    closed = true;
}

struct net_ws *net_ws_accept(struct net_req *req, const char *subprotocol,
                             const struct net_ws_limits *limits, const struct net_ws_events *events,
                             void *ctx)
{
    (void)req;
    (void)subprotocol;
    (void)limits;
    page = events;
    page_ctx = ctx;
    return (struct net_ws *)&web; /* never looked into */
}

const char *net_req_header(const struct net_req *req, const char *name)
{
    (void)req;
    return strcmp(name, "Sec-WebSocket-Protocol") == 0 ? "dialer.v1" : NULL;
}

bool net_req_is_websocket(const struct net_req *req)
{
    (void)req;
    return true;
}

int net_respond_text(struct net_req *req, int status, const char *content_type, const char *body)
{
    (void)req;
    (void)content_type;
    (void)body;
    MUST(status != 200);
    return 0;
}

/* --- the daemon, played ------------------------------------------------------------------------
 */

bool web_origin_ok(struct web *w, const char *origin)
{
    (void)w;
    return origin == NULL;
}

void endpoint_flush(struct endpoint *ep)
{
    (void)ep;
}

/* A message leaves for the actors: it can be packed, says whose it is, and is allowed. */
int web_send(struct web *w, handle to, uint16_t type, const void *msg)
{
    const struct message_desc *desc = message_find(&dialer_catalogue, type);
    static uint8_t room[8192];

    (void)w;
    MUST(desc != NULL && message_pack(desc, msg, room, sizeof room) > 0);
    if (type == MSG_socket_open || type == MSG_socket_gone) {
        return 0;
    }
    sent++;
    if (to != named(KIND_AGENT, 7)) { /* ours, by the ticket, and nobody else's */
        MUST(role >= ROLE_SUPERVISOR);
        MUST(handle_kind(to) != KIND_AGENT);
    }
    due.client = ((const struct client *)page_ctx)->id;
    due.request = w->request_id;
    return 0;
}

/* --- the input ---------------------------------------------------------------------------------
 */

static void on_message(const char *text, size_t len, unsigned how)
{
    char *block = malloc(len + 1); /* of its own size, with the NUL that net.h promises */

    memcpy(block, text, len);
    block[len] = '\0';
    replies = sent = 0;
    due.request = 0;
    page->on_message(page_ctx, NULL, block, len);
    free(block);
    MUST(replies + sent <= 1);
    now_us += (int64_t)(how & 15) * 20 * US_PER_MS;
    if (sent != 0 && (how & 16) != 0 && !closed) {
        due.result = (uint8_t)(how >> 5);
        due.text = (struct text){"a \"word\"\n", 9};
        request_reply(&web, &due);
        MUST(replies == 1);
    }
    request_turn(&web, now_us);
    client_turn(&web, now_us);
    fan_turn(&web);
}

static void make_web(void)
{
    static const struct board_events events = {.on_person = fan_person};
    const struct msg_view_agent agent = {.agent = 7, .name = {"Ada", 3}, .state = AGENT_AVAILABLE};

    MUST(secret_init() == 0);
    web.max_clients = 4;
    web.board = board_new(&events, &web);
    web.vault = vault_new(64);
    web.slot = calloc(web.max_clients, sizeof *web.slot);
    web.generation = calloc(web.max_clients, sizeof *web.generation);
    json_init(&web.doc, 0);
    json_init(&frame, 1024u * 1024u);
    json_writer_init_heap(&web.frame, 1024u * 1024u);
    json_writer_init_heap(&web.out, 1024u * 1024u);
    snprintf(web.stream, sizeof web.stream, "0123456789abcdef");
    board_agent(web.board, &agent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct net_ws_end gone = {.cause = NET_WS_PEER, .opened = true, .reason = ""};
    struct identity who = {.agent = 7, .account = 1, .name = "Ada"};
    char ticket[SECRET_TOKEN_SIZE];
    char hello[128];
    struct bytes b = {data, size};
    const unsigned first = take_byte(&b);

    if (web.board == NULL) {
        make_web();
    }
    role = who.role = (enum role)(first % 3 + 1);
    closed = false;
    client_accept(&web, NULL);
    MUST(page_ctx != NULL && web.clients == 1);
    page->on_open(page_ctx, NULL);
    if (first % 8 != 0) { /* else: without a ticket */
        MUST(vault_make(web.vault, TOKEN_TICKET, &who, US_PER_S, now_us, ticket) == 0);
        snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"ticket\":\"%s\"}", ticket);
        on_message(hello, strlen(hello), 0);
        MUST(!closed);
    }
    while (b.left > 0 && !closed) {
        const unsigned how = take_byte(&b);
        const struct text t = take_until(&b, 0);
        on_message(t.ptr, t.len, how);
    }
    page->on_close(page_ctx, NULL, &gone);
    MUST(web.clients == 0 && web.oldest == NULL && web.dirty == NULL);
    now_us += 40 * US_PER_S;
    return 0;
}
