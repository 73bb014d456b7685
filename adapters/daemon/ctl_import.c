/* ctl_import.c - lead import: pieces of a file from the socket into import.c. */
#include "adapters/daemon/ctl_job.h"
#include "adapters/daemon/ctl_settings.h"
#include "adapters/daemon/import.h"
#include "adapters/secret/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 64
#define PROGRESS_US 200000

struct importing {
    struct job *job;
    struct lead_import *import;
    uint64_t list, campaign;
    bool active;
    bool dry_run, recorded;
    int64_t told_us;
    char name[200];
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

/* R25, once for each file, also for one that was cut off. */
static int record(struct importing *i, const char *end)
{
    const struct lead_import_count *c = lead_import_counts(i->import);
    struct store *s = i->job->ctl->store;
    char counts[200];
    int n = snprintf(counts, sizeof counts,
                     "%s%" PRIu64 " rows: %" PRIu64 " inserted, %" PRIu64 " duplicates, %" PRIu64
                     " repeated, %" PRIu64 " do not call, %" PRIu64 " bad",
                     end, c->rows, c->store.inserted, c->store.duplicates, c->store.repeated,
                     c->store.suppressed, c->bad);
    const struct store_audit audit = {.at_wall_ms = pool_wall_ms(),
                                      .who = {i->job->who, (uint32_t)strlen(i->job->who)},
                                      .kind = {"list", 4},
                                      .subject = i->list,
                                      .field = {"import", 6},
                                      .before = {i->name, (uint32_t)strlen(i->name)},
                                      .after = {counts, (uint32_t)n}};
    if (i->dry_run || i->recorded)
        return STORE_OK;
    i->recorded = true;
    return s->ops->audit(s, &audit, 1);
}

static void finish(struct importing *i)
{
    struct job *job = i->job;
    const struct lead_import_count *c = lead_import_counts(i->import);
    if (job_store_failed(job, record(i, "")))
        return;
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
        (void)record(i, "cut off: ");
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
    if (lead_import_counts(i->import)->store.inserted > 0)
        (void)record(i, "cut off: "); /* whoever sent the file went away */
    lead_import_close(i->import);
    free(i);
}

/* As it was typed, cut between two characters. */
static void keep_name(struct importing *i, struct text name)
{
    size_t n = name.len < sizeof i->name ? name.len : sizeof i->name - 1;
    while (n < name.len && n > 0 && ((unsigned char)name.ptr[n] & 0xc0) == 0x80)
        n--;
    if (n > 0)
        memcpy(i->name, name.ptr, n);
    i->name[n] = 0;
}

void cmd_lead_import(struct job *job)
{
    struct text maps[MAPS_MAX];
    char why[256];
    struct store_list *list = settings_read(job, 0, job_id(job, "list"));
    if (!list)
        return;
    /* Of the whole file: what a repeated import is known by must be known before its first row. */
    char digest[SECRET_DIGEST_SIZE];
    struct text said = json_text(&job->args, json_get(&job->args, JSON_ROOT, "digest"));
    if (said.len != SECRET_DIGEST_SIZE - 1) {
        free(list);
        job_end(job, RESULT_INVALID, "the request has no digest of the file");
        return;
    }
    snprintf(digest, sizeof digest, "%.*s", (int)said.len, said.ptr);
    struct importing *i = calloc(1, sizeof *i);
    if (!i)
        abort();
    i->job = job;
    i->list = list->list;
    i->campaign = list->campaign;
    i->active = list->active;
    i->dry_run = job_switch(job, "dry-run");
    keep_name(i, job_text(job, "file"));
    const struct lead_import_options o = {
        .store = job->ctl->store,
        .by = job_by(job),
        .list = list->list,
        .country = job_arg(job, "country") ? job_text(job, "country") : list->country,
        .maps = maps,
        .n_maps = job_list(job, "map", maps, MAPS_MAX),
        .digest = digest,
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
