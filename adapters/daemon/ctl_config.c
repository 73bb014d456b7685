/* ctl_config.c - campaigns, lists, trunks and agents: made, shown, changed, switched. */
#include "adapters/daemon/ctl_settings.h"
#include "adapters/secret/secret.h"

#include <stdlib.h>
#include <string.h>

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

/* Shows the thing as it is in the store now, tells the desk, ends the job. */
static void show_and_end(struct job *job, unsigned kind, uint64_t id)
{
    void *thing = settings_read(job, kind, id);
    if (!thing)
        return;
    struct json_writer *w = job_row(job);
    json_put_uint(w, "id", id);
    settings_show(w, kind, thing);
    job_row_end(job);
    free(thing);
    job_end(job, RESULT_OK, "%s", "");
}

static void set_and_end(struct job *job, unsigned kind, const char *place)
{
    struct settings s;
    uint64_t id = job_id(job, place);
    if (!settings_take(job, kind, &s))
        return;
    if (s.n == 0) {
        job_end(job, RESULT_INVALID, "want NAME=VALUE; dialerctl settings lists the names");
        return;
    }
    void *thing = settings_read(job, kind, id);
    if (!thing)
        return;
    bool good = settings_apply(job, &s, thing) && settings_store(job, &s, id);
    free(thing);
    if (!good)
        return;
    if (kind)
        job_changed(job, kind, id);
    show_and_end(job, kind, id);
}

/* --- campaigns ------------------------------------------------------------------------------- */

void cmd_campaign_add(struct job *job)
{
    struct msg_campaign_config c;
    struct settings s;
    struct store_by by = job_by(job);
    uint64_t id = 0;
    store_campaign_defaults(&c);
    c.account = STORE_ACCOUNT;
    c.active = false;
    c.name = job_text(job, "name");
    if (!settings_take(job, KIND_CAMPAIGN, &s) || !settings_apply(job, &s, &c) || !job_store(job))
        return;
    struct store *store = job->ctl->store;
    if (job_store_failed(job, store->ops->campaign_add(store, &by, &c, &id)))
        return;
    job_changed(job, KIND_CAMPAIGN, id);
    show_and_end(job, KIND_CAMPAIGN, id);
}

static int row_campaign(void *ctx, uint16_t type, const void *msg)
{
    const struct msg_campaign_config *c = msg;
    if (type != MSG_campaign_config)
        return 0;
    struct json_writer *w = job_row(ctx);
    json_put_uint(w, "id", c->campaign);
    json_put_text(w, "name", c->name);
    json_put_str(w, "mode", campaign_mode_name(c->mode));
    json_put_bool(w, "active", c->active);
    json_put_uint(w, "trunk", c->trunk);
    json_put_text(w, "caller_id", c->caller_id);
    json_put_text(w, "prefixes", c->prefixes);
    json_put_text(w, "zone", c->zone);
    json_put_text(w, "message", c->message);
    job_row_end(ctx);
    return 0;
}

static int row_trunk(void *ctx, uint16_t type, const void *msg)
{
    const struct msg_trunk_config *t = msg;
    struct job *job = ctx;
    const struct config *c = job->ctl->options->config;
    const char *pbx = "";
    if (type != MSG_trunk_config)
        return 0;
    for (size_t i = 0; i < c->n_pbx; i++)
        if (c->pbx[i].number == (int64_t)t->pbx)
            pbx = c->pbx[i].name;
    struct json_writer *w = job_row(job);
    json_put_uint(w, "id", t->trunk);
    json_put_text(w, "name", t->name);
    json_put_uint(w, "pbx", t->pbx);
    json_put_str(w, "pbx_name", pbx);
    json_put_text(w, "endpoint", t->endpoint);
    json_put_uint(w, "lines", t->lines);
    json_put_double(w, "calls_per_s", t->calls_per_s);
    job_row_end(job);
    return 0;
}

static int row_agent(void *ctx, uint16_t type, const void *msg)
{
    const struct msg_agent_config *a = msg;
    if (type != MSG_agent_config)
        return 0;
    struct json_writer *w = job_row(ctx);
    json_put_uint(w, "id", a->agent);
    json_put_text(w, "login", a->login);
    json_put_text(w, "name", a->name);
    json_put_bool(w, "enabled", a->enabled);
    json_put_uint(w, "campaign", a->campaign);
    json_put_text(w, "phone", a->endpoint);
    json_put_uint(w, "pbx", a->pbx);
    json_put_bool(w, "phone_enabled", a->phone_enabled);
    job_row_end(ctx);
    return 0;
}

static void show_all(struct job *job, unsigned kind, store_sink sink)
{
    struct store *s = job->ctl->store;
    if (job_store(job) &&
        !job_store_failed(job, s->ops->load(s, (uint8_t)kind, 0, pool_wall_ms(), sink, job)))
        job_end(job, RESULT_OK, "%s", "");
}

void cmd_campaign_list(struct job *job)
{
    show_all(job, KIND_CAMPAIGN, row_campaign);
}

void cmd_campaign_show(struct job *job)
{
    show_and_end(job, KIND_CAMPAIGN, job_id(job, "campaign"));
}

void cmd_campaign_set(struct job *job)
{
    set_and_end(job, KIND_CAMPAIGN, "campaign");
}

/* --- lists ----------------------------------------------------------------------------------- */

void cmd_list_add(struct job *job)
{
    struct settings s;
    struct store_by by = job_by(job);
    uint64_t campaign = job_id(job, "campaign");
    uint64_t id = 0;
    struct store_list list = {.account = STORE_ACCOUNT,
                              .campaign = campaign,
                              .name = job_text(job, "name"),
                              .priority = 1,
                              .active = true};
    void *exists = settings_read(job, KIND_CAMPAIGN, campaign);
    if (!exists)
        return;
    free(exists);
    if (!settings_take(job, 0, &s) || !settings_apply(job, &s, &list))
        return;
    struct store *store = job->ctl->store;
    if (job_store_failed(job, store->ops->list_add(store, &by, &list, &id)))
        return;
    struct msg_list_changed changed = {.campaign = campaign, .list = id, .active = list.active};
    job_send(job, ADDR_DESK, MSG_list_changed, &changed);
    show_and_end(job, 0, id);
}

static int row_list(void *ctx, const struct store_list *list)
{
    struct json_writer *w = job_row(ctx);
    json_put_uint(w, "id", list->list);
    json_put_text(w, "name", list->name);
    json_put_uint(w, "campaign", list->campaign);
    json_put_uint(w, "priority", list->priority);
    json_put_bool(w, "active", list->active);
    json_put_bool(w, "manual", list->manual);
    json_put_text(w, "country", list->country);
    json_put_text(w, "zone", list->zone);
    json_put_uint(w, "leads", list->leads);
    job_row_end(ctx);
    return 0;
}

void cmd_list_list(struct job *job)
{
    struct store *s = job->ctl->store;
    if (job_store(job) &&
        !job_store_failed(job, s->ops->lists(s, 0, job_id(job, "campaign"), row_list, job)))
        job_end(job, RESULT_OK, "%s", "");
}

static void tell_list(struct job *job, uint64_t id)
{
    struct store_list *list = settings_read(job, 0, id);
    if (!list)
        return;
    struct msg_list_changed changed = {
        .campaign = list->campaign, .list = id, .active = list->active};
    job_send(job, ADDR_DESK, MSG_list_changed, &changed);
    free(list);
}

void cmd_list_set(struct job *job)
{
    uint64_t id = job_id(job, "list");
    set_and_end(job, 0, "list");
    tell_list(job, id);
}

static void switch_list(struct job *job, const char *active)
{
    struct settings s = {.kind = 0};
    uint64_t id = job_id(job, "list");
    settings_add(&s, "active", text_of(active));
    if (!job_store(job) || !settings_store(job, &s, id))
        return;
    tell_list(job, id);
    job_end(job, RESULT_OK, "%s", "");
}

void cmd_list_start(struct job *job)
{
    switch_list(job, "on");
}

void cmd_list_stop(struct job *job)
{
    switch_list(job, "off");
}

/* --- trunks ---------------------------------------------------------------------------------- */

void cmd_trunk_add(struct job *job)
{
    struct msg_trunk_config t;
    struct settings s;
    struct store_by by = job_by(job);
    uint64_t id = 0;
    const struct config *c = job->ctl->options->config;
    store_trunk_defaults(&t);
    t.name = job_text(job, "name");
    if (c->n_pbx > 0 && t.pbx == 0)
        t.pbx = (uint32_t)c->pbx[0].number;
    if (!settings_take(job, KIND_TRUNK, &s) || !settings_apply(job, &s, &t) || !job_store(job))
        return;
    struct store *store = job->ctl->store;
    if (job_store_failed(job, store->ops->trunk_add(store, &by, &t, &id)))
        return;
    job_changed(job, KIND_TRUNK, id);
    show_and_end(job, KIND_TRUNK, id);
}

void cmd_trunk_list(struct job *job)
{
    show_all(job, KIND_TRUNK, row_trunk);
}

void cmd_trunk_set(struct job *job)
{
    set_and_end(job, KIND_TRUNK, "trunk");
}

/* --- agents ---------------------------------------------------------------------------------- */

static uint8_t role_of(const char *word)
{
    return word && strcmp(word, "supervisor") == 0 ? ROLE_SUPERVISOR
           : word && strcmp(word, "admin") == 0    ? ROLE_ADMIN
                                                   : ROLE_AGENT;
}

static bool hash_password(struct job *job, char hash[SECRET_HASH_SIZE])
{
    struct text password = job_text(job, "password-file");
    if (password.len >= 8 && secret_password_hash(password, hash) == 0)
        return true;
    job_end(job, RESULT_INVALID, "a password has 8 to %d characters", SECRET_PASSWORD_MAX);
    return false;
}

void cmd_agent_add(struct job *job)
{
    struct msg_agent_config a;
    struct settings s;
    struct store_by by = job_by(job);
    char hash[SECRET_HASH_SIZE];
    uint64_t id = 0;
    const struct config *c = job->ctl->options->config;
    store_agent_defaults(&a);
    a.account = STORE_ACCOUNT;
    a.login = job_text(job, "login");
    a.name = job_arg(job, "name") ? job_text(job, "name") : a.login;
    ctl_agent_timers(job->ctl, &a);
    if (c->n_pbx > 0 && a.pbx == 0)
        a.pbx = (uint32_t)c->pbx[0].number;
    if (!settings_take(job, KIND_AGENT, &s) || !settings_apply(job, &s, &a) ||
        !hash_password(job, hash) || !job_store(job))
        return;
    struct store *store = job->ctl->store;
    int status =
        store->ops->agent_add(store, &by, &a, role_of(job_arg(job, "role")), text_of(hash), &id);
    if (job_store_failed(job, status))
        return;
    job_changed(job, KIND_AGENT, id);
    show_and_end(job, KIND_AGENT, id);
}

void cmd_agent_list(struct job *job)
{
    show_all(job, KIND_AGENT, row_agent);
}

void cmd_agent_set(struct job *job)
{
    set_and_end(job, KIND_AGENT, "agent");
}

void cmd_agent_assign(struct job *job)
{
    struct store_by by = job_by(job);
    struct store *s = job->ctl->store;
    uint64_t agent = job_id(job, "agent");
    uint64_t campaign = job_id(job, "campaign");
    if (!job_store(job) || job_store_failed(job, s->ops->agent_assign(s, &by, agent, campaign)))
        return;
    job_changed(job, KIND_AGENT, agent);
    job_end(job, RESULT_OK, "%s", "");
}

/* agent phone, enable, disable: settings under other names. */
static void agent_settings(struct job *job, struct settings *s)
{
    uint64_t id = job_id(job, "agent");
    struct msg_agent_config *a = settings_read(job, KIND_AGENT, id);
    if (!a)
        return;
    bool good = settings_apply(job, s, a) && settings_store(job, s, id);
    free(a);
    if (!good)
        return;
    job_changed(job, KIND_AGENT, id);
    job_end(job, RESULT_OK, "%s", "");
}

void cmd_agent_phone(struct job *job)
{
    struct settings s = {.kind = KIND_AGENT};
    settings_add(&s, "phone", job_text(job, "endpoint"));
    if (job_arg(job, "kind"))
        settings_add(&s, "phone_kind", job_text(job, "kind"));
    if (job_arg(job, "enabled"))
        settings_add(&s, "phone_enabled",
                     text_of(strcmp(job_arg(job, "enabled"), "yes") == 0 ? "on" : "off"));
    else
        settings_add(&s, "phone_enabled", text_of("on"));
    if (job_arg(job, "pbx")) {
        settings_add(&s, "pbx", job_text(job, "pbx"));
        if (!settings_name_pbx(job, &s, s.n - 1))
            return;
    }
    agent_settings(job, &s);
}

void cmd_agent_enable(struct job *job)
{
    struct settings s = {.kind = KIND_AGENT};
    settings_add(&s, "enabled", text_of("on"));
    agent_settings(job, &s);
}

void cmd_agent_disable(struct job *job)
{
    struct settings s = {.kind = KIND_AGENT};
    settings_add(&s, "enabled", text_of("off"));
    agent_settings(job, &s);
}

void cmd_agent_password(struct job *job)
{
    struct store_by by = job_by(job);
    struct store *s = job->ctl->store;
    const struct msg_session_end end = {.agent = job_id(job, "agent")};
    char hash[SECRET_HASH_SIZE];
    if (!hash_password(job, hash) || !job_store(job))
        return;
    if (job_store_failed(job, s->ops->agent_password(s, &by, end.agent, text_of(hash))))
        return;
    job_send(job, ADDR_WEB, MSG_session_end, &end); /* who knew the old one is out */
    job_end(job, RESULT_OK, "%s", "");
}

/* --- what there is to set -------------------------------------------------------------------- */

void cmd_settings(struct job *job)
{
    static const char *const types[] = {
        [SETTING_TEXT] = "text",
        [SETTING_UINT] = "whole number",
        [SETTING_FLOAT] = "number",
        [SETTING_FLAG] = "on, off",
        [SETTING_MODE] = "mode",
        [SETTING_LEG] = "auto, permanent, on_demand",
        [SETTING_EXPIRY] = "dial, not_ready",
        [SETTING_PHONE] = "phone",
        [SETTING_MINUTE] = "HH:MM",
        [SETTING_NUMBER] = "E.164",
        [SETTING_PREFIXES] = "prefixes +1212,+44",
        [SETTING_ZONE] = "IANA zone",
        [SETTING_DIAL] = "dial string",
        [SETTING_TEMPLATE] = "dial string with {number}",
        [SETTING_COUNTRY] = "country",
    };
    const char *kind = job_arg(job, "kind");
    size_t n = 0;
    const struct store_setting *all = store_settings(strcmp(kind, "campaign") == 0 ? KIND_CAMPAIGN
                                                     : strcmp(kind, "trunk") == 0  ? KIND_TRUNK
                                                     : strcmp(kind, "agent") == 0  ? KIND_AGENT
                                                                                   : 0,
                                                     &n);
    for (size_t i = 0; i < n; i++) {
        char range[64] = "";
        if (all[i].type == SETTING_UINT || all[i].type == SETTING_FLOAT)
            snprintf(range, sizeof range, "%.10g to %.10g", all[i].min, all[i].max);
        struct json_writer *w = job_row(job);
        json_put_str(w, "name", all[i].name);
        json_put_str(w, "type",
                     all[i].type < sizeof types / sizeof types[0] ? types[all[i].type] : "");
        json_put_str(w, "range", range);
        json_put_str(w, "sentence", all[i].sentence);
        job_row_end(job);
    }
    job_end(job, RESULT_OK, "%s", "");
}
