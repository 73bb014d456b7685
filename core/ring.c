/*
 * ring.c - owner of Concurrency Kit.
 *
 * CK orders memory with inline assembly that ThreadSanitizer cannot see. The annotations tell it
 * what the rings promise (release before the push, acquire after the pop, on the item itself); what
 * it still reports lies inside ck_ring's functions and is suppressed by name
 * (tests/house/tsan.supp). A write to an item after its push is still caught.
 */
#include "core/ring.h"

#include <ck_ring.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RING_TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define RING_TSAN
#endif

#ifdef RING_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define PUBLISH(p) __tsan_release(p)
#define RECEIVED(p) __tsan_acquire(p)
#else
#define PUBLISH(p) (void)(p)
#define RECEIVED(p) (void)(p)
#endif

struct ring {
    ck_ring_t ck;
    ck_ring_buffer_t *buffer;
};

struct ring *ring_open(unsigned size)
{
    struct ring *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);

    if (r == NULL) {
        return NULL;
    }
    r->buffer = calloc(size, sizeof *r->buffer);
    if (r->buffer == NULL) {
        free(r);
        return NULL;
    }
    ck_ring_init(&r->ck, size);
    return r;
}

void ring_close(struct ring *r)
{
    if (r != NULL) {
        free(r->buffer);
        free(r);
    }
}

bool ring_push_mp(struct ring *r, void *p)
{
    PUBLISH(p);
    return ck_ring_enqueue_mpsc(&r->ck, r->buffer, p);
}

void *ring_pop_sc(struct ring *r)
{
    void *p = NULL;

    if (!ck_ring_dequeue_mpsc(&r->ck, r->buffer, &p)) {
        return NULL;
    }
    RECEIVED(p);
    return p;
}

bool ring_push_sp(struct ring *r, void *p)
{
    PUBLISH(p);
    return ck_ring_enqueue_spmc(&r->ck, r->buffer, p);
}

void *ring_pop_mc(struct ring *r)
{
    void *p = NULL;

    if (!ck_ring_dequeue_spmc(&r->ck, r->buffer, &p)) {
        return NULL;
    }
    RECEIVED(p);
    return p;
}

unsigned ring_size(const struct ring *r)
{
    return ck_ring_size(&r->ck);
}
