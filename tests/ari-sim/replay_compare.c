#include "tests/ari-sim/replay_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool status_occurs(struct replay *r, int status)
{
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t wanted;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) == 0 &&
            json_is(&r->line, json_get(&r->line, 0, "dir"), "res") &&
            json_int(&r->line, json_get(&r->line, 0, "status"), &wanted) && wanted == status)
            return true;
    }
    return false;
}

// Bodies that show what an earlier recording had left on the server.
static bool leftover(const char *name, int64_t n)
{
    static const struct {
        const char *name;
        int64_t n;
    } list[] = {{"a51", 1}, {"a52", 1}, {"g06", 6}, {"g08", 3}, {"h06", 2}, {"h06", 5}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strncmp(list[i].name, name, strlen(list[i].name)) == 0 && list[i].n == n)
            return true;
    return false;
}

static void compare_answer(struct replay *r, int64_t n, json_ref line)
{
    struct answer *a = &r->answer[n];
    char why[400] = "";
    int64_t status = 0;
    bool has_status = json_int(&r->line, json_get(&r->line, line, "status"), &status);
    if (!a->arrived) {
        replay_differs(r, "request %d: no answer", (int)n);
        return;
    }
    if (r->races) {
        if (!status_occurs(r, a->status))
            replay_differs(r, "request %d: status %d, which never occurs here", (int)n, a->status);
        return;
    }
    if ((has_status ? status : 0) != a->status) {
        replay_differs(r, "request %d: status %d, wanted %d (%.100s)", (int)n, a->status,
                       (int)status, a->body != NULL ? a->body : "");
        return;
    }
    json_ref body = json_get(&r->line, line, "body");
    if (leftover(r->name, n))
        return;
    enum json_type type = json_type(&r->line, body);
    if (type != JSON_OBJECT && type != JSON_ARRAY)
        return;
    if (a->body == NULL || json_parse(&r->other, a->body, a->len) != 0)
        replay_differs(r, "request %d: body is no JSON", (int)n);
    else if (!same_body(&r->line, body, &r->other, 0, NULL, why, sizeof why))
        replay_differs(r, "request %d: %s", (int)n, why);
}

static void compare_frame(struct replay *r, size_t i, json_ref wanted)
{
    char why[400] = "";
    const char *wanted_body = json_str(&r->line, json_get(&r->line, wanted, "message_body"), NULL);
    if (i >= r->frames) {
        replay_differs(r, "websocket answer %zu: none came", i + 1);
        return;
    }
    if (r->races || json_parse(&r->other, r->frame[i], strlen(r->frame[i])) != 0)
        return;
    static const char *const keys[] = {"request_id", "transaction_id", "status_code",
                                       "reason_phrase", "uri"};
    for (size_t k = 0; k < 5; k++) {
        if (!same_body(&r->line, json_get(&r->line, wanted, keys[k]), &r->other,
                       json_get(&r->other, 0, keys[k]), keys[k], why, sizeof why)) {
            replay_differs(r, "websocket answer %zu: %s", i + 1, why);
            return;
        }
    }
    const char *body = json_str(&r->other, json_get(&r->other, 0, "message_body"), NULL);
    if ((body == NULL) != (wanted_body == NULL)) {
        replay_differs(r, "websocket answer %zu: body %s", i + 1, body == NULL ? "absent" : body);
        return;
    }
    struct json a, b;
    json_init(&a, BODY_MAX);
    json_init(&b, BODY_MAX);
    if (body != NULL && strstr(r->frame[i], "api-docs") == NULL &&
        json_parse(&a, wanted_body, strlen(wanted_body)) == 0) {
        if (json_parse(&b, body, strlen(body)) != 0)
            replay_differs(r, "websocket answer %zu: body is no JSON", i + 1);
        else if (!same_body(&a, 0, &b, 0, NULL, why, sizeof why))
            replay_differs(r, "websocket answer %zu: %s", i + 1, why);
    }
    json_free(&a);
    json_free(&b);
}

// ChannelStateChange and Dial of one step come in either order: StateChange first, for the
// comparison.
static size_t strand(const struct seen *list, size_t count, const char *name, const char *out[],
                     size_t room, int64_t until)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < room; i++)
        if (strcmp(list[i].strand, name) == 0 && list[i].at <= until)
            out[n++] = list[i].sign;
    for (size_t i = 0; i + 1 < n; i++) {
        bool step = strncmp(out[i], "Dial dialstatus=RINGING", 23) == 0 ||
                    strncmp(out[i], "Dial dialstatus=ANSWER", 22) == 0;
        if (step && strncmp(out[i + 1], "ChannelStateChange", 18) == 0) {
            const char *swap = out[i];
            out[i] = out[i + 1];
            out[i + 1] = swap;
        }
    }
    return n;
}

enum { STRAND_EVENTS = 400 };

// In a race each event only has to be one that the transcript has, whatever the numbers in its
// names.
static bool alike(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static void compare_race(struct replay *r)
{
    for (size_t i = 0; i < r->n_seen; i++) {
        bool found = false;
        for (size_t k = 0; k < r->n_wanted && !found; k++)
            found = alike(r->wanted[k].sign, r->seen[i].sign);
        if (!found && r->seen[i].at <= r->end_at - 20000)
            replay_differs(r, "%s: '%s' never occurs", r->seen[i].strand, r->seen[i].sign);
    }
}

static void compare_strand(struct replay *r, const char *name)
{
    const char *wanted[STRAND_EVENTS], *got[STRAND_EVENTS];
    size_t n = strand(r->wanted, r->n_wanted, name, wanted, STRAND_EVENTS, INT64_MAX);
    size_t all = strand(r->seen, r->n_seen, name, got, STRAND_EVENTS, INT64_MAX);
    r->result.strands++;
    for (size_t i = 0; i < n; i++) {
        if (i < all && strcmp(wanted[i], got[i]) == 0)
            continue;
        replay_differs(r, "%s: event %zu is '%s', wanted '%s'", name, i + 1,
                       i < all ? got[i] : "missing", wanted[i]);
        return;
    }
    size_t before_end = strand(r->seen, r->n_seen, name, got, STRAND_EVENTS, r->end_at - 20000);
    if (before_end > n)
        replay_differs(r, "%s: %zu events more than wanted, first '%s'", name, before_end - n,
                       got[n]);
}

static bool first_of_strand(const struct seen *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(list[k].strand, list[i].strand) == 0)
            return false;
    return true;
}

void replay_compare(struct replay *r)
{
    size_t frame = 0;
    for (size_t i = 0; i < r->t.lines; i++) {
        int64_t n;
        if (json_parse(&r->line, r->t.line[i].text, r->t.line[i].len) != 0 ||
            !json_is(&r->line, json_get(&r->line, 0, "dir"), "res"))
            continue;
        if (json_get(&r->line, 0, "frame") != JSON_NONE)
            compare_frame(r, frame++, json_get(&r->line, 0, "frame"));
        else if (json_int(&r->line, json_get(&r->line, 0, "n"), &n) && n >= 0 && n < ANSWERS)
            compare_answer(r, n, 0);
    }
    if (r->races) {
        compare_race(r);
        return;
    }
    for (size_t i = 0; i < r->n_wanted; i++)
        if (first_of_strand(r->wanted, i))
            compare_strand(r, r->wanted[i].strand);
    for (size_t i = 0; i < r->n_seen; i++) {
        const char *name = r->seen[i].strand;
        if (!first_of_strand(r->seen, i) || r->seen[i].at > r->end_at - 20000)
            continue;
        bool known = false;
        for (size_t k = 0; k < r->n_wanted && !known; k++)
            known = strcmp(r->wanted[k].strand, name) == 0;
        if (!known)
            replay_differs(r, "%s: nothing wanted, got '%s'", name, r->seen[i].sign);
    }
}
