/* fake_endpoint.c - core/endpoint.h with the test on the other side of it. */
#include "tests/web/fixture.h"

#include "adapters/secret/secret.h"
#include "core/endpoint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct letter {
    struct letter *next;
    handle to;
    uint16_t type;
    void *msg;
};

struct queue {
    struct letter *first, **last;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct queue in = {NULL, &in.first}, out = {NULL, &out.first};
static struct letter *taken;
static bool awake = true; /* the endpoint's owner knows of everything in `in` */
static void (*wake_owner)(void *ctx);
static void *wake_ctx;
static char password_hash[SECRET_HASH_SIZE];

bool fake_store_away;
bool fake_store_down;

static void put(struct queue *q, handle to, uint16_t type, const void *msg)
{
    const struct message_desc *desc = message_find(&dialer_catalogue, type);
    struct letter *l = calloc(1, sizeof *l);

    l->to = to;
    l->type = type;
    l->msg = malloc(message_bytes(desc, msg));
    message_copy(desc, msg, l->msg);
    *q->last = l;
    q->last = &l->next;
}

static void letter_free(struct letter *l)
{
    if (l != NULL) {
        free(l->msg);
        free(l);
    }
}

void fake_post(uint16_t type, const void *msg)
{
    bool wake;

    pthread_mutex_lock(&lock);
    put(&in, ADDR_WEB, type, msg);
    wake = !awake && wake_owner != NULL;
    awake = true;
    pthread_mutex_unlock(&lock);
    if (wake) {
        wake_owner(wake_ctx);
    }
}

static struct letter *find(uint16_t type)
{
    for (struct letter **at = &out.first; *at != NULL; at = &(*at)->next) {
        struct letter *l = *at;
        if (l->type == type) {
            *at = l->next;
            if (out.last == &l->next) {
                out.last = at;
            }
            return l;
        }
    }
    return NULL;
}

bool fake_has_sent(uint16_t type)
{
    bool has = false;

    pthread_mutex_lock(&lock);
    for (const struct letter *l = out.first; l != NULL; l = l->next) {
        has = has || l->type == type;
    }
    pthread_mutex_unlock(&lock);
    return has;
}

const void *fake_sent(uint16_t type, handle *to)
{
    const int64_t until_us = net_now_us() + 5 * US_PER_S;
    struct letter *l;

    for (;;) {
        pthread_mutex_lock(&lock);
        l = find(type);
        pthread_mutex_unlock(&lock);
        if (l != NULL) {
            break;
        }
        if (net_now_us() > until_us) {
            fail_msg("no %s came", message_find(&dialer_catalogue, type)->name);
        }
        net_loop_run_once(loop, 5 * US_PER_MS); /* what asked for it may still have to leave */
    }
    letter_free(taken);
    taken = l;
    if (to != NULL) {
        *to = taken->to;
    }
    return taken->msg;
}

static void empty(struct queue *q)
{
    while (q->first != NULL) {
        struct letter *l = q->first;
        q->first = l->next;
        letter_free(l);
    }
    q->last = &q->first;
}

void fake_reset(void)
{
    pthread_mutex_lock(&lock);
    empty(&in);
    empty(&out);
    letter_free(taken);
    taken = NULL;
    wake_owner = NULL;
    awake = true;
    pthread_mutex_unlock(&lock);
    fake_store_away = false;
    fake_store_down = false;
}

/* --- core/endpoint.h ------------------------------------------------------------------------ */

struct endpoint *endpoint_open(struct pool *pool, unsigned kind, void (*wake)(void *ctx), void *ctx)
{
    static int one;

    (void)pool;
    assert_int_equal(kind, KIND_WEB);
    wake_owner = wake;
    wake_ctx = ctx;
    return (struct endpoint *)(void *)&one;
}

static void store_answers(const struct msg_login_ask *ask)
{
    static const struct {
        const char *login, *name;
        uint64_t agent;
        uint8_t role;
    } users[] = {{"ada", "Ada", 7, ROLE_AGENT},
                 {"bob", "Bob", 8, ROLE_AGENT},
                 {"sue", "Sue", 9, ROLE_SUPERVISOR}};
    struct msg_login_known known = {.request = ask->request, .result = RESULT_NOT_FOUND};

    if (password_hash[0] == '\0') {
        assert_int_equal(secret_password_hash(T("correct horse"), password_hash), 0);
    }
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        if (ask->login.len == strlen(users[i].login) &&
            memcmp(ask->login.ptr, users[i].login, ask->login.len) == 0) {
            known.result = RESULT_OK;
            known.agent = users[i].agent;
            known.account = 1;
            known.role = users[i].role;
            known.name = (struct text){users[i].name, (uint32_t)strlen(users[i].name)};
            known.hash = (struct text){password_hash, (uint32_t)strlen(password_hash)};
        }
    }
    fake_post(MSG_login_known, &known);
}

/* Sessions of the page, as the store keeps them: they outlive the adapter (fake_store_empty). */
static struct {
    char digest[80];
    uint64_t agent;
    uint8_t role;
    int64_t expires_wall_ms;
} saved[8];

void fake_store_empty(void)
{
    pthread_mutex_lock(&lock);
    memset(saved, 0, sizeof saved);
    pthread_mutex_unlock(&lock);
}

static void save_session(const struct msg_session_save *save)
{
    size_t i = 0;

    while (saved[i].agent != 0) {
        i++;
    }
    snprintf(saved[i].digest, sizeof saved[i].digest, "%.*s", (int)save->digest.len,
             save->digest.ptr);
    saved[i].agent = save->agent;
    saved[i].role = save->role;
    saved[i].expires_wall_ms = save->expires_wall_ms;
}

static struct msg_session_known saved_session(const struct msg_session_ask *ask)
{
    struct msg_session_known known = {.request = ask->request, .result = RESULT_NOT_FOUND};

    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++) {
        if (secret_equal((struct text){saved[i].digest, (uint32_t)strlen(saved[i].digest)},
                         ask->digest)) {
            known = (struct msg_session_known){.request = ask->request,
                                               .result = RESULT_OK,
                                               .agent = saved[i].agent,
                                               .account = 1,
                                               .role = saved[i].role,
                                               .name = T("Ada"),
                                               .expires_wall_ms = saved[i].expires_wall_ms};
        }
    }
    return known;
}

static void end_sessions(const struct msg_session_end *end)
{
    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++) {
        const struct text has = {saved[i].digest, (uint32_t)strlen(saved[i].digest)};
        if (end->digest.len > 0 ? secret_equal(has, end->digest) : saved[i].agent == end->agent) {
            memset(&saved[i], 0, sizeof saved[i]);
        }
    }
}

static void store_sessions(uint16_t type, const void *msg)
{
    const struct msg_session_end *end = msg;
    struct msg_session_known known = {0};

    pthread_mutex_lock(&lock);
    if (type == MSG_session_save) {
        save_session(msg);
    } else if (type == MSG_session_end) {
        end_sessions(end);
        known = (struct msg_session_known){.request = end->request, .result = RESULT_NOT_FOUND};
    } else {
        known = saved_session(msg);
        known.result = fake_store_down ? RESULT_AWAY : known.result;
    }
    pthread_mutex_unlock(&lock);
    if (known.request != 0) {
        fake_post(MSG_session_known, &known);
    }
}

int endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg)
{
    (void)ep;
    if (type == MSG_session_save || type == MSG_session_ask || type == MSG_session_end) {
        if (!fake_store_away) {
            store_sessions(type, msg);
        }
        return 0;
    }
    if (type == MSG_login_ask) {
        if (!fake_store_away) {
            store_answers(msg);
        }
        return 0;
    }
    if (handle_kind(to) == KIND_AGENT && handle_id(to) > 100) {
        return -1; /* these agents do not exist */
    }
    pthread_mutex_lock(&lock);
    put(&out, to, type, msg);
    pthread_mutex_unlock(&lock);
    return 0;
}

void endpoint_flush(struct endpoint *ep)
{
    (void)ep;
}

size_t endpoint_receive(struct endpoint *ep, endpoint_handler handler, void *ctx, size_t max)
{
    size_t n = 0;

    (void)ep;
    while (n < max) {
        struct letter *l;
        pthread_mutex_lock(&lock);
        l = in.first;
        if (l == NULL) {
            awake = false;
            pthread_mutex_unlock(&lock);
            break;
        }
        in.first = l->next;
        if (in.first == NULL) {
            in.last = &in.first;
        }
        pthread_mutex_unlock(&lock);
        handler(ctx, l->to, ADDR_DESK, l->type, l->msg);
        letter_free(l);
        n++;
    }
    return n;
}

void endpoint_close(struct endpoint *ep)
{
    (void)ep;
}
