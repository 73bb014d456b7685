/*
 * test_numbers.c - what is no number never reaches a dial string: by CSV, by an agent's hand, by
 * dialerctl. The witness is asked; each refusal names its place and is counted.
 */
#include "tests/rules/seat.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As they stand between the quotes of a CSV field and of a JSON string. */
static const char *const wrong[] = {
    "300&PJSIP/200",
    "300&PJSIP/+12125550123@carrier",
    "+12125550123@carrier/evil",
    "Local/s@customers",
    "letters",
    "+1212555o123",
    "1234567890123456789012345678901234567890",
    "+1234567890123456789012345678901234567890",
    "4.47E+11",
    "+12125550123,,999",
    "+12125550123;x=1",
    "+12125550123 OR 1=1",
    "../../etc/passwd",
    "${SHELL(id)}",
    "+",
    "911",
    "+\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7\xd9\xa8", /* Arabic digits */
};
#define WRONG (sizeof wrong / sizeof *wrong)

/* Every originate of a customer so far went to digits and nothing else. */
static void assert_only_digits_were_dialed(void)
{
    char *text = read_file("witness");
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *number = strstr(line, "\"number\":\"");
        if (strstr(line, "\"what\":\"originate\",\"id\":\"att-") == NULL) {
            continue;
        }
        assert_non_null(number);
        number += strlen("\"number\":\"");
        assert_int_equal(strspn(number, "0123456789"), strcspn(number, "\""));
        assert_true(strcspn(number, "\"") <= 15);
        assert_non_null(strstr(line, "\"endpoint\":\"carrier\""));
    }
    free(text);
}

static void by_csv(void **state)
{
    const struct site site =
        site_new("progressive", ANSWERS AND_TALKS("0.5"), "leg=permanent|retry=300");
    const int64_t bad_before = metric("dialer_import_bad_rows_total");
    struct seat s;
    char number[20];
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    (void)state;
    assert_non_null(f);
    fputs("number,name\n", f);
    for (size_t i = 0; i < WRONG; i++) {
        fprintf(f, "\"%s\",Bad\n", wrong[i]);
    }
    fresh_number(number);
    fprintf(f, "%s,Good\n", number);
    fclose(f);
    write_file("wrong.csv", text);
    free(text);
    ctl_status("lead|import|%s|--list|%lld|--errors|%s", in_folder("wrong.csv"),
               (long long)site.list, in_folder("wrong.errors"));
    assert_int_equal(ctl_number("bad"), WRONG);
    assert_int_equal(ctl_number("inserted"), 1);
    assert_int_equal(metric("dialer_import_bad_rows_total"), bad_before + (int64_t)WRONG);
    text = read_file("wrong.errors");
    for (size_t i = 0; i < WRONG; i++) { /* line and column of each */
        char place[32];
        snprintf(place, sizeof place, "%zu,\"number\",", i + 2);
        if (strstr(text, place) == NULL) {
            fail_msg("no %s in: %s", place, text);
        }
    }
    free(text);
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    SEAT_STATE(&s, "wrapup");
    seat_dispose(&s, "sale");
    SEAT_STATE(&s, "available");
    SEAT_WHILE(&s, 1000, dialed_by(&site) == 1);
    assert_only_digits_were_dialed();
    seat_leave(&s);
    site_stop(&site);
}

/* --- files ------------------------------------------------------------------------------------ */

static void write_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *f = fopen(in_folder(name), "we");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* A bad row costs that row: an open quote, text after a quote, no UTF-8, a million columns, and a
 * byte order mark in front of it all. */
static void a_bad_row_costs_that_row(void **state)
{
    const struct site site = site_new("manual", ANSWERS, "");
    const int64_t before = metric("dialer_import_bad_rows_total");
    char number[2][20];
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    (void)state;
    assert_non_null(f);
    fresh_number(number[0]);
    fresh_number(number[1]);
    fprintf(f, "\xef\xbb\xbfnumber,name\n%s,Ada\n", number[0]);
    fputs("+12125550188,\"open\n", f);
    fputs("+12125550188,\"x\"y\n", f);
    fputs("+12125550188,\xff\n", f);
    for (int i = 0; i < 1000000; i++) {
        fputc(',', f);
    }
    fprintf(f, "\n%s,Bo\n", number[1]);
    fclose(f);
    write_bytes("rows.csv", text, size);
    free(text);
    ctl_status("lead|import|%s|--list|%lld|--errors|%s", in_folder("rows.csv"),
               (long long)site.list, in_folder("rows.errors"));
    assert_int_equal(ctl_number("bad"), 4);
    assert_int_equal(ctl_number("inserted"), 2);
    assert_int_equal(metric("dialer_import_bad_rows_total"), before + 4);
    text = read_file("rows.errors");
    for (int line = 3; line < 7; line++) {
        char place[16];
        snprintf(place, sizeof place, "\n%d,", line);
        assert_non_null(strstr(text, place));
    }
    free(text);
}

/* --- by hand, by command -------------------------------------------------------------------------
 */

static void by_hand(void **state)
{
    const struct site site = site_new("manual", ANSWERS AND_TALKS("0.5"), "");
    struct seat s;
    char members[160];

    (void)state;
    site_start(&site);
    seat_new(&s, site.campaign);
    seat_work(&s);
    for (size_t i = 0; i < WRONG; i++) {
        snprintf(members, sizeof members, ",\"number\":\"%s\"", wrong[i]);
        if (strcmp(seat_ask(&s, "dial", members), "ok") == 0) {
            fail_msg("dialed: %s", wrong[i]);
        }
        assert_true(s.text[0] != '\0');
        SEAT_STATE(&s, "available");
    }
    assert_int_equal(dialed_by(&site), 0);
    assert_only_digits_were_dialed();
    seat_leave(&s);
    site_stop(&site);
}

static void by_dialerctl(void **state)
{
    const int64_t before = metric("dialer_ctl_answers_total{kind=\"invalid\"");
    int64_t answers;
    const struct site site = site_new("manual", ANSWERS, "");

    (void)state;
    for (size_t i = 0; i < WRONG; i++) {
        if (ctl_status("dnc|add|%s", wrong[i]) == 0) {
            fail_msg("dnc add took %s", wrong[i]);
        }
        assert_true(ctl_said()[0] != '\0');
        if (ctl_status("campaign|set|%lld|caller_id=%s", (long long)site.campaign, wrong[i]) == 0) {
            fail_msg("caller_id took %s", wrong[i]);
        }
        assert_non_null(strstr(ctl_said(), "caller_id"));
    }
    /* dialerctl itself refuses some; what reached the daemon is counted. */
    answers = metric("dialer_ctl_answers_total{kind=\"invalid\"") - before;
    assert_true(answers >= (int64_t)WRONG && answers <= 2 * (int64_t)WRONG);
    /* Templates are a door, too: a dial string that names a second place is no template. */
    assert_int_not_equal(
        ctl_status("trunk|add|evil|endpoint=PJSIP/{number}@carrier&PJSIP/200|pbx=1"), 0);
    assert_int_not_equal(ctl_status("trunk|add|evil|endpoint=PJSIP/200|pbx=1"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_csv),
        cmocka_unit_test(a_bad_row_costs_that_row),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(by_dialerctl),
    };

    return cmocka_run_group_tests_name("rules-numbers", tests, stack_up, stack_down);
}
