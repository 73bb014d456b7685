/*
 * mutant.h - the daemon, broken on purpose, to see whether the judge (tests/judge) notices. Test
 * builds only: without DIALER_MUTANTS (what is shipped) MUTANT() is false and the compiler throws
 * away what stands behind it.
 *
 * A mutant is one promise that is not kept, in one marked place of the product; where that is an
 * adapter, in the model that stands for it in virtual time (tests/sim) too. `soak --mutants` sets
 * each on the real programs.
 */
#ifndef CORE_MUTANT_H
#define CORE_MUTANT_H

#include <stdbool.h>

/* clang-format off */
#define MUTANTS(X)                                                                                 \
    X(claim_after_originate) /* a claim is answered first and committed later */                   \
    X(no_retry_interval)     /* a number may be called again at once */                            \
    X(journal_not_replayed)  /* what was told while the store was away stays in the journal */     \
    X(adopt_skipped)         /* calls of an earlier daemon are nobody's */                         \
    X(deadline_missing)      /* an answered call may wait for ever */                              \
    X(double_bridge)         /* calls share their bridges */                                       \
    X(lost_disposition)      /* a disposition is acknowledged first and committed later */         \
    X(abandon_not_counted)   /* who heard the message counts as one who hung up */                 \
    X(resume_gap)            /* a page that comes back is not told what it missed */               \
    X(stale_owner)           /* a claim of an earlier owner is taken */                            \
    X(do_not_call_ignored)   /* numbers of the do-not-call list are dialed */
/* clang-format on */

enum mutant {
    MUTANT_NONE,
#define MUTANT_ENUM(name) MUTANT_##name,
    MUTANTS(MUTANT_ENUM)
#undef MUTANT_ENUM
        MUTANT_COUNT
};

#ifdef DIALER_MUTANTS
extern enum mutant mutant_now; /* set before anything runs */
/* "deadline_missing"; "" for none. */
const char *mutant_name(enum mutant mutant);
/* A process is told by its environment, DIALER_MUTANT=deadline_missing; for main(). */
void mutant_from_environment(void);
#define MUTANT(name) (mutant_now == MUTANT_##name)
/* What a mutant promised early is kept only after a while, in which others act on the promise. */
void mutant_dawdle(void);
#else
#define MUTANT(name) false
#define mutant_from_environment() ((void)0)
#define mutant_dawdle() ((void)0)
#endif

#endif
