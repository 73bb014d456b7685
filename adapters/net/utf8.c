/* utf8.c - checking and writing UTF-8. */
#include "adapters/net/utf8.h"

#include "adapters/net/json.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

size_t utf8_len(const unsigned char *p, size_t left)
{
    unsigned char a = p[0];
    if (a < 0x80) {
        return 1;
    }
    if (a < 0xc2 || a > 0xf4) {
        return 0;
    }
    size_t n = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
    if (left < n) {
        return 0;
    }
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (a == 0xe0) {
        low = 0xa0;
    } else if (a == 0xed) {
        high = 0x9f;
    } else if (a == 0xf0) {
        low = 0x90;
    } else if (a == 0xf4) {
        high = 0x8f;
    }
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool json_utf8_valid(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0;
    while (i < len) {
        /* Eight ASCII bytes at a time: nearly everything is. */
        uint64_t eight;
        if (len - i >= sizeof eight) {
            memcpy(&eight, p + i, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof eight;
                continue;
            }
        }
        size_t n = utf8_len(p + i, len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

size_t utf8_put(char *out, unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of the first of eight bytes that is less than `bound` (and perhaps of later ones). */
static uint64_t less(uint64_t eight, unsigned bound)
{
    return (eight - EACH(bound)) & ~eight & EACH(0x80u);
}

/* Eight bytes at a time: nearly every string is plain throughout, and this was half of what an
 * event cost. */
size_t utf8_take_plain(char *out, const unsigned char *p, size_t left)
{
    size_t n = 0;
    while (left - n >= sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, p + n, sizeof eight);
        memcpy(out + n, &eight, sizeof eight);
        eight = le64toh(eight);
        uint64_t stop = (eight & EACH(0x80u)) | less(eight, 0x20) | less(eight ^ EACH('"'), 1) |
                        less(eight ^ EACH('\\'), 1);
        if (stop) {
            return n + (size_t)__builtin_ctzll(stop) / 8;
        }
        n += sizeof eight;
    }
    while (n < left && p[n] >= 0x20 && p[n] < 0x80 && p[n] != '"' && p[n] != '\\') {
        out[n] = (char)p[n];
        n++;
    }
    return n;
}
