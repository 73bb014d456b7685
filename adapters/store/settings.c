/*
 * settings.c - every setting of campaigns, trunks, agents and lists: its name, bounds and place.
 * The bounds are those of rules.md; what is past the law is refused here (R23).
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "adapters/zone/zone.h"

typedef struct msg_campaign_config campaign;
typedef struct msg_trunk_config trunk;
typedef struct msg_agent_config agent;
typedef struct store_list list;

#define S(kind, name, field, type, min, max, sentence)                                             \
    {                                                                                              \
        name, sentence, type, sizeof((kind *)0)->field, offsetof(kind, field), min, max            \
    }

static const struct store_setting campaign_settings[] = {
    S(campaign, "name", name, SETTING_TEXT, 1, 100, "display name"),
    S(campaign, "mode", mode, SETTING_MODE, 0, 0, "manual, preview, progressive or ratio"),
    S(campaign, "active", active, SETTING_FLAG, 0, 1, "wanted running"),
    S(campaign, "trunk", trunk, SETTING_UINT, 0, 1e9, "trunk id, 0 none"),
    S(campaign, "context", context, SETTING_TEXT, 1, 100,
      "dialplan context,extension that customers enter"),
    S(campaign, "caller_id", caller_id, SETTING_NUMBER, 0, 0, "number shown, E.164"),
    S(campaign, "prefixes", prefixes, SETTING_PREFIXES, 0, 400,
      "allowed E.164 prefixes, comma separated; empty: nothing may be called"),
    S(campaign, "country", country, SETTING_COUNTRY, 0, 0, "two letters, for national formats"),
    S(campaign, "zone", zone, SETTING_ZONE, 0, 0, "IANA zone of the campaign"),
    S(campaign, "from", window_from_min, SETTING_MINUTE, 0, 1439, "start of the daily window"),
    S(campaign, "to", window_to_min, SETTING_MINUTE, 0, 1440,
      "end of the daily window; equal to from: the whole day"),
    S(campaign, "ratio", ratio, SETTING_FLOAT, 0.1, 10,
      "calls in flight for each available agent in ratio mode"),
    S(campaign, "max_lines", max_lines, SETTING_UINT, 0, 100000, "calls at once, 0: the trunk's"),
    S(campaign, "ring", ring_s, SETTING_UINT, 15, 120, "ring time, s (R23: not under 15)"),
    S(campaign, "answer_wait_ms", answer_wait_ms, SETTING_UINT, 100, 2000,
      "an answer without an agent for so long is abandoned, ms (R23: not over 2000)"),
    S(campaign, "wrapup_timeout", wrapup_s, SETTING_UINT, 1, 3600, "wrap-up ends by itself, s"),
    S(campaign, "retry", retry_s, SETTING_UINT, 1, 2592000, "retry interval of a number, s"),
    S(campaign, "no_answer", no_answer_s, SETTING_UINT, 1, 2592000,
      "recycle delay after no answer, s"),
    S(campaign, "busy", busy_s, SETTING_UINT, 1, 2592000, "recycle delay after busy, s"),
    S(campaign, "abandoned", abandoned_s, SETTING_UINT, 1, 2592000,
      "recycle delay after an abandoned call, s"),
    S(campaign, "not_disposed", not_disposed_s, SETTING_UINT, 1, 2592000,
      "recycle delay of a call without disposition, s"),
    S(campaign, "fault", fault_s, SETTING_UINT, 1, 86400,
      "recycle delay after congestion and faults of our side, s"),
    S(campaign, "max_attempts", max_attempts, SETTING_UINT, 1, 100,
      "automatic attempts for each lead"),
    S(campaign, "hopper_size", hopper_size, SETTING_UINT, 1, 10000, "rows held ready"),
    S(campaign, "hopper_low", hopper_low, SETTING_UINT, 0, 10000, "refill at or below"),
    S(campaign, "claim_ahead_ms", claim_ahead_ms, SETTING_UINT, 0, 60000,
      "claims run ahead of the pace by so long, ms"),
    S(campaign, "claim_ahead_max", claim_ahead_max, SETTING_UINT, 1, 10000,
      "and by no more rows than this"),
    S(campaign, "message", message, SETTING_TEXT, 0, 100, "safe-harbour message: a sound's name"),
    S(campaign, "leg", leg, SETTING_LEG, 0, 0, "auto, permanent or on_demand"),
    S(campaign, "tone", tone, SETTING_TEXT, 0, 100, "sound the agent hears before the customer"),
    S(campaign, "abandon_limit", abandon_limit_bp, SETTING_UINT, 0, 300,
      "abandonment limit, hundredths of a percent (R23: not over 300)"),
    S(campaign, "max_call", max_call_s, SETTING_UINT, 60, 86400, "longest call, s"),
    S(campaign, "preview", preview_s, SETTING_UINT, 5, 3600,
      "an agent may look at a lead for so long in preview mode, s"),
    S(campaign, "preview_expiry", preview_expiry, SETTING_EXPIRY, 0, 0,
      "what happens then: dial, or not_ready (the lead goes back, the agent on a break)"),
};

static const struct store_setting trunk_settings[] = {
    S(trunk, "name", name, SETTING_TEXT, 1, 100, "display name"),
    S(trunk, "pbx", pbx, SETTING_UINT, 1, 65535, "Asterisk server"),
    S(trunk, "endpoint", endpoint, SETTING_TEMPLATE, 1, 200,
      "dial string, {number} stands for the digits: PJSIP/{number}@carrier"),
    S(trunk, "lines", lines, SETTING_UINT, 0, 100000, "calls at once"),
    S(trunk, "cps", calls_per_s, SETTING_FLOAT, 0.01, 10000, "new calls a second"),
};

static const struct store_setting agent_settings[] = {
    S(agent, "login", login, SETTING_TEXT, 1, 64, "user name"),
    S(agent, "name", name, SETTING_TEXT, 0, 100, "display name"),
    S(agent, "enabled", enabled, SETTING_FLAG, 0, 1, "may log in"),
    S(agent, "campaign", campaign, SETTING_UINT, 0, 1e9, "campaign the agent works in, 0 none"),
    S(agent, "phone", endpoint, SETTING_DIAL, 0, 200, "the phone's dial string, empty: no phone"),
    S(agent, "pbx", pbx, SETTING_UINT, 1, 65535, "the phone's Asterisk server"),
    S(agent, "phone_kind", phone_kind, SETTING_PHONE, 0, 0, "desk, softphone or browser"),
    S(agent, "phone_enabled", phone_enabled, SETTING_FLAG, 0, 1, "the phone may be used"),
    S(agent, "wrapup_default", wrapup_default_s, SETTING_UINT, 1, 3600,
      "wrap-up without a campaign, s"),
    S(agent, "busy_reset", busy_reset_s, SETTING_UINT, 1, 86400, "busy without a call ends, s"),
    S(agent, "link_grace", link_grace_s, SETTING_UINT, 1, 600, "socket gone: link lost after, s"),
    S(agent, "leg_ring", leg_ring_s, SETTING_UINT, 5, 120, "how long the phone rings, s"),
};

static const struct store_setting list_settings[] = {
    S(list, "name", name, SETTING_TEXT, 1, 100, "display name"),
    S(list, "campaign", campaign, SETTING_UINT, 0, 1e9, "campaign that dials it, 0 none"),
    S(list, "country", country, SETTING_COUNTRY, 0, 0, "two letters, for national formats"),
    S(list, "zone", zone, SETTING_ZONE, 0, 0, "IANA zone of the callees, empty: the campaign's"),
    S(list, "priority", priority, SETTING_UINT, 1, 99, "1 first"),
    S(list, "active", active, SETTING_FLAG, 0, 1, "may be dialed"),
};

#undef S

const struct store_setting *store_settings(unsigned kind, size_t *n)
{
#define TABLE(t) (*n = sizeof(t) / sizeof *(t), (t))
    switch (kind) {
    case KIND_CAMPAIGN:
        return TABLE(campaign_settings);
    case KIND_TRUNK:
        return TABLE(trunk_settings);
    case KIND_AGENT:
        return TABLE(agent_settings);
    default:
        return TABLE(list_settings);
    }
#undef TABLE
}

void store_campaign_defaults(struct msg_campaign_config *c)
{
    *c = (struct msg_campaign_config){.account = STORE_ACCOUNT,
                                      .mode = MODE_PROGRESSIVE,
                                      .context = text_from("customers,s"),
                                      .zone = text_from("UTC"),
                                      .window_from_min = 9 * 60,
                                      .window_to_min = 17 * 60,
                                      .ratio = 1.0,
                                      .ring_s = 30,
                                      .answer_wait_ms = 2000,
                                      .wrapup_s = 120,
                                      .retry_s = 300,
                                      .no_answer_s = 300,
                                      .busy_s = 300,
                                      .abandoned_s = 72 * 3600,
                                      .not_disposed_s = 24 * 3600,
                                      .fault_s = 60,
                                      .max_attempts = 3,
                                      .hopper_size = 500,
                                      .hopper_low = 100,
                                      .claim_ahead_ms = 2000,
                                      .claim_ahead_max = 60,
                                      .tone = text_from("beep"),
                                      .abandon_limit_bp = 300,
                                      .max_call_s = 4 * 3600,
                                      .preview_s = 60,
                                      .preview_expiry = PREVIEW_DIAL};
}

void store_trunk_defaults(struct msg_trunk_config *t)
{
    *t = (struct msg_trunk_config){.pbx = 1, .lines = 30, .calls_per_s = 5.0};
}

void store_agent_defaults(struct msg_agent_config *a)
{
    *a = (struct msg_agent_config){.account = STORE_ACCOUNT,
                                   .enabled = true,
                                   .pbx = 1,
                                   .phone_kind = PHONE_DESK,
                                   .phone_enabled = true,
                                   .wrapup_default_s = 300,
                                   .busy_reset_s = 600,
                                   .link_grace_s = 10,
                                   .leg_ring_s = 20};
}

/* --- text to value ---------------------------------------------------------------------------- */

static bool parse_number(struct text v, double *out)
{
    char copy[32], *end;

    if (v.len == 0 || v.len >= sizeof copy)
        return false;
    memcpy(copy, v.ptr, v.len);
    copy[v.len] = '\0';
    if (copy[0] != '-' && copy[0] != '.' && (copy[0] < '0' || copy[0] > '9'))
        return false;
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

static int one_of(struct text v, const char *const *words, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (words[i] && text_same(v, text_from(words[i])))
            return (int)i;
    return -1;
}

static const char *const leg_words[] = {"auto", "permanent", "on_demand"};
static const char *const expiry_words[] = {NULL, "dial", "not_ready"};
static const char *const phone_words[] = {NULL, "desk", "softphone", "browser"};

static bool flag_value(struct text v, bool *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};
    int i = one_of(v, words, 8);

    *out = i >= 0 && i % 2;
    return i >= 0;
}

/* HH:MM, 24:00 too */
static bool minute_value(struct text v, unsigned *out)
{
    const char *p = v.ptr;

    if (v.len != 5 || p[2] != ':' || p[0] < '0' || p[0] > '2' || p[1] < '0' || p[1] > '9' ||
        p[3] < '0' || p[3] > '5' || p[4] < '0' || p[4] > '9')
        return false;
    *out = (unsigned)((p[0] - '0') * 10 + p[1] - '0') * 60 +
           (unsigned)((p[3] - '0') * 10 + p[4] - '0');
    return *out <= 1440;
}

/* "+44,+1212": each + and 1 to 15 digits. */
static bool prefixes_good(struct text v)
{
    uint32_t i = 0, digits;

    while (i < v.len) {
        if (v.ptr[i++] != '+')
            return false;
        for (digits = 0; i < v.len && v.ptr[i] >= '0' && v.ptr[i] <= '9'; i++)
            digits++;
        if (digits < 1 || digits > 15 || (i < v.len && v.ptr[i++] != ',') ||
            (i == v.len && v.ptr[i - 1] == ','))
            return false;
    }
    return true;
}

/* What may stand in a dial string: nothing that ends it or begins another. */
static bool dial_good(struct text v)
{
    uint32_t i;

    for (i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr("/@._-+{}:", c)))
            return false;
    }
    return true;
}

/* One number, in one place: without it every call of the trunk would be refused on its way out. */
static bool template_good(struct text v)
{
    static const char place[] = "{number}";
    const char *at = memmem(v.ptr, v.len, place, sizeof place - 1);
    uint32_t braces = 0;
    uint32_t i;

    for (i = 0; i < v.len; i++)
        braces += v.ptr[i] == '{' || v.ptr[i] == '}';
    return dial_good(v) && at && braces == 2;
}

static bool text_good(struct text v)
{
    uint32_t i;

    for (i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] < 0x20 || v.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool country_good(struct text v)
{
    return v.len == 0 ||
           (v.len == 2 && v.ptr[0] >= 'A' && v.ptr[0] <= 'Z' && v.ptr[1] >= 'A' && v.ptr[1] <= 'Z');
}

static void put_uint(void *at, uint8_t width, uint64_t v)
{
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;

    if (width == 1)
        *(uint8_t *)at = (uint8_t)v;
    else if (width == 2)
        memcpy(at, &v16, 2);
    else if (width == 4)
        memcpy(at, &v32, 4);
    else
        memcpy(at, &v, 8);
}

static uint64_t get_uint(const void *at, uint8_t width)
{
    uint64_t v = 0;
    uint32_t v32;
    uint16_t v16;

    if (width == 1)
        return *(const uint8_t *)at;
    if (width == 2)
        return memcpy(&v16, at, 2), v16;
    if (width == 4)
        return memcpy(&v32, at, 4), v32;
    memcpy(&v, at, 8);
    return v;
}

/* NULL: good; else what was wanted. */
static const char *parse_words(const struct store_setting *s, void *at, struct text v)
{
    unsigned minute;
    bool flag;
    int i;

    switch (s->type) {
    case SETTING_FLAG:
        if (!flag_value(v, &flag))
            return "on or off";
        *(bool *)at = flag;
        return NULL;
    case SETTING_MODE:
        i = campaign_mode_parse(v);
        if (i == MODE_PREDICTIVE)
            return "manual, preview, progressive or ratio (predictive is not available yet)";
        if (i < 0)
            return "manual, preview, progressive or ratio";
        *(uint8_t *)at = (uint8_t)i;
        return NULL;
    case SETTING_EXPIRY:
        i = one_of(v, expiry_words, 3);
        if (i < 0)
            return "dial or not_ready";
        *(uint8_t *)at = (uint8_t)i;
        return NULL;
    case SETTING_LEG:
    case SETTING_PHONE:
        i = s->type == SETTING_LEG ? one_of(v, leg_words, 3) : one_of(v, phone_words, 4);
        if (i < 0)
            return s->type == SETTING_LEG ? "auto, permanent or on_demand"
                                          : "desk, softphone or browser";
        *(uint8_t *)at = (uint8_t)i;
        return NULL;
    default:
        if (!minute_value(v, &minute) || minute > s->max)
            return "a time such as 09:00";
        put_uint(at, s->width, minute);
        return NULL;
    }
}

static const char *parse_text(const struct store_setting *s, void *at, struct text v)
{
    switch (s->type) {
    case SETTING_NUMBER:
        if (v.len && !number_valid(v))
            return "a number in E.164, such as +442079460123";
        break;
    case SETTING_PREFIXES:
        if (!prefixes_good(v) || v.len > s->max)
            return "prefixes such as +44,+1212";
        break;
    case SETTING_ZONE:
        if (v.len && !zone_known(v))
            return "an IANA zone such as Europe/London";
        break;
    case SETTING_COUNTRY:
        if (!country_good(v))
            return "two capital letters";
        break;
    case SETTING_DIAL:
        if (!dial_good(v) || v.len < s->min || v.len > s->max)
            return "a dial string such as PJSIP/1001";
        break;
    case SETTING_TEMPLATE:
        if (v.len > s->max || !template_good(v))
            return "a dial string with {number} in it, such as PJSIP/{number}@carrier";
        break;
    default:
        if (!text_good(v) || v.len < s->min || v.len > s->max)
            return s->min > 0 ? "a text that is neither empty nor too long" : "a shorter text";
    }
    *(struct text *)at = v;
    return NULL;
}

static const char *parse(const struct store_setting *s, void *config, struct text v, char *range,
                         size_t size)
{
    char *at = (char *)config + s->offset;
    double d = 0;

    switch (s->type) {
    case SETTING_UINT:
    case SETTING_FLOAT:
        snprintf(range, size, "a number from %g to %g", s->min, s->max);
        if (!parse_number(v, &d) || d < s->min || d > s->max ||
            (s->type == SETTING_UINT && d != floor(d)))
            return range;
        if (s->type == SETTING_FLOAT)
            memcpy(at, &d, sizeof d);
        else
            put_uint(at, s->width, (uint64_t)d);
        return NULL;
    case SETTING_FLAG:
    case SETTING_MODE:
    case SETTING_LEG:
    case SETTING_PHONE:
    case SETTING_EXPIRY:
    case SETTING_MINUTE:
        return parse_words(s, at, v);
    default:
        return parse_text(s, at, v);
    }
}

/* Edit distance, for "did you mean". Names are short. */
static unsigned distance(struct text a, const char *b)
{
    unsigned row[33], i, j, m = (unsigned)strlen(b);

    if (a.len > 32 || m > 32)
        return 99;
    for (j = 0; j <= m; j++)
        row[j] = j;
    for (i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (j = 1; j <= m; j++) {
            unsigned up = row[j];
            unsigned best = diagonal + (a.ptr[i - 1] != b[j - 1]);
            best = up + 1 < best ? up + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[m];
}

static const struct store_setting *find(unsigned kind, struct text name,
                                        const struct store_setting **nearest)
{
    size_t n, i;
    const struct store_setting *s = store_settings(kind, &n);
    unsigned best = 99;

    *nearest = s;
    for (i = 0; i < n; i++) {
        unsigned d = distance(name, s[i].name);
        if (d == 0)
            return &s[i];
        if (d < best) {
            best = d;
            *nearest = &s[i];
        }
    }
    return NULL;
}

int store_setting_parse(unsigned kind, void *config, struct text name, struct text value, char *why,
                        size_t why_size)
{
    const struct store_setting *nearest, *s = find(kind, name, &nearest);
    const char *wanted;
    char range[80];

    if (!s) {
        snprintf(why, why_size, "there is no setting %.*s; the nearest is %s",
                 (int)(name.len < 40 ? name.len : 40), name.ptr ? name.ptr : "", nearest->name);
        return STORE_INVALID;
    }
    wanted = parse(s, config, value, range, sizeof range);
    if (!wanted)
        return STORE_OK;
    snprintf(why, why_size, "%s: %.*s is not %s", s->name, (int)(value.len < 60 ? value.len : 60),
             value.ptr ? value.ptr : "", wanted);
    return STORE_INVALID;
}

void store_setting_format(const struct store_setting *s, const void *config, char *out, size_t size)
{
    const char *at = (const char *)config + s->offset;
    uint64_t v;
    double d;

    switch (s->type) {
    case SETTING_UINT:
        snprintf(out, size, "%llu", (unsigned long long)get_uint(at, s->width));
        break;
    case SETTING_FLOAT:
        memcpy(&d, at, sizeof d);
        snprintf(out, size, "%g", d);
        break;
    case SETTING_FLAG:
        snprintf(out, size, "%s", *(const bool *)at ? "on" : "off");
        break;
    case SETTING_MODE:
        snprintf(out, size, "%s", campaign_mode_name(*(const uint8_t *)at));
        break;
    case SETTING_LEG:
        v = *(const uint8_t *)at;
        snprintf(out, size, "%s", v < 3 ? leg_words[v] : "?");
        break;
    case SETTING_EXPIRY:
        v = *(const uint8_t *)at;
        snprintf(out, size, "%s", v > 0 && v < 3 ? expiry_words[v] : "?");
        break;
    case SETTING_PHONE:
        v = *(const uint8_t *)at;
        snprintf(out, size, "%s", v > 0 && v < 4 ? phone_words[v] : "?");
        break;
    case SETTING_MINUTE:
        v = get_uint(at, s->width);
        snprintf(out, size, "%02u:%02u", (unsigned)v / 60 % 100, (unsigned)v % 60);
        break;
    default: {
        struct text t = *(const struct text *)(const void *)at;
        snprintf(out, size, "%.*s", (int)t.len, t.ptr ? t.ptr : "");
    }
    }
}
