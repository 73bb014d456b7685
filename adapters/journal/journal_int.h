/*
 * journal_int.h - what the files of the journal share.
 *
 * The file: a block of HEAD_SIZE bytes, then records behind each other. All numbers are little
 * endian.
 *
 *   head     magic 8, version 4, node 4, [64] mark 8, its record's number 8, crc 4
 *   record   crc 4, length of the content 4, number 8, from 8, type 2, zero 6, content
 *
 * The CRC of a record covers everything behind it. The mark has a CRC of its own: a torn one means
 * reading from the start.
 */
#ifndef ADAPTERS_JOURNAL_JOURNAL_INT_H
#define ADAPTERS_JOURNAL_JOURNAL_INT_H

#include "adapters/journal/journal.h"

#define HEAD_SIZE 4096u
#define MARK_AT 64u
#define MARK_SIZE 20u
#define RECORD_HEAD_SIZE 32u
#define RECORD_SIZE_MAX (RECORD_HEAD_SIZE + JOURNAL_RECORD_MAX)

struct journal {
    char *path;
    uint64_t size_max;
    struct journal_disk disk;
    int fd;
    uint16_t node;
    uint64_t mark;        /* where reading goes on */
    uint64_t mark_number; /* number of the record there */
    uint64_t end;         /* behind the last committed record */
    uint64_t next_number; /* of the next record put */
    uint64_t records;     /* committed, behind the mark */
    uint8_t *put;         /* records put and not committed: to be written at `end` */
    size_t n_put, put_room;
    uint64_t puts;
    uint8_t *look; /* what was read last, from the mark on */
    size_t n_look, look_room;
    uint64_t cut, cuts;
    char error[200];
};

static inline void put_number(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t get_number(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

/* --- journal_file.c */
/* Makes the folders a file is to be in; 0, -1 with errno. */
int make_folders(const char *path);
/* Opens, locks, reads the head or writes a new one, finds the end. */
int file_open(struct journal *j);
void file_close(struct journal *j);
int file_write(struct journal *j, const void *bytes, size_t n, uint64_t at);
int file_sync(struct journal *j);
int file_cut(struct journal *j, uint64_t size);
int file_mark(struct journal *j);
int file_head(struct journal *j);
/* Fills j->look from the mark on with at least one record if there is one. */
int file_look(struct journal *j, size_t want);
/* Keeps the sentence with errno's in it; returns `status`. */
int file_failed(struct journal *j, int status, const char *what);
/* Size of the record at p, 0 when there is none in these n bytes that has this number. */
size_t record_size(const uint8_t *p, size_t n, uint64_t number);

#endif
