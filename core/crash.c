/* crash.c - see crash.h. */
#include "core/crash.h"

static const char *const names[CRASH_POINT_COUNT] = {"none",
#define CRASH_POINT_NAME(name) #name,
                                                     CRASH_POINTS(CRASH_POINT_NAME)
#undef CRASH_POINT_NAME
};

const char *crash_point_name(enum crash_point point)
{
    return (unsigned)point < CRASH_POINT_COUNT ? names[point] : "?";
}

#ifdef DIALER_CRASH_POINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which place, and how many visits are left; read from the environment at the first visit. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int wanted;
static atomic_long left;

static void read_environment(void)
{
    const char *text = getenv("DIALER_CRASH");
    const char *colon = text ? strchr(text, ':') : NULL;
    const size_t n = colon ? (size_t)(colon - text) : 0;

    for (int i = 1; i < CRASH_POINT_COUNT && n > 0; i++) {
        if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0) {
            wanted = i;
            atomic_store(&left, strtol(colon + 1, NULL, 10));
        }
    }
}

void crash_here(enum crash_point point)
{
    (void)pthread_once(&once, read_environment);
    if (wanted == (int)point && atomic_fetch_sub(&left, 1) == 1) {
        (void)kill(getpid(), SIGKILL);
        for (;;) {
            (void)pause();
        }
    }
}
#endif
