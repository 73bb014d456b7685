#include "core/hours.h"

#define DAY_S INT64_C(86400)

static int64_t day_second(const struct zone_now *zone, int64_t wall_ms)
{
    bool changed = zone->until_wall_ms != 0 && wall_ms >= zone->until_wall_ms;
    int64_t local_s = wall_ms / MS_PER_S + (changed ? zone->next_offset_s : zone->offset_s);
    int64_t s = local_s % DAY_S;

    return s < 0 ? s + DAY_S : s;
}

int hours_local_minute(const struct zone_now *zone, int64_t wall_ms)
{
    return (int)(day_second(zone, wall_ms) / 60);
}

static bool inside(int64_t second, int64_t from_s, int64_t to_s)
{
    return from_s < to_s ? second >= from_s && second < to_s : second >= from_s || second < to_s;
}

bool hours_open(const struct hours *h, const struct zone_now *zone, int64_t wall_ms,
                int64_t *opens_wall_ms)
{
    int64_t from_s = (int64_t)h->from_min * 60;
    int64_t to_s = (int64_t)h->to_min * 60;

    *opens_wall_ms = 0;
    if (h->from_min == h->to_min) {
        return true;
    }
    int64_t now_s = day_second(zone, wall_ms);

    if (inside(now_s, from_s, to_s) &&
        inside(day_second(zone, wall_ms + h->lasts_ms), from_s, to_s)) {
        return true;
    }
    /* The next opening by today's offset; across a change of the clocks it is put right when it
     * is asked again. */
    int64_t wait_s = from_s - now_s;

    if (wait_s <= 0) {
        wait_s += DAY_S;
    }
    int64_t at = (wall_ms / MS_PER_S + wait_s) * MS_PER_S;

    if (zone->until_wall_ms != 0 && wall_ms < zone->until_wall_ms && at >= zone->until_wall_ms) {
        at -= (zone->next_offset_s - zone->offset_s) * MS_PER_S;
    }
    *opens_wall_ms = at;
    return false;
}
