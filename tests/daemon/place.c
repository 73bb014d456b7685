/* place.c - see place.h. */
#include "tests/daemon/place.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/services.h"

#define START_MS 30000

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void place_open(struct place *p)
{
    *p = (struct place){.ari_port = 0};
    snprintf(p->dir, sizeof p->dir, "/tmp/dialer-place-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->conf, sizeof p->conf, "%s/dialerd.conf", p->dir);
    snprintf(p->socket, sizeof p->socket, "%s/ctl", p->dir);
    snprintf(p->log, sizeof p->log, "%s/dialerd.log", p->dir);
}

void place_close(struct place *p)
{
    child_stop(&p->agents, SIGTERM, 10000);
    child_stop(&p->daemon, SIGTERM, 40000);
    child_stop(&p->sim, SIGTERM, 10000);
    support_remove(p->dir);
}

void place_write(struct place *p, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

char *place_read(struct place *p, const char *name)
{
    char path[160];
    size_t len = 0;
    ssize_t n = 0;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, text + len, (1 << 20) - 1 - len)) > 0)
        len += (size_t)n;
    if (fd >= 0)
        close(fd);
    return text;
}

void place_config(struct place *p, const char *store, const char *more)
{
    char text[4096];
    char sqlite[120];
    snprintf(sqlite, sizeof sqlite, "url = \"sqlite:%s/db\"", p->dir);
    snprintf(text, sizeof text,
             "[store]\n%s\n[web]\nport = 0\n[daemon]\nname = tested\n[ctl]\nsocket = \"%s\"\n%s",
             store ? store : sqlite, p->socket, more);
    place_write(p, "dialerd.conf", text);
}

void place_postgres(struct support_postgres *pg, char *store, size_t size)
{
    char where[200];
    assert_int_equal(support_postgres_database(pg, where, sizeof where), 0);
    const char *name = strstr(where, "dbname=");
    assert_non_null(name);
    snprintf(store, size, "url = \"postgresql:///%.60s?host=%s&port=%d&user=postgres\"",
             name + strlen("dbname="), pg->folder, pg->port);
}

static void wait_notified(struct place *p, int fd, const char *word)
{
    int64_t until = now_ms() + START_MS;
    int status = 0;
    while (now_ms() < until) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        char text[256];
        ssize_t n = 0;
        if (poll(&ready, 1, 100) > 0 && (n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT)) > 0) {
            text[n] = '\0';
            if (strstr(text, word))
                return;
        }
        if (child_ended(&p->daemon, &status))
            break;
    }
    char *log = place_read(p, "dialerd.log");
    print_error("the daemon did not say %s; its log:\n%s\n", word, log);
    free(log);
    fail();
}

void place_start(struct place *p, bool store)
{
    char why[300] = "";
    char notify[100];
    char *argv[] = {getenv("DIALERD"), (char *)(uintptr_t) "--config", p->conf, NULL};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(notify, sizeof notify, "%s/notify", p->dir);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", notify);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unlink(notify);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    const struct child_options o = {.log = p->log, .notify = notify};
    assert_int_equal(child_start(&p->daemon, "dialerd", argv, &o, why, sizeof why), 0);
    wait_notified(p, fd, store ? "STATUS=the store is ours" : "READY=1");
    close(fd);
    unlink(notify);
    place_until_log(p, "page at http", 10); /* lines are written by a thread of their own */
    char *log = place_read(p, "dialerd.log");
    const char *page = NULL;
    for (const char *at = log; (at = strstr(at, "page at http")); at++)
        page = at; /* of the newest start */
    assert_non_null(page);
    snprintf(p->page, sizeof p->page, "ws%.*s/socket", (int)strcspn(page + 12, "\n"), page + 12);
    free(log);
}

int place_end(struct place *p)
{
    int status = -1;
    assert_true(p->daemon.pid > 0);
    kill(p->daemon.pid, SIGTERM);
    assert_int_equal(waitpid(p->daemon.pid, &status, 0), p->daemon.pid);
    p->daemon.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void place_kill(struct place *p)
{
    assert_true(p->daemon.pid > 0);
    kill(p->daemon.pid, SIGKILL);
    assert_int_equal(waitpid(p->daemon.pid, NULL, 0), p->daemon.pid);
    p->daemon.pid = 0;
}

void place_sim(struct place *p, unsigned port)
{
    char why[300] = "";
    char line[200];
    char number[16];
    char user[120];
    char witness[120];
    char log[120];
    snprintf(number, sizeof number, "%u", port);
    snprintf(user, sizeof user, "dialer:%s/ari.password", p->dir);
    snprintf(witness, sizeof witness, "%s/witness.jsonl", p->dir);
    snprintf(log, sizeof log, "%s/ari-sim.log", p->dir);
    place_write(p, "ari.password", "Kn0ck-kn0ck-secret\n");
    const char *argv[] = {getenv("ARI_SIM"),
                          "--port",
                          number,
                          "--user",
                          user,
                          "--witness",
                          witness,
                          "--trunk",
                          "carrier,cps=50,lines=100",
                          "--phones",
                          "1*,answer=50",
                          "--context",
                          "customers",
                          "--app",
                          "dialer",
                          "--sound",
                          "sorry=1",
                          "--sound",
                          "beep=0.1",
                          "--human",
                          "1",
                          "--machine",
                          "0",
                          "--no-answer",
                          "0",
                          "--busy",
                          "0",
                          "--bad",
                          "0",
                          "--congestion",
                          "0",
                          "--setup",
                          "constant:0.1",
                          "--ring",
                          "constant:0.2",
                          "--talk",
                          p->talk ? p->talk : "constant:2",
                          NULL};
    const struct child_options o = {.log = log, .pipe_out = true};
    assert_int_equal(
        child_start(&p->sim, "ari-sim", (char *const *)(uintptr_t)argv, &o, why, sizeof why), 0);
    while (child_line(&p->sim, line, sizeof line, START_MS) == 0)
        if (sscanf(line, "listening 127.0.0.1:%u", &p->ari_port) == 1)
            return;
    fail_msg("ari-sim did not start");
}

/* --- the operator ---------------------------------------------------------------------------- */

void place_argv(struct place *p, struct place_argv *a, const char *words)
{
    int n = 3;
    *a = (struct place_argv){
        .argv = {getenv("DIALERCTL"), (char *)(uintptr_t) "--socket", p->socket}};
    snprintf(a->words, sizeof a->words, "%s", words);
    for (char *w = a->words; *w && n < 63;) {
        a->argv[n++] = w;
        w += strcspn(w, " ");
        if (*w)
            *w++ = '\0';
    }
    for (int i = 3; i < n; i++)
        for (char *c = a->argv[i]; *c; c++)
            if (*c == '~')
                *c = ' ';
}

struct ran place_ctl(struct place *p, const char *words)
{
    struct place_argv a;
    place_argv(p, &a, words);
    return ran("", a.argv);
}

void place_expect(struct place *p, const char *words, int status, const char *out)
{
    struct ran r = place_ctl(p, words);
    bool good = r.status == status && (!out || strstr(r.out, out) || strstr(r.err, out));
    if (!good)
        print_error("%s\n status %d, want %d\n out: %s\n err: %s\n want: %s\n", words, r.status,
                    status, r.out, r.err, out ? out : "");
    ran_free(&r);
    assert_true(good);
}

void place_until(struct place *p, const char *words, const char *out, int seconds)
{
    int64_t until = now_ms() + (int64_t)seconds * 1000;
    struct ran r = place_ctl(p, words);
    while (!strstr(r.out, out) && !strstr(r.err, out) && now_ms() < until) {
        ran_free(&r);
        r = place_ctl(p, words);
    }
    bool good = strstr(r.out, out) || strstr(r.err, out);
    if (!good) {
        char *log = place_read(p, "dialerd.log");
        size_t len = strlen(log); /* print_error cuts what is long: its end matters */
        print_error("%s\n after %d s: %s%s\n want: %s\n", words, seconds, r.out, r.err, out);
        print_error("log: %s\n", log + (len > 900 ? len - 900 : 0));
        free(log);
    }
    ran_free(&r);
    assert_true(good);
}

void place_until_log(struct place *p, const char *text, int seconds)
{
    int64_t until = now_ms() + (int64_t)seconds * 1000;
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(inotify_add_watch(fd, p->log, IN_MODIFY) >= 0);
    bool found = false;
    for (int64_t left = 1; !found && left > 0; left = until - now_ms()) {
        char *log = place_read(p, "dialerd.log");
        found = strstr(log, text) != NULL;
        if (!found && left <= 1 && now_ms() >= until)
            print_error("want %s in the log:\n%s\n", text, log);
        free(log);
        struct pollfd changed = {.fd = fd, .events = POLLIN};
        char events[1024];
        if (!found && poll(&changed, 1, 1000) > 0 && read(fd, events, sizeof events) < 0)
            break;
    }
    close(fd);
    if (!found)
        fail_msg("the log does not say: %s", text);
}

void place_agents(struct place *p, unsigned count, const char *hang_up)
{
    char why[300] = "";
    char path[120];
    char log[120];
    char words[80];
    struct ran r;

    snprintf(words, sizeof words, "agent ticket --count %u --bare", count);
    r = place_ctl(p, words);
    assert_int_equal(r.status, 0);
    place_write(p, "tickets", r.out);
    ran_free(&r);
    snprintf(path, sizeof path, "%s/tickets", p->dir);
    snprintf(log, sizeof log, "%s/agent-sim.log", p->dir);
    const char *argv[] = {getenv("AGENT_SIM"), "--url", p->page, "--tickets", path, "--wrap", "0.2",
                          "--hang-up",         hang_up, NULL};
    const struct child_options o = {.log = log};
    assert_int_equal(
        child_start(&p->agents, "agent-sim", (char *const *)(uintptr_t)argv, &o, why, sizeof why),
        0);
}
