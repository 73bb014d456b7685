/* config_read.c - the strict reader: every error with file, line, column, and the key that was
 * probably meant. */
#include "adapters/daemon/config.h"
#include "adapters/daemon/config_near.h"
#include "adapters/net/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1024u * 1024u)
#define WORD_MAX CONFIG_WORD_MAX
#define VALUE_MAX 1024
#define ERRORS_SHOWN 20

struct reader {
    const char *path;
    struct config *config;
    struct config_errors *errors;
    const char *line; /* start of the current line */
    unsigned number;  /* of the current line, from 1 */
    const struct config_section *section;
    struct config_pbx *pbx; /* in [pbx NAME] */
    uint32_t sections_seen;
    bool skipping; /* the section was wrong: its keys are not looked at */
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *r, const char *at,
                                                       const char *format, ...)
{
    struct config_errors *e = r->errors;
    e->count++;
    if (e->count > ERRORS_SHOWN)
        return;
    size_t left = sizeof e->text - e->len;
    int n =
        at ? snprintf(e->text + e->len, left, "%s:%u:%td: ", r->path, r->number, at - r->line + 1)
           : snprintf(e->text + e->len, left, "%s: ", r->path);
    if (n < 0 || (size_t)n >= left)
        return;
    size_t len = e->len + (size_t)n;
    va_list args;
    va_start(args, format);
    n = vsnprintf(e->text + len, sizeof e->text - len, format, args);
    va_end(args);
    if (n < 0 || len + (size_t)n + 2 > sizeof e->text) {
        e->text[e->len] = '\0';
        return;
    }
    e->len = len + (size_t)n;
    e->text[e->len++] = '\n';
    e->text[e->len] = '\0';
}

/* --- values ---------------------------------------------------------------------------------- */

struct unit {
    const char *word;
    double factor;
};
static const struct unit durations[] = {{"ms", 1},          {"s", 1000},           {"min", 60000},
                                        {"h", 3600 * 1000}, {"d", 86400 * 1000.0}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1},  {"B", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {"GiB", 1024.0 * 1024 * 1024},
    {NULL, 0}};

/* A decimal number: digits with at most one point, no sign but '-', no exponent, no hexadecimal.
 * Returns what follows it, NULL if there is none. */
static const char *decimal(const char *text, double *out)
{
    const char *p = text + (*text == '-');
    size_t digits = strspn(p, "0123456789");
    const char *end = p + digits;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (digits == 0 || digits > 15 || end[-1] == '.')
        return NULL;
    *out = strtod(text, NULL);
    return end;
}

static bool with_unit(const char *text, const struct unit *units, double *out)
{
    const char *rest = decimal(text, out);
    if (!rest)
        return false;
    rest += strspn(rest, " ");
    for (const struct unit *u = units; u->word; u++)
        if (strcmp(rest, u->word) == 0) {
            *out *= u->factor;
            return true;
        }
    return false;
}

static void *field(const struct reader *r, const struct setting *s)
{
    char *base = r->pbx ? (char *)r->pbx : (char *)r->config;
    return base + s->at;
}

static void put_text(struct reader *r, const struct setting *s, const char *value)
{
    char **slot = field(r, s);
    free(*slot);
    *slot = strdup(value);
    if (!*slot)
        abort();
}

static bool is_word_of(const char *words, const char *value)
{
    size_t len = strlen(value);
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");
        if (n == len && strncmp(p, value, n) == 0)
            return true;
        p += n + strspn(p + n, " ");
    }
    return false;
}

/* user:password@ between the scheme and the first slash. */
static bool url_has_password(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return false;
    host += 3;
    size_t n = strcspn(host, "/?#");
    const char *at = memchr(host, '@', n);
    return (at && memchr(host, ':', (size_t)(at - host))) || strcasestr(url, "password=");
}

static void set_range(struct reader *r, const struct setting *s, const char *at, const char *value,
                      double number)
{
    if (number < s->min || number > s->max) {
        const char *unit = s->type == SET_DURATION ? " ms" : s->type == SET_SIZE ? " bytes" : "";
        fail(r, at, "%s = %s is out of range: %.10g to %.10g%s", s->key, value, s->min, s->max,
             unit);
        return;
    }
    if (s->type == SET_NUMBER)
        *(double *)field(r, s) = number;
    else
        *(int64_t *)field(r, s) = (int64_t)number;
}

static void set_scalar(struct reader *r, const struct setting *s, const char *at, const char *value)
{
    double number = 0;
    const char *rest = decimal(value, &number);
    if (s->type == SET_FLAG) {
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
            fail(r, at, "%s = %s: want yes or no", s->key, value);
        else
            *(bool *)field(r, s) = value[0] == 'y';
    } else if (s->type == SET_DURATION && !with_unit(value, durations, &number)) {
        fail(r, at, "%s = %s is not a time: a number and ms, s, min, h or d, such as 30s", s->key,
             value);
    } else if (s->type == SET_SIZE && !with_unit(value, sizes, &number)) {
        fail(r, at, "%s = %s is not a size: a number and B, KiB, MiB or GiB", s->key, value);
    } else if ((s->type == SET_INT || s->type == SET_NUMBER) &&
               (!rest || *rest || (s->type == SET_INT && strchr(value, '.')))) {
        fail(r, at, "%s = %s is not a %snumber", s->key, value, s->type == SET_INT ? "whole " : "");
    } else {
        set_range(r, s, at, value, number);
    }
}

static void set_value(struct reader *r, const struct setting *s, const char *at, const char *value)
{
    switch (s->type) {
    case SET_URL:
        if (url_has_password(value)) {
            fail(r, at,
                 "%s: a password does not belong in the URL; put it in a file of mode 0600 "
                 "and name that with password_file",
                 s->key);
            return;
        }
        put_text(r, s, value);
        return;
    case SET_PATH:
    case SET_SECRET:
        if (strlen(value) >= PATH_MAX)
            fail(r, at, "%s: the path is too long", s->key);
        put_text(r, s, value);
        return;
    case SET_TEXT:
        if ((double)strlen(value) < s->min || (s->max > 0 && (double)strlen(value) > s->max)) {
            fail(r, at, "%s: want %.0f to %.0f characters", s->key, s->min, s->max);
            return;
        }
        put_text(r, s, value);
        return;
    case SET_CHOICE:
        if (!is_word_of(s->words, value))
            fail(r, at, "%s = %s: want one of: %s", s->key, value, s->words);
        else
            put_text(r, s, value);
        return;
    case SET_FLAG:
    case SET_DURATION:
    case SET_SIZE:
    case SET_INT:
    case SET_NUMBER:
        set_scalar(r, s, at, value);
        return;
    }
}

/* --- lines ----------------------------------------------------------------------------------- */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* Copies the word at p; returns what follows. An empty word is the caller's to refuse. */
static const char *take_word(const char *p, char word[WORD_MAX])
{
    size_t n = 0;
    while (name_char(*p)) {
        if (n + 1 < WORD_MAX)
            word[n++] = *p;
        p++;
    }
    word[n] = '\0';
    return p;
}

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static bool line_over(const char *p)
{
    return *p == '\0' || *p == '#';
}

static const struct config_section *find_section(const char *name)
{
    for (size_t i = 0; i < config_n_sections; i++)
        if (strcmp(config_sections[i].name, name) == 0)
            return &config_sections[i];
    return NULL;
}

static uint32_t *seen_of(struct reader *r)
{
    return r->pbx ? &r->pbx->seen : &r->config->seen[r->section - config_sections];
}

static void defaults(struct reader *r)
{
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        if (strcmp(s->section, r->section->name) == 0)
            set_value(r, s, NULL, s->standard ? s->standard : "");
    }
}

static void open_pbx(struct reader *r, const char *at, const char *name)
{
    struct config *c = r->config;
    for (size_t i = 0; i < c->n_pbx; i++)
        if (strcmp(c->pbx[i].name, name) == 0) {
            fail(r, at, "[pbx %s] comes twice", name);
            r->skipping = true;
            return;
        }
    if (c->n_pbx == CONFIG_PBX_MAX) {
        fail(r, at, "more than %d [pbx] sections", CONFIG_PBX_MAX);
        r->skipping = true;
        return;
    }
    r->pbx = &c->pbx[c->n_pbx++];
    r->pbx->name = strdup(name);
    if (!r->pbx->name)
        abort();
    defaults(r);
}

static void read_section(struct reader *r, const char *p)
{
    char word[WORD_MAX];
    char name[WORD_MAX] = "";
    const char *at = blanks(p + 1);
    const char *name_at = take_word(at, word);
    name_at = blanks(name_at);
    p = blanks(take_word(name_at, name));
    r->skipping = true;
    r->pbx = NULL;
    if (*p != ']' || !line_over(blanks(p + 1))) {
        fail(r, p, "want [section] or [section name] and nothing behind it");
        return;
    }
    const struct config_section *s = find_section(word);
    if (!s) {
        bool meant = false;
        const char *near = config_near_section(word, &meant);
        fail(r, at,
             meant ? "there is no section [%s]; did you mean [%s]?"
                   : "there is no section [%s]; the nearest is [%s]",
             word, near);
        return;
    }
    if (s->named != (name[0] != '\0')) {
        fail(r, name_at, s->named ? "[%s] wants a name: [%s NAME]" : "[%s] takes no name: [%s]",
             word, word);
        return;
    }
    r->section = s;
    r->skipping = false;
    if (s->named) {
        open_pbx(r, name_at, name);
        return;
    }
    uint32_t bit = 1u << (s - config_sections);
    if (r->sections_seen & bit)
        fail(r, at, "[%s] comes twice", word);
    r->sections_seen |= bit;
}

/* The value behind '=': bare up to a comment, or quoted. NULL if it is wrong. */
static const char *read_value(struct reader *r, const char *p, char value[VALUE_MAX])
{
    size_t n = 0;
    const char *start = p;
    if (*p != '"') {
        while (*p && !(*p == '#' && (p == start || p[-1] == ' ' || p[-1] == '\t'))) {
            if (*p == '"') {
                fail(r, p, "a quote in the middle of a value; put the whole value in quotes");
                return NULL;
            }
            if (n + 1 < VALUE_MAX)
                value[n++] = *p;
            p++;
        }
        while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
            n--;
    } else {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            else if (*p == '\\') {
                fail(r, p, "in quotes only \\\" and \\\\ may follow a backslash");
                return NULL;
            }
            if (n + 1 < VALUE_MAX)
                value[n++] = *p;
        }
        if (*p != '"') {
            fail(r, start, "the quote is not closed on this line");
            return NULL;
        }
        p = blanks(p + 1);
        if (!line_over(p)) {
            fail(r, p, "something stands behind the value");
            return NULL;
        }
    }
    if (n + 1 == VALUE_MAX) {
        fail(r, start, "the value is longer than %d characters", VALUE_MAX - 2);
        return NULL;
    }
    value[n] = '\0';
    return start;
}

static void unknown_key(struct reader *r, const char *at, const char *key)
{
    const char *section = r->section->name;
    bool meant = false;
    const char *near = config_near_key(section, key, &meant);
    const char *other = config_other_section(key);
    if (meant)
        fail(r, at, "[%s] has no key %s; did you mean %s?", section, key, near);
    else if (other)
        fail(r, at, "[%s] has no key %s; it belongs in [%s]", section, key, other);
    else
        fail(r, at, "[%s] has no key %s; the nearest is %s", section, key, near);
}

static void read_key(struct reader *r, const char *at)
{
    char key[WORD_MAX];
    char value[VALUE_MAX];
    const char *p = blanks(take_word(at, key));
    if (key[0] == '\0' || *p != '=') {
        fail(r, p, "want key = value, [section] or # comment");
        return;
    }
    if (!r->section) {
        fail(r, at, "%s stands before the first [section]", key);
        return;
    }
    if (r->skipping)
        return;
    const char *value_at = read_value(r, blanks(p + 1), value);
    if (!value_at)
        return;
    unsigned bit = 0;
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        if (strcmp(s->section, r->section->name) != 0)
            continue;
        if (strcmp(s->key, key) == 0) {
            uint32_t *seen = seen_of(r);
            if (*seen & (1u << bit))
                fail(r, at, "%s comes twice in this section", key);
            *seen |= 1u << bit;
            set_value(r, s, value_at, value);
            return;
        }
        bit++;
    }
    unknown_key(r, at, key);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void require(struct reader *r, const struct config_section *section, uint32_t seen,
                    const char *name)
{
    unsigned bit = 0;
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        if (strcmp(s->section, section->name) != 0)
            continue;
        if (!s->standard && !(seen & (1u << bit)))
            fail(r, NULL, "[%s%s%s] %s is missing: %s", section->name, name ? " " : "",
                 name ? name : "", s->key, s->sentence);
        bit++;
    }
}

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

static void check_whole(struct reader *r)
{
    struct config *c = r->config;
    for (size_t i = 0; i < config_n_sections; i++)
        if (!config_sections[i].named)
            require(r, &config_sections[i], c->seen[i], NULL);
    if (c->store.url[0] && !begins(c->store.url, "sqlite:") &&
        !begins(c->store.url, "postgresql://") && !begins(c->store.url, "postgres://"))
        fail(r, NULL, "[store] url = %s: want sqlite:/path or postgresql://...", c->store.url);
    if (!begins(c->hopper.url, "memory:") && !begins(c->hopper.url, "redis://"))
        fail(r, NULL, "[hopper] url = %s: want memory: or redis://host:port", c->hopper.url);
    for (size_t i = 0; i < c->n_pbx; i++) {
        struct config_pbx *p = &c->pbx[i];
        require(r, find_section("pbx"), p->seen, p->name);
        if (p->url[0] && !begins(p->url, "http://") && !begins(p->url, "https://"))
            fail(r, NULL, "[pbx %s] url = %s: want http://host:port", p->name, p->url);
        if (p->number == 0)
            p->number = (int64_t)i + 1;
        for (size_t j = 0; j < i; j++)
            if (c->pbx[j].number == p->number)
                fail(r, NULL, "[pbx %s] and [pbx %s] have the same number %lld", c->pbx[j].name,
                     p->name, (long long)p->number);
    }
}

int config_parse(const char *path, const char *text, size_t len, struct config *config,
                 struct config_errors *errors)
{
    struct reader r = {.path = path, .config = config, .errors = errors, .line = text};
    *errors = (struct config_errors){.count = 0};
    *config = (struct config){.n_pbx = 0};
    for (size_t i = 0; i < config_n_sections; i++) {
        r.section = &config_sections[i];
        if (!r.section->named)
            defaults(&r);
    }
    r.section = NULL;
    const void *nul = memchr(text, 0, len);
    if (nul || !json_utf8_valid(text, len)) {
        fail(&r, NULL, nul ? "holds a NUL byte" : "is not UTF-8 text");
        config_free(config);
        return -1;
    }
    char line[4096];
    for (size_t at = 0; at < len && errors->count < ERRORS_SHOWN;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - (text + at)) : len - at;
        r.number++;
        r.line = line;
        if (n >= sizeof line) {
            fail(&r, line, "the line is longer than %zu bytes", sizeof line - 1);
            break;
        }
        memcpy(line, text + at, n);
        line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
        at += n + 1;
        const char *p = blanks(line);
        if (line_over(p))
            continue;
        if (*p == '[')
            read_section(&r, p);
        else
            read_key(&r, p);
    }
    if (errors->count == 0)
        check_whole(&r);
    if (errors->count == 0)
        return 0;
    config_free(config);
    return -1;
}

int config_read(const char *path, struct config *config, struct config_errors *errors)
{
    struct reader r = {.path = path, .errors = errors};
    *errors = (struct config_errors){.count = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        fail(&r, NULL, "cannot be opened: %s", strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
        fail(&r, NULL, S_ISREG(st.st_mode) ? "is larger than 1 MiB" : "is not a regular file");
        close(fd);
        return -1;
    }
    char *text = malloc(FILE_MAX + 1);
    size_t len = 0;
    ssize_t n = 1;
    if (!text)
        abort();
    while (len < FILE_MAX && n > 0) {
        n = read(fd, text + len, FILE_MAX - len);
        if (n > 0)
            len += (size_t)n;
    }
    close(fd);
    text[len] = '\0';
    int result = -1;
    if (n < 0)
        fail(&r, NULL, "cannot be read: %s", strerrordesc_np(errno));
    else
        result = config_parse(path, text, len, config, errors);
    free(text);
    return result;
}
