/* faults.c - see faults.h. */
#include "tests/soak/faults.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECOVERY_MAX_US INT64_C(30000000)

enum how {
    KILL_DAEMON,
    KILL_ASTERISK,
    KILL_STORE,
    KILL_HOPPER,
    FLUSH_HOPPER,
    POISON_HOPPER,
    SPOIL_HOPPER,
    STOP_DAEMON,
    STOP_ASTERISK,
    DROP_SOCKETS,
    SLOW_ASTERISK,
    FILL_DISK,
    ON_LINK,
    ONCE_ON_LINK
};

struct fault {
    const char *name;
    enum how how;
    unsigned cards;         /* in each round */
    bool calls;             /* answered calls may have to wait for it */
    int link, mode;         /* of ON_LINK and ONCE_ON_LINK */
    double least_s, most_s; /* how long it lasts */
    const char *shows;      /* in the daemon's log, of which one must be there; NULL: none has to */
    double shows_s;         /* if it lasts so long: less may be survived without a word */
};

#define LINK_LOST "DLR-ARI-LINK DLR-ARI-LANE" /* events, or a socket for requests */
#define SILENT LINK_LOST " DLR-ARI-SILENT"
/* From how long on it is noticed, with a margin for a busy machine: */
#define SILENT_S 4     /* Asterisk is asked for a sign of life, and has 3 s */
#define DEAF_S 2.7     /* Redis: each second, and has 1 s */
#define STILL_S 2.5    /* the daemon looks at its own clock each second */
#define UNPROBED_S 4.7 /* the journal's disk is tried every 3 s while all is well */

/* A kill is a process that dies without a word; PostgreSQL's immediate stop is one for it. */
static const struct fault faults[] = {
    {"daemon killed", KILL_DAEMON, 6, true, 0, 0, 0.05, 0.6, "DLR-START", 0},
    {"asterisk killed", KILL_ASTERISK, 2, true, 0, 0, 0.05, 1.5, LINK_LOST, 0},
    {"database stopped immediately", KILL_STORE, 2, false, 0, 0, 0, 2, "DLR-STORE-AWAY", 0},
    {"redis killed", KILL_HOPPER, 2, false, 0, 0, 0, 1.5, "DLR-HOPPER-AWAY", 0},
    {"redis flushed", FLUSH_HOPPER, 1, false, 0, 0, 0, 0, NULL, 0},
    {"daemon stopped", STOP_DAEMON, 1, true, 0, 0, 0.3, 3, "DLR-STOOD-STILL", STILL_S},
    {"asterisk stopped", STOP_ASTERISK, 1, true, 0, 0, 0.3, 5, SILENT, SILENT_S},
    {"websockets dropped", DROP_SOCKETS, 1, true, 0, 0, 0, 0, LINK_LOST, 0},
    {"link to asterisk cut", ON_LINK, 1, true, LINK_ARI, LINK_CUT, 0, 1.5, LINK_LOST, 0},
    {"link to asterisk stalled", ON_LINK, 1, true, LINK_ARI, LINK_STALL, 0.3, 5, SILENT, SILENT_S},
    {"link to asterisk silent", ON_LINK, 1, true, LINK_ARI, LINK_SILENT, 0.2, 5, SILENT, SILENT_S},
    {"link to asterisk slow", ON_LINK, 1, true, LINK_ARI, LINK_DELAY, 1, 3, NULL, 0},
    {"link to asterisk truncated", ONCE_ON_LINK, 1, true, LINK_ARI, LINK_TRUNCATE, 0, 0, LINK_LOST,
     0},
    {"journal's disk full", FILL_DISK, 1, false, 0, 0, 0.5, 6, "DLR-JOURNAL-FAILING", UNPROBED_S},
    {"events of asterisk doubled", ONCE_ON_LINK, 1, false, LINK_ARI, LINK_DUPLICATE, 0.2, 0.5, NULL,
     0},
    {"link to the database cut", ON_LINK, 1, false, LINK_STORE, LINK_CUT, 0, 2, "DLR-STORE-AWAY",
     0},
    {"link to the database stalled", ON_LINK, 1, false, LINK_STORE, LINK_STALL, 0.2, 4, NULL, 0},
    {"link to the database truncated", ONCE_ON_LINK, 1, false, LINK_STORE, LINK_TRUNCATE, 0, 0,
     "DLR-STORE-AWAY", 0},
    {"link to redis cut", ON_LINK, 1, false, LINK_HOPPER, LINK_CUT, 0, 1, "DLR-HOPPER-AWAY", 0},
    {"link to redis stalled", ON_LINK, 1, false, LINK_HOPPER, LINK_STALL, 0.2, 3, "DLR-HOPPER-AWAY",
     DEAF_S},
    {"agents' links cut", ON_LINK, 1, false, LINK_WEB, LINK_CUT, 0, 1, NULL, 0},
    {"agents' links stalled", ON_LINK, 1, false, LINK_WEB, LINK_STALL, 0.2, 3, NULL, 0},
    {"redis poisoned", POISON_HOPPER, 1, false, 0, 0, 0, 0, "DLR-HOPPER-FOREIGN", 0},
    {"redis list of another type", SPOIL_HOPPER, 1, false, 0, 0, 0, 0, "DLR-HOPPER-FOREIGN", 0},
    {"asterisk slow", SLOW_ASTERISK, 1, true, 0, 0, 0.5, 4, NULL, 0},
    {"daemon stopped for long", STOP_DAEMON, 1, true, 0, 0, 4, 12, "DLR-STOOD-STILL", 0},
};

/* As long as a machine may be frozen; by itself, for a round of the others takes about as long. */
static const struct fault long_stop = {
    "daemon stopped for a minute", STOP_DAEMON, 0, true, 0, 0, 60, 61, "DLR-STOOD-STILL", 0};

#define FAULTS (sizeof faults / sizeof faults[0])

static bool is_kill(const struct fault *f)
{
    return f->how == KILL_DAEMON || f->how == KILL_ASTERISK || f->how == KILL_STORE ||
           f->how == KILL_HOPPER;
}

void faults_init(struct faults *f, uint64_t seed)
{
    *f = (struct faults){.rng = rng_stream(seed, 12)};
}

static bool wanted(const struct faults *f, const char *name)
{
    const size_t n = strlen(name);
    const char *at = f->only;

    while (at && (strncmp(at, name, n) != 0 || (at[n] != ',' && at[n] != '\0'))) {
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    return !f->only || at;
}

/* False: nothing of this kind is to come. */
static bool deal(const struct faults *f, struct deck *d, bool kills)
{
    for (unsigned i = 0; i < FAULTS; i++) {
        const bool comes = is_kill(&faults[i]) == kills && wanted(f, faults[i].name);
        for (unsigned k = 0; comes && k < faults[i].cards; k++) {
            d->card[d->cards++] = i;
        }
    }
    return d->cards > 0;
}

/* Kills and others in turn; each comes as often as its cards say before any of its kind comes
 * again. NULL: none is to come.
 */
static const struct fault *draw(struct faults *f)
{
    bool kills = f->kills <= f->others;
    struct deck *d = &f->kinds[kills];
    unsigned at;
    unsigned card;

    if (d->cards == 0 && !deal(f, d, kills)) {
        kills = !kills;
        d = &f->kinds[kills];
        if (d->cards == 0 && !deal(f, d, kills)) {
            return NULL;
        }
    }
    at = (unsigned)rng_below(&f->rng, d->cards);
    card = d->card[at];
    d->card[at] = d->card[--d->cards];
    return &faults[card];
}

/* One inline command, past the proxy; the first bytes of its answer. */
static void tell_redis(const struct place *p, const char *command, char *answer, size_t size)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)p->redis.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = 0;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, command, strlen(command), MSG_NOSIGNAL) > 0) {
        n = recv(fd, answer, size - 1, 0);
    }
    answer[n > 0 ? n : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

/* In front of the hopper: rows that are not there, rows that are there already, and no rows at all;
 * or in its place something that is no list. */
static void spoil_hopper(const struct place *p, bool poison)
{
    char command[160], answer[32];

    if (poison) {
        snprintf(command, sizeof command,
                 "LPUSH hopper:%" PRIu64 " 1 2 3 1 99999999 -7 18446744073709551616 row 0\r\n",
                 p->campaign);
    } else {
        snprintf(command, sizeof command, "SET hopper:%" PRIu64 " none\r\n", p->campaign);
    }
    tell_redis(p, command, answer, sizeof answer);
}

#define TAKEN_US INT64_C(5000000)

/* A figure of one command since Redis began. */
static long long redis_counts(const struct place *p, const char *command, const char *what)
{
    char answer[8192], name[32];
    const char *at;

    tell_redis(p, "INFO commandstats\r\n", answer, sizeof answer);
    snprintf(name, sizeof name, "cmdstat_%s:", command);
    at = strstr(answer, name);
    at = at ? strstr(at, what) : NULL;
    return at ? strtoll(at + strlen(what), NULL, 10) : 0;
}

/* Into the hopper, until it is out again: has the daemon met it? It may also have been cleared away
 * unseen, for the sake of rows that go first; and who has no free line or agent takes nothing. */
static bool meets_spoilt_hopper(const struct place *p, bool poison)
{
    const long long cleared = redis_counts(p, "del", "calls=");
    const long long failed = redis_counts(p, "lpop", "failed_calls=");
    const int64_t until = place_now_us() + TAKEN_US;
    char command[80], answer[32];
    bool out = false;

    spoil_hopper(p, poison);
    snprintf(command, sizeof command,
             poison ? "LPOS hopper:%" PRIu64 " row\r\n" : "TYPE hopper:%" PRIu64 "\r\n",
             p->campaign);
    while (!out && place_now_us() < until) {
        place_wait(20000);
        tell_redis(p, command, answer, sizeof answer);
        out = poison ? strncmp(answer, "$-1", 3) == 0
                     : answer[0] == '+' && strncmp(answer, "+string", 7) != 0;
    }
    return out && (poison ? redis_counts(p, "del", "calls=") == cleared
                          : redis_counts(p, "lpop", "failed_calls=") > failed);
}

/* Each answer takes that long, whatever was asked. */
#define SLOW_MS 5000

static void slow_asterisk(const struct place *p, bool slow)
{
    char target[40];

    snprintf(target, sizeof target, "/sim/delay?ms=%d", slow ? SLOW_MS : 0);
    (void)place_sim(p, target, NULL, 0);
    if (!slow) {
        place_wait(SLOW_MS * INT64_C(1000)); /* what was asked before is answered as late */
    }
}

/* Has the daemon surely met it? */
static bool begin(const struct fault *f, struct place *p)
{
    char answer[32];

    switch (f->how) {
    case KILL_DAEMON:
        place_kill(&p->daemon);
        break;
    case KILL_ASTERISK:
        place_kill(&p->sim);
        place_log(p, "server down", f->name, true, 0);
        break;
    case KILL_STORE:
        support_postgres_kill(&p->pg, SIGQUIT);
        break;
    case KILL_HOPPER:
        support_redis_kill(&p->redis);
        break;
    case FLUSH_HOPPER:
        tell_redis(p, "FLUSHALL\r\n", answer, sizeof answer);
        break;
    case POISON_HOPPER:
    case SPOIL_HOPPER:
        return meets_spoilt_hopper(p, f->how == POISON_HOPPER);
    case STOP_DAEMON:
        kill(p->daemon, SIGSTOP);
        break;
    case STOP_ASTERISK:
        kill(p->sim, SIGSTOP);
        break;
    case DROP_SOCKETS:
        (void)place_sim(p, "/sim/drop-sockets", NULL, 0);
        break;
    case SLOW_ASTERISK:
        slow_asterisk(p, true);
        break;
    case FILL_DISK:
        place_fill_disk(p, true);
        break;
    case ON_LINK:
        proxy_mode(p->proxy, p->link[f->link], (enum link_mode)f->mode, 150);
        break;
    case ONCE_ON_LINK:
        proxy_once(p->proxy, p->link[f->link], (enum link_once)f->mode);
        break;
    }
    return true;
}

static bool end(const struct fault *f, struct place *p)
{
    switch (f->how) {
    case KILL_DAEMON:
        return place_start_daemon(p) == 0;
    case KILL_ASTERISK:
        return place_start_sim(p) == 0;
    case KILL_STORE:
        return support_postgres_again(&p->pg) == 0;
    case KILL_HOPPER:
        return support_redis_again(&p->redis) == 0;
    case STOP_DAEMON:
        return kill(p->daemon, SIGCONT) == 0;
    case STOP_ASTERISK:
        return kill(p->sim, SIGCONT) == 0;
    case SLOW_ASTERISK:
        slow_asterisk(p, false);
        return true;
    case FILL_DISK:
        place_fill_disk(p, false);
        return true;
    case ON_LINK:
        proxy_mode(p->proxy, p->link[f->link], LINK_GOOD, 0);
        return true;
    case FLUSH_HOPPER:
    case POISON_HOPPER:
    case SPOIL_HOPPER:
    case DROP_SOCKETS:
    case ONCE_ON_LINK:
        return true;
    }
    return false;
}

/* How a daemon gets to each kind of place. */
static bool in_journal(enum crash_point point)
{
    return point == CRASH_journal_before || point == CRASH_journal_after;
}

static bool in_replay(enum crash_point point)
{
    return point == CRASH_replay_before || point == CRASH_replay_after;
}

#define HIT_MAX_US INT64_C(30000000)
#define AWAY_US INT64_C(700000) /* the store, so that something is in the journal */

static void start_to_die(struct faults *f, struct place *p, enum crash_point point)
{
    char where[64];
    /* not always at the first visit: then little is on the line yet */
    const uint64_t most = point == CRASH_adopt_before || point == CRASH_adopt_after ? 2
                          : in_journal(point) || in_replay(point)                   ? 1
                                                                                    : 12;

    snprintf(where, sizeof where, "%s:%u", crash_point_name(point),
             1 + (unsigned)rng_below(&f->rng, most));
    setenv("DIALER_CRASH", where, 1);
    (void)place_start_daemon(p);
    unsetenv("DIALER_CRASH");
}

/* Only a build with crash points can hit one (core/crash.h). */
static bool die_at(struct faults *f, struct place *p, enum crash_point point)
{
    bool hit = false;

    if (in_replay(point)) {
        proxy_mode(p->proxy, p->link[LINK_STORE], LINK_CUT, 0);
        place_wait(AWAY_US);
        proxy_mode(p->proxy, p->link[LINK_STORE], LINK_GOOD, 0);
    }
    place_kill(&p->daemon);
    start_to_die(f, p, point);
    if (in_journal(point)) {
        const int64_t until = place_now_us() + HIT_MAX_US;
        while (!hit && !place_ready(p) && place_now_us() < until) {
            hit = place_gone(&p->daemon, 50000); /* it may die while it starts */
        }
        proxy_mode(p->proxy, p->link[LINK_STORE], LINK_CUT, 0);
    }
    hit = hit || place_gone(&p->daemon, HIT_MAX_US);
    if (!hit) {
        place_kill(&p->daemon);
    }
    proxy_mode(p->proxy, p->link[LINK_STORE], LINK_GOOD, 0);
    return hit;
}

#define SETTLE_US INT64_C(100000) /* until the daemon has noticed what it can notice at once */

/* Waits for the recovery and keeps what there is to know of it; -1: it has not recovered. */
static int64_t recover(struct faults *f, struct place *p, bool ended, const char *name, bool calls)
{
    const int64_t healed = place_now_us();
    int64_t took = -1;

    if (ended) {
        place_wait(SETTLE_US);
        took = place_wait_ready(p, RECOVERY_MAX_US) < 0 ? -1 : place_now_us() - healed;
    }
    f->never_recovered += took < 0;
    if (took >= 0 && f->recoveries < sizeof f->recovery_us / sizeof f->recovery_us[0]) {
        f->recovery_us[f->recoveries++] = took;
    }
    place_log(p, "recovered", name, calls, took);
    return took;
}

bool faults_point(struct faults *f, struct place *p)
{
    const unsigned n = CRASH_POINT_COUNT - 1;
    const enum crash_point point = (enum crash_point)(1 + f->next_point++ % n);
    const char *name = crash_point_name(point);
    int64_t took;
    bool hit;

    if (!wanted(f, name)) {
        return true;
    }
    place_log_fault(p, place_wall_us(), name, true, "DLR-START");
    hit = die_at(f, p, point);
    f->tried[point]++;
    f->hit[point] += hit;
    f->kills++;
    took = recover(f, p, place_start_daemon(p) == 0, name, true);
    if (f->told) {
        fprintf(stderr, "soak: at %-20s %s, whole again after %6.3f s\n", name,
                hit ? "died" : "was not there", (double)took / 1e6);
    }
    return took >= 0;
}

/* What of it has to be in the daemon's log, if it lasts so long. */
static const char *must_show(const struct fault *f, const struct place *p, double lasts_s, bool met)
{
    const bool shows = lasts_s >= f->shows_s && met && (f->how != FILL_DISK || p->small_disk);

    return shows ? f->shows : NULL;
}

static bool inject(struct faults *f, struct place *p, const struct fault *fault)
{
    const double lasts = fault->least_s + (fault->most_s - fault->least_s) * rng_unit(&f->rng);
    const int64_t at_us = place_wall_us();
    const bool met = begin(fault, p);
    int64_t took;

    place_log_fault(p, at_us, fault->name, fault->calls, must_show(fault, p, lasts, met));
    place_wait((int64_t)(lasts * 1e6));
    f->kills += is_kill(fault);
    f->others += !is_kill(fault);
    took = recover(f, p, end(fault, p), fault->name, fault->calls);
    if (f->told) {
        fprintf(stderr, "soak: %-32s %5.2f s, whole again after %6.3f s\n", fault->name, lasts,
                (double)took / 1e6);
    }
    return took >= 0;
}

bool faults_next(struct faults *f, struct place *p)
{
    const struct fault *fault = draw(f);

    return !fault || inject(f, p, fault);
}

bool faults_long_stop(struct faults *f, struct place *p)
{
    return inject(f, p, &long_stop);
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double recovery_s(const struct faults *f, double share)
{
    static int64_t sorted[sizeof f->recovery_us / sizeof f->recovery_us[0]];

    if (f->recoveries == 0) {
        return 0;
    }
    memcpy(sorted, f->recovery_us, f->recoveries * sizeof sorted[0]);
    qsort(sorted, f->recoveries, sizeof sorted[0], by_size);
    return (double)sorted[(unsigned)(share * (f->recoveries - 1) + 0.5)] / 1e6;
}

double faults_recovery_p99_s(const struct faults *f)
{
    return recovery_s(f, 0.99);
}

double faults_recovery_max_s(const struct faults *f)
{
    return recovery_s(f, 1);
}
