// POST /channels, /channels/{id}, /channels/create, /channels/{id}/dial: everything that makes a
// call.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"
#include "adapters/sim/rest_channels.h"

enum {
    DEFAULT_TIMEOUT_S = 30,
    CREATED_US = 150,
    CREATED_LATE_US = 2000,
    RECORDING_BLOCKS_US = 4000000
};

struct wish {
    const char *id, *other_id, *app, *app_args, *context, *exten, *label, *caller_id;
    int priority;
    struct dial_target to;
    struct endpoint *endpoint;
};

static void witness_originate(struct rest *r, const struct wish *w, const char *id,
                              const struct chan *c)
{
    struct json_writer *line = &r->pbx->line;
    witness_open(r->pbx, "originate", id);
    json_put_str(line, "endpoint", w->to.endpoint);
    json_put_str(line, "number", w->to.user);
    if (w->app != NULL)
        json_put_str(line, "app", w->app);
    if (w->context != NULL)
        json_put_str(line, "context", w->context);
    json_put_str(line, "fate", c != NULL ? c->far.fate : "failed");
    json_put_int(line, "status", r->out->status);
    witness_close(r->pbx);
    r->pbx->originates++;
}

// "Name <number>": separators are stripped from a number; a bare word is a name.
static void set_caller(struct chan *c, const char *text)
{
    char name[80] = "", number[80] = "";
    const char *open = strchr(text, '<');
    const char *from = open != NULL ? open + 1 : text;
    size_t n = 0;
    bool digits = true;
    for (const char *at = from; *at != '\0' && *at != '>'; at++) {
        if (strchr("()-. ", *at) != NULL)
            continue;
        digits = digits && strchr("0123456789+*#", *at) != NULL;
        if (n < sizeof number - 1)
            number[n++] = *at;
    }
    number[n] = '\0';
    if (open != NULL || !digits) {
        size_t len = open != NULL ? (size_t)(open - text) : strlen(text);
        while (len > 0 && text[len - 1] == ' ')
            len--;
        if (len > 1 && text[0] == '"' && text[len - 1] == '"') {
            text++;
            len -= 2;
        }
        snprintf(name, sizeof name, "%.*s", (int)len, text);
    }
    if (open == NULL && !digits)
        number[0] = '\0';
    mem_copy(c->caller_name, sizeof c->caller_name, name);
    mem_copy(c->caller_number, sizeof c->caller_number, number);
    mem_copy(c->connected_name, sizeof c->connected_name, name);
    mem_copy(c->connected_number, sizeof c->connected_number, number);
}

// False: answered.
static bool check_variables(struct rest *r)
{
    const struct json *doc = &r->pbx->parsed;
    json_ref list = r->body ? json_get(doc, JSON_ROOT, "variables") : JSON_NONE;
    if (json_type(doc, list) != JSON_OBJECT)
        return true; // anything else is ignored
    for (json_ref i = json_first(doc, list); i != JSON_NONE; i = json_next(doc, i)) {
        enum json_type type = json_type(doc, i);
        if (type == JSON_OBJECT && json_type(doc, json_get(doc, i, "value")) != JSON_STRING) {
            rest_error(r, 400,
                       "Each object value in 'variables' must include string field 'value'");
            return false;
        }
        if (type != JSON_STRING && type != JSON_OBJECT) {
            rest_error(
                r, 400,
                "Each value in 'variables' must be a string or an object with 'value' and optional "
                "'report_events'");
            return false;
        }
    }
    return true;
}

static void set_variables(struct rest *r, struct chan *c)
{
    const struct json *doc = &r->pbx->parsed;
    json_ref list = r->body ? json_get(doc, JSON_ROOT, "variables") : JSON_NONE;
    for (json_ref i = json_first(doc, list); i != JSON_NONE; i = json_next(doc, i)) {
        bool report = false;
        const char *value = json_str(doc, i, NULL);
        if (value == NULL) {
            value = json_str(doc, json_get(doc, i, "value"), "");
            json_bool(doc, json_get(doc, i, "report_events"), &report);
        }
        variable_set(c, json_key(doc, i).ptr, value, report, false);
    }
}

static bool known_formats(struct rest *r, const char *formats)
{
    static const char known[] = " ulaw alaw slin slin16 g729 g722 gsm opus ";
    char one[40], message[100], spaced[44];
    for (const char *at = formats; *at != '\0';) {
        size_t len = strcspn(at, ",");
        snprintf(one, sizeof one, "%.*s", (int)len, at);
        snprintf(spaced, sizeof spaced, " %s ", one);
        if (strstr(known, spaced) == NULL) {
            snprintf(message, sizeof message, "Provided format (%s) was not found", one);
            rest_error(r, 400, message);
            return false;
        }
        at += len + (at[len] == ',');
    }
    return true;
}

// False: answered.
static bool read_target(struct rest *r, struct wish *w)
{
    const char *endpoint = rest_param(r, "endpoint");
    if (endpoint == NULL || endpoint[0] == '\0') {
        rest_error(r, 400, "Endpoint must be specified");
        return false;
    }
    if (dial_parse(&w->to, endpoint) != 0) {
        rest_error(r, 400, "Invalid endpoint specified");
        return false;
    }
    const char *formats = rest_param(r, "formats"), *originator = rest_param(r, "originator");
    if (formats != NULL && originator != NULL) {
        rest_error(r, 400, "Originator and formats can't both be specified");
        return false;
    }
    if (originator != NULL && chan_find(r->pbx, originator) == NULL) {
        rest_error(r, 400, "Provided originator channel was not found");
        return false;
    }
    if (formats != NULL && !known_formats(r, formats))
        return false;
    return check_variables(r);
}

// Where the call goes when it is answered. False: answered.
static bool read_destination(struct rest *r, struct wish *w)
{
    w->app = rest_param(r, "app");
    w->app_args = rest_param(r, "appArgs");
    if (w->app_args == NULL)
        w->app_args = "";
    w->exten = rest_param(r, "extension");
    w->context = rest_param(r, "context");
    w->label = rest_param(r, "label");
    w->priority = rest_int(r, "priority", 1);
    if (w->app != NULL && w->app[0] != '\0') {
        w->context = NULL;
        return true;
    }
    w->app = NULL;
    if (w->exten == NULL || w->exten[0] == '\0') {
        rest_error(r, 400, "Application or extension must be specified");
        return false;
    }
    if (w->context == NULL || w->context[0] == '\0')
        w->context = "default";
    if (w->label != NULL && plan_find(r->pbx, w->context, w->exten, 1, w->label) == NULL) {
        rest_error(r, 404, "Requested label can not be found");
        return false;
    }
    return true;
}

// False: answered.
static bool check_ids(struct rest *r, const struct wish *w)
{
    if (strlen(w->id) > ID_MAX || strlen(w->other_id) > ID_MAX) {
        rest_error(r, 400, "Uniqueid length exceeds maximum of 149");
        return false;
    }
    if (chan_id_taken(r->pbx, w->id) || chan_id_taken(r->pbx, w->other_id)) {
        rest_duplicate(r);
        return false;
    }
    return true;
}

static bool reachable(struct rest *r, struct wish *w)
{
    w->endpoint = strcmp(w->to.tech, "PJSIP") == 0 ? endpoint_find(r->pbx, w->to.endpoint) : NULL;
    if (!r->pbx->stopping && endpoint_reachable(w->endpoint))
        return true;
    rest_allocation_failed(r);
    return false;
}

static const char *given(const struct rest *r, const char *name)
{
    const char *value = rest_param(r, name);
    return value != NULL ? value : "";
}

static int timeout_of(const struct rest *r)
{
    int timeout = rest_int(r, "timeout", DEFAULT_TIMEOUT_S);
    return timeout == -1     ? -1
           : timeout <= 0    ? DEFAULT_TIMEOUT_S
           : timeout > 86400 ? 86400
                             : timeout;
}

static void prepare(struct rest *r, struct chan *c, const struct wish *w)
{
    if (w->caller_id != NULL)
        set_caller(c, w->caller_id);
    call_attach(c, w->endpoint, &w->to);
    set_variables(r, c);
}

static void local_begins(void *owner)
{
    struct chan *c = owner, *other = c->other;
    const struct plan_line *line = plan_find(c->pbx, c->context, c->exten, 1, NULL);
    if (line == NULL) { // no such extension: both halves are gone at once
        c->other = other->other = NULL;
        call_end(other, END_PLAN, 0);
        call_end(c, END_PLAN, 0);
        return;
    }
    c->invited_us = c->pbx->now_us;
    ev_dial(c, "", "", NULL);
    plan_start(other, line, c->context, c->exten);
}

// Local/exten@context: two channels back to back, the second runs the dialplan.
static struct chan *local_channel(struct rest *r, const struct wish *w)
{
    struct pbx *pbx = r->pbx;
    char other_id[ID_SIZE];
    struct chan *c = chan_new(pbx, w->id, BY_LOCAL);
    snprintf(other_id, sizeof other_id, "%.*s;2", ID_MAX, c->id);
    struct chan *other = chan_new(pbx, w->other_id[0] != '\0' ? w->other_id : other_id, BY_LOCAL);
    struct chan *half[] = {c, other};
    struct app *a = w->app != NULL ? app_find(pbx, w->app) : NULL;
    for (int i = 0; i < 2; i++) {
        snprintf(half[i]->name, sizeof half[i]->name, "Local/%.150s-%08x;%d", w->to.dial,
                 pbx->next_local, i + 1);
        mem_copy(half[i]->context, sizeof half[i]->context, w->to.endpoint);
        mem_copy(half[i]->exten, sizeof half[i]->exten, w->to.user);
        half[i]->far.fate = "local";
        half[i]->other = half[1 - i];
        if (a != NULL)
            interest_add(a, half[i]->interest);
    }
    pbx->next_local++;
    mem_copy(c->dial, sizeof c->dial, w->to.dial);
    c->dial_named = true;
    chan_plan_app(c, "AppDial2", "(Outgoing Line)");
    other->state = CHAN_RING;
    c->plan_task = (struct task){.run = local_begins, .owner = c};
    pbx_at(pbx, &c->plan_task, CREATED_US);
    return c;
}

static void originate(struct rest *r, const char *path_id)
{
    struct pbx *pbx = r->pbx;
    struct wish w = {.caller_id = rest_param(r, "callerId")};
    w.id = path_id != NULL ? path_id : given(r, "channelId");
    w.other_id = given(r, "otherChannelId");
    struct chan *c = NULL;
    bool local = read_target(r, &w) && strcmp(w.to.tech, "Local") == 0;
    if (r->out->status != 0 || !read_destination(r, &w) || !check_ids(r, &w) ||
        !(local || reachable(r, &w))) {
        witness_originate(r, &w, w.id, NULL);
        return;
    }
    if (local) {
        c = local_channel(r, &w);
        put_chan(r->reply, NULL, c);
        rest_reply(r, 200);
        witness_originate(r, &w, c->id, c);
        return;
    }
    c = chan_new(pbx, w.id, w.app != NULL ? BY_APP : BY_CONTEXT);
    prepare(r, c, &w);
    if (w.app != NULL) {
        mem_copy(c->stasis_app, sizeof c->stasis_app, w.app);
        mem_copy(c->stasis_args, sizeof c->stasis_args, w.app_args);
        struct app *a = app_find(pbx, w.app);
        if (a != NULL)
            interest_add(a, c->interest);
    } else {
        mem_copy(c->plan_context, sizeof c->plan_context, w.context);
        mem_copy(c->plan_exten, sizeof c->plan_exten, w.exten);
        c->plan_first = plan_find(pbx, w.context, w.exten, w.priority, w.label);
    }
    put_chan(r->reply, NULL, c);
    rest_reply(r, 200);
    witness_originate(r, &w, c->id, c);
    call_invite(c, timeout_of(r));
}

static void post_channels(struct rest *r)
{
    originate(r, NULL);
}

static void post_channel(struct rest *r)
{
    originate(r, r->segment[1]);
}

// The created channel enters Stasis a moment after its answer.
static void created(void *owner)
{
    struct chan *c = owner;
    if (!stasis_enter(c, c->stasis_app, c->stasis_args))
        call_end(c, END_PLAN, 0);
}

static void post_create(struct rest *r)
{
    struct pbx *pbx = r->pbx;
    struct wish w = {.id = given(r, "channelId"), .other_id = given(r, "otherChannelId")};
    w.app = rest_param(r, "app");
    if (!read_target(r, &w))
        return;
    if (w.app == NULL || w.app[0] == '\0') {
        rest_error(r, 400, "Application name is required");
        return;
    }
    struct chan *c = NULL;
    if (check_ids(r, &w) && reachable(r, &w)) {
        c = chan_new(pbx, w.id, BY_CREATE);
        prepare(r, c, &w);
        chan_plan_app(c, "", "");
        mem_copy(c->stasis_app, sizeof c->stasis_app, w.app);
        mem_copy(c->stasis_args, sizeof c->stasis_args, given(r, "appArgs"));
        struct app *a = app_find(pbx, w.app);
        if (a != NULL)
            interest_add(a, c->interest);
        put_chan(r->reply, NULL, c);
        rest_reply(r, 200);
        c->plan_task = (struct task){.run = created, .owner = c};
        bool late = pbx_chance(pbx) < pbx->config.early_events;
        pbx_at(pbx, &c->plan_task, late ? CREATED_LATE_US : CREATED_US);
    }
    witness_originate(r, &w, c != NULL ? c->id : w.id, c);
}

static void second_dial(void *owner)
{
    struct chan *c = owner;
    c->end_cause = NORMAL_CLEARING;
    call_end(c, END_BYE, -1);
}

// A recording on a channel that is not up yet holds its dial back.
static void dial_after_recording(void *owner)
{
    struct chan *c = owner;
    if (c->recording != NULL)
        recording_stop(c->recording, false);
    call_invite(c, c->dial_timeout);
}

static void post_dial(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], false);
    if (c == NULL)
        return;
    if (c->stasis == NULL) {
        rest_error(r, 409, "Channel not in Stasis application");
        return;
    }
    if (c->state != CHAN_DOWN && c->state != CHAN_RINGING) {
        rest_error(r, 409, "Channel is not in the 'Down' state");
        return;
    }
    rest_none(r);
    if (c->invited_us != 0) { // a second dial kills the call
        c->end_task = (struct task){.run = second_dial, .owner = c};
        pbx_at(r->pbx, &c->end_task, 2 * r->pbx->config.setup_us);
        return;
    }
    witness_plain(r->pbx, "dial", c->id);
    int timeout = rest_int(r, "timeout", 0);
    c->dial_timeout = timeout > 0 ? timeout : -1;
    if (c->recording == NULL) {
        call_invite(c, c->dial_timeout);
        return;
    }
    c->plan_task = (struct task){.run = dial_after_recording, .owner = c};
    pbx_at(r->pbx, &c->plan_task, RECORDING_BLOCKS_US);
}

const struct route channel_routes[] = {
    {"GET", "channels", channels_list},
    {"POST", "channels", post_channels},
    {"POST", "channels/create", post_create},
    {"GET", "channels/{}", channel_get},
    {"POST", "channels/{}", post_channel},
    {"DELETE", "channels/{}", channel_delete},
    {"POST", "channels/{}/dial", post_dial},
    {"POST", "channels/{}/continue", channel_continue},
    {"POST", "channels/{}/move", channel_move},
    {"POST", "channels/{}/redirect", channel_redirect},
    {"POST", "channels/{}/answer", channel_answer},
    {"POST", "channels/{}/ring", channel_ring},
    {"DELETE", "channels/{}/ring", channel_ring},
    {"POST", "channels/{}/progress", channel_ring},
    {"POST", "channels/{}/dtmf", channel_dtmf},
    {"POST", "channels/{}/mute", channel_mute},
    {"DELETE", "channels/{}/mute", channel_mute},
    {"POST", "channels/{}/hold", channel_hold},
    {"DELETE", "channels/{}/hold", channel_hold},
    {"POST", "channels/{}/moh", channel_moh},
    {"DELETE", "channels/{}/moh", channel_moh},
    {"POST", "channels/{}/silence", channel_silence},
    {"DELETE", "channels/{}/silence", channel_silence},
    {"GET", "channels/{}/variable", variable_get},
    {"POST", "channels/{}/variable", variable_post},
    {"GET", "channels/{}/variables", variables_get},
    {"GET", "channels/{}/rtp_statistics", channel_rtp},
    {NULL, NULL, NULL},
};
