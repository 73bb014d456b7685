/*
 * metric.h - counters, gauges and histograms, and their Prometheus text.
 *
 * Each thread that counts has a set of its own, so that adding is a load and a store on memory no
 * other thread writes; readers (any thread, at any time) see values that are at most a moment old.
 * A metric is (name, label, id): name and label are strings with static life, the same one is meant
 * by the same text; label is NULL, or a word (shown as kind="word"), or a ready `key="value"`; id 0
 * is not shown. The same metric in several sets is summed.
 */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

#include "core/types.h"

struct metrics;
struct metric_set;

/* NULL when memory is short. */
struct metrics *metrics_open(void);
/* Frees the sets too: no thread may count any more. */
void metrics_close(struct metrics *m);

/* A set for the calling thread; lives as long as `m`. Any thread. NULL when memory is short. */
struct metric_set *metrics_set(struct metrics *m);

/* --- by the owner of the set; a failed allocation loses the value, nothing else -------------- */

void metric_add(struct metric_set *set, const char *name, const char *label, uint64_t id,
                int64_t add);
void metric_gauge(struct metric_set *set, const char *name, const char *label, uint64_t id,
                  int64_t value);
/* One observation of a histogram [us, or whatever the name says]; negative counts as 0. */
void metric_observe(struct metric_set *set, const char *name, const char *label, uint64_t id,
                    int64_t value);

/* --- by anybody ------------------------------------------------------------------------------ */

/* The sum over all sets; label NULL and id 0 as in the call. */
int64_t metric_value(struct metrics *m, const char *name, const char *label, uint64_t id);
/* The sum over all labels and ids. */
int64_t metric_sum(struct metrics *m, const char *name);

/* The value below which the share `q` (0 to 1) of all observations lies, over all sets; 0 when
 * there are none. At most 1/16 too high. */
int64_t metric_quantile(struct metrics *m, const char *name, const char *label, uint64_t id,
                        double q);

/* Everything as Prometheus text, sorted. `write` is called with pieces. */
void metrics_write(struct metrics *m, void (*write)(void *ctx, const char *text, size_t len),
                   void *ctx);

/* --- the histogram itself, for benches and simulators ---------------------------------------- */

/* Log-linear: 16 steps in each power of two, so each value is known to 1/16. */
#define HISTOGRAM_BUCKETS 976
struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
uint64_t histogram_quantile(const struct histogram *h, double q);
void histogram_merge(struct histogram *into, const struct histogram *from);

#endif
