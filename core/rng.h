/*
 * rng.h - the project's own generator, fixed for ever: the same seed gives the same numbers on each
 * machine and compiler (SplitMix64: one word of state, good enough for choices, jitter and tests;
 * not for secrets).
 */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t rng_next(struct rng *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    return rng_mix(r->state);
}

/* The generator of stream `stream` under `seed`: streams do not depend on each other. */
static inline struct rng rng_stream(uint64_t seed, uint64_t stream)
{
    return (struct rng){rng_mix(seed ^ rng_mix(stream + UINT64_C(0x9e3779b97f4a7c15)))};
}

/* Evenly in [0, n); 0 for n = 0. Multiply and shift: the bias is n / 2^64. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_next(r) * n) >> 64);
}

/* Evenly in [0, 1). */
static inline double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

#endif
