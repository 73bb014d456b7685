/*
 * campaign_dial.c - from a row to an originate: hopper, claim, gate, line. Everything here runs on
 * events; campaign_dial() is called at the end of each step and does what has become possible.
 */
#include "actors/campaign.h"
#include "actors/words.h"

#include <string.h>

/* Nothing more was there to fill the hopper with: ask again after this, or when something tells. */
#define FILL_PAUSE_US US_PER_S
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
    struct pacing_input in = {
        .mode = c->set.mode,
        .ratio = c->set.ratio,
        .logged_in = campaign_logged_in(c),
        .available = campaign_idle(c),
        /* with on_demand legs each call has its own agent, who is not available any more */
        .in_flight = c->set.leg == LEG_ON_DEMAND ? 0 : unanswered + waiting,
        .live = unanswered + waiting + talking,
        .max_lines = c->set.max_lines,
        .abandon_limit_bp = c->set.abandon_limit_bp,
        .now_us = ev->now_us,
    };

    return pacing_decide(&c->pacing, &in);
}

/* --- hopper ----------------------------------------------------------------------------------- */

static void ask_candidates(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct msg_candidates m = {
        .campaign = c->id, .limit = c->set.hopper_size, .at_wall_ms = ev->wall_ms};

    if (c->fill_open || !c->store_up || !c->hopper_up || ev->now_us < c->fill_after_us) {
        return;
    }
    if (c->hopper_left == 0 && !c->take_open && attempts_in(c, ATTEMPT_CLAIMING) == 0) {
        map_free(&c->queued, fx); /* whatever is still noted here got lost on the way */
    }
    c->fill_open = true;
    fx_send(fx, ADDR_STORE, MSG_candidates, &m);
}

static void take_rows(struct campaign *c, uint32_t rows, struct effects *fx)
{
    struct msg_hopper_take m = {.campaign = c->id, .rows = rows};

    if (c->take_open || rows == 0 || c->hopper_left == 0 || !c->hopper_up) {
        return;
    }
    c->take_open = true;
    c->left_at_take = c->hopper_left;
    c->put_since_take = 0;
    fx_send(fx, ADDR_HOPPER, MSG_hopper_take, &m);
}

void campaign_reset_hopper(struct campaign *c, struct effects *fx)
{
    struct msg_hopper_clear m = {.campaign = c->id};

    fx_send(fx, ADDR_HOPPER, MSG_hopper_clear, &m);
    map_free(&c->queued, fx);
    c->hopper_left = 0;
    c->left_at_take = 0;
    c->put_since_take = 0;
    c->fill_after_us = 0;
}

void campaign_hopper_again(struct campaign *c, struct effects *fx)
{
    struct msg_hopper_take probe = {.campaign = c->id, .rows = 1};

    c->hopper_timer = 0;
    c->fill_after_us = 0;
    if (!c->hopper_up && !c->take_open) {
        /* What it holds is from before it went away: emptied first, then asked. */
        campaign_reset_hopper(c, fx);
        c->take_open = true;
        fx_send(fx, ADDR_HOPPER, MSG_hopper_take, &probe);
    }
}

void campaign_on_candidates(struct campaign *c, const struct event *ev, struct effects *fx)
{
    if (ev->type == MSG_candidate) {
        const struct msg_candidate *m = ev->msg;
        struct msg_hopper_put put = {.campaign = c->id, .row = m->row};
        bool made;

        if (m->row == 0 || c->hopper_left >= c->set.hopper_size) {
            return;
        }
        map_put(&c->queued, m->row, &made, fx);
        if (made) {
            c->hopper_left++;
            c->put_since_take++;
            c->hopper_fresh = true;
            fx_send(fx, ADDR_HOPPER, MSG_hopper_put, &put);
        }
        return;
    }
    const struct msg_candidates_end *end = ev->msg;

    c->fill_open = false;
    if (!c->hopper_fresh) {
        c->fill_after_us = ev->now_us + FILL_PAUSE_US;
        if (c->hopper_timer != 0) {
            fx_cancel(fx, c->hopper_timer);
        }
        c->hopper_timer = fx_arm(fx, FILL_PAUSE_US, TIMER_HOPPER, 0);
    }
    c->hopper_fresh = false;
    (void)end;
}

static void claim(struct campaign *c, struct attempt *a, const struct event *ev, struct effects *fx)
{
    struct msg_claim m = {
        .campaign = c->id,
        .epoch = c->set.epoch,
        .row = a->row,
        .attempt = words_of(a->id),
        .cause = (uint8_t)a->cause,
        .agent = a->agent,
        .lead = a->lead,
        .number = words_of(a->number),
        .trunk = c->set.trunk,
        .pbx = a->pbx,
        .caller_id = words_of(c->set.caller_id),
        .retry_s = c->set.delays.retry_s,
        .max_attempts = c->set.max_attempts,
        .at_wall_ms = ev->wall_ms,
    };

    attempt_begin(c, a, ev, fx);
    fx_send(fx, ADDR_STORE, MSG_claim, &m);
}

static struct attempt *new_attempt(struct campaign *c, enum attempt_cause cause, struct effects *fx)
{
    struct channel_id id = {c->node, (uint32_t)c->id, c->set.epoch, ++c->seq};
    char text[ID_SIZE];

    id_make(text, ID_ATTEMPT, &id);
    struct attempt *a = attempt_new(c, id_key(&id), text, fx);

    a->cause = cause;
    a->pbx = c->set.pbx;
    return a;
}

static bool in_claim(const struct campaign *c, uint64_t row)
{
    for (const struct attempt *a = attempt_first(c, ATTEMPT_CLAIMING); a; a = attempt_next(a)) {
        if (a->row == row) {
            return true;
        }
    }
    return false;
}

void campaign_on_hopper(struct campaign *c, const struct event *ev, struct effects *fx)
{
    if (ev->type == MSG_hopper_row) {
        const struct msg_hopper_row *m = ev->msg;

        if (c->hopper_left > 0) {
            c->hopper_left--;
        }
        if (m->row == 0 || in_claim(c, m->row)) {
            fx_count(fx, "dialer_hopper_dropped_total", "duplicate", c->id, 1);
            return;
        }
        if (!campaign_running(c) || c->draining) {
            map_drop(&c->queued, m->row); /* it is pending still: nothing was claimed */
            return;
        }
        struct attempt *a = new_attempt(c, CAUSE_AUTO, fx);

        a->row = m->row;
        claim(c, a, ev, fx);
        return;
    }
    const struct msg_hopper_taken *m = ev->msg;

    c->take_open = false;
    if (m->dropped > 0) {
        fx_count(fx, "dialer_hopper_dropped_total", "not_a_number", c->id, m->dropped);
    }
    if (m->result != RESULT_OK) {
        c->hopper_up = false;
        c->hopper_left = 0;
        if (c->hopper_timer == 0) {
            c->hopper_timer = fx_arm(fx, FILL_PAUSE_US, TIMER_HOPPER, 0);
        }
        return;
    }
    c->hopper_up = true;
    c->hopper_left = m->left + c->put_since_take;
    if (m->left + m->rows < c->left_at_take) {
        /* Less in it than we had put in: somebody flushed it. All pending rows may go in again. */
        fx_count(fx, "dialer_hopper_lost_total", NULL, c->id,
                 (int64_t)c->left_at_take - m->left - m->rows);
        campaign_reset_hopper(c, fx);
    }
}

/* --- claims ----------------------------------------------------------------------------------- */

/* How many rows may stand between hopper and originate: what can be used now, and two seconds of
 * the present pace ahead of it. */
static uint32_t claims_wanted(const struct campaign *c, uint32_t calls, const struct event *ev)
{
    double ahead =
        pacing_rate(&c->pacing, ev->now_us) * (double)c->set.claim_ahead_ms / (double)MS_PER_S;
    uint32_t most = c->set.claim_ahead_max;
    uint32_t want = calls + (ahead < (double)most ? (uint32_t)ahead : most);

    return want < most ? want : most;
}

static void keep_fields(struct attempt *a, struct text fields, struct effects *fx)
{
    if (fields.len == 0) {
        return;
    }
    a->fields = fx_realloc(fx, a->fields, fields.len);
    memcpy(a->fields, fields.ptr, fields.len);
    a->fields_len = fields.len;
}

/* The claim was committed after we had stopped waiting for it: it goes back. */
static void return_late_claim(struct campaign *c, const struct msg_claimed *m,
                              const struct event *ev, struct effects *fx)
{
    struct msg_attempt_over over = {
        .campaign = c->id,
        .attempt = m->attempt,
        .row = m->row,
        .lead = m->lead,
        .outcome = OUTCOME_NEVER_SENT,
        .row_status = ROW_PENDING,
        .at_wall_ms = ev->wall_ms,
    };

    fx_send(fx, ADDR_STORE, MSG_attempt_over, &over);
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
            return_late_claim(c, m, ev, fx);
        }
        return;
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
    a->matches = m->matches;
    words_keep(a->number, sizeof a->number, m->number);
    words_keep(a->name, sizeof a->name, m->name);
    keep_fields(a, m->fields, fx);
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

void campaign_on_manual_dial(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_manual_dial *m = ev->msg;
    struct attempt *a = new_attempt(c, CAUSE_AGENT, fx);

    a->agent = m->agent;
    a->lead = m->lead;
    a->pbx = m->pbx;
    a->request = m->request;
    a->bound = true;
    a->ready = true;
    words_keep(a->leg, sizeof a->leg, m->leg);
    words_keep(a->number, sizeof a->number, m->number);

    struct gate_campaign gate = campaign_gate(c, false);
    struct gate_lead lead = attempt_gate(a);
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
    if (v.reason != REASON_allow) {
        campaign_refuse(c, v.reason, fx);
        campaign_tell_agent(c, a, ATTEMPT_DISPOSED, v.reason, fx);
        map_drop(&c->attempts, a->key);
        fx_realloc(fx, a, 0);
        return;
    }
    claim(c, a, ev, fx);
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
    c->next_due_wall_ms = m->next_wall_ms;
    arm_recycle(c, ev, fx);
}

void campaign_recycle(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct msg_recycle m = {.campaign = c->id,
                            .epoch = c->set.epoch,
                            .max_attempts = c->set.max_attempts,
                            .at_wall_ms = ev->wall_ms};

    c->recycle_timer = 0;
    c->next_due_wall_ms = 0;
    arm_recycle(c, ev, fx);
    if (c->store_up) {
        fx_send(fx, ADDR_STORE, MSG_recycle, &m);
    }
}

/* --- what can leave --------------------------------------------------------------------------- */

void campaign_recheck_claimed(struct campaign *c, bool all, const struct event *ev,
                              struct effects *fx)
{
    struct attempt *a = attempt_first(c, ATTEMPT_CLAIMED);

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

/* One claimed attempt, if everything is there: its agent first where legs are on demand. */
static bool try_send(struct campaign *c, struct attempt *a, const struct event *ev,
                     struct effects *fx)
{
    struct gate_campaign gate = campaign_gate(c, a->cause == CAUSE_AUTO);
    struct gate_lead lead = attempt_gate(a);
    struct gate_verdict v = gate_check(&gate, &lead, ev->wall_ms);

    if (v.reason == REASON_line_away) {
        return false; /* it keeps its place until its time is over */
    }
    if (v.reason != REASON_allow) {
        campaign_refuse(c, v.reason, fx);
        attempt_fire(c, a, AE_TAKE_BACK, ev, fx);
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

        if (bound || automatic > 0) {
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

static bool window_open(const struct campaign *c, const struct event *ev)
{
    int64_t when;

    return gate_window_open(c->set.window_from_min, c->set.window_to_min, &c->set.zone,
                            c->set.ring_s, ev->wall_ms, &when);
}

static void explain_hold(struct campaign *c, const struct pacing_decision *d,
                         const struct event *ev, struct effects *fx)
{
    uint8_t before = c->held_by;

    if (c->draining) {
        c->held_by = REASON_draining;
    } else if (!campaign_running(c)) {
        c->held_by = REASON_campaign_stopped;
    } else if (!campaign_line_up(c)) {
        c->held_by = REASON_line_away;
    } else if (!c->store_up) {
        c->held_by = REASON_store_away;
    } else if (!window_open(c, ev)) {
        c->held_by = REASON_outside_hours;
    } else if (d->calls == 0) {
        c->held_by = (uint8_t)d->bound_by;
    } else if (c->lines_short != REASON_allow) {
        c->held_by = c->lines_short;
    } else if (c->hopper_left == 0 && attempts_in(c, ATTEMPT_CLAIMED) == 0) {
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

void campaign_dial(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct pacing_decision d = {0, 0, REASON_allow, false};
    bool automatic = c->set.mode == MODE_PROGRESSIVE || c->set.mode == MODE_RATIO;
    bool may = campaign_running(c) && !c->draining && campaign_line_up(c);

    if (!c->configured) {
        return;
    }
    if (may && automatic) {
        d = campaign_pace(c, ev);
    }
    uint32_t wanted = may ? send_claimed(c, d.calls, ev, fx) : 0;

    if (may && automatic) {
        d = campaign_pace(c, ev);
        uint32_t pipe = attempts_in(c, ATTEMPT_CLAIMING) + attempts_in(c, ATTEMPT_CLAIMED);
        uint32_t want = d.calls > 0 && c->store_up ? claims_wanted(c, d.calls, ev) : 0;

        if (want > pipe && window_open(c, ev)) {
            take_rows(c, want - pipe, fx);
        }
        if (c->hopper_left <= c->set.hopper_low) {
            ask_candidates(c, ev, fx);
        }
    }
    want_lines(c, wanted, fx);
    if (wanted == 0 && c->lines_granted > 0) {
        give_lines(c, c->lines_granted, fx);
        c->lines_granted = 0;
    }
    explain_hold(c, &d, ev, fx);
    if (c->next_due_wall_ms != c->recycle_for_wall_ms) {
        arm_recycle(c, ev, fx);
    }
}
