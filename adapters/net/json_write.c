/* json_write.c - JSON into a bounded buffer. */
#include "adapters/net/json.h"

#include "adapters/net/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 32

void json_writer_init(struct json_writer *w, char *buf, size_t size)
{
    *w = (struct json_writer){.buf = buf, .cap = size, .max = size, .failed = size == 0};
}

void json_writer_init_heap(struct json_writer *w, size_t max)
{
    *w = (struct json_writer){.max = max, .heap = true};
}

void json_writer_reset(struct json_writer *w)
{
    w->len = 0;
    w->failed = !w->heap && w->cap == 0;
    w->depth = 0;
    w->is_array = w->has_value = 0;
}

void json_writer_free(struct json_writer *w)
{
    if (w->heap) {
        free(w->buf);
    }
    *w = (struct json_writer){.failed = true};
}

/* Room for n bytes and a NUL. */
static bool room(struct json_writer *w, size_t n)
{
    if (w->failed) {
        return false;
    }
    if (n < w->cap && w->len < w->cap - n) {
        return true;
    }
    if (!w->heap || n >= w->max || w->len >= w->max - n) {
        w->failed = true;
        return false;
    }
    size_t cap = w->cap ? w->cap : 256;
    while (cap <= w->len + n) {
        cap *= 2;
    }
    cap = cap < w->max ? cap : w->max;
    char *buf = realloc(w->buf, cap);
    if (!buf) {
        w->failed = true;
        return false;
    }
    w->buf = buf;
    w->cap = cap;
    return true;
}

static void put(struct json_writer *w, const char *bytes, size_t n)
{
    if (room(w, n)) {
        memcpy(w->buf + w->len, bytes, n);
        w->len += n;
    }
}

static void put_quoted(struct json_writer *w, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    put(w, "\"", 1);
    size_t i = 0;
    while (i < len && !w->failed) {
        if (!room(w, len - i)) {
            return; /* what is left becomes no shorter */
        }
        size_t plain = utf8_take_plain(w->buf + w->len, (const unsigned char *)text + i, len - i);
        w->len += plain;
        i += plain;
        if (i == len) {
            break;
        }
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) {
            size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            bool ok = n <= len - i && json_utf8_valid(text + i, n);
            put(w, ok ? text + i : "\xef\xbf\xbd", ok ? n : 3);
            i += ok ? n : 1;
            continue;
        }
        static const char from[] = "\"\\\b\f\n\r\t";
        static const char to[] = "\"\\bfnrt";
        const char *found = c ? strchr(from, c) : NULL;
        char escaped[6] = {'\\',       found ? to[found - from] : 'u', '0', '0', hex[c >> 4],
                           hex[c & 15]};
        put(w, escaped, found ? 2 : 6);
        i++;
    }
    put(w, "\"", 1);
}

/* Comma and name in front of a value; fails where the value may not stand. */
static bool begin_value(struct json_writer *w, const char *key)
{
    uint32_t bit = 1u << w->depth;
    bool in_object = w->depth > 0 && !(w->is_array & bit);
    if (in_object != (key != NULL) || (w->depth == 0 && (w->has_value & bit))) {
        w->failed = true;
        return false;
    }
    if (w->has_value & bit) {
        put(w, ",", 1);
    }
    w->has_value |= bit;
    if (key) {
        put_quoted(w, key, strlen(key));
        put(w, ":", 1);
    }
    return !w->failed;
}

static void open_level(struct json_writer *w, const char *key, bool array)
{
    if (!begin_value(w, key)) {
        return;
    }
    if (w->depth + 1 >= LEVELS) {
        w->failed = true;
        return;
    }
    put(w, array ? "[" : "{", 1);
    w->depth++;
    uint32_t bit = 1u << w->depth;
    w->is_array = array ? w->is_array | bit : w->is_array & ~bit;
    w->has_value &= ~bit;
}

static void close_level(struct json_writer *w, bool array)
{
    if (w->depth == 0 || ((w->is_array >> w->depth) & 1u) != (array ? 1u : 0u)) {
        w->failed = true;
        return;
    }
    put(w, array ? "]" : "}", 1);
    w->depth--;
}

void json_open_object(struct json_writer *w, const char *key)
{
    open_level(w, key, false);
}

void json_close_object(struct json_writer *w)
{
    close_level(w, false);
}

void json_open_array(struct json_writer *w, const char *key)
{
    open_level(w, key, true);
}

void json_close_array(struct json_writer *w)
{
    close_level(w, true);
}

void json_put_text(struct json_writer *w, const char *key, struct text text)
{
    if (begin_value(w, key)) {
        put_quoted(w, text.ptr, text.len);
    }
}

void json_put_str(struct json_writer *w, const char *key, const char *text)
{
    if (text) {
        json_put_text(w, key, (struct text){text, (uint32_t)strlen(text)});
    } else {
        json_put_null(w, key);
    }
}

static void put_plain(struct json_writer *w, const char *key, const char *text)
{
    if (begin_value(w, key)) {
        put(w, text, strlen(text));
    }
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    put_plain(w, key, text);
}

void json_put_uint(struct json_writer *w, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_plain(w, key, text);
}

void json_put_double(struct json_writer *w, const char *key, double value)
{
    char text[32];
    if (!isfinite(value)) {
        json_put_null(w, key);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    put_plain(w, key, text);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
    put_plain(w, key, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
    put_plain(w, key, "null");
}

void json_put_raw(struct json_writer *w, const char *key, const char *json, size_t len)
{
    if (begin_value(w, key)) {
        put(w, json, len);
    }
}

const char *json_writer_end(struct json_writer *w, size_t *len)
{
    if (w->failed || w->depth != 0 || !(w->has_value & 1u) || !room(w, 0)) {
        return NULL;
    }
    w->buf[w->len] = '\0';
    if (len) {
        *len = w->len;
    }
    return w->buf;
}
