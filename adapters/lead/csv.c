/*
 * csv.c - rows are gathered whole (they are bounded), then split: that keeps the splitting simple,
 * and lets a row that cannot be read be shown as it stood. Whether a line end belongs to a quoted
 * field is known while gathering, from the number of quotes before it.
 */
#include "adapters/lead/csv.h"

#include <stdlib.h>
#include <string.h>

struct csv {
    csv_on_row on_row;
    csv_on_fault on_fault;
    void *ctx;
    char *raw;   /* CSV_ROW_MAX + 1 */
    char *plain; /* the same row with its quotes taken away */
    size_t len;
    uint64_t line;     /* of the next byte */
    uint64_t row_line; /* where the row begins */
    size_t first_end;  /* end of the row's first line, to resume after an open quote */
    bool quoted;       /* an odd number of quotes so far */
    bool skip;         /* the row is too long: dropped until its line ends */
    bool begun;        /* the first bytes were looked at */
    unsigned n_first;  /* so many are kept until then */
    unsigned char first[3];
    bool stopped;
    char separator; /* 0 before the first row */
    struct text columns[CSV_COLUMNS_MAX];
};

const char *csv_fault_sentence(enum csv_fault fault)
{
    static const char *const sentences[] = {
        [CSV_OK] = "good",
        [CSV_UTF16] = "the file is UTF-16: save it as UTF-8",
        [CSV_NUL] = "the file has NUL bytes: it is not text",
        [CSV_BAD_UTF8] = "not valid UTF-8",
        [CSV_QUOTE_OPEN] = "a quote is opened and never closed",
        [CSV_QUOTE_INSIDE] = "a quote stands inside a field",
        [CSV_TOO_LONG] = "the row is longer than 256 KiB",
        [CSV_TOO_MANY] = "the row has more than 1024 columns",
    };

    return (unsigned)fault < sizeof sentences / sizeof sentences[0] ? sentences[fault] : "?";
}

struct csv *csv_open(csv_on_row on_row, csv_on_fault on_fault, void *ctx)
{
    struct csv *c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    c->raw = malloc(CSV_ROW_MAX + 1u);
    c->plain = malloc(CSV_ROW_MAX + 1u);
    if (!c->raw || !c->plain) {
        csv_close(c);
        return NULL;
    }
    c->on_row = on_row;
    c->on_fault = on_fault;
    c->ctx = ctx;
    c->line = c->row_line = 1;
    return c;
}

void csv_close(struct csv *c)
{
    if (c) {
        free(c->raw);
        free(c->plain);
        free(c);
    }
}

static int report(struct csv *c, enum csv_fault fault, uint64_t line, uint32_t column,
                  struct text raw)
{
    return c->on_fault(c->ctx, fault, line, column, raw);
}

static int stop(struct csv *c, enum csv_fault fault, uint32_t column)
{
    c->stopped = true;
    (void)report(c, fault, c->line, column, (struct text){c->raw, 0});
    return -1;
}

/* How many bytes the character at `s` has; 0: it is none (overlong, surrogate, cut). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    size_t n = s[0] < 0x80u   ? 1u
               : s[0] < 0xc2u ? 0u
               : s[0] < 0xe0u ? 2u
               : s[0] < 0xf0u ? 3u
               : s[0] < 0xf5u ? 4u
                              : 0u;

    if (n == 0 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    if ((s[0] == 0xe0u && s[1] < 0xa0u) || (s[0] == 0xedu && s[1] >= 0xa0u) ||
        (s[0] == 0xf0u && s[1] < 0x90u) || (s[0] == 0xf4u && s[1] >= 0x90u)) {
        return 0;
    }
    return n;
}

static bool utf8_valid(struct text t)
{
    const unsigned char *s = (const unsigned char *)t.ptr;
    size_t i = 0;

    while (i < t.len) {
        size_t n = utf8_length(s + i, t.len - i);

        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

/* The sign that stands most often outside quotes in the first line; comma when none does. */
static char find_separator(struct text row)
{
    static const char signs[] = {',', ';', '\t'};
    uint32_t count[3] = {0, 0, 0};
    bool quoted = false;
    size_t best = 0;

    for (uint32_t i = 0; i < row.len; i++) {
        quoted = quoted != (row.ptr[i] == '"');
        for (size_t k = 0; k < sizeof signs && !quoted; k++) {
            count[k] += row.ptr[i] == signs[k] ? 1u : 0u;
        }
    }
    for (size_t k = 1; k < sizeof signs; k++) {
        best = count[k] > count[best] ? k : best;
    }
    return signs[best];
}

/* One field from *at on; its text goes to c->plain at *used. False: a quote in the wrong place. */
static bool take_field(struct csv *c, struct text row, uint32_t *at, uint32_t *used,
                       struct text *out)
{
    uint32_t i = *at;
    uint32_t from = *used;
    bool quoted = i < row.len && row.ptr[i] == '"';

    i += quoted ? 1u : 0u;
    for (; i < row.len; i++) {
        char ch = row.ptr[i];

        if (quoted && ch == '"') {
            if (i + 1 < row.len && row.ptr[i + 1] == '"') {
                i++; /* two quotes are one */
            } else {
                i++;
                break;
            }
        } else if (!quoted && ch == '"') {
            return false;
        } else if (!quoted && ch == c->separator) {
            break;
        }
        c->plain[(*used)++] = ch;
    }
    if (i < row.len && row.ptr[i] != c->separator) {
        return false;
    }
    *out = (struct text){c->plain + from, *used - from};
    *at = i;
    return true;
}

static int split(struct csv *c, struct text row)
{
    uint32_t at = 0;
    uint32_t used = 0;
    uint32_t n = 0;

    for (;;) {
        if (n == CSV_COLUMNS_MAX) {
            return report(c, CSV_TOO_MANY, c->row_line, n + 1, row);
        }
        if (!take_field(c, row, &at, &used, &c->columns[n])) {
            return report(c, CSV_QUOTE_INSIDE, c->row_line, n + 1, row);
        }
        n++;
        if (at >= row.len) {
            break;
        }
        at++; /* over the separator: one more field follows, maybe an empty one */
    }
    struct csv_row out = {c->row_line, c->columns, n, row};

    return c->on_row(c->ctx, &out);
}

static int finish_row(struct csv *c)
{
    struct text row = {c->raw, (uint32_t)c->len};
    int result = 0;

    if (row.len > 0 && row.ptr[row.len - 1] == '\r') {
        row.len--;
    }
    if (c->skip) {
        row.len = row.len < 200 ? row.len : 200;
        result = report(c, CSV_TOO_LONG, c->row_line, 1, row);
    } else if (row.len > 0) {
        if (c->separator == 0) {
            c->separator = find_separator(row);
        }
        result = utf8_valid(row) ? split(c, row) : report(c, CSV_BAD_UTF8, c->row_line, 1, row);
    }
    c->len = 0;
    c->first_end = 0;
    c->skip = false;
    c->quoted = false;
    c->row_line = c->line;
    return result;
}

static int feed_rest(struct csv *c, size_t from);

/* A quote was opened that never closes (or spans too much): the line it stands in is the fault, and
 * reading goes on with the next one. */
static int give_up_quote(struct csv *c)
{
    size_t end = c->first_end > 0 ? c->first_end : c->len;
    struct text row = {c->raw, (uint32_t)end};
    uint64_t line = c->row_line;
    int result;

    row.len -= row.len > 0 && row.ptr[row.len - 1] == '\n' ? 1u : 0u;
    result = report(c, CSV_QUOTE_OPEN, line, 1, row);
    if (result != 0) {
        return result;
    }
    c->row_line = line + 1;
    return feed_rest(c, end);
}

static int take_byte(struct csv *c, char ch)
{
    if (ch == 0) {
        return stop(c, CSV_NUL, 1);
    }
    if (c->len >= CSV_ROW_MAX) {
        if (c->quoted && c->first_end > 0) {
            int result = give_up_quote(c);

            return result != 0 ? result : take_byte(c, ch);
        }
        c->skip = true;
        c->len = 0;
        c->quoted = false;
    }
    c->quoted = c->quoted != (ch == '"' && !c->skip);
    if (ch == '\n') {
        c->line++;
        if (!c->quoted) {
            return finish_row(c);
        }
        if (c->first_end == 0) {
            c->first_end = c->len + 1;
        }
        if (c->line - c->row_line > CSV_LINES_MAX) {
            c->raw[c->len++] = ch;
            return give_up_quote(c);
        }
    }
    c->raw[c->len++] = ch;
    return 0;
}

/* Reads again what stood behind the faulty line. */
static int feed_rest(struct csv *c, size_t from)
{
    size_t n = c->len - from;
    char *rest = malloc(n + 1);
    int result = 0;

    if (!rest) {
        return -1;
    }
    memcpy(rest, c->raw + from, n);
    c->len = 0;
    c->first_end = 0;
    c->quoted = false;
    c->line = c->row_line;
    for (size_t i = 0; i < n && result == 0; i++) {
        result = take_byte(c, rest[i]);
    }
    free(rest);
    return result;
}

/* The first bytes may be a byte order mark, and may come one at a time: they are kept until it is
 * sure. The one of UTF-8 is taken away, UTF-16 is seen by its own. */
static int take_first(struct csv *c, char ch)
{
    static const unsigned char utf8_mark[3] = {0xef, 0xbb, 0xbf};
    const unsigned char *b = c->first;
    int result = 0;

    c->first[c->n_first++] = (unsigned char)ch;
    if (c->n_first == 2 && (b[0] ^ b[1]) == 1 && (b[0] & b[1]) == 0xfeu) {
        return stop(c, CSV_UTF16, 1);
    }
    if (c->n_first == 1 && (b[0] == 0xfeu || b[0] == 0xffu)) {
        return 0;
    }
    if (memcmp(b, utf8_mark, c->n_first) == 0) {
        c->begun = c->n_first == sizeof utf8_mark;
        return 0;
    }
    c->begun = true;
    for (unsigned i = 0; i < c->n_first && result == 0; i++) {
        result = take_byte(c, (char)b[i]);
    }
    return result;
}

int csv_feed(struct csv *c, const char *bytes, size_t n)
{
    int result = 0;

    for (size_t i = 0; i < n && result == 0 && !c->stopped; i++) {
        result = c->begun ? take_byte(c, bytes[i]) : take_first(c, bytes[i]);
    }
    return c->stopped ? -1 : result;
}

int csv_end(struct csv *c)
{
    int result = 0;

    for (unsigned i = 0; !c->begun && i < c->n_first && result == 0; i++) {
        result = take_byte(c, (char)c->first[i]); /* it ended in what could have been a mark */
    }
    while (result == 0 && !c->stopped && c->quoted && c->len > 0) {
        result = give_up_quote(c);
    }
    if (result == 0 && !c->stopped && (c->len > 0 || c->skip)) {
        result = finish_row(c);
    }
    return c->stopped ? -1 : result;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_signed_number(struct text t)
{
    bool digits = false;

    for (uint32_t i = 1; i < t.len; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9') {
            return false;
        }
        digits = true;
    }
    return digits && (t.ptr[0] == '+' || t.ptr[0] == '-');
}

size_t csv_write_field(struct text field, char *out)
{
    const bool formula =
        field.len > 0 && memchr("=+-@\t\r", field.ptr[0], 7) != NULL && !is_signed_number(field);
    bool quoted = false;
    size_t n = 0;

    for (uint32_t i = 0; i < field.len && !quoted; i++) {
        const char ch = field.ptr[i];
        quoted = ch == ',' || ch == ';' || ch == '\t' || ch == '"' || ch == '\n' || ch == '\r';
    }
    if (quoted) {
        out[n++] = '"';
    }
    if (formula) {
        out[n++] = '\'';
    }
    for (uint32_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"') {
            out[n++] = '"';
        }
        out[n++] = field.ptr[i];
    }
    if (quoted) {
        out[n++] = '"';
    }
    return n;
}
