/*
 * types.h - the few words every layer shares.
 *
 * Time: `*_us` is microseconds of the monotonic clock (durations and deadlines), `*_ms` with the
 * word wall is milliseconds UTC since 1970 (calling windows, records). Nothing in actors/ reads a
 * clock: an event carries both.
 */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The name of an actor or an adapter. Never a pointer: an actor that has ended leaves a handle that
 * resolves to nothing, and a message to it is counted and dropped.
 *
 *   0                                   nobody
 *   bit 63 clear, generation << 32 | slot + 1   one incarnation of one actor
 *   bit 63 set,   kind << 56 | id               whoever is registered under (kind, id) now
 */
typedef uint64_t handle;

#define HANDLE_NONE ((handle)0)
#define HANDLE_NAMED ((handle)1 << 63)

/* Kinds below 16 are endpoints outside the pool (one thread each, see bus.h); the rest are actors.
 * core gives them no meaning: the contract (actors/types.h) does. */
#define KIND_ENDPOINT_MAX 15u

static inline handle named(unsigned kind, uint64_t id)
{
    return HANDLE_NAMED | ((handle)(kind & 0x7fu) << 56) | (id & 0x00ffffffffffffffu);
}

static inline bool handle_is_named(handle h)
{
    return (h & HANDLE_NAMED) != 0;
}

static inline unsigned handle_kind(handle h)
{
    return (unsigned)((h >> 56) & 0x7fu);
}

static inline uint64_t handle_id(handle h)
{
    return h & 0x00ffffffffffffffu;
}

/* A piece of text somebody else owns: valid as long as the message it came with. Not terminated. */
struct text {
    const char *ptr;
    uint32_t len;
};

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define MS_PER_S INT64_C(1000)

#endif
