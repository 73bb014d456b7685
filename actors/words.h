/*
 * words.h - text inside actors: fixed buffers that keep a copy, and a builder for sentences and
 * JSON that needs neither stdio nor memory. Everything is cut, never overrun; `cut` says so.
 */
#ifndef ACTORS_WORDS_H
#define ACTORS_WORDS_H

#include "core/types.h"

/* A view of a terminated string. */
struct text words_of(const char *s);
/* Copy into a buffer of `size` bytes, terminated; too long is cut at a UTF-8 border. */
void words_keep(char *out, size_t size, struct text t);
bool words_equal(struct text a, const char *b);

struct words {
    char *ptr;
    uint32_t size; /* including the terminating zero that is always kept */
    uint32_t len;
    bool cut;
};

void words_start(struct words *w, char *buffer, size_t size);
void words_add(struct words *w, const char *s);
void words_add_text(struct words *w, struct text t);
void words_add_int(struct words *w, int64_t n);
/* hundredths as a decimal: 250 -> 2.50 */
void words_add_hundredths(struct words *w, int64_t n);
/* A JSON string with its quotes, escaped. */
void words_add_json(struct words *w, struct text t);
/* "key": preceded by a comma where one is needed (not after { or [). */
void words_key(struct words *w, const char *key);
struct text words_text(const struct words *w);

#endif
