/*
 * world_voice.c - what is heard on a channel or in a bridge: sounds, music, silence, keys.
 */
#include "tests/sim/world_int.h"

static void on_play(struct world *w, const struct msg_play *m)
{
    struct chan *ch = pbx_find(w, m->channel);
    struct msg_playback_over none = {.channel = m->channel, .playback = m->playback, .ok = false};

    if (ch == NULL || ch->state != CHAN_APP || !w->sound) {
        pbx_tell(w, pbx_owner(m->channel), MSG_playback_over, &none);
        return;
    }
    if (ch->customer) {
        ch->played = true;
        w->seen.messages++;
        see(w, &(struct judge_event){.kind = JUDGE_MESSAGE, .id = ch->id});
    }
    text_keep(ch->playback, sizeof ch->playback, m->playback);
    callee_hears(w, ch);
}

static void on_mute(struct world *w, const struct msg_mute *m)
{
    struct chan *ch = pbx_find(w, m->channel);
    struct msg_muted out = {.pbx = m->pbx, .channel = m->channel, .on = m->on, .status = 404};

    if (ch != NULL && ch->state == CHAN_APP) {
        ch->muted = m->on;
        out.status = 204;
    }
    pbx_tell(w, pbx_owner(m->channel), MSG_muted, &out);
}

static void on_dtmf(struct world *w, const struct msg_dtmf *m)
{
    struct chan *ch = pbx_find(w, m->channel);
    struct msg_dtmf_sent out = {
        .channel = m->channel, .client = m->client, .request = m->request, .status = 404};

    if (ch != NULL && ch->state == CHAN_APP) {
        text_keep(ch->keys, sizeof ch->keys, m->digits);
        out.status = 204;
    }
    if (m->request == 0) {
        return; /* carried out after its link was lost: it was answered by that */
    }
    pbx_tell(w, named(KIND_AGENT, m->client), MSG_dtmf_sent, &out); /* its own page's */
}

static void on_check_sound(struct world *w, const struct msg_check_sound *m)
{
    struct msg_sound_checked out = {.campaign = m->campaign,
                                    .media = m->media,
                                    .present = w->sound,
                                    .result = w->link ? RESULT_OK : RESULT_AWAY};

    pbx_tell(w, named(KIND_CAMPAIGN, m->campaign), MSG_sound_checked, &out);
}

static void on_music(struct world *w, const struct msg_music *m)
{
    struct bridge *b = pbx_bridge(w, m->bridge);

    if (b != NULL) {
        b->music = m->on;
    }
}

/* false: it is about something else. */
bool voice_take(struct world *w, uint16_t type, const void *msg)
{
    switch (type) {
    case MSG_play:
        on_play(w, msg);
        return true;
    case MSG_mute:
        on_mute(w, msg);
        return true;
    case MSG_dtmf:
        on_dtmf(w, msg);
        return true;
    case MSG_music:
        on_music(w, msg);
        return true;
    case MSG_check_sound:
        on_check_sound(w, msg);
        return true;
    default:
        return false;
    }
}

void voice_unanswered(struct world *w, uint16_t type, const void *msg)
{
    if (type == MSG_play) {
        const struct msg_play *m = msg;
        struct msg_playback_over out = {.channel = m->channel, .playback = m->playback};

        pbx_tell(w, pbx_owner(m->channel), MSG_playback_over, &out);
    } else if (type == MSG_mute) {
        const struct msg_mute *m = msg;
        struct msg_muted out = {.pbx = m->pbx, .channel = m->channel, .on = m->on};

        pbx_tell(w, pbx_owner(m->channel), MSG_muted, &out);
    } else if (type == MSG_dtmf && ((const struct msg_dtmf *)msg)->request != 0) {
        const struct msg_dtmf *m = msg;
        struct msg_dtmf_sent out = {
            .channel = m->channel, .client = m->client, .request = m->request};

        pbx_tell(w, named(KIND_AGENT, m->client), MSG_dtmf_sent, &out);
    }
}

/* The adapter has answered for this one: what Asterisk still says to it, nobody hears. */
void pbx_said_already(uint16_t type, void *block)
{
    if (type == MSG_dtmf) {
        ((struct msg_dtmf *)block)->request = 0;
    }
}
