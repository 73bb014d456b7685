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

/* --- people (R1, R4, R6, R25) ------------------------------------------------------------------
 */

static void give(struct seat *s, const char *attempt, const char *code, const char *note)
{
    char members[160];

    snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"code\":\"%s\",\"note\":\"%s\"",
             attempt, code, note);
    if (strcmp(seat_ask(s, "set_disposition", members), "ok") != 0) {
        fail_msg("not disposed: %s %s", s->result, s->text);
    }
}

static void r1_an_agent_is_moved_to_another_campaign(void **state)
{
    const struct site first = site_new("progressive", ANSWERS AND_TALKS("30"), "");
    const struct site second = site_new("progressive", ANSWERS AND_TALKS("30"), "");
    struct seat s;
    char number[20];

    (void)state;
    seat_new(&s, first.campaign);
    ctl("campaign|start|%lld", (long long)first.campaign);
    ctl("campaign|start|%lld", (long long)second.campaign);
    seat_work(&s);
    site_lead(&second, "Second", number);
    SEAT_WHILE(&s, 500, dialed_by(&second) == 0); /* no agent there */
    ctl("agent|assign|%lld|--campaign|%lld", (long long)s.agent, (long long)second.campaign);
    SEAT_UNTIL(&s, s.campaign == second.campaign && strcmp(s.call, "bridged") == 0);
    assert_string_equal(s.state, "busy");
    /* Moved in a call: the call is finished first, in the campaign that made it. */
    site_lead(&first, "First", number);
    ctl("agent|assign|%lld|--campaign|%lld", (long long)s.agent, (long long)first.campaign);
    SEAT_UNTIL(&s, s.campaign == first.campaign);
    SEAT_WHILE(&s, 500, strcmp(s.state, "busy") == 0 && dialed_by(&first) == 0);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    give(&s, s.attempt, "sale", "");
    SEAT_UNTIL(&s, strcmp(s.pop_name, "First") == 0 && strcmp(s.call, "bridged") == 0);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    ctl("campaign|stop|%lld", (long long)first.campaign);
    ctl("campaign|stop|%lld", (long long)second.campaign);
    seat_leave(&s);
}

/* A wrap-up that ends without a word is listed for the supervisor, and is still its agent's. */
static void r4_r25_what_was_not_disposed_is_listed_disposed_and_corrected(void **state)
{
    const struct site site =
        site_new("progressive", ANSWERS AND_TALKS("0.5"), "wrapup_timeout=1|retry=600");
    struct seat s;
    char number[20];
    char attempt[40];

    (void)state;
    seat_new(&s, site.campaign);
    site_lead(&site, "Missed", number);
    ctl("campaign|start|%lld", (long long)site.campaign);
    seat_work(&s);
    SEAT_STATE(&s, "wrapup");
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    SEAT_STATE(&s, "available");
    run_until(seat_hear(&s) && strstr(ctl("attempt|list|--not-disposed"), attempt) != NULL);
    assert_int_equal(ctl_status("attempt|correct|%s|nonsense", attempt), 2);
    give(&s, attempt, "sale", "she rang back");
    assert_null(strstr(ctl("attempt|list|--not-disposed"), attempt));

    ctl("attempt|correct|%s|dnc|--note|she did not", attempt);
    assert_string_equal(call_text(attempt, "disposition"), "dnc");
    assert_non_null(strstr(ctl("attempt|list"), "\"by\":\"supervisor\""));
    assert_non_null(strstr(ctl("audit"), "\"old\":\"sale\",\"new\":\"dnc\""));
    assert_non_null(strstr(ctl("dnc|list"), number)); /* and at once for every campaign */
    assert_int_equal(ctl_status("attempt|correct|att-0000-00000000-00000000-00000000|sale"), 3);
    ctl("campaign|stop|%lld", (long long)site.campaign);
    seat_leave(&s);
}

static void r6_a_forced_state_waits_for_the_end_of_the_call(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("30"), "");
    struct seat s;
    char number[20];

    (void)state;
    seat_new(&s, site.campaign);
    assert_int_equal(ctl_status("agent|state|%lld|break", (long long)s.agent), 1);
    site_lead(&site, "Caller", number);
    ctl("campaign|start|%lld", (long long)site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    ctl("agent|state|%lld|break|--reason|talk to me", (long long)s.agent);
    SEAT_WHILE(&s, 500, strcmp(s.state, "busy") == 0 && strcmp(s.call, "bridged") == 0);
    ctl("agent|hangup|%lld", (long long)s.agent); /* the separate act */
    SEAT_STATE(&s, "wrapup");
    assert_true(s.needs_disposition);
    assert_int_equal(ctl_status("agent|hangup|%lld", (long long)s.agent), 1);
    give(&s, s.attempt, "sale", "");
    SEAT_STATE(&s, "break");
    assert_string_equal(s.reason, "talk to me");
    assert_true(agent_was(s.agent, "talk to me"));

    site_lead(&site, "Another", number);
    ctl("agent|state|%lld|available", (long long)s.agent);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    ctl("agent|logout|%lld", (long long)s.agent);
    SEAT_WHILE(&s, 300, strcmp(s.state, "busy") == 0);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup"); /* the disposition is asked for first */
    SEAT_WHILE(&s, 300, strcmp(s.state, "wrapup") == 0);
    give(&s, s.attempt, "sale", "");
    SEAT_STATE(&s, "offline");
    assert_int_equal(ctl_status("agent|logout|%lld", (long long)s.agent), 1);
    assert_int_equal(ctl_status("agent|logout|987654"), 3);
    assert_non_null(
        strstr(ctl("audit|--limit|9"), "\"field\":\"order\",\"old\":\"\",\"new\":\"hangup\""));
    ctl("campaign|stop|%lld", (long long)site.campaign);
    seat_leave(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_on_the_page_holds),
        cmocka_unit_test(a_start_that_breaks_a_rule_is_refused_on_the_page),
        cmocka_unit_test(stop_now_by_dialerctl_cancels_what_rings),
        cmocka_unit_test(stop_now_on_the_page_cancels_what_rings),
        cmocka_unit_test(r1_an_agent_is_moved_to_another_campaign),
        cmocka_unit_test(r4_r25_what_was_not_disposed_is_listed_disposed_and_corrected),
        cmocka_unit_test(r6_a_forced_state_waits_for_the_end_of_the_call),
    };

    return cmocka_run_group_tests_name("operator", tests, stack_up, stack_down);
}
