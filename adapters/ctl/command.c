/* command.c - finding, checking and describing the commands of the table. */
#include "adapters/ctl/command.h"

#include <stdlib.h>
#include <string.h>

const struct ctl_command *ctl_find_name(const char *name)
{
    for (size_t i = 0; i < ctl_n_commands; i++)
        if (strcmp(ctl_commands[i].name, name) == 0)
            return &ctl_commands[i];
    return NULL;
}

const struct ctl_command *ctl_find(int n, char *const *words, int *taken)
{
    char name[128];
    for (int count = n < 2 ? n : 2; count > 0; count--) {
        snprintf(name, sizeof name, "%s%s%s", words[0], count == 2 ? " " : "",
                 count == 2 ? words[1] : "");
        const struct ctl_command *c = ctl_find_name(name);
        if (c) {
            *taken = count;
            return c;
        }
    }
    return NULL;
}

const struct ctl_arg *ctl_arg_at(const struct ctl_command *command, size_t i)
{
    size_t n = 0;
    for (const struct ctl_arg *a = command->args; a->name; a++)
        if (n++ == i)
            return a;
    return NULL;
}

const struct ctl_arg *ctl_find_arg(const struct ctl_command *command, const char *name)
{
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(command, i)); i++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* --- values ---------------------------------------------------------------------------------- */

/* Digits with at most one point; what follows it, or NULL. */
static const char *decimal(const char *text)
{
    size_t n = strspn(text, "0123456789");
    const char *end = text + n;
    if (n == 0 || n > 15)
        return NULL;
    if (*end == '.') {
        size_t m = strspn(end + 1, "0123456789");
        if (m == 0 || m > 15)
            return NULL;
        end += 1 + m;
    }
    return end;
}

int64_t ctl_duration_ms(const char *text)
{
    static const struct {
        const char *word;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *unit = decimal(text);
    if (!unit)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].word) == 0) {
            double ms = strtod(text, NULL) * units[i].ms;
            return ms <= 9e15 ? (int64_t)ms : -1;
        }
    return -1;
}

static bool word_of(const char *words, const char *value)
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

int ctl_check_value(const struct ctl_arg *arg, const char *text, char *why, size_t why_size)
{
    const char *want = NULL;
    size_t digits = strspn(text, "0123456789");
    bool whole = digits > 0 && digits <= 15 && text[digits] == '\0';
    const char *end = decimal(text);
    switch (arg->type) {
    case ARG_ID:
        want = whole && text[0] != '0' ? NULL : "a whole number from 1";
        break;
    case ARG_COUNT:
        want = whole ? NULL : "a whole number";
        break;
    case ARG_NUMBER:
        want = end && !*end ? NULL : "a number such as 1.5";
        break;
    case ARG_TIME:
        want = ctl_duration_ms(text) >= 0 ? NULL : "a time with its unit: 300ms, 30s, 5min, 2h, 1d";
        break;
    case ARG_YESNO:
        want = strcmp(text, "yes") == 0 || strcmp(text, "no") == 0 ? NULL : "yes or no";
        break;
    case ARG_SWITCH:
        want = strcmp(text, "true") == 0 ? NULL : "no value";
        break;
    case ARG_CHOICE:
        if (word_of(arg->words, text))
            return 0;
        snprintf(why, why_size, "%s = %s: want one of: %s", arg->name, text, arg->words);
        return -1;
    case ARG_TEXT:
    case ARG_SECRET:
    case ARG_FILE:
    case ARG_OUTPUT:
        want = text[0] ? NULL : "something";
        /* An empty text clears a setting: "--prefixes ''" is a way to say "call nobody". */
        if (arg->type == ARG_TEXT && !arg->required)
            want = NULL;
        break;
    }
    if (!want)
        return 0;
    snprintf(why, why_size, "%s = %s: want %s", arg->name, text, want);
    return -1;
}

/* --- descriptions ---------------------------------------------------------------------------- */

static const char *value_name(const struct ctl_arg *a, char *out, size_t size)
{
    if (a->type != ARG_CHOICE)
        return a->value ? a->value : "";
    size_t n = 0;
    for (const char *p = a->words; *p && n + 1 < size; p++)
        out[n++] = *p == ' ' ? '|' : *p;
    out[n] = '\0';
    return out;
}

static void print_usage(FILE *out, const struct ctl_command *c)
{
    char words[128];
    const struct ctl_arg *a;
    size_t options = 0;
    fprintf(out, "dialerctl %s", c->name);
    for (size_t i = 0; (a = ctl_arg_at(c, i)); i++) {
        if (a->place && a->required)
            fprintf(out, " %s", value_name(a, words, sizeof words));
        else if (a->place)
            fprintf(out, " [%s]", a->value);
        else if (a->required)
            fprintf(out, " --%s %s", a->name, value_name(a, words, sizeof words));
        else
            options++;
    }
    fputs(options > 0 ? " [OPTIONS]\n" : "\n", out);
}

void ctl_print_help(FILE *out, const struct ctl_command *c)
{
    char words[128];
    char left[192];
    const struct ctl_arg *a;
    fprintf(out, "%s: %s\n\nusage: ", c->name, c->sentence);
    print_usage(out, c);
    for (size_t i = 0; (a = ctl_arg_at(c, i)); i++) {
        const char *value = value_name(a, words, sizeof words);
        if (a->place)
            snprintf(left, sizeof left, "%s", value);
        else
            snprintf(left, sizeof left, "--%s%s%s", a->name, *value ? " " : "", value);
        fprintf(out, "  %-28s %s%s\n", left, a->sentence,
                a->many && !a->place ? "; may be repeated" : "");
    }
    if (c->local)
        fputs(
            "  --config FILE                the daemon's config file: the store is asked by this\n"
            "                               program itself, no daemon need run\n",
            out);
    fprintf(out,
            "  --json                       machine-readable output\n"
            "\nexit status: 0 done, 1 failed, 2 usage, %s%s5 unavailable%s\n",
            strchr(c->exits, '3') ? "3 not found, " : "",
            strchr(c->exits, '4') ? "4 conflict, " : "",
            c->local ? ": without --config, no daemon at the socket" : "");
}

void ctl_print_commands(FILE *out)
{
    fputs("usage: dialerctl [--socket PATH] [--json] COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < ctl_n_commands; i++)
        fprintf(out, "  %-18s %s\n", ctl_commands[i].name, ctl_commands[i].sentence);
    fputs("\n  --socket PATH      the daemon's socket, default $DIALERD_SOCKET or " CTL_SOCKET "\n"
          "  --config FILE      db commands without a daemon: its config file\n"
          "  --json             machine-readable output\n"
          "  COMMAND --help     what a command takes\n"
          "  --version\n"
          "\nexit status: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 unavailable\n",
          out);
}

static void roff(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p == '-')
            fputs("\\-", out);
        else
            fputc(*p, out);
}

/* The commands that may end with this status. */
static void print_who(FILE *out, char status)
{
    const char *between = "";
    for (size_t i = 0; i < ctl_n_commands; i++)
        if (strchr(ctl_commands[i].exits, status)) {
            fputs(between, out);
            roff(out, ctl_commands[i].name);
            between = ",\n";
        }
    fputs(".\n", out);
}

static void print_statuses(FILE *out)
{
    fputs(".SH EXIT STATUS\nAny command may end with 0, 1, 2 or 5.\n"
          ".TP\n.B 0\ndone.\n"
          ".TP\n.B 1\nfailed: refused for the reason that is told, or its output could not be "
          "written.\n"
          ".TP\n.B 2\nusage: the command line, or a value in it or in a file it names; nothing was "
          "changed.\n"
          ".TP\n.B 3\nnot found, what the command names is not there:\n",
          out);
    print_who(out, '3');
    fputs(".TP\n.B 4\nconflict: a name is taken, a call's disposition stands, or with "
          "\\-\\-config another\nprogram holds the store:\n",
          out);
    print_who(out, '4');
    fputs(
        ".TP\n.B 5\nunavailable: no daemon answers at the socket, or its store is away. The db "
        "commands with\n\\-\\-config need no daemon; without it and without a daemon they end so, "
        "too.\n",
        out);
}

void ctl_print_manual(FILE *out)
{
    char words[128];
    fputs(
        ".\\\" Written by `dialerctl --print-manual` from the table of commands.\n"
        ".TH DIALERCTL 1 \"\" \"dialerd\" \"User commands\"\n"
        ".SH NAME\ndialerctl \\- operate dialerd\n"
        ".SH SYNOPSIS\n.B dialerctl\n[\\-\\-socket PATH] [\\-\\-json] COMMAND [ARGUMENTS]\n"
        ".SH DESCRIPTION\n"
        "Speaks to the running daemon over its unix socket. Every change is written to the\n"
        "audit record with the name of who made it.\n"
        ".TP\n.B \\-\\-socket PATH\nThe socket; default $DIALERD_SOCKET, else " CTL_SOCKET ".\n"
        ".TP\n.B \\-\\-json\nA table as one JSON array, a record as one object.\n"
        ".TP\n.B \\-\\-config FILE\nThe db commands work without a daemon when its config file is "
        "named.\n"
        ".SH COMMANDS\n",
        out);
    for (size_t i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        const struct ctl_arg *a;
        fprintf(out, ".SS %s", c->name);
        for (size_t j = 0; (a = ctl_arg_at(c, j)); j++)
            if (a->place)
                fprintf(out, " %s", value_name(a, words, sizeof words));
        fputc('\n', out);
        roff(out, c->sentence);
        fputs(".\n", out);
        for (size_t j = 0; (a = ctl_arg_at(c, j)); j++) {
            const char *value = value_name(a, words, sizeof words);
            fputs(".TP\n.B ", out);
            if (!a->place) {
                fputs("\\-\\-", out);
                roff(out, a->name);
                fputc(' ', out);
            }
            roff(out, value);
            fputc('\n', out);
            roff(out, a->sentence);
            fputs(a->many ? "; may be repeated.\n" : a->required ? ".\n" : " (optional).\n", out);
        }
        if (c->local)
            fputs(".TP\n.B \\-\\-config FILE\nthe daemon's config file: the store is asked by this "
                  "program itself, no daemon need run (optional).\n",
                  out);
    }
    print_statuses(out);
    fputs(".SH SEE ALSO\ndialerd(8), dialerd.conf(5)\n", out);
}
