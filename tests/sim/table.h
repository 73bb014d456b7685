/* table.h - a hash table from a number that is not 0 to an index, for the models. */
#ifndef TESTS_SIM_TABLE_H
#define TESTS_SIM_TABLE_H

#include <stdint.h>
#include <stdlib.h>

struct table_slot {
    uint64_t key;
    uint32_t value;
};

struct table {
    struct table_slot *slots;
    uint32_t size, used;
};

static inline uint32_t table_home(const struct table *t, uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (t->size - 1u);
}

static inline uint32_t table_at(const struct table *t, uint64_t key)
{
    uint32_t i = table_home(t, key);

    while (t->slots[i].key != 0 && t->slots[i].key != key) {
        i = (i + 1u) & (t->size - 1u);
    }
    return i;
}

/* 0 when absent. */
static inline uint32_t table_get(const struct table *t, uint64_t key)
{
    return t->size == 0 ? 0 : t->slots[table_at(t, key)].value;
}

static inline void table_put(struct table *t, uint64_t key, uint32_t value)
{
    if ((t->used + 1u) * 2u > t->size) {
        struct table bigger = {NULL, t->size != 0 ? t->size * 2u : 64u, t->used};

        bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
        if (bigger.slots == NULL) {
            abort();
        }
        for (uint32_t i = 0; i < t->size; i++) {
            if (t->slots[i].key != 0) {
                bigger.slots[table_at(&bigger, t->slots[i].key)] = t->slots[i];
            }
        }
        free(t->slots);
        *t = bigger;
    }
    uint32_t i = table_at(t, key);

    t->used += t->slots[i].key == 0 ? 1u : 0u;
    t->slots[i] = (struct table_slot){key, value};
}

static inline void table_drop(struct table *t, uint64_t key)
{
    if (t->size == 0) {
        return;
    }
    uint32_t hole = table_at(t, key);

    if (t->slots[hole].key == 0) {
        return;
    }
    for (uint32_t i = (hole + 1u) & (t->size - 1u); t->slots[i].key != 0;
         i = (i + 1u) & (t->size - 1u)) {
        uint32_t want = table_home(t, t->slots[i].key);
        int stays = hole <= i ? hole < want && want <= i : hole < want || want <= i;

        if (!stays) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = (struct table_slot){0, 0};
    t->used--;
}

#endif
