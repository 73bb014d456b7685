/*
 * test_away.c - what is lost in the middle of a call: the store, Redis, Asterisk's link, the daemon
 * itself. Each time the same is asked: the customer stays with the agent, nothing new is dialed
 * while the claim or the line is missing, the call's end and disposition are kept, and dialing goes
 * on by itself. At the end the tables say what the witness saw.
 */
#include "tests/rules/seat.h"
#include "tests/support/services.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a call in progress, and a second agent with two leads to dial
 * -------------------------------- */

struct scene {
    struct site site;
    struct seat talker, idler; /* in a call; on a break */
    char attempt[40];          /* the call */
};

static void begin(struct scene *s)
{
    char number[20];

    s->site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    (void)site_lead(&s->site, "Ada", number);
    site_start(&s->site);
    seat_new(&s->talker, s->site.campaign);
    seat_work(&s->talker);
    SEAT_UNTIL(&s->talker, strcmp(s->talker.call, "bridged") == 0);
    snprintf(s->attempt, sizeof s->attempt, "%s", s->talker.attempt);
    SEAT_UNTIL(&s->talker, talks(s->attempt));
    seat_new(&s->idler, s->site.campaign);
    seat_work(&s->idler);
    assert_string_equal(seat_ask(&s->idler, "set_status", ",\"state\":\"break\""), "ok");
    SEAT_STATE(&s->idler, "break");
    site_leads(&s->site, 2);
    SEAT_UNTIL(&s->idler, (ctl("explain|campaign|%lld", (long long)s->site.campaign),
                           ctl_number("hopper") == 2));
    assert_int_equal(dialed_by(&s->site), 1);
}

static void go_to_work(struct seat *s)
{
    SEAT_UNTIL(s, s->phone_online);
    if (strcmp(seat_ask(s, "set_status", ",\"state\":\"available\""), "ok") != 0) {
        fail_msg("not available: %s", s->text);
    }
    SEAT_STATE(s, "available");
}

/* Nothing is dialed, and the call is as it was. */
static void nothing_but_the_call(struct scene *s)
{
    SEAT_WHILE(&s->idler, 1500,
               seat_hear(&s->talker) && dialed_by(&s->site) == 1 && s->idler.call[0] == '\0');
    assert_string_equal(s->talker.state, "busy");
    assert_string_equal(s->talker.call, "bridged");
    assert_int_equal(witnessed("end", s->attempt), 0);
}

static void say_held_by(struct scene *s, const char *reason)
{
    SEAT_UNTIL(&s->idler,
               seat_hear(&s->talker) && (ctl("explain|campaign|%lld", (long long)s->site.campaign),
                                         strcmp(ctl_text("held_by"), reason) == 0));
}

/* Both leads, by the agent who is free: without anybody's help. */
static void dialing_goes_on(struct scene *s)
{
    run_until(seat_hear(&s->talker) && seat_hear(&s->idler) &&
              strcmp(s->idler.call, "bridged") == 0);
    assert_true(dialed_by(&s->site) > 1);
    assert_true(talks(s->idler.attempt));
}

static void finish(struct scene *s)
{
    struct seat *both[] = {&s->talker, &s->idler};

    site_stop(&s->site);
    for (int i = 0; i < 2; i++) {
        if (strcmp(both[i]->call, "bridged") == 0) {
            assert_string_equal(seat_ask(both[i], "hang_up", ""), "ok");
            SEAT_STATE(both[i], "wrapup");
            seat_dispose(both[i], "sale");
        }
    }
    run_until(outcomes(&s->site, "answered") == dialed_by(&s->site));
    assert_string_equal(call_text(s->attempt, "disposition"), "sale");
    assert_string_equal(call_text(s->attempt, "outcome"), "answered");
    assert_int_equal(witnessed("originate", s->attempt), 1);
    seat_leave(&s->talker);
    seat_leave(&s->idler);
    daemon_stop();
    assert_witnessed();
}

/* --- the store ----------------------------------------------------------------------------------
 */

static struct support_postgres pg;
static struct support_redis redis;

static int close_all(void **state)
{
    stack_down(state);
    if (pg.folder[0] != '\0') {
        support_postgres_stop(&pg);
    }
    if (redis.folder[0] != '\0') {
        support_redis_stop(&redis);
    }
    return 0;
}

/* /readyz says this, and then a word of why. */
static void not_ready_because(const char *says)
{
    const char *at = strstr(daemon_get("/readyz", NULL), says);

    assert_non_null(at);
    assert_true(at[strlen(says)] != '"');
}

static void a_call_outlives_the_store(void **state)
{
    struct scene s;
    char why[300] = "";
    char where[200];
    char url[300];
    const int started = support_postgres_start(&pg, why, sizeof why);

    (void)state;
    if (started == 77) {
        stack_open(&(struct stack_parts){0});
        skip();
    }
    assert_int_equal(started, 0);
    assert_int_equal(support_postgres_database(&pg, where, sizeof where), 0);
    snprintf(url, sizeof url, "url = \"postgresql:///%.60s?host=%s&port=%d&user=postgres\"",
             strstr(where, "dbname=") + strlen("dbname="), pg.folder, pg.port);
    stack_open(&(struct stack_parts){.store = url});
    begin(&s);
    support_postgres_kill(&pg, SIGQUIT);
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && !daemon_ready());
    not_ready_because("\"name\":\"store\",\"ready\":false,\"text\":\"");
    go_to_work(&s.idler);
    nothing_but_the_call(&s);
    say_held_by(&s, "store_away");
    assert_true(talks(s.attempt));
    /* It can be ended and disposed: "saved" means the journal on the disk, and the store has it in
     * the end (finish() looks). */
    assert_string_equal(seat_ask(&s.talker, "hang_up", ""), "ok");
    SEAT_STATE(&s.talker, "wrapup");
    assert_string_equal(seat_ask(&s.talker, "set_status", ",\"state\":\"break\""), "ok");
    run_until(seat_hear(&s.idler) && witnessed("end", s.attempt) == 1);
    seat_dispose(&s.talker, "sale");
    SEAT_STATE(&s.talker, "break");
    assert_false(daemon_ready());
    assert_int_equal(support_postgres_again(&pg), 0);
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && daemon_ready());
    dialing_goes_on(&s);
    finish(&s);
}

/* --- Redis --------------------------------------------------------------------------------------
 */

static void open_with_redis(void)
{
    char why[300] = "";
    char url[64];
    const int started = support_redis_start(&redis, why, sizeof why);

    snprintf(url, sizeof url, "url = redis://127.0.0.1:%d/0", redis.port);
    stack_open(&(struct stack_parts){.hopper = started == 0 ? url : NULL});
    if (started == 77) {
        skip();
    }
    assert_int_equal(started, 0);
}

/* The hopper is a hint, but the only one there is. */
static void a_call_outlives_redis(void **state)
{
    struct scene s;

    (void)state;
    open_with_redis();
    begin(&s);
    support_redis_kill(&redis);
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && !daemon_ready());
    not_ready_because("\"name\":\"hopper\",\"ready\":false,\"text\":\"");
    go_to_work(&s.idler);
    nothing_but_the_call(&s);
    assert_true(talks(s.attempt));
    assert_int_equal(support_redis_again(&redis), 0); /* and it is empty */
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && daemon_ready());
    dialing_goes_on(&s);
    finish(&s);
}

static void redis_command(const char *line)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)redis.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[64] = "";

    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    assert_true(read(fd, answer, sizeof answer - 1) > 0);
    assert_true(answer[0] != '-');
    close(fd);
}

#define FLUSHED_LEADS 30u

/* FLUSHALL, five times while it is dialed: no lead is lost, none is called twice. */
static void flushall_loses_and_repeats_nothing(void **state)
{
    struct site site;
    struct seat s[3];
    unsigned flushed = 0;
    int64_t until_us;

    (void)state;
    open_with_redis();
    site = site_new("progressive", ANSWERS AND_TALKS("0.6"),
                    "leg=permanent|hopper_size=10|hopper_low=3|retry=600");
    site_leads(&site, FLUSHED_LEADS);
    site_start(&site);
    for (int i = 0; i < 3; i++) {
        seat_new(&s[i], site.campaign);
        seat_work(&s[i]);
    }
    until_us = net_now_us() + 60 * US_PER_S;
    for (unsigned dialed = 0; dialed < FLUSHED_LEADS; dialed = dialed_by(&site)) {
        assert_true(net_now_us() < until_us);
        net_loop_run_once(loop, 20 * US_PER_MS);
        for (int i = 0; i < 3; i++) {
            seat_serve(&s[i]);
        }
        if (flushed < 5 && dialed >= 3 + 6 * flushed) {
            redis_command("FLUSHALL\r\n");
            flushed++;
        }
    }
    assert_int_equal(flushed, 5);
    until_us = net_now_us() + 20 * US_PER_S;
    while (ended_of(&site) < FLUSHED_LEADS && net_now_us() < until_us) {
        net_loop_run_once(loop, 20 * US_PER_MS);
        for (int i = 0; i < 3; i++) {
            seat_serve(&s[i]);
        }
    }
    assert_int_equal(dialed_again(&site), 0);
    assert_int_equal(dialed_by(&site), FLUSHED_LEADS);
    assert_int_equal(ended_of(&site), FLUSHED_LEADS);
    assert_true(outcomes(&site, "answered") > 0);
    assert_true(metric("dialer_hopper_lost_total") > 0);
    for (int i = 0; i < 3; i++) {
        seat_leave(&s[i]);
    }
    site_stop(&site);
    daemon_stop();
    assert_witnessed();
}

/* --- Asterisk ------------------------------------------------------------------------------------
 */

/* It stands still, for longer than the link waits for a sign of life. */
static void a_call_outlives_asterisks_silence(void **state)
{
    struct scene s;

    stack_up(state);
    begin(&s);
    sim_freeze(true);
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && !daemon_ready());
    not_ready_because("\"text\":\"no Asterisk server is connect");
    assert_string_equal(seat_ask(&s.idler, "set_status", ",\"state\":\"available\""), "refused");
    nothing_but_the_call(&s);
    say_held_by(&s, "line_away");
    sim_freeze(false);
    SEAT_UNTIL(&s.idler, seat_hear(&s.talker) && daemon_ready());
    assert_true(talks(s.attempt));
    assert_string_equal(s.talker.call, "bridged");
    go_to_work(&s.idler);
    dialing_goes_on(&s);
    finish(&s);
}

/* Every websocket is cut; they are back in a moment. */
static void a_call_outlives_a_cut(void **state)
{
    struct scene s;

    stack_up(state);
    begin(&s);
    for (int i = 0; i < 3; i++) {
        const unsigned up = logged("DLR-ARI-LINK sim: up");
        sim_order("/sim/drop-sockets");
        run_until(seat_hear(&s.talker) && seat_hear(&s.idler) &&
                  logged("DLR-ARI-LINK sim: up") > up);
        assert_true(talks(s.attempt));
        assert_int_equal(dialed_by(&s.site), 1);
    }
    go_to_work(&s.idler);
    dialing_goes_on(&s);
    finish(&s);
}

enum { BY_HAND, BY_CONNECT, BY_ITSELF };

/* S9 over sockets. A call's end that nobody hears (here somebody else with Asterisk's password has
 * hidden it) leaves the agent busy without a call. It is free by hanging up, with the next connect,
 * and by itself after busy_reset, which is 2 s here. */
static void a_call_whose_end_is_not_heard_does_not_hold_its_agent(void **state)
{
    static const char deaf[] = "{\"allowed\":[{\"type\":\"Dial\"},{\"type\":\"StasisStart\"},"
                               "{\"type\":\"PlaybackFinished\"}]}";
    struct site site;
    struct seat s;
    char number[20];
    char attempt[40];

    stack_up(state);
    site = site_new("manual", ANSWERS AND_TALKS("60"), "");
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    for (int how = BY_HAND; how <= BY_ITSELF; how++) {
        unsigned up;
        fresh_number(number);
        seat_dial(&s, number);
        SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
        snprintf(attempt, sizeof attempt, "%s", s.attempt);
        if (how == BY_ITSELF) { /* a call that lives is asked about, and goes on */
            SEAT_WHILE(&s, 4500, strcmp(s.state, "busy") == 0);
        }
        asterisk_put("/ari/applications/dialer/eventFilter", deaf);
        sim_order("/sim/hangup?channel=%s", attempt);
        SEAT_UNTIL(&s, witnessed("end", attempt) == 1);
        if (how == BY_HAND) {
            assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
            SEAT_STATE(&s, "wrapup");
        } else if (how == BY_ITSELF) {
            SEAT_STATE(&s, "wrapup");
            assert_int_equal(logged("DLR-ARI-UNHEARD"), 1);
        }
        up = logged("DLR-ARI-LINK sim: up");
        sim_order("/sim/drop-sockets"); /* and then the daemon sets its own filter again */
        SEAT_STATE(&s, "wrapup");
        SEAT_UNTIL(&s, logged("DLR-ARI-LINK sim: up") > up);
        seat_dispose(&s, "sale");
        SEAT_STATE(&s, "available");
        assert_string_equal(call_text(attempt, "outcome"), "answered");
    }
    seat_leave(&s);
    site_stop(&site);
    daemon_stop();
    assert_witnessed();
}

/* --- the daemon ----------------------------------------------------------------------------------
 */

/* kill -9: the call goes on without it, is taken over, and the page that comes back finds it. */
static void a_call_outlives_the_daemon(void **state)
{
    struct scene s;

    stack_up(state);
    begin(&s);
    daemon_kill();
    run_until(s.talker.page->closed && s.idler.page->closed);
    assert_true(talks(s.attempt));
    daemon_start();
    assert_true(talks(s.attempt));
    seat_again(&s.talker);
    assert_false(s.talker.resumed); /* a new daemon's numbers are others: the whole picture */
    SEAT_UNTIL(&s.talker,
               strcmp(s.talker.state, "busy") == 0 && strcmp(s.talker.call, "bridged") == 0);
    assert_string_equal(s.talker.attempt, s.attempt);
    SEAT_UNTIL(&s.talker, s.talker.pop && s.talker.leg_up); /* with its card */
    assert_int_equal(witnessed("originate", s.attempt), 1);
    assert_int_equal(witnessed("end", s.attempt), 0);
    seat_again(&s.idler);
    SEAT_UNTIL(&s.idler, s.idler.phone_online && s.idler.campaign != 0);
    assert_string_equal(seat_ask(&s.idler, "agent_login", ""), "ok");
    assert_string_equal(seat_ask(&s.idler, "set_status", ",\"state\":\"available\""), "ok");
    dialing_goes_on(&s);
    finish(&s);
}

#define FILES 160u
#define FLOOD 400u

/* A connection to the page that says nothing, from an address of its own. */
static int idle_page(unsigned n)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1u + n % 200u)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(page_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to), 0);
    return fd;
}

/* Pages take all descriptors there are: further ones are refused, and Asterisk's sockets, the store
 * and the operator still find some. */
static void descriptors_run_out_for_pages_first(void **state)
{
    struct scene s;
    int fd[FLOOD];
    unsigned up;

    (void)state;
    stack_open(&(struct stack_parts){.files = FILES});
    begin(&s);
    for (unsigned i = 0; i < FLOOD; i++) {
        fd[i] = idle_page(i);
    }
    SEAT_WHILE(&s.idler, 500, seat_hear(&s.talker));
    for (int i = 0; i < 3; i++) {
        up = logged("DLR-ARI-LINK sim: up");
        sim_order("/sim/drop-sockets");
        run_until(seat_hear(&s.talker) && seat_hear(&s.idler) &&
                  logged("DLR-ARI-LINK sim: up") > up);
    }
    assert_true(talks(s.attempt));
    ctl("status");
    go_to_work(&s.idler);
    dialing_goes_on(&s);
    for (unsigned i = 0; i < FLOOD; i++) {
        close(fd[i]);
    }
    run_until(seat_hear(&s.talker) && seat_hear(&s.idler) && daemon_ready());
    assert_true(metric("web_connections_refused_full_total") > 0);
    finish(&s);
}

#define STOPPED_LEADS 40u
/* STOP_S=60 in the environment makes the last as long as the issue says. */
static int64_t stop_s[] = {1, 4, 12};
#define STOPS (unsigned)(sizeof stop_s / sizeof stop_s[0])

static void stop_for(const struct site *site, int64_t seconds)
{
    const int64_t back_us = net_now_us() + seconds * US_PER_S;
    const int64_t read_us = net_now_us() + 300 * US_PER_MS;
    unsigned sent;

    daemon_freeze(true);
    while (net_now_us() < read_us) { /* what had left is taken in */
        net_loop_run_once(loop, 20 * US_PER_MS);
    }
    sent = dialed_by(site);
    while (net_now_us() < back_us) {
        net_loop_run_once(loop, 20 * US_PER_MS);
    }
    assert_int_equal(dialed_by(site), sent);
    daemon_freeze(false);
}

/* SIGSTOP in the middle of dialing, for longer than the link's patience and than the pages': no
 * lead is called twice or lost, who answered meanwhile heard the message, and the agents work on,
 * their pages open all the time (seat_hear() fails at one that is closed). */
static void a_stopped_daemon_sends_nothing_stale(void **state)
{
    struct site site;
    const char *longest = getenv("STOP_S");
    struct seat s[3];
    unsigned stops = 0;

    stack_up(state);
    site = site_new("progressive", ANSWERS AND_TALKS("0.4"), "leg=permanent");
    site_leads(&site, STOPPED_LEADS);
    site_start(&site);
    for (int i = 0; i < 3; i++) {
        seat_new(&s[i], site.campaign);
        seat_work(&s[i]);
    }
    stop_s[STOPS - 1] = longest != NULL ? strtol(longest, NULL, 10) : stop_s[STOPS - 1];
    const int64_t until_us = net_now_us() + (90 + stop_s[STOPS - 1]) * US_PER_S;
    for (unsigned dialed = 0; dialed < STOPPED_LEADS; dialed = dialed_by(&site)) {
        assert_true(net_now_us() < until_us);
        net_loop_run_once(loop, 20 * US_PER_MS);
        for (int i = 0; i < 3; i++) {
            seat_serve(&s[i]);
        }
        if (stops < STOPS && dialed >= 3 + 8 * stops) {
            stop_for(&site, stop_s[stops++]);
        }
    }
    assert_int_equal(stops, STOPS);
    assert_true(logged("warn DLR-STOOD-STILL") >= STOPS - 1); /* it says whose silence it was */
    site_stop(&site);
    while (ended_of(&site) < dialed_by(&site)) { /* also those that were called again */
        assert_true(net_now_us() < until_us);
        for (int i = 0; i < 3; i++) {
            seat_serve(&s[i]);
        }
    }
    for (int i = 0; i < 3; i++) {
        SEAT_UNTIL(&s[i], (seat_serve(&s[i]), strcmp(s[i].state, "available") == 0 ||
                                                  strcmp(s[i].state, "break") == 0));
        seat_leave(&s[i]);
    }
    print_message("%u stops of up to %lld s: %u abandoned, the link was lost %u times\n", STOPS,
                  (long long)stop_s[STOPS - 1], outcomes(&site, "abandoned"),
                  logged("DLR-ARI-LINK sim: down"));
    site_stop(&site);
    daemon_stop(); /* check-witness knows no retry interval of a second, and no refused originate */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, close_all)
    const struct CMUnitTest tests[] = {
        TEST(a_call_outlives_the_store),
        TEST(a_call_outlives_redis),
        TEST(flushall_loses_and_repeats_nothing),
        TEST(a_call_outlives_asterisks_silence),
        TEST(a_call_outlives_a_cut),
        TEST(a_call_whose_end_is_not_heard_does_not_hold_its_agent),
        TEST(a_call_outlives_the_daemon),
        TEST(a_stopped_daemon_sends_nothing_stale),
        TEST(descriptors_run_out_for_pages_first),
    };

    return cmocka_run_group_tests_name("rules-away", tests, NULL, NULL);
}
