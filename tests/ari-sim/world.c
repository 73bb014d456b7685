#include "tests/ari-sim/world.h"

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

void plain_config(struct pbx_config *c)
{
    pbx_config_default(c);
    c->scripts = true;
    c->early_events = 0;
    c->trunks = 1;
    strcpy(c->trunk[0].name, "carrier");
    c->phones = 1;
    c->phone[0] = (struct pbx_phone){.pattern = "agent*", .answer_ms = 200};
}

struct world *world_with(const struct pbx_config *config)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    struct pbx_hooks hooks = {w, take_event, take_witness};
    w->now = 1000000;
    w->pbx = pbx_new(config, &hooks, w->now, (int64_t)WALL_MS * 1000);
    return w;
}

struct world *world_new(void)
{
    struct pbx_config config;
    plain_config(&config);
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    return w;
}

void world_free(struct world *w)
{
    pbx_free(w->pbx);
    free(w);
}

void pass(struct world *w, int ms)
{
    w->now += (int64_t)ms * 1000;
    pbx_run(w->pbx, w->now);
}

int request(struct world *w, const char *method, const char *path, const char *query,
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

int originate(struct world *w, const char *id, const char *endpoint)
{
    char query[400];
    snprintf(query, sizeof query, "endpoint=PJSIP/%s&app=dialer&channelId=%s", endpoint, id);
    return request(w, "POST", "channels", query, "");
}

bool event_with(struct world *w, const char *a, const char *b)
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

int count(const char *log, const char *what)
{
    int n = 0;
    for (const char *at = strstr(log, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}
