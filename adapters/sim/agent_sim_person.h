/* agent_sim_person.h - inside one person: agent_sim_person.c does, agent_sim_hear.c hears. */
#ifndef ADAPTERS_SIM_AGENT_SIM_PERSON_H
#define ADAPTERS_SIM_AGENT_SIM_PERSON_H

#include "adapters/sim/agent_sim.h"

#define ASKED_MAX 8
#define RETURN_S 0.3 /* after a cut, a little apart from the others */

enum next {
    NEXT_NOTHING,
    NEXT_LOGIN,
    NEXT_AVAILABLE,
    NEXT_BREAK,
    NEXT_HANG_UP,
    NEXT_DISPOSE,
    NEXT_RETURN,
};

struct asked {
    int64_t id; /* 0: free */
    const char *type;
    int64_t at_us;
};

struct person {
    struct crowd *crowd;
    struct rng rng;
    char ticket[TICKET_SIZE];
    struct net_ws *ws;
    struct net_timer *timer;
    enum next next;
    bool welcome;
    bool working; /* the login was answered */
    bool resting; /* the break is our own choice */
    bool leaving;
    bool waiting; /* for a ticket */
    bool bridged; /* its call is */
    bool needs;   /* the attempt waits for its disposition */
    int64_t agent;
    int64_t ids;
    char stream[40]; /* of numbers, "" none yet */
    int64_t seq;
    int64_t break_due_us;
    int64_t talk_from_us; /* 0: not in a call */
    char state[16];
    char attempt[ATTEMPT_SIZE]; /* current or just ended */
    char disposing[ATTEMPT_SIZE];
    char code[CODE_SIZE];        /* that was asked for it */
    char disposed[ATTEMPT_SIZE]; /* the last one that was acknowledged or given up */
    struct asked asked[ASKED_MAX];
};

/* --- agent_sim_person.c ----------------------------------------------------------------------- */

double person_exponential(struct person *p, double mean);
/* The one next thing to do. */
void person_later(struct person *p, enum next next, double seconds);
void person_never(struct person *p);

/* --- agent_sim_hear.c ---------------------------------------------------------------------------
 */

/* A message is in crowd->doc. */
void person_hear(struct person *p);
void person_talk_over(struct person *p);

#endif
