/*
 * pacing.h - how many calls may leave now. One interface for every mode; no clock, no memory, no
 * telephony. It is asked at every event, not on a loop's period.
 *
 * Here: manual (never by itself), progressive (one call for each available agent) and ratio (so
 * many for each available agent), and preview (one lead to look at for each available agent, in
 * flight until it has been shown). P8: no available agent, no dialing, in all of them. R21: the
 * 30-day abandonment window is hard in ratio mode too.
 */
#ifndef ACTORS_PACING_H
#define ACTORS_PACING_H

#include "actors/types.h"

/* What pacing has seen. The campaign tells it each call's way, with detection's outcome when that
 * exists (OUTCOME_MACHINE), so that predictive pacing needs no other interface. */
enum pacing_event {
    PACING_DIALED,
    PACING_ANSWERED,
    PACING_CONNECTED,
    PACING_ENDED, /* with its outcome */
};

struct pacing {
    uint64_t dialed, answered, abandoned; /* since the campaign's actor began */
    uint64_t answers_30d, abandoned_30d;  /* of the durable record, kept current by events */
    /* Of them, those of this stretch of time [0] and of the one before [1]: their records may still
     * be on their way to the store. */
    uint64_t answers_new[2], abandoned_new[2];
    int64_t new_since_us;
    double rate_per_s; /* originates a second, smoothed */
    int64_t rate_at_us;
};

struct pacing_input {
    enum campaign_mode mode;
    double ratio;
    uint32_t logged_in;
    uint32_t available;
    uint32_t in_flight; /* originating, ringing, answered without an agent */
    uint32_t live;      /* all calls that hold a line */
    uint32_t max_lines; /* 0 no limit of the campaign's own */
    uint32_t abandon_limit_bp;
    int64_t now_us;
};

struct pacing_decision {
    uint32_t calls;       /* how many more may leave now */
    uint32_t target;      /* calls in flight aimed at */
    enum reason bound_by; /* what keeps it from being more */
    bool abandon_hard;    /* R21 has taken the ratio away */
};

struct pacing_decision pacing_decide(const struct pacing *p, const struct pacing_input *in);
void pacing_note(struct pacing *p, enum pacing_event what, enum outcome outcome, int64_t now_us);
/* The durable record's count replaces what was kept since, but for what is so new that it may not
 * be in it: to count too few of them would let through a call that R21 forbids. */
void pacing_window(struct pacing *p, uint64_t answers_30d, uint64_t abandoned_30d, int64_t now_us);
/* Originates a second at now_us. */
double pacing_rate(const struct pacing *p, int64_t now_us);

#endif
