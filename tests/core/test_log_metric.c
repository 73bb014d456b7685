/* Logs and metrics: escaping, limits, the text; readers beside writers. */
#include "core/log.h"
#include "core/metric.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *slurp(const char *path)
{
    char *text = calloc(1, 1u << 20);
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    assert_true(fread(text, 1, (1u << 20) - 1, f) > 0);
    (void)fclose(f);
    return text;
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '\n' ? 1 : 0;
    }
    return n;
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 200; i++) {
        log_line(LOG_LEVEL_WARN, arg, "line %d", i);
    }
    return NULL;
}

static void log_lines(void **state)
{
    char path[] = "/tmp/dialer-log-XXXXXX";
    const int fd = mkstemp(path);
    static char codes[4][16] = {"DLR-A", "DLR-B", "DLR-C", "DLR-D"};
    pthread_t t[4];
    char *text;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
    log_line(LOG_LEVEL_DEBUG, "DLR-NOT", "below the level");
    log_line(LOG_LEVEL_INFO, "DLR-TEST", "two\nlines and \x1b[1m bell\x07 number=%d", 5);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, chatter, codes[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(t[i], NULL);
    }
    assert_int_equal(log_reopen(), 0);
    assert_false(log_wanted(LOG_LEVEL_DEBUG, "DLR-X"));
    assert_true(log_wanted(LOG_LEVEL_ERROR, "DLR-X"));
    log_close();
    text = slurp(path);
    assert_non_null(
        strstr(text, "Z info DLR-TEST two\\x0alines and \\x1b[1m bell\\x07 number=5\n"));
    assert_null(strstr(text, "DLR-NOT"));
    /* 20 a second for each code; the threads may have seen two or three seconds */
    assert_true(lines_of(text) >= 1 + 4 * 20);
    assert_true(lines_of(text) <= 1 + 4 * 60);
    assert_true(log_lost() > 0);
    assert_int_equal(lines_of(text) - 1 + log_lost(), 4 * 200);
    free(text);
    (void)close(fd);
    (void)unlink(path);
    assert_int_equal(log_open("/nonexistent/log", LOG_LEVEL_INFO), -1);
}

struct sink {
    char text[8192];
    size_t len;
};

static void append(void *ctx, const char *text, size_t len)
{
    struct sink *s = ctx;

    assert_true(s->len + len < sizeof s->text);
    memcpy(s->text + s->len, text, len);
    s->len += len;
    s->text[s->len] = '\0';
}

static void metric_text(void **state)
{
    struct metrics *m = metrics_open();
    struct metric_set *a = metrics_set(m);
    struct metric_set *b = metrics_set(m);
    struct sink s = {.len = 0};
    char name[] = "dials_total"; /* the same text at another address is the same metric */

    (void)state;
    metric_add(a, "dials_total", NULL, 0, 2);
    metric_add(b, name, NULL, 0, 3);
    metric_add(a, "dials_total", "refused", 7, 1);
    metric_add(a, "dials_total", "reason=\"window\"", 0, 4);
    metric_gauge(a, "agents", NULL, 0, 9);
    metric_gauge(a, "agents", NULL, 0, 8);
    for (int i = 1; i <= 1000; i++) {
        metric_observe(a, "lag_us", NULL, 0, i);
    }
    metric_observe(b, "lag_us", NULL, 0, 1000000);
    metric_observe(b, "lag_us", NULL, 0, -3);
    assert_int_equal(metric_value(m, "dials_total", NULL, 0), 5);
    assert_int_equal(metric_sum(m, "dials_total"), 10);
    assert_in_range(metric_quantile(m, "lag_us", NULL, 0, 0.5), 500, 532);
    assert_int_equal(metric_quantile(m, "lag_us", NULL, 0, 1.0), 1000000);
    assert_int_equal(metric_quantile(m, "nothing", NULL, 0, 0.5), 0);
    metrics_write(m, append, &s);
    assert_non_null(strstr(s.text, "# TYPE agents gauge\nagents 8\n# TYPE dials_total counter\n"
                                   "dials_total 5\n"));
    assert_non_null(strstr(s.text, "dials_total{reason=\"window\"} 4\n"));
    assert_non_null(strstr(s.text, "dials_total{kind=\"refused\",id=\"7\"} 1\n"));
    assert_non_null(strstr(s.text, "lag_us{quantile=\"0.99\"} "));
    assert_non_null(strstr(s.text, "lag_us_count 1002\n"));
    metrics_close(m);
}

static struct metrics *shared;
static _Atomic bool writing = true;

static void *count_much(void *arg)
{
    struct metric_set *set = metrics_set(shared);

    (void)arg;
    for (uint64_t i = 0; i < 20000; i++) {
        metric_add(set, "n_total", NULL, i % 500, 1); /* tables grow meanwhile */
        metric_observe(set, "h", NULL, i % 3, (int64_t)i);
    }
    atomic_store(&writing, false);
    return NULL;
}

static void read_beside_writers(void **state)
{
    pthread_t t[2];

    (void)state;
    shared = metrics_open();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, count_much, NULL), 0);
    }
    while (atomic_load(&writing)) {
        assert_true(metric_sum(shared, "n_total") <= 40000);
        (void)metric_quantile(shared, "h", NULL, 1, 0.9);
    }
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(t[i], NULL);
    }
    assert_int_equal(metric_sum(shared, "n_total"), 40000);
    assert_int_equal(metric_sum(shared, "h"), 40000);
    metrics_close(shared);
}

static void histogram_buckets(void **state)
{
    struct histogram *h = calloc(1, sizeof *h);

    (void)state;
    for (int shift = 0; shift < 64; shift++) {
        const uint64_t v = UINT64_C(1) << shift;
        memset(h, 0, sizeof *h);
        histogram_add(h, v);
        histogram_add(h, UINT64_MAX);
        assert_true(histogram_quantile(h, 0.5) >= v);
        assert_true(histogram_quantile(h, 0.5) - v <= v / 16);
    }
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_lines),
        cmocka_unit_test(metric_text),
        cmocka_unit_test(read_beside_writers),
        cmocka_unit_test(histogram_buckets),
    };

    return cmocka_run_group_tests_name("log_metric", tests, NULL, NULL);
}
