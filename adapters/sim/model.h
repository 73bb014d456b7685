// The insides of the model that its files share. pbx.h is what the rest of the program sees.
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "adapters/sim/idtree.h"
#include "adapters/sim/mem.h"
#include "adapters/sim/pbx.h"
#include "adapters/sim/sched.h"

#define ID_MAX 149 // bytes of a channel id
#define ID_SIZE (ID_MAX + 4)
#define APPS_PER_CLIENT 8
#define INTERESTS 6
#define ASTERISK_ID "02:00:00:00:00:01"

enum event_type {
// clang-format never comes to rest on this list.
// clang-format off
#define EVENT_TYPES(X)                                                                             \
    X(ApplicationMoveFailed)                                                                       \
    X(ApplicationReplaced)                                                                         \
    X(BridgeBlindTransfer) X(BridgeCreated) X(BridgeDestroyed) X(ChannelCallerId)                  \
        X(ChannelConnectedLine) X(ChannelCreated) X(ChannelDestroyed) X(ChannelDialplan)           \
            X(ChannelDtmfReceived) X(ChannelEnteredBridge) X(ChannelHangupRequest) X(ChannelHold)  \
                X(ChannelLeftBridge) X(ChannelStateChange) X(ChannelTalkingFinished)               \
                    X(ChannelTalkingStarted) X(ChannelUnhold) X(ChannelUserevent) X(ChannelVarset) \
                        X(ContactStatusChange) X(DeviceStateChanged) X(Dial)                       \
                            X(EndpointStateChange) X(PeerStatusChange) X(PlaybackContinuing)       \
                                X(PlaybackFinished) X(PlaybackStarted) X(RESTResponse)             \
                                    X(RecordingFailed) X(RecordingFinished) X(RecordingStarted)    \
                                        X(StasisEnd) X(StasisStart)
// clang-format on
#define EVENT_ENUM(name) EV_##name,
    EVENT_TYPES(EVENT_ENUM) EV_COUNT
};

enum chan_state { CHAN_DOWN, CHAN_RING, CHAN_RINGING, CHAN_UP };

// Who made the channel: it decides how its end looks.
enum chan_origin {
    BY_APP,     // originate with app
    BY_CONTEXT, // originate into a dialplan context
    BY_CREATE,  // create + dial
    BY_SNOOP,
    BY_INBOUND,
    BY_FORWARD, // made by Asterisk itself: a 302 or a REFER
    BY_LOCAL    // a half of a Local channel
};

// How a channel ends.
enum end_how {
    END_BYE,     // the far end hung up
    END_FINAL,   // final response
    END_TIMEOUT, // originate's timeout
    END_DELETE,  // DELETE /channels/{id}
    END_PLAN,    // the dialplan came to its end, or there is none
    END_STOP     // Asterisk shuts down
};

struct filter {
    char *text;      // the JSON list it was set from, "[]" if none
    uint64_t types;  // bit for each event type named without further fields
    bool fields;     // some entry has further fields: events must be read to decide
    struct json doc; // parsed text, for entries with fields
    bool set;
};

struct name_count {
    char name[PBX_NAME * 2];
    int count;
};

struct app {
    struct app *next;
    char name[PBX_NAME * 2];
    char quoted[PBX_NAME * 12 + 8]; // the name as JSON
    struct pbx_client *client;      // NULL: nobody is connected
    int interests;                  // channels and bridges that count it
    int all_channels, all_bridges, all_endpoints, all_devices;
    struct name_count *endpoint; // "PJSIP/carrier", or "PJSIP"
    size_t endpoints;
    struct name_count *device;
    size_t devices;
    struct filter allowed, disallowed;
};

struct pbx_client {
    struct pbx_client *next;
    void *socket;
    struct app *app[APPS_PER_CLIENT];
    size_t apps;
    char first_app[PBX_NAME * 2]; // named in its RESTResponses
};

struct interest {
    struct app *app;
    int count;
};

struct var {
    char *name, *value;
    char *reported; // what events show: the value it was made with; NULL: not shown
};

struct endpoint {
    struct idnode node; // key: "PJSIP/name"
    struct endpoint *next;
    char name[PBX_NAME];
    char key[PBX_NAME + 8];
    bool trunk;
    bool registered;
    struct pbx_trunk limits; // of a trunk
    struct pbx_phone phone;
    int live, up, ringing; // channels, and of them
    const char *shown;     // device state that was last told
    int64_t *recent;       // times of the last `limits.cps` calls, a ring
    uint32_t recents, recent_at;
};

struct bridge;
struct playback;
struct recording;

struct chan {
    struct idnode node; // key: id
    struct chan *next, *prev;
    struct pbx *pbx;
    char id[ID_SIZE];
    char name[ID_SIZE + 48];
    char protocol_id[40];
    enum chan_state state;
    enum chan_origin origin;
    struct endpoint *endpoint; // NULL: Local, Snoop
    char dial[192];            // dial string without technology, as Dial events carry it
    char number[128];          // what was dialed
    char caller_name[80], caller_number[80];
    char connected_name[80], connected_number[80];
    char account[64], language[16];
    char context[80], exten[160];
    int priority;
    char plan_app[32], plan_data[200];
    int64_t created_ms;
    struct interest interest[INTERESTS];

    struct app *stasis; // the application it is in, NULL: none
    char stasis_app[PBX_NAME * 2],
        stasis_args[400]; // where an originated channel goes at its answer

    struct far_end far;
    uint8_t far_next;   // step
    int64_t invited_us; // 0: no INVITE yet
    struct task far_task, timeout_task, end_task, plan_task, voice_task;
    bool dial_named; // later Dial events carry the dial string (originate), not "" (dial)
    bool dialed;
    int dial_timeout;

    bool ending;  // an end is on its way (end_task)
    int requests; // DELETEs until then
    bool answered;
    bool media;   // audio has flowed: answered, or early media
    bool bridged; // was in a bridge at some time
    int end_cause;
    bool ghost; // redirected, never notified: listed for ever, cannot be ended
    bool redirected;
    bool qos_told;    // the RTP statistics of its end are out
    bool success_due; // STASISSTATUS=SUCCESS follows at the very end (continue of an originated
                      // channel)
    struct chan *replaces; // what a REFER put it in the place of

    char plan_context[80], plan_exten[160]; // where an originated channel goes at its answer
    const struct plan_line *plan_first;
    const struct plan_line *plan; // line to run next, NULL: not in the dialplan
    struct chan *snooped;         // of a snoop channel: whom
    int snoops;                   // snoop channels that hang on this one
    struct chan *other;           // other half of a Local channel
    struct bridge *bridge;
    struct chan *bridge_next;
    struct playback *playing; // first of the queue
    struct recording *recording;
    struct var *var;
    size_t vars;
    bool reports; // some variable is reported in events
};

struct bridge {
    struct idnode node;
    struct bridge *next, *prev;
    char *id;
    char *name;
    char type[64];
    bool holding, dtmf_events, proxy_media;
    int64_t created_ms;
    struct chan *members;
    int count;
    struct interest interest[INTERESTS];
    bool moh;
    bool native, soft; // technology since the last change
    bool dissolving;
    struct playback *playing;
    struct recording *recording;
};

struct storm {
    struct task task;
    double rate; // events/s
    int64_t from_us, until_us;
    uint64_t turns, sent, foreign; // sent: of these foreign: about somebody else's calls
};

struct pbx {
    struct pbx_config config;
    struct pbx_hooks hooks;
    struct sched sched;
    int64_t now_us;
    int64_t wall_offset_ms; // wall = offset + now
    int64_t startup_ms;
    uint64_t random;
    uint32_t next_channel, next_snoop, next_local;
    uint64_t next_unique;
    bool stopping;

    struct idtree ids; // channels by id
    struct chan *channels;
    struct chan *spare; // ended ones, kept for reuse
    struct idtree bridge_ids;
    struct bridge *bridges;
    struct idtree endpoint_ids;
    struct endpoint *endpoints;
    struct app *apps;
    struct pbx_client *clients;
    struct idtree dialed; // ordinals of dialed numbers
    struct dialed *dialed_first;
    struct playback *playbacks;
    struct recording *recordings;
    struct stored *stored;
    struct var *global;
    size_t globals;
    struct name_count *device; // Stasis: device states; count is the state
    size_t devices;

    struct json_writer event; // the event being built
    char *frame;              // the event with its application, as it is sent
    size_t frame_room;
    struct json_writer framed; // a RESTResponse
    struct json_writer reply;  // body of the answer
    struct json_writer line;   // witness
    struct json parsed;        // request body
    struct json filtered;      // an event, read back for a filter with fields
    char location[3200];

    struct storm storm;
    uint64_t originates, answers, ended, events, refused, early;
};

// pbx.c
uint64_t pbx_random(struct pbx *pbx);
double pbx_chance(struct pbx *pbx); // 0..1
int64_t pbx_wall_ms(const struct pbx *pbx);
void pbx_at(struct pbx *pbx, struct task *task, int64_t after_us);
void pbx_uuid(struct pbx *pbx, char out[40]);
// A number Asterisk makes itself: <epoch>.<counter>.
void pbx_unique(struct pbx *pbx, char *out, size_t size);

// witness.c: one line for each; `kind` follows from the id
void witness_open(struct pbx *pbx, const char *what, const char *id); // starts a line in pbx->line
void witness_close(struct pbx *pbx);
void witness_plain(struct pbx *pbx, const char *what, const char *id);
void witness_word(struct pbx *pbx, const char *what, const char *id, const char *key,
                  const char *value);
void witness_bridge(struct pbx *pbx, const char *what, const struct chan *c,
                    const struct bridge *b);

// app.c
struct app *app_find(const struct pbx *pbx, const char *name);
struct app *app_make(struct pbx *pbx, const char *name);
void app_settle(struct pbx *pbx, struct app *app); // removes it when nothing holds it any more
void app_forget(struct pbx *pbx);                  // all of them
void interest_add(struct app *app, struct interest *list);
bool interest_drop(struct app *app, struct interest *list, bool wholly); // false: had none
void interest_clear(struct pbx *pbx, struct interest *list);
int interest_count(const struct app *app, const struct interest *list);
void app_json(struct pbx *pbx, struct json_writer *w, const char *key, const struct app *app);
int filter_set(struct filter *f, const char *text, size_t len); // -1: wrong format
void filter_clear(struct filter *f);
int names_add(struct name_count **list, size_t *count, const char *name);
bool names_drop(struct name_count **list, size_t *count, const char *name);
int names_count(const struct name_count *list, size_t count, const char *name);

// Events. A builder asks event_wanted first, opens the event, adds its members, and publishes.
bool event_wanted_chan(const struct pbx *pbx, const struct chan *c, enum event_type type);
bool event_wanted_bridge(const struct pbx *pbx, const struct bridge *b, enum event_type type);
bool event_wanted_endpoint(const struct pbx *pbx, const struct endpoint *e, enum event_type type);
bool event_wanted_device(const struct pbx *pbx, const char *device, enum event_type type);
struct json_writer *event_open(struct pbx *pbx, enum event_type type);
void event_publish_chan(struct pbx *pbx, const struct chan *c, enum event_type type);
void event_publish_bridge(struct pbx *pbx, const struct bridge *b, enum event_type type);
void event_publish_app(struct pbx *pbx, struct app *app, enum event_type type);
void event_publish_endpoint(struct pbx *pbx, const struct endpoint *e, enum event_type type);
void event_publish_device(struct pbx *pbx, const char *device, enum event_type type);
extern const char *const event_names[EV_COUNT];
enum event_type event_named(const char *name); // EV_COUNT: none

// event.c: one function for each event the channels' code sends
void ev_created(struct chan *c);
void ev_dial(struct chan *c, const char *status, const char *forward, struct chan *forwarded);
void ev_state(struct chan *c);
void ev_varset(struct chan *c, const char *name, const char *value);
void ev_dialplan(struct chan *c);
void ev_stasis_start(struct chan *c, struct app *app, const char *args, struct chan *replaced);
void ev_stasis_end(struct chan *c, struct app *app);
void ev_hangup_request(struct chan *c, int cause, bool soft,
                       int tech_cause); // cause -1: absent; tech 0: absent
void ev_destroyed(struct chan *c, int cause, int tech_cause);
void ev_bridge_member(struct chan *c, struct bridge *b, bool entered);
void ev_bridge(struct pbx *pbx, struct bridge *b, enum event_type type);
void ev_dtmf(struct chan *c, char digit, int duration_ms);
void ev_plain(struct chan *c, enum event_type type);
void ev_hold(struct chan *c, bool on);
void ev_talking(struct chan *c, bool started, int duration_ms);
void ev_qos(struct chan *c);
void ev_caller(struct chan *c);
void ev_endpoint_state(struct pbx *pbx, struct endpoint *e);
void ev_device(struct pbx *pbx, const char *device, const char *state);
void ev_contact(struct pbx *pbx, struct endpoint *e);
void put_chan(struct json_writer *w, const char *key, const struct chan *c);
void put_bridge(struct json_writer *w, const char *key, const struct bridge *b);
void put_endpoint(struct pbx *pbx, struct json_writer *w, const char *key,
                  const struct endpoint *e);
void put_time(struct json_writer *w, const char *key, int64_t wall_ms);
const char *endpoint_state(const struct endpoint *e);
const char *device_state(const struct endpoint *e);
const char *chan_state_name(enum chan_state state);

// chan.c
struct chan *chan_new(struct pbx *pbx, const char *id, enum chan_origin origin);
struct chan *chan_find(const struct pbx *pbx, const char *id);
struct chan *chan_find_any(const struct pbx *pbx, const char *id_or_name);
bool chan_id_taken(const struct pbx *pbx, const char *id); // whole or as a prefix
void chan_set_var(struct chan *c, const char *name, const char *value, bool report); // no event
const char *chan_var(const struct chan *c, const char *name);                        // NULL: unset
void chan_name(struct chan *c);
void chan_drop(struct chan *c); // out of every list, memory kept; no event
// The state, and what follows for its endpoint's device state. No event of the channel.
void chan_set_state(struct chan *c, enum chan_state state);
void endpoint_settle(struct pbx *pbx, struct endpoint *e); // tells a changed device state
void chan_plan_app(struct chan *c, const char *app, const char *data);

// call.c
struct dial_target {
    char tech[16];
    char user[128];
    char endpoint[PBX_NAME];
    char dial[192];
};
int dial_parse(struct dial_target *t, const char *endpoint); // -1: "Invalid endpoint specified"
struct endpoint *endpoint_find(struct pbx *pbx, const char *name);
struct endpoint *endpoint_add(struct pbx *pbx, const char *name);
bool endpoint_reachable(const struct endpoint *e);
void call_attach(struct chan *c, struct endpoint *e, const struct dial_target *t);
void call_invite(struct chan *c, int timeout_s); // -1: no timeout
void call_forward(struct chan *c, int code);
void call_end(struct chan *c, enum end_how how,
              int code);                     // code: SIP final, Q.850 of a BYE (-1 none)
void call_delete(struct chan *c, int cause); // DELETE: the end follows hangup_us later
void call_answered(struct chan *c);
bool call_refer(struct chan *c, const char *exten); // refer.c; false: not in a two-party bridge
#define NORMAL_CLEARING 16                          // Q.850, in the words of Asterisk
const char *cause_text(int cause);
int cause_of_sip(int code);
int sip_of_cause(int cause);
const char *dialstatus_of_sip(int code);
void dialed_forget(struct pbx *pbx);

// stasis.c
bool stasis_enter(struct chan *c, const char *app,
                  const char *args); // false: nobody is there (FAILED)
void stasis_leave(struct chan *c, bool hangup);
bool stasis_move(struct chan *c, const char *app, const char *args);

// plan.c
struct plan_line;
const struct plan_line *plan_find(const struct pbx *pbx, const char *context, const char *exten,
                                  int priority, const char *label);
void plan_start(struct chan *c, const struct plan_line *line, const char *context,
                const char *exten);
bool plan_hangs_up(
    const struct chan *c); // its context ends with Hangup(), which adds a hang-up request

// bridge.c
struct bridge *bridge_find(const struct pbx *pbx, const char *id);
struct bridge *bridge_new(struct pbx *pbx, const char *id, const char *name, const char *type);
void bridge_free(struct bridge *b, struct pbx *pbx);
void bridge_enter(struct bridge *b, struct chan *c, bool quiet); // quiet: no connected line
void bridge_leave(struct chan *c, bool removed); // removed: by request, not by its end
const char *bridge_technology(const struct bridge *b);
void bridge_peers(struct bridge *b);
void bridge_settle(struct bridge *b);
bool bridge_hides_dtmf(const struct bridge *b);

// media.c
void media_chan_end(struct chan *c);
void media_bridge_end(struct pbx *pbx, struct bridge *b);
void media_forget(struct pbx *pbx);
void media_digit(struct chan *c, char digit);

// voice.c: speech of the far end, for AMD() and TALK_DETECT
void voice_start(struct chan *c);
int64_t amd_time_us(const struct chan *c);
void amd_result(struct chan *c, bool hangup); // sets AMDSTATUS and AMDCAUSE

// pbx.c
void global_set(struct pbx *pbx, const char *name, const char *value);
const char *global_get(const struct pbx *pbx, const char *name);

#endif
