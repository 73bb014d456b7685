/*
 * soak.c - sim-soak: walk after walk, until so many seconds or calls are reached.
 *
 *   sim-soak [--seconds N | --calls N] [--seed N] [--no-preview] [--json]
 *   sim-soak --walk SEED [--only 3,17] [--verbose]      one walk again, as a failure names it
 *
 * Each walk has a seed of its own, made from the given one and its number. The first failure is
 * made smaller and told, with the command that shows it again; the last line is a sum, with --json
 * one line of JSON. Exit 0: everything held, 1: not, 2: the command line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/rng.h"
#include "tests/sim/walk.h"
#include "tests/sim/world_int.h"

_Noreturn void world_fail(const char *what)
{
    (void)fprintf(stderr, "sim-soak: %s\n", what);
    exit(1);
}

struct args {
    double seconds;
    uint64_t calls, seed;
    bool json, one, verbose;
    struct walk_options walk;
};

struct sum {
    struct walk_result all;
    uint64_t walks, failed;
    double took_s;
};

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int usage(void)
{
    (void)fputs("usage: sim-soak [--seconds N | --calls N] [--seed N] [--no-preview] [--json]\n"
                "       sim-soak --walk SEED [--hours H] [--agents N] [--only 3,17] [--verbose] "
                "[--judged] [--log]\n",
                stderr);
    return 2;
}

static bool read_only(struct walk_options *w, const char *list)
{
    char *end;

    memset(w->without, 1, sizeof w->without);
    while (*list != '\0') {
        unsigned long i = strtoul(list, &end, 10);

        if (end == list || i >= WALK_FAULTS) {
            return false;
        }
        w->without[i] = 0;
        list = *end == ',' ? end + 1 : end;
    }
    return true;
}

static bool read_args(struct args *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--json") == 0) {
            a->json = true;
        } else if (strcmp(argv[i], "--verbose") == 0) {
            a->verbose = true;
        } else if (strcmp(argv[i], "--judged") == 0) { /* what the models notice does not end it */
            a->walk.only_judged = true;
        } else if (strcmp(argv[i], "--no-preview") == 0) {
            a->walk.no_preview = true;
        } else if (strcmp(argv[i], "--log") == 0) {
            a->walk.log = true;
        } else if (value == NULL) {
            return false;
        } else {
            i++;
            if (strcmp(argv[i - 1], "--seconds") == 0) {
                a->seconds = strtod(value, NULL);
            } else if (strcmp(argv[i - 1], "--calls") == 0) {
                a->calls = strtoull(value, NULL, 10);
            } else if (strcmp(argv[i - 1], "--seed") == 0) {
                a->seed = strtoull(value, NULL, 10);
            } else if (strcmp(argv[i - 1], "--walk") == 0) {
                a->walk.seed = strtoull(value, NULL, 10);
                a->one = true;
            } else if (strcmp(argv[i - 1], "--hours") == 0) {
                a->walk.hours = strtod(value, NULL);
            } else if (strcmp(argv[i - 1], "--agents") == 0) {
                a->walk.agents = (unsigned)strtoul(value, NULL, 10);
            } else if (strcmp(argv[i - 1], "--only") != 0 || !read_only(&a->walk, value)) {
                return false;
            }
        }
    }
    return true;
}

static void add(struct sum *s, const struct walk_result *r, bool good)
{
    struct walk_result *all = &s->all;

    s->walks++;
    s->failed += good ? 0 : 1u;
    all->calls += r->calls;
    all->kills += r->kills;
    all->faults += r->faults;
    all->answered += r->answered;
    all->bridged += r->bridged;
    all->adopted += r->adopted;
    all->unknown += r->unknown;
    all->downtime_waits += r->downtime_waits;
    all->lost += r->lost;
    all->dialed_twice += r->dialed_twice;
    all->stuck += r->stuck;
    all->two_calls += r->two_calls;
    all->breaches += r->breaches;
    all->virtual_s += r->virtual_s;
    all->steps += r->steps;
}

/* What a failure needs to be seen again, made as small as it gets. */
static void report(const struct walk_options *options, struct walk_result r, bool verbose)
{
    struct walk_options small = *options;
    unsigned left;
    const char *comma = "";

    (void)fprintf(stderr, "sim-soak: seed %" PRIu64 ", step %" PRIu64 ": %s\n", options->seed,
                  r.steps, r.first);
    left = walk_shrink(&small, &r);
    (void)fprintf(stderr, "sim-soak: with %u of %u faults, step %" PRIu64 ": %s\n", left,
                  r.n_faults, r.steps, r.first);
    (void)fprintf(stderr, "again: sim-soak --walk %" PRIu64 " --verbose%s", options->seed,
                  options->no_preview ? " --no-preview" : "");
    (void)fputs(" --only ", stderr);
    for (unsigned i = 0; i < r.n_faults; i++) {
        if (!small.without[i]) {
            (void)fprintf(stderr, "%s%u", comma, i);
            comma = ",";
        }
    }
    (void)fputc('\n', stderr);
    if (verbose) {
        walk_describe(&small, stderr);
    }
}

static void print(const struct args *a, const struct sum *s)
{
    const struct walk_result *r = &s->all;
    double speed = s->took_s > 0 ? r->virtual_s / s->took_s : 0;

    (void)printf(a->json
                     ? "{\"sim_calls\":%" PRIu64 ",\"sim_kills\":%" PRIu64 ",\"faults\":%" PRIu64
                       ",\"lost\":%" PRIu64 ",\"dialed_twice\":%" PRIu64 ",\"stuck\":%" PRIu64
                       ",\"two_calls\":%" PRIu64 ",\"breaches\":%" PRIu64 ",\"answered\":%" PRIu64
                       ",\"bridged\":%" PRIu64 ",\"adopted\":%" PRIu64 ",\"unknown\":%" PRIu64
                       ",\"downtime_waits\":%" PRIu64 ",\"walks\":%" PRIu64 ",\"steps\":%" PRIu64
                       ",\"speed\":%.0f,\"seconds\":%.1f,\"seed\":%" PRIu64 "}\n"
                     : "%" PRIu64 " calls, %" PRIu64 " kills, %" PRIu64 " other faults: %" PRIu64
                       " lost, %" PRIu64 " dialed twice, %" PRIu64 " stuck, %" PRIu64
                       " agents with two calls, %" PRIu64 " breaches; %" PRIu64
                       " answered, %" PRIu64 " bridged, %" PRIu64 " adopted, %" PRIu64
                       " unknown, %" PRIu64 " waited for a recovery; "
                       "%" PRIu64 " walks, %" PRIu64
                       " steps, %.0f times real time, %.1f s, seed %" PRIu64 "\n",
                 r->calls, r->kills, r->faults, r->lost, r->dialed_twice, r->stuck, r->two_calls,
                 r->breaches, r->answered, r->bridged, r->adopted, r->unknown, r->downtime_waits,
                 s->walks, r->steps, speed, s->took_s, a->seed);
}

static int one_walk(const struct args *a)
{
    struct walk_options options = a->walk;
    struct walk_result r;
    bool good;

    options.tell = a->verbose ? stderr : NULL;
    good = walk(&options, &r);
    (void)printf("seed %" PRIu64 ": %s; %" PRIu64 " calls, %" PRIu64 " kills, %" PRIu64
                 " other faults, %.0f s, %" PRIu64 " steps, hash %016" PRIx64 "%s%s\n",
                 options.seed, good ? "everything held" : "BROKEN", r.calls, r.kills, r.faults,
                 r.virtual_s, r.steps, r.hash, good ? "" : ": ", r.first);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct args a = {.seed = 1};
    struct sum s = {.walks = 0};
    double begun = now_s();

    if (!read_args(&a, argc, argv)) {
        return usage();
    }
    if (a.one) {
        return one_walk(&a);
    }
    if (a.seconds <= 0 && a.calls == 0) {
        a.seconds = 10;
    }
    do {
        struct walk_options options = a.walk;
        struct walk_result r;
        bool good;

        options.seed = rng_mix(a.seed * 1000003u + s.walks) >> 20;
        good = walk(&options, &r);
        add(&s, &r, good);
        if (!good && s.failed <= 3) {
            report(&options, r, a.verbose);
        }
        s.took_s = now_s() - begun;
    } while (a.calls != 0 ? s.all.calls < a.calls : s.took_s < a.seconds);
    print(&a, &s);
    return s.failed == 0 ? 0 : 1;
}
