/* A Redis of the test's own; see services.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/services.h"

#define SERVER "/usr/bin/redis-server"

static int run_server(struct support_redis *r)
{
    char port[16], output[96];
    const char *argv[] = {SERVER,      "--port",
                          port,        "--bind",
                          "127.0.0.1", "--save",
                          "",          "--dir",
                          r->folder,   "--appendonly",
                          "no",        r->password[0] ? "--requirepass" : NULL,
                          r->password, NULL};

    snprintf(port, sizeof port, "%d", r->port);
    snprintf(output, sizeof output, "%s/log", r->folder);
    r->pid = support_start(argv, 0, 0, output);
    return r->pid > 0 && support_wait_listening(NULL, r->port, r->pid, 10000) ? 0 : -1;
}

int support_redis_start(struct support_redis *r, char *why, size_t why_size)
{
    if (access(SERVER, X_OK) != 0) {
        snprintf(why, why_size, "there is no Redis server here");
        return 77;
    }
    snprintf(r->folder, sizeof r->folder, "/tmp/dialer-redis-XXXXXX");
    if (!mkdtemp(r->folder))
        return -1;
    r->port = support_free_port();
    if (run_server(r) == 0)
        return 0;
    snprintf(why, why_size, "the private Redis did not start: see %s/log", r->folder);
    return -1;
}

int support_redis_begin(struct support_redis *r)
{
    char why[200] = "";
    const int rc = support_redis_start(r, why, sizeof why);

    signal(SIGPIPE, SIG_IGN);
    if (rc == 0) {
        return 0;
    }
    fprintf(stderr, "%s\n", why);
    return rc == 77 ? 77 : 1;
}

void support_redis_kill(struct support_redis *r)
{
    support_end(r->pid, SIGKILL);
    r->pid = 0;
}

int support_redis_again(struct support_redis *r)
{
    return run_server(r);
}

void support_redis_stop(struct support_redis *r)
{
    if (r->pid > 0)
        support_end(r->pid, SIGTERM);
    r->pid = 0;
    if (r->folder[0])
        support_remove(r->folder);
}
