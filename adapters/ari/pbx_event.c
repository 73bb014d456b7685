/* pbx_event.c - events in, messages out: each thing told once, to the channel's owner. */
#include "adapters/ari/pbx.h"
#include "core/crash.h"

#include <string.h>

void pbx_starved(struct pbx *pbx, const char *what)
{
    pbx_count(pbx, "dialer_ari_no_memory_total", NULL);
    pbx_log(pbx, 3, "DLR-ARI-MEMORY", "no memory for %s: connecting anew, the list tells it", what);
    if (pbx->events) {
        net_ws_drop(pbx->events); /* its on_close comes from the loop */
    }
}

/* The channel an event is about. NULL: not one of ours that lives. One that we do not know is made
 * only while we connect, before the list is there; later it would be one whose end was told. */
static struct chan *chan_of(struct pbx *pbx, const struct wire_event *e)
{
    uint16_t node = 0;
    if (wire_owner(e->channel, &node) == HANDLE_NONE ||
        (pbx->host->node && node != pbx->host->node)) {
        pbx_count(pbx, "dialer_ari_foreign_events_total", NULL);
        return NULL;
    }
    struct chan *chan = chans_find(&pbx->chans, e->channel);
    if (!chan && link_state(&pbx->link) != LINK_UP && !chans_find(&pbx->ended, e->channel)) {
        chan = chans_make(&pbx->chans, e->channel);
        if (!chan) {
            pbx_starved(pbx, "a channel");
            return NULL;
        }
    }
    if (!chan) {
        pbx_count(pbx, "dialer_ari_late_events_total", NULL);
    }
    return chan;
}

static void tell_ringing(struct pbx *pbx, const struct wire_event *e)
{
    struct chan *chan = chan_of(pbx, e);
    if (!chan || chan->told_ringing || chan->told_answered) {
        return;
    }
    chan->told_ringing = true;
    const struct msg_channel_ringing m = {
        .pbx = pbx->number, .channel = e->channel, .at_wall_ms = e->at_wall_ms};
    pbx_send(pbx, chan->owner, MSG_channel_ringing, &m);
}

static void tell_answered(struct pbx *pbx, const struct wire_event *e)
{
    struct chan *chan = chan_of(pbx, e);
    if (!chan || chan->told_answered) {
        return;
    }
    chan->told_answered = true;
    const struct msg_channel_answered m = {
        .pbx = pbx->number, .channel = e->channel, .at_wall_ms = e->at_wall_ms};
    CRASH_POINT(answer_before);
    pbx_send(pbx, chan->owner, MSG_channel_answered, &m);
    CRASH_POINT(answer_after);
}

void pbx_tell_ended(struct pbx *pbx, struct chan *chan, const struct wire_event *e)
{
    const struct msg_channel_ended m = {
        .pbx = pbx->number,
        .channel = {chan->id, ID_LEN},
        .cause = e->cause,
        .tech_cause = e->tech_cause,
        .at_wall_ms = e->at_wall_ms,
    };
    pbx_send(pbx, chan->owner, MSG_channel_ended, &m);
    /* The list may still have it. */
    if (link_state(&pbx->link) != LINK_UP && !chans_make(&pbx->ended, m.channel)) {
        pbx_starved(pbx, "an end");
    }
    chans_remove(&pbx->chans, chan);
}

static void tell_end(struct pbx *pbx, const struct wire_event *e)
{
    struct chan *chan = chan_of(pbx, e);
    if (chan) {
        pbx_tell_ended(pbx, chan, e);
    }
}

static void tell_playback(struct pbx *pbx, const struct wire_event *e)
{
    struct chan *chan = chan_of(pbx, e);
    uint64_t hash = chans_hash(e->playback.ptr, e->playback.len);
    if (!chan || chan->last_playback == hash) {
        return;
    }
    chan->last_playback = hash;
    const struct msg_playback_over m = {
        .channel = e->channel, .playback = e->playback, .ok = e->ok};
    pbx_send(pbx, chan->owner, MSG_playback_over, &m);
}

static void tell_digit(struct pbx *pbx, const struct wire_event *e)
{
    struct chan *chan = chan_of(pbx, e);
    if (!chan || (e->at_wall_ms && chan->last_digit_ms == e->at_wall_ms)) {
        return; /* nobody presses two keys in a millisecond: it is the same event again */
    }
    chan->last_digit_ms = e->at_wall_ms;
    const struct msg_digit m = {.channel = e->channel, .digit = e->digit};
    pbx_send(pbx, chan->owner, MSG_digit, &m);
}

static void tell_endpoint(struct pbx *pbx, const struct wire_event *e)
{
    char name[64];
    size_t technology = e->endpoint_technology.len;
    size_t resource = e->endpoint_resource.len;
    if (technology + resource + 2 > sizeof name) {
        return;
    }
    memcpy(name, e->endpoint_technology.ptr, technology);
    name[technology] = '/';
    memcpy(name + technology + 1, e->endpoint_resource.ptr, resource);
    name[technology + 1 + resource] = '\0';
    for (size_t i = 0; i < pbx->n_watched; i++) {
        if (pbx->watched[i].phone && strcmp(pbx->watched[i].name, name) == 0) {
            struct watched *w = &pbx->watched[i];
            w->told = true;
            /* Phones register anew all the time; only a change is news. */
            if (w->said != (e->ok ? SAID_ONLINE : SAID_OFFLINE)) {
                pbx_tell_phone(pbx, w, e->ok);
            }
            return;
        }
    }
}

void pbx_event(struct pbx *pbx, const char *text, size_t len)
{
    struct wire_event e;
    if (wire_read(&pbx->doc, text, len, &e) != 0) {
        pbx_count(pbx, "dialer_ari_bad_messages_total", NULL);
        pbx_log(pbx, 2, "DLR-ARI-BAD", "event: %s", pbx->doc.error);
        if (pbx->doc.no_memory) {
            pbx_starved(pbx, "an event");
        }
        return;
    }
    switch (e.kind) {
    case WIRE_RINGING:
        tell_ringing(pbx, &e);
        break;
    case WIRE_ANSWERED:
        tell_answered(pbx, &e);
        break;
    case WIRE_ENDED:
        tell_end(pbx, &e);
        break;
    case WIRE_PLAYBACK_OVER:
        tell_playback(pbx, &e);
        break;
    case WIRE_DIGIT:
        tell_digit(pbx, &e);
        break;
    case WIRE_ENDPOINT:
        tell_endpoint(pbx, &e);
        break;
    case WIRE_REPLACED:
        link_fire(&pbx->link, LINK_TAKEN);
        break;
    case WIRE_OTHER:
        pbx_count(pbx, "dialer_ari_unused_events_total", NULL);
        break;
    case WIRE_RESPONSE: /* to somebody else's request on this socket: we send none here */
    case WIRE_KINDS:
        break;
    }
}
