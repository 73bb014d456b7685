/*
 * pbx.h - one Asterisk server: its sockets, its queue, its channels. Everything here belongs to the
 * adapter's thread.
 *
 *   pbx.c         the events' socket, the steps of the link
 *   pbx_lane.c    requests: their websockets, HTTP
 *   pbx_list.c    what a connect finds, and the phones' states
 *   pbx_command.c messages in: calls, and what became of all that was asked
 *   pbx_bridge.c  messages in: bridges, and what is heard in them
 *   pbx_event.c   events in: messages out
 */
#ifndef ADAPTERS_ARI_PBX_H
#define ADAPTERS_ARI_PBX_H

#include "adapters/ari/ari.h"
#include "adapters/ari/chans.h"
#include "adapters/ari/link.h"
#include "adapters/ari/queue.h"
#include "adapters/ari/refused.h"
#include "adapters/ari/wire.h"
#include "adapters/net/net.h"

/* What the servers need of the adapter around them; tests bring their own. */
struct ari_host {
    struct net_loop *loop;
    const struct secret_key *permits;
    uint16_t node;
    void (*send)(void *ctx, handle to, uint16_t type, const void *msg);
    void (*count)(void *ctx, const char *name, const char *label, uint32_t pbx, int64_t add);
    void (*observe)(void *ctx, const char *name, const char *label, uint32_t pbx, int64_t us);
    void (*log)(void *ctx, int level, const char *code, const char *line);
    void *ctx;
    void (*leaving)(void *ctx, struct text attempt); /* ari.h; may be NULL */
    void *leaving_ctx;
};

struct pbx;

/* What became of a request. */
struct answer {
    enum net_fate fate;
    int status; /* NET_ANSWERED */
    const char *body;
    size_t len;
    const char *error;
};
static inline bool answer_good(const struct answer *a)
{
    return a->fate == NET_ANSWERED && a->status >= 200 && a->status < 300;
}

enum command_kind {
    CMD_CALL,
    CMD_LEG,
    CMD_HANGUP,
    CMD_BRIDGE_CREATE,
    CMD_BRIDGE_ADD,
    CMD_BRIDGE_DESTROY,
    CMD_PLAY,
    CMD_MUSIC,
    CMD_SOUND,
    CMD_CHECK,
    CMD_MUTE,
    CMD_DTMF,
    CMD_STEP, /* the adapter's own: `done` knows what to do */
};

enum lane_kind { LANE_ORIGINATE, LANE_CONTROL, LANES };

struct command {
    struct queue_item item;      /* first */
    struct command *prev, *next; /* in its lane, while it is under way */
    struct pbx *pbx;
    enum command_kind kind;
    enum lane_kind lane;
    bool direct; /* went past the queue */
    bool flying;
    bool http;
    uint64_t request;
    unsigned tries;
    char id[64];  /* channel, bridge */
    char id2[64]; /* playback; the channel of a CMD_BRIDGE_ADD; sound */
    handle reply_to;
    uint64_t campaign;
    uint64_t client, asked; /* CMD_DTMF: whose request it is */
    bool on;                /* CMD_MUTE */
    void (*done)(struct pbx *pbx, struct command *cmd, const struct answer *answer);
    size_t index;     /* CMD_STEP: of the endpoint */
    unsigned connect; /* CMD_STEP, CMD_HANGUP: the connect it belongs to */
    struct wire_request request_text;
};

/* A websocket that only carries requests. While it is away HTTP carries them. */
struct lane {
    struct pbx *pbx;
    enum lane_kind kind;
    struct net_ws *ws;
    bool open, settled;          /* settled: open, or failed at least once since the connect */
    bool told;                   /* that it is gone: one line for an outage, not one for each try */
    struct command *head, *tail; /* under way on it, oldest first */
    int64_t waits_us;            /* since then for the next answer: they come one by one */
    struct net_timer *retry;
};

/* An endpoint that our application is to be subscribed to. */
struct watched {
    char name[64];
    bool phone;      /* somebody wants to know its state */
    bool subscribed; /* since this start of Asterisk or this connect */
    bool asking;
    bool told; /* an event has told its state since it was asked for */
    enum { SAID_NOTHING, SAID_ONLINE, SAID_OFFLINE } said;
    int64_t failed_us; /* refused then; 0 = not */
};

struct pbx {
    const struct ari_host *host;
    uint32_t number;
    char name[64], server[256], path[64], application[64], tls_ca[256];
    uint16_t port;
    bool tls;
    char authorization[512];
    struct link link;
    struct net_timer *link_timer, *pump_timer, *sweep_timer;
    struct net_ws *events;
    bool events_open;
    bool closing;
    struct lane lanes[LANES];
    bool rest_over_ws; /* answered so far; false: HTTP only, until the next connect */
    struct net_http *http;
    uint64_t next_request;
    unsigned connect; /* counts them */
    struct queue queue;
    struct refused refused;
    struct chans chans;
    struct chans ended; /* while listing: those whose end was told meanwhile */
    struct json doc;    /* of events and answers */
    struct json bridges_doc, list_doc;
    bool have_bridges, have_channels;
    struct watched *watched;
    size_t n_watched, cap_watched;
    size_t next_phone; /* of the slow walk over phones after the connect */
    bool phone_walk;
    unsigned subscriptions_asked; /* of trunks: originates wait for them */
    char startup_time[40];
    bool restarted;
    uint8_t told_state; /* enum pbx_state last sent */
    char why[160];      /* the last trouble, for people */
    unsigned foreign;
};

struct pbx *pbx_open(const struct ari_host *host, const struct ari_server *server, char *err,
                     size_t errlen);
void pbx_start(struct pbx *pbx);
/* Runs the loop until its sockets have ended; not from inside a callback. */
void pbx_close(struct pbx *pbx);
/* One message of the contract for this server. `from` asked. */
void pbx_take(struct pbx *pbx, handle from, uint16_t type, const void *msg);
/* Other limits from now on; pbx_pump sends what they allow. */
void pbx_limits(struct pbx *pbx, double calls_per_s, unsigned lines);
/* Send what may be sent; after a batch of pbx_take. */
void pbx_pump(struct pbx *pbx);

/* --- between the files -------------------------------------------------------------------------
 */

void pbx_log(const struct pbx *pbx, int level, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void pbx_count(const struct pbx *pbx, const char *name, const char *label);
void pbx_send(const struct pbx *pbx, handle to, uint16_t type, const void *msg);

#define LIST_MAX (32u * 1024u * 1024u) /* bytes of GET /channels: 376 each */

/* pbx_lane.c */
void pbx_send_command(struct pbx *pbx, struct command *cmd); /* now; takes it over */
struct command *pbx_step(struct pbx *pbx,
                         void (*done)(struct pbx *, struct command *, const struct answer *));
struct net_ws *pbx_dial(struct pbx *pbx, const char *suffix, const struct net_ws_events *events,
                        size_t max_message, void *ctx);
void pbx_lane_connect(struct lane *lane);
void pbx_lane_drop(struct lane *lane);
void pbx_lane_retry(void *lane); /* its timer */
/* All sockets are open, or have been given up: on with the link. */
void pbx_maybe_opened(struct pbx *pbx);
/* pbx_list.c */
void pbx_list(struct pbx *pbx); /* hook of the link */
/* A hang-up of an earlier connect whose call this one has found answered: not to be repeated. */
bool pbx_hangup_outdated(const struct pbx *pbx, const struct command *cmd);
void pbx_subscribe(struct pbx *pbx); /* hook of the link */
void pbx_walk_phones(struct pbx *pbx);
void pbx_tell_phone(struct pbx *pbx, struct watched *w, bool online);
void pbx_watch(struct pbx *pbx, struct text dial_string);
/* Is the application subscribed to the endpoint of this dial string? 1 yes, or none is needed; 0 it
 * is being asked, originates wait; -1 it was refused. */
int pbx_need_endpoint(struct pbx *pbx, struct text dial_string);
/* pbx_command.c */
void pbx_answered(struct command *cmd, const struct answer *answer);
void pbx_fail_originates(struct pbx *pbx, const char *why);
void pbx_sweep(struct pbx *pbx);
void pbx_update_hold(struct pbx *pbx);
/* pbx_event.c */
void pbx_event(struct pbx *pbx, const char *text, size_t len);
/* What an event or a list has told was lost for want of memory: the events' socket is cut, and the
 * list of the next connect tells it again. From anywhere: it ends from the loop. */
void pbx_starved(struct pbx *pbx, const char *what);
void pbx_tell_ended(struct pbx *pbx, struct chan *chan, const struct wire_event *e);

#endif
