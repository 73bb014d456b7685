/*
 * test_restart.c - kill -9 of the daemon and its next start, as people notice them: a browser's
 * session goes on with the cookie it has, a call that was answered meanwhile still reaches an
 * agent, calls in progress stay as they are however often it happens.
 */
#include "tests/rules/boss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a browser with a cookie --------------------------------------------------------------------
 */

/* An agent who has logged in with a password; the page's part of seat.c. */
static void browser_new(struct seat *s, int64_t campaign, char cookie[256])
{
    char login[16];
    char ticket[128];

    seat_new(s, campaign);
    snprintf(login, sizeof login, "seat%s", s->phone + strcspn(s->phone, "0123456789"));
    boss_cookie(login, cookie);
    page_free(s->page);
    boss_ticket(cookie, ticket);
    s->page = page_hello(ticket, NULL, 0);
    s->state[0] = '\0';
    SEAT_UNTIL(s, s->state[0] != '\0');
}

static int answer_to(const char *path, const char *cookie)
{
    int status;

    (void)boss_post(path, cookie, "{}", &status);
    return status;
}

/* Its socket was closed: what the page does then. */
static void browser_again(struct seat *s, const char *cookie)
{
    char ticket[128];

    run_until(s->page->closed);
    boss_ticket(cookie, ticket);
    page_free(s->page);
    s->state[0] = s->call[0] = s->attempt[0] = '\0';
    s->page = page_hello(ticket, s->stream, s->seq);
    s->welcomed = false;
    SEAT_UNTIL(s, s->welcomed);
}

static void a_browser_goes_on_with_its_cookie(void **state)
{
    static const char foreign[] = "Cookie: session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";
    struct site site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    char number[20], attempt[40], cookie[256];
    struct seat s;

    (void)state;
    (void)site_lead(&site, "Ada", number);
    site_start(&site);
    browser_new(&s, site.campaign, cookie);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    daemon_kill();
    daemon_start();
    assert_int_equal(answer_to("/ticket", foreign), 401);
    browser_again(&s, cookie);
    SEAT_UNTIL(&s, strcmp(s.state, "busy") == 0 && strcmp(s.call, "bridged") == 0);
    assert_string_equal(s.attempt, attempt);
    assert_true(talks(attempt));
    assert_int_equal(witnessed("end", attempt), 0);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    run_until(strcmp(call_text(attempt, "disposition"), "sale") == 0);
    /* Out is out, also after the next start. */
    assert_int_equal(answer_to("/logout", cookie), 204);
    daemon_kill();
    daemon_start();
    assert_int_equal(answer_to("/ticket", cookie), 401);
    site_stop(&site);
    seat_leave(&s);
}

/* Who is disabled, or got a new password, is out, whatever cookie there is. */
static void who_is_disabled_has_no_session(void **state)
{
    struct site site = site_new("progressive", ANSWERS, "");
    char cookie[256];
    struct seat s;

    (void)state;
    browser_new(&s, site.campaign, cookie);
    ctl("agent|disable|%lld", (long long)s.agent);
    run_until(answer_to("/ticket", cookie) == 401);
    daemon_kill();
    daemon_start();
    ctl("agent|enable|%lld", (long long)s.agent);
    assert_int_equal(answer_to("/ticket", cookie), 401);
    seat_leave(&s);
    browser_new(&s, site.campaign, cookie);
    ctl("agent|password|%lld|--password-file|password", (long long)s.agent);
    run_until(answer_to("/ticket", cookie) == 401);
    seat_leave(&s);
}

/* R14: nobody's data before the choice, after kill -9 neither. */
static void a_choice_waits_for_the_next_daemon(void **state)
{
    struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "");
    const struct site second = site_list(&site, "again");
    char number[20], members[96];
    int64_t bo;
    struct seat s;

    (void)state;
    (void)site_lead(&site, "Ada", number);
    bo = site_lead_as(&second, "Bo", number);
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    seat_dial(&s, number);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    daemon_kill();
    daemon_start();
    seat_again(&s);
    SEAT_UNTIL(&s, strcmp(s.state, "busy") == 0 && s.pop);
    assert_int_equal(s.pop_matches, 2);
    assert_string_equal(s.pop_name, "");
    assert_string_equal(s.pop_city, "");
    assert_int_equal(s.choices, 2);
    assert_int_equal(s.choice[1], bo);
    snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"lead\":%lld", s.attempt,
             (long long)bo);
    assert_string_equal(seat_ask(&s, "choose_lead", members), "ok");
    SEAT_UNTIL(&s, s.pop_lead == bo);
    assert_string_equal(s.pop_name, "Bo");
    assert_string_equal(s.pop_city, "Rome");
    daemon_kill();
    daemon_start();
    seat_again(&s);
    SEAT_UNTIL(&s, strcmp(s.state, "busy") == 0 && s.pop);
    assert_int_equal(s.pop_lead, bo); /* it was durable when it was answered */
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    site_stop(&site);
    seat_leave(&s);
}

/* --- answered while nobody is there -------------------------------------------------------------
 */

/* Asterisk's dialplan asks for the application three times more, in 1.5 s. */
static void who_answers_meanwhile_reaches_an_agent(void **state)
{
    struct site site =
        site_new("progressive", ANSWERS AND_TALKS("30") "&ring=constant:0.8", "leg=permanent");
    char number[20], attempt[40];
    struct seat s, idler;

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, s.leg_up);
    seat_new(&idler, site.campaign);
    seat_work(&idler);
    assert_string_equal(seat_ask(&idler, "set_status", ",\"state\":\"break\",\"reason\":\"lunch\""),
                        "ok");
    SEAT_STATE(&idler, "break");
    (void)site_lead(&site, "Ada", number);
    SEAT_UNTIL(&s, witnessed("originate", "att-") == 1);
    daemon_kill();
    run_until(witnessed("no_client", "att-") == 1);
    daemon_start();
    seat_again(&s);
    SEAT_UNTIL(&s, strcmp(s.state, "busy") == 0 && strcmp(s.call, "bridged") == 0);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    assert_true(talks(attempt));
    assert_int_equal(witnessed("message", "att-"), 0);
    seat_again(&idler); /* nobody has to log in again, and who rested rests */
    SEAT_STATE(&idler, "break");
    assert_string_equal(idler.reason, "lunch");
    seat_leave(&idler);
    assert_int_equal(witnessed("originate", "att-"), 1);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    run_until(strcmp(call_text(attempt, "disposition"), "sale") == 0);
    seat_leave(&s);
}

/* --- many kills ---------------------------------------------------------------------------------
 */

#define CALLS 12
#define KILLS_MOST 500

struct times {
    int64_t us[KILLS_MOST];
    unsigned n;
};

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void say_times(const char *what, struct times *t)
{
    qsort(t->us, t->n, sizeof *t->us, by_value);
    print_message("# %s over %u kills: p50 %lld ms, p99 %lld ms, max %lld ms\n", what, t->n,
                  (long long)(t->us[t->n / 2] / US_PER_MS),
                  (long long)(t->us[t->n * 99 / 100] / US_PER_MS),
                  (long long)(t->us[t->n - 1] / US_PER_MS));
}

static int64_t bridged_by(const struct site *site)
{
    ctl("explain|campaign|%lld", (long long)site->campaign);
    return ctl_number("bridged");
}

/* All their pages stay away: what is adopted stands on its own. */
static void restart_and_measure(const struct site *site, unsigned k, struct times *ready,
                                struct times *adopted)
{
    int64_t from_us;

    for (const int64_t until_us = net_now_us() + (int64_t)(k * 37 % 200) * US_PER_MS;
         net_now_us() < until_us;) {
        net_loop_run_once(loop, 5 * US_PER_MS);
    }
    daemon_kill();
    from_us = net_now_us();
    daemon_start();
    ready->us[ready->n++] = net_now_us() - from_us;
    run_until(bridged_by(site) == CALLS);
    adopted->us[adopted->n++] = net_now_us() - from_us;
}

/* RULES_KILLS says how many; each ends at another moment after the start before it. */
static void no_kill_parts_anybody(void **state)
{
    const char *wish = getenv("RULES_KILLS");
    const long kills = wish != NULL ? strtol(wish, NULL, 10) : 4;
    struct site site = site_new("progressive", ANSWERS AND_TALKS("600"), "leg=permanent|ratio=1");
    static struct times ready, adopted;
    struct seat seats[CALLS];
    unsigned left;

    (void)state;
    ready.n = adopted.n = 0;
    assert_in_range(kills, 1, KILLS_MOST);
    for (int i = 0; i < CALLS; i++) {
        seat_new(&seats[i], site.campaign);
        seat_work(&seats[i]);
    }
    site_leads(&site, CALLS);
    site_start(&site);
    for (int i = 0; i < CALLS; i++) {
        SEAT_UNTIL(&seats[i], strcmp(seats[i].call, "bridged") == 0);
    }
    left = witnessed("bridge_leave", NULL); /* their legs came out of their own bridges */
    for (unsigned k = 0; k < (unsigned)kills; k++) {
        restart_and_measure(&site, k, &ready, &adopted);
    }
    assert_int_equal(witnessed("end", "att-"), 0);
    assert_int_equal(witnessed("bridge_leave", NULL), left);
    assert_int_equal(witnessed("originate", "att-"), CALLS);
    for (int i = 0; i < CALLS; i++) {
        assert_true(talks(seats[i].attempt));
    }
    say_times("ready", &ready);
    say_times("all calls adopted", &adopted);
    assert_true(ready.us[ready.n - 1] < 3 * US_PER_S);
    assert_true(adopted.us[adopted.n - 1] < 5 * US_PER_S);
    for (int i = 0; i < CALLS; i++) {
        seat_again(&seats[i]);
        SEAT_UNTIL(&seats[i], strcmp(seats[i].call, "bridged") == 0);
        assert_string_equal(seat_ask(&seats[i], "hang_up", ""), "ok");
        SEAT_STATE(&seats[i], "wrapup");
        seat_dispose(&seats[i], "sale");
        SEAT_STATE(&seats[i], "available");
        seat_leave(&seats[i]);
    }
    site_stop(&site);
    daemon_stop();
    assert_witnessed();
}

/* --- the log ------------------------------------------------------------------------------------
 */

/* Asterisk is away for several tries of each socket. */
static void an_outage_of_asterisk_is_one_line(void **state)
{
    (void)state;
    for (unsigned outages = 1; outages <= 2; outages++) {
        sim_order("/sim/kill?down_ms=2500");
        run_until(!daemon_ready());
        run_until(daemon_ready());
        assert_int_equal(logged("request socket 0 ended"), outages);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stack_up, stack_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_browser_goes_on_with_its_cookie),
        TEST(who_is_disabled_has_no_session),
        TEST(a_choice_waits_for_the_next_daemon),
        TEST(who_answers_meanwhile_reaches_an_agent),
        TEST(no_kill_parts_anybody),
        TEST(an_outage_of_asterisk_is_one_line),
    };

    return cmocka_run_group_tests_name("rules-restart", tests, NULL, NULL);
}
