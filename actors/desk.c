#include "actors/desk.h"
#include "actors/agent.h"
#include "actors/campaign.h"
#include "actors/desk_int.h"
#include "actors/ids.h"
#include "actors/map.h"
#include "actors/messages.h"
#include "actors/trunk.h"
#include "actors/types.h"
#include "actors/words.h"

#include <string.h>

enum { TIMER_DRAINED = 1 };

/* --- making --------------------------------------------------------------------------------- */

static void *known(struct map *m, uint64_t id, size_t size, bool *made, struct effects *fx)
{
    struct map_slot *slot = map_put(m, id, made, fx);

    if (*made) {
        slot->value.ptr = fx_realloc(fx, NULL, size);
        memset(slot->value.ptr, 0, size);
    }
    return slot->value.ptr;
}

/* A newcomer hears how the world is, and so does who may have moved to another server: after its
 * configuration, because that says which server matters to it. */
static void brief(const struct desk *d, handle to, struct effects *fx)
{
    struct msg_store_state store = {
        .up = d->store_up, .clock_apart_ms = d->clock_apart_ms, .text = words_of("")};

    for (uint32_t i = 0; i < d->n_pbxs; i++) {
        struct msg_pbx_moved m = {.pbx = d->pbxs[i].pbx,
                                  .name = words_of(""),
                                  .state = d->pbxs[i].state,
                                  .text = words_of("")};

        fx_send(fx, to, MSG_pbx_moved, &m);
    }
    if (handle_kind(to) == KIND_CAMPAIGN) {
        fx_send(fx, to, MSG_store_state, &store);
        desk_mode_tell(d, to, fx);
    }
}

static void tell_work(struct desk *d, const struct known_agent *a, bool anew, struct effects *fx)
{
    struct map_slot *slot = map_find(&d->campaigns, a->campaign);
    struct known_campaign *c = slot ? slot->value.ptr : NULL;
    struct msg_work_in m = {.campaign = a->campaign,
                            .leg = c ? c->leg : LEG_ON_DEMAND,
                            .wrapup_s = c ? c->wrapup_s : 0,
                            .tone = words_of(c ? c->tone : ""),
                            .pbx = c ? c->pbx : 0,
                            .name = words_of(c ? c->name : ""),
                            .anew = anew};

    if (a->campaign == 0 || c) {
        fx_send(fx, named(KIND_AGENT, a->id), MSG_work_in, &m);
    }
}

static uint8_t leg_of(const struct msg_campaign_config *m)
{
    if (m->leg != LEG_AUTO) {
        return m->leg;
    }
    return m->mode == MODE_MANUAL ? LEG_ON_DEMAND : LEG_PERMANENT;
}

static void on_campaign(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_config *m = ev->msg;
    bool made;
    struct known_campaign *c = known(&d->campaigns, m->campaign, sizeof *c, &made, fx);
    bool anew = desk_comes_back(d, c, fx);
    struct msg_begin start = {.node = d->node, .seq = c->seq};

    c->id = m->campaign;
    c->leg = leg_of(m);
    c->wrapup_s = m->wrapup_s;
    c->pbx = m->pbx;
    words_keep(c->tone, sizeof c->tone, m->tone);
    words_keep(c->name, sizeof c->name, m->name);
    if (made || anew) {
        fx_spawn(fx, &campaign_actor, m->campaign, MSG_begin, &start);
    }
    fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_campaign_config, m);
    brief(d, named(KIND_CAMPAIGN, m->campaign), fx);
    for (uint32_t i = 0; i < d->agents.size; i++) {
        struct known_agent *a = d->agents.slots[i].value.ptr;

        if (d->agents.slots[i].key != 0 && a->campaign == m->campaign) {
            tell_work(d, a, anew, fx);
        }
    }
}

static void watch(const struct known_agent *a, struct effects *fx)
{
    struct msg_watch_endpoint m = {.pbx = a->pbx, .endpoint = words_of(a->endpoint)};

    if (a->endpoint[0] != 0) {
        fx_send(fx, ADDR_ARI, MSG_watch_endpoint, &m);
    }
}

static void on_agent(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_agent_config *m = ev->msg;
    bool made;
    struct known_agent *a = known(&d->agents, m->agent, sizeof *a, &made, fx);

    a->id = m->agent;
    if (made || m->campaign != a->assigned) { /* moved by a supervisor */
        a->campaign = m->campaign;
    }
    a->assigned = m->campaign;
    a->pbx = m->pbx;
    words_keep(a->endpoint, sizeof a->endpoint, m->endpoint);
    a->endpoint_hash = map_hash(words_of(a->endpoint));
    if (made) {
        fx_spawn(fx, &agent_actor, m->agent, 0, NULL);
    }
    fx_send(fx, named(KIND_AGENT, m->agent), MSG_agent_config, m);
    brief(d, named(KIND_AGENT, m->agent), fx);
    tell_work(d, a, false, fx);
    watch(a, fx);
}

static uint64_t member_key(uint64_t agent, uint64_t campaign)
{
    return agent << 32 | (campaign & 0xffffffffu);
}

static void on_member(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_member *m = ev->msg;
    bool made;

    map_put(&d->members, member_key(m->agent, m->campaign), &made, fx);
}

static void on_choose(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_choose_campaign *m = ev->msg;
    struct map_slot *slot = map_find(&d->agents, m->agent);
    bool may = slot && map_find(&d->members, member_key(m->agent, m->campaign)) &&
               map_find(&d->campaigns, m->campaign);
    struct msg_campaign_chosen r = {.campaign = m->campaign,
                                    .client = m->client,
                                    .request = m->request,
                                    .result = may ? RESULT_OK : RESULT_REFUSED};

    if (may) {
        struct known_agent *a = slot->value.ptr;

        a->campaign = m->campaign;
        tell_work(d, a, false, fx);
    }
    fx_send(fx, named(KIND_AGENT, m->agent), MSG_campaign_chosen, &r);
}

static void on_trunk(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_trunk_config *m = ev->msg;
    bool made;

    map_put(&d->trunks, m->trunk, &made, fx);
    if (made) {
        fx_spawn(fx, &trunk_actor, m->trunk, 0, NULL);
    }
    fx_send(fx, named(KIND_TRUNK, m->trunk), MSG_trunk_config, m);
    if (m->endpoint.len > 0) {
        /* calls from before a restart must be heard before the first new one goes out */
        struct msg_watch_endpoint w = {.pbx = m->pbx, .endpoint = m->endpoint};
        fx_send(fx, ADDR_ARI, MSG_watch_endpoint, &w);
    }
    brief(d, named(KIND_TRUNK, m->trunk), fx);
}

/* --- passing on ------------------------------------------------------------------------------- */

void desk_to_each(const struct map *m, unsigned kind, uint16_t type, const void *msg,
                  struct effects *fx)
{
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->slots[i].key != 0) {
            fx_send(fx, named(kind, m->slots[i].key), type, msg);
        }
    }
}

/* One line of /readyz. */
static void tell_ready(const char *name, bool ready, struct text why, struct effects *fx)
{
    const struct msg_readiness m = {
        .name = words_of(name), .ready = ready, .text = ready ? words_of("") : why};

    fx_send(fx, ADDR_WEB, MSG_readiness, &m);
    fx_send(fx, ADDR_CTL, MSG_readiness, &m);
}

static void on_store(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_store_state *m = ev->msg;

    if (d->store_up != m->up) {
        fx_log(fx, m->up ? 1 : 2, "DLR-STORE", m->up ? "the store is there" : "the store is away",
               0, 0, 0);
    }
    d->store_up = m->up;
    d->clock_apart_ms = m->clock_apart_ms;
    for (uint32_t i = 0; i < d->campaigns.size; i++) {
        struct known_campaign *c = d->campaigns.slots[i].value.ptr;

        if (d->campaigns.slots[i].key != 0) { /* each tells when it has none; a parked one has */
            c->rides = !m->up && c->life == LIFE_GOES_ON;
        }
    }
    desk_to_each(&d->campaigns, KIND_CAMPAIGN, MSG_store_state, m, fx);
    tell_ready("store", m->up, m->text, fx);
    desk_alarm(d, ALARM_store_away, 0, !m->up, m->text, ev, fx);
    desk_alarm(d, ALARM_clocks_apart, 0, clocks_apart(m->clock_apart_ms),
               words_of(reason_sentence(REASON_clock_apart)), ev, fx);
    desk_mode_look(d, ev, fx);
}

static void on_hopper(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_hopper_state *m = ev->msg;

    tell_ready("hopper", m->up, m->text, fx);
    desk_alarm(d, ALARM_hopper_away, 0, !m->up, m->text, ev, fx);
}

static void on_loaded(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_loaded *m = ev->msg;
    struct msg_list_again again = {.node = m->node};

    if (m->kind == 0 && m->result == RESULT_OK) {
        /* the servers may have been listed before anybody was there to hear it */
        d->known = true;
        fx_send(fx, ADDR_ARI, MSG_list_again, &again);
    }
    if (m->kind == 0) {
        d->loaded = m->result == RESULT_OK;
        desk_alarm(d, ALARM_config_unread, 0, !d->loaded, words_of("it could not be read"), ev, fx);
        desk_mode_look(d, ev, fx);
    }
    if (m->kind == KIND_CAMPAIGN) {
        desk_is_back(d, m, ev, fx);
    }
    if (m->kind == 0 && !d->draining) {
        tell_ready("configuration", m->result == RESULT_OK, words_of("it could not be read"), fx);
    }
}

static void on_suppressed(struct desk *d, const struct event *ev, struct effects *fx)
{
    desk_to_each(&d->campaigns, KIND_CAMPAIGN, MSG_suppressed, ev->msg, fx);
}

static void on_list_changed(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_list_changed *m = ev->msg;

    if (map_find(&d->campaigns, m->campaign)) {
        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_list_changed, m);
    }
}

/* --- begin and end ---------------------------------------------------------------------------- */

void desk_load(uint8_t kind, uint64_t id, struct effects *fx)
{
    struct msg_load m = {.kind = kind, .id = id};

    fx_send(fx, ADDR_STORE, MSG_load, &m);
}

static void on_start(struct desk *d, const struct event *ev, struct effects *fx)
{
    desk_alarm_begin(ev, fx);
    desk_mode_begin(d, ev, fx);
    /* or hopper and Asterisk, which are quicker, would be all that /readyz knows of */
    tell_ready("store", false, words_of("it is being opened"), fx);
    tell_ready("configuration", false, words_of("it has not been read yet"), fx);
}

static void on_begin(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_begin *m = ev->msg;

    d->node = m->node;
    d->store_up = true;
    desk_alarm(d, ALARM_store_away, 0, false, words_of(""), ev, fx);
    tell_ready("store", true, words_of(""), fx);
    tell_ready("configuration", false, words_of("it is being read"), fx);
    desk_load(0, 0, fx);
}

static void on_changed(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_changed *m = ev->msg;

    (void)d;
    desk_load(m->kind, m->id, fx);
}

static void finish_drain(struct desk *d, uint32_t ringing, struct effects *fx)
{
    struct msg_drained m = {.ringing = ringing};

    if (!d->drained) {
        d->drained = true;
        fx_send(fx, ADDR_CTL, MSG_drained, &m);
    }
}

static void on_drain(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_drain *m = ev->msg;

    d->draining = true;
    desk_mode_look(d, ev, fx);
    tell_ready("configuration", false, words_of("the daemon is being stopped"), fx);
    desk_to_each(&d->campaigns, KIND_CAMPAIGN, MSG_drain, m, fx);
    if (d->campaigns.used == 0) {
        finish_drain(d, 0, fx);
    } else if (d->drain_timer == 0) {
        d->drain_timer = fx_arm(fx, (int64_t)m->drain_ms * US_PER_MS, TIMER_DRAINED, 0);
    }
}

static uint32_t still_loud(const struct desk *d)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->campaigns.size; i++) {
        const struct known_campaign *c = d->campaigns.slots[i].value.ptr;

        n += d->campaigns.slots[i].key != 0 && !c->quiet ? 1u : 0u;
    }
    return n;
}

static void on_quiet(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_campaign_quiet *m = ev->msg;
    struct map_slot *slot = map_find(&d->campaigns, m->campaign);

    if (slot) {
        ((struct known_campaign *)slot->value.ptr)->quiet = true;
    }
    if (d->draining && still_loud(d) == 0) {
        finish_drain(d, 0, fx);
    }
}

static void on_timer(struct desk *d, const struct event *ev, struct effects *fx)
{
    (void)ev;
    d->drain_timer = 0;
    finish_drain(d, still_loud(d), fx);
}

/* The store's answers to a load pass through to the actor they are about. */
static void pass_attempt(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_open_attempt *m = ev->msg;

    /* Of an actor that goes on the store tells what it knows better: one that has just ended would
     * seem to be open. */
    if (!d->known || desk_is_coming(d, m->campaign)) {
        fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_open_attempt, m);
    }
}

static void pass_open_agent(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_open_agent *m = ev->msg;

    (void)d;
    fx_send(fx, named(KIND_AGENT, m->agent), MSG_open_agent, m);
}

static void pass_leg(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_open_leg *m = ev->msg;

    (void)d;
    fx_send(fx, named(KIND_AGENT, m->agent), MSG_open_leg, m);
}

static void pass_window(struct desk *d, const struct event *ev, struct effects *fx)
{
    const struct msg_abandon_window *m = ev->msg;

    (void)d;
    fx_send(fx, named(KIND_CAMPAIGN, m->campaign), MSG_abandon_window, m);
}

static const struct {
    uint16_t type;
    void (*handle)(struct desk *d, const struct event *ev, struct effects *fx);
} handlers[] = {
    {EV_START, on_start},
    {EV_TIMER, on_timer},
    {MSG_begin, on_begin},
    {MSG_changed, on_changed},
    {MSG_campaign_config, on_campaign},
    {MSG_agent_config, on_agent},
    {MSG_trunk_config, on_trunk},
    {MSG_member, on_member},
    {MSG_choose_campaign, on_choose},
    {MSG_open_attempt, pass_attempt},
    {MSG_open_leg, pass_leg},
    {MSG_open_agent, pass_open_agent},
    {MSG_abandon_window, pass_window},
    {MSG_pbx_moved, desk_on_pbx},
    {MSG_pbx_retake, desk_on_retake},
    {MSG_channel_found, desk_on_found},
    {MSG_pbx_listed, desk_on_listed},
    {MSG_endpoint_state, desk_on_endpoint},
    {MSG_store_state, on_store},
    {MSG_journal_state, desk_on_journal},
    {MSG_claims_left, desk_on_claims_left},
    {MSG_alarm, desk_on_alarm},
    {MSG_hopper_state, on_hopper},
    {MSG_loaded, on_loaded},
    {MSG_suppressed, on_suppressed},
    {MSG_list_changed, on_list_changed},
    {MSG_campaign_switch, desk_on_switch},
    {MSG_explain_campaign, desk_on_explain},
    {MSG_drain, on_drain},
    {MSG_campaign_quiet, on_quiet},
};

static void step(void *self, const struct event *ev, struct effects *fx)
{
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == ev->type) {
            handlers[i].handle(self, ev, fx);
            return;
        }
    }
}

static void forget(struct map *m)
{
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->slots[i].key != 0) {
            fx_realloc(NULL, m->slots[i].value.ptr, 0);
        }
    }
    map_free(m, NULL);
}

static void fini(void *self)
{
    struct desk *d = self;

    forget(&d->campaigns);
    forget(&d->agents);
    map_free(&d->trunks, NULL);
    map_free(&d->members, NULL);
}

const struct actor_type desk_actor = {
    .name = "desk",
    .kind = KIND_DESK,
    .state_size = sizeof(struct desk),
    .step = step,
    .fini = fini,
};
