// Recordings: live ones with their events, and the names of stored ones (there is no audio).
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"

enum { FILE_NAME_MAX = 250 };

void put_recording(struct json_writer *w, const char *key, const struct recording *rec)
{
    static const char *const states[] = {"queued", "recording", "paused", "done", "failed"};
    json_open_object(w, key);
    json_put_str(w, "name", rec->name);
    json_put_str(w, "format", rec->format);
    json_put_str(w, "state", states[rec->state]);
    json_put_str(w, "target_uri", rec->target);
    if (rec->state == REC_DONE)
        json_put_int(w, "duration", (rec->pbx->now_us - rec->started_us) / 1000000);
    if (rec->state == REC_FAILED)
        json_put_str(w, "cause", "Cannot record channel while in bridge");
    json_close_object(w);
}

static void tell(struct recording *rec, enum event_type type)
{
    struct pbx *pbx = rec->pbx;
    if (rec->bridge != NULL ? !event_wanted_bridge(pbx, rec->bridge, type)
                            : !event_wanted_chan(pbx, rec->chan, type))
        return;
    struct json_writer *w = event_open(pbx, type);
    put_recording(w, "recording", rec);
    if (rec->bridge != NULL)
        event_publish_bridge(pbx, rec->bridge, type);
    else
        event_publish_chan(pbx, rec->chan, type);
}

struct recording *recording_find(const struct pbx *pbx, const char *name)
{
    for (struct recording *r = pbx->recordings; r != NULL; r = r->next)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

static struct stored **stored_at(struct pbx *pbx, const char *name)
{
    struct stored **at = &pbx->stored;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

bool recording_stored(const struct pbx *pbx, const char *name)
{
    for (const struct stored *s = pbx->stored; s != NULL; s = s->next)
        if (strcmp(s->name, name) == 0)
            return true;
    return false;
}

static void forget(struct recording *rec)
{
    struct pbx *pbx = rec->pbx;
    struct recording **at = &pbx->recordings;
    while (*at != rec)
        at = &(*at)->next;
    *at = rec->next;
    sched_cancel(&pbx->sched, &rec->task);
    if (rec->chan != NULL && rec->chan->recording == rec)
        rec->chan->recording = NULL;
    if (rec->bridge != NULL) {
        rec->bridge->recording = NULL;
        bridge_settle(rec->bridge);
    }
    free(rec);
}

void recording_stop(struct recording *rec, bool discard)
{
    rec->state = REC_DONE;
    tell(rec, EV_RecordingFinished);
    if (!discard && !recording_stored(rec->pbx, rec->name)) {
        struct stored *s = mem_new(sizeof *s);
        mem_copy(s->name, sizeof s->name, rec->name);
        mem_copy(s->format, sizeof s->format, rec->format);
        *stored_at(rec->pbx, rec->name) = s;
    }
    witness_word(rec->pbx, "record_end", rec->chan != NULL ? rec->chan->id : "", "recording",
                 rec->name);
    forget(rec);
}

static void over(void *owner)
{
    recording_stop(owner, false);
}

void recording_start(struct recording *rec)
{
    struct pbx *pbx = rec->pbx;
    rec->next = pbx->recordings;
    pbx->recordings = rec;
    if (rec->chan != NULL && rec->chan->bridge != NULL) {
        rec->state = REC_FAILED;
        tell(rec, EV_RecordingFailed);
        return; // its owner frees it once it has answered
    }
    rec->state = REC_RECORDING;
    rec->started_us = pbx->now_us;
    if (rec->chan != NULL)
        rec->chan->recording = rec;
    else
        rec->bridge->recording = rec;
    witness_word(pbx, "record", rec->chan != NULL ? rec->chan->id : "", "recording", rec->name);
    tell(rec, EV_RecordingStarted);
    if (rec->bridge != NULL)
        bridge_settle(rec->bridge);
    rec->task = (struct task){.run = over, .owner = rec};
    if (strlen(rec->name) > FILE_NAME_MAX) // no such file can be made
        pbx_at(pbx, &rec->task, 0);
    else if (rec->max_s > 0)
        pbx_at(pbx, &rec->task, (int64_t)rec->max_s * 1000000);
}

void media_digit(struct chan *c, char digit)
{
    struct recording *rec = c->recording;
    witness_open(c->pbx, "digit", c->id);
    json_put_text(&c->pbx->line, "digit", (struct text){&digit, 1});
    witness_close(c->pbx);
    if (rec != NULL && (rec->terminate_on == 'a' || rec->terminate_on == digit))
        recording_stop(rec, false);
}

void recording_chan_end(struct chan *c)
{
    if (c->recording != NULL)
        recording_stop(c->recording, false);
}

void recording_bridge_end(struct pbx *pbx, struct bridge *b)
{
    (void)pbx;
    if (b->recording != NULL)
        recording_stop(b->recording, false);
}

void recordings_forget(struct pbx *pbx)
{
    while (pbx->recordings != NULL)
        forget(pbx->recordings);
    while (pbx->stored != NULL) {
        struct stored *s = pbx->stored;
        pbx->stored = s->next;
        free(s);
    }
}
