/*
 * sql_session.c - sessions of the page: saved, found, ended.
 */
#include "adapters/store/sql.h"

#include <string.h>

int sql_session_save(struct store *st, const struct msg_session_save *m, int64_t now)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = sql_exec(s, session_over, NULL, sql_i(now));
    if (rc == STORE_OK)
        rc = sql_exec(s, session_save, NULL, sql_t(m->digest), sql_u(m->agent), sql_u(m->account),
                      sql_i(m->role), sql_t(m->name), sql_i(m->expires_wall_ms));
    return sql_leave(s, mine, rc);
}

struct session_read {
    struct sql_store *s;
    struct msg_session_known *out;
};

static int take_session(void *ctx, size_t item, const struct sql_value *c)
{
    struct session_read *r = ctx;

    (void)item;
    *r->out = (struct msg_session_known){.agent = (uint64_t)c[0].i,
                                         .account = (uint64_t)c[1].i,
                                         .role = (uint8_t)c[2].i,
                                         .name = sql_keep(r->s, c[3].t),
                                         .expires_wall_ms = c[4].i};
    return 0;
}

int sql_session_find(struct store *st, struct text digest, int64_t now,
                     struct msg_session_known *out)
{
    struct sql_store *s = sql_of(st);
    struct session_read r = {s, out};
    int rc = sql_enter(s);

    memset(out, 0, sizeof *out);
    if (rc == STORE_OK)
        rc = sql_query(s, session_find, take_session, &r, sql_t(digest), sql_i(now));
    if (rc == STORE_OK && out->role == 0)
        rc = sql_fail(s, STORE_NOT_FOUND, "no such session");
    return sql_leave(s, false, rc);
}

int sql_session_end(struct store *st, const struct msg_session_end *m)
{
    struct sql_store *s = sql_of(st);
    bool mine;
    int rc = sql_enter_tx(s, &mine);

    if (rc)
        return rc;
    rc = m->digest.len > 0 ? sql_exec(s, session_end, NULL, sql_t(m->digest))
                           : sql_exec(s, session_end_agent, NULL, sql_u(m->agent));
    return sql_leave(s, mine, rc);
}
