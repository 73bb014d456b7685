/* judge_word.c - what the daemon says of itself: what its board shows a supervisor is what the
 * tables have (I9), and its log has a word of each fault that it cannot have missed (I10). */
#include "tests/judge/judge_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A board is a little older than the moment at which it was whole, a record's time a little older
 * than the board's change. */
#define BOARD_US INT64_C(3000000)
#define NOTICE_US INT64_C(15000000)
/* What was broken by the fault before may have been noticed as this one began. */
#define BEFORE_US INT64_C(2000000)

/* --- I9: agents --------------------------------------------------------------------------------
 */

/* What an agent was in the time around a board. */
struct around {
    uint64_t states;              /* a bit each */
    uint64_t always, at_any_time; /* the campaign where it was logged in then; 0 none */
    uint8_t state;
};

/* The record is in order. */
static struct around around(const struct judge *j, uint64_t agent, int64_t at_us)
{
    struct around r = {.state = AGENT_OFFLINE};
    uint64_t works = 0;
    bool changed = false;

    for (uint32_t i = 0; i < j->moved.n && j->moved.at[i].agent <= agent; i++) {
        const struct judge_moved *m = &j->moved.at[i];
        if (m->agent != agent || m->at_ms * 1000 > at_us + BOARD_US) {
            continue;
        }
        if (m->at_ms * 1000 >= at_us - BOARD_US) {
            r.states |= UINT64_C(1) << r.state;
            r.at_any_time = works ? works : r.at_any_time;
            changed = true;
        }
        r.state = m->state;
        works = m->state == AGENT_OFFLINE ? 0 : m->campaign;
    }
    r.states |= UINT64_C(1) << r.state;
    r.at_any_time = works ? works : r.at_any_time;
    r.always = changed ? 0 : works;
    return r;
}

static void check_shown_agent(struct judge *j, const struct seen *s)
{
    const struct around r = around(j, s->agent, s->at_us);
    const char *shown = judge_text(j, s->text);

    for (unsigned state = 0; state < AGENT_STATES; state++) {
        if (r.states >> state & 1 && strcmp(agent_state_name((uint8_t)state), shown) == 0) {
            return;
        }
    }
    judge_broken(j, 9, NULL, s->agent, s->at_us, "the board shows agent %" PRIu64 " %s, it was %s",
                 s->agent, shown, agent_state_name(r.state));
}

static void check_shown_campaign(struct judge *j, const struct seen *s)
{
    int64_t least = 0, most = 0;

    for (uint32_t i = 0; i < j->moved.n; i++) {
        if (i == 0 || j->moved.at[i].agent != j->moved.at[i - 1].agent) {
            const struct around r = around(j, j->moved.at[i].agent, s->at_us);
            least += r.always == s->agent;
            most += r.at_any_time == s->agent;
        }
    }
    if (s->value < least || s->value > most) {
        judge_broken(j, 9, NULL, 0, s->at_us,
                     "the board shows campaign %" PRIu64 " with %" PRId64
                     " agents, by the record there were %" PRId64 " to %" PRId64,
                     s->agent, s->value, least, most);
    }
}

/* --- I9: calls ---------------------------------------------------------------------------------
 */

static void check_shown_call(struct judge *j, const struct seen *s)
{
    const uint32_t i = judge_find(&j->call_of, s->id);
    const struct call *c = i == NONE ? NULL : &j->calls.at[i];
    const struct judge_attempt *r =
        !c || c->attempt == NONE ? NULL : &j->attempts.at[c->attempt].row;

    if (!r) {
        judge_broken(j, 9, c, 0, s->at_us, "the board shows %s, the store has no such call",
                     judge_text(j, s->id));
    } else if (r->claimed_ms * 1000 > s->at_us + BOARD_US ||
               (r->ended_ms && r->ended_ms * 1000 < s->at_us - BOARD_US)) {
        judge_broken(j, 9, c, r->agent, s->at_us, "the board shows it, %.1f s after its end",
                     (double)(s->at_us - r->ended_ms * 1000) / 1e6);
    }
}

/* Those who rang or talked all the time around the board are on it. */
static void check_missing_calls(struct judge *j, uint32_t board)
{
    const int64_t at_us = j->seen.at[board].at_us;
    struct map shown = {0};

    for (uint32_t i = 0; i < j->seen.n; i++) {
        const struct seen *s = &j->seen.at[i];
        if (s->kind == JUDGE_BOARD_CALL && s->at_us == at_us) {
            judge_put(&shown, s->id, i);
        }
    }
    for (uint32_t i = 0; i < j->attempts.n; i++) {
        const struct attempt *a = &j->attempts.at[i];
        const bool begun = a->row.originated_ms && a->row.originated_ms * 1000 < at_us - BOARD_US;
        const bool over = a->row.ended_ms && a->row.ended_ms * 1000 <= at_us + BOARD_US;
        if (begun && !over && judge_find(&shown, a->id) == NONE) {
            judge_broken(j, 9, &j->calls.at[judge_find(&j->call_of, a->id)], a->row.agent, at_us,
                         "it is on the line, and the board does not show it");
        }
    }
    free(shown.key);
    free(shown.value);
}

/* --- I10 ---------------------------------------------------------------------------------------
 */

static bool among(const char *codes, const char *code)
{
    const size_t n = strlen(code);

    for (const char *at = strstr(codes, code); at; at = strstr(at + n, code)) {
        if ((at == codes || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Up to the next fault that shows itself alike, or some time after the recovery. A daemon that dies
 * meanwhile takes what it knew with it. */
static void check_noticed(struct judge *j, uint32_t fault)
{
    const struct seen *f = &j->seen.at[fault];
    int64_t until = INT64_MAX;

    for (uint32_t i = 0; i < j->seen.n && j->seen.at[i].at_us <= until; i++) {
        const struct seen *s = &j->seen.at[i];
        if (s->at_us < f->at_us - BEFORE_US) {
            continue;
        }
        if (s->kind == JUDGE_NOTICED && among(judge_text(j, f->number), judge_text(j, s->text))) {
            return;
        }
        if (s->kind == JUDGE_RECOVERED && s->at_us >= f->at_us && s->text == f->text &&
            until == INT64_MAX) {
            until = s->at_us + NOTICE_US;
        }
        if (s->kind == JUDGE_FAULT && i > fault) {
            if (s->number == f->number) {
                break;
            }
            if (among(judge_text(j, s->number), "DLR-START")) {
                return;
            }
        }
    }
    judge_broken(j, 10, NULL, 0, f->at_us, "%s: nothing of it in the log, where %s should be",
                 judge_text(j, f->text), judge_text(j, f->number));
}

void judge_words(struct judge *j)
{
    for (uint32_t i = 0; i < j->seen.n; i++) {
        const struct seen *s = &j->seen.at[i];
        if (s->kind == JUDGE_BOARD) {
            check_missing_calls(j, i);
        } else if (s->kind == JUDGE_BOARD_AGENT) {
            check_shown_agent(j, s);
        } else if (s->kind == JUDGE_BOARD_CALL) {
            check_shown_call(j, s);
        } else if (s->kind == JUDGE_BOARD_CAMPAIGN) {
            check_shown_campaign(j, s);
        } else if (s->kind == JUDGE_FAULT && s->number) {
            check_noticed(j, i);
        }
    }
}
