/* attack.c - see attack.h. */
#include "tests/attacks/attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (2u * 1024u * 1024u)

struct place place;
static char *answer;

int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the stage -------------------------------------------------------------------------------- */

static void must(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void must(const char *format, ...)
{
    char words[512];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    place_expect(&place, words, 0, NULL);
}

void attack_begin(const char *store, const char *web, unsigned agents)
{
    const struct net_loop_config config = {.on_wake = NULL};
    char text[1400];
    char sqlite[120];
    char err[200];

    place_open(&place);
    place.talk = "constant:1";
    loop = net_loop_open(&config, err, sizeof err);
    assert_non_null(loop);
    place_sim(&place, 0);
    place_write(&place, "agent.password", SECRET_OF_AGENT "\n");
    place_write(&place, "store.password", SECRET_OF_STORE "\n");
    snprintf(sqlite, sizeof sqlite, "url = \"sqlite:%s/db\"", place.dir);
    snprintf(text, sizeof text,
             "[daemon]\nname = attacked\ndrain_time = 1s\n"
             "[store]\n%s\npassword_file = %s/store.password\n[ctl]\nsocket = \"%s\"\n"
             "[pbx one]\nurl = http://127.0.0.1:%u\npassword_file = %s/ari.password\n"
             "[web]\nport = 0\n%s",
             store != NULL ? store : sqlite, place.dir, place.socket, place.ari_port, place.dir,
             web);
    place_write(&place, "dialerd.conf", text);
    place_start(&place, true);
    page_port = (uint16_t)strtoul(strrchr(place.page, ':') + 1, NULL, 10);
    must("trunk add carrier pbx=one endpoint=PJSIP/{number}@carrier lines=100 cps=50");
    must("campaign add spring mode=ratio ratio=2 trunk=1 caller_id=+12125550100 prefixes=+1 "
         "message=sorry from=00:00 to=00:00 wrapup_timeout=1 retry=60");
    must("list add first --campaign 1");
    for (unsigned i = 1; i <= agents; i++) {
        must("agent add agent%u --password-file %s/agent.password", i, place.dir);
        must("agent phone %u --endpoint PJSIP/%u --pbx one", i, 1000 + i);
        must("agent assign %u --campaign 1", i);
    }
}

void attack_end(void)
{
    net_loop_close(loop);
    place_close(&place);
    free(answer);
    answer = NULL;
}

/* --- payloads --------------------------------------------------------------------------------- */

static const char *const bricks[] = {
    "'",
    "\"",
    "';--",
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "'; DROP TABLE lead; --",
    "1; SELECT pg_sleep(10)--",
    "') UNION SELECT rolpassword FROM pg_authid--",
    "$$",
    "$1",
    "?1",
    "\\'",
    "\\",
    "'||(SELECT version())||'",
    "/*",
    "*/",
    "E'\\x27'",
    "\xca\xbc",
    "\xef\xbc\x87",
    "{1,2}",
    "NULL",
    "\",\"",
    "};{",
    ",",
    "COPY t FROM PROGRAM 'id'",
    /* commands */
    "; id",
    "| id",
    "`id`",
    "$(id)",
    "&& touch /tmp/attacked",
    "\n/bin/sh -c id\n",
    "%0aid",
    /* dial strings */
    "+12125550123&PJSIP/900123",
    "300&Zap/g1/0900",
    "@carrier",
    "PJSIP/1@evil",
    "Local/s@nowhere",
    "${SHELL(id)}",
    "${FILE(/etc/passwd)}",
    "|",
    ";",
    "(",
    ")",
    "<sip:a@b>",
    "\r\nVia: x",
    /* markup and formulas */
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "</script>",
    "{{7*7}}",
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "=1",
    /* paths, formats, the rest */
    "../../../../etc/passwd",
    "..%2f..%2f",
    "%s%s%n",
    "%x",
    "\x01\x1b[31m",
    "\xe2\x80\xae",
    "\xf0\x9f\x98\x80",
    "att-0001-00000001-00000001-00000001",
    "9223372036854775808",
    "-1",
    "1e309",
};

static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 31) * 0x9e3779b97f4a7c15u;
    return (n ^ n >> 29) * 0xbf58476d1ce4e5b9u;
}

size_t payload(uint64_t n, char *out, size_t size)
{
    const size_t count = sizeof bricks / sizeof *bricks;
    uint64_t r = mix(n + 1);
    const unsigned parts = n < count ? 1 : 2 + (unsigned)(r >> 60) % 3;
    size_t len = 0;

    for (unsigned i = 0; i < parts; i++) {
        const char *brick = bricks[i == 0 ? n % count : (r >> (8 * i)) % count];
        const size_t add = strlen(brick);
        if (len + add < size) {
            memcpy(out + len, brick, add);
            len += add;
        }
    }
    out[len] = '\0';
    return len;
}

size_t payload_json(uint64_t n, char *out, size_t size)
{
    char text[256];
    size_t len = 0;

    payload(n, text, sizeof text);
    for (const char *c = text; *c != '\0' && len + 8 < size; c++) {
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20) {
            len += (size_t)snprintf(out + len, size - len, "\\u%04x", (unsigned char)*c);
        } else {
            out[len++] = *c;
        }
    }
    out[len] = '\0';
    return len;
}

/* --- raw conversation ---------------------------------------------------------------------------
 */

static void be_patient(int fd)
{
    const struct timeval wait = {.tv_sec = 20};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

int wire_open(const char *from)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&at;
    const int on = 1;

    assert_true(fd >= 0);
    be_patient(fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (from != NULL) {
        setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        inet_pton(AF_INET, from, &at.sin_addr);
        assert_int_equal(bind(fd, address, sizeof at), 0);
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(page_port);
    if (connect(fd, address, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool wire_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

size_t wire_read(int fd, char *out, size_t size, const char *until)
{
    size_t len = 0;
    ssize_t n;

    out[0] = '\0';
    while (len + 1 < size && (n = recv(fd, out + len, size - 1 - len, 0)) > 0) {
        len += (size_t)n;
        out[len] = '\0';
        if (until != NULL && strstr(out, until) != NULL) {
            break;
        }
    }
    return len;
}

const char *http_ask(const char *from, const char *method, const char *path, const char *headers,
                     const char *body)
{
    static char request[128u * 1024u];
    const int fd = wire_open(from);
    int n;

    if (answer == NULL) {
        answer = malloc(ANSWER_MAX);
    }
    answer[0] = '\0';
    if (fd < 0) {
        return answer;
    }
    n = snprintf(request, sizeof request,
                 "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s", method, path,
                 headers);
    if (body != NULL) {
        n += snprintf(request + n, sizeof request - (size_t)n,
                      "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    }
    n += snprintf(request + n, sizeof request - (size_t)n, "\r\n%s", body != NULL ? body : "");
    if (wire_send(fd, request, (size_t)n)) {
        wire_read(fd, answer, ANSWER_MAX, NULL);
    }
    close(fd);
    return answer;
}

int status_of(const char *text)
{
    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

int log_in(const char *from, const char *user, const char *password)
{
    char body[1024];

    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    return status_of(http_ask(from, "POST", "/login", "", body));
}

int ctl_say(const char *command, const char *args)
{
    static char text[64u * 1024u];
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *result;
    int n;

    be_patient(fd);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", place.socket);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
    n = snprintf(text, sizeof text, "{\"id\":1,\"command\":\"%s\",\"args\":{%s}}\n", command, args);
    assert_true(wire_send(fd, text, (size_t)n));
    wire_read(fd, text, sizeof text, "\"end\":");
    close(fd);
    result = strstr(text, "\"result\":");
    return result != NULL ? (int)strtol(result + 9, NULL, 10) : -1;
}

long long metric(const char *name)
{
    const char *text = http_ask(NULL, "GET", "/metrics", "", NULL);
    char line[80];
    const char *at;

    snprintf(line, sizeof line, "\n%s ", name);
    at = strstr(text, line);
    return at != NULL ? strtoll(at + strlen(line), NULL, 10) : -1;
}

const char *ticket(unsigned agent)
{
    static char text[64];
    char words[80];
    struct ran r;

    snprintf(words, sizeof words, "agent ticket --agent %u --bare", agent);
    r = place_ctl(&place, words);
    assert_int_equal(r.status, 0);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(r.out, "\n"), r.out);
    ran_free(&r);
    return text;
}

/* --- how it is -----------------------------------------------------------------------------------
 */

long rss_kib(void)
{
    char path[64];
    char text[4096];
    FILE *f;
    const char *at;
    size_t n;

    snprintf(path, sizeof path, "/proc/%d/status", (int)place.daemon.pid);
    f = fopen(path, "re");
    assert_non_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    at = strstr(text, "VmRSS:");
    return at != NULL ? strtol(at + 6, NULL, 10) : 0;
}

bool alive(void)
{
    int status = 0;
    const bool ended = child_ended(&place.daemon, &status);

    if (ended) {
        char *log = place_read(&place, "dialerd.log");
        const size_t len = strlen(log);
        print_error("the daemon has ended, status %d:\n", status);
        for (const char *at = log + (len > 6000 ? len - 6000 : 0); *at != '\0';) {
            const int n = (int)strcspn(at, "\n"); /* print_error cuts what is long */
            print_error("%.*s\n", n < 300 ? n : 300, at);
            at += n + (at[n] != '\0');
        }
        free(log);
    }
    return !ended && status_of(http_ask(NULL, "GET", "/livez", "", NULL)) == 200;
}

double probe_ms(void)
{
    struct timespec from;
    struct timespec to;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &from);
    status = status_of(http_ask("127.9.9.9", "GET", "/livez", "", NULL));
    clock_gettime(CLOCK_MONOTONIC, &to);
    return status == 200
               ? (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6
               : 10000;
}

int doors_open(void **state)
{
    (void)state;
    attack_begin(NULL, "max_clients = 1000\n", 4);
    return 0;
}

int doors_close(void **state)
{
    (void)state;
    attack_end();
    return 0;
}

void others_are_served(void)
{
    struct page *p;
    struct json doc;

    assert_true(alive());
    p = page_hello(ticket(4), NULL, 0);
    json_init(&doc, 0);
    page_next(p, "welcome", &doc);
    page_send(p, "{\"type\":\"ping\",\"id\":1}");
    page_next(p, "reply", &doc);
    json_free(&doc);
    page_free(p);
}
