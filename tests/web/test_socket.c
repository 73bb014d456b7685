/* test_socket.c - the socket's door, its limits, requests and roles. */
#include "tests/web/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json doc;

static void check_number(const char *name, int64_t wanted)
{
    int64_t n = -1;

    assert_true(json_int(&doc, json_get(&doc, JSON_ROOT, name), &n));
    assert_int_equal(n, wanted);
}

static void check_text(const char *name, const char *wanted)
{
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, name), "(absent)"), wanted);
}

static void expect_close(struct page *p, int code, const char *reason)
{
    run_until(p->closed);
    assert_int_equal(p->code, code);
    if (strstr(p->reason, reason) == NULL) {
        fail_msg("closed with \"%s\", not \"%s\"", p->reason, reason);
    }
    page_free(p);
}

static void a_ticket_opens_a_socket_once(void **state)
{
    char ticket[64];
    struct page *p;
    handle to;

    (void)state;
    snprintf(ticket, sizeof ticket, "%s", ticket_of(7, ROLE_AGENT));
    p = page_hello(ticket, NULL, 0);
    page_next(p, "welcome", &doc);
    check_number("agent", 7);
    check_text("role", "agent");
    check_text("name", "Somebody");
    assert_int_equal(((const struct msg_socket_open *)fake_sent(MSG_socket_open, &to))->agent, 7);
    assert_true(to == named(KIND_AGENT, 7));
    expect_close(page_hello(ticket, NULL, 0), 1008, "ticket");
    expect_counted("web_tickets_bad_total", 1);
    assert_false(p->closed);
    page_free(p);
    assert_int_equal(((const struct msg_socket_gone *)fake_sent(MSG_socket_gone, &to))->agent, 7);
}

static void only_the_last_page_of_an_agent_is_missed(void **state)
{
    struct page *one = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    struct page *two = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);

    (void)state;
    page_next(one, "welcome", &doc);
    page_next(two, "welcome", &doc);
    page_free(one);
    page_send(two, "{\"type\":\"ping\",\"id\":1}");
    page_next(two, "reply", &doc);
    assert_false(fake_has_sent(MSG_socket_gone));
    page_free(two);
    (void)fake_sent(MSG_socket_gone, NULL);
}

static void a_foreign_origin_is_refused(void **state)
{
    struct page *p = page_new("http://evil.example", "dialer.v1", NULL);
    char own[64];

    (void)state;
    assert_int_equal(p->code, 403);
    page_free(p);
    expect_counted("web_origins_bad_total", 1);
    snprintf(own, sizeof own, "http://127.0.0.1:%u", web_port(web));
    p = page_new(own, "dialer.v1", NULL);
    assert_true(p->open);
    page_free(p);
    p = page_new(NULL, NULL, NULL);
    assert_int_equal(p->code, 400);
    page_free(p);
}

static void what_is_no_hello_is_shown_out(void **state)
{
    struct page *p = page_new(NULL, "dialer.v1", NULL);

    (void)state;
    page_send(p, "{\"type\":\"ping\",\"id\":1}");
    expect_close(p, 1008, "hello");
    p = page_new(NULL, "dialer.v1", NULL);
    page_send(p, "{\"type\":\"hello\",\"ticket\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
    expect_close(p, 1008, "ticket");
    p = page_new(NULL, "dialer.v1", NULL);
    page_send(p, "{\"type\":\"hello\",\"ticket\":7}");
    expect_close(p, 1008, "hello");
    p = page_new(NULL, "dialer.v1", NULL);
    expect_close(p, 1008, "no hello in 5 s");
    expect_counted("web_cut_hello_total", 3);
    expect_counted("web_tickets_bad_total", 1);
}

static void bad_json_is_shown_out(void **state)
{
    static const char *const bad[] = {"{\"type\":", "hello", "{} {}",
                                      "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
                                      "{\"a\":\"\\ud800\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
        page_next(p, "welcome", &doc);
        page_send(p, bad[i]);
        expect_close(p, 1008, "not JSON");
    }
    expect_counted("web_cut_json_total", 5);
}

static void a_message_too_long_is_cut(void **state)
{
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    char *big = malloc(70001);

    (void)state;
    page_next(p, "welcome", &doc);
    memset(big, ' ', 70000);
    big[70000] = '\0';
    page_send(p, big);
    free(big);
    run_until(p->closed);
    assert_int_equal(p->code, 1009);
    page_free(p);
    expect_counted("web_cut_violation_total", 1);
}

static void a_flood_is_cut_and_a_burst_is_not(void **state)
{
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    char ping[64];

    (void)state;
    page_next(p, "welcome", &doc);
    for (int i = 1; i < 40; i++) { /* with the hello 40 */
        snprintf(ping, sizeof ping, "{\"type\":\"ping\",\"id\":%d}", i);
        page_send(p, ping);
    }
    for (int i = 1; i < 40; i++) {
        page_next(p, "reply", &doc);
        check_number("id", i);
    }
    for (int i = 0; i < 60; i++) {
        (void)net_ws_send(p->ws, "{\"type\":\"ping\",\"id\":1}", 22);
    }
    expect_close(p, 1008, "too many messages");
    expect_counted("web_cut_rate_total", 1);
}

static void requests_become_messages_and_get_one_reply(void **state)
{
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    const struct msg_set_status *status;
    const struct msg_set_disposition *disposition;
    const struct msg_choose_lead *chosen;
    const struct msg_preview_skip *skip;
    struct msg_reply reply = {.result = RESULT_REFUSED, .text = T("not in a call")};
    handle to;

    (void)state;
    page_next(p, "welcome", &doc);
    page_send(p, "{\"type\":\"set_status\",\"id\":12,\"state\":\"break\",\"reason\":\"lunch\"}");
    status = fake_sent(MSG_set_status, &to);
    assert_true(to == named(KIND_AGENT, 7));
    assert_int_equal(status->state, AGENT_BREAK);
    assert_memory_equal(status->reason.ptr, "lunch", 5);
    reply.client = status->client;
    reply.request = status->request;
    fake_post(MSG_reply, &reply);
    fake_post(MSG_reply, &reply); /* a second one goes nowhere */
    page_next(p, "reply", &doc);
    check_number("id", 12);
    check_text("result", "refused");
    check_text("text", "not in a call");
    page_send(p, "{\"type\":\"set_disposition\",\"id\":13,\"attempt\":\"att-1\",\"code\":\"sale\","
                 "\"note\":\"\\u00fcber\",\"callback\":1764000000000}");
    disposition = fake_sent(MSG_set_disposition, NULL);
    assert_int_equal(disposition->callback_wall_ms, 1764000000000);
    assert_memory_equal(disposition->note.ptr,
                        "\xc3\xbc"
                        "ber",
                        5);
    page_send(p, "{\"type\":\"choose_lead\",\"id\":15,\"attempt\":\"att-1\",\"lead\":5}");
    chosen = fake_sent(MSG_choose_lead, &to);
    assert_true(to == named(KIND_AGENT, 7));
    assert_int_equal(chosen->lead, 5);
    assert_memory_equal(chosen->attempt.ptr, "att-1", 5);
    page_send(p,
              "{\"type\":\"preview_skip\",\"id\":16,\"attempt\":\"att-1\",\"reason\":\"later\"}");
    skip = fake_sent(MSG_preview_skip, &to);
    assert_true(to == named(KIND_AGENT, 7));
    assert_memory_equal(skip->attempt.ptr, "att-1", 5);
    assert_memory_equal(skip->reason.ptr, "later", 5);
    page_send(p, "{\"type\":\"ping\",\"id\":14}");
    page_next(p, "reply", &doc);
    check_number("id", 14);
    page_free(p);
}

static void wrong_requests_change_nothing(void **state)
{
    static const struct {
        const char *text, *result, *why;
    } wrong[] = {
        {"{\"type\":\"fly\",\"id\":1}", "invalid", "unknown type"},
        {"{\"type\":\"ping\"}", "invalid", "id"},
        {"{\"type\":\"ping\",\"id\":-1}", "invalid", "id"},
        {"{\"type\":\"ping\",\"id\":1.5}", "invalid", "id"},
        {"[1]", "invalid", "id"},
        {"{\"type\":\"set_status\",\"id\":1,\"state\":\"busy\"}", "invalid", "state"},
        {"{\"type\":\"set_status\",\"id\":1,\"state\":\"break\",\"reason\":[]}", "invalid",
         "reason"},
        {"{\"type\":\"dial\",\"id\":1}", "invalid", "number"},
        {"{\"type\":\"dial\",\"id\":1,\"number\":\"1234567890123456789012345678901234567890\"}",
         "invalid", "number"},
        {"{\"type\":\"dial\",\"id\":1,\"number\":\"12\",\"lead\":\"x\"}", "invalid", "lead"},
        {"{\"type\":\"set_disposition\",\"id\":1,\"attempt\":\"a\"}", "invalid", "code"},
        {"{\"type\":\"preview_dial\",\"id\":1}", "invalid", "attempt"},
        {"{\"type\":\"preview_skip\",\"id\":1,\"attempt\":\"a\"}", "invalid", "reason"},
        {"{\"type\":\"choose_lead\",\"id\":1,\"lead\":5}", "invalid", "attempt"},
        {"{\"type\":\"choose_lead\",\"id\":1,\"attempt\":\"a\"}", "invalid", "lead"},
        {"{\"type\":\"choose_lead\",\"id\":1,\"attempt\":\"a\",\"lead\":-5}", "invalid", "lead"},
    };
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);

    (void)state;
    page_next(p, "welcome", &doc);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        page_send(p, wrong[i].text);
        page_next(p, "reply", &doc);
        check_text("result", wrong[i].result);
        assert_non_null(
            strstr(json_str(&doc, json_get(&doc, JSON_ROOT, "text"), ""), wrong[i].why));
    }
    expect_counted("web_requests_invalid_total", sizeof wrong / sizeof *wrong);
    assert_false(fake_has_sent(MSG_dial));
    assert_false(fake_has_sent(MSG_set_status));
    assert_false(fake_has_sent(MSG_choose_lead));
    assert_false(fake_has_sent(MSG_preview_dial));
    assert_false(fake_has_sent(MSG_preview_skip));
    page_free(p);
    p = page_hello(ticket_of(101, ROLE_AGENT), NULL, 0); /* no such actor */
    page_next(p, "welcome", &doc);
    page_send(p, "{\"type\":\"hang_up\",\"id\":1}");
    page_next(p, "reply", &doc);
    check_text("result", "away");
    page_free(p);
}

/* Every request type, for every role: what is allowed leaves as a message, the rest is refused. */
static void roles_are_checked_for_each_message(void **state)
{
    static const struct {
        const char *type, *rest;
        bool agent, supervisor;
    } rows[] = {
        {"agent_login", "", true, true},
        {"agent_logout", "", true, true},
        {"set_status", ",\"state\":\"available\"", true, true},
        {"dial", ",\"number\":\"+12125550123\"", true, true},
        {"hang_up", "", true, true},
        {"mute", ",\"on\":true", true, true},
        {"dtmf", ",\"digits\":\"1\"", true, true},
        {"set_disposition", ",\"attempt\":\"a\",\"code\":\"b\"", true, true},
        {"choose_lead", ",\"attempt\":\"a\",\"lead\":5", true, true},
        {"preview_dial", ",\"attempt\":\"a\"", true, true},
        {"preview_skip", ",\"attempt\":\"a\",\"reason\":\"b\"", true, true},
        {"campaign_switch", ",\"campaign\":1,\"action\":\"stop\"", false, true},
        {"explain_campaign", ",\"campaign\":1", false, true},
    };
    struct page *agent = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);
    struct page *boss = page_hello(ticket_of(9, ROLE_SUPERVISOR), NULL, 0);
    struct page *nobody = page_hello(ticket_of(0, ROLE_ADMIN), NULL, 0);
    char who[2][64];
    handle to;

    (void)state;
    page_next(agent, "welcome", &doc);
    page_next(boss, "welcome", &doc);
    page_next(nobody, "welcome", &doc);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":%zu%s}", rows[i].type, i + 1,
                 rows[i].rest);
        page_send(agent, text);
        page_send(boss, text);
        page_send(nobody, text);
        if (!rows[i].agent) {
            page_next(agent, "reply", &doc);
            check_text("result", "refused");
        } else {
            page_next(nobody, "reply", &doc);
            check_text("result", "refused");
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_true(fake_sent(MSG_hang_up, NULL) != NULL);
        const struct msg_campaign_switch *m = fake_sent(MSG_campaign_switch, &to);
        assert_true(to == ADDR_CTL && m->reply_to == ADDR_WEB && m->action == 2);
        snprintf(who[i], sizeof who[i], "%.*s", (int)m->who.len, m->who.ptr);
    }
    /* for the audit: the agent by name and number, or the name that a link was made for */
    assert_true(strcmp(who[0], who[1]) != 0);
    for (int i = 0; i < 2; i++) {
        assert_true(strcmp(who[i], "page:Somebody, agent 9") == 0 ||
                    strcmp(who[i], "page:Somebody") == 0);
    }
    assert_false(fake_has_sent(MSG_campaign_switch));
    page_free(agent);
    page_free(boss);
    page_free(nobody);
}

static void pages_are_told_when_the_daemon_goes(void **state)
{
    struct page *p = page_hello(ticket_of(7, ROLE_AGENT), NULL, 0);

    (void)state;
    page_next(p, "welcome", &doc);
    web_close(web);
    expect_close(p, 1001, "going");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_web, teardown_web)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_opens_a_socket_once),
        TEST(only_the_last_page_of_an_agent_is_missed),
        TEST(a_foreign_origin_is_refused),
        TEST(what_is_no_hello_is_shown_out),
        TEST(bad_json_is_shown_out),
        TEST(a_message_too_long_is_cut),
        TEST(a_flood_is_cut_and_a_burst_is_not),
        TEST(requests_become_messages_and_get_one_reply),
        TEST(wrong_requests_change_nothing),
        TEST(roles_are_checked_for_each_message),
        TEST(pages_are_told_when_the_daemon_goes),
    };

    json_init(&doc, 1024 * 1024);
    const int failed = cmocka_run_group_tests_name("web_socket", tests, NULL, NULL);
    json_free(&doc);
    return failed;
}
