/*
 * test_protocol.c - PROTOCOL.md, read as it stands, against what item.c writes: types, members,
 * keys and the values of each state, in both directions. Who adds a member to one finds out here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/web/item.h"

#define DOCUMENT "adapters/web/PROTOCOL.md" /* tests run in the tree's top */
#define NAMES_MAX 64
#define T(literal) ((struct text){literal, sizeof(literal) - 1})

static char document[64 * 1024];
static struct json item;

struct names {
    size_t n;
    char name[NAMES_MAX][40];
};

/* --- sets of names -------------------------------------------------------------------------- */

static bool has(const struct names *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->name[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct names *s, const char *name, size_t len)
{
    assert_true(s->n < NAMES_MAX && len < sizeof s->name[0]);
    snprintf(s->name[s->n], sizeof s->name[0], "%.*s", (int)len, name);
    s->n += !has(s, s->name[s->n]);
}

static void same(const char *of, const struct names *told, const struct names *sent)
{
    for (size_t i = 0; i < told->n; i++) {
        if (!has(sent, told->name[i])) {
            fail_msg("%s: " DOCUMENT " has %s, item.c never sends it", of, told->name[i]);
        }
    }
    for (size_t i = 0; i < sent->n; i++) {
        if (!has(told, sent->name[i])) {
            fail_msg("%s: item.c sends %s, " DOCUMENT " does not have it", of, sent->name[i]);
        }
    }
    assert_true(told->n > 0);
}

/* --- the document --------------------------------------------------------------------------- */

static const char *word_end(const char *at)
{
    return at + strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}

/* Each `word` in backticks that stands outside of parentheses. */
static void add_words(struct names *s, const char *from, const char *to)
{
    unsigned depth = 0;

    for (const char *at = from; at < to; at++) {
        depth += *at == '(';
        depth -= *at == ')';
        if (*at == '`') {
            const char *close = strchr(at + 1, '`');
            assert_non_null(close);
            if (depth == 0 && close > at + 1 && word_end(at + 1) == close) {
                add(s, at + 1, (size_t)(close - at - 1));
            }
            at = close;
        }
    }
}

/* The n-th cell of the table's row at `row`; false: it is no row of names. */
static bool cell(const char *row, unsigned n, const char **from, const char **to)
{
    if (strncmp(row, "| `", 3) != 0) {
        return false;
    }
    for (*from = row + 1; n > 0; n--) {
        *from = strchr(*from, '|') + 1;
    }
    *to = strchr(*from, '|');
    assert_non_null(*to);
    return true;
}

static const char *next_line(const char *at)
{
    return at + strcspn(at, "\n") + 1;
}

/* What the document says of a type of item: from "`type`:" to the next such, or the next head. */
static void part(const char *type, const char **from, const char **to)
{
    char head[48];
    const char *at;

    snprintf(head, sizeof head, "\n`%s`:", type);
    at = strstr(document, head);
    if (at == NULL) {
        fail_msg(DOCUMENT " does not tell the members of %s", type);
        return;
    }
    *from = at + strlen(head);
    for (at = next_line(*from); *at != '#'; at = next_line(at)) {
        const char *end = *at == '`' ? word_end(at + 1) : at;
        if (end > at && end[0] == '`' && end[1] == ':') {
            break;
        }
    }
    *to = at;
}

static void members_told(struct names *told, const char *type)
{
    const char *from;
    const char *to;
    const char *first;
    const char *end;

    part(type, &from, &to);
    for (const char *row = from; row < to; row = next_line(row)) {
        if (cell(row, 0, &first, &end)) {
            add_words(told, first, end);
        }
    }
    if (told->n == 0) {
        add_words(told, from, to);
    }
}

/* The first list `a b c` behind the member's name. */
static void values_told(struct names *told, const char *type, const char *member)
{
    const char *at;
    const char *to;
    char name[48];

    part(type, &at, &to);
    snprintf(name, sizeof name, "`%s`", member);
    at = strstr(at, name);
    assert_true(at != NULL && at < to);
    at = strchr(at + strlen(name), '`');
    for (assert_true(at != NULL && at < to); *at != '`' || at[-1] == ' ' || at[-1] == '('; at++) {
        const char *end = word_end(at + 1);
        add(told, at + 1, (size_t)(end - at - 1));
        at = end - 1;
    }
}

/* The table of all types: its first column, or the key of one. */
static void items_told(struct names *told, const char *type)
{
    const char *from;
    const char *to;
    const char *at = strstr(document, "### Items");

    assert_non_null(at);
    for (at = strstr(at, "| --- |"); *at == '|'; at = next_line(at)) {
        struct names is = {0};

        if (!cell(at, 0, &from, &to)) {
            continue;
        }
        add_words(&is, from, to);
        assert_int_equal(is.n, 1);
        if (type == NULL) {
            add(told, is.name[0], strlen(is.name[0]));
        } else if (strcmp(is.name[0], type) == 0) {
            char key[80];
            size_t n = 0;
            assert_true(cell(at, 1, &from, &to) && (size_t)(to - from) < sizeof key);
            for (const char *c = from; c < to; c++) { /* of several keys one may be in brackets */
                if (*c != '(' && *c != ')') {
                    key[n++] = *c;
                }
            }
            key[n] = '\0';
            add_words(told, key, key + n);
        }
    }
}

/* --- what is sent: each item full, with its n-th value --------------------------------------- */

static void send_agent(struct json_writer *w, unsigned n)
{
    const struct msg_view_agent m = {.agent = 7, .state = (uint8_t)n, .next = AGENT_BREAK};

    item_agent(w, &m);
}

static void send_call(struct json_writer *w, unsigned n)
{
    const struct msg_view_call m = {.attempt = T("a-1"), .state = (uint8_t)n};

    item_call(w, &m);
}

static void send_campaign(struct json_writer *w, unsigned n)
{
    const struct msg_view_campaign m = {.campaign = 1, .state = (uint8_t)n, .mode = MODE_RATIO};

    item_campaign(w, &m);
}

static void send_campaign_mode(struct json_writer *w, unsigned n)
{
    const struct msg_view_campaign m = {.campaign = 1, .mode = (uint8_t)n};

    item_campaign(w, &m);
}

static void send_pop(struct json_writer *w, unsigned n)
{
    const struct msg_screen_pop m = {.agent = 7, .attempt = T("a-1"), .matches = n};

    item_pop(w, &m, NULL);
}

static void send_pbx(struct json_writer *w, unsigned n)
{
    const struct msg_view_pbx m = {.pbx = 1, .state = (uint8_t)n};

    item_pbx(w, &m);
}

static void send_disposition(struct json_writer *w, unsigned n)
{
    const struct msg_view_disposition m = {.code = T("sale"), .active = n == 0};

    item_disposition(w, &m);
}

static void send_dependency(struct json_writer *w, unsigned n)
{
    const struct msg_readiness m = {.name = T("store"), .ready = n == 0};

    item_dependency(w, &m);
}

static void send_mode(struct json_writer *w, unsigned n)
{
    const struct msg_daemon_mode m = {.mode = (uint8_t)n, .cause = REASON_store_away};

    item_mode(w, &m);
}

static void send_alarm(struct json_writer *w, unsigned n)
{
    const struct msg_alarm_moved m = {.code = T("DLR-STORE-AWAY"), .stands = n == 0};

    item_alarm(w, &m);
}

static void send_gone(struct json_writer *w, unsigned n)
{
    (void)n;
    item_gone(w, "call", "a-1");
}

typedef void (*sender)(struct json_writer *w, unsigned n);

static const struct {
    const char *type;
    sender send;
} items[] = {{"status_update", send_agent},
             {"call", send_call},
             {"campaign", send_campaign},
             {"pop", send_pop},
             {"pbx", send_pbx},
             {"disposition", send_disposition},
             {"dependency", send_dependency},
             {"mode", send_mode},
             {"alarm", send_alarm}};

#define ITEMS (sizeof items / sizeof *items)

/* As parsed, in `item`. */
static void sent(sender send, unsigned n)
{
    char buffer[2048];
    struct json_writer w;
    const char *text;
    size_t len;

    json_writer_init(&w, buffer, sizeof buffer);
    send(&w, n);
    text = json_writer_end(&w, &len);
    assert_non_null(text);
    assert_int_equal(json_parse(&item, text, len), 0);
}

static void members_sent(struct names *s, const char *but)
{
    for (json_ref i = json_first(&item, JSON_ROOT); i != JSON_NONE; i = json_next(&item, i)) {
        const struct text key = json_key(&item, i);
        if (strcmp(key.ptr, "type") != 0 && strcmp(key.ptr, but) != 0) {
            add(s, key.ptr, key.len);
        }
    }
}

/* --- the tests -------------------------------------------------------------------------------- */

static void types(void **state)
{
    struct names told = {0};
    struct names written = {0};

    (void)state;
    items_told(&told, NULL);
    for (size_t i = 0; i < ITEMS; i++) {
        sent(items[i].send, 0);
        assert_true(json_is(&item, json_get(&item, JSON_ROOT, "type"), items[i].type));
        add(&written, items[i].type, strlen(items[i].type));
    }
    same("types of items", &told, &written);
}

static void members(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        struct names told = {0};
        struct names written = {0};
        members_told(&told, items[i].type);
        sent(items[i].send, 0);
        members_sent(&written, "");
        same(items[i].type, &told, &written);
    }
}

/* "An item with gone has only its key." */
static void keys(void **state)
{
    static const struct {
        const char *type;
        sender send;
    } gone[] = {{"call", send_gone}, {"disposition", send_disposition}, {"alarm", send_alarm}};

    (void)state;
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        struct names told = {0};
        struct names written = {0};
        bool is = false;
        items_told(&told, gone[i].type);
        sent(gone[i].send, 1);
        assert_true(json_bool(&item, json_get(&item, JSON_ROOT, "gone"), &is) && is);
        members_sent(&written, "gone");
        same(gone[i].type, &told, &written);
    }
}

/* Calls come to the board when they leave for Asterisk, and go from it with their end. */
#define NEVER_ON_BOARD                                                                             \
    (1u << ATTEMPT_CLAIMING | 1u << ATTEMPT_CLAIMED | 1u << ATTEMPT_PREVIEW |                      \
     1u << ATTEMPT_ENDED | 1u << ATTEMPT_DISPOSED)

static void values(void **state)
{
    static const struct {
        const char *type, *member;
        sender send;
        unsigned first, last, never;
    } enums[] = {
        {"status_update", "state", send_agent, 0, AGENT_STATES - 1, 0},
        {"call", "state", send_call, 0, ATTEMPT_STATES - 1, NEVER_ON_BOARD},
        {"campaign", "state", send_campaign, 0, CAMPAIGN_PARKED, 0},
        {"campaign", "mode", send_campaign_mode, MODE_MANUAL, MODE_PREVIEW, 0},
        {"pbx", "state", send_pbx, 0, PBX_STATES - 1, 0},
        {"mode", "mode", send_mode, 0, DAEMON_MODES - 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++) {
        struct names told = {0};
        struct names written = {0};
        char of[64];
        for (unsigned n = enums[i].first; n <= enums[i].last; n++) {
            if ((enums[i].never >> n & 1u) == 0) {
                sent(enums[i].send, n);
                const char *value =
                    json_str(&item, json_get(&item, JSON_ROOT, enums[i].member), NULL);
                assert_non_null(value);
                add(&written, value, strlen(value));
            }
        }
        values_told(&told, enums[i].type, enums[i].member);
        snprintf(of, sizeof of, "%s of %s", enums[i].member, enums[i].type);
        same(of, &told, &written);
    }
}

static int read_document(void **state)
{
    FILE *f = fopen(DOCUMENT, "re");
    size_t n;

    (void)state;
    if (f == NULL) {
        return -1;
    }
    n = fread(document, 1, sizeof document - 1, f);
    fclose(f);
    json_init(&item, 0);
    return n > 0 && n < sizeof document - 1 ? 0 : -1;
}

static int close_item(void **state)
{
    (void)state;
    json_free(&item);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(types), cmocka_unit_test(members),
                                       cmocka_unit_test(keys), cmocka_unit_test(values)};

    return cmocka_run_group_tests(tests, read_document, close_item);
}
