/*
 * dial.c - dialer-bench dial: the whole product under a load that can be held.
 *
 * Starts `dialerd demo --rate R` (the programs beside this one: daemon, simulated Asterisk, agents;
 * SQLite, or PostgreSQL and Redis with --full), lets it warm up, and measures for --seconds between
 * two readings of /metrics and of the processes' times: 8 % of the callees are people, 75 % do not
 * answer within 25 s, 5 % are busy, 12 % bad numbers; talks last 90 s, wrap-up 15 s; only the calls
 * a second bind. One run is one sample: repetitions of a minute each are the caller's choice.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTS_MAX 32
#define METRICS_MAX (512 * 1024)

struct load {
    long agents, rate, leads;
    double seconds, warm_up;
    bool full;
};

/* One process of the run: its CPU time [s] and resident bytes. */
struct part {
    pid_t pid;
    char name[32];
    double cpu_s;
    double resident;
};

struct reading {
    int64_t at_ns;
    struct part part[PARTS_MAX];
    unsigned parts;
    char *metrics; /* METRICS_MAX */
};

struct run {
    pid_t demo;
    FILE *out;
    unsigned port;
    char last[1024]; /* last line of its output: the JSON report */
};

/* --- the programs --------------------------------------------------------------------------- */

static bool beside(const char *name, char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    char *slash = strrchr(path, '/');

    if (slash == NULL || (size_t)(slash - path) + strlen(name) + 2 > size) {
        return false;
    }
    memcpy(slash + 1, name, strlen(name) + 1);
    return access(path, X_OK) == 0;
}

static void exec_demo(const char *path, const struct load *l, uint64_t seed, int out)
{
    char agents[24];
    char rate[24];
    char leads[24];
    char seconds[24];
    char seed_text[24];
    char *argv[16] = {"dialerd", "demo", "--json",    "--agents", agents,   "--rate", rate,
                      "--leads", leads,  "--seconds", seconds,    "--seed", seed_text};

    (void)snprintf(agents, sizeof agents, "%ld", l->agents);
    (void)snprintf(rate, sizeof rate, "%ld", l->rate);
    (void)snprintf(leads, sizeof leads, "%ld", l->leads);
    (void)snprintf(seconds, sizeof seconds, "%ld", (long)(l->warm_up + l->seconds) + 3);
    (void)snprintf(seed_text, sizeof seed_text, "%u", (unsigned)(seed & 0x7fffffffu));
    argv[13] = l->full ? "--full" : NULL;
    (void)dup2(out, STDOUT_FILENO);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)execv(path, argv);
    _exit(127);
}

static int start(struct run *r, const struct load *l, uint64_t seed)
{
    char path[PATH_MAX];
    int pipe_fd[2];
    char line[512];

    if (!beside("dialerd", path, sizeof path) || pipe(pipe_fd) != 0) {
        (void)fprintf(stderr, "dialer-bench dial: dialerd is not beside this program\n");
        return -1;
    }
    r->demo = fork();
    if (r->demo == 0) {
        (void)close(pipe_fd[0]);
        exec_demo(path, l, seed, pipe_fd[1]);
    }
    (void)close(pipe_fd[1]);
    r->out = r->demo > 0 ? fdopen(pipe_fd[0], "r") : NULL;
    while (r->out != NULL && fgets(line, sizeof line, r->out) != NULL) {
        if (sscanf(line, "http://127.0.0.1:%u/", &r->port) == 1) {
            return 0;
        }
    }
    (void)fprintf(stderr, "dialer-bench dial: the demo did not start\n");
    return -1;
}

/* Its report, and that it has ended by itself. */
static int finish(struct run *r)
{
    int status = 0;

    while (r->out != NULL && fgets(r->last, sizeof r->last, r->out) != NULL) {
    }
    if (r->out != NULL) {
        (void)fclose(r->out);
    }
    if (r->demo > 0) {
        (void)waitpid(r->demo, &status, 0);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_stat(pid_t pid, char *name, size_t size, pid_t *parent, double *cpu_s)
{
    char path[64];
    char text[1024];
    unsigned long user = 0;
    unsigned long kernel = 0;
    int above = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return false;
    }
    size_t n = fread(text, 1, sizeof text - 1, f);

    (void)fclose(f);
    text[n] = '\0';
    char *open = strchr(text, '(');
    char *close = strrchr(text, ')');

    if (open == NULL || close == NULL ||
        sscanf(close + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &above, &user,
               &kernel) != 3) {
        return false;
    }
    (void)snprintf(name, size, "%.*s", (int)(close - open - 1), open + 1);
    *parent = above;
    *cpu_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

static double resident_of(pid_t pid)
{
    char path[64];
    long pages = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1) {
        pages = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Everything the demo started, and what that started. */
static void read_parts(const struct run *r, struct reading *now)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    now->parts = 0;
    while (proc != NULL && (entry = readdir(proc)) != NULL && now->parts < PARTS_MAX) {
        struct part *p = &now->part[now->parts];
        pid_t parent = 0;
        pid_t above = 0;
        char ignored[32];
        double ignored_s = 0;

        p->pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (p->pid <= 0 || !read_stat(p->pid, p->name, sizeof p->name, &parent, &p->cpu_s)) {
            continue;
        }
        if (parent != r->demo &&
            !(read_stat(parent, ignored, sizeof ignored, &above, &ignored_s) && above == r->demo)) {
            continue;
        }
        p->resident = resident_of(p->pid);
        now->parts++;
    }
    if (proc != NULL) {
        (void)closedir(proc);
    }
}

static bool read_metrics(const struct run *r, char *text)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  "Connection: close\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port)};
    struct timeval patience = {.tv_sec = 5};
    size_t len = 0;
    ssize_t n = -1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) {
        return false;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1) {
        while (len + 1 < METRICS_MAX && (n = recv(fd, text + len, METRICS_MAX - 1 - len, 0)) > 0) {
            len += (size_t)n;
        }
    }
    (void)close(fd);
    text[len] = '\0';
    return len > 0;
}

static bool take_reading(const struct run *r, struct reading *now)
{
    now->at_ns = bench_now_ns();
    read_parts(r, now);
    return read_metrics(r, now->metrics);
}

/* The sum over all labels of a metric. */
static double value_of(const struct reading *at, const char *name)
{
    double sum = 0;
    size_t len = strlen(name);

    for (const char *p = at->metrics; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
        p += *p == '\n' ? 1 : 0;
        if (strncmp(p, name, len) == 0 && (p[len] == '{' || p[len] == ' ')) {
            const char *end = p + strcspn(p, "\n");
            const char *last = end;

            while (last > p && last[-1] != ' ') {
                last--;
            }
            sum += strtod(last, NULL);
        }
        if (*p == '\0') {
            break;
        }
    }
    return sum;
}

static double cpu_of(const struct reading *at, const char *name)
{
    double sum = 0;

    for (unsigned i = 0; i < at->parts; i++) {
        sum += strcmp(at->part[i].name, name) == 0 ? at->part[i].cpu_s : 0;
    }
    return sum;
}

static double resident_named(const struct reading *at, const char *name)
{
    double most = 0;

    for (unsigned i = 0; i < at->parts; i++) {
        if (strcmp(at->part[i].name, name) == 0 && at->part[i].resident > most) {
            most = at->part[i].resident;
        }
    }
    return most;
}

/* --- the report --------------------------------------------------------------------------------
 */

static void one(struct bench_report *report, const char *name, const char *unit,
                enum bench_better better, double value)
{
    report_metric(report, name, unit, better, &value, 1);
}

static double from_json(const char *line, const char *key)
{
    char quoted[48];

    (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(line, quoted);

    return at != NULL ? strtod(at + strlen(quoted), NULL) : -1;
}

static void report_run(struct bench_report *report, const struct load *l, const struct run *r,
                       const struct reading *a, const struct reading *b)
{
    static const char *const programs[] = {"dialerd", "ari-sim", "agent-sim", "postgres",
                                           "redis-server"};
    double seconds = (double)(b->at_ns - a->at_ns) / 1e9;
    double attempts =
        value_of(b, "dialer_originates_total") - value_of(a, "dialer_originates_total");
    double bridged = value_of(b, "dialer_bridged_total") - value_of(a, "dialer_bridged_total");

    one(report, "dial.attempts_per_s", "attempts/s", BENCH_HIGHER, attempts / seconds);
    one(report, "dial.held", "of asked", BENCH_HIGHER, attempts / seconds / (double)l->rate);
    one(report, "dial.bridged_per_s", "calls/s", BENCH_HIGHER, bridged / seconds);
    one(report, "dial.shed", "originates", BENCH_LOWER,
        value_of(b, "dialer_ari_shed_total") - value_of(a, "dialer_ari_shed_total"));
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char name[64];
        double cpu = cpu_of(b, programs[i]) - cpu_of(a, programs[i]);

        (void)snprintf(name, sizeof name, "dial.%s.cpu_us_per_attempt", programs[i]);
        if (cpu <= 0 || attempts <= 0) {
            report_skip(report, name, "no such process, or no attempts");
        } else {
            one(report, name, "us", BENCH_LOWER, cpu * 1e6 / attempts);
        }
    }
    one(report, "dial.dialerd.resident", "bytes", BENCH_LOWER, resident_named(b, "dialerd"));
    one(report, "dial.first_call_s", "s", BENCH_LOWER, from_json(r->last, "first_call_s"));
    one(report, "dial.abandoned", "calls", BENCH_LOWER, from_json(r->last, "abandoned"));
}

/* --- the command -------------------------------------------------------------------------------
 */

static struct load load_of(const struct bench_options *o)
{
    struct load l = {.agents = 500, .rate = 50, .seconds = 60, .warm_up = 60, .full = o->full};

    if (o->quick) {
        l = (struct load){.agents = 50, .rate = 10, .seconds = 6, .warm_up = 4, .full = o->full};
    }
    l.agents = o->agents > 0 ? o->agents : l.agents;
    l.rate = o->rate > 0 ? o->rate : l.rate;
    l.seconds = o->seconds >= 5 ? o->seconds : l.seconds;
    l.warm_up = o->warm_up >= 0 ? o->warm_up : l.warm_up;
    /* each attempt takes a lead of its own for as long as the run lasts */
    l.leads = (long)((l.warm_up + l.seconds + 15) * (double)l.rate) + 1000;
    l.leads = l.leads < 50000 ? l.leads : 50000;
    return l;
}

int bench_dial(const struct bench_options *o, struct bench_report *report)
{
    struct load l = load_of(o);
    struct run r = {.demo = 0};
    struct reading a = {.metrics = malloc(METRICS_MAX)};
    struct reading b = {.metrics = malloc(METRICS_MAX)};
    int result = 1;

    if (a.metrics != NULL && b.metrics != NULL && start(&r, &l, o->seed) == 0) {
        bench_sleep(l.warm_up);
        bool read = take_reading(&r, &a);

        bench_sleep(l.seconds);
        read = take_reading(&r, &b) && read;
        if (finish(&r) == 0 && read) {
            report_run(report, &l, &r, &a, &b);
            result = 0;
        } else {
            (void)fprintf(stderr, "dialer-bench dial: the run failed: %s\n", r.last);
        }
    }
    free(a.metrics);
    free(b.metrics);
    return result;
}
