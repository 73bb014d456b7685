/* test_hours.c - R17, R18: the window on each callee's own clock. It is Wednesday 12:00 UTC. */
#include "tests/sim/sim_test.h"

#include <stdio.h>
#include <string.h>

#define HOUR INT64_C(3600000)
#define TOKYO "Asia/Tokyo"          /* 21:00 */
#define BAHIA "America/Bahia"       /* 09:00 */
#define NEW_YORK "America/New_York" /* 07:00 */

static void zoned(struct world *w, uint64_t first, unsigned n, const char *zone)
{
    for (uint64_t lead = first; lead < first + n; lead++) {
        world_lead_zone(w, lead, zone);
    }
}

/* Campaign 1, in UTC, calls from..to o'clock. */
static struct world *dialing(unsigned from, unsigned to, unsigned agents)
{
    struct world *w = world_open(1);
    struct msg_campaign_config *c = world_campaign(w, 1, MODE_PROGRESSIVE);

    c->window_from_min = (uint16_t)(from * 60);
    c->window_to_min = (uint16_t)(to * 60);
    for (uint64_t a = 1; a <= agents; a++) {
        world_agent(w, a, 1);
    }
    world_callees(w, HEARS_BUSY);
    return w;
}

static void expect_dialed(struct world *w, uint64_t first, unsigned n, unsigned least)
{
    for (uint64_t lead = first; lead < first + n; lead++) {
        unsigned times = world_attempts(w, world_number(w, lead));

        if (least == 0 ? times != 0 : times < least) {
            fail_msg("lead %u was dialed %u times", (unsigned)lead, times);
        }
    }
}

static void expect_when(struct world *w, uint64_t lead, const char *reason, int64_t when_wall_ms)
{
    char when[64];
    uint64_t asked = world_explain_lead(w, lead);

    (void)snprintf(when, sizeof when, "\"when_wall_ms\":%lld", (long long)when_wall_ms);
    expect_reply(w, asked, RESULT_OK, reason);
    assert_non_null(strstr(world_reply(w, asked)->json, when));
}

/* Each lead in its own hours, whether the campaign's own are open or not; each row is looked at
 * once for each opening, and why and until when it waits can be asked. */
static void test_each_in_its_zone(void **state)
{
    struct world *w = dialing(9, 11, 4);
    uint64_t here = world_leads(w, 1, 4);
    uint64_t tokyo = world_leads(w, 1, 4);
    uint64_t new_york = world_leads(w, 1, 4);
    uint64_t bahia = world_leads(w, 1, 4);

    (void)state;
    zoned(w, tokyo, 4, TOKYO);
    zoned(w, new_york, 4, NEW_YORK);
    zoned(w, bahia, 4, BAHIA);
    world_begin(w);
    all_ready(w, 4);
    world_run(w, 60);
    expect_dialed(w, bahia, 4, 1);
    expect_dialed(w, here, 12, 0);
    assert_int_equal(world_witness(w)->claims, 12); /* not those that have no zone */
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_NEVER_SENT], 0);
    expect_when(w, tokyo, "outside_hours", WORLD_WALL_MS + 12 * HOUR);
    expect_when(w, new_york, "outside_hours", WORLD_WALL_MS + 2 * HOUR);
    expect_when(w, here, "outside_hours", WORLD_WALL_MS + 21 * HOUR);
    expect_reply(w, world_explain(w, 1), RESULT_OK, "outside_hours");
    world_run(w, 2 * 3600 - 120); /* not yet 9:00 in New York, past it in Bahia */
    expect_dialed(w, here, 12, 0);
    assert_true(world_refused(w, 1, REASON_outside_hours) <= 16);
    world_run(w, 120);
    expect_dialed(w, new_york, 4, 1);
    expect_dialed(w, here, 8, 0);
    world_run(w, 10 * 3600);
    expect_dialed(w, tokyo, 4, 1);
    expect_dialed(w, here, 4, 0);
    world_run(w, 9 * 3600);
    expect_dialed(w, here, 4, 1);
    world_close(w);
}

/* Many whose hours are over stand before a few whose hours are not. */
static void test_queue_is_not_blocked(void **state)
{
    struct world *w = dialing(9, 17, 4);
    uint64_t tokyo = world_leads(w, 1, 5000);
    uint64_t here = world_leads(w, 1, 8);

    (void)state;
    world_campaign_config(w, 1)->hopper_size = 100;
    zoned(w, tokyo, 5000, TOKYO);
    world_begin(w);
    all_ready(w, 4);
    world_run(w, 30);
    expect_dialed(w, here, 8, 1);
    expect_dialed(w, tokyo, 5000, 0);
    uint64_t claims = world_witness(w)->claims;

    assert_true(claims < 5050);
    world_run(w, 200); /* before the first may be called again */
    assert_int_equal(world_witness(w)->claims, claims);
    world_close(w);
}

/* All are shut: nothing is claimed, and the store is asked as seldom as with an empty queue. */
static void test_all_shut(void **state)
{
    struct world *w = dialing(9, 11, 2);
    uint64_t here = world_leads(w, 1, 1000);

    (void)state;
    world_begin(w);
    all_ready(w, 2);
    world_run(w, 1000);
    assert_int_equal(world_witness(w)->claims, 0);
    assert_in_range(world_witness(w)->candidates_asked, 900, 1100);
    uint64_t asked = world_explain(w, 1);
    char opens[64];

    (void)snprintf(opens, sizeof opens, "\"opens_wall_ms\":%lld",
                   (long long)(WORLD_WALL_MS + 21 * HOUR));
    expect_reply(w, asked, RESULT_OK, "outside_hours");
    assert_non_null(strstr(world_reply(w, asked)->json, opens));
    world_run(w, 21 * 3600 - 900);
    assert_true(world_witness(w)->originates > 0);
    (void)here;
    world_close(w);
}

/* A call that its agent asks for: the callee's hours bind, not the campaign's (R16 to R18). */
static void test_manual_in_its_zone(void **state)
{
    struct world *w = world_open(1);
    struct msg_campaign_config *c = world_campaign(w, 1, MODE_MANUAL);

    (void)state;
    c->window_from_min = 9 * 60;
    c->window_to_min = 11 * 60;
    world_agent(w, 1, 1);
    uint64_t tokyo = world_leads(w, 1, 1);
    uint64_t bahia = world_leads(w, 1, 1);

    zoned(w, tokyo, 1, TOKYO);
    zoned(w, bahia, 1, BAHIA);
    world_callees(w, ANSWERS(3, 0));
    world_begin(w);
    world_ready(w, 1);
    expect_reply(w, world_dial(w, 1, world_number(w, tokyo)), RESULT_REFUSED,
                 reason_sentence(REASON_outside_hours));
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    expect_reply(w, world_dial(w, 1, "+12125550142"), RESULT_REFUSED,
                 reason_sentence(REASON_outside_hours));
    expect_agent(w, 1, AGENT_AVAILABLE, 1);
    assert_int_equal(world_witness(w)->by_outcome[OUTCOME_NEVER_SENT], 0);
    expect_reply(w, world_dial(w, 1, world_number(w, bahia)), RESULT_OK, "attempt");
    expect_agent(w, 1, AGENT_BUSY, 10);
    world_close(w);
}

/* Somebody sets the clock of this machine, by an hour, forth and back, at every moment of a call:
 * no timer takes notice, and the window is that of the clock as it is. */
static void test_clock_is_set(void **state)
{
    struct world *w = dialing(9, 15, 3);

    (void)state;
    world_leads(w, 1, 1000);
    world_campaign_config(w, 1)->wrapup_s = 60;
    world_callees(w, ANSWERS(5, 20));
    for (uint64_t a = 1; a <= 3; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 0, .code = "sale"}); /* nobody disposes */
    }
    world_begin(w);
    all_ready(w, 3);
    for (int step = 0; step < 40; step++) {
        struct sim *sim = world_sim(w);
        int64_t hour = step % 2 == 0 ? HOUR : -HOUR;

        expect_agent(w, 1, AGENT_BUSY, 300);
        world_run(w, step % 20); /* the talk is 20 s long */
        sim_step_wall(sim, hour);
        int64_t at_us = sim_now_us(sim);
        expect_agent(w, 1, AGENT_WRAPUP, 21);
        assert_true(sim_now_us(sim) - at_us <= 20 * US_PER_S);
        at_us = sim_now_us(sim);
        sim_step_wall(sim, -hour);
        world_run(w, 59);
        expect_agent(w, 1, AGENT_WRAPUP, 0);
        world_run(w, 2);
        assert_int_not_equal(world_page(w, 1)->state, AGENT_WRAPUP);
        (void)world_available(w, 1);
        (void)world_available(w, 2);
        (void)world_available(w, 3);
    }
    uint64_t before = world_witness(w)->originates;

    sim_step_wall(world_sim(w), 4 * HOUR); /* past three o'clock */
    world_run(w, 1);
    before = world_witness(w)->originates;
    world_run(w, 600);
    assert_int_equal(world_witness(w)->originates, before);
    sim_step_wall(world_sim(w), -4 * HOUR);
    for (uint64_t a = 1; a <= 3; a++) {
        (void)world_available(w, a);
    }
    world_run(w, 30);
    assert_true(world_witness(w)->originates > before);
    world_close(w);
}

#define MARCH_8 INT64_C(1772928000000)    /* 2026-03-08 00:00 UTC: New York loses 02:00 to 03:00 */
#define NOVEMBER_1 INT64_C(1793491200000) /* 2026-11-01: it has 01:00 to 02:00 twice */

/* The window from..to o'clock of New York on that day: its first and its last call, UTC. */
static void day_in_new_york(int64_t day_ms, unsigned from, unsigned to, double opens_h,
                            double shuts_h)
{
    struct world *w = dialing(from, to, 1);
    uint64_t lead = world_leads(w, 1, 1000);
    bool opened = false;

    zoned(w, lead, 1000, NEW_YORK);
    world_callees(w, (struct callee){.fate = FATE_NO_ANSWER});
    sim_step_wall(world_sim(w), day_ms + 4 * HOUR - WORLD_WALL_MS);
    world_begin(w);
    all_ready(w, 1);
    while (world_now_ms(w) < day_ms + 12 * HOUR) {
        uint64_t seen = world_witness(w)->originates;

        world_run(w, 60);
        double hour = (double)(world_now_ms(w) - day_ms) / (double)HOUR;

        if (world_witness(w)->originates > seen) {
            opened = true;
            if (hour < opens_h || hour > shuts_h + 1.0 / 60) {
                fail_msg("a call at %.2f o'clock UTC", hour);
            }
        } else if (hour > opens_h + 0.1 && hour < shuts_h - 0.1) {
            fail_msg("no call at %.2f o'clock UTC", hour);
        }
    }
    assert_int_equal(opened, opens_h < shuts_h);
    world_close(w);
}

static void test_summer_time(void **state)
{
    (void)state;
    day_in_new_york(MARCH_8, 1, 4, 6, 8);    /* an hour shorter */
    day_in_new_york(MARCH_8, 2, 3, 0, 0);    /* not at all */
    day_in_new_york(MARCH_8, 3, 4, 7, 8);    /* already by the new clock */
    day_in_new_york(NOVEMBER_1, 0, 3, 4, 8); /* an hour longer */
    day_in_new_york(NOVEMBER_1, 2, 4, 7, 9); /* by the new clock */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_in_its_zone), cmocka_unit_test(test_queue_is_not_blocked),
        cmocka_unit_test(test_all_shut),         cmocka_unit_test(test_manual_in_its_zone),
        cmocka_unit_test(test_clock_is_set),     cmocka_unit_test(test_summer_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
