/* demo.c - dialerd demo: command line, the order of things, the report. demo_parts.c starts the
 * programs. */
#include "adapters/daemon/demo.h"
#include "adapters/daemon/demo_parts.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define LOOK_MS 200 /* how often the demo looks whether something ended or the first call left */
#define SHOW_MS 2000

static const char usage[] =
    "usage: dialerd demo [options]\n"
    "\n"
    "A campaign dials on this machine: simulated Asterisk, callees and agents, fictional numbers.\n"
    "Prints the address of a page to watch it. Ctrl-C ends everything it started.\n"
    "\n"
    "  --seconds N   end after N seconds (default: at Ctrl-C)\n"
    "  --full        private PostgreSQL and Redis instances in place of SQLite and a queue inside\n"
    "  --keep DIR    keep database, logs and the simulated Asterisk's record in DIR\n"
    "  --agents N    simulated agents (default 20)\n"
    "  --leads N     fictional leads (default 10000)\n"
    "  --port N      port of the page (default: a free one)\n"
    "  --seed N      of callees and agents (default 1)\n"
    "  --rate N      the load of dialer-bench: N calls a second, 8 % of them answered, talks of 90 "
    "s\n"
    "  --json        the report as one JSON object, as the last line\n"
    "\n"
    "exit status: 0 done, 1 failed, 2 usage\n";

static bool number(const char *text, long low, long high, long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *out >= low && *out <= high;
}

static int parse(struct demo *d, int argc, char **argv)
{
    static const struct option known[] = {{"seconds", required_argument, NULL, 's'},
                                          {"full", no_argument, NULL, 'f'},
                                          {"keep", required_argument, NULL, 'k'},
                                          {"agents", required_argument, NULL, 'a'},
                                          {"leads", required_argument, NULL, 'l'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"seed", required_argument, NULL, 'S'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c = 0;
    bool good = true;
    opterr = 0;
    optind = 1;
    while (good && (c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 's':
            good = number(optarg, 1, 1000000, &d->seconds);
            break;
        case 'a':
            good = number(optarg, 1, 10000, &d->agents);
            break;
        case 'r':
            good = number(optarg, 1, 10000, &d->rate);
            break;
        case 'l':
            good = number(optarg, 1, 50000, &d->leads);
            break;
        case 'p':
            good = number(optarg, 0, 65535, &d->port);
            break;
        case 'S':
            good = number(optarg, 0, INT32_MAX, &d->seed);
            break;
        case 'f':
            d->full = true;
            break;
        case 'j':
            d->json = true;
            break;
        case 'k':
            d->keep = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return -1;
        default:
            good = false;
            break;
        }
    }
    if (good && optind == argc)
        return 0;
    fprintf(stderr, "dialerd demo: %s: not understood, or out of range\n\n%s",
            argv[optind > 1 && (!good || optind == argc) ? optind - 1 : optind], usage);
    return EXIT_USAGE;
}

/* --- while it runs --------------------------------------------------------------------------- */

static void show_progress(struct demo *d)
{
    struct demo_counts now = {.claims = 0};
    char why[256];
    if (d->json || demo_witness(d->witness, &now, why, sizeof why) != 0)
        return;
    printf("\r\033[K%3lld s: %llu calls left, %llu agents' legs",
           (long long)((demo_now_ms() - d->started_ms) / 1000),
           (unsigned long long)now.seen_customers, (unsigned long long)now.seen_legs);
    fflush(stdout);
}

/* Until the time is up, a signal comes, or something that must not end ends. */
static int watch(struct demo *d, int signals)
{
    int64_t until = d->seconds > 0 ? demo_now_ms() + d->seconds * 1000 : INT64_MAX;
    int64_t show = demo_now_ms() + SHOW_MS;
    bool terminal = isatty(STDOUT_FILENO) == 1;
    while (demo_now_ms() < until) {
        struct pollfd p = {.fd = signals, .events = POLLIN};
        struct signalfd_siginfo info;
        if (poll(&p, 1, LOOK_MS) > 0 && read(signals, &info, sizeof info) > 0)
            break;
        if (d->first_call_wall_ms == 0)
            d->first_call_wall_ms = demo_first_call(d->witness);
        for (size_t i = 0; i < DEMO_PARTS; i++) {
            int status = 0;
            if (child_ended(&d->part[i], &status)) {
                fprintf(stderr, "dialerd demo: %s ended by itself (%s %d); its log: %s/%s.log\n",
                        d->part[i].name, WIFEXITED(status) ? "status" : "signal",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), d->dir,
                        d->part[i].name);
                d->keep_all = true;
                return -1;
            }
        }
        if (terminal && demo_now_ms() >= show) {
            show_progress(d);
            show = demo_now_ms() + SHOW_MS;
        }
    }
    if (terminal)
        printf("\r\033[K");
    return 0;
}

/* --- the report ------------------------------------------------------------------------------ */

static void report(const struct demo *d, const struct demo_counts *c, int checked)
{
    double first = d->first_call_wall_ms > 0
                       ? (double)(d->first_call_wall_ms - d->started_wall_ms) / 1000
                       : -1;
    double ran = (double)(demo_now_ms() - d->started_ms) / 1000;
    const char *verdict = checked == 0 ? "equal" : checked > 0 ? "different" : "unread";
    if (d->json) {
        printf("{\"first_call_s\":%.2f,\"seconds\":%.1f,\"originated\":%llu,\"answered\":%llu,"
               "\"bridged\":%llu,\"abandoned\":%llu,\"disposed\":%llu,\"claims\":%llu,"
               "\"legs\":%llu,\"witness_customers\":%llu,\"witness_legs\":%llu,"
               "\"witness\":\"%s\",\"differences\":%llu,\"store\":\"%s\",\"hopper\":\"%s\"}\n",
               first, ran, (unsigned long long)c->originated, (unsigned long long)c->answered,
               (unsigned long long)c->bridged, (unsigned long long)c->abandoned,
               (unsigned long long)c->disposed, (unsigned long long)c->claims,
               (unsigned long long)c->legs, (unsigned long long)c->seen_customers,
               (unsigned long long)c->seen_legs, verdict, (unsigned long long)c->wrong,
               d->full ? "postgresql" : "sqlite", d->full ? "redis" : "memory");
        return;
    }
    printf("%.0f s, first call after %.1f s\n"
           "claimed %llu, originated %llu, answered %llu, bridged %llu, abandoned %llu, "
           "disposed %llu\n"
           "outside witness: %llu calls and %llu legs, %s to the store\n",
           ran, first, (unsigned long long)c->claims, (unsigned long long)c->originated,
           (unsigned long long)c->answered, (unsigned long long)c->bridged,
           (unsigned long long)c->abandoned, (unsigned long long)c->disposed,
           (unsigned long long)c->seen_customers, (unsigned long long)c->seen_legs, verdict);
    if (d->keep || d->keep_all)
        printf("kept in %s\n", d->dir);
}

static int run(struct demo *d, int signals)
{
    char why[1024] = "";
    struct demo_counts counts = {.claims = 0};
    int status = EXIT_FAILED;
    int checked = -1;
    if (demo_start(d, why, sizeof why) != 0) {
        fprintf(stderr, "dialerd demo: %s\n", why);
        d->keep_all = true;
        demo_stop(d);
        fprintf(stderr, "dialerd demo: logs are in %s\n", d->dir);
        return EXIT_FAILED;
    }
    printf("%s\n", d->url);
    if (!d->json)
        printf("the page above logs in once; Ctrl-C ends the demo\n");
    fflush(stdout);
    int watched = watch(d, signals);
    demo_stop_calls(d);
    checked = demo_verify(d->config, d->witness, &counts, why, sizeof why);
    if (checked < 0)
        fprintf(stderr, "dialerd demo: %s\n", why);
    status = watched == 0 && checked == 0 ? EXIT_DONE : EXIT_FAILED;
    d->keep_all = d->keep_all || status != EXIT_DONE;
    demo_stop(d);
    report(d, &counts, checked);
    fflush(stdout);
    return status;
}

int demo_main(int argc, char **argv)
{
    static struct demo d;
    sigset_t set;
    d.agents = 20;
    d.leads = 10000;
    d.seed = 1;
    int wrong = parse(&d, argc, argv);
    if (wrong)
        return wrong < 0 ? EXIT_DONE : wrong;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0)
        return EXIT_FAILED;
    int status = run(&d, signals);
    close(signals);
    return status;
}

int demo_check_main(const char *config, const char *witness)
{
    struct demo_counts c = {.claims = 0};
    char why[512] = "";
    int checked = demo_verify(config, witness, &c, why, sizeof why);
    if (checked < 0) {
        fprintf(stderr, "dialerd: %s\n", why);
        return EXIT_FAILED;
    }
    printf(
        "%llu attempts (%llu left) and %llu legs in the store; the witness saw %llu and %llu: %s\n",
        (unsigned long long)c.claims, (unsigned long long)c.originated, (unsigned long long)c.legs,
        (unsigned long long)c.seen_customers, (unsigned long long)c.seen_legs,
        checked == 0 ? "equal" : "different");
    return checked == 0 ? EXIT_DONE : EXIT_FAILED;
}
