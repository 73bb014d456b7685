/*
 * test_storm.c - ten times the rated events: somebody else's calls on the trunk, and everything
 * that lives told again and again, through the one websocket that our own calls' events come
 * through. Asked: is every event taken in, no call lost, the memory bounded, and does who answers
 * get an agent as soon as before once it is over?
 *
 * Here it is short, and the bars leave room for sanitizers on a machine that does other things. The
 * full form has the release build's programs and STORM_RATE=26000 STORM_SECONDS=60 STORM_SEATS=30
 * (5,000 agents bring 2,600 events a second, domain.md section 4.2): then Asterisk's own patience
 * with a slow reader, 0.1 s, holds, too, and the bars are what is promised.
 */
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEATS_MAX 64u
#define CALLS_MAX 20000u
#define CALLS 20u                /* at least so many for a figure */
#define SETTLE_US (5 * US_PER_S) /* after the storm everything is as it was */

static struct seat seats[SEATS_MAX];
static unsigned n_seats;

/* One customer by the witness. */
struct joined {
    char id[40];
    int64_t answer_us, bridge_us;
};
static struct joined calls[CALLS_MAX];
static size_t n_calls;

static bool full(void)
{
    return getenv("STORM_SECONDS") != NULL;
}

static unsigned wanted(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void serve(void)
{
    net_loop_run_once(loop, 5 * US_PER_MS);
    for (unsigned i = 0; i < n_seats; i++) {
        seat_serve(&seats[i]);
    }
}

/* The most the daemon has held; not the kernel's own figure, which knows of checking a password,
 * too. */
static int64_t most_kib;

/* For so long, and for so many further calls. */
static void serve_for(const struct site *site, int64_t us, unsigned further)
{
    const unsigned enough = further > 0 ? dialed_by(site) + further : 0;
    const int64_t until_us = net_now_us() + us;
    const int64_t late_us = until_us + 60 * US_PER_S;
    int64_t look_us = 0;
    bool done = false;

    while (!done || net_now_us() < until_us) {
        serve();
        if (net_now_us() >= look_us) {
            const int64_t kib = daemon_memory();
            most_kib = kib > most_kib ? kib : most_kib;
            done = enough == 0 || dialed_by(site) >= enough;
            look_us = net_now_us() + 200 * US_PER_MS;
            assert_true(net_now_us() < late_us);
        }
    }
}

/* --- what the witness saw ----------------------------------------------------------------------
 */

static struct joined *call_of(const char *at)
{
    char id[sizeof calls->id];

    snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\""), at);
    for (size_t i = n_calls; i-- > 0;) {
        if (strcmp(calls[i].id, id) == 0) {
            return &calls[i];
        }
    }
    return NULL;
}

static void read_witness(void)
{
    char *text = read_file("witness");
    char *rest = NULL;

    n_calls = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const int64_t t_us = strtoll(line + strlen("{\"t_us\":"), NULL, 10);
        const char *id = strstr(line, "\"id\":\"att-");
        const char *members = strstr(line, "\"members\":[");
        if (id != NULL && strstr(line, "\"what\":\"answer\"") != NULL) {
            assert_true(n_calls < CALLS_MAX);
            id += strlen("\"id\":\"");
            snprintf(calls[n_calls].id, sizeof calls->id, "%.*s", (int)strcspn(id, "\""), id);
            calls[n_calls].answer_us = t_us;
            calls[n_calls++].bridge_us = 0;
        } else if (members != NULL && strstr(line, "\"what\":\"bridge_enter\"") != NULL &&
                   strstr(members, "leg-") != NULL && (id = strstr(members, "att-")) != NULL) {
            struct joined *c = call_of(id);
            if (c != NULL && c->bridge_us == 0) {
                c->bridge_us = t_us;
            }
        }
    }
    free(text);
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* p99 of the time from the answer to the bridge, of those who answered in between. */
static int64_t p99_us(const char *name, int64_t from_us, int64_t until_us)
{
    static int64_t took_us[CALLS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < n_calls; i++) {
        if (calls[i].answer_us >= from_us && calls[i].answer_us < until_us &&
            calls[i].bridge_us != 0) {
            took_us[n++] = calls[i].bridge_us - calls[i].answer_us;
        }
    }
    if (n == 0) {
        print_message("# %s: no answers\n", name);
        return 0;
    }
    qsort(took_us, n, sizeof *took_us, by_value);
    print_message("# %s: %zu answers, to the bridge p50 %lld us, p99 %lld us, max %lld us\n", name,
                  n, (long long)took_us[n / 2], (long long)took_us[n * 99 / 100],
                  (long long)took_us[n - 1]);
    return took_us[n * 99 / 100];
}

/* --- the storm ----------------------------------------------------------------------------------
 */

struct taken {
    int64_t foreign, bad;
    unsigned lost;
};

static struct taken taken_in(void)
{
    return (struct taken){.foreign = metric("dialer_ari_foreign_events_total"),
                          .bad = metric("dialer_ari_bad_messages_total"),
                          .lost = logged("DLR-ARI-LINK sim: down")};
}

/* Each event of somebody else's calls is counted where it is sent; of the four of a call (dialed,
 * ringing, answered, ended) the second and the last say what the daemon listens to. */
static void assert_all_taken_in(const struct taken *before)
{
    const int64_t until_us = net_now_us() + 30 * US_PER_S;
    const int64_t sent = sim_count("storm_foreign") / 2;
    struct taken now = taken_in();

    while (now.foreign - before->foreign < sent && net_now_us() < until_us) {
        serve();
        now = taken_in();
    }
    print_message(
        "# storm: %lld events, %lld of them counted, %lld of those taken in; the link was "
        "lost %u times\n",
        (long long)sim_count("storm_events"), (long long)sent,
        (long long)(now.foreign - before->foreign), now.lost - before->lost);
    assert_int_equal(now.foreign - before->foreign, sent);
    assert_int_equal(now.bad, before->bad);
    assert_int_equal(now.lost, before->lost);
}

static void rest(const struct site *site)
{
    const int64_t until_us = net_now_us() + 60 * US_PER_S;

    site_stop(site);
    while (ended_of(site) < dialed_by(site)) {
        assert_true(net_now_us() < until_us);
        serve();
    }
    print_message("# %u calls, %u answered by an agent, %u heard the message\n", dialed_by(site),
                  outcomes(site, "answered"), outcomes(site, "abandoned"));
}

static void ten_times_the_events(void **state)
{
    const unsigned rate = wanted("STORM_RATE", 2500);
    const unsigned seconds = wanted("STORM_SECONDS", 4);
    const int64_t calm_us = (full() ? 20 : 2) * US_PER_S;
    struct site site;
    struct taken before;
    int64_t from_us, storm_us, over_us, calm_again_us, kib, calm_p99_us, after_p99_us;

    (void)state;
    n_seats = wanted("STORM_SEATS", 8);
    assert_true(n_seats <= SEATS_MAX);
    stack_open(
        &(struct stack_parts){.write_ms = wanted("STORM_PATIENCE_MS", full() ? 100 : 10000)});
    site = site_new("progressive", ANSWERS AND_TALKS("0.5"), "leg=permanent");
    site_leads(&site, full() ? 9000 : 900);
    site_start(&site);
    for (unsigned i = 0; i < n_seats; i++) {
        seat_new(&seats[i], site.campaign);
        seat_work(&seats[i]);
    }
    serve_for(&site, US_PER_S, n_seats); /* everybody had a call */
    from_us = net_now_us();
    serve_for(&site, calm_us, CALLS);
    before = taken_in();
    kib = most_kib;
    storm_us = net_now_us();
    sim_order("/sim/storm?rate=%u&seconds=%u", rate, seconds);
    serve_for(&site, (int64_t)seconds * US_PER_S, 0);
    over_us = net_now_us();
    assert_all_taken_in(&before);
    serve_for(&site, over_us + SETTLE_US - net_now_us(), 0);
    calm_again_us = net_now_us();
    serve_for(&site, calm_us, CALLS);
    print_message("# resident: %lld KiB before, then at most %lld KiB\n", (long long)kib,
                  (long long)most_kib);
    read_witness();
    calm_p99_us = p99_us("before", from_us, storm_us);
    (void)p99_us("storm", storm_us, over_us);
    after_p99_us = p99_us("5 s after", calm_again_us, net_now_us());
    assert_true(sim_count("storm_events") >= (int64_t)rate * seconds * 9 / 10);
    assert_true(calm_p99_us > 0 && after_p99_us > 0);
    if (full()) {
        assert_true(most_kib - kib < 64 * 1024);
        assert_true(after_p99_us <= calm_p99_us * 3 / 2 + 5 * US_PER_MS);
    } else {
        assert_true(most_kib - kib < 512 * 1024); /* a sanitizer keeps what is freed */
        assert_true(after_p99_us <= calm_p99_us + US_PER_S);
    }
    rest(&site);
    for (unsigned i = 0; i < n_seats; i++) {
        seat_leave(&seats[i]);
    }
    daemon_stop();
    assert_witnessed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ten_times_the_events, stack_down),
    };

    return cmocka_run_group_tests_name("rules-storm", tests, NULL, NULL);
}
