/*
 * mutants.h - the real programs with a daemon that was broken on purpose (core/mutant.h): does the
 * judge notice, and does it leave in peace the one that is whole?
 */
#ifndef TESTS_SOAK_MUTANTS_H
#define TESTS_SOAK_MUTANTS_H

#include <stdint.h>

/* Each mutant by a soak of its own (this program once more) for so many seconds, with the faults
 * that it needs; the same with the whole daemon; a table on standard output. 0: each was noticed
 * and the whole one held; 1: not so; 2: this build has no mutants; 77: no PostgreSQL or Redis
 * here. */
int mutants_run(const char *seconds, uint64_t seed);

#endif
