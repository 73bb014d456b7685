/*
 * desk_alarm.c - R26: what people are called for. Whoever knows that something is wrong tells the
 * desk; the desk keeps what stands, and tells the store (a row with cause, start and end), pages,
 * the operator's socket, the log and the metrics once when it starts and once when it ends.
 */
#include "actors/desk_int.h"
#include "actors/words.h"

#include <string.h>

static struct standing_alarm *find(struct desk *d, uint8_t kind, uint64_t subject)
{
    for (uint32_t i = 0; i < ALARMS_MOST; i++) {
        if (d->alarms[i].kind == kind && d->alarms[i].subject == subject) {
            return &d->alarms[i];
        }
    }
    return NULL;
}

const struct standing_alarm *desk_standing(const struct desk *d, enum alarm_kind kind,
                                           uint64_t subject)
{
    return find((struct desk *)d, (uint8_t)kind, subject);
}

static void tell(const struct standing_alarm *a, int64_t ended_wall_ms, struct effects *fx)
{
    char buffer[40];
    struct words subject;
    struct msg_alarm_moved m = {.kind = a->kind,
                                .code = words_of(alarm_code(a->kind)),
                                .text = words_of(a->text),
                                .stands = ended_wall_ms == 0,
                                .started_wall_ms = a->started_wall_ms,
                                .ended_wall_ms = ended_wall_ms};

    words_start(&subject, buffer, sizeof buffer);
    if (alarm_subject(a->kind)[0] != 0) {
        words_add(&subject, alarm_subject(a->kind));
        words_add_int(&subject, (int64_t)a->subject);
    }
    m.subject = words_text(&subject);
    fx_send(fx, ADDR_STORE, MSG_alarm_moved, &m);
    fx_send(fx, ADDR_WEB, MSG_alarm_moved, &m);
    fx_send(fx, ADDR_CTL, MSG_alarm_moved, &m);
}

void desk_alarm(struct desk *d, enum alarm_kind kind, uint64_t subject, bool stands,
                struct text text, const struct event *ev, struct effects *fx)
{
    struct standing_alarm *a = find(d, (uint8_t)kind, subject);

    if (stands == (a != NULL)) {
        return;
    }
    if (stands) {
        a = find(d, 0, 0);
        if (!a) {
            fx_log(fx, 3, "DLR-ALARMS", "too many alarms stand: one of kind %d is only here",
                   (int64_t)kind, 0, 0);
            return;
        }
        *a = (struct standing_alarm){
            .kind = (uint8_t)kind, .subject = subject, .started_wall_ms = ev->wall_ms};
        words_keep(a->text, sizeof a->text, text);
        fx_log(fx, 3, alarm_code(kind), "alarm: %d", (int64_t)subject, 0, 0);
        fx_count(fx, "dialer_alarms_raised_total", alarm_name(kind), 0, 1);
        tell(a, 0, fx);
        return;
    }
    fx_log(fx, 1, alarm_code(kind), "alarm over: %d", (int64_t)subject, 0, 0);
    tell(a, ev->wall_ms, fx);
    memset(a, 0, sizeof *a);
}

void desk_on_alarm(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_alarm *m = ev->msg;

    if (m->kind == ALARM_campaign_parked && m->stands) {
        desk_park(d, m, ev, fx);
    }
    if (m->kind > 0 && m->kind < ALARM_COUNT) {
        desk_alarm(d, (enum alarm_kind)m->kind, m->subject, m->stands, m->text, ev, fx);
    }
}

void desk_alarm_begin(const struct event *ev, struct effects *fx)
{
    struct msg_alarm_moved none = {.code = words_of(""),
                                   .subject = words_of(""),
                                   .text = words_of(""),
                                   .ended_wall_ms = ev->wall_ms};

    fx_send(fx, ADDR_STORE, MSG_alarm_moved, &none);
}
