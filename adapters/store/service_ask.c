/*
 * service_ask.c - what the service is asked: loads, candidates, recycling, logins, sessions.
 */
#include "adapters/store/service_int.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/zone/zone.h"
#include "core/pool.h"

struct loading {
    struct service *s;
    bool start; /* the whole configuration: nothing is dialed yet */
    uint64_t campaigns[CAMPAIGNS_MAX];
    size_t n;
};

static void remember(struct service *s, const struct msg_campaign_config *m)
{
    size_t i;
    char *zone;

    for (i = 0; i < s->n_campaigns && s->campaigns[i] != m->campaign;)
        i++;
    if (i == CAMPAIGNS_MAX)
        return;
    zone = m->zone.len ? malloc(m->zone.len) : NULL;
    if (zone)
        memcpy(zone, m->zone.ptr, m->zone.len);
    if (i < s->n_campaigns)
        free((char *)s->zone[i].ptr);
    else
        s->n_campaigns++;
    s->campaigns[i] = m->campaign;
    s->zone[i] = (struct text){zone, zone ? m->zone.len : 0};
}

static int pass_on(void *ctx, uint16_t type, const void *msg)
{
    struct loading *l = ctx;

    if (type == MSG_campaign_config) {
        const struct msg_campaign_config *m = msg;
        remember(l->s, m);
        if (l->n < CAMPAIGNS_MAX)
            l->campaigns[l->n++] = m->campaign;
    }
    /* One whose wrap-up goes on is told at the start only: later its agent has it, or has disposed
     * it and we are about to hear of it. */
    if (type == MSG_open_attempt && !l->start &&
        ((const struct msg_open_attempt *)msg)->state == ATTEMPT_ENDED)
        return 0;
    if (type == MSG_open_attempt && l->start && l->s->keep.sent) {
        struct msg_open_attempt m = *(const struct msg_open_attempt *)msg;
        m.unsent = attempt_unsent(m.state) &&
                   sent_says(l->s->keep.sent, m.attempt, m.claimed_wall_ms) == SENT_NEVER;
        endpoint_send(l->s->endpoint, ADDR_DESK, type, &m);
        return 0;
    }
    if (type == MSG_agent_config && !l->start) {
        const struct msg_agent_config *m = msg;
        const struct msg_session_end end = {.agent = m->agent};
        if (!m->enabled) /* its tickets, too, which only the page's adapter knows */
            endpoint_send(l->s->endpoint, ADDR_WEB, MSG_session_end, &end);
    }
    endpoint_send(l->s->endpoint, ADDR_DESK, type, msg);
    return 0;
}

struct telling {
    const struct loading *l;
    uint16_t position;
};

static int tell_disposition(void *ctx, const struct store_disposition *d)
{
    struct telling *t = ctx;
    struct msg_view_disposition m = {.code = d->code,
                                     .name = d->name,
                                     .position = ++t->position,
                                     .callback = d->callback,
                                     .active = d->offered};

    keep_code(&t->l->s->keep, d);
    for (size_t i = 0; i < t->l->n && d->offered; i++) {
        m.campaign = t->l->campaigns[i];
        endpoint_send(t->l->s->endpoint, ADDR_WEB, MSG_view_disposition, &m);
    }
    return 0;
}

int service_tell_window(struct service *s, size_t i)
{
    struct msg_abandon_window m;
    int64_t now = pool_wall_ms();
    int rc = s->store->ops->abandon_window(s->store, s->campaigns[i],
                                           zone_day_start(s->zone[i], now), now, &m);

    if (rc == STORE_OK)
        endpoint_send(s->endpoint, ADDR_DESK, MSG_abandon_window, &m);
    return rc;
}

static size_t place_of(const struct service *s, uint64_t campaign)
{
    size_t i;

    for (i = 0; i < s->n_campaigns && s->campaigns[i] != campaign;)
        i++;
    return i;
}

static int do_load(struct service *s, const struct msg_load *m)
{
    struct msg_loaded out = {.kind = m->kind, .id = m->id};
    struct store_installation in;
    struct loading *l = calloc(1, sizeof *l);
    size_t i;
    int rc = STORE_OK;

    if (!l)
        return STORE_FAULT;
    l->s = s;
    l->start = m->kind == 0;
    /* A campaign that is new since the start has no owner yet. */
    if (m->kind == 0 || m->kind == KIND_CAMPAIGN)
        rc = s->store->ops->lease_take(s->store, m->id, pool_wall_ms());
    if (rc == STORE_OK)
        rc = s->store->ops->load(s->store, m->kind, m->id, pool_wall_ms(), pass_on, l);
    out.result = rc == STORE_NOT_FOUND ? RESULT_NOT_FOUND : RESULT_OK;
    if (rc == STORE_NOT_FOUND || rc == STORE_INVALID)
        rc = STORE_OK;
    if (l->n > 0 && rc == STORE_OK)
        rc = s->store->ops->dispositions(s->store, STORE_ACCOUNT, tell_disposition,
                                         &(struct telling){.l = l});
    for (i = 0; i < l->n && rc == STORE_OK; i++) {
        size_t at = place_of(s, l->campaigns[i]);
        if (at < s->n_campaigns)
            rc = service_tell_window(s, at);
    }
    if (rc == STORE_OK)
        rc = s->store->ops->installation(s->store, &in);
    free(l);
    if (rc == STORE_OK) {
        out.node = in.node;
        endpoint_send(s->endpoint, ADDR_DESK, MSG_loaded, &out);
    }
    return rc;
}

static int do_candidates(struct service *s, handle from, const struct msg_candidates *m)
{
    struct msg_candidates_end end;
    size_t n = CANDIDATES_MAX, i;
    int rc = s->store->ops->candidates(s->store, m, s->rows, &n, &end);

    if (rc == STORE_AWAY)
        return rc;
    for (i = 0; i < n; i++) {
        struct msg_candidate one = {.campaign = m->campaign, .row = s->rows[i]};
        endpoint_send(s->endpoint, from, MSG_candidate, &one);
    }
    endpoint_send(s->endpoint, from, MSG_candidates_end, &end);
    return rc;
}

static int do_recycle(struct service *s, handle from, const struct msg_recycle *m)
{
    struct msg_recycled out;
    int rc = s->store->ops->recycle(s->store, m, &out);

    if (rc == STORE_OK)
        endpoint_send(s->endpoint, from, MSG_recycled, &out);
    return rc;
}

static int do_login(struct service *s, handle from, const struct msg_login_ask *m)
{
    struct msg_login_known out = {.request = m->request};
    struct store_login login;
    int rc = s->store->ops->login(s->store, STORE_ACCOUNT, m->login, &login);

    out.result = RESULT_AWAY;
    if (rc == STORE_OK && login.enabled) {
        out.result = RESULT_OK;
        out.agent = login.agent;
        out.account = login.account;
        out.role = login.role;
        out.name = login.name;
        out.hash = login.hash;
    } else if (rc == STORE_OK || rc == STORE_NOT_FOUND) {
        out.result = RESULT_NOT_FOUND;
        rc = STORE_OK;
    }
    endpoint_send(s->endpoint, from, MSG_login_known, &out);
    return rc;
}

static int do_session_ask(struct service *s, handle from, const struct msg_session_ask *m)
{
    struct msg_session_known out;
    int rc = s->store->ops->session_find(s->store, m->digest, pool_wall_ms(), &out);

    out.request = m->request;
    out.result = rc == STORE_OK          ? RESULT_OK
                 : rc == STORE_NOT_FOUND ? RESULT_NOT_FOUND
                                         : RESULT_AWAY;
    endpoint_send(s->endpoint, from, MSG_session_known, &out);
    return rc == STORE_NOT_FOUND ? STORE_OK : rc;
}

static int do_session_end(struct service *s, handle from, const struct msg_session_end *m)
{
    const struct msg_session_known out = {.request = m->request, .result = RESULT_NOT_FOUND};
    int rc = s->store->ops->session_end(s->store, m);

    if (rc == STORE_OK && m->request != 0)
        endpoint_send(s->endpoint, from, MSG_session_known, &out);
    return rc;
}

bool service_asks(uint16_t type)
{
    switch (type) {
    case MSG_load:
    case MSG_candidates:
    case MSG_recycle:
    case MSG_login_ask:
    case MSG_session_save:
    case MSG_session_ask:
    case MSG_session_end:
        return true;
    default:
        return false;
    }
}

int service_ask(struct service *s, const struct item *it)
{
    const void *msg = it->msg;

    switch (it->type) {
    case MSG_load:
        return do_load(s, msg);
    case MSG_candidates:
        return do_candidates(s, it->from, msg);
    case MSG_recycle:
        return do_recycle(s, it->from, msg);
    case MSG_session_save:
        return s->store->ops->session_save(s->store, msg, pool_wall_ms());
    case MSG_session_ask:
        return do_session_ask(s, it->from, msg);
    case MSG_session_end:
        return do_session_end(s, it->from, msg);
    default:
        return do_login(s, it->from, msg);
    }
}

bool service_answer_away(struct service *s, handle from, uint16_t type, const void *msg)
{
    if (type == MSG_candidates) {
        const struct msg_candidates *m = msg;
        struct msg_candidates_end out = {.campaign = m->campaign, .result = RESULT_AWAY};
        endpoint_send(s->endpoint, from, MSG_candidates_end, &out);
        return true;
    }
    if (type == MSG_recycle) {
        const struct msg_recycle *m = msg;
        struct msg_recycled out = {.campaign = m->campaign,
                                   .next_wall_ms = m->at_wall_ms + 5 * MS_PER_S};
        endpoint_send(s->endpoint, from, MSG_recycled, &out);
        return true;
    }
    if (type == MSG_login_ask) {
        const struct msg_login_ask *m = msg;
        struct msg_login_known out = {.request = m->request, .result = RESULT_AWAY};
        endpoint_send(s->endpoint, from, MSG_login_known, &out);
        return true;
    }
    if (type == MSG_session_ask) {
        const struct msg_session_ask *m = msg;
        struct msg_session_known out = {.request = m->request, .result = RESULT_AWAY};
        endpoint_send(s->endpoint, from, MSG_session_known, &out);
        return true;
    }
    if (type == MSG_claim || type == MSG_settle_lead ||
        (type == MSG_leg_claim && !keep_ready(&s->keep))) {
        batch_refuse(s->endpoint, from, type, msg);
        return true;
    }
    return false;
}
