/* vault.c - tokens by their digest: one chained table, and for each use a list by age. */
#include "adapters/web/vault.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u /* power of two */
#define USES 4

struct entry {
    struct entry *chain;
    struct entry *older, *newer; /* of the same use */
    enum token_use use;
    int64_t until_us;
    struct identity who;
    char digest[SECRET_DIGEST_SIZE];
};

struct vault {
    size_t limit;
    size_t count[USES];
    struct entry *oldest[USES], *newest[USES];
    uint64_t sessions; /* numbers given so far */
    struct entry *bucket[BUCKETS];
};

/* The digest is uniformly random already: its first hexadecimal digits are the hash. */
static unsigned bucket_of(const char *digest)
{
    char head[5];

    memcpy(head, digest, 4);
    head[4] = '\0';
    return (unsigned)strtoul(head, NULL, 16) & (BUCKETS - 1);
}

struct vault *vault_new(size_t limit)
{
    struct vault *v = calloc(1, sizeof *v);

    if (v != NULL) {
        v->limit = limit;
    }
    return v;
}

static void forget(struct vault *v, struct entry *e)
{
    struct entry **at = &v->bucket[bucket_of(e->digest)];

    while (*at != e) {
        at = &(*at)->chain;
    }
    *at = e->chain;
    if (e->older != NULL) {
        e->older->newer = e->newer;
    } else {
        v->oldest[e->use] = e->newer;
    }
    if (e->newer != NULL) {
        e->newer->older = e->older;
    } else {
        v->newest[e->use] = e->older;
    }
    v->count[e->use]--;
    free(e);
}

void vault_free(struct vault *v)
{
    if (v == NULL) {
        return;
    }
    for (unsigned use = 0; use < USES; use++) {
        while (v->oldest[use] != NULL) {
            forget(v, v->oldest[use]);
        }
    }
    free(v);
}

static struct entry *find_digest(struct vault *v, enum token_use use, const char *digest,
                                 int64_t now_us)
{
    struct entry *e;

    for (e = v->bucket[bucket_of(digest)]; e != NULL; e = e->chain) {
        if (e->use == use && memcmp(e->digest, digest, sizeof e->digest) == 0) {
            if (e->until_us > now_us) {
                return e;
            }
            forget(v, e);
            return NULL;
        }
    }
    return NULL;
}

/* Looking up by a digest of the token leaks nothing through its time: whoever can vary the digest's
 * first bytes at will has broken the hash. */
static struct entry *find(struct vault *v, enum token_use use, struct text token, int64_t now_us)
{
    char digest[SECRET_DIGEST_SIZE];

    if (token.len != SECRET_TOKEN_SIZE - 1) {
        return NULL;
    }
    secret_digest(token.ptr, token.len, digest);
    return find_digest(v, use, digest, now_us);
}

static int add(struct vault *v, enum token_use use, const char *digest, const struct identity *who,
               int64_t until_us, int64_t now_us)
{
    struct entry *e = calloc(1, sizeof *e);
    unsigned at;

    if (e == NULL) {
        return -1;
    }
    while (v->count[use] >= v->limit ||
           (v->oldest[use] != NULL && v->oldest[use]->until_us <= now_us)) {
        forget(v, v->oldest[use]);
    }
    memcpy(e->digest, digest, sizeof e->digest);
    e->use = use;
    e->until_us = until_us;
    e->who = *who;
    if (use == TOKEN_SESSION) {
        e->who.session = ++v->sessions;
    }
    at = bucket_of(e->digest);
    e->chain = v->bucket[at];
    v->bucket[at] = e;
    e->older = v->newest[use];
    if (e->older != NULL) {
        e->older->newer = e;
    } else {
        v->oldest[use] = e;
    }
    v->newest[use] = e;
    v->count[use]++;
    return 0;
}

int vault_make(struct vault *v, enum token_use use, const struct identity *who, int64_t valid_us,
               int64_t now_us, char out[SECRET_TOKEN_SIZE])
{
    char digest[SECRET_DIGEST_SIZE];

    secret_token(out);
    secret_digest(out, SECRET_TOKEN_SIZE - 1, digest);
    return add(v, use, digest, who, now_us + valid_us, now_us);
}

int vault_adopt(struct vault *v, const char digest[SECRET_DIGEST_SIZE], struct identity *who,
                int64_t valid_us, int64_t now_us)
{
    const struct entry *e = find_digest(v, TOKEN_SESSION, digest, now_us);

    if (e == NULL && add(v, TOKEN_SESSION, digest, who, now_us + valid_us, now_us) != 0) {
        return -1;
    }
    who->session = e != NULL ? e->who.session : v->sessions;
    return 0;
}

bool vault_session(struct vault *v, struct text token, int64_t now_us, struct identity *out)
{
    const struct entry *e = find(v, TOKEN_SESSION, token, now_us);

    if (e != NULL) {
        *out = e->who;
    }
    return e != NULL;
}

bool vault_take(struct vault *v, enum token_use use, struct text token, int64_t now_us,
                struct identity *out)
{
    struct entry *e = find(v, use, token, now_us);

    if (e == NULL) {
        return false;
    }
    *out = e->who;
    forget(v, e);
    return true;
}

uint64_t vault_end(struct vault *v, struct text token, int64_t now_us)
{
    struct entry *e = find(v, TOKEN_SESSION, token, now_us);
    uint64_t session;

    if (e == NULL) {
        return 0;
    }
    session = e->who.session;
    forget(v, e);
    for (struct entry *t = v->oldest[TOKEN_TICKET], *next; t != NULL; t = next) {
        next = t->newer;
        if (t->who.session == session) {
            forget(v, t);
        }
    }
    return session;
}

void vault_end_agent(struct vault *v, uint64_t agent)
{
    for (unsigned use = 0; use < USES; use++) {
        for (struct entry *e = v->oldest[use], *next; e != NULL; e = next) {
            next = e->newer;
            if (e->who.agent == agent) {
                forget(v, e);
            }
        }
    }
}
