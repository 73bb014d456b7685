#include "actors/map.h"

#include <string.h>

#define FIRST_SIZE 16u

static uint32_t home(const struct map *m, uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(key >> 32) & (m->size - 1u);
}

static uint32_t slot_of(const struct map *m, uint64_t key)
{
    uint32_t i = home(m, key);

    while (m->slots[i].key != 0 && m->slots[i].key != key) {
        i = (i + 1u) & (m->size - 1u);
    }
    return i;
}

struct map_slot *map_find(const struct map *m, uint64_t key)
{
    if (m->used == 0) {
        return NULL;
    }
    uint32_t i = slot_of(m, key);

    return m->slots[i].key == key ? &m->slots[i] : NULL;
}

static void grow(struct map *m, struct effects *fx)
{
    struct map bigger = {NULL, m->size ? m->size * 2u : FIRST_SIZE, m->used};

    bigger.slots = fx_realloc(fx, NULL, bigger.size * sizeof *bigger.slots);
    memset(bigger.slots, 0, bigger.size * sizeof *bigger.slots);
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->slots[i].key != 0) {
            bigger.slots[slot_of(&bigger, m->slots[i].key)] = m->slots[i];
        }
    }
    if (m->slots) {
        fx_realloc(fx, m->slots, 0);
    }
    *m = bigger;
}

struct map_slot *map_put(struct map *m, uint64_t key, bool *made, struct effects *fx)
{
    if ((m->used + 1u) * 4u > m->size * 3u) {
        grow(m, fx);
    }
    uint32_t i = slot_of(m, key);
    bool absent = m->slots[i].key == 0;

    if (absent) {
        m->slots[i].key = key;
        m->used++;
    }
    if (made) {
        *made = absent;
    }
    return &m->slots[i];
}

bool map_drop(struct map *m, uint64_t key)
{
    if (m->used == 0) {
        return false;
    }
    uint32_t hole = slot_of(m, key);

    if (m->slots[hole].key != key) {
        return false;
    }
    /* close the gap: whoever would be found past the hole moves into it */
    for (uint32_t i = (hole + 1u) & (m->size - 1u); m->slots[i].key != 0;
         i = (i + 1u) & (m->size - 1u)) {
        uint32_t want = home(m, m->slots[i].key);
        bool stays = hole <= i ? hole < want && want <= i : hole < want || want <= i;

        if (!stays) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    memset(&m->slots[hole], 0, sizeof m->slots[hole]);
    m->used--;
    return true;
}

void map_free(struct map *m, struct effects *fx)
{
    if (m->slots) {
        fx_realloc(fx, m->slots, 0);
    }
    memset(m, 0, sizeof *m);
}

uint64_t map_hash(struct text t)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < t.len; i++) {
        h = (h ^ (unsigned char)t.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return h ? h : 1u;
}
