/*
 * ctl_job.h - what the commands of the operator's socket are written against: one request, its
 * arguments, its answer. Everything here belongs to the ctl thread.
 *
 * A command is a function. It answers at once (rows, then job_end), or it leaves callbacks in the
 * job and is called again: on_room when the client has read enough of what was written (exports),
 * on_piece for the bytes of a file (import), on_reply for the answer of an actor. Whoever ends the
 * job calls job_end once; on_free follows, also when the client goes away before.
 */
#ifndef ADAPTERS_DAEMON_CTL_JOB_H
#define ADAPTERS_DAEMON_CTL_JOB_H

#include "actors/messages.h"
#include "adapters/ctl/command.h"
#include "adapters/daemon/ctl.h"
#include "adapters/net/json.h"
#include "core/endpoint.h"

#define JOB_ROOM (256u * 1024u) /* exports write while less than this waits to be read */

struct job {
    struct ctl *ctl;
    const struct ctl_command *command;
    struct json args; /* the request; the arguments stay readable until the end */
    json_ref at;      /* of "args" */
    uint64_t client;  /* number of the connection */
    uint64_t first;   /* its first job_request(): answers to lower ones are of earlier jobs */
    char who[80];     /* for the audit: "cli:root" */
    bool active;
    bool ended;
    void *state;                                                      /* the command's own */
    void (*on_piece)(struct job *job, const char *bytes, size_t len); /* len 0: the file is over */
    void (*on_room)(struct job *job);
    void (*on_reply)(struct job *job, const struct msg_reply *reply);
    void (*on_free)(struct job *job);
};

/* What the desk last said of something the daemon needs. */
struct needed {
    uint32_t pbx; /* 0: store, hopper and the like */
    char name[64];
    char state[16];
    char text[200];
};
#define NEEDED_MAX 64

/* What it last said of the daemon as a whole: shown whatever is with the store. */
#define CTL_ALARMS_MAX 128
#define CTL_CAMPAIGNS_MAX 256
struct ctl_alarm {
    uint8_t kind; /* enum alarm_kind */
    char code[32], subject[32], text[160];
    int64_t started_wall_ms;
};
struct ctl_seen {
    uint8_t mode; /* enum daemon_mode */
    char text[160];
    int64_t since_wall_ms;
    bool journal, journal_ok; /* there is one; it works */
    uint64_t records, bytes;
    char journal_text[200];
    struct ctl_alarm alarms[CTL_ALARMS_MAX];
    size_t n_alarms;
    uint64_t campaigns[CTL_CAMPAIGNS_MAX]; /* those of the last status that the store could tell */
    size_t n_campaigns;
};

/* A campaign that was stopped while the store was away: that is to be written down. */
#define CTL_STOPS_MAX 256
struct ctl_stop {
    uint64_t campaign;
    char who[80];
    int64_t at_wall_ms;
};

/* A page that waits for the word of the campaign that it has switched. Of more than these at once
 * the oldest hear nothing. */
#define CTL_PAGES_MAX 64
struct ctl_page {
    uint64_t number, client, request, campaign; /* number: 0 free */
    handle reply_to;
};

struct ctl {
    const struct ctl_options *options;
    struct ctl_seen seen;
    struct config_timers timers;
    struct needed needed[NEEDED_MAX];
    size_t n_needed;
    struct endpoint *endpoint;
    struct metric_set *metrics; /* the thread's; NULL before it runs, or without metrics */
    struct store *store;
    bool store_ready; /* the daemon owns it and has migrated it */
    bool store_up;    /* our handle is connected */
    uint64_t next_request;
    struct ctl_stop stops[CTL_STOPS_MAX];
    size_t n_stops;
    int64_t stops_after_us; /* the next try is not before that */
    struct ctl_page pages[CTL_PAGES_MAX];
    uint64_t next_page;
};

/* --- arguments: text NULL, numbers 0 when not given; the server has checked their form ---------
 */
const char *job_arg(const struct job *job, const char *name);
struct text job_text(const struct job *job, const char *name);
uint64_t job_id(const struct job *job, const char *name);
uint64_t job_count(const struct job *job, const char *name, uint64_t otherwise);
bool job_switch(const struct job *job, const char *name);
/* The strings of a repeated argument. Returns how many, at most `max`. */
size_t job_list(const struct job *job, const char *name, struct text *out, size_t max);

/* Are the arguments those of the command, and of the right form? -1 with a sentence. */
int job_check_args(const struct job *job, char *why, size_t size);

/* --- answer --------------------------------------------------------------------------------- */
/* Begins a row: put its members into the writer, then job_row_end. */
struct json_writer *job_row(struct job *job);
void job_row_end(struct job *job);
/* A finished JSON object as a row. */
void job_raw_row(struct job *job, struct text json);
struct json_writer *job_line(struct job *job, const char *key); /* {"id":1,"KEY":{ */
/* Counts one under the label (a constant string). */
void job_count_one(const struct job *job, const char *name, const char *label);
void job_data(struct job *job, const char *text, size_t len);
void job_end(struct job *job, enum result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the job with what a store operation said; false if it was STORE_OK and nothing was done. */
bool job_store_failed(struct job *job, int status);
/* Bytes that wait to be read by the client. */
size_t job_waiting(const struct job *job);
/* "2026-11-23T09:00:00.000Z"; false, and empty, for 0. */
#define JOB_TIME_SIZE 64
bool job_say_time(char text[JOB_TIME_SIZE], int64_t wall_ms);
/* The same; null for 0. */
void job_put_time(struct json_writer *w, const char *key, int64_t wall_ms);

/* 2026-11-23, 2026-11-23T09:00, 2026-11-23T09:00:00, each with or without Z; UTC. -1: none. */
int64_t job_parse_time(const char *text);

/* --- reaching out ---------------------------------------------------------------------------- */
/* The store is connected, or the job has ended with RESULT_AWAY. */
bool job_store(struct job *job);
/* The same for what no connection asked: RESULT_OK, or why not. */
enum result ctl_store(struct ctl *ctl, char *why, size_t why_size);
/* What a store operation's status means to who asked; `why` has the store's words. */
enum result ctl_store_result(struct ctl *ctl, int status, char *why, size_t why_size);
struct store_by job_by(const struct job *job);
/* Send to an actor; client and request of the message must be job->client and this number. */
uint64_t job_request(struct job *job);
void job_send(struct job *job, handle to, uint16_t type, const void *msg);
void job_changed(struct job *job, unsigned kind, uint64_t id);

/* The daemon owns and has migrated its store: from now on the operator's handle may be used. */
void ctl_store_ready(struct ctl *ctl);
/* Takes MSG_readiness and MSG_view_pbx. */
void ctl_needed(struct ctl *ctl, uint16_t type, const void *msg);
/* ctl_mode.c: daemon_mode, journal_state, alarm_moved; other types are passed over. */
void ctl_told(struct ctl *ctl, uint16_t type, const void *msg);
void ctl_status_rows(struct job *job);

/* The timers of a new agent. */
void ctl_agent_timers(const struct ctl *ctl, struct msg_agent_config *agent);

/* ctl_switch.c. A start that dialerctl or the page asks for: checked against the rules, written to
 * the store with its audit row, then sent to the desk, whose reply goes to ask->reply_to. A stop is
 * sent first, then written, now or, with the store away, when it is back. Anything but RESULT_OK:
 * `why` says it, and no reply is to be waited for. */
enum result ctl_switch(struct ctl *ctl, const struct msg_campaign_switch *ask, char *why,
                       size_t why_size);
/* The thread's: when to look again, -1 never; and the look. */
int ctl_stops_wait_ms(const struct ctl *ctl);
void ctl_stops_write(struct ctl *ctl);
/* The page's: it is answered as dialerctl is, when the campaign has said its word. */
void ctl_switch_for_page(struct ctl *ctl, const struct msg_campaign_switch *ask);
#define CTL_PAGES UINT64_C(0) /* as the client of a reply: no job, but the pages */
void ctl_switch_said(struct ctl *ctl, const struct msg_reply *reply);

/* --- the commands ---------------------------------------------------------------------------- */
typedef void (*job_fn)(struct job *job);
job_fn job_find(const char *command);

void cmd_status(struct job *job);
void cmd_campaign_add(struct job *job);
void cmd_campaign_list(struct job *job);
void cmd_campaign_show(struct job *job);
void cmd_campaign_set(struct job *job);
void cmd_campaign_start(struct job *job);
void cmd_campaign_stop(struct job *job);
void cmd_list_add(struct job *job);
void cmd_list_list(struct job *job);
void cmd_list_set(struct job *job);
void cmd_list_start(struct job *job);
void cmd_list_stop(struct job *job);
void cmd_trunk_add(struct job *job);
void cmd_trunk_list(struct job *job);
void cmd_trunk_set(struct job *job);
void cmd_agent_add(struct job *job);
void cmd_agent_list(struct job *job);
void cmd_agent_set(struct job *job);
void cmd_agent_assign(struct job *job);
void cmd_agent_phone(struct job *job);
void cmd_agent_enable(struct job *job);
void cmd_agent_disable(struct job *job);
void cmd_agent_password(struct job *job);
void cmd_agent_ticket(struct job *job);
void cmd_agent_state(struct job *job);
void cmd_agent_logout(struct job *job);
void cmd_agent_hangup(struct job *job);
void cmd_pbx_list(struct job *job);
void cmd_pbx_retake(struct job *job);
void cmd_attempt_list(struct job *job);
void cmd_attempt_correct(struct job *job);
void cmd_login_link(struct job *job);
void cmd_dnc_add(struct job *job);
void cmd_dnc_list(struct job *job);
void cmd_lead_import(struct job *job);
void cmd_lead_show(struct job *job);
void cmd_export(struct job *job);
void cmd_explain_campaign(struct job *job);
void cmd_explain_lead(struct job *job);
void cmd_settings(struct job *job);
void cmd_audit(struct job *job);
void cmd_alarms(struct job *job);
void cmd_db(struct job *job);
void cmd_demo_data(struct job *job);

#endif
