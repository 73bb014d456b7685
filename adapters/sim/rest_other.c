// Applications, endpoints, device states, sounds, events and the server itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"
#include "adapters/sim/rest.h"

// --- applications ---

static struct app *the_app(struct rest *r)
{
    struct app *a = app_find(r->pbx, r->segment[1]);
    if (a == NULL)
        rest_error(r, 404, "Application not found");
    return a;
}

static void apps_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (const struct app *a = r->pbx->apps; a != NULL; a = a->next)
        app_json(r->pbx, r->reply, NULL, a);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void app_get(struct rest *r)
{
    struct app *a = the_app(r);
    if (a == NULL)
        return;
    app_json(r->pbx, r->reply, NULL, a);
    rest_reply(r, 200);
}

static void put_filter(struct rest *r)
{
    struct app *a = the_app(r);
    if (a == NULL)
        return;
    const struct json *doc = &r->pbx->parsed;
    const char *keys[] = {"allowed", "disallowed"};
    struct filter fresh[2] = {{0}, {0}};
    bool given[2] = {false, false};
    for (int i = 0; i < 2; i++) {
        json_ref list = r->body ? json_get(doc, JSON_ROOT, keys[i]) : JSON_NONE;
        if (list == JSON_NONE)
            continue;
        struct text raw = json_raw(doc, list, r->in->body);
        given[i] = true;
        if (filter_set(&fresh[i], raw.ptr, raw.len) != 0) {
            filter_clear(&fresh[0]);
            rest_error(r, 400, "Invalid format definition");
            return;
        }
    }
    bool clears = !r->body || json_count(doc, JSON_ROOT) == 0;
    struct filter *old[] = {&a->allowed, &a->disallowed};
    for (int i = 0; i < 2; i++) {
        if (!given[i] && !clears)
            continue;
        filter_clear(old[i]);
        *old[i] = fresh[i];
    }
    app_json(r->pbx, r->reply, NULL, a);
    rest_reply(r, 200);
}

static bool endpoint_source(struct rest *r, const char *name)
{
    const char *slash = strchr(name, '/');
    if (strcmp(name, "PJSIP") == 0)
        return true;
    return slash != NULL && strncmp(name, "PJSIP/", 6) == 0 &&
           endpoint_find(r->pbx, slash + 1) != NULL;
}

// One event source on or off. 0, or the status to answer with.
static int subscribe(struct rest *r, struct app *a, const char *source, bool on)
{
    const char *name = strchr(source, ':');
    if (name == NULL)
        return 400;
    size_t len = (size_t)(name++ - source);
    int missing = on ? 422 : 1422;
    if (len == 7 && strncmp(source, "channel", 7) == 0) {
        if (name[0] == '\0')
            return a->all_channels = on, 0;
        struct chan *c = chan_find(r->pbx, name);
        if (c == NULL)
            return 422;
        if (on)
            interest_add(a, c->interest);
        else if (!interest_drop(a, c->interest, false))
            return missing;
        return 0;
    }
    if (len == 6 && strncmp(source, "bridge", 6) == 0) {
        if (name[0] == '\0')
            return a->all_bridges = on, 0;
        struct bridge *b = bridge_find(r->pbx, name);
        if (b == NULL)
            return 422;
        if (on)
            interest_add(a, b->interest);
        else if (!interest_drop(a, b->interest, false))
            return missing;
        return 0;
    }
    if (len == 8 && strncmp(source, "endpoint", 8) == 0) {
        if (name[0] == '\0')
            return a->all_endpoints = on, 0;
        if (!endpoint_source(r, name))
            return 422;
        // An endpoint is subscribed once, however often it is asked for.
        if (on && names_count(a->endpoint, a->endpoints, name) == 0)
            names_add(&a->endpoint, &a->endpoints, name);
        else if (!on && !names_drop(&a->endpoint, &a->endpoints, name))
            return missing;
        return 0;
    }
    if (len == 11 && strncmp(source, "deviceState", 11) == 0) {
        if (name[0] == '\0')
            return a->all_devices = on, 0;
        if (on && names_count(a->device, a->devices, name) == 0)
            names_add(&a->device, &a->devices, name);
        else if (!on && !names_drop(&a->device, &a->devices, name))
            return missing;
        return 0;
    }
    return 400;
}

static void subscription(struct rest *r)
{
    struct app *a = the_app(r);
    const char *sources = rest_param(r, "eventSource");
    char one[300];
    if (a == NULL)
        return;
    if (sources == NULL || sources[0] == '\0') {
        rest_error(r, 400, "Missing parameter eventSource");
        return;
    }
    while (*sources != '\0') {
        size_t len = strcspn(sources, ",");
        snprintf(one, sizeof one, "%.*s", (int)len, sources);
        int bad = subscribe(r, a, one, strcmp(r->in->method, "POST") == 0);
        if (bad != 0) {
            rest_error(r, bad == 1422 ? 422 : bad,
                       bad == 400    ? "Invalid event source URI scheme"
                       : bad == 1422 ? "Event source was not subscribed to"
                                     : "Event source does not exist");
            return;
        }
        sources += len + (sources[len] == ',');
    }
    app_json(r->pbx, r->reply, NULL, a);
    rest_reply(r, 200);
    app_settle(r->pbx, a);
}

// --- endpoints, device states ---

static void endpoints_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (const struct endpoint *e = r->pbx->endpoints; e != NULL; e = e->next)
        put_endpoint(r->pbx, r->reply, NULL, e);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void endpoints_tech(struct rest *r)
{
    char message[120];
    if (strcmp(r->segment[1], "PJSIP") == 0) {
        endpoints_list(r);
        return;
    }
    snprintf(message, sizeof message, "No Endpoints found - invalid tech %.60s", r->segment[1]);
    rest_error(r, 404, message);
}

static void endpoint_get(struct rest *r)
{
    struct endpoint *e =
        strcmp(r->segment[1], "PJSIP") == 0 ? endpoint_find(r->pbx, r->segment[2]) : NULL;
    if (e == NULL) {
        rest_error(r, 404, "Endpoint not found");
        return;
    }
    put_endpoint(r->pbx, r->reply, NULL, e);
    rest_reply(r, 200);
}

static const char *const states[] = {"UNKNOWN",     "NOT_INUSE", "INUSE",     "BUSY",  "INVALID",
                                     "UNAVAILABLE", "RINGING",   "RINGINUSE", "ONHOLD"};

static void put_device(struct json_writer *w, const char *name, const char *state)
{
    json_open_object(w, NULL);
    json_put_str(w, "name", name);
    json_put_str(w, "state", state);
    json_close_object(w);
}

static struct name_count *own_device(struct rest *r, const char *name)
{
    for (size_t i = 0; i < r->pbx->devices; i++)
        if (strcmp(r->pbx->device[i].name, name) == 0)
            return &r->pbx->device[i];
    return NULL;
}

static void devices_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (size_t i = 0; i < r->pbx->devices; i++)
        put_device(r->reply, r->pbx->device[i].name, states[r->pbx->device[i].count]);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void device_get(struct rest *r)
{
    const char *name = r->segment[1], *state = "INVALID";
    struct name_count *own = own_device(r, name);
    if (own != NULL)
        state = states[own->count];
    else if (strncmp(name, "PJSIP/", 6) == 0 && endpoint_find(r->pbx, name + 6) != NULL)
        state = device_state(endpoint_find(r->pbx, name + 6));
    put_device(r->reply, name, state);
    rest_reply(r, 200);
}

static void device_put(struct rest *r)
{
    const char *name = r->segment[1], *state = rest_param(r, "deviceState");
    int which = -1;
    for (int i = 0; state != NULL && i < 9; i++)
        if (strcmp(states[i], state) == 0)
            which = i;
    if (strncmp(name, "Stasis:", 7) != 0) {
        rest_error(r, 409, "Uncontrolled device specified");
        return;
    }
    if (which < 0) {
        rest_error(r, 400, "Missing parameter deviceState");
        return;
    }
    struct name_count *own = own_device(r, name);
    if (own == NULL) {
        names_add(&r->pbx->device, &r->pbx->devices, name);
        own = own_device(r, name);
    }
    own->count = which;
    rest_none(r);
    ev_device(r->pbx, name, state);
}

static void device_delete(struct rest *r)
{
    struct name_count *own = own_device(r, r->segment[1]);
    if (own == NULL) {
        rest_error(r, strncmp(r->segment[1], "Stasis:", 7) == 0 ? 404 : 409,
                   "Uncontrolled device specified");
        return;
    }
    *own = r->pbx->device[--r->pbx->devices];
    rest_none(r);
    ev_device(r->pbx, r->segment[1], "UNKNOWN");
}

// --- sounds ---

static void put_sound(struct json_writer *w, const char *name)
{
    json_open_object(w, NULL);
    json_put_str(w, "id", name);
    json_open_array(w, "formats");
    json_open_object(w, NULL);
    json_put_str(w, "language", "en");
    json_put_str(w, "format", "slin");
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
}

static void sounds_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (size_t i = 0; i < r->pbx->config.sounds; i++)
        put_sound(r->reply, r->pbx->config.sound[i].name);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void sound_get(struct rest *r)
{
    if (sound_seconds(r->pbx, r->segment[1]) < 0) {
        rest_error(r, 404, "Sound not found");
        return;
    }
    put_sound(r->reply, r->segment[1]);
    rest_reply(r, 200);
}

// --- the server ---

static void ping(struct rest *r)
{
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, "ping", "pong");
    put_time(r->reply, "timestamp", pbx_wall_ms(r->pbx));
    json_put_str(r->reply, "asterisk_id", ASTERISK_ID);
    json_close_object(r->reply);
    rest_reply(r, 200);
}

static void info(struct rest *r)
{
    const char *only = rest_param(r, "only");
    struct json_writer *w = r->reply;
    json_open_object(w, NULL);
    if (only == NULL || strstr(only, "build") != NULL) {
        json_open_object(w, "build");
        json_put_str(w, "os", "Linux");
        json_put_str(w, "machine", "ari-sim");
        json_close_object(w);
    }
    if (only == NULL || strstr(only, "system") != NULL) {
        json_open_object(w, "system");
        json_put_str(w, "version", "22.10.1");
        json_put_str(w, "entity_id", ASTERISK_ID);
        json_close_object(w);
    }
    if (only == NULL || strstr(only, "config") != NULL) {
        json_open_object(w, "config");
        json_put_str(w, "name", "");
        json_put_str(w, "default_language", "en");
        json_close_object(w);
    }
    if (only == NULL || strstr(only, "status") != NULL) {
        json_open_object(w, "status");
        put_time(w, "startup_time", r->pbx->startup_ms);
        put_time(w, "last_reload_time", r->pbx->startup_ms);
        json_close_object(w);
    }
    json_close_object(w);
    rest_reply(r, 200);
}

static void logging(struct rest *r)
{
    json_open_array(r->reply, NULL);
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, "channel", "/var/log/asterisk/messages.log");
    json_put_str(r->reply, "type", "File");
    json_put_str(r->reply, "status", "Enabled");
    json_put_str(r->reply, "configuration", "NOTICE WARNING ERROR ");
    json_close_object(r->reply);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void no_module(struct rest *r)
{
    rest_error(r, 404, "Module could not be found in running modules");
}

static void reload_module(struct rest *r)
{
    if (strcmp(r->segment[2], "res_pjsip.so") == 0 || strcmp(r->segment[2], "res_ari.so") == 0)
        rest_none(r); // calls and websockets stay
    else
        no_module(r);
}

static void global_read(struct rest *r)
{
    const char *name = rest_param(r, "variable");
    const char *value = name != NULL ? global_get(r->pbx, name) : NULL;
    if (value == NULL) {
        rest_error(r, name == NULL ? 400 : 404,
                   name == NULL ? "Variable name is required" : "Provided variable was not found");
        return;
    }
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, "value", value);
    json_close_object(r->reply);
    rest_reply(r, 200);
}

static void global_write(struct rest *r)
{
    const char *name = rest_param(r, "variable"), *value = rest_param(r, "value");
    if (name == NULL) {
        rest_error(r, 400, "Variable name is required");
        return;
    }
    global_set(r->pbx, name, value != NULL ? value : "");
    rest_none(r);
}

// --- events ---

static void events_get(struct rest *r)
{
    if (r->in->websocket)
        rest_error_reason(r, 400, "Bad request", "Can't upgrade to websocket from a websocket");
    else
        rest_error(r, 426, "Upgrade Required");
}

static void user_event(struct rest *r)
{
    const char *app = rest_param(r, "application"), *source = rest_param(r, "source");
    struct app *a = app != NULL ? app_find(r->pbx, app) : NULL;
    if (a == NULL) {
        rest_error(r, app == NULL ? 400 : 404,
                   app == NULL ? "Missing parameter application" : "Application not found");
        return;
    }
    struct chan *c = NULL;
    if (source != NULL) {
        c = strncmp(source, "channel:", 8) == 0 ? chan_find(r->pbx, source + 8) : NULL;
        if (c == NULL) {
            rest_error(r, 422, "Event source was not found");
            return;
        }
    }
    rest_none(r);
    struct json_writer *w = event_open(r->pbx, EV_ChannelUserevent);
    json_put_str(w, "eventname", r->segment[2]);
    json_ref list = r->body ? json_get(&r->pbx->parsed, JSON_ROOT, "variables") : JSON_NONE;
    json_open_object(w, "userevent");
    json_put_str(w, "eventname", r->segment[2]);
    for (json_ref i = json_first(&r->pbx->parsed, list); i != JSON_NONE;
         i = json_next(&r->pbx->parsed, i)) {
        struct text raw = json_raw(&r->pbx->parsed, i, r->in->body);
        json_put_raw(w, json_key(&r->pbx->parsed, i).ptr, raw.ptr, raw.len);
    }
    json_close_object(w);
    if (c != NULL)
        put_chan(w, "channel", c);
    event_publish_app(r->pbx, a, EV_ChannelUserevent);
}

static void api_docs(struct rest *r)
{
    json_open_object(r->reply, NULL);
    json_put_str(r->reply, "apiVersion", "10.0.0");
    json_put_str(r->reply, "swaggerVersion", "1.1");
    json_close_object(r->reply);
    rest_reply(r, 200);
}

const struct route other_routes[] = {
    {"GET", "applications", apps_list},
    {"GET", "applications/{}", app_get},
    {"POST", "applications/{}/subscription", subscription},
    {"DELETE", "applications/{}/subscription", subscription},
    {"PUT", "applications/{}/eventFilter", put_filter},
    {"GET", "endpoints", endpoints_list},
    {"GET", "endpoints/{}", endpoints_tech},
    {"GET", "endpoints/{}/{}", endpoint_get},
    {"GET", "deviceStates", devices_list},
    {"GET", "deviceStates/{}", device_get},
    {"PUT", "deviceStates/{}", device_put},
    {"DELETE", "deviceStates/{}", device_delete},
    {"GET", "sounds", sounds_list},
    {"GET", "sounds/{}", sound_get},
    {"GET", "asterisk/ping", ping},
    {"GET", "asterisk/info", info},
    {"GET", "asterisk/logging", logging},
    {"GET", "asterisk/modules/{}", no_module},
    {"PUT", "asterisk/modules/{}", reload_module},
    {"GET", "asterisk/variable", global_read},
    {"POST", "asterisk/variable", global_write},
    {"GET", "events", events_get},
    {"POST", "events/user/{}", user_event},
    {"GET", "api-docs/{}", api_docs},
    {NULL, NULL, NULL},
};
