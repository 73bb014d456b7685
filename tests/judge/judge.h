/*
 * judge.h - was anything lost, dialed twice, left stuck or otherwise promised and not kept?
 *
 * The judge knows nothing of the daemon: it is told what the telephone network saw, what the agents
 * were told and answered, what was broken on purpose and when, and what stands in the store after
 * everything has come to rest. From these alone it evaluates I1 to I10 (shared/reliability.md,
 * section 2). Who tells it (files of a run of real processes, or a model in virtual time) is no
 * matter to it.
 *
 *     struct judge *j = judge_open(&(struct judge_options){...});
 *     judge_see(j, &event);            everything that happened, in any order
 *     judge_attempt(j, &row); ...      the store's tables, once all is at rest
 *     judge_decide(j, &verdict);
 *     judge_tell(j, stdout);           what was found, the first with its whole history
 *     judge_close(j);
 *
 * One clock for all: microseconds UTC (any origin will do, if all use it; the windows of day need
 * UTC). Texts are copied. One thread. No memory: abort().
 */
#ifndef TESTS_JUDGE_JUDGE_H
#define TESTS_JUDGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* --- what happened -----------------------------------------------------------------------------
 */

/* id: a channel, "att-..." a customer's attempt, "leg-..." an agent's leg (actors/types.h). */
enum judge_kind {
    /* the network's witness */
    JUDGE_ORIGINATE = 1, /* id, number; yes: it was accepted, something rings */
    JUDGE_ANSWER,        /* id; yes: a client held the application at this moment */
    JUDGE_ENTER,         /* id, into bridge `text` */
    JUDGE_LEAVE,         /* id, from bridge `text` */
    JUDGE_MESSAGE,       /* id: the abandonment message begins, whoever plays it */
    JUDGE_MESSAGE_END,   /* id: yes: it was heard to its end */
    JUDGE_END,           /* id; yes: the far end hung up, or never answered */
    JUDGE_HELD,          /* a client has taken the application */
    JUDGE_NOT_HELD,      /* and none has it */
    JUDGE_PBX_DOWN,      /* the server died: every channel and bridge with it */
    JUDGE_PBX_UP,
    /* the agents' records */
    JUDGE_TOLD,  /* agent: its page shows state `text` (agent_state_name), id: with that attempt */
    JUDGE_ACKED, /* agent: was answered "ok" to the disposition `text` of attempt id */
    JUDGE_GAP,   /* agent: its changes do not join on to what it has; text: how */
    JUDGE_GONE,  /* agent: its page is closed; what it showed counts no more */
    JUDGE_ASKED, /* agent: asks for `text`: hang_up, set_disposition, ... */
    /* the injector's log */
    /* something is broken now, text: what; yes: calls may have to wait for it; number: the codes of
     * the log, with spaces between, of which one must show it (I10), NULL: none has to */
    JUDGE_FAULT,
    JUDGE_RECOVERED, /* and whole again: the daemon works; text: what */
    /* measured from outside */
    JUDGE_LIMIT, /* text: what; value is over its bound */
    /* the daemon's own word */
    JUDGE_NOTICED,        /* its log warns, or it has started; text: the code */
    JUDGE_BOARD,          /* a supervisor's page has its whole picture, which is the following: */
    JUDGE_BOARD_AGENT,    /* agent, in state `text`; time: that of its board */
    JUDGE_BOARD_CALL,     /* id */
    JUDGE_BOARD_CAMPAIGN, /* agent: the campaign; value: agents logged in */
};

struct judge_event {
    int64_t at_us;
    uint8_t kind; /* enum judge_kind */
    bool yes;
    uint64_t agent;
    int64_t value;
    const char *id, *number, *text; /* NULL: none */
};

/* --- the store's tables, at rest
 * ------------------------------------------------------------------ */

/* Times in UTC ms of the daemon's or store's clock, 0 none. Enums are those of actors/types.h. */

struct judge_campaign {
    uint64_t campaign;
    int64_t retry_ms;     /* between the end of a call and the next automatic one to that number */
    const char *prefixes; /* allowed, separated by commas; NULL or empty: none */
    unsigned from_min, to_min; /* window of the day where the callee is; equal: all day */
    uint64_t abandoned;        /* as the daemon counts them, of `answers` */
    uint64_t answers;
    bool counted; /* abandoned and answers are there */
};

struct judge_lead {
    uint64_t lead, list, campaign;
    const char *number;
    unsigned rows;  /* queue rows that it has */
    uint8_t status; /* enum row_status */
    bool final;
    bool suppressed; /* it was on the list when it came: has no row, or a final one */
    bool manual;     /* made by a manual call */
    int64_t due_ms;
    uint64_t attempts; /* used */
};

struct judge_attempt {
    const char *id, *number, *zone, *disposition;
    uint64_t campaign, lead, agent, epoch;
    unsigned attempt_no;
    uint8_t cause, state, outcome;
    bool live, by_agent; /* by_agent: disposed by an agent */
    bool previewed;      /* an agent has looked at it before it was dialed */
    int64_t claimed_ms, originated_ms, answered_ms, bridged_ms, ended_ms, disposed_ms;
    unsigned dispositions; /* that the record of events has for it; 0 unknown or none */
};

struct judge_leg {
    const char *id;
    uint64_t agent;
    int64_t claimed_ms, answered_ms, ended_ms;
};

/* The state that the store has of an agent (the last of its record). */
struct judge_agent {
    uint64_t agent;
    uint8_t state; /* enum agent_state */
};

/* One line of the record of agents' states; told agent by agent, in order of time. */
struct judge_moved {
    uint64_t agent;
    uint64_t campaign; /* where it works, 0 nowhere */
    uint8_t state;     /* enum agent_state, from at_ms on */
    int64_t at_ms;
};

struct judge_suppressed {
    const char *number;
    int64_t at_ms;
};

/* --- the judge ---------------------------------------------------------------------------------
 */

struct judge_options {
    uint64_t imported;   /* leads that were put in; 0: not asked for */
    int64_t wait_us;     /* from an answer to an agent or the message; 0: 2 s */
    int64_t margin_us;   /* by which two clocks or processes may differ; 0: 200 ms */
    bool calls_still_on; /* a call that has not ended is no finding */
    int64_t late_us;     /* what a slow machine may add to wait_us; 0 none */
    bool check_pages;    /* I9 can be asked: the agents' last states are known */
    unsigned tell_each;  /* findings of each invariant that judge_tell names; 0: 5 */
};

enum { JUDGE_INVARIANTS = 11 }; /* [1] to [10] */

struct judge_verdict {
    uint64_t broken[JUDGE_INVARIANTS];
    /* the same, as the soak counts them: I1, I2, I3, agents or customers in two calls (of I6), and
     * everything else */
    uint64_t lost, dialed_twice, stuck, two_calls, breaches;
    uint64_t calls;    /* customers' originates that were accepted */
    uint64_t answered; /* of them */
    uint64_t bridged, abandoned, gone, unknown;
    uint64_t nobody_home;    /* answered while no client held the application */
    uint64_t downtime_waits; /* answered into a fault of our own side; waited for its end */
    uint64_t adopted;        /* in a bridge, or answered and waiting, across a NOT_HELD..HELD */
    uint64_t acked;
    char first[512]; /* the first finding, a sentence; "" */
};

struct judge;

struct judge *judge_open(const struct judge_options *options);
void judge_close(struct judge *j);

void judge_see(struct judge *j, const struct judge_event *e);
void judge_campaign(struct judge *j, const struct judge_campaign *row);
void judge_lead(struct judge *j, const struct judge_lead *row);
void judge_attempt(struct judge *j, const struct judge_attempt *row);
void judge_leg(struct judge *j, const struct judge_leg *row);
void judge_agent(struct judge *j, const struct judge_agent *row);
void judge_moved(struct judge *j, const struct judge_moved *row);
void judge_suppressed(struct judge *j, const struct judge_suppressed *row);
/* What the daemon itself says that it counts; after judge_campaign. */
void judge_counted(struct judge *j, uint64_t campaign, uint64_t answers, uint64_t abandoned);

/* Once, after everything was told. 0: nothing is broken, 1: something is. */
int judge_decide(struct judge *j, struct judge_verdict *out);
/* The findings (each invariant's first few), then the first one's whole history: every event and
 * row that names its call, its number's other calls, or its agent at that time. */
void judge_tell(const struct judge *j, FILE *out);

/* What became of the calls that met each fault which they may have had to wait for, by its name. */
struct judge_fault {
    const char *text; /* valid as long as the judge */
    unsigned times;
    uint64_t adopted; /* answered before it, alive after it, and known to the store */
    uint64_t unknown; /* claimed before its end, and the store does not know what became of them */
    uint64_t broken;  /* findings from its begin to the next one's */
};
/* After judge_decide. How many there are; at most room. */
unsigned judge_faults(const struct judge *j, struct judge_fault *out, unsigned room);

#endif
