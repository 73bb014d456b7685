/*
 * test_outage.c - PostgreSQL is gone for longer than a call lasts, and a campaign that claims a
 * minute ahead does not notice; the journal's disk is full, and nothing new is dialed until it is
 * not (issue B, points 2 and 3).
 *
 * OUTAGE_S=60 makes it as long as the issue says; 12 s is what ./run test has time for.
 */
#include "tests/rules/boss.h"
#include "tests/support/services.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEATS 4

static struct support_postgres pg;
static char disk[64]; /* the journal's, "" none */

static int close_all(void **state)
{
    stack_down(state);
    if (pg.folder[0] != '\0') {
        support_postgres_stop(&pg);
    }
    if (disk[0] != '\0') {
        assert_int_equal(umount(disk), 0);
        rmdir(disk);
        disk[0] = '\0';
    }
    return 0;
}

/* false: there is no PostgreSQL here. `more`: further lines of [store]. */
static bool open_with_postgres(const char *more)
{
    char why[300] = "";
    char where[200];
    char url[500];
    const int started = support_postgres_start(&pg, why, sizeof why);

    if (started == 77) {
        stack_open(&(struct stack_parts){0});
        return false;
    }
    assert_int_equal(started, 0);
    assert_int_equal(support_postgres_database(&pg, where, sizeof where), 0);
    snprintf(url, sizeof url, "url = \"postgresql:///%.60s?host=%s&port=%d&user=postgres\"\n%s",
             strstr(where, "dbname=") + strlen("dbname="), pg.folder, pg.port, more);
    stack_open(&(struct stack_parts){.store = url});
    return true;
}

/* Everybody takes calls and disposes them at once; so many seconds. Returns how many dispositions
 * were acknowledged. */
static void serve(struct seat *seats, double seconds)
{
    const int64_t until = net_now_us() + (int64_t)(seconds * 1e6);

    while (net_now_us() < until) {
        net_loop_run_once(loop, 20 * US_PER_MS);
        for (int i = 0; i < SEATS; i++) {
            seat_serve(&seats[i]);
        }
    }
}

static void open_seats(struct seat *seats, int64_t campaign)
{
    for (int i = 0; i < SEATS; i++) {
        seat_new(&seats[i], campaign);
        seat_work(&seats[i]);
    }
}

static double outage_s(void)
{
    const char *set = getenv("OUTAGE_S");

    return set ? strtod(set, NULL) : 12;
}

static bool status_has(const char *words)
{
    return strstr(ctl("status"), words) != NULL;
}

static void a_failover_interrupts_nothing(void **state)
{
    struct seat seats[SEATS];
    struct site site;
    const double away_s = outage_s();
    unsigned before, during, at_end;
    char settings[120];

    (void)state;
    if (!open_with_postgres("")) {
        skip();
    }
    snprintf(settings, sizeof settings,
             "leg=permanent|retry=3600|hopper_size=2000|claim_ahead_ms=%d|claim_ahead_max=2000",
             (int)(away_s > 30 ? 60000 : away_s * 2000));
    site = site_new("progressive", ANSWERS AND_TALKS("0.5"), settings);
    site_leads(&site, 3000);
    site_start(&site);
    open_seats(seats, site.campaign);
    serve(seats, away_s);
    before = dialed_by(&site);
    assert_true(status_has("\"RUN\""));

    support_postgres_kill(&pg, SIGQUIT);
    serve(seats, away_s / 2);
    ctl("alarms");
    assert_string_equal(ctl_text("code"), "DLR-STORE-AWAY");
    assert_true(status_has("\"RUN\"") && status_has("store cannot take the claim"));
    serve(seats, away_s / 2);
    during = dialed_by(&site) - before;
    print_message("# %u calls in %.0f s with the store, %u in %.0f s without\n", before, away_s,
                  during, away_s);
    /* In the short form two spans of 12 s on a machine that does other things, too. */
    assert_true(during * 10 >= before * (away_s > 30 ? 7 : 3));
    assert_true(metric("journal_records") > 0);

    assert_int_equal(support_postgres_again(&pg), 0);
    for (int i = 0; i < 100 && !daemon_ready(); i++) {
        serve(seats, 0.2);
    }
    assert_true(daemon_ready());
    assert_int_equal(metric("journal_refused_total"), 0);
    serve(seats, 3);
    ctl("alarms");
    assert_string_equal(ctl_text("code"), "");
    ctl("alarms|--all");
    assert_string_equal(ctl_text("code"), "DLR-STORE-AWAY");
    at_end = dialed_by(&site);
    assert_true(at_end > before + during);
    site_stop(&site);
    for (int i = 0; i < 50 && ended_of(&site) < dialed_by(&site); i++) {
        serve(seats, 0.2);
    }
    assert_int_equal(ended_of(&site), dialed_by(&site));
    assert_int_equal(dialed_again(&site), 0);
    assert_int_equal(outcomes(&site, "unknown"), 0);
    assert_true(outcomes(&site, "answered") > 0);
    for (int i = 0; i < SEATS; i++) {
        seat_leave(&seats[i]);
    }
    daemon_stop();
    assert_witnessed();
}

/* A supervisor's stop acts at once although nothing can be written down (R24), says so, and is in
 * the store when that is back. */
static void a_stop_without_the_store_acts(void **state)
{
    struct seat seats[SEATS], boss;
    struct site site;
    unsigned before;

    (void)state;
    if (!open_with_postgres("")) {
        skip();
    }
    boss_new(&boss, "pat", "Pat");
    site = site_new("progressive", ANSWERS AND_TALKS("0.5"),
                    "leg=permanent|hopper_size=2000|claim_ahead_ms=60000|claim_ahead_max=2000");
    site_leads(&site, 2000);
    site_start(&site);
    open_seats(seats, site.campaign);
    serve(seats, 4);
    support_postgres_kill(&pg, SIGQUIT);
    serve(seats, 2);
    before = dialed_by(&site);
    serve(seats, 2);
    assert_true(dialed_by(&site) > before); /* rows claimed ahead */

    ctl("campaign|stop|%lld|--now", (long long)site.campaign);
    assert_non_null(strstr(ctl_said(), "written down when it is back"));
    assert_string_equal(boss_switch(&boss, site.campaign, "stop_now"), "ok");
    assert_non_null(strstr(boss.text, "written down when it is back"));
    seat_leave(&boss);
    serve(seats, 2);
    before = dialed_by(&site);
    serve(seats, 4);
    assert_int_equal(dialed_by(&site), before);

    assert_int_equal(support_postgres_again(&pg), 0);
    for (int i = 0; i < 100 && !daemon_ready(); i++) {
        serve(seats, 0.2);
    }
    for (int i = 0; i < 100; i++) {
        serve(seats, 0.2);
        if (ctl_status("campaign|show|%lld", (long long)site.campaign) == 0 &&
            strcmp(ctl_text("active"), "off") == 0) {
            break;
        }
    }
    assert_string_equal(ctl_text("active"), "off");
    ctl("audit|--limit|1");
    assert_string_equal(ctl_text("field"), "active");
    serve(seats, 2);
    assert_int_equal(dialed_by(&site), before);
    site_start(&site);
    for (int i = 0; i < 100 && dialed_by(&site) == before; i++) {
        serve(seats, 0.2);
    }
    assert_true(dialed_by(&site) > before);
    site_stop(&site);
    for (int i = 0; i < SEATS; i++) {
        seat_leave(&seats[i]);
    }
    daemon_stop();
    assert_witnessed();
}

/* --- the journal's disk ----------------------------------------------------------------------- */

static void fill_disk(void)
{
    static const char block[4096];
    char path[80];
    int fd;

    snprintf(path, sizeof path, "%s/filler", disk);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0) {
    }
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void empty_disk(void)
{
    char path[80];

    snprintf(path, sizeof path, "%s/filler", disk);
    assert_int_equal(unlink(path), 0);
}

/* The next word of the alarm on a supervisor's page; gone: that it is over. */
static void page_says(struct seat *boss, bool gone)
{
    const struct json *doc = &boss->doc;
    bool is_gone;

    do {
        is_gone = false;
        page_item(boss->page, "alarm", &boss->doc);
        (void)json_bool(doc, json_get(doc, JSON_ROOT, "gone"), &is_gone);
    } while (!json_is(doc, json_get(doc, JSON_ROOT, "code"), "DLR-JOURNAL-FAILING") ||
             is_gone != gone);
}

/* R26: whoever looks, wherever: the operator, the page, a metric, the log. */
static void assert_alarm_stands(struct seat *boss)
{
    ctl("alarms");
    assert_string_equal(ctl_text("code"), "DLR-JOURNAL-FAILING");
    assert_non_null(strstr(ctl_text("text"), "No space"));
    page_says(boss, false);
    assert_non_null(
        strstr(json_str(&boss->doc, json_get(&boss->doc, JSON_ROOT, "text"), ""), "No space"));
    assert_int_equal(metric("dialer_alarms{kind=\"journal_failing\""), 1);
    assert_int_equal(logged("DLR-JOURNAL-FAILING alarm:"), 1);
}

/* And it is a row in the store, with its cause, its start and its end. */
static void assert_alarm_is_over(struct seat *boss)
{
    page_says(boss, true);
    assert_int_equal(metric("dialer_alarms{kind=\"journal_failing\""), 0);
    assert_int_equal(logged("DLR-JOURNAL-FAILING alarm over:"), 1);
    run_until((ctl("alarms|--all"), ctl_text("until")[0] != '\0'));
    assert_string_equal(ctl_text("code"), "DLR-JOURNAL-FAILING");
    assert_non_null(strstr(ctl_text("text"), "No space"));
    assert_true(strcmp(ctl_text("since"), ctl_text("until")) < 0);
}

static void a_full_disk_stops_new_calls(void **state)
{
    struct seat seats[SEATS];
    struct seat boss;
    struct site site;
    char line[100];
    unsigned before;

    (void)state;
    (void)strcpy(disk, "/tmp/dialer-disk-XXXXXX");
    if (!mkdtemp(disk) || mount("none", disk, "tmpfs", 0, "size=2m") != 0) {
        rmdir(disk);
        disk[0] = '\0';
        stack_open(&(struct stack_parts){0});
        skip(); /* only root may mount */
    }
    snprintf(line, sizeof line, "journal = %s\n", disk);
    if (!open_with_postgres(line)) {
        skip();
    }
    site = site_new("progressive", ANSWERS AND_TALKS("4"), "leg=permanent");
    site_leads(&site, 200);
    site_start(&site);
    open_seats(seats, site.campaign);
    serve(seats, 3);
    SEAT_UNTIL(&seats[0], seats[0].call[0] != '\0');
    boss_new(&boss, "bea", "Bea");

    fill_disk();
    run_until(seat_hear(&seats[0]) && status_has("NO_NEW_DIALS"));
    before = dialed_by(&site);
    assert_alarm_stands(&boss);
    ctl("explain|campaign|%lld", (long long)site.campaign);
    assert_string_equal(ctl_text("held_by"), "journal_failing");
    assert_true(metric("dialer_mode{kind=\"NO_NEW_DIALS\"") == 1);
    serve(seats, 8); /* whoever talked then has ended, and was disposed: the store is there */
    assert_int_equal(dialed_by(&site), before);
    for (int i = 0; i < SEATS; i++) {
        assert_string_equal(seats[i].state, "available");
    }
    empty_disk();
    for (int i = 0; i < 50 && dialed_by(&site) == before; i++) {
        serve(seats, 0.1);
    }
    assert_true(dialed_by(&site) > before);
    assert_true(status_has("\"RUN\""));
    assert_alarm_is_over(&boss);
    seat_leave(&boss);
    site_stop(&site);
    for (int i = 0; i < 100 && ended_of(&site) < dialed_by(&site); i++) {
        serve(seats, 0.1);
    }
    for (int i = 0; i < SEATS; i++) {
        seat_leave(&seats[i]);
    }
    daemon_stop();
    assert_witnessed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_failover_interrupts_nothing, close_all),
        cmocka_unit_test_teardown(a_stop_without_the_store_acts, close_all),
        cmocka_unit_test_teardown(a_full_disk_stops_new_calls, close_all),
    };

    return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
