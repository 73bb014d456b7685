/*
 * desk_int.h - the desk's actor, as its own files see it.
 *
 *   desk.c        who exists, configuration, passing on, start and stop
 *   desk_pbx.c    the Asterisk servers and what lives on them
 *   desk_mode.c   what the daemon as a whole does: RUN, NO_NEW_DIALS, DRAIN, as a table
 *   desk_alarm.c  what people are called for (R26)
 *   desk_park.c   campaigns that an error of ours has stopped, and how they go on
 */
#ifndef ACTORS_DESK_INT_H
#define ACTORS_DESK_INT_H

#include "actors/map.h"
#include "actors/messages.h"
#include "actors/types.h"
#include "core/fsm.h"

#define PBX_MOST 64u
#define ALARMS_MOST 128u
#define DESK_TEXT 160u

/* Whether there is an actor for it. */
enum campaign_life {
    LIFE_GOES_ON = 0,
    LIFE_PARKED, /* none: an error of ours in one of its steps */
    LIFE_ASKED,  /* none yet: somebody starts it, and the store is asked what there is of it */
    LIFE_COMING, /* there is one: the calls that it finds are still to come from the store */
};

/* What agents need to know of the campaign they work in, and the desk of what it does. */
struct known_campaign {
    uint64_t id;
    uint8_t leg;
    uint32_t wrapup_s;
    char tone[64];
    uint32_t pbx;
    char name[96];
    bool quiet;
    bool rides; /* the store is away: it has claimed rows to dial, as far as we know */
    enum campaign_life life;
    uint32_t seq;      /* parked: of its last attempt */
    int64_t parked_us; /* parked: since */
};

struct known_agent {
    uint64_t id;
    uint64_t assigned; /* where the store puts it */
    uint64_t campaign; /* where it works: that, or what it chose at login (R1) */
    uint64_t endpoint_hash;
    uint32_t pbx;
    char endpoint[128];
};

struct known_pbx {
    uint32_t pbx;
    uint8_t state;
    bool missed; /* some of its list came before its owner could know whose it is */
};

struct standing_alarm {
    uint8_t kind; /* enum alarm_kind, 0: free place */
    uint64_t subject;
    int64_t started_wall_ms;
    char text[DESK_TEXT];
};

struct desk {
    uint16_t node;
    bool draining, drained;
    timer_ref drain_timer;
    struct map campaigns, agents, trunks;
    struct map members; /* agent << 32 | campaign: may work there */
    struct known_pbx pbxs[PBX_MOST];
    bool known; /* the store has told which calls there were */
    uint32_t n_pbxs;
    bool store_up;
    int64_t clock_apart_ms;

    struct fsm mode; /* states: enum daemon_mode */
    bool loaded, journal_ok;
    char journal_text[DESK_TEXT];
    uint8_t cause; /* enum reason, as told */

    struct standing_alarm alarms[ALARMS_MOST];
};

/* --- desk.c */
void desk_to_each(const struct map *m, unsigned kind, uint16_t type, const void *msg,
                  struct effects *fx);

/* --- desk_pbx.c */
void desk_on_pbx(struct desk *d, const struct event *ev, struct effects *fx);
void desk_on_retake(struct desk *d, const struct event *ev, struct effects *fx);
void desk_on_found(struct desk *d, const struct event *ev, struct effects *fx);
void desk_on_listed(struct desk *d, const struct event *ev, struct effects *fx);
void desk_on_endpoint(struct desk *d, const struct event *ev, struct effects *fx);

/* --- desk_mode.c */
extern const struct fsm_def desk_fsm;
void desk_mode_begin(struct desk *d, const struct event *ev, struct effects *fx);
/* Something it depends on may have changed. */
void desk_mode_look(struct desk *d, const struct event *ev, struct effects *fx);
/* The mode as it is, for one who has just come. */
void desk_mode_tell(const struct desk *d, handle to, struct effects *fx);
void desk_on_journal(struct desk *d, const struct event *ev, struct effects *fx);
void desk_on_claims_left(struct desk *d, const struct event *ev, struct effects *fx);

/* --- desk_park.c */
/* It takes no more mail: nobody waits for it. */
void desk_park(struct desk *d, const struct msg_alarm *m, const struct event *ev,
               struct effects *fx);
void desk_on_switch(struct desk *d, const struct event *ev, struct effects *fx);
/* Of a campaign that cannot speak for itself. */
void desk_on_explain(struct desk *d, const struct event *ev, struct effects *fx);
/* The store told its settings: has it been asked for, to be taken up again? Then it is coming. */
bool desk_comes_back(const struct desk *d, struct known_campaign *c, struct effects *fx);
bool desk_is_coming(const struct desk *d, uint64_t campaign);
/* The store told all there is of it. */
void desk_is_back(struct desk *d, const struct msg_loaded *m, const struct event *ev,
                  struct effects *fx);

/* --- desk.c, for desk_park.c */
void desk_load(uint8_t kind, uint64_t id, struct effects *fx);

/* --- desk_alarm.c */
/* NULL: it does not stand. */
const struct standing_alarm *desk_standing(const struct desk *d, enum alarm_kind kind,
                                           uint64_t subject);
void desk_alarm(struct desk *d, enum alarm_kind kind, uint64_t subject, bool stands,
                struct text text, const struct event *ev, struct effects *fx);
void desk_on_alarm(struct desk *d, const struct event *ev, struct effects *fx);
/* What a daemon before us left standing is over, what still is so will be told: the first thing the
 * store hears. */
void desk_alarm_begin(const struct event *ev, struct effects *fx);

#endif
