/* word.c - see word.h. */
#include "tests/soak/word.h"

#include "actors/types.h"
#include "adapters/ctl/talk.h"
#include "adapters/net/json.h"
#include "adapters/net/net.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US INT64_C(30000000)

/* --- the operator's socket ---------------------------------------------------------------------
 */

struct asked {
    char token[128];
    int64_t answers, abandoned;
    int64_t open; /* attempts without a disposition */
};

/* Of an attempt, until it is disposed (actors/attempt.h). */
static const char *const open_states[] = {"claiming", "claimed",  "originating", "ringing",
                                          "answered", "bridging", "bridged",     "held",
                                          "message",  "ending",   "ended"};

static void take_row(void *ctx, struct json *d, const char *line)
{
    struct asked *a = ctx;
    const json_ref row = json_get(d, JSON_ROOT, "row");
    int64_t n;
    const char *token = strchr(json_str(d, json_get(d, row, "url"), ""), '#');

    (void)line;
    if (token) {
        snprintf(a->token, sizeof a->token, "%s", token + 1);
    }
    (void)json_int(d, json_get(d, row, "answers_30d"), &a->answers);
    (void)json_int(d, json_get(d, row, "abandoned_30d"), &a->abandoned);
    for (size_t i = 0; i < sizeof open_states / sizeof open_states[0]; i++) {
        n = 0;
        (void)json_int(d, json_get(d, row, open_states[i]), &n);
        a->open += n;
    }
}

static int ask_once(const struct place *p, const char *request, struct asked *a, char *why,
                    size_t size)
{
    struct talk t = {.fd = -1, .file = -1, .on_line = take_row, .ctx = a};
    int result;

    if (talk_connect(&t, p->ctl, why, size) != 0) {
        return -1;
    }
    result = talk_run(&t, request, strlen(request), why, size);
    close(t.fd);
    if (result == 0 && t.result != 0) {
        snprintf(why, size, "%.*s: %s", (int)strcspn(request, "\n"), request, t.text);
        return t.result;
    }
    return result;
}

/* The operator's side has a connection to the store of its own, and may get it later. */
static int ask(const struct place *p, const char *request, struct asked *a, char *why, size_t size)
{
    const int64_t until = place_now_us() + 10000000;
    int result = ask_once(p, request, a, why, size);

    while (result == RESULT_AWAY && place_now_us() < until) {
        place_wait(50000);
        result = ask_once(p, request, a, why, size);
    }
    return result;
}

static int explain(const struct place *p, struct asked *a, char *why, size_t size)
{
    char request[160];

    *a = (struct asked){.answers = -1, .abandoned = -1};
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"explain campaign\",\"args\":{\"campaign\":\"%" PRIu64
             "\"}}\n",
             p->campaign);
    return ask(p, request, a, why, size);
}

bool word_all_disposed(const struct place *p)
{
    struct asked a;
    char why[512];

    return explain(p, &a, why, sizeof why) == 0 && a.answers >= 0 && a.open == 0;
}

int word_counted(struct place *p, char *why, size_t why_size)
{
    struct asked a;

    if (explain(p, &a, why, why_size) != 0) {
        return -1;
    }
    if (a.answers < 0 || a.abandoned < 0) {
        snprintf(why, why_size, "explain campaign does not say what it counts");
        return -1;
    }
    fprintf(p->events,
            "{\"t_us\":%" PRId64 ",\"what\":\"counted\",\"campaign\":%" PRIu64
            ",\"answers\":%" PRId64 ",\"abandoned\":%" PRId64 "}\n",
            place_wall_us(), p->campaign, a.answers, a.abandoned);
    fflush(p->events);
    return 0;
}

/* --- logging in --------------------------------------------------------------------------------
 */

/* The whole answer; false: none, or not 200. */
static bool post(const struct place *p, const char *path, const char *cookie, const char *body,
                 char *answer, size_t size)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)p->web_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 10};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[1024];
    size_t len = 0;
    ssize_t n;

    snprintf(text, sizeof text,
             "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             path, p->web_port, cookie, strlen(body), body);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
        while (len < size - 1 && (n = recv(fd, answer + len, size - 1 - len, 0)) > 0) {
            len += (size_t)n;
        }
    }
    answer[len] = '\0';
    if (fd >= 0) {
        close(fd);
    }
    return len > 12 && strtol(answer + 9, NULL, 10) == 200;
}

static int get_ticket(const struct place *p, char ticket[128], char *why, size_t size)
{
    struct asked a = {.answers = 0};
    char body[192], answer[8192], cookie[300];
    const char *at;

    if (ask(p, "{\"id\":1,\"command\":\"login-link\",\"args\":{}}\n", &a, why, size) != 0) {
        return -1;
    }
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", a.token);
    at = post(p, "/enter", "", body, answer, sizeof answer) ? strstr(answer, "Set-Cookie: ") : NULL;
    if (at) {
        snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(at + 12, ";"), at + 12);
        at = post(p, "/ticket", cookie, "{}", answer, sizeof answer)
                 ? strstr(answer, "\"ticket\":\"")
                 : NULL;
    }
    if (!at) {
        snprintf(why, size, "the page did not let a supervisor in: %.200s", answer);
        return -1;
    }
    at += strlen("\"ticket\":\"");
    snprintf(ticket, 128, "%.*s", (int)strcspn(at, "\""), at);
    return 0;
}

/* --- the picture -------------------------------------------------------------------------------
 */

#define ITEMS_MAX 8192u

/* One line for each record of the picture, the last that came of it. */
struct look {
    struct item {
        char key[64], line[160]; /* line: from "what" on */
    } item[ITEMS_MAX];
    unsigned n;
    struct json doc;
    char hello[256];
    bool whole, closed;
};

static void keep(struct look *l, const char *key, const char *line)
{
    unsigned i = 0;

    while (i < l->n && strcmp(l->item[i].key, key) != 0) {
        i++;
    }
    if (i == ITEMS_MAX) {
        return;
    }
    l->n += i == l->n;
    snprintf(l->item[i].key, sizeof l->item[i].key, "%s", key);
    snprintf(l->item[i].line, sizeof l->item[i].line, "%s", line);
}

static void take_item(struct look *l, json_ref item)
{
    const struct json *d = &l->doc;
    const char *type = json_str(d, json_get(d, item, "type"), "");
    bool gone = false;
    int64_t id = 0, n = 0;
    char key[64], line[160] = "";

    (void)json_bool(d, json_get(d, item, "gone"), &gone);
    if (strcmp(type, "status_update") == 0) {
        (void)json_int(d, json_get(d, item, "agent"), &id);
        snprintf(key, sizeof key, "agent %" PRId64, id);
        snprintf(line, sizeof line, "\"board agent\",\"agent\":%" PRId64 ",\"state\":\"%s\"", id,
                 json_str(d, json_get(d, item, "state"), ""));
    } else if (strcmp(type, "call") == 0) {
        const char *attempt = json_str(d, json_get(d, item, "attempt"), "");
        snprintf(key, sizeof key, "call %s", attempt);
        snprintf(line, sizeof line, "\"board call\",\"attempt\":\"%s\"", attempt);
    } else if (strcmp(type, "campaign") == 0) {
        (void)json_int(d, json_get(d, item, "campaign"), &id);
        (void)json_int(d, json_get(d, item, "agents"), &n);
        snprintf(key, sizeof key, "campaign %" PRId64, id);
        snprintf(line, sizeof line,
                 "\"board campaign\",\"campaign\":%" PRId64 ",\"agents\":%" PRId64, id, n);
    } else {
        return;
    }
    keep(l, key, gone ? "" : line);
}

static void on_open(void *ctx, struct net_ws *ws)
{
    const struct look *l = ctx;

    (void)net_ws_send(ws, l->hello, strlen(l->hello));
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct look *l = ctx;
    const struct json *d = &l->doc;
    bool more = true;

    (void)ws;
    if (json_parse(&l->doc, text, len) != 0 ||
        strcmp(json_str(d, json_get(d, JSON_ROOT, "type"), ""), "changes") != 0) {
        return;
    }
    const json_ref items = json_get(d, JSON_ROOT, "items");
    for (json_ref i = json_first(d, items); i != JSON_NONE; i = json_next(d, i)) {
        take_item(l, i);
    }
    (void)json_bool(d, json_get(d, JSON_ROOT, "more"), &more);
    l->whole = l->whole || !more;
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct look *l = ctx;

    (void)ws;
    (void)end;
    l->closed = true;
}

static void write_down(const struct place *p, const struct look *l)
{
    const int64_t at_us = place_wall_us();

    fprintf(p->events, "{\"t_us\":%" PRId64 ",\"what\":\"board\"}\n", at_us);
    for (unsigned i = 0; i < l->n; i++) {
        if (l->item[i].line[0] != '\0') {
            fprintf(p->events, "{\"t_us\":%" PRId64 ",\"what\":%s}\n", at_us, l->item[i].line);
        }
    }
    fflush(p->events);
}

int word_board(struct place *p, char *why, size_t why_size)
{
    static const struct net_ws_events events = {
        .on_open = on_open, .on_message = on_message, .on_close = on_close};
    static const struct net_ws_limits limits = {.max_message = 4u << 20, .dead_us = -1};
    const struct net_ws_target target = {.host = "127.0.0.1",
                                         .port = (uint16_t)p->web_port,
                                         .path = "/socket",
                                         .subprotocol = "dialer.v1"};
    struct look *l = calloc(1, sizeof *l);
    struct net_loop *loop = net_loop_open(&(struct net_loop_config){0}, why, why_size);
    const int64_t until = place_now_us() + PATIENCE_US;
    char ticket[128];
    int result = -1;

    if (l && loop && get_ticket(p, ticket, why, why_size) == 0) {
        json_init(&l->doc, 4u << 20);
        snprintf(l->hello, sizeof l->hello, "{\"type\":\"hello\",\"ticket\":\"%s\"}", ticket);
        l->closed = !net_ws_connect(loop, &target, &limits, &events, l);
        while (!l->whole && !l->closed && place_now_us() < until) {
            (void)net_loop_run_once(loop, 100000);
        }
        snprintf(why, why_size, "a supervisor's page did not get its picture");
        result = l->whole ? 0 : -1;
    }
    if (result == 0) {
        write_down(p, l);
    }
    if (loop) {
        net_loop_close(loop);
    }
    if (l) {
        json_free(&l->doc);
    }
    free(l);
    return result;
}
