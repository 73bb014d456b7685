/* demo_check.c - see demo_check.h. Both sides are read whole into sorted arrays: a demo has some
 * hundred thousand calls at most. */
#include <stdio.h>

#include "adapters/daemon/demo_check.h"
#include "adapters/net/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 20
#define LINE_SIZE (64u * 1024u)

struct entry {
    char id[ID_SIZE];
    char number[20];
    int64_t at_ms;
    bool automatic;
    bool must; /* must have a partner on the other side */
};

struct entries {
    struct entry *e;
    size_t n, cap;
};

struct check {
    struct entries customers, legs;        /* what the witness saw */
    struct entries attempts, claimed_legs; /* what the store has */
    struct demo_counts *counts;
    FILE *out;
};

static struct entry *add(struct entries *all)
{
    if (all->n == all->cap) {
        all->cap = all->cap ? all->cap * 2 : 1024;
        all->e = realloc(all->e, all->cap * sizeof *all->e);
        if (!all->e)
            abort();
    }
    all->e[all->n] = (struct entry){.must = true};
    return &all->e[all->n++];
}

static void keep(char *out, size_t size, struct text t)
{
    snprintf(out, size, "%.*s", (int)t.len, t.ptr ? t.ptr : "");
}

static void free_check(struct check *k)
{
    free(k->customers.e);
    free(k->legs.e);
    free(k->attempts.e);
    free(k->claimed_legs.e);
}

/* --- the witness ----------------------------------------------------------------------------- */

static void see_line(struct check *k, struct json *d, const char *line, size_t len)
{
    struct demo_counts *c = k->counts;
    int64_t status = 0;
    if (json_parse(d, line, len) != 0 || !json_is(d, json_get(d, JSON_ROOT, "what"), "originate"))
        return;
    /* One that the server refused made no call. */
    if (!json_int(d, json_get(d, JSON_ROOT, "status"), &status) || status < 200 || status > 299)
        return;
    bool customer = json_is(d, json_get(d, JSON_ROOT, "kind"), "customer");
    bool leg = json_is(d, json_get(d, JSON_ROOT, "kind"), "leg");
    c->seen_customers += customer;
    c->seen_legs += leg;
    c->seen_other += !customer && !leg;
    struct entry *e = add(customer ? &k->customers : &k->legs);
    keep(e->id, sizeof e->id, json_text(d, json_get(d, JSON_ROOT, "id")));
    keep(e->number, sizeof e->number, json_text(d, json_get(d, JSON_ROOT, "number")));
    json_int(d, json_get(d, JSON_ROOT, "wall_ms"), &e->at_ms);
    if (customer && (c->first_wall_ms == 0 || e->at_ms < c->first_wall_ms))
        c->first_wall_ms = e->at_ms;
}

static int read_witness(struct check *k, const char *path, char *why, size_t why_size)
{
    struct json d;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = 0;
    FILE *in = fopen(path, "re");
    if (!in) {
        snprintf(why, why_size, "%s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    json_init(&d, LINE_SIZE);
    while ((n = getline(&line, &cap, in)) > 0)
        see_line(k, &d, line, (size_t)n);
    free(line);
    json_free(&d);
    fclose(in);
    return 0;
}

int demo_witness(const char *path, struct demo_counts *counts, char *why, size_t why_size)
{
    struct check k = {.counts = counts};
    int result = read_witness(&k, path, why, why_size);
    free_check(&k);
    return result;
}

int64_t demo_first_call(const char *path)
{
    struct demo_counts counts = {.claims = 0};
    char why[256];
    demo_witness(path, &counts, why, sizeof why);
    return counts.first_wall_ms;
}

/* --- the store ------------------------------------------------------------------------------- */

static int see_call(void *ctx, const struct store_call *call)
{
    struct check *k = ctx;
    struct demo_counts *c = k->counts;
    bool left = call->outcome != OUTCOME_NEVER_SENT && call->state >= ATTEMPT_ORIGINATING;
    c->claims++;
    c->originated += left;
    c->answered += call->answered_ms > 0;
    c->bridged += call->bridged_ms > 0;
    c->abandoned += call->outcome == OUTCOME_ABANDONED;
    c->disposed += call->disposition.len > 0 && call->disposed_by.len == 5 &&
                   memcmp(call->disposed_by.ptr, "agent", 5) == 0;
    struct entry *e = add(&k->attempts);
    keep(e->id, sizeof e->id, call->attempt);
    keep(e->number, sizeof e->number, call->number);
    e->at_ms = call->claimed_ms;
    e->automatic = call->cause == CAUSE_AUTO;
    /* A call that the server refused, or of which nobody knows, need not have been seen. */
    e->must = left && call->outcome != OUTCOME_FAULT && call->outcome != OUTCOME_UNKNOWN &&
              call->outcome != OUTCOME_CANCELLED && call->outcome != OUTCOME_CONGESTION;
    return 0;
}

static int see_leg(void *ctx, const struct store_leg *leg)
{
    struct check *k = ctx;
    struct entry *e = add(&k->claimed_legs);
    keep(e->id, sizeof e->id, leg->leg);
    e->at_ms = leg->claimed_ms;
    e->must = leg->answered_ms > 0;
    k->counts->legs++;
    return 0;
}

static int read_store(struct check *k, struct store *s, char *why, size_t why_size)
{
    struct store_cursor at = {.id = 0};
    size_t n = 1;
    int status = STORE_OK;
    while (status == STORE_OK && n > 0) {
        n = 500;
        status = s->ops->calls(s, 0, INT64_MAX, 0, &at, &n, see_call, k);
    }
    at = (struct store_cursor){.id = 0};
    n = 1;
    while (status == STORE_OK && n > 0) {
        n = 500;
        status = s->ops->legs(s, 0, INT64_MAX, &at, &n, see_leg, k);
    }
    if (status == STORE_OK)
        return 0;
    snprintf(why, why_size, "store: %s", s->error[0] ? s->error : store_status_name(status));
    return -1;
}

/* --- the comparison -------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int c = strcmp(x->number, y->number);
    return c ? c : (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static void wrong(struct check *k, const char *what, const struct entry *e)
{
    k->counts->wrong++;
    if (k->counts->wrong <= SHOWN && k->out)
        fprintf(k->out, "%s: %s %s\n", what, e->id, e->number);
}

static void compare(struct check *k, struct entries *seen, struct entries *stored,
                    const char *unseen, const char *unknown)
{
    if (seen->n > 0)
        qsort(seen->e, seen->n, sizeof *seen->e, by_id);
    if (stored->n > 0)
        qsort(stored->e, stored->n, sizeof *stored->e, by_id);
    size_t i = 0;
    size_t j = 0;
    while (i < seen->n || j < stored->n) {
        int c = i == seen->n ? 1 : j == stored->n ? -1 : strcmp(seen->e[i].id, stored->e[j].id);
        if (c < 0) {
            wrong(k, unknown, &seen->e[i++]);
        } else if (c > 0) {
            if (stored->e[j].must)
                wrong(k, unseen, &stored->e[j]);
            j++;
        } else {
            if (i > 0 && strcmp(seen->e[i - 1].id, seen->e[i].id) == 0)
                wrong(k, "originated twice", &seen->e[i]);
            i++;
            /* A second sighting of the same id meets the same row again. */
            if (i == seen->n || strcmp(seen->e[i].id, stored->e[j].id) != 0)
                j++;
        }
    }
}

static void check_interval(struct check *k, int64_t retry_ms)
{
    struct entries *a = &k->attempts;
    if (a->n > 0)
        qsort(a->e, a->n, sizeof *a->e, by_number);
    for (size_t i = 1; i < a->n; i++)
        if (strcmp(a->e[i - 1].number, a->e[i].number) == 0 && a->e[i].automatic &&
            a->e[i - 1].must && a->e[i].must && a->e[i].at_ms - a->e[i - 1].at_ms < retry_ms)
            wrong(k, "called again too soon", &a->e[i]);
}

int demo_check(struct store *store, const char *path, int64_t retry_ms, FILE *out,
               struct demo_counts *counts, char *why, size_t why_size)
{
    struct check k = {.counts = counts, .out = out};
    *counts = (struct demo_counts){.claims = 0};
    int result = read_witness(&k, path, why, why_size);
    if (result == 0)
        result = read_store(&k, store, why, why_size);
    if (result == 0) {
        compare(&k, &k.customers, &k.attempts, "in the store, not seen", "seen, not in the store");
        compare(&k, &k.legs, &k.claimed_legs, "leg in the store, not seen",
                "leg seen, not in the store");
        check_interval(&k, retry_ms);
        result = counts->wrong > 0;
    }
    free_check(&k);
    return result;
}
