/* fuzz_msgpack.c - records of the bus and the generated codec: what is read can be packed, and read
 * again as the same. */
#include "tests/fuzz/fuzz.h"

#include "actors/messages.h"
#include "core/codec.h"
#include "core/message.h"
#include "core/msgdump.h"
#include "core/record.h"

#include <string.h>

static uint8_t *packed(const struct message_desc *desc, const void *msg, size_t *len)
{
    const size_t room = desc->bound(msg);
    uint8_t *out = malloc(room + 1);

    *len = message_pack(desc, msg, out, room);
    MUST(*len <= room);
    return out;
}

static void read_map(uint16_t type, const uint8_t *map, size_t len)
{
    const struct message_desc *desc = message_find(&dialer_catalogue, type);
    char why[160] = "";
    size_t first_len;
    size_t second_len;

    if (desc == NULL) {
        return;
    }
    void *msg = malloc(desc->size);
    void *other = malloc(desc->size);
    if (message_unpack(desc, map, len, msg, why, sizeof why) != 0) {
        MUST(why[0] != '\0' && strlen(why) < sizeof why);
        free(msg);
        free(other);
        return;
    }
    uint8_t *first = packed(desc, msg, &first_len);
    MUST(first_len > 0);
    MUST(message_unpack(desc, first, first_len, other, why, sizeof why) == 0);
    uint8_t *second = packed(desc, other, &second_len);
    MUST(first_len == second_len && memcmp(first, second, first_len) == 0);
    /* A copy owns its texts and is the same message. */
    void *block = malloc(message_bytes(desc, msg));
    message_copy(desc, msg, block);
    free(second);
    second = packed(desc, block, &second_len);
    MUST(first_len == second_len && memcmp(first, second, first_len) == 0);
    free(block);
    free(first);
    free(second);
    free(msg);
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    const unsigned type = take_byte(&b) << 8 | take_byte(&b);
    char text[256];
    struct record r;
    /* In a block of its own size, so that one byte read too many is found. */
    uint8_t *block = malloc(b.left + 1);
    const uint8_t *at = block;
    const uint8_t *end = block + b.left;

    memcpy(block, b.at, b.left);
    read_map((uint16_t)type, block, b.left);
    while ((at = record_get(at, end, &r)) != NULL) {
        MUST(at <= end && r.map + r.len == at);
        read_map(r.type & RECORD_TYPE_MASK, r.map, r.len);
    }
    at = codec_skip(block, end);
    MUST(at == NULL || (at > block && at <= end));
    MUST(msgdump(block, b.left, text, sizeof text) < sizeof text);
    MUST(strlen(text) < sizeof text);
    free(block);
    return 0;
}
