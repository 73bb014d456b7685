/* tale.h - the words in which histories are told to the judge. */
#ifndef TESTS_JUDGE_TALE_H
#define TESTS_JUDGE_TALE_H

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

static inline int64_t us(double s)
{
    return START + (int64_t)(s * 1e6);
}

static inline int64_t ms(double s)
{
    return us(s) / 1000;
}

static inline void see_as(struct tale *t, double at, unsigned kind, bool yes, const char *id,
                          const char *text)
{
    judge_see(t->j, &(struct judge_event){.at_us = us(at),
                                          .kind = (uint8_t)kind,
                                          .yes = yes,
                                          .id = id,
                                          .number = kind == JUDGE_ORIGINATE ? text : NULL,
                                          .text = kind == JUDGE_ORIGINATE ? NULL : text});
}

static inline void see(struct tale *t, double at, unsigned kind, const char *id, const char *text)
{
    see_as(t, at, kind, true, id, text);
}

static inline void agent(struct tale *t, double at, unsigned kind, const char *id, const char *text)
{
    judge_see(t->j,
              &(struct judge_event){
                  .at_us = us(at), .kind = (uint8_t)kind, .agent = 7, .id = id, .text = text});
}

static inline struct tale begin_late(int64_t late_us)
{
    struct tale t = {.j = judge_open(&(struct judge_options){
                         .imported = 2, .check_pages = true, .late_us = late_us})};

    judge_campaign(
        t.j, &(struct judge_campaign){.campaign = 1, .retry_ms = 300000, .prefixes = "+1,+44"});
    see(&t, 0, JUDGE_HELD, NULL, NULL);
    see(&t, 0.1, JUDGE_ORIGINATE, LEG, "");
    see(&t, 0.2, JUDGE_ANSWER, LEG, NULL);
    return t;
}

static inline struct tale begin(void)
{
    return begin_late(0);
}

static inline struct judge_attempt row(const char *id)
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
static inline void talk(struct tale *t, const char *id)
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

static inline struct judge_lead lead(uint64_t id, uint8_t status)
{
    return (struct judge_lead){.lead = id,
                               .list = 1,
                               .campaign = 1,
                               .number = id == 1 ? NUMBER : "+12125550102",
                               .rows = 1,
                               .status = status,
                               .final = status == ROW_COMPLETED};
}

static inline void at_rest(struct tale *t)
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

static inline void decide(struct tale *t)
{
    const int broken = judge_decide(t->j, &t->v);

    if (getenv("JUDGE_TELLS") != NULL) {
        judge_tell(t->j, stderr);
    }
    judge_close(t->j);
    assert_int_equal(broken, t->v.first[0] != '\0');
}

/* Only this invariant is broken. */
static inline void only(const struct tale *t, unsigned invariant, uint64_t times)
{
    for (unsigned i = 1; i < JUDGE_INVARIANTS; i++) {
        if (t->v.broken[i] != (i == invariant ? times : 0)) {
            fail_msg("I%u is broken %u times: %s", i, (unsigned)t->v.broken[i], t->v.first);
        }
    }
}

/* A whole, right history with this attempt's row. */
static inline struct tale told(const struct judge_attempt *r)
{
    struct tale t = begin();

    talk(&t, CALL);
    judge_attempt(t.j, r);
    at_rest(&t);
    return t;
}

static inline struct tale good(void)
{
    const struct judge_attempt r = row(CALL);

    return told(&r);
}

/* Decides, and only this invariant is broken, so many times. */
static inline void finds(struct tale *t, unsigned invariant, uint64_t times)
{
    decide(t);
    only(t, invariant, times);
}

#endif
