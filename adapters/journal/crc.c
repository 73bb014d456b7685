/* crc.c - CRC-32C, eight bytes at a step. */
#include "adapters/journal/journal.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL UINT32_C(0x82f63b78)

static uint32_t table[8][256];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1u ? c >> 1 ^ POLYNOMIAL : c >> 1;
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 0xff];
}

uint32_t journal_crc(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint32_t c = UINT32_MAX;

    pthread_once(&made, make);
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low = 0, high = 0;

        for (unsigned i = 0; i < 4; i++) {
            low |= (uint32_t)p[i] << 8 * i;
            high |= (uint32_t)p[4 + i] << 8 * i;
        }
        c ^= low;
        c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^ table[5][c >> 16 & 0xff] ^
            table[4][c >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
            table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    while (n-- > 0)
        c = c >> 8 ^ table[0][(c ^ *p++) & 0xff];
    return ~c;
}
