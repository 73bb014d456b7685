/*
 * bus.h - bags between threads: nng messages over inproc, each with many records. The one door to
 * nng.
 *
 * A station is a thread's inbox: one nng socket that listens, and a ring its bags lie in. A link is
 * one thread's way to one station: order is kept on it, and it never blocks and never loses a bag.
 * What the station does not take in time waits in the link (its backlog).
 *
 *     nng calls back on a thread of its own  ->  bag into the station's ring  ->  wake, if it
 * sleeps
 *
 * The receiver is handed the bag by nng's own callback, not by asking nng: that saves one of two
 * wake-ups (core/README.md has the figures).
 *
 * Thread rule: station_take/release/arm by the station's thread; link_* by the thread that owns the
 * station the link comes from; open and close by the owner of the bus, while those threads do not
 * run.
 */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include "core/types.h"

#include <stdatomic.h>

struct bus;
struct station;
struct link;

/* A bag that arrived. */
struct bag {
    struct link *link;    /* the way it came */
    const uint8_t *bytes; /* records, back to back */
    size_t len;
    void *message; /* bus.c's */
};

#define BAG_BYTES 16384u  /* a bag is full with so many bytes ... */
#define BAG_RECORDS 128u  /* ... or so many records */
#define LINK_WINDOW 32u   /* bags a link may have under way that the station has not taken */
#define STATION_LINKS 64u /* links that may end at one station */

struct bus *bus_open(void);      /* NULL: memory or nng */
void bus_close(struct bus *bus); /* closes what is still open in it */

/* `wake` is called, on any thread, after station_arm() said true and something happened. It must
 * not block. */
struct station *station_open(struct bus *bus, void (*wake)(void *ctx), void *ctx);
/* Instead of `wake`, when it is nng's thread that found the station armed: it calls `serve`, which
 * may take the bags and work on them (core/serve.c), within bounds: it is borrowed. */
void station_serve(struct station *st, void (*serve)(void *ctx));

struct link *link_open(struct station *from, struct station *to);

/* --- receiving ------------------------------------------------------------------------------- */

/* The oldest bag, false when there is none. */
bool station_take(struct station *st, struct bag *bag);
/* The bag has been read; its link may send another. */
void station_release(struct station *st, const struct bag *bag);
bool station_empty(const struct station *st);

/* About to sleep. True: nothing is there, and whatever comes from now on calls wake, once. False:
 * there is something, nothing was armed. */
bool station_arm(struct station *st);
void station_disarm(struct station *st);
/* Take the flag back: true for the one caller who does. */
bool station_claim(struct station *st);
/* Wake it if it is armed. Any thread. Whatever it shall find must have been stored before. */
void station_wake(struct station *st);

/* --- sending --------------------------------------------------------------------------------- */

/* Room for a record of at most `bytes` in the open bag; a bag that is too full leaves first. Never
 * NULL: without memory the program ends, a MUST message cannot be lost quietly. */
uint8_t *link_reserve(struct link *l, size_t bytes);
/* The record ends at `end`. */
void link_commit(struct link *l, const uint8_t *end);
bool link_has_open(const struct link *l);
/* The open bag leaves. */
void link_flush(struct link *l);

/* Bags that wait because the station does not keep up. */
size_t link_backlog(const struct link *l);
/* Try again to send them. While there is a backlog the link's own station is woken when bags have
 * been taken. */
void link_retry(struct link *l);

/* For conflation while there is a backlog: bag and offset of the last record committed, and making
 * it void (its type gets RECORD_VOID, see record.h) if it has not left yet. */
struct link_place {
    uint64_t bag;
    uint32_t offset;
};
struct link_place link_last(const struct link *l);
bool link_void(struct link *l, struct link_place place);

/* Fences: everything that was sent so far has arrived in the ring of the station, once
 * link_arrived() reaches the link_sent() of now. link_watch(): wake the link's own station at the
 * next arrival. */
uint64_t link_sent(const struct link *l);
uint64_t link_arrived(struct link *l);
void link_watch(struct link *l);
bool link_is_watched(const struct link *l); /* false: it has told since. Any thread */

/* The number of the station it comes from: stations count from 0 in the order they were opened. */
unsigned link_origin(const struct link *l);

struct link_stats {
    uint64_t bags, records;
};
struct link_stats link_stats(const struct link *l); /* by the link's owner */

#endif
