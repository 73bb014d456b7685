/*
 * ids.h - ids of channels and bridges: made, parsed, compared. Layout in types.h.
 */
#ifndef ACTORS_IDS_H
#define ACTORS_IDS_H

#include "actors/types.h"

struct channel_id {
    uint16_t node;
    uint32_t owner; /* campaign (att-) or agent (leg-) */
    uint32_t epoch;
    uint32_t seq;
};

enum id_class { ID_FOREIGN = 0, ID_ATTEMPT, ID_LEG, ID_BRIDGE };

/* Writes ID_LEN characters and a zero. */
void id_make(char out[ID_SIZE], enum id_class cls, const struct channel_id *id);
/* ID_FOREIGN when it is not exactly one of ours (another node's counts as ours here: compare
 * id->node). Lower-case hexadecimal only, as id_make writes. */
enum id_class id_parse(struct text text, struct channel_id *id);
/* The same id in another class: the bridge of an attempt, the own bridge of a leg. */
void id_convert(char out[ID_SIZE], enum id_class cls, const char id[ID_SIZE]);

/* Key of an attempt or leg inside its owner. */
static inline uint64_t id_key(const struct channel_id *id)
{
    return (uint64_t)id->epoch << 32 | id->seq;
}

#endif
