/*
 * metric.c - sets are hash tables with one writer. A table is replaced when it fills up: the new
 * one is published when it is complete, the old one is kept until the end, so a reader is never
 * left with freed memory. Cells are published by their name (release), which is written last.
 */
#include "core/metric.h"

#include "core/rng.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

/* A histogram of a set: as struct histogram, with cells readers may look at. */
struct shared_histogram {
    _Atomic uint64_t count, sum, max;
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct cell {
    _Atomic(const char *) name; /* NULL: free. Stored last; pairs with the acquire of readers */
    const char *label;
    uint64_t id;
    enum kind kind;
    _Atomic int64_t value;
    struct shared_histogram *histogram; /* HISTOGRAM; shared by the old and the new table */
};

struct table {
    size_t size; /* power of two */
    size_t used;
    struct table *older;
    struct cell cells[];
};

struct metric_set {
    _Atomic(struct table *) table;
    struct metric_set *next;
};

struct metrics {
    pthread_mutex_t lock; /* of the list of sets only; a leaf */
    struct metric_set *sets;
};

/* --- buckets --------------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t v)
{
    unsigned shift;

    if (v < 16) {
        return (unsigned)v;
    }
    shift = 59u - (unsigned)__builtin_clzll(v); /* v >> shift is 16 to 31 */
    return 16 + shift * 16 + (unsigned)((v >> shift) & 15);
}

/* The largest value of a bucket. */
static uint64_t bucket_top(unsigned i)
{
    const unsigned shift = i < 16 ? 0 : (i - 16) / 16;

    return i < 16 ? i : (((uint64_t)(16 + (i - 16) % 16) + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    h->max = value > h->max ? value : h->max;
    h->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
    const double want = q * (double)h->count;
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen != 0 && (double)seen >= want) {
            return bucket_top(i) < h->max ? bucket_top(i) : h->max;
        }
    }
    return h->max;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->sum += from->sum;
    into->max = from->max > into->max ? from->max : into->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        into->buckets[i] += from->buckets[i];
    }
}

static void merge_shared(struct histogram *into, struct shared_histogram *from)
{
    const uint64_t max = atomic_load_explicit(&from->max, memory_order_relaxed);

    into->count += atomic_load_explicit(&from->count, memory_order_relaxed);
    into->sum += atomic_load_explicit(&from->sum, memory_order_relaxed);
    into->max = max > into->max ? max : into->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        into->buckets[i] += atomic_load_explicit(&from->buckets[i], memory_order_relaxed);
    }
}

/* --- sets ------------------------------------------------------------------------------------ */

struct metrics *metrics_open(void)
{
    struct metrics *m = calloc(1, sizeof *m);

    if (m != NULL && pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return NULL;
    }
    return m;
}

static void free_set(struct metric_set *set)
{
    struct table *t = atomic_load_explicit(&set->table, memory_order_acquire);

    for (size_t i = 0; t != NULL && i < t->size; i++) {
        free(t->cells[i].histogram);
    }
    while (t != NULL) {
        struct table *older = t->older;
        free(t);
        t = older;
    }
    free(set);
}

void metrics_close(struct metrics *m)
{
    if (m == NULL) {
        return;
    }
    while (m->sets != NULL) {
        struct metric_set *set = m->sets;
        m->sets = set->next;
        free_set(set);
    }
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct table *new_table(size_t size, struct table *older)
{
    struct table *t = calloc(1, sizeof *t + size * sizeof t->cells[0]);

    if (t != NULL) {
        t->size = size;
        t->older = older;
    }
    return t;
}

struct metric_set *metrics_set(struct metrics *m)
{
    struct metric_set *set = calloc(1, sizeof *set);
    struct table *t = new_table(64, NULL);

    if (set == NULL || t == NULL) {
        free(set);
        free(t);
        return NULL;
    }
    atomic_init(&set->table, t);
    (void)pthread_mutex_lock(&m->lock);
    set->next = m->sets;
    m->sets = set;
    (void)pthread_mutex_unlock(&m->lock);
    return set;
}

static struct cell *probe(struct table *t, const char *name, const char *label, uint64_t id)
{
    const uint64_t h =
        rng_mix((uint64_t)(uintptr_t)name ^ rng_mix((uint64_t)(uintptr_t)label + id));

    for (size_t i = (size_t)h;; i++) {
        struct cell *c = &t->cells[i & (t->size - 1)];
        const char *have = atomic_load_explicit(&c->name, memory_order_relaxed);
        if (have == NULL || (have == name && c->label == label && c->id == id)) {
            return c;
        }
    }
}

static struct table *grow(struct metric_set *set, struct table *old)
{
    struct table *t = new_table(old->size * 2, old);

    if (t == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < old->size; i++) {
        struct cell *from = &old->cells[i];
        const char *name = atomic_load_explicit(&from->name, memory_order_relaxed);
        struct cell *to;
        if (name == NULL) {
            continue;
        }
        to = probe(t, name, from->label, from->id);
        to->label = from->label;
        to->id = from->id;
        to->kind = from->kind;
        to->histogram = from->histogram;
        atomic_init(&to->value, atomic_load_explicit(&from->value, memory_order_relaxed));
        atomic_store_explicit(&to->name, name, memory_order_relaxed);
        t->used++;
    }
    atomic_store_explicit(&set->table, t, memory_order_release); /* pairs with each_cell() */
    return t;
}

static struct cell *find(struct metric_set *set, const char *name, const char *label, uint64_t id,
                         enum kind kind)
{
    struct table *t = atomic_load_explicit(&set->table, memory_order_relaxed);
    struct cell *c = probe(t, name, label, id);

    if (atomic_load_explicit(&c->name, memory_order_relaxed) != NULL) {
        return c;
    }
    if (t->used * 2 >= t->size) {
        t = grow(set, t);
        if (t == NULL) {
            return NULL;
        }
        c = probe(t, name, label, id);
    }
    if (kind == HISTOGRAM) {
        c->histogram = calloc(1, sizeof *c->histogram);
        if (c->histogram == NULL) {
            return NULL;
        }
    }
    c->label = label;
    c->id = id;
    c->kind = kind;
    t->used++;
    atomic_store_explicit(&c->name, name, memory_order_release);
    return c;
}

/* One writer: a relaxed load and store is an increment. */
static void bump(_Atomic uint64_t *at, uint64_t add)
{
    atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + add,
                          memory_order_relaxed);
}

void metric_add(struct metric_set *set, const char *name, const char *label, uint64_t id,
                int64_t add)
{
    struct cell *c = find(set, name, label, id, COUNTER);

    if (c != NULL) {
        atomic_store_explicit(&c->value,
                              atomic_load_explicit(&c->value, memory_order_relaxed) + add,
                              memory_order_relaxed);
    }
}

void metric_gauge(struct metric_set *set, const char *name, const char *label, uint64_t id,
                  int64_t value)
{
    struct cell *c = find(set, name, label, id, GAUGE);

    if (c != NULL) {
        atomic_store_explicit(&c->value, value, memory_order_relaxed);
    }
}

void metric_observe(struct metric_set *set, const char *name, const char *label, uint64_t id,
                    int64_t value)
{
    struct cell *c = find(set, name, label, id, HISTOGRAM);
    const uint64_t v = value < 0 ? 0 : (uint64_t)value;

    if (c == NULL || c->histogram == NULL) {
        return;
    }
    bump(&c->histogram->count, 1);
    bump(&c->histogram->sum, v);
    bump(&c->histogram->buckets[bucket_of(v)], 1);
    if (v > atomic_load_explicit(&c->histogram->max, memory_order_relaxed)) {
        atomic_store_explicit(&c->histogram->max, v, memory_order_relaxed);
    }
}

/* --- reading --------------------------------------------------------------------------------- */

static void each_cell(struct metrics *m, void (*fn)(void *ctx, const char *name, struct cell *c),
                      void *ctx)
{
    (void)pthread_mutex_lock(&m->lock);
    for (struct metric_set *set = m->sets; set != NULL; set = set->next) {
        struct table *t = atomic_load_explicit(&set->table, memory_order_acquire);
        for (size_t i = 0; i < t->size; i++) {
            const char *name = atomic_load_explicit(&t->cells[i].name, memory_order_acquire);
            if (name != NULL) {
                fn(ctx, name, &t->cells[i]);
            }
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
}

struct query {
    const char *name;
    const char *label;
    uint64_t id;
    bool any;
    int64_t value;
    struct histogram *histogram;
};

static int compare_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL) {
        return (a != NULL) - (b != NULL);
    }
    return strcmp(a, b);
}

static void answer(void *ctx, const char *name, struct cell *c)
{
    struct query *q = ctx;

    if (strcmp(name, q->name) != 0 ||
        (!q->any && (c->id != q->id || compare_text(c->label, q->label) != 0))) {
        return;
    }
    if (c->histogram != NULL && q->histogram != NULL) {
        merge_shared(q->histogram, c->histogram);
    }
    q->value += c->kind == HISTOGRAM
                    ? (int64_t)atomic_load_explicit(&c->histogram->count, memory_order_relaxed)
                    : atomic_load_explicit(&c->value, memory_order_relaxed);
}

int64_t metric_value(struct metrics *m, const char *name, const char *label, uint64_t id)
{
    struct query q = {.name = name, .label = label, .id = id};

    each_cell(m, answer, &q);
    return q.value;
}

int64_t metric_sum(struct metrics *m, const char *name)
{
    struct query q = {.name = name, .any = true};

    each_cell(m, answer, &q);
    return q.value;
}

int64_t metric_quantile(struct metrics *m, const char *name, const char *label, uint64_t id,
                        double q)
{
    struct histogram *h = calloc(1, sizeof *h);
    struct query query = {.name = name, .label = label, .id = id, .histogram = h};
    int64_t value = 0;

    if (h != NULL) {
        each_cell(m, answer, &query);
        value = (int64_t)histogram_quantile(h, q);
        free(h);
    }
    return value;
}

/* --- Prometheus text ------------------------------------------------------------------------- */

struct row {
    const char *name;
    const char *label;
    uint64_t id;
    enum kind kind;
    int64_t value;
    struct histogram *histogram;
};

struct rows {
    struct row *at;
    size_t n, size;
};

static void collect(void *ctx, const char *name, struct cell *c)
{
    struct rows *rows = ctx;
    struct row *r;

    if (rows->n == rows->size) {
        const size_t size = rows->size != 0 ? rows->size * 2 : 256;
        struct row *more = realloc(rows->at, size * sizeof *more);
        if (more == NULL) {
            return;
        }
        rows->at = more;
        rows->size = size;
    }
    r = &rows->at[rows->n++];
    *r = (struct row){name, c->label, c->id, c->kind, 0, NULL};
    r->value = atomic_load_explicit(&c->value, memory_order_relaxed);
    if (c->histogram != NULL && (r->histogram = calloc(1, sizeof *r->histogram)) != NULL) {
        merge_shared(r->histogram, c->histogram);
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int d = strcmp(x->name, y->name);

    d = d != 0 ? d : compare_text(x->label, y->label);
    return d != 0 ? d : (x->id > y->id) - (x->id < y->id);
}

struct writer {
    void (*write)(void *ctx, const char *text, size_t len);
    void *ctx;
};

static void put_line(const struct writer *w, const struct row *r, const char *suffix,
                     const char *extra, uint64_t value)
{
    char line[512];
    const char *label = r->label;
    const bool ready = label != NULL && strchr(label, '=') != NULL;
    const char *sep = "";
    int n = snprintf(line, sizeof line, "%s%s", r->name, suffix);

    if (label != NULL || r->id != 0 || extra != NULL) {
        n += snprintf(line + n, sizeof line - (size_t)n, "{");
        if (label != NULL) {
            n += snprintf(line + n, sizeof line - (size_t)n, ready ? "%.200s" : "kind=\"%.200s\"",
                          label);
            sep = ",";
        }
        if (r->id != 0) {
            n += snprintf(line + n, sizeof line - (size_t)n, "%sid=\"%" PRIu64 "\"", sep, r->id);
            sep = ",";
        }
        if (extra != NULL) {
            n += snprintf(line + n, sizeof line - (size_t)n, "%squantile=\"%s\"", sep, extra);
        }
        n += snprintf(line + n, sizeof line - (size_t)n, "}");
    }
    n += snprintf(line + n, sizeof line - (size_t)n, " %" PRId64 "\n", (int64_t)value);
    if (n > 0 && (size_t)n < sizeof line) {
        w->write(w->ctx, line, (size_t)n);
    }
}

static void put_row(const struct writer *w, const struct row *r, bool first)
{
    static const char *const types[] = {"counter", "gauge", "summary"};
    char line[256];

    if (first) {
        const int n = snprintf(line, sizeof line, "# TYPE %.200s %s\n", r->name, types[r->kind]);
        w->write(w->ctx, line, (size_t)n);
    }
    if (r->kind != HISTOGRAM) {
        put_line(w, r, "", NULL, (uint64_t)r->value);
    } else if (r->histogram != NULL) {
        put_line(w, r, "", "0.5", histogram_quantile(r->histogram, 0.5));
        put_line(w, r, "", "0.99", histogram_quantile(r->histogram, 0.99));
        put_line(w, r, "", "0.999", histogram_quantile(r->histogram, 0.999));
        put_line(w, r, "_sum", NULL, r->histogram->sum);
        put_line(w, r, "_count", NULL, r->histogram->count);
    }
}

void metrics_write(struct metrics *m, void (*write)(void *ctx, const char *text, size_t len),
                   void *ctx)
{
    const struct writer w = {write, ctx};
    struct rows rows = {NULL, 0, 0};
    const char *last = "";

    each_cell(m, collect, &rows);
    if (rows.n != 0) {
        qsort(rows.at, rows.n, sizeof rows.at[0], compare_rows);
    }
    for (size_t i = 0; i < rows.n; i++) {
        struct row *r = &rows.at[i];
        while (i + 1 < rows.n && compare_rows(r, &rows.at[i + 1]) == 0) {
            i++;
            r->value += rows.at[i].value;
            if (r->histogram != NULL && rows.at[i].histogram != NULL) {
                histogram_merge(r->histogram, rows.at[i].histogram);
            }
            free(rows.at[i].histogram);
        }
        put_row(&w, r, strcmp(r->name, last) != 0);
        last = r->name;
        free(r->histogram);
    }
    free(rows.at);
}
