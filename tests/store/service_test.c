/*
 * The store's service on the bus: permits, loads, outages without a journal.
 */
#include <poll.h>
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

#include "adapters/store/service_queue.h"
#include "core/metric.h"
#include "tests/store/bench.h"
#include "tests/support/services.h"

static atomic_uint copies_left; /* that work, before... */
static atomic_uint copies_fail; /* ...so many do not */

static void memory_fails(unsigned nth, unsigned times)
{
    atomic_store(&copies_fail, 0);
    atomic_store(&copies_left, nth - 1);
    atomic_store(&copies_fail, times);
}

/* The linker's names (--wrap=queue_put): the service's copy of a message, and nothing else. */
/* NOLINTBEGIN(readability-identifier-naming) */
int __real_queue_put(struct queue *q, const struct message_catalogue *catalogue, handle from,
                     uint16_t type, const void *msg);
int __wrap_queue_put(struct queue *q, const struct message_catalogue *catalogue, handle from,
                     uint16_t type, const void *msg);
int __wrap_queue_put(struct queue *q, const struct message_catalogue *catalogue, handle from,
                     uint16_t type, const void *msg)
/* NOLINTEND(readability-identifier-naming) */
{
    if (atomic_load(&copies_fail) > 0) { /* only the service's thread comes here */
        if (atomic_load(&copies_left) > 0) {
            atomic_fetch_sub(&copies_left, 1);
        } else {
            atomic_fetch_sub(&copies_fail, 1);
            return -1;
        }
    }
    return __real_queue_put(q, catalogue, from, type, msg);
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
    bench_send(b, MSG_claim, &c); /* the same once more: the same answer */
    run_until(b, &b->claimed, 21);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
}

static void loads_on_demand(void **state)
{
    struct bench *b = *state;
    struct msg_load all = {0}, none = {.kind = KIND_TRUNK, .id = 99};

    bench_send(b, MSG_load, &all);
    run_until(b, &b->loaded, 1);
    assert_int_equal(b->campaigns, 1);
    assert_int_equal(b->agents, 1);
    assert_int_equal(b->last_loaded.result, RESULT_OK);
    bench_send(b, MSG_load, &none);
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
    bench_send(b, MSG_load, &m);
    run_until(b, &b->loaded, 1);
    b->world.campaign = second.campaign;
    b->world.epoch = 1;
    ask_rows(b, 50);
    assert_int_equal(b->candidates, 50);
    {
        struct msg_claim claim = claim_of(b, 45);
        bench_send(b, MSG_claim, &claim);
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

    bench_send(b, MSG_leg_claim, &m);
    run_until(b, &b->legs, 1);
    assert_int_equal(b->last_leg.result, RESULT_OK);
    assert_int_equal(b->last_leg.permit, secret_permit(&b->key, m.leg, m.endpoint));
    assert_true(b->last_leg.permit != secret_permit(&b->key, m.leg, text_of("PJSIP/eve")));
}

static void users_are_known(void **state)
{
    struct bench *b = *state;
    struct msg_login_ask m = {.request = 5, .login = text_of("anna")};

    bench_send(b, MSG_login_ask, &m);
    run_until(b, &b->logins, 1);
    assert_int_equal(b->last_login.result, RESULT_OK);
    assert_int_equal(b->last_login.agent, b->world.agent);
    assert_int_equal(b->last_login.role, ROLE_AGENT);
    m.login = text_of("eve");
    bench_send(b, MSG_login_ask, &m);
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

    bench_send(b, MSG_suppress, &m);
    run_until(b, &b->suppressed, 1);
    /* one that cannot be taken does not stop the others */
    m.number = text_of("not a number");
    assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, MSG_suppress, &m), 0);
    m.number = text_of("+12125550124");
    bench_send(b, MSG_suppress, &m);
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
    bench_send(b, MSG_claim, &c);
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
    bench_send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    assert_int_equal(b->last_claimed.attempt_no, 1);
    lead = b->last_claimed.lead;
    atomic_store(&lose_after, 1);
    o = over_of(&c);
    bench_send(b, MSG_attempt_over, &o);
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
    bench_send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    lead = b->last_claimed.lead;
    atomic_store(&away, true);
    m = (struct msg_attempt_moved){.campaign = c.campaign,
                                   .attempt = c.attempt,
                                   .row = c.row,
                                   .state = ATTEMPT_ORIGINATING,
                                   .at_wall_ms = pool_wall_ms()};
    bench_send(b, MSG_attempt_moved, &m);
    run_until(b, &b->downs, 1);
    o = over_of(&c);
    bench_send(b, MSG_attempt_over, &o);
    send_marker(b, &c);
    second = claim_of(b, 1);
    bench_send(b, MSG_claim, &second);
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
    bench_send(b, MSG_claim, &second);
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

/* Whatever the service has no memory to copy stays with its endpoint, and is done later, once. */
static void mail_waits_for_memory(void **state)
{
    struct bench *b = *state;
    unsigned nth = 1, left;

    do {
        struct msg_attempt_over o;
        struct msg_claim c;
        memory_fails(nth, 3);
        ask_rows(b, 1);
        c = claim_of(b, 0);
        bench_send(b, MSG_claim, &c);
        run_until(b, &b->claimed, nth);
        assert_int_equal(b->last_claimed.reason, REASON_allow);
        o = over_of(&c);
        assert_int_equal(endpoint_send(b->endpoint, ADDR_STORE, MSG_attempt_over, &o), 0);
        send_marker(b, &c);
        run_until(b, &b->disposed, nth);
        left = atomic_load(&copies_fail);
        memory_fails(1, 0);
        expect_over_once(b, b->last_claimed.lead);
        assert_true(left == 0 || left == 3);
        nth++;
    } while (left == 0);
    assert_in_range(nth, 6, 10); /* asked, claimed, over, disposed, and one untouched */
}

/* What was told before the stop is in the store after it; the first copies fail. */
static void stop_writes(struct bench *b, unsigned failing)
{
    struct store_options options = {.where = b->path, .owner = "tool"};
    struct store *tool = store_sqlite.make(&options);
    struct store_lead_state lead;
    struct msg_attempt_over o;
    struct msg_claim c;

    ask_rows(b, 1);
    c = claim_of(b, 0);
    bench_send(b, MSG_claim, &c);
    run_until(b, &b->claimed, 1);
    o = over_of(&c);
    memory_fails(1, failing);
    bench_send(b, MSG_attempt_over, &o);
    /* it has been told; nothing says that it was written */
    service_stop(b->service);
    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    store_good(tool, tool->ops->lead_read(tool, b->last_claimed.lead, &lead));
    assert_int_equal(lead.row_status, ROW_FAILED);
    tool->ops->close(tool);
    assert_int_equal(atomic_load(&copies_fail), 0);
}

static void stop_writes_what_was_told(void **state)
{
    stop_writes(*state, 0);
}

static void stop_waits_for_memory(void **state)
{
    stop_writes(*state, 4);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
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
        CASE(mail_waits_for_memory),
        CASE(stop_writes_what_was_told),
        CASE(stop_waits_for_memory),
    };

    if (secret_init() != 0)
        return 1;
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
