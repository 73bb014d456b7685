/* import.c - see import.h. */
#include "adapters/daemon/import.h"
#include "adapters/lead/csv.h"
#include "adapters/lead/number.h"
#include "adapters/net/json.h"
#include "adapters/secret/secret.h"
#include "adapters/zone/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BATCH ((size_t)STORE_BATCH_MAX * 16)
#define NAME_MAX_BYTES 200
#define FIELDS_MAX_BYTES (256u * 1024u)
#define MAPS_MAX 64
#define COLUMNS_MAX (STORE_FIELDS_MAX + 4) /* 500 kept ones and those with a meaning */

enum field { FIELD_KEPT, FIELD_NUMBER, FIELD_NAME, FIELD_ZONE, FIELD_PRIORITY };

static const struct {
    const char *word;
    enum field field;
    bool in_map; /* may stand behind = in a map; else only a usual name of a column */
} words[] = {
    {"number", FIELD_NUMBER, true},     {"name", FIELD_NAME, true},
    {"zone", FIELD_ZONE, true},         {"priority", FIELD_PRIORITY, true},
    {"phone", FIELD_NUMBER, false},     {"phone_number", FIELD_NUMBER, false},
    {"telephone", FIELD_NUMBER, false}, {"timezone", FIELD_ZONE, false},
};

/* The numbers that a dry run found to be new: open addressing, 0 is free. */
#define SEEN_LEAST ((size_t)1 << 12)
#define SEEN_MOST ((size_t)1 << 24)
struct seen {
    uint64_t *slots;
    size_t n, cap;
};

/* A lead of the batch, its texts as places in the arena, which may move while it grows. */
struct row {
    size_t name, zone, fields;
    uint32_t name_len, zone_len, fields_len;
    uint32_t priority;
    char number[NUMBER_E164_SIZE];
};

struct lead_import {
    struct lead_import_options options;
    char who[80];
    char country[8];
    char maps_text[8192];
    struct text maps[MAPS_MAX];
    struct csv *csv;
    struct lead_import_count count;
    struct row *rows;
    struct store_lead *leads;
    size_t n;
    char *arena;
    size_t used, cap;
    struct json_writer fields;
    /* the heading */
    bool headed;
    size_t columns;
    enum field field_of[COLUMNS_MAX];
    char *column[COLUMNS_MAX];
    char key[SECRET_DIGEST_SIZE];
    struct secret_digesting digesting;
    uint64_t import; /* the store's number of it, 0 not begun */
    struct seen seen;
    struct store_lead_look *looks; /* dry run */
    int status;
    char error[600];
};

static void fail(struct lead_import *im, int status, const char *text)
{
    if (im->status != STORE_OK)
        return;
    im->status = status;
    snprintf(im->error, sizeof im->error, "%s", text);
}

/* --- batches --------------------------------------------------------------------------------- */

static size_t keep(struct lead_import *im, const char *text, size_t len)
{
    if (im->used + len > im->cap) {
        im->cap = (im->used + len) * 2;
        im->arena = realloc(im->arena, im->cap);
        if (!im->arena)
            abort();
    }
    size_t at = im->used;
    if (len > 0)
        memcpy(im->arena + at, text, len);
    im->used += len;
    return at;
}

static void point_leads(struct lead_import *im)
{
    for (size_t i = 0; i < im->n; i++) {
        const struct row *r = &im->rows[i];
        im->leads[i] = (struct store_lead){.number = {r->number, (uint32_t)strlen(r->number)},
                                           .name = {im->arena + r->name, r->name_len},
                                           .zone = {im->arena + r->zone, r->zone_len},
                                           .fields = {im->arena + r->fields, r->fields_len},
                                           .priority = r->priority};
    }
}

static struct text key_of(const struct lead_import *im)
{
    return (struct text){im->key, (uint32_t)strlen(im->key)};
}

static int insert(struct lead_import *im)
{
    struct store *s = im->options.store;
    int status = STORE_OK;
    if (im->import == 0)
        status =
            s->ops->import_begin(s, &im->options.by, im->options.list, key_of(im), &im->import);
    if (status == STORE_OK)
        status = s->ops->leads_insert(s, im->options.list, im->import, im->options.by.at_wall_ms,
                                      im->leads, im->n, &im->count.store);
    return status;
}

/* --- a dry run -------------------------------------------------------------------------------- */

/* The digits of an E.164 number, at most 15 of them: the number itself, none is 0. */
static uint64_t digits_of(const char *number)
{
    return strtoull(number + 1, NULL, 10);
}

static uint64_t *seen_slot(const struct seen *seen, uint64_t digits)
{
    size_t at = (size_t)(digits * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (seen->cap - 1);
    while (seen->slots[at] != 0 && seen->slots[at] != digits)
        at = (at + 1) & (seen->cap - 1);
    return &seen->slots[at];
}

static void seen_grow(struct seen *seen)
{
    struct seen more = {.n = seen->n, .cap = seen->cap ? seen->cap * 2 : SEEN_LEAST};
    more.slots = calloc(more.cap, sizeof *more.slots);
    if (!more.slots)
        abort();
    for (size_t i = 0; i < seen->cap; i++)
        if (seen->slots[i] != 0)
            *seen_slot(&more, seen->slots[i]) = seen->slots[i];
    free(seen->slots);
    *seen = more;
}

/* Counts a row as leads_insert will. false: more numbers than can be kept. */
static bool try_one(struct lead_import *im, const struct row *r, const struct store_lead_look *look)
{
    struct store_import_count *count = &im->count.store;
    uint64_t digits = digits_of(r->number);
    if (look->there != LEAD_NEW) {
        *(look->there == LEAD_REPEATED ? &count->repeated : &count->duplicates) += 1;
        return true;
    }
    if (im->seen.n >= im->seen.cap / 4 * 3) {
        if (im->seen.cap == SEEN_MOST)
            return false;
        seen_grow(&im->seen);
    }
    uint64_t *slot = seen_slot(&im->seen, digits);
    if (*slot == digits) {
        count->duplicates++;
        return true;
    }
    *slot = digits;
    im->seen.n++;
    count->inserted++;
    count->suppressed += look->suppressed;
    return true;
}

static int try_out(struct lead_import *im)
{
    struct store *s = im->options.store;
    int status = s->ops->leads_look(s, im->options.list, key_of(im), im->leads, im->n, im->looks);
    for (size_t i = 0; i < im->n && status == STORE_OK; i++)
        if (!try_one(im, &im->rows[i], &im->looks[i])) {
            status = STORE_INVALID;
            fail(im, status, "a dry run can compare 12 million numbers, the file has more");
        }
    return status;
}

static void flush(struct lead_import *im)
{
    if (im->n == 0 || im->status != STORE_OK)
        return;
    point_leads(im);
    int status = im->options.dry_run ? try_out(im) : insert(im);
    if (status != STORE_OK)
        fail(im, status,
             im->options.store->error[0] ? im->options.store->error : store_status_name(status));
    im->n = 0;
    im->used = 0;
}

/* --- the heading ----------------------------------------------------------------------------- */

static bool same_word(struct text t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.ptr, word, t.len) == 0;
}

static bool apply_map(struct lead_import *im, struct text map, bool taken[])
{
    char text[600];
    const char *equals = memchr(map.ptr, '=', map.len);
    struct text column = {map.ptr, equals ? (uint32_t)(equals - map.ptr) : 0};
    struct text field = {equals ? equals + 1 : "", equals ? map.len - column.len - 1 : 0};
    for (size_t w = 0; equals && w < sizeof words / sizeof words[0]; w++) {
        if (!words[w].in_map || !same_word(field, words[w].word))
            continue;
        for (size_t i = 0; i < im->columns; i++)
            if (same_word(column, im->column[i])) {
                im->field_of[i] = words[w].field;
                taken[words[w].field] = true;
                return true;
            }
        snprintf(text, sizeof text, "map %.*s: the file has no column %.*s", (int)map.len, map.ptr,
                 (int)column.len, column.ptr);
        fail(im, STORE_INVALID, text);
        return false;
    }
    snprintf(text, sizeof text,
             "map %.*s: want COLUMN=FIELD, FIELD one of number name zone priority", (int)map.len,
             map.ptr);
    fail(im, STORE_INVALID, text);
    return false;
}

static void read_heading(struct lead_import *im, const struct csv_row *row)
{
    char text[600];
    bool taken[FIELD_PRIORITY + 1] = {false};
    im->headed = true;
    im->columns = row->n;
    if (row->n > COLUMNS_MAX) {
        im->columns = 0;
        fail(im, STORE_INVALID, "line 1: the heading has more than 500 columns to keep");
        return;
    }
    for (size_t i = 0; i < row->n; i++) {
        im->column[i] = strndup(row->columns[i].ptr, row->columns[i].len);
        if (!im->column[i])
            abort();
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(im->column[i], im->column[j]) == 0) {
                snprintf(text, sizeof text, "line 1: the column '%.100s' comes twice",
                         im->column[i]);
                fail(im, STORE_INVALID, text);
                return;
            }
    }
    for (size_t m = 0; m < im->options.n_maps; m++)
        if (!apply_map(im, im->maps[m], taken))
            return;
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        for (size_t i = 0; i < im->columns && !taken[words[w].field]; i++)
            if (strcasecmp(im->column[i], words[w].word) == 0 && im->field_of[i] == FIELD_KEPT) {
                im->field_of[i] = words[w].field;
                taken[words[w].field] = true;
            }
    if (!taken[FIELD_NUMBER])
        fail(im, STORE_INVALID,
             "line 1: no column holds the number; say which with --map COLUMN=number");
}

/* --- rows ------------------------------------------------------------------------------------ */

static void bad_row(struct lead_import *im, uint64_t line, const char *column, const char *reason)
{
    im->count.bad++;
    im->options.bad(im->options.ctx, line, column, reason);
}

static int on_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    struct lead_import *im = ctx;
    char text[300];
    (void)raw;
    if (!im->headed || fault == CSV_UTF16 || fault == CSV_NUL) {
        snprintf(text, sizeof text, "line %llu: %s", (unsigned long long)line,
                 csv_fault_sentence(fault));
        fail(im, STORE_INVALID, text);
        im->headed = true;
        return 1;
    }
    im->count.rows++;
    bad_row(im, line, column > 0 && column <= im->columns ? im->column[column - 1] : "",
            csv_fault_sentence(fault));
    return 0;
}

static bool take_priority(struct text t, uint32_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9' || i > 1)
            return false;
        *out = *out * 10 + (uint32_t)(t.ptr[i] - '0');
    }
    return t.len == 0 || *out > 0;
}

/* One field into the row. NULL, or what is wrong with it. */
static const char *take_field(struct lead_import *im, struct row *r, size_t i, struct text value)
{
    enum number_fault fault = NUMBER_OK;
    struct text country = {im->country, (uint32_t)strlen(im->country)};
    switch (im->field_of[i]) {
    case FIELD_NUMBER:
        fault = number_normalise(value, country, r->number);
        return fault == NUMBER_OK ? NULL : number_fault_sentence(fault);
    case FIELD_NAME:
        if (value.len > NAME_MAX_BYTES)
            return "is longer than 200 bytes";
        r->name = keep(im, value.ptr, value.len);
        r->name_len = value.len;
        return NULL;
    case FIELD_ZONE:
        if (value.len > 0 && !zone_known(value))
            return "is no IANA time zone";
        r->zone = keep(im, value.ptr, value.len);
        r->zone_len = value.len;
        return NULL;
    case FIELD_PRIORITY:
        return take_priority(value, &r->priority) ? NULL : "is no priority from 1 to 99";
    case FIELD_KEPT:
        if (value.len > 0)
            json_put_text(&im->fields, im->column[i], value);
        return NULL;
    }
    return NULL;
}

static void take_row(struct lead_import *im, const struct csv_row *row)
{
    char why[200];
    im->count.rows++;
    if (row->n != im->columns) {
        snprintf(why, sizeof why, "has %u columns, the heading has %zu", row->n, im->columns);
        bad_row(im, row->line, "", why);
        return;
    }
    size_t used = im->used;
    struct row *r = &im->rows[im->n];
    *r = (struct row){.name = used};
    json_writer_reset(&im->fields);
    json_open_object(&im->fields, NULL);
    for (size_t i = 0; i < row->n; i++) {
        const char *wrong = take_field(im, r, i, row->columns[i]);
        if (wrong) {
            bad_row(im, row->line, im->column[i], wrong);
            im->used = used;
            return;
        }
    }
    json_close_object(&im->fields);
    size_t len = 0;
    const char *fields = json_writer_end(&im->fields, &len);
    if (!fields) {
        bad_row(im, row->line, "", "its columns are too long");
        im->used = used;
        return;
    }
    r->fields = keep(im, fields, len);
    r->fields_len = (uint32_t)len;
    if (++im->n == BATCH)
        flush(im);
}

/* Stops the reader once anything has gone wrong for good. */
static int on_row(void *ctx, const struct csv_row *row)
{
    struct lead_import *im = ctx;
    if (im->headed)
        take_row(im, row);
    else
        read_heading(im, row);
    return im->status != STORE_OK;
}

/* --- life ------------------------------------------------------------------------------------ */

struct lead_import *lead_import_open(const struct lead_import_options *options, char *why,
                                     size_t why_size)
{
    size_t used = 0;
    struct lead_import *im = calloc(1, sizeof *im);
    if (!im)
        abort();
    im->options = *options;
    snprintf(im->who, sizeof im->who, "%s", options->by.who);
    im->options.by.who = im->who;
    snprintf(im->country, sizeof im->country, "%.*s", (int)options->country.len,
             options->country.len ? options->country.ptr : "");
    const char *wrong = NULL;
    if (options->country.len > 0 && !number_country_known(options->country))
        wrong = "national formats of this country are not known";
    if (options->n_maps > MAPS_MAX)
        wrong = "too many maps";
    for (size_t i = 0; !wrong && i < options->n_maps; i++) {
        struct text m = options->maps[i];
        if (used + m.len > sizeof im->maps_text) {
            wrong = "the maps are too long";
            break;
        }
        memcpy(im->maps_text + used, m.ptr, m.len);
        im->maps[i] = (struct text){im->maps_text + used, m.len};
        used += m.len;
    }
    if (wrong) {
        snprintf(why, why_size, "%s", wrong);
        free(im);
        return NULL;
    }
    snprintf(im->key, sizeof im->key, "%s", options->digest);
    secret_digest_begin(&im->digesting);
    im->csv = csv_open(on_row, on_fault, im);
    im->rows = calloc(BATCH, sizeof *im->rows);
    im->leads = calloc(BATCH, sizeof *im->leads);
    im->looks = calloc(BATCH, sizeof *im->looks);
    if (!im->csv || !im->rows || !im->leads || !im->looks)
        abort();
    json_writer_init_heap(&im->fields, FIELDS_MAX_BYTES);
    return im;
}

int lead_import_feed(struct lead_import *im, const char *bytes, size_t len)
{
    secret_digest_add(&im->digesting, bytes, len);
    if (im->status == STORE_OK && csv_feed(im->csv, bytes, len) != 0)
        fail(im, STORE_INVALID, "the file cannot be read as CSV");
    return im->status;
}

int lead_import_finish(struct lead_import *im)
{
    if (im->status == STORE_OK && csv_end(im->csv) != 0)
        fail(im, STORE_INVALID, "the file cannot be read as CSV");
    if (!im->headed)
        fail(im, STORE_INVALID, "the file is empty");
    flush(im);
    char digest[SECRET_DIGEST_SIZE];
    secret_digest_end(&im->digesting, digest);
    if (strcmp(digest, im->key) != 0)
        fail(im, STORE_INVALID,
             "the file changed while it was read; what was read is in: import it again");
    return im->status;
}

const char *lead_import_error(const struct lead_import *im)
{
    return im->error;
}

const struct lead_import_count *lead_import_counts(const struct lead_import *im)
{
    return &im->count;
}

void lead_import_close(struct lead_import *im)
{
    if (!im)
        return;
    csv_close(im->csv);
    json_writer_free(&im->fields);
    for (size_t i = 0; i < im->columns; i++)
        free(im->column[i]);
    free(im->rows);
    free(im->leads);
    free(im->looks);
    free(im->seen.slots);
    free(im->arena);
    free(im);
}
