/* daemon.c - the main thread: starts what wire.c assembles, then waits for signals. */
#include "adapters/daemon/daemon.h"
#include "adapters/daemon/ctl.h"
#include "adapters/daemon/harden.h"
#include "adapters/daemon/notify.h"
#include "adapters/daemon/wire.h"
#include "adapters/secret/secret.h"
#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* As documented: a store that another daemon holds, a dependency that is not there. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_CONFLICT = 4, EXIT_AWAY = 5 };

/* How long past drain_time we wait for the desk's word before we go without it. */
#define DRAIN_MARGIN_MS 5000

struct daemon {
    const char *path;
    struct config config; /* our own copy of what is in force */
    struct wire *wire;
    int signal_fd;
    int event_fd; /* written by other threads when something below has changed */
    atomic_bool drained;
    atomic_bool held;
    atomic_uint ringing;
    bool draining;
    int64_t give_up_ms; /* monotonic */
    int64_t looked_us;  /* monotonic, when the main thread last went to sleep */
};

static void wake(struct daemon *d)
{
    uint64_t one = 1;
    ssize_t n = write(d->event_fd, &one, sizeof one);
    (void)n; /* an eventfd that is full wakes as well */
}

static void on_drained(void *ctx, uint32_t ringing)
{
    struct daemon *d = ctx;
    atomic_store(&d->ringing, ringing);
    atomic_store(&d->drained, true);
    wake(d);
}

static void on_held(void *ctx)
{
    struct daemon *d = ctx;
    atomic_store(&d->held, true);
    wake(d);
}

static int level_of(const char *word)
{
    return strcmp(word, "debug") == 0     ? LOG_LEVEL_DEBUG
           : strcmp(word, "warning") == 0 ? LOG_LEVEL_WARN
           : strcmp(word, "error") == 0   ? LOG_LEVEL_ERROR
                                          : LOG_LEVEL_INFO;
}

/* --- signals --------------------------------------------------------------------------------- */

static void start_drain(struct daemon *d)
{
    if (d->draining) {
        log_line(LOG_LEVEL_INFO, "DLR-DRAIN", "asked to end again: going at once");
        atomic_store(&d->drained, true);
        return;
    }
    d->draining = true;
    d->give_up_ms = pool_now_us() / 1000 + d->config.daemon.drain_ms + DRAIN_MARGIN_MS;
    log_line(LOG_LEVEL_INFO, "DLR-DRAIN", "no new calls; ringing ones are served for %lld ms",
             (long long)d->config.daemon.drain_ms);
    notify("STOPPING=1");
    wire_drain(d->wire, (uint32_t)d->config.daemon.drain_ms);
}

static void put_in_force(struct daemon *d, const struct config *fresh)
{
    char keys[2048];
    if (config_changes(&d->config, fresh, true, keys, sizeof keys) > 0)
        log_line(LOG_LEVEL_INFO, "DLR-RELOAD", "in force now: %s", keys);
    if (config_changes(&d->config, fresh, false, keys, sizeof keys) > 0)
        log_line(LOG_LEVEL_WARN, "DLR-RELOAD", "waits for a restart: %s", keys);
    log_set_level(level_of(fresh->daemon.log_level));
    config_take_live(&d->config, fresh);
    wire_reload(d->wire, fresh);
    log_line(LOG_LEVEL_INFO, "DLR-RELOAD", "configuration read again");
}

/* All or nothing: a file with an error changes nothing; keys that need a restart are named. */
static void reload(struct daemon *d)
{
    struct config_errors *errors = calloc(1, sizeof *errors);
    struct config fresh = {.n_pbx = 0};
    bool taken = false;
    if (!errors)
        abort();
    notify_reloading();
    if (config_read(d->path, &fresh, errors) != 0) {
        for (char *line = errors->text; *line;) {
            size_t n = strcspn(line, "\n");
            log_line(LOG_LEVEL_ERROR, "DLR-RELOAD", "%.*s", (int)n, line);
            line += n + (line[n] != '\0');
        }
        log_line(LOG_LEVEL_ERROR, "DLR-RELOAD", "the old configuration stays in force");
    } else if (d->config.daemon.log_file[0] && log_reopen() != 0) {
        log_line(LOG_LEVEL_ERROR, "DLR-RELOAD", "%s: %s; the old configuration stays in force",
                 d->config.daemon.log_file, strerrordesc_np(errno));
    } else {
        put_in_force(d, &fresh);
        taken = true;
    }
    wire_count(d->wire, "dialer_reloads_total", taken ? "taken" : "refused");
    notify("READY=1");
    config_free(&fresh);
    free(errors);
}

static void take_signal(struct daemon *d)
{
    struct signalfd_siginfo info;
    if (read(d->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        reload(d);
    else
        start_drain(d);
}

/* --- the wait -------------------------------------------------------------------------------- */

/* The main thread wakes each LOOK_MS and has nothing else to do. Long after that, all of us stood
 * still: stopped, or without a core. Nothing here depends on it, but whoever reads what the others
 * then say (a link silent, a store away) has to know whose silence it was. */
#define LOOK_MS 1000
#define STILL_US (1 * US_PER_S)

static void look_back(struct daemon *d)
{
    const int64_t still_us = pool_now_us() - d->looked_us - LOOK_MS * US_PER_MS;

    if (still_us < STILL_US)
        return;
    log_line(LOG_LEVEL_WARN, "DLR-STOOD-STILL",
             "this process stood still for about %lld ms: stopped, or no core for it",
             (long long)(still_us / US_PER_MS));
    wire_count(d->wire, "dialer_stood_still_total", NULL);
}

static int wait_for_end(struct daemon *d)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = d->signal_fd, .events = POLLIN},
                                {.fd = d->event_fd, .events = POLLIN}};
        int64_t left = d->draining ? d->give_up_ms - pool_now_us() / 1000 : LOOK_MS;
        if (d->draining && left <= 0) {
            log_line(LOG_LEVEL_WARN, "DLR-DRAIN", "the desk did not answer in time: going");
            return EXIT_DONE;
        }
        d->looked_us = pool_now_us();
        if (poll(fds, 2, left > LOOK_MS ? LOOK_MS : (int)left) < 0 && errno != EINTR)
            return EXIT_FAILED;
        look_back(d);
        uint64_t count = 0;
        if (fds[1].revents && read(d->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
            return EXIT_FAILED;
        if (fds[0].revents)
            take_signal(d);
        if (atomic_load(&d->held))
            return EXIT_CONFLICT;
        if (atomic_load(&d->drained) && d->draining) {
            log_line(LOG_LEVEL_INFO, "DLR-DRAIN", "quiet; %u calls were given up",
                     atomic_load(&d->ringing));
            return EXIT_DONE;
        }
    }
}

static void raise_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
}

static int run(struct daemon *d)
{
    char why[512];
    const struct wire_hooks hooks = {.on_drained = on_drained, .on_held = on_held, .ctx = d};
    int status = EXIT_FAILED;
    d->wire = wire_open(&d->config, &hooks, why, sizeof why);
    if (!d->wire) {
        log_line(LOG_LEVEL_ERROR, "DLR-START", "%s", why);
        return EXIT_FAILED;
    }
    if (wire_start(d->wire, why, sizeof why) != 0) {
        log_line(LOG_LEVEL_ERROR, "DLR-START", "%s", why);
    } else {
        notify("READY=1");
        status = wait_for_end(d);
    }
    if (atomic_load(&d->held)) {
        wire_held_by(d->wire, why, sizeof why);
        log_line(LOG_LEVEL_ERROR, "DLR-HELD", "%s", why);
    }
    wire_stop(d->wire);
    wire_close(d->wire);
    log_line(LOG_LEVEL_INFO, "DLR-END", "ended");
    return status;
}

int daemon_run(const char *path, const struct config *config)
{
    static struct daemon d;
    sigset_t set;
    d.path = path;
    d.config = *config; /* the texts stay the caller's, who frees them after us */
    raise_limits();
    bool hard = harden();
    /* Blocked before any thread starts, so that only the signalfd takes them. */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    d.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    d.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d.signal_fd < 0 || d.event_fd < 0 || secret_init() != 0) {
        fputs("dialerd: no descriptors, or no random numbers to be had\n", stderr);
        return EXIT_FAILED;
    }
    const char *log = config->daemon.log_file;
    if (log_open(log[0] ? log : NULL, level_of(config->daemon.log_level)) != 0) {
        fprintf(stderr, "dialerd: [daemon] log_file = %s: %s\n", log, strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    if (!hard)
        log_line(LOG_LEVEL_WARN, "DLR-START", "this kernel cannot forbid execve to the daemon");
    int status = run(&d);
    log_close();
    close(d.signal_fd);
    close(d.event_fd);
    return status;
}

int daemon_db(const struct config *config, bool migrate, bool json)
{
    struct store_options options;
    struct wire_store store;
    char why[256];
    if (wire_store_of(config, &store, &options, why, sizeof why) != 0) {
        fprintf(stderr, "dialerd: %s\n", why);
        return EXIT_FAILED;
    }
    return ctl_db_alone(store.driver, &options, migrate, json);
}
