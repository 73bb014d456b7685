/*
 * desk_pbx.c - the Asterisk servers as the desk knows them: each state goes to whom it concerns,
 * and so do the channels that a connect finds.
 */
#include "actors/desk_int.h"
#include "actors/ids.h"
#include "actors/words.h"

void desk_on_pbx(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_moved *m = ev->msg;
    struct msg_view_pbx v = {.pbx = m->pbx, .name = m->name, .state = m->state, .text = m->text};
    uint32_t i = 0;

    while (i < d->n_pbxs && d->pbxs[i].pbx != m->pbx) {
        i++;
    }
    if (i < PBX_MOST) {
        d->pbxs[i].pbx = m->pbx;
        d->pbxs[i].state = m->state;
        d->n_pbxs = i == d->n_pbxs ? d->n_pbxs + 1u : d->n_pbxs;
    }
    desk_to_each(&d->campaigns, KIND_CAMPAIGN, MSG_pbx_moved, m, fx);
    desk_to_each(&d->agents, KIND_AGENT, MSG_pbx_moved, m, fx);
    desk_to_each(&d->trunks, KIND_TRUNK, MSG_pbx_moved, m, fx);
    fx_send(fx, ADDR_WEB, MSG_view_pbx, &v);
    fx_send(fx, ADDR_CTL, MSG_view_pbx, &v);
    if (m->state == PBX_DOWN || m->state == PBX_UP) { /* what lies between is on its way up */
        desk_alarm(d, ALARM_pbx_away, m->pbx, m->state == PBX_DOWN, m->text, ev, fx);
    }
    if (m->state == PBX_REPLACED || m->state == PBX_UP) {
        desk_alarm(d, ALARM_pbx_replaced, m->pbx, m->state == PBX_REPLACED, m->text, ev, fx);
    }
}

/* Before the store has told which calls there were (all, or those of one that comes back), nobody
 * can say whose a channel is: it would be ended as nobody's, or a call given up that lives. Such a
 * list is passed over, also when its end comes after: the one that is asked for then follows. */
static bool missed_some(struct desk *d, uint32_t pbx, bool now)
{
    bool missed = false;

    for (uint32_t i = 0; i < d->n_pbxs; i++) {
        if (d->pbxs[i].pbx == pbx) {
            missed = d->pbxs[i].missed;
            d->pbxs[i].missed = now;
        }
    }
    return missed;
}

/* Nobody but a person knows whether the other program has gone. */
void desk_on_retake(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_pbx_retake *m = ev->msg;
    struct msg_reply r = {.client = m->client,
                          .request = m->request,
                          .result = RESULT_NOT_FOUND,
                          .text = words_of("there is no such server"),
                          .json = words_of("")};

    for (uint32_t i = 0; i < d->n_pbxs; i++) {
        if (d->pbxs[i].pbx == m->pbx) {
            bool taken = d->pbxs[i].state == PBX_REPLACED;

            r.result = taken ? RESULT_OK : RESULT_REFUSED;
            r.text = words_of(taken ? "" : "its application is not taken over");
        }
    }
    if (r.result == RESULT_OK) {
        fx_send(fx, ADDR_ARI, MSG_pbx_retake, m);
    }
    fx_send(fx, m->reply_to, MSG_reply, &r);
}

/* Which channels live comes the same way as the word that these were all: straight from the adapter
 * to the owner it could be overtaken by it, and a call that lives would be given up as gone. */
void desk_on_found(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_channel_found *m = ev->msg;
    struct channel_id id;
    enum id_class cls = id_parse(m->channel, &id);

    if (!d->known || (cls == ID_ATTEMPT && desk_is_coming(d, id.owner))) {
        missed_some(d, m->pbx, true);
        return;
    }
    if (cls == ID_ATTEMPT || cls == ID_LEG) {
        fx_send(fx, named(cls == ID_ATTEMPT ? KIND_CAMPAIGN : KIND_AGENT, id.owner),
                MSG_channel_found, m);
    }
}

void desk_on_listed(struct desk *d, const struct event *ev, struct effects *fx)
{
    /* whether it was missed or not, the next list begins anew */
    bool missed = missed_some(d, ((const struct msg_pbx_listed *)ev->msg)->pbx, false);

    if (!d->known || missed) {
        return;
    }
    desk_to_each(&d->campaigns, KIND_CAMPAIGN, MSG_pbx_listed, ev->msg, fx);
    desk_to_each(&d->agents, KIND_AGENT, MSG_pbx_listed, ev->msg, fx);
}

void desk_on_endpoint(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_endpoint_state *m = ev->msg;
    uint64_t hash = map_hash(m->endpoint);

    for (uint32_t i = 0; i < d->agents.size; i++) {
        const struct known_agent *a = d->agents.slots[i].value.ptr;

        if (d->agents.slots[i].key != 0 && a->endpoint_hash == hash && a->pbx == m->pbx) {
            fx_send(fx, named(KIND_AGENT, a->id), MSG_endpoint_state, m);
        }
    }
}
