/*
 * zone.h - the clock of a place: offsets from UTC out of the system's zone files.
 *
 * Its own reader, because the C library knows one zone at a time (TZ), for the whole process. Files
 * are read once and kept. Any thread may call.
 */
#ifndef ADAPTERS_ZONE_ZONE_H
#define ADAPTERS_ZONE_ZONE_H

#include "core/types.h"

struct zone_span {
    int64_t offset_s;      /* local time minus UTC */
    int64_t until_wall_ms; /* when that changes, 0 never */
    int64_t next_offset_s; /* the offset after that */
};

/* What holds in the zone (an IANA name such as Europe/Berlin) at a time. false: no such zone. */
bool zone_at(struct text name, int64_t wall_ms, struct zone_span *out);

bool zone_known(struct text name);

/* The start of the local day that holds wall_ms, as UTC. Where midnight does not exist: the first
 * moment of the day. An unknown zone counts as UTC. */
int64_t zone_day_start(struct text name, int64_t wall_ms);

/* Where the zone files are; the default is /usr/share/zoneinfo. Call before any thread starts. */
void zone_directory(const char *path);

/* Frees what was read. Only when no other thread uses zones any more. */
void zone_forget(void);

#endif
