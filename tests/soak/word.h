/* word.h - what the daemon says of itself, into the injector's log, for the judge to compare with
 * what was seen and stored. */
#ifndef TESTS_SOAK_WORD_H
#define TESTS_SOAK_WORD_H

#include "tests/soak/place.h"

/* The whole picture of a supervisor's page, as a browser gets it: a link to log in, the session's
 * ticket, the socket. 0, or -1 with a sentence. */
int word_board(struct place *p, char *why, size_t why_size);
/* What the campaign counts of its answers of 30 days. 0, or -1 with a sentence. */
int word_counted(struct place *p, char *why, size_t why_size);
/* The campaign has no attempt left that waits for its end or its disposition. */
bool word_all_disposed(const struct place *p);

#endif
