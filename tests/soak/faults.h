/* faults.h - what is broken on purpose, one thing after the other, in an order that the seed says.
 */
#ifndef TESTS_SOAK_FAULTS_H
#define TESTS_SOAK_FAULTS_H

#include "core/crash.h"
#include "core/rng.h"
#include "tests/soak/place.h"

struct faults {
    struct rng rng;
    struct deck {
        unsigned card[64]; /* to come: a fault each */
        unsigned cards;
    } kinds[2];          /* kills, others: one after the other */
    unsigned next_point; /* enum crash_point */
    unsigned tried[CRASH_POINT_COUNT], hit[CRASH_POINT_COUNT];
    /* counted */
    unsigned kills, others, never_recovered;
    int64_t recovery_us[4096];
    unsigned recoveries;
    bool told;        /* each to stderr */
    const char *only; /* the names of those that may come, with commas between; NULL: all */
};

void faults_init(struct faults *f, uint64_t seed);
/* Breaks the next thing, makes it whole, waits until the daemon works again, and writes both into
 * the log. False: it did not recover. */
bool faults_next(struct faults *f, struct place *p);
/* The same with SIGSTOP of the daemon for a minute. */
bool faults_long_stop(struct faults *f, struct place *p);
/* The same at the next crash point: a daemon that dies there. */
bool faults_point(struct faults *f, struct place *p);
/* The time until the daemon worked again that only one in a hundred passed [s]. */
double faults_recovery_p99_s(const struct faults *f);
double faults_recovery_max_s(const struct faults *f);

#endif
