/*
 * msgdump.h - any msgpack bytes as one line of text, for logs and dead letters. Owner of msgpack-c
 * in the product: foreign bytes are shown with it, our own are handled by the generated codec.
 */
#ifndef CORE_MSGDUMP_H
#define CORE_MSGDUMP_H

#include "core/types.h"

/* Writes at most size - 1 characters and a terminator: JSON-like, control characters escaped,
 * strings cut at 64 bytes, binary shown as its length. Bytes that are cut off, nested deeper than
 * 8 or no msgpack become "<not msgpack: N bytes>". Any thread; allocates for the time of the call
 * in proportion to `len`. Returns the characters written. */
size_t msgdump(const uint8_t *in, size_t len, char *out, size_t size);

#endif
