/*
 * The store's service on the bus: permits, loads, outages. The store is SQLite behind a driver
 * that can be told to fail.
 *
 * Reason for length: the failing store, the other side of the bus and the cases belong together.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/store/service.h"
#include "core/metric.h"
#include "core/pool.h"
#include "tests/store/conformance.h"
#include "tests/support/services.h"

/* --- a store that fails when told ------------------------------------------------------------- */

static atomic_bool away;       /* nothing works */
static atomic_int lose_before; /* so many commits fail and do nothing */
static atomic_int lose_after;  /* so many commits succeed, and nobody hears of it */
static const struct store_ops *real;
static struct store_ops faulty;

static int lost(struct store *s)
{
    snprintf(s->error, sizeof s->error, "told to fail");
    return STORE_AWAY;
}

static int faulty_connect(struct store *s, int64_t now)
{
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

    real = s->ops;
    faulty = *real;
    faulty.connect = faulty_connect;
    faulty.begin = faulty_begin;
    faulty.commit = faulty_commit;
    faulty.candidates = faulty_candidates;
    s->ops = &faulty;
    return s;
}

static const struct store_driver store_faulty = {"faulty", faulty_make};

/* --- the other side of the bus ---------------------------------------------------------------- */

struct bench {
    char folder[64], path[96];
    struct pool *pool;
    struct metrics *metrics;
    struct service *service;
    struct endpoint *endpoint; /* we are the operator's door */
    struct secret_key key;
    struct world world;
    int wake_fd;
    atomic_int ready, held;
    /* what arrived */
    unsigned claimed, disposed, legs, loaded, campaigns, agents, candidates, ends;
    unsigned ups, downs, suppressed, logins;
    struct msg_claimed last_claimed;
    char last_number[20];
    struct msg_leg_claimed last_leg;
    struct msg_disposed last_disposed;
    struct msg_loaded last_loaded;
    struct msg_login_known last_login;
    uint64_t rows[64];
};

/* Stands for the desk: whatever the store tells it comes to us. */
static void relay(void *self, const struct event *ev, struct effects *fx)
{
    (void)self;
    if (ev->type >= EV_CONTRACT)
        fx_send(fx, ADDR_CTL, ev->type, ev->msg);
}

static const struct actor_type desk_type = {"relay", KIND_DESK, 8, relay, NULL};

static void wake(void *ctx)
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
    wake(&b->wake_fd);
}

static void on_held(void *ctx, const char *sentence)
{
    struct bench *b = ctx;

    assert_non_null(strstr(sentence, "held by"));
    atomic_fetch_add(&b->held, 1);
    wake(&b->wake_fd);
}

static void take(void *ctx, handle to, handle from, uint16_t type, const void *msg)
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
    b->campaigns += type == MSG_campaign_config;
    b->agents += type == MSG_agent_config;
    b->suppressed += type == MSG_suppressed;
}

static void run_until(struct bench *b, const unsigned *count, unsigned n)
{
    int64_t until = pool_now_us() + 10 * US_PER_S;
    uint64_t drained;

    while (*count < n) {
        struct pollfd fd = {.fd = b->wake_fd, .events = POLLIN};
        if (pool_now_us() > until)
            fail_msg("waited for %u, have %u", n, *count);
        endpoint_flush(b->endpoint);
        if (endpoint_receive(b->endpoint, take, b, 256) > 0)
            continue;
        if (poll(&fd, 1, 1000) > 0 && read(b->wake_fd, &drained, sizeof drained) < 0)
            continue;
    }
}

static void wait_flag(struct bench *b, atomic_int *flag)
{
    uint64_t drained;

    while (atomic_load(flag) == 0) {
        struct pollfd fd = {.fd = b->wake_fd, .events = POLLIN};
        assert_true(poll(&fd, 1, 10000) > 0);
        if (read(b->wake_fd, &drained, sizeof drained) < 0)
            continue;
    }
}

static struct service *open_service(struct bench *b, struct pool *pool, const char *owner)
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

    s = service_open(&o, why, sizeof why);
    if (!s)
        fail_msg("%s", why);
    return s;
}

static struct pool *open_pool(struct metrics *metrics)
{
    struct pool_config c = {
        .workers = 2, .seed = 1, .catalogue = &dialer_catalogue, .metrics = metrics, .spin_us = -1};
    char why[200] = "";
    struct pool *p = pool_open(&c, why, sizeof why);

    if (!p)
        fail_msg("%s", why);
    return p;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct store_options o = {.owner = "maker", .own = true};
    struct store *s;

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
    b->metrics = metrics_open();
    b->pool = open_pool(b->metrics);
    b->endpoint = endpoint_open(b->pool, KIND_CTL, wake, &b->wake_fd);
    pool_spawn(b->pool, 0, &desk_type, 1, 0, NULL);
    b->service = open_service(b, b->pool, "service-1");
    assert_int_equal(pool_start(b->pool), 0);
    assert_int_equal(service_start(b->service), 0);
    wait_flag(b, &b->ready);
    run_until(b, &b->ups, 1);
    b->world.epoch = 2; /* the maker had the first */
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    atomic_store(&away, false);
    service_stop(b->service);
    pool_stop(b->pool);
    service_close(b->service);
    endpoint_close(b->endpoint);
    pool_close(b->pool);
    metrics_close(b->metrics);
    close(b->wake_fd);
    support_remove(b->folder);
    free(b);
    return 0;
}

static void send(struct bench *b, uint16_t type, const void *msg)
{
    assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, type, msg), 0);
    endpoint_flush(b->endpoint);
}

static void ask_rows(struct bench *b, uint32_t n)
{
    struct msg_candidates m = {
        .campaign = b->world.campaign, .limit = n, .at_wall_ms = pool_wall_ms()};
    unsigned ends = b->ends;

    b->candidates = 0;
    send(b, MSG_candidates, &m);
    run_until(b, &b->ends, ends + 1);
}

static struct msg_claim claim_of(struct bench *b, size_t i)
{
    return world_claim(&b->world, b->rows[i], pool_wall_ms());
}

static struct msg_attempt_over over_of(const struct msg_claim *c)
{
    return (struct msg_attempt_over){.campaign = c->campaign,
                                     .attempt = c->attempt,
                                     .row = c->row,
                                     .outcome = OUTCOME_BUSY,
                                     .counts = true,
                                     .row_status = ROW_FAILED,
                                     .due_wall_ms = pool_wall_ms() + 300000,
                                     .at_wall_ms = pool_wall_ms()};
}

/* Records are kept in order and only this one is answered, with a no: when the answer is there, all
 * before it is committed. */
static void send_marker(struct bench *b, const struct msg_claim *c)
{
    struct msg_dispose m = {
        .attempt = c->attempt, .agent = 99, .code = text_of("sale"), .at_wall_ms = pool_wall_ms()};

    send(b, MSG_dispose, &m);
}

/* One attempt of the lead, ended busy. */
static void expect_over_once(struct bench *b, uint64_t lead)
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

static void claims_get_permits(void **state)
{
    struct bench *b = *state;
    struct msg_claim c;
    unsigned i;

    ask_rows(b, 20);
    assert_int_equal(b->candidates, 20);
    for (i = 0; i < 20; i++) {
        c = claim_of(b, i);
        assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, MSG_claim, &c), 0);
    }
    run_until(b, &b->claimed, 20);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    assert_int_equal(metric_value(b->metrics, "store_claims_total", "allow", 0), 20);
    send(b, MSG_claim, &c); /* the same once more: the same answer */
    run_until(b, &b->claimed, 21);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
}

static void loads_on_demand(void **state)
{
    struct bench *b = *state;
    struct msg_load all = {0}, none = {.kind = KIND_TRUNK, .id = 99};

    send(b, MSG_load, &all);
    run_until(b, &b->loaded, 1);
    assert_int_equal(b->campaigns, 1);
    assert_int_equal(b->agents, 1);
    assert_int_equal(b->last_loaded.result, RESULT_OK);
    send(b, MSG_load, &none);
    run_until(b, &b->loaded, 2);
    assert_int_equal(b->last_loaded.result, RESULT_NOT_FOUND);
}

static void new_campaign_gets_a_lease(void **state)
{
    struct bench *b = *state;
    struct store_options o = {.where = b->path, .owner = "tool"};
    struct store *tool = store_sqlite.make(&o);
    struct msg_campaign_config c;
    struct msg_load m = {.kind = KIND_CAMPAIGN};
    struct store_list l = {.name = {"x", 1}, .priority = 1, .active = true};
    struct world second = b->world;

    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    second.s = tool;
    store_campaign_defaults(&c);
    c.name = text_of("second");
    store_good(tool, tool->ops->campaign_add(tool, &second.by, &c, &second.campaign));
    l.campaign = second.campaign;
    store_good(tool, tool->ops->list_add(tool, &second.by, &l, &second.list));
    world_leads(&second, 50);
    m.id = second.campaign;
    send(b, MSG_load, &m);
    run_until(b, &b->loaded, 1);
    b->world.campaign = second.campaign;
    b->world.epoch = 1;
    ask_rows(b, 50);
    assert_int_equal(b->candidates, 50);
    {
        struct msg_claim claim = claim_of(b, 45);
        send(b, MSG_claim, &claim);
    }
    run_until(b, &b->claimed, 1);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    tool->ops->close(tool);
}

static void legs_get_permits(void **state)
{
    struct bench *b = *state;
    struct msg_leg_claim m = {.leg = text_of("leg-0001-00000001-00000001-00000001"),
                              .agent = b->world.agent,
                              .use = LEG_AGENT,
                              .pbx = 1,
                              .endpoint = text_of("PJSIP/anna"),
                              .at_wall_ms = pool_wall_ms()};

    send(b, MSG_leg_claim, &m);
    run_until(b, &b->legs, 1);
    assert_int_equal(b->last_leg.result, RESULT_OK);
    assert_int_equal(b->last_leg.permit, secret_permit(&b->key, m.leg, m.endpoint));
    assert_true(b->last_leg.permit != secret_permit(&b->key, m.leg, text_of("PJSIP/eve")));
}

static void users_are_known(void **state)
{
    struct bench *b = *state;
    struct msg_login_ask m = {.request = 5, .login = text_of("anna")};

    send(b, MSG_login_ask, &m);
    run_until(b, &b->logins, 1);
    assert_int_equal(b->last_login.result, RESULT_OK);
    assert_int_equal(b->last_login.agent, b->world.agent);
    assert_int_equal(b->last_login.role, ROLE_AGENT);
    m.login = text_of("eve");
    send(b, MSG_login_ask, &m);
    run_until(b, &b->logins, 2);
    assert_int_equal(b->last_login.result, RESULT_NOT_FOUND);
}

static void suppression_is_told(void **state)
{
    struct bench *b = *state;
    struct msg_suppress m = {.account = STORE_ACCOUNT,
                             .number = text_of("+12125550123"),
                             .source = text_of("test"),
                             .at_wall_ms = pool_wall_ms()};

    send(b, MSG_suppress, &m);
    run_until(b, &b->suppressed, 1);
    /* one that cannot be taken does not stop the others */
    m.number = text_of("not a number");
    assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, MSG_suppress, &m), 0);
    m.number = text_of("+12125550124");
    send(b, MSG_suppress, &m);
    run_until(b, &b->suppressed, 2);
    assert_int_equal(metric_sum(b->metrics, "store_refused_total"), 1);
}

/* The connection breaks before a commit: nothing was done, it is done again. */
static void lost_before_the_commit(void **state)
{
    struct bench *b = *state;
    struct msg_claim c;

    ask_rows(b, 1);
    c = claim_of(b, 0);
    atomic_store(&lose_before, 2);
    send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    assert_int_equal(b->claimed, 1);
    assert_true(b->downs >= 1);
}

/* And after it: it was done, and must not be done twice. */
static void lost_after_the_commit(void **state)
{
    struct bench *b = *state;
    struct msg_attempt_over o;
    struct msg_claim c;
    uint64_t lead;

    ask_rows(b, 1);
    c = claim_of(b, 0);
    atomic_store(&lose_after, 1);
    send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    assert_int_equal(b->last_claimed.attempt_no, 1);
    lead = b->last_claimed.lead;
    atomic_store(&lose_after, 1);
    o = over_of(&c);
    send(b, MSG_attempt_over, &o);
    send_marker(b, &c);
    run_until(b, &b->disposed, 1);
    run_until(b, &b->ups, 3);
    expect_over_once(b, lead);
}

/* Records are kept through an outage, in order; claims are refused at once. */
static void outage(void **state)
{
    struct bench *b = *state;
    struct msg_attempt_over o;
    struct msg_claim c, second;
    struct msg_attempt_moved m;
    uint64_t lead;

    ask_rows(b, 2);
    c = claim_of(b, 0);
    send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    lead = b->last_claimed.lead;
    atomic_store(&away, true);
    m = (struct msg_attempt_moved){.campaign = c.campaign,
                                   .attempt = c.attempt,
                                   .row = c.row,
                                   .state = ATTEMPT_ORIGINATING,
                                   .at_wall_ms = pool_wall_ms()};
    send(b, MSG_attempt_moved, &m);
    run_until(b, &b->downs, 1);
    o = over_of(&c);
    send(b, MSG_attempt_over, &o);
    send_marker(b, &c);
    second = claim_of(b, 1);
    send(b, MSG_claim, &second);
    run_until(b, &b->claimed, 2);
    assert_int_equal(b->last_claimed.reason, REASON_store_away);
    ask_rows(b, 2);
    assert_int_equal(b->candidates, 0);
    assert_int_equal(b->disposed, 0);
    atomic_store(&away, false);
    run_until(b, &b->disposed, 1);
    expect_over_once(b, lead);
    ask_rows(b, 2);
    second = claim_of(b, 0);
    send(b, MSG_claim, &second);
    run_until(b, &b->claimed, 3);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
}

static void second_daemon_is_held_off(void **state)
{
    struct bench *b = *state;
    struct metrics *metrics = metrics_open();
    struct pool *pool = open_pool(metrics);
    struct service *s = open_service(b, pool, "service-2");

    assert_int_equal(pool_start(pool), 0);
    assert_int_equal(service_start(s), 0);
    wait_flag(b, &b->held);
    assert_int_equal(atomic_load(&b->ready), 1);
    service_stop(s);
    pool_stop(pool);
    service_close(s);
    pool_close(pool);
    metrics_close(metrics);
}

/* What was told before the stop is in the store after it. */
static void stop_writes_what_was_told(void **state)
{
    struct bench *b = *state;
    struct store_options options = {.where = b->path, .owner = "tool"};
    struct store *tool = store_sqlite.make(&options);
    struct store_lead_state lead;
    struct msg_attempt_over o;
    struct msg_claim c;

    ask_rows(b, 1);
    c = claim_of(b, 0);
    send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    o = over_of(&c);
    send(b, MSG_attempt_over, &o);
    /* it has been told; nothing says that it was written */
    service_stop(b->service);
    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    store_good(tool, tool->ops->lead_read(tool, b->last_claimed.lead, &lead));
    assert_int_equal(lead.row_status, ROW_FAILED);
    tool->ops->close(tool);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(claims_get_permits),
        CASE(loads_on_demand),
        CASE(new_campaign_gets_a_lease),
        CASE(legs_get_permits),
        CASE(users_are_known),
        CASE(suppression_is_told),
        CASE(lost_before_the_commit),
        CASE(lost_after_the_commit),
        CASE(outage),
        CASE(second_daemon_is_held_off),
        CASE(stop_writes_what_was_told),
    };

    if (secret_init() != 0)
        return 1;
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
