/*
 * world_store.c - the store as the actors see it: claims, records, dispositions, the queue. What it
 * decides is adapters/store/rules.c, the same as behind the real ones; how it keeps things is its
 * own and is made to be fast.
 */
#include "adapters/store/rules.h"
#include "core/rng.h"
#include "tests/sim/world_int.h"

#include <string.h>

#define SECRET UINT64_C(0x5ec7e7f00d)

static const struct store_disposition dispositions[] = {
    {.code = {"sale", 4}, .final = true, .counts = true, .offered = true},
    {.code = {"not_interested", 14}, .final = true, .counts = true, .offered = true},
    {.code = {"callback", 8}, .counts = true, .callback = true, .offered = true},
    {.code = {"no_answer", 9}, .counts = true, .offered = true, .recycle_s = -1},
    {.code = {"busy", 4}, .counts = true, .offered = true, .recycle_s = -1},
    {.code = {"machine", 7}, .machine = true, .counts = true, .offered = true, .recycle_s = -1},
    {.code = {"dnc", 3}, .final = true, .counts = true, .dnc = true, .offered = true},
    {.code = {"not_disposed", 12}, .counts = true, .recycle_s = -1},
};

uint64_t store_key(struct text id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < id.len; i++) {
        h = (h ^ (unsigned char)id.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return h != 0 ? h : 1u;
}

struct att *store_att(const struct world *w, struct text id)
{
    uint32_t i = table_get(&w->att_of, store_key(id));

    return i != 0 ? &w->atts[i - 1] : NULL;
}

struct leg_row *store_leg(const struct world *w, struct text id)
{
    uint32_t i = table_get(&w->leg_of, store_key(id));

    return i != 0 ? &w->legs[i - 1] : NULL;
}

uint64_t store_permit(const struct world *w, struct text id, struct text what)
{
    uint64_t permit = rng_mix(store_key(id) ^ rng_mix(store_key(what) ^ SECRET ^ w->seed));

    return permit != 0 ? permit : 1u;
}

void store_answer(struct world *w, handle to, uint16_t type, const void *msg)
{
    int64_t late =
        w->stutter > 0 && world_unit(w, 7) < w->stutter ? (int64_t)(world_unit(w, 7) * 5e6) : 0;

    if (!w->nobody_listens) {
        world_post(w, &w->store_way, w->store_us / 2 + late, KIND_STORE, to, type, msg);
    }
}

/* --- the queue ---------------------------------------------------------------------------- */

static void due_push(struct camp *c, struct due item)
{
    uint32_t i = c->n_due;

    c->due = world_room(c->due, &c->room_due, c->n_due, sizeof *c->due);
    c->n_due++;
    for (; i > 0 && item.at_ms < c->due[(i - 1) / 2].at_ms; i = (i - 1) / 2) {
        c->due[i] = c->due[(i - 1) / 2];
    }
    c->due[i] = item;
}

static void due_pop(struct camp *c)
{
    struct due last = c->due[--c->n_due];
    uint32_t i = 0;

    for (uint32_t child = 1; child < c->n_due; child = 2 * i + 1) {
        child += child + 1 < c->n_due && c->due[child + 1].at_ms < c->due[child].at_ms ? 1u : 0u;
        if (last.at_ms <= c->due[child].at_ms) {
            break;
        }
        c->due[i] = c->due[child];
        i = child;
    }
    if (c->n_due > 0) {
        c->due[i] = last;
    }
}

/* R15, R13: a callback, or a lead that was given priority. */
static bool goes_first(const struct row *r)
{
    return r->callback || r->first;
}

/* The one place where a row changes its status. */
void store_row_moves(struct world *w, struct row *r, struct row_step to, int64_t due_ms)
{
    struct camp *c = world_camp(w, r->campaign);
    uint32_t index = (uint32_t)(r - w->rows);

    r->status = to.status;
    r->final = to.final;
    r->due_ms = due_ms;
    if (c == NULL) {
        return;
    }
    if (r->status == ROW_PENDING && index < c->first_pending) {
        c->first_pending = index;
    }
    if (r->status == ROW_PENDING && goes_first(r)) {
        c->front = world_room(c->front, &c->room_front, c->n_front, sizeof *c->front);
        c->front[c->n_front++] = index;
    }
    if (r->status == ROW_FAILED && !r->final && due_ms < DUE_NEVER) {
        due_push(c, (struct due){due_ms, index});
    }
}

static bool due_stands(const struct world *w, struct due d)
{
    const struct row *r = &w->rows[d.row];

    return r->status == ROW_FAILED && !r->final && r->due_ms == d.at_ms;
}

static void on_recycle(struct world *w, const struct msg_recycle *m)
{
    struct camp *c = world_camp(w, m->campaign);
    struct msg_recycled out = {.campaign = m->campaign};

    while (c->n_due > 0 && (c->due[0].at_ms <= m->at_wall_ms || !due_stands(w, c->due[0]))) {
        struct due d = c->due[0];
        struct row *r = &w->rows[d.row];

        due_pop(c);
        if (!due_stands(w, d)) {
            continue;
        }
        if (r->attempts >= m->max_attempts && !r->callback) {
            r->due_ms = DUE_NEVER;
        } else {
            store_row_moves(w, r, row_next(r->status, r->final, RE_TIMEOUT), d.at_ms);
            out.rows++;
            out.callbacks += r->callback ? 1u : 0u;
        }
    }
    out.next_wall_ms = c->n_due > 0 ? c->due[0].at_ms : 0;
    store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_recycled, &out);
}

/* Those that go first, in the order in which they came due. */
static uint32_t send_first(struct world *w, struct camp *c, const struct msg_candidates *m)
{
    uint32_t kept = 0, sent = 0;

    for (uint32_t i = 0; i < c->n_front; i++) {
        const struct row *r = &w->rows[c->front[i]];
        struct msg_candidate one = {.campaign = m->campaign, .row = c->front[i] + 1u};

        if (r->status != ROW_PENDING || !goes_first(r)) {
            continue;
        }
        c->front[kept++] = c->front[i];
        if (c->list_active && sent < m->limit && r->due_ms <= m->at_wall_ms) {
            sent++;
            store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_candidate, &one);
        }
    }
    c->n_front = kept;
    return sent;
}

static void on_candidates(struct world *w, const struct msg_candidates *m)
{
    struct camp *c = world_camp(w, m->campaign);
    struct msg_candidates_end end = {.campaign = m->campaign, .result = RESULT_OK};
    uint32_t first = w->n_rows;
    bool open = list_open(m, text_of(""), &end.opens_wall_ms);

    w->seen.candidates_asked++;
    end.rows = send_first(w, c, m);
    for (uint32_t i = c->first_pending; i < w->n_rows && end.rows < m->limit; i++) {
        const struct row *r = &w->rows[i];
        struct msg_candidate one = {.campaign = m->campaign, .row = i + 1u};

        if (r->status != ROW_PENDING || r->campaign != m->campaign || r->manual) {
            continue;
        }
        first = first < i ? first : i;
        if (!c->list_active || r->final) {
            continue;
        }
        if (goes_first(r) || (!open && r->zone == NULL)) {
            continue;
        }
        if (r->due_ms > m->at_wall_ms) {
            if (end.next_wall_ms == 0 || r->due_ms < end.next_wall_ms) {
                end.next_wall_ms = r->due_ms;
            }
            continue;
        }
        end.rows++;
        store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_candidate, &one);
    }
    c->first_pending = first;
    store_answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_candidates_end, &end);
}

/* --- records ------------------------------------------------------------------------------ */

static void on_moved(struct world *w, const struct msg_attempt_moved *m)
{
    struct att *a = store_att(w, m->attempt);
    struct row *r;

    w->seen.moved++;
    if (a == NULL || !a->live) {
        return;
    }
    r = &w->rows[a->row - 1];
    a->state = m->state;
    a->previewed |= m->state == ATTEMPT_PREVIEW;
    a->agent = m->agent != 0 ? m->agent : a->agent;
    a->originated_ms = m->originated_wall_ms != 0 ? m->originated_wall_ms : a->originated_ms;
    a->ringing_ms = m->ringing_wall_ms != 0 ? m->ringing_wall_ms : a->ringing_ms;
    if (m->state == ATTEMPT_ANSWERED && r->status == ROW_DIALING) {
        a->answered_ms = m->at_wall_ms;
        store_row_moves(w, r, row_next(r->status, r->final, RE_PICKED_UP), r->due_ms);
    } else if (m->state == ATTEMPT_BRIDGED && a->bridged_ms == 0) {
        a->bridged_ms = m->at_wall_ms;
    }
}

static void on_over(struct world *w, const struct msg_attempt_over *m)
{
    struct att *a = store_att(w, m->attempt);
    struct row *r;

    if (a == NULL || !a->live) {
        return; /* told twice */
    }
    r = &w->rows[a->row - 1];
    if (row_in_air(r->status) && a->no == r->last_no) {
        struct msg_attempt_over row = *m;

        if (m->outcome == OUTCOME_BAD_NUMBER && a->key != r->key) { /* typed, not the lead's own */
            row.outcome = OUTCOME_NEVER_SENT;
            row.counts = false;
        }
        store_row_moves(w, r, row_next(r->status, r->final, row_event_of(row.outcome)),
                        over_due(&row, r->due_ms));
        r->attempts += row.counts ? 1u : 0u;
        r->callback = r->callback && !row.counts;
    }
    a->live = false;
    a->state = a->code[0] != 0 ? ATTEMPT_DISPOSED : ATTEMPT_ENDED;
    a->outcome = m->outcome;
    a->counts = m->counts;
    a->agent = m->agent != 0 ? m->agent : a->agent;
    a->originated_ms = m->originated_wall_ms != 0 ? m->originated_wall_ms : a->originated_ms;
    a->ringing_ms = m->ringing_wall_ms != 0 ? m->ringing_wall_ms : a->ringing_ms;
    a->answered_ms = m->answered_wall_ms != 0 ? m->answered_wall_ms : a->answered_ms;
    a->bridged_ms = m->bridged_wall_ms != 0 ? m->bridged_wall_ms : a->bridged_ms;
    a->ended_ms = m->at_wall_ms;
    text_keep(a->skipped, sizeof a->skipped, m->skipped);
    world_number_at(w, a->key)->alive--;
    w->seen.by_outcome[m->outcome < OUTCOMES ? m->outcome : 0]++;
}

static void suppress(struct world *w, struct text number)
{
    struct msg_suppressed out = {.account = 1, .number = number};

    struct number *n = world_number_at(w, number_key(number));

    n->suppressed_ms = n->suppressed ? n->suppressed_ms : sim_wall_ms(w->sim);
    n->suppressed = true;
    store_answer(w, ADDR_DESK, MSG_suppressed, &out);
}

const struct store_disposition *store_disposition(struct text code)
{
    for (size_t i = 0; i < sizeof dispositions / sizeof dispositions[0]; i++) {
        if (text_same(dispositions[i].code, code)) {
            return &dispositions[i];
        }
    }
    return NULL;
}

static void on_dispose(struct world *w, const struct msg_dispose *m)
{
    struct att *a = store_att(w, m->attempt);
    struct dispose_facts f = {.found = a != NULL};
    struct msg_disposed out = {.attempt = m->attempt,
                               .code = m->code,
                               .request = m->request,
                               .client = m->client,
                               .suppressed = text_of(""),
                               .suppressed_own = text_of("")};

    if (a != NULL) {
        const struct camp *c = world_camp(w, a->campaign);
        const struct row *r = &w->rows[a->row - 1];

        f.agent = a->agent;
        f.disposition = text_of(a->code);
        f.by_system = a->by_system;
        f.row_status = r->status;
        f.row_final = r->final;
        f.superseded = a->no != r->last_no;
        f.counts = a->counts;
        f.callback_ms = a->callback_ms;
        f.no_answer_s = c->config.no_answer_s;
        f.busy_s = c->config.busy_s;
        f.not_disposed_s = c->config.not_disposed_s;
        out.campaign = a->campaign;
    }
    if (store_disposition(m->code) != NULL) {
        f.d = *store_disposition(m->code);
    }
    struct dispose_effect e = dispose_decide(m, &f);

    out.result = e.result;
    out.text = text_of(e.text);
    if (e.result == RESULT_OK && !e.repeated && a != NULL) {
        struct row *r = &w->rows[a->row - 1];

        a->dispositions += a->code[0] == 0 || a->by_system ? 1u : 0u;
        text_keep(a->code, sizeof a->code, m->code);
        a->disposed_ms = sim_wall_ms(w->sim);
        a->by_system = !f.d.offered;
        a->callback_ms = m->callback_wall_ms;
        a->counts = f.d.counts;
        a->state = a->live ? a->state : ATTEMPT_DISPOSED;
        if (e.row.moves) {
            r->attempts = (uint32_t)((int)r->attempts + e.attempts);
            r->callback = e.callback;
            store_row_moves(w, r, e.row, e.due_ms);
        }
        w->seen.disposed += f.d.offered ? 1u : 0u;
        w->seen.not_disposed += f.d.offered ? 0u : 1u;
        if (f.d.dnc) {
            say_suppressed(&out, text_of(a->number), text_of(r->number));
            suppress(w, out.suppressed);
            if (out.suppressed_own.len > 0) {
                suppress(w, out.suppressed_own);
            }
        }
    }
    store_answer(w, named(KIND_AGENT, m->agent), MSG_disposed, &out);
}

static void on_leg_claim(struct world *w, const struct msg_leg_claim *m)
{
    struct msg_leg_claimed out = {.leg = m->leg, .result = RESULT_AWAY};

    if (store_leg(w, m->leg) == NULL) {
        w->seen.leg_claims++;
        w->legs = world_room(w->legs, &w->room_legs, w->n_legs, sizeof *w->legs);
        struct leg_row *l = &w->legs[w->n_legs++];

        *l = (struct leg_row){.agent = m->agent, .use = m->use, .live = true};
        text_keep(l->id, sizeof l->id, m->leg);
        text_keep(l->endpoint, sizeof l->endpoint, m->endpoint);
        text_keep(l->attempt, sizeof l->attempt, m->attempt);
        l->permit = store_permit(w, m->leg, m->endpoint);
        table_put(&w->leg_of, store_key(m->leg), w->n_legs);
        out.result = RESULT_OK;
        out.permit = l->permit;
    }
    store_answer(w, named(KIND_AGENT, m->agent), MSG_leg_claimed, &out);
}

static void on_agent_moved(struct world *w, const struct msg_agent_moved *m)
{
    struct person *p = world_person(w, m->agent);

    if (p != NULL) {
        p->spells = world_room(p->spells, &p->room_spells, p->n_spells, sizeof *p->spells);
        p->spells[p->n_spells] = (struct spell){.state = m->state, .at_ms = m->at_wall_ms};
        text_keep(p->spells[p->n_spells].reason, sizeof p->spells->reason, m->reason);
        p->n_spells++;
    }
}

/* --- what it is told -------------------------------------------------------------------------- */

void store_take(struct world *w, uint16_t type, const void *msg)
{
    switch (type) {
    case MSG_load:
        store_load(w, msg);
        break;
    case MSG_claim:
        store_claim(w, msg);
        break;
    case MSG_attempt_moved:
        on_moved(w, msg);
        break;
    case MSG_attempt_over:
        on_over(w, msg);
        break;
    case MSG_leg_claim:
        on_leg_claim(w, msg);
        break;
    case MSG_leg_over: {
        const struct msg_leg_over *over = msg;
        struct leg_row *l = store_leg(w, over->leg);

        if (over->answered_wall_ms != 0 && over->answered_wall_ms < WORLD_WALL_MS) {
            world_broken(w, "a leg was answered before the world began");
        }
        if (l != NULL) {
            l->live = false;
        }
        break;
    }
    case MSG_dispose:
        on_dispose(w, msg);
        break;
    case MSG_settle_lead:
        store_settle(w, msg);
        break;
    case MSG_agent_moved:
        on_agent_moved(w, msg);
        break;
    case MSG_recycle:
        on_recycle(w, msg);
        break;
    case MSG_candidates:
        on_candidates(w, msg);
        break;
    case MSG_suppress:
        suppress(w, ((const struct msg_suppress *)msg)->number);
        break;
    case MSG_alarm_moved:
        alarm_row(w, msg);
        break;
    default:
        world_broken(w, "the store was sent a message of type %u", (unsigned)type);
        break;
    }
}

void world_lead_first(struct world *w, uint64_t lead)
{
    struct row *r = &w->rows[lead - 1];

    r->first = true;
    store_row_moves(w, r, (struct row_step){true, r->status, r->final}, r->due_ms);
}

void world_store_clock(struct world *w, int64_t ahead_ms)
{
    struct msg_store_state m = {.up = true, .clock_apart_ms = ahead_ms, .text = text_of("")};

    store_answer(w, ADDR_DESK, MSG_store_state, &m);
}

void world_remembers_agents(struct world *w)
{
    w->remembers_agents = true;
}

void world_store_latency(struct world *w, double ms)
{
    w->store_us = MS(ms);
}

void store_free(struct world *w)
{
    commit_free(w);
    free(w->rows);
    free(w->atts);
    free(w->legs);
    free(w->alarms);
    free(w->numbers);
    free(w->number_of.slots);
    free(w->att_of.slots);
    free(w->leg_of.slots);
}
