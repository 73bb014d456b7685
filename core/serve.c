/*
 * serve.c - who runs a worker, and how nobody does.
 *
 * A worker is run by one thread at a time, its owner; that is its own thread, or one of nng's that
 * has just brought it mail. Ownership is the station's flag: whoever changes it from 1 (armed:
 * nobody runs it) to 0 owns the worker until it arms it again or hands it over.
 *
 * Why nng's thread: it has been woken to bring the bag, and it is awake. Waking the worker's own
 * thread for one message would cost a second wake-up, more than everything else in a crossing. So
 * it runs the rounds itself until there is nothing left, and then goes back to nng, where it often
 * finds the bag that it has just sent. It is only borrowed: after SERVE_ROUNDS busy rounds it hands
 * the worker to the worker's own thread, and it never spins or sleeps here.
 *
 * Leaving a worker (arm_and_leave) is the sleeper's half of the wake-up argument in bus.c:
 * everything that can end the sleep is looked at again after the flag is up. After that moment
 * somebody else may own the worker, so that look reads atomics only: the ring, the stop flag, other
 * workers' offers, and whether a watched link has told since. Who sees something takes the
 * worker back; if that fails, the one who has it now will look.
 *
 * The worker's own thread sleeps on `go`:  GO_LOOK  try to own it (a timer is nearer than the
 * sleeper thinks, a stop) GO_OWN   it is yours
 */
#include "core/pool_internal.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SERVE_ROUNDS 32u
#define SPIN_PROBE 64u /* sleeps without looking around before it is tried again */
#define FOR_EVER INT64_MAX

enum { GO_LOOK = 1, GO_OWN = 2 };

static bool stopping(const struct worker *w)
{
    return atomic_load_explicit(&w->out.pool->stop, memory_order_seq_cst);
}

/* --- taking and leaving --------------------------------------------------------------------------
 */

static void own(struct worker *w)
{
    w->clock_rounds = UINT32_MAX - 1; /* what was read before the sleep is old */
    atomic_fetch_sub_explicit(&w->out.pool->hungry, 1, memory_order_relaxed);
}

static bool claim(struct worker *w)
{
    if (!station_claim(w->out.station)) {
        return false;
    }
    own(w);
    return true;
}

static void tell_thread(struct worker *w, uint32_t what)
{
    atomic_fetch_or_explicit(&w->go, what, memory_order_seq_cst);
    (void)syscall(SYS_futex, &w->go, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool others_offer(const struct worker *w)
{
    const struct pool *pool = w->out.pool;

    if (pool->config.no_steal) {
        return false;
    }
    for (unsigned i = 0; i < pool->n_workers; i++) {
        if (i != w->index && ring_size(pool->workers[i]->offered) != 0) {
            return true;
        }
    }
    return false;
}

static bool is_watched(const struct way *way)
{
    return way->link != NULL && link_is_watched(way->link);
}

/* A bit for each way that shall tell us of its next change. Which links there are never changes, so
 * this may be asked by who is not the owner. */
static uint64_t watched_ways(const struct worker *w)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < w->out.pool->n_workers; i++) {
        mask |= (uint64_t)(is_watched(&w->out.to_worker[i]) ? 1 : 0) << i;
    }
    for (unsigned k = 0; k <= KIND_ENDPOINT_MAX; k++) {
        mask |= (uint64_t)(is_watched(&w->out.to_endpoint[k]) ? 1 : 0) << (POOL_MAX_WORKERS + k);
    }
    return mask;
}

/* The ways the worker waits for. Each was watched, and found unchanged after that; a way among
 * these that is not watched any more has told since, when nobody could be woken. */
static uint64_t awaited_ways(const struct worker *w)
{
    uint64_t mask = fences_await(w);

    for (unsigned i = 0; i < w->out.n_dirty; i++) {
        const struct way *way = w->out.dirty[i];
        if (link_backlog(way->link) != 0) {
            mask |= UINT64_C(1) << (way >= w->out.to_endpoint &&
                                            way <= &w->out.to_endpoint[KIND_ENDPOINT_MAX]
                                        ? POOL_MAX_WORKERS + (way - w->out.to_endpoint)
                                        : way - w->out.to_worker);
        }
    }
    return mask;
}

/* The owner found nothing to do. True: it is no longer the owner. False: it still is, there is
 * something after all. */
static bool arm_and_leave(struct worker *w)
{
    struct pool *pool = w->out.pool;
    const int64_t wait = wheel_wait(&w->wheel, w->now_us);
    const int64_t due = wait < 0 ? FOR_EVER : w->now_us + wait;
    const bool steals = w->moves == NULL; /* one at a time, see steal_one() */
    uint64_t awaited;

    sender_retry(&w->out);
    if (!fences_check(w)) {
        return false;
    }
    awaited = awaited_ways(w);
    bump(&w->parks, 1);
    atomic_store_explicit(&w->due_us, due, memory_order_seq_cst);
    atomic_fetch_add_explicit(&pool->hungry, 1, memory_order_relaxed);
    if (!station_arm(
            w->out.station)) { /* mail; we have stayed, or it has been taken by its bringer */
        own(w);
        return false;
    }
    if (stopping(w) || (steals && others_offer(w)) || (awaited & ~watched_ways(w)) != 0) {
        return !claim(w);
    }
    if (due < atomic_load_explicit(&w->sleeps_until_us, memory_order_seq_cst)) {
        tell_thread(w, GO_LOOK); /* it would sleep past that */
    }
    return true;
}

/* --- nng's thread
 * --------------------------------------------------------------------------------- */

void worker_serve(void *worker)
{
    struct worker *w = worker;
    volatile unsigned rounds = 0;

    own(w);
    if (setjmp(w->no_memory) != 0) {
        worker_no_memory(w);
    }
    for (;;) {
        while (worker_round(w)) {
            rounds = rounds + 1;
            if (rounds >= SERVE_ROUNDS || stopping(w)) {
                tell_thread(w, GO_OWN);
                return;
            }
        }
        if (stopping(w)) {
            tell_thread(w, GO_OWN); /* the own thread ends it */
            return;
        }
        if (arm_and_leave(w)) {
            return;
        }
    }
}

/* Any thread that has taken the flag for another reason: the worker's own thread shall run it. */
void worker_wake(void *worker)
{
    struct worker *w = worker;

    own(w);
    tell_thread(w, GO_OWN);
}

/* --- the worker's own thread
 * ------------------------------------------------------------------------ */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* How long to look around before this sleep. Looking is worth its cost only while mail keeps coming
 * within that time: at some thousand events a second it would cost more than the events. So the
 * time doubles when mail came, halves when none did, and now and then is tried again in full. */
static int64_t spin_budget(struct worker *w)
{
    const int64_t most = w->out.pool->config.spin_us;

    if (w->spin_us == 0 && ++w->spins_left_out == SPIN_PROBE) {
        w->spins_left_out = 0;
        return most;
    }
    return w->spin_us < most ? w->spin_us : most;
}

static bool look_around(struct worker *w, int64_t budget_us)
{
    const int64_t until = pool_now_us() + budget_us;

    do {
        for (int i = 0; i < 16; i++) {
            if (!station_empty(w->out.station)) {
                return true;
            }
            relax();
        }
        if (steal_one(w, false)) {
            return true;
        }
        (void)sched_yield(); /* nng's threads bring the mail: they need a processor */
    } while (pool_now_us() < until);
    return false;
}

/* True: there is something to do. */
static bool spin(struct worker *w)
{
    const int64_t budget = spin_budget(w);

    if (budget == 0) {
        return !station_empty(w->out.station) || steal_one(w, false);
    }
    if (look_around(w, budget)) {
        w->spin_us = budget * 2;
        return true;
    }
    w->spin_us = budget / 2;
    return false;
}

/* Sleep on `go` until `until_us` at the latest. */
static void sleep_on_go(struct worker *w, int64_t until_us)
{
    const int64_t us = until_us == FOR_EVER ? 0 : until_us - pool_now_us();
    const struct timespec ts = {.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};

    if (until_us == FOR_EVER || us > 0) {
        (void)syscall(SYS_futex, &w->go, FUTEX_WAIT_PRIVATE, 0, until_us == FOR_EVER ? NULL : &ts,
                      NULL, 0);
    }
}

/* Not the owner: comes back as the owner. The deadline is published before the last look at due_us,
 * and who leaves the worker stores due_us before it looks at the deadline (all four sequentially
 * consistent): one of the two notices a nearer timer. */
static void sleep_until_own(struct worker *w)
{
    int64_t until = atomic_load_explicit(&w->due_us, memory_order_relaxed);

    for (;;) {
        const uint32_t go = atomic_exchange_explicit(&w->go, 0, memory_order_seq_cst);
        if ((go & GO_OWN) != 0) {
            break;
        }
        if (go != 0 || stopping(w) || until <= pool_now_us()) {
            if (claim(w)) {
                break;
            }
            until = stopping(w) ? 0 : FOR_EVER; /* its owner will tell us what it leaves behind */
            atomic_store_explicit(&w->sleeps_until_us, until, memory_order_seq_cst);
            if (claim(w)) {
                break;
            }
            if (until == 0) {
                (void)sched_yield(); /* the last round of somebody else's */
                continue;
            }
        } else {
            atomic_store_explicit(&w->sleeps_until_us, until, memory_order_seq_cst);
            if (atomic_load_explicit(&w->due_us, memory_order_seq_cst) < until) {
                until = atomic_load_explicit(&w->due_us, memory_order_seq_cst);
                continue;
            }
        }
        sleep_on_go(w, until);
    }
    /* while we are awake nobody needs to wake us for a timer */
    atomic_store_explicit(&w->sleeps_until_us, 0, memory_order_relaxed);
}

void *worker_main(void *arg)
{
    struct worker *w = arg;

    for (;;) { /* the owner */
        if (setjmp(w->no_memory) != 0) {
            worker_no_memory(w);
        }
        while (!stopping(w) && (worker_round(w) || spin(w))) {
        }
        if (stopping(w)) {
            sender_flush(&w->out);
            return NULL; /* and stays the owner: nobody runs it any more */
        }
        if (arm_and_leave(w)) {
            sleep_until_own(w);
        }
    }
}

void worker_stop(struct worker *w)
{
    tell_thread(w, GO_LOOK);
}
