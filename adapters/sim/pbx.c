// The model's frame: its making and end, time, chance, and what a test does to it from outside.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/media.h"

enum { REPLY_MAX = 32 << 20 };

void pbx_config_default(struct pbx_config *config)
{
    *config = (struct pbx_config){
        .seed = 1,
        .app = "dialer",
        .contexts = 1,
        .sounds = 4,
        .sound = {{"beep", 0.2}, {"dialer/beep1", 1}, {"dialer/tone5", 5}, {"dialer/message", 5}},
        .early_events = 0.02,
        .setup_us = 1000,
        .hangup_us = 1000};
    population_default(&config->people);
    mem_copy(config->customers[0], sizeof config->customers[0], "customers");
}

static void add_configured(struct pbx *pbx)
{
    for (size_t i = 0; i < pbx->config.trunks; i++) {
        struct endpoint *e = endpoint_add(pbx, pbx->config.trunk[i].name);
        e->trunk = true;
        e->limits = pbx->config.trunk[i];
        e->registered = !e->limits.down;
        e->shown = device_state(e);
    }
    for (size_t i = 0; i < pbx->config.phones; i++) {
        const struct pbx_phone *p = &pbx->config.phone[i];
        if (strchr(p->pattern, '*') == NULL)
            endpoint_find(pbx, p->pattern);
    }
}

struct pbx *pbx_new(const struct pbx_config *config, const struct pbx_hooks *hooks, int64_t now_us,
                    int64_t wall_ms)
{
    struct pbx *pbx = mem_new(sizeof *pbx);
    pbx->config = *config;
    pbx->hooks = *hooks;
    pbx->now_us = now_us;
    pbx->wall_offset_ms = wall_ms - now_us / 1000;
    pbx->startup_ms = wall_ms;
    pbx->random = config->seed * 0x9e3779b97f4a7c15u + 1;
    json_writer_init_heap(&pbx->event, REPLY_MAX);
    json_writer_init_heap(&pbx->framed, REPLY_MAX);
    json_writer_init_heap(&pbx->reply, REPLY_MAX);
    json_writer_init_heap(&pbx->line, 65536);
    json_init(&pbx->parsed, 0);
    json_init(&pbx->filtered, REPLY_MAX);
    add_configured(pbx);
    return pbx;
}

// Every channel, bridge, application: without an event.
static void forget_all(struct pbx *pbx)
{
    media_forget(pbx);
    while (pbx->bridges != NULL)
        bridge_free(pbx->bridges, pbx);
    while (pbx->channels != NULL)
        chan_drop(pbx->channels);
    app_forget(pbx);
    for (size_t i = 0; i < pbx->globals; i++) {
        free(pbx->global[i].name);
        free(pbx->global[i].value);
    }
    pbx->globals = 0;
    pbx->devices = 0;
}

void pbx_free(struct pbx *pbx)
{
    if (pbx == NULL)
        return;
    pbx->hooks.witness = NULL; // the end of the program is no event on the network
    while (pbx->clients != NULL)
        pbx_client_close(pbx, pbx->clients);
    forget_all(pbx);
    while (pbx->spare != NULL) {
        struct chan *c = pbx->spare;
        pbx->spare = c->next;
        free(c->var);
        free(c);
    }
    while (pbx->endpoints != NULL) {
        struct endpoint *e = pbx->endpoints;
        pbx->endpoints = e->next;
        free(e->recent);
        free(e);
    }
    dialed_forget(pbx);
    sched_free(&pbx->sched);
    json_writer_free(&pbx->event);
    json_writer_free(&pbx->framed);
    json_writer_free(&pbx->reply);
    json_writer_free(&pbx->line);
    json_free(&pbx->parsed);
    json_free(&pbx->filtered);
    free(pbx->frame);
    free(pbx->global);
    free(pbx->device);
    free(pbx);
}

uint64_t pbx_random(struct pbx *pbx)
{
    uint64_t z = pbx->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double pbx_chance(struct pbx *pbx)
{
    return (double)(pbx_random(pbx) >> 11) / 9007199254740992.0;
}

int64_t pbx_wall_ms(const struct pbx *pbx)
{
    return pbx->wall_offset_ms + pbx->now_us / 1000;
}

void pbx_at(struct pbx *pbx, struct task *task, int64_t after_us)
{
    sched_at(&pbx->sched, task, pbx->now_us + after_us);
}

void pbx_uuid(struct pbx *pbx, char out[40])
{
    uint64_t a = pbx_random(pbx), b = pbx_random(pbx);
    snprintf(out, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
}

void pbx_unique(struct pbx *pbx, char *out, size_t size)
{
    snprintf(out, size, "%lld.%llu", (long long)(pbx_wall_ms(pbx) / 1000),
             (unsigned long long)pbx->next_unique++);
}

void global_set(struct pbx *pbx, const char *name, const char *value)
{
    for (size_t i = 0; i < pbx->globals; i++) {
        if (strcmp(pbx->global[i].name, name) == 0) {
            free(pbx->global[i].value);
            pbx->global[i].value = mem_str(value);
            return;
        }
    }
    pbx->global = mem_grow(pbx->global, (pbx->globals + 1) * sizeof *pbx->global);
    pbx->global[pbx->globals++] = (struct var){.name = mem_str(name), .value = mem_str(value)};
}

const char *global_get(const struct pbx *pbx, const char *name)
{
    for (size_t i = 0; i < pbx->globals; i++)
        if (strcmp(pbx->global[i].name, name) == 0)
            return pbx->global[i].value;
    return NULL;
}

int64_t pbx_due(const struct pbx *pbx)
{
    return sched_next(&pbx->sched);
}

void pbx_run(struct pbx *pbx, int64_t now_us)
{
    struct task *task;
    while ((task = sched_take(&pbx->sched, now_us)) != NULL) {
        if (task->due > pbx->now_us)
            pbx->now_us = task->due;
        task->run(task->owner);
    }
    if (now_us > pbx->now_us)
        pbx->now_us = now_us;
}

int64_t pbx_work_us(const struct pbx *pbx)
{
    return (int64_t)(45 * pbx->events + 500 * pbx->answers + 500 * pbx->ended);
}

size_t pbx_live_channels(const struct pbx *pbx)
{
    return pbx->ids.count;
}

// --- from outside ---

bool pbx_far_hangup(struct pbx *pbx, const char *id, int cause)
{
    struct chan *c = chan_find(pbx, id);
    if (c == NULL || c->ending || c->ghost || c->origin == BY_SNOOP)
        return false;
    if (c->state == CHAN_UP)
        call_end(c, END_BYE, cause);
    else
        call_end(c, END_FINAL, cause > 0 && sip_of_cause(cause) > 0 ? sip_of_cause(cause) : 486);
    return true;
}

bool pbx_far_answer(struct pbx *pbx, const char *id)
{
    struct chan *c = chan_find(pbx, id);
    if (c == NULL || c->ending || c->state == CHAN_UP || c->invited_us == 0)
        return false;
    c->far.steps = 0;
    c->far_next = 0;
    sched_cancel(&pbx->sched, &c->far_task);
    call_answered(c);
    return true;
}

bool pbx_far_dtmf(struct pbx *pbx, const char *id, const char *digits)
{
    struct chan *c = chan_find(pbx, id);
    if (c == NULL || c->ending || c->state != CHAN_UP)
        return false;
    for (; *digits != '\0'; digits++) {
        if (strchr("0123456789ABCD*#", *digits) == NULL)
            return false;
        media_digit(c, *digits);
        if (!bridge_hides_dtmf(c->bridge))
            ev_dtmf(c, *digits, 120);
    }
    return true;
}

bool pbx_far_hold(struct pbx *pbx, const char *id, bool on)
{
    struct chan *c = chan_find(pbx, id);
    if (c == NULL || c->ending || c->state != CHAN_UP)
        return false;
    ev_hold(c, on);
    return true;
}

bool pbx_far_refer(struct pbx *pbx, const char *id, const char *exten)
{
    struct chan *c = chan_find(pbx, id);
    return c != NULL && !c->ending && call_refer(c, exten);
}

bool pbx_register(struct pbx *pbx, const char *endpoint, bool registered)
{
    struct endpoint *e = endpoint_find(pbx, endpoint);
    if (e == NULL)
        return false;
    if (e->registered == registered)
        return true;
    e->registered = registered;
    ev_contact(pbx, e);
    return true;
}

bool pbx_trunk_set(struct pbx *pbx, const struct pbx_trunk *trunk)
{
    struct endpoint *e = endpoint_find(pbx, trunk->name);
    if (e == NULL || !e->trunk)
        return false;
    e->limits = *trunk;
    return pbx_register(pbx, trunk->name, !trunk->down);
}

void pbx_people_set(struct pbx *pbx, const struct population *people)
{
    pbx->config.people = *people;
}

void pbx_stop(struct pbx *pbx, bool hard)
{
    witness_plain(pbx, hard ? "kill" : "stop", "");
    while (!hard && pbx->channels != NULL)
        call_end(pbx->channels, END_STOP, 0);
    for (struct pbx_client *client = pbx->clients; client != NULL; client = client->next)
        client->apps = 0;
    forget_all(pbx);
}

void pbx_stop_gracefully(struct pbx *pbx)
{
    witness_plain(pbx, "stop_gracefully", "");
    pbx->stopping = true;
}

void pbx_boot(struct pbx *pbx)
{
    pbx->stopping = false;
    pbx->startup_ms = pbx_wall_ms(pbx);
    witness_plain(pbx, "boot", "");
}

void pbx_stats(struct pbx *pbx, struct json_writer *w)
{
    json_put_uint(w, "originates", pbx->originates);
    json_put_uint(w, "answers", pbx->answers);
    json_put_uint(w, "ended", pbx->ended);
    json_put_uint(w, "refused", pbx->refused);
    json_put_uint(w, "events", pbx->events);
    json_put_uint(w, "storm_events", pbx->storm.sent);
    json_put_uint(w, "storm_foreign", pbx->storm.foreign);
    json_put_uint(w, "channels", pbx->ids.count);
    json_put_uint(w, "bridges", pbx->bridge_ids.count);
    json_open_array(w, "applications");
    for (const struct app *a = pbx->apps; a != NULL; a = a->next)
        json_put_str(w, NULL, a->name);
    json_close_array(w);
}

const struct population *pbx_people(const struct pbx *pbx)
{
    return &pbx->config.people;
}

bool pbx_inbound(struct pbx *pbx, const struct pbx_call *call)
{
    struct endpoint *e = endpoint_find(pbx, call->endpoint);
    const struct plan_line *line = plan_find(pbx, call->context, call->exten, 1, NULL);
    if (!endpoint_reachable(e) || line == NULL || chan_id_taken(pbx, call->id))
        return false;
    struct chan *c = chan_new(pbx, call->id, BY_INBOUND);
    c->endpoint = e;
    e->live++;
    chan_name(c);
    c->state = CHAN_RING;
    mem_copy(c->caller_name, sizeof c->caller_name, call->from);
    mem_copy(c->caller_number, sizeof c->caller_number, call->from);
    far_phone(&c->far, 0);
    c->far.fate = "inbound";
    witness_word(pbx, "inbound", c->id, "endpoint", call->endpoint);
    ev_created(c);
    plan_start(c, line, call->context, call->exten);
    return true;
}
