/*
 * service_keep.h - the service's journal: what is told while the store is away is made durable on
 * this machine, promised, and brought into the store when it is back. Inside the service only.
 *
 * Memory holds nothing that the journal has: an hour without the store costs disk, not memory.
 */
#ifndef ADAPTERS_STORE_SERVICE_KEEP_H
#define ADAPTERS_STORE_SERVICE_KEEP_H

#include "actors/types.h"
#include "adapters/journal/journal.h"
#include "adapters/store/service_batch.h"

struct known_code; /* a disposition as the store told it */

struct keeper {
    struct journal *journal; /* NULL: none, records wait in memory */
    struct sent *sent;       /* NULL: none; the shell's */
    bool ok;                 /* what is told now can be kept */
    bool unusable; /* cannot be read, or is another installation's: until the next connection */
    char why[200]; /* not ok: a sentence */
    bool told, told_ok;
    uint64_t told_records, told_cuts;
    int64_t probe_us, tell_us;    /* when next */
    size_t put_records, put_legs; /* from the queues' heads on: in the journal, not committed */
    struct known_code *codes;
    size_t n_codes, room_codes;
    struct promised *promised; /* dispositions, until the journal is empty */
    size_t n_promised, room_promised, n_committed;
    uint64_t replayed, refused; /* since the store came back */
    int64_t since_us;
    uint8_t *packed; /* one record's content */
};

struct promised {
    char attempt[ID_SIZE];
    char code[32];
};

/* 0, -1 without memory. path NULL: no journal. */
int keep_init(struct keeper *k, const char *path, uint64_t size_max, struct sent *sent);
void keep_fini(struct keeper *k);

/* Remembers a disposition: what may be promised depends on it. */
void keep_code(struct keeper *k, const struct store_disposition *d);

/* What comes now can be promised without the store. */
static inline bool keep_ready(const struct keeper *k)
{
    return k->journal && k->ok && !k->unusable;
}
/* The store is away: whatever waits in the queues goes to the disk and is answered from there. */
void keep_flush(struct keeper *k, struct service_batch *b);
/* The store is back and takes from now on what waits in memory. */
void keep_leave(struct keeper *k);

/* The store is there: whose journal is it? */
void keep_bind(struct keeper *k, struct service_batch *b, const struct store_installation *in);
/* Nothing is there to be brought in. */
bool keep_empty(const struct keeper *k);
/* Brings one transaction's worth into the store. STORE_AWAY: try again when it is back. */
int keep_replay(struct keeper *k, struct service_batch *b);

/* Is the disk well? Tells the desk what has changed. `idle`: the store is there, and the journal
 * not needed. */
void keep_look(struct keeper *k, struct service_batch *b, bool idle, int64_t now_us);
/* When keep_look() wants to be called again: later than it was called. */
int64_t keep_next_us(const struct keeper *k);

#endif
