/* ctl_export.c - calls, agents' time and leads as CSV or JSON lines. Read page by page, each
 * written only when the client has taken the one before: constant memory, whatever the length. */
#include "adapters/daemon/ctl_job.h"
#include "adapters/lead/csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 200
#define ROW_BYTES (1024u * 1024u)

struct export
{
    char kind; /* 'c'alls, 'a'gents, 'l'eads */
    bool csv;
    bool begun; /* the heading is written */
    int64_t from_ms, to_ms;
    struct store_cursor at;
    struct json_writer row; /* one row, as an object */
    struct json doc;        /* the same, read again */
    char fault[200];        /* why a row cannot be written; empty: none */
    char *page;
    size_t page_len, page_cap;
    uint64_t rows; /* so far */
};

/* --- time ------------------------------------------------------------------------------------ */

static bool digits(const char *p, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

int64_t job_parse_time(const char *text)
{
    struct tm tm = {.tm_mday = 1};
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == 'Z')
        len--;
    if (len != 10 && len != 16 && len != 19)
        return -1;
    if (!digits(text, 4, &tm.tm_year) || text[4] != '-' || !digits(text + 5, 2, &tm.tm_mon) ||
        text[7] != '-' || !digits(text + 8, 2, &tm.tm_mday))
        return -1;
    if (len > 10 && ((text[10] != 'T' && text[10] != ' ') || !digits(text + 11, 2, &tm.tm_hour) ||
                     text[13] != ':' || !digits(text + 14, 2, &tm.tm_min)))
        return -1;
    if (len > 16 && (text[16] != ':' || !digits(text + 17, 2, &tm.tm_sec)))
        return -1;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000;
}

/* --- one row --------------------------------------------------------------------------------- */

static char *room(struct export *e, size_t len)
{
    if (e->page_len + len > e->page_cap) {
        e->page_cap = (e->page_len + len) * 2;
        e->page = realloc(e->page, e->page_cap);
        if (!e->page)
            abort();
    }
    return e->page + e->page_len;
}

static void add(struct export *e, const char *text, size_t len)
{
    memcpy(room(e, len), text, len);
    e->page_len += len;
}

static void add_field(struct export *e, struct text t, bool first)
{
    if (!first)
        add(e, ",", 1);
    if (t.ptr)
        e->page_len += csv_write_field(t, room(e, CSV_WRITTEN(t.len)));
}

/* Members of the finished object as CSV: names first, once, then values. */
static void add_csv(struct export *e, const char *text)
{
    for (int heading = e->begun ? 0 : 1; heading >= 0; heading--) {
        bool first = true;
        for (json_ref v = json_first(&e->doc, JSON_ROOT); v != JSON_NONE;
             v = json_next(&e->doc, v)) {
            struct text t = heading ? json_key(&e->doc, v) : json_text(&e->doc, v);
            if (!heading && !t.ptr && json_type(&e->doc, v) != JSON_NULL)
                t = json_raw(&e->doc, v, text);
            add_field(e, t, first);
            first = false;
        }
        add(e, "\r\n", 2);
    }
    e->begun = true;
}

static struct json_writer *begin_row(struct export *e)
{
    json_writer_reset(&e->row);
    json_open_object(&e->row, NULL);
    return &e->row;
}

/* A row that is too long, or that holds what is no JSON (a lead's columns come from the store as
 * they are), ends the export with an error: who reads the file must not take it for the whole. */
static int end_row(struct export *e, const char *what, struct text id)
{
    size_t len = 0;
    json_close_object(&e->row);
    const char *text = json_writer_end(&e->row, &len);
    if (!text || json_parse(&e->doc, text, len) != 0) {
        snprintf(e->fault, sizeof e->fault, "%s %.*s cannot be written: %s", what, (int)id.len,
                 id.len ? id.ptr : "", text ? e->doc.error : "the row is too long");
        return 1;
    }
    if (e->csv) {
        add_csv(e, text);
    } else {
        add(e, text, len);
        add(e, "\n", 1);
    }
    return 0;
}

static int one_call(void *ctx, const struct store_call *c)
{
    struct export *e = ctx;
    struct json_writer *w = begin_row(e);
    json_put_text(w, "attempt", c->attempt);
    json_put_uint(w, "campaign", c->campaign);
    json_put_uint(w, "list", c->list);
    json_put_uint(w, "lead", c->lead);
    json_put_uint(w, "row", c->row);
    json_put_uint(w, "attempt_no", c->attempt_no);
    json_put_text(w, "number", c->number);
    json_put_str(w, "cause", c->cause == CAUSE_AGENT ? "agent" : "auto");
    json_put_uint(w, "agent", c->agent);
    json_put_uint(w, "trunk", c->trunk);
    json_put_uint(w, "pbx", c->pbx);
    json_put_text(w, "caller_id", c->caller_id);
    json_put_str(w, "state", attempt_state_name(c->state));
    json_put_str(w, "outcome", outcome_name(c->outcome));
    json_put_uint(w, "q850", c->q850);
    json_put_uint(w, "sip", c->sip);
    json_put_bool(w, "counts", c->counts);
    job_put_time(w, "claimed", c->claimed_ms);
    job_put_time(w, "originated", c->originated_ms);
    job_put_time(w, "ringing", c->ringing_ms);
    job_put_time(w, "answered", c->answered_ms);
    job_put_time(w, "bridged", c->bridged_ms);
    job_put_time(w, "ended", c->ended_ms);
    json_put_text(w, "disposition", c->disposition);
    json_put_text(w, "disposed_by", c->disposed_by);
    job_put_time(w, "disposed", c->disposed_ms);
    json_put_text(w, "note", c->note);
    return end_row(e, "attempt", c->attempt);
}

static int one_time(void *ctx, const struct store_agent_time *t)
{
    struct export *e = ctx;
    struct json_writer *w = begin_row(e);
    json_put_uint(w, "agent", t->agent);
    json_put_text(w, "login", t->login);
    json_put_str(w, "state", agent_state_name(t->state));
    json_put_text(w, "reason", t->reason);
    json_put_uint(w, "campaign", t->campaign);
    json_put_text(w, "attempt", t->attempt);
    job_put_time(w, "from", t->from_ms);
    job_put_time(w, "until", t->until_ms);
    return end_row(e, "a state of agent", t->login);
}

static int one_lead(void *ctx, const struct store_lead_state *l)
{
    struct export *e = ctx;
    struct json_writer *w = begin_row(e);
    json_put_uint(w, "lead", l->lead.lead);
    json_put_uint(w, "list", l->list);
    json_put_uint(w, "campaign", l->campaign);
    json_put_text(w, "number", l->lead.number);
    json_put_text(w, "name", l->lead.name);
    json_put_text(w, "zone", l->lead.zone);
    json_put_str(w, "row_status", row_status_name(l->row_status));
    json_put_text(w, "cause", l->cause);
    json_put_bool(w, "final", l->final);
    json_put_uint(w, "attempts", l->attempts);
    job_put_time(w, "due", l->due_wall_ms);
    job_put_time(w, "created", l->created_wall_ms);
    json_put_raw(w, "fields", l->lead.fields.len ? l->lead.fields.ptr : "{}",
                 l->lead.fields.len ? l->lead.fields.len : 2);
    char id[24];
    int n = snprintf(id, sizeof id, "%" PRIu64, l->lead.lead);
    return end_row(e, "lead", (struct text){id, (uint32_t)n});
}

/* --- page by page ---------------------------------------------------------------------------- */

static void next_page(struct job *job)
{
    struct export *e = job->state;
    struct store *s = job->ctl->store;
    size_t n = PAGE;
    if (!job_store(job))
        return;
    e->page_len = 0;
    int status = e->kind == 'c' ? s->ops->calls(s, e->from_ms, e->to_ms, 0, &e->at, &n, one_call, e)
                 : e->kind == 'a'
                     ? s->ops->agent_times(s, e->from_ms, e->to_ms, &e->at, &n, one_time, e)
                     : s->ops->leads(s, e->from_ms, e->to_ms, &e->at, &n, one_lead, e);
    if (job_store_failed(job, status))
        return;
    /* A line of the answer stays short: a page may need several. */
    for (size_t at = 0; at < e->page_len;) {
        size_t len = e->page_len - at < CTL_PIECE ? e->page_len - at : CTL_PIECE;
        while (at + len < e->page_len && len > CTL_PIECE - 4 &&
               ((unsigned char)e->page[at + len] & 0xc0u) == 0x80u)
            len--; /* not inside a character */
        job_data(job, e->page + at, len);
        at += len;
    }
    e->rows += n;
    struct json_writer *w = job_line(job, "progress");
    json_put_uint(w, "rows", e->rows);
    job_row_end(job);
    if (e->fault[0])
        job_end(job, RESULT_REFUSED, "the export is not complete: %s", e->fault);
    else if (n == 0)
        job_end(job, RESULT_OK, "%s", "");
}

static void free_export(struct job *job)
{
    struct export *e = job->state;
    json_writer_free(&e->row);
    json_free(&e->doc);
    free(e->page);
    free(e);
}

void cmd_export(struct job *job)
{
    const char *from = job_arg(job, "from");
    const char *to = job_arg(job, "to");
    int64_t from_ms = from ? job_parse_time(from) : 0;
    int64_t to_ms = to ? job_parse_time(to) : INT64_MAX;
    if (from_ms < 0 || to_ms < 0) {
        job_end(job, RESULT_INVALID, "%s = %s: want 2026-11-23 or 2026-11-23T09:00:00Z",
                from_ms < 0 ? "from" : "to", from_ms < 0 ? from : to);
        return;
    }
    struct export *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    e->kind = job->command->name[strlen("export ")];
    e->csv = !job_arg(job, "format") || strcmp(job_arg(job, "format"), "csv") == 0;
    e->from_ms = from_ms;
    e->to_ms = to_ms;
    json_writer_init_heap(&e->row, ROW_BYTES);
    json_init(&e->doc, ROW_BYTES);
    job->state = e;
    job->on_free = free_export;
    job->on_room = next_page;
}
