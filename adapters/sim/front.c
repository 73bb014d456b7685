// Sockets in front of the model. Each connection and each websocket is served one request at a
// time; with the cost model on, a request keeps its connection and one of the cores busy for as
// long as on the recorded server.
#include "adapters/sim/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/sim/front_int.h"
#include "adapters/sim/mem.h"

enum {
    BODY_MAX = 40960,
    TARGET_MAX = 7000,
    MESSAGE_MAX = 65535,
    QUEUE_MAX = 32 << 20,
    CORES_MAX = 16
};
enum { BOOT_HTML_US = 60000, BOOT_503_US = 40000, STOP_SOCKETS_US = 300000 };

static const char html_404[] =
    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\r\n<html><head>\r\n<title>404 Not "
    "Found</title>\r\n</head><body>\r\n<h1>Not Found</h1>\r\n<p>The requested URL was not "
    "found on this server.</p>\r\n<hr />\r\n<address>Asterisk</address>\r\n</body></html>\r\n";
static const char html_400[] =
    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\r\n<html><head>\r\n<title>400 Bad "
    "Request</title>\r\n</head><body>\r\n<h1>Bad Request</h1>\r\n<p>Request line too "
    "long</p>\r\n<hr />\r\n<address>Asterisk</address>\r\n</body></html>\r\n";

void front_config_default(struct front_config *config)
{
    *config = (struct front_config){.host = "127.0.0.1",
                                    .sessions = 100,
                                    .users = 1,
                                    .user = {{"dialer", "dialer-secret", false}},
                                    .cores = 2,
                                    .idle_us = 15000000,
                                    .write_us = 100000};
    pbx_config_default(&config->pbx);
}

// --- time ---

void front_time(struct front *f)
{
    if (f->state != FRONT_DOWN && !f->stalled)
        pbx_run(f->pbx, net_now_us());
}

void front_pump(struct front *f)
{
    int64_t now = net_now_us();
    front_time(f);
    struct task *task;
    while ((task = sched_take(&f->work, now)) != NULL)
        task->run(task->owner);
    ledger_flush(f->ledger);
    int64_t due = sched_next(&f->work);
    if (f->state != FRONT_DOWN && !f->stalled && pbx_due(f->pbx) < due)
        due = pbx_due(f->pbx);
    if (due == INT64_MAX)
        net_timer_clear(f->timer);
    else
        net_timer_set(f->timer, due - now);
}

static void tick(void *ctx)
{
    front_pump(ctx);
}

// --- HTTP ---

static struct line *http_line(struct front *f, uint64_t connection)
{
    struct line **at = http_line_at(f, connection);
    if (*at == NULL) {
        *at = mem_new(sizeof **at);
        (*at)->front = f;
        (*at)->connection = connection;
    }
    return *at;
}

static void on_connection(void *ctx, uint64_t connection, bool open)
{
    struct front *f = ctx;
    struct line **at = http_line_at(f, connection);
    if (open || *at == NULL)
        return;
    if ((*at)->first != NULL)
        (*at)->closed = true;
    else
        http_line_free(*at);
}

static void respond(struct net_req *req, int status, const char *type, const char *body)
{
    net_respond_text(req, status, type, body);
}

static const struct front_user *user_of(const struct front *f, struct net_req *req)
{
    char name[128] = "", password[128] = "", key[300];
    if (!net_basic_auth(net_req_header(req, "Authorization"), name, sizeof name, password,
                        sizeof password)) {
        if (net_query_get(net_req_query(req), "api_key", 0, key, sizeof key) < 0)
            return NULL;
        char *colon = strchr(key, ':');
        if (colon == NULL || strlen(colon + 1) >= sizeof password ||
            (size_t)(colon - key) >= sizeof name)
            return NULL;
        memcpy(name, key, (size_t)(colon - key));
        name[colon - key] = '\0';
        mem_copy(password, sizeof password, colon + 1);
    }
    for (size_t i = 0; i < f->config.users; i++)
        if (strcmp(f->config.user[i].name, name) == 0 &&
            strcmp(f->config.user[i].password, password) == 0)
            return &f->config.user[i];
    return NULL;
}

static void accept_websocket(struct front *f, struct net_req *req, const struct front_user *user)
{
    char apps[600], all[16] = "";
    if (net_query_get(net_req_query(req), "app", 0, apps, sizeof apps) <= 0 ||
        apps[strspn(apps, ",")] == '\0') {
        respond(req, 400, "application/json", "{\"message\":\"Missing parameter app\"}");
        return;
    }
    (void)net_query_get(net_req_query(req), "subscribeAll", 0, all, sizeof all);
    struct net_ws_limits limits = {.max_message = MESSAGE_MAX,
                                   .max_queue = QUEUE_MAX,
                                   .ping_us = -1,
                                   .dead_us = -1,
                                   .block_us = f->config.write_us,
                                   .send_buffer = f->config.send_buffer,
                                   .ignore_binary = true};
    struct socket *s = socket_new(f, apps, strcmp(all, "true") == 0);
    s->line.peer.read_only = user->read_only;
    s->ws = net_ws_accept(req, NULL, &limits, &socket_events, s);
    if (s->ws == NULL)
        socket_free(s);
}

static bool not_up(struct front *f, struct net_req *req)
{
    switch (f->state) {
    case FRONT_UP:
        return false;
    case FRONT_DOWN:
        net_req_drop(req);
        return true;
    case FRONT_BOOT_HTML:
        respond(req, 404, "text/html", html_404);
        return true;
    case FRONT_BOOT_503:
        respond(req, 503, "application/json", "{\"message\":\"Asterisk not booted\"}");
        return true;
    }
    return true;
}

static char *copied(struct text text)
{
    char *copy = mem_new(text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

static struct job *http_job(struct net_req *req)
{
    struct text path = net_req_path(req), body = net_req_body(req);
    const char *type = net_req_header(req, "Content-Type");
    struct job *job = mem_new(sizeof *job);
    job->req = req;
    job->method = mem_str(net_req_method(req));
    job->path = path.len > 5 ? copied((struct text){path.ptr + 5, path.len - 5}) : mem_str("");
    job->query = copied(net_req_query(req));
    job->content_type = type != NULL ? mem_str(type) : NULL;
    job->text = copied(body);
    job->len = body.len;
    return job;
}

static void on_request(void *ctx, struct net_req *req)
{
    struct front *f = ctx;
    struct text path = net_req_path(req);
    if (not_up(f, req))
        return;
    if (path.len < 4 || strncmp(path.ptr, "/ari", 4) != 0 || (path.len > 4 && path.ptr[4] != '/')) {
        respond(req, 404, "text/html", html_404);
        return;
    }
    const struct front_user *user = user_of(f, req);
    if (user == NULL) {
        static const struct net_header header = {"WWW-Authenticate",
                                                 "Basic realm=\"Asterisk REST Interface\""};
        static const char body[] = "{\"message\":\"Authentication required\"}";
        struct net_response r = {
            .status = 401, .content_type = "application/json", .headers = &header};
        r.n_headers = 1;
        r.body = body;
        r.len = sizeof body - 1;
        net_respond(req, &r);
        return;
    }
    if (net_req_is_websocket(req) && path.len == 11 && strncmp(path.ptr, "/ari/events", 11) == 0) {
        accept_websocket(f, req, user);
        front_pump(f);
        return;
    }
    struct line *line = http_line(f, net_req_connection(req));
    line->peer.read_only = user->read_only;
    line_take(line, http_job(req));
    front_pump(f);
}

// The client went away before its answer: what it asked for is carried out all the same, as
// Asterisk would.
static void on_abort(void *ctx, struct net_req *req)
{
    (void)ctx;
    struct job *job = net_req_ctx(req);
    if (job != NULL)
        job->req = NULL;
}

static void on_refuse(void *ctx, int *status, const char **type, const char **body)
{
    (void)ctx;
    *type = "application/json";
    if (*status == 413) {
        *body = "{\"message\":\"Request body too large\"}";
    } else if (*status == 414 || *status == 431) {
        *status = 400;
        *type = "text/html";
        *body = html_400;
    } else {
        *body = "{\"message\":\"Bad request\"}";
    }
}

bool front_swallowed(struct front *f)
{
    if (f->swallow == 0)
        return false;
    f->swallow--;
    f->swallowed++;
    return true;
}

static void serve_http(struct front *f, struct line *line, struct job *job)
{
    struct pbx_request request = {.method = job->method,
                                  .path = job->path,
                                  .path_len = strlen(job->path),
                                  .query = job->query,
                                  .query_len = strlen(job->query),
                                  .content_type = job->content_type,
                                  .body = job->text,
                                  .body_len = job->len,
                                  .peer = &line->peer};
    struct pbx_answer answer = {.status = 0};
    bool lost = front_swallowed(f);
    if (!lost || f->swallow_carried) {
        front_time(f);
        pbx_request(f->pbx, &request, &answer);
        ledger_flush(f->ledger);
    }
    if (job->req == NULL)
        return;
    if (lost) {
        net_req_drop(job->req);
        return;
    }
    struct net_header location = {"Location", answer.location};
    struct net_response r = {
        .status = answer.status, .reason = answer.reason, .body = answer.body, .len = answer.len};
    r.content_type = answer.body != NULL ? "application/json" : NULL;
    r.headers = &location;
    r.n_headers = answer.location != NULL;
    net_respond(job->req, &r);
}

void front_serve(struct front *f, struct line *line, struct job *job)
{
    f->requests++;
    if (line->socket != NULL)
        socket_serve(f, line->socket, job);
    else
        serve_http(f, line, job);
}

// --- ends and beginnings ---

static void boot_step(void *owner)
{
    struct front *f = owner;
    char err[200];
    switch (f->state) {
    case FRONT_DOWN:
        if (net_server_accept(f->server, true, err, sizeof err) != NET_OK) {
            fprintf(stderr, "ari-sim: cannot listen again: %s\n", err);
            sched_at(&f->work, &f->boot, net_now_us() + 1000000);
            return;
        }
        f->state = FRONT_BOOT_HTML;
        sched_at(&f->work, &f->boot, net_now_us() + BOOT_HTML_US);
        break;
    case FRONT_BOOT_HTML:
        f->state = FRONT_BOOT_503;
        sched_at(&f->work, &f->boot, net_now_us() + BOOT_503_US);
        break;
    case FRONT_BOOT_503:
        f->state = FRONT_UP;
        front_time(f);
        pbx_boot(f->pbx);
        break;
    case FRONT_UP:
        break;
    }
}

static void drop_all(void *owner)
{
    struct front *f = owner;
    f->state = FRONT_DOWN;
    char err[200];
    net_server_drop_all(f->server);
    net_server_accept(f->server, false, err, sizeof err);
    if (f->down_us >= 0) {
        f->boot = (struct task){.run = boot_step, .owner = f};
        sched_at(&f->work, &f->boot, net_now_us() + f->down_us);
    }
}

static void watch_last_call(void *owner)
{
    struct front *f = owner;
    if (pbx_live_channels(f->pbx) > 0) {
        sched_at(&f->work, &f->down, net_now_us() + 20000);
        return;
    }
    for (struct socket *s = f->sockets; s != NULL; s = s->next)
        net_ws_close(s->ws, NET_WS_NORMAL, "");
    pbx_stop(f->pbx, false);
    f->down.run = drop_all;
    sched_at(&f->work, &f->down, net_now_us() + STOP_SOCKETS_US);
}

void front_end(struct front *f, enum front_end how, int64_t down_us)
{
    if (f->state != FRONT_UP)
        return;
    f->down_us = down_us;
    front_time(f);
    f->down = (struct task){.run = how == FRONT_GRACEFUL ? watch_last_call : drop_all, .owner = f};
    if (how == FRONT_GRACEFUL) {
        pbx_stop_gracefully(f->pbx);
        sched_at(&f->work, &f->down, net_now_us());
        return;
    }
    pbx_stop(f->pbx, how == FRONT_KILL);
    if (how == FRONT_KILL)
        drop_all(f);
    else
        sched_at(&f->work, &f->down, net_now_us() + STOP_SOCKETS_US);
}

void front_boot(struct front *f)
{
    if (f->state != FRONT_DOWN)
        return;
    f->boot = (struct task){.run = boot_step, .owner = f};
    sched_at(&f->work, &f->boot, net_now_us());
}

void front_stall(struct front *f, bool on)
{
    f->stalled = on;
}

void front_delay(struct front *f, int64_t us)
{
    f->delay_us = us;
}

void front_swallow(struct front *f, unsigned requests, bool carried_out)
{
    f->swallow = requests;
    f->swallow_carried = carried_out;
}

void front_drop_sockets(struct front *f)
{
    for (struct socket *s = f->sockets; s != NULL; s = s->next)
        net_ws_drop(s->ws);
}

void front_stats(struct front *f, struct json_writer *w)
{
    json_open_object(w, NULL);
    json_put_uint(w, "requests", f->requests);
    json_put_uint(w, "slow_readers", f->slow);
    json_put_uint(w, "swallowed", f->swallowed);
    json_put_bool(w, "up", f->state == FRONT_UP);
    struct net_server_stats stats;
    net_server_stats(f->server, &stats);
    json_put_uint(w, "connections", stats.connections);
    json_put_uint(w, "open", stats.open_now);
    json_put_uint(w, "bad_requests", stats.bad_requests);
    pbx_stats(f->pbx, w);
    json_close_object(w);
}

// --- making ---

static bool send_hook(void *ctx, void *socket, const char *text, size_t len)
{
    return socket_send(ctx, socket, text, len);
}

static void witness_hook(void *ctx, const char *line, size_t len)
{
    struct front *f = ctx;
    ledger_add(f->ledger, line, len);
}

struct front *front_open(struct net_loop *loop, const struct front_config *config,
                         struct ledger *ledger, char *err, size_t errlen)
{
    static const struct net_server_events events = {on_request, on_abort, on_connection};
    struct front *f = mem_new(sizeof *f);
    f->config = *config;
    if (f->config.cores < 1 || f->config.cores > CORES_MAX)
        f->config.cores = 2;
    f->ledger = ledger;
    json_init(&f->frame, MESSAGE_MAX + 1);
    f->timer = net_timer_new(loop, tick, f);
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t wall_ms = config->wall_ms > 0 ? config->wall_ms
                                          : (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
    struct pbx_hooks hooks = {.ctx = f, .send = send_hook, .witness = witness_hook};
    f->pbx = pbx_new(&config->pbx, &hooks, net_now_us(), wall_ms);
    struct net_server_config server = {.host = config->host,
                                       .port = config->port,
                                       .max_connections = config->sessions,
                                       .max_target = TARGET_MAX,
                                       .max_header = 2 * TARGET_MAX,
                                       .max_body = BODY_MAX,
                                       .idle_us = config->idle_us,
                                       .on_refuse = on_refuse,
                                       .no_default_headers = true};
    f->server = net_listen(loop, &server, &events, f, err, errlen);
    if (f->server == NULL) {
        front_close(f);
        return NULL;
    }
    f->state = FRONT_UP;
    return f;
}

void front_close(struct front *f)
{
    if (f == NULL)
        return;
    if (f->server != NULL)
        net_server_close(f->server);
    net_timer_free(f->timer);
    for (size_t i = 0; i < FRONT_BUCKETS; i++) {
        while (f->http[i] != NULL) {
            struct line *line = f->http[i];
            f->http[i] = line->next;
            line_clear(line);
            free(line);
        }
    }
    pbx_free(f->pbx);
    json_free(&f->frame);
    sched_free(&f->work);
    ledger_flush(f->ledger);
    free(f);
}

uint16_t front_port(const struct front *f)
{
    return net_server_port(f->server);
}

struct pbx *front_pbx(struct front *f)
{
    return f->pbx;
}
