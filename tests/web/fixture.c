/* fixture.c - the adapter in its thread, and clients in the test's. */
#include "tests/web/fixture.h"

#include "adapters/secret/secret.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct web *web;

int setup_web(void **state)
{
    const struct net_loop_config config = {0};
    const struct web_options options = {.one_time_role = ROLE_ADMIN};
    char err[200];

    (void)state;
    assert_int_equal(secret_init(), 0);
    fake_reset();
    loop = net_loop_open(&config, err, sizeof err);
    assert_non_null(loop);
    web = web_open(&options, err, sizeof err);
    if (web == NULL) {
        fail_msg("web_open: %s", err);
    }
    page_port = web_port(web);
    assert_int_equal(web_start(web), 0);
    return 0;
}

int teardown_web(void **state)
{
    (void)state;
    net_loop_close(loop);
    web_close(web);
    web_stop(web);
    web_fini(web);
    fake_reset();
    return 0;
}

/* --- HTTP ----------------------------------------------------------------------------------- */

const char *ask(const char *method, const char *path, const char *extra, const char *body)
{
    static char answer[256 * 1024];
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(web_port(web)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 20};
    char request[8192];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t n;

    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s", method, path,
             web_port(web), extra);
    if (body != NULL) {
        snprintf(request + strlen(request), sizeof request - strlen(request),
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    }
    snprintf(request + strlen(request), sizeof request - strlen(request), "\r\n%s",
             body != NULL ? body : "");
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    while ((n = read(fd, answer + len, sizeof answer - 1 - len)) > 0) {
        len += (size_t)n;
    }
    answer[len] = '\0';
    close(fd);
    assert_true(len > 12);
    return answer;
}

void expect_counted(const char *name, unsigned value)
{
    char line[80];

    snprintf(line, sizeof line, "\n%s %u\n", name, value);
    for (int tries = 0; strstr(ask("GET", "/metrics", "", NULL), line) == NULL; tries++) {
        if (tries == 2000) {
            fail_msg("/metrics does not say \"%s %u\"", name, value);
        }
    }
}

int status_of(const char *answer)
{
    return atoi(answer + 9);
}

const char *cookie_of(const char *answer)
{
    static char line[256];
    const char *at = strstr(answer, "Set-Cookie: ");

    assert_non_null(at);
    at += 12;
    snprintf(line, sizeof line, "Cookie: %.*s\r\n", (int)strcspn(at, ";"), at);
    return line;
}

const char *member_of(const char *answer, const char *name)
{
    static char value[512];
    const char *body = strstr(answer, "\r\n\r\n");
    struct json doc;

    json_init(&doc, 0);
    assert_non_null(body);
    if (json_parse(&doc, body + 4, strlen(body + 4)) != 0) {
        fail_msg("no JSON: %s", body + 4);
    }
    snprintf(value, sizeof value, "%s", json_str(&doc, json_get(&doc, JSON_ROOT, name), ""));
    json_free(&doc);
    return value;
}

const char *ticket_of(uint64_t agent, enum role role)
{
    static char ticket[64];
    static uint64_t request;
    const struct msg_ticket_ask ask_msg = {.client = 1,
                                           .request = ++request,
                                           .reply_to = ADDR_CTL,
                                           .agent = agent,
                                           .account = 1,
                                           .role = (uint8_t)role,
                                           .name = T("Somebody"),
                                           .valid_s = 60};
    const struct msg_reply *reply;
    struct json doc;

    fake_post(MSG_ticket_ask, &ask_msg);
    reply = fake_sent(MSG_reply, NULL);
    assert_int_equal(reply->request, request);
    assert_int_equal(reply->result, RESULT_OK);
    json_init(&doc, 0);
    assert_int_equal(json_parse(&doc, reply->json.ptr, reply->json.len), 0);
    snprintf(ticket, sizeof ticket, "%s", json_str(&doc, json_get(&doc, JSON_ROOT, "ticket"), ""));
    json_free(&doc);
    return ticket;
}

/* --- views ---------------------------------------------------------------------------------- */

void show_agent(uint64_t agent, enum agent_state state, const char *attempt)
{
    const struct msg_view_agent m = {.agent = agent,
                                     .name = T("Ada"),
                                     .state = (uint8_t)state,
                                     .campaign = 1,
                                     .attempt = {attempt, (uint32_t)strlen(attempt)},
                                     .since_wall_ms = 1000};

    fake_post(MSG_view_agent, &m);
}

void show_call(const char *attempt, uint64_t agent, enum attempt_state state)
{
    const struct msg_view_call m = {.attempt = {attempt, (uint32_t)strlen(attempt)},
                                    .campaign = 1,
                                    .agent = agent,
                                    .lead = 3,
                                    .number = T("+12125550123"),
                                    .name = T("Lead <b>Three</b>"),
                                    .state = (uint8_t)state};

    fake_post(MSG_view_call, &m);
}

void show_campaign(uint64_t campaign, uint32_t ringing)
{
    const struct msg_view_campaign m = {.campaign = campaign,
                                        .name = T("Spring"),
                                        .state = CAMPAIGN_RUNNING,
                                        .mode = MODE_RATIO,
                                        .ringing = ringing};

    fake_post(MSG_view_campaign, &m);
}
