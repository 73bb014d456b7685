/*
 * wheel.h - a hashed timer wheel, one for each worker.
 *
 * A timer lies in the slot of its deadline's tick (1.024 ms); a slot holds all turns of the wheel.
 * Arming and cancelling are a list operation. A timer is never early and at most one tick late. One
 * thread.
 */
#ifndef CORE_WHEEL_H
#define CORE_WHEEL_H

#include "core/types.h"

#define WHEEL_SLOTS 8192u

struct wheel_entry {
    struct wheel_entry *prev, *next; /* NULL, NULL: not in a wheel */
    int64_t due_us;
};

struct wheel {
    int64_t tick; /* all ticks before this one have been looked at */
    size_t count;
    struct wheel_entry slots[WHEEL_SLOTS]; /* heads of rings */
    uint64_t used[WHEEL_SLOTS / 64];       /* bit: the slot holds something, or did a moment ago */
};

void wheel_init(struct wheel *w, int64_t now_us);
void wheel_add(struct wheel *w, struct wheel_entry *e, int64_t due_us);
void wheel_remove(struct wheel *w, struct wheel_entry *e);

static inline bool wheel_holds(const struct wheel_entry *e)
{
    return e->next != NULL;
}

/* Take out everything that is due, and call `fire` for each: in order of ticks, within a tick by
 * deadline is not promised. `fire` may add and remove. */
void wheel_expire(struct wheel *w, int64_t now_us,
                  void (*fire)(void *ctx, struct wheel_entry *entry), void *ctx);

/* How long nothing will be due [us]; -1 = for ever. May be too short (a slot that holds only later
 * turns), never too long. */
int64_t wheel_wait(const struct wheel *w, int64_t now_us);

#endif
