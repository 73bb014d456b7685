/*
 * walk_int.h - what the files of a walk share.
 *
 *   walk.c         its settings, its course, its end
 *   walk_fault.c   what goes wrong
 *   walk_people.c  agents who come back by themselves
 *   walk_judge.c   the tables for the judge
 */
#ifndef TESTS_SIM_WALK_INT_H
#define TESTS_SIM_WALK_INT_H

#include <math.h>

#include "core/rng.h"
#include "tests/sim/walk.h"
#include "tests/sim/world_int.h"

enum fault_kind {
    FAULT_KILL,
    FAULT_STORE_AWAY,
    FAULT_STORE_SLOW,
    FAULT_STORE_STUTTERS, /* answers of a transaction come late, now and then */
    FAULT_HOPPER_AWAY,
    FAULT_HOPPER_FLUSHED,
    FAULT_HOPPER_POISONED,
    FAULT_LINK_CUT,
    FAULT_LINK_DEAF,
    FAULT_LINK_STALLS,
    FAULT_PBX_RESTARTS,
    FAULT_PBX_SLOW,
    FAULT_FREEZE,
    FAULT_ORIGINATE_FAILS,
    FAULT_PHONE_DROPS,
    FAULT_PHONE_OFFLINE,
    FAULT_PHONE_SILENT,
    FAULT_PAGE_GONE,
    FAULT_WHIM, /* of an agent: logs out, dials, rests */
    FAULT_CALLEE_GONE,
    FAULT_DO_NOT_CALL,
    FAULT_LIST_STOPPED,
    FAULT_CAMPAIGN_STOPPED,
    FAULT_KINDS
};

struct fault {
    int64_t at_us, until_us; /* until: equal, it lasts no time */
    uint8_t kind;
    double amount; /* [0, 1) */
    uint64_t who;
};

struct walk {
    const struct walk_options *options;
    struct walk_result *result;
    struct world *w;
    struct judge *judge;
    struct rng rng; /* for people and their like; the faults have their own */
    struct fault faults[WALK_FAULTS];
    unsigned n_faults;
    unsigned on[FAULT_KINDS]; /* of each kind, at this moment */
    double store_ms, pbx_ms;  /* usual */
    unsigned agents, leads, campaigns;
    int64_t end_us; /* dialing ends, and trouble */
    bool calm, over;
    unsigned kill; /* fault + 1: the run was stopped for it */
};

/* walk_fault.c */
void faults_draw(struct walk *x);
void faults_plan(struct walk *x);      /* into the world's time */
void faults_kill(struct walk *x);      /* the run was stopped: now */
void faults_crash(struct walk *x);     /* the daemon has come to the place where it is to die */
void faults_reconnect(struct walk *x); /* what comes back by itself does */
const char *fault_name(unsigned kind);

/* walk_people.c */
void people_live(struct walk *x); /* from now on, until the walk ends */

/* walk_judge.c */
void judge_walked(struct walk *x);

#endif
