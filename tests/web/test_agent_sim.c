/* test_agent_sim.c - the simulated agents' program: its options, its tickets, what it asks and what
 * it writes down. */
#include "tests/daemon/spawn.h"
#include "tests/web/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *program(void)
{
    char *path = getenv("AGENT_SIM");

    if (path == NULL) {
        fail_msg("AGENT_SIM does not say where the program is");
    }
    return path;
}

static void refused(const char *what, char *const argv[])
{
    struct ran r = ran("", argv);

    assert_int_equal(r.status, 2);
    if (strstr(r.err, what) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", r.err, what);
    }
    ran_free(&r);
}

static void wrong_options_are_named(void **state)
{
    char *const p = program();

    (void)state;
    refused("usage", (char *[]){p, NULL});
    refused("nonsense", (char *[]){p, "--url", "nonsense", "--tickets", "-", NULL});
    refused("-1", (char *[]){p, "--talk", "-1", NULL});
    refused("2", (char *[]){p, "--forget", "2", NULL});
    refused("unexpected", (char *[]){p, "more", NULL});
    refused("no ticket", (char *[]){p, "--url", "ws://127.0.0.1:1", "--tickets", "-", NULL});
    refused("absent", (char *[]){p, "--url", "ws://127.0.0.1:1", "--tickets", "absent", NULL});
}

static void *play(void *arg)
{
    struct ran *r = arg;
    char url[64];
    char *argv[] = {program(),   "--url", url,        "--tickets",   "-",
                    "--seconds", "3",     "--wrap",   "0.05",        "--json",
                    "--seed",    "7",     "--record", "/dev/stderr", NULL};

    snprintf(url, sizeof url, "ws://127.0.0.1:%u", page_port);
    *r = ran(r->out, argv);
    return NULL;
}

/* A login, a call that the customer ends, its disposition; one ticket is no good. */
static void it_does_what_an_agent_does(void **state)
{
    const struct msg_view_disposition sale = {
        .code = T("sale"), .name = T("Sale"), .position = 1, .active = true};
    const struct msg_set_disposition *disposition;
    const struct msg_agent_login *login;
    struct msg_reply reply = {.result = RESULT_OK};
    struct msg_view_agent wrapup = {.agent = 7,
                                    .name = T("Ada"),
                                    .state = AGENT_WRAPUP,
                                    .attempt = T("att-1"),
                                    .needs_disposition = true};
    char tickets[256];
    struct ran r = {.out = tickets};
    pthread_t thread;

    (void)state;
    fake_post(MSG_view_disposition, &sale);
    show_agent(7, AGENT_OFFLINE, "");
    snprintf(tickets, sizeof tickets,
             "{\"agent\":7,\"ticket\":\"%s\"}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
             ticket_of(7, ROLE_AGENT));
    assert_int_equal(pthread_create(&thread, NULL, play, &r), 0);
    login = fake_sent(MSG_agent_login, NULL);
    reply.client = login->client;
    reply.request = login->request;
    fake_post(MSG_reply, &reply);
    assert_int_equal(((const struct msg_set_status *)fake_sent(MSG_set_status, NULL))->state,
                     AGENT_AVAILABLE);
    show_agent(7, AGENT_AVAILABLE, "");
    show_agent(7, AGENT_BUSY, "att-1");
    show_call("att-1", 7, ATTEMPT_BRIDGED);
    show_call("att-1", 7, ATTEMPT_ENDED);
    fake_post(MSG_view_agent, &wrapup);
    disposition = fake_sent(MSG_set_disposition, NULL);
    assert_int_equal(disposition->code.len, 4);
    assert_memory_equal(disposition->attempt.ptr, "att-1", 5);
    reply.request = disposition->request;
    fake_post(MSG_reply, &reply);
    show_agent(7, AGENT_AVAILABLE, "");
    (void)fake_sent(MSG_agent_logout, NULL); /* its three seconds are over */
    web_close(web);                          /* nobody answers the logout: the socket ends it */
    pthread_join(thread, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"connected\":1,\"refused\":1,"));
    assert_non_null(strstr(r.out, "\"disposed\":1,"));
    assert_non_null(strstr(r.out, "\"gaps\":0,"));
    assert_non_null(
        strstr(r.err, "\"what\":\"disposed\",\"code\":\"sale\",\"attempt\":\"att-1\"}"));
    ran_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test_setup_teardown(it_does_what_an_agent_does, setup_web, teardown_web),
    };

    return cmocka_run_group_tests_name("agent_sim", tests, NULL, NULL);
}
