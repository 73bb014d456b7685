/*
 * test_inputs.c - what people can type, against the running daemon on PostgreSQL: A1 (SQL), A2
 * (commands), A3 (dial strings), A5 (secrets), A14 (exports). One daemon takes all payloads through
 * all inputs while it dials; then what it did is looked at from outside: the database server's own
 * log, the simulated Asterisk's witness, /proc, the exports.
 */
#include "tests/attacks/attack.h"

#include "adapters/daemon/harden.h"
#include "adapters/lead/csv.h"
#include "adapters/lead/number.h"
#include "adapters/store/sql.h"
#include "tests/support/services.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 16000u
#define AGENTS 6u
#define TEXT_MAX (64u * 1024u * 1024u)

static struct support_postgres pg;
static bool no_postgres;
static uint64_t used; /* payloads so far */

/* A file's text from an offset on; the caller frees. */
static char *read_from(const char *path, long offset)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t n;
    size_t cap = 1u << 16;
    size_t len = 0;

    assert_non_null(f);
    fseek(f, offset, SEEK_SET);
    do {
        cap *= 2;
        text = realloc(text, cap);
        n = fread(text + len, 1, cap - 1 - len, f);
        len += n;
    } while (len == cap - 1 && cap < TEXT_MAX);
    text[len] = '\0';
    fclose(f);
    return text;
}

static long file_size(const char *path)
{
    FILE *f = fopen(path, "re");
    long size;

    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    fclose(f);
    return size;
}

/* --- the inputs ------------------------------------------------------------------------------- */

static void put_cell(FILE *f, uint64_t n)
{
    char text[256];
    char cell[CSV_WRITTEN(sizeof text)];

    fputc('"', f);
    payload(n, text, sizeof text);
    for (const char *c = text; *c != '\0'; c++) {
        fputs(*c == '"' ? "\"\"" : (cell[0] = *c, cell[1] = '\0', cell), f);
    }
    fputc('"', f);
}

/* Three rows of four with a number that can be dialed, the fourth with a payload for one. */
static void import_payloads(unsigned *rows)
{
    char path[128];
    char words[300];
    struct ran r;
    FILE *f;

    snprintf(path, sizeof path, "%s/people.csv", place.dir);
    f = fopen(path, "we");
    assert_non_null(f);
    fputs("number,name,city,\"'; DROP TABLE lead; --\"\n", f);
    for (unsigned i = 0; i < ROWS; i++) {
        if (i % 4 == 3) {
            put_cell(f, used++);
        } else {
            fprintf(f, "+1%03u55501%02u", 200 + i / 100 % 800, i % 100);
        }
        for (unsigned k = 0; k < 3; k++) {
            fputc(',', f);
            put_cell(f, used++);
        }
        fputc('\n', f);
    }
    fclose(f);
    snprintf(words, sizeof words, "--json lead import %s --list 1 --country US", path);
    r = place_ctl(&place, words);
    if (r.status != 0 || strstr(r.out, "\"inserted\":") == NULL) {
        fail_msg("import: %d %.300s %.300s", r.status, r.out, r.err);
    }
    *rows = (unsigned)strtoul(strstr(r.out, "\"inserted\":") + 11, NULL, 10);
    ran_free(&r);
}

static const char *args_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *args_of(const char *format, ...)
{
    static char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return text;
}

static void tell_operator(unsigned times)
{
    char t[512];

    for (unsigned i = 0; i < times; i++) {
        payload_json(used++, t, sizeof t);
        ctl_say("campaign add", args_of("\"name\":\"%s\",\"settings\":[\"message=%s\"]", t, t));
        ctl_say("trunk add", args_of("\"name\":\"%s\",\"settings\":[\"endpoint=%s\"]", t, t));
        ctl_say("list add", args_of("\"name\":\"%s\",\"campaign\":\"1\"", t));
        ctl_say("agent add",
                args_of("\"login\":\"%s\",\"name\":\"%s\",\"password-file\":\"%s\"", t, t, t));
        ctl_say("agent phone", args_of("\"agent\":\"2\",\"endpoint\":\"%s\",\"pbx\":\"%s\"", t, t));
        ctl_say("dnc add", args_of("\"number\":\"%s\",\"source\":\"%s\"", t, t));
        ctl_say("dnc add", args_of("\"number\":\"+1999555%04u\",\"source\":\"%s\"", i, t));
        ctl_say("lead show", args_of("\"lead\":\"%s\"", t));
        ctl_say("explain lead", args_of("\"lead\":\"1 %s\"", t));
        ctl_say("campaign set", args_of("\"campaign\":\"1\",\"settings\":[\"%s\"]", t));
        ctl_say("export calls", args_of("\"from\":\"%s\",\"format\":\"csv\"", t));
        ctl_say(t, "");
        used += 11;
    }
}

static void log_in_with_payloads(unsigned times)
{
    char t[512];
    char from[32];

    for (unsigned i = 0; i < times; i++) {
        payload_json(used++, t, sizeof t);
        snprintf(from, sizeof from, "127.1.%u.%u", i / 200, 1 + i % 200);
        const int status = log_in(from, t, t);
        if (status != 401 && status != 400 && status != 429 && status != 503) {
            fail_msg("login of %s: status %d", t, status);
        }
    }
}

/* Agents' pages: within the limits of the protocol, each a burst. */
static void say_on_pages(unsigned rounds)
{
    char t[512];
    char text[1600];

    for (unsigned i = 0; i < rounds; i++) {
        struct page *p = page_hello(ticket(AGENTS), NULL, 0);
        struct json doc;
        json_init(&doc, 0);
        page_next(p, "welcome", &doc);
        for (unsigned k = 0; k < 36; k++) {
            static const struct {
                const char *before, *after;
            } forms[] = {
                {"{\"type\":\"dial\",\"id\":1,\"number\":\"", "\"}"},
                {"{\"type\":\"set_status\",\"id\":2,\"state\":\"break\",\"reason\":\"", "\"}"},
                {"{\"type\":\"set_disposition\",\"id\":3,\"code\":\"sale\",\"attempt\":\"", "\"}"},
                {"{\"type\":\"set_disposition\",\"id\":4,\"attempt\":\"a\",\"code\":\"", "\"}"},
                {"{\"type\":\"set_disposition\",\"id\":5,\"attempt\":\"a\",\"code\":\"x\",\"note\":"
                 "\"",
                 "\"}"},
                {"{\"id\":6,\"type\":\"", "\"}"},
            };
            payload_json(used++, t, k % 6 == 0 ? 40 : sizeof t);
            snprintf(text, sizeof text, "%s%s%s", forms[k % 6].before, t, forms[k % 6].after);
            page_send(p, text);
            net_loop_run_once(loop, 0);
        }
        run_until(p->n > 30 || p->closed);
        assert_false(p->closed);
        json_free(&doc);
        page_free(p);
    }
}

/* --- set-up ----------------------------------------------------------------------------------- */

static long log_begin;

static int everything_said(void **state)
{
    char where[160];
    char why[160];
    char path[128];
    unsigned rows = 0;
    int rc = support_postgres_start(&pg, why, sizeof why);

    (void)state;
    no_postgres = rc == 77;
    if (rc != 0) {
        print_message("%s\n", why);
        return rc == 77 ? 0 : -1;
    }
    assert_int_equal(support_postgres_database(&pg, where, sizeof where), 0);
    attack_begin(args_of("url = \"postgresql:///%s?host=%s&port=%d&user=postgres&options=-c%%20"
                         "log_statement%%3Dall%%20-c%%20log_parameter_max_length%%3D0%%20-c%%20"
                         "log_parameter_max_length_on_error%%3D0\"",
                         strstr(where, "dbname=") + 7, pg.folder, pg.port),
                 "", AGENTS);
    snprintf(path, sizeof path, "%s/log", pg.folder);
    log_begin = file_size(path);
    import_payloads(&rows);
    print_message("%u rows of payloads in the store\n", rows);
    place_expect(&place, "campaign start 1", 0, NULL);
    place_agents(&place, AGENTS - 1, "0.5");
    tell_operator(25);
    log_in_with_payloads(20);
    say_on_pages(6);
    place_until(&place, "export calls --format jsonl", "\"disposition\":\"", 60);
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    if (!no_postgres) {
        attack_end();
        support_postgres_stop(&pg);
    }
    return 0;
}

#define NEEDS_POSTGRES()                                                                           \
    do {                                                                                           \
        (void)state;                                                                               \
        if (no_postgres) {                                                                         \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* --- A1 --------------------------------------------------------------------------------------- */

/* The text as the server logs it: ?1 is $1 there. */
static bool in_catalogue(const char *sql)
{
    static const char *const words[] = {"BEGIN", "COMMIT", "ROLLBACK", "BEGIN READ ONLY"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(sql, words[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const char *known = sql_catalogue[i].postgres;
        const char *c = sql;
        while (*known != '\0' && (*known == *c || (*known == '?' && *c == '$'))) {
            known++;
            c++;
        }
        if (*known == '\0' && *c == '\0') {
            return true;
        }
    }
    /* What a connection says first (postgres.c), with nothing of ours in it. */
    return strncmp(sql, "SELECT set_config('statement_timeout', $1, false)", 49) == 0 ||
           strncmp(sql, "SELECT pg_try_advisory_lock(", 28) == 0;
}

static void every_statement_is_in_the_catalogue(void **state)
{
    char path[128];
    char *log;
    char *rest = NULL;
    uint64_t statements = 0;
    uint64_t foreign = 0;

    NEEDS_POSTGRES();
    assert_true(in_catalogue("COMMIT"));
    assert_false(in_catalogue("COMMIT; DROP TABLE lead"));
    assert_false(in_catalogue("SELECT COUNT(*) FROM schema_migration WHERE 1 = 1"));
    snprintf(path, sizeof path, "%s/log", pg.folder);
    log = read_from(path, log_begin);
    for (char *line = strtok_r(log, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *at = strstr(line, "LOG:  execute ");
        const char *said = strstr(line, "LOG:  statement: ");
        if (at == NULL && said == NULL) {
            continue;
        }
        statements++;
        at = at != NULL ? strstr(at + 14, ": ") : NULL;
        const char *sql = said != NULL ? said + 17 : at != NULL ? at + 2 : "?";
        /* The catalogue's texts have no line ends: a text that goes on in the next line is none. */
        if (!in_catalogue(sql) && foreign++ < 5) {
            print_error("not in the catalogue: %.400s\n", sql);
        }
    }
    free(log);
    print_message("A1: %llu payloads through 18 inputs, %llu statements logged, %llu of another "
                  "shape\n",
                  (unsigned long long)used, (unsigned long long)statements,
                  (unsigned long long)foreign);
    assert_true(statements > 1000);
    assert_int_equal(foreign, 0);
}

/* --- A2 --------------------------------------------------------------------------------------- */

static void nothing_can_be_executed(void **state)
{
    char path[96];
    char *text;

    NEEDS_POSTGRES();
    snprintf(path, sizeof path, "/proc/%d/status", (int)place.daemon.pid);
    text = read_from(path, 0);
    assert_non_null(strstr(text, "Seccomp:\t2"));
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    free(text);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)place.daemon.pid,
             (int)place.daemon.pid);
    text = read_from(path, 0);
    assert_string_equal(text, "");
    free(text);
    assert_int_not_equal(access("/tmp/attacked", F_OK), 0);
    print_message("A2: execve forbidden by seccomp, 0 children\n");
}

/* --- A3 --------------------------------------------------------------------------------------- */

/* The simulated Asterisk tells an endpoint's name apart from the number in its dial string: a call
 * is the trunk and digits that were imported, a leg is a phone of ours. */
static bool is_template(const char *line)
{
    static const char call[] = "\"endpoint\":\"carrier\",\"number\":\"";
    static const char leg[] = "\"endpoint\":\"100";
    const char *at = strstr(line, call);
    const char *phone = strstr(line, leg);

    if (at != NULL) {
        const size_t digits = strspn(at + strlen(call), "0123456789");
        return digits >= 3 && digits <= 15 && at[strlen(call) + digits] == '"';
    }
    return phone != NULL && strncmp(phone + strlen(leg) + 1, "\",\"number\":\"\"", 13) == 0;
}

static void only_templates_are_dialed(void **state)
{
    char *text;
    char *rest = NULL;
    unsigned dialed = 0;
    unsigned foreign = 0;

    NEEDS_POSTGRES();
    text = place_read(&place, "witness.jsonl");
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strstr(line, "\"what\":\"originate\"") == NULL) {
            continue;
        }
        dialed++;
        if (!is_template(line) && foreign++ < 5) {
            print_error("%.300s\n", line);
        }
    }
    free(text);
    print_message("A3: %u calls originated under attack, %u foreign endpoints\n", dialed, foreign);
    assert_true(dialed > 10);
    assert_int_equal(foreign, 0);
}

static void a_million_fuzzed_numbers(void **state)
{
    static const char alphabet[] = "0123456789012345678901234567+-() ./&@|,;#*xE\t\"'";
    uint64_t r = 7;
    unsigned good = 0;
    char out[NUMBER_E164_SIZE];

    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        char text[32];
        const uint32_t len = i % 24;
        for (uint32_t k = 0; k < len; k++) {
            r = r * 6364136223846793005u + 1442695040888963407u;
            /* Half of them digits and little else, or nothing would ever get in. */
            text[k] = alphabet[(r >> 33) % (i % 2 == 0 ? 31 : sizeof alphabet - 1)];
        }
        const struct text country = {i % 3 == 0   ? ""
                                     : i % 3 == 1 ? "US"
                                                  : "GB",
                                     i % 3 == 0 ? 0 : 2};
        if (number_normalise((struct text){text, len}, country, out) == NUMBER_OK) {
            const size_t digits = strspn(out + 1, "0123456789");
            good++;
            assert_true(out[0] == '+' && digits >= 3 && digits <= 15 && out[1 + digits] == '\0');
        } else {
            assert_string_equal(out, "");
        }
    }
    print_message("A3: 1000000 fuzzed numbers, %u became E.164, the others were refused\n", good);
    assert_true(good > 1000);
}

/* --- A5 --------------------------------------------------------------------------------------- */

static unsigned hits(const char *path)
{
    static const char *const secrets[] = {SECRET_OF_PBX, SECRET_OF_STORE, SECRET_OF_AGENT};
    FILE *f = fopen(path, "re");
    static char text[8u * 1024u * 1024u];
    unsigned found = 0;
    size_t n;

    if (f == NULL) {
        return 0; /* /proc of a process that may not be looked into: so much the better */
    }
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        if (memmem(text, n, secrets[i], strlen(secrets[i])) != NULL) {
            print_error("%s holds %s\n", path, secrets[i]);
            found++;
        }
    }
    return found;
}

static void secrets_are_in_their_files_only(void **state)
{
    static const char *const proc[] = {"cmdline", "environ", "comm", "status"};
    char path[400];
    unsigned looked = 0;
    unsigned found = 0;
    const struct dirent *entry;
    DIR *dir;

    NEEDS_POSTGRES();
    for (size_t i = 0; i < sizeof proc / sizeof *proc; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)place.daemon.pid, proc[i]);
        found += hits(path);
        looked++;
    }
    dir = opendir(place.dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".password") == NULL && entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", place.dir, entry->d_name);
            found += hits(path);
            looked++;
        }
    }
    closedir(dir);
    snprintf(path, sizeof path, "%s/log", pg.folder);
    found += hits(path);
    print_message("A5: %u files and places looked into, %u hits\n", looked + 1, found);
    assert_int_equal(found, 0);
}

/* Nothing of the daemon's memory gets onto a disk by a crash, nor to another program. Whether a
 * process may be dumped only it can say itself: so a child asks after what main() calls, which the
 * seccomp filter above shows that the daemon has called. */
static void no_core_files(void **state)
{
    char path[96];
    char *text;
    pid_t child;
    int status = 0;

    NEEDS_POSTGRES();
    snprintf(path, sizeof path, "/proc/%d/limits", (int)place.daemon.pid);
    text = read_from(path, 0);
    const char *at = strstr(text, "Max core file size");
    assert_non_null(at);
    at += strlen("Max core file size");
    at += strspn(at, " ");
    assert_int_equal(strncmp(at, "0 ", 2), 0); /* the soft one, and the hard one */
    at += 1 + strspn(at + 1, " ");
    assert_int_equal(strncmp(at, "0 ", 2), 0);
    free(text);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(harden() && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    print_message("A5: no core files, not dumpable\n");
}

/* --- A14 -------------------------------------------------------------------------------------- */

struct cells {
    uint64_t n, formulas, faults;
};

static int on_row(void *ctx, const struct csv_row *row)
{
    struct cells *c = ctx;

    for (uint32_t i = 0; i < row->n; i++) {
        const struct text t = row->columns[i];
        c->n++;
        if (t.len > 0 && memchr("=+-@\t\r", t.ptr[0], 6) != NULL) {
            bool number = t.len > 1 && (t.ptr[0] == '+' || t.ptr[0] == '-');
            for (uint32_t k = 1; k < t.len; k++) {
                number = number && t.ptr[k] >= '0' && t.ptr[k] <= '9';
            }
            c->formulas += !number;
        }
    }
    return 0;
}

static int on_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    struct cells *c = ctx;

    (void)fault;
    (void)line;
    (void)column;
    (void)raw;
    c->faults++;
    return 0;
}

static void exports_hold_no_formula(void **state)
{
    static const char *const kinds[] = {"export leads", "export calls", "export agents"};
    struct cells c = {0, 0, 0};

    NEEDS_POSTGRES();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ran r = place_ctl(&place, kinds[i]);
        struct csv *csv = csv_open(on_row, on_fault, &c);
        assert_int_equal(r.status, 0);
        assert_int_equal(csv_feed(csv, r.out, strlen(r.out)), 0);
        assert_int_equal(csv_end(csv), 0);
        csv_close(csv);
        ran_free(&r);
    }
    print_message("A14: %llu exported cells, %llu formulas\n", (unsigned long long)c.n,
                  (unsigned long long)c.formulas);
    assert_true(c.n > ROWS);
    assert_int_equal(c.formulas, 0);
    assert_int_equal(c.faults, 0);
}

static void it_serves_as_before(void **state)
{
    NEEDS_POSTGRES();
    assert_true(alive());
    place_expect(&place, "status", 0, NULL);
    assert_int_equal(place_end(&place), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_fuzzed_numbers),
        cmocka_unit_test(every_statement_is_in_the_catalogue),
        cmocka_unit_test(nothing_can_be_executed),
        cmocka_unit_test(only_templates_are_dialed),
        cmocka_unit_test(secrets_are_in_their_files_only),
        cmocka_unit_test(no_core_files),
        cmocka_unit_test(exports_hold_no_formula),
        cmocka_unit_test(it_serves_as_before),
    };

    return cmocka_run_group_tests_name("attacks: inputs", tests, everything_said, take_down);
}
