/*
 * chans.h - which of our channels live in one Asterisk, and what has been said about each. So that
 * events that come twice are told once, and each channel ends once.
 */
#ifndef ADAPTERS_ARI_CHANS_H
#define ADAPTERS_ARI_CHANS_H

#include "actors/types.h"

struct chan {
    struct chan *next; /* in its slot */
    handle owner;
    char id[ID_SIZE];
    bool asked;   /* its originate is under way: no answer yet */
    bool hang_up; /* to be hung up as soon as the answer is there */
    bool told_ringing, told_answered;
    bool seen;              /* in the present listing */
    uint64_t last_playback; /* hash of the playback whose end was told last; 0 = none */
    int64_t last_digit_ms;  /* Asterisk\'s time of the digit that was told last */
    int64_t
        gone_us; /* Asterisk says it is gone: tell so ourselves then if no event comes. 0 = no */
    int64_t check_us; /* hung up: ask again then whether it is gone. 0 = no */
};

struct chans {
    struct chan **slots;
    size_t n_slots, count;
};

struct chan *chans_find(const struct chans *c, struct text id);
/* The entry of that id, made if there is none. NULL: not an id of ours, or no memory. */
struct chan *chans_make(struct chans *c, struct text id);
void chans_remove(struct chans *c, struct chan *chan);
/* Call fn for each; it may remove the one it is given. */
void chans_each(struct chans *c, void (*fn)(void *ctx, struct chan *chan), void *ctx);
void chans_free(struct chans *c);
/* Not 0. */
uint64_t chans_hash(const char *text, size_t len);

#endif
