/*
 * codec.h - msgpack, as far as the message list needs it: the building bricks of the generated
 * packers and readers, the general reader behind them, and the check of foreign bytes.
 *
 * The bricks are inline so that keys and headers become constants in the generated code: that is
 * where the factor of ten against a general packer comes from (core/README.md has the figures).
 * put_* needs room for the longest form; get_* returns the byte behind the value, or NULL when the
 * bytes do not hold such a value (the caller then asks the general reader, which knows why).
 */
#ifndef CORE_CODEC_H
#define CORE_CODEC_H

#include "core/message.h"

#include <string.h>

#define CODEC_MAX_DEPTH 8 /* of arrays and maps under keys that are skipped */

static inline void codec_store(uint8_t *p, uint64_t v, unsigned bytes)
{
    v = __builtin_bswap64(v << (64 - 8 * bytes));
    memcpy(p, &v, bytes);
}

static inline uint64_t codec_load(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

static inline uint64_t codec_load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

static inline uint8_t *codec_put_map(uint8_t *p, unsigned n)
{
    if (n < 16) {
        *p = (uint8_t)(0x80 | n);
        return p + 1;
    }
    *p = 0xde;
    codec_store(p + 1, n, 2);
    return p + 3;
}

static inline uint8_t *codec_put_key(uint8_t *p, const char *name, unsigned len)
{
    *p = (uint8_t)(0xa0 | len);
    memcpy(p + 1, name, len);
    return p + 1 + len;
}

static inline uint8_t *codec_put_u64(uint8_t *p, uint64_t v)
{
    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    if (v < 0x100) {
        p[0] = 0xcc;
        p[1] = (uint8_t)v;
        return p + 2;
    }
    if (v < 0x10000) {
        *p = 0xcd;
        codec_store(p + 1, v, 2);
        return p + 3;
    }
    if (v < 0x100000000) {
        *p = 0xce;
        codec_store(p + 1, v, 4);
        return p + 5;
    }
    *p = 0xcf;
    codec_store(p + 1, v, 8);
    return p + 9;
}

static inline uint8_t *codec_put_i64(uint8_t *p, int64_t v)
{
    if (v >= 0) {
        return codec_put_u64(p, (uint64_t)v);
    }
    if (v >= -32) {
        *p = (uint8_t)v;
        return p + 1;
    }
    if (v >= INT8_MIN) {
        p[0] = 0xd0;
        p[1] = (uint8_t)v;
        return p + 2;
    }
    if (v >= INT16_MIN) {
        *p = 0xd1;
        codec_store(p + 1, (uint64_t)v, 2);
        return p + 3;
    }
    if (v >= INT32_MIN) {
        *p = 0xd2;
        codec_store(p + 1, (uint64_t)v, 4);
        return p + 5;
    }
    *p = 0xd3;
    codec_store(p + 1, (uint64_t)v, 8);
    return p + 9;
}

static inline uint8_t *codec_put_flag(uint8_t *p, bool v)
{
    *p = v ? 0xc3 : 0xc2;
    return p + 1;
}

static inline uint8_t *codec_put_f64(uint8_t *p, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    *p = 0xcb;
    codec_store(p + 1, bits, 8);
    return p + 9;
}

static inline uint8_t *codec_put_text(uint8_t *p, struct text t)
{
    if (t.len < 32) {
        *p++ = (uint8_t)(0xa0 | t.len);
    } else if (t.len < 0x100) {
        *p++ = 0xd9;
        *p++ = (uint8_t)t.len;
    } else if (t.len < 0x10000) {
        *p = 0xda;
        codec_store(p + 1, t.len, 2);
        p += 3;
    } else {
        *p = 0xdb;
        codec_store(p + 1, t.len, 4);
        p += 5;
    }
    if (t.len != 0) {
        memcpy(p, t.ptr, t.len);
    }
    return p + t.len;
}

/* Is the next thing this key, in its shortest form? */
static inline bool codec_is_key(const uint8_t *p, const uint8_t *end, const char *name,
                                unsigned len)
{
    return (size_t)(end - p) > len && *p == (0xa0 | len) && memcmp(p + 1, name, len) == 0;
}

static inline const uint8_t *codec_get_map(const uint8_t *p, const uint8_t *end, unsigned n)
{
    if (n < 16) {
        return p < end && *p == (0x80 | n) ? p + 1 : NULL;
    }
    return end - p >= 3 && *p == 0xde && codec_load(p + 1, 2) == n ? p + 3 : NULL;
}

static inline const uint8_t *codec_get_uint(const uint8_t *p, const uint8_t *end, uint64_t max,
                                            uint64_t *v)
{
    unsigned bytes;

    if (p == end) {
        return NULL;
    }
    if (*p < 0x80) {
        *v = *p;
        return p + 1;
    }
    if (*p < 0xcc || *p > 0xcf) {
        return NULL;
    }
    bytes = 1u << (*p - 0xcc);
    if (end - p >= 9) {
        *v = codec_load64(p + 1) >> (64 - 8 * bytes);
    } else if ((size_t)(end - p) > bytes) {
        *v = codec_load(p + 1, bytes);
    } else {
        return NULL;
    }
    return *v <= max ? p + 1 + bytes : NULL;
}

static inline const uint8_t *codec_get_i64(const uint8_t *p, const uint8_t *end, int64_t *v)
{
    uint64_t u = 0;
    unsigned bytes;

    if (p == end) {
        return NULL;
    }
    if (*p >= 0xe0) {
        *v = (int8_t)*p;
        return p + 1;
    }
    if (*p < 0xd0 || *p > 0xd3) {
        p = codec_get_uint(p, end, INT64_MAX, &u);
        *v = (int64_t)u;
        return p;
    }
    bytes = 1u << (*p - 0xd0);
    if ((size_t)(end - p) <= bytes) {
        return NULL;
    }
    /* bytes is 1 to 8; the analyzer loses it. */
    u = codec_load(p + 1, bytes)
        << (64 - 8 * bytes); // NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult)
    *v = (int64_t)u >> (64 - 8 * bytes);
    return p + 1 + bytes;
}

static inline const uint8_t *codec_get_flag(const uint8_t *p, const uint8_t *end, bool *v)
{
    if (p == end || (*p != 0xc2 && *p != 0xc3)) {
        return NULL;
    }
    *v = *p == 0xc3;
    return p + 1;
}

static inline const uint8_t *codec_get_f64(const uint8_t *p, const uint8_t *end, double *v)
{
    uint64_t bits;

    if (end - p < 9 || *p != 0xcb) {
        return NULL;
    }
    bits = codec_load64(p + 1);
    memcpy(v, &bits, sizeof bits);
    return p + 9;
}

/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool codec_is_utf8(const char *ptr, size_t len);

static inline const uint8_t *codec_get_text(const uint8_t *p, const uint8_t *end, struct text *t)
{
    size_t len;

    if (p == end) {
        return NULL;
    }
    if ((*p & 0xe0) == 0xa0) {
        len = *p & 0x1f;
        p += 1;
    } else if (*p >= 0xd9 && *p <= 0xdb) {
        const unsigned bytes = 1u << (*p - 0xd9);
        if ((size_t)(end - p) <= bytes) {
            return NULL;
        }
        len = codec_load(p + 1, bytes);
        p += 1 + bytes;
    } else {
        return NULL;
    }
    if ((size_t)(end - p) < len || !codec_is_utf8((const char *)p, len)) {
        return NULL;
    }
    t->ptr = (const char *)p;
    t->len = (uint32_t)len;
    return p + len;
}

/* The byte behind the value that starts at `p`, whatever it is; NULL when it is cut off, nested
 * deeper than CODEC_MAX_DEPTH or no msgpack at all. */
const uint8_t *codec_skip(const uint8_t *p, const uint8_t *end);

/* The general reader: any order of keys, any form of number. Contract of message_unpack(). */
int codec_read(const struct message_desc *desc, const uint8_t *in, size_t len, void *msg, char *why,
               size_t why_size);

#endif
