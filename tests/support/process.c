/* Programs, ports and folders for services.h. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/services.h"

static void child(const char *const *argv, uid_t uid, gid_t gid, const char *output, pid_t parent)
{
    int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    setsid();
    if (gid && (setgroups(0, NULL) != 0 || setgid(gid) != 0))
        _exit(126);
    if (uid && setuid(uid) != 0)
        _exit(126);
    /* after the change of user, which clears it */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(126);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t support_start(const char *const *argv, uid_t uid, gid_t gid, const char *output)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        child(argv, uid, gid, output, parent);
    return pid;
}

int support_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void support_end(pid_t pid, int signal)
{
    if (pid > 0 && kill(pid, signal) == 0)
        support_wait(pid);
}

static int loopback(int port, struct sockaddr_in *at)
{
    *at = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int support_free_port(void)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int fd = loopback(0, &at), port = -1;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0)
        port = ntohs(at.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static bool listens(const char *path, int port)
{
    struct sockaddr_in in;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool yes;
    int fd;

    if (!path) {
        fd = loopback(port, &in);
        yes = fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof in) == 0;
    } else {
        snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        yes = fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) == 0;
    }
    if (fd >= 0)
        close(fd);
    return yes;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* There is no event for "somebody listens there now", so this asks; between two questions it waits
 * on the program's end, which is the other thing that can happen. */
bool support_wait_listening(const char *path, int port, pid_t pid, int timeout_ms)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int64_t until = now_ms() + timeout_ms;
    bool yes = false;

    while (!(yes = listens(path, port)) && now_ms() < until)
        if (poll(&ended, 1, 5) > 0)
            break;
    if (ended.fd >= 0)
        close(ended.fd);
    return yes;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void support_remove(const char *folder)
{
    /* only what mkdtemp made for us */
    if (strncmp(folder, "/tmp/dialer-", 12) == 0)
        nftw(folder, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}
