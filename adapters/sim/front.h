// The model behind real sockets: HTTP and websockets as Asterisk serves them, the time a request
// takes, and the ways in which a server can misbehave (stop, crash, stall, swallow).
#ifndef SIM_FRONT_H
#define SIM_FRONT_H

#include "adapters/net/net.h"
#include "adapters/sim/ledger.h"
#include "adapters/sim/pbx.h"

#define FRONT_USERS 8

struct front_user {
    char name[64], password[128];
    bool read_only;
};

struct front_config {
    char host[64];
    uint16_t port;     // 0: a free one
    unsigned sessions; // connections at a time, websockets included
    struct front_user user[FRONT_USERS];
    size_t users;
    bool cost;        // requests take as long as on the recorded server
    unsigned cores;   // of the cost model
    int64_t idle_us;  // an idle HTTP connection is closed after
    int64_t write_us; // a websocket that takes nothing for so long is cut off
    int64_t wall_ms;  // its clock begins here; 0: the real one
    int send_buffer;  // of a websocket; 0: the kernel's
    struct pbx_config pbx;
};

void front_config_default(struct front_config *config);

struct front;

// NULL with the reason in err.
struct front *front_open(struct net_loop *loop, const struct front_config *config,
                         struct ledger *ledger, char *err, size_t errlen);
void front_close(struct front *front);
uint16_t front_port(const struct front *front);
struct pbx *front_pbx(struct front *front);

// To be called after the model was touched from outside: lets due things happen, flushes the
// witness, sets the clock.
void front_pump(struct front *front);

// Faults.
enum front_end { FRONT_STOP, FRONT_KILL, FRONT_GRACEFUL };
// Down now (or, gracefully, when the last call is over). It boots again by itself after down_us;
// negative: stays down.
void front_end(struct front *front, enum front_end how, int64_t down_us);
void front_boot(struct front *front);
void front_stall(struct front *front, bool on);    // requests wait, events too
void front_delay(struct front *front, int64_t us); // each request takes so much longer
void front_swallow(struct front *front, unsigned requests, bool carried_out); // these get no answer
void front_drop_sockets(struct front *front); // every websocket, without a close frame
void front_stats(struct front *front, struct json_writer *w);

#endif
