// Tasks in the order of their time, equal times in the order in which they were set: a binary heap
// with each task's place kept in the task, so that setting again and cancelling need no search.
// Times are microseconds, monotonic.
#ifndef SIM_SCHED_H
#define SIM_SCHED_H

#include <stddef.h>
#include <stdint.h>

struct task {
    void (*run)(void *owner);
    void *owner;
    int64_t due;
    uint64_t order;
    size_t place; // 1-based in the heap; 0: not set
};

struct sched {
    struct task **heap;
    size_t count;
    size_t room;
    uint64_t order;
};

void sched_free(struct sched *s);
// Sets the task, or moves it if it was set.
void sched_at(struct sched *s, struct task *task, int64_t due);
void sched_cancel(struct sched *s, struct task *task);
// The next due time; INT64_MAX when there is none.
int64_t sched_next(const struct sched *s);
// Takes the first task out if it is due at `now`, else NULL; the caller sets its clock and runs it.
struct task *sched_take(struct sched *s, int64_t now);

#endif
