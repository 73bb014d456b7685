/*
 * test_operator.c - what a supervisor does, at the page and by dialerctl, over the real programs:
 * that it holds, that it is written down, that what breaks a rule is refused.
 */
#include "tests/rules/boss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "" while the daemon has not loaded it yet. */
static const char *campaign_state(const struct site *site)
{
    return ctl_status("explain|campaign|%lld", (long long)site->campaign) == 0 ? ctl_text("state")
                                                                               : "";
}

static const char *campaign_active(const struct site *site)
{
    ctl("campaign|show|%lld", (long long)site->campaign);
    return ctl_text("active");
}

/* Is there an audit row with these members? */
static bool audited(const char *who, const char *field, const char *before, const char *after)
{
    char row[400];

    snprintf(row, sizeof row, "\"who\":\"%s\"", who);
    const char *all = ctl("audit|--limit|50");
    for (const char *at = all; (at = strstr(at, row)) != NULL; at++) {
        char *line = strndup(at, strcspn(at, "}"));
        char want[300];
        snprintf(want, sizeof want, "\"field\":\"%s\",\"old\":\"%s\",\"new\":\"%s\"", field, before,
                 after);
        const bool found = strstr(line, want) != NULL;
        free(line);
        if (found) {
            return true;
        }
    }
    return false;
}

/* --- start and stop (R24, R25) ---------------------------------------------------------------- */

static void a_stop_on_the_page_holds(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("1"), "");
    struct seat boss;
    char who[64];

    (void)state;
    boss_new(&boss, "sue", "Sue");
    snprintf(who, sizeof who, "page:Sue, agent %lld", (long long)boss.agent);
    assert_string_equal(boss_switch(&boss, site.campaign, "start"), "ok");
    run_until(strcmp(campaign_state(&site), "stopped") != 0);
    assert_string_equal(campaign_active(&site), "on");
    assert_true(audited(who, "active", "off", "on"));

    assert_string_equal(boss_switch(&boss, site.campaign, "stop"), "ok");
    run_until(strcmp(campaign_state(&site), "stopped") == 0);
    assert_string_equal(campaign_active(&site), "off");
    assert_true(audited(who, "active", "on", "off"));

    /* Another setting brings the campaign's whole configuration with it: it must not start it. */
    ctl("campaign|set|%lld|retry=77", (long long)site.campaign);
    assert_string_equal(campaign_active(&site), "off");
    SEAT_WHILE(&boss, 500, strcmp(campaign_state(&site), "stopped") == 0);
    seat_leave(&boss);

    daemon_stop();
    daemon_start();
    run_until(strcmp(campaign_state(&site), "stopped") == 0);
    assert_string_equal(campaign_active(&site), "off");
    boss_again(&boss, "sue");
    assert_string_equal(boss_switch(&boss, site.campaign, "start"), "ok");
    run_until(strcmp(campaign_state(&site), "stopped") != 0);
    assert_string_equal(boss_switch(&boss, site.campaign, "stop_now"), "ok");
    assert_string_equal(campaign_active(&site), "off");
    seat_leave(&boss);
}

static void a_start_that_breaks_a_rule_is_refused_on_the_page(void **state)
{
    const struct site silent = site_new("progressive", ANSWERS AND_TALKS("1"), "message=");
    const struct site nowhere = site_new("progressive", ANSWERS AND_TALKS("1"), "prefixes=");
    struct seat boss;

    (void)state;
    boss_new(&boss, "rob", "Rob");
    assert_string_equal(boss_switch(&boss, silent.campaign, "start"), "refused");
    assert_non_null(strstr(boss.text, "R22, R23"));
    assert_string_equal(boss_switch(&boss, nowhere.campaign, "start"), "refused");
    assert_non_null(strstr(boss.text, "R16"));
    assert_string_equal(campaign_active(&silent), "off");
    assert_string_equal(campaign_state(&silent), "stopped");
    assert_string_equal(boss_switch(&boss, 987654, "start"), "not_found");
    assert_int_equal(ctl_status("campaign|start|%lld", (long long)silent.campaign), 1);
    assert_non_null(strstr(ctl_said(), "R22, R23"));
    seat_leave(&boss);
}

/* A stop lets what rings go on; stop --now, and stop_now on the page, cancel it within 2 s. */
static void stop_now(bool page)
{
    const struct site site = site_new("progressive", RINGS, "leg=permanent");
    struct seat boss;
    struct seat s;
    char number[20];

    boss_new(&boss, page ? "pam" : "pat", page ? "Pam" : "Pat");
    site_lead(&site, "Rings", number);
    seat_new(&s, site.campaign);
    ctl("campaign|start|%lld", (long long)site.campaign);
    seat_work(&s);
    run_until(witnessed("originate", number + 1) == 1 && seat_hear(&s));
    if (page) {
        assert_string_equal(boss_switch(&boss, site.campaign, "stop"), "ok");
    } else {
        ctl("campaign|stop|%lld", (long long)site.campaign);
    }
    SEAT_WHILE(&s, 1000, outcomes(&site, "cancelled") == 0);
    if (page) {
        assert_string_equal(boss_switch(&boss, site.campaign, "stop_now"), "ok");
    } else {
        ctl("campaign|stop|%lld|--now", (long long)site.campaign);
    }
    const int64_t asked_us = net_now_us();
    run_until(seat_hear(&s) && outcomes(&site, "cancelled") == 1);
    assert_true(net_now_us() - asked_us < 2 * US_PER_S);
    seat_leave(&s);
    seat_leave(&boss);
}

static void stop_now_by_dialerctl_cancels_what_rings(void **state)
{
    (void)state;
    stop_now(false);
}

static void stop_now_on_the_page_cancels_what_rings(void **state)
{
    (void)state;
    stop_now(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_on_the_page_holds),
        cmocka_unit_test(a_start_that_breaks_a_rule_is_refused_on_the_page),
        cmocka_unit_test(stop_now_by_dialerctl_cancels_what_rings),
        cmocka_unit_test(stop_now_on_the_page_cancels_what_rings),
    };

    return cmocka_run_group_tests_name("operator", tests, stack_up, stack_down);
}
