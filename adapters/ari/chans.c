/* chans.c - which of our channels live in one Asterisk. */
#include "adapters/ari/chans.h"

#include "adapters/ari/wire.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256u

uint64_t chans_hash(const char *text, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return h ? h : 1;
}

static size_t slot_of(const struct chans *c, const char *id, size_t len)
{
    uint64_t h = chans_hash(id, len);
    return (size_t)(h ^ h >> 32) & (c->n_slots - 1);
}

struct chan *chans_find(const struct chans *c, struct text id)
{
    if (c->n_slots == 0 || id.len != ID_LEN) {
        return NULL;
    }
    for (struct chan *at = c->slots[slot_of(c, id.ptr, id.len)]; at; at = at->next) {
        if (memcmp(at->id, id.ptr, ID_LEN) == 0) {
            return at;
        }
    }
    return NULL;
}

static bool grow(struct chans *c)
{
    struct chans bigger = {.n_slots = c->n_slots ? c->n_slots * 2 : FIRST_SLOTS};
    bigger.slots = calloc(bigger.n_slots, sizeof(struct chan *));
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; i < c->n_slots; i++) {
        struct chan *next;
        for (struct chan *at = c->slots[i]; at; at = next) {
            size_t s = slot_of(&bigger, at->id, ID_LEN);
            next = at->next;
            at->next = bigger.slots[s];
            bigger.slots[s] = at;
        }
    }
    free(c->slots);
    c->slots = bigger.slots;
    c->n_slots = bigger.n_slots;
    return true;
}

struct chan *chans_make(struct chans *c, struct text id)
{
    struct chan *found = chans_find(c, id);
    handle owner = wire_owner(id, NULL);
    if (found || owner == HANDLE_NONE || (c->count >= c->n_slots && !grow(c))) {
        return found;
    }
    struct chan *made = calloc(1, sizeof *made);
    if (!made) {
        return NULL;
    }
    made->owner = owner;
    memcpy(made->id, id.ptr, ID_LEN);
    size_t s = slot_of(c, made->id, ID_LEN);
    made->next = c->slots[s];
    c->slots[s] = made;
    c->count++;
    return made;
}

void chans_remove(struct chans *c, struct chan *chan)
{
    struct chan **at = &c->slots[slot_of(c, chan->id, ID_LEN)];
    while (*at != chan) {
        at = &(*at)->next;
    }
    *at = chan->next;
    c->count--;
    free(chan);
}

void chans_each(struct chans *c, void (*fn)(void *ctx, struct chan *chan), void *ctx)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        struct chan *next;
        for (struct chan *at = c->slots[i]; at; at = next) {
            next = at->next;
            fn(ctx, at);
        }
    }
}

void chans_free(struct chans *c)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        while (c->slots[i]) {
            chans_remove(c, c->slots[i]);
        }
    }
    free(c->slots);
    *c = (struct chans){0};
}
