/* conformance.h - what every store must do, whatever it stands on. */
#ifndef TESTS_STORE_CONFORMANCE_H
#define TESTS_STORE_CONFORMANCE_H

#include "adapters/store/store.h"

struct fixture {
    const struct store_driver *driver;
    /* Makes an empty store and fills in how to open it; 0 or -1. */
    int (*fresh)(struct store_options *options);
    /* How to open the store of the last fresh() once more. */
    int (*again)(struct store_options *options);
    /* Throws the store of the last fresh() away. */
    void (*drop)(void);
    bool clock; /* leases end by the store's own clock, not by the times it is told */
    void (*does)(const char *sql); /* somebody else's hand in it; NULL if there is no SQL */
};

struct CMUnitTest;

/* Runs the suite and what only this store has; cmocka's status. */
int conformance_run(const char *name, const struct fixture *fixture, const struct CMUnitTest *more,
                    size_t n_more);

/* --- a small world for tests that use a store ------------------------------------------------- */

#define WORLD_NOW INT64_C(1767612600000) /* Monday 5 January 2026, 11:30 UTC */

struct world {
    struct store *s;
    struct store_by by;
    uint64_t trunk, campaign, list, agent;
    uint32_t epoch;
    unsigned sequence;
    char id[40];
    bool clock; /* the fixture's */
};

/* Fails the test with the store's own words unless rc is STORE_OK. */
void store_good(struct store *s, int rc);
struct text text_of(const char *s);
/* Opens the fixture's store as its owner. */
struct store *world_open(const struct fixture *fixture, const char *owner);
/* A trunk, a running campaign with its lease, an active list, an agent. */
void world_make(struct world *w, struct store *s);
/* n leads with numbers +12125550120... into the world's list. */
void world_leads(struct world *w, unsigned n);
/* +1212555nnnn in a buffer of its own for each of the last 64 calls. */
struct text world_number(unsigned n);
/* The first n candidate rows. */
size_t world_rows(struct world *w, int64_t now, uint64_t *rows, size_t n);
/* A claim for a row, with a new attempt id. */
struct msg_claim world_claim(struct world *w, uint64_t row, int64_t now);
/* Claims one row and answers the reason; the answer in *out if not NULL. */
unsigned world_claim_one(struct world *w, uint64_t row, int64_t now, struct msg_claimed *out);
/* The end of an attempt, as the campaign would tell it. */
struct msg_attempt_over world_over(struct world *w, const struct msg_claimed *c, uint8_t outcome,
                                   int64_t now);
/* Tells it; it must be known. */
void world_end(struct world *w, const struct msg_attempt_over *m);
/* Claims one row, which must be allowed. The attempt's id outlives the answer it came in. */
struct msg_claimed world_claim_good(struct world *w, uint64_t row, int64_t now);
struct store_lead_state world_lead(struct world *w, uint64_t lead);
/* Returns so many rows; when the next will be due. */
int64_t world_recycle(struct world *w, int64_t now, uint32_t expect);
/* A call to a number by hand, with a new attempt id; answers the reason. */
unsigned world_manual(struct world *w, const char *number, int64_t now, struct msg_claimed *out);
bool text_is(struct text t, const char *s);

#endif
