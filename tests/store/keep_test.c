/*
 * The store's service with its journal: what is told while the store is away is promised and kept,
 * and is in the store before anything else is when it is back.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "adapters/journal/journal.h"
#include "adapters/store/rules.h"
#include "adapters/store/service_keep.h"
#include "tests/store/bench.h"
#include "tests/support/older.h"

/* A call that is claimed; its number stays in `number`. */
static struct msg_claim call(struct bench *b, char number[20])
{
    struct msg_claim c;
    unsigned n = b->claimed;

    ask_rows(b, 1);
    c = claim_of(b, 0);
    bench_send(b, MSG_claim, &c);
    run_until(b, &b->claimed, n + 1);
    assert_int_equal(b->last_claimed.reason, REASON_allow);
    (void)strcpy(number, b->last_number);
    return c;
}

/* The codes are known after a load, as a daemon has it. */
static void load(struct bench *b)
{
    struct msg_load m = {0};
    unsigned n = b->loaded;

    bench_send(b, MSG_load, &m);
    run_until(b, &b->loaded, n + 1);
}

static void go_away(struct bench *b)
{
    struct msg_suppress poke = {.account = 1,
                                .number = text_of("+12125550199"),
                                .source = text_of("poke"),
                                .at_wall_ms = pool_wall_ms()};
    unsigned downs = b->downs;

    atomic_store(&away, true);
    bench_send(b, MSG_suppress, &poke);
    run_until(b, &b->downs, downs + 1);
}

/* The call was answered and talked to while the store was away. */
static void talked(struct bench *b, const struct msg_claim *c)
{
    static const uint8_t states[] = {ATTEMPT_ANSWERED, ATTEMPT_BRIDGED};
    struct msg_attempt_over o = over_of(c);

    for (size_t i = 0; i < 2; i++) {
        struct msg_attempt_moved m = {.campaign = c->campaign,
                                      .attempt = c->attempt,
                                      .row = c->row,
                                      .state = states[i],
                                      .agent = b->world.agent,
                                      .at_wall_ms = pool_wall_ms() + (int64_t)i};
        bench_send(b, MSG_attempt_moved, &m);
    }
    o.outcome = OUTCOME_ANSWERED;
    o.agent = b->world.agent;
    bench_send(b, MSG_attempt_over, &o);
}

static uint8_t dispose(struct bench *b, const struct msg_claim *c, const char *code,
                       const char *number)
{
    struct msg_dispose m = {.attempt = c->attempt,
                            .agent = b->world.agent,
                            .code = text_of(code),
                            .client = 1,
                            .request = b->disposed + 1,
                            .number = text_of(number),
                            .at_wall_ms = pool_wall_ms()};
    unsigned n = b->disposed;

    bench_send(b, MSG_dispose, &m);
    run_until(b, &b->disposed, n + 1);
    assert_int_equal(b->last_disposed.request, n + 1);
    return b->last_disposed.result;
}

struct found {
    struct text attempt;
    char code[32];
    uint8_t outcome;
};

static int look(void *ctx, const struct store_call *call)
{
    struct found *f = ctx;

    if (text_same(call->attempt, f->attempt)) {
        snprintf(f->code, sizeof f->code, "%.*s", (int)call->disposition.len,
                 call->disposition.len ? call->disposition.ptr : "");
        f->outcome = call->outcome;
    }
    return 0;
}

static void expect_call(struct bench *b, const struct msg_claim *c, uint8_t outcome,
                        const char *code)
{
    struct store *tool = bench_tool(b);
    struct store_cursor at = {0};
    struct found f = {.attempt = c->attempt};
    size_t n = 1000;

    store_good(tool, tool->ops->calls(tool, 0, INT64_MAX, 0, &at, &n, look, &f));
    tool->ops->close(tool);
    assert_string_equal(f.code, code);
    assert_int_equal(f.outcome, outcome);
}

/* Acknowledged without the store, and then in it; a do-not-call binds at once, and for the claims
 * that come first when the store is back. */
static void promised_and_kept(void **state)
{
    struct bench *b = *state;
    char number[20], other[20];
    struct msg_claim c, second, third;
    unsigned ups = b->ups;

    load(b);
    c = call(b, number);
    go_away(b);
    talked(b, &c);
    assert_int_equal(dispose(b, &c, "sale", number), RESULT_OK);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "sale");

    second = call(b, other);
    go_away(b);
    talked(b, &second);
    assert_int_equal(dispose(b, &second, "dnc", other), RESULT_OK);
    assert_int_equal(b->last_disposed.suppressed.len, strlen(other));
    run_until(b, &b->suppressed, b->suppressed + (strcmp(b->last_suppressed, other) != 0));
    assert_string_equal(b->last_suppressed, other);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 2);
    third = second;
    third.attempt = text_of("att-0051-00000001-00000002-00009999");
    third.cause = CAUSE_AGENT;
    bench_send(b, MSG_claim, &third);
    run_until(b, &b->claimed, b->claimed + 1);
    assert_int_equal(b->last_claimed.reason, REASON_do_not_call);
}

/* What the store could refuse later is not promised. */
static void not_promised(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;

    load(b);
    c = call(b, number);
    go_away(b);
    talked(b, &c);
    assert_int_equal(dispose(b, &c, "nonsense", number), RESULT_INVALID);
    assert_int_equal(dispose(b, &c, "callback", number), RESULT_INVALID);
    assert_int_equal(dispose(b, &c, "sale", ""), RESULT_AWAY);
    assert_int_equal(dispose(b, &c, "sale", number), RESULT_OK);
    assert_int_equal(dispose(b, &c, "sale", number), RESULT_OK);
    assert_int_equal(dispose(b, &c, "busy", number), RESULT_CONFLICT);
    atomic_store(&away, false);
    run_until(b, &b->ups, b->ups + 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "sale");
}

/* A new process, the store still away: nothing is loaded, so nothing can be dialed; when the store
 * comes, what was promised is in it before anybody is told that it is there. */
/* The choice of a lead (R14) wants the store itself: it is refused at once, and not kept. */
static void a_choice_is_not_promised(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    struct msg_settle_lead m = {.agent = b->world.agent, .client = 1, .request = 9};
    unsigned ups = b->ups, n = b->settled;

    load(b);
    c = call(b, number);
    m.attempt = c.attempt;
    m.lead = 1;
    go_away(b);
    bench_send(b, MSG_settle_lead, &m);
    run_until(b, &b->settled, n + 1);
    assert_int_equal(b->last_settled.result, RESULT_AWAY);
    assert_int_equal(b->last_settled.request, 9);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    bench_send(b, MSG_settle_lead, &m);
    run_until(b, &b->settled, n + 2); /* the store's own word: this agent has not had the call */
    assert_int_equal(b->last_settled.result, RESULT_REFUSED);
}

static void over_a_restart(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    unsigned ups = b->ups;

    load(b);
    c = call(b, number);
    go_away(b);
    talked(b, &c);
    assert_int_equal(dispose(b, &c, "dnc", number), RESULT_OK);
    bench_restart(b);
    run_until(b, &b->downs, b->downs + 1);
    assert_int_equal(atomic_load(&b->ready), 0);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    assert_int_equal(atomic_load(&b->ready), 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "dnc");
}

/* The commit that brings it in arrives, and nobody hears of it: once more changes nothing. */
static void brought_in_twice(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    struct store_lead_state lead;
    struct store *tool;
    unsigned ups = b->ups;

    load(b);
    c = call(b, number);
    go_away(b);
    talked(b, &c);
    assert_int_equal(dispose(b, &c, "no_answer", number), RESULT_OK);
    atomic_store(&lose_after, 2);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    assert_int_equal(atomic_load(&lose_after), 0);
    expect_call(b, &c, OUTCOME_ANSWERED, "no_answer");
    tool = bench_tool(b);
    store_good(tool, tool->ops->lead_read(tool, b->last_claimed.lead, &lead));
    assert_int_equal(lead.attempts, 1);
    tool->ops->close(tool);
}

/* A lost agent's leg must be back in 20 s (R3): its claim does not wait for the store. */
static void legs_go_on(void **state)
{
    struct bench *b = *state;
    struct msg_leg_claim m = {.leg = text_of("leg-0051-00000001-00000002-00000001"),
                              .agent = b->world.agent,
                              .use = LEG_AGENT,
                              .pbx = 1,
                              .endpoint = text_of("PJSIP/7"),
                              .at_wall_ms = pool_wall_ms()};
    struct msg_leg_over o = {.leg = m.leg, .at_wall_ms = pool_wall_ms() + 1000};
    unsigned ups = b->ups;

    go_away(b);
    bench_send(b, MSG_leg_claim, &m);
    run_until(b, &b->legs, 1);
    assert_int_equal(b->last_leg.result, RESULT_OK);
    assert_int_equal(b->last_leg.permit, secret_permit(&b->key, m.leg, m.endpoint));
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    bench_send(b, MSG_leg_over, &o);
    bench_send(b, MSG_leg_claim, &m); /* it has ended: known from the store */
    run_until(b, &b->legs, 2);
    assert_int_equal(b->last_leg.result, RESULT_CONFLICT);
}

/* The server is gone without a word, so that connecting takes its time: that holds nobody up. */
static void a_silent_server(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    unsigned ups = b->ups;

    load(b);
    c = call(b, number);
    atomic_store(&hangs, true);
    go_away(b);
    talked(b, &c);
    assert_int_equal(dispose(b, &c, "sale", number), RESULT_OK);
    atomic_store(&away, false);
    bench_release();
    run_until(b, &b->ups, ups + 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "sale");
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void hear_nothing(void *ctx, int level, const char *code, const char *text)
{
    (void)ctx, (void)level, (void)code, (void)text;
}

/* The disk is tried every three seconds while the store is there, each second else; and whoever
 * waits for the next time has something to wait for, whatever has come. */
static void tries_the_disk(void **state)
{
    const struct bench *b = *state;
    struct service_batch batch = {.log = hear_nothing};
    struct keeper k;
    char path[120];

    snprintf(path, sizeof path, "%s/tried", b->folder);
    assert_int_equal(keep_init(&k, path, 1 << 20, NULL), 0);
    k.told = k.told_ok = true;
    keep_look(&k, &batch, true, 0);
    assert_int_equal(keep_next_us(&k), 3 * US_PER_S);
    keep_look(&k, &batch, true, 3 * US_PER_S);
    assert_int_equal(keep_next_us(&k), 6 * US_PER_S);
    keep_look(&k, &batch, false, 4 * US_PER_S); /* away */
    assert_int_equal(keep_next_us(&k), 5 * US_PER_S);
    keep_look(&k, &batch, false, 5 * US_PER_S);
    assert_int_equal(keep_next_us(&k), 6 * US_PER_S);
    k.unusable = true;
    keep_look(&k, &batch, false, 7 * US_PER_S);
    assert_int_equal(keep_next_us(&k), 8 * US_PER_S);
    k.ok = k.told_ok = false; /* and the store is there */
    keep_look(&k, &batch, true, 8 * US_PER_S);
    assert_int_equal(keep_next_us(&k), 9 * US_PER_S);
    keep_fini(&k);
}

/* No room on the disk: said so while the store is there; nothing is promised when it is away; and
 * everything is, once there is room. */
static void disk_full(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    unsigned ups = b->ups, n;
    struct msg_dispose m;

    signal(SIGXFSZ, SIG_IGN);
    load(b);
    c = call(b, number);
    run_until(b, &b->states, 1);
    assert_true(b->last_state.ok);
    limit_files(6000);
    run_until(b, &b->fails, 1);
    assert_true(b->last_state.text.len > 0);
    n = b->disposed;
    atomic_store(&away, true);
    talked(b, &c);
    m = (struct msg_dispose){.attempt = c.attempt,
                             .agent = b->world.agent,
                             .code = text_of("sale"),
                             .client = 1,
                             .request = 4711,
                             .number = text_of(number),
                             .at_wall_ms = pool_wall_ms()};
    for (int i = 0; i < 20; i++) { /* more than the room that is left */
        talked(b, &c);
        bench_send(b, MSG_dispose, &m);
    }
    run_until(b, &b->downs, 1);
    run_until(b, &b->fails, b->fails);
    assert_int_equal(b->disposed, n);
    limit_files(RLIM_INFINITY);
    run_until(b, &b->disposed, n + 20);
    assert_int_equal(b->last_disposed.result, RESULT_OK);
    while (!b->last_state.ok)
        run_until(b, &b->states, b->states + 1);
    atomic_store(&away, false);
    run_until(b, &b->ups, ups + 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "sale");
}

/* An hour of fifty agents (ten records a second) is brought in in much less than six minutes. */
static void catches_up(void **state)
{
    struct bench *b = *state;
    struct journal_options o = {.path = b->journal, .size_max = 64 << 20};
    static uint8_t packed[4096];
    const struct message_desc *desc = message_find(&dialer_catalogue, MSG_agent_moved);
    struct journal *j;
    unsigned ups = b->ups;
    int64_t start;
    char text[80];

    go_away(b);
    bench_end(b); /* its journal is ours now */
    j = journal_make(&o);
    assert_int_equal(journal_open(j), JOURNAL_OK);
    for (unsigned i = 0; i < 36000; i++) {
        struct msg_agent_moved m = {.agent = b->world.agent,
                                    .state = (uint8_t)(AGENT_AVAILABLE + i % 2),
                                    .campaign = b->world.campaign,
                                    .at_wall_ms = WORLD_NOW + 100 * (int64_t)i};
        size_t n = message_pack(desc, &m, packed, sizeof packed);
        assert_true(n > 0);
        assert_int_equal(journal_put(j, 1, MSG_agent_moved, packed, n), JOURNAL_OK);
    }
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    atomic_store(&away, false);
    start = pool_now_us();
    bench_start(b);
    while (b->ups < ups + 1)
        run_until(b, &b->states, b->states + 1);
    snprintf(text, sizeof text, "36000 records in %lld ms",
             (long long)((pool_now_us() - start) / US_PER_MS));
    print_message("# %s\n", text);
    assert_true(pool_now_us() - start < 360 * US_PER_S);
}

/* Behind what the journal holds: a message with its first `known` fields, or with one more that
 * nobody here knows (known 0). */
static void leave_record(const struct bench *b, uint16_t type, const void *msg, unsigned known)
{
    static const uint8_t news[] = "\xa4news\x01";
    struct journal_options o = {.path = b->journal, .size_max = 64 << 20};
    const struct message_desc *desc = message_find(&dialer_catalogue, type);
    struct journal *j = journal_make(&o);
    uint8_t packed[1024], record[1100];
    size_t n = message_pack(desc, msg, packed, sizeof packed);

    assert_true(n > 0);
    n = older_record(desc, packed, n, known > 0 ? known : desc->n_fields, record);
    if (known == 0) {
        record[2]++;
        memcpy(record + n, news, sizeof news - 1);
        n += sizeof news - 1;
    }
    assert_int_equal(journal_open(j), JOURNAL_OK);
    assert_int_equal(journal_put(j, named(KIND_AGENT, 1), type, record, n), JOURNAL_OK);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
}

static int count_number(void *ctx, struct text number, struct text source, int64_t at_ms)
{
    (void)number;
    (void)source;
    (void)at_ms;
    ++*(unsigned *)ctx;
    return 0;
}

/* How many numbers are on the do-not-call list. */
static unsigned suppressed(const struct bench *b)
{
    struct store *tool = bench_tool(b);
    unsigned n = 0;

    store_good(tool,
               tool->ops->suppressed(tool, STORE_ACCOUNT, text_of(""), 100, count_number, &n));
    tool->ops->close(tool);
    return n;
}

/* Upgraded while the store was away: the program that wrote the journal knew fewer fields. */
static void an_older_programs_journal(void **state)
{
    struct bench *b = *state;
    char number[20];
    struct msg_claim c;
    struct msg_dispose d;
    struct msg_attempt_over o;
    struct msg_attempt_moved m;
    unsigned ups = b->ups;

    load(b);
    c = call(b, number);
    go_away(b);
    bench_end(b);
    m = (struct msg_attempt_moved){.campaign = c.campaign,
                                   .attempt = c.attempt,
                                   .row = c.row,
                                   .state = ATTEMPT_BRIDGED,
                                   .agent = b->world.agent,
                                   .at_wall_ms = pool_wall_ms()};
    leave_record(b, MSG_attempt_moved, &m, 6);
    o = over_of(&c);
    o.outcome = OUTCOME_ANSWERED;
    o.agent = b->world.agent;
    o.row_status = ROW_COMPLETED;
    leave_record(b, MSG_attempt_over, &o, 15);
    d = (struct msg_dispose){.attempt = c.attempt,
                             .agent = b->world.agent,
                             .code = text_of("sale"),
                             .client = 1,
                             .request = 1,
                             .number = text_of(number),
                             .at_wall_ms = pool_wall_ms()};
    leave_record(b, MSG_dispose, &d, 9);
    atomic_store(&away, false);
    bench_start(b);
    run_until(b, &b->ups, ups + 1);
    expect_call(b, &c, OUTCOME_ANSWERED, "sale");
    while (!b->last_state.ok)
        run_until(b, &b->states, b->states + 1);
    assert_int_equal(b->last_state.records, 0);
}

/* The way back to an older program: it does not know all that was told. It says so, brings in what
 * comes before, and keeps the rest for the one that does. */
static void a_newer_programs_journal(void **state)
{
    struct bench *b = *state;
    struct msg_suppress first = {.account = STORE_ACCOUNT,
                                 .number = text_of("+12125550171"),
                                 .source = text_of("test"),
                                 .at_wall_ms = WORLD_NOW};
    struct msg_suppress second = first, third = first;
    unsigned ups = b->ups, before = suppressed(b);

    second.number = text_of("+12125550172");
    third.number = text_of("+12125550173");
    run_until(b, &b->states, 1);
    bench_end(b);
    leave_record(b, MSG_suppress, &first, 4);
    leave_record(b, MSG_suppress, &second, 0);
    leave_record(b, MSG_suppress, &third, 4);
    for (unsigned starts = 0; starts < 2; starts++) {
        unsigned fails = b->fails;

        bench_start(b);
        run_until(b, &b->ups, ++ups); /* calls are served */
        run_until(b, &b->fails, fails + 1);
        assert_int_equal(b->last_state.records, 2);
        if (!strstr(b->last_why, "key \"news\" is not known here"))
            fail_msg("it says \"%s\"", b->last_why);
        assert_int_equal(suppressed(b), before + 1);
        if (starts == 0)
            bench_end(b);
    }
}

/* Three are claimed, one is sent, the process dies: the other two were surely never sent. */
static void never_sent(void **state)
{
    struct bench *b = *state;
    char number[20], id[40];
    struct msg_claim c;

    load(b); /* as at a start: what is claimed from now on */
    (void)call(b, number);
    c = call(b, number);
    snprintf(id, sizeof id, "%.*s", (int)c.attempt.len, c.attempt.ptr);
    (void)call(b, number);
    sent_note(b->sent, text_of(id), pool_wall_ms());
    bench_restart(b);
    wait_flag(b, &b->ready);
    b->opens = 0;
    b->unsent = 0;
    load(b);
    assert_int_equal(b->opens, 3);
    assert_int_equal(b->unsent, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup_kept, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(promised_and_kept),
        T(not_promised),
        T(a_choice_is_not_promised),
        T(over_a_restart),
        T(brought_in_twice),
        T(legs_go_on),
        T(a_silent_server),
        T(tries_the_disk),
        T(disk_full),
        T(catches_up),
        T(never_sent),
        T(an_older_programs_journal),
        T(a_newer_programs_journal),
    };

    return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
