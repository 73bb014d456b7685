/* ctl_import.c - lead import: pieces of a file from the socket into import.c. */
#include "adapters/daemon/ctl_job.h"
#include "adapters/daemon/ctl_settings.h"
#include "adapters/daemon/import.h"

#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 64
#define PROGRESS_US 200000

struct importing {
    struct job *job;
    struct lead_import *import;
    uint64_t list, campaign;
    bool active;
    bool dry_run;
    int64_t told_us;
};

static void on_bad(void *ctx, uint64_t line, const char *column, const char *reason)
{
    struct importing *i = ctx;
    job_count_one(i->job, "dialer_import_bad_rows_total", NULL);
    struct json_writer *w = job_line(i->job, "bad");
    json_put_uint(w, "line", line);
    json_put_str(w, "column", column);
    json_put_str(w, "reason", reason);
    job_row_end(i->job);
}

static void tell_progress(struct importing *i)
{
    int64_t now = pool_now_us();
    if (now - i->told_us < PROGRESS_US)
        return;
    i->told_us = now;
    struct json_writer *w = job_line(i->job, "progress");
    json_put_uint(w, "rows", lead_import_counts(i->import)->rows);
    job_row_end(i->job);
}

static void finish(struct importing *i)
{
    struct job *job = i->job;
    const struct lead_import_count *c = lead_import_counts(i->import);
    struct json_writer *w = job_row(job);
    json_put_uint(w, "rows", c->rows);
    json_put_uint(w, "inserted", c->store.inserted);
    json_put_uint(w, "duplicates", c->store.duplicates);
    json_put_uint(w, "repeated", c->store.repeated);
    json_put_uint(w, "do_not_call", c->store.suppressed);
    json_put_uint(w, "bad", c->bad);
    json_put_bool(w, "dry_run", i->dry_run);
    job_row_end(job);
    if (!i->dry_run && c->store.inserted > 0) {
        struct msg_list_changed changed = {
            .campaign = i->campaign, .list = i->list, .active = i->active};
        job_send(job, ADDR_DESK, MSG_list_changed, &changed);
    }
    job_end(job, RESULT_OK, "%s", "");
}

static void on_piece(struct job *job, const char *bytes, size_t len)
{
    struct importing *i = job->state;
    int status = len > 0 ? lead_import_feed(i->import, bytes, len) : lead_import_finish(i->import);
    if (status != STORE_OK) {
        enum result result = status == STORE_INVALID     ? RESULT_INVALID
                             : status == STORE_AWAY      ? RESULT_AWAY
                             : status == STORE_NOT_FOUND ? RESULT_NOT_FOUND
                                                         : RESULT_REFUSED;
        if (status == STORE_AWAY)
            job->ctl->store_up = false;
        job_end(job, result, "%s", lead_import_error(i->import));
        return;
    }
    tell_progress(i);
    if (len == 0)
        finish(i);
}

static void free_import(struct job *job)
{
    struct importing *i = job->state;
    lead_import_close(i->import);
    free(i);
}

void cmd_lead_import(struct job *job)
{
    struct text maps[MAPS_MAX];
    char why[256];
    struct store_list *list = settings_read(job, 0, job_id(job, "list"));
    if (!list)
        return;
    struct importing *i = calloc(1, sizeof *i);
    if (!i)
        abort();
    i->job = job;
    i->list = list->list;
    i->campaign = list->campaign;
    i->active = list->active;
    i->dry_run = job_switch(job, "dry-run");
    const struct lead_import_options o = {
        .store = job->ctl->store,
        .by = job_by(job),
        .list = list->list,
        .country = job_arg(job, "country") ? job_text(job, "country") : list->country,
        .maps = maps,
        .n_maps = job_list(job, "map", maps, MAPS_MAX),
        .dry_run = i->dry_run,
        .bad = on_bad,
        .ctx = i};
    i->import = lead_import_open(&o, why, sizeof why);
    free(list);
    if (!i->import) {
        free(i);
        job_end(job, RESULT_INVALID, "%s", why);
        return;
    }
    job->state = i;
    job->on_free = free_import;
    job->on_piece = on_piece;
}
