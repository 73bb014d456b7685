/*
 * walk.h - one seeded walk: a call centre for about an hour of virtual time, in which everything
 * goes wrong that can; then it calms down, and the judge (tests/judge) looks at what was seen from
 * outside and at what stands in the store.
 *
 * The seed decides all of it: the settings, the faults, the order of things. The list of faults is
 * drawn before the walk begins, and any of them can be left out (`without`): the rest stays as it
 * is, which is how a failure is made small.
 */
#ifndef TESTS_SIM_WALK_H
#define TESTS_SIM_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WALK_FAULTS 256u

struct walk_options {
    uint64_t seed;
    double hours;    /* of dialing; 0: one */
    unsigned agents; /* 0: 50 */
    bool gentle;     /* few faults: those that lead to the places of core/crash.h */
    bool log;        /* the actors' log on stderr */
    /* The daemon dies at this point (core/crash.h) the nth time it gets there; 0: nowhere. */
    unsigned crash_point, crash_count;
    double store_ms;  /* a commit takes about half of that; 0: by the seed */
    bool no_preview;  /* no campaign shows its leads: as walks were until there was that */
    bool only_judged; /* what the models notice by themselves counts nothing */
    uint8_t without[WALK_FAULTS]; /* 1: this fault does not happen */
    FILE *tell;                   /* each fault as it happens, and what the judge says; NULL: not */
};

struct walk_result {
    uint64_t calls, kills, faults, answered, bridged, adopted, unknown, downtime_waits;
    uint64_t lost, dialed_twice, stuck, two_calls, breaches;
    uint64_t broken[11]; /* findings of the judge by invariant, [1] to [10] */
    double virtual_s;
    uint64_t steps, hash;
    unsigned n_faults; /* drawn, whether they happened or not */
    unsigned crashes;  /* at the point asked for */
    char first[600];   /* what is wrong, "" nothing */
};

/* true: everything held. */
bool walk(const struct walk_options *options, struct walk_result *result);

/* Leaves out one fault after the other as long as it still fails; returns how many are left. */
unsigned walk_shrink(struct walk_options *options, struct walk_result *result);

/* "kill 12.3 s for 2.1 s", for people. */
void walk_describe(const struct walk_options *options, FILE *out);

#endif
