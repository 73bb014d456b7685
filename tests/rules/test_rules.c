/*
 * test_rules.c - the seed's rules over the real programs: what the agent's page hears, what the
 * store says, what the simulated Asterisk saw. Times are settings of a second or two; the defaults
 * are tested in virtual time.
 */
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t hopper_of(const struct site *site)
{
    ctl("explain|campaign|%lld", (long long)site->campaign);
    return ctl_number("hopper");
}

static const char *row_status(int64_t lead)
{
    ctl("lead|show|%lld", (long long)lead);
    return ctl_text("row_status");
}

/* --- S2, S11 -------------------------------------------------------------------------------- */

static void s2_s11_a_manual_call_from_ringing_to_available(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("1.5"), "");
    struct seat s;
    char number[20];
    char attempt[40];
    const int64_t lead = site_lead(&site, "Ada", number);

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    seat_dial(&s, number);
    SEAT_STATE(&s, "busy");
    /* S11: by number, painted before the audio. */
    assert_true(s.pop && s.pop_before_audio);
    assert_string_equal(s.pop_number, number);
    assert_string_equal(s.pop_name, "Ada");
    assert_string_equal(s.pop_city, "Rome");
    assert_int_equal(s.pop_lead, lead);
    SEAT_STATE(&s, "wrapup"); /* the customer hung up */
    assert_non_null(strstr(s.seen, "ringing "));
    assert_non_null(strstr(s.seen, "bridged "));
    assert_true(s.needs_disposition);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    assert_false(s.pop);
    assert_string_equal(call_text(attempt, "disposition"), "sale");
    assert_string_equal(call_text(attempt, "outcome"), "answered");
    assert_string_equal(call_text(attempt, "cause"), "agent");
    assert_string_equal(call_text(attempt, "note"), "noted");
    assert_int_equal(witnessed("originate", attempt), 1);
    seat_leave(&s);
    site_stop(&site);
}

static void s2_only_the_agent_of_a_call_may_dispose_it(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("1.5"), "");
    struct seat s;
    struct seat other;
    char number[20];
    char members[128];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_new(&other, site.campaign);
    seat_work(&s);
    seat_work(&other);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_STATE(&s, "wrapup");
    snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"code\":\"sale\"", s.attempt);
    assert_string_not_equal(seat_ask(&other, "set_disposition", members), "ok");
    assert_string_equal(call_text(s.attempt, "disposition"), "");
    assert_string_equal(seat_ask(&s, "set_disposition", ",\"attempt\":\"att-0\",\"code\":\"sale\""),
                        "not_found");
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    seat_leave(&s);
    seat_leave(&other);
    site_stop(&site);
}

/* --- R14 ------------------------------------------------------------------------------------ */

static const char *row_of(int64_t lead)
{
    ctl("lead|show|%lld", (long long)lead);
    return ctl_text("row_status");
}

static const char *choose(struct seat *s, const char *attempt, int64_t lead)
{
    char members[96];

    snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"lead\":%lld", attempt,
             (long long)lead);
    return seat_ask(s, "choose_lead", members);
}

/* Two lists of the campaign have the number, and one of another campaign. */
static void r14_several_leads_have_the_number(void **state)
{
    const struct site other = site_new("manual", ANSWERS, "");
    const struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "");
    const struct site second = site_list(&site, "again");
    struct seat s, stranger;
    char number[20], attempt[40], line[160];
    const int64_t ada = site_lead(&site, "Ada", number);
    const int64_t bo = site_lead_as(&second, "<b>Bo</b>", number);
    const int64_t cy = site_lead_as(&other, "Cy", number);

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_new(&stranger, site.campaign);
    seat_work(&s);
    seat_work(&stranger);
    seat_dial(&s, number);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0 && s.pop);
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    assert_int_equal(s.pop_matches, 2);
    assert_int_equal(s.pop_lead, 0);
    assert_string_equal(s.pop_name, "");
    assert_string_equal(s.pop_city, "");
    assert_int_equal(s.choices, 2);
    assert_int_equal(s.choice[0], ada);
    assert_int_equal(s.choice[1], bo);
    assert_non_null(strstr(s.choice_of[0], "Ada, "));
    assert_string_equal(s.choice_of[1], "<b>Bo</b>, again");
    /* what cannot be chosen, and who cannot choose */
    assert_string_equal(choose(&s, attempt, cy), "not_found");
    assert_string_equal(choose(&s, "att-0", bo), "refused");
    assert_string_equal(choose(&stranger, attempt, bo), "refused");
    assert_string_equal(stranger.text, "this is not your call");
    assert_string_equal(row_of(ada), "answered");
    assert_string_equal(choose(&s, attempt, bo), "ok");
    assert_string_equal(row_of(ada), "pending"); /* ok comes after the commit */
    assert_string_equal(row_of(bo), "answered");
    SEAT_UNTIL(&s, s.pop_lead == bo);
    assert_int_equal(s.pop_matches, 1);
    assert_int_equal(s.choices, 0);
    assert_string_equal(s.pop_name, "<b>Bo</b>");
    assert_string_equal(s.pop_city, "Rome");
    assert_string_equal(choose(&s, attempt, bo), "ok");
    assert_string_equal(choose(&s, attempt, ada), "conflict");
    snprintf(line, sizeof line, "\"field\":\"%s\",\"old\":\"lead %lld\",\"new\":\"lead %lld\"",
             attempt, (long long)ada, (long long)bo);
    assert_non_null(strstr(ctl("audit|--limit|9"), line));
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    assert_string_equal(choose(&s, attempt, bo), "refused");
    assert_string_equal(s.text, "the call is over");
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    assert_string_equal(row_of(bo), "completed");
    assert_string_equal(row_of(ada), "pending");
    seat_leave(&s);
    seat_leave(&stranger);
    site_stop(&site);
}

/* --- S3, S10 -------------------------------------------------------------------------------- */

static void s3_a_row_goes_from_pending_to_completed(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("1"), "leg=permanent");
    struct seat s;
    char number[20];
    const int64_t lead = site_lead(&site, "Bo", number);

    (void)state;
    assert_string_equal(row_status(lead), "pending");
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_STATE(&s, "reserved");
    assert_int_equal(s.pop_lead, lead); /* by lead id, with the reserve event */
    SEAT_STATE(&s, "busy");
    assert_string_equal(row_status(lead), "answered");
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    assert_string_equal(row_status(lead), "completed");
    assert_int_equal(witnessed("originate", number + 1), 1);
    seat_leave(&s);
    site_stop(&site);
}

static void s3_s10_an_unanswered_row_fails_with_its_cause_and_is_recycled(void **state)
{
    const struct site site =
        site_new("progressive", IS_BUSY, "leg=permanent|busy=1|max_attempts=2");
    struct seat s;
    char number[20];
    const int64_t lead = site_lead(&site, "Chen", number);

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(row_status(lead), "failed") == 0);
    assert_string_equal(ctl_text("cause"), "busy");
    assert_int_equal(ctl_number("attempts"), 1);
    /* Back to pending by itself, dialed a second time, and no third. */
    SEAT_UNTIL(&s, (row_status(lead), ctl_number("attempts") == 2));
    SEAT_UNTIL(&s, strcmp(row_status(lead), "failed") == 0);
    SEAT_WHILE(&s, 2500, s.call[0] == '\0');
    row_status(lead);
    assert_int_equal(ctl_number("attempts"), 2);
    seat_leave(&s);
    site_stop(&site);
}

static void s10_a_lead_disposed_no_answer_is_called_again(void **state)
{
    const struct site site =
        site_new("progressive", ANSWERS AND_TALKS("1.5"), "leg=permanent|no_answer=1");
    struct seat s;
    char number[20];
    char first[40];
    const int64_t lead = site_lead(&site, "Dana", number);

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_STATE(&s, "wrapup");
    snprintf(first, sizeof first, "%s", s.attempt);
    seat_dispose(&s, "no_answer");
    SEAT_UNTIL(&s, strcmp(s.state, "wrapup") == 0 && strcmp(s.attempt, first) != 0);
    seat_dispose(&s, "sale");
    assert_string_equal(row_status(lead), "completed");
    seat_leave(&s);
    site_stop(&site);
}

/* --- S4, S5 --------------------------------------------------------------------------------- */

/* The hopper holds what the campaign says and no more, and is filled again while it is dialed. (In
 * Redis: tests/hopper; in front of a daemon: tests/daemon.) */
static void s4_s5_the_hopper_is_filled_to_its_size_and_again(void **state)
{
    const struct site site =
        site_new("progressive", IS_BUSY, "leg=permanent|hopper_size=3|hopper_low=1|busy=60");
    struct seat s;
    char number[20];

    (void)state;
    for (int i = 0; i < 8; i++) {
        (void)site_lead(&site, "Hana", number);
    }
    site_start(&site);
    seat_new(&s, site.campaign);
    SEAT_UNTIL(&s, hopper_of(&site) == 3);
    SEAT_WHILE(&s, 500, hopper_of(&site) == 3);
    seat_work(&s);
    SEAT_UNTIL(&s, dialed_by(&site) == 8);
    SEAT_UNTIL(&s, outcomes(&site, "busy") == 8);
    assert_int_equal(hopper_of(&site), 0);
    seat_leave(&s);
    site_stop(&site);
}

/* --- S6 ------------------------------------------------------------------------------------- */

static void nobody_available_nothing_dialed(const char *mode)
{
    const struct site site = site_new(mode, RINGS, "leg=permanent");
    struct seat s;
    char number[20];

    for (int i = 0; i < 5; i++) {
        (void)site_lead(&site, "Emil", number);
    }
    site_start(&site);
    seat_new(&s, site.campaign);
    SEAT_WHILE(&s, 1000, dialed_by(&site) == 0);
    SEAT_UNTIL(&s, s.phone_online && s.campaign != 0);
    assert_string_equal(seat_ask(&s, "agent_login", ""), "ok");
    SEAT_UNTIL(&s, s.leg_up);
    assert_string_equal(seat_ask(&s, "set_status", ",\"state\":\"break\",\"reason\":\"lunch\""),
                        "ok");
    SEAT_STATE(&s, "break");
    SEAT_WHILE(&s, 1500, dialed_by(&site) == 0);
    assert_string_equal(seat_ask(&s, "set_status", ",\"state\":\"available\""), "ok");
    SEAT_UNTIL(&s, dialed_by(&site) > 0);
    seat_leave(&s);
    ctl("campaign|stop|%lld|--now", (long long)site.campaign);
}

static void s6_progressive_dials_for_nobody(void **state)
{
    (void)state;
    nobody_available_nothing_dialed("progressive");
}

static void s6_ratio_dials_for_nobody(void **state)
{
    (void)state;
    nobody_available_nothing_dialed("ratio");
}

/* --- S7 ------------------------------------------------------------------------------------- */

static void s7_wrap_up_ends_by_itself(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("1.5"), "wrapup_timeout=1");
    struct seat s;
    char number[20];
    char attempt[40];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_STATE(&s, "wrapup");
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    SEAT_STATE(&s, "available");
    run_until(strcmp(call_text(attempt, "disposition"), "not_disposed") == 0);
    seat_leave(&s);
    site_stop(&site);
}

/* --- S8 ------------------------------------------------------------------------------------- */

/* Taken out of the campaign during the call: the agent's own time counts, not the campaign's. */
static void s8_wrap_up_without_a_campaign_ends_by_itself(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "wrapup_timeout=3600");
    struct seat s;
    char number[20];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    ctl("agent|set|%lld|wrapup_default=1", (long long)s.agent);
    seat_work(&s);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    ctl("agent|set|%lld|campaign=0", (long long)s.agent);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    SEAT_STATE(&s, "available");
    assert_int_equal(s.campaign, 0);
    seat_leave(&s);
    site_stop(&site);
}

/* --- S12 ------------------------------------------------------------------------------------ */

static void s12_hanging_up_ends_both_legs_on_demand(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "leg=on_demand");
    struct seat s;
    char number[20];
    char attempt[40];
    char leg[32];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    snprintf(leg, sizeof leg, "-%08llx-", (unsigned long long)s.agent);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_STATE(&s, "busy");
    snprintf(attempt, sizeof attempt, "%s", s.attempt);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    run_until(witnessed("end", attempt) == 1);
    run_until(witnessed("bridge_destroyed", attempt + 4) == 1);
    SEAT_UNTIL(&s, !s.leg_up);
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    seat_leave(&s);
    site_stop(&site);
}

static void s12_hanging_up_keeps_a_permanent_leg(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("60"), "leg=permanent");
    struct seat s;
    char number[20];
    char attempt[40];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    for (int i = 0; i < 2; i++) {
        fresh_number(number);
        seat_dial(&s, number);
        SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
        snprintf(attempt, sizeof attempt, "%s", s.attempt);
        assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
        SEAT_STATE(&s, "wrapup");
        run_until(witnessed("end", attempt) == 1);
        assert_true(s.leg_up);
        seat_dispose(&s, "sale");
        SEAT_STATE(&s, "available");
        assert_true(s.leg_up);
    }
    seat_leave(&s);
    site_stop(&site);
}

/* --- R8, R10, R16, do not call ---------------------------------------------------------------- */

static void what_may_not_be_called_is_refused_with_its_reason(void **state)
{
    static const char *const wrong[] = {"300&PJSIP/200", "letters", "+12125550199;x",
                                        "1234567890123456789012345678901",
                                        "+442079460001" /* prefix not allowed */};
    const struct site site = site_new("manual", ANSWERS AND_TALKS("1.5"), "");
    struct seat s;
    char number[20];
    char members[96];
    const unsigned before = witnessed("originate", "\"kind\":\"customer\"");

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(members, sizeof members, ",\"number\":\"%s\"", wrong[i]);
        assert_string_not_equal(seat_ask(&s, "dial", members), "ok");
        assert_true(s.text[0] != '\0');
        SEAT_STATE(&s, "available");
    }
    assert_int_equal(witnessed("originate", "\"kind\":\"customer\""), before);
    fresh_number(number);
    seat_dial(&s, number);
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "dnc");
    SEAT_STATE(&s, "available");
    snprintf(members, sizeof members, ",\"number\":\"%s\"", number);
    assert_string_equal(seat_ask(&s, "dial", members), "refused");
    assert_non_null(strstr(s.text, "do-not-call"));
    seat_leave(&s);
    site_stop(&site);
}

/* --- R3 ------------------------------------------------------------------------------------- */

static void r3_a_page_that_is_gone_gets_no_calls(void **state)
{
    const struct site site = site_new("progressive", ANSWERS AND_TALKS("1.5"), "leg=permanent");
    struct seat s;
    int64_t agent;
    char number[20];

    (void)state;
    seat_new(&s, site.campaign);
    site_start(&site);
    seat_work(&s);
    agent = s.agent;
    seat_leave(&s);
    run_until(agent_was(agent, "link lost"));
    (void)site_lead(&site, "Faye", number);
    for (int i = 0; i < 50; i++) {
        net_loop_run_once(loop, 20 * US_PER_MS);
    }
    assert_int_equal(dialed_by(&site), 0);
    site_stop(&site);
}

/* --- R20, R22 --------------------------------------------------------------------------------- */

static void r22_an_answer_without_an_agent_hears_the_message(void **state)
{
    const struct site site =
        site_new("ratio", ANSWERS AND_TALKS("20"), "leg=permanent|ratio=3|answer_wait_ms=500");
    struct seat s;
    char number[3][20];
    char mine[40];

    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)site_lead(&site, "Gus", number[i]);
    }
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_UNTIL(&s, strcmp(s.call, "bridged") == 0);
    snprintf(mine, sizeof mine, "%s", s.attempt);
    /* One agent, three answers: one is talking, the others hear the campaign's message and are let
     * go. */
    run_until(seat_hear(&s) && outcomes(&site, "abandoned") == 2);
    assert_string_equal(call_text(mine, "outcome"), "none");
    assert_int_equal(witnessed("play", "safe-harbour"), 2);
    assert_string_equal(s.attempt, mine);
    assert_string_equal(s.call, "bridged");
    assert_string_equal(seat_ask(&s, "hang_up", ""), "ok");
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    seat_leave(&s);
    site_stop(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s2_s11_a_manual_call_from_ringing_to_available),
        cmocka_unit_test(s2_only_the_agent_of_a_call_may_dispose_it),
        cmocka_unit_test(r14_several_leads_have_the_number),
        cmocka_unit_test(s3_a_row_goes_from_pending_to_completed),
        cmocka_unit_test(s3_s10_an_unanswered_row_fails_with_its_cause_and_is_recycled),
        cmocka_unit_test(s10_a_lead_disposed_no_answer_is_called_again),
        cmocka_unit_test(s4_s5_the_hopper_is_filled_to_its_size_and_again),
        cmocka_unit_test(s6_progressive_dials_for_nobody),
        cmocka_unit_test(s6_ratio_dials_for_nobody),
        cmocka_unit_test(s7_wrap_up_ends_by_itself),
        cmocka_unit_test(s8_wrap_up_without_a_campaign_ends_by_itself),
        cmocka_unit_test(s12_hanging_up_ends_both_legs_on_demand),
        cmocka_unit_test(s12_hanging_up_keeps_a_permanent_leg),
        cmocka_unit_test(what_may_not_be_called_is_refused_with_its_reason),
        cmocka_unit_test(r22_an_answer_without_an_agent_hears_the_message),
        cmocka_unit_test(r3_a_page_that_is_gone_gets_no_calls),
    };

    return cmocka_run_group_tests_name("rules", tests, stack_up, stack_down);
}
