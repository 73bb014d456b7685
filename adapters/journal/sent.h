/*
 * sent.h - which attempts left for an Asterisk: what a daemon that died can still say of those it
 * had claimed.
 *
 * The store knows that an attempt was claimed; whether its originate left is written here, in
 * memory that the kernel keeps when the process dies (a mapped file), before the first byte of the
 * request is sent. So after kill -9 a claimed attempt that is not here was surely never sent, and
 * its row may go back untouched. After a crash of the machine, with another installation, or after
 * the ring has turned over, nothing is sure.
 *
 * sent_note() is called by the telephony adapter's thread alone; sent_bind() and sent_says() by the
 * store's. No system call, no lock.
 */
#ifndef ADAPTERS_JOURNAL_SENT_H
#define ADAPTERS_JOURNAL_SENT_H

#include "core/types.h"

struct sent;

/* The file is made, or mapped as it is. NULL with a sentence. */
struct sent *sent_open(const char *path, char *why, size_t why_size);
void sent_close(struct sent *s); /* NULL is fine */

/* The store's installation: its number, and how often a daemon has taken it. A start that this file
 * has not seen means that originates may have left without being noted. */
void sent_bind(struct sent *s, uint16_t node, uint32_t starts, int64_t now_wall_ms);

/* This attempt (of ID_LEN bytes) leaves now. */
void sent_note(struct sent *s, struct text attempt, int64_t now_wall_ms);

enum sent_answer { SENT_PERHAPS, SENT_NEVER, SENT_YES };
enum sent_answer sent_says(const struct sent *s, struct text attempt, int64_t claimed_wall_ms);

#endif
