/* tables.c - the store's tables, told to the judge; see files.h. One text for both databases. */
#include "tests/judge/files.h"

#include "actors/types.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 24

struct source {
    PGconn *pg;
    sqlite3 *lite;
    struct judge *j;
};

/* One row: its columns as text. */
typedef void (*take_row)(struct judge *j, const char *const *c);

static int64_t integer(const char *text)
{
    return strtoll(text, NULL, 10);
}

static void take_campaign(struct judge *j, const char *const *c)
{
    judge_campaign(j, &(struct judge_campaign){.campaign = (uint64_t)integer(c[0]),
                                               .retry_ms = integer(c[1]) * 1000,
                                               .prefixes = c[2],
                                               .from_min = (unsigned)integer(c[3]),
                                               .to_min = (unsigned)integer(c[4])});
}

static void take_lead(struct judge *j, const char *const *c)
{
    judge_lead(j, &(struct judge_lead){.lead = (uint64_t)integer(c[0]),
                                       .list = (uint64_t)integer(c[1]),
                                       .campaign = (uint64_t)integer(c[2]),
                                       .number = c[3],
                                       .manual = integer(c[4]) != 0,
                                       .rows = (unsigned)integer(c[5]),
                                       .status = (uint8_t)integer(c[6]),
                                       .final = integer(c[7]) != 0,
                                       .due_ms = integer(c[8]),
                                       .attempts = (uint64_t)integer(c[9]),
                                       .suppressed = integer(c[10]) != 0});
}

static void take_attempt(struct judge *j, const char *const *c)
{
    judge_attempt(j, &(struct judge_attempt){.id = c[0],
                                             .campaign = (uint64_t)integer(c[1]),
                                             .lead = (uint64_t)integer(c[2]),
                                             .attempt_no = (unsigned)integer(c[3]),
                                             .number = c[4],
                                             .cause = (uint8_t)integer(c[5]),
                                             .epoch = (uint64_t)integer(c[6]),
                                             .agent = (uint64_t)integer(c[7]),
                                             .zone = c[8],
                                             .live = integer(c[9]) != 0,
                                             .state = (uint8_t)integer(c[10]),
                                             .outcome = (uint8_t)integer(c[11]),
                                             .claimed_ms = integer(c[12]),
                                             .originated_ms = integer(c[13]),
                                             .answered_ms = integer(c[14]),
                                             .bridged_ms = integer(c[15]),
                                             .ended_ms = integer(c[16]),
                                             .disposition = c[17],
                                             .by_agent = strcmp(c[18], "agent") == 0,
                                             .disposed_ms = integer(c[19]),
                                             .dispositions = (unsigned)integer(c[20]),
                                             .previewed = integer(c[21]) != 0});
}

static void take_leg(struct judge *j, const char *const *c)
{
    judge_leg(j, &(struct judge_leg){.id = c[0],
                                     .agent = (uint64_t)integer(c[1]),
                                     .claimed_ms = integer(c[2]),
                                     .answered_ms = integer(c[3]),
                                     .ended_ms = integer(c[4])});
}

static void take_agent(struct judge *j, const char *const *c)
{
    judge_agent(j, &(struct judge_agent){.agent = (uint64_t)integer(c[0]),
                                         .state = (uint8_t)integer(c[1])});
}

static void take_moved(struct judge *j, const char *const *c)
{
    judge_moved(j, &(struct judge_moved){.agent = (uint64_t)integer(c[0]),
                                         .state = (uint8_t)integer(c[1]),
                                         .campaign = (uint64_t)integer(c[2]),
                                         .at_ms = integer(c[3])});
}

static void take_suppressed(struct judge *j, const char *const *c)
{
    judge_suppressed(j, &(struct judge_suppressed){.number = c[0], .at_ms = integer(c[1])});
}

static const struct {
    const char *sql;
    take_row take;
} tables[] = {
    {"SELECT id, retry_s, prefixes, window_from_min, window_to_min FROM campaign", take_campaign},
    {"SELECT d.id, d.list_id, l.campaign_id, d.number, l.manual, COUNT(q.id),"
     " COALESCE(MAX(q.status), 0), COALESCE(MIN(q.final), 0), COALESCE(MAX(q.due_ms), 0),"
     " COALESCE(MAX(q.attempts), 0), MAX(CASE WHEN s.number IS NULL THEN 0 ELSE 1 END)"
     " FROM lead d JOIN list l ON l.id = d.list_id LEFT JOIN queue_row q ON q.lead_id = d.id"
     " LEFT JOIN suppressed s ON s.number = d.number"
     " GROUP BY d.id, d.list_id, l.campaign_id, d.number, l.manual",
     take_lead},
    {"SELECT a.id, a.campaign_id, a.lead_id, a.attempt_no, a.number, a.cause, a.epoch, a.agent_id,"
     " a.zone, a.live, a.state, a.outcome, a.claimed_ms, a.originated_ms, a.answered_ms,"
     " a.bridged_ms, a.ended_ms, a.disposition, a.disposed_by, a.disposed_ms,"
     /* an agent may dispose what the system has marked as not disposed */
     " (SELECT COUNT(*) FROM call_event e WHERE e.attempt_id = a.id AND e.state = 11"
     "  AND e.text <> 'not_disposed'), a.previewed FROM attempt a",
     take_attempt},
    {"SELECT id, agent_id, claimed_ms, answered_ms, ended_ms FROM leg", take_leg},
    {"SELECT e.agent_id, e.state FROM agent_event e JOIN"
     " (SELECT agent_id, MAX(id) AS id FROM agent_event GROUP BY agent_id) m ON m.id = e.id",
     take_agent},
    {"SELECT agent_id, state, campaign_id, at_ms FROM agent_event"
     " ORDER BY agent_id, at_ms, id",
     take_moved},
    {"SELECT number, at_ms FROM suppressed", take_suppressed},
};

static int ask_postgres(struct source *s, const char *sql, take_row take, char *why, size_t size)
{
    PGresult *r = PQexec(s->pg, sql);
    const char *c[COLUMNS];

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        snprintf(why, size, "store: %s", PQerrorMessage(s->pg));
        PQclear(r);
        return -1;
    }
    for (int row = 0; row < PQntuples(r); row++) {
        for (int i = 0; i < PQnfields(r); i++) {
            c[i] = PQgetvalue(r, row, i);
        }
        take(s->j, c);
    }
    PQclear(r);
    return 0;
}

static int ask_sqlite(struct source *s, const char *sql, take_row take, char *why, size_t size)
{
    sqlite3_stmt *st = NULL;
    const char *c[COLUMNS];
    int rc = sqlite3_prepare_v2(s->lite, sql, -1, &st, NULL);

    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            c[i] = (const char *)sqlite3_column_text(st, i);
            c[i] = c[i] ? c[i] : "";
        }
        take(s->j, c);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) {
        snprintf(why, size, "store: %s", sqlite3_errmsg(s->lite));
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int open_source(struct source *s, const char *url, char *why, size_t size)
{
    if (strncmp(url, "sqlite:", 7) == 0) {
        if (sqlite3_open_v2(url + 7, &s->lite, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
            return 0;
        }
        snprintf(why, size, "%s: %s", url, sqlite3_errmsg(s->lite));
        return -1;
    }
    s->pg = PQconnectdb(url);
    if (PQstatus(s->pg) == CONNECTION_OK) {
        return 0;
    }
    snprintf(why, size, "store: %s", PQerrorMessage(s->pg));
    return -1;
}

int judge_read_store(struct judge *j, const char *url, char *why, size_t why_size)
{
    struct source s = {.j = j};
    int result = open_source(&s, url, why, why_size);

    for (size_t i = 0; result == 0 && i < sizeof tables / sizeof tables[0]; i++) {
        result = s.pg ? ask_postgres(&s, tables[i].sql, tables[i].take, why, why_size)
                      : ask_sqlite(&s, tables[i].sql, tables[i].take, why, why_size);
    }
    PQfinish(s.pg);
    sqlite3_close(s.lite);
    return result;
}
