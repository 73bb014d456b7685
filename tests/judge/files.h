/*
 * files.h - what a run of real processes leaves behind, told to the judge: ari-sim's witness,
 * agent-sim's record, the injector's log, and the store's tables.
 *
 * The injector's log is JSON lines: "t_us" (UTC), "what" ("fault", "recovered", "server down",
 * "limit"), "text", and "calls": may calls have to wait for it; "value" of a limit; "shows": the
 * codes in the daemon's log of which one must follow. And what was asked of the daemon itself:
 * "counted" ("campaign", "answers", "abandoned"), "board", "board agent" ("agent", "state"),
 * "board call" ("attempt") and "board campaign" ("campaign", "agents").
 *
 * Each returns 0, or -1 with a sentence. A last line that was cut by a kill is passed over.
 */
#ifndef TESTS_JUDGE_FILES_H
#define TESTS_JUDGE_FILES_H

#include "tests/judge/judge.h"

#include <stddef.h>

/* message: the abandonment message's name; application: whose client counts. */
int judge_read_witness(struct judge *j, const char *path, const char *message,
                       const char *application, char *why, size_t why_size);
int judge_read_record(struct judge *j, const char *path, char *why, size_t why_size);
int judge_read_log(struct judge *j, const char *path, char *why, size_t why_size);
/* dialerd's log, which is no JSON: what it warned of, and its starts. */
int judge_read_daemon(struct judge *j, const char *path, char *why, size_t why_size);

/* tables.c: "sqlite:PATH" or a libpq connection string or postgresql:// URL. Read by SQL of its
 * own: the product's statements are part of what is judged. */
int judge_read_store(struct judge *j, const char *url, char *why, size_t why_size);

#endif
