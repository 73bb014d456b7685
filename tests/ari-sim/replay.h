// Replays the client's side of one transcript against a simulated server of its own, in real time,
// and compares what comes back. Many replays run side by side in one loop.
#ifndef TEST_REPLAY_H
#define TEST_REPLAY_H

#include "adapters/sim/front.h"

struct replay;

struct replay_result {
    unsigned requests, events, strands; // compared
    unsigned differences;
    const char *report; // one line for each of the first differences
};

// It begins after delay_us: a crowd of replays that begin at once would be late for each other's
// races. `races`: the recorded outcome is one of several; then statuses and strands only have to be
// ones that occur in it.
struct replay *replay_start(struct net_loop *loop, const char *path, const char *name, bool races,
                            int64_t delay_us);
bool replay_done(const struct replay *r);
struct replay_result replay_result(const struct replay *r);
void replay_free(struct replay *r);

#endif
