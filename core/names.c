/*
 * names.c - open addressing, keys never moved inside a table. A full table is replaced by a larger
 * one with the living names; the old one stays allocated (together they are smaller than the
 * newest), so an asker who still reads it reads memory, and at worst an answer as old as its
 * pointer.
 */
#include "core/names.h"

#include "core/rng.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct entry {
    _Atomic handle name;  /* 0: free. Written once, after `actor` (release; asked with acquire) */
    _Atomic handle actor; /* 0: struck out */
};

struct table {
    size_t size; /* power of two */
    size_t used; /* entries with a name, struck out or not */
    struct table *older;
    struct entry at[];
};

struct names {
    _Atomic(struct table *) table;
    pthread_mutex_t lock; /* of writers; a leaf */
};

static struct table *new_table(size_t size, struct table *older)
{
    struct table *t = calloc(1, sizeof *t + size * sizeof t->at[0]);

    if (t != NULL) {
        t->size = size;
        t->older = older;
    }
    return t;
}

struct names *names_open(void)
{
    struct names *n = calloc(1, sizeof *n);
    struct table *t = new_table(256, NULL);

    if (n == NULL || t == NULL || pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n);
        free(t);
        return NULL;
    }
    atomic_init(&n->table, t);
    return n;
}

void names_close(struct names *n)
{
    struct table *t;

    if (n == NULL) {
        return;
    }
    t = atomic_load_explicit(&n->table, memory_order_acquire);
    while (t != NULL) {
        struct table *older = t->older;
        free(t);
        t = older;
    }
    (void)pthread_mutex_destroy(&n->lock);
    free(n);
}

static struct entry *probe(struct table *t, handle name)
{
    for (size_t i = (size_t)rng_mix(name);; i++) {
        struct entry *e = &t->at[i & (t->size - 1)];
        const handle have = atomic_load_explicit(&e->name, memory_order_acquire);
        if (have == name || have == HANDLE_NONE) {
            return e;
        }
    }
}

static struct table *grow(struct names *n, struct table *old)
{
    size_t live = 0;
    struct table *t;

    for (size_t i = 0; i < old->size; i++) {
        live += atomic_load_explicit(&old->at[i].actor, memory_order_relaxed) != 0 ? 1 : 0;
    }
    t = new_table(live * 4 < old->size ? old->size : old->size * 2, old);
    if (t == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < old->size; i++) {
        const handle actor = atomic_load_explicit(&old->at[i].actor, memory_order_relaxed);
        const handle name = atomic_load_explicit(&old->at[i].name, memory_order_relaxed);
        if (actor != HANDLE_NONE) {
            struct entry *e = probe(t, name);
            atomic_init(&e->actor, actor);
            atomic_init(&e->name, name);
            t->used++;
        }
    }
    atomic_store_explicit(&n->table, t, memory_order_release);
    return t;
}

static int put_locked(struct names *n, handle name, handle actor)
{
    struct table *t = atomic_load_explicit(&n->table, memory_order_relaxed);
    struct entry *e = probe(t, name);

    if (atomic_load_explicit(&e->name, memory_order_relaxed) == HANDLE_NONE) {
        if (t->used * 2 >= t->size) {
            t = grow(n, t);
            if (t == NULL) {
                return -1;
            }
            e = probe(t, name);
        }
        t->used++;
        atomic_store_explicit(&e->actor, actor, memory_order_relaxed);
        atomic_store_explicit(&e->name, name, memory_order_release);
        return 0;
    }
    if (atomic_load_explicit(&e->actor, memory_order_relaxed) != HANDLE_NONE) {
        return -1;
    }
    atomic_store_explicit(&e->actor, actor, memory_order_release);
    return 0;
}

int names_put(struct names *n, handle name, handle actor)
{
    int rv;

    (void)pthread_mutex_lock(&n->lock);
    rv = put_locked(n, name, actor);
    (void)pthread_mutex_unlock(&n->lock);
    return rv;
}

void names_remove(struct names *n, handle name, handle actor)
{
    struct entry *e;

    (void)pthread_mutex_lock(&n->lock);
    e = probe(atomic_load_explicit(&n->table, memory_order_relaxed), name);
    if (atomic_load_explicit(&e->name, memory_order_relaxed) == name &&
        atomic_load_explicit(&e->actor, memory_order_relaxed) == actor) {
        atomic_store_explicit(&e->actor, HANDLE_NONE, memory_order_release);
    }
    (void)pthread_mutex_unlock(&n->lock);
}

handle names_get(const struct names *n, handle name)
{
    struct names *asked = (struct names *)(uintptr_t)n; /* C11 atomics do not load from const */
    const struct entry *e = probe(atomic_load_explicit(&asked->table, memory_order_acquire), name);

    return atomic_load_explicit(&((struct entry *)(uintptr_t)e)->actor, memory_order_acquire);
}
