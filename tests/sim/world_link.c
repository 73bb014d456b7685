/*
 * world_link.c - the link to the Asterisk: lost, silent, slow, back, with a list of what lives; and
 * the commands on their way. They keep their order (world_pbx.c says what each does when it gets
 * there); those in flight when the link or the daemon goes arrive up to some, by chance.
 */
#include "actors/campaign.h" /* to look at, for P8 */
#include "tests/sim/world_int.h"

/* --- commands on their way ---------------------------------------------------------------- */

/* P8, by what the campaign could know when it sent this: the message may have been on its way. */
void pbx_check_agents(struct world *w, const struct msg_originate_call *m)
{
    const struct att *a = store_att(w, m->attempt);
    const struct campaign *c =
        a != NULL ? sim_state(w->sim, named(KIND_CAMPAIGN, a->campaign)) : NULL;
    const struct attempt *call = c != NULL ? attempt_find(c, m->attempt) : NULL;

    if (c == NULL || a->cause != CAUSE_AUTO) {
        return;
    }
    if (c->set.mode == MODE_PREVIEW) {
        if (call != NULL && !call->bound) {
            world_broken(w, "%s was dialed without its agent's word", a->id);
        }
    } else if (c->set.leg == LEG_PERMANENT && c->idle_length == 0 &&
               sim_now_us(w->sim) - world_camp(w, a->campaign)->idle_us > w->jitter_us) {
        world_broken(w, "%s was dialed with no agent available", a->id);
    }
}

static void arrives(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct wired *c = &w->wire[w->wire_from++];
    void *block = c->block;

    (void)arg;
    if (block != NULL) {
        c->block = NULL;
        pbx_take(w, c->type, block);
        free(block);
    }
}

/* true: the daemon is dead before it does. */
static bool leaves(struct world *w, uint16_t type, const void *msg)
{
    if (w->dying) {
        return true;
    }
    if (type == MSG_originate_call && world_dies(w, CRASH_originate_before)) {
        struct att *a = store_att(w, ((const struct msg_originate_call *)msg)->attempt);

        if (a != NULL) {
            a->noted = true;
        }
        return true;
    }
    return type == MSG_bridge_add && world_dies(w, CRASH_bridge_before);
}

static void note_leaving(struct world *w, uint16_t type, const void *msg)
{
    if (type == MSG_originate_call) {
        struct att *a = store_att(w, ((const struct msg_originate_call *)msg)->attempt);

        pbx_check_agents(w, msg);
        if (a != NULL) {
            a->noted = true;
        }
    } else if (type == MSG_originate_leg) {
        struct leg_row *l = store_leg(w, ((const struct msg_originate_leg *)msg)->leg);

        if (l != NULL) {
            l->sent = l->sent || l->live;
        }
    }
}

void pbx_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;
    const struct message_desc *d = message_find(&dialer_catalogue, type);
    void *block = malloc(message_bytes(d, msg));
    int64_t now = sim_now_us(w->sim);
    int64_t due = now + w->pbx_us / 2;

    (void)to;
    (void)from;
    if (block == NULL) {
        abort();
    }
    if (leaves(w, type, msg)) {
        free(block);
        return;
    }
    note_leaving(w, type, msg);
    if (!w->link && (type == MSG_originate_call || type == MSG_originate_leg)) {
        pbx_take(w, type, msg); /* the adapter refuses it: it has no way to send it */
        free(block);
        return;
    }
    if (type == MSG_list_again) { /* everybody is there; what lives is told soon */
        w->loaded = true;
        world_trouble(w, (double)(4 * w->pbx_us + 2 * w->jitter_us) / 1e6);
    }
    message_copy(d, msg, block);
    if (!w->link && type == MSG_hangup) { /* it waits for the list that tells who has answered */
        pile_keep(&w->again, type, block);
        free(block);
        return;
    }
    if (w->wire_from > 4096 && w->wire_from * 2 > w->wire_to) {
        for (uint32_t i = w->wire_from; i < w->wire_to; i++) {
            w->wire[i - w->wire_from] = w->wire[i];
        }
        w->wire_to -= w->wire_from;
        w->wire_from = 0;
    }
    due += w->jitter_us > 0 ? (int64_t)(world_unit(w, 5) * (double)w->jitter_us) : 0;
    due = due < w->stall_us ? w->stall_us : due;
    w->wire_due_us = due > w->wire_due_us ? due : w->wire_due_us;
    w->wire = world_room(w->wire, &w->room_wire, w->wire_to, sizeof *w->wire);
    w->wire[w->wire_to++] = (struct wired){w->wire_due_us, type, block};
    sim_at(w->sim, w->wire_due_us - now, arrives, w, 0);
    if (type == MSG_originate_call || type == MSG_bridge_add) {
        (void)world_dies(w, type == MSG_bridge_add ? CRASH_bridge_after : CRASH_originate_after);
    }
}

/* The adapter sends these once more when the link is back; most of the time: a few get too old. */
static bool goes_again(struct world *w, uint16_t type)
{
    bool harmless = type == MSG_bridge_create || type == MSG_bridge_add ||
                    type == MSG_bridge_destroy || type == MSG_hangup || type == MSG_music ||
                    type == MSG_mute;

    return harmless && world_unit(w, 6) < 0.8;
}

/* The way is broken: what is on it arrives up to some command. Nobody hears an answer: the adapter
 * says that it cannot know. */
static void wire_breaks(struct world *w, bool answer)
{
    uint32_t on_way = w->wire_to - w->wire_from;
    uint32_t good = (uint32_t)(world_unit(w, 6) * (double)(on_way + 1u));

    for (uint32_t i = w->wire_from; i < w->wire_to; i++) {
        struct wired *c = &w->wire[i];

        if (c->block == NULL) {
            continue;
        }
        if (answer && goes_again(w, c->type)) {
            pile_keep(&w->again, c->type, c->block);
        } else if (answer) {
            pbx_unanswered(w, c->type, c->block);
            pbx_said_already(c->type, c->block);
        }
        if (i - w->wire_from >= good) {
            free(c->block);
            c->block = NULL;
        }
    }
}

void wire_daemon_died(struct world *w)
{
    wire_breaks(w, false);
    pile_clear(&w->again, 0);
}

void wire_free(struct world *w)
{
    pile_clear(&w->again, 0);
    free(w->again.item);
    for (uint32_t i = w->wire_from; i < w->wire_to; i++) {
        free(w->wire[i].block);
    }
    free(w->wire);
}

/* --- the link ----------------------------------------------------------------------------- */

bool pbx_hears(const struct world *w)
{
    return w->alive && w->link && !w->deaf;
}

static void moved(struct world *w, enum pbx_state state, bool restarted)
{
    struct msg_pbx_moved m = {.pbx = WORLD_PBX,
                              .name = text_of("pbx"),
                              .state = (uint8_t)state,
                              .restarted = restarted,
                              .text = text_of(state == PBX_DOWN ? "connection lost" : "")};

    pbx_tell(w, ADDR_DESK, MSG_pbx_moved, &m);
}

/* Who has answered meanwhile is in the list: its owner decides again. */
static bool outdated(const struct world *w, const struct msg_hangup *m)
{
    char id[ID_SIZE];
    const struct chan *ch;

    text_keep(id, sizeof id, m->channel);
    ch = pbx_chan(w, id);
    return ch != NULL && ch->state >= CHAN_WAITING;
}

static void send_again(struct world *w, bool hangups)
{
    for (uint32_t i = 0; i < w->again.n; i++) {
        const uint16_t type = w->again.item[i].type;
        const void *msg = w->again.item[i].block;

        if ((type == MSG_hangup) == hangups && !(hangups && outdated(w, msg))) {
            pbx_receive(w, ADDR_ARI, HANDLE_NONE, type, msg);
        }
    }
}

/* Asked for and not answered yet: the adapter tells of it as of one that is there. */
static void tell_asked(struct world *w)
{
    for (uint32_t i = w->wire_from; i < w->wire_to; i++) {
        const struct wired *c = &w->wire[i];
        struct msg_channel_found m = {.pbx = WORLD_PBX, .bridge = text_of("")};

        if (c->block == NULL || (c->type != MSG_originate_call && c->type != MSG_originate_leg)) {
            continue;
        }
        m.channel = c->type == MSG_originate_call
                        ? ((const struct msg_originate_call *)c->block)->attempt
                        : ((const struct msg_originate_leg *)c->block)->leg;
        pbx_tell(w, ADDR_DESK, MSG_channel_found, &m);
    }
}

void pbx_connect(struct world *w, bool restarted)
{
    struct msg_pbx_listed listed = {.pbx = WORLD_PBX};
    const bool same_link = w->link;

    if (!w->alive) {
        return;
    }
    if (!w->link) {
        moved(w, PBX_CONNECTING, false);
    }
    if (!w->link || !w->held) {
        w->link = w->held = true;
        see(w, &(struct judge_event){.kind = JUDGE_HELD});
        world_trouble(w, (double)(4 * w->pbx_us + 2 * w->jitter_us) / 1e6);
    }
    moved(w, PBX_LISTING, restarted);
    if (world_dies(w, CRASH_adopt_before)) {
        return;
    }
    send_again(w, false);
    for (uint32_t i = 0; i < w->n_chans; i++) {
        const struct chan *ch = &w->chans[i];
        struct msg_channel_found m = {
            .pbx = WORLD_PBX,
            .channel = text_of(ch->id),
            .up = ch->state >= CHAN_WAITING,
            .in_app = ch->state == CHAN_APP,
            .bridge = text_of(ch->bridge != 0 ? w->bridges[ch->bridge - 1].id : "")};

        if (ch->used) {
            listed.channels++;
            pbx_tell(w, ADDR_DESK, MSG_channel_found, &m); /* in order with pbx_listed */
        }
    }
    if (same_link) {
        tell_asked(w);
    }
    pbx_tell(w, ADDR_DESK, MSG_pbx_listed, &listed);
    send_again(w, true);
    pile_clear(&w->again, 0);
    for (uint32_t i = 0; i < w->n_people; i++) {
        pbx_tell_phone(w, &w->people[i]);
    }
    moved(w, PBX_UP, restarted);
    (void)world_dies(w, CRASH_adopt_after);
}

/* We know that it is gone; whether Asterisk does is another question. */
static void lose(struct world *w, bool asterisk_knows)
{
    if (w->held && asterisk_knows) {
        w->held = false;
        see(w, &(struct judge_event){.kind = JUDGE_NOT_HELD});
    }
    if (w->link) {
        world_trouble(w, 0);
        wire_breaks(w, true);
        w->link = false;
        moved(w, PBX_DOWN, false);
    }
}

void pbx_disconnect(struct world *w)
{
    lose(w, true);
}

void world_pbx_up(struct world *w, bool up)
{
    if (up) {
        pbx_connect(w, false);
    } else {
        pbx_disconnect(w);
    }
}

/* The network eats everything, in both directions, and tells nobody. */
void world_link_deaf(struct world *w)
{
    w->deaf = true;
    world_trouble(w, 0);
}

/* The adapter has noticed. */
void world_link_noticed(struct world *w)
{
    if (w->deaf) {
        lose(w, false);
    }
}

void world_link_back(struct world *w)
{
    w->deaf = false;
    if (w->pbx_up && w->alive) {
        if (w->link) { /* it was short: nobody noticed, but what was said is lost with its socket */
            lose(w, false);
        }
        pbx_connect(w, w->seen_restart);
        w->seen_restart = false;
    }
}

/* Everything takes until then, and comes in order. */
void world_link_stalls(struct world *w, double seconds)
{
    w->stall_us = sim_now_us(w->sim) + MS(seconds * 1000.0);
    world_trouble(w, seconds);
}

void world_pbx_stops(struct world *w)
{
    w->pbx_up = false;
    lose(w, true);
    for (uint32_t i = 0; i < w->n_chans; i++) {
        if (w->chans[i].used) {
            pbx_forget(w, &w->chans[i]);
        }
    }
    for (uint32_t i = 0; i < w->n_bridges; i++) {
        if (w->bridges[i].used) {
            pbx_drop_bridge(w, &w->bridges[i]);
        }
    }
    see(w, &(struct judge_event){.kind = JUDGE_PBX_DOWN});
    w->seen_restart = w->alive;
}

void world_pbx_starts(struct world *w)
{
    w->pbx_up = true;
    see(w, &(struct judge_event){.kind = JUDGE_PBX_UP});
    if (!w->deaf) {
        world_link_back(w);
    }
}

static void back(void *ctx, uint64_t arg)
{
    (void)arg;
    world_pbx_starts(ctx);
}

void world_pbx_restarts(struct world *w, double seconds)
{
    world_pbx_stops(w);
    sim_at(w->sim, MS(seconds * 1000.0), back, w, 0);
}

void world_pbx_sound(struct world *w, bool present)
{
    w->sound = present;
}

void world_pbx_latency(struct world *w, double ms)
{
    w->pbx_us = MS(ms);
}

void pbx_check(struct world *w, const struct msg_channel_check *m)
{
    struct msg_channel_ended gone = {.pbx = m->pbx, .channel = m->channel};
    char id[ID_SIZE];

    text_keep(id, sizeof id, m->channel);
    if (w->link && pbx_chan(w, id) == NULL) {
        pbx_tell(w, pbx_owner(m->channel), MSG_channel_ended, &gone);
    }
}

void world_pbx_hides_ends(struct world *w, bool hides)
{
    w->hides_ends = hides;
}

void world_pbx_duplicates(struct world *w, double share)
{
    w->duplicates = share;
}

void world_next_originate_fails(struct world *w, uint8_t fate, bool carried_out)
{
    w->fail_next = true;
    w->fail_fate = fate;
    w->fail_carried_out = carried_out;
}
