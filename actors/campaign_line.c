/*
 * campaign_line.c - what Asterisk tells: the way of each channel, what lives there after a
 * connect, and calls from before our start.
 */
#include "actors/campaign.h"
#include "actors/words.h"
#include "core/mutant.h"

#include <string.h>

/* --- telephony -------------------------------------------------------------------------------- */

/* By when an answered call must have its agent. One that the dialplan has tried again for has been
 * waiting since we know of it. */
static void note_waiting(const struct campaign *c, struct attempt *a, const struct event *ev)
{
    int64_t since_us = a->unattended_us != 0 ? a->unattended_us : ev->now_us;

    if (a->answered_wall_ms == 0) {
        a->wait_until_us = since_us + (int64_t)c->set.answer_wait_ms * US_PER_MS;
    }
}

/* After a restart: the agent it belongs to has to hear of it. */
static void tell_adopted(const struct campaign *c, const struct attempt *a, uint8_t state,
                         struct effects *fx)
{
    struct msg_call_adopted m = {
        .campaign = c->id,
        .attempt = words_of(a->id),
        .lead = a->lead,
        .number = words_of(a->number),
        .name = words_of(a->name),
        .fields = attempt_fields(a),
        .attempt_no = a->attempt_no,
        .state = state,
        .cause = (uint8_t)a->cause,
        .matches = a->matches,
    };

    fx_send(fx, named(KIND_AGENT, a->agent), MSG_call_adopted, &m);
}

/* A talk from before our start is over, and we have not seen it live: its agent has to hear of it.
 */
static void wrap_up_unseen(const struct campaign *c, const struct attempt *a, struct effects *fx)
{
    if (a->restored && a->agent != 0 && a->bridged_wall_ms != 0) {
        tell_adopted(c, a, ATTEMPT_ENDED, fx); /* it waits for its disposition */
    }
}

/* Nobody has disposed it in all that time. An agent that was out of it when the two were joined (a
 * stop of the whole process is enough) does not know that it has to: it takes it, or ends it. */
void attempt_pass_on(const struct fsm_ctx *x)
{
    tell_adopted(x->owner, x->subject, ATTEMPT_ENDED, x->fx);
}

/* It lives; the list that is on its way may be older than this. The list names those, too, that the
 * adapter has only asked for: they are not `there` for sure. */
static void show(struct attempt *a, bool there)
{
    a->seen = true;
    a->vanished = false;
    a->shown = a->shown || there;
}

void campaign_on_channel(struct campaign *c, const struct event *ev, struct effects *fx)
{
    if (ev->type == MSG_channel_ringing) {
        const struct msg_channel_ringing *m = ev->msg;
        struct attempt *a = attempt_find(c, m->channel);

        if (a) {
            campaign_line_held(c, a, fx);
            show(a, true);
            attempt_fire(c, a, AE_RINGING, ev, fx);
        }
        return;
    }
    if (ev->type == MSG_channel_answered) {
        const struct msg_channel_answered *m = ev->msg;
        struct attempt *a = attempt_find(c, m->channel);

        if (!a && !c->listed) {
            return; /* of the daemon before us, perhaps: the list tells that it was answered */
        }
        if (!a) {
            /* ours by its id, but nobody here knows it any more: it must not hear silence */
            struct msg_hangup h = {.pbx = m->pbx, .channel = m->channel};

            fx_count(fx, "dialer_stray_answers_total", NULL, c->id, 1);
            fx_send(fx, ADDR_ARI, MSG_hangup, &h);
            return;
        }
        campaign_line_held(c, a, fx); /* before the list, perhaps */
        show(a, true);
        note_waiting(c, a, ev);
        attempt_fire(c, a, AE_ANSWERED, ev, fx);
        return;
    }
    const struct msg_channel_ended *m = ev->msg;
    struct attempt *a = attempt_find(c, m->channel);

    if (a) {
        a->shown = true;
        a->q850 = m->cause;
        a->sip = m->tech_cause;
        if (a->fsm.state == ATTEMPT_UNKNOWN) {
            /* between our start and the list: whether a call that was cleared normally had been
             * answered, nobody here knows */
            wrap_up_unseen(c, a, fx);
            a->vanished = m->cause == 0 || m->cause == CLEARED_NORMALLY;
        }
        attempt_fire(c, a, AE_GONE, ev, fx);
    }
}

void campaign_on_originate_failed(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_originate_failed *m = ev->msg;
    struct attempt *a = attempt_find(c, m->channel);

    if (a) {
        attempt_fire(c, a, m->fate == 2 ? AE_FATE_UNKNOWN : AE_NOT_SENT, ev, fx);
    }
}

void campaign_on_bridge_added(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_bridge_added *m = ev->msg;
    struct attempt *a = attempt_find(c, m->bridge);
    bool good = m->status >= 200 && m->status < 300;

    if (a && !good && m->status != 0) {
        a->customer_in = false; /* both or neither: whoever is next puts it there again */
        a->bridge_made = false;
    }
    if (!a || a->fsm.state != ATTEMPT_BRIDGING) {
        return;
    }
    if (a->joining && (m->status == 0 || (c->pbx_state != PBX_UP && !a->seen))) {
        return; /* nobody knows whether it was carried out, or whether the customer was still there
                   when it was, or when this was refused: the link's return, or time, will tell */
    }
    if (!good) {
        attempt_fire(c, a, AE_JOIN_FAILED, ev, fx);
    } else if (words_equal(m->channel, a->leg)) {
        attempt_fire(c, a, AE_JOINED, ev, fx);
    }
}

static void on_message_over(struct campaign *c, struct text channel, const struct event *ev,
                            struct effects *fx)
{
    struct attempt *a = attempt_find(c, channel);

    if (!a || a->fsm.state != ATTEMPT_MESSAGE) {
        return;
    }
    if (ev->type == MSG_digit) { /* R22: a key means: never again */
        struct msg_suppress s = {.account = c->set.account,
                                 .number = words_of(a->number),
                                 .source = words_of("key pressed during the message"),
                                 .at_wall_ms = ev->wall_ms};

        fx_send(fx, ADDR_STORE, MSG_suppress, &s);
        fx_count(fx, "dialer_opt_out_total", NULL, c->id, 1);
    }
    a->heard = ev->type == MSG_digit || ((const struct msg_playback_over *)ev->msg)->ok;
    attempt_fire(c, a, a->heard ? AE_MESSAGE_OVER : AE_NOT_PLAYED, ev, fx);
}

/* --- the link --------------------------------------------------------------------------------- */

static bool on_the_line(const struct attempt *a)
{
    uint8_t s = a->fsm.state;

    return s != ATTEMPT_CLAIMING && s != ATTEMPT_CLAIMED && s != ATTEMPT_PREVIEW &&
           s != ATTEMPT_ENDED && s != ATTEMPT_DISPOSED;
}

typedef void (*visit)(struct campaign *c, struct attempt *a, const struct event *ev,
                      struct effects *fx);

/* Visits every attempt of one Asterisk. Visiting may free the attempt visited, no other. */
static void each_on(struct campaign *c, uint32_t pbx, visit what, const struct event *ev,
                    struct effects *fx)
{
    for (unsigned s = 0; s < ATTEMPT_STATES; s++) {
        struct attempt *a = attempt_first(c, (enum attempt_state)s);
        uint32_t left = c->by_state.count[s]; /* those that move into a later list come twice */

        for (; a && left > 0; left--) {
            struct attempt *next = attempt_next(a);

            if (a->pbx == pbx && on_the_line(a)) {
                what(c, a, ev, fx);
            }
            a = next;
        }
    }
}

static void unsee(struct campaign *c, struct attempt *a, const struct event *ev, struct effects *fx)
{
    (void)c;
    (void)ev;
    (void)fx;
    a->seen = false;
    a->blind = true;
}

static void bury_unseen(struct campaign *c, struct attempt *a, const struct event *ev,
                        struct effects *fx)
{
    if (!a->seen) {
        a->vanished = true;
        if (a->fsm.state == ATTEMPT_BRIDGED && c->away_wall_ms != 0 &&
            a->bridged_wall_ms >= c->away_wall_ms) {
            a->bridged_wall_ms = 0; /* joined while nobody could see whether it was still there */
        }
        wrap_up_unseen(c, a, fx);
        attempt_fire(c, a, AE_GONE, ev, fx);
    }
}

static void end_left_bridges(struct campaign *c, struct effects *fx)
{
    for (uint32_t i = 0; i < c->left_bridges && i < LEFT_BRIDGES; i++) {
        struct msg_bridge_destroy m = {.pbx = c->set.pbx, .bridge = words_of(c->left_bridge[i])};

        fx_send(fx, ADDR_ARI, MSG_bridge_destroy, &m);
    }
    c->left_bridges = 0;
}

void campaign_on_pbx_moved(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_moved *m = ev->msg;

    if (m->pbx != c->set.pbx) {
        return;
    }
    if (c->pbx_state == PBX_UP && m->state != PBX_UP) {
        c->away_wall_ms = ev->wall_ms;
        each_on(c, m->pbx, unsee, ev, fx);
    }
    c->pbx_state = m->state;
    if (m->state == PBX_UP) {
        end_left_bridges(c, fx);
    }
    if (m->state == PBX_UP && c->fsm.state == CAMPAIGN_STARTING) {
        struct fsm_ctx x = {c, c, NULL, ev, fx};

        campaign_check_needs(&x);
    }
    campaign_view_later(c, fx);
}

/* A call from before our start whose record does not know that it was joined: Asterisk does. */
static bool adopt_joined(struct campaign *c, struct attempt *a, const struct event *ev,
                         struct effects *fx)
{
    struct fsm_ctx x = {c, a, NULL, ev, fx};
    uint8_t state = a->fsm.state;

    if (!a->restored || !a->found_in || a->found_agent == 0 || a->bridged_wall_ms != 0 ||
        (state != ATTEMPT_UNKNOWN && state != ATTEMPT_ANSWERED) || a->asked) {
        return false;
    }
    a->agent = a->found_agent;
    a->bridge_made = true;
    a->customer_in = true;
    attempt_found_joined(&x);
    attempt_restore(c, a, ATTEMPT_BRIDGED, ev, fx);
    tell_adopted(c, a, ATTEMPT_BRIDGED, fx);
    campaign_view_call(c, a, fx);
    return true;
}

void campaign_on_leg_found(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_leg_found *m = ev->msg;
    struct attempt *a = attempt_find(c, m->bridge);

    if (a && a->restored && a->leg[0] == 0 && words_equal(m->bridge, a->bridge)) {
        a->found_agent = m->agent;
        words_keep(a->leg, sizeof a->leg, m->leg);
        (void)adopt_joined(c, a, ev, fx);
    }
}

void campaign_on_channel_found(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_channel_found *m = ev->msg;
    struct attempt *a = attempt_find(c, m->channel);

    if (!a) {
        struct msg_hangup h = {.pbx = m->pbx, .channel = m->channel};

        fx_count(fx, "dialer_stray_channels_total", NULL, c->id, 1);
        fx_send(fx, ADDR_ARI, MSG_hangup, &h);
        return;
    }
    show(a, m->up);
    a->found_in = words_equal(m->bridge, a->bridge);
    if (!a->found_in && a->fsm.state == ATTEMPT_ANSWERED) {
        a->customer_in = false; /* what was to put it there was lost with the link */
        a->bridge_made = false;
    }
    campaign_line_held(c, a, fx);
    if (!m->up && (a->fsm.state == ATTEMPT_UNKNOWN || a->fsm.state == ATTEMPT_ENDING)) {
        /* counted as in flight from now on; or its hang-up was lost with the link: once more */
        attempt_fire(c, a, AE_RINGING, ev, fx);
        return;
    }
    if (!m->up || !m->in_app) {
        /* its events will come; answered while nobody held the application, it may hear the
         * dialplan's message instead, and that is an abandoned call (R20) */
        if (m->up && a->unattended_wall_ms == 0) {
            a->unattended_wall_ms = ev->wall_ms;
            a->unattended_us = ev->now_us;
        }
        if (m->up) {
            attempt_fire(c, a, AE_KEPT, ev, fx);
        }
        return;
    }
    if (m->bridge.len > 0 && a->fsm.state == ATTEMPT_UNKNOWN && a->bridged_wall_ms != 0) {
        a->bridge_made = true;
        a->customer_in = true;
        attempt_restore(c, a, ATTEMPT_BRIDGED, ev, fx);
        tell_adopted(c, a, ATTEMPT_BRIDGED, fx);
        campaign_view_call(c, a, fx);
        return;
    }
    if (adopt_joined(c, a, ev, fx)) {
        return;
    }
    if (a->fsm.state == ATTEMPT_BRIDGING) { /* what was on its way may be lost: once more */
        a->customer_in = a->found_in;
        a->bridge_made = a->customer_in;
        if (a->wait_until_us != 0 && a->wait_until_us < ev->now_us) { /* it waits anew from now */
            a->wait_until_us = ev->now_us + (int64_t)c->set.answer_wait_ms * US_PER_MS;
        }
        attempt_fire(c, a, AE_UNSERVED, ev, fx);
        return;
    }
    if (a->fsm.state == ATTEMPT_MESSAGE || a->fsm.state == ATTEMPT_ENDING) {
        attempt_fire(c, a, AE_UNSERVED, ev, fx);
        return;
    }
    note_waiting(c, a, ev);
    attempt_fire(c, a, AE_ANSWERED, ev, fx);
}

/* Its talk was over and not disposed when the daemon before us went: the agent goes on with its
 * wrap-up; or the lead would stay completed without a disposition for ever. */
static void wrap_up(const struct campaign *c, const struct msg_open_attempt *m,
                    const struct event *ev, struct effects *fx)
{
    struct msg_call_adopted adopted = {.campaign = c->id,
                                       .attempt = m->attempt,
                                       .lead = m->lead,
                                       .number = m->number,
                                       .name = m->name,
                                       .fields = m->fields,
                                       .attempt_no = m->attempt_no,
                                       .state = ATTEMPT_ENDED,
                                       .cause = m->cause,
                                       .matches = m->matches};
    struct msg_dispose nobody = {.attempt = m->attempt,
                                 .code = words_of("not_disposed"),
                                 .note = words_of(""),
                                 .number = words_of(""),
                                 .at_wall_ms = ev->wall_ms};

    if (m->agent != 0) {
        fx_send(fx, named(KIND_AGENT, m->agent), MSG_call_adopted, &adopted);
    } else {
        fx_send(fx, ADDR_STORE, MSG_dispose, &nobody);
    }
}

void campaign_on_open_attempt(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_open_attempt *m = ev->msg;
    struct channel_id id;
    char text[ID_SIZE];

    if (id_parse(m->attempt, &id) != ID_ATTEMPT || attempt_find(c, m->attempt)) {
        return;
    }
    if (MUTANT(adopt_skipped)) {
        return;
    }
    if (m->unsent) {
        campaign_give_back(c, m->attempt, m->row, m->lead, ev, fx); /* nobody was called */
        return;
    }
    if (m->state == ATTEMPT_ENDED) {
        wrap_up(c, m, ev, fx);
        return;
    }
    words_keep(text, sizeof text, m->attempt);
    struct attempt *a = attempt_new(c, id_key(&id), text, fx);

    a->row = m->row;
    a->lead = m->lead;
    a->pbx = m->pbx;
    /* who had only asked for it, or was reserved, starts anew: any agent may take it */
    a->agent = m->bridged_wall_ms != 0 ? m->agent : 0;
    a->attempt_no = m->attempt_no;
    a->restored = true;
    a->blind = true;
    a->cause = m->cause == CAUSE_AGENT ? CAUSE_AGENT : CAUSE_AUTO;
    a->previewed = m->previewed;
    a->answered_wall_ms = m->answered_wall_ms;
    a->bridged_wall_ms = m->bridged_wall_ms;
    words_keep(a->number, sizeof a->number, m->number);
    attempt_keep_lead(a, m->name, m->fields, m->matches, fx);
    attempt_restore(c, a, ATTEMPT_UNKNOWN, ev, fx);
}

void campaign_on_playback_over(struct campaign *c, const struct event *ev, struct effects *fx)
{
    on_message_over(c, ((const struct msg_playback_over *)ev->msg)->channel, ev, fx);
}

void campaign_on_digit(struct campaign *c, const struct event *ev, struct effects *fx)
{
    on_message_over(c, ((const struct msg_digit *)ev->msg)->channel, ev, fx);
}

void campaign_on_pbx_listed(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_listed *m = ev->msg;

    c->listed = c->listed || m->pbx == c->set.pbx;
    each_on(c, m->pbx, bury_unseen, ev, fx);
    campaign_match(c, ev, fx); /* agents whose call from before our start is not there any more */
}
