/*
 * web.h - the people's side: HTTP, websockets, the page. PROTOCOL.md is what goes over the wire.
 *
 * One thread with its own loop, one endpoint of the pool (KIND_WEB), and two helper threads that do
 * nothing but check passwords, because Argon2id takes 100 ms and the loop must never wait. The
 * adapter decides nothing about calls: it turns requests into messages to the actors, and keeps the
 * last record of everything the actors showed, to fan it out.
 *
 * Life, in the words of the other adapters: web_open before pool_start (binds, opens the endpoint;
 * connections wait in the backlog), web_start (the thread runs), web_close (tells the thread to go;
 * never blocks, any thread), web_stop (waits until it has), web_fini after pool_stop (frees).
 */
#ifndef ADAPTERS_WEB_WEB_H
#define ADAPTERS_WEB_WEB_H

#include "actors/types.h"

struct pool;
struct web;

#define WEB_TOKEN_SIZE 44

struct web_options {
    struct pool *pool;
    const char *host; /* address to listen on; NULL = 127.0.0.1 */
    uint16_t port;    /* 0 = a free one, see web_port */
    /* Origins of pages that may connect ("https://dialer.example"), comma separated. NULL: the
     * address listened on, and localhost, with the port. */
    const char *origins;
    bool behind_tls;      /* a proxy speaks TLS with the browsers: __Host- cookies, Secure */
    bool metrics_for_all; /* /metrics is answered to others than loopback, too */
    unsigned max_clients; /* websockets at once; 0 = 8192 */
    /* A one-time login that exists from the start, for `dialerd demo`; ROLE_NONE: none. */
    enum role one_time_role;
    /* Metrics of the rest of the daemon as Prometheus text: writes at most `size` bytes, returns
     * their number. Called by the adapter's thread. May be NULL. */
    size_t (*metrics)(void *ctx, char *out, size_t size);
    void *metrics_ctx;
    void (*log)(void *ctx, int level, const char *line); /* adapter's thread; NULL = none */
    void *log_ctx;
};

/* secret_init() must have been called. Texts of the options are copied. NULL with a sentence in
 * err. */
struct web *web_open(const struct web_options *options, char *err, size_t errlen);
int web_start(struct web *web); /* 0, or -1: no thread to be had */
/* /metrics from now on answered to everybody, or to this machine only. Any thread. */
void web_metrics_for_all(struct web *web, bool on);
uint16_t web_port(const struct web *web);
/* The token of the one-time login, for http://HOST:PORT/enter#TOKEN; "" if none was asked for.
 * Good for 24 hours and one use. */
const char *web_one_time_token(const struct web *web);
void web_close(struct web *web);
void web_stop(struct web *web);
void web_fini(struct web *web); /* NULL is allowed */

#endif
