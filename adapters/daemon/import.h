/*
 * import.h - leads from a CSV file into a list.
 *
 * The first row is the heading. Columns are given to fields by `maps`, else by their names (number,
 * phone, name, zone, priority); every other column is kept with the lead, up to 500. Bad rows are
 * told and left out, the rest goes in: in batches, each one transaction, in constant memory. The
 * same file, known again by the digest of all its bytes, can be imported again after a cut: what is
 * there is counted, not doubled.
 *
 * A dry run counts what the real one would, and only reads: nobody's claims wait for it. The
 * numbers that it has found to be new it keeps, to know them again: 8 to 32 bytes each, 128 MB at
 * most.
 *
 * One thread, the one of the store's handle.
 */
#ifndef ADAPTERS_DAEMON_IMPORT_H
#define ADAPTERS_DAEMON_IMPORT_H

#include "adapters/store/store.h"

struct lead_import_options {
    struct store *store;
    struct store_by by;
    uint64_t list;
    struct text country;     /* for national formats; empty: none */
    const struct text *maps; /* "COLUMN=FIELD" */
    size_t n_maps;
    const char *digest; /* secret_digest of the whole file, which is to come */
    bool dry_run;
    void (*bad)(void *ctx, uint64_t line, const char *column, const char *reason);
    void *ctx;
};

struct lead_import_count {
    uint64_t rows; /* read, the heading not counted */
    uint64_t bad;
    struct store_import_count store;
};

struct lead_import;

/* Texts of the options are copied. NULL with a sentence. */
struct lead_import *lead_import_open(const struct lead_import_options *options, char *why,
                                     size_t why_size);
/* STORE_OK; STORE_INVALID: the file cannot be imported (heading, encoding); else what the store
 * said. After anything but STORE_OK the import is over; lead_import_error has the sentence. */
int lead_import_feed(struct lead_import *import, const char *bytes, size_t len);
int lead_import_finish(struct lead_import *import);
const char *lead_import_error(const struct lead_import *import);
const struct lead_import_count *lead_import_counts(const struct lead_import *import);
void lead_import_close(struct lead_import *import);

#endif
