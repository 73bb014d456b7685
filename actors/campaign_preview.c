/*
 * campaign_preview.c - preview mode: the next lead is claimed and shown to an agent who is there,
 * and only that agent's word lets its call leave. How long it may be looked at, and what happens
 * then, is told with the question and kept by the agent's actor: its page counts down.
 *
 * Nobody waits in such a call for an agent, so there is nothing to pace; what answers and is not
 * joined hears the message as in any other mode.
 */
#include "actors/campaign.h"
#include "actors/words.h"

bool campaign_previews(const struct campaign *c, const struct attempt *a)
{
    return c->set.mode == MODE_PREVIEW && a->cause == CAUSE_AUTO && !a->bound &&
           a->fsm.state == ATTEMPT_CLAIMED;
}

uint32_t campaign_unshown(const struct campaign *c)
{
    uint32_t n = attempts_in(c, ATTEMPT_CLAIMING);

    for (const struct attempt *a = attempt_first(c, ATTEMPT_CLAIMED); a; a = attempt_next(a)) {
        n += a->asked || a->bound ? 0u : 1u;
    }
    return n;
}

void attempt_shown(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->previewed = true;
    attempt_record(x, ATTEMPT_PREVIEW);
}

/* Its agent wants it. From now on its time runs as that of a row just claimed: nobody else could
 * have had it meanwhile, and what has changed about it since was told. */
void attempt_wanted(const struct fsm_ctx *x)
{
    struct attempt *a = x->subject;

    a->claimed_us = x->ev->now_us;
    attempt_record(x, ATTEMPT_CLAIMED);
}

/* The agent has let it go, and knows. */
void attempt_skipped(const struct fsm_ctx *x)
{
    const struct campaign *c = x->owner;
    const struct msg_preview_over *m = x->ev->msg;
    int64_t due = m->waits ? x->ev->wall_ms + (int64_t)c->set.delays.retry_s * MS_PER_S : 0;

    attempt_put_back(x, due, m->reason);
    fx_count(x->fx, "dialer_previews_skipped_total", m->waits ? "skipped" : "returned", c->id, 1);
}

void campaign_on_preview_over(struct campaign *c, const struct event *ev, struct effects *fx)
{
    const struct msg_preview_over *m = ev->msg;
    struct attempt *a = attempt_find(c, m->attempt);

    if (a && a->agent == m->agent) {
        attempt_fire(c, a, AE_SKIPPED, ev, fx);
    }
}
