/*
 * fsm.c - the one place that changes a state.
 *
 * Rows are scanned in the order they are written: tables have some dozens of rows of 48 bytes, the
 * scan costs less than the cache miss on the subject. What makes the machine trustworthy is the
 * order of the steps in enter(): list, timer, time, trace are all settled before the action runs,
 * so an action may fire the same machine again, or free the subject.
 */
#include "core/fsm.h"

#include <stdarg.h>
#include <stdio.h>

static void list_remove(struct fsm_set *set, struct fsm *m)
{
    if (m->prev != NULL) {
        m->prev->next = m->next;
    } else {
        set->head[m->state] = m->next;
    }
    if (m->next != NULL) {
        m->next->prev = m->prev;
    } else {
        set->tail[m->state] = m->prev;
    }
    set->count[m->state]--;
    m->prev = m->next = NULL;
    m->linked = 0;
}

static void list_append(struct fsm_set *set, struct fsm *m)
{
    m->next = NULL;
    m->prev = set->tail[m->state];
    if (m->prev != NULL) {
        m->prev->next = m;
    } else {
        set->head[m->state] = m;
    }
    set->tail[m->state] = m;
    set->count[m->state]++;
    m->linked = 1;
}

static void clear_timer(struct fsm *m, struct effects *fx)
{
    if (m->timer != 0) {
        fx_cancel(fx, m->timer);
        m->timer = 0;
    }
}

static void arm_timer(const struct fsm_def *def, struct fsm *m, uint8_t timer,
                      const struct fsm_ctx *c)
{
    int64_t us = -1;

    if (timer == FSM_NO_TIMER) {
        return;
    }
    if (def->duration != NULL) {
        us = def->duration(c, timer);
    }
    if (us < 0) {
        us = def->timers[timer].default_us;
    }
    m->due_us = c->ev->now_us + us;
    m->timer = fx_arm(c->fx, us, def->timer_kind, m->key);
}

/* Everything that must be true of a subject that is in `state`, made true. */
static void enter(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint8_t state,
                  uint8_t timer, const struct fsm_ctx *c)
{
    if (m->linked != 0) {
        list_remove(set, m);
    }
    m->state = state;
    if (set != NULL) {
        list_append(set, m);
    }
    clear_timer(m, c->fx);
    m->since_us = c->ev->now_us;
    m->since_wall_ms = c->ev->wall_ms;
    arm_timer(def, m, timer, c);
}

/* One number for the trace: from, event, to. */
static uint64_t trace_word(uint8_t from, uint8_t on, uint8_t to)
{
    return (uint64_t)from << 16 | (uint64_t)on << 8 | to;
}

#define TRACE_CREATED 0xfe /* "from" of a subject that was not there before */

void fsm_init(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint64_t key,
              const struct fsm_ctx *c)
{
    fsm_restore(def, set, m, key, def->initial, def->initial_timer, c);
}

void fsm_restore(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint64_t key,
                 uint8_t state, uint8_t timer, const struct fsm_ctx *c)
{
    *m = (struct fsm){.key = key};
    enter(def, set, m, state, timer, c);
    fx_trace(c->fx, def->name, key, trace_word(TRACE_CREATED, 0, state));
}

/* The row that answers (state, on) now, or NULL. Rows of the state's own hide the ANY rows even
 * when all their guards say no; fsm_check() refuses tables where that leaves no answer. */
const struct fsm_row *fsm_answer(const struct fsm_def *def, uint8_t state, uint8_t on,
                                 const struct fsm_ctx *c)
{
    bool own = false;

    for (uint16_t i = 0; i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (r->on != on || r->kind == FSM_ANY || r->from != state) {
            continue;
        }
        own = true;
        if (r->guard == NULL || r->guard(c)) {
            return r;
        }
    }
    for (uint16_t i = 0; !own && i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (r->on == on && r->kind == FSM_ANY && (r->guard == NULL || r->guard(c))) {
            return r;
        }
    }
    return NULL;
}

enum fsm_result fsm_fire(const struct fsm_def *def, struct fsm_set *set, struct fsm *m, uint8_t on,
                         const struct fsm_ctx *c)
{
    const struct fsm_row *r = fsm_answer(def, m->state, on, c);
    bool moved;

    if (on == FSM_TIMEOUT) {
        m->timer = 0; /* it has run out: there is nothing left to cancel */
    }
    if (r != NULL && r->kind == FSM_LATE) {
        fx_count(c->fx, "fsm_late_total", def->name, 0, 1);
        return FSM_WAS_LATE;
    }
    if (r == NULL || r->kind == FSM_REJECT) {
        fx_count(c->fx, "fsm_rejected_total", def->name, 0, 1);
        fx_log(c->fx, 2, "DLR-FSM-REJECT", "state %d has no place for event %d, subject %d",
               m->state, on, (int64_t)m->key);
        return FSM_REJECTED;
    }
    moved = r->to != FSM_STAY;
    fx_trace(c->fx, def->name, m->key, trace_word(m->state, on, r->to));
    if (moved) {
        enter(def, set, m, r->to, r->timer, c);
    }
    if (r->action != NULL) {
        r->action(c); /* last: it may fire again or free the subject */
    }
    return moved ? FSM_MOVED : FSM_STAYED;
}

void fsm_drop(struct fsm_set *set, struct fsm *m, struct effects *fx)
{
    if (m->linked != 0) {
        list_remove(set, m);
    }
    clear_timer(m, fx);
}

/* --- the static proof ------------------------------------------------------------------------ */

static int fail(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *why, size_t size, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(why, size, format, ap);
    va_end(ap);
    return -1;
}

static bool is_end(const struct fsm_def *def, uint8_t state)
{
    return (def->ends >> state & 1u) != 0;
}

static bool has_own(const struct fsm_def *def, uint8_t state, uint8_t on)
{
    for (uint16_t i = 0; i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (r->kind != FSM_ANY && r->from == state && r->on == on) {
            return true;
        }
    }
    return false;
}

/* Does row `r` take part in answering (state, on)? */
static bool applies(const struct fsm_def *def, const struct fsm_row *r, uint8_t state, uint8_t on)
{
    if (r->on != on) {
        return false;
    }
    return r->kind == FSM_ANY ? !has_own(def, state, on) : r->from == state;
}

static int check_row(const struct fsm_def *def, uint16_t i, char *why, size_t size)
{
    const struct fsm_row *r = &def->rows[i];
    const bool stays = r->to == FSM_STAY;

    if (r->kind > FSM_REJECT || r->on >= def->n_events || r->timer >= def->n_timers + 1u ||
        (r->kind != FSM_ANY && r->from >= def->n_states) || (!stays && r->to >= def->n_states)) {
        return fail(why, size, "%s: row %u names a state, event or timer that does not exist",
                    def->name, i);
    }
    if (r->timer != FSM_NO_TIMER && (def->timers == NULL || r->timer >= def->n_timers)) {
        return fail(why, size, "%s: row %u arms timer %u, there are %u", def->name, i, r->timer,
                    def->n_timers);
    }
    if (!stays && !is_end(def, r->to) && r->timer == FSM_NO_TIMER) {
        return fail(why, size, "%s: row %u enters %s on %s without a timer", def->name, i,
                    def->states[r->to], def->events[r->on]);
    }
    return 0;
}

static bool enters_with_timer(const struct fsm_def *def, uint8_t state)
{
    for (uint16_t i = 0; i < def->n_rows; i++) {
        if (def->rows[i].to == state && def->rows[i].timer != FSM_NO_TIMER) {
            return true;
        }
    }
    return def->initial == state && def->initial_timer != FSM_NO_TIMER;
}

/* Exactly one unguarded row answers, and it is the last one. */
static int check_answer(const struct fsm_def *def, uint8_t state, uint8_t on, char *why,
                        size_t size)
{
    bool answered = false;

    for (uint16_t i = 0; i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (!applies(def, r, state, on)) {
            continue;
        }
        if (answered) {
            return fail(why, size, "%s: row %u (%s on %s) stands behind an unguarded one",
                        def->name, i, def->states[state], def->events[on]);
        }
        answered = r->guard == NULL;
    }
    if (answered) {
        return 0;
    }
    if (on == FSM_TIMEOUT && is_end(def, state) && !enters_with_timer(def, state)) {
        return 0; /* a resting state without a timer has no timeout to answer */
    }
    return fail(why, size, "%s: %s has no answer to %s", def->name, def->states[state],
                def->events[on]);
}

static int check_reach(const struct fsm_def *def, char *why, size_t size)
{
    uint32_t seen = 1u << def->initial;
    uint32_t before;

    do {
        before = seen;
        for (uint8_t s = 0; s < def->n_states; s++) {
            for (uint16_t i = 0; (seen >> s & 1u) != 0 && i < def->n_rows; i++) {
                const struct fsm_row *r = &def->rows[i];
                if (r->to != FSM_STAY && applies(def, r, s, r->on)) {
                    seen |= 1u << r->to;
                }
            }
        }
    } while (seen != before);
    for (uint8_t s = 0; s < def->n_states; s++) {
        if ((seen >> s & 1u) == 0) {
            return fail(why, size, "%s: %s cannot be reached", def->name, def->states[s]);
        }
    }
    return 0;
}

/* Where silence leads from `state`: the target of its unguarded timeout row. */
static int silent_next(const struct fsm_def *def, uint8_t state, uint8_t *next, char *why,
                       size_t size)
{
    for (uint16_t i = 0; i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (!applies(def, r, state, FSM_TIMEOUT)) {
            continue;
        }
        if (r->to == FSM_STAY) {
            return fail(why, size, "%s: %s stays on timeout, and no timer runs any more", def->name,
                        def->states[state]);
        }
        *next = r->to;
    }
    return 0;
}

/* Guarded timeout rows may loop (a retry that counts): each state on the way is checked for itself,
 * so it is enough that the unguarded rows lead out. */
static int check_silence(const struct fsm_def *def, char *why, size_t size)
{
    if (!is_end(def, def->initial) && def->initial_timer == FSM_NO_TIMER) {
        return fail(why, size, "%s: %s is the initial state, no end, and initial_timer is not set",
                    def->name, def->states[def->initial]);
    }
    for (uint8_t s = 0; s < def->n_states; s++) {
        uint8_t at = s;
        for (uint8_t hops = 0; !is_end(def, at); hops++) {
            if (silent_next(def, at, &at, why, size) != 0) {
                return -1;
            }
            if (hops > def->n_states) {
                return fail(why, size, "%s: silence never leads %s to an end", def->name,
                            def->states[s]);
            }
        }
    }
    return 0;
}

int fsm_check(const struct fsm_def *def, char *why, size_t why_size)
{
    if (def->n_states == 0 || def->n_states > FSM_MAX_STATES || def->n_events == 0 ||
        def->initial >= def->n_states || def->initial_timer > def->n_timers) {
        return fail(why, why_size, "%s: counts of states, events or the initial state", def->name);
    }
    for (uint16_t i = 0; i < def->n_rows; i++) {
        if (check_row(def, i, why, why_size) != 0) {
            return -1;
        }
    }
    for (uint8_t s = 0; s < def->n_states; s++) {
        for (uint8_t e = 0; e < def->n_events; e++) {
            if (check_answer(def, s, e, why, why_size) != 0) {
                return -1;
            }
        }
    }
    if (check_reach(def, why, why_size) != 0 || check_silence(def, why, why_size) != 0) {
        return -1;
    }
    return 0;
}

/* --- the picture ----------------------------------------------------------------------------- */

struct dot {
    char *out;
    size_t size;
    size_t need;
};

static void put(struct dot *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct dot *d, const char *format, ...)
{
    va_list ap;
    const size_t room = d->need < d->size ? d->size - d->need : 0;
    int n;

    va_start(ap, format);
    n = vsnprintf(room != 0 ? d->out + d->need : NULL, room, format, ap);
    va_end(ap);
    if (n > 0) {
        d->need += (size_t)n;
    }
}

static const char *shown(const char *name)
{
    return name == NULL || name[0] == '0' ? "" : name; /* #guard of a row written with 0 or NULL */
}

static void put_edge(struct dot *d, const struct fsm_def *def, const struct fsm_row *r,
                     const char *from)
{
    const char *guard = r->guard != NULL ? shown(r->guard_name) : "";
    const char *action = r->action != NULL ? shown(r->action_name) : "";

    put(d, "  \"%s\" -> \"%s\" [label=\"%s", from, r->to == FSM_STAY ? from : def->states[r->to],
        def->events[r->on]);
    if (guard[0] != '\0') {
        put(d, "\\n[%s]", guard);
    }
    if (action[0] != '\0') {
        put(d, "\\n/ %s", action);
    }
    if (r->timer != FSM_NO_TIMER) {
        put(d, "\\n+ %s", def->timers[r->timer].name);
    }
    put(d, "\"%s];\n", r->to == FSM_STAY ? ", style=dotted" : "");
}

size_t fsm_dot(const struct fsm_def *def, char *out, size_t size)
{
    struct dot d = {.out = out, .size = size};

    put(&d, "digraph \"%s\" {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n", def->name);
    for (uint8_t s = 0; s < def->n_states; s++) {
        put(&d, "  \"%s\"%s;\n", def->states[s], is_end(def, s) ? " [peripheries=2]" : "");
    }
    put(&d, "  \"\" [shape=point];\n  \"\" -> \"%s\";\n", def->states[def->initial]);
    for (uint16_t i = 0; i < def->n_rows; i++) {
        const struct fsm_row *r = &def->rows[i];
        if (r->kind == FSM_ROW) {
            put_edge(&d, def, r, def->states[r->from]);
        } else if (r->kind == FSM_ANY) {
            put_edge(&d, def, r, "any");
        }
    }
    put(&d, "}\n");
    return d.need;
}
