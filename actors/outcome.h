/*
 * outcome.h - what an ended attempt means: Q.850 and SIP causes to an outcome (ari/asterisk.md
 * section 2: never by dialstatus), and what an outcome costs (R11).
 */
#ifndef ACTORS_OUTCOME_H
#define ACTORS_OUTCOME_H

#include "actors/types.h"

#define CLEARED_NORMALLY 16u /* Q.850: as a conversation ends */

/* An unanswered attempt that the far end or the network ended. */
enum outcome outcome_of_cause(uint16_t cause, uint16_t tech_cause);

/* Recycle delays [s], each a setting of the campaign. */
struct recycle_delays {
    uint32_t retry_s, no_answer_s, busy_s, abandoned_s, fault_s;
};

struct outcome_rule {
    bool counts;      /* uses one of the lead's attempts */
    uint32_t delay_s; /* before its row, if it may at all (row_event_of), goes again */
};

struct outcome_rule outcome_rule(enum outcome outcome, const struct recycle_delays *d);

#endif
