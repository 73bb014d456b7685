/* demo_services.c - see demo_services.h. PostgreSQL refuses to run as root: then its programs run
 * as the user postgres, who owns the data folder. */
#include "adapters/daemon/demo_services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS 30000
#define TRY_MS 50

/* The newest one that Debian has installed. */
static int find_postgres(const char *program, char *path, size_t size)
{
    glob_t found;
    char pattern[128];
    int result = -1;
    snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", program);
    if (glob(pattern, 0, NULL, &found) == 0) {
        int n = snprintf(path, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
        result = n > 0 && (size_t)n < size ? 0 : -1;
        globfree(&found);
    }
    return result;
}

/* A port nobody listens on now. */
static unsigned free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
        getsockname(fd, (struct sockaddr *)&a, &size) == 0)
        port = ntohs(a.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static bool answers(const struct sockaddr *address, socklen_t size, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, address, size) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* Neither program says on a descriptor that it listens: its socket is tried until it answers. */
static int wait_for(struct child *c, const struct sockaddr *address, socklen_t size, int family,
                    char *why, size_t why_size)
{
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    int status = 0;
    for (int64_t until = demo_now_ms() + START_MS; demo_now_ms() < until;) {
        if (answers(address, size, family))
            return 0;
        if (child_ended(c, &status))
            break;
        nanosleep(&pause, NULL);
    }
    snprintf(why, why_size, "%s did not start", c->name);
    return -1;
}

static int run_to_end(const char *name, char *const argv[], const struct child_options *o,
                      char *why, size_t size)
{
    struct child c;
    int status = 0;
    if (child_start(&c, name, argv, o, why, size) != 0)
        return -1;
    pid_t pid = c.pid;
    if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    snprintf(why, size, "%s failed; its log is %s", name, o->log);
    return -1;
}

/* The first folder on the way to `path` that `pw` may not pass through; 0: none. */
static size_t closed_folder(const char *path, const struct passwd *pw, char *folder, size_t size)
{
    for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
        struct stat st;
        size_t n = (size_t)(end - path);
        if (n >= size)
            break;
        memcpy(folder, path, n);
        folder[n] = '\0';
        if (stat(folder, &st) != 0)
            break;
        mode_t pass = st.st_uid == pw->pw_uid   ? S_IXUSR
                      : st.st_gid == pw->pw_gid ? S_IXGRP
                                                : S_IXOTH;
        if (!(st.st_mode & pass))
            return n;
    }
    return 0;
}

static int start_postgres(struct demo *d, char *why, size_t size)
{
    char initdb[PATH_MAX];
    char postgres[PATH_MAX];
    char base[256];
    char data[300];
    char log[300];
    const char *user = getuid() == 0 ? "postgres" : NULL;
    const struct passwd *pw = user ? getpwnam(user) : NULL;
    if (find_postgres("initdb", initdb, sizeof initdb) != 0 ||
        find_postgres("postgres", postgres, sizeof postgres) != 0 || (user && !pw)) {
        snprintf(why, size, "PostgreSQL is not installed (Debian: apt-get install postgresql)");
        return -1;
    }
    snprintf(base, sizeof base, "%s/pg", d->dir);
    snprintf(data, sizeof data, "%s/data", base);
    snprintf(log, sizeof log, "%s/postgres.log", base);
    /* The user postgres must be able to pass through the demo's folder to its own. */
    if (mkdir(base, 0700) != 0 ||
        (pw && (chown(base, pw->pw_uid, pw->pw_gid) != 0 || chmod(d->dir, 0711) != 0))) {
        snprintf(why, size, "%s: %s", base, strerrordesc_np(errno));
        return -1;
    }
    char folder[PATH_MAX];
    if (pw && base[0] == '/' && closed_folder(base, pw, folder, sizeof folder) > 0) {
        snprintf(why, size,
                 "%.200s: the user %s, as whom PostgreSQL runs, may not pass through this folder: "
                 "let --keep name another place",
                 folder, user);
        return -1;
    }
    char *init[] = {initdb, "-D",   data,         "-U",        "dialer", "--auth=trust",
                    "-E",   "UTF8", "--locale=C", "--no-sync", NULL};
    char *serve[] = {postgres, "-D", data, "-c", "listen_addresses=", "-k", base, NULL};
    const struct child_options o = {.log = log, .user = user, .dir = base};
    if (user) { /* the log must be writable before the child becomes somebody else */
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0 || fchown(fd, pw->pw_uid, pw->pw_gid) != 0)
            snprintf(why, size, "%s: %s", log, strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
    }
    if (run_to_end("initdb", init, &o, why, size) != 0 ||
        child_start(&d->part[PART_POSTGRES], "postgres", serve, &o, why, size) != 0)
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", base);
    if (n < 0 || (size_t)n >= sizeof address.sun_path) {
        snprintf(why, size, "%s: the path is too long for a socket", base);
        return -1;
    }
    snprintf(d->store_url, sizeof d->store_url, "postgresql:///postgres?host=%s&user=dialer", base);
    return wait_for(&d->part[PART_POSTGRES], (const struct sockaddr *)&address, sizeof address,
                    AF_UNIX, why, size);
}

static int start_redis(struct demo *d, char *why, size_t size)
{
    char port[16];
    char log[300];
    unsigned number = free_port();
    snprintf(port, sizeof port, "%u", number);
    snprintf(log, sizeof log, "%s/redis.log", d->dir);
    char *argv[] = {"/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
                    "--appendonly",          "no",     "--dir",     d->dir,   NULL};
    const struct child_options o = {.log = log};
    if (access(argv[0], X_OK) != 0) {
        snprintf(why, size, "Redis is not installed (Debian: apt-get install redis-server)");
        return -1;
    }
    if (child_start(&d->part[PART_REDIS], "redis", argv, &o, why, size) != 0)
        return -1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)number)};
    snprintf(d->hopper_url, sizeof d->hopper_url, "redis://127.0.0.1:%u/0", number);
    return wait_for(&d->part[PART_REDIS], (const struct sockaddr *)&a, sizeof a, AF_INET, why,
                    size);
}

int demo_services_start(struct demo *d, char *why, size_t why_size)
{
    return start_postgres(d, why, why_size) != 0 ? -1 : start_redis(d, why, why_size);
}
