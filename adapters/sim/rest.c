// From a request to its handler: path, parameters, body, and the shapes of the answers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/net/net.h"
#include "adapters/sim/rest.h"

enum { ROOM = 128 * 1024 };

// --- answers ---

static const char *words(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 412:
        return "Precondition Failed";
    case 422:
        return "Unprocessable Entity";
    default:
        return "Internal Server Error";
    }
}

void rest_reply(struct rest *r, int status)
{
    r->out->status = status;
    r->out->reason = words(status);
    r->out->body = json_writer_end(r->reply, &r->out->len);
    if (r->out->body == NULL) {
        r->out->status = 500;
        r->out->reason = words(500);
    }
}

void rest_none(struct rest *r)
{
    r->out->status = 204;
    r->out->reason = words(204);
    r->out->body = NULL;
    r->out->len = 0;
}

static void put_error(struct rest *r, const char *key, const char *message)
{
    json_writer_reset(r->reply);
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, key, message);
    json_close_object(r->reply);
}

void rest_error(struct rest *r, int status, const char *message)
{
    put_error(r, "message", message);
    rest_reply(r, status);
}

void rest_error_reason(struct rest *r, int status, const char *reason, const char *message)
{
    rest_error(r, status, message);
    r->out->reason = reason;
}

// A failed originate says "error" where everything else says "message".
void rest_allocation_failed(struct rest *r)
{
    // A 409 stays with its connection: every later failure of an allocation on it looks like a
    // duplicate.
    if (r->in->peer->sticky_409) {
        rest_error(r, 409, "Channel with given unique ID already exists");
        return;
    }
    put_error(r, "error", "Allocation failed");
    rest_reply(r, 500);
}

void rest_duplicate(struct rest *r)
{
    r->in->peer->sticky_409 = true;
    rest_error(r, 409, "Channel with given unique ID already exists");
}

// --- parameters ---

static char *decoded(struct rest *r, const char *text, size_t len, bool plus)
{
    if (r->room_left <= len + 1)
        return NULL;
    int n = net_url_decode((struct text){text, (uint32_t)len}, plus, r->room, r->room_left);
    if (n < 0)
        return NULL;
    char *start = r->room;
    r->room += n + 1;
    r->room_left -= (size_t)n + 1;
    return start;
}

static void add_pairs(struct rest *r, const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end && r->params < REST_PARAMS) {
        const char *stop = memchr(text, '&', (size_t)(end - text));
        if (stop == NULL)
            stop = end;
        const char *eq = memchr(text, '=', (size_t)(stop - text));
        const char *name = decoded(r, text, (size_t)((eq != NULL ? eq : stop) - text), true);
        const char *value = eq != NULL ? decoded(r, eq + 1, (size_t)(stop - eq - 1), true) : "";
        if (name != NULL && value != NULL && name[0] != '\0')
            r->param[r->params++] = (struct pbx_pair){name, value};
        text = stop + 1;
    }
}

static const char *in_pairs(const struct rest *r, const char *name)
{
    for (size_t i = 0; i < r->params; i++)
        if (strcmp(r->param[i].name, name) == 0)
            return r->param[i].value;
    return NULL;
}

const char *rest_param(const struct rest *r, const char *name)
{
    const char *given = in_pairs(r, name);
    return r->body ? json_str(&r->pbx->parsed, json_get(&r->pbx->parsed, JSON_ROOT, name), given)
                   : given;
}

int rest_int(const struct rest *r, const char *name, int other)
{
    int64_t n;
    if (r->body && json_int(&r->pbx->parsed, json_get(&r->pbx->parsed, JSON_ROOT, name), &n))
        return n > INT32_MAX || n < INT32_MIN ? other : (int)n;
    const char *text = rest_param(r, name);
    if (text == NULL)
        return other;
    long number = strtol(text, NULL, 10); // what is no number counts as 0
    return number > INT32_MAX || number < INT32_MIN ? other : (int)number;
}

bool rest_true(const struct rest *r, const char *name)
{
    bool set;
    if (r->body && json_bool(&r->pbx->parsed, json_get(&r->pbx->parsed, JSON_ROOT, name), &set))
        return set;
    const char *text = rest_param(r, name);
    return text != NULL && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 ||
                            strcasecmp(text, "yes") == 0);
}

// --- the body ---

static bool is_type(const char *content_type, const char *type)
{
    size_t len = strlen(type);
    return content_type != NULL && strncasecmp(content_type, type, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';');
}

// False: answered.
static bool read_body(struct rest *r)
{
    const struct pbx_request *in = r->in;
    r->body = false;
    if (in->body_len == 0)
        return true;
    if (is_type(in->content_type, "application/x-www-form-urlencoded")) {
        add_pairs(r, in->body, in->body_len);
        return true;
    }
    if (!is_type(in->content_type, "application/json")) {
        if (!in->websocket)
            return true; // silently ignored
        const char *why = in->content_type == NULL ? "No 'content_type' for 'message_body'."
                                                   : "Unknown content type.";
        rest_error_reason(r, 400, "Bad request", why);
        return false;
    }
    struct json *doc = &r->pbx->parsed;
    enum json_type type = JSON_ABSENT;
    if (json_parse(doc, in->body, in->body_len) == 0)
        type = json_type(doc, JSON_ROOT);
    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        r->body = type == JSON_OBJECT;
        return true;
    }
    if (in->websocket)
        rest_error_reason(r, 400, "Bad request",
                          "Unable to parse 'message_body' as 'application/json'.");
    else
        rest_error(r, 400, "Error parsing request body");
    return false;
}

// --- the path ---

static const struct route *const tables[] = {channel_routes, bridge_routes, media_routes,
                                             other_routes};

static bool root_known(const char *root)
{
    size_t len = strlen(root);
    for (size_t i = 0; i < 4; i++)
        for (const struct route *route = tables[i]; route->path != NULL; route++)
            if (strncmp(route->path, root, len) == 0 &&
                (route->path[len] == '/' || route->path[len] == '\0'))
                return true;
    return false;
}

// False: answered.
static bool split_path(struct rest *r)
{
    const char *at = r->in->path, *end = at + r->in->path_len;
    if (at == end || *at == '/') {
        rest_error(r, 405, "Invalid method");
        return false;
    }
    if (end[-1] == '/') {
        char message[300];
        snprintf(message, sizeof message, "ARI URLs do not end with a slash. Try /ari/%.*s",
                 (int)(r->in->path_len > 200 ? 200 : r->in->path_len - 1), at);
        rest_error(r, 404, message);
        return false;
    }
    while (at < end) {
        const char *stop = memchr(at, '/', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if (stop == at) {
            bool root = r->segments == 0 || root_known(r->segment[0]);
            rest_error(r, root ? 405 : 404, root ? "Invalid method" : "Resource not found");
            return false;
        }
        const char *segment = decoded(r, at, (size_t)(stop - at), false);
        if (segment == NULL || r->segments == REST_SEGMENTS) {
            rest_error(r, 404, "Resource not found");
            return false;
        }
        r->segment[r->segments++] = segment;
        at = stop + 1;
    }
    return true;
}

static bool path_fits(const struct rest *r, const char *pattern)
{
    size_t i = 0;
    while (*pattern != '\0') {
        size_t len = strcspn(pattern, "/");
        if (i == r->segments)
            return false;
        if (strncmp(pattern, "{}", 2) != 0 &&
            (strlen(r->segment[i]) != len || strncmp(pattern, r->segment[i], len) != 0))
            return false;
        i++;
        pattern += len + (pattern[len] == '/');
    }
    return i == r->segments;
}

static bool known_method(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

static rest_handler *find_route(struct rest *r)
{
    bool path_known = false;
    for (size_t i = 0; i < 4; i++) {
        for (const struct route *route = tables[i]; route->path != NULL; route++) {
            if (!path_fits(r, route->path))
                continue;
            path_known = true;
            if (strcmp(route->method, r->in->method) == 0)
                return route->run;
        }
    }
    if (path_known && strcmp(r->in->method, "OPTIONS") == 0)
        rest_none(r);
    else if (path_known)
        rest_error(r, 405, "Invalid method");
    else
        rest_error(r, 404, "Resource not found");
    return NULL;
}

void pbx_request(struct pbx *pbx, const struct pbx_request *in, struct pbx_answer *out)
{
    static _Thread_local char room[ROOM];
    struct rest r = {.pbx = pbx, .in = in, .out = out, .room = room, .room_left = sizeof room};
    r.reply = &pbx->reply;
    *out = (struct pbx_answer){.status = 0};
    json_writer_reset(r.reply);
    bool writes = strcmp(in->method, "GET") != 0 && strcmp(in->method, "OPTIONS") != 0;
    if (strcmp(in->method, "HEAD") == 0 ||
        (!known_method(in->method) && strcmp(in->method, "OPTIONS") != 0)) {
        rest_error(&r, 405, "Invalid method");
        return;
    }
    if (writes && in->peer->read_only) {
        rest_error(&r, 403, "Write access denied");
        return;
    }
    if (!split_path(&r))
        return;
    rest_handler *run = find_route(&r);
    if (run == NULL)
        return;
    for (size_t i = 0; i < in->n_pairs && r.params < REST_PARAMS; i++)
        r.param[r.params++] = in->pairs[i];
    add_pairs(&r, in->query, in->query_len);
    if (read_body(&r))
        run(&r);
}

// --- what handlers share ---

struct chan *rest_chan(struct rest *r, const char *id, bool by_name)
{
    struct chan *c = by_name ? chan_find_any(r->pbx, id) : chan_find(r->pbx, id);
    if (c == NULL || (c->ghost && strcmp(r->in->method, "GET") != 0)) {
        rest_error(r, 404, "Channel not found");
        return NULL;
    }
    return c;
}

struct chan *rest_stasis_chan(struct rest *r, bool up)
{
    struct chan *c = rest_chan(r, r->segment[1], false);
    if (c == NULL)
        return NULL;
    if (c->stasis == NULL) {
        rest_error(r, 409, "Channel not in Stasis application");
        return NULL;
    }
    if (up && c->state != CHAN_UP && c->origin != BY_INBOUND) {
        rest_error(r, 412, "Channel in invalid state");
        return NULL;
    }
    return c;
}

struct bridge *rest_bridge(struct rest *r)
{
    struct bridge *b = bridge_find(r->pbx, r->segment[1]);
    if (b == NULL)
        rest_error(r, 404, "Bridge not found");
    return b;
}
