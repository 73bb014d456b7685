/*
 * trunk.h - one actor for each trunk: grants lines at the trunk's calls per second, to campaigns in
 * turn. A permit is a line until lines_free gives it back.
 */
#ifndef ACTORS_TRUNK_H
#define ACTORS_TRUNK_H

#include "core/actor.h"

extern const struct actor_type trunk_actor;

#endif
