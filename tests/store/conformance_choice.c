/* R14 in every store: several leads have the number of a call, and its agent chooses one. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OPS(w) ((w)->s->ops)
#define NUMBER "+12125550120"

struct pair {
    uint64_t ada, bo; /* leads of the campaign, in two lists */
    uint64_t cy;      /* another campaign's */
};

static uint64_t put_lead(struct world *w, uint64_t list, const char *number, const char *name)
{
    struct store_lead lead = {.number = text_of(number),
                              .name = text_of(name),
                              .fields = text_of("{\"city\":\"Anytown\"}")};
    struct store_import_count count = {0};
    uint64_t leads[4] = {0};
    size_t n = 4;

    store_good(w->s, OPS(w)->leads_insert(w->s, list, 0, WORLD_NOW, &lead, 1, &count));
    assert_int_equal(count.inserted, 1);
    store_good(w->s, OPS(w)->lead_match(w->s, w->campaign, lead.number, leads, &n));
    return n > 0 ? leads[n - 1] : 0;
}

static uint64_t put_list(struct world *w, uint64_t campaign, const char *name)
{
    struct store_list l = {
        .campaign = campaign, .name = text_of(name), .priority = 2, .active = true};

    store_good(w->s, OPS(w)->list_add(w->s, &w->by, &l, &l.list));
    return l.list;
}

static struct pair two_of(struct world *w, const char *second)
{
    struct msg_campaign_config other;
    struct world theirs = *w;
    struct pair p;

    store_campaign_defaults(&other);
    other.name = text_of("other");
    other.trunk = w->trunk;
    store_good(w->s, OPS(w)->campaign_add(w->s, &w->by, &other, &theirs.campaign));
    p.ada = put_lead(w, w->list, NUMBER, "Ada");
    p.cy = put_lead(&theirs, put_list(w, theirs.campaign, "theirs"), NUMBER, "Cy");
    p.bo = put_lead(w, put_list(w, w->campaign, "again"), second, "<b>\"Bo\"</b>");
    assert_true(p.ada != p.bo && p.cy != p.ada && p.cy != p.bo && p.cy != 0);
    return p;
}

static struct msg_lead_settled settle(struct world *w, struct text attempt, uint64_t agent,
                                      uint64_t lead)
{
    const struct msg_settle_lead m = {.attempt = attempt,
                                      .agent = agent,
                                      .lead = lead,
                                      .client = 3,
                                      .request = 4,
                                      .at_wall_ms = WORLD_NOW + 5000};
    struct msg_lead_settled out;

    store_good(w->s, OPS(w)->settle(w->s, &m, 1, &out));
    assert_true(out.attempt.len == attempt.len && out.lead == lead);
    assert_int_equal(out.client, 3);
    assert_int_equal(out.request, 4);
    return out;
}

static void refused(struct world *w, struct text attempt, uint64_t agent, uint64_t lead,
                    uint8_t result, const char *why)
{
    const struct msg_lead_settled out = settle(w, attempt, agent, lead);

    assert_int_equal(out.result, result);
    assert_true(text_is(out.text, why));
    assert_int_equal(out.name.len + out.fields.len, 0);
}

static int count_audit(void *ctx, const struct store_audit *a)
{
    char *lines = ctx;

    if (a->who.len > 6 && memcmp(a->who.ptr, "agent:", 6) == 0)
        sprintf(lines + strlen(lines), "%.*s %.*s %.*s > %.*s;", (int)a->who.len, a->who.ptr,
                (int)a->kind.len, a->kind.ptr, (int)a->before.len, a->before.ptr, (int)a->after.len,
                a->after.ptr);
    return 0;
}

static void audit_is(struct world *w, const char *lines)
{
    char found[400] = "";

    store_good(w->s, OPS(w)->audits(w->s, 0, 50, count_audit, found));
    assert_string_equal(found, lines);
}

static int count_call(void *ctx, const struct store_call *call)
{
    (void)call;
    ++*(int *)ctx;
    return 0;
}

static int calls_of(struct world *w, uint64_t lead)
{
    struct store_cursor at = {0};
    size_t n = 100;
    int calls = 0;

    store_good(w->s, OPS(w)->calls(w->s, 0, WORLD_NOW * 2, lead, &at, &n, count_call, &calls));
    return calls;
}

static void is_answered(struct world *w, struct text attempt)
{
    const struct msg_attempt_moved m = {.campaign = w->campaign,
                                        .attempt = attempt,
                                        .state = ATTEMPT_ANSWERED,
                                        .agent = w->agent,
                                        .at_wall_ms = WORLD_NOW + 4000};

    store_good(w->s, OPS(w)->attempt_moved(w->s, &m, 1));
}

static void expect_row(struct world *w, uint64_t lead, uint8_t status, bool final,
                       unsigned attempts)
{
    const struct store_lead_state d = world_lead(w, lead);

    assert_int_equal(d.row_status, status);
    assert_int_equal(d.final, final);
    assert_int_equal(d.attempts, attempts);
}

/* --- the cases -------------------------------------------------------------------------------- */

void a_choice_is_of_the_campaigns_leads(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_claimed c, again;
    struct msg_claim req = world_claim(w, 0, WORLD_NOW);
    char wanted[200];

    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = text_of(NUMBER);
    snprintf(wanted, sizeof wanted,
             "[{\"lead\":%llu,\"name\":\"Ada\",\"list\":\"leads\"},"
             "{\"lead\":%llu,\"name\":\"<b>\\\"Bo\\\"</b>\",\"list\":\"again\"}]",
             (unsigned long long)p.ada, (unsigned long long)p.bo);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    assert_int_equal(c.matches, 2);
    assert_int_equal(c.lead, 0);
    assert_int_equal(c.name.len, 0);
    assert_true(text_is(c.fields, wanted));
    /* the answer got lost: neither does it show anybody */
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &again));
    assert_int_equal(again.reason, REASON_allow);
    assert_int_equal(again.matches, 2);
    assert_int_equal(again.lead, 0);
    assert_int_equal(again.name.len, 0);
    assert_true(text_is(again.fields, wanted));
}

void a_choice_moves_the_call(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_attempt_over over;
    struct msg_lead_settled s;
    struct msg_claimed c, next;
    char line[100];

    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    is_answered(w, c.attempt);
    expect_row(w, p.ada, ROW_ANSWERED, false, 0);
    s = settle(w, c.attempt, w->agent, p.bo);
    assert_int_equal(s.result, RESULT_OK);
    assert_int_equal(s.campaign, w->campaign);
    assert_int_equal(s.row, world_lead(w, p.bo).row);
    assert_int_equal(s.attempt_no, 1);
    assert_true(text_is(s.name, "<b>\"Bo\"</b>"));
    assert_true(text_is(s.fields, "{\"city\":\"Anytown\"}"));
    expect_row(w, p.ada, ROW_PENDING, false, 0);
    expect_row(w, p.bo, ROW_ANSWERED, false, 0);
    assert_int_equal(calls_of(w, p.ada), 0);
    assert_int_equal(calls_of(w, p.bo), 1);
    /* once more is the same, another is not */
    s = settle(w, c.attempt, w->agent, p.bo);
    assert_int_equal(s.result, RESULT_OK);
    assert_int_equal(s.attempt_no, 1);
    assert_true(text_is(s.name, "<b>\"Bo\"</b>"));
    refused(w, c.attempt, w->agent, p.ada, RESULT_CONFLICT, "the call has its lead already");
    snprintf(line, sizeof line, "agent:%llu attempt lead %llu > lead %llu;",
             (unsigned long long)w->agent, (unsigned long long)p.ada, (unsigned long long)p.bo);
    audit_is(w, line);
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &over);
    expect_row(w, p.ada, ROW_PENDING, false, 0);
    expect_row(w, p.bo, ROW_COMPLETED, false, 1);
    /* the first is as if it had not been called */
    store_good(w->s, OPS(w)->lease_renew(w->s, WORLD_NOW + 600000));
    assert_int_equal(world_claim_one(w, world_lead(w, p.ada).row, WORLD_NOW + 600000, &next),
                     REASON_allow);
    assert_int_equal(next.attempt_no, 1);
}

void a_choice_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_dispose dispose = {
        .agent = w->agent, .code = text_of("sale"), .at_wall_ms = WORLD_NOW + 5000};
    struct msg_attempt_over over;
    struct msg_disposed disposed;
    struct msg_claimed c;

    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    refused(w, text_of("att-0001-00000001-00000001-0000ffff"), w->agent, p.bo, RESULT_NOT_FOUND,
            "no such call");
    refused(w, c.attempt, w->agent + 1, p.bo, RESULT_REFUSED,
            "only the agent who has the call may choose its lead");
    refused(w, c.attempt, w->agent, p.cy, RESULT_NOT_FOUND,
            "that lead is none of those who have the number");
    refused(w, c.attempt, w->agent, 999999, RESULT_NOT_FOUND,
            "that lead is none of those who have the number");
    dispose.attempt = c.attempt;
    store_good(w->s, OPS(w)->dispose(w->s, &dispose, 1, &disposed));
    assert_int_equal(disposed.result, RESULT_OK); /* for the first: nobody has chosen */
    refused(w, c.attempt, w->agent, p.bo, RESULT_CONFLICT, "the call has its disposition already");
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &over);
    refused(w, c.attempt, w->agent, p.bo, RESULT_REFUSED, "the call is over");
    expect_row(w, p.ada, ROW_COMPLETED, true, 1);
    expect_row(w, p.bo, ROW_PENDING, false, 0);
    audit_is(w, "");
}

void a_choice_of_the_first_moves_nothing(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_lead_settled s;
    struct msg_claimed c;
    char line[100];

    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    s = settle(w, c.attempt, w->agent, p.ada);
    assert_int_equal(s.result, RESULT_OK);
    assert_true(text_is(s.name, "Ada"));
    assert_int_equal(s.row, c.row);
    assert_int_equal(s.attempt_no, c.attempt_no);
    expect_row(w, p.ada, ROW_DIALING, false, 0);
    expect_row(w, p.bo, ROW_PENDING, false, 0);
    refused(w, c.attempt, w->agent, p.bo, RESULT_CONFLICT, "the call has its lead already");
    snprintf(line, sizeof line, "agent:%llu attempt lead %llu > lead %llu;",
             (unsigned long long)w->agent, (unsigned long long)p.ada, (unsigned long long)p.ada);
    audit_is(w, line);
}

/* Nobody has the typed number, two have its last ten digits: the call is the first one's. */
void a_choice_by_the_last_ten_digits(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, "+9982125550120");
    struct msg_lead_settled s;
    struct msg_claimed c;

    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    assert_int_equal(c.matches, 1); /* one has it whole */
    assert_int_equal(c.lead, p.ada);
    struct msg_attempt_over over = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    world_end(w, &over);
    assert_int_equal(world_manual(w, "+9992125550120", WORLD_NOW + 2000, &c), REASON_allow);
    assert_int_equal(c.matches, 2);
    assert_true(text_is(c.number, "+9992125550120"));
    s = settle(w, c.attempt, w->agent, p.bo);
    assert_int_equal(s.result, RESULT_OK);
    /* failed before, and due at the same time as before */
    expect_row(w, p.ada, ROW_PENDING, false, 1);
    assert_int_equal(world_lead(w, p.ada).due_wall_ms, WORLD_NOW + 1000 + 300000);
    expect_row(w, p.bo, ROW_DIALING, false, 0);
}

/* Found by the last ten digits or not, all that is asked before a call is asked of the typed
 * number; and who does not want to be called, or is being called, is not called by another way. */
void a_typed_number_is_judged_and_its_lead_too(void **state)
{
    struct world *w = *state;
    struct msg_suppress dnc[] = {{.number = text_of("+9992125550121"),
                                  .source = text_of("test"),
                                  .account = STORE_ACCOUNT,
                                  .at_wall_ms = WORLD_NOW},
                                 {.number = text_of("+12125550120"),
                                  .source = text_of("test"),
                                  .account = STORE_ACCOUNT,
                                  .at_wall_ms = WORLD_NOW}};
    struct msg_claimed c, again;

    world_leads(w, 3);
    store_good(w->s, OPS(w)->suppress(w->s, dnc, 2));
    assert_int_equal(world_manual(w, "+9992125550120", WORLD_NOW, &c), REASON_do_not_call);
    assert_int_equal(world_manual(w, "+9992125550121", WORLD_NOW, &c), REASON_do_not_call);
    assert_int_equal(world_manual(w, "+12125550121", WORLD_NOW, &c), REASON_allow);
    assert_int_equal(world_manual(w, "+9982125550122", WORLD_NOW, &c), REASON_prefix_not_allowed);
    assert_int_equal(world_manual(w, "+9992125550122", WORLD_NOW, &c), REASON_allow);
    struct msg_attempt_over m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    world_end(w, &m);
    assert_int_equal(world_manual(w, "+12125550122", WORLD_NOW + 2000, &again), REASON_allow);
    assert_int_equal(again.row, c.row);
    assert_true(text_is(again.number, "+12125550122"));
}

/* One of two leads is free, but its own number is in a call, and then the typed one. */
void a_number_in_a_call_is_not_typed_again(void **state)
{
    static const char *const called[] = {NUMBER, "+9992125550120"};
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_claimed c, other;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_manual(w, called[i], WORLD_NOW + 1000 * i, &c), REASON_allow);
        assert_int_equal(settle(w, c.attempt, w->agent, p.bo).result, RESULT_OK);
        expect_row(w, p.ada, ROW_PENDING, false, 0);
        assert_int_equal(world_manual(w, called[1], WORLD_NOW + 1000 * i, &other),
                         REASON_number_alive);
        assert_true(text_is(other.number, called[1]));
        struct msg_attempt_over m = world_over(w, &c, OUTCOME_NO_ANSWER, WORLD_NOW + 1000 * i);
        world_end(w, &m);
    }
}

/* Two agents type two numbers of the same ten last digits at once: one row, one call. */
void typed_numbers_of_one_row(void **state)
{
    struct world *w = *state;
    struct msg_claim req[2];
    struct msg_claimed c[2];
    struct msg_attempt_over m;

    world_leads(w, 1);
    for (int i = 0; i < 2; i++) {
        req[i] = world_claim(w, 0, WORLD_NOW);
        req[i].cause = CAUSE_AGENT;
        req[i].agent = w->agent;
        req[i].attempt = text_of(i ? "typed-1" : "typed-0");
        req[i].number = text_of(i ? "+9992125550120" : "+12125550120");
    }
    store_good(w->s, OPS(w)->claim(w->s, req, 2, c));
    assert_int_equal(c[0].reason, REASON_allow);
    assert_int_not_equal(c[1].reason, REASON_allow);
    m = world_over(w, &c[0], OUTCOME_NO_ANSWER, WORLD_NOW + 1000);
    world_end(w, &m);
    /* nothing is left of the other: its number may be called */
    assert_int_equal(world_manual(w, "+9992125550120", WORLD_NOW + 2000, &c[1]), REASON_allow);
}

/* There is no such number as the typed one; the lead's own is as good as before. */
void a_typed_number_that_is_none(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over m;
    struct msg_claimed c;

    world_leads(w, 1);
    assert_int_equal(world_manual(w, "+9992125550120", WORLD_NOW, &c), REASON_allow);
    m = world_over(w, &c, OUTCOME_BAD_NUMBER, WORLD_NOW + 1000);
    m.due_wall_ms = 0;
    world_end(w, &m);
    expect_row(w, c.lead, ROW_PENDING, false, 0);
    assert_int_equal(world_manual(w, "+12125550120", WORLD_NOW + 2000, &c), REASON_allow);
    m = world_over(w, &c, OUTCOME_BAD_NUMBER, WORLD_NOW + 3000);
    m.due_wall_ms = 0;
    world_end(w, &m);
    expect_row(w, c.lead, ROW_FAILED, true, 1);
}

void a_choice_leaves_a_final_row_final(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_attempt_over over;
    struct msg_claimed c;

    c = world_claim_good(w, world_lead(w, p.ada).row, WORLD_NOW);
    over = world_over(w, &c, OUTCOME_BAD_NUMBER, WORLD_NOW + 1000);
    over.final = true;
    over.due_wall_ms = 0;
    world_end(w, &over);
    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW + 2000, &c), REASON_allow);
    assert_int_equal(c.matches, 2);
    assert_int_equal(settle(w, c.attempt, w->agent, p.bo).result, RESULT_OK);
    expect_row(w, p.ada, ROW_FAILED, true, 1);
    expect_row(w, p.bo, ROW_DIALING, false, 0);
}

struct opened {
    struct msg_open_attempt m;
    char name[40], fields[200];
    int n;
};

static int take_open(void *ctx, uint16_t type, const void *msg)
{
    struct opened *o = ctx;

    if (type == MSG_open_attempt) {
        o->m = *(const struct msg_open_attempt *)msg;
        snprintf(o->name, sizeof o->name, "%.*s", (int)o->m.name.len,
                 o->m.name.ptr ? o->m.name.ptr : "");
        snprintf(o->fields, sizeof o->fields, "%.*s", (int)o->m.fields.len,
                 o->m.fields.ptr ? o->m.fields.ptr : "");
        o->n++;
    }
    return 0;
}

static struct opened load(struct world *w)
{
    struct opened o = {.n = 0};

    store_good(w->s, OPS(w)->load(w->s, 0, 0, WORLD_NOW, take_open, &o));
    assert_int_equal(o.n, 1);
    return o;
}

/* The daemon that comes after shows nobody either, and knows who was chosen. */
void a_choice_outlives_the_daemon(void **state)
{
    struct world *w = *state;
    const struct pair p = two_of(w, NUMBER);
    struct msg_attempt_over over;
    struct msg_claimed c;
    struct opened o;

    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    o = load(w);
    assert_int_equal(o.m.matches, 2);
    assert_int_equal(o.m.lead, 0);
    assert_string_equal(o.name, "");
    assert_non_null(strstr(o.fields, "\"name\":\"Ada\",\"list\":\"leads\"},{"));
    assert_null(strstr(o.fields, "city"));
    assert_int_equal(settle(w, c.attempt, w->agent, p.bo).result, RESULT_OK);
    o = load(w);
    assert_int_equal(o.m.matches, 1);
    assert_int_equal(o.m.lead, p.bo);
    assert_int_equal(o.m.row, world_lead(w, p.bo).row);
    assert_string_equal(o.name, "<b>\"Bo\"</b>");
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &over);
    assert_string_equal(load(w).name, "<b>\"Bo\"</b>"); /* it waits for its disposition */
}

/* Over without a choice: there is nothing left to choose, and still nobody is shown. */
void no_choice_shows_nobody_afterwards(void **state)
{
    struct world *w = *state;
    struct msg_attempt_over over;
    struct msg_claimed c;
    struct opened o;

    (void)two_of(w, NUMBER);
    assert_int_equal(world_manual(w, NUMBER, WORLD_NOW, &c), REASON_allow);
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 60000);
    world_end(w, &over);
    o = load(w);
    assert_int_equal(o.m.matches, 2);
    assert_int_equal(o.m.lead, 0);
    assert_string_equal(o.name, "");
    assert_string_equal(o.fields, "");
}
