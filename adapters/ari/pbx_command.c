/* pbx_command.c - messages in: calls asked of Asterisk, and what became of whatever was asked. */
#include "adapters/ari/pbx_command.h"

#include "adapters/secret/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3u                   /* of commands that may be repeated */
#define GONE_WAIT_US (2 * US_PER_S)    /* DELETE said 404: the event may still come */
#define HANGUP_CHECK_US (5 * US_PER_S) /* DELETE said 204 and nothing came: ask again */

struct command *command_make(struct pbx *pbx, enum command_kind kind, enum lane_kind lane)
{
    struct command *cmd = calloc(1, sizeof *cmd);
    if (cmd) {
        cmd->pbx = pbx;
        cmd->kind = kind;
        cmd->lane = lane;
    } else {
        pbx_count(pbx, "dialer_ari_no_memory_total", NULL);
    }
    return cmd;
}

bool command_keep(char *to, size_t size, struct text from)
{
    if (from.len >= size) {
        return false;
    }
    memcpy(to, from.ptr ? from.ptr : "", from.len);
    to[from.len] = '\0';
    return true;
}

void pbx_update_hold(struct pbx *pbx)
{
    queue_away(&pbx->queue, link_state(&pbx->link) != LINK_UP);
    queue_hold(&pbx->queue, pbx->queue.away || pbx->subscriptions_asked > 0);
}

/* --- originates --------------------------------------------------------------------------------
 */

static void tell_failed(struct pbx *pbx, struct text id, int status, unsigned fate, bool busy,
                        struct text why)
{
    handle owner = wire_owner(id, NULL);
    if (owner == HANDLE_NONE) {
        return;
    }
    const struct msg_originate_failed m = {
        .pbx = pbx->number,
        .channel = id,
        .status = (uint16_t)status,
        .fate = (uint8_t)fate,
        .text = {why.ptr, why.len < 200 ? why.len : 200},
        .busy = busy,
    };
    pbx_send(pbx, owner, MSG_originate_failed, &m);
}

/* Refused before anything left. */
static void refuse(struct pbx *pbx, struct text id, const char *label, const char *why)
{
    pbx_count(pbx, "dialer_ari_originate_refused_total", label);
    pbx_log(pbx, 2, "DLR-ARI-REFUSED", "%.*s: %s", (int)id.len, id.ptr, why);
    tell_failed(pbx, id, 0, 0, false, words(why));
}

/* The permit proves that the row of exactly this id and target is committed. */
static bool permitted(const struct pbx *pbx, struct text id, struct text target, uint64_t permit)
{
    return permit != 0 && permit == secret_permit(pbx->host->permits, id, target);
}

static void queue_originate(struct pbx *pbx, struct text id, struct command *cmd)
{
    struct chan *chan = chans_find(&pbx->chans, id);
    if (chan) {
        refuse(pbx, id, "twice", "a channel of this id is there already");
        free(cmd);
        return;
    }
    chan = chans_make(&pbx->chans, id);
    if (!chan || !command_keep(cmd->id, sizeof cmd->id, id)) {
        refuse(pbx, id, "id", "not an id of ours, or no memory");
        if (chan) {
            chans_remove(&pbx->chans, chan);
        }
        free(cmd);
        return;
    }
    chan->asked = true;
    queue_push(&pbx->queue, &cmd->item, QUEUE_ORIGINATE, net_now_us());
}

static bool may_originate(struct pbx *pbx, struct text id, struct text target, uint64_t permit,
                          int64_t until_us)
{
    if (!permitted(pbx, id, target, permit)) {
        pbx_log(pbx, 3, "DLR-ARI-PERMIT", "%.*s: no permit for this originate", (int)id.len,
                id.ptr);
        refuse(pbx, id, "permit", "no permit: its row is not committed");
        return false;
    }
    if (until_us != 0 && net_now_us() > until_us) {
        refuse(pbx, id, "late", "too late to send it: this process was stopped or very busy");
        return false;
    }
    if (link_state(&pbx->link) != LINK_UP) {
        refuse(pbx, id, "down", "the server is not connected");
        return false;
    }
    return true;
}

static void take_call(struct pbx *pbx, const struct msg_originate_call *m)
{
    char why[96];
    if (!may_originate(pbx, m->attempt, m->number, m->permit, m->until_us)) {
        return;
    }
    /* Without the subscription such a call would be silent until its answer (asterisk.md 9). */
    if (pbx_need_endpoint(pbx, m->endpoint) < 0) {
        refuse(pbx, m->attempt, "endpoint", "the trunk's endpoint cannot be subscribed to");
        return;
    }
    struct command *cmd = command_make(pbx, CMD_CALL, LANE_ORIGINATE);
    if (!cmd || wire_originate_call(m, &cmd->request_text, why, sizeof why) != 0) {
        refuse(pbx, m->attempt, "text", cmd ? why : "no memory");
        free(cmd);
        return;
    }
    queue_originate(pbx, m->attempt, cmd);
}

static void take_leg(struct pbx *pbx, const struct msg_originate_leg *m)
{
    char why[96];
    if (!may_originate(pbx, m->leg, m->endpoint, m->permit, m->until_us)) {
        return;
    }
    struct command *cmd = command_make(pbx, CMD_LEG, LANE_ORIGINATE);
    if (!cmd || wire_originate_leg(m, pbx->application, &cmd->request_text, why, sizeof why) != 0) {
        refuse(pbx, m->leg, "text", cmd ? why : "no memory");
        free(cmd);
        return;
    }
    queue_originate(pbx, m->leg, cmd);
}

static void push_hangup(struct pbx *pbx, struct text channel)
{
    struct command *cmd = command_make(pbx, CMD_HANGUP, LANE_CONTROL);
    if (!cmd || !command_keep(cmd->id, sizeof cmd->id, channel) ||
        wire_hangup(channel, &cmd->request_text) != 0) {
        struct chan *chan = cmd ? NULL : chans_find(&pbx->chans, channel);
        if (chan) {
            chan->check_us = net_now_us() + US_PER_S; /* no memory: the sweep asks again */
        }
        free(cmd);
        return;
    }
    cmd->connect = pbx->connect;
    queue_push(&pbx->queue, &cmd->item, QUEUE_HANGUP, net_now_us());
}

static struct text error_words(struct pbx *pbx, const struct answer *a)
{
    struct text t = {NULL, 0};
    if (a->fate == NET_ANSWERED) {
        t = wire_error(&pbx->doc, a->body, a->len);
    }
    return t.ptr ? t : words(a->error);
}

static void log_refused(struct pbx *pbx, const struct answer *a)
{
    char line[200];

    if (refused_note(&pbx->refused, a->status, error_words(pbx, a), net_now_us(), line,
                     sizeof line)) {
        pbx_log(pbx, 2, "DLR-ARI-REFUSED", "%s", line);
    }
}

static void originate_answered(struct pbx *pbx, const struct command *cmd, const struct answer *a)
{
    struct text id = words(cmd->id);
    struct chan *chan = chans_find(&pbx->chans, id);
    if (chan) {
        chan->asked = false;
    }
    if (answer_good(a)) {
        pbx_count(pbx, "dialer_ari_originated_total", cmd->kind == CMD_CALL ? "call" : "leg");
    } else if (a->fate == NET_MAYBE_SENT) {
        /* It may ring. The entry stays: what it does will be told. */
        pbx_count(pbx, "dialer_ari_fate_unknown_total", NULL);
        tell_failed(pbx, id, 0, 2, false, words(a->error));
    } else {
        if (a->fate == NET_ANSWERED) {
            log_refused(pbx, a);
        }
        if (chan) {
            chans_remove(&pbx->chans, chan);
            chan = NULL;
        }
        /* 409 as well: our ids are never used twice, so it is an allocation failure that a socket
         * has remembered (asterisk.md 3). */
        tell_failed(pbx, id, a->status, a->fate == NET_ANSWERED ? 1 : 0, a->fate == NET_NOT_SENT,
                    error_words(pbx, a));
    }
    if (chan && chan->hang_up) {
        push_hangup(pbx, id);
    }
}

static void withdraw_originate(struct pbx *pbx, struct command *cmd, const char *why)
{
    struct chan *chan = chans_find(&pbx->chans, words(cmd->id));
    if (chan) {
        chans_remove(&pbx->chans, chan);
    }
    tell_failed(pbx, words(cmd->id), 0, 0, false, words(why));
    free(cmd);
}

void pbx_fail_originates(struct pbx *pbx, const char *why)
{
    struct queue_item *item;
    while ((item = pbx->queue.waiting[QUEUE_ORIGINATE].head)) {
        queue_withdraw(&pbx->queue, item);
        withdraw_originate(pbx, (struct command *)item, why);
    }
}

/* --- hanging up --------------------------------------------------------------------------------
 */

static struct command *waiting_originate(struct pbx *pbx, struct text id)
{
    struct queue_item *item = pbx->queue.waiting[QUEUE_ORIGINATE].head;
    for (; item; item = item->next) {
        struct command *cmd = (struct command *)item;
        if (strlen(cmd->id) == id.len && memcmp(cmd->id, id.ptr, id.len) == 0) {
            return cmd;
        }
    }
    return NULL;
}

static void take_hangup(struct pbx *pbx, const struct msg_hangup *m)
{
    struct chan *chan = chans_find(&pbx->chans, m->channel);
    if (chan && chan->asked) {
        struct command *waiting = waiting_originate(pbx, m->channel);
        if (waiting) {
            queue_withdraw(&pbx->queue, &waiting->item);
            withdraw_originate(pbx, waiting, "taken back before it left");
        } else {
            /* A DELETE that overtakes its POST on another socket would be 404, and then it rings.
             */
            chan->hang_up = true;
        }
        return;
    }
    push_hangup(pbx, m->channel);
}

static void hangup_answered(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    struct chan *chan = chans_find(&pbx->chans, words(cmd->id));
    if (a->fate == NET_ANSWERED && a->status < 500) {
        if (chan && a->status == 404) {
            /* From the first: who asks again and again must not put it off for ever. */
            chan->gone_us = chan->gone_us ? chan->gone_us : net_now_us() + GONE_WAIT_US;
            chan->check_us = 0;
        } else if (chan) {
            chan->check_us = net_now_us() + HANGUP_CHECK_US;
        }
        return;
    }
    if (chan && !pbx_hangup_outdated(pbx, cmd)) {
        chan->check_us = net_now_us() + US_PER_S; /* the sweep asks again */
    }
}

static void take_check(struct pbx *pbx, const struct msg_channel_check *m)
{
    char uri[sizeof "channels/" + sizeof((struct command *)0)->id];
    struct command *cmd;
    if (wire_owner(m->channel, NULL) == HANDLE_NONE || link_state(&pbx->link) != LINK_UP) {
        return; /* the list of the next connect tells */
    }
    cmd = command_make(pbx, CMD_CHECK, LANE_CONTROL);
    if (!cmd) {
        return;
    }
    (void)command_keep(cmd->id, sizeof cmd->id, m->channel);
    snprintf(uri, sizeof uri, "channels/%s", cmd->id);
    if (wire_get(uri, &cmd->request_text) != 0) {
        free(cmd);
        return;
    }
    queue_push(&pbx->queue, &cmd->item, QUEUE_HANGUP, net_now_us());
}

/* It is gone, and its event has not come: the next sweep tells, unless it comes until then. */
static void check_answered(struct pbx *pbx, const struct command *cmd, const struct answer *a)
{
    struct chan *chan = chans_find(&pbx->chans, words(cmd->id));
    if (a->fate == NET_ANSWERED && a->status == 404 && chan && !chan->asked && !chan->gone_us) {
        chan->gone_us = net_now_us() + GONE_WAIT_US;
        pbx_log(pbx, 2, "DLR-ARI-UNHEARD", "%s has ended, and no event has told so", cmd->id);
    }
}

static void sweep_one(void *ctx, struct chan *chan)
{
    struct pbx *pbx = ctx;
    int64_t now = net_now_us();
    if (chan->gone_us && now >= chan->gone_us) {
        /* A ghost (asterisk.md 12.12), or an event we have missed. */
        const struct wire_event e = {.kind = WIRE_ENDED};
        pbx_count(pbx, "dialer_ari_ghosts_total", NULL);
        pbx_tell_ended(pbx, chan, &e);
    } else if (chan->check_us && now >= chan->check_us) {
        chan->check_us = 0;
        push_hangup(pbx, (struct text){chan->id, ID_LEN});
    }
}

void pbx_sweep(struct pbx *pbx)
{
    if (link_state(&pbx->link) == LINK_UP) {
        chans_each(&pbx->chans, sweep_one, pbx);
    }
}

/* --- both ways ------------------------------------------------------------------------------- */

void pbx_take(struct pbx *pbx, handle from, uint16_t type, const void *msg)
{
    switch (type) {
    case MSG_originate_call:
        take_call(pbx, msg);
        break;
    case MSG_originate_leg:
        take_leg(pbx, msg);
        break;
    case MSG_hangup:
        take_hangup(pbx, msg);
        break;
    case MSG_channel_check:
        take_check(pbx, msg);
        break;
    case MSG_watch_endpoint:
        pbx_watch(pbx, ((const struct msg_watch_endpoint *)msg)->endpoint);
        break;
    default:
        if (!bridge_take(pbx, from, type, msg)) {
            pbx_count(pbx, "dialer_ari_bad_commands_total", NULL);
        }
        break;
    }
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* What may be repeated without harm goes once more when the way there broke. */
static bool repeat(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    bool harmless = cmd->kind == CMD_BRIDGE_CREATE || cmd->kind == CMD_BRIDGE_ADD ||
                    cmd->kind == CMD_BRIDGE_DESTROY || cmd->kind == CMD_HANGUP ||
                    cmd->kind == CMD_MUSIC || cmd->kind == CMD_MUTE;
    if (a->fate == NET_ANSWERED || !harmless || cmd->tries >= TRIES_MAX ||
        pbx_hangup_outdated(pbx, cmd)) {
        return false;
    }
    queue_push(&pbx->queue, &cmd->item, cmd->item.priority, net_now_us());
    return true;
}

static const char *lane_name(const struct command *cmd)
{
    static const char *const names[] = {"originate", "leg",  "hangup", "bridge", "add",
                                        "destroy",   "play", "music",  "sound",  "check",
                                        "mute",      "dtmf", "step"};
    return names[cmd->kind];
}

static void act_on(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    switch (cmd->kind) {
    case CMD_CALL:
    case CMD_LEG:
        originate_answered(pbx, cmd, a);
        break;
    case CMD_HANGUP:
        hangup_answered(pbx, cmd, a);
        break;
    case CMD_CHECK:
        check_answered(pbx, cmd, a);
        break;
    case CMD_STEP:
        /* An answer over HTTP can outlive its connect; it would be taken for the next one's. */
        if (cmd->connect == pbx->connect) {
            cmd->done(pbx, cmd, a);
        }
        break;
    case CMD_BRIDGE_ADD:
    case CMD_PLAY:
    case CMD_SOUND:
    case CMD_BRIDGE_CREATE:
    case CMD_BRIDGE_DESTROY:
    case CMD_MUSIC:
    case CMD_MUTE:
    case CMD_DTMF:
        bridge_answered(pbx, cmd, a);
        break;
    }
}

void pbx_answered(struct command *cmd, const struct answer *answer)
{
    struct pbx *pbx = cmd->pbx;
    if (pbx->closing) {
        free(cmd);
        return;
    }
    int64_t now = net_now_us();
    bool trouble = answer->fate != NET_ANSWERED || answer->status == 503;
    if (!cmd->direct) {
        uint64_t opened = pbx->queue.n_opened;
        queue_answered(&pbx->queue, &cmd->item, trouble ? QUEUE_FAILURE : QUEUE_GOOD, now);
        pbx->host->observe(pbx->host->ctx, "dialer_ari_response_us", lane_name(cmd), pbx->number,
                           now - cmd->item.sent_us);
        if (pbx->queue.n_opened != opened) {
            pbx_count(pbx, "dialer_ari_breaker_opened_total", NULL);
            pbx_log(pbx, 2, "DLR-ARI-BREAKER",
                    "originates fail or take seconds: a pause of %lld ms",
                    (long long)((pbx->queue.open_until_us - now) / US_PER_MS));
        }
    }
    if (answer->fate != NET_ANSWERED || answer->status >= 400) {
        pbx_count(pbx, "dialer_ari_request_errors_total", lane_name(cmd));
    }
    if (repeat(pbx, cmd, answer)) {
        return;
    }
    bool http = cmd->http;
    act_on(pbx, cmd, answer);
    free(cmd);
    if (http) {
        pbx_pump(pbx); /* a lane's answer is followed by one anyway */
    }
}
