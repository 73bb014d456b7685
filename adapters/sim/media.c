// Playbacks: a queue for each channel, one at a time for each bridge.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"

enum { SCHEME_LATENCY_US = 300 };

void put_playback(struct json_writer *w, const char *key, const struct playback *p)
{
    static const char *const states[] = {"queued",     "playing", "paused",
                                         "continuing", "done",    "failed"};
    json_open_object(w, key);
    json_put_str(w, "id", p->id);
    json_put_str(w, "media_uri", p->media[p->at]);
    if (p->at + 1 < p->count)
        json_put_str(w, "next_media_uri", p->media[p->at + 1]);
    json_put_str(w, "target_uri", p->target);
    json_put_str(w, "language", p->language);
    json_put_str(w, "state", states[p->state]);
    json_close_object(w);
}

static void tell(struct playback *p, enum event_type type)
{
    struct pbx *pbx = p->pbx;
    if (p->bridge != NULL ? !event_wanted_bridge(pbx, p->bridge, type)
                          : !event_wanted_chan(pbx, p->chan, type))
        return;
    struct json_writer *w = event_open(pbx, type);
    put_playback(w, "playback", p);
    if (p->bridge != NULL)
        event_publish_bridge(pbx, p->bridge, type);
    else
        event_publish_chan(pbx, p->chan, type);
}

struct playback *playback_find(const struct pbx *pbx, const char *id)
{
    for (struct playback *p = pbx->playbacks; p != NULL; p = p->next)
        if (strcmp(p->id, id) == 0)
            return p;
    return NULL;
}

// Seconds a sound lasts; negative: there is no such file.
double sound_seconds(const struct pbx *pbx, const char *name)
{
    for (size_t i = 0; i < pbx->config.sounds; i++)
        if (strcmp(pbx->config.sound[i].name, name) == 0)
            return pbx->config.sound[i].seconds;
    return -1;
}

// Seconds of a medium; negative: not there. `never`: its end is never told.
static double medium_seconds(const struct pbx *pbx, const char *uri, bool *never)
{
    *never = false;
    if (strncmp(uri, "sound:", 6) == 0)
        return sound_seconds(pbx, uri + 6);
    if (strncmp(uri, "tone:", 5) == 0)
        return 86400;
    if (strncmp(uri, "recording:", 10) == 0 && recording_stored(pbx, uri + 10))
        return 1;
    if (strncmp(uri, "number:", 7) == 0 || strncmp(uri, "digits:", 7) == 0 ||
        strncmp(uri, "characters:", 11) == 0)
        return -1; // the recorded server had no sounds for them
    *never = true;
    return -1;
}

static struct playback **queue_of(struct playback *p)
{
    return p->bridge != NULL ? &p->bridge->playing : &p->chan->playing;
}

static void begin(struct playback *p);

static void forget(struct playback *p)
{
    struct pbx *pbx = p->pbx;
    struct playback **at = &pbx->playbacks;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    sched_cancel(&pbx->sched, &p->task);
    for (size_t i = 0; i < p->count; i++)
        free(p->media[i]);
    free(p->id);
    free(p->target);
    free(p);
}

// `whole`: it was played to its end.
static void end(struct playback *p, enum playback_state state, bool told)
{
    bool whole =
        p->at + 1 == p->count && p->worked && p->state == PLAY_PLAYING && p->task.place == 0;
    struct playback **queue = queue_of(p);
    p->state = state;
    sched_cancel(&p->pbx->sched, &p->task);
    if (told)
        tell(p, EV_PlaybackFinished);
    witness_open(p->pbx, "play_end", p->chan != NULL ? p->chan->id : "");
    if (p->bridge != NULL)
        json_put_str(&p->pbx->line, "bridge", p->bridge->id);
    json_put_str(&p->pbx->line, "playback", p->id);
    json_put_bool(&p->pbx->line, "whole", whole);
    witness_close(p->pbx);
    struct playback **at = queue;
    while (*at != p)
        at = &(*at)->queued;
    bool first = at == queue;
    *at = p->queued;
    if (p->bridge != NULL)
        bridge_settle(p->bridge);
    forget(p);
    if (first && *queue != NULL)
        begin(*queue);
}

static void medium_over(void *owner);

static void play_medium(struct playback *p)
{
    bool never;
    double seconds = medium_seconds(p->pbx, p->media[p->at], &never);
    p->state = PLAY_PLAYING;
    tell(p, EV_PlaybackStarted);
    p->missing = seconds < 0;
    p->never = never;
    p->worked = p->worked || !p->missing;
    p->task = (struct task){.run = medium_over, .owner = p};
    pbx_at(p->pbx, &p->task, seconds < 0 ? SCHEME_LATENCY_US : (int64_t)(seconds * 1e6));
}

static void medium_over(void *owner)
{
    struct playback *p = owner;
    if (p->at + 1 < p->count) {
        p->state = PLAY_CONTINUING;
        tell(p, EV_PlaybackContinuing);
        p->at++;
        play_medium(p);
        return;
    }
    end(p, p->worked ? PLAY_DONE : PLAY_FAILED, !p->never);
}

static void started(void *owner)
{
    play_medium(owner);
}

static void begin(struct playback *p)
{
    p->task = (struct task){.run = started, .owner = p};
    pbx_at(p->pbx, &p->task, p->pbx->config.setup_us / 2);
}

struct playback *playback_new(struct pbx *pbx, const char *id, struct chan *c, struct bridge *b)
{
    char made[40];
    struct playback *p = mem_new(sizeof *p);
    pbx_uuid(pbx, made);
    p->pbx = pbx;
    p->id = mem_str(id[0] != '\0' ? id : made);
    p->chan = c;
    p->bridge = b;
    mem_copy(p->language, sizeof p->language, c != NULL ? c->language : "en");
    const char *kind = c != NULL ? "channel:" : "bridge:", *name = c != NULL ? c->id : b->id;
    size_t size = strlen(kind) + strlen(name) + 1;
    p->target = mem_new(size);
    snprintf(p->target, size, "%s%s", kind, name);
    return p;
}

void playback_start(struct playback *p)
{
    struct playback **last = &p->pbx->playbacks; // of two with one id the older is found
    while (*last != NULL)
        last = &(*last)->next;
    *last = p;
    struct playback **queue = queue_of(p);
    bool first = *queue == NULL;
    while (*queue != NULL)
        queue = &(*queue)->queued;
    *queue = p;
    witness_open(p->pbx, "play", p->chan != NULL ? p->chan->id : "");
    if (p->bridge != NULL)
        json_put_str(&p->pbx->line, "bridge", p->bridge->id);
    json_put_str(&p->pbx->line, "playback", p->id);
    json_put_str(&p->pbx->line, "media", p->media[0]);
    witness_close(p->pbx);
    if (p->bridge != NULL)
        bridge_settle(p->bridge);
    if (first)
        begin(p);
}

void playback_stop(struct playback *p)
{
    end(p, PLAY_DONE, p->state != PLAY_QUEUED);
}

bool playback_control(struct playback *p, const char *operation)
{
    static const char *const known[] = {"restart", "pause", "unpause", "reverse", "forward"};
    size_t i = 0;
    while (i < 5 && strcmp(known[i], operation) != 0)
        i++;
    if (i == 5)
        return false;
    struct pbx *pbx = p->pbx;
    if (i == 1 && p->state == PLAY_PLAYING) {
        p->state = PLAY_PAUSED;
        p->left_us = p->task.due - pbx->now_us;
        sched_cancel(&pbx->sched, &p->task);
    } else if (i == 2 && p->state == PLAY_PAUSED) {
        p->state = PLAY_PLAYING;
        tell(p, EV_PlaybackStarted);
        pbx_at(pbx, &p->task, p->left_us);
    } else if (i == 0 && p->state == PLAY_PLAYING) {
        bool never;
        pbx_at(pbx, &p->task, (int64_t)(medium_seconds(pbx, p->media[p->at], &never) * 1e6));
    }
    return true;
}

void media_chan_end(struct chan *c)
{
    recording_chan_end(c);
    while (c->playing != NULL) {
        struct playback *p = c->playing;
        bool told = p->state != PLAY_QUEUED;
        while (p->queued != NULL) // those behind it never began
            end(p->queued, PLAY_FAILED, false);
        end(p, PLAY_FAILED, told);
    }
}

void media_bridge_end(struct pbx *pbx, struct bridge *b)
{
    recording_bridge_end(pbx, b);
    while (b->playing != NULL) {
        struct playback *p = b->playing;
        while (p->queued != NULL)
            end(p->queued, PLAY_FAILED, false);
        end(p, PLAY_FAILED, true);
    }
}

void media_forget(struct pbx *pbx)
{
    recordings_forget(pbx);
    for (struct playback *p = pbx->playbacks; p != NULL; p = p->next)
        *queue_of(p) = NULL;
    while (pbx->playbacks != NULL)
        forget(pbx->playbacks);
}
