/* page_client.h - the other end of the desk's websocket, for tests. */
#ifndef TESTS_WEB_PAGE_CLIENT_H
#define TESTS_WEB_PAGE_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/net/json.h"
#include "adapters/net/net.h"

extern struct net_loop *loop; /* the clients' */
extern uint16_t page_port;    /* of the daemon on 127.0.0.1 */

#define run_until(condition)                                                                       \
    do {                                                                                           \
        int64_t end_ = net_now_us() + 30 * US_PER_S;                                               \
        while (!(condition)) {                                                                     \
            if (net_now_us() > end_) {                                                             \
                fail_msg("%s:%d: never came: %s", __FILE__, __LINE__, #condition);                 \
            }                                                                                      \
            net_loop_run_once(loop, 20 * US_PER_MS);                                               \
        }                                                                                          \
    } while (0)

#define PAGE_MESSAGES 4096

struct page {
    struct net_ws *ws;
    bool open, closed;
    int code;
    enum net_ws_cause cause;
    char reason[128];
    unsigned n; /* messages so far */
    char *message[PAGE_MESSAGES];
    unsigned read; /* taken by page_next */
};

struct page *page_new(const char *origin, const char *subprotocol,
                      const struct net_ws_limits *limits);
/* ... and says hello; resume_stream NULL: without resume. Waits for the welcome, which is returned.
 */
struct page *page_hello(const char *ticket, const char *resume_stream, int64_t resume_seq);
void page_send(struct page *p, const char *text);
/* The next message of this type, others are skipped; parsed into `doc`. */
void page_next(struct page *p, const char *type, struct json *doc);
/* The next item of this type out of changes; NULL-terminated copy of its JSON, parsed into doc. */
void page_item(struct page *p, const char *type, struct json *doc);
void page_free(struct page *p);

#endif
