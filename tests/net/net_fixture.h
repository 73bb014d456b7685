/* net_fixture.h - one loop with a server that tests hook into, and raw sockets to torture it with.
 */
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/net/net.h"

extern struct net_loop *loop;
extern int log_errors; /* lines of level 3 since setup */

int setup_loop(void **state);
int teardown_loop(void **state);

/* Run the loop until the condition holds; fails the test after twenty seconds. */
#define run_until(condition)                                                                       \
    do {                                                                                           \
        int64_t end_ = net_now_us() + 20 * US_PER_S;                                               \
        while (!(condition)) {                                                                     \
            if (net_now_us() > end_) {                                                             \
                fail_msg("%s:%d: never came: %s", __FILE__, __LINE__, #condition);                 \
            }                                                                                      \
            net_loop_run_once(loop, 20 * US_PER_MS);                                               \
        }                                                                                          \
    } while (0)

/* Run the loop for that long. */
void run_for(int64_t us);

/* A plain TCP client, non-blocking once connected. */
int raw_connect(uint16_t port);
void raw_send(int fd, const void *bytes, size_t len);
/* Append what has arrived to buf (NUL-terminated). False once the peer has closed. */
bool raw_read(int fd, char *buf, size_t size);
/* Send a text, run the loop until the peer closes or `until` has been answered; returns the answer.
 */
const char *raw_talk(uint16_t port, const char *text, const char *until);

#endif
