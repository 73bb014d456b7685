/*
 * service_keep.c - see service_keep.h.
 */
#include "adapters/store/service_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/rules.h"
#include "core/crash.h"
#include "core/mutant.h"
#include "core/pool.h"

/* How often the disk is tried: 64 KiB and a sync. While the store is there the journal is not
 * written, and what it will meet may be known some seconds late; else a second decides how long no
 * call is begun. */
#define PROBE_WELL_US (3 * US_PER_S)
#define PROBE_US US_PER_S
#define TELL_US US_PER_S

struct known_code {
    struct store_disposition d; /* d.code points at `code`, d.name is empty */
    char code[32];
};

int keep_init(struct keeper *k, const char *path, uint64_t size_max, struct sent *sent)
{
    struct journal_options o = {.path = path, .size_max = size_max};

    memset(k, 0, sizeof *k);
    k->sent = sent;
    k->ok = true;
    if (!path)
        return 0;
    k->journal = journal_make(&o);
    k->packed = malloc(JOURNAL_RECORD_MAX);
    return k->journal && k->packed ? 0 : -1;
}

void keep_fini(struct keeper *k)
{
    journal_close(k->journal);
    free(k->codes);
    free(k->promised);
    free(k->packed);
}

static void log_text(struct service_batch *b, int level, const char *code, const char *text)
{
    b->log(b->log_ctx, level, code, text);
}

static void count(struct service_batch *b, const char *name, int64_t add)
{
    if (b->metrics && add)
        metric_add(b->metrics, name, NULL, 0, add);
}

/* --- what may be promised --------------------------------------------------------------------- */

static struct known_code *known(const struct keeper *k, struct text code)
{
    size_t i;

    for (i = 0; i < k->n_codes; i++)
        if (text_same(k->codes[i].d.code, code))
            return &k->codes[i];
    return NULL;
}

static bool room_for(void **at, size_t *room, size_t used, size_t size)
{
    size_t more = *room ? *room * 2 : 32;
    void *p;

    if (used < *room)
        return true;
    p = realloc(*at, more * size);
    if (!p)
        return false;
    *at = p;
    *room = more;
    return true;
}

void keep_code(struct keeper *k, const struct store_disposition *d)
{
    struct known_code *c = known(k, d->code);
    size_t i;

    if (!c) {
        if (d->code.len >= sizeof c->code ||
            !room_for((void **)&k->codes, &k->room_codes, k->n_codes, sizeof *c))
            return;
        c = &k->codes[k->n_codes++];
        memcpy(c->code, d->code.ptr, d->code.len);
        for (i = 0; i < k->n_codes; i++) /* they may have moved */
            k->codes[i].d.code.ptr = k->codes[i].code;
    }
    c->d = *d;
    c->d.code.ptr = c->code;
    c->d.name = (struct text){NULL, 0};
}

static struct text promised_code(const struct keeper *k, struct text attempt)
{
    size_t i;

    for (i = k->n_promised; i > 0; i--)
        if (text_same(text_from(k->promised[i - 1].attempt), attempt))
            return text_from(k->promised[i - 1].code);
    return (struct text){NULL, 0};
}

static void promise(struct keeper *k, const struct msg_dispose *m)
{
    struct promised *p;

    if (m->attempt.len >= sizeof p->attempt || m->code.len >= sizeof p->code ||
        !room_for((void **)&k->promised, &k->room_promised, k->n_promised, sizeof *p))
        return;
    p = &k->promised[k->n_promised++];
    memset(p, 0, sizeof *p);
    memcpy(p->attempt, m->attempt.ptr, m->attempt.len);
    memcpy(p->code, m->code.ptr, m->code.len);
}

static struct away_dispose decide(const struct keeper *k, const struct msg_dispose *m)
{
    const struct known_code *c = known(k, m->code);

    return away_dispose_decide(m, c ? &c->d : NULL, promised_code(k, m->attempt));
}

/* --- into the journal ------------------------------------------------------------------------- */

static int put(struct keeper *k, struct service_batch *b, const struct item *it)
{
    const struct message_desc *desc = message_find(b->catalogue, it->type);
    size_t n = message_pack(desc, it->msg, k->packed, JOURNAL_RECORD_MAX);

    if (n == 0) {
        log_text(b, 3, "DLR-JOURNAL-RECORD", "a record was too long to be kept");
        count(b, "journal_dropped_total", 1);
        return JOURNAL_OK;
    }
    return journal_put(k->journal, it->from, it->type, k->packed, n);
}

static bool kept_nowhere(const struct keeper *k, const struct item *it)
{
    struct away_dispose a;

    if (it->type != MSG_dispose)
        return !away_keeps(it->type);
    a = decide(k, (const void *)it->msg);
    return a.result != RESULT_OK || a.repeated;
}

static int put_all(struct keeper *k, struct service_batch *b, const struct queue *q, size_t *done)
{
    const struct item *it = q->head;
    size_t i;
    int rc;

    for (i = 0; it; i++, it = it->next) {
        if (i < *done)
            continue;
        if (kept_nowhere(k, it)) {
            *done = i + 1;
            continue; /* answered with the others */
        }
        rc = put(k, b, it);
        if (rc != JOURNAL_OK)
            return rc;
        if (it->type == MSG_dispose)
            promise(k, (const void *)it->msg);
        *done = i + 1;
    }
    return JOURNAL_OK;
}

static void answer_dispose(struct keeper *k, struct service_batch *b, const struct item *it)
{
    const struct msg_dispose *m = (const void *)it->msg;
    struct away_dispose a = decide(k, m);
    struct msg_disposed out = {.attempt = m->attempt,
                               .code = m->code,
                               .request = m->request,
                               .client = m->client,
                               .result = a.result,
                               .text = text_from(a.text),
                               .suppressed = a.suppressed};

    endpoint_send(b->endpoint, it->from, MSG_disposed, &out);
    if (a.suppressed.len > 0) {
        struct msg_suppressed s = {.account = STORE_ACCOUNT, .number = a.suppressed};
        endpoint_send(b->endpoint, ADDR_DESK, MSG_suppressed, &s);
    }
}

static void answer_kept(struct keeper *k, struct service_batch *b, const struct item *it)
{
    if (it->type == MSG_dispose) {
        answer_dispose(k, b, it);
    } else if (it->type == MSG_leg_claim) {
        /* Nobody else can have this id: committed here it is as good as in the store. */
        const struct msg_leg_claim *m = (const void *)it->msg;
        struct msg_leg_claimed out = {.leg = m->leg,
                                      .result = RESULT_OK,
                                      .permit = secret_permit(b->key, m->leg, m->endpoint)};
        endpoint_send(b->endpoint, it->from, MSG_leg_claimed, &out);
    } else {
        batch_refuse(b->endpoint, it->from, it->type, it->msg);
    }
}

static void answer_queue(struct keeper *k, struct service_batch *b, struct queue *q, size_t *n)
{
    const struct item *it = q->head;
    size_t i;

    for (i = 0; i < *n; i++, it = it->next)
        answer_kept(k, b, it);
    queue_drop(q, *n);
    *n = 0;
}

static void found(struct keeper *k, struct service_batch *b, int rc)
{
    struct journal_figures f = journal_figures(k->journal);
    bool roomy = f.bytes < f.limit - f.limit / 16;
    bool ok = rc == JOURNAL_OK && roomy && !k->unusable;
    char text[120];

    count(b, "journal_failures_total", rc != JOURNAL_OK);
    if (rc != JOURNAL_OK)
        snprintf(k->why, sizeof k->why, "%s", journal_error(k->journal));
    else if (!roomy)
        snprintf(k->why, sizeof k->why, "the journal is nearly full");
    if (f.cuts != k->told_cuts) {
        snprintf(text, sizeof text, "a crash had torn the journal's end: %llu bytes were cut off",
                 (unsigned long long)f.cut);
        log_text(b, 2, "DLR-JOURNAL-CUT", text);
        count(b, "journal_cuts_total", (int64_t)(f.cuts - k->told_cuts));
        k->told_cuts = f.cuts;
    }
    if (ok && (!k->ok || !k->told))
        log_text(b, 1, "DLR-JOURNAL-OK", "outcomes can be kept on this machine");
    else if (!ok && k->ok)
        log_text(b, 3, "DLR-JOURNAL-FAILING", k->why);
    k->ok = ok;
}

void keep_flush(struct keeper *k, struct service_batch *b)
{
    int rc;

    if (!k->journal || k->unusable || b->records.n + b->legs.n == 0)
        return;
    rc = journal_open(k->journal);
    if (rc == JOURNAL_OK)
        rc = put_all(k, b, &b->records, &k->put_records);
    if (rc == JOURNAL_OK)
        rc = put_all(k, b, &b->legs, &k->put_legs);
    /* What fitted is made durable, whatever became of the rest. */
    if (rc == JOURNAL_OK || rc == JOURNAL_FULL) {
        CRASH_POINT(journal_before);
        int committed = journal_commit(k->journal);
        CRASH_POINT(journal_after);
        rc = committed != JOURNAL_OK ? committed : rc;
        if (committed == JOURNAL_OK) {
            answer_queue(k, b, &b->records, &k->put_records);
            answer_queue(k, b, &b->legs, &k->put_legs);
            k->n_committed = k->n_promised;
        }
    }
    found(k, b, rc);
    k->probe_us = pool_now_us() + PROBE_US;
}

void keep_leave(struct keeper *k)
{
    if (k->journal)
        journal_forget(k->journal);
    k->put_records = 0;
    k->put_legs = 0;
    k->n_promised = k->n_committed;
}

/* --- into the store --------------------------------------------------------------------------- */

void keep_bind(struct keeper *k, struct service_batch *b, const struct store_installation *in)
{
    int rc;

    if (k->sent)
        sent_bind(k->sent, in->node, in->starts, pool_wall_ms());
    if (!k->journal)
        return;
    rc = journal_open(k->journal);
    if (rc == JOURNAL_OK)
        rc = journal_bind(k->journal, in->node);
    k->unusable = rc == JOURNAL_FOREIGN;
    found(k, b, rc);
    k->since_us = pool_now_us();
    k->replayed = 0;
    k->refused = 0;
}

bool keep_empty(const struct keeper *k)
{
    return !k->journal || k->unusable || journal_figures(k->journal).records == 0;
}

struct decoding {
    struct keeper *k;
    struct service_batch *b;
};

/* What cannot be read stays where it is, and what is behind it: it was promised to somebody, and a
 * newer program, or somebody who looks at it, can still bring it in. */
static int decode(void *ctx, const struct journal_record *r)
{
    struct decoding *d = ctx;
    const struct message_desc *desc = message_find(d->b->catalogue, r->type);
    const unsigned least = away_fields(r->type);
    max_align_t msg[32];
    char why[100] = "its type is not known here";

    if (!desc || least == 0 || desc->size > sizeof msg ||
        message_unpack_kept(desc, r->bytes, r->n, least, msg, why, sizeof why) != 0) {
        snprintf(
            d->k->why, sizeof d->k->why,
            "record %llu of the journal cannot be brought in (%s): start the program that wrote it",
            (unsigned long long)r->number, why);
        return -1;
    }
    if (queue_put(&d->b->replay, d->b->catalogue, r->from, r->type, msg) != 0) {
        snprintf(d->k->why, sizeof d->k->why, "no memory to bring in what the journal holds");
        return -1;
    }
    return 0;
}

static void tell_refused(struct keeper *k, struct service_batch *b, uint64_t refused)
{
    struct msg_alarm m = {
        .kind = ALARM_journal_refused,
        .stands = true,
        .text = text_from("the store refused what had been promised while it was away: see the "
                          "log")};

    count(b, "journal_refused_total", (int64_t)refused);
    k->refused += refused;
    if (refused > 0)
        endpoint_send(b->endpoint, ADDR_DESK, MSG_alarm, &m);
}

static void replay_over(struct keeper *k, struct service_batch *b)
{
    struct msg_alarm m = {.kind = ALARM_journal_refused, .stands = false, .text = text_from("")};
    char text[160];

    snprintf(text, sizeof text,
             "%llu records that were kept while it was away are in the store "
             "after %lld ms",
             (unsigned long long)k->replayed, (long long)((pool_now_us() - k->since_us) / 1000));
    log_text(b, 1, "DLR-JOURNAL-REPLAYED", text);
    k->n_promised = 0;
    k->n_committed = 0;
    if (k->refused == 0)
        endpoint_send(b->endpoint, ADDR_DESK, MSG_alarm, &m);
}

int keep_replay(struct keeper *k, struct service_batch *b)
{
    struct decoding d = {k, b};
    uint64_t refused = 0;
    size_t n;
    int rc = journal_read(k->journal, STORE_BATCH_MAX, &n, decode, &d);

    if (rc != JOURNAL_OK || n == 0) {
        /* Calls must be served all the same; new ones wait until somebody has looked at it. */
        k->unusable = true;
        found(k, b, rc);
        return STORE_OK;
    }
    CRASH_POINT(replay_before);
    rc = MUTANT(journal_not_replayed) ? STORE_OK : batch_replay(b, &refused);
    CRASH_POINT(replay_after);
    queue_drop(&b->replay, b->replay.n);
    if (rc != STORE_OK)
        return rc;
    tell_refused(k, b, refused);
    k->replayed += n;
    count(b, "journal_replayed_total", (int64_t)n);
    rc = journal_done(k->journal, n);
    if (rc != JOURNAL_OK)
        found(k, b, rc);
    if (keep_empty(k))
        replay_over(k, b);
    return STORE_OK;
}

/* --- how it is -------------------------------------------------------------------------------- */

static void tell(struct keeper *k, struct service_batch *b, int64_t now_us)
{
    struct journal_figures f = journal_figures(k->journal);
    struct msg_journal_state m = {.ok = k->ok,
                                  .records = f.records,
                                  .bytes = f.records ? f.bytes : 0,
                                  .limit = f.limit,
                                  .text = text_from(k->ok ? "" : k->why)};

    if (k->told && k->ok == k->told_ok &&
        (f.records == k->told_records || (now_us < k->tell_us && f.records > 0)))
        return;
    k->told = true;
    k->told_ok = k->ok;
    k->told_records = f.records;
    k->tell_us = now_us + TELL_US;
    if (b->metrics) {
        metric_gauge(b->metrics, "journal_ok", NULL, 0, k->ok);
        metric_gauge(b->metrics, "journal_records", NULL, 0, (int64_t)f.records);
        metric_gauge(b->metrics, "journal_bytes", NULL, 0, (int64_t)m.bytes);
    }
    endpoint_send(b->endpoint, ADDR_DESK, MSG_journal_state, &m);
}

void keep_look(struct keeper *k, struct service_batch *b, bool idle, int64_t now_us)
{
    int64_t next_us;

    if (!k->journal)
        return;
    if (now_us >= k->probe_us) {
        k->probe_us = INT64_MAX;
        if (!k->unusable)
            found(k, b, journal_probe(k->journal));
    }
    next_us = now_us + (idle && k->ok ? PROBE_WELL_US : PROBE_US);
    if (k->probe_us > next_us) /* what was well may be so no more */
        k->probe_us = next_us;
    tell(k, b, now_us);
}

int64_t keep_next_us(const struct keeper *k)
{
    return k->journal ? k->probe_us : INT64_MAX;
}
