/*
 * web.h - the people's side: HTTP, websockets, the page. PROTOCOL.md is what goes over the wire.
 *
 * One thread with its own loop, one endpoint on the bus (KIND_WEB), and two helper threads that do
 * nothing but check passwords, because Argon2id takes 100 ms and the loop must never wait. The
 * adapter decides nothing about calls: it turns requests into messages to the actors, and keeps
 * the last record of everything the actors showed, to fan it out.
 *
 * Life: web_open (listens; nothing is answered yet), web_start (the thread runs), web_close (never
 * blocks, any thread: tells the thread to go), web_stop (waits until it has), web_fini (frees).
 */
#ifndef ADAPTERS_WEB_WEB_H
#define ADAPTERS_WEB_WEB_H

#include "actors/types.h"

struct bus;
struct web;

struct web_options {
    struct bus *bus;
    const char *host; /* address to listen on; NULL = 127.0.0.1 */
    uint16_t port;    /* 0 = a free one, see web_port */
    /* Origins of pages that may connect ("https://dialer.example"), comma separated. NULL: the
     * address listened on, and localhost, with the port. */
    const char *origins;
    bool behind_tls;         /* a proxy speaks TLS with the browsers: __Host- cookies, Secure */
    bool metrics_for_all;    /* /metrics is answered to others than loopback, too */
    enum role one_time_role; /* make a one-time login for this role, see web_one_time_token */
    uint64_t one_time_agent; /* as this agent, 0: nobody's */
    unsigned max_clients;    /* 0 = 8192 */
};

#define WEB_TOKEN_SIZE 44

/* Binds and prepares. secret_init() must have been called. NULL with a sentence in err. Texts of
 * the options are copied. */
struct web *web_open(const struct web_options *options, char *err, size_t errlen);
int web_start(struct web *web); /* 0, or -1: no thread to be had */
uint16_t web_port(const struct web *web);
/* The token of the one-time login, for http://HOST:PORT/enter#TOKEN; "" if none was asked for. */
const char *web_one_time_token(const struct web *web);
void web_close(struct web *web);
void web_stop(struct web *web);
void web_fini(struct web *web);

#endif
