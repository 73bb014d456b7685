/*
 * campaign.h - the campaign's actor, as its own files see it. Nobody outside campaign*.c and
 * attempt*.c includes this.
 *
 *   campaign.c          the actor: which message goes where; start and stop
 *   campaign_hopper.c   which row next
 *   campaign_dial.c     claims, lines, pacing: from a row to an originate
 *   campaign_agents.c   who may take a call, and what agents say of theirs
 *   campaign_preview.c  leads that are shown before they are dialed
 *   campaign_line.c     what Asterisk tells
 *   campaign_view.c     what people see: board lines, explain
 *   attempt.c           the life of one attempt, as a table
 *   attempt_act.c       what happens at its changes
 */
#ifndef ACTORS_CAMPAIGN_H
#define ACTORS_CAMPAIGN_H

#include "actors/gate.h"
#include "actors/ids.h"
#include "actors/map.h"
#include "actors/messages.h"
#include "actors/outcome.h"
#include "actors/pacing.h"
#include "core/fsm.h"

#define NUMBER_SIZE 20
#define NAME_SIZE 96
#define SOUND_SIZE 96
#define SUPPRESSED_KEPT 32u
#define LEFT_BRIDGES 64u

/* timer kinds of this actor (event.timer_kind) */
enum { TIMER_CAMPAIGN = 1, TIMER_ATTEMPT, TIMER_RECYCLE, TIMER_VIEW, TIMER_DRAIN, TIMER_HOPPER };

struct campaign_settings {
    uint64_t account;
    char name[NAME_SIZE];
    enum campaign_mode mode;
    bool wanted;     /* by its people: active */
    bool was_active; /* as the store's last configuration told it */
    uint32_t epoch;
    uint64_t trunk;
    uint32_t pbx;
    char endpoint[160];
    char context[96];
    char caller_id[NUMBER_SIZE];
    char prefixes[512];
    struct zone_now zone;
    uint16_t window_from_min, window_to_min;
    double ratio;
    uint32_t max_lines, ring_s, answer_wait_ms, wrapup_s;
    struct recycle_delays delays;
    uint32_t max_attempts, hopper_size, hopper_low, claim_ahead_ms, claim_ahead_max;
    char message[SOUND_SIZE];
    enum leg_kind leg;
    uint32_t abandon_limit_bp, max_call_s;
    uint32_t preview_s;
    enum preview_expiry preview_expiry;
};

struct attempt {
    struct fsm fsm; /* first: lists of states give back the attempt */
    char id[ID_SIZE];
    char bridge[ID_SIZE];
    char leg[ID_SIZE];
    char number[NUMBER_SIZE];
    char name[NAME_SIZE];
    char *fields; /* lead card or, of several matches, who there is; JSON; owned, NULL none */
    uint32_t fields_len;
    uint64_t key; /* epoch << 32 | sequence */
    uint64_t row, lead, agent, permit;
    uint32_t pbx, attempt_no, matches;
    enum attempt_cause cause;
    enum outcome outcome;
    enum reason refusal; /* why the claim was refused */
    uint16_t q850, sip;
    bool own_zone;
    struct zone_now zone;
    bool asked;       /* a reserve is under way to `agent` */
    bool bound;       /* the agent was there first: manual, or on_demand */
    bool ready;       /* the agent's leg may be joined (tone over) */
    bool customer_in; /* the customer was sent into the call's bridge */
    bool bridge_made;
    bool on_hold;   /* music plays in the bridge */
    bool line;      /* holds a permit of the trunk */
    bool seen;      /* found in the list of the last connect, or heard of since */
    bool shown;     /* found or heard of at any time: its originate was carried out */
    bool late;      /* its originate was waited for after the list */
    bool restored;  /* from before our start */
    bool vanished;  /* not found there: nobody knows how it ended */
    bool joining;   /* the agent's leg was sent into the bridge, the answer is on its way */
    bool blind;     /* the link was away in its life, or it is from before our start */
    bool heard;     /* the message was played to it */
    bool suspect;   /* a number was suppressed while its claim was on the way */
    bool callback;  /* somebody was promised this call */
    bool previewed; /* an agent has looked at it first, and waits for it */
    /* 0: not yet, or before our start; written with the answer or the end, never by themselves */
    int64_t originated_wall_ms, ringing_wall_ms;
    int64_t answered_wall_ms, bridged_wall_ms;
    /* found answered, not in our application: the dialplan has it; since when, on both clocks */
    int64_t unattended_wall_ms, unattended_us;
    int64_t claimed_us;    /* committed by the store */
    int64_t wait_until_us; /* an answered call must have its agent by then */
    bool found_in;         /* the last list had it in its own bridge */
    uint64_t found_agent;  /* and this agent's leg */
    uint64_t tried;        /* agent that refused last: not asked again for this call */
};

/* An agent as the campaign may count on it. */
struct member {
    uint64_t agent;
    uint32_t pbx;
    uint8_t state; /* enum agent_state */
    bool asked;    /* a reserve is under way: not to be asked again */
    int64_t idle_since_us;
    struct member *prev, *next_idle; /* list of the available, longest idle first */
    bool idle;
};

struct campaign {
    uint64_t id;
    uint16_t node;
    bool configured, draining;
    struct campaign_settings set;
    struct fsm fsm;
    uint8_t pbx_state;
    bool listed;          /* since our start: who lives there is known */
    int64_t away_wall_ms; /* since when, or when last, the server was away; 0: never */
    int64_t awake_us;     /* since the last time the whole process stood still; 0: it has not */
    bool store_up;
    bool clocks_apart;    /* R19: the store's and ours; wall-clock rules cannot be kept */
    uint8_t held_back;    /* enum reason: why the desk lets nothing leave; allow: it does */
    bool left_told, left; /* the store is away: the desk was told whether rows are left to dial */

    struct map attempts; /* key -> struct attempt */
    struct fsm_set by_state;
    uint32_t seq;
    uint32_t lines_granted; /* permits of the trunk not yet used */
    uint32_t lines_asked;
    uint8_t lines_short; /* enum reason, 0: none told */

    struct map members; /* agent -> struct member */
    struct member *idle_head, *idle_tail;
    uint32_t idle_length;
    uint32_t member_count[AGENT_STATES];

    struct map queued; /* rows put into the hopper and not yet taken */
    uint32_t hopper_left;
    uint32_t left_at_take, put_since_take; /* to notice that somebody emptied it */
    bool take_open, fill_open, hopper_up, hopper_fresh;
    bool take_void, fill_void; /* asked for before the last reset: what the answer counts is gone */
    int64_t fill_after_us;     /* nothing more was there: not before this */
    int64_t opens_wall_ms;     /* rows wait for their hours; the first opening, 0 none known */
    timer_ref recycle_timer, hopper_timer, view_timer, drain_timer;
    int64_t next_due_wall_ms;    /* earliest failed row, 0 none known */
    int64_t recycle_for_wall_ms; /* what the recycle timer is armed for */

    struct pacing pacing;
    uint8_t held_by; /* enum reason of the last decision */
    bool no_message; /* the last check did not find it: the start waits for it */
    uint32_t pace_target, pace_calls;
    uint64_t refused[REASON_COUNT];
    uint64_t suppressed[SUPPRESSED_KEPT]; /* the last numbers, hashed, oldest overwritten */
    uint32_t suppressed_at;
    char left_bridge[LEFT_BRIDGES][ID_SIZE]; /* to be ended when the line is back */
    uint32_t left_bridges;
    bool view_dirty;
};

/* --- attempt.c */
extern const struct fsm_def attempt_fsm;

enum attempt_event {
    AE_TIMEOUT = FSM_TIMEOUT,
    AE_COMMITTED, /* the claim is committed */
    AE_REFUSED,   /* the claim was refused */
    AE_GO,        /* gate passed, line there: the originate leaves */
    AE_TAKE_BACK, /* claimed, will not be sent */
    AE_RINGING,
    AE_ANSWERED,
    AE_GRANTED, /* an agent is reserved for it */
    AE_JOINED,  /* both are in the bridge */
    AE_JOIN_FAILED,
    AE_GONE,         /* the channel has ended, or is not there any more */
    AE_NOT_SENT,     /* the originate never left, or was refused */
    AE_FATE_UNKNOWN, /* the originate may have been carried out */
    AE_HANG_UP,      /* agent, or stop now */
    AE_LEG_LOST,
    AE_LEG_BACK,
    AE_MESSAGE_OVER, /* or a key was pressed */
    AE_DISPOSED,
    AE_NOT_PLAYED,
    AE_UNSERVED, /* the link is back: it waits in our application and has heard nobody */
    AE_KEPT,     /* the link is back: answered meanwhile, and the dialplan has it */
    AE_SHOWN,    /* preview: an agent has it before him */
    AE_SKIPPED,  /* preview: it is not to be dialed */
    AE_EVENTS
};

struct attempt *attempt_new(struct campaign *c, uint64_t key, const char id[ID_SIZE],
                            struct effects *fx);
struct attempt *attempt_find(const struct campaign *c, struct text id);
/* What is known of the lead; matches: more than one: what there is to choose from. */
void attempt_keep_lead(struct attempt *a, struct text name, struct text fields, uint32_t matches,
                       struct effects *fx);
/* JSON for the screen pop. */
struct text attempt_fields(const struct attempt *a);
/* The first state: claiming. */
void attempt_begin(struct campaign *c, struct attempt *a, const struct event *ev,
                   struct effects *fx);
/* Fires and frees the attempt if that ended it: the pointer is dead when it returns true. */
bool attempt_fire(struct campaign *c, struct attempt *a, enum attempt_event on,
                  const struct event *ev, struct effects *fx);
void attempt_free(struct campaign *c, struct attempt *a, struct effects *fx);
/* After a restart: into the state the store or Asterisk tells. */
void attempt_restore(struct campaign *c, struct attempt *a, enum attempt_state state,
                     const struct event *ev, struct effects *fx);
static inline uint32_t attempts_in(const struct campaign *c, enum attempt_state state)
{
    return c->by_state.count[state];
}
/* Claimed too long ago to be sent now. */
bool attempt_is_stale(const struct campaign *c, const struct attempt *a, int64_t now_us);
/* Its timer has run out. */
void attempt_on_timeout(struct campaign *c, struct attempt *a, const struct event *ev,
                        struct effects *fx);
/* The first attempt (oldest in its state), or NULL. */
static inline struct attempt *attempt_first(const struct campaign *c, enum attempt_state state)
{
    return (struct attempt *)(void *)c->by_state.head[state];
}
static inline struct attempt *attempt_next(const struct attempt *a)
{
    return (struct attempt *)(void *)a->fsm.next;
}

/* --- attempt_act.c: guards and actions named in the table */
bool attempt_has_agent(const struct fsm_ctx *x);
bool attempt_time_left(const struct fsm_ctx *x);
bool attempt_is_bound(const struct fsm_ctx *x);
bool attempt_was_bridged(const struct fsm_ctx *x);
bool attempt_is_cancelled(const struct fsm_ctx *x);
bool attempt_line_away(const struct fsm_ctx *x);
bool attempt_just_awake(const struct fsm_ctx *x);
bool attempt_cannot_tell(const struct fsm_ctx *x);
bool attempt_may_come(const struct fsm_ctx *x);
bool attempt_is_unserved(const struct fsm_ctx *x);
bool attempt_keeps_place(const struct fsm_ctx *x);
bool attempt_is_joining(const struct fsm_ctx *x);
bool attempt_join_unseen(const struct fsm_ctx *x);
bool attempt_owes_message(const struct fsm_ctx *x);
bool attempt_is_kept(const struct fsm_ctx *x);
void attempt_claimed(const struct fsm_ctx *x);
void attempt_refused(const struct fsm_ctx *x);
void attempt_stays_claimed(const struct fsm_ctx *x);
void attempt_send(const struct fsm_ctx *x);
void attempt_take_back(const struct fsm_ctx *x);
void attempt_rings(const struct fsm_ctx *x);
void attempt_answers(const struct fsm_ctx *x);
void attempt_seek_agent(const struct fsm_ctx *x);
void attempt_join(const struct fsm_ctx *x);
void attempt_joined(const struct fsm_ctx *x);
void attempt_found_joined(const struct fsm_ctx *x);
void attempt_rejoin(const struct fsm_ctx *x);
void attempt_hold(const struct fsm_ctx *x);
void attempt_play_message(const struct fsm_ctx *x);
void attempt_keep(const struct fsm_ctx *x);
void attempt_hang_up(const struct fsm_ctx *x);
void attempt_cancel(const struct fsm_ctx *x);
void attempt_over(const struct fsm_ctx *x);
void attempt_not_sent(const struct fsm_ctx *x);
void attempt_lost(const struct fsm_ctx *x);
void attempt_forget(const struct fsm_ctx *x);
void attempt_pass_on(const struct fsm_ctx *x);
void attempt_wait_on(const struct fsm_ctx *x);
void attempt_wait_late(const struct fsm_ctx *x);
void attempt_wait_for_join(const struct fsm_ctx *x);
/* A state worth a record. */
void attempt_record(const struct fsm_ctx *x, enum attempt_state state);
/* Nothing has left: the row as it was, but for `due_wall_ms` and why it was skipped. */
void attempt_put_back(const struct fsm_ctx *x, int64_t due_wall_ms, struct text skipped);
/* --- campaign_preview.c */
void attempt_shown(const struct fsm_ctx *x);
void attempt_wanted(const struct fsm_ctx *x);
void attempt_skipped(const struct fsm_ctx *x);
/* It is still to be shown, or is being shown: its call waits for its agent's word. */
bool campaign_previews(const struct campaign *c, const struct attempt *a);
/* Rows that were claimed for idle agents who have not been asked yet. */
uint32_t campaign_unshown(const struct campaign *c);
void campaign_on_preview_over(struct campaign *c, const struct event *ev, struct effects *fx);

/* --- campaign_dial.c */
/* Do whatever can be done now: recycle, fill, take, claim, ask for lines, originate. Called once
 * at the end of every step that may have changed something. */
void campaign_dial(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_claimed(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_hopper(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_candidates(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_recycled(struct campaign *c, const struct event *ev, struct effects *fx);
/* The recycle timer ran out: ask the store. */
void campaign_recycle(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_lines(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_manual_dial(struct campaign *c, const struct event *ev, struct effects *fx);
/* R14: the agent has said which of the number's leads it is, and the store has it. */
void campaign_on_lead_settled(struct campaign *c, const struct event *ev, struct effects *fx);
/* Claimed rows that may not go any more go back; all of them with `all`. */
void campaign_recheck_claimed(struct campaign *c, bool all, const struct event *ev,
                              struct effects *fx);
void campaign_refuse(struct campaign *c, enum reason reason, struct effects *fx);
/* A claim that is committed, that no attempt here stands for, and whose call never left. */
void campaign_give_back(const struct campaign *c, struct text attempt, uint64_t row, uint64_t lead,
                        const struct event *ev, struct effects *fx);
void campaign_line_back(struct campaign *c, struct attempt *a, struct effects *fx);
/* A call from before our start lives: its trunk has to know. */
void campaign_line_held(struct campaign *c, struct attempt *a, struct effects *fx);
/* The campaign's clock says that its hours are over; a lead with a zone of its own has its own. */
bool campaign_shut(const struct campaign *c, const struct event *ev, int64_t *opens_wall_ms);
/* Some rows may not go before this. */
void campaign_opens(struct campaign *c, int64_t wall_ms, const struct event *ev);
struct gate_campaign campaign_gate(const struct campaign *c, bool automatic);
struct gate_lead attempt_gate(const struct attempt *a);
bool campaign_line_up(const struct campaign *c);
struct pacing_decision campaign_pace(struct campaign *c, const struct event *ev);
void campaign_reset_hopper(struct campaign *c, struct effects *fx);
/* The hopper's timer ran out: look again, at an empty queue or a hopper that was away. */
void campaign_hopper_again(struct campaign *c, struct effects *fx);

/* --- campaign_hopper.c */
void campaign_ask_candidates(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_take_rows(struct campaign *c, uint32_t rows, struct effects *fx);
/* A new attempt with an id of its own, and its claim (the first state). */
struct attempt *campaign_new_attempt(struct campaign *c, enum attempt_cause cause,
                                     struct effects *fx);
void campaign_claim(struct campaign *c, struct attempt *a, const struct event *ev,
                    struct effects *fx);

/* --- campaign_agents.c */
void campaign_on_agent_status(struct campaign *c, const struct event *ev, struct effects *fx);
/* Give waiting answered calls to idle agents, oldest call and longest idle agent first. */
void campaign_match(struct campaign *c, const struct event *ev, struct effects *fx);
/* Ask one agent for this attempt; false: nobody is there. */
bool campaign_ask_agent(struct campaign *c, struct attempt *a, uint64_t only,
                        const struct event *ev, struct effects *fx);
void campaign_agent_answered(struct campaign *c, uint64_t agent, bool granted);
void campaign_on_reserved(struct campaign *c, const struct event *ev, struct effects *fx);
/* leg_lost, leg_back, agent_hangup, attempt_done */
void campaign_on_agent_word(struct campaign *c, const struct event *ev, struct effects *fx);
uint32_t campaign_idle(const struct campaign *c);
uint32_t campaign_logged_in(const struct campaign *c);
void campaign_free_members(struct campaign *c, struct effects *fx);

/* --- campaign_line.c */
void campaign_on_channel(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_originate_failed(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_bridge_added(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_playback_over(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_digit(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_pbx_moved(struct campaign *c, const struct event *ev, struct effects *fx);
/* actor_type.parked */
void campaign_parked(void *self, const struct event *ev, const char *why, struct effects *fx);
void campaign_on_pbx_listed(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_channel_found(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_leg_found(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_on_open_attempt(struct campaign *c, const struct event *ev, struct effects *fx);

/* --- campaign_view.c */
void campaign_view_call(struct campaign *c, const struct attempt *a, struct effects *fx);
void campaign_pop(const struct campaign *c, const struct attempt *a, struct effects *fx);
void campaign_view_later(struct campaign *c, struct effects *fx);
void campaign_view_now(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_explain(struct campaign *c, const struct event *ev, struct effects *fx);
void campaign_explain_lead(struct campaign *c, const struct event *ev, struct effects *fx);

/* --- campaign.c */
extern const struct fsm_def campaign_fsm;
extern const struct actor_type campaign_actor;
/* Ask for what the campaign needs to start. */
void campaign_check_needs(const struct fsm_ctx *x);
bool campaign_running(const struct campaign *c);
/* Nothing here needs a line, an agent or the message any more (bridged calls may be up). */
bool campaign_quiet(const struct campaign *c);
void campaign_tell_agent(struct campaign *c, const struct attempt *a, enum attempt_state state,
                         enum reason why, struct effects *fx);

#endif
