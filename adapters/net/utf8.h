/* utf8.h - one character of UTF-8, for the JSON reader. */
#ifndef ADAPTERS_NET_UTF8_H
#define ADAPTERS_NET_UTF8_H

#include <stddef.h>

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), 0 if it is none. left > 0. */
size_t utf8_len(const unsigned char *p, size_t left);
/* Write a code point (no surrogate, at most U+10FFFF); the number of bytes, at most four. */
size_t utf8_put(char *out, unsigned code);

#endif
