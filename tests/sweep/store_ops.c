/* store_ops.c - see store_ops.h. */
#include "tests/sweep/store_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/message.h"
#include "tests/sweep/store_sweep.h"

static unsigned subjects;

void store_ops_begin(void)
{
    subjects = 0;
}

/* --- what an operation is about --------------------------------------------------------------- */

static void leads(struct subject *t)
{
    struct world *w = t->w;
    struct store_import_count count = {0};
    struct store_lead lead[SUBJECT_LEADS];
    size_t n = 1;

    for (unsigned i = 0; i < SUBJECT_LEADS; i++) {
        t->number[i] = world_number(SUBJECT_LEADS * subjects + i);
        lead[i] = (struct store_lead){.number = t->number[i],
                                      .name = text_of("Test Person"),
                                      .fields = text_of("{\"city\":\"Anytown\"}")};
    }
    store_good(w->s,
               w->s->ops->leads_insert(w->s, w->list, 0, WORLD_NOW, lead, SUBJECT_LEADS, &count));
    assert_int_equal(count.inserted, SUBJECT_LEADS);
    for (unsigned i = 0; i < SUBJECT_LEADS; i++) {
        n = 1;
        store_good(w->s, w->s->ops->lead_match(w->s, w->campaign, t->number[i], &t->lead[i], &n));
        assert_int_equal(n, 1);
        t->row[i] = world_lead(w, t->lead[i]).row;
        t->claim[i] = world_claim(w, t->row[i], WORLD_NOW);
        snprintf(t->attempt[i], sizeof t->attempt[i], "%s", t->claim[i].attempt.ptr);
        t->claim[i].attempt = text_of(t->attempt[i]);
    }
    snprintf(t->name, sizeof t->name, "thing-%u", subjects++);
}

static void claimed(struct subject *t)
{
    struct msg_claimed out[SUBJECT_LEADS];

    leads(t);
    store_good(t->w->s, t->w->s->ops->claim(t->w->s, t->claim, SUBJECT_LEADS, out));
    for (unsigned i = 0; i < SUBJECT_LEADS; i++) {
        assert_int_equal(out[i].reason, REASON_allow);
    }
}

static struct msg_attempt_over over(const struct subject *t, unsigned i, uint8_t outcome)
{
    const struct msg_claimed c = {
        .attempt = t->claim[i].attempt, .row = t->row[i], .lead = t->lead[i]};
    struct msg_attempt_over m = world_over(t->w, &c, outcome, WORLD_NOW);

    m.due_wall_ms = outcome == OUTCOME_ANSWERED ? 0 : WORLD_NOW - 1;
    return m;
}

static struct msg_attempt_moved moved(const struct subject *t, unsigned i, uint8_t state)
{
    return (struct msg_attempt_moved){.campaign = t->w->campaign,
                                      .attempt = t->claim[i].attempt,
                                      .row = t->row[i],
                                      .state = state,
                                      .agent = state == ATTEMPT_BRIDGED ? t->w->agent : 0,
                                      .at_wall_ms = WORLD_NOW + 5,
                                      .originated_wall_ms = WORLD_NOW,
                                      .ringing_wall_ms = WORLD_NOW + 1};
}

static void talked(struct subject *t)
{
    struct store *s = t->w->s;
    struct msg_attempt_moved m;
    struct msg_attempt_over o;

    claimed(t);
    m = moved(t, 0, ATTEMPT_BRIDGED);
    store_good(s, s->ops->attempt_moved(s, &m, 1));
    o = over(t, 0, OUTCOME_ANSWERED);
    world_end(t->w, &o);
}

static void failed(struct subject *t)
{
    claimed(t);
    for (unsigned i = 0; i < SUBJECT_LEADS; i++) {
        struct msg_attempt_over o = over(t, i, OUTCOME_NO_ANSWER);
        world_end(t->w, &o);
    }
}

static void imported(struct subject *t)
{
    leads(t);
    store_good(t->w->s, t->w->s->ops->import_begin(t->w->s, &t->w->by, t->w->list, text_of(t->name),
                                                   &t->import));
}

/* --- answers ---------------------------------------------------------------------------------- */

static int listen(void *ctx, uint16_t type, const void *msg)
{
    static uint8_t bytes[65536];
    size_t n = message_pack(message_find(&dialer_catalogue, type), msg, bytes, sizeof bytes);
    struct subject *t = ctx;

    assert_true(n > 0);
    t->answer = dump_mix(t->answer, bytes, n);
    return 0;
}

static void say(struct subject *t, uint64_t number)
{
    t->answer = dump_mix(t->answer, &number, sizeof number);
}

static void say_text(struct subject *t, struct text x)
{
    say(t, x.len);
    t->answer = dump_mix(t->answer, x.ptr, x.len);
}

/* --- the operations --------------------------------------------------------------------------- */

static int run_claim(struct subject *t, struct store *s)
{
    struct msg_claimed out[SUBJECT_LEADS];
    int rc = s->ops->claim(s, t->claim, SUBJECT_LEADS, out);

    t->answer = 0;
    for (unsigned i = 0; i < SUBJECT_LEADS && rc == STORE_OK; i++) {
        assert_int_equal(out[i].reason, REASON_allow);
        (void)listen(t, MSG_claimed, &out[i]);
    }
    return rc;
}

static int run_moved(struct subject *t, struct store *s)
{
    const struct msg_attempt_moved m[2] = {moved(t, 0, ATTEMPT_BRIDGED),
                                           moved(t, 1, ATTEMPT_RINGING)};

    return s->ops->attempt_moved(s, m, 2);
}

static int run_over(struct subject *t, struct store *s)
{
    const struct msg_attempt_over m[2] = {over(t, 0, OUTCOME_NO_ANSWER),
                                          over(t, 1, OUTCOME_ANSWERED)};
    uint8_t result[2] = {99, 99};
    int rc = s->ops->attempt_over(s, m, 2, result);

    t->answer = rc == STORE_OK ? dump_mix(0, result, sizeof result) : 0;
    return rc;
}

static int dispose(struct subject *t, struct store *s, const char *code, int64_t callback)
{
    const struct msg_dispose m = {.attempt = t->claim[0].attempt,
                                  .agent = t->w->agent,
                                  .code = text_of(code),
                                  .note = text_of("said so"),
                                  .callback_wall_ms = callback,
                                  .request = 7,
                                  .client = 8,
                                  .at_wall_ms = WORLD_NOW + 60000};
    struct msg_disposed out;
    int rc = s->ops->dispose(s, &m, 1, &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        assert_int_equal(out.result, RESULT_OK);
        (void)listen(t, MSG_disposed, &out);
    }
    return rc;
}

static int run_dispose(struct subject *t, struct store *s)
{
    return dispose(t, s, "callback", WORLD_NOW + 3600000);
}

static int run_dispose_dnc(struct subject *t, struct store *s)
{
    return dispose(t, s, "dnc", 0);
}

/* The first lead's number is another list's, too; its agent has dialed it (R14). */
static void unchosen(struct subject *t)
{
    struct store *s = t->w->s;
    struct store_list l = {.campaign = t->w->campaign, .priority = 2, .active = true};
    struct store_import_count count = {0};
    struct msg_claimed out;
    struct store_lead lead;
    uint64_t found[2];
    size_t n = 2;

    leads(t);
    lead = (struct store_lead){.number = t->number[0], .fields = text_of("{}")};
    l.name = text_of(t->name);
    store_good(s, s->ops->list_add(s, &t->w->by, &l, &l.list));
    store_good(s, s->ops->leads_insert(s, l.list, 0, WORLD_NOW, &lead, 1, &count));
    store_good(s, s->ops->lead_match(s, t->w->campaign, t->number[0], found, &n));
    assert_int_equal(n, 2);
    t->lead[1] = found[1];
    t->claim[0].row = 0;
    t->claim[0].cause = CAUSE_AGENT;
    t->claim[0].agent = t->w->agent;
    t->claim[0].number = t->number[0];
    store_good(s, s->ops->claim(s, t->claim, 1, &out));
    assert_int_equal(out.matches, 2);
}

static int run_settle(struct subject *t, struct store *s)
{
    const struct msg_settle_lead m = {.attempt = t->claim[0].attempt,
                                      .agent = t->w->agent,
                                      .lead = t->lead[1],
                                      .client = 8,
                                      .request = 7,
                                      .at_wall_ms = WORLD_NOW + 5000};
    struct msg_lead_settled out;
    int rc = s->ops->settle(s, &m, 1, &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        assert_int_equal(out.result, RESULT_OK);
        (void)listen(t, MSG_lead_settled, &out);
    }
    return rc;
}

static int run_leg(struct subject *t, struct store *s)
{
    const struct msg_leg_claim m = {.leg = text_of(t->name),
                                    .agent = t->w->agent,
                                    .use = LEG_AGENT,
                                    .pbx = 1,
                                    .endpoint = text_of("PJSIP/anna"),
                                    .at_wall_ms = WORLD_NOW};
    struct msg_leg_claimed out;
    int rc = s->ops->leg_claim(s, &m, 1, &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        (void)listen(t, MSG_leg_claimed, &out);
    }
    return rc;
}

static void leg_there(struct subject *t)
{
    leads(t);
    store_good(t->w->s, run_leg(t, t->w->s));
}

static int run_leg_over(struct subject *t, struct store *s)
{
    const struct msg_leg_over m = {.leg = text_of(t->name),
                                   .cause = 16,
                                   .answered_wall_ms = WORLD_NOW + 1,
                                   .at_wall_ms = WORLD_NOW + 9};

    return s->ops->leg_over(s, &m, 1);
}

static int run_agent(struct subject *t, struct store *s)
{
    const struct msg_agent_moved m = {.agent = t->w->agent,
                                      .state = subjects % 2 ? AGENT_AVAILABLE : AGENT_BREAK,
                                      .reason = text_of("lunch"),
                                      .campaign = t->w->campaign,
                                      .at_wall_ms = WORLD_NOW + (int64_t)subjects};

    return s->ops->agent_moved(s, &m, 1);
}

static int run_suppress(struct subject *t, struct store *s)
{
    struct msg_suppress m[2];

    for (unsigned i = 0; i < 2; i++) {
        m[i] = (struct msg_suppress){.account = STORE_ACCOUNT,
                                     .number = t->number[i],
                                     .source = text_of("test"),
                                     .at_wall_ms = WORLD_NOW};
    }
    return s->ops->suppress(s, m, 2);
}

static int run_recycle(struct subject *t, struct store *s)
{
    const struct msg_recycle m = {.campaign = t->w->campaign,
                                  .epoch = t->w->epoch,
                                  .max_attempts = 3,
                                  .at_wall_ms = WORLD_NOW};
    struct msg_recycled out;

    return s->ops->recycle(s, &m, &out);
}

static int run_import(struct subject *t, struct store *s)
{
    return s->ops->import_begin(s, &t->w->by, t->w->list, text_of(t->name), &t->import);
}

static int run_leads(struct subject *t, struct store *s)
{
    static char numbers[40][16];
    struct store_import_count count = {0};
    struct store_lead lead[40];

    for (unsigned i = 0; i < 40; i++) {
        snprintf(numbers[i], sizeof numbers[i], "+4420%08u", 79460000 + subjects * 40 + i);
        lead[i] = (struct store_lead){.number = text_of(numbers[i]),
                                      .name = text_of(i % 2 ? "Ann" : ""),
                                      .fields = text_of("{\"city\":\"London\"}")};
    }
    return s->ops->leads_insert(s, t->w->list, t->import, WORLD_NOW, lead, 40, &count);
}

static int run_session(struct subject *t, struct store *s)
{
    const struct msg_session_save m = {.digest = text_of(t->name),
                                       .agent = t->w->agent,
                                       .account = STORE_ACCOUNT,
                                       .role = ROLE_AGENT,
                                       .name = text_of("Anna"),
                                       .expires_wall_ms = WORLD_NOW + 3600000};

    return s->ops->session_save(s, &m, WORLD_NOW);
}

static void session_there(struct subject *t)
{
    leads(t);
    store_good(t->w->s, run_session(t, t->w->s));
}

static int run_session_find(struct subject *t, struct store *s)
{
    struct msg_session_known out = {0};
    int rc = s->ops->session_find(s, text_of(t->name), WORLD_NOW, &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        (void)listen(t, MSG_session_known, &out);
    }
    return rc;
}

static int run_session_end(struct subject *t, struct store *s)
{
    const struct msg_session_end m = {.digest = text_of(t->name)};

    return s->ops->session_end(s, &m);
}

static int run_load(struct subject *t, struct store *s)
{
    t->answer = 0;
    return s->ops->load(s, 0, 0, WORLD_NOW, listen, t);
}

static int run_candidates(struct subject *t, struct store *s)
{
    const struct msg_candidates m = {
        .campaign = t->w->campaign, .limit = 20, .at_wall_ms = WORLD_NOW};
    struct msg_candidates_end out;
    uint64_t rows[20];
    size_t n = 20;
    int rc = s->ops->candidates(s, &m, rows, &n, &out);

    t->answer = rc == STORE_OK ? dump_mix(n, rows, n * sizeof *rows) : 0;
    return rc;
}

static int run_explain(struct subject *t, struct store *s)
{
    struct msg_explain_lead out = {0};
    int rc = s->ops->explain_lead(s, t->lead[0], WORLD_NOW, &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        (void)listen(t, MSG_explain_lead, &out);
    }
    return rc;
}

static int call_said(void *ctx, const struct store_call *c)
{
    say_text(ctx, c->attempt);
    say_text(ctx, c->number);
    say_text(ctx, c->disposition);
    say(ctx, c->state);
    return 0;
}

static int run_calls(struct subject *t, struct store *s)
{
    struct store_cursor at = {0};
    size_t n = 5;

    t->answer = 0;
    return s->ops->calls(s, 0, INT64_MAX, t->lead[0], &at, &n, call_said, t);
}

static int run_login(struct subject *t, struct store *s)
{
    struct store_login out = {0};
    int rc = s->ops->login(s, STORE_ACCOUNT, text_of("anna"), &out);

    t->answer = 0;
    if (rc == STORE_OK) {
        say(t, out.agent);
        say_text(t, out.name);
        say_text(t, out.hash);
    }
    return rc;
}

static int disposition_said(void *ctx, const struct store_disposition *d)
{
    say_text(ctx, d->code);
    say_text(ctx, d->name);
    return 0;
}

static int run_dispositions(struct subject *t, struct store *s)
{
    t->answer = 0;
    return s->ops->dispositions(s, STORE_ACCOUNT, disposition_said, t);
}

static int run_set(struct subject *t, struct store *s)
{
    const struct text names[2] = {text_of("name"), text_of("max_attempts")};
    const struct text values[2] = {text_of(t->name), text_of(subjects % 2 ? "4" : "5")};
    char why[sizeof s->error] = "";
    int rc =
        store_set(s, &t->w->by, KIND_CAMPAIGN, t->w->campaign, names, values, 2, why, sizeof why);

    if (rc != STORE_OK) {
        memcpy(s->error, why, sizeof why);
    }
    return rc;
}

static int run_password(struct subject *t, struct store *s)
{
    return s->ops->agent_password(s, &t->w->by, t->w->agent, text_of(t->name));
}

static int run_alarm(struct subject *t, struct store *s)
{
    return s->ops->alarm(s, text_of("DLR-TEST"), text_of(t->name), text_of("a test"), true,
                         WORLD_NOW);
}

/* What the service makes of its mail: claims and records in one transaction. */
static int run_batch(struct subject *t, struct store *s)
{
    struct msg_claimed out;
    const struct msg_attempt_over end = over(t, 0, OUTCOME_BUSY);
    struct msg_claim more = t->claim[1];
    uint8_t result;
    int rc = s->ops->begin(s);

    if (rc != STORE_OK) {
        return rc;
    }
    rc = s->ops->claim(s, &t->claim[0], 1, &out);
    if (rc == STORE_OK) {
        rc = s->ops->attempt_over(s, &end, 1, &result);
    }
    if (rc == STORE_OK) {
        rc = s->ops->claim(s, &more, 1, &out);
    }
    if (rc == STORE_OK) {
        return s->ops->commit(s);
    }
    s->ops->rollback(s);
    return rc;
}

const struct store_op store_ops[] = {
    {"claim", leads, run_claim, true, true, false},
    {"attempt_moved", claimed, run_moved, true, false, false},
    {"attempt_over", claimed, run_over, true, true, false},
    {"dispose: callback", talked, run_dispose, true, true, false},
    {"dispose: do not call", talked, run_dispose_dnc, true, true, false},
    {"settle", unchosen, run_settle, true, true, false},
    {"load: unchosen", unchosen, run_load, false, true, false},
    {"leg_claim", leads, run_leg, true, true, false},
    {"leg_over", leg_there, run_leg_over, true, false, false},
    {"agent_moved", leads, run_agent, true, false, false},
    {"suppress", leads, run_suppress, true, false, false},
    {"recycle", failed, run_recycle, true, false, false},
    {"import_begin", leads, run_import, true, false, false},
    {"leads_insert", imported, run_leads, true, false, false},
    {"session_save", leads, run_session, true, false, false},
    {"session_find", session_there, run_session_find, false, true, false},
    {"session_end", session_there, run_session_end, true, false, false},
    {"load", claimed, run_load, false, true, false},
    {"candidates", leads, run_candidates, false, true, false},
    {"explain_lead", failed, run_explain, false, true, false},
    {"calls", claimed, run_calls, false, true, false},
    {"login", leads, run_login, false, true, false},
    {"dispositions", leads, run_dispositions, false, true, false},
    {"store_set", leads, run_set, true, false, false},
    {"agent_password", leads, run_password, true, false, true},
    {"alarm", leads, run_alarm, true, false, false},
    {"a batch of the service", leads, run_batch, true, false, false},
};

const size_t store_ops_n = sizeof store_ops / sizeof *store_ops;
