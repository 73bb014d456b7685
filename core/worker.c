/*
 * worker.c - what a worker does.
 *
 * One round: read the clock, take bags, let timers run out, run the actors that have mail (one turn
 * each), send the bags. A round that found nothing looks around for a moment, then sleeps until
 * mail comes or a timer is due.
 *
 * All mail for an actor comes in through the worker that is its home: from actors beside it as a
 * copy, from everywhere else as a record in a bag. So a mailbox is a plain list of its home's; what
 * many threads write to at once is the home's inbox, a Concurrency Kit ring (bus.c). A message for
 * another worker's actor is passed on to that worker; move.c says why order survives that.
 *
 * A record for an actor that has no mail and does not run is stepped where it lies in the bag: the
 * mailbox would only be a detour. IN_PLACE_MAX bounds how long the run queue waits for that.
 */
#include "core/log.h"
#include "core/pool_internal.h"
#include "core/record.h"

#include <string.h>
#include <time.h>

#define STEPS_A_CLOCK 16u  /* steps that share one reading of the clock */
#define ROUNDS_A_CLOCK 8u  /* rounds without mail from outside that share one */
#define OFFER_AFTER_US 500 /* a pass that took so long shares its actors with idle workers */

int64_t pool_now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t pool_wall_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * MS_PER_S + ts.tv_nsec / 1000000;
}

void clock_read(struct worker *w)
{
    w->now_us = pool_now_us();
    w->since_clock = 0;
    w->clock_rounds = 0;
    if (w->now_us - w->wall_read_us >= US_PER_MS) {
        w->wall_ms = pool_wall_ms();
        w->wall_read_us = w->now_us;
    }
}

/* --- mailboxes and the run queue ------------------------------------------------------------- */

void actor_append(struct actor *a, struct node *n)
{
    n->next = NULL;
    *a->mail_end = n;
    a->mail_end = &n->next;
    a->mail_count++;
}

void actor_schedule(struct worker *w, struct actor *a)
{
    a->scheduled = true;
    a->run_next = NULL;
    *w->run_end = a;
    w->run_end = &a->run_next;
    w->run_count++;
}

struct actor *actor_next(struct worker *w)
{
    struct actor *a = w->run_head;

    if (a != NULL) {
        w->run_head = a->run_next;
        if (w->run_head == NULL) {
            w->run_end = &w->run_head;
        }
        w->run_count--;
    }
    return a;
}

struct node *node_copy(struct worker *w, const struct message_desc *desc, handle from,
                       const void *msg)
{
    struct node *n = node_alloc(w, message_bytes(desc, msg));

    n->type = desc->type;
    n->from = from;
    n->has_msg = true;
    message_copy(desc, msg, node_block(n));
    return n;
}

/* The mailbox is full. Returns false when `n` gives way. */
static bool full_mailbox(struct worker *w, struct actor *a, const struct node *n)
{
    const struct message_desc *desc = message_find(w->out.pool->config.catalogue, n->type);
    const uint8_t policy = desc != NULL ? desc->policy : MESSAGE_MUST;

    if (policy == MESSAGE_DROP) {
        bump(&w->out.shed, 1);
        return false;
    }
    if (policy == MESSAGE_LATEST) {
        for (struct node *old = a->mail; old != NULL; old = old->next) {
            if (old->type == n->type && old->from == n->from && !old->is_void) {
                old->is_void = true; /* the newer one goes to the end: order is kept */
                bump(&w->out.shed, 1);
                return true;
            }
        }
        return true;
    }
    bump(&w->over_limit, 1);
    return true;
}

void mail_put(struct worker *w, struct actor *a, struct node *n)
{
    if (a->parked || (a->mail_count >= w->out.pool->config.mailbox_limit && !n->is_timer &&
                      !full_mailbox(w, a, n))) {
        if (a->parked) {
            dead_letter(&w->out, a->self, n->type);
        }
        node_free(w, n);
        return;
    }
    actor_append(a, n);
    if (!a->scheduled) {
        actor_schedule(w, a);
    }
}

void timer_due(void *worker, struct wheel_entry *entry)
{
    struct timer *t = (struct timer *)entry;

    t->state = TIMER_QUEUED;
    t->node = (struct node){.type = EV_TIMER, .is_timer = true};
    mail_put(worker, atomic_load_explicit(&t->actor, memory_order_relaxed), &t->node);
}

/* --- steps ----------------------------------------------------------------------------------- */

/* Returns false when the actor is gone. */
static bool step(struct worker *w, struct actor *a, const struct event *ev)
{
    w->running = a;
    w->ending = false;
    a->type->step(a->state, ev, &w->fx);
    bump(&w->steps, 1);
    if (++w->since_clock >= STEPS_A_CLOCK) {
        clock_read(w);
    }
    if (w->ending) {
        actor_end(w, a);
        return false;
    }
    return true;
}

static struct event event_for(const struct worker *w, const struct actor *a, uint16_t type,
                              handle from)
{
    return (struct event){.type = type,
                          .self = actor_shown_as(a),
                          .from = from,
                          .now_us = w->now_us,
                          .wall_ms = w->wall_ms};
}

static bool step_timer(struct worker *w, struct actor *a, struct timer *t)
{
    struct event ev = event_for(w, a, EV_TIMER, HANDLE_NONE);
    const bool cancelled = t->node.is_void;

    ev.timer_kind = t->kind;
    ev.timer_key = t->key;
    if (!cancelled) {
        timer_drop(w, t);
    }
    timer_free(w, t);
    return cancelled || step(w, a, &ev);
}

static bool step_node(struct worker *w, struct actor *a, struct node *n)
{
    struct event ev = event_for(w, a, n->type, n->from);
    bool alive = true;

    if (n->is_timer) {
        return step_timer(w, a, (struct timer *)(void *)((char *)n - offsetof(struct timer, node)));
    }
    if (!n->is_void) {
        ev.msg = n->has_msg ? node_block(n) : NULL;
        w->in_hand = n;
        alive = step(w, a, &ev);
        w->in_hand = NULL;
    }
    node_free(w, n);
    return alive;
}

/* One turn: what lay in the mailbox on entry, at most QUANTUM. */
static void run_actor(struct worker *w, struct actor *a)
{
    unsigned left = a->mail_count < QUANTUM ? a->mail_count : QUANTUM;

    for (; left != 0; left--) {
        struct node *n = a->mail;
        a->mail =
            n->next; // NOLINT(clang-analyzer-core.NullDereference): mail_count says it is there
        if (a->mail == NULL) {
            a->mail_end = &a->mail;
        }
        a->mail_count--;
        if (!step_node(w, a, n)) {
            return;
        }
    }
    if (a->mail != NULL) {
        actor_schedule(w, a);
    } else {
        a->scheduled = false;
    }
}

/* Has this worker run so far ahead of another that it should let it catch up? */
static bool is_mute(const struct worker *w)
{
    for (unsigned i = 0; i < w->out.n_dirty; i++) {
        const struct way *way = w->out.dirty[i];
        if (way >= w->out.to_worker && way < w->out.to_worker + POOL_MAX_WORKERS &&
            link_backlog(way->link) >= MUTE_BACKLOG) {
            return true;
        }
    }
    return false;
}

static bool run_pass(struct worker *w)
{
    const bool forced = w->out.pool->config.force_steal != NULL &&
                        w->out.pool->config.force_steal(w->out.pool->config.force_ctx, w->index);
    int64_t begin;

    offer_take_back(w);
    if (forced || (w->last_pass_us >= OFFER_AFTER_US &&
                   atomic_load_explicit(&w->out.pool->hungry, memory_order_relaxed) != 0)) {
        offer_surplus(w, forced);
    }
    if (forced) {
        (void)steal_one(w, true);
    }
    if (w->run_count == 0 || is_mute(w)) {
        w->last_pass_us = 0;
        return ring_size(w->offered) != 0;
    }
    begin = w->now_us;
    for (w->pass_left = (unsigned)w->run_count; w->pass_left != 0; w->pass_left--) {
        struct actor *a = actor_next(w);
        if (a == NULL) {
            break;
        }
        run_actor(w, a);
    }
    w->last_pass_us = w->now_us - begin;
    return true;
}

/* --- bags ------------------------------------------------------------------------------------ */

static void unreadable(struct worker *w, const char *why)
{
    bump(&w->out.dead_letters, 1);
    if (w->out.metrics != NULL) {
        metric_add(w->out.metrics, "bus_unreadable_total", NULL, 0, 1);
    }
    log_line(LOG_LEVEL_ERROR, "DLR-BUS-UNREADABLE", "%s", why);
}

static void record_at_home(struct worker *w, struct actor *a, handle from, unsigned type,
                           const uint8_t *map, size_t len)
{
    const struct message_desc *desc =
        message_find(w->out.pool->config.catalogue, (uint16_t)(type & RECORD_TYPE_MASK));
    struct move *m = w->moves != NULL ? move_find(w, a->self) : NULL;
    char why[160];

    if (desc == NULL) {
        unreadable(w, "a record of a type that is not in the list");
        return;
    }
    if (message_unpack(desc, map, len, w->scratch, why, sizeof why) != 0) {
        unreadable(w, why);
        return;
    }
    if (m != NULL) {
        move_hold(m, node_copy(w, desc, from, w->scratch), (type & RECORD_FORWARDED) != 0);
        return;
    }
    if (a->scheduled || a->parked || w->in_place >= IN_PLACE_MAX) {
        mail_put(w, a, node_copy(w, desc, from, w->scratch));
        return;
    }
    w->in_place++;
    a->scheduled = true; /* mail that it sends itself shall wait its turn */
    {
        struct event ev = event_for(w, a, desc->type, from);
        ev.msg = w->scratch;
        if (!step(w, a, &ev)) {
            return;
        }
    }
    a->scheduled = false;
    if (a->mail != NULL) {
        actor_schedule(w, a);
    }
}

void worker_record(struct worker *w, handle to, handle from, unsigned type, const uint8_t *map,
                   size_t len)
{
    struct pool *pool = w->out.pool;
    struct slot *slot = NULL;
    struct way *way;
    uint32_t home;

    if (handle_is_named(to)) { /* one endpoint to another */
        way = handle_kind(to) <= KIND_ENDPOINT_MAX ? &w->out.to_endpoint[handle_kind(to)] : NULL;
        if (way != NULL && way->link != NULL) {
            way_forward(&w->out, way, to, from, type, map, len);
        } else {
            dead_letter(&w->out, to, type);
        }
        return;
    }
    home = pool_home(pool, to, &slot);
    if (home == w->index) {
        record_at_home(w, slot->actor, from, type, map, len);
    } else if (home == NO_HOME) {
        dead_letter(&w->out, to, type);
    } else {
        if (link_origin(w->bag.link) < pool->n_workers) {
            type |= RECORD_FORWARDED; /* not what an endpoint sent: that is only relayed */
        }
        way_forward(&w->out, &w->out.to_worker[home], to, from, type, map, len);
        bump(&w->forwarded, 1);
    }
}

/* The rest of the bag being read. It is kept in the worker, not on the stack: a step that runs out
 * of memory comes back to the loop by longjmp, and the bag goes on with the next record. */
static void read_bag(struct worker *w)
{
    const uint8_t *end = w->bag.bytes + w->bag.len;

    while (w->bag_at < end) {
        struct record r;
        const uint8_t *next = record_get(w->bag_at, end, &r);
        if (next == NULL) {
            unreadable(w, "a bag holds bytes that are no record");
            break;
        }
        w->bag_at = next;
        if ((r.type & RECORD_VOID) != 0) {
            continue;
        }
        if (r.type == CONTROL_FENCE || r.type == CONTROL_ACK) {
            move_control(w, r.type, r.to, r.from);
        } else {
            worker_record(w, r.to, r.from, r.type, r.map, r.len);
        }
    }
    station_release(w->out.station, &w->bag);
    w->has_bag = false;
}

static bool take_mail(struct worker *w)
{
    unsigned bags = 0;

    w->in_place = is_mute(w) ? IN_PLACE_MAX : 0;
    if (w->has_bag) {
        read_bag(w);
        bags++;
    }
    while (bags < BAGS_A_ROUND && station_take(w->out.station, &w->bag)) {
        w->has_bag = true;
        w->bag_at = w->bag.bytes;
        read_bag(w);
        bags++;
    }
    return bags != 0;
}

/* A step asked for memory that is not there, or a check of it did not hold: it was left by longjmp.
 */
void worker_no_memory(struct worker *w)
{
    actor_park(w, w->running);
    if (w->in_hand != NULL) {
        node_free(w, w->in_hand);
        w->in_hand = NULL;
    }
}

/* --- a round --------------------------------------------------------------------------------- */

bool worker_round(struct worker *w)
{
    const bool fresh = ++w->clock_rounds >= ROUNDS_A_CLOCK || !station_empty(w->out.station);
    bool busy;

    if (fresh) {
        clock_read(w);
    }
    busy = take_mail(w);
    if (busy && !fresh) {
        clock_read(w); /* mail after the look: a process that was stopped there was so for long */
    }
    wheel_expire(&w->wheel, w->now_us, timer_due, w);
    busy = run_pass(w) || busy;
    sender_flush(&w->out);
    sender_retry(&w->out);
    if (w->fences != NULL) {
        (void)fences_check(w);
    }
    return busy;
}
