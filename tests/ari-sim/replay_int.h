// Shared by the files of a replay: replay.c goes through the transcript, replay_send.c sends,
// replay_compare.c compares.
#ifndef TEST_REPLAY_INT_H
#define TEST_REPLAY_INT_H

#include "tests/ari-sim/replay.h"
#include "tests/ari-sim/transcript.h"

enum { ANSWERS = 700, SOCKETS = 12, POOLS = 5, MAP = 64, REPORT = 4000, LINES_SHOWN = 8 };
enum { GATE_US = 2000000, SHORT_GATE_US = 100000, TAIL_US = 250000, BODY_MAX = 1 << 20 };

struct answer {
    size_t sent_line;   // +1
    size_t wanted_line; // +1
    bool arrived;
    int status; // 0: no connection
    char *body;
    size_t len;
};

struct peer {
    char tag[16];
    struct net_ws *ws;
    struct replay *replay;
    bool open, closed, wanted; // wanted: until it opens, try again
    int code, http_status;
    char url[200];
    bool plain; // without replay_credentials
    int64_t retry_until;
};

struct seen {
    char *strand, *sign;
    int64_t at;
};

struct replay {
    char name[80];
    bool races;
    struct net_loop *loop;
    struct net_timer *timer;
    struct front *front;
    struct ledger *ledger;
    struct transcript t;
    size_t cursor;
    int64_t zero, gate_since, end_at;
    bool impatient, done, aborting;
    struct answer answer[ANSWERS];
    struct net_http *pool[POOLS];
    struct peer peer[SOCKETS];
    size_t peers;
    struct seen *seen, *wanted;
    size_t n_seen, n_wanted, seen_room, wanted_room;
    char *frame[ANSWERS]; // RESTResponses in the order of their arrival
    size_t frames, frames_wanted;
    char *map_from[MAP], *map_to[MAP];
    size_t maps;
    char *auto_wanted[MAP], *auto_seen[MAP]; // made-up ids in the order of their first event
    size_t autos_wanted, autos_seen;
    struct json line, other;
    struct replay_result result;
    char report[REPORT];
    size_t report_len;
};

struct call {
    struct replay *replay;
    int64_t n;
};

void replay_differs(struct replay *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void replay_soon(struct replay *r); // something came: go on
void replay_map(struct replay *r, const char *from, const char *to);

// replay_send.c; `line` is the request's line in r->line, `text` the line as it stands
void replay_send_http(struct replay *r, json_ref line, const char *text);
void replay_send_frame(struct replay *r, json_ref line, const char *text);
struct peer *replay_peer(struct replay *r, const char *tag);
extern const struct net_header replay_credentials, replay_viewer;

// replay_compare.c
void replay_compare(struct replay *r);

#endif
