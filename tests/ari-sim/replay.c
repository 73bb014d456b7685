#include "tests/ari-sim/replay.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ari-sim/transcript.h"

enum { ANSWERS = 700, SOCKETS = 12, POOLS = 5, MAP = 64, REPORT = 4000, LINES_SHOWN = 8 };
enum { GATE_US = 2000000, SHORT_GATE_US = 100000, TAIL_US = 250000, BODY_MAX = 1 << 20 };

struct answer {
    size_t sent_line;   // +1
    size_t wanted_line; // +1
    bool arrived;
    int status; // 0: no connection
    char *body;
    size_t len;
};

struct peer {
    char tag[16];
    struct net_ws *ws;
    struct replay *replay;
    bool open, closed, wanted; // wanted: until it opens, try again
    int code, http_status;
    char url[200];
    bool plain; // without credentials
    int64_t retry_until;
};

struct seen {
    char *strand, *sign;
    int64_t at;
};

struct replay {
    char name[80];
    bool races;
    struct net_loop *loop;
    struct net_timer *timer;
    struct front *front;
    struct ledger *ledger;
    struct transcript t;
    size_t cursor;
    int64_t zero, gate_since, end_at;
    bool impatient, done, aborting;
    struct answer answer[ANSWERS];
    struct net_http *pool[POOLS];
    struct peer peer[SOCKETS];
    size_t peers;
    struct seen *seen, *wanted;
    size_t n_seen, n_wanted, seen_room, wanted_room;
    char *frame[ANSWERS]; // RESTResponses in the order of their arrival
    size_t frames, frames_wanted;
    char *map_from[MAP], *map_to[MAP];
    size_t maps;
    char *auto_wanted[MAP], *auto_seen[MAP]; // made-up ids in the order of their first event
    size_t autos_wanted, autos_seen;
    struct json line, other;
    struct replay_result result;
    char report[REPORT];
    size_t report_len;
};

struct call {
    struct replay *replay;
    int64_t n;
};

static void step(void *ctx);

__attribute__((format(printf, 2, 3))) static void differs(struct replay *r, const char *format, ...)
{
    if (r->result.differences++ >= LINES_SHOWN)
        return;
    va_list args;
    va_start(args, format);
    char line[1500];
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0 && r->report_len + (size_t)n + 2 < REPORT) {
        memcpy(r->report + r->report_len, line,
               (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
        r->report_len += (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
        r->report[r->report_len++] = '\n';
        r->report[r->report_len] = '\0';
    }
}

static void soon(struct replay *r)
{
    if (!r->done)
        net_timer_set(r->timer, 0);
}

// --- what came ---

static void remember(struct seen **list, size_t *count, size_t *room, const char *strand,
                     const char *sign, int64_t at)
{
    if (*count == *room) {
        *room = *room > 0 ? 2 * *room : 64;
        *list = realloc(*list, *room * sizeof **list);
    }
    (*list)[(*count)++] = (struct seen){strdup(strand), strdup(sign), at};
}

static void map(struct replay *r, const char *from, const char *to)
{
    if (strcmp(from, to) == 0 || r->maps == MAP)
        return;
    r->map_from[r->maps] = strdup(from);
    r->map_to[r->maps++] = strdup(to);
}

// The n-th channel with an id of Asterisk's own is one strand, whatever the id; requests for it are
// mapped.
static void name_auto(struct replay *r, char **list, size_t *count, const struct json *d,
                      json_ref event, char strand[STRAND_MAX])
{
    const char *id = json_str(d, json_path(d, event, "channel.id"), NULL);
    if (id == NULL)
        id = json_str(d, json_path(d, event, "peer.id"), NULL);
    if (id == NULL || !made_up_id(id))
        return;
    size_t i = 0;
    while (i < *count && strcmp(list[i], id) != 0)
        i++;
    if (i == *count && i < MAP) {
        list[(*count)++] = strdup(id);
        if (i < r->autos_wanted && i < r->autos_seen)
            map(r, r->auto_wanted[i], r->auto_seen[i]);
    }
    size_t len = strlen(strand);
    snprintf(strand + len, STRAND_MAX - len, "#%zu", i + 1);
}

static void ws_open(void *ctx, struct net_ws *ws)
{
    struct peer *p = ctx;
    (void)ws;
    p->open = true;
    soon(p->replay);
}

static void ws_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    struct peer *p = ctx;
    struct replay *r = p->replay;
    struct json doc;
    char strand[STRAND_MAX], sign[SIGN_MAX];
    json_init(&doc, BODY_MAX);
    if (json_parse(&doc, text, len) != 0)
        differs(r, "a frame that is no JSON: %.100s", text);
    else if (json_is(&doc, json_get(&doc, JSON_ROOT, "type"), "RESTResponse") &&
             r->frames < ANSWERS)
        r->frame[r->frames++] = strndup(text, len);
    else if (event_sign(&doc, JSON_ROOT, strand, sign)) {
        name_auto(r, r->auto_seen, &r->autos_seen, &doc, JSON_ROOT, strand);
        remember(&r->seen, &r->n_seen, &r->seen_room, strand, sign, net_now_us());
    }
    json_free(&doc);
    soon(r);
}

static void ws_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    struct peer *p = ctx;
    p->ws = NULL;
    p->closed = true;
    p->code = end->code;
    p->http_status = end->http_status;
    soon(p->replay);
}

static const struct net_ws_events ws_events = {
    .on_open = ws_open, .on_message = ws_message, .on_close = ws_close};

static const struct net_header credentials = {"Authorization",
                                              "Basic ZGlhbGVyOmRpYWxlci1zZWNyZXQ="};
static const struct net_header wrong_credentials = {"Authorization", "Basic ZGlhbGVyOndyb25n"};
static const struct net_header unknown_user = {"Authorization", "Basic bm9ib2R5Ong="};
static const struct net_header viewer = {"Authorization", "Basic dmlld2VyOnZpZXdlci1zZWNyZXQ="};

static void connect_ws(struct peer *p)
{
    struct replay *r = p->replay;
    struct net_ws_target target = {
        .host = "127.0.0.1", .port = front_port(r->front), .path = p->url};
    const struct net_header *header = strstr(p->url, "viewapp") != NULL ? &viewer : &credentials;
    if (!p->plain) {
        target.headers = header;
        target.n_headers = 1;
    }
    struct net_ws_limits limits = {
        .max_message = BODY_MAX, .max_queue = BODY_MAX, .ping_us = -1, .dead_us = -1};
    p->closed = false;
    p->ws = net_ws_connect(r->loop, &target, &limits, &ws_events, p);
}

static struct peer *peer_of(struct replay *r, const char *tag)
{
    for (size_t i = r->peers; i-- > 0;)
        if (strcmp(r->peer[i].tag, tag) == 0)
            return &r->peer[i];
    return NULL;
}

// --- sending ---

static const char *mapped(const struct replay *r, const char *text)
{
    for (size_t i = 0; i < r->maps; i++)
        if (strcmp(r->map_from[i], text) == 0)
            return r->map_to[i];
    return text;
}

static void put_encoded(char **at, char *end, const char *text)
{
    int n = net_url_encode(text, strlen(text), *at, (size_t)(end - *at));
    if (n > 0)
        *at += n;
}

// "(z * 3000)" in a path stands for as many letters.
static void put_path(const struct replay *r, char **at, char *end, const char *path)
{
    unsigned count;
    while (*path != '\0' && *at < end - 1) {
        size_t len = strcspn(path, "/?");
        char segment[300];
        if (sscanf(path, "(z * %u)", &count) == 1) {
            for (; count > 0 && *at < end - 1; count--)
                *(*at)++ = 'z';
        } else if (len > 0 && len < sizeof segment &&
                   net_url_decode((struct text){path, (uint32_t)len}, false, segment,
                                  sizeof segment) >= 0 &&
                   mapped(r, segment) != segment) {
            put_encoded(at, end, mapped(r, segment));
        } else {
            for (size_t i = 0; i < len && *at < end - 1; i++)
                *(*at)++ = path[i];
        }
        path += len;
        if (*path == '?') { // as it stands
            while (*path != '\0' && *at < end - 1)
                *(*at)++ = *path++;
        } else if (*path == '/') {
            *(*at)++ = *path++;
        }
    }
}

static char *build_target(struct replay *r, json_ref line)
{
    static char target[20000];
    char *at = target, *end = target + sizeof target - 1;
    char number[40];
    put_path(r, &at, end, json_str(&r->line, json_get(&r->line, line, "path"), ""));
    json_ref query = json_get(&r->line, line, "query");
    char sep = '?';
    for (json_ref i = json_first(&r->line, query); i != JSON_NONE; i = json_next(&r->line, i)) {
        int64_t n = 0;
        const char *value = json_str(&r->line, i, NULL);
        if (value == NULL && json_int(&r->line, i, &n)) {
            snprintf(number, sizeof number, "%lld", (long long)n);
            value = number;
        }
        *at++ = sep;
        sep = '&';
        put_encoded(&at, end, json_key(&r->line, i).ptr);
        *at++ = '=';
        put_encoded(&at, end, mapped(r, value != NULL ? value : ""));
    }
    *at = '\0';
    return target;
}

static void learn(struct replay *r, const struct answer *a)
{
    if (a->wanted_line == 0 || a->body == NULL)
        return;
    struct json wanted;
    json_init(&wanted, BODY_MAX);
    const struct transcript_line *line = &r->t.line[a->wanted_line - 1];
    if (json_parse(&wanted, line->text, line->len) == 0 &&
        json_parse(&r->other, a->body, a->len) == 0) {
        static const char *const keys[] = {"id", "name"};
        for (size_t i = 0; i < 2; i++) {
            const char *from =
                json_str(&wanted, json_get(&wanted, json_get(&wanted, 0, "body"), keys[i]), NULL);
            const char *to = json_str(&r->other, json_get(&r->other, 0, keys[i]), NULL);
            if (from != NULL && to != NULL)
                map(r, from, to);
        }
    }
    json_free(&wanted);
}

static void http_done(void *ctx, const struct net_http_result *result)
{
    struct call *call = ctx;
    struct replay *r = call->replay;
    struct answer *a = &r->answer[call->n];
    a->arrived = true;
    a->status = result->status;
    a->body = strndup(result->body, result->len);
    a->len = result->len;
    learn(r, a);
    free(call);
    soon(r);
}

static struct net_http *pool_of(struct replay *r, const char *auth)
{
    static const char *const names[POOLS] = {NULL, "none", "dialer", "nobody", "viewer"};
    size_t which = 0;
    for (size_t i = 1; auth != NULL && i < POOLS; i++)
        if (strcmp(names[i], auth) == 0)
            which = i;
    if (r->pool[which] == NULL) {
        const struct net_header *headers[POOLS] = {&credentials, NULL, &credentials, &unknown_user,
                                                   &viewer};
        if (strncmp(r->name, "l01", 3) == 0)
            headers[2] = &wrong_credentials;
        struct net_http_config config = {
            .host = "127.0.0.1", .port = front_port(r->front), .max_body = BODY_MAX};
        config.headers = headers[which];
        config.n_headers = headers[which] != NULL;
        config.timeout_us = 20 * US_PER_S;
        char err[200];
        r->pool[which] = net_http_open(r->loop, &config, err, sizeof err);
    }
    return r->pool[which];
}

// The body as it was sent: JSON, raw text, or a description of a big one.
static char *build_body(struct replay *r, json_ref line, const char *text, size_t *len)
{
    unsigned size;
    struct text raw = json_raw(&r->line, json_get(&r->line, line, "body"), text);
    const char *as_is = json_str(&r->line, json_get(&r->line, line, "raw_body"), NULL);
    if (as_is != NULL && sscanf(as_is, "(JSON with a variable of %u", &size) == 1) {
        char *body = calloc(1, size + 200);
        char *at = stpcpy(
            body,
            "{\"endpoint\":\"PJSIP/c486@carrier\",\"app\":\"dialer\",\"variables\":{\"P\":\"");
        memset(at, 'y', size);
        strcpy(at + size, "\"}}");
        *len = strlen(body);
        return body;
    }
    if (as_is != NULL) {
        *len = strlen(as_is);
        return strdup(as_is);
    }
    *len = raw.len;
    return raw.ptr != NULL ? strndup(raw.ptr, raw.len) : strdup("");
}

static void send_http(struct replay *r, json_ref line, const char *text)
{
    int64_t n = 0;
    if (!json_int(&r->line, json_get(&r->line, line, "n"), &n) || n < 0 || n >= ANSWERS)
        return;
    struct call *call = calloc(1, sizeof *call);
    *call = (struct call){r, n};
    struct net_http_call request = {
        .method = json_str(&r->line, json_get(&r->line, line, "method"), "GET"),
        .target = build_target(r, line),
        .on_done = http_done,
        .ctx = call};
    char *body = build_body(r, line, text, &request.len);
    request.body = body;
    request.content_type = json_str(&r->line, json_get(&r->line, line, "content_type"), NULL);
    if (request.content_type == NULL && json_get(&r->line, line, "body") != JSON_NONE)
        request.content_type = "application/json";
    r->answer[n].sent_line = r->cursor + 1;
    const char *auth = json_str(&r->line, json_get(&r->line, line, "auth"), NULL);
    if (net_http_send(pool_of(r, auth), &request) != NET_OK) {
        r->answer[n].arrived = true;
        free(call);
    }
    free(body);
    r->result.requests++;
}

static const char fragmented[] = "{\"type\":\"RESTRequest\",\"request_id\":\"frag\",\"method\":"
                                 "\"GET\",\"uri\":\"asterisk/ping\"}";

static void send_padded(struct peer *p, const char *raw)
{
    unsigned size = 0;
    const char *id = strstr(raw, "\"request_id\": \"s");
    if (id == NULL || sscanf(id + 16, "%u", &size) != 1 || size > 100000)
        return;
    char *frame = calloc(1, size + 200);
    char *at =
        frame + snprintf(frame, 200,
                         "{\"type\":\"RESTRequest\",\"request_id\":\"s%u\",\"method\":\"GET\","
                         "\"uri\":\"asterisk/ping\",\"pad\":\"",
                         size);
    memset(at, 'x', size);
    memcpy(at + size, "\"}", 3);
    net_ws_send(p->ws, frame, strlen(frame));
    free(frame);
}

static void send_frame(struct replay *r, json_ref line, const char *text)
{
    const char *tag = json_str(&r->line, json_get(&r->line, line, "tag"), NULL);
    struct peer *p = tag != NULL ? peer_of(r, tag) : r->peers > 0 ? &r->peer[r->peers - 1] : NULL;
    if (p == NULL || p->ws == NULL)
        return;
    const char *raw = json_str(&r->line, json_get(&r->line, line, "raw"), NULL);
    struct text frame = json_raw(&r->line, json_get(&r->line, line, "frame"), text);
    const char *pad = raw != NULL ? strstr(raw, "\"pad\"") : NULL;
    if (pad != NULL) // shortened in the transcript; its request_id tells the length
        send_padded(p, raw);
    else if (raw != NULL && strncmp(raw, "(RESTRequest \"frag\"", 19) == 0)
        net_ws_send(p->ws, fragmented, strlen(fragmented));
    else if (raw != NULL && raw[0] != '(') // no binary frames here
        net_ws_send(p->ws, raw, strlen(raw));
    else if (frame.ptr != NULL)
        net_ws_send(p->ws, frame.ptr, frame.len);
    r->result.requests++;
}

// --- one line of the transcript after the other ---

// An open gate lets the replay go on; a closed one until it is overdue, so that what is missing is
// found in the end.
static bool gate(struct replay *r, bool open)
{
    int64_t now = net_now_us();
    double at = 0;
    json_double(&r->line, json_get(&r->line, 0, "t"), &at);
    int64_t due = r->zero + (int64_t)(at * 1e6);
    if (open) {
        r->gate_since = 0;
        return true;
    }
    if (r->gate_since == 0)
        r->gate_since = now;
    if (now - (r->gate_since > due ? r->gate_since : due) >
        (r->impatient ? SHORT_GATE_US : GATE_US)) {
        r->impatient = true;
        r->gate_since = 0;
        return true;
    }
    return false;
}

static size_t count_of(const struct seen *list, size_t count, const char *strand, const char *sign)
{
    size_t n = 0, type = strcspn(sign, " ");
    for (size_t i = 0; i < count; i++)
        n += strcmp(list[i].strand, strand) == 0 && strncmp(list[i].sign, sign, type) == 0;
    return n;
}

static bool event_line(struct replay *r, json_ref line)
{
    char strand[STRAND_MAX], sign[SIGN_MAX];
    if (!event_sign(&r->line, json_get(&r->line, line, "event"), strand, sign))
        return true;
    name_auto(r, r->auto_wanted, &r->autos_wanted, &r->line, json_get(&r->line, line, "event"),
              strand);
    size_t before = count_of(r->wanted, r->n_wanted, strand, sign);
    if (!gate(r, count_of(r->seen, r->n_seen, strand, sign) > before))
        return false;
    remember(&r->wanted, &r->n_wanted, &r->wanted_room, strand, sign, 0);
    r->result.events++;
    return true;
}

static bool response_line(struct replay *r, json_ref line)
{
    int64_t n;
    if (json_get(&r->line, line, "frame") != JSON_NONE) {
        if (!gate(r, r->frames > r->frames_wanted))
            return false;
        r->frames_wanted++;
        return true;
    }
    if (!json_int(&r->line, json_get(&r->line, line, "n"), &n) || n < 0 || n >= ANSWERS)
        return true;
    return gate(r, r->answer[n].arrived);
}

static void close_line(struct replay *r, struct peer *p)
{
    if (p->ws == NULL)
        return;
    if (r->aborting)
        net_ws_drop(p->ws);
    else
        net_ws_close(p->ws, NET_WS_NORMAL, "");
}

static bool socket_line(struct replay *r, json_ref line)
{
    const char *what = json_str(&r->line, json_get(&r->line, line, "what"), "");
    const char *tag = json_str(&r->line, json_get(&r->line, line, "tag"), "-");
    struct peer *p = peer_of(r, tag);
    bool refused = strcmp(what, "refused") == 0;
    if (strcmp(what, "closed") == 0) {
        int64_t code = 0;
        bool by_server =
            json_int(&r->line, json_get(&r->line, line, "code"), &code) && !r->aborting;
        if (p == NULL)
            return true;
        if (by_server) {
            if (!gate(r, p->closed))
                return false;
            if (p->code != code)
                differs(r, "websocket %s closed with %d, wanted %d", tag, p->code, (int)code);
            return true;
        }
        close_line(r, p);
        r->aborting = false;
        return gate(r, p->closed);
    }
    if (p == NULL || !p->wanted) {
        if (r->peers == SOCKETS)
            return true;
        p = &r->peer[r->peers++];
        *p = (struct peer){.replay = r, .wanted = true};
        p->plain = refused || strstr(json_str(&r->line, json_get(&r->line, line, "url"), ""),
                                     "api_key") != NULL;
        snprintf(p->tag, sizeof p->tag, "%s", tag);
        snprintf(p->url, sizeof p->url, "%s",
                 json_str(&r->line, json_get(&r->line, line, "url"), ""));
        p->retry_until = net_now_us() + GATE_US;
        connect_ws(p);
    }
    if (!refused && p->closed && !p->open && net_now_us() < p->retry_until)
        connect_ws(p); // while it boots
    if (!gate(r, refused ? p->closed : p->open))
        return false;
    p->wanted = false;
    if (refused && p->http_status != 401)
        differs(r, "websocket refused with %d, wanted 401", p->http_status);
    if (refused)
        p->tag[0] = '\0';
    return true;
}

static void note_line(struct replay *r, const char *text)
{
    struct pbx *pbx = front_pbx(r->front);
    if (strcmp(text, "command: core stop gracefully") == 0)
        front_end(r->front, FRONT_GRACEFUL, -1);
    else if (strcmp(text, "command: core stop now") == 0)
        front_end(r->front, FRONT_STOP, -1);
    else if (strcmp(text, "SIGKILL") == 0)
        front_end(r->front, FRONT_KILL, -1);
    else if (strncmp(text, "connecting during start", 23) == 0)
        front_end(r->front, FRONT_KILL, -1);
    else if (strncmp(text, "restarted", 9) == 0 || strcmp(text, "starting") == 0)
        front_boot(r->front);
    else if (strcmp(text, "TCP abort") == 0)
        r->aborting = true;
    else if (strcmp(text, "the SIP peer starts to answer OPTIONS") == 0)
        pbx_register(pbx, "carrier-q", true);
    else if (strcmp(text, "the SIP peer stops") == 0)
        pbx_register(pbx, "carrier-q", false);
    front_pump(r->front);
}

// g07, a call that comes in: what the recorded phone did by itself.
static void phone_calls(struct replay *r)
{
    static const struct pbx_call call = {"agent", "", "agent", "inbound", "5551000"};
    if (strncmp(r->name, "g07", 3) == 0)
        pbx_inbound(front_pbx(r->front), &call);
    front_pump(r->front);
}

static void phone_hangs_up(struct replay *r)
{
    if (strncmp(r->name, "g07", 3) == 0 && r->autos_seen == 1)
        pbx_far_hangup(front_pbx(r->front), r->auto_seen[0], -1);
}

// False: not yet; step is called again.
static bool line_done(struct replay *r, const char *text)
{
    const char *dir = json_str(&r->line, json_get(&r->line, 0, "dir"), "");
    double at = 0;
    json_double(&r->line, json_get(&r->line, 0, "t"), &at);
    int64_t due = r->zero + (int64_t)(at * 1e6), now = net_now_us();
    if (strcmp(dir, "req") == 0 || strcmp(dir, "note") == 0 || strcmp(dir, "ws") == 0) {
        if (now < due && r->gate_since == 0) {
            net_timer_set(r->timer, due - now);
            return false;
        }
    }
    bool done = true, phone = false;
    if (strcmp(dir, "req") == 0 && json_get(&r->line, 0, "via") != JSON_NONE)
        send_frame(r, 0, text);
    else if (strcmp(dir, "req") == 0)
        send_http(r, 0, text);
    else if (strcmp(dir, "res") == 0)
        done = response_line(r, 0);
    else if (strcmp(dir, "event") == 0)
        done = event_line(r, 0);
    else if (strcmp(dir, "ws") == 0)
        phone = done = socket_line(r, 0);
    else if (strcmp(dir, "note") == 0)
        note_line(r, json_str(&r->line, json_get(&r->line, 0, "text"), ""));
    if (phone)
        phone_calls(r);
    if (!done) {
        if (now >= due &&
            json_is(&r->line, json_path(&r->line, 0, "event.variable"), "RTPAUDIOQOS"))
            phone_hangs_up(r);
        net_timer_set(r->timer, 2000);
        return false;
    }
    now = net_now_us();
    if (strcmp(dir, "sip") != 0 && now > due) // late: all that follows keeps its distance
        r->zero += now - due;
    return true;
}

static void compare(struct replay *r);

static void step(void *ctx)
{
    struct replay *r = ctx;
    while (!r->done && r->cursor < r->t.lines) {
        const struct transcript_line *line = &r->t.line[r->cursor];
        if (json_parse(&r->line, line->text, line->len) == 0 && !line_done(r, line->text))
            return;
        r->cursor++;
        r->end_at = net_now_us();
    }
    if (r->done)
        return;
    if (net_now_us() < r->end_at + TAIL_US) {
        net_timer_set(r->timer, r->end_at + TAIL_US - net_now_us());
        return;
    }
    compare(r);
    r->done = true;
}

// --- comparing ---

static bool status_occurs(struct replay *r, int status)
{
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t wanted;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) == 0 &&
            json_is(&r->line, json_get(&r->line, 0, "dir"), "res") &&
            json_int(&r->line, json_get(&r->line, 0, "status"), &wanted) && wanted == status)
            return true;
    }
    return false;
}

// Bodies that show what an earlier recording had left on the server.
static bool leftover(const char *name, int64_t n)
{
    static const struct {
        const char *name;
        int64_t n;
    } list[] = {{"a51", 1}, {"a52", 1}, {"g08", 3}, {"h06", 2}, {"h06", 5}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strncmp(list[i].name, name, strlen(list[i].name)) == 0 && list[i].n == n)
            return true;
    return false;
}

static void compare_answer(struct replay *r, int64_t n, json_ref line)
{
    struct answer *a = &r->answer[n];
    char why[400] = "";
    int64_t status = 0;
    bool has_status = json_int(&r->line, json_get(&r->line, line, "status"), &status);
    if (!a->arrived) {
        differs(r, "request %d: no answer", (int)n);
        return;
    }
    if (r->races) {
        if (!status_occurs(r, a->status))
            differs(r, "request %d: status %d, which never occurs here", (int)n, a->status);
        return;
    }
    if ((has_status ? status : 0) != a->status) {
        differs(r, "request %d: status %d, wanted %d (%.100s)", (int)n, a->status, (int)status,
                a->body != NULL ? a->body : "");
        return;
    }
    json_ref body = json_get(&r->line, line, "body");
    if (leftover(r->name, n))
        return;
    enum json_type type = json_type(&r->line, body);
    if (type != JSON_OBJECT && type != JSON_ARRAY)
        return;
    if (a->body == NULL || json_parse(&r->other, a->body, a->len) != 0)
        differs(r, "request %d: body is no JSON", (int)n);
    else if (!same_body(&r->line, body, &r->other, 0, NULL, why, sizeof why))
        differs(r, "request %d: %s", (int)n, why);
}

static void compare_frame(struct replay *r, size_t i, json_ref wanted)
{
    char why[400] = "";
    const char *wanted_body = json_str(&r->line, json_get(&r->line, wanted, "message_body"), NULL);
    if (i >= r->frames) {
        differs(r, "websocket answer %zu: none came", i + 1);
        return;
    }
    if (r->races || json_parse(&r->other, r->frame[i], strlen(r->frame[i])) != 0)
        return;
    static const char *const keys[] = {"request_id", "transaction_id", "status_code",
                                       "reason_phrase", "uri"};
    for (size_t k = 0; k < 5; k++) {
        if (!same_body(&r->line, json_get(&r->line, wanted, keys[k]), &r->other,
                       json_get(&r->other, 0, keys[k]), keys[k], why, sizeof why)) {
            differs(r, "websocket answer %zu: %s", i + 1, why);
            return;
        }
    }
    const char *body = json_str(&r->other, json_get(&r->other, 0, "message_body"), NULL);
    if ((body == NULL) != (wanted_body == NULL)) {
        differs(r, "websocket answer %zu: body %s", i + 1, body == NULL ? "absent" : body);
        return;
    }
    struct json a, b;
    json_init(&a, BODY_MAX);
    json_init(&b, BODY_MAX);
    if (body != NULL && strstr(r->frame[i], "api-docs") == NULL &&
        json_parse(&a, wanted_body, strlen(wanted_body)) == 0) {
        if (json_parse(&b, body, strlen(body)) != 0)
            differs(r, "websocket answer %zu: body is no JSON", i + 1);
        else if (!same_body(&a, 0, &b, 0, NULL, why, sizeof why))
            differs(r, "websocket answer %zu: %s", i + 1, why);
    }
    json_free(&a);
    json_free(&b);
}

// ChannelStateChange and Dial of one step come in either order: StateChange first, for the
// comparison.
static size_t strand(const struct seen *list, size_t count, const char *name, const char *out[],
                     size_t room, int64_t until)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < room; i++)
        if (strcmp(list[i].strand, name) == 0 && list[i].at <= until)
            out[n++] = list[i].sign;
    for (size_t i = 0; i + 1 < n; i++) {
        bool step = strncmp(out[i], "Dial dialstatus=RINGING", 23) == 0 ||
                    strncmp(out[i], "Dial dialstatus=ANSWER", 22) == 0;
        if (step && strncmp(out[i + 1], "ChannelStateChange", 18) == 0) {
            const char *swap = out[i];
            out[i] = out[i + 1];
            out[i + 1] = swap;
        }
    }
    return n;
}

enum { STRAND_EVENTS = 400 };

// In a race each event only has to be one that the transcript has, whatever the numbers in its
// names.
static bool alike(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static void compare_race(struct replay *r)
{
    for (size_t i = 0; i < r->n_seen; i++) {
        bool found = false;
        for (size_t k = 0; k < r->n_wanted && !found; k++)
            found = alike(r->wanted[k].sign, r->seen[i].sign);
        if (!found && r->seen[i].at <= r->end_at - 20000)
            differs(r, "%s: '%s' never occurs", r->seen[i].strand, r->seen[i].sign);
    }
}

static void compare_strand(struct replay *r, const char *name)
{
    const char *wanted[STRAND_EVENTS], *got[STRAND_EVENTS];
    size_t n = strand(r->wanted, r->n_wanted, name, wanted, STRAND_EVENTS, INT64_MAX);
    size_t all = strand(r->seen, r->n_seen, name, got, STRAND_EVENTS, INT64_MAX);
    r->result.strands++;
    for (size_t i = 0; i < n; i++) {
        if (i < all && strcmp(wanted[i], got[i]) == 0)
            continue;
        differs(r, "%s: event %zu is '%s', wanted '%s'", name, i + 1, i < all ? got[i] : "missing",
                wanted[i]);
        return;
    }
    size_t before_end = strand(r->seen, r->n_seen, name, got, STRAND_EVENTS, r->end_at - 20000);
    if (before_end > n)
        differs(r, "%s: %zu events more than wanted, first '%s'", name, before_end - n, got[n]);
}

static bool first_of_strand(const struct seen *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(list[k].strand, list[i].strand) == 0)
            return false;
    return true;
}

static void compare(struct replay *r)
{
    size_t frame = 0;
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t n;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) != 0 ||
            !json_is(&r->line, json_get(&r->line, 0, "dir"), "res"))
            continue;
        if (json_get(&r->line, 0, "frame") != JSON_NONE)
            compare_frame(r, frame++, json_get(&r->line, 0, "frame"));
        else if (json_int(&r->line, json_get(&r->line, 0, "n"), &n) && n >= 0 && n < ANSWERS)
            compare_answer(r, n, 0);
    }
    if (r->races) {
        compare_race(r);
        return;
    }
    for (size_t i = 0; i < r->n_wanted; i++)
        if (first_of_strand(r->wanted, i))
            compare_strand(r, r->wanted[i].strand);
    for (size_t i = 0; i < r->n_seen; i++) {
        const char *name = r->seen[i].strand;
        if (!first_of_strand(r->seen, i) || r->seen[i].at > r->end_at - 20000)
            continue;
        bool known = false;
        for (size_t k = 0; k < r->n_wanted && !known; k++)
            known = strcmp(r->wanted[k].strand, name) == 0;
        if (!known)
            differs(r, "%s: nothing wanted, got '%s'", name, r->seen[i].sign);
    }
}

// --- making ---

static void configure(struct front_config *c, const char *name)
{
    static const struct pbx_trunk trunks[] = {
        {.name = "carrier"},
        {.name = "carrier-q", .down = true},
        {.name = "carrier-np", .redirect = REDIRECT_URI_PJSIP},
        {.name = "carrier-pjsip", .redirect = REDIRECT_URI_PJSIP},
        {.name = "carrier-core", .redirect = REDIRECT_URI_CORE},
        {.name = "deadtrunk", .silent = true},
        {.name = "deadtrunk-q", .down = true},
        {.name = "unregistered", .down = true},
        {.name = "noaor", .down = true}};
    front_config_default(c);
    c->users = 2;
    c->user[1] = (struct front_user){"viewer", "viewer-secret", true};
    c->pbx.scripts = true;
    c->pbx.exact_ids = strncmp(name, "a50", 3) == 0;
    c->pbx.early_events = 0;
    // As long as the recorded one took at times; in two of them a subscription has to fit in.
    bool subscribes = strncmp(name, "h06", 3) == 0 || strncmp(name, "i06", 3) == 0;
    c->pbx.setup_us = subscribes ? 10000 : 2500;
    if (strncmp(name, "n05", 3) == 0)
        c->pbx.sounds = 3; // those of the recorded server
    memcpy(c->pbx.trunk, trunks, sizeof trunks);
    c->pbx.trunks = sizeof trunks / sizeof *trunks;
    static const char *const phones[] = {"agent", "agent2", "agent-nt"};
    for (size_t i = 0; i < 3; i++)
        strcpy(c->pbx.phone[i].pattern, phones[i]);
    c->pbx.phones = 3;
}

struct replay *replay_start(struct net_loop *loop, const char *path, const char *name, bool races,
                            int64_t delay_us)
{
    struct replay *r = calloc(1, sizeof *r);
    char err[200];
    if (r == NULL)
        return NULL;
    snprintf(r->name, sizeof r->name, "%s", name);
    r->races = races;
    r->loop = loop;
    r->result.report = r->report;
    json_init(&r->line, BODY_MAX);
    json_init(&r->other, BODY_MAX);
    struct front_config config;
    configure(&config, name);
    if (!transcript_read(&r->t, path)) {
        replay_free(r);
        return NULL;
    }
    config.wall_ms = transcript_wall_ms(&r->t);
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t n;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) == 0 &&
            json_is(&r->line, json_get(&r->line, 0, "dir"), "res") &&
            json_int(&r->line, json_get(&r->line, 0, "n"), &n) && n >= 0 && n < ANSWERS)
            r->answer[n].wanted_line = i + 1;
    }
    r->ledger = ledger_open(NULL);
    r->front = front_open(loop, &config, r->ledger, err, sizeof err);
    r->timer = net_timer_new(loop, step, r);
    r->zero = net_now_us() + delay_us;
    if (r->front == NULL) {
        replay_free(r);
        return NULL;
    }
    net_timer_set(r->timer, delay_us);
    return r;
}

bool replay_done(const struct replay *r)
{
    return r->done;
}

struct replay_result replay_result(const struct replay *r)
{
    return r->result;
}

static void free_seen(struct seen *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].strand);
        free(list[i].sign);
    }
    free(list);
}

// Before the loop is closed, so that nothing of it calls back into a replay that is gone.
void replay_free(struct replay *r)
{
    if (r == NULL)
        return;
    r->done = true;
    for (size_t i = 0; i < POOLS; i++)
        if (r->pool[i] != NULL)
            net_http_close(r->pool[i]);
    front_close(r->front);
    ledger_close(r->ledger);
    net_timer_free(r->timer);
    transcript_free(&r->t);
    json_free(&r->line);
    json_free(&r->other);
    for (size_t i = 0; i < ANSWERS; i++)
        free(r->answer[i].body);
    for (size_t i = 0; i < r->frames; i++)
        free(r->frame[i]);
    for (size_t i = 0; i < r->maps; i++) {
        free(r->map_from[i]);
        free(r->map_to[i]);
    }
    for (size_t i = 0; i < r->autos_wanted; i++)
        free(r->auto_wanted[i]);
    for (size_t i = 0; i < r->autos_seen; i++)
        free(r->auto_seen[i]);
    free_seen(r->seen, r->n_seen);
    free_seen(r->wanted, r->n_wanted);
    free(r);
}
