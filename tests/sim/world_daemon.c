/*
 * world_daemon.c - the daemon as a process: it starts, dies, is frozen, comes back. What it had in
 * memory or on its way inside is gone with it; what had left may arrive.
 */
#include "actors/desk.h"
#include "tests/sim/world_int.h"

#define CONNECT_US (100 * US_PER_MS)

/* --- start -------------------------------------------------------------------------------- */

static void connects(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    if (arg == w->starts && w->alive && w->pbx_up && !w->deaf && !w->link) {
        pbx_connect(w, false);
    }
}

/* The store's adapter says that it is connected: only then there is something to begin with. */
void daemon_store_is_there(struct world *w)
{
    struct msg_begin m = {.node = w->node};

    if (w->begun) {
        return;
    }
    w->begun = true;
    store_taken_from_the_dead(w);
    store_takes_over(w);
    store_replay(w);
    sim_post(w->sim, 0, named(KIND_CTL, 0), ADDR_DESK, MSG_begin, &m);
}

void world_start(struct world *w, bool connect)
{
    w->alive = true;
    w->begun = false;
    w->loaded = false;
    w->starts++;
    (void)sim_spawn(w->sim, &desk_actor, 1, 0, NULL);
    if (w->store_up) {
        daemon_store_is_there(w);
    }
    if (connect) {
        sim_at(w->sim, CONNECT_US, connects, w, w->starts);
    }
}

static void start_and_wait(struct world *w, bool connect)
{
    world_start(w, connect);
    world_run(w, 1);
}

void world_begin(struct world *w)
{
    start_and_wait(w, true);
}

/* --- its end ------------------------------------------------------------------------------ */

void world_kill(struct world *w)
{
    if (!w->alive) {
        return;
    }
    world_trouble(w, 0);
    store_daemon_died(w);
    wire_daemon_died(w);
    w->link = w->held = false;
    see(w, &(struct judge_event){.kind = JUDGE_NOT_HELD});
    sim_crash(w->sim);
    w->alive = w->loaded = w->dying = false;
    w->frozen_until_us = 0;
    for (uint32_t i = 0; i < w->n_people; i++) {
        if (w->people[i].socket) {
            see(w, &(struct judge_event){.kind = JUDGE_GONE, .agent = w->people[i].config.agent});
        }
        w->people[i].socket = false;
        w->people[i].n_shown = 0; /* its record may have been on its way to the store */
    }
    w->excused = w->requests;
}

static void restart(struct world *w, bool connect)
{
    world_kill(w);
    world_run(w, 0.4);
    start_and_wait(w, connect);
    w->excused = w->requests;
}

void world_restart(struct world *w)
{
    restart(w, true);
}

void world_restart_without_pbx(struct world *w)
{
    restart(w, false);
}

bool world_dies(struct world *w, enum crash_point at)
{
    if (!w->alive || w->dying) {
        return w->dying;
    }
    w->crash_visits[at]++;
    if (w->crash_at == at && w->crash_left > 0 && --w->crash_left == 0) {
        w->dying = true;
        sim_stop(w->sim);
    }
    return w->dying;
}

void world_freeze(struct world *w, double seconds)
{
    sim_freeze(w->sim, (int64_t)(seconds * 1e6));
    w->frozen_until_us = sim_now_us(w->sim) + (int64_t)(seconds * 1e6);
    world_trouble(w, seconds);
}

/* --- trouble ------------------------------------------------------------------------------ */

/* Calls may have to wait from now on, and at least for so long. */
void world_trouble(struct world *w, double seconds)
{
    int64_t until = sim_now_us(w->sim) + (int64_t)(seconds * 1e6);

    w->calm_us = until > w->calm_us ? until : w->calm_us;
    if (!w->troubled && w->begun) {
        w->troubled = true;
        see(w, &(struct judge_event){.kind = JUDGE_FAULT, .yes = true, .text = "trouble"});
    }
}

/* Since when everything a call needs has been there; INT64_MAX: it is not. */
int64_t world_calm_since(const struct world *w)
{
    bool whole = w->alive && w->loaded && w->link && !w->deaf;

    return whole && w->calm_us <= sim_now_us(w->sim) ? w->calm_us : INT64_MAX;
}

void world_look_for_calm(struct world *w)
{
    if (w->troubled && world_calm_since(w) != INT64_MAX) {
        w->troubled = false;
        see(w, &(struct judge_event){.kind = JUDGE_RECOVERED,
                                     .text = "trouble",
                                     .at_us = WORLD_WALL_MS * US_PER_MS + w->calm_us});
    }
}
