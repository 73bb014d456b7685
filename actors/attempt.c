/*
 * attempt.c - the life of one attempt, as a table.
 *
 * A deadline stands on every state, so no call outlives a silent switch, store or agent.
 */
#include "actors/campaign.h"
#include "actors/words.h"
#include "core/mutant.h"

#include <string.h>

/* A timer later than this was not kept waiting by work: the whole process stood still. */
#define STOOD_STILL_US (2 * US_PER_S)
/* After that the mail comes first, for so long. */
#define SILENCE_US (300 * US_PER_MS)

/* An agent who wants a previewed lead dialed may have to be called first. */
#define PHONE_COMES_S 180

enum {
    T_CLAIM = 1,
    T_AHEAD,
    T_PREVIEW,
    T_RING,
    T_WAIT,
    T_BRIDGE,
    T_JOIN,
    T_CALL,
    T_HELD,
    T_MESSAGE,
    T_SILENCE,
    T_END,
    T_DISPOSE,
    T_UNKNOWN,
    T_LATE,
    N_TIMERS
};

static const struct fsm_timer timers[N_TIMERS] = {
    [T_CLAIM] = {"claim", 60 * US_PER_S, "the store must have answered a claim"},
    [T_AHEAD] = {"ahead", 30 * US_PER_S, "a claimed row that is not sent goes back"},
    [T_PREVIEW] = {"preview", 240 * US_PER_S, "the agent's actor has dialed the lead or let it go"},
    [T_RING] = {"ring", 45 * US_PER_S, "ring time and what Asterisk needs to report its end"},
    [T_WAIT] = {"wait", 2 * US_PER_S, "an answered call must have its agent"},
    [T_BRIDGE] = {"bridge", 5 * US_PER_S, "Asterisk must have joined the two"},
    [T_JOIN] = {"join", 10 * US_PER_S, "a join that has left may be carried out: they may talk"},
    [T_CALL] = {"call", 4 * 3600 * US_PER_S, "the longest call"},
    [T_HELD] = {"held", 20 * US_PER_S, "a lost agent's leg must be back (R3)"},
    [T_MESSAGE] = {"message", 30 * US_PER_S, "the longest message"},
    [T_SILENCE] = {"silence", SILENCE_US, "a lost link shows itself soon after what it lost"},
    [T_END] = {"end", 10 * US_PER_S, "a hang-up must be confirmed"},
    [T_DISPOSE] = {"dispose", 300 * US_PER_S, "wrap-up, and room for the agent's actor"},
    [T_UNKNOWN] = {"unknown", 60 * US_PER_S, "a call that may live must have shown itself"},
    [T_LATE] = {"late", 10 * US_PER_S, "what stood in a lost link's queues has been carried out"},
};

static const char *const states[ATTEMPT_STATES] = {
    "claiming", "claimed", "originating", "ringing", "answered", "bridging", "bridged",
    "held",     "message", "ending",      "ended",   "disposed", "unknown",  "preview"};

static const char *const events[AE_EVENTS] = {
    "timeout",      "committed", "refused",  "go",          "take_back",    "ringing",
    "answered",     "granted",   "joined",   "join_failed", "gone",         "not_sent",
    "fate_unknown", "hang_up",   "leg_lost", "leg_back",    "message_over", "disposed",
    "not_played",   "unserved",  "kept",     "shown",       "skipped"};

#define S(name) ATTEMPT_##name

/* The channel is gone: an agent who had the call still has to dispose it. */
#define ENDS_BY_GONE(state)                                                                        \
    ROW(state, AE_GONE, attempt_has_agent, attempt_over, S(ENDED), T_DISPOSE),                     \
        ROW(state, AE_GONE, 0, attempt_over, S(DISPOSED), FSM_NO_TIMER)

/* For all we have heard it rings, and the list has shown that it was answered: the dialplan plays
 * the message, or brings the call. It is not cut off. */
#define IS_KEPT(state, event) ROW(state, event, attempt_is_kept, 0, S(MESSAGE), T_MESSAGE)

/* When the process has stood still, timers fire before what waits on the links is read. What is
 * final (a person is hung up on, two are parted, a call is given up) is not done for a deadline
 * that passed meanwhile. */
#define READS_FIRST(state)                                                                         \
    ROW(state, AE_TIMEOUT, attempt_just_awake, attempt_wait_on, state, T_SILENCE)

/* Nothing to be done about it in a state without a row of its own: duplicates and stragglers. */
#define IGNORED(event) ANY(event, 0, 0, FSM_STAY, FSM_NO_TIMER)

/* clang-format off: a table is read in columns */
static const struct fsm_row rows[] = {
    /*  state            event            guard                action                next timer */
    ROW(S(CLAIMING), AE_COMMITTED, attempt_is_cancelled, attempt_take_back, S(DISPOSED),
        FSM_NO_TIMER),
    ROW(S(CLAIMING), AE_COMMITTED, 0, attempt_claimed, S(CLAIMED), T_AHEAD),
    ROW(S(CLAIMING), AE_REFUSED, 0, attempt_refused, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(CLAIMING), AE_HANG_UP, 0, attempt_cancel, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CLAIMING), AE_TIMEOUT, 0, attempt_refused, S(DISPOSED), FSM_NO_TIMER),

    ROW(S(CLAIMED), AE_GO, 0, attempt_send, S(ORIGINATING), T_RING),
    ROW(S(CLAIMED), AE_GRANTED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(CLAIMED), AE_SHOWN, 0, attempt_shown, S(PREVIEW), T_PREVIEW),
    ROW(S(CLAIMED), AE_TAKE_BACK, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(CLAIMED), AE_HANG_UP, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(CLAIMED), AE_LEG_LOST, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(CLAIMED), AE_TIMEOUT, attempt_keeps_place, attempt_stays_claimed, S(CLAIMED), T_AHEAD),
    ROW(S(CLAIMED), AE_TIMEOUT, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),

    ROW(S(PREVIEW), AE_GRANTED, 0, attempt_wanted, S(CLAIMED), T_AHEAD),
    ROW(S(PREVIEW), AE_SKIPPED, 0, attempt_skipped, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(PREVIEW), AE_TAKE_BACK, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(PREVIEW), AE_HANG_UP, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(PREVIEW), AE_LEG_LOST, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(PREVIEW), AE_TIMEOUT, 0, attempt_take_back, S(DISPOSED), FSM_NO_TIMER),

    ROW(S(ORIGINATING), AE_RINGING, 0, attempt_rings, S(RINGING), T_RING),
    ROW(S(ORIGINATING), AE_ANSWERED, attempt_is_bound, attempt_join, S(BRIDGING), T_BRIDGE),
    ROW(S(ORIGINATING), AE_ANSWERED, 0, attempt_answers, S(ANSWERED), T_WAIT),
    ROW(S(ORIGINATING), AE_GONE, attempt_may_come, attempt_wait_late, S(UNKNOWN), T_LATE),
    ENDS_BY_GONE(S(ORIGINATING)),
    ROW(S(ORIGINATING), AE_NOT_SENT, attempt_has_agent, attempt_not_sent, S(ENDED), T_DISPOSE),
    ROW(S(ORIGINATING), AE_NOT_SENT, 0, attempt_not_sent, S(DISPOSED), FSM_NO_TIMER),
    ROW(S(ORIGINATING), AE_FATE_UNKNOWN, 0, attempt_lost, S(UNKNOWN), T_UNKNOWN),
    IS_KEPT(S(ORIGINATING), AE_HANG_UP),
    IS_KEPT(S(ORIGINATING), AE_LEG_LOST),
    ROW(S(ORIGINATING), AE_TIMEOUT, attempt_cannot_tell, attempt_wait_on, S(ORIGINATING),
        T_SILENCE),
    IS_KEPT(S(ORIGINATING), AE_TIMEOUT),
    ROW(S(ORIGINATING), AE_HANG_UP, 0, attempt_cancel, S(ENDING), T_END),
    ROW(S(ORIGINATING), AE_LEG_LOST, 0, attempt_cancel, S(ENDING), T_END),
    ROW(S(ORIGINATING), AE_TIMEOUT, 0, attempt_hang_up, S(ENDING), T_END),

    ROW(S(RINGING), AE_ANSWERED, attempt_is_bound, attempt_join, S(BRIDGING), T_BRIDGE),
    ROW(S(RINGING), AE_ANSWERED, 0, attempt_answers, S(ANSWERED), T_WAIT),
    ENDS_BY_GONE(S(RINGING)),
    IS_KEPT(S(RINGING), AE_HANG_UP),
    IS_KEPT(S(RINGING), AE_LEG_LOST),
    ROW(S(RINGING), AE_TIMEOUT, attempt_cannot_tell, attempt_wait_on, S(RINGING), T_SILENCE),
    IS_KEPT(S(RINGING), AE_TIMEOUT),
    ROW(S(RINGING), AE_HANG_UP, 0, attempt_cancel, S(ENDING), T_END),
    ROW(S(RINGING), AE_LEG_LOST, 0, attempt_cancel, S(ENDING), T_END),
    ROW(S(RINGING), AE_TIMEOUT, 0, attempt_hang_up, S(ENDING), T_END),

    ROW(S(ANSWERED), AE_GRANTED, 0, attempt_join, S(BRIDGING), T_BRIDGE),
    ENDS_BY_GONE(S(ANSWERED)),
    ROW(S(ANSWERED), AE_HANG_UP, attempt_is_unserved, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(ANSWERED), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(ANSWERED), AE_TIMEOUT, 0, attempt_play_message, S(MESSAGE), T_MESSAGE),

    ROW(S(BRIDGING), AE_GRANTED, 0, attempt_join, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BRIDGING), AE_UNSERVED, attempt_was_bridged, attempt_join, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BRIDGING), AE_UNSERVED, 0, attempt_join, S(BRIDGING), T_BRIDGE),
    ROW(S(BRIDGING), AE_JOINED, 0, attempt_joined, S(BRIDGED), T_CALL),
    ROW(S(BRIDGING), AE_JOIN_FAILED, attempt_was_bridged, attempt_hold, S(HELD), T_HELD),
    ROW(S(BRIDGING), AE_JOIN_FAILED, attempt_time_left, attempt_seek_agent, S(ANSWERED), T_WAIT),
    ROW(S(BRIDGING), AE_JOIN_FAILED, 0, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(BRIDGING), AE_LEG_LOST, attempt_join_unseen, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(BRIDGING), AE_LEG_LOST, attempt_was_bridged, attempt_hold, S(HELD), T_HELD),
    ROW(S(BRIDGING), AE_LEG_LOST, attempt_time_left, attempt_seek_agent, S(ANSWERED), T_WAIT),
    ROW(S(BRIDGING), AE_LEG_LOST, 0, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ENDS_BY_GONE(S(BRIDGING)),
    ROW(S(BRIDGING), AE_HANG_UP, attempt_is_unserved, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(BRIDGING), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(BRIDGING), AE_TIMEOUT, attempt_line_away, attempt_wait_on, S(BRIDGING), T_JOIN),
    READS_FIRST(S(BRIDGING)),
    ROW(S(BRIDGING), AE_TIMEOUT, attempt_is_joining, attempt_wait_for_join, S(BRIDGING), T_JOIN),
    ROW(S(BRIDGING), AE_TIMEOUT, 0, attempt_play_message, S(MESSAGE), T_MESSAGE),

    ROW(S(BRIDGED), AE_LEG_LOST, 0, attempt_hold, S(HELD), T_HELD),
    ENDS_BY_GONE(S(BRIDGED)),
    ROW(S(BRIDGED), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(BRIDGED), AE_TIMEOUT, 0, attempt_hang_up, S(ENDING), T_END),

    ROW(S(HELD), AE_LEG_BACK, 0, attempt_rejoin, S(BRIDGING), T_BRIDGE),
    ENDS_BY_GONE(S(HELD)),
    ROW(S(HELD), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    READS_FIRST(S(HELD)),
    ROW(S(HELD), AE_TIMEOUT, 0, attempt_seek_agent, S(ANSWERED), T_WAIT),

    ENDS_BY_GONE(S(MESSAGE)),
    ROW(S(MESSAGE), AE_UNSERVED, attempt_owes_message, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(MESSAGE), AE_UNSERVED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(MESSAGE), AE_ANSWERED, attempt_is_kept, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(MESSAGE), AE_ANSWERED, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(MESSAGE), AE_NOT_PLAYED, 0, attempt_wait_on, S(MESSAGE), T_SILENCE),
    ROW(S(MESSAGE), AE_MESSAGE_OVER, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(MESSAGE), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(MESSAGE), AE_TIMEOUT, attempt_cannot_tell, attempt_wait_on, S(MESSAGE), T_SILENCE),
    ROW(S(MESSAGE), AE_TIMEOUT, 0, attempt_hang_up, S(ENDING), T_END),

    ROW(S(ENDING), AE_RINGING, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(ENDING), AE_ANSWERED, 0, attempt_hang_up, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), AE_UNSERVED, attempt_owes_message, attempt_play_message, S(MESSAGE), T_MESSAGE),
    ROW(S(ENDING), AE_KEPT, attempt_owes_message, attempt_keep, S(MESSAGE), T_MESSAGE),
    ROW(S(ENDING), AE_KEPT, 0, 0, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), AE_UNSERVED, 0, attempt_hang_up, FSM_STAY, FSM_NO_TIMER),
    ROW(S(ENDING), AE_NOT_SENT, attempt_has_agent, attempt_not_sent, S(ENDED), T_DISPOSE),
    ROW(S(ENDING), AE_NOT_SENT, 0, attempt_not_sent, S(DISPOSED), FSM_NO_TIMER),
    ENDS_BY_GONE(S(ENDING)),
    ROW(S(ENDING), AE_TIMEOUT, attempt_cannot_tell, attempt_wait_on, S(ENDING), T_END),
    ROW(S(ENDING), AE_TIMEOUT, attempt_has_agent, attempt_over, S(ENDED), T_DISPOSE),
    ROW(S(ENDING), AE_TIMEOUT, 0, attempt_over, S(DISPOSED), FSM_NO_TIMER),

    ROW(S(ENDED), AE_DISPOSED, 0, attempt_forget, S(DISPOSED), FSM_NO_TIMER),
    READS_FIRST(S(ENDED)),
    ROW(S(ENDED), AE_TIMEOUT, 0, attempt_pass_on, S(DISPOSED), FSM_NO_TIMER),

    ROW(S(UNKNOWN), AE_RINGING, 0, attempt_rings, S(RINGING), T_RING),
    ROW(S(UNKNOWN), AE_ANSWERED, attempt_is_bound, attempt_join, S(BRIDGING), T_BRIDGE),
    ROW(S(UNKNOWN), AE_ANSWERED, 0, attempt_answers, S(ANSWERED), T_WAIT),
    ROW(S(UNKNOWN), AE_GONE, attempt_may_come, attempt_wait_late, S(UNKNOWN), T_LATE),
    ENDS_BY_GONE(S(UNKNOWN)),
    ROW(S(UNKNOWN), AE_HANG_UP, 0, attempt_hang_up, S(ENDING), T_END),
    ROW(S(UNKNOWN), AE_TIMEOUT, attempt_cannot_tell, attempt_wait_on, S(UNKNOWN), T_UNKNOWN),
    ROW(S(UNKNOWN), AE_TIMEOUT, attempt_has_agent, attempt_over, S(ENDED), T_DISPOSE),
    ROW(S(UNKNOWN), AE_TIMEOUT, 0, attempt_over, S(DISPOSED), FSM_NO_TIMER),

    IGNORED(AE_COMMITTED),
    IGNORED(AE_REFUSED),
    IGNORED(AE_GO),
    IGNORED(AE_TAKE_BACK),
    IGNORED(AE_RINGING),
    IGNORED(AE_ANSWERED),
    IGNORED(AE_GRANTED),
    IGNORED(AE_JOINED),
    IGNORED(AE_JOIN_FAILED),
    IGNORED(AE_GONE),
    IGNORED(AE_NOT_SENT),
    IGNORED(AE_FATE_UNKNOWN),
    IGNORED(AE_HANG_UP),
    IGNORED(AE_LEG_LOST),
    IGNORED(AE_LEG_BACK),
    IGNORED(AE_MESSAGE_OVER),
    IGNORED(AE_DISPOSED),
    IGNORED(AE_NOT_PLAYED),
    IGNORED(AE_UNSERVED),
    IGNORED(AE_KEPT),
    IGNORED(AE_SHOWN),
    IGNORED(AE_SKIPPED),
};
/* clang-format on */

static int64_t ahead_us(const struct campaign *c)
{
    int64_t twice = 2 * (int64_t)c->set.claim_ahead_ms * US_PER_MS;

    return twice > timers[T_AHEAD].default_us ? twice : timers[T_AHEAD].default_us;
}

static int64_t duration(const struct fsm_ctx *x, uint8_t timer)
{
    const struct campaign *c = x->owner;
    const struct attempt *a = x->subject;

    switch (timer) {
    case T_AHEAD: /* who claims further ahead keeps longer what was claimed */
        return ahead_us(c);
    case T_PREVIEW: /* the agent's own time, and what its phone may take to come */
        return ((int64_t)c->set.preview_s + PHONE_COMES_S) * US_PER_S;
    case T_RING: /* the originate's own timeout, and 10 s for Asterisk to tell */
        return ((int64_t)c->set.ring_s + 10) * US_PER_S;
    case T_WAIT:
    case T_BRIDGE:
        if (MUTANT(deadline_missing)) {
            return 3600 * US_PER_S;
        }
        if (a->wait_until_us == 0) {
            return -1;
        }
        return a->wait_until_us - x->ev->now_us;
    case T_CALL:
        return (int64_t)c->set.max_call_s * US_PER_S;
    case T_DISPOSE:
        return ((int64_t)c->set.wrapup_s + 60) * US_PER_S;
    default:
        return -1;
    }
}

/* Its time ahead is over, and the timer that says so is still on its way: after a stop of the whole
 * process the mail is read first. */
bool attempt_is_stale(const struct campaign *c, const struct attempt *a, int64_t now_us)
{
    int64_t most = ahead_us(c), retry = (int64_t)c->set.delays.retry_s * US_PER_S;

    /* Nobody else can have the row, and while the store is away no other can be had: it is good for
     * as long as nobody may be called again. */
    most = !c->store_up && retry > most ? retry : most;
    return now_us - a->claimed_us > most;
}

const struct fsm_def attempt_fsm = {
    .name = "attempt",
    .states = states,
    .n_states = ATTEMPT_STATES,
    .events = events,
    .n_events = AE_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = ATTEMPT_CLAIMING,
    .initial_timer = T_CLAIM,
    .ends = 1u << ATTEMPT_DISPOSED,
    .timer_kind = TIMER_ATTEMPT,
    .duration = duration,
};

static struct fsm_ctx context(struct campaign *c, struct attempt *a, const struct event *ev,
                              struct effects *fx)
{
    return (struct fsm_ctx){c, a, NULL, ev, fx};
}

struct attempt *attempt_new(struct campaign *c, uint64_t key, const char id[ID_SIZE],
                            struct effects *fx)
{
    struct attempt *a = fx_realloc(fx, NULL, sizeof *a);
    bool made;

    memset(a, 0, sizeof *a);
    a->key = key;
    memcpy(a->id, id, ID_SIZE);
    id_convert(a->bridge, ID_BRIDGE, id);
    if (MUTANT(double_bridge)) {
        a->bridge[ID_LEN - 1] = '0';
    }
    map_put(&c->attempts, key, &made, fx)->value.ptr = a;
    return a;
}

void attempt_begin(struct campaign *c, struct attempt *a, const struct event *ev,
                   struct effects *fx)
{
    struct fsm_ctx x = context(c, a, ev, fx);

    fsm_init(&attempt_fsm, &c->by_state, &a->fsm, a->key, &x);
}

void attempt_restore(struct campaign *c, struct attempt *a, enum attempt_state state,
                     const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = context(c, a, ev, fx);
    uint8_t timer = state == ATTEMPT_BRIDGED ? T_CALL : T_UNKNOWN;

    if (a->fsm.linked) {
        fsm_drop(&c->by_state, &a->fsm, fx);
    }
    fsm_restore(&attempt_fsm, &c->by_state, &a->fsm, a->key, (uint8_t)state, timer, &x);
}

struct attempt *attempt_find(const struct campaign *c, struct text id)
{
    struct channel_id parsed;

    if (id_parse(id, &parsed) == ID_FOREIGN || parsed.owner != (uint32_t)c->id) {
        return NULL;
    }
    struct map_slot *slot = map_find(&c->attempts, id_key(&parsed));

    return slot ? slot->value.ptr : NULL;
}

void attempt_keep_lead(struct attempt *a, struct text name, struct text fields, uint32_t matches,
                       struct effects *fx)
{
    words_keep(a->name, sizeof a->name, name);
    a->matches = matches;
    if (fields.len > 0) {
        a->fields = fx_realloc(fx, a->fields, fields.len);
        memcpy(a->fields, fields.ptr, fields.len);
    }
    a->fields_len = fields.len;
}

struct text attempt_fields(const struct attempt *a)
{
    return a->fields_len > 0 ? (struct text){a->fields, a->fields_len} : words_of("{}");
}

void attempt_free(struct campaign *c, struct attempt *a, struct effects *fx)
{
    fsm_drop(&c->by_state, &a->fsm, fx);
    map_drop(&c->attempts, a->key);
    if (a->fields) {
        fx_realloc(fx, a->fields, 0);
    }
    fx_realloc(fx, a, 0);
}

bool attempt_fire(struct campaign *c, struct attempt *a, enum attempt_event on,
                  const struct event *ev, struct effects *fx)
{
    struct fsm_ctx x = context(c, a, ev, fx);
    uint8_t before = a->fsm.state;

    fsm_fire(&attempt_fsm, &c->by_state, &a->fsm, (uint8_t)on, &x);
    if (a->fsm.state != before) {
        campaign_view_call(c, a, fx);
    }
    if (a->fsm.state == ATTEMPT_DISPOSED) {
        attempt_free(c, a, fx);
        return true;
    }
    return false;
}

/* The process stood still just now: what has happened meanwhile waits to be read, and the link may
 * be dead without anybody having heard of it. */
bool attempt_just_awake(const struct fsm_ctx *x)
{
    const struct campaign *c = x->owner;

    return c->awake_us != 0 && x->ev->now_us - c->awake_us < SILENCE_US;
}

bool attempt_cannot_tell(const struct fsm_ctx *x)
{
    return attempt_line_away(x) || attempt_just_awake(x);
}

/* The list does not have it, and nothing was ever heard of it: its originate may still stand in the
 * queues of the link that was lost, and be carried out after the list was made. */
bool attempt_may_come(const struct fsm_ctx *x)
{
    const struct attempt *a = x->subject;

    return a->vanished && !a->shown && !a->late && a->answered_wall_ms == 0;
}

/* Once: a link that is lost again has not kept it. */
void attempt_wait_late(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->late = true;
    fx_trace(x->fx, "may still come", a->key, 0);
}

void attempt_on_timeout(struct campaign *c, struct attempt *a, const struct event *ev,
                        struct effects *fx)
{
    if (ev->now_us - a->fsm.due_us > STOOD_STILL_US) {
        c->awake_us = ev->now_us;
    }
    attempt_fire(c, a, AE_TIMEOUT, ev, fx);
}
