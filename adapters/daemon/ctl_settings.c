/* ctl_settings.c - see ctl_settings.h. */
#include "adapters/daemon/ctl_settings.h"

#include <stdlib.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------- */

struct wanted {
    uint16_t type;
    void *block;
};

static int keep_message(void *ctx, uint16_t type, const void *msg)
{
    struct wanted *w = ctx;
    if (type != w->type || w->block)
        return 0;
    const struct message_desc *desc = message_find(&dialer_catalogue, type);
    w->block = malloc(message_bytes(desc, msg));
    if (!w->block)
        abort();
    message_copy(desc, msg, w->block);
    return 1;
}

static struct text *list_texts(struct store_list *list, size_t i)
{
    struct text *const all[] = {&list->name, &list->country, &list->zone};
    return all[i];
}

static int keep_list(void *ctx, const struct store_list *list)
{
    void **block = ctx;
    size_t size = sizeof *list + list->name.len + list->country.len + list->zone.len;
    struct store_list *copy = malloc(size);
    if (!copy)
        abort();
    *copy = *list;
    char *at = (char *)(copy + 1);
    for (size_t i = 0; i < 3; i++) {
        struct text *t = list_texts(copy, i);
        if (t->len)
            memcpy(at, t->ptr, t->len);
        t->ptr = at;
        at += t->len;
    }
    *block = copy;
    return 1;
}

enum result settings_fetch(struct ctl *ctl, unsigned kind, uint64_t id, void **block, char *why,
                           size_t why_size)
{
    struct store *s = ctl->store;
    struct wanted w = {.type = kind == KIND_CAMPAIGN ? MSG_campaign_config
                               : kind == KIND_TRUNK  ? MSG_trunk_config
                                                     : MSG_agent_config};
    const char *word = kind == KIND_CAMPAIGN ? "campaign"
                       : kind == KIND_TRUNK  ? "trunk"
                       : kind == KIND_AGENT  ? "agent"
                                             : "list";
    enum result result = ctl_store(ctl, why, why_size);
    *block = NULL;
    if (result != RESULT_OK)
        return result;
    int status = kind ? s->ops->load(s, (uint8_t)kind, id, pool_wall_ms(), keep_message, &w)
                      : s->ops->lists(s, id, 0, keep_list, &w.block);
    if (status != STORE_OK && status != STORE_NOT_FOUND) {
        free(w.block);
        return ctl_store_result(ctl, status, why, why_size);
    }
    *block = w.block;
    if (w.block)
        return RESULT_OK;
    snprintf(why, why_size, "there is no %s %llu", word, (unsigned long long)id);
    return RESULT_NOT_FOUND;
}

void *settings_read(struct job *job, unsigned kind, uint64_t id)
{
    char why[512];
    void *block = NULL;
    enum result result = settings_fetch(job->ctl, kind, id, &block, why, sizeof why);
    if (result != RESULT_OK)
        job_end(job, result, "%s", why);
    return block;
}

/* --- NAME=VALUE ------------------------------------------------------------------------------ */

void settings_add(struct settings *s, const char *name, struct text value)
{
    if (s->n == SETTINGS_MAX)
        return;
    s->names[s->n] = (struct text){name, (uint32_t)strlen(name)};
    s->values[s->n++] = value;
}

static bool text_is(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.ptr, word, t.len) == 0;
}

/* People name a server as the config file does; the store numbers it. */
bool settings_name_pbx(struct job *job, struct settings *s, size_t i)
{
    const struct config *c = job->ctl->options->config;
    struct text v = s->values[i];
    for (size_t p = 0; p < c->n_pbx; p++) {
        snprintf(s->numbers[i], sizeof s->numbers[i], "%lld", (long long)c->pbx[p].number);
        if (text_is(v, c->pbx[p].name) || text_is(v, s->numbers[i])) {
            s->values[i] = (struct text){s->numbers[i], (uint32_t)strlen(s->numbers[i])};
            return true;
        }
    }
    job_end(job, RESULT_INVALID, "pbx = %.*s: the config file has no section [pbx %.*s]",
            (int)v.len, v.ptr, (int)v.len, v.ptr);
    return false;
}

bool settings_take(struct job *job, unsigned kind, struct settings *out)
{
    struct text words[SETTINGS_MAX];
    *out = (struct settings){.kind = kind};
    size_t n = job_list(job, "settings", words, SETTINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *equals = memchr(words[i].ptr, '=', words[i].len);
        if (!equals) {
            job_end(job, RESULT_INVALID, "%.*s: want NAME=VALUE", (int)words[i].len, words[i].ptr);
            return false;
        }
        uint32_t name_len = (uint32_t)(equals - words[i].ptr);
        out->names[i] = (struct text){words[i].ptr, name_len};
        out->values[i] = (struct text){equals + 1, words[i].len - name_len - 1};
        out->n++;
        if (text_is(out->names[i], "pbx") && !settings_name_pbx(job, out, i))
            return false;
    }
    return true;
}

/* What the setting means; it names the rule that bounds it. "" if there is no such setting. */
static const char *sentence_of(unsigned kind, struct text name)
{
    size_t n = 0;
    const struct store_setting *all = store_settings(kind, &n);
    for (size_t i = 0; i < n; i++)
        if (text_is(name, all[i].name))
            return all[i].sentence;
    return "";
}

bool settings_apply(struct job *job, const struct settings *s, void *thing)
{
    char why[512];
    for (size_t i = 0; i < s->n; i++)
        if (store_setting_parse(s->kind, thing, s->names[i], s->values[i], why, sizeof why) !=
            STORE_OK) {
            const char *sentence = sentence_of(s->kind, s->names[i]);
            job_end(job, RESULT_INVALID, "%s%s%s", why, sentence[0] ? ": " : "", sentence);
            return false;
        }
    if (s->kind == KIND_CAMPAIGN && settings_check_campaign(thing, false, why, sizeof why) != 0) {
        job_end(job, RESULT_INVALID, "%s", why);
        return false;
    }
    return true;
}

enum result settings_write(struct ctl *ctl, const struct store_by *by, const struct settings *s,
                           uint64_t id, char *why, size_t why_size)
{
    char said[512] = "";
    int status =
        store_set(ctl->store, by, s->kind, id, s->names, s->values, s->n, said, sizeof said);
    enum result result = ctl_store_result(ctl, status, why, why_size);
    if (status == STORE_OK || !said[0])
        return result;
    snprintf(why, why_size, "%s", said);
    return result == RESULT_REFUSED ? RESULT_INVALID : result;
}

bool settings_store(struct job *job, const struct settings *s, uint64_t id)
{
    char why[512];
    struct store_by by = job_by(job);
    enum result result = settings_write(job->ctl, &by, s, id, why, sizeof why);
    if (result != RESULT_OK)
        job_end(job, result, "%s", why);
    return result == RESULT_OK;
}

void settings_show(struct json_writer *w, unsigned kind, const void *thing)
{
    size_t n = 0;
    char value[2048];
    const struct store_setting *all = store_settings(kind, &n);
    for (size_t i = 0; i < n; i++) {
        store_setting_format(&all[i], thing, value, sizeof value);
        if (all[i].type == SETTING_UINT || all[i].type == SETTING_FLOAT)
            json_put_raw(w, all[i].name, value, strlen(value));
        else
            json_put_str(w, all[i].name, value);
    }
}

/* --- the rules ------------------------------------------------------------------------------- */

int settings_check_campaign(const struct msg_campaign_config *c, bool starting, char *why,
                            size_t size)
{
    const char *wrong = NULL;
    bool automatic = c->mode != MODE_MANUAL;
    if (c->mode == MODE_PREDICTIVE)
        wrong = "this program has the modes manual, preview, progressive and ratio; predictive "
                "comes with a later one";
    else if (c->mode == MODE_RATIO && c->leg == LEG_ON_DEMAND)
        wrong = "R2: ratio mode needs permanent legs, because an agent's phone cannot be rung and "
                "answered within 2 s of the customer's answer";
    else if (c->ring_s < 15)
        wrong = "R23: the ring time must be at least 15 s";
    else if (c->answer_wait_ms > 2000)
        wrong = "R23: an answered call may wait for an agent for at most 2000 ms";
    else if (c->abandon_limit_bp > 300)
        wrong = "R23: the abandonment limit may be at most 3 %";
    else if (starting && c->trunk == 0)
        wrong = "the campaign has no trunk: campaign set N trunk=ID";
    else if (starting && c->caller_id.len == 0)
        wrong = "R16: no caller id is set: campaign set N caller_id=+...";
    else if (starting && c->prefixes.len == 0)
        wrong = "R16: no prefixes are allowed, so nothing could be called: campaign set N "
                "prefixes=+1212,+44";
    else if (starting && automatic && c->message.len == 0)
        wrong = "R22, R23: the campaign has no safe-harbour message: campaign set N message=SOUND";
    if (!wrong)
        return 0;
    snprintf(why, size, "%s", wrong);
    return -1;
}
