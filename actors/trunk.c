#include "actors/trunk.h"
#include "actors/map.h"
#include "actors/messages.h"
#include "actors/types.h"

#include <string.h>

enum { TIMER_TOKENS = 1 };

/* A burst may use what has been saved up for so long. */
#define BURST_US (100 * US_PER_MS)

struct customer {
    uint64_t campaign;
    uint32_t wants;
    uint32_t holds; /* lines granted and not given back */
};

struct trunk {
    uint64_t id;
    uint32_t pbx;
    uint32_t lines;
    double per_s;
    bool up;
    double tokens;
    int64_t tokens_at_us;
    timer_ref timer;
    struct customer *customers;
    uint32_t n, room, turn;
};

static struct customer *customer_of(struct trunk *t, uint64_t campaign, struct effects *fx)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->customers[i].campaign == campaign) {
            return &t->customers[i];
        }
    }
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2u : 8u;
        t->customers = fx_realloc(fx, t->customers, t->room * sizeof *t->customers);
    }
    t->customers[t->n] = (struct customer){campaign, 0, 0};
    return &t->customers[t->n++];
}

static uint32_t held(const struct trunk *t)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        sum += t->customers[i].holds;
    }
    return sum;
}

static uint32_t wanted(const struct trunk *t)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        sum += t->customers[i].wants;
    }
    return sum;
}

static void refill(struct trunk *t, int64_t now_us)
{
    double most = t->per_s * (double)BURST_US / (double)US_PER_S;

    if (most < 1.0) {
        most = 1.0;
    }
    t->tokens += t->per_s * (double)(now_us - t->tokens_at_us) / (double)US_PER_S;
    t->tokens_at_us = now_us;
    if (t->tokens > most) {
        t->tokens = most;
    }
}

static void tell_short(const struct trunk *t, enum reason why, struct effects *fx)
{
    struct msg_lines_short m = {.trunk = t->id, .reason = (uint8_t)why};

    for (uint32_t i = 0; i < t->n; i++) {
        if (t->customers[i].wants > 0) {
            fx_send(fx, named(KIND_CAMPAIGN, t->customers[i].campaign), MSG_lines_short, &m);
        }
    }
}

/* One line at a time to each that wants, in turn; told in one message each. */
static void share(struct trunk *t, uint32_t lines, struct effects *fx)
{
    uint32_t first = t->turn;

    for (uint32_t pass = 0; pass < t->n && lines > 0; pass++) {
        uint32_t at = (first + pass) % t->n;
        struct customer *c = &t->customers[at];
        uint32_t fair = (lines + (t->n - pass) - 1u) / (t->n - pass);
        uint32_t give = c->wants < fair ? c->wants : fair;
        struct msg_lines_grant m = {.trunk = t->id, .calls = give};

        if (give == 0) {
            continue;
        }
        c->wants -= give;
        c->holds += give;
        lines -= give;
        t->tokens -= (double)give;
        fx_send(fx, named(KIND_CAMPAIGN, c->campaign), MSG_lines_grant, &m);
        t->turn = (at + 1u) % t->n; /* the turn moves on by what was given, not by who spoke */
    }
}

static void serve(struct trunk *t, const struct event *ev, struct effects *fx)
{
    uint32_t want = wanted(t);
    uint32_t used = held(t);

    refill(t, ev->now_us);
    if (want == 0) {
        return;
    }
    if (!t->up) {
        tell_short(t, REASON_line_away, fx);
        return;
    }
    uint32_t room = used < t->lines ? t->lines - used : 0;
    uint32_t ready = t->tokens >= 1.0 ? (uint32_t)t->tokens : 0;
    uint32_t lines = room < ready ? room : ready;

    share(t, lines < want ? lines : want, fx);
    if (room == 0) {
        tell_short(t, REASON_lines_used, fx);
    } else if (wanted(t) > 0 && t->per_s > 0.0) {
        double missing = 1.0 - t->tokens;
        int64_t wait = missing > 0.0 ? (int64_t)(missing / t->per_s * (double)US_PER_S) + 1 : 1;

        if (ready < want && room > lines) {
            tell_short(t, REASON_calls_per_second, fx);
        }
        if (t->timer == 0) {
            t->timer = fx_arm(fx, wait, TIMER_TOKENS, 0);
        }
    }
}

static void step(void *self, const struct event *ev, struct effects *fx)
{
    struct trunk *t = self;

    switch (ev->type) {
    case EV_START:
        t->id = handle_id(ev->self);
        t->tokens_at_us = ev->now_us;
        return;
    case EV_TIMER:
        t->timer = 0;
        break;
    case MSG_trunk_config: {
        const struct msg_trunk_config *m = ev->msg;

        t->up = t->up && m->pbx == t->pbx; /* of another server the desk tells next */
        t->pbx = m->pbx;
        t->lines = m->lines;
        t->per_s = m->calls_per_s;
        break;
    }
    case MSG_pbx_moved: {
        const struct msg_pbx_moved *m = ev->msg;

        if (m->pbx == t->pbx) {
            t->up = m->state == PBX_UP;
        }
        break;
    }
    case MSG_lines_want: {
        const struct msg_lines_want *m = ev->msg;

        customer_of(t, m->campaign, fx)->wants = m->calls;
        break;
    }
    case MSG_lines_held: {
        const struct msg_lines_held *m = ev->msg;

        customer_of(t, m->campaign, fx)->holds += m->calls;
        break;
    }
    case MSG_lines_free: {
        const struct msg_lines_free *m = ev->msg;
        struct customer *c = customer_of(t, m->campaign, fx);

        c->holds -= m->calls < c->holds ? m->calls : c->holds;
        break;
    }
    default:
        return;
    }
    serve(t, ev, fx);
}

static void fini(void *self)
{
    struct trunk *t = self;

    fx_realloc(NULL, t->customers, 0);
}

const struct actor_type trunk_actor = {
    .name = "trunk",
    .kind = KIND_TRUNK,
    .state_size = sizeof(struct trunk),
    .step = step,
    .fini = fini,
};
