/* main.c - the program: judge what a run has left behind. */
#include "tests/judge/files.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: judge --witness FILE --store URL [--record FILE] [--log FILE] [options]\n"
    "\n"
    "  --witness FILE   ari-sim's\n"
    "  --store URL      postgresql://... or sqlite:PATH\n"
    "  --record FILE    agent-sim's\n"
    "  --log FILE       what was broken on purpose, and when\n"
    "  --imported N     leads that were put in\n"
    "  --message NAME   of the abandonment message (default safe-harbour)\n"
    "  --app NAME       the daemon's application (default dialer)\n"
    "\n"
    "exit status: 0 every promise was kept, 1 one was not, 2 usage, or a file cannot be read\n";

enum { WITNESS = 1, STORE, RECORD, LOG, IMPORTED, MESSAGE, APP, WORDS };

static int read_all(struct judge *j, const char *const *word, char *why, size_t size)
{
    if (judge_read_store(j, word[STORE], why, size) != 0 ||
        judge_read_witness(j, word[WITNESS], word[MESSAGE], word[APP], why, size) != 0 ||
        (word[RECORD] && judge_read_record(j, word[RECORD], why, size) != 0) ||
        (word[LOG] && judge_read_log(j, word[LOG], why, size) != 0)) {
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"witness", required_argument, NULL, WITNESS},
                                          {"store", required_argument, NULL, STORE},
                                          {"record", required_argument, NULL, RECORD},
                                          {"log", required_argument, NULL, LOG},
                                          {"imported", required_argument, NULL, IMPORTED},
                                          {"message", required_argument, NULL, MESSAGE},
                                          {"app", required_argument, NULL, APP},
                                          {NULL, 0, NULL, 0}};
    const char *word[WORDS] = {[MESSAGE] = "safe-harbour", [APP] = "dialer"};
    struct judge_options options = {.imported = 0};
    struct judge_verdict v;
    char why[512] = "";
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == '?') {
            fputs(usage, stderr);
            return 2;
        }
        word[c] = optarg;
    }
    if (optind < argc || !word[WITNESS] || !word[STORE]) {
        fputs(usage, stderr);
        return 2;
    }
    options.imported = word[IMPORTED] ? strtoull(word[IMPORTED], NULL, 10) : 0;
    options.check_pages = word[RECORD] != NULL;
    struct judge *j = judge_open(&options);
    if (read_all(j, word, why, sizeof why) != 0) {
        fprintf(stderr, "judge: %s\n", why);
        judge_close(j);
        return 2;
    }
    const int broken = judge_decide(j, &v);
    judge_tell(j, stdout);
    printf("%" PRIu64 " calls, %" PRIu64 " answered, %" PRIu64 " bridged, %" PRIu64
           " abandoned, %" PRIu64 " gone, %" PRIu64 " unknown, %" PRIu64
           " with nobody home, %" PRIu64 " waited for a fault, %" PRIu64 " adopted; %" PRIu64
           " dispositions acknowledged\n"
           "lost %" PRIu64 ", dialed twice %" PRIu64 ", stuck %" PRIu64 ", two calls %" PRIu64
           ", breaches %" PRIu64 "\n",
           v.calls, v.answered, v.bridged, v.abandoned, v.gone, v.unknown, v.nobody_home,
           v.downtime_waits, v.adopted, v.acked, v.lost, v.dialed_twice, v.stuck, v.two_calls,
           v.breaches);
    judge_close(j);
    return broken;
}
