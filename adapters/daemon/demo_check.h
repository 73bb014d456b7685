/* demo_check.h - does the store say what the simulated Asterisk saw? */
#ifndef ADAPTERS_DAEMON_DEMO_CHECK_H
#define ADAPTERS_DAEMON_DEMO_CHECK_H

#include "adapters/store/store.h"

struct demo_counts {
    uint64_t claims;     /* attempts in the store */
    uint64_t originated; /* of them, that left */
    uint64_t answered, bridged, abandoned, disposed;
    uint64_t legs;
    /* the witness */
    uint64_t seen_customers, seen_legs, seen_other;
    int64_t first_wall_ms; /* of the first customer's originate, 0 none */
    uint64_t wrong;        /* differences between the two, and numbers called too soon */
};

/* Read the witness's file into the counts. 0, or -1 with a sentence. */
int demo_witness(const char *path, struct demo_counts *counts, char *why, size_t why_size);
/* The wall time of the first customer's originate in the file, 0 if there is none yet. */
int64_t demo_first_call(const char *path);
/* Compare file and store: equal sets of ids, attempts with customers' originates and legs with the
 * others, and no number twice inside `retry_ms` (calls that an agent asked for may come sooner).
 * Each difference is told on `out`, the first 20. 0 if there is none, 1 if there are, -1: could not
 * be read, with a sentence. */
int demo_check(struct store *store, const char *path, int64_t retry_ms, FILE *out,
               struct demo_counts *counts, char *why, size_t why_size);

#endif
