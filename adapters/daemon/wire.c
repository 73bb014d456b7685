/* wire.c - see wire.h. */
#include "adapters/daemon/wire.h"
#include "actors/desk.h"
#include "actors/messages.h"
#include "adapters/ari/ari.h"
#include "adapters/daemon/ctl.h"
#include "adapters/daemon/notify.h"
#include "adapters/hopper/service.h"
#include "adapters/journal/journal.h"
#include "adapters/secret/secret.h"
#include "adapters/store/service.h"
#include "adapters/web/web.h"
#include "adapters/zone/zone.h"
#include "core/log.h"
#include "core/metric.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wire {
    const struct config *config;
    struct wire_hooks hooks;
    struct metrics *metrics;
    struct metric_set *counts; /* the main thread's */
    struct pool *pool;
    struct service *store;
    struct hopper_service *hopper;
    struct ari *ari;
    struct web *web;
    struct ctl *ctl;
    struct ctl_options ctl_options;
    struct wire_store where;
    struct store_options store_options; /* of the operator's handle */
    struct sent *sent;
    char page[160];
    pthread_mutex_t held_lock;
    char held[300];
};

/* --- which store, which hopper --------------------------------------------------------------- */

static int owner_name(const struct config *c, char *out, size_t size)
{
    char host[80];
    if (gethostname(host, sizeof host) != 0)
        snprintf(host, sizeof host, "localhost");
    host[sizeof host - 1] = '\0';
    /* In a container every daemon is process 1: ids are made of how often the owner changed. */
    uint16_t chance;
    secret_random(&chance, sizeof chance);
    int n = snprintf(out, size, "%.60s at %s, process %ld (%04x)", c->daemon.name, host,
                     (long)getpid(), (unsigned)chance);
    return n > 0 && (size_t)n < size ? 0 : -1;
}

int wire_store_of(const struct config *c, struct wire_store *store, struct store_options *options,
                  char *why, size_t why_size)
{
    static const char sqlite[] = "sqlite:";
    bool is_sqlite = strncmp(c->store.url, sqlite, sizeof sqlite - 1) == 0;
    const char *where = is_sqlite ? c->store.url + sizeof sqlite - 1 : c->store.url;
    if (is_sqlite && strncmp(where, "//", 2) == 0) /* sqlite:///path */
        where += 2;
    int n = snprintf(store->where, sizeof store->where, "%s", where);
    if (n <= 0 || (size_t)n >= sizeof store->where ||
        owner_name(c, store->owner, sizeof store->owner) != 0) {
        snprintf(why, why_size, "[store] url names no place");
        return -1;
    }
    store->driver = is_sqlite ? &store_sqlite : &store_postgres;
    *options = (struct store_options){.where = store->where,
                                      .password_file =
                                          c->store.password_file[0] ? c->store.password_file : NULL,
                                      .owner = store->owner};
    return 0;
}

/* --- what adapters tell ---------------------------------------------------------------------- */

static void on_ready(void *ctx, uint16_t node)
{
    struct wire *w = ctx;
    log_line(LOG_LEVEL_INFO, "DLR-START", "the store is ours, node %04x", (unsigned)node);
    ctl_begin(w->ctl, node);
    notify(NOTIFY_STORE);
}

static void on_held(void *ctx, const char *sentence)
{
    struct wire *w = ctx;
    pthread_mutex_lock(&w->held_lock);
    snprintf(w->held, sizeof w->held, "%s", sentence);
    pthread_mutex_unlock(&w->held_lock);
    w->hooks.on_held(w->hooks.ctx);
}

void wire_held_by(struct wire *w, char *out, size_t size)
{
    pthread_mutex_lock(&w->held_lock);
    snprintf(out, size, "%s", w->held);
    pthread_mutex_unlock(&w->held_lock);
}

static void log_text(void *ctx, int level, const char *code, const char *text)
{
    (void)ctx;
    log_line(level, code, "%s", text);
}

static void log_web(void *ctx, int level, const char *line)
{
    (void)ctx;
    log_line(level, "DLR-WEB", "%s", line);
}

struct text_out {
    char *at;
    size_t left;
    bool full;
};

static void put_metrics(void *ctx, const char *text, size_t len)
{
    struct text_out *o = ctx;
    if (len > o->left)
        o->full = true;
    if (o->full)
        return;
    memcpy(o->at, text, len);
    o->at += len;
    o->left -= len;
}

/* All of it or nothing: half a metric would be a wrong one. */
static size_t write_metrics(void *ctx, char *out, size_t size)
{
    const struct wire *w = ctx;
    struct text_out o = {.at = out, .left = size};
    metrics_write(w->metrics, put_metrics, &o);
    return o.full ? 0 : (size_t)(o.at - out);
}

/* --- open ------------------------------------------------------------------------------------ */

/* Where the journal is when the file does not say: with what it belongs to. */
static void journal_folder(const struct wire *w, char *out, size_t size)
{
    const struct config *c = w->config;
    const char *state = getenv("STATE_DIRECTORY"); /* systemd's; several: separated by colons */
    if (c->store.journal[0])
        snprintf(out, size, "%s", c->store.journal);
    else if (w->where.driver == &store_sqlite)
        snprintf(out, size, "%s.journal", w->where.where);
    else if (state && state[0])
        snprintf(out, size, "%.*s/journal", (int)strcspn(state, ":"), state);
    else
        snprintf(out, size, "%s.journal", c->ctl.socket);
}

/* Without it nothing is lost: what was claimed at a crash then waits its retry interval. */
static void open_sent(struct wire *w, const char *folder)
{
    char path[PATH_MAX + 16];
    char why[PATH_MAX + 128];
    snprintf(path, sizeof path, "%s/sent", folder);
    w->sent = sent_open(path, why, sizeof why);
    if (!w->sent)
        log_line(LOG_LEVEL_WARN, "DLR-JOURNAL", "%s", why);
}

static void on_leaving(void *ctx, struct text attempt)
{
    struct wire *w = ctx;
    sent_note(w->sent, attempt, pool_wall_ms());
}

static int open_store(struct wire *w, const struct secret_key *key, char *why, size_t size)
{
    if (wire_store_of(w->config, &w->where, &w->store_options, why, size) != 0)
        return -1;
    char folder[PATH_MAX];
    char journal[PATH_MAX + 16];
    journal_folder(w, folder, sizeof folder);
    snprintf(journal, sizeof journal, "%s/outcomes", folder);
    open_sent(w, folder);
    struct service_options o = {.pool = w->pool,
                                .catalogue = &dialer_catalogue,
                                .driver = w->where.driver,
                                .store = w->store_options,
                                .key = key,
                                .metrics = w->metrics,
                                .journal = journal,
                                .journal_size = (uint64_t)w->config->store.journal_size,
                                .sent = w->sent,
                                .on_ready = on_ready,
                                .on_held = on_held,
                                .log = log_text,
                                .ctx = w};
    o.store.own = true;
    w->store = service_open(&o, why, size);
    return w->store ? 0 : -1;
}

static int open_hopper(struct wire *w, char *why, size_t size)
{
    const struct config *c = w->config;
    const struct hopper_service_options o = {
        .pool = w->pool,
        .driver = strncmp(c->hopper.url, "redis", 5) == 0 ? &hopper_redis : &hopper_memory,
        .hopper = {.where = c->hopper.url,
                   .password_file = c->hopper.password_file[0] ? c->hopper.password_file : NULL},
        .metrics = w->metrics,
        .log = log_text,
        .ctx = w};
    w->hopper = hopper_service_open(&o, why, size);
    return w->hopper ? 0 : -1;
}

static int open_ari(struct wire *w, const struct secret_key *key, char *why, size_t size)
{
    const struct config *c = w->config;
    struct ari_server servers[CONFIG_PBX_MAX];
    char secrets[CONFIG_PBX_MAX][CONFIG_SECRET_SIZE];
    int result = 0;
    for (size_t i = 0; i < c->n_pbx && result == 0; i++) {
        const struct config_pbx *p = &c->pbx[i];
        result = config_secret(p->password_file, secrets[i], why, size);
        servers[i] = (struct ari_server){.pbx = (uint32_t)p->number,
                                         .name = p->name,
                                         .url = p->url,
                                         .tls_ca = p->tls_ca[0] ? p->tls_ca : NULL,
                                         .user = p->user,
                                         .password = secrets[i],
                                         .application = p->application,
                                         .calls_per_s = p->calls_per_s,
                                         .lines = (unsigned)p->lines};
    }
    const struct ari_options o = {.pool = w->pool,
                                  .metrics = w->metrics,
                                  .permits = key,
                                  .servers = servers,
                                  .n_servers = c->n_pbx,
                                  .leaving = w->sent ? on_leaving : NULL,
                                  .leaving_ctx = w,
                                  .log = log_text,
                                  .log_ctx = w};
    if (result == 0)
        w->ari = ari_open(&o, why, size);
    config_wipe(secrets[0], sizeof secrets);
    return w->ari ? 0 : -1;
}

static int open_web(struct wire *w, char *why, size_t size)
{
    const struct config *c = w->config;
    const struct web_options o = {.pool = w->pool,
                                  .host = c->web.listen,
                                  .port = (uint16_t)c->web.port,
                                  .origins = c->web.origins[0] ? c->web.origins : NULL,
                                  .behind_tls = c->web.behind_tls,
                                  .metrics_for_all = c->web.metrics_for_all,
                                  .max_clients = (unsigned)c->web.max_clients,
                                  .one_time_role = ROLE_NONE,
                                  .metrics = write_metrics,
                                  .metrics_ctx = w,
                                  .log = log_web,
                                  .log_ctx = w};
    w->web = web_open(&o, why, size);
    if (!w->web)
        return -1;
    snprintf(w->page, sizeof w->page, "http://%s:%u", c->web.listen, (unsigned)web_port(w->web));
    return 0;
}

static int open_ctl(struct wire *w, char *why, size_t size)
{
    w->ctl_options = (struct ctl_options){.pool = w->pool,
                                          .config = w->config,
                                          .driver = w->where.driver,
                                          .store = &w->store_options,
                                          .metrics = w->metrics,
                                          .page = w->page,
                                          .on_drained = w->hooks.on_drained,
                                          .ctx = w->hooks.ctx};
    w->ctl = ctl_open(&w->ctl_options, why, size);
    return w->ctl ? 0 : -1;
}

static int open_pool(struct wire *w, char *why, size_t size)
{
    uint64_t seed = 0;
    secret_random(&seed, sizeof seed);
    w->metrics = metrics_open();
    w->counts = w->metrics ? metrics_set(w->metrics) : NULL;
    const struct pool_config o = {.workers = (unsigned)w->config->daemon.workers,
                                  .seed = seed,
                                  .catalogue = &dialer_catalogue,
                                  .metrics = w->metrics,
                                  .spin_us = -1};
    w->pool = w->counts ? pool_open(&o, why, size) : NULL;
    return w->pool ? 0 : -1;
}

struct wire *wire_open(const struct config *config, const struct wire_hooks *hooks, char *why,
                       size_t size)
{
    struct secret_key permits;
    struct wire *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->config = config;
    w->hooks = *hooks;
    pthread_mutex_init(&w->held_lock, NULL);
    secret_key_new(&permits);
    snprintf(why, size, "no memory");
    /* The operator's socket comes first of what others can see: it refuses a second daemon here. */
    bool good = open_pool(w, why, size) == 0 && open_store(w, &permits, why, size) == 0 &&
                open_ctl(w, why, size) == 0 && open_hopper(w, why, size) == 0 &&
                open_ari(w, &permits, why, size) == 0 && open_web(w, why, size) == 0;
    config_wipe((char *)&permits, sizeof permits);
    if (good && pool_spawn(w->pool, 0, &desk_actor, 1, 0, NULL) == HANDLE_NONE) {
        snprintf(why, size, "the desk cannot be made");
        good = false;
    }
    if (good)
        return w;
    wire_close(w);
    return NULL;
}

int wire_start(struct wire *w, char *why, size_t size)
{
    const char *failed = NULL;
    if (pool_start(w->pool) != 0)
        failed = "pool";
    else if (ari_start(w->ari) != 0)
        failed = "ari";
    else if (hopper_service_start(w->hopper) != 0)
        failed = "hopper";
    else if (web_start(w->web) != 0)
        failed = "web";
    else if (ctl_start(w->ctl) != 0)
        failed = "ctl";
    else if (service_start(w->store) != 0) /* last: when it is ready, everybody is there */
        failed = "store";
    if (failed) {
        snprintf(why, size, "%s: no thread to be had", failed);
        return -1;
    }
    log_line(LOG_LEVEL_INFO, "DLR-START", "dialerd %s, %u workers, page at %s", DIALERD_VERSION,
             pool_workers(w->pool), w->page);
    return 0;
}

void wire_drain(struct wire *w, uint32_t drain_ms)
{
    ctl_drain(w->ctl, drain_ms);
}

void wire_reload(struct wire *w, const struct config *fresh)
{
    ctl_timers(w->ctl, &fresh->timers);
    web_metrics_for_all(w->web, fresh->web.metrics_for_all);
    for (size_t i = 0; i < w->config->n_pbx; i++)
        for (size_t k = 0; k < fresh->n_pbx; k++)
            if (strcmp(w->config->pbx[i].name, fresh->pbx[k].name) == 0)
                ari_limits(w->ari, (uint32_t)w->config->pbx[i].number, fresh->pbx[k].calls_per_s,
                           (unsigned)fresh->pbx[k].lines);
}

void wire_count(struct wire *w, const char *name, const char *label)
{
    metric_add(w->counts, name, label, 0, 1);
}

/* --- end ------------------------------------------------------------------------------------- */

/* People first, then calls; the store is last, because everybody's last words are for it. */
void wire_stop(struct wire *w)
{
    if (w->web) {
        web_close(w->web);
        web_stop(w->web);
    }
    if (w->ctl)
        ctl_stop(w->ctl);
    if (w->ari) {
        ari_close(w->ari);
        ari_stop(w->ari);
    }
    if (w->hopper)
        hopper_service_stop(w->hopper);
    if (w->pool)
        pool_stop(w->pool);
    if (w->store)
        service_stop(w->store);
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    wire_stop(w);
    web_fini(w->web);
    ctl_close(w->ctl);
    ari_fini(w->ari);
    if (w->hopper)
        hopper_service_close(w->hopper);
    service_close(w->store);
    sent_close(w->sent);
    if (w->pool)
        pool_close(w->pool);
    if (w->metrics)
        metrics_close(w->metrics);
    pthread_mutex_destroy(&w->held_lock);
    zone_forget();
    free(w);
}
