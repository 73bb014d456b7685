#include "actors/outcome.h"

enum outcome outcome_of_cause(uint16_t cause, uint16_t tech_cause)
{
    if (tech_cause == 603 || tech_cause == 607 || tech_cause == 608) {
        return OUTCOME_REJECTED; /* the callee or its network said no, whatever the cause says */
    }
    switch (cause) {
    case 17: /* user busy */
        return OUTCOME_BUSY;
    case 1:  /* unallocated */
    case 22: /* number changed */
    case 28: /* invalid format */
        return OUTCOME_BAD_NUMBER;
    case 21: /* rejected */
        return OUTCOME_REJECTED;
    case 3:   /* no route */
    case 27:  /* destination out of order */
    case 29:  /* facility rejected */
    case 34:  /* congestion */
    case 38:  /* network out of order */
    case 41:  /* temporary failure */
    case 42:  /* switch congestion */
    case 58:  /* bearer not available */
    case 102: /* recovery on timer */
        return OUTCOME_CONGESTION;
    default: /* 18, 19, 20, 127 and what else means: nobody picked up */
        return OUTCOME_NO_ANSWER;
    }
}

struct outcome_rule outcome_rule(enum outcome outcome, const struct recycle_delays *d)
{
    switch (outcome) {
    case OUTCOME_NO_ANSWER:
        return (struct outcome_rule){true, d->no_answer_s};
    case OUTCOME_BUSY:
        return (struct outcome_rule){true, d->busy_s};
    case OUTCOME_CONGESTION:
    case OUTCOME_FAULT:
        return (struct outcome_rule){false, d->fault_s};
    case OUTCOME_CANCELLED:
        return (struct outcome_rule){false, d->retry_s};
    case OUTCOME_ABANDONED:
        return (struct outcome_rule){true, d->abandoned_s};
    case OUTCOME_BAD_NUMBER: /* never again */
    case OUTCOME_ANSWERED:   /* the disposition says whether it goes again */
    case OUTCOME_MACHINE:
        return (struct outcome_rule){true, 0};
    case OUTCOME_NEVER_SENT:
        return (struct outcome_rule){false, 0};
    case OUTCOME_NONE:
    case OUTCOME_CUSTOMER_GONE:
    case OUTCOME_UNKNOWN:
    case OUTCOME_REJECTED:
    case OUTCOMES:
        break;
    }
    return (struct outcome_rule){true, d->retry_s};
}
