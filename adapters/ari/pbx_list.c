/* pbx_list.c - what a connect finds: subscriptions, channels, bridges, the phones' states. */
#include "adapters/ari/pbx.h"
#include "core/crash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_US                                                                               \
    (5 * US_PER_S) /* a refused endpoint: somebody may have configured it since                    \
                    */

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

/* --- endpoints ---------------------------------------------------------------------------------
 */

static struct watched *find_watched(struct pbx *pbx, const char *name)
{
    for (size_t i = 0; i < pbx->n_watched; i++) {
        if (strcmp(pbx->watched[i].name, name) == 0) {
            return &pbx->watched[i];
        }
    }
    return NULL;
}

static struct watched *make_watched(struct pbx *pbx, const char *name)
{
    struct watched *found = find_watched(pbx, name);
    if (found) {
        return found;
    }
    if (pbx->n_watched == pbx->cap_watched) {
        size_t cap = pbx->cap_watched ? pbx->cap_watched * 2 : 16;
        struct watched *more = realloc(pbx->watched, cap * sizeof *more);
        if (!more) {
            return NULL;
        }
        pbx->watched = more;
        pbx->cap_watched = cap;
    }
    struct watched *w = &pbx->watched[pbx->n_watched++];
    *w = (struct watched){0};
    snprintf(w->name, sizeof w->name, "%s", name);
    return w;
}

void pbx_tell_phone(struct pbx *pbx, struct watched *w, bool online)
{
    const struct msg_endpoint_state m = {
        .pbx = pbx->number, .endpoint = words(w->name), .online = online};
    w->said = online ? SAID_ONLINE : SAID_OFFLINE;
    pbx_send(pbx, ADDR_DESK, MSG_endpoint_state, &m);
}

static void ask_phone(struct pbx *pbx, size_t index);

static void on_endpoint_asked(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    struct watched *w = &pbx->watched[cmd->index];
    if (w->told && a->fate == NET_ANSWERED) {
        /* Answers and events come by different sockets: which of the two is newer? */
        ask_phone(pbx, cmd->index);
        return;
    }
    if (answer_good(a) && json_parse(&pbx->doc, a->body, a->len) == 0) {
        pbx_tell_phone(pbx, w,
                       json_is(&pbx->doc, json_get(&pbx->doc, JSON_ROOT, "state"), "online"));
    } else if (answer_good(a) && pbx->doc.no_memory) {
        pbx_starved(pbx, "a phone's state");
    } else if (a->fate == NET_ANSWERED) {
        pbx_tell_phone(pbx, w, false); /* the server does not know it */
    }
    pbx_walk_phones(pbx);
}

static void ask_phone(struct pbx *pbx, size_t index)
{
    struct command *cmd = pbx_step(pbx, on_endpoint_asked);
    if (!cmd || wire_endpoint_get(pbx->watched[index].name, &cmd->request_text) != 0) {
        free(cmd);
        return;
    }
    cmd->index = index;
    pbx->watched[index].told = false;
    pbx_send_command(pbx, cmd);
}

/* The link's step is over when no trunk's subscription is under way. */
static void subscriptions_settled(struct pbx *pbx)
{
    pbx_update_hold(pbx);
    if (pbx->subscriptions_asked == 0 && link_state(&pbx->link) == LINK_SUBSCRIBING) {
        link_fire(&pbx->link, LINK_GOOD);
    }
}

static void on_subscribed(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    struct watched *w = &pbx->watched[cmd->index];
    w->asking = false;
    w->subscribed = answer_good(a);
    w->failed_us = a->fate == NET_ANSWERED && !answer_good(a) ? net_now_us() : 0;
    if (!w->subscribed) {
        pbx_log(pbx, 2, "DLR-ARI-ENDPOINT", "cannot subscribe to %s: HTTP %d %.60s", w->name,
                a->status, a->error);
        pbx_count(pbx, "dialer_ari_subscribe_failed_total", NULL);
    }
    if (w->phone && cmd->campaign == 0) {
        if (w->subscribed) {
            ask_phone(pbx, cmd->index);
        } else {
            pbx_tell_phone(pbx, w, false);
            pbx_walk_phones(pbx);
        }
        return;
    }
    pbx->subscriptions_asked--;
    subscriptions_settled(pbx);
    pbx_pump(pbx);
}

/* trunk: originates wait for it. */
static bool ask_subscription(struct pbx *pbx, size_t index, bool trunk)
{
    struct watched *w = &pbx->watched[index];
    struct command *cmd = pbx_step(pbx, on_subscribed);
    if (!cmd || wire_subscribe(pbx->application, w->name, &cmd->request_text) != 0) {
        free(cmd);
        return false;
    }
    w->asking = true;
    cmd->index = index;
    cmd->campaign = trunk ? 1 : 0;
    pbx->subscriptions_asked += trunk ? 1u : 0u;
    pbx_update_hold(pbx);
    pbx_send_command(pbx, cmd);
    return true;
}

/* Trunks at once, the link waits; phones later, one by one: there may be thousands. */
void pbx_subscribe(struct pbx *pbx)
{
    for (size_t i = 0; i < pbx->n_watched; i++) {
        pbx->watched[i].subscribed = false; /* the server may have been started anew */
        pbx->watched[i].asking = false;
    }
    pbx->subscriptions_asked = 1; /* so that an answer inside the loop does not end the step */
    for (size_t i = 0; i < pbx->n_watched; i++) {
        if (!pbx->watched[i].phone) {
            ask_subscription(pbx, i, true);
        }
    }
    pbx->subscriptions_asked--;
    pbx->next_phone = 0;
    pbx->phone_walk = false;
    subscriptions_settled(pbx);
}

void pbx_walk_phones(struct pbx *pbx)
{
    if (link_state(&pbx->link) != LINK_UP) {
        pbx->phone_walk = false;
        return;
    }
    while (pbx->next_phone < pbx->n_watched) {
        size_t i = pbx->next_phone++;
        if (pbx->watched[i].phone && !pbx->watched[i].asking) {
            pbx->phone_walk = ask_subscription(pbx, i, false);
            if (pbx->phone_walk) {
                return;
            }
        }
    }
    pbx->phone_walk = false;
}

void pbx_watch(struct pbx *pbx, struct text dial_string)
{
    char name[64];
    struct watched *w =
        wire_endpoint_of(dial_string, name, sizeof name) ? make_watched(pbx, name) : NULL;
    if (!w) {
        pbx_log(pbx, 2, "DLR-ARI-ENDPOINT", "cannot watch %.*s: want technology/name",
                (int)dial_string.len, dial_string.ptr);
        return;
    }
    size_t index = (size_t)(w - pbx->watched);
    if (memchr(dial_string.ptr, '{', dial_string.len)) {
        /* A trunk's template: without the subscription its calls are silent before the answer. */
        if (link_state(&pbx->link) == LINK_UP && !w->subscribed && !w->asking) {
            ask_subscription(pbx, index, true);
        }
        return;
    }
    bool known = w->phone;
    w->phone = true;
    if (link_state(&pbx->link) != LINK_UP) {
        return; /* the walk after the connect has it */
    }
    if (known) {
        ask_phone(pbx, index);
    } else if (!pbx->phone_walk) {
        pbx->next_phone = pbx->next_phone < index ? pbx->next_phone : index;
        pbx_walk_phones(pbx);
    }
}

int pbx_need_endpoint(struct pbx *pbx, struct text dial_string)
{
    char name[64];
    if (!wire_endpoint_of(dial_string, name, sizeof name)) {
        return 1; /* Local channels and the like have no endpoint */
    }
    struct watched *w = make_watched(pbx, name);
    if (!w) {
        return -1;
    }
    if (w->subscribed) {
        return 1;
    }
    if (w->asking) {
        return 0;
    }
    if (w->failed_us && net_now_us() - w->failed_us < ASK_AGAIN_US) {
        return -1;
    }
    if (link_state(&pbx->link) != LINK_UP) {
        return 0; /* the connect subscribes */
    }
    return ask_subscription(pbx, (size_t)(w - pbx->watched), true) ? 0 : -1;
}

/* --- channels and bridges ----------------------------------------------------------------------
 */

static void unsee(void *ctx, struct chan *chan)
{
    (void)ctx;
    chan->seen = false;
}

/* What is asked for and not answered yet is not missing: its owner must not give it up, or it rings
 * for nobody. The answer tells what became of it. */
static void settle_unseen(void *ctx, struct chan *chan)
{
    struct pbx *pbx = ctx;
    const struct msg_channel_found m = {
        .pbx = pbx->number, .channel = words(chan->id), .bridge = words("")};
    if (chan->seen) {
        return;
    }
    if (chan->asked) {
        pbx_send(pbx, ADDR_DESK, MSG_channel_found, &m);
    } else {
        chans_remove(&pbx->chans, chan);
    }
}

static bool is_ours(const struct pbx *pbx, struct text id)
{
    uint16_t node = 0;
    return wire_owner(id, &node) != HANDLE_NONE && (!pbx->host->node || node == pbx->host->node);
}

/* The bridge that has the channel, "" if none. */
static struct text bridge_of(const struct pbx *pbx, struct text channel)
{
    const struct json *d = &pbx->bridges_doc;
    for (json_ref b = json_first(d, JSON_ROOT); b != JSON_NONE; b = json_next(d, b)) {
        json_ref members = json_get(d, b, "channels");
        for (json_ref m = json_first(d, members); m != JSON_NONE; m = json_next(d, m)) {
            if (json_is(d, m, channel.ptr)) {
                struct text id = json_text(d, json_get(d, b, "id"));
                return id.ptr ? id : words("");
            }
        }
    }
    return words("");
}

/* Somebody has answered what was to be hung up before the link was lost, perhaps because it rang
 * too long: its owner hears of it now, and decides again. */
static void withdraw_hangup(struct pbx *pbx, struct chan *chan)
{
    struct queue_item *next;

    chan->check_us = 0;
    for (struct queue_item *item = pbx->queue.waiting[QUEUE_HANGUP].head; item; item = next) {
        struct command *cmd = (struct command *)item;
        next = item->next;
        if (cmd->kind == CMD_HANGUP && strcmp(cmd->id, chan->id) == 0) {
            queue_withdraw(&pbx->queue, item);
            free(cmd);
        }
    }
}

bool pbx_hangup_outdated(const struct pbx *pbx, const struct command *cmd)
{
    const struct chan *chan = chans_find(&pbx->chans, words(cmd->id));
    return cmd->kind == CMD_HANGUP && cmd->connect != pbx->connect && chan && chan->told_answered;
}

/* False: no memory. */
static bool found(struct pbx *pbx, const struct wire_channel *c)
{
    struct chan *chan = chans_make(&pbx->chans, c->id);
    if (!chan) {
        return false;
    }
    chan->seen = true;
    if (c->up) {
        withdraw_hangup(pbx, chan);
    }
    chan->told_answered = chan->told_answered || (c->up && c->in_app);
    const struct msg_channel_found m = {
        .pbx = pbx->number,
        .channel = c->id,
        .up = c->up,
        .in_app = c->in_app,
        .bridge = bridge_of(pbx, c->id),
    };
    pbx_send(pbx, ADDR_DESK, MSG_channel_found, &m); /* in order with pbx_listed */
    return true;
}

/* Both lists are here: tell who lives. */
static void apply_lists(struct pbx *pbx)
{
    uint32_t ours = 0;
    uint32_t foreign = 0;
    const struct json *d = &pbx->list_doc;
    CRASH_POINT(adopt_before);
    chans_each(&pbx->chans, unsee, pbx);
    for (json_ref i = json_first(d, JSON_ROOT); i != JSON_NONE; i = json_next(d, i)) {
        struct wire_channel c;
        if (!wire_channel(d, i, pbx->application, &c)) {
            continue;
        }
        if (!is_ours(pbx, c.id)) {
            foreign++;
        } else if (!chans_find(&pbx->ended, c.id)) {
            ours++;
            if (!found(pbx, &c)) {
                snprintf(pbx->why, sizeof pbx->why, "no memory for a channel");
                link_fire(&pbx->link, LINK_BAD);
                return;
            }
        }
    }
    chans_each(&pbx->chans, settle_unseen, pbx);
    chans_free(&pbx->ended);
    pbx->foreign = foreign;
    pbx_log(pbx, 1, "DLR-ARI-LISTED", "%u channels of ours, %u foreign ones", ours, foreign);
    const struct msg_pbx_listed m = {.pbx = pbx->number, .channels = ours, .foreign = foreign};
    pbx_send(pbx, ADDR_DESK, MSG_pbx_listed, &m);
    CRASH_POINT(adopt_after);
    link_fire(&pbx->link, LINK_GOOD);
}

static void on_list(struct pbx *pbx, struct command *cmd, const struct answer *a)
{
    bool bridges = cmd->index != 0;
    /* The answer's text may live in list_doc (it came over a websocket): a copy, then. */
    char *copy =
        link_state(&pbx->link) == LINK_LISTING && answer_good(a) ? malloc(a->len + 1) : NULL;
    if (!copy) {
        if (link_state(&pbx->link) == LINK_LISTING) {
            snprintf(pbx->why, sizeof pbx->why, "listing %s: HTTP %d %.80s",
                     bridges ? "bridges" : "channels", a->status, a->error);
            link_fire(&pbx->link, LINK_BAD);
        }
        return;
    }
    memcpy(copy, a->body, a->len);
    copy[a->len] = '\0';
    struct json *doc = bridges ? &pbx->bridges_doc : &pbx->list_doc;
    int parsed = json_parse(doc, copy, a->len);
    free(copy);
    if (parsed != 0 || json_type(doc, JSON_ROOT) != JSON_ARRAY) {
        snprintf(pbx->why, sizeof pbx->why, "listing %s: %.100s", bridges ? "bridges" : "channels",
                 doc->error[0] ? doc->error : "not a list");
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    if (!bridges) {
        apply_lists(pbx);
        return;
    }
    struct command *next = pbx_step(pbx, on_list);
    if (!next || wire_get("channels", &next->request_text) != 0) {
        free(next);
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    pbx_send_command(pbx, next);
}

/* Bridges first: a channel that ends in between is then in no list, one that begins in no bridge.
 */
void pbx_list(struct pbx *pbx)
{
    chans_free(&pbx->ended);
    struct command *cmd = pbx_step(pbx, on_list);
    if (!cmd || wire_get("bridges", &cmd->request_text) != 0) {
        free(cmd);
        link_fire(&pbx->link, LINK_BAD);
        return;
    }
    cmd->index = 1;
    pbx_send_command(pbx, cmd);
}
