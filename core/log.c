/*
 * log.c - two rings of line buffers: free ones, and written ones on their way to the file. The
 * log's thread sleeps on a futex word while there is nothing; the argument for its wake-up is the
 * one in bus.c (store, fence, load on both sides).
 */
#include "core/log.h"

#include "core/ring.h"
#include "core/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINES 1024u /* ring size: a power of two, one unused */
#define LINE_BYTES 768u
#define CODES 256u
#define LINES_A_SECOND 20u

struct line {
    size_t len;
    char text[LINE_BYTES];
};

static struct {
    _Atomic bool running;
    _Atomic int level;
    _Atomic int fd;
    char *path;
    struct ring *filled;
    pthread_mutex_t free_lock; /* the free list is touched for a few instructions only; a leaf */
    struct line *free_lines[LINES];
    unsigned n_free;
    struct line *lines;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic uint32_t asleep;
    _Atomic uint64_t lost;
    _Atomic uint64_t told;          /* of those lost, how many a line has mentioned */
    _Atomic uint64_t budget[CODES]; /* second << 16 | lines in it, by hash of the code */
} the = {.level = LOG_LEVEL_INFO, .fd = STDERR_FILENO, .free_lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* --- what may pass --------------------------------------------------------------------------- */

static uint64_t second_now(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec;
}

static _Atomic uint64_t *budget_of(const char *code)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *code != '\0'; code++) {
        h = (h ^ (uint8_t)*code) * UINT64_C(0x100000001b3);
    }
    return &the.budget[rng_mix(h) % CODES];
}

static bool has_budget(uint64_t word, uint64_t second)
{
    return word >> 16 != second || (word & 0xffff) < LINES_A_SECOND;
}

bool log_wanted(int level, const char *code)
{
    return level >= atomic_load_explicit(&the.level, memory_order_relaxed) &&
           has_budget(atomic_load_explicit(budget_of(code), memory_order_relaxed), second_now());
}

static bool take_budget(const char *code)
{
    _Atomic uint64_t *at = budget_of(code);
    const uint64_t second = second_now();
    uint64_t word = atomic_load_explicit(at, memory_order_relaxed);
    uint64_t next;

    do {
        if (!has_budget(word, second)) {
            return false;
        }
        next = word >> 16 == second ? word + 1 : second << 16 | 1;
    } while (!atomic_compare_exchange_weak_explicit(at, &word, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* --- one line -------------------------------------------------------------------------------- */

static void write_all(int fd, const char *text, size_t len)
{
    while (len != 0) {
        const ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            atomic_fetch_add_explicit(&the.lost, 1, memory_order_relaxed);
            return; /* a full disk must not stop the daemon */
        }
        text += n;
        len -= (size_t)n;
    }
}

static size_t put_stamp(char *out, size_t size, int level, const char *code)
{
    struct timespec ts;
    struct tm tm;
    int n;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    (void)gmtime_r(&ts.tv_sec, &tm);
    n = snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000,
                 level_names[level], code);
    return n > 0 && (size_t)n < size ? (size_t)n : size - 1;
}

/* Copies `text` with control characters escaped; leaves room for the newline. */
static size_t put_escaped(char *out, size_t size, size_t at, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text != '\0' && at + 6 < size; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c != 0x7f) {
            out[at++] = *text;
            continue;
        }
        out[at++] = '\\';
        out[at++] = 'x';
        out[at++] = hex[c >> 4];
        out[at++] = hex[c & 15];
    }
    return at;
}

static void fill_line(struct line *l, int level, const char *code, const char *text)
{
    const uint64_t lost = atomic_load_explicit(&the.lost, memory_order_relaxed);
    const uint64_t told = atomic_exchange_explicit(&the.told, lost, memory_order_relaxed);

    l->len = put_stamp(l->text, sizeof l->text - 40, level, code);
    l->len = put_escaped(l->text, sizeof l->text - 40, l->len, text);
    if (lost > told) {
        l->len += (size_t)snprintf(l->text + l->len, 32, " left_out=%llu",
                                   (unsigned long long)(lost - told));
    }
    l->text[l->len++] = '\n';
}

static struct line *take_line(void)
{
    struct line *l = NULL;

    (void)pthread_mutex_lock(&the.free_lock);
    if (the.n_free != 0) {
        l = the.free_lines[--the.n_free];
    }
    (void)pthread_mutex_unlock(&the.free_lock);
    return l;
}

static void give_line(struct line *l)
{
    (void)pthread_mutex_lock(&the.free_lock);
    the.free_lines[the.n_free++] = l;
    (void)pthread_mutex_unlock(&the.free_lock);
}

static void wake(void)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&the.asleep, memory_order_seq_cst) != 0 &&
        atomic_exchange_explicit(&the.asleep, 0, memory_order_seq_cst) != 0) {
        (void)syscall(SYS_futex, &the.asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

void log_line(int level, const char *code, const char *format, ...)
{
    char text[512];
    struct line straight;
    struct line *l;
    va_list ap;

    level = level < 0 ? 0 : level > LOG_LEVEL_ERROR ? LOG_LEVEL_ERROR : level;
    if (level < atomic_load_explicit(&the.level, memory_order_relaxed)) {
        return;
    }
    if (!take_budget(code)) {
        atomic_fetch_add_explicit(&the.lost, 1, memory_order_relaxed);
        return;
    }
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (!atomic_load_explicit(&the.running, memory_order_acquire)) {
        fill_line(&straight, level, code, text);
        write_all(STDERR_FILENO, straight.text, straight.len);
        return;
    }
    l = take_line();
    if (l == NULL) {
        atomic_fetch_add_explicit(&the.lost, 1, memory_order_relaxed);
        return;
    }
    fill_line(l, level, code, text);
    if (!ring_push_mp(the.filled, l)) {
        abort(); /* impossible: the ring is larger than the number of lines */
    }
    wake();
}

uint64_t log_lost(void)
{
    return atomic_load_explicit(&the.lost, memory_order_relaxed);
}

void log_set_level(int level)
{
    atomic_store_explicit(&the.level, level, memory_order_relaxed);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void *writer(void *arg)
{
    struct line *l;

    (void)arg;
    for (;;) {
        while ((l = ring_pop_sc(the.filled)) != NULL) {
            write_all(atomic_load_explicit(&the.fd, memory_order_acquire), l->text, l->len);
            give_line(l);
        }
        if (atomic_load_explicit(&the.stop, memory_order_acquire)) {
            return NULL;
        }
        atomic_store_explicit(&the.asleep, 1, memory_order_seq_cst);
        atomic_thread_fence(memory_order_seq_cst);
        if (ring_size(the.filled) == 0 && !atomic_load_explicit(&the.stop, memory_order_seq_cst)) {
            (void)syscall(SYS_futex, &the.asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
        }
        atomic_store_explicit(&the.asleep, 0, memory_order_relaxed);
    }
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void free_all(void)
{
    ring_close(the.filled);
    free(the.lines);
    free(the.path);
    the.filled = NULL;
    the.lines = NULL;
    the.path = NULL;
    the.n_free = 0;
}

int log_open(const char *path, int level)
{
    int fd = STDERR_FILENO;
    int rv;

    if (path != NULL && (fd = open_file(path)) < 0) {
        return -1;
    }
    the.filled = ring_open(LINES * 2);
    the.lines = calloc(LINES, sizeof *the.lines);
    the.path = path != NULL ? strdup(path) : NULL;
    if (the.filled == NULL || the.lines == NULL || (path != NULL && the.path == NULL)) {
        rv = ENOMEM;
        goto failed;
    }
    for (unsigned i = 0; i < LINES; i++) {
        the.free_lines[the.n_free++] = &the.lines[i];
    }
    atomic_store_explicit(&the.fd, fd, memory_order_release);
    atomic_store_explicit(&the.stop, false, memory_order_release);
    log_set_level(level);
    rv = pthread_create(&the.thread, NULL, writer, NULL);
    if (rv != 0) {
        goto failed;
    }
    atomic_store_explicit(&the.running, true, memory_order_release);
    return 0;
failed:
    free_all();
    if (fd != STDERR_FILENO) {
        (void)close(fd);
    }
    errno = rv;
    return -1;
}

void log_close(void)
{
    int fd;

    if (!atomic_exchange_explicit(&the.running, false, memory_order_acq_rel)) {
        return;
    }
    atomic_store_explicit(&the.stop, true, memory_order_seq_cst);
    wake();
    (void)pthread_join(the.thread, NULL);
    fd = atomic_exchange_explicit(&the.fd, STDERR_FILENO, memory_order_acq_rel);
    if (fd != STDERR_FILENO) {
        (void)close(fd);
    }
    free_all();
}

int log_reopen(void)
{
    int fd;
    int old;

    if (the.path == NULL) {
        return 0;
    }
    fd = open_file(the.path);
    if (fd < 0) {
        return -1;
    }
    old = atomic_load_explicit(&the.fd, memory_order_acquire);
    /* the writer may be inside write(): the descriptor keeps its number, only its file changes */
    if (dup3(fd, old, O_CLOEXEC) < 0) {
        (void)close(fd);
        return -1;
    }
    (void)close(fd);
    return 0;
}
