/*
 * link.h - the state of the connection to one Asterisk, as a table of core/fsm.
 *
 *   down -> connecting -> checking -> filtering -> subscribing -> listing -> up
 *
 * The order is the recipe of ari/asterisk.md 9: the events' socket is open before anything is
 * listed, so that what happens meanwhile is not missed; no call leaves before the list is applied.
 * `replaced` is where it stays when another program took our application over: there is no fencing
 * in Asterisk, so the one that was replaced must stop: coming back by itself the two would take it
 * from each other for ever. It leaves when somebody asks for it.
 *
 * Pure apart from the hooks.
 */
#ifndef ADAPTERS_ARI_LINK_H
#define ADAPTERS_ARI_LINK_H

#include "core/effects.h"
#include "core/fsm.h"

enum link_state {
    LINK_DOWN,
    LINK_CONNECTING,
    LINK_CHECKING,
    LINK_FILTERING,
    LINK_SUBSCRIBING,
    LINK_LISTING,
    LINK_UP,
    LINK_REPLACED,
    LINK_STATES
};

enum link_event {
    LINK_TIMEOUT,
    LINK_OPENED, /* the events' socket is open */
    LINK_GOOD,   /* the present step is done */
    LINK_BAD,    /* the present step failed */
    LINK_LOST,   /* the events' socket is gone */
    LINK_TAKEN,  /* ApplicationReplaced */
    LINK_RETAKE, /* somebody has asked for it to be taken back */
    LINK_AGAIN,  /* list once more: those who must hear it were not there yet */
    LINK_EVENTS
};

/* What the steps do. Each begins something that ends in a link_fire, possibly at once. */
struct link_hooks {
    void (*connect)(void *ctx);
    void (*check)(void *ctx);
    void (*filter)(void *ctx);
    void (*subscribe)(void *ctx);
    void (*list)(void *ctx);
    void (*up)(void *ctx);
    void (*down)(void *ctx);     /* drop the sockets; also after a failed connect */
    void (*replaced)(void *ctx); /* drop the sockets */
    void (*moved)(void *ctx);    /* after each change of state */
    void (*set_timer)(void *ctx, int64_t delay_us);
    void (*clear_timer)(void *ctx);
    int64_t (*now_us)(void *ctx);
    uint64_t (*random)(void *ctx);
};

struct link {
    struct effects fx; /* first: the executor of this one machine */
    struct fsm fsm;
    const struct link_hooks *hooks;
    void *ctx;
    unsigned failures; /* in a row, for the pause before the next try */
};

extern const struct fsm_def link_def;

/* In LINK_DOWN, with the first connect due at once. */
void link_init(struct link *l, const struct link_hooks *hooks, void *ctx);
void link_fire(struct link *l, enum link_event event);
enum link_state link_state(const struct link *l);
const char *link_state_name(enum link_state state);

#endif
