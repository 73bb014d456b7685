/*
 * csv.h - a streaming reader of CSV (RFC 4180): constant memory, bytes in, rows out. No I/O.
 *
 *     csv_open -> csv_feed... (any pieces) -> csv_end -> csv_close
 *
 * A row that cannot be read is a fault with its line, column and reason; the reader goes on with
 * the next line. A file that is not CSV at all (UTF-16, NUL bytes) is a fault that stops it.
 */
#ifndef ADAPTERS_LEAD_CSV_H
#define ADAPTERS_LEAD_CSV_H

#include "core/types.h"

#define CSV_COLUMNS_MAX 1024u
#define CSV_ROW_MAX (256u * 1024u) /* bytes of one row */
#define CSV_LINES_MAX 100u         /* lines that one quoted field may span */

enum csv_fault {
    CSV_OK = 0,
    CSV_UTF16,        /* stops: save the file as UTF-8 */
    CSV_NUL,          /* stops: not a text file */
    CSV_BAD_UTF8,     /* row skipped */
    CSV_QUOTE_OPEN,   /* a quote that never closes: its line is skipped */
    CSV_QUOTE_INSIDE, /* text after a closing quote, or a quote inside a bare field */
    CSV_TOO_LONG,     /* a row over CSV_ROW_MAX */
    CSV_TOO_MANY,     /* more than CSV_COLUMNS_MAX columns */
};

const char *csv_fault_sentence(enum csv_fault fault);

struct csv_row {
    uint64_t line; /* where it begins, 1 for the first line of the file */
    const struct text *columns;
    uint32_t n;
    struct text raw; /* the row as it stood in the file, without its line end */
};

/* Answer 0 to go on; anything else stops the reader and comes back from csv_feed. */
typedef int (*csv_on_row)(void *ctx, const struct csv_row *row);
typedef int (*csv_on_fault)(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                            struct text raw);

struct csv;

/* NULL: no memory. The separator is found in the first line: comma, semicolon or tab. */
struct csv *csv_open(csv_on_row on_row, csv_on_fault on_fault, void *ctx);
/* 0, or what a callback answered, or -1 after a fault that stops. */
int csv_feed(struct csv *csv, const char *bytes, size_t n);
/* The last row, if the file did not end with a line end. Same result. */
int csv_end(struct csv *csv);
void csv_close(struct csv *csv);

/* A field as it is written: quoted where RFC 4180 wants it, and with an apostrophe in front where a
 * spreadsheet would take it for a formula (it begins with = + - @ TAB or CR). Signed plain numbers,
 * such as E.164, stay as they are. `out` needs CSV_WRITTEN(len) bytes; returns how many were used.
 */
#define CSV_WRITTEN(len) (2u * (size_t)(len) + 3u)
size_t csv_write_field(struct text field, char *out);

#endif
