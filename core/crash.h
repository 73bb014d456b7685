/*
 * crash.h - places where the daemon can be made to die, in test builds only.
 *
 * Each durable step has one before and one after it. The adapters of the product and the models of
 * the simulation (tests/sim) name the same places, so that both can be swept: in virtual time a
 * place is hit by its model, in a process the environment says where and at which visit,
 *
 *     DIALER_CRASH=claim_after:3
 *
 * and the process is gone there as by kill -9. Without DIALER_CRASH_POINTS (what is shipped) the
 * macros are nothing, and no condition is looked at.
 */
#ifndef CORE_CRASH_H
#define CORE_CRASH_H

/* clang-format off */
#define CRASH_POINTS(X)                                                                            \
    X(claim_before)     /* a transaction with claims is ready to be committed */                   \
    X(claim_after)      /* it is, and nobody has been told */                                      \
    X(originate_before) /* an originate was noted as sent, and has not left */                     \
    X(originate_after)  /* it has left */                                                          \
    X(answer_before)    /* an answer was heard, its campaign not told */                           \
    X(answer_after)     /* its campaign was told */                                                \
    X(bridge_before)    /* a join is about to leave */                                             \
    X(bridge_after)     /* it has left */                                                          \
    X(dispose_before)   /* a transaction with a disposition is ready to be committed */            \
    X(dispose_after)    /* it is, and its agent was not told */                                    \
    X(journal_before)   /* records are ready for the disk, the store is away */                    \
    X(journal_after)    /* they are on the disk, nobody has been told */                           \
    X(replay_before)    /* the store is back, records of the journal are ready to be committed */  \
    X(replay_after)     /* they are, and the journal still has them */                             \
    X(take_before)      /* rows are about to be taken from the hopper */                           \
    X(take_after)       /* they are gone from it, nobody has them */                               \
    X(adopt_before)     /* connected; what lives there is not told */                              \
    X(adopt_after)      /* it was told */
/* clang-format on */

enum crash_point {
    CRASH_NONE,
#define CRASH_POINT_ENUM(name) CRASH_##name,
    CRASH_POINTS(CRASH_POINT_ENUM)
#undef CRASH_POINT_ENUM
        CRASH_POINT_COUNT
};

#ifdef DIALER_CRASH_POINTS
/* Any thread. Does not return when it is the place and the visit that were asked for. */
void crash_here(enum crash_point point);
#define CRASH_POINT(name) crash_here(CRASH_##name)
#define CRASH_POINT_IF(condition, name) ((condition) ? crash_here(CRASH_##name) : (void)0)
#else
#define CRASH_POINT(name) ((void)0)
#define CRASH_POINT_IF(condition, name) ((void)(0 && (condition)))
#endif

/* "claim_after"; "?" for what is none. */
const char *crash_point_name(enum crash_point point);

#endif
