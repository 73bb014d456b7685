/* agent_sim.c - options, tickets, the loop, the outside record and the report. */
#include "adapters/sim/agent_sim.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LEAVE_US (5 * US_PER_S)

static const char usage[] =
    "usage: agent-sim --url ws://HOST:PORT[/socket] --tickets FILE|- [options]\n"
    "\n"
    "Simulated agents at the desk's websocket: they log in, talk, wrap up, dispose and rest.\n"
    "\n"
    "  --url URL          where the daemon's page is\n"
    "  --tickets FILE     single-use tickets, one a line (dialerctl agent ticket --count N), - "
    "stdin\n"
    "  --agents N         at most so many (default: as many as tickets)\n"
    "  --campaign N       campaign to work in (default 0: the one set for the agent)\n"
    "  --seed S           of all choices (default 1)\n"
    "  --talk S           mean seconds until an agent hangs up (default 30)\n"
    "  --hang-up SHARE    calls in which the agent would hang up (default 0.5)\n"
    "  --wrap S           mean seconds of wrap-up (default 5)\n"
    "  --dispositions A:3,B:1   wished, with weights (default: all that are offered, evenly)\n"
    "  --forget SHARE     calls left without disposition (default 0)\n"
    "  --break-every S    mean seconds between breaks (default 0: none)\n"
    "  --break S          mean seconds of a break (default 30)\n"
    "  --seconds S        end after so long (default 0: at SIGINT or SIGTERM)\n"
    "  --record FILE      write what was heard and done, JSON lines\n"
    "  --ctl SOCKET       the daemon's socket for operators: who is cut off gets a new ticket "
    "there\n"
    "                     and comes back\n"
    "  --json             the report as one JSON line\n"
    "\n"
    "Exit status: 0 done, 1 nobody could connect, 2 usage.\n";

static struct net_loop *signal_loop;

static void on_signal(int number)
{
    (void)number;
    net_loop_stop(signal_loop);
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "agent-sim: %s: %s\n", what, why);
    return 2;
}

/* --- record --------------------------------------------------------------------------------- */

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

void crowd_record(struct crowd *crowd, int64_t agent, const char *what, const char *key,
                  const char *value, const char *attempt)
{
    char line[2048];
    struct json_writer w;
    size_t len = 0;
    const char *text;

    if (crowd->record == NULL) {
        return;
    }
    json_writer_init(&w, line, sizeof line);
    json_open_object(&w, NULL);
    json_put_int(&w, "time", wall_ms());
    json_put_int(&w, "agent", agent);
    json_put_str(&w, "what", what);
    if (key != NULL) {
        json_put_str(&w, key, value);
    }
    if (attempt != NULL && attempt[0] != '\0') {
        json_put_str(&w, "attempt", attempt);
    }
    json_close_object(&w);
    text = json_writer_end(&w, &len);
    if (text != NULL) {
        fprintf(crowd->record, "%s\n", text);
    }
}

/* --- options -------------------------------------------------------------------------------- */

static bool number(const char *text, double max, double *out)
{
    char *end;
    const double n = strtod(text, &end);

    if (end == text || *end != '\0' || !(n >= 0 && n <= max)) {
        return false;
    }
    *out = n;
    return true;
}

static bool read_codes(struct options *o, char *text)
{
    char *rest = NULL;

    for (char *word = strtok_r(text, ",", &rest); word != NULL; word = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(word, ':');
        struct code *c = &o->code[o->codes];

        if (o->codes == CODES_MAX) {
            return false;
        }
        c->weight = 1;
        if (colon != NULL) {
            *colon = '\0';
            if (!number(colon + 1, 1e6, &c->weight)) {
                return false;
            }
        }
        if (word[0] == '\0' || strlen(word) >= CODE_SIZE) {
            return false;
        }
        snprintf(c->code, sizeof c->code, "%s", word);
        o->codes++;
    }
    return o->codes > 0;
}

enum {
    OPT_URL = 1,
    OPT_TICKETS,
    OPT_AGENTS,
    OPT_CAMPAIGN,
    OPT_SEED,
    OPT_TALK,
    OPT_HANG_UP,
    OPT_WRAP,
    OPT_DISPOSITIONS,
    OPT_FORGET,
    OPT_BREAK_EVERY,
    OPT_BREAK,
    OPT_SECONDS,
    OPT_RECORD,
    OPT_JSON,
    OPT_CTL,
    OPT_HELP,
};

static const struct option names[] = {
    {"url", required_argument, NULL, OPT_URL},
    {"tickets", required_argument, NULL, OPT_TICKETS},
    {"agents", required_argument, NULL, OPT_AGENTS},
    {"campaign", required_argument, NULL, OPT_CAMPAIGN},
    {"seed", required_argument, NULL, OPT_SEED},
    {"talk", required_argument, NULL, OPT_TALK},
    {"hang-up", required_argument, NULL, OPT_HANG_UP},
    {"wrap", required_argument, NULL, OPT_WRAP},
    {"dispositions", required_argument, NULL, OPT_DISPOSITIONS},
    {"forget", required_argument, NULL, OPT_FORGET},
    {"break-every", required_argument, NULL, OPT_BREAK_EVERY},
    {"break", required_argument, NULL, OPT_BREAK},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"record", required_argument, NULL, OPT_RECORD},
    {"json", no_argument, NULL, OPT_JSON},
    {"ctl", required_argument, NULL, OPT_CTL},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool set(struct options *o, int option, char *value)
{
    double n = 0;

    switch (option) {
    case OPT_URL:
        o->url = value;
        return true;
    case OPT_TICKETS:
        o->tickets = value;
        return true;
    case OPT_RECORD:
        o->record = value;
        return true;
    case OPT_CTL:
        o->ctl = value;
        return true;
    case OPT_JSON:
        o->json = true;
        return true;
    case OPT_DISPOSITIONS:
        return read_codes(o, value);
    case OPT_AGENTS:
        if (!number(value, 100000, &n)) {
            return false;
        }
        o->agents = (unsigned)n;
        return true;
    case OPT_CAMPAIGN:
        if (!number(value, 1e15, &n)) {
            return false;
        }
        o->campaign = (int64_t)n;
        return true;
    case OPT_SEED:
        if (!number(value, 9e15, &n)) {
            return false;
        }
        o->seed = (uint64_t)n;
        return true;
    case OPT_TALK:
        return number(value, 1e6, &o->talk_s);
    case OPT_HANG_UP:
        return number(value, 1, &o->hangup_share);
    case OPT_WRAP:
        return number(value, 1e6, &o->wrap_s);
    case OPT_FORGET:
        return number(value, 1, &o->forget_share);
    case OPT_BREAK_EVERY:
        return number(value, 1e6, &o->break_every_s);
    case OPT_BREAK:
        return number(value, 1e6, &o->break_s);
    case OPT_SECONDS:
        return number(value, 1e7, &o->seconds);
    default:
        return false;
    }
}

static bool read_url(struct crowd *crowd)
{
    const char *url = crowd->options.url;
    unsigned port = 0;
    int used = 0;

    if (sscanf(url, "ws://%255[^:/]:%u%n", crowd->host, &port, &used) != 2 &&
        sscanf(url, "http://%255[^:/]:%u%n", crowd->host, &port, &used) != 2) {
        return false;
    }
    if (port == 0 || port > 65535) {
        return false;
    }
    snprintf(crowd->path, sizeof crowd->path, "%s",
             url[used] == '/' && url[used + 1] != '\0' ? url + used : "/socket");
    crowd->target = (struct net_ws_target){.host = crowd->host,
                                           .port = (uint16_t)port,
                                           .path = crowd->path,
                                           .subprotocol = "dialer.v1"};
    return true;
}

/* --- tickets -------------------------------------------------------------------------------- */

static int read_tickets(struct crowd *crowd)
{
    const bool input = strcmp(crowd->options.tickets, "-") == 0;
    FILE *file = input ? stdin : fopen(crowd->options.tickets, "re");
    const unsigned most = crowd->options.agents != 0 ? crowd->options.agents : 100000;
    char line[512];
    char ticket[TICKET_SIZE];

    if (file == NULL) {
        return fail(crowd->options.tickets, strerror(errno));
    }
    crowd->person = calloc(most, sizeof *crowd->person);
    while (crowd->person != NULL && crowd->persons < most &&
           fgets(line, sizeof line, file) != NULL) {
        if (ticket_find(line, ticket)) {
            crowd->person[crowd->persons] = person_new(crowd, crowd->persons, ticket);
            if (crowd->person[crowd->persons] == NULL) {
                break;
            }
            crowd->persons++;
        }
    }
    if (!input) {
        fclose(file);
    }
    explicit_bzero(line, sizeof line);
    return crowd->persons > 0 ? 0 : fail(crowd->options.tickets, "no ticket in it");
}

/* --- running -------------------------------------------------------------------------------- */

void crowd_connect_more(struct crowd *crowd)
{
    while (!crowd->leaving && crowd->next < crowd->persons &&
           crowd->connecting < crowd->options.connecting) {
        person_connect(crowd->person[crowd->next++]);
    }
}

static void on_time(void *ctx)
{
    struct crowd *crowd = ctx;

    net_loop_stop(crowd->loop);
}

static void run(struct crowd *crowd)
{
    struct net_timer *end = net_timer_new(crowd->loop, on_time, crowd);
    int64_t until_us;

    if (crowd->options.seconds > 0 && end != NULL) {
        net_timer_set(end, (int64_t)(crowd->options.seconds * (double)US_PER_S));
    }
    crowd_connect_more(crowd);
    net_loop_run(crowd->loop);
    crowd->leaving = true;
    for (unsigned i = 0; i < crowd->persons; i++) {
        person_leave(crowd->person[i]);
    }
    until_us = net_now_us() + LEAVE_US;
    while (crowd->online > 0 && net_now_us() < until_us) {
        (void)net_loop_run_once(crowd->loop, 50 * US_PER_MS);
    }
    for (unsigned i = 0; i < crowd->persons; i++) {
        person_drop(crowd->person[i]);
    }
    until_us = net_now_us() + US_PER_S;
    while (crowd->online > 0 && net_now_us() < until_us) {
        (void)net_loop_run_once(crowd->loop, 50 * US_PER_MS);
    }
    tickets_close(crowd);
    net_timer_free(end);
}

static void report(const struct crowd *crowd)
{
    const struct totals *t = &crowd->total;
    const struct {
        const char *name;
        uint64_t value;
    } lines[] = {
        {"agents", crowd->persons},
        {"connected", t->connected},
        {"refused", t->refused},
        {"cut", t->cut},
        {"logins", t->logins},
        {"status_updates", t->status_updates},
        {"pops", t->pops},
        {"calls", t->calls},
        {"hangups", t->hangups},
        {"disposed", t->disposed},
        {"dispose_failed", t->dispose_failed},
        {"forgotten", t->forgotten},
        {"breaks", t->breaks},
        {"requests", t->requests},
        {"replies", t->replies},
        {"replies_bad", t->replies_bad},
        {"changes", t->changes},
        {"items", t->items},
        {"gaps", t->gaps},
        {"returned", t->returned},
        {"resumed", t->resumed},
        {"talk_s", (uint64_t)t->talk_s},
        {"reply_mean_us", t->replies > 0 ? t->reply_us_sum / t->replies : 0},
        {"reply_max_us", t->reply_us_max},
    };

    printf(crowd->options.json ? "{" : "");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (crowd->options.json) {
            printf("%s\"%s\":%llu", i > 0 ? "," : "", lines[i].name,
                   (unsigned long long)lines[i].value);
        } else {
            printf("%-16s %llu\n", lines[i].name, (unsigned long long)lines[i].value);
        }
    }
    printf(crowd->options.json ? "}\n" : "");
    fflush(stdout);
}

static int prepare(struct crowd *crowd)
{
    const struct net_loop_config config = {0};
    struct sigaction action = {.sa_handler = on_signal};
    struct rlimit files;
    char err[200];

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max; /* a socket for each person */
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (crowd->options.url == NULL || crowd->options.tickets == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    if (!read_url(crowd)) {
        return fail(crowd->options.url, "ws://HOST:PORT is wanted");
    }
    crowd->loop = net_loop_open(&config, err, sizeof err);
    if (crowd->loop == NULL) {
        return fail("loop", err);
    }
    if (crowd->options.record != NULL) {
        crowd->record = fopen(crowd->options.record, "ae");
        if (crowd->record == NULL) {
            return fail(crowd->options.record, strerror(errno));
        }
    }
    json_init(&crowd->doc, 1024u * 1024u);
    json_writer_init_heap(&crowd->writer, 64u * 1024u);
    signal_loop = crowd->loop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return read_tickets(crowd);
}

static void clean_up(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->persons; i++) {
        person_free(crowd->person[i]);
    }
    free(crowd->person);
    if (crowd->loop != NULL) {
        net_loop_close(crowd->loop);
    }
    if (crowd->record != NULL) {
        fclose(crowd->record);
    }
    json_free(&crowd->doc);
    json_writer_free(&crowd->writer);
}

int main(int argc, char **argv)
{
    static struct crowd crowd = {.options = {.connecting = 64,
                                             .seed = 1,
                                             .talk_s = 30,
                                             .wrap_s = 5,
                                             .break_s = 30,
                                             .hangup_share = 0.5}};
    int status;
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            return 0;
        }
        if (option == '?') {
            return 2;
        }
        if (!set(&crowd.options, option, optarg)) {
            return fail(optarg, "not a value for this option (--help)");
        }
    }
    if (optind < argc) {
        return fail(argv[optind], "unexpected (--help)");
    }
    status = prepare(&crowd);
    if (status == 0) {
        run(&crowd);
        report(&crowd);
        status = crowd.total.connected > 0 ? 0 : 1;
    }
    clean_up(&crowd);
    return status;
}
