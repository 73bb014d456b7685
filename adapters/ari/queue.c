/* queue.c - what is sent to one Asterisk, in which order and how fast. */
#include "adapters/ari/queue.h"

#define WINDOW_MIN 1.0
#define BREAKER_DOUBLINGS 4u

void queue_init(struct queue *q, const struct queue_config *config, int64_t now_us)
{
    *q = (struct queue){.config = *config, .refilled_us = now_us};
    struct queue_config *c = &q->config;
    c->control_cap = c->control_cap ? c->control_cap : 2;
    c->originate_cap = c->originate_cap ? c->originate_cap : 4;
    c->bridge_pile = c->bridge_pile ? c->bridge_pile : 10;
    c->slow_us = c->slow_us ? c->slow_us : 50 * US_PER_MS;
    c->bridge_slow_us = c->bridge_slow_us ? c->bridge_slow_us : 20 * US_PER_MS;
    c->wait_us = c->wait_us ? c->wait_us : 2 * US_PER_S;
    c->breaker_failures = c->breaker_failures ? c->breaker_failures : 5;
    c->late_us = c->late_us ? c->late_us : 2 * US_PER_S;
    c->breaker_us = c->breaker_us ? c->breaker_us : 500 * US_PER_MS;
    q->window = c->originate_cap < 4 ? c->originate_cap : 4;
    q->tokens = 1;
}

static void list_append(struct queue_list *l, struct queue_item *item)
{
    item->next = NULL;
    item->prev = l->tail;
    if (l->tail) {
        l->tail->next = item;
    } else {
        l->head = item;
    }
    l->tail = item;
    l->count++;
    item->waiting = true;
}

static void list_remove(struct queue_list *l, struct queue_item *item)
{
    if (item->prev) {
        item->prev->next = item->next;
    } else {
        l->head = item->next;
    }
    if (item->next) {
        item->next->prev = item->prev;
    } else {
        l->tail = item->prev;
    }
    item->prev = item->next = NULL;
    l->count--;
    item->waiting = false;
}

void queue_push(struct queue *q, struct queue_item *item, enum queue_priority priority,
                int64_t now_us)
{
    item->priority = priority;
    item->queued_us = now_us;
    item->sent_us = 0;
    list_append(&q->waiting[priority], item);
}

void queue_withdraw(struct queue *q, struct queue_item *item)
{
    list_remove(&q->waiting[item->priority], item);
}

/* A second's worth of calls may leave at once at most, so that a pause is not made up in a burst.
 */
static void refill(struct queue *q, int64_t now_us)
{
    double rate = q->config.calls_per_s;
    double most = rate > 10 ? rate / 10 : 1;
    q->tokens += rate * (double)(now_us - q->refilled_us) / 1e6;
    q->tokens = q->tokens < most ? q->tokens : most;
    q->refilled_us = now_us;
}

void queue_limits(struct queue *q, double calls_per_s, unsigned lines, int64_t now_us)
{
    refill(q, now_us);                         /* the time until now counts at the old rate */
    q->tokens = q->tokens > 0 ? q->tokens : 0; /* without a limit they were only spent */
    q->config.calls_per_s = calls_per_s;
    q->config.lines = lines;
}

bool queue_breaker_open(const struct queue *q, int64_t now_us)
{
    return q->open_until_us > now_us;
}

/* May an originate leave now? */
static bool originate_may_go(const struct queue *q, int64_t now_us)
{
    const struct queue_config *c = &q->config;
    if (q->held || q->waiting[QUEUE_BRIDGE].count > 0 || q->waiting[QUEUE_HANGUP].count > 0 ||
        q->bridges_flying >= c->bridge_pile) {
        return false;
    }
    if (q->open_until_us && (queue_breaker_open(q, now_us) || q->probing)) {
        return false;
    }
    if (q->originates_flying >= (unsigned)q->window) {
        return false;
    }
    if (c->lines > 0 && q->live + q->originates_flying >= c->lines) {
        return false;
    }
    return c->calls_per_s <= 0 || q->tokens >= 1;
}

static struct queue_item *take_from(struct queue *q, enum queue_priority priority, int64_t now_us)
{
    struct queue_item *item = q->waiting[priority].head;
    list_remove(&q->waiting[priority], item);
    item->sent_us = now_us;
    q->n_sent++;
    return item;
}

struct queue_item *queue_take(struct queue *q, int64_t now_us)
{
    refill(q, now_us);
    for (int priority = QUEUE_BRIDGE; priority <= QUEUE_HANGUP; priority++) {
        const bool waits = priority == QUEUE_HANGUP && q->away;
        if (!waits && q->waiting[priority].count > 0 && q->control_flying < q->config.control_cap) {
            q->control_flying++;
            q->bridges_flying += priority == QUEUE_BRIDGE ? 1u : 0u;
            return take_from(q, (enum queue_priority)priority, now_us);
        }
    }
    if (q->waiting[QUEUE_ORIGINATE].count == 0 || !originate_may_go(q, now_us)) {
        return NULL;
    }
    q->originates_flying++;
    q->tokens -= 1;
    q->probing = q->open_until_us != 0;
    return take_from(q, QUEUE_ORIGINATE, now_us);
}

/* The server is slow. One slow answer is followed by those that stood behind it: of what was sent
 * before the last halving nothing new is learnt. */
static void shrink(struct queue *q, const struct queue_item *item, int64_t now_us)
{
    if (item->sent_us >= q->shrunk_us) {
        q->window = q->window / 2 > WINDOW_MIN ? q->window / 2 : WINDOW_MIN;
        q->shrunk_us = now_us;
    }
}

static void follow_response_time(struct queue *q, const struct queue_item *item, int64_t now_us)
{
    if (now_us - item->sent_us > q->config.slow_us) {
        shrink(q, item, now_us);
    } else if (q->window < q->config.originate_cap) {
        q->window += 1 / q->window;
    }
}

/* One late answer is enough: what was sent behind it is late, too. */
static void follow_failures(struct queue *q, enum queue_result result, bool late, int64_t now_us)
{
    if (result == QUEUE_GOOD && !late) {
        q->failures = 0;
        q->open_until_us = 0;
        q->opened = 0;
        q->probing = false;
        return;
    }
    q->failures++;
    if (q->probing ||
        (q->open_until_us == 0 && (late || q->failures >= q->config.breaker_failures))) {
        q->open_until_us = now_us + (q->config.breaker_us << q->opened);
        q->opened += q->opened < BREAKER_DOUBLINGS ? 1u : 0u;
        q->probing = false;
        q->n_opened++;
    }
}

void queue_answered(struct queue *q, struct queue_item *item, enum queue_result result,
                    int64_t now_us)
{
    if (item->priority != QUEUE_ORIGINATE) {
        q->control_flying--;
        if (item->priority == QUEUE_BRIDGE) {
            q->bridges_flying--;
            if (now_us - item->sent_us > q->config.bridge_slow_us) {
                shrink(q, item, now_us); /* somebody who has answered is waiting */
            }
        }
        return;
    }
    q->originates_flying--;
    follow_response_time(q, item, now_us);
    follow_failures(q, result, now_us - item->sent_us > q->config.late_us, now_us);
}

struct queue_item *queue_shed(struct queue *q, int64_t now_us)
{
    struct queue_item *item = q->waiting[QUEUE_ORIGINATE].head;
    if (!item || now_us - item->queued_us < q->config.wait_us) {
        return NULL;
    }
    list_remove(&q->waiting[QUEUE_ORIGINATE], item);
    q->n_shed++;
    return item;
}

struct queue_item *queue_empty_one(struct queue *q)
{
    for (int priority = 0; priority < QUEUE_PRIORITIES; priority++) {
        struct queue_item *item = q->waiting[priority].head;
        if (item) {
            list_remove(&q->waiting[priority], item);
            return item;
        }
    }
    return NULL;
}

void queue_hold(struct queue *q, bool held)
{
    q->held = held;
}

void queue_away(struct queue *q, bool away)
{
    q->away = away;
}

void queue_set_live(struct queue *q, unsigned channels)
{
    q->live = channels;
}

int64_t queue_next_us(const struct queue *q, int64_t now_us)
{
    const struct queue_item *first = q->waiting[QUEUE_ORIGINATE].head;
    if (!first) {
        return INT64_MAX;
    }
    int64_t at = first->queued_us + q->config.wait_us;
    if (!q->held && q->config.calls_per_s > 0 && q->tokens < 1) {
        int64_t token =
            q->refilled_us + (int64_t)((1 - q->tokens) / q->config.calls_per_s * 1e6) + 1;
        at = token < at ? token : at;
    }
    if (queue_breaker_open(q, now_us) && q->open_until_us < at) {
        at = q->open_until_us;
    }
    return at > now_us ? at : now_us;
}
