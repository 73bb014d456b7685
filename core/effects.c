/* effects.c - fx_*(): one indirect call to whichever executor runs the step. */
#include "core/effects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void fx_send(struct effects *fx, handle to, uint16_t type, const void *msg)
{
    fx->ops->send(fx, to, type, msg);
}

timer_ref fx_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key)
{
    return fx->ops->arm(fx, delay_us < 0 ? 0 : delay_us, kind, key);
}

void fx_cancel(struct effects *fx, timer_ref ref)
{
    if (ref != 0) {
        fx->ops->cancel(fx, ref);
    }
}

void fx_spawn(struct effects *fx, const struct actor_type *type, uint64_t id, uint16_t arg_type,
              const void *arg)
{
    fx->ops->spawn(fx, type, id, arg_type, arg);
}

void fx_end(struct effects *fx)
{
    fx->ops->end(fx);
}

void fx_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    fx->ops->trace(fx, what, a, b);
}

void fx_count(struct effects *fx, const char *name, const char *label, uint64_t id, int64_t add)
{
    fx->ops->count(fx, name, label, id, add);
}

void fx_log(struct effects *fx, int level, const char *code, const char *text, int64_t a, int64_t b,
            int64_t c)
{
    fx->ops->log(fx, level, code, text, a, b, c);
}

uint64_t fx_random(struct effects *fx)
{
    return fx->ops->random(fx);
}

void fx_broken(struct effects *fx, const char *what)
{
    if (fx->ops->broken != NULL) {
        fx->ops->broken(fx, what);
    }
    abort(); /* an executor that cannot leave a step */
}

void *fx_realloc(struct effects *fx, void *ptr, size_t size)
{
    if (fx == NULL) { /* from fini: no step is running */
        free(size == 0 ? ptr : NULL);
        return NULL;
    }
    return fx->ops->realloc(fx, ptr, size);
}

size_t effects_format(char *out, size_t size, const char *text, const int64_t numbers[3])
{
    size_t n = 0;
    int used = 0;

    while (*text != '\0' && n + 1 < size) {
        if (text[0] == '%' && text[1] == 'd' && used < 3) {
            const int w = snprintf(out + n, size - n, "%" PRId64, numbers[used++]);
            n = w > 0 && (size_t)w < size - n ? n + (size_t)w : size - 1;
            text += 2;
        } else {
            out[n++] = *text++;
        }
    }
    out[n] = '\0';
    return n;
}
