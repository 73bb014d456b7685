/*
 * agent_sim_person.c - what one agent does: logs in, becomes available, talks, wraps up, disposes,
 * rests. Driven by what the daemon says and one timer for the next thing to do.
 */
#include "adapters/sim/agent_sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASKED_MAX 8
#define AGAIN_US (2 * US_PER_S) /* after a refusal */

enum next {
    NEXT_NOTHING,
    NEXT_LOGIN,
    NEXT_AVAILABLE,
    NEXT_BREAK,
    NEXT_HANG_UP,
    NEXT_DISPOSE,
};

struct asked {
    int64_t id; /* 0: free */
    const char *type;
    int64_t at_us;
};

struct person {
    struct crowd *crowd;
    struct rng rng;
    char ticket[TICKET_SIZE];
    struct net_ws *ws;
    struct net_timer *timer;
    enum next next;
    bool welcome;
    bool working; /* the login was answered */
    bool resting; /* the break is our own choice */
    bool leaving;
    int64_t agent;
    int64_t ids;
    int64_t seq;
    int64_t break_due_us;
    int64_t talk_from_us; /* 0: not in a call */
    char state[16];
    char attempt[ATTEMPT_SIZE]; /* current or just ended */
    char disposing[ATTEMPT_SIZE];
    char disposed[ATTEMPT_SIZE]; /* the last one that was acknowledged or given up */
    struct asked asked[ASKED_MAX];
};

static double exponential(struct person *p, double mean)
{
    return -mean * log1p(-rng_unit(&p->rng));
}

static void later(struct person *p, enum next next, double seconds)
{
    p->next = next;
    net_timer_set(p->timer, (int64_t)(seconds * (double)US_PER_S));
}

static void never(struct person *p)
{
    p->next = NEXT_NOTHING;
    net_timer_clear(p->timer);
}

/* --- asking --------------------------------------------------------------------------------- */

static struct json_writer *begin(struct person *p, const char *type)
{
    struct json_writer *w = &p->crowd->writer;
    struct asked *place = &p->asked[0];

    for (unsigned i = 0; i < ASKED_MAX; i++) {
        if (p->asked[i].id == 0) {
            place = &p->asked[i];
            break;
        }
        if (p->asked[i].at_us < place->at_us) {
            place = &p->asked[i]; /* full: the oldest answer will not be timed */
        }
    }
    *place = (struct asked){.id = ++p->ids, .type = type, .at_us = net_now_us()};
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", type);
    json_put_int(w, "id", p->ids);
    return w;
}

static void finish(struct person *p)
{
    struct json_writer *w = &p->crowd->writer;
    size_t len = 0;
    const char *text;

    json_close_object(w);
    text = json_writer_end(w, &len);
    if (text != NULL && p->ws != NULL && net_ws_send(p->ws, text, len) == NET_OK) {
        p->crowd->total.requests++;
    }
}

static void ask_status(struct person *p, const char *state, const char *reason)
{
    struct json_writer *w = begin(p, "set_status");

    json_put_str(w, "state", state);
    json_put_str(w, "reason", reason);
    finish(p);
}

static const struct code *choose(struct person *p)
{
    const struct crowd *crowd = p->crowd;
    const bool wished = crowd->options.codes > 0;
    const struct code *codes = wished ? crowd->options.code : crowd->offered;
    const unsigned n = wished ? crowd->options.codes : crowd->offers;
    double sum = 0;
    double at;

    for (unsigned i = 0; i < n; i++) {
        sum += codes[i].weight;
    }
    at = rng_unit(&p->rng) * sum;
    for (unsigned i = 0; i < n; i++) {
        at -= codes[i].weight;
        if (at < 0) {
            return &codes[i];
        }
    }
    return NULL;
}

static bool wants_time(const struct crowd *crowd, const char *code)
{
    for (unsigned i = 0; i < crowd->offers; i++) {
        if (strcmp(crowd->offered[i].code, code) == 0) {
            return crowd->offered[i].callback;
        }
    }
    return false;
}

static void dispose(struct person *p)
{
    const struct code *code = choose(p);
    struct json_writer *w;

    if (p->attempt[0] == '\0') {
        return;
    }
    if (code == NULL) { /* nothing is on offer (yet) */
        later(p, NEXT_DISPOSE, 1);
        return;
    }
    snprintf(p->disposing, sizeof p->disposing, "%s", p->attempt);
    w = begin(p, "set_disposition");
    json_put_str(w, "attempt", p->attempt);
    json_put_str(w, "code", code->code);
    json_put_str(w, "note", "");
    if (wants_time(p->crowd, code->code)) {
        json_put_int(w, "callback", ((int64_t)time(NULL) + 3600) * MS_PER_S);
    }
    finish(p);
}

static void on_timer(void *ctx)
{
    struct person *p = ctx;
    const enum next next = p->next;

    p->next = NEXT_NOTHING;
    if (p->ws == NULL || !p->welcome || p->leaving) {
        return;
    }
    switch (next) {
    case NEXT_LOGIN:
        if (p->working) {
            break;
        }
        json_put_int(begin(p, "agent_login"), "campaign", p->crowd->options.campaign);
        finish(p);
        break;
    case NEXT_AVAILABLE:
        p->resting = false;
        ask_status(p, "available", "");
        break;
    case NEXT_BREAK:
        p->resting = true;
        p->crowd->total.breaks++;
        ask_status(p, "break", "break");
        break;
    case NEXT_HANG_UP:
        p->crowd->total.hangups++;
        (void)begin(p, "hang_up");
        finish(p);
        break;
    case NEXT_DISPOSE:
        dispose(p);
        break;
    case NEXT_NOTHING:
        break;
    }
}

/* --- hearing -------------------------------------------------------------------------------- */

static void break_planned(struct person *p)
{
    const double every = p->crowd->options.break_every_s;

    p->break_due_us =
        every > 0 ? net_now_us() + (int64_t)(exponential(p, every) * (double)US_PER_S) : 0;
}

static void became_available(struct person *p)
{
    if (p->break_due_us == 0) {
        never(p);
    } else {
        const int64_t left_us = p->break_due_us - net_now_us();
        later(p, NEXT_BREAK, left_us > 0 ? (double)left_us / (double)US_PER_S : 0.001);
    }
}

static void wrap_up(struct person *p, bool needs)
{
    if (!needs || strcmp(p->attempt, p->disposed) == 0) {
        never(p);
    } else if (rng_unit(&p->rng) < p->crowd->options.forget_share) {
        snprintf(p->disposed, sizeof p->disposed, "%s", p->attempt);
        p->crowd->total.forgotten++;
        never(p);
    } else {
        later(p, NEXT_DISPOSE, exponential(p, p->crowd->options.wrap_s));
    }
}

static void resting(struct person *p)
{
    if (p->resting) {
        break_planned(p);
        later(p, NEXT_AVAILABLE, exponential(p, p->crowd->options.break_s));
    } else if (p->working) {
        later(p, NEXT_AVAILABLE, 1 + rng_unit(&p->rng)); /* it was not our idea */
    }
}

static void on_status(struct person *p, json_ref item)
{
    const struct json *doc = &p->crowd->doc;
    const char *state = json_str(doc, json_get(doc, item, "state"), "");
    const char *attempt = json_str(doc, json_get(doc, item, "attempt"), "");
    int64_t agent = 0;
    bool needs = false;
    bool same;

    (void)json_int(doc, json_get(doc, item, "agent"), &agent);
    if (agent != p->agent) {
        return; /* a supervisor's ticket shows others, too */
    }
    (void)json_bool(doc, json_get(doc, item, "needs_disposition"), &needs);
    same = strcmp(p->state, state) == 0 && strcmp(p->attempt, attempt) == 0;
    p->crowd->total.status_updates++;
    crowd_record(p->crowd, p->agent, "status", "state", state, attempt);
    snprintf(p->state, sizeof p->state, "%s", state);
    snprintf(p->attempt, sizeof p->attempt, "%s", attempt);
    if (same || p->leaving) {
        return; /* a repetition, or a detail: plans stand */
    }
    if (!p->working && strcmp(state, "offline") != 0) {
        p->working = true; /* since before this socket */
        break_planned(p);
    }
    if (strcmp(state, "available") == 0) {
        became_available(p);
    } else if (strcmp(state, "wrapup") == 0) {
        wrap_up(p, needs);
    } else if (strcmp(state, "break") == 0) {
        resting(p);
    } else if (strcmp(state, "offline") == 0 && p->working) {
        p->working = false;
        later(p, NEXT_LOGIN, 1 + rng_unit(&p->rng));
    } else if (strcmp(state, "reserved") == 0 ||
               (strcmp(state, "busy") == 0 && p->next != NEXT_HANG_UP)) {
        never(p); /* what was planned for idle time waits for the next one */
    }
}

static void talk_over(struct person *p)
{
    if (p->talk_from_us != 0) {
        p->crowd->total.talk_s += (double)(net_now_us() - p->talk_from_us) / (double)US_PER_S;
        p->talk_from_us = 0;
        if (p->next == NEXT_HANG_UP) {
            never(p);
        }
    }
}

static void on_call(struct person *p, json_ref item)
{
    const struct json *doc = &p->crowd->doc;
    const char *attempt = json_str(doc, json_get(doc, item, "attempt"), "");
    const char *state = json_str(doc, json_get(doc, item, "state"), "gone");
    int64_t agent = p->agent;

    (void)json_int(doc, json_get(doc, item, "agent"), &agent);
    if (agent != p->agent) {
        return;
    }
    crowd_record(p->crowd, p->agent, "call", "state", state, attempt);
    if (strcmp(state, "bridged") == 0 && p->talk_from_us == 0) {
        p->crowd->total.calls++;
        p->talk_from_us = net_now_us();
        if (rng_unit(&p->rng) < p->crowd->options.hangup_share) {
            later(p, NEXT_HANG_UP, exponential(p, p->crowd->options.talk_s));
        }
    } else if (strcmp(state, "gone") == 0) {
        talk_over(p);
    }
}

static void on_disposition(struct crowd *crowd, json_ref item)
{
    const struct json *doc = &crowd->doc;
    const char *code = json_str(doc, json_get(doc, item, "code"), "");
    bool gone = false;
    unsigned at = 0;

    (void)json_bool(doc, json_get(doc, item, "gone"), &gone);
    while (at < crowd->offers && strcmp(crowd->offered[at].code, code) != 0) {
        at++;
    }
    if (gone || at == CODES_MAX || strlen(code) >= CODE_SIZE) {
        return;
    }
    if (at == crowd->offers) {
        crowd->offers++;
    }
    snprintf(crowd->offered[at].code, CODE_SIZE, "%s", code);
    crowd->offered[at].weight = 1;
    (void)json_bool(doc, json_get(doc, item, "callback"), &crowd->offered[at].callback);
}

static void on_changes(struct person *p)
{
    struct crowd *crowd = p->crowd;
    const struct json *doc = &crowd->doc;
    const json_ref items = json_get(doc, JSON_ROOT, "items");
    int64_t after = -1;

    (void)json_int(doc, json_get(doc, JSON_ROOT, "after"), &after);
    crowd->total.changes++;
    crowd->total.gaps += after != p->seq;
    (void)json_int(doc, json_get(doc, JSON_ROOT, "seq"), &p->seq);
    for (json_ref i = json_first(doc, items); i != JSON_NONE; i = json_next(doc, i)) {
        const json_ref type = json_get(doc, i, "type");
        crowd->total.items++;
        if (json_is(doc, type, "status_update")) {
            on_status(p, i);
        } else if (json_is(doc, type, "call")) {
            on_call(p, i);
        } else if (json_is(doc, type, "pop")) {
            const char *attempt = json_str(doc, json_get(doc, i, "attempt"), "");
            crowd->total.pops += attempt[0] != '\0';
            crowd_record(crowd, p->agent, "pop", "number",
                         json_str(doc, json_get(doc, i, "number"), ""), attempt);
        } else if (json_is(doc, type, "disposition")) {
            on_disposition(crowd, i);
        }
    }
}

static void on_welcome(struct person *p)
{
    struct crowd *crowd = p->crowd;

    (void)json_int(&crowd->doc, json_get(&crowd->doc, JSON_ROOT, "agent"), &p->agent);
    p->welcome = true;
    p->seq = 0;
    crowd->connecting--;
    crowd->online++;
    crowd->total.connected++;
    crowd_record(crowd, p->agent, "connected", NULL, NULL, NULL);
    later(p, NEXT_LOGIN, 0.3 * rng_unit(&p->rng));
    crowd_connect_more(crowd);
}

static void answered(struct person *p, const char *type, bool ok, const char *result)
{
    struct crowd *crowd = p->crowd;

    if (strcmp(type, "set_disposition") == 0) {
        crowd_record(crowd, p->agent, "disposed", "result", result, p->disposing);
        if (ok) {
            snprintf(p->disposed, sizeof p->disposed, "%s", p->disposing);
            crowd->total.disposed++;
        } else {
            crowd->total.dispose_failed++;
            if (strcmp(p->state, "wrapup") == 0) {
                later(p, NEXT_DISPOSE, 1);
            }
        }
    } else if (strcmp(type, "agent_login") == 0) {
        p->working = ok;
        crowd->total.logins += ok;
        later(p, ok ? NEXT_AVAILABLE : NEXT_LOGIN, ok ? 0.05 : 2);
        if (ok) {
            break_planned(p);
        }
    } else if (strcmp(type, "set_status") == 0 && !ok) {
        p->resting = false;
        if (strcmp(p->state, "break") == 0 || strcmp(p->state, "offline") == 0) {
            later(p, NEXT_AVAILABLE, (double)AGAIN_US / (double)US_PER_S);
        }
    } else if (strcmp(type, "agent_logout") == 0) {
        net_ws_close(p->ws, NET_WS_NORMAL, "done");
    }
}

static void on_reply(struct person *p)
{
    struct crowd *crowd = p->crowd;
    const char *result = json_str(&crowd->doc, json_get(&crowd->doc, JSON_ROOT, "result"), "");
    const bool ok = strcmp(result, "ok") == 0;
    int64_t id = 0;

    (void)json_int(&crowd->doc, json_get(&crowd->doc, JSON_ROOT, "id"), &id);
    crowd->total.replies++;
    crowd->total.replies_bad += !ok;
    for (unsigned i = 0; id > 0 && i < ASKED_MAX; i++) {
        if (p->asked[i].id == id) {
            const struct asked a = p->asked[i];
            const uint64_t took_us = (uint64_t)(net_now_us() - a.at_us);
            p->asked[i].id = 0;
            crowd->total.reply_us_sum += took_us;
            if (took_us > crowd->total.reply_us_max) {
                crowd->total.reply_us_max = took_us;
            }
            if (!ok) {
                crowd_record(crowd, p->agent, "refused", a.type,
                             json_str(&crowd->doc, json_get(&crowd->doc, JSON_ROOT, "text"), ""),
                             NULL);
            }
            answered(p, a.type, ok, result);
            return;
        }
    }
}

/* --- the socket ----------------------------------------------------------------------------- */

static void on_open(void *ctx, struct net_ws *ws)
{
    struct person *p = ctx;
    struct json_writer *w = &p->crowd->writer;
    size_t len = 0;
    const char *text;

    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", "hello");
    json_put_str(w, "ticket", p->ticket);
    json_close_object(w);
    text = json_writer_end(w, &len);
    if (text != NULL) {
        (void)net_ws_send(ws, text, len);
    }
}

static void on_message(void *ctx, struct net_ws *ws, const char *text, size_t len)
{
    struct person *p = ctx;
    const struct json *doc = &p->crowd->doc;
    json_ref type;

    (void)ws;
    if (json_parse(&p->crowd->doc, text, len) != 0) {
        crowd_record(p->crowd, p->agent, "unreadable", "error", doc->error, NULL);
        return;
    }
    type = json_get(doc, JSON_ROOT, "type");
    if (json_is(doc, type, "changes")) {
        on_changes(p);
    } else if (json_is(doc, type, "reply")) {
        on_reply(p);
    } else if (json_is(doc, type, "welcome")) {
        on_welcome(p);
    }
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct person *p = ctx;
    struct crowd *crowd = p->crowd;

    (void)ws;
    p->ws = NULL;
    never(p);
    talk_over(p);
    if (p->welcome) {
        crowd->online--;
        if (end->cause != NET_WS_LOCAL) {
            crowd->total.cut++;
        }
    } else {
        crowd->connecting--;
        crowd->total.refused++;
    }
    crowd_record(crowd, p->agent, "closed", "reason", end->reason, NULL);
    p->welcome = false;
    if (!crowd->leaving) {
        crowd_connect_more(crowd);
    }
}

/* --- life ----------------------------------------------------------------------------------- */

struct person *person_new(struct crowd *crowd, unsigned number, const char *ticket)
{
    struct person *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return NULL;
    }
    p->crowd = crowd;
    p->rng = rng_stream(crowd->options.seed, number);
    p->timer = net_timer_new(crowd->loop, on_timer, p);
    if (p->timer == NULL) {
        free(p);
        return NULL;
    }
    snprintf(p->ticket, sizeof p->ticket, "%s", ticket);
    return p;
}

void person_free(struct person *p)
{
    net_timer_free(p->timer);
    free(p);
}

void person_connect(struct person *p)
{
    static const struct net_ws_events events = {
        .on_open = on_open, .on_message = on_message, .on_close = on_close};
    const struct net_ws_limits limits = {.max_message = 1024u * 1024u};

    p->ws = net_ws_connect(p->crowd->loop, &p->crowd->target, &limits, &events, p);
    if (p->ws != NULL) {
        p->crowd->connecting++;
    } else {
        p->crowd->total.refused++;
    }
}

bool person_online(const struct person *p)
{
    return p->ws != NULL;
}

void person_leave(struct person *p)
{
    if (p->ws == NULL) {
        return;
    }
    if (!p->welcome) {
        net_ws_drop(p->ws);
        return;
    }
    p->leaving = true;
    never(p);
    (void)begin(p, "agent_logout");
    finish(p);
}

void person_drop(struct person *p)
{
    if (p->ws != NULL) {
        net_ws_close(p->ws, NET_WS_NORMAL, "done");
    }
}
