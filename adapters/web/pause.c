/* pause.c - a table of 32,768 failures in sets of eight; in a full set the one whose pause ends
 * first gives way. */
#include "adapters/web/pause.h"

#include "adapters/secret/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS 4096u
#define WAYS 8u
#define FREE_ACCOUNT 3u
#define FREE_ADDRESS 10u
/* Tries at 0, 0, 0, 4, 12, 28 ... 508 s: ten in 15 minutes. An address has many people behind it.
 */
#define FIRST_ACCOUNT_US (4 * US_PER_S)
#define FIRST_ADDRESS_US US_PER_S
#define LONGEST_US (15 * 60 * US_PER_S)
#define FORGET_US (30 * 60 * US_PER_S) /* quiet for so long: a clean sheet */

struct failure {
    uint64_t key; /* 0 = empty */
    unsigned times;
    int64_t last_us, until_us;
};

struct pauses {
    uint64_t secret;
    struct failure set[SETS][WAYS];
};

struct pauses *pauses_new(void)
{
    struct pauses *p = calloc(1, sizeof *p);

    if (p != NULL) {
        secret_random(&p->secret, sizeof p->secret);
    }
    return p;
}

void pauses_free(struct pauses *p)
{
    free(p);
}

/* The digest of name and secret, 0 never. */
static uint64_t key_of(const struct pauses *p, enum pause_of of, const char *name)
{
    char text[192];
    char digest[SECRET_DIGEST_SIZE];
    const int n =
        snprintf(text, sizeof text, "%016llx%d%s", (unsigned long long)p->secret, (int)of, name);

    secret_digest(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1, digest);
    digest[16] = '\0';
    return strtoull(digest, NULL, 16) | 1;
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
    const uint64_t key = key_of(p, of, name);
    const struct failure *set = p->set[(key >> 8) % SETS];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return set[i].until_us > now_us ? set[i].until_us - now_us : 0;
        }
    }
    return 0;
}

unsigned pause_failures(const struct pauses *p, enum pause_of of, const char *name, int64_t now_us)
{
    const uint64_t key = key_of(p, of, name);
    const struct failure *set = p->set[(key >> 8) % SETS];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return now_us - set[i].last_us > FORGET_US ? 0 : set[i].times;
        }
    }
    return 0;
}

void pause_failed(struct pauses *p, enum pause_of of, const char *name, int64_t now_us)
{
    const uint64_t key = key_of(p, of, name);
    const unsigned allowed = of == PAUSE_ACCOUNT ? FREE_ACCOUNT : FREE_ADDRESS;
    struct failure *f = find(p, key);

    if (f == NULL) {
        struct failure *set = p->set[(key >> 8) % SETS];
        f = &set[0];
        for (unsigned i = 1; i < WAYS; i++) {
            if (set[i].until_us < f->until_us ||
                (set[i].until_us == f->until_us && set[i].last_us < f->last_us)) {
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
        const int64_t first = of == PAUSE_ACCOUNT ? FIRST_ACCOUNT_US : FIRST_ADDRESS_US;
        const int64_t pause = doubled < 20 ? first << doubled : LONGEST_US;
        f->until_us = now_us + (pause < LONGEST_US ? pause : LONGEST_US);
    }
}

void pause_clear(struct pauses *p, enum pause_of of, const char *name)
{
    struct failure *f = find(p, key_of(p, of, name));

    if (f != NULL) {
        *f = (struct failure){0};
    }
}
