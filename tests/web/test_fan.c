/* test_fan.c - the picture: whole, changing, resumed, and for slow readers. */
#include "tests/web/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json doc;

/* What a client keeps by PROTOCOL.md: the state of each call and agent, and the numbers. */
struct model {
    char stream[32];
    int64_t seq;
    bool complete;
    unsigned frames, items;
    char state[64][16]; /* agents by id */
    char call[300][16]; /* by the number in "call-N"; "" gone */
};

static void apply_item(struct model *m, json_ref i)
{
    const char *type = json_str(&doc, json_get(&doc, i, "type"), "");
    const char *state = json_str(&doc, json_get(&doc, i, "state"), "");
    int64_t agent = 0;

    m->items++;
    if (strcmp(type, "status_update") == 0) {
        assert_true(json_int(&doc, json_get(&doc, i, "agent"), &agent) && agent < 64);
        snprintf(m->state[agent], sizeof m->state[agent], "%s", state);
    } else if (strcmp(type, "call") == 0) {
        const char *attempt = json_str(&doc, json_get(&doc, i, "attempt"), "");
        bool gone = false;
        long n;
        if (attempt[0] == '\0') { /* an agent's, whichever it was */
            memset(m->call, 0, sizeof m->call);
            return;
        }
        n = strtol(attempt + 5, NULL, 10);
        assert_true(n >= 0 && n < 300);
        (void)json_bool(&doc, json_get(&doc, i, "gone"), &gone);
        snprintf(m->call[n], sizeof m->call[n], "%s", gone ? "" : state);
    }
}

/* Applies whatever has come; every changes frame must go on where the last one ended. */
static void apply(struct model *m, struct page *p)
{
    while (p->read < p->n) {
        const char *text = p->message[p->read++];
        const json_ref root = JSON_ROOT;
        int64_t after = -1;
        bool more = true;
        assert_int_equal(json_parse(&doc, text, strlen(text)), 0);
        if (json_is(&doc, json_get(&doc, root, "type"), "welcome")) {
            bool resumed = false;
            snprintf(m->stream, sizeof m->stream, "%s",
                     json_str(&doc, json_get(&doc, root, "stream"), ""));
            assert_true(json_bool(&doc, json_get(&doc, root, "resumed"), &resumed));
            if (!resumed) {
                memset(m->call, 0, sizeof m->call);
                memset(m->state, 0, sizeof m->state);
                m->seq = 0;
            }
            continue;
        }
        if (!json_is(&doc, json_get(&doc, root, "type"), "changes")) {
            continue;
        }
        assert_true(json_int(&doc, json_get(&doc, root, "after"), &after));
        assert_int_equal(after, m->seq);
        assert_true(json_int(&doc, json_get(&doc, root, "seq"), &m->seq));
        assert_true(m->seq >= after);
        assert_true(json_bool(&doc, json_get(&doc, root, "more"), &more));
        m->complete = !more;
        m->frames++;
        for (json_ref i = json_first(&doc, json_get(&doc, root, "items")); i != JSON_NONE;
             i = json_next(&doc, i)) {
            apply_item(m, i);
        }
    }
}

static bool agent_is(struct model *m, struct page *p, uint64_t agent, const char *state)
{
    apply(m, p);
    return strcmp(m->state[agent], state) == 0;
}

static bool call_is(struct model *m, struct page *p, unsigned call, const char *state)
{
    apply(m, p);
    return strcmp(m->call[call], state) == 0;
}

static void the_whole_picture_comes_first_then_changes(void **state)
{
    struct model m = {0};
    struct page *p;

    (void)state;
    show_agent(7, AGENT_AVAILABLE, "");
    show_call("call-1", 0, ATTEMPT_RINGING);
    show_call("call-2", 0, ATTEMPT_RINGING);
    show_call("call-2", 0, ATTEMPT_ENDED);
    show_campaign(1, 5);
    p = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    run_until(call_is(&m, p, 1, "ringing"));
    assert_string_equal(m.state[7], "available");
    assert_string_equal(m.call[2], "");
    show_agent(7, AGENT_BREAK, "");
    run_until(agent_is(&m, p, 7, "break"));
    show_call("call-1", 0, ATTEMPT_DISPOSED);
    run_until(call_is(&m, p, 1, ""));
    page_free(p);
}

static struct text of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

/* R26: the daemon's mode and its alarms, started and over; not an agent's business. */
static void a_supervisor_sees_mode_and_alarms(void **state)
{
    struct page *p, *agent;
    bool gone = false;
    struct msg_daemon_mode mode = {.mode = DAEMON_NO_NEW_DIALS,
                                   .cause = REASON_journal_failing,
                                   .text = of("No space left on device"),
                                   .since_wall_ms = 1767787200000};
    struct msg_alarm_moved alarm = {.kind = ALARM_pbx_away,
                                    .code = of("DLR-PBX-AWAY"),
                                    .subject = of("pbx 1"),
                                    .text = of("refused"),
                                    .stands = true,
                                    .started_wall_ms = 1767787200000};

    (void)state;
    show_agent(7, AGENT_AVAILABLE, "");
    fake_post(MSG_daemon_mode, &mode);
    p = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    page_item(p, "mode", &doc);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "mode"), ""), "NO_NEW_DIALS");
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "cause"), ""), "journal_failing");
    fake_post(MSG_alarm_moved, &alarm);
    page_item(p, "alarm", &doc);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "code"), ""), "DLR-PBX-AWAY");
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "subject"), ""), "pbx 1");
    alarm.stands = false;
    alarm.ended_wall_ms = 1767787260000;
    fake_post(MSG_alarm_moved, &alarm);
    page_item(p, "alarm", &doc);
    assert_true(json_bool(&doc, json_get(&doc, JSON_ROOT, "gone"), &gone) && gone);
    agent = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    page_item(agent, "status_update", &doc);
    for (unsigned i = 0; i < agent->n; i++) {
        assert_null(strstr(agent->message[i], "\"mode\""));
        assert_null(strstr(agent->message[i], "DLR-PBX-AWAY"));
    }
    page_free(agent);
    page_free(p);
}

static void an_agent_sees_only_its_own(void **state)
{
    struct model m = {0};
    const struct msg_screen_pop pop = {.agent = 8,
                                       .attempt = T("call-2"),
                                       .number = T("+12125550123"),
                                       .name = T("Secret Person"),
                                       .fields = T("{\"city\":\"Rome\"}")};
    struct page *p;

    (void)state;
    show_agent(7, AGENT_AVAILABLE, "");
    show_agent(8, AGENT_AVAILABLE, "");
    show_call("call-1", 0, ATTEMPT_RINGING);
    fake_post(MSG_screen_pop, &pop);
    show_call("call-2", 8, ATTEMPT_BRIDGED);
    p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    run_until(agent_is(&m, p, 7, "available"));
    show_call("call-3", 7, ATTEMPT_BRIDGING);
    run_until(call_is(&m, p, 3, "bridging"));
    show_call("call-3", 8, ATTEMPT_BRIDGED); /* given to somebody else */
    run_until(call_is(&m, p, 3, ""));
    assert_string_equal(m.state[8], "");
    assert_string_equal(m.call[1], "");
    assert_string_equal(m.call[2], "");
    for (unsigned i = 0; i < p->n; i++) {
        assert_null(strstr(p->message[i], "Secret Person"));
        assert_null(strstr(p->message[i], "call-2"));
    }
    page_free(p);
}

static void the_card_comes_before_the_call_and_goes_with_it(void **state)
{
    const struct msg_screen_pop pop = {
        .agent = 7,
        .attempt = T("call-1"),
        .lead = 3,
        .number = T("+12125550123"),
        .name = T("<script>alert(1)</script>"),
        .fields = T("{\"city\":\"R\\u00f6me\",\"age\":41,\"x\":{\"deep\":1}}"),
        .attempt_no = 2,
        .matches = 1};
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    bool gone = false;

    (void)state;
    show_agent(7, AGENT_AVAILABLE, "");
    page_item(p, "status_update", &doc);
    fake_post(MSG_screen_pop, &pop);
    page_item(p, "pop", &doc);
    assert_string_equal(json_str(&doc, json_path(&doc, JSON_ROOT, "fields.city"), ""),
                        "R\xc3\xb6me");
    assert_string_equal(json_str(&doc, json_path(&doc, JSON_ROOT, "fields.age"), ""), "41");
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "fields")), 2);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "name"), ""),
                        "<script>alert(1)</script>");
    show_agent(7, AGENT_RESERVED, "call-1");
    show_agent(7, AGENT_AVAILABLE, "");
    page_item(p, "pop", &doc);
    assert_true(json_bool(&doc, json_get(&doc, JSON_ROOT, "gone"), &gone) && gone);
    page_free(p);
}

/* R14: several leads have the number. What comes of a choice is a card like any other. */
static void several_leads_are_offered_without_their_data(void **state)
{
    struct msg_screen_pop pop = {
        .agent = 7,
        .attempt = T("call-1"),
        .number = T("+12125550123"),
        .fields = T("[{\"lead\":5,\"name\":\"<b>\",\"list\":\"one\",\"city\":\"Rome\"},"
                    "{\"lead\":6},{\"name\":\"x\"},7]"),
        .matches = 2};
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    int64_t lead = 0;
    json_ref list, one;

    (void)state;
    fake_post(MSG_screen_pop, &pop);
    page_item(p, "pop", &doc);
    list = json_get(&doc, JSON_ROOT, "choices");
    assert_int_equal(json_count(&doc, list), 2);
    one = json_first(&doc, list);
    assert_true(json_int(&doc, json_get(&doc, one, "lead"), &lead) && lead == 5);
    assert_string_equal(json_str(&doc, json_get(&doc, one, "name"), ""), "<b>");
    assert_string_equal(json_str(&doc, json_get(&doc, one, "list"), ""), "one");
    assert_int_equal(json_count(&doc, one), 3);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "fields")), 0);
    pop.fields = T("{\"city\":\"Rome\"}"); /* a card must not get out before the choice */
    fake_post(MSG_screen_pop, &pop);
    page_item(p, "pop", &doc);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "fields")), 0);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "choices")), 0);
    pop.matches = 1;
    fake_post(MSG_screen_pop, &pop);
    page_item(p, "pop", &doc);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "fields")), 1);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "choices")), 0);
    page_free(p);
}

static void a_card_that_is_no_object_is_shown_without(void **state)
{
    struct msg_screen_pop pop = {
        .agent = 7, .attempt = T("call-1"), .number = T("+12125550123"), .fields = T("{\"a\":")};
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);

    (void)state;
    fake_post(MSG_screen_pop, &pop);
    page_item(p, "pop", &doc);
    assert_int_equal(json_count(&doc, json_get(&doc, JSON_ROOT, "fields")), 0);
    page_free(p);
}

/* Random cuts in a stream of changes: the model at the end is the actors', nothing is missed. */
static void resuming_misses_nothing(void **state)
{
    struct model m = {0};
    enum agent_state now[8] = {0};
    enum attempt_state calls[40] = {0};
    unsigned seed = 20240607;
    struct page *p = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    unsigned resumed = 0;

    (void)state;
    run_until((apply(&m, p), m.complete));
    for (unsigned i = 0; i < 1000; i++) {
        const unsigned agent = 1 + (unsigned)rand_r(&seed) % 7;
        const unsigned call = (unsigned)rand_r(&seed) % 40;
        char attempt[16];
        now[agent] = rand_r(&seed) % 2 ? AGENT_AVAILABLE : AGENT_BREAK;
        show_agent(agent, now[agent], "");
        snprintf(attempt, sizeof attempt, "call-%u", call);
        if (calls[call] != ATTEMPT_ENDED) {
            calls[call] = rand_r(&seed) % 20 == 0  ? ATTEMPT_ENDED
                          : rand_r(&seed) % 2 == 0 ? ATTEMPT_RINGING
                                                   : ATTEMPT_BRIDGED;
            show_call(attempt, 0, calls[call]);
        }
        if (i % 97 == 96) {
            char stream[32];
            apply(&m, p);
            page_free(p);
            snprintf(stream, sizeof stream, "%s", m.stream);
            p = page_hello(ticket_of(9, ROLE_SUPERVISOR), stream, m.seq);
            run_until(p->n > 0);
            resumed += strstr(p->message[0], "\"resumed\":true") != NULL;
        }
    }
    show_agent(8, AGENT_WRAPUP, "");
    run_until(agent_is(&m, p, 8, "wrapup"));
    for (unsigned i = 1; i < 8; i++) {
        assert_string_equal(m.state[i], agent_state_name(now[i]));
    }
    for (unsigned i = 0; i < 40; i++) {
        assert_string_equal(m.call[i], calls[i] == ATTEMPT_ENDED ? ""
                                       : calls[i] == ATTEMPT_CLAIMED
                                           ? ""
                                           : attempt_state_name(calls[i]));
    }
    assert_int_equal(resumed, 10);
    /* Coalescing: far fewer items than changes were enough. */
    assert_true(m.items < 1900);
    page_free(p);
}

static void a_gap_or_a_foreign_stream_gets_the_whole_picture(void **state)
{
    struct model m = {0};
    struct page *p = page_hello(ticket_of(9, ROLE_SUPERVISOR), "0000000000000000", 5);
    char attempt[16];
    char stream[32];

    (void)state;
    run_until(p->n > 0);
    assert_non_null(strstr(p->message[0], "\"resumed\":false"));
    show_agent(7, AGENT_AVAILABLE, "");
    run_until(agent_is(&m, p, 7, "available"));
    page_free(p);
    snprintf(stream, sizeof stream, "%s", m.stream);
    /* A number from the future is nobody's. */
    p = page_hello(ticket_of(9, ROLE_SUPERVISOR), stream, 1000000);
    run_until(p->n > 0);
    assert_non_null(strstr(p->message[0], "\"resumed\":false"));
    page_free(p);
    /* More calls end than marks are kept. */
    for (unsigned i = 0; i < 9000; i++) {
        snprintf(attempt, sizeof attempt, "x%u", i);
        show_call(attempt, 0, ATTEMPT_RINGING);
        show_call(attempt, 0, ATTEMPT_ENDED);
    }
    show_agent(7, AGENT_BREAK, "");
    (void)ticket_of(1, ROLE_AGENT); /* its answer comes after all of that */
    p = page_hello(ticket_of(9, ROLE_SUPERVISOR), stream, m.seq);
    run_until(p->n > 0);
    assert_non_null(strstr(p->message[0], "\"resumed\":false"));
    run_until(agent_is(&m, p, 7, "break"));
    page_free(p);
}

static void an_agent_resumes_too(void **state)
{
    struct model m = {0};
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    char stream[32];

    (void)state;
    show_agent(7, AGENT_BUSY, "call-1");
    show_call("call-1", 7, ATTEMPT_BRIDGED);
    run_until(call_is(&m, p, 1, "bridged"));
    page_free(p);
    snprintf(stream, sizeof stream, "%s", m.stream);
    show_call("call-1", 7, ATTEMPT_ENDED);
    show_agent(7, AGENT_WRAPUP, "call-1");
    show_call("call-2", 7, ATTEMPT_BRIDGED);
    (void)ticket_of(1, ROLE_AGENT);
    p = page_hello(ticket_of(7, ROLE_AGENT), stream, m.seq);
    run_until(call_is(&m, p, 2, "bridged"));
    assert_non_null(strstr(p->message[0], "\"resumed\":true"));
    assert_string_equal(m.call[1], "");
    assert_string_equal(m.state[7], "wrapup");
    page_free(p);
}

/* A page that does not read gets no queue: when it reads again it gets the newest state. */
static void a_slow_reader_is_spared_what_was_overtaken(void **state)
{
    const struct net_ws_limits slow = {
        .max_message = 1024u * 1024u, .receive_buffer = 4096, .dead_us = -1};
    struct model m = {0};
    struct page *p = page_new(NULL, "dialer.v1", &slow);
    char hello[128];
    char attempt[16];

    (void)state;
    snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"ticket\":\"%s\"}",
             ticket_of(9, ROLE_SUPERVISOR));
    page_send(p, hello);
    run_until((apply(&m, p), m.complete));
    net_ws_pause(p->ws, true);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 250; i++) {
            snprintf(attempt, sizeof attempt, "call-%u", i);
            show_call(attempt, 0, round % 2 ? ATTEMPT_RINGING : ATTEMPT_BRIDGED);
        }
        (void)ticket_of(1, ROLE_AGENT);
    }
    show_agent(7, AGENT_AVAILABLE, "");
    net_ws_pause(p->ws, false);
    run_until(agent_is(&m, p, 7, "available"));
    for (unsigned i = 0; i < 250; i++) {
        assert_string_equal(m.call[i], "ringing");
    }
    assert_true(m.items < 40 * 250);
    page_free(p);
}

/* One that reads nothing at all is cut after 5 s, and the others do not notice. */
static void a_reader_that_never_reads_is_cut(void **state)
{
    const struct net_ws_limits slow = {
        .max_message = 1024u * 1024u, .receive_buffer = 4096, .dead_us = -1};
    struct model m = {0};
    struct page *stuck = page_new(NULL, "dialer.v1", &slow);
    struct page *p = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    char text[128];
    unsigned round = 0;

    (void)state;
    snprintf(text, sizeof text, "{\"type\":\"hello\",\"ticket\":\"%s\"}",
             ticket_of(9, ROLE_SUPERVISOR));
    page_send(stuck, text);
    run_until(stuck->n > 1);
    net_ws_pause(stuck->ws, true);
    do {
        round++;
        for (unsigned i = 0; i < 250; i++) {
            snprintf(text, sizeof text, "call-%u", i);
            show_call(text, 0, round % 2 ? ATTEMPT_RINGING : ATTEMPT_BRIDGED);
        }
        run_until(call_is(&m, p, 249, round % 2 ? "ringing" : "bridged"));
    } while (strstr(ask("GET", "/metrics", "", NULL), "\nweb_cut_slow_total 1\n") == NULL &&
             round < 200);
    assert_true(round < 200);
    assert_false(p->closed);
    page_free(p);
    page_free(stuck);
}

static void a_large_picture_comes_in_bounded_frames(void **state)
{
    struct model m = {0};
    struct page *p;
    char attempt[16];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(attempt, sizeof attempt, "call-%u", i);
        show_call(attempt, 0, ATTEMPT_RINGING);
    }
    for (unsigned i = 0; i < 2000; i++) {
        show_campaign(1000 + i, i);
    }
    p = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    run_until((apply(&m, p), m.complete));
    assert_true(m.frames > 5);
    assert_int_equal(m.items, 2300);
    for (unsigned i = 0; i < p->n; i++) {
        assert_true(strlen(p->message[i]) < 64 * 1024);
    }
    page_free(p);
}

static void the_campaigns_line_reaches_its_agents(void **state)
{
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    int64_t ringing = 0;

    (void)state;
    show_campaign(1, 1);
    show_campaign(2, 9);
    show_agent(7, AGENT_AVAILABLE, "");
    page_item(p, "campaign", &doc);
    show_campaign(1, 4);
    while (ringing != 4) {
        page_item(p, "campaign", &doc);
        assert_true(json_int(&doc, json_get(&doc, JSON_ROOT, "ringing"), &ringing));
        assert_int_not_equal(ringing, 9);
    }
    page_free(p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_web, teardown_web)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_whole_picture_comes_first_then_changes),
        TEST(a_supervisor_sees_mode_and_alarms),
        TEST(an_agent_sees_only_its_own),
        TEST(the_card_comes_before_the_call_and_goes_with_it),
        TEST(several_leads_are_offered_without_their_data),
        TEST(a_card_that_is_no_object_is_shown_without),
        TEST(resuming_misses_nothing),
        TEST(a_gap_or_a_foreign_stream_gets_the_whole_picture),
        TEST(an_agent_resumes_too),
        TEST(a_slow_reader_is_spared_what_was_overtaken),
        TEST(a_reader_that_never_reads_is_cut),
        TEST(a_large_picture_comes_in_bounded_frames),
        TEST(the_campaigns_line_reaches_its_agents),
    };

    json_init(&doc, 1024 * 1024);
    const int failed = cmocka_run_group_tests_name("web_fan", tests, NULL, NULL);
    json_free(&doc);
    return failed;
}
