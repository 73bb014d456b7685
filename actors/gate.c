#include "actors/gate.h"
#include "actors/words.h"
#include "core/prefix.h"

#define DAILY_LIMIT 3u
#define RING_LEAST_S 15u

static bool digits_only(struct text t, uint32_t from)
{
    for (uint32_t i = from; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

bool gate_number_valid(struct text n)
{
    return n.len >= 8 && n.len <= 16 && n.ptr[0] == '+' && n.ptr[1] != '0' && digits_only(n, 1);
}

/* --- the checks, in the order in which they are told ------------------------------------------ */

struct question {
    const struct gate_campaign *c;
    const struct gate_lead *l;
    int64_t wall_ms;
    int64_t when_wall_ms;
};

typedef bool (*check)(struct question *q); /* true: refused */

static bool refused_running(struct question *q)
{
    return !q->c->running;
}

static bool refused_draining(struct question *q)
{
    return q->c->draining;
}

static bool refused_number(struct question *q)
{
    return !gate_number_valid(q->l->number);
}

static bool refused_forbidden(struct question *q)
{
    return prefix_among(q->l->number, words_of(PREFIXES_NEVER_CALLED));
}

static bool refused_prefix(struct question *q)
{
    return !prefix_among(q->l->number, q->c->prefixes);
}

static bool refused_caller_id(struct question *q)
{
    return q->c->caller_id.len == 0;
}

static bool refused_ring(struct question *q)
{
    return q->c->ring_s < RING_LEAST_S;
}

static bool refused_suppressed(struct question *q)
{
    return q->l->suppressed;
}

static bool refused_list(struct question *q)
{
    return q->c->automatic && !q->l->list_active;
}

static bool refused_final(struct question *q)
{
    return q->c->automatic && q->l->final;
}

static bool refused_attempts(struct question *q)
{
    return q->c->automatic && q->l->attempts >= q->c->max_attempts;
}

static bool refused_alive(struct question *q)
{
    return q->l->number_alive;
}

static bool refused_row(struct question *q)
{
    return q->c->automatic && q->l->row_status != ROW_PENDING && q->l->row_status != ROW_FAILED;
}

static bool refused_due(struct question *q)
{
    if (!q->c->automatic || q->l->due_wall_ms <= q->wall_ms) {
        return false;
    }
    q->when_wall_ms = q->l->due_wall_ms;
    return true;
}

static bool refused_retry(struct question *q)
{
    if (!q->c->automatic || q->l->number_free_wall_ms <= q->wall_ms) {
        return false;
    }
    q->when_wall_ms = q->l->number_free_wall_ms;
    return true;
}

static bool refused_daily(struct question *q)
{
    return q->c->automatic && q->l->attempts_24h >= DAILY_LIMIT;
}

static bool open_at(const struct question *q, int64_t wall_ms, int64_t *opens_wall_ms)
{
    const struct hours hours = {q->c->window_from_min, q->c->window_to_min,
                                (int64_t)q->c->ring_s * MS_PER_S};

    return hours_open(&hours, q->l->own_zone ? &q->l->zone : &q->c->zone, wall_ms, opens_wall_ms);
}

static bool refused_hours(struct question *q)
{
    return !open_at(q, q->wall_ms, &q->when_wall_ms);
}

static bool refused_line(struct question *q)
{
    return !q->c->line_up;
}

static const struct {
    enum reason reason;
    check refused;
} checks[] = {
    {REASON_bad_number, refused_number},         {REASON_prefix_forbidden, refused_forbidden},
    {REASON_prefix_not_allowed, refused_prefix}, {REASON_do_not_call, refused_suppressed},
    {REASON_no_caller_id, refused_caller_id},    {REASON_ring_too_short, refused_ring},
    {REASON_draining, refused_draining},         {REASON_campaign_stopped, refused_running},
    {REASON_list_stopped, refused_list},         {REASON_final, refused_final},
    {REASON_attempts_used, refused_attempts},    {REASON_number_alive, refused_alive},
    {REASON_row_not_pending, refused_row},       {REASON_not_due, refused_due},
    {REASON_retry_interval, refused_retry},      {REASON_number_daily_limit, refused_daily},
    {REASON_outside_hours, refused_hours},       {REASON_line_away, refused_line},
};

struct gate_verdict gate_check(const struct gate_campaign *c, const struct gate_lead *l,
                               int64_t wall_ms)
{
    struct gate_verdict v = {REASON_allow, 0};
    int64_t opens;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct question q = {c, l, wall_ms, 0};

        if (!checks[i].refused(&q)) {
            continue;
        }
        if (q.when_wall_ms == 0 && v.reason == REASON_allow) {
            return (struct gate_verdict){checks[i].reason, 0};
        }
        if (q.when_wall_ms != 0 && q.when_wall_ms >= v.when_wall_ms) {
            v = (struct gate_verdict){checks[i].reason, q.when_wall_ms};
        }
    }
    struct question then = {c, l, v.when_wall_ms, 0};

    if (v.when_wall_ms != 0 && !open_at(&then, v.when_wall_ms, &opens)) {
        v.when_wall_ms = opens; /* its time comes while the window is shut */
    }
    return v;
}
