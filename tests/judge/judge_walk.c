/* judge_walk.c - the events in their order: each channel's story, and what is wrong at the moment
 * it happens (I2, I4, I5 by its hour, I6's two calls, I9's gaps, I10). */
#include "tests/judge/judge_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDING_US INT64_C(5000) /* rows have milliseconds */

static const struct attempt *row_of(const struct judge *j, const struct call *c)
{
    return c->attempt == NONE ? NULL : &j->attempts.at[c->attempt];
}

/* --- originates ----------------------------------------------------------------------------------
 */

static void check_epoch(struct judge *j, const struct call *c, int64_t at_us)
{
    struct campaign *camp = judge_camp(j, c->owner);

    if (c->epoch > camp->epoch) {
        camp->epoch = c->epoch;
        camp->epoch_us = at_us;
    } else if (c->epoch < camp->epoch && at_us > camp->epoch_us + judge_margin_us(j)) {
        judge_broken(j, 4, c, 0, at_us,
                     "originated by epoch %" PRIu64 " when epoch %" PRIu64 " had begun to dial",
                     c->epoch, camp->epoch);
    }
}

static void check_number(struct judge *j, const struct call *c, int64_t at_us)
{
    const uint32_t last = judge_find(&j->number_last, c->number);
    const struct call *before = last == NONE ? NULL : &j->calls.at[last];
    const struct attempt *row = row_of(j, c);
    const bool automatic = !row || row->row.cause == CAUSE_AUTO;
    const int64_t retry_us = judge_camp(j, c->owner)->row.retry_ms * 1000;

    if (c->number == 0 || !before) {
        return;
    }
    if (before->ended_us == 0) {
        judge_broken(j, automatic ? 2 : 5, c, 0, at_us, "dialed while %s to that number lives",
                     judge_text(j, before->id));
    } else if (automatic && before->owner == c->owner &&
               at_us - before->ended_us + ROUNDING_US < retry_us) {
        judge_broken(j, 2, c, 0, at_us,
                     "dialed again %.1f s after the end of %s, the retry interval is %.0f s",
                     (double)(at_us - before->ended_us) / 1e6, judge_text(j, before->id),
                     (double)retry_us / 1e6);
    }
}

static bool allowed_prefix(const char *prefixes, const char *number)
{
    while (*prefixes) {
        const size_t n = strcspn(prefixes, ",");
        if (n > 0 && strncmp(prefixes, number, n) == 0) {
            return true;
        }
        prefixes += n + (prefixes[n] == ',');
    }
    return false;
}

/* Minute of the day in the zone, by the C library's tables. */
static unsigned local_minute(const char *zone, int64_t at_us)
{
    static char current[64];
    const time_t at = (time_t)(at_us / 1000000);
    struct tm local;

    if (strcmp(current, zone) != 0) {
        char value[80];
        snprintf(current, sizeof current, "%s", zone);
        snprintf(value, sizeof value, ":%s", zone);
        setenv("TZ", value, 1);
        tzset();
    }
    localtime_r(&at, &local);
    return (unsigned)(local.tm_hour * 60 + local.tm_min);
}

static void check_allowed(struct judge *j, const struct call *c, int64_t at_us)
{
    const struct campaign *camp = judge_camp(j, c->owner);
    const struct judge_campaign *r = &camp->row;
    const struct attempt *row = row_of(j, c);
    const uint32_t s = judge_find(&j->suppressed_of, c->number);
    unsigned minute;

    if (r->prefixes && !allowed_prefix(judge_text(j, camp->prefixes), judge_text(j, c->number))) {
        judge_broken(j, 5, c, 0, at_us, "the number's prefix is not allowed");
    }
    if (row && s != NONE && j->suppressed.at[s].at_ms < row->row.claimed_ms) {
        judge_broken(j, 5, c, 0, at_us, "claimed %.1f s after its number was suppressed",
                     (double)(row->row.claimed_ms - j->suppressed.at[s].at_ms) / 1e3);
    }
    if (!row || row->zone == 0 || r->from_min == r->to_min || row->row.cause != CAUSE_AUTO) {
        return;
    }
    minute = local_minute(judge_text(j, row->zone), at_us);
    if (r->from_min < r->to_min ? minute < r->from_min || minute >= r->to_min
                                : minute < r->from_min && minute >= r->to_min) {
        judge_broken(j, 5, c, 0, at_us, "dialed at %02u:%02u where the callee is (%s)", minute / 60,
                     minute % 60, judge_text(j, row->zone));
    }
}

static void originated(struct judge *j, const struct seen *s)
{
    struct call *c = judge_call(j, s->id);

    if (!s->yes) {
        return;
    }
    if (c->originates++ > 0) {
        judge_broken(j, c->customer ? 2 : 3, c, 0, s->at_us, "originated twice");
        return;
    }
    c->originated_us = s->at_us;
    c->number = s->number;
    if (!c->customer) {
        return;
    }
    j->verdict.calls++;
    check_epoch(j, c, s->at_us);
    check_number(j, c, s->at_us);
    check_allowed(j, c, s->at_us);
    if (c->number) {
        judge_put(&j->number_last, c->number, judge_find(&j->call_of, c->id));
    }
}

/* --- bridges -------------------------------------------------------------------------------------
 */

/* The map has index + 1, 0 when the bridge is empty. */
static uint32_t first_index(const struct judge *j, word bridge)
{
    const uint32_t i = judge_find(&j->bridge_first, bridge);

    return i == NONE || i == 0 ? NONE : i - 1;
}

static struct call *first_in(const struct judge *j, word bridge)
{
    const uint32_t i = first_index(j, bridge);

    return i == NONE ? NULL : &j->calls.at[i];
}

static struct call *next_in(const struct judge *j, const struct call *c)
{
    return c->next == NONE ? NULL : &j->calls.at[c->next];
}

static uint32_t index_of(const struct judge *j, const struct call *c)
{
    return (uint32_t)(c - j->calls.at);
}

/* Who talks to whom in this bridge now. */
static void talks(struct judge *j, word bridge, int64_t at_us)
{
    struct call *customer = NULL;
    unsigned customers = 0;

    for (struct call *c = first_in(j, bridge); c; c = next_in(j, c)) {
        if (c->customer) {
            customers++;
            customer = c;
        }
    }
    if (customers > 1) {
        j->verdict.two_calls++;
        judge_broken(j, 6, customer, 0, at_us, "two customers in bridge %s", judge_text(j, bridge));
    }
    for (struct call *c = first_in(j, bridge); customer && c; c = next_in(j, c)) {
        struct agent *a = c->customer ? NULL : judge_person(j, c->owner);
        if (!a) {
            continue;
        }
        if (a->customer != NONE && a->customer != index_of(j, customer)) {
            j->verdict.two_calls++;
            judge_broken(j, 6, customer, a->agent, at_us, "its agent is in a bridge with %s, too",
                         judge_text(j, j->calls.at[a->customer].id));
        }
        a->customer = index_of(j, customer);
        if (customer->bridged_us == 0) {
            customer->bridged_us = at_us;
        }
    }
}

static void parted(struct call *customer, int64_t at_us)
{
    if (customer->parted_us == 0) {
        customer->parted_us = at_us;
    }
}

static void leave(struct judge *j, struct call *c, int64_t at_us)
{
    uint32_t at = first_index(j, c->bridge);
    const bool customer = c->customer;

    if (c->bridge == 0) {
        return;
    }
    if (at == index_of(j, c)) {
        judge_put(&j->bridge_first, c->bridge, c->next == NONE ? 0 : c->next + 1);
    } else {
        while (j->calls.at[at].next != index_of(j, c)) {
            at = j->calls.at[at].next;
        }
        j->calls.at[at].next = c->next;
    }
    if (!customer) {
        struct agent *own = judge_person(j, c->owner);

        if (own->customer != NONE) {
            parted(&j->calls.at[own->customer], at_us);
        }
        own->customer = NONE;
    } else if (c->bridged_us != 0) {
        parted(c, at_us);
    }
    for (struct call *m = customer ? first_in(j, c->bridge) : NULL; m; m = next_in(j, m)) {
        struct agent *a = m->customer ? NULL : judge_person(j, m->owner);
        if (a && a->customer == index_of(j, c)) {
            a->customer = NONE;
        }
    }
    c->bridge = 0;
    c->next = NONE;
}

static void enter(struct judge *j, const struct seen *s)
{
    struct call *c = judge_call(j, s->id);

    leave(j, c, s->at_us);
    c->bridge = s->text;
    c->next = first_index(j, s->text);
    judge_put(&j->bridge_first, s->text, index_of(j, c) + 1);
    talks(j, s->text, s->at_us);
}

/* --- ends, the application, the agents
 * ------------------------------------------------------------ */

static void ended(struct judge *j, struct call *c, int64_t at_us)
{
    leave(j, c, at_us);
    if (c->ended_us == 0) {
        c->ended_us = at_us;
    }
}

static bool alive(const struct call *c)
{
    return c->originates > 0 && c->ended_us == 0;
}

static void server_down(struct judge *j, int64_t at_us)
{
    for (uint32_t i = 0; i < j->calls.n; i++) {
        if (alive(&j->calls.at[i])) {
            j->calls.at[i].by_crash = true;
            ended(j, &j->calls.at[i], at_us);
        }
    }
}

static void application(struct judge *j, bool held)
{
    if (held && !j->held) {
        for (uint32_t i = 0; i < j->calls.n; i++) {
            struct call *c = &j->calls.at[i];
            c->survived = c->survived || (c->customer && alive(c) && c->answered_us > 0);
        }
    }
    j->held = held;
}

static void fault(struct judge *j, const struct seen *s, bool *broken)
{
    if (s->kind == JUDGE_FAULT && s->yes && !*broken) {
        *ADD(j->outages) = (struct outage){.from_us = s->at_us, .to_us = s->at_us, .text = s->text};
        *broken = true;
    } else if (s->kind == JUDGE_RECOVERED && *broken) {
        j->outages.at[j->outages.n - 1].to_us = s->at_us;
        *broken = false;
    }
}

static void agents_record(struct judge *j, const struct seen *s)
{
    struct agent *a = judge_person(j, s->agent);
    struct call *c = NULL;

    switch ((enum judge_kind)s->kind) {
    case JUDGE_TOLD:
        a->told = true;
        a->gone = false;
        a->page = s->text;
        break;
    case JUDGE_GONE:
        a->gone = true;
        break;
    case JUDGE_ACKED:
        c = judge_call(j, s->id);
        c->acked = s->text;
        c->acked_us = s->at_us;
        c->acked_agent = s->agent;
        j->verdict.acked++;
        break;
    case JUDGE_GAP:
        judge_broken(j, 9, NULL, s->agent, s->at_us, "the page's changes do not join on: %s",
                     judge_text(j, s->text));
        break;
    case JUDGE_ASKED:
        a->hang_up_us = strcmp(judge_text(j, s->text), "hang_up") == 0 ? s->at_us : a->hang_up_us;
        break;
    case JUDGE_ORIGINATE:
    case JUDGE_ANSWER:
    case JUDGE_ENTER:
    case JUDGE_LEAVE:
    case JUDGE_MESSAGE:
    case JUDGE_MESSAGE_END:
    case JUDGE_END:
    case JUDGE_HELD:
    case JUDGE_NOT_HELD:
    case JUDGE_PBX_DOWN:
    case JUDGE_PBX_UP:
    case JUDGE_FAULT:
    case JUDGE_RECOVERED:
    case JUDGE_LIMIT:
    case JUDGE_NOTICED:
    case JUDGE_BOARD:
    case JUDGE_BOARD_AGENT:
    case JUDGE_BOARD_CALL:
    case JUDGE_BOARD_CAMPAIGN:
        break;
    }
}

/* What a channel does but for originate and bridges. */
static void channel(struct judge *j, const struct seen *s)
{
    struct call *c = judge_call(j, s->id);

    if (s->kind == JUDGE_ANSWER && c->answered_us == 0) {
        c->answered_us = s->at_us;
        c->held = s->yes;
    } else if (s->kind == JUDGE_MESSAGE && c->message_us == 0) {
        c->message_us = s->at_us;
    } else if (s->kind == JUDGE_MESSAGE_END && s->yes) {
        c->message_end_us = s->at_us;
    } else if (s->kind == JUDGE_END) {
        c->by_far = c->by_far || (c->ended_us == 0 && s->yes);
        ended(j, c, s->at_us);
    }
}

static void step(struct judge *j, const struct seen *s, bool *broken)
{
    switch ((enum judge_kind)s->kind) {
    case JUDGE_ORIGINATE:
        originated(j, s);
        break;
    case JUDGE_ENTER:
        enter(j, s);
        break;
    case JUDGE_LEAVE:
        leave(j, judge_call(j, s->id), s->at_us);
        break;
    case JUDGE_ANSWER:
    case JUDGE_MESSAGE:
    case JUDGE_MESSAGE_END:
    case JUDGE_END:
        channel(j, s);
        break;
    case JUDGE_PBX_DOWN:
        server_down(j, s->at_us);
        application(j, false);
        break;
    case JUDGE_HELD:
    case JUDGE_NOT_HELD:
        application(j, s->kind == JUDGE_HELD);
        break;
    case JUDGE_FAULT:
    case JUDGE_RECOVERED:
        fault(j, s, broken);
        break;
    case JUDGE_LIMIT:
        judge_broken(j, 10, NULL, 0, s->at_us, "%s is %" PRId64, judge_text(j, s->text), s->value);
        break;
    case JUDGE_TOLD:
    case JUDGE_ACKED:
    case JUDGE_GAP:
    case JUDGE_GONE:
    case JUDGE_ASKED:
        agents_record(j, s);
        break;
    case JUDGE_PBX_UP:
    case JUDGE_NOTICED:
    case JUDGE_BOARD:
    case JUDGE_BOARD_AGENT:
    case JUDGE_BOARD_CALL:
    case JUDGE_BOARD_CAMPAIGN:
        break;
    }
}

void judge_walk(struct judge *j)
{
    bool broken = false;

    for (uint32_t i = 0; i < j->seen.n; i++) {
        const struct seen s = j->seen.at[i];
        step(j, &s, &broken);
    }
    if (broken && j->seen.n > 0) { /* it lasted to the end */
        j->outages.at[j->outages.n - 1].to_us = j->seen.at[j->seen.n - 1].at_us;
    }
}
