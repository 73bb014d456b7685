/*
 * ring.h - lock-free rings of pointers; the one door to Concurrency Kit.
 *
 * A ring is bounded: a power of two, one slot unused. Full is a normal answer, and the caller's to
 * handle. Not wait-free: a producer spins while an earlier one has reserved its place and not
 * published yet. If that one is suspended meanwhile, the others burn their time slices, so this is
 * for pushes that seldom meet: bags (nng brings a station one at a time) and log lines
 * (rate-limited).
 *
 * Each ring is used in one of two ways, from its first push to its last pop:
 *   mp/sc  several producers, one consumer: a station's inbox, the log
 *   sp/mc  one producer, several consumers: what a worker offers to thieves
 *
 * What the producer wrote before the push, the consumer sees after the pop.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include "core/types.h"

struct ring;

struct ring *ring_open(unsigned size); /* power of two; NULL when memory is short */
void ring_close(struct ring *r);       /* what is still in it is the caller's */

bool ring_push_mp(struct ring *r, void *p); /* false: full */
void *ring_pop_sc(struct ring *r);          /* NULL: empty */
bool ring_push_sp(struct ring *r, void *p);
void *ring_pop_mc(struct ring *r);

/* As it was a moment ago. */
unsigned ring_size(const struct ring *r);

#endif
