/* R13, R15 in every store: what goes first. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OPS(w) ((w)->s->ops)
#define DUE (WORLD_NOW + 20000)

static uint64_t list_of(struct world *w, const char *name, uint32_t priority, unsigned number,
                        struct store_list *l)
{
    struct store_lead lead = {.number = world_number(number)};
    struct store_import_count count = {0};

    *l = (struct store_list){
        .campaign = w->campaign, .name = text_of(name), .priority = priority, .active = true};
    store_good(w->s, OPS(w)->list_add(w->s, &w->by, l, &l->list));
    store_good(w->s, OPS(w)->leads_insert(w->s, l->list, 0, WORLD_NOW, &lead, 1, &count));
    assert_int_equal(count.inserted, 1);
    return l->list;
}

static struct msg_recycled recycle(struct world *w, int64_t now)
{
    struct msg_recycle r = {
        .campaign = w->campaign, .epoch = w->epoch, .max_attempts = 1, .at_wall_ms = now};
    struct msg_recycled out;

    store_good(w->s, OPS(w)->lease_renew(w->s, now));
    store_good(w->s, OPS(w)->recycle(w->s, &r, &out));
    return out;
}

/* Of a lead that used its attempts: the call was talked and the agent promised another. */
static void promise(struct world *w, uint64_t row)
{
    struct msg_claim req = world_claim(w, row, WORLD_NOW);
    struct msg_dispose m = {.agent = w->agent,
                            .code = text_of("callback"),
                            .callback_wall_ms = DUE,
                            .at_wall_ms = WORLD_NOW + 2000};
    struct msg_attempt_over over;
    struct msg_disposed d;
    struct msg_claimed c;
    uint8_t result;

    req.agent = w->agent;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    assert_false(c.callback);
    m.attempt = c.attempt;
    over = world_over(w, &c, OUTCOME_ANSWERED, WORLD_NOW + 1000);
    over.agent = w->agent;
    over.counts = true;
    store_good(w->s, OPS(w)->attempt_over(w->s, &over, 1, &result));
    store_good(w->s, OPS(w)->dispose(w->s, &m, 1, &d));
    assert_int_equal(d.result, RESULT_OK);
}

/* It goes before all of another list's rows, whatever the priorities, once; and a claim that was
 * taken back leaves it a callback. */
void callbacks_go_before_every_list(void **state)
{
    struct world *w = *state;
    struct store_list first, last;
    struct msg_attempt_over over;
    struct msg_recycled back;
    struct msg_claim req;
    struct msg_claimed c;
    uint64_t rows[4];
    uint8_t result;

    list_of(w, "last", 9, 1, &last);
    list_of(w, "first", 1, 2, &first);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 2);
    assert_int_equal(rows[0], 2);
    promise(w, 1);
    back = recycle(w, DUE - 1);
    assert_int_equal(back.callbacks, 0);
    assert_int_equal(back.next_wall_ms, DUE);
    back = recycle(w, DUE);
    assert_int_equal(back.rows, 1);
    assert_int_equal(back.callbacks, 1);
    assert_int_equal(world_rows(w, DUE, rows, 4), 2);
    assert_int_equal(rows[0], 1);
    assert_int_equal(rows[1], 2);
    assert_int_equal(world_rows(w, DUE, rows, 1), 1);
    assert_int_equal(rows[0], 1);

    for (int i = 0; i < 2; i++) {
        req = world_claim(w, 1, DUE);
        req.max_attempts = 1;
        req.retry_s = 0;
        store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
        assert_int_equal(c.reason, REASON_allow);
        assert_true(c.callback);
        over = world_over(w, &c, OUTCOME_NEVER_SENT, DUE);
        over.counts = false;
        over.due_wall_ms = 0;
        store_good(w->s, OPS(w)->attempt_over(w->s, &over, 1, &result));
        assert_int_equal(world_rows(w, DUE, rows, 4), 2);
        assert_int_equal(rows[0], 1);
    }
}

void list_priorities_act(void **state)
{
    struct world *w = *state;
    struct store_list a, b;
    uint64_t rows[4];

    list_of(w, "a", 1, 1, &a);
    list_of(w, "b", 2, 2, &b);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 2);
    assert_int_equal(rows[0], 1);
    a.priority = 3;
    store_good(w->s, OPS(w)->list_put(w->s, &a));
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 2);
    assert_int_equal(rows[0], 2);
}

/* R16: a number outside the prefixes is refused without an attempt and looked at again when the
 * campaign's settings change, not before; one that is never called stays out whatever is allowed.
 */
void claims_by_prefix(void **state)
{
    struct world *w = *state;
    struct store_lead lead = {.number = text_of("+19005550155")};
    struct store_import_count count = {0};
    struct msg_campaign_config other;
    struct msg_explain_lead why;
    struct msg_claim req;
    struct msg_claimed c;
    uint64_t rows[4];

    world_leads(w, 1);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 1);
    req = world_claim(w, rows[0], WORLD_NOW);
    req.prefixes = text_of("+44,+1646");
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_prefix_not_allowed);
    req.prefixes = text_of("");
    assert_int_equal(recycle(w, DUE).rows, 0);
    assert_int_equal(recycle(w, DUE).next_wall_ms, 0);
    store_good(w->s, OPS(w)->explain_lead(w->s, rows[0], WORLD_NOW, &why));
    assert_int_equal(why.row_status, ROW_FAILED);
    assert_int_equal(why.attempts, 0);
    assert_false(why.number_alive);

    store_campaign_defaults(&other);
    other.campaign = w->campaign;
    other.name = text_of("first");
    store_good(w->s, OPS(w)->campaign_put(w->s, &other));
    assert_int_equal(recycle(w, DUE).rows, 1);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_prefix_not_allowed); /* none set: nobody */
    store_good(w->s, OPS(w)->campaign_put(w->s, &other));
    assert_int_equal(recycle(w, DUE).rows, 1);
    assert_int_equal(world_claim_one(w, rows[0], DUE, &c), REASON_allow);
    assert_int_equal(c.attempt_no, 1);

    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, 0, WORLD_NOW, &lead, 1, &count));
    assert_int_equal(world_rows(w, DUE, rows, 4), 1);
    assert_int_equal(world_claim_one(w, rows[0], DUE, &c), REASON_prefix_forbidden);
    req = world_claim(w, 0, DUE); /* by hand neither */
    req.cause = CAUSE_AGENT;
    req.number = lead.number;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_prefix_forbidden);
}
