/*
 * effects.h - the seam between fx_*() (actor.h) and an executor. Only executors include this.
 *
 * An executor's own struct begins with `struct effects`. The functions are called from inside a
 * step, on the thread that runs it.
 */
#ifndef CORE_EFFECTS_H
#define CORE_EFFECTS_H

#include "core/actor.h"

struct effects_ops {
    void (*send)(struct effects *fx, handle to, uint16_t type, const void *msg);
    timer_ref (*arm)(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key);
    void (*cancel)(struct effects *fx, timer_ref ref);
    void (*spawn)(struct effects *fx, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                  const void *arg);
    void (*end)(struct effects *fx);
    void (*trace)(struct effects *fx, const char *what, uint64_t a, uint64_t b);
    void (*count)(struct effects *fx, const char *name, const char *label, uint64_t id,
                  int64_t add);
    void (*log)(struct effects *fx, int level, const char *code, const char *text, int64_t a,
                int64_t b, int64_t c);
    uint64_t (*random)(struct effects *fx);
    void *(*realloc)(struct effects *fx, void *ptr, size_t size);
    void (*broken)(struct effects *fx, const char *what); /* does not return */
};

struct effects {
    const struct effects_ops *ops;
};

/* Put up to three numbers into the %d places of `text` (no other letter is looked at). Always
 * terminated. Returns the length. */
size_t effects_format(char *out, size_t size, const char *text, const int64_t numbers[3]);

#endif
