#include "actors/pacing.h"

/* After so many live answers the 30-day window binds (R21). */
#define WINDOW_WARM_UP 100u
#define BASIS_POINTS 10000u

/* The rate forgets with this time constant. */
#define RATE_TAU_US (4.0 * (double)US_PER_S)

/* A record is in the store long before that, or the store is away and counts nothing. */
#define ON_ITS_WAY_US (10 * US_PER_S)

static double decay(int64_t elapsed_us)
{
    /* 1/(1+x) instead of exp(-x): no library, monotonic, good enough for a claim-ahead estimate */
    double x = elapsed_us > 0 ? (double)elapsed_us / RATE_TAU_US : 0.0;

    return 1.0 / (1.0 + x);
}

double pacing_rate(const struct pacing *p, int64_t now_us)
{
    return p->rate_per_s * decay(now_us - p->rate_at_us);
}

static void age(struct pacing *p, int64_t now_us)
{
    int64_t elapsed = now_us - p->new_since_us;

    if (elapsed < ON_ITS_WAY_US) {
        return;
    }
    p->answers_new[1] = elapsed < 2 * ON_ITS_WAY_US ? p->answers_new[0] : 0;
    p->abandoned_new[1] = elapsed < 2 * ON_ITS_WAY_US ? p->abandoned_new[0] : 0;
    p->answers_new[0] = p->abandoned_new[0] = 0;
    p->new_since_us = now_us;
}

static uint64_t at_least(uint64_t kept, uint64_t recorded, uint64_t newest)
{
    return kept > recorded && kept - recorded <= newest ? kept : recorded;
}

void pacing_window(struct pacing *p, uint64_t answers_30d, uint64_t abandoned_30d, int64_t now_us)
{
    age(p, now_us);
    p->answers_30d = at_least(p->answers_30d, answers_30d, p->answers_new[0] + p->answers_new[1]);
    p->abandoned_30d =
        at_least(p->abandoned_30d, abandoned_30d, p->abandoned_new[0] + p->abandoned_new[1]);
}

void pacing_note(struct pacing *p, enum pacing_event what, enum outcome outcome, int64_t now_us)
{
    age(p, now_us);
    switch (what) {
    case PACING_DIALED:
        p->dialed++;
        p->rate_per_s = pacing_rate(p, now_us) + (double)US_PER_S / RATE_TAU_US;
        p->rate_at_us = now_us;
        break;
    case PACING_ANSWERED:
        p->answered++;
        p->answers_30d++;
        p->answers_new[0]++;
        break;
    case PACING_CONNECTED:
        break;
    case PACING_ENDED:
        if (outcome == OUTCOME_ABANDONED) {
            p->abandoned++;
            p->abandoned_30d++;
            p->abandoned_new[0]++;
        } else if (outcome == OUTCOME_MACHINE && p->answers_30d > 0) {
            p->answers_30d--; /* a machine is not a person */
        }
        break;
    }
}

/* Would one more drop pass the limit of the 30-day window? */
static bool window_hard(const struct pacing *p, uint32_t limit_bp)
{
    return p->answers_30d >= WINDOW_WARM_UP &&
           (p->abandoned_30d + 1) * BASIS_POINTS > p->answers_30d * limit_bp;
}

static uint32_t aim(const struct pacing_input *in, bool hard)
{
    if (in->mode == MODE_RATIO && !hard && in->abandon_limit_bp > 0 && in->ratio > 1.0) {
        return (uint32_t)(in->ratio * (double)in->available);
    }
    return in->available;
}

struct pacing_decision pacing_decide(const struct pacing *p, const struct pacing_input *in)
{
    struct pacing_decision d = {0, 0, REASON_allow, false};

    if (in->mode != MODE_PROGRESSIVE && in->mode != MODE_RATIO && in->mode != MODE_PREVIEW) {
        d.bound_by = REASON_allow; /* people dial */
        return d;
    }
    if (in->available == 0) {
        d.bound_by = in->logged_in > 0 ? REASON_agents_not_ready : REASON_no_available_agent;
        return d;
    }
    d.abandon_hard = in->mode == MODE_RATIO && window_hard(p, in->abandon_limit_bp);
    d.target = aim(in, d.abandon_hard);
    d.bound_by = d.abandon_hard ? REASON_abandon_limit : REASON_pace_full;
    if (d.target > in->in_flight) {
        d.calls = d.target - in->in_flight;
    }
    if (in->max_lines > 0) {
        uint32_t room = in->max_lines > in->live ? in->max_lines - in->live : 0;

        if (d.calls > room) {
            d.calls = room;
            d.bound_by = REASON_lines_used;
        }
    }
    return d;
}
