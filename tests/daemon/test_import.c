/* Imports over a real daemon, on SQLite and on PostgreSQL: what a dry run says, which file is the
 * same file, and what is left when either side is killed in the middle. And an export that cannot
 * be whole. */
#include "adapters/store/store.h"
#include "tests/daemon/place.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct place place;
static struct support_postgres postgres;
static bool with_postgres;
static char store[300]; /* empty: SQLite */

/* --- the place ------------------------------------------------------------------------------- */

static void open_on(const char *words)
{
    place_open(&place);
    place_config(&place, words, "[pbx one]\nurl = http://127.0.0.1:9\n");
    place_start(&place, true);
    place_expect(&place, "campaign add spring", 0, NULL);
    place_expect(&place, "list add first --campaign 1", 0, NULL);
}

static int open_sqlite(void **state)
{
    (void)state;
    store[0] = '\0';
    open_on(NULL);
    return 0;
}

static int open_postgres(void **state)
{
    (void)state;
    if (!with_postgres) {
        place_open(&place);
        return 0;
    }
    place_postgres(&postgres, store, sizeof store);
    open_on(store);
    return 0;
}

static int close_place(void **state)
{
    (void)state;
    place_close(&place);
    return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

/* Text that grows, at first the heading. */
struct csv {
    char *text;
    size_t len, cap;
};

static void csv_add(struct csv *c, const char *text)
{
    size_t n = strlen(text);
    if (c->len + n + 1 > c->cap) {
        c->cap = (c->len + n + 1) * 2;
        c->text = realloc(c->text, c->cap);
        assert_non_null(c->text);
    }
    memcpy(c->text + c->len, text, n + 1);
    c->len += n;
}

/* Rows with the fictional numbers from `from` to before `to`: 10,000 of them, then the first ones
 * again. */
static void csv_people(struct csv *c, unsigned from, unsigned to)
{
    char row[64];
    if (c->len == 0)
        csv_add(c, "number,name\n");
    for (unsigned i = from; i < to; i++) {
        unsigned k = i % 10000;
        unsigned area = 200 + k / 100 / 90 * 100 + k / 100 % 90;
        area += area % 100 >= 11; /* 211, 311 are no areas */
        snprintf(row, sizeof row, "+1%03u55501%02u,Person %u\n", area, k % 100, i);
        csv_add(c, row);
    }
}

static void csv_write(struct csv *c, const char *name)
{
    place_write(&place, name, c->text);
    free(c->text);
    *c = (struct csv){.text = NULL};
}

/* --- what it says ---------------------------------------------------------------------------- */

struct counts {
    unsigned long rows, inserted, duplicates, repeated, do_not_call, bad;
};

static struct counts counts_of(const char *json)
{
    struct counts c = {0};
    if (sscanf(json,
               "{\"rows\":%lu,\"inserted\":%lu,\"duplicates\":%lu,\"repeated\":%lu,"
               "\"do_not_call\":%lu,\"bad\":%lu,",
               &c.rows, &c.inserted, &c.duplicates, &c.repeated, &c.do_not_call, &c.bad) != 6)
        fail_msg("not the counts of an import: %s", json);
    return c;
}

static struct counts import(const char *file, const char *more)
{
    char words[300];
    snprintf(words, sizeof words, "--json lead import %s/%s --list 1 %s", place.dir, file, more);
    struct ran r = place_ctl(&place, words);
    if (r.status != 0)
        fail_msg("%s: %d %s", words, r.status, r.err);
    struct counts c = counts_of(r.out);
    ran_free(&r);
    return c;
}

static void assert_counts(struct counts c, struct counts want)
{
    if (memcmp(&c, &want, sizeof c) != 0)
        fail_msg("rows %lu inserted %lu duplicates %lu repeated %lu dnc %lu bad %lu, want %lu %lu "
                 "%lu %lu %lu %lu",
                 c.rows, c.inserted, c.duplicates, c.repeated, c.do_not_call, c.bad, want.rows,
                 want.inserted, want.duplicates, want.repeated, want.do_not_call, want.bad);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* So many leads are there, and no number is there twice. */
static void assert_leads(size_t want)
{
    struct ran r = place_ctl(&place, "export leads --format jsonl");
    char **numbers = calloc(want + 1, sizeof *numbers);
    size_t n = 0;
    assert_non_null(numbers);
    for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
        char *number = strstr(line, "\"number\":\"");
        assert_non_null(number);
        assert_true(n < want);
        number[strcspn(number + 10, "\"") + 10] = '\0';
        numbers[n++] = number;
    }
    assert_int_equal(n, want);
    qsort(numbers, n, sizeof *numbers, by_text);
    for (size_t i = 1; i < n; i++)
        assert_string_not_equal(numbers[i - 1], numbers[i]);
    free(numbers);
    ran_free(&r);
}

/* --- a dry run ------------------------------------------------------------------------------- */

static void dry_run_says_what_the_run_will(void **state)
{
    (void)state;
    struct csv c = {.text = NULL};
    if (!place.daemon.pid)
        skip();
    csv_people(&c, 0, 100);
    csv_write(&c, "other.csv");
    assert_counts(import("other.csv", ""), (struct counts){.rows = 100, .inserted = 100});
    place_expect(&place, "dnc add +12005550150", 0, NULL); /* among those */
    place_expect(&place, "dnc add +12015550150", 0, NULL); /* among the next */
    csv_people(&c, 0, 6000);
    csv_add(&c, "rubbish,Nobody\n");
    csv_people(&c, 5990, 6000); /* in the batch after the one that they were in, and in it */
    csv_people(&c, 50, 4200);   /* two batches apart */
    csv_write(&c, "people.csv");
    const struct counts want = {
        .rows = 10161, .inserted = 5900, .duplicates = 100 + 10 + 4150, .do_not_call = 1, .bad = 1};
    assert_counts(import("people.csv", "--dry-run"), want);
    assert_counts(import("people.csv", "--dry-run"), want); /* the first one kept nothing */
    assert_leads(100);
    assert_counts(import("people.csv", ""), want);
    assert_leads(6000);
    const struct counts again = {
        .rows = 10161, .duplicates = 100 + 50, .repeated = 10160 - 150, .bad = 1};
    assert_counts(import("people.csv", "--dry-run"), again);
    assert_counts(import("people.csv", ""), again);
    assert_leads(6000);
}

/* --- which file it is ------------------------------------------------------------------------ */

/* Two files of one beginning are two; a file is the same one by its name and through a pipe. */
static void knows_a_file_by_all_of_it(void **state)
{
    (void)state;
    struct csv c = {.text = NULL};
    if (!place.daemon.pid)
        skip();
    csv_people(&c, 0, 1000);
    char *same = strdup(c.text);
    assert_non_null(same);
    csv_write(&c, "one.csv");
    csv_people(&c, 0, 1000);
    csv_people(&c, 2000, 2010);
    csv_write(&c, "two.csv");
    assert_counts(import("one.csv", ""), (struct counts){.rows = 1000, .inserted = 1000});
    assert_counts(import("two.csv", ""),
                  (struct counts){.rows = 1010, .inserted = 10, .duplicates = 1000});
    assert_counts(import("two.csv", ""),
                  (struct counts){.rows = 1010, .duplicates = 1000, .repeated = 10});
    struct place_argv piped;
    place_argv(&place, &piped, "--json lead import - --list 1");
    struct ran r = ran(same, piped.argv);
    assert_int_equal(r.status, 0);
    assert_counts(counts_of(r.out), (struct counts){.rows = 1000, .repeated = 1000});
    ran_free(&r);
    free(same);
    assert_leads(1010);
}

/* --- cut off in the middle ------------------------------------------------------------------- */

#define BEFORE 9000u /* rows that come before the bad ones: two whole batches and some more */
#define COMMITTED 8192u
#define BAD 8000u
#define AFTER 500u

/* A file that dialerctl cannot send to its end while nobody reads its error file: behind the first
 * rows come so many bad ones that the answers about them fill everything between the two. */
static void write_held(void)
{
    struct csv c = {.text = NULL};
    char row[600];
    memset(row, 'x', sizeof row);
    memcpy(row + sizeof row - 9, ",Nobody\n", 9);
    csv_people(&c, 0, BEFORE);
    for (unsigned i = 0; i < BAD; i++)
        csv_add(&c, row);
    csv_people(&c, 10000 - AFTER, 10000);
    csv_write(&c, "held.csv");
}

struct held {
    struct child child;
    int fifo;
};

/* Starts the import; comes back when the daemon is among the bad rows. */
static void start_held(struct held *h)
{
    char why[300] = "";
    char words[300];
    char errors[100];
    char log[100];
    struct place_argv run;
    snprintf(errors, sizeof errors, "%s/errors", place.dir);
    snprintf(log, sizeof log, "%s/dialerctl.log", place.dir);
    assert_int_equal(mkfifo(errors, 0600), 0);
    h->fifo = open(errors, O_RDWR | O_CLOEXEC); /* both ends: opening it waits for nobody */
    assert_true(h->fifo >= 0);
    snprintf(words, sizeof words, "lead import %s/held.csv --list 1 --errors %s", place.dir,
             errors);
    place_argv(&place, &run, words);
    const struct child_options o = {.log = log};
    assert_int_equal(child_start(&h->child, "dialerctl", run.argv, &o, why, sizeof why), 0);
    struct pollfd p = {.fd = h->fifo, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 60000), 1);
}

static void kill_held(struct held *h)
{
    kill(h->child.pid, SIGKILL);
    assert_int_equal(waitpid(h->child.pid, NULL, 0), h->child.pid);
    h->child.pid = 0;
    close(h->fifo);
}

static void repeat_held(void)
{
    assert_leads(COMMITTED);
    const struct counts want = {.rows = BEFORE + BAD + AFTER,
                                .inserted = BEFORE - COMMITTED + AFTER,
                                .repeated = COMMITTED,
                                .bad = BAD};
    assert_counts(import("held.csv", "--dry-run"), want);
    assert_counts(import("held.csv", ""), want);
    assert_leads(BEFORE + AFTER);
    place_expect(&place, "--json audit --limit 1", 0, "\"new\":\"17500 rows: 1308 inserted");
}

static void dialerctl_may_be_killed(void **state)
{
    (void)state;
    struct held h;
    if (!place.daemon.pid)
        skip();
    write_held();
    start_held(&h);
    assert_int_equal(waitpid(h.child.pid, NULL, WNOHANG), 0); /* it is still at it */
    kill_held(&h);
    place_until(&place, "--json audit --limit 1", "\"new\":\"cut off: ", 60);
    repeat_held();
}

static void the_daemon_may_be_killed(void **state)
{
    (void)state;
    struct held h;
    if (!place.daemon.pid)
        skip();
    write_held();
    start_held(&h);
    place_kill(&place);
    kill_held(&h); /* if it has not given up by itself */
    place_start(&place, true);
    repeat_held();
}

/* What is known by a digest must be what was read. */
static void a_file_that_changes_is_told(void **state)
{
    (void)state;
    struct held h;
    char piece[4096];
    char log[100];
    if (!place.daemon.pid)
        skip();
    write_held();
    start_held(&h);
    snprintf(log, sizeof log, "%s/held.csv", place.dir);
    int fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "+12005550100,One\n", 17), 17);
    close(fd);
    int status = 0;
    fcntl(h.fifo, F_SETFL, O_NONBLOCK);
    while (waitpid(h.child.pid, &status, WNOHANG) == 0) {
        struct pollfd p = {.fd = h.fifo, .events = POLLIN};
        if (poll(&p, 1, 100) > 0 && read(h.fifo, piece, sizeof piece) < 0)
            break;
    }
    close(h.fifo);
    h.child.pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    char *said = place_read(&place, "dialerctl.log");
    assert_non_null(strstr(said, "the file changed while it was read"));
    free(said);
    assert_leads(BEFORE + AFTER);
}

/* Columns that are no JSON, as another program may have left them. */
static void an_export_says_what_it_cannot_write(void **state)
{
    (void)state;
    char path[100];
    struct csv c = {.text = NULL};
    struct store_lead lead = {.number = {"+12125550142", 12}, .fields = {"{\"plan\":", 8}};
    struct store_import_count count = {0};
    csv_people(&c, 0, 3);
    csv_write(&c, "people.csv");
    import("people.csv", "");
    snprintf(path, sizeof path, "%s/db", place.dir);
    const struct store_options options = {.where = path, .owner = "test"};
    struct store *s = store_sqlite.make(&options);
    assert_non_null(s);
    assert_int_equal(s->ops->connect(s, 1), STORE_OK);
    assert_int_equal(s->ops->leads_insert(s, 1, 0, 4000000000000, &lead, 1, &count), STORE_OK);
    s->ops->close(s);
    static const char *const forms[] = {"export leads", "export leads --format jsonl"};
    for (size_t i = 0; i < 2; i++) {
        struct ran r = place_ctl(&place, forms[i]);
        assert_int_equal(r.status, 1);
        assert_non_null(strstr(r.err, "the export is not complete: lead 4 cannot be written: "));
        assert_non_null(strstr(r.out, "Person 2")); /* what came before it */
        assert_null(strstr(r.out, "+12125550142"));
        ran_free(&r);
    }
}

int main(void)
{
#define ON(store, test)                                                                            \
    {                                                                                              \
#test " on " #store, test, open_##store, close_place, NULL                                 \
    }
    const struct CMUnitTest tests[] = {
        ON(sqlite, dry_run_says_what_the_run_will),
        ON(postgres, dry_run_says_what_the_run_will),
        ON(sqlite, knows_a_file_by_all_of_it),
        ON(sqlite, dialerctl_may_be_killed),
        ON(postgres, dialerctl_may_be_killed),
        ON(sqlite, the_daemon_may_be_killed),
        ON(postgres, the_daemon_may_be_killed),
        ON(sqlite, a_file_that_changes_is_told),
        ON(sqlite, an_export_says_what_it_cannot_write),
    };
    char why[300] = "";
    int started = support_postgres_start(&postgres, why, sizeof why);
    if (started != 0 && started != 77) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    with_postgres = started == 0;
    int failed = cmocka_run_group_tests_name("daemon-import", tests, NULL, NULL);
    if (with_postgres)
        support_postgres_stop(&postgres);
    return failed;
}
