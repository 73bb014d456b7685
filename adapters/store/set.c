/*
 * set.c - store_set(): read one thing, change settings in it, write it, tell the audit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/rules.h"

#define VALUE_MAX 512
#define NAMES_MAX 40

/* One thing of any kind, with texts of its own: the handle's are gone with its next operation. */
struct thing {
    bool found;
    unsigned kind;
    union {
        struct msg_campaign_config campaign;
        struct msg_trunk_config trunk;
        struct msg_agent_config agent;
        struct store_list list;
    } u;
    char texts[4096];
    size_t used;
};

/* The texts that are settings are those that are written back; the rest may dangle. */
static void own_texts(struct thing *t)
{
    size_t n, i;
    const struct store_setting *s = store_settings(t->kind, &n);

    for (i = 0; i < n; i++) {
        struct text *text;
        if (s[i].width != sizeof(struct text))
            continue;
        text = (struct text *)(void *)((char *)&t->u + s[i].offset);
        if (text->len > sizeof t->texts - t->used) {
            t->found = false;
            return;
        }
        if (text->len)
            memcpy(t->texts + t->used, text->ptr, text->len);
        text->ptr = t->texts + t->used;
        t->used += text->len;
    }
}

static int take_thing(void *ctx, uint16_t type, const void *msg)
{
    struct thing *t = ctx;

    if (t->kind == KIND_CAMPAIGN && type == MSG_campaign_config)
        t->u.campaign = *(const struct msg_campaign_config *)msg;
    else if (t->kind == KIND_TRUNK && type == MSG_trunk_config)
        t->u.trunk = *(const struct msg_trunk_config *)msg;
    else if (t->kind == KIND_AGENT && type == MSG_agent_config)
        t->u.agent = *(const struct msg_agent_config *)msg;
    else
        return 0;
    t->found = true;
    own_texts(t);
    return 0;
}

static int take_list(void *ctx, const struct store_list *list)
{
    struct thing *t = ctx;

    t->u.list = *list;
    t->found = true;
    own_texts(t);
    return 0;
}

static int read_thing(struct store *s, struct thing *t, unsigned kind, uint64_t id, int64_t now)
{
    t->kind = kind;
    return kind ? s->ops->load(s, (uint8_t)kind, id, now, take_thing, t)
                : s->ops->lists(s, id, 0, take_list, t);
}

static int write_thing(struct store *s, const struct thing *t)
{
    switch (t->kind) {
    case KIND_CAMPAIGN:
        return s->ops->campaign_put(s, &t->u.campaign);
    case KIND_TRUNK:
        return s->ops->trunk_put(s, &t->u.trunk);
    case KIND_AGENT:
        return s->ops->agent_put(s, &t->u.agent);
    default:
        return s->ops->list_put(s, &t->u.list);
    }
}

static const char *kind_word(unsigned kind)
{
    switch (kind) {
    case KIND_CAMPAIGN:
        return "campaign";
    case KIND_TRUNK:
        return "trunk";
    case KIND_AGENT:
        return "agent";
    default:
        return "list";
    }
}

/* What would start dialing in a way it must not: refused whatever the order of the settings. */
static const char *combination(const struct thing *t)
{
    const struct msg_campaign_config *c = &t->u.campaign;

    if (t->kind != KIND_CAMPAIGN)
        return NULL;
    if (c->hopper_low >= c->hopper_size)
        return "hopper_low must be less than hopper_size";
    if (c->mode == MODE_RATIO && c->leg == LEG_ON_DEMAND)
        return "ratio mode needs permanent legs (R2)";
    return NULL;
}

static int audit_changes(struct store *s, const struct store_by *by, const struct thing *before,
                         const struct thing *after, uint64_t id)
{
    size_t n, i;
    const struct store_setting *setting = store_settings(after->kind, &n);
    char old[VALUE_MAX], new[VALUE_MAX];
    int rc = STORE_OK;

    for (i = 0; i < n && rc == STORE_OK; i++) {
        struct store_audit a = {.at_wall_ms = by->at_wall_ms,
                                .who = text_from(by->who),
                                .kind = text_from(kind_word(after->kind)),
                                .subject = id,
                                .field = text_from(setting[i].name)};
        store_setting_format(&setting[i], &before->u, old, sizeof old);
        store_setting_format(&setting[i], &after->u, new, sizeof new);
        if (strcmp(old, new) == 0)
            continue;
        a.before = text_from(old);
        a.after = text_from(new);
        rc = s->ops->audit(s, &a, 1);
    }
    return rc;
}

static int change(struct store *s, const struct store_by *by, struct thing *t, struct thing *before,
                  uint64_t id, const struct text *names, const struct text *values, size_t n,
                  char *why, size_t why_size)
{
    const char *bad;
    size_t i;
    int rc;

    for (i = 0; i < n; i++) {
        rc = store_setting_parse(t->kind, &t->u, names[i], values[i], why, why_size);
        if (rc)
            return rc;
    }
    bad = combination(t);
    if (bad) {
        snprintf(why, why_size, "%s", bad);
        return STORE_INVALID;
    }
    rc = write_thing(s, t);
    if (rc == STORE_OK)
        rc = audit_changes(s, by, before, t, id);
    if (rc != STORE_OK)
        snprintf(why, why_size, "%s", s->error);
    return rc;
}

int store_set(struct store *s, const struct store_by *by, unsigned kind, uint64_t id,
              const struct text *names, const struct text *values, size_t n, char *why,
              size_t why_size)
{
    struct thing *t = calloc(2, sizeof *t);
    int rc;

    snprintf(why, why_size, "out of memory");
    if (!t)
        return STORE_AWAY;
    rc = n > NAMES_MAX ? STORE_INVALID : s->ops->begin(s);
    if (rc == STORE_OK) {
        rc = read_thing(s, &t[0], kind, id, by->at_wall_ms);
        if (rc == STORE_OK && !t[0].found)
            rc = STORE_NOT_FOUND;
        snprintf(why, why_size, "there is no %s %llu", kind_word(kind), (unsigned long long)id);
        if (rc == STORE_OK) {
            t[1] = t[0]; /* its texts point into t[0], which does not change them */
            rc = change(s, by, &t[1], &t[0], id, names, values, n, why, why_size);
        }
        if (rc == STORE_OK)
            rc = s->ops->commit(s);
        else
            s->ops->rollback(s);
    }
    if (rc == STORE_AWAY || rc == STORE_FAULT)
        snprintf(why, why_size, "%s", s->error);
    free(t);
    return rc;
}
