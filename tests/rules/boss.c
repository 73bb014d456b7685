/* boss.c - see boss.h. */
#include "tests/rules/boss.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *boss_post(const char *path, const char *cookie, const char *body, int *status)
{
    static char answer[8192];
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(page_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[1024];
    size_t len = 0;
    ssize_t n;

    snprintf(text, sizeof text,
             "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             path, page_port, cookie, strlen(body), body);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    while ((n = read(fd, answer + len, sizeof answer - 1 - len)) > 0) {
        len += (size_t)n;
    }
    close(fd);
    answer[len] = '\0';
    *status = (int)strtol(answer + (len > 9 ? 9 : 0), NULL, 10);
    return answer;
}

static const char *post(const char *path, const char *cookie, const char *body)
{
    int status;
    const char *answer = boss_post(path, cookie, body, &status);

    if (status != 200) {
        fail_msg("POST %s: %s", path, answer);
    }
    return answer;
}

void boss_cookie(const char *login, char cookie[256])
{
    char body[128];
    const char *at;

    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"correct horse\"}", login);
    at = strstr(post("/login", "", body), "Set-Cookie: ");
    assert_non_null(at);
    at += strlen("Set-Cookie: ");
    snprintf(cookie, 256, "Cookie: %.*s\r\n", (int)strcspn(at, ";"), at);
}

void boss_ticket(const char *cookie, char ticket[128])
{
    const char *at = strstr(post("/ticket", cookie, "{}"), "\"ticket\":\"");

    assert_non_null(at);
    at += strlen("\"ticket\":\"");
    snprintf(ticket, 128, "%.*s", (int)strcspn(at, "\""), at);
}

void boss_again(struct seat *s, const char *login)
{
    char cookie[256];
    char ticket[128];

    *s = (struct seat){0};
    json_init(&s->doc, 1024u * 1024u);
    boss_cookie(login, cookie);
    boss_ticket(cookie, ticket);
    s->page = page_hello(ticket, NULL, 0);
}

void boss_new(struct seat *s, const char *login, const char *name)
{
    int64_t agent;

    ctl("agent|add|%s|--name|%s|--role|supervisor|--password-file|password", login, name);
    agent = ctl_number("id");
    boss_again(s, login);
    s->agent = agent;
}

const char *boss_switch(struct seat *s, int64_t campaign, const char *action)
{
    char members[80];

    snprintf(members, sizeof members, ",\"campaign\":%lld,\"action\":\"%s\"", (long long)campaign,
             action);
    return seat_ask(s, "campaign_switch", members);
}
