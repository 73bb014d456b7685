/*
 * campaign_dial.c - from a row to an originate: claim, gate, line. Everything here runs on
 * events; campaign_dial() is called at the end of each step and does what has become possible.
 */
#include "actors/campaign.h"
#include "actors/words.h"

#include <string.h>

#define RECYCLE_LEAST_US (200 * US_PER_MS)
#define RECYCLE_MOST_US (60 * US_PER_S)

bool campaign_line_up(const struct campaign *c)
{
    return c->pbx_state == PBX_UP;
}

struct gate_campaign campaign_gate(const struct campaign *c, bool automatic)
{
    const struct campaign_settings *s = &c->set;

    return (struct gate_campaign){
        .running = campaign_running(c),
        .draining = c->draining,
        .line_up = campaign_line_up(c),
        .automatic = automatic,
        .prefixes = words_of(s->prefixes),
        .caller_id = words_of(s->caller_id),
        .ring_s = s->ring_s,
        .window_from_min = s->window_from_min,
        .window_to_min = s->window_to_min,
        .zone = s->zone,
        .max_attempts = s->max_attempts,
    };
}

/* What the gate can know of a claimed attempt. The claim itself has judged the rest. */
struct gate_lead attempt_gate(const struct attempt *a)
{
    return (struct gate_lead){
        .number = words_of(a->number),
        .own_zone = a->own_zone,
        .zone = a->zone,
        .row_status = ROW_PENDING,
        .list_active = true,
        .suppressed = a->refusal == REASON_do_not_call,
    };
}

void campaign_refuse(struct campaign *c, enum reason reason, struct effects *fx)
{
    c->refused[reason]++;
    fx_count(fx, "dialer_refused_total", reason_name(reason), c->id, 1);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void give_lines(const struct campaign *c, uint32_t calls, struct effects *fx)
{
    struct msg_lines_free m = {.campaign = c->id, .calls = calls};

    if (calls > 0 && c->set.trunk != 0) {
        fx_send(fx, named(KIND_TRUNK, c->set.trunk), MSG_lines_free, &m);
    }
}

void campaign_line_back(struct campaign *c, struct attempt *a, struct effects *fx)
{
    if (a->line) {
        a->line = false;
        give_lines(c, 1, fx);
    }
}

void campaign_line_held(struct campaign *c, struct attempt *a, struct effects *fx)
{
    struct msg_lines_held m = {.campaign = c->id, .calls = 1};

    if (a->restored && !a->line && c->set.trunk != 0) {
        a->line = true;
        fx_send(fx, named(KIND_TRUNK, c->set.trunk), MSG_lines_held, &m);
    }
}

static void want_lines(struct campaign *c, uint32_t calls, struct effects *fx)
{
    struct msg_lines_want m = {.campaign = c->id, .calls = calls};

    if (calls == c->lines_asked || c->set.trunk == 0) {
        return;
    }
    c->lines_asked = calls;
    c->lines_short = REASON_allow;
    fx_send(fx, named(KIND_TRUNK, c->set.trunk), MSG_lines_want, &m);
}

void campaign_on_lines(struct campaign *c, const struct event *ev, struct effects *fx)
{
    (void)fx;
    if (ev->type == MSG_lines_grant) {
        const struct msg_lines_grant *m = ev->msg;

        c->lines_granted += m->calls;
        c->lines_asked -= m->calls < c->lines_asked ? m->calls : c->lines_asked;
        c->lines_short = REASON_allow;
    } else {
        const struct msg_lines_short *m = ev->msg;

        c->lines_short = m->reason < REASON_COUNT ? m->reason : REASON_lines_used;
    }
}

/* --- pace ------------------------------------------------------------------------------------- */

struct pacing_decision campaign_pace(struct campaign *c, const struct event *ev)
{
    uint32_t unanswered = attempts_in(c, ATTEMPT_ORIGINATING) + attempts_in(c, ATTEMPT_RINGING);
    uint32_t talking = attempts_in(c, ATTEMPT_BRIDGING) + attempts_in(c, ATTEMPT_BRIDGED) +
                       attempts_in(c, ATTEMPT_HELD) + attempts_in(c, ATTEMPT_MESSAGE) +
                       attempts_in(c, ATTEMPT_ENDING) + attempts_in(c, ATTEMPT_UNKNOWN);
    uint32_t waiting = attempts_in(c, ATTEMPT_ANSWERED);
    bool preview = c->set.mode == MODE_PREVIEW;
    uint32_t unshown = preview ? campaign_unshown(c) : 0;
    struct pacing_input in = {
        .mode = c->set.mode,
        .ratio = c->set.ratio,
        .logged_in = campaign_logged_in(c),
        .available = campaign_idle(c),
        /* with on_demand legs each call has its own agent, who is not available any more */
        .in_flight = preview                       ? unshown
                     : c->set.leg == LEG_ON_DEMAND ? 0
                                                   : unanswered + waiting,
        .live = unanswered + waiting + talking +
                (preview ? unshown + attempts_in(c, ATTEMPT_PREVIEW) : 0),
        .max_lines = c->set.max_lines,
        .abandon_limit_bp = c->set.abandon_limit_bp,
        .now_us = ev->now_us,
    };

    return pacing_decide(&c->pacing, &in);
}

/* --- claims ----------------------------------------------------------------------------------- */

/* How many rows are to be claimed now. Between hopper and originate may stand what can be used now,
 * and two seconds of the present pace ahead of it; a preview is claimed for somebody who is there.
 */
static uint32_t claims_wanted(const struct campaign *c, uint32_t calls, const struct event *ev)
{
    uint32_t pipe = attempts_in(c, ATTEMPT_CLAIMING) + attempts_in(c, ATTEMPT_CLAIMED);
    double ahead =
        pacing_rate(&c->pacing, ev->now_us) * (double)c->set.claim_ahead_ms / (double)MS_PER_S;
    uint32_t most = c->set.claim_ahead_max;
    uint32_t want = calls + (ahead < (double)most ? (uint32_t)ahead : most);

    if (calls == 0 || !c->store_up || c->set.mode == MODE_PREVIEW) {
        return c->store_up ? calls : 0;
    }
    want = want < most ? want : most;
    return want > pipe ? want - pipe : 0;
}

void campaign_give_back(const struct campaign *c, struct text attempt, uint64_t row, uint64_t lead,
                        const struct event *ev, struct effects *fx)
{
    struct msg_attempt_over over = {
        .campaign = c->id,
        .attempt = attempt,
        .row = row,
        .lead = lead,
        .outcome = OUTCOME_NEVER_SENT,
        .at_wall_ms = ev->wall_ms,
    };

    fx_send(fx, ADDR_STORE, MSG_attempt_over, &over);
    fx_count(fx, "dialer_attempts_total", outcome_name(OUTCOME_NEVER_SENT), c->id, 1);
}

/* The commit may be older than the suppression, and its news slower. */
static bool was_suppressed(const struct campaign *c, struct text number)
{
    uint64_t hash = map_hash(number);

    for (uint32_t i = 0; i < SUPPRESSED_KEPT; i++) {
        if (c->suppressed[i] == hash) {
            return true;
        }
    }
    return false;
}

void campaign_on_claimed(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_claimed *m = ev->msg;
    struct attempt *a = attempt_find(c, m->attempt);

    if (m->row != 0) {
        map_drop(&c->queued, m->row);
    }
    if (!a || a->fsm.state != ATTEMPT_CLAIMING) {
        if (m->reason == REASON_allow && !a) {
            campaign_give_back(c, m->attempt, m->row, m->lead, ev, fx); /* we wait no longer */
        }
        return;
    }
    if (m->reason == REASON_outside_hours) {
        campaign_opens(c, m->due_wall_ms, ev);
    }
    if (m->reason != REASON_allow) {
        a->refusal = m->reason < REASON_COUNT ? (enum reason)m->reason : REASON_row_not_pending;
        campaign_refuse(c, a->refusal, fx);
        attempt_fire(c, a, AE_REFUSED, ev, fx);
        return;
    }
    a->row = m->row;
    a->lead = m->lead;
    a->permit = m->permit;
    a->attempt_no = m->attempt_no;
    words_keep(a->number, sizeof a->number, m->number);
    a->callback = m->callback;
    attempt_keep_lead(a, m->name, m->fields, m->matches, fx);
    a->own_zone = m->own_zone;
    a->zone = (struct zone_now){m->zone_offset_s, m->zone_until_wall_ms, m->zone_next_offset_s};
    if (a->suspect && was_suppressed(c, m->number)) {
        a->refusal = REASON_do_not_call;
        campaign_refuse(c, REASON_do_not_call, fx);
    }
    if (!attempt_fire(c, a, AE_COMMITTED, ev, fx) &&
        (a->refusal != REASON_allow || !campaign_running(c) || c->draining)) {
        attempt_fire(c, a, AE_TAKE_BACK, ev, fx); /* R24: nothing changed its mind on the way */
    }
}

void campaign_on_lead_settled(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_lead_settled *m = ev->msg;
    struct attempt *a = attempt_find(c, m->attempt);

    if (!a) {
        return; /* it ended meanwhile: the store has the lead, that is enough */
    }
    a->row = m->row;
    a->lead = m->lead;
    a->attempt_no = m->attempt_no;
    attempt_keep_lead(a, m->name, m->fields, 1, fx);
    campaign_view_call(c, a, fx);
}

void campaign_on_manual_dial(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_manual_dial *m = ev->msg;
    struct attempt *a = campaign_new_attempt(c, CAUSE_AGENT, fx);

    a->agent = m->agent;
    a->lead = m->lead;
    a->pbx = m->pbx;
    a->bound = true;
    a->ready = true;
    words_keep(a->leg, sizeof a->leg, m->leg);
    words_keep(a->number, sizeof a->number, m->number);

    struct gate_campaign gate = campaign_gate(c, false);
    struct gate_lead lead = attempt_gate(a);

    gate.window_to_min = gate.window_from_min; /* the claim knows the callee's zone */
    struct gate_verdict v = gate_check(&gate, &lead, ev->wall_ms);

    if (v.reason == REASON_allow && m->number.len >= sizeof a->number) {
        v.reason = REASON_bad_number;
    }
    if (v.reason == REASON_allow && m->pbx != c->set.pbx) {
        v.reason = REASON_line_away; /* the phone is on another Asterisk than the trunk */
    }
    if (v.reason == REASON_allow && !c->store_up) {
        v.reason = REASON_store_away;
    }
    if (v.reason == REASON_allow && c->clocks_apart) {
        v.reason = REASON_clock_apart;
    }
    if (v.reason == REASON_allow) {
        v.reason = c->held_back;
    }
    if (v.reason != REASON_allow) {
        campaign_refuse(c, v.reason, fx);
        campaign_tell_agent(c, a, ATTEMPT_DISPOSED, v.reason, fx);
        map_drop(&c->attempts, a->key);
        fx_realloc(fx, a, 0);
        return;
    }
    campaign_claim(c, a, ev, fx);
}

/* --- recycling -------------------------------------------------------------------------------- */

static void arm_recycle(struct campaign *c, const struct event *ev, struct effects *fx)
{
    int64_t wait = RECYCLE_MOST_US;

    if (c->next_due_wall_ms != 0) {
        wait = (c->next_due_wall_ms - ev->wall_ms) * US_PER_MS;
    }
    wait = wait < RECYCLE_LEAST_US ? RECYCLE_LEAST_US : wait;
    wait = wait > RECYCLE_MOST_US ? RECYCLE_MOST_US : wait;
    if (c->recycle_timer != 0) {
        fx_cancel(fx, c->recycle_timer);
    }
    c->recycle_timer = fx_arm(fx, wait, TIMER_RECYCLE, 0);
    c->recycle_for_wall_ms = c->next_due_wall_ms;
}

void campaign_on_recycled(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_recycled *m = ev->msg;

    if (m->rows > 0) {
        c->fill_after_us = 0;
    }
    if (m->callbacks > 0) {
        campaign_reset_hopper(c, fx); /* R15: before the fresh rows that are in it already */
    }
    c->next_due_wall_ms = m->next_wall_ms;
    arm_recycle(c, ev, fx);
}

void campaign_recycle(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct msg_recycle m = {.campaign = c->id,
                            .epoch = c->set.epoch,
                            .max_attempts = c->set.max_attempts,
                            .at_wall_ms = ev->wall_ms};

    c->next_due_wall_ms = 0;
    arm_recycle(c, ev, fx);
    if (c->store_up) {
        fx_send(fx, ADDR_STORE, MSG_recycle, &m);
    }
}

/* --- what can leave --------------------------------------------------------------------------- */

static void recheck(struct campaign *c, enum attempt_state state, bool all, const struct event *ev,
                    struct effects *fx)
{
    struct attempt *a = attempt_first(c, state);

    while (a) {
        struct attempt *next = attempt_next(a);
        struct gate_campaign gate = campaign_gate(c, a->cause == CAUSE_AUTO);
        struct gate_lead lead = attempt_gate(a);
        struct gate_verdict v = gate_check(&gate, &lead, ev->wall_ms);

        if (all || v.reason != REASON_allow) {
            if (v.reason != REASON_allow) {
                campaign_refuse(c, v.reason, fx);
            }
            attempt_fire(c, a, AE_TAKE_BACK, ev, fx);
        }
        a = next;
    }
}

void campaign_recheck_claimed(struct campaign *c, bool all, const struct event *ev,
                              struct effects *fx)
{
    recheck(c, ATTEMPT_CLAIMED, all, ev, fx);
    recheck(c, ATTEMPT_PREVIEW, all, ev, fx);
}

/* The gate, once more. One that may not go any more is gone when this returns. */
static bool may_go(struct campaign *c, struct attempt *a, const struct event *ev,
                   struct effects *fx)
{
    struct gate_campaign gate = campaign_gate(c, a->cause == CAUSE_AUTO);
    struct gate_lead lead = attempt_gate(a);
    struct gate_verdict v = gate_check(&gate, &lead, ev->wall_ms);

    if (v.reason == REASON_line_away) {
        return false; /* it keeps its place until its time is over */
    }
    if (attempt_is_stale(c, a, ev->now_us)) {
        attempt_fire(c, a, AE_TAKE_BACK, ev, fx);
        return false;
    }
    if (v.reason != REASON_allow) {
        campaign_refuse(c, v.reason, fx);
        attempt_fire(c, a, AE_TAKE_BACK, ev, fx);
        return false;
    }
    return true;
}

/* One claimed attempt, if everything is there: its agent first where legs are on demand. */
static bool try_send(struct campaign *c, struct attempt *a, const struct event *ev,
                     struct effects *fx)
{
    if (!may_go(c, a, ev, fx)) {
        return false;
    }
    if (a->cause == CAUSE_AUTO && c->set.leg == LEG_ON_DEMAND && !a->bound) {
        if (!a->asked) {
            campaign_ask_agent(c, a, 0, ev, fx);
        }
        return false;
    }
    a->line = true;
    c->lines_granted--;
    attempt_fire(c, a, AE_GO, ev, fx);
    return true;
}

/* Calls an agent asked for go first, whatever the pace says. */
static uint32_t send_claimed(struct campaign *c, uint32_t automatic, const struct event *ev,
                             struct effects *fx)
{
    uint32_t wanted = 0;
    struct attempt *a = attempt_first(c, ATTEMPT_CLAIMED);

    while (a) {
        struct attempt *next = attempt_next(a);
        bool bound = a->bound;

        if (campaign_previews(c, a)) { /* its agent first; no line before that */
            if (!a->asked && campaign_idle(c) > 0 && may_go(c, a, ev, fx)) {
                campaign_ask_agent(c, a, 0, ev, fx);
            }
        } else if (bound || automatic > 0) {
            bool spent = true;

            if (c->lines_granted == 0) {
                wanted++;
            } else {
                spent = try_send(c, a, ev, fx);
            }
            automatic -= bound || !spent ? 0u : 1u;
        }
        a = next;
    }
    return wanted;
}

/* --- hours ------------------------------------------------------------------------------------ */

bool campaign_shut(const struct campaign *c, const struct event *ev, int64_t *opens_wall_ms)
{
    const struct hours hours = {c->set.window_from_min, c->set.window_to_min,
                                (int64_t)c->set.ring_s * MS_PER_S};

    return !hours_open(&hours, &c->set.zone, ev->wall_ms, opens_wall_ms);
}

void campaign_opens(struct campaign *c, int64_t wall_ms, const struct event *ev)
{
    bool old = c->opens_wall_ms <= ev->wall_ms;

    if (wall_ms > ev->wall_ms && (old || wall_ms < c->opens_wall_ms)) {
        c->opens_wall_ms = wall_ms;
    }
}

static bool nothing_left(const struct campaign *c)
{
    return c->hopper_left == 0 && attempts_in(c, ATTEMPT_CLAIMED) == 0 &&
           attempts_in(c, ATTEMPT_PREVIEW) == 0;
}

static bool wait_for_hours(const struct campaign *c, const struct event *ev)
{
    int64_t opens;

    return c->opens_wall_ms > ev->wall_ms || campaign_shut(c, ev, &opens);
}

static void explain_hold(struct campaign *c, const struct pacing_decision *d,
                         const struct event *ev, struct effects *fx)
{
    uint8_t before = c->held_by;

    if (c->draining) {
        c->held_by = REASON_draining;
    } else if (c->fsm.state == CAMPAIGN_STARTING && c->no_message) {
        c->held_by = REASON_no_message;
    } else if (c->fsm.state == CAMPAIGN_STARTING && !campaign_line_up(c)) {
        c->held_by = REASON_line_away;
    } else if (c->fsm.state == CAMPAIGN_STARTING) {
        c->held_by = REASON_starting;
    } else if (!campaign_running(c)) {
        c->held_by = REASON_campaign_stopped;
    } else if (!campaign_line_up(c)) {
        c->held_by = REASON_line_away;
    } else if (!c->store_up) {
        c->held_by = REASON_store_away;
    } else if (c->clocks_apart) {
        c->held_by = REASON_clock_apart;
    } else if (c->held_back != REASON_allow) {
        c->held_by = c->held_back;
    } else if (nothing_left(c) && wait_for_hours(c, ev)) {
        c->held_by = REASON_outside_hours;
    } else if (d->calls == 0) {
        c->held_by = (uint8_t)d->bound_by;
    } else if (c->lines_short != REASON_allow) {
        c->held_by = c->lines_short;
    } else if (nothing_left(c)) {
        c->held_by = REASON_hopper_empty;
    } else {
        c->held_by = REASON_allow;
    }
    c->pace_target = d->target;
    c->pace_calls = d->calls;
    if (c->held_by != before) {
        campaign_view_later(c, fx);
    }
}

/* The store is away: whether anything can still be dialed is known here, row by row; the desk wants
 * to know when that changes. */
static void tell_left(struct campaign *c, struct effects *fx)
{
    uint32_t rows =
        campaign_running(c) ? attempts_in(c, ATTEMPT_CLAIMED) + attempts_in(c, ATTEMPT_PREVIEW) : 0;
    struct msg_claims_left m = {.campaign = c->id, .rows = rows};

    if (c->store_up || (c->left_told && c->left == (rows > 0))) {
        c->left_told = c->left_told && !c->store_up;
        return;
    }
    c->left_told = true;
    c->left = rows > 0;
    fx_send(fx, ADDR_DESK, MSG_claims_left, &m);
}

void campaign_dial(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct pacing_decision d = {0, 0, REASON_allow, false};
    bool automatic =
        c->set.mode == MODE_PROGRESSIVE || c->set.mode == MODE_RATIO || c->set.mode == MODE_PREVIEW;
    bool may = campaign_running(c) && !c->draining && campaign_line_up(c) &&
               !c->clocks_apart && /* R19 */
               c->held_back == REASON_allow;

    if (!c->configured) {
        return;
    }
    if (may && automatic) {
        d = campaign_pace(c, ev);
    }
    uint32_t wanted = may ? send_claimed(c, d.calls, ev, fx) : 0;

    if (may && automatic) {
        d = campaign_pace(c, ev);
        campaign_take_rows(c, claims_wanted(c, d.calls, ev), fx);
        if (c->hopper_left <= c->set.hopper_low) {
            campaign_ask_candidates(c, ev, fx);
        }
    }
    want_lines(c, wanted, fx);
    if (wanted == 0 && c->lines_granted > 0) {
        give_lines(c, c->lines_granted, fx);
        c->lines_granted = 0;
    }
    explain_hold(c, &d, ev, fx);
    tell_left(c, fx);
    if (c->next_due_wall_ms != c->recycle_for_wall_ms) {
        arm_recycle(c, ev, fx);
    }
}
