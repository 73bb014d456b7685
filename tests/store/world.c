/* The small world of the store's tests; see conformance.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/store/conformance.h"

void store_good(struct store *s, int rc)
{
    if (rc != STORE_OK)
        fail_msg("%s: %s", store_status_name(rc), s->error);
}

struct text text_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

struct store *world_open(const struct fixture *fixture, const char *owner)
{
    struct store_options o = {0};
    struct store *s;

    assert_int_equal(fixture->fresh(&o), 0);
    o.owner = owner;
    o.own = true;
    s = fixture->driver->make(&o);
    assert_non_null(s);
    store_good(s, s->ops->connect(s, WORLD_NOW));
    return s;
}

static int take_epoch(void *ctx, uint16_t type, const void *msg)
{
    if (type == MSG_campaign_config)
        *(uint32_t *)ctx = ((const struct msg_campaign_config *)msg)->epoch;
    return 0;
}

void world_make(struct world *w, struct store *s)
{
    struct msg_trunk_config t;
    struct msg_campaign_config c;
    struct msg_agent_config a;
    struct store_list l = {.name = {"leads", 5}, .priority = 1, .active = true};

    *w = (struct world){.s = s, .by = {"test", WORLD_NOW}};
    store_trunk_defaults(&t);
    t.name = text_of("carrier");
    t.endpoint = text_of("PJSIP/{number}@carrier");
    store_good(s, s->ops->trunk_add(s, &w->by, &t, &w->trunk));
    store_campaign_defaults(&c);
    c.name = text_of("first");
    c.trunk = w->trunk;
    c.active = true;
    store_good(s, s->ops->campaign_add(s, &w->by, &c, &w->campaign));
    store_good(s, s->ops->lease_take(s, w->campaign, WORLD_NOW));
    l.campaign = w->campaign;
    store_good(s, s->ops->list_add(s, &w->by, &l, &w->list));
    store_agent_defaults(&a);
    a.login = text_of("anna");
    a.name = text_of("Anna");
    a.campaign = w->campaign;
    a.endpoint = text_of("PJSIP/anna");
    store_good(s, s->ops->agent_add(s, &w->by, &a, ROLE_AGENT, text_of("hash"), &w->agent));
    store_good(s, s->ops->load(s, KIND_CAMPAIGN, w->campaign, WORLD_NOW, take_epoch, &w->epoch));
}

struct text world_number(unsigned n)
{
    static char numbers[64][16];
    static unsigned next;
    char *at = numbers[next++ % 64];

    /* fictional ones: 555-0120 to 555-0199 of one area after the other */
    snprintf(at, sizeof numbers[0], "+1%03u55501%02u", (212 + n / 80) % 1000, 20 + n % 80);
    return text_of(at);
}

void world_leads(struct world *w, unsigned n)
{
    struct store_lead leads[32];
    struct store_import_count count = {0};
    uint64_t import;
    unsigned i, done;

    store_good(w->s, w->s->ops->import_begin(w->s, &w->by, w->list, text_of("world"), &import));
    for (done = 0; done < n; done += i) {
        for (i = 0; i < 32 && done + i < n; i++)
            leads[i] = (struct store_lead){.number = world_number(done + i),
                                           .name = text_of("Test Person"),
                                           .fields = text_of("{\"city\":\"Anytown\"}")};
        store_good(w->s,
                   w->s->ops->leads_insert(w->s, w->list, import, WORLD_NOW, leads, i, &count));
    }
    assert_int_equal(count.inserted, n);
}

size_t world_rows(struct world *w, int64_t now, uint64_t *rows, size_t n)
{
    struct msg_candidates req = {.campaign = w->campaign, .limit = (uint32_t)n, .at_wall_ms = now};
    struct msg_candidates_end end;

    store_good(w->s, w->s->ops->candidates(w->s, &req, rows, &n, &end));
    assert_int_equal(end.rows, n);
    return n;
}

struct msg_claim world_claim(struct world *w, uint64_t row, int64_t now)
{
    static char ids[STORE_BATCH_MAX * 2][ID_SIZE + 4];
    char *id = ids[w->sequence % (STORE_BATCH_MAX * 2)];

    snprintf(id, ID_SIZE + 4, "att-0001-%08x-%08x-%08x", (unsigned)w->campaign, w->epoch,
             w->sequence++);
    return (struct msg_claim){.campaign = w->campaign,
                              .epoch = w->epoch,
                              .row = row,
                              .attempt = text_of(id),
                              .cause = CAUSE_AUTO,
                              .trunk = w->trunk,
                              .pbx = 1,
                              .caller_id = text_of("+12125550199"),
                              .retry_s = 300,
                              .max_attempts = 3,
                              .at_wall_ms = now,
                              .prefixes = text_of("+1, +44, +999")};
}

unsigned world_claim_one(struct world *w, uint64_t row, int64_t now, struct msg_claimed *out)
{
    struct msg_claim req = world_claim(w, row, now);
    struct msg_claimed unused;

    if (!out)
        out = &unused;
    store_good(w->s, w->s->ops->claim(w->s, &req, 1, out));
    return out->reason;
}

struct msg_attempt_over world_over(struct world *w, const struct msg_claimed *c, uint8_t outcome,
                                   int64_t now)
{
    struct msg_attempt_over m = {.campaign = w->campaign,
                                 .attempt = c->attempt,
                                 .row = c->row,
                                 .lead = c->lead,
                                 .outcome = outcome,
                                 .counts = true,
                                 .due_wall_ms = now + 300000,
                                 .at_wall_ms = now};

    if (outcome == OUTCOME_ANSWERED) {
        m.answered_wall_ms = now - 20000;
        m.bridged_wall_ms = now - 19000;
        m.agent = w->agent;
        m.due_wall_ms = 0;
    }
    return m;
}

bool text_is(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.ptr, s, t.len) == 0;
}

struct store_lead_state world_lead(struct world *w, uint64_t lead)
{
    struct store_lead_state d;

    store_good(w->s, w->s->ops->lead_read(w->s, lead, &d));
    return d;
}

void world_end(struct world *w, const struct msg_attempt_over *m)
{
    uint8_t result = 99;

    store_good(w->s, w->s->ops->attempt_over(w->s, m, 1, &result));
    assert_int_equal(result, RESULT_OK);
}

struct msg_claimed world_claim_good(struct world *w, uint64_t row, int64_t now)
{
    struct msg_claimed c;

    assert_int_equal(world_claim_one(w, row, now, &c), REASON_allow);
    return c;
}

int64_t world_recycle(struct world *w, int64_t now, uint32_t expect)
{
    struct msg_recycle r = {
        .campaign = w->campaign, .epoch = w->epoch, .max_attempts = 3, .at_wall_ms = now};
    struct msg_recycled out;

    store_good(w->s, w->s->ops->lease_renew(w->s, now));
    store_good(w->s, w->s->ops->recycle(w->s, &r, &out));
    assert_int_equal(out.rows, expect);
    return out.next_wall_ms;
}

unsigned world_manual(struct world *w, const char *number, int64_t now, struct msg_claimed *out)
{
    struct msg_claim req = world_claim(w, 0, now);

    req.cause = CAUSE_AGENT;
    req.agent = w->agent;
    req.number = text_of(number);
    store_good(w->s, w->s->ops->claim(w->s, &req, 1, out));
    return out->reason;
}
