/* ctl_server.c - the thread behind the operator's socket: connections, lines, pieces of files,
 * queues of answers. It knows no command. */
#include "adapters/daemon/ctl_job.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define LINE_LIMIT (1024u * 1024u) /* of an answer */
#define IN_SIZE (CTL_LINE_MAX + CTL_PIECE)

struct client {
    int fd;
    char *in;
    size_t in_len;
    char *out;
    size_t out_len, out_at, out_cap;
    size_t piece_left; /* bytes of the current piece still to come */
    bool file_over;
    bool closing; /* write what waits, then close */
    struct json_writer writer;
    struct job job;
};

struct server {
    struct ctl ctl; /* first: a ctl is its server */
    int listen_fd;
    int wake_fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    pthread_t thread;
    bool running;
    atomic_bool stop;
    atomic_llong drain_ms; /* -1: not asked for */
    atomic_int begin_node; /* -1: not asked for */
    pthread_mutex_t timers_lock;
    struct config_timers timers; /* wanted by the main thread */
    uint64_t next_client;
    struct client *clients[CLIENTS_MAX];
};

static struct client *client_of(struct job *job)
{
    return (struct client *)(void *)((char *)job - offsetof(struct client, job));
}

static const struct client *client_of_const(const struct job *job)
{
    return (const struct client *)(const void *)((const char *)job - offsetof(struct client, job));
}

/* --- answers --------------------------------------------------------------------------------- */

static void put_out(struct client *c, const char *text, size_t len)
{
    if (c->fd < 0)
        return;
    if (c->out_at > 0 && c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out)
            abort();
    }
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
}

size_t job_waiting(const struct job *job)
{
    const struct client *c = client_of_const(job);
    return c->out_len - c->out_at;
}

struct json_writer *job_line(struct job *job, const char *key)
{
    struct json_writer *w = &client_of(job)->writer;
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_int(w, "id", 1);
    json_open_object(w, key);
    return w;
}

struct json_writer *job_row(struct job *job)
{
    return job_line(job, "row");
}

static void line_end(struct client *c)
{
    size_t len = 0;
    json_close_object(&c->writer);
    const char *text = json_writer_end(&c->writer, &len);
    if (!text) { /* what is left out must not go unsaid */
        job_end(&c->job, RESULT_REFUSED, "a line of the answer is longer than %u bytes",
                LINE_LIMIT);
        return;
    }
    put_out(c, text, len);
    put_out(c, "\n", 1);
}

void job_row_end(struct job *job)
{
    struct client *c = client_of(job);
    json_close_object(&c->writer);
    line_end(c);
}

void job_raw_row(struct job *job, struct text json)
{
    struct client *c = client_of(job);
    json_writer_reset(&c->writer);
    json_open_object(&c->writer, NULL);
    json_put_int(&c->writer, "id", 1);
    json_put_raw(&c->writer, "row", json.ptr, json.len);
    line_end(c);
}

void job_data(struct job *job, const char *text, size_t len)
{
    struct client *c = client_of(job);
    json_writer_reset(&c->writer);
    json_open_object(&c->writer, NULL);
    json_put_int(&c->writer, "id", 1);
    json_put_text(&c->writer, "data", (struct text){text, (uint32_t)len});
    line_end(c);
}

void job_count_one(const struct job *job, const char *name, const char *label)
{
    if (job->ctl->metrics)
        metric_add(job->ctl->metrics, name, label, 0, 1);
}

void job_end(struct job *job, enum result result, const char *format, ...)
{
    static const char *const words[] = {[RESULT_OK] = "ok",
                                        [RESULT_REFUSED] = "refused",
                                        [RESULT_NOT_FOUND] = "not_found",
                                        [RESULT_INVALID] = "invalid",
                                        [RESULT_CONFLICT] = "conflict",
                                        [RESULT_AWAY] = "away"};
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (job->ended)
        return;
    struct json_writer *w = job_line(job, "end");
    json_put_int(w, "result", (int)result);
    json_put_str(w, "text", text);
    job_row_end(job);
    job->ended = true;
    job_count_one(job, "dialer_ctl_answers_total", words[result]);
}

/* --- a request ------------------------------------------------------------------------------- */

static void job_over(struct client *c)
{
    if (c->job.on_free)
        c->job.on_free(&c->job);
    c->job.on_free = NULL;
    c->job.on_piece = NULL;
    c->job.on_room = NULL;
    c->job.on_reply = NULL;
    c->job.state = NULL;
    c->job.active = false;
    /* A file that is still on its way cannot be told from the next request. */
    if (!c->file_over)
        c->closing = true;
}

static bool takes_file(const struct ctl_command *command)
{
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(command, i)); i++)
        if (a->type == ARG_FILE)
            return true;
    return false;
}

static void begin_job(struct client *c, const char *line, size_t len)
{
    struct job *job = &c->job;
    char why[512];
    int64_t bytes = 0;
    bool good = json_parse(&job->args, line, len) == 0;
    if (job->active) { /* only the pieces of a file may come now */
        if (good && c->job.on_piece && !c->file_over &&
            json_int(&job->args, json_get(&job->args, JSON_ROOT, "bytes"), &bytes) && bytes >= 0 &&
            bytes <= (int64_t)CTL_PIECE) {
            c->piece_left = (size_t)bytes;
            if (bytes == 0) {
                c->file_over = true;
                job->on_piece(job, "", 0);
            }
        } else {
            job_end(job, RESULT_INVALID, "a request came while another was under way");
            c->closing = true;
        }
        return;
    }
    job->active = true;
    job->ended = false;
    job->first = job->ctl->next_request + 1;
    c->file_over = true;
    const char *name =
        good ? json_str(&job->args, json_get(&job->args, JSON_ROOT, "command"), "") : "";
    job->command = ctl_find_name(name);
    job->at = json_get(&job->args, JSON_ROOT, "args");
    if (!good) {
        job_end(job, RESULT_INVALID, "not a request: %s", job->args.error);
    } else if (!job->command || !job_find(name)) {
        job_end(job, RESULT_INVALID, "there is no command '%.80s'", name);
    } else if (job_check_args(job, why, sizeof why) != 0) {
        job_end(job, RESULT_INVALID, "%s", why);
    } else {
        c->file_over = !takes_file(job->command);
        job_find(name)(job);
    }
}

/* --- connections ----------------------------------------------------------------------------- */

static void name_peer(struct client *c)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct passwd entry;
    struct passwd *found = NULL;
    char names[2048];
    if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        snprintf(c->job.who, sizeof c->job.who, "cli");
        return;
    }
    if (getpwuid_r(peer.uid, &entry, names, sizeof names, &found) == 0 && found)
        snprintf(c->job.who, sizeof c->job.who, "cli:%.60s", found->pw_name);
    else
        snprintf(c->job.who, sizeof c->job.who, "cli:%u", (unsigned)peer.uid);
}

static void drop_client(struct server *s, size_t i)
{
    struct client *c = s->clients[i];
    s->clients[i] = NULL;
    close(c->fd);
    c->fd = -1;
    if (c->job.on_free)
        c->job.on_free(&c->job);
    json_free(&c->job.args);
    json_writer_free(&c->writer);
    free(c->in);
    free(c->out);
    free(c);
}

static void accept_client(struct server *s)
{
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    size_t i = 0;
    while (i < CLIENTS_MAX && s->clients[i])
        i++;
    struct client *c = i < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c || !(c->in = malloc(IN_SIZE))) {
        free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    c->file_over = true;
    c->job.ctl = &s->ctl;
    c->job.client = ++s->next_client;
    json_init(&c->job.args, CTL_LINE_MAX);
    json_writer_init_heap(&c->writer, LINE_LIMIT);
    name_peer(c);
    s->clients[i] = c;
}

/* Takes what is in the buffer: pieces of a file as they are, else whole lines. */
static void take_input(struct client *c)
{
    size_t at = 0;
    while (at < c->in_len && !c->closing) {
        if (c->piece_left > 0) {
            size_t n = c->in_len - at < c->piece_left ? c->in_len - at : c->piece_left;
            if (c->job.on_piece && !c->job.ended)
                c->job.on_piece(&c->job, c->in + at, n);
            c->piece_left -= n;
            at += n;
        } else {
            const char *end = memchr(c->in + at, '\n', c->in_len - at);
            if (!end)
                break;
            size_t len = (size_t)(end - (c->in + at));
            begin_job(c, c->in + at, len);
            at += len + 1;
        }
        if (c->job.active && c->job.ended)
            job_over(c);
    }
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    if (c->in_len == IN_SIZE) {
        c->job.ended = false;
        job_end(&c->job, RESULT_INVALID, "the line is longer than %u bytes", CTL_LINE_MAX);
        c->closing = true;
    }
}

static bool read_client(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, IN_SIZE - c->in_len, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->in_len += (size_t)n;
    take_input(c);
    return true;
}

static bool write_client(struct client *c)
{
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->out_at += (size_t)n;
    if (c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    return true;
}

static bool turn_client(struct client *c, short events)
{
    bool alive = true;
    if (events & (POLLIN | POLLHUP | POLLERR))
        alive = read_client(c);
    if (alive && c->job.active && c->job.on_room && !c->job.ended &&
        job_waiting(&c->job) < JOB_ROOM) {
        c->job.on_room(&c->job);
    }
    if (c->job.active && c->job.ended)
        job_over(c);
    if (alive && job_waiting(&c->job) > 0)
        alive = write_client(c);
    return alive && !(c->closing && job_waiting(&c->job) == 0);
}

/* --- the bus --------------------------------------------------------------------------------- */

static void on_message(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct server *s = ctx;
    (void)to;
    (void)from;
    if (type == MSG_drained) {
        const struct msg_drained *m = msg;
        s->ctl.options->on_drained(s->ctl.options->ctx, m->ringing);
        return;
    }
    if (type == MSG_readiness || type == MSG_view_pbx)
        ctl_needed(&s->ctl, type, msg);
    ctl_told(&s->ctl, type, msg);
    if (type == MSG_campaign_switch)
        ctl_switch_for_page(&s->ctl, msg);
    if (type != MSG_reply)
        return;
    const struct msg_reply *reply = msg;
    if (reply->client == CTL_PAGES)
        ctl_switch_said(&s->ctl, reply);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];
        if (c && c->job.client == reply->client && c->job.first <= reply->request &&
            c->job.active && c->job.on_reply && !c->job.ended)
            c->job.on_reply(&c->job, reply);
    }
}

static void wake(void *ctx)
{
    const struct server *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    (void)n; /* the counter cannot overflow, and a full one wakes as well */
}

static void take_words(struct server *s)
{
    int node = atomic_exchange(&s->begin_node, -1);
    long long drain = atomic_exchange(&s->drain_ms, -1);
    pthread_mutex_lock(&s->timers_lock);
    s->ctl.timers = s->timers;
    pthread_mutex_unlock(&s->timers_lock);
    if (node >= 0) {
        ctl_store_ready(&s->ctl);
        struct msg_begin begin = {.node = (uint16_t)node};
        endpoint_send(s->ctl.endpoint, ADDR_DESK, MSG_begin, &begin);
    }
    if (drain >= 0) {
        struct msg_drain ask = {.drain_ms = (uint32_t)drain};
        endpoint_send(s->ctl.endpoint, ADDR_DESK, MSG_drain, &ask);
    }
}

/* --- the thread ------------------------------------------------------------------------------ */

static void *run(void *arg)
{
    struct server *s = arg;
    struct pollfd fds[CLIENTS_MAX + 2];
    size_t owner[CLIENTS_MAX + 2];
    pthread_setname_np(pthread_self(), "ctl");
    if (s->ctl.options->metrics)
        s->ctl.metrics = metrics_set(s->ctl.options->metrics);
    while (!atomic_load(&s->stop)) {
        nfds_t n = 2;
        bool busy = false;
        fds[0] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
            struct client *c = s->clients[i];
            if (!c)
                continue;
            size_t waiting = job_waiting(&c->job);
            short events = (short)(waiting > 0 ? POLLOUT : 0);
            /* While the answer is not read, nothing more is taken: the socket pushes back. */
            if (waiting < JOB_ROOM && c->in_len < IN_SIZE)
                events |= POLLIN;
            busy = busy || (c->job.active && c->job.on_room && waiting < JOB_ROOM);
            owner[n] = i;
            fds[n++] = (struct pollfd){.fd = c->fd, .events = events};
        }
        if (poll(fds, n, busy ? 0 : ctl_stops_wait_ms(&s->ctl)) < 0 && errno != EINTR)
            break;
        uint64_t count = 0;
        if (fds[0].revents && read(s->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
            break;
        take_words(s);
        while (endpoint_receive(s->ctl.endpoint, on_message, s, 256) == 256) {
        }
        for (nfds_t i = 2; i < n; i++)
            if (!turn_client(s->clients[owner[i]], fds[i].revents))
                drop_client(s, owner[i]);
        if (fds[1].revents)
            accept_client(s);
        ctl_stops_write(&s->ctl);
        endpoint_flush(s->ctl.endpoint);
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i])
            drop_client(s, i);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

/* A socket file that nobody answers is left over from a daemon that died. */
static int bind_socket(struct server *s, const char *path, char *why, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(why, size, "[ctl] socket = %s: the path is too long", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const struct sockaddr *name = (const struct sockaddr *)&address;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return -1;
    bool answered = connect(probe, name, sizeof address) == 0;
    close(probe);
    if (answered) {
        snprintf(why, size, "[ctl] socket = %s: another daemon answers there", path);
        return -1;
    }
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177); /* only the main thread runs yet */
    bool bound = s->listen_fd >= 0 && bind(s->listen_fd, name, sizeof address) == 0;
    umask(mask);
    if (!bound || listen(s->listen_fd, 16) != 0) {
        snprintf(why, size, "[ctl] socket = %s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    memcpy(s->path, path, strlen(path) + 1); /* from here on it is ours to remove */
    return 0;
}

struct ctl *ctl_open(const struct ctl_options *options, char *why, size_t why_size)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->ctl.options = options;
    s->timers = options->config->timers;
    pthread_mutex_init(&s->timers_lock, NULL);
    s->listen_fd = -1;
    atomic_init(&s->stop, false);
    atomic_init(&s->drain_ms, -1);
    atomic_init(&s->begin_node, -1);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    why[0] = '\0';
    if (s->wake_fd < 0 || bind_socket(s, options->config->ctl.socket, why, why_size) != 0)
        goto failed;
    s->ctl.endpoint = endpoint_open(options->pool, KIND_CTL, wake, s);
    s->ctl.store = options->driver->make(options->store);
    if (!s->ctl.endpoint || !s->ctl.store) {
        snprintf(why, why_size, "no endpoint on the bus, or no memory");
        goto failed;
    }
    return &s->ctl;
failed:
    if (why[0] == '\0')
        snprintf(why, why_size, "operator's socket: %s", strerrordesc_np(errno));
    ctl_close(&s->ctl);
    return NULL;
}

int ctl_start(struct ctl *ctl)
{
    struct server *s = (struct server *)ctl;
    s->running = pthread_create(&s->thread, NULL, run, s) == 0;
    return s->running ? 0 : -1;
}

void ctl_begin(struct ctl *ctl, uint16_t node)
{
    struct server *s = (struct server *)ctl;
    atomic_store(&s->begin_node, node);
    wake(s);
}

void ctl_drain(struct ctl *ctl, uint32_t drain_ms)
{
    struct server *s = (struct server *)ctl;
    atomic_store(&s->drain_ms, drain_ms);
    wake(s);
}

void ctl_timers(struct ctl *ctl, const struct config_timers *timers)
{
    struct server *s = (struct server *)ctl;
    pthread_mutex_lock(&s->timers_lock);
    s->timers = *timers;
    pthread_mutex_unlock(&s->timers_lock);
    wake(s);
}

void ctl_stop(struct ctl *ctl)
{
    struct server *s = (struct server *)ctl;
    if (!s->running)
        return;
    atomic_store(&s->stop, true);
    wake(s);
    pthread_join(s->thread, NULL);
    s->running = false;
}

void ctl_close(struct ctl *ctl)
{
    struct server *s = (struct server *)ctl;
    if (!s)
        return;
    ctl_stop(ctl);
    if (s->path[0])
        unlink(s->path);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->ctl.endpoint)
        endpoint_close(s->ctl.endpoint);
    if (s->ctl.store)
        s->ctl.store->ops->close(s->ctl.store);
    pthread_mutex_destroy(&s->timers_lock);
    free(s);
}
