/*
 * memory.h - the store's model in memory: the same port without a disk, for virtual time and for
 * tests that need a store to fail at a certain point. One thread; nothing of it outlives the
 * process.
 */
#ifndef ADAPTERS_STORE_MEMORY_H
#define ADAPTERS_STORE_MEMORY_H

#include "adapters/store/store.h"

/* What a handle of store_memory does wrong, from now on. */
struct store_memory_faults {
    bool away;            /* every operation answers STORE_AWAY and does nothing */
    unsigned lose_before; /* so many transactions fail at their end, and did nothing */
    unsigned lose_after;  /* so many are carried out, and answer STORE_AWAY */
};

struct store_memory_faults *store_memory_faults(struct store *s);

/* Handles with the same options.where share a store; it stays, without handles too, until this. */
void store_memory_forget(const char *where);

#endif
