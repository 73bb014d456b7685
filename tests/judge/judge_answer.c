/* judge_answer.c - what became of each answered call (I6), and whether the store counts it for what
 * it was (I7). */
#include "tests/judge/judge_int.h"

#include <inttypes.h>
#include <stdlib.h>

/* When somebody was there, or the message: the first of them; 0 neither. */
static int64_t served_us(const struct call *c)
{
    if (c->bridged_us && c->message_us) {
        return c->bridged_us < c->message_us ? c->bridged_us : c->message_us;
    }
    return c->bridged_us ? c->bridged_us : c->message_us;
}

static bool in_time(const struct call *c, int64_t until_us)
{
    const int64_t served = served_us(c);

    /* The callee's own end, and the server's, end the obligation. */
    return (served && served <= until_us) ||
           (c->ended_us && c->ended_us <= until_us && (c->by_far || c->by_crash));
}

/* Called off while it rang; the word met the answer on its way, and nobody could know of either. */
static bool crossed(const struct judge *j, const struct call *c)
{
    return c->attempt != NONE && j->attempts.at[c->attempt].row.outcome == OUTCOME_CANCELLED &&
           j->attempts.at[c->attempt].row.answered_ms == 0 && c->ended_us > 0 &&
           c->ended_us - c->answered_us <= judge_margin_us(j);
}

static void check_wait(struct judge *j, const struct call *c)
{
    const int64_t wait = judge_wait_us(j);
    const int64_t until = c->answered_us + wait;
    int64_t recovered;

    if (!c->held) {
        j->verdict.nobody_home++;
    }
    if (in_time(c, until) || (c->ended_us == 0 && j->options.calls_still_on)) {
        return;
    }
    recovered = judge_outage(j, c->answered_us, until);
    if (recovered) {
        j->verdict.downtime_waits += c->held;
        if (!in_time(c, recovered + wait)) {
            judge_broken(
                j, 6, c, 0, c->answered_us,
                "answered into a fault, and %.1f s after its end neither agent nor message",
                (double)wait / 1e6);
        }
    } else if (served_us(c)) {
        judge_broken(j, 6, c, 0, c->answered_us, "waited %.2f s from the answer",
                     (double)(served_us(c) - c->answered_us) / 1e6);
    } else {
        judge_broken(j, 6, c, 0, c->answered_us,
                     "answered%s, and got neither agent nor message in %.2f s",
                     c->held ? "" : " while no client held the application",
                     c->ended_us ? (double)(c->ended_us - c->answered_us) / 1e6 : -1.0);
    }
}

/* What the network says that the call was. */
static unsigned outcome_of(const struct judge *j, const struct call *c)
{
    const int64_t wait = j->options.wait_us ? j->options.wait_us : INT64_C(2000000);

    if (c->bridged_us) {
        return OUTCOME_ANSWERED;
    }
    /* the daemon sees both a little later than the network */
    if (c->by_far && !c->message_us && c->ended_us - c->answered_us <= wait) {
        return OUTCOME_CUSTOMER_GONE;
    }
    return OUTCOME_ABANDONED;
}

/* Could the daemon not know? It or its view of the server was away in the life of the call. */
static bool blind(const struct judge *j, const struct call *c)
{
    const int64_t to = c->ended_us ? c->ended_us : INT64_MAX - judge_wait_us(j);

    return c->by_crash || judge_outage(j, c->originated_us, to + judge_margin_us(j)) != 0;
}

static void check_outcome(struct judge *j, struct call *c)
{
    const struct judge_attempt *row = &j->attempts.at[c->attempt].row;
    const unsigned was = outcome_of(j, c);
    const int64_t lived = c->ended_us - c->answered_us;
    const int64_t about = judge_margin_us(j) * 2;
    const bool close_call = c->by_far && was != OUTCOME_ANSWERED &&
                            lived >= judge_wait_us(j) - j->options.late_us - about &&
                            lived <= judge_wait_us(j) + about;

    if (row->outcome == OUTCOME_UNKNOWN) {
        j->verdict.unknown++;
        if (!blind(j, c)) {
            judge_broken(j, 7, c, 0, c->answered_us,
                         "its fate is unknown to the store, and nothing was broken in its life");
        }
        return;
    }
    if (row->outcome == was || row->outcome == OUTCOME_MACHINE || row->live) {
        return;
    }
    if ((row->outcome == OUTCOME_ABANDONED || row->outcome == OUTCOME_CUSTOMER_GONE) &&
        (close_call || (was != OUTCOME_ANSWERED && blind(j, c)))) {
        return;
    }
    /* joined so shortly before the daemon died that its record had not left, and over before
     * anybody could look: what is known is that it was answered */
    if (row->outcome == OUTCOME_CUSTOMER_GONE && was == OUTCOME_ANSWERED && c->ended_us &&
        judge_outage(j, c->ended_us - judge_margin_us(j) * 2, c->ended_us) != 0) {
        return;
    }
    /* the agent hung up before the two were joined, and the join was on its way: it parted them */
    if (row->outcome == OUTCOME_ABANDONED && was == OUTCOME_ANSWERED && c->message_us &&
        c->parted_us && c->parted_us - c->bridged_us <= judge_margin_us(j)) {
        return;
    }
    /* who hung up unseen, just before an agent's leg was put into the bridge, looks joined */
    if (row->outcome == OUTCOME_ANSWERED && was == OUTCOME_CUSTOMER_GONE && blind(j, c)) {
        return;
    }
    judge_broken(j, 7, c, 0, c->answered_us, "the store says %s, the network saw %s",
                 outcome_name(row->outcome), outcome_name(was));
}

/* Of the calls that the abandonment figures are made of (R20): automatic, not looked at by an agent
 * before (who waits then), answered by a person. The network says who answered; the store, where it
 * says that it does not know or could not. */
static bool counts(const struct judge *j, const struct attempt *a, const struct call *c)
{
    if (a->row.cause != CAUSE_AUTO || a->row.previewed || a->row.outcome == OUTCOME_MACHINE) {
        return false;
    }
    if (a->row.live || a->row.outcome == OUTCOME_UNKNOWN || blind(j, c)) {
        return a->row.answered_ms > 0;
    }
    return c->answered_us > 0 && !crossed(j, c);
}

/* The daemon's own figures: what an abandoned call is, check_outcome has seen to. */
static void check_counted(struct judge *j)
{
    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct attempt *a = &j->attempts.at[i];
        if (counts(j, a, &j->calls.at[judge_find(&j->call_of, a->id)])) {
            struct campaign *camp = judge_camp(j, a->row.campaign);
            camp->answers++;
            camp->abandoned += a->row.outcome == OUTCOME_ABANDONED;
        }
    }
    for (uint32_t i = 0; i < j->campaigns.n; i++) {
        const struct campaign *c = &j->campaigns.at[i];
        if (c->row.counted && (c->row.abandoned != c->abandoned || c->row.answers != c->answers)) {
            judge_broken(j, 7, NULL, 0, 0,
                         "campaign %" PRIu64 ": the daemon counts %" PRIu64 " abandoned of %" PRIu64
                         ", by what was seen it is %" PRIu64 " of %" PRIu64,
                         c->row.campaign, c->row.abandoned, c->row.answers, c->abandoned,
                         c->answers);
        }
    }
}

void judge_answers(struct judge *j)
{
    struct judge_verdict *v = &j->verdict;

    for (uint32_t i = 0; i < j->calls.n; i++) {
        struct call *c = &j->calls.at[i];
        unsigned was;
        if (!c->customer || c->answered_us == 0 || crossed(j, c)) {
            continue;
        }
        was = outcome_of(j, c);
        v->answered++;
        v->bridged += was == OUTCOME_ANSWERED;
        v->gone += was == OUTCOME_CUSTOMER_GONE;
        v->abandoned += was == OUTCOME_ABANDONED;
        check_wait(j, c);
        if (c->attempt != NONE) {
            check_outcome(j, c);
            v->adopted += c->survived && j->attempts.at[c->attempt].row.outcome != OUTCOME_UNKNOWN;
        }
    }
    check_counted(j);
}
