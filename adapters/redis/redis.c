/*
 * redis.c - the hopper in Redis, over the asynchronous hiredis. Owns hiredis.
 *
 * The lists may be touched by anybody: FLUSHALL, a restart, entries from elsewhere. Nothing here
 * minds: what is no id is dropped and counted, what is missing is refilled by the campaign, and the
 * claim decides about the rest.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "adapters/hopper/hopper.h"
#include "adapters/secret/secret.h"

#define BACKOFF_MIN_US (50 * US_PER_MS)
#define BACKOFF_MAX_US (2 * US_PER_S)
#define PING_US (1 * US_PER_S)
#define PASSWORD_MAX 512

struct redis {
    struct hopper base; /* first */
    char host[256];
    int port;
    char path[108]; /* of a unix socket; else empty */
    int database;
    const char *password_file;
    int64_t timeout_us;

    redisAsyncContext *context;
    bool reading, writing; /* what hiredis wants to wait for */
    bool up, told;
    bool closing;
    unsigned open;         /* commands without an answer */
    int64_t answer_due_us; /* the oldest of them, roughly */
    int64_t retry_us, backoff_us, ping_us, now_us;
    char text[160];  /* what is wrong, for people */
    char fault[140]; /* what the server said to the set-up */
};

/* An open take: LPOP, then LLEN, answered one after the other. */
struct take {
    struct redis *redis;
    uint64_t campaign;
    uint32_t rows, dropped;
    bool ok, no_list; /* no_list: somebody made something else of the key */
};

static struct redis *of(struct hopper *h)
{
    return (struct redis *)h;
}

static void tell(struct redis *r, bool up)
{
    if (r->told && r->up == up)
        return;
    r->told = true;
    r->up = up;
    r->base.events.state(r->base.events.ctx, up, up ? "" : r->text);
}

/* --- hiredis and poll(2) ---------------------------------------------------------------------- */

static void read_on(void *data)
{
    ((struct redis *)data)->reading = true;
}

static void read_off(void *data)
{
    ((struct redis *)data)->reading = false;
}

static void write_on(void *data)
{
    ((struct redis *)data)->writing = true;
}

static void write_off(void *data)
{
    ((struct redis *)data)->writing = false;
}

static void cleanup(void *data)
{
    struct redis *r = data;

    r->reading = r->writing = false;
}

/* --- connection ------------------------------------------------------------------------------- */

static void gone(struct redis *r, const char *what)
{
    snprintf(r->text, sizeof r->text, "redis: %s", what);
    r->context = NULL;
    r->open = 0;
    r->retry_us = r->now_us + r->backoff_us;
    r->backoff_us = r->backoff_us * 2 < BACKOFF_MAX_US ? r->backoff_us * 2 : BACKOFF_MAX_US;
    if (!r->closing)
        tell(r, false);
}

static void on_disconnect(const redisAsyncContext *c, int status)
{
    gone(c->data, status == REDIS_OK || !c->errstr[0] ? "the connection was closed" : c->errstr);
}

static void on_connect(const redisAsyncContext *c, int status)
{
    struct redis *r = c->data;

    /* hiredis frees the context after this when the connection failed */
    if (status != REDIS_OK)
        gone(r, c->errstr[0] ? c->errstr : "cannot connect");
}

static void sent(struct redis *r)
{
    if (r->open++ == 0)
        r->answer_due_us = r->now_us + r->timeout_us;
}

static void answered(struct redis *r)
{
    if (r->open > 0)
        r->open--;
    r->answer_due_us = r->now_us + r->timeout_us;
}

/* Ends the connection; every open command's callback is called without a reply. */
static void drop(struct redis *r, const char *what)
{
    redisAsyncContext *c = r->context;

    if (!c)
        return;
    gone(r, what);
    c->onDisconnect = NULL;
    redisAsyncFree(c);
}

static void on_setup(redisAsyncContext *c, void *reply, void *data)
{
    struct redis *r = c->data;
    const redisReply *a = reply;

    (void)data;
    if (!a)
        return;
    answered(r);
    /* Dropped from handle(), not from within hiredis. */
    if (a->type == REDIS_REPLY_ERROR) {
        snprintf(r->fault, sizeof r->fault, "%s", a->str);
        r->answer_due_us = r->now_us;
        r->open = 1;
        return;
    }
    r->backoff_us = BACKOFF_MIN_US;
    tell(r, true);
}

/* Authentication and database, if asked for; the last answer says that it works. */
static void set_up(struct redis *r)
{
    char password[PASSWORD_MAX] = "";

    if (r->password_file && r->password_file[0]) {
        if (secret_file_read(r->password_file, password, sizeof password) != 0) {
            drop(r, "the password file cannot be read");
            return;
        }
        redisAsyncCommand(r->context, NULL, NULL, "AUTH %s", password);
        explicit_bzero(password, sizeof password);
    }
    redisAsyncCommand(r->context, on_setup, NULL, "SELECT %d", r->database);
    sent(r);
}

static void try_connect(struct redis *r)
{
    redisAsyncContext *c =
        r->path[0] ? redisAsyncConnectUnix(r->path) : redisAsyncConnect(r->host, r->port);

    if (!c || c->err) {
        gone(r, c ? c->errstr : "out of memory");
        if (c)
            redisAsyncFree(c);
        return;
    }
    r->context = c;
    c->data = r;
    c->ev.data = r;
    c->ev.addRead = read_on;
    c->ev.delRead = read_off;
    c->ev.addWrite = write_on;
    c->ev.delWrite = write_off;
    c->ev.cleanup = cleanup;
    r->open = 0;
    r->fault[0] = '\0';
    r->ping_us = r->now_us + PING_US;
    redisAsyncSetConnectCallback(c, on_connect);
    redisAsyncSetDisconnectCallback(c, on_disconnect);
    set_up(r);
}

/* --- commands --------------------------------------------------------------------------------- */

static void on_done(redisAsyncContext *c, void *reply, void *data)
{
    (void)data;
    if (reply)
        answered(c->data);
}

static void put(struct hopper *h, uint64_t campaign, uint64_t row)
{
    struct redis *r = of(h);

    if (!r->up || !r->context || row == 0)
        return;
    if (redisAsyncCommand(r->context, on_done, NULL, "RPUSH hopper:%llu %llu",
                          (unsigned long long)campaign, (unsigned long long)row) == REDIS_OK)
        sent(r);
}

static void clear(struct hopper *h, uint64_t campaign)
{
    struct redis *r = of(h);

    if (r->up && r->context &&
        redisAsyncCommand(r->context, on_done, NULL, "DEL hopper:%llu",
                          (unsigned long long)campaign) == REDIS_OK)
        sent(r);
}

static void give(struct take *t, const redisReply *entry)
{
    uint64_t id = entry->type == REDIS_REPLY_STRING ? hopper_id(entry->str, entry->len) : 0;
    const struct hopper_events *e = &t->redis->base.events;

    if (id == 0) {
        t->dropped++;
        return;
    }
    t->rows++;
    e->row(e->ctx, t->campaign, id);
}

static void on_rows(redisAsyncContext *c, void *reply, void *data)
{
    struct take *t = data;
    const redisReply *a = reply;
    size_t i;

    (void)c;
    if (!a)
        return; /* on_left, which follows, ends it */
    answered(t->redis);
    t->ok = a->type == REDIS_REPLY_ARRAY || a->type == REDIS_REPLY_NIL;
    t->no_list = a->type == REDIS_REPLY_ERROR && strncmp(a->str, "WRONGTYPE", 9) == 0;
    t->dropped += t->no_list;
    for (i = 0; a->type == REDIS_REPLY_ARRAY && i < a->elements; i++)
        give(t, a->element[i]);
}

static void on_left(redisAsyncContext *c, void *reply, void *data)
{
    struct take *t = data;
    const redisReply *a = reply;
    const struct hopper_events *e = &t->redis->base.events;
    uint32_t left = 0;

    (void)c;
    if (a)
        answered(t->redis);
    if (a && a->type == REDIS_REPLY_INTEGER)
        left = (uint32_t)a->integer;
    if (a && t->no_list && t->redis->context)
        redisAsyncCommand(t->redis->context, NULL, NULL, "DEL hopper:%llu",
                          (unsigned long long)t->campaign);
    e->taken(e->ctx, t->campaign, t->rows, left, t->dropped, a != NULL && t->ok);
    free(t);
}

static void take(struct hopper *h, uint64_t campaign, uint32_t rows)
{
    struct redis *r = of(h);
    struct take *t = r->up && r->context ? malloc(sizeof *t) : NULL;

    if (rows > HOPPER_TAKE_MAX)
        rows = HOPPER_TAKE_MAX;
    if (t) {
        *t = (struct take){.redis = r, .campaign = campaign};
        if (redisAsyncCommand(r->context, on_rows, t, "LPOP hopper:%llu %u",
                              (unsigned long long)campaign, rows ? rows : 1) == REDIS_OK) {
            sent(r);
            if (redisAsyncCommand(r->context, on_left, t, "LLEN hopper:%llu",
                                  (unsigned long long)campaign) == REDIS_OK) {
                sent(r);
                return;
            }
            drop(r, "a command could not be sent");
        }
        free(t);
    }
    r->base.events.taken(r->base.events.ctx, campaign, 0, 0, 0, false);
}

/* --- the caller's loop ------------------------------------------------------------------------ */

static int fd(const struct hopper *h)
{
    const struct redis *r = (const struct redis *)h;

    return r->context ? r->context->c.fd : -1;
}

static short wants(const struct hopper *h)
{
    const struct redis *r = (const struct redis *)h;

    return (short)((r->reading ? POLLIN : 0) | (r->writing ? POLLOUT : 0));
}

static int64_t until_us(const struct hopper *h)
{
    const struct redis *r = (const struct redis *)h;

    if (!r->context)
        return r->retry_us;
    return r->open > 0 ? r->answer_due_us : r->ping_us;
}

/* We may have been stopped between the poll and now: what has arrived counts. */
static bool answer_waits(const struct redis *r)
{
    struct pollfd fd = {.fd = r->context->c.fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void handle_found(struct hopper *h, short found, int64_t now_us)
{
    struct redis *r = of(h);

    r->now_us = now_us;
    if (!r->context && now_us >= r->retry_us)
        try_connect(r);
    if (r->context && found & (POLLOUT | POLLHUP | POLLERR) && r->writing)
        redisAsyncHandleWrite(r->context);
    if (r->context && found & (POLLIN | POLLHUP | POLLERR) && r->reading)
        redisAsyncHandleRead(r->context);
    if (r->context && r->open > 0 && now_us >= r->answer_due_us &&
        (r->fault[0] || !answer_waits(r)))
        drop(r, r->fault[0] ? r->fault : "no answer in time");
    /* A silent server is noticed even when nobody asks it anything. */
    if (r->context && r->open == 0 && now_us >= r->ping_us) {
        r->ping_us = now_us + PING_US;
        if (redisAsyncCommand(r->context, on_done, NULL, "PING") == REDIS_OK)
            sent(r);
    }
}

static void close_redis(struct hopper *h)
{
    struct redis *r = of(h);

    if (!r)
        return;
    r->closing = true;
    drop(r, "closed");
    free(r);
}

static const struct hopper_ops ops = {
    .close = close_redis,
    .put = put,
    .take = take,
    .clear = clear,
    .fd = fd,
    .wants = wants,
    .until_us = until_us,
    .handle = handle_found,
};

/* redis://host:port/database or redis+unix:///path/of/socket?db=N is more than anybody needs: no
 * query. */
static bool parse(struct redis *r, const char *where)
{
    const char *p, *colon, *slash;
    char *end;
    long n;

    if (strncmp(where, "redis+unix://", 13) == 0)
        return where[13] == '/' &&
               snprintf(r->path, sizeof r->path, "%s", where + 13) < (int)sizeof r->path;
    if (strncmp(where, "redis://", 8) != 0)
        return false;
    p = where + 8;
    slash = p + strcspn(p, "/");
    colon = memchr(p, ':', (size_t)(slash - p));
    if (colon == p || slash == p || (size_t)((colon ? colon : slash) - p) >= sizeof r->host)
        return false;
    memcpy(r->host, p, (size_t)((colon ? colon : slash) - p));
    r->port = 6379;
    if (colon) {
        n = strtol(colon + 1, &end, 10);
        if (end != slash || end == colon + 1 || n < 1 || n > 65535)
            return false;
        r->port = (int)n;
    }
    if (*slash && slash[1]) {
        n = strtol(slash + 1, &end, 10);
        if (*end || n < 0 || n > 1000)
            return false;
        r->database = (int)n;
    }
    return true;
}

static struct hopper *make(const struct hopper_options *options, const struct hopper_events *events,
                           char *why, size_t why_size)
{
    struct redis *r = calloc(1, sizeof *r);

    snprintf(why, why_size, "out of memory");
    if (!r)
        return NULL;
    if (!parse(r, options->where ? options->where : "")) {
        snprintf(why, why_size, "%s is not redis://host:port/database or redis+unix:///path",
                 options->where ? options->where : "");
        free(r);
        return NULL;
    }
    r->base.ops = &ops;
    r->base.events = *events;
    r->password_file = options->password_file;
    r->timeout_us = (int64_t)(options->timeout_ms ? options->timeout_ms : 1000) * US_PER_MS;
    r->backoff_us = BACKOFF_MIN_US;
    return &r->base;
}

const struct hopper_driver hopper_redis = {"redis", make};
