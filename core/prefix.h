/*
 * prefix.h - does a number begin with one of a list's prefixes? For numbers as +, country and the
 * rest; which lists there are is the caller's.
 */
#ifndef CORE_PREFIX_H
#define CORE_PREFIX_H

#include "core/types.h"

/* Of a list such as "+1212, +44": blanks around an entry do not matter, an entry of less than two
 * characters or an empty list matches nothing. */
bool prefix_among(struct text number, struct text list);

#endif
