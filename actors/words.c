#include "actors/words.h"

#include <string.h>

struct text words_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

void words_keep(char *out, size_t size, struct text t)
{
    size_t n = t.len < size - 1 ? t.len : size - 1;

    /* never leave half a character behind */
    while (n > 0 && n < t.len && ((unsigned char)t.ptr[n] & 0xc0u) == 0x80u) {
        n--;
    }
    if (n > 0) {
        memcpy(out, t.ptr, n);
    }
    out[n] = 0;
}

bool words_equal(struct text a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || memcmp(a.ptr, b, a.len) == 0);
}

void words_start(struct words *w, char *buffer, size_t size)
{
    *w = (struct words){buffer, (uint32_t)size, 0, false};
    buffer[0] = 0;
}

static void add_bytes(struct words *w, const char *s, size_t n)
{
    size_t room = (size_t)w->size - 1u - w->len;

    if (n > room) {
        n = room;
        w->cut = true;
    }
    if (n > 0) {
        memcpy(w->ptr + w->len, s, n);
    }
    w->len += (uint32_t)n;
    w->ptr[w->len] = 0;
}

void words_add(struct words *w, const char *s)
{
    add_bytes(w, s, strlen(s));
}

void words_add_text(struct words *w, struct text t)
{
    add_bytes(w, t.ptr, t.len);
}

void words_add_int(struct words *w, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t v = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;

    do {
        digits[--at] = (char)('0' + (int)(v % 10u));
        v /= 10u;
    } while (v > 0);
    if (n < 0) {
        digits[--at] = '-';
    }
    add_bytes(w, digits + at, sizeof digits - at);
}

void words_add_hundredths(struct words *w, int64_t n)
{
    int64_t rest = n % 100;

    words_add_int(w, n / 100);
    words_add(w, rest < 10 ? ".0" : ".");
    words_add_int(w, rest);
}

void words_add_json(struct words *w, struct text t)
{
    words_add(w, "\"");
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];

        if (c == '"' || c == '\\') {
            char two[3] = {'\\', (char)c, 0};

            words_add(w, two);
        } else if (c < 0x20) {
            char six[7] = {
                '\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15u], 0};

            words_add(w, six);
        } else {
            add_bytes(w, t.ptr + i, 1);
        }
    }
    words_add(w, "\"");
}

void words_key(struct words *w, const char *key)
{
    char last = w->len ? w->ptr[w->len - 1] : '{';

    if (last != '{' && last != '[') {
        words_add(w, ",");
    }
    words_add_json(w, words_of(key));
    words_add(w, ":");
}

struct text words_text(const struct words *w)
{
    return (struct text){w->ptr, w->len};
}
