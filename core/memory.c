/*
 * memory.c - a worker's own blocks (messages, actors, timers) and slots: no lock, no atomic, no
 * malloc on the way of a message.
 *
 * Blocks are multiples of 64 bytes cut from slabs and kept in a free list for each size. They are
 * freed by the worker that holds them last; messages between workers travel as bytes, so blocks
 * change worker only with an actor that is stolen. Slabs are given back when the pool closes.
 * Under AddressSanitizer every block is a malloc of its own, so that it sees each use after free.
 */
#include "core/pool_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB_BYTES ((size_t)256 * 1024)
#define SMALL_SLABS 8u /* then they get large: who has needed 2 MB will need more */
#define LARGE_SLAB_BYTES ((size_t)2 * 1024 * 1024)
#define SLOT_BATCH 64u

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLAIN_MALLOC 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define PLAIN_MALLOC 1
#endif
#ifndef PLAIN_MALLOC
#define PLAIN_MALLOC 0
#endif

static size_t units_of(size_t bytes)
{
    return (bytes + BLOCK_UNIT - 1) / BLOCK_UNIT;
}

static void *cut(struct worker *w, size_t bytes)
{
    void *p;

    if ((size_t)(w->slab_end - w->slab_at) < bytes) {
        const size_t size = w->n_slabs < SMALL_SLABS ? SLAB_BYTES : LARGE_SLAB_BYTES;
        unsigned char *slab = aligned_alloc(size == SLAB_BYTES ? BLOCK_UNIT : size, size);
        if (slab == NULL) {
            out_of_memory("worker");
        }
        if (size != SLAB_BYTES) {
            (void)madvise(slab, size, MADV_HUGEPAGE); /* one page fault instead of 512; may fail */
        }
        w->n_slabs++;
        *(void **)(void *)slab = w->slabs;
        w->slabs = slab;
        w->slab_at = slab + BLOCK_UNIT;
        w->slab_end = slab + size;
    }
    p = w->slab_at;
    w->slab_at += bytes;
    return p;
}

void *block_alloc(struct worker *w, size_t bytes)
{
    const size_t units = units_of(bytes);
    void *p;

    if (units > BLOCK_CLASSES || PLAIN_MALLOC) {
        p = malloc(bytes);
        if (p == NULL) {
            out_of_memory("worker");
        }
        return p;
    }
    p = w->free_blocks[units - 1];
    if (p == NULL) {
        return cut(w, units * BLOCK_UNIT);
    }
    memcpy(&w->free_blocks[units - 1], p, sizeof p);
    return p;
}

void block_free(struct worker *w, void *p, size_t bytes)
{
    const size_t units = units_of(bytes);

    if (units > BLOCK_CLASSES || PLAIN_MALLOC) {
        free(p);
        return;
    }
    memcpy(p, &w->free_blocks[units - 1], sizeof p);
    w->free_blocks[units - 1] = p;
}

struct node *node_alloc(struct worker *w, size_t block_bytes)
{
    const size_t units = units_of(sizeof(struct node) + block_bytes);
    struct node *n = block_alloc(w, sizeof *n + block_bytes);

    *n = (struct node){.units = (uint16_t)(units <= BLOCK_CLASSES ? units : 0)};
    return n;
}

void node_free(struct worker *w, struct node *n)
{
    if (n->units == 0) {
        free(n);
    } else {
        block_free(w, n, n->units * (size_t)BLOCK_UNIT);
    }
}

struct timer *timer_alloc(struct worker *w)
{
    struct timer *t = w->free_timers;

    if (t != NULL) {
        w->free_timers = t->next;
        return t;
    }
    /* never given back to malloc: a stale reference may still look at its generation */
    t = cut(w, units_of(sizeof *t) * BLOCK_UNIT);
    memset(t, 0, sizeof *t);
    return t;
}

void timer_free(struct worker *w, struct timer *t)
{
    t->state = TIMER_FREE;
    t->next = w->free_timers;
    w->free_timers = t;
}

/* --- slots ----------------------------------------------------------------------------------- */

static void more_slots(struct worker *w)
{
    struct pool *pool = w->out.pool;
    const uint32_t first = atomic_fetch_add(&pool->next_slot, SLOT_BATCH);
    const uint32_t chunk = first / SLOTS_PER_CHUNK;

    if (chunk >= SLOT_CHUNKS) {
        out_of_memory("slots");
    }
    (void)pthread_mutex_lock(&pool->chunk_lock);
    if (atomic_load_explicit(&pool->chunks[chunk], memory_order_relaxed) == NULL) {
        struct slot *slots = calloc(SLOTS_PER_CHUNK, sizeof *slots);
        if (slots == NULL) {
            out_of_memory("slots");
        }
        for (uint32_t i = 0; i < SLOTS_PER_CHUNK; i++) {
            atomic_init(&slots[i].where, NO_HOME);
        }
        atomic_store_explicit(&pool->chunks[chunk], slots, memory_order_release);
    }
    (void)pthread_mutex_unlock(&pool->chunk_lock);
    for (uint32_t i = SLOT_BATCH; i-- != 0;) {
        slot_free(w, first + i);
    }
}

uint32_t slot_alloc(struct worker *w)
{
    if (w->n_free_slots == 0) {
        more_slots(w);
    }
    return w->free_slots[--w->n_free_slots];
}

void slot_free(struct worker *w, uint32_t index)
{
    if (w->n_free_slots == w->room_free_slots) {
        const unsigned room = w->room_free_slots != 0 ? w->room_free_slots * 2 : 256;
        uint32_t *more = realloc(w->free_slots, room * sizeof *more);
        if (more == NULL) {
            out_of_memory("slots");
        }
        w->free_slots = more;
        w->room_free_slots = room;
    }
    w->free_slots[w->n_free_slots++] = index;
}

void memory_close(struct worker *w)
{
    while (w->slabs != NULL) {
        void *slab = w->slabs;
        memcpy(&w->slabs, slab, sizeof slab);
        free(slab);
    }
    free(w->free_slots);
}
