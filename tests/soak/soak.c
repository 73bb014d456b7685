/*
 * soak.c - `./run soak SECONDS`: for half of the time a call centre in virtual time (sim-soak), for
 * the other half the real programs, with something killed or disturbed every few seconds; then the
 * judge (tests/judge) looks at what was seen from outside. The last line is one JSON object. Exit
 * 0: every promise was kept, 1: one was not, 2: usage, 77: no PostgreSQL or Redis here.
 */
#include "adapters/net/json.h"
#include "tests/judge/files.h"
#include "tests/soak/faults.h"
#include "tests/soak/mutants.h"
#include "tests/soak/word.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEADS_MAX 50000u /* so many fictional numbers there are */
#define BARRED 15u       /* of the leads' numbers */
#define RSS_MAX_KB 400000
#define FDS_MAX 512

struct sums { /* of the simulation, by its JSON line */
    int64_t calls, kills, faults, lost, dialed_twice, stuck, two_calls, breaches, downtime_waits,
        adopted, speed;
};

struct soak {
    double seconds;
    uint64_t seed;
    bool json, keep, discard, real_only, sim_only, told, mutants;
    bool long_stop;     /* one, in the middle of the faults */
    const char *only;   /* of the faults: those with these names */
    const char *people; /* what they do, as /sim/people of ari-sim takes it */
    unsigned points;    /* how often at each crash point; 0: other faults */
    bool others_first;  /* for so long as was asked for, then the points */
    unsigned agents, rate, leads;
    struct sums sim;
    bool sim_failed;
    struct place place;
    struct faults faults;
    struct judge_verdict verdict;
    char table[8192]; /* of crash points: what became of the calls at each */
    bool real_failed;
    int64_t rss_most_kb, fds_most;
};

/* --- the simulation
 * -------------------------------------------------------------------------------- */

static int64_t member(const struct json *d, const char *name)
{
    int64_t n = 0;
    double x = 0;

    if (!json_int(d, json_get(d, JSON_ROOT, name), &n) &&
        json_double(d, json_get(d, JSON_ROOT, name), &x)) {
        n = (int64_t)x;
    }
    return n;
}

static bool read_sums(struct soak *s, const char *line)
{
    struct json d;
    bool good;

    json_init(&d, 65536);
    good = json_parse(&d, line, strlen(line)) == 0;
    if (good) {
        s->sim = (struct sums){.calls = member(&d, "sim_calls"),
                               .kills = member(&d, "sim_kills"),
                               .faults = member(&d, "faults"),
                               .lost = member(&d, "lost"),
                               .dialed_twice = member(&d, "dialed_twice"),
                               .stuck = member(&d, "stuck"),
                               .two_calls = member(&d, "two_calls"),
                               .breaches = member(&d, "breaches"),
                               .downtime_waits = member(&d, "downtime_waits"),
                               .adopted = member(&d, "adopted"),
                               .speed = member(&d, "speed")};
    }
    json_free(&d);
    return good;
}

static void become_sim(const struct soak *s, const char *program, int out, pid_t parent)
{
    char seconds[32], seed[32];

    snprintf(seconds, sizeof seconds, "%.1f", s->seconds / 2);
    snprintf(seed, sizeof seed, "%" PRIu64, s->seed);
    dup2(out, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) {
        execl(program, "sim-soak", "--seconds", seconds, "--seed", seed, "--json", (char *)NULL);
    }
    _exit(127);
}

/* False: it could not be run. */
static bool run_sim(struct soak *s)
{
    char program[PATH_MAX];
    char line[4096] = "";
    char last[4096] = "";
    int ends[2];
    int status = 0;
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
    const pid_t parent = getpid();
    pid_t pid;
    FILE *in;

    if (n <= 0 || pipe(ends) != 0) {
        return false;
    }
    program[n] = '\0';
    strcpy(strrchr(program, '/') + 1, "sim-soak");
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_sim(s, program, ends[1], parent);
    }
    close(ends[1]);
    in = fdopen(ends[0], "r");
    while (in && fgets(line, sizeof line, in)) {
        memcpy(last, line, sizeof last);
    }
    if (in) {
        fclose(in);
    }
    waitpid(pid, &status, 0);
    s->sim_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return read_sums(s, last);
}

/* --- the real programs
 * ------------------------------------------------------------------------------ */

/* I10: its memory and descriptors stay within their bounds. */
static void measure(struct soak *s)
{
    char path[64], line[256];
    int64_t fds = 0;
    FILE *f;
    DIR *d;

    snprintf(path, sizeof path, "/proc/%d/status", (int)s->place.daemon);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        const int64_t kb = strncmp(line, "VmRSS:", 6) == 0 ? strtoll(line + 6, NULL, 10) : 0;
        s->rss_most_kb = kb > s->rss_most_kb ? kb : s->rss_most_kb;
    }
    if (f) {
        fclose(f);
    }
    snprintf(path, sizeof path, "/proc/%d/fd", (int)s->place.daemon);
    d = opendir(path);
    while (d && readdir(d)) {
        fds++;
    }
    if (d) {
        closedir(d);
    }
    s->fds_most = fds > s->fds_most ? fds : s->fds_most;
}

static void check_bounds(struct soak *s)
{
    if (s->rss_most_kb > RSS_MAX_KB) {
        place_log(&s->place, "limit", "memory of dialerd [kB]", false, s->rss_most_kb);
    }
    if (s->fds_most > FDS_MAX) {
        place_log(&s->place, "limit", "descriptors of dialerd", false, s->fds_most);
    }
    if (s->faults.never_recovered) {
        place_log(&s->place, "limit", "faults from which it did not recover", false,
                  s->faults.never_recovered);
    }
}

/* Channels in ari-sim, by its own count: agents' legs stay up. -1: it does not say. */
static int64_t channels(const struct place *p)
{
    char body[4096] = "";
    struct json d;
    int64_t n = -1;

    if (!place_sim(p, "/sim/stats", body, sizeof body)) {
        return -1;
    }
    json_init(&d, sizeof body);
    if (json_parse(&d, body, strlen(body)) == 0) {
        n = member(&d, "channels");
    }
    json_free(&d);
    return n;
}

#define STEP_US INT64_C(100000)
#define AT_WORK_US INT64_C(2000000) /* agents log in, their phones answer, the first calls ring */

/* The daemon's own word could not be had: as bad as a wrong one. */
static void must(struct place *p, int result, const char *why)
{
    if (result != 0) {
        fprintf(stderr, "soak: %s\n", why);
        place_log(p, "limit", "questions that the daemon did not answer", false, 1);
    }
}

/* What the daemon counts and shows when nothing moves. A setting, even with the value that it has,
 * makes the campaign read again what its record counts, as it does each minute. */
static void hear_at_rest(struct place *p)
{
    char request[160], why[512] = "";

    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign set\",\"args\":{\"campaign\":\"%" PRIu64
             "\",\"settings\":[\"wrapup_timeout=5\"]}}\n",
             p->campaign);
    must(p, place_ask(p, request, why, sizeof why), why);
    place_wait(2000000);
    must(p, word_counted(p, why, sizeof why), why);
    must(p, word_board(p, why, sizeof why), why);
}

#define AWAY_US INT64_C(8000000)
#define REST_US INT64_C(30000000) /* the longest talks and a wrap-up of 5 s, on a busy machine */

/* By Asterisk's count no call is up, by the daemon's word none waits for its disposition. */
static bool rests(const struct place *p)
{
    return channels(p) <= (int64_t)p->agents && word_all_disposed(p);
}

/* No new calls, the last talk ends, everybody goes home. */
static void come_to_rest(struct soak *s)
{
    struct place *p = &s->place;
    char request[160], why[512] = "";
    const int64_t until = place_now_us() + REST_US;

    must(p, word_board(p, why, sizeof why), why); /* with calls on the line */
    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"campaign stop\",\"args\":{\"campaign\":\"%" PRIu64
             "\",\"now\":\"true\"}}\n",
             p->campaign);
    if (place_ask(p, request, why, sizeof why) != 0) {
        fprintf(stderr, "soak: %s\n", why);
    }
    while (!rests(p) && place_now_us() < until) {
        place_wait(STEP_US);
    }
    place_wait(AWAY_US); /* an agent whose page is gone, or whose call an earlier daemon had */
    hear_at_rest(p);
    place_end(&p->agents_pid, 12000000);
    place_wait(1000000);
    place_end(&p->daemon, 20000000);
    place_end(&p->sim, 5000000);
    place_log(p, "fault", "the end", true, 0);
}

#define SHOWN 150 /* lines of the judge's on standard error */

/* All of it into the folder, the beginning for people. */
static void tell(const struct soak *s, const struct judge *j)
{
    char path[128], line[1024];
    FILE *f;

    snprintf(path, sizeof path, "%s/judge.txt", s->place.dir);
    f = fopen(path, "w+e");
    if (!f) {
        return;
    }
    judge_tell(j, f);
    rewind(f);
    for (unsigned n = 0; n < SHOWN && fgets(line, sizeof line, f); n++) {
        fputs(line, stderr);
    }
    fclose(f);
}

/* point x runs x adopted, unknown, lost */
static void table_points(struct soak *s, const struct judge *j)
{
    static struct judge_fault faults[256];
    const unsigned n = judge_faults(j, faults, sizeof faults / sizeof faults[0]);
    FILE *f = s->points ? fmemopen(s->table, sizeof s->table, "w") : NULL;

    for (unsigned i = 1; f && i < CRASH_POINT_COUNT; i++) {
        const char *name = crash_point_name((enum crash_point)i);
        for (unsigned k = 0; k < n; k++) {
            if (strcmp(faults[k].text, name) == 0) {
                fprintf(f,
                        "%-17s %3u runs, died there %3u, %5" PRIu64 " calls adopted, %4" PRIu64
                        " unknown, %" PRIu64 " lost\n",
                        name, s->faults.tried[i], s->faults.hit[i], faults[k].adopted,
                        faults[k].unknown, faults[k].broken);
            }
        }
    }
    if (f) {
        fclose(f);
    }
}

static int judge_it(struct soak *s, char *why, size_t size)
{
    struct place *p = &s->place;
    struct judge *j = judge_open(
        &(struct judge_options){.imported = p->leads, .check_pages = true, .tell_each = 100});
    char daemon_log[128];
    int result = -1;

    snprintf(daemon_log, sizeof daemon_log, "%s/dialerd.log", p->dir);
    if (judge_read_store(j, p->store, why, size) == 0 &&
        judge_read_witness(j, p->witness, "safe-harbour", "dialer", why, size) == 0 &&
        judge_read_record(j, p->record, why, size) == 0 &&
        judge_read_log(j, p->log, why, size) == 0 &&
        judge_read_daemon(j, daemon_log, why, size) == 0) {
        result = judge_decide(j, &s->verdict);
        tell(s, j);
        table_points(s, j);
    }
    judge_close(j);
    return result;
}

#define LONG_S 150 /* of the real half: then there is time to stop the daemon for a minute */

/* Faults until the time is up, the machine's own pauses kept apart. */
static void disturb(struct soak *s, int64_t until_us)
{
    const int64_t middle_us = place_now_us() + (until_us - place_now_us()) / 2;

    while (place_now_us() < until_us ||
           s->faults.next_point < s->points * (CRASH_POINT_COUNT - 1)) {
        const bool point = s->points && (!s->others_first || place_now_us() >= until_us);
        const int64_t calm = point ? 100000 : 300000 + (int64_t)rng_below(&s->faults.rng, 1200000);
        measure(s);
        place_wait(calm);
        measure(s);
        if (s->long_stop && place_now_us() >= middle_us) {
            s->long_stop = false;
            (void)faults_long_stop(&s->faults, &s->place);
            continue;
        }
        (void)(point ? faults_point(&s->faults, &s->place) : faults_next(&s->faults, &s->place));
    }
}

/* 0, 77, or -1 with a sentence. */
static int run_real(struct soak *s, char *why, size_t size)
{
    struct place *p = &s->place;
    const int64_t begun = place_now_us();
    const double half = s->real_only ? s->seconds : s->seconds / 2;
    const double calls = half * s->rate * 0.4;
    int result;

    p->seed = s->seed;
    p->agents = s->agents;
    p->calls_per_s = s->rate;
    p->leads = s->leads            ? s->leads
               : calls > LEADS_MAX ? LEADS_MAX
               : calls < 2000      ? 2000
                                   : (unsigned)calls;
    p->barred = BARRED;
    p->callees = s->people;
    s->long_stop = s->long_stop || (half >= LONG_S && !s->points);
    faults_init(&s->faults, s->seed);
    s->faults.told = s->told;
    s->faults.only = s->only;
    result = place_open(p, why, size);
    if (result == 0) {
        /* setting up counts as part of the half, but not for much of it */
        const int64_t least = place_now_us() + (int64_t)(half * (s->real_only ? 1e6 : 0.8e6));
        const int64_t until =
            begun + (int64_t)(half * 1e6) > least ? begun + (int64_t)(half * 1e6) : least;
        place_wait(AT_WORK_US);
        disturb(s, until);
        come_to_rest(s);
        check_bounds(s);
        result = judge_it(s, why, size);
        s->real_failed = result != 0;
        result = result < 0 ? -1 : 0;
    }
    s->keep = s->keep || (!s->discard && (result < 0 || s->real_failed));
    place_close(p, s->keep);
    if (s->keep && p->dir[0]) {
        fprintf(stderr, "soak: kept in %s\n", p->dir);
    }
    return result;
}

/* --- the report
 * ------------------------------------------------------------------------------------- */

static uint64_t both(int64_t sim, uint64_t real)
{
    return (uint64_t)sim + real;
}

static unsigned points_missed(const struct soak *s)
{
    unsigned missed = 0;

    for (unsigned i = 1; i < CRASH_POINT_COUNT; i++) {
        missed += s->faults.hit[i] == 0;
    }
    return missed;
}

static void report(const struct soak *s)
{
    const struct judge_verdict *v = &s->verdict;
    const struct sums *m = &s->sim;

    printf("{\"calls\":%" PRIu64 ",\"kills\":%" PRIu64 ",\"sim_calls\":%" PRId64
           ",\"sim_kills\":%" PRId64 ",\"real_calls\":%" PRIu64 ",\"real_kills\":%u"
           ",\"faults\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"dialed_twice\":%" PRIu64
           ",\"stuck\":%" PRIu64 ",\"two_calls\":%" PRIu64 ",\"breaches\":%" PRIu64
           ",\"downtime_waits\":%" PRIu64 ",\"adopted\":%" PRIu64 ",\"real_adopted\":%" PRIu64
           ",\"real_bridged\":%" PRIu64 ",\"abandoned\":%" PRIu64 ",\"unknown\":%" PRIu64
           ",\"acknowledged\":%" PRIu64
           ",\"recovery_p99_s\":%.3f,\"recovery_max_s\":%.3f,\"speed\":%" PRId64
           ",\"rss_kb\":%" PRId64 ",\"points_missed\":%u,\"seed\":%" PRIu64 ",\"broken\":[",
           both(m->calls, v->calls), both(m->kills, s->faults.kills), m->calls, m->kills, v->calls,
           s->faults.kills, both(m->faults, s->faults.others), both(m->lost, v->lost),
           both(m->dialed_twice, v->dialed_twice), both(m->stuck, v->stuck),
           both(m->two_calls, v->two_calls), both(m->breaches, v->breaches),
           both(m->downtime_waits, v->downtime_waits), both(m->adopted, v->adopted), v->adopted,
           v->bridged, v->abandoned, v->unknown, v->acked, faults_recovery_p99_s(&s->faults),
           faults_recovery_max_s(&s->faults), m->speed, s->rss_most_kb,
           s->points ? points_missed(s) : 0, s->seed);
    /* I1 to I10 of the real half, of an array as long as the judge's */
    for (unsigned i = 0; i < JUDGE_INVARIANTS; i++) {
        printf("%s%" PRIu64, i > 0 ? "," : "", v->broken[i]);
    }
    puts("]}");
}

static const char usage[] =
    "usage: soak SECONDS [--seed N] [--json] [--verbose] [--keep] [--real | --sim | --mutants]\n"
    "\n"
    "  --seed N    of everything that is left to chance (default 1)\n"
    "  --json      nothing on standard output but the last line\n"
    "  --verbose   each fault on standard error\n"
    "  --keep      keep logs, witness and records of the real half (kept anyway when it fails)\n"
    "  --discard   keep nothing, even then\n"
    "  --real      the real programs only; --sim: the simulation only\n"
    "  --points[=N]  the real programs only; the daemon dies at each crash point in turn, N times "
    "(test builds);\n"
    "              with --real: after SECONDS of other faults\n"
    "  --only NAMES  of the faults or crash points only these, commas between; none: not one\n"
    "  --long-stop  stop the daemon for a minute once (it does so anyway if the real half takes "
    "150 s)\n"
    "  --agents N  of the real half (default 80); --rate N: calls a second (default 200)\n"
    "  --leads N   (default as many as the rate needs, 2000 to 50000)\n"
    "  --people TARGET  of ari-sim's control channel, before the first call: "
    "/sim/people?human=1...\n"
    "  --mutants   daemons broken on purpose, SECONDS each: does the judge notice? (test builds)\n";

static const struct option options[] = {
    {"seed", required_argument, NULL, 's'},   {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},      {"keep", no_argument, NULL, 'k'},
    {"real", no_argument, NULL, 'r'},         {"sim", no_argument, NULL, 'm'},
    {"points", optional_argument, NULL, 'p'}, {"agents", required_argument, NULL, 'a'},
    {"rate", required_argument, NULL, 'c'},   {"leads", required_argument, NULL, 'n'},
    {"long-stop", no_argument, NULL, 'l'},    {"only", required_argument, NULL, 'o'},
    {"discard", no_argument, NULL, 'd'},      {"mutants", no_argument, NULL, 'b'},
    {"people", required_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

/* False: it is none. */
static bool take_flag(struct soak *s, int c)
{
    bool *const flag = c == 'j'   ? &s->json
                       : c == 'v' ? &s->told
                       : c == 'k' ? &s->keep
                       : c == 'd' ? &s->discard
                       : c == 'r' ? &s->real_only
                       : c == 'm' ? &s->sim_only
                       : c == 'b' ? &s->mutants
                                  : NULL;

    if (flag) {
        *flag = true;
    }
    return flag;
}

/* False: it is none, or its value is no number. */
static bool take_value(struct soak *s, int c)
{
    char *rest = "";
    const uint64_t n = optarg && c != 'o' && c != 'h' ? strtoull(optarg, &rest, 10) : 1;

    switch (c) {
    case 's':
        s->seed = n;
        break;
    case 'p':
        s->points = (unsigned)n;
        break;
    case 'a':
        s->agents = (unsigned)n;
        break;
    case 'c':
        s->rate = (unsigned)n;
        break;
    case 'n':
        s->leads = (unsigned)n;
        break;
    case 'o':
        s->only = optarg;
        break;
    case 'h':
        s->people = optarg;
        break;
    default:
        return false;
    }
    return *rest == '\0';
}

static bool parse(struct soak *s, int argc, char **argv)
{
    char *rest = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (!take_flag(s, c) && !take_value(s, c)) {
            return false;
        }
    }
    s->others_first = s->real_only && s->points;
    s->real_only = s->real_only || s->points;
    s->seconds = optind < argc ? strtod(argv[optind], &rest) : 0;
    return s->seconds > 0 && s->agents > 0 && s->rate > 0 && *rest == '\0' && optind + 1 == argc &&
           !(s->real_only && s->sim_only);
}

int main(int argc, char **argv)
{
    static struct soak s = {.seed = 1, .agents = 80, .rate = 200};
    char why[512] = "";
    int result = 0;

    if (!parse(&s, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (s.mutants) {
        return mutants_run(argv[optind], s.seed);
    }
    if (!s.json) {
        printf("seed %" PRIu64 "\n", s.seed);
        fflush(stdout);
    }
    if (!s.real_only && !run_sim(&s)) {
        fprintf(stderr, "soak: sim-soak, which lies beside it, gave no result\n");
        return 1;
    }
    if (!s.sim_only) {
        result = run_real(&s, why, sizeof why);
    }
    if (result != 0) {
        fprintf(stderr, "soak: %s\n", why);
        return result == 77 ? 77 : 1;
    }
    if (!s.json) {
        fputs(s.table, stdout);
    }
    report(&s);
    return s.sim_failed || s.real_failed;
}
