/* mutants.c - see mutants.h. */
#include "tests/soak/mutants.h"

#include "core/mutant.h"

#include <stdio.h>

#ifdef DIALER_MUTANTS
#include "adapters/net/json.h"
#include "tests/judge/judge.h"
#include "tests/soak/place.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 10
#define EVERYBODY_ANSWERS                                                                          \
    "/sim/people?human=1&machine=0&no-answer=0&busy=0&bad=0&congestion=0&"                         \
    "ring=constant:0.3&talk=constant:20"

/* What a broken promise needs to be seen: faults, and a size at which there is some haste. */
enum schedule { CALM, CROWDED, DISTURBED, DYING, VIRTUAL, SCHEDULES };

static const struct {
    const char *name;
    const char *arguments[ARGUMENTS_MAX];
} schedules[SCHEDULES] = {
    [CALM] = {"calm", {"--only", "none", "--agents", "8", "--rate", "40", "--leads", "150"}},
    [CROWDED] = {"more answer than talk",
                 {"--only", "none", "--agents", "20", "--rate", "40", "--people",
                  EVERYBODY_ANSWERS}},
    [DISTURBED] = {"kills and cuts",
                   {"--only", "daemon killed,link to the database cut,agents' links cut",
                    "--agents", "20", "--rate", "40"}},
    [DYING] = {"dies before a commit",
               {"--points=3", "--only", "claim_before,dispose_before", "--agents", "20", "--rate",
                "40"}},
    [VIRTUAL] = {"virtual time", {NULL}},
};

static const struct {
    enum mutant mutant;
    enum schedule schedule;
    unsigned invariant; /* that it breaks; it may break others too */
    const char *why;    /* it is not to be seen here */
} rows[] = {
    {MUTANT_claim_after_originate, DYING, 3, NULL},
    {MUTANT_no_retry_interval, CALM, 2, NULL},
    {MUTANT_journal_not_replayed, DISTURBED, 8, NULL},
    {MUTANT_adopt_skipped, DISTURBED, 3, NULL},
    {MUTANT_deadline_missing, CROWDED, 6, NULL},
    {MUTANT_double_bridge, CALM, 6, NULL},
    {MUTANT_lost_disposition, DYING, 8, NULL},
    {MUTANT_abandon_not_counted, CROWDED, 7, NULL},
    {MUTANT_resume_gap, DISTURBED, 9, NULL},
    {MUTANT_stale_owner, VIRTUAL, 3,
     "what a dead daemon had begun is done before the next has the store: its lock sees to it"},
    {MUTANT_do_not_call_ignored, CALM, 5, NULL},
};

_Static_assert(sizeof rows / sizeof rows[0] == MUTANT_COUNT - 1, "each has its row");

#define TRIES 3 /* seeds, one after the other, until a mutant is noticed */

struct run {
    enum mutant mutant;
    enum schedule schedule;
    const char *seconds;
    uint64_t seed;
    /* found */
    int status;
    int64_t broken[JUDGE_INVARIANTS];
    double took_s;
};

/* --- one soak
 * --------------------------------------------------------------------------------------- */

static void become_soak(const struct run *r, int out, pid_t parent)
{
    const char *argv[ARGUMENTS_MAX + 8] = {"soak", r->seconds, "--real", "--json", "--seed"};
    unsigned n = 5;
    char seed[24];

    snprintf(seed, sizeof seed, "%" PRIu64, r->seed);
    argv[n++] = seed;
    for (unsigned i = 0; i < ARGUMENTS_MAX && schedules[r->schedule].arguments[i]; i++) {
        argv[n++] = schedules[r->schedule].arguments[i];
    }
    unsetenv("DIALER_MUTANT");
    if (r->mutant != MUTANT_NONE) { /* what it leaves behind is no secret */
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        argv[n++] = "--discard";
        setenv("DIALER_MUTANT", mutant_name(r->mutant), 1);
        dup2(nowhere, STDERR_FILENO);
    }
    dup2(out, STDOUT_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) {
        execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    }
    _exit(127);
}

static bool read_report(struct run *r, const char *line)
{
    struct json d;
    unsigned n = 0;

    json_init(&d, 65536);
    if (json_parse(&d, line, strlen(line)) == 0) {
        const json_ref all = json_get(&d, JSON_ROOT, "broken");
        for (json_ref i = json_first(&d, all); i != JSON_NONE; i = json_next(&d, i)) {
            (void)(n < JUDGE_INVARIANTS && json_int(&d, i, &r->broken[n]));
            n++;
        }
    }
    json_free(&d);
    return n == JUDGE_INVARIANTS;
}

/* False: it did not come to a verdict; status says how it ended. */
static bool run(struct run *r)
{
    const int64_t begun = place_now_us();
    const pid_t parent = getpid();
    char line[4096] = "";
    int ends[2];
    int status = 0;
    bool told;
    pid_t pid;
    FILE *in;

    r->status = -1;
    if (pipe(ends) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_soak(r, ends[1], parent);
    }
    close(ends[1]);
    in = fdopen(ends[0], "r");
    told = in && fgets(line, sizeof line, in) && read_report(r, line);
    if (in) {
        fclose(in);
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
        r->status = WEXITSTATUS(status);
    }
    r->took_s = (double)(place_now_us() - begun) / 1e6;
    return told && r->status >= 0 && r->status <= 1;
}

/* --- the table
 * -------------------------------------------------------------------------------------- */

/* "I3 12, I8 1" */
static const char *broken(const struct run *r)
{
    static char text[200];
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 1; i < JUDGE_INVARIANTS; i++) {
        if (r->broken[i] > 0) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%sI%u %" PRId64, n > 0 ? ", " : "", i,
                                  r->broken[i]);
        }
    }
    return n > 0 ? text : "nothing";
}

static void print_row(const struct run *r, const char *verdict)
{
    printf("%-22s %-21s %-10" PRIu64 " %6.1f  %-32s %s\n",
           r->mutant == MUTANT_NONE ? "(the whole daemon)" : mutant_name(r->mutant),
           schedules[r->schedule].name, r->seed, r->took_s, broken(r), verdict);
    fflush(stdout);
}

/* With the first seed that shows it. 0, 1 or 77. */
static int notice(unsigned row, const char *seconds, uint64_t seed, uint64_t *shown)
{
    for (unsigned k = 0; k < TRIES; k++) {
        struct run r = {.mutant = rows[row].mutant,
                        .schedule = rows[row].schedule,
                        .seconds = seconds,
                        .seed = seed + k};
        const bool done = run(&r);
        const bool noticed = done && r.broken[rows[row].invariant] > 0;

        if (r.status == 77) {
            return 77;
        }
        *shown = r.seed;
        print_row(&r, noticed ? "noticed" : done ? "not noticed" : "DID NOT END WELL");
        if (noticed) {
            return 0;
        }
    }
    return 1;
}

static int must_hold(enum schedule schedule, const char *seconds, uint64_t seed)
{
    struct run r = {.schedule = schedule, .seconds = seconds, .seed = seed};
    const bool holds = run(&r) && r.status == 0;

    print_row(&r, holds ? "holds" : "ACCUSED");
    return r.status == 77 ? 77 : !holds;
}

int mutants_run(const char *seconds, uint64_t seed)
{
    bool held[SCHEDULES][TRIES] = {{false}};
    int failed = 0;

    printf("%-22s %-21s %-10s %6s  %s\n", "mutant", "faults", "seed", "s", "broken, how often");
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const enum schedule s = rows[i].schedule;
        uint64_t shown = seed;
        int result;

        if (s == VIRTUAL) {
            printf("%-22s %-21s test_walk: I%u; not here: %s\n", mutant_name(rows[i].mutant),
                   schedules[s].name, rows[i].invariant, rows[i].why);
            continue;
        }
        result = notice(i, seconds, seed, &shown);
        if (result == 0 && !held[s][shown - seed]) {
            held[s][shown - seed] = true;
            result = must_hold(s, seconds, shown);
        }
        if (result == 77) {
            return 77;
        }
        failed += result;
    }
    printf(failed ? "%d of them not as it must be\n" : "each was noticed, and the whole one held\n",
           failed);
    return failed != 0;
}
#else
int mutants_run(const char *seconds, uint64_t seed)
{
    (void)seconds;
    (void)seed;
    fputs("soak: this build has no daemons broken on purpose: build/asan/bin/soak has\n", stderr);
    return 2;
}
#endif
