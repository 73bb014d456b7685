/* http_answer.h - one HTTP answer, put together as its bytes come. */
#ifndef ADAPTERS_NET_HTTP_ANSWER_H
#define ADAPTERS_NET_HTTP_ANSWER_H

#include "adapters/net/http1.h"
#include "adapters/net/internal.h"

struct http_answer {
    bool to_head; /* no body follows, whatever the head says */
    size_t max_body;
    bool have_head;
    struct http1_head head;
    struct http1_chunks chunks;
    struct net_buf body;
    char content_type[96];
};

/* The body of the last one must be empty or taken. */
void http_answer_begin(struct http_answer *a, bool to_head, size_t max_body);
/* Take what belongs to the answer out of `in`. NULL, or why it cannot be one; *done: it is whole.
 */
const char *http_answer_feed(struct http_answer *a, struct net_buf *in, bool *done);
/* Has a length only by the end of the connection. */
bool http_answer_ends_with_connection(const struct http_answer *a);

#endif
