/* ctl_lead.c - leads, the do-not-call list, the records of changes, the schema. */
#include "adapters/ctl/progress.h"
#include "adapters/daemon/ctl_job.h"
#include "adapters/lead/number.h"

#include <stdlib.h>
#include <string.h>

/* --- do not call ----------------------------------------------------------------------------- */

void cmd_dnc_add(struct job *job)
{
    struct store *s = job->ctl->store;
    struct store_by by = job_by(job);
    char number[NUMBER_E164_SIZE];
    enum number_fault fault =
        number_normalise(job_text(job, "number"), job_text(job, "country"), number);
    if (fault != NUMBER_OK) {
        job_end(job, RESULT_INVALID, "number: %s", number_fault_sentence(fault));
        return;
    }
    struct text e164 = {number, (uint32_t)strlen(number)};
    struct msg_suppress ask = {.account = STORE_ACCOUNT,
                               .number = e164,
                               .source = job_arg(job, "source")
                                             ? job_text(job, "source")
                                             : (struct text){by.who, (uint32_t)strlen(by.who)},
                               .at_wall_ms = by.at_wall_ms};
    struct store_audit audit = {.at_wall_ms = by.at_wall_ms,
                                .who = {by.who, (uint32_t)strlen(by.who)},
                                .kind = {"dnc", 3},
                                .field = {"number", 6},
                                .before = {"", 0},
                                .after = e164};
    if (!job_store(job) || job_store_failed(job, s->ops->suppress(s, &ask, 1)) ||
        job_store_failed(job, s->ops->audit(s, &audit, 1)))
        return;
    struct msg_suppressed tell = {.account = STORE_ACCOUNT, .number = e164};
    job_send(job, ADDR_DESK, MSG_suppressed, &tell);
    job_end(job, RESULT_OK, "%s", "");
}

struct dnc_list {
    struct job *job;
    char last[40];
    uint64_t left;
};

static int row_number(void *ctx, struct text number, struct text source, int64_t at_ms)
{
    struct dnc_list *l = ctx;
    struct json_writer *w = job_row(l->job);
    json_put_text(w, "number", number);
    json_put_text(w, "source", source);
    job_put_time(w, "since", at_ms);
    job_row_end(l->job);
    snprintf(l->last, sizeof l->last, "%.*s", (int)number.len, number.ptr);
    l->left--;
    return 0;
}

#define DNC_PAGE 500

static void more_numbers(struct job *job)
{
    struct dnc_list *l = job->state;
    struct store *s = job->ctl->store;
    uint64_t before = l->left;
    uint32_t page = l->left < DNC_PAGE ? (uint32_t)l->left : DNC_PAGE;
    struct text after = {l->last, (uint32_t)strlen(l->last)};
    if (page > 0 &&
        (!job_store(job) ||
         job_store_failed(job, s->ops->suppressed(s, STORE_ACCOUNT, after, page, row_number, l))))
        return;
    if (before - l->left < DNC_PAGE)
        job_end(job, RESULT_OK, "%s", "");
}

static void free_state(struct job *job)
{
    free(job->state);
}

void cmd_dnc_list(struct job *job)
{
    struct dnc_list *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->job = job;
    l->left = job_count(job, "limit", UINT64_MAX);
    job->state = l;
    job->on_free = free_state;
    job->on_room = more_numbers;
}

/* --- a lead ---------------------------------------------------------------------------------- */

static int call_member(void *ctx, const struct store_call *c)
{
    struct json_writer *w = ctx;
    json_open_object(w, NULL);
    json_put_text(w, "attempt", c->attempt);
    json_put_uint(w, "no", c->attempt_no);
    json_put_str(w, "cause", c->cause == CAUSE_AGENT ? "agent" : "auto");
    json_put_str(w, "state", attempt_state_name(c->state));
    json_put_str(w, "outcome", outcome_name(c->outcome));
    json_put_uint(w, "agent", c->agent);
    job_put_time(w, "claimed", c->claimed_ms);
    job_put_time(w, "answered", c->answered_ms);
    job_put_time(w, "bridged", c->bridged_ms);
    job_put_time(w, "ended", c->ended_ms);
    json_put_text(w, "disposition", c->disposition);
    json_close_object(w);
    return 0;
}

void cmd_lead_show(struct job *job)
{
    struct store *s = job->ctl->store;
    struct store_lead_state l;
    struct store_cursor at = {.id = 0};
    size_t n = 50;
    uint64_t id = job_id(job, "lead");
    if (!job_store(job) || job_store_failed(job, s->ops->lead_read(s, id, &l)))
        return;
    struct json_writer *w = job_row(job);
    json_put_uint(w, "lead", id);
    json_put_text(w, "number", l.lead.number);
    json_put_text(w, "name", l.lead.name);
    json_put_text(w, "zone", l.lead.zone);
    json_put_uint(w, "list", l.list);
    json_put_uint(w, "campaign", l.campaign);
    json_put_uint(w, "row", l.row);
    json_put_str(w, "row_status", row_status_name(l.row_status));
    json_put_text(w, "cause", l.cause);
    json_put_bool(w, "final", l.final);
    json_put_uint(w, "attempts", l.attempts);
    job_put_time(w, "due", l.due_wall_ms);
    job_put_time(w, "created", l.created_wall_ms);
    json_put_raw(w, "fields", l.lead.fields.len ? l.lead.fields.ptr : "{}",
                 l.lead.fields.len ? l.lead.fields.len : 2);
    json_open_array(w, "calls");
    int status = s->ops->calls(s, 0, INT64_MAX, id, &at, &n, call_member, w);
    json_close_array(w);
    if (job_store_failed(job, status))
        return;
    job_row_end(job);
    job_end(job, RESULT_OK, "%s", "");
}

/* --- attempts -------------------------------------------------------------------------------- */

#define WEEK_MS (7 * 24 * 3600 * 1000LL)
#define ATTEMPT_PAGE 200

struct attempt_list {
    struct job *job;
    bool not_disposed;
    int64_t from_ms, to_ms;
    struct store_cursor at;
};

static int row_attempt(void *ctx, const struct store_call *c)
{
    struct attempt_list *l = ctx;
    static const char missed[] = "not_disposed";
    if (l->not_disposed && (c->disposition.len != sizeof missed - 1 ||
                            memcmp(c->disposition.ptr, missed, sizeof missed - 1) != 0))
        return 0;
    struct json_writer *w = job_row(l->job);
    json_put_text(w, "attempt", c->attempt);
    json_put_uint(w, "campaign", c->campaign);
    json_put_uint(w, "lead", c->lead);
    json_put_text(w, "number", c->number);
    json_put_uint(w, "agent", c->agent);
    json_put_str(w, "outcome", outcome_name(c->outcome));
    job_put_time(w, "answered", c->answered_ms);
    job_put_time(w, "ended", c->ended_ms);
    json_put_text(w, "disposition", c->disposition);
    json_put_text(w, "by", c->disposed_by);
    json_put_text(w, "note", c->note);
    job_row_end(l->job);
    return 0;
}

static void more_attempts(struct job *job)
{
    struct attempt_list *l = job->state;
    struct store *s = job->ctl->store;
    size_t n = ATTEMPT_PAGE;
    if (!job_store(job) || job_store_failed(job, s->ops->calls(s, l->from_ms, l->to_ms, 0, &l->at,
                                                               &n, row_attempt, l)))
        return;
    if (n < ATTEMPT_PAGE)
        job_end(job, RESULT_OK, "%s", "");
}

void cmd_attempt_list(struct job *job)
{
    const char *from = job_arg(job, "from");
    const char *to = job_arg(job, "to");
    int64_t from_ms = from ? job_parse_time(from) : pool_wall_ms() - WEEK_MS;
    int64_t to_ms = to ? job_parse_time(to) : INT64_MAX;
    if (from_ms < 0 || to_ms < 0) {
        job_end(job, RESULT_INVALID, "%s = %s: want 2026-11-23 or 2026-11-23T09:00:00Z",
                from_ms < 0 ? "from" : "to", from_ms < 0 ? from : to);
        return;
    }
    struct attempt_list *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    *l = (struct attempt_list){.job = job,
                               .not_disposed = job_switch(job, "not-disposed"),
                               .from_ms = from_ms,
                               .to_ms = to_ms};
    job->state = l;
    job->on_free = free_state;
    job->on_room = more_attempts;
}

/* R25: the attempt has the new disposition; the old one stays in the call's events and in the
 * audit. */
void cmd_attempt_correct(struct job *job)
{
    struct store *s = job->ctl->store;
    struct store_by by = job_by(job);
    struct msg_disposed done;
    struct msg_dispose ask = {.attempt = job_text(job, "attempt"),
                              .code = job_text(job, "code"),
                              .note = job_text(job, "note"),
                              .at_wall_ms = by.at_wall_ms,
                              .corrected_by = {by.who, (uint32_t)strlen(by.who)}};
    if (!job_store(job) || job_store_failed(job, s->ops->dispose(s, &ask, 1, &done)))
        return;
    for (int i = 0; i < 2 && done.result == RESULT_OK; i++) {
        struct msg_suppressed tell = {.account = STORE_ACCOUNT,
                                      .number = i ? done.suppressed_own : done.suppressed};
        if (tell.number.len > 0)
            job_send(job, ADDR_DESK, MSG_suppressed, &tell);
    }
    job_end(job, (enum result)done.result, "%.*s", (int)done.text.len,
            done.text.len ? done.text.ptr : "");
}

/* --- records --------------------------------------------------------------------------------- */

static int row_audit(void *ctx, const struct store_audit *a)
{
    struct json_writer *w = job_row(ctx);
    job_put_time(w, "at", a->at_wall_ms);
    json_put_text(w, "who", a->who);
    json_put_text(w, "kind", a->kind);
    json_put_uint(w, "id", a->subject);
    json_put_text(w, "field", a->field);
    json_put_text(w, "old", a->before);
    json_put_text(w, "new", a->after);
    job_row_end(ctx);
    return 0;
}

void cmd_audit(struct job *job)
{
    struct store *s = job->ctl->store;
    uint32_t limit = (uint32_t)job_count(job, "limit", 50);
    if (job_store(job) && !job_store_failed(job, s->ops->audits(s, 0, limit, row_audit, job)))
        job_end(job, RESULT_OK, "%s", "");
}

/* --- the schema ------------------------------------------------------------------------------ */

static void put_installation(struct json_writer *w, const char *driver,
                             const struct store_installation *in)
{
    char node[8];
    snprintf(node, sizeof node, "%04x", (unsigned)in->node);
    json_put_str(w, "store", driver);
    json_put_uint(w, "schema", in->schema);
    json_put_str(w, "node", node);
    json_put_uint(w, "starts", in->starts);
    json_put_str(w, "owner", in->owner);
    job_put_time(w, "since", in->since_wall_ms);
    job_put_time(w, "beat", in->beat_wall_ms);
}

/* A daemon that runs has migrated its store at its start: both commands show what is there. */
void cmd_db(struct job *job)
{
    struct store_installation in;
    struct store *s = job->ctl->store;
    if (!job_store(job) || job_store_failed(job, s->ops->installation(s, &in)))
        return;
    put_installation(job_row(job), job->ctl->options->driver->name, &in);
    job_row_end(job);
    job_end(job, RESULT_OK, "%s", "");
}

static void show_migration(int step, int of)
{
    progress_show("migration %d of %d", step, of);
}

int ctl_db_alone(const struct store_driver *driver, const struct store_options *options,
                 bool migrate, bool json)
{
    struct store_options mine = *options;
    struct store_installation in;
    struct json_writer w;
    char buffer[1024];
    mine.own = migrate;
    mine.migrating = show_migration;
    struct store *s = driver->make(&mine);
    if (!s)
        abort();
    int status = s->ops->connect(s, pool_wall_ms());
    if (status == STORE_OK)
        status = s->ops->installation(s, &in);
    progress_clear();
    if (status == STORE_OK && json) {
        json_writer_init(&w, buffer, sizeof buffer);
        json_open_object(&w, NULL);
        put_installation(&w, driver->name, &in);
        json_close_object(&w);
        size_t len = 0;
        const char *text = json_writer_end(&w, &len);
        puts(text ? text : "null");
    } else if (status == STORE_OK) {
        printf("store   %s\nschema  %u\nnode    %04x\nstarts  %u\nowner   %s\n", driver->name,
               (unsigned)in.schema, (unsigned)in.node, (unsigned)in.starts, in.owner);
    } else {
        fprintf(stderr, "dialerd: store: %s\n", s->error[0] ? s->error : store_status_name(status));
    }
    s->ops->close(s);
    return status == STORE_OK ? 0 : status == STORE_HELD ? 4 : status == STORE_AWAY ? 5 : 1;
}
