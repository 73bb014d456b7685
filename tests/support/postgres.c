/* A PostgreSQL of the test's own; see services.h. */
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "tests/support/services.h"

static uid_t server_uid;
static gid_t server_gid;

/* PostgreSQL refuses to run as root: it gets the user that Debian made for it. */
static int find_user(char *why, size_t why_size)
{
    const struct passwd *user;

    if (geteuid() != 0)
        return 0;
    user = getpwnam("postgres");
    if (!user) {
        snprintf(why, why_size, "there is no user postgres");
        return 77;
    }
    server_uid = user->pw_uid;
    server_gid = user->pw_gid;
    return 0;
}

static int program(const char *name, char *out, size_t size)
{
    char pattern[128];
    glob_t found;
    int rc = -1;

    snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &found) == 0) {
        snprintf(out, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
        rc = 0;
        globfree(&found);
    }
    return rc;
}

static int run_server(struct support_postgres *p)
{
    char postgres[256], data[96], port[16], output[96], socket[128];
    const char *argv[] = {postgres,
                          "-D",
                          data,
                          "-p",
                          port,
                          "-k",
                          p->folder,
                          "-c",
                          "listen_addresses=127.0.0.1",
                          "-c",
                          "fsync=off",
                          "-c",
                          "max_connections=40",
                          "-c",
                          "shared_buffers=64MB",
                          "-c",
                          "logging_collector=off",
                          NULL};

    if (program("postgres", postgres, sizeof postgres) != 0)
        return -1;
    snprintf(data, sizeof data, "%s/data", p->folder);
    snprintf(port, sizeof port, "%d", p->port);
    snprintf(output, sizeof output, "%s/log", p->folder);
    snprintf(socket, sizeof socket, "%s/.s.PGSQL.%d", p->folder, p->port);
    p->pid = support_start(argv, server_uid, server_gid, output);
    return p->pid > 0 && support_wait_listening(socket, 0, p->pid, 20000) ? 0 : -1;
}

static int make_cluster(struct support_postgres *p)
{
    char initdb[256], data[96], output[96];
    const char *argv[] = {initdb,     "-D", data,   "-A",         "trust", "-U",
                          "postgres", "-E", "UTF8", "--locale=C", "-N",    NULL};

    if (program("initdb", initdb, sizeof initdb) != 0)
        return 77;
    snprintf(data, sizeof data, "%s/data", p->folder);
    snprintf(output, sizeof output, "%s/log", p->folder);
    return support_wait(support_start(argv, server_uid, server_gid, output)) == 0 ? 0 : -1;
}

int support_postgres_start(struct support_postgres *p, char *why, size_t why_size)
{
    char output[96];
    FILE *log;
    int rc;

    memset(p, 0, sizeof *p);
    rc = find_user(why, why_size);
    if (rc)
        return rc;
    snprintf(p->folder, sizeof p->folder, "/tmp/dialer-pg-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(output, sizeof output, "%s/log", p->folder);
    log = fopen(output, "w");
    if (log)
        fclose(log);
    if (server_uid && (chown(p->folder, server_uid, server_gid) != 0 ||
                       chown(output, server_uid, server_gid) != 0))
        return -1;
    p->port = support_free_port();
    rc = make_cluster(p);
    if (rc == 0)
        rc = run_server(p);
    if (rc)
        snprintf(why, why_size,
                 rc == 77 ? "there is no PostgreSQL server here"
                          : "the private PostgreSQL did not start: see %s",
                 output);
    if (rc == 77)
        support_remove(p->folder);
    return rc;
}

static PGconn *reach(const struct support_postgres *p, const char *user)
{
    char where[160];
    PGconn *c;
    int tries;

    snprintf(where, sizeof where, "host=%s port=%d user=%s dbname=postgres", p->folder, p->port,
             user);
    /* It listens before it is ready, and says so: "the database system is starting up". Each try
     * waits for the server's word. */
    for (tries = 0; tries < 2000; tries++) {
        c = PQconnectdb(where);
        if (PQstatus(c) == CONNECTION_OK)
            return c;
        PQfinish(c);
    }
    return NULL;
}

static PGconn *admin(const struct support_postgres *p)
{
    return reach(p, "postgres");
}

int support_postgres_database(struct support_postgres *p, char *where, size_t size)
{
    char sql[80];
    PGconn *c = admin(p);
    PGresult *r;
    int rc;

    if (!c)
        return -1;
    snprintf(sql, sizeof sql, "CREATE DATABASE test_%u", ++p->databases);
    r = PQexec(c, sql);
    rc = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : -1;
    PQclear(r);
    PQfinish(c);
    snprintf(where, size, "host=%s port=%d user=postgres dbname=test_%u", p->folder, p->port,
             p->databases);
    return rc;
}

int support_postgres_kill(struct support_postgres *p, int signal)
{
    if (p->pid <= 0)
        return -1;
    support_end(p->pid, signal);
    p->pid = 0;
    return 0;
}

int support_postgres_again(struct support_postgres *p)
{
    PGconn *c;

    if (run_server(p) != 0 || !(c = admin(p)))
        return -1;
    PQfinish(c);
    return 0;
}

int support_postgres_adopt(struct support_postgres *p, const char *folder, const char *user)
{
    char why[200], real[120], usual[120];
    PGconn *c;

    memset(p, 0, sizeof *p);
    if (find_user(why, sizeof why) != 0)
        return -1;
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    p->port = support_free_port();
    snprintf(real, sizeof real, ".s.PGSQL.%d", p->port);
    snprintf(usual, sizeof usual, "%s/.s.PGSQL.5432", folder);
    if (run_server(p) != 0 || symlink(real, usual) != 0 || !(c = reach(p, user)))
        return -1;
    PQfinish(c);
    return 0;
}

void support_postgres_stop(struct support_postgres *p)
{
    if (p->pid > 0)
        support_end(p->pid, SIGINT);
    p->pid = 0;
    if (p->folder[0])
        support_remove(p->folder);
}
