/*
 * rule.c - see rule.h.
 */
#include "adapters/zone/rule.h"

#include <string.h>

#define DAY_S 86400

struct reader {
    const char *p, *end;
    bool bad;
};

static char peek(const struct reader *r)
{
    return r->p < r->end ? *r->p : '\0';
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->p++;
    return true;
}

static int number(struct reader *r)
{
    int v = 0, digits = 0;

    while (peek(r) >= '0' && peek(r) <= '9' && digits < 4) {
        v = v * 10 + (*r->p++ - '0');
        digits++;
    }
    if (digits == 0)
        r->bad = true;
    return v;
}

static void name(struct reader *r)
{
    const char *from = r->p;

    if (take(r, '<')) {
        while (r->p < r->end && *r->p != '>')
            r->p++;
        if (!take(r, '>'))
            r->bad = true;
        return;
    }
    while ((peek(r) >= 'A' && peek(r) <= 'Z') || (peek(r) >= 'a' && peek(r) <= 'z'))
        r->p++;
    if (r->p - from < 3)
        r->bad = true;
}

/* [+-]hh[:mm[:ss]] */
static int32_t duration(struct reader *r)
{
    int32_t sign = 1, s;

    if (take(r, '-'))
        sign = -1;
    else
        take(r, '+');
    s = number(r) * 3600;
    if (take(r, ':'))
        s += number(r) * 60;
    if (take(r, ':'))
        s += number(r);
    return sign * s;
}

static void change(struct reader *r, struct zone_change *c)
{
    if (!take(r, ','))
        r->bad = true;
    if (take(r, 'M')) {
        c->kind = 'M';
        c->month = number(r);
        if (!take(r, '.'))
            r->bad = true;
        c->week = number(r);
        if (!take(r, '.'))
            r->bad = true;
        c->day = number(r);
        if (c->month < 1 || c->month > 12 || c->week < 1 || c->week > 5 || c->day > 6)
            r->bad = true;
    } else {
        c->kind = take(r, 'J') ? 'J' : '0';
        c->day = number(r);
        if (c->day > 365)
            r->bad = true;
    }
    c->time_s = take(r, '/') ? duration(r) : 2 * 3600;
}

void zone_rule_parse(const char *text, size_t len, struct zone_rule *out)
{
    struct reader r = {text, text + len, false};

    memset(out, 0, sizeof *out);
    if (len == 0)
        return;
    name(&r);
    out->standard = -duration(&r);
    if (r.p < r.end && !r.bad) {
        out->changes = true;
        name(&r);
        out->summer = peek(&r) == ',' ? out->standard + 3600 : -duration(&r);
        change(&r, &out->start);
        change(&r, &out->end);
    }
    out->valid = !r.bad && r.p == r.end;
}

static bool leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to 1 January of a year. */
static int64_t year_day(int64_t year)
{
    int64_t y = year - 1;

    return (year - 1970) * 365 + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int64_t day_of(const struct zone_change *c, int64_t year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t first = year_day(year), weekday, day;
    int m, length;

    if (c->kind == '0')
        return first + c->day;
    if (c->kind == 'J')
        return first + c->day - 1 + (leap(year) && c->day > 59);
    for (m = 1; m < c->month; m++)
        first += days[m - 1] + (m == 2 && leap(year));
    length = days[c->month - 1] + (c->month == 2 && leap(year));
    weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    day = (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
    while (day >= length)
        day -= 7;
    return first + day;
}

void zone_rule_at(const struct zone_rule *rule, int64_t now_s, struct zone_span *out)
{
    int64_t year = 1970 + now_s / (365 * DAY_S + DAY_S / 4), y;
    int64_t latest = INT64_MIN, next = INT64_MAX;

    out->offset_s = out->next_offset_s = rule->standard;
    out->until_wall_ms = 0;
    if (!rule->changes)
        return;
    /* The changes of three years: one of them was the last, one will be the next. */
    for (y = year - 1; y <= year + 1; y++) {
        int64_t at[2] = {day_of(&rule->start, y) * DAY_S + rule->start.time_s - rule->standard,
                         day_of(&rule->end, y) * DAY_S + rule->end.time_s - rule->summer};
        int32_t after[2] = {rule->summer, rule->standard};
        int i;
        for (i = 0; i < 2; i++) {
            if (at[i] <= now_s && at[i] > latest) {
                latest = at[i];
                out->offset_s = after[i];
            }
            if (at[i] > now_s && at[i] < next) {
                next = at[i];
                out->until_wall_ms = at[i] * MS_PER_S;
                out->next_offset_s = after[i];
            }
        }
    }
}
