/* wheel.c - the hashed wheel. A bit for each slot lets a long sleep skip what is empty. */
#include "core/wheel.h"

#define TICK_SHIFT 10
#define MASK (WHEEL_SLOTS - 1)

static int64_t tick_of(int64_t us)
{
    return us >> TICK_SHIFT;
}

void wheel_init(struct wheel *w, int64_t now_us)
{
    *w = (struct wheel){.tick = tick_of(now_us)};
    for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
        w->slots[i].prev = w->slots[i].next = &w->slots[i];
    }
}

static void insert(struct wheel *w, struct wheel_entry *e)
{
    int64_t tick = tick_of(e->due_us);
    unsigned i;
    struct wheel_entry *head;

    tick = tick > w->tick ? tick : w->tick;
    i = (unsigned)tick & MASK;
    head = &w->slots[i];
    e->prev = head->prev;
    e->next = head;
    head->prev->next = e;
    head->prev = e;
    w->used[i / 64] |= UINT64_C(1) << (i % 64);
}

void wheel_add(struct wheel *w, struct wheel_entry *e, int64_t due_us)
{
    e->due_us = due_us;
    insert(w, e);
    w->count++;
}

static void unlink_entry(struct wheel_entry *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    e->prev = e->next = NULL;
}

void wheel_remove(struct wheel *w, struct wheel_entry *e)
{
    unlink_entry(e);
    w->count--;
}

/* What is in the slot now, taken out as a ring of its own: `fire` may add to the slot meanwhile. */
static void expire_slot(struct wheel *w, unsigned i, int64_t now_us,
                        void (*fire)(void *ctx, struct wheel_entry *entry), void *ctx)
{
    struct wheel_entry *head = &w->slots[i];
    struct wheel_entry mine;

    w->used[i / 64] &= ~(UINT64_C(1) << (i % 64));
    if (head->next == head) {
        return;
    }
    mine.next = head->next;
    mine.prev = head->prev;
    mine.next->prev = &mine;
    mine.prev->next = &mine;
    head->next = head->prev = head;
    while (mine.next != &mine) {
        struct wheel_entry *e = mine.next;
        unlink_entry(e);
        if (e->due_us <= now_us) {
            w->count--;
            fire(ctx, e);
        } else {
            insert(w, e); /* a later turn */
        }
    }
}

/* Slots from `from` on until one is marked, at most `most`. */
static unsigned skip_empty(const struct wheel *w, unsigned from, unsigned most)
{
    unsigned n = 0;

    while (n < most) {
        const unsigned i = (from + n) & MASK;
        const uint64_t bits = w->used[i / 64] >> (i % 64);
        if (bits != 0) {
            n += (unsigned)__builtin_ctzll(bits);
            break;
        }
        n += 64 - i % 64;
    }
    return n < most ? n : most;
}

void wheel_expire(struct wheel *w, int64_t now_us,
                  void (*fire)(void *ctx, struct wheel_entry *entry), void *ctx)
{
    const int64_t until = tick_of(now_us); /* this tick is not over yet */
    int64_t ticks = until - w->tick;
    unsigned at = (unsigned)w->tick & MASK;
    unsigned left = ticks < (int64_t)WHEEL_SLOTS ? (unsigned)(ticks > 0 ? ticks : 0) : WHEEL_SLOTS;

    if (left == 0) {
        return;
    }
    w->tick = until; /* first: what `fire` adds belongs behind this point */
    while (left != 0 && w->count != 0) {
        const unsigned n = skip_empty(w, at, left);
        left -= n;
        at = (at + n) & MASK;
        if (left != 0) {
            expire_slot(w, at, now_us, fire, ctx);
            left--;
            at = (at + 1) & MASK;
        }
    }
}

int64_t wheel_wait(const struct wheel *w, int64_t now_us)
{
    unsigned n;
    int64_t us;

    if (w->count == 0) {
        return -1;
    }
    n = skip_empty(w, (unsigned)w->tick & MASK, WHEEL_SLOTS);
    us = ((w->tick + n + 1) << TICK_SHIFT) - now_us;
    return us > 0 ? us : 0;
}
