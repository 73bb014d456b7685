/*
 * record.h - one message in a bag: the msgpack array [to, from, type, length, map], its first four
 * in forms of fixed width, so that a record can be passed on or skipped without reading the map.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/codec.h"

#define RECORD_HEAD 27u
#define RECORD_TYPE_AT 20u /* offset of the two bytes of the type */

#define RECORD_FORWARDED 0x8000u /* in type: passed on by an actor's old home, see move.c */
#define RECORD_VOID 0x4000u      /* in type: a newer one has taken its place */
#define RECORD_TYPE_MASK 0x3fffu

struct record {
    handle to;
    handle from;
    uint16_t type; /* with the flags above */
    const uint8_t *map;
    uint32_t len;
};

/* Write the head in front of a map of `len` bytes that begins at p + RECORD_HEAD. */
static inline void record_put(uint8_t *p, handle to, handle from, unsigned type, size_t len)
{
    p[0] = 0x95;
    p[1] = 0xcf;
    codec_store(p + 2, to, 8);
    p[10] = 0xcf;
    codec_store(p + 11, from, 8);
    p[19] = 0xcd;
    codec_store(p + RECORD_TYPE_AT, type, 2);
    p[22] = 0xce;
    codec_store(p + 23, len, 4);
}

/* The byte behind the record at `p`, NULL when it is none. */
static inline const uint8_t *record_get(const uint8_t *p, const uint8_t *end, struct record *r)
{
    uint64_t len;

    if ((size_t)(end - p) < RECORD_HEAD || p[0] != 0x95 || p[1] != 0xcf || p[10] != 0xcf ||
        p[19] != 0xcd || p[22] != 0xce) {
        return NULL;
    }
    len = codec_load(p + 23, 4);
    if ((size_t)(end - p) - RECORD_HEAD < len) {
        return NULL;
    }
    r->to = codec_load64(p + 2);
    r->from = codec_load64(p + 11);
    r->type = (uint16_t)codec_load(p + RECORD_TYPE_AT, 2);
    r->map = p + RECORD_HEAD;
    r->len = (uint32_t)len;
    return p + RECORD_HEAD + len;
}

#endif
