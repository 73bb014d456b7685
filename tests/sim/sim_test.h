/* sim_test.h - what every test of this folder includes. */
#ifndef TESTS_SIM_SIM_TEST_H
#define TESTS_SIM_SIM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/world.h"

#define NEVER ((struct callee){FATE_NO_ANSWER, 0, 0, 0})
#define ANSWERS(ring, talk) ((struct callee){FATE_HUMAN, ring, talk, 0})
#define HEARS_BUSY ((struct callee){FATE_BUSY, 0.5, 0, 0})

/* Agents 1 to n. */
static inline void all_ready(struct world *w, uint64_t n)
{
    for (uint64_t a = 1; a <= n; a++) {
        world_ready(w, a);
    }
}

/* Campaign 1: so many agents, who do nothing by themselves, and so many leads. */
static inline struct world *with_agents(enum campaign_mode mode, unsigned agents, unsigned leads)
{
    struct world *w = world_open(1);

    world_campaign(w, 1, mode);
    for (uint64_t a = 1; a <= agents; a++) {
        world_agent(w, a, 1);
    }
    world_leads(w, 1, leads);
    return w;
}

/* The same, progressive, with agents who say sale after five seconds. */
static inline struct world *progressive(unsigned agents, unsigned leads)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, agents, leads);

    for (uint64_t a = 1; a <= agents; a++) {
        world_habits(w, a, (struct habits){.wrap_s = 5, .code = "sale"});
    }
    return w;
}

/* One agent and one lead, in a call: it rang and will be talked so long [s]. */
static inline struct world *one_call(double ring_s, double talk_s)
{
    struct world *w = with_agents(MODE_PROGRESSIVE, 1, 1);

    world_callees(w, ANSWERS(ring_s, talk_s));
    world_begin(w);
    all_ready(w, 1);
    expect_agent(w, 1, AGENT_BUSY, ring_s + 10);
    return w;
}

/* Agent 7, alone in campaign 1. */
static inline struct world *with_agent(void)
{
    struct world *w = world_open(1);

    world_campaign(w, 1, MODE_PROGRESSIVE);
    world_agent(w, 7, 1);
    return w;
}

/* And in a call with lead 1. */
static inline struct world *in_a_call(enum leg_kind leg, double talk_s)
{
    struct world *w = with_agent();

    world_campaign_config(w, 1)->leg = (uint8_t)leg;
    world_leads(w, 1, 1);
    world_callees(w, ANSWERS(5, talk_s));
    world_begin(w);
    world_ready(w, 7);
    expect_agent(w, 7, AGENT_BUSY, 20);
    return w;
}

#endif
