/*
 * proxy.h - TCP links with faults: each listens on a loopback port of its own and carries what
 * comes to another one, until it is told to do worse. One thread carries all links; the functions
 * may be called from any other.
 */
#ifndef TESTS_SOAK_PROXY_H
#define TESTS_SOAK_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum link_mode {
    LINK_GOOD,
    LINK_CUT,    /* what is connected is closed, what connects is closed at once */
    LINK_STALL,  /* nothing is carried, nothing is closed; who connects waits */
    LINK_DELAY,  /* everything arrives later */
    LINK_SILENT, /* what one sends vanishes, as behind a dead router: nothing is closed */
};

enum link_once {
    LINK_TRUNCATE =
        1, /* the next bytes of each connection: half of them arrive, then it is closed */
    LINK_DUPLICATE = 2, /* the next websocket frames from the server arrive twice */
};

struct proxy;

struct proxy *proxy_open(void); /* NULL: no thread, no memory */
void proxy_close(struct proxy *p);
/* A new link to this loopback port; `port` is where it listens. Its number, or -1. */
int proxy_link(struct proxy *p, int to_port, int *port);
void proxy_mode(struct proxy *p, int link, enum link_mode mode, int delay_ms);
void proxy_once(struct proxy *p, int link, enum link_once what);

#endif
