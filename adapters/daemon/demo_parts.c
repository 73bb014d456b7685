/* demo_parts.c - see demo_parts.h. */
#include "adapters/daemon/demo_parts.h"
#include "adapters/ctl/talk.h"
#include "adapters/daemon/demo_services.h"
#include "adapters/daemon/notify.h"
#include "adapters/daemon/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define START_MS 20000
#define DRAIN_S 3 /* the demo does not wait long for calls that ring */

int64_t demo_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int write_file(const struct demo *d, const char *name, const char *text, char *why,
                      size_t size)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", d->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (!good)
        snprintf(why, size, "%s: %s", path, strerrordesc_np(errno));
    return good ? 0 : -1;
}

static int make_folder(struct demo *d, char *why, size_t size)
{
    if (d->keep) {
        char path[PATH_MAX];
        if ((mkdir(d->keep, 0700) != 0 && errno != EEXIST) || !realpath(d->keep, path) ||
            strlen(path) >= sizeof d->dir - 40) {
            snprintf(why, size, "%s: cannot be used: %s", d->keep, strerrordesc_np(errno));
            return -1;
        }
        memcpy(d->dir, path, strlen(path) + 1);
    } else {
        const char *tmp = getenv("TMPDIR");
        snprintf(d->dir, sizeof d->dir, "%.100s/dialerd-demo-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(d->dir)) {
            snprintf(why, size, "%s: %s", d->dir, strerrordesc_np(errno));
            return -1;
        }
    }
    snprintf(d->witness, sizeof d->witness, "%s/witness.jsonl", d->dir);
    snprintf(d->socket, sizeof d->socket, "%s/ctl", d->dir);
    snprintf(d->config, sizeof d->config, "%s/dialerd.conf", d->dir);
    snprintf(d->store_url, sizeof d->store_url, "sqlite:%s/dialer.db", d->dir);
    snprintf(d->hopper_url, sizeof d->hopper_url, "memory:");
    struct stat st;
    char db[300];
    snprintf(db, sizeof db, "%s/dialer.db", d->dir);
    if (stat(d->witness, &st) == 0 || stat(db, &st) == 0) {
        snprintf(why, size, "%s holds an earlier demo; give an empty folder", d->dir);
        return -1;
    }
    return 0;
}

static void log_of(const struct demo *d, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s.log", d->dir, name);
}

/* --- the simulated Asterisk ------------------------------------------------------------------ */

/* Who is called: a lively mixture to look at, and the one that the bench's bars are defined by. */
struct people {
    const char *human, *machine, *no_answer, *busy, *bad, *congestion, *ring, *talk;
};

static const struct people demo_people = {
    "0.45", "0.1", "0.3", "0.1", "0.03", "0.02", "lognormal:3,0.5", "lognormal:9,0.6"};
static const struct people bench_people = {
    "0.08", "0", "0.75", "0.05", "0.12", "0", "lognormal:10,0.5", "lognormal:90,1"};

static int start_ari_sim(struct demo *d, char *why, size_t size)
{
    char program[PATH_MAX];
    char log[300];
    char user[300];
    char seed[32];
    char line[200];
    if (child_beside("ari-sim", program, sizeof program) != 0) {
        snprintf(why, size, "ari-sim is not where dialerd is");
        return -1;
    }
    snprintf(user, sizeof user, "dialer:%s/ari.password", d->dir);
    snprintf(seed, sizeof seed, "%ld", d->seed);
    log_of(d, "ari-sim", log, sizeof log);
    const struct people *p = d->rate > 0 ? &bench_people : &demo_people;
    char trunk[64];
    snprintf(trunk, sizeof trunk, "carrier,cps=%ld,lines=%ld", d->rate > 0 ? 2 * d->rate : 20,
             d->rate > 0 ? 100 * d->rate : 300);
    /* clang-format off */
    char *argv[] = {program, "--port", "0", "--witness", d->witness, "--seed", seed, "--user", user, "--trunk", trunk,
                    "--phones", "agent*,answer=300", "--context", "customers", "--app", "dialer",
                    "--sound", "safe-harbour=4", "--sound", "beep=0.3",
                    "--human", (char *)p->human, "--machine", (char *)p->machine, "--no-answer", (char *)p->no_answer,
                    "--busy", (char *)p->busy, "--bad", (char *)p->bad, "--congestion", (char *)p->congestion,
                    "--setup", "constant:0.4", "--ring", (char *)p->ring, "--talk", (char *)p->talk,
                    "--machine-talk", "constant:8", "--cost", d->rate > 0 ? "off" : "on", NULL};
    /* clang-format on */
    const struct child_options o = {.log = log, .pipe_out = true};
    struct child *c = &d->part[PART_ARI_SIM];
    if (write_file(d, "ari.password", "simulated\n", why, size) != 0 ||
        child_start(c, "ari-sim", argv, &o, why, size) != 0)
        return -1;
    while (child_line(c, line, sizeof line, START_MS) == 0)
        if (sscanf(line, "listening 127.0.0.1:%u", &d->ari_port) == 1)
            return 0;
    snprintf(why, size, "ari-sim did not start; its log is %s", log);
    return -1;
}

/* --- the daemon ------------------------------------------------------------------------------ */

static int write_config(struct demo *d, char *why, size_t size)
{
    char text[4096];
    snprintf(text, sizeof text,
             "[daemon]\nname = demo\ndrain_time = %ds\n"
             "[store]\nurl = \"%s\"\n[hopper]\nurl = \"%s\"\n"
             "[pbx sim]\nurl = http://127.0.0.1:%u\npassword_file = \"%s/ari.password\"\n"
             "calls_per_s = %ld\nlines = 20000\n"
             "[web]\nport = %ld\n[ctl]\nsocket = \"%s\"\n",
             DRAIN_S, d->store_url, d->hopper_url, d->ari_port, d->dir,
             d->rate > 0 ? (d->rate < 400 ? 2 * d->rate + 200 : 1000) : 50, d->port, d->socket);
    return write_file(d, "dialerd.conf", text, why, size);
}

/* The socket on which the daemon says that it is ready, as it would to systemd. */
static int open_notify(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool wait_ready(struct demo *d, int fd)
{
    int64_t until = demo_now_ms() + START_MS;
    int status = 0;
    while (demo_now_ms() < until && !child_ended(&d->part[PART_DIALERD], &status)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char text[256];
        if (poll(&p, 1, 100) <= 0)
            continue;
        ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
        if (n <= 0)
            continue;
        text[n] = '\0';
        if (strstr(text, NOTIFY_STORE))
            return true;
    }
    return false;
}

static int start_dialerd(struct demo *d, char *why, size_t size)
{
    char program[PATH_MAX];
    char log[300];
    char notify[256];
    if (write_config(d, why, size) != 0 || child_beside("dialerd", program, sizeof program) != 0)
        return -1;
    snprintf(notify, sizeof notify, "%s/notify", d->dir);
    log_of(d, "dialerd", log, sizeof log);
    char *argv[] = {program, "--config", d->config, NULL};
    const struct child_options o = {.log = log, .notify = notify};
    int fd = open_notify(notify);
    if (fd < 0) {
        snprintf(why, size, "%s: %s", notify, strerrordesc_np(errno));
        return -1;
    }
    int result = child_start(&d->part[PART_DIALERD], "dialerd", argv, &o, why, size);
    if (result == 0 && !wait_ready(d, fd)) {
        snprintf(why, size, "dialerd did not become ready; its log is %s", log);
        result = -1;
    }
    close(fd);
    unlink(notify);
    return result;
}

/* --- what an operator would type ------------------------------------------------------------- */

struct answer {
    struct demo *d;
    FILE *tickets;
    uint64_t campaign;
    unsigned got;
};

static void take_row(void *ctx, struct json *doc, const char *line)
{
    struct answer *a = ctx;
    json_ref row = json_get(doc, JSON_ROOT, "row");
    int64_t number = 0;
    const char *text = NULL;
    (void)line;
    if (json_int(doc, json_get(doc, row, "campaign"), &number))
        a->campaign = (uint64_t)number;
    if ((text = json_str(doc, json_get(doc, row, "ticket"), NULL)) && a->tickets) {
        fprintf(a->tickets, "%s\n", text);
        a->got++;
    }
    if ((text = json_str(doc, json_get(doc, row, "url"), NULL)))
        snprintf(a->d->url, sizeof a->d->url, "%s", text);
}

static int ask(struct demo *d, struct answer *a, const char *request, char *why, size_t size)
{
    struct talk t = {.fd = -1, .file = -1, .on_line = take_row, .ctx = a};
    a->d = d;
    if (talk_connect(&t, d->socket, why, size) != 0)
        return -1;
    int result = talk_run(&t, request, strlen(request), why, size);
    close(t.fd);
    if (result == 0 && t.result != 0) {
        snprintf(why, size, "%.*s: %s", (int)strcspn(request, "\n"), request, t.text);
        return -1;
    }
    return result;
}

/* Only the calls a second bind: lines and ratio are as high as they go. */
static int set_rate(struct demo *d, struct answer *a, char *why, size_t size)
{
    char request[256];
    snprintf(
        request, sizeof request,
        "{\"id\":1,\"command\":\"trunk set\",\"args\":{\"trunk\":\"1\",\"settings\":[\"cps=%ld\","
        "\"lines=%ld\"]}}\n",
        d->rate, d->rate * 100 < 100000 ? d->rate * 100 : 100000);
    if (ask(d, a, request, why, size) != 0)
        return -1;
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign set\",\"args\":{\"campaign\":\"%llu\","
             "\"settings\":[\"ratio=10\",\"ring=25\",\"hopper_size=5000\",\"hopper_low=2000\"]}}\n",
             (unsigned long long)a->campaign);
    return ask(d, a, request, why, size);
}

static int set_up(struct demo *d, char *why, size_t size)
{
    char request[256];
    char path[300];
    struct answer a = {.d = d};
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"demo-data\",\"args\":{\"leads\":\"%ld\",\"agents\":\"%ld\","
             "\"pbx\":\"sim\"}}\n",
             d->leads, d->agents);
    if (ask(d, &a, request, why, size) != 0 || (d->rate > 0 && set_rate(d, &a, why, size) != 0))
        return -1;
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign start\",\"args\":{\"campaign\":\"%llu\"}}\n",
             (unsigned long long)a.campaign);
    if (ask(d, &a, request, why, size) != 0 ||
        ask(d, &a, "{\"id\":1,\"command\":\"login-link\",\"args\":{}}\n", why, size) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/tickets", d->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    a.tickets = fd < 0 ? NULL : fdopen(fd, "w");
    if (!a.tickets) {
        snprintf(why, size, "%s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"agent ticket\",\"args\":{\"count\":\"%ld\"}}\n", d->agents);
    int result = ask(d, &a, request, why, size);
    if (fclose(a.tickets) != 0)
        result = -1;
    return result;
}

static int start_agents(struct demo *d, char *why, size_t size)
{
    char program[PATH_MAX];
    char log[300];
    char url[300];
    char tickets[300];
    char seed[32];
    if (child_beside("agent-sim", program, sizeof program) != 0) {
        snprintf(why, size, "agent-sim is not where dialerd is");
        return -1;
    }
    const char *host = strstr(d->url, "://");
    snprintf(url, sizeof url, "ws%.*s/socket", host ? (int)(3 + strcspn(host + 3, "/")) : 0,
             host ? host : "");
    snprintf(tickets, sizeof tickets, "%s/tickets", d->dir);
    snprintf(seed, sizeof seed, "%ld", d->seed);
    log_of(d, "agent-sim", log, sizeof log);
    bool bench = d->rate > 0;
    /* clang-format off */
    char *argv[] = {program, "--url",  url, "--tickets", tickets, "--seed",  seed, "--talk", bench ? "90" : "12",
                    "--hang-up", bench ? "0" : "0.5", "--wrap", bench ? "15" : "3",
                    "--break-every", bench ? "0" : "120", "--break", "10", NULL};
    /* clang-format on */
    const struct child_options o = {.log = log};
    return child_start(&d->part[PART_AGENT_SIM], "agent-sim", argv, &o, why, size);
}

/* --- all of it ------------------------------------------------------------------------------- */

int demo_start(struct demo *d, char *why, size_t size)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    d->started_ms = demo_now_ms();
    d->started_wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (make_folder(d, why, size) != 0)
        return -1;
    if (d->full && demo_services_start(d, why, size) != 0)
        return -1;
    if (start_ari_sim(d, why, size) != 0 || start_dialerd(d, why, size) != 0 ||
        set_up(d, why, size) != 0)
        return -1;
    return start_agents(d, why, size);
}

void demo_stop_calls(struct demo *d)
{
    child_stop(&d->part[PART_DIALERD], SIGTERM, (DRAIN_S + 10) * 1000);
    child_stop(&d->part[PART_AGENT_SIM], SIGTERM, 8000);
    child_stop(&d->part[PART_ARI_SIM], SIGTERM, 5000);
}

int demo_verify(const char *config_path, const char *witness, struct demo_counts *counts, char *why,
                size_t size)
{
    static struct config config;
    struct config_errors *errors = calloc(1, sizeof *errors);
    struct wire_store where;
    struct store_options options;
    int result = -1;
    if (!errors)
        abort();
    bool good = config_read(config_path, &config, errors) == 0;
    if (!good)
        snprintf(why, size, "%.*s", (int)strcspn(errors->text, "\n"), errors->text);
    free(errors);
    if (!good || wire_store_of(&config, &where, &options, why, size) != 0)
        return -1;
    options.own = false;
    struct store *s = where.driver->make(&options);
    if (!s)
        abort();
    struct msg_campaign_config standard;
    store_campaign_defaults(&standard);
    if (s->ops->connect(s, (int64_t)time(NULL) * 1000) != STORE_OK)
        snprintf(why, size, "store: %s", s->error);
    else
        result =
            demo_check(s, witness, (int64_t)standard.retry_s * 1000, stderr, counts, why, size);
    s->ops->close(s);
    config_free(&config);
    return result;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void demo_stop(struct demo *d)
{
    demo_stop_calls(d);
    child_stop(&d->part[PART_REDIS], SIGTERM, 5000);
    child_stop(&d->part[PART_POSTGRES], SIGINT, 10000);
    if (!d->keep && !d->keep_all && d->dir[0])
        nftw(d->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
