// The control channel: what a test or a demo does to the simulator from outside. README.md lists
// the paths.
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "adapters/sim/front.h"

struct control;

// On a port of 127.0.0.1, or on a unix socket if unix_path is not empty. NULL with the reason in
// err.
struct control *control_open(struct net_loop *loop, struct front *front, uint16_t port,
                             const char *unix_path, char *err, size_t errlen);
uint16_t control_port(const struct control *control);
void control_close(struct control *control);

#endif
