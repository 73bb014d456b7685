/*
 * log.h - one line for one event: time, level, stable code, text.
 *
 *     2026-03-02T09:14:07.120Z warn DLR-GATE campaign=7 text...
 *
 * A line is formatted by the thread that writes it, into a ring; the log's own thread puts it into
 * the file. Nobody ever waits: when the ring is full, or a code has used up its lines of this
 * second (20), the line is counted and left out, and the next line says how many. Control
 * characters are written as \xHH. Any thread. Before log_open(), and after log_close(), lines go
 * straight to stderr.
 *
 * Codes and formats are strings with static life. Never a secret, never a whole phone number where
 * an id does.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/types.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Start the log's thread. `path` NULL: stderr; else appended to, mode 0640. Lines below `level` are
 * left out. Returns 0, or -1 with errno. Once at a time. */
int log_open(const char *path, int level);
/* Write what is there and end the thread. */
void log_close(void);
/* Open the file again under its name (after a rotation). Returns 0, or -1 with errno and the old
 * file kept. */
int log_reopen(void);

void log_set_level(int level);

void log_line(int level, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Would a line be written now? Saves making its text. */
bool log_wanted(int level, const char *code);

/* Lines left out since the start. */
uint64_t log_lost(void);

#endif
