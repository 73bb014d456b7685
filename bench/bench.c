/* bench.c - clocks and repetition. */
#include "bench/bench.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void bench_sleep(double seconds)
{
    struct timespec ts = {.tv_sec = (time_t)seconds,
                          .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    while (nanosleep(&ts, &ts) != 0) {
    }
}

size_t bench_resident(void)
{
    unsigned long total = 0;
    unsigned long resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL) {
        return 0;
    }
    if (fscanf(f, "%lu %lu", &total, &resident) != 2) { /* NOLINT(cert-err34-c): the kernel's */
        resident = 0;
    }
    (void)fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

unsigned bench_repeat(const struct bench_options *o, double (*one)(const struct bench_options *o),
                      double *samples)
{
    unsigned n = 0;

    while (n < o->repeat && n < BENCH_MAX_SAMPLES) {
        const double v = one(o);
        if (v < 0) {
            break;
        }
        samples[n++] = v;
    }
    return n;
}
