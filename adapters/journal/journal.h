/*
 * journal.h - what must not be lost while the store is away: an append-only file of records on
 * this machine's disk.
 *
 * A record is some bytes with a type and a sender; what they mean is the user's. Each has a CRC and
 * a number; what cannot be read is the tail that a crash tore, and is cut off. Records are put into
 * memory one by one and made durable together, with one fdatasync: only what journal_commit() has
 * confirmed may be promised to anybody. A commit that failed is repeated from its first byte: after
 * a failed fsync the kernel has forgotten what it could not write.
 *
 * Reading begins at the mark, which journal_done() moves on once the store has what was read. The
 * mark is written without a sync: after a crash some records may be read again, so whoever replays
 * them must be able to bear it. When everything has been read the file becomes empty.
 *
 * One thread. Sizes are bytes. Functions that return int return an enum journal_status; the text of
 * the last failure is journal_error().
 */
#ifndef ADAPTERS_JOURNAL_JOURNAL_H
#define ADAPTERS_JOURNAL_JOURNAL_H

#include "core/types.h"

#include <sys/types.h>

#define JOURNAL_RECORD_MAX (64u * 1024u) /* bytes of one record's content */
#define JOURNAL_SIZE_MIN (1u * 1024u * 1024u)

enum journal_status {
    JOURNAL_OK = 0,
    JOURNAL_FAULT = -1,   /* the disk does not take it; everything stays as it was */
    JOURNAL_FULL = -2,    /* size_max is reached */
    JOURNAL_FOREIGN = -3, /* holds records of another installation */
    JOURNAL_HELD = -4,    /* another process has it */
};

/* The way to the disk. Tests put their own in its place; NULL members are libc's. */
struct journal_disk {
    ssize_t (*pwrite)(int fd, const void *bytes, size_t n, off_t at);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t size);
};

struct journal_options {
    const char *path;  /* of the file; its folder is made if need be; copied */
    uint64_t size_max; /* at least JOURNAL_SIZE_MIN */
    struct journal_disk disk;
};

struct journal_record {
    uint64_t number; /* one more than that of the record before */
    handle from;
    uint16_t type;
    const uint8_t *bytes;
    size_t n;
};

struct journal;

/* Makes the object without touching the disk; NULL: no memory. */
struct journal *journal_make(const struct journal_options *options);
void journal_close(struct journal *j); /* NULL is fine; uncommitted records are gone */

/* Opens or makes the file, checks every record behind the mark, cuts a torn tail. Call it again
 * after a failure; JOURNAL_OK at once when it is open. */
int journal_open(struct journal *j);
/* Says whose records these are, before the first is written or read. */
int journal_bind(struct journal *j, uint16_t node);

/* Adds a record in memory. JOURNAL_FULL: it was not added. */
int journal_put(struct journal *j, handle from, uint16_t type, const void *bytes, size_t n);
/* Everything put so far is on the disk, or nothing new is promised. */
int journal_commit(struct journal *j);
/* Puts and commits not confirmed never were: somebody else takes care of them. */
void journal_forget(struct journal *j);
/* Would a commit work now? Writes and syncs some bytes behind the end, and takes them back. */
int journal_probe(struct journal *j);

/* Gives the next committed records in order, at most `most`, stops when `each` does not return 0.
 * *n: how many `each` took. Asking again gives the same until journal_done(). The bytes are valid
 * inside `each`. */
typedef int (*journal_each)(void *ctx, const struct journal_record *record);
int journal_read(struct journal *j, size_t most, size_t *n, journal_each each, void *ctx);
/* The first `n` records of the last read are in the store. */
int journal_done(struct journal *j, size_t n);

struct journal_figures {
    bool open;
    uint64_t records; /* committed and not done */
    uint64_t bytes;   /* what they take in the file */
    uint64_t limit;   /* size_max */
    uint64_t waiting; /* put and not committed */
    uint64_t cut;     /* bytes of torn tails since journal_make() */
    uint64_t cuts;    /* how often */
};
struct journal_figures journal_figures(const struct journal *j);
const char *journal_error(const struct journal *j);

/* --- what left --------------------------------------------------------------------------------
 *
 * Which attempts left for an Asterisk: what a daemon that died can still say of those it had
 * claimed.
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
struct sent;

/* What the ring holds: at 100 calls a second, eleven minutes; a call lasts four hours at most. */
#define SENT_ENTRIES 65536u

/* The file is made, or mapped as it is. NULL with a sentence. */
struct sent *sent_open(const char *path, char *why, size_t why_size);
void sent_close(struct sent *s); /* NULL is fine */

/* The store's installation: its number, and how often a daemon has taken it. A start that this file
 * has not seen means that originates may have left without being noted. */
void sent_bind(struct sent *s, uint16_t node, uint32_t starts, int64_t now_wall_ms);

/* This attempt (of ID_LEN bytes) leaves now. */
void sent_note(struct sent *s, struct text attempt, int64_t now_wall_ms);

enum sent_answer { SENT_PERHAPS, SENT_NEVER, SENT_YES };
enum sent_answer sent_says(struct sent *s, struct text attempt, int64_t claimed_wall_ms);

/* CRC-32C of some bytes. */
uint32_t journal_crc(const void *bytes, size_t n);

#endif
