/*
 * json_read.c - one strict pass from text to nodes.
 *
 * Our own rather than LEJP: that one does not check UTF-8, stops at 255 bytes of path, and hands
 * out pieces that every user would have to put together again.
 */
#include "adapters/net/json.h"

#include "adapters/net/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_STRING UINT32_MAX

struct json_node {
    uint32_t start, len; /* the value as it stands in the text */
    uint32_t string;     /* JSON_STRING and JSON_NUMBER: offset in doc->strings */
    uint32_t string_len;
    uint32_t key, key_len; /* offset in doc->strings; NO_STRING outside of objects */
    uint32_t after;        /* index of the first node behind this one and its children */
    uint32_t count;        /* children */
    uint32_t parent;
    enum json_type type;
};

struct parser {
    struct json *doc;
    const unsigned char *text;
    size_t at, len;
    size_t used; /* of doc->strings */
};

void json_init(struct json *doc, size_t max_size)
{
    *doc = (struct json){.max_size = max_size ? max_size : JSON_SIZE_MAX};
    doc->max_nodes = doc->max_size / 2 + 1;
}

void json_free(struct json *doc)
{
    free(doc->nodes);
    free(doc->strings);
    doc->nodes = NULL;
    doc->strings = NULL;
    doc->nodes_cap = doc->strings_cap = doc->count = 0;
}

/* --- the pass ---------------------------------------------------------------------------- */

static bool fail(struct parser *p, const char *why)
{
    snprintf(p->doc->error, sizeof p->doc->error, "%s at byte %zu", why, p->at);
    return false;
}

static bool no_memory(struct parser *p)
{
    p->doc->no_memory = true;
    return fail(p, "no memory");
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->len && (p->text[p->at] == ' ' || p->text[p->at] == '\n' ||
                              p->text[p->at] == '\r' || p->text[p->at] == '\t')) {
        p->at++;
    }
}

static bool hex4(struct parser *p, unsigned *out)
{
    if (p->len - p->at < 4) {
        return fail(p, "escape is cut off");
    }
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = p->text[p->at++];
        unsigned digit = 16;
        if (c >= '0' && c <= '9') {
            digit = c - (unsigned)'0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - (unsigned)'a' + 10u;
        } else if (c >= 'A' && c <= 'F') {
            digit = c - (unsigned)'A' + 10u;
        }
        if (digit > 15) {
            return fail(p, "bad \\u escape");
        }
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

/* Behind "\u". */
static bool unicode_escape(struct parser *p)
{
    unsigned code;
    if (!hex4(p, &code)) {
        return false;
    }
    if (code >= 0xdc00 && code <= 0xdfff) {
        return fail(p, "lone surrogate");
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        unsigned low;
        if (p->len - p->at < 6 || p->text[p->at] != '\\' || p->text[p->at + 1] != 'u') {
            return fail(p, "lone surrogate");
        }
        p->at += 2;
        if (!hex4(p, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return fail(p, "lone surrogate");
        }
        code = 0x10000u + ((code - 0xd800u) << 10) + (low - 0xdc00u);
    }
    if (code == 0) {
        return fail(p, "U+0000 in a string");
    }
    /* Six or twelve bytes of text make at most four. */
    p->used += utf8_put(p->doc->strings + p->used, code);
    return true;
}

static bool escape(struct parser *p)
{
    if (p->at == p->len) {
        return fail(p, "string is cut off");
    }
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    unsigned char c = p->text[p->at++];
    if (c == 'u') {
        return unicode_escape(p);
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) {
        return fail(p, "bad escape");
    }
    p->doc->strings[p->used++] = to[found - from];
    return true;
}

/* A string, from its opening quote. The decoded bytes and their NUL are never longer than the text
 * with its two quotes, so a `strings` as large as the text is enough. */
static bool string(struct parser *p, uint32_t *offset, uint32_t *len)
{
    p->at++;
    size_t start = p->used;
    for (;;) {
        /* `used` is less than `at`: as much fits as is left. */
        size_t plain = utf8_take_plain(p->doc->strings + p->used, p->text + p->at, p->len - p->at);
        p->used += plain;
        p->at += plain;
        if (p->at == p->len) {
            return fail(p, "string is cut off");
        }
        unsigned char c = p->text[p->at];
        if (c == '"') {
            p->at++;
            *offset = (uint32_t)start;
            *len = (uint32_t)(p->used - start);
            p->doc->strings[p->used++] = '\0';
            return true;
        }
        if (c == '\\') {
            p->at++;
            if (!escape(p)) {
                return false;
            }
            continue;
        }
        if (c < 0x20) {
            return fail(p, "control character in a string");
        }
        size_t n = utf8_len(p->text + p->at, p->len - p->at);
        if (n == 0) {
            return fail(p, "not UTF-8");
        }
        memcpy(p->doc->strings + p->used, p->text + p->at, n);
        p->used += n;
        p->at += n;
    }
}

static bool digits(struct parser *p)
{
    size_t start = p->at;
    while (p->at < p->len && p->text[p->at] >= '0' && p->text[p->at] <= '9') {
        p->at++;
    }
    return p->at > start || fail(p, "bad number");
}

static bool number(struct parser *p)
{
    if (p->text[p->at] == '-') {
        p->at++;
    }
    if (p->at < p->len && p->text[p->at] == '0') {
        p->at++;
        if (p->at < p->len && p->text[p->at] >= '0' && p->text[p->at] <= '9') {
            return fail(p, "number with a leading zero");
        }
    } else if (!digits(p)) {
        return false;
    }
    if (p->at < p->len && p->text[p->at] == '.') {
        p->at++;
        if (!digits(p)) {
            return false;
        }
    }
    if (p->at < p->len && (p->text[p->at] == 'e' || p->text[p->at] == 'E')) {
        p->at++;
        if (p->at < p->len && (p->text[p->at] == '+' || p->text[p->at] == '-')) {
            p->at++;
        }
        return digits(p);
    }
    return true;
}

static bool word(struct parser *p, const char *w)
{
    size_t n = strlen(w);
    if (p->len - p->at < n || memcmp(p->text + p->at, w, n) != 0) {
        return fail(p, "not a value");
    }
    p->at += n;
    return true;
}

static struct json_node *add_node(struct parser *p)
{
    struct json *doc = p->doc;
    if (doc->count == doc->nodes_cap) {
        if (doc->count >= doc->max_nodes) {
            fail(p, "too many values");
            return NULL;
        }
        size_t cap = doc->nodes_cap ? doc->nodes_cap * 2 : 64;
        struct json_node *nodes = realloc(doc->nodes, cap * sizeof *nodes);
        if (!nodes) {
            no_memory(p);
            return NULL;
        }
        doc->nodes = nodes;
        doc->nodes_cap = cap;
    }
    struct json_node *n = &doc->nodes[doc->count++];
    *n = (struct json_node){.start = (uint32_t)p->at, .key = NO_STRING, .parent = JSON_NONE};
    return n;
}

/* A value that holds no others. */
static bool scalar(struct parser *p, struct json_node *n)
{
    switch (p->text[p->at]) {
    case '"':
        n->type = JSON_STRING;
        return string(p, &n->string, &n->string_len);
    case 't':
        n->type = JSON_TRUE;
        return word(p, "true");
    case 'f':
        n->type = JSON_FALSE;
        return word(p, "false");
    case 'n':
        n->type = JSON_NULL;
        return word(p, "null");
    default:
        break;
    }
    n->type = JSON_NUMBER;
    size_t start = p->at;
    if (!number(p)) {
        return false;
    }
    /* Kept as text: a number of n digits is followed by something, so with its NUL it fits too. */
    n->string = (uint32_t)p->used;
    n->string_len = (uint32_t)(p->at - start);
    memcpy(p->doc->strings + p->used, p->text + start, n->string_len);
    p->used += n->string_len;
    p->doc->strings[p->used++] = '\0';
    return true;
}

/* Read a value's beginning as child of `parent`. *opened: it is an array or object whose contents
 * follow. JSON_NONE: failed. */
static json_ref value(struct parser *p, json_ref parent, uint32_t key, uint32_t key_len,
                      bool *opened)
{
    struct json_node *n = add_node(p);
    if (!n) {
        return JSON_NONE;
    }
    json_ref ref = (json_ref)(p->doc->count - 1);
    n->parent = parent;
    n->key = key;
    n->key_len = key_len;
    unsigned char c = p->text[p->at];
    *opened = c == '{' || c == '[';
    if (*opened) {
        n->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
        p->at++;
    } else if (!scalar(p, n)) {
        return JSON_NONE;
    }
    if (parent != JSON_NONE) {
        p->doc->nodes[parent].count++;
    }
    return ref;
}

static void finish(struct parser *p, json_ref ref)
{
    struct json_node *n = &p->doc->nodes[ref];
    n->len = (uint32_t)(p->at - n->start);
    n->after = (uint32_t)p->doc->count;
}

/* "name": in front of a member. */
static bool member_name(struct parser *p, uint32_t *key, uint32_t *key_len)
{
    if (p->at == p->len || p->text[p->at] != '"') {
        return fail(p, "a member's name is missing");
    }
    if (!string(p, key, key_len)) {
        return false;
    }
    skip_blanks(p);
    if (p->at == p->len || p->text[p->at] != ':') {
        return fail(p, "':' is missing");
    }
    p->at++;
    skip_blanks(p);
    return true;
}

/* Without recursion: a deep text must not grow our stack. `open` is the innermost array or object.
 */
static bool parse_all(struct parser *p)
{
    json_ref open = JSON_NONE;
    unsigned depth = 0;
    bool want_value = true; /* else: a comma or the closing bracket */
    do {
        skip_blanks(p);
        if (p->at == p->len) {
            return fail(p, "text is cut off");
        }
        struct json_node *in = open == JSON_NONE ? NULL : &p->doc->nodes[open];
        unsigned char c = p->text[p->at];
        unsigned char closing = in && in->type == JSON_OBJECT ? '}' : ']';
        if (in && c == closing && (in->count == 0 || !want_value)) {
            p->at++;
            finish(p, open);
            open = p->doc->nodes[open].parent;
            depth--;
            want_value = false;
            continue;
        }
        if (!want_value) {
            if (c != ',') {
                return fail(p, "',' is missing");
            }
            p->at++;
            want_value = true;
            continue;
        }
        uint32_t key = NO_STRING;
        uint32_t key_len = 0;
        if (in && in->type == JSON_OBJECT && !member_name(p, &key, &key_len)) {
            return false;
        }
        if (p->at == p->len) {
            return fail(p, "text is cut off");
        }
        bool opened;
        json_ref ref = value(p, open, key, key_len, &opened);
        if (ref == JSON_NONE) {
            return false;
        }
        if (!opened) {
            finish(p, ref);
            want_value = false;
            continue;
        }
        if (++depth > JSON_DEPTH_MAX) {
            return fail(p, "nested too deep");
        }
        open = ref;
        want_value = true;
    } while (open != JSON_NONE);
    skip_blanks(p);
    return p->at == p->len || fail(p, "text goes on behind the value");
}

int json_parse(struct json *doc, const char *text, size_t len)
{
    struct parser p = {.doc = doc, .text = (const unsigned char *)text, .len = len};
    doc->count = 0;
    doc->error[0] = '\0';
    doc->no_memory = false;
    if (len > doc->max_size || len > UINT32_MAX / 2) {
        snprintf(doc->error, sizeof doc->error, "%zu bytes, at most %zu are taken", len,
                 doc->max_size);
        return -1;
    }
    if (doc->strings_cap < len + 1) {
        size_t cap = doc->strings_cap ? doc->strings_cap : 512;
        while (cap < len + 1) {
            cap *= 2;
        }
        char *strings = realloc(doc->strings, cap);
        if (!strings) {
            no_memory(&p);
            return -1;
        }
        doc->strings = strings;
        doc->strings_cap = cap;
    }
    if (!parse_all(&p)) {
        doc->count = 0;
        return -1;
    }
    return 0;
}

/* --- looking ----------------------------------------------------------------------------- */

static const struct json_node *node_at(const struct json *doc, json_ref ref)
{
    return ref < doc->count ? &doc->nodes[ref] : NULL;
}

enum json_type json_type(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    return n ? n->type : JSON_ABSENT;
}

static json_ref member(const struct json *doc, json_ref node, const char *name, size_t len)
{
    if (json_type(doc, node) != JSON_OBJECT) {
        return JSON_NONE;
    }
    for (json_ref i = json_first(doc, node); i != JSON_NONE; i = json_next(doc, i)) {
        const struct json_node *n = &doc->nodes[i];
        if (n->key_len == len && memcmp(doc->strings + n->key, name, len) == 0) {
            return i;
        }
    }
    return JSON_NONE;
}

json_ref json_get(const struct json *doc, json_ref node, const char *name)
{
    return member(doc, node, name, strlen(name));
}

json_ref json_path(const struct json *doc, json_ref node, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");
        node = member(doc, node, path, len);
        if (node == JSON_NONE || path[len] == '\0') {
            return node;
        }
        path += len + 1;
    }
}

json_ref json_first(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    return n && n->count > 0 ? node + 1 : JSON_NONE;
}

json_ref json_next(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    const struct json_node *parent = n ? node_at(doc, n->parent) : NULL;
    return parent && n->after < parent->after ? n->after : JSON_NONE;
}

size_t json_count(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    return n ? n->count : 0;
}

struct text json_key(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    if (!n || n->key == NO_STRING) {
        return (struct text){NULL, 0};
    }
    return (struct text){doc->strings + n->key, n->key_len};
}

struct text json_text(const struct json *doc, json_ref node)
{
    const struct json_node *n = node_at(doc, node);
    if (!n || n->type != JSON_STRING) {
        return (struct text){NULL, 0};
    }
    return (struct text){doc->strings + n->string, n->string_len};
}

const char *json_str(const struct json *doc, json_ref node, const char *otherwise)
{
    struct text t = json_text(doc, node);
    return t.ptr ? t.ptr : otherwise;
}

bool json_is(const struct json *doc, json_ref node, const char *w)
{
    struct text t = json_text(doc, node);
    return t.ptr && strcmp(t.ptr, w) == 0;
}

bool json_copy(const struct json *doc, json_ref node, char *dst, size_t size)
{
    struct text t = json_text(doc, node);
    if (!t.ptr || t.len >= size) {
        if (size > 0) {
            dst[0] = '\0';
        }
        return false;
    }
    memcpy(dst, t.ptr, t.len + 1u);
    return true;
}

bool json_int(const struct json *doc, json_ref node, int64_t *out)
{
    const struct json_node *n = node_at(doc, node);
    if (!n || n->type != JSON_NUMBER) {
        return false;
    }
    const char *s = doc->strings + n->string;
    if (strcspn(s, ".eE") != n->string_len) {
        return false;
    }
    errno = 0;
    long long v = strtoll(s, NULL, 10);
    if (errno == ERANGE) {
        return false;
    }
    *out = v;
    return true;
}

bool json_double(const struct json *doc, json_ref node, double *out)
{
    const struct json_node *n = node_at(doc, node);
    if (!n || n->type != JSON_NUMBER) {
        return false;
    }
    double v = strtod(doc->strings + n->string, NULL);
    if (!isfinite(v)) {
        return false;
    }
    *out = v;
    return true;
}

bool json_bool(const struct json *doc, json_ref node, bool *out)
{
    enum json_type type = json_type(doc, node);
    if (type != JSON_TRUE && type != JSON_FALSE) {
        return false;
    }
    *out = type == JSON_TRUE;
    return true;
}

struct text json_raw(const struct json *doc, json_ref node, const char *text)
{
    const struct json_node *n = node_at(doc, node);
    return n ? (struct text){text + n->start, n->len} : (struct text){NULL, 0};
}
