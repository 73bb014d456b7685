/* http.c - routes: the page, the ways in, health. */
#include "adapters/web/internal.h"

#include "adapters/web/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX (1024u * 1024u)

/* The page may load its own files and talk to its own daemon; nothing inline runs, nothing may
 * frame it, and strings do not become markup. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

void http_json(struct web *web, struct net_req *req, int status, const struct net_header *extra,
               size_t n_extra)
{
    struct net_header headers[4] = {{"Cache-Control", "no-store"}};
    struct net_response response = {.status = status,
                                    .content_type = "application/json",
                                    .headers = headers,
                                    .n_headers = 1 + n_extra};
    size_t len = 0;

    for (size_t i = 0; i < n_extra && i < 3; i++) {
        headers[1 + i] = extra[i];
    }
    response.body = json_writer_end(&web->out, &len);
    response.len = len;
    if (response.body == NULL) {
        (void)net_respond_text(req, 500, "text/plain", "the answer is too long\n");
        return;
    }
    (void)net_respond(req, &response);
}

/* --- the page ------------------------------------------------------------------------------- */

static void serve(struct net_req *req, const struct page_file *file)
{
    const char *known = net_req_header(req, "If-None-Match");
    const bool same = known != NULL && strstr(known, file->etag) != NULL;
    const struct net_header headers[] = {
        {"ETag", file->etag},
        {"Cache-Control", "no-cache"},
        {"Content-Security-Policy", policy},
        {"Referrer-Policy", "no-referrer"},
        {"X-Frame-Options", "DENY"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    const struct net_response response = {
        .status = same ? 304 : 200,
        .content_type = same ? NULL : file->content_type,
        .headers = headers,
        .n_headers = sizeof headers / sizeof *headers,
        .body = same ? NULL : file->data,
        .len = same ? 0 : file->len,
    };

    (void)net_respond(req, &response);
}

static const struct page_file *file_at(struct text path)
{
    /* The one page has two addresses: /enter is where one-time links point to. */
    const bool root = (path.len == 1 && path.ptr[0] == '/') ||
                      (path.len == 6 && memcmp(path.ptr, "/enter", 6) == 0);

    for (size_t i = 0; i < page_files_count; i++) {
        const char *name = page_files[i].path;
        if (root ? strcmp(name, "/index.html") == 0
                 : strlen(name) == path.len && memcmp(name, path.ptr, path.len) == 0) {
            return &page_files[i];
        }
    }
    return NULL;
}

/* --- health --------------------------------------------------------------------------------- */

static void livez(struct web *web, struct net_req *req)
{
    (void)web;
    (void)net_respond_text(req, 200, "text/plain", "alive\n");
}

static void readyz(struct web *web, struct net_req *req)
{
    struct json_writer *w = &web->out;
    bool ready = !web->leaving;
    bool asterisk = false;
    bool configured = false; /* the last of all to be told, so that nothing is missing by then */

    json_writer_reset(w);
    json_open_object(w, NULL);
    json_open_array(w, "dependencies");
    for (const struct record *r = board_after(web->board, 0); r != NULL; r = r->newer) {
        const bool pbx = strncmp(r->key, "pbx/", 4) == 0;
        if (pbx || strncmp(r->key, "dependency/", 11) == 0) {
            json_put_raw(w, NULL, r->json, r->len);
            asterisk = asterisk || (pbx && r->up);
            ready = ready && (pbx || r->up);
            configured = configured || strcmp(r->key, "dependency/configuration") == 0;
        }
    }
    json_close_array(w);
    ready = ready && asterisk && configured;
    json_put_bool(w, "ready", ready);
    json_put_str(w, "text",
                 web->leaving  ? "the daemon is going"
                 : !configured ? "the daemon is starting"
                 : !asterisk   ? "no Asterisk server is connected"
                 : !ready      ? "a dependency is missing"
                               : "");
    json_close_object(w);
    http_json(web, req, ready ? 200 : 503, NULL, 0);
}

static size_t own_metrics(const struct web *web, char *out, size_t size)
{
    const struct web_counters *n = &web->count;
    struct net_server_stats net;
    net_server_stats(web->server, &net);
    const struct {
        const char *name, *type;
        uint64_t value;
    } lines[] = {
        {"web_clients", "gauge", web->clients},
        {"web_records", "gauge", board_records(web->board)},
        {"web_changes_total", "counter", board_seq(web->board)},
        {"web_logins_total", "counter", n->logins},
        {"web_logins_wrong_total", "counter", n->logins_wrong},
        {"web_logins_paused_total", "counter", n->logins_paused},
        {"web_logins_busy_total", "counter", n->logins_busy},
        {"web_sessions_found_total", "counter", n->sessions_found},
        {"web_sockets_total", "counter", n->sockets},
        {"web_tickets_bad_total", "counter", n->tickets_bad},
        {"web_origins_bad_total", "counter", n->origins_bad},
        {"web_posts_bad_total", "counter", n->posts_bad},
        {"web_requests_total", "counter", n->requests},
        {"web_requests_invalid_total", "counter", n->requests_invalid},
        {"web_requests_refused_role_total", "counter", n->requests_refused_role},
        {"web_replies_total", "counter", n->replies},
        {"web_replies_late_total", "counter", n->replies_late},
        {"web_cut_rate_total", "counter", n->cut_rate},
        {"web_cut_json_total", "counter", n->cut_json},
        {"web_cut_slow_total", "counter", n->cut_slow},
        {"web_cut_silent_total", "counter", n->cut_silent},
        {"web_cut_violation_total", "counter", n->cut_violation},
        {"web_cut_hello_total", "counter", n->cut_hello},
        {"web_frames_total", "counter", n->frames},
        {"web_frames_shared_total", "counter", n->frames_shared},
        {"web_bytes_total", "counter", n->bytes},
        {"web_connections", "gauge", net.open_now},
        {"web_connections_refused_full_total", "counter", net.refused_full},
        {"web_connections_refused_address_total", "counter", net.refused_address},
        {"web_bad_requests_total", "counter", net.bad_requests},
        {"web_request_timeouts_total", "counter", net.timeouts},
        {"web_stray_messages_total", "counter", n->stray_messages},
    };
    size_t used = 0;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const int wrote =
            snprintf(out + used, size - used, "# TYPE %s %s\n%s %llu\n", lines[i].name,
                     lines[i].type, lines[i].name, (unsigned long long)lines[i].value);
        if (wrote < 0 || (size_t)wrote >= size - used) {
            break;
        }
        used += (size_t)wrote;
    }
    return used;
}

static void metrics(struct web *web, struct net_req *req)
{
    char *text;
    size_t len;

    if (!atomic_load(&web->metrics_for_all) && !web_from_loopback(web, req)) {
        (void)net_respond_text(req, 403, "text/plain", "metrics are for loopback addresses only\n");
        return;
    }
    text = malloc(METRICS_MAX);
    if (text == NULL) {
        (void)net_respond_text(req, 503, "text/plain", "no memory\n");
        return;
    }
    len = own_metrics(web, text, METRICS_MAX);
    if (web->options.metrics != NULL) {
        len += web->options.metrics(web->options.metrics_ctx, text + len, METRICS_MAX - len);
    }
    (void)net_respond(
        req, &(struct net_response){.status = 200,
                                    .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                    .body = text,
                                    .len = len});
    free(text);
}

/* --- routes --------------------------------------------------------------------------------- */

static const struct route {
    const char *method;
    const char *path;
    void (*serve)(struct web *web, struct net_req *req);
} routes[] = {
    {"GET", "/socket", client_accept}, {"POST", "/login", login_password},
    {"POST", "/enter", login_link},    {"POST", "/ticket", session_ticket},
    {"POST", "/logout", session_out},  {"GET", "/livez", livez},
    {"GET", "/readyz", readyz},        {"GET", "/metrics", metrics},
};

static void on_request(void *ctx, struct net_req *req)
{
    struct web *web = ctx;
    const char *method = net_req_method(req);
    const struct text path = net_req_path(req);
    const bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    const struct page_file *file = get ? file_at(path) : NULL;
    bool known = false;

    if (file != NULL) {
        serve(req, file);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *r = &routes[i];
        if (strlen(r->path) == path.len && memcmp(r->path, path.ptr, path.len) == 0) {
            if (strcmp(method, r->method) == 0 || (get && strcmp(r->method, "GET") == 0)) {
                r->serve(web, req);
                return;
            }
            known = true;
        }
    }
    known = known || file_at(path) != NULL;
    (void)net_respond_text(req, known ? 405 : 404, "text/plain",
                           known ? "this method is not for this address\n"
                                 : "there is nothing at this address\n");
}

static void on_abort(void *ctx, struct net_req *req)
{
    login_abort(ctx, req);
    session_abort(ctx, req);
}

const struct net_server_events http_events = {.on_request = on_request, .on_abort = on_abort};
