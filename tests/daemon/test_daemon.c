/* The daemon as it is run: command line, set-up by dialerctl alone, reload, a second daemon,
 * secrets, everything absent at start and lost in the middle. */
#include "tests/daemon/place.h"
#include "tests/support/services.h"
#include "tests/support/tls_front.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct place place;
static struct tls_front *front;

static int open_place(void **state)
{
    (void)state;
    place_open(&place);
    return 0;
}

static int close_place(void **state)
{
    (void)state;
    place_close(&place);
    if (front)
        tls_front_stop(front);
    front = NULL;
    return 0;
}

static void dialerd(const char *words, int status, const char *out)
{
    char copy[512];
    char *argv[16] = {getenv("DIALERD")};
    int n = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok(copy, " "); w && n < 15; w = strtok(NULL, " "))
        argv[n++] = w;
    struct ran r = ran("", argv);
    bool good = r.status == status && (strstr(r.out, out) || strstr(r.err, out));
    if (!good)
        print_error("dialerd %s: status %d, want %d\n%s%s\nwant: %s\n", words, r.status, status,
                    r.out, r.err, out);
    ran_free(&r);
    assert_true(good);
}

/* --- command line ---------------------------------------------------------------------------- */

static void checks_its_config(void **state)
{
    (void)state;
    char words[300];
    dialerd("", 2, "--config FILE is missing");
    dialerd("--nonsense", 2, "not understood");
    dialerd("--version", 0, "dialerd ");
    dialerd("--help", 0, "usage");
    dialerd("--print-example", 0, "[store]");
    dialerd("--print-manual", 0, ".TH DIALERD.CONF");
    dialerd("demo --nonsense", 2, "not understood");
    dialerd("demo --seconds x", 2, "out of range");
    dialerd("demo --help", 0, "--full");
    dialerd("--config /nonexistent --check", 2, "/nonexistent: cannot be opened");
    place_config(&place, NULL, "");
    snprintf(words, sizeof words, "--config %s --check", place.conf);
    dialerd(words, 0, "good");
    snprintf(words, sizeof words, "--config %s --show", place.conf);
    dialerd(words, 0, "drain_time = \"30s\" # default");
    place_write(&place, "dialerd.conf", "[store]\nurl = sqlite:/x\n[wbe]\nport = 1\n");
    snprintf(words, sizeof words, "--check --config %s", place.conf);
    dialerd(words, 2, "dialerd.conf:3:2: there is no section [wbe]; did you mean [web]?");
    snprintf(words, sizeof words, "--config %s", place.conf);
    dialerd(words, 2, "did you mean [web]?");
    char text[300];
    snprintf(text, sizeof text, "[pbx a]\nurl = http://127.0.0.1:1\npassword_file = %s/pw\n",
             place.dir);
    place_config(&place, NULL, text);
    dialerd(words, 2, "No such file");
    place_write(&place, "pw", "secret\n");
    snprintf(text, sizeof text, "%s/pw", place.dir);
    assert_int_equal(chmod(text, 0644), 0);
    dialerd(words, 2, "chmod 0600");
}

static void migrates_without_a_daemon(void **state)
{
    (void)state;
    char words[200];
    char *argv[] = {getenv("DIALERCTL"),
                    (char *)(uintptr_t) "db",
                    (char *)(uintptr_t) "migrate",
                    (char *)(uintptr_t) "--config",
                    place.conf,
                    (char *)(uintptr_t) "--json",
                    NULL};
    place_config(&place, NULL, "");
    struct ran r = ran_on_terminal(argv);
    if (r.status != 0)
        print_error("%s%s\n", r.out, r.err);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "\"schema\":"));
    assert_non_null(strstr(r.err, "\r\033[Kmigration 1 of "));
    const char *last = strrchr(r.err, '\r'); /* the line is taken away at the end */
    assert_string_equal(last ? last : "", "\r\033[K");
    ran_free(&r);
    r = ran_on_terminal(argv); /* nothing is left to do */
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    ran_free(&r);
    snprintf(words, sizeof words, "%s/db", place.dir);
    assert_int_equal(unlink(words), 0);
    r = ran("", argv); /* nobody looks */
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    ran_free(&r);
    snprintf(words, sizeof words, "db-status --config %s", place.conf);
    dialerd(words, 0, "schema");
}

/* --- a second daemon ------------------------------------------------------------------------- */

static void refuses_a_second_daemon(void **state)
{
    (void)state;
    char words[300];
    place_config(&place, NULL, "");
    place_start(&place, true);
    snprintf(words, sizeof words, "--config %s", place.conf);
    dialerd(words, 1, "another daemon answers there");
    char text[600];
    snprintf(text, sizeof text,
             "[store]\nurl = \"sqlite:%s/db\"\n[web]\nport = 0\n[daemon]\nname = other\n"
             "[ctl]\nsocket = \"%s/ctl2\"\n",
             place.dir, place.dir);
    place_write(&place, "second.conf", text);
    snprintf(words, sizeof words, "--config %s/second.conf", place.dir);
    dialerd(words, 4, "tested at ");
    dialerd(words, 4, " UTC");
    place_expect(&place, "db status", 0, "sqlite");
    assert_int_equal(place_end(&place), 0);
}

/* --- reload ---------------------------------------------------------------------------------- */

/* What /metrics has on its line `name`, until it is `value`. */
static void until_metric(const char *name, const char *value)
{
    static const char ask[] = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const char *colon = strrchr(place.page, ':');
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char line[120];
    bool there = false;

    assert_non_null(colon);
    a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    snprintf(line, sizeof line, "\n%s %s\n", name, value);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    while (!there) { /* the test's time limit is the bound */
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        size_t len = 0;
        ssize_t n = 0;

        assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL), (ssize_t)sizeof ask - 1);
        while (len < (1 << 20) - 1 && (n = read(fd, text + len, (1 << 20) - 1 - len)) > 0)
            len += (size_t)n;
        text[len] = '\0';
        close(fd);
        there = strstr(text, line) != NULL;
    }
    free(text);
}

/* A new agent starts with the timers in force. */
static void add_agent(const char *login, const char *row)
{
    char words[200];
    snprintf(words, sizeof words, "--json agent add %s --password-file %s/password", login,
             place.dir);
    place_expect(&place, words, 0, row);
}

/* Long work shows how far it is, where somebody looks; what is written is not disturbed by it. */
static void long_work_tells_its_progress(void **state)
{
    (void)state;
    struct place_argv run;
    char words[300];
    place_config(&place, NULL, "[pbx one]\nurl = http://127.0.0.1:9\n");
    place_start(&place, true);
    place_expect(&place, "demo-data --leads 1000 --agents 1", 0, NULL);
    place_argv(&place, &run, "export leads");
    struct ran r = ran_on_terminal(run.argv);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.err, "\r\033[K1000 rows\r\033[K"));
    assert_null(strstr(r.out, " rows"));
    ran_free(&r);
    r = ran("", run.argv);
    assert_string_equal(r.err, "");
    ran_free(&r);
    place_write(&place, "people.csv", "phone\n+12125550133\n");
    place_expect(&place, "list add more --campaign 1", 0, NULL);
    snprintf(words, sizeof words, "lead import %s/people.csv --list 2 --map phone=number",
             place.dir);
    place_argv(&place, &run, words);
    r = ran_on_terminal(run.argv);
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.err, " rows, 100 %"));
    ran_free(&r);
}

static void reloads_all_or_nothing(void **state)
{
    (void)state;
    place_config(&place, NULL, "");
    place_start(&place, true);
    place_write(&place, "password", "correct horse battery\n");
    place_config(&place, NULL, "[timers]\nleg_ring = 7s\nlink_grase = 5s\n");
    kill(place.daemon.pid, SIGHUP);
    place_until_log(&place, "the old configuration stays in force", 20);
    place_until_log(&place, "did you mean link_grace?", 5);
    until_metric("dialer_reloads_total{kind=\"refused\"}", "1");
    add_agent("before", "\"leg_ring\":30");
    place_config(
        &place, NULL,
        "[timers]\nleg_ring = 7s\nlink_grace = 5s\n[hopper]\nurl = redis://127.0.0.1:1/0\n");
    kill(place.daemon.pid, SIGHUP);
    place_until_log(&place, "in force now: [timers] link_grace, [timers] leg_ring", 20);
    place_until_log(&place, "waits for a restart: [hopper] url", 5);
    place_until_log(&place, "configuration read again", 5);
    until_metric("dialer_reloads_total{kind=\"taken\"}", "1");
    add_agent("after", "\"leg_ring\":7");
    unlink(place.conf);
    kill(place.daemon.pid, SIGHUP);
    place_until_log(&place, "cannot be opened", 20);
    until_metric("dialer_reloads_total{kind=\"refused\"}", "2");
    place_expect(&place, "db status", 0, "sqlite");
    assert_int_equal(place_end(&place), 0);
}

/* --- from an empty database to a dialing campaign -------------------------------------------- */

static void pbx_section(char *text, size_t size, unsigned port)
{
    snprintf(text, size, "[pbx one]\nurl = http://127.0.0.1:%u\npassword_file = %s/ari.password\n",
             port, place.dir);
}

static void set_up(void)
{
    char words[400];
    place_expect(&place,
                 "trunk add carrier pbx=one endpoint=PJSIP/{number}@carrier lines=60 cps=20", 0,
                 "carrier");
    place_expect(&place,
                 "campaign add spring mode=ratio ratio=1 trunk=1 caller_id=+12125550100 "
                 "prefixes=+1212 message=sorry from=00:00 to=00:00 wrapup_timeout=1",
                 0, "spring");
    place_expect(&place, "list add first --campaign 1", 0, "first");
    char *csv = calloc(1, 8192);
    assert_non_null(csv);
    size_t n = (size_t)snprintf(csv, 8192, "phone,name\n");
    for (unsigned i = 0; i < 100; i++)
        n += (size_t)snprintf(csv + n, 8192 - n, "212-555-01%02u,Lead %u\n", i, i);
    place_write(&place, "people.csv", csv);
    free(csv);
    snprintf(words, sizeof words,
             "--json lead import %s/people.csv --list 1 --country US --map phone=number",
             place.dir);
    place_expect(&place, words, 0, "\"inserted\":100");
    place_write(&place, "ann.password", "correct horse battery\n");
    snprintf(words, sizeof words, "agent add ann --name Ann --password-file %s/ann.password",
             place.dir);
    place_expect(&place, words, 0, "Ann");
    place_expect(&place, "agent phone 1 --endpoint PJSIP/1001 --pbx one", 0, NULL);
    place_expect(&place, "agent assign 1 --campaign 1", 0, NULL);
    place_expect(&place, "campaign start 1", 0, NULL);
}

/* Is the secret anywhere but in its file? */
static void assert_hidden(const char *name)
{
    char path[64];
    char text[65536];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)place.daemon.pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    if (n > 0)
        assert_null(memmem(text, (size_t)n, "Kn0ck", 5));
}

static void dials_from_an_empty_database(void **state)
{
    (void)state;
    char section[200];
    place_sim(&place, 0);
    pbx_section(section, sizeof section, place.ari_port);
    place_config(&place, NULL, section);
    place_start(&place, true);
    set_up();
    place_until(&place, "explain campaign 1", "no agent is available", 20);
    place_agents(&place, 1, "0");
    place_until(&place, "export calls --format jsonl", "\"disposed_by\":\"agent\"", 60);
    place_until(&place, "export agents --format jsonl", "\"state\":\"wrapup\"", 60);
    place_expect(&place, "explain lead 100", 0, "lead");
    place_expect(&place, "campaign stop 1", 0, NULL);
    place_until(&place, "explain campaign 1", "the campaign is not running", 20);
    assert_hidden("cmdline");
    assert_hidden("environ");
    assert_int_equal(place_end(&place), 0);
    char *log = place_read(&place, "dialerd.log");
    assert_null(strstr(log, "Kn0ck"));
    assert_null(strstr(log, "correct horse"));
    free(log);
}

/* The agent's leg takes the only line: no call can leave, until a reload says that there are more.
 */
static void a_reload_gives_a_server_more_lines(void **state)
{
    (void)state;
    char section[200];
    char limited[240];
    place_sim(&place, 0);
    pbx_section(section, sizeof section, place.ari_port);
    snprintf(limited, sizeof limited, "%slines = 1\n", section);
    place_config(&place, NULL, limited);
    place_start(&place, true);
    set_up();
    place_agents(&place, 1, "0");
    place_until(&place, "export calls --format jsonl", "\"outcome\":\"fault\"", 30);
    char *witness = place_read(&place, "witness.jsonl");
    assert_null(strstr(witness, "\"id\":\"att-"));
    free(witness);
    snprintf(limited, sizeof limited, "%slines = 50\n", section);
    place_config(&place, NULL, limited);
    kill(place.daemon.pid, SIGHUP);
    place_until_log(&place, "in force now: [pbx one] lines", 20);
    place_until(&place, "export calls --format jsonl", "\"disposed_by\":\"agent\"", 60);
    place_expect(&place, "campaign stop 1", 0, NULL);
    assert_int_equal(place_end(&place), 0);
}

/* Asterisk behind TLS, with a certificate of its own: events and commands go over wss, and a
 * daemon that is not told to trust it does not speak with it. */
static void dials_through_tls(void **state)
{
    (void)state;
    char section[400];
    char ca[80];
    place_sim(&place, 0);
    snprintf(ca, sizeof ca, "%s/ca.pem", place.dir);
    front = tls_front_start((uint16_t)place.ari_port, "localhost", ca);
    assert_non_null(front);
    snprintf(section, sizeof section,
             "[pbx one]\nurl = https://localhost:%u\npassword_file = %s/ari.password\n",
             tls_front_port(front), place.dir);
    place_config(&place, NULL, section);
    place_start(&place, true);
    place_until(&place, "status", "down", 20);
    while (tls_front_broken(front) == 0) { /* it has tried; the test's time limit is the bound */
        place_expect(&place, "status", 0, "down");
    }
    assert_int_equal(place_end(&place), 0);
    assert_int_equal(tls_front_good(front), 0);

    snprintf(section, sizeof section,
             "[pbx one]\nurl = https://localhost:%u\npassword_file = %s/ari.password\n"
             "tls_ca = \"%s\"\n",
             tls_front_port(front), place.dir, ca);
    place_config(&place, NULL, section);
    place_start(&place, true);
    set_up();
    place_agents(&place, 1, "0");
    place_until(&place, "export calls --format jsonl", "\"disposed_by\":\"agent\"", 60);
    place_expect(&place, "campaign stop 1", 0, NULL);
    assert_true(tls_front_good(front) > 0);
    assert_int_equal(place_end(&place), 0);
}

/* P6: the call goes on while the daemon is away, and the next start takes it over. */
static void a_restart_drops_no_call(void **state)
{
    (void)state;
    char section[200];
    place.talk = "constant:12";
    place_sim(&place, 0);
    pbx_section(section, sizeof section, place.ari_port);
    place_config(&place, NULL, section);
    place_start(&place, true);
    set_up();
    place_agents(&place, 1, "0");
    place_until(&place, "--json explain campaign 1", "\"bridged\":1", 60);
    place_expect(&place, "campaign stop 1", 0, NULL);
    assert_int_equal(place_end(&place), 0);
    char *witness = place_read(&place, "witness.jsonl");
    for (const char *line = witness; *line; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        bool ended = memmem(line, len, "\"what\":\"end\"", 12) && memmem(line, len, "att-", 4);
        assert_false(ended);
        if (line[len] == '\0')
            break;
    }
    free(witness);
    place_start(&place, true);
    place_until(&place, "--json explain campaign 1", "\"bridged\":1", 20);
    place_until(&place, "export calls --format jsonl", "\"outcome\":\"answered\"", 60);
    assert_int_equal(place_end(&place), 0);
}

/* --- what is not there ----------------------------------------------------------------------- */

static void waits_for_asterisk(void **state)
{
    (void)state;
    char section[200];
    unsigned port = (unsigned)support_free_port();
    place_write(&place, "ari.password", "Kn0ck-kn0ck-secret\n");
    pbx_section(section, sizeof section, port);
    place_config(&place, NULL, section);
    place_start(&place, true);
    set_up();
    place_until(&place, "explain campaign 1", "down", 20);
    place_sim(&place, port);
    place_until(&place, "--json explain campaign 1", "\"asterisk\":\"up\"", 30);
    place_until(&place, "--json explain campaign 1", "\"state\":\"running\"", 30);
    child_stop(&place.sim, SIGKILL, 5000);
    place_until(&place, "--json explain campaign 1", "\"held_by\":\"line_away\"", 30);
    place_until(&place, "alarms", "DLR-PBX-AWAY", 10);
    place_expect(&place, "status", 0, "pbx");
    place_sim(&place, port);
    place_until(&place, "--json explain campaign 1", "\"asterisk\":\"up\"", 30);
    place_until(&place, "--json alarms", "[]", 10);
    place_agents(&place, 1, "0");
    place_until(&place, "--json export calls", "\"bridged\":\"2", 60);
    assert_int_equal(place_end(&place), 0);
}

static void waits_for_redis(void **state)
{
    (void)state;
    char more[600];
    char section[200];
    char why[300] = "";
    struct support_redis redis = {.port = 0};
    int started = support_redis_start(&redis, why, sizeof why);
    if (started == 77)
        skip();
    assert_int_equal(started, 0);
    support_redis_kill(&redis);
    place_sim(&place, 0);
    pbx_section(section, sizeof section, place.ari_port);
    snprintf(more, sizeof more, "[hopper]\nurl = redis://127.0.0.1:%d/0\n%s%s%s\n%s", redis.port,
             redis.password[0] ? "password_file = " : "", redis.password[0] ? place.dir : "",
             redis.password[0] ? "/redis.password" : "", section);
    place_write(&place, "redis.password", redis.password);
    place_config(&place, NULL, more);
    place_start(&place, true);
    set_up();
    place_agents(&place, 1, "0");
    place_until(&place, "explain campaign 1", "running", 20);
    assert_int_equal(support_redis_again(&redis), 0);
    place_until_log(&place, "DLR-HOPPER-UP", 30);
    place_until(&place, "--json export calls", "\"bridged\":\"2", 60);
    support_redis_kill(&redis);
    place_until_log(&place, "DLR-HOPPER-AWAY", 30);
    place_expect(&place, "db status", 0, "sqlite");
    assert_int_equal(place_end(&place), 0);
    support_redis_stop(&redis);
}

static void waits_for_postgres(void **state)
{
    (void)state;
    char why[300] = "";
    char url[300];
    char section[200];
    struct support_postgres pg;
    int started = support_postgres_start(&pg, why, sizeof why);
    if (started == 77)
        skip();
    assert_int_equal(started, 0);
    place_postgres(&pg, url, sizeof url);
    support_postgres_kill(&pg, SIGINT);
    place_sim(&place, 0);
    pbx_section(section, sizeof section, place.ari_port);
    place_config(&place, url, section);
    place_start(&place, false);
    place_expect(&place, "campaign list", 5, "not got its store yet");
    assert_int_equal(support_postgres_again(&pg), 0);
    place_until(&place, "db status", "postgres", 30);
    set_up();
    place_agents(&place, 1, "0");
    place_until(&place, "--json export calls", "\"bridged\":\"2", 60);
    support_postgres_kill(&pg, SIGINT);
    place_until(&place, "--json explain campaign 1", "\"store\":\"away\"", 30);
    place_until(&place, "campaign list", "store", 5);
    assert_int_equal(support_postgres_again(&pg), 0);
    place_until(&place, "--json explain campaign 1", "\"store\":\"up\"", 60);
    place_until(&place, "campaign list", "spring", 30);
    assert_int_equal(place_end(&place), 0);
    support_postgres_stop(&pg);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
    const struct CMUnitTest tests[] = {
        TEST(checks_its_config),
        TEST(migrates_without_a_daemon),
        TEST(refuses_a_second_daemon),
        TEST(long_work_tells_its_progress),
        TEST(reloads_all_or_nothing),
        TEST(dials_from_an_empty_database),
        TEST(a_reload_gives_a_server_more_lines),
        TEST(dials_through_tls),
        TEST(a_restart_drops_no_call),
        TEST(waits_for_asterisk),
        TEST(waits_for_redis),
        TEST(waits_for_postgres),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
