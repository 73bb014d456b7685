/*
 * memory.c - the hopper inside the process.
 */
#include "adapters/hopper/hopper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t hopper_id(const char *text, size_t len)
{
    uint64_t id = 0;
    size_t i;

    if (len == 0 || len > 18 || text[0] == '0')
        return 0;
    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        id = id * 10 + (uint64_t)(text[i] - '0');
    }
    return id;
}

/* A ring for each campaign; a site has few campaigns, so they stand in a plain array. */
struct list {
    uint64_t campaign;
    uint64_t *rows;
    uint32_t head, n, size;
};

struct memory {
    struct hopper base; /* first */
    struct list *lists;
    size_t n;
    bool told;
};

static struct memory *of(struct hopper *h)
{
    return (struct memory *)h;
}

static struct list *find(struct memory *m, uint64_t campaign)
{
    struct list *grown;
    size_t i;

    for (i = 0; i < m->n; i++)
        if (m->lists[i].campaign == campaign)
            return &m->lists[i];
    grown = realloc(m->lists, (m->n + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    m->lists = grown;
    m->lists[m->n] = (struct list){.campaign = campaign};
    return &m->lists[m->n++];
}

static bool grow(struct list *l)
{
    uint32_t size = l->size ? l->size * 2 : 64, i;
    uint64_t *rows = malloc(size * sizeof *rows);

    if (!rows)
        return false;
    for (i = 0; i < l->n; i++)
        rows[i] = l->rows[(l->head + i) % l->size];
    free(l->rows);
    l->rows = rows;
    l->head = 0;
    l->size = size;
    return true;
}

static void put(struct hopper *h, uint64_t campaign, uint64_t row)
{
    struct list *l = find(of(h), campaign);

    /* Without memory the row is not in the hopper: the next refill brings it. */
    if (!l || row == 0 || (l->n == l->size && !grow(l)))
        return;
    l->rows[(l->head + l->n++) % l->size] = row;
}

static void take(struct hopper *h, uint64_t campaign, uint32_t rows)
{
    struct list *l = find(of(h), campaign);
    uint32_t n = 0;

    if (rows > HOPPER_TAKE_MAX)
        rows = HOPPER_TAKE_MAX;
    while (l && l->n > 0 && n < rows) {
        uint64_t row = l->rows[l->head];
        l->head = (l->head + 1) % l->size;
        l->n--;
        n++;
        h->events.row(h->events.ctx, campaign, row);
    }
    h->events.taken(h->events.ctx, campaign, n, l ? l->n : 0, 0, true);
}

static void clear(struct hopper *h, uint64_t campaign)
{
    struct list *l = find(of(h), campaign);

    if (l)
        l->n = 0;
}

static int fd(const struct hopper *h)
{
    (void)h;
    return -1;
}

static short wants(const struct hopper *h)
{
    (void)h;
    return 0;
}

static int64_t until_us(const struct hopper *h)
{
    return ((const struct memory *)h)->told ? INT64_MAX : 0;
}

static void handle_time(struct hopper *h, short found, int64_t now_us)
{
    (void)found;
    (void)now_us;
    if (of(h)->told)
        return;
    of(h)->told = true;
    h->events.state(h->events.ctx, true, "");
}

static void close_memory(struct hopper *h)
{
    size_t i;

    if (!h)
        return;
    for (i = 0; i < of(h)->n; i++)
        free(of(h)->lists[i].rows);
    free(of(h)->lists);
    free(h);
}

static const struct hopper_ops ops = {
    .close = close_memory,
    .put = put,
    .take = take,
    .clear = clear,
    .fd = fd,
    .wants = wants,
    .until_us = until_us,
    .handle = handle_time,
};

static struct hopper *make(const struct hopper_options *options, const struct hopper_events *events,
                           char *why, size_t why_size)
{
    struct memory *m = calloc(1, sizeof *m);

    (void)options;
    if (!m) {
        snprintf(why, why_size, "out of memory");
        return NULL;
    }
    m->base.ops = &ops;
    m->base.events = *events;
    return &m->base;
}

const struct hopper_driver hopper_memory = {"memory", make};
