/* proxy.c - see proxy.h. */
#include "tests/soak/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINKS 8
#define CONNECTIONS 512
#define PIECE 16384u
#define WAITING_MAX (1024u * 1024u) /* bytes held for one direction */

struct piece {
    struct piece *next;
    int64_t due_us;
    size_t len, at;
    unsigned char data[];
};

/* One direction: from fd[from] to the other. */
struct way {
    struct piece *first, **last;
    size_t waiting;
    bool ended;  /* nothing more will come */
    bool closed; /* and that was passed on */
    unsigned once;
};

struct connection {
    int link;
    int fd[2]; /* 0 who connected, 1 the server; -1 none: the place is free */
    bool connecting, doomed;
    struct way way[2]; /* way[i]: from fd[i] */
};

struct link {
    int fd, to_port;
    enum link_mode mode;
    int delay_ms;
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock; /* of links and `once`; the thread holds it but while it waits */
    int wake;
    bool leaving;
    struct link link[LINKS];
    int links;
    struct connection connection[CONNECTIONS];
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* --- connections
 * ---------------------------------------------------------------------------------- */

static void drop_way(struct way *w)
{
    while (w->first) {
        struct piece *next = w->first->next;
        free(w->first);
        w->first = next;
    }
    *w = (struct way){.ended = false};
}

static void drop(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        if (c->fd[i] >= 0) {
            close(c->fd[i]);
        }
        c->fd[i] = -1;
        drop_way(&c->way[i]);
    }
    c->link = -1;
}

static void take_in(struct proxy *p, int link)
{
    const struct sockaddr_in to = loopback(p->link[link].to_port);
    const int one = 1;
    const int fd = accept4(p->link[link].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct connection *c = p->connection;

    while (c < p->connection + CONNECTIONS && c->link >= 0) {
        c++;
    }
    if (fd < 0) {
        return;
    }
    if (c == p->connection + CONNECTIONS || p->link[link].mode == LINK_CUT) {
        close(fd);
        return;
    }
    *c = (struct connection){.link = link, .fd = {fd, -1}};
    c->way[0].last = &c->way[0].first;
    c->way[1].last = &c->way[1].first;
    c->fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->fd[1] < 0 ||
        (connect(c->fd[1], (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)) {
        drop(c);
        return;
    }
    c->connecting = true;
}

/* Whole frames from a server, not masked (RFC 6455). */
static bool whole_frames(const unsigned char *at, size_t len)
{
    while (len > 0) {
        size_t head = 2;
        size_t body;
        if (len < 4 || (at[0] != 0x81 && at[0] != 0x82) || at[1] > 126) {
            return false;
        }
        body = at[1];
        if (body == 126) {
            body = (size_t)at[2] << 8 | at[3];
            head = 4;
        }
        if (head + body > len) {
            return false;
        }
        at += head + body;
        len -= head + body;
    }
    return true;
}

static void queue(struct way *w, const unsigned char *data, size_t len, int64_t due_us)
{
    struct piece *piece = malloc(sizeof *piece + len);

    if (!piece) {
        abort();
    }
    piece->next = NULL;
    piece->due_us = due_us;
    piece->len = len;
    piece->at = 0;
    memcpy(piece->data, data, len);
    *w->last = piece;
    w->last = &piece->next;
    w->waiting += len;
}

static void hear(struct proxy *p, struct connection *c, int from)
{
    const struct link *l = &p->link[c->link];
    struct way *w = &c->way[from];
    unsigned char data[PIECE];
    const int64_t due = l->mode == LINK_DELAY ? now_us() + (int64_t)l->delay_ms * 1000 : 0;
    ssize_t n = recv(c->fd[from], data, sizeof data, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        w->ended = true;
        return;
    }
    if (l->mode == LINK_SILENT) {
        return;
    }
    if (w->once & LINK_TRUNCATE) {
        w->once = 0;
        c->doomed = true;
        n /= 2;
    }
    if (n > 0) {
        queue(w, data, (size_t)n, due);
    }
    if ((w->once & LINK_DUPLICATE) && from == 1 && n > 0 && whole_frames(data, (size_t)n)) {
        w->once = 0;
        queue(w, data, (size_t)n, due);
    }
}

/* False: the connection is over. */
static bool say(struct connection *c, int from, int64_t now)
{
    struct way *w = &c->way[from];
    const int to = 1 - from;

    while (w->first && w->first->due_us <= now) {
        struct piece *piece = w->first;
        const ssize_t n = send(c->fd[to], piece->data + piece->at, piece->len - piece->at,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        piece->at += (size_t)n;
        w->waiting -= (size_t)n;
        if (piece->at < piece->len) {
            return true;
        }
        w->first = piece->next;
        if (!w->first) {
            w->last = &w->first;
        }
        free(piece);
    }
    if (!w->first && w->ended && !w->closed) {
        shutdown(c->fd[to], SHUT_WR);
        w->closed = true;
    }
    return !(c->way[0].closed && c->way[1].closed) &&
           !(c->doomed && !c->way[0].first && !c->way[1].first);
}

/* --- the thread
 * ------------------------------------------------------------------------------------- */

static bool stands_still(const struct proxy *p, const struct connection *c)
{
    return p->link[c->link].mode == LINK_STALL;
}

static short wanted(const struct proxy *p, const struct connection *c, int i, int64_t now)
{
    const struct way *in = &c->way[i];
    const struct way *out = &c->way[1 - i];
    short events = 0;

    if (c->connecting) {
        return i == 1 ? POLLOUT : 0;
    }
    if (stands_still(p, c)) {
        return 0;
    }
    if (!in->ended && in->waiting < WAITING_MAX) {
        events |= POLLIN;
    }
    if (out->first && out->first->due_us <= now) {
        events |= POLLOUT;
    }
    return events;
}

struct waiting {
    struct pollfd fd[1 + LINKS + 2 * CONNECTIONS];
    int owner[1 + LINKS + 2 * CONNECTIONS];
    nfds_t n;
    int64_t next_us;
};

static void prepare(struct proxy *p, struct waiting *w)
{
    const int64_t now = now_us();

    w->n = 0;
    w->next_us = now + 1000000;
    w->fd[w->n++] = (struct pollfd){.fd = p->wake, .events = POLLIN};
    for (int i = 0; i < p->links; i++) {
        const bool takes = p->link[i].mode != LINK_STALL && p->link[i].mode != LINK_SILENT;
        w->fd[w->n++] = (struct pollfd){.fd = takes ? p->link[i].fd : -1, .events = POLLIN};
    }
    for (int k = 0; k < CONNECTIONS; k++) {
        struct connection *c = &p->connection[k];
        for (int i = 0; c->link >= 0 && i < 2; i++) {
            const short events = wanted(p, c, i, now);
            const struct piece *first = c->way[i].first;
            if (first && first->due_us > now && first->due_us < w->next_us) {
                w->next_us = first->due_us;
            }
            w->owner[w->n] = k * 2 + i;
            /* poll tells of a hang-up without being asked: a link that stands still does not look
             */
            w->fd[w->n++] = (struct pollfd){.fd = events ? c->fd[i] : -1, .events = events};
        }
    }
}

static void serve(struct proxy *p, struct connection *c, int i, short events)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (c->link < 0 || events == 0) {
        return;
    }
    if (c->connecting) {
        getsockopt(c->fd[1], SOL_SOCKET, SO_ERROR, &error, &size);
        c->connecting = false;
        if (error) {
            drop(c);
        }
        return;
    }
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        hear(p, c, i);
    }
}

static void carry(struct proxy *p)
{
    const int64_t now = now_us();

    for (int k = 0; k < CONNECTIONS; k++) {
        struct connection *c = &p->connection[k];
        if (c->link >= 0 && p->link[c->link].mode == LINK_CUT) {
            drop(c);
        } else if (c->link >= 0 && !c->connecting && !stands_still(p, c) &&
                   (!say(c, 0, now) || !say(c, 1, now))) {
            drop(c);
        }
    }
}

static void *run(void *ctx)
{
    struct proxy *p = ctx;
    struct waiting *w = calloc(1, sizeof *w);
    uint64_t wakes;

    pthread_mutex_lock(&p->lock);
    while (w && !p->leaving) {
        prepare(p, w);
        pthread_mutex_unlock(&p->lock);
        const int64_t left = w->next_us - now_us();
        poll(w->fd, w->n, left > 0 ? (int)(left / 1000) + 1 : 0);
        pthread_mutex_lock(&p->lock);
        if (w->fd[0].revents) {
            (void)!read(p->wake, &wakes, sizeof wakes);
        }
        const int links = (int)w->n < 1 + p->links ? 0 : p->links;
        for (int i = 0; i < links; i++) {
            if (w->fd[1 + i].revents && w->fd[1 + i].fd == p->link[i].fd) {
                take_in(p, i);
            }
        }
        for (nfds_t k = 1 + (nfds_t)links; k < w->n; k++) {
            struct connection *c = &p->connection[w->owner[k] / 2];
            if (w->fd[k].fd >= 0 && c->link >= 0 && c->fd[w->owner[k] % 2] == w->fd[k].fd) {
                serve(p, c, w->owner[k] % 2, w->fd[k].revents);
            }
        }
        carry(p);
    }
    pthread_mutex_unlock(&p->lock);
    free(w);
    return NULL;
}

static void wake(struct proxy *p)
{
    const uint64_t one = 1;

    (void)!write(p->wake, &one, sizeof one);
}

struct proxy *proxy_open(void)
{
    struct proxy *p = calloc(1, sizeof *p);

    if (!p) {
        return NULL;
    }
    for (int k = 0; k < CONNECTIONS; k++) {
        p->connection[k] = (struct connection){.link = -1, .fd = {-1, -1}};
    }
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&p->lock, NULL);
    if (p->wake < 0 || pthread_create(&p->thread, NULL, run, p) != 0) {
        free(p);
        return NULL;
    }
    return p;
}

void proxy_close(struct proxy *p)
{
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->leaving = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
    for (int k = 0; k < CONNECTIONS; k++) {
        if (p->connection[k].link >= 0) {
            drop(&p->connection[k]);
        }
    }
    for (int i = 0; i < p->links; i++) {
        close(p->link[i].fd);
    }
    close(p->wake);
    free(p);
}

int proxy_link(struct proxy *p, int to_port, int *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int number = -1;

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
        return -1;
    }
    *port = ntohs(at.sin_port);
    pthread_mutex_lock(&p->lock);
    if (p->links < LINKS) {
        number = p->links++;
        p->link[number] = (struct link){.fd = fd, .to_port = to_port, .mode = LINK_GOOD};
    }
    pthread_mutex_unlock(&p->lock);
    wake(p);
    return number;
}

void proxy_mode(struct proxy *p, int link, enum link_mode mode, int delay_ms)
{
    pthread_mutex_lock(&p->lock);
    /* What was sent into silence is lost: such a connection cannot go on. */
    for (int k = 0; p->link[link].mode == LINK_SILENT && k < CONNECTIONS; k++) {
        if (p->connection[k].link == link) {
            drop(&p->connection[k]);
        }
    }
    p->link[link].mode = mode;
    p->link[link].delay_ms = delay_ms;
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

void proxy_once(struct proxy *p, int link, enum link_once what)
{
    pthread_mutex_lock(&p->lock);
    for (int k = 0; k < CONNECTIONS; k++) {
        struct connection *c = &p->connection[k];
        if (c->link == link) {
            c->way[0].once = c->way[1].once = what;
        }
    }
    pthread_mutex_unlock(&p->lock);
    wake(p);
}
