/* print.h - rows of an answer on a terminal: aligned tables and records, nothing that could steer
 * the terminal. */
#ifndef ADAPTERS_CTL_PRINT_H
#define ADAPTERS_CTL_PRINT_H

#include "adapters/net/json.h"

#include <stdio.h>

struct rows {
    char **text; /* one JSON object each */
    size_t n, cap;
};

void rows_add(struct rows *rows, struct text row);
void rows_free(struct rows *rows);

/* One JSON array for a table; for a record the object (null if there is none). */
void print_json(FILE *out, const struct rows *rows, bool table);
void print_table(FILE *out, const struct rows *rows);
void print_record(FILE *out, const struct rows *rows);

#endif
