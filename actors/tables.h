/*
 * tables.h - every state table of the actors, for the proof and for the pictures.
 */
#ifndef ACTORS_TABLES_H
#define ACTORS_TABLES_H

#include "core/fsm.h"

#define ACTOR_TABLES 7
extern const struct fsm_def row_fsm; /* its functions are in types.h: the store needs them, too */
extern const struct fsm_def *const actor_tables[ACTOR_TABLES];

#endif
