/*
 * endpoint.h - how a thread outside the pool (an adapter) talks with actors.
 *
 * An endpoint is one thread's mailbox and its way to send. It is known by its kind (1 to
 * KIND_ENDPOINT_MAX): actors write to named(kind, id), whatever the id, and the handler is shown
 * the whole handle. Endpoints are opened before pool_start() and closed after pool_stop().
 *
 * Thread rule: everything here is called by the endpoint's own thread, except `wake`, which any
 * thread may call. Every message is msgpack in a bag over nng; order is kept from the endpoint to
 * each actor and from each actor to the endpoint.
 *
 * The loop of an adapter:
 *
 *     wait until woken (its eventfd, lws_cancel_service, ...) or something else happens
 *     do { n = endpoint_receive(ep, handler, ctx, 256); } while (n == 256);
 *     ... own work, endpoint_send() ...
 *     endpoint_flush(ep);                before it waits again
 */
#ifndef CORE_ENDPOINT_H
#define CORE_ENDPOINT_H

#include "core/message.h"

struct pool;
struct endpoint;

/* One message arrived. `msg` (struct msg_<type>) and its texts live until the handler returns. The
 * handler may send; it may not call endpoint_receive(). */
typedef void (*endpoint_handler)(void *ctx, handle to, handle from, uint16_t type, const void *msg);

/* Open the endpoint of `kind`. `wake` is called when mail arrives, or a way that was full is free
 * again, after an endpoint_receive() that returned less than its `max`: once, then not again until
 * the next such call. It must not block, and may be called from any thread; `ctx` must live until
 * pool_close() has returned. Nothing can be sent before pool_start(). Returns NULL when the kind is
 * taken or out of range, or nng refuses. */
struct endpoint *endpoint_open(struct pool *pool, unsigned kind, void (*wake)(void *ctx),
                               void *ctx);

/* Put a message into the open bag of its receiver. The struct and its texts are copied (packed)
 * before the call returns. It leaves with endpoint_flush(), or earlier when the bag is full.
 * `from` is named(kind, 0). Returns 0, or -1 when there is no such actor or the message is too
 * long (counted: bus_no_receiver_total, bus_too_long_total). A receiver that does not keep up never
 * makes this fail: see the message classes in message.h. */
int endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg);

/* The same with another sender's name: named(kind, id) for one of many clients of this endpoint. */
int endpoint_send_as(struct endpoint *ep, handle from, handle to, uint16_t type, const void *msg);

/* Send all open bags. Never blocks: what nng does not take now leaves later, in order. */
void endpoint_flush(struct endpoint *ep);

/* Call `handler` for at most `max` messages (0: as many as there are). Returns how many. */
size_t endpoint_receive(struct endpoint *ep, endpoint_handler handler, void *ctx, size_t max);

/* By the handler: it cannot take this message now (no memory). endpoint_receive() returns at once,
 * without it in its count, and the next call begins with it. Nothing wakes for it: come back. */
void endpoint_put_back(struct endpoint *ep);

/* Is an actor or endpoint of this name there now? */
bool endpoint_exists(const struct endpoint *ep, handle name);

/* Idempotent, never blocks; only after pool_stop(). The memory goes with pool_close(). */
void endpoint_close(struct endpoint *ep);

#endif
