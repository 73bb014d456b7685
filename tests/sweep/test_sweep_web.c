/*
 * test_sweep_web.c - the pages' server (adapters/web and net) while memory fails in its thread, or
 * the calls to the kernel that are made there: a login and a page's whole way. A request is
 * answered or cut off; a page that was let in hears of what comes, or is cut off, so that it asks
 * again; afterwards all goes as ever, and nothing leaks.
 */
#include "tests/support/sweep.h"
#include "tests/web/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/endpoint.h"

static uint32_t shown; /* the last number that campaign 1 had */

/* What stands for the bus makes copies of its own, in the adapter's thread, too. */
/* NOLINTBEGIN(readability-identifier-naming): the linker's names */
int __real_endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg);
int __wrap_endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg);
int __wrap_endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg)
/* NOLINTEND(readability-identifier-naming) */
{
    int rc;

    sweep_spare_me(true);
    rc = __real_endpoint_send(ep, to, type, msg);
    sweep_spare_me(false);
    return rc;
}

/* A login that is refused: the whole answer comes, or the connection ends; never silence. */
static void logs_in(void)
{
    static const char body[] = "{\"user\":\"bob\",\"password\":\"wrong\"}";
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(page_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 30};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char bytes[4096];
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(bytes, sizeof bytes,
             "POST /login HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             page_port, strlen(body), body);
    (void)send(fd, bytes, strlen(bytes), MSG_NOSIGNAL);
    do {
        n = recv(fd, bytes, sizeof bytes, 0);
    } while (n > 0);
    assert_true(n == 0 || errno == ECONNRESET);
    close(fd);
}

static void hello(struct page *p, const char *ticket)
{
    char text[200];

    snprintf(text, sizeof text, "{\"type\":\"hello\",\"ticket\":\"%s\"}", ticket);
    if (p->open && !p->closed) {
        (void)net_ws_send(p->ws, text, strlen(text));
    }
}

/* Has one of the page's messages this in it? */
static bool heard(const struct page *p, const char *text)
{
    for (unsigned i = 0; i < p->n; i++) {
        if (strstr(p->message[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

static bool hears_the_campaign(const struct page *p)
{
    char text[40];

    snprintf(text, sizeof text, "\"ringing\":%u", shown);
    return heard(p, text);
}

/* A page's whole way, with a place among its parts where something fails. */
static struct page *work(const char *ticket)
{
    struct page *p;

    logs_in();
    p = page_new(NULL, "dialer.v1", NULL);
    hello(p, ticket);
    run_until(p->closed || heard(p, "\"changes\""));
    show_campaign(1, ++shown);
    return p;
}

static bool sweep_one(enum sweep_kind kind, int error, unsigned nth)
{
    char ticket[64];
    struct page *p, *next;
    bool failed;

    snprintf(ticket, sizeof ticket, "%s", ticket_of(9, ROLE_SUPERVISOR));
    show_campaign(1, ++shown);
    sweep_spare_me(true);
    sweep_arm(kind, nth, error, false);
    p = work(ticket);
    failed = sweep_disarm();
    sweep_spare_me(false);
    show_campaign(1, ++shown); /* an actor tells its view again and again */
    run_until(p->closed || hears_the_campaign(p));
    next = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    run_until(hears_the_campaign(next));
    assert_false(next->closed);
    page_free(next);
    page_free(p);
    return failed;
}

static void memory_fails(void **state)
{
    (void)state;
    sweep_run("web", sweep_one, SWEEP_MEMORY, ENOMEM, sweep_stride(3));
}

static void the_connection_fails(void **state)
{
    (void)state;
    sweep_run("web", sweep_one, SWEEP_BELOW_CONNECT, EMFILE, 1);
    sweep_run("web", sweep_one, SWEEP_BELOW_LINK, ECONNRESET, sweep_stride(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_fails, setup_web, teardown_web),
        cmocka_unit_test_setup_teardown(the_connection_fails, setup_web, teardown_web),
    };

    return cmocka_run_group_tests_name("sweep_web", tests, NULL, NULL);
}
