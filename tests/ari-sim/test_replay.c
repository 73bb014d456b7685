// Every transcript of a real Asterisk against ari-sim. Prints which are covered, and compares that
// table with the one that is kept beside it (DIALER_UPDATE=1 writes it anew).
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/ari-sim/replay.h"

enum { MOST = 200, STAGGER_US = 150000, ROUNDS = 4 };

struct entry {
    const char *name; // beginning of the file name
    const char *why;
};

// Not covered, each for its reason.
static const struct entry left_out[] = {
    {"i07",
     "fills the kernel's socket buffers for seconds; test_front cuts a slow reader off instead"},
    {"i13", "an idle connection for 15 s; test_front does it with a shorter limit"},
    {"l05", "120 connections; test_front does it with a lower limit"},
    {"n03", "dial right after create, answered 409 or 204 by chance: test_model has both"},
    {"n06", "a measurement of GET /channels"},
    {"g03", "Dial() in the dialplan is not simulated (continue to an extension that is absent is: "
            "test_model)"},
};

// The recorded outcome is one of several that the real server gave.
static const struct entry races[] = {
    {"a15", "DELETE against INVITE"},
    {"a23", "reuse of an id right after DELETE"},
    {"a43", "DELETE against BYE"},
    {"b12", "addChannel between the answer and StasisStart"},
    {"b16", "addChannel against BYE and DELETE"},
    {"b19", "DELETE of a bridge against addChannel"},
    {"h06", "a subscription against the first event"},
    {"j03", "two DELETEs and a GET in a millisecond"},
};

// They take half a minute and begin first.
static const struct entry slow_ones[] = {{"a08", "SIP timer B"}, {"a35", "the default timeout"}};

static const struct entry *find(const struct entry *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(list[i].name, name, strlen(list[i].name)) == 0)
            return &list[i];
    return NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_transcript(const struct dirent *entry)
{
    const char *only = getenv("REPLAY");
    return strstr(entry->d_name, ".jsonl") != NULL &&
           (only == NULL || strstr(entry->d_name, only) != NULL);
}

static bool all_done(struct replay *const list[], int count)
{
    for (int i = 0; i < count; i++)
        if (list[i] != NULL && !replay_done(list[i]))
            return false;
    return true;
}

static struct replay *start(struct net_loop *loop, const char *name, int64_t delay_us)
{
    char path[400];
    snprintf(path, sizeof path, "tests/ari-sim/transcripts/%s", name);
    bool race = find(races, sizeof races / sizeof *races, name) != NULL;
    struct replay *r = replay_start(loop, path, name, race, delay_us);
    assert_non_null(r);
    return r;
}

// The recorded times are kept, and some transcripts turn on milliseconds ("GET while it rings"): on
// a machine that is busy with other things a replay can come late for that. What differed is tried
// again with less going on beside it.
static void replay_all(struct net_loop *loop, struct dirent *const found[], struct replay *list[],
                       int count)
{
    for (int round = 0; round < ROUNDS; round++) {
        int started = 0;
        for (int i = 0; i < count; i++) {
            const char *name = found[i]->d_name;
            if (find(left_out, sizeof left_out / sizeof *left_out, name) != NULL ||
                (list[i] != NULL && replay_result(list[i]).differences == 0))
                continue;
            if (list[i] != NULL)
                printf("# %s again, after:\n%s", name, replay_result(list[i]).report);
            replay_free(list[i]);
            bool slow = find(slow_ones, sizeof slow_ones / sizeof *slow_ones, name) != NULL;
            list[i] = start(loop, name, slow ? 0 : started++ * STAGGER_US);
        }
        while (!all_done(list, count))
            net_loop_run_once(loop, 100000);
    }
}

static void compare_with_kept(const char *path, const char *table, size_t len)
{
    if (getenv("REPLAY") != NULL)
        return;
    if (getenv("DIALER_UPDATE") != NULL) {
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        fwrite(table, 1, len, f);
        fclose(f);
        return;
    }
    static char kept[65536];
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    kept[fread(kept, 1, sizeof kept - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(kept, table);
}

static void transcripts_replayed(void **state)
{
    (void)state;
    struct dirent **found;
    int count = scandir("tests/ari-sim/transcripts", &found, is_transcript, by_name);
    assert_in_range(count, 1, MOST);
    struct net_loop_config config = {.on_log = NULL};
    char err[200];
    struct net_loop *loop = net_loop_open(&config, err, sizeof err);
    assert_non_null(loop);
    struct replay *list[MOST] = {NULL};
    replay_all(loop, found, list, count);
    static char table[65536];
    size_t len = 0;
    unsigned wrong = 0, covered = 0;
    for (int i = 0; i < count; i++) {
        const char *name = found[i]->d_name;
        const struct entry *out = find(left_out, sizeof left_out / sizeof *left_out, name);
        const struct entry *race = find(races, sizeof races / sizeof *races, name);
        int stem = (int)strlen(name) - 6;
        if (out != NULL) {
            len += (size_t)snprintf(table + len, sizeof table - len, "%-52.*s not covered: %s\n",
                                    stem, name, out->why);
            continue;
        }
        struct replay_result result = replay_result(list[i]);
        covered++;
        wrong += result.differences > 0;
        len += (size_t)snprintf(
            table + len, sizeof table - len, "%-52.*s %4u requests, %4u events%s%s\n", stem, name,
            result.requests, result.events, race != NULL ? ", any outcome of " : "",
            race != NULL ? race->why : "");
        if (result.differences > 0)
            printf("# %s: %u differences\n%s", name, result.differences, result.report);
    }
    len += (size_t)snprintf(table + len, sizeof table - len, "%u covered of %d\n", covered, count);
    printf("%s", table);
    for (int i = 0; i < count; i++) {
        replay_free(list[i]);
        free(found[i]);
    }
    free(found);
    net_loop_close(loop);
    assert_int_equal(wrong, 0);
    compare_with_kept("tests/ari-sim/covered.txt", table, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(transcripts_replayed)};
    return cmocka_run_group_tests_name("ari_sim_replay", tests, NULL, NULL);
}
