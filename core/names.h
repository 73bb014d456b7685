/*
 * names.h - who is called named(kind, id) now.
 *
 * Any thread may ask, without a lock; those who register and strike out take a mutex. A name that
 * is struck out and registered again gets the new handle; an asker sees the one or the other.
 */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include "core/types.h"

struct names;

struct names *names_open(void); /* NULL when memory is short */
void names_close(struct names *n);

/* 0; -1 when the name is taken or memory is short. */
int names_put(struct names *n, handle name, handle actor);
/* Strike the name out, if it is still this actor's. */
void names_remove(struct names *n, handle name, handle actor);
/* HANDLE_NONE when nobody has the name. */
handle names_get(const struct names *n, handle name);

#endif
