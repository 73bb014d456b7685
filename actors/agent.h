/*
 * agent.h - the agent's actor, as its own files see it.
 *
 *   agent.c         which message goes where, settings
 *   agent_state.c   the state table with its guards and actions
 *   agent_leg.c     the phone: a table of its own
 *   agent_call.c    reservations and calls
 *   agent_page.c    what the page asks for
 *   agent_mute.c    the agent's voice in the call: a table, too
 *   agent_preview.c leads that are shown before they are dialed
 *   agent_tell.c    what others hear
 */
#ifndef ACTORS_AGENT_H
#define ACTORS_AGENT_H

#include "actors/ids.h"
#include "actors/messages.h"
#include "core/fsm.h"

#define AGENT_REASON_SIZE 48
#define AGENT_NUMBER_SIZE 24

enum { TIMER_AGENT = 1, TIMER_LEG, TIMER_SOCKET, TIMER_TONE, TIMER_MUTE };

enum leg_state {
    LEG_NONE,
    LEG_LEFT, /* the store knows it from before our start; Asterisk has not told whether it lives */
    LEG_CLAIMING,
    LEG_CALLING,
    LEG_WAITING, /* claimed, and the server had no place for it yet: it is asked again */
    LEG_UP,
    LEG_ENDING,
    LEG_STATES
};

enum leg_event {
    LE_TIMEOUT = FSM_TIMEOUT,
    LE_OPEN,    /* the store tells of one that had not ended */
    LE_CALL,    /* wanted */
    LE_CLAIMED, /* its row is committed */
    LE_REFUSED, /* the claim, or the originate */
    LE_BUSY,    /* it never left, for want of a place */
    LE_ANSWERED,
    LE_GONE,
    LE_HANG_UP,
    LE_FOUND, /* the one that was left lives */
    LE_EVENTS
};

enum mute_state {
    MUTE_OFF,
    MUTE_ASKED,
    MUTE_ON,
    MUTE_LIFTING, /* asked for until it is done, or the leg is gone */
    MUTE_STATES
};

enum mute_event {
    ME_TIMEOUT = FSM_TIMEOUT,
    ME_MUTE,
    ME_UNMUTE,
    ME_DONE, /* what was asked last */
    ME_FAILED,
    ME_LEG_UP,    /* a new leg */
    ME_LEG_FOUND, /* one from before our start: nobody can say whether it is muted */
    ME_LEG_GONE,
    ME_SERVER_BACK,
    ME_OVER, /* the call */
    ME_EVENTS
};

struct agent {
    uint64_t id;
    uint16_t node;
    bool configured, enabled;
    /* Thousands of agents sit idle: what is long and seldom changes stands in one allocation that
     * fits. Owned; the three point into it and are "" before there is one. */
    char *texts;
    const char *name, *endpoint;
    const char *tone; /* of the campaign, heard before a customer is bridged */
    uint32_t pbx;
    bool phone_enabled, phone_online;
    uint32_t epoch, seq;
    uint32_t wrapup_default_s, busy_reset_s, link_grace_s, leg_ring_s;

    /* where the agent works (R1) */
    uint64_t campaign;
    enum leg_kind leg_kind; /* in force since login */
    enum leg_kind leg_wish; /* of the campaign, for the next login */
    uint32_t wrapup_s;

    struct fsm fsm;
    struct fsm leg;
    char leg_id[ID_SIZE];
    char leg_bridge[ID_SIZE];  /* "" while there is none */
    char left_bridge[ID_SIZE]; /* to be ended when the server is back */
    uint64_t leg_permit;
    int64_t leg_answered_wall_ms;
    uint8_t leg_tries; /* of this leg to get a place */
    bool leg_seen, call_again;
    int64_t leg_asked_us; /* when it was last sent to the server */
    bool leg_away;        /* it was offered to a call's bridge: not surely at home */

    bool socket;    /* a page is connected */
    bool link_lost; /* the page was away too long */
    bool page_seen; /* a page was here since our start: an adopted agent may be an empty seat */
    bool pbx_up;
    timer_ref socket_timer, tone_timer;

    uint8_t was; /* after a restart: AGENT_AVAILABLE, _PREVIEW, _BREAK; 0 nothing to go on with */
    int64_t was_until_us; /* who comes later may be somebody else */
    bool want_available;  /* connecting: become available when the leg is up */
    bool want_logout;
    uint8_t next; /* R5: AGENT_AVAILABLE or AGENT_BREAK, 0 none */
    char next_reason[AGENT_REASON_SIZE];
    char reason[AGENT_REASON_SIZE]; /* of the present state */
    const char *trouble;            /* why no calls come, shown to the agent: a constant */
    uint32_t missed_wrapups;        /* in a row (R4) */

    /* the call at hand, or the one to be disposed */
    char attempt[ID_SIZE];
    uint64_t call_campaign;
    enum attempt_cause cause;
    bool call_alive; /* it has not ended */
    bool talked;     /* it was joined */
    bool disposed;   /* before its end */
    bool tone_over;
    char number[AGENT_NUMBER_SIZE];
    uint64_t lead;
    uint32_t preview_s; /* it was shown before it was dialed, for so long at most; 0: it was not */
    bool preview_dials; /* and was to be dialed at the end of that time */

    struct fsm mute;
    bool was_muted;                     /* when the last daemon went */
    bool mute_turned;                   /* the other way is wished since it was asked */
    uint64_t mute_client, mute_request; /* who waits for it; request 0: nobody */

    /* a manual call that waits for the leg, or for the campaign's answer */
    bool dialing;
    uint64_t dial_client, dial_request;
};

extern const struct fsm_def agent_fsm;
extern const struct fsm_def leg_fsm;
extern const struct fsm_def mute_fsm;
extern const struct actor_type agent_actor;

enum agent_event {
    GE_TIMEOUT = FSM_TIMEOUT,
    GE_LOGIN,
    GE_LEG_UP,
    GE_LEG_FAILED, /* it could not be called */
    GE_LEG_DOWN,   /* it was up */
    GE_AVAILABLE,
    GE_BREAK,
    GE_RESERVED, /* a call is coming, its or the campaign's wish */
    GE_JOINED,
    GE_CALL_OVER,
    GE_DISPOSED,
    GE_LINK_LOST,
    GE_LOGOUT,
    GE_ADOPT, /* after a restart: in a call */
    GE_BACK,  /* after a restart: the page is there again, as it was */
    GE_SHOWN, /* a lead to look at */
    GE_DIAL,  /* and to be dialed, */
    GE_SKIP,  /* or not */
    GE_EVENTS
};

void agent_fire(struct agent *g, enum agent_event on, const struct event *ev, struct effects *fx);
void leg_fire(struct agent *g, enum leg_event on, const struct event *ev, struct effects *fx);
/* The leg can take a call: up, or on demand and the phone is there. */
bool agent_reachable(const struct agent *g);
/* A message about our leg or its pbx. */
void leg_on_message(struct agent *g, const struct event *ev, struct effects *fx);
void leg_home(struct agent *g, struct effects *fx);
/* The leg waits its turn at a server that has much to do. */
bool leg_waits(const struct agent *g);
/* None of ours: at most one that was left. */
bool leg_unused(const struct agent *g);
void leg_server_back(struct agent *g, struct effects *fx);
/* Adopted without a page: it has a minute to come back, then the link counts as lost. */
void leg_await_page(struct agent *g, struct effects *fx);
/* --- agent_tell.c */
#define NO_JSON ((struct text){"", 0})
void agent_answer(uint64_t client, uint64_t request, enum result result, const char *text,
                  struct text json, struct effects *fx);
/* Why no calls come, empty: nothing is wrong. */
const char *agent_trouble(const struct agent *g);
void agent_view(const struct agent *g, struct effects *fx);
void agent_tell_campaign(const struct agent *g, uint64_t campaign, uint8_t state,
                         struct effects *fx);
/* The state, once more if need be: with what is wanted of the leg. */
void agent_record(const struct agent *g, const struct event *ev, struct effects *fx);
void agent_tell_all(const struct agent *g, const struct event *ev, struct effects *fx);

/* --- agent_state.c */
void agent_forget_call(struct agent *g);

/* --- agent_call.c */
/* A manual call, or a reservation with a leg on demand, waited for the phone. */
void agent_leg_for_call(const struct fsm_ctx *x);
/* The leg is up: the campaign may call the number that waits. */
void agent_ask_dial(struct agent *g, struct effects *fx);
void agent_tone_is_over(struct agent *g, struct effects *fx);
void agent_on_reserve(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_call_moved(struct agent *g, const struct event *ev, struct effects *fx);
/* The system's own disposition, where the agent's does not come. */
void agent_not_disposed(const struct agent *g, struct text attempt, const struct event *ev,
                        struct effects *fx);
void agent_on_adopted(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_lead_settled(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_tone(struct agent *g, const struct event *ev, struct effects *fx);
/* A call is taken: the phone is called, or the tone played, and the campaign told. */
void agent_take_call(struct agent *g, const struct event *ev, struct effects *fx);
/* --- agent_preview.c */
void agent_show(struct agent *g, const struct msg_reserve *m, const struct event *ev,
                struct effects *fx);
void agent_dial_shown(const struct fsm_ctx *x);
bool agent_dials_shown(const struct fsm_ctx *x);
/* Not dialed, by no choice of the agent's. */
void agent_return_shown(struct agent *g, const char *why, struct effects *fx);
/* The campaign has taken it back. */
void agent_shown_is_gone(struct agent *g, uint8_t reason);
void agent_on_preview_dial(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_preview_skip(struct agent *g, const struct event *ev, struct effects *fx);
/* told by the leg */
void agent_leg_up(struct agent *g, const struct event *ev, struct effects *fx);
/* `why`: a constant, it is shown until something changes */
void agent_leg_failed(struct agent *g, const char *why, const struct event *ev, struct effects *fx);
void agent_leg_down(struct agent *g, const struct event *ev, struct effects *fx);

/* --- agent_mute.c */
static inline bool agent_is_muted(const struct agent *g)
{
    return g->mute.state == MUTE_ON;
}
void mute_fire(struct agent *g, enum mute_event on, const struct event *ev, struct effects *fx);
void agent_on_set_mute(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_muted(struct agent *g, const struct event *ev, struct effects *fx);

/* --- agent_page.c */
/* Why the call at hand cannot be touched, NULL: the two are talking. */
const char *agent_no_talk(const struct agent *g);
void agent_on_socket(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_order(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_login(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_campaign_chosen(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_logout(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_set_status(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_dial(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_hang_up(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_send_dtmf(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_dtmf_sent(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_choose_lead(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_set_disposition(struct agent *g, const struct event *ev, struct effects *fx);
void agent_on_disposed(struct agent *g, const struct event *ev, struct effects *fx);

#endif
