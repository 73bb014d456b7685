// A phone transfers its call away by REFER, behind the application's back: Asterisk puts a Local
// channel with an id of its own into the phone's place in the bridge, and runs the endpoint's
// context on its other half.
#include <stdio.h>
#include <string.h>

#include "adapters/sim/model.h"

static struct chan *half(struct pbx *pbx, const char *exten, int which)
{
    struct chan *c = chan_new(pbx, NULL, BY_FORWARD);
    snprintf(c->name, sizeof c->name, "Local/%.100s@inbound-%08x;%d", exten, pbx->next_local,
             which);
    mem_copy(c->exten, sizeof c->exten, exten);
    c->far.fate = "local";
    return c;
}

static void tell(struct chan *c, struct bridge *b, const char *before, size_t before_len,
                 struct chan *peer, struct chan *local)
{
    struct pbx *pbx = c->pbx;
    if (!event_wanted_bridge(pbx, b, EV_BridgeBlindTransfer))
        return;
    struct json_writer *w = event_open(pbx, EV_BridgeBlindTransfer);
    put_chan(w, "channel", c);
    json_put_str(w, "exten", local->exten);
    json_put_str(w, "context", local->context);
    json_put_str(w, "result", "Success");
    json_put_bool(w, "is_external", true);
    put_chan(w, "transferee", peer);
    put_chan(w, "replace_channel", local);
    json_put_raw(w, "bridge", before, before_len);
    event_publish_bridge(pbx, b, EV_BridgeBlindTransfer);
}

bool call_refer(struct chan *c, const char *exten)
{
    struct pbx *pbx = c->pbx;
    struct bridge *b = c->bridge;
    struct app *app = c->stasis;
    bool refused =
        c->endpoint != NULL && c->endpoint->phone.no_transfer; // 603, and ARI sees nothing
    if (refused || b == NULL || app == NULL || b->count != 2)
        return false;
    struct chan *peer = b->members == c ? c->bridge_next : b->members;
    struct json_writer before; // the event shows the bridge as it was
    json_writer_init_heap(&before, 1 << 20);
    put_bridge(&before, NULL, b);
    size_t len;
    const char *text = json_writer_end(&before, &len);
    ev_hold(c, false);
    ev_varset(c, "BLINDTRANSFER", peer->name);
    ev_varset(peer, "BLINDTRANSFER", c->name);
    struct chan *local = half(pbx, exten, 1), *other = half(pbx, exten, 2);
    pbx->next_local++;
    local->other = other;
    other->other = local;
    other->state = CHAN_RING;
    witness_word(pbx, "refer", c->id, "to", local->id);
    char args[300];
    snprintf(args, sizeof args, "inbound,%.200s", exten);
    bool served = stasis_enter(other, pbx->config.app, args);
    local->replaces = c;
    (void)stasis_enter(local, app->name, "");
    b->dissolving = true; // one steps in for the other: the technology stays
    bridge_leave(c, true);
    b->dissolving = false;
    bridge_enter(b, local, true);
    ev_varset(local, "BLINDTRANSFER", "");
    if (text != NULL)
        tell(c, b, text, len, peer, local);
    json_writer_free(&before);
    if (!served)
        call_end(other, END_PLAN, 0);
    return true;
}
