/*
 * attempt_act.c - guards and actions of the attempt's table. None of them sets a state.
 */
#include "actors/campaign.h"
#include "actors/words.h"
#include "core/mutant.h"

#include <string.h>

/* An answered call's time is the law's; joining must begin a little before it is over. */
#define JOIN_MARGIN_US (200 * US_PER_MS)

/* --- guards ----------------------------------------------------------------------------------- */

/* Somebody has to dispose it: an agent talked to it, or asked for it. */
bool attempt_has_agent(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->agent != 0 && (a->bridged_wall_ms != 0 || a->cause == CAUSE_AGENT);
}

bool attempt_is_bound(const struct fsm_ctx *x)
{
    return ((const struct attempt *)x->subject)->bound;
}

/* Who has talked may be put on hold; who has only answered has 2 s (R3, R20). */
bool attempt_was_bridged(const struct fsm_ctx *x)
{
    return ((const struct attempt *)x->subject)->bridged_wall_ms != 0;
}

bool attempt_is_cancelled(const struct fsm_ctx *x)
{
    return ((const struct attempt *)x->subject)->outcome == OUTCOME_CANCELLED;
}

/* Nobody can tell whether it lives: to call it over now could end a conversation later. */
bool attempt_line_away(const struct fsm_ctx *x)
{
    return !campaign_line_up(x->owner);
}

bool attempt_time_left(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->wait_until_us > x->ev->now_us + JOIN_MARGIN_US;
}

/* Who has answered is not cut off in silence, whoever wants the call to end (R20). */
bool attempt_is_unserved(const struct fsm_ctx *x)
{
    return !attempt_was_bridged(x);
}

bool attempt_keeps_place(const struct fsm_ctx *x)
{
    const struct campaign *c = x->owner;

    return !c->store_up && !attempt_is_stale(c, x->subject, x->ev->now_us);
}

bool attempt_is_joining(const struct fsm_ctx *x)
{
    return ((const struct attempt *)x->subject)->joining;
}

/* Sent into the bridge as the link went: they may have talked. The list tells of the customer. */
bool attempt_join_unseen(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->joining && !a->seen && a->blind;
}

/* Found answered and waiting when the link is back: nobody came, and what was to be played to it
 * was lost, or it was called off while it rang and answered all the same. */
bool attempt_owes_message(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->bridged_wall_ms == 0 && !a->heard;
}

/* The dialplan has it from before the link came back, and we have done nothing about it yet. */
bool attempt_is_kept(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->unattended_wall_ms != 0 && a->outcome == OUTCOME_NONE;
}

/* --- the claim -------------------------------------------------------------------------------- */

void attempt_claimed(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->claimed_us = x->ev->now_us;
    fx_trace(x->fx, "claimed", a->key, 0);
}

void attempt_stays_claimed(const struct fsm_ctx *x)
{
    fx_trace(x->fx, "claimed still", ((const struct attempt *)x->subject)->key, 0);
}

/* Nothing was committed (or, on a timeout, we do not wait to hear: a late claimed for an attempt
 * that is not there is answered with never_sent in campaign_on_claimed). */
void attempt_refused(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    map_drop(&c->queued, a->row);
    if (a->agent != 0) {
        campaign_tell_agent(c, a, ATTEMPT_DISPOSED,
                            a->refusal == REASON_allow ? REASON_store_away : a->refusal, x->fx);
    }
}

static void record_over(struct campaign *c, const struct attempt *a, enum outcome outcome,
                        int64_t due_wall_ms, struct text skipped, const struct fsm_ctx *x)
{
    struct outcome_rule rule = outcome_rule(outcome, &c->set.delays);
    struct row_step row = row_next(ROW_DIALING, false, row_event_of(outcome));
    const int64_t delay_ms = MUTANT(no_retry_interval) ? 1 : (int64_t)rule.delay_s * MS_PER_S;
    struct msg_attempt_over over = {
        .campaign = c->id,
        .attempt = words_of(a->id),
        .row = a->row,
        .lead = a->lead,
        .outcome = (uint8_t)outcome,
        .cause = a->q850,
        .tech_cause = a->sip,
        .agent = a->agent,
        .counts = rule.counts,
        .row_status = row.status,
        .final = row.final,
        .due_wall_ms = rule.delay_s ? x->ev->wall_ms + delay_ms : 0,
        .answered_wall_ms = a->answered_wall_ms,
        .bridged_wall_ms = a->bridged_wall_ms,
        .at_wall_ms = x->ev->wall_ms,
        .originated_wall_ms = outcome == OUTCOME_NEVER_SENT ? 0 : a->originated_wall_ms,
        .ringing_wall_ms = a->ringing_wall_ms,
        .skipped = skipped,
    };

    if (due_wall_ms > over.due_wall_ms) {
        over.due_wall_ms = due_wall_ms;
    }
    if (row.status == ROW_FAILED && !row.final &&
        (c->next_due_wall_ms == 0 || over.due_wall_ms < c->next_due_wall_ms)) {
        c->next_due_wall_ms = over.due_wall_ms;
    }
    fx_send(x->fx, ADDR_STORE, MSG_attempt_over, &over);
    fx_count(x->fx, "dialer_attempts_total", outcome_name(outcome), c->id, 1);
}

/* How long a row waits whose number is none. (One outside the prefixes goes back as it is: the next
 * claim refuses it, and it waits until they change.) */
#define REFUSED_WAIT_MS (3600 * MS_PER_S)

void attempt_put_back(const struct fsm_ctx *x, int64_t due_wall_ms, struct text skipped)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    record_over(c, a, OUTCOME_NEVER_SENT, due_wall_ms, skipped, x);
    if (a->callback) {
        campaign_reset_hopper(c, x->fx); /* not behind the rows that are in it by now */
    }
    campaign_line_back(c, a, x->fx);
}

void attempt_take_back(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;
    struct gate_campaign gate = campaign_gate(c, a->cause == CAUSE_AUTO);
    struct gate_lead lead = attempt_gate(a);
    struct gate_verdict v = gate_check(&gate, &lead, x->ev->wall_ms);
    int64_t due = 0;

    if (v.when_wall_ms != 0) {
        due = v.when_wall_ms;
    } else if (v.reason == REASON_bad_number) {
        due = x->ev->wall_ms + REFUSED_WAIT_MS;
    }
    attempt_put_back(x, due, words_of(""));
    if (a->agent != 0) {
        campaign_tell_agent(c, a, ATTEMPT_DISPOSED, v.reason, x->fx);
    }
}

/* --- on the line ------------------------------------------------------------------------------ */

/* The trunk's template with the digits in its place. The gate has passed the number: + and digits
 * only, so nothing else can get into the dial string. */
static struct text dial_string(const struct campaign *c, const struct attempt *a, struct words *out,
                               char *buffer, size_t size)
{
    static const char place[] = "{number}";
    struct text template = words_of(c->set.endpoint);
    const char *hit = strstr(c->set.endpoint, place);

    words_start(out, buffer, size);
    if (!hit) {
        words_add_text(out, template);
        return words_text(out);
    }
    words_add_text(out, (struct text){template.ptr, (uint32_t)(hit - template.ptr)});
    words_add(out, a->number + 1); /* trunks take the digits, without the plus */
    words_add(out, hit + sizeof place - 1);
    return words_text(out);
}

void attempt_send(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;
    char buffer[sizeof c->set.endpoint + NUMBER_SIZE];
    struct words w;
    struct msg_originate_call m = {
        .attempt = words_of(a->id),
        .permit = a->permit,
        .pbx = a->pbx,
        .endpoint = dial_string(c, a, &w, buffer, sizeof buffer),
        .number = words_of(a->number),
        .context = words_of(c->set.context),
        .caller_id = words_of(c->set.caller_id),
        .message = words_of(c->set.message),
        .ring_s = c->set.ring_s,
        .until_us = x->ev->now_us + SEND_WITHIN_US,
    };

    fx_send(x->fx, ADDR_ARI, MSG_originate_call, &m);
    a->permit = 0;
    a->originated_wall_ms = x->ev->wall_ms;
    pacing_note(&c->pacing, PACING_DIALED, OUTCOME_NONE, x->ev->now_us);
    fx_count(x->fx, "dialer_originates_total", NULL, c->id, 1);
    if (a->agent != 0) {
        campaign_tell_agent(c, a, ATTEMPT_ORIGINATING, REASON_allow, x->fx);
    }
    if (a->cause == CAUSE_AGENT) {
        campaign_pop(c, a, x->fx);
    }
}

void attempt_rings(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    /* found unanswered after a connect: whether and since when it rings nobody told */
    if (a->ringing_wall_ms == 0 && x->ev->type == MSG_channel_ringing) {
        a->ringing_wall_ms = x->ev->wall_ms;
    }
    if (a->agent != 0) {
        campaign_tell_agent(c, a, ATTEMPT_RINGING, REASON_allow, x->fx);
    }
}

void attempt_record(const struct fsm_ctx *x, enum attempt_state state)
{
    const struct campaign *c = x->owner;
    const struct attempt *a = x->subject;
    struct msg_attempt_moved m = {.campaign = c->id,
                                  .attempt = words_of(a->id),
                                  .row = a->row,
                                  .state = (uint8_t)state,
                                  .agent = a->agent,
                                  .at_wall_ms = x->ev->wall_ms,
                                  .originated_wall_ms = a->originated_wall_ms,
                                  .ringing_wall_ms = a->ringing_wall_ms};

    fx_send(x->fx, ADDR_STORE, MSG_attempt_moved, &m);
}

/* In the abandonment figures (R20): nobody waits for it beforehand. */
static bool weighs(const struct attempt *a)
{
    return a->cause == CAUSE_AUTO && !a->previewed;
}

static void note_answer(struct campaign *c, struct attempt *a, const struct fsm_ctx *x)
{
    if (a->answered_wall_ms != 0) {
        return;
    }
    a->answered_wall_ms = x->ev->wall_ms;
    if (weighs(a)) {
        pacing_note(&c->pacing, PACING_ANSWERED, OUTCOME_NONE, x->ev->now_us);
    }
    attempt_record(x, ATTEMPT_ANSWERED);
}

/* The table's timer T_WAIT was armed before this ran: wait_until_us is set by the one who fires
 * AE_ANSWERED (campaign.c), here the call only looks for its agent. */
void attempt_answers(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    note_answer(c, a, x);
    campaign_ask_agent(c, a, 0, x->ev, x->fx);
}

/* The agent it had is out of this: it is told, and another one is looked for. */
static void let_agent_go(struct campaign *c, struct attempt *a, const struct fsm_ctx *x)
{
    if (a->agent == 0) {
        return;
    }
    campaign_tell_agent(c, a, ATTEMPT_ENDED, REASON_allow, x->fx);
    a->tried = a->agent;
    a->agent = 0;
    a->asked = false;
    a->bound = false;
    a->ready = false;
    a->joining = false;
    a->leg[0] = 0;
}

void attempt_seek_agent(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    let_agent_go(c, a, x);
    campaign_ask_agent(c, a, 0, x->ev, x->fx);
}

static void add_to_bridge(const struct attempt *a, const char *channel, const char *second,
                          const struct fsm_ctx *x)
{
    struct msg_bridge_add m = {.pbx = a->pbx,
                               .bridge = words_of(a->bridge),
                               .channel = words_of(channel),
                               .channel2 = words_of(second),
                               .reply_to = x->ev->self};

    fx_send(x->fx, ADDR_ARI, MSG_bridge_add, &m);
}

static void hold_music(struct attempt *a, bool on, const struct fsm_ctx *x)
{
    struct msg_music m = {.pbx = a->pbx, .bridge = words_of(a->bridge), .on = on};

    a->on_hold = on;
    fx_send(x->fx, ADDR_ARI, MSG_music, &m);
}

static void stop_hold(struct attempt *a, const struct fsm_ctx *x)
{
    if (a->on_hold) {
        hold_music(a, false, x);
    }
}

/* Called when the agent is granted, and again when its tone is over: the customer waits in the
 * call's bridge meanwhile, so that only one command is left for the last moment. */
void attempt_join(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    note_answer(c, a, x);
    if (!a->bridge_made) {
        struct msg_bridge_create m = {.pbx = a->pbx, .bridge = words_of(a->bridge)};

        fx_send(x->fx, ADDR_ARI, MSG_bridge_create, &m);
        a->bridge_made = true;
    }
    if (a->ready) {
        stop_hold(a, x);
        add_to_bridge(a, a->leg, a->customer_in ? "" : a->id, x);
        a->customer_in = true;
        a->joining = true;
    } else if (!a->customer_in) {
        add_to_bridge(a, a->id, "", x);
        a->customer_in = true;
    }
    if (a->bound) {
        campaign_tell_agent(c, a, ATTEMPT_ANSWERED, REASON_allow, x->fx);
    }
}

void attempt_joined(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;

    a->wait_until_us = 0;
    a->joining = false;
    if (a->bridged_wall_ms == 0) {
        a->bridged_wall_ms = x->ev->wall_ms;
        if (weighs(a)) {
            pacing_note(&c->pacing, PACING_CONNECTED, OUTCOME_NONE, x->ev->now_us);
        }
        fx_count(x->fx, "dialer_bridged_total", NULL, c->id, 1);
    }
    attempt_record(x, ATTEMPT_BRIDGED);
    campaign_tell_agent(c, a, ATTEMPT_BRIDGED, REASON_allow, x->fx);
}

/* Joined by those who were before us, though their record of it was lost with them. */
void attempt_found_joined(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    note_answer(x->owner, a, x);
    a->asked = false;
    attempt_joined(x);
}

void attempt_hold(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->ready = false;
    a->leg[0] = 0;
    a->wait_until_us = 0;
    hold_music(a, true, x);
}

void attempt_rejoin(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    stop_hold(a, x);
    add_to_bridge(a, a->leg, "", x);
}

/* While the line is away the command would be lost: it is kept for when the line is back. */
static void drop_bridge(struct campaign *c, struct attempt *a, const struct fsm_ctx *x)
{
    struct msg_bridge_destroy m = {.pbx = a->pbx, .bridge = words_of(a->bridge)};

    if (!a->bridge_made && !a->restored) {
        return;
    }
    a->restored =
        false; /* those who were before us may have made one: ended once, if it is there */
    if (campaign_line_up(c)) {
        fx_send(x->fx, ADDR_ARI, MSG_bridge_destroy, &m);
    } else {
        memcpy(c->left_bridge[c->left_bridges++ % LEFT_BRIDGES], a->bridge, ID_SIZE);
    }
    a->bridge_made = false;
    a->customer_in = false;
    a->on_hold = false;
}

void attempt_play_message(const struct fsm_ctx *x)
{
    struct campaign *c = x->owner;
    struct attempt *a = x->subject;
    struct msg_play m = {.pbx = a->pbx,
                         .channel = words_of(a->id),
                         .playback = words_of(a->id),
                         .media = words_of(c->set.message)};

    let_agent_go(c, a, x);
    if (a->bridged_wall_ms == 0) {
        a->outcome = OUTCOME_ABANDONED;
    }
    drop_bridge(c, a, x);
    fx_send(x->fx, ADDR_ARI, MSG_play, &m);
    fx_count(x->fx, "dialer_messages_total", NULL, c->id, 1);
}

static void ask_hangup(const struct attempt *a, const struct fsm_ctx *x)
{
    struct msg_hangup m = {.pbx = a->pbx, .channel = words_of(a->id)};

    fx_send(x->fx, ADDR_ARI, MSG_hangup, &m);
}

void attempt_hang_up(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    if (a->answered_wall_ms != 0 && a->bridged_wall_ms == 0 && a->outcome == OUTCOME_NONE) {
        a->outcome = OUTCOME_ABANDONED; /* a person answered and nobody came */
    }
    ask_hangup(a, x);
}

void attempt_cancel(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->outcome = OUTCOME_CANCELLED;
    if (a->fsm.state != ATTEMPT_CLAIMING) {
        ask_hangup(a, x);
    }
}

/* Called off while it rang, and answered where nobody could see it: the hang-up has not gone out,
 * and who has answered was not called off. The dialplan plays the message, or brings the call. */
void attempt_keep(const struct fsm_ctx *x)
{
    ((struct attempt *)x->subject)->outcome = OUTCOME_NONE;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Cleared as a conversation is, and not by us, though nobody was seen to answer: the dialplan had
 * it, and its end has overtaken the list that would have shown it. */
static bool cleared_unseen(const struct attempt *a)
{
    return a->blind && a->fsm.state != ATTEMPT_ENDING && a->q850 == CLEARED_NORMALLY && a->sip == 0;
}

static enum outcome final_outcome(const struct attempt *a)
{
    if (a->outcome == OUTCOME_CANCELLED && a->vanished) {
        return OUTCOME_UNKNOWN; /* called off where nobody could see whether it was answered */
    }
    if (a->outcome != OUTCOME_NONE && !MUTANT(abandon_not_counted)) {
        return a->outcome;
    }
    if (a->bridged_wall_ms != 0) {
        return OUTCOME_ANSWERED;
    }
    if (a->vanished) {
        return OUTCOME_UNKNOWN;
    }
    if (a->answered_wall_ms != 0) {
        return OUTCOME_CUSTOMER_GONE;
    }
    if (a->unattended_wall_ms != 0 || cleared_unseen(a)) {
        return OUTCOME_ABANDONED;
    }
    return a->q850 != 0 || a->sip != 0 ? outcome_of_cause(a->q850, a->sip) : OUTCOME_UNKNOWN;
}

static void finish(struct campaign *c, struct attempt *a, enum outcome outcome,
                   const struct fsm_ctx *x)
{
    a->outcome = outcome;
    if (outcome == OUTCOME_ABANDONED && a->answered_wall_ms == 0) {
        a->answered_wall_ms = a->unattended_wall_ms != 0 ? a->unattended_wall_ms : x->ev->wall_ms;
        if (weighs(a)) {
            pacing_note(&c->pacing, PACING_ANSWERED, OUTCOME_NONE, x->ev->now_us);
        }
    }
    record_over(c, a, outcome, 0, words_of(""), x);
    if (weighs(a)) {
        pacing_note(&c->pacing, PACING_ENDED, outcome, x->ev->now_us);
    }
    drop_bridge(c, a, x);
    campaign_line_back(c, a, x->fx);
    if (a->agent != 0) {
        campaign_tell_agent(c, a, ATTEMPT_ENDED, REASON_allow, x->fx);
    }
}

void attempt_over(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    finish(x->owner, a, final_outcome(a), x);
}

void attempt_not_sent(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    finish(x->owner, a, a->outcome == OUTCOME_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_FAULT, x);
}

/* It may have been carried out. Asking for its end is harmless either way; if it shows itself, it
 * is served like any other. */
void attempt_lost(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->vanished = true;
    fx_count(x->fx, "dialer_fate_unknown_total", NULL, ((const struct campaign *)x->owner)->id, 1);
}

void attempt_wait_on(const struct fsm_ctx *x)
{
    fx_trace(x->fx, "cannot tell yet", ((const struct attempt *)x->subject)->key, 0);
}

/* They may be talking: to part them for an answer that is late would be worse than to wait. */
void attempt_wait_for_join(const struct fsm_ctx *x)
{
    ((struct attempt *)x->subject)->joining = false;
}

void attempt_forget(const struct fsm_ctx *x)
{
    fx_trace(x->fx, "attempt done", ((const struct attempt *)x->subject)->key, 0);
}
