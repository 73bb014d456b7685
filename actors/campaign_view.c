/*
 * campaign_view.c - what people see of a campaign: its line on the board, its calls, and the
 * answers to "why".
 */
#include "actors/campaign.h"
#include "actors/words.h"

/* The board's line changes at most so often. */
#define VIEW_PAUSE_US (200 * US_PER_MS)

static void tell_call(const struct campaign *c, const struct attempt *a, uint8_t state,
                      struct effects *fx)
{
    struct msg_view_call v = {
        .attempt = words_of(a->id),
        .campaign = c->id,
        .agent = a->agent,
        .lead = a->lead,
        .number = words_of(a->number),
        .name = words_of(a->name),
        .state = state,
        .outcome = (uint8_t)a->outcome,
        .since_wall_ms = a->fsm.since_wall_ms,
    };

    if (a->fsm.state == ATTEMPT_CLAIMING || a->fsm.state == ATTEMPT_CLAIMED ||
        a->fsm.state == ATTEMPT_PREVIEW ||
        (state == ATTEMPT_DISPOSED && a->outcome == OUTCOME_NONE)) {
        return; /* nobody's phone rang */
    }
    fx_send(fx, ADDR_WEB, MSG_view_call, &v);
}

void campaign_view_call(struct campaign *c, const struct attempt *a, struct effects *fx)
{
    campaign_view_later(c, fx);
    tell_call(c, a, a->fsm.state, fx);
}

/* S11 for a call that its agent asked for: the card comes now, not with a reservation. */
void campaign_pop(const struct campaign *c, const struct attempt *a, struct effects *fx)
{
    struct msg_screen_pop pop = {
        .agent = a->agent,
        .attempt = words_of(a->id),
        .campaign = c->id,
        .lead = a->lead,
        .number = words_of(a->number),
        .name = words_of(a->name),
        .fields = attempt_fields(a),
        .attempt_no = a->attempt_no,
        .matches = a->matches,
    };

    fx_send(fx, ADDR_WEB, MSG_screen_pop, &pop);
}

void campaign_view_later(struct campaign *c, struct effects *fx)
{
    if (!c->view_dirty) {
        c->view_dirty = true;
        c->view_timer = fx_arm(fx, VIEW_PAUSE_US, TIMER_VIEW, 0);
    }
}

static void say_hold(const struct campaign *c, struct words *w)
{
    words_add(w, reason_sentence(c->held_by));
    if (c->held_by == REASON_pace_full) {
        words_add(w, ": ");
        words_add_int(w, c->pace_target);
        words_add(w, " for ");
        words_add_int(w, campaign_idle(c));
        words_add(w, " available");
    }
}

static void tell_line(const struct campaign *c, uint8_t state, uint8_t held_by,
                      const struct words *why, struct effects *fx)
{
    const uint32_t *n = c->member_count;
    struct msg_view_campaign v = {
        .campaign = c->id,
        .name = words_of(c->set.name),
        .state = state,
        .mode = (uint8_t)c->set.mode,
        .agents = campaign_logged_in(c),
        .available = n[AGENT_AVAILABLE],
        .busy = n[AGENT_PREVIEW] + n[AGENT_RESERVED] + n[AGENT_BUSY],
        .wrapup = n[AGENT_WRAPUP],
        .claimed = attempts_in(c, ATTEMPT_CLAIMED) + attempts_in(c, ATTEMPT_PREVIEW),
        .ringing = attempts_in(c, ATTEMPT_ORIGINATING) + attempts_in(c, ATTEMPT_RINGING),
        .waiting = attempts_in(c, ATTEMPT_ANSWERED) + attempts_in(c, ATTEMPT_BRIDGING),
        .bridged = attempts_in(c, ATTEMPT_BRIDGED) + attempts_in(c, ATTEMPT_HELD),
        .dialed = c->pacing.dialed,
        .answered = c->pacing.answered,
        .abandoned = c->pacing.abandoned,
        .hopper = c->hopper_left,
        .answers_30d = c->pacing.answers_30d,
        .abandoned_30d = c->pacing.abandoned_30d,
        .held_by = held_by,
        .text = words_text(why),
    };

    fx_send(fx, ADDR_WEB, MSG_view_campaign, &v);
}

void campaign_view_now(struct campaign *c, const struct event *ev, struct effects *fx)
{
    char text[160];
    struct words w;

    (void)ev;
    words_start(&w, text, sizeof text);
    say_hold(c, &w);
    c->view_dirty = false;
    c->view_timer = 0;
    tell_line(c, c->fsm.state, c->held_by, &w, fx);
}

static void answer(handle to, uint64_t client, uint64_t request, const struct words *json,
                   struct effects *fx)
{
    struct msg_reply r = {.client = client,
                          .request = request,
                          .result = RESULT_OK,
                          .text = words_of(""),
                          .json = words_text(json)};

    fx_send(fx, to, MSG_reply, &r);
}

static void put_int(struct words *w, const char *key, int64_t n)
{
    words_key(w, key);
    words_add_int(w, n);
}

static void put_word(struct words *w, const char *key, const char *value)
{
    words_key(w, key);
    words_add_json(w, words_of(value));
}

static void put_refusals(const struct campaign *c, struct words *w)
{
    words_key(w, "refused");
    words_add(w, "{");
    for (unsigned i = 1; i < REASON_COUNT; i++) {
        if (c->refused[i] > 0) {
            put_int(w, reason_name(i), (int64_t)c->refused[i]);
        }
    }
    words_add(w, "}");
}

/* When rows that wait for their hours may go again. */
static int64_t opens(const struct campaign *c, const struct event *ev)
{
    int64_t own;

    campaign_shut(c, ev, &own);
    if (c->opens_wall_ms <= ev->wall_ms) {
        return own;
    }
    return own != 0 && own < c->opens_wall_ms ? own : c->opens_wall_ms;
}

void campaign_explain(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_explain_campaign *m = ev->msg;
    char buffer[4096];
    char text[160];
    struct words w;
    struct words why;

    words_start(&why, text, sizeof text);
    say_hold(c, &why);
    words_start(&w, buffer, sizeof buffer);
    words_add(&w, "{");
    put_int(&w, "campaign", (int64_t)c->id);
    put_word(&w, "name", c->set.name);
    put_word(&w, "state", campaign_state_name(c->fsm.state));
    put_word(&w, "mode", campaign_mode_name(c->set.mode));
    put_word(&w, "held_by", reason_name(c->held_by));
    words_key(&w, "why");
    words_add_json(&w, words_text(&why));
    put_int(&w, "opens_wall_ms", c->held_by == REASON_outside_hours ? opens(c, ev) : 0);
    put_int(&w, "agents", campaign_logged_in(c));
    put_int(&w, "available", campaign_idle(c));
    put_int(&w, "aimed_at", c->pace_target);
    put_int(&w, "may_leave_now", c->pace_calls);
    for (unsigned s = 0; s < ATTEMPT_DISPOSED; s++) {
        put_int(&w, attempt_state_name(s), c->by_state.count[s]);
    }
    put_int(&w, attempt_state_name(ATTEMPT_PREVIEW), attempts_in(c, ATTEMPT_PREVIEW));
    put_int(&w, "hopper", c->hopper_left);
    put_int(&w, "dialed", (int64_t)c->pacing.dialed);
    put_int(&w, "answers_30d", (int64_t)c->pacing.answers_30d);
    put_int(&w, "abandoned_30d", (int64_t)c->pacing.abandoned_30d);
    words_key(&w, "abandon_limit_pct");
    words_add_hundredths(&w, c->set.abandon_limit_bp);
    put_word(&w, "asterisk", pbx_state_name(c->pbx_state));
    put_word(&w, "store", c->store_up ? "up" : "away");
    put_refusals(c, &w);
    words_add(&w, "}");
    answer(m->reply_to, m->client, m->request, &w, fx);
}

void campaign_explain_lead(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_explain_lead *m = ev->msg;
    char buffer[1024];
    struct words w;
    struct gate_campaign gate = campaign_gate(c, true);
    struct gate_lead lead = {
        .number = m->number,
        .own_zone = m->own_zone,
        .zone = {m->zone_offset_s, m->zone_until_wall_ms, m->zone_next_offset_s},
        .attempts = m->attempts,
        .row_status = m->row_status,
        .final = m->final,
        .list_active = m->list_active,
        .suppressed = m->suppressed,
        .number_alive = m->number_alive,
        .attempts_24h = m->attempts_24h,
        .due_wall_ms = m->due_wall_ms,
        .number_free_wall_ms = m->number_free_wall_ms,
    };
    struct gate_verdict v = gate_check(&gate, &lead, ev->wall_ms);

    if (v.reason == REASON_allow && c->held_by != REASON_allow &&
        c->held_by != REASON_outside_hours) { /* this lead's hours are not those of the others */
        v.reason = (enum reason)c->held_by;   /* the lead may go, the campaign does not dial */
    }
    words_start(&w, buffer, sizeof buffer);
    words_add(&w, "{");
    put_int(&w, "lead", (int64_t)m->lead);
    put_int(&w, "row", (int64_t)m->row);
    put_word(&w, "row_status", row_status_name(m->row_status));
    put_word(&w, "reason", reason_name(v.reason));
    put_word(&w, "why", reason_sentence(v.reason));
    put_int(&w, "attempts", m->attempts);
    put_int(&w, "max_attempts", c->set.max_attempts);
    put_int(&w, "when_wall_ms", v.when_wall_ms);
    words_add(&w, "}");
    answer(m->reply_to, m->client, m->request, &w, fx);
}

/* A step of ours was left in the middle. The desk raises the alarm, the board shows it and that
 * nobody knows of the calls; who is in one of them is free after busy_reset, as nobody tells its
 * end any more. The actor that takes its place (desk_park.c) adopts the calls. Of its state only
 * the number of its last attempt goes on: an id that was used must not be used again. */
void campaign_parked(void *self, const struct event *ev, const char *why, struct effects *fx)
{
    const uint64_t id = handle_id(ev->self);
    struct campaign *c = self;
    struct msg_alarm alarm = {.kind = ALARM_campaign_parked,
                              .subject = id,
                              .stands = true,
                              .text = words_of(why),
                              .seq = c->seq};

    char text[160];
    struct words w;

    fx_send(fx, ADDR_DESK, MSG_alarm, &alarm);
    words_start(&w, text, sizeof text);
    words_add(&w, reason_sentence(REASON_parked));
    words_add(&w, ": ");
    words_add(&w, why);
    tell_line(c, CAMPAIGN_PARKED, REASON_parked, &w, fx);
    for (uint32_t i = 0; i < c->attempts.size; i++) {
        const struct attempt *a = c->attempts.slots[i].value.ptr;

        if (c->attempts.slots[i].key == 0) {
            continue;
        }
        tell_call(c, a, ATTEMPT_UNKNOWN, fx);
        if (a->agent != 0) {
            struct msg_call_moved lost = {.attempt = words_of(a->id),
                                          .state = ATTEMPT_UNKNOWN,
                                          .lead = a->lead,
                                          .number = words_of(a->number)};

            fx_send(fx, named(KIND_AGENT, a->agent), MSG_call_moved, &lost);
        }
    }
}
