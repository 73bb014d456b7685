/* The table of a row's life (actors/row.c), walked in every store: a row is brought into each place
 * by what brings it there, each event happens to it, and the store must do what the table says. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OPS(w) ((w)->s->ops)
#define THEN (WORLD_NOW + 400000)
#define LATER (WORLD_NOW + 800000)

struct walk {
    struct world *w;
    struct text number;
    uint64_t row;
    struct msg_claimed last; /* the attempt of the last claim that was allowed */
};

static void claims(struct walk *k, uint8_t cause, const char *prefixes, int64_t now)
{
    struct msg_claim req = world_claim(k->w, k->row, now);
    struct msg_claimed c;

    req.cause = cause;
    req.agent = cause == CAUSE_AGENT ? k->w->agent : 0;
    req.prefixes = text_of(prefixes);
    store_good(k->w->s, OPS(k->w)->lease_renew(k->w->s, now));
    store_good(k->w->s, OPS(k->w)->claim(k->w->s, &req, 1, &c));
    if (c.reason == REASON_allow)
        k->last = c;
}

static void picked_up(struct walk *k, int64_t now)
{
    struct msg_attempt_moved m = {.campaign = k->w->campaign,
                                  .attempt = k->last.attempt,
                                  .row = k->row,
                                  .state = ATTEMPT_ANSWERED,
                                  .at_wall_ms = now};

    store_good(k->w->s, OPS(k->w)->attempt_moved(k->w->s, &m, 1));
}

static void over(struct walk *k, uint8_t outcome, int64_t now)
{
    struct msg_attempt_over m = world_over(k->w, &k->last, outcome, now);

    world_end(k->w, &m);
}

static void disposed(struct walk *k, const char *code)
{
    struct msg_dispose m = {.agent = k->w->agent,
                            .attempt = k->last.attempt,
                            .code = text_of(code),
                            .number = k->number,
                            .at_wall_ms = LATER};
    struct msg_disposed d;

    store_good(k->w->s, OPS(k->w)->dispose(k->w->s, &m, 1, &d));
    assert_int_equal(d.result, RESULT_OK);
}

static void recycled(struct walk *k, uint32_t max_attempts, int64_t now)
{
    struct msg_recycle r = {.campaign = k->w->campaign,
                            .epoch = k->w->epoch,
                            .max_attempts = max_attempts,
                            .at_wall_ms = now};
    struct msg_recycled out;

    store_good(k->w->s, OPS(k->w)->lease_renew(k->w->s, now));
    store_good(k->w->s, OPS(k->w)->recycle(k->w->s, &r, &out));
}

static void suppressed(struct walk *k)
{
    struct msg_suppress m = {.account = STORE_ACCOUNT,
                             .number = k->number,
                             .source = text_of("test"),
                             .at_wall_ms = LATER};

    store_good(k->w->s, OPS(k->w)->suppress(k->w->s, &m, 1));
}

/* What is final was no number once: nobody has disposed it, so that anything may happen to it. */
static void bring(struct walk *k, uint8_t status, bool final, bool barred)
{
    claims(k, CAUSE_AUTO, "+1", WORLD_NOW);
    if (final && !barred) {
        over(k, OUTCOME_BAD_NUMBER, WORLD_NOW + 1000);
        if (status != ROW_FAILED)
            claims(k, CAUSE_AGENT, "+1", THEN);
    } else if (status == ROW_PENDING || status == ROW_FAILED) {
        over(k, OUTCOME_BUSY, WORLD_NOW + 1000);
        if (status == ROW_PENDING || barred)
            recycled(k, 3, THEN);
    }
    if (barred) {
        suppressed(k);
        claims(k, CAUSE_AUTO, "+1", LATER);
    }
    if (status == ROW_ANSWERED || status == ROW_COMPLETED)
        picked_up(k, THEN + 1000);
    if (status == ROW_COMPLETED)
        over(k, OUTCOME_ANSWERED, THEN + 2000);
}

/* The timer of a row's place is somebody else's. */
static void runs_out(struct walk *k, uint8_t status, bool final)
{
    if (row_in_air(status))
        over(k, OUTCOME_UNKNOWN, LATER);
    else if (status == ROW_COMPLETED && !final)
        disposed(k, "not_disposed");
    else
        recycled(k, 3, LATER);
}

static void happens(struct walk *k, uint8_t status, bool final, enum row_event on)
{
    switch (on) {
    case RE_TIMEOUT:
        runs_out(k, status, final);
        break;
    case RE_CLAIMED:
    case RE_ASKED_FOR:
        claims(k, on == RE_CLAIMED ? CAUSE_AUTO : CAUSE_AGENT, "+1", LATER);
        break;
    case RE_BARRED:
        suppressed(k);
        claims(k, CAUSE_AUTO, "+1", LATER);
        break;
    case RE_HELD_BACK:
        claims(k, CAUSE_AUTO, "+44", LATER);
        break;
    case RE_SPENT: /* and what is not due at all is left alone, whatever it has used */
        recycled(k, status == ROW_FAILED && !final ? 0 : 3, LATER);
        break;
    case RE_PICKED_UP:
        picked_up(k, LATER);
        break;
    case RE_NOT_SENT:
    case RE_MISSED:
    case RE_BAD_NUMBER:
    case RE_TALKED:
        over(k,
             on == RE_NOT_SENT ? OUTCOME_NEVER_SENT
             : on == RE_MISSED ? OUTCOME_ABANDONED
             : on == RE_TALKED ? OUTCOME_MACHINE
                               : OUTCOME_BAD_NUMBER,
             LATER);
        break;
    case RE_SETTLED:
    case RE_AGAIN:
    case RE_NOT_DISPOSED:
        disposed(k, on == RE_SETTLED ? "sale" : on == RE_AGAIN ? "no_answer" : "not_disposed");
        break;
    case RE_UNBARRED:
        suppressed(k);
        store_good(k->w->s, OPS(k->w)->unsuppress(k->w->s, &k->w->by, STORE_ACCOUNT, k->number));
        break;
    case RE_EVENTS:
        break;
    }
}

static struct store_lead_state look(struct walk *k)
{
    struct store_lead_state d = world_lead(k->w, k->row);

    assert_memory_equal(d.lead.number.ptr, k->number.ptr, k->number.len);
    return d;
}

static void one_step(struct walk *k, uint8_t status, bool final, enum row_event on)
{
    struct row_step want = row_next(status, final, on);
    struct store_lead_state d;

    bring(k, status, final, final && status == ROW_FAILED && on == RE_UNBARRED);
    d = look(k);
    if (d.row_status != status || d.final != final)
        fail_msg("a row for %s%s came to %s", row_status_name(status), final ? ", final" : "",
                 row_status_name(d.row_status));
    happens(k, status, final, on);
    d = look(k);
    if (d.row_status != want.status || d.final != want.final)
        fail_msg("%s%s, event %u: %s%s, the table says %s%s", row_status_name(status),
                 final ? ", final" : "", on, row_status_name(d.row_status),
                 d.final ? ", final" : "", row_status_name(want.status),
                 want.final ? ", final" : "");
}

void rows_follow_their_table(void **state)
{
    struct world *w = *state;
    uint64_t rows[10 * RE_EVENTS];
    unsigned n = 0;

    world_leads(w, 10 * RE_EVENTS);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 10 * RE_EVENTS), 10 * RE_EVENTS);
    for (unsigned at = 0; at < 10; at++) {
        uint8_t status = (uint8_t)(at % 5);
        bool final = at >= 5;

        if (final && status == ROW_PENDING)
            continue;
        store_good(w->s, OPS(w)->begin(w->s)); /* a commit for each step would take minutes */
        for (unsigned on = 0; on < RE_EVENTS; on++, n++) {
            struct walk k = {.w = w, .row = rows[n], .number = world_number(n)};

            one_step(&k, status, final, (enum row_event)on);
        }
        store_good(w->s, OPS(w)->commit(w->s));
    }
    assert_int_equal(n, 9 * RE_EVENTS);
}

/* Somebody was promised a call at a time; an agent tries sooner, by hand, and it never leaves. */
void what_goes_back_keeps_its_time(void **state)
{
    struct walk k = {.w = *state, .row = 1, .number = world_number(0)};
    struct msg_attempt_over m;

    world_leads(k.w, 1);
    claims(&k, CAUSE_AUTO, "+1", WORLD_NOW);
    m = world_over(k.w, &k.last, OUTCOME_ABANDONED, WORLD_NOW + 1000);
    m.due_wall_ms = LATER;
    world_end(k.w, &m);
    claims(&k, CAUSE_AGENT, "+1", THEN);
    m = world_over(k.w, &k.last, OUTCOME_NEVER_SENT, THEN + 1000);
    m.due_wall_ms = 0;
    m.counts = false;
    world_end(k.w, &m);
    assert_int_equal(look(&k).row_status, ROW_PENDING);
    assert_int_equal(look(&k).due_wall_ms, LATER);
    assert_int_equal(world_claim_one(k.w, k.row, THEN + 1000, NULL), REASON_not_due);
}
