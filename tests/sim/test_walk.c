/*
 * test_walk.c - walks in the suite: a few seeds; every seed that once found something; the daemon
 * dead at each of its durable steps; and the judge, which has to notice every daemon that is broken
 * on purpose.
 *
 * WALK_SEEDS=n: more seeds. CRASHES=n: so many deaths at each place (100 is what is published).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/mutant.h"
#include "tests/sim/sim_test.h"
#include "tests/sim/walk.h"

static unsigned wanted(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* Else why not. */
static bool holds(const struct walk_options *options, char *why, size_t size)
{
    struct walk_result r;

    if (walk(options, &r)) {
        return true;
    }
    if (options->crash_point != 0) {
        snprintf(why, size, "walk %" PRIu64 ", dead at %s, visit %u: %s", options->seed,
                 crash_point_name((enum crash_point)options->crash_point), options->crash_count,
                 r.first);
    } else {
        snprintf(why, size,
                 "walk %" PRIu64 ", step %" PRIu64 ": %s\nagain: sim-soak --walk %" PRIu64
                 " --hours %g --agents %u --verbose",
                 options->seed, r.steps, r.first, options->seed, options->hours, options->agents);
    }
    return false;
}

static void must_hold(const struct walk_options *options)
{
    char why[1024];

    if (!holds(options, why, sizeof why)) {
        fail_msg("%s", why);
    }
}

/* --- a few seeds, and that a seed is a seed ----------------------------------------------- */

static void test_seeds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= wanted("WALK_SEEDS", 12); seed++) {
        must_hold(&(struct walk_options){.seed = seed, .hours = 0.2, .agents = 20});
    }
}

static void test_same_seed_same_walk(void **state)
{
    struct walk_options o = {.seed = 77, .hours = 0.1, .agents = 12};
    struct walk_result first, again;

    (void)state;
    (void)walk(&o, &first);
    (void)walk(&o, &again);
    assert_true(first.hash == again.hash);
    o.without[0] = 1;
    (void)walk(&o, &again);
    assert_true(first.hash != again.hash);
}

/* --- what was found once ------------------------------------------------------------------ */

/* A short walk that is calm but for a death at the given visit to a place. */
static struct walk_options crash_walk(uint64_t seed, enum crash_point at, unsigned visit)
{
    return (struct walk_options){.seed = seed,
                                 .hours = 0.04,
                                 .agents = 8,
                                 .gentle = true,
                                 .crash_point = at,
                                 .crash_count = visit};
}

/* "preview" and "place visit" after the seed; another word is the sentence's first. */
static struct walk_options regression(uint64_t seed, const char *rest)
{
    static const char with[] = "preview ";
    bool preview = strncmp(rest, with, sizeof with - 1) == 0;

    rest += preview ? sizeof with - 1 : 0;
    for (int at = 1; at < CRASH_POINT_COUNT; at++) {
        const char *name = crash_point_name((enum crash_point)at);
        size_t n = strlen(name);

        if (strncmp(rest, name, n) == 0 && rest[n] == ' ') {
            struct walk_options o =
                crash_walk(seed, (enum crash_point)at, (unsigned)strtoul(rest + n, NULL, 10));

            o.no_preview = !preview;
            return o;
        }
    }
    return (struct walk_options){.seed = seed, .no_preview = !preview};
}

enum { HANDS = 2 }; /* processes that share them */

/* Every HANDS-th of the lines "seed sentence" or "seed place visit sentence", with "preview" after
 * the seed if it was found since leads are previewed; # and empty ones are for people. How many
 * seeds do not hold, and how many there are. */
static int walk_again(FILE *f, unsigned hand, unsigned *seeds)
{
    char line[400], why[1024];
    int broken = 0;
    unsigned n = 0;

    while (fgets(line, sizeof line, f) != NULL) {
        char *rest;
        uint64_t seed = strtoull(line, &rest, 10);
        struct walk_options o;

        if (seed == 0 || n++ % HANDS != hand) {
            continue;
        }
        o = regression(seed, rest + (*rest == ' '));
        if (!holds(&o, why, sizeof why)) {
            print_error("%s\n", why);
            broken++;
        }
    }
    *seeds = n;
    return broken;
}

/* By the exit status: 0 all of its share hold. */
static pid_t hand_begin(unsigned hand)
{
    const pid_t pid = fork();

    if (pid == 0) {
        FILE *f = fopen("tests/sim/regressions.txt", "r");
        unsigned seeds = 0;
        const bool good = f != NULL && walk_again(f, hand, &seeds) == 0 && seeds > HANDS;

        _exit(good ? 0 : 1); /* the results are the parent's to write */
    }
    return pid;
}

static void test_regressions(void **state)
{
    pid_t hands[HANDS];
    unsigned good = 0;

    (void)state;
    for (unsigned i = 0; i < HANDS; i++) {
        hands[i] = hand_begin(i);
        assert_true(hands[i] > 0);
    }
    for (unsigned i = 0; i < HANDS; i++) {
        int status = -1;

        assert_int_equal(waitpid(hands[i], &status, 0), hands[i]);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    assert_int_equal(good, HANDS);
}

/* --- the places of core/crash.h ----------------------------------------------------------- */

/* The walk that comes to the place first; which visit it dies at is the seed's. */
static void die_at(enum crash_point at, unsigned times)
{
    struct walk_result sum = {0};
    unsigned runs = 0;

    for (uint64_t seed = 1; sum.crashes < times; seed++) {
        struct walk_options o = crash_walk(5000 + seed, at, 1 + (unsigned)(seed % 7));
        struct walk_result r;
        bool good = walk(&o, &r);

        sum.crashes += r.crashes;
        sum.adopted += r.adopted;
        sum.unknown += r.unknown;
        sum.lost += r.lost + r.dialed_twice + r.stuck + r.two_calls + r.breaches;
        if (!good) {
            fail_msg("dead at %s, visit %u, walk %" PRIu64 ": %s", crash_point_name(at),
                     o.crash_count, o.seed, r.first);
        }
        if (++runs > times * 20 + 200) {
            fail_msg("nobody ever comes to %s", crash_point_name(at));
        }
    }
    print_message("# %-17s %5u deaths, %5" PRIu64 " calls adopted, %4" PRIu64 " unknown, %" PRIu64
                  " lost\n",
                  crash_point_name(at), sum.crashes, sum.adopted, sum.unknown, sum.lost);
}

static void test_crash_points(void **state)
{
    (void)state;
    for (int at = 1; at < CRASH_POINT_COUNT; at++) {
        die_at((enum crash_point)at, wanted("CRASHES", 5));
    }
}

/* --- broken daemons ----------------------------------------------------------------------- */

static const struct {
    enum mutant mutant;
    const char *name;
    unsigned invariant; /* that it breaks (tests/judge/judge.h) */
    double store_ms; /* what is on its way to its commit when the daemon dies needs a slow store */
    uint64_t from;   /* the walks before this one are known not to show it */
} mutants[] = {
    {MUTANT_claim_after_originate, "claim after originate", 3, 0, 1},
    {MUTANT_no_retry_interval, "no retry interval", 2, 0, 1},
    {MUTANT_journal_not_replayed, "journal not replayed", 8, 0, 1},
    {MUTANT_adopt_skipped, "adopt skipped", 3, 0, 1},
    {MUTANT_deadline_missing, "deadline missing", 6, 0, 1},
    {MUTANT_double_bridge, "double bridge", 6, 0, 1},
    {MUTANT_lost_disposition, "lost disposition", 8, 0, 1},
    {MUTANT_abandon_not_counted, "abandon not counted", 7, 0, 1},
    {MUTANT_resume_gap, "resume gap", 9, 0, 1},
    {MUTANT_stale_owner, "claim by a stale owner", 3, 600, 46},
    {MUTANT_do_not_call_ignored, "do-not-call ignored", 5, 0, 1},
};

enum { MUTANT_WALKS = 150 };

static struct walk_options mutant_walk(uint64_t seed, double store_ms)
{
    return (struct walk_options){
        .seed = 9000 + seed, .hours = 0.3, .agents = 20, .store_ms = store_ms, .only_judged = true};
}

/* The first walk in which the judge finds this invariant broken; 0 none. */
static uint64_t noticed(size_t i, struct walk_result *r)
{
    mutant_now = mutants[i].mutant;
    for (uint64_t seed = mutants[i].from; seed < mutants[i].from + MUTANT_WALKS; seed++) {
        struct walk_options o = mutant_walk(seed, mutants[i].store_ms);

        if (!walk(&o, r) && r->broken[mutants[i].invariant] > 0) {
            mutant_now = MUTANT_NONE;
            return seed;
        }
    }
    mutant_now = MUTANT_NONE;
    return 0;
}

static void test_mutants(void **state)
{
    struct walk_result r;

    (void)state;
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
        uint64_t walks = noticed(i, &r);
        struct walk_options same = mutant_walk(walks, mutants[i].store_ms);

        if (walks == 0) {
            fail_msg("the judge does not notice: %s", mutants[i].name);
        }
        print_message("# %-24s breaks I%u, noticed in walk %2" PRIu64
                      "; its first finding: %.90s\n",
                      mutants[i].name, mutants[i].invariant, walks, r.first);
        must_hold(&same); /* unbroken */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),       cmocka_unit_test(test_same_seed_same_walk),
        cmocka_unit_test(test_regressions), cmocka_unit_test(test_crash_points),
        cmocka_unit_test(test_mutants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
