/* http_answer.c - one HTTP answer, put together as its bytes come. */
#include "adapters/net/http_answer.h"

#include <stdio.h>

void http_answer_begin(struct http_answer *a, bool to_head, size_t max_body)
{
    struct net_buf body = a->body;
    *a = (struct http_answer){.to_head = to_head, .max_body = max_body, .body = body};
}

static bool body_add(struct http_answer *a, const char *bytes, size_t len)
{
    return a->body.len + len <= a->max_body && buf_append(&a->body, bytes, len);
}

/* Take body bytes out of `in`. 1: the body is whole; 0: more to come; -1: broken (why is set). */
static int read_body(struct http_answer *a, struct net_buf *in, const char **why)
{
    *why = "answer too large";
    if (a->to_head || a->head.status == 204 || a->head.status == 304) {
        return 1;
    }
    if (a->head.chunked) {
        size_t len = in->len;
        char *bytes = len ? buf_at(in) : NULL;
        int64_t taken = len ? http1_chunks_feed(&a->chunks, bytes, &len) : 0;
        if (taken < 0) {
            *why = "answer is malformed";
            return -1;
        }
        bool ok = len == 0 || body_add(a, bytes, len);
        buf_consume(in, (size_t)taken);
        return !ok ? -1 : a->chunks.done;
    }
    int64_t length = a->head.content_length;
    size_t want = length >= 0 ? (size_t)length - a->body.len : SIZE_MAX;
    if (length > (int64_t)a->max_body) {
        return -1;
    }
    size_t n = in->len < want ? in->len : want;
    if (n > 0 && !body_add(a, buf_at(in), n)) {
        return -1;
    }
    if (n > 0) {
        buf_consume(in, n);
    }
    return length >= 0 && a->body.len == (size_t)length;
}

const char *http_answer_feed(struct http_answer *a, struct net_buf *in, bool *done)
{
    static const struct http1_limits limits = {8u * 1024u, 64u * 1024u};
    *done = false;
    while (!a->have_head) {
        int got = in->len ? http1_response(buf_at(in), in->len, &limits, &a->head) : 0;
        if (got <= 0) {
            return got < 0 ? "answer is malformed" : NULL;
        }
        if (a->head.status == 101) {
            return "answer switches protocols";
        }
        struct text type = http1_field(buf_at(in), &a->head, "Content-Type");
        snprintf(a->content_type, sizeof a->content_type, "%.*s", type.ptr ? (int)type.len : 0,
                 type.ptr ? type.ptr : "");
        buf_consume(in, a->head.head_len);
        a->have_head = a->head.status >= 200; /* 1xx: the answer proper follows */
    }
    const char *why;
    int whole = read_body(a, in, &why);
    *done = whole > 0;
    return whole < 0 ? why : NULL;
}

bool http_answer_ends_with_connection(const struct http_answer *a)
{
    return a->have_head && !a->head.chunked && a->head.content_length < 0;
}
