/*
 * choice.h - R14: several leads have the number of a call, and its agent says which one it is. What
 * is decided and what is shown, the same for SQL and the model.
 *
 * Until then the attempt stands on the first of them: its row is the one that is being dialed, and
 * that is where it stays if nobody chooses.
 */
#ifndef ADAPTERS_STORE_CHOICE_H
#define ADAPTERS_STORE_CHOICE_H

#include "adapters/store/store.h"

#define MATCHES_MAX 16 /* more would not help anybody to choose */

/* As it is kept with the attempt. */
enum choice {
    CHOICE_NONE,   /* there was nothing to choose, or it is chosen */
    CHOICE_NUMBER, /* among those that have this very number */
    CHOICE_TAIL,   /* among those that have its last ten digits */
};

/* What tells one from the other, and no more of it than that. */
struct match {
    uint64_t lead, row;
    struct text name; /* empty none */
    struct text list; /* that it is in */
};

/* By lead. */
struct matches {
    struct match at[MATCHES_MAX];
    size_t n;
    size_t exact; /* of them have the whole number, and come first */
};

/* E.164 first, the last ten digits only when that finds nobody. Leaves those that count. */
enum choice choice_among(struct matches *m);
/* As the actors are told: more than one as long as there is a choice. */
static inline uint32_t choice_matches(uint8_t choice, size_t n)
{
    return choice != CHOICE_NONE && n < 2 ? 2 : (uint32_t)n;
}
bool choice_offers(const struct matches *m, uint64_t lead);

/* The JSON array that a page offers; of the `size` bytes at `out` choice_size() are enough. */
size_t choice_size(const struct matches *m);
struct text choice_write(const struct matches *m, char *out, size_t size);

struct settle_facts {
    bool found;     /* the attempt */
    bool live;      /* it has not ended */
    bool disposed;  /* its row has left it */
    uint8_t choice; /* enum choice */
    uint64_t agent, lead;
    bool offered; /* the lead asked for is one of its matches now */
    /* The row that the attempt stands on, and the one of the lead asked for. */
    uint8_t row_status, asked_status;
    bool row_final, asked_final;
    int64_t row_due_ms;
};

struct settle_effect {
    uint8_t result;   /* enum result */
    const char *text; /* a sentence when refused */
    bool repeated;    /* it is so already: nothing to do */
    bool moves;       /* the attempt gets another row; then */
    /* the one it leaves is as if its call had never been sent, the other was asked for */
    struct row_step left, taken;
    int64_t left_due_ms;
};
struct settle_effect settle_decide(const struct msg_settle_lead *req, const struct settle_facts *f);

#endif
