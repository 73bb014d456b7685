/* pbx_bridge.c - messages in: bridges, and what is heard in them and on a channel. */
#include "adapters/ari/pbx_command.h"

#include <stdlib.h>

static void push(struct pbx *pbx, struct command *cmd, int made, enum queue_priority priority)
{
    if (made != 0) {
        pbx_log(pbx, 2, "DLR-ARI-TEXT", "a command with an empty or too long id was dropped");
        pbx_count(pbx, "dialer_ari_bad_commands_total", NULL);
        free(cmd);
        return;
    }
    queue_push(&pbx->queue, &cmd->item, priority, net_now_us());
}

static void take_bridge(struct pbx *pbx, enum command_kind kind, struct text bridge)
{
    struct command *cmd = command_make(pbx, kind, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    int made = kind == CMD_BRIDGE_CREATE ? wire_bridge_create(bridge, &cmd->request_text)
                                         : wire_bridge_destroy(bridge, &cmd->request_text);
    push(pbx, cmd, command_keep(cmd->id, sizeof cmd->id, bridge) ? made : -1, QUEUE_BRIDGE);
}

static void tell_added(struct pbx *pbx, const struct command *cmd, int status)
{
    const struct msg_bridge_added m = {
        .pbx = pbx->number,
        .bridge = words(cmd->id),
        .channel = words(cmd->id2),
        .status = (uint16_t)status,
    };
    pbx_send(pbx, cmd->reply_to, MSG_bridge_added, &m);
}

static void take_bridge_add(struct pbx *pbx, handle from, const struct msg_bridge_add *m)
{
    struct command *cmd = command_make(pbx, CMD_BRIDGE_ADD, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    cmd->reply_to = m->reply_to != HANDLE_NONE ? m->reply_to : from;
    int made = wire_bridge_add(m->bridge, m->channel, m->channel2, &cmd->request_text);
    if (!command_keep(cmd->id, sizeof cmd->id, m->bridge) ||
        !command_keep(cmd->id2, sizeof cmd->id2, m->channel)) {
        made = -1;
    }
    if (made != 0) {
        tell_added(pbx, cmd, 400);
    }
    push(pbx, cmd, made, QUEUE_BRIDGE);
}

static void tell_not_played(struct pbx *pbx, const char *channel, const char *playback)
{
    handle owner = wire_owner(words(channel), NULL);
    const struct msg_playback_over m = {.channel = words(channel), .playback = words(playback)};
    if (owner != HANDLE_NONE) {
        pbx_send(pbx, owner, MSG_playback_over, &m);
    }
}

static void take_play(struct pbx *pbx, const struct msg_play *m)
{
    struct command *cmd = command_make(pbx, CMD_PLAY, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    int made = wire_play(m->channel, m->playback, m->media, &cmd->request_text);
    if (!command_keep(cmd->id, sizeof cmd->id, m->channel) ||
        !command_keep(cmd->id2, sizeof cmd->id2, m->playback)) {
        made = -1;
    }
    if (made != 0) {
        tell_not_played(pbx, cmd->id, cmd->id2);
    }
    push(pbx, cmd, made, QUEUE_BRIDGE);
}

static void tell_sound(struct pbx *pbx, const struct command *cmd, bool present, enum result result)
{
    const struct msg_sound_checked m = {.campaign = cmd->campaign,
                                        .media = words(cmd->id2),
                                        .present = present,
                                        .result = (uint8_t)result};
    pbx_send(pbx, named(KIND_CAMPAIGN, cmd->campaign), MSG_sound_checked, &m);
}

static void take_check_sound(struct pbx *pbx, const struct msg_check_sound *m)
{
    struct command *cmd = command_make(pbx, CMD_SOUND, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    cmd->campaign = m->campaign;
    if (!command_keep(cmd->id2, sizeof cmd->id2, m->media) ||
        wire_sound(m->media, &cmd->request_text) != 0) {
        tell_sound(pbx, cmd, false, RESULT_INVALID);
        free(cmd);
        return;
    }
    if (link_state(&pbx->link) != LINK_UP) {
        tell_sound(pbx, cmd, false, RESULT_AWAY);
        free(cmd);
        return;
    }
    queue_push(&pbx->queue, &cmd->item, QUEUE_HANGUP, net_now_us());
}

static void take_music(struct pbx *pbx, const struct msg_music *m)
{
    struct command *cmd = command_make(pbx, CMD_MUSIC, LANE_CONTROL);
    if (cmd) {
        push(pbx, cmd, wire_music(m->bridge, m->on, &cmd->request_text), QUEUE_BRIDGE);
    }
}

static void tell_muted(struct pbx *pbx, const struct command *cmd, int status)
{
    const struct msg_muted m = {
        .pbx = pbx->number, .channel = words(cmd->id), .on = cmd->on, .status = (uint16_t)status};
    pbx_send(pbx, cmd->reply_to, MSG_muted, &m);
}

static void take_mute(struct pbx *pbx, handle from, const struct msg_mute *m)
{
    struct command *cmd = command_make(pbx, CMD_MUTE, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    cmd->reply_to = from;
    cmd->on = m->on;
    int made = wire_mute(m->channel, m->on, &cmd->request_text);
    if (!command_keep(cmd->id, sizeof cmd->id, m->channel)) {
        made = -1;
    }
    if (made != 0) {
        tell_muted(pbx, cmd, 400);
    }
    push(pbx, cmd, made, QUEUE_BRIDGE);
}

static void tell_dtmf(struct pbx *pbx, const struct command *cmd, int status)
{
    const struct msg_dtmf_sent m = {.channel = words(cmd->id),
                                    .client = cmd->client,
                                    .request = cmd->asked,
                                    .status = (uint16_t)status};
    pbx_send(pbx, cmd->reply_to, MSG_dtmf_sent, &m);
}

static void take_dtmf(struct pbx *pbx, handle from, const struct msg_dtmf *m)
{
    struct command *cmd = command_make(pbx, CMD_DTMF, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    cmd->reply_to = from;
    cmd->client = m->client;
    cmd->asked = m->request;
    int made = wire_dtmf(m->channel, m->digits, &cmd->request_text);
    if (!command_keep(cmd->id, sizeof cmd->id, m->channel)) {
        made = -1;
    }
    if (made != 0) {
        tell_dtmf(pbx, cmd, 400);
    }
    push(pbx, cmd, made, QUEUE_BRIDGE);
}

bool bridge_take(struct pbx *pbx, handle from, uint16_t type, const void *msg)
{
    switch (type) {
    case MSG_bridge_create:
        take_bridge(pbx, CMD_BRIDGE_CREATE, ((const struct msg_bridge_create *)msg)->bridge);
        return true;
    case MSG_bridge_destroy:
        take_bridge(pbx, CMD_BRIDGE_DESTROY, ((const struct msg_bridge_destroy *)msg)->bridge);
        return true;
    case MSG_bridge_add:
        take_bridge_add(pbx, from, msg);
        return true;
    case MSG_play:
        take_play(pbx, msg);
        return true;
    case MSG_music:
        take_music(pbx, msg);
        return true;
    case MSG_check_sound:
        take_check_sound(pbx, msg);
        return true;
    case MSG_mute:
        take_mute(pbx, from, msg);
        return true;
    case MSG_dtmf:
        take_dtmf(pbx, from, msg);
        return true;
    default:
        return false;
    }
}

/* Nothing is said of a bridge that is there already (409), or gone already (404), and of music that
 * did not play (409). */
void bridge_answered(struct pbx *pbx, const struct command *cmd, const struct answer *a)
{
    const bool good = answer_good(a);
    if (cmd->kind == CMD_BRIDGE_ADD) {
        tell_added(pbx, cmd, a->fate == NET_ANSWERED ? a->status : 0);
    } else if (cmd->kind == CMD_PLAY && !good) {
        tell_not_played(pbx, cmd->id, cmd->id2);
    } else if (cmd->kind == CMD_MUTE) {
        tell_muted(pbx, cmd, a->fate == NET_ANSWERED ? a->status : 0);
    } else if (cmd->kind == CMD_DTMF) {
        tell_dtmf(pbx, cmd, a->fate == NET_ANSWERED ? a->status : 0);
    } else if (cmd->kind == CMD_SOUND) {
        const bool known = good || (a->fate == NET_ANSWERED && a->status == 404);
        tell_sound(pbx, cmd, good, known ? RESULT_OK : RESULT_AWAY);
    }
}
