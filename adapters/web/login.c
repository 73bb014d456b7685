/*
 * login.c - how one gets in: a password, a one-time link.
 *
 * A password goes: pauses -> store (who is that?) -> checker (Argon2id, elsewhere) -> answer. Every
 * way to fail has the same words and, but for the pauses, costs the same time.
 */
#include "adapters/web/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRONG "user or password is wrong"

/* --- answers -------------------------------------------------------------------------------- */

void login_refuse(struct web *web, struct net_req *req, int status, const char *why,
                  int64_t retry_s)
{
    char seconds[24];
    const struct net_header retry = {"Retry-After", seconds};

    web->count.posts_bad += status == 400 || status == 415;
    snprintf(seconds, sizeof seconds, "%lld", (long long)retry_s);
    json_writer_reset(&web->out);
    json_open_object(&web->out, NULL);
    json_put_str(&web->out, "error", why);
    json_close_object(&web->out);
    http_json(web, req, status, &retry, retry_s > 0 ? 1 : 0);
}

/* A new session for somebody who has shown who it is. */
static void let_in(struct web *web, struct net_req *req, const struct identity *who)
{
    static const char *const roles[] = {"none", "agent", "supervisor", "admin"};
    char token[SECRET_TOKEN_SIZE];
    char cookie[160];
    const struct net_header header = {"Set-Cookie", cookie};

    if (vault_make(web->vault, TOKEN_SESSION, who, SESSION_US, net_now_us(), token) != 0) {
        login_refuse(web, req, 503, "no memory", 1);
        return;
    }
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
             session_cookie(web), token, (long long)(SESSION_US / US_PER_S),
             web->options.behind_tls ? "; Secure" : "");
    session_keep(web, (struct text){token, SECRET_TOKEN_SIZE - 1}, who);
    web->count.logins++;
    json_writer_reset(&web->out);
    json_open_object(&web->out, NULL);
    json_put_uint(&web->out, "agent", who->agent);
    json_put_str(&web->out, "role", roles[who->role <= ROLE_ADMIN ? who->role : 0]);
    json_put_str(&web->out, "name", who->name);
    json_close_object(&web->out);
    http_json(web, req, 200, &header, 1);
    explicit_bzero(token, sizeof token);
    explicit_bzero(cookie, sizeof cookie);
}

/* A POST of a JSON object from our own page. Answers and returns false if it is not. */
bool login_body(struct web *web, struct net_req *req)
{
    const char *type = net_req_header(req, "Content-Type");
    const struct text body = net_req_body(req);

    if (!web_origin_ok(web, net_req_header(req, "Origin"))) {
        login_refuse(web, req, 403, "this origin is not on the daemon's list", 0);
        return false;
    }
    /* A form of a foreign page cannot send this type without being asked first. */
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0) {
        login_refuse(web, req, 415, "application/json is wanted", 0);
        return false;
    }
    if (json_parse(&web->doc, body.ptr, body.len) != 0 ||
        json_type(&web->doc, JSON_ROOT) != JSON_OBJECT) {
        login_refuse(web, req, 400, web->doc.error[0] != '\0' ? web->doc.error : "not an object",
                     0);
        return false;
    }
    return true;
}

/* --- password ------------------------------------------------------------------------------- */

static struct login *login_free(struct web *web, const char *user, bool suspect)
{
    struct login *found = NULL;
    unsigned suspects = 0;

    for (unsigned i = 0; i < LOGINS; i++) {
        if (web->login[i].id == 0) {
            found = &web->login[i];
        } else if (strcmp(web->login[i].user, user) == 0) {
            return NULL; /* one try at a time for an account, or pauses could be run past */
        } else {
            suspects += web->login[i].suspect;
        }
    }
    return suspect && suspects >= SUSPECTS_MAX ? NULL : found;
}

static void login_end(struct login *l)
{
    explicit_bzero(l, sizeof *l);
}

void login_password(struct web *web, struct net_req *req)
{
    char user[sizeof web->login[0].user];
    char address[ADDRESS_SIZE];
    const int64_t now_us = net_now_us();
    struct msg_login_ask ask = {0};
    struct text password;
    struct login *l;
    bool suspect;
    int64_t pause_us;
    int64_t other_us;

    if (!login_body(web, req)) {
        return;
    }
    password = json_text(&web->doc, json_get(&web->doc, JSON_ROOT, "password"));
    if (!json_copy(&web->doc, json_get(&web->doc, JSON_ROOT, "user"), user, sizeof user) ||
        user[0] == '\0' || password.len == 0 || password.len > SECRET_PASSWORD_MAX) {
        login_refuse(web, req, 400, "user and password are wanted, as texts of bounded length", 0);
        return;
    }
    web_address(web, req, address);
    pause_us = pause_left_us(web->pauses, PAUSE_ACCOUNT, user, now_us);
    other_us = pause_left_us(web->pauses, PAUSE_ADDRESS, address, now_us);
    pause_us = pause_us > other_us ? pause_us : other_us;
    if (pause_us > 0) {
        web->count.logins_paused++;
        login_refuse(web, req, 429, "too many wrong passwords, please wait",
                     (pause_us + US_PER_S - 1) / US_PER_S);
        return;
    }
    suspect = pause_failures(web->pauses, PAUSE_ADDRESS, address, now_us) > 0;
    l = login_free(web, user, suspect);
    ask.login = (struct text){user, (uint32_t)strlen(user)};
    ask.request = web->login_id + 1;
    if (l == NULL || web_send(web, ADDR_STORE, MSG_login_ask, &ask) != 0) {
        web->count.logins_busy++;
        login_refuse(web, req, 503, "busy, please try again", 1);
        return;
    }
    l->req = req;
    l->id = ++web->login_id;
    l->asked_us = now_us;
    l->suspect = suspect;
    snprintf(l->user, sizeof l->user, "%s", user);
    snprintf(l->address, sizeof l->address, "%s", address);
    memcpy(l->password, password.ptr, password.len);
    l->password_len = password.len;
    net_req_set_ctx(req, l);
    endpoint_flush(web->endpoint);
}

void login_abort(struct web *web, const struct net_req *req)
{
    for (unsigned i = 0; i < LOGINS; i++) {
        if (web->login[i].req == req) {
            web->login[i].req = NULL;
        }
    }
}

static struct login *login_find(struct web *web, uint64_t id)
{
    for (unsigned i = 0; id != 0 && i < LOGINS; i++) {
        if (web->login[i].id == id) {
            return &web->login[i];
        }
    }
    return NULL;
}

static void login_busy(struct web *web, struct login *l, const char *why)
{
    web->count.logins_busy++;
    if (l->req != NULL) {
        login_refuse(web, l->req, 503, why, 1);
    }
    login_end(l);
}

void login_known(struct web *web, const struct msg_login_known *m)
{
    struct login *l = login_find(web, m->request);
    struct text hash = m->hash;

    if (l == NULL || l->checking) {
        return;
    }
    if (m->result == RESULT_AWAY) {
        login_busy(web, l, "the store is not reachable, please try again");
        return;
    }
    if (m->result != RESULT_OK || m->role < ROLE_AGENT || m->role > ROLE_ADMIN) {
        hash.len = 0; /* nobody: checked all the same, takes as long, is wrong */
    }
    l->who.agent = m->agent;
    l->who.account = m->account;
    l->who.role = (enum role)m->role;
    snprintf(l->who.name, sizeof l->who.name, "%.*s", (int)m->name.len,
             m->name.ptr != NULL ? m->name.ptr : "");
    if (checker_ask(web->checker, l->id, hash, (struct text){l->password, l->password_len}) != 0) {
        login_busy(web, l, "busy, please try again");
        return;
    }
    l->checking = true;
    explicit_bzero(l->password, sizeof l->password);
}

void login_checked(struct web *web)
{
    uint64_t id;
    bool right;

    while (checker_answer(web->checker, &id, &right)) {
        struct login *l = login_find(web, id);
        if (l == NULL) {
            continue;
        }
        if (right) {
            pause_clear(web->pauses, PAUSE_ACCOUNT, l->user);
            if (l->req != NULL) {
                let_in(web, l->req, &l->who);
            }
        } else {
            web->count.logins_wrong++;
            pause_failed(web->pauses, PAUSE_ACCOUNT, l->user, net_now_us());
            pause_failed(web->pauses, PAUSE_ADDRESS, l->address, net_now_us());
            if (l->req != NULL) {
                login_refuse(web, l->req, 401, WRONG, 0);
            }
        }
        login_end(l);
    }
}

void login_turn(struct web *web, int64_t now_us)
{
    for (unsigned i = 0; i < LOGINS; i++) {
        struct login *l = &web->login[i];
        if (l->id != 0 && !l->checking && now_us - l->asked_us > LOGIN_US) {
            login_busy(web, l, "the store does not answer, please try again");
        }
    }
}

/* --- links ------------------------------------------------------------------------------------ */

void login_link(struct web *web, struct net_req *req)
{
    char address[ADDRESS_SIZE];
    const int64_t now_us = net_now_us();
    struct identity who;
    int64_t pause_us;

    if (!login_body(web, req)) {
        return;
    }
    web_address(web, req, address);
    pause_us = pause_left_us(web->pauses, PAUSE_ADDRESS, address, now_us);
    if (pause_us > 0) {
        login_refuse(web, req, 429, "too many wrong links, please wait",
                     (pause_us + US_PER_S - 1) / US_PER_S);
    } else if (vault_take(web->vault, TOKEN_LINK,
                          json_text(&web->doc, json_get(&web->doc, JSON_ROOT, "token")), now_us,
                          &who)) {
        let_in(web, req, &who);
    } else {
        pause_failed(web->pauses, PAUSE_ADDRESS, address, now_us);
        web->count.tickets_bad++;
        login_refuse(web, req, 401, "this link has been used, or is too old", 0);
    }
}

void login_ticket_ask(struct web *web, const struct msg_ticket_ask *m)
{
    struct msg_reply reply = {.client = m->client, .request = m->request};
    struct identity who = {.agent = m->agent, .account = m->account};
    const int64_t valid_us = (int64_t)m->valid_s * US_PER_S;
    char token[SECRET_TOKEN_SIZE];
    char json[128];
    int n;

    snprintf(who.name, sizeof who.name, "%.*s", (int)m->name.len,
             m->name.ptr != NULL ? m->name.ptr : "");
    if (m->role < ROLE_AGENT || m->role > ROLE_ADMIN || valid_us < US_PER_S || valid_us > LINK_US) {
        static const char why[] = "a role, and 1 to 86400 seconds, are wanted";
        reply.result = RESULT_INVALID;
        reply.text = (struct text){why, sizeof why - 1};
    } else {
        who.role = (enum role)m->role;
        reply.result = vault_make(web->vault, m->link ? TOKEN_LINK : TOKEN_TICKET, &who, valid_us,
                                  net_now_us(), token) == 0
                           ? RESULT_OK
                           : RESULT_AWAY;
        n = snprintf(json, sizeof json, "{\"agent\":%llu,\"ticket\":\"%s\"}",
                     (unsigned long long)m->agent, reply.result == RESULT_OK ? token : "");
        reply.json = (struct text){json, (uint32_t)n};
    }
    (void)web_send(web, m->reply_to, MSG_reply, &reply);
    explicit_bzero(token, sizeof token);
    explicit_bzero(json, sizeof json);
}
