// Applications: who is connected, what each has subscribed to, what its event filter lets through.
// And the last step of every event: to whom it goes, how often, with which "application".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/model.h"

struct app *app_find(const struct pbx *pbx, const char *name)
{
    for (struct app *a = pbx->apps; a != NULL; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

struct app *app_make(struct pbx *pbx, const char *name)
{
    struct app *a = app_find(pbx, name);
    if (a != NULL)
        return a;
    a = mem_new(sizeof *a);
    mem_copy(a->name, sizeof a->name, name);
    struct json_writer quoted;
    json_writer_init(&quoted, a->quoted, sizeof a->quoted);
    json_put_str(&quoted, NULL, name);
    if (json_writer_end(&quoted, NULL) == NULL)
        mem_copy(a->quoted, sizeof a->quoted, "\"\"");
    struct app **at = &pbx->apps;
    while (*at != NULL)
        at = &(*at)->next;
    *at = a;
    return a;
}

static void app_free(struct app *a)
{
    filter_clear(&a->allowed);
    filter_clear(&a->disallowed);
    free(a->endpoint);
    free(a->device);
    free(a);
}

void app_settle(struct pbx *pbx, struct app *a)
{
    if (a->client != NULL || a->interests > 0 || a->endpoints > 0 || a->devices > 0 ||
        a->all_channels > 0 || a->all_bridges > 0 || a->all_endpoints > 0 || a->all_devices > 0)
        return;
    struct app **at = &pbx->apps;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    app_free(a);
}

void app_forget(struct pbx *pbx)
{
    while (pbx->apps != NULL) {
        struct app *a = pbx->apps;
        pbx->apps = a->next;
        app_free(a);
    }
}

void interest_add(struct app *app, struct interest *list)
{
    struct interest *empty = NULL;
    for (int i = 0; i < INTERESTS; i++) {
        if (list[i].app == app) {
            list[i].count++;
            return;
        }
        if (list[i].app == NULL && empty == NULL)
            empty = &list[i];
    }
    if (empty != NULL) { // more applications on one channel than INTERESTS are not told: see README
        *empty = (struct interest){app, 1};
        app->interests++;
    }
}

bool interest_drop(struct app *app, struct interest *list, bool wholly)
{
    for (int i = 0; i < INTERESTS; i++) {
        if (list[i].app != app)
            continue;
        if (wholly || --list[i].count == 0) {
            list[i] = (struct interest){NULL, 0};
            app->interests--;
        }
        return true;
    }
    return false;
}

void interest_clear(struct pbx *pbx, struct interest *list)
{
    for (int i = 0; i < INTERESTS; i++) {
        struct app *app = list[i].app;
        if (app == NULL)
            continue;
        list[i] = (struct interest){NULL, 0};
        app->interests--;
        app_settle(pbx, app);
    }
}

int interest_count(const struct app *app, const struct interest *list)
{
    for (int i = 0; i < INTERESTS; i++)
        if (list[i].app == app)
            return list[i].count;
    return 0;
}

int names_count(const struct name_count *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].count;
    return 0;
}

int names_add(struct name_count **list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp((*list)[i].name, name) == 0)
            return ++(*list)[i].count;
    *list = mem_grow(*list, (*count + 1) * sizeof **list);
    struct name_count *n = &(*list)[(*count)++];
    mem_copy(n->name, sizeof n->name, name);
    n->count = 1;
    return 1;
}

bool names_drop(struct name_count **list, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*list)[i].name, name) != 0)
            continue;
        if (--(*list)[i].count == 0)
            (*list)[i] = (*list)[--*count];
        return true;
    }
    return false;
}

// --- event filters ---

void filter_clear(struct filter *f)
{
    free(f->text);
    json_free(&f->doc);
    *f = (struct filter){0};
}

int filter_set(struct filter *f, const char *text, size_t len)
{
    struct json doc;
    json_init(&doc, 0);
    if (json_parse(&doc, text, len) != 0 || json_type(&doc, JSON_ROOT) != JSON_ARRAY)
        goto wrong;
    uint64_t types = 0;
    bool fields = false;
    for (json_ref i = json_first(&doc, JSON_ROOT); i != JSON_NONE; i = json_next(&doc, i)) {
        const char *type = json_str(&doc, json_get(&doc, i, "type"), NULL);
        if (json_type(&doc, i) != JSON_OBJECT || type == NULL)
            goto wrong;
        if (json_count(&doc, i) > 1)
            fields = true;
        else if (event_named(type) != EV_COUNT)
            types |= UINT64_C(1) << event_named(type);
    }
    filter_clear(f);
    *f = (struct filter){.text = mem_str(""), .types = types, .fields = fields, .doc = doc};
    f->set = json_count(&doc, JSON_ROOT) > 0;
    f->text = mem_grow(f->text, len + 1);
    memcpy(f->text, text, len);
    f->text[len] = '\0';
    return 0;
wrong:
    json_free(&doc);
    return -1;
}

// Every member of `a` is in `b` with the same value, nested objects alike.
static bool within(const struct json *da, json_ref a, const struct json *db, json_ref b, int depth)
{
    enum json_type type = json_type(da, a);
    if (type != json_type(db, b) || depth > JSON_DEPTH_MAX)
        return false;
    if (type == JSON_STRING)
        return strcmp(json_str(da, a, ""), json_str(db, b, "")) == 0;
    double x = 0, y = 0;
    if (type == JSON_NUMBER)
        return json_double(da, a, &x) && json_double(db, b, &y) && x >= y && x <= y;
    if (type != JSON_OBJECT)
        return type == JSON_NULL || type == JSON_TRUE || type == JSON_FALSE;
    for (json_ref i = json_first(da, a); i != JSON_NONE; i = json_next(da, i))
        if (!within(da, i, db, json_get(db, b, json_key(da, i).ptr), depth + 1))
            return false;
    return true;
}

static bool filter_matches(const struct filter *f, enum event_type type, const struct json *event)
{
    if ((f->types >> type & 1) != 0)
        return true;
    if (!f->fields || event == NULL)
        return false;
    for (json_ref i = json_first(&f->doc, JSON_ROOT); i != JSON_NONE; i = json_next(&f->doc, i))
        if (json_count(&f->doc, i) > 1 && within(&f->doc, i, event, JSON_ROOT, 0))
            return true;
    return false;
}

// Without the event itself: false only if it is sure not to pass.
static bool may_pass(const struct app *a, enum event_type type)
{
    if (a->allowed.set && !a->allowed.fields && (a->allowed.types >> type & 1) == 0)
        return false;
    return !(a->disallowed.set && (a->disallowed.types >> type & 1) != 0);
}

static bool passes(struct pbx *pbx, const struct app *a, enum event_type type, const char *text,
                   size_t len)
{
    if (!may_pass(a, type))
        return false;
    if (!(a->allowed.set && a->allowed.fields) && !(a->disallowed.set && a->disallowed.fields))
        return true;
    if (json_parse(&pbx->filtered, text, len) != 0)
        return true;
    if (a->allowed.set && !filter_matches(&a->allowed, type, &pbx->filtered))
        return false;
    return !(a->disallowed.set && filter_matches(&a->disallowed, type, &pbx->filtered));
}

// --- delivery ---

static int chan_weight(const struct app *a, const struct chan *c)
{
    if (a->client == NULL)
        return 0;
    int weight = a->all_channels > 0 ? 1 : interest_count(a, c->interest) > 0;
    const struct endpoint *e = c->endpoint;
    if (e != NULL && a->endpoints > 0)
        weight += (names_count(a->endpoint, a->endpoints, e->key) > 0) +
                  (names_count(a->endpoint, a->endpoints, "PJSIP") > 0);
    return weight;
}

bool event_wanted_chan(const struct pbx *pbx, const struct chan *c, enum event_type type)
{
    for (const struct app *a = pbx->apps; a != NULL; a = a->next)
        if (chan_weight(a, c) > 0 && may_pass(a, type))
            return true;
    return false;
}

static int bridge_weight(const struct app *a, const struct bridge *b)
{
    if (a->client == NULL)
        return 0;
    return a->all_bridges > 0 ? 1 : interest_count(a, b->interest) > 0;
}

static int endpoint_weight(const struct app *a, const struct endpoint *e)
{
    if (a->client == NULL)
        return 0;
    return (a->all_endpoints > 0) + (names_count(a->endpoint, a->endpoints, e->key) > 0) +
           (names_count(a->endpoint, a->endpoints, "PJSIP") > 0);
}

static int device_weight(const struct app *a, const char *device)
{
    if (a->client == NULL)
        return 0;
    return (a->all_devices > 0) + (names_count(a->device, a->devices, device) > 0);
}

bool event_wanted_bridge(const struct pbx *pbx, const struct bridge *b, enum event_type type)
{
    for (const struct app *a = pbx->apps; a != NULL; a = a->next)
        if (bridge_weight(a, b) > 0 && may_pass(a, type))
            return true;
    return false;
}

bool event_wanted_endpoint(const struct pbx *pbx, const struct endpoint *e, enum event_type type)
{
    for (const struct app *a = pbx->apps; a != NULL; a = a->next)
        if (endpoint_weight(a, e) > 0 && may_pass(a, type))
            return true;
    return false;
}

bool event_wanted_device(const struct pbx *pbx, const char *device, enum event_type type)
{
    for (const struct app *a = pbx->apps; a != NULL; a = a->next)
        if (device_weight(a, device) > 0 && may_pass(a, type))
            return true;
    return false;
}

// The event as it was built, closed with the application's name. Built once, sent as often as the
// application has subscribed to it in different ways: that is what Asterisk does.
static void deliver(struct pbx *pbx, struct app *a, enum event_type type, const char *text,
                    size_t len, int weight)
{
    if (weight == 0 || !passes(pbx, a, type, text, len))
        return;
    static const char key[] = ",\"application\":";
    size_t name = strlen(a->quoted), need = len + sizeof key + name + 1;
    if (need > pbx->frame_room) {
        pbx->frame_room = 2 * need;
        pbx->frame = mem_grow(pbx->frame, pbx->frame_room);
    }
    char *to = mempcpy(pbx->frame, text, len - 1);
    to = mempcpy(to, key, sizeof key - 1);
    to = mempcpy(to, a->quoted, name);
    *to++ = '}';
    for (; weight > 0; weight--) {
        pbx->events++;
        pbx->hooks.send(pbx->hooks.ctx, a->client->socket, pbx->frame, (size_t)(to - pbx->frame));
    }
}

static const char *event_text(struct pbx *pbx, size_t *len)
{
    json_put_str(&pbx->event, "asterisk_id", ASTERISK_ID);
    json_close_object(&pbx->event);
    return json_writer_end(&pbx->event, len);
}

void event_publish_chan(struct pbx *pbx, const struct chan *c, enum event_type type)
{
    size_t len;
    const char *text = event_text(pbx, &len);
    for (struct app *a = pbx->apps; a != NULL && text != NULL; a = a->next)
        deliver(pbx, a, type, text, len, chan_weight(a, c));
}

void event_publish_bridge(struct pbx *pbx, const struct bridge *b, enum event_type type)
{
    size_t len;
    const char *text = event_text(pbx, &len);
    for (struct app *a = pbx->apps; a != NULL && text != NULL; a = a->next)
        deliver(pbx, a, type, text, len, bridge_weight(a, b));
}

void event_publish_app(struct pbx *pbx, struct app *app, enum event_type type)
{
    size_t len;
    const char *text = event_text(pbx, &len);
    if (text != NULL && app->client != NULL)
        deliver(pbx, app, type, text, len, 1);
}

void event_publish_endpoint(struct pbx *pbx, const struct endpoint *e, enum event_type type)
{
    size_t len;
    const char *text = event_text(pbx, &len);
    for (struct app *a = pbx->apps; a != NULL && text != NULL; a = a->next)
        deliver(pbx, a, type, text, len, endpoint_weight(a, e));
}

void event_publish_device(struct pbx *pbx, const char *device, enum event_type type)
{
    size_t len;
    const char *text = event_text(pbx, &len);
    for (struct app *a = pbx->apps; a != NULL && text != NULL; a = a->next)
        deliver(pbx, a, type, text, len, device_weight(a, device));
}

// --- clients ---

static void replaced(struct pbx *pbx, struct app *a)
{
    event_open(pbx, EV_ApplicationReplaced);
    event_publish_app(pbx, a, EV_ApplicationReplaced);
    witness_word(pbx, "replaced", "", "app", a->name);
}

struct pbx_client *pbx_client_open(struct pbx *pbx, const char *apps, bool subscribe_all,
                                   void *socket)
{
    char copy[600];
    if (strlen(apps) >= sizeof copy)
        return NULL;
    mem_copy(copy, sizeof copy, apps);
    struct pbx_client *client = mem_new(sizeof *client);
    client->socket = socket;
    char *rest = copy;
    for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ",")) {
        if (name[0] == '\0' || strlen(name) >= sizeof client->first_app ||
            client->apps == APPS_PER_CLIENT)
            continue;
        struct app *a = app_make(pbx, name);
        if (a->client != NULL)
            replaced(pbx, a);
        a->client = client;
        if (subscribe_all) {
            a->all_channels = 1;
            a->all_bridges = 1;
            a->all_devices = 1; // endpoints tell nothing of their own then
        }
        if (client->apps == 0)
            mem_copy(client->first_app, sizeof client->first_app, name);
        client->app[client->apps++] = a;
        witness_word(pbx, "client", "", "app", a->name);
    }
    if (client->apps == 0) {
        free(client);
        return NULL;
    }
    client->next = pbx->clients;
    pbx->clients = client;
    return client;
}

void pbx_client_close(struct pbx *pbx, struct pbx_client *client)
{
    struct pbx_client **at = &pbx->clients;
    while (*at != NULL && *at != client)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = client->next;
    for (struct app *a = pbx->apps, *next; a != NULL; a = next) {
        next = a->next;
        if (a->client != client)
            continue;
        a->client = NULL;
        a->all_channels = a->all_bridges = a->all_endpoints = a->all_devices = 0;
        witness_word(pbx, "client_gone", "", "app", a->name);
        app_settle(pbx, a);
    }
    free(client);
}

void pbx_client_answer(struct pbx *pbx, struct pbx_client *client, const char *transaction_id,
                       const char *request_id, const char *uri, const struct pbx_answer *answer)
{
    struct json_writer *w = &pbx->framed;
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_str(w, "type", "RESTResponse");
    json_put_str(w, "transaction_id", transaction_id);
    json_put_str(w, "request_id", request_id);
    json_put_int(w, "status_code", answer->status);
    json_put_str(w, "reason_phrase", answer->reason);
    json_put_str(w, "uri", uri);
    if (answer->body != NULL) {
        json_put_str(w, "content_type", "application/json");
        json_put_text(w, "message_body", (struct text){answer->body, (uint32_t)answer->len});
    }
    json_put_str(w, "application", client->first_app);
    put_time(w, "timestamp", pbx_wall_ms(pbx));
    json_put_str(w, "asterisk_id", ASTERISK_ID);
    json_close_object(w);
    size_t len;
    const char *text = json_writer_end(w, &len);
    // A replaced client's filter is the new one's: the filter belongs to the application's name.
    struct app *a = app_find(pbx, client->first_app);
    if (text != NULL && (a == NULL || passes(pbx, a, EV_RESTResponse, text, len)))
        pbx->hooks.send(pbx->hooks.ctx, client->socket, text, len);
}

static void put_names(struct json_writer *w, const char *key, const struct name_count *list,
                      size_t count)
{
    json_open_array(w, key);
    for (size_t i = 0; i < count; i++)
        json_put_str(w, NULL, list[i].name);
    json_close_array(w);
}

void app_json(struct pbx *pbx, struct json_writer *w, const char *key, const struct app *a)
{
    json_open_object(w, key);
    json_put_str(w, "name", a->name);
    json_open_array(w, "channel_ids");
    for (const struct chan *c = pbx->channels; c != NULL; c = c->next)
        if (interest_count(a, c->interest) > 0)
            json_put_str(w, NULL, c->id);
    json_close_array(w);
    json_open_array(w, "bridge_ids");
    for (const struct bridge *b = pbx->bridges; b != NULL; b = b->next)
        if (interest_count(a, b->interest) > 0)
            json_put_str(w, NULL, b->id);
    if (a->all_bridges > 0)
        json_put_str(w, NULL, "__AST_BRIDGE_ALL_TOPIC");
    json_close_array(w);
    put_names(w, "endpoint_ids", a->endpoint, a->endpoints);
    put_names(w, "device_names", a->device, a->devices);
    json_put_raw(w, "events_allowed", a->allowed.set ? a->allowed.text : "[]",
                 a->allowed.set ? strlen(a->allowed.text) : 2);
    json_put_raw(w, "events_disallowed", a->disallowed.set ? a->disallowed.text : "[]",
                 a->disallowed.set ? strlen(a->disallowed.text) : 2);
    json_close_object(w);
}
