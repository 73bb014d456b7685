// Entering and leaving an application.
#include <stdio.h>
#include <string.h>

#include "adapters/sim/model.h"

static void in_stasis(struct chan *c, const char *app, const char *args)
{
    char data[600];
    snprintf(data, sizeof data, args[0] != '\0' ? "%s,%s" : "%s", app, args);
    chan_plan_app(c, "Stasis", data);
}

// The events of create and of the dialplan say ChannelDialplan first; an originated channel's do
// not.
bool stasis_enter(struct chan *c, const char *app, const char *args)
{
    struct pbx *pbx = c->pbx;
    in_stasis(c, app, args);
    if (c->plan != NULL || (c->origin != BY_APP && c->origin != BY_SNOOP))
        ev_dialplan(c);
    ev_varset(c, "STASISSTATUS", "");
    chan_set_var(c, "STASISSTATUS", "", false);
    struct app *a = app_find(pbx, app);
    if (a == NULL || a->client == NULL) {
        ev_varset(c, "STASISSTATUS", "FAILED");
        chan_set_var(c, "STASISSTATUS", "FAILED", false);
        witness_word(pbx, "no_client", c->id, "app", app);
        return false;
    }
    interest_add(a, c->interest);
    c->stasis = a;
    witness_word(pbx, "stasis", c->id, "app", app);
    ev_stasis_start(c, a, args, c->replaces);
    c->replaces = NULL;
    return true;
}

void stasis_leave(struct chan *c, bool hangup)
{
    struct app *a = c->stasis;
    if (a == NULL)
        return;
    c->stasis = NULL;
    ev_stasis_end(c, a);
    if (c->origin == BY_SNOOP || c->origin == BY_INBOUND)
        interest_drop(a, c->interest, false);
    chan_set_var(c, "STASISSTATUS", "SUCCESS", false);
    if (!hangup && c->origin == BY_APP)
        c->success_due = true;
    else
        ev_varset(c, "STASISSTATUS", "SUCCESS");
    if (c->origin == BY_CONTEXT || c->origin == BY_FORWARD || c->origin == BY_LOCAL)
        interest_drop(a, c->interest, false);
    app_settle(c->pbx, a);
    if (hangup && c->origin == BY_CREATE)
        chan_plan_app(c, "", "");
}

bool stasis_move(struct chan *c, const char *app, const char *args)
{
    struct pbx *pbx = c->pbx;
    struct app *from = c->stasis, *to = app_find(pbx, app);
    if (to == NULL || to->client == NULL) {
        struct json_writer *w = event_open(pbx, EV_ApplicationMoveFailed);
        json_put_str(w, "destination", app);
        json_open_array(w, "args");
        if (args[0] != '\0')
            json_put_str(w, NULL, args);
        json_close_array(w);
        put_chan(w, "channel", c);
        event_publish_app(pbx, from, EV_ApplicationMoveFailed);
        return false;
    }
    interest_add(to, c->interest);
    in_stasis(c, app, args);
    ev_stasis_start(c, to, args, NULL);
    ev_stasis_end(c, from);
    c->stasis = to;
    interest_drop(from, c->interest, false);
    app_settle(pbx, from);
    return true;
}
