/* test_login.c - the ways in: passwords, links, tickets, and everybody who must stay outside. */
#include "tests/web/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char good[] = "{\"user\":\"ada\",\"password\":\"correct horse\"}";

static void a_password_opens_a_session_and_a_session_gives_tickets(void **state)
{
    const char *answer = ask("POST", "/login", "", good);
    char cookie[256];
    char first[64];

    (void)state;
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "HttpOnly; SameSite=Strict"));
    assert_non_null(strstr(answer, "Cache-Control: no-store"));
    assert_string_equal(member_of(answer, "name"), "Ada");
    assert_string_equal(member_of(answer, "role"), "agent");
    snprintf(cookie, sizeof cookie, "%s", cookie_of(answer));
    answer = ask("POST", "/ticket", cookie, "{}");
    assert_int_equal(status_of(answer), 200);
    snprintf(first, sizeof first, "%s", member_of(answer, "ticket"));
    assert_int_equal(strlen(first), 43);
    answer = ask("POST", "/ticket", cookie, "{}");
    assert_string_not_equal(member_of(answer, "ticket"), first);
}

static void without_a_session_there_is_no_ticket(void **state)
{
    (void)state;
    assert_int_equal(status_of(ask("POST", "/ticket", "", "{}")), 401);
    assert_int_equal(status_of(ask("POST", "/ticket",
                                   "Cookie: session="
                                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
                                   "{}")),
                     401);
}

static void wrong_password_and_unknown_user_hear_the_same(void **state)
{
    char wrong[512];
    const char *unknown;

    (void)state;
    snprintf(
        wrong, sizeof wrong, "%s",
        strstr(ask("POST", "/login", "", "{\"user\":\"ada\",\"password\":\"wrong\"}"), "\r\n\r\n"));
    unknown = ask("POST", "/login", "", "{\"user\":\"nobody\",\"password\":\"wrong\"}");
    assert_int_equal(status_of(unknown), 401);
    assert_string_equal(strstr(unknown, "\r\n\r\n"), wrong);
    assert_null(strstr(unknown, "Set-Cookie"));
}

static void the_third_wrong_password_begins_a_pause(void **state)
{
    const char *answer;

    (void)state;
    for (int i = 0; i < 3; i++) {
        answer = ask("POST", "/login", "", "{\"user\":\"bob\",\"password\":\"wrong\"}");
        assert_int_equal(status_of(answer), 401);
    }
    answer = ask("POST", "/login", "", "{\"user\":\"bob\",\"password\":\"correct horse\"}");
    assert_int_equal(status_of(answer), 429);
    assert_non_null(strstr(answer, "Retry-After: 4"));
    expect_counted("web_logins_wrong_total", 3);
    expect_counted("web_logins_paused_total", 1);
    /* Another account at the same address is not held up yet. */
    assert_int_equal(status_of(ask("POST", "/login", "", good)), 200);
}

static void a_link_works_once(void **state)
{
    char body[128];
    const char *answer;

    (void)state;
    assert_int_equal(strlen(web_one_time_token(web)), 43);
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", web_one_time_token(web));
    answer = ask("POST", "/enter", "", body);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(member_of(answer, "role"), "admin");
    assert_int_equal(status_of(ask("POST", "/enter", "", body)), 401);
    expect_counted("web_tickets_bad_total", 1);
}

static void a_foreign_page_gets_nothing(void **state)
{
    static const char foreign[] = "Origin: http://evil.example\r\n";
    char own[64];

    (void)state;
    assert_int_equal(status_of(ask("POST", "/login", foreign, good)), 403);
    assert_int_equal(status_of(ask("POST", "/ticket", foreign, "{}")), 403);
    snprintf(own, sizeof own, "Origin: http://127.0.0.1:%u\r\n", web_port(web));
    assert_int_equal(status_of(ask("POST", "/login", own, good)), 200);
    expect_counted("web_origins_bad_total", 2);
}

static void a_form_post_is_refused(void **state)
{
    /* A browser sends one to other sites without asking them first. */
    const char *answer =
        ask("POST", "/login", "Content-Type: text/plain\r\nContent-Length: 0\r\n", NULL);

    (void)state;
    assert_int_equal(status_of(answer), 415);
    expect_counted("web_posts_bad_total", 1);
}

static void bad_bodies_are_named(void **state)
{
    char deep[64] = "";

    (void)state;
    assert_int_equal(status_of(ask("POST", "/login", "", "{\"user\":")), 400);
    assert_int_equal(status_of(ask("POST", "/login", "", "[]")), 400);
    assert_int_equal(status_of(ask("POST", "/login", "", "{\"user\":7,\"password\":\"x\"}")), 400);
    assert_int_equal(status_of(ask("POST", "/login", "", "{\"user\":\"ada\"}")), 400);
    assert_int_equal(status_of(ask("POST", "/login", "", "{\"user\":\"\xff\",\"password\":\"x\"}")),
                     400);
    memset(deep, '[', 40);
    assert_int_equal(status_of(ask("POST", "/login", "", deep)), 400);
    expect_counted("web_posts_bad_total", 6);
    assert_int_equal(status_of(ask("GET", "/login", "", NULL)), 405);
    assert_int_equal(status_of(ask("GET", "/etc/passwd", "", NULL)), 404);
    assert_int_equal(status_of(ask("GET", "/../web.h", "", NULL)), 404);
}

static void logging_out_ends_session_and_socket(void **state)
{
    char cookie[256];
    char ticket[64];
    char other[64];
    struct page *page;
    struct page *late;

    (void)state;
    snprintf(cookie, sizeof cookie, "%s", cookie_of(ask("POST", "/login", "", good)));
    snprintf(ticket, sizeof ticket, "%s",
             member_of(ask("POST", "/ticket", cookie, "{}"), "ticket"));
    snprintf(other, sizeof other, "%s", member_of(ask("POST", "/ticket", cookie, "{}"), "ticket"));
    page = page_hello(ticket, NULL, 0);
    run_until(page->n > 0);
    assert_int_equal(status_of(ask("POST", "/logout", cookie, "{}")), 204);
    run_until(page->closed);
    assert_int_equal(page->code, 1008);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    late = page_hello(other, NULL, 0);
    run_until(late->closed);
    assert_int_equal(late->code, 1008);
    page_free(page);
    page_free(late);
}

static void the_page_is_served_under_a_strict_policy(void **state)
{
    const char *answer = ask("GET", "/", "", NULL);
    char etag[128];
    const char *at;

    (void)state;
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Type: text/html"));
    assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff"));
    assert_non_null(
        strstr(answer, "Content-Security-Policy: default-src 'none'; script-src 'self'"));
    assert_null(strstr(answer, "unsafe"));
    at = strstr(answer, "ETag: ");
    assert_non_null(at);
    snprintf(etag, sizeof etag, "If-None-Match: %.*s\r\n", (int)strcspn(at + 6, "\r"), at + 6);
    answer = ask("GET", "/enter", etag, NULL);
    assert_int_equal(status_of(answer), 304);
}

static void health_says_what_is_missing(void **state)
{
    struct msg_readiness store = {.name = T("store"), .text = T("the disk is full")};
    const struct msg_readiness configuration = {.name = T("configuration"), .ready = true};
    const struct msg_view_pbx pbx = {.pbx = 1, .name = T("east"), .state = PBX_UP};
    const char *answer;

    (void)state;
    assert_int_equal(status_of(ask("GET", "/livez", "", NULL)), 200);
    answer = ask("GET", "/readyz", "", NULL);
    assert_int_equal(status_of(answer), 503);
    assert_string_equal(member_of(answer, "text"), "the daemon is starting");
    fake_post(MSG_view_pbx, &pbx);
    fake_post(MSG_readiness, &store);
    do {
        answer = ask("GET", "/readyz", "", NULL);
    } while (strstr(answer, "the disk is full") == NULL);
    assert_int_equal(status_of(answer), 503);
    assert_string_equal(member_of(answer, "text"), "the daemon is starting");
    store.ready = true;
    store.text = T("");
    fake_post(MSG_readiness, &store);
    do {
        answer = ask("GET", "/readyz", "", NULL);
    } while (strstr(answer, "the disk is full") != NULL);
    assert_int_equal(status_of(answer), 503); /* its configuration is not there yet */
    fake_post(MSG_readiness, &configuration);
    do {
        answer = ask("GET", "/readyz", "", NULL);
    } while (status_of(answer) != 200);
    assert_non_null(strstr(answer, "\"name\":\"east\""));
    assert_non_null(strstr(ask("GET", "/metrics", "", NULL), "\nweb_clients 0\n"));
}

static void a_silent_store_is_not_a_wrong_password(void **state)
{
    const char *answer;

    (void)state;
    fake_store_away = true;
    answer = ask("POST", "/login", "", good);
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "Retry-After"));
}

/* --- sessions outlive the daemon ---------------------------------------------------------------
 */

static void new_daemon(void **state)
{
    teardown_web(state);
    setup_web(state);
}

static const char *log_in(char cookie[256])
{
    fake_store_empty();
    snprintf(cookie, 256, "%s", cookie_of(ask("POST", "/login", "", good)));
    return cookie;
}

static void a_session_outlives_the_daemon(void **state)
{
    char cookie[256];
    char ticket[64];
    struct page *page;

    log_in(cookie);
    new_daemon(state);
    snprintf(ticket, sizeof ticket, "%s",
             member_of(ask("POST", "/ticket", cookie, "{}"), "ticket"));
    page = page_hello(ticket, NULL, 0);
    run_until(page->n > 0);
    assert_non_null(strstr(page->message[0], "\"agent\":7,\"role\":\"agent\",\"name\":\"Ada\""));
    fake_store_down = true; /* it is this daemon's own from now on */
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 200);
    assert_int_equal(status_of(ask("POST", "/logout", cookie, "{}")), 204);
    run_until(page->closed);
    page_free(page);
    fake_store_down = false;
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    new_daemon(state);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    fake_store_empty();
}

static void a_logout_after_a_restart_ends_it_too(void **state)
{
    char cookie[256];

    log_in(cookie);
    new_daemon(state);
    assert_int_equal(status_of(ask("POST", "/logout", cookie, "{}")), 204);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    fake_store_empty();
}

static void a_store_that_is_away_is_no_end_of_a_session(void **state)
{
    const char *answer;
    char cookie[256];

    log_in(cookie);
    new_daemon(state);
    fake_store_down = true;
    answer = ask("POST", "/ticket", cookie, "{}");
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "Retry-After: 1"));
    assert_non_null(strstr(answer, "the store is not reachable"));
    fake_store_down = false;
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 200);
    fake_store_empty();
}

static void who_is_disabled_comes_in_no_more(void **state)
{
    const struct msg_session_end disabled = {.agent = 7};
    char cookie[256];

    log_in(cookie);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 200);
    fake_post(MSG_session_end, &disabled);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    new_daemon(state);
    assert_int_equal(status_of(ask("POST", "/ticket", cookie, "{}")), 401);
    fake_store_empty();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_web, teardown_web)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_password_opens_a_session_and_a_session_gives_tickets),
        TEST(without_a_session_there_is_no_ticket),
        TEST(wrong_password_and_unknown_user_hear_the_same),
        TEST(the_third_wrong_password_begins_a_pause),
        TEST(a_link_works_once),
        TEST(a_foreign_page_gets_nothing),
        TEST(a_form_post_is_refused),
        TEST(bad_bodies_are_named),
        TEST(logging_out_ends_session_and_socket),
        TEST(the_page_is_served_under_a_strict_policy),
        TEST(health_says_what_is_missing),
        TEST(a_silent_store_is_not_a_wrong_password),
        TEST(a_session_outlives_the_daemon),
        TEST(a_logout_after_a_restart_ends_it_too),
        TEST(a_store_that_is_away_is_no_end_of_a_session),
        TEST(who_is_disabled_comes_in_no_more),
    };

    return cmocka_run_group_tests_name("web_login", tests, NULL, NULL);
}
