/* fuzz_csv.c - files of leads: rows do not depend on how the bytes came, limits hold, and what a
 * number becomes is E.164. */
#include "tests/fuzz/fuzz.h"

#include "adapters/lead/csv.h"
#include "adapters/lead/number.h"
#include "adapters/net/json.h"

#include <string.h>

struct seen {
    uint64_t sum; /* of everything that was told, in its order */
    uint64_t rows, faults;
};

static void add(struct seen *s, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        s->sum = (s->sum ^ b[i]) * 0x100000001b3u;
    }
    s->sum = (s->sum ^ 0x1ff) * 0x100000001b3u;
}

static void check_number(struct text written)
{
    static const char *const countries[] = {"US", "GB", "", "XX"};
    char out[NUMBER_E164_SIZE];

    for (size_t i = 0; i < sizeof countries / sizeof *countries; i++) {
        const struct text country = {countries[i], (uint32_t)strlen(countries[i])};
        const enum number_fault fault = number_normalise(written, country, out);
        MUST(number_fault_sentence(fault) != NULL);
        if (fault != NUMBER_OK) {
            MUST(out[0] == '\0');
            continue;
        }
        const size_t digits = strspn(out + 1, "0123456789");
        MUST(out[0] == '+' && out[1 + digits] == '\0' && digits >= 3 && digits <= 15);
    }
}

static int on_row(void *ctx, const struct csv_row *row)
{
    struct seen *s = ctx;

    MUST(row->n <= CSV_COLUMNS_MAX && row->raw.len <= CSV_ROW_MAX);
    s->rows++;
    add(s, &row->line, sizeof row->line);
    for (uint32_t i = 0; i < row->n; i++) {
        MUST(json_utf8_valid(row->columns[i].ptr, row->columns[i].len));
        add(s, row->columns[i].ptr, row->columns[i].len);
        check_number(row->columns[i]);
    }
    add(s, row->raw.ptr, row->raw.len);
    return 0;
}

static int on_fault(void *ctx, enum csv_fault fault, uint64_t line, uint32_t column,
                    struct text raw)
{
    struct seen *s = ctx;

    MUST(fault != CSV_OK && csv_fault_sentence(fault) != NULL);
    s->faults++;
    add(s, &fault, sizeof fault);
    add(s, &line, sizeof line);
    add(s, &column, sizeof column);
    touch(raw);
    return 0;
}

static struct seen read_in(const uint8_t *bytes, size_t len, size_t step)
{
    struct seen s = {0xcbf29ce484222325u, 0, 0};
    struct csv *csv = csv_open(on_row, on_fault, &s);
    int rc = 0;

    MUST(csv != NULL);
    for (size_t at = 0; at < len && rc == 0;) {
        const size_t n = step < len - at ? step : len - at;
        char *piece = malloc(n + 1);
        memcpy(piece, bytes + at, n);
        rc = csv_feed(csv, piece, n);
        free(piece);
        at += n;
    }
    if (rc == 0) {
        (void)csv_end(csv);
    }
    csv_close(csv);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    const size_t step = take_byte(&b) % 64 + 1;
    const struct seen whole = read_in(b.at, b.left, b.left + 1);
    const struct seen pieces = read_in(b.at, b.left, step);

    MUST(whole.rows == pieces.rows && whole.faults == pieces.faults && whole.sum == pieces.sum);
    check_number((struct text){(const char *)b.at, (uint32_t)b.left});
    return 0;
}
