// The text of every event, member by member in Asterisk's order, and of the objects in them.
#include <stdio.h>
#include <string.h>

#include "adapters/sim/model.h"

#define EVENT_NAME(name) #name,
const char *const event_names[EV_COUNT] = {EVENT_TYPES(EVENT_NAME)};

enum event_type event_named(const char *name)
{
    for (int i = 0; i < EV_COUNT; i++)
        if (strcmp(event_names[i], name) == 0)
            return (enum event_type)i;
    return EV_COUNT;
}

void put_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
    char when[TIME_TEXT];
    time_text(when, wall_ms);
    json_put_str(w, key, when);
}

const char *chan_state_name(enum chan_state state)
{
    static const char *const names[] = {"Down", "Ring", "Ringing", "Up"};
    return names[state];
}

static void put_party(struct json_writer *w, const char *key, const char *name, const char *number)
{
    json_open_object(w, key);
    json_put_str(w, "name", name);
    json_put_str(w, "number", number);
    json_close_object(w);
}

void put_chan(struct json_writer *w, const char *key, const struct chan *c)
{
    json_open_object(w, key);
    json_put_str(w, "id", c->id);
    json_put_str(w, "name", c->name);
    json_put_str(w, "state", chan_state_name(c->state));
    json_put_str(w, "protocol_id", c->protocol_id);
    put_party(w, "caller", c->caller_name, c->caller_number);
    put_party(w, "connected", c->connected_name, c->connected_number);
    json_put_str(w, "accountcode", c->account);
    json_open_object(w, "dialplan");
    json_put_str(w, "context", c->context);
    json_put_str(w, "exten", c->exten);
    json_put_int(w, "priority", c->priority);
    json_put_str(w, "app_name", c->plan_app);
    json_put_str(w, "app_data", c->plan_data);
    json_close_object(w);
    put_time(w, "creationtime", c->created_ms);
    json_put_str(w, "language", c->language);
    if (c->reports) {
        json_open_object(w, "channelvars");
        for (size_t i = 0; i < c->vars; i++)
            if (c->var[i].reported != NULL)
                json_put_str(w, c->var[i].name, c->var[i].reported);
        json_close_object(w);
    }
    json_close_object(w);
}

// Asterisk lists a bridge's channels in the order of their ids.
static void put_members(struct json_writer *w, const struct bridge *b)
{
    json_open_array(w, "channels");
    const char *last = NULL;
    for (int i = 0; i < b->count; i++) {
        const struct chan *next = NULL;
        for (const struct chan *c = b->members; c != NULL; c = c->bridge_next)
            if ((last == NULL || strcmp(c->id, last) > 0) &&
                (next == NULL || strcmp(c->id, next->id) < 0))
                next = c;
        if (next == NULL)
            break;
        json_put_str(w, NULL, next->id);
        last = next->id;
    }
    json_close_array(w);
}

void put_bridge(struct json_writer *w, const char *key, const struct bridge *b)
{
    json_open_object(w, key);
    json_put_str(w, "id", b->id);
    json_put_str(w, "technology", bridge_technology(b));
    json_put_str(w, "bridge_type", b->holding ? "holding" : "mixing");
    json_put_str(w, "bridge_class", "stasis");
    json_put_str(w, "creator", "Stasis");
    json_put_str(w, "name", b->name);
    put_members(w, b);
    put_time(w, "creationtime", b->created_ms);
    json_put_str(w, "video_mode", "talker");
    json_close_object(w);
}

const char *endpoint_state(const struct endpoint *e)
{
    return e->registered ? "online" : "offline";
}

const char *device_state(const struct endpoint *e)
{
    if (!e->registered)
        return "UNAVAILABLE";
    // Agents' phones count as busy with one call, ringing or not (device_state_busy_at=1).
    if (!e->trunk)
        return e->up + e->ringing > 0 ? "BUSY" : "NOT_INUSE";
    if (e->up > 0)
        return "INUSE";
    return e->ringing > 0 ? "RINGING" : "NOT_INUSE";
}

void put_endpoint(struct pbx *pbx, struct json_writer *w, const char *key, const struct endpoint *e)
{
    json_open_object(w, key);
    json_put_str(w, "technology", "PJSIP");
    json_put_str(w, "resource", e->name);
    json_put_str(w, "state", endpoint_state(e));
    json_open_array(w, "channel_ids");
    for (const struct chan *c = pbx->channels; c != NULL && e->live > 0; c = c->next)
        if (c->endpoint == e)
            json_put_str(w, NULL, c->id);
    json_close_array(w);
    json_close_object(w);
}

struct json_writer *event_open(struct pbx *pbx, enum event_type type)
{
    struct json_writer *w = &pbx->event;
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", event_names[type]);
    put_time(w, "timestamp", pbx_wall_ms(pbx));
    return w;
}

// Opens an event about a channel, or NULL if nobody would get it: most of a campaign's events are
// filtered away, and those must cost next to nothing.
static struct json_writer *wanted(struct chan *c, enum event_type type)
{
    return event_wanted_chan(c->pbx, c, type) ? event_open(c->pbx, type) : NULL;
}

static void close_with(struct json_writer *w, struct chan *c, enum event_type type)
{
    put_chan(w, "channel", c);
    event_publish_chan(c->pbx, c, type);
}

void ev_plain(struct chan *c, enum event_type type)
{
    struct json_writer *w = wanted(c, type);
    if (w != NULL)
        close_with(w, c, type);
}

void ev_dial(struct chan *c, const char *status, const char *forward, struct chan *forwarded)
{
    struct json_writer *w = wanted(c, EV_Dial);
    if (w == NULL)
        return;
    json_put_str(w, "dialstatus", status);
    json_put_str(w, "forward", forward);
    bool named = forward[0] == '\0' && (c->dial_named || status[0] == '\0');
    json_put_str(w, "dialstring", named ? c->dial : "");
    put_chan(w, "peer", c);
    if (forwarded != NULL)
        put_chan(w, "forwarded", forwarded);
    event_publish_chan(c->pbx, c, EV_Dial);
}

void ev_state(struct chan *c)
{
    ev_plain(c, EV_ChannelStateChange);
}

// ChannelCreated goes to whoever sees the channel at its birth: before originate has subscribed its
// application.
void ev_created(struct chan *c)
{
    ev_plain(c, EV_ChannelCreated);
}

void ev_varset(struct chan *c, const char *name, const char *value)
{
    struct json_writer *w = wanted(c, EV_ChannelVarset);
    if (w == NULL)
        return;
    json_put_str(w, "variable", name);
    json_put_str(w, "value", value);
    close_with(w, c, EV_ChannelVarset);
}

void ev_dialplan(struct chan *c)
{
    struct json_writer *w = wanted(c, EV_ChannelDialplan);
    if (w == NULL)
        return;
    json_put_str(w, "dialplan_app", c->plan_app);
    json_put_str(w, "dialplan_app_data", c->plan_data);
    close_with(w, c, EV_ChannelDialplan);
}

// appArgs are split at commas; quotes protect a comma and are dropped.
static void put_args(struct json_writer *w, const char *args)
{
    json_open_array(w, "args");
    char one[400];
    size_t n = 0;
    bool quoted = false;
    for (const char *c = args; args[0] != '\0'; c++) {
        if (*c == '"') {
            quoted = !quoted;
        } else if (*c == '\0' || (*c == ',' && !quoted)) {
            json_put_text(w, NULL, (struct text){one, (uint32_t)n});
            n = 0;
            if (*c == '\0')
                break;
        } else if (n < sizeof one) {
            one[n++] = *c;
        }
    }
    json_close_array(w);
}

void ev_stasis_start(struct chan *c, struct app *app, const char *args, struct chan *replaced)
{
    struct json_writer *w = event_open(c->pbx, EV_StasisStart);
    put_args(w, args);
    put_chan(w, "channel", c);
    if (replaced != NULL)
        put_chan(w, "replace_channel", replaced);
    event_publish_app(c->pbx, app, EV_StasisStart);
}

void ev_stasis_end(struct chan *c, struct app *app)
{
    struct json_writer *w = event_open(c->pbx, EV_StasisEnd);
    put_chan(w, "channel", c);
    event_publish_app(c->pbx, app, EV_StasisEnd);
}

void ev_hangup_request(struct chan *c, int cause, bool soft, int tech_cause)
{
    struct json_writer *w = wanted(c, EV_ChannelHangupRequest);
    if (w == NULL)
        return;
    if (cause >= 0)
        json_put_int(w, "cause", cause);
    if (tech_cause > 0)
        json_put_int(w, "tech_cause", tech_cause);
    if (soft)
        json_put_bool(w, "soft", true);
    close_with(w, c, EV_ChannelHangupRequest);
}

void ev_destroyed(struct chan *c, int cause, int tech_cause)
{
    struct json_writer *w = wanted(c, EV_ChannelDestroyed);
    if (w == NULL)
        return;
    json_put_int(w, "cause", cause);
    json_put_str(w, "cause_txt", cause_text(cause));
    if (tech_cause > 0)
        json_put_int(w, "tech_cause", tech_cause);
    close_with(w, c, EV_ChannelDestroyed);
}

void ev_bridge_member(struct chan *c, struct bridge *b, bool entered)
{
    enum event_type type = entered ? EV_ChannelEnteredBridge : EV_ChannelLeftBridge;
    if (!event_wanted_bridge(c->pbx, b, type))
        return;
    struct json_writer *w = event_open(c->pbx, type);
    put_bridge(w, "bridge", b);
    put_chan(w, "channel", c);
    event_publish_bridge(c->pbx, b, type);
}

void ev_bridge(struct pbx *pbx, struct bridge *b, enum event_type type)
{
    if (!event_wanted_bridge(pbx, b, type))
        return;
    struct json_writer *w = event_open(pbx, type);
    put_bridge(w, "bridge", b);
    event_publish_bridge(pbx, b, type);
}

void ev_dtmf(struct chan *c, char digit, int duration_ms)
{
    struct json_writer *w = wanted(c, EV_ChannelDtmfReceived);
    if (w == NULL)
        return;
    json_put_text(w, "digit", (struct text){&digit, 1});
    json_put_int(w, "duration_ms", duration_ms);
    close_with(w, c, EV_ChannelDtmfReceived);
}

void ev_hold(struct chan *c, bool on)
{
    enum event_type type = on ? EV_ChannelHold : EV_ChannelUnhold;
    struct json_writer *w = wanted(c, type);
    if (w == NULL)
        return;
    if (on)
        json_put_str(w, "musicclass", "default");
    close_with(w, c, type);
}

void ev_talking(struct chan *c, bool started, int duration_ms)
{
    enum event_type type = started ? EV_ChannelTalkingStarted : EV_ChannelTalkingFinished;
    struct json_writer *w = wanted(c, type);
    if (w == NULL)
        return;
    if (!started)
        json_put_int(w, "duration", duration_ms);
    close_with(w, c, type);
}

// The five variables that hold the RTP statistics; in a two-party bridge the peer gets them too.
void ev_qos(struct chan *c)
{
    static const char *const suffix[] = {"", "JITTER", "LOSS", "RTT", "MES"};
    struct chan *peer = NULL;
    if (c->bridge != NULL && c->bridge->count == 2)
        peer = c->bridge->members == c ? c->bridge->members->bridge_next : c->bridge->members;
    for (size_t i = 0; i < 5; i++) {
        char name[40];
        snprintf(name, sizeof name, "RTPAUDIOQOS%s", suffix[i]);
        static const char value[] =
            "ssrc=923945054;themssrc=3307398565;lp=0;rxjitter=0.000000;rxcount=75;"
            "txjitter=0.000375;txcount=75;rlp=0;rtt=0.000000;rxmes=0.000000;txmes=0.000000";
        ev_varset(c, name, value);
        if (peer != NULL) {
            snprintf(name, sizeof name, "RTPAUDIOQOS%sBRIDGED", suffix[i]);
            ev_varset(peer, name, value);
        }
    }
}

void ev_endpoint_state(struct pbx *pbx, struct endpoint *e)
{
    if (!event_wanted_endpoint(pbx, e, EV_EndpointStateChange))
        return;
    struct json_writer *w = event_open(pbx, EV_EndpointStateChange);
    put_endpoint(pbx, w, "endpoint", e);
    event_publish_endpoint(pbx, e, EV_EndpointStateChange);
}

void ev_device(struct pbx *pbx, const char *device, const char *state)
{
    if (!event_wanted_device(pbx, device, EV_DeviceStateChanged))
        return;
    struct json_writer *w = event_open(pbx, EV_DeviceStateChanged);
    json_open_object(w, "device_state");
    json_put_str(w, "name", device);
    json_put_str(w, "state", state);
    json_close_object(w);
    event_publish_device(pbx, device, EV_DeviceStateChanged);
}

void ev_contact(struct pbx *pbx, struct endpoint *e)
{
    static const char *const words[] = {"Unreachable", "Reachable"};
    const char *status = words[e->registered];
    ev_endpoint_state(pbx, e);
    if (event_wanted_endpoint(pbx, e, EV_PeerStatusChange)) {
        struct json_writer *w = event_open(pbx, EV_PeerStatusChange);
        put_endpoint(pbx, w, "endpoint", e);
        json_open_object(w, "peer");
        json_put_str(w, "peer_status", status);
        json_close_object(w);
        event_publish_endpoint(pbx, e, EV_PeerStatusChange);
    }
    if (event_wanted_endpoint(pbx, e, EV_ContactStatusChange)) {
        struct json_writer *w = event_open(pbx, EV_ContactStatusChange);
        put_endpoint(pbx, w, "endpoint", e);
        json_open_object(w, "contact_info");
        json_put_str(w, "uri", "sip:127.0.0.1:5081");
        json_put_str(w, "contact_status", status);
        json_put_str(w, "aor", e->name);
        json_put_str(w, "roundtrip_usec", e->registered ? "12283" : "0");
        json_close_object(w);
        event_publish_endpoint(pbx, e, EV_ContactStatusChange);
    }
    endpoint_settle(pbx, e);
}

void ev_caller(struct chan *c)
{
    struct json_writer *w = wanted(c, EV_ChannelCallerId);
    if (w == NULL)
        return;
    json_put_int(w, "caller_presentation", 0);
    json_put_str(w, "caller_presentation_txt", "Presentation Allowed, Not Screened");
    close_with(w, c, EV_ChannelCallerId);
}
