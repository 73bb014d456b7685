/*
 * services.c - what a script cannot have by itself: a PostgreSQL and a Redis of its own
 * (tests/support), and a look into the database. The first line of output says where they are. Then
 * each line of input is a query, its parameters behind tabs; its answer is one line: an array of
 * rows, or an object with "error". Both servers end with the input, which is there as long as the
 * script: signals to its group are for the script alone, and no query outlasts it by more than its
 * limit.
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/services.h"

#define PARAMETERS 8

static void answer(PGconn *db, char *line)
{
    const char *value[PARAMETERS] = {NULL};
    char *rest = NULL;
    char *query = NULL;
    const char *text = strtok_r(line, "\t", &rest);
    PGresult *result;
    int n = 0;

    while (n < PARAMETERS && (value[n] = strtok_r(NULL, "\t", &rest)) != NULL) {
        n++;
    }
    if (asprintf(&query, "SELECT coalesce(jsonb_agg(t), '[]') FROM (%s) t", text) < 0) {
        exit(1);
    }
    result = PQexecParams(db, query, n, NULL, value, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        puts(PQgetvalue(result, 0, 0));
    } else {
        char *why = PQerrorMessage(db);
        for (char *at = why; (at = strpbrk(at, "\"\\\n\t")) != NULL;) {
            *at = ' ';
        }
        printf("{\"error\":\"%s\"}\n", why);
    }
    fflush(stdout);
    PQclear(result);
    free(query);
}

static int serve(struct support_postgres *postgres, struct support_redis *redis)
{
    char where[200];
    PGconn *db;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    if (support_postgres_database(postgres, where, sizeof where) != 0) {
        fprintf(stderr, "no database\n");
        return 1;
    }
    db = PQconnectdb(where);
    PQclear(PQexec(db, "SET statement_timeout = '20s'"));
    printf("{\"store\":\"postgresql:///%s?host=%s&port=%d&user=postgres\",\"redis\":%d}\n",
           PQdb(db), postgres->folder, postgres->port, redis->port);
    fflush(stdout);
    while ((length = getline(&line, &size, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        answer(db, line);
    }
    free(line);
    PQfinish(db);
    return 0;
}

int main(void)
{
    struct support_postgres postgres;
    struct support_redis redis = {0};
    char why[200];
    int rc;

    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    rc = support_postgres_start(&postgres, why, sizeof why);
    if (rc == 0) {
        rc = support_redis_start(&redis, why, sizeof why);
        if (rc == 0) {
            rc = serve(&postgres, &redis);
            support_redis_stop(&redis);
        } else {
            fprintf(stderr, "%s\n", why);
        }
        support_postgres_stop(&postgres);
    } else {
        fprintf(stderr, "%s\n", why);
    }
    return rc < 0 ? 1 : rc;
}
