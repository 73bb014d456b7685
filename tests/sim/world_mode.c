/*
 * world_mode.c - what people see of the daemon as a whole: its mode, and the rows of its alarms.
 */
#include "adapters/store/rules.h"
#include "tests/sim/world_int.h"

#include <string.h>

void mode_told(struct world *w, const struct msg_daemon_mode *m)
{
    w->mode = m->mode;
    w->mode_cause = m->cause;
}

/* As adapters/store/store.h has it: told twice changes nothing, "" ends all. */
void alarm_row(struct world *w, const struct msg_alarm_moved *m)
{
    struct alarm_row *standing = NULL;

    for (uint32_t i = 0; i < w->n_alarms; i++) {
        struct alarm_row *a = &w->alarms[i];
        bool same =
            text_same(text_of(a->code), m->code) && text_same(text_of(a->subject), m->subject);

        if (!m->stands && a->ended_ms == 0 && a->started_ms <= m->ended_wall_ms &&
            (same || m->code.len == 0)) {
            a->ended_ms = m->ended_wall_ms;
        }
        if (same && (a->ended_ms == 0 || a->started_ms == m->started_wall_ms)) {
            standing = a;
        }
    }
    if (m->stands && standing == NULL) {
        w->alarms = world_room(w->alarms, &w->room_alarms, w->n_alarms, sizeof *w->alarms);
        standing = &w->alarms[w->n_alarms++];
        *standing = (struct alarm_row){.started_ms = m->started_wall_ms};
        text_keep(standing->code, sizeof standing->code, m->code);
        text_keep(standing->subject, sizeof standing->subject, m->subject);
    }
}

enum daemon_mode world_mode(const struct world *w)
{
    return (enum daemon_mode)w->mode;
}

enum reason world_mode_cause(const struct world *w)
{
    return (enum reason)w->mode_cause;
}

unsigned world_alarms(const struct world *w, const char *code, bool standing)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < w->n_alarms; i++) {
        n += strcmp(w->alarms[i].code, code) == 0 && (!standing || w->alarms[i].ended_ms == 0);
    }
    return n;
}

int64_t world_alarm_ms(const struct world *w, const char *code)
{
    int64_t ms = 0;

    for (uint32_t i = 0; i < w->n_alarms; i++) {
        if (strcmp(w->alarms[i].code, code) == 0 && w->alarms[i].ended_ms != 0) {
            ms += w->alarms[i].ended_ms - w->alarms[i].started_ms;
        }
    }
    return ms;
}

void world_journal_ok(struct world *w, bool ok)
{
    struct msg_journal_state m = {
        .ok = ok, .limit = UINT64_C(1) << 30, .text = text_of(ok ? "" : "No space left on device")};

    w->journal_fails = !ok;
    if (ok) {
        store_release(w);
    }
    store_answer(w, ADDR_DESK, MSG_journal_state, &m);
}
