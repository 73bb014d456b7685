/*
 * bench.h - what the subcommands of dialer-bench share: options, measuring, and the report.
 *
 * A subcommand measures samples of named metrics and adds them to the report; bench/report.c
 * prints them as a table or as the JSON object that all subcommands have in common. A metric that
 * could not be measured is skipped with its reason, never reported as zero.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX_SAMPLES 64

struct bench_options {
    bool json;
    bool quick;      /* the whole subcommand under 20 s */
    double seconds;  /* one measurement, after its warm-up */
    unsigned repeat; /* measurements of each metric */
    uint64_t seed;
    /* of dial, the others do without */
    long agents, rate; /* 0: the command's own default */
    double warm_up;    /* s; negative: the default */
    bool full;         /* PostgreSQL and Redis */
    int argc;          /* what was left on the command line, for the subcommand */
    char **argv;
};

struct bench_report;

enum bench_better { BENCH_HIGHER, BENCH_LOWER };

struct bench_command {
    const char *name;
    const char *sentence;
    /* 0 done, 1 failed (a sentence went to stderr), 2 usage */
    int (*run)(const struct bench_options *options, struct bench_report *report);
};

/* --- report.c -------------------------------------------------------------------------------- */

struct bench_report *report_open(const struct bench_options *options);
/* `name` as in "actors.fanin_cross_msgs"; all strings are copied. */
void report_metric(struct bench_report *r, const char *name, const char *unit,
                   enum bench_better better, const double *samples, unsigned n);
void report_skip(struct bench_report *r, const char *name, const char *reason);
/* Prints everything to stdout. */
void report_print(struct bench_report *r);
void report_close(struct bench_report *r);

/* --- bench.c --------------------------------------------------------------------------------- */

int64_t bench_now_ns(void);
void bench_sleep(double seconds);
/* Resident bytes of this process. */
size_t bench_resident(void);
/* Fill `samples` by calling `one` options->repeat times; returns how many. A negative sample stops.
 */
unsigned bench_repeat(const struct bench_options *o, double (*one)(const struct bench_options *o),
                      double *samples);

/* --- subcommands ----------------------------------------------------------------------------- */

int bench_dial(const struct bench_options *options, struct bench_report *report);
int bench_actors(const struct bench_options *options, struct bench_report *report);
int bench_events(const struct bench_options *options, struct bench_report *report);

#endif
