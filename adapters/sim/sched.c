#include "adapters/sim/sched.h"

#include <stdbool.h>
#include <stdlib.h>

#include "adapters/sim/mem.h"

static bool before(const struct task *a, const struct task *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct sched *s, size_t place, struct task *task)
{
    s->heap[place] = task;
    task->place = place + 1;
}

static void rise(struct sched *s, size_t place, struct task *task)
{
    while (place > 0 && before(task, s->heap[(place - 1) / 2])) {
        put(s, place, s->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(s, place, task);
}

static void sink(struct sched *s, size_t place, struct task *task)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= s->count)
            break;
        if (child + 1 < s->count && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s->heap[child], task))
            break;
        put(s, place, s->heap[child]);
        place = child;
    }
    put(s, place, task);
}

void sched_free(struct sched *s)
{
    free(s->heap);
    *s = (struct sched){0};
}

void sched_cancel(struct sched *s, struct task *task)
{
    if (task->place == 0)
        return;
    size_t place = task->place - 1;
    task->place = 0;
    struct task *last = s->heap[--s->count];
    if (last == task)
        return;
    if (place > 0 && before(last, s->heap[(place - 1) / 2]))
        rise(s, place, last);
    else
        sink(s, place, last);
}

void sched_at(struct sched *s, struct task *task, int64_t due)
{
    sched_cancel(s, task);
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 64;
        s->heap = mem_grow(s->heap, s->room * sizeof *s->heap);
    }
    task->due = due;
    task->order = s->order++;
    rise(s, s->count++, task);
}

int64_t sched_next(const struct sched *s)
{
    return s->count > 0 ? s->heap[0]->due : INT64_MAX;
}

struct task *sched_take(struct sched *s, int64_t now)
{
    if (s->count == 0 || s->heap[0]->due > now)
        return NULL;
    struct task *task = s->heap[0];
    sched_cancel(s, task);
    return task;
}
