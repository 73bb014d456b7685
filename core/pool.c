/* pool.c - putting the pool together and taking it apart; what others may ask about it. */
#include "core/pool_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OFFER_RING 64u /* more than OFFER_MAX, a power of two */
#define DEFAULT_SPIN_US 20

void out_of_memory(const char *who)
{
    (void)fprintf(stderr, "%s: out of memory\n", who);
    abort(); /* going on would lose mail that must not be lost */
}

struct slot *pool_slot(struct pool *pool, handle actor)
{
    const uint32_t index = slot_index(actor);
    struct slot *slots;

    if (index / SLOTS_PER_CHUNK >= SLOT_CHUNKS) {
        return NULL;
    }
    slots = atomic_load_explicit(&pool->chunks[index / SLOTS_PER_CHUNK], memory_order_acquire);
    return slots != NULL ? &slots[index % SLOTS_PER_CHUNK] : NULL;
}

uint32_t pool_home(struct pool *pool, handle actor, struct slot **slot)
{
    struct slot *s = actor != HANDLE_NONE ? pool_slot(pool, actor) : NULL;
    uint64_t where;

    if (s == NULL) {
        return NO_HOME;
    }
    where = atomic_load_explicit(&s->where, memory_order_acquire);
    *slot = s;
    return where >> 32 == actor >> 32 ? (uint32_t)where : NO_HOME;
}

/* --- opening --------------------------------------------------------------------------------- */

static size_t largest_message(const struct message_catalogue *catalogue)
{
    size_t most = 64;

    for (unsigned i = 0; i < catalogue->n_ids; i++) {
        const struct message_desc *d = catalogue->by_id[i];
        most = d != NULL && d->size > most ? d->size : most;
    }
    return most;
}

static struct worker *open_worker(struct pool *pool, unsigned index)
{
    struct worker *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);

    if (w == NULL) {
        return NULL;
    }
    memset(w, 0, sizeof *w);
    w->fx.ops = &worker_ops;
    w->index = index;
    w->out.pool = pool;
    w->run_end = &w->run_head;
    w->offered = ring_open(OFFER_RING);
    w->scratch = malloc(pool->scratch_bytes);
    w->trace = calloc(TRACE_LINES, sizeof *w->trace);
    w->out.station = station_open(pool->bus, worker_wake, w);
    if (w->out.station != NULL) {
        station_serve(w->out.station, worker_serve);
    }
    w->out.metrics = pool->config.metrics != NULL ? metrics_set(pool->config.metrics) : NULL;
    clock_read(w);
    wheel_init(&w->wheel, w->now_us);
    pool->workers[index] = w; /* also when something is missing: pool_close() frees it */
    return w->offered != NULL && w->scratch != NULL && w->trace != NULL && w->out.station != NULL
               ? w
               : NULL;
}

static unsigned processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (unsigned)n;
}

struct pool *pool_open(const struct pool_config *config, char *why, size_t why_size)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL) {
        (void)snprintf(why, why_size, "pool: out of memory");
        return NULL;
    }
    pool->config = *config;
    pool->n_workers = config->workers != 0 ? config->workers : processors();
    pool->n_workers = pool->n_workers <= POOL_MAX_WORKERS ? pool->n_workers : POOL_MAX_WORKERS;
    if (pool->config.mailbox_limit == 0) {
        pool->config.mailbox_limit = DEFAULT_MAILBOX;
    }
    if (pool->config.spin_us < 0) {
        pool->config.spin_us = DEFAULT_SPIN_US;
    }
    pool->scratch_bytes = largest_message(config->catalogue);
    (void)pthread_mutex_init(&pool->chunk_lock, NULL);
    pool->bus = bus_open();
    pool->names = names_open();
    pool->workers = calloc(pool->n_workers, sizeof *pool->workers);
    if (pool->bus == NULL || pool->names == NULL || pool->workers == NULL) {
        goto failed;
    }
    for (unsigned i = 0; i < pool->n_workers; i++) {
        if (open_worker(pool, i) == NULL) {
            goto failed;
        }
    }
    return pool;
failed:
    (void)snprintf(why, why_size, "pool: memory or nng's sockets are short");
    pool_close(pool);
    return NULL;
}

handle pool_spawn(struct pool *pool, unsigned worker, const struct actor_type *type, uint64_t id,
                  uint16_t arg_type, const void *arg)
{
    return actor_create(pool->workers[worker % pool->n_workers], type, id, arg_type, arg);
}

/* Every worker to every other worker and endpoint, every endpoint to every worker. */
static int open_links(struct pool *pool)
{
    for (unsigned i = 0; i < pool->n_workers; i++) {
        struct sender *s = &pool->workers[i]->out;
        for (unsigned j = 0; j < pool->n_workers; j++) {
            if (i != j) {
                s->to_worker[j].link = link_open(s->station, pool->workers[j]->out.station);
                if (s->to_worker[j].link == NULL) {
                    return -1;
                }
            }
        }
        for (unsigned k = 0; k <= KIND_ENDPOINT_MAX; k++) {
            struct endpoint *ep = pool->endpoints[k];
            if (ep == NULL) {
                continue;
            }
            s->to_endpoint[k].link = link_open(s->station, ep->out.station);
            ep->out.to_worker[i].link = link_open(ep->out.station, s->station);
            if (s->to_endpoint[k].link == NULL || ep->out.to_worker[i].link == NULL) {
                return -1;
            }
        }
    }
    return 0;
}

int pool_start(struct pool *pool)
{
    if (open_links(pool) != 0) {
        return -1;
    }
    pool->started = true;
    for (unsigned i = 0; i < pool->n_workers; i++) {
        struct worker *w = pool->workers[i];
        char name[16];
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            pool_stop(pool);
            return -1;
        }
        w->started = true;
        (void)snprintf(name, sizeof name, "worker-%u", i % 100);
        (void)pthread_setname_np(w->thread, name);
    }
    return 0;
}

void pool_stop(struct pool *pool)
{
    atomic_store_explicit(&pool->stop, true, memory_order_seq_cst);
    for (unsigned i = 0; i < pool->n_workers; i++) {
        struct worker *w = pool->workers[i];
        if (w != NULL && w->started) {
            worker_stop(w);
            (void)pthread_join(w->thread, NULL);
            w->started = false;
        }
    }
}

static void end_all_actors(struct pool *pool)
{
    struct worker *w = pool->workers[0];

    for (unsigned c = 0; c < SLOT_CHUNKS; c++) {
        struct slot *slots = atomic_load_explicit(&pool->chunks[c], memory_order_acquire);
        for (unsigned i = 0; slots != NULL && i < SLOTS_PER_CHUNK; i++) {
            const uint64_t where = atomic_load_explicit(&slots[i].where, memory_order_acquire);
            if ((uint32_t)where != NO_HOME) {
                actor_end(w, slots[i].actor);
            }
        }
    }
}

static void free_worker(struct worker *w)
{
    ring_close(w->offered);
    free(w->scratch);
    free(w->trace);
    sender_close(&w->out);
    memory_close(w);
    free(w);
}

void pool_close(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    if (pool->workers != NULL) {
        pool_stop(pool);
        for (unsigned i = 0; i < pool->n_workers && pool->workers[i] != NULL; i++) {
            move_close(pool->workers[i]);
        }
        if (pool->workers[0] != NULL) {
            end_all_actors(pool);
        }
    }
    bus_close(pool->bus);
    for (unsigned i = 0; pool->workers != NULL && i < pool->n_workers; i++) {
        if (pool->workers[i] != NULL) {
            free_worker(pool->workers[i]);
        }
    }
    for (unsigned k = 0; k <= KIND_ENDPOINT_MAX; k++) {
        if (pool->endpoints[k] != NULL) {
            sender_close(&pool->endpoints[k]->out);
            free(pool->endpoints[k]->scratch);
            free(pool->endpoints[k]);
        }
    }
    for (unsigned c = 0; c < SLOT_CHUNKS; c++) {
        free(atomic_load_explicit(&pool->chunks[c], memory_order_acquire));
    }
    free(pool->workers);
    names_close(pool->names);
    (void)pthread_mutex_destroy(&pool->chunk_lock);
    free(pool);
}

/* --- looking --------------------------------------------------------------------------------- */

unsigned pool_workers(const struct pool *pool)
{
    return pool->n_workers;
}

static uint64_t get(const _Atomic uint64_t *at)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)at, memory_order_relaxed);
}

static void add_sender(struct pool_stats *out, const struct sender *s)
{
    out->bags += get(&s->bags);
    out->records += get(&s->records);
    out->dead_letters += get(&s->dead_letters);
    out->shed += get(&s->shed);
}

void pool_stats(const struct pool *pool, struct pool_stats *out)
{
    *out = (struct pool_stats){0};
    for (unsigned i = 0; i < pool->n_workers; i++) {
        const struct worker *w = pool->workers[i];
        add_sender(out, &w->out);
        out->steps += get(&w->steps);
        out->actors +=
            get(&w->spawned) - get(&w->ended); /* an actor may end elsewhere: sums agree */
        out->steals += get(&w->steals);
        out->parks += get(&w->parks);
        out->forwarded += get(&w->forwarded);
        out->over_limit += get(&w->over_limit);
    }
    for (unsigned k = 0; k <= KIND_ENDPOINT_MAX; k++) {
        if (pool->endpoints[k] != NULL) {
            add_sender(out, &pool->endpoints[k]->out);
        }
    }
}

struct shown {
    int64_t now_us;
    handle actor;
    const char *what;
    uint64_t a, b;
};

static int by_time(const void *x, const void *y)
{
    const int64_t a = ((const struct shown *)x)->now_us;
    const int64_t b = ((const struct shown *)y)->now_us;

    return (a > b) - (a < b);
}

static size_t copy_lines(struct worker *w, struct shown *out)
{
    const uint64_t end = atomic_load_explicit(&w->trace_at, memory_order_acquire);
    const uint64_t begin = end > TRACE_LINES ? end - TRACE_LINES : 0;
    uint64_t late;
    size_t n = 0;

    for (uint64_t i = begin; i < end; i++, n++) {
        struct trace_line *l = &w->trace[i % TRACE_LINES];
        out[n].now_us = atomic_load_explicit(&l->now_us, memory_order_relaxed);
        out[n].actor = atomic_load_explicit(&l->actor, memory_order_relaxed);
        out[n].what = atomic_load_explicit(&l->what, memory_order_relaxed);
        out[n].a = atomic_load_explicit(&l->a, memory_order_relaxed);
        out[n].b = atomic_load_explicit(&l->b, memory_order_relaxed);
    }
    late =
        atomic_load_explicit(&w->trace_at, memory_order_acquire) + 1; /* one may be half written */
    late = late > begin + TRACE_LINES ? late - begin - TRACE_LINES : 0;
    late = late < n ? late : n;
    memmove(out, out + late, (n - late) * sizeof *out);
    return n - late;
}

void pool_trace(const struct pool *pool, size_t max,
                void (*line)(void *ctx, int64_t now_us, handle actor, const char *what, uint64_t a,
                             uint64_t b),
                void *ctx)
{
    struct shown *all = calloc((size_t)pool->n_workers * TRACE_LINES, sizeof *all);
    size_t n = 0;

    if (all == NULL) {
        return;
    }
    for (unsigned i = 0; i < pool->n_workers; i++) {
        n += copy_lines(pool->workers[i], all + n);
    }
    qsort(all, n, sizeof *all, by_time);
    for (size_t i = n > max ? n - max : 0; i < n; i++) {
        line(ctx, all[i].now_us, all[i].actor, all[i].what, all[i].a, all[i].b);
    }
    free(all);
}
