/* journal.c - see journal.h. What touches the disk is in journal_file.c. */
#include "adapters/journal/journal_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_SIZE 65536u /* larger than what a file system gives away beforehand */

struct journal *journal_make(const struct journal_options *o)
{
    struct journal *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->fd = -1;
    j->path = strdup(o->path);
    j->size_max = o->size_max > JOURNAL_SIZE_MIN ? o->size_max : JOURNAL_SIZE_MIN;
    j->disk = o->disk;
    if (!j->path) {
        free(j);
        return NULL;
    }
    return j;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    file_close(j);
    free(j->put);
    free(j->look);
    free(j->path);
    free(j);
}

int journal_open(struct journal *j)
{
    return j->fd >= 0 ? JOURNAL_OK : file_open(j);
}

int journal_bind(struct journal *j, uint16_t node)
{
    int rc;

    if (j->fd < 0)
        return JOURNAL_FAULT;
    if (j->node == node)
        return JOURNAL_OK;
    if (j->node != 0 && j->records > 0) {
        snprintf(j->error, sizeof j->error,
                 "%s holds %llu records of installation %04x, this is %04x", j->path,
                 (unsigned long long)j->records, j->node, node);
        return JOURNAL_FOREIGN;
    }
    j->node = node;
    rc = file_head(j);
    if (rc != JOURNAL_OK)
        j->node = 0;
    return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int more_room(uint8_t **at, size_t *room, size_t want)
{
    size_t size = *room ? *room : 65536;
    uint8_t *p;

    if (want <= *room)
        return 0;
    while (size < want)
        size *= 2;
    p = realloc(*at, size);
    if (!p)
        return -1;
    *at = p;
    *room = size;
    return 0;
}

int journal_put(struct journal *j, handle from, uint16_t type, const void *bytes, size_t n)
{
    size_t size = RECORD_HEAD_SIZE + n;
    uint8_t *p;

    if (n > JOURNAL_RECORD_MAX || j->end + j->n_put + size > j->size_max) {
        snprintf(j->error, sizeof j->error, "%s has reached its size of %llu bytes", j->path,
                 (unsigned long long)j->size_max);
        return JOURNAL_FULL;
    }
    if (more_room(&j->put, &j->put_room, j->n_put + size) != 0) {
        snprintf(j->error, sizeof j->error, "out of memory");
        return JOURNAL_FAULT;
    }
    p = j->put + j->n_put;
    put_number(p + 4, n, 4);
    put_number(p + 8, j->next_number, 8);
    put_number(p + 16, from, 8);
    put_number(p + 24, type, 2);
    memset(p + 26, 0, 6);
    if (n > 0)
        memcpy(p + RECORD_HEAD_SIZE, bytes, n);
    put_number(p, journal_crc(p + 4, size - 4), 4);
    j->n_put += size;
    j->next_number++;
    j->puts++;
    return JOURNAL_OK;
}

int journal_commit(struct journal *j)
{
    int rc = journal_open(j);

    if (rc != JOURNAL_OK || j->n_put == 0)
        return rc;
    rc = file_write(j, j->put, j->n_put, j->end);
    if (rc == JOURNAL_OK)
        rc = file_sync(j);
    if (rc != JOURNAL_OK)
        return rc;
    j->end += j->n_put;
    j->records += j->puts;
    j->n_put = 0;
    j->puts = 0;
    return JOURNAL_OK;
}

void journal_forget(struct journal *j)
{
    j->next_number -= j->puts;
    j->n_put = 0;
    j->puts = 0;
}

int journal_probe(struct journal *j)
{
    static const uint8_t nothing[PROBE_SIZE];
    int rc = journal_open(j), back;

    if (rc != JOURNAL_OK)
        return rc;
    if (j->end + PROBE_SIZE > j->size_max) {
        snprintf(j->error, sizeof j->error, "%s has nearly reached its size of %llu bytes", j->path,
                 (unsigned long long)j->size_max);
        return JOURNAL_FULL;
    }
    rc = file_write(j, nothing, sizeof nothing, j->end);
    if (rc == JOURNAL_OK)
        rc = file_sync(j);
    back = file_cut(j, j->end);
    return rc != JOURNAL_OK ? rc : back;
}

/* --- reading ---------------------------------------------------------------------------------- */

int journal_read(struct journal *j, size_t most, size_t *n, journal_each each, void *ctx)
{
    size_t at = 0, size;
    int rc = journal_open(j);

    *n = 0;
    if (rc != JOURNAL_OK)
        return rc;
    most = most < j->records ? most : (size_t)j->records;
    if (most == 0)
        return JOURNAL_OK;
    rc = file_look(j, most);
    if (rc != JOURNAL_OK)
        return rc;
    for (; *n < most; ++*n, at += size) {
        const uint8_t *p = j->look + at;
        struct journal_record r = {.number = j->mark_number + *n};

        size = record_size(p, j->n_look - at, r.number);
        if (size == 0)
            break; /* the next read goes on here */
        r.from = get_number(p + 16, 8);
        r.type = (uint16_t)get_number(p + 24, 2);
        r.bytes = p + RECORD_HEAD_SIZE;
        r.n = size - RECORD_HEAD_SIZE;
        if (each(ctx, &r) != 0)
            break;
    }
    return JOURNAL_OK;
}

int journal_done(struct journal *j, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        at += record_size(j->look + at, j->n_look - at, j->mark_number + i);
    j->mark += at;
    j->mark_number += n;
    j->records -= n;
    if (j->records > 0)
        return file_mark(j);
    /* The mark first: a file that ends before its mark reads as empty, the other way round the
     * records behind an old mark would be taken for new ones. */
    j->mark = HEAD_SIZE;
    if (file_mark(j) != JOURNAL_OK) {
        j->mark = j->end; /* what comes next has to stand behind the mark that the file has */
        return JOURNAL_FAULT;
    }
    j->end = HEAD_SIZE;
    return file_cut(j, j->end);
}

struct journal_figures journal_figures(const struct journal *j)
{
    return (struct journal_figures){.open = j->fd >= 0,
                                    .records = j->records,
                                    .bytes = j->end - j->mark,
                                    .limit = j->size_max,
                                    .waiting = j->puts,
                                    .cut = j->cut,
                                    .cuts = j->cuts};
}

const char *journal_error(const struct journal *j)
{
    return j->error;
}
