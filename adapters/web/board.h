/*
 * board.h - the last record of everything that people may see, in the order of its last change.
 *
 * Each change has a number. A record keeps the number of its last change only, and the records hang
 * in one list in the order of these numbers: so the list is the log, compacted. "What changed since
 * n" is its tail, the whole picture is "what changed since 0", and a reader who was away or is slow
 * gets each record once, as it is now. Nothing is kept for a reader but its number.
 *
 * Calls that ended stay as a mark for a while, so that a reader hears they are gone. Marks are
 * bounded; who is behind the oldest one dropped (board_floor) must take the whole picture anew.
 *
 * Agents get their four records (status, campaign's line, call, card) by way of struct person;
 * cards are not in the list, because nobody else sees them.
 *
 * Loop thread only. Records are JSON objects (items of PROTOCOL.md), rendered once.
 */
#ifndef ADAPTERS_WEB_BOARD_H
#define ADAPTERS_WEB_BOARD_H

#include "actors/messages.h"
#include "actors/types.h"

struct board;
struct client;

struct record {
    struct record *older, *newer; /* in the list of changes */
    struct record *chain;         /* in the table */
    struct record *next_gone;     /* the queue of marks */
    uint64_t seq;
    uint64_t agent; /* calls: whose, 0 nobody's */
    bool gone;
    bool up; /* pbx and dependency: it works */
    char *json;
    uint32_t len;
    char key[]; /* "call/att-...", "agent/7" */
};

/* What one agent sees. */
struct person {
    struct person *chain;
    uint64_t agent;
    uint64_t campaign;
    struct record *status; /* NULL: not heard of yet */
    struct record *call;   /* NULL none */
    uint64_t call_seq;     /* the call or its absence changed */
    uint64_t call_taken;   /* another call, or none, since this number */
    char *pop;             /* the card, NULL none */
    uint32_t pop_len;
    uint64_t pop_seq; /* the card came or went */
    char pop_attempt[ID_SIZE];
    struct client *clients; /* its pages */
    bool told;              /* the agent's actor was told of an open page */
};

struct board_events {
    /* Something this person sees has changed. */
    void (*on_person)(void *ctx, struct person *p);
};

struct board *board_new(const struct board_events *events, void *ctx); /* NULL: no memory */
void board_free(struct board *b);

uint64_t board_seq(const struct board *b);   /* number of the last change */
uint64_t board_floor(const struct board *b); /* who is below it cannot resume */
size_t board_records(const struct board *b); /* alive, without marks */

/* The actors' views. A card whose fields are no JSON object of bounded size is shown without. */
void board_agent(struct board *b, const struct msg_view_agent *m);
void board_call(struct board *b, const struct msg_view_call *m);
void board_campaign(struct board *b, const struct msg_view_campaign *m);
void board_pop(struct board *b, const struct msg_screen_pop *m);
void board_pbx(struct board *b, const struct msg_view_pbx *m);
void board_disposition(struct board *b, const struct msg_view_disposition *m);
void board_dependency(struct board *b, const struct msg_readiness *m);
void board_mode(struct board *b, const struct msg_daemon_mode *m);
void board_alarm(struct board *b, const struct msg_alarm_moved *m);

/* The first record with a number above `seq`, NULL: none; then its `newer`s. */
const struct record *board_after(const struct board *b, uint64_t seq);
struct person *board_person(struct board *b, uint64_t agent, bool make); /* NULL: no such, memory */
const struct record *board_campaign_record(const struct board *b, uint64_t campaign);
/* The i-th disposition, NULL behind the last. */
const struct record *board_disposition_at(const struct board *b, size_t i);

#endif
