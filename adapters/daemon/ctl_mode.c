/* ctl_mode.c - what the desk has said of the daemon as a whole: its mode, the journal, the alarms
 * that stand. Kept here so that it can be shown while the store is away. */
#include "adapters/daemon/ctl_job.h"

#include <stdlib.h>
#include <string.h>

static void keep(char *out, size_t size, struct text t)
{
    snprintf(out, size, "%.*s", (int)t.len, t.len ? t.ptr : "");
}

static void gauge(const struct ctl *ctl, const char *name, const char *label, int64_t value)
{
    if (ctl->metrics)
        metric_gauge(ctl->metrics, name, label, 0, value);
}

static void told_mode(struct ctl *ctl, const struct msg_daemon_mode *m)
{
    ctl->seen.mode = m->mode;
    ctl->seen.since_wall_ms = m->since_wall_ms;
    keep(ctl->seen.text, sizeof ctl->seen.text, m->text);
    for (unsigned i = 0; i < DAEMON_MODES; i++)
        gauge(ctl, "dialer_mode", daemon_mode_name(i), i == m->mode);
}

static void told_journal(struct ctl *ctl, const struct msg_journal_state *m)
{
    ctl->seen.journal = true;
    ctl->seen.journal_ok = m->ok;
    ctl->seen.records = m->records;
    ctl->seen.bytes = m->bytes;
    keep(ctl->seen.journal_text, sizeof ctl->seen.journal_text, m->text);
}

/* How many of a kind stand. */
static void gauge_alarms(const struct ctl *ctl, unsigned kind)
{
    int64_t n = 0;
    for (size_t i = 0; i < ctl->seen.n_alarms; i++)
        n += ctl->seen.alarms[i].kind == kind;
    gauge(ctl, "dialer_alarms", alarm_name(kind), n);
}

static void told_alarm(struct ctl *ctl, const struct msg_alarm_moved *m)
{
    struct ctl_alarm a = {.kind = m->kind, .started_wall_ms = m->started_wall_ms};
    struct ctl_seen *seen = &ctl->seen;
    size_t i = 0;
    keep(a.code, sizeof a.code, m->code);
    keep(a.subject, sizeof a.subject, m->subject);
    keep(a.text, sizeof a.text, m->text);
    while (i < seen->n_alarms && (strcmp(seen->alarms[i].code, a.code) != 0 ||
                                  strcmp(seen->alarms[i].subject, a.subject) != 0))
        i++;
    if (m->stands && i == seen->n_alarms && i < CTL_ALARMS_MAX)
        seen->alarms[seen->n_alarms++] = a;
    else if (!m->stands && i < seen->n_alarms)
        seen->alarms[i] = seen->alarms[--seen->n_alarms];
    gauge_alarms(ctl, m->kind);
}

void ctl_told(struct ctl *ctl, uint16_t type, const void *msg)
{
    if (type == MSG_daemon_mode)
        told_mode(ctl, msg);
    else if (type == MSG_journal_state)
        told_journal(ctl, msg);
    else if (type == MSG_alarm_moved)
        told_alarm(ctl, msg);
}

void ctl_status_rows(struct job *job)
{
    const struct ctl_seen *seen = &job->ctl->seen;
    struct json_writer *w = job_row(job);
    char text[320];
    json_put_str(w, "what", "mode");
    json_put_str(w, "name", "");
    json_put_str(w, "state", daemon_mode_name(seen->mode));
    json_put_str(w, "text", seen->text);
    job_row_end(job);
    if (!seen->journal)
        return;
    snprintf(text, sizeof text, "%s%s%llu records wait for the store, %llu bytes",
             seen->journal_text, seen->journal_text[0] ? "; " : "",
             (unsigned long long)seen->records, (unsigned long long)seen->bytes);
    w = job_row(job);
    json_put_str(w, "what", "journal");
    json_put_str(w, "name", "");
    json_put_str(w, "state", seen->journal_ok ? "ok" : "failing");
    json_put_str(w, "text", text);
    job_row_end(job);
}

static void alarm_row(struct job *job, const struct store_alarm *a)
{
    struct json_writer *w = job_row(job);
    json_put_text(w, "code", a->code);
    json_put_text(w, "subject", a->subject);
    json_put_text(w, "text", a->text);
    job_put_time(w, "since", a->started_wall_ms);
    job_put_time(w, "until", a->ended_wall_ms);
    job_row_end(job);
}

static int row_alarm(void *ctx, const struct store_alarm *a)
{
    alarm_row(ctx, a);
    return 0;
}

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

/* Those that stand are known here, whatever is with the store; those that are over only there. */
void cmd_alarms(struct job *job)
{
    struct ctl *ctl = job->ctl;
    struct store *s = ctl->store;
    if (job_switch(job, "all")) {
        if (job_store(job) &&
            !job_store_failed(job, s->ops->alarms(s, false, 1000, row_alarm, job)))
            job_end(job, RESULT_OK, "%s", "");
        return;
    }
    for (size_t i = ctl->seen.n_alarms; i > 0; i--) {
        const struct ctl_alarm *a = &ctl->seen.alarms[i - 1];
        const struct store_alarm row = {.code = text_of(a->code),
                                        .subject = text_of(a->subject),
                                        .text = text_of(a->text),
                                        .started_wall_ms = a->started_wall_ms};
        alarm_row(job, &row);
    }
    job_end(job, RESULT_OK, "%s", "");
}
