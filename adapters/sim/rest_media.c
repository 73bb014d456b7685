// Play, record, snoop and their resources.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/net/net.h"
#include "adapters/sim/media.h"
#include "adapters/sim/rest.h"

static void put_location(struct rest *r, const char *folder, const char *name)
{
    char encoded[3 * RECORDING_NAME];
    if (net_url_encode(name, strlen(name), encoded, sizeof encoded) < 0)
        return;
    snprintf(r->pbx->location, sizeof r->pbx->location, "/ari/%s/%s", folder, encoded);
    r->out->location = r->pbx->location;
}

static void add_media(struct playback *p, const char *list, size_t len)
{
    while (len > 0 && p->count < PLAYBACK_MEDIA) {
        size_t n = 0;
        while (n < len && list[n] != ',')
            n++;
        char *one = mem_new(n + 1);
        memcpy(one, list, n);
        if (n > 0)
            p->media[p->count++] = one;
        else
            free(one);
        size_t step = n + (n < len);
        list += step;
        len -= step;
    }
}

static void play(struct rest *r, struct chan *c, struct bridge *b)
{
    const char *id = r->segments > 3 ? r->segment[3] : rest_param(r, "playbackId");
    struct playback *p = playback_new(r->pbx, id != NULL ? id : "", c, b);
    const struct json *doc = &r->pbx->parsed;
    json_ref list = r->body ? json_get(doc, JSON_ROOT, "media") : JSON_NONE;
    if (json_type(doc, list) == JSON_ARRAY) {
        for (json_ref i = json_first(doc, list); i != JSON_NONE; i = json_next(doc, i))
            add_media(p, json_str(doc, i, ""), strlen(json_str(doc, i, "")));
    } else if (rest_param(r, "media") != NULL) {
        add_media(p, rest_param(r, "media"), strlen(rest_param(r, "media")));
    }
    if (p->count == 0) {
        free(p->id);
        free(p->target);
        free(p);
        rest_error(r, 500, "Failed to queue media for playback");
        return;
    }
    put_playback(r->reply, NULL, p);
    rest_reply(r, 201);
    put_location(r, "playbacks", p->id);
    playback_start(p);
}

static void channel_play(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, true);
    if (c != NULL)
        play(r, c, NULL);
}

static void bridge_play(struct rest *r)
{
    struct bridge *b = rest_bridge(r);
    if (b != NULL)
        play(r, NULL, b);
}

static struct playback *find_playback(struct rest *r)
{
    struct playback *p = playback_find(r->pbx, r->segment[1]);
    if (p == NULL)
        rest_error(r, 404, "Playback not found");
    return p;
}

static void playback_get(struct rest *r)
{
    struct playback *p = find_playback(r);
    if (p == NULL)
        return;
    put_playback(r->reply, NULL, p);
    rest_reply(r, 200);
}

static void playback_delete(struct rest *r)
{
    struct playback *p = find_playback(r);
    if (p == NULL)
        return;
    rest_none(r);
    playback_stop(p);
}

static void playback_post_control(struct rest *r)
{
    struct playback *p = find_playback(r);
    if (p == NULL)
        return;
    const char *operation = rest_param(r, "operation");
    if (operation != NULL && playback_control(p, operation)) {
        rest_none(r);
        return;
    }
    char message[120];
    snprintf(message, sizeof message, "Invalid operation %.80s",
             operation != NULL ? operation : "");
    rest_error(r, 400, message);
}

// --- recording ---

static bool known_format(const char *format)
{
    static const char *const known[] = {"wav", "WAV", "wav49", "ulaw", "alaw", "sln", "gsm"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], format) == 0)
            return true;
    return false;
}

static void record(struct rest *r, struct chan *c, struct bridge *b)
{
    const char *name = rest_param(r, "name"), *format = rest_param(r, "format");
    const char *exists = rest_param(r, "ifExists"), *stop = rest_param(r, "terminateOn");
    char message[RECORDING_NAME + 80];
    if (name == NULL || name[0] == '\0' || strlen(name) >= RECORDING_NAME ||
        strstr(name, "..") != NULL) {
        rest_error(r, 500, "Error parsing request");
        return;
    }
    if (format == NULL || !known_format(format)) {
        rest_error(r, 422, "specified format is unknown on this system");
        return;
    }
    bool overwrite =
        exists != NULL && (strcmp(exists, "overwrite") == 0 || strcmp(exists, "append") == 0);
    if (recording_find(r->pbx, name) != NULL || (recording_stored(r->pbx, name) && !overwrite)) {
        snprintf(message, sizeof message,
                 "Recording '%s' already exists and can not be overwritten", name);
        rest_error(r, 409, message);
        return;
    }
    struct recording *rec = mem_new(sizeof *rec);
    rec->pbx = r->pbx;
    rec->chan = c;
    rec->bridge = b;
    rec->max_s = rest_int(r, "maxDurationSeconds", 0);
    int silence_s = rest_int(r, "maxSilenceSeconds", 0);
    if (silence_s > 0 && c != NULL && c->far.voice == VOICE_SILENT &&
        (rec->max_s == 0 || rec->max_s > silence_s))
        rec->max_s = silence_s;
    if (stop != NULL && strcmp(stop, "none") != 0)
        rec->terminate_on = strcmp(stop, "any") == 0 ? 'a' : stop[0];
    mem_copy(rec->name, sizeof rec->name, name);
    mem_copy(rec->format, sizeof rec->format, format);
    snprintf(rec->target, sizeof rec->target, "%s:%.*s", c != NULL ? "channel" : "bridge", ID_SIZE,
             c != NULL ? c->id : b->id);
    bool fails = c != NULL && c->bridge != NULL;
    if (!fails)
        put_recording(r->reply, NULL, rec);
    recording_start(rec);
    if (fails)
        put_recording(r->reply, NULL, rec);
    rest_reply(r, 201);
    put_location(r, "recordings/live", name);
    if (fails) {
        r->pbx->recordings = rec->next;
        free(rec);
    }
}

static void channel_record(struct rest *r)
{
    struct chan *c = rest_stasis_chan(r, false);
    if (c != NULL)
        record(r, c, NULL);
}

static void bridge_record(struct rest *r)
{
    struct bridge *b = rest_bridge(r);
    if (b != NULL)
        record(r, NULL, b);
}

static struct recording *live(struct rest *r)
{
    struct recording *rec = recording_find(r->pbx, r->segment[2]);
    if (rec == NULL)
        rest_error(r, 404, "Recording not found");
    return rec;
}

static void live_get(struct rest *r)
{
    struct recording *rec = live(r);
    if (rec == NULL)
        return;
    put_recording(r->reply, NULL, rec);
    rest_reply(r, 200);
}

static void live_end(struct rest *r)
{
    struct recording *rec = live(r);
    if (rec == NULL)
        return;
    rest_none(r);
    recording_stop(rec, strcmp(r->in->method, "DELETE") == 0);
}

static void live_pause(struct rest *r)
{
    if (live(r) != NULL)
        rest_none(r);
}

static struct stored *stored_find(struct rest *r)
{
    for (struct stored *s = r->pbx->stored; s != NULL; s = s->next)
        if (strcmp(s->name, r->segment[2]) == 0)
            return s;
    rest_error(r, 404, "Recording not found");
    return NULL;
}

static void put_stored(struct json_writer *w, const struct stored *s)
{
    json_open_object(w, NULL);
    json_put_str(w, "name", s->name);
    json_put_str(w, "format", s->format);
    json_close_object(w);
}

static void stored_list(struct rest *r)
{
    json_open_array(r->reply, NULL);
    for (const struct stored *s = r->pbx->stored; s != NULL; s = s->next)
        put_stored(r->reply, s);
    json_close_array(r->reply);
    rest_reply(r, 200);
}

static void stored_get(struct rest *r)
{
    struct stored *s = stored_find(r);
    if (s == NULL)
        return;
    put_stored(r->reply, s);
    rest_reply(r, 200);
}

static void stored_delete(struct rest *r)
{
    struct stored *s = stored_find(r);
    if (s == NULL)
        return;
    struct stored **at = &r->pbx->stored;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
    rest_none(r);
}

static void stored_copy(struct rest *r)
{
    struct stored *s = stored_find(r);
    const char *name = rest_param(r, "destinationRecordingName");
    if (s == NULL)
        return;
    if (name == NULL || recording_stored(r->pbx, name)) {
        rest_error(r, name == NULL ? 400 : 409, "Destination recording name already exists");
        return;
    }
    struct stored *copy = mem_new(sizeof *copy);
    mem_copy(copy->name, sizeof copy->name, name);
    mem_copy(copy->format, sizeof copy->format, s->format);
    copy->next = r->pbx->stored;
    r->pbx->stored = copy;
    put_stored(r->reply, copy);
    rest_reply(r, 200);
}

// --- snoop ---

static bool direction(const char *word)
{
    static const char *const known[] = {"none", "both", "out", "in"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(known[i], word) == 0)
            return true;
    return false;
}

static void snoop_begins(void *owner)
{
    struct chan *c = owner;
    if (!stasis_enter(c, c->stasis_app, c->stasis_args))
        call_end(c, END_PLAN, 0);
}

// False: answered.
static bool check_snoop(struct rest *r, const char *spy, const char *whisper, const char *app)
{
    if (!direction(spy) || !direction(whisper)) {
        rest_error(r, 400,
                   direction(spy) ? "Invalid direction specified for whisper"
                                  : "Invalid direction specified for spy");
        return false;
    }
    if (strcmp(spy, "none") == 0 && strcmp(whisper, "none") == 0) {
        rest_error(r, 400, "Direction must be specified for at least spy or whisper");
        return false;
    }
    if (app == NULL || app[0] == '\0') {
        rest_error(r, 400, "Application name is required");
        return false;
    }
    return true;
}

static void snoop(struct rest *r)
{
    struct pbx *pbx = r->pbx;
    struct chan *of = chan_find_any(pbx, r->segment[1]);
    if (of == NULL) {
        rest_error(r, 404, "Provided channel was not found");
        return;
    }
    const char *spy = rest_param(r, "spy"), *whisper = rest_param(r, "whisper"),
               *app = rest_param(r, "app");
    const char *id = r->segments > 3 ? r->segment[3] : rest_param(r, "snoopId"),
               *args = rest_param(r, "appArgs");
    spy = spy != NULL ? spy : "none";
    whisper = whisper != NULL ? whisper : "none";
    if (!check_snoop(r, spy, whisper, app))
        return;
    if (id != NULL && (strlen(id) > ID_MAX || chan_id_taken(pbx, id))) {
        rest_error(r, 500, "Snoop channel could not be created");
        return;
    }
    struct chan *c = chan_new(pbx, id, BY_SNOOP);
    snprintf(c->name, sizeof c->name, "Snoop/%.*s-%08x", ID_MAX, of->id, pbx->next_snoop++);
    mem_copy(c->context, sizeof c->context, "default");
    c->state = CHAN_UP;
    c->answered = true;
    c->snooped = of;
    of->snoops++;
    if (of->bridge != NULL)
        bridge_settle(of->bridge);
    mem_copy(c->stasis_app, sizeof c->stasis_app, app);
    mem_copy(c->stasis_args, sizeof c->stasis_args, args != NULL ? args : "");
    put_chan(r->reply, NULL, c);
    rest_reply(r, 200);
    witness_open(pbx, "snoop", c->id);
    json_put_str(&pbx->line, "of", of->id);
    json_put_str(&pbx->line, "spy", spy);
    json_put_str(&pbx->line, "whisper", whisper);
    witness_close(pbx);
    c->plan_task = (struct task){.run = snoop_begins, .owner = c};
    pbx_at(pbx, &c->plan_task, pbx->config.setup_us / 2);
}

const struct route media_routes[] = {
    {"POST", "channels/{}/play", channel_play},
    {"POST", "channels/{}/play/{}", channel_play},
    {"POST", "channels/{}/record", channel_record},
    {"POST", "channels/{}/snoop", snoop},
    {"POST", "channels/{}/snoop/{}", snoop},
    {"POST", "bridges/{}/play", bridge_play},
    {"POST", "bridges/{}/play/{}", bridge_play},
    {"POST", "bridges/{}/record", bridge_record},
    {"GET", "playbacks/{}", playback_get},
    {"DELETE", "playbacks/{}", playback_delete},
    {"POST", "playbacks/{}/control", playback_post_control},
    {"GET", "recordings/live/{}", live_get},
    {"DELETE", "recordings/live/{}", live_end},
    {"POST", "recordings/live/{}/stop", live_end},
    {"POST", "recordings/live/{}/pause", live_pause},
    {"DELETE", "recordings/live/{}/pause", live_pause},
    {"POST", "recordings/live/{}/mute", live_pause},
    {"DELETE", "recordings/live/{}/mute", live_pause},
    {"GET", "recordings/stored", stored_list},
    {"GET", "recordings/stored/{}", stored_get},
    {"GET", "recordings/stored/{}/file", stored_get},
    {"DELETE", "recordings/stored/{}", stored_delete},
    {"POST", "recordings/stored/{}/copy", stored_copy},
    {NULL, NULL, NULL},
};
