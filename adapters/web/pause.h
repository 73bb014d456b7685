/*
 * pause.h - growing pauses after wrong passwords, by account and by address: at most ten tries for
 * an account in any 15 minutes.
 *
 * A fixed table: under attack from many names those whose pause ends first are forgotten, so memory
 * is bounded; where a name stands is a secret of the process, so that nobody can make names that
 * push out a certain one. Loop thread only.
 */
#ifndef ADAPTERS_WEB_PAUSE_H
#define ADAPTERS_WEB_PAUSE_H

#include "core/types.h"

enum pause_of { PAUSE_ACCOUNT, PAUSE_ADDRESS };

struct pauses;

struct pauses *pauses_new(void); /* NULL: no memory */
void pauses_free(struct pauses *p);
/* How long to wait before the next try, 0: go on. */
int64_t pause_left_us(const struct pauses *p, enum pause_of of, const char *name, int64_t now_us);
/* Wrong tries that count, since it was last quiet for half an hour or right. */
unsigned pause_failures(const struct pauses *p, enum pause_of of, const char *name, int64_t now_us);
void pause_failed(struct pauses *p, enum pause_of of, const char *name, int64_t now_us);
/* A right password: the account starts anew (the address does not: its owner may own one account
 * and attack others). */
void pause_clear(struct pauses *p, enum pause_of of, const char *name);

#endif
