/* The state machine engine: moves, lists, timers, static proofs, the picture. The effects are a
 * recording double. */
#include "core/fsm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- a double of the executor ---------------------------------------------------------------- */

struct effects {
    int armed;
    int cancelled;
    int64_t last_delay;
    uint64_t last_key;
    int traced;
    int late;
    int rejected;
    int logged;
};

void fx_send(struct effects *fx, handle to, uint16_t type, const void *msg)
{
    (void)fx, (void)to, (void)type, (void)msg;
    fail();
}

timer_ref fx_arm(struct effects *fx, int64_t delay_us, uint16_t kind, uint64_t key)
{
    assert_int_equal(kind, 7);
    fx->last_delay = delay_us;
    fx->last_key = key;
    return (timer_ref)++fx->armed;
}

void fx_cancel(struct effects *fx, timer_ref ref)
{
    assert_true(ref != 0);
    fx->cancelled++;
}

void fx_trace(struct effects *fx, const char *what, uint64_t a, uint64_t b)
{
    (void)a, (void)b;
    assert_string_equal(what, "door");
    fx->traced++;
}

void fx_count(struct effects *fx, const char *name, const char *label, uint64_t id, int64_t add)
{
    (void)id;
    assert_string_equal(label, "door");
    fx->late += strcmp(name, "fsm_late_total") == 0 ? (int)add : 0;
    fx->rejected += strcmp(name, "fsm_rejected_total") == 0 ? (int)add : 0;
}

void fx_log(struct effects *fx, int level, const char *code, const char *text, int64_t a, int64_t b,
            int64_t c)
{
    (void)level, (void)code, (void)text, (void)a, (void)b, (void)c;
    fx->logged++;
}

/* --- a door ---------------------------------------------------------------------------------- */

enum { CLOSED, OPEN, LOCKED, GONE, N_STATES };
enum { TIMEOUT, PUSH, LOCK, BREAK, N_EVENTS };
enum { T_OPEN = 1, T_LOCKED, N_TIMERS };

struct door {
    int pushes;
    bool allow;
    struct fsm fsm;
};

static const char *const states[] = {"closed", "open", "locked", "gone"};
static const char *const events[] = {"timeout", "push", "lock", "break"};
static const struct fsm_timer timers[] = {
    [T_OPEN] = {"t_open", 5000000, "how long a door stands open"},
    [T_LOCKED] = {"t_locked", 1000, "how long it stays locked"},
};

static bool allowed(const struct fsm_ctx *c)
{
    return ((struct door *)c->subject)->allow;
}

static void count_push(const struct fsm_ctx *c)
{
    ((struct door *)c->subject)->pushes++;
}

static int64_t duration(const struct fsm_ctx *c, uint8_t timer)
{
    (void)c;
    return timer == T_LOCKED ? 42 : -1;
}

static const struct fsm_row rows[] = {
    ROW(CLOSED, PUSH, allowed, count_push, OPEN, T_OPEN),
    ROW(CLOSED, PUSH, 0, 0, FSM_STAY, 0),
    ROW(CLOSED, LOCK, 0, 0, LOCKED, T_LOCKED),
    ROW(OPEN, TIMEOUT, 0, 0, CLOSED, 0),
    ROW(OPEN, PUSH, 0, count_push, FSM_STAY, 0),
    REJECT(OPEN, LOCK),
    ROW(LOCKED, TIMEOUT, 0, 0, CLOSED, 0),
    LATE(LOCKED, PUSH),
    LATE(LOCKED, LOCK),
    LATE(GONE, PUSH),
    LATE(GONE, LOCK),
    LATE(GONE, BREAK),
    ANY(BREAK, 0, 0, GONE, 0),
};

static struct fsm_def def = {
    .name = "door",
    .states = states,
    .n_states = N_STATES,
    .events = events,
    .n_events = N_EVENTS,
    .rows = rows,
    .n_rows = sizeof rows / sizeof rows[0],
    .timers = timers,
    .n_timers = N_TIMERS,
    .initial = CLOSED,
    .ends = 1u << CLOSED | 1u << GONE,
    .timer_kind = 7,
    .duration = duration,
};

static void moves_lists_timers(void **state)
{
    struct effects fx = {0};
    struct event ev = {.now_us = 100, .wall_ms = 9};
    struct fsm_set set = {0};
    struct door a = {.allow = true};
    struct door b = {0};
    struct fsm_ctx ca = {.subject = &a, .ev = &ev, .fx = &fx};
    struct fsm_ctx cb = {.subject = &b, .ev = &ev, .fx = &fx};

    (void)state;
    fsm_init(&def, &set, &a.fsm, 11, &ca);
    fsm_init(&def, &set, &b.fsm, 12, &cb);
    assert_int_equal(fsm_count(&set, CLOSED), 2);
    assert_int_equal(fx.armed, 0);
    ev.now_us = 200;
    assert_int_equal(fsm_fire(&def, &set, &a.fsm, PUSH, &ca), FSM_MOVED);
    assert_int_equal(a.fsm.state, OPEN);
    assert_int_equal(a.fsm.since_us, 200);
    assert_int_equal(a.pushes, 1);
    assert_int_equal(fx.last_delay, 5000000);
    assert_int_equal(fx.last_key, 11);
    assert_int_equal(fsm_fire(&def, &set, &b.fsm, PUSH, &cb), FSM_STAYED);
    assert_int_equal(fsm_fire(&def, &set, &a.fsm, PUSH, &ca), FSM_STAYED);
    assert_int_equal(fx.cancelled, 0); /* staying leaves the timer alone */
    assert_int_equal(fsm_count(&set, CLOSED), 1);
    assert_int_equal(fsm_count(&set, OPEN), 1);
    assert_ptr_equal(set.head[OPEN], &a.fsm);
    assert_int_equal(fsm_fire(&def, &set, &a.fsm, LOCK, &ca), FSM_REJECTED);
    assert_int_equal(fx.rejected, 1);
    assert_int_equal(fx.logged, 1);
    assert_int_equal(fsm_fire(&def, &set, &a.fsm, TIMEOUT, &ca), FSM_MOVED);
    assert_int_equal(a.fsm.timer, 0);
    assert_int_equal(fx.cancelled, 0); /* it ran out: nothing to cancel */
    assert_ptr_equal(set.head[CLOSED], &b.fsm);
    assert_ptr_equal(set.tail[CLOSED], &a.fsm);
    assert_int_equal(fsm_fire(&def, &set, &b.fsm, LOCK, &cb), FSM_MOVED);
    assert_int_equal(fx.last_delay, 42);
    assert_int_equal(fsm_fire(&def, &set, &b.fsm, PUSH, &cb), FSM_WAS_LATE);
    assert_int_equal(fx.late, 1);
    assert_int_equal(fsm_fire(&def, &set, &b.fsm, BREAK, &cb), FSM_MOVED);
    assert_int_equal(fx.cancelled, 1);
    fsm_drop(&set, &b.fsm, &fx);
    fsm_drop(&set, &a.fsm, &fx);
    for (int s = 0; s < N_STATES; s++) {
        assert_int_equal(set.count[s], 0);
        assert_null(set.head[s]);
        assert_null(set.tail[s]);
    }
}

static void restores(void **state)
{
    struct effects fx = {0};
    struct event ev = {.now_us = 1};
    struct door a = {0};
    struct fsm_ctx c = {.subject = &a, .ev = &ev, .fx = &fx};

    (void)state;
    fsm_restore(&def, NULL, &a.fsm, 5, LOCKED, T_LOCKED, &c);
    assert_int_equal(a.fsm.state, LOCKED);
    assert_int_equal(fx.armed, 1);
    fsm_drop(NULL, &a.fsm, &fx);
    assert_int_equal(fx.cancelled, 1);
}

/* Each flaw is put into a copy of the table, and has to be named. */
static void expect_flaw(const struct fsm_def *d, const char *part)
{
    char why[200] = "";

    assert_int_equal(fsm_check(d, why, sizeof why), -1);
    if (strstr(why, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, why);
    }
}

static void proofs(void **state)
{
    char why[200] = "";
    struct fsm_row r[sizeof rows / sizeof rows[0]];
    struct fsm_def d = def;

    (void)state;
    if (fsm_check(&def, why, sizeof why) != 0) {
        fail_msg("%s", why);
    }
    d.rows = r;
    memcpy(r, rows, sizeof rows);
    d.n_rows--; /* without the ANY row */
    expect_flaw(&d, "closed has no answer to break");
    d.n_rows++;
    r[1].guard = allowed; /* no unguarded last row */
    expect_flaw(&d, "closed has no answer to push");
    memcpy(r, rows, sizeof rows);
    r[0].guard = NULL; /* the second row is never looked at */
    expect_flaw(&d, "stands behind an unguarded one");
    memcpy(r, rows, sizeof rows);
    r[2].timer = FSM_NO_TIMER;
    expect_flaw(&d, "enters locked on lock without a timer");
    memcpy(r, rows, sizeof rows);
    r[2].to = CLOSED;
    r[2].timer = FSM_NO_TIMER;
    expect_flaw(&d, "locked cannot be reached");
    memcpy(r, rows, sizeof rows);
    r[3].to = LOCKED; /* open -> locked -> open -> ... */
    r[3].timer = T_LOCKED;
    r[6].to = OPEN;
    r[6].timer = T_OPEN;
    expect_flaw(&d, "silence never leads");
    memcpy(r, rows, sizeof rows);
    r[3].to = FSM_STAY;
    expect_flaw(&d, "open stays on timeout");
    memcpy(r, rows, sizeof rows);
    d.ends = 1u << GONE; /* closed must move on by itself now, and nothing starts its timer */
    r[0].guard = NULL;
    r[1].on = TIMEOUT;
    r[1].to = GONE;
    r[3].timer = T_OPEN;
    r[6].timer = T_OPEN;
    expect_flaw(&d, "initial_timer is not set");
    d.ends = def.ends;
    r[4].timer = 9;
    expect_flaw(&d, "row 4 ");
}

static void picture(void **state)
{
    char dot[4096];
    size_t n = fsm_dot(&def, dot, sizeof dot);

    (void)state;
    assert_true(n < sizeof dot);
    assert_int_equal(n, strlen(dot));
    assert_int_equal(fsm_dot(&def, NULL, 0), n);
    assert_non_null(strstr(dot, "\"closed\" -> \"open\" [label=\"push\\n[allowed]\\n/ count_push"));
    assert_non_null(strstr(dot, "+ t_open"));
    assert_non_null(strstr(dot, "\"any\" -> \"gone\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_lists_timers),
        cmocka_unit_test(restores),
        cmocka_unit_test(proofs),
        cmocka_unit_test(picture),
    };

    return cmocka_run_group_tests_name("fsm", tests, NULL, NULL);
}
