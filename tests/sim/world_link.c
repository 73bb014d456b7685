/* world_link.c - the link to the Asterisk: lost, back, with a list of what lives; and its knobs. */
#include "tests/sim/world_int.h"

static void moved(struct world *w, enum pbx_state state, bool restarted)
{
    struct msg_pbx_moved m = {.pbx = WORLD_PBX,
                              .name = text_of("pbx"),
                              .state = (uint8_t)state,
                              .restarted = restarted,
                              .text = text_of(state == PBX_DOWN ? "connection lost" : "")};

    pbx_tell(w, ADDR_DESK, MSG_pbx_moved, &m);
}

void pbx_connect(struct world *w, bool restarted)
{
    struct msg_pbx_listed listed = {.pbx = WORLD_PBX};

    if (!w->link) {
        moved(w, PBX_CONNECTING, false);
        w->link_since_us = sim_now_us(w->sim);
    }
    w->link = true;
    moved(w, PBX_LISTING, restarted);
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
    pbx_tell(w, ADDR_DESK, MSG_pbx_listed, &listed);
    for (uint32_t i = 0; i < w->n_people; i++) {
        pbx_tell_phone(w, &w->people[i]);
    }
    moved(w, PBX_UP, restarted);
}

void pbx_disconnect(struct world *w)
{
    if (w->link) {
        w->link = false;
        moved(w, PBX_DOWN, false);
    }
}

void world_pbx_up(struct world *w, bool up)
{
    if (up) {
        pbx_connect(w, false);
    } else {
        pbx_disconnect(w);
    }
}

static void back(void *ctx, uint64_t arg)
{
    (void)arg;
    pbx_connect(ctx, true);
}

void world_pbx_restarts(struct world *w, double seconds)
{
    pbx_disconnect(w);
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
