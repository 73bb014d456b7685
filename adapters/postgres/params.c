/* params.c - see params.h. */
#include "adapters/postgres/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct params *p, size_t more)
{
    size_t size = p->size ? p->size : 4096;
    char *grown;

    while (size < p->used + more)
        size *= 2;
    if (size == p->size)
        return true;
    grown = realloc(p->buffer, size);
    if (!grown)
        return false;
    p->buffer = grown;
    p->size = size;
    return true;
}

static void put(struct params *p, const char *text, size_t n)
{
    memcpy(p->buffer + p->used, text, n);
    p->used += n;
}

/* A text inside an array: in quotes, with a backslash before each quote and backslash. */
static void put_quoted(struct params *p, struct text t)
{
    uint32_t i;

    put(p, "\"", 1);
    for (i = 0; i < t.len; i++) {
        if (t.ptr[i] == '"' || t.ptr[i] == '\\')
            put(p, "\\", 1);
        put(p, &t.ptr[i], 1);
    }
    put(p, "\"", 1);
}

static int no_memory(struct sql_store *s)
{
    return sql_fail(s, STORE_AWAY, "out of memory");
}

/* The room of a value is made before it is put: twice the text, or a number's most digits; and
 * three more for what stands around it. */
static int put_value(struct params *p, struct sql_store *s, char type, const struct sql_value *v,
                     bool quoted)
{
    char number[40];
    int n;

    if (type == 't') {
        if (v->t.len && memchr(v->t.ptr, '\0', v->t.len))
            return sql_fail(s, STORE_INVALID, "a text with a NUL in it");
        if (!reserve(p, (size_t)v->t.len * 2 + 5))
            return no_memory(s);
        if (quoted)
            put_quoted(p, v->t);
        else if (v->t.len)
            put(p, v->t.ptr, v->t.len);
        return STORE_OK;
    }
    if (!reserve(p, sizeof number + 3))
        return no_memory(s);
    n = type == 'i' ? snprintf(number, sizeof number, "%lld", (long long)v->i)
                    : snprintf(number, sizeof number, "%.17g", v->d);
    put(p, number, (size_t)n);
    return STORE_OK;
}

static int put_array(struct params *p, struct sql_store *s, char type,
                     const struct sql_value *params, size_t width, size_t n)
{
    size_t i;
    int rc = STORE_OK;

    for (i = 0; i < n && rc == STORE_OK; i++) {
        if (!reserve(p, 2))
            return no_memory(s);
        put(p, i ? "," : "{", 1);
        rc = put_value(p, s, type, &params[i * width], true);
    }
    if (rc == STORE_OK)
        put(p, "}", 1);
    return rc;
}

int params_write(struct params *p, struct sql_store *s, const struct sql_statement *text,
                 const struct sql_value *params, size_t n, const char *values[PARAMS_MAX])
{
    size_t at[PARAMS_MAX], width = strlen(text->params), k;
    int rc = STORE_OK;

    p->used = 0;
    for (k = 0; k < width && rc == STORE_OK; k++) {
        at[k] = p->used;
        rc = text->each ? put_array(p, s, text->params[k], &params[k], width, n)
                        : put_value(p, s, text->params[k], &params[k], false);
        if (rc == STORE_OK && !reserve(p, 1))
            rc = no_memory(s);
        if (rc == STORE_OK)
            put(p, "", 1);
    }
    /* only now: the buffer has moved while it grew */
    for (k = 0; k < width && rc == STORE_OK; k++)
        values[k] = p->buffer + at[k];
    return rc;
}

void params_free(struct params *p)
{
    free(p->buffer);
}
