/* walk_judge.c - the store's tables, told to the judge when all is at rest. */
#include <string.h>

#include "tests/sim/walk_int.h"

static void tell_campaigns(const struct walk *x)
{
    for (uint32_t i = 0; i < x->w->n_camps; i++) {
        const struct camp *c = &x->w->camps[i];
        const struct msg_view_campaign *board = &c->board;

        judge_campaign(x->judge,
                       &(struct judge_campaign){.campaign = c->config.campaign,
                                                .retry_ms = (int64_t)c->config.retry_s * MS_PER_S,
                                                .prefixes = "+1",
                                                .counted = board->campaign != 0,
                                                .abandoned = board->abandoned_30d,
                                                .answers = board->answers_30d});
    }
}

static void tell_leads(const struct walk *x)
{
    for (uint32_t i = 0; i < x->w->n_rows; i++) {
        const struct row *r = &x->w->rows[i];
        const struct number *n = world_number_at(x->w, r->key);

        judge_lead(x->judge, &(struct judge_lead){.lead = i + 1u,
                                                  .list = r->campaign,
                                                  .campaign = r->campaign,
                                                  .number = r->number,
                                                  .rows = 1,
                                                  .status = r->status,
                                                  .final = r->final,
                                                  .suppressed = n->suppressed,
                                                  .manual = r->manual,
                                                  .due_ms = r->due_ms,
                                                  .attempts = r->attempts});
    }
}

static void tell_attempts(const struct walk *x)
{
    for (uint32_t i = 0; i < x->w->n_atts; i++) {
        const struct att *a = &x->w->atts[i];
        struct judge_attempt row = {.id = a->id,
                                    .number = a->number,
                                    .disposition = a->code[0] != '\0' ? a->code : NULL,
                                    .campaign = a->campaign,
                                    .lead = a->row,
                                    .agent = a->agent,
                                    .epoch = a->epoch,
                                    .attempt_no = a->no,
                                    .cause = a->cause,
                                    .previewed = a->previewed,
                                    .state = a->state,
                                    .outcome = a->outcome,
                                    .live = a->live,
                                    .by_agent = a->code[0] != '\0' && !a->by_system,
                                    .claimed_ms = a->claimed_ms,
                                    .answered_ms = a->answered_ms,
                                    .bridged_ms = a->bridged_ms,
                                    .ended_ms = a->ended_ms,
                                    .disposed_ms = a->disposed_ms,
                                    .dispositions = a->dispositions};

        if (a->unmade) {
            continue;
        }
        judge_attempt(x->judge, &row);
    }
}

static void tell_people(const struct walk *x)
{
    for (uint32_t i = 0; i < x->w->n_legs; i++) {
        const struct leg_row *l = &x->w->legs[i];

        judge_leg(x->judge, &(struct judge_leg){.id = l->id,
                                                .agent = l->agent,
                                                .claimed_ms = WORLD_WALL_MS,
                                                .ended_ms = l->live ? 0 : WORLD_WALL_MS + 1});
    }
    for (uint32_t i = 0; i < x->w->n_people; i++) {
        const struct person *p = &x->w->people[i];

        if (p->n_spells > 0) {
            judge_agent(x->judge, &(struct judge_agent){.agent = p->config.agent,
                                                        .state = p->spells[p->n_spells - 1].state});
        }
    }
    for (uint32_t i = 0; i < x->w->n_rows; i++) {
        const struct number *n = world_number_at(x->w, x->w->rows[i].key);

        if (n->suppressed) {
            judge_suppressed(x->judge, &(struct judge_suppressed){.number = x->w->rows[i].number,
                                                                  .at_ms = n->suppressed_ms});
        }
    }
}

static void keep_first(struct walk *x, const char *what)
{
    if (x->result->first[0] == '\0') {
        (void)snprintf(x->result->first, sizeof x->result->first, "%s", what);
    }
}

void judge_walked(struct walk *x)
{
    struct judge_verdict v;
    struct walk_result *r = x->result;

    tell_campaigns(x);
    tell_leads(x);
    tell_attempts(x);
    tell_people(x);
    if (judge_decide(x->judge, &v) != 0) {
        keep_first(x, v.first);
        if (x->options->tell != NULL) {
            judge_tell(x->judge, x->options->tell);
        }
    }
    for (unsigned i = 0; i < JUDGE_INVARIANTS; i++) {
        r->broken[i] = v.broken[i];
    }
    r->calls += v.calls;
    r->answered += v.answered;
    r->bridged += v.bridged;
    r->adopted += v.adopted;
    r->unknown += v.unknown;
    r->downtime_waits += v.downtime_waits;
    r->lost += v.lost;
    r->dialed_twice += v.dialed_twice;
    r->stuck += v.stuck;
    r->two_calls += v.two_calls;
    r->breaches += v.breaches;
}
