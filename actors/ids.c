#include "actors/ids.h"

#include <string.h>

static const char prefixes[][5] = {
    [ID_FOREIGN] = "----", [ID_ATTEMPT] = "att-", [ID_LEG] = "leg-", [ID_BRIDGE] = "brg-"};

static void put_hex(char *out, uint32_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = "0123456789abcdef"[value & 15u];
        value >>= 4;
    }
}

static bool get_hex(const char *in, int digits, uint32_t *value)
{
    uint32_t v = 0;

    for (int i = 0; i < digits; i++) {
        char c = in[i];
        uint32_t d;

        if (c >= '0' && c <= '9') {
            d = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            d = (uint32_t)(c - 'a') + 10u;
        } else {
            return false;
        }
        v = v << 4 | d;
    }
    *value = v;
    return true;
}

void id_make(char out[ID_SIZE], enum id_class cls, const struct channel_id *id)
{
    memcpy(out, prefixes[cls], 4);
    put_hex(out + 4, id->node, 4);
    out[8] = '-';
    put_hex(out + 9, id->owner, 8);
    out[17] = '-';
    put_hex(out + 18, id->epoch, 8);
    out[26] = '-';
    put_hex(out + 27, id->seq, 8);
    out[ID_LEN] = 0;
}

enum id_class id_parse(struct text text, struct channel_id *id)
{
    uint32_t node;

    if (text.len != ID_LEN || text.ptr[8] != '-' || text.ptr[17] != '-' || text.ptr[26] != '-' ||
        !get_hex(text.ptr + 4, 4, &node) || !get_hex(text.ptr + 9, 8, &id->owner) ||
        !get_hex(text.ptr + 18, 8, &id->epoch) || !get_hex(text.ptr + 27, 8, &id->seq)) {
        return ID_FOREIGN;
    }
    id->node = (uint16_t)node;
    for (int cls = ID_ATTEMPT; cls <= ID_BRIDGE; cls++) {
        if (memcmp(text.ptr, prefixes[cls], 4) == 0) {
            return (enum id_class)cls;
        }
    }
    return ID_FOREIGN;
}

void id_convert(char out[ID_SIZE], enum id_class cls, const char id[ID_SIZE])
{
    memcpy(out, prefixes[cls], 4);
    memcpy(out + 4, id + 4, ID_SIZE - 4);
}
