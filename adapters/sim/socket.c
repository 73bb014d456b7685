// One websocket of a client: events out, RESTRequests in.
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/front_int.h"
#include "adapters/sim/mem.h"

enum { QUERY_STRINGS = 32 };

struct socket *socket_new(struct front *f, const char *apps, bool all)
{
    struct socket *s = mem_new(sizeof *s);
    s->line.front = f;
    s->line.socket = s;
    s->apps = mem_str(apps);
    s->all = all;
    return s;
}

void socket_free(struct socket *s)
{
    line_clear(&s->line);
    free(s->apps);
    free(s);
}

bool socket_send(struct front *f, struct socket *s, const char *text, size_t len)
{
    if (s->full || s->ws == NULL)
        return false;
    int status = net_ws_send(s->ws, text, len);
    if (status == NET_EFULL) {
        s->full = true;
        f->slow++;
        net_ws_drop(s->ws);
    }
    return status == NET_OK;
}

static void on_open(void *ctx, struct net_ws *ws)
{
    struct socket *s = ctx;
    struct front *f = s->line.front;
    s->ws = ws;
    s->next = f->sockets;
    f->sockets = s;
    front_time(f);
    s->client = pbx_client_open(f->pbx, s->apps, s->all, s);
    front_pump(f);
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    struct socket *s = ctx;
    struct front *f = s->line.front;
    struct socket **at = &f->sockets;
    while (*at != NULL && *at != s)
        at = &(*at)->next;
    if (*at != NULL)
        *at = s->next;
    if (end->cause == NET_WS_SLOW)
        f->slow++;
    front_time(f);
    if (s->client != NULL)
        pbx_client_close(f->pbx, s->client);
    socket_free(s);
    front_pump(f);
}

// Enough of a frame to know its cost; read in full when its turn comes.
static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ws;
    struct socket *s = ctx;
    struct front *f = s->line.front;
    if (f->state != FRONT_UP)
        return;
    struct job *job = mem_new(sizeof *job);
    job->text = mem_new(len + 1);
    memcpy(job->text, text, len);
    job->len = len;
    if (f->config.cost) {
        const char *uri = memmem(text, len, "\"channels", 9);
        job->path = mem_str(uri != NULL ? uri + 1 : "");
        job->path[strcspn(job->path, "?\"")] = '\0';
        job->method = mem_str(memmem(text, len, "\"POST\"", 6) != NULL     ? "POST"
                              : memmem(text, len, "\"DELETE\"", 8) != NULL ? "DELETE"
                                                                           : "GET");
    }
    line_take(&s->line, job);
    front_pump(f);
}

const struct net_ws_events socket_events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

struct frame {
    const char *transaction_id, *request_id, *uri;
    char *path; // uri up to its query
    struct pbx_pair pair[QUERY_STRINGS];
    size_t pairs;
};

static void refuse(struct front *f, struct socket *s, const struct frame *fr, const char *reason,
                   const char *message)
{
    char body[200];
    struct json_writer w;
    json_writer_init(&w, body, sizeof body);
    struct pbx_answer answer = {.status = 400, .reason = reason};
    if (message != NULL) {
        json_open_object(&w, NULL);
        json_put_str(&w, "message", message);
        json_close_object(&w);
        answer.body = json_writer_end(&w, &answer.len);
    }
    pbx_client_answer(f->pbx, s->client, fr->transaction_id, fr->request_id, fr->path, &answer);
}

// False: some element is no {"name":..,"value":..}. A list that is no array is ignored.
static bool read_pairs(const struct json *doc, struct frame *fr)
{
    json_ref list = json_get(doc, JSON_ROOT, "query_strings");
    if (json_type(doc, list) != JSON_ARRAY)
        return true;
    for (json_ref i = json_first(doc, list); i != JSON_NONE; i = json_next(doc, i)) {
        const char *name = json_str(doc, json_get(doc, i, "name"), NULL);
        const char *value = json_str(doc, json_get(doc, i, "value"), NULL);
        if (name == NULL || value == NULL)
            return false;
        if (fr->pairs < QUERY_STRINGS)
            fr->pair[fr->pairs++] = (struct pbx_pair){name, value};
    }
    return true;
}

static bool method_known(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < 5; i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

static void carry_out(struct front *f, struct socket *s, struct frame *fr)
{
    const struct json *doc = &f->frame;
    const char *method = json_str(doc, json_get(doc, JSON_ROOT, "method"), "");
    struct text body = json_text(doc, json_get(doc, JSON_ROOT, "message_body"));
    const char *query = strchr(fr->uri, '?');
    if (!method_known(method)) {
        refuse(f, s, fr, "Bad request", "Unknown or missing 'method' property.");
        return;
    }
    if (!read_pairs(doc, fr)) {
        refuse(f, s, fr, "Bad request", "Unable to parse 'query_strings' array.");
        return;
    }
    struct pbx_request request = {.method = method,
                                  .path = fr->path,
                                  .path_len = strlen(fr->path),
                                  .query = query != NULL ? query + 1 : "",
                                  .query_len = query != NULL ? strlen(query + 1) : 0,
                                  .pairs = fr->pair,
                                  .n_pairs = fr->pairs,
                                  .content_type =
                                      json_str(doc, json_get(doc, JSON_ROOT, "content_type"), NULL),
                                  .body = body.ptr,
                                  .body_len = body.len,
                                  .websocket = true,
                                  .peer = &s->line.peer};
    struct pbx_answer answer;
    bool lost = front_swallowed(f);
    if (lost && !f->swallow_carried)
        return;
    pbx_request(f->pbx, &request, &answer);
    ledger_flush(f->ledger);
    if (!lost)
        pbx_client_answer(f->pbx, s->client, fr->transaction_id, fr->request_id, fr->path, &answer);
}

void socket_serve(struct front *f, struct socket *s, struct job *job)
{
    struct json *doc = &f->frame;
    struct frame fr = {.transaction_id = "", .request_id = "", .uri = ""};
    char empty[1] = "";
    fr.path = empty;
    if (s->client == NULL)
        return;
    front_time(f);
    bool read = json_parse(doc, job->text, job->len) == 0;
    enum json_type type = read ? json_type(doc, JSON_ROOT) : JSON_ABSENT;
    if (type != JSON_OBJECT && type != JSON_ARRAY) {
        refuse(f, s, &fr, "Failed to parse request message JSON", NULL);
        return;
    }
    fr.transaction_id = json_str(doc, json_get(doc, JSON_ROOT, "transaction_id"), "");
    fr.request_id = json_str(doc, json_get(doc, JSON_ROOT, "request_id"), "");
    const char *kind = json_str(doc, json_get(doc, JSON_ROOT, "type"), NULL);
    fr.uri = json_str(doc, json_get(doc, JSON_ROOT, "uri"), "");
    fr.path = mem_str(fr.uri);
    fr.path[strcspn(fr.path, "?")] = '\0';
    if (kind == NULL || strcmp(kind, "RESTRequest") != 0)
        refuse(f, s, &fr, "Bad request",
               kind == NULL ? "No 'type' property." : "Unknown request type.");
    else if (fr.uri[0] == '\0')
        refuse(f, s, &fr, "Bad request", "Empty or missing 'uri' property.");
    else
        carry_out(f, s, &fr);
    free(fr.path);
}
