/*
 * world_pbx.c - the Asterisk as the telephony adapter shows it: channels, bridges, the link. Facts
 * are those of ari/asterisk.md; here stand only the ones that an actor can notice.
 *
 * It is also the outside witness: an originate without its claim, more lines than the trunk has, a
 * number called too soon, two customers in one bridge break a promise at once.
 */
#include "tests/sim/world_int.h"

#include <string.h>

static uint64_t key_of(struct text id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < id.len; i++) {
        h = (h ^ (unsigned char)id.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return h != 0 ? h : 1u;
}

void pbx_tell(struct world *w, handle to, uint16_t type, const void *msg)
{
    int64_t wait = w->stall_us - sim_now_us(w->sim);

    world_post(w, &w->pbx_way, wait > w->pbx_us ? wait : w->pbx_us, KIND_ARI, to, type, msg);
}

/* Who an id of ours belongs to. */
handle pbx_owner(struct text id)
{
    struct channel_id parsed;
    enum id_class cls = id_parse(id, &parsed);

    return cls == ID_ATTEMPT ? named(KIND_CAMPAIGN, parsed.owner)
           : cls == ID_LEG   ? named(KIND_AGENT, parsed.owner)
                             : HANDLE_NONE;
}

struct chan *pbx_find(const struct world *w, struct text id)
{
    uint32_t i = table_get(&w->chan_of, key_of(id));

    return i != 0 ? &w->chans[i - 1] : NULL;
}

struct chan *pbx_chan(const struct world *w, const char *id)
{
    return pbx_find(w, text_of(id));
}

struct chan *pbx_customer(const struct world *w, const char *number)
{
    for (uint32_t i = 0; i < w->n_chans; i++) {
        if (w->chans[i].used && w->chans[i].customer && strcmp(w->chans[i].number, number) == 0) {
            return &w->chans[i];
        }
    }
    return NULL;
}

/* --- events ------------------------------------------------------------------------------- */

void pbx_event(struct world *w, const struct chan *ch, uint16_t type)
{
    handle to = pbx_owner(text_of(ch->id));
    unsigned times = world_unit(w, 3) < w->duplicates ? 2 : 1;
    struct msg_channel_answered m = {
        .pbx = WORLD_PBX, .channel = text_of(ch->id), .at_wall_ms = sim_wall_ms(w->sim)};

    if (type == MSG_channel_answered && pbx_hears(w) && world_dies(w, CRASH_answer_before)) {
        return;
    }
    for (unsigned i = 0; i < times && pbx_hears(w); i++) {
        if (type == MSG_channel_ringing) {
            struct msg_channel_ringing r = {m.pbx, m.channel, m.at_wall_ms};

            pbx_tell(w, to, type, &r);
        } else {
            pbx_tell(w, to, type, &m);
        }
    }
    if (type == MSG_channel_answered && pbx_hears(w)) {
        (void)world_dies(w, CRASH_answer_after);
    }
}

void pbx_digit(struct world *w, const struct chan *ch, const char *digit)
{
    struct msg_digit m = {.channel = text_of(ch->id), .digit = text_of(digit)};

    if (pbx_hears(w)) {
        pbx_tell(w, pbx_owner(m.channel), MSG_digit, &m);
    }
}

void pbx_playback_over(struct world *w, const struct chan *ch, struct text playback, bool ok)
{
    struct msg_playback_over m = {.channel = text_of(ch->id), .playback = playback, .ok = ok};

    if (pbx_hears(w)) {
        pbx_tell(w, pbx_owner(m.channel), MSG_playback_over, &m);
    }
}

void pbx_tell_phone(struct world *w, const struct person *p)
{
    struct msg_endpoint_state m = {
        .pbx = WORLD_PBX, .endpoint = p->config.endpoint, .online = p->phone_online};

    if (pbx_hears(w)) {
        pbx_tell(w, ADDR_DESK, MSG_endpoint_state, &m);
    }
}

/* --- channels and bridges ----------------------------------------------------------------- */

static struct chan *new_chan(struct world *w, struct text id, uint32_t ring_s)
{
    uint32_t i;

    if (w->n_free_chans > 0) {
        i = w->free_chans[--w->n_free_chans];
    } else {
        w->chans = world_room(w->chans, &w->room_chans, w->n_chans, sizeof *w->chans);
        i = w->n_chans++;
    }
    struct chan *ch = &w->chans[i];

    *ch = (struct chan){.used = true, .serial = ++w->serial, .ring_s = ring_s, .key = key_of(id)};
    text_keep(ch->id, sizeof ch->id, id);
    table_put(&w->chan_of, ch->key, i + 1u);
    return ch;
}

static void leave(struct world *w, struct chan *ch)
{
    if (ch->bridge != 0) {
        struct bridge *b = &w->bridges[ch->bridge - 1];

        see(w, &(struct judge_event){.kind = JUDGE_LEAVE, .id = ch->id, .text = b->id});
        b->members--;
        b->customers -= ch->customer ? 1u : 0u;
        ch->bridge = 0;
    }
}

void pbx_forget(struct world *w, struct chan *ch)
{
    uint32_t i = (uint32_t)(ch - w->chans);

    leave(w, ch);
    table_drop(&w->chan_of, ch->key);
    w->lines -= ch->customer ? 1u : 0u;
    w->seen.ended++;
    ch->used = false;
    ch->serial = 0;
    w->free_chans =
        world_room(w->free_chans, &w->room_free_chans, w->n_free_chans, sizeof *w->free_chans);
    w->free_chans[w->n_free_chans++] = i;
}

void pbx_end(struct world *w, struct chan *ch, uint16_t cause, uint16_t tech, bool far)
{
    struct msg_channel_ended m = {.pbx = WORLD_PBX,
                                  .channel = text_of(ch->id),
                                  .cause = cause,
                                  .tech_cause = tech,
                                  .at_wall_ms = sim_wall_ms(w->sim)};
    unsigned times = world_unit(w, 3) < w->duplicates ? 2 : 1;

    for (unsigned i = 0; i < times && pbx_hears(w) && !w->hides_ends; i++) {
        pbx_tell(w, pbx_owner(m.channel), MSG_channel_ended, &m);
    }
    see(w, &(struct judge_event){.kind = JUDGE_END, .id = ch->id, .yes = far});
    pbx_forget(w, ch);
}

struct bridge *pbx_bridge(const struct world *w, struct text id)
{
    uint32_t i = table_get(&w->bridge_of, key_of(id));

    return i != 0 ? &w->bridges[i - 1] : NULL;
}

static void on_bridge_create(struct world *w, const struct msg_bridge_create *m)
{
    uint32_t i;

    if (pbx_bridge(w, m->bridge) != NULL) {
        return; /* 409 */
    }
    if (w->n_free_bridges > 0) {
        i = w->free_bridges[--w->n_free_bridges];
    } else {
        w->bridges = world_room(w->bridges, &w->room_bridges, w->n_bridges, sizeof *w->bridges);
        i = w->n_bridges++;
    }
    w->bridges[i] = (struct bridge){.used = true};
    text_keep(w->bridges[i].id, sizeof w->bridges[i].id, m->bridge);
    table_put(&w->bridge_of, key_of(m->bridge), i + 1u);
}

void pbx_drop_bridge(struct world *w, struct bridge *b)
{
    uint32_t i = (uint32_t)(b - w->bridges);

    for (uint32_t k = 0; k < w->n_chans && b->members > 0; k++) {
        if (w->chans[k].used && w->chans[k].bridge == i + 1u) {
            leave(w, &w->chans[k]);
        }
    }
    table_drop(&w->bridge_of, key_of(text_of(b->id)));
    b->used = false;
    w->free_bridges = world_room(w->free_bridges, &w->room_free_bridges, w->n_free_bridges,
                                 sizeof *w->free_bridges);
    w->free_bridges[w->n_free_bridges++] = i;
}

/* 0, or the HTTP status of the refusal. */
static uint16_t cannot_join(const struct world *w, struct text channel)
{
    const struct chan *ch = pbx_find(w, channel);

    return ch == NULL ? 400 : ch->state == CHAN_APP ? 0 : 422;
}

static void join(struct world *w, struct bridge *b, struct text channel)
{
    struct chan *ch = pbx_find(w, channel);

    leave(w, ch);
    see(w, &(struct judge_event){.kind = JUDGE_ENTER, .id = ch->id, .text = b->id});
    ch->bridge = (uint32_t)(b - w->bridges) + 1u;
    b->members++;
    b->customers += ch->customer ? 1u : 0u;
    if (b->customers > 1) {
        world_broken_as(w, BROKEN_TWO_CALLS, "two customers in bridge %s", b->id);
    }
}

/* What was muted in the call before is heard in this one, unless there was no way to lift it. */
static void check_heard(struct world *w, uint32_t bridge)
{
    bool calm = world_calm_since(w) < sim_now_us(w->sim) - 6 * US_PER_S;

    for (uint32_t i = 0; i < w->n_chans && calm; i++) {
        const struct chan *ch = &w->chans[i];

        if (ch->used && !ch->customer && ch->bridge == bridge && ch->muted) {
            world_broken(w, "%s comes to a new customer muted", ch->id);
        }
    }
}

/* Who is in a bridge with somebody of the other side now. */
static void meet(struct world *w, struct bridge *b)
{
    uint32_t index = (uint32_t)(b - w->bridges) + 1u;

    if (b->customers == 0 || b->members == b->customers) {
        return;
    }
    for (uint32_t i = 0; i < w->n_chans; i++) {
        struct chan *ch = &w->chans[i];

        if (ch->used && ch->customer && ch->bridge == index && !ch->met) {
            ch->met = true;
            w->seen.bridged++;
            check_heard(w, index);
            callee_talks(w, ch);
        }
    }
}

static void on_bridge_add(struct world *w, const struct msg_bridge_add *m)
{
    struct bridge *b = pbx_bridge(w, m->bridge);
    struct msg_bridge_added out = {
        .pbx = m->pbx, .bridge = m->bridge, .channel = m->channel, .status = 204};

    if (!w->pbx_up || w->deaf) {
        pbx_unanswered(w, MSG_bridge_add, m);
        return;
    }
    if (b == NULL) {
        out.status = 404;
    } else {
        uint16_t first = cannot_join(w, m->channel);
        uint16_t second = m->channel2.len > 0 ? cannot_join(w, m->channel2) : 0;

        out.status = first != 0 ? first : second != 0 ? second : 204;
    }
    if (out.status == 204) {
        join(w, b, m->channel);
        if (m->channel2.len > 0) {
            join(w, b, m->channel2);
        }
        meet(w, b);
    }
    if (m->reply_to != HANDLE_NONE) {
        pbx_tell(w, m->reply_to, MSG_bridge_added, &out);
    }
}

/* --- originate ---------------------------------------------------------------------------- */

void pbx_refuse(struct world *w, struct text id, uint16_t status, uint8_t fate)
{
    struct msg_originate_failed m = {
        .pbx = WORLD_PBX, .channel = id, .status = status, .fate = fate, .text = text_of("")};

    pbx_tell(w, pbx_owner(id), MSG_originate_failed, &m);
}

/* Whoever asked hears that it cannot be known. */
void pbx_unanswered(struct world *w, uint16_t type, const void *msg)
{
    if (type == MSG_originate_call) {
        pbx_refuse(w, ((const struct msg_originate_call *)msg)->attempt, 0, 2);
    } else if (type == MSG_originate_leg) {
        pbx_refuse(w, ((const struct msg_originate_leg *)msg)->leg, 0, 2);
    } else if (type == MSG_bridge_add) {
        const struct msg_bridge_add *m = msg;
        struct msg_bridge_added out = {.pbx = m->pbx, .bridge = m->bridge, .channel = m->channel};

        if (m->reply_to != HANDLE_NONE) {
            pbx_tell(w, m->reply_to, MSG_bridge_added, &out);
        }
    } else {
        voice_unanswered(w, type, msg);
    }
}

/* R11: the same number again, not asked for by an agent. */
static void check_interval(struct world *w, const struct att *a)
{
    const struct camp *c = world_camp(w, a->campaign);

    for (uint32_t i = a->before; i != 0 && a->cause == CAUSE_AUTO; i = w->atts[i - 1].before) {
        const struct att *b = &w->atts[i - 1];

        if (!b->dialed || b->campaign != a->campaign) {
            continue;
        }
        if (b->live || sim_wall_ms(w->sim) - b->ended_ms < (int64_t)c->config.retry_s * MS_PER_S) {
            world_broken_as(w, BROKEN_TWICE, "%s calls a number %s called too short a time ago",
                            a->id, b->id);
        }
        break;
    }
}

static void count_originate(struct world *w)
{
    int64_t now = sim_now_us(w->sim);
    unsigned in_second = 0;

    w->seen.originates++;
    w->seen.last_originate_us = now;
    w->second_us[w->second_at++ % 256u] = now + 1;
    for (unsigned i = 0; i < 256; i++) {
        in_second += w->second_us[i] != 0 && w->second_us[i] > now - US_PER_S ? 1u : 0u;
    }
    if ((double)in_second > w->seen.originates_a_second_most) {
        w->seen.originates_a_second_most = in_second;
    }
    w->lines++;
    w->seen.lines_most = w->lines > w->seen.lines_most ? w->lines : w->seen.lines_most;
    if (w->lines > w->trunk.lines) {
        world_broken(w, "%u lines in use, the trunk has %u", w->lines, w->trunk.lines);
    }
}

static void on_originate_call(struct world *w, const struct msg_originate_call *m)
{
    struct att *a = store_att(w, m->attempt);

    if (a == NULL || !a->live || m->permit == 0 || m->permit != a->permit ||
        m->permit != store_permit(w, m->attempt, m->number)) {
        w->seen.unclaimed++;
        if (!w->forging) {
            world_broken(w, "originate of %.*s without its claim", (int)m->attempt.len,
                         m->attempt.ptr);
        }
        pbx_refuse(w, m->attempt, 0, 1);
        return;
    }
    if (a->dialed || pbx_find(w, m->attempt) != NULL) {
        world_broken_as(w, BROKEN_TWICE, "originate of %s was sent twice", a->id);
        return;
    }
    if (!w->link || !w->pbx_up || w->deaf) {
        pbx_refuse(w, m->attempt, 0, w->deaf ? 2 : 0);
        return;
    }
    check_interval(w, a);
    a->dialed = true;
    if (w->fail_next) {
        w->fail_next = false;
        pbx_refuse(w, m->attempt, w->fail_fate == 1 ? 500 : 0, w->fail_fate);
        if (w->fail_fate != 2 || !w->fail_carried_out) {
            a->dialed = w->fail_fate == 2;
            return;
        }
    }
    struct chan *ch = new_chan(w, m->attempt, m->ring_s);

    see(w, &(struct judge_event){.kind = JUDGE_ORIGINATE,
                                 .yes = true,
                                 .id = a->id,
                                 .number = w->rows[a->row - 1].number});
    ch->customer = true;
    ch->owner = a->campaign;
    text_keep(ch->number, sizeof ch->number, m->number);
    count_originate(w);
    callee_called(w, ch);
}

void world_pbx_legs_a_second(struct world *w, unsigned n)
{
    w->legs_a_second = n;
}

/* The queue of our side has no place for it. */
static bool shed(struct world *w, struct text leg)
{
    struct msg_originate_failed m = {
        .pbx = WORLD_PBX, .channel = leg, .text = text_of("waited too long"), .busy = true};
    int64_t second = sim_now_us(w->sim) / US_PER_S;

    if (second != w->legs_second) {
        w->legs_second = second;
        w->legs_now = 0;
    }
    if (w->legs_a_second == 0 || w->legs_now++ < w->legs_a_second) {
        return false;
    }
    pbx_tell(w, pbx_owner(leg), MSG_originate_failed, &m);
    return true;
}

static void on_originate_leg(struct world *w, const struct msg_originate_leg *m)
{
    const struct leg_row *l = store_leg(w, m->leg);
    const struct person *p = l != NULL ? world_person(w, l->agent) : NULL;

    if (l == NULL || !(l->live || l->sent) || m->permit == 0 ||
        m->permit != store_permit(w, m->leg, m->endpoint)) {
        world_broken(w, "originate of %.*s without its row", (int)m->leg.len, m->leg.ptr);
        return;
    }
    if (!w->link || !w->pbx_up || w->deaf) {
        pbx_refuse(w, m->leg, 0, w->deaf ? 2 : 0);
        return;
    }
    if (p == NULL || !p->phone_online) {
        pbx_refuse(w, m->leg, 500, 1);
        return;
    }
    if (shed(w, m->leg)) {
        return;
    }
    struct chan *ch = new_chan(w, m->leg, m->ring_s);

    ch->owner = l->agent;
    text_keep(ch->endpoint, sizeof ch->endpoint, m->endpoint);
    w->seen.legs++;
    phone_called(w, ch);
}

/* --- the endpoint ------------------------------------------------------------------------- */

static void on_hangup(struct world *w, const struct msg_hangup *m)
{
    struct chan *ch = pbx_find(w, m->channel);

    if (ch != NULL) {
        pbx_end(w, ch, 16, 0, false);
    }
}

static void on_watch(struct world *w, const struct msg_watch_endpoint *m)
{
    for (uint32_t i = 0; i < w->n_people; i++) {
        struct text own = w->people[i].config.endpoint;

        if (m->endpoint.len == own.len && memcmp(m->endpoint.ptr, own.ptr, own.len) == 0) {
            pbx_tell_phone(w, &w->people[i]);
        }
    }
}

/* A command is there. */
void pbx_take(struct world *w, uint16_t type, const void *msg)
{
    if ((!w->pbx_up || w->deaf) && type != MSG_originate_call && type != MSG_originate_leg) {
        pbx_unanswered(w, type, msg);
        return;
    }
    switch (type) {
    case MSG_originate_call:
        on_originate_call(w, msg);
        break;
    case MSG_originate_leg:
        on_originate_leg(w, msg);
        break;
    case MSG_bridge_add:
        on_bridge_add(w, msg);
        break;
    case MSG_watch_endpoint:
        on_watch(w, msg);
        break;
    case MSG_hangup:
        on_hangup(w, msg);
        break;
    case MSG_channel_check:
        pbx_check(w, msg);
        break;
    case MSG_list_again:
        if (w->link) {
            pbx_connect(w, false);
        }
        break;
    case MSG_bridge_create:
        on_bridge_create(w, msg);
        break;
    case MSG_bridge_destroy: {
        struct bridge *b = pbx_bridge(w, ((const struct msg_bridge_destroy *)msg)->bridge);

        if (b != NULL) {
            pbx_drop_bridge(w, b);
        }
        break;
    }
    default:
        if (voice_take(w, type, msg)) {
            break;
        }
        world_broken(w, "the telephony was sent a message of type %u", (unsigned)type);
        break;
    }
}

void world_forge_originate(struct world *w, const char *attempt, const char *number,
                           uint64_t permit)
{
    struct msg_originate_call m = {.attempt = text_of(attempt),
                                   .permit = permit,
                                   .pbx = WORLD_PBX,
                                   .endpoint = text_of("PJSIP/x@carrier"),
                                   .number = text_of(number),
                                   .context = text_of("dialer-customer,s"),
                                   .caller_id = text_of("+12125550100"),
                                   .message = text_of("sorry"),
                                   .ring_s = 30};

    w->forging = true;
    on_originate_call(w, &m);
    w->forging = false;
}

void pbx_free(struct world *w)
{
    free(w->chans);
    free(w->free_chans);
    free(w->bridges);
    free(w->free_bridges);
    free(w->chan_of.slots);
    free(w->bridge_of.slots);
}
