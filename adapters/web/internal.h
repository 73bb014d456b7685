/*
 * internal.h - what the files of adapters/web share: one struct, owned by the loop thread.
 *
 *   web.c       life, the turn of the loop, mail from the actors
 *   http.c      routes, pages, health          login.c   passwords, links
 *   session.c   who a cookie is, tickets, the way out
 *   client.c    one websocket: hello, limits   fan.c     what goes out to it
 *   request.c   what it asks                   board.c   what there is to see
 *   address.c   where it comes from
 */
#ifndef ADAPTERS_WEB_INTERNAL_H
#define ADAPTERS_WEB_INTERNAL_H

#include "actors/messages.h"
#include "adapters/net/json.h"
#include "adapters/net/net.h"
#include "adapters/web/board.h"
#include "adapters/web/checker.h"
#include "adapters/web/pause.h"
#include "adapters/web/vault.h"
#include "adapters/web/web.h"

#include "core/endpoint.h"

#include <pthread.h>
#include <stdatomic.h>

#define TURN_US (100 * US_PER_MS) /* supervisors' pages are brought up to date this often */
#define CAMPAIGN_TURNS 10         /* agents' campaign line: every so many turns */
#define HELLO_US (5 * US_PER_S)
#define REPLY_US (10 * US_PER_S)
#define LOGIN_US (10 * US_PER_S)
#define TICKET_US (30 * US_PER_S)
#define SESSION_US (12 * 3600 * US_PER_S)
#define LINK_US (24 * 3600 * US_PER_S)
#define RATE_PER_S 20
#define RATE_BURST 40
#define PENDING_MAX 32
#define FRAME_MAX (48u * 1024u)  /* a frame of changes is closed at this length */
#define QUEUE_HIGH (96u * 1024u) /* a socket with more unsent bytes waits */
#define LOGINS 16
#define SUSPECTS_MAX 2 /* of these at once; the other places are for addresses without a fault */
#define ADDRESS_SIZE 64

struct pending; /* request.c: a request without an answer */

struct client {
    struct web *web;
    struct net_ws *ws;
    uint64_t id; /* generation << 32 | slot: what messages carry as `client` */
    struct identity who;
    struct person *person; /* who.agent's, NULL if it is nobody's */
    struct client *next_of_person;
    struct client *next_dirty;
    bool welcome;  /* its ticket was good */
    bool all;      /* sees everything */
    bool dirty;    /* something for it waits to be sent */
    bool whole;    /* the whole picture is being sent */
    bool leaving;  /* closing: nothing more is read or sent */
    uint64_t sent; /* brought up to this number */
    uint64_t campaign_sent, pop_sent;
    uint64_t campaign; /* whose line it got last */
    int64_t opened_us;
    int64_t tokens_us; /* rate: time at which the bucket would be full */
    struct pending *pending;
    unsigned n_pending;
};

struct web_counters {
    uint64_t logins, logins_wrong, logins_paused, logins_busy;
    uint64_t sessions_found;
    uint64_t sockets, tickets_bad, origins_bad;
    uint64_t posts_bad; /* a body that is no JSON object, or lacks what is wanted */
    uint64_t requests, requests_invalid, requests_refused_role, replies, replies_late;
    uint64_t cut_rate, cut_json, cut_slow, cut_silent, cut_violation, cut_hello;
    uint64_t frames, frames_shared, bytes;
    uint64_t stray_messages;
};

/* A login on its way: store, then password check, then answer. */
struct login {
    struct net_req *req; /* NULL: the browser has gone */
    uint64_t id;         /* 0: this place is free */
    bool suspect;        /* from an address that was wrong lately */
    bool checking;       /* the password is being checked; else the store is being asked */
    int64_t asked_us;
    struct identity who;
    char user[128];
    char address[ADDRESS_SIZE];
    uint32_t password_len;
    char password[SECRET_PASSWORD_MAX + 1];
};

struct web {
    struct web_options options;
    char *origins; /* ",a,b," */
    struct net_loop *loop;
    struct net_server *server;
    struct net_timer *turn;
    struct endpoint *endpoint;
    pthread_t thread;
    bool started;
    atomic_bool metrics_for_all;
    atomic_bool closing; /* set by web_close, read by the loop after each wake */
    bool leaving;        /* the loop saw it */
    int64_t leave_by_us;
    char one_time[WEB_TOKEN_SIZE];

    struct board *board;
    struct vault *vault;
    struct pauses *pauses;
    struct checker *checker;
    struct login login[LOGINS];
    uint64_t login_id;
    struct asking *asking, **asking_end; /* session.c: cookies the store is asked for */
    size_t n_asking;

    char stream[17];
    struct client **slot;
    uint32_t *generation;
    uint32_t slots, max_clients, clients;
    struct client *dirty;
    unsigned turns;
    uint64_t request_id;
    struct pending *oldest, *newest; /* requests by deadline */

    struct json doc;
    struct json_writer frame; /* a frame of changes */
    struct json_writer out;   /* welcome, replies, HTTP bodies */
    /* The last frame made for someone who sees everything, for the next one in the same place. */
    uint64_t shared_after, shared_seq;
    bool shared;

    struct web_counters count;
};

int64_t web_wall_ms(void);
void web_log(struct web *web, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Is this Origin header allowed? NULL (no browser) is. Counts. */
bool web_origin_ok(struct web *web, const char *origin);
/* Send to an actor or endpoint. */
int web_send(struct web *web, handle to, uint16_t type, const void *msg);

/* address.c: who asks, as text. Behind a TLS proxy what the proxy's X-Forwarded-For says. */
void web_address(const struct web *web, const struct net_req *req, char out[ADDRESS_SIZE]);
bool web_from_loopback(const struct web *web, const struct net_req *req);

/* http.c */
extern const struct net_server_events http_events;
void http_json(struct web *web, struct net_req *req, int status, const struct net_header *extra,
               size_t n_extra);

/* login.c: each answers the request, at once or later. */
void login_password(struct web *web, struct net_req *req);
void login_link(struct web *web, struct net_req *req);
void login_abort(struct web *web, const struct net_req *req);
void login_known(struct web *web, const struct msg_login_known *m);
void login_checked(struct web *web); /* takes the checker's answers */
void login_turn(struct web *web, int64_t now_us);
void login_ticket_ask(struct web *web, const struct msg_ticket_ask *m);
/* A POST of a JSON object from our own page, then in web->doc. Answers and returns false if not. */
bool login_body(struct web *web, struct net_req *req);
void login_refuse(struct web *web, struct net_req *req, int status, const char *why,
                  int64_t retry_s);

/* session.c: sessions outlive the daemon, in the store. */
const char *session_cookie(const struct web *web);
void session_keep(struct web *web, struct text token, const struct identity *who);
void session_ticket(struct web *web, struct net_req *req); /* answers at once or later */
void session_out(struct web *web, struct net_req *req);
void session_abort(struct web *web, const struct net_req *req);
void session_known(struct web *web, const struct msg_session_known *m);
void session_ended(struct web *web, const struct msg_session_end *m);
void session_turn(struct web *web, int64_t now_us);
void session_free(struct web *web);

/* client.c */
void client_accept(struct web *web, struct net_req *req);
struct client *client_find(struct web *web, uint64_t id); /* NULL: gone */
void client_close(struct client *c, int code, const char *reason);
void client_each(struct web *web, void (*fn)(struct client *c, void *ctx), void *ctx);
void client_turn(struct web *web, int64_t now_us);
void client_tell_open(struct web *web, struct person *p);
void client_end_session(struct web *web, uint64_t session);

/* fan.c */
void fan_person(void *ctx, struct person *p); /* board_events.on_person */
void fan_dirty(struct client *c);
void fan_flush(struct web *web); /* everyone who is dirty */
void fan_turn(struct web *web);
void fan_begin(struct client *c, uint64_t from, bool whole); /* after the welcome */

/* request.c */
void request_read(struct client *c, const struct json *doc);
void request_reply(struct web *web, const struct msg_reply *m);
void request_turn(struct web *web, int64_t now_us);
void request_forget(struct client *c);

#endif
