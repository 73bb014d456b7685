/*
 * world_commit.c - how what the actors tell the store becomes durable: a transaction at a time,
 * with what has arrived until its commit. Away, records and legs go to the journal, which outlives
 * the daemon, and are promised from there; claims are refused, questions wait.
 *
 * When the daemon dies, what was not acknowledged is lost or done, as it happens: nothing of it,
 * all of it, or what came first; and by chance a little later (a transaction that was on its way to
 * its commit when its client died). The store's lock goes with the session of that transaction, so
 * the next daemon has the store only after it; but for claims, which come even then: those the
 * lease has to refuse by itself.
 */
#include "adapters/store/rules.h"
#include "tests/sim/world_int.h"

#define LATE_MOST_US (4 * US_PER_S)

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

/* What was promised while the store was away: one disposition for each attempt. */
static struct text promised(const struct world *w, struct text attempt)
{
    for (uint32_t i = w->journal.n; i > 0; i--) {
        const struct msg_dispose *d = w->journal.item[i - 1].block;

        if (w->journal.item[i - 1].type == MSG_dispose && text_same(d->attempt, attempt)) {
            return d->code;
        }
    }
    return (struct text){NULL, 0};
}

static void promise_dispose(struct world *w, const struct msg_dispose *m)
{
    const struct store_disposition *d = store_disposition(m->code);
    struct away_dispose a = away_dispose_decide(m, d, promised(w, m->attempt));
    struct msg_disposed out = {.attempt = m->attempt,
                               .code = m->code,
                               .request = m->request,
                               .client = m->client,
                               .result = a.result,
                               .text = text_of(a.text),
                               .suppressed = a.suppressed,
                               .suppressed_own = text_of("")};

    if (a.result == RESULT_OK && !a.repeated) {
        pile_keep(&w->journal, MSG_dispose, m);
    }
    store_answer(w, named(KIND_AGENT, m->agent), MSG_disposed, &out);
    if (a.suppressed.len > 0) {
        struct msg_suppressed s = {.account = 1, .number = a.suppressed};

        store_answer(w, ADDR_DESK, MSG_suppressed, &s);
    }
}

/* One message, while the store is away. */
static void put_by(struct world *w, uint16_t type, const void *msg)
{
    struct msg_candidates_end none = {.result = RESULT_AWAY};

    if (w->journal_fails && type != MSG_claim && away_keeps(type)) {
        pile_keep(&w->unkept, type, msg); /* in memory, and nobody is promised anything */
        return;
    }
    if (type == MSG_claim || type == MSG_leg_claim || type == MSG_settle_lead) {
        store_take(w, type, msg); /* a leg is as good in the journal as in the store */
    } else if (type == MSG_dispose) {
        promise_dispose(w, msg);
    } else if (away_keeps(type)) {
        pile_keep(&w->journal, type, msg);
        if (type == MSG_suppress) {
            const struct msg_suppress *m = msg;
            struct msg_suppressed s = {.account = m->account, .number = m->number};

            store_answer(w, ADDR_DESK, MSG_suppressed, &s);
        }
    } else if (type == MSG_load) {
        pile_keep(&w->asks, type, msg);
    } else if (type == MSG_candidates) {
        none.campaign = ((const struct msg_candidates *)msg)->campaign;
        store_answer(w, named(KIND_CAMPAIGN, none.campaign), MSG_candidates_end, &none);
    }
}

static void carry_out(struct world *w, uint16_t type, const void *msg)
{
    if (w->store_up) {
        store_take(w, type, msg);
    } else {
        put_by(w, type, msg);
    }
}

/* The journal's disk takes it again, or the store is back. */
void store_release(struct world *w)
{
    struct pile held = w->unkept;

    w->unkept = (struct pile){0};
    for (uint32_t i = 0; i < held.n; i++) {
        carry_out(w, held.item[i].type, held.item[i].block);
    }
    pile_clear(&held, 0);
    free(held.item);
}

/* The store is back, or a daemon has found it: what was kept comes first. Those who wait for an
 * answer have had theirs. */
void store_replay(struct world *w)
{
    bool listens = !w->nobody_listens;

    if (w->journal.n > 0 && world_dies(w, CRASH_replay_before)) {
        return;
    }
    w->nobody_listens = true;
    for (uint32_t i = 0; i < w->journal.n && !MUTANT(journal_not_replayed); i++) {
        store_take(w, w->journal.item[i].type, w->journal.item[i].block);
    }
    w->nobody_listens = !listens;
    if (w->journal.n > 0 && world_dies(w, CRASH_replay_after)) {
        return; /* the next daemon brings it in once more */
    }
    pile_clear(&w->journal, 0);
}

static bool has(const struct pile *p, bool (*what)(uint16_t type))
{
    for (uint32_t i = 0; i < p->n; i++) {
        if (what(p->item[i].type)) {
            return true;
        }
    }
    return false;
}

static bool is_claim(uint16_t type)
{
    return type == MSG_claim;
}

static bool is_dispose(uint16_t type)
{
    return type == MSG_dispose;
}

/* The places of core/crash.h on both sides of a commit. */
static bool dies_before(struct world *w)
{
    bool dies =
        (w->store_up && has(&w->inbox, is_claim) && world_dies(w, CRASH_claim_before)) ||
        (w->store_up && has(&w->inbox, is_dispose) && world_dies(w, CRASH_dispose_before)) ||
        (!w->store_up && has(&w->inbox, away_keeps) && world_dies(w, CRASH_journal_before));

    if (dies) {
        pile_clear(&w->inbox, 0); /* nothing of it was done */
    }
    return dies;
}

static void dies_after(struct world *w)
{
    if (w->store_up && has(&w->inbox, is_claim)) {
        (void)world_dies(w, CRASH_claim_after);
    }
    if (w->store_up && has(&w->inbox, is_dispose)) {
        (void)world_dies(w, CRASH_dispose_after);
    }
    if (!w->store_up && has(&w->inbox, away_keeps)) {
        (void)world_dies(w, CRASH_journal_after);
    }
}

/* The transaction that was begun by daemon number `arg`. */
static void commits(void *ctx, uint64_t arg)
{
    struct world *w = ctx;

    if (arg != w->starts || !w->alive) {
        return; /* it died meanwhile: store_daemon_died() */
    }
    if (dies_before(w)) {
        return;
    }
    w->committing = false;
    for (uint32_t i = 0; i < w->inbox.n; i++) {
        w->nobody_listens = MUTANT(lost_disposition) && w->inbox.item[i].type == MSG_dispose;
        carry_out(w, w->inbox.item[i].type, w->inbox.item[i].block);
    }
    w->nobody_listens = false;
    dies_after(w);
    pile_clear(&w->inbox, 0);
}

void store_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;

    (void)to;
    (void)from;
    if (w->dying) {
        return;
    }
    if (MUTANT(lost_disposition) && type == MSG_dispose) {
        const struct msg_dispose *d = msg;
        struct msg_disposed early = {.attempt = d->attempt,
                                     .code = d->code,
                                     .request = d->request,
                                     .client = d->client,
                                     .text = text_of(""),
                                     .suppressed = text_of("")};

        store_answer(w, named(KIND_AGENT, d->agent), MSG_disposed, &early);
    }
    pile_keep(&w->inbox, type, msg);
    if (!w->committing) {
        w->committing = true;
        sim_at(w->sim, w->store_us / 2, commits, w, w->starts);
    }
}

/* Of the dead daemon's transaction, all or what is no claim. */
static void commit_late(struct world *w, bool claims)
{
    struct pile late = w->late;

    w->late = (struct pile){0};
    w->nobody_listens = true;
    for (uint32_t i = 0; i < late.n && w->store_up; i++) {
        if (late.item[i].type == MSG_claim && !claims) {
            pile_keep(&w->late, MSG_claim, late.item[i].block);
        } else {
            store_take(w, late.item[i].type, late.item[i].block);
        }
    }
    w->nobody_listens = false;
    pile_clear(&late, 0);
    free(late.item);
}

static void commits_late(void *ctx, uint64_t arg)
{
    (void)arg;
    commit_late(ctx, true);
}

void store_taken_from_the_dead(struct world *w)
{
    commit_late(w, false);
}

/* A question changes nothing: only what is written can outlive who wrote it. */
static bool is_written(uint16_t type)
{
    return away_keeps(type) || type == MSG_claim || type == MSG_settle_lead;
}

void store_daemon_died(struct world *w)
{
    double fate = world_unit(w, 6);
    uint32_t done = fate < 0.35  ? 0
                    : fate < 0.7 ? w->inbox.n
                                 : (uint32_t)(world_unit(w, 6) * (double)(w->inbox.n + 1u));

    w->committing = false;
    store_roll_back(w);
    for (uint32_t i = 0; i < done; i++) {
        const struct kept *k = &w->inbox.item[i];

        if (is_written(k->type) && w->store_up) {
            pile_keep(&w->late, k->type, k->block);
        } else if (away_keeps(k->type)) {
            put_by(w, k->type, k->block); /* its fsync was on the way */
        }
    }
    pile_clear(&w->inbox, 0);
    pile_clear(&w->asks, 0);
    pile_clear(&w->unkept, 0); /* it was in the daemon's memory */
    if (world_unit(w, 6) < 0.7) {
        commit_late(w, true);
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
    if (up) {
        store_replay(w);
        store_release(w);
    }
    for (uint32_t i = 0; up && i < w->asks.n; i++) {
        store_take(w, w->asks.item[i].type, w->asks.item[i].block);
    }
    pile_clear(&w->asks, up ? 0 : w->asks.n);
    store_answer(w, ADDR_DESK, MSG_store_state, &m);
    if (up) {
        daemon_store_is_there(w);
    }
}

void commit_free(struct world *w)
{
    pile_clear(&w->inbox, 0);
    pile_clear(&w->asks, 0);
    pile_clear(&w->journal, 0);
    pile_clear(&w->late, 0);
    free(w->inbox.item);
    pile_clear(&w->unkept, 0);
    free(w->unkept.item);
    free(w->asks.item);
    free(w->journal.item);
    free(w->late.item);
}
