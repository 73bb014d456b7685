/* refused.c - see refused.h. */
#include "adapters/ari/refused.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_SHOWN 4u
#define NUMBER_DIGITS 7u /* as many in a row are a phone number */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A phone number is nobody's business in a log: only its last digits are left. */
static void keep_masked(char *out, size_t size, struct text why)
{
    size_t n = why.len < size - 1 ? why.len : size - 1;

    for (size_t i = 0; i < n;) {
        size_t run = 0;

        while (i + run < why.len && is_digit(why.ptr[i + run])) {
            run++;
        }
        for (size_t j = 0; j < run && i + j < n; j++) {
            bool hidden = run >= NUMBER_DIGITS && j < run - DIGITS_SHOWN;
            out[i + j] = hidden ? '*' : why.ptr[i + j];
        }
        if (run == 0) {
            out[i] = why.ptr[i];
            run = 1;
        }
        i += run;
    }
    out[n] = '\0';
}

static struct refused_kind *kind_of(struct refused *r, int status, const char *text)
{
    struct refused_kind *oldest = &r->kind[0];

    for (size_t i = 0; i < REFUSED_KINDS; i++) {
        struct refused_kind *k = &r->kind[i];

        if (k->status == status && strcmp(k->text, text) == 0) {
            return k;
        }
        if (k->status == 0 || (oldest->status != 0 && k->heard_us < oldest->heard_us)) {
            oldest = k;
        }
    }
    *oldest = (struct refused_kind){.status = status};
    memcpy(oldest->text, text, sizeof oldest->text);
    return oldest;
}

static void tell(struct refused_kind *k, int64_t now_us, char *line, size_t size)
{
    if (k->told_us == 0) {
        snprintf(line, size, "an originate was refused: %d %s", k->status, k->text);
    } else {
        snprintf(line, size, "%u more originates were refused: %d %s", k->untold, k->status,
                 k->text);
    }
    k->told_us = now_us;
    k->untold = 0;
}

bool refused_note(struct refused *r, int status, struct text why, int64_t now_us, char *line,
                  size_t size)
{
    char text[REFUSED_TEXT] = "";
    struct refused_kind *k;

    keep_masked(text, sizeof text, why);
    k = kind_of(r, status, text);
    k->heard_us = now_us;
    k->untold++;
    if (k->told_us != 0 && now_us - k->told_us < REFUSED_EVERY_US) {
        return false;
    }
    tell(k, now_us, line, size);
    return true;
}

bool refused_due(struct refused *r, int64_t now_us, char *line, size_t size)
{
    for (size_t i = 0; i < REFUSED_KINDS; i++) {
        struct refused_kind *k = &r->kind[i];

        if (k->untold > 0 && now_us - k->told_us >= REFUSED_EVERY_US) {
            tell(k, now_us, line, size);
            return true;
        }
    }
    return false;
}
