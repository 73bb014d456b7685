/* world_expect.c - what the models saw, and the sentences tests are written in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/world_int.h"

/* --- the store ---------------------------------------------------------------------------- */

const struct witness *world_witness(const struct world *w)
{
    return &w->seen;
}

uint8_t world_row(const struct world *w, uint64_t lead)
{
    return w->rows[lead - 1].status;
}

int64_t world_row_due_ms(const struct world *w, uint64_t lead)
{
    return w->rows[lead - 1].due_ms;
}

bool world_row_final(const struct world *w, uint64_t lead)
{
    return w->rows[lead - 1].final;
}

static const struct number *number_of(const struct world *w, const char *number)
{
    uint32_t i = table_get(&w->number_of, number_key(text_of(number)));

    return i != 0 ? &w->numbers[i - 1] : NULL;
}

unsigned world_attempts(const struct world *w, const char *number)
{
    const struct number *n = number_of(w, number);
    unsigned dialed = 0;

    for (uint32_t i = n != NULL ? n->last : 0; i != 0; i = w->atts[i - 1].before) {
        dialed += w->atts[i - 1].dialed ? 1u : 0u;
    }
    return dialed;
}

/* The last that was not taken back before it left. */
static const struct att *last_attempt(const struct world *w, const char *number)
{
    const struct number *n = number_of(w, number);
    uint32_t i = n != NULL ? n->last : 0;

    while (i != 0 && w->atts[i - 1].outcome == OUTCOME_NEVER_SENT && w->atts[i - 1].before != 0) {
        i = w->atts[i - 1].before;
    }
    return i != 0 ? &w->atts[i - 1] : NULL;
}

uint8_t world_outcome(const struct world *w, const char *number)
{
    const struct att *a = last_attempt(w, number);

    return a != NULL ? a->outcome : OUTCOME_NONE;
}

const char *world_attempt(const struct world *w, const char *number)
{
    const struct att *a = last_attempt(w, number);

    return a != NULL ? a->id : "";
}

const char *world_disposition(const struct world *w, const char *number)
{
    const struct att *a = last_attempt(w, number);

    return a != NULL ? a->code : "";
}

bool world_suppressed(const struct world *w, const char *number)
{
    const struct number *n = number_of(w, number);

    return n != NULL && n->suppressed;
}

unsigned world_open_attempts(const struct world *w)
{
    unsigned open = 0;

    for (uint32_t i = 0; i < w->n_atts; i++) {
        open += w->atts[i].live ? 1u : 0u;
    }
    return open;
}

unsigned world_open_legs(const struct world *w)
{
    unsigned open = 0;

    for (uint32_t i = 0; i < w->n_legs; i++) {
        open += w->legs[i].live ? 1u : 0u;
    }
    return open;
}

/* --- the Asterisk ------------------------------------------------------------------------- */

uint32_t world_lines(const struct world *w)
{
    return w->lines;
}

static const struct chan *leg_of(const struct world *w, uint64_t agent)
{
    for (uint32_t i = 0; i < w->n_chans; i++) {
        const struct chan *ch = &w->chans[i];

        if (ch->used && !ch->customer && ch->owner == agent && ch->state == CHAN_APP) {
            return ch;
        }
    }
    return NULL;
}

bool world_leg_up(const struct world *w, uint64_t agent)
{
    return leg_of(w, agent) != NULL;
}

uint64_t world_talks_with(const struct world *w, uint64_t agent)
{
    const struct chan *leg = leg_of(w, agent);

    for (uint32_t i = 0; leg != NULL && leg->bridge != 0 && i < w->n_chans; i++) {
        const struct chan *ch = &w->chans[i];

        if (ch->used && ch->customer && ch->bridge == leg->bridge) {
            const struct att *a = store_att(w, text_of(ch->id));

            return a != NULL ? a->row : 0;
        }
    }
    return 0;
}

enum line world_line(const struct world *w, const char *number)
{
    const struct chan *ch = pbx_customer(w, number);

    if (ch == NULL) {
        return LINE_NONE;
    }
    if (ch->bridge != 0 && w->bridges[ch->bridge - 1].members > 1) {
        return LINE_BRIDGED;
    }
    if (ch->played || ch->state == CHAN_MESSAGE) {
        return LINE_MESSAGE;
    }
    return ch->state == CHAN_DOWN      ? LINE_CALLING
           : ch->state == CHAN_RINGING ? LINE_RINGING
                                       : LINE_ANSWERED;
}

bool world_hears_hold(const struct world *w, const char *number)
{
    const struct chan *ch = pbx_customer(w, number);

    return ch != NULL && ch->bridge != 0 && w->bridges[ch->bridge - 1].music;
}

uint32_t world_bridges(const struct world *w)
{
    return w->n_bridges - w->n_free_bridges;
}

const char *world_a_bridge(const struct world *w)
{
    for (uint32_t i = 0; i < w->n_bridges; i++) {
        if (w->bridges[i].used) {
            return w->bridges[i].id;
        }
    }
    return "";
}

/* --- people ------------------------------------------------------------------------------- */

const struct page *world_page(const struct world *w, uint64_t agent)
{
    return &world_person(w, agent)->page;
}

const struct msg_view_campaign *world_board(const struct world *w, uint64_t campaign)
{
    return &world_camp(w, campaign)->board;
}

bool world_drained(const struct world *w)
{
    return w->drained;
}

int64_t world_agent_time_ms(const struct world *w, uint64_t agent, enum agent_state state)
{
    const struct person *p = world_person(w, agent);
    int64_t sum = 0;

    for (uint32_t i = 0; i < p->n_spells; i++) {
        int64_t until = i + 1 < p->n_spells ? p->spells[i + 1].at_ms : sim_wall_ms(w->sim);

        sum += p->spells[i].state == state ? until - p->spells[i].at_ms : 0;
    }
    return sum;
}

const char *world_times_tile(const struct world *w)
{
    static char what[120];

    for (uint32_t k = 0; k < w->n_people; k++) {
        const struct person *p = &w->people[k];

        for (uint32_t i = 0; i < p->n_spells; i++) {
            /* each spell lasts until the next: gaps cannot be; order and sense can fail */
            if (i > 0 && p->spells[i].at_ms < p->spells[i - 1].at_ms) {
                (void)snprintf(what, sizeof what, "agent %" PRIu64 ": spell %u goes back in time",
                               p->config.agent, i);
                return what;
            }
        }
        if (p->n_spells > 0 && p->spells[p->n_spells - 1].state != p->page.state) {
            (void)snprintf(what, sizeof what, "agent %" PRIu64 ": record says %s, page %s",
                           p->config.agent, agent_state_name(p->spells[p->n_spells - 1].state),
                           agent_state_name(p->page.state));
            return what;
        }
    }
    return NULL;
}

int64_t world_refused(struct world *w, uint64_t campaign, enum reason reason)
{
    return sim_counter(w->sim, "dialer_refused_total", reason_name(reason), campaign);
}

/* --- sentences ---------------------------------------------------------------------------- */

/* Steps of at most 10 ms, so that "until" stops close to the moment. */
void world_until_(struct world *w, bool (*is)(struct world *w, uint64_t a), uint64_t a,
                  double seconds, const char *what, const char *file, int line)
{
    int64_t end = sim_now_us(w->sim) + (int64_t)(seconds * 1e6);

    while (!is(w, a)) {
        if (sim_now_us(w->sim) >= end) {
            print_error("%s:%d: %s did not come in %.1f s\n", file, line, what, seconds);
            _fail(file, line);
        }
        world_run(w, 0.01);
    }
}

struct wish {
    uint64_t id;
    const char *number;
    int state;
};

static bool has_state(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return world_page(w, x->id)->state == x->state;
}

static bool has_status(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return world_row(w, x->id) == x->state;
}

static bool has_line(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return (int)world_line(w, x->number) == x->state;
}

static bool is_answered(struct world *w, uint64_t a)
{
    return world_reply(w, a)->times > 0;
}

void expect_agent_(struct world *w, uint64_t agent, enum agent_state state, double seconds,
                   const char *file, int line)
{
    struct wish x = {agent, NULL, (int)state};
    char what[120];

    world_run(w, 0);
    (void)snprintf(what, sizeof what, "agent %" PRIu64 " %s (it is %s \"%s\")", agent,
                   agent_state_name(state), agent_state_name(world_page(w, agent)->state),
                   world_page(w, agent)->reason);
    world_until_(w, has_state, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_row_(struct world *w, uint64_t lead, enum row_status status, double seconds,
                 const char *file, int line)
{
    struct wish x = {lead, NULL, (int)status};
    char what[120];

    (void)snprintf(what, sizeof what, "row %" PRIu64 " %s (it is %s)", lead,
                   row_status_name(status), row_status_name(world_row(w, lead)));
    world_until_(w, has_status, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_line_(struct world *w, const char *number, enum line state, double seconds,
                  const char *file, int line)
{
    struct wish x = {0, number, (int)state};
    char what[120];

    (void)snprintf(what, sizeof what, "line to %s in state %d (it is %d)", number, (int)state,
                   (int)world_line(w, number));
    world_until_(w, has_line, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_reply_(struct world *w, uint64_t request, enum result result, const char *part,
                   const char *file, int line)
{
    const struct reply *r;

    world_until_(w, is_answered, request, 5, "the reply", file, line);
    r = world_reply(w, request);
    if (r->result != result ||
        (part != NULL && strstr(r->text, part) == NULL && strstr(r->json, part) == NULL)) {
        print_error("%s:%d: the reply is %u \"%s\" %s, not %d with \"%s\"\n", file, line, r->result,
                    r->text, r->json, (int)result, part != NULL ? part : "");
        _fail(file, line);
    }
}

static bool can_start(struct world *w, uint64_t agent)
{
    return world_page(w, agent)->state == AGENT_BREAK;
}

void world_ready(struct world *w, uint64_t agent)
{
    (void)world_login(w, agent);
    world_until(w, can_start, agent, 30);
    expect_reply(w, world_available(w, agent), RESULT_OK, NULL);
}
