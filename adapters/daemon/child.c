/* child.c - see child.h. */
#include "adapters/daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int child_beside(const char *program, char *path, size_t size)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return -1;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    int len = snprintf(path, size, "%s/%s", self, program);
    return len > 0 && (size_t)len < size && access(path, X_OK) == 0 ? 0 : -1;
}

/* In the child, between fork and exec: only what is safe there. Never returns. */
static void become(char *const argv[], const struct child_options *o, pid_t parent, int out,
                   const struct passwd *user)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    int log = open(o->log ? o->log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0640);
    int in = open("/dev/null", O_RDONLY);
    dup2(in, STDIN_FILENO);
    dup2(out >= 0 ? out : log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (user && (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    if (o->dir && chdir(o->dir) != 0)
        _exit(126);
    /* After setuid, which clears it; and our parent may have died meanwhile. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(125);
    execv(argv[0], argv);
    _exit(127);
}

int child_start(struct child *c, const char *name, char *const argv[],
                const struct child_options *o, char *why, size_t why_size)
{
    int ends[2] = {-1, -1};
    const struct passwd *user = o->user ? getpwnam(o->user) : NULL;
    *c = (struct child){.name = name, .out = -1};
    if (o->user && !user) {
        snprintf(why, why_size, "%s: there is no user %s", name, o->user);
        return -1;
    }
    if (o->pipe_out && pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(why, why_size, "%s: pipe: %s", name, strerrordesc_np(errno));
        return -1;
    }
    if (o->notify)
        setenv("NOTIFY_SOCKET", o->notify, 1);
    else
        unsetenv("NOTIFY_SOCKET");
    pid_t parent = getpid();
    c->pid = fork();
    if (c->pid == 0)
        become(argv, o, parent, ends[1], user);
    unsetenv("NOTIFY_SOCKET");
    if (ends[1] >= 0)
        close(ends[1]);
    c->out = ends[0];
    if (c->pid > 0)
        return 0;
    snprintf(why, why_size, "%s: fork: %s", name, strerrordesc_np(errno));
    c->pid = 0;
    return -1;
}

int child_line(struct child *c, char *line, size_t size, int64_t timeout_ms)
{
    int64_t until = now_ms() + timeout_ms;
    size_t n = 0;
    while (c->out >= 0) {
        struct pollfd p = {.fd = c->out, .events = POLLIN};
        int64_t left = until - now_ms();
        char byte = 0;
        if (left <= 0 || poll(&p, 1, (int)left) < 0)
            return -1;
        if (!p.revents)
            continue;
        if (read(c->out, &byte, 1) != 1)
            return -1;
        if (byte == '\n') {
            line[n] = '\0';
            return 0;
        }
        if (n + 1 < size)
            line[n++] = byte;
    }
    return -1;
}

bool child_ended(struct child *c, int *status)
{
    if (c->pid == 0)
        return false;
    if (waitpid(c->pid, status, WNOHANG) != c->pid)
        return false;
    c->pid = 0;
    if (c->out >= 0)
        close(c->out);
    c->out = -1;
    return true;
}

void child_stop(struct child *c, int sig, int64_t timeout_ms)
{
    int status = 0;
    if (c->pid == 0)
        return;
    int fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    kill(c->pid, sig);
    if (fd >= 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        poll(&p, 1, (int)timeout_ms);
        close(fd);
    }
    if (!child_ended(c, &status)) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, &status, 0);
        c->pid = 0;
    }
    if (c->out >= 0)
        close(c->out);
    c->out = -1;
}
