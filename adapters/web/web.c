/* web.c - the adapter's life and the turn of its loop. */
#include "adapters/web/internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define TOKENS_MAX 20000
#define LEAVE_US US_PER_S
#define MAIL_MAX 512
#define PER_ADDRESS 512 /* plain connections; many agents may share an address */

int64_t web_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

void web_log(struct web *web, int level, const char *format, ...)
{
    char line[512];
    va_list args;

    if (web->options.log == NULL) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    web->options.log(web->options.log_ctx, level, line);
}

int web_send(struct web *web, handle to, uint16_t type, const void *msg)
{
    return endpoint_send(web->endpoint, to, type, msg);
}

bool web_origin_ok(struct web *web, const char *origin)
{
    char wanted[300];
    const int n = origin != NULL ? snprintf(wanted, sizeof wanted, ",%s,", origin) : 0;

    /* A browser always says where a websocket or a POST comes from; other programs do not. */
    if (origin == NULL) {
        return true;
    }
    if (n < (int)sizeof wanted && strchr(origin, ',') == NULL &&
        strstr(web->origins, wanted) != NULL) {
        return true;
    }
    web->count.origins_bad++;
    return false;
}

/* --- mail from the actors ------------------------------------------------------------------- */

static void on_mail(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct web *web = ctx;

    (void)to;
    (void)from;
    switch (type) {
    case MSG_view_agent:
        board_agent(web->board, msg);
        break;
    case MSG_view_call:
        board_call(web->board, msg);
        break;
    case MSG_view_campaign:
        board_campaign(web->board, msg);
        break;
    case MSG_view_pbx:
        board_pbx(web->board, msg);
        break;
    case MSG_screen_pop:
        board_pop(web->board, msg);
        break;
    case MSG_view_disposition:
        board_disposition(web->board, msg);
        break;
    case MSG_daemon_mode:
        board_mode(web->board, msg);
        break;
    case MSG_alarm_moved:
        board_alarm(web->board, msg);
        break;
    case MSG_readiness:
        board_dependency(web->board, msg);
        break;
    case MSG_reply:
        request_reply(web, msg);
        break;
    case MSG_login_known:
        login_known(web, msg);
        break;
    case MSG_session_known:
        session_known(web, msg);
        break;
    case MSG_session_end:
        session_ended(web, msg);
        break;
    case MSG_ticket_ask:
        login_ticket_ask(web, msg);
        break;
    default:
        web->count.stray_messages++;
        break;
    }
}

static void take_mail(struct web *web)
{
    while (endpoint_receive(web->endpoint, on_mail, web, MAIL_MAX) == MAIL_MAX) {
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static void leave(struct web *web);

static void on_wake(void *ctx)
{
    struct web *web = ctx;

    if (atomic_load(&web->closing) && !web->leaving) {
        leave(web);
    }
    take_mail(web);
    login_checked(web);
    fan_flush(web);
    endpoint_flush(web->endpoint);
}

static void on_turn(void *ctx)
{
    struct web *web = ctx;
    const int64_t now_us = net_now_us();

    net_timer_set(web->turn, TURN_US);
    take_mail(web);
    login_turn(web, now_us);
    session_turn(web, now_us);
    client_turn(web, now_us);
    request_turn(web, now_us);
    fan_turn(web);
    endpoint_flush(web->endpoint);
    if (web->leaving && (web->clients == 0 || now_us >= web->leave_by_us)) {
        net_loop_stop(web->loop);
    }
}

static void say_goodbye(struct client *c, void *ctx)
{
    (void)ctx;
    client_close(c, NET_WS_GOING_AWAY, "the daemon is going");
}

/* Pages are told, and have a second to hear it; nobody new is let in. */
static void leave(struct web *web)
{
    char err[128];

    web->leaving = true;
    web->leave_by_us = net_now_us() + LEAVE_US;
    net_server_accept(web->server, false, err, sizeof err);
    client_each(web, say_goodbye, NULL);
    net_timer_set(web->turn, 0);
}

static void *run(void *arg)
{
    struct web *web = arg;

    net_timer_set(web->turn, 0);
    net_loop_run(web->loop);
    return NULL;
}

static void wake(void *ctx)
{
    struct web *web = ctx;

    net_loop_wake(web->loop);
}

static void on_net_log(void *ctx, int level, const char *line)
{
    web_log(ctx, level, "%s", line);
}

/* --- opening -------------------------------------------------------------------------------- */

static bool make_origins(struct web *web)
{
    const char *host = web->options.host != NULL ? web->options.host : "127.0.0.1";
    const unsigned port = net_server_port(web->server);
    const size_t size =
        (web->options.origins != NULL ? strlen(web->options.origins) : 0) + 2 * strlen(host) + 160;
    char *text = malloc(size);
    char *to = text;

    if (text == NULL) {
        return false;
    }
    if (web->options.origins == NULL) {
        snprintf(text, size, ",http://%s%s%s:%u,http://127.0.0.1:%u,http://localhost:%u,",
                 strchr(host, ':') != NULL ? "[" : "", host, strchr(host, ':') != NULL ? "]" : "",
                 port, port, port);
    } else {
        *to++ = ',';
        for (const char *from = web->options.origins; *from != '\0'; from++) {
            if (*from != ' ') {
                *to++ = *from;
            }
        }
        *to++ = ',';
        *to = '\0';
    }
    web->origins = text;
    return true;
}

static bool make_parts(struct web *web)
{
    static const struct board_events board_events = {.on_person = fan_person};

    web->board = board_new(&board_events, web);
    web->vault = vault_new(TOKENS_MAX);
    web->pauses = pauses_new();
    web->checker = checker_new(wake, web);
    web->slot = calloc(web->max_clients, sizeof *web->slot);
    web->generation = calloc(web->max_clients, sizeof *web->generation);
    web->turn = net_timer_new(web->loop, on_turn, web);
    return web->board != NULL && web->vault != NULL && web->pauses != NULL &&
           web->checker != NULL && web->slot != NULL && web->generation != NULL &&
           web->turn != NULL && make_origins(web);
}

static bool make_one_time(struct web *web)
{
    const struct identity who = {.role = web->options.one_time_role, .name = "demo", .account = 1};

    return web->options.one_time_role == ROLE_NONE ||
           vault_make(web->vault, TOKEN_LINK, &who, LINK_US, net_now_us(), web->one_time) == 0;
}

static struct web *fail(struct web *web, char *err, size_t errlen, const char *why)
{
    snprintf(err, errlen, "%s", why);
    web_fini(web);
    return NULL;
}

/* When descriptors run out pages are refused first: Asterisk, the store, the hopper, the journal
 * and the operator need some to come back with. */
#define KEPT_FOR_OTHERS 256

static int last_for_pages(void)
{
    struct rlimit files;
    rlim_t kept = KEPT_FOR_OTHERS;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > INT_MAX) {
        return 0;
    }
    kept = kept < files.rlim_cur / 4 ? kept : files.rlim_cur / 4;
    return (int)(files.rlim_cur - kept);
}

struct web *web_open(const struct web_options *options, char *err, size_t errlen)
{
    struct web *web = calloc(1, sizeof *web);
    struct net_loop_config loop = {.on_wake = on_wake, .on_log = on_net_log};
    struct net_server_config server = {.host = options->host, .port = options->port};
    uint64_t stream;
    char why[256];

    if (web == NULL) {
        snprintf(err, errlen, "no memory");
        return NULL;
    }
    web->options = *options;
    web->asking_end = &web->asking;
    atomic_init(&web->metrics_for_all, options->metrics_for_all);
    web->max_clients = options->max_clients != 0 ? options->max_clients : 8192;
    loop.ctx = web;
    server.max_connections = web->max_clients + 256;
    server.max_descriptor = last_for_pages();
    /* One address must not take all places. Behind a proxy every one of them is the proxy's. */
    server.max_per_address = options->behind_tls ? 0
                             : server.max_connections > PER_ADDRESS * 2
                                 ? PER_ADDRESS
                                 : server.max_connections / 2;
    json_init(&web->doc, 0);
    json_writer_init_heap(&web->frame, 1024u * 1024u);
    json_writer_init_heap(&web->out, 1024u * 1024u);
    secret_random(&stream, sizeof stream);
    snprintf(web->stream, sizeof web->stream, "%016llx", (unsigned long long)stream);
    web->loop = net_loop_open(&loop, why, sizeof why);
    if (web->loop == NULL) {
        return fail(web, err, errlen, why);
    }
    web->server = net_listen(web->loop, &server, &http_events, web, why, sizeof why);
    if (web->server == NULL) {
        return fail(web, err, errlen, why);
    }
    if (!make_parts(web) || !make_one_time(web)) {
        return fail(web, err, errlen, "no memory or thread");
    }
    web->endpoint = endpoint_open(options->pool, KIND_WEB, wake, web);
    if (web->endpoint == NULL) {
        return fail(web, err, errlen, "the web endpoint is open already");
    }
    return web;
}

int web_start(struct web *web)
{
    if (pthread_create(&web->thread, NULL, run, web) != 0) {
        return -1;
    }
    web->started = true;
    return 0;
}

uint16_t web_port(const struct web *web)
{
    return net_server_port(web->server);
}

const char *web_one_time_token(const struct web *web)
{
    return web->one_time;
}

void web_metrics_for_all(struct web *web, bool on)
{
    atomic_store(&web->metrics_for_all, on);
}

void web_close(struct web *web)
{
    atomic_store(&web->closing, true);
    net_loop_wake(web->loop);
}

void web_stop(struct web *web)
{
    if (web->started) {
        pthread_join(web->thread, NULL);
        web->started = false;
    }
}

void web_fini(struct web *web)
{
    if (web == NULL) {
        return;
    }
    /* Sockets that are still there end here, and their on_close wants everything else alive. */
    checker_free(web->checker);
    if (web->loop != NULL) {
        net_loop_close(web->loop);
    }
    if (web->endpoint != NULL) {
        endpoint_close(web->endpoint);
    }
    session_free(web);
    board_free(web->board);
    vault_free(web->vault);
    pauses_free(web->pauses);
    free(web->slot);
    free(web->generation);
    free(web->origins);
    json_free(&web->doc);
    json_writer_free(&web->frame);
    json_writer_free(&web->out);
    explicit_bzero(web->login, sizeof web->login);
    explicit_bzero(web->one_time, sizeof web->one_time);
    free(web);
}
