/* sent.c - see journal.h. */
#include "adapters/journal/journal_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ID_BYTES 40u

static const char magic[8] = "DLRSENT";

struct entry {
    char id[ID_BYTES];
    int64_t at_wall_ms;
};

/* In the file as in memory: one machine, one build; another magic when it changes. */
struct map {
    char magic[8];
    char boot[40];
    uint32_t node, starts;
    int64_t since_wall_ms; /* everything that left from then on is here */
    _Atomic uint64_t used; /* entries ever written */
    struct entry entries[SENT_ENTRIES];
};

struct sent {
    struct map *map;
    char boot[40];
    /* The reader's own: where an id stands. A start asks for each open attempt. Chains of places +
     * 1 (0: the end), newest first. */
    uint64_t indexed; /* entries that it knows of */
    uint32_t head[SENT_ENTRIES], next[SENT_ENTRIES];
};

static void read_boot(char out[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, 36) : -1;

    out[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
}

struct sent *sent_open(const char *path, char *why, size_t why_size)
{
    struct sent *s = calloc(1, sizeof *s);
    int fd =
        make_folders(path) == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    void *at = MAP_FAILED;

    /* All blocks now: a page that the disk has no room for would be a signal later. */
    if (s && fd >= 0) {
        errno = posix_fallocate(fd, 0, sizeof(struct map));
        if (errno == 0)
            at = mmap(NULL, sizeof(struct map), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      fd, 0);
    }
    if (at == MAP_FAILED) {
        snprintf(why, why_size, "%s: %m", path);
        if (fd >= 0)
            close(fd);
        free(s);
        return NULL;
    }
    close(fd);
    s->map = at;
    read_boot(s->boot);
    return s;
}

void sent_close(struct sent *s)
{
    if (!s)
        return;
    munmap(s->map, sizeof *s->map);
    free(s);
}

void sent_bind(struct sent *s, uint16_t node, uint32_t starts, int64_t now_wall_ms)
{
    struct map *m = s->map;
    bool goes_on = memcmp(m->magic, magic, sizeof magic) == 0 && s->boot[0] != 0 &&
                   memcmp(m->boot, s->boot, sizeof m->boot) == 0 && m->node == node &&
                   (m->starts == starts || m->starts + 1u == starts);

    if (!goes_on) {
        memset(m, 0, sizeof *m);
        memset(s->head, 0, sizeof s->head);
        s->indexed = 0;
        m->since_wall_ms = now_wall_ms;
        m->node = node;
        memcpy(m->boot, s->boot, sizeof m->boot);
        memcpy(m->magic, magic, sizeof magic);
    }
    m->starts = starts;
}

void sent_note(struct sent *s, struct text attempt, int64_t now_wall_ms)
{
    struct map *m = s->map;
    uint64_t used = atomic_load_explicit(&m->used, memory_order_relaxed);
    struct entry *e = &m->entries[used % SENT_ENTRIES];

    if (attempt.len >= ID_BYTES)
        return; /* none of ours: the adapter refuses it */
    if (used >= SENT_ENTRIES && e->at_wall_ms >= m->since_wall_ms)
        m->since_wall_ms = e->at_wall_ms + 1;
    memset(e->id, 0, sizeof e->id);
    memcpy(e->id, attempt.ptr, attempt.len);
    e->at_wall_ms = now_wall_ms;
    atomic_store_explicit(&m->used, used + 1, memory_order_release);
}

static uint32_t *chain_of(struct sent *s, const char *id, size_t n)
{
    return &s->head[journal_crc(id, n) % SENT_ENTRIES];
}

static void index_new(struct sent *s)
{
    const uint64_t used = atomic_load_explicit(&s->map->used, memory_order_acquire);
    uint64_t at = used - s->indexed > SENT_ENTRIES ? used - SENT_ENTRIES : s->indexed;

    for (; at < used; at++) {
        const uint32_t place = (uint32_t)(at % SENT_ENTRIES);
        const char *id = s->map->entries[place].id;
        uint32_t *head = chain_of(s, id, strnlen(id, ID_BYTES));

        s->next[place] = *head;
        *head = place + 1;
    }
    s->indexed = used;
}

static uint64_t age(const struct sent *s, uint32_t place)
{
    return (s->indexed - 1 - place) % SENT_ENTRIES;
}

enum sent_answer sent_says(struct sent *s, struct text attempt, int64_t claimed_wall_ms)
{
    const struct map *m = s->map;
    uint32_t at;

    if (attempt.len == 0 || attempt.len >= ID_BYTES)
        return SENT_PERHAPS;
    index_new(s);
    at = *chain_of(s, attempt.ptr, attempt.len);
    while (at > 0) {
        const uint32_t place = at - 1;
        const struct entry *e = &m->entries[place];

        if (memcmp(e->id, attempt.ptr, attempt.len) == 0 && e->id[attempt.len] == 0)
            return SENT_YES;
        at = s->next[place];
        if (at > 0 && age(s, at - 1) <= age(s, place))
            break; /* written anew since, for another id; what stood behind it was older still */
    }
    return claimed_wall_ms > m->since_wall_ms ? SENT_NEVER : SENT_PERHAPS;
}
