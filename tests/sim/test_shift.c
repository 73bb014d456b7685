/* test_shift.c - a shift of four hours with 50 agents, and that the same seed gives the same shift.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/sim_test.h"
#include "tests/sim/world_int.h"

#define AGENTS 50u
#define LEADS 40000u

static struct world *shift(uint64_t seed, enum campaign_mode mode, double ratio, bool codec)
{
    struct world *w = world_open_as(seed, codec, false);

    world_campaign(w, 1, mode)->ratio = ratio;
    world_trunk(w)->lines = 200;
    world_trunk(w)->calls_per_s = 20;
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_agent(w, a, 1);
    }
    world_leads(w, 1, LEADS);
    world_population(w, 0.25, 0.05, 0.10, 90);
    world_begin(w);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_habits(w, a,
                     (struct habits){.wrap_s = 15,
                                     .hang_up_share = 0.3,
                                     .work_s = 3600,
                                     .break_s = 360,
                                     .code = a % 3 ? "not_interested" : "sale"});
        world_login(w, a);
        world_run(w, 120.0 / AGENTS);
    }
    return w;
}

/* Everybody goes home; then everything must be over. */
static void close_up(struct world *w)
{
    world_switch(w, 1, 2);
    world_run(w, 60);
    for (uint64_t a = 1; a <= AGENTS; a++) {
        world_logout(w, a); /* waits for the end of the call */
    }
    for (int i = 0; i < 60; i++) {
        world_run(w, 30);
        for (uint64_t a = 1; a <= AGENTS; a++) {
            if (world_page(w, a)->state == AGENT_BREAK ||
                world_page(w, a)->state == AGENT_AVAILABLE) {
                world_logout(w, a);
            }
        }
    }
}

static void adds_up(struct world *w)
{
    const struct witness *seen = world_witness(w);
    uint64_t ended = 0;
    uint64_t all = 0;

    for (unsigned o = 0; o < OUTCOMES; o++) {
        all += seen->by_outcome[o];
        ended += o == OUTCOME_NEVER_SENT ? 0 : seen->by_outcome[o];
    }
    assert_int_equal(world_open_attempts(w), 0);
    assert_int_equal(world_lines(w), 0);
    assert_int_equal(ended, seen->originates);
    assert_int_equal(all, seen->claims_allowed);
    assert_int_equal(seen->by_outcome[OUTCOME_ANSWERED] + seen->by_outcome[OUTCOME_ABANDONED] +
                         seen->by_outcome[OUTCOME_CUSTOMER_GONE],
                     seen->answered);
    assert_int_equal(seen->by_outcome[OUTCOME_ANSWERED], seen->bridged);
    assert_int_equal(seen->disposed + seen->not_disposed, seen->bridged);
    assert_int_equal(seen->by_outcome[OUTCOME_UNKNOWN], 0);
    assert_int_equal(seen->late_answers, 0);
    assert_null(world_times_tile(w));
    for (uint64_t lead = 1; lead <= LEADS; lead++) {
        assert_int_not_equal(world_row(w, lead), ROW_DIALING);
        assert_in_range(world_attempts(w, world_number(w, lead)), 0, 3);
    }
    for (uint64_t a = 1; a <= AGENTS; a++) {
        assert_int_equal(world_page(w, a)->state, AGENT_OFFLINE);
        assert_false(world_leg_up(w, a));
    }
    assert_int_equal(world_open_legs(w), 0);
    assert_int_equal(world_bridges(w), 0);
    /* nobody who is gone keeps a timer: what is armed are the campaign's own few */
    assert_in_range(sim_timers(world_sim(w)), 0, 8);
}

static void whole_shift(enum campaign_mode mode, double ratio, uint64_t least_calls)
{
    clock_t begun = clock();
    struct world *w = shift(1, mode, ratio, false);

    world_run(w, 4 * 3600);
    const struct witness *seen = world_witness(w);
    int64_t busy = 0;
    int64_t free_ms = 0;

    for (uint64_t a = 1; a <= AGENTS; a++) {
        busy += world_agent_time_ms(w, a, AGENT_BUSY) + world_agent_time_ms(w, a, AGENT_WRAPUP);
        free_ms +=
            world_agent_time_ms(w, a, AGENT_AVAILABLE) + world_agent_time_ms(w, a, AGENT_RESERVED);
    }
    close_up(w);
    double took = (double)(clock() - begun) / CLOCKS_PER_SEC;

    print_message("%s: 4 h of %u agents in %.2f s: %" PRIu64 " steps, %" PRIu64
                  " originates, %" PRIu64 " answered, %" PRIu64 " bridged, %" PRIu64
                  " abandoned, occupancy %.1f %%\n",
                  campaign_mode_name(mode), AGENTS, took, sim_steps(world_sim(w)), seen->originates,
                  seen->answered, seen->bridged, seen->by_outcome[OUTCOME_ABANDONED],
                  100.0 * (double)busy / (double)(busy + free_ms));
    assert_true(seen->originates > least_calls);
    adds_up(w);
    world_close(w);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(took < 10.0);
#endif
}

/* A check that cannot fail would prove nothing: each state of a day's work, taken out of the
 * record, is missed. */
static void test_a_gap_in_the_record_is_seen(void **state)
{
    struct world *w = progressive(1, 3);
    struct person *p = world_person(w, 1);
    uint32_t taken = 0;

    (void)state;
    world_callees(w, ANSWERS(5, 30));
    world_begin(w);
    world_ready(w, 1);
    world_run(w, 300);
    assert_null(world_times_tile(w));
    for (uint32_t i = 0; i < p->n_spells; i++) {
        const struct spell out = p->spells[i];

        if (out.state == AGENT_OFFLINE) {
            continue; /* the start of the daemon: nobody was shown it */
        }
        memmove(&p->spells[i], &p->spells[i + 1], (p->n_spells - i - 1) * sizeof out);
        p->n_spells--;
        assert_non_null(world_times_tile(w));
        memmove(&p->spells[i + 1], &p->spells[i], (p->n_spells - i) * sizeof out);
        p->n_spells++;
        p->spells[i] = out;
        taken++;
    }
    assert_in_range(taken, 10, 100);
    assert_null(world_times_tile(w));
    world_close(w);
}

static void test_progressive_shift(void **state)
{
    (void)state;
    whole_shift(MODE_PROGRESSIVE, 1.0, 10000);
}

static void test_ratio_shift(void **state)
{
    (void)state;
    whole_shift(MODE_RATIO, 1.6, 10000);
}

static uint64_t hash_of(uint64_t seed, bool codec)
{
    struct world *w = shift(seed, MODE_RATIO, 2.0, codec);
    uint64_t hash;

    world_run(w, 900);
    hash = sim_hash(world_sim(w));
    world_close(w);
    return hash;
}

/* Same seed, same trace hash; other seed, other hash; and the codec changes nothing. */
static void test_same_seed_same_shift(void **state)
{
    uint64_t first = hash_of(11, false);

    (void)state;
    assert_int_equal(first, hash_of(11, false));
    assert_int_not_equal(first, hash_of(12, false));
    assert_int_equal(first, hash_of(11, true));
}

/* Ten seeds, short: the promises hold in each order in which things can come. */
static void test_seeds(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 110; seed++) {
        struct world *w = shift(seed, seed % 2 ? MODE_RATIO : MODE_PROGRESSIVE, 2.0, false);

        world_pbx_duplicates(w, 0.2);
        world_run(w, 900);
        close_up(w);
        adds_up(w);
        world_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progressive_shift),
        cmocka_unit_test(test_a_gap_in_the_record_is_seen),
        cmocka_unit_test(test_ratio_shift),
        cmocka_unit_test(test_same_seed_same_shift),
        cmocka_unit_test(test_seeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
