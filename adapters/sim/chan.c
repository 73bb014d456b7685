// Channels as records: ids, names, variables, the lists they are in.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sim/model.h"

struct chan *chan_new(struct pbx *pbx, const char *id, enum chan_origin origin)
{
    struct chan *c = pbx->spare;
    if (c != NULL) {
        pbx->spare = c->next;
        struct var *kept = c->var;
        *c = (struct chan){.var = kept};
    } else {
        c = mem_new(sizeof *c);
        c->var = mem_new(4 * sizeof *c->var);
    }
    c->pbx = pbx;
    c->origin = origin;
    if (id != NULL && id[0] != '\0')
        mem_copy(c->id, sizeof c->id, id);
    else
        pbx_unique(pbx, c->id, sizeof c->id);
    c->created_ms = pbx_wall_ms(pbx);
    mem_copy(c->language, sizeof c->language, "en");
    mem_copy(c->context, sizeof c->context, "inbound");
    mem_copy(c->exten, sizeof c->exten, "s");
    c->priority = 1;
    c->node.key = c->id;
    idtree_insert(&pbx->ids, &c->node);
    c->next = pbx->channels;
    if (c->next != NULL)
        c->next->prev = c;
    pbx->channels = c;
    return c;
}

struct chan *chan_find(const struct pbx *pbx, const char *id)
{
    // node is the first member of its channel
    return (struct chan *)(void *)idtree_find(&pbx->ids, id);
}

struct chan *chan_find_any(const struct pbx *pbx, const char *id)
{
    struct chan *c = chan_find(pbx, id);
    if (c != NULL || strchr(id, '/') == NULL)
        return c;
    for (c = pbx->channels; c != NULL; c = c->next)
        if (strcasecmp(c->name, id) == 0)
            return c;
    return NULL;
}

bool chan_id_taken(const struct pbx *pbx, const char *id)
{
    if (id[0] == '\0')
        return false;
    return pbx->config.exact_ids ? idtree_find(&pbx->ids, id) != NULL
                                 : idtree_prefixed(&pbx->ids, id) != NULL;
}

void chan_name(struct chan *c)
{
    struct pbx *pbx = c->pbx;
    if (c->endpoint != NULL)
        snprintf(c->name, sizeof c->name, "PJSIP/%s-%08x", c->endpoint->name, pbx->next_channel++);
    pbx_uuid(pbx, c->protocol_id);
}

void endpoint_settle(struct pbx *pbx, struct endpoint *e)
{
    const char *state = device_state(e);
    if (e->shown == state)
        return;
    e->shown = state;
    ev_device(pbx, e->key, state);
}

void chan_set_state(struct chan *c, enum chan_state state)
{
    struct endpoint *e = c->endpoint;
    if (e != NULL) {
        e->up += (state == CHAN_UP) - (c->state == CHAN_UP);
        e->ringing += (state == CHAN_RINGING) - (c->state == CHAN_RINGING);
    }
    c->state = state;
    if (e != NULL)
        endpoint_settle(c->pbx, e);
}

void chan_plan_app(struct chan *c, const char *app, const char *data)
{
    mem_copy(c->plan_app, sizeof c->plan_app, app);
    mem_copy(c->plan_data, sizeof c->plan_data, data);
}

void chan_set_var(struct chan *c, const char *name, const char *value, bool report)
{
    struct var *v = NULL;
    for (size_t i = 0; i < c->vars && v == NULL; i++)
        if (strcmp(c->var[i].name, name) == 0)
            v = &c->var[i];
    if (v == NULL) {
        if (c->vars >= 4 && (c->vars & (c->vars - 1)) == 0)
            c->var = mem_grow(c->var, 2 * c->vars * sizeof *c->var);
        v = &c->var[c->vars++];
        *v = (struct var){.name = mem_str(name)};
    }
    free(v->value);
    v->value = mem_str(value);
    if (report && v->reported == NULL)
        v->reported = mem_str(value);
    c->reports = c->reports || report;
}

const char *chan_var(const struct chan *c, const char *name)
{
    for (size_t i = 0; i < c->vars; i++)
        if (strcmp(c->var[i].name, name) == 0)
            return c->var[i].value;
    return NULL;
}

static void free_vars(struct chan *c)
{
    for (size_t i = 0; i < c->vars; i++) {
        free(c->var[i].name);
        free(c->var[i].value);
        free(c->var[i].reported);
    }
    c->vars = 0;
}

void chan_drop(struct chan *c)
{
    struct pbx *pbx = c->pbx;
    struct task *tasks[] = {&c->far_task, &c->timeout_task, &c->end_task, &c->plan_task,
                            &c->voice_task};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        sched_cancel(&pbx->sched, tasks[i]);
    idtree_remove(&pbx->ids, &c->node);
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        pbx->channels = c->next;
    for (struct chan *d = pbx->channels; c->snoops > 0 && d != NULL; d = d->next)
        if (d->snooped == c)
            d->snooped = NULL;
    if (c->snooped != NULL) {
        c->snooped->snoops--;
        if (c->snooped->bridge != NULL)
            bridge_settle(c->snooped->bridge);
    }
    if (c->other != NULL)
        c->other->other = NULL;
    interest_clear(pbx, c->interest);
    free_vars(c);
    if (c->endpoint != NULL) {
        struct endpoint *e = c->endpoint;
        chan_set_state(c, CHAN_DOWN);
        e->live--;
        c->endpoint = NULL;
        ev_endpoint_state(pbx, e);
    }
    c->next = pbx->spare;
    pbx->spare = c;
}
