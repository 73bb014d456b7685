/*
 * test_pbx.c - what can become of an Asterisk: it falls silent, is slow, starts anew, or another
 * program takes our application over. How soon it is noticed, and that it stays that server's
 * affair.
 */
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t since_ms(int64_t from_us)
{
    return (net_now_us() - from_us) / US_PER_MS;
}

/* Two agents of a campaign: one in a call, one free for the next. */
struct pair {
    struct site site;
    struct seat talker, idler;
    char attempt[40];
};

static void begin(struct pair *p)
{
    char number[20];

    p->site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    (void)site_lead(&p->site, "Ada", number);
    site_start(&p->site);
    seat_new(&p->talker, p->site.campaign);
    seat_work(&p->talker);
    SEAT_UNTIL(&p->talker, strcmp(p->talker.call, "bridged") == 0);
    snprintf(p->attempt, sizeof p->attempt, "%s", p->talker.attempt);
    SEAT_UNTIL(&p->talker, talks(p->attempt));
    seat_new(&p->idler, p->site.campaign);
    seat_work(&p->idler);
}

static bool hear(struct pair *p)
{
    return seat_hear(&p->talker) && seat_hear(&p->idler);
}

static void finish(struct pair *p)
{
    struct seat *both[] = {&p->talker, &p->idler};

    site_stop(&p->site);
    for (int i = 0; i < 2; i++) {
        SEAT_UNTIL(both[i], true);
        if (strcmp(both[i]->call, "bridged") == 0) {
            assert_string_equal(seat_ask(both[i], "hang_up", ""), "ok");
            SEAT_STATE(both[i], "wrapup");
        }
        if (strcmp(both[i]->state, "wrapup") == 0 && both[i]->needs_disposition) {
            seat_dispose(both[i], "sale");
        }
        seat_leave(both[i]);
    }
}

/* The idler says when it wants calls again, as a person does who was told why there were none. */
static void work_again(struct seat *s)
{
    SEAT_UNTIL(s, s->phone_online);
    if (strcmp(s->state, "available") != 0) {
        SEAT_UNTIL(s, strcmp(seat_ask(s, "set_status", ",\"state\":\"available\""), "ok") == 0);
        SEAT_STATE(s, "available");
    }
}

/* --- silence ------------------------------------------------------------------------------------
 */

/* Nothing comes any more, and the connection stands: five times. */
static void silence_is_noticed_within_three_seconds(void **state)
{
    struct pair p;
    int64_t worst = 0;

    stack_up(state);
    begin(&p);
    for (int i = 0; i < 5; i++) {
        int64_t from = net_now_us();
        sim_freeze(true);
        run_until(hear(&p) && !daemon_ready());
        worst = since_ms(from) > worst ? since_ms(from) : worst;
        sim_freeze(false);
        run_until(hear(&p) && daemon_ready());
        assert_true(talks(p.attempt));
    }
    print_message("silence noticed after %lld ms at most\n", (long long)worst);
    assert_in_range(worst, 0, 3000);
    finish(&p);
    daemon_stop();
    assert_witnessed();
}

/* --- another program ----------------------------------------------------------------------------
 */

struct thief {
    struct net_ws *ws;
    bool open, robbed;
};

static void thief_open(void *ctx, struct net_ws *ws)
{
    (void)ws;
    ((struct thief *)ctx)->open = true;
}

static void thief_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct thief *t = ctx;

    (void)ws;
    t->robbed = t->robbed || memmem(text, len, "ApplicationReplaced", 19) != NULL;
}

static void thief_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    (void)ws;
    (void)end;
    ((struct thief *)ctx)->ws = NULL;
}

static void steal(struct thief *t)
{
    static const struct net_ws_events events = {
        .on_open = thief_open, .on_message = thief_message, .on_close = thief_close};
    const struct net_header header = {"Authorization", "Basic ZGlhbGVyOmNvcnJlY3QgaG9yc2U="};
    const struct net_ws_target target = {.host = "127.0.0.1",
                                         .port = stack_port(),
                                         .path = "/ari/events?app=dialer",
                                         .headers = &header,
                                         .n_headers = 1};

    *t = (struct thief){0};
    t->ws = net_ws_connect(loop, &target, NULL, &events, t);
    assert_non_null(t->ws);
}

static void another_program_takes_the_application(void **state)
{
    struct pair p;
    struct thief thief;
    int64_t from;
    int64_t noticed;

    stack_up(state);
    begin(&p);
    assert_int_not_equal(ctl_status("pbx|retake|sim"), 0); /* nobody has taken it */
    assert_non_null(strstr(ctl_said(), "not taken over"));
    assert_int_not_equal(ctl_status("pbx|retake|none"), 0);
    from = net_now_us();
    steal(&thief);
    run_until(hear(&p) && logged("DLR-ARI-REPLACED") == 1);
    noticed = since_ms(from);
    print_message("stopped %lld ms after another program took the application\n",
                  (long long)noticed);
    assert_in_range(noticed, 0, 100);
    ctl("pbx|list");
    assert_string_equal(ctl_text("state"), "replaced");
    ctl("alarms");
    assert_string_equal(ctl_text("code"), "DLR-PBX-REPLACED");
    run_until(hear(&p) && thief.open && !daemon_ready());
    /* It does not come back by itself, dials nothing, and the two go on talking. */
    site_leads(&p.site, 2);
    SEAT_WHILE(&p.idler, 7000, seat_hear(&p.talker) && dialed_by(&p.site) == 1 && !thief.robbed);
    assert_true(talks(p.attempt));
    ctl("pbx|retake|sim");
    run_until(hear(&p) && thief.robbed && daemon_ready());
    assert_true(talks(p.attempt));
    assert_string_equal(p.talker.call, "bridged");
    run_until(hear(&p) && (ctl("pbx|list"), strcmp(ctl_text("state"), "up") == 0));
    ctl("audit");
    assert_string_equal(ctl_text("kind"), "pbx");
    assert_string_equal(ctl_text("new"), "retake");
    assert_string_equal(ctl("alarms"), "[]\n");
    work_again(&p.idler);
    run_until(hear(&p) && strcmp(p.idler.call, "bridged") == 0);
    if (thief.ws != NULL) {
        net_ws_drop(thief.ws);
        run_until(thief.ws == NULL);
    }
    finish(&p);
    daemon_stop();
    assert_witnessed();
}

/* --- one of two is slow -------------------------------------------------------------------------
 */

#define CALLS 8u
#define AT_FAST 2

/* How long the agents need for so many calls, each one after the other. */
static int64_t time_for_calls(const struct site *site, struct seat *seats)
{
    const int64_t from = net_now_us();
    const unsigned before = outcomes(site, "answered");

    site_leads(site, CALLS);
    while (outcomes(site, "answered") < before + CALLS) {
        assert_true(since_ms(from) < 60000);
        for (int turn = 0; turn < 10; turn++) {
            net_loop_run_once(loop, 20 * US_PER_MS);
            for (int i = 0; i < AT_FAST; i++) {
                seat_serve(&seats[i]);
            }
        }
    }
    return since_ms(from);
}

static void a_slow_server_slows_nobody_else(void **state)
{
    struct site slow;
    struct site fast;
    struct seat at_slow[4];
    struct seat at_fast[AT_FAST];
    int64_t usual;
    int64_t meanwhile;

    (void)state;
    stack_open(&(struct stack_parts){.second = true});
    stack_at(2);
    fast = site_new("progressive", ANSWERS AND_TALKS("1.5"), "leg=permanent");
    site_start(&fast);
    for (int i = 0; i < AT_FAST; i++) {
        seat_new(&at_fast[i], fast.campaign);
        seat_work(&at_fast[i]);
    }
    usual = time_for_calls(&fast, at_fast);
    stack_at(1);
    slow = site_new("progressive", RINGS, "leg=permanent|ring=15");
    for (int i = 0; i < 4; i++) {
        seat_new(&at_slow[i], slow.campaign);
        seat_work(&at_slow[i]);
    }
    sim_order("/sim/delay?ms=5000");
    site_leads(&slow, 60);
    site_start(&slow);
    stack_at(2);
    meanwhile = time_for_calls(&fast, at_fast);
    const int64_t from = net_now_us();
    while (metric("dialer_ari_breaker_opened_total{") == 0) {
        assert_true(since_ms(from) < 90000);
        net_loop_run_once(loop, 50 * US_PER_MS);
        for (int i = 0; i < AT_FAST; i++) {
            seat_serve(&at_fast[i]);
        }
        for (int i = 0; i < 4; i++) {
            (void)seat_hear(&at_slow[i]);
        }
    }
    print_message("%u calls: %lld ms; %lld ms while the other server takes 5 s for an answer\n",
                  CALLS, (long long)usual, (long long)meanwhile);
    assert_in_range(meanwhile, 0, usual + usual / 2 + 1000);
    assert_int_equal(logged("DLR-ARI-BREAKER sim:") > 0, true);
    assert_int_equal(logged("DLR-ARI-BREAKER other:"), 0);
    assert_int_equal(logged("DLR-ARI-LINK sim: down"), 0); /* it is slow, not gone */
    stack_at(1);
    sim_order("/sim/delay?ms=0");
    site_stop(&slow);
    for (int i = 0; i < 4; i++) {
        seat_leave(&at_slow[i]);
    }
    for (int i = 0; i < AT_FAST; i++) {
        seat_leave(&at_fast[i]);
    }
    site_stop(&fast);
}

/* --- a restart ----------------------------------------------------------------------------------
 */

static void a_restart_frees_agents_and_rows(void **state)
{
    struct pair p;
    int64_t from;
    int64_t free_ms;

    stack_up(state);
    begin(&p);
    far_ends(RINGS);
    site_leads(&p.site, 2);
    run_until(hear(&p) && dialed_by(&p.site) >= 2); /* one talks, one rings */
    from = net_now_us();
    sim_order("/sim/kill?down_ms=500");
    SEAT_UNTIL(&p.talker, seat_hear(&p.idler) && strcmp(p.talker.state, "wrapup") == 0);
    free_ms = since_ms(from);
    print_message("Asterisk killed: its agent's call is over after %lld ms\n", (long long)free_ms);
    assert_in_range(free_ms, 0, 3000);
    seat_dispose(&p.talker, "sale");
    assert_string_equal(call_text(p.attempt, "outcome"), "answered");
    run_until(hear(&p) && daemon_ready());
    far_ends(ANSWERS AND_TALKS("1.5"));
    work_again(&p.idler);
    /* Both rows again, the one that rang after its retry interval. */
    from = net_now_us();
    while (outcomes(&p.site, "answered") < 3) {
        assert_true(since_ms(from) < 30000);
        net_loop_run_once(loop, 20 * US_PER_MS);
        seat_serve(&p.idler);
        (void)seat_hear(&p.talker);
    }
    finish(&p);
    ctl("export|leads|--format|jsonl");
    daemon_stop();
    assert_witnessed();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, stack_down)
    const struct CMUnitTest tests[] = {
        TEST(silence_is_noticed_within_three_seconds),
        TEST(another_program_takes_the_application),
        TEST(a_slow_server_slows_nobody_else),
        TEST(a_restart_frees_agents_and_rows),
    };

    return cmocka_run_group_tests_name("rules-pbx", tests, NULL, NULL);
}
