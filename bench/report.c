/* report.c - the machine, the build and the metrics, as a table or as JSON. */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct metric {
    char name[96];
    char unit[16];
    enum bench_better better;
    double median, min, max;
    unsigned n;
    char skipped[200]; /* reason; empty: measured */
};

struct bench_report {
    const struct bench_options *options;
    struct metric *metrics;
    size_t n, room;
    double load_start;
};

static double load_now(void)
{
    double load[1] = {0};

    return getloadavg(load, 1) == 1 ? load[0] : 0;
}

struct bench_report *report_open(const struct bench_options *options)
{
    struct bench_report *r = calloc(1, sizeof *r);

    if (r != NULL) {
        r->options = options;
        r->load_start = load_now();
    }
    return r;
}

void report_close(struct bench_report *r)
{
    if (r != NULL) {
        free(r->metrics);
        free(r);
    }
}

static struct metric *add(struct bench_report *r, const char *name)
{
    struct metric *m;

    if (r->n == r->room) {
        r->room = r->room != 0 ? r->room * 2 : 32;
        m = realloc(r->metrics, r->room * sizeof *m);
        if (m == NULL) {
            abort();
        }
        r->metrics = m;
    }
    m = &r->metrics[r->n++];
    memset(m, 0, sizeof *m);
    (void)snprintf(m->name, sizeof m->name, "%s", name);
    return m;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

void report_metric(struct bench_report *r, const char *name, const char *unit,
                   enum bench_better better, const double *samples, unsigned n)
{
    double sorted[BENCH_MAX_SAMPLES];
    struct metric *m;

    if (n == 0 || n > BENCH_MAX_SAMPLES) {
        report_skip(r, name, "no measurement came to an end");
        return;
    }
    memcpy(sorted, samples, n * sizeof *samples);
    qsort(sorted, n, sizeof *sorted, by_value);
    m = add(r, name);
    (void)snprintf(m->unit, sizeof m->unit, "%s", unit);
    m->better = better;
    m->median = n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    m->min = sorted[0];
    m->max = sorted[n - 1];
    m->n = n;
    if (!r->options->json) {
        (void)fprintf(stderr, "%s\n", name); /* progress */
    }
}

void report_skip(struct bench_report *r, const char *name, const char *reason)
{
    struct metric *m = add(r, name);

    (void)snprintf(m->skipped, sizeof m->skipped, "%s", reason);
}

/* --- printing -------------------------------------------------------------------------------- */

static void put_string(const char *s)
{
    (void)putchar('"');
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            (void)printf("\\%c", *s);
        } else if ((unsigned char)*s >= 0x20) {
            (void)putchar(*s);
        }
    }
    (void)putchar('"');
}

static void first_line(const char *path, const char *key, char *out, size_t size)
{
    char line[256];
    FILE *f = fopen(path, "re");

    (void)snprintf(out, size, "unknown");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *value = strchr(line, ':');
        line[strcspn(line, "\n")] = '\0';
        if (key[0] == '\0') {
            (void)snprintf(out, size, "%.*s", (int)size - 1, line);
            break;
        }
        if (strncmp(line, key, strlen(key)) == 0 && value != NULL) {
            (void)snprintf(out, size, "%.*s", (int)size - 1, value + 2);
            break;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

static void put_pair(const char *before, const char *key, const char *value)
{
    (void)printf("%s\"%s\": ", before, key);
    put_string(value);
}

static void print_json(const struct bench_report *r)
{
    char cpu[200];
    char governor[64];
    struct utsname un;
    const char *sep = "";

    first_line("/proc/cpuinfo", "model name", cpu, sizeof cpu);
    first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", governor,
               sizeof governor);
    (void)uname(&un);
    put_pair("{\"machine\": {", "cpu", cpu);
    (void)printf(", \"cores\": %ld", sysconf(_SC_NPROCESSORS_ONLN));
    put_pair(", ", "kernel", un.release);
    put_pair(", ", "governor", governor);
    (void)printf(", \"load_start\": %.2f, \"load_end\": %.2f}", r->load_start, load_now());
    put_pair(", \"build\": {", "commit", BENCH_COMMIT);
    put_pair(", ", "type", BENCH_BUILD_TYPE);
    put_pair(", ", "compiler", BENCH_COMPILER);
    put_pair(", ", "flags", BENCH_FLAGS);
    put_pair(", ", "libraries", BENCH_LIBRARIES);
    (void)printf("}, \"seed\": %" PRIu64 ", \"metrics\": {", r->options->seed);
    for (size_t i = 0; i < r->n; i++) {
        const struct metric *m = &r->metrics[i];
        if (m->skipped[0] == '\0') {
            (void)printf(
                "%s\n  \"%s\": {\"median\": %.6g, \"min\": %.6g, \"max\": %.6g, \"n\": %u, "
                "\"unit\": \"%s\", \"better\": \"%s\"}",
                sep, m->name, m->median, m->min, m->max, m->n, m->unit,
                m->better == BENCH_HIGHER ? "higher" : "lower");
            sep = ",";
        }
    }
    (void)printf("\n}, \"skipped\": {");
    sep = "";
    for (size_t i = 0; i < r->n; i++) {
        if (r->metrics[i].skipped[0] != '\0') {
            put_pair(sep, r->metrics[i].name, r->metrics[i].skipped);
            sep = ", ";
        }
    }
    (void)printf("}}\n");
}

static void print_table(const struct bench_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct metric *m = &r->metrics[i];
        if (m->skipped[0] != '\0') {
            (void)printf("%-34s skipped: %s\n", m->name, m->skipped);
        } else {
            (void)printf("%-34s %12.6g %-8s (%.6g to %.6g, %u runs, %s is better)\n", m->name,
                         m->median, m->unit, m->min, m->max, m->n,
                         m->better == BENCH_HIGHER ? "higher" : "lower");
        }
    }
}

void report_print(struct bench_report *r)
{
    if (r->options->json) {
        print_json(r);
    } else {
        print_table(r);
    }
    (void)fflush(stdout);
}
