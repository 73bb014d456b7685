/* wire.c - ARI's words: events to structs, commands to requests. */
#include "adapters/ari/wire.h"

#include "adapters/net/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- ids ---------------------------------------------------------------------------------------
 */

/* Lower-case hexadecimal of exactly `digits`. */
static bool hex_field(const char *s, unsigned digits, uint32_t *out)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < digits; i++) {
        unsigned char c = (unsigned char)s[i];
        uint32_t d;
        if (c >= '0' && c <= '9') {
            d = (uint32_t)c - '0';
        } else if (c >= 'a' && c <= 'f') {
            d = (uint32_t)c - 'a' + 10;
        } else {
            return false;
        }
        v = v << 4 | d;
    }
    *out = v;
    return true;
}

handle wire_owner(struct text id, uint16_t *node)
{
    /* att-nnnn-cccccccc-eeeeeeee-ssssssss */
    uint32_t n;
    uint32_t owner;
    uint32_t rest;
    if (id.len != ID_LEN || id.ptr[3] != '-' || id.ptr[8] != '-' || id.ptr[17] != '-' ||
        id.ptr[26] != '-' || !hex_field(id.ptr + 4, 4, &n) || !hex_field(id.ptr + 9, 8, &owner) ||
        !hex_field(id.ptr + 18, 8, &rest) || !hex_field(id.ptr + 27, 8, &rest)) {
        return HANDLE_NONE;
    }
    if (node) {
        *node = (uint16_t)n;
    }
    if (memcmp(id.ptr, "att", 3) == 0) {
        return named(KIND_CAMPAIGN, owner);
    }
    return memcmp(id.ptr, "leg", 3) == 0 ? named(KIND_AGENT, owner) : HANDLE_NONE;
}

bool wire_endpoint_of(struct text dial_string, char *out, size_t size)
{
    const char *s = dial_string.ptr;
    const char *slash = dial_string.len ? memchr(s, '/', dial_string.len) : NULL;
    if (!slash || slash == s) {
        return false;
    }
    size_t technology = (size_t)(slash - s);
    const char *rest = slash + 1;
    size_t rest_len = dial_string.len - technology - 1;
    const char *second = rest_len ? memchr(rest, '/', rest_len) : NULL;
    if (second) {
        rest_len = (size_t)(second - rest);
    } else {
        for (size_t i = rest_len; i > 0; i--) {
            if (rest[i - 1] == '@') {
                rest += i;
                rest_len -= i;
                break;
            }
        }
    }
    if (rest_len == 0 || (technology == 5 && memcmp(s, "Local", 5) == 0) ||
        technology + rest_len + 2 > size) {
        return false;
    }
    snprintf(out, size, "%.*s/%.*s", (int)technology, s, (int)rest_len, rest);
    return true;
}

/* --- events ------------------------------------------------------------------------------------
 */

static struct text text_at(const struct json *doc, json_ref node, const char *path)
{
    struct text t = json_text(doc, json_path(doc, node, path));
    return t.ptr ? t : (struct text){"", 0};
}

static bool text_is(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.ptr, word, t.len) == 0;
}

static uint16_t small_number(const struct json *doc, const char *name)
{
    int64_t n = 0;
    json_int(doc, json_get(doc, JSON_ROOT, name), &n);
    return n > 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* The digits in [at, at + n), or -1. */
static int digits_at(struct text t, uint32_t at, uint32_t n)
{
    int v = 0;
    for (uint32_t i = at; i < at + n; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9') {
            return -1;
        }
        v = v * 10 + (t.ptr[i] - '0');
    }
    return v;
}

/* By hand: sscanf and timegm would be a tenth of what an event costs. */
int64_t wire_time(struct text t)
{
    static const char form[] = "0000-00-00T00:00:00.000+0000";
    if (t.len < sizeof form - 1 || t.len > sizeof form + 2) {
        return 0;
    }
    for (uint32_t i = 0; i < sizeof form - 1; i++) {
        bool sign = i == 23;
        if (form[i] != '0' && t.ptr[i] != form[i] && !(sign && t.ptr[i] == '-')) {
            return 0;
        }
    }
    int year = digits_at(t, 0, 4);
    int month = digits_at(t, 5, 2);
    int day = digits_at(t, 8, 2);
    int hour = digits_at(t, 11, 2);
    int minute = digits_at(t, 14, 2);
    int second = digits_at(t, 17, 2);
    int ms = digits_at(t, 20, 3);
    int zone_h = digits_at(t, 24, 2);
    int zone_m = digits_at(t, 26, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60 || ms < 0 || zone_h < 0 ||
        zone_m < 0) {
        return 0;
    }
    /* Days since 1970 with the year beginning in March, so that its last day is the leap day. */
    int64_t y = month > 2 ? year : year - 1;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
    int64_t s = ((days * 24 + hour) * 60 + minute) * 60 + second;
    int64_t offset_s = (zone_h * 60 + zone_m) * 60;
    return (s + (t.ptr[23] == '+' ? -offset_s : offset_s)) * MS_PER_S + ms;
}

/* "channel:ID" of a playback's target. */
static struct text target_channel(struct text uri)
{
    static const char scheme[] = "channel:";
    uint32_t n = sizeof scheme - 1;
    if (uri.len <= n || memcmp(uri.ptr, scheme, n) != 0) {
        return (struct text){"", 0};
    }
    return (struct text){uri.ptr + n, uri.len - n};
}

static void read_dial(const struct json *doc, struct wire_event *out)
{
    /* The channel of a Dial is its peer (asterisk.md 2). PROGRESS is early media: for the callee's
     * phone it means the same as ringing. */
    struct text status = text_at(doc, JSON_ROOT, "dialstatus");
    out->channel = text_at(doc, JSON_ROOT, "peer.id");
    if (text_is(status, "RINGING") || text_is(status, "PROGRESS")) {
        out->kind = WIRE_RINGING;
    }
}

static void read_endpoint(const struct json *doc, struct wire_event *out)
{
    out->kind = WIRE_ENDPOINT;
    out->endpoint_technology = text_at(doc, JSON_ROOT, "endpoint.technology");
    out->endpoint_resource = text_at(doc, JSON_ROOT, "endpoint.resource");
    out->ok = text_is(text_at(doc, JSON_ROOT, "endpoint.state"), "online");
}

static void read_response(const struct json *doc, struct wire_event *out)
{
    out->kind = WIRE_RESPONSE;
    out->request = text_at(doc, JSON_ROOT, "request_id");
    out->status = small_number(doc, "status_code");
    out->body = text_at(doc, JSON_ROOT, "message_body");
}

int wire_read(struct json *doc, const char *text, size_t len, struct wire_event *out)
{
    *out = (struct wire_event){0};
    if (json_parse(doc, text, len) != 0) {
        return -1;
    }
    out->type = json_text(doc, json_get(doc, JSON_ROOT, "type"));
    if (!out->type.ptr) {
        snprintf(doc->error, sizeof doc->error, "an event without a type");
        return -1;
    }
    out->application = text_at(doc, JSON_ROOT, "application");
    out->channel = text_at(doc, JSON_ROOT, "channel.id");
    out->playback = out->digit = out->request = out->body = (struct text){"", 0};
    out->endpoint_technology = out->endpoint_resource = (struct text){"", 0};
    out->at_wall_ms = wire_time(text_at(doc, JSON_ROOT, "timestamp"));
    if (text_is(out->type, "Dial")) {
        read_dial(doc, out);
    } else if (text_is(out->type, "StasisStart")) {
        out->kind = WIRE_ANSWERED;
    } else if (text_is(out->type, "ChannelDestroyed")) {
        out->kind = WIRE_ENDED;
        out->cause = small_number(doc, "cause");
        out->tech_cause = small_number(doc, "tech_cause");
    } else if (text_is(out->type, "PlaybackFinished")) {
        out->kind = WIRE_PLAYBACK_OVER;
        out->playback = text_at(doc, JSON_ROOT, "playback.id");
        out->ok = text_is(text_at(doc, JSON_ROOT, "playback.state"), "done");
        out->channel = target_channel(text_at(doc, JSON_ROOT, "playback.target_uri"));
    } else if (text_is(out->type, "ChannelDtmfReceived")) {
        out->kind = WIRE_DIGIT;
        out->digit = text_at(doc, JSON_ROOT, "digit");
    } else if (text_is(out->type, "ContactStatusChange") ||
               text_is(out->type, "PeerStatusChange")) {
        read_endpoint(doc, out);
    } else if (text_is(out->type, "RESTResponse")) {
        read_response(doc, out);
    } else if (text_is(out->type, "ApplicationReplaced")) {
        out->kind = WIRE_REPLACED;
    }
    return 0;
}

bool wire_channel(const struct json *doc, json_ref node, const char *application,
                  struct wire_channel *out)
{
    out->id = text_at(doc, node, "id");
    out->up = text_is(text_at(doc, node, "state"), "Up");
    /* app_data is "application,arguments". A channel that plays the message in the dialplan is Up
     * too, and cannot be taken in. */
    struct text data = text_at(doc, node, "dialplan.app_data");
    size_t n = strlen(application);
    out->in_app = text_is(text_at(doc, node, "dialplan.app_name"), "Stasis") &&
                  (data.len == 0 || (data.len >= n && memcmp(data.ptr, application, n) == 0 &&
                                     (data.len == n || data.ptr[n] == ',')));
    return out->id.len > 0;
}

/* --- requests ----------------------------------------------------------------------------------
 */

/* Appends to the uri; remembers a failure so that only the end needs a look. */
struct writer {
    struct wire_request *r;
    size_t len;
    bool failed;
};

static struct writer begin(struct wire_request *r, const char *method)
{
    snprintf(r->method, sizeof r->method, "%s", method);
    r->uri[0] = '\0';
    r->body_len = 0;
    return (struct writer){.r = r};
}

static void plain(struct writer *w, const char *text)
{
    size_t n = strlen(text);
    if (w->failed || w->len + n >= sizeof w->r->uri) {
        w->failed = true;
        return;
    }
    memcpy(w->r->uri + w->len, text, n + 1);
    w->len += n;
}

static void encoded(struct writer *w, struct text t)
{
    if (w->failed || (t.len > 0 && memchr(t.ptr, '\0', t.len))) {
        w->failed = true;
        return;
    }
    int n = net_url_encode(t.ptr, t.len, w->r->uri + w->len, sizeof w->r->uri - w->len);
    if (n < 0) {
        w->failed = true;
        return;
    }
    w->len += (size_t)n;
}

/* A segment of the path: not empty, or the meaning of the uri would change. */
static void segment(struct writer *w, struct text t)
{
    w->failed = w->failed || t.len == 0;
    encoded(w, t);
}

static int end(const struct writer *w)
{
    return w->failed ? -1 : 0;
}

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static int refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *why, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(why, size, format, ap);
    va_end(ap);
    return -1;
}

/* The last fence in front of a dial string: it was made from a checked number, and says nothing but
 * that number to one destination. */
static int check_dial_string(struct text endpoint, struct text number, char *why, size_t size)
{
    uint32_t digits_at = number.len > 0 && number.ptr[0] == '+' ? 1 : 0;
    uint32_t digits = number.len - digits_at;
    if (digits < 3 || digits > 15) {
        return refuse(why, size, "not an E.164 number");
    }
    for (uint32_t i = digits_at; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9') {
            return refuse(why, size, "not an E.164 number");
        }
    }
    bool found = false;
    for (uint32_t i = 0; i < endpoint.len; i++) {
        unsigned char c = (unsigned char)endpoint.ptr[i];
        if (c <= ' ' || c == '&' || c == ',' || c >= 0x7f) {
            return refuse(why, size, "the dial string has a character that may not be there");
        }
        found = found || (endpoint.len - i >= digits &&
                          memcmp(endpoint.ptr + i, number.ptr + digits_at, digits) == 0);
    }
    return found ? 0 : refuse(why, size, "the dial string does not hold the number");
}

static void originate_head(struct writer *w, struct text endpoint, struct text id,
                           struct text caller_id, uint32_t ring_s)
{
    char timeout[32];
    plain(w, "channels?endpoint=");
    segment(w, endpoint);
    plain(w, "&channelId=");
    segment(w, id);
    if (caller_id.len > 0) {
        plain(w, "&callerId=");
        encoded(w, caller_id);
    }
    /* 0 would mean Asterisk's own 30 s. */
    snprintf(timeout, sizeof timeout, "&timeout=%u", ring_s ? ring_s : 30u);
    plain(w, timeout);
}

int wire_originate_call(const struct msg_originate_call *m, struct wire_request *out, char *why,
                        size_t why_size)
{
    if (check_dial_string(m->endpoint, m->number, why, why_size) != 0) {
        return -1;
    }
    const char *comma = m->context.len ? memchr(m->context.ptr, ',', m->context.len) : NULL;
    struct text context = {m->context.ptr,
                           comma ? (uint32_t)(comma - m->context.ptr) : m->context.len};
    struct text extension =
        comma ? (struct text){comma + 1, m->context.len - context.len - 1} : words("s");
    struct writer w = begin(out, "POST");
    originate_head(&w, m->endpoint, m->attempt, m->caller_id, m->ring_s);
    plain(&w, "&context=");
    segment(&w, context);
    plain(&w, "&extension=");
    segment(&w, extension);
    plain(&w, "&priority=1");

    struct json_writer j;
    json_writer_init(&j, out->body, sizeof out->body);
    json_open_object(&j, NULL);
    json_open_object(&j, "variables");
    json_put_text(&j, "SAFE_HARBOUR", m->message);
    json_close_object(&j);
    json_close_object(&j);
    if (!json_writer_end(&j, &out->body_len) || end(&w) != 0) {
        return refuse(why, why_size, "a text is empty or too long for a request");
    }
    return 0;
}

int wire_originate_leg(const struct msg_originate_leg *m, const char *application,
                       struct wire_request *out, char *why, size_t why_size)
{
    for (uint32_t i = 0; i < m->endpoint.len; i++) {
        unsigned char c = (unsigned char)m->endpoint.ptr[i];
        if (c <= ' ' || c == '&' || c == ',' || c >= 0x7f) {
            return refuse(why, why_size, "the dial string has a character that may not be there");
        }
    }
    struct writer w = begin(out, "POST");
    originate_head(&w, m->endpoint, m->leg, m->caller_id, m->ring_s);
    plain(&w, "&app=");
    segment(&w, words(application));
    plain(&w, "&appArgs=agent");
    return end(&w) == 0 ? 0 : refuse(why, why_size, "a text is empty or too long for a request");
}

int wire_hangup(struct text channel, struct wire_request *out)
{
    struct writer w = begin(out, "DELETE");
    plain(&w, "channels/");
    segment(&w, channel);
    return end(&w);
}

int wire_bridge_create(struct text bridge, struct wire_request *out)
{
    struct writer w = begin(out, "POST");
    plain(&w, "bridges/");
    segment(&w, bridge);
    plain(&w, "?type=mixing");
    return end(&w);
}

int wire_bridge_add(struct text bridge, struct text channel, struct text channel2,
                    struct wire_request *out)
{
    struct writer w = begin(out, "POST");
    plain(&w, "bridges/");
    segment(&w, bridge);
    plain(&w, "/addChannel?channel=");
    segment(&w, channel);
    if (channel2.len > 0) {
        plain(&w, ",");
        encoded(&w, channel2);
    }
    return end(&w);
}

int wire_bridge_destroy(struct text bridge, struct wire_request *out)
{
    struct writer w = begin(out, "DELETE");
    plain(&w, "bridges/");
    segment(&w, bridge);
    return end(&w);
}

int wire_play(struct text channel, struct text playback, struct text media,
              struct wire_request *out)
{
    struct writer w = begin(out, "POST");
    plain(&w, "channels/");
    segment(&w, channel);
    plain(&w, "/play?media=");
    encoded(&w, words("sound:"));
    segment(&w, media);
    plain(&w, "&playbackId=");
    segment(&w, playback);
    return end(&w);
}

int wire_music(struct text bridge, bool on, struct wire_request *out)
{
    struct writer w = begin(out, on ? "POST" : "DELETE");
    plain(&w, "bridges/");
    segment(&w, bridge);
    plain(&w, "/moh");
    return end(&w);
}

int wire_mute(struct text channel, bool on, struct wire_request *out)
{
    struct writer w = begin(out, on ? "POST" : "DELETE");
    plain(&w, "channels/");
    segment(&w, channel);
    plain(&w, "/mute?direction=in");
    return end(&w);
}

int wire_dtmf(struct text channel, struct text digits, struct wire_request *out)
{
    struct writer w = begin(out, "POST");
    plain(&w, "channels/");
    segment(&w, channel);
    plain(&w, "/dtmf?dtmf=");
    segment(&w, digits);
    return end(&w);
}

int wire_sound(struct text media, struct wire_request *out)
{
    struct writer w = begin(out, "GET");
    plain(&w, "sounds/");
    segment(&w, media);
    return end(&w);
}

int wire_endpoint_get(const char *endpoint, struct wire_request *out)
{
    const char *slash = strchr(endpoint, '/');
    struct writer w = begin(out, "GET");
    plain(&w, "endpoints/");
    segment(&w, (struct text){endpoint, slash ? (uint32_t)(slash - endpoint) : 0});
    plain(&w, "/");
    segment(&w, words(slash ? slash + 1 : ""));
    return end(&w);
}

int wire_subscribe(const char *application, const char *endpoint, struct wire_request *out)
{
    struct writer w = begin(out, "POST");
    plain(&w, "applications/");
    segment(&w, words(application));
    plain(&w, "/subscription?eventSource=");
    encoded(&w, words("endpoint:"));
    segment(&w, words(endpoint));
    return end(&w);
}

int wire_filter(const char *application, struct wire_request *out)
{
    static const char *const wanted[] = {
        "Dial",
        "StasisStart",
        "ChannelDestroyed",
        "PlaybackFinished",
        "ChannelDtmfReceived",
        "ContactStatusChange",
        "PeerStatusChange",
        "ApplicationReplaced",
        "RESTResponse",
    };
    struct writer w = begin(out, "PUT");
    plain(&w, "applications/");
    segment(&w, words(application));
    plain(&w, "/eventFilter");
    struct json_writer j;
    json_writer_init(&j, out->body, sizeof out->body);
    json_open_object(&j, NULL);
    json_open_array(&j, "allowed");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        json_open_object(&j, NULL);
        json_put_str(&j, "type", wanted[i]);
        json_close_object(&j);
    }
    json_close_array(&j);
    json_close_object(&j);
    return json_writer_end(&j, &out->body_len) && end(&w) == 0 ? 0 : -1;
}

struct text wire_error(struct json *doc, const char *body, size_t len)
{
    if (json_parse(doc, body, len) != 0) {
        return (struct text){NULL, 0};
    }
    struct text t = json_text(doc, json_get(doc, JSON_ROOT, "message"));
    return t.ptr ? t : json_text(doc, json_get(doc, JSON_ROOT, "error"));
}

int wire_get(const char *uri, struct wire_request *out)
{
    struct writer w = begin(out, "GET");
    plain(&w, uri);
    return end(&w);
}

size_t wire_frame(const struct wire_request *r, uint64_t request, char *out, size_t size)
{
    char id[24];
    struct json_writer j;
    snprintf(id, sizeof id, "%llu", (unsigned long long)request);
    json_writer_init(&j, out, size);
    json_open_object(&j, NULL);
    json_put_str(&j, "type", "RESTRequest");
    json_put_str(&j, "request_id", id);
    json_put_str(&j, "method", r->method);
    json_put_str(&j, "uri", r->uri);
    if (r->body_len > 0) {
        json_put_str(&j, "content_type", "application/json");
        json_put_text(&j, "message_body", /* a string: an object is ignored */
                      (struct text){r->body, (uint32_t)r->body_len});
    }
    json_close_object(&j);
    size_t len = 0;
    return json_writer_end(&j, &len) ? len : 0;
}
