/* agent_sim_hear.c - what one agent hears, and what it then means to do. */
#include "adapters/sim/agent_sim_person.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_US (2 * US_PER_S) /* after a refusal */

static void break_planned(struct person *p)
{
    const double every = p->crowd->options.break_every_s;

    p->break_due_us =
        every > 0 ? net_now_us() + (int64_t)(person_exponential(p, every) * (double)US_PER_S) : 0;
}

static void became_available(struct person *p)
{
    if (p->break_due_us == 0) {
        person_never(p);
    } else {
        const int64_t left_us = p->break_due_us - net_now_us();
        person_later(p, NEXT_BREAK, left_us > 0 ? (double)left_us / (double)US_PER_S : 0.001);
    }
}

static void wrap_up(struct person *p, bool needs)
{
    if (!needs || strcmp(p->attempt, p->disposed) == 0) {
        person_never(p);
    } else if (rng_unit(&p->rng) < p->crowd->options.forget_share) {
        snprintf(p->disposed, sizeof p->disposed, "%s", p->attempt);
        p->crowd->total.forgotten++;
        person_never(p);
    } else {
        person_later(p, NEXT_DISPOSE, person_exponential(p, p->crowd->options.wrap_s));
    }
}

static void resting(struct person *p)
{
    if (p->resting) {
        break_planned(p);
        person_later(p, NEXT_AVAILABLE, person_exponential(p, p->crowd->options.break_s));
    } else if (p->working) {
        person_later(p, NEXT_AVAILABLE, 1 + rng_unit(&p->rng)); /* it was not our idea */
    }
}

/* What to do in this state; after a state that is new, or a connection that is. */
static void react(struct person *p)
{
    const char *state = p->state;

    if (!p->working && strcmp(state, "offline") != 0) {
        p->working = true; /* since before this socket */
        break_planned(p);
    }
    if (strcmp(state, "available") == 0) {
        became_available(p);
    } else if (strcmp(state, "wrapup") == 0) {
        wrap_up(p, p->needs);
    } else if (strcmp(state, "break") == 0) {
        resting(p);
    } else if (strcmp(state, "offline") == 0 && p->working) {
        p->working = false;
        person_later(p, NEXT_LOGIN, 1 + rng_unit(&p->rng));
    } else if (strcmp(state, "reserved") == 0 ||
               (strcmp(state, "busy") == 0 && p->next != NEXT_HANG_UP)) {
        person_never(p); /* what was planned for idle time waits for the next one */
    }
}

static void on_status(struct person *p, json_ref item)
{
    const struct json *doc = &p->crowd->doc;
    const char *state = json_str(doc, json_get(doc, item, "state"), "");
    const char *attempt = json_str(doc, json_get(doc, item, "attempt"), "");
    int64_t agent = 0;
    bool same;

    (void)json_int(doc, json_get(doc, item, "agent"), &agent);
    if (agent != p->agent) {
        return; /* a supervisor's ticket shows others, too */
    }
    p->needs = false;
    (void)json_bool(doc, json_get(doc, item, "needs_disposition"), &p->needs);
    same = strcmp(p->state, state) == 0 && strcmp(p->attempt, attempt) == 0;
    p->crowd->total.status_updates++;
    crowd_record(p->crowd, p->agent, "status", "state", state, attempt);
    snprintf(p->state, sizeof p->state, "%s", state);
    snprintf(p->attempt, sizeof p->attempt, "%s", attempt);
    if (same || p->leaving) {
        return; /* a repetition, or a detail: plans stand */
    }
    react(p);
}

void person_talk_over(struct person *p)
{
    if (p->talk_from_us != 0) {
        p->crowd->total.talk_s += (double)(net_now_us() - p->talk_from_us) / (double)US_PER_S;
        p->talk_from_us = 0;
        if (p->next == NEXT_HANG_UP) {
            person_never(p);
        }
    }
}

static void talk_begins(struct person *p)
{
    p->bridged = true;
    p->talk_from_us = net_now_us();
    if (rng_unit(&p->rng) < p->crowd->options.hangup_share) {
        person_later(p, NEXT_HANG_UP, person_exponential(p, p->crowd->options.talk_s));
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
        talk_begins(p);
    } else if (strcmp(state, "gone") == 0) {
        p->bridged = false;
        person_talk_over(p);
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
    if (after != p->seq) {
        char how[64];
        crowd->total.gaps++;
        snprintf(how, sizeof how, "after %lld, has %lld", (long long)after, (long long)p->seq);
        crowd_record(crowd, p->agent, "gap", "how", how, NULL);
    }
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
    const struct json *doc = &crowd->doc;
    const bool again = p->stream[0] != '\0';
    bool resumed = false;

    (void)json_int(doc, json_get(doc, JSON_ROOT, "agent"), &p->agent);
    (void)json_bool(doc, json_get(doc, JSON_ROOT, "resumed"), &resumed);
    snprintf(p->stream, sizeof p->stream, "%s",
             json_str(doc, json_get(doc, JSON_ROOT, "stream"), ""));
    p->welcome = true;
    crowd->connecting--;
    crowd->online++;
    crowd->total.connected++;
    crowd->total.returned += again;
    crowd->total.resumed += resumed;
    crowd_record(crowd, p->agent, "connected", "resumed", resumed ? "yes" : "no", NULL);
    person_later(p, NEXT_LOGIN, 0.3 * rng_unit(&p->rng));
    if (resumed) {
        react(p);
        if (p->bridged) {
            talk_begins(p);
        }
    } else { /* the whole picture follows: what was known counts no more */
        p->seq = 0;
        p->bridged = false;
        p->state[0] = p->attempt[0] = '\0';
    }
    crowd_connect_more(crowd);
}

static void answered(struct person *p, const char *type, bool ok, const char *result)
{
    struct crowd *crowd = p->crowd;

    if (strcmp(type, "set_disposition") == 0) {
        crowd_record(crowd, p->agent, ok ? "disposed" : "not disposed", "code",
                     ok ? p->code : result, p->disposing);
        if (ok) {
            snprintf(p->disposed, sizeof p->disposed, "%s", p->disposing);
            crowd->total.disposed++;
        } else {
            crowd->total.dispose_failed++;
            if (strcmp(p->state, "wrapup") == 0) {
                person_later(p, NEXT_DISPOSE, 1);
            }
        }
    } else if (strcmp(type, "agent_login") == 0) {
        p->working = ok;
        crowd->total.logins += ok;
        person_later(p, ok ? NEXT_AVAILABLE : NEXT_LOGIN, ok ? 0.05 : 2);
        if (ok) {
            break_planned(p);
        }
    } else if (strcmp(type, "set_status") == 0 && !ok) {
        p->resting = false;
        if (strcmp(p->state, "break") == 0 || strcmp(p->state, "offline") == 0) {
            person_later(p, NEXT_AVAILABLE, (double)AGAIN_US / (double)US_PER_S);
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

void person_hear(struct person *p)
{
    const struct json *doc = &p->crowd->doc;
    const json_ref type = json_get(doc, JSON_ROOT, "type");

    if (json_is(doc, type, "changes")) {
        on_changes(p);
    } else if (json_is(doc, type, "reply")) {
        on_reply(p);
    } else if (json_is(doc, type, "welcome")) {
        on_welcome(p);
    }
}
