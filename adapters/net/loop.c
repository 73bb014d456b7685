/* loop.c - the event loop: libev, with libwebsockets inside, timers, watches, tasks. */
#include "adapters/net/internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define DESCRIPTORS_MAX 131072u

struct net_timer {
    struct net_link link;
    struct net_loop *loop;
    ev_timer ev;
    net_timer_fn fn;
    void *ctx;
};

struct net_watch {
    struct net_link link;
    struct net_loop *loop;
    ev_io ev;
    net_watch_fn fn;
    void *ctx;
};

/* libwebsockets logs per process, we per loop: its lines go to the loop that runs on this thread.
 */
static _Thread_local struct net_loop *log_target;

const char *net_strerror(int status)
{
    switch (status) {
    case NET_OK:
        return "done";
    case NET_EINVAL:
        return "invalid argument";
    case NET_ENOMEM:
        return "out of memory or descriptors";
    case NET_EFULL:
        return "queue is full";
    case NET_ECLOSED:
        return "closed";
    case NET_EADDR:
        return "cannot resolve, bind or listen";
    case NET_ELIB:
        return "libwebsockets refused";
    default:
        return "unknown error";
    }
}

int64_t net_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

void net_error(char *err, size_t errlen, const char *format, ...)
{
    if (!err || errlen == 0) {
        return;
    }
    va_list ap;
    va_start(ap, format);
    vsnprintf(err, errlen, format, ap);
    va_end(ap);
}

void net_log(const struct net_loop *loop, int level, const char *format, ...)
{
    if (!loop->config.on_log) {
        return;
    }
    char line[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    loop->config.on_log(loop->config.ctx, level, line);
}

/* --- bytes ------------------------------------------------------------------------------- */

bool buf_reserve(struct net_buf *b, size_t need)
{
    if (b->head + b->len + need + 1 <= b->cap) {
        return true;
    }
    if (b->head > 0) {
        memmove(b->data, b->data + b->head, b->len);
        b->head = 0;
        if (b->len + need + 1 <= b->cap) {
            return true;
        }
    }
    size_t cap = b->cap ? b->cap : 512;
    while (cap < b->len + need + 1) {
        cap *= 2;
    }
    char *data = realloc(b->data, cap);
    if (!data) {
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

bool buf_append(struct net_buf *b, const void *bytes, size_t n)
{
    if (!buf_reserve(b, n)) {
        return false;
    }
    if (n > 0) {
        memcpy(b->data + b->head + b->len, bytes, n);
        b->len += n;
    }
    return true;
}

void buf_consume(struct net_buf *b, size_t n)
{
    b->head += n;
    b->len -= n;
    if (b->len == 0) {
        b->head = 0;
        /* One large message must not hold its memory for the life of a connection. */
        if (b->cap > 64u * 1024u) {
            buf_free(b);
        }
    }
}

void buf_free(struct net_buf *b)
{
    free(b->data);
    *b = (struct net_buf){0};
}

/* --- tasks ------------------------------------------------------------------------------- */

static void idle_turn(struct ev_loop *ev, ev_idle *w, int revents)
{
    (void)ev;
    (void)w;
    (void)revents;
}

void net_defer(struct net_loop *loop, struct net_task *task)
{
    if (link_is_alone(&task->link)) {
        link_append(&loop->tasks, &task->link);
        ev_idle_start(loop->ev, &loop->keep_turning);
    }
}

static void run_tasks(struct net_loop *loop)
{
    /* Only those that wait now: a task that makes tasks must not keep the sockets waiting. */
    struct net_link now;
    link_init(&now);
    while (!link_is_alone(&loop->tasks)) {
        struct net_link *l = loop->tasks.next;
        link_remove(l);
        link_append(&now, l);
    }
    ev_idle_stop(loop->ev, &loop->keep_turning);
    while (!link_is_alone(&now)) {
        struct net_task *task = (struct net_task *)now.next;
        link_remove(&task->link);
        task->fn(task);
    }
}

static void on_before_wait(struct ev_loop *ev, ev_prepare *w, int revents)
{
    (void)ev;
    (void)revents;
    run_tasks(w->data);
}

/* --- loop -------------------------------------------------------------------------------- */

static void on_wake_async(struct ev_loop *ev, ev_async *w, int revents)
{
    (void)ev;
    (void)revents;
    struct net_loop *loop = w->data;
    if (loop->config.on_wake) {
        loop->config.on_wake(loop->config.ctx);
    }
}

static void on_stop_async(struct ev_loop *ev, ev_async *w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(ev, EVBREAK_ALL);
}

static void on_run_limit(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)w;
    (void)revents;
}

static void lws_line(int level, const char *line)
{
    /* It reports each adopted socket as an error. */
    if (!log_target || strstr(line, "adopt_socket_readbuf")) {
        return;
    }
    size_t len = strcspn(line, "\n");
    net_log(log_target, level == LLL_ERR ? 3 : 2, "libwebsockets: %.*s", (int)len, line);
}

static void lws_log_once(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_line);
}

/* ws.c answers for both sides; rx_buffer_size is the piece a message arrives in and is allocated
 * for each websocket; tx_packet_size is the most one write may hand to the kernel. */
const struct lws_protocols net_lws_protocols[] = {
    {.name = "net", .callback = ws_lws_callback, .rx_buffer_size = 4096, .tx_packet_size = 1 << 20},
    {0},
};

const lws_retry_bo_t net_lws_no_validity = {0};

/* lws allocates tables for as many descriptors as the process may have, which in a container can be
 * a thousand million. Told a smaller number it would search them linearly instead. */
static void limit_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > DESCRIPTORS_MAX) {
        files.rlim_cur = DESCRIPTORS_MAX;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool open_lws(struct net_loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, lws_log_once);
    limit_descriptors();
    void *foreign[1] = {loop->ev};
    struct lws_context_creation_info info = {0};
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBEV |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.foreign_loops = foreign;
    info.gid = -1; /* do not change user or group */
    info.uid = -1;
    info.user = loop;
    info.retry_and_idle_policy = &net_lws_no_validity;
    loop->lws = lws_create_context(&info);
    if (!loop->lws) {
        return false;
    }
    struct lws_context_creation_info vhost = {0};
    vhost.port = CONTEXT_PORT_NO_LISTEN;
    vhost.protocols = net_lws_protocols;
    vhost.vhost_name = "net";
    vhost.retry_and_idle_policy = &net_lws_no_validity;
    vhost.http_proxy_address = NET_NO_PROXY;
    loop->vhost = lws_create_vhost(loop->lws, &vhost);
    return loop->vhost != NULL;
}

struct net_loop *net_loop_open(const struct net_loop_config *config, char *err, size_t errlen)
{
    struct net_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        net_error(err, errlen, "no memory for an event loop");
        return NULL;
    }
    if (config) {
        loop->config = *config;
    }
    struct net_link *rings[] = {&loop->tasks,   &loop->timers, &loop->watches, &loop->servers,
                                &loop->sockets, &loop->pools,  &loop->vhosts,  &loop->to_connect};
    for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++) {
        link_init(rings[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!loop->ev) {
        net_error(err, errlen, "cannot make an epoll loop: %m");
        free(loop);
        return NULL;
    }
    ev_async_init(&loop->wake, on_wake_async);
    ev_async_init(&loop->stop, on_stop_async);
    ev_prepare_init(&loop->before_wait, on_before_wait);
    ev_idle_init(&loop->keep_turning, idle_turn);
    ev_timer_init(&loop->run_limit, on_run_limit, 0., 0.);
    loop->wake.data = loop->stop.data = loop->before_wait.data = loop;
    ev_async_start(loop->ev, &loop->wake);
    ev_async_start(loop->ev, &loop->stop);
    ev_prepare_start(loop->ev, &loop->before_wait);
    log_target = loop;
    if (!open_lws(loop)) {
        net_error(err, errlen,
                  "libwebsockets does not start (is the package libwebsockets-evlib-ev there?)");
        net_loop_close(loop);
        return NULL;
    }
    return loop;
}

void net_loop_close(struct net_loop *loop)
{
    if (!loop) {
        return;
    }
    log_target = loop;
    while (!link_is_alone(&loop->servers)) {
        net_server_close((struct net_server *)loop->servers.next);
    }
    ws_end_all(loop, NULL);
    pools_close_all(loop);
    while (!link_is_alone(&loop->timers)) {
        net_timer_free((struct net_timer *)loop->timers.next);
    }
    while (!link_is_alone(&loop->watches)) {
        net_watch_free((struct net_watch *)loop->watches.next);
    }
    if (loop->lws) {
        lws_context_destroy(loop->lws);
    }
    ev_loop_destroy(loop->ev);
    while (!link_is_alone(&loop->vhosts)) {
        struct net_link *l = loop->vhosts.next;
        link_remove(l);
        free(l);
    }
    if (log_target == loop) {
        log_target = NULL;
    }
    free(loop);
}

int net_loop_run_once(struct net_loop *loop, int64_t timeout_us)
{
    log_target = loop;
    if (!atomic_load(&loop->stopped)) {
        loop->inside = true;
        if (timeout_us > 0) {
            net_ev_timer_in(loop, &loop->run_limit, timeout_us);
        }
        ev_run(loop->ev, timeout_us == 0 ? EVRUN_NOWAIT : EVRUN_ONCE);
        ev_timer_stop(loop->ev, &loop->run_limit);
        loop->inside = false;
    }
    return atomic_exchange(&loop->stopped, false) ? NET_ECLOSED : NET_OK;
}

void net_loop_run(struct net_loop *loop)
{
    log_target = loop;
    while (!atomic_exchange(&loop->stopped, false)) {
        loop->inside = true;
        ev_run(loop->ev, 0);
        loop->inside = false;
    }
}

void net_loop_wake(struct net_loop *loop)
{
    ev_async_send(loop->ev, &loop->wake);
}

void net_loop_stop(struct net_loop *loop)
{
    atomic_store(&loop->stopped, true);
    ev_async_send(loop->ev, &loop->stop);
}

/* --- timers and watches ------------------------------------------------------------------ */

void net_ev_timer_init(ev_timer *timer, void (*fn)(struct ev_loop *, ev_timer *, int), void *data)
{
    ev_timer_init(timer, fn, 0., 0.);
    ev_set_priority(timer, -1);
    timer->data = data;
}

void net_ev_timer_in(struct net_loop *loop, ev_timer *timer, int64_t delay_us)
{
    ev_timer_stop(loop->ev, timer);
    ev_now_update(loop->ev);
    ev_timer_set(timer, delay_us > 0 ? (double)delay_us / 1e6 : 0., 0.);
    ev_timer_start(loop->ev, timer);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)revents;
    struct net_timer *t = w->data;
    t->fn(t->ctx);
}

struct net_timer *net_timer_new(struct net_loop *loop, net_timer_fn fn, void *ctx)
{
    struct net_timer *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->loop = loop;
    t->fn = fn;
    t->ctx = ctx;
    net_ev_timer_init(&t->ev, on_timer, t);
    link_append(&loop->timers, &t->link);
    return t;
}

void net_timer_set(struct net_timer *t, int64_t delay_us)
{
    net_ev_timer_in(t->loop, &t->ev, delay_us);
}

void net_timer_clear(struct net_timer *t)
{
    ev_timer_stop(t->loop->ev, &t->ev);
}

bool net_timer_is_set(const struct net_timer *t)
{
    return ev_is_active(&t->ev);
}

void net_timer_free(struct net_timer *t)
{
    if (t) {
        ev_timer_stop(t->loop->ev, &t->ev);
        link_remove(&t->link);
        free(t);
    }
}

static void on_watch(struct ev_loop *ev, ev_io *w, int revents)
{
    (void)ev;
    struct net_watch *watch = w->data;
    unsigned events =
        ((revents & EV_READ) ? NET_READ : 0u) | ((revents & EV_WRITE) ? NET_WRITE : 0u);
    watch->fn(watch->ctx, w->fd, events);
}

static int ev_events(unsigned events)
{
    return ((events & NET_READ) ? EV_READ : 0) | ((events & NET_WRITE) ? EV_WRITE : 0);
}

struct net_watch *net_watch_new(struct net_loop *loop, int fd, unsigned events, net_watch_fn fn,
                                void *ctx)
{
    struct net_watch *w = fd < 0 ? NULL : calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    w->loop = loop;
    w->fn = fn;
    w->ctx = ctx;
    ev_io_init(&w->ev, on_watch, fd, ev_events(events));
    w->ev.data = w;
    link_append(&loop->watches, &w->link);
    net_watch_set(w, events);
    return w;
}

void net_watch_set(struct net_watch *w, unsigned events)
{
    ev_io_stop(w->loop->ev, &w->ev);
    if (events) {
        ev_io_set(&w->ev, w->ev.fd, ev_events(events));
        ev_io_start(w->loop->ev, &w->ev);
    }
}

void net_watch_free(struct net_watch *w)
{
    if (w) {
        ev_io_stop(w->loop->ev, &w->ev);
        link_remove(&w->link);
        free(w);
    }
}
