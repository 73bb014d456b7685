/*
 * desk.h - the one actor that knows who exists: it makes campaigns, agents and trunks from what the
 * store holds, passes news of the world on to those it concerns, and drains.
 */
#ifndef ACTORS_DESK_H
#define ACTORS_DESK_H

#include "core/actor.h"

extern const struct actor_type desk_actor;

#endif
