/*
 * store_sweep.h - every operation of a call's life on a store, while one call to the kernel or for
 * memory fails: whatever is answered, the tables hold what they held or what was asked for, all of
 * it; the same again, without trouble, is taken; and they then hold what they would have.
 */
#ifndef TESTS_SWEEP_STORE_SWEEP_H
#define TESTS_SWEEP_STORE_SWEEP_H

#include "tests/store/conformance.h"
#include "tests/support/sweep.h"

#define DUMP_TABLES 40

/* What is in the tables: one number for each, and its name. */
struct dump {
    size_t n;
    struct {
        char name[40];
        uint64_t content;
    } table[DUMP_TABLES];
};

/* These change whenever a store is opened. */
bool dump_leaves_out(const char *table);
uint64_t dump_mix(uint64_t sum, const void *bytes, size_t n);

struct sweep_place {
    const struct fixture *fixture;
    void (*dump)(struct dump *out);
};

/* Sweeps all operations with this kind; every `stride`th place of each, another one each time. */
void store_sweep(const struct sweep_place *place, enum sweep_kind kind, int error, bool on,
                 unsigned stride);
/* Opening, too; the store must be there already. */
void store_sweep_open(const struct sweep_place *place, enum sweep_kind kind, int error, bool on);

#endif
