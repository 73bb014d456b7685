/* print.c - see print.h. */
#include "adapters/ctl/print.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32
#define ROW_MAX (1024u * 1024u)

void rows_add(struct rows *rows, struct text row)
{
    if (rows->n == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 64;
        rows->text = realloc(rows->text, rows->cap * sizeof *rows->text);
        if (!rows->text)
            abort();
    }
    rows->text[rows->n] = strndup(row.ptr, row.len);
    if (!rows->text[rows->n])
        abort();
    rows->n++;
}

void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->n; i++)
        free(rows->text[i]);
    free(rows->text);
    *rows = (struct rows){.text = NULL};
}

void print_json(FILE *out, const struct rows *rows, bool table)
{
    if (!table) {
        fprintf(out, "%s\n", rows->n > 0 ? rows->text[0] : "null");
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < rows->n; i++)
        fprintf(out, "%s%s", i > 0 ? ",\n " : "", rows->text[i]);
    fputs("]\n", out);
}

/* A value as one line of text; objects and arrays stay JSON. */
static struct text value_text(const struct json *doc, json_ref node, const char *row)
{
    enum json_type type = json_type(doc, node);
    if (type == JSON_STRING)
        return json_text(doc, node);
    if (type == JSON_NULL || type == JSON_ABSENT)
        return (struct text){"", 0};
    if (type == JSON_TRUE)
        return (struct text){"yes", 3};
    if (type == JSON_FALSE)
        return (struct text){"no", 2};
    return json_raw(doc, node, row);
}

/* Characters, not bytes. */
static size_t width(struct text t)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t.len; i++)
        n += ((unsigned char)t.ptr[i] & 0xc0u) != 0x80u;
    return n;
}

/* Control characters (C0, DEL, C1) become '?': a lead's name must not drive the terminal. */
static void put_safe(FILE *out, struct text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        bool c1 = c == 0xc2 && i + 1 < t.len && (unsigned char)t.ptr[i + 1] < 0xa0;
        if (c1)
            i++;
        fputc(c < 0x20 || c == 0x7f || c1 ? '?' : c, out);
    }
}

static void pad(FILE *out, size_t n)
{
    while (n-- > 0)
        fputc(' ', out);
}

void print_table(FILE *out, const struct rows *rows)
{
    struct json doc;
    char *names[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    size_t columns = 0;
    if (rows->n == 0)
        return;
    json_init(&doc, ROW_MAX);
    for (size_t i = 0; i < rows->n; i++) {
        if (json_parse(&doc, rows->text[i], strlen(rows->text[i])) != 0)
            continue;
        size_t c = 0;
        for (json_ref v = json_first(&doc, JSON_ROOT); v != JSON_NONE && c < COLUMNS_MAX;
             v = json_next(&doc, v), c++) {
            if (c == columns) {
                struct text key = json_key(&doc, v);
                names[c] = strndup(key.ptr, key.len);
                if (!names[c])
                    abort();
                widths[c] = width(key);
                columns++;
            }
            size_t w = width(value_text(&doc, v, rows->text[i]));
            if (w > widths[c])
                widths[c] = w;
        }
    }
    for (size_t c = 0; c < columns; c++)
        fprintf(out, "%-*s%s", c + 1 < columns ? (int)widths[c] : 0, names[c],
                c + 1 < columns ? "  " : "\n");
    for (size_t i = 0; i < rows->n; i++) {
        if (json_parse(&doc, rows->text[i], strlen(rows->text[i])) != 0)
            continue;
        for (size_t c = 0; c < columns; c++) {
            struct text t = value_text(&doc, json_get(&doc, JSON_ROOT, names[c]), rows->text[i]);
            put_safe(out, t);
            if (c + 1 < columns)
                pad(out, widths[c] - width(t) + 2);
        }
        fputc('\n', out);
    }
    for (size_t c = 0; c < columns; c++)
        free(names[c]);
    json_free(&doc);
}

static void print_fields(FILE *out, const struct json *doc, json_ref object, const char *row)
{
    for (json_ref f = json_first(doc, object); f != JSON_NONE; f = json_next(doc, f)) {
        struct text t = value_text(doc, f, row);
        if (t.len == 0)
            continue;
        fputc(' ', out);
        put_safe(out, json_key(doc, f));
        fputc('=', out);
        put_safe(out, t);
    }
}

/* What is inside a record: an object on a line, a list's objects each on a line of its own. */
static void print_inner(FILE *out, const struct json *doc, json_ref inner, const char *row)
{
    if (json_type(doc, inner) == JSON_OBJECT) {
        if (json_first(doc, inner) != JSON_NONE) {
            fputs("\n   ", out);
            print_fields(out, doc, inner, row);
        }
        return;
    }
    for (json_ref v = json_first(doc, inner); v != JSON_NONE; v = json_next(doc, v)) {
        fputs("\n   ", out);
        if (json_type(doc, v) == JSON_OBJECT) {
            print_fields(out, doc, v, row);
        } else {
            fputc(' ', out);
            put_safe(out, value_text(doc, v, row));
        }
    }
}

void print_record(FILE *out, const struct rows *rows)
{
    struct json doc;
    json_init(&doc, ROW_MAX);
    for (size_t i = 0; i < rows->n; i++) {
        if (json_parse(&doc, rows->text[i], strlen(rows->text[i])) != 0)
            continue;
        size_t widest = 0;
        for (json_ref v = json_first(&doc, JSON_ROOT); v != JSON_NONE; v = json_next(&doc, v))
            if (width(json_key(&doc, v)) > widest)
                widest = width(json_key(&doc, v));
        for (json_ref v = json_first(&doc, JSON_ROOT); v != JSON_NONE; v = json_next(&doc, v)) {
            struct text key = json_key(&doc, v);
            put_safe(out, key);
            pad(out, widest - width(key) + 2);
            enum json_type type = json_type(&doc, v);
            if (type == JSON_ARRAY || type == JSON_OBJECT)
                print_inner(out, &doc, v, rows->text[i]);
            else
                put_safe(out, value_text(&doc, v, rows->text[i]));
            fputc('\n', out);
        }
    }
    json_free(&doc);
}
