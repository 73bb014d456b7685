/*
 * session.c - who a cookie is, tickets for the socket, the way out.
 *
 * A session outlives the daemon: the store has its digest, and a cookie that this daemon does not
 * know is asked for there. So an agent in a call only connects again after a restart. The store is
 * asked about few at a time, whoever shows us cookies, and the others wait their turn here.
 */
#include "adapters/web/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASKING_MAX 4096 /* a whole site comes back at once after a restart */
#define ASKED_MAX 32    /* of these at the store */

/* Somebody whose cookie the store is asked for. In the order of arrival. */
struct asking {
    struct asking *next;
    struct net_req *req; /* waits for the answer; NULL: it has gone */
    bool out;            /* the session is to end */
    bool known;          /* it is one of ours, and the store is asked to forget it */
    uint64_t id;         /* 0: not asked yet */
    int64_t since_us;
    char digest[SECRET_DIGEST_SIZE];
};

const char *session_cookie(const struct web *web)
{
    return web->options.behind_tls ? "__Host-session" : "session";
}

static bool token_of(const struct web *web, const struct net_req *req, char *out)
{
    const char *header = net_req_header(req, "Cookie");

    return header != NULL && net_cookie_get(header, session_cookie(web), out, SECRET_TOKEN_SIZE) ==
                                 SECRET_TOKEN_SIZE - 1;
}

void session_keep(struct web *web, struct text token, const struct identity *who)
{
    char digest[SECRET_DIGEST_SIZE];
    const struct msg_session_save m = {.digest = {digest, SECRET_DIGEST_SIZE - 1},
                                       .agent = who->agent,
                                       .account = who->account,
                                       .role = (uint8_t)who->role,
                                       .name = {who->name, (uint32_t)strlen(who->name)},
                                       .expires_wall_ms = web_wall_ms() + SESSION_US / US_PER_MS};

    secret_digest(token.ptr, token.len, digest);
    (void)web_send(web, ADDR_STORE, MSG_session_save, &m); /* lost: one has to log in again */
}

/* --- asking the store ------------------------------------------------------------------------- */

static int ask(struct web *web, const struct asking *a)
{
    const struct text digest = {a->digest, SECRET_DIGEST_SIZE - 1};
    const struct msg_session_ask whose = {.request = web->login_id + 1, .digest = digest};
    const struct msg_session_end end = {.request = web->login_id + 1, .digest = digest};

    return a->known ? web_send(web, ADDR_STORE, MSG_session_end, &end)
                    : web_send(web, ADDR_STORE, MSG_session_ask, &whose);
}

static void ask_more(struct web *web)
{
    size_t asked = 0;

    for (struct asking *a = web->asking; a != NULL && asked < ASKED_MAX; a = a->next, asked++) {
        if (a->id == 0) {
            if (ask(web, a) != 0) {
                return; /* the turn tries again, until it is too late */
            }
            a->id = ++web->login_id;
        }
    }
    endpoint_flush(web->endpoint);
}

/* out: to end the session; known: it is one of ours. */
static void ask_store(struct web *web, struct net_req *req, const char *token, bool out, bool known)
{
    struct asking *a = web->n_asking < ASKING_MAX ? calloc(1, sizeof *a) : NULL;

    if (a == NULL) {
        web->count.logins_busy++;
        login_refuse(web, req, 503, "busy, please try again", 1);
        return;
    }
    secret_digest(token, SECRET_TOKEN_SIZE - 1, a->digest);
    a->req = req;
    a->out = out;
    a->known = known;
    a->since_us = net_now_us();
    *web->asking_end = a;
    web->asking_end = &a->next;
    web->n_asking++;
    ask_more(web);
}

/* Takes it out of the list; the caller frees. */
static struct asking *take(struct web *web, struct asking **at)
{
    struct asking *a = *at;

    *at = a->next;
    if (web->asking_end == &a->next) {
        web->asking_end = at;
    }
    web->n_asking--;
    return a;
}

void session_abort(struct web *web, const struct net_req *req)
{
    for (struct asking *a = web->asking; a != NULL; a = a->next) {
        if (a->req == req) {
            a->req = NULL;
        }
    }
}

void session_turn(struct web *web, int64_t now_us)
{
    while (web->asking != NULL && now_us - web->asking->since_us > LOGIN_US) {
        struct asking *a = take(web, &web->asking);
        web->count.logins_busy++;
        if (a->req != NULL) {
            login_refuse(web, a->req, 503,
                         "the store does not answer; your sign-in is known when it does", 1);
        }
        free(a);
    }
    ask_more(web);
}

void session_free(struct web *web)
{
    while (web->asking != NULL) {
        free(take(web, &web->asking));
    }
}

/* --- tickets ---------------------------------------------------------------------------------- */

static void give_ticket(struct web *web, struct net_req *req, const struct identity *who)
{
    char ticket[SECRET_TOKEN_SIZE];

    if (vault_make(web->vault, TOKEN_TICKET, who, TICKET_US, net_now_us(), ticket) != 0) {
        login_refuse(web, req, 503, "no memory", 1);
        return;
    }
    json_writer_reset(&web->out);
    json_open_object(&web->out, NULL);
    json_put_str(&web->out, "ticket", ticket);
    json_close_object(&web->out);
    http_json(web, req, 200, NULL, 0);
}

static void no_session(struct web *web, struct net_req *req)
{
    login_refuse(web, req, 401, "please log in", 0);
}

void session_ticket(struct web *web, struct net_req *req)
{
    char token[SECRET_TOKEN_SIZE];
    struct identity who;

    if (!login_body(web, req)) {
        return;
    }
    if (!token_of(web, req, token)) {
        no_session(web, req);
    } else if (vault_session(web->vault, (struct text){token, SECRET_TOKEN_SIZE - 1}, net_now_us(),
                             &who)) {
        give_ticket(web, req, &who);
    } else {
        ask_store(web, req, token, false, false);
    }
}

/* The store knows the session: it is one of ours from now on, for as long as it lasts. */
static void adopted(struct web *web, const struct asking *a, const struct msg_session_known *m)
{
    const int64_t left_us = (m->expires_wall_ms - web_wall_ms()) * US_PER_MS;
    struct identity who = {.agent = m->agent, .account = m->account, .role = (enum role)m->role};

    snprintf(who.name, sizeof who.name, "%.*s", (int)m->name.len,
             m->name.ptr != NULL ? m->name.ptr : "");
    if (vault_adopt(web->vault, a->digest, &who, left_us < SESSION_US ? left_us : SESSION_US,
                    net_now_us()) != 0) {
        login_refuse(web, a->req, 503, "no memory", 1);
        return;
    }
    web->count.sessions_found++;
    give_ticket(web, a->req, &who);
}

/* The browser forgets its cookie, whatever it was. */
static void say_out(struct web *web, struct net_req *req)
{
    char cookie[128];
    const struct net_header header = {"Set-Cookie", cookie};

    snprintf(cookie, sizeof cookie, "%s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0%s",
             session_cookie(web), web->options.behind_tls ? "; Secure" : "");
    (void)net_respond(req,
                      &(struct net_response){.status = 204, .headers = &header, .n_headers = 1});
}

static void answer(struct web *web, const struct asking *a, const struct msg_session_known *m)
{
    if (a->req == NULL) {
        return;
    }
    if (m->result == RESULT_AWAY) {
        login_refuse(web, a->req, 503,
                     "the store is not reachable; your sign-in is known when it is back", 1);
    } else if (a->out) {
        say_out(web, a->req);
    } else if (m->result == RESULT_OK && m->role >= ROLE_AGENT && m->role <= ROLE_ADMIN) {
        adopted(web, a, m);
    } else {
        no_session(web, a->req);
    }
}

void session_known(struct web *web, const struct msg_session_known *m)
{
    struct asking **at = &web->asking;

    while (*at != NULL && (*at)->id != m->request) {
        at = &(*at)->next;
    }
    if (*at == NULL || m->request == 0) {
        return;
    }
    if ((*at)->out && m->result == RESULT_OK) { /* of an earlier daemon: now it is to end */
        (*at)->known = true;
        (*at)->id = 0;
    } else {
        struct asking *a = take(web, at);
        answer(web, a, m);
        free(a);
    }
    ask_more(web);
}

/* --- the way out ------------------------------------------------------------------------------ */

/* Out means out: "204" is said when the store has forgotten it, too. */
void session_out(struct web *web, struct net_req *req)
{
    char token[SECRET_TOKEN_SIZE];
    uint64_t number;

    if (!login_body(web, req)) {
        return;
    }
    if (!token_of(web, req, token)) {
        say_out(web, req);
        return;
    }
    number = vault_end(web->vault, (struct text){token, SECRET_TOKEN_SIZE - 1}, net_now_us());
    if (number != 0) {
        client_end_session(web, number);
    }
    ask_store(web, req, token, true, number != 0);
}

/* The agent may not log in any more, or its password is another. Its socket stays: how a call that
 * is on the line ends is the agent's own business. */
void session_ended(struct web *web, const struct msg_session_end *m)
{
    if (m->agent != 0) {
        const struct msg_session_end end = {.agent = m->agent};
        vault_end_agent(web->vault, m->agent);
        (void)web_send(web, ADDR_STORE, MSG_session_end, &end);
    }
}
