/*
 * send.c - from a message to a record in a bag: the classes of messages when the way is not free,
 * and what becomes of mail that has no receiver.
 */
#include "core/pool_internal.h"

#include "core/record.h"

#include <stdlib.h>

void dead_letter(struct sender *s, handle to, unsigned type)
{
    (void)to;
    (void)type;
    bump(&s->dead_letters, 1);
    if (s->metrics != NULL) {
        metric_add(s->metrics, "bus_no_receiver_total", NULL, 0, 1);
    }
}

static void mark_dirty(struct sender *s, struct way *w)
{
    if (!w->dirty) {
        w->dirty = true;
        s->dirty[s->n_dirty++] = w;
    }
}

/* The place of an older one of the same kind, or a free one, or NULL when the table is full. */
static struct latest *latest_find(struct way *w, handle to, handle from, uint16_t type)
{
    uint64_t h = rng_mix(to ^ rng_mix(from + type));

    if (w->latest == NULL) {
        w->latest = calloc(LATEST_SLOTS, sizeof *w->latest);
        if (w->latest == NULL) {
            return NULL;
        }
    }
    for (unsigned n = 0; n < 16; n++, h++) {
        struct latest *l = &w->latest[h % LATEST_SLOTS];
        if (l->to == HANDLE_NONE || (l->to == to && l->from == from && l->type == type)) {
            return l;
        }
    }
    return NULL;
}

/* The way is not free. Returns false when the message gives way to that; else *place is where to
 * remember it, or NULL. */
static bool give_way(struct sender *s, struct way *w, handle to, handle from, uint16_t type,
                     uint8_t policy, struct latest **place)
{
    struct latest *l;

    *place = NULL;
    if (policy == MESSAGE_MUST) {
        return true;
    }
    if (policy == MESSAGE_DROP) {
        bump(&s->shed, 1);
        return false;
    }
    l = latest_find(w, to, from, type);
    if (l != NULL) {
        if (l->to != HANDLE_NONE && link_void(w->link, l->place)) {
            bump(&s->shed, 1);
        }
        *l = (struct latest){to, from, type, {0, 0}};
    }
    *place = l;
    return true;
}

/* Nothing waits any more: what the table says has left. */
static void latest_forget(struct way *w)
{
    free(w->latest);
    w->latest = NULL;
}

int way_send(struct sender *s, struct way *w, handle to, handle from,
             const struct message_desc *desc, const void *msg)
{
    struct latest *place = NULL;
    const size_t bound = desc->bound(msg);
    uint8_t *p;
    uint8_t *end;

    if (bound > MESSAGE_MAX_BYTES) {
        if (s->metrics != NULL) {
            metric_add(s->metrics, "bus_too_long_total", desc->name, 0, 1);
        }
        return -1;
    }
    if (link_backlog(w->link) >= SHED_BACKLOG &&
        !give_way(s, w, to, from, desc->type, desc->policy, &place)) {
        return 0;
    }
    p = link_reserve(w->link, RECORD_HEAD + bound);
    end = desc->pack(msg, p + RECORD_HEAD);
    record_put(p, to, from, desc->type, (size_t)(end - p) - RECORD_HEAD);
    link_commit(w->link, end);
    bump(&s->records, 1);
    if (place != NULL) {
        place->place = link_last(w->link);
    }
    mark_dirty(s, w);
    return 0;
}

void way_forward(struct sender *s, struct way *w, handle to, handle from, unsigned type,
                 const uint8_t *map, size_t len)
{
    const uint16_t plain = (uint16_t)(type & RECORD_TYPE_MASK);
    const struct message_desc *desc = message_find(s->pool->config.catalogue, plain);
    struct latest *place = NULL;
    uint8_t *p;

    if (desc != NULL && link_backlog(w->link) >= SHED_BACKLOG &&
        !give_way(s, w, to, from, plain, desc->policy, &place)) {
        return;
    }
    p = link_reserve(w->link, RECORD_HEAD + len);
    record_put(p, to, from, type, len);
    if (len != 0) {
        memcpy(p + RECORD_HEAD, map, len);
    }
    link_commit(w->link, p + RECORD_HEAD + len);
    bump(&s->records, 1);
    if (place != NULL) {
        place->place = link_last(w->link);
    }
    mark_dirty(s, w);
}

void sender_flush(struct sender *s)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < s->n_dirty; i++) {
        struct way *w = s->dirty[i];
        if (link_has_open(w->link)) {
            link_flush(w->link);
            bump(&s->bags, 1);
        }
        if (link_backlog(w->link) != 0) {
            s->dirty[kept++] = w; /* looked at again until it is free */
            continue;
        }
        w->dirty = false;
        if (w->latest != NULL) {
            latest_forget(w);
        }
    }
    s->n_dirty = kept;
}

void sender_retry(struct sender *s)
{
    for (unsigned i = 0; i < s->n_dirty; i++) {
        if (link_backlog(s->dirty[i]->link) != 0) {
            link_retry(s->dirty[i]->link);
        }
    }
}

void sender_close(struct sender *s)
{
    for (unsigned i = 0; i < POOL_MAX_WORKERS; i++) {
        latest_forget(&s->to_worker[i]);
    }
    for (unsigned i = 0; i <= KIND_ENDPOINT_MAX; i++) {
        latest_forget(&s->to_endpoint[i]);
    }
}
