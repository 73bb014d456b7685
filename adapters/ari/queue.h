/*
 * queue.h - what is sent to one Asterisk, in which order and how fast. Pure: time is handed in.
 *
 * A real Asterisk that is offered more than it can do does not level off, it collapses: new
 * originates stand before the bridging and hanging up of calls that are answered already
 * (ari/asterisk.md 11). So:
 *   - three priorities: bridge an answered call, hang up, originate; a lower one never passes;
 *   - originates wait while bridging has piled up;
 *   - few requests in flight: of originates a window that shrinks when answers get slow;
 *   - originates follow the server's calls per second and lines, and are shed, oldest first, when
 *     they have waited too long (nothing of them has left, so they lose nothing);
 *   - a breaker: when originates fail one after the other, or are answered far too late, a pause,
 *     then one as a probe.
 */
#ifndef ADAPTERS_ARI_QUEUE_H
#define ADAPTERS_ARI_QUEUE_H

#include "core/types.h"

enum queue_priority { QUEUE_BRIDGE, QUEUE_HANGUP, QUEUE_ORIGINATE, QUEUE_PRIORITIES };

/* Begins the caller's command. */
struct queue_item {
    struct queue_item *prev, *next;
    enum queue_priority priority;
    bool waiting; /* in the queue; else in flight, or not here at all */
    int64_t queued_us, sent_us;
};

struct queue_config {
    double calls_per_s;     /* 0: no limit */
    unsigned lines;         /* 0: no limit */
    unsigned control_cap;   /* bridge and hangup requests in flight. 0 = 2: enough
                                  to keep the socket busy, and a bridge stands behind one at most */
    unsigned originate_cap; /* largest window. 0 = 4: one socket is served one by one */
    unsigned bridge_pile;   /* originates wait while so many bridge requests wait or fly. 0 = 10 */
    int64_t slow_us;        /* an originate answered later shrinks the window.
                               0 = 50 ms */
    int64_t bridge_slow_us; /* and so does a bridge request slower than this. 0 = 20 ms */
    int64_t wait_us;        /* an originate waits at most this long. 0 = 2 s */
    unsigned breaker_failures; /* in a row. 0 = 5 */
    int64_t late_us;    /* an originate answered later opens the breaker: whoever answers such
                           a call could not be joined in time. 0 = 2 s */
    int64_t breaker_us; /* first pause; doubles up to 16 times. 0 = 500 ms */
};

enum queue_result {
    QUEUE_GOOD,    /* it did what was asked, or refused this one request for its own sake */
    QUEUE_FAILURE, /* the server or the way to it is in trouble */
};

struct queue_list {
    struct queue_item *head, *tail;
    unsigned count;
};

struct queue {
    struct queue_config config;
    struct queue_list waiting[QUEUE_PRIORITIES];
    unsigned control_flying, originates_flying;
    unsigned bridges_flying;
    double window; /* of originates */
    int64_t shrunk_us;
    double tokens;
    int64_t refilled_us;
    unsigned live; /* channels that take a line */
    bool held, away;
    unsigned failures;     /* in a row */
    int64_t open_until_us; /* breaker; 0 = closed */
    unsigned opened;       /* times in a row */
    bool probing;
    uint64_t n_sent, n_shed, n_opened;
};

void queue_init(struct queue *q, const struct queue_config *config, int64_t now_us);
/* Other limits from now on. */
void queue_limits(struct queue *q, double calls_per_s, unsigned lines, int64_t now_us);
void queue_push(struct queue *q, struct queue_item *item, enum queue_priority priority,
                int64_t now_us);
/* The next one that may leave now: it counts as in flight until queue_answered. NULL: none may. */
struct queue_item *queue_take(struct queue *q, int64_t now_us);
/* An item in flight has its answer, or will have none. */
void queue_answered(struct queue *q, struct queue_item *item, enum queue_result result,
                    int64_t now_us);
/* Take back an item that waits. */
void queue_withdraw(struct queue *q, struct queue_item *item);
/* An originate that has waited too long, taken out; NULL: none has. */
struct queue_item *queue_shed(struct queue *q, int64_t now_us);
/* Any waiting item, taken out, highest priority first; NULL: empty. For the end. */
struct queue_item *queue_empty_one(struct queue *q);
/* Originates wait (the server is not up, a subscription is under way). They are shed meanwhile. */
void queue_hold(struct queue *q, bool held);
/* The link is away: hang-ups wait for the list that tells who has answered meanwhile. */
void queue_away(struct queue *q, bool away);
/* How many channels of ours live there. */
void queue_set_live(struct queue *q, unsigned channels);
/* When something changes by time alone (a token, the breaker, shedding); INT64_MAX: never. */
int64_t queue_next_us(const struct queue *q, int64_t now_us);
bool queue_breaker_open(const struct queue *q, int64_t now_us);

#endif
