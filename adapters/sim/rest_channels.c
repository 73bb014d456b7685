// What may be asked of one channel, apart from making calls.
#include "adapters/sim/rest_channels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void channels_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (const struct chan *c = r->pbx->channels; c != NULL; c = c->next)
        put_chan(r->reply, NULL, c);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

void channel_get(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], false);
    if (c == NULL)
        return;
    put_chan(r->reply, NULL, c);
    rest_reply(r, 200);
}

static int reason_cause(const char *word)
{
    static const struct {
        const char *word;
        int cause;
    } reasons[] = {{"normal", NORMAL_CLEARING},
                   {"busy", 17},
                   {"congestion", 34},
                   {"no_answer", 19},
                   {"timeout", 18},
                   {"rejected", 21},
                   {"unallocated", 1},
                   {"normal_unspecified", 31},
                   {"number_incomplete", 28},
                   {"codec_mismatch", 58},
                   {"interworking", 127},
                   {"failure", 38},
                   {"answered_elsewhere", 26}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].word, word) == 0)
            return reasons[i].cause;
    return -1;
}

void channel_delete(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], true);
    if (c == NULL)
        return;
    const char *reason = rest_param(r, "reason"), *code = rest_param(r, "reason_code");
    int cause = NORMAL_CLEARING;
    if (reason != NULL && code != NULL) {
        rest_error(r, 400, "The reason and reason_code can't both be specified");
        return;
    }
    if (reason != NULL && (cause = reason_cause(reason)) < 0) {
        rest_error(r, 400, "Invalid reason for hangup reason provided");
        return;
    }
    if (code != NULL) {
        char *end;
        long n = strtol(code, &end, 10);
        if (end == code || *end != '\0' || n < 0 || n > 1000000) {
            rest_error(r, 400, "Invalid reason for hangup reason code provided");
            return;
        }
        cause = (int)n;
    }
    rest_none(r);
    witness_plain(r->pbx, "delete", c->id);
    call_delete(c, cause);
}

void channel_continue(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    const char *context = rest_param(r, "context"), *exten = rest_param(r, "extension");
    const char *label = rest_param(r, "label");
    int priority = rest_int(r, "priority", 1);
    rest_none(r);
    const struct plan_line *line = NULL;
    if (context != NULL && exten != NULL)
        line = plan_find(r->pbx, context, exten, priority, label);
    media_chan_end(c);
    if (c->bridge != NULL)
        bridge_leave(c, true);
    stasis_leave(c, false);
    if (line != NULL) {
        plan_start(c, line, context, exten);
        return;
    }
    if (c->success_due)
        ev_varset(c, "STASISSTATUS", "SUCCESS");
    c->success_due = false;
    ev_qos(c);
    c->qos_told = true;
    chan_plan_app(c, "AppDial2", "(Outgoing Line)");
    ev_dialplan(c);
    call_end(c, END_PLAN, 0);
}

void channel_move(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, false);
    if (c == NULL)
        return;
    const char *app = rest_param(r, "app"), *args = rest_param(r, "appArgs");
    if (app == NULL || app[0] == '\0') {
        rest_error(r, 400, "Missing parameter app");
        return;
    }
    rest_none(r);
    stasis_move(c, app, args != NULL ? args : "");
}

void channel_redirect(struct rest *r)
{
    char message[200];
    struct chan *c = rest_chan(r, r->segment[1], false);
    if (c == NULL)
        return;
    const char *endpoint = rest_param(r, "endpoint");
    if (rest_stasis_chan(r, true) == NULL)
        return;
    if (endpoint == NULL) {
        rest_error(r, 400, "Required parameter 'endpoint' not provided.");
        return;
    }
    const char *slash = strchr(endpoint, '/');
    if (slash == NULL) {
        snprintf(message, sizeof message,
                 "Endpoint parameter '%.80s' does not contain tech/resource", endpoint);
        rest_error(r, 422, message);
        return;
    }
    if (strncmp(endpoint, "PJSIP/", 6) != 0) {
        snprintf(message, sizeof message,
                 "Endpoint technology '%.*s' does not match channel technology 'PJSIP'",
                 (int)(slash - endpoint > 60 ? 60 : slash - endpoint), endpoint);
        rest_error(r, 422, message);
        return;
    }
    rest_none(r);
    c->redirected = true;
    witness_word(r->pbx, "redirect", c->id, "endpoint", endpoint);
}

void channel_answer(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    rest_none(r);
    if (c->state == CHAN_UP)
        return;
    chan_set_state(c, CHAN_UP);
    c->answered = true;
    ev_state(c);
    witness_plain(r->pbx, "answer", c->id);
}

void channel_ring(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    rest_none(r);
}

void channel_silence(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c != NULL)
        rest_none(r);
}

void channel_dtmf(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], false);
    const char *digits = rest_param(r, "dtmf");
    if (c == NULL)
        return;
    if (digits == NULL || digits[0] == '\0') {
        rest_error(r, 400, "DTMF is required");
        return;
    }
    if (rest_stasis_chan(r, true) == NULL)
        return;
    rest_none(r);
    witness_word(r->pbx, "dtmf_sent", c->id, "digits", digits);
}

void channel_mute(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    const char *direction = rest_param(r, "direction");
    if (direction == NULL) {
        rest_error(r, 400, "Direction is required");
        return;
    }
    if (strcmp(direction, "in") != 0 && strcmp(direction, "out") != 0 &&
        strcmp(direction, "both") != 0) {
        rest_error(r, 400, "Invalid direction specified");
        return;
    }
    bool on = strcmp(r->in->method, "POST") == 0;
    witness_word(r->pbx, on ? "mute" : "unmute", c->id, "direction", direction);
    rest_none(r);
}

void channel_hold(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    bool on = strcmp(r->in->method, "POST") == 0;
    witness_plain(r->pbx, on ? "hold" : "unhold", c->id);
    rest_none(r);
}

void channel_moh(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c == NULL)
        return;
    witness_plain(r->pbx, strcmp(r->in->method, "POST") == 0 ? "moh" : "moh_end", c->id);
    rest_none(r);
}

// --- variables and functions ---

static bool function_arg(const char *name, const char *function, const char **arg)
{
    size_t len = strlen(function);
    if (strncmp(name, function, len) != 0 || name[len] != '(')
        return false;
    *arg = name + len + 1;
    return true;
}

void variable_set(struct chan *c, const char *name, const char *value, bool report, bool tell)
{
    const char *arg;
    if (function_arg(name, "CHANNEL", &arg)) {
        if (strcmp(arg, "language)") == 0)
            mem_copy(c->language, sizeof c->language, value);
        else if (strcmp(arg, "accountcode)") == 0)
            mem_copy(c->account, sizeof c->account, value);
    } else if (function_arg(name, "CALLERID", &arg)) {
        bool number = strcmp(arg, "num)") == 0, whole = strcmp(arg, "name)") == 0;
        if (number)
            mem_copy(c->caller_number, sizeof c->caller_number, value);
        if (whole)
            mem_copy(c->caller_name, sizeof c->caller_name, value);
        if (tell && (number || whole))
            ev_caller(c);
    }
    const char *plain = name;
    for (int i = 0; i < 2 && plain[0] == '_'; i++)
        plain++;
    bool talk = strncmp(name, "TALK_DETECT(", 12) == 0;
    if (strchr(name, '(') == NULL || talk)
        chan_set_var(c, plain, value, report);
    if (tell && strchr(name, '(') == NULL)
        ev_varset(c, name, value);
}

// 0: *value is set; else the status to answer with.
static int variable_read(struct chan *c, const char *name, const char **value, char *room,
                         size_t size)
{
    const char *arg;
    *value = room;
    if (function_arg(name, "CHANNEL", &arg)) {
        if (strcmp(arg, "language)") == 0)
            *value = c->language;
        else if (strcmp(arg, "accountcode)") == 0)
            *value = c->account;
        else if (strcmp(arg, "state)") == 0)
            *value = chan_state_name(c->state);
        else if (strcmp(arg, "audioreadformat)") == 0)
            *value = "ulaw";
        else if (strcmp(arg, "pjsip,call-id)") == 0)
            *value = c->protocol_id;
        else if (strcmp(arg, "pjsip,target_uri)") == 0)
            snprintf(room, size, "sip:%s@127.0.0.1:5080", c->number);
        else if (strcmp(arg, "rtp,dest)") == 0)
            *value = "127.0.0.1:30152";
        else if (strcmp(arg, "rtcp,all)") == 0)
            *value = "ssrc=1953541698;themssrc=103522907;lp=0;rxjitter=0.000000;rxcount=1";
        else
            return 500;
        return 0;
    }
    if (function_arg(name, "CALLERID", &arg)) {
        *value = strcmp(arg, "num)") == 0 ? c->caller_number : c->caller_name;
        return 0;
    }
    if (strchr(name, '(') != NULL)
        return 500;
    if (strcmp(name, "UNIQUEID") == 0)
        *value = c->id;
    else if (strcmp(name, "HANGUPCAUSE") == 0)
        *value = "0";
    else if (strcmp(name, "EPOCH") == 0)
        snprintf(room, size, "%lld", (long long)(pbx_wall_ms(c->pbx) / 1000));
    else
        *value = chan_var(c, name);
    return *value != NULL ? 0 : 404;
}

void variable_get(struct rest *r)
{
    char room[300];
    const char *value, *name = rest_param(r, "variable");
    struct chan *c = chan_find_any(r->pbx, r->segment[1]);
    if (name == NULL || name[0] == '\0') {
        rest_error(r, 400, "Variable name is required");
        return;
    }
    if (c == NULL) {
        rest_error(r, 404, "Provided channel was not found");
        return;
    }
    int status = variable_read(c, name, &value, room, sizeof room);
    if (status != 0) {
        rest_error(r, status,
                   status == 500 ? "Unable to read provided function"
                                 : "Provided variable was not found");
        return;
    }
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, "value", value);
    json_close_object(r->reply);
    rest_reply(r, 200);
}

void variables_get(struct rest *r)
{
    char room[300], name[120];
    const char *value, *names = rest_param(r, "variables");
    struct chan *c = chan_find_any(r->pbx, r->segment[1]);
    if (names == NULL || c == NULL) {
        rest_error(r, c == NULL ? 404 : 400,
                   c == NULL ? "Provided channel was not found" : "Variable name is required");
        return;
    }
    json_open_object(r->reply, NULL);
    json_open_object(r->reply, "variables");
    while (*names != '\0') {
        size_t len = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, names);
        if (variable_read(c, name, &value, room, sizeof room) == 0)
            json_put_str(r->reply, name, value);
        names += len + (names[len] == ',');
    }
    json_close_object(r->reply);
    json_close_object(r->reply);
    rest_reply(r, 200);
}

void variable_post(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], true);
    const char *name = rest_param(r, "variable"), *value = rest_param(r, "value");
    if (c == NULL)
        return;
    if (name == NULL || name[0] == '\0') {
        rest_error(r, 400, "Variable name is required");
        return;
    }
    if (c->stasis == NULL) {
        rest_error(r, 409, "Channel not in Stasis application");
        return;
    }
    rest_none(r);
    const char *arg;
    if (strchr(name, '(') != NULL && !function_arg(name, "CHANNEL", &arg) &&
        !function_arg(name, "CALLERID", &arg) && !function_arg(name, "CDR", &arg) &&
        !function_arg(name, "TALK_DETECT", &arg))
        return;
    variable_set(c, name, value != NULL ? value : "", rest_true(r, "report_events"), true);
    if (strncmp(name, "TALK_DETECT(", 12) == 0)
        voice_start(c);
}

void channel_rtp(struct rest *r)
{
    struct chan *c = rest_chan(r, r->segment[1], false);
    if (c == NULL)
        return;
    if (c->state != CHAN_UP || c->endpoint == NULL) {
        rest_error(r, 404, "RTP info not found");
        return;
    }
    static const char *const zeros[] = {"txcount",
                                        "rxcount",
                                        "txploss",
                                        "rxploss",
                                        "txoctetcount",
                                        "rxoctetcount",
                                        "txjitter",
                                        "rxjitter",
                                        "remote_maxjitter",
                                        "remote_minjitter",
                                        "remote_normdevjitter",
                                        "remote_stdevjitter",
                                        "local_maxjitter",
                                        "local_minjitter",
                                        "local_normdevjitter",
                                        "local_stdevjitter",
                                        "remote_maxrxploss",
                                        "remote_minrxploss",
                                        "remote_normdevrxploss",
                                        "remote_stdevrxploss",
                                        "local_maxrxploss",
                                        "local_minrxploss",
                                        "local_normdevrxploss",
                                        "local_stdevrxploss",
                                        "rtt",
                                        "maxrtt",
                                        "minrtt",
                                        "normdevrtt",
                                        "stdevrtt",
                                        "txmes",
                                        "rxmes",
                                        "remote_maxmes",
                                        "remote_minmes",
                                        "remote_normdevmes",
                                        "remote_stdevmes",
                                        "local_maxmes",
                                        "local_minmes",
                                        "local_normdevmes",
                                        "local_stdevmes"};
    json_open_object(r->reply, NULL);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) // there is no audio to measure
        json_put_int(r->reply, zeros[i], 0);
    json_put_int(r->reply, "local_ssrc", 561890003);
    json_put_int(r->reply, "remote_ssrc", 2380848342);
    json_put_str(r->reply, "channel_uniqueid", c->id);
    json_close_object(r->reply);
    rest_reply(r, 200);
}
