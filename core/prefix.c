#include "core/prefix.h"

#include <string.h>

bool prefix_among(struct text number, struct text list)
{
    uint32_t at = 0;

    while (at < list.len) {
        uint32_t end = at;

        while (end < list.len && list.ptr[end] != ',') {
            end++;
        }
        uint32_t from = at;
        uint32_t to = end;

        while (from < to && list.ptr[from] == ' ') {
            from++;
        }
        while (to > from && list.ptr[to - 1] == ' ') {
            to--;
        }
        if (to - from >= 2 && number.len >= to - from &&
            memcmp(number.ptr, list.ptr + from, to - from) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}
