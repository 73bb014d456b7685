/*
 * test_crowd.c - a tenth of all sockets never reads: what do the others notice? Every agent's page
 * is told of its own state; the time from the actor's word to the page is taken, without and with
 * supervisors' pages that have stopped reading and have everything waiting for them, in turns.
 *
 * Here 100 pages, and a bar that leaves room for a machine that does other things. The full form is
 * CROWD=1000 with a release build: then the medians of the turns are within 10 %.
 */
#include "tests/web/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CROWD_MAX 2000u
#define TURN_US (2500 * US_PER_MS) /* over before who does not read is cut (5 s) */
#define TOLD 90u                   /* agents in a round; the next round goes on with the next */
#define ROUND_US (10 * US_PER_MS)
#define TOOK_MAX 100000u
#define FILLING 20u /* rounds until the kernel takes nothing more for who does not read */
#define CALLS 250u
#define TURNS 5u /* of each kind */

static unsigned readers = 90, n_stuck = 10; /* agents 1 to 90 */
static struct page *reader[CROWD_MAX], *stuck[CROWD_MAX];
static int64_t took_us[TOOK_MAX];
static bool rests[CROWD_MAX];
static unsigned turn_of; /* the agent who is told next */

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* What supervisors see changes at each round, whoever reads it. */
static void change_calls(unsigned round)
{
    char attempt[16];

    for (unsigned i = 0; i < CALLS; i++) {
        snprintf(attempt, sizeof attempt, "call-%u", i);
        show_call(attempt, 0, round % 2 ? ATTEMPT_RINGING : ATTEMPT_BRIDGED);
    }
}

static bool heard(struct page *p, const char *words)
{
    bool found = false;

    for (; p->read < p->n; p->read++) {
        found = found || strstr(p->message[p->read], words) != NULL;
    }
    return found;
}

/* One agent's state changes; the time until its page has it. */
static int64_t tell(unsigned i)
{
    const int64_t from_us = net_now_us();

    rests[i] = !rests[i];
    show_agent(i + 1, rests[i] ? AGENT_BREAK : AGENT_AVAILABLE, "");
    run_until(heard(reader[i], rests[i] ? "\"state\":\"break\"" : "\"state\":\"available\""));
    return net_now_us() - from_us;
}

/* p99 of the time to one agent's page. A turn is so long, whatever the machine does beside: with as
 * many pages told as there are, it would last until who does not read is cut, and go on without. */
static int64_t p99_us(void)
{
    const int64_t until_us = net_now_us() + TURN_US;
    size_t n = 0;

    for (unsigned round = 0; net_now_us() < until_us && n + TOLD <= TOOK_MAX; round++) {
        const int64_t next_us = net_now_us() + ROUND_US;
        for (unsigned i = 0; i < TOLD; i++) {
            took_us[n++] = tell(turn_of);
            turn_of = (turn_of + 1) % readers;
        }
        change_calls(round);
        while (net_now_us() < next_us) {
            net_loop_run_once(loop, US_PER_MS);
        }
    }
    qsort(took_us, n, sizeof *took_us, by_value);
    print_message("# %zu told, p50 %lld us, p99 %lld us\n", n, (long long)took_us[n / 2],
                  (long long)took_us[n * 99 / 100]);
    return took_us[n * 99 / 100];
}

static bool clients_are(unsigned n)
{
    char line[40];

    snprintf(line, sizeof line, "\nweb_clients %u\n", n);
    return strstr(ask("GET", "/metrics", "", NULL), line) != NULL;
}

static void stop_reading(void)
{
    const struct net_ws_limits slow = {
        .max_message = 1024u * 1024u, .receive_buffer = 4096, .dead_us = -1};
    char hello[128];

    for (unsigned i = 0; i < n_stuck; i++) {
        stuck[i] = page_new(NULL, "dialer.v1", &slow);
        snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"ticket\":\"%s\"}",
                 ticket_of(CROWD_MAX + 1, ROLE_SUPERVISOR));
        page_send(stuck[i], hello);
    }
    /* All at once: what there is at first comes slowly through so small a window. */
    for (unsigned i = 0; i < n_stuck; i++) {
        run_until(stuck[i]->n > 1);
        net_ws_pause(stuck[i]->ws, true);
    }
    for (unsigned round = 0; round < FILLING; round++) {
        change_calls(round);
        net_loop_run_once(loop, ROUND_US);
    }
}

/* They are cut in the end, which tells that they did not read. */
static void let_them_be_cut(void)
{
    const int64_t late_us = net_now_us() + 60 * US_PER_S;

    for (unsigned round = 0; !clients_are(readers); round++) {
        assert_true(net_now_us() < late_us);
        change_calls(round);
        net_loop_run_once(loop, ROUND_US);
    }
}

static void send_them_away(void)
{
    for (unsigned i = 0; i < n_stuck; i++) {
        page_free(stuck[i]);
    }
    run_until(clients_are(readers));
}

static int64_t median(const char *what, int64_t *us)
{
    qsort(us, TURNS, sizeof *us, by_value);
    print_message("# %s: p99 of %u turns %lld to %lld us, median %lld us\n", what, TURNS,
                  (long long)us[0], (long long)us[TURNS - 1], (long long)us[TURNS / 2]);
    return us[TURNS / 2];
}

static void the_others_do_not_notice_who_never_reads(void **state)
{
    const bool full = getenv("CROWD") != NULL;
    int64_t alone[TURNS];
    int64_t beside[TURNS];
    int64_t alone_us, beside_us;

    (void)state;
    for (unsigned i = 0; i < readers; i++) {
        reader[i] = page_hello(ticket_of(i + 1, ROLE_AGENT), NULL, 0);
    }
    (void)p99_us(); /* everything is warm */
    for (unsigned turn = 0; turn < TURNS; turn++) {
        alone[turn] = p99_us();
        stop_reading();
        beside[turn] = p99_us();
        if (turn + 1 == TURNS) {
            let_them_be_cut();
        }
        send_them_away();
    }
    alone_us = median("all read", alone);
    beside_us = median("a tenth never reads", beside);
    if (full) {
        assert_true(beside_us <= alone_us * 11 / 10);
    } else {
        assert_true(beside_us < 2 * alone_us + 100 * US_PER_MS);
    }
    for (unsigned i = 0; i < readers; i++) {
        assert_false(reader[i]->closed);
        page_free(reader[i]);
    }
}

/* So many pages in all; their descriptors, both ends of each, are in this process. */
static int setup_crowd(void **state)
{
    const char *crowd = getenv("CROWD");
    struct rlimit files;

    if (crowd != NULL) {
        const unsigned all = (unsigned)strtoul(crowd, NULL, 10);
        assert_true(all >= 10 && all <= CROWD_MAX);
        n_stuck = all / 10;
        readers = all - n_stuck;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
        files.rlim_cur = files.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    }
    return setup_web(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_others_do_not_notice_who_never_reads, setup_crowd,
                                        teardown_web),
    };

    return cmocka_run_group_tests_name("web_crowd", tests, NULL, NULL);
}
