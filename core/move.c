/*
 * move.c - an actor moves to another worker, and nothing overtakes.
 *
 * An actor lives at a home; the word in its slot says where. All mail enters through the home. The
 * danger of a move is that a message sent to the new home arrives before an older one from the same
 * sender that still lies on the way to the old home, or that the actor, running at its new home,
 * overtakes what it sent from the old one. The protocol, thief T, victim V, any other worker X:
 *
 * (1) V offers actors that wait in its run queue in a ring; T takes one. Nobody else may run it.
 *
 * (2) T writes home = T. From here on senders bag to T. What other workers' bags still bring to V
 * is passed on to T, marked FORWARDED. T holds both kinds, apart.
 *
 * (3) T sends FENCE to every other worker and, on its own link to V, ACK for itself.
 *
 * (4) X answers FENCE with ACK on its link to V. That lies behind everything X ever sends to the
 * old home, since the FENCE brought X the knowledge that home = T. V passes the ACK on to T, behind
 *     everything it passed on before.
 *
 * (5) V, at its FENCE, takes the actor's timers out of its wheel, and never looks at the actor
 * again. It closes all its bags and waits (it goes on working) until they have arrived in the
 * inboxes they are for: then nothing that the actor sent from V can be overtaken. Then its own ACK.
 *
 * (6) T has all W acknowledgements: no older record for the actor is under way anywhere. It puts
 *     into the mailbox, behind what is there, what was FORWARDED, and then what came straight. The
 *     timers go into T's wheel, the actor into T's run queue.
 *
 * Why the two heaps keep the order of each pair: a sender's messages go to the old home until it
 * sees the new one, and straight from then on. It never sees the old one again: one word, read in
 * order, and if the sender moves meanwhile, its own move carries what it has seen. So of each pair
 * everything FORWARDED is older than everything straight. What an actor beside V's sends from V is
 * straight: it goes to T at once. It is no use to tell the heaps apart by the link they come on
 * instead of the mark: a sender that moves from X to V in the middle would have its newer message,
 * sent from V, put before its older one, sent from X (test_pool_order found that in 1 of 10^6).
 *
 * Endpoints cannot be fenced, so all their mail for an actor goes through one worker, slot modulo
 * W. That one relays like a sender of its own: not marked, and its ACK lies behind what it has
 * relayed.
 *
 * Why arrival in the inbox is enough in (5): an inbox is first in, first out, so what the actor
 * sends later from T lies behind. For T's own inbox, V's ACK comes behind those bags. If the
 * receiver R is itself on its way from Z to Y, V's ACK for R's move lies behind what V bagged to Z
 * for R, so R does not run at Y before it has come.
 *
 * While it waits the actor is in no run queue, so it cannot be stolen twice, and cannot end. A
 * worker with a backlog towards anybody offers nothing: its bags could take long to arrive.
 *
 * Cost for mail that is not moving: the load of the home, and a test whether anything moves here.
 */
#include "core/pool_internal.h"

#include "core/record.h"

#include <stdlib.h>

struct move {
    struct move *next;
    struct actor *actor;
    handle self;
    unsigned acks; /* still missing */
    struct node *forwarded, **forwarded_end;
    struct node *straight, **straight_end;
};

/* V waits for its bags to arrive. */
struct fence {
    struct fence *next;
    handle actor;
    uint64_t who;
    uint64_t awaits; /* a bit for each way whose bags have not arrived */
    uint64_t until[POOL_MAX_WORKERS + KIND_ENDPOINT_MAX + 1]; /* link_sent() of each way then */
};

#define WHO(thief, victim) ((uint64_t)(thief) << 16 | (victim))
#define THIEF(who) ((unsigned)((who) >> 16 & 0xffff))
#define VICTIM(who) ((unsigned)((who)&0xffff))

static void control(struct worker *w, unsigned to_worker, unsigned type, handle actor, uint64_t who)
{
    way_forward(&w->out, &w->out.to_worker[to_worker], actor, who, type, NULL, 0);
}

/* --- offering and taking --------------------------------------------------------------------- */

void offer_surplus(struct worker *w, bool forced)
{
    struct pool *pool = w->out.pool;
    size_t n = forced ? w->run_count : w->run_count / 2;

    if (pool->config.no_steal || pool->n_workers == 1) {
        return;
    }
    for (unsigned i = 0; i < w->out.n_dirty; i++) {
        if (link_backlog(w->out.dirty[i]->link) != 0) {
            return;
        }
    }
    n = n < OFFER_MAX ? n : OFFER_MAX;
    for (; n != 0; n--) {
        struct actor *a = actor_next(w);
        if (a == NULL) {
            return;
        }
        if (!ring_push_sp(w->offered, a)) {
            actor_schedule(w, a); /* cannot be: the ring is larger than OFFER_MAX */
            return;
        }
    }
    for (unsigned i = 0; i < pool->n_workers && ring_size(w->offered) != 0; i++) {
        if (i != w->index) {
            station_wake(pool->workers[i]->out.station);
        }
    }
}

void offer_take_back(struct worker *w)
{
    struct actor *a;

    while (ring_size(w->offered) != 0 && (a = ring_pop_mc(w->offered)) != NULL) {
        actor_schedule(w, a);
    }
}

static void begin(struct worker *w, struct actor *a, unsigned victim)
{
    struct pool *pool = w->out.pool;
    struct move *m = calloc(1, sizeof *m);
    struct slot *slot = pool_slot(pool, a->self);

    if (m == NULL) {
        out_of_memory("move");
    }
    m->actor = a;
    m->self = a->self;
    m->acks = pool->n_workers;
    m->forwarded_end = &m->forwarded;
    m->straight_end = &m->straight;
    m->next = w->moves;
    w->moves = m;
    atomic_store_explicit(&slot->where, a->self >> 32 << 32 | w->index, memory_order_seq_cst);
    for (unsigned i = 0; i < pool->n_workers; i++) {
        if (i != w->index) {
            control(w, i, CONTROL_FENCE, a->self, WHO(w->index, victim));
        }
    }
    control(w, victim, CONTROL_ACK, a->self, WHO(w->index, victim));
    sender_flush(&w->out);
}

bool steal_one(struct worker *w, bool forced)
{
    struct pool *pool = w->out.pool;

    if (pool->config.no_steal || (!forced && w->moves != NULL)) {
        return false; /* one at a time, or an idle worker would take more than it can run */
    }
    for (unsigned i = 1; i < pool->n_workers; i++) {
        const unsigned victim = (unsigned)((w->index + i + w->steal_turn) % pool->n_workers);
        struct actor *a;
        if (victim == w->index || ring_size(pool->workers[victim]->offered) == 0) {
            continue;
        }
        a = ring_pop_mc(pool->workers[victim]->offered);
        if (a != NULL) {
            w->steal_turn++;
            begin(w, a, victim);
            return true;
        }
    }
    return false;
}

/* --- holding --------------------------------------------------------------------------------- */

struct move *move_find(const struct worker *w, handle actor)
{
    for (struct move *m = w->moves; m != NULL; m = m->next) {
        if (m->self == actor) {
            return m;
        }
    }
    return NULL;
}

void move_hold(struct move *m, struct node *n, bool forwarded)
{
    n->next = NULL;
    if (forwarded) {
        *m->forwarded_end = n;
        m->forwarded_end = &n->next;
    } else {
        *m->straight_end = n;
        m->straight_end = &n->next;
    }
}

static void put_all(struct worker *w, struct actor *a, struct node *list)
{
    while (list != NULL) {
        struct node *n = list;
        list = n->next;
        mail_put(w, a, n); /* scheduled is still set: it is put into the run queue below */
    }
}

static void complete(struct worker *w, struct move *m)
{
    struct actor *a = m->actor;
    struct move **at = &w->moves;

    while (*at != m) {
        at = &(*at)->next;
    }
    *at = m->next;
    for (struct timer *t = a->timers; t != NULL; t = t->next) {
        if (t->state == TIMER_ARMED) {
            wheel_add(&w->wheel, &t->entry, t->entry.due_us);
        }
    }
    put_all(w, a, m->forwarded);
    put_all(w, a, m->straight);
    actor_schedule(w, a);
    free(m);
    bump(&w->steals, 1);
}

/* --- fences ---------------------------------------------------------------------------------- */

static struct way *way_number(struct worker *w, unsigned i)
{
    return i < POOL_MAX_WORKERS ? &w->out.to_worker[i] : &w->out.to_endpoint[i - POOL_MAX_WORKERS];
}

#define WAYS (POOL_MAX_WORKERS + KIND_ENDPOINT_MAX + 1)
_Static_assert(WAYS <= 64, "a bit for each");

static void let_go(struct worker *w, handle actor, uint64_t who)
{
    struct slot *slot = pool_slot(w->out.pool, actor);
    struct fence *f = calloc(1, sizeof *f);

    if (f == NULL) {
        out_of_memory("fence");
    }
    for (struct timer *t = slot->actor->timers; t != NULL; t = t->next) {
        if (t->state == TIMER_ARMED) {
            wheel_remove(&w->wheel, &t->entry);
        }
    }
    sender_flush(&w->out);
    for (unsigned i = 0; i < WAYS; i++) {
        const struct way *way = way_number(w, i);
        f->until[i] = way->link != NULL ? link_sent(way->link) : 0;
    }
    f->actor = actor;
    f->who = who;
    f->next = w->fences;
    w->fences = f;
}

/* The ways whose bags have not arrived, a bit for each; all of them are watched, and were looked at
 * again after that: it may have happened in between. */
static uint64_t not_arrived(struct worker *w, const struct fence *f)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        const struct way *way = way_number(w, i);
        if (way->link == NULL || link_arrived(way->link) >= f->until[i]) {
            continue;
        }
        link_watch(way->link);
        if (link_arrived(way->link) < f->until[i]) {
            mask |= UINT64_C(1) << i;
        }
    }
    return mask;
}

uint64_t fences_await(const struct worker *w)
{
    uint64_t mask = 0;

    for (const struct fence *f = w->fences; f != NULL; f = f->next) {
        mask |= f->awaits;
    }
    return mask;
}

bool fences_check(struct worker *w)
{
    struct fence **at = &w->fences;
    bool done = false;

    while (*at != NULL) {
        struct fence *f = *at;
        f->awaits = not_arrived(w, f);
        if (f->awaits != 0) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        control(w, THIEF(f->who), CONTROL_ACK, f->actor, f->who);
        free(f);
        done = true;
    }
    if (done) {
        sender_flush(&w->out);
    }
    return !done; /* nothing new: whoever asked may sleep, the links are watched */
}

void move_control(struct worker *w, unsigned type, handle actor, uint64_t who)
{
    struct move *m;

    if (type == CONTROL_FENCE) {
        if (VICTIM(who) == w->index) {
            let_go(w, actor, who);
        } else {
            control(w, VICTIM(who), CONTROL_ACK, actor, who);
        }
        return;
    }
    if (VICTIM(who) == w->index) {
        control(w, THIEF(who), CONTROL_ACK, actor, who);
        return;
    }
    m = move_find(w, actor);
    if (m != NULL && --m->acks == 0) {
        complete(w, m);
    }
}

/* The threads have ended: what was on its way is freed with the pool. */
void move_close(struct worker *w)
{
    while (w->moves != NULL) {
        struct move *m = w->moves;
        struct node *lists[2] = {m->forwarded, m->straight};
        w->moves = m->next;
        for (int i = 0; i < 2; i++) {
            while (lists[i] != NULL) {
                struct node *n = lists[i];
                lists[i] = n->next;
                node_free(w, n);
            }
        }
        free(m);
    }
    while (w->fences != NULL) {
        struct fence *f = w->fences;
        w->fences = f->next;
        free(f);
    }
}
