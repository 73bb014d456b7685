#include "adapters/lead/number.h"

#include <string.h>

/*
 * National formats, as far as they decide whether a number can be one: country code, trunk prefix,
 * international prefix, and how many digits follow the country code. From the ITU's national
 * numbering plans; lengths are the range over all kinds of numbers of the country.
 */
struct country {
    char iso[3];
    char code[4];
    char trunk[3];         /* dropped in front of a national number, empty none */
    char international[4]; /* besides + and 00 */
    uint8_t least, most;   /* digits after the country code */
};

static const struct country countries[] = {
    {"US", "1", "1", "011", 10, 10}, {"CA", "1", "1", "011", 10, 10}, {"GB", "44", "0", "", 9, 10},
    {"IE", "353", "0", "", 7, 9},    {"DE", "49", "0", "", 6, 11},    {"AT", "43", "0", "", 7, 13},
    {"CH", "41", "0", "", 9, 9},     {"FR", "33", "0", "", 9, 9},     {"BE", "32", "0", "", 8, 9},
    {"NL", "31", "0", "", 9, 9},     {"LU", "352", "", "", 6, 9},     {"ES", "34", "", "", 9, 9},
    {"PT", "351", "", "", 9, 9},     {"IT", "39", "", "", 6, 11},     {"PL", "48", "", "", 9, 9},
    {"CZ", "420", "", "", 9, 9},     {"SK", "421", "0", "", 9, 9},    {"HU", "36", "06", "", 8, 9},
    {"RO", "40", "0", "", 9, 9},     {"BG", "359", "0", "", 7, 9},    {"GR", "30", "", "", 10, 10},
    {"SE", "46", "0", "", 7, 10},    {"NO", "47", "", "", 8, 8},      {"DK", "45", "", "", 8, 8},
    {"FI", "358", "0", "", 5, 12},   {"EE", "372", "", "", 7, 8},     {"LV", "371", "", "", 8, 8},
    {"LT", "370", "0", "", 8, 8},    {"TR", "90", "0", "", 10, 10},   {"IL", "972", "0", "", 8, 9},
    {"AE", "971", "0", "", 8, 9},    {"SA", "966", "0", "", 8, 9},    {"ZA", "27", "0", "", 9, 9},
    {"NG", "234", "0", "", 7, 10},   {"KE", "254", "0", "", 7, 10},   {"EG", "20", "0", "", 8, 10},
    {"IN", "91", "0", "", 10, 10},   {"PK", "92", "0", "", 9, 10},    {"BD", "880", "0", "", 8, 10},
    {"LK", "94", "0", "", 9, 9},     {"PH", "63", "0", "", 8, 10},    {"ID", "62", "0", "", 8, 12},
    {"MY", "60", "0", "", 8, 10},    {"SG", "65", "", "", 8, 8},      {"TH", "66", "0", "", 8, 9},
    {"VN", "84", "0", "", 9, 10},    {"JP", "81", "0", "010", 9, 10}, {"KR", "82", "0", "", 8, 10},
    {"HK", "852", "", "001", 8, 8},  {"AU", "61", "0", "011", 9, 9},  {"NZ", "64", "0", "", 8, 10},
    {"MX", "52", "", "", 10, 10},    {"BR", "55", "0", "", 10, 11},   {"AR", "54", "0", "", 10, 11},
    {"CL", "56", "", "", 9, 9},      {"CO", "57", "", "", 10, 10},    {"PE", "51", "0", "", 8, 9},
};

#define COUNTRIES (sizeof countries / sizeof countries[0])

/* What a number with a country code that is not in the table must have besides (E.164). */
#define ANY_LEAST 7u
#define ANY_MOST 15u

const char *number_fault_sentence(enum number_fault fault)
{
    static const char *const sentences[] = {
        [NUMBER_OK] = "good",
        [NUMBER_EMPTY] = "there is no number",
        [NUMBER_LETTERS] = "has letters or signs that no telephone number has",
        [NUMBER_SPREADSHEET] = "a spreadsheet has rounded this number: its digits are lost",
        [NUMBER_SHORT] = "has too few digits",
        [NUMBER_LONG] = "has too many digits",
        [NUMBER_NO_COUNTRY] = "is a national number, and no country is given",
        [NUMBER_UNKNOWN_COUNTRY] = "the country given is not known",
        [NUMBER_NOT_ASSIGNED] = "begins with no country code",
    };

    return (unsigned)fault < sizeof sentences / sizeof sentences[0] ? sentences[fault] : "?";
}

static const struct country *by_iso(struct text iso)
{
    for (size_t i = 0; i < COUNTRIES; i++) {
        if (iso.len == 2 && (iso.ptr[0] & ~0x20) == countries[i].iso[0] &&
            (iso.ptr[1] & ~0x20) == countries[i].iso[1]) {
            return &countries[i];
        }
    }
    return NULL;
}

bool number_country_known(struct text country)
{
    return by_iso(country) != NULL;
}

static const struct country *by_code(const char *digits)
{
    for (size_t i = 0; i < COUNTRIES; i++) {
        if (strncmp(digits, countries[i].code, strlen(countries[i].code)) == 0) {
            return &countries[i];
        }
    }
    return NULL;
}

/* 4.47E+11, 4,47e11: what a spreadsheet makes of a long number. */
static bool looks_rounded(struct text t)
{
    bool digit = false;

    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (c >= '0' && c <= '9') {
            digit = true;
        } else if ((c == 'e' || c == 'E') && digit && i + 1 < t.len) {
            char next = t.ptr[i + 1];

            return next == '+' || next == '-' || (next >= '0' && next <= '9');
        } else if (c != '.' && c != ',') {
            return false;
        }
    }
    return false;
}

struct digits {
    char d[48];
    size_t n;
    bool plus;
};

/* The digits of what was written. "(0)" after a + number is the trunk prefix in brackets. */
static enum number_fault read_digits(struct text t, struct digits *out)
{
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];

        if (c == '+' && out->n == 0 && !out->plus) {
            out->plus = true;
        } else if (out->plus && t.len - i >= 3 && memcmp(t.ptr + i, "(0)", 3) == 0) {
            i += 2;
        } else if (c >= '0' && c <= '9') {
            if (out->n + 1 >= sizeof out->d) {
                return NUMBER_LONG;
            }
            out->d[out->n++] = c;
        } else if (!strchr(" .-/()\t", c) || c == 0) {
            return NUMBER_LETTERS;
        }
    }
    out->d[out->n] = 0;
    return out->n == 0 ? NUMBER_EMPTY : NUMBER_OK;
}

static bool begins(const struct digits *d, const char *prefix)
{
    size_t n = strlen(prefix);

    return n > 0 && d->n > n && memcmp(d->d, prefix, n) == 0;
}

static void drop(struct digits *d, size_t n)
{
    d->n -= n;
    memmove(d->d, d->d + n, d->n + 1);
}

static enum number_fault check_length(size_t n, size_t least, size_t most)
{
    if (n < least) {
        return NUMBER_SHORT;
    }
    return n > most ? NUMBER_LONG : NUMBER_OK;
}

/* d->d is country code and number. */
static enum number_fault put_international(const struct digits *d, char out[NUMBER_E164_SIZE])
{
    const struct country *c = by_code(d->d);
    enum number_fault fault;

    if (d->d[0] == '0') {
        return NUMBER_NOT_ASSIGNED;
    }
    if (c) {
        fault = check_length(d->n - strlen(c->code), c->least, c->most);
    } else {
        fault = check_length(d->n, ANY_LEAST, ANY_MOST);
    }
    if (fault == NUMBER_OK) {
        fault = check_length(d->n, ANY_LEAST, ANY_MOST);
    }
    if (fault == NUMBER_OK) {
        out[0] = '+';
        memcpy(out + 1, d->d, d->n + 1);
    }
    return fault;
}

static enum number_fault put_national(struct digits *d, const struct country *c,
                                      char out[NUMBER_E164_SIZE])
{
    size_t code = strlen(c->code);
    size_t trunk = strlen(c->trunk);

    if (trunk > 0 && begins(d, c->trunk) && d->n - trunk >= c->least) {
        drop(d, trunk);
    }
    enum number_fault fault = check_length(d->n, c->least, c->most);

    if (fault == NUMBER_OK) {
        out[0] = '+';
        memcpy(out + 1, c->code, code);
        memcpy(out + 1 + code, d->d, d->n + 1);
    }
    return fault;
}

enum number_fault number_normalise(struct text written, struct text country,
                                   char out[NUMBER_E164_SIZE])
{
    struct digits d = {.n = 0};
    const struct country *c = by_iso(country);

    out[0] = 0;
    if (country.len > 0 && !c) {
        return NUMBER_UNKNOWN_COUNTRY;
    }
    if (looks_rounded(written)) {
        return NUMBER_SPREADSHEET;
    }
    enum number_fault fault = read_digits(written, &d);

    if (fault != NUMBER_OK) {
        return fault;
    }
    if (d.plus) {
        return put_international(&d, out);
    }
    if (c && begins(&d, c->international)) {
        drop(&d, strlen(c->international));
        return put_international(&d, out);
    }
    if (begins(&d, "00")) {
        drop(&d, 2);
        return put_international(&d, out);
    }
    if (!c) {
        return d.n > ANY_MOST ? NUMBER_LONG : NUMBER_NO_COUNTRY;
    }
    return put_national(&d, c, out);
}
