/* ctl_live.c - what only the actors know: explain, status, tickets. */
#include "adapters/daemon/ctl_job.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- explain --------------------------------------------------------------------------------- */

static void row_of_reply(struct job *job, const struct msg_reply *reply)
{
    if (reply->json.len > 0)
        job_raw_row(job, reply->json);
}

static void explained(struct job *job, const struct msg_reply *reply)
{
    row_of_reply(job, reply);
    job_end(job, (enum result)reply->result, "%.*s", (int)reply->text.len, reply->text.ptr);
}

/* The actor names the time by its clock; people read it. */
static void lead_explained(struct job *job, const struct msg_reply *reply)
{
    struct json d;
    int64_t when = 0;
    json_init(&d, JSON_SIZE_MAX);
    if (reply->json.len > 0 && json_parse(&d, reply->json.ptr, reply->json.len) == 0) {
        struct json_writer *w = job_row(job);
        for (json_ref v = json_first(&d, JSON_ROOT); v != JSON_NONE; v = json_next(&d, v)) {
            char key[64];
            struct text name = json_key(&d, v);
            struct text raw = json_raw(&d, v, reply->json.ptr);
            snprintf(key, sizeof key, "%.*s", (int)name.len, name.ptr);
            if (strcmp(key, "when_wall_ms") == 0)
                json_int(&d, v, &when);
            else
                json_put_raw(w, key, raw.ptr, raw.len);
        }
        job_put_time(w, "when", when);
        job_row_end(job);
    }
    json_free(&d);
    job_end(job, (enum result)reply->result, "%.*s", (int)reply->text.len, reply->text.ptr);
}

/* Why a campaign has no actor, and since when; false: it is not parked. */
static bool parked(const struct job *job, uint64_t id, char *why, size_t size)
{
    const struct ctl_seen *seen = &job->ctl->seen;
    char subject[32];
    char since[JOB_TIME_SIZE];
    snprintf(subject, sizeof subject, "campaign %llu", (unsigned long long)id);
    for (size_t i = 0; i < seen->n_alarms; i++) {
        const struct ctl_alarm *a = &seen->alarms[i];
        if (a->kind == ALARM_campaign_parked && strcmp(a->subject, subject) == 0) {
            job_say_time(since, a->started_wall_ms);
            snprintf(why, size, "parked since %s: %s; to take it up again: campaign start %llu",
                     since, a->text, (unsigned long long)id);
            return true;
        }
    }
    return false;
}

static bool campaign_lives(struct job *job, uint64_t id)
{
    char why[320];
    if (endpoint_exists(job->ctl->endpoint, named(KIND_CAMPAIGN, id)))
        return true;
    if (parked(job, id, why, sizeof why))
        job_end(job, RESULT_REFUSED, "campaign %llu is %s", (unsigned long long)id, why);
    else
        job_end(job, RESULT_NOT_FOUND, "campaign %llu is not loaded", (unsigned long long)id);
    return false;
}

void cmd_explain_campaign(struct job *job)
{
    uint64_t id = job_id(job, "campaign");
    if (!campaign_lives(job, id))
        return;
    struct msg_explain_campaign ask = {
        .campaign = id, .client = job->client, .request = job_request(job), .reply_to = ADDR_CTL};
    job->on_reply = explained;
    job_send(job, named(KIND_CAMPAIGN, id), MSG_explain_campaign, &ask);
}

void cmd_explain_lead(struct job *job)
{
    struct msg_explain_lead ask = {.lead = job_id(job, "lead")};
    struct store *s = job->ctl->store;
    if (!job_store(job) ||
        job_store_failed(job, s->ops->explain_lead(s, ask.lead, pool_wall_ms(), &ask)) ||
        !campaign_lives(job, ask.campaign))
        return;
    ask.client = job->client;
    ask.request = job_request(job);
    ask.reply_to = ADDR_CTL;
    job->on_reply = lead_explained;
    job_send(job, named(KIND_CAMPAIGN, ask.campaign), MSG_explain_lead, &ask);
}

/* --- status ---------------------------------------------------------------------------------- */

struct status {
    uint64_t waiting; /* campaigns that have not answered */
};

static void row_status_line(struct job *job, const char *what, struct text name, const char *state,
                            const char *text)
{
    struct json_writer *w = job_row(job);
    json_put_str(w, "what", what);
    json_put_text(w, "name", name);
    json_put_str(w, "state", state);
    json_put_str(w, "text", text);
    job_row_end(job);
}

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

static void campaign_status(struct job *job, const struct msg_reply *reply)
{
    struct status *st = job->state;
    struct json d;
    char what[64];
    char text[512];
    int64_t id = 0;
    int64_t agents = 0;
    int64_t available = 0;
    int64_t dialed = 0;
    json_init(&d, JSON_SIZE_MAX);
    if (reply->json.len > 0 && json_parse(&d, reply->json.ptr, reply->json.len) == 0) {
        json_int(&d, json_get(&d, JSON_ROOT, "campaign"), &id);
        json_int(&d, json_get(&d, JSON_ROOT, "agents"), &agents);
        json_int(&d, json_get(&d, JSON_ROOT, "available"), &available);
        json_int(&d, json_get(&d, JSON_ROOT, "dialed"), &dialed);
        snprintf(what, sizeof what, "campaign %lld", (long long)id);
        snprintf(text, sizeof text, "%lld of %lld agents available, %lld dialed; %s",
                 (long long)available, (long long)agents, (long long)dialed,
                 json_str(&d, json_get(&d, JSON_ROOT, "why"), ""));
        row_status_line(job, what, text_of(json_str(&d, json_get(&d, JSON_ROOT, "name"), "")),
                        json_str(&d, json_get(&d, JSON_ROOT, "state"), ""), text);
    }
    json_free(&d);
    if (--st->waiting == 0)
        job_end(job, RESULT_OK, "%s", "");
}

static void free_status(struct job *job)
{
    free(job->state);
}

static void ask_one(struct job *job, uint64_t campaign)
{
    struct status *st = job->state;
    char what[64];
    char why[320];
    if (!endpoint_exists(job->ctl->endpoint, named(KIND_CAMPAIGN, campaign))) {
        snprintf(what, sizeof what, "campaign %llu", (unsigned long long)campaign);
        if (parked(job, campaign, why, sizeof why))
            row_status_line(job, what, text_of(""), "parked", why);
        return;
    }
    struct msg_explain_campaign ask = {.campaign = campaign,
                                       .client = job->client,
                                       .request = job_request(job),
                                       .reply_to = ADDR_CTL};
    job_send(job, named(KIND_CAMPAIGN, campaign), MSG_explain_campaign, &ask);
    st->waiting++;
}

static int ask_campaign(void *ctx, uint16_t type, const void *msg)
{
    struct job *job = ctx;
    struct ctl_seen *seen = &job->ctl->seen;
    if (type != MSG_campaign_config)
        return 0;
    const uint64_t campaign = ((const struct msg_campaign_config *)msg)->campaign;
    if (seen->n_campaigns < CTL_CAMPAIGNS_MAX)
        seen->campaigns[seen->n_campaigns++] = campaign;
    ask_one(job, campaign);
    return 0;
}

/* The store, and through it the campaigns; while it is away those that it told last. */
static void ask_all(struct job *job)
{
    struct store_installation in;
    struct ctl *ctl = job->ctl;
    struct ctl_seen *seen = &ctl->seen;
    char text[512];
    enum result there = ctl_store(ctl, text, sizeof text);
    if (there == RESULT_OK)
        there = ctl_store_result(ctl, ctl->store->ops->installation(ctl->store, &in), text,
                                 sizeof text);
    if (there == RESULT_OK)
        snprintf(text, sizeof text, "schema %u, node %04x, start %u", (unsigned)in.schema,
                 (unsigned)in.node, (unsigned)in.starts);
    row_status_line(job, "store", text_of(ctl->options->driver->name),
                    there == RESULT_OK ? "up" : "away", text);
    if (there == RESULT_OK) {
        seen->n_campaigns = 0;
        if (ctl->store->ops->load(ctl->store, KIND_CAMPAIGN, 0, pool_wall_ms(), ask_campaign,
                                  job) == STORE_AWAY)
            ctl->store_up = false;
    } else {
        for (size_t i = 0; i < seen->n_campaigns; i++)
            ask_one(job, seen->campaigns[i]);
    }
}

void ctl_store_ready(struct ctl *ctl)
{
    struct store *s = ctl->store;
    const struct config *c = ctl->options->config;
    ctl->store_ready = true;
    ctl->store_up = s->ops->connect(s, pool_wall_ms()) == STORE_OK;
    for (size_t i = 0; i < c->n_pbx && ctl->store_up; i++)
        ctl->store_up =
            s->ops->pbx_put(s, (uint32_t)c->pbx[i].number, text_of(c->pbx[i].name)) == STORE_OK;
}

void ctl_needed(struct ctl *ctl, uint16_t type, const void *msg)
{
    struct needed n = {.pbx = 0};
    if (type == MSG_view_pbx) {
        const struct msg_view_pbx *m = msg;
        n.pbx = m->pbx;
        snprintf(n.name, sizeof n.name, "%.*s", (int)m->name.len, m->name.ptr);
        snprintf(n.state, sizeof n.state, "%s", pbx_state_name(m->state));
        snprintf(n.text, sizeof n.text, "%.*s", (int)m->text.len, m->text.ptr);
    } else {
        const struct msg_readiness *m = msg;
        snprintf(n.name, sizeof n.name, "%.*s", (int)m->name.len, m->name.ptr);
        snprintf(n.state, sizeof n.state, "%s", m->ready ? "up" : "away");
        snprintf(n.text, sizeof n.text, "%.*s", (int)m->text.len, m->text.ptr);
    }
    size_t i = 0;
    while (i < ctl->n_needed &&
           (ctl->needed[i].pbx != n.pbx || strcmp(ctl->needed[i].name, n.name) != 0))
        i++;
    if (i == NEEDED_MAX)
        return;
    ctl->needed[i] = n;
    ctl->n_needed += i == ctl->n_needed;
}

/* The daemon and its mode, the journal, the store, each Asterisk of the config file, each campaign.
 */
void cmd_status(struct job *job)
{
    struct ctl *ctl = job->ctl;
    job->state = calloc(1, sizeof(struct status));
    if (!job->state)
        abort();
    job->on_free = free_status;
    row_status_line(job, "daemon", text_of(ctl->options->config->daemon.name), "running",
                    DIALERD_VERSION);
    ctl_status_rows(job);
    for (size_t i = 0; i < ctl->n_needed; i++)
        row_status_line(job, ctl->needed[i].pbx ? "pbx" : "needs", text_of(ctl->needed[i].name),
                        ctl->needed[i].state, ctl->needed[i].text);
    job->on_reply = campaign_status;
    ask_all(job);
    if (((struct status *)job->state)->waiting == 0)
        job_end(job, RESULT_OK, "%s", "");
}

/* --- a supervisor's word (R6) ---------------------------------------------------------------- */

static void obeyed(struct job *job, const struct msg_reply *reply)
{
    job_end(job, (enum result)reply->result, "%.*s", (int)reply->text.len, reply->text.ptr);
}

/* Written down first: what was ordered is on record even if the agent refuses it. */
static void order(struct job *job, enum agent_order order, const char *what)
{
    uint64_t agent = job_id(job, "agent");
    struct store *s = job->ctl->store;
    struct text reason = job_text(job, "reason");
    struct msg_agent_order ask = {.agent = agent,
                                  .client = job->client,
                                  .request = job_request(job),
                                  .reply_to = ADDR_CTL,
                                  .order = (uint8_t)order,
                                  .reason = reason.len ? reason : text_of("supervisor"),
                                  .who = text_of("")};
    struct store_audit audit = {.at_wall_ms = pool_wall_ms(),
                                .who = text_of(job->who),
                                .kind = text_of("agent"),
                                .subject = agent,
                                .field = text_of("order"),
                                .before = text_of(""),
                                .after = text_of(what)};
    if (!endpoint_exists(job->ctl->endpoint, named(KIND_AGENT, agent))) {
        job_end(job, RESULT_NOT_FOUND, "there is no agent %llu", (unsigned long long)agent);
        return;
    }
    if (!job_store(job) || job_store_failed(job, s->ops->audit(s, &audit, 1)))
        return;
    job->on_reply = obeyed;
    job_send(job, named(KIND_AGENT, agent), MSG_agent_order, &ask);
}

void cmd_agent_state(struct job *job)
{
    const char *state = job_arg(job, "state");
    order(job, strcmp(state, "available") == 0 ? ORDER_AVAILABLE : ORDER_BREAK, state);
}

void cmd_agent_logout(struct job *job)
{
    order(job, ORDER_LOGOUT, "logout");
}

void cmd_agent_hangup(struct job *job)
{
    order(job, ORDER_HANG_UP, "hangup");
}

/* --- tickets --------------------------------------------------------------------------------- */

#define TICKET_S 600 /* a tool that asks for thousands needs a while to use them */

struct tickets {
    uint64_t first, left, waiting;
    bool bare;
    enum result result;
    char text[256];
};

static void bare_ticket(struct job *job, struct text json)
{
    struct json d;
    char line[128];
    json_init(&d, JSON_SIZE_MAX);
    if (json_parse(&d, json.ptr, json.len) == 0) {
        int n = snprintf(line, sizeof line, "%s\n",
                         json_str(&d, json_get(&d, JSON_ROOT, "ticket"), ""));
        if (n > 0 && (size_t)n < sizeof line)
            job_data(job, line, (size_t)n);
    }
    json_free(&d);
}

static void got_ticket(struct job *job, const struct msg_reply *reply)
{
    struct tickets *t = job->state;
    if (reply->result == RESULT_OK) {
        if (t->bare)
            bare_ticket(job, reply->json);
        else
            row_of_reply(job, reply);
    } else {
        t->result = (enum result)reply->result;
        snprintf(t->text, sizeof t->text, "%.*s", (int)reply->text.len, reply->text.ptr);
    }
    if (--t->waiting == 0)
        job_end(job, t->result, "%s", t->text);
}

static int ask_ticket(void *ctx, uint16_t type, const void *msg)
{
    const struct msg_agent_config *a = msg;
    struct job *job = ctx;
    struct tickets *t = job->state;
    if (type != MSG_agent_config || a->agent < t->first || !a->enabled)
        return 0;
    struct msg_ticket_ask ask = {.client = job->client,
                                 .request = job_request(job),
                                 .reply_to = ADDR_CTL,
                                 .agent = a->agent,
                                 .account = a->account,
                                 .role = ROLE_AGENT,
                                 .name = a->name,
                                 .link = false,
                                 .valid_s = TICKET_S};
    job_send(job, ADDR_WEB, MSG_ticket_ask, &ask);
    t->waiting++;
    return --t->left == 0;
}

static void free_tickets(struct job *job)
{
    free(job->state);
}

void cmd_agent_ticket(struct job *job)
{
    struct store *s = job->ctl->store;
    struct tickets *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->first = job_id(job, "agent");
    t->left = job_count(job, "count", 1);
    t->bare = job_switch(job, "bare");
    t->result = RESULT_OK;
    job->state = t;
    job->on_free = free_tickets;
    job->on_reply = got_ticket;
    if (t->left == 0 || !job_store(job)) {
        job_end(job, RESULT_INVALID, "count: want a number from 1");
        return;
    }
    uint64_t wanted = t->left;
    if (job_store_failed(job, s->ops->load(s, KIND_AGENT, 0, pool_wall_ms(), ask_ticket, job)))
        return;
    if (t->waiting == 0)
        job_end(job, RESULT_NOT_FOUND, "there is no such agent, or it is disabled");
    else if (t->left > 0) {
        t->result = RESULT_NOT_FOUND;
        snprintf(t->text, sizeof t->text, "there are only %llu such agents, not %llu",
                 (unsigned long long)(wanted - t->left), (unsigned long long)wanted);
    }
}

/* --- a browser's first login ----------------------------------------------------------------- */

#define LINK_S 3600

static void got_link(struct job *job, const struct msg_reply *reply)
{
    struct json d;
    char url[1280];
    const char *origins = job->ctl->options->config->web.origins;
    json_init(&d, JSON_SIZE_MAX);
    if (reply->result == RESULT_OK && json_parse(&d, reply->json.ptr, reply->json.len) == 0) {
        /* behind a proxy only the origins are let in: the first is where browsers are sent */
        int length = (int)strcspn(origins, ", ");
        snprintf(url, sizeof url, "%.*s/enter#%s", length > 0 ? length : INT_MAX,
                 length > 0 ? origins : job->ctl->options->page,
                 json_str(&d, json_get(&d, JSON_ROOT, "ticket"), ""));
        struct json_writer *w = job_row(job);
        json_put_str(w, "url", url);
        job_row_end(job);
    }
    json_free(&d);
    job_end(job, (enum result)reply->result, "%.*s", (int)reply->text.len, reply->text.ptr);
}

void cmd_login_link(struct job *job)
{
    const char *role = job_arg(job, "role");
    struct msg_ticket_ask ask = {.client = job->client,
                                 .request = job_request(job),
                                 .reply_to = ADDR_CTL,
                                 .agent = job_id(job, "agent"),
                                 .account = STORE_ACCOUNT,
                                 .role = !role || strcmp(role, "supervisor") == 0 ? ROLE_SUPERVISOR
                                         : strcmp(role, "admin") == 0             ? ROLE_ADMIN
                                                                                  : ROLE_AGENT,
                                 .name = text_of(job->who),
                                 .link = true,
                                 .valid_s = LINK_S};
    struct store_audit audit = {.at_wall_ms = pool_wall_ms(),
                                .who = text_of(job->who),
                                .kind = text_of("login_link"),
                                .subject = ask.agent,
                                .field = text_of("role"),
                                .before = text_of(""),
                                .after = text_of(role ? role : "supervisor")};
    struct store *s = job->ctl->store;
    if (!job_store(job) || job_store_failed(job, s->ops->audit(s, &audit, 1)))
        return;
    job->on_reply = got_link;
    job_send(job, ADDR_WEB, MSG_ticket_ask, &ask);
}
