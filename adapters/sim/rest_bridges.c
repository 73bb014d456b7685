// Bridges over REST.
#include <stdio.h>
#include <string.h>

#include "adapters/sim/rest.h"

enum { BRIDGE_ADD_MAX = 64 };

static bool known_type(const char *type)
{
    static const char *const known[] = {"mixing",    "holding",      "dtmf_events", "proxy_media",
                                        "video_sfu", "video_single", "sdp_label"};
    while (*type != '\0') {
        size_t len = strcspn(type, ",");
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || (strlen(known[i]) == len && strncmp(known[i], type, len) == 0);
        if (!found)
            return false;
        type += len + (type[len] == ',');
    }
    return true;
}

static void create(struct rest *r)
{
    const char *id = r->segments > 1 ? r->segment[1] : rest_param(r, "bridgeId");
    const char *type = rest_param(r, "type"), *name = rest_param(r, "name");
    char message[700];
    id = id != NULL ? id : "";
    type = type != NULL ? type : "mixing";
    if (id[0] != '\0' && bridge_find(r->pbx, id) != NULL) {
        snprintf(message, sizeof message, "Bridge with id '%.500s' already exists", id);
        rest_error(r, 409, message);
        return;
    }
    if (!known_type(type)) {
        snprintf(message, sizeof message,
                 "Unable to create bridge. Possible duplicate bridge id '%.500s'",
                 id[0] != '\0' ? id : "(null)");
        rest_error(r, 500, message);
        return;
    }
    struct bridge *b = bridge_new(r->pbx, id, name != NULL ? name : "", type);
    put_bridge(r->reply, NULL, b);
    rest_reply(r, 200);
    ev_bridge(r->pbx, b, EV_BridgeCreated);
}

static void list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (const struct bridge *b = r->pbx->bridges; b != NULL; b = b->next)
        put_bridge(r->reply, NULL, b);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void get(struct rest *r)
{
    struct bridge *b = rest_bridge(r);
    if (b == NULL)
        return;
    put_bridge(r->reply, NULL, b);
    rest_reply(r, 200);
}

static void delete (struct rest *r)
{
    struct bridge *b = rest_bridge(r);
    if (b == NULL)
        return;
    rest_none(r);
    media_bridge_end(r->pbx, b);
    b->dissolving = true;
    while (b->members != NULL)
        bridge_leave(b->members, true);
    ev_bridge(r->pbx, b, EV_BridgeDestroyed);
    bridge_free(b, r->pbx);
}

// The channels named in `channel`, a list of which all must be there. Their number, or -1:
// answered.
static int members(struct rest *r, struct chan *found[BRIDGE_ADD_MAX])
{
    const char *names = rest_param(r, "channel");
    char id[ID_SIZE];
    int n = 0;
    if (names == NULL || names[0] == '\0') {
        rest_error(r, 400, "Missing parameter channel");
        return -1;
    }
    while (*names != '\0' && n < BRIDGE_ADD_MAX) {
        size_t len = strcspn(names, ",");
        snprintf(id, sizeof id, "%.*s", (int)(len < ID_SIZE ? len : ID_SIZE - 1), names);
        struct chan *c = chan_find(r->pbx, id);
        if (c == NULL) {
            rest_error(r, 400, "Channel not found");
            return -1;
        }
        if (c->stasis == NULL) {
            rest_error(r, 422, "Channel not in Stasis application");
            return -1;
        }
        found[n++] = c;
        names += len + (names[len] == ',');
    }
    return n;
}

// These two say "Not found" where the others say "Not Found".
static struct bridge *changed_bridge(struct rest *r)
{
    struct bridge *b = bridge_find(r->pbx, r->segment[1]);
    if (b == NULL)
        rest_error_reason(r, 404, "Not found", "Bridge not found");
    return b;
}

static void add_channel(struct rest *r)
{
    struct chan *c[BRIDGE_ADD_MAX];
    char message[ID_SIZE + 40];
    struct bridge *b = changed_bridge(r);
    int n = b != NULL ? members(r, c) : -1;
    for (int i = 0; i < n; i++) {
        if (c[i]->recording != NULL) {
            snprintf(message, sizeof message, "Channel %s currently recording", c[i]->id);
            rest_error(r, 409, message);
            return;
        }
    }
    if (n < 0)
        return;
    rest_none(r);
    for (int i = 0; i < n; i++) {
        if (rest_true(r, "mute"))
            witness_word(r->pbx, "mute", c[i]->id, "direction", "in");
        bridge_enter(b, c[i], rest_true(r, "inhibitConnectedLineUpdates"));
    }
}

static void remove_channel(struct rest *r)
{
    struct chan *c[BRIDGE_ADD_MAX];
    struct bridge *b = changed_bridge(r);
    int n = b != NULL ? members(r, c) : -1;
    for (int i = 0; i < n; i++) {
        if (c[i]->bridge != b) {
            rest_error(r, 422, "Channel not in this bridge");
            return;
        }
    }
    if (n < 0)
        return;
    rest_none(r);
    for (int i = 0; i < n; i++)
        if (c[i]->bridge == b)
            bridge_leave(c[i], true);
}

static void moh(struct rest *r)
{
    struct bridge *b = rest_bridge(r);
    if (b == NULL)
        return;
    bool on = strcmp(r->in->method, "POST") == 0;
    if (!on && !b->moh) {
        rest_error(r, 409, "Bridge isn't playing music");
        return;
    }
    b->moh = on;
    witness_word(r->pbx, on ? "moh" : "moh_end", "", "bridge", b->id);
    rest_none(r);
}

const struct route bridge_routes[] = {
    {"GET", "bridges", list},
    {"POST", "bridges", create},
    {"GET", "bridges/{}", get},
    {"POST", "bridges/{}", create},
    {"DELETE", "bridges/{}", delete},
    {"POST", "bridges/{}/addChannel", add_channel},
    {"POST", "bridges/{}/removeChannel", remove_channel},
    {"POST", "bridges/{}/moh", moh},
    {"DELETE", "bridges/{}/moh", moh},
    {NULL, NULL, NULL},
};
