/* world_expect.c - the sentences tests are written in, and how they fail. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/world_int.h"

_Noreturn void world_fail(const char *what)
{
    fail_msg("%s", what);
    abort();
}

/* --- sentences ---------------------------------------------------------------------------- */

/* Steps of at most 10 ms, so that "until" stops close to the moment. */
void world_until_(struct world *w, bool (*is)(struct world *w, uint64_t a), uint64_t a,
                  double seconds, const char *what, const char *file, int line)
{
    int64_t end = sim_now_us(w->sim) + (int64_t)(seconds * 1e6);

    while (!is(w, a)) {
        if (sim_now_us(w->sim) >= end) {
            print_error("%s:%d: %s did not come in %.1f s\n", file, line, what, seconds);
            _fail(file, line);
        }
        world_run(w, 0.01);
    }
}

struct wish {
    uint64_t id;
    const char *number;
    int state;
};

static bool has_state(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return world_page(w, x->id)->state == x->state;
}

static bool has_status(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return world_row(w, x->id) == x->state;
}

static bool has_line(struct world *w, uint64_t a)
{
    const struct wish *x = (const struct wish *)(uintptr_t)a;

    return (int)world_line(w, x->number) == x->state;
}

static bool is_answered(struct world *w, uint64_t a)
{
    return world_reply(w, a)->times > 0;
}

void expect_agent_(struct world *w, uint64_t agent, enum agent_state state, double seconds,
                   const char *file, int line)
{
    struct wish x = {agent, NULL, (int)state};
    char what[120];

    world_run(w, 0);
    (void)snprintf(what, sizeof what, "agent %" PRIu64 " %s (it is %s \"%s\")", agent,
                   agent_state_name(state), agent_state_name(world_page(w, agent)->state),
                   world_page(w, agent)->reason);
    world_until_(w, has_state, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_row_(struct world *w, uint64_t lead, enum row_status status, double seconds,
                 const char *file, int line)
{
    struct wish x = {lead, NULL, (int)status};
    char what[120];

    (void)snprintf(what, sizeof what, "row %" PRIu64 " %s (it is %s)", lead,
                   row_status_name(status), row_status_name(world_row(w, lead)));
    world_until_(w, has_status, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_line_(struct world *w, const char *number, enum line state, double seconds,
                  const char *file, int line)
{
    struct wish x = {0, number, (int)state};
    char what[120];

    (void)snprintf(what, sizeof what, "line to %s in state %d (it is %d)", number, (int)state,
                   (int)world_line(w, number));
    world_until_(w, has_line, (uint64_t)(uintptr_t)&x, seconds, what, file, line);
}

void expect_reply_(struct world *w, uint64_t request, enum result result, const char *part,
                   const char *file, int line)
{
    const struct reply *r;

    world_until_(w, is_answered, request, 5, "the reply", file, line);
    r = world_reply(w, request);
    if (r->result != result ||
        (part != NULL && strstr(r->text, part) == NULL && strstr(r->json, part) == NULL)) {
        print_error("%s:%d: the reply is %u \"%s\" %s, not %d with \"%s\"\n", file, line, r->result,
                    r->text, r->json, (int)result, part != NULL ? part : "");
        _fail(file, line);
    }
}

static bool can_start(struct world *w, uint64_t agent)
{
    return world_page(w, agent)->state == AGENT_BREAK;
}

void world_ready(struct world *w, uint64_t agent)
{
    (void)world_login(w, agent);
    world_until(w, can_start, agent, 30);
    expect_reply(w, world_available(w, agent), RESULT_OK, NULL);
}
