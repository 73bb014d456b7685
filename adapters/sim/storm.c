// An event storm: what a server tells beside what is new. For so long, so many events a second, all
// of them true: calls of somebody else on the trunk, from dialing to their end; live channels'
// present state, once more (Asterisk repeats itself); a phone that is registered, still.
#include <stdio.h>

#include "adapters/sim/model.h"

enum { STEP_US = 5000 };

// Somebody else's call: four events, then it is the next one's turn. Asterisk's own ids.
static void foreign(struct pbx *pbx, struct chan *c)
{
    static const char *const said[] = {"", "RINGING", "ANSWER"};
    struct storm *s = &pbx->storm;
    const uint64_t before = pbx->events;
    const unsigned long long call = s->turns / 4;
    const unsigned turn = (unsigned)(s->turns++ % 4);
    (void)snprintf(c->id, sizeof c->id, "1700000000.%llu", call);
    c->state = turn < 1 ? CHAN_DOWN : turn < 3 ? CHAN_RINGING : CHAN_UP;
    if (turn < 3)
        ev_dial(c, said[turn], "", NULL);
    else
        ev_destroyed(c, NORMAL_CLEARING, 0);
    s->foreign += pbx->events - before;
}

static void again(struct pbx *pbx, struct chan *c)
{
    if (c->state == CHAN_RINGING)
        ev_dial(c, "RINGING", "", NULL);
    else if (c->state == CHAN_UP && c->stasis != NULL && c->stasis->client != NULL &&
             (pbx->events & 1) != 0)
        ev_stasis_start(c, c->stasis, c->stasis_args, NULL);
    else if (c->state == CHAN_UP && c->dialed)
        ev_dial(c, "ANSWER", "", NULL);
}

static void step(void *owner)
{
    struct pbx *pbx = owner;
    struct storm *s = &pbx->storm;
    if (pbx->now_us >= s->until_us)
        return;
    pbx_at(pbx, &s->task, STEP_US);
    struct endpoint *trunk = pbx->endpoints, *phone = pbx->endpoints;
    while (trunk != NULL && !trunk->trunk)
        trunk = trunk->next;
    while (phone != NULL && (phone->trunk || !phone->registered))
        phone = phone->next;
    struct chan other = {.pbx = pbx, .endpoint = trunk, .origin = BY_INBOUND};
    const double due = s->rate * (double)(pbx->now_us - s->from_us) / 1e6;
    struct chan *next = pbx->channels;
    uint64_t before = pbx->events;
    while ((double)s->sent < due) {
        const uint64_t round = pbx->events;
        if (trunk != NULL)
            foreign(pbx, &other);
        if (next != NULL) {
            again(pbx, next);
            next = next->next;
        } else {
            next = pbx->channels;
            if (phone != NULL)
                ev_contact(pbx, phone);
        }
        if (pbx->events == round)
            break; // nobody listens
        s->sent += pbx->events - before;
        before = pbx->events;
    }
}

void pbx_storm(struct pbx *pbx, double rate, int64_t us)
{
    struct storm *s = &pbx->storm;
    sched_cancel(&pbx->sched, &s->task);
    *s = (struct storm){.rate = rate, .from_us = pbx->now_us, .until_us = pbx->now_us + us};
    s->task = (struct task){.run = step, .owner = pbx};
    pbx_at(pbx, &s->task, 0);
}
