/* JSON: the reader under torture, the writer, and both against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/net/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json doc;

/* Parse from memory that ends exactly there, so that ASan sees a read behind it. */
static int parse_n(const char *text, size_t len)
{
    char *exact = malloc(len ? len : 1);
    memcpy(exact, text, len);
    int got = json_parse(&doc, exact, len);
    free(exact);
    return got;
}

static int parse(const char *text)
{
    return parse_n(text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    json_init(&doc, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_free(&doc);
    return 0;
}

static void reads_an_event(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"StasisStart\",\"args\":[\"a\",\"b\"],\"channel\":{\"id\":\"c1\",\"caller\":"
        "{\"name\":\"\",\"number\":\"+12125550123\"},\"n\":-12,\"f\":1.5e2,\"up\":true,\"x\":null},"
        "\"type\":\"second\"}";
    assert_int_equal(parse(text), 0);
    assert_true(json_is(&doc, json_get(&doc, JSON_ROOT, "type"), "StasisStart"));
    assert_string_equal(json_str(&doc, json_path(&doc, JSON_ROOT, "channel.caller.number"), ""),
                        "+12125550123");
    json_ref channel = json_get(&doc, JSON_ROOT, "channel");
    int64_t n = 0;
    double f = 0;
    bool up = false;
    assert_true(json_int(&doc, json_get(&doc, channel, "n"), &n));
    assert_int_equal(n, -12);
    assert_true(json_double(&doc, json_get(&doc, channel, "f"), &f));
    assert_true(f == 150.0);
    assert_false(json_int(&doc, json_get(&doc, channel, "f"), &n));
    assert_true(json_bool(&doc, json_get(&doc, channel, "up"), &up) && up);
    assert_int_equal(json_type(&doc, json_get(&doc, channel, "x")), JSON_NULL);
    json_ref args = json_get(&doc, JSON_ROOT, "args");
    assert_int_equal(json_count(&doc, args), 2);
    char joined[8] = "";
    for (json_ref i = json_first(&doc, args); i != JSON_NONE; i = json_next(&doc, i)) {
        strcat(joined, json_str(&doc, i, "?"));
        assert_null(json_key(&doc, i).ptr);
    }
    assert_string_equal(joined, "ab");
    char keys[64] = "";
    for (json_ref i = json_first(&doc, channel); i != JSON_NONE; i = json_next(&doc, i)) {
        strcat(keys, json_key(&doc, i).ptr);
    }
    assert_string_equal(keys, "idcallernfupx");
    struct text raw = json_raw(&doc, args, text);
    assert_int_equal(raw.len, 9);
    assert_memory_equal(raw.ptr, "[\"a\",\"b\"]", 9);
    char small[2];
    assert_false(json_copy(&doc, json_get(&doc, channel, "id"), small, sizeof small));
    assert_string_equal(small, "");
    /* what is absent is absent all the way down */
    json_ref none = json_path(&doc, JSON_ROOT, "channel.nothing.at.all");
    assert_int_equal(none, JSON_NONE);
    assert_int_equal(json_type(&doc, none), JSON_ABSENT);
    assert_null(json_text(&doc, none).ptr);
    assert_int_equal(json_first(&doc, none), JSON_NONE);
    assert_string_equal(json_str(&doc, none, "otherwise"), "otherwise");
    assert_false(json_int(&doc, none, &n));
    assert_int_equal(json_get(&doc, args, "x"), JSON_NONE);
}

static void takes_every_kind_of_root(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1",       "-0",           "0.5",
        "1E+2",    "\"\"",         "true",
        "false",   "null",         "[]",
        "{}",      " [ ] ",        "\t{ }\n",
        "[[]]",    "[{},[],0]",    "1e5",
        "-1.0e-3", "\"\\/\"",      "{\"\":0}",
        "[1,2]",   "\"\xc3\xa9\"", "\"\\u00e9\\ud83d\\ude00\"",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (parse(good[i]) != 0) {
            fail_msg("%s: %s", good[i], doc.error);
        }
    }
    assert_int_equal(parse("\"\\u00e9\\ud83d\\ude00\\n\""), 0);
    assert_string_equal(json_str(&doc, JSON_ROOT, ""), "\xc3\xa9\xf0\x9f\x98\x80\n");
}

/* Reason for length: a list of bad texts. */
static void refuses_what_is_wrong(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{1:2}",
        "[}",
        "{]",
        "[1}",
        "1 2",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "truex",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"a\nb\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xc3\"",
        "\"\xe2\x82\"",
        "/* */1",
        "[1]//",
        "\xef\xbb\xbf{}",
        "{\"\xff\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i]) == 0) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_true(doc.error[0] != '\0');
        assert_int_equal(json_type(&doc, JSON_ROOT), JSON_ABSENT);
    }
    assert_int_equal(parse_n("1\0", 2), -1);
    assert_int_equal(parse_n("\"a\0b\"", 5), -1);
    /* every truncation of a good text */
    static const char text[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\",true,null,{\"b\":{}}]}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        assert_int_equal(parse_n(text, n), -1);
    }
    /* every byte of it replaced: never a crash, whatever the answer */
    for (size_t n = 0; n < sizeof text - 1; n++) {
        for (int c = 0; c < 256; c++) {
            char copy[sizeof text];
            memcpy(copy, text, sizeof text);
            copy[n] = (char)c;
            parse_n(copy, sizeof text - 1);
        }
    }
}

static void keeps_its_limits(void **state)
{
    (void)state;
    char text[200];
    for (int depth = 15; depth <= 100; depth += depth < 18 ? 1 : 41) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[depth * 2 < 199 ? depth * 2 : 199] = '\0';
        assert_int_equal(parse(text), depth <= JSON_DEPTH_MAX ? 0 : -1);
    }
    memset(text, '[', sizeof text);
    assert_int_equal(parse_n(text, sizeof text), -1);
    assert_non_null(strstr(doc.error, "deep"));
    size_t size = JSON_SIZE_MAX;
    char *big = malloc(size + 1);
    memset(big, 'a', size + 1);
    big[0] = '"';
    big[size - 1] = '"';
    assert_int_equal(json_parse(&doc, big, size), 0);
    assert_int_equal(json_text(&doc, JSON_ROOT).len, size - 2);
    big[size - 1] = 'a';
    big[size] = '"';
    assert_int_equal(json_parse(&doc, big, size + 1), -1);
    /* as many values as fit */
    big[0] = '[';
    for (size_t i = 1; i < size; i++) {
        big[i] = i % 2 ? '1' : ',';
    }
    big[size - 1] = ']';
    big[size - 2] = ' ';
    assert_int_equal(json_parse(&doc, big, size), 0);
    free(big);
}

static void numbers(void **state)
{
    (void)state;
    int64_t n = 7;
    double f = 7;
    assert_int_equal(
        parse("[9223372036854775807,-9223372036854775808,9223372036854775808,1.0,1e3,1e999,\"1\"]"),
        0);
    json_ref i = json_first(&doc, JSON_ROOT);
    assert_true(json_int(&doc, i, &n) && n == INT64_MAX);
    i = json_next(&doc, i);
    assert_true(json_int(&doc, i, &n) && n == INT64_MIN);
    i = json_next(&doc, i);
    assert_false(json_int(&doc, i, &n));
    assert_true(n == INT64_MIN); /* untouched */
    assert_true(json_double(&doc, i, &f));
    i = json_next(&doc, i);
    assert_false(json_int(&doc, i, &n));
    i = json_next(&doc, i);
    assert_false(json_int(&doc, i, &n));
    assert_true(json_double(&doc, i, &f) && f == 1000.0);
    i = json_next(&doc, i);
    assert_false(json_double(&doc, i, &f));
    i = json_next(&doc, i);
    assert_false(json_int(&doc, i, &n));
    assert_false(json_double(&doc, i, &f));
    assert_int_equal(json_next(&doc, i), JSON_NONE);
}

/* --- writer ------------------------------------------------------------------------------ */

static void writes_what_reads_back(void **state)
{
    (void)state;
    struct json_writer w;
    json_writer_init_heap(&w, 100000);
    char all[256];
    for (int i = 1; i < 128; i++) {
        all[i - 1] = (char)i;
    }
    memcpy(all + 127, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10);
    static const double doubles[] = {0.0,     -0.5,    0.1,       1e300,
                                     DBL_MIN, DBL_MAX, 1.0 / 3.0, 123456789.123};
    json_open_object(&w, NULL);
    json_put_str(&w, "all", all);
    json_put_str(&w, "quote\"key", NULL);
    json_put_int(&w, "min", INT64_MIN);
    json_put_uint(&w, "max", UINT64_MAX);
    json_put_bool(&w, "yes", true);
    json_open_array(&w, "doubles");
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        json_put_double(&w, NULL, doubles[i]);
    }
    json_put_double(&w, NULL, (double)NAN);
    json_close_array(&w);
    json_open_array(&w, "empty");
    json_close_array(&w);
    json_put_raw(&w, "raw", "{\"x\":[1]}", 9);
    json_close_object(&w);
    size_t len;
    const char *text = json_writer_end(&w, &len);
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
    assert_int_equal(json_parse(&doc, text, len), 0);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "all"), ""), all);
    assert_int_equal(json_type(&doc, json_get(&doc, JSON_ROOT, "quote\"key")), JSON_NULL);
    int64_t n;
    assert_true(json_int(&doc, json_get(&doc, JSON_ROOT, "min"), &n) && n == INT64_MIN);
    json_ref at = json_first(&doc, json_get(&doc, JSON_ROOT, "doubles"));
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++, at = json_next(&doc, at)) {
        double f;
        assert_true(json_double(&doc, at, &f) && f == doubles[i]);
    }
    assert_int_equal(json_type(&doc, at), JSON_NULL);
    assert_int_equal(json_count(&doc, json_path(&doc, JSON_ROOT, "raw.x")), 1);
    /* again in the same memory */
    json_writer_reset(&w);
    json_put_int(&w, NULL, 5);
    assert_string_equal(json_writer_end(&w, NULL), "5");
    json_writer_free(&w);
}

static void writes_only_utf8(void **state)
{
    (void)state;
    char buf[100];
    struct json_writer w;
    json_writer_init(&w, buf, sizeof buf);
    json_put_text(&w, NULL, (struct text){"a\xff\xc3(\xed\xa0\x80\xe2\x82\0z", 12});
    size_t len;
    const char *text = json_writer_end(&w, &len);
    assert_non_null(text);
    assert_int_equal(json_parse(&doc, text, len) == 0, false); /* the NUL is written, not read */
    json_writer_reset(&w);
    json_put_text(&w, NULL, (struct text){"a\xff\xc3(\xe2\x82", 6});
    text = json_writer_end(&w, &len);
    assert_string_equal(text, "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_int_equal(json_parse(&doc, text, len), 0);
}

static void is_bounded(void **state)
{
    (void)state;
    /* Every size of buffer: either the whole text or nothing, and never a byte too far. */
    for (size_t size = 0; size < 64; size++) {
        char *exact = malloc(size ? size : 1);
        struct json_writer w;
        json_writer_init(&w, exact, size);
        json_open_object(&w, NULL);
        json_put_str(&w, "key", "va\"l\n\x01\xc3\xa9");
        json_put_int(&w, "n", -12345);
        json_close_object(&w);
        const char *text = json_writer_end(&w, NULL);
        static const char want[] = "{\"key\":\"va\\\"l\\n\\u0001\xc3\xa9\",\"n\":-12345}";
        if (size < sizeof want) {
            assert_null(text);
        } else {
            assert_string_equal(text, want);
        }
        free(exact);
    }
    struct json_writer w;
    json_writer_init_heap(&w, 1000);
    json_open_array(&w, NULL);
    for (int i = 0; i < 1000; i++) {
        json_put_int(&w, NULL, i);
    }
    json_close_array(&w);
    assert_null(json_writer_end(&w, NULL));
    assert_true(w.cap <= 1000);
    json_writer_free(&w);
}

static void notices_wrong_nesting(void **state)
{
    (void)state;
    char buf[200];
    struct json_writer w;
#define begin() json_writer_init(&w, buf, sizeof buf)
#define broken() assert_null(json_writer_end(&w, NULL))
    begin();
    broken();
    begin();
    json_open_object(&w, NULL);
    broken();
    begin();
    json_open_object(&w, NULL);
    json_close_array(&w);
    broken();
    begin();
    json_open_object(&w, NULL);
    json_put_int(&w, NULL, 1);
    json_close_object(&w);
    broken();
    begin();
    json_open_array(&w, NULL);
    json_put_int(&w, "k", 1);
    json_close_array(&w);
    broken();
    begin();
    json_put_int(&w, NULL, 1);
    json_put_int(&w, NULL, 2);
    broken();
    begin();
    json_close_object(&w);
    broken();
    begin();
    for (int i = 0; i < 40; i++) {
        json_open_array(&w, NULL);
    }
    broken();
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain ascii, longer than eight bytes", true},
        {"12345678\xc3\xa9", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\x9f\xbf", true},
        {"\xed\xa0\x80", false},
        {"\x80", false},
        {"1234567\xff", false},
        {"12345678\xe2\x82", false},
        {"\xf5\x80\x80\x80", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(json_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    }
}

/* The byte `c` at each place of strings of each length: the reader and the writer take eight
 * bytes at a time where they can, and must not take one too many. */
static void one_byte_among_plain_ones(unsigned char c)
{
    for (size_t len = 1; len <= 25; len++) {
        for (size_t at = 0; at < len; at++) {
            char plain[26] = "abcdefghijklmnopqrstuvwxy";
            char text[40];
            char written[80];
            struct json_writer w;
            const bool stands = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            plain[len] = '\0';
            plain[at] = (char)c;
            const int n = snprintf(text, sizeof text, "[\"%s\"]", plain);
            if (stands) {
                assert_int_equal(parse_n(text, (size_t)n), 0);
                assert_string_equal(json_str(&doc, json_first(&doc, JSON_ROOT), ""), plain);
            } else if (c != '\\') { /* that may begin an escape */
                assert_int_equal(parse_n(text, (size_t)n), -1);
            }
            if (c < 0x80) {
                json_writer_init(&w, written, sizeof written);
                json_put_str(&w, NULL, plain);
                size_t size;
                assert_non_null(json_writer_end(&w, &size));
                assert_int_equal(parse_n(written, size), 0);
                assert_string_equal(json_str(&doc, JSON_ROOT, ""), plain);
                /* and it fits exactly or not at all */
                json_writer_init(&w, written, size + 1);
                json_put_str(&w, NULL, plain);
                assert_non_null(json_writer_end(&w, &size));
                json_writer_init(&w, written, size);
                json_put_str(&w, NULL, plain);
                assert_null(json_writer_end(&w, &size));
            }
        }
    }
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        one_byte_among_plain_ones((unsigned char)c);
    }
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        t(reads_an_event),
        t(takes_every_kind_of_root),
        t(refuses_what_is_wrong),
        t(keeps_its_limits),
        t(numbers),
        t(writes_what_reads_back),
        t(writes_only_utf8),
        t(is_bounded),
        t(notices_wrong_nesting),
        t(every_byte_at_every_place),
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests_name("net_json", tests, NULL, NULL);
}
