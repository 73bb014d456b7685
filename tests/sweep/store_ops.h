/* store_ops.h - the operations that store_sweep.c sweeps. */
#ifndef TESTS_SWEEP_STORE_OPS_H
#define TESTS_SWEEP_STORE_OPS_H

#include "tests/store/conformance.h"

#define SUBJECT_LEADS 3

/* What one operation is about: leads that nobody else has, and the calls to them. */
struct subject {
    struct world *w;
    uint64_t lead[SUBJECT_LEADS], row[SUBJECT_LEADS];
    struct text number[SUBJECT_LEADS];
    struct msg_claim claim[SUBJECT_LEADS];
    char attempt[SUBJECT_LEADS][40];
    char name[40];
    uint64_t import;
    uint64_t answer; /* of the last run: a number made of all that it said */
};

struct store_op {
    const char *name;
    void (*before)(struct subject *t); /* on t->w->s, without trouble */
    int (*run)(struct subject *t, struct store *s);
    bool writes;
    bool same; /* a repetition answers the same */
    bool once; /* a repetition is another one: an operator's, who asks for it twice */
};

extern const struct store_op store_ops[];
extern const size_t store_ops_n;
/* A new store: the subjects are counted from the first again. */
void store_ops_begin(void);

#endif
