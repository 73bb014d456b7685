/* The gate, one case a reason, and the window over midnight, ring time and a change of the clocks.
 */
#include "actors/gate.h"
#include "actors/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NOON_UTC INT64_C(1767268800000) /* 2026-01-01 12:00 */

static struct gate_campaign campaign(void)
{
    return (struct gate_campaign){
        .running = true,
        .line_up = true,
        .automatic = true,
        .prefixes = words_of("+1212, +44"),
        .caller_id = words_of("+12125550100"),
        .ring_s = 30,
        .window_from_min = 9 * 60,
        .window_to_min = 17 * 60,
        .max_attempts = 3,
    };
}

static struct gate_lead lead(void)
{
    return (struct gate_lead){.number = words_of("+12125550123"), .list_active = true};
}

static void check(const struct gate_campaign *c, const struct gate_lead *l, enum reason expected)
{
    struct gate_verdict v = gate_check(c, l, NOON_UTC);

    assert_string_equal(reason_name(v.reason), reason_name(expected));
}

static void each_reason(void **state)
{
    struct gate_campaign c = campaign();
    struct gate_lead l = lead();

    (void)state;
    check(&c, &l, REASON_allow);
#define CASE(change, expected)                                                                     \
    do {                                                                                           \
        c = campaign();                                                                            \
        l = lead();                                                                                \
        change;                                                                                    \
        check(&c, &l, expected);                                                                   \
    } while (0)
    CASE(c.running = false, REASON_campaign_stopped);
    CASE(c.draining = true, REASON_draining);
    CASE(c.line_up = false, REASON_line_away);
    CASE(c.prefixes = words_of(""), REASON_prefix_not_allowed);
    CASE(c.prefixes = words_of("+"), REASON_prefix_not_allowed);
    CASE(c.caller_id = words_of(""), REASON_no_caller_id);
    CASE(c.ring_s = 14, REASON_ring_too_short);
    CASE(c.window_from_min = 13 * 60, REASON_outside_hours);
    CASE(l.number = words_of("+449098790123"), REASON_prefix_forbidden);
    CASE(l.number = words_of("+33123456789"), REASON_prefix_not_allowed);
    CASE(l.number = words_of("300&PJSIP/x"), REASON_bad_number);
    CASE(l.number = words_of("+1212555012a"), REASON_bad_number);
    CASE(l.number = words_of("+0212555012"), REASON_bad_number);
    CASE(l.number = words_of("+1212555012345678"), REASON_bad_number);
    CASE(l.list_active = false, REASON_list_stopped);
    CASE(l.final = true, REASON_final);
    CASE(l.attempts = 3, REASON_attempts_used);
    CASE(l.number_alive = true, REASON_number_alive);
    CASE(l.suppressed = true, REASON_do_not_call);
    CASE(l.row_status = ROW_DIALING, REASON_row_not_pending);
    CASE(l.due_wall_ms = NOON_UTC + 1, REASON_not_due);
    CASE(l.number_free_wall_ms = NOON_UTC + 1, REASON_retry_interval);
    CASE(l.attempts_24h = 3, REASON_number_daily_limit);
#undef CASE
}

/* An agent may call sooner and a used-up lead, but never a suppressed or foreign number. */
static void what_an_agent_may(void **state)
{
    struct gate_campaign c = campaign();
    struct gate_lead l = lead();

    (void)state;
    c.automatic = false;
    l.attempts = 9;
    l.due_wall_ms = NOON_UTC + 1;
    l.number_free_wall_ms = NOON_UTC + 1;
    l.attempts_24h = 9;
    l.final = true;
    check(&c, &l, REASON_allow);
    l.suppressed = true;
    check(&c, &l, REASON_do_not_call);
    l = lead();
    l.number_alive = true;
    check(&c, &l, REASON_number_alive);
    l = lead();
    c.window_to_min = 11 * 60;
    check(&c, &l, REASON_outside_hours);
}

static bool open(uint16_t from_min, uint16_t to_min, const struct zone_now *zone, int64_t wall_ms,
                 int64_t *when)
{
    const struct hours h = {from_min, to_min, 30000};

    return hours_open(&h, zone, wall_ms, when);
}

static void the_window(void **state)
{
    struct zone_now utc = {0, 0, 0};
    struct zone_now new_york = {-5 * 3600, 0, 0};
    /* the clocks go forward at 13:00 UTC in this made-up zone */
    struct zone_now changing = {0, NOON_UTC + 3600 * 1000, 3600};
    int64_t when;

    (void)state;
    assert_true(open(9 * 60, 17 * 60, &utc, NOON_UTC, &when));
    assert_false(open(9 * 60, 17 * 60, &new_york, NOON_UTC, &when));
    assert_int_equal(when, NOON_UTC + 2 * 3600 * 1000); /* 07:00 there, opens at 09:00 */
    /* R18: the ring time must be over before the window closes */
    assert_true(open(9 * 60, 12 * 60 + 1, &utc, NOON_UTC, &when));
    assert_false(open(9 * 60, 12 * 60 + 1, &utc, NOON_UTC + 31000, &when));
    /* over midnight */
    assert_true(open(22 * 60, 13 * 60, &utc, NOON_UTC, &when));
    assert_false(open(22 * 60, 11 * 60, &utc, NOON_UTC, &when));
    /* all day */
    assert_true(open(0, 0, &new_york, NOON_UTC, &when));
    /* before the change 12:30 is 12:30, after it 13:30 is 14:30 */
    assert_int_equal(hours_local_minute(&changing, NOON_UTC + 1800 * 1000), 12 * 60 + 30);
    assert_int_equal(hours_local_minute(&changing, NOON_UTC + 5400 * 1000), 14 * 60 + 30);
    /* opening at 15:00 local comes an hour sooner than it looks */
    assert_false(open(15 * 60, 17 * 60, &changing, NOON_UTC, &when));
    assert_int_equal(when, NOON_UTC + 2 * 3600 * 1000);
}

/* What time ends: the last to end is told, and when the window is open then. */
static void when_it_may_go(void **state)
{
    struct gate_campaign c = campaign(); /* 9:00 to 17:00, it is noon */
    struct gate_lead l = lead();
    struct gate_verdict v;

    (void)state;
    l.due_wall_ms = NOON_UTC + 3600000;
    v = gate_check(&c, &l, NOON_UTC);
    assert_int_equal(v.reason, REASON_not_due);
    assert_true(v.when_wall_ms == l.due_wall_ms);
    l.due_wall_ms = NOON_UTC + 6 * 3600000; /* 18:00 */
    v = gate_check(&c, &l, NOON_UTC);
    assert_int_equal(v.reason, REASON_not_due);
    assert_true(v.when_wall_ms == NOON_UTC + 21 * 3600000); /* 9:00 */
    l.own_zone = true;
    l.zone = (struct zone_now){9 * 3600, 0, 0}; /* 21:00 there */
    l.due_wall_ms = NOON_UTC + 12 * 3600000;    /* 9:00 there: its hours are why it waits */
    v = gate_check(&c, &l, NOON_UTC);
    assert_int_equal(v.reason, REASON_outside_hours);
    assert_true(v.when_wall_ms == l.due_wall_ms);
    l.number_free_wall_ms = l.due_wall_ms + 1000;
    v = gate_check(&c, &l, NOON_UTC);
    assert_int_equal(v.reason, REASON_retry_interval);
    assert_true(v.when_wall_ms == l.number_free_wall_ms);
    l.suppressed = true; /* no time helps */
    v = gate_check(&c, &l, NOON_UTC);
    assert_int_equal(v.reason, REASON_do_not_call);
    assert_true(v.when_wall_ms == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason),
        cmocka_unit_test(what_an_agent_may),
        cmocka_unit_test(the_window),
        cmocka_unit_test(when_it_may_go),
    };

    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
