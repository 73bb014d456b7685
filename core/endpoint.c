/* endpoint.c - the adapters' side of the bus. */
#include "core/endpoint.h"

#include "core/log.h"
#include "core/pool_internal.h"
#include "core/record.h"

#include <stdlib.h>

static void wake_adapter(void *ctx)
{
    struct endpoint *ep = ctx;

    ep->wake(ep->ctx);
}

struct endpoint *endpoint_open(struct pool *pool, unsigned kind, void (*wake)(void *ctx), void *ctx)
{
    struct endpoint *ep;

    if (kind == 0 || kind > KIND_ENDPOINT_MAX || pool->endpoints[kind] != NULL || pool->started) {
        return NULL;
    }
    ep = aligned_alloc(64, (sizeof *ep + 63) / 64 * 64);
    if (ep == NULL) {
        return NULL;
    }
    memset(ep, 0, sizeof *ep);
    ep->out.pool = pool;
    ep->kind = kind;
    ep->wake = wake;
    ep->ctx = ctx;
    ep->scratch = malloc(pool->scratch_bytes);
    ep->out.station = station_open(pool->bus, wake_adapter, ep);
    ep->out.metrics = pool->config.metrics != NULL ? metrics_set(pool->config.metrics) : NULL;
    if (ep->scratch == NULL || ep->out.station == NULL) {
        free(ep->scratch);
        free(ep);
        return NULL;
    }
    (void)station_arm(ep->out.station);
    pool->endpoints[kind] = ep;
    return ep;
}

/* --- sending --------------------------------------------------------------------------------- */

int endpoint_send_as(struct endpoint *ep, handle from, handle to, uint16_t type, const void *msg)
{
    struct pool *pool = ep->out.pool;
    const struct message_desc *desc = message_find(pool->config.catalogue, type);
    struct slot *slot = NULL;
    struct way *way;

    if (handle_is_named(to) && handle_kind(to) <= KIND_ENDPOINT_MAX) {
        way = pool->endpoints[handle_kind(to)] != NULL
                  ? &ep->out.to_worker[handle_kind(to) % pool->n_workers]
                  : NULL; /* to another endpoint by way of a worker */
    } else {
        if (handle_is_named(to)) {
            to = names_get(pool->names, to);
        }
        /* always through the same worker: see move.c */
        way = pool_home(pool, to, &slot) != NO_HOME
                  ? &ep->out.to_worker[slot_index(to) % pool->n_workers]
                  : NULL;
    }
    if (desc == NULL || way == NULL || way->link == NULL) {
        dead_letter(&ep->out, to, type);
        return -1;
    }
    return way_send(&ep->out, way, to, from, desc, msg);
}

int endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg)
{
    return endpoint_send_as(ep, named(ep->kind, 0), to, type, msg);
}

void endpoint_flush(struct endpoint *ep)
{
    sender_flush(&ep->out);
    sender_retry(&ep->out);
}

bool endpoint_exists(const struct endpoint *ep, handle name)
{
    if (handle_is_named(name) && handle_kind(name) <= KIND_ENDPOINT_MAX) {
        return ep->out.pool->endpoints[handle_kind(name)] != NULL;
    }
    return names_get(ep->out.pool->names, name) != HANDLE_NONE;
}

/* --- receiving ------------------------------------------------------------------------------- */

static bool deliver(struct endpoint *ep, const struct record *r, endpoint_handler handler,
                    void *ctx)
{
    const uint16_t type = r->type & RECORD_TYPE_MASK;
    const struct message_desc *desc = message_find(ep->out.pool->config.catalogue, type);
    char why[160] = "a record of a type that is not in the list";

    if ((r->type & RECORD_VOID) != 0) {
        return false;
    }
    if (desc == NULL || message_unpack(desc, r->map, r->len, ep->scratch, why, sizeof why) != 0) {
        bump(&ep->out.dead_letters, 1);
        if (ep->out.metrics != NULL) {
            metric_add(ep->out.metrics, "bus_unreadable_total", NULL, 0, 1);
        }
        log_line(LOG_LEVEL_ERROR, "DLR-BUS-UNREADABLE", "%s", why);
        return false;
    }
    ep->put_back = false;
    handler(ctx, r->to, r->from, type, ep->scratch);
    return !ep->put_back;
}

void endpoint_put_back(struct endpoint *ep)
{
    ep->put_back = true;
}

/* The next bag; false when there is none, and then the endpoint is armed. */
static bool next_bag(struct endpoint *ep)
{
    while (!station_take(ep->out.station, &ep->bag)) {
        if (station_arm(ep->out.station)) {
            return false;
        }
    }
    ep->has_bag = true;
    ep->at = ep->bag.bytes;
    return true;
}

size_t endpoint_receive(struct endpoint *ep, endpoint_handler handler, void *ctx, size_t max)
{
    size_t n = 0;

    station_disarm(ep->out.station);
    ep->put_back = false;
    while (!ep->put_back && (max == 0 || n < max)) {
        const uint8_t *start;
        const uint8_t *end;
        struct record r;
        if (!ep->has_bag && !next_bag(ep)) {
            break;
        }
        start = ep->at;
        end = ep->bag.bytes + ep->bag.len;
        if (ep->at < end) {
            ep->at = record_get(ep->at, end, &r);
            if (ep->at == NULL) {
                ep->at = end;
                bump(&ep->out.dead_letters, 1);
            } else if (deliver(ep, &r, handler, ctx)) {
                n++;
            } else if (ep->put_back) {
                ep->at = start;
            }
        } else {
            ep->has_bag = false;
            station_release(ep->out.station, &ep->bag);
        }
    }
    sender_retry(&ep->out);
    return n;
}

void endpoint_close(struct endpoint *ep)
{
    if (ep != NULL && !ep->closed) {
        ep->closed = true;
        station_disarm(ep->out.station);
    }
}
