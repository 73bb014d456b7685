/* config.c - what else is done with a config: its life, its secrets, its documents. */
#include "adapters/daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_text(const struct setting *s)
{
    return s->type == SET_TEXT || s->type == SET_PATH || s->type == SET_SECRET ||
           s->type == SET_URL || s->type == SET_CHOICE;
}

static bool of_pbx(const struct setting *s)
{
    return strcmp(s->section, "pbx") == 0;
}

static void free_texts(void *base, bool pbx)
{
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        if (is_text(s) && of_pbx(s) == pbx) {
            char **slot = (char **)(void *)((char *)base + s->at);
            free(*slot);
            *slot = NULL;
        }
    }
}

void config_free(struct config *config)
{
    free_texts(config, false);
    for (size_t i = 0; i < config->n_pbx; i++) {
        free(config->pbx[i].name);
        free_texts(&config->pbx[i], true);
    }
    *config = (struct config){.n_pbx = 0};
}

/* --- values as text -------------------------------------------------------------------------- */

static void duration_text(int64_t ms, char *out, size_t size)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i < 4 && (ms == 0 || ms % units[i].ms != 0))
        i++;
    if (ms == 0)
        i = 3;
    snprintf(out, size, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

void config_value_text(const struct setting *s, const void *base, char *out, size_t size)
{
    const void *at = (const char *)base + s->at;
    int64_t whole = 0;
    double number = 0;
    switch (s->type) {
    case SET_TEXT:
    case SET_PATH:
    case SET_SECRET:
    case SET_URL:
    case SET_CHOICE:
        snprintf(out, size, "%s", *(char *const *)at);
        return;
    case SET_DURATION:
        memcpy(&whole, at, sizeof whole);
        duration_text(whole, out, size);
        return;
    case SET_FLAG:
        snprintf(out, size, "%s", *(const bool *)at ? "yes" : "no");
        return;
    case SET_INT:
    case SET_SIZE:
        memcpy(&whole, at, sizeof whole);
        snprintf(out, size, "%lld", (long long)whole);
        return;
    case SET_NUMBER:
        memcpy(&number, at, sizeof number);
        snprintf(out, size, "%.10g", number);
        return;
    }
}

struct changes {
    bool live; /* which kind of key */
    unsigned count;
    char *text;
    size_t size, len;
};

static void add_change(struct changes *c, const char *section, const char *key)
{
    int n = snprintf(c->text + c->len, c->size - c->len, "%s[%s] %s", c->count ? ", " : "", section,
                     key);
    c->count++;
    if (n > 0 && (size_t)n < c->size - c->len)
        c->len += (size_t)n;
}

static void compare(struct changes *c, const char *section, const void *was, const void *now,
                    bool pbx)
{
    char a[1100];
    char b[1100];
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        if (of_pbx(s) != pbx || s->live != c->live)
            continue;
        config_value_text(s, was, a, sizeof a);
        config_value_text(s, now, b, sizeof b);
        if (strcmp(a, b) != 0)
            add_change(c, pbx ? section : s->section, s->key);
    }
}

static const struct config_pbx *pbx_named(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_pbx; i++)
        if (strcmp(c->pbx[i].name, name) == 0)
            return &c->pbx[i];
    return NULL;
}

unsigned config_changes(const struct config *was, const struct config *now, bool live, char *text,
                        size_t size)
{
    struct changes c = {.live = live, .text = text, .size = size};
    size_t common = 0;
    text[0] = '\0';
    compare(&c, "", was, now, false);
    for (size_t i = 0; i < now->n_pbx; i++) {
        char section[80];
        const struct config_pbx *before = pbx_named(was, now->pbx[i].name);
        snprintf(section, sizeof section, "pbx %s", now->pbx[i].name);
        if (before)
            compare(&c, section, before, &now->pbx[i], true);
        else if (!live)
            add_change(&c, section, "(new)");
        common += before != NULL;
    }
    for (size_t i = 0; i < was->n_pbx && common < was->n_pbx && !live; i++) {
        char section[80];
        snprintf(section, sizeof section, "pbx %s", was->pbx[i].name);
        if (!pbx_named(now, was->pbx[i].name))
            add_change(&c, section, "(gone)");
    }
    return c.count;
}

static void take_live(void *to, const void *from, bool pbx)
{
    for (size_t i = 0; i < config_n_settings; i++) {
        const struct setting *s = &config_settings[i];
        size_t size = is_text(s)              ? 0
                      : s->type == SET_FLAG   ? sizeof(bool)
                      : s->type == SET_NUMBER ? sizeof(double)
                                              : sizeof(int64_t);
        if (s->live && of_pbx(s) == pbx)
            memcpy((char *)to + s->at, (const char *)from + s->at, size);
    }
}

void config_take_live(struct config *config, const struct config *fresh)
{
    take_live(config, fresh, false);
    for (size_t i = 0; i < config->n_pbx; i++) {
        const struct config_pbx *p = pbx_named(fresh, config->pbx[i].name);
        if (p)
            take_live(&config->pbx[i], p, true);
    }
}

/* --- secrets --------------------------------------------------------------------------------- */

int config_secret(const char *path, char secret[CONFIG_SECRET_SIZE], char *why, size_t why_size)
{
    secret[0] = '\0';
    if (path[0] == '\0')
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        snprintf(why, why_size, "%s: %s", path, strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
        snprintf(why, why_size,
                 "%s: mode %04o: a secret must be a regular file that only its "
                 "owner can read (chmod 0600)",
                 path, (unsigned)st.st_mode & 07777u);
        close(fd);
        return -1;
    }
    ssize_t n = read(fd, secret, CONFIG_SECRET_SIZE);
    close(fd);
    while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
        n--;
    if (n <= 0 || n >= CONFIG_SECRET_SIZE || memchr(secret, '\n', (size_t)n) ||
        memchr(secret, 0, (size_t)n)) {
        config_wipe(secret, CONFIG_SECRET_SIZE);
        snprintf(why, why_size, "%s: want one line of 1 to %d bytes", path, CONFIG_SECRET_SIZE - 1);
        return -1;
    }
    secret[n] = '\0';
    return 0;
}

void config_wipe(char *secret, size_t size)
{
    explicit_bzero(secret, size);
}

/* --- documents ------------------------------------------------------------------------------- */

static const char *type_words(const struct setting *s, char *out, size_t size)
{
    char low[32];
    char high[32];
    switch (s->type) {
    case SET_TEXT:
        return "text";
    case SET_PATH:
        return "path";
    case SET_SECRET:
        return "path of a file of mode 0600";
    case SET_URL:
        return "URL without password";
    case SET_FLAG:
        return "yes or no";
    case SET_CHOICE:
        snprintf(out, size, "one of: %s", s->words);
        return out;
    case SET_DURATION:
        duration_text((int64_t)s->min, low, sizeof low);
        duration_text((int64_t)s->max, high, sizeof high);
        snprintf(out, size, "time, %s to %s", low, high);
        return out;
    case SET_SIZE:
        snprintf(out, size, "size, %.0f to %.0f bytes", s->min, s->max);
        return out;
    case SET_INT:
        snprintf(out, size, "whole number, %.0f to %.0f", s->min, s->max);
        return out;
    case SET_NUMBER:
        snprintf(out, size, "number, %.10g to %.10g", s->min, s->max);
        return out;
    }
    return "";
}

static const char *example_value(const struct setting *s)
{
    if (s->standard)
        return s->standard;
    return strcmp(s->section, "store") == 0 ? "sqlite:/var/lib/dialerd/dialer.db"
                                            : "http://127.0.0.1:8088";
}

void config_print_example(FILE *out)
{
    char words[128];
    fputs(
        "# dialerd.conf: every key with its default. A line that begins with # is not in force:\n"
        "# take the mark away to set the key. dialerd --check --config FILE tells what is wrong.\n"
        "# Written by `dialerd --print-example`.\n",
        out);
    for (size_t i = 0; i < config_n_sections; i++) {
        const struct config_section *section = &config_sections[i];
        fprintf(out, "\n# %s\n[%s%s]\n", section->sentence, section->name,
                section->named ? " asterisk1" : "");
        for (size_t j = 0; j < config_n_settings; j++) {
            const struct setting *s = &config_settings[j];
            if (strcmp(s->section, section->name) != 0)
                continue;
            fprintf(out, "# %s\n# (%s%s)\n%s%s = %s%s%s\n", s->sentence,
                    type_words(s, words, sizeof words), s->live ? "; SIGHUP changes it" : "",
                    s->standard ? "#" : "", s->key, *example_value(s) ? "" : "\"", example_value(s),
                    *example_value(s) ? "" : "\"");
        }
    }
}

static void manual_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p == '-')
            fputs("\\-", out);
        else if (*p == '\\')
            fputs("\\e", out);
        else
            fputc(*p, out);
}

void config_print_manual(FILE *out)
{
    char words[128];
    fputs(
        ".\\\" Written by `dialerd --print-manual` from the table of keys.\n"
        ".TH DIALERD.CONF 5 \"\" \"dialerd\" \"File formats\"\n"
        ".SH NAME\ndialerd.conf \\- settings of dialerd\n"
        ".SH DESCRIPTION\n"
        "Sections are written [section], or [pbx NAME]; below them stands one key = value a\n"
        "line. What follows # is a comment. A value with blanks at its ends, quotes or # stands\n"
        "in double quotes, with \\e\\(dq and \\e\\e inside. Times carry ms, s, min, h or d; sizes\n"
        "B, KiB, MiB or GiB. A key that is not listed here, comes twice, or has a value out of\n"
        "range is an error with its line and column, and the daemon does not start (exit 2).\n"
        "SIGHUP reads the file again: all of it, or nothing if anything is wrong. Each key says\n"
        "below whether a reload changes it; a changed key that waits for a restart is named in\n"
        "the log (DLR\\-RELOAD).\n",
        out);
    for (size_t i = 0; i < config_n_sections; i++) {
        const struct config_section *section = &config_sections[i];
        fprintf(out, ".SH [%s%s]\n", section->name, section->named ? " NAME" : "");
        manual_text(out, section->sentence);
        fputc('\n', out);
        for (size_t j = 0; j < config_n_settings; j++) {
            const struct setting *s = &config_settings[j];
            if (strcmp(s->section, section->name) != 0)
                continue;
            fprintf(out, ".TP\n.B %s\n", s->key);
            manual_text(out, s->sentence);
            fputs(".\n", out);
            manual_text(out, type_words(s, words, sizeof words));
            if (!s->standard)
                fputs("; must be given", out);
            else if (*s->standard) {
                fputs("; default ", out);
                manual_text(out, s->standard);
            }
            fprintf(out, "; %s.\n", s->live ? "changed by a reload" : "changed by a restart");
        }
    }
    fputs(".SH SEE ALSO\ndialerd(8), dialerctl(1)\n", out);
}

static void print_section(FILE *out, const char *section, const char *title, const void *base,
                          uint32_t seen)
{
    char value[1100];
    unsigned bit = 0;
    fprintf(out, "[%s]\n", title);
    for (size_t j = 0; j < config_n_settings; j++) {
        const struct setting *s = &config_settings[j];
        if (strcmp(s->section, section) != 0)
            continue;
        config_value_text(s, base, value, sizeof value);
        fprintf(out, "%s = \"%s\" # %s\n", s->key, value, seen & (1u << bit) ? "file" : "default");
        bit++;
    }
}

void config_print_effective(const struct config *c, FILE *out)
{
    for (size_t i = 0; i < config_n_sections; i++) {
        const char *name = config_sections[i].name;
        if (!config_sections[i].named) {
            print_section(out, name, name, c, c->seen[i]);
            continue;
        }
        for (size_t j = 0; j < c->n_pbx; j++) {
            char title[80];
            snprintf(title, sizeof title, "%s %s", name, c->pbx[j].name);
            print_section(out, name, title, &c->pbx[j], c->pbx[j].seen);
        }
    }
}
