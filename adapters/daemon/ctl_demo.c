/* ctl_demo.c - demo-data: a trunk, a campaign, agents and leads that exist nowhere. Numbers are
 * those kept free for fiction: +1 NPA 555 01xx and +44 20 7946 0xxx. */
#include "adapters/daemon/ctl_job.h"
#include "adapters/secret/secret.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 500
#define LEADS_MAX 50000

struct demo_data {
    uint64_t campaign, list, trunk, import;
    uint64_t leads, made;
    uint64_t agents;
    struct store_import_count count;
    struct store_lead batch[BATCH];
    char numbers[BATCH][20];
    char names[BATCH][48];
    char fields[BATCH][128];
};

static struct text text_of(const char *word)
{
    return (struct text){word, (uint32_t)strlen(word)};
}

/* The i-th fictional number: every eleventh is in London, the others go through the area codes of
 * the North American plan. */
static void fictional_number(uint64_t i, char *out, size_t size)
{
    if (i < 11000 && i % 11 == 10) {
        snprintf(out, size, "+442079460%03u", (unsigned)(i / 11));
        return;
    }
    uint64_t n = i < 11000 ? i - i / 11 : i - 1000;
    unsigned code = (unsigned)(n / 100 % 712); /* 8 * 9 * 10 codes, without those that end in 11 */
    unsigned area = 0;
    for (unsigned a = 200; a < 1000; a++) {
        if (a / 10 % 10 == 9 || a % 100 == 11)
            continue;
        if (code-- == 0) {
            area = a;
            break;
        }
    }
    snprintf(out, size, "+1%03u55501%02u", area, (unsigned)(n % 100));
}

static void fictional_lead(struct demo_data *d, size_t k, uint64_t i)
{
    static const char *const first[] = {"Ada",   "Bruno", "Chiara", "Dmitri", "Elif",  "Farid",
                                        "Greta", "Hana",  "Ivo",    "Jamila", "Kofi",  "Lena",
                                        "Mateo", "Nadia", "Oskar",  "Priya",  "Quinn", "Rosa"};
    static const char *const last[] = {"Abara", "Berg",   "Castillo", "Dahl", "Evans",
                                       "Fuchs", "Garcia", "Hughes",   "Ito",  "Jensen",
                                       "Kaya",  "Lopez",  "Moreau",   "Novak"};
    static const char *const plans[] = {"basic", "plus", "family", "business"};
    fictional_number(i, d->numbers[k], sizeof d->numbers[k]);
    snprintf(d->names[k], sizeof d->names[k], "%s %s", first[i % 18], last[i / 18 % 14]);
    snprintf(d->fields[k], sizeof d->fields[k], "{\"plan\":\"%s\",\"customer\":\"C%06llu\"}",
             plans[i % 4], (unsigned long long)i);
    d->batch[k] = (struct store_lead){.number = text_of(d->numbers[k]),
                                      .name = text_of(d->names[k]),
                                      .zone = {"", 0},
                                      .fields = text_of(d->fields[k])};
}

static void free_demo(struct job *job)
{
    free(job->state);
}

static void finish(struct job *job)
{
    const struct demo_data *d = job->state;
    struct msg_list_changed changed = {.campaign = d->campaign, .list = d->list, .active = true};
    job_send(job, ADDR_DESK, MSG_list_changed, &changed);
    struct json_writer *w = job_row(job);
    json_put_uint(w, "trunk", d->trunk);
    json_put_uint(w, "campaign", d->campaign);
    json_put_uint(w, "list", d->list);
    json_put_uint(w, "agents", d->agents);
    json_put_uint(w, "leads", d->count.inserted);
    job_row_end(job);
    job_end(job, RESULT_OK, "%s", "");
}

static void more_leads(struct job *job)
{
    struct demo_data *d = job->state;
    struct store *s = job->ctl->store;
    size_t n = 0;
    while (n < BATCH && d->made + n < d->leads) {
        fictional_lead(d, n, d->made + n);
        n++;
    }
    if (n > 0 && job_store_failed(job, s->ops->leads_insert(s, d->list, d->import, pool_wall_ms(),
                                                            d->batch, n, &d->count)))
        return;
    d->made += n;
    if (d->made == d->leads)
        finish(job);
}

static bool make_campaign(struct job *job, struct demo_data *d, const struct store_by *by,
                          uint32_t pbx)
{
    struct store *s = job->ctl->store;
    struct msg_trunk_config t;
    struct msg_campaign_config c;
    store_trunk_defaults(&t);
    t.name = text_of("demo carrier");
    t.pbx = pbx;
    t.endpoint = text_of("PJSIP/{number}@carrier");
    t.lines = 200;
    t.calls_per_s = 10;
    if (job_store_failed(job, s->ops->trunk_add(s, by, &t, &d->trunk)))
        return false;
    store_campaign_defaults(&c);
    c.name = text_of("demo");
    c.mode = MODE_RATIO;
    c.leg = LEG_PERMANENT;
    c.ratio = 1.5;
    c.trunk = d->trunk;
    c.caller_id = text_of("+12125550100");
    c.prefixes = text_of("+1,+44");
    c.message = text_of("safe-harbour");
    c.window_from_min = c.window_to_min = 0;
    c.ring_s = 20;
    struct store_list list = {
        .account = STORE_ACCOUNT, .name = text_of("demo leads"), .priority = 1, .active = true};
    if (job_store_failed(job, s->ops->campaign_add(s, by, &c, &d->campaign)))
        return false;
    list.campaign = d->campaign;
    return !job_store_failed(job, s->ops->list_add(s, by, &list, &d->list)) &&
           !job_store_failed(job,
                             s->ops->import_begin(s, by, d->list, text_of("demo"), &d->import));
}

/* Agents of the demo have no password: they come in by tickets. */
static bool make_agents(struct job *job, struct demo_data *d, const struct store_by *by,
                        uint32_t pbx, uint64_t n)
{
    struct store *s = job->ctl->store;
    for (uint64_t i = 1; i <= n; i++) {
        char login[32];
        char name[32];
        char phone[32];
        uint64_t id = 0;
        struct msg_agent_config a;
        snprintf(login, sizeof login, "demo%llu", (unsigned long long)i);
        snprintf(name, sizeof name, "Agent %llu", (unsigned long long)i);
        snprintf(phone, sizeof phone, "PJSIP/agent%llu", (unsigned long long)i);
        store_agent_defaults(&a);
        a.login = text_of(login);
        a.name = text_of(name);
        a.endpoint = text_of(phone);
        a.phone_enabled = true;
        a.pbx = pbx;
        ctl_agent_timers(job->ctl, &a);
        if (job_store_failed(job, s->ops->agent_add(s, by, &a, ROLE_AGENT, text_of(""), &id)) ||
            job_store_failed(job, s->ops->agent_assign(s, by, id, d->campaign)))
            return false;
        d->agents++;
    }
    return true;
}

void cmd_demo_data(struct job *job)
{
    const struct config *c = job->ctl->options->config;
    struct store_by by = job_by(job);
    const char *pbx_name = job_arg(job, "pbx");
    size_t i = 0;
    while (i < c->n_pbx && pbx_name && strcmp(c->pbx[i].name, pbx_name) != 0)
        i++;
    if (i >= c->n_pbx) {
        job_end(job, RESULT_INVALID, "the config file has no section [pbx%s%s]",
                pbx_name ? " " : "", pbx_name ? pbx_name : "");
        return;
    }
    struct demo_data *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    job->state = d;
    job->on_free = free_demo;
    d->leads = job_count(job, "leads", 1000);
    uint32_t pbx = (uint32_t)c->pbx[i].number;
    if (d->leads > LEADS_MAX) {
        job_end(job, RESULT_INVALID, "leads: there are only %d fictional numbers", LEADS_MAX);
        return;
    }
    if (!job_store(job) || !make_campaign(job, d, &by, pbx) ||
        !make_agents(job, d, &by, pbx, job_count(job, "agents", 5)))
        return;
    job_changed(job, KIND_TRUNK, d->trunk);
    job_changed(job, KIND_CAMPAIGN, d->campaign);
    job_changed(job, KIND_AGENT, 0);
    job->on_room = more_leads;
}
