#include "adapters/sim/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("ari-sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_new(size_t size)
{
    return checked(calloc(1, size > 0 ? size : 1));
}

void *mem_grow(void *p, size_t size)
{
    return checked(realloc(p, size));
}

char *mem_str(const char *s)
{
    return checked(strdup(s != NULL ? s : ""));
}

void mem_copy(char *to, size_t size, const char *from)
{
    size_t len = strnlen(from, size - 1);
    memcpy(to, from, len);
    to[len] = '\0';
}

// The date part changes once a second and costs more than all the rest of an event: it is kept.
void time_text(char out[TIME_TEXT], int64_t wall_ms)
{
    static _Thread_local int64_t kept_second = -1;
    static _Thread_local char kept[20];
    int64_t second = wall_ms / 1000;
    if (second != kept_second) {
        time_t when = (time_t)second;
        struct tm tm;
        gmtime_r(&when, &tm);
        if (strftime(kept, sizeof kept, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
            kept[0] = '\0';
        kept_second = second;
    }
    size_t len = strlen(kept);
    memcpy(out, kept, len);
    int ms = (int)(wall_ms % 1000);
    char tail[] = ".000+0000";
    tail[1] = (char)('0' + ms / 100);
    tail[2] = (char)('0' + ms / 10 % 10);
    tail[3] = (char)('0' + ms % 10);
    memcpy(out + len, tail, sizeof tail);
}
