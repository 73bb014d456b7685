/*
 * msgdump.c - msgpack bytes as text. codec_skip() looks at the bytes first: msgpack-c allocates by
 * the counts it reads, and a count that promises more than the bytes hold must not reach it.
 */
#include "core/msgdump.h"

#include "core/codec.h"

#include <inttypes.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>

#define STRING_LIMIT 64

struct sink {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct sink *s, const char *format, ...)
{
    va_list ap;
    int n;

    if (s->len + 1 >= s->size) {
        return;
    }
    va_start(ap, format);
    n = vsnprintf(s->out + s->len, s->size - s->len, format, ap);
    va_end(ap);
    if (n > 0) {
        s->len += (size_t)n < s->size - s->len ? (size_t)n : s->size - s->len - 1;
    }
}

static void put_string(struct sink *s, const char *ptr, size_t len)
{
    const size_t shown = len < STRING_LIMIT ? len : STRING_LIMIT;

    put(s, "\"");
    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)ptr[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            put(s, "\\u%04x", c);
        } else {
            put(s, "%c", c);
        }
    }
    put(s, shown < len ? "\"+%zu" : "\"", len - shown);
}

static void put_object(struct sink *s, const msgpack_object *o);

static void put_map(struct sink *s, const msgpack_object_map *map)
{
    put(s, "{");
    for (uint32_t i = 0; i < map->size; i++) {
        put(s, i == 0 ? "" : ",");
        put_object(s, &map->ptr[i].key);
        put(s, ":");
        put_object(s, &map->ptr[i].val);
    }
    put(s, "}");
}

static void put_array(struct sink *s, const msgpack_object_array *array)
{
    put(s, "[");
    for (uint32_t i = 0; i < array->size; i++) {
        put(s, i == 0 ? "" : ",");
        put_object(s, &array->ptr[i]);
    }
    put(s, "]");
}

/* Recursion is bounded: codec_skip() has refused what is nested deeper than CODEC_MAX_DEPTH. */
static void put_object(struct sink *s, const msgpack_object *o) /* NOLINT(misc-no-recursion) */
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        put(s, "nil");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        put(s, o->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        put(s, "%" PRIu64, o->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        put(s, "%" PRId64, o->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        put(s, "%g", o->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        put_string(s, o->via.str.ptr, o->via.str.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        put_array(s, &o->via.array);
        break;
    case MSGPACK_OBJECT_MAP:
        put_map(s, &o->via.map);
        break;
    case MSGPACK_OBJECT_BIN:
        put(s, "<%u bytes>", o->via.bin.size);
        break;
    case MSGPACK_OBJECT_EXT:
        put(s, "<ext %d, %u bytes>", o->via.ext.type, o->via.ext.size);
        break;
    }
}

size_t msgdump(const uint8_t *in, size_t len, char *out, size_t size)
{
    struct sink s = {out, size, 0};
    const uint8_t *next = codec_skip(in, in + len);
    msgpack_unpacked unpacked;
    size_t at = 0;

    if (size == 0) {
        return 0;
    }
    out[0] = '\0';
    if (next == NULL) {
        put(&s, "<not msgpack: %zu bytes>", len);
        return s.len;
    }
    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, (const char *)in, (size_t)(next - in), &at) ==
        MSGPACK_UNPACK_SUCCESS) {
        put_object(&s, &unpacked.data);
    }
    msgpack_unpacked_destroy(&unpacked);
    if (next != in + len) {
        put(&s, " and %zu bytes", (size_t)(in + len - next));
    }
    return s.len;
}
