/*
 * sweep.h - the Nth call to the kernel or for memory that our own code makes fails, for all N: what
 * SQLite does to itself. The linker puts these in the place of malloc, read, send and the like for
 * our objects and for them alone; with sweep_below.c in the place of those that libraries make, too
 * (not of their memory: a library that aborts counts as kill -9). A test links with the CMake
 * function sweep_test().
 *
 *     SWEEP(kind, nth) {
 *         the operation, which may be refused; then what must be true, whatever came
 *     }
 *
 * runs until an operation passes untouched.
 */
#ifndef TESTS_SUPPORT_SWEEP_H
#define TESTS_SUPPORT_SWEEP_H

#include <stdbool.h>

enum sweep_kind {
    SWEEP_MEMORY,  /* malloc, calloc, realloc, strdup, strndup */
    SWEEP_READ,    /* read, pread, recv */
    SWEEP_WRITE,   /* write, pwrite, writev, ftruncate */
    SWEEP_SYNC,    /* fsync, fdatasync */
    SWEEP_SEND,    /* send, sendmsg */
    SWEEP_CONNECT, /* socket, connect, open */
    /* Those of whoever makes them: a library, or we. Only with BELOW. */
    SWEEP_BELOW_READ,    /* read, pread, recv */
    SWEEP_BELOW_WRITE,   /* write, pwrite, ftruncate */
    SWEEP_BELOW_SYNC,    /* fsync, fdatasync */
    SWEEP_BELOW_SEND,    /* send, sendmsg */
    SWEEP_BELOW_CONNECT, /* socket, connect, accept */
    SWEEP_BELOW_LINK,    /* send, sendmsg, recv: a connection that has broken */
    SWEEP_KINDS
};
const char *sweep_name(enum sweep_kind kind);

/* From now on the nth (from 1) call of this kind by any thread fails, with `error` in errno; with
 * `on` all after it, too. */
void sweep_arm(enum sweep_kind kind, unsigned nth, int error, bool on);
/* All calls work again. True: at least one has failed. */
bool sweep_disarm(void);

/* For what stands in a call's place: is it this call's turn to fail? errno is set then. */
bool sweep_fails(enum sweep_kind kind);

/* The calling thread's calls are let through from now on, or not any more. */
void sweep_spare_me(bool spared);

/* How many of the places a test may leave out, so that all of them together stay short: 1 with
 * DIALER_SWEEP=full in the environment, else `usual`. */
unsigned sweep_stride(unsigned usual);

/* False: nothing failed. */
typedef bool sweep_one_fn(enum sweep_kind kind, int error, unsigned nth);
/* Runs `one` for the places of a kind, each stride-th of them and never past the last, and prints
 * how many there were. Kinds begin at different places. */
void sweep_run(const char *subject, sweep_one_fn *one, enum sweep_kind kind, int error,
               unsigned stride);

#define SWEEP_MOST 20000u
#define SWEEP(nth) for (unsigned nth = 1, sweeping_ = 1; sweeping_ && nth <= SWEEP_MOST; nth++)
/* Ends the sweep when the operation has passed untouched. */
#define SWEEP_DISARM()                                                                             \
    do {                                                                                           \
        sweeping_ = sweep_disarm();                                                                \
    } while (0)

#endif
