/*
 * sweep_below.c - calls to the kernel as a library makes them: these names stand before libc's for
 * the whole process, so that what libpq, hiredis, SQLite and libwebsockets ask for can fail as well
 * (sweep.h, SWEEP_BELOW_*).
 */
#include "tests/support/sweep.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The C library's, or a sanitizer's. */
static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* A connection that has broken is so for poll(), too. */
static bool breaks(enum sweep_kind kind, int fd)
{
    int error;

    if (sweep_fails(kind)) {
        return true;
    }
    if (!sweep_fails(SWEEP_BELOW_LINK)) {
        return false;
    }
    error = errno;
    (void)shutdown(fd, SHUT_RDWR);
    errno = error;
    return true;
}

/* BELOW(failing, result, name, parameters, arguments): dlsym gives an object pointer for a
 * function, which ISO C has no cast for; POSIX promises that the bits are the same. */
#define BELOW(failing, result, name, parameters, arguments)                                        \
    result name parameters;                                                                        \
    result name parameters                                                                         \
    {                                                                                              \
        static union {                                                                             \
            void *object;                                                                          \
            result(*call) parameters;                                                              \
        } next;                                                                                    \
                                                                                                   \
        if (!next.object) {                                                                        \
            next.object = real(#name);                                                             \
        }                                                                                          \
        return (failing) ? -1 : next.call arguments;                                               \
    }

BELOW(sweep_fails(SWEEP_BELOW_READ), ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
BELOW(sweep_fails(SWEEP_BELOW_READ), ssize_t, pread64, (int fd, void *to, size_t n, off_t at),
      (fd, to, n, at))
BELOW(breaks(SWEEP_BELOW_READ, fd), ssize_t, recv, (int fd, void *to, size_t n, int flags),
      (fd, to, n, flags))
BELOW(sweep_fails(SWEEP_BELOW_WRITE), ssize_t, write, (int fd, const void *from, size_t n),
      (fd, from, n))
BELOW(sweep_fails(SWEEP_BELOW_WRITE), ssize_t, pwrite64,
      (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
BELOW(sweep_fails(SWEEP_BELOW_WRITE), int, ftruncate64, (int fd, off_t size), (fd, size))
BELOW(sweep_fails(SWEEP_BELOW_SYNC), int, fsync, (int fd), (fd))
BELOW(sweep_fails(SWEEP_BELOW_SYNC), int, fdatasync, (int fd), (fd))
BELOW(breaks(SWEEP_BELOW_SEND, fd), ssize_t, send, (int fd, const void *from, size_t n, int flags),
      (fd, from, n, flags))
BELOW(breaks(SWEEP_BELOW_SEND, fd), ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
      (fd, m, flags))
BELOW(sweep_fails(SWEEP_BELOW_CONNECT), int, socket, (int domain, int type, int protocol),
      (domain, type, protocol))
BELOW(sweep_fails(SWEEP_BELOW_CONNECT), int, connect,
      (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
BELOW(sweep_fails(SWEEP_BELOW_CONNECT), int, accept, (int fd, struct sockaddr *from, socklen_t *n),
      (fd, from, n))
BELOW(sweep_fails(SWEEP_BELOW_CONNECT), int, accept4,
      (int fd, struct sockaddr *from, socklen_t *n, int flags), (fd, from, n, flags))
