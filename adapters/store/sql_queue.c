/*
 * sql_queue.c - which rows may go next, and what comes back.
 */
#include <stdlib.h>

#include "adapters/store/rules.h"
#include "adapters/store/sql.h"

#define LISTS_MAX 256

struct lists {
    int64_t id[LISTS_MAX], priority[LISTS_MAX];
    bool shut[LISTS_MAX]; /* outside its hours: only leads with a zone of their own */
    size_t n;
    const struct msg_candidates *asked; /* NULL: nobody asks for hours */
    int64_t opens_ms;                   /* the first of the shut ones, 0 none */
};

static int take_list(void *ctx, size_t item, const struct sql_value *c)
{
    struct lists *l = ctx;

    (void)item;
    if (l->n == LISTS_MAX)
        return 1;
    if (l->asked) {
        int64_t opens;

        l->shut[l->n] = !list_open(l->asked, c[2].t, &opens);
        if (l->shut[l->n] && (l->opens_ms == 0 || opens < l->opens_ms))
            l->opens_ms = opens;
    }
    l->id[l->n] = c[0].i;
    l->priority[l->n++] = c[1].i;
    return 0;
}

static int count_row(void *ctx, size_t item, const struct sql_value *c)
{
    struct msg_recycled *out = ctx;

    (void)item;
    out->rows++;
    out->callbacks += c[1].i != 0;
    return 0;
}

static int recycle_lists(struct sql_store *s, const struct msg_recycle *req, const struct lists *l,
                         struct msg_recycled *out)
{
    struct sql_ints next = {0};
    size_t i;
    int rc = STORE_OK;

    for (i = 0; i < l->n && rc == STORE_OK && out->rows < RECYCLE_MAX; i++) {
        const struct sql_value *p = SQL_PARAMS(
            sql_i(l->id[i]), sql_i(req->at_wall_ms), sql_i(RECYCLE_MAX - out->rows),
            sql_i(req->max_attempts), sql_i(row_next(ROW_FAILED, false, RE_TIMEOUT).status));
        rc = s->backend->each(s, SQL_recycle, p, 1, count_row, out);
        if (rc == STORE_OK)
            rc = s->backend->exec(s, SQL_recycle_park, p, NULL);
    }
    if (rc == STORE_OK)
        rc = sql_query(s, recycle_next, sql_take_int, &next, sql_u(req->campaign));
    out->next_wall_ms = next.v[0];
    return rc;
}

int sql_recycle(struct store *st, const struct msg_recycle *req, struct msg_recycled *out)
{
    struct sql_store *s = sql_of(st);
    struct lists lists = {.n = 0};
    struct sql_ints leased = {0};
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    *out = (struct msg_recycled){.campaign = req->campaign};
    if (rc)
        return rc;
    rc = s->backend->each(s, SQL_lease_check,
                          SQL_PARAMS(sql_u(req->campaign), sql_s(s->owner), sql_i(req->epoch),
                                     sql_i(req->at_wall_ms)),
                          1, sql_take_int, &leased);
    if (rc == STORE_OK && leased.v[0]) {
        rc = sql_query(s, queue_lists, take_list, &lists, sql_u(req->campaign));
        if (rc == STORE_OK)
            rc = recycle_lists(s, req, &lists, out);
    }
    return sql_leave(s, mine, rc);
}

/* --- candidates ------------------------------------------------------------------------------- */

struct candidate {
    int64_t list_priority, priority, due, position, row;
};

struct candidates {
    const struct lists *lists;
    size_t of[LISTS_MAX]; /* list of each item */
    struct candidate *c;
    size_t n, room;
};

static int take_candidate(void *ctx, size_t item, const struct sql_value *c)
{
    struct candidates *k = ctx;

    if (k->n == k->room)
        return 1;
    k->c[k->n++] = (struct candidate){.list_priority = k->lists->priority[k->of[item]],
                                      .row = c[0].i,
                                      .priority = c[1].i,
                                      .due = c[2].i,
                                      .position = c[3].i};
    return 0;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int in_queue_order(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int c = compare(x->list_priority, y->list_priority);

    if (!c)
        c = compare(x->priority, y->priority);
    if (!c)
        c = compare(x->due, y->due);
    if (!c)
        c = compare(x->position, y->position);
    return c ? c : compare(x->row, y->row);
}

static int take_callback(void *ctx, size_t item, const struct sql_value *c)
{
    struct candidates *k = ctx;

    (void)item;
    if (k->n == k->room)
        return 1;
    k->c[k->n++] = (struct candidate){.row = c[0].i, .due = c[1].i};
    return 0;
}

/* Of the lists from..to: their callbacks, also those of lists that are outside their hours (the
 * claim knows each lead's own); what the open ones have; or of the shut ones, leads with a zone. */
static int read_lists(struct sql_store *s, enum sql_id what, size_t from, size_t to, int64_t now,
                      size_t room, struct candidates *k)
{
    struct sql_value params[LISTS_MAX * 3];
    size_t n = 0;
    size_t i;

    for (i = from; i < to; i++) {
        if (what != SQL_callbacks && k->lists->shut[i] != (what == SQL_candidates_zoned))
            continue;
        k->of[n] = i;
        params[n * 3] = sql_i(k->lists->id[i]);
        params[n * 3 + 1] = sql_i(now);
        params[n++ * 3 + 2] = sql_i((int64_t)room);
    }
    return n == 0 ? STORE_OK
                  : s->backend->each(s, what, params, n,
                                     what == SQL_callbacks ? take_callback : take_candidate, k);
}

static int make_room(struct sql_store *s, struct candidates *k, size_t room)
{
    k->room = room;
    k->c = sql_alloc(s, room * sizeof *k->c);
    return k->c ? STORE_OK : sql_fail(s, STORE_AWAY, "out of memory");
}

static int read_callbacks(struct sql_store *s, const struct lists *l, int64_t now, size_t room,
                          uint64_t *rows, size_t *n)
{
    struct candidates k = {.lists = l};
    size_t i;
    int rc = make_room(s, &k, l->n * room);

    if (rc == STORE_OK)
        rc = read_lists(s, SQL_callbacks, 0, l->n, now, room, &k);
    if (rc)
        return rc;
    qsort(k.c, k.n, sizeof *k.c, in_queue_order);
    for (i = 0; i < k.n && *n < room; i++)
        rows[(*n)++] = (uint64_t)k.c[i].row;
    return STORE_OK;
}

static bool is_among(const uint64_t *rows, size_t n, int64_t row)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (rows[i] == (uint64_t)row)
            return true;
    return false;
}

/* List after list while there is room; lists of one priority are read together and merged. What is
 * there already are callbacks. */
static int read_candidates(struct sql_store *s, const struct lists *l, int64_t now, size_t room,
                           uint64_t *rows, size_t *n)
{
    size_t from, to, want, i, first = *n;
    int rc;

    for (from = 0; from < l->n && *n < room; from = to) {
        struct candidates k = {.lists = l};
        for (to = from; to < l->n && l->priority[to] == l->priority[from]; to++)
            continue;
        want = room - *n + first;
        rc = make_room(s, &k, (to - from) * want);
        if (rc == STORE_OK)
            rc = read_lists(s, SQL_candidates, from, to, now, want, &k);
        if (rc == STORE_OK)
            rc = read_lists(s, SQL_candidates_zoned, from, to, now, want, &k);
        if (rc)
            return rc;
        qsort(k.c, k.n, sizeof *k.c, in_queue_order);
        for (i = 0; i < k.n && *n < room; i++)
            if (!is_among(rows, first, k.c[i].row))
                rows[(*n)++] = (uint64_t)k.c[i].row;
    }
    return STORE_OK;
}

int sql_candidates(struct store *st, const struct msg_candidates *req, uint64_t *rows, size_t *n,
                   struct msg_candidates_end *out)
{
    struct sql_store *s = sql_of(st);
    struct lists lists = {.asked = req};
    struct sql_ints next = {0};
    size_t room = *n < req->limit ? *n : req->limit;
    int rc = sql_enter(s);

    *n = 0;
    *out = (struct msg_candidates_end){.campaign = req->campaign};
    if (rc == STORE_OK)
        rc = sql_query(s, queue_lists, take_list, &lists, sql_u(req->campaign));
    if (rc == STORE_OK)
        rc = read_callbacks(s, &lists, req->at_wall_ms, room, rows, n);
    if (rc == STORE_OK)
        rc = read_candidates(s, &lists, req->at_wall_ms, room, rows, n);
    /* When the next one comes matters only to somebody who did not get all he asked for. */
    if (rc == STORE_OK && *n < room)
        rc = sql_query(s, candidates_next, sql_take_int, &next, sql_u(req->campaign),
                       sql_i(req->at_wall_ms));
    out->rows = (uint32_t)*n;
    out->next_wall_ms = next.v[0];
    out->opens_wall_ms = lists.opens_ms;
    out->result = rc == STORE_OK ? RESULT_OK : RESULT_AWAY;
    return sql_leave(s, false, rc);
}

int sql_abandon_window(struct store *st, uint64_t campaign, int64_t day_from, int64_t now,
                       struct msg_abandon_window *out)
{
    struct sql_store *s = sql_of(st);
    struct sql_ints month = {0}, day = {0};
    int rc = sql_enter(s);

    *out = (struct msg_abandon_window){.campaign = campaign};
    if (rc == STORE_OK)
        rc = sql_query(s, abandoned, sql_take_ints2, &month, sql_u(campaign),
                       sql_i(now - 30 * DAY_MS));
    if (rc == STORE_OK)
        rc = sql_query(s, abandoned, sql_take_ints2, &day, sql_u(campaign), sql_i(day_from));
    out->answers_30d = (uint64_t)month.v[0];
    out->abandoned_30d = (uint64_t)month.v[1];
    out->answers_day = (uint64_t)day.v[0];
    out->abandoned_day = (uint64_t)day.v[1];
    return sql_leave(s, false, rc);
}
