/* memory_session.c - the model's sessions of the page. */
#include "adapters/store/memory_int.h"

#include <string.h>

#define EDIT(row) ((void)memory_edit(me, (row), sizeof *(row)))

static int session_save(struct store *s, const struct msg_session_save *m, int64_t now)
{
    struct memory *me = memory_of(s);
    struct m_session *to;
    uint64_t id;
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(sessions); i++) {
        to = M_ROW(struct m_session, sessions, i);
        if (to->m.expires_wall_ms <= now) {
            EDIT(to);
            to->gone = true;
        }
        if (!to->gone && text_same(to->m.digest, m->digest))
            return memory_leave(me, mine, STORE_OK);
    }
    to = memory_add(me, M_sessions, sizeof *to, &id);
    to->m = *m;
    to->m.digest = memory_text(me, m->digest);
    to->m.name = memory_text(me, m->name);
    return memory_leave(me, mine, rc);
}

static int session_find(struct store *s, struct text digest, int64_t now,
                        struct msg_session_known *out)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(sessions); i++) {
        const struct m_session *r = M_ROW(struct m_session, sessions, i);
        const struct m_agent *a = M_FIND(struct m_agent, agents, r->m.agent);
        if (r->gone || r->m.expires_wall_ms <= now || !text_same(r->m.digest, digest) ||
            (r->m.agent != 0 && (!a || !a->a.enabled)))
            continue;
        *out = (struct msg_session_known){.agent = r->m.agent,
                                          .account = r->m.account,
                                          .role = r->m.role,
                                          .name = r->m.name,
                                          .expires_wall_ms = r->m.expires_wall_ms};
        return memory_leave(me, mine, STORE_OK);
    }
    return memory_leave(me, mine, memory_fail(me, STORE_NOT_FOUND, "no such session"));
}

static int session_end(struct store *s, const struct msg_session_end *m)
{
    struct memory *me = memory_of(s);
    bool mine;
    size_t i;
    int rc = memory_enter(me, &mine);

    if (rc)
        return rc;
    for (i = 0; i < M_COUNT(sessions); i++) {
        struct m_session *r = M_ROW(struct m_session, sessions, i);
        if (m->digest.len > 0 ? text_same(r->m.digest, m->digest) : r->m.agent == m->agent) {
            EDIT(r);
            r->gone = true;
        }
    }
    return memory_leave(me, mine, rc);
}

void memory_session(struct store_ops *ops)
{
    ops->session_save = session_save;
    ops->session_find = session_find;
    ops->session_end = session_end;
}
