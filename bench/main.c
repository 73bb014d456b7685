/* main.c - dialer-bench: one table of subcommands, one set of options. */
#include "bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list_commands(const struct bench_options *options, struct bench_report *report);

static const struct bench_command commands[] = {
    {"list", "the subcommands", list_commands},
    {"actors", "the runtime: messages, rings, births, timers", bench_actors},
    {"events", "what an event of Asterisk costs its reader", bench_events},
    {"dial", "the whole product: attempts held, CPU for each, memory", bench_dial},
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static int list_commands(const struct bench_options *options, struct bench_report *report)
{
    (void)report;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (options->json) {
            (void)printf("%s\"%s\"%s", i == 0 ? "[" : ", ", commands[i].name,
                         i + 1 == N_COMMANDS ? "]\n" : "");
        } else {
            (void)printf("%-10s %s\n", commands[i].name, commands[i].sentence);
        }
    }
    return -1; /* no report */
}

static int usage(FILE *out, int rv)
{
    (void)fputs("usage: dialer-bench COMMAND [--json] [--quick] [--seconds S] [--repeat N]\n"
                "                    [--seed N] [--help] [arguments of the command]\n\n"
                "  --json       one JSON object instead of a table\n"
                "  --quick      short measurements, the command under 20 s\n"
                "  --seconds S  length of one measurement (1)\n"
                "  --repeat N   measurements of each metric (5)\n"
                "  --seed N     of everything random (1)\n"
                "  --agents N --rate N --warm-up S --full   the load of dial\n\ncommands:\n",
                out);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].sentence);
    }
    return rv;
}

/* A number in [min, max]; false and a sentence otherwise. */
static bool number(const char *option, const char *text, double min, double max, double *value)
{
    char *end = NULL;

    errno = 0;
    *value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(*value >= min && *value <= max)) {
        (void)fprintf(stderr, "dialer-bench: --%s wants a number from %g to %g, not \"%s\"\n",
                      option, min, max, text);
        return false;
    }
    return true;
}

/* Reason for length: a case for each option, two lines each. */
static int parse(int argc, char **argv, struct bench_options *o)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"repeat", required_argument, NULL, 'r'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {"agents", required_argument, NULL, 'a'},
                                            {"rate", required_argument, NULL, 'R'},
                                            {"warm-up", required_argument, NULL, 'w'},
                                            {"full", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    double v = 0;
    int c;

    /* "-": what a subcommand has of its own comes in order; it parses that itself */
    while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            o->json = true;
            break;
        case 'q':
            o->quick = true;
            break;
        case 's':
            if (!number("seconds", optarg, 0.01, 3600, &o->seconds)) {
                return 2;
            }
            break;
        case 'r':
            if (!number("repeat", optarg, 1, BENCH_MAX_SAMPLES, &v)) {
                return 2;
            }
            o->repeat = (unsigned)v;
            break;
        case 'S':
            if (!number("seed", optarg, 0, 1e15, &v)) {
                return 2;
            }
            o->seed = (uint64_t)v;
            break;
        case 'a':
            if (!number("agents", optarg, 1, 10000, &v)) {
                return 2;
            }
            o->agents = (long)v;
            break;
        case 'R':
            if (!number("rate", optarg, 1, 10000, &v)) {
                return 2;
            }
            o->rate = (long)v;
            break;
        case 'w':
            if (!number("warm-up", optarg, 0, 3600, &o->warm_up)) {
                return 2;
            }
            break;
        case 'f':
            o->full = true;
            break;
        case 'h':
            (void)usage(stdout, 0);
            return -1;
        default:
            return usage(stderr, 2);
        }
    }
    o->argc = argc - optind;
    o->argv = argv + optind;
    return 0;
}

static int refuse_slow_build(void)
{
    if (strcmp(BENCH_BUILD_TYPE, "Release") == 0 && BENCH_SANITIZE[0] == '\0') {
        return 0;
    }
    (void)fprintf(stderr,
                  "dialer-bench: this is a %s build%s%s: its figures would mean nothing; build the "
                  "release preset\n",
                  BENCH_BUILD_TYPE, BENCH_SANITIZE[0] != '\0' ? " with sanitizer " : "",
                  BENCH_SANITIZE);
    return 1;
}

int main(int argc, char **argv)
{
    struct bench_options o = {.seconds = 0, .repeat = 0, .seed = 1, .warm_up = -1};
    const struct bench_command *command = NULL;
    struct bench_report *report;
    int rv;

    if (argc < 2) {
        return usage(stderr, 2);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return usage(stdout, 0);
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            command = &commands[i];
        }
    }
    if (command == NULL) {
        (void)fprintf(stderr, "dialer-bench: no command \"%s\"\n", argv[1]);
        return usage(stderr, 2);
    }
    rv = parse(argc - 1, argv + 1, &o);
    if (rv != 0) {
        return rv < 0 ? 0 : rv;
    }
    o.seconds = o.seconds > 0 ? o.seconds : o.quick ? 0.15 : 1;
    o.repeat = o.repeat != 0 ? o.repeat : o.quick ? 3 : 5;
    if (command->run != list_commands && refuse_slow_build() != 0) {
        return 1;
    }
    report = report_open(&o);
    if (report == NULL) {
        return 1;
    }
    rv = command->run(&o, report);
    if (rv == 0) {
        report_print(report);
    }
    report_close(report);
    return rv < 0 ? 0 : rv;
}
