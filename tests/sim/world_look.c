/* world_look.c - what the models saw, for those who want to know. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

const char *world_skipped(const struct world *w, const char *number, uint64_t *agent)
{
    const struct number *n = number_of(w, number);
    const struct att *a = n != NULL && n->last != 0 ? &w->atts[n->last - 1] : NULL;

    *agent = a != NULL ? a->agent : 0;
    return a != NULL ? a->skipped : "";
}

struct call_times world_times(const struct world *w, const char *number)
{
    const struct att *a = last_attempt(w, number);

    return a != NULL ? (struct call_times){a->claimed_ms, a->originated_ms, a->ringing_ms,
                                           a->answered_ms, a->ended_ms}
                     : (struct call_times){0};
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

bool world_leg_muted(const struct world *w, uint64_t agent)
{
    const struct chan *leg = leg_of(w, agent);

    return leg != NULL && leg->muted;
}

const char *world_keys(const struct world *w, const char *number)
{
    const struct chan *ch = pbx_customer(w, number);

    return ch != NULL ? ch->keys : "";
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

unsigned world_calls_unknown(const struct world *w, uint64_t campaign)
{
    return world_camp(w, campaign)->calls_unknown;
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

/* A state that the page was shown and that is not on record from that moment on: a gap, which the
 * spell before it covers up. NULL: there is none. */
static const struct spell *not_recorded(const struct person *p)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < p->n_shown; i++) {
        const struct spell *s = &p->shown[i];

        if (i == 0 && s->state == AGENT_OFFLINE) {
            continue; /* before its first login */
        }
        while (at < p->n_spells && p->spells[at].at_ms < s->at_ms) {
            at++;
        }
        uint32_t k = at;
        while (k < p->n_spells && p->spells[k].at_ms == s->at_ms &&
               p->spells[k].state != s->state) {
            k++;
        }
        if (k == p->n_spells || p->spells[k].at_ms != s->at_ms) {
            return s;
        }
    }
    return NULL;
}

const char *world_times_tile(const struct world *w)
{
    static char what[120];

    for (uint32_t k = 0; k < w->n_people; k++) {
        const struct person *p = &w->people[k];
        const struct spell *gap = not_recorded(p);

        if (gap != NULL) {
            (void)snprintf(what, sizeof what,
                           "agent %" PRIu64 ": %s from %" PRId64 " on is not on record",
                           p->config.agent, agent_state_name(gap->state), gap->at_ms);
            return what;
        }
        for (uint32_t i = 0; i < p->n_spells; i++) {
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
