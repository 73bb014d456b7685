/*
 * campaign.c - the campaign's actor: settings, start and stop, and which message goes where.
 */
#include "actors/campaign.h"
#include "actors/words.h"

#include <string.h>

/* --- start and stop, as a table --------------------------------------------------------------- */

enum campaign_event {
    CE_TIMEOUT = FSM_TIMEOUT,
    CE_START,
    CE_READY, /* line up, message there */
    CE_STOP,
    CE_QUIET,
    CE_EVENTS
};

enum { T_START = 1, T_STOP, N_TIMERS };

static const struct fsm_timer timers[N_TIMERS] = {
    [T_START] = {"start", 2 * US_PER_S, "what a campaign needs to start is asked for again"},
    [T_STOP] = {"stop", 90 * US_PER_S, "ringing calls of a stopped campaign must be over"},
};

static const char *const states[CAMPAIGN_STATES] = {"stopped", "starting", "running", "stopping"};
static const char *const events[CE_EVENTS] = {"timeout", "start", "ready", "stop", "quiet"};

static bool still_wanted(const struct fsm_ctx *x)
{
    return ((const struct campaign *)x->owner)->set.wanted;
}

static bool nothing_rings(const struct fsm_ctx *x)
{
    return campaign_quiet(x->owner);
}

void campaign_check_needs(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct msg_check_sound m = {
        .pbx = c->set.pbx, .campaign = c->id, .media = words_of(c->set.message)};

    if (c->pbx_state == PBX_UP && c->set.message[0] != 0) {
        fx_send(x->fx, ADDR_ARI, MSG_check_sound, &m);
    }
}

static void went_up(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;

    campaign_reset_hopper(c, x->fx);
    campaign_recycle(c, x->ev, x->fx);
    fx_log(x->fx, 1, "DLR-CAMPAIGN-RUNNING", "campaign %d runs", (int64_t)c->id, 0, 0);
}

static void went_down(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;

    campaign_recheck_claimed(c, true, x->ev, x->fx);
    campaign_reset_hopper(c, x->fx);
    fx_log(x->fx, 1, "DLR-CAMPAIGN-STOPPED", "campaign %d dials no more", (int64_t)c->id, 0, 0);
}

#define S(name) CAMPAIGN_##name

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state         event       guard          action       next          timer */
    ROW(S(STOPPED), CE_START, 0, campaign_check_needs, S(STARTING), T_START),
    ROW(S(STARTING), CE_READY, 0, went_up, S(RUNNING), FSM_NO_TIMER),
    ROW(S(STARTING), CE_STOP, 0, 0, S(STOPPED), FSM_NO_TIMER),
    ROW(S(STARTING), CE_TIMEOUT, still_wanted, campaign_check_needs, S(STARTING), T_START),
    ROW(S(STARTING), CE_TIMEOUT, 0, 0, S(STOPPED), FSM_NO_TIMER),
    ROW(S(RUNNING), CE_STOP, nothing_rings, went_down, S(STOPPED), FSM_NO_TIMER),
    ROW(S(RUNNING), CE_STOP, 0, went_down, S(STOPPING), T_STOP),
    ROW(S(STOPPING), CE_START, 0, campaign_check_needs, S(STARTING), T_START),
    ROW(S(STOPPING), CE_QUIET, 0, 0, S(STOPPED), FSM_NO_TIMER),
    ROW(S(STOPPING), CE_TIMEOUT, 0, 0, S(STOPPED), FSM_NO_TIMER),
    ANY(CE_START, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(CE_READY, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(CE_STOP, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ANY(CE_QUIET, 0, 0, FSM_STAY, FSM_NO_TIMER),
};
/* clang-format on */

const struct fsm_def campaign_fsm = {
    .name = "campaign",
    .states = states,
    .n_states = CAMPAIGN_STATES,
    .events = events,
    .n_events = CE_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = CAMPAIGN_STOPPED,
    .ends = 1u << CAMPAIGN_STOPPED | 1u << CAMPAIGN_RUNNING,
    .timer_kind = TIMER_CAMPAIGN,
};

static void fire(struct campaign *c, enum campaign_event on, const struct event *ev,
                 struct effects *fx)
{
    struct fsm_ctx x = {c, c, NULL, ev, fx};

    if (fsm_fire(&campaign_fsm, NULL, &c->fsm, (uint8_t)on, &x) == FSM_MOVED) {
        campaign_view_later(c, fx);
    }
}

bool campaign_running(const struct campaign *c)
{
    return c->fsm.state == CAMPAIGN_RUNNING;
}

bool campaign_quiet(const struct campaign *c)
{
    static const enum attempt_state loud[] = {
        ATTEMPT_CLAIMING, ATTEMPT_CLAIMED,  ATTEMPT_PREVIEW, ATTEMPT_ORIGINATING, ATTEMPT_RINGING,
        ATTEMPT_ANSWERED, ATTEMPT_BRIDGING, ATTEMPT_MESSAGE, ATTEMPT_ENDING};

    for (size_t i = 0; i < sizeof loud / sizeof loud[0]; i++) {
        if (attempts_in(c, loud[i]) > 0) {
            return false;
        }
    }
    return true;
}

void campaign_tell_agent(struct campaign *c, const struct attempt *a, enum attempt_state state,
                         enum reason why, struct effects *fx)
{
    struct msg_call_moved m = {
        .attempt = words_of(a->id),
        .state = (uint8_t)state,
        .outcome = (uint8_t)a->outcome,
        .lead = a->lead,
        .number = words_of(a->number),
        .reason = (uint8_t)why,
    };

    (void)c;
    if (a->agent != 0) {
        fx_send(fx, named(KIND_AGENT, a->agent), MSG_call_moved, &m);
    }
}

/* --- settings --------------------------------------------------------------------------------- */

static enum leg_kind leg_in_force(enum campaign_mode mode, enum leg_kind wish)
{
    if (wish != LEG_AUTO) {
        return wish;
    }
    return mode == MODE_MANUAL ? LEG_ON_DEMAND : LEG_PERMANENT;
}

static void keep_settings(struct campaign *c, const struct msg_campaign_config *m)
{
    struct campaign_settings *s = &c->set;

    s->account = m->account;
    words_keep(s->name, sizeof s->name, m->name);
    s->mode = (enum campaign_mode)m->mode;
    /* Read before a switch, a configuration can come after it: only one that says something new
     * about the wish changes it. The shell has the configuration read again after each switch. */
    if (!c->configured || m->active != s->was_active) {
        s->wanted = m->active;
    }
    s->was_active = m->active;
    s->epoch = m->epoch;
    s->trunk = m->trunk;
    s->pbx = m->pbx;
    words_keep(s->endpoint, sizeof s->endpoint, m->endpoint);
    words_keep(s->context, sizeof s->context, m->context);
    words_keep(s->caller_id, sizeof s->caller_id, m->caller_id);
    words_keep(s->prefixes, sizeof s->prefixes, m->prefixes);
    s->zone = (struct zone_now){m->zone_offset_s, m->zone_until_wall_ms, m->zone_next_offset_s};
    s->window_from_min = m->window_from_min;
    s->window_to_min = m->window_to_min;
    s->ratio = m->ratio;
    s->max_lines = m->max_lines;
    s->ring_s = m->ring_s;
    s->answer_wait_ms = m->answer_wait_ms;
    s->wrapup_s = m->wrapup_s;
    s->delays =
        (struct recycle_delays){m->retry_s, m->no_answer_s, m->busy_s, m->abandoned_s, m->fault_s};
    s->max_attempts = m->max_attempts;
    s->hopper_size = m->hopper_size;
    s->hopper_low = m->hopper_low < m->hopper_size ? m->hopper_low : m->hopper_size / 2u;
    s->claim_ahead_ms = m->claim_ahead_ms;
    s->claim_ahead_max = m->claim_ahead_max;
    words_keep(s->message, sizeof s->message, m->message);
    s->leg = leg_in_force(s->mode, (enum leg_kind)m->leg);
    s->abandon_limit_bp = m->abandon_limit_bp;
    s->max_call_s = m->max_call_s;
    s->preview_s = m->preview_s;
    s->preview_expiry = (enum preview_expiry)m->preview_expiry;
}

static void on_config(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_config *m = ev->msg;

    if (c->configured && m->epoch != c->set.epoch) {
        c->seq = 0; /* ids are unique by epoch and sequence */
    }
    if (m->pbx != c->set.pbx) {
        c->pbx_state = PBX_DOWN; /* of the new server the desk tells next */
    }
    keep_settings(c, m);
    c->configured = true;
    fire(c, c->set.wanted ? CE_START : CE_STOP, ev, fx);
    campaign_recheck_claimed(c, false, ev, fx);
    c->fill_after_us = 0;
    campaign_view_later(c, fx);
}

static void on_switch(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_switch *m = ev->msg;
    struct msg_reply r = {.client = m->client,
                          .request = m->request,
                          .result = RESULT_OK,
                          .text = words_of(""),
                          .json = words_of("")};

    c->set.wanted = m->action == 1;
    fire(c, c->set.wanted ? CE_START : CE_STOP, ev, fx);
    if (m->action == 3) {
        static const enum attempt_state ringing[] = {ATTEMPT_ORIGINATING, ATTEMPT_RINGING};

        for (size_t i = 0; i < 2; i++) {
            struct attempt *a = attempt_first(c, ringing[i]);

            while (a) {
                struct attempt *next = attempt_next(a);

                attempt_fire(c, a, AE_HANG_UP, ev, fx);
                a = next;
            }
        }
    }
    if (m->reply_to != HANDLE_NONE) {
        fx_send(fx, m->reply_to, MSG_reply, &r);
    }
}

static void on_drain(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_drain *m = ev->msg;

    c->draining = true;
    campaign_recheck_claimed(c, true, ev, fx);
    if (c->drain_timer == 0) {
        /* what still rings near the end is cancelled, so that its end is known before we go */
        c->drain_timer = fx_arm(fx, (int64_t)m->drain_ms * US_PER_MS * 8 / 10, TIMER_DRAIN, 0);
    }
}

/* --- the store -------------------------------------------------------------------------------- */

static void on_suppressed(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_suppressed *m = ev->msg;
    static const enum attempt_state cancel[] = {ATTEMPT_CLAIMED, ATTEMPT_PREVIEW,
                                                ATTEMPT_ORIGINATING, ATTEMPT_RINGING};

    /* R24: rows in the hopper are refused by their claim; what is claimed or rings is ended here;
     * a claim on the way may have been committed before the suppression was */
    c->suppressed[c->suppressed_at++ % SUPPRESSED_KEPT] = map_hash(m->number);
    for (struct attempt *a = attempt_first(c, ATTEMPT_CLAIMING); a; a = attempt_next(a)) {
        a->suspect = true;
    }
    for (size_t i = 0; i < sizeof cancel / sizeof cancel[0]; i++) {
        struct attempt *a = attempt_first(c, cancel[i]);

        while (a) {
            struct attempt *next = attempt_next(a);

            if (words_equal(m->number, a->number)) {
                a->refusal = REASON_do_not_call;
                campaign_refuse(c, REASON_do_not_call, fx);
                attempt_fire(c, a, AE_HANG_UP, ev, fx);
            }
            a = next;
        }
    }
}

static void on_sound_checked(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_sound_checked *m = ev->msg;

    if (m->result != RESULT_OK || !words_equal(m->media, c->set.message)) {
        return; /* could not be asked: the start timer asks again */
    }
    if (c->no_message == m->present) { /* once, however often the start timer asks */
        struct msg_alarm a = {.kind = ALARM_no_message,
                              .subject = c->id,
                              .stands = !m->present,
                              .text = words_of(reason_sentence(REASON_no_message))};

        fx_send(fx, ADDR_DESK, MSG_alarm, &a);
    }
    c->no_message = !m->present;
    if (m->present) {
        fire(c, CE_READY, ev, fx);
    } else {
        campaign_refuse(c, REASON_no_message, fx);
    }
}

static void on_timer(struct campaign *c, const struct event *ev, struct effects *fx)
{
    struct map_slot *slot;

    switch (ev->timer_kind) {
    case TIMER_CAMPAIGN:
        fire(c, CE_TIMEOUT, ev, fx);
        break;
    case TIMER_ATTEMPT:
        slot = map_find(&c->attempts, ev->timer_key);
        if (slot) {
            attempt_on_timeout(c, slot->value.ptr, ev, fx);
        }
        break;
    case TIMER_RECYCLE:
        campaign_recycle(c, ev, fx);
        break;
    case TIMER_VIEW:
        campaign_view_now(c, ev, fx);
        break;
    case TIMER_HOPPER:
        campaign_hopper_again(c, fx);
        break;
    case TIMER_DRAIN: {
        struct msg_campaign_switch now = {.campaign = c->id, .action = 3};
        struct event again = *ev;

        c->drain_timer = 0;
        again.type = MSG_campaign_switch;
        again.msg = &now;
        on_switch(c, &again, fx);
        break;
    }
    default:
        break;
    }
}

/* --- which message goes where ----------------------------------------------------------------- */

typedef void (*handler)(struct campaign *c, const struct event *ev, struct effects *fx);

static void on_store_state(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_store_state *m = ev->msg;

    c->store_up = m->up;
    c->clocks_apart = clocks_apart(m->clock_apart_ms);
    c->fill_open = c->fill_open && m->up;
    campaign_view_later(c, fx);
}

/* A store that is away stops claims by itself; what is claimed may go. */
static void on_mode(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_daemon_mode *m = ev->msg;
    bool holds = m->mode == DAEMON_NO_NEW_DIALS && m->cause != REASON_store_away;

    c->held_back = holds && m->cause < REASON_COUNT ? m->cause : (uint8_t)REASON_allow;
    campaign_view_later(c, fx);
}

static void on_list_changed(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_list_changed *m = ev->msg;

    if (!m->active) {
        /* the claim refuses rows of a stopped list; those already claimed go back now (R24) */
        campaign_recheck_claimed(c, true, ev, fx);
    }
    campaign_reset_hopper(c, fx); /* R13: its priority may be another, or new rows go before */
}

static void on_window(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_abandon_window *m = ev->msg;

    pacing_window(&c->pacing, m->answers_30d, m->abandoned_30d, ev->now_us);
    campaign_view_later(c, fx);
}

static const struct {
    uint16_t type;
    handler handle;
} handlers[] = {
    {EV_TIMER, on_timer},
    {MSG_campaign_config, on_config},
    {MSG_campaign_switch, on_switch},
    {MSG_drain, on_drain},
    {MSG_open_attempt, campaign_on_open_attempt},
    {MSG_claimed, campaign_on_claimed},
    {MSG_candidate, campaign_on_candidates},
    {MSG_candidates_end, campaign_on_candidates},
    {MSG_recycled, campaign_on_recycled},
    {MSG_hopper_row, campaign_on_hopper},
    {MSG_hopper_taken, campaign_on_hopper},
    {MSG_lines_grant, campaign_on_lines},
    {MSG_lines_short, campaign_on_lines},
    {MSG_store_state, on_store_state},
    {MSG_daemon_mode, on_mode},
    {MSG_suppressed, on_suppressed},
    {MSG_list_changed, on_list_changed},
    {MSG_abandon_window, on_window},
    {MSG_channel_ringing, campaign_on_channel},
    {MSG_channel_answered, campaign_on_channel},
    {MSG_channel_ended, campaign_on_channel},
    {MSG_channel_found, campaign_on_channel_found},
    {MSG_originate_failed, campaign_on_originate_failed},
    {MSG_bridge_added, campaign_on_bridge_added},
    {MSG_playback_over, campaign_on_playback_over},
    {MSG_digit, campaign_on_digit},
    {MSG_pbx_moved, campaign_on_pbx_moved},
    {MSG_pbx_listed, campaign_on_pbx_listed},
    {MSG_sound_checked, on_sound_checked},
    {MSG_agent_status, campaign_on_agent_status},
    {MSG_reserved, campaign_on_reserved},
    {MSG_manual_dial, campaign_on_manual_dial},
    {MSG_lead_settled, campaign_on_lead_settled},
    {MSG_agent_hangup, campaign_on_agent_word},
    {MSG_leg_lost, campaign_on_agent_word},
    {MSG_leg_back, campaign_on_agent_word},
    {MSG_leg_found, campaign_on_leg_found},
    {MSG_preview_over, campaign_on_preview_over},
    {MSG_attempt_done, campaign_on_agent_word},
    {MSG_explain_campaign, campaign_explain},
    {MSG_explain_lead, campaign_explain_lead},
};

static void begin(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_begin *m = ev->msg;
    struct fsm_ctx x = {c, c, NULL, ev, fx};

    c->id = handle_id(ev->self);
    c->node = m ? m->node : 0;
    c->seq = m ? m->seq : 0;
    c->store_up = true;
    c->hopper_up = true;
    fsm_init(&campaign_fsm, NULL, &c->fsm, 0, &x);
}

static void step(void *self, const struct event *ev, struct effects *fx)
{
    struct campaign *c = self;

    if (ev->type == EV_START) {
        begin(c, ev, fx);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == ev->type) {
            handlers[i].handle(c, ev, fx);
            break;
        }
    }
    campaign_match(c, ev, fx);
    campaign_dial(c, ev, fx);
    if (c->fsm.state == CAMPAIGN_STOPPING && campaign_quiet(c)) {
        fire(c, CE_QUIET, ev, fx);
    }
    if (c->draining && campaign_quiet(c)) {
        struct msg_campaign_quiet quiet = {.campaign = c->id};

        fx_send(fx, ADDR_DESK, MSG_campaign_quiet, &quiet);
    }
}

static void fini(void *self)
{
    struct campaign *c = self;

    for (uint32_t i = 0; i < c->attempts.size; i++) {
        if (c->attempts.slots[i].key != 0) {
            struct attempt *a = c->attempts.slots[i].value.ptr;

            fx_realloc(NULL, a->fields, 0);
            fx_realloc(NULL, a, 0);
        }
    }
    map_free(&c->attempts, NULL);
    map_free(&c->queued, NULL);
    campaign_free_members(c, NULL);
}

const struct actor_type campaign_actor = {
    .name = "campaign",
    .kind = KIND_CAMPAIGN,
    .state_size = sizeof(struct campaign),
    .step = step,
    .fini = fini,
    .parked = campaign_parked,
};
