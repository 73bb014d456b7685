/* The config reader under torture: each mistake is named with its place, and nothing half-read is
 * left behind. */
#include "adapters/daemon/config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config;
static struct config_errors errors;

static int parse(const char *text)
{
    return config_parse("t.conf", text, strlen(text), &config, &errors);
}

#define STORE "[store]\nurl = sqlite:/x\n"

static void reads_values(void **state)
{
    (void)state;
    assert_int_equal(
        parse("# a comment\n" STORE "[daemon]\nname = \"a # \\\"b\\\" \" # behind\n"
              "drain_time = 1.5min\n[pbx one]\nurl=http://127.0.0.1:8088\ncalls_per_s = 12.5\n"
              "[pbx two]\nurl=http://127.0.0.1:8089\nnumber = 7\n[web]\nport = 0\r\n"),
        0);
    assert_string_equal(config.daemon.name, "a # \"b\" ");
    assert_int_equal(config.daemon.drain_ms, 90000);
    assert_int_equal(config.n_pbx, 2);
    assert_string_equal(config.pbx[0].name, "one");
    assert_int_equal(config.pbx[0].number, 1);
    assert_true(config.pbx[0].calls_per_s == 12.5);
    assert_int_equal(config.pbx[1].number, 7);
    assert_string_equal(config.pbx[1].user, "dialer");
    assert_int_equal(config.web.port, 0);
    assert_string_equal(config.hopper.url, "memory:");
    assert_string_equal(config.ctl.socket, "/run/dialerd/ctl");
    config_free(&config);
}

struct mistake {
    const char *text;
    const char *error; /* part of what must be said */
};

static const struct mistake mistakes[] = {
    {"[store]\nurI = x\n", "t.conf:2:1: [store] has no key urI; did you mean url?"},
    {"[store]\nurll = x\n", "t.conf:2:1: [store] has no key urll; did you mean url?"},
    {"[web]\nprot = 1\n", "t.conf:2:1: [web] has no key prot; did you mean port?"},
    {"[store]\nsocket = x\n", "t.conf:2:1: [store] has no key socket; it belongs in [ctl]"},
    {"[store]\ncompletely_else = x\n",
     "t.conf:2:1: [store] has no key completely_else; the nearest is "},
    {"[completely_else]\nurl = x\n",
     "t.conf:1:2: there is no section [completely_else]; the nearest is ["},
    {"[sotre]\nurl = x\n", "t.conf:1:2: there is no section [sotre]; did you mean [store]?"},
    {"[store\n", "want [section]"},
    {"[store] x\n", "want [section]"},
    {"[pbx]\n", "[pbx] wants a name"},
    {"[store main]\n", "t.conf:1:8: [store] takes no name"},
    {"url = x\n", "t.conf:1:1: url stands before the first [section]"},
    {"[store]\nurl\n", "want key = value"},
    {"[store]\n= x\n", "want key = value"},
    {STORE "url = sqlite:/y\n", "t.conf:3:1: url comes twice"},
    {STORE "[store]\n", "t.conf:3:2: [store] comes twice"},
    {STORE "[pbx a]\nurl=http://x\n[pbx a]\n", "[pbx a] comes twice"},
    {STORE "[pbx a]\n", "[pbx a] url is missing"},
    {STORE "[pbx a]\nurl=http://x\nnumber=2\n[pbx b]\nurl=http://y\n", "the same number 2"},
    {STORE "[pbx a]\nurl=ftp://x\n", "want http://host:port"},
    {"[web]\nport = 1\n", "t.conf: [store] url is missing"},
    {STORE "[web]\nport = 65536\n", "t.conf:4:8: port = 65536 is out of range: 0 to 65535"},
    {STORE "[web]\nport = -1\n", "out of range"},
    {STORE "[web]\nport = 80 80\n", "not a whole number"},
    {STORE "[web]\nport = 0x50\n", "not a whole number"},
    {STORE "[web]\nport = 8e3\n", "not a whole number"},
    {STORE "[web]\nport = 1.5\n", "not a whole number"},
    {STORE "[web]\nport =\n", "not a whole number"},
    {STORE "[web]\nport = 99999999999999999999\n", "not a whole number"},
    {STORE "[daemon]\ndrain_time = 30\n", "t.conf:4:14: drain_time = 30 is not a time"},
    {STORE "[daemon]\ndrain_time = 30m\n", "is not a time"},
    {STORE "[daemon]\ndrain_time = 2h\n", "out of range"},
    {STORE "[daemon]\nlog_level = loud\n", "want one of: debug info warning error"},
    {STORE "[daemon]\nname = \"a\n", "t.conf:4:8: the quote is not closed"},
    {STORE "[daemon]\nname = \"a\" b\n", "t.conf:4:12: something stands behind"},
    {STORE "[daemon]\nname = a\"b\n", "a quote in the middle"},
    {STORE "[daemon]\nname = \"a\\n\"\n", "only \\\" and \\\\"},
    {"[store]\nurl = postgresql://u:secret@h/d\n", "t.conf:2:7: url: a password does not belong"},
    {"[store]\nurl = postgresql://h/d?password=x\n", "a password does not belong"},
    {"[store]\nurl = mysql://h/d\n", "want sqlite:/path"},
    {STORE "[hopper]\nurl = redis://:pw@h\n", "a password does not belong"},
    {STORE "[hopper]\nurl = memcached://h\n", "want memory: or redis://"},
    {STORE "[web]\nbehind_tls = true\n", "want yes or no"},
    {STORE "\xff\n", "is not UTF-8"},
};

static void names_each_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        assert_int_equal(parse(mistakes[i].text), -1);
        if (!strstr(errors.text, mistakes[i].error))
            fail_msg("%s\n said: %s\n want: %s", mistakes[i].text, errors.text, mistakes[i].error);
        assert_int_equal(config.n_pbx, 0);
        assert_null(config.store.url);
    }
}

static void says_all_of_them(void **state)
{
    (void)state;
    assert_int_equal(parse(STORE "[web]\nprot = 1\nport = x\n[nonsense]\nkey = 1\n"), -1);
    assert_int_equal(errors.count, 3);
    assert_non_null(strstr(errors.text, "t.conf:4:1:"));
    assert_non_null(strstr(errors.text, "t.conf:5:8:"));
    assert_non_null(strstr(errors.text, "t.conf:6:2:"));
}

static void survives_rubbish(void **state)
{
    (void)state;
    char text[4000];
    uint64_t x = 88172645463325252u;
    static const char letters[] = "[]=#\"\\ \n\tabcurlportweb.stodaemn01:/";
    for (int round = 0; round < 3000; round++) {
        size_t len = (size_t)(round % 300) + 1;
        for (size_t i = 0; i < len; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            text[i] = letters[x % (sizeof letters - 1)];
        }
        if (config_parse("r", text, len, &config, &errors) == 0)
            config_free(&config);
    }
    memset(text, 'x', sizeof text);
    assert_int_equal(config_parse("r", text, sizeof text, &config, &errors), -1);
    assert_int_equal(config_parse("r", "[store]\0", 8, &config, &errors), -1);
    assert_non_null(strstr(errors.text, "NUL"));
    char *lines = malloc(9000);
    assert_non_null(lines);
    memset(lines, 'y', 9000);
    assert_int_equal(config_parse("r", lines, 9000, &config, &errors), -1);
    assert_non_null(strstr(errors.text, "r:1:1: the line is longer"));
    free(lines);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void reads_secrets(void **state)
{
    (void)state;
    char secret[CONFIG_SECRET_SIZE];
    char why[512];
    char path[] = "/tmp/dialer-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "hush\n", 0600);
    assert_int_equal(config_secret(path, secret, why, sizeof why), 0);
    assert_string_equal(secret, "hush");
    assert_int_equal(config_secret("", secret, why, sizeof why), 0);
    assert_string_equal(secret, "");
    write_file(path, "hush\n", 0644);
    assert_int_equal(config_secret(path, secret, why, sizeof why), -1);
    assert_non_null(strstr(why, "mode 0644"));
    assert_null(strstr(why, "hush"));
    assert_string_equal(secret, "");
    write_file(path, "", 0600);
    assert_int_equal(config_secret(path, secret, why, sizeof why), -1);
    write_file(path, "a\nb\n", 0600);
    assert_int_equal(config_secret(path, secret, why, sizeof why), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(config_secret(path, secret, why, sizeof why), -1);
    assert_int_equal(config_secret("/tmp", secret, why, sizeof why), -1);
}

static void compares_for_reload(void **state)
{
    (void)state;
    struct config other;
    char keys[512];
    assert_int_equal(parse(STORE "[pbx a]\nurl=http://x\n[pbx b]\nurl=http://b\nnumber=7\n"), 0);
    const char *text = "[store]\nurl = sqlite:/y\n[daemon]\ndrain_time = 1s\nlog_level = debug\n"
                       "[pbx c]\nurl=http://c\nnumber=5\n"
                       "[pbx a]\nurl=http://z\nnumber=1\nlines=9\ncalls_per_s = 2.5\n"
                       "[web]\nmetrics_for_all = yes\n[timers]\nlink_grace=3s\n";
    assert_int_equal(config_parse("t", text, strlen(text), &other, &errors), 0);
    assert_int_equal(config_changes(&config, &other, false, keys, sizeof keys), 4);
    assert_string_equal(keys, "[store] url, [pbx c] (new), [pbx a] url, [pbx b] (gone)");
    assert_int_equal(config_changes(&config, &other, true, keys, sizeof keys), 6);
    assert_string_equal(keys, "[daemon] drain_time, [daemon] log_level, [web] metrics_for_all, "
                              "[timers] link_grace, [pbx a] calls_per_s, [pbx a] lines");
    /* What a reload takes over: the numbers, of servers by their name, and nothing else. */
    config_take_live(&config, &other);
    assert_int_equal(config.daemon.drain_ms, 1000);
    assert_int_equal(config.timers.link_grace_ms, 3000);
    assert_true(config.web.metrics_for_all);
    assert_int_equal(config.pbx[0].lines, 9);
    assert_true(config.pbx[0].calls_per_s > 2.4 && config.pbx[0].calls_per_s < 2.6);
    assert_int_equal(config.pbx[1].lines, 2000);
    assert_string_equal(config.pbx[0].url, "http://x");
    assert_int_equal(config_changes(&config, &other, false, keys, sizeof keys), 4);
    config_free(&config);
    config_free(&other);
}

/* The example and the manual page in dist/ are what the table prints. */
static void same_as_file(void (*print)(FILE *), const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    fclose(out);
    FILE *in = fopen(path, "re");
    if (!in)
        fail_msg("%s is missing", path);
    char *there = calloc(1, size + 2);
    assert_non_null(there);
    size_t n = fread(there, 1, size + 1, in);
    fclose(in);
    if (n != size || memcmp(there, text, size) != 0)
        fail_msg(
            "%s is not what the table prints: dialerd --print-example or --print-manual writes it",
            path);
    free(there);
    free(text);
}

static void documents_agree(void **state)
{
    (void)state;
    same_as_file(config_print_example, "adapters/daemon/dist/dialerd.conf.example");
    same_as_file(config_print_manual, "adapters/daemon/dist/dialerd.conf.5");
}

static void example_is_good(void **state)
{
    (void)state;
    assert_int_equal(config_read("adapters/daemon/dist/dialerd.conf.example", &config, &errors), 0);
    assert_int_equal(config.n_pbx, 1);
    config_free(&config);
    assert_int_equal(config_read("/nonexistent", &config, &errors), -1);
    assert_int_equal(config_read("/tmp", &config, &errors), -1);
    assert_non_null(strstr(errors.text, "not a regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),     cmocka_unit_test(names_each_mistake),
        cmocka_unit_test(says_all_of_them), cmocka_unit_test(survives_rubbish),
        cmocka_unit_test(reads_secrets),    cmocka_unit_test(compares_for_reload),
        cmocka_unit_test(documents_agree),  cmocka_unit_test(example_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
