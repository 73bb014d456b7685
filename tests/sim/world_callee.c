/*
 * world_callee.c - the far ends: callees who answer, talk and hang up, and the agents' phones.
 */
#include "tests/sim/world_int.h"

#include <math.h>
#include <string.h>

#define SETUP_US (150 * US_PER_MS)
#define PHONE_US (800 * US_PER_MS)
#define TONE_US (200 * US_PER_MS)
#define MESSAGE_US (4 * US_PER_S)
/* The promise is 2 s; what Asterisk and the wire need on top. */
#define SERVED_US (2 * US_PER_S + 250 * US_PER_MS)

/* A later thing of one channel; void when the channel has ended by then. */
static void later(struct world *w, const struct chan *ch, double seconds,
                  void (*fn)(void *ctx, uint64_t arg))
{
    uint64_t index = (uint64_t)(ch - w->chans);

    sim_at(w->sim, (int64_t)(seconds * 1e6), fn, w, ch->serial << 24 | index);
}

static struct chan *still(struct world *w, uint64_t arg)
{
    struct chan *ch = &w->chans[arg & 0xffffffu];

    return ch->used && ch->serial == arg >> 24 ? ch : NULL;
}

static double draw_ring(struct world *w)
{
    double s = world_lognormal(w, 2, 10.0, 0.5);

    return s < 1.0 ? 1.0 : s > 25.0 ? 25.0 : s;
}

static struct callee draw(struct world *w)
{
    double u = world_unit(w, 2);
    struct callee c = {FATE_NO_ANSWER, 0, 0, 0};

    if (u < w->human) {
        c = (struct callee){FATE_HUMAN, draw_ring(w), world_lognormal(w, 2, w->talk_s, 1.0), 0};
    } else if (u < w->human + w->busy) {
        c = (struct callee){FATE_BUSY, 0.3, 0, 0};
    } else if (u < w->human + w->busy + w->bad) {
        c = (struct callee){FATE_BAD, 0.2, 0, 0};
    }
    return c;
}

/* --- customers ---------------------------------------------------------------------------- */

static void times_out(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL && ch->state <= CHAN_RINGING) {
        pbx_end(w, ch, 19, 480, true);
    }
}

static void rings(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL && ch->state == CHAN_DOWN) {
        ch->state = CHAN_RINGING;
        w->seen.ringing++;
        pbx_event(w, ch, MSG_channel_ringing);
    }
}

static void refuses(void *ctx, uint64_t arg)
{
    static const struct {
        uint16_t cause, tech;
    } words[] = {[FATE_BUSY] = {17, 486},
                 [FATE_BAD] = {1, 404},
                 [FATE_CONGESTION] = {34, 503},
                 [FATE_REJECTED] = {21, 603}};
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL) {
        pbx_end(w, ch, words[ch->callee.fate].cause, words[ch->callee.fate].tech, true);
    }
}

static void hangs_up(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL) {
        pbx_end(w, ch, ch->bridge != 0 ? 16 : 0, 0, true);
    }
}

static void loses_patience(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL && !ch->met) {
        hangs_up(ctx, arg);
    }
}

/* A call that was answered into a trouble of ours waits for its end, and then as long as any other.
 */
static void must_be_served(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);
    int64_t calm = world_calm_since(w);
    int64_t now = sim_now_us(w->sim);
    bool never = calm == INT64_MAX;
    int64_t limit;

    if (ch == NULL || ch->met || ch->played) {
        return;
    }
    calm = never ? now : calm;
    limit = (calm > ch->answered_us ? calm : ch->answered_us) + SERVED_US + 4 * w->pbx_us +
            2 * w->jitter_us;
    if (never || now < limit) {
        w->seen.downtime_waits += ch->waited ? 0 : 1u;
        ch->waited = true;
        later(w, ch, never ? 0.5 : (double)(limit - now) / 1e6, must_be_served);
        return;
    }
    w->seen.late_answers++;
    world_broken(w, "%s was answered and heard nobody for 2 s", ch->id);
}

static void looks_again(void *ctx, uint64_t arg)
{
    struct chan *ch = still(ctx, arg);

    if (ch != NULL && ch->state == CHAN_WAITING) {
        callee_answers(ctx, ch);
    }
}

static void dialplan_ends(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL) {
        see(w, &(struct judge_event){.kind = JUDGE_MESSAGE_END, .id = ch->id, .yes = true});
        pbx_end(w, ch, 16, 0, false);
    }
}

/* The dialplan of design.md section 6: into the application, else again after 0.5, 1.0 and 1.5 s,
 * else the message. */
void callee_answers(struct world *w, struct chan *ch)
{
    static const double again[] = {0.5, 1.0, 1.5};

    if (ch->tries == 0) {
        see(w, &(struct judge_event){.kind = JUDGE_ANSWER, .id = ch->id, .yes = w->held});
    }
    if (w->held) {
        ch->state = CHAN_APP;
        ch->answered_us = sim_now_us(w->sim);
        w->seen.answered++;
        pbx_event(w, ch, MSG_channel_answered);
        later(w, ch, (double)(SERVED_US + 4 * w->pbx_us + 2 * w->jitter_us) / 1e6, must_be_served);
        if (ch->callee.patience_s > 0) {
            later(w, ch, ch->callee.patience_s, loses_patience);
        }
    } else if (ch->tries < 3) {
        ch->state = CHAN_WAITING;
        later(w, ch, again[ch->tries++], looks_again);
    } else {
        ch->state = CHAN_MESSAGE;
        w->seen.messages++;
        see(w, &(struct judge_event){.kind = JUDGE_MESSAGE, .id = ch->id});
        later(w, ch, (double)MESSAGE_US / 1e6, dialplan_ends);
    }
}

static void answers(void *ctx, uint64_t arg)
{
    struct chan *ch = still(ctx, arg);

    if (ch != NULL && ch->state <= CHAN_RINGING) {
        callee_answers(ctx, ch);
    }
}

void callee_called(struct world *w, struct chan *ch)
{
    struct number *n = world_number_at(w, number_key(text_of(ch->number)));

    ch->callee = n->told ? n->callee : w->population ? draw(w) : w->callee;
    later(w, ch, ch->ring_s, times_out);
    if (ch->callee.fate != FATE_BUSY && ch->callee.fate != FATE_BAD) {
        later(w, ch, (double)SETUP_US / 1e6, rings);
    }
    if (ch->callee.fate == FATE_HUMAN) {
        later(w, ch, ch->callee.ring_s, answers);
    } else if (ch->callee.fate != FATE_NO_ANSWER) {
        later(w, ch, ch->callee.ring_s, refuses);
    }
}

void callee_talks(struct world *w, struct chan *ch)
{
    if (ch->callee.talk_s > 0) {
        later(w, ch, ch->callee.talk_s, hangs_up);
    }
}

static void sound_ends(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch != NULL) {
        if (ch->customer) {
            see(w, &(struct judge_event){.kind = JUDGE_MESSAGE_END, .id = ch->id, .yes = true});
        }
        pbx_playback_over(w, ch, text_of(ch->playback), true);
    }
}

void callee_hears(struct world *w, struct chan *ch)
{
    later(w, ch, (double)(ch->customer ? MESSAGE_US : TONE_US) / 1e6, sound_ends);
}

void world_press(struct world *w, const char *number, const char *key)
{
    struct chan *ch = pbx_customer(w, number);

    if (ch != NULL) {
        pbx_digit(w, ch, key);
    }
}

void world_customer_hangs_up(struct world *w, const char *number)
{
    struct chan *ch = pbx_customer(w, number);

    if (ch != NULL) {
        pbx_end(w, ch, ch->bridge != 0 ? 16 : 0, 0, true);
    }
}

void world_callees(struct world *w, struct callee callee)
{
    w->population = false;
    w->callee = callee;
}

void world_population(struct world *w, double human, double busy, double bad, double talk_s)
{
    w->population = true;
    w->human = human;
    w->busy = busy;
    w->bad = bad;
    w->talk_s = talk_s;
}

void world_callee(struct world *w, const char *number, struct callee callee)
{
    struct number *n = world_number_at(w, number_key(text_of(number)));

    n->told = true;
    n->callee = callee;
}

/* --- the agents' phones ------------------------------------------------------------------- */

static void phone_answers(void *ctx, uint64_t arg)
{
    struct world *w = ctx;
    struct chan *ch = still(w, arg);

    if (ch == NULL || ch->state > CHAN_RINGING) {
        return;
    }
    ch->state = CHAN_APP;
    if (w->held) {
        pbx_event(w, ch, MSG_channel_answered);
    } else {
        pbx_end(w, ch, 16, 0, false); /* an answer into an application nobody serves is cut */
    }
}

void phone_called(struct world *w, struct chan *ch)
{
    const struct person *p = world_person(w, ch->owner);

    later(w, ch, ch->ring_s, times_out);
    later(w, ch, (double)SETUP_US / 1e6, rings);
    if (p->phone_answers) {
        later(w, ch, (double)PHONE_US / 1e6, phone_answers);
    }
}

void world_phone_online(struct world *w, uint64_t agent, bool online)
{
    struct person *p = world_person(w, agent);

    p->phone_online = online;
    pbx_tell_phone(w, p);
}

void world_phone_answers(struct world *w, uint64_t agent, bool does)
{
    world_person(w, agent)->phone_answers = does;
}

void world_phone_drops(struct world *w, uint64_t agent)
{
    for (uint32_t i = 0; i < w->n_chans; i++) {
        if (w->chans[i].used && !w->chans[i].customer && w->chans[i].owner == agent) {
            pbx_end(w, &w->chans[i], 16, 0, true);
        }
    }
}

/* --- randomness --------------------------------------------------------------------------- */

double world_unit(struct world *w, unsigned stream)
{
    return (double)(sim_random(w->sim, stream) >> 11) * 0x1.0p-53;
}

double world_exp(struct world *w, unsigned stream, double mean)
{
    return -mean * log(1.0 - world_unit(w, stream));
}

double world_lognormal(struct world *w, unsigned stream, double mean, double sigma)
{
    double u = 1.0 - world_unit(w, stream);
    double z = sqrt(-2.0 * log(u)) * cos(6.283185307179586 * world_unit(w, stream));

    return mean * exp(sigma * z - sigma * sigma / 2.0);
}
