/*
 * rule.h - the footer of a zone file: a rule for all years, such as CET-1CEST,M3.5.0,M10.5.0/3
 */
#ifndef ADAPTERS_ZONE_RULE_H
#define ADAPTERS_ZONE_RULE_H

#include "adapters/zone/zone.h"

struct zone_change {
    char kind; /* 'M' month.week.day, 'J' day 1..365 without 29 February, '0' day 0..365 */
    int month, week, day;
    int32_t time_s; /* local wall time of the change */
};

struct zone_rule {
    bool valid;
    bool changes;             /* has summer time */
    int32_t standard, summer; /* offsets */
    struct zone_change start, end;
};

void zone_rule_parse(const char *text, size_t len, struct zone_rule *out);
void zone_rule_at(const struct zone_rule *rule, int64_t now_s, struct zone_span *out);

#endif
