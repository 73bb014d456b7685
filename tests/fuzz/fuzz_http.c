/* fuzz_http.c - HTTP/1.1 as pure functions: heads of requests, answers in pieces, chunked bodies,
 * escapes, cookies. */
#include "tests/fuzz/fuzz.h"

#include "adapters/net/http1.h"
#include "adapters/net/http_answer.h"
#include "adapters/net/net.h"

#include <string.h>

static const struct http1_limits limits = {1024, 4096};

static void request(const char *bytes, size_t len)
{
    struct http1_head head;
    struct http1_head part;
    const int whole = http1_request(bytes, len, &limits, &head);

    MUST(whole == 1 || whole == 0 || (whole <= -400 && whole > -600));
    if (whole != 1) {
        return;
    }
    MUST(head.head_len <= len && head.head_len <= limits.max_head + 4);
    touch((struct text){bytes + head.method, head.method_len});
    touch((struct text){bytes + head.target, head.target_len});
    for (unsigned i = 0; i < head.n_fields; i++) {
        const struct http1_field *f = &head.fields[i];
        MUST(f->value + f->value_len <= head.head_len && f->name + f->name_len <= f->value);
        for (uint32_t at = 0; at < f->value_len; at++) {
            const char c = bytes[f->value + at];
            MUST(c != '\r' && c != '\n' && c != '\0');
        }
    }
    /* What smuggling needs: two ideas of where the message ends. */
    MUST(!(head.chunked && head.content_length >= 0));
    (void)http1_field(bytes, &head, "host");
    /* A head that is not whole yet is not a request yet, however little is missing. */
    MUST(http1_request(bytes, head.head_len - 1, &limits, &part) != 1);
    MUST(http1_request(bytes, head.head_len, &limits, &part) == 1);
}

/* The same bytes in pieces of `step`, 0: at once. 1: whole, 0: more wanted, -1: refused. */
static int answer(const char *bytes, size_t len, size_t step, char *body, size_t *body_len)
{
    struct http_answer a = {.to_head = false};
    struct net_buf in = {NULL, 0, 0, 0};
    bool done = false;
    const char *why = NULL;

    http_answer_begin(&a, false, 1024);
    for (size_t at = 0; at < len && !done && why == NULL;) {
        const size_t n = step != 0 && step < len - at ? step : len - at;
        MUST(buf_append(&in, bytes + at, n));
        at += n;
        why = http_answer_feed(&a, &in, &done);
    }
    *body_len = a.body.len;
    MUST(a.body.len <= 1024);
    if (a.body.len > 0) {
        memcpy(body, buf_at(&a.body), a.body.len);
    }
    buf_free(&a.body);
    buf_free(&in);
    return why != NULL ? -1 : done;
}

static void words(const char *bytes, size_t len)
{
    const struct text t = {bytes, (uint32_t)len};
    char out[64];
    char other[64];
    char again[256];
    char *text = malloc(len + 1); /* strndup may look for an end in what has none */
    int n = net_url_decode(t, true, out, sizeof out);

    memcpy(text, bytes, len);
    text[len] = '\0';
    if (n >= 0) {
        MUST((size_t)n < sizeof out && strlen(out) == (size_t)n);
        MUST(net_url_encode(out, (size_t)n, again, sizeof again) >= n);
        MUST(net_url_decode((struct text){again, (uint32_t)strlen(again)}, false, other,
                            sizeof other) == n &&
             memcmp(out, other, (size_t)n) == 0);
    }
    (void)net_query_get(t, "a", 0, out, sizeof out);
    (void)net_cookie_get(text, "session", out, sizeof out);
    (void)net_basic_auth(text, out, sizeof out, other, sizeof other);
    (void)http1_list_has(t, "chunked");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    const unsigned what = take_byte(&b);
    const size_t step = what / 4 + 1;
    char body[2][1024];
    size_t len[2];
    int said[2];
    char *block = malloc(b.left + 1);

    memcpy(block, b.at, b.left);
    switch (what % 4) {
    case 0:
    case 1:
        request(block, b.left);
        break;
    case 2:
        said[0] = answer(block, b.left, 0, body[0], &len[0]);
        said[1] = answer(block, b.left, step, body[1], &len[1]);
        MUST(said[0] == said[1]);
        MUST(said[0] < 0 || (len[0] == len[1] && memcmp(body[0], body[1], len[0]) == 0));
        break;
    default:
        words(block, b.left);
        break;
    }
    free(block);
    return 0;
}
