/* judge.c - see judge.h: what is told is kept here, texts as numbers; the order of judging. */
#include "tests/judge/judge_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_US INT64_C(2000000)
#define MARGIN_US INT64_C(200000)

void *judge_grow(void *at, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room) {
        return at;
    }
    *room = *room ? *room * 2 : 256;
    at = realloc(at, *room * size);
    if (!at) {
        abort();
    }
    return at;
}

/* --- maps and words --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ (x >> 29);
}

static uint32_t map_slot(const struct map *m, uint64_t key)
{
    uint32_t i = (uint32_t)mix(key) & (m->room - 1);

    while (m->value[i] != NONE && m->key[i] != key) {
        i = (i + 1) & (m->room - 1);
    }
    return i;
}

uint32_t judge_find(const struct map *m, uint64_t key)
{
    return m->room == 0 ? NONE : m->value[map_slot(m, key)];
}

static void map_widen(struct map *m)
{
    struct map wide = {.room = m->room ? m->room * 2 : 256};

    wide.key = calloc(wide.room, sizeof *wide.key);
    wide.value = malloc(wide.room * sizeof *wide.value);
    if (!wide.key || !wide.value) {
        abort();
    }
    memset(wide.value, 0xff, wide.room * sizeof *wide.value);
    for (uint32_t i = 0; i < m->room; i++) {
        if (m->value[i] != NONE) {
            judge_put(&wide, m->key[i], m->value[i]);
        }
    }
    free(m->key);
    free(m->value);
    *m = wide;
}

void judge_put(struct map *m, uint64_t key, uint32_t value)
{
    uint32_t i;

    if (m->n >= m->room / 2) {
        map_widen(m);
    }
    i = map_slot(m, key);
    m->n += m->value[i] == NONE;
    m->key[i] = key;
    m->value[i] = value;
}

static void map_free(struct map *m)
{
    free(m->key);
    free(m->value);
}

static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return h;
}

const char *judge_text(const struct judge *j, word w)
{
    return w == 0 ? "" : j->words.bytes + j->words.start.at[w - 1];
}

static size_t word_slot(const struct judge *j, const char *text)
{
    size_t i = hash(text) & (j->words.slots - 1);

    while (j->words.slot[i] && strcmp(judge_text(j, j->words.slot[i]), text) != 0) {
        i = (i + 1) & (j->words.slots - 1);
    }
    return i;
}

static void words_widen(struct judge *j)
{
    j->words.slots = j->words.slots ? j->words.slots * 2 : 1024;
    free(j->words.slot);
    j->words.slot = calloc(j->words.slots, sizeof *j->words.slot);
    if (!j->words.slot) {
        abort();
    }
    for (word w = 1; w <= j->words.start.n; w++) {
        j->words.slot[word_slot(j, judge_text(j, w))] = w;
    }
}

word judge_word(struct judge *j, const char *text)
{
    size_t i;
    size_t len;

    if (!text || !*text) {
        return 0;
    }
    if (j->words.start.n >= j->words.slots / 2) {
        words_widen(j);
    }
    i = word_slot(j, text);
    if (j->words.slot[i]) {
        return j->words.slot[i];
    }
    len = strlen(text) + 1;
    while (j->words.len + len > j->words.room) {
        j->words.room = j->words.room ? j->words.room * 2 : 65536;
        j->words.bytes = realloc(j->words.bytes, j->words.room);
        if (!j->words.bytes) {
            abort();
        }
    }
    memcpy(j->words.bytes + j->words.len, text, len);
    *ADD(j->words.start) = j->words.len;
    j->words.len += len;
    return j->words.slot[i] = j->words.start.n;
}

/* --- being told --------------------------------------------------------------------------------
 */

struct judge *judge_open(const struct judge_options *options)
{
    struct judge *j = calloc(1, sizeof *j);

    if (!j) {
        abort();
    }
    j->options = *options;
    return j;
}

void judge_close(struct judge *j)
{
    free(j->words.bytes);
    free(j->words.slot);
    free(j->words.start.at);
    free(j->seen.at);
    free(j->calls.at);
    free(j->attempts.at);
    free(j->legs.at);
    free(j->leads.at);
    free(j->campaigns.at);
    free(j->agents.at);
    free(j->moved.at);
    free(j->suppressed.at);
    free(j->suppressed_number.at);
    free(j->outages.at);
    free(j->findings.at);
    map_free(&j->call_of);
    map_free(&j->campaign_of);
    map_free(&j->agent_of);
    map_free(&j->lead_of);
    map_free(&j->number_last);
    map_free(&j->bridge_first);
    map_free(&j->suppressed_of);
    free(j);
}

void judge_see(struct judge *j, const struct judge_event *e)
{
    const struct seen s = {.at_us = e->at_us,
                           .value = e->value,
                           .agent = e->agent,
                           .turn = j->seen.n,
                           .id = judge_word(j, e->id),
                           .number = judge_word(j, e->number),
                           .text = judge_word(j, e->text),
                           .kind = e->kind,
                           .yes = e->yes};

    *ADD(j->seen) = s;
}

void judge_campaign(struct judge *j, const struct judge_campaign *row)
{
    struct campaign *c = judge_camp(j, row->campaign);

    c->row = *row;
    c->prefixes = judge_word(j, row->prefixes);
}

void judge_counted(struct judge *j, uint64_t campaign, uint64_t answers, uint64_t abandoned)
{
    struct judge_campaign *row = &judge_camp(j, campaign)->row;

    row->counted = true;
    row->answers = answers;
    row->abandoned = abandoned;
}

void judge_moved(struct judge *j, const struct judge_moved *row)
{
    *ADD(j->moved) = *row;
}

void judge_lead(struct judge *j, const struct judge_lead *row)
{
    const struct lead l = {.row = *row, .number = judge_word(j, row->number)};

    judge_put(&j->lead_of, row->lead, j->leads.n);
    *ADD(j->leads) = l;
}

void judge_attempt(struct judge *j, const struct judge_attempt *row)
{
    const struct attempt a = {.row = *row,
                              .id = judge_word(j, row->id),
                              .number = judge_word(j, row->number),
                              .zone = judge_word(j, row->zone),
                              .disposition = judge_word(j, row->disposition)};

    *ADD(j->attempts) = a;
    judge_call(j, a.id)->attempt = j->attempts.n - 1;
}

void judge_leg(struct judge *j, const struct judge_leg *row)
{
    const struct leg l = {.row = *row, .id = judge_word(j, row->id)};

    *ADD(j->legs) = l;
    judge_call(j, l.id)->leg = j->legs.n - 1;
}

void judge_agent(struct judge *j, const struct judge_agent *row)
{
    struct agent *a = judge_person(j, row->agent);

    a->stored = true;
    a->state = row->state;
}

void judge_suppressed(struct judge *j, const struct judge_suppressed *row)
{
    const word number = judge_word(j, row->number);

    judge_put(&j->suppressed_of, number, j->suppressed.n);
    *ADD(j->suppressed) = *row;
    *ADD(j->suppressed_number) = number;
}

/* --- finding ------------------------------------------------------------------------------------
 */

/* att-nnnn-cccccccc-eeeeeeee-ssssssss (actors/types.h) */
static uint64_t part_of_id(const char *id, size_t at)
{
    return strlen(id) == ID_LEN ? strtoull(id + at, NULL, 16) : 0;
}

struct call *judge_call(struct judge *j, word id)
{
    uint32_t i = judge_find(&j->call_of, id);

    if (i == NONE) {
        const char *text = judge_text(j, id);
        const struct call c = {.id = id,
                               .customer = strncmp(text, "att-", 4) == 0,
                               .owner = part_of_id(text, 9),
                               .epoch = part_of_id(text, 18),
                               .next = NONE,
                               .attempt = NONE,
                               .leg = NONE};
        i = j->calls.n;
        *ADD(j->calls) = c;
        judge_put(&j->call_of, id, i);
    }
    return &j->calls.at[i];
}

struct agent *judge_person(struct judge *j, uint64_t agent)
{
    uint32_t i = judge_find(&j->agent_of, agent);

    if (i == NONE) {
        i = j->agents.n;
        *ADD(j->agents) = (struct agent){.agent = agent, .customer = NONE};
        judge_put(&j->agent_of, agent, i);
    }
    return &j->agents.at[i];
}

struct campaign *judge_camp(struct judge *j, uint64_t campaign)
{
    uint32_t i = judge_find(&j->campaign_of, campaign);

    if (i == NONE) {
        i = j->campaigns.n;
        *ADD(j->campaigns) = (struct campaign){.row = {.campaign = campaign}};
        judge_put(&j->campaign_of, campaign, i);
    }
    return &j->campaigns.at[i];
}

int64_t judge_wait_us(const struct judge *j)
{
    return (j->options.wait_us ? j->options.wait_us : WAIT_US) + j->options.late_us;
}

int64_t judge_margin_us(const struct judge *j)
{
    return j->options.margin_us ? j->options.margin_us : MARGIN_US;
}

int64_t judge_outage(const struct judge *j, int64_t from_us, int64_t to_us)
{
    int64_t until = 0;

    for (uint32_t i = 0; i < j->outages.n; i++) {
        const struct outage *o = &j->outages.at[i];
        if (o->from_us <= to_us && o->to_us >= from_us) {
            until = o->to_us;
            to_us = until + judge_wait_us(j);
        }
    }
    return until;
}

static const char *number_of(const struct judge *j, const struct call *c)
{
    if (!c) {
        return "";
    }
    if (c->number == 0 && c->attempt != NONE) {
        return judge_text(j, j->attempts.at[c->attempt].number);
    }
    return judge_text(j, c->number);
}

void judge_broken(struct judge *j, unsigned invariant, const struct call *c, uint64_t agent,
                  int64_t at_us, const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    j->verdict.broken[invariant]++;
    const struct finding f = {.invariant = (uint8_t)invariant,
                              .what = judge_word(j, what),
                              .id = c ? c->id : 0,
                              .number = judge_word(j, number_of(j, c)),
                              .agent = agent,
                              .at_us = at_us};
    *ADD(j->findings) = f;
}

/* --- the verdict --------------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
    const struct seen *x = a;
    const struct seen *y = b;

    if (x->at_us != y->at_us) {
        return x->at_us < y->at_us ? -1 : 1;
    }
    return (x->turn > y->turn) - (x->turn < y->turn);
}

int judge_decide(struct judge *j, struct judge_verdict *out)
{
    struct judge_verdict *v = &j->verdict;

    if (j->seen.n > 0) {
        qsort(j->seen.at, j->seen.n, sizeof *j->seen.at, by_time);
    }
    judge_walk(j);
    judge_answers(j);
    judge_rest(j);
    judge_words(j);
    v->lost = v->broken[1];
    v->dialed_twice = v->broken[2];
    v->stuck = v->broken[3];
    for (unsigned i = 4; i < JUDGE_INVARIANTS; i++) {
        v->breaches += v->broken[i];
    }
    v->breaches -= v->two_calls;
    if (j->findings.n > 0) {
        const struct finding *f = &j->findings.at[0];
        snprintf(v->first, sizeof v->first, "I%u: %s", f->invariant, judge_text(j, f->what));
    }
    *out = *v;
    return j->findings.n > 0;
}

/* --- telling -------------------------------------------------------------------------------------
 */

static const char *const kinds[] = {"?",
                                    "originate",
                                    "answer",
                                    "enter",
                                    "leave",
                                    "message",
                                    "message_end",
                                    "end",
                                    "application held",
                                    "application not held",
                                    "server down",
                                    "server up",
                                    "told",
                                    "acknowledged",
                                    "gap",
                                    "page closed",
                                    "asks",
                                    "FAULT",
                                    "RECOVERED",
                                    "limit",
                                    "log",
                                    "board",
                                    "board: agent",
                                    "board: call",
                                    "board: campaign"};

/* Things that concern every call. */
static bool common(uint8_t kind)
{
    return kind == JUDGE_HELD || kind == JUDGE_NOT_HELD || kind == JUDGE_PBX_DOWN ||
           kind == JUDGE_PBX_UP || kind == JUDGE_FAULT || kind == JUDGE_RECOVERED;
}

static void tell_event(const struct judge *j, const struct seen *s, int64_t origin_us, FILE *out)
{
    fprintf(out, "  %+12.3f s  %s%s", (double)(s->at_us - origin_us) / 1e6, kinds[s->kind],
            s->yes ? "" : " (no)");
    if (s->agent) {
        fprintf(out, " agent %" PRIu64, s->agent);
    }
    fprintf(out, " %s %s %s\n", judge_text(j, s->id), judge_text(j, s->number),
            judge_text(j, s->text));
}

static void tell_rows(const struct judge *j, const struct finding *f, FILE *out)
{
    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct attempt *a = &j->attempts.at[i];
        if (a->id != f->id && (f->number == 0 || a->number != f->number)) {
            continue;
        }
        fprintf(out,
                "  attempt %s number %s lead %" PRIu64
                " no %u cause %u state %u outcome %u live %d "
                "agent %" PRIu64 " disposition '%s'\n"
                "    claimed %" PRId64 " originated %" PRId64 " answered %" PRId64
                " bridged %" PRId64 " ended %" PRId64 " disposed %" PRId64 "\n",
                judge_text(j, a->id), judge_text(j, a->number), a->row.lead, a->row.attempt_no,
                a->row.cause, a->row.state, a->row.outcome, a->row.live, a->row.agent,
                judge_text(j, a->disposition), a->row.claimed_ms, a->row.originated_ms,
                a->row.answered_ms, a->row.bridged_ms, a->row.ended_ms, a->row.disposed_ms);
    }
    for (uint32_t i = 0; i < j->leads.n; i++) {
        const struct lead *l = &j->leads.at[i];
        if (f->number != 0 && l->number == f->number) {
            fprintf(out,
                    "  lead %" PRIu64 " rows %u status %u final %d due %" PRId64
                    " attempts %" PRIu64 "\n",
                    l->row.lead, l->row.rows, l->row.status, l->row.final, l->row.due_ms,
                    l->row.attempts);
        }
    }
}

static bool of_number(const struct judge *j, word id, word number)
{
    const uint32_t c = id && number ? judge_find(&j->call_of, id) : NONE;

    return c != NONE && j->calls.at[c].number == number;
}

#define AROUND_US INT64_C(20000000)
#define LINES 400u

/* The call's and its number's events; its agent's and everybody's around the finding. */
static void tell_history(const struct judge *j, const struct finding *f, FILE *out)
{
    const uint32_t c = f->id ? judge_find(&j->call_of, f->id) : NONE;
    int64_t from = f->at_us - AROUND_US;
    int64_t to = f->at_us + AROUND_US;
    uint64_t agent = f->agent;
    unsigned lines = 0;

    if (c != NONE) {
        const struct call *call = &j->calls.at[c];
        from = call->originated_us && call->originated_us < from ? call->originated_us : from;
        to = call->ended_us > to ? call->ended_us : to;
        if (!agent && call->attempt != NONE) {
            agent = j->attempts.at[call->attempt].row.agent;
        }
    }
    tell_rows(j, f, out);
    for (uint32_t i = 0; i < j->seen.n && lines < LINES; i++) {
        const struct seen *s = &j->seen.at[i];
        const bool its = (f->id && s->id == f->id) || of_number(j, s->id, f->number);
        const bool near = s->at_us >= from && s->at_us <= to;
        if (its || (near && (common(s->kind) || (agent && s->agent == agent)))) {
            tell_event(j, s, f->at_us, out);
            lines++;
        }
    }
}

#define TOLD_EACH 5u

void judge_tell(const struct judge *j, FILE *out)
{
    unsigned told[JUDGE_INVARIANTS] = {0};
    const unsigned each = j->options.tell_each ? j->options.tell_each : TOLD_EACH;

    for (uint32_t i = 0; i < j->findings.n; i++) {
        const struct finding *f = &j->findings.at[i];
        if (told[f->invariant]++ < each) {
            fprintf(out, "I%u: %s: %s %s", f->invariant, judge_text(j, f->what),
                    judge_text(j, f->id), judge_text(j, f->number));
            if (f->agent) {
                fprintf(out, " agent %" PRIu64, f->agent);
            }
            fprintf(out, " at %.3f s\n", (double)f->at_us / 1e6);
        }
    }
    for (unsigned k = 1; k < JUDGE_INVARIANTS; k++) {
        if (told[k] > each) {
            fprintf(out, "I%u: and %u more\n", k, told[k] - each);
        }
    }
    if (j->findings.n > 0) {
        fprintf(out, "the first, with its history (times from the finding on):\n");
        tell_history(j, &j->findings.at[0], out);
    }
}
