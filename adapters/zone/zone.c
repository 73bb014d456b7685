/*
 * zone.c - reads TZif files (RFC 8536): the transitions, and the rule in the footer for the years
 * after the last one.
 */
#include "adapters/zone/zone.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/zone/rule.h"

#define NAME_MAX_LEN 64
#define FILE_MAX (1 << 20)
#define HEADER 44
#define DAY_S 86400

struct zone {
    struct zone *next;
    char name[NAME_MAX_LEN + 1];
    bool known;
    size_t n;
    int64_t *at;     /* transitions, UTC seconds, rising */
    int32_t *offset; /* after each */
    int32_t first;   /* before the first */
    struct zone_rule rule;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;
static const char *directory = "/usr/share/zoneinfo";

void zone_directory(const char *path)
{
    directory = path;
}

static int64_t big_endian(const unsigned char *p, size_t bytes)
{
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
    size_t i;

    for (i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

/* The six counts of a header, and where its data end. */
struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_counts(const unsigned char *p, const unsigned char *end, struct counts *c)
{
    size_t *to[] = {&c->isut, &c->isstd, &c->leap, &c->time, &c->type, &c->chars};
    size_t i;

    if (end - p < HEADER || memcmp(p, "TZif", 4) != 0)
        return false;
    for (i = 0; i < 6; i++) {
        int64_t v = big_endian(p + 20 + 4 * i, 4);
        if (v < 0 || v > 100000)
            return false;
        *to[i] = (size_t)v;
    }
    return true;
}

static size_t data_size(const struct counts *c, size_t width)
{
    return c->time * (width + 1) + c->type * 6 + c->chars + c->leap * (width + 4) + c->isstd +
           c->isut;
}

static bool read_transitions(struct zone *z, const unsigned char *p, const struct counts *c,
                             size_t width)
{
    const unsigned char *index = p + c->time * width;
    const unsigned char *types = index + c->time;
    size_t i;

    if (c->type == 0)
        return false;
    z->first = (int32_t)big_endian(types, 4);
    z->n = c->time;
    if (c->time == 0)
        return true;
    z->at = calloc(c->time, sizeof *z->at);
    z->offset = calloc(c->time, sizeof *z->offset);
    if (!z->at || !z->offset)
        return false;
    for (i = 0; i < c->time; i++) {
        if (index[i] >= c->type)
            return false;
        z->at[i] = big_endian(p + i * width, width);
        z->offset[i] = (int32_t)big_endian(types + index[i] * 6, 4);
        if (i > 0 && z->at[i] <= z->at[i - 1])
            return false;
    }
    return true;
}

static bool parse(struct zone *z, const unsigned char *p, size_t size)
{
    const unsigned char *end = p + size;
    struct counts c;
    size_t width = 4;

    if (!read_counts(p, end, &c))
        return false;
    if (p[4] >= '2') { /* everything again, with eight bytes for a time */
        size_t skip = HEADER + data_size(&c, 4);
        if ((size_t)(end - p) < skip)
            return false;
        p += skip;
        width = 8;
        if (!read_counts(p, end, &c))
            return false;
    }
    if ((size_t)(end - p) < HEADER + data_size(&c, width) ||
        !read_transitions(z, p + HEADER, &c, width))
        return false;
    p += HEADER + data_size(&c, width);
    if (width == 8 && end - p > 2 && p[0] == '\n') {
        const unsigned char *line_end = memchr(p + 1, '\n', (size_t)(end - p - 1));
        if (line_end)
            zone_rule_parse((const char *)p + 1, (size_t)(line_end - p - 1), &z->rule);
    }
    return true;
}

/* Names come from data: letters, digits, + - _ and single slashes, so that they stay in the
 * directory. */
static bool name_good(struct text name)
{
    uint32_t i;

    if (name.len == 0 || name.len > NAME_MAX_LEN || name.ptr[0] == '/')
        return false;
    for (i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '_' &&
            !(c == '/' && i + 1 < name.len && name.ptr[i + 1] != '/'))
            return false;
    }
    return true;
}

static void load(struct zone *z)
{
    char path[512];
    unsigned char *data = NULL;
    struct stat st;
    ssize_t got = 0;
    int fd;

    if (snprintf(path, sizeof path, "%s/%s", directory, z->name) >= (int)sizeof path)
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < FILE_MAX)
        data = malloc((size_t)st.st_size + 1);
    if (data)
        got = read(fd, data, (size_t)st.st_size);
    close(fd);
    if (data && got == st.st_size)
        z->known = parse(z, data, (size_t)got);
    free(data);
}

/* Unknown names are kept too, with their answer, up to a bound: they come from data. */
static struct zone *find(struct text name)
{
    struct zone *z;
    size_t n = 0;

    for (z = zones; z; z = z->next, n++)
        if (strlen(z->name) == name.len && memcmp(z->name, name.ptr, name.len) == 0)
            return z;
    if (n >= 2000)
        return NULL;
    z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    memcpy(z->name, name.ptr, name.len);
    load(z);
    z->next = zones;
    zones = z;
    return z;
}

static void span_at(const struct zone *z, int64_t now_s, struct zone_span *out)
{
    size_t low = 0, high = z->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (z->at[mid] <= now_s)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->n && z->rule.valid) {
        zone_rule_at(&z->rule, now_s, out);
        return;
    }
    out->offset_s = low > 0 ? z->offset[low - 1] : z->first;
    /* Transitions that change the name only do not count. */
    for (; low < z->n; low++) {
        if (z->offset[low] != out->offset_s) {
            out->until_wall_ms = z->at[low] * MS_PER_S;
            out->next_offset_s = z->offset[low];
            return;
        }
    }
    if (z->rule.valid && z->n > 0) {
        zone_rule_at(&z->rule, z->at[z->n - 1], out);
        if (out->until_wall_ms && out->until_wall_ms <= now_s * MS_PER_S)
            zone_rule_at(&z->rule, now_s, out);
    }
}

bool zone_at(struct text name, int64_t wall_ms, struct zone_span *out)
{
    struct zone *z;
    int64_t now_s = wall_ms / MS_PER_S - (wall_ms % MS_PER_S < 0);
    bool known;

    memset(out, 0, sizeof *out);
    if (!name_good(name))
        return false;
    pthread_mutex_lock(&lock);
    z = find(name);
    known = z && z->known;
    if (known)
        span_at(z, now_s, out);
    pthread_mutex_unlock(&lock);
    if (out->until_wall_ms == 0)
        out->next_offset_s = out->offset_s;
    return known;
}

bool zone_known(struct text name)
{
    struct zone_span span;

    return zone_at(name, 0, &span);
}

int64_t zone_day_start(struct text name, int64_t wall_ms)
{
    struct zone_span now = {0}, then = {0};
    int64_t local, start;

    zone_at(name, wall_ms, &now);
    local = wall_ms + now.offset_s * MS_PER_S;
    start = wall_ms - ((local % (DAY_S * MS_PER_S)) + DAY_S * MS_PER_S) % (DAY_S * MS_PER_S);
    /* The clock may have been changed since midnight. */
    if (zone_at(name, start, &then) && then.offset_s != now.offset_s) {
        start += (now.offset_s - then.offset_s) * MS_PER_S;
        if (then.until_wall_ms > 0 && start > then.until_wall_ms)
            start = then.until_wall_ms;
    }
    return start;
}

void zone_forget(void)
{
    pthread_mutex_lock(&lock);
    while (zones) {
        struct zone *next = zones->next;
        free(zones->at);
        free(zones->offset);
        free(zones);
        zones = next;
    }
    pthread_mutex_unlock(&lock);
}
