// The simulated Asterisk itself: channels, bridges, applications, the dialplan and the carrier
// behind it, as a model that knows neither sockets nor clocks. It is moved by two things only:
// requests, and time that its owner tells it. So the same model runs behind real sockets (front.c)
// and inside a test with a made-up clock.
//
// Times: *_us microseconds, monotonic. One thread. Texts handed to a hook live until it returns.
#ifndef SIM_PBX_H
#define SIM_PBX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/net/json.h"
#include "adapters/sim/callee.h"

#define PBX_NAME 64
#define PBX_TRUNKS 32
#define PBX_PHONES 32
#define PBX_CONTEXTS 8
#define PBX_SOUNDS 32

enum redirect_method { REDIRECT_USER, REDIRECT_URI_CORE, REDIRECT_URI_PJSIP };

struct pbx_trunk {
    char name[PBX_NAME];
    double cps;     // calls per second it takes, more get 503; 0: no limit
    uint32_t lines; // calls at a time, more get 503; 0: no limit
    bool down;      // no contact: originate fails at once (500)
    bool silent;    // nobody answers its INVITEs: every call ends with its timeout
    enum redirect_method redirect;
};

// Endpoints that are phones of agents: a name, or a beginning and '*'.
struct pbx_phone {
    char pattern[PBX_NAME];
    uint32_t answer_ms;
    uint16_t refuse; // SIP code it answers instead; 0: it answers the call
    bool unregistered;
    bool no_transfer; // its REFER is refused (allow_transfer=no)
};

struct pbx_config {
    uint64_t seed;
    struct population people;
    struct pbx_trunk trunk[PBX_TRUNKS];
    size_t trunks;
    struct pbx_phone phone[PBX_PHONES];
    size_t phones;
    char customers[PBX_CONTEXTS][PBX_NAME]; // contexts that hold the plan of asterisk.md section 9
    size_t contexts;
    char app[PBX_NAME]; // the application that plan enters
    bool scripts;       // user parts such as "r100-a400" say what the far end does
    bool exact_ids;     // the other channel storage: no prefix collision
    struct {
        char name[PBX_NAME];
        double seconds;
    } sound[PBX_SOUNDS]; // the sound files there are
    size_t sounds;
    double early_events; // share of originates whose first event comes before their answer
    uint32_t setup_us;   // from the request to its first event
    uint32_t hangup_us;  // from DELETE to the end of the channel
};

void pbx_config_default(struct pbx_config *config);

// One websocket that is a client of one or more applications.
struct pbx_client;

struct pbx_hooks {
    void *ctx;
    // A text frame for the client's socket. False: the socket takes no more (a slow reader).
    bool (*send)(void *ctx, void *socket, const char *text, size_t len);
    // One line for the witness, without its newline. May be NULL.
    void (*witness)(void *ctx, const char *line, size_t len);
};

struct pbx;

struct pbx *pbx_new(const struct pbx_config *config, const struct pbx_hooks *hooks, int64_t now_us,
                    int64_t wall_ms);
void pbx_free(struct pbx *pbx);

// When something is due next; INT64_MAX: nothing.
int64_t pbx_due(const struct pbx *pbx);
// Lets time pass up to now_us. Never goes back.
void pbx_run(struct pbx *pbx, int64_t now_us);

size_t pbx_live_channels(const struct pbx *pbx);
// Microseconds of a real server's core that calls and events have taken so far, requests apart.
int64_t pbx_work_us(const struct pbx *pbx);

// What sticks to an HTTP connection or a websocket.
struct pbx_peer {
    bool sticky_409;
    bool read_only;
};

struct pbx_pair {
    const char *name, *value;
};

struct pbx_request {
    const char *method; // as sent
    const char *path;   // below /ari/, percent-encoded, without its leading slash and query
    size_t path_len;
    const char *query; // behind '?', encoded
    size_t query_len;
    const struct pbx_pair *pairs; // query_strings of a RESTRequest, decoded
    size_t n_pairs;
    const char *content_type; // NULL: none
    const char *body;
    size_t body_len;
    bool websocket; // came as RESTRequest
    struct pbx_peer *peer;
};

struct pbx_answer {
    int status;
    const char *reason;
    const char *body; // JSON, NULL: none; the model's memory, valid until the next request
    size_t len;
    const char *location; // header, NULL: none
};

void pbx_request(struct pbx *pbx, const struct pbx_request *request, struct pbx_answer *answer);

// A websocket for these applications (names separated by commas). NULL: the list is empty or too
// long.
struct pbx_client *pbx_client_open(struct pbx *pbx, const char *apps, bool subscribe_all,
                                   void *socket);
void pbx_client_close(struct pbx *pbx, struct pbx_client *client);
// An answer to this client's request (type RESTResponse) unless its filter swallows it.
void pbx_client_answer(struct pbx *pbx, struct pbx_client *client, const char *transaction_id,
                       const char *request_id, const char *uri, const struct pbx_answer *answer);

// --- what a test does to it from outside; false: no such channel or endpoint, or not in a state
// for it ---
bool pbx_far_hangup(struct pbx *pbx, const char *id, int cause); // cause -1: BYE without Reason
bool pbx_far_answer(struct pbx *pbx, const char *id);
bool pbx_far_dtmf(struct pbx *pbx, const char *id, const char *digits);
bool pbx_far_refer(struct pbx *pbx, const char *id,
                   const char *exten); // its phone transfers it away
bool pbx_far_hold(struct pbx *pbx, const char *id, bool on);
struct pbx_call {
    const char *endpoint; // it comes in through
    const char *id;       // "": one of Asterisk's own
    const char *from, *context, *exten;
};
bool pbx_inbound(struct pbx *pbx, const struct pbx_call *call);
bool pbx_register(struct pbx *pbx, const char *endpoint, bool registered);
bool pbx_trunk_set(struct pbx *pbx,
                   const struct pbx_trunk *trunk); // by name; replaces its settings
void pbx_people_set(struct pbx *pbx, const struct population *people);
const struct population *pbx_people(const struct pbx *pbx);
// So many events a second for so long, beside all others; counted in pbx_stats.
void pbx_storm(struct pbx *pbx, double rate, int64_t us);
// Every call ends as at "core stop now" (hard false), or vanishes as at kill -9 (hard true).
// Applications, filters and subscriptions are gone afterwards; clients must be closed by the
// caller.
void pbx_stop(struct pbx *pbx, bool hard);
// "core stop gracefully": refuses new calls. pbx_live_channels says when the last is over.
void pbx_stop_gracefully(struct pbx *pbx);
// Up again after a stop, with a new start-up time.
void pbx_boot(struct pbx *pbx);
// Members of an open JSON object: counts of everything.
void pbx_stats(struct pbx *pbx, struct json_writer *out);

#endif
