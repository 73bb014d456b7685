/*
 * world.c - making a world, running it, and what must be true in it after every step.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/agent.h"    /* to look at: nothing here changes an actor */
#include "actors/campaign.h" /* to look at */
#include "adapters/store/rules.h"
#include "core/rng.h"
#include "tests/sim/world_int.h"

#include <stdarg.h>

void *world_room(void *at, uint32_t *room, uint32_t used, size_t size)
{
    if (used < *room) {
        return at;
    }
    *room = *room != 0 ? *room * 2u : 64u;
    at = realloc(at, *room * size);
    if (at == NULL) {
        abort();
    }
    return at;
}

struct text text_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

void text_keep(char *out, size_t size, struct text t)
{
    size_t n = t.len < size - 1 ? t.len : size - 1;

    if (n > 0) {
        memcpy(out, t.ptr, n);
    }
    out[n] = '\0';
}

void world_broken_as(struct world *w, enum broken as, const char *format, ...)
{
    va_list ap;
    char what[200];

    if (w->broken[0] != '\0' || w->only_judged) {
        return;
    }
    va_start(ap, format);
    (void)vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    w->broken_as = as;
    (void)snprintf(w->broken, sizeof w->broken, "at %.3f s, step %" PRIu64 ": %s",
                   (double)sim_now_us(w->sim) / 1e6, sim_steps(w->sim), what);
    sim_stop(w->sim);
}

/* One more line of the history, if somebody reads it; by a clock that never steps. */
void see(struct world *w, const struct judge_event *e)
{
    struct judge_event copy = *e;

    if (w->see != NULL) {
        copy.at_us = e->at_us != 0 ? e->at_us : WORLD_WALL_MS * US_PER_MS + sim_now_us(w->sim);
        w->see(w->see_ctx, &copy);
    }
}

void world_check(struct world *w)
{
    char what[300];

    if (w->broken[0] != '\0') {
        (void)snprintf(what, sizeof what, "a promise is broken %s (seed %" PRIu64 ")", w->broken,
                       w->seed);
        world_fail(what);
    }
}

void world_post(struct world *w, struct way *way, int64_t delay_us, unsigned kind, handle to,
                uint16_t type, const void *msg)
{
    int64_t now = sim_now_us(w->sim);
    int64_t *last = &way->last_us[rng_mix(to) % WAY_ENDS];
    int64_t at = now + delay_us;

    if (!w->alive) {
        return; /* nobody is there to hear it */
    }
    at += w->jitter_us > 0 ? (int64_t)(world_unit(w, 5) * (double)w->jitter_us) : 0;
    at = at > *last ? at : *last;
    *last = at;
    sim_post(w->sim, at - now, named(kind, 0), to, type, msg);
}

struct camp *world_camp(const struct world *w, uint64_t id)
{
    uint32_t i = table_get(&w->campaigns, id);

    return i != 0 ? &w->camps[i - 1] : NULL;
}

struct person *world_person(const struct world *w, uint64_t id)
{
    uint32_t i = table_get(&w->agents, id);

    return i != 0 ? &w->people[i - 1] : NULL;
}

uint64_t number_key(struct text number)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < number.len; i++) {
        n = number.ptr[i] >= '0' && number.ptr[i] <= '9' ? n * 10u + (uint64_t)(number.ptr[i] - '0')
                                                         : n;
    }
    return n != 0 ? n : 1u;
}

struct number *world_number_at(struct world *w, uint64_t key)
{
    uint32_t i = table_get(&w->number_of, key);

    if (i == 0) {
        w->numbers = world_room(w->numbers, &w->room_numbers, w->n_numbers, sizeof *w->numbers);
        w->numbers[w->n_numbers++] = (struct number){0};
        i = w->n_numbers;
        table_put(&w->number_of, key, i);
    }
    return &w->numbers[i - 1];
}

/* --- promises that are looked at after every step ----------------------------------------- */

/* No agent is in two calls of this campaign. */
static void check_campaign(struct world *w, const struct campaign *c)
{
    static const enum attempt_state with[] = {
        ATTEMPT_PREVIEW,  ATTEMPT_ORIGINATING, ATTEMPT_RINGING, ATTEMPT_ANSWERED,
        ATTEMPT_BRIDGING, ATTEMPT_BRIDGED,     ATTEMPT_HELD};
    uint64_t seen[64];
    unsigned n = 0;
    uint32_t states = 0;

    if (c->attempts.used > 64 && sim_steps(w->sim) % 64u != 0) {
        return; /* a large campaign is looked at now and then */
    }
    for (size_t s = 0; s < sizeof with / sizeof with[0]; s++) {
        const struct fsm *f = c->by_state.head[with[s]];

        for (; f != NULL; f = f->next) {
            const struct attempt *a = (const struct attempt *)(const void *)f;

            for (unsigned i = 0; a->agent != 0 && i < n; i++) {
                if (seen[i] == a->agent) {
                    world_broken_as(w, BROKEN_TWO_CALLS, "agent %" PRIu64 " is in two calls",
                                    a->agent);
                }
            }
            if (a->agent != 0 && n < 64) {
                seen[n++] = a->agent;
            }
        }
    }
    for (unsigned s = 0; s < ATTEMPT_STATES; s++) {
        states += s == ATTEMPT_DISPOSED ? 0 : c->by_state.count[s];
    }
    if (c->attempts.used != states) {
        world_broken(w, "campaign %" PRIu64 " has attempts without a state", c->id);
    }
}

static void check_agent(struct world *w, const struct agent *g)
{
    if (g->fsm.state == AGENT_AVAILABLE && (g->call_alive || g->attempt[0] != '\0')) {
        world_broken(w, "agent %" PRIu64 " is available with a call", g->id);
    }
    if (g->fsm.state == AGENT_OFFLINE && g->leg.state == LEG_CALLING) {
        world_broken(w, "agent %" PRIu64 " is offline and its phone is called", g->id);
    }
}

/* WORLD_TRACE=SECONDS: one line for each step from that time on. */
static void trace_step(const struct world *w, handle actor, const struct event *ev)
{
    const struct message_desc *d = message_find(&dialer_catalogue, ev->type);

    if (ev->now_us >= w->trace_us) {
        (void)fprintf(stderr, "%.6f %u/%" PRIu64 " <- %u/%" PRIu64 " %s\n",
                      (double)ev->now_us / 1e6, handle_kind(actor), handle_id(actor),
                      handle_kind(ev->from), handle_id(ev->from),
                      d != NULL              ? d->name
                      : ev->type == EV_TIMER ? "timer"
                                             : "start");
    }
}

static bool after_step(void *ctx, handle actor, const struct event *ev)
{
    struct world *w = ctx;
    const void *state = sim_state(w->sim, actor);

    if (w->trace_us >= 0) {
        trace_step(w, actor, ev);
    }
    w->still = ev->now_us == w->still_us ? w->still + 1u : 0;
    w->still_us = ev->now_us;
    if (w->still > 500000u) {
        world_broken(w, "the actors run in circles");
    }
    if (w->troubled) {
        world_look_for_calm(w);
    }
    if (state != NULL && handle_kind(actor) == KIND_CAMPAIGN) {
        const struct campaign *c = state;

        if (c->idle_length > 0 && world_camp(w, c->id) != NULL) {
            world_camp(w, c->id)->idle_us = ev->now_us;
        }
        check_campaign(w, state);
    } else if (state != NULL && handle_kind(actor) == KIND_AGENT) {
        check_agent(w, state);
    }
    return w->broken[0] != '\0';
}

/* --- making ------------------------------------------------------------------------------- */

struct world *world_open_with(uint64_t seed, bool codec, bool log, double jitter_ms)
{
    struct world *w = calloc(1, sizeof *w);
    struct sim_config config = {.seed = seed,
                                .catalogue = &dialer_catalogue,
                                .wall_ms = WORLD_WALL_MS,
                                .codec = codec,
                                .jitter_us = MS(jitter_ms),
                                .log = log ? stderr : NULL};

    if (w == NULL) {
        abort();
    }
    w->sim = sim_open(&config);
    w->seed = seed;
    w->jitter_us = MS(jitter_ms);
    w->node = 0x51;
    w->trace_us =
        getenv("WORLD_TRACE") != NULL ? (int64_t)(strtod(getenv("WORLD_TRACE"), NULL) * 1e6) : -1;
    w->store_up = w->hopper_up = w->pbx_up = w->sound = true;
    w->store_us = 2 * US_PER_MS;
    w->pbx_us = US_PER_MS;
    w->talk_s = 90;
    w->callee = (struct callee){FATE_HUMAN, 5, 60, 0};
    store_trunk_defaults(&w->trunk);
    w->trunk.trunk = WORLD_TRUNK;
    w->trunk.name = text_of("carrier");
    w->trunk.pbx = WORLD_PBX;
    w->trunk.endpoint = text_of("PJSIP/{number}@carrier");
    w->trunk.lines = 100;
    w->trunk.calls_per_s = 100;
    sim_endpoint(w->sim, KIND_STORE, store_receive, w);
    sim_endpoint(w->sim, KIND_HOPPER, hopper_receive, w);
    sim_endpoint(w->sim, KIND_ARI, pbx_receive, w);
    sim_endpoint(w->sim, KIND_WEB, web_receive, w);
    sim_endpoint(w->sim, KIND_CTL, ctl_receive, w);
    sim_hook(w->sim, after_step, w);
    return w;
}

struct world *world_open_as(uint64_t seed, bool codec, bool log)
{
    return world_open_with(seed, codec, log, 0);
}

/* WORLD_JITTER=MILLISECONDS: every test, with messages that take their time. */
struct world *world_open(uint64_t seed)
{
    const char *jitter = getenv("WORLD_JITTER");

    return world_open_with(seed, false, getenv("WORLD_LOG") != NULL,
                           jitter != NULL ? strtod(jitter, NULL) : 0);
}

struct msg_campaign_config *world_campaign(struct world *w, uint64_t id, enum campaign_mode mode)
{
    w->camps = world_room(w->camps, &w->room_camps, w->n_camps, sizeof *w->camps);
    struct camp *c = &w->camps[w->n_camps++];

    *c = (struct camp){.list_active = true};
    store_campaign_defaults(&c->config);
    c->config.campaign = id;
    c->config.epoch = w->epoch;
    c->config.name = text_of("Spring");
    c->config.mode = (uint8_t)mode;
    c->config.active = true;
    c->config.trunk = WORLD_TRUNK;
    c->config.pbx = WORLD_PBX;
    c->config.endpoint = w->trunk.endpoint;
    c->config.caller_id = text_of("+12125550100");
    c->config.prefixes = text_of("+1");
    c->config.window_from_min = c->config.window_to_min = 0;
    c->config.message = text_of("sorry");
    table_put(&w->campaigns, id, w->n_camps);
    return &c->config;
}

struct msg_agent_config *world_agent(struct world *w, uint64_t id, uint64_t campaign)
{
    static char endpoints[10000][16]; /* the config's texts must outlive everything */

    w->people = world_room(w->people, &w->room_people, w->n_people, sizeof *w->people);
    struct person *p = &w->people[w->n_people++];

    *p = (struct person){.phone_online = true, .phone_answers = true};
    store_agent_defaults(&p->config);
    (void)snprintf(endpoints[id % 10000u], sizeof endpoints[0], "PJSIP/a%u", (unsigned)id % 10000u);
    p->config.agent = id;
    p->config.login = text_of("agent");
    p->config.name = text_of("Agent");
    p->config.campaign = campaign;
    p->config.endpoint = text_of(endpoints[id % 10000u]);
    table_put(&w->agents, id, w->n_people);
    return &p->config;
}

struct msg_campaign_config *world_campaign_config(struct world *w, uint64_t id)
{
    return &world_camp(w, id)->config;
}

struct msg_agent_config *world_agent_config(struct world *w, uint64_t id)
{
    return &world_person(w, id)->config;
}

struct msg_trunk_config *world_trunk(struct world *w)
{
    return &w->trunk;
}

uint64_t world_lead(struct world *w, uint64_t campaign, const char *number)
{
    w->rows = world_room(w->rows, &w->room_rows, w->n_rows, sizeof *w->rows);
    struct row *r = &w->rows[w->n_rows++];

    *r = (struct row){.campaign = campaign, .key = number_key(text_of(number))};
    text_keep(r->number, sizeof r->number, text_of(number));
    return w->n_rows;
}

uint64_t world_leads(struct world *w, uint64_t campaign, unsigned n)
{
    uint64_t first = w->n_rows + 1u;

    for (unsigned i = 0; i < n; i++) {
        uint32_t k = w->next_lead++;
        char number[NUMBER_MAX];

        /* +1 NPA 555 01xx: a hundred fictional numbers in each of 699 areas */
        (void)snprintf(number, sizeof number, "+1%03u55501%02u", 201u + k / 100u % 699u, k % 100u);
        (void)world_lead(w, campaign, number);
    }
    return first;
}

void world_lead_zone(struct world *w, uint64_t lead, const char *zone)
{
    w->rows[lead - 1].zone = zone;
}

const char *world_number(const struct world *w, uint64_t lead)
{
    return w->rows[lead - 1].number;
}

struct sim *world_sim(struct world *w)
{
    return w->sim;
}

int64_t world_now_ms(const struct world *w)
{
    return sim_wall_ms(w->sim);
}

void world_run(struct world *w, double seconds)
{
    world_check(w);
    (void)sim_run_for(w->sim, (int64_t)(seconds * 1e6));
    world_check(w);
}

void world_close(struct world *w)
{
    char what[160];

    world_run(w, 5);
    for (uint64_t i = 0; i < w->requests; i++) {
        if (w->replies[i].times != 1 && i >= w->excused) {
            (void)snprintf(what, sizeof what,
                           "request %" PRIu64 " (%s) was answered %u times (seed %" PRIu64 ")",
                           i + 1, w->replies[i].what, w->replies[i].times, w->seed);
            world_fail(what);
        }
    }
    if (sim_parked(w->sim) != 0) {
        world_fail("actors are parked");
    }
    world_free(w);
}

void world_free(struct world *w)
{
    sim_close(w->sim);
    for (uint32_t i = 0; i < w->n_camps; i++) {
        free(w->camps[i].hopper);
        free(w->camps[i].front);
        free(w->camps[i].due);
    }
    free(w->camps);
    free(w->campaigns.slots);
    free(w->agents.slots);
    store_free(w);
    pbx_free(w);
    wire_free(w);
    people_free(w);
    free(w);
}
