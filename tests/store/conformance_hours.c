/* R17, R18 in every store: what a campaign's window does to candidates and claims. It is Monday
 * 11:30 UTC. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OPS(w) ((w)->s->ops)
#define HOUR INT64_C(3600000)

static uint64_t list_add(struct world *w, const char *name, const char *zone, unsigned number,
                         const char *lead_zone)
{
    struct store_list l = {.campaign = w->campaign,
                           .name = text_of(name),
                           .priority = 1,
                           .zone = text_of(zone),
                           .active = true};
    struct store_lead lead = {.number = world_number(number), .zone = text_of(lead_zone)};
    struct store_import_count count = {0};
    uint64_t import, list;

    store_good(w->s, OPS(w)->list_add(w->s, &w->by, &l, &list));
    store_good(w->s, OPS(w)->import_begin(w->s, &w->by, list, text_of("hours"), &import));
    store_good(w->s, OPS(w)->leads_insert(w->s, list, import, WORLD_NOW, &lead, 1, &count));
    assert_int_equal(count.inserted, 1);
    return list;
}

/* The campaign, in UTC, calls from..to o'clock. */
static size_t candidates(struct world *w, unsigned from, unsigned to, int64_t now, uint64_t *rows,
                         struct msg_candidates_end *end)
{
    struct msg_candidates req = {.campaign = w->campaign,
                                 .limit = 10,
                                 .at_wall_ms = now,
                                 .window_from_min = (uint16_t)(from * 60),
                                 .window_to_min = (uint16_t)(to * 60),
                                 .ring_s = 30};
    size_t n = 10;

    store_good(w->s, OPS(w)->candidates(w->s, &req, rows, &n, end));
    return n;
}

static unsigned claim(struct world *w, uint64_t row, int64_t now, struct msg_claimed *out)
{
    struct msg_claim req = world_claim(w, row, now);

    req.window_from_min = 9 * 60;
    req.window_to_min = 11 * 60;
    req.ring_s = 30;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, out));
    return out->reason;
}

/* A list that is outside its hours gives only leads that have a zone of their own. */
void candidates_by_hours(void **state)
{
    struct world *w = *state;
    struct msg_candidates_end end;
    uint64_t rows[10];

    list_add(w, "utc", "", 1, "");
    list_add(w, "brazil", "America/Bahia", 2, ""); /* 08:30 */
    list_add(w, "mixed", "", 3, "Asia/Tokyo");     /* 20:30 */
    assert_int_equal(candidates(w, 0, 0, WORLD_NOW, rows, &end), 3);
    assert_int_equal(end.opens_wall_ms, 0);
    assert_int_equal(candidates(w, 9, 11, WORLD_NOW, rows, &end), 1); /* Tokyo: the claim decides */
    assert_int_equal(rows[0], 3);
    assert_int_equal(end.opens_wall_ms, WORLD_NOW + HOUR / 2); /* Bahia */
    assert_int_equal(candidates(w, 9, 11, WORLD_NOW + HOUR, rows, &end), 2);
    assert_int_equal(end.opens_wall_ms, WORLD_NOW + 21 * HOUR + HOUR / 2);
    assert_int_equal(candidates(w, 9, 12, WORLD_NOW, rows, &end), 2);
}

/* The claim judges by the lead's clock, then its list's; what is refused waits for its opening,
 * unclaimed, and a campaign with other hours looks at it again. */
void claims_by_hours(void **state)
{
    struct world *w = *state;
    struct msg_recycle recycle = {
        .campaign = w->campaign, .epoch = w->epoch, .max_attempts = 3, .at_wall_ms = WORLD_NOW};
    struct msg_campaign_config other;
    struct msg_explain_lead why;
    struct msg_recycled back;
    struct msg_claimed c;

    list_add(w, "azores", "Atlantic/Azores", 1, ""); /* 10:30 */
    list_add(w, "mixed", "Atlantic/Azores", 2, "Asia/Tokyo");
    list_add(w, "utc", "", 3, "");
    assert_int_equal(claim(w, 3, WORLD_NOW, &c), REASON_outside_hours);
    assert_int_equal(c.due_wall_ms, WORLD_NOW + 21 * HOUR + HOUR / 2);
    assert_int_equal(claim(w, 2, WORLD_NOW, &c), REASON_outside_hours);
    assert_int_equal(c.due_wall_ms, WORLD_NOW + 12 * HOUR + HOUR / 2);
    assert_int_equal(claim(w, 1, WORLD_NOW, &c), REASON_allow);
    assert_true(c.own_zone);
    store_good(w->s, OPS(w)->explain_lead(w->s, 2, WORLD_NOW, &why));
    assert_int_equal(why.row_status, ROW_FAILED);
    assert_int_equal(why.due_wall_ms, WORLD_NOW + 12 * HOUR + HOUR / 2);
    assert_false(why.number_alive);

    store_good(w->s, OPS(w)->recycle(w->s, &recycle, &back));
    assert_int_equal(back.rows, 0);
    assert_int_equal(back.next_wall_ms, WORLD_NOW + 12 * HOUR + HOUR / 2);
    store_campaign_defaults(&other);
    other.campaign = w->campaign;
    other.name = text_of("first");
    store_good(w->s, OPS(w)->campaign_put(w->s, &other));
    store_good(w->s, OPS(w)->recycle(w->s, &recycle, &back));
    assert_int_equal(back.rows, 2);
}
