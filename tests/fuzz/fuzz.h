/*
 * fuzz.h - what the fuzz targets share. Each fuzz_NAME.c is one target: bytes in, and properties
 * that must hold whatever they are. Seeds, dictionary and how to run them: README.md.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data,
                           size_t size);           // NOLINT(readability-identifier-naming)
int LLVMFuzzerInitialize(int *argc, char ***argv); // NOLINT(readability-identifier-naming)

/* A property. The fuzzer keeps the input that breaks it. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Reads every byte, so that the sanitizer sees a text that points beyond what there is. */
static inline void touch(struct text t)
{
    volatile unsigned char sum = 0;

    for (uint32_t i = 0; i < t.len; i++) {
        sum = (unsigned char)(sum + (unsigned char)t.ptr[i]);
    }
    (void)sum;
}

/* The input, taken from its front. */
struct bytes {
    const uint8_t *at;
    size_t left;
};

static inline unsigned take_byte(struct bytes *b)
{
    if (b->left == 0) {
        return 0;
    }
    b->left--;
    return *b->at++;
}

/* Up to the next `end` byte, which goes too, or all that is left. */
static inline struct text take_until(struct bytes *b, int end)
{
    struct text t = {(const char *)b->at, 0};

    while (b->left > 0 && *b->at != end) {
        b->at++;
        b->left--;
        t.len++;
    }
    if (b->left > 0) {
        b->at++;
        b->left--;
    }
    return t;
}

#endif
