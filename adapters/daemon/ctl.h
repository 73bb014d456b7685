/*
 * ctl.h - the operator's door: a unix socket, its own thread, its own handle of the store, and the
 * endpoint KIND_CTL of the bus. adapters/ctl/command.h has the protocol and the table of commands.
 *
 * It also carries the shell's few words to the desk (begin, drain) and brings back `drained`, so
 * that the daemon needs no further endpoint.
 *
 * Life: ctl_open (binds, connects nothing), ctl_start (the thread runs), ctl_stop, ctl_close. All
 * by the main thread. ctl_begin and ctl_drain may be called from any thread while it runs.
 */
#ifndef ADAPTERS_DAEMON_CTL_H
#define ADAPTERS_DAEMON_CTL_H

#include "adapters/daemon/config.h"
#include "adapters/store/store.h"
#include "core/metric.h"
#include "core/pool.h"

struct ctl;

struct ctl_options {
    struct pool *pool;
    const struct config *config; /* outlives the ctl; of it, only what no reload changes is read */
    const struct store_driver *driver;
    const struct store_options *store; /* own = false */
    struct metrics *metrics;           /* may be NULL */
    const char *page; /* address of the page, "http://127.0.0.1:8090"; outlives the ctl */
    /* The desk has nothing in the air any more. From the ctl thread. */
    void (*on_drained)(void *ctx, uint32_t ringing);
    void *ctx;
};

struct ctl *ctl_open(const struct ctl_options *options, char *why, size_t why_size);
int ctl_start(struct ctl *ctl);
void ctl_begin(struct ctl *ctl, uint16_t node);
void ctl_drain(struct ctl *ctl, uint32_t drain_ms);
/* What agents that are made from now on start with. Any thread. */
void ctl_timers(struct ctl *ctl, const struct config_timers *timers);
void ctl_stop(struct ctl *ctl);
void ctl_close(struct ctl *ctl);

/* db status and db migrate without a daemon: prints, returns the exit status. */
int ctl_db_alone(const struct store_driver *driver, const struct store_options *store, bool migrate,
                 bool json);

#endif
