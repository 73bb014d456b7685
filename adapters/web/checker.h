/*
 * checker.h - passwords are checked here, off the loop.
 *
 * Two threads, at most four checks waiting: 64 MB and 100 ms each is what a flood of logins may
 * cost, and not more. Jobs go in from the loop thread and come back to it; nothing else is shared.
 */
#ifndef ADAPTERS_WEB_CHECKER_H
#define ADAPTERS_WEB_CHECKER_H

#include "core/types.h"

struct checker;

/* `wake` is called from a helper thread when an answer waits. NULL: no thread or memory. */
struct checker *checker_new(void (*wake)(void *ctx), void *ctx);
/* Waits for the checks under way; their answers are lost. */
void checker_free(struct checker *c);
/* Does the password belong to the hash (both copied, wiped afterwards)? The answer carries `id`.
 * -1: no room. An empty hash is never right and takes as long. */
int checker_ask(struct checker *c, uint64_t id, struct text hash, struct text password);
/* The next answer; false: there is none. */
bool checker_answer(struct checker *c, uint64_t *id, bool *right);

#endif
