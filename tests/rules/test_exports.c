/*
 * test_exports.c - R28: what is exported adds up. One run with all that calls and agents do; then
 * `export calls` against what the simulated Asterisk saw, as CSV and as JSON lines, and `export
 * agents` from login to logout.
 */
#include "adapters/lead/csv.h"
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS_MAX 200u
#define COLUMNS_MAX 40u
#define STATES_MAX 200u

static int64_t wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "2026-11-23T09:00:00.123Z"; 0 for what is no time. */
static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    int ms = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7) {
        return 0;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static int64_t number_in(const struct json *doc, const char *name)
{
    int64_t n = 0;

    (void)json_int(doc, json_get(doc, JSON_ROOT, name), &n);
    return n;
}

static const char *text_in(const struct json *doc, const char *name)
{
    return json_str(doc, json_get(doc, JSON_ROOT, name), "");
}

/* Each line of the text, parsed. */
static void each_line(char *text, void (*line)(const struct json *doc, const char *line, void *ctx),
                      void *ctx)
{
    struct json doc;
    char *rest = NULL;

    json_init(&doc, 1024u * 1024u);
    for (char *at = strtok_r(text, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(json_parse(&doc, at, strlen(at)), 0);
        line(&doc, at, ctx);
    }
    json_free(&doc);
}

/* --- the run ---------------------------------------------------------------------------------- */

/* One agent's work as a person outside knows it. */
struct shift {
    int64_t agent;
    unsigned logins;
    int64_t login_from[4], login_to[4];   /* between asking and being told, UTC ms */
    int64_t logout_from[4], logout_to[4]; /* the same of the logout */
    char heard[512];                      /* states as its page showed them: "connecting " */
};

/* An actor's time is that of its worker's turn, which may have begun before the request came. */
#define TURN_MS 2000

static void clock_in(struct shift *h, struct seat *s)
{
    h->agent = s->agent;
    h->login_from[h->logins] = wall_ms() - TURN_MS;
    seat_work(s);
    h->login_to[h->logins] = wall_ms();
}

static void clock_out(struct shift *h, struct seat *s)
{
    h->logout_from[h->logins] = wall_ms() - TURN_MS;
    assert_string_equal(seat_ask(s, "agent_logout", ""), "ok");
    SEAT_STATE(s, "offline");
    h->logout_to[h->logins++] = wall_ms();
    snprintf(h->heard, sizeof h->heard, "%s", s->states);
}

/* Both work until the record has so many calls with that end. */
static void serve_until(struct seat *a, struct seat *b, const struct site *site,
                        const char *outcome, unsigned n)
{
    const int64_t end_us = net_now_us() + 90 * US_PER_S;

    while (outcomes(site, outcome) < n) {
        if (net_now_us() > end_us) {
            fail_msg("not %u calls ended as %s", n, outcome);
        }
        net_loop_run_once(loop, 20 * US_PER_MS);
        seat_serve(a);
        seat_serve(b);
    }
}

/* What is still to be disposed is, too. */
static void until_available(struct seat *s)
{
    run_until((seat_serve(s), strcmp(s->state, "available") == 0));
}

/* Sales, busy lines, one that nobody answers, one by hand; a break, two logins of the first. */
static struct site a_day(struct shift *h)
{
    const struct site site =
        site_new("progressive", ANSWERS AND_TALKS("0.3"), "leg=permanent|ring=15");
    struct seat s[2];
    char number[20];

    site_leads(&site, 4);
    seat_new(&s[0], site.campaign);
    seat_new(&s[1], site.campaign);
    clock_in(&h[0], &s[0]);
    clock_in(&h[1], &s[1]);
    site_start(&site);
    serve_until(&s[0], &s[1], &site, "answered", 4);
    far_ends(IS_BUSY);
    site_leads(&site, 2);
    serve_until(&s[0], &s[1], &site, "busy", 2);
    until_available(&s[0]);
    until_available(&s[1]);
    assert_string_equal(seat_ask(&s[1], "set_status", ",\"state\":\"break\""), "ok");
    SEAT_STATE(&s[1], "break");
    clock_out(&h[0], &s[0]);
    clock_in(&h[0], &s[0]);
    far_ends(ANSWERS AND_TALKS("0.3"));
    fresh_number(number);
    seat_dial(&s[0], number);
    serve_until(&s[0], &s[1], &site, "answered", 5);
    until_available(&s[0]);
    site_stop(&site);
    clock_out(&h[0], &s[0]);
    clock_out(&h[1], &s[1]);
    seat_leave(&s[0]);
    seat_leave(&s[1]);
    return site;
}

/* --- calls ------------------------------------------------------------------------------------ */

struct seen {
    char id[40], number[20];
    unsigned originates;
    bool answered, bridged, exported;
    int64_t cause, at_ms, end_ms;
};

struct witness {
    struct seen call[CALLS_MAX];
    unsigned n, exported;
};

static struct seen *seen_of(struct witness *w, const char *id)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (strcmp(w->call[i].id, id) == 0) {
            return &w->call[i];
        }
    }
    assert_true(w->n < CALLS_MAX);
    snprintf(w->call[w->n].id, sizeof w->call[w->n].id, "%s", id);
    return &w->call[w->n++];
}

static void see(const struct json *doc, const char *line, void *ctx)
{
    struct seen *c;
    const char *what = text_in(doc, "what");

    (void)line;
    if (strcmp(text_in(doc, "kind"), "customer") != 0) {
        return;
    }
    c = seen_of(ctx, text_in(doc, "id"));
    if (strcmp(what, "originate") == 0 && number_in(doc, "status") / 100 == 2) {
        c->originates++;
        c->at_ms = number_in(doc, "wall_ms");
        snprintf(c->number, sizeof c->number, "%s", text_in(doc, "number"));
    } else if (strcmp(what, "answer") == 0) {
        c->answered = true;
    } else if (strcmp(what, "bridge_enter") == 0) {
        c->bridged = true;
    } else if (strcmp(what, "end") == 0) {
        c->cause = number_in(doc, "cause");
        c->end_ms = number_in(doc, "wall_ms");
    }
}

static void compare_call(const struct json *doc, const char *line, void *ctx)
{
    struct witness *w = ctx;
    const unsigned known = w->n;
    struct seen *c = seen_of(w, text_in(doc, "attempt"));

    if (w->n != known || c->exported) {
        fail_msg("%s: %s", c->exported ? "a second time" : "nobody saw it", line);
    }
    c->exported = true;
    w->exported++;
    assert_string_equal(text_in(doc, "number") + 1, c->number);
    assert_int_equal(text_in(doc, "answered")[0] != '\0', c->answered);
    assert_int_equal(text_in(doc, "bridged")[0] != '\0', c->bridged);
    assert_int_equal(number_in(doc, "q850"), c->cause);
    /* claimed before it left, and its end written down after it ended */
    assert_true(time_of(text_in(doc, "claimed")) <= c->at_ms);
    assert_true(time_of(text_in(doc, "ended")) >= c->end_ms);
    assert_true(c->end_ms >= c->at_ms);
}

/* --- CSV -------------------------------------------------------------------------------------- */

struct rows {
    char *line[CALLS_MAX]; /* the same rows as JSON */
    unsigned n, row;
    char column[COLUMNS_MAX][32];
    unsigned columns;
    struct json doc;
};

static int compare_row(void *ctx, const struct csv_row *row)
{
    struct rows *r = ctx;
    unsigned i = 0;

    if (r->columns == 0) {
        assert_in_range(row->n, 1, COLUMNS_MAX);
        for (r->columns = 0; r->columns < row->n; r->columns++) {
            snprintf(r->column[r->columns], sizeof r->column[0], "%.*s",
                     (int)row->columns[r->columns].len, row->columns[r->columns].ptr);
        }
        return 0;
    }
    assert_true(r->row < r->n);
    assert_int_equal(row->n, r->columns);
    assert_int_equal(json_parse(&r->doc, r->line[r->row], strlen(r->line[r->row])), 0);
    for (json_ref v = json_first(&r->doc, JSON_ROOT); v != JSON_NONE;
         v = json_next(&r->doc, v), i++) {
        const enum json_type type = json_type(&r->doc, v);
        const struct text want = type == JSON_STRING ? json_text(&r->doc, v)
                                 : type == JSON_NULL ? (struct text){"", 0}
                                                     : json_raw(&r->doc, v, r->line[r->row]);
        assert_true(i < r->columns);
        assert_int_equal(json_key(&r->doc, v).len, strlen(r->column[i]));
        assert_memory_equal(json_key(&r->doc, v).ptr, r->column[i], strlen(r->column[i]));
        assert_int_equal(row->columns[i].len, want.len);
        assert_memory_equal(row->columns[i].ptr, want.ptr, want.len);
    }
    assert_int_equal(i, r->columns);
    r->row++;
    return 0;
}

static int no_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    (void)ctx;
    (void)column;
    (void)raw;
    fail_msg("line %u: %s", (unsigned)line, csv_fault_sentence(fault));
    return 1;
}

/* Both forms have the same rows, in the same order. */
static void same_as_csv(const char *kind)
{
    static struct rows r;
    char *jsonl = strdup(ctl("export|%s|--format|jsonl", kind));
    char *rest = NULL;
    struct csv *csv = csv_open(compare_row, no_fault, &r);
    const char *text;

    r = (struct rows){.n = 0};
    json_init(&r.doc, 1024u * 1024u);
    for (char *at = strtok_r(jsonl, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        assert_true(r.n < CALLS_MAX);
        r.line[r.n++] = at;
    }
    text = ctl("export|%s|--format|csv", kind);
    assert_int_equal(csv_feed(csv, text, strlen(text)), 0);
    assert_int_equal(csv_end(csv), 0);
    assert_int_equal(r.row, r.n);
    csv_close(csv);
    json_free(&r.doc);
    free(jsonl);
}

/* --- agents' states --------------------------------------------------------------------------- */

struct states {
    const struct shift *shift;
    unsigned n, logins, logouts;
    char state[STATES_MAX][16];
    int64_t until;          /* where the last interval ended, 0: it has not */
    int64_t login, counted; /* of this session */
};

/* Intervals of one agent, in order: from login to logout without gap or overlap. */
static void tile(const struct json *doc, const char *line, void *ctx)
{
    struct states *t = ctx;
    const struct shift *h = t->shift;
    const char *state = text_in(doc, "state");
    const int64_t from = time_of(text_in(doc, "from"));
    const int64_t until = time_of(text_in(doc, "until"));
    const bool off = strcmp(state, "offline") == 0;
    const bool was_off = t->n == 0 || strcmp(t->state[t->n - 1], "offline") == 0;

    if (number_in(doc, "agent") != h->agent) {
        return;
    }
    if (from == 0 || (t->n > 0 && from != t->until) || (until != 0 && until < from)) {
        fail_msg("a gap or an overlap: %s", line);
    }
    if (was_off && !off) {
        assert_true(t->logins < h->logins);
        assert_in_range(from, h->login_from[t->logins], h->login_to[t->logins]);
        t->logins++;
        t->login = from;
        t->counted = 0;
    }
    if (!was_off && off) {
        assert_true(t->logouts < h->logins);
        assert_in_range(from, h->logout_from[t->logouts], h->logout_to[t->logouts]);
        t->logouts++;
        assert_int_equal(t->counted, from - t->login);
    }
    t->counted += until - from;
    t->until = until;
    assert_true(t->n < STATES_MAX);
    snprintf(t->state[t->n++], sizeof t->state[0], "%s", state);
}

static void assert_tiled(const struct shift *h)
{
    struct states t = {.shift = h};
    char *text = strdup(ctl("export|agents|--format|jsonl"));
    char heard[512];
    char *rest = NULL;
    unsigned at = 0;

    each_line(text, tile, &t);
    free(text);
    assert_int_equal(t.logins, h->logins);
    assert_int_equal(t.logouts, h->logins);
    assert_string_equal(t.state[t.n - 1], "offline");
    assert_int_equal(t.until, 0);
    /* What its page showed is in there, in that order; short states may not have been shown. */
    snprintf(heard, sizeof heard, "%s", h->heard);
    for (const char *word = strtok_r(heard, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "offline") == 0 && at == 0) {
            continue; /* before its first login nothing is on record */
        }
        while (at < t.n && strcmp(t.state[at], word) != 0) {
            at++;
        }
        if (at++ == t.n) {
            fail_msg("agent %lld was %s, not on record in that order: %s", (long long)h->agent,
                     word, h->heard);
        }
    }
}

/* ---------------------------------------------------------------------------------------------- */

static void r28_what_is_exported_adds_up(void **state)
{
    static struct witness w;
    struct shift h[2] = {{0}};
    char *text;

    (void)state;
    (void)a_day(h);
    text = read_file(stack_witness());
    each_line(text, see, &w);
    free(text);
    assert_int_equal(w.n, 7);
    for (unsigned i = 0; i < w.n; i++) {
        assert_int_equal(w.call[i].originates, 1);
    }
    text = strdup(ctl("export|calls|--format|jsonl"));
    each_line(text, compare_call, &w);
    free(text);
    assert_int_equal(w.exported, 7);
    same_as_csv("calls");
    same_as_csv("agents");
    same_as_csv("leads");
    assert_tiled(&h[0]);
    assert_tiled(&h[1]);
    assert_non_null(strstr(h[0].heard, "busy"));
    assert_non_null(strstr(h[1].heard, "break"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r28_what_is_exported_adds_up),
    };

    return cmocka_run_group_tests(tests, stack_up, stack_down);
}
