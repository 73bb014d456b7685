#include "tests/ari-sim/transcript.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 4 << 20 };

bool transcript_read(struct transcript *t, const char *path)
{
    *t = (struct transcript){.memory = NULL};
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    t->memory = malloc(FILE_MAX + 1);
    size_t len = t->memory != NULL ? fread(t->memory, 1, FILE_MAX, f) : 0;
    fclose(f);
    if (len == 0)
        return false;
    t->memory[len] = '\0';
    size_t count = 1;
    for (size_t i = 0; i < len; i++)
        count += t->memory[i] == '\n';
    t->line = calloc(count, sizeof *t->line);
    if (t->line == NULL)
        return false;
    char *rest = t->memory;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
        if (line[0] != '\0')
            t->line[t->lines++] = (struct transcript_line){line, strlen(line)};
    return true;
}

void transcript_free(struct transcript *t)
{
    free(t->line);
    free(t->memory);
    *t = (struct transcript){.memory = NULL};
}

int64_t transcript_wall_ms(const struct transcript *t)
{
    for (size_t i = 0; i < t->lines; i++) {
        const char *at = strstr(t->line[i].text, "\"creationtime\": \"");
        struct tm tm = {.tm_isdst = 0};
        if (at == NULL || strptime(at + 17, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
            continue;
        return (int64_t)timegm(&tm) * 1000;
    }
    return 0;
}

bool made_up_id(const char *id)
{
    size_t digits = strspn(id, "0123456789");
    if (digits == 10 && id[10] == '.' && isdigit((unsigned char)id[11]))
        return true;
    return strlen(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' &&
           strspn(id, "0123456789abcdef-") == 36;
}

// --- signs ---

struct sign {
    char *at;
    size_t left;
};

static void add(struct sign *s, const char *text)
{
    int n = snprintf(s->at, s->left, " %s", text);
    if (n > 0 && (size_t)n < s->left) {
        s->at += n;
        s->left -= (size_t)n;
    }
}

// key=value of a member, if it is there.
static void add_member(struct sign *s, const struct json *d, json_ref at, const char *path)
{
    json_ref node = json_path(d, at, path);
    char word[300];
    int64_t n;
    bool set;
    const char *text = json_str(d, node, NULL);
    const char *key = strrchr(path, '.') != NULL ? strrchr(path, '.') + 1 : path;
    if (text != NULL)
        snprintf(word, sizeof word, "%s=%.200s", key, made_up_id(text) ? "auto" : text);
    else if (json_int(d, node, &n))
        snprintf(word, sizeof word, "%s=%lld", key, (long long)n);
    else if (json_bool(d, node, &set))
        snprintf(word, sizeof word, "%s=%s", key, set ? "true" : "false");
    else
        return;
    add(s, word);
}

static void add_list(struct sign *s, const struct json *d, json_ref list)
{
    for (json_ref i = json_first(d, list); i != JSON_NONE; i = json_next(d, i)) {
        const char *text = json_str(d, i, "?");
        add(s, made_up_id(text) ? "auto" : text);
    }
}

// Values of these variables are fixed; of others only whether they are empty.
static void add_variable(struct sign *s, const struct json *d, json_ref event)
{
    static const char *const fixed[] = {
        "STASISSTATUS", "AMDSTATUS", "AMDCAUSE", "TRY", "A", "B", "N", "M"};
    const char *name = json_str(d, json_get(d, event, "variable"), "");
    const char *value = json_str(d, json_get(d, event, "value"), "");
    add(s, name);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (strcmp(fixed[i], name) == 0) {
            add(s, value);
            return;
        }
    }
    add(s, value[0] != '\0' ? "(set)" : "(empty)");
}

static const char *strand_of(const struct json *d, json_ref e)
{
    static const char *const places[] = {
        "peer.id",   "channel.id",       "playback.target_uri", "recording.target_uri",
        "bridge.id", "device_state.name"};
    const char *resource = json_str(d, json_path(d, e, "endpoint.resource"), NULL);
    if (resource != NULL)
        return resource;
    const char *peer = json_str(d, json_path(d, e, "peer.id"), NULL);
    if (peer != NULL)
        return peer;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *id = json_str(d, json_path(d, e, places[i]), NULL);
        if (id != NULL)
            return id;
    }
    return json_str(d, json_get(d, e, "type"), "?");
}

bool event_sign(const struct json *d, json_ref e, char strand[STRAND_MAX], char sign[SIGN_MAX])
{
    static const char *const fields[] = {"dialstatus",
                                         "forward",
                                         "dialstring",
                                         "cause",
                                         "cause_txt",
                                         "tech_cause",
                                         "soft",
                                         "digit",
                                         "dialplan_app",
                                         "dialplan_app_data",
                                         "musicclass",
                                         "eventname",
                                         "destination",
                                         "device_state.state",
                                         "peer.peer_status",
                                         "contact_info.contact_status",
                                         "endpoint.state",
                                         "channelvars.LEAD",
                                         "playback.id",
                                         "playback.media_uri",
                                         "playback.next_media_uri",
                                         "playback.state",
                                         "recording.name",
                                         "recording.format",
                                         "recording.state",
                                         "recording.cause"};
    const char *type = json_str(d, json_get(d, e, "type"), NULL);
    const char *variable = json_str(d, json_get(d, e, "variable"), "");
    if (type == NULL || strcmp(type, "RESTResponse") == 0)
        return false;
    // Told a dozen times at each change of a bridge, in no fixed number: nothing that a client
    // could build on.
    if (strncmp(variable, "BRIDGEP", 7) == 0 ||
        (strncmp(variable, "RTPAUDIO", 8) == 0 && strstr(variable, "BRIDGED")))
        return false;
    const char *key = strand_of(d, e), *app = json_str(d, json_get(d, e, "application"), "");
    snprintf(strand, STRAND_MAX, "%.60s/%.170s", app, made_up_id(key) ? "auto" : key);
    struct sign s = {sign, SIGN_MAX};
    snprintf(sign, SIGN_MAX, "%s", type);
    s.at += strlen(sign);
    s.left -= strlen(sign);
    if (strcmp(type, "ChannelVarset") == 0)
        add_variable(&s, d, e);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        add_member(&s, d, e, fields[i]);
    if (strcmp(type, "ChannelStateChange") == 0 || strcmp(type, "StasisStart") == 0)
        add_member(&s, d, e, "channel.state");
    if (strcmp(type, "StasisStart") == 0) {
        add(&s, "args");
        add_list(&s, d, json_get(d, e, "args"));
        add_member(&s, d, e, "channel.dialplan.app_name");
        if (json_get(d, e, "replace_channel") != JSON_NONE)
            add(&s, "replaces");
    }
    if (json_get(d, e, "bridge") != JSON_NONE) {
        add_member(&s, d, e, "bridge.id");
        add_member(&s, d, e, "bridge.technology");
        add_list(&s, d, json_path(d, e, "bridge.channels"));
    }
    return true;
}

// --- bodies ---

static bool varies(const char *key)
{
    static const char *const keys[] = {
        "creationtime",     "timestamp",   "protocol_id", "asterisk_id", "startup_time",
        "last_reload_time", "build",       "config",      "language",    "headers",
        "duration",         "accountcode", "application"};
    for (size_t i = 0; key != NULL && i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

// Names end in a counter, ids may be made up, some values are measurements.
static bool same_text(const char *key, const char *a, const char *b)
{
    // A recording may have begun before its answer is written.
    if (key != NULL && strcmp(key, "state") == 0 && strcmp(a, "recording") == 0 &&
        strcmp(b, "queued") == 0)
        return true;
    if (strcmp(a, b) == 0 || (made_up_id(a) && made_up_id(b)))
        return true;
    if (key != NULL && strcmp(key, "name") == 0 && strchr(a, '/') != NULL) {
        const char *enda = strrchr(a, '-'), *endb = strrchr(b, '-');
        return enda != NULL && endb != NULL && enda - a == endb - b &&
               strncmp(a, b, (size_t)(enda - a)) == 0;
    }
    if (key != NULL && strcmp(key, "value") == 0) {
        if (strstr(a, "ssrc=") != NULL)
            return strstr(b, "ssrc=") != NULL;
        if (strlen(a) == 10 && strspn(a, "0123456789") == 10) // EPOCH
            return strspn(b, "0123456789") == 10;
        return strstr(a, "127.0.0.1:") != NULL && strstr(b, "127.0.0.1:") != NULL;
    }
    return false;
}

static const char *id_of(const struct json *d, json_ref node)
{
    const char *id = json_str(d, node, NULL);
    static const char *const keys[] = {"id", "name", "resource", "type"};
    for (size_t i = 0; id == NULL && i < 4; i++)
        id = json_str(d, json_get(d, node, keys[i]), NULL);
    return id;
}

// Lists come in no order: every wanted element has its like. Endpoints of the recorded server that
// no test uses may lack.
static bool same_list(const struct json *a, json_ref wanted, const struct json *b, json_ref got,
                      const char *key, char *why, size_t size)
{
    if (json_get(a, json_first(a, wanted), "resource") == JSON_NONE &&
        json_count(a, wanted) != json_count(b, got)) {
        snprintf(why, size, "%s: %zu elements, wanted %zu", key != NULL ? key : "list",
                 json_count(b, got), json_count(a, wanted));
        return false;
    }
    for (json_ref i = json_first(a, wanted); i != JSON_NONE; i = json_next(a, i)) {
        const char *id = id_of(a, i);
        json_ref like = JSON_NONE;
        for (json_ref j = json_first(b, got); j != JSON_NONE && like == JSON_NONE;
             j = json_next(b, j)) {
            const char *other = id_of(b, j);
            bool auto_id = id != NULL && other != NULL && made_up_id(id) && made_up_id(other);
            if (id == NULL || (other != NULL && strcmp(id, other) == 0) ||
                (auto_id && same_body(a, i, b, j, key, why, size)))
                like = j;
        }
        if (like == JSON_NONE) {
            if (json_get(a, i, "resource") != JSON_NONE)
                continue;
            snprintf(why, size, "%s: lacks %s", key != NULL ? key : "list",
                     id != NULL ? id : "an element");
            return false;
        }
        if (json_type(a, i) == JSON_OBJECT && !same_body(a, i, b, like, key, why, size))
            return false;
    }
    return true;
}

bool same_body(const struct json *a, json_ref wanted, const struct json *b, json_ref got,
               const char *key, char *why, size_t size)
{
    enum json_type type = json_type(a, wanted);
    if (varies(key) || type == JSON_ABSENT || type == JSON_NULL)
        return true;
    if (type != json_type(b, got)) {
        snprintf(why, size, "%s: absent or of another type", key != NULL ? key : "body");
        return false;
    }
    if (type == JSON_ARRAY)
        return same_list(a, wanted, b, got, key, why, size);
    if (type == JSON_STRING && !same_text(key, json_str(a, wanted, ""), json_str(b, got, ""))) {
        snprintf(why, size, "%s: '%.80s', wanted '%.80s'", key != NULL ? key : "body",
                 json_str(b, got, ""), json_str(a, wanted, ""));
        return false;
    }
    // A snoop channel may have entered its application before its answer is written.
    bool snoop = strncmp(json_str(a, json_get(a, wanted, "name"), ""), "Snoop/", 6) == 0;
    if (type == JSON_OBJECT)
        for (json_ref i = json_first(a, wanted); i != JSON_NONE; i = json_next(a, i))
            if (!(snoop && strcmp(json_key(a, i).ptr, "dialplan") == 0) &&
                !same_body(a, i, b, json_get(b, got, json_key(a, i).ptr), json_key(a, i).ptr, why,
                           size))
                return false;
    return true;
}
