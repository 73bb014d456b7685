/* seat.c - see seat.h; it understands PROTOCOL.md and nothing else. */
#include "tests/rules/seat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_text(const struct json *doc, json_ref at, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s", json_str(doc, json_get(doc, at, name), ""));
}

static void take_status(struct seat *s, json_ref i)
{
    char was[sizeof s->state];

    memcpy(was, s->state, sizeof was);
    take_text(&s->doc, i, "state", s->state, sizeof s->state);
    if (strcmp(was, s->state) != 0 && strlen(s->states) + sizeof s->state < sizeof s->states) {
        strcat(s->states, s->state);
        strcat(s->states, " ");
    }
    take_text(&s->doc, i, "reason", s->reason, sizeof s->reason);
    take_text(&s->doc, i, "attempt", s->attempt, sizeof s->attempt);
    take_text(&s->doc, i, "text", s->why, sizeof s->why);
    (void)json_bool(&s->doc, json_get(&s->doc, i, "needs_disposition"), &s->needs_disposition);
    (void)json_bool(&s->doc, json_get(&s->doc, i, "leg_up"), &s->leg_up);
    (void)json_bool(&s->doc, json_get(&s->doc, i, "phone_online"), &s->phone_online);
    (void)json_int(&s->doc, json_get(&s->doc, i, "campaign"), &s->campaign);
}

static void take_call(struct seat *s, json_ref i)
{
    take_text(&s->doc, i, "state", s->call, sizeof s->call);
    if (s->call[0] != '\0' && strlen(s->seen) + sizeof s->call < sizeof s->seen) {
        strcat(s->seen, s->call);
        strcat(s->seen, " ");
    }
    s->pop_before_audio = s->pop_before_audio || (s->pop && strcmp(s->call, "bridged") == 0);
}

static void take_choices(struct seat *s, json_ref list)
{
    s->choices = 0;
    for (json_ref i = json_first(&s->doc, list); i != JSON_NONE; i = json_next(&s->doc, i)) {
        assert_true(s->choices < 4);
        assert_int_equal(json_count(&s->doc, i), 3); /* nothing else is told of them */
        assert_true(json_int(&s->doc, json_get(&s->doc, i, "lead"), &s->choice[s->choices]));
        snprintf(s->choice_of[s->choices++], sizeof s->choice_of[0], "%s, %s",
                 json_str(&s->doc, json_get(&s->doc, i, "name"), "?"),
                 json_str(&s->doc, json_get(&s->doc, i, "list"), "?"));
    }
}

static void take_pop(struct seat *s, json_ref i)
{
    bool gone = false;

    (void)json_bool(&s->doc, json_get(&s->doc, i, "gone"), &gone);
    s->pop = !gone;
    if (s->pop) {
        (void)json_int(&s->doc, json_get(&s->doc, i, "lead"), &s->pop_lead);
        (void)json_int(&s->doc, json_get(&s->doc, i, "matches"), &s->pop_matches);
        take_text(&s->doc, i, "number", s->pop_number, sizeof s->pop_number);
        take_text(&s->doc, i, "name", s->pop_name, sizeof s->pop_name);
        take_text(&s->doc, json_get(&s->doc, i, "fields"), "city", s->pop_city, sizeof s->pop_city);
        take_choices(s, json_get(&s->doc, i, "choices"));
    }
}

bool seat_hear(struct seat *s)
{
    const struct json *doc = &s->doc;

    while (s->page->read < s->page->n) {
        const char *text = s->page->message[s->page->read++];
        const json_ref type = JSON_ROOT;
        json_ref items;
        assert_int_equal(json_parse(&s->doc, text, strlen(text)), 0);
        if (json_is(doc, json_get(doc, type, "type"), "reply")) {
            (void)json_int(doc, json_get(doc, JSON_ROOT, "id"), &s->replied);
            take_text(doc, JSON_ROOT, "result", s->result, sizeof s->result);
            take_text(doc, JSON_ROOT, "text", s->text, sizeof s->text);
        }
        if (json_is(doc, json_get(doc, type, "type"), "welcome")) {
            s->welcomed = true;
            take_text(doc, JSON_ROOT, "stream", s->stream, sizeof s->stream);
            (void)json_bool(doc, json_get(doc, JSON_ROOT, "resumed"), &s->resumed);
        }
        if (json_is(doc, json_get(doc, type, "type"), "changes")) {
            (void)json_int(doc, json_get(doc, JSON_ROOT, "seq"), &s->seq);
        }
        items = json_get(doc, JSON_ROOT, "items");
        for (json_ref i = json_first(doc, items); i != JSON_NONE; i = json_next(doc, i)) {
            const json_ref kind = json_get(doc, i, "type");
            if (json_is(doc, kind, "status_update")) {
                take_status(s, i);
            } else if (json_is(doc, kind, "call")) {
                take_call(s, i);
            } else if (json_is(doc, kind, "pop")) {
                take_pop(s, i);
            }
        }
    }
    if (s->page->closed) {
        fail_msg("agent %lld's socket was closed: %d %s", (long long)s->agent, s->page->code,
                 s->page->reason);
    }
    return true;
}

void seat_new(struct seat *s, int64_t campaign)
{
    static unsigned number;
    const unsigned n = ++number;

    *s = (struct seat){0};
    json_init(&s->doc, 1024u * 1024u);
    snprintf(s->phone, sizeof s->phone, "agent%u", n);
    ctl("agent|add|seat%u|--password-file|password|phone=PJSIP/agent%u|phone_enabled=on|pbx=%u|"
        "link_grace=1|busy_reset=2",
        n, n, stack_server());
    s->agent = ctl_number("id");
    ctl("agent|assign|%lld|--campaign|%lld", (long long)s->agent, (long long)campaign);
    ctl("agent|ticket|--agent|%lld|--count|1", (long long)s->agent);
    s->page = page_hello(ctl_text("ticket"), NULL, 0);
    SEAT_UNTIL(s, s->state[0] != '\0');
}

void seat_leave(struct seat *s)
{
    page_free(s->page);
    json_free(&s->doc);
}

const char *seat_ask(struct seat *s, const char *type, const char *members)
{
    char text[1024];

    snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%lld%s}", type, (long long)++s->ids,
             members);
    page_send(s->page, text);
    SEAT_UNTIL(s, s->replied == s->ids);
    return s->result;
}

void seat_work(struct seat *s)
{
    /* Before that, no calls: the daemon is told of a new agent, but learns of its phone by itself.
     */
    SEAT_UNTIL(s, s->phone_online && s->campaign != 0);
    assert_string_equal(seat_ask(s, "agent_login", ""), "ok");
    if (strcmp(seat_ask(s, "set_status", ",\"state\":\"available\""), "ok") != 0) {
        fail_msg("not available: %s", s->text);
    }
    SEAT_STATE(s, "available");
}

void seat_dispose(struct seat *s, const char *code)
{
    char members[128];

    snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"code\":\"%s\",\"note\":\"noted\"",
             s->attempt, code);
    if (strcmp(seat_ask(s, "set_disposition", members), "ok") != 0) {
        fail_msg("not disposed: %s %s", s->result, s->text);
    }
}

void seat_dial(struct seat *s, const char *number)
{
    char members[64];

    snprintf(members, sizeof members, ",\"number\":\"%s\"", number);
    if (strcmp(seat_ask(s, "dial", members), "ok") != 0) {
        fail_msg("not dialed: %s %s", s->result, s->text);
    }
}

void seat_serve(struct seat *s)
{
    char members[128];

    (void)seat_hear(s);
    if (strcmp(s->state, "wrapup") == 0 && s->needs_disposition &&
        strcmp(s->served, s->attempt) != 0) {
        snprintf(s->served, sizeof s->served, "%s", s->attempt);
        snprintf(members, sizeof members, ",\"attempt\":\"%s\",\"code\":\"sale\"", s->attempt);
        (void)seat_ask(s, "set_disposition", members);
    }
}

void seat_again(struct seat *s)
{
    run_until(s->page->closed);
    page_free(s->page);
    ctl("agent|ticket|--agent|%lld|--count|1", (long long)s->agent);
    s->state[0] = s->call[0] = s->attempt[0] = '\0';
    s->pop = s->leg_up = s->phone_online = false;
    s->page = page_hello(ctl_text("ticket"), s->stream, s->seq);
    s->welcomed = false;
    SEAT_UNTIL(s, s->welcomed);
}
