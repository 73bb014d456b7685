/* walk_people.c - agents who notice when nothing moves and try again: pages that reconnect, people
 * who press the button once more. */
#include <string.h>

#include "tests/sim/walk_int.h"

#define TICK_US (250 * US_PER_MS)

static bool loaded(const struct walk *x, const struct person *p)
{
    return x->w->alive && x->w->loaded &&
           sim_find(x->w->sim, named(KIND_AGENT, p->config.agent)) != HANDLE_NONE;
}

/* As the store has it. */
static bool is_home(const struct person *p)
{
    return p->n_spells == 0 || p->spells[p->n_spells - 1].state == AGENT_OFFLINE;
}

static void reconnects(struct walk *x, struct person *p)
{
    if (loaded(x, p) && rng_below(&x->rng, 6) == 0 && !(x->calm && is_home(p))) {
        p->page.updates = 0; /* whatever it is told next is news */
        (void)world_login(x->w, p->config.agent);
        p->asked_us = sim_now_us(x->w->sim);
    }
}

/* What somebody does who has been looking at this state for a while. */
static void insists(struct walk *x, struct person *p, int64_t waited_us)
{
    const struct page *g = &p->page;
    uint64_t agent = p->config.agent;
    bool resting = strcmp(g->reason, "rest") == 0;

    switch ((enum agent_state)g->state) {
    case AGENT_OFFLINE:
        if (!x->calm) {
            (void)world_login(x->w, agent);
        }
        break;
    case AGENT_BREAK:
        if (x->calm) {
            (void)world_logout(x->w, agent);
        } else if (!resting || waited_us > 60 * US_PER_S) {
            (void)world_available(x->w, agent);
        }
        break;
    case AGENT_WRAPUP:
        if (g->needs_disposition && (x->calm || waited_us > 30 * US_PER_S)) {
            (void)world_dispose(x->w, agent, "sale");
        }
        break;
    case AGENT_AVAILABLE:
    case AGENT_PREVIEW:
    case AGENT_RESERVED:
    case AGENT_BUSY:
        if (x->calm) {
            (void)world_logout(x->w, agent);
        }
        break;
    case AGENT_CONNECTING:
    case AGENT_STATES:
        break;
    }
}

static void tick(void *ctx, uint64_t arg)
{
    struct walk *x = ctx;
    struct world *w = x->w;
    int64_t now = sim_now_us(w->sim);

    faults_reconnect(x);
    for (uint32_t i = 0; i < w->n_people && w->alive; i++) {
        struct person *p = &w->people[i];
        int64_t patience = (x->calm ? 5 : 6 + (int64_t)(p->config.agent % 5u)) * US_PER_S;

        if (p->away) {
            continue;
        }
        if (!p->socket) {
            reconnects(x, p);
        } else if (now - p->asked_us > patience && now - p->moved_us > patience) {
            p->asked_us = now;
            insists(x, p, now - p->moved_us);
        }
    }
    if (!x->over) {
        sim_at(w->sim, TICK_US, tick, x, arg);
    }
}

void people_live(struct walk *x)
{
    struct rng r = rng_stream(x->options->seed, 3001);
    double touch_s = rng_below(&r, 2) == 0 ? 3 + rng_unit(&r) * 40 : 0; /* in every other walk */

    for (unsigned a = 1; a <= x->agents; a++) {
        world_habits(x->w, a,
                     (struct habits){.wrap_s = 4 + (double)(a % 4u) * 4,
                                     .hang_up_share = 0.3,
                                     .work_s = 1800,
                                     .break_s = 120,
                                     .touch_s = a % 3u == 0 ? 0 : touch_s,
                                     .code = a % 7u == 0   ? "callback"
                                             : a % 5u == 0 ? "no_answer"
                                             : a % 3u == 0 ? "sale"
                                                           : "not_interested"});
    }
    sim_at(x->w->sim, TICK_US, tick, x, 0);
}
