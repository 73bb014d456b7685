/*
 * map.h - a small hash map from a number to a pointer or a number, grown through the executor's
 * allocator. Keys must not be 0. Iteration order is the table's; nothing that people see may depend
 * on it.
 */
#ifndef ACTORS_MAP_H
#define ACTORS_MAP_H

#include "core/actor.h"

struct map_slot {
    uint64_t key; /* 0 free */
    union {
        void *ptr;
        uint64_t num;
    } value;
};

struct map {
    struct map_slot *slots;
    uint32_t size; /* power of two, 0 before the first put */
    uint32_t used;
};

/* NULL when absent. The slot is valid until the next put or drop. */
struct map_slot *map_find(const struct map *m, uint64_t key);
/* The slot of the key, made (value zero) if it was absent; *made says which. */
struct map_slot *map_put(struct map *m, uint64_t key, bool *made, struct effects *fx);
bool map_drop(struct map *m, uint64_t key);
/* The values are the caller's. From fini: fx NULL. */
void map_free(struct map *m, struct effects *fx);

/* FNV-1a, for keys made of text; never 0. */
uint64_t map_hash(struct text t);

#endif
