/*
 * json.h - reading and writing JSON within limits.
 *
 * Reader: one pass over a complete text, strict RFC 8259, into a flat array of nodes. Everything a
 * peer sends is hostile until it has passed: size, depth, node count and UTF-8 are checked, a text
 * that fails leaves nothing half-read. The nodes and the decoded strings live in the document and
 * are reused by the next parse, so a reader that lives as long as its socket allocates only while
 * its largest message grows.
 *
 * Writer: into a buffer with an upper limit. An overflow or a wrong nesting makes the writer
 * "failed"; further puts do nothing, and json_writer_end says so. So only the end needs a check.
 *
 * Threads: a document or writer belongs to one thread at a time. No global state.
 */
#ifndef ADAPTERS_NET_JSON_H
#define ADAPTERS_NET_JSON_H

#include "core/types.h"

/* --- reader ------------------------------------------------------------------------------ */

enum json_type {
    JSON_ABSENT, /* what an accessor sees for a node that is not there */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* The name of a node: its index. Every accessor takes JSON_NONE and answers "absent". */
typedef uint32_t json_ref;
#define JSON_NONE UINT32_MAX
#define JSON_ROOT 0u

#define JSON_DEPTH_MAX 16 /* nesting of arrays and objects, the root counts as 1 */
#define JSON_SIZE_MAX (64u * 1024u)

struct json_node; /* private */

/* Fields are private; use the functions. */
struct json {
    size_t max_size;  /* bytes of text */
    size_t max_nodes; /* values, keys not counted */
    struct json_node *nodes;
    size_t nodes_cap;
    size_t count;
    char *strings; /* decoded strings and keys, each followed by a NUL */
    size_t strings_cap;
    char error[96]; /* why the last parse failed, with the byte offset; "" if it did not */
    bool no_memory; /* it failed for want of memory: the text may be perfect */
};

/* Prepare a document. max_size 0 = JSON_SIZE_MAX. Allocates nothing. */
void json_init(struct json *doc, size_t max_size);
/* Release what parses have allocated. The document may be parsed into again. */
void json_free(struct json *doc);

/* Parse `len` bytes (need not be terminated; not kept, not changed). 0, or -1 with doc->error set
 * (and doc->no_memory, if that is why) and the document empty (every accessor says absent). Any
 * value may be the root. Refused besides
 * bad syntax: more than max_size bytes, deeper than JSON_DEPTH_MAX, bytes that are not UTF-8, lone
 * surrogates, and U+0000 inside a string (nothing behind us can hold it). */
int json_parse(struct json *doc, const char *text, size_t len);

enum json_type json_type(const struct json *doc, json_ref node);

/* Member of an object by name; if a name comes twice the first counts. JSON_NONE if `node` is not
 * an object or has no such member. */
json_ref json_get(const struct json *doc, json_ref node, const char *name);
/* The same down a path of names separated by dots: "channel.caller.number". */
json_ref json_path(const struct json *doc, json_ref node, const char *path);

/* Walk the elements of an array or the members of an object:
 *   for (json_ref i = json_first(d, list); i != JSON_NONE; i = json_next(d, i)) */
json_ref json_first(const struct json *doc, json_ref node);
json_ref json_next(const struct json *doc, json_ref node);
size_t json_count(const struct json *doc, json_ref node); /* elements or members, else 0 */
struct text json_key(const struct json *doc,
                     json_ref node); /* the member's name; ptr NULL if none */

/* The decoded string, NUL-terminated behind len, valid until the next parse or free. ptr is NULL
 * and len 0 if the node is not a string. */
struct text json_text(const struct json *doc, json_ref node);
/* The same as a C string; `otherwise` if the node is not a string. */
const char *json_str(const struct json *doc, json_ref node, const char *otherwise);
/* Is the node a string equal to `word`? */
bool json_is(const struct json *doc, json_ref node, const char *word);
/* Copy a string with its NUL; false (dst = "") if it is not a string or does not fit. */
bool json_copy(const struct json *doc, json_ref node, char *dst, size_t size);

/* A whole number in the range of int64_t, written without fraction or exponent. False (and *out
 * untouched) for anything else. */
bool json_int(const struct json *doc, json_ref node, int64_t *out);
/* Any JSON number that is finite as a double. */
bool json_double(const struct json *doc, json_ref node, double *out);
bool json_bool(const struct json *doc, json_ref node, bool *out);

/* The value exactly as it stood in the text that was parsed (`text` of that json_parse call, which
 * the caller must still hold): to hand a part on unread. */
struct text json_raw(const struct json *doc, json_ref node, const char *text);

/* Is `len` bytes well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF)? */
bool json_utf8_valid(const char *text, size_t len);

/* --- writer ------------------------------------------------------------------------------ */

/* Fields are private. */
struct json_writer {
    char *buf;
    size_t cap;
    size_t max; /* upper limit of growth; == cap for a caller's buffer */
    size_t len;
    bool heap;
    bool failed;
    uint8_t depth;
    uint32_t is_array;  /* a bit for each level */
    uint32_t has_value; /* a bit for each level: a comma is due */
};

/* Write into the caller's buffer of `size` bytes (the result and its NUL must fit). */
void json_writer_init(struct json_writer *w, char *buf, size_t size);
/* Write into memory of its own that grows to at most `max` bytes; json_writer_free releases it. */
void json_writer_init_heap(struct json_writer *w, size_t max);
/* Begin again in the same memory. */
void json_writer_reset(struct json_writer *w);
void json_writer_free(struct json_writer *w);

/* `key` is the member's name inside an object and NULL inside an array or at the top. Strings that
 * are not valid UTF-8 are written with U+FFFD for each bad byte: a peer's rubbish must not make
 * our message unreadable. json_put_str with a NULL pointer writes null; a text of length 0 is "".
 */
void json_open_object(struct json_writer *w, const char *key);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w, const char *key);
void json_close_array(struct json_writer *w);
void json_put_str(struct json_writer *w, const char *key, const char *text); /* NUL-terminated */
void json_put_text(struct json_writer *w, const char *key, struct text text);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_uint(struct json_writer *w, const char *key, uint64_t value);
/* Shortest form that reads back the same; NaN and infinities are written as null. */
void json_put_double(struct json_writer *w, const char *key, double value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
/* A finished piece of JSON, taken as it is: the caller vouches for it. */
void json_put_raw(struct json_writer *w, const char *key, const char *json, size_t len);

/* Finish: the text (NUL-terminated, in the writer's buffer) and its length; NULL if anything
 * failed or an object or array is still open. */
const char *json_writer_end(struct json_writer *w, size_t *len);

#endif
