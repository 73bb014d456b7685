/*
 * sim.h - the executor of the tests: one thread, a virtual clock, seeded choice.
 *
 * Time stands still while somebody can run; then it jumps to the next deadline. Among the actors
 * that have mail one is chosen by the seed, and takes one event. Endpoints are callbacks (models of
 * the adapters), which answer with sim_post() and sim_at(), now or later. Nothing depends on
 * addresses or on the real clock: the same seed and the same calls give the same trace hash.
 *
 * One thread. A model's callback may call everything here but sim_run*() and sim_close().
 */
#ifndef CORE_SIM_H
#define CORE_SIM_H

#include "core/endpoint.h"
#include "core/message.h"

#include <stdio.h>

struct sim;

struct sim_config {
    uint64_t seed;
    const struct message_catalogue *catalogue;
    int64_t wall_ms;    /* UTC at virtual time 0 */
    bool codec;         /* pack and unpack every message on its way */
    int64_t jitter_us;  /* what actors send takes up to so long; order between any two is kept */
    uint64_t max_steps; /* give up after so many; 0: never */
    FILE *log;          /* where fx_log lines go; NULL: nowhere (errors still counted) */
};

/* Aborts the program when memory is short, like everything else here: it is for tests. */
struct sim *sim_open(const struct sim_config *config);
void sim_close(struct sim *sim);

/* Messages to named(kind, any id) go to `deliver` (endpoint.h), in the order of the sends, after
 * the step that sent them. */
void sim_endpoint(struct sim *sim, unsigned kind, endpoint_handler deliver, void *ctx);

/* Create an actor. Returns its handle, HANDLE_NONE when the name is taken. */
handle sim_spawn(struct sim *sim, const struct actor_type *type, uint64_t id, uint16_t arg_type,
                 const void *arg);

/* The process dies: every actor with its timers and its mail, and every message on its way. Models'
 * callbacks (sim_at) live on: they are the world outside. Not from inside a step. */
void sim_crash(struct sim *sim);

/* The process is stopped for so long (SIGSTOP, a frozen machine): nobody takes a step; messages and
 * timers wait in the mailboxes, the world outside goes on. */
void sim_freeze(struct sim *sim, int64_t us);

/* The run that goes on ends, and returns -1, before anything else happens. From a callback. */
void sim_stop(struct sim *sim);

/* A message arrives `delay_us` from now; the struct and its texts are copied at once. */
void sim_post(struct sim *sim, int64_t delay_us, handle from, handle to, uint16_t type,
              const void *msg);

/* Call `fn(ctx, arg)` `delay_us` from now. */
void sim_at(struct sim *sim, int64_t delay_us, void (*fn)(void *ctx, uint64_t arg), void *ctx,
            uint64_t arg);

/* Run until virtual time is `until_us` and nothing is due before it. Returns 0; -1 when max_steps
 * was reached or a hook said stop. */
int sim_run_until(struct sim *sim, int64_t until_us);
static inline int sim_run_for(struct sim *sim, int64_t us);

/* Run until nobody has anything to do, nor ever will. Same result. */
int sim_run_idle(struct sim *sim);

/* Called after every step; true stops the run (an invariant is broken: sim_run*() returns -1). */
void sim_hook(struct sim *sim, bool (*after_step)(void *ctx, handle actor, const struct event *ev),
              void *ctx);

int64_t sim_now_us(const struct sim *sim);
int64_t sim_wall_ms(const struct sim *sim);
/* The wall clock jumps (NTP, a wrong hand): virtual time does not. */
void sim_step_wall(struct sim *sim, int64_t by_ms);

uint64_t sim_hash(const struct sim *sim);  /* over all steps, traces and deliveries so far */
uint64_t sim_steps(const struct sim *sim); /* events handed to actors */

/* A generator for models: streams of one seed do not disturb each other. */
uint64_t sim_random(struct sim *sim, unsigned stream);

/* The state of a living actor (handle or name), NULL when there is none. For invariants: look only.
 */
const void *sim_state(const struct sim *sim, handle actor);
/* The handle of a name, HANDLE_NONE when nobody has it. */
handle sim_find(const struct sim *sim, handle name);
size_t sim_actors(const struct sim *sim); /* alive */
size_t sim_timers(const struct sim *sim); /* armed */
size_t sim_queued(const struct sim *sim); /* messages in mailboxes and on their way */

/* What fx_count added up; label NULL and id 0 as in the call. */
int64_t sim_counter(const struct sim *sim, const char *name, const char *label, uint64_t id);
/* The same over all labels and ids. */
int64_t sim_counter_sum(const struct sim *sim, const char *name);

/* The `nth` fx_realloc from now fails (1 = the next); 0 = none. The actor that asked is parked. */
void sim_fail_alloc(struct sim *sim, uint64_t nth);
size_t sim_parked(const struct sim *sim);

static inline int sim_run_for(struct sim *sim, int64_t us)
{
    return sim_run_until(sim, sim_now_us(sim) + us);
}

#endif
