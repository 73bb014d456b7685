/* request.c - what a client asks, checked against its role and the table, and the answer's way
 * back. */
#include "adapters/web/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request that an actor has not answered yet. */
struct pending {
    struct pending *next;          /* of the same client */
    struct pending *older, *newer; /* by deadline */
    uint64_t client;
    uint64_t request; /* ours, carried by the message */
    int64_t id;       /* the client's own */
    int64_t until_us;
};

struct asked {
    struct client *c;
    const struct json *doc;
    uint64_t request;
    char *why; /* 160 bytes, for people */
};

#define WHY_SIZE 160
#define WHO_SIZE 200

static const char *const results[] = {
    [RESULT_OK] = "ok",           [RESULT_REFUSED] = "refused",   [RESULT_NOT_FOUND] = "not_found",
    [RESULT_INVALID] = "invalid", [RESULT_CONFLICT] = "conflict", [RESULT_AWAY] = "away",
};

static void answer(struct client *c, int64_t id, unsigned result, struct text text,
                   struct text json)
{
    struct json_writer *w = &c->web->out;
    const char *frame;
    size_t len;

    if (c->leaving) {
        return;
    }
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", "reply");
    json_put_int(w, "time", web_wall_ms());
    json_put_int(w, "id", id);
    json_put_str(w, "result", result < sizeof results / sizeof *results ? results[result] : "away");
    json_put_text(w, "text", text);
    if (json.len > 0) {
        json_put_raw(w, "data", json.ptr, json.len);
    } else {
        json_put_null(w, "data");
    }
    json_close_object(w);
    frame = json_writer_end(w, &len);
    if (frame != NULL) {
        (void)net_ws_send(c->ws, frame, len);
    }
    c->web->count.replies++;
}

static void answer_text(struct client *c, int64_t id, unsigned result, const char *text)
{
    answer(c, id, result, (struct text){text, (uint32_t)strlen(text)}, (struct text){NULL, 0});
}

/* --- waiting for answers ---------------------------------------------------------------------- */

static struct pending *pending_new(struct client *c, int64_t id)
{
    struct web *web = c->web;
    struct pending *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return NULL;
    }
    p->client = c->id;
    p->request = ++web->request_id;
    p->id = id;
    p->until_us = net_now_us() + REPLY_US;
    p->next = c->pending;
    c->pending = p;
    c->n_pending++;
    p->older = web->newest;
    if (p->older != NULL) {
        p->older->newer = p;
    } else {
        web->oldest = p;
    }
    web->newest = p;
    return p;
}

static void pending_drop(struct client *c, struct pending *p)
{
    struct web *web = c->web;
    struct pending **at = &c->pending;

    while (*at != p) {
        at = &(*at)->next;
    }
    *at = p->next;
    c->n_pending--;
    if (p->older != NULL) {
        p->older->newer = p->newer;
    } else {
        web->oldest = p->newer;
    }
    if (p->newer != NULL) {
        p->newer->older = p->older;
    } else {
        web->newest = p->older;
    }
    free(p);
}

void request_forget(struct client *c)
{
    while (c->pending != NULL) {
        pending_drop(c, c->pending);
    }
}

void request_reply(struct web *web, const struct msg_reply *m)
{
    struct client *c = client_find(web, m->client);
    struct pending *p = c != NULL ? c->pending : NULL;

    while (p != NULL && p->request != m->request) {
        p = p->next;
    }
    if (p == NULL) {
        web->count.replies_late++;
        return;
    }
    answer(c, p->id, m->result, m->text, m->json);
    pending_drop(c, p);
}

void request_turn(struct web *web, int64_t now_us)
{
    while (web->oldest != NULL && web->oldest->until_us <= now_us) {
        struct pending *p = web->oldest;
        struct client *c = client_find(web, p->client);
        answer_text(c, p->id, RESULT_AWAY, "no answer in 10 s");
        pending_drop(c, p);
    }
}

/* --- members of requests ---------------------------------------------------------------------- */

/* An absent text is empty unless it is needed. */
static bool want_text(const struct asked *a, const char *name, uint32_t max, bool needed,
                      struct text *out)
{
    const json_ref at = json_get(a->doc, JSON_ROOT, name);

    *out = json_text(a->doc, at);
    if (out->ptr == NULL && (needed || json_type(a->doc, at) != JSON_ABSENT)) {
        snprintf(a->why, WHY_SIZE, "%s must be a text", name);
        return false;
    }
    if (out->len > max) {
        snprintf(a->why, WHY_SIZE, "%s is longer than %u bytes", name, max);
        return false;
    }
    if (needed && out->len == 0) {
        snprintf(a->why, WHY_SIZE, "%s is empty", name);
        return false;
    }
    return true;
}

static bool want_number(const struct asked *a, const char *name, bool needed, int64_t *out)
{
    const json_ref at = json_get(a->doc, JSON_ROOT, name);

    *out = 0;
    if (json_type(a->doc, at) == JSON_ABSENT && !needed) {
        return true;
    }
    if (!json_int(a->doc, at, out) || *out < (needed ? 1 : 0)) {
        snprintf(a->why, WHY_SIZE, "%s must be a whole number", name);
        return false;
    }
    return true;
}

static bool want_flag(const struct asked *a, const char *name, bool *out)
{
    if (!json_bool(a->doc, json_get(a->doc, JSON_ROOT, name), out)) {
        snprintf(a->why, WHY_SIZE, "%s must be true or false", name);
        return false;
    }
    return true;
}

/* --- the table of requests -------------------------------------------------------------------- */

/* Each returns RESULT_OK when a message is on its way, else what to answer, with `why`. */

static unsigned to_agent(const struct asked *a, uint16_t type, const void *msg)
{
    if (web_send(a->c->web, named(KIND_AGENT, a->c->who.agent), type, msg) == 0) {
        return RESULT_OK;
    }
    snprintf(a->why, WHY_SIZE, "this agent is not known (yet)");
    return RESULT_AWAY;
}

static unsigned ask_login(const struct asked *a)
{
    struct msg_agent_login m = {.client = a->c->id, .request = a->request};
    int64_t campaign;

    if (!want_number(a, "campaign", false, &campaign)) {
        return RESULT_INVALID;
    }
    m.campaign = (uint64_t)campaign;
    return to_agent(a, MSG_agent_login, &m);
}

static unsigned ask_logout(const struct asked *a)
{
    const struct msg_agent_logout m = {.client = a->c->id, .request = a->request};

    return to_agent(a, MSG_agent_logout, &m);
}

static unsigned ask_status(const struct asked *a)
{
    struct msg_set_status m = {.client = a->c->id, .request = a->request};
    const json_ref state = json_get(a->doc, JSON_ROOT, "state");

    if (json_is(a->doc, state, "available")) {
        m.state = AGENT_AVAILABLE;
    } else if (json_is(a->doc, state, "break")) {
        m.state = AGENT_BREAK;
    } else {
        snprintf(a->why, WHY_SIZE, "state must be available or break");
        return RESULT_INVALID;
    }
    return want_text(a, "reason", 64, false, &m.reason) ? to_agent(a, MSG_set_status, &m)
                                                        : RESULT_INVALID;
}

static unsigned ask_dial(const struct asked *a)
{
    struct msg_dial m = {.client = a->c->id, .request = a->request};
    int64_t lead;

    if (!want_text(a, "number", 32, true, &m.number) || !want_number(a, "lead", false, &lead)) {
        return RESULT_INVALID;
    }
    m.lead = (uint64_t)lead;
    return to_agent(a, MSG_dial, &m);
}

static unsigned ask_hang_up(const struct asked *a)
{
    const struct msg_hang_up m = {.client = a->c->id, .request = a->request};

    return to_agent(a, MSG_hang_up, &m);
}

static unsigned ask_mute(const struct asked *a)
{
    struct msg_set_mute m = {.client = a->c->id, .request = a->request};

    return want_flag(a, "on", &m.on) ? to_agent(a, MSG_set_mute, &m) : RESULT_INVALID;
}

static unsigned ask_dtmf(const struct asked *a)
{
    struct msg_send_dtmf m = {.client = a->c->id, .request = a->request};

    return want_text(a, "digits", 32, true, &m.digits) ? to_agent(a, MSG_send_dtmf, &m)
                                                       : RESULT_INVALID;
}

static unsigned ask_preview_dial(const struct asked *a)
{
    struct msg_preview_dial m = {.client = a->c->id, .request = a->request};

    return want_text(a, "attempt", ID_SIZE, true, &m.attempt) ? to_agent(a, MSG_preview_dial, &m)
                                                              : RESULT_INVALID;
}

static unsigned ask_preview_skip(const struct asked *a)
{
    struct msg_preview_skip m = {.client = a->c->id, .request = a->request};

    if (!want_text(a, "attempt", ID_SIZE, true, &m.attempt) ||
        !want_text(a, "reason", 64, true, &m.reason)) {
        return RESULT_INVALID;
    }
    return to_agent(a, MSG_preview_skip, &m);
}

static unsigned ask_lead(const struct asked *a)
{
    struct msg_choose_lead m = {.client = a->c->id, .request = a->request};
    int64_t lead;

    if (!want_text(a, "attempt", ID_SIZE, true, &m.attempt) ||
        !want_number(a, "lead", true, &lead)) {
        return RESULT_INVALID;
    }
    m.lead = (uint64_t)lead;
    return to_agent(a, MSG_choose_lead, &m);
}

static unsigned ask_disposition(const struct asked *a)
{
    struct msg_set_disposition m = {.client = a->c->id, .request = a->request};

    if (!want_text(a, "attempt", ID_SIZE, true, &m.attempt) ||
        !want_text(a, "code", 64, true, &m.code) || !want_text(a, "note", 4000, false, &m.note) ||
        !want_number(a, "callback", false, &m.callback_wall_ms)) {
        return RESULT_INVALID;
    }
    return to_agent(a, MSG_set_disposition, &m);
}

/* For the audit: who sits at this page. */
static struct text by_page(const struct client *c, char *out, size_t size)
{
    const int n = c->who.agent != 0 ? snprintf(out, size, "page:%s, agent %llu", c->who.name,
                                               (unsigned long long)c->who.agent)
                                    : snprintf(out, size, "page:%s", c->who.name);

    return (struct text){out, n > 0 && (size_t)n < size ? (uint32_t)n : (uint32_t)size - 1};
}

/* A wish that must outlive this daemon: ctl checks it, writes it down and tells the desk. */
static unsigned ask_switch(const struct asked *a)
{
    struct msg_campaign_switch m = {
        .client = a->c->id, .request = a->request, .reply_to = ADDR_WEB};
    char who[WHO_SIZE];
    const json_ref action = json_get(a->doc, JSON_ROOT, "action");
    int64_t campaign;

    if (!want_number(a, "campaign", true, &campaign)) {
        return RESULT_INVALID;
    }
    if (json_is(a->doc, action, "start")) {
        m.action = 1;
    } else if (json_is(a->doc, action, "stop")) {
        m.action = 2;
    } else if (json_is(a->doc, action, "stop_now")) {
        m.action = 3;
    } else {
        snprintf(a->why, WHY_SIZE, "action must be start, stop or stop_now");
        return RESULT_INVALID;
    }
    m.campaign = (uint64_t)campaign;
    m.who = by_page(a->c, who, sizeof who);
    if (web_send(a->c->web, ADDR_CTL, MSG_campaign_switch, &m) != 0) {
        snprintf(a->why, WHY_SIZE, "the daemon is not ready");
        return RESULT_AWAY;
    }
    return RESULT_OK;
}

static unsigned ask_explain(const struct asked *a)
{
    struct msg_explain_campaign m = {
        .client = a->c->id, .request = a->request, .reply_to = ADDR_WEB};
    int64_t campaign;

    if (!want_number(a, "campaign", true, &campaign)) {
        return RESULT_INVALID;
    }
    m.campaign = (uint64_t)campaign;
    /* a parked one has no actor: the desk speaks for it */
    if (web_send(a->c->web, named(KIND_CAMPAIGN, m.campaign), MSG_explain_campaign, &m) != 0 &&
        web_send(a->c->web, ADDR_DESK, MSG_explain_campaign, &m) != 0) {
        snprintf(a->why, WHY_SIZE, "the daemon is not ready");
        return RESULT_AWAY;
    }
    return RESULT_OK;
}

/* Answered without asking anybody. */
#define ask_ping NULL

static const struct request {
    const char *name;
    enum role least;
    bool as_agent; /* acts for the caller's own agent */
    unsigned (*ask)(const struct asked *a);
} requests[] = {
#define REQUEST(name, least, own, ask) {#name, ROLE_##least, own, ask_##ask},
#include "adapters/web/requests.def"
#undef REQUEST
};

static const struct request *find(const struct json *doc)
{
    const json_ref type = json_get(doc, JSON_ROOT, "type");

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (json_is(doc, type, requests[i].name)) {
            return &requests[i];
        }
    }
    return NULL;
}

static void carry_out(struct client *c, const struct json *doc, const struct request *r, int64_t id)
{
    char why[WHY_SIZE] = "";
    struct pending *p = pending_new(c, id);
    struct asked a = {.c = c, .doc = doc, .why = why};
    unsigned result;

    if (p == NULL) {
        answer_text(c, id, RESULT_AWAY, "no memory");
        return;
    }
    a.request = p->request;
    result = r->ask(&a);
    if (result != RESULT_OK) {
        c->web->count.requests_invalid += result == RESULT_INVALID;
        pending_drop(c, p);
        answer_text(c, id, result, why);
    }
}

void request_read(struct client *c, const struct json *doc)
{
    const struct request *r = find(doc);
    struct web *web = c->web;
    int64_t id = 0;

    web->count.requests++;
    if (!json_int(doc, json_get(doc, JSON_ROOT, "id"), &id) || id < 1) {
        web->count.requests_invalid++;
        answer_text(c, 0, RESULT_INVALID, "a request needs an id, a whole number from 1");
    } else if (r == NULL) {
        web->count.requests_invalid++;
        answer_text(c, id, RESULT_INVALID, "unknown type of request");
    } else if (c->who.role < r->least) {
        web->count.requests_refused_role++;
        answer_text(c, id, RESULT_REFUSED, "your role does not allow this");
    } else if (r->as_agent && c->who.agent == 0) {
        web->count.requests_refused_role++;
        answer_text(c, id, RESULT_REFUSED, "this login is not an agent's");
    } else if (r->ask == NULL) {
        answer_text(c, id, RESULT_OK, "");
    } else if (c->n_pending == PENDING_MAX) {
        answer_text(c, id, RESULT_AWAY, "too many requests are waiting for an answer");
    } else {
        carry_out(c, doc, r, id);
    }
}
