/* talk.c - writing and reading at the same time, so that neither side can wait for the other for
 * ever: the daemon reports while the file is still on its way. */
#include "adapters/ctl/talk.h"
#include "adapters/ctl/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (1024u * 1024u) /* of one line from the daemon */

struct buffers {
    char out[CTL_PIECE + 64];
    size_t out_len, out_at;
    bool file_over;
    char *in;
    size_t in_len;
    struct json doc;
};

int talk_connect(struct talk *t, const char *path, char *why, size_t why_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(why, why_size, "%s: the path of the socket is too long", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->fd < 0 || connect(t->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        snprintf(why, why_size, "no daemon answers at %s: %s", path, strerrordesc_np(errno));
        if (t->fd >= 0)
            close(t->fd);
        t->fd = -1;
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

/* The next piece of the file behind its length. -1: the file cannot be read. */
static int next_piece(struct talk *t, struct buffers *b)
{
    char piece[CTL_PIECE];
    ssize_t n = read(t->file, piece, sizeof piece);
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    int head = snprintf(b->out, sizeof b->out, "{\"id\":1,\"bytes\":%zd}\n", n);
    memcpy(b->out + head, piece, (size_t)n);
    b->out_len = (size_t)head + (size_t)n;
    b->out_at = 0;
    b->file_over = n == 0;
    t->sent += n;
    return 0;
}

/* One line of the answer. 1: it was the end; -1: not what the protocol allows. */
static int take_line(struct talk *t, struct buffers *b, const char *line, size_t len)
{
    if (json_parse(&b->doc, line, len) != 0)
        return -1;
    json_ref end = json_get(&b->doc, JSON_ROOT, "end");
    if (end == JSON_NONE) {
        t->on_line(t->ctx, &b->doc, line);
        return 0;
    }
    int64_t result = 0;
    if (!json_int(&b->doc, json_get(&b->doc, end, "result"), &result))
        return -1;
    t->result = (int)result;
    snprintf(t->text, sizeof t->text, "%s", json_str(&b->doc, json_get(&b->doc, end, "text"), ""));
    return 1;
}

static int take_input(struct talk *t, struct buffers *b, char *why, size_t why_size)
{
    ssize_t n = read(t->fd, b->in + b->in_len, ANSWER_MAX - b->in_len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        snprintf(why, why_size, "the daemon closed the connection before the answer was complete");
        return -1;
    }
    b->in_len += (size_t)n;
    size_t at = 0;
    for (;;) {
        const char *end = memchr(b->in + at, '\n', b->in_len - at);
        if (!end)
            break;
        size_t len = (size_t)(end - (b->in + at));
        int over = take_line(t, b, b->in + at, len);
        if (over != 0) {
            if (over < 0)
                snprintf(why, why_size, "the daemon's answer cannot be read: %s", b->doc.error);
            return over;
        }
        at += len + 1;
    }
    memmove(b->in, b->in + at, b->in_len - at);
    b->in_len -= at;
    if (b->in_len == ANSWER_MAX) {
        snprintf(why, why_size, "a line of the daemon's answer is longer than %u bytes",
                 ANSWER_MAX);
        return -1;
    }
    return 0;
}

static int give_output(struct talk *t, struct buffers *b, char *why, size_t why_size)
{
    if (b->out_at == b->out_len) {
        if (next_piece(t, b) != 0) {
            snprintf(why, why_size, "the file cannot be read: %s", strerrordesc_np(errno));
            return -1;
        }
        return 0;
    }
    ssize_t n =
        send(t->fd, b->out + b->out_at, b->out_len - b->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        b->out_at += (size_t)n;
    else if (errno == EPIPE || errno == ECONNRESET)
        b->file_over = true; /* it has had enough: its reason is still to be read */
    else if (errno != EAGAIN && errno != EINTR) {
        snprintf(why, why_size, "cannot send: %s", strerrordesc_np(errno));
        return -1;
    }
    return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

int talk_run(struct talk *t, const char *request, size_t len, char *why, size_t why_size)
{
    struct buffers *b = calloc(1, sizeof *b);
    int result = -1;
    if (!b || !(b->in = malloc(ANSWER_MAX + 1)))
        abort();
    json_init(&b->doc, ANSWER_MAX);
    b->file_over = t->file < 0;
    if (write_all(t->fd, request, len) != 0) {
        snprintf(why, why_size, "cannot send: %s", strerrordesc_np(errno));
    } else {
        result = 0;
        while (result == 0) {
            bool sending = b->out_at < b->out_len || !b->file_over;
            struct pollfd p = {.fd = t->fd, .events = POLLIN};
            if (sending)
                p.events |= POLLOUT;
            if (poll(&p, 1, -1) < 0 && errno != EINTR) {
                snprintf(why, why_size, "poll: %s", strerrordesc_np(errno));
                result = -1;
                break;
            }
            if (p.revents & (POLLIN | POLLHUP | POLLERR))
                result = take_input(t, b, why, why_size);
            if (result == 0 && sending && (p.revents & POLLOUT))
                result = give_output(t, b, why, why_size);
        }
    }
    json_free(&b->doc);
    free(b->in);
    free(b);
    return result < 0 ? -1 : 0;
}
