/* walk.c - the course of a walk (walk.h). */
#include "tests/sim/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/walk_int.h"

#define CALM_MOST_S 14400 /* everything must be over by then: the longest call is four hours */
#define LOOK_S 30

static void history(void *ctx, const struct judge_event *e)
{
    judge_see(ctx, e);
}

/* --- settings, by the seed ---------------------------------------------------------------- */

static bool by_chance(struct rng *r, double share)
{
    return rng_unit(r) < share;
}

static double between(struct rng *r, double from, double to)
{
    return from + rng_unit(r) * (to - from);
}

/* Small sizes and odd bounds, each on by chance: what is rare in a house is frequent here. */
static void set_campaign(struct walk *x, struct rng *r, uint64_t id)
{
    struct msg_campaign_config *c =
        world_campaign(x->w, id, by_chance(r, 0.5) ? MODE_PROGRESSIVE : MODE_RATIO);

    c->ratio = between(r, 1.0, 2.5);
    c->leg = id == 2 && by_chance(r, 0.6) ? LEG_ON_DEMAND : LEG_PERMANENT;
    c->retry_s = by_chance(r, 0.5) ? 60 : 300;
    c->no_answer_s = c->busy_s = c->abandoned_s = c->not_disposed_s =
        by_chance(r, 0.5) ? 30 : 600; /* shorter than the retry interval: the claim has to hold */
    if (by_chance(r, 0.2)) {
        c->hopper_size = 1 + (uint32_t)rng_below(r, 5);
        c->hopper_low = (uint32_t)rng_below(r, c->hopper_size);
    }
    if (by_chance(r, 0.2)) {
        c->claim_ahead_max = 1 + (uint32_t)rng_below(r, 4);
    }
    if (by_chance(r, 0.1)) {
        c->claim_ahead_ms = 60000;
    }
    if (by_chance(r, 0.1)) {
        c->max_lines = 1 + (uint32_t)rng_below(r, 20);
    }
    c->max_attempts = 1 + (uint32_t)rng_below(r, 5);
    c->ring_s = by_chance(r, 0.2) ? 15 : 30;
}

/* One walk in four calls far more people than there are agents for. */
static void set_crowd(struct walk *x)
{
    struct rng r = rng_stream(x->options->seed, 2001);

    for (uint64_t c = 1; c <= x->campaigns && rng_below(&r, 4) == 0; c++) {
        world_campaign_config(x->w, c)->ratio = between(&r, 3, 6);
        world_campaign_config(x->w, c)->mode = MODE_RATIO;
        world_campaign_config(x->w, c)->abandon_limit_bp = 10000;
        world_campaign_config(x->w, c)->leg = LEG_PERMANENT;
    }
}

/* One campaign in three shows its leads before it dials them. */
static void set_previews(struct walk *x)
{
    struct rng r = rng_stream(x->options->seed, 2002);

    for (uint64_t c = 1; c <= x->campaigns && !x->options->no_preview; c++) {
        struct msg_campaign_config *set = world_campaign_config(x->w, c);

        if (rng_below(&r, 3) == 0) {
            set->mode = MODE_PREVIEW;
            set->preview_s = 5 + (uint32_t)rng_below(&r, 60);
            set->preview_expiry = by_chance(&r, 0.5) ? PREVIEW_DIAL : PREVIEW_NOT_READY;
            set->leg = by_chance(&r, 0.3) ? LEG_ON_DEMAND : LEG_PERMANENT;
        }
    }
}

static void set_people(struct walk *x, struct rng *r)
{
    static const double humans[] = {0.25, 0.25, 0.5, 0.8};

    for (uint64_t a = 1; a <= x->agents; a++) {
        (void)world_agent(x->w, a, 1 + a % x->campaigns);
    }
    for (uint64_t c = 1; c <= x->campaigns; c++) {
        uint64_t first = world_leads(x->w, c, x->leads / x->campaigns * 9u / 10u);

        /* A tenth of the other lists' numbers is in this one, too (F25). */
        for (uint64_t i = 0; c > 1 && i < x->leads / x->campaigns / 10u; i++) {
            char number[NUMBER_MAX]; /* the rows may move when there is one more */

            text_keep(number, sizeof number,
                      text_of(world_number(x->w, 1 + rng_below(r, first - 1))));
            (void)world_lead(x->w, c, number);
        }
    }
    x->leads = x->w->n_rows;
    world_population(x->w, humans[rng_below(r, 4)], 0.06, 0.08, between(r, 15, 90));
}

static void set_world(struct walk *x)
{
    struct rng r = rng_stream(x->options->seed, 2000);
    double jitter = by_chance(&r, 0.4) ? 0 : between(&r, 0.1, 40);
    struct world *w =
        world_open_with(x->options->seed, by_chance(&r, 0.02), x->options->log, jitter);

    x->w = w;
    w->only_judged = x->options->only_judged;
    w->crash_at = (enum crash_point)x->options->crash_point;
    w->crash_left = x->options->crash_count;
    w->see = history;
    w->see_ctx = x->judge;
    x->campaigns = 1 + (unsigned)rng_below(&r, 3);
    x->leads = (unsigned)((double)x->end_us / 3600e6 * x->agents * (by_chance(&r, 0.5) ? 30 : 90));
    x->leads = x->leads < 100 ? 100 : x->leads;
    x->pbx_ms = between(&r, 0.2, 20);
    x->store_ms = between(&r, 0.5, 25);
    if (x->options->store_ms > 0) {
        x->store_ms = x->options->store_ms;
    }
    world_pbx_latency(w, x->pbx_ms);
    world_store_latency(w, x->store_ms);
    world_pbx_duplicates(w, by_chance(&r, 0.5) ? 0 : between(&r, 0, 0.3));
    world_trunk(w)->lines = by_chance(&r, 0.15) ? 2 + (uint32_t)rng_below(&r, 8) : 4 * x->agents;
    world_trunk(w)->calls_per_s = by_chance(&r, 0.15) ? between(&r, 0.3, 2) : 20;
    for (uint64_t c = 1; c <= x->campaigns; c++) {
        set_campaign(x, &r, c);
    }
    set_people(x, &r);
    set_crowd(x);
    set_previews(x);
}

/* --- the course --------------------------------------------------------------------------- */

/* false: a promise is broken. */
static bool run_until(struct walk *x, int64_t until_us)
{
    struct world *w = x->w;

    while (sim_run_until(w->sim, until_us) != 0) {
        if (w->broken[0] != '\0') {
            return false;
        }
        if (x->kill != 0) {
            faults_kill(x);
        }
        if (w->dying) {
            faults_crash(x);
        }
    }
    return w->broken[0] == '\0';
}

static void breaks(struct walk *x, enum broken as, const char *what)
{
    struct walk_result *r = x->result;

    r->lost += as == BROKEN_LOST;
    r->dialed_twice += as == BROKEN_TWICE;
    r->stuck += as == BROKEN_STUCK;
    r->two_calls += as == BROKEN_TWO_CALLS;
    r->breaches += as == BROKEN_OTHER;
    if (r->first[0] == '\0') {
        (void)snprintf(r->first, sizeof r->first, "%s", what);
    }
}

static bool all_over(const struct walk *x)
{
    const struct world *w = x->w;

    for (uint32_t i = 0; i < w->n_people; i++) {
        if (w->people[i].n_spells > 0 &&
            w->people[i].spells[w->people[i].n_spells - 1].state != AGENT_OFFLINE) {
            return false;
        }
    }
    return world_open_attempts(w) == 0 && world_open_legs(w) == 0 && world_lines(w) == 0;
}

static void say_what_is_open(struct walk *x)
{
    const struct world *w = x->w;
    char what[400];
    int n = snprintf(what, sizeof what, "%u attempts, %u legs, %u lines are open in the end",
                     world_open_attempts(w), world_open_legs(w), world_lines(w));

    for (uint32_t i = 0; i < w->n_atts; i++) {
        if (w->atts[i].live) {
            n += snprintf(what + n, sizeof what - (size_t)n, "; %s is %s", w->atts[i].id,
                          attempt_state_name(w->atts[i].state));
            break;
        }
    }
    for (uint32_t i = 0; i < w->n_people; i++) {
        const struct person *p = &w->people[i];

        if (p->n_spells > 0 && p->spells[p->n_spells - 1].state != AGENT_OFFLINE) {
            (void)snprintf(what + n, sizeof what - (size_t)n,
                           "; agent %" PRIu64 " is %s, its page shows %s \"%s\"", p->config.agent,
                           agent_state_name(p->spells[p->n_spells - 1].state),
                           agent_state_name(p->page.state), p->page.reason);
            break;
        }
    }
    breaks(x, BROKEN_STUCK, what);
}

/* Nothing goes wrong any more, nobody is called any more: everything ends, and adds up. */
static bool calm_down(struct walk *x)
{
    struct world *w = x->w;
    int64_t last_us = x->end_us + CALM_MOST_S * US_PER_S;

    if (!run_until(x, x->end_us + 20 * US_PER_S)) {
        return false;
    }
    x->calm = true;
    for (uint32_t i = 0; i < w->n_people; i++) {
        w->people[i].has_habits = false;
    }
    for (uint64_t c = 1; c <= x->campaigns; c++) {
        (void)world_switch(w, c, 2);
    }
    do {
        if (!run_until(x, sim_now_us(w->sim) + LOOK_S * US_PER_S)) {
            return false;
        }
    } while (!all_over(x) && sim_now_us(w->sim) < last_us);
    x->over = true;
    if (!run_until(x, sim_now_us(w->sim) + LOOK_S * US_PER_S)) {
        return false;
    }
    world_store_counts(w); /* when nothing is so new that it may be on its way */
    return run_until(x, sim_now_us(w->sim) + LOOK_S * US_PER_S);
}

static void check_replies(struct walk *x)
{
    const struct world *w = x->w;
    char what[160];

    for (uint64_t i = w->excused; i < w->requests; i++) {
        if (w->replies[i].times != 1) {
            (void)snprintf(what, sizeof what, "request %" PRIu64 " (%s) was answered %u times",
                           i + 1, w->replies[i].what, w->replies[i].times);
            breaks(x, BROKEN_OTHER, what);
            return;
        }
    }
}

static void look_back(struct walk *x, bool unbroken)
{
    struct walk_result *r = x->result;
    const struct world *w = x->w;

    r->virtual_s = (double)sim_now_us(w->sim) / 1e6;
    r->steps = sim_steps(w->sim);
    r->hash = sim_hash(w->sim);
    if (!unbroken) {
        breaks(x, w->broken_as, w->broken);
        r->calls = w->seen.originates;
        if (x->options->tell != NULL) {
            (void)fprintf(x->options->tell, "broken %s\n", w->broken);
        }
        return;
    }
    if (!x->options->only_judged) {
        if (!all_over(x)) {
            say_what_is_open(x);
        }
        if (sim_parked(w->sim) != 0) {
            breaks(x, BROKEN_OTHER, "an actor is parked");
        }
        check_replies(x);
    }
    judge_walked(x);
}

bool walk(const struct walk_options *options, struct walk_result *result)
{
    struct walk *x = calloc(1, sizeof *x);
    bool good;

    if (x == NULL) {
        abort();
    }
    *result = (struct walk_result){0};
    x->options = options;
    x->result = result;
    x->agents = options->agents != 0 ? options->agents : 50;
    x->end_us = (int64_t)((options->hours > 0 ? options->hours : 1.0) * 3600e6);
    x->rng = rng_stream(options->seed, 3000);
    x->judge = judge_open(&(struct judge_options){
        .margin_us = 200 * US_PER_MS, .late_us = 600 * US_PER_MS, .check_pages = true});
    set_world(x);
    faults_draw(x);
    world_start(x->w, true);
    faults_plan(x);
    people_live(x);
    good = calm_down(x);
    look_back(x, good);
    world_free(x->w);
    judge_close(x->judge);
    free(x);
    return result->lost + result->dialed_twice + result->stuck + result->two_calls +
               result->breaches ==
           0;
}

/* Leaves out [from, to), unless it holds then. */
static void try_without(struct walk_options *options, struct walk_result *result, unsigned from,
                        unsigned to)
{
    struct walk_options less = *options;
    struct walk_result r;

    memset(less.without + from, 1, to - from);
    if (memcmp(less.without, options->without, sizeof less.without) != 0 && !walk(&less, &r)) {
        *options = less;
        *result = r;
    }
}

unsigned walk_shrink(struct walk_options *options, struct walk_result *result)
{
    const unsigned n = result->n_faults;
    unsigned left = 0;

    for (unsigned size = n; size > 0; size /= 2) { /* many at once first */
        for (unsigned from = 0; from < n; from += size) {
            try_without(options, result, from, from + size < n ? from + size : n);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        left += options->without[i] ? 0 : 1u;
    }
    return left;
}

void walk_describe(const struct walk_options *options, FILE *out)
{
    struct walk_options again = *options;
    struct walk_result r;

    again.tell = out;
    (void)walk(&again, &r);
}
