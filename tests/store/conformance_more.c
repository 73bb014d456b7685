/* conformance_more.c - configuration, ownership, the operator. */
#include "tests/store/conformance_more.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct fixture *fixture;

void conformance_more_fixture(const struct fixture *f)
{
    fixture = f;
}

#define OPS(w) ((w)->s->ops)

struct loaded {
    struct msg_campaign_config campaign;
    struct msg_agent_config agent;
    struct msg_trunk_config trunk;
    struct msg_open_attempt attempt;
    struct msg_open_leg leg;
    struct msg_open_agent open_agent;
    int open_agents;
    int campaigns, agents, trunks, attempts, legs;
    bool texts_good;
};

static int take_loaded(void *ctx, uint16_t type, const void *msg)
{
    struct loaded *l = ctx;

    if (type == MSG_campaign_config) {
        l->campaign = *(const struct msg_campaign_config *)msg;
        l->campaigns++;
        l->texts_good = text_is(l->campaign.name, "first") &&
                        text_is(l->campaign.endpoint, "PJSIP/{number}@carrier") &&
                        text_is(l->campaign.zone, "UTC");
    } else if (type == MSG_open_agent) {
        l->open_agent = *(const struct msg_open_agent *)msg;
        l->texts_good = l->texts_good && text_is(l->open_agent.reason, "lunch");
        l->open_agents++;
    } else if (type == MSG_agent_config) {
        l->agent = *(const struct msg_agent_config *)msg;
        l->agents++;
    } else if (type == MSG_trunk_config) {
        l->trunk = *(const struct msg_trunk_config *)msg;
        l->trunks++;
    } else if (type == MSG_open_attempt) {
        l->attempt = *(const struct msg_open_attempt *)msg;
        l->attempts++;
        l->texts_good =
            text_is(l->attempt.number, "+12125550120") && text_is(l->attempt.name, "Test Person");
    } else if (type == MSG_open_leg) {
        l->leg = *(const struct msg_open_leg *)msg;
        l->legs++;
    }
    return 0;
}

void loads_configuration(void **state)
{
    struct world *w = *state;
    struct loaded l = {0};

    store_good(w->s, OPS(w)->load(w->s, 0, 0, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.campaigns, 1);
    assert_int_equal(l.agents, 1);
    assert_int_equal(l.trunks, 1);
    assert_true(l.texts_good);
    assert_int_equal(l.campaign.campaign, w->campaign);
    assert_int_equal(l.campaign.epoch, 1);
    assert_int_equal(l.campaign.trunk, w->trunk);
    assert_int_equal(l.campaign.pbx, 1);
    assert_int_equal(l.campaign.ring_s, 30);
    assert_int_equal(l.campaign.window_to_min, 17 * 60);
    assert_true(l.campaign.active);
    assert_true(l.campaign.ratio > 0.99 && l.campaign.ratio < 1.01);
    assert_int_equal(l.campaign.max_call_s, 4 * 3600);
    assert_int_equal(l.agent.campaign, w->campaign);
    assert_int_equal(l.agent.epoch, 1);
    assert_int_equal(l.agent.leg_ring_s, 20);
    assert_int_equal(l.trunk.lines, 30);
    assert_true(l.trunk.calls_per_s > 4.99);
    assert_int_equal(OPS(w)->load(w->s, KIND_TRUNK, 99, WORLD_NOW, take_loaded, &l),
                     STORE_NOT_FOUND);
}

void loads_what_was_open(void **state)
{
    struct world *w = *state;
    struct msg_leg_claim leg = {.leg = text_of("leg-0001-00000001-00000001-00000001"),
                                .agent = w->agent,
                                .use = LEG_AGENT,
                                .pbx = 1,
                                .endpoint = text_of("PJSIP/anna"),
                                .at_wall_ms = WORLD_NOW};
    struct msg_leg_claimed claimed_leg;
    struct msg_attempt_moved moved = {.campaign = w->campaign,
                                      .state = ATTEMPT_BRIDGED,
                                      .agent = w->agent,
                                      .at_wall_ms = WORLD_NOW + 5};
    const struct msg_agent_moved states[] = {
        {w->agent, AGENT_AVAILABLE, text_of(""), w->campaign, text_of(""), WORLD_NOW},
        {w->agent, AGENT_BREAK, text_of("lunch"), w->campaign, text_of(""), WORLD_NOW + 1},
        {w->agent, AGENT_OFFLINE, text_of("daemon started"), 0, text_of(""), WORLD_NOW + 2},
        {w->agent, AGENT_OFFLINE, text_of(""), 0, text_of(""), WORLD_NOW + 3}};
    struct msg_claimed c;
    struct loaded l = {0};
    uint64_t row;

    world_leads(w, 1);
    world_rows(w, WORLD_NOW, &row, 1);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, &c), REASON_allow);
    moved.attempt = c.attempt;
    store_good(w->s, OPS(w)->attempt_moved(w->s, &moved, 1));
    store_good(w->s, OPS(w)->leg_claim(w->s, &leg, 1, &claimed_leg));
    store_good(w->s, OPS(w)->agent_moved(w->s, states, 3));
    store_good(w->s, OPS(w)->load(w->s, 0, 0, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.open_agents, 1); /* a start is no state of an agent */
    assert_int_equal(l.open_agent.agent, w->agent);
    assert_int_equal(l.open_agent.state, AGENT_BREAK);
    assert_int_equal(l.attempts, 1);
    assert_int_equal(l.legs, 1);
    assert_true(l.texts_good);
    assert_int_equal(l.attempt.state, ATTEMPT_BRIDGED);
    assert_int_equal(l.attempt.agent, w->agent);
    assert_int_equal(l.attempt.row, row);
    assert_int_equal(l.leg.agent, w->agent);
    store_good(w->s, OPS(w)->agent_moved(w->s, &states[3], 1));
    store_good(w->s, OPS(w)->load(w->s, 0, 0, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.open_agents, 1); /* logged out */
}

/* Another handle on the same store. */
static struct store *another(const char *owner, bool own)
{
    struct store_options o = {0};

    assert_int_equal(fixture->again(&o), 0);
    o.owner = owner;
    o.own = own;
    return fixture->driver->make(&o);
}

void second_owner_is_refused(void **state)
{
    struct world *w = *state;
    struct store *second = another("test-2", true), *tool = another("test-3", false);
    struct store_installation in;

    assert_int_equal(second->ops->connect(second, WORLD_NOW), STORE_HELD);
    assert_non_null(strstr(second->error, "test-1"));
    second->ops->close(second);
    store_good(tool, tool->ops->connect(tool, WORLD_NOW));
    store_good(tool, tool->ops->installation(tool, &in));
    assert_string_equal(in.owner, "test-1");
    assert_int_equal(in.since_wall_ms, WORLD_NOW);
    assert_int_equal(tool->ops->lease_take(tool, 0, WORLD_NOW), STORE_INVALID);
    tool->ops->close(tool);
    store_good(w->s, OPS(w)->installation(w->s, &in));
}

void next_start_takes_over(void **state)
{
    struct world *w = *state;
    struct msg_claim req;
    struct msg_claimed c;
    struct loaded l = {0};
    uint64_t rows[2];

    world_leads(w, 2);
    world_rows(w, WORLD_NOW, rows, 2);
    /* the same process once more: nothing changes hands */
    store_good(w->s, OPS(w)->connect(w->s, WORLD_NOW + 1));
    store_good(w->s, OPS(w)->lease_take(w->s, 0, WORLD_NOW + 1));
    assert_int_equal(world_claim_one(w, rows[0], WORLD_NOW + 1, NULL), REASON_allow);
    OPS(w)->close(w->s);
    w->s = another("test-2", true);
    store_good(w->s, OPS(w)->connect(w->s, WORLD_NOW + 2));
    store_good(w->s, OPS(w)->lease_take(w->s, 0, WORLD_NOW + 2));
    req = world_claim(w, rows[1], WORLD_NOW + 3);
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_fenced); /* the old epoch */
    req.epoch = 2;
    store_good(w->s, OPS(w)->claim(w->s, &req, 1, &c));
    assert_int_equal(c.reason, REASON_allow);
    store_good(w->s, OPS(w)->load(w->s, 0, 0, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.campaign.epoch, 2);
    assert_int_equal(l.agent.epoch, 2);
    assert_int_equal(l.attempts, 2);
}

struct audits {
    int n;
    char last[3][64];
};

static int take_audit(void *ctx, const struct store_audit *a)
{
    struct audits *all = ctx;

    assert_true(text_is(a->who, "test"));
    if (all->n++ == 0) {
        snprintf(all->last[0], 64, "%.*s", (int)a->field.len, a->field.ptr);
        snprintf(all->last[1], 64, "%.*s", (int)a->before.len, a->before.ptr);
        snprintf(all->last[2], 64, "%.*s", (int)a->after.len, a->after.ptr);
    }
    return 0;
}

void settings_change_with_their_audit(void **state)
{
    struct world *w = *state;
    struct text names[] = {text_of("zone"), text_of("prefixes"), text_of("ring")};
    struct text values[] = {text_of("Europe/Berlin"), text_of("+44,+1212"), text_of("25")};
    struct audits all = {0};
    struct loaded l = {0};
    char why[200];
    int before;

    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_audit, &all));
    before = all.n;
    assert_int_equal(
        store_set(w->s, &w->by, KIND_CAMPAIGN, w->campaign, names, values, 3, why, sizeof why),
        STORE_OK);
    memset(&all, 0, sizeof all);
    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_audit, &all));
    assert_int_equal(all.n, before + 3);
    assert_string_equal(all.last[0], "ring");
    assert_string_equal(all.last[1], "30");
    assert_string_equal(all.last[2], "25");
    /* the same again changes nothing and says nothing */
    assert_int_equal(
        store_set(w->s, &w->by, KIND_CAMPAIGN, w->campaign, names, values, 3, why, sizeof why),
        STORE_OK);
    memset(&all, 0, sizeof all);
    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_audit, &all));
    assert_int_equal(all.n, before + 3);
    store_good(w->s, OPS(w)->load(w->s, KIND_CAMPAIGN, w->campaign, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.campaign.ring_s, 25);
    assert_int_equal(l.campaign.zone_offset_s, 3600);
    assert_int_equal(l.campaign.zone_next_offset_s, 7200);
    assert_int_equal(l.campaign.zone_until_wall_ms, INT64_C(1774746000000)); /* 29 March 2026 */
}

void bad_settings_change_nothing(void **state)
{
    static const struct {
        unsigned kind;
        const char *name, *value, *says;
    } bad[] = {
        {KIND_CAMPAIGN, "rnig", "30", "nearest is ring"},
        {KIND_CAMPAIGN, "ring", "14", "15 to 120"},
        {KIND_CAMPAIGN, "ring", "30.5", "15 to 120"},
        {KIND_CAMPAIGN, "ring", "", "15 to 120"},
        {KIND_CAMPAIGN, "answer_wait_ms", "2001", "100 to 2000"},
        {KIND_CAMPAIGN, "abandon_limit", "301", "0 to 300"},
        {KIND_CAMPAIGN, "mode", "predictive", "not available yet"},
        {KIND_CAMPAIGN, "mode", "fast", "manual, preview, progressive or ratio"},
        {KIND_CAMPAIGN, "preview", "4", "from 5 to 3600"},
        {KIND_CAMPAIGN, "preview_expiry", "later", "dial or not_ready"},
        {KIND_CAMPAIGN, "zone", "Mars/Olympus", "IANA"},
        {KIND_CAMPAIGN, "zone", "../../etc/passwd", "IANA"},
        {KIND_CAMPAIGN, "from", "25:00", "09:00"},
        {KIND_CAMPAIGN, "prefixes", "44", "+44"},
        {KIND_CAMPAIGN, "prefixes", "+44,", "+44"},
        {KIND_CAMPAIGN, "caller_id", "555", "E.164"},
        {KIND_CAMPAIGN, "name", "", "empty"},
        {KIND_CAMPAIGN, "active", "maybe", "on or off"},
        {KIND_CAMPAIGN, "hopper_low", "500", "less than hopper_size"},
        {KIND_TRUNK, "endpoint", "PJSIP/{number}@a&PJSIP/b", "dial string"},
        {KIND_TRUNK, "cps", "nan", "number from"},
        {KIND_TRUNK, "cps", "1e400", "number from"},
        {KIND_AGENT, "phone_kind", "fax", "softphone"},
        {0, "country", "gb", "capital"},
    };
    struct world *w = *state;
    struct text name, value;
    struct audits before = {0}, after = {0};
    char why[200];
    size_t i;

    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_audit, &before));
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t id = bad[i].kind == KIND_CAMPAIGN ? w->campaign
                      : bad[i].kind == KIND_TRUNK  ? w->trunk
                      : bad[i].kind == KIND_AGENT  ? w->agent
                                                   : w->list;
        name = text_of(bad[i].name);
        value = text_of(bad[i].value);
        assert_int_equal(
            store_set(w->s, &w->by, bad[i].kind, id, &name, &value, 1, why, sizeof why),
            STORE_INVALID);
        if (!strstr(why, bad[i].says))
            fail_msg("%s=%s: %s", bad[i].name, bad[i].value, why);
    }
    name = text_of("ring");
    value = text_of("20");
    assert_int_equal(
        store_set(w->s, &w->by, KIND_CAMPAIGN, 4711, &name, &value, 1, why, sizeof why),
        STORE_NOT_FOUND);
    store_good(w->s, OPS(w)->audits(w->s, 0, 100, take_audit, &after));
    assert_int_equal(before.n, after.n);
}

void names_are_unique(void **state)
{
    struct world *w = *state;
    struct msg_campaign_config c;
    struct msg_agent_config a;
    struct msg_trunk_config t;
    uint64_t id;

    store_campaign_defaults(&c);
    c.name = text_of("first");
    assert_int_equal(OPS(w)->campaign_add(w->s, &w->by, &c, &id), STORE_CONFLICT);
    assert_non_null(strstr(w->s->error, "first"));
    store_agent_defaults(&a);
    a.login = text_of("anna");
    assert_int_equal(OPS(w)->agent_add(w->s, &w->by, &a, ROLE_AGENT, text_of(""), &id),
                     STORE_CONFLICT);
    store_trunk_defaults(&t);
    t.name = text_of("carrier");
    assert_int_equal(OPS(w)->trunk_add(w->s, &w->by, &t, &id), STORE_CONFLICT);
}

void agents_log_in(void **state)
{
    struct world *w = *state;
    struct store_login login;

    store_good(w->s, OPS(w)->login(w->s, STORE_ACCOUNT, text_of("anna"), &login));
    assert_int_equal(login.agent, w->agent);
    assert_int_equal(login.role, ROLE_AGENT);
    assert_true(login.enabled);
    assert_true(text_is(login.hash, "hash"));
    assert_true(text_is(login.name, "Anna"));
    store_good(w->s, OPS(w)->agent_password(w->s, &w->by, w->agent, text_of("new")));
    assert_int_equal(OPS(w)->agent_password(w->s, &w->by, 99, text_of("new")), STORE_NOT_FOUND);
    store_good(w->s, OPS(w)->login(w->s, STORE_ACCOUNT, text_of("anna"), &login));
    assert_true(text_is(login.hash, "new"));
    assert_int_equal(OPS(w)->login(w->s, STORE_ACCOUNT, text_of("ANNA"), &login), STORE_NOT_FOUND);
    assert_int_equal(login.agent, 0);
}

void sessions_last(void **state)
{
    struct world *w = *state;
    struct msg_session_save mine = {.digest = text_of("aa11"),
                                    .agent = w->agent,
                                    .account = STORE_ACCOUNT,
                                    .role = ROLE_AGENT,
                                    .name = text_of("Anna"),
                                    .expires_wall_ms = WORLD_NOW + 1000};
    struct msg_session_save link = mine;
    const struct msg_session_end all = {.agent = w->agent};
    const struct msg_session_end one = {.digest = text_of("bb22")};
    const struct text off = text_of("off"), on = text_of("on"), enabled = text_of("enabled");
    struct msg_session_known k;
    char why[256];

    link.digest = text_of("bb22");
    link.agent = 0; /* a one-time link's */
    link.role = ROLE_ADMIN;
    store_good(w->s, OPS(w)->session_save(w->s, &mine, WORLD_NOW));
    store_good(w->s, OPS(w)->session_save(w->s, &mine, WORLD_NOW)); /* again is the same */
    store_good(w->s, OPS(w)->session_save(w->s, &link, WORLD_NOW));
    store_good(w->s, OPS(w)->session_find(w->s, mine.digest, WORLD_NOW + 999, &k));
    assert_int_equal(k.agent, w->agent);
    assert_int_equal(k.account, STORE_ACCOUNT);
    assert_int_equal(k.role, ROLE_AGENT);
    assert_int_equal(k.expires_wall_ms, WORLD_NOW + 1000);
    assert_int_equal(k.name.len, 4);
    store_good(w->s, OPS(w)->session_find(w->s, link.digest, WORLD_NOW, &k));
    assert_int_equal(k.role, ROLE_ADMIN);
    assert_int_equal(OPS(w)->session_find(w->s, text_of("aa1"), WORLD_NOW, &k), STORE_NOT_FOUND);
    assert_int_equal(OPS(w)->session_find(w->s, mine.digest, WORLD_NOW + 1000, &k),
                     STORE_NOT_FOUND);
    store_good(w->s,
               store_set(w->s, &w->by, KIND_AGENT, w->agent, &enabled, &off, 1, why, sizeof why));
    assert_int_equal(OPS(w)->session_find(w->s, mine.digest, WORLD_NOW, &k), STORE_NOT_FOUND);
    store_good(w->s, OPS(w)->session_end(w->s, &all));
    store_good(w->s,
               store_set(w->s, &w->by, KIND_AGENT, w->agent, &enabled, &on, 1, why, sizeof why));
    assert_int_equal(OPS(w)->session_find(w->s, mine.digest, WORLD_NOW, &k), STORE_NOT_FOUND);
    store_good(w->s, OPS(w)->session_find(w->s, link.digest, WORLD_NOW, &k));
    store_good(w->s, OPS(w)->session_end(w->s, &one));
    assert_int_equal(OPS(w)->session_find(w->s, link.digest, WORLD_NOW, &k), STORE_NOT_FOUND);
    /* What is over goes with the next save, and its digest may come again. */
    store_good(w->s, OPS(w)->session_save(w->s, &mine, WORLD_NOW));
    store_good(w->s, OPS(w)->session_save(w->s, &link, WORLD_NOW + 5000));
    mine.expires_wall_ms = WORLD_NOW + 9000;
    store_good(w->s, OPS(w)->session_save(w->s, &mine, WORLD_NOW + 5000));
    store_good(w->s, OPS(w)->session_find(w->s, mine.digest, WORLD_NOW + 8000, &k));
}

void agents_are_assigned(void **state)
{
    struct world *w = *state;
    struct loaded l = {0};

    store_good(w->s, OPS(w)->agent_assign(w->s, &w->by, w->agent, 0));
    store_good(w->s, OPS(w)->load(w->s, KIND_AGENT, w->agent, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.agent.campaign, 0);
    store_good(w->s, OPS(w)->agent_assign(w->s, &w->by, w->agent, w->campaign));
    store_good(w->s, OPS(w)->load(w->s, KIND_AGENT, w->agent, WORLD_NOW, take_loaded, &l));
    assert_int_equal(l.agent.campaign, w->campaign);
    assert_int_equal(OPS(w)->agent_assign(w->s, &w->by, w->agent, 77), STORE_NOT_FOUND);
    assert_int_equal(OPS(w)->agent_assign(w->s, &w->by, 77, w->campaign), STORE_NOT_FOUND);
}

struct numbers {
    int n;
    char last[20];
};

static int take_number(void *ctx, struct text number, struct text source, int64_t at_ms)
{
    struct numbers *all = ctx;

    assert_true(text_is(source, "test"));
    assert_int_equal(at_ms, WORLD_NOW);
    snprintf(all->last, sizeof all->last, "%.*s", (int)number.len, number.ptr);
    all->n++;
    return 0;
}

void do_not_call_list_in_pages(void **state)
{
    struct world *w = *state;
    struct numbers all = {0};
    int i, pages = 0, before;

    for (i = 0; i < 25; i++) {
        struct msg_suppress m = {.account = STORE_ACCOUNT,
                                 .number = world_number((unsigned)i),
                                 .source = text_of("test"),
                                 .at_wall_ms = WORLD_NOW};
        store_good(w->s, OPS(w)->suppress(w->s, &m, 1));
    }
    do {
        char after[20];
        before = all.n;
        memcpy(after, all.last, sizeof after);
        store_good(w->s,
                   OPS(w)->suppressed(w->s, STORE_ACCOUNT, text_of(after), 10, take_number, &all));
        pages++;
    } while (all.n > before);
    assert_int_equal(all.n, 25);
    assert_int_equal(pages, 4);
    assert_string_equal(all.last, "+12125550144");
}

static int take_alarm(void *ctx, const struct store_alarm *a)
{
    ++((int *)ctx)[0];
    ((int *)ctx)[1] += a->ended_wall_ms == 0;
    return 0;
}

void alarms_stand_and_end(void **state)
{
    struct world *w = *state;
    struct text code = text_of("DLR-PBX-DOWN"), one = text_of("pbx 1"), two = text_of("pbx 2");
    int seen[2] = {0};

    store_good(w->s, OPS(w)->alarm(w->s, code, one, text_of("gone"), true, 1));
    store_good(w->s, OPS(w)->alarm(w->s, code, one, text_of("gone"), true, 2));
    store_good(w->s, OPS(w)->alarm(w->s, code, two, text_of("gone"), true, 3));
    store_good(w->s, OPS(w)->alarm(w->s, code, one, text_of(""), false, 4));
    store_good(w->s, OPS(w)->alarm(w->s, code, one, text_of("gone"), true, 5));
    store_good(w->s, OPS(w)->alarm(w->s, code, two, text_of(""), false, 6));
    store_good(w->s, OPS(w)->alarms(w->s, false, 100, take_alarm, seen));
    assert_int_equal(seen[0], 3);
    assert_int_equal(seen[1], 1);
    store_good(w->s, OPS(w)->alarms(w->s, true, 100, take_alarm, seen));
    assert_int_equal(seen[0], 4);
    /* told again, out of a journal: nothing changes */
    store_good(w->s, OPS(w)->alarm(w->s, code, two, text_of("gone"), true, 3));
    store_good(w->s, OPS(w)->alarm(w->s, code, one, text_of(""), false, 4));
    store_good(w->s, OPS(w)->alarms(w->s, false, 100, take_alarm, seen));
    assert_int_equal(seen[0], 7);
    assert_int_equal(seen[1], 3);
    /* a new daemon: whatever stood is over */
    store_good(w->s, OPS(w)->alarm(w->s, text_of(""), text_of(""), text_of(""), false, 7));
    store_good(w->s, OPS(w)->alarms(w->s, true, 100, take_alarm, seen));
    assert_int_equal(seen[0], 7);
}

void transactions_group(void **state)
{
    struct world *w = *state;
    struct msg_suppress a = {.account = STORE_ACCOUNT,
                             .number = text_of("+12125550111"),
                             .source = text_of("test"),
                             .at_wall_ms = WORLD_NOW};
    struct msg_suppress bad = {.account = STORE_ACCOUNT, .number = text_of("no")};
    struct numbers all = {0};

    store_good(w->s, OPS(w)->begin(w->s));
    store_good(w->s, OPS(w)->suppress(w->s, &a, 1));
    OPS(w)->rollback(w->s);
    store_good(w->s, OPS(w)->suppressed(w->s, STORE_ACCOUNT, text_of(""), 10, take_number, &all));
    assert_int_equal(all.n, 0);
    /* one part failed: the whole is not done */
    store_good(w->s, OPS(w)->begin(w->s));
    store_good(w->s, OPS(w)->suppress(w->s, &a, 1));
    assert_int_equal(OPS(w)->suppress(w->s, &bad, 1), STORE_INVALID);
    assert_int_not_equal(OPS(w)->commit(w->s), STORE_OK);
    store_good(w->s, OPS(w)->suppressed(w->s, STORE_ACCOUNT, text_of(""), 10, take_number, &all));
    assert_int_equal(all.n, 0);
    store_good(w->s, OPS(w)->begin(w->s));
    store_good(w->s, OPS(w)->suppress(w->s, &a, 1));
    store_good(w->s, OPS(w)->commit(w->s));
    store_good(w->s, OPS(w)->suppressed(w->s, STORE_ACCOUNT, text_of(""), 10, take_number, &all));
    assert_int_equal(all.n, 1);
}

static int count_disposition(void *ctx, const struct store_disposition *d)
{
    int *n = ctx;

    n[0]++;
    n[1] += d->offered;
    n[2] += text_is(d->code, "dnc") && d->dnc && d->final;
    return 0;
}

void dispositions_are_offered(void **state)
{
    struct world *w = *state;
    int n[3] = {0};

    store_good(w->s, OPS(w)->dispositions(w->s, STORE_ACCOUNT, count_disposition, n));
    assert_int_equal(n[0], 11);
    assert_int_equal(n[1], 10);
    assert_int_equal(n[2], 1);
}

void data_never_becomes_sql(void **state)
{
    static const char evil[] = "Robert'); DROP TABLE lead; --\\\" {x} %s $1 ?1 \xc3\xa9";
    struct world *w = *state;
    struct store_lead d = {.number = text_of("+12125550101"),
                           .name = text_of(evil),
                           .fields = text_of("{\"a\":\"\\\"', {} NULL \\\\\"}")};
    struct store_import_count count = {0};
    struct msg_claimed c;
    uint64_t row;

    store_good(w->s, OPS(w)->leads_insert(w->s, w->list, 0, WORLD_NOW, &d, 1, &count));
    world_rows(w, WORLD_NOW, &row, 1);
    assert_int_equal(world_claim_one(w, row, WORLD_NOW, &c), REASON_allow);
    assert_true(text_is(c.name, evil));
    assert_true(text_is(c.fields, "{\"a\":\"\\\"', {} NULL \\\\\"}"));
}
