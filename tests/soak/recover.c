/*
 * recover.c - kill -9 of the daemon and its next start, with a large store and many live calls:
 * dialerd over SQLite, ari-sim and agent-sim, no faults but the kills. Half of the calls are talks,
 * half ring. After each kill: how long until the daemon is ready, until its websocket is back,
 * until it has every live call again; at the end, what became of the calls. The last line is one
 * JSON object. Exit 0: within the bounds and nobody parted, 1: not, 2: usage.
 */
#include "adapters/ctl/talk.h"
#include "tests/soak/place.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILLS_MAX 2000u
#define DEMO_LEADS 50000u /* so many fictional numbers there are */
#define RATIO 10u         /* calls that ring for each agent who waits */
#define READY_US INT64_C(3000000)
#define SOCKET_US INT64_C(1000000)  /* back at Asterisk before the dialplan gives up on a call */
#define ADOPTED_US INT64_C(2000000) /* from the websocket */
#define GIVE_UP_US INT64_C(60000000)
#define TRY_US INT64_C(5000)

struct times {
    int64_t us[KILLS_MAX];
    unsigned n;
};

struct recover {
    unsigned calls, leads, kills;
    bool json, keep;
    struct place place;
    struct times ready, socket, adopted, whole;
    unsigned least_live; /* calls on the line at a kill */
    unsigned broken;     /* talks that ended or were parted, rings that were called off */
    bool failed;
};

/* --- asking ------------------------------------------------------------------------------------
 */

/* The campaign's own word; live: every attempt that is on the line. */
struct word {
    int64_t bridged, live, available;
};

static void take_word(void *ctx, struct json *d, const char *line)
{
    static const char *const on_line[] = {"originating", "ringing", "answered",
                                          "bridging",    "bridged", "held"};
    const json_ref row = json_get(d, JSON_ROOT, "row");
    struct word *w = ctx;
    int64_t n = 0;

    (void)line;
    for (size_t i = 0; i < sizeof on_line / sizeof on_line[0]; i++) {
        if (json_int(d, json_get(d, row, on_line[i]), &n)) {
            w->live += n;
        }
    }
    (void)json_int(d, json_get(d, row, "bridged"), &w->bridged);
    (void)json_int(d, json_get(d, row, "available"), &w->available);
}

/* All 0 when it does not answer. */
static struct word explain(const struct recover *r)
{
    struct word w = {0};
    struct talk t = {.fd = -1, .file = -1, .on_line = take_word, .ctx = &w};
    char request[160], why[256];

    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"explain campaign\",\"args\":{\"campaign\":\"%" PRIu64
             "\"}}\n",
             r->place.campaign);
    if (talk_connect(&t, r->place.ctl, why, sizeof why) == 0) {
        if (talk_run(&t, request, strlen(request), why, sizeof why) != 0) {
            w = (struct word){0};
        }
        close(t.fd);
    }
    return w;
}

static int set(struct recover *r, const char *what, uint64_t id, const char *setting)
{
    char request[256], why[512] = "";

    snprintf(request, sizeof request,
             "{\"id\":1,\"command\":\"%s set\",\"args\":{\"%s\":\"%" PRIu64
             "\",\"settings\":[\"%s\"]}}\n",
             what, what, id, setting);
    if (place_ask(&r->place, request, why, sizeof why) == 0) {
        return 0;
    }
    fprintf(stderr, "recover: %s\n", why);
    return -1;
}

/* --- the world ---------------------------------------------------------------------------------
 */

#define PER_AREA 9900u /* 555-01xx are taken by the others */

/* Numbers in exchange 555 of a hundred area codes; they go nowhere but to ari-sim. */
static int import(struct recover *r)
{
    char path[128], program[450], why[160] = "", list[8] = "1";
    const char *argv[] = {program, "--socket", r->place.ctl, "lead", "import",
                          path,    "--list",   list,         NULL};
    FILE *f;

    if (r->leads <= r->place.leads) {
        return 0;
    }
    snprintf(path, sizeof path, "%s/leads.csv", r->place.dir);
    snprintf(program, sizeof program, "%s/dialerctl", r->place.bin);
    f = fopen(path, "we");
    if (!f) {
        return -1;
    }
    fputs("number,name,city\n", f);
    for (unsigned i = 0; i < r->leads - r->place.leads; i++) {
        fprintf(f, "+1%u555%04u,Lead %u,Springfield\n", 212 + i / PER_AREA * 6,
                (i % PER_AREA + 200) % 10000, i);
    }
    fclose(f);
    snprintf(why, sizeof why, "%s/import.log", r->place.dir);
    return support_wait(support_start(argv, 0, 0, why));
}

/* False: it did not come to that. */
static bool until_live(const struct recover *r, int64_t bridged, int64_t live)
{
    const int64_t until = place_now_us() + 4 * GIVE_UP_US;
    struct word w = explain(r);

    while (w.bridged < bridged || w.live < live) {
        if (place_now_us() > until) {
            fprintf(stderr,
                    "recover: %" PRId64 " talks of %" PRId64 ", %" PRId64 " calls of %" PRId64 "\n",
                    w.bridged, bridged, w.live, live);
            return false;
        }
        place_wait(200000);
        w = explain(r);
    }
    return true;
}

/* Talks first, as many as the lines allow; then those who wait have callees who let it ring. */
static int fill_lines(struct recover *r)
{
    const unsigned talks = r->calls / 2;
    char setting[64];

    if (import(r) != 0 || !until_live(r, talks, talks) ||
        !place_sim(&r->place,
                   "/sim/people?human=0&machine=0&no-answer=1&busy=0&bad=0&congestion=0&"
                   "ring=constant:600",
                   NULL, 0)) {
        return -1;
    }
    snprintf(setting, sizeof setting, "ratio=%u", RATIO);
    if (set(r, "campaign", r->place.campaign, setting) != 0) {
        return -1;
    }
    snprintf(setting, sizeof setting, "lines=%u", r->calls);
    return set(r, "trunk", 1, setting) == 0 && until_live(r, talks, r->calls) ? 0 : -1;
}

static int build(struct recover *r, char *why, size_t size)
{
    struct place *p = &r->place;

    p->embedded = p->lasting = true;
    p->seed = 1;
    p->calls_per_s = 200;
    p->lines = r->calls / 2;
    p->agents = r->calls / 2 + r->calls / 2 / RATIO;
    p->leads = r->leads < DEMO_LEADS ? r->leads : DEMO_LEADS;
    p->settings = "\"ratio=1\",\"ring=120\",\"retry=3600\",\"max_call=86400\",\"leg=permanent\","
                  "\"answer_wait_ms=1700\",\"hopper_size=5000\",\"hopper_low=2000\"";
    p->callees = "/sim/people?human=1&machine=0&no-answer=0&busy=0&bad=0&congestion=0&"
                 "ring=constant:1&talk=constant:86400";
    if (place_open(p, why, size) != 0) {
        return -1;
    }
    snprintf(why, size, "the lines could not be filled");
    return fill_lines(r);
}

/* --- the witness -------------------------------------------------------------------------------
 */

/* The first line of this kind from `from` on: its wall clock [us], 0 none. */
static int64_t witnessed_us(const struct recover *r, long from, const char *kind)
{
    FILE *f = fopen(r->place.witness, "re");
    char line[2048];
    int64_t at = 0;

    if (f && fseek(f, from, SEEK_SET) == 0) {
        while (at == 0 && fgets(line, sizeof line, f)) {
            const char *wall = strstr(line, kind) ? strstr(line, "\"wall_ms\":") : NULL;
            at = wall ? strtoll(wall + 10, NULL, 10) * 1000 : 0;
        }
    }
    if (f) {
        fclose(f);
    }
    return at;
}

static long witness_size(const struct recover *r)
{
    FILE *f = fopen(r->place.witness, "re");
    long size = 0;

    if (f && fseek(f, 0, SEEK_END) == 0) {
        size = ftell(f);
    }
    if (f) {
        fclose(f);
    }
    return size;
}

/* What must not happen while nobody hangs up: an end that is not a ring's own, somebody out of a
 * bridge. */
static unsigned broken_since(const struct recover *r, long from)
{
    FILE *f = fopen(r->place.witness, "re");
    char line[2048];
    unsigned n = 0;

    if (f && fseek(f, from, SEEK_SET) == 0) {
        while (fgets(line, sizeof line, f)) {
            const bool end = strstr(line, "\"what\":\"end\"") != NULL;
            const bool rang_out = end && strstr(line, "\"by\":\"timeout\"") != NULL;

            if ((end && !rang_out) || strstr(line, "\"what\":\"bridge_leave\"")) {
                if (n++ < 10) {
                    fprintf(stderr, "recover: broken: %s", line);
                }
            }
        }
    }
    if (f) {
        fclose(f);
    }
    return n;
}

/* --- kills -------------------------------------------------------------------------------------
 */

static void keep(struct times *t, int64_t us)
{
    t->us[t->n++] = us;
}

/* Until the daemon knows the talks and the calls that were on the line, whatever it says about
 * itself; 1 % may have rung out meanwhile. */
static bool measure_kill(struct recover *r)
{
    const struct word before = explain(r);
    const long from = witness_size(r);
    int64_t begun, socket_us, adopted_us = 0, ready_us = 0;
    struct word w = {0};

    r->least_live = r->least_live < before.live ? r->least_live : (unsigned)before.live;
    place_kill(&r->place.daemon);
    begun = place_now_us();
    const int64_t begun_wall = place_wall_us();
    if (place_start_daemon(&r->place) != 0) {
        return false;
    }
    while (adopted_us == 0 || ready_us == 0) {
        if (place_now_us() - begun > GIVE_UP_US) {
            fprintf(
                stderr,
                "recover: %" PRId64 " talks of %" PRId64 ", %" PRId64 " calls of %" PRId64 ", %s\n",
                w.bridged, before.bridged, w.live, before.live, ready_us ? "ready" : "not ready");
            return false;
        }
        if (ready_us == 0 && place_ready(&r->place)) {
            ready_us = place_now_us() - begun;
        }
        w = explain(r);
        if (adopted_us == 0 && w.bridged >= before.bridged && w.live * 100 >= before.live * 99) {
            adopted_us = place_now_us() - begun;
        }
        place_wait(TRY_US);
    }
    socket_us = witnessed_us(r, from, "\"what\":\"client\"") - begun_wall;
    keep(&r->ready, ready_us);
    keep(&r->socket, socket_us);
    keep(&r->whole, adopted_us);
    keep(&r->adopted, adopted_us > socket_us ? adopted_us - socket_us : 0);
    if (!r->json) {
        printf("kill %u: %" PRId64 " talks, %" PRId64 " calls; ready %.3f s, websocket %.3f s, "
               "adopted %.3f s\n",
               r->ready.n, before.bridged, before.live, (double)ready_us / 1e6,
               (double)socket_us / 1e6, (double)adopted_us / 1e6);
        fflush(stdout);
    }
    return true;
}

static void kill_often(struct recover *r)
{
    const long from = witness_size(r);

    r->least_live = r->calls;
    for (unsigned k = 0; k < r->kills && !r->failed; k++) {
        place_wait(1000000 + (int64_t)(k * 37 % 20) * 50000);
        r->failed = !measure_kill(r);
    }
    r->broken = broken_since(r, from);
}

/* --- the report --------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t say(const char *name, struct times *t)
{
    if (t->n == 0) {
        return INT64_MAX;
    }
    qsort(t->us, t->n, sizeof t->us[0], by_size);
    const unsigned middle = t->n / 2, rare = t->n * 99 / 100;
    printf(",\"%s_p50_s\":%.3f,\"%s_p99_s\":%.3f,\"%s_max_s\":%.3f", name,
           (double)t->us[middle] / 1e6, name, (double)t->us[rare] / 1e6, name,
           (double)t->us[t->n - 1] / 1e6);
    return t->us[t->n - 1];
}

/* True: within the bounds. */
static bool report(struct recover *r)
{
    bool good = !r->failed && r->broken == 0;

    printf("{\"leads\":%u,\"calls\":%u,\"agents\":%u,\"kills\":%u", r->leads, r->least_live,
           r->place.agents, r->ready.n);
    good = say("ready", &r->ready) <= READY_US && good;
    good = say("websocket", &r->socket) <= SOCKET_US && good;
    good = say("adopted_after_websocket", &r->adopted) <= ADOPTED_US && good;
    (void)say("adopted", &r->whole);
    printf(",\"broken\":%u}\n", r->broken);
    return good;
}

static const char usage[] = "usage: recover [--calls N] [--leads N] [--kills N] [--json] [--keep]\n"
                            "\n"
                            "  --calls N   on the line at each kill (default 2000), half of them "
                            "talks\n"
                            "  --leads N   in the store (default 1000000)\n"
                            "  --kills N   default 10\n"
                            "  --json      nothing on standard output but the last line\n"
                            "  --keep      keep logs and witness\n";

static bool parse(struct recover *r, int argc, char **argv)
{
    static const struct option names[] = {
        {"calls", required_argument, NULL, 'c'}, {"leads", required_argument, NULL, 'l'},
        {"kills", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
        {"keep", no_argument, NULL, 'k'},        {NULL, 0, NULL, 0}};
    int c;

    *r = (struct recover){.calls = 2000, .leads = 1000000, .kills = 10};
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        const unsigned n = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'c':
            r->calls = n;
            break;
        case 'l':
            r->leads = n;
            break;
        case 'n':
            r->kills = n;
            break;
        case 'j':
            r->json = true;
            break;
        case 'k':
            r->keep = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && r->calls >= 2 && r->calls <= 10000 && r->kills > 0 &&
           r->kills <= KILLS_MAX && r->leads >= 2 * r->calls && r->leads <= 1000000;
}

int main(int argc, char **argv)
{
    static struct recover r;
    char why[512] = "";
    bool good;

    if (!parse(&r, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    r.failed = build(&r, why, sizeof why) != 0;
    if (r.failed) {
        fprintf(stderr, "recover: %s\n", why);
    } else {
        kill_often(&r);
    }
    good = report(&r);
    if (!good || r.keep) {
        fprintf(stderr, "recover: its files are kept in %s\n", r.place.dir);
    }
    place_close(&r.place, !good || r.keep);
    return !good;
}
