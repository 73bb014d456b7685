/*
 * test_roles.c - attack A12: every request of requests.def by every role, on what is the caller's,
 * another's and nobody's. A new request without cells here fails the test.
 */
#include "tests/attacks/attack.h"

#include "actors/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum object { OWN, OTHERS, NOBODYS, OBJECTS };

static const char *const object_names[] = {"own", "another's", "nobody's"};

static const struct request {
    const char *name;
    enum role least;
    bool own;
} requests[] = {
#define REQUEST(name, least, own, ask) {#name, ROLE_##least, own},
#include "adapters/web/requests.def"
#undef REQUEST
};

/* Members that make the request about the object, and whether it may be granted at all to somebody
 * whose role allows it. The victim is agent 4; campaign 2 is not one in which the callers work.
 * `agent` is in no table: it must be as if it were not there. */
static const struct cell {
    const char *name;
    const char *members[OBJECTS];
    bool never_ok[OBJECTS];
} cells[] = {
    {"agent_login",
     {",\"campaign\":1", ",\"campaign\":2,\"agent\":4", ",\"campaign\":99"},
     {false, true, true}},
    {"agent_logout", {"", ",\"agent\":4", ",\"agent\":99"}, {false, false, false}},
    {"set_status",
     {",\"state\":\"break\"", ",\"state\":\"break\",\"agent\":4",
      ",\"state\":\"break\",\"agent\":99"},
     {false, false, false}},
    {"dial",
     {",\"number\":\"+12125550123\"", ",\"number\":\"+12125550123\",\"agent\":4",
      ",\"number\":\"+12125550123\",\"lead\":999999"},
     {false, false, true}},
    {"hang_up", {"", ",\"agent\":4", ",\"agent\":99"}, {false, false, false}},
    {"mute",
     {",\"on\":true", ",\"on\":true,\"agent\":4", ",\"on\":true,\"agent\":99"},
     {false, false, false}},
    {"dtmf",
     {",\"digits\":\"12#\"", ",\"digits\":\"12#\",\"agent\":4", ",\"digits\":\"12#\",\"agent\":99"},
     {false, false, false}},
    {"set_disposition",
     {",\"attempt\":\"att-0000-00000001-00000001-00000001\",\"code\":\"sale\"",
      ",\"attempt\":\"%s\",\"code\":\"sale\",\"agent\":4",
      ",\"attempt\":\"att-ffff-ffffffff-ffffffff-ffffffff\",\"code\":\"sale\""},
     {true, true, true}},
    {"preview_dial",
     {",\"attempt\":\"att-0000-00000001-00000001-00000001\"", ",\"attempt\":\"%s\",\"agent\":4",
      ",\"attempt\":\"att-ffff-ffffffff-ffffffff-ffffffff\""},
     {true, true, true}},
    {"preview_skip",
     {",\"attempt\":\"att-0000-00000001-00000001-00000001\",\"reason\":\"x\"",
      ",\"attempt\":\"%s\",\"reason\":\"x\",\"agent\":4",
      ",\"attempt\":\"att-ffff-ffffffff-ffffffff-ffffffff\",\"reason\":\"x\""},
     {true, true, true}},
    {"choose_lead",
     {",\"attempt\":\"att-0000-00000001-00000001-00000001\",\"lead\":1",
      ",\"attempt\":\"%s\",\"lead\":1,\"agent\":4",
      ",\"attempt\":\"att-ffff-ffffffff-ffffffff-ffffffff\",\"lead\":1"},
     {true, true, true}},
    {"campaign_switch",
     {",\"campaign\":1,\"action\":\"start\"", ",\"campaign\":2,\"action\":\"stop\"",
      ",\"campaign\":99,\"action\":\"stop\""},
     {false, false, true}},
    {"explain_campaign",
     {",\"campaign\":1", ",\"campaign\":2", ",\"campaign\":99"},
     {false, false, true}},
    {"ping", {"", ",\"agent\":4", ",\"campaign\":99"}, {false, false, false}},
};

static const struct caller {
    const char *name;
    const char *user; /* NULL: a supervisor's link that is nobody's */
    enum role role;
    const char *role_name;
} callers[] = {
    {"agent", "agent1", ROLE_AGENT, "agent"},
    {"supervisor", "sue", ROLE_SUPERVISOR, "supervisor"},
    {"admin", "amy", ROLE_ADMIN, "admin"},
    {"nobody", NULL, ROLE_SUPERVISOR, "supervisor"},
};

static struct page *victim;
static char victim_attempt[40];
static char victim_state[16];

static int open_roles(void **state)
{
    (void)state;
    attack_begin(NULL, "", 4);
    for (unsigned i = 5; i <= 6; i++) {
        char words[200];
        snprintf(words, sizeof words, "agent add %s --role %s --password-file %s/agent.password",
                 i == 5 ? "sue" : "amy", i == 5 ? "supervisor" : "admin", place.dir);
        place_expect(&place, words, 0, NULL);
        snprintf(words, sizeof words, "agent phone %u --endpoint PJSIP/%u --pbx one", i, 1000 + i);
        place_expect(&place, words, 0, NULL);
        snprintf(words, sizeof words, "agent assign %u --campaign 1", i);
        place_expect(&place, words, 0, NULL);
    }
    place_expect(&place, "campaign add other mode=ratio trunk=1 prefixes=+1 caller_id=+12125550100",
                 0, NULL);
    victim = page_hello(ticket(4), NULL, 0);
    return 0;
}

static int close_roles(void **state)
{
    (void)state;
    if (victim != NULL) {
        page_free(victim);
    }
    attack_end();
    return 0;
}

/* What the victim's page knows of itself. */
static void hear_victim(void)
{
    struct json doc;

    json_init(&doc, 0);
    for (; victim->read < victim->n; victim->read++) {
        const char *text = victim->message[victim->read];
        if (json_parse(&doc, text, strlen(text)) != 0) {
            continue;
        }
        const json_ref items = json_get(&doc, JSON_ROOT, "items");
        for (json_ref i = json_first(&doc, items); i != JSON_NONE; i = json_next(&doc, i)) {
            if (json_is(&doc, json_get(&doc, i, "type"), "status_update")) {
                snprintf(victim_state, sizeof victim_state, "%s",
                         json_str(&doc, json_get(&doc, i, "state"), ""));
                snprintf(victim_attempt, sizeof victim_attempt, "%s",
                         json_str(&doc, json_get(&doc, i, "attempt"), ""));
            }
        }
    }
    json_free(&doc);
}

#define VICTIM_IS(word) run_until((hear_victim(), strcmp(victim_state, word) == 0))

/* The reply to one request of the caller. */
static void ask(struct page *p, struct json *doc, const char *type, const char *members)
{
    static int64_t id;
    char text[600];
    char filled[400];
    const char *mark = strstr(members, "%s");

    snprintf(filled, sizeof filled, "%.*s%s%s", (int)(mark != NULL ? mark - members : 300), members,
             mark != NULL ? victim_attempt : "", mark != NULL ? mark + 2 : "");
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%lld%s}", type, (long long)++id, filled);
    page_send(p, text);
    page_next(p, "reply", doc);
}

/* A page as a browser opens it: cookie, ticket, socket. */
static struct page *page_of(const struct caller *who, struct json *doc)
{
    char body[200];
    char cookie[256];
    const char *answer;
    struct page *p;

    if (who->user != NULL) {
        snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", who->user,
                 SECRET_OF_AGENT);
        answer = http_ask(NULL, "POST", "/login", "", body);
    } else {
        struct ran r = place_ctl(&place, "login-link --role supervisor");
        const char *token = strstr(r.out, "/enter#");
        assert_non_null(token);
        snprintf(body, sizeof body, "{\"token\":\"%.43s\"}", token + 7);
        ran_free(&r);
        answer = http_ask(NULL, "POST", "/enter", "", body);
    }
    answer = strstr(answer, "Set-Cookie: ");
    assert_non_null(answer);
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(answer + 12, ";"),
             answer + 12);
    answer = strstr(http_ask(NULL, "POST", "/ticket", cookie, "{}"), "\"ticket\":\"");
    assert_non_null(answer);
    snprintf(body, sizeof body, "%.43s", answer + 10);
    p = page_hello(body, NULL, 0);
    page_next(p, "welcome", doc);
    assert_true(json_is(doc, json_get(doc, JSON_ROOT, "role"), who->role_name));
    return p;
}

static unsigned judge(const struct caller *who, const struct request *r, const struct cell *c,
                      enum object object, const struct json *doc)
{
    const char *result = json_str(doc, json_get(doc, JSON_ROOT, "result"), "");
    const char *text = json_str(doc, json_get(doc, JSON_ROOT, "text"), "");
    const bool by_role = strcmp(text, "your role does not allow this") == 0;
    const bool by_agent = strcmp(text, "this login is not an agent's") == 0;
    bool good;

    if (who->role < r->least) {
        good = by_role && strcmp(result, "refused") == 0;
    } else if (r->own && who->user == NULL) {
        good = by_agent && strcmp(result, "refused") == 0;
    } else {
        good = !by_role && !by_agent && strcmp(result, "away") != 0 &&
               !(c->never_ok[object] && strcmp(result, "ok") == 0);
    }
    if (!good) {
        print_error("%s asks %s of %s: %s %s\n", who->name, r->name, object_names[object], result,
                    text);
    }
    return good ? 0 : 1;
}

static void every_cell(void **state)
{
    unsigned tried = 0;
    unsigned wrong = 0;
    struct json doc;

    (void)state;
    json_init(&doc, 1024u * 1024u);
    /* The victim works: what is asked in its name would show. */
    ask(victim, &doc, "agent_login", ",\"campaign\":1");
    run_until((hear_victim(), strcmp(victim_state, "offline") != 0 &&
                                  strcmp(victim_state, "connecting") != 0 &&
                                  victim_state[0] != '\0'));
    ask(victim, &doc, "set_status", ",\"state\":\"available\"");
    VICTIM_IS("available");
    for (size_t w = 0; w < sizeof callers / sizeof *callers; w++) {
        struct page *p = page_of(&callers[w], &doc);
        for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
            const struct request *r = &requests[i];
            const struct cell *c = NULL;
            for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
                c = strcmp(cells[k].name, r->name) == 0 ? &cells[k] : c;
            }
            if (c == NULL) {
                fail_msg("no cells for the request %s", r->name);
            }
            if (i % 10 == 9) { /* within the rate of one socket */
                page_free(p);
                p = page_of(&callers[w], &doc);
            }
            for (enum object o = OWN; o < OBJECTS; o++, tried++) {
                ask(p, &doc, r->name, c->members[o]);
                wrong += judge(&callers[w], r, c, o, &doc);
            }
        }
        page_free(p);
        hear_victim();
        assert_string_equal(victim_state, "available");
    }
    json_free(&doc);
    print_message("A12: %u cells (%zu requests, 4 callers, 3 objects), %u wrong\n", tried,
                  sizeof requests / sizeof *requests, wrong);
    assert_int_equal(wrong, 0);
    assert_int_equal(tried, sizeof requests / sizeof *requests * 4 * OBJECTS);
}

/* Somebody else's call, while it lasts: nobody can end or dispose it by its id.
 */
static void a_call_is_its_agents(void **state)
{
    struct json doc;

    (void)state;
    json_init(&doc, 1024u * 1024u);
    ask(victim, &doc, "dial", ",\"number\":\"+12125550199\"");
    run_until((hear_victim(), victim_attempt[0] != '\0'));
    for (size_t w = 0; w < 3; w++) {
        struct page *p = page_of(&callers[w], &doc);
        ask(p, &doc, "set_disposition", ",\"attempt\":\"%s\",\"code\":\"sale\"");
        assert_string_not_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "result"), ""), "ok");
        ask(p, &doc, "hang_up", ",\"attempt\":\"%s\",\"agent\":4");
        page_free(p);
        hear_victim();
        assert_string_not_equal(victim_attempt, "");
    }
    json_free(&doc);
}

/* PROTOCOL.md's table is the same list. */
static void the_protocol_names_them(void **state)
{
    FILE *f = fopen("adapters/web/PROTOCOL.md", "re");
    static char text[65536];
    char row[80];
    size_t n;

    (void)state;
    assert_non_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        snprintf(row, sizeof row, "\n| `%s` |", requests[i].name);
        if (strstr(text, row) == NULL) {
            fail_msg("PROTOCOL.md has no row for %s", requests[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(a_call_is_its_agents),
        cmocka_unit_test(the_protocol_names_them),
    };

    return cmocka_run_group_tests_name("attacks: roles", tests, open_roles, close_roles);
}
