/*
 * memory_operator.c - the model: configuration, import, export.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/store/memory_int.h"

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

/* As migrations/0001_first.sql has them. */
static const struct {
    const char *code, *name;
    bool reached, machine, sale, final, dnc, callback, offered;
    int64_t recycle_s;
} dispositions_table[] = {
    {"busy", "Busy", false, false, false, false, false, false, true, -1},
    {"callback", "Call back", true, false, false, false, false, true, true, 0},
    {"dead_line", "Nothing to be heard", false, false, false, false, false, false, true, -1},
    {"dnc", "Do not call", true, false, false, true, true, false, true, 0},
    {"language", "Language barrier", true, false, false, true, false, false, true, 0},
    {"machine", "Answering machine", false, true, false, false, false, false, true, -1},
    {"no_answer", "No answer", false, false, false, false, false, false, true, -1},
    {"not_interested", "Not interested", true, false, false, true, false, false, true, 0},
    {"sale", "Sale", true, false, true, true, false, false, true, 0},
    {"wrong_number", "Wrong number", true, false, false, true, false, false, true, 0},
    {"not_disposed", "Not disposed", true, false, false, false, false, false, false, -1},
};

#define DISPOSITIONS (sizeof dispositions_table / sizeof *dispositions_table)

static const struct store_disposition *disposition_at(size_t i)
{
    static struct store_disposition d[DISPOSITIONS];

    d[i] = (struct store_disposition){.code = text_from(dispositions_table[i].code),
                                      .name = text_from(dispositions_table[i].name),
                                      .reached = dispositions_table[i].reached,
                                      .machine = dispositions_table[i].machine,
                                      .sale = dispositions_table[i].sale,
                                      .final = dispositions_table[i].final,
                                      .counts = true,
                                      .dnc = dispositions_table[i].dnc,
                                      .callback = dispositions_table[i].callback,
                                      .offered = dispositions_table[i].offered,
                                      .recycle_s = dispositions_table[i].recycle_s};
    return &d[i];
}

const struct store_disposition *memory_disposition(struct text code)
{
    size_t i;

    for (i = 0; i < DISPOSITIONS; i++)
        if (text_same(code, text_from(dispositions_table[i].code)))
            return disposition_at(i);
    return NULL;
}

static int dispositions(struct store *s, uint64_t account, store_each_disposition each, void *ctx)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    (void)account;
    for (i = 0; i < DISPOSITIONS && rc == STORE_OK; i++)
        if (each(ctx, disposition_at(i)))
            break;
    return rc ? rc : memory_leave(me, mine, rc);
}

/* --- audit ------------------------------------------------------------------------------------ */

void memory_audit(struct memory *me, const struct store_audit *a)
{
    uint64_t id;
    struct store_audit *to = memory_add(me, M_audits, sizeof *to, &id);

    *to = (struct store_audit){.id = id,
                               .at_wall_ms = a->at_wall_ms,
                               .who = memory_text(me, a->who),
                               .kind = memory_text(me, a->kind),
                               .subject = a->subject,
                               .field = memory_text(me, a->field),
                               .before = memory_text(me, a->before),
                               .after = memory_text(me, a->after)};
}

static void audit_by(struct memory *me, const struct store_by *by, const char *kind,
                     uint64_t subject, const char *field, struct text before, struct text after)
{
    struct store_audit a = {.at_wall_ms = by->at_wall_ms,
                            .who = text_from(by->who),
                            .kind = text_from(kind),
                            .subject = subject,
                            .field = text_from(field),
                            .before = before,
                            .after = after};

    memory_audit(me, &a);
}

static int audit(struct store *s, const struct store_audit *rows, size_t n)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    for (i = 0; i < n && rc == STORE_OK; i++)
        memory_audit(me, &rows[i]);
    return rc ? rc : memory_leave(me, mine, rc);
}

static int audits(struct store *s, uint64_t before, uint32_t limit, store_each_audit each,
                  void *ctx)
{
    struct memory *me = memory_of(s);
    size_t i = before && before <= M_COUNT(audits) ? before - 1 : M_COUNT(audits);

    for (; i > 0 && limit > 0; i--, limit--)
        if (each(ctx, M_ROW(struct store_audit, audits, i - 1)))
            break;
    return STORE_OK;
}

static const struct text nothing = {NULL, 0};

/* --- things ----------------------------------------------------------------------------------- */

/* The texts of a thing that is kept are its own: those that are settings, at the settings' places.
 */
static void own_texts(struct memory *me, unsigned kind, void *thing)
{
    size_t n, i;
    const struct store_setting *s = store_settings(kind, &n);

    for (i = 0; i < n; i++) {
        struct text *t = (struct text *)(void *)((char *)thing + s[i].offset);
        if (s[i].width == sizeof *t)
            *t = memory_text(me, *t);
    }
}

static int taken(struct memory *me, const char *kind, struct text name)
{
    return memory_fail(me, STORE_CONFLICT, "there is a %s %.*s already", kind, (int)name.len,
                       name.ptr ? name.ptr : "");
}

static int missing(struct memory *me, const char *kind, uint64_t id)
{
    return memory_fail(me, STORE_NOT_FOUND, "there is no %s %llu", kind, (unsigned long long)id);
}

static int campaign_add(struct store *s, const struct store_by *by,
                        const struct msg_campaign_config *c, uint64_t *id)
{
    struct memory *me = memory_of(s);
    struct m_campaign *to;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(campaigns); i++)
        if (text_same(M_ROW(struct m_campaign, campaigns, i)->c.name, c->name))
            return memory_leave(me, mine, taken(me, "campaign", c->name));
    to = memory_add(me, M_campaigns, sizeof *to, id);
    to->c = *c;
    to->c.campaign = *id;
    to->c.account = c->account ? c->account : STORE_ACCOUNT;
    own_texts(me, KIND_CAMPAIGN, &to->c);
    audit_by(me, by, "campaign", *id, "added", nothing, c->name);
    return memory_leave(me, mine, rc);
}

static int campaign_put(struct store *s, const struct msg_campaign_config *c)
{
    struct memory *me = memory_of(s);
    struct m_campaign *to = M_FIND(struct m_campaign, campaigns, c->campaign);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "campaign", c->campaign));
    EDIT(to);
    to->c = *c;
    own_texts(me, KIND_CAMPAIGN, &to->c);
    for (i = 0; i < M_COUNT(leads); i++) {
        struct m_lead *d = M_ROW(struct m_lead, leads, i);
        bool waits_for_hours = d->status == ROW_FAILED && !d->final &&
                               text_same(d->cause, text_from(reason_name(REASON_outside_hours)));
        if ((d->due_ms != DUE_NEVER && !waits_for_hours) ||
            M_ROW(struct store_list, lists, d->list - 1)->campaign != c->campaign)
            continue;
        EDIT(d);
        d->due_ms = 0;
    }
    return memory_leave(me, mine, rc);
}

static int trunk_add(struct store *s, const struct store_by *by, const struct msg_trunk_config *t,
                     uint64_t *id)
{
    struct memory *me = memory_of(s);
    struct msg_trunk_config *to;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(trunks); i++)
        if (text_same(M_ROW(struct msg_trunk_config, trunks, i)->name, t->name))
            return memory_leave(me, mine, taken(me, "trunk", t->name));
    to = memory_add(me, M_trunks, sizeof *to, id);
    *to = *t;
    to->trunk = *id;
    own_texts(me, KIND_TRUNK, to);
    audit_by(me, by, "trunk", *id, "added", nothing, t->name);
    return memory_leave(me, mine, rc);
}

static int trunk_put(struct store *s, const struct msg_trunk_config *t)
{
    struct memory *me = memory_of(s);
    struct msg_trunk_config *to = M_FIND(struct msg_trunk_config, trunks, t->trunk);
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "trunk", t->trunk));
    EDIT(to);
    *to = *t;
    own_texts(me, KIND_TRUNK, to);
    return memory_leave(me, mine, rc);
}

static int agent_add(struct store *s, const struct store_by *by, const struct msg_agent_config *a,
                     uint8_t role, struct text hash, uint64_t *id)
{
    struct memory *me = memory_of(s);
    struct m_agent *to;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(agents); i++)
        if (text_same(M_ROW(struct m_agent, agents, i)->a.login, a->login))
            return memory_leave(me, mine, taken(me, "agent", a->login));
    to = memory_add(me, M_agents, sizeof *to, id);
    to->a = *a;
    to->a.agent = *id;
    to->a.account = a->account ? a->account : STORE_ACCOUNT;
    to->role = role;
    to->hash = memory_text(me, hash);
    own_texts(me, KIND_AGENT, &to->a);
    audit_by(me, by, "agent", *id, "added", nothing, a->login);
    return memory_leave(me, mine, rc);
}

static int agent_put(struct store *s, const struct msg_agent_config *a)
{
    struct memory *me = memory_of(s);
    struct m_agent *to = M_FIND(struct m_agent, agents, a->agent);
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "agent", a->agent));
    EDIT(to);
    to->a = *a;
    own_texts(me, KIND_AGENT, &to->a);
    return memory_leave(me, mine, rc);
}

static int agent_password(struct store *s, const struct store_by *by, uint64_t agent,
                          struct text hash)
{
    struct memory *me = memory_of(s);
    struct m_agent *to = M_FIND(struct m_agent, agents, agent);
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "agent", agent));
    EDIT(to);
    to->hash = memory_text(me, hash);
    audit_by(me, by, "agent", agent, "password", nothing, text_from("(set)"));
    return memory_leave(me, mine, rc);
}

static int agent_assign(struct store *s, const struct store_by *by, uint64_t agent,
                        uint64_t campaign)
{
    struct memory *me = memory_of(s);
    struct m_agent *to = M_FIND(struct m_agent, agents, agent);
    char before[24], after[24];
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "agent", agent));
    if (campaign && !M_FIND(struct m_campaign, campaigns, campaign))
        return memory_leave(me, mine, missing(me, "campaign", campaign));
    snprintf(before, sizeof before, "%llu", (unsigned long long)to->a.campaign);
    snprintf(after, sizeof after, "%llu", (unsigned long long)campaign);
    if (to->a.campaign != campaign)
        audit_by(me, by, "agent", agent, "campaign", text_from(before), text_from(after));
    EDIT(to);
    to->a.campaign = campaign;
    return memory_leave(me, mine, rc);
}

static int list_add(struct store *s, const struct store_by *by, const struct store_list *l,
                    uint64_t *id)
{
    struct memory *me = memory_of(s);
    struct store_list *to;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    if (l->campaign && !M_FIND(struct m_campaign, campaigns, l->campaign))
        return memory_leave(me, mine, missing(me, "campaign", l->campaign));
    for (i = 0; i < M_COUNT(lists); i++) {
        const struct store_list *o = M_ROW(const struct store_list, lists, i);
        if (o->campaign == l->campaign && text_same(o->name, l->name))
            return memory_leave(me, mine, taken(me, "list", l->name));
    }
    to = memory_add(me, M_lists, sizeof *to, id);
    *to = *l;
    to->list = *id;
    to->account = l->account ? l->account : STORE_ACCOUNT;
    own_texts(me, 0, to);
    audit_by(me, by, "list", *id, "added", nothing, l->name);
    return memory_leave(me, mine, rc);
}

static int list_put(struct store *s, const struct store_list *l)
{
    struct memory *me = memory_of(s);
    struct store_list *to = M_FIND(struct store_list, lists, l->list);
    bool mine;
    int rc = memory_enter(me, &mine);

    if (rc || !to)
        return rc ? rc : memory_leave(me, mine, missing(me, "list", l->list));
    EDIT(to);
    *to = *l;
    own_texts(me, 0, to);
    return memory_leave(me, mine, rc);
}

static int lists(struct store *s, uint64_t list, uint64_t campaign, store_each_list each, void *ctx)
{
    struct memory *me = memory_of(s);
    size_t i, k;

    for (i = 0; i < M_COUNT(lists); i++) {
        struct store_list l = *M_ROW(const struct store_list, lists, i);
        if ((list && l.list != list) || (campaign && l.campaign != campaign))
            continue;
        for (l.leads = 0, k = 0; k < M_COUNT(leads); k++)
            l.leads += M_ROW(struct m_lead, leads, k)->list == l.list;
        if (each(ctx, &l))
            break;
    }
    return STORE_OK;
}

static int pbx_put(struct store *s, uint32_t pbx, struct text name)
{
    (void)pbx;
    (void)name;
    return memory_of(s)->faults.away ? STORE_AWAY : STORE_OK;
}

static int login(struct store *s, uint64_t account, struct text name, struct store_login *out)
{
    struct memory *me = memory_of(s);
    size_t i;

    memset(out, 0, sizeof *out);
    for (i = 0; i < M_COUNT(agents); i++) {
        const struct m_agent *a = M_ROW(const struct m_agent, agents, i);
        if (a->a.account != account || !text_same(a->a.login, name))
            continue;
        *out = (struct store_login){.agent = a->a.agent,
                                    .account = account,
                                    .enabled = a->a.enabled,
                                    .role = a->role,
                                    .name = a->a.name,
                                    .hash = a->hash};
        return STORE_OK;
    }
    return memory_fail(me, STORE_NOT_FOUND, "no such user");
}

/* --- the do-not-call list, alarms ------------------------------------------------------------- */

static int unsuppress(struct store *s, const struct store_by *by, uint64_t account,
                      struct text number)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    if (!memory_suppressed(me, account, number))
        return memory_leave(
            me, mine,
            memory_fail(me, STORE_NOT_FOUND, "the number is not on the do-not-call list"));
    for (i = 0; i < M_COUNT(numbers); i++) {
        struct m_number *n = M_ROW(struct m_number, numbers, i);
        if (n->account == account && text_same(n->number, number)) {
            EDIT(n);
            n->gone = true;
        }
    }
    for (i = 0; i < M_COUNT(leads); i++) {
        struct m_lead *d = M_ROW(struct m_lead, leads, i);
        if (d->status != ROW_FAILED || !text_same(d->d.number, number) ||
            !text_same(d->cause, text_from(reason_name(REASON_do_not_call))))
            continue;
        EDIT(d);
        m_row_moves(d, row_next(d->status, d->final, RE_UNBARRED));
        d->cause = nothing;
    }
    audit_by(me, by, "dnc", account, "removed", number, nothing);
    return memory_leave(me, mine, rc);
}

static int compare(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int suppressed(struct store *s, uint64_t account, struct text after, uint32_t limit,
                      store_each_number each, void *ctx)
{
    struct memory *me = memory_of(s);
    const struct m_number *next;
    size_t i;

    for (; limit > 0; limit--) {
        for (next = NULL, i = 0; i < M_COUNT(numbers); i++) {
            const struct m_number *n = M_ROW(const struct m_number, numbers, i);
            if (!n->gone && n->account == account && compare(n->number, after) > 0 &&
                (!next || compare(n->number, next->number) < 0))
                next = n;
        }
        if (!next || each(ctx, next->number, next->source, next->at_ms))
            break;
        after = next->number;
    }
    return STORE_OK;
}

static int alarm_put(struct store *s, struct text code, struct text subject, struct text text,
                     bool stands, int64_t at)
{
    struct memory *me = memory_of(s);
    struct store_alarm *a = NULL;
    bool mine, repeated = false;
    size_t i;
    uint64_t id;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(alarms); i++) {
        struct store_alarm *o = M_ROW(struct store_alarm, alarms, i);
        bool same = text_same(o->code, code) && text_same(o->subject, subject);
        if (o->ended_wall_ms == 0 && same)
            a = o;
        repeated = repeated || (stands && same && o->started_wall_ms == at);
        if (!stands && code.len == 0 && o->ended_wall_ms == 0 && o->started_wall_ms <= at) {
            EDIT(o);
            o->ended_wall_ms = at;
        }
    }
    if (stands && !a && !repeated) {
        a = memory_add(me, M_alarms, sizeof *a, &id);
        *a = (struct store_alarm){.id = id,
                                  .code = memory_text(me, code),
                                  .subject = memory_text(me, subject),
                                  .text = memory_text(me, text),
                                  .started_wall_ms = at};
    } else if (!stands && a && a->started_wall_ms <= at) {
        EDIT(a);
        a->ended_wall_ms = at;
    }
    return memory_leave(me, mine, rc);
}

static int alarms(struct store *s, bool standing_only, uint32_t limit, store_each_alarm each,
                  void *ctx)
{
    struct memory *me = memory_of(s);
    size_t i;

    for (i = M_COUNT(alarms); i > 0 && limit > 0; i--) {
        const struct store_alarm *a = M_ROW(const struct store_alarm, alarms, i - 1);
        if (standing_only && a->ended_wall_ms)
            continue;
        limit--;
        if (each(ctx, a))
            break;
    }
    return STORE_OK;
}

void memory_operator(struct store_ops *ops)
{
    ops->dispositions = dispositions;
    ops->audit = audit;
    ops->audits = audits;
    ops->campaign_add = campaign_add;
    ops->campaign_put = campaign_put;
    ops->trunk_add = trunk_add;
    ops->trunk_put = trunk_put;
    ops->agent_add = agent_add;
    ops->agent_put = agent_put;
    ops->agent_password = agent_password;
    ops->agent_assign = agent_assign;
    ops->list_add = list_add;
    ops->list_put = list_put;
    ops->lists = lists;
    ops->pbx_put = pbx_put;
    ops->login = login;
    ops->unsuppress = unsuppress;
    ops->suppressed = suppressed;
    ops->alarm = alarm_put;
    ops->alarms = alarms;
}
