/* test_journal.c - the journal's file: what is promised survives whatever may happen to it. */
#include "adapters/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/dialer-journal-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/sub/outcomes", folder);
    return 0;
}

static int teardown(void **state)
{
    char sub[96], sent[96];

    (void)state;
    snprintf(sub, sizeof sub, "%s/sub", folder);
    snprintf(sent, sizeof sent, "%s/sent", folder);
    unlink(path);
    unlink(sent);
    rmdir(sub);
    rmdir(folder);
    return 0;
}

/* --- the disk, made to fail ------------------------------------------------------------------- */

static long fail_in;   /* the so-many-th operation fails, 0 none */
static bool fail_long; /* and all after it */
static bool fail_half; /* half of a write that fails arrives */
static int fail_errno = EIO;
static long operations;

static bool fails(void)
{
    operations++;
    if (fail_in == 0 || (--fail_in > 0))
        return false;
    if (fail_long)
        fail_in = 1;
    errno = fail_errno;
    return true;
}

static ssize_t bad_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (!fails())
        return pwrite(fd, bytes, n, at);
    if (fail_half && pwrite(fd, bytes, n / 2, at) < 0)
        return -1;
    return -1;
}

static int bad_fdatasync(int fd)
{
    return fails() ? -1 : fdatasync(fd);
}

static int bad_ftruncate(int fd, off_t size)
{
    return fails() ? -1 : ftruncate(fd, size);
}

static struct journal *make(uint64_t size_max)
{
    const struct journal_options o = {
        .path = path, .size_max = size_max, .disk = {bad_pwrite, bad_fdatasync, bad_ftruncate}};
    struct journal *j = journal_make(&o);

    assert_non_null(j);
    return j;
}

static struct journal *opened(void)
{
    struct journal *j = make(0);

    assert_int_equal(journal_open(j), JOURNAL_OK);
    return j;
}

/* Record i has i as its bytes, i times. */
static int put(struct journal *j, unsigned i)
{
    uint8_t bytes[256];

    memset(bytes, (int)i, sizeof bytes);
    return journal_put(j, 1000 + i, (uint16_t)(10 + i), bytes, i);
}

struct reader {
    unsigned next, count;
};

static int take(void *ctx, const struct journal_record *r)
{
    struct reader *reader = ctx;

    assert_int_equal(r->from, 1000 + reader->next);
    assert_int_equal(r->type, 10 + reader->next);
    assert_int_equal(r->n, reader->next);
    for (size_t i = 0; i < r->n; i++)
        assert_int_equal(r->bytes[i], reader->next);
    reader->next++;
    reader->count++;
    return 0;
}

/* Reads and checks records first .. last, in pieces, and is done with them. */
static void drain(struct journal *j, unsigned first, unsigned last)
{
    struct reader reader = {first, 0};
    size_t n;

    while (reader.next <= last) {
        assert_int_equal(journal_read(j, 7, &n, take, &reader), JOURNAL_OK);
        assert_true(n > 0);
        assert_int_equal(journal_done(j, n), JOURNAL_OK);
    }
    assert_int_equal(reader.next, last + 1);
    assert_int_equal(journal_figures(j).records, 0);
}

/* --- the journal ------------------------------------------------------------------------------ */

static void crc(void **state)
{
    (void)state;
    assert_int_equal(journal_crc("123456789", 9), 0xe3069283);
    assert_int_equal(journal_crc("", 0), 0);
}

static void what_is_committed_is_there(void **state)
{
    struct journal *j = opened();
    struct stat st;

    (void)state;
    for (unsigned i = 1; i <= 100; i++)
        assert_int_equal(put(j, i), JOURNAL_OK);
    assert_int_equal(journal_figures(j).records, 0);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    assert_int_equal(journal_figures(j).records, 100);
    assert_int_equal(put(j, 101), JOURNAL_OK); /* not committed: not promised */
    journal_close(j);
    j = opened();
    assert_int_equal(journal_figures(j).records, 100);
    assert_int_equal(journal_figures(j).cuts, 0);
    drain(j, 1, 100);
    journal_close(j);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size <= 4096);
    assert_int_equal(st.st_mode & 0777, 0600);
    j = opened();
    assert_int_equal(journal_figures(j).records, 0);
    journal_close(j);
}

/* Read and not done: read again. Done: never again, also after a restart in between. */
static void the_mark(void **state)
{
    struct journal *j = opened();
    struct reader reader = {1, 0};
    size_t n;

    (void)state;
    for (unsigned i = 1; i <= 50; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    assert_int_equal(journal_read(j, 20, &n, take, &reader), JOURNAL_OK);
    assert_int_equal(n, 20);
    journal_close(j);
    j = opened();
    reader.next = 1;
    assert_int_equal(journal_read(j, 20, &n, take, &reader), JOURNAL_OK);
    assert_int_equal(journal_done(j, 15), JOURNAL_OK);
    for (unsigned i = 51; i <= 60; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    j = opened();
    assert_int_equal(journal_figures(j).records, 45);
    drain(j, 16, 60);
    journal_close(j);
}

static void copy_file(uint8_t *out, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, out, *n);

    assert_true(got > 0);
    *n = (size_t)got;
    close(fd);
}

static void write_file(const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

    assert_true(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

/* Cut at every byte: all whole records before the cut are there, the rest is gone, and what is
 * written then is found behind them. */
static void torn_at_every_byte(void **state)
{
    static uint8_t file[16384];
    size_t n = sizeof file, whole = 4096;
    struct journal *j = opened();
    unsigned have = 0;

    (void)state;
    for (unsigned i = 1; i <= 12; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    copy_file(file, &n);
    for (size_t size = 4096; size <= n; size++) {
        if (have < 12 && size >= whole + 32 + have + 1) {
            have++;
            whole += 32 + have;
        }
        write_file(file, size);
        j = opened();
        assert_int_equal(journal_figures(j).records, have);
        assert_int_equal(journal_figures(j).cut, size - whole);
        assert_int_equal(put(j, have + 1), JOURNAL_OK);
        assert_int_equal(journal_commit(j), JOURNAL_OK);
        journal_close(j);
        j = opened();
        drain(j, 1, have + 1);
        journal_close(j);
    }
    assert_int_equal(have, 12);
}

/* A bit that turned over, anywhere: never a wrong record, never a crash. */
static void every_bit(void **state)
{
    static uint8_t file[16384];
    size_t n = sizeof file;
    struct journal *j = opened();

    (void)state;
    for (unsigned i = 1; i <= 6; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    copy_file(file, &n);
    for (size_t bit = 0; bit < n * 8;
         bit = bit + 1 == (size_t)84 * 8 ? (size_t)4096 * 8 : bit + 1) {
        struct reader reader = {1, 0};
        size_t took = 0;

        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(file, n);
        j = make(0);
        if (journal_open(j) == JOURNAL_OK) {
            assert_int_equal(journal_read(j, 100, &took, take, &reader), JOURNAL_OK);
            if (bit < (size_t)4096 * 8)
                assert_int_equal(took, 6);
            else
                assert_true(took < 6);
        } else {
            assert_true(bit < 12 * 8); /* magic, version */
        }
        journal_close(j);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* The Nth operation on the disk fails, for all N, once or for good: what was confirmed is there,
 * what was not is there after the next commit that works, nothing twice. */
static void the_nth_fails(void **state)
{
    (void)state;
    for (int rounds = 0; rounds < 4; rounds++) {
        fail_errno = rounds % 2 ? ENOSPC : EIO;
        for (long nth = 1;; nth++) {
            struct journal *j = make(0);
            unsigned promised = 0;

            unlink(path);
            fail_in = nth;
            fail_long = rounds >= 2;
            fail_half = nth % 2 == 0;
            operations = 0;
            for (unsigned i = 1; i <= 20; i++) {
                assert_int_equal(put(j, i), JOURNAL_OK);
                if (journal_commit(j) == JOURNAL_OK)
                    promised = i;
                if (i == 10)
                    (void)journal_probe(j);
            }
            bool untouched = operations < nth;
            fail_in = 0;
            fail_long = false;
            if (rounds % 2 == 0) { /* the disk is well again */
                assert_int_equal(journal_commit(j), JOURNAL_OK);
                promised = 20;
            }
            journal_close(j);
            j = opened();
            assert_true(journal_figures(j).records >= promised);
            drain(j, 1, (unsigned)journal_figures(j).records);
            journal_close(j);
            if (untouched)
                break;
        }
    }
    fail_errno = EIO;
}

/* The same while it is read: nothing is skipped. True: it failed somewhere. */
static bool fails_reading(long nth, bool half)
{
    struct journal *j = opened();
    struct reader reader = {1, 0};
    size_t n;

    for (unsigned i = 1; i <= 20; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    fail_in = nth;
    fail_half = half;
    operations = 0;
    assert_int_equal(journal_read(j, 8, &n, take, &reader), JOURNAL_OK);
    (void)journal_done(j, n);
    assert_int_equal(journal_read(j, 100, &n, take, &reader), JOURNAL_OK);
    (void)journal_done(j, n);
    assert_int_equal(reader.next, 21);
    bool failed = operations >= nth;
    fail_in = 0;
    for (unsigned i = 21; i <= 25; i++)
        put(j, i);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j); /* whatever the mark says now: 21 to 25 come, and in order */
    j = opened();
    assert_true(journal_figures(j).records >= 5);
    reader.next = 26 - (unsigned)journal_figures(j).records;
    assert_int_equal(journal_read(j, 100, &n, take, &reader), JOURNAL_OK);
    assert_int_equal(reader.next, 26);
    journal_close(j);
    unlink(path);
    return failed;
}

static void the_nth_fails_reading(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++)
        for (long nth = 1; fails_reading(nth, half != 0); nth++)
            continue;
}

static void full(void **state)
{
    static uint8_t big[JOURNAL_RECORD_MAX];
    struct journal *j = opened();
    unsigned n = 0;
    int rc;

    (void)state;
    while ((rc = journal_put(j, 0, 1, big, sizeof big)) == JOURNAL_OK) {
        assert_int_equal(journal_commit(j), JOURNAL_OK);
        n++;
    }
    assert_int_equal(rc, JOURNAL_FULL);
    assert_int_equal(journal_probe(j), JOURNAL_FULL);
    assert_true(n >= 14 && n <= 16);
    assert_int_equal(journal_put(j, 0, 1, big, sizeof big + 1), JOURNAL_FULL);
    assert_non_null(strstr(journal_error(j), "size"));
    journal_close(j);
}

static void one_owner(void **state)
{
    struct journal *j = opened(), *other = make(0);

    (void)state;
    assert_int_equal(journal_open(other), JOURNAL_HELD);
    assert_int_equal(journal_bind(j, 7), JOURNAL_OK);
    put(j, 1);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    journal_close(j);
    assert_int_equal(journal_open(other), JOURNAL_OK);
    assert_int_equal(journal_bind(other, 8), JOURNAL_FOREIGN);
    assert_non_null(strstr(journal_error(other), "0007"));
    assert_int_equal(journal_bind(other, 7), JOURNAL_OK);
    drain(other, 1, 1);
    assert_int_equal(journal_bind(other, 8), JOURNAL_OK);
    journal_close(other);
}

static void probe_leaves_nothing(void **state)
{
    struct journal *j = opened();
    struct stat before, after;

    (void)state;
    put(j, 1);
    assert_int_equal(journal_commit(j), JOURNAL_OK);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(journal_probe(j), JOURNAL_OK);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    journal_close(j);
}

/* Killed at any moment while it writes as fast as it can: every record that was confirmed (its
 * number came through the pipe) is there, in order. */
static void killed(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        int pipes[2];
        unsigned last = 0, number;
        struct reader reader = {1, 0};
        size_t n;

        unlink(path);
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        pid_t pid = fork();

        if (pid == 0) {
            const struct journal_options o = {.path = path};
            struct journal *j = journal_make(&o);

            if (journal_open(j) != JOURNAL_OK)
                _exit(1);
            for (unsigned i = 1; i < 200; i++) {
                put(j, i);
                if (journal_commit(j) != JOURNAL_OK ||
                    write(pipes[1], &i, sizeof i) != (ssize_t)sizeof i)
                    _exit(1);
            }
            pause();
            _exit(0);
        }
        close(pipes[1]);
        for (int k = 0; k <= round * 9; k++) {
            assert_int_equal(read(pipes[0], &number, sizeof number), sizeof number);
            last = number;
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(pipes[0], &number, sizeof number) == (ssize_t)sizeof number)
            last = number;
        close(pipes[0]);
        struct journal *j = opened();
        assert_int_equal(journal_read(j, 1000, &n, take, &reader), JOURNAL_OK);
        assert_true(n >= last);
        journal_close(j);
    }
}

/* --- what left -------------------------------------------------------------------------------- */

#define ID "att-0051-00000001-00000001-%08x"

static enum sent_answer says(struct sent *s, unsigned i, int64_t claimed)
{
    char id[40];

    snprintf(id, sizeof id, ID, i);
    return sent_says(s, (struct text){id, 35}, claimed);
}

static void note(struct sent *s, unsigned i, int64_t at)
{
    char id[40];

    snprintf(id, sizeof id, ID, i);
    sent_note(s, (struct text){id, 35}, at);
}

static struct sent *sent(uint16_t node, uint32_t starts, int64_t at)
{
    char file[96], why[200];
    struct sent *s;

    snprintf(file, sizeof file, "%s/sent", folder);
    s = sent_open(file, why, sizeof why);
    assert_non_null(s);
    sent_bind(s, node, starts, at);
    return s;
}

static void sent_survives_a_kill(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        struct sent *s = sent(81, 1, 1000);

        note(s, 1, 2000);
        note(s, 3, 2001);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    struct sent *s = sent(81, 2, 5000);

    assert_int_equal(says(s, 1, 1500), SENT_YES);
    assert_int_equal(says(s, 3, 1500), SENT_YES);
    assert_int_equal(says(s, 2, 1500), SENT_NEVER);
    assert_int_equal(says(s, 4, 1500), SENT_NEVER);
    assert_int_equal(says(s, 2, 900), SENT_PERHAPS); /* from before the file was */
    sent_close(s);
    s = sent(81, 4, 6000); /* start 3 did not note here */
    assert_int_equal(says(s, 2, 1500), SENT_PERHAPS);
    assert_int_equal(says(s, 2, 6500), SENT_NEVER);
    sent_close(s);
    s = sent(82, 5, 7000); /* another store */
    assert_int_equal(says(s, 2, 6500), SENT_PERHAPS);
    sent_close(s);
}

static void sent_turns_over(void **state)
{
    struct sent *s = sent(81, 1, 1000);

    (void)state;
    for (unsigned i = 1; i <= SENT_ENTRIES + 10; i++)
        note(s, i, 2000 + (int64_t)i);
    assert_int_equal(says(s, SENT_ENTRIES, 1500), SENT_YES);
    assert_int_equal(says(s, 5, 2003), SENT_PERHAPS);
    assert_int_equal(says(s, SENT_ENTRIES + 70000, 2003), SENT_PERHAPS);
    assert_int_equal(says(s, SENT_ENTRIES + 70000, 3000), SENT_NEVER);
    sent_close(s);
}

/* Asked for all of them, at every turn of the ring: in no more time than a start has. */
static void sent_finds_each(void **state)
{
    struct sent *s = sent(81, 1, 1000);
    unsigned last = 0;

    (void)state;
    for (unsigned turn = 0; turn < 5; turn++) {
        for (unsigned i = 0; i < SENT_ENTRIES / 2 + 3; i++, last++)
            note(s, last + 1, 2000);
        for (unsigned i = 1; i <= last + 100; i++) {
            const bool there = i <= last && i + SENT_ENTRIES > last;

            assert_int_equal(says(s, i, INT64_MAX), there ? SENT_YES : SENT_NEVER);
        }
    }
    sent_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(crc),
        T(what_is_committed_is_there),
        T(the_mark),
        T(torn_at_every_byte),
        T(every_bit),
        T(the_nth_fails),
        T(the_nth_fails_reading),
        T(full),
        T(one_owner),
        T(probe_leaves_nothing),
        T(killed),
        T(sent_survives_a_kill),
        T(sent_turns_over),
        T(sent_finds_each),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
