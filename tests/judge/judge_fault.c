/* judge_fault.c - what became of the calls that met each thing that was broken on purpose. */
#include "tests/judge/judge_int.h"

#include <string.h>

static struct judge_fault *of_name(const char *text, struct judge_fault *out, unsigned *n,
                                   unsigned room)
{
    for (unsigned i = 0; i < *n; i++) {
        if (strcmp(out[i].text, text) == 0) {
            return &out[i];
        }
    }
    if (*n == room) {
        return NULL;
    }
    out[*n] = (struct judge_fault){.text = text};
    return &out[(*n)++];
}

/* Answered before its end, and alive after it. */
static bool lived_through(const struct call *c, const struct outage *o)
{
    return c->customer && c->answered_us > 0 && c->answered_us < o->from_us &&
           (c->ended_us == 0 || c->ended_us > o->to_us);
}

/* The first outage that began after the claim is the one that hid a call's fate. */
static bool met(const struct judge *j, const struct attempt *a, const struct call *c, uint32_t i)
{
    const struct outage *o = &j->outages.at[i];
    const int64_t from_us = a->row.claimed_ms * 1000;

    return from_us <= o->to_us && (c->ended_us == 0 || c->ended_us >= o->from_us) &&
           (i == 0 || from_us > j->outages.at[i - 1].to_us);
}

static void count(const struct judge *j, uint32_t i, struct judge_fault *f)
{
    const struct outage *o = &j->outages.at[i];
    const int64_t next_us = i + 1 < j->outages.n ? j->outages.at[i + 1].from_us : INT64_MAX;

    f->times++;
    for (uint32_t k = 0; k < j->calls.n; k++) {
        const struct call *c = &j->calls.at[k];
        const struct attempt *a = c->attempt == NONE ? NULL : &j->attempts.at[c->attempt];
        if (!a) {
            continue;
        }
        if (a->row.outcome == OUTCOME_UNKNOWN) {
            f->unknown += met(j, a, c, i);
        } else {
            f->adopted += lived_through(c, o);
        }
    }
    for (uint32_t k = 0; k < j->findings.n; k++) {
        const int64_t at_us = j->findings.at[k].at_us;
        f->broken += at_us >= o->from_us && at_us < next_us;
    }
}

unsigned judge_faults(const struct judge *j, struct judge_fault *out, unsigned room)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < j->outages.n; i++) {
        struct judge_fault *f = of_name(judge_text(j, j->outages.at[i].text), out, &n, room);
        if (f) {
            count(j, i, f);
        }
    }
    return n;
}
