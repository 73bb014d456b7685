/*
 * ws.c - websockets of both sides on libwebsockets' ws role.
 *
 * A net_ws and lws's own object (wsi) can end before each other: the wsi points here through its
 * opaque pointer, which is cleared when the net_ws ends, and every callback of a wsi without one
 * answers "close". The other way round, LWS_CALLBACK_WSI_DESTROY clears ws->wsi.
 *
 * Frames are made here and handed to lws as raw bytes, many in one write: one write a frame costs
 * ten times as much (performance.md 7). A write holds whole frames only, because lws puts its own
 * pongs and close frames between our writes.
 */
#include "adapters/net/ws.h"

#include "adapters/net/json.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITE_CHUNK (64u * 1024u) /* a larger frame goes alone */
#define AWAY_PART 4               /* we were away: late by this part of a peer's time */

/* --- ending ------------------------------------------------------------------------------ */

void ws_free(struct net_ws *ws)
{
    free(ws->client.host);
    free(ws->client.path);
    free(ws->client.subprotocol);
    free(ws->client.tls_ca);
    free(ws->client.fields);
    buf_free(&ws->in);
    buf_free(&ws->out);
    buf_free(&ws->early);
    free(ws);
}

void ws_finish(struct net_ws *ws)
{
    struct net_loop *loop = ws->loop;
    ws->ending = true; /* what on_close tries to send or close must not set the timer again */
    ev_timer_stop(loop->ev, &ws->timer);
    link_remove(&ws->task.link);
    link_remove(&ws->link);
    ws_connect_over(ws);
    if (loop->dialing == ws) {
        loop->dialing = NULL;
    }
    struct lws *wsi = ws->wsi;
    if (wsi) {
        ws->wsi = NULL;
        lws_set_opaque_user_data(wsi, NULL);
        int fd = lws_get_socket_fd(wsi);
        if (fd >= 0) {
            /* Otherwise lws would first try to get rid of what it has buffered. */
            shutdown(fd, SHUT_RDWR);
        }
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    }
    if (ws->fd >= 0) {
        close(ws->fd);
    }
    ws->end.reason = ws->reason;
    ws->events.on_close(ws->ctx, ws, &ws->end);
    if (ws->server) {
        server_connection_ended(ws->server, ws->connection);
    }
    ws_free(ws);
}

void ws_say(struct net_ws *ws, enum net_ws_cause cause, int code, const char *reason, size_t len)
{
    ws->end.cause = cause;
    ws->end.code = code;
    size_t n = 0;
    for (; n < len && n < REASON_MAX; n++) {
        ws->reason[n] = (unsigned char)reason[n] < 0x20 ? ' ' : reason[n];
    }
    ws->reason[n] = '\0';
}

void ws_end_later(struct net_ws *ws, enum net_ws_cause cause, int code, const char *reason)
{
    if (!ws->ending) {
        ws_say(ws, cause, code, reason, strlen(reason));
        ws->ending = true;
        if (ws->parked) {
            ws->parked = false;
            link_remove(&ws->task.link);
        }
        net_defer(ws->loop, &ws->task);
    }
}

void net_ws_drop(struct net_ws *ws)
{
    ws_end_later(ws, NET_WS_LOCAL, NET_WS_ABNORMAL, "dropped");
}

void ws_end_all(struct net_loop *loop, const struct net_server *server)
{
    /* on_close may end others: begin again after each. */
    struct net_link *l = loop->sockets.next;
    while (l != &loop->sockets) {
        struct net_ws *ws = (struct net_ws *)l;
        if (server && ws->server != server) {
            l = l->next;
            continue;
        }
        if (!ws->ending) {
            ws_say(ws, NET_WS_LOOP_CLOSED, NET_WS_ABNORMAL, "closing down", 12);
            ws->ending = true;
        }
        ws_finish(ws);
        l = loop->sockets.next;
    }
}

/* --- deadlines --------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_deadline(const struct net_ws *ws)
{
    const struct net_ws_limits *l = &ws->limits;
    if (ws->state == WS_OPENING) {
        return ws->opened_us + l->open_us;
    }
    int64_t at = INT64_MAX;
    if (ws->state != WS_OPEN) {
        at = ws->close_us + CLOSE_WAIT_US;
    }
    if (l->block_us > 0 && ws->waiting_us) {
        at = sooner(at, ws->waiting_us + l->block_us);
    }
    if (ws->paused || ws->state != WS_OPEN) {
        return at;
    }
    if (l->dead_us > 0) {
        at = sooner(at, ws->rx_us + l->dead_us);
    }
    if (l->ping_us > 0) {
        at = sooner(at, (ws->ping_us > ws->rx_us ? ws->ping_us : ws->rx_us) + l->ping_us);
    }
    return at;
}

void ws_arm(struct net_ws *ws)
{
    int64_t at = next_deadline(ws);
    ws->due_us = at;
    if (at == INT64_MAX) {
        ev_timer_stop(ws->loop->ev, &ws->timer);
    } else {
        net_ev_timer_in(ws->loop, &ws->timer, at - net_now_us());
    }
}

/* --- sending ----------------------------------------------------------------------------- */

static void ws_ask_to_write(struct net_ws *ws)
{
    if (!ws->waiting_us) {
        ws->waiting_us = net_now_us();
        /* Deadlines are looked at when the timer runs: only a shorter one needs it set anew. */
        if (ws->limits.block_us > 0 &&
            (!ev_is_active(&ws->timer) ||
             ev_timer_remaining(ws->loop->ev, &ws->timer) * 1e6 > (double)ws->limits.block_us)) {
            ws_arm(ws);
        }
    }
    if (ws->wsi) {
        lws_callback_on_writable(ws->wsi);
    }
}

#define FRAME_HEAD_MAX 14
#define OP_TEXT 0x1u
#define OP_PING 0x9u

/* Append one frame; clients mask theirs (RFC 6455 5.3). */
static bool put_frame(struct net_ws *ws, unsigned opcode, const char *bytes, size_t len)
{
    unsigned char head[FRAME_HEAD_MAX];
    size_t n = 0;
    unsigned masked = ws->server ? 0u : 0x80u;
    head[n++] = (unsigned char)(0x80u | opcode);
    if (len < 126) {
        head[n++] = (unsigned char)(masked | len);
    } else if (len <= 0xffff) {
        head[n++] = (unsigned char)(masked | 126u);
        head[n++] = (unsigned char)(len >> 8);
        head[n++] = (unsigned char)len;
    } else {
        head[n++] = (unsigned char)(masked | 127u);
        for (int shift = 56; shift >= 0; shift -= 8) {
            head[n++] = (unsigned char)((uint64_t)len >> shift);
        }
    }
    if (!buf_reserve(&ws->out, FRAME_HEAD_MAX + len)) {
        return false;
    }
    if (!masked) {
        return buf_append(&ws->out, head, n) && buf_append(&ws->out, bytes, len);
    }
    unsigned char mask[4];
    if (getrandom(mask, sizeof mask, 0) != (ssize_t)sizeof mask) {
        return false;
    }
    memcpy(head + n, mask, sizeof mask);
    buf_append(&ws->out, head, n + sizeof mask);
    char *to = buf_at(&ws->out) + ws->out.len;
    for (size_t i = 0; i < len; i++) {
        to[i] = (char)((unsigned char)bytes[i] ^ mask[i & 3]);
    }
    ws->out.len += len;
    return true;
}

/* Length of the frame at the head of the queue. */
static size_t frame_len(const struct net_ws *ws)
{
    const unsigned char *p = (const unsigned char *)buf_at(&ws->out);
    size_t head = ws->server ? 2 : 6;
    size_t len = p[1] & 0x7fu;
    if (len == 126) {
        return head + 2 + ((size_t)p[2] << 8 | p[3]);
    }
    if (len == 127) {
        len = 0;
        for (int i = 2; i < 10; i++) {
            len = len << 8 | p[i];
        }
        return head + 8 + len;
    }
    return head + len;
}

int net_ws_send(struct net_ws *ws, const char *text, size_t len)
{
    if (ws->state != WS_OPEN || ws->ending) {
        return NET_ECLOSED;
    }
    if (len > ws->limits.max_queue ||
        net_ws_pending(ws) + len + FRAME_HEAD_MAX > ws->limits.max_queue) {
        ws->want_drain = true;
        return NET_EFULL;
    }
    if (!put_frame(ws, OP_TEXT, text, len)) {
        return NET_ENOMEM;
    }
    ws_ask_to_write(ws);
    return NET_OK;
}

size_t net_ws_pending(const struct net_ws *ws)
{
    return ws->out.len + ws->in_lws;
}

/* The kernel takes bytes and lws holds none of ours. Answer for lws: -1 = close. */
int ws_on_writable(struct net_ws *ws)
{
    if (ws->ending) {
        return 0;
    }
    if (lws_partial_buffered(ws->wsi)) {
        lws_callback_on_writable(ws->wsi);
        return 0;
    }
    ws->in_lws = 0;
    ws->waiting_us = 0;
    while (ws->out.len > 0) {
        size_t n = frame_len(ws);
        struct net_buf all = ws->out; /* the walk must not move the queue itself */
        while (n < all.len && n < WRITE_CHUNK) {
            ws->out.head = all.head + n;
            size_t more = frame_len(ws);
            if (n + more > WRITE_CHUNK) {
                break;
            }
            n += more;
        }
        ws->out.head = all.head;
        int wrote = lws_write(ws->wsi, (unsigned char *)buf_at(&ws->out), n, LWS_WRITE_RAW);
        if (wrote < (int)n) {
            return -1;
        }
        buf_consume(&ws->out, n);
        if (lws_partial_buffered(ws->wsi)) {
            ws->in_lws = n;
            ws->waiting_us = net_now_us();
            ws->want_drain = true;
            lws_callback_on_writable(ws->wsi);
            return 0;
        }
    }
    if (ws->state == WS_CLOSING) {
        ws->state = WS_CLOSE_SENT;
        lws_close_reason(ws->wsi, (enum lws_close_status)ws->end.code, (unsigned char *)ws->reason,
                         strlen(ws->reason));
        return -1; /* lws sends the close frame and waits for the peer's */
    }
    if (ws->want_drain && ws->state == WS_OPEN) {
        ws->want_drain = false;
        if (ws->events.on_drain) {
            ws->events.on_drain(ws->ctx, ws);
        }
    }
    return 0;
}

void net_ws_pause(struct net_ws *ws, bool paused)
{
    if (ws->paused == paused || ws->ending) {
        return;
    }
    ws->paused = paused;
    ws->rx_us = net_now_us();
    if (ws->wsi && ws->state == WS_OPEN) {
        lws_rx_flow_control(ws->wsi, paused ? 0 : 1);
    }
    ws_arm(ws);
}

void net_ws_close(struct net_ws *ws, int code, const char *reason)
{
    if (ws->ending || ws->state == WS_CLOSING || ws->state == WS_CLOSE_SENT) {
        return;
    }
    if (ws->state == WS_OPENING) {
        ws_end_later(ws, NET_WS_LOCAL, code, reason ? reason : "");
        return;
    }
    ws_say(ws, NET_WS_LOCAL, code, reason ? reason : "", reason ? strlen(reason) : 0);
    ws->state = WS_CLOSING;
    ws->close_us = net_now_us();
    if (ws->paused) { /* or the peer's close frame would never be read */
        ws->paused = false;
        lws_rx_flow_control(ws->wsi, 1);
    }
    ws_ask_to_write(ws);
    ws_arm(ws);
}

bool ws_lws_found_fault(struct net_ws *ws, struct lws *wsi)
{
    int len = lws_get_close_length(wsi);
    if (len < 2) {
        return false;
    }
    const unsigned char *p = lws_get_close_payload(wsi);
    ws_say(ws, NET_WS_VIOLATION, p[0] << 8 | p[1], (const char *)p + 2, (size_t)len - 2);
    return true;
}

/* Asked when a block seems to last: after a pause of this process (stopped, no core for it) bytes
 * have waited long that the kernel would have taken. */
static bool kernel_takes(const struct net_ws *ws)
{
    if (ws->wsi == NULL) {
        return false;
    }
    struct pollfd p = {.fd = lws_get_socket_fd(ws->wsi), .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

/* Its timer runs late: we were away (stopped, the machine frozen, no core for us). The peer had no
 * ping to answer in that time, or its answer is still on its way: its time begins anew. Once in a
 * silence, so that a loop that is always late finds a dead peer, too. */
static void excuse(struct net_ws *ws, int64_t now)
{
    if (!ws->excused && now - ws->due_us > ws->limits.dead_us / AWAY_PART) {
        ws->excused = true;
        ws->rx_us = now;
    }
}

/* Nobody is silent whose bytes wait unread: one turn of the loop does not read everything. */
static bool is_silent(struct net_ws *ws, int64_t now)
{
    int unread = 0;
    if (ws->wsi && ioctl(lws_get_socket_fd(ws->wsi), FIONREAD, &unread) == 0 && unread > 0) {
        ws->rx_us = now;
    }
    return now >= ws->rx_us + ws->limits.dead_us;
}

static void on_ws_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev;
    (void)revents;
    struct net_ws *ws = w->data;
    const struct net_ws_limits *l = &ws->limits;
    int64_t now = net_now_us();
    if (ws->ending) {
        return;
    }
    if (ws->state == WS_OPENING) {
        if (now >= ws->opened_us + l->open_us) {
            ws_end_later(ws, NET_WS_REFUSED, NET_WS_ABNORMAL, "no answer in time");
            return;
        }
    } else if (ws->state == WS_OPEN && ws_lws_found_fault(ws, ws->wsi)) {
        ws->state = WS_CLOSE_SENT;
        ws->close_us = now;
    } else if (ws->state != WS_OPEN && now >= ws->close_us + CLOSE_WAIT_US) {
        ws->ending = true; /* cause and code are those of the close */
        net_defer(ws->loop, &ws->task);
        return;
    } else if (l->block_us > 0 && ws->waiting_us && now >= ws->waiting_us + l->block_us) {
        if (!kernel_takes(ws)) {
            ws_end_later(ws, NET_WS_SLOW, NET_WS_ABNORMAL, "does not read");
            return;
        }
        ws->waiting_us = now; /* it was us who did not get to write */
    } else if (ws->state == WS_OPEN && !ws->paused) {
        excuse(ws, now);
        if (l->dead_us > 0 && now >= ws->rx_us + l->dead_us && is_silent(ws, now)) {
            ws_end_later(ws, NET_WS_SILENT, NET_WS_ABNORMAL, "silent");
            return;
        }
        int64_t last = ws->ping_us > ws->rx_us ? ws->ping_us : ws->rx_us;
        if (l->ping_us > 0 && now >= last + l->ping_us) {
            ws->ping_us = now;
            /* With a payload: lws keeps the pong of an empty ping to itself. Behind a queue that
             * does not move a ping says nothing new. */
            if (ws->out.len == 0 && put_frame(ws, OP_PING, "ping", 4)) {
                ws_ask_to_write(ws);
            }
        }
    }
    ws_arm(ws);
}

/* --- receiving --------------------------------------------------------------------------- */

/* The peer broke a rule: tell it and end. Not by a -1 from inside lws's receive callback: lws 4.1.6
 * goes on reading then, to hear the peer's close, without having emptied its buffer, and a peer
 * that goes on sending makes it write behind the buffer's end (found by a hostile Asterisk, attack
 * A6). So the close leaves at the next writable, and what arrives until the end is dropped. */
static int violation(struct net_ws *ws, int code, const char *why)
{
    if (ws->state == WS_OPEN) {
        ws_say(ws, NET_WS_VIOLATION, code, why, strlen(why));
        ws->state = WS_CLOSING;
        ws->close_us = net_now_us();
        buf_free(&ws->out); /* the close frame goes next, not behind a queue */
        buf_free(&ws->in);
        ws_ask_to_write(ws);
        ws_arm(ws);
    }
    return 0;
}

void ws_heard(struct net_ws *ws)
{
    ws->rx_us = net_now_us();
    ws->excused = false;
}

int ws_on_receive(struct net_ws *ws, const char *bytes, size_t len)
{
    ws_heard(ws);
    if (ws->ending || ws->state != WS_OPEN) {
        return 0;
    }
    size_t left = lws_remaining_packet_payload(ws->wsi);
    bool last = lws_is_final_fragment(ws->wsi) != 0;
    if (lws_frame_is_binary(ws->wsi)) {
        return ws->limits.ignore_binary ? 0 : violation(ws, NET_WS_UNSUPPORTED, "text only");
    }
    if (left > ws->limits.max_message || ws->in.len + len + left > ws->limits.max_message) {
        return violation(ws, NET_WS_TOO_BIG, "message too big");
    }
    if (!buf_append(&ws->in, bytes, len)) {
        return violation(ws, NET_WS_TRY_LATER, "no memory");
    }
    if (!last) {
        return 0;
    }
    buf_at(&ws->in)[ws->in.len] = '\0';
    if (!json_utf8_valid(buf_at(&ws->in), ws->in.len)) {
        return violation(ws, NET_WS_BAD_UTF8, "not UTF-8");
    }
    ws->events.on_message(ws->ctx, ws, buf_at(&ws->in), ws->in.len);
    buf_consume(&ws->in, ws->in.len);
    return 0;
}

/* --- beginning --------------------------------------------------------------------------- */

static void limits_defaults(struct net_ws_limits *l)
{
    l->max_message = l->max_message ? l->max_message : 64u * 1024u;
    l->max_queue = l->max_queue ? l->max_queue : 256u * 1024u;
    l->ping_us = l->ping_us ? l->ping_us : US_PER_S;
    l->dead_us = l->dead_us ? l->dead_us : 2500 * US_PER_MS;
    l->block_us = l->block_us ? l->block_us : 5 * US_PER_S;
    l->open_us = l->open_us ? l->open_us : 3 * US_PER_S;
}

struct net_ws *ws_new(struct net_loop *loop, const struct net_ws_limits *limits,
                      const struct net_ws_events *events, void *ctx,
                      void (*task)(struct net_task *))
{
    struct net_ws *ws =
        events && events->on_message && events->on_close ? calloc(1, sizeof *ws) : NULL;
    if (!ws) {
        return NULL;
    }
    ws->loop = loop;
    ws->events = *events;
    ws->ctx = ctx;
    ws->limits = limits ? *limits : (struct net_ws_limits){0};
    limits_defaults(&ws->limits);
    ws->fd = -1;
    ws->task.fn = task;
    ws->opened_us = net_now_us();
    link_init(&ws->task.link);
    link_append(&loop->sockets, &ws->link);
    net_ev_timer_init(&ws->timer, on_ws_timer, ws);
    return ws;
}
