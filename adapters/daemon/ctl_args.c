/* ctl_args.c - what every command needs: its arguments, the store, the way to the actors. */
#include "adapters/daemon/ctl_job.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *job_arg(const struct job *job, const char *name)
{
    return json_str(&job->args, json_get(&job->args, job->at, name), NULL);
}

struct text job_text(const struct job *job, const char *name)
{
    return json_text(&job->args, json_get(&job->args, job->at, name));
}

uint64_t job_count(const struct job *job, const char *name, uint64_t otherwise)
{
    const char *text = job_arg(job, name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

uint64_t job_id(const struct job *job, const char *name)
{
    return job_count(job, name, 0);
}

bool job_switch(const struct job *job, const char *name)
{
    return job_arg(job, name) != NULL;
}

size_t job_list(const struct job *job, const char *name, struct text *out, size_t max)
{
    size_t n = 0;
    json_ref list = json_get(&job->args, job->at, name);
    for (json_ref e = json_first(&job->args, list); e != JSON_NONE && n < max;
         e = json_next(&job->args, e))
        out[n++] = json_text(&job->args, e);
    return n;
}

/* The server checks what dialerctl has checked, because not only dialerctl can open the socket. */
int job_check_args(const struct job *job, char *why, size_t size)
{
    const struct json *d = &job->args;
    for (json_ref v = json_first(d, job->at); v != JSON_NONE; v = json_next(d, v)) {
        char name[64];
        struct text key = json_key(d, v);
        snprintf(name, sizeof name, "%.*s", (int)key.len, key.ptr);
        const struct ctl_arg *arg = ctl_find_arg(job->command, name);
        if (!arg) {
            snprintf(why, size, "%s has no argument %s", job->command->name, name);
            return -1;
        }
        if (!arg->many) {
            const char *text = json_str(d, v, NULL);
            if (!text) {
                snprintf(why, size, "%s: want a string", name);
                return -1;
            }
            if (ctl_check_value(arg, text, why, size) != 0)
                return -1;
            continue;
        }
        if (json_type(d, v) != JSON_ARRAY) {
            snprintf(why, size, "%s: want an array of strings", name);
            return -1;
        }
        for (json_ref e = json_first(d, v); e != JSON_NONE; e = json_next(d, e))
            if (!json_str(d, e, NULL)) {
                snprintf(why, size, "%s: want an array of strings", name);
                return -1;
            }
    }
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(job->command, i)); i++)
        if (a->required && a->type != ARG_FILE && json_get(d, job->at, a->name) == JSON_NONE) {
            snprintf(why, size, "%s is missing", a->name);
            return -1;
        }
    return 0;
}

bool job_say_time(char text[JOB_TIME_SIZE], int64_t wall_ms)
{
    struct tm tm;
    time_t s = (time_t)(wall_ms / 1000);
    text[0] = '\0';
    if (wall_ms <= 0 || !gmtime_r(&s, &tm))
        return false;
    size_t n = strftime(text, JOB_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, JOB_TIME_SIZE - n, ".%03dZ", (int)(wall_ms % 1000));
    return true;
}

void job_put_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
    char text[JOB_TIME_SIZE];
    if (job_say_time(text, wall_ms))
        json_put_str(w, key, text);
    else
        json_put_null(w, key);
}

/* --- the store ------------------------------------------------------------------------------- */

enum result ctl_store_result(struct ctl *ctl, int status, char *why, size_t why_size)
{
    const char *said = ctl->store->error;
    snprintf(why, why_size, "%s", said[0] ? said : store_status_name(status));
    switch (status) {
    case STORE_OK:
        return RESULT_OK;
    case STORE_AWAY:
        ctl->store_up = false;
        return RESULT_AWAY;
    case STORE_INVALID:
        return RESULT_INVALID;
    case STORE_NOT_FOUND:
        return RESULT_NOT_FOUND;
    case STORE_CONFLICT:
        return RESULT_CONFLICT;
    default:
        return RESULT_REFUSED;
    }
}

bool job_store_failed(struct job *job, int status)
{
    char why[512];
    enum result result = ctl_store_result(job->ctl, status, why, sizeof why);
    if (result == RESULT_OK)
        return false;
    job_end(job, result, "%s", why);
    return true;
}

enum result ctl_store(struct ctl *ctl, char *why, size_t why_size)
{
    if (!ctl->store_ready) {
        snprintf(why, why_size, "the daemon has not got its store yet");
        return RESULT_AWAY;
    }
    if (!ctl->store_up) {
        int status = ctl->store->ops->connect(ctl->store, pool_wall_ms());
        if (status != STORE_OK) {
            snprintf(why, why_size, "store: %s",
                     ctl->store->error[0] ? ctl->store->error : store_status_name(status));
            return RESULT_AWAY;
        }
        ctl->store_up = true;
    }
    return RESULT_OK;
}

bool job_store(struct job *job)
{
    char why[512];
    enum result result = ctl_store(job->ctl, why, sizeof why);
    if (result != RESULT_OK)
        job_end(job, result, "%s", why);
    return result == RESULT_OK;
}

struct store_by job_by(const struct job *job)
{
    return (struct store_by){.who = job->who, .at_wall_ms = pool_wall_ms()};
}

/* --- the actors ------------------------------------------------------------------------------ */

uint64_t job_request(struct job *job)
{
    return ++job->ctl->next_request;
}

void job_send(struct job *job, handle to, uint16_t type, const void *msg)
{
    endpoint_send(job->ctl->endpoint, to, type, msg);
}

void job_changed(struct job *job, unsigned kind, uint64_t id)
{
    struct msg_changed changed = {.kind = (uint8_t)kind, .id = id};
    job_send(job, ADDR_DESK, MSG_changed, &changed);
}

void ctl_agent_timers(const struct ctl *ctl, struct msg_agent_config *agent)
{
    agent->wrapup_default_s = (uint32_t)(ctl->timers.wrapup_default_ms / 1000);
    agent->busy_reset_s = (uint32_t)(ctl->timers.busy_reset_ms / 1000);
    agent->link_grace_s = (uint32_t)(ctl->timers.link_grace_ms / 1000);
    agent->leg_ring_s = (uint32_t)(ctl->timers.leg_ring_ms / 1000);
}

/* --- which function is which command --------------------------------------------------------- */

job_fn job_find(const char *command)
{
    static const struct {
        const char *name;
        job_fn run;
    } table[] = {
        {"status", cmd_status},
        {"campaign add", cmd_campaign_add},
        {"campaign list", cmd_campaign_list},
        {"campaign show", cmd_campaign_show},
        {"campaign set", cmd_campaign_set},
        {"campaign start", cmd_campaign_start},
        {"campaign stop", cmd_campaign_stop},
        {"list add", cmd_list_add},
        {"list list", cmd_list_list},
        {"list set", cmd_list_set},
        {"list start", cmd_list_start},
        {"list stop", cmd_list_stop},
        {"trunk add", cmd_trunk_add},
        {"trunk list", cmd_trunk_list},
        {"trunk set", cmd_trunk_set},
        {"agent add", cmd_agent_add},
        {"agent list", cmd_agent_list},
        {"agent set", cmd_agent_set},
        {"agent assign", cmd_agent_assign},
        {"agent phone", cmd_agent_phone},
        {"agent enable", cmd_agent_enable},
        {"agent disable", cmd_agent_disable},
        {"agent password", cmd_agent_password},
        {"agent ticket", cmd_agent_ticket},
        {"agent state", cmd_agent_state},
        {"agent logout", cmd_agent_logout},
        {"agent hangup", cmd_agent_hangup},
        {"pbx list", cmd_pbx_list},
        {"pbx retake", cmd_pbx_retake},
        {"attempt list", cmd_attempt_list},
        {"attempt correct", cmd_attempt_correct},
        {"login-link", cmd_login_link},
        {"dnc add", cmd_dnc_add},
        {"dnc list", cmd_dnc_list},
        {"lead import", cmd_lead_import},
        {"lead show", cmd_lead_show},
        {"export calls", cmd_export},
        {"export agents", cmd_export},
        {"export leads", cmd_export},
        {"explain campaign", cmd_explain_campaign},
        {"explain lead", cmd_explain_lead},
        {"settings", cmd_settings},
        {"audit", cmd_audit},
        {"alarms", cmd_alarms},
        {"db status", cmd_db},
        {"db migrate", cmd_db},
        {"demo-data", cmd_demo_data},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, command) == 0)
            return table[i].run;
    return NULL;
}
