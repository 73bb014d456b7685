/*
 * wire.h - the assembly: runtime, adapters and actors made from a config, started and ended in
 * order. It decides nothing.
 *
 *   open   log and metrics, pool, endpoints of all adapters, the desk
 *   start  pool, store (which migrates and takes the ownership), hopper, ari, web, ctl, `begin`
 *   stop   the reverse; calls that are up stay up in Asterisk
 */
#ifndef ADAPTERS_DAEMON_WIRE_H
#define ADAPTERS_DAEMON_WIRE_H

#include "adapters/daemon/config.h"
#include "adapters/store/store.h"

struct wire;

struct wire_hooks {
    void (*on_drained)(void *ctx, uint32_t ringing); /* any thread */
    void (*on_held)(void *ctx);                      /* R27: another daemon owns the store */
    void *ctx;
};

/* `config` outlives the wire. NULL with a sentence. */
struct wire *wire_open(const struct config *config, const struct wire_hooks *hooks, char *why,
                       size_t why_size);
int wire_start(struct wire *wire, char *why, size_t why_size);
void wire_drain(struct wire *wire, uint32_t drain_ms);
/* What a reload can change is in force from now on: the live keys of `fresh`. Main thread. */
void wire_reload(struct wire *wire, const struct config *fresh);
/* Counts one; both are strings with static life. Main thread. */
void wire_count(struct wire *wire, const char *name, const char *label);
/* Who holds the store, as a sentence; "" if nobody else. Any thread. */
void wire_held_by(struct wire *wire, char *out, size_t size);
void wire_stop(struct wire *wire);
void wire_close(struct wire *wire);

/* Which driver and options a config's [store] means. */
struct wire_store {
    const struct store_driver *driver;
    char where[1100];
    char owner[160];
};
int wire_store_of(const struct config *config, struct wire_store *store,
                  struct store_options *options, char *why, size_t why_size);

#endif
