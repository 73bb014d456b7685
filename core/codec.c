/*
 * codec.c - the slow half of the codec: everything the generated code does not expect.
 *
 * Bytes may come from a stranger (ipc:// tools), so every length is compared with what is there
 * before it is used, nothing recurses, and no count in the bytes makes anything allocate.
 */
#include "core/codec.h"

#include <stdarg.h>
#include <stdio.h>

size_t message_pack(const struct message_desc *desc, const void *msg, uint8_t *out, size_t room)
{
    const size_t bound = desc->bound(msg);

    if (bound > MESSAGE_MAX_BYTES) {
        return 0;
    }
    if (bound <= room) {
        return (size_t)(desc->pack(msg, out) - out);
    }
    return 0;
}

int message_unpack(const struct message_desc *desc, const uint8_t *in, size_t len, void *msg,
                   char *why, size_t why_size)
{
    return desc->unpack(in, len, msg, why, why_size);
}

size_t message_bytes(const struct message_desc *desc, const void *msg)
{
    return desc->size + (desc->n_texts != 0 ? desc->text_bytes(msg) : 0);
}

void message_copy(const struct message_desc *desc, const void *msg, void *block)
{
    memcpy(block, msg, desc->size);
    if (desc->n_texts != 0) {
        desc->point(block, (char *)block + desc->size);
    }
}

const char *field_type_name(uint8_t type)
{
    static const char *const names[] = {"u8",   "u16", "u32",    "u64", "i64",
                                        "flag", "f64", "handle", "text"};

    return type < sizeof names / sizeof names[0] ? names[type] : "?";
}

/* --- text ------------------------------------------------------------------------------------ */

/* Length of the valid sequence at `s`, 0 when there is none. */
static size_t utf8_sequence(const uint8_t *s, size_t left)
{
    const uint8_t c = s[0];
    size_t n;

    if (c < 0x80) {
        return 1;
    }
    n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) || (c == 0xf0 && s[1] < 0x90) ||
        (c == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return n;
}

bool codec_is_utf8(const char *ptr, size_t len)
{
    const uint8_t *s = (const uint8_t *)ptr;

    while (len >= 8) {
        uint64_t eight;
        memcpy(&eight, s, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        s += 8;
        len -= 8;
    }
    while (len != 0) {
        const size_t n = utf8_sequence(s, len);
        if (n == 0) {
            return false;
        }
        s += n;
        len -= n;
    }
    return true;
}

/* --- skipping -------------------------------------------------------------------------------- */

/* One header at `p`: bytes of header and payload go to *bytes, values that follow it to *nested. */
static bool header(const uint8_t *p, const uint8_t *end, uint64_t *bytes, uint64_t *nested)
{
    /* 0xc4..0xdf: bytes of the length or value field behind the first byte */
    static const uint8_t field[32] = {0, 0, 0, 0, 1, 2, 4, 1, 2,  4, 4, 8, 1, 2, 4, 8,
                                      1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4};
    const uint8_t c = *p;
    uint64_t len;

    *nested = 0;
    if (c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3) {
        *bytes = 1;
    } else if (c < 0xa0) {
        *bytes = 1;
        *nested = (uint64_t)(c & 0x0f) << (c < 0x90 ? 1 : 0);
    } else if (c < 0xc0) {
        *bytes = 1u + (c & 0x1f);
    } else if (c == 0xc1) {
        return false;
    } else {
        *bytes = 1u + field[c - 0xc0];
        if ((uint64_t)(end - p) < *bytes) {
            return false;
        }
        len = field[c - 0xc0] <= 8 ? codec_load(p + 1, field[c - 0xc0]) : 0;
        if (c <= 0xc6 || (c >= 0xd9 && c <= 0xdb)) {
            *bytes += len;
        } else if (c <= 0xc9) {
            *bytes += 1 + len; /* ext: its type byte, then the payload */
        } else if (c >= 0xdc) {
            *nested = c >= 0xde ? 2 * len : len;
        }
    }
    return (uint64_t)(end - p) >= *bytes;
}

const uint8_t *codec_skip(const uint8_t *p, const uint8_t *end)
{
    uint64_t left[CODEC_MAX_DEPTH + 1] = {1};
    unsigned depth = 0;
    uint64_t bytes;
    uint64_t nested;

    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0) {
                return p;
            }
            depth--;
        }
        left[depth]--;
        if (p >= end || !header(p, end, &bytes, &nested)) {
            return NULL;
        }
        p += bytes;
        if (nested != 0) {
            if (depth == CODEC_MAX_DEPTH) {
                return NULL;
            }
            left[++depth] = nested;
        }
    }
}

/* --- the general reader ---------------------------------------------------------------------- */

static int refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t size, const char *format, ...)
{
    va_list ap;

    if (size != 0) {
        va_start(ap, format);
        (void)vsnprintf(why, size, format, ap);
        va_end(ap);
    }
    return -1;
}

static const uint8_t *read_number(const uint8_t *p, const uint8_t *end, double *v)
{
    const uint8_t *next = codec_get_f64(p, end, v);
    int64_t i = 0;
    uint64_t u = 0;

    if (next != NULL) {
        return next;
    }
    if (end - p >= 5 && *p == 0xca) { /* other writers send short floats, and 1 for 1.0 */
        const uint32_t bits = (uint32_t)codec_load(p + 1, 4);
        float f;
        memcpy(&f, &bits, sizeof f);
        *v = (double)f;
        return p + 5;
    }
    if ((next = codec_get_i64(p, end, &i)) != NULL) {
        *v = (double)i;
    } else if ((next = codec_get_uint(p, end, UINT64_MAX, &u)) != NULL) {
        *v = (double)u;
    }
    return next;
}

/* A whole number up to `max`; signed forms are good as long as they are not negative. */
static const uint8_t *read_uint(const uint8_t *p, const uint8_t *end, uint64_t max, uint64_t *v)
{
    const uint8_t *next = codec_get_uint(p, end, max, v);
    int64_t i = 0;

    if (next == NULL && (next = codec_get_i64(p, end, &i)) != NULL) {
        *v = (uint64_t)i;
        next = i >= 0 && *v <= max ? next : NULL;
    }
    return next;
}

static const uint8_t *read_value(const struct message_field *f, const uint8_t *p,
                                 const uint8_t *end, uint8_t *at)
{
    static const uint64_t most[] = {UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX};
    const uint8_t *next;
    uint64_t u = 0;

    switch ((enum field_type)f->type) {
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
        next = read_uint(p, end, most[f->type], &u);
        if (f->type == FIELD_U8) {
            *at = (uint8_t)u;
        } else if (f->type == FIELD_U16) {
            memcpy(at, &(uint16_t){(uint16_t)u}, sizeof(uint16_t));
        } else if (f->type == FIELD_U32) {
            memcpy(at, &(uint32_t){(uint32_t)u}, sizeof(uint32_t));
        } else {
            memcpy(at, &u, sizeof u);
        }
        return next;
    case FIELD_HANDLE:
        return read_uint(p, end, UINT64_MAX, (uint64_t *)(void *)at);
    case FIELD_I64:
        return codec_get_i64(p, end, (int64_t *)(void *)at);
    case FIELD_FLAG:
        return codec_get_flag(p, end, (bool *)at);
    case FIELD_F64:
        return read_number(p, end, (double *)(void *)at);
    case FIELD_TEXT:
        return codec_get_text(p, end, (struct text *)(void *)at);
    }
    return NULL;
}

/* Why did read_value() say no? Cut off, of another type, or of a value that does not fit. */
static int refuse_value(const struct message_desc *d, const struct message_field *f,
                        const uint8_t *p, const uint8_t *end, char *why, size_t size)
{
    struct text t;

    if (codec_skip(p, end) == NULL) {
        return refuse(why, size, "%s.%s: cut off, or nested too deep", d->name, f->name);
    }
    if (f->type == FIELD_TEXT && ((*p & 0xe0) == 0xa0 || (*p >= 0xd9 && *p <= 0xdb)) &&
        codec_get_text(p, end, &t) == NULL) {
        return refuse(why, size, "%s.%s: not UTF-8", d->name, f->name);
    }
    if (f->type != FIELD_TEXT && f->type != FIELD_FLAG && f->type != FIELD_F64 &&
        (*p >= 0xe0 || (*p >= 0xcc && *p <= 0xd3))) {
        return refuse(why, size, "%s.%s: outside of %s", d->name, f->name,
                      field_type_name(f->type));
    }
    return refuse(why, size, "%s.%s: type 0x%02x is no %s", d->name, f->name, *p,
                  field_type_name(f->type));
}

static int find_key(const struct message_desc *d, const struct message_field *fields,
                    const struct text *key)
{
    for (int i = 0; i < d->n_fields; i++) {
        if (fields[i].name_len == key->len && memcmp(fields[i].name, key->ptr, key->len) == 0) {
            return i;
        }
    }
    return -1;
}

static const uint8_t *map_header(const uint8_t *p, const uint8_t *end, uint64_t *n)
{
    if (p < end && (*p & 0xf0) == 0x80) {
        *n = *p & 0x0f;
        return p + 1;
    }
    if (end - p >= 3 && *p == 0xde) {
        *n = codec_load(p + 1, 2);
        return p + 3;
    }
    if (end - p >= 5 && *p == 0xdf) {
        *n = codec_load(p + 1, 4);
        return p + 5;
    }
    return NULL;
}

struct reading {
    const struct message_desc *d;
    const uint8_t *p, *end;
    void *msg;
    uint64_t seen;   /* a bit for each field */
    bool known_only; /* a key that is none of ours is no good */
    char *why;
    size_t why_size;
};

static int skip_unknown(struct reading *r, const struct text *key)
{
    const int len = (int)(key->len < 32 ? key->len : 32);

    if (r->known_only) {
        return refuse(r->why, r->why_size, "%s: key \"%.*s\" is not known here: a newer program's",
                      r->d->name, len, key->ptr);
    }
    r->p = codec_skip(r->p, r->end);
    if (r->p == NULL) {
        return refuse(r->why, r->why_size,
                      "%s: the value of unknown key \"%.*s\" is cut off or too deep", r->d->name,
                      len, key->ptr);
    }
    return 0;
}

static int read_pair(struct reading *r)
{
    const struct message_field *fields = r->d->fields();
    const uint8_t *next;
    struct text key;
    int i;

    next = codec_get_text(r->p, r->end, &key);
    if (next == NULL) {
        return refuse(r->why, r->why_size, "%s: a key is cut off or no text", r->d->name);
    }
    r->p = next;
    i = find_key(r->d, fields, &key);
    if (i < 0) {
        return skip_unknown(r, &key);
    }
    if ((r->seen >> i & 1u) != 0) {
        return refuse(r->why, r->why_size, "%s.%s: there twice", r->d->name, fields[i].name);
    }
    next = read_value(&fields[i], r->p, r->end, (uint8_t *)r->msg + fields[i].offset);
    if (next == NULL) {
        return refuse_value(r->d, &fields[i], r->p, r->end, r->why, r->why_size);
    }
    r->seen |= UINT64_C(1) << i;
    r->p = next;
    return 0;
}

/* The fields from `least` on may be missing, the last ones first. */
static int read_map(struct reading *r, unsigned least)
{
    const size_t len = (size_t)(r->end - r->p);
    const char *const name = r->d->name;
    uint64_t pairs = 0;

    if (len > MESSAGE_MAX_BYTES) {
        return refuse(r->why, r->why_size, "%s: %zu bytes are too many", name, len);
    }
    r->p = map_header(r->p, r->end, &pairs);
    if (r->p == NULL) {
        return refuse(r->why, r->why_size, "%s: not a map", name);
    }
    for (; pairs != 0; pairs--) {
        if (read_pair(r) != 0) {
            return -1;
        }
    }
    if (r->p != r->end) {
        return refuse(r->why, r->why_size, "%s: bytes behind the map", name);
    }
    for (unsigned i = 0; i < r->d->n_fields; i++) {
        const uint64_t rest = r->seen >> i;

        if (i >= least && rest == 0) {
            break;
        }
        if ((rest & 1u) == 0) {
            return refuse(r->why, r->why_size, "%s.%s: missing", name, r->d->fields()[i].name);
        }
    }
    return 0;
}

int codec_read(const struct message_desc *desc, const uint8_t *in, size_t len, void *msg, char *why,
               size_t why_size)
{
    struct reading r = {desc, in, in + len, msg, 0, false, why, why_size};

    return read_map(&r, desc->n_fields);
}

int message_unpack_kept(const struct message_desc *desc, const uint8_t *in, size_t len,
                        unsigned least, void *msg, char *why, size_t why_size)
{
    struct reading r = {desc, in, in + len, msg, 0, true, why, why_size};

    memset(msg, 0, desc->size);
    return read_map(&r, least);
}
