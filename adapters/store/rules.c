/*
 * rules.c - see rules.h.
 */
#include "adapters/store/rules.h"
#include "core/mutant.h"

#include <string.h>

#include "adapters/zone/zone.h"
#include "core/prefix.h"

struct text text_from(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

const char *store_status_name(int status)
{
    switch (status) {
    case STORE_OK:
        return "good";
    case STORE_AWAY:
        return "not reachable";
    case STORE_HELD:
        return "held by another daemon";
    case STORE_TOO_NEW:
        return "made by a newer program";
    case STORE_INVALID:
        return "invalid request";
    case STORE_NOT_FOUND:
        return "not found";
    case STORE_CONFLICT:
        return "conflict";
    default:
        return "fault";
    }
}

static enum reason decide_automatic(const struct msg_claim *req, const struct claim_facts *f,
                                    int64_t *due_ms)
{
    int64_t free_ms = f->last_ms + (int64_t)req->retry_s * MS_PER_S;

    if (f->due_ms > req->at_wall_ms) {
        *due_ms = f->due_ms;
        return REASON_not_due;
    }
    if (f->attempts >= req->max_attempts && !f->callback)
        return REASON_attempts_used;
    if (f->last_ms > 0 && free_ms > req->at_wall_ms && !MUTANT(no_retry_interval)) {
        *due_ms = free_ms;
        return REASON_retry_interval;
    }
    if (f->day >= DAILY_LIMIT) {
        *due_ms = f->day_first_ms + DAY_MS;
        return REASON_number_daily_limit;
    }
    return REASON_allow;
}

/* R17, R18: judged here and not only at the originate, so that a row outside its hours gets its
 * time without ever having been claimed. */
static enum reason decide_hours(const struct msg_claim *req, const struct claim_facts *f,
                                int64_t *due_ms)
{
    const struct hours hours = {req->window_from_min, req->window_to_min,
                                (int64_t)req->ring_s * MS_PER_S};
    const struct zone_now campaign = {req->zone_offset_s, req->zone_until_wall_ms,
                                      req->zone_next_offset_s};

    return hours_open(&hours, f->own_zone ? &f->zone : &campaign, req->at_wall_ms, due_ms)
               ? REASON_allow
               : REASON_outside_hours;
}

bool list_open(const struct msg_candidates *req, struct text list_zone, int64_t *opens_wall_ms)
{
    const struct hours hours = {req->window_from_min, req->window_to_min,
                                (int64_t)req->ring_s * MS_PER_S};
    struct zone_now zone = {req->zone_offset_s, req->zone_until_wall_ms, req->zone_next_offset_s};

    callee_zone((struct text){"", 0}, list_zone, req->at_wall_ms, &zone);
    return hours_open(&hours, &zone, req->at_wall_ms, opens_wall_ms);
}

/* R16: a row that will not be called leaves no attempt, like one outside its hours. */
static enum reason decide_prefix(const struct msg_claim *req, const struct claim_facts *f)
{
    if (prefix_among(f->number, text_from(PREFIXES_NEVER_CALLED)))
        return REASON_prefix_forbidden;
    return prefix_among(f->number, req->prefixes) ? REASON_allow : REASON_prefix_not_allowed;
}

struct row_step claim_step(const struct msg_claim *req, const struct claim_facts *f)
{
    return row_next(f->status, f->final, req->cause == CAUSE_AGENT ? RE_ASKED_FOR : RE_CLAIMED);
}

enum reason claim_decide(const struct msg_claim *req, const struct claim_facts *f, int64_t *due_ms)
{
    bool automatic = req->cause != CAUSE_AGENT;
    enum reason reason = REASON_allow;

    *due_ms = 0;
    if (!f->found)
        return REASON_row_not_pending;
    if (f->campaign != req->campaign)
        return REASON_row_foreign;
    if (!f->leased && !MUTANT(stale_owner))
        return REASON_fenced;
    if (!claim_step(req, f).moves)
        return automatic && f->final ? REASON_final : REASON_row_not_pending;
    if (f->suppressed && !MUTANT(do_not_call_ignored))
        return REASON_do_not_call;
    /* A list that is stopped is not dialed (R24); its agent may still call one of its people. */
    if (automatic && (!f->list_active || f->list_manual))
        return REASON_list_stopped;
    if (f->alive) {
        *due_ms = req->at_wall_ms + ALIVE_AGAIN_MS;
        return REASON_number_alive;
    }
    reason = decide_prefix(req, f);
    if (automatic && reason == REASON_allow)
        reason = decide_automatic(req, f, due_ms);
    return reason == REASON_allow ? decide_hours(req, f, due_ms) : reason;
}

struct claim_effect claim_refused(const struct msg_claim *req, const struct claim_facts *f,
                                  enum reason reason, int64_t due_ms)
{
    if (req->cause == CAUSE_AGENT)
        return (struct claim_effect){0};
    switch ((int)reason) {
    case REASON_do_not_call:
    case REASON_final:
        return (struct claim_effect){row_next(f->status, f->final, RE_BARRED), 0};
    case REASON_attempts_used:
    case REASON_prefix_not_allowed:
    case REASON_prefix_forbidden: /* until the campaign changes */
        return (struct claim_effect){row_next(f->status, f->final, RE_HELD_BACK), DUE_NEVER};
    case REASON_number_alive:
    case REASON_retry_interval:
    case REASON_number_daily_limit:
    case REASON_outside_hours:
        return (struct claim_effect){row_next(f->status, f->final, RE_HELD_BACK), due_ms};
    default:
        return (struct claim_effect){0};
    }
}

int64_t over_due(const struct msg_attempt_over *m, int64_t due_ms)
{
    bool keeps =
        row_event_of(m->outcome) == RE_NOT_SENT && due_ms > m->due_wall_ms && due_ms < DUE_NEVER;

    return keeps ? due_ms : m->due_wall_ms;
}

/* The row after a disposition; -1 as delay: the campaign's for that outcome. */
static void dispose_row(const struct msg_dispose *req, const struct dispose_facts *f,
                        struct dispose_effect *e)
{
    int64_t delay_s = f->d.recycle_s;
    enum row_event on = RE_AGAIN; /* recycling brings it back at its time */

    if (delay_s < 0) {
        if (text_same(f->d.code, text_from("busy")))
            delay_s = f->busy_s;
        else if (text_same(f->d.code, text_from("not_disposed")))
            delay_s = f->not_disposed_s;
        else
            delay_s = f->no_answer_s;
    }
    e->callback = f->d.callback;
    e->due_ms = e->callback ? req->callback_wall_ms : req->at_wall_ms + delay_s * MS_PER_S;
    if (!e->callback && (f->d.final || delay_s == 0)) {
        on = RE_SETTLED;
        e->due_ms = 0;
    } else if (!f->d.offered) {
        on = RE_NOT_DISPOSED;
    }
    e->row = row_next(f->row_status, f->row_final, on);
}

struct dispose_effect dispose_decide(const struct msg_dispose *req, const struct dispose_facts *f)
{
    struct dispose_effect e = {.result = RESULT_OK, .text = ""};
    bool correction = req->corrected_by.len > 0; /* R25 */
    /* The number says that it is the agent's call at hand. Who has it is told by the campaign, and
     * may come after, above all when both wait for the store. */
    bool vouched = f->agent == 0 && req->number.len > 0;
    bool called_again = f->superseded && row_in_air(f->row_status);
    bool ended = f->superseded || !row_in_air(f->row_status);

    if (!f->found)
        return (struct dispose_effect){.result = RESULT_NOT_FOUND, .text = "no such call"};
    if (correction && f->disposition.len == 0)
        return (struct dispose_effect){.result = RESULT_REFUSED,
                                       .text = "the call has no disposition yet to correct"};
    if (!correction && f->agent != req->agent && !vouched)
        return (struct dispose_effect){.result = RESULT_REFUSED,
                                       .text = "only the agent who had the call may dispose it"};
    if (f->d.code.len == 0)
        return (struct dispose_effect){.result = RESULT_INVALID, .text = "no such disposition"};
    if (f->disposition.len > 0 && text_same(f->disposition, f->d.code) &&
        (!f->d.callback || f->callback_ms == req->callback_wall_ms)) {
        e.repeated = true;
        return e;
    }
    if (correction && !f->d.offered)
        return (struct dispose_effect){.result = RESULT_INVALID,
                                       .text = "that disposition is the system's own"};
    if (!correction && f->disposition.len > 0 && !f->by_system)
        return (struct dispose_effect){.result = RESULT_CONFLICT,
                                       .text = "the call has its disposition already"};
    if (f->disposition.len > 0 && !f->d.offered)
        return (struct dispose_effect){.result = RESULT_CONFLICT,
                                       .text = "the call has its disposition already"};
    if (f->d.callback && req->callback_wall_ms <= req->at_wall_ms)
        return (struct dispose_effect){.result = RESULT_INVALID,
                                       .text = "a callback needs a time in the future"};
    dispose_row(req, f, &e);
    if (called_again && e.callback) /* that call would end without it */
        return (struct dispose_effect){
            .result = RESULT_REFUSED,
            .text = "the lead is being called again: agree on the callback in that call"};
    if (called_again || (f->superseded && !e.row.final && !e.callback))
        e.row.moves = false;
    /* Before the attempt's end its row has counted nothing yet. */
    e.attempts = (f->d.counts ? 1 : 0) - (ended && f->counts ? 1 : 0);
    return e;
}

unsigned away_fields(uint16_t type)
{
    switch (type) {
    case MSG_attempt_moved:
        return 6;
    case MSG_attempt_over:
        return 15;
    case MSG_leg_claim:
        return 7;
    case MSG_leg_over:
        return 4;
    case MSG_agent_moved:
        return 6;
    case MSG_dispose:
        return 9;
    case MSG_suppress:
        return 4;
    case MSG_alarm_moved:
        return 7;
    default:
        return 0;
    }
}

bool away_keeps(uint16_t type)
{
    return away_fields(type) != 0;
}

void say_suppressed(struct msg_disposed *out, struct text called, struct text own)
{
    out->suppressed = called;
    if (!text_same(called, own))
        out->suppressed_own = own;
}

struct away_dispose away_dispose_decide(const struct msg_dispose *req,
                                        const struct store_disposition *d, struct text earlier)
{
    struct dispose_facts f = {.found = true, .agent = req->agent, .disposition = earlier};
    struct dispose_effect e;

    if (d)
        f.d = *d;
    f.callback_ms = earlier.len > 0 ? req->callback_wall_ms : 0;
    e = dispose_decide(req, &f);
    /* The system's own, at the end of a wrap-up: nobody waits for it, and the store may refuse it.
     */
    if (e.result == RESULT_OK && req->client != 0 && req->number.len == 0)
        return (struct away_dispose){
            .result = RESULT_AWAY,
            .text = "the store is away: until it is back only your last call can be disposed"};
    return (struct away_dispose){
        .result = e.result,
        .text = e.text,
        .repeated = e.repeated,
        .suppressed = e.result == RESULT_OK && d && d->dnc ? req->number : (struct text){NULL, 0}};
}

int64_t number_tail(struct text number)
{
    int64_t tail = 0, power = 1;
    unsigned digits = 0;
    uint32_t i;

    for (i = number.len; i > 0 && digits < 10; i--) {
        char c = number.ptr[i - 1];
        if (c < '0' || c > '9')
            break;
        tail += (c - '0') * power;
        power *= 10;
        digits++;
    }
    return tail;
}

bool number_valid(struct text number)
{
    uint32_t i;

    if (number.len < 8 || number.len > 16 || number.ptr[0] != '+' || number.ptr[1] == '0')
        return false;
    for (i = 1; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9')
            return false;
    return true;
}

bool callee_zone(struct text lead_zone, struct text list_zone, int64_t now, struct zone_now *out)
{
    struct zone_span span;
    struct text zone = lead_zone.len ? lead_zone : list_zone;

    if (zone.len == 0 || !zone_at(zone, now, &span))
        return false;
    *out = (struct zone_now){span.offset_s, span.until_wall_ms, span.next_offset_s};
    return true;
}

void claim_zone(struct text lead_zone, struct text list_zone, int64_t now, struct msg_claimed *out)
{
    struct zone_now zone;

    if (!callee_zone(lead_zone, list_zone, now, &zone))
        return;
    out->own_zone = true;
    out->zone_offset_s = zone.offset_s;
    out->zone_until_wall_ms = zone.until_wall_ms;
    out->zone_next_offset_s = zone.next_offset_s;
}

void config_zone(struct msg_campaign_config *c, int64_t now)
{
    struct zone_span span;

    if (!zone_at(c->zone, now, &span))
        return;
    c->zone_offset_s = span.offset_s;
    c->zone_until_wall_ms = span.until_wall_ms;
    c->zone_next_offset_s = span.next_offset_s;
}
