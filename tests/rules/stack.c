/* stack.c - see stack.h. */
#include "tests/rules/stack.h"

#include "tests/daemon/spawn.h"
#include "tests/support/services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static pid_t dialerd;
static struct server {
    pid_t pid; /* of ari-sim, 0: there is none */
    uint16_t port, control_port;
    char witness[16];
} servers[2] = {{.witness = "witness"}, {.witness = "witness2"}};
static struct server *here = &servers[0];
static char *body; /* of the last answer */

const char *in_folder(const char *name)
{
    static char path[8][sizeof folder + 256];
    static unsigned turn;

    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

const char *program(const char *variable)
{
    const char *path = getenv(variable);

    if (path == NULL) {
        fail_msg("%s does not say where the program is", variable);
    }
    return path;
}

/* The program's standard output and error go to a file. */
static pid_t start(const char *path, const char *log, char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    assert_int_equal(posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void stop(pid_t *pid, int signal)
{
    if (*pid > 0) {
        kill(*pid, signal);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(in_folder(name), 0600);
}

char *read_file(const char *name)
{
    FILE *f = fopen(in_folder(name), "re");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL || getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = calloc(1, 1);
    }
    if (f != NULL) {
        fclose(f);
    }
    return text;
}

static unsigned number_after(const char *file, const char *words)
{
    char *text = read_file(file);
    const char *at = strstr(text, words);
    const unsigned n = at != NULL ? (unsigned)strtoul(at + strlen(words), NULL, 10) : 0;

    free(text);
    return n;
}

/* --- HTTP ------------------------------------------------------------------------------------- */

/* A request with these headers (and what follows them); the whole answer's body is kept. Its
 * status, 0 if nobody answers. */
static int ask(uint16_t port, const char *method, const char *target, const char *header)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[1024];
    size_t len = 0;
    ssize_t n = -1;
    int status;
    char *at;

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s",
             method, target, header);
    body = realloc(body, 1u << 20);
    assert_non_null(body);
    if (connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) == 0 &&
        write(fd, text, strlen(text)) > 0) {
        while (len < (1u << 20) - 1 && (n = read(fd, body + len, (1u << 20) - 1 - len)) > 0) {
            len += (size_t)n;
        }
    }
    close(fd);
    body[len] = '\0';
    status = len > 9 ? (int)strtol(body + 9, NULL, 10) : 0;
    at = strstr(body, "\r\n\r\n");
    at = at != NULL ? at + 4 : body + len;
    memmove(body, at, strlen(at) + 1);
    return status;
}

static int get(uint16_t port, const char *target)
{
    return ask(port, "GET", target, "\r\n");
}

const char *daemon_get(const char *target, int *status)
{
    const int got = get(page_port, target);

    if (status != NULL) {
        *status = got;
    }
    return body;
}

bool daemon_ready(void)
{
    return get(page_port, "/readyz") == 200;
}

unsigned logged(const char *words)
{
    char *text = read_file("dialerd.log");
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words)) {
        n++;
    }
    free(text);
    return n;
}

int64_t metric(const char *beginning)
{
    char *rest = NULL;
    int64_t sum = 0;

    assert_int_equal(get(page_port, "/metrics"), 200);
    for (char *line = strtok_r(body, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *value = strrchr(line, ' ');
        if (strncmp(line, beginning, strlen(beginning)) == 0 && value != NULL) {
            sum += (int64_t)strtod(value, NULL);
        }
    }
    return sum;
}

void sim_order(const char *format, ...)
{
    char target[300];
    va_list args;

    va_start(args, format);
    vsnprintf(target, sizeof target, format, args);
    va_end(args);
    if (get(here->control_port, target) != 200) {
        fail_msg("ari-sim does not do %s: %s", target, body);
    }
}

int64_t sim_count(const char *name)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    assert_int_equal(get(here->control_port, "/sim/stats"), 200);
    at = strstr(body, key);
    assert_non_null(at);
    return strtoll(at + strlen(key), NULL, 10);
}

void far_ends(const char *people)
{
    sim_order("/sim/people?%s&setup=constant:0.05", people);
}

void sim_freeze(bool on)
{
    if (here->pid > 0) {
        kill(here->pid, on ? SIGSTOP : SIGCONT);
    }
}

/* dialer:correct horse */
#define AS_USER "Authorization: Basic ZGlhbGVyOmNvcnJlY3QgaG9yc2U=\r\n"

const char *asterisk_get(const char *target)
{
    return ask(here->port, "GET", target, AS_USER "\r\n") == 200 ? body : "";
}

void asterisk_put(const char *target, const char *json)
{
    char rest[512];

    snprintf(rest, sizeof rest,
             AS_USER "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(json), json);
    assert_int_equal(ask(here->port, "PUT", target, rest), 200);
}

bool talks(const char *attempt)
{
    struct json doc;
    const char *text = asterisk_get("/ari/bridges");
    bool found = false;

    json_init(&doc, 1024u * 1024u);
    if (json_parse(&doc, text, strlen(text)) == 0) {
        for (json_ref b = json_first(&doc, JSON_ROOT); b != JSON_NONE; b = json_next(&doc, b)) {
            unsigned members = 0;
            bool mine = false;
            for (json_ref m = json_first(&doc, json_get(&doc, b, "channels")); m != JSON_NONE;
                 m = json_next(&doc, m)) {
                members++;
                mine = mine || json_is(&doc, m, attempt);
            }
            found = found || (mine && members == 2);
        }
    }
    json_free(&doc);
    return found;
}

/* --- the programs ----------------------------------------------------------------------------- */

static unsigned files; /* descriptors for dialerd */

static void launch(void)
{
    const char *log = in_folder("dialerd.log");
    char limit[32];

    snprintf(limit, sizeof limit, "--nofile=%u", files);
    if (files != 0) {
        dialerd = start("/usr/bin/prlimit", log,
                        (char *[]){"prlimit", limit, (char *)program("DIALERD"), "--config",
                                   (char *)in_folder("conf"), NULL});
    } else {
        dialerd = start(program("DIALERD"), log,
                        (char *[]){"dialerd", "--config", (char *)in_folder("conf"), NULL});
    }
    run_until((page_port = (uint16_t)number_after("dialerd.log", "page at http://127.0.0.1:")) !=
              0);
    run_until(daemon_ready());
}

void daemon_start(void)
{
    launch();
}

void daemon_kill(void)
{
    stop(&dialerd, SIGKILL);
}

void daemon_freeze(bool on)
{
    if (dialerd > 0) {
        kill(dialerd, on ? SIGSTOP : SIGCONT);
    }
}

int64_t daemon_memory(void)
{
    char path[64];
    char line[256];
    int64_t kib = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)dialerd);
    f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtoll(line + 6, NULL, 10);
        }
    }
    fclose(f);
    return kib;
}

void daemon_stop(void)
{
    stop(&dialerd, SIGTERM);
}

void assert_witnessed(void)
{
    char *argv[] = {(char *)program("DIALERD"),   "check-witness",
                    (char *)in_folder("witness"), "--config",
                    (char *)in_folder("conf"),    NULL};
    struct ran r = ran("", argv);

    if (r.status != 0) {
        print_error("%s%s\n", r.out, r.err);
    }
    assert_int_equal(r.status, 0);
    ran_free(&r);
}

static void start_server(struct server *s, const char *log, unsigned write_ms)
{
    char user[128];
    char patience[16];

    snprintf(patience, sizeof patience, "%u", write_ms != 0 ? write_ms : 100);
    snprintf(user, sizeof user, "dialer:%s", in_folder("password"));
    s->pid = start(program("ARI_SIM"), in_folder(log),
                   (char *[]){"ari-sim",
                              "--port",
                              "0",
                              "--witness",
                              (char *)in_folder(s->witness),
                              "--user",
                              user,
                              "--trunk",
                              "carrier,cps=100,lines=200",
                              "--phones",
                              "agent*,answer=50",
                              "--control-port",
                              "0",
                              "--sound",
                              "safe-harbour=1",
                              "--sound",
                              "beep=0.1",
                              "--write-ms",
                              patience,
                              NULL});
    run_until((s->port = (uint16_t)number_after(log, "listening 127.0.0.1:")) != 0);
    run_until((s->control_port = (uint16_t)number_after(log, "control 127.0.0.1:")) != 0);
}

void stack_at(unsigned server)
{
    here = &servers[server - 1];
}

unsigned stack_server(void)
{
    return (unsigned)(here - servers) + 1u;
}

const char *stack_witness(void)
{
    return here->witness;
}

uint16_t stack_port(void)
{
    return here->port;
}

/* The pages answer the daemon's pings while dialerctl runs: on a busy machine a few of those take
 * longer than the daemon waits for a page's sign of life. */
static void pages_go_on(void)
{
    net_loop_run_once(loop, 0);
}

void stack_open(const struct stack_parts *parts)
{
    const struct net_loop_config config = {0};
    char text[2048];
    char sqlite[128];
    char second[256];
    char err[200];

    snprintf(folder, sizeof folder, "/tmp/rules-XXXXXX");
    assert_non_null(mkdtemp(folder));
    loop = net_loop_open(&config, err, sizeof err);
    assert_non_null(loop);
    ran_meanwhile = pages_go_on;
    write_file("password", "correct horse\n");
    second[0] = '\0';
    start_server(&servers[0], "ari-sim.log", parts->write_ms);
    if (parts->second) {
        start_server(&servers[1], "ari-sim2.log", parts->write_ms);
        snprintf(second, sizeof second,
                 "[pbx other]\nurl = http://127.0.0.1:%u\npassword_file = \"%s\"\n",
                 servers[1].port, in_folder("password"));
    }
    snprintf(sqlite, sizeof sqlite, "url = \"sqlite:%s\"", in_folder("db"));
    snprintf(text, sizeof text,
             "[daemon]\nname = rules\ndrain_time = 1s\n[store]\n%s\n[hopper]\n%s\n"
             "[pbx sim]\nurl = http://127.0.0.1:%u\npassword_file = \"%s\"\n"
             "%s[web]\nport = 0\n[ctl]\nsocket = \"%s\"\n%s",
             parts->store != NULL ? parts->store : sqlite,
             parts->hopper != NULL ? parts->hopper : "url = \"memory:\"", servers[0].port,
             in_folder("password"), second, in_folder("ctl"),
             parts->more != NULL ? parts->more : "");
    write_file("conf", text);
    files = parts->files;
    launch();
}

int stack_up(void **state)
{
    (void)state;
    stack_open(&(struct stack_parts){0});
    return 0;
}

void stack_close(void)
{
    for (unsigned n = 2; n >= 1; n--) {
        stack_at(n);
        sim_freeze(false); /* a test may have failed in between */
    }
    daemon_freeze(false);
    stop(&dialerd, SIGTERM);
    stop(&servers[0].pid, SIGTERM);
    stop(&servers[1].pid, SIGTERM);
    ran_meanwhile = NULL;
    net_loop_close(loop);
    loop = NULL;
    free(body);
    body = NULL;
    operator_leave();
    if (getenv("RULES_KEEP") != NULL) {
        print_message("kept: %s\n", folder);
    } else {
        support_remove(folder);
    }
}

int stack_down(void **state)
{
    (void)state;
    stack_close();
    return 0;
}
