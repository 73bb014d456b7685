// One request on its way through the routes.
#ifndef SIM_REST_H
#define SIM_REST_H

#include "adapters/sim/model.h"

#define REST_PARAMS 48
#define REST_SEGMENTS 6

struct rest {
    struct pbx *pbx;
    const struct pbx_request *in;
    struct pbx_answer *out;
    char *room; // decoded texts
    size_t room_left;
    const char *segment[REST_SEGMENTS]; // decoded path
    size_t segments;
    struct pbx_pair param[REST_PARAMS];
    size_t params;
    bool body; // pbx->parsed holds the JSON body
    struct json_writer *reply;
};

// A parameter, from the body before the query (the body wins), or NULL.
// The value if it is a string: numbers and booleans of a JSON body count as absent here.
const char *rest_param(const struct rest *r, const char *name);

int rest_int(const struct rest *r, const char *name, int other);
bool rest_true(const struct rest *r, const char *name);

void rest_error(struct rest *r, int status, const char *message); // {"message": ...}
void rest_error_reason(struct rest *r, int status, const char *reason, const char *message);
void rest_allocation_failed(struct rest *r); // 500, or 409 on a connection that had a 409
void rest_duplicate(struct rest *r);         // 409, and it sticks
void rest_none(struct rest *r);              // 204
void rest_reply(struct rest *r, int status); // what was written to r->reply

struct chan *rest_chan(struct rest *r, const char *id, bool by_name);
// A channel in Stasis, answered 404/409/412 otherwise; up: it must be answered too.
struct chan *rest_stasis_chan(struct rest *r, bool up);
struct bridge *rest_bridge(struct rest *r);

typedef void rest_handler(struct rest *r);

struct route {
    const char *method;
    const char *path; // segments, {} for anything
    rest_handler *run;
};

extern const struct route channel_routes[], bridge_routes[], media_routes[], other_routes[];

#endif
