/* sweep.c - see sweep.h. */
#include "tests/support/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cmocka.h>

static atomic_int armed = -1; /* enum sweep_kind */
static atomic_uint left;
static atomic_uint failed;
static atomic_int error_now;
static atomic_bool all_after;
static _Thread_local bool spare;

const char *sweep_name(enum sweep_kind kind)
{
    static const char *const names[] = {"memory",     "read",       "write",         "sync",
                                        "send",       "connect",    "read below",    "write below",
                                        "sync below", "send below", "connect below", "link below"};

    return names[kind];
}

void sweep_arm(enum sweep_kind kind, unsigned nth, int error, bool on)
{
    atomic_store(&failed, 0);
    atomic_store(&left, nth);
    atomic_store(&error_now, error);
    atomic_store(&all_after, on);
    atomic_store(&armed, (int)kind);
}

bool sweep_disarm(void)
{
    atomic_store(&armed, -1);
    return atomic_load(&failed) > 0;
}

bool sweep_fails(enum sweep_kind kind)
{
    bool mine;

    if (atomic_load_explicit(&armed, memory_order_relaxed) != (int)kind || spare) {
        return false;
    }
    if (atomic_load(&failed) > 0) {
        mine = atomic_load(&all_after);
    } else {
        mine = atomic_fetch_sub(&left, 1) == 1;
    }
    if (mine) {
        atomic_fetch_add(&failed, 1);
        errno = atomic_load(&error_now);
    }
    return mine;
}

void sweep_spare_me(bool spared)
{
    spare = spared;
}

unsigned sweep_stride(unsigned usual)
{
    const char *asked = getenv("DIALER_SWEEP");

    return asked && strcmp(asked, "full") == 0 ? 1 : usual;
}

void sweep_run(const char *subject, sweep_one_fn *one, enum sweep_kind kind, int error,
               unsigned stride)
{
    unsigned places = 0;

    for (unsigned nth = 1 + (unsigned)kind % stride; nth < SWEEP_MOST; nth += stride) {
        if (!one(kind, error, nth)) {
            break;
        }
        places++;
    }
    print_message("# %s, %s: %u places, each %u.\n", subject, sweep_name(kind), places, stride);
    assert_in_range(places, 1, SWEEP_MOST);
}

/* WRAP(kind, result, what failing returns, name, parameters, arguments) */
#define WRAP(kind, result, bad, name, parameters, arguments)                                       \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        return sweep_fails(kind) ? (bad) : __real_##name arguments;                                \
    }

WRAP(SWEEP_MEMORY, void *, NULL, malloc, (size_t size), (size))
WRAP(SWEEP_MEMORY, void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(SWEEP_MEMORY, void *, NULL, realloc, (void *p, size_t size), (p, size))
WRAP(SWEEP_MEMORY, char *, NULL, strdup, (const char *text), (text))
WRAP(SWEEP_MEMORY, char *, NULL, strndup, (const char *text, size_t n), (text, n))
WRAP(SWEEP_READ, ssize_t, -1, read, (int fd, void *to, size_t n), (fd, to, n))
WRAP(SWEEP_READ, ssize_t, -1, __read_chk, (int fd, void *to, size_t n, size_t room),
     (fd, to, n, room))
WRAP(SWEEP_READ, ssize_t, -1, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WRAP(SWEEP_READ, ssize_t, -1, __pread_chk, (int fd, void *to, size_t n, off_t at, size_t room),
     (fd, to, n, at, room))
WRAP(SWEEP_READ, ssize_t, -1, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
WRAP(SWEEP_READ, ssize_t, -1, __recv_chk, (int fd, void *to, size_t n, size_t room, int flags),
     (fd, to, n, room, flags))
WRAP(SWEEP_WRITE, ssize_t, -1, write, (int fd, const void *from, size_t n), (fd, from, n))
WRAP(SWEEP_WRITE, ssize_t, -1, pwrite, (int fd, const void *from, size_t n, off_t at),
     (fd, from, n, at))
WRAP(SWEEP_WRITE, ssize_t, -1, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(SWEEP_WRITE, int, -1, ftruncate, (int fd, off_t size), (fd, size))
WRAP(SWEEP_SYNC, int, -1, fsync, (int fd), (fd))
WRAP(SWEEP_SYNC, int, -1, fdatasync, (int fd), (fd))
WRAP(SWEEP_SEND, ssize_t, -1, send, (int fd, const void *from, size_t n, int flags),
     (fd, from, n, flags))
WRAP(SWEEP_SEND, ssize_t, -1, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP(SWEEP_CONNECT, int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(SWEEP_CONNECT, int, -1, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))

/* The names are the linker's (--wrap=open). */
/* NOLINTBEGIN(readability-identifier-naming) */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
/* NOLINTEND(readability-identifier-naming) */
{
    mode_t mode = 0;
    va_list args;

    if ((flags & O_CREAT) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return sweep_fails(SWEEP_CONNECT) ? -1 : __real_open(path, flags, mode);
}
