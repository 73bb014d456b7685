/* journal_file.c - the journal's file: head, mark, records, and what a crash may leave of them. */
#include "adapters/journal/journal_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1u
#define LOOK_SIZE (1024u * 1024u)

static const char magic[8] = "DLRJRNL";

int file_failed(struct journal *j, int status, const char *what)
{
    snprintf(j->error, sizeof j->error, "%s: %s: %m", j->path, what);
    return status;
}

/* --- the disk --------------------------------------------------------------------------------- */

int file_write(struct journal *j, const void *bytes, size_t n, uint64_t at)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        ssize_t done = j->disk.pwrite ? j->disk.pwrite(j->fd, p, n, (off_t)at)
                                      : pwrite(j->fd, p, n, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0)
            errno = ENOSPC;
        if (done <= 0)
            return file_failed(j, JOURNAL_FAULT, "write");
        p += done;
        n -= (size_t)done;
        at += (uint64_t)done;
    }
    return JOURNAL_OK;
}

int file_sync(struct journal *j)
{
    int rc;

    do
        rc = j->disk.fdatasync ? j->disk.fdatasync(j->fd) : fdatasync(j->fd);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? JOURNAL_OK : file_failed(j, JOURNAL_FAULT, "fdatasync");
}

int file_cut(struct journal *j, uint64_t size)
{
    int rc =
        j->disk.ftruncate ? j->disk.ftruncate(j->fd, (off_t)size) : ftruncate(j->fd, (off_t)size);

    return rc == 0 ? JOURNAL_OK : file_failed(j, JOURNAL_FAULT, "ftruncate");
}

int file_mark(struct journal *j)
{
    uint8_t m[MARK_SIZE];

    put_number(m, j->mark, 8);
    put_number(m + 8, j->mark_number, 8);
    put_number(m + 16, journal_crc(m, 16), 4);
    return file_write(j, m, sizeof m, MARK_AT);
}

int file_head(struct journal *j)
{
    uint8_t head[MARK_AT] = {0};
    int rc;

    memcpy(head, magic, sizeof magic);
    put_number(head + 8, VERSION, 4);
    put_number(head + 12, j->node, 4);
    rc = file_write(j, head, sizeof head, 0);
    return rc == JOURNAL_OK ? file_sync(j) : rc;
}

/* --- opening ---------------------------------------------------------------------------------- */

size_t record_size(const uint8_t *p, size_t n, uint64_t number)
{
    uint64_t content;

    if (n < RECORD_HEAD_SIZE)
        return 0;
    content = get_number(p + 4, 4);
    if (content > JOURNAL_RECORD_MAX || n - RECORD_HEAD_SIZE < content)
        return 0;
    if (get_number(p + 8, 8) != number)
        return 0;
    if (get_number(p, 4) != journal_crc(p + 4, RECORD_HEAD_SIZE - 4 + content))
        return 0;
    return RECORD_HEAD_SIZE + content;
}

static int read_at(struct journal *j, uint8_t *out, size_t n, uint64_t at, size_t *got)
{
    *got = 0;
    while (*got < n) {
        ssize_t done = pread(j->fd, out + *got, n - *got, (off_t)(at + *got));

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return file_failed(j, JOURNAL_FAULT, "read");
        if (done == 0)
            break;
        *got += (size_t)done;
    }
    return JOURNAL_OK;
}

static int new_file(struct journal *j)
{
    static const uint8_t nothing[HEAD_SIZE - MARK_AT];
    int rc;

    j->mark = HEAD_SIZE;
    j->mark_number = 1;
    rc = file_write(j, nothing, sizeof nothing, MARK_AT); /* the whole block is taken now */
    if (rc == JOURNAL_OK)
        rc = file_mark(j);
    return rc == JOURNAL_OK ? file_head(j) : rc;
}

static int read_head(struct journal *j, uint64_t size)
{
    uint8_t head[MARK_AT + MARK_SIZE], *mark = head + MARK_AT;
    size_t got;
    int rc = read_at(j, head, sizeof head, 0, &got);

    if (rc != JOURNAL_OK)
        return rc;
    if (got < sizeof head || memcmp(head, (uint8_t[8]){0}, 8) == 0)
        return new_file(j); /* made, and the machine went before the first sync */
    if (memcmp(head, magic, sizeof magic) != 0 || get_number(head + 8, 4) != VERSION) {
        snprintf(j->error, sizeof j->error, "%s is no journal of this version", j->path);
        return JOURNAL_FAULT;
    }
    j->node = (uint16_t)get_number(head + 12, 4);
    j->mark = get_number(mark, 8);
    j->mark_number = get_number(mark + 8, 8);
    if (get_number(mark + 16, 4) == journal_crc(mark, 16) && j->mark >= HEAD_SIZE)
        return JOURNAL_OK;
    /* Torn: from the start, with the number that the first record has. */
    j->mark = HEAD_SIZE;
    j->mark_number = 1;
    if (size >= HEAD_SIZE + RECORD_HEAD_SIZE) {
        rc = read_at(j, head, RECORD_HEAD_SIZE, HEAD_SIZE, &got);
        j->mark_number = get_number(head + 8, 8);
    }
    return rc;
}

/* A file is extended before it is written: zeros are not a record that was lost. What is older than
 * the mark was done with. */
static bool was_record(const struct journal *j, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n && i < RECORD_HEAD_SIZE; i++)
        if (p[i] != 0)
            return n < 16 || get_number(p + 8, 8) >= j->mark_number;
    return false;
}

/* Every record behind the mark, a piece of the file at a time. */
static int find_end(struct journal *j, uint64_t size)
{
    size_t got = 0, at = 0, one;
    uint8_t *piece = malloc(LOOK_SIZE);
    int rc = JOURNAL_OK;

    if (!piece) {
        snprintf(j->error, sizeof j->error, "out of memory");
        return JOURNAL_FAULT;
    }
    j->end = j->mark;
    j->records = 0;
    while (rc == JOURNAL_OK) {
        rc = read_at(j, piece, LOOK_SIZE, j->end, &got);
        for (at = 0; (one = record_size(piece + at, got - at, j->mark_number + j->records)) > 0;
             at += one)
            j->records++;
        j->end += at;
        if (at == 0 || got < LOOK_SIZE)
            break;
    }
    if (rc == JOURNAL_OK && j->end < size) {
        if (was_record(j, piece + at, got - at)) {
            j->cut += size - j->end;
            j->cuts++;
        }
        rc = file_cut(j, j->end);
    }
    free(piece);
    return rc;
}

int make_folders(const char *path)
{
    char folder[PATH_MAX];
    char *slash;

    snprintf(folder, sizeof folder, "%s", path);
    for (slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return 0;
}

/* The name must be as durable as what is written under it. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    char *slash;
    int fd;

    snprintf(folder, sizeof folder, "%s", path);
    slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static int open_path(struct journal *j)
{
    if (make_folders(j->path) != 0)
        return file_failed(j, JOURNAL_FAULT, "mkdir");
    j->fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->fd < 0)
        return file_failed(j, JOURNAL_FAULT, "open");
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
        return file_failed(j, JOURNAL_HELD, "another process has it");
    sync_folder(j->path);
    return JOURNAL_OK;
}

int file_open(struct journal *j)
{
    struct stat st;
    int rc = open_path(j);

    if (rc == JOURNAL_OK && fstat(j->fd, &st) != 0)
        rc = file_failed(j, JOURNAL_FAULT, "fstat");
    if (rc == JOURNAL_OK)
        rc = st.st_size == 0 ? new_file(j) : read_head(j, (uint64_t)st.st_size);
    if (rc == JOURNAL_OK)
        rc = find_end(j, (uint64_t)st.st_size);
    if (rc != JOURNAL_OK) {
        file_close(j);
        return rc;
    }
    /* What was put while there was no file has numbers from a guess. */
    for (size_t at = 0, i = 0; i < j->puts; i++) {
        uint8_t *p = j->put + at;
        size_t size = RECORD_HEAD_SIZE + get_number(p + 4, 4);

        put_number(p + 8, j->mark_number + j->records + i, 8);
        put_number(p, journal_crc(p + 4, size - 4), 4);
        at += size;
    }
    j->next_number = j->mark_number + j->records + j->puts;
    return JOURNAL_OK;
}

void file_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
}

/* --- reading ---------------------------------------------------------------------------------- */

int file_look(struct journal *j, size_t want)
{
    size_t size = want * 1024; /* most are smaller; at least one of the largest */

    size = size < RECORD_SIZE_MAX ? RECORD_SIZE_MAX : size;
    size = size < j->end - j->mark ? size : (size_t)(j->end - j->mark);
    if (size > j->look_room) {
        uint8_t *p = realloc(j->look, size);

        if (!p) {
            snprintf(j->error, sizeof j->error, "out of memory");
            return JOURNAL_FAULT;
        }
        j->look = p;
        j->look_room = size;
    }
    return read_at(j, j->look, size, j->mark, &j->n_look);
}
