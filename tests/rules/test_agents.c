/*
 * test_agents.c - rules of rules.md beyond the seed's, over the real programs: where an agent works
 * (R1), its phone (R3, R8), a number that is being called (R10), a list that is stopped (R24), and
 * what is left of the seed's: the queue's order (S5), the disposition busy (S10).
 */
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hang_up_and_dispose(struct seat *s)
{
    assert_string_equal(seat_ask(s, "hang_up", ""), "ok");
    SEAT_STATE(s, "wrapup");
    seat_dispose(s, "sale");
}

/* --- R1 ------------------------------------------------------------------------------------------
 */

static void r1_an_agent_that_is_moved_works_in_the_new_campaign_only(void **state)
{
    const struct site old = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    const struct site new = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    struct seat s;
    char number[20];
    char attempt[40];
    int64_t lead;

    (void)state;
    (void)site_lead(&old, "Old", number);
    lead = site_lead(&new, "New", number);
    site_start(&old);
    site_start(&new);
    seat_new(&s, old.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    assert_string_equal(s.pop_name, "Old");
    assert_int_equal(dialed_by(&new), 0); /* nobody works there */
    site_leads(&old, 1);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    ctl("agent|assign|%lld|--campaign|%lld", (long long)s.agent, (long long)new.campaign);
    ctl("agent|set|%lld|campaign=%lld", (long long)s.agent, (long long)new.campaign);
    SEAT_UNTIL(&s, s.campaign == new.campaign);
    /* The call is the old campaign's to its end, and holds the agent. */
    SEAT_WHILE(&s, 1000, strcmp(s.call, "bridged") == 0 && dialed_by(&new) == 0);
    assert_true(talks(attempt));
    hang_up_and_dispose(&s);
    assert_string_equal(call_text(attempt, "disposition"), "sale");
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0 && strcmp(s.attempt, attempt) != 0);
    assert_int_equal(s.pop_lead, lead);
    assert_int_equal(dialed_by(&old), 1);
    hang_up_and_dispose(&s);
    SEAT_STATE(&s, "available");
    SEAT_WHILE(&s, 1000, dialed_by(&old) == 1);
    seat_leave(&s);
    site_stop(&old);
    site_stop(&new);
}

/* --- R3 ------------------------------------------------------------------------------------------
 */

static void r3_a_leg_lost_in_a_call_is_called_back(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    struct seat s;
    char number[20];
    char first[40];
    char second[40];
    char attempt[40];

    (void)state;
    (void)site_lead(&site, "Ada", number);
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    assert_true(leg_of(s.agent, first));
    s.seen[0] = '\0';
    sim_order("/sim/hangup?channel=%s", first);
    SEAT_UNTIL(&s, strstr(s.seen, "held ") != NULL && strcmp(s.call, "bridged") == 0);
    assert_true(leg_of(s.agent, second));
    assert_string_not_equal(first, second);
    SEAT_UNTIL(&s, talks(attempt));
    assert_int_equal(witnessed("end", attempt), 0);
    assert_string_equal(s.attempt, attempt);
    assert_string_equal(s.state, "busy");
    assert_int_equal(dialed_by(&site), 1);
    hang_up_and_dispose(&s);
    seat_leave(&s);
    site_stop(&site);
}

static void r3_a_leg_lost_between_calls_is_a_break(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    struct seat s;
    char leg[40];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    assert_true(leg_of(s.agent, leg));
    sim_order("/sim/hangup?channel=%s", leg);
    SEAT_STATE(&s, "break");
    assert_string_equal(s.reason, "link lost");
    site_leads(&site, 1);
    SEAT_WHILE(&s, 1500, dialed_by(&site) == 0 && strcmp(s.state, "break") == 0);
    /* back by the agent, with a new leg */
    assert_string_equal(seat_ask(&s, "set_status", ",\"state\":\"available\""), "ok");
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    hang_up_and_dispose(&s);
    seat_leave(&s);
    site_stop(&site);
}

/* --- R8 ------------------------------------------------------------------------------------------
 */

static void no_phone_no_calls(struct seat *s, const struct site *site, const char *why)
{
    SEAT_UNTIL(s, strstr(s->why, why) != NULL && strcmp(s->state, "break") == 0);
    assert_string_equal(seat_ask(s, "set_status", ",\"state\":\"available\""), "refused");
    if (strstr(s->text, why) == NULL) {
        fail_msg("refused, but: %s", s->text);
    }
    SEAT_WHILE(s, 1000, dialed_by(site) == 0 && strcmp(s->state, "break") == 0);
}

static void r8_no_registered_phone_no_calls_and_the_page_says_why(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("60"), "leg=permanent");
    struct seat s;

    (void)state;
    site_leads(&site, 1);
    site_start(&site);
    seat_new(&s, site.campaign);
    SEAT_UNTIL(&s, s.phone_online && s.campaign != 0);
    sim_order("/sim/register?endpoint=%s&on=0", s.phone);
    SEAT_UNTIL(&s, !s.phone_online);
    assert_string_equal(seat_ask(&s, "agent_login", ""), "ok");
    no_phone_no_calls(&s, &site, "your phone is not registered");
    ctl("agent|set|%lld|phone_enabled=off", (long long)s.agent);
    no_phone_no_calls(&s, &site, "you have no phone");
    ctl("agent|set|%lld|phone_enabled=on", (long long)s.agent);
    SEAT_UNTIL(&s, strstr(s.why, "not registered") != NULL);
    sim_order("/sim/register?endpoint=%s&on=1", s.phone);
    SEAT_UNTIL(&s, s.phone_online);
    assert_string_equal(s.why, "");
    assert_string_equal(seat_ask(&s, "set_status", ",\"state\":\"available\""), "ok");
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    hang_up_and_dispose(&s);
    seat_leave(&s);
    site_stop(&site);
}

/* --- R10 -----------------------------------------------------------------------------------------
 */

/* In the whole account: the second agent works in another campaign. */
static void r10_a_number_that_is_being_called_is_refused(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "");
    const struct site other = site_new("manual", ANSWERS AND_TALKS("60"), "");
    struct seat s;
    struct seat second;
    char number[20];
    char members[64];

    (void)state;
    site_start(&site);
    site_start(&other);
    seat_new(&s, site.campaign);
    seat_new(&second, other.campaign);
    seat_work(&s);
    seat_work(&second);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    snprintf(members, sizeof members, ",\"number\":\"%s\"", number);
    assert_string_equal(seat_ask(&second, "dial", members), "refused");
    assert_non_null(strstr(second.text, "has not ended"));
    SEAT_STATE(&second, "available");
    assert_int_equal(witnessed("originate", number + 1), 1);
    hang_up_and_dispose(&s);
    seat_dial(&second, number); /* its attempt has ended: an agent may */
    SEAT_UNTIL(&second, strcmp(second.call, "bridged") == 0);
    hang_up_and_dispose(&second);
    seat_leave(&s);
    seat_leave(&second);
    site_stop(&site);
    site_stop(&other);
}

/* --- R24 -----------------------------------------------------------------------------------------
 */

/* The trunk lets one call a second out: rows are claimed and wait for it. Those go back. */
static void r24_a_stopped_list_is_dialed_no_more_claimed_rows_included(void **state)
{
    const struct site site = site_new("ratio", RINGS, "leg=permanent|ratio=3|retry=300");
    struct seat s[3];
    unsigned before;

    (void)state;
    ctl("trunk|set|%lld|cps=1", (long long)site.trunk);
    site_leads(&site, 20);
    for (int i = 0; i < 3; i++) {
        seat_new(&s[i], site.campaign);
        seat_work(&s[i]);
    }
    site_start(&site);
    SEAT_UNTIL(&s[0], seat_hear(&s[1]) && seat_hear(&s[2]) && dialed_by(&site) >= 2 &&
                          (ctl("explain|campaign|%lld", (long long)site.campaign),
                           ctl_number("claimed") > 0));
    ctl("list|stop|%lld", (long long)site.list);
    SEAT_WHILE(&s[0], 2000, seat_hear(&s[1]) && seat_hear(&s[2]));
    before = dialed_by(&site);
    assert_true(before < 9);
    SEAT_WHILE(&s[0], 3000, seat_hear(&s[1]) && seat_hear(&s[2]) && dialed_by(&site) == before);
    assert_true(outcomes(&site, "never_sent") > 0);
    ctl("explain|campaign|%lld", (long long)site.campaign);
    assert_int_equal(ctl_number("claimed"), 0);
    ctl("list|start|%lld", (long long)site.list);
    SEAT_UNTIL(&s[0], seat_hear(&s[1]) && seat_hear(&s[2]) && dialed_by(&site) > before);
    ctl("campaign|stop|%lld|--now", (long long)site.campaign);
    for (int i = 0; i < 3; i++) {
        seat_leave(&s[i]);
    }
}

/* --- S5, S10 -------------------------------------------------------------------------------------
 */

static void s5_leads_are_dialed_in_the_lists_order(void **state)
{
    const struct site site = site_new("progressive", IS_BUSY, "leg=permanent|busy=60");
    struct seat s;
    char number[6][20];
    char *witness;
    const char *at;

    (void)state;
    for (int i = 0; i < 6; i++) {
        (void)site_lead(&site, "Ida", number[i]);
    }
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, outcomes(&site, "busy") == 6);
    witness = read_file("witness");
    at = witness;
    for (int i = 0; i < 6; i++) {
        at = strstr(at, number[i] + 1);
        assert_non_null(at);
    }
    free(witness);
    seat_leave(&s);
    site_stop(&site);
}

static void s10_a_lead_disposed_busy_is_called_again_up_to_the_attempts(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("1.5"),
                                      "leg=permanent|busy=2|no_answer=60|max_attempts=2");
    struct seat s;
    char number[20];
    char first[40];
    const int64_t lead = site_lead(&site, "Dana", number);
    int64_t disposed_us;

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_STATE(&s, "wrapup");
    snprintf(first, sizeof first, "%s", s.attempt);
    seat_dispose(&s, "busy");
    disposed_us = net_now_us();
    SEAT_UNTIL(&s, strcmp(s.state, "wrapup") == 0 && strcmp(s.attempt, first) != 0);
    assert_true(net_now_us() - disposed_us > 1500 * US_PER_MS);
    seat_dispose(&s, "busy");
    SEAT_STATE(&s, "available");
    SEAT_WHILE(&s, 3000, dialed_by(&site) == 2); /* its attempts are used */
    ctl("lead|show|%lld", (long long)lead);
    assert_int_equal(ctl_number("attempts"), 2);
    seat_leave(&s);
    site_stop(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r1_an_agent_that_is_moved_works_in_the_new_campaign_only),
        cmocka_unit_test(r3_a_leg_lost_in_a_call_is_called_back),
        cmocka_unit_test(r3_a_leg_lost_between_calls_is_a_break),
        cmocka_unit_test(r8_no_registered_phone_no_calls_and_the_page_says_why),
        cmocka_unit_test(r10_a_number_that_is_being_called_is_refused),
        cmocka_unit_test(r24_a_stopped_list_is_dialed_no_more_claimed_rows_included),
        cmocka_unit_test(s5_leads_are_dialed_in_the_lists_order),
        cmocka_unit_test(s10_a_lead_disposed_busy_is_called_again_up_to_the_attempts),
    };

    return cmocka_run_group_tests_name("rules-agents", tests, stack_up, stack_down);
}
