/*
 * gate.h - the last look before an originate, manual ones included (rules.md, domain.md X-1).
 *
 * A pure function: everything it judges by is in the two structs. It is asked when a claim comes
 * back and again when the call is about to leave, and by `explain lead`. What only the store can
 * know (do-not-call, retry interval, a live attempt to the number) is judged by the claim, inside
 * its transaction, with the same reasons; the gate holds them too so that explain can say them.
 *
 * How to add a reason: a line in REASONS (types.h), a field in one of the structs, a row in the
 * table of checks in gate.c, a case in tests/actors/test_gate.c. Counting and explaining follow.
 */
#ifndef ACTORS_GATE_H
#define ACTORS_GATE_H

#include "actors/types.h"
#include "core/hours.h"

struct gate_campaign {
    bool running;
    bool draining;
    bool line_up;
    bool automatic; /* false: an agent asked for it */
    struct text prefixes;
    struct text caller_id;
    uint32_t ring_s;
    uint16_t window_from_min;
    uint16_t window_to_min;
    struct zone_now zone; /* the campaign's */
    uint32_t max_attempts;
};

struct gate_lead {
    struct text number;
    bool own_zone;
    struct zone_now zone; /* valid with own_zone */
    uint32_t attempts;
    uint8_t row_status;
    bool final;
    bool list_active;
    bool suppressed;
    bool number_alive;
    uint32_t attempts_24h;
    int64_t due_wall_ms;
    int64_t number_free_wall_ms;
};

struct gate_verdict {
    enum reason reason;
    int64_t when_wall_ms; /* when the same question may get another answer, 0: not by waiting */
};

/* Is it + and 7 to 15 digits, the first not 0? */
bool gate_number_valid(struct text number);
/* May this lead be dialed by this campaign now? Of several reasons that time ends, the last to end
 * is told, with the time when none of them stands any more. */
struct gate_verdict gate_check(const struct gate_campaign *c, const struct gate_lead *l,
                               int64_t wall_ms);

#endif
