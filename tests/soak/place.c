/* place.c - see place.h. */
#include "tests/soak/place.h"

#include "actors/types.h"
#include "adapters/ctl/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_US INT64_C(30000000)
#define TRY_US INT64_C(10000)

static int64_t clock_us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t place_now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t place_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

void place_wait(int64_t us)
{
    if (us > 0) {
        poll(NULL, 0, (int)(us / 1000) + 1);
    }
}

void place_log(struct place *p, const char *what, const char *text, bool calls, int64_t value)
{
    fprintf(p->events,
            "{\"t_us\":%" PRId64 ",\"what\":\"%s\",\"text\":\"%s\",\"calls\":%s,\"value\":%" PRId64
            "}\n",
            place_wall_us(), what, text, calls ? "true" : "false", value);
    fflush(p->events);
}

void place_log_fault(struct place *p, int64_t at_us, const char *text, bool calls,
                     const char *shows)
{
    fprintf(p->events,
            "{\"t_us\":%" PRId64 ",\"what\":\"fault\",\"text\":\"%s\",\"calls\":%s,"
            "\"shows\":\"%s\"}\n",
            at_us, text, calls ? "true" : "false", shows ? shows : "");
    fflush(p->events);
}

/* --- processes
 * -------------------------------------------------------------------------------------- */

void place_kill(pid_t *pid)
{
    support_end(*pid, SIGKILL);
    *pid = 0;
}

static bool ends_in(pid_t pid, int64_t timeout_us)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    bool yes = false;

    if (ended.fd >= 0) {
        yes = poll(&ended, 1, (int)(timeout_us / 1000)) > 0;
        close(ended.fd);
    }
    return yes;
}

bool place_gone(pid_t *pid, int64_t timeout_us)
{
    if (*pid <= 0 || !ends_in(*pid, timeout_us)) {
        return false;
    }
    support_wait(*pid);
    *pid = 0;
    return true;
}

void place_end(pid_t *pid, int64_t timeout_us)
{
    if (*pid <= 0) {
        return;
    }
    kill(*pid, SIGTERM);
    (void)ends_in(*pid, timeout_us);
    place_kill(pid);
}

static pid_t start(const struct place *p, const char *name, const char *const *argv)
{
    char log[160];

    snprintf(log, sizeof log, "%s/%s.log", p->dir, name);
    return support_start(argv, 0, 0, log);
}

static int write_file(const struct place *p, const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    f = fopen(path, "we");
    if (!f) {
        return -1;
    }
    fputs(text, f);
    chmod(path, 0600);
    return fclose(f);
}

static unsigned lines(const struct place *p)
{
    return p->lines ? p->lines : 400;
}

int place_start_sim(struct place *p)
{
    char port[16], control[16], user[128], seed[32], program[450], trunk[64];

    snprintf(program, sizeof program, "%s/ari-sim", p->bin);
    snprintf(port, sizeof port, "%d", p->sim_port);
    snprintf(control, sizeof control, "%d", p->control_port);
    snprintf(user, sizeof user, "dialer:%s/password", p->dir);
    snprintf(seed, sizeof seed, "%" PRIu64, p->seed);
    snprintf(trunk, sizeof trunk, "carrier,cps=%u,lines=%u", 2 * p->calls_per_s, 5 * lines(p));
    /* clang-format off */
    const char *argv[] = {program, "--port", port, "--control-port", control, "--witness", p->witness, "--user", user,
                          "--trunk", trunk, "--seed", seed, "--phones", "agent*,answer=50",
                          "--context", "customers", "--app", "dialer", "--sound", "safe-harbour=1", "--sound", "beep=0.1",
                          "--human", "0.15", "--machine", "0.02", "--no-answer", "0.02", "--busy", "0.72",
                          "--bad", "0.03", "--congestion", "0.02", "--setup", "constant:0.1",
                          "--ring", "lognormal:0.6,0.8", "--talk", "lognormal:3,0.8", "--machine-talk", "constant:2", NULL};
    /* clang-format on */
    p->sim = start(p, "ari-sim", argv);
    return p->sim > 0 && support_wait_listening(NULL, p->sim_port, p->sim, 10000) ? 0 : -1;
}

int place_start_daemon(struct place *p)
{
    char program[450];

    snprintf(program, sizeof program, "%s/dialerd", p->bin);
    const char *argv[] = {program, "--config", p->conf, NULL};
    p->daemon = start(p, "dialerd", argv);
    p->daemon_starts++;
    return p->daemon > 0 ? 0 : -1;
}

static int start_agents(struct place *p)
{
    char program[450], url[80], seed[32], tickets[128];

    snprintf(program, sizeof program, "%s/agent-sim", p->bin);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/socket", p->port[LINK_WEB]);
    snprintf(seed, sizeof seed, "%" PRIu64, p->seed);
    snprintf(tickets, sizeof tickets, "%s/tickets", p->dir);
    /* clang-format off */
    const char *argv[] = {program, "--url", url, "--tickets", tickets, "--ctl", p->ctl, "--record", p->record, "--seed", seed,
                          "--talk", p->lasting ? "86400" : "4", "--hang-up", p->lasting ? "0" : "0.4", "--wrap", "0.6",
                          "--break-every", p->lasting ? "0" : "40", "--break", "2", "--forget", p->lasting ? "0" : "0.02", NULL};
    /* clang-format on */
    p->agents_pid = start(p, "agent-sim", argv);
    return p->agents_pid > 0 ? 0 : -1;
}

/* --- asking
 * ----------------------------------------------------------------------------------------- */

/* GET; the status, or -1. A peer that stands still is given a second. */
static int get(int port, const char *target, char *out, size_t size)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 1};
    char text[4096];
    size_t len = 0;
    ssize_t n;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = -1;

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
             target);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, text, strlen(text), MSG_NOSIGNAL) > 0) {
        while (len < sizeof text - 1 && (n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0) {
            len += (size_t)n;
        }
        text[len] = '\0';
        status = len > 12 ? (int)strtol(text + 9, NULL, 10) : -1;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (out) {
        const char *body = strstr(text, "\r\n\r\n");
        snprintf(out, size, "%s", status > 0 && body ? body + 4 : "");
    }
    return status;
}

bool place_ready(const struct place *p)
{
    return get(p->web_port, "/readyz", NULL, 0) == 200;
}

int64_t place_wait_ready(const struct place *p, int64_t timeout_us)
{
    const int64_t begun = place_now_us();

    while (!place_ready(p)) {
        if (place_now_us() - begun > timeout_us) {
            return -1;
        }
        place_wait(TRY_US);
    }
    return place_now_us() - begun;
}

bool place_sim(const struct place *p, const char *target, char *out, size_t size)
{
    return get(p->control_port, target, out, size) == 200;
}

struct answer {
    struct place *p;
    FILE *tickets;
};

static void take_row(void *ctx, struct json *doc, const char *line)
{
    struct answer *a = ctx;
    const json_ref row = json_get(doc, JSON_ROOT, "row");
    const char *ticket = json_str(doc, json_get(doc, row, "ticket"), NULL);
    int64_t number = 0;

    (void)line;
    if (json_int(doc, json_get(doc, row, "campaign"), &number)) {
        a->p->campaign = (uint64_t)number;
    }
    if (ticket && a->tickets) {
        fprintf(a->tickets, "%s\n", ticket);
    }
}

static int ask_once(struct answer *a, const char *request, char *why, size_t size)
{
    struct talk t = {.fd = -1, .file = -1, .on_line = take_row, .ctx = a};
    int result;

    if (talk_connect(&t, a->p->ctl, why, size) != 0) {
        return -1;
    }
    result = talk_run(&t, request, strlen(request), why, size);
    close(t.fd);
    if (result == 0 && t.result != 0) {
        snprintf(why, size, "%.*s: %s", (int)strcspn(request, "\n"), request, t.text);
        return t.result;
    }
    return result;
}

/* The operator's side has a connection to the store of its own, and may get it later. */
static int ask(struct answer *a, const char *request, char *why, size_t size)
{
    const int64_t until = place_now_us() + 10000000;
    int result = ask_once(a, request, why, size);

    while (result == RESULT_AWAY && place_now_us() < until) {
        place_wait(50000);
        result = ask_once(a, request, why, size);
    }
    return result;
}

int place_ask(struct place *p, const char *request, char *why, size_t why_size)
{
    struct answer a = {.p = p};

    return ask(&a, request, why, why_size);
}

/* --- setting up
 * ------------------------------------------------------------------------------------- */

static int make_folder(struct place *p)
{
    char self[400];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n <= 0) {
        return -1;
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    snprintf(p->bin, sizeof p->bin, "%s", getenv("SOAK_BIN") ? getenv("SOAK_BIN") : self);
    snprintf(p->dir, sizeof p->dir, "/tmp/dialer-soak-XXXXXX");
    if (!mkdtemp(p->dir)) {
        return -1;
    }
    snprintf(p->witness, sizeof p->witness, "%s/witness.jsonl", p->dir);
    snprintf(p->record, sizeof p->record, "%s/agents.jsonl", p->dir);
    snprintf(p->log, sizeof p->log, "%s/faults.jsonl", p->dir);
    snprintf(p->conf, sizeof p->conf, "%s/dialerd.conf", p->dir);
    snprintf(p->ctl, sizeof p->ctl, "%s/ctl", p->dir);
    snprintf(p->journal, sizeof p->journal, "%s/journal", p->dir);
    p->events = fopen(p->log, "we");
    return p->events && mkdir(p->journal, 0700) == 0 ? write_file(p, "password", "simulated\n")
                                                     : -1;
}

#define DISK "size=8m"

/* A disk that can be filled without filling the machine's: only root can have one, and only this
 * process and its children see it. */
static void make_small_disk(struct place *p)
{
    p->small_disk = !p->embedded && geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                    mount("journal", p->journal, "tmpfs", 0, DISK) == 0;
}

void place_fill_disk(struct place *p, bool full)
{
    static const char block[4096];
    char path[160];
    int fd;

    snprintf(path, sizeof path, "%s/filler", p->journal);
    if (!p->small_disk) {
        return;
    }
    if (!full) {
        unlink(path);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (fd >= 0 && write(fd, block, sizeof block) > 0) {
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int make_links(struct place *p)
{
    const int to[LINKS_OF_PLACE] = {[LINK_ARI] = p->sim_port,
                                    [LINK_STORE] = p->pg.port,
                                    [LINK_HOPPER] = p->redis.port,
                                    [LINK_WEB] = p->web_port};

    if (p->embedded) {
        memcpy(p->port, to, sizeof to);
        return 0;
    }
    p->proxy = proxy_open();
    for (int i = 0; p->proxy && i < LINKS_OF_PLACE; i++) {
        p->link[i] = proxy_link(p->proxy, to[i], &p->port[i]);
        if (p->link[i] < 0) {
            return -1;
        }
    }
    return p->proxy ? 0 : -1;
}

static int write_config(struct place *p)
{
    char store[200], hopper[80], text[2048];

    snprintf(store, sizeof store, "postgresql://postgres@127.0.0.1:%d/test_1", p->port[LINK_STORE]);
    snprintf(hopper, sizeof hopper, "redis://127.0.0.1:%d/0", p->port[LINK_HOPPER]);
    if (p->embedded) {
        snprintf(store, sizeof store, "%s", p->store);
        snprintf(hopper, sizeof hopper, "memory:");
    }
    snprintf(text, sizeof text,
             "[daemon]\nname = soak\ndrain_time = 5s\n"
             "[store]\nurl = \"%s\"\njournal = \"%s\"\n[hopper]\nurl = \"%s\"\n"
             "[pbx sim]\nurl = http://127.0.0.1:%d\npassword_file = \"%s/password\"\n"
             "calls_per_s = %u\nlines = %u\n"
             "[web]\nport = %d\norigins = \"\"\n[ctl]\nsocket = \"%s\"\n",
             store, p->journal, hopper, p->port[LINK_ARI], p->dir, 2 * p->calls_per_s, 5 * lines(p),
             p->web_port, p->ctl);
    return write_file(p, "dialerd.conf", text);
}

#define SHORT_TIMES                                                                                \
    "\"ratio=3\",\"ring=15\",\"retry=20\",\"busy=20\",\"no_answer=20\",\"fault=5\","               \
    "\"wrapup_timeout=5\",\"answer_wait_ms=1700\",\"hopper_size=2000\",\"hopper_low=800\""

/* Some of those that would be called first. */
static int bar(struct answer *a, char *why, size_t size)
{
    char request[160];
    int result = 0;

    for (unsigned i = 0; i < a->p->barred && result == 0; i++) {
        snprintf(request, sizeof request,
                 "{\"id\":1,\"command\":\"dnc add\",\"args\":{\"number\":\"+120055501%02u\"}}\n",
                 i);
        result = ask(a, request, why, size);
    }
    return result;
}

/* What an operator would type; the seconds are short, so that much happens in a minute. */
static int fill(struct place *p, char *why, size_t size)
{
    struct answer a = {.p = p};
    char request[400], path[128];
    int result;

    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"demo-data\",\"args\":{\"leads\":\"%u\",\"agents\":\"%u\","
             "\"pbx\":\"sim\"}}\n",
             p->leads, p->agents);
    if (ask(&a, request, why, size) != 0) {
        return -1;
    }
    snprintf(
        request, sizeof request,
        "{\"id\":1,\"command\":\"trunk set\",\"args\":{\"trunk\":\"1\",\"settings\":[\"cps=%u\","
        "\"lines=%u\"]}}\n",
        p->calls_per_s, lines(p));
    if (ask(&a, request, why, size) != 0) {
        return -1;
    }
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign set\",\"args\":{\"campaign\":\"%" PRIu64
             "\",\"settings\":[%s]}}\n",
             p->campaign, p->settings ? p->settings : SHORT_TIMES);
    if (ask(&a, request, why, size) != 0 || bar(&a, why, size) != 0) {
        return -1;
    }
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign start\",\"args\":{\"campaign\":\"%" PRIu64 "\"}}\n",
             p->campaign);
    if (ask(&a, request, why, size) != 0) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/tickets", p->dir);
    a.tickets = fopen(path, "we");
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"agent ticket\",\"args\":{\"count\":\"%u\"}}\n", p->agents);
    result = a.tickets ? ask(&a, request, why, size) : -1;
    if (a.tickets) {
        fclose(a.tickets);
    }
    return result;
}

/* 0, 77 or -1. */
static int start_services(struct place *p, char *why, size_t size)
{
    int rc = p->embedded ? 0 : support_postgres_start(&p->pg, why, size);

    return rc == 0 && !p->embedded ? support_redis_start(&p->redis, why, size) : rc;
}

static int make_store(struct place *p)
{
    if (p->embedded) {
        snprintf(p->store, sizeof p->store, "sqlite:%s/db", p->dir);
        return 0;
    }
    return support_postgres_database(&p->pg, p->store, sizeof p->store);
}

int place_open(struct place *p, char *why, size_t size)
{
    const int rc = start_services(p, why, size);

    if (rc != 0) {
        return rc;
    }
    snprintf(why, size, "the folder, the database or a port could not be made");
    p->sim_port = support_free_port();
    p->control_port = support_free_port();
    p->web_port = support_free_port();
    if (make_folder(p) != 0) {
        return -1;
    }
    make_small_disk(p);
    if (make_store(p) != 0 || make_links(p) != 0 || write_config(p) != 0) {
        return -1;
    }
    snprintf(why, size, "ari-sim did not start; its log is in %s", p->dir);
    if (place_start_sim(p) != 0) {
        return -1;
    }
    if (p->callees && !place_sim(p, p->callees, NULL, 0)) {
        return -1;
    }
    snprintf(why, size, "dialerd did not become ready; its log is in %s", p->dir);
    if (place_start_daemon(p) != 0 || place_wait_ready(p, START_US) < 0) {
        return -1;
    }
    return fill(p, why, size) == 0 && start_agents(p) == 0 ? 0 : -1;
}

void place_close(struct place *p, bool keep)
{
    place_end(&p->agents_pid, 8000000);
    place_end(&p->daemon, 20000000);
    place_end(&p->sim, 5000000);
    if (!p->embedded) {
        proxy_close(p->proxy);
        support_redis_stop(&p->redis);
    }
    if (p->events) {
        fclose(p->events);
    }
    if (keep && p->pg.pid > 0) {
        support_end(p->pg.pid, SIGINT);
        fprintf(stderr, "soak: the database is kept in %s\n", p->pg.folder);
    } else if (p->pg.folder[0]) {
        support_postgres_stop(&p->pg);
    }
    if (p->small_disk) {
        umount2(p->journal, MNT_DETACH);
    }
    if (p->dir[0] && !keep) {
        support_remove(p->dir);
    }
}
