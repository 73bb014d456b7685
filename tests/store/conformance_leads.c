/* conformance_leads.c - leads come in and go out: import, export, the explanation of one. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OPS(w) ((w)->s->ops)

void import_may_be_repeated(void **state)
{
    struct world *w = *state;
    struct store_lead d[4] = {{.number = text_of("+12125550101")},
                              {.number = text_of("+12125550102")},
                              {.number = text_of("+12125550101")},
                              {.number = text_of("+12125550103")}};
    struct store_lead bad = {.number = text_of("12125550104")};
    struct store_import_count count = {0};
    uint64_t first, again, other, rows[8];

    store_good(w->s, OPS(w)->import_begin(w->s, &w->by, w->list, text_of("a.csv"), &first));
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, first, WORLD_NOW, d, 3, &count));
    assert_int_equal(count.inserted, 2);
    assert_int_equal(count.duplicates, 1);
    /* a later batch of the same run, with a number of an earlier one */
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, first, WORLD_NOW, d + 1, 2, &count));
    assert_int_equal(count.inserted, 2);
    assert_int_equal(count.duplicates, 3);
    assert_int_equal(count.repeated, 0);
    /* cut off here; the same file again */
    store_good(w->s, OPS(w)->import_begin(w->s, &w->by, w->list, text_of("a.csv"), &again));
    assert_int_equal(again, first);
    memset(&count, 0, sizeof count);
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, again, WORLD_NOW + 1, d, 4, &count));
    assert_int_equal(count.inserted, 1);
    assert_int_equal(count.repeated, 3);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 8), 3);
    /* another file */
    store_good(w->s, OPS(w)->import_begin(w->s, &w->by, w->list, text_of("b.csv"), &other));
    assert_int_not_equal(other, first);
    memset(&count, 0, sizeof count);
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, other, WORLD_NOW, d, 1, &count));
    assert_int_equal(count.duplicates, 1);
    assert_int_equal(OPS(w)->import_begin(w->s, &w->by, 999, text_of("a.csv"), &other),
                     STORE_NOT_FOUND);
    assert_int_equal(OPS(w)->leads_insert(w->s, w->list, first, WORLD_NOW, &bad, 1, &count),
                     STORE_INVALID);
}

/* Lead by lead what leads_insert would find, and nothing is there afterwards. */
void import_may_be_tried(void **state)
{
    struct world *w = *state;
    struct msg_suppress m = {.account = STORE_ACCOUNT,
                             .number = text_of("+12125550103"),
                             .source = text_of("test"),
                             .at_wall_ms = WORLD_NOW};
    struct store_lead d[4] = {{.number = text_of("+12125550101")},
                              {.number = text_of("+12125550102")},
                              {.number = text_of("+12125550103")},
                              {.number = text_of("+12125550102")}};
    struct store_lead_look look[4];
    struct store_import_count count = {0};
    uint64_t import, rows[8];

    store_good(w->s, OPS(w)->suppress(w->s, &m, 1));
    store_good(w->s, OPS(w)->leads_look(w->s, w->list, text_of("a.csv"), d, 4, look));
    assert_int_equal(look[0].there, LEAD_NEW);
    assert_int_equal(look[3].there, LEAD_NEW);
    assert_false(look[0].suppressed);
    assert_true(look[2].suppressed);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 8), 0);
    store_good(w->s, OPS(w)->import_begin(w->s, &w->by, w->list, text_of("a.csv"), &import));
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, import, WORLD_NOW, d, 1, &count));
    store_good(w->s, OPS(w)->leads_look(w->s, w->list, text_of("a.csv"), d, 4, look));
    assert_int_equal(look[0].there, LEAD_REPEATED);
    assert_int_equal(look[1].there, LEAD_NEW);
    store_good(w->s, OPS(w)->leads_look(w->s, w->list, text_of("b.csv"), d, 4, look));
    assert_int_equal(look[0].there, LEAD_DUPLICATE);
    assert_int_equal(look[1].there, LEAD_NEW);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 8), 1);
    assert_int_equal(OPS(w)->leads_look(w->s, 999, text_of("a.csv"), d, 4, look), STORE_NOT_FOUND);
}

void import_marks_do_not_call(void **state)
{
    struct world *w = *state;
    struct msg_suppress m = {.account = STORE_ACCOUNT,
                             .number = text_of("+12125550101"),
                             .source = text_of("test"),
                             .at_wall_ms = WORLD_NOW};
    struct store_lead d[2] = {{.number = text_of("+12125550101")},
                              {.number = text_of("+12125550102")}};
    struct store_import_count count = {0};
    uint64_t rows[4];

    store_good(w->s, OPS(w)->suppress(w->s, &m, 1));
    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, 0, WORLD_NOW, d, 2, &count));
    assert_int_equal(count.inserted, 2);
    assert_int_equal(count.suppressed, 1);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 4), 1);
}

static int count_call(void *ctx, const struct store_call *call)
{
    (void)call;
    ++*(int *)ctx;
    return 0;
}

static int count_lead(void *ctx, const struct store_lead_state *lead)
{
    assert_true(lead->lead.number.len > 0);
    ++*(int *)ctx;
    return 0;
}

void exports_in_pages(void **state)
{
    struct world *w = *state;
    struct store_cursor at = {0};
    uint64_t rows[20];
    size_t i, n;
    int calls = 0, leads = 0;

    world_leads(w, 20);
    assert_int_equal(world_rows(w, WORLD_NOW, rows, 20), 20);
    for (i = 0; i < 20; i++)
        assert_int_equal(world_claim_one(w, rows[i], WORLD_NOW + (int64_t)i / 3, NULL),
                         REASON_allow);
    do {
        n = 7;
        store_good(w->s,
                   OPS(w)->calls(w->s, WORLD_NOW, WORLD_NOW + 6, 0, &at, &n, count_call, &calls));
    } while (n > 0);
    assert_int_equal(calls, 18);
    memset(&at, 0, sizeof at);
    do {
        n = 7;
        store_good(w->s,
                   OPS(w)->leads(w->s, WORLD_NOW, WORLD_NOW + 1, &at, &n, count_lead, &leads));
    } while (n > 0);
    assert_int_equal(leads, 20);
}

struct times {
    int n;
    uint64_t agent;
    int64_t until;
    int64_t total;
    int open;
};

static int take_time(void *ctx, const struct store_agent_time *t)
{
    struct times *all = ctx;

    if (all->n++ > 0 && all->agent == t->agent)
        assert_int_equal(all->until, t->from_ms);
    all->agent = t->agent;
    all->until = t->until_ms;
    if (t->until_ms)
        all->total += t->until_ms - t->from_ms;
    else
        all->open++;
    return 0;
}

void agent_times_tile(void **state)
{
    static const uint8_t states[] = {AGENT_CONNECTING, AGENT_AVAILABLE, AGENT_RESERVED, AGENT_BUSY,
                                     AGENT_WRAPUP,     AGENT_AVAILABLE, AGENT_OFFLINE};
    struct world *w = *state;
    struct msg_agent_config a;
    struct store_cursor at = {0};
    struct times all = {0};
    uint64_t second;
    size_t i, n;

    store_agent_defaults(&a);
    a.login = text_of("berta");
    store_good(w->s, OPS(w)->agent_add(w->s, &w->by, &a, ROLE_AGENT, text_of("x"), &second));
    for (i = 0; i < 14; i++) {
        struct msg_agent_moved m = {.agent = i % 2 ? second : w->agent,
                                    .state = states[i / 2],
                                    .reason = text_of(""),
                                    .at_wall_ms = WORLD_NOW + (int64_t)(i / 2) * 1000};
        store_good(w->s, OPS(w)->agent_moved(w->s, &m, 1));
        store_good(w->s, OPS(w)->agent_moved(w->s, &m, 1));
    }
    do {
        n = 3;
        store_good(w->s, OPS(w)->agent_times(w->s, WORLD_NOW, WORLD_NOW + 60000, &at, &n, take_time,
                                             &all));
    } while (n > 0);
    assert_int_equal(all.n, 14);
    assert_int_equal(all.open, 2);
    assert_int_equal(all.total, 12000);
}

void explains_a_lead(void **state)
{
    struct world *w = *state;
    struct msg_explain_lead e;
    struct msg_attempt_over m;
    struct msg_claimed c;
    uint64_t row;
    uint8_t result;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, &c), REASON_allow);
    m = world_over(w, &c, OUTCOME_BUSY, WORLD_NOW + 1000);
    store_good(w->s, OPS(w)->explain_lead(w->s, c.lead, WORLD_NOW, &e));
    assert_true(e.number_alive);
    store_good(w->s, OPS(w)->attempt_over(w->s, &m, 1, &result));
    store_good(w->s, OPS(w)->explain_lead(w->s, m.lead, WORLD_NOW + 2000, &e));
    assert_int_equal(e.campaign, w->campaign);
    assert_int_equal(e.row, row);
    assert_int_equal(e.row_status, ROW_FAILED);
    assert_int_equal(e.attempts, 1);
    assert_int_equal(e.attempts_24h, 1);
    assert_int_equal(e.number_free_wall_ms, WORLD_NOW + 301000);
    assert_int_equal(e.due_wall_ms, WORLD_NOW + 301000);
    assert_true(e.list_active);
    assert_false(e.number_alive);
    assert_false(e.suppressed);
    assert_false(e.final);
    assert_true(text_is(e.number, "+12125550120"));
    assert_int_equal(OPS(w)->explain_lead(w->s, 999, WORLD_NOW, &e), STORE_NOT_FOUND);
}
