/*
 * test_hopper.c - Redis in the middle of dialing: emptied, started anew, poisoned. It is a hint:
 * whatever stands in it no lead is lost, none is called twice, and dialing goes on within 2 s.
 */
#include "tests/rules/seat.h"
#include "tests/support/services.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEATS 3
#define LEADS 60u

static struct support_redis redis;

static int close_all(void **state)
{
    stack_down(state);
    if (redis.folder[0] != '\0') {
        support_redis_stop(&redis);
    }
    return 0;
}

static int redis_socket(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)redis.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    return fd;
}

/* Does the campaign's list hold anything? Not while it is none. */
static bool refilled(const struct site *site)
{
    char text[64];
    const int fd = redis_socket();
    ssize_t n;

    snprintf(text, sizeof text, "LLEN hopper:%lld\r\n", (long long)site->campaign);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    n = read(fd, text, sizeof text);
    close(fd);
    return n > 1 && text[0] == ':' && text[1] != '0';
}

/* Inline commands, one a line; each must be done. */
static void redis_does(const char *lines, unsigned count)
{
    const int fd = redis_socket();
    char answer[256];

    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    while (count > 0) {
        const ssize_t n = read(fd, answer, sizeof answer);
        assert_true(n > 0);
        for (ssize_t i = 0; i < n; i++) {
            assert_true(answer[i] != '-');
            count -= answer[i] == '\n';
        }
    }
    close(fd);
}

/* Twenty thousand rows that are not there, and ones that are, again and again. */
static void flood(const struct site *site)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    for (unsigned i = 0; i < 20000; i += 100) {
        fprintf(f, "LPUSH hopper:%lld", (long long)site->campaign);
        for (unsigned k = 0; k < 100; k++) {
            fprintf(f, " %u", k % 2 != 0 ? 1000000 + i + k : 1 + k % LEADS);
        }
        fputs("\r\n", f);
    }
    fclose(f);
    redis_does(text, 200);
    free(text);
}

static void disturb(const struct site *site, unsigned which)
{
    const long long campaign = site->campaign;
    char line[512];

    switch (which) {
    case 0:
        redis_does("FLUSHALL\r\n", 1);
        break;
    case 1:
        support_redis_kill(&redis);
        assert_int_equal(support_redis_again(&redis), 0);
        break;
    case 2: /* rubbish, numbers that are none, and one that is longer than any */
        snprintf(line, sizeof line,
                 "LPUSH hopper:%lld x -1 0 18446744073709551616 1e9 '' 1;DROP "
                 "99999999999999999999999999999999999999999999999999999999999999999999999999\r\n",
                 campaign);
        redis_does(line, 1);
        break;
    case 3: /* not a list at all */
        snprintf(line, sizeof line, "DEL hopper:%lld\r\nSET hopper:%lld nonsense\r\n", campaign,
                 campaign);
        redis_does(line, 2);
        break;
    default:
        flood(site);
        break;
    }
}

static const char *const names[] = {"FLUSHALL", "restart", "rubbish", "wrong type", "flood"};
static const bool empties[] = {true, true, false, true, false};
#define DISTURBANCES 5u
/* Promised are 2 s; a machine that compiles beside it may take as long again. */
#define REFILL_MOST_MS 4000

static void nothing_in_redis_stops_dialing(void **state)
{
    char why[300] = "";
    char url[64];
    const int started = support_redis_start(&redis, why, sizeof why);
    struct site site;
    struct seat s[SEATS];
    unsigned next = 0;
    unsigned at = 0;
    int64_t from_us = 0;
    int64_t worst_ms = 0;
    int64_t empty_us = 0; /* since when it has been empty */
    unsigned refills = 0;
    const int64_t until_us = net_now_us() + 90 * US_PER_S;

    (void)state;
    snprintf(url, sizeof url, "url = redis://127.0.0.1:%d/0", redis.port);
    stack_open(&(struct stack_parts){.hopper = started == 0 ? url : NULL});
    if (started == 77) {
        skip();
    }
    site = site_new("progressive", ANSWERS AND_TALKS("0.3"),
                    "leg=permanent|hopper_size=10|hopper_low=3|retry=600");
    site_leads(&site, LEADS);
    site_start(&site);
    for (int i = 0; i < SEATS; i++) {
        seat_new(&s[i], site.campaign);
        seat_work(&s[i]);
    }
    for (unsigned dialed = 0; dialed < LEADS; dialed = dialed_by(&site)) {
        assert_true(net_now_us() < until_us);
        net_loop_run_once(loop, 20 * US_PER_MS);
        for (int i = 0; i < SEATS; i++) {
            seat_serve(&s[i]);
        }
        if (empty_us != 0 && refilled(&site)) {
            const int64_t ms = (net_now_us() - empty_us) / US_PER_MS;
            print_message("%s: refilled after %lld ms\n", names[next - 1], (long long)ms);
            assert_in_range(ms, 0, REFILL_MOST_MS);
            refills++;
            empty_us = 0;
        }
        /* Those that had been taken do not tell anything: one more than there are agents. */
        if (from_us != 0 && dialed > at + SEATS) {
            const int64_t ms = (net_now_us() - from_us) / US_PER_MS;
            print_message("%s: dialing again after at most %lld ms\n", names[next - 1],
                          (long long)ms);
            worst_ms = ms > worst_ms ? ms : worst_ms;
            from_us = 0;
        }
        if (from_us == 0 && empty_us == 0 && next < DISTURBANCES && dialed >= 3 + 10 * next) {
            disturb(&site, next++);
            at = dialed_by(&site);
            from_us = net_now_us();
            empty_us = empties[next - 1] ? from_us : 0;
        }
    }
    assert_int_equal(refills, 3);
    run_until(ended_of(&site) == LEADS);
    assert_int_equal(dialed_again(&site), 0);
    assert_int_equal(dialed_by(&site), LEADS);
    assert_true(outcomes(&site, "answered") > 0);
    assert_int_equal(next, DISTURBANCES);
    assert_true(metric("dialer_hopper_foreign_total") > 0);
    /* With the talks (0.6 s each) that stand before the next call: the hopper's 2 s, and those. */
    assert_in_range(worst_ms, 0, 2000 + 3000);
    for (int i = 0; i < SEATS; i++) {
        seat_leave(&s[i]);
    }
    site_stop(&site);
    daemon_stop();
    assert_witnessed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_in_redis_stops_dialing, close_all),
    };

    return cmocka_run_group_tests_name("rules-hopper", tests, NULL, NULL);
}
