/*
 * fuzz_socket.c - the network as a hostile peer sees it, over real sockets and through
 * libwebsockets. The first byte says: 0  bytes to our HTTP server             1  a websocket
 * handshake, then bytes      2  the same with well-made frames 3  bytes as an answer to our client
 * 4  a handshake's answer, then bytes to our websocket client Each ends by itself, with every
 * callback that net.h promises called exactly once.
 */
#include "tests/fuzz/fuzz.h"

#include "adapters/net/json.h"
#include "adapters/net/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INPUT_MAX 16384
#define PATIENCE_US (10 * US_PER_S)

static struct net_loop *loop;
static struct net_server *server;
static int listener = -1; /* plays a server */
static uint16_t listener_port;
static char server_path[64];
static unsigned websockets; /* open, on our side */
static unsigned connections;
static unsigned done;

/* --- our side --------------------------------------------------------------------------------- */

static void on_open(void *ctx, struct net_ws *ws)
{
    (void)ctx;
    (void)net_ws_send(ws, "hello", 5);
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    (void)ctx;
    MUST(len <= 4096 && text[len] == '\0' && json_utf8_valid(text, len));
    (void)net_ws_send(ws, text, len);
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ctx;
    (void)ws;
    MUST(websockets > 0 && end->reason != NULL);
    websockets--;
    done++;
}

static const struct net_ws_events ws_events = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};
static const struct net_ws_limits ws_limits = {.max_message = 4096, .open_us = US_PER_S};

static void on_request(void *ctx, struct net_req *req)
{
    (void)ctx;
    touch(net_req_path(req));
    touch(net_req_query(req));
    touch(net_req_body(req));
    if (net_req_is_websocket(req)) {
        websockets++;
        if (net_ws_accept(req, NULL, &ws_limits, &ws_events, NULL) == NULL) {
            websockets--;
        }
        return;
    }
    (void)net_respond_text(req, 200, "text/plain", net_req_method(req));
}

static void on_connection(void *ctx, uint64_t connection, bool open)
{
    (void)ctx;
    (void)connection;
    MUST(open || connections > 0);
    connections += open ? 1u : (unsigned)-1;
}

static void on_done(void *ctx, const struct net_http_result *result)
{
    (void)ctx;
    MUST(result->body != NULL && result->body[result->len] == '\0' && result->error != NULL);
    MUST(result->fate == NET_ANSWERED || result->error[0] != '\0');
    done++;
}

/* --- the peer --------------------------------------------------------------------------------- */

/* A port of its own for some thousand connections: each leaves its pair of ports waiting for a
 * minute. */
static void listen_anew(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    if (listener >= 0) {
        close(listener);
    }
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(listener >= 0);
    MUST(bind(listener, (const struct sockaddr *)(const void *)&at, sizeof at) == 0 &&
         listen(listener, 16) == 0 &&
         getsockname(listener, (struct sockaddr *)(void *)&at, &size) == 0);
    listener_port = ntohs(at.sin_port);
}

static int connect_to_server(void)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof to.sun_path, "%s", server_path);
    MUST(fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) == 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* A turn of the loop, while the peer reads and throws away. False once we have closed. */
static bool turn(int fd)
{
    char sink[4096];
    ssize_t n = 1;

    net_loop_run_once(loop, 0);
    while (n > 0) {
        n = recv(fd, sink, sizeof sink, MSG_DONTWAIT);
    }
    return n < 0;
}

static void run_out(int fd, const unsigned *left)
{
    const int64_t until = net_now_us() + PATIENCE_US;

    shutdown(fd, SHUT_WR);
    while (turn(fd) || *left > 0) {
        MUST(net_now_us() < until);
    }
    close(fd);
}

static void to_server(const char *head, const char *bytes, size_t len)
{
    const int fd = connect_to_server();

    (void)send(fd, head, strlen(head), MSG_NOSIGNAL);
    (void)send(fd, bytes, len, MSG_NOSIGNAL);
    while (connections == 0) {
        net_loop_run_once(loop, 0);
    }
    run_out(fd, &connections);
    MUST(websockets == 0);
}

/* opcode and flags, a length, then so many bytes: as a client's frame, masked. */
static size_t frames(struct bytes b, char *out)
{
    size_t n = 0;

    while (b.left > 0) {
        const unsigned first = take_byte(&b);
        size_t len = take_byte(&b);
        len = len < b.left ? len : b.left;
        out[n++] = (char)first;
        if (len < 126) {
            out[n++] = (char)(0x80 | len);
        } else {
            out[n++] = (char)(0x80 | 126);
            out[n++] = (char)(len >> 8);
            out[n++] = (char)len;
        }
        memset(out + n, 0, 4); /* masked with nothing */
        memcpy(out + n + 4, b.at, len);
        n += 4 + len;
        b.at += len;
        b.left -= len;
    }
    return n;
}

/* The handshake's answer to the request that stands in `request`. */
static size_t accepted(const char *request, char *out, size_t size)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const char *key = strcasestr(request, "Sec-WebSocket-Key: ");
    unsigned char text[128];
    unsigned char digest[20];
    char base64[40];
    int n;

    if (key == NULL) {
        return 0;
    }
    n = snprintf((char *)text, sizeof text, "%.*s%s", 24, key + 19, guid);
    lws_SHA1(text, (size_t)n, digest);
    lws_b64_encode_string((const char *)digest, sizeof digest, base64, sizeof base64);
    n = snprintf(out, size,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\n\r\n",
                 base64);
    return (size_t)n;
}

/* Takes what our client sends up to the empty line. */
static int serve_one(char *request, size_t size)
{
    const int64_t until = net_now_us() + PATIENCE_US;
    size_t len = 0;
    int fd = -1;

    while (len == 0 || strstr(request, "\r\n\r\n") == NULL) {
        MUST(net_now_us() < until && done == 0);
        net_loop_run_once(loop, 0);
        if (fd < 0) {
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            continue;
        }
        const ssize_t n = recv(fd, request + len, size - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
        request[len] = '\0';
    }
    return fd;
}

static void run_client(const char *head, size_t head_len, const char *bytes, size_t len, int fd)
{
    const int64_t until = net_now_us() + PATIENCE_US;

    (void)send(fd, head, head_len, MSG_NOSIGNAL);
    (void)send(fd, bytes, len, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (done == 0) {
        MUST(net_now_us() < until);
        (void)turn(fd);
    }
    close(fd);
}

static void to_http_client(const char *bytes, size_t len)
{
    const struct net_http_config config = {
        .host = "127.0.0.1", .port = listener_port, .max_connections = 1, .max_body = 4096};
    const struct net_http_call call = {.method = "GET", .target = "/", .on_done = on_done};
    char request[1024];
    char err[128];
    struct net_http *http = net_http_open(loop, &config, err, sizeof err);

    MUST(http != NULL && net_http_send(http, &call) == NET_OK);
    run_client("", 0, bytes, len, serve_one(request, sizeof request));
    net_http_close(http);
    MUST(done == 1);
}

static void to_ws_client(const char *bytes, size_t len)
{
    const struct net_ws_target target = {.host = "127.0.0.1", .port = listener_port, .path = "/"};
    char request[1024];
    char head[256];
    int fd;

    websockets++;
    MUST(net_ws_connect(loop, &target, &ws_limits, &ws_events, NULL) != NULL);
    fd = serve_one(request, sizeof request);
    run_client(head, accepted(request, head, sizeof head), bytes, len, fd);
    MUST(done == 1 && websockets == 0);
}

/* -----------------------------------------------------------------------------------------------
 */

static void make_loop(void)
{
    static const struct net_loop_config config = {.on_wake = NULL};
    static const struct net_server_events events = {.on_request = on_request,
                                                    .on_connection = on_connection};
    const struct net_server_config where = {
        .unix_path = server_path, .max_target = 1024, .max_header = 4096};
    char err[128];

    snprintf(server_path, sizeof server_path, "/tmp/fuzz-socket-%d", (int)getpid());
    loop = net_loop_open(&config, err, sizeof err);
    MUST(loop != NULL);
    server = net_listen(loop, &where, &events, NULL, err, sizeof err);
    MUST(server != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char upgrade[] =
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    static char made[8 * INPUT_MAX];
    struct bytes b = {data, size < INPUT_MAX ? size : INPUT_MAX};
    const unsigned what = take_byte(&b);
    const char *bytes = (const char *)b.at;

    static unsigned inputs;

    if (loop == NULL) {
        make_loop();
    }
    if (inputs++ % 8192 == 0) {
        listen_anew();
    }
    done = 0;
    switch (what % 5) {
    case 0:
        to_server("", bytes, b.left);
        break;
    case 1:
        to_server(upgrade, bytes, b.left);
        break;
    case 2:
        to_server(upgrade, made, frames(b, made));
        break;
    case 3:
        to_http_client(bytes, b.left);
        break;
    default:
        to_ws_client(bytes, b.left);
        break;
    }
    return 0;
}
