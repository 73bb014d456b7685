/* older.c - see older.h. */
#include "tests/support/older.h"

#include "core/codec.h"

size_t older_record(const struct message_desc *d, const uint8_t *packed, size_t len, unsigned known,
                    uint8_t *out)
{
    const uint8_t *from = packed + (d->n_fields < 16 ? 1 : 3);
    const uint8_t *end = from;

    for (unsigned i = 0; i < 2 * known; i++) {
        end = codec_skip(end, packed + len);
    }
    out[0] = 0xde;
    codec_store(out + 1, known, 2);
    memcpy(out + 3, from, (size_t)(end - from));
    return 3 + (size_t)(end - from);
}
