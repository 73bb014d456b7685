/* world_load.c - what the store tells at start and after a change. */
#include "tests/sim/world_int.h"

#include <string.h>

static void send_agent(struct world *w, struct person *p)
{
    p->config.node = w->node;
    p->config.epoch = w->epoch;
    store_answer(w, ADDR_DESK, MSG_agent_config, &p->config);
}

/* Live, or waiting for its disposition: of those the newest comes first. Of one campaign, or of all
 * (0), with what the journal of originates says. */
static void send_attempts(struct world *w, uint64_t campaign, bool live)
{
    for (uint32_t i = 0; i < w->n_atts; i++) {
        const struct att *a = &w->atts[live ? i : w->n_atts - 1 - i];
        bool wraps = !a->live && a->outcome == OUTCOME_ANSWERED && a->disposed_ms == 0;
        struct msg_open_attempt m = {.campaign = a->campaign,
                                     .attempt = text_of(a->id),
                                     .row = a->row,
                                     .lead = a->row,
                                     .pbx = a->pbx,
                                     .state = a->state,
                                     .agent = a->agent,
                                     .number = text_of(a->number),
                                     .attempt_no = a->no,
                                     .cause = a->cause,
                                     .answered_wall_ms = a->answered_ms,
                                     .bridged_wall_ms = a->bridged_ms,
                                     .name = text_of("A Lead"),
                                     .fields = text_of("{}"),
                                     .unsent =
                                         campaign == 0 && attempt_unsent(a->state) && !a->noted,
                                     .claimed_wall_ms = a->claimed_ms,
                                     .matches = 1,
                                     .previewed = a->previewed};

        if (a->choice != CHOICE_NONE) { /* nobody's data before it */
            struct matches found;

            store_match(w, a->campaign, m.number, (enum choice)a->choice, &found);
            m.matches = choice_matches(a->choice, found.n);
            m.lead = 0;
            m.name = text_of("");
            m.fields = a->live ? store_offer(&found) : text_of("");
        }
        if ((live ? a->live : wraps) && (campaign == 0 || campaign == a->campaign)) {
            store_answer(w, ADDR_DESK, MSG_open_attempt, &m);
        }
    }
}

/* How those were who had a call when the last daemon went; starts since then are passed over. The
 * others log in anew here, which is the harder case, unless a test wants it otherwise. */
static void send_people(struct world *w)
{
    for (uint32_t i = 0; i < w->n_people; i++) {
        const struct person *p = &w->people[i];
        uint32_t last = p->n_spells;

        while (last > 0 && strcmp(p->spells[last - 1].reason, "daemon started") == 0) {
            last--;
        }
        if (last > 0 && (p->spells[last - 1].state == AGENT_BUSY ||
                         (w->remembers_agents && p->spells[last - 1].state != AGENT_OFFLINE))) {
            struct msg_open_agent m = {.agent = p->config.agent,
                                       .state = p->spells[last - 1].state,
                                       .reason = text_of(p->spells[last - 1].reason)};

            store_answer(w, ADDR_DESK, MSG_open_agent, &m);
        }
    }
}

static void send_open(struct world *w)
{
    send_attempts(w, 0, true);
    send_attempts(w, 0, false);
    for (uint32_t i = 0; i < w->n_legs; i++) {
        const struct leg_row *l = &w->legs[i];
        struct msg_open_leg m = {.leg = text_of(l->id),
                                 .agent = l->agent,
                                 .pbx = WORLD_PBX,
                                 .use = l->use,
                                 .attempt = text_of(l->attempt)};

        if (l->live) {
            store_answer(w, ADDR_DESK, MSG_open_leg, &m);
        }
    }
    send_people(w);
}

/* From the record, as the store does. */
static void send_window(struct world *w, const struct camp *c)
{
    struct msg_abandon_window m = {.campaign = c->config.campaign};

    for (uint32_t i = 0; i < w->n_atts; i++) {
        const struct att *a = &w->atts[i];
        if (a->campaign == m.campaign && a->cause == CAUSE_AUTO && !a->previewed &&
            a->answered_ms != 0 && a->outcome != OUTCOME_MACHINE && !a->unmade) {
            m.answers_30d++;
            m.abandoned_30d += a->outcome == OUTCOME_ABANDONED;
        }
    }
    store_answer(w, ADDR_DESK, MSG_abandon_window, &m);
}

void world_store_counts(struct world *w)
{
    for (uint32_t i = 0; i < w->n_camps; i++) {
        send_window(w, &w->camps[i]);
    }
}

void store_load(struct world *w, const struct msg_load *m)
{
    struct msg_loaded end = {.kind = m->kind, .id = m->id, .node = w->node, .result = RESULT_OK};

    if (m->kind == 0 || m->kind == KIND_TRUNK) {
        store_answer(w, ADDR_DESK, MSG_trunk_config, &w->trunk);
    }
    for (uint32_t i = 0; i < w->n_people && (m->kind == 0 || m->kind == KIND_AGENT); i++) {
        if (m->id == 0 || m->id == w->people[i].config.agent) {
            send_agent(w, &w->people[i]);
        }
    }
    for (uint32_t i = 0; i < w->n_camps && (m->kind == 0 || m->kind == KIND_CAMPAIGN); i++) {
        if (m->id == 0 || m->id == w->camps[i].config.campaign) {
            store_answer(w, ADDR_DESK, MSG_campaign_config, &w->camps[i].config);
            send_window(w, &w->camps[i]);
        }
    }
    if (m->kind == KIND_CAMPAIGN) {
        send_attempts(w, m->id, true);
    }
    if (m->kind == 0) {
        send_open(w);
    }
    store_answer(w, ADDR_DESK, MSG_loaded, &end);
}

void store_takes_over(struct world *w)
{
    w->epoch++;
    for (uint32_t i = 0; i < w->n_camps; i++) {
        w->camps[i].config.epoch = w->epoch;
    }
}
