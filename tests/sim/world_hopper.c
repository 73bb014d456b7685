/* world_hopper.c - the hopper: a list of row ids for each campaign, in order, as text once was. */
#include "tests/sim/world_int.h"

static void answer(struct world *w, handle to, uint16_t type, const void *msg)
{
    world_post(w, &w->hopper_way, US_PER_MS, KIND_HOPPER, to, type, msg);
}

static void push(struct camp *c, uint32_t row)
{
    if (c->hopper_to == c->hopper_room && c->hopper_from > 0) {
        for (uint32_t i = c->hopper_from; i < c->hopper_to; i++) {
            c->hopper[i - c->hopper_from] = c->hopper[i];
        }
        c->hopper_to -= c->hopper_from;
        c->hopper_from = 0;
    }
    c->hopper = world_room(c->hopper, &c->hopper_room, c->hopper_to, sizeof *c->hopper);
    c->hopper[c->hopper_to++] = row;
}

static void on_take(struct world *w, const struct msg_hopper_take *m)
{
    struct camp *c = world_camp(w, m->campaign);
    struct msg_hopper_taken out = {.campaign = m->campaign, .result = RESULT_OK};

    w->seen.hopper_takes++;
    if (w->hopper_up && world_dies(w, CRASH_take_before)) {
        return;
    }
    if (!w->hopper_up) {
        out.result = RESULT_AWAY;
        answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_hopper_taken, &out);
        return;
    }
    for (; out.rows < m->rows && c->hopper_from < c->hopper_to; out.rows++) {
        struct msg_hopper_row one = {m->campaign, c->hopper[c->hopper_from++]};

        answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_hopper_row, &one);
    }
    out.left = c->hopper_to - c->hopper_from;
    if (world_dies(w, CRASH_take_after)) {
        return;
    }
    answer(w, named(KIND_CAMPAIGN, m->campaign), MSG_hopper_taken, &out);
}

void hopper_receive(void *ctx, handle to, handle from, uint16_t type, const void *msg)
{
    struct world *w = ctx;
    struct camp *c;

    (void)to;
    (void)from;
    if (w->dying) {
        return;
    }
    switch (type) {
    case MSG_hopper_take:
        on_take(w, msg);
        break;
    case MSG_hopper_put: {
        const struct msg_hopper_put *m = msg;

        w->seen.hopper_puts++;
        if (w->hopper_up) {
            push(world_camp(w, m->campaign), (uint32_t)m->row);
        }
        break;
    }
    case MSG_hopper_clear:
        c = world_camp(w, ((const struct msg_hopper_clear *)msg)->campaign);
        if (w->hopper_up) {
            c->hopper_from = c->hopper_to = 0;
        }
        break;
    default:
        world_broken(w, "the hopper was sent a message of type %u", (unsigned)type);
        break;
    }
}

void world_hopper_up(struct world *w, bool up)
{
    struct msg_hopper_state m = {.up = up, .text = text_of(up ? "" : "connection refused")};

    w->hopper_up = up;
    answer(w, ADDR_DESK, MSG_hopper_state, &m);
}

void world_hopper_flush(struct world *w)
{
    for (uint32_t i = 0; i < w->n_camps; i++) {
        w->camps[i].hopper_from = w->camps[i].hopper_to = 0;
    }
}

void world_hopper_push(struct world *w, uint64_t campaign, uint64_t row)
{
    push(world_camp(w, campaign), (uint32_t)row);
}

uint32_t world_hopper_length(const struct world *w, uint64_t campaign)
{
    const struct camp *c = world_camp(w, campaign);

    return c->hopper_to - c->hopper_from;
}
