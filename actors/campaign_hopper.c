/*
 * campaign_hopper.c - the hopper as the campaign sees it: a hint of what to dial next, filled from
 * the store in queue order, taken in order, believed in nothing: the claim decides.
 */
#include "actors/campaign.h"
#include "actors/words.h"

#include <string.h>

/* Nothing more was there to fill the hopper with: ask again after this, or when something tells. */
#define FILL_PAUSE_US US_PER_S

void campaign_ask_candidates(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct msg_candidates m = {
        .campaign = c->id,
        .limit = c->set.hopper_size,
        .at_wall_ms = ev->wall_ms,
        .window_from_min = c->set.window_from_min,
        .window_to_min = c->set.window_to_min,
        .ring_s = c->set.ring_s,
        .zone_offset_s = c->set.zone.offset_s,
        .zone_until_wall_ms = c->set.zone.until_wall_ms,
        .zone_next_offset_s = c->set.zone.next_offset_s,
    };

    if (c->fill_open || !c->store_up || !c->hopper_up || ev->now_us < c->fill_after_us) {
        return;
    }
    if (c->hopper_left == 0 && !c->take_open && attempts_in(c, ATTEMPT_CLAIMING) == 0) {
        map_free(&c->queued, fx); /* whatever is still noted here got lost on the way */
    }
    c->fill_open = true;
    fx_send(fx, ADDR_STORE, MSG_candidates, &m);
}

void campaign_take_rows(struct campaign *c, uint32_t rows, struct effects *fx)
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
    c->take_void = c->take_open;
    c->fill_void = c->fill_open; /* in the order of before */
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

        if (m->row == 0 || c->fill_void || c->hopper_left >= c->set.hopper_size) {
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
    campaign_opens(c, end->opens_wall_ms, ev);
    if (c->fill_void) {
        c->fill_void = false; /* asked anew at the end of this step */
        return;
    }
    if (!c->hopper_fresh) {
        c->fill_after_us = ev->now_us + FILL_PAUSE_US;
        if (c->hopper_timer != 0) {
            fx_cancel(fx, c->hopper_timer);
        }
        c->hopper_timer = fx_arm(fx, FILL_PAUSE_US, TIMER_HOPPER, 0);
    }
    c->hopper_fresh = false;
}

void campaign_claim(struct campaign *c, struct attempt *a, const struct event *ev,
                    struct effects *fx)
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
        .window_from_min = c->set.window_from_min,
        .window_to_min = c->set.window_to_min,
        .ring_s = c->set.ring_s,
        .zone_offset_s = c->set.zone.offset_s,
        .zone_until_wall_ms = c->set.zone.until_wall_ms,
        .zone_next_offset_s = c->set.zone.next_offset_s,
        .prefixes = words_of(c->set.prefixes),
    };

    attempt_begin(c, a, ev, fx);
    fx_send(fx, ADDR_STORE, MSG_claim, &m);
}

struct attempt *campaign_new_attempt(struct campaign *c, enum attempt_cause cause,
                                     struct effects *fx)
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

        fx_check(fx, m->campaign == c->id);
        if (c->hopper_left > 0 && !c->take_void) {
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
        struct attempt *a = campaign_new_attempt(c, CAUSE_AUTO, fx);

        a->row = m->row;
        campaign_claim(c, a, ev, fx);
        return;
    }
    const struct msg_hopper_taken *m = ev->msg;
    bool counts = !c->take_void;

    fx_check(fx, m->campaign == c->id);

    c->take_open = false;
    c->take_void = false;
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
    if (!counts) {
        return;
    }
    c->hopper_left = m->left + c->put_since_take;
    if (m->left + m->rows > c->left_at_take + c->put_since_take + c->set.hopper_size) {
        /* Far more than we had put in: it would be claimed in vain, row by row, before ours comes.
         * (A few foreign ones cost less than filling it anew.) */
        fx_count(fx, "dialer_hopper_foreign_total", NULL, c->id,
                 (int64_t)m->left + m->rows - c->left_at_take - c->put_since_take);
        campaign_reset_hopper(c, fx);
    } else if (m->left + m->rows < c->left_at_take) {
        /* Less in it than we had put in: somebody flushed it. All pending rows may go in again. */
        fx_count(fx, "dialer_hopper_lost_total", NULL, c->id,
                 (int64_t)c->left_at_take - m->left - m->rows);
        campaign_reset_hopper(c, fx);
    }
}
