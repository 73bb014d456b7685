/* pause.c - a table of 4096 failures in sets of eight; within a set the oldest gives way. */
#include "adapters/web/pause.h"

#include <stdlib.h>
#include <string.h>

#define SETS 512u
#define WAYS 8u
#define FREE_ACCOUNT 3u
#define FREE_ADDRESS 10u
#define FIRST_US US_PER_S
#define LONGEST_US (15 * 60 * US_PER_S)
#define FORGET_US (30 * 60 * US_PER_S) /* quiet for so long: a clean sheet */

struct failure {
    uint64_t key; /* 0 = empty */
    unsigned times;
    int64_t last_us, until_us;
};

struct pauses {
    struct failure set[SETS][WAYS];
};

struct pauses *pauses_new(void)
{
    return calloc(1, sizeof(struct pauses));
}

void pauses_free(struct pauses *p)
{
    free(p);
}

static uint64_t key_of(enum pause_of of, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u ^ ((uint64_t)of + 1) * 0x9e3779b97f4a7c15u;

    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    }
    h ^= h >> 29;
    return h | 1;
}

static struct failure *find(struct pauses *p, uint64_t key)
{
    struct failure *set = p->set[(key >> 8) % SETS];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
    }
    return NULL;
}

int64_t pause_left_us(const struct pauses *p, enum pause_of of, const char *name, int64_t now_us)
{
    const uint64_t key = key_of(of, name);
    const struct failure *set = p->set[(key >> 8) % SETS];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return set[i].until_us > now_us ? set[i].until_us - now_us : 0;
        }
    }
    return 0;
}

void pause_failed(struct pauses *p, enum pause_of of, const char *name, int64_t now_us)
{
    const uint64_t key = key_of(of, name);
    const unsigned allowed = of == PAUSE_ACCOUNT ? FREE_ACCOUNT : FREE_ADDRESS;
    struct failure *f = find(p, key);

    if (f == NULL) {
        struct failure *set = p->set[(key >> 8) % SETS];
        f = &set[0];
        for (unsigned i = 1; i < WAYS; i++) {
            if (set[i].last_us < f->last_us) {
                f = &set[i];
            }
        }
        *f = (struct failure){.key = key};
    } else if (now_us - f->last_us > FORGET_US) {
        f->times = 0;
    }
    f->last_us = now_us;
    f->times++;
    if (f->times >= allowed) {
        const unsigned doubled = f->times - allowed;
        const int64_t pause = doubled < 20 ? FIRST_US << doubled : LONGEST_US;
        f->until_us = now_us + (pause < LONGEST_US ? pause : LONGEST_US);
    }
}

void pause_clear(struct pauses *p, enum pause_of of, const char *name)
{
    struct failure *f = find(p, key_of(of, name));

    if (f != NULL) {
        *f = (struct failure){0};
    }
}
