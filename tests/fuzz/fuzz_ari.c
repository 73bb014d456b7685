/* fuzz_ari.c - what comes from Asterisk: events, lists of channels, ids; and that nothing but a
 * template's dial string is made of what goes there (A3, A6). The first byte says which. */
#include "tests/fuzz/fuzz.h"

#include "adapters/ari/wire.h"
#include "adapters/net/net.h"

#include <string.h>

static struct json doc;

static void event(const char *text, size_t len)
{
    struct wire_event e;
    uint16_t node;

    if (wire_read(&doc, text, len, &e) != 0) {
        MUST(doc.error[0] != '\0');
        return;
    }
    MUST((unsigned)e.kind < WIRE_KINDS);
    const struct text all[] = {e.type,  e.application,         e.channel,           e.playback,
                               e.digit, e.endpoint_technology, e.endpoint_resource, e.request,
                               e.body};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        MUST(all[i].ptr != NULL);
        touch(all[i]);
    }
    (void)wire_owner(e.channel, &node);
}

static void channels(const char *text, size_t len)
{
    struct wire_channel c;

    if (json_parse(&doc, text, len) != 0) {
        return;
    }
    for (json_ref i = json_first(&doc, JSON_ROOT); i != JSON_NONE; i = json_next(&doc, i)) {
        if (wire_channel(&doc, i, "dialer", &c)) {
            touch(c.id);
        }
    }
}

static void words(const char *text, size_t len)
{
    const struct text t = {text, (uint32_t)len};
    char out[80];

    (void)wire_time(t);
    if (wire_endpoint_of(t, out, sizeof out)) {
        MUST(strlen(out) < sizeof out && strchr(out, '/') != NULL);
    }
    (void)wire_owner(t, NULL);
}

/* Only the unreserved stand as they are, and what separates. */
static void check_uri(const char *uri)
{
    MUST(strlen(uri) < WIRE_URI_MAX);
    for (const char *c = uri; *c != '\0'; c++) {
        MUST((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f && *c != '#' && *c != '"');
    }
}

/* number, endpoint, caller id, context, message, attempt: lines of the input. */
static void originate(struct bytes *b)
{
    struct msg_originate_call m = {.permit = 1, .pbx = 1, .ring_s = 30};
    struct msg_originate_leg leg = {.permit = 1, .pbx = 1};
    struct wire_request r;
    char why[160] = "";
    char endpoint[200];
    static char frame[8192];

    m.number = take_until(b, '\n');
    m.endpoint = take_until(b, '\n');
    m.caller_id = take_until(b, '\n');
    m.context = take_until(b, '\n');
    m.message = take_until(b, '\n');
    m.attempt = take_until(b, '\n');
    leg.endpoint = m.endpoint;
    leg.caller_id = m.caller_id;
    leg.leg = m.attempt;
    if (wire_originate_call(&m, &r, why, sizeof why) == 0) {
        const char *query = strchr(r.uri, '?');
        check_uri(r.uri);
        MUST(query != NULL && m.number.len >= 3 && m.number.len <= 16);
        for (uint32_t i = 0; i < m.number.len; i++) {
            MUST((m.number.ptr[i] >= '0' && m.number.ptr[i] <= '9') ||
                 (i == 0 && m.number.ptr[i] == '+'));
        }
        /* Exactly one endpoint, and it is the one that was given. */
        const struct text q = {query + 1, (uint32_t)strlen(query + 1)};
        MUST(net_query_get(q, "endpoint", 1, endpoint, sizeof endpoint) == -1);
        if (net_query_get(q, "endpoint", 0, endpoint, sizeof endpoint) >= 0) {
            MUST(strlen(endpoint) == m.endpoint.len &&
                 memcmp(endpoint, m.endpoint.ptr, m.endpoint.len) == 0);
            MUST(strpbrk(endpoint, "&, ") == NULL);
        }
        (void)wire_frame(&r, 1, frame, sizeof frame);
    } else {
        MUST(why[0] != '\0');
    }
    if (wire_originate_leg(&leg, "dialer", &r, why, sizeof why) == 0) {
        check_uri(r.uri);
    }
    if (wire_play(m.attempt, m.context, m.message, &r) == 0) {
        check_uri(r.uri);
    }
    if (wire_bridge_add(m.attempt, m.context, m.message, &r) == 0) {
        check_uri(r.uri);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    const unsigned what = take_byte(&b);
    char *block = malloc(b.left + 1);

    if (doc.max_size == 0) {
        json_init(&doc, 0);
    }
    memcpy(block, b.at, b.left);
    switch (what % 5) {
    case 0:
    case 1:
        event(block, b.left);
        break;
    case 2:
        channels(block, b.left);
        break;
    case 3:
        words(block, b.left);
        break;
    default:
        originate(&b);
        break;
    }
    free(block);
    return 0;
}
