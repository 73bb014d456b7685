// Command line and config file of ari-sim.
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "adapters/sim/front.h"

struct options {
    struct front_config front;
    char witness[256];      // "": none
    char control_unix[108]; // "": a port
    int control_port;       // -1: no control channel, 0: a free one
    bool shares;            // some share of the population was given
    bool users;             // some user was given
    bool help;
};

// 0, or -1 with one line about what is wrong (and where) in err.
int options_read(struct options *o, int argc, char **argv, char *err, size_t errlen);
extern const char options_help[];

#endif
