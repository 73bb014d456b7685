// A call to the outside: endpoints and their limits, the INVITE, what the far end does, the
// timeout, and every way in which a channel ends, with its events in Asterisk's order.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sim/model.h"

enum { SIP_TIMER_B_US = 32000000 };

// How often a number was dialed: with the seed it decides its fate.
struct dialed {
    struct idnode node;
    struct dialed *next;
    uint32_t count;
    char number[];
};

void dialed_forget(struct pbx *pbx)
{
    while (pbx->dialed_first != NULL) {
        struct dialed *d = pbx->dialed_first;
        pbx->dialed_first = d->next;
        free(d);
    }
    pbx->dialed.root = NULL;
}

static uint32_t ordinal(struct pbx *pbx, const char *number)
{
    struct dialed *d = (struct dialed *)(void *)idtree_find(&pbx->dialed, number);
    if (d == NULL) {
        size_t size = strlen(number) + 1;
        d = mem_new(sizeof *d + size);
        mem_copy(d->number, size, number);
        d->node.key = d->number;
        idtree_insert(&pbx->dialed, &d->node);
        d->next = pbx->dialed_first;
        pbx->dialed_first = d;
    }
    return d->count++;
}

// --- endpoints ---

struct endpoint *endpoint_add(struct pbx *pbx, const char *name)
{
    struct endpoint *e = mem_new(sizeof *e);
    mem_copy(e->name, sizeof e->name, name);
    snprintf(e->key, sizeof e->key, "PJSIP/%s", e->name);
    e->node.key = e->key;
    e->registered = true;
    e->shown = device_state(e);
    idtree_insert(&pbx->endpoint_ids, &e->node);
    struct endpoint **at = &pbx->endpoints;
    while (*at != NULL)
        at = &(*at)->next;
    *at = e;
    return e;
}

static bool matches(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);
    if (len > 0 && pattern[len - 1] == '*')
        return strncmp(pattern, name, len - 1) == 0;
    return strcmp(pattern, name) == 0;
}

struct endpoint *endpoint_find(struct pbx *pbx, const char *name)
{
    char key[PBX_NAME + 8];
    if (strlen(name) >= PBX_NAME)
        return NULL;
    snprintf(key, sizeof key, "PJSIP/%s", name);
    struct endpoint *e = (struct endpoint *)(void *)idtree_find(&pbx->endpoint_ids, key);
    if (e != NULL)
        return strcmp(e->name, name) == 0 ? e : NULL;
    for (size_t i = 0; i < pbx->config.phones; i++) {
        if (!matches(pbx->config.phone[i].pattern, name))
            continue;
        e = endpoint_add(pbx, name);
        e->phone = pbx->config.phone[i];
        e->registered = !e->phone.unregistered;
        e->shown = device_state(e);
        return e;
    }
    return NULL;
}

bool endpoint_reachable(const struct endpoint *e)
{
    return e != NULL && e->registered;
}

// No more than limits.cps calls in any second.
static bool over_rate(struct pbx *pbx, struct endpoint *e)
{
    uint32_t limit = e->limits.cps > 0 ? (uint32_t)ceil(e->limits.cps) : 0;
    if (limit == 0)
        return false;
    if (limit != e->recents) {
        e->recent = mem_grow(e->recent, limit * sizeof *e->recent);
        for (uint32_t i = 0; i < limit; i++)
            e->recent[i] = INT64_MIN / 2;
        e->recents = limit;
        e->recent_at = 0;
    }
    if (pbx->now_us - e->recent[e->recent_at] < 1000000)
        return true;
    e->recent[e->recent_at] = pbx->now_us;
    e->recent_at = (e->recent_at + 1) % limit;
    return false;
}

// --- dial strings ---

int dial_parse(struct dial_target *t, const char *endpoint)
{
    *t = (struct dial_target){.tech = ""};
    const char *slash = strchr(endpoint, '/');
    if (slash == NULL || slash[1] == '\0' || slash == endpoint ||
        (size_t)(slash - endpoint) >= sizeof t->tech)
        return -1;
    memcpy(t->tech, endpoint, (size_t)(slash - endpoint));
    mem_copy(t->dial, sizeof t->dial, slash + 1);
    const char *at = strchr(t->dial, '@'), *uri = strstr(t->dial, "/sip:");
    if (uri != NULL) { // PJSIP/agent/sip:user@host:port
        mem_copy(t->endpoint, sizeof t->endpoint, t->dial);
        if ((size_t)(uri - t->dial) < sizeof t->endpoint)
            t->endpoint[uri - t->dial] = '\0';
        mem_copy(t->user, sizeof t->user, uri + 5);
        t->user[strcspn(t->user, "@")] = '\0';
    } else if (at != NULL) {
        mem_copy(t->endpoint, sizeof t->endpoint, at + 1);
        mem_copy(t->user, sizeof t->user, t->dial);
        if ((size_t)(at - t->dial) < sizeof t->user)
            t->user[at - t->dial] = '\0';
    } else {
        mem_copy(t->endpoint, sizeof t->endpoint, t->dial);
    }
    return 0;
}

void call_attach(struct chan *c, struct endpoint *e, const struct dial_target *t)
{
    struct pbx *pbx = c->pbx;
    c->endpoint = e;
    e->live++;
    mem_copy(c->dial, sizeof c->dial, t->dial);
    mem_copy(c->number, sizeof c->number, t->user);
    chan_name(c);
    if (!pbx->config.scripts || far_parse(&c->far, t->user) != 0) {
        if (e->trunk)
            far_draw(&c->far, &pbx->config.people, pbx->config.seed, t->user,
                     ordinal(pbx, t->user));
        else if (e->phone.refuse > 0)
            c->far = (struct far_end){
                .steps = 1, .fate = "phone", .step = {{50, FAR_FINAL, e->phone.refuse}}};
        else
            far_phone(&c->far, e->phone.answer_ms);
    }
    if (e->trunk && e->limits.silent)
        c->far = (struct far_end){.silent = true, .fate = "silent"};
    ev_created(c);
    chan_plan_app(c, "AppDial2", "(Outgoing Line)");
    ev_dialplan(c);
    ev_endpoint_state(pbx, e);
}

// --- the far end's steps ---

static void next_step(struct chan *c)
{
    if (c->far_next < c->far.steps)
        sched_at(&c->pbx->sched, &c->far_task,
                 c->invited_us + (int64_t)c->far.step[c->far_next].at_ms * 1000 +
                     c->pbx->config.setup_us);
}

// ChannelStateChange and Dial of the same step come in either order.
static void state_and_dial(struct chan *c, enum chan_state state, const char *status)
{
    bool dial_first = (pbx_random(c->pbx) & 1) != 0;
    if (dial_first && state == CHAN_RINGING)
        ev_dial(c, status, "", NULL);
    chan_set_state(c, state);
    ev_state(c);
    if (!dial_first || state != CHAN_RINGING)
        ev_dial(c, status, "", NULL);
}

void call_answered(struct chan *c)
{
    struct pbx *pbx = c->pbx;
    sched_cancel(&pbx->sched, &c->timeout_task);
    pbx->answers++;
    c->answered = true;
    struct app *app = c->origin == BY_APP ? app_find(pbx, c->stasis_app) : NULL;
    witness_open(pbx, "answer", c->id);
    json_put_str(&pbx->line, "fate", c->far.fate);
    if (c->origin == BY_APP)
        json_put_bool(&pbx->line, "client", app != NULL && app->client != NULL);
    witness_close(pbx);
    state_and_dial(c, CHAN_UP, "ANSWER");
    if (c->bridge != NULL)
        bridge_settle(c->bridge);
    voice_start(c);
    if (c->origin == BY_APP) {
        if (!stasis_enter(c, c->stasis_app, c->stasis_args))
            call_end(c, END_PLAN, 0);
    } else if (c->origin == BY_CONTEXT) {
        plan_start(c, c->plan_first, c->plan_context, c->plan_exten);
    }
}

static void redirect_here(struct chan *c)
{
    // The same channel tries the new destination; ARI sees nothing of it but the answer.
    struct far_end next;
    if (far_parse(&next, c->far.redirect) != 0)
        far_draw(&next, &c->pbx->config.people, c->pbx->config.seed, c->far.redirect,
                 ordinal(c->pbx, c->far.redirect));
    c->far = next;
    c->far_next = 0;
    c->invited_us = c->pbx->now_us;
    next_step(c);
}

static void final_response(struct chan *c, int code)
{
    if (code != 302 || c->far.redirect[0] == '\0')
        call_end(c, END_FINAL, code);
    else if (c->endpoint->limits.redirect == REDIRECT_URI_PJSIP)
        redirect_here(c);
    else
        call_forward(c, code);
}

static void far_step(void *owner)
{
    struct chan *c = owner;
    if (!c->dialed) {
        c->dialed = true;
        ev_dial(c, "", "", NULL);
        if (!c->dial_named)
            c->dial_named = c->origin != BY_CREATE;
        next_step(c);
        return;
    }
    const struct far_step step = c->far.step[c->far_next++];
    char exten[16];
    bool gone = false;
    switch (step.kind) {
    case FAR_RING:
        if (c->state == CHAN_DOWN)
            state_and_dial(c, CHAN_RINGING, "RINGING");
        break;
    case FAR_PROGRESS:
        c->media = true;
        ev_dial(c, "PROGRESS", "", NULL);
        break;
    case FAR_FINAL:
        final_response(c, step.arg);
        gone = true;
        break;
    case FAR_ANSWER:
        next_step(c);
        call_answered(c); // may end the channel
        gone = true;
        break;
    case FAR_DTMF:
        media_digit(c, (char)(step.arg & 255));
        if (!bridge_hides_dtmf(c->bridge))
            ev_dtmf(c, (char)(step.arg & 255), step.arg > 255 ? 160 : 120);
        break;
    case FAR_HOLD:
    case FAR_UNHOLD:
        ev_hold(c, step.kind == FAR_HOLD);
        break;
    case FAR_REFER:
        (void)snprintf(exten, sizeof exten, "%d", step.arg);
        call_refer(c, exten);
        break;
    case FAR_BYE:
        gone = true;
        call_end(c, END_BYE, step.arg);
        break;
    }
    if (!gone)
        next_step(c);
}

static void timed_out(void *owner)
{
    call_end(owner, END_TIMEOUT, 0);
}

static void nobody_answers_sip(void *owner)
{
    call_end(owner, END_FINAL, 408);
}

void call_invite(struct chan *c, int timeout_s)
{
    struct pbx *pbx = c->pbx;
    struct endpoint *e = c->endpoint;
    c->invited_us = pbx->now_us;
    c->dial_named = c->origin != BY_CREATE;
    if (e->trunk &&
        (over_rate(pbx, e) || (e->limits.lines > 0 && e->live > (int)e->limits.lines))) {
        pbx->refused++;
        c->far = (struct far_end){.steps = 1, .fate = "refused", .step = {{20, FAR_FINAL, 503}}};
    }
    c->far_task = (struct task){.run = far_step, .owner = c};
    c->timeout_task = (struct task){.run = timed_out, .owner = c};
    if (timeout_s >= 0) {
        pbx_at(pbx, &c->timeout_task, (int64_t)timeout_s * 1000000);
    } else if (c->far.silent) {
        c->timeout_task.run = nobody_answers_sip;
        pbx_at(pbx, &c->timeout_task, SIP_TIMER_B_US);
    }
    if (c->dialed) {
        next_step(c);
    } else if (c->origin != BY_CREATE && pbx_chance(pbx) < pbx->config.early_events) {
        pbx->early++;
        far_step(c);
    } else {
        pbx_at(pbx, &c->far_task, pbx->config.setup_us);
    }
}

// --- the end ---

static void end_due(void *owner)
{
    struct chan *c = owner;
    c->ending = false;
    call_end(c, END_DELETE, 0);
}

void call_delete(struct chan *c, int cause)
{
    c->requests++;
    if (c->ending)
        return;
    c->ending = true;
    c->end_cause = cause;
    sched_cancel(&c->pbx->sched, &c->timeout_task);
    if (c->far.late && c->state != CHAN_UP)
        witness_plain(c->pbx, "late_answer", c->id);
    c->end_task = (struct task){.run = end_due, .owner = c};
    pbx_at(c->pbx, &c->end_task, c->pbx->config.hangup_us);
}

struct ending {
    int request_cause; // of ChannelHangupRequest; -1: no cause
    bool soft;
    bool request; // there is one at all
    int cause, tech;
    bool late_statistics; // they come at the very end
    const char *dial;     // final Dial, NULL: none
};

static struct ending ending_of(const struct chan *c, enum end_how how, int code)
{
    bool dial = c->invited_us > 0 && c->state != CHAN_UP && c->origin != BY_CREATE;
    struct ending e = {.request_cause = -1, .request = true};
    switch (how) {
    case END_BYE:
        e.cause = code >= 0 ? code : c->bridged || c->origin == BY_CREATE ? NORMAL_CLEARING : 0;
        e.request_cause = code;
        e.tech = code > 0 ? sip_of_cause(code) : 0;
        break;
    case END_FINAL:
        e.cause = e.request_cause = cause_of_sip(code);
        e.tech = code;
        e.dial = dial ? dialstatus_of_sip(code) : NULL;
        break;
    case END_TIMEOUT:
        e.cause = 19;
        e.tech = 480;
        e.request = c->origin == BY_CREATE;
        e.request_cause = 32;
        e.soft = true;
        break;
    case END_DELETE:
        e.cause = c->end_cause;
        e.tech = sip_of_cause(e.cause);
        e.request_cause = 32;
        e.soft = true;
        e.dial = !dial ? NULL : e.cause == 17 ? "BUSY" : e.cause == 34 ? "CONGESTION" : "NOANSWER";
        break;
    case END_PLAN:
        e.request = code > 0;
        e.cause = code > 0 ? code : c->bridged ? NORMAL_CLEARING : 0;
        e.request_cause = code;
        e.soft = true;
        break;
    case END_STOP:
        e.late_statistics = c->state == CHAN_UP;
        e.request_cause = 4;
        e.soft = true;
        e.dial = dial ? "NOANSWER" : NULL;
        break;
    }
    return e;
}

static void witness_end(struct chan *c, enum end_how how, const struct ending *e)
{
    static const char *const by[] = {"far", "final", "timeout", "us", "dialplan", "stop"};
    struct pbx *pbx = c->pbx;
    witness_open(pbx, "end", c->id);
    json_put_str(&pbx->line, "by", by[how]);
    json_put_int(&pbx->line, "cause", e->cause);
    if (e->tech > 0)
        json_put_int(&pbx->line, "sip", e->tech);
    json_put_bool(&pbx->line, "answered", c->answered);
    if (c->bridge != NULL)
        json_put_str(&pbx->line, "bridge", c->bridge->id);
    witness_close(pbx);
}

// The end of one half of a Local channel ends the other.
static void other_half(struct chan *c)
{
    struct chan *other = c->other;
    other->other = c->other = NULL;
    call_end(other, END_BYE, NORMAL_CLEARING);
}

// What follows once the events about the request are out: leave bridge, Stasis and dialplan, then
// the last event.
static void finish(struct chan *c, const struct ending *e)
{
    struct pbx *pbx = c->pbx;
    bool undialed = c->origin == BY_CREATE && c->invited_us == 0;
    media_chan_end(c);
    if (c->bridge != NULL)
        bridge_leave(c, false);
    stasis_leave(c, true);
    if (c->plan != NULL && strcmp(c->plan_app, "AMD") == 0)
        amd_result(c, true);
    if (c->success_due)
        ev_varset(c, "STASISSTATUS", "SUCCESS");
    c->success_due = false;
    if (c->far.refer_stuck && c->redirected) {
        c->ghost = true; // GET lists it for ever, DELETE says 404
        return;
    }
    if (plan_hangs_up(c))
        ev_hangup_request(c, NORMAL_CLEARING, true, 0);
    if (c->origin == BY_APP || c->origin == BY_CONTEXT)
        chan_plan_app(c, "AppDial2", "(Outgoing Line)");
    if (e->late_statistics)
        ev_qos(c);
    int tech = e->tech;
    if (undialed && tech == 0) {
        tech = 603;
        ev_hangup_request(c, e->cause, false, tech);
    }
    ev_destroyed(c, e->cause, tech);
    pbx->ended++;
    if (c->bridge == NULL && c->other != NULL)
        other_half(c);
    while (c->snoops > 0) {
        struct chan *s = pbx->channels;
        while (s->snooped != c)
            s = s->next;
        call_end(s, END_PLAN, 0);
    }
    chan_drop(c);
}

void call_end(struct chan *c, enum end_how how, int code)
{
    struct pbx *pbx = c->pbx;
    if (c->ghost && how != END_STOP)
        return;
    if (how == END_STOP)
        c->redirected = false; // a ghost goes too
    struct ending e = ending_of(c, how, code);
    witness_end(c, how, &e);
    struct task *tasks[] = {&c->far_task, &c->timeout_task, &c->end_task, &c->plan_task,
                            &c->voice_task};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        sched_cancel(&pbx->sched, tasks[i]);
    c->ending = false;
    bool plan_first = how == END_PLAN;
    if (plan_first && e.request)
        ev_hangup_request(c, e.request_cause, e.soft, 0);
    if ((c->state == CHAN_UP || c->media) && c->origin != BY_SNOOP && c->origin != BY_LOCAL &&
        !c->qos_told && how != END_STOP)
        ev_qos(c);
    if (!plan_first && e.request)
        for (int i = how == END_DELETE ? c->requests : 1; i > 0; i--)
            ev_hangup_request(c, e.request_cause, e.soft,
                              how == END_FINAL || how == END_BYE ? e.tech : 0);
    if (e.dial != NULL)
        ev_dial(c, e.dial, "", NULL);
    finish(c, &e);
}

// 302: Asterisk dials the new destination by itself, under ids of its own; ours ends.
void call_forward(struct chan *c, int code)
{
    struct pbx *pbx = c->pbx;
    bool user = c->endpoint->limits.redirect == REDIRECT_USER;
    ev_hangup_request(c, cause_of_sip(code), false, code);
    struct chan *next = chan_new(pbx, NULL, user ? BY_FORWARD : BY_APP);
    struct chan *half = NULL;
    char forward[200];
    mem_copy(forward, sizeof forward, c->far.redirect);
    if (user) {
        mem_copy(next->exten, sizeof next->exten, c->far.redirect);
        half = chan_new(pbx, NULL, BY_FORWARD);
        snprintf(next->name, sizeof next->name, "Local/%s@%s-%08x;1", c->far.redirect, c->context,
                 pbx->next_local);
        snprintf(half->name, sizeof half->name, "Local/%s@%s-%08x;2", c->far.redirect, c->context,
                 pbx->next_local++);
        half->state = CHAN_RING;
        mem_copy(half->exten, sizeof half->exten, c->far.redirect);
        next->other = half;
        half->other = next;
        chan_plan_app(next, "AppDial2", "(Outgoing Line)");
    } else {
        struct dial_target t = {.tech = "PJSIP"};
        mem_copy(t.user, sizeof t.user, c->far.redirect);
        snprintf(t.dial, sizeof t.dial, "%s/sip:%s@127.0.0.1:5080", c->endpoint->name,
                 c->far.redirect);
        snprintf(forward, sizeof forward, "PJSIP/%s", t.dial);
        call_attach(next, c->endpoint, &t);
        next->dialed = true; // its first Dial event is the one that tells of the forward
        struct app *app = app_find(pbx, c->stasis_app);
        if (app != NULL)
            interest_add(app, next->interest);
        mem_copy(next->stasis_app, sizeof next->stasis_app, c->stasis_app);
        mem_copy(next->stasis_args, sizeof next->stasis_args, c->stasis_args);
    }
    ev_dial(c, "CANCEL", forward, next);
    ev_destroyed(c, cause_of_sip(code), code);
    struct ending e = {.cause = cause_of_sip(code), .tech = code};
    witness_end(c, END_FINAL, &e);
    witness_word(pbx, "forwarded", c->id, "to", next->id);
    pbx->ended++;
    chan_drop(c);
    if (half != NULL) {
        char args[400];
        snprintf(args, sizeof args, "%s,%s", half->context, half->exten);
        stasis_enter(half, pbx->config.app, args);
    } else {
        call_invite(next, -1);
    }
}
