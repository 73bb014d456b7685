/*
 * fuzz_journal.c - the journal's file as a crash, a bad disk or somebody left it. Whatever it
 * holds: it opens or is refused; what is read has a CRC that fits and numbers that rise; opened
 * again it says the same; and what is put and committed after that is there.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/types.h"
#include "adapters/journal/journal_int.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct seen {
    uint64_t records, sum, last;
    bool ours; /* the last one is what we put */
};

static const char put[] = "put by the fuzzer";

static int each(void *ctx, const struct journal_record *r)
{
    struct seen *s = ctx;

    MUST(r->n <= JOURNAL_RECORD_MAX && (s->records == 0 || r->number == s->last + 1));
    s->last = r->number;
    s->records++;
    for (size_t i = 0; i < r->n; i++) {
        s->sum = (s->sum ^ r->bytes[i]) * 0x100000001b3u;
    }
    s->ours = r->type == 7 && r->n == sizeof put && memcmp(r->bytes, put, sizeof put) == 0;
    return 0;
}

/* Opens and reads without marking anything done. False: it was refused. */
static bool look(const char *path, struct seen *s, bool add)
{
    const struct journal_options options = {.path = path, .size_max = JOURNAL_SIZE_MIN};
    struct journal *j = journal_make(&options);
    size_t n = 0;
    bool opened;

    *s = (struct seen){0, 0, 0, false};
    MUST(j != NULL);
    opened = journal_open(j) == JOURNAL_OK && journal_bind(j, 1) == JOURNAL_OK;
    if (opened) {
        if (add && journal_put(j, named(3, 1), 7, put, sizeof put) == JOURNAL_OK) {
            MUST(journal_commit(j) == JOURNAL_OK);
        }
        MUST(journal_read(j, 100000, &n, each, s) == JOURNAL_OK && n == s->records);
    } else {
        MUST(journal_error(j)[0] != '\0');
    }
    journal_close(j);
    return opened;
}

/* A head as the journal writes it. */
static void make_head(const char *path, uint8_t *out)
{
    struct seen none;

    unlink(path);
    MUST(look(path, &none, false));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && pread(fd, out, HEAD_SIZE, 0) > 0);
    close(fd);
}

static size_t build(struct bytes *b, unsigned how, uint8_t *file)
{
    size_t len = HEAD_SIZE;

    for (unsigned i = 0; i < how >> 4 && b->left > 0; i++) {
        size_t n = take_byte(b);
        uint8_t *r = file + len;
        n = n < b->left ? n : b->left;
        memset(r, 0, RECORD_HEAD_SIZE);
        put_number(r + 4, n, 4);
        put_number(r + 8, i + 1, 8);
        put_number(r + 16, named(3, 1), 8);
        put_number(r + 24, 5, 2);
        memcpy(r + RECORD_HEAD_SIZE, b->at, n);
        put_number(r, journal_crc(r + 4, RECORD_HEAD_SIZE - 4 + n), 4);
        len += RECORD_HEAD_SIZE + n;
        b->at += n;
        b->left -= n;
    }
    if ((how & 2) != 0) {
        len -= len < 300 ? 0 : take_byte(b);
    }
    while (b->left >= 3) {
        const size_t at = (size_t)(take_byte(b) << 8 | take_byte(b)) % len;
        file[at] ^= (uint8_t)take_byte(b);
    }
    return len;
}

static void look_at_sent(const char *path)
{
    static const struct text id = {"att-0001-00000001-00000002-00000003", ID_LEN};
    char why[160] = "";
    struct sent *s = sent_open(path, why, sizeof why);

    if (s == NULL) {
        MUST(why[0] != '\0');
        return;
    }
    (void)sent_says(s, id, 1);
    sent_bind(s, 1, 2, 1000);
    (void)sent_says(s, id, 2000);
    sent_note(s, id, 3000);
    MUST(sent_says(s, id, 2000) == SENT_YES);
    sent_close(s);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    static uint8_t head[HEAD_SIZE];
    static uint8_t file[HEAD_SIZE + 65536];
    struct bytes b = {data, size < 16384 ? size : 16384};
    const unsigned how = take_byte(&b);
    struct seen first;
    struct seen second;

    if (path[0] == '\0') {
        snprintf(path, sizeof path, "/dev/shm/fuzz-journal-%d", (int)getpid());
        make_head(path, head);
    }
    memcpy(file, head, HEAD_SIZE);
    if ((how & 5) == 5) {
        write_file(path, b.at, b.left);
        look_at_sent(path);
        unlink(path);
        return 0;
    }
    if ((how & 4) != 0) {
        write_file(path, b.at, b.left);
    } else {
        write_file(path, file, build(&b, how, file));
    }
    if (look(path, &first, false)) {
        MUST(look(path, &second, false));
        MUST(first.records == second.records && first.sum == second.sum &&
             first.last == second.last);
        if (look(path, &second, true)) {
            MUST(second.records == first.records + 1 && second.ours);
            MUST(look(path, &second, false));
            MUST(second.records == first.records + 1 && second.ours);
        }
    }
    unlink(path);
    return 0;
}
