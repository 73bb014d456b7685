/* test_judge.c - the judge, on histories made by hand: for each invariant one that keeps it and one
 * that breaks it. A history that is right is told first; each test then spoils one thing.
 * Reason for length: one set of words for telling histories, and every invariant told with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "actors/types.h"
#include "tests/judge/judge.h"

#define CALL "att-0001-00000001-00000001-00000001"
#define AGAIN "att-0001-00000001-00000001-00000002"
#define OTHER "att-0001-00000001-00000001-00000003"
#define STALE "att-0001-00000001-00000000-00000009"
#define LEG "leg-0001-00000007-00000001-00000001"
#define LEG2 "leg-0001-00000007-00000001-00000002"
#define NUMBER "+12125550101"
#define START INT64_C(1000000)

struct tale {
    struct judge *j;
    struct judge_verdict v;
};

static int64_t us(double s)
{
    return START + (int64_t)(s * 1e6);
}

static int64_t ms(double s)
{
    return us(s) / 1000;
}

static void see_as(struct tale *t, double at, unsigned kind, bool yes, const char *id,
                   const char *text)
{
    judge_see(t->j, &(struct judge_event){.at_us = us(at),
                                          .kind = (uint8_t)kind,
                                          .yes = yes,
                                          .id = id,
                                          .number = kind == JUDGE_ORIGINATE ? text : NULL,
                                          .text = kind == JUDGE_ORIGINATE ? NULL : text});
}

static void see(struct tale *t, double at, unsigned kind, const char *id, const char *text)
{
    see_as(t, at, kind, true, id, text);
}

static void agent(struct tale *t, double at, unsigned kind, const char *id, const char *text)
{
    judge_see(t->j,
              &(struct judge_event){
                  .at_us = us(at), .kind = (uint8_t)kind, .agent = 7, .id = id, .text = text});
}

static struct tale begin(void)
{
    struct tale t = {.j = judge_open(&(struct judge_options){.imported = 2, .check_pages = true})};

    judge_campaign(
        t.j, &(struct judge_campaign){.campaign = 1, .retry_ms = 300000, .prefixes = "+1,+44"});
    see(&t, 0, JUDGE_HELD, NULL, NULL);
    see(&t, 0.1, JUDGE_ORIGINATE, LEG, "");
    see(&t, 0.2, JUDGE_ANSWER, LEG, NULL);
    return t;
}

static struct judge_attempt row(const char *id)
{
    return (struct judge_attempt){.id = id,
                                  .number = NUMBER,
                                  .zone = "America/New_York",
                                  .disposition = "sale",
                                  .campaign = 1,
                                  .lead = 1,
                                  .agent = 7,
                                  .epoch = 1,
                                  .attempt_no = 1,
                                  .cause = CAUSE_AUTO,
                                  .state = ATTEMPT_DISPOSED,
                                  .outcome = OUTCOME_ANSWERED,
                                  .by_agent = true,
                                  .claimed_ms = ms(0.9),
                                  .originated_ms = ms(1),
                                  .answered_ms = ms(5),
                                  .bridged_ms = ms(5.5),
                                  .ended_ms = ms(60),
                                  .disposed_ms = ms(70),
                                  .dispositions = 1};
}

/* It rings, is answered, an agent comes, they talk, the callee hangs up. */
static void talk(struct tale *t, const char *id)
{
    see(t, 1, JUDGE_ORIGINATE, id, NUMBER);
    see(t, 5, JUDGE_ANSWER, id, NULL);
    see(t, 5.3, JUDGE_ENTER, id, "brg-1");
    see(t, 5.5, JUDGE_ENTER, LEG, "brg-1");
    see(t, 60, JUDGE_LEAVE, id, "brg-1");
    see(t, 60, JUDGE_END, id, "far");
    see(t, 60.1, JUDGE_LEAVE, LEG, "brg-1");
    agent(t, 70, JUDGE_ACKED, id, "sale");
}

static struct judge_lead lead(uint64_t id, uint8_t status)
{
    return (struct judge_lead){.lead = id,
                               .list = 1,
                               .campaign = 1,
                               .number = id == 1 ? NUMBER : "+12125550102",
                               .rows = 1,
                               .status = status,
                               .final = status == ROW_COMPLETED};
}

static void at_rest(struct tale *t)
{
    struct judge_lead one = lead(1, ROW_COMPLETED);
    const struct judge_lead two = lead(2, ROW_PENDING);

    one.attempts = 1;
    judge_lead(t->j, &one);
    judge_lead(t->j, &two);
    judge_leg(t->j,
              &(struct judge_leg){.id = LEG, .agent = 7, .claimed_ms = ms(0), .ended_ms = ms(100)});
    judge_agent(t->j, &(struct judge_agent){.agent = 7, .state = AGENT_OFFLINE});
    see(t, 100, JUDGE_END, LEG, "us");
    agent(t, 101, JUDGE_TOLD, NULL, "offline");
}

static void decide(struct tale *t)
{
    const int broken = judge_decide(t->j, &t->v);

    if (getenv("JUDGE_TELLS") != NULL) {
        judge_tell(t->j, stderr);
    }
    judge_close(t->j);
    assert_int_equal(broken, t->v.first[0] != '\0');
}

/* Only this invariant is broken. */
static void only(const struct tale *t, unsigned invariant, uint64_t times)
{
    for (unsigned i = 1; i < JUDGE_INVARIANTS; i++) {
        if (t->v.broken[i] != (i == invariant ? times : 0)) {
            fail_msg("I%u is broken %u times: %s", i, (unsigned)t->v.broken[i], t->v.first);
        }
    }
}

/* A whole, right history with this attempt's row. */
static struct tale told(const struct judge_attempt *r)
{
    struct tale t = begin();

    talk(&t, CALL);
    judge_attempt(t.j, r);
    at_rest(&t);
    return t;
}

static struct tale good(void)
{
    const struct judge_attempt r = row(CALL);

    return told(&r);
}

static void test_nothing_is_wrong(void **state)
{
    struct tale t = good();

    (void)state;
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.calls, 1);
    assert_int_equal(t.v.answered, 1);
    assert_int_equal(t.v.bridged, 1);
    assert_int_equal(t.v.acked, 1);
    assert_int_equal(t.v.breaches + t.v.lost + t.v.stuck + t.v.dialed_twice + t.v.two_calls, 0);
}

/* --- I1 ------------------------------------------------------------------------------------------
 */

static void test_a_lead_is_lost(void **state)
{
    const struct judge_attempt r = row(CALL);
    struct judge_lead l = lead(2, ROW_FAILED);
    struct tale t = begin();

    (void)state;
    talk(&t, CALL);
    judge_attempt(t.j, &r);
    l.due_ms = 0; /* nobody will ever dial it again */
    judge_lead(t.j, &l);
    l = lead(1, ROW_COMPLETED);
    judge_lead(t.j, &l);
    see(&t, 100, JUDGE_END, LEG, "us");
    judge_leg(t.j, &(struct judge_leg){.id = LEG, .agent = 7, .ended_ms = ms(100)});
    decide(&t);
    only(&t, 1, 1);
    assert_int_equal(t.v.lost, 1);
}

static void test_a_lead_is_missing(void **state)
{
    struct tale t = {.j = judge_open(&(struct judge_options){.imported = 2})};

    (void)state;
    judge_lead(t.j, &(struct judge_lead){.lead = 2, .number = "+12125550102", .rows = 1});
    decide(&t);
    only(&t, 1, 1);
}

/* --- I2 ------------------------------------------------------------------------------------------
 */

static struct tale dialed_again(double at, unsigned cause)
{
    struct judge_attempt r = row(AGAIN);
    struct tale t = good();

    r.attempt_no = 2;
    r.cause = (uint8_t)cause;
    r.state = ATTEMPT_ENDED;
    r.outcome = OUTCOME_BUSY;
    r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
    r.disposition = "";
    r.claimed_ms = ms(at - 0.1);
    r.ended_ms = ms(at + 5);
    judge_attempt(t.j, &r);
    see(&t, at, JUDGE_ORIGINATE, AGAIN, NUMBER);
    see_as(&t, at + 5, JUDGE_END, false, AGAIN, "final");
    return t;
}

static void test_dialed_twice(void **state)
{
    struct tale t = dialed_again(359, CAUSE_AUTO); /* 299 s after the end */

    (void)state;
    decide(&t);
    only(&t, 2, 1);
    assert_int_equal(t.v.dialed_twice, 1);
    t = dialed_again(361, CAUSE_AUTO);
    decide(&t);
    only(&t, 0, 0);
    t = dialed_again(100, CAUSE_AGENT); /* a person may */
    decide(&t);
    only(&t, 0, 0);
    t = dialed_again(30, CAUSE_AGENT); /* but not while the first lives */
    decide(&t);
    only(&t, 5, 1);
    t = good();
    see(&t, 2, JUDGE_ORIGINATE, CALL, NUMBER);
    decide(&t);
    only(&t, 2, 1);
}

/* --- I3 ------------------------------------------------------------------------------------------
 */

static void test_stuck(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.live = true;
    r.state = ATTEMPT_RINGING;
    t = told(&r);
    decide(&t);
    only(&t, 3, 1);
    assert_int_equal(t.v.stuck, 1);
}

static void test_seen_without_a_row(void **state)
{
    struct tale t = good();

    (void)state;
    see(&t, 10, JUDGE_ORIGINATE, OTHER, "+12125550103");
    see(&t, 20, JUDGE_END, OTHER, "far");
    decide(&t);
    only(&t, 3, 1);
}

static void test_a_row_of_a_call_that_nobody_saw(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    decide(&t);
    only(&t, 3, 1);
}

static void test_an_agent_is_stuck(void **state)
{
    struct tale t = good();

    (void)state;
    judge_agent(t.j, &(struct judge_agent){.agent = 8, .state = AGENT_BUSY});
    decide(&t);
    only(&t, 3, 1);
}

/* --- I4 ------------------------------------------------------------------------------------------
 */

static void test_a_stale_owner(void **state)
{
    struct judge_attempt r = row(STALE);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    r.epoch = 0;
    r.outcome = OUTCOME_BUSY;
    r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
    r.claimed_ms = ms(10);
    judge_attempt(t.j, &r);
    see(&t, 10.1, JUDGE_ORIGINATE, STALE, "+12125550102");
    see_as(&t, 12, JUDGE_END, false, STALE, "final");
    decide(&t);
    only(&t, 4, 2); /* the claim and the call */
}

/* --- I5 ------------------------------------------------------------------------------------------
 */

static void test_not_allowed(void **state)
{
    struct tale t = good();

    (void)state;
    judge_suppressed(t.j, &(struct judge_suppressed){.number = NUMBER, .at_ms = ms(0.5)});
    decide(&t);
    only(&t, 5, 1);
    t = good();
    judge_suppressed(t.j, &(struct judge_suppressed){.number = NUMBER, .at_ms = ms(70)});
    decide(&t);
    only(&t, 0, 0);
    t = good();
    judge_campaign(t.j, &(struct judge_campaign){.campaign = 1, .prefixes = "+44"});
    decide(&t);
    only(&t, 5, 1);
    t = good(); /* 1970-01-01 00:00:02 UTC is 19:00 in New York */
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .from_min = 540, .to_min = 1140});
    decide(&t);
    only(&t, 5, 1);
    t = good();
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .from_min = 540, .to_min = 1141});
    decide(&t);
    only(&t, 0, 0);
}

/* --- I6 ------------------------------------------------------------------------------------------
 */

static void test_two_customers_with_one_agent(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    judge_leg(t.j, &(struct judge_leg){.id = LEG2, .agent = 7, .ended_ms = ms(100)});
    see(&t, 3, JUDGE_ORIGINATE, OTHER, "+12125550102");
    see(&t, 10, JUDGE_ANSWER, OTHER, NULL);
    see(&t, 10, JUDGE_ORIGINATE, LEG2, "");
    see(&t, 11, JUDGE_ENTER, OTHER, "brg-2");
    see(&t, 11, JUDGE_ENTER, LEG2, "brg-2");
    see(&t, 50, JUDGE_END, OTHER, "far");
    see(&t, 51, JUDGE_END, LEG2, "us");
    decide(&t);
    only(&t, 6, 1);
    assert_int_equal(t.v.two_calls, 1);
    assert_int_equal(t.v.breaches, 0);
}

static void test_two_customers_in_one_bridge(void **state)
{
    struct judge_attempt r = row(OTHER);
    struct tale t = good();

    (void)state;
    r.number = "+12125550102";
    r.lead = 2;
    judge_attempt(t.j, &r);
    see(&t, 3, JUDGE_ORIGINATE, OTHER, "+12125550102");
    see(&t, 10, JUDGE_ANSWER, OTHER, NULL);
    see(&t, 11, JUDGE_ENTER, OTHER, "brg-1");
    see(&t, 12, JUDGE_LEAVE, OTHER, "brg-1");
    see(&t, 50, JUDGE_END, OTHER, "far");
    decide(&t);
    assert_true(t.v.two_calls >= 1);
}

/* An answer that nobody takes; `message` and `end` from the answer, 0 none. */
static struct tale nobody(double message, double end, bool held, unsigned outcome)
{
    struct judge_attempt r = row(CALL);
    struct tale t = begin();

    r.outcome = (uint8_t)outcome;
    r.bridged_ms = r.disposed_ms = 0;
    r.dispositions = 0;
    r.state = ATTEMPT_ENDED;
    see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
    see_as(&t, 5, JUDGE_ANSWER, held, CALL, NULL);
    if (message > 0) {
        see(&t, 5 + message, JUDGE_MESSAGE, CALL, NULL);
    }
    see_as(&t, 5 + end, JUDGE_END, message <= 0, CALL, NULL);
    judge_attempt(t.j, &r);
    at_rest(&t);
    return t;
}

static void test_answered_and_nobody_there(void **state)
{
    struct tale t = nobody(1.9, 8, true, OUTCOME_ABANDONED);

    (void)state;
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.abandoned, 1);
    t = nobody(2.5, 8, true, OUTCOME_ABANDONED); /* too late */
    decide(&t);
    only(&t, 6, 1);
    t = nobody(0, 1, true, OUTCOME_CUSTOMER_GONE); /* the callee did not wait */
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.gone, 1);
    t = nobody(0, 9, true, OUTCOME_ABANDONED); /* silence */
    decide(&t);
    only(&t, 6, 1);
    t = nobody(1.6, 6, false, OUTCOME_ABANDONED); /* the dialplan's */
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.nobody_home, 1);
    t = nobody(0, 9, false, OUTCOME_ABANDONED);
    decide(&t);
    only(&t, 6, 1);
}

/* Called off while it rang: the hang-up and the answer can meet on the way, and then no later. */
static void test_called_off_and_answered(void **state)
{
    static const struct {
        double end;
        unsigned found;
    } cases[] = {{0.1, 0}, {0.9, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judge_attempt r = row(CALL);
        struct tale t = begin();

        r.outcome = OUTCOME_CANCELLED;
        r.answered_ms = r.bridged_ms = r.disposed_ms = 0;
        r.dispositions = 0;
        r.state = ATTEMPT_ENDED;
        see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
        see_as(&t, 5, JUDGE_ANSWER, true, CALL, NULL);
        see_as(&t, 5 + cases[i].end, JUDGE_END, false, CALL, NULL);
        judge_attempt(t.j, &r);
        at_rest(&t);
        decide(&t);
        assert_int_equal(t.v.broken[6], cases[i].found);
    }
}

/* The agent hung up, and the join was on its way: they were together for an instant, or for long.
 */
static void test_parted_by_a_crossing(void **state)
{
    static const struct {
        double parted;
        unsigned found;
    } cases[] = {{5.6, 0}, {6.5, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct judge_attempt r = row(CALL);
        struct tale t = begin();

        r.outcome = OUTCOME_ABANDONED;
        r.bridged_ms = r.disposed_ms = 0;
        r.dispositions = 0;
        r.disposition = NULL;
        r.by_agent = false;
        r.state = ATTEMPT_ENDED;
        r.agent = 0;
        see(&t, 1, JUDGE_ORIGINATE, CALL, NUMBER);
        see_as(&t, 5, JUDGE_ANSWER, true, CALL, NULL);
        see(&t, 5.3, JUDGE_ENTER, CALL, "brg-1");
        see(&t, 5.5, JUDGE_ENTER, LEG, "brg-1");
        see(&t, cases[i].parted, JUDGE_LEAVE, LEG, "brg-1");
        see(&t, 6.9, JUDGE_LEAVE, CALL, "brg-1");
        see(&t, 6.9, JUDGE_MESSAGE, CALL, NULL);
        see(&t, 10, JUDGE_END, CALL, "us");
        judge_attempt(t.j, &r);
        at_rest(&t);
        decide(&t);
        assert_int_equal(t.v.broken[7], cases[i].found);
    }
}

static void test_answered_into_a_fault(void **state)
{
    struct tale t = nobody(5, 9, true, OUTCOME_ABANDONED);

    (void)state;
    see(&t, 4, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 8.5, JUDGE_RECOVERED, NULL, "daemon killed");
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.downtime_waits, 1);
    t = nobody(5, 9, true, OUTCOME_ABANDONED); /* the message at 10 s, 3 s after the recovery */
    see(&t, 4, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 7, JUDGE_RECOVERED, NULL, "daemon killed");
    decide(&t);
    only(&t, 6, 1);
    t = nobody(5, 9, true, OUTCOME_ABANDONED); /* a fault that concerns no call excuses nothing */
    see_as(&t, 4, JUDGE_FAULT, false, NULL, "hopper flushed");
    see(&t, 7, JUDGE_RECOVERED, NULL, "hopper flushed");
    decide(&t);
    only(&t, 6, 1);
}

static void test_a_live_call_is_not_adopted(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.outcome = OUTCOME_UNKNOWN;
    r.state = ATTEMPT_UNKNOWN;
    r.ended_ms = ms(22);
    t = told(&r);
    see(&t, 20, JUDGE_FAULT, NULL, "daemon killed");
    see(&t, 20, JUDGE_NOT_HELD, NULL, NULL);
    see(&t, 21, JUDGE_HELD, NULL, NULL);
    see(&t, 22, JUDGE_RECOVERED, NULL, "daemon killed");
    decide(&t);
    only(&t, 6, 1);
    t = good();
    see(&t, 20, JUDGE_NOT_HELD, NULL, NULL);
    see(&t, 21, JUDGE_HELD, NULL, NULL);
    decide(&t);
    only(&t, 0, 0);
    assert_int_equal(t.v.adopted, 1);
}

/* --- I7 ------------------------------------------------------------------------------------------
 */

static void test_an_abandoned_call_is_not_counted(void **state)
{
    struct tale t = nobody(1.9, 8, true, OUTCOME_CUSTOMER_GONE);

    (void)state;
    decide(&t);
    only(&t, 7, 1);
    t = nobody(1.9, 8, true, OUTCOME_ABANDONED);
    judge_campaign(t.j, &(struct judge_campaign){
                            .campaign = 1, .prefixes = "+1", .counted = true, .answers = 1});
    decide(&t);
    only(&t, 7, 1);
    t = nobody(1.9, 8, true, OUTCOME_UNKNOWN); /* and nothing was broken */
    decide(&t);
    only(&t, 7, 1);
}

/* --- I8, I9, I10
 * ---------------------------------------------------------------------------------- */

static void test_a_disposition_is_lost(void **state)
{
    struct judge_attempt r = row(CALL);
    struct tale t;

    (void)state;
    r.disposition = "";
    r.disposed_ms = 0;
    r.dispositions = 0;
    t = told(&r);
    decide(&t);
    assert_int_equal(t.v.broken[8], 1);
    assert_int_equal(t.v.stuck, 1); /* and it waits for ever */
    r.disposition = "dnc";
    r.disposed_ms = ms(71);
    t = told(&r);
    decide(&t);
    only(&t, 8, 1);
    r = row(CALL);
    r.dispositions = 2;
    t = told(&r);
    decide(&t);
    only(&t, 8, 1);
}

static void test_a_page_shows_something_else(void **state)
{
    struct tale t = good();

    (void)state;
    agent(&t, 110, JUDGE_TOLD, NULL, "busy");
    decide(&t);
    only(&t, 9, 1);
    t = good();
    agent(&t, 110, JUDGE_TOLD, NULL, "busy");
    agent(&t, 111, JUDGE_GONE, NULL, NULL);
    decide(&t);
    only(&t, 0, 0);
    t = good();
    agent(&t, 10, JUDGE_GAP, NULL, "after 7, has 5");
    decide(&t);
    only(&t, 9, 1);
}

static void test_a_bound_is_passed(void **state)
{
    struct tale t = good();

    (void)state;
    see(&t, 10, JUDGE_LIMIT, NULL, "memory of dialerd");
    decide(&t);
    only(&t, 10, 1);
}

/* The first finding comes with everything about its call. */
static void test_the_first_is_told_with_its_history(void **state)
{
    struct tale t = dialed_again(100, CAUSE_AUTO);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    assert_int_equal(judge_decide(t.j, &t.v), 1);
    judge_tell(t.j, out);
    fclose(out);
    judge_close(t.j);
    assert_non_null(strstr(text, "I2: dialed again 40.0 s after the end of " CALL));
    assert_non_null(strstr(text, "originate " CALL));
    assert_non_null(strstr(text, "enter " CALL));
    assert_non_null(strstr(text, "originate " AGAIN));
    assert_non_null(strstr(text, "attempt " AGAIN));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_wrong),
        cmocka_unit_test(test_a_lead_is_lost),
        cmocka_unit_test(test_a_lead_is_missing),
        cmocka_unit_test(test_dialed_twice),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_seen_without_a_row),
        cmocka_unit_test(test_a_row_of_a_call_that_nobody_saw),
        cmocka_unit_test(test_an_agent_is_stuck),
        cmocka_unit_test(test_a_stale_owner),
        cmocka_unit_test(test_not_allowed),
        cmocka_unit_test(test_two_customers_with_one_agent),
        cmocka_unit_test(test_two_customers_in_one_bridge),
        cmocka_unit_test(test_answered_and_nobody_there),
        cmocka_unit_test(test_called_off_and_answered),
        cmocka_unit_test(test_parted_by_a_crossing),
        cmocka_unit_test(test_answered_into_a_fault),
        cmocka_unit_test(test_a_live_call_is_not_adopted),
        cmocka_unit_test(test_an_abandoned_call_is_not_counted),
        cmocka_unit_test(test_a_disposition_is_lost),
        cmocka_unit_test(test_a_page_shows_something_else),
        cmocka_unit_test(test_a_bound_is_passed),
        cmocka_unit_test(test_the_first_is_told_with_its_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
