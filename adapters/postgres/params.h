/*
 * params.h - parameters of a statement in PostgreSQL's text form; what runs for many sets of them
 * gets one array for each.
 */
#ifndef ADAPTERS_POSTGRES_PARAMS_H
#define ADAPTERS_POSTGRES_PARAMS_H

#include "adapters/store/sql.h"

#define PARAMS_MAX 40

struct params {
    char *buffer; /* grows to what the largest statement took */
    size_t used, size;
};

/* values[k]: the text of parameter k, until the next call. An enum store_status. */
int params_write(struct params *p, struct sql_store *s, const struct sql_statement *text,
                 const struct sql_value *params, size_t n, const char *values[PARAMS_MAX]);
void params_free(struct params *p);

#endif
