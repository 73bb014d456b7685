/*
 * hours.h - a daily window on a place's clock: is it open, and when does it open next. Pure
 * arithmetic; where the offsets come from is the caller's.
 */
#ifndef CORE_HOURS_H
#define CORE_HOURS_H

#include "core/types.h"

/* A place's offset from UTC, which changes at most once in the time that matters. */
struct zone_now {
    int64_t offset_s;
    int64_t until_wall_ms; /* 0: does not change */
    int64_t next_offset_s;
};

struct hours {
    uint16_t from_min; /* minutes after local midnight */
    uint16_t to_min;   /* exclusive; less than from: over midnight; equal: the whole day */
    int64_t lasts_ms;  /* what begins inside must be over before the closing */
};

/* Minutes after local midnight at an instant. */
int hours_local_minute(const struct zone_now *zone, int64_t wall_ms);
/* May something begin at wall_ms? When not: the next opening in *opens_wall_ms, else 0 there. */
bool hours_open(const struct hours *h, const struct zone_now *zone, int64_t wall_ms,
                int64_t *opens_wall_ms);

#endif
