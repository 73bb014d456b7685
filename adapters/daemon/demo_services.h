/* demo_services.h - private PostgreSQL and Redis instances for `dialerd demo --full`. */
#ifndef ADAPTERS_DAEMON_DEMO_SERVICES_H
#define ADAPTERS_DAEMON_DEMO_SERVICES_H

#include "adapters/daemon/demo_parts.h"

/* Both in the demo's folder, reached over a unix socket and a loopback port; fills store_url and
 * hopper_url. 0, or -1 with a sentence. */
int demo_services_start(struct demo *d, char *why, size_t why_size);

#endif
