/* utf8.h - characters of UTF-8, for the JSON reader and writer. */
#ifndef ADAPTERS_NET_UTF8_H
#define ADAPTERS_NET_UTF8_H

#include <stddef.h>

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), 0 if it is none. left > 0. */
size_t utf8_len(const unsigned char *p, size_t left);
/* Write a code point (no surrogate, at most U+10FFFF); the number of bytes, at most four. */
size_t utf8_put(char *out, unsigned code);

/* Copy what stands for itself in a JSON string, up to a quote, a backslash, a control character or
 * a byte that is not ASCII; its length. `out` has room for `left` bytes; what it holds behind the
 * length is undefined. */
size_t utf8_take_plain(char *out, const unsigned char *p, size_t left);

#endif
