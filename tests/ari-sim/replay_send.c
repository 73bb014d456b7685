#include "tests/ari-sim/replay_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct net_header replay_credentials = {"Authorization",
                                              "Basic ZGlhbGVyOmRpYWxlci1zZWNyZXQ="};
static const struct net_header wrong_credentials = {"Authorization", "Basic ZGlhbGVyOndyb25n"};
static const struct net_header unknown_user = {"Authorization", "Basic bm9ib2R5Ong="};
const struct net_header replay_viewer = {"Authorization", "Basic dmlld2VyOnZpZXdlci1zZWNyZXQ="};

struct peer *replay_peer(struct replay *r, const char *tag)
{
    for (size_t i = r->peers; i-- > 0;)
        if (strcmp(r->peer[i].tag, tag) == 0)
            return &r->peer[i];
    return NULL;
}

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
                replay_map(r, from, to);
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
    replay_soon(r);
}

static struct net_http *pool_of(struct replay *r, const char *auth)
{
    static const char *const names[POOLS] = {NULL, "none", "dialer", "nobody", "viewer"};
    size_t which = 0;
    for (size_t i = 1; auth != NULL && i < POOLS; i++)
        if (strcmp(names[i], auth) == 0)
            which = i;
    if (r->pool[which] == NULL) {
        const struct net_header *headers[POOLS] = {&replay_credentials, NULL, &replay_credentials,
                                                   &unknown_user, &replay_viewer};
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

void replay_send_http(struct replay *r, json_ref line, const char *text)
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

void replay_send_frame(struct replay *r, json_ref line, const char *text)
{
    const char *tag = json_str(&r->line, json_get(&r->line, line, "tag"), NULL);
    struct peer *p = tag != NULL    ? replay_peer(r, tag)
                     : r->peers > 0 ? &r->peer[r->peers - 1]
                                    : NULL;
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
