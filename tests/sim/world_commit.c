/*
 * world_commit.c - how what the actors tell the store becomes durable: a transaction at a time,
 * with what has arrived until its commit; away, records wait for it and claims are refused.
 *
 * When the daemon dies, what was not acknowledged is lost or done, as it happens: nothing of it,
 * all of it, or what came first; and by chance a little later, when the next daemon is already
 * there (a transaction that was on its way to its commit when its client died).
 */
#include "tests/sim/world_int.h"

#define LATE_MOST_US (1500 * US_PER_MS)

void pile_keep(struct pile *p, uint16_t type, const void *msg)
{
    const struct message_desc *d = message_find(&dialer_catalogue, type);
    void *block = malloc(message_bytes(d, msg));

    if (block == NULL) {
        abort();
    }
    message_copy(d, msg, block);
    p->item = world_room(p->item, &p->room, p->n, sizeof *p->item);
    p->item[p->n++] = (struct kept){type, block};
}

void pile_clear(struct pile *p, uint32_t from)
{
    for (uint32_t i = from; i < p->n; i++) {
        free(p->item[i].block);
    }
    p->n = from < p->n ? from : p->n;
}

/* Records outlive an outage: the adapter keeps them until the store is back. */
static bool is_record(uint16_t type)
{
    return type == MSG_attempt_moved || type == MSG_attempt_over || type == MSG_leg_over ||
           type == MSG_dispose || type == MSG_agent_moved || type == MSG_suppress;
}

/* One message, by a store that is there or is not. */
static void carry_out(struct world *w, uint16_t type, const void *msg)
{
    struct msg_candidates_end none = {.result = RESULT_AWAY};

    if (w->store_up || type == MSG_claim || type == MSG_leg_claim) {
        store_take(w, type, msg);
    } else if (is_record(type) || type == MSG_load) {
        pile_keep(&w->backlog, type, msg);
    } else if (type == MSG_candidates) {
        none.campaign = ((const struct msg_candidates *)msg)->campaign;
        store_answer(w, named(KIND_CAMPAIGN, none.campaign), MSG_candidates_end, &none);
    }
}

/* The transaction that was begun by daemon number `arg`. */
static void commits(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    if (arg != w->starts || !w->alive) {
        return; /* it died meanwhile: store_daemon_died() */
    }
    w->committing = false;
    for (uint32_t i = 0; i < w->inbox.n; i++) {
        carry_out(w, w->inbox.item[i].type, w->inbox.item[i].block);
    }
    pile_clear(&w->inbox, 0);
}

void store_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;

    (void)to;
    (void)from;
    pile_keep(&w->inbox, type, msg);
    if (!w->committing) {
        w->committing = true;
        sim_at(w->sim, w->store_us / 2, commits, w, w->starts);
    }
}

static void commits_late(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    (void)arg;
    w->nobody_listens = true;
    for (uint32_t i = 0; i < w->late.n && w->store_up; i++) {
        store_take(w, w->late.item[i].type, w->late.item[i].block);
    }
    w->nobody_listens = false;
    pile_clear(&w->late, 0);
}

/* A question changes nothing: only what is written can outlive who wrote it. */
static bool is_written(uint16_t type)
{
    return is_record(type) || type == MSG_claim || type == MSG_leg_claim;
}

void store_daemon_died(struct world *w)
{
    double fate = world_unit(w, 6);
    uint32_t done = fate < 0.35  ? 0
                    : fate < 0.7 ? w->inbox.n
                                 : (uint32_t)(world_unit(w, 6) * (double)(w->inbox.n + 1u));

    w->committing = false;
    for (uint32_t i = 0; i < done && w->store_up; i++) {
        if (is_written(w->inbox.item[i].type)) {
            pile_keep(&w->late, w->inbox.item[i].type, w->inbox.item[i].block);
        }
    }
    pile_clear(&w->inbox, 0);
    pile_clear(&w->backlog, 0); /* it was in the daemon's memory */
    if (world_unit(w, 6) < 0.7) {
        commits_late(w, 0);
    } else {
        sim_at(w->sim, (int64_t)(world_unit(w, 6) * (double)LATE_MOST_US), commits_late, w, 0);
    }
}

void world_store_up(struct world *w, bool up)
{
    struct msg_store_state m = {.up = up, .text = text_of(up ? "" : "connection refused")};

    w->store_up = up;
    if (!w->alive) {
        return;
    }
    for (uint32_t i = 0; up && i < w->backlog.n; i++) {
        store_take(w, w->backlog.item[i].type, w->backlog.item[i].block);
    }
    pile_clear(&w->backlog, up ? 0 : w->backlog.n);
    store_answer(w, ADDR_DESK, MSG_store_state, &m);
    if (up) {
        daemon_store_is_there(w);
    }
}

void commit_free(struct world *w)
{
    pile_clear(&w->inbox, 0);
    pile_clear(&w->backlog, 0);
    pile_clear(&w->late, 0);
    free(w->inbox.item);
    free(w->backlog.item);
    free(w->late.item);
}
