/* files.c - see files.h. */
#include "tests/judge/files.h"

#include "adapters/net/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES (256u * 1024u)

struct reader {
    struct judge *j;
    struct json doc;
    const char *message, *application;
    bool held;
    char number[32];
};

static const char *text(const struct reader *r, const char *name)
{
    return json_str(&r->doc, json_get(&r->doc, JSON_ROOT, name), "");
}

static int64_t number(const struct reader *r, const char *name)
{
    int64_t n = 0;

    (void)json_int(&r->doc, json_get(&r->doc, JSON_ROOT, name), &n);
    return n;
}

static bool flag(const struct reader *r, const char *name, bool otherwise)
{
    (void)json_bool(&r->doc, json_get(&r->doc, JSON_ROOT, name), &otherwise);
    return otherwise;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- the witness
 * ---------------------------------------------------------------------------------- */

static bool the_message(const struct reader *r)
{
    const char *media = text(r, "media");

    return is(media, r->message) || (strncmp(media, "sound:", 6) == 0 && is(media + 6, r->message));
}

static bool by_somebody_else(const char *by)
{
    return is(by, "far") || is(by, "final") || is(by, "timeout") || is(by, "stop");
}

/* Dial strings have the digits only. */
static const char *dialed(struct reader *r, const char *number)
{
    if (number[0] < '0' || number[0] > '9') {
        return number;
    }
    snprintf(r->number, sizeof r->number, "+%.30s", number);
    return r->number;
}

/* Fills in what the line says; false: it is nothing to judge by. */
static bool witness_event(struct reader *r, const char *what, struct judge_event *e)
{
    const int64_t status = number(r, "status");

    if (is(what, "originate")) {
        e->kind = JUDGE_ORIGINATE;
        e->number = dialed(r, text(r, "number"));
        e->yes = status >= 200 && status <= 299;
    } else if (is(what, "answer")) {
        e->kind = JUDGE_ANSWER;
        e->yes = flag(r, "client", r->held);
    } else if (is(what, "bridge_enter") || is(what, "bridge_leave")) {
        e->kind = is(what, "bridge_enter") ? JUDGE_ENTER : JUDGE_LEAVE;
        e->text = text(r, "bridge");
    } else if (is(what, "message") || (is(what, "play") && the_message(r))) {
        e->kind = JUDGE_MESSAGE;
    } else if (is(what, "message_end") || (is(what, "play_end") && the_message(r))) {
        e->kind = JUDGE_MESSAGE_END;
        e->yes = flag(r, "whole", true);
    } else if (is(what, "end")) {
        e->kind = JUDGE_END;
        e->yes = by_somebody_else(text(r, "by"));
        e->text = text(r, "by");
    } else if ((is(what, "client") || is(what, "client_gone")) &&
               is(text(r, "app"), r->application)) {
        r->held = is(what, "client");
        e->kind = r->held ? JUDGE_HELD : JUDGE_NOT_HELD;
    } else if (is(what, "kill") || is(what, "stop")) {
        r->held = false;
        e->kind = JUDGE_PBX_DOWN;
    } else if (is(what, "boot")) {
        e->kind = JUDGE_PBX_UP;
    } else {
        return false;
    }
    return true;
}

static void take_witness(struct reader *r)
{
    struct judge_event e = {.at_us = number(r, "wall_ms") * 1000, .id = text(r, "id")};

    if (witness_event(r, text(r, "what"), &e)) {
        judge_see(r->j, &e);
    }
}

/* --- the agents
 * ----------------------------------------------------------------------------------- */

static void take_record(struct reader *r)
{
    const char *what = text(r, "what");
    struct judge_event e = {.at_us = number(r, "time") * 1000,
                            .agent = (uint64_t)number(r, "agent"),
                            .id = text(r, "attempt")};

    if (is(what, "status")) {
        e.kind = JUDGE_TOLD;
        e.text = text(r, "state");
    } else if (is(what, "disposed")) {
        e.kind = JUDGE_ACKED;
        e.text = text(r, "code");
    } else if (is(what, "gap")) {
        e.kind = JUDGE_GAP;
        e.text = text(r, "how");
    } else if (is(what, "closed")) {
        e.kind = JUDGE_GONE;
    } else if (is(what, "asks")) {
        e.kind = JUDGE_ASKED;
        e.text =
            json_get(&r->doc, JSON_ROOT, "hang_up") != JSON_NONE ? "hang_up" : "set_disposition";
    } else {
        return;
    }
    judge_see(r->j, &e);
}

/* --- the injector
 * ----------------------------------------------------------------------------------- */

/* False: it is none of them. */
static bool board_event(const struct reader *r, const char *what, struct judge_event *e)
{
    if (is(what, "board")) {
        e->kind = JUDGE_BOARD;
    } else if (is(what, "board agent")) {
        e->kind = JUDGE_BOARD_AGENT;
        e->agent = (uint64_t)number(r, "agent");
        e->text = text(r, "state");
    } else if (is(what, "board call")) {
        e->kind = JUDGE_BOARD_CALL;
        e->id = text(r, "attempt");
    } else if (is(what, "board campaign")) {
        e->kind = JUDGE_BOARD_CAMPAIGN;
        e->agent = (uint64_t)number(r, "campaign");
        e->value = number(r, "agents");
    } else {
        return false;
    }
    return true;
}

static void take_log(struct reader *r)
{
    const char *what = text(r, "what");
    struct judge_event e = {.at_us = number(r, "t_us"),
                            .text = text(r, "text"),
                            .number = text(r, "shows"),
                            .yes = flag(r, "calls", false),
                            .value = number(r, "value")};

    if (is(what, "fault")) {
        e.kind = JUDGE_FAULT;
    } else if (is(what, "recovered")) {
        e.kind = JUDGE_RECOVERED;
    } else if (is(what, "server down")) {
        e.kind = JUDGE_PBX_DOWN;
    } else if (is(what, "limit")) {
        e.kind = JUDGE_LIMIT;
    } else if (is(what, "counted")) {
        judge_counted(r->j, (uint64_t)number(r, "campaign"), (uint64_t)number(r, "answers"),
                      (uint64_t)number(r, "abandoned"));
        return;
    } else if (!board_event(r, what, &e)) {
        return;
    }
    judge_see(r->j, &e);
}

/* --- the daemon's log
 * --------------------------------------------------------------------------------- */

/* "2026-11-23T18:58:04.561Z warn DLR-ARI-LINK sim: down: ..." */
static void take_daemon_line(struct judge *j, const char *line)
{
    struct tm at = {0};
    unsigned ms = 0;
    char level[8], code[40];
    const char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &at);

    if (!rest || sscanf(rest, ".%3uZ %7s %39s", &ms, level, code) != 3 ||
        (is(level, "info") && !is(code, "DLR-START"))) {
        return;
    }
    judge_see(j, &(struct judge_event){.at_us = (int64_t)timegm(&at) * 1000000 + ms * 1000,
                                       .kind = JUDGE_NOTICED,
                                       .text = code});
}

int judge_read_daemon(struct judge *j, const char *path, char *why, size_t why_size)
{
    FILE *in = fopen(path, "re");
    char line[512];

    if (!in) {
        snprintf(why, why_size, "%s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    while (fgets(line, sizeof line, in)) {
        take_daemon_line(j, line);
    }
    fclose(in);
    return 0;
}

/* --- lines
 * ------------------------------------------------------------------------------------------ */

/* A line that was cut by a kill has the next one, of the next process, behind it. */
static bool parse(struct reader *r, const char *line, size_t len)
{
    const char *again;

    if (json_parse(&r->doc, line, len) == 0) {
        return true;
    }
    again = len > 1 ? memmem(line + 1, len - 1, "{\"t", 3) : NULL;
    return again && json_parse(&r->doc, again, len - (size_t)(again - line)) == 0;
}

static int read_lines(struct reader *r, const char *path, void (*take)(struct reader *r), char *why,
                      size_t why_size)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    if (!in) {
        snprintf(why, why_size, "%s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    json_init(&r->doc, LINE_MAX_BYTES);
    while ((n = getline(&line, &room, in)) > 0) {
        if (parse(r, line, (size_t)n)) {
            take(r);
        }
    }
    free(line);
    json_free(&r->doc);
    fclose(in);
    return 0;
}

int judge_read_witness(struct judge *j, const char *path, const char *message,
                       const char *application, char *why, size_t why_size)
{
    struct reader r = {.j = j, .message = message, .application = application};

    return read_lines(&r, path, take_witness, why, why_size);
}

int judge_read_record(struct judge *j, const char *path, char *why, size_t why_size)
{
    struct reader r = {.j = j};

    return read_lines(&r, path, take_record, why, why_size);
}

int judge_read_log(struct judge *j, const char *path, char *why, size_t why_size)
{
    struct reader r = {.j = j};

    return read_lines(&r, path, take_log, why, why_size);
}
