/*
 * wire.h - ARI's words: events to structs, commands to requests. Pure.
 */
#ifndef ADAPTERS_ARI_WIRE_H
#define ADAPTERS_ARI_WIRE_H

#include "actors/messages.h"
#include "actors/types.h"
#include "adapters/net/json.h"

/* --- ids ----------------------------------------------------------------------------------------
 */

/* Who owns a channel: the campaign of an att- id, the agent of a leg- id (actors/types.h has the
 * layout). HANDLE_NONE if it is not exactly one of ours. node may be NULL. */
handle wire_owner(struct text id, uint16_t *node);

/* "PJSIP/carrier" of "PJSIP/+12125550123@carrier", "PJSIP/carrier/sip:..." and "PJSIP/carrier":
 * what an application subscribes to. False if it has no such form, is too long, or is a Local
 * channel. */
bool wire_endpoint_of(struct text dial_string, char *out, size_t size);

/* --- events -------------------------------------------------------------------------------------
 */

enum wire_kind {
    WIRE_OTHER, /* well-formed, and nothing to us */
    WIRE_RINGING,
    WIRE_ANSWERED, /* StasisStart */
    WIRE_ENDED,    /* ChannelDestroyed */
    WIRE_PLAYBACK_OVER,
    WIRE_DIGIT,
    WIRE_ENDPOINT,
    WIRE_RESPONSE, /* RESTResponse */
    WIRE_REPLACED,
    WIRE_KINDS
};

/* Texts live in the document. Absent ones have len 0 and a ptr that may be read as "". */
struct wire_event {
    enum wire_kind kind;
    struct text type;        /* as Asterisk calls it */
    struct text application; /* which of ours it is for */
    struct text channel;
    int64_t at_wall_ms; /* Asterisk's timestamp, 0 if it has none */
    uint16_t cause, tech_cause;
    struct text playback;
    bool ok; /* playback: to its end; endpoint: online */
    struct text digit;
    struct text endpoint_technology, endpoint_resource;
    struct text request; /* RESTResponse: its request_id */
    int status;          /* and status_code */
    struct text body;    /* and message_body */
};

/* 0, or -1 with the reason in doc->error: not JSON, or not an event. */
int wire_read(struct json *doc, const char *text, size_t len, struct wire_event *out);

/* "2026-11-23T10:02:38.891+0000" to UTC milliseconds; 0 if it is none. */
int64_t wire_time(struct text t);

/* One element of GET /channels. False: not a channel. */
struct wire_channel {
    struct text id;
    bool up;
    bool in_app; /* in a Stasis application of ours, as far as the dialplan's words tell */
};
bool wire_channel(const struct json *doc, json_ref node, const char *application,
                  struct wire_channel *out);

/* --- requests -----------------------------------------------------------------------------------
 */

#define WIRE_URI_MAX 1536
#define WIRE_BODY_MAX 768

struct wire_request {
    char method[8];
    char uri[WIRE_URI_MAX]; /* relative to /ari/, no leading slash, encoded */
    char body[WIRE_BODY_MAX];
    size_t body_len; /* JSON; 0: none */
};

/* Each returns 0, or -1 if a text does not fit or may not stand there. */

/* A customer into the dialplan context. Refuses a number that is not E.164, and a dial string that
 * does not hold exactly that number's digits or holds '&' (a second destination). */
int wire_originate_call(const struct msg_originate_call *m, struct wire_request *out, char *why,
                        size_t why_size);
/* A leg into the application. */
int wire_originate_leg(const struct msg_originate_leg *m, const char *application,
                       struct wire_request *out, char *why, size_t why_size);
int wire_hangup(struct text channel, struct wire_request *out);
int wire_bridge_create(struct text bridge, struct wire_request *out);
int wire_bridge_add(struct text bridge, struct text channel, struct text channel2,
                    struct wire_request *out);
int wire_bridge_destroy(struct text bridge, struct wire_request *out);
int wire_play(struct text channel, struct text playback, struct text media,
              struct wire_request *out);
int wire_music(struct text bridge, bool on, struct wire_request *out);
/* What comes in from the channel: nobody hears it. */
int wire_mute(struct text channel, bool on, struct wire_request *out);
/* Asterisk takes any characters (asterisk.md 7): which are keys the caller knows. */
int wire_dtmf(struct text channel, struct text digits, struct wire_request *out);
int wire_sound(struct text media, struct wire_request *out);
int wire_endpoint_get(const char *endpoint, struct wire_request *out);
int wire_subscribe(const char *application, const char *endpoint, struct wire_request *out);
/* Only what is used arrives; RESTResponse is among it, or answers would be swallowed. */
int wire_filter(const char *application, struct wire_request *out);
/* A GET without anything variable. */
int wire_get(const char *uri, struct wire_request *out);

/* The message of an error answer, {"message":...} or {"error":...}; in `doc`. NULL: it has none. */
struct text wire_error(struct json *doc, const char *body, size_t len);

/* The request as a RESTRequest frame. Its length, or 0 if it does not fit. */
size_t wire_frame(const struct wire_request *r, uint64_t request, char *out, size_t size);

#endif
