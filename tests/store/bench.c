/* bench.c - see bench.h. */
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/metric.h"
#include "tests/store/bench.h"
#include "tests/support/services.h"

/* --- a store that fails when told ------------------------------------------------------------- */

atomic_bool away;  /* nothing works */
atomic_bool hangs; /* connecting takes until bench_release() */
static sem_t released;
atomic_int lose_before; /* so many commits fail and do nothing */
atomic_int lose_after;  /* so many commits succeed, and nobody hears of it */
static const struct store_ops *real;
static struct store_ops faulty;

static int lost(struct store *s)
{
    snprintf(s->error, sizeof s->error, "told to fail");
    return STORE_AWAY;
}

void bench_release(void)
{
    atomic_store(&hangs, false);
    sem_post(&released);
}

static int faulty_connect(struct store *s, int64_t now)
{
    if (atomic_load(&hangs))
        sem_wait(&released);
    return atomic_load(&away) ? lost(s) : real->connect(s, now);
}

static int faulty_begin(struct store *s)
{
    return atomic_load(&away) ? lost(s) : real->begin(s);
}

static bool told(atomic_int *times)
{
    if (atomic_load(times) == 0)
        return false;
    atomic_fetch_sub(times, 1);
    return true;
}

static int faulty_commit(struct store *s)
{
    int rc;

    if (told(&lose_before)) {
        real->rollback(s);
        return lost(s);
    }
    rc = real->commit(s);
    return rc == STORE_OK && told(&lose_after) ? lost(s) : rc;
}

static int faulty_candidates(struct store *s, const struct msg_candidates *req, uint64_t *rows,
                             size_t *n, struct msg_candidates_end *out)
{
    if (!atomic_load(&away))
        return real->candidates(s, req, rows, n, out);
    *n = 0;
    return lost(s);
}

static struct store *faulty_make(const struct store_options *o)
{
    struct store *s = store_sqlite.make(o);

    /* Once: the table serves every store of the test, and another one's thread may be reading it.
     */
    if (!real) {
        real = s->ops;
        faulty = *real;
        faulty.connect = faulty_connect;
        faulty.begin = faulty_begin;
        faulty.commit = faulty_commit;
        faulty.candidates = faulty_candidates;
    }
    s->ops = &faulty;
    return s;
}

static const struct store_driver store_faulty = {"faulty", faulty_make};

/* --- the other side of the bus ---------------------------------------------------------------- */

/* Stands for the desk: whatever the store tells it comes to us. */
static void relay(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    if (ev->type >= EV_CONTRACT)
        fx_send(fx, ADDR_CTL, ev->type, ev->msg);
}

static const struct actor_type desk_type = {
    .name = "relay", .kind = KIND_DESK, .state_size = 8, .step = relay};

void bench_wake(void *ctx)
{
    uint64_t one = 1;
    ssize_t n = write(*(int *)ctx, &one, sizeof one);

    (void)n;
}

static void on_ready(void *ctx, uint16_t node)
{
    struct bench *b = ctx;

    (void)node;
    atomic_fetch_add(&b->ready, 1);
    bench_wake(&b->wake_fd);
}

static void on_held(void *ctx, const char *sentence)
{
    struct bench *b = ctx;

    assert_non_null(strstr(sentence, "held by"));
    atomic_fetch_add(&b->held, 1);
    bench_wake(&b->wake_fd);
}

void bench_take(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct bench *b = ctx;

    (void)to;
    (void)from;
    if (type == MSG_claimed) {
        b->last_claimed = *(const struct msg_claimed *)msg;
        snprintf(b->last_number, sizeof b->last_number, "%.*s", (int)b->last_claimed.number.len,
                 b->last_claimed.number.len ? b->last_claimed.number.ptr : "");
        if (b->last_claimed.reason == REASON_allow)
            assert_int_equal(b->last_claimed.permit, secret_permit(&b->key, b->last_claimed.attempt,
                                                                   b->last_claimed.number));
        else
            assert_int_equal(b->last_claimed.permit, 0);
        b->claimed++;
    } else if (type == MSG_leg_claimed) {
        b->last_leg = *(const struct msg_leg_claimed *)msg;
        b->legs++;
    } else if (type == MSG_disposed) {
        b->last_disposed = *(const struct msg_disposed *)msg;
        b->disposed++;
    } else if (type == MSG_lead_settled) {
        b->last_settled = *(const struct msg_lead_settled *)msg;
        b->settled++;
    } else if (type == MSG_loaded) {
        b->last_loaded = *(const struct msg_loaded *)msg;
        b->loaded++;
    } else if (type == MSG_candidate) {
        if (b->candidates < 64)
            b->rows[b->candidates] = ((const struct msg_candidate *)msg)->row;
        b->candidates++;
    } else if (type == MSG_candidates_end) {
        b->ends++;
    } else if (type == MSG_store_state) {
        if (((const struct msg_store_state *)msg)->up)
            b->ups++;
        else
            b->downs++;
    } else if (type == MSG_login_known) {
        b->last_login = *(const struct msg_login_known *)msg;
        b->logins++;
    }
    if (type == MSG_journal_state) {
        b->last_state = *(const struct msg_journal_state *)msg;
        snprintf(b->last_why, sizeof b->last_why, "%.*s", (int)b->last_state.text.len,
                 b->last_state.text.ptr);
        b->states++;
        b->fails += !b->last_state.ok;
    } else if (type == MSG_suppressed) {
        struct text t = ((const struct msg_suppressed *)msg)->number;
        snprintf(b->last_suppressed, sizeof b->last_suppressed, "%.*s", (int)t.len, t.ptr);
    } else if (type == MSG_open_attempt) {
        b->opens++;
        b->unsent += ((const struct msg_open_attempt *)msg)->unsent;
    }
    b->campaigns += type == MSG_campaign_config;
    b->agents += type == MSG_agent_config;
    b->suppressed += type == MSG_suppressed;
}

void run_until(struct bench *b, const unsigned *count, unsigned n)
{
    int64_t until = pool_now_us() + 40 * US_PER_S; /* what comes of itself may take ten */
    uint64_t drained;

    while (*count < n) {
        struct pollfd fd = {.fd = b->wake_fd, .events = POLLIN};
        if (pool_now_us() > until)
            fail_msg("waited for %u, have %u", n, *count);
        endpoint_flush(b->endpoint);
        if (endpoint_receive(b->endpoint, bench_take, b, 256) > 0)
            continue;
        if (poll(&fd, 1, 1000) > 0 && read(b->wake_fd, &drained, sizeof drained) < 0)
            continue;
    }
}

void wait_flag(struct bench *b, atomic_int *flag)
{
    uint64_t drained;

    while (atomic_load(flag) == 0) {
        struct pollfd fd = {.fd = b->wake_fd, .events = POLLIN};
        assert_true(poll(&fd, 1, 10000) > 0);
        if (read(b->wake_fd, &drained, sizeof drained) < 0)
            continue;
    }
}

struct service *open_service(struct bench *b, struct pool *pool, const char *owner)
{
    struct service_options o = {.pool = pool,
                                .catalogue = &dialer_catalogue,
                                .driver = &store_faulty,
                                .store = {.where = b->path, .owner = owner, .own = true},
                                .key = &b->key,
                                .metrics = b->metrics,
                                .on_ready = on_ready,
                                .on_held = on_held,
                                .ctx = b};
    struct service *s;
    char why[200] = "";

    if (b->kept) {
        o.journal = b->journal;
        o.journal_size = 64 << 20;
        o.sent = b->sent;
    }
    s = service_open(&o, why, sizeof why);
    if (!s)
        fail_msg("%s", why);
    return s;
}

struct pool *open_pool(struct metrics *metrics)
{
    struct pool_config c = {
        .workers = 2, .seed = 1, .catalogue = &dialer_catalogue, .metrics = metrics, .spin_us = -1};
    char why[200] = "";
    struct pool *p = pool_open(&c, why, sizeof why);

    if (!p)
        fail_msg("%s", why);
    return p;
}

void bench_start(struct bench *b)
{
    b->metrics = metrics_open();
    b->pool = open_pool(b->metrics);
    b->endpoint = endpoint_open(b->pool, KIND_CTL, bench_wake, &b->wake_fd);
    pool_spawn(b->pool, 0, &desk_type, 1, 0, NULL);
    atomic_store(&b->ready, 0);
    b->service = open_service(b, b->pool, "service-1");
    assert_int_equal(pool_start(b->pool), 0);
    assert_int_equal(service_start(b->service), 0);
}

void bench_end(struct bench *b)
{
    service_stop(b->service);
    pool_stop(b->pool);
    service_close(b->service);
    endpoint_close(b->endpoint);
    pool_close(b->pool);
    metrics_close(b->metrics);
}

void bench_restart(struct bench *b)
{
    bench_end(b);
    bench_start(b);
}

struct store *bench_tool(const struct bench *b)
{
    struct store_options options = {.where = b->path, .owner = "tool"};
    struct store *tool = store_sqlite.make(&options);

    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    return tool;
}

static int setup_as(void **state, bool kept)
{
    struct bench *b = calloc(1, sizeof *b);
    struct store_options o = {.owner = "maker", .own = true};
    struct store *s;

    sem_init(&released, 0, 0);
    atomic_store(&away, false);
    atomic_store(&lose_before, 0);
    atomic_store(&lose_after, 0);
    snprintf(b->folder, sizeof b->folder, "/tmp/dialer-service-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->path, sizeof b->path, "%s/dialer.db", b->folder);
    o.where = b->path;
    s = store_sqlite.make(&o);
    store_good(s, s->ops->connect(s, WORLD_NOW));
    world_make(&b->world, s);
    world_leads(&b->world, 40);
    s->ops->close(s);

    secret_key_new(&b->key);
    b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (kept) {
        char why[200], sent[96];
        snprintf(sent, sizeof sent, "%s/sent", b->folder);
        snprintf(b->journal, sizeof b->journal, "%s/outcomes", b->folder);
        b->sent = sent_open(sent, why, sizeof why);
        assert_non_null(b->sent);
        b->kept = true;
    }
    bench_start(b);
    wait_flag(b, &b->ready);
    run_until(b, &b->ups, 1);
    b->world.epoch = 2; /* the maker had the first */
    *state = b;
    return 0;
}

int bench_setup(void **state)
{
    return setup_as(state, false);
}

int bench_setup_kept(void **state)
{
    return setup_as(state, true);
}

int bench_teardown(void **state)
{
    struct bench *b = *state;

    atomic_store(&away, false);
    if (b->service)
        bench_end(b);
    sent_close(b->sent);
    close(b->wake_fd);
    support_remove(b->folder);
    free(b);
    return 0;
}

void bench_send(struct bench *b, uint16_t type, const void *msg)
{
    assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, type, msg), 0);
    endpoint_flush(b->endpoint);
}

void ask_rows(struct bench *b, uint32_t n)
{
    struct msg_candidates m = {
        .campaign = b->world.campaign, .limit = n, .at_wall_ms = pool_wall_ms()};
    unsigned ends = b->ends;

    b->candidates = 0;
    bench_send(b, MSG_candidates, &m);
    run_until(b, &b->ends, ends + 1);
}

struct msg_claim claim_of(struct bench *b, size_t i)
{
    return world_claim(&b->world, b->rows[i], pool_wall_ms());
}

struct msg_attempt_over over_of(const struct msg_claim *c)
{
    return (struct msg_attempt_over){.campaign = c->campaign,
                                     .attempt = c->attempt,
                                     .row = c->row,
                                     .outcome = OUTCOME_BUSY,
                                     .counts = true,
                                     .due_wall_ms = pool_wall_ms() + 300000,
                                     .at_wall_ms = pool_wall_ms()};
}

/* Records are kept in order and only this one is answered, with a no: when the answer is there, all
 * before it is committed. */
void send_marker(struct bench *b, const struct msg_claim *c)
{
    struct msg_dispose m = {
        .attempt = c->attempt, .agent = 99, .code = text_of("sale"), .at_wall_ms = pool_wall_ms()};

    bench_send(b, MSG_dispose, &m);
}

/* One attempt of the lead, ended busy. */
void expect_over_once(struct bench *b, uint64_t lead)
{
    struct store_options options = {.where = b->path, .owner = "tool"};
    struct store *tool = store_sqlite.make(&options);
    struct store_lead_state state;

    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    store_good(tool, tool->ops->lead_read(tool, lead, &state));
    assert_int_equal(state.attempts, 1);
    assert_int_equal(state.row_status, ROW_FAILED);
    tool->ops->close(tool);
}
