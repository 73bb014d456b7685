/* link.c - the state of the connection to one Asterisk. */
#include "adapters/ari/link.h"

#define FIRST_PAUSE_US (200 * US_PER_MS)
#define LONGEST_PAUSE_US (5 * US_PER_S)

enum { TIMER_NONE, TIMER_PAUSE, TIMER_CONNECT, TIMER_STEP };

static const char *const states[] = {"down",        "connecting", "checking", "filtering",
                                     "subscribing", "listing",    "up",       "replaced"};
static const char *const events[] = {"timeout", "opened", "good",   "bad",
                                     "lost",    "taken",  "retake", "again"};

static const struct fsm_timer timers[] = {
    {"", 0, ""},
    {"pause", FIRST_PAUSE_US, "before the next try; doubles, with a random part"},
    {"connect", 5 * US_PER_S, "from connect to the open socket"},
    {"step", 8 * US_PER_S, "for each request of the recipe"},
};

static struct link *link_of(const struct fsm_ctx *c)
{
    return c->subject;
}

static void do_connect(const struct fsm_ctx *c)
{
    link_of(c)->hooks->connect(link_of(c)->ctx);
}

static void do_retake(const struct fsm_ctx *c)
{
    link_of(c)->failures = 0;
    do_connect(c);
}

static void do_check(const struct fsm_ctx *c)
{
    link_of(c)->hooks->check(link_of(c)->ctx);
}

static void do_filter(const struct fsm_ctx *c)
{
    link_of(c)->hooks->filter(link_of(c)->ctx);
}

static void do_subscribe(const struct fsm_ctx *c)
{
    link_of(c)->hooks->subscribe(link_of(c)->ctx);
}

static void do_list(const struct fsm_ctx *c)
{
    link_of(c)->hooks->list(link_of(c)->ctx);
}

static void do_up(const struct fsm_ctx *c)
{
    link_of(c)->failures = 0;
    link_of(c)->hooks->up(link_of(c)->ctx);
}

static void do_down(const struct fsm_ctx *c)
{
    link_of(c)->hooks->down(link_of(c)->ctx);
}

static void do_replaced(const struct fsm_ctx *c)
{
    link_of(c)->hooks->replaced(link_of(c)->ctx);
}

#define FAILS(state)                                                                               \
    ROW(state, LINK_BAD, NULL, do_down, LINK_DOWN, TIMER_PAUSE),                                   \
        ROW(state, LINK_TIMEOUT, NULL, do_down, LINK_DOWN, TIMER_PAUSE)

static const struct fsm_row rows[] = {
    ROW(LINK_DOWN, LINK_TIMEOUT, NULL, do_connect, LINK_CONNECTING, TIMER_CONNECT),
    LATE(LINK_DOWN, LINK_OPENED),
    LATE(LINK_DOWN, LINK_GOOD),
    LATE(LINK_DOWN, LINK_BAD),
    LATE(LINK_DOWN, LINK_LOST),
    LATE(LINK_DOWN, LINK_TAKEN),

    ROW(LINK_CONNECTING, LINK_OPENED, NULL, do_check, LINK_CHECKING, TIMER_STEP),
    FAILS(LINK_CONNECTING),
    LATE(LINK_CONNECTING, LINK_GOOD),

    ROW(LINK_CHECKING, LINK_GOOD, NULL, do_filter, LINK_FILTERING, TIMER_STEP),
    FAILS(LINK_CHECKING),
    ROW(LINK_FILTERING, LINK_GOOD, NULL, do_subscribe, LINK_SUBSCRIBING, TIMER_STEP),
    FAILS(LINK_FILTERING),
    ROW(LINK_SUBSCRIBING, LINK_GOOD, NULL, do_list, LINK_LISTING, TIMER_STEP),
    FAILS(LINK_SUBSCRIBING),
    ROW(LINK_LISTING, LINK_GOOD, NULL, do_up, LINK_UP, FSM_NO_TIMER),
    FAILS(LINK_LISTING),
    LATE(LINK_CHECKING, LINK_OPENED),
    LATE(LINK_FILTERING, LINK_OPENED),
    LATE(LINK_SUBSCRIBING, LINK_OPENED),
    LATE(LINK_LISTING, LINK_OPENED),

    LATE(LINK_UP, LINK_OPENED),
    LATE(LINK_UP, LINK_GOOD),
    LATE(LINK_UP, LINK_BAD),
    LATE(LINK_UP, LINK_TIMEOUT),

    ROW(LINK_UP, LINK_AGAIN, NULL, do_list, LINK_LISTING, TIMER_STEP),

    ROW(LINK_REPLACED, LINK_RETAKE, NULL, do_retake, LINK_CONNECTING, TIMER_CONNECT),
    LATE(LINK_REPLACED, LINK_TIMEOUT),
    LATE(LINK_REPLACED, LINK_OPENED),
    LATE(LINK_REPLACED, LINK_GOOD),
    LATE(LINK_REPLACED, LINK_BAD),
    LATE(LINK_REPLACED, LINK_LOST),
    LATE(LINK_REPLACED, LINK_TAKEN),

    ANY(LINK_RETAKE, NULL, NULL, FSM_STAY, FSM_NO_TIMER), /* nobody has taken it */
    ANY(LINK_AGAIN, NULL, NULL, FSM_STAY, FSM_NO_TIMER),  /* a list comes anyway */
    ANY(LINK_LOST, NULL, do_down, LINK_DOWN, TIMER_PAUSE),
    ANY(LINK_TAKEN, NULL, do_replaced, LINK_REPLACED, FSM_NO_TIMER),
};

/* The pause before the next try: doubles, and half of it is chance, so that daemons that lost the
 * same server do not come back in step. */
static int64_t duration(const struct fsm_ctx *c, uint8_t timer)
{
    struct link *l = link_of(c);
    if (timer != TIMER_PAUSE) {
        return -1;
    }
    unsigned doublings = l->failures < 8 ? l->failures : 8;
    int64_t us = FIRST_PAUSE_US << doublings;
    us = us < LONGEST_PAUSE_US ? us : LONGEST_PAUSE_US;
    l->failures++;
    return us / 2 + (int64_t)(l->hooks->random(l->ctx) % (uint64_t)(us / 2 + 1));
}

/* Connected is a resting state: that the other side is gone is noticed by the sockets' own pings.
 */
const struct fsm_def link_def = {
    .name = "link",
    .states = states,
    .n_states = LINK_STATES,
    .events = events,
    .n_events = LINK_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = sizeof timers / sizeof timers[0],
    .initial = LINK_DOWN,
    .initial_timer = TIMER_PAUSE,
    .ends = 1u << LINK_DOWN | 1u << LINK_UP | 1u << LINK_REPLACED,
    .duration = duration,
};

/* --- the executor of this machine --------------------------------------------------------------
 */

static timer_ref fx_op_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key)
{
    struct link *l = (struct link *)fx;
    (void)kind;
    (void)key;
    l->hooks->set_timer(l->ctx, delay_us);
    return 1;
}

static void fx_op_cancel(struct effects *fx, timer_ref ref)
{
    struct link *l = (struct link *)fx;
    (void)ref;
    l->hooks->clear_timer(l->ctx);
}

static void fx_op_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    (void)fx;
    (void)what;
    (void)a;
    (void)b;
}

static void fx_op_count(struct effects *fx, const char *name, const char *label, uint64_t id,
                        int64_t add)
{
    (void)fx;
    (void)name;
    (void)label;
    (void)id;
    (void)add;
}

static const struct effects_ops ops = {
    .arm = fx_op_arm, .cancel = fx_op_cancel, .trace = fx_op_trace, .count = fx_op_count};

static struct event event_now(const struct link *l)
{
    return (struct event){.type = EV_TIMER, .now_us = l->hooks->now_us(l->ctx)};
}

void link_init(struct link *l, const struct link_hooks *hooks, void *ctx)
{
    *l = (struct link){.fx = {&ops}, .hooks = hooks, .ctx = ctx};
    const struct event ev = event_now(l);
    const struct fsm_ctx c = {l, l, NULL, &ev, &l->fx};
    fsm_init(&link_def, NULL, &l->fsm, 0, &c);
    l->failures = 0;
    l->hooks->set_timer(l->ctx, 0);
}

void link_fire(struct link *l, enum link_event event)
{
    const struct event ev = event_now(l);
    const struct fsm_ctx c = {l, l, NULL, &ev, &l->fx};
    if (fsm_fire(&link_def, NULL, &l->fsm, (uint8_t)event, &c) == FSM_MOVED) {
        l->hooks->moved(l->ctx);
    }
}

enum link_state link_state(const struct link *l)
{
    return (enum link_state)l->fsm.state;
}

const char *link_state_name(enum link_state state)
{
    return (unsigned)state < LINK_STATES ? states[state] : "?";
}
