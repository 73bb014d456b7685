/* main.c - dialerctl: the command line becomes one request, the answer becomes text. */
#include "actors/types.h"
#include "adapters/ctl/command.h"
#include "adapters/ctl/print.h"
#include "adapters/ctl/progress.h"
#include "adapters/ctl/talk.h"
#include "adapters/secret/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Documented in the manual page; tests hold us to it. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_CONFLICT = 4,
    EXIT_AWAY = 5
};

#define WORDS_MAX 512
#define SHOWN_BAD_ROWS 20

struct call {
    const char *socket;
    const char *config;
    bool json;
    bool help;
    bool version;
    const struct ctl_command *command;
    const struct ctl_arg *arg[WORDS_MAX]; /* given arguments in order, with their values */
    const char *value[WORDS_MAX];
    size_t n;
    char secret[1100];
    const char *file;                /* ARG_FILE */
    char digest[SECRET_DIGEST_SIZE]; /* of the file, when there is one */
    const char *output;              /* ARG_OUTPUT */
    /* while the answer comes */
    struct rows rows;
    FILE *out;
    uint64_t bad_rows;
    bool out_shown; /* what is written goes to a terminal: progress would stand in the middle of it
                     */
    struct talk talk;
};

/* "dialerctl: WHO WHAT" */
static int usage_error(const char *what, const char *who, const char *more)
{
    fprintf(stderr, "dialerctl: %s%s%s\n", who, what, more);
    return EXIT_USAGE;
}

/* --- command line ---------------------------------------------------------------------------- */

static int add_value(struct call *c, const struct ctl_arg *arg, const char *value)
{
    char why[512];
    if (ctl_check_value(arg, value, why, sizeof why) != 0)
        return usage_error("", why, "");
    if (!arg->many)
        for (size_t i = 0; i < c->n; i++)
            if (c->arg[i] == arg)
                return usage_error(" comes twice", arg->name, "");
    if (c->n == WORDS_MAX)
        return usage_error("too many arguments", "", "");
    c->arg[c->n] = arg;
    c->value[c->n++] = value;
    return 0;
}

static const struct ctl_arg *next_place(const struct call *c)
{
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(c->command, i)); i++) {
        if (!a->place)
            continue;
        bool given = false;
        for (size_t j = 0; j < c->n; j++)
            given = given || c->arg[j] == a;
        if (!given || a->many)
            return a;
    }
    return NULL;
}

/* --socket, --json and the like. 1: it was one of them, -1: wrong. */
static int take_global(struct call *c, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    if (strcmp(word, "--json") == 0) {
        c->json = true;
        return 1;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        c->help = true;
        return 1;
    }
    if (strcmp(word, "--version") == 0) {
        c->version = true;
        return 1;
    }
    const char **slot = strcmp(word, "--socket") == 0   ? &c->socket
                        : strcmp(word, "--config") == 0 ? &c->config
                                                        : NULL;
    if (!slot)
        return 0;
    if (*at + 1 >= argc) {
        usage_error(" wants a value", word, "");
        return -1;
    }
    *slot = argv[++*at];
    return 1;
}

static int take_option(struct call *c, int argc, char **argv, int *at)
{
    char name[64];
    const char *word = argv[*at] + 2;
    size_t len = strcspn(word, "=");
    if (len >= sizeof name)
        return usage_error(": no such option", argv[*at], "");
    memcpy(name, word, len);
    name[len] = '\0';
    const struct ctl_arg *arg = ctl_find_arg(c->command, name);
    if (!arg || arg->place)
        return usage_error(": no such option of ", argv[*at], c->command->name);
    if (arg->type == ARG_SWITCH) {
        if (word[len] == '=')
            return usage_error(" takes no value", argv[*at], "");
        return add_value(c, arg, "true");
    }
    if (word[len] == '=')
        return add_value(c, arg, word + len + 1);
    if (*at + 1 >= argc)
        return usage_error(" wants a value", argv[*at], "");
    return add_value(c, arg, argv[++*at]);
}

static int parse(struct call *c, int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        int global = take_global(c, argc, argv, &at);
        if (global < 0)
            return EXIT_USAGE;
        if (global == 0)
            return usage_error(": no such option", argv[at], "");
    }
    if (at == argc)
        return 0;
    int taken = 0;
    c->command = ctl_find(argc - at, argv + at, &taken);
    if (!c->command)
        return usage_error(": no such command; dialerctl --help lists them", argv[at], "");
    bool words_only = false;
    for (at += taken; at < argc; at++) {
        if (!words_only && strcmp(argv[at], "--") == 0) {
            words_only = true;
            continue;
        }
        int global = words_only ? 0 : take_global(c, argc, argv, &at);
        if (global < 0)
            return EXIT_USAGE;
        if (global > 0)
            continue;
        int wrong = 0;
        if (!words_only && strncmp(argv[at], "--", 2) == 0) {
            wrong = take_option(c, argc, argv, &at);
        } else {
            const struct ctl_arg *place = next_place(c);
            wrong = place ? add_value(c, place, argv[at])
                          : usage_error(": one argument too many", argv[at], "");
        }
        if (wrong)
            return wrong;
    }
    return 0;
}

static int check_required(const struct call *c)
{
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(c->command, i)); i++) {
        bool given = !a->required;
        for (size_t j = 0; j < c->n; j++)
            given = given || c->arg[j] == a;
        if (!given)
            return usage_error(a->name, a->place ? "" : "--", " is missing; see --help");
    }
    return 0;
}

/* --- secrets and files ----------------------------------------------------------------------- */

static int secret_from_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size);
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        fprintf(stderr, "dialerctl: %s: %s\n", path, strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r'))
        n--;
    if (n == 0 || (size_t)n == size || memchr(out, '\n', (size_t)n) || memchr(out, 0, (size_t)n)) {
        fprintf(stderr, "dialerctl: %s: want one line with the password\n", path);
        return EXIT_USAGE;
    }
    out[n] = '\0';
    return 0;
}

static int secret_from_terminal(char *out, size_t size)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios was;
    if (fd < 0 || tcgetattr(fd, &was) != 0) {
        if (fd >= 0)
            close(fd);
        return usage_error(" (there is no terminal to ask)", "--password-file is missing", "");
    }
    struct termios quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSAFLUSH, &quiet);
    ssize_t asked = write(fd, "Password: ", 10);
    ssize_t n = asked < 0 ? -1 : read(fd, out, size - 1);
    tcsetattr(fd, TCSAFLUSH, &was);
    if (write(fd, "\n", 1) < 0)
        n = -1;
    close(fd);
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r'))
        n--;
    if (n <= 0)
        return usage_error("no password given", "", "");
    out[n] = '\0';
    return 0;
}

/* What comes through a pipe can be read once: it is kept in a file without a name. */
static int keep_piped(int from)
{
    static char piece[CTL_PIECE];
    FILE *kept = tmpfile();
    ssize_t n = 0;
    while (kept && (n = read(from, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || fwrite(piece, 1, (size_t)n, kept) != (size_t)n)
            break;
    }
    if (!kept || n != 0 || fflush(kept) != 0)
        return -1;
    int fd = fileno(kept);
    return lseek(fd, 0, SEEK_SET) == 0 ? fd : -1;
}

/* Opens it, learns its size and its digest. 0, or -1 with errno. */
static int open_file(struct call *c)
{
    static char piece[CTL_PIECE];
    struct secret_digesting digesting;
    struct stat st;
    int fd = strcmp(c->file, "-") == 0 ? STDIN_FILENO : open(c->file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE)
        fd = keep_piped(fd);
    off_t start = fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR);
    if (start < 0 || fstat(fd, &st) != 0)
        return -1;
    ssize_t n = 0;
    secret_digest_begin(&digesting);
    while ((n = read(fd, piece, sizeof piece)) != 0)
        if (n > 0)
            secret_digest_add(&digesting, piece, (size_t)n);
        else if (errno != EINTR)
            return -1;
    secret_digest_end(&digesting, c->digest);
    c->talk.file = fd;
    c->talk.size = S_ISREG(st.st_mode) ? (int64_t)(st.st_size - start) : 0;
    return lseek(fd, start, SEEK_SET) == start ? 0 : -1;
}

/* Replaces the file's name by what the file holds; asks for a password that is not in a file. */
static int take_files(struct call *c)
{
    const struct ctl_arg *a;
    for (size_t i = 0; (a = ctl_arg_at(c->command, i)); i++) {
        size_t at = 0;
        while (at < c->n && c->arg[at] != a)
            at++;
        const char *value = at < c->n ? c->value[at] : NULL;
        int wrong = 0;
        if (a->type == ARG_SECRET) {
            wrong = value ? secret_from_file(value, c->secret, sizeof c->secret)
                          : secret_from_terminal(c->secret, sizeof c->secret);
            if (!value) {
                c->arg[c->n] = a;
                at = c->n++;
            }
            c->value[at] = c->secret;
        } else if (a->type == ARG_FILE) {
            c->file = value;
        } else if (a->type == ARG_OUTPUT) {
            c->output = value;
        }
        if (wrong)
            return wrong;
    }
    if (c->file && open_file(c) != 0) {
        fprintf(stderr, "dialerctl: %s: %s\n", c->file, strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    return 0;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void show_progress(const struct call *c, const struct json *doc, json_ref progress)
{
    int64_t rows = 0;
    if (c->out_shown || !json_int(doc, json_get(doc, progress, "rows"), &rows))
        return;
    if (c->talk.size > 0)
        progress_show("%lld rows, %d %%", (long long)rows,
                      (int)(100 * c->talk.sent / c->talk.size));
    else
        progress_show("%lld rows", (long long)rows);
}

/* A bad row of an import: into the error file, else the first few on the terminal. */
static void show_bad(struct call *c, struct json *doc, json_ref bad)
{
    int64_t line = 0;
    json_int(doc, json_get(doc, bad, "line"), &line);
    const char *column = json_str(doc, json_get(doc, bad, "column"), "");
    const char *reason = json_str(doc, json_get(doc, bad, "reason"), "");
    c->bad_rows++;
    if (c->output) {
        if (c->bad_rows == 1)
            fputs("line,column,reason\n", c->out);
        fprintf(c->out, "%lld,\"", (long long)line);
        for (const char *p = column; *p; p++)
            fprintf(c->out, *p == '"' ? "\"%c" : "%c", *p);
        fputs("\",\"", c->out);
        for (const char *p = reason; *p; p++)
            fprintf(c->out, *p == '"' ? "\"%c" : "%c", *p);
        fputs("\"\n", c->out);
        return;
    }
    progress_clear();
    if (c->bad_rows <= SHOWN_BAD_ROWS)
        fprintf(stderr, "%s:%lld: %s%s%s\n", c->file ? c->file : "", (long long)line, column,
                *column ? ": " : "", reason);
    else if (c->bad_rows == SHOWN_BAD_ROWS + 1)
        fputs("more bad rows follow; --errors FILE keeps all of them\n", stderr);
}

static void on_line(void *ctx, struct json *doc, const char *line)
{
    struct call *c = ctx;
    json_ref row = json_get(doc, JSON_ROOT, "row");
    struct text data = json_text(doc, json_get(doc, JSON_ROOT, "data"));
    json_ref progress = json_get(doc, JSON_ROOT, "progress");
    json_ref bad = json_get(doc, JSON_ROOT, "bad");
    if (row != JSON_NONE)
        rows_add(&c->rows, json_raw(doc, row, line));
    if (data.ptr) {
        c->out_shown = isatty(fileno(c->out)) == 1;
        fwrite(data.ptr, 1, data.len, c->out);
    }
    if (progress != JSON_NONE)
        show_progress(c, doc, progress);
    if (bad != JSON_NONE)
        show_bad(c, doc, bad);
}

static int exit_status(int result)
{
    switch (result) {
    case RESULT_OK:
        return EXIT_DONE;
    case RESULT_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case RESULT_INVALID:
        return EXIT_USAGE;
    case RESULT_CONFLICT:
        return EXIT_CONFLICT;
    case RESULT_AWAY:
        return EXIT_AWAY;
    default:
        return EXIT_FAILED;
    }
}

static void show_answer(struct call *c)
{
    enum ctl_shape shape = c->command->shape;
    progress_clear();
    if (c->talk.result == RESULT_OK || c->rows.n > 0) {
        if (c->json && (shape == SHAPE_TABLE || shape == SHAPE_RECORD))
            print_json(stdout, &c->rows, shape == SHAPE_TABLE);
        else if (shape == SHAPE_TABLE)
            print_table(stdout, &c->rows);
        else if (shape == SHAPE_RECORD)
            print_record(stdout, &c->rows);
        else if (c->json && shape == SHAPE_QUIET)
            puts("{\"result\":0}");
    }
    if (c->talk.text[0])
        fprintf(stderr, "dialerctl: %s\n", c->talk.text);
}

/* --- the request ----------------------------------------------------------------------------- */

static void put_args(const struct call *c, struct json_writer *w)
{
    json_open_object(w, "args");
    for (size_t i = 0; i < c->n; i++) {
        const struct ctl_arg *a = c->arg[i];
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && c->arg[j] != a;
        if (!first || a->type == ARG_OUTPUT)
            continue;
        if (!a->many) {
            json_put_str(w, a->name, c->value[i]);
            continue;
        }
        json_open_array(w, a->name);
        for (size_t j = i; j < c->n; j++)
            if (c->arg[j] == a)
                json_put_str(w, NULL, c->value[j]);
        json_close_array(w);
    }
    if (c->json && c->command->shape == SHAPE_DATA) {
        bool asked = false;
        for (size_t i = 0; i < c->n; i++)
            asked = asked || strcmp(c->arg[i]->name, "format") == 0;
        if (!asked)
            json_put_str(w, "format", "jsonl");
    }
    json_close_object(w);
}

static int ask(struct call *c)
{
    struct json_writer w;
    char why[512];
    size_t len = 0;
    if (talk_connect(&c->talk, c->socket, why, sizeof why) != 0) {
        fprintf(stderr, "dialerctl: %s\n", why);
        return EXIT_AWAY;
    }
    c->out = stdout;
    if (c->output && !(c->out = fopen(c->output, "we"))) {
        fprintf(stderr, "dialerctl: %s: %s\n", c->output, strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    json_writer_init_heap(&w, CTL_LINE_MAX);
    json_open_object(&w, NULL);
    json_put_int(&w, "id", 1);
    json_put_str(&w, "command", c->command->name);
    put_args(c, &w);
    if (c->file)
        json_put_str(&w, "digest", c->digest);
    json_close_object(&w);
    const char *text = json_writer_end(&w, &len);
    if (!text || len + 1 >= CTL_LINE_MAX)
        return usage_error("the arguments are too long", "", "");
    char *line = strndup(text, len + 1);
    if (!line)
        abort();
    line[len] = '\n';
    json_writer_free(&w);
    int result = talk_run(&c->talk, line, len + 1, why, sizeof why);
    explicit_bzero(line, len + 1);
    explicit_bzero(c->secret, sizeof c->secret);
    free(line);
    if (result != 0) {
        progress_clear();
        fprintf(stderr, "dialerctl: %s\n", why);
        return EXIT_AWAY;
    }
    show_answer(c);
    if ((c->out != stdout && fclose(c->out) != 0) || fflush(stdout) != 0) {
        fprintf(stderr, "dialerctl: cannot write: %s\n", strerrordesc_np(errno));
        return EXIT_FAILED;
    }
    return exit_status(c->talk.result);
}

/* db status and db migrate without a daemon: dialerd itself does it, from where we stand. */
static int run_locally(const struct call *c)
{
    static const char daemon[] = "dialerd";
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof daemon);
    if (n < 0)
        return EXIT_FAILED;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, daemon, sizeof daemon);
    const char *verb = strcmp(c->command->name, "db migrate") == 0 ? "db-migrate" : "db-status";
    execl(path, "dialerd", verb, "--config", c->config, c->json ? "--json" : (char *)NULL,
          (char *)NULL);
    fprintf(stderr, "dialerctl: %s: %s\n", path, strerrordesc_np(errno));
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static struct call call;
    const char *from_environment = getenv("DIALERD_SOCKET");
    call.socket = from_environment ? from_environment : CTL_SOCKET;
    call.talk = (struct talk){.fd = -1, .file = -1, .on_line = on_line, .ctx = &call};
    if (argc == 2 && strcmp(argv[1], "--print-manual") == 0) {
        ctl_print_manual(stdout);
        return EXIT_DONE;
    }
    int wrong = parse(&call, argc, argv);
    if (wrong)
        return wrong;
    if (call.version) {
        puts("dialerctl " DIALERD_VERSION);
        return EXIT_DONE;
    }
    if (call.help || !call.command) {
        if (call.command)
            ctl_print_help(stdout, call.command);
        else
            ctl_print_commands(call.help ? stdout : stderr);
        return call.help ? EXIT_DONE : EXIT_USAGE;
    }
    if ((wrong = check_required(&call)) != 0)
        return wrong;
    if (call.config && !call.command->local)
        return usage_error(" takes no --config: it asks the daemon", call.command->name, "");
    if (call.config)
        return run_locally(&call);
    if ((wrong = take_files(&call)) != 0)
        return wrong;
    wrong = ask(&call);
    rows_free(&call.rows);
    return wrong;
}
