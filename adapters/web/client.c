/* client.c - one websocket: let in by a ticket, held to its limits, and let go. */
#include "adapters/web/internal.h"
#include "core/mutant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBPROTOCOL "dialer.v1"
#define US_PER_TOKEN (US_PER_S / RATE_PER_S)

/* --- the table ------------------------------------------------------------------------------ */

static struct client *slot_new(struct web *web)
{
    struct client *c;
    uint32_t at = 0;

    if (web->clients == web->max_clients) {
        return NULL;
    }
    while (at < web->slots && web->slot[at] != NULL) {
        at++;
    }
    c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    if (at == web->slots) {
        web->slots++;
    }
    web->slot[at] = c;
    web->clients++;
    c->web = web;
    c->id = (uint64_t)++web->generation[at] << 32 | at;
    return c;
}

struct client *client_find(struct web *web, uint64_t id)
{
    const uint32_t at = (uint32_t)id;

    return at < web->slots && web->slot[at] != NULL && web->slot[at]->id == id ? web->slot[at]
                                                                               : NULL;
}

void client_each(struct web *web, void (*fn)(struct client *c, void *ctx), void *ctx)
{
    for (uint32_t i = 0; i < web->slots; i++) {
        if (web->slot[i] != NULL) {
            fn(web->slot[i], ctx);
        }
    }
}

void client_close(struct client *c, int code, const char *reason)
{
    if (!c->leaving) {
        c->leaving = true;
        net_ws_close(c->ws, code, reason);
    }
}

/* --- which agent has a page ------------------------------------------------------------------ */

void client_tell_open(struct web *web, struct person *p)
{
    for (const struct client *c = p->clients; c != NULL; c = c->next_of_person) {
        const struct msg_socket_open open = {.agent = p->agent, .client = c->id};
        /* The actor may not be there yet, at the daemon's start: told again when it shows itself.
         */
        p->told = web_send(web, named(KIND_AGENT, p->agent), MSG_socket_open, &open) == 0;
    }
}

static void join(struct client *c)
{
    if (c->who.agent == 0) {
        return;
    }
    c->person = board_person(c->web->board, c->who.agent, true);
    if (c->person != NULL) {
        c->next_of_person = c->person->clients;
        c->person->clients = c;
        client_tell_open(c->web, c->person);
    }
}

static void part(struct client *c)
{
    struct client **at;

    if (c->person == NULL) {
        return;
    }
    for (at = &c->person->clients; *at != c; at = &(*at)->next_of_person) {
    }
    *at = c->next_of_person;
    if (c->person->clients == NULL) {
        const struct msg_socket_gone gone = {.agent = c->who.agent};
        c->person->told = false;
        (void)web_send(c->web, named(KIND_AGENT, c->who.agent), MSG_socket_gone, &gone);
    }
    c->person = NULL;
}

/* --- hello ---------------------------------------------------------------------------------- */

static const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_AGENT:
        return "agent";
    case ROLE_SUPERVISOR:
        return "supervisor";
    case ROLE_ADMIN:
        return "admin";
    case ROLE_NONE:
        break;
    }
    return "none";
}

static void welcome(struct client *c, bool resumed)
{
    struct json_writer *w = &c->web->out;
    const char *text;
    size_t len;

    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", "welcome");
    json_put_int(w, "time", web_wall_ms());
    json_put_str(w, "stream", c->web->stream);
    json_put_bool(w, "resumed", resumed);
    json_put_uint(w, "seq", c->sent);
    json_put_uint(w, "agent", c->who.agent);
    json_put_str(w, "role", role_name(c->who.role));
    json_put_str(w, "name", c->who.name);
    json_close_object(w);
    text = json_writer_end(w, &len);
    if (text != NULL) {
        (void)net_ws_send(c->ws, text, len);
    }
}

static void hello(struct client *c, const struct json *doc)
{
    struct web *web = c->web;
    const struct text ticket = json_text(doc, json_get(doc, JSON_ROOT, "ticket"));
    int64_t seq = -1;
    bool resumed;

    if (!json_is(doc, json_get(doc, JSON_ROOT, "type"), "hello") || ticket.ptr == NULL) {
        web->count.cut_hello++;
        client_close(c, NET_WS_POLICY, "the first message must be a hello with a ticket");
        return;
    }
    if (!vault_take(web->vault, TOKEN_TICKET, ticket, net_now_us(), &c->who)) {
        web->count.tickets_bad++;
        client_close(c, NET_WS_POLICY, "this ticket is not good (any more)");
        return;
    }
    (void)json_int(doc, json_path(doc, JSON_ROOT, "resume.seq"), &seq);
    resumed = json_is(doc, json_path(doc, JSON_ROOT, "resume.stream"), web->stream) && seq >= 0 &&
              (uint64_t)seq >= board_floor(web->board) && (uint64_t)seq <= board_seq(web->board);
    c->welcome = true;
    c->all = c->who.role >= ROLE_SUPERVISOR;
    c->sent = resumed ? (uint64_t)seq : 0;
    if (resumed && MUTANT(resume_gap)) {
        c->sent = board_seq(web->board);
    }
    web->count.sockets++;
    join(c);
    welcome(c, resumed);
    fan_begin(c, c->sent, !resumed);
}

/* --- events of the socket ------------------------------------------------------------------- */

/* A bucket of RATE_BURST tokens, RATE_PER_S new ones a second, kept as the time it will be full. */
static bool within_rate(struct client *c)
{
    const int64_t now_us = net_now_us();

    if (c->tokens_us < now_us) {
        c->tokens_us = now_us;
    }
    if (c->tokens_us - now_us > (RATE_BURST - 1) * US_PER_TOKEN) {
        return false;
    }
    c->tokens_us += US_PER_TOKEN;
    return true;
}

static void on_open(void *ctx, struct net_ws *ws)
{
    (void)ctx;
    (void)ws;
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct client *c = ctx;
    struct web *web = c->web;

    (void)ws;
    if (c->leaving) {
        return;
    }
    if (!within_rate(c)) {
        web->count.cut_rate++;
        client_close(c, NET_WS_POLICY, "too many messages: 20 a second, bursts of 40");
        return;
    }
    if (json_parse(&web->doc, text, len) != 0) {
        char reason[120];
        snprintf(reason, sizeof reason, "not JSON: %.90s", web->doc.error);
        web->count.cut_json++;
        client_close(c, NET_WS_POLICY, reason);
        return;
    }
    if (c->welcome) {
        request_read(c, &web->doc);
    } else {
        hello(c, &web->doc);
    }
    endpoint_flush(web->endpoint);
}

static void on_drain(void *ctx, struct net_ws *ws)
{
    struct client *c = ctx;

    (void)ws;
    if (c->dirty) {
        fan_flush(c->web);
    }
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct client *c = ctx;
    struct web *web = c->web;

    (void)ws;
    switch (end->cause) {
    case NET_WS_SLOW:
        web->count.cut_slow++;
        break;
    case NET_WS_SILENT:
        web->count.cut_silent++;
        break;
    case NET_WS_VIOLATION:
        web->count.cut_violation++;
        break;
    case NET_WS_PEER:
    case NET_WS_LOCAL:
    case NET_WS_REFUSED:
    case NET_WS_LOOP_CLOSED:
        break;
    }
    request_forget(c);
    part(c);
    if (c->dirty) {
        struct client **at = &web->dirty;
        while (*at != c) {
            at = &(*at)->next_dirty;
        }
        *at = c->next_dirty;
    }
    web->slot[(uint32_t)c->id] = NULL;
    web->clients--;
    free(c);
    endpoint_flush(web->endpoint);
}

static const struct net_ws_events ws_events = {
    .on_open = on_open,
    .on_message = on_message,
    .on_drain = on_drain,
    .on_close = on_close,
};

/* Does the client offer our subprotocol? A list with commas and blanks. */
static bool offers(const char *header)
{
    const size_t n = sizeof SUBPROTOCOL - 1;

    for (const char *at = header; at != NULL && (at = strstr(at, SUBPROTOCOL)) != NULL; at += n) {
        const bool begins = at == header || at[-1] == ',' || at[-1] == ' ';
        if (begins && (at[n] == '\0' || at[n] == ',' || at[n] == ' ')) {
            return true;
        }
    }
    return false;
}

void client_accept(struct web *web, struct net_req *req)
{
    /* A small buffer in the kernel: what lies there is old news, and what a slow reader holds.
     * Silence is allowed for longer than a wireless network takes to change its cell. */
    const struct net_ws_limits limits = {.max_message = JSON_SIZE_MAX,
                                         .max_queue = 1024u * 1024u,
                                         .send_buffer = 128 * 1024,
                                         .ping_us = 2 * US_PER_S,
                                         .dead_us = 6 * US_PER_S,
                                         .block_us = 5 * US_PER_S};
    struct client *c;

    if (!web_origin_ok(web, net_req_header(req, "Origin"))) {
        (void)net_respond_text(req, 403, "text/plain",
                               "this origin may not connect; the list is the setting origins\n");
        return;
    }
    if (!net_req_is_websocket(req) || !offers(net_req_header(req, "Sec-WebSocket-Protocol"))) {
        (void)net_respond_text(req, 400, "text/plain",
                               "a websocket with subprotocol " SUBPROTOCOL " is wanted here\n");
        return;
    }
    c = web->leaving ? NULL : slot_new(web);
    if (c == NULL) {
        (void)net_respond_text(req, 503, "text/plain", "too many pages are connected\n");
        return;
    }
    c->opened_us = net_now_us();
    c->ws = net_ws_accept(req, SUBPROTOCOL, &limits, &ws_events, c);
    if (c->ws == NULL) {
        web->slot[(uint32_t)c->id] = NULL;
        web->clients--;
        free(c);
    }
}

static void check_hello(struct client *c, void *ctx)
{
    const int64_t *now_us = ctx;

    if (!c->welcome && *now_us - c->opened_us > HELLO_US) {
        c->web->count.cut_hello += c->leaving ? 0 : 1;
        client_close(c, NET_WS_POLICY, "no hello in 5 s");
    }
}

void client_turn(struct web *web, int64_t now_us)
{
    client_each(web, check_hello, &now_us);
}

struct ending {
    uint64_t session;
};

static void close_session(struct client *c, void *ctx)
{
    const struct ending *e = ctx;

    if (c->welcome && c->who.session == e->session) {
        client_close(c, NET_WS_POLICY, "the session has ended");
    }
}

void client_end_session(struct web *web, uint64_t session)
{
    struct ending e = {session};

    client_each(web, close_session, &e);
}
