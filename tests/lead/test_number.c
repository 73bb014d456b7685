/* Numbers at the door: E.164 or a named fault. */
#include "adapters/lead/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct text t(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static void good(const char *written, const char *country, const char *expected)
{
    char out[NUMBER_E164_SIZE];

    assert_string_equal(number_fault_sentence(number_normalise(t(written), t(country), out)),
                        "good");
    assert_string_equal(out, expected);
}

static void bad(const char *written, const char *country, enum number_fault expected)
{
    char out[NUMBER_E164_SIZE];
    enum number_fault fault = number_normalise(t(written), t(country), out);

    assert_string_equal(number_fault_sentence(fault), number_fault_sentence(expected));
    assert_string_equal(out, "");
}

static void written_in_many_ways(void **state)
{
    (void)state;
    good("+12125550123", "", "+12125550123");
    good("+1 (212) 555-0123", "", "+12125550123");
    good("(212) 555-0123", "US", "+12125550123");
    good("1-212-555-0123", "US", "+12125550123");
    good("011 44 20 7946 0123", "US", "+442079460123");
    good("020 7946 0123", "GB", "+442079460123");
    good("+44 (0)20 7946 0123", "", "+442079460123");
    good("0044 20 7946 0123", "", "+442079460123");
    good("+442079460123", "US", "+442079460123");
    good("212.555.0123", "ca", "+12125550123");
}

static void refused_with_a_reason(void **state)
{
    (void)state;
    bad("", "US", NUMBER_EMPTY);
    bad("()- ", "US", NUMBER_EMPTY);
    bad("300&PJSIP/evil", "US", NUMBER_LETTERS);
    bad("1-212-FLOWERS", "US", NUMBER_LETTERS);
    bad("+1212555+0123", "", NUMBER_LETTERS);
    bad("4.47E+11", "GB", NUMBER_SPREADSHEET);
    bad("4,47e11", "GB", NUMBER_SPREADSHEET);
    bad("2125550123", "", NUMBER_NO_COUNTRY);
    bad("2125550123", "XX", NUMBER_UNKNOWN_COUNTRY);
    bad("5550123", "US", NUMBER_SHORT);
    bad("21255501234", "US", NUMBER_LONG);
    bad("+1212555012", "", NUMBER_SHORT);
    bad("+0212555012", "", NUMBER_NOT_ASSIGNED);
    bad("1234567890123456789012345678901234567890", "", NUMBER_LONG);
    bad("+1234567890123456789012345678901234567890123456789", "", NUMBER_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_in_many_ways),
        cmocka_unit_test(refused_with_a_reason),
    };

    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
