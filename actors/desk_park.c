/*
 * desk_park.c - campaigns that an error of ours has parked (core/actor.h), and how they go on: who
 * starts such a campaign gets a new actor for it, made from the store as at a start of the daemon.
 *
 * The store is asked for all there is of the campaign. With its settings the actor is made, its
 * open attempts follow, and then every server lists once more what lives there: what is found is
 * adopted, the others are over.
 */
#include "actors/desk_int.h"
#include "actors/ids.h"
#include "actors/words.h"

/* What the parked actor had sent to Asterisk last has left by then, or never will: what lives there
 * can be listed. */
#define REST_US (SEND_WITHIN_US + 1 * US_PER_S)

static struct known_campaign *find(const struct desk *d, uint64_t campaign)
{
    const struct map_slot *slot = map_find(&d->campaigns, campaign);

    return slot ? slot->value.ptr : NULL;
}

void desk_park(struct desk *d, const struct msg_alarm *m, const struct event *ev,
               struct effects *fx)
{
    const struct msg_lines_want none = {.campaign = m->subject, .calls = 0};
    struct known_campaign *c = find(d, m->subject);

    if (c) {
        c->life = LIFE_PARKED;
        c->seq = m->seq;
        c->parked_us = ev->now_us;
        c->quiet = true;
        c->rides = false;
        desk_to_each(&d->trunks, KIND_TRUNK, MSG_lines_want, &none, fx);
    }
}

/* --- what people ask of it ----------------------------------------------------------------------
 */

static enum result begin_again(struct desk *d, struct known_campaign *c, const struct event *ev,
                               const char **why, struct effects *fx)
{
    if (d->draining) {
        *why = "it is parked (see the alarm), and the daemon is being stopped";
        return RESULT_REFUSED;
    }
    if (ev->now_us - c->parked_us < REST_US) {
        *why = "it has just been parked (see the alarm): start it again in a few seconds";
        return RESULT_REFUSED;
    }
    c->life = LIFE_ASKED;
    desk_load(KIND_CAMPAIGN, c->id, fx);
    return RESULT_OK;
}

void desk_on_switch(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_switch *m = ev->msg;
    struct known_campaign *c = find(d, m->campaign);
    const char *why = "";
    struct msg_reply r = {
        .client = m->client, .request = m->request, .result = RESULT_OK, .json = words_of("")};

    if (c && (c->life == LIFE_GOES_ON || c->life == LIFE_COMING)) {
        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_campaign_switch, m);
        return;
    }
    if (!c) {
        r.result = RESULT_NOT_FOUND;
        why = "there is no such campaign";
    } else if (m->action == 1) { /* who stops it finds it stopped */
        r.result = (uint8_t)begin_again(d, c, ev, &why, fx);
    }
    r.text = words_of(why);
    if (m->reply_to != HANDLE_NONE) {
        fx_send(fx, m->reply_to, MSG_reply, &r);
    }
}

static void say_parked(const struct desk *d, const struct known_campaign *c, struct words *w)
{
    const struct standing_alarm *a = desk_standing(d, ALARM_campaign_parked, c->id);
    char text[DESK_TEXT * 2];
    struct words why;

    words_start(&why, text, sizeof text);
    words_add(&why, reason_sentence(REASON_parked));
    if (a) {
        words_add(&why, ": ");
        words_add(&why, a->text);
    }
    words_add(w, "{");
    words_key(w, "campaign");
    words_add_int(w, (int64_t)c->id);
    words_key(w, "name");
    words_add_json(w, words_of(c->name));
    words_key(w, "state");
    words_add_json(w, words_of(campaign_state_name(CAMPAIGN_PARKED)));
    words_key(w, "held_by");
    words_add_json(w, words_of(reason_name(REASON_parked)));
    words_key(w, "why");
    words_add_json(w, words_text(&why));
    words_key(w, "since_wall_ms");
    words_add_int(w, a ? a->started_wall_ms : 0);
    words_add(w, "}");
}

void desk_on_explain(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_explain_campaign *m = ev->msg;
    const struct known_campaign *c = find(d, m->campaign);
    char buffer[1024];
    struct words json;
    struct msg_reply r = {.client = m->client,
                          .request = m->request,
                          .result = c ? RESULT_OK : RESULT_NOT_FOUND,
                          .text = words_of(c ? "" : "there is no such campaign")};

    if (c && (c->life == LIFE_GOES_ON || c->life == LIFE_COMING)) { /* it has just come */
        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_explain_campaign, m);
        return;
    }
    words_start(&json, buffer, sizeof buffer);
    if (c) {
        say_parked(d, c, &json);
    }
    r.json = words_text(&json);
    fx_send(fx, m->reply_to, MSG_reply, &r);
}

/* --- what the store tells of it -----------------------------------------------------------------
 */

bool desk_comes_back(const struct desk *d, struct known_campaign *c, struct effects *fx)
{
    /* all that the parked one held: of the calls that live the new one tells again */
    const struct msg_lines_free all = {.campaign = c->id, .calls = UINT32_MAX};

    if (c->life != LIFE_ASKED) {
        return false;
    }
    c->life = LIFE_COMING;
    c->quiet = false;
    desk_to_each(&d->trunks, KIND_TRUNK, MSG_lines_free, &all, fx);
    return true;
}

bool desk_is_coming(const struct desk *d, uint64_t campaign)
{
    const struct known_campaign *c = find(d, campaign);

    return c && c->life == LIFE_COMING;
}

void desk_is_back(struct desk *d, const struct msg_loaded *m, const struct event *ev,
                  struct effects *fx)
{
    const struct msg_list_again again = {.node = m->node};
    struct known_campaign *c = find(d, m->id);

    if (!c || c->life != LIFE_COMING || m->result != RESULT_OK) {
        return;
    }
    c->life = LIFE_GOES_ON;
    fx_send(fx, ADDR_ARI, MSG_list_again, &again);
    desk_alarm(d, ALARM_campaign_parked, m->id, false, words_of(""), ev, fx);
}
