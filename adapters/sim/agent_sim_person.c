/*
 * agent_sim_person.c - what one agent does: logs in, becomes available, talks, wraps up, disposes,
 * rests. Driven by what the daemon says and one timer for the next thing to do.
 */
#include "adapters/sim/agent_sim_person.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETURN_S 0.3 /* after a cut, a little apart from the others */

double person_exponential(struct person *p, double mean)
{
    return -mean * log1p(-rng_unit(&p->rng));
}

void person_later(struct person *p, enum next next, double seconds)
{
    p->next = next;
    net_timer_set(p->timer, (int64_t)(seconds * (double)US_PER_S));
}

void person_never(struct person *p)
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
        person_later(p, NEXT_DISPOSE, 1);
        return;
    }
    snprintf(p->disposing, sizeof p->disposing, "%s", p->attempt);
    snprintf(p->code, sizeof p->code, "%s", code->code);
    crowd_record(p->crowd, p->agent, "asks", "set_disposition", p->code, p->attempt);
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
    if (next == NEXT_RETURN && p->ws == NULL && !p->crowd->leaving) {
        p->waiting = true;
        tickets_ask(p->crowd);
    }
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
        crowd_record(p->crowd, p->agent, "asks", "hang_up", "", p->attempt);
        (void)begin(p, "hang_up");
        finish(p);
        break;
    case NEXT_DISPOSE:
        dispose(p);
        break;
    case NEXT_RETURN:
    case NEXT_NOTHING:
        break;
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
    if (p->stream[0] != '\0') {
        json_open_object(w, "resume");
        json_put_str(w, "stream", p->stream);
        json_put_int(w, "seq", p->seq);
        json_close_object(w);
    }
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

    (void)ws;
    if (json_parse(&p->crowd->doc, text, len) != 0) {
        crowd_record(p->crowd, p->agent, "unreadable", "error", doc->error, NULL);
        return;
    }
    person_hear(p);
}

static void come_back(struct person *p)
{
    if (p->crowd->options.ctl != NULL && !p->leaving) {
        person_later(p, NEXT_RETURN, RETURN_S * (1 + rng_unit(&p->rng)));
    }
}

static void on_close(void *ctx, struct net_ws *ws, const struct net_ws_end *end)
{
    struct person *p = ctx;
    struct crowd *crowd = p->crowd;

    (void)ws;
    p->ws = NULL;
    person_never(p);
    person_talk_over(p);
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
    p->working = false;
    memset(p->asked, 0, sizeof p->asked);
    if (!crowd->leaving) {
        crowd_connect_more(crowd);
        come_back(p);
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
        come_back(p);
    }
}

bool person_waits(const struct person *p)
{
    return p->waiting;
}

int64_t person_agent(const struct person *p)
{
    return p->agent;
}

void person_ticket(struct person *p, const char *ticket)
{
    p->waiting = false;
    if (ticket == NULL) {
        come_back(p);
        return;
    }
    snprintf(p->ticket, sizeof p->ticket, "%s", ticket);
    person_connect(p);
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
    person_never(p);
    (void)begin(p, "agent_logout");
    finish(p);
}

void person_drop(struct person *p)
{
    if (p->ws != NULL) {
        net_ws_close(p->ws, NET_WS_NORMAL, "done");
    }
}
