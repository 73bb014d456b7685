/* board.c - see board.h for the idea. */
#include "adapters/web/board.h"

#include "adapters/web/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX (256u * 1024u)   /* of one record's JSON */
#define FIELDS_MAX (128u * 1024u) /* of a lead card */
#define KEY_MAX 160
#define GONE_MAX 8192u /* marks of ended calls */
#define PEOPLE 4096u   /* buckets */
#define DISPOSITIONS_MAX 512u

struct board {
    struct board_events events;
    void *ctx;
    uint64_t seq, floor;
    struct record *oldest, *newest; /* the list of changes */
    struct record **bucket;
    size_t buckets, records;
    struct record *first_gone, *last_gone;
    size_t gone;
    struct record *disposition[DISPOSITIONS_MAX];
    size_t n_dispositions;
    struct person *people[PEOPLE];
    struct json_writer writer;
    struct json card;
};

/* --- table and list ------------------------------------------------------------------------- */

static size_t hash(const char *key)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *key != '\0'; key++) {
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    }
    return (size_t)(h ^ h >> 32);
}

struct board *board_new(const struct board_events *events, void *ctx)
{
    struct board *b = calloc(1, sizeof *b);

    if (b == NULL) {
        return NULL;
    }
    b->events = *events;
    b->ctx = ctx;
    b->buckets = 1024;
    b->bucket = calloc(b->buckets, sizeof(struct record *));
    if (b->bucket == NULL) {
        free(b);
        return NULL;
    }
    json_writer_init_heap(&b->writer, ITEM_MAX);
    json_init(&b->card, FIELDS_MAX);
    return b;
}

void board_free(struct board *b)
{
    if (b == NULL) {
        return;
    }
    for (struct record *r = b->oldest, *newer; r != NULL; r = newer) {
        newer = r->newer;
        free(r->json);
        free(r);
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        for (struct person *p = b->people[i], *next; p != NULL; p = next) {
            next = p->chain;
            free(p->pop);
            free(p);
        }
    }
    json_writer_free(&b->writer);
    json_free(&b->card);
    free(b->bucket);
    free(b);
}

uint64_t board_seq(const struct board *b)
{
    return b->seq;
}

uint64_t board_floor(const struct board *b)
{
    return b->floor;
}

size_t board_records(const struct board *b)
{
    return b->records - b->gone;
}

static struct record *find(const struct board *b, const char *key)
{
    struct record *r = b->bucket[hash(key) & (b->buckets - 1)];

    while (r != NULL && strcmp(r->key, key) != 0) {
        r = r->chain;
    }
    return r;
}

static void grow(struct board *b)
{
    const size_t wider = b->buckets * 2;
    struct record **table = calloc(wider, sizeof(struct record *));

    if (table == NULL) {
        return; /* longer chains, nothing worse */
    }
    for (struct record *r = b->oldest; r != NULL; r = r->newer) {
        struct record **at = &table[hash(r->key) & (wider - 1)];
        r->chain = *at;
        *at = r;
    }
    free(b->bucket);
    b->bucket = table;
    b->buckets = wider;
}

static void list_take(struct board *b, struct record *r)
{
    if (r->older != NULL) {
        r->older->newer = r->newer;
    } else {
        b->oldest = r->newer;
    }
    if (r->newer != NULL) {
        r->newer->older = r->older;
    } else {
        b->newest = r->older;
    }
}

static void list_append(struct board *b, struct record *r)
{
    r->newer = NULL;
    r->older = b->newest;
    if (r->older != NULL) {
        r->older->newer = r;
    } else {
        b->oldest = r;
    }
    b->newest = r;
    r->seq = ++b->seq;
}

static void drop(struct board *b, struct record *r)
{
    struct record **at = &b->bucket[hash(r->key) & (b->buckets - 1)];

    while (*at != r) {
        at = &(*at)->chain;
    }
    *at = r->chain;
    list_take(b, r);
    b->records--;
    free(r->json);
    free(r);
}

/* What the writer holds becomes the record of this key, as the newest change. NULL: nothing was
 * changed (no memory, or the text was longer than a record may be). */
static struct record *store(struct board *b, const char *key)
{
    struct record *r = find(b, key);
    size_t len = 0;
    const char *text = json_writer_end(&b->writer, &len);
    char *json = text != NULL ? malloc(len + 1) : NULL;

    if (json != NULL && r == NULL) {
        const size_t size = strlen(key) + 1;
        r = calloc(1, sizeof *r + size);
        if (r != NULL) {
            struct record **at;
            memcpy(r->key, key, size);
            if (++b->records > b->buckets) {
                grow(b);
            }
            at = &b->bucket[hash(key) & (b->buckets - 1)];
            r->chain = *at;
            *at = r;
            list_append(b, r);
        }
    } else if (json != NULL) {
        list_take(b, r);
        list_append(b, r);
    }
    if (json == NULL || r == NULL) {
        free(json);
        return NULL;
    }
    memcpy(json, text, len + 1);
    free(r->json);
    r->json = json;
    r->len = (uint32_t)len;
    return r;
}

const struct record *board_after(const struct board *b, uint64_t seq)
{
    const struct record *r = b->newest;
    const struct record *first = NULL;

    if (b->oldest != NULL && b->oldest->seq > seq) {
        return b->oldest; /* the whole picture: not through all of it backwards */
    }
    while (r != NULL && r->seq > seq) {
        first = r;
        r = r->older;
    }
    return first;
}

/* --- people --------------------------------------------------------------------------------- */

struct person *board_person(struct board *b, uint64_t agent, bool make)
{
    struct person **at = &b->people[agent % PEOPLE];
    struct person *p = *at;

    while (p != NULL && p->agent != agent) {
        p = p->chain;
    }
    if (p == NULL && make) {
        p = calloc(1, sizeof *p);
        if (p != NULL) {
            p->agent = agent;
            p->chain = *at;
            *at = p;
        }
    }
    return p;
}

static void take_card(struct board *b, struct person *p)
{
    if (p->pop != NULL) {
        free(p->pop);
        p->pop = NULL;
        p->pop_len = 0;
        p->pop_attempt[0] = '\0';
        p->pop_seq = ++b->seq;
    }
}

static void set_call(struct board *b, struct person *p, struct record *call)
{
    p->call_seq = b->seq;
    if (p->call != call) {
        p->call = call;
        p->call_taken = b->seq;
    }
    b->events.on_person(b->ctx, p);
}

/* --- views ---------------------------------------------------------------------------------- */

static void numbered(char key[KEY_MAX], const char *kind, uint64_t id)
{
    snprintf(key, KEY_MAX, "%s/%llu", kind, (unsigned long long)id);
}

static void named_key(char key[KEY_MAX], const char *kind, struct text name)
{
    snprintf(key, KEY_MAX, "%s/%.*s", kind, (int)(name.len < 120 ? name.len : 120),
             name.ptr != NULL ? name.ptr : "");
}

void board_agent(struct board *b, const struct msg_view_agent *m)
{
    char key[KEY_MAX];
    struct person *p = board_person(b, m->agent, true);
    struct record *r;

    json_writer_reset(&b->writer);
    item_agent(&b->writer, m);
    numbered(key, "agent", m->agent);
    r = store(b, key);
    if (p == NULL || r == NULL) {
        return;
    }
    p->status = r;
    p->campaign = m->campaign;
    if (m->attempt.len == 0) {
        take_card(b, p);
    }
    b->events.on_person(b->ctx, p);
}

/* Ended calls stay as marks until there are too many. */
static void mark(struct board *b, struct record *r)
{
    r->gone = true;
    r->next_gone = NULL;
    if (b->last_gone != NULL) {
        b->last_gone->next_gone = r;
    } else {
        b->first_gone = r;
    }
    b->last_gone = r;
    if (++b->gone > GONE_MAX) {
        struct record *oldest = b->first_gone;
        b->first_gone = oldest->next_gone;
        b->gone--;
        b->floor = oldest->seq;
        drop(b, oldest);
    }
}

static void call_gone(struct board *b, const char *key, struct record *r)
{
    struct person *p = r->agent != 0 ? board_person(b, r->agent, false) : NULL;

    json_writer_reset(&b->writer);
    item_gone(&b->writer, "call", strchr(key, '/') + 1);
    r = store(b, key);
    if (r == NULL) {
        return;
    }
    mark(b, r);
    if (p != NULL && p->call == r) {
        set_call(b, p, NULL);
    }
}

void board_call(struct board *b, const struct msg_view_call *m)
{
    char key[KEY_MAX];
    struct record *r;
    struct person *p;
    uint64_t before;

    named_key(key, "call", m->attempt);
    r = find(b, key);
    if (r != NULL && r->gone) {
        return; /* a straggler: ended calls do not come back */
    }
    if (m->state == ATTEMPT_ENDED || m->state == ATTEMPT_DISPOSED) {
        if (r != NULL) {
            call_gone(b, key, r);
        }
        return;
    }
    before = r != NULL ? r->agent : 0;
    json_writer_reset(&b->writer);
    item_call(&b->writer, m);
    r = store(b, key);
    if (r == NULL) {
        return;
    }
    r->agent = m->agent;
    p = before != 0 && before != m->agent ? board_person(b, before, false) : NULL;
    if (p != NULL && p->call == r) {
        set_call(b, p, NULL);
    }
    p = m->agent != 0 ? board_person(b, m->agent, true) : NULL;
    if (p != NULL) {
        set_call(b, p, r);
    }
}

void board_campaign(struct board *b, const struct msg_view_campaign *m)
{
    char key[KEY_MAX];

    json_writer_reset(&b->writer);
    item_campaign(&b->writer, m);
    numbered(key, "campaign", m->campaign);
    store(b, key);
}

void board_pop(struct board *b, const struct msg_screen_pop *m)
{
    struct person *p = board_person(b, m->agent, true);
    const struct json *card = NULL;
    const char *text;
    size_t len = 0;
    char *copy;

    if (p == NULL || m->attempt.len >= ID_SIZE) {
        return;
    }
    if (m->fields.len > 0 && json_parse(&b->card, m->fields.ptr, m->fields.len) == 0) {
        card = &b->card;
    }
    json_writer_reset(&b->writer);
    item_pop(&b->writer, m, card);
    text = json_writer_end(&b->writer, &len);
    copy = text != NULL ? malloc(len + 1) : NULL;
    if (copy == NULL) {
        return;
    }
    memcpy(copy, text, len + 1);
    free(p->pop);
    p->pop = copy;
    p->pop_len = (uint32_t)len;
    p->pop_seq = ++b->seq;
    if (m->attempt.len > 0) {
        memcpy(p->pop_attempt, m->attempt.ptr, m->attempt.len);
    }
    p->pop_attempt[m->attempt.len] = '\0';
    b->events.on_person(b->ctx, p);
}

void board_pbx(struct board *b, const struct msg_view_pbx *m)
{
    char key[KEY_MAX];
    struct record *r;

    json_writer_reset(&b->writer);
    item_pbx(&b->writer, m);
    numbered(key, "pbx", m->pbx);
    r = store(b, key);
    if (r != NULL) {
        r->up = m->state == PBX_UP;
    }
}

void board_disposition(struct board *b, const struct msg_view_disposition *m)
{
    char kind[40];
    char key[KEY_MAX];
    struct record *r;
    bool known;

    json_writer_reset(&b->writer);
    item_disposition(&b->writer, m);
    snprintf(kind, sizeof kind, "disposition/%llu", (unsigned long long)m->campaign);
    named_key(key, kind, m->code);
    known = find(b, key) != NULL;
    if (!known && b->n_dispositions == DISPOSITIONS_MAX) {
        return;
    }
    r = store(b, key);
    if (r != NULL && !known) {
        b->disposition[b->n_dispositions++] = r;
    }
}

void board_dependency(struct board *b, const struct msg_readiness *m)
{
    char key[KEY_MAX];
    struct record *r;

    json_writer_reset(&b->writer);
    item_dependency(&b->writer, m);
    named_key(key, "dependency", m->name);
    r = store(b, key);
    if (r != NULL) {
        r->up = m->ready;
    }
}

void board_mode(struct board *b, const struct msg_daemon_mode *m)
{
    json_writer_reset(&b->writer);
    item_mode(&b->writer, m);
    store(b, "mode");
}

/* One record for each thing that can be wrong; it stays, as over. */
void board_alarm(struct board *b, const struct msg_alarm_moved *m)
{
    char kind[48];
    char key[KEY_MAX];

    json_writer_reset(&b->writer);
    item_alarm(&b->writer, m);
    snprintf(kind, sizeof kind, "alarm/%.*s", (int)(m->code.len < 40 ? m->code.len : 40),
             m->code.ptr != NULL ? m->code.ptr : "");
    named_key(key, kind, m->subject);
    store(b, key);
}

const struct record *board_campaign_record(const struct board *b, uint64_t campaign)
{
    char key[KEY_MAX];

    numbered(key, "campaign", campaign);
    return find(b, key);
}

const struct record *board_disposition_at(const struct board *b, size_t i)
{
    return i < b->n_dispositions ? b->disposition[i] : NULL;
}
