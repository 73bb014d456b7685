/*
 * http1.h - reading HTTP/1.1 message heads, strictly. Pure: bytes in, structure out.
 *
 * Refused rather than guessed, since what two parsers read differently is how requests are
 * smuggled: bare LF, folded lines, blanks before a colon, control characters, a Content-Length that
 * is not one plain number, Content-Length beside Transfer-Encoding, a missing or second Host,
 * HTTP/2 prefaces.
 */
#ifndef ADAPTERS_NET_HTTP1_H
#define ADAPTERS_NET_HTTP1_H

#include "core/types.h"

#define HTTP1_FIELDS_MAX 64

struct http1_field {
    uint32_t name, name_len; /* offsets into the head */
    uint32_t value, value_len;
};

struct http1_head {
    size_t head_len; /* up to and with the empty line */
    /* request */
    uint32_t method, method_len;
    uint32_t target, target_len;
    /* response */
    int status;
    /* both */
    int minor; /* HTTP/1.minor */
    unsigned n_fields;
    struct http1_field fields[HTTP1_FIELDS_MAX];
    int64_t content_length; /* -1: none given */
    bool chunked;           /* Transfer-Encoding: chunked */
    bool close;             /* the connection ends after this message */
    bool upgrade_websocket; /* Connection: upgrade and Upgrade: websocket */
    bool expect_continue;
};

struct http1_limits {
    size_t max_line; /* request line */
    size_t max_head;
};

/* Parse a request head at the start of `bytes`. 1: complete, *head filled. 0: more bytes are
 * needed. Negative: refuse with that status (-400, -414, -431, -411, -505, -417). */
int http1_request(const char *bytes, size_t len, const struct http1_limits *limits,
                  struct http1_head *head);
/* The same for a response: 1, 0, or -1 (unreadable). */
int http1_response(const char *bytes, size_t len, const struct http1_limits *limits,
                   struct http1_head *head);

/* First field of that name, any case. ptr NULL if absent. */
struct text http1_field(const char *bytes, const struct http1_head *head, const char *name);
/* Does a comma-separated list hold the word, any case? */
bool http1_list_has(struct text list, const char *word);

/* Decodes a chunked body step by step. */
struct http1_chunks {
    uint64_t left; /* of the present chunk */
    int state;
    unsigned line; /* bytes of the present size or trailer line */
    bool done;
};
/* Decode in place: bytes[0..*len) becomes the decoded part, *len its length, and the answer is how
 * many bytes were taken of the input; -1 if it is malformed. */
int64_t http1_chunks_feed(struct http1_chunks *c, char *bytes, size_t *len);

/* The usual words for a status, "Unknown" otherwise. */
const char *http1_reason(int status);

#endif
