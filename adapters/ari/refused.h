/*
 * refused.h - the words of an Asterisk that refuses originates, for the log: each kind (status and
 * text) at once, then at most once a minute with how many more there were. One server's; its
 * thread's.
 */
#ifndef ADAPTERS_ARI_REFUSED_H
#define ADAPTERS_ARI_REFUSED_H

#include "core/types.h"

#define REFUSED_EVERY_US (60 * US_PER_S)
#define REFUSED_KINDS                                                                              \
    8u /* remembered; a further one takes the place of the one heard longest ago */
#define REFUSED_TEXT 100u

struct refused_kind {
    char text[REFUSED_TEXT]; /* numbers masked; status 0: free */
    int status;
    uint32_t untold;
    int64_t told_us, heard_us;
};

struct refused {
    struct refused_kind kind[REFUSED_KINDS];
};

/* One more. Answers whether `line` is to be logged now. */
bool refused_note(struct refused *r, int status, struct text why, int64_t now_us, char *line,
                  size_t size);
/* What is to be told though nothing more was heard; call it until it says false. */
bool refused_due(struct refused *r, int64_t now_us, char *line, size_t size);

#endif
