/* CSV: the torture set, each fed whole and byte by byte. */
#include "adapters/lead/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    char text[8192];
    uint64_t rows;
    uint64_t faults;
    uint32_t columns;
};

static void add(struct seen *s, const char *bytes, size_t n)
{
    size_t len = strlen(s->text);

    if (len + n < sizeof s->text) {
        memcpy(s->text + len, bytes, n);
        s->text[len + n] = 0;
    }
}

static int on_row(void *ctx, const struct csv_row *row)
{
    struct seen *s = ctx;
    char line[32];

    s->rows++;
    s->columns = row->n;
    (void)snprintf(line, sizeof line, "%llu:", (unsigned long long)row->line);
    add(s, line, strlen(line));
    for (uint32_t i = 0; i < row->n; i++) {
        add(s, "[", 1);
        add(s, row->columns[i].ptr, row->columns[i].len);
        add(s, "]", 1);
    }
    add(s, " ", 1);
    return 0;
}

static int on_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    struct seen *s = ctx;
    char text[96];

    (void)column;
    (void)raw;
    s->faults++;
    (void)snprintf(text, sizeof text, "%llu!%d ", (unsigned long long)line, (int)fault);
    add(s, text, strlen(text));
    return 0;
}

static void read_in(const char *bytes, size_t n, size_t piece, struct seen *s)
{
    struct csv *c = csv_open(on_row, on_fault, s);

    memset(s, 0, sizeof *s);
    assert_non_null(c);
    for (size_t i = 0; i < n; i += piece) {
        if (csv_feed(c, bytes + i, n - i < piece ? n - i : piece) != 0) {
            break;
        }
    }
    (void)csv_end(c);
    csv_close(c);
}

static void expect_bytes(const char *bytes, size_t n, const char *expected)
{
    struct seen s;

    read_in(bytes, n, n, &s);
    assert_string_equal(s.text, expected);
    read_in(bytes, n, 4, &s);
    assert_string_equal(s.text, expected);
}

static void expect(const char *bytes, const char *expected)
{
    expect_bytes(bytes, strlen(bytes), expected);
}

static void plain_and_quoted(void **state)
{
    (void)state;
    expect("a,b\nc,d\n", "1:[a][b] 2:[c][d] ");
    expect("a,b\r\nc,\r\n", "1:[a][b] 2:[c][] ");
    expect("\"a,\"\"x\"\"\",b\n\"two\nlines\",d\ne,f",
           "1:[a,\"x\"][b] 2:[two\nlines][d] 4:[e][f] ");
    expect("a;b,c;d\n1;2;3\n", "1:[a][b,c][d] 2:[1][2][3] ");
    expect("\xef\xbb\xbf"
           "name\tnumber\nx\ty\n",
           "1:[name][number] 2:[x][y] ");
    expect("\n\na,b\n", "3:[a][b] ");
}

static void faults_name_the_line_and_reading_goes_on(void **state)
{
    (void)state;
    expect("a,b\nx\"y\"z,z\nc,d\n", "1:[a][b] 2!5 3:[c][d] ");
    expect("a,b\n\"x\"y,z\nc,d\n", "1:[a][b] 2!5 3:[c][d] ");
    expect("a,b\n\"open,z\nc,d\ne,f\n", "1:[a][b] 2!4 3:[c][d] 4:[e][f] ");
    expect("a,b\n\xff,z\nc,d\n", "1:[a][b] 2!3 3:[c][d] ");
    expect("a,b\n\xc0\xaf,z\n\xed\xa0\x80,s\nc,d\n", "1:[a][b] 2!3 3!3 4:[c][d] ");
}

static void not_csv_at_all(void **state)
{
    (void)state;
    expect_bytes("a,b\n1,\0002\n3,4\n", 13, "1:[a][b] 2!2 ");
    expect_bytes("\xff\xfe"
                 "a\0,\0",
                 6, "1!1 ");
    expect_bytes("\xfe\xff\0a\0,", 6, "1!1 ");
}

static void a_million_columns(void **state)
{
    size_t n = 1000000;
    char *row = malloc(n + 8);
    struct seen s;

    (void)state;
    assert_non_null(row);
    memcpy(row, "a,b\n", 4);
    memset(row + 4, ',', n);
    memcpy(row + 4 + n, "\nc,d", 4);
    read_in(row, n + 8, 4096, &s);
    assert_string_equal(s.text, "1:[a][b] 2!6 3:[c][d] ");
    /* short enough for a row, too many columns */
    read_in(row, 4 + 2000, 4096, &s);
    assert_string_equal(s.text, "1:[a][b] 2!7 ");
    free(row);
}

/* Unbalanced quotes all over a large file: every line is accounted for, memory stays bounded. */
static void quotes_everywhere(void **state)
{
    size_t lines = 3000;
    char *file = malloc(lines * 8 + 1);
    size_t n = 0;
    struct seen s;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < lines; i++) {
        memcpy(file + n, i % 2 ? "a,b\n" : "\"a,b\n", i % 2 ? 4 : 5);
        n += i % 2 ? 4 : 5;
    }
    read_in(file, n, 4096, &s);
    assert_true(s.rows + s.faults > 0);
    assert_true(s.rows + s.faults <= lines);
    free(file);
}

/* --- writing (attack A14) --------------------------------------------------------------------- */

struct cell {
    char text[40];
    uint32_t len;
    bool seen;
};

static int on_cell(void *ctx, const struct csv_row *row)
{
    struct cell *want = ctx;
    struct text got;

    assert_int_equal(row->n, 2);
    assert_int_equal(row->columns[0].len, 1);
    got = row->columns[1];
    if (got.len == want->len + 1 && got.ptr[0] == '\'') {
        got = (struct text){got.ptr + 1, got.len - 1};
        assert_non_null(memchr("=+-@\t\r", got.ptr[0], 6));
    } else if (got.len > 0 && memchr("=+-@\t\r", got.ptr[0], 6) != NULL) {
        /* Only a signed number may begin like that. */
        assert_true(got.ptr[0] == '+' || got.ptr[0] == '-');
        assert_true(got.len > 1 && strspn(got.ptr + 1, "0123456789") >= got.len - 1);
    }
    assert_int_equal(got.len, want->len);
    assert_memory_equal(got.ptr, want->text, want->len);
    want->seen = true;
    return 0;
}

static int no_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    (void)ctx;
    (void)line;
    (void)column;
    (void)raw;
    fail_msg("%s", csv_fault_sentence(fault));
    return -1;
}

/* Random cells out of what is dangerous: each is read again as it was, and none begins a formula.
 */
static void no_cell_is_a_formula(void **state)
{
    static const char alphabet[] = "=+-@\t\r\n\",;'|!0123ab";
    struct cell cell = {.text = "b", .len = 1};
    struct csv *csv = csv_open(on_cell, no_fault, &cell);
    char line[8 + CSV_WRITTEN(sizeof cell.text)] = "a,b\n";
    uint64_t r = 1;

    (void)state;
    assert_int_equal(csv_feed(csv, line, 4), 0);
    memcpy(line, "x,", 2);
    for (unsigned i = 0; i < 100000; i++) {
        cell = (struct cell){.len = i % 12};
        for (uint32_t k = 0; k < cell.len; k++) {
            r = r * 6364136223846793005u + 1442695040888963407u;
            cell.text[k] = alphabet[(r >> 33) % (sizeof alphabet - 1)];
        }
        size_t n = 2 + csv_write_field((struct text){cell.text, cell.len}, line + 2);
        line[n++] = '\r';
        line[n++] = '\n';
        assert_int_equal(csv_feed(csv, line, n), 0);
        assert_true(cell.seen);
    }
    csv_close(csv);
    print_message("A14: 100000 random cells, 0 formulas, 0 changed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_quoted),
        cmocka_unit_test(faults_name_the_line_and_reading_goes_on),
        cmocka_unit_test(not_csv_at_all),
        cmocka_unit_test(a_million_columns),
        cmocka_unit_test(quotes_everywhere),
        cmocka_unit_test(no_cell_is_a_formula),
    };

    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
