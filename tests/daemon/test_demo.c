/* dialerd demo, as a user runs it: its figures, what it leaves behind, what a Ctrl-C and a kill do.
 */
#include "adapters/daemon/child.h"
#include "adapters/net/json.h"
#include "tests/daemon/spawn.h"
#include "tests/support/services.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 120000

static char dir[40];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/dialer-demo-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    support_remove(dir);
    return 0;
}

static void start(struct child *c, const char *seconds, bool full)
{
    char why[300] = "";
    char log[80];
    snprintf(log, sizeof log, "%s.log", dir);
    const char *argv[] = {getenv("DIALERD"),
                          "demo",
                          "--keep",
                          dir,
                          "--json",
                          "--leads",
                          "500",
                          "--agents",
                          "10",
                          "--seconds",
                          seconds,
                          full ? "--full" : NULL,
                          NULL};
    const struct child_options o = {.log = log, .pipe_out = true};
    assert_int_equal(child_start(c, "demo", (char *const *)(uintptr_t)argv, &o, why, sizeof why),
                     0);
}

static int end(struct child *c)
{
    int status = -1;
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    close(c->out);
    char log[80];
    snprintf(log, sizeof log, "%s.log", dir);
    unlink(log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Programs that have the demo's folder on their command line. */
static unsigned left_over(void)
{
    unsigned n = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (const struct dirent *e; (e = readdir(proc));) {
        char path[300];
        char text[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        int fd = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text);
        if (fd >= 0)
            close(fd);
        n += len > 0 && memmem(text, (size_t)len, dir, strlen(dir)) != NULL;
    }
    closedir(proc);
    return n;
}

static int64_t figure(const struct json *d, const char *name)
{
    int64_t n = -1;
    json_int(d, json_get(d, JSON_ROOT, name), &n);
    return n;
}

static int check_witness(void)
{
    char config[80];
    char witness[80];
    snprintf(config, sizeof config, "%s/dialerd.conf", dir);
    snprintf(witness, sizeof witness, "%s/witness.jsonl", dir);
    char *argv[] = {getenv("DIALERD"),
                    (char *)(uintptr_t) "check-witness",
                    witness,
                    (char *)(uintptr_t) "--config",
                    config,
                    NULL};
    struct ran r = ran("", argv);
    int status = r.status;
    ran_free(&r);
    return status;
}

/* A check that cannot fail would prove nothing. */
static void the_check_finds_a_call_without_its_row(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/witness.jsonl", dir);
    assert_int_equal(check_witness(), 0);
    FILE *f = fopen(path, "ae");
    assert_non_null(f);
    fputs("{\"wall_ms\":1,\"what\":\"originate\",\"id\":\"att-0000-00000001-00000001-00000001\","
          "\"kind\":\"customer\",\"number\":\"12125550100\",\"status\":200}\n",
          f);
    fclose(f);
    assert_int_equal(check_witness(), 1);
}

/* A whole demo: its address (and nothing else before the report), its report, its end. */
static void whole_demo(const char *seconds, bool full, char url[300], struct json *report)
{
    struct child c;
    char line[2048];
    start(&c, seconds, full);
    assert_int_equal(child_line(&c, url, 300, WAIT_MS), 0);
    assert_int_equal(strncmp(url, "http://127.0.0.1:", 17), 0);
    assert_non_null(strstr(url, "/enter#"));
    assert_int_equal(child_line(&c, line, sizeof line, WAIT_MS), 0);
    assert_int_equal(end(&c), 0);
    json_init(report, 0);
    assert_int_equal(json_parse(report, line, strlen(line)), 0);
    print_message("%s\n", line);
    assert_true(figure(report, "answered") >= figure(report, "bridged"));
    assert_true(figure(report, "claims") >= figure(report, "originated"));
    assert_int_equal(figure(report, "originated"), figure(report, "witness_customers"));
    assert_int_equal(figure(report, "differences"), 0);
    assert_true(json_is(report, json_get(report, JSON_ROOT, "witness"), "equal"));
    assert_int_equal(left_over(), 0);
}

static void dials_and_agrees_with_the_witness(void **state)
{
    (void)state;
    struct json d;
    char url[300];
    double first = -1;
    whole_demo("16", false, url, &d);
    assert_true(json_double(&d, json_get(&d, JSON_ROOT, "first_call_s"), &first));
    assert_true(first >= 0 && first <= 10);
    assert_true(figure(&d, "bridged") > 5);
    assert_true(figure(&d, "disposed") > 2);
    assert_true(json_is(&d, json_get(&d, JSON_ROOT, "store"), "sqlite"));
    json_free(&d);
    /* The one-time login is in no log. */
    char path[100];
    char text[65536];
    snprintf(path, sizeof path, "%s/dialerd.log", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    assert_true(n > 0);
    const char *token = strchr(url, '#') + 1;
    assert_null(memmem(text, (size_t)n, token, strlen(token)));
    the_check_finds_a_call_without_its_row();
}

/* With PostgreSQL and Redis of its own. What it keeps can be opened again, and the check finds in
 * the tables what the witness saw. */
static void the_full_demo_agrees_too(void **state)
{
    (void)state;
    struct support_postgres pg;
    struct json d;
    char url[300];
    char folder[60];
    glob_t server;
    const bool there = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &server) == 0 &&
                       access("/usr/bin/redis-server", X_OK) == 0;
    globfree(&server);
    if (!there)
        skip();
    whole_demo("10", true, url, &d);
    assert_true(figure(&d, "bridged") > 0);
    assert_true(json_is(&d, json_get(&d, JSON_ROOT, "store"), "postgresql"));
    assert_true(json_is(&d, json_get(&d, JSON_ROOT, "hopper"), "redis"));
    json_free(&d);
    snprintf(folder, sizeof folder, "%s/pg", dir);
    assert_int_equal(support_postgres_adopt(&pg, folder, "dialer"), 0);
    the_check_finds_a_call_without_its_row();
    support_postgres_kill(&pg, SIGINT);
}

static void ends_at_once_when_asked(void **state)
{
    (void)state;
    struct child c;
    char line[2048];
    start(&c, "600", false);
    assert_int_equal(child_line(&c, line, sizeof line, WAIT_MS), 0);
    kill(c.pid, SIGINT);
    assert_int_equal(child_line(&c, line, sizeof line, WAIT_MS), 0);
    assert_non_null(strstr(line, "\"originated\":"));
    assert_int_equal(end(&c), 0);
    assert_int_equal(left_over(), 0);
}

static void leaves_nobody_behind_when_killed(void **state)
{
    (void)state;
    struct child c;
    char line[2048];
    start(&c, "600", false);
    assert_int_equal(child_line(&c, line, sizeof line, WAIT_MS), 0);
    assert_true(left_over() >= 3);
    kill(c.pid, SIGKILL);
    assert_int_equal(end(&c), 128 + SIGKILL);
    while (left_over() > 0) { /* the kernel tells them; the test's time limit is the bound */
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(dials_and_agrees_with_the_witness),
        TEST(the_full_demo_agrees_too),
        TEST(ends_at_once_when_asked),
        TEST(leaves_nobody_behind_when_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
