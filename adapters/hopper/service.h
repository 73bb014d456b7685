/*
 * service.h - the hopper as an endpoint of the bus (KIND_HOPPER): one thread that carries
 * hopper_take, hopper_put and hopper_clear to the hopper, and its answers to the campaigns. The
 * desk is told hopper_state.
 *
 * Life, by the shell's thread: hopper_service_open (before pool_start), _start, _stop, _close
 * (after pool_stop).
 */
#ifndef ADAPTERS_HOPPER_SERVICE_H
#define ADAPTERS_HOPPER_SERVICE_H

#include "adapters/hopper/hopper.h"
#include "core/endpoint.h"

struct metrics;
struct hopper_service;

struct hopper_service_options {
    struct pool *pool;
    const struct hopper_driver *driver;
    struct hopper_options hopper; /* its texts must live as long as the service */
    struct metrics *metrics;      /* NULL: none */
    /* From the service's thread; 0 debug .. 3 error. */
    void (*log)(void *ctx, int level, const char *code, const char *text);
    void *ctx;
};

/* NULL with a sentence. */
struct hopper_service *hopper_service_open(const struct hopper_service_options *options, char *why,
                                           size_t why_size);
int hopper_service_start(struct hopper_service *s);
void hopper_service_stop(struct hopper_service *s);
void hopper_service_close(struct hopper_service *s);

#endif
