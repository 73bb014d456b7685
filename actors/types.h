/*
 * types.h - the vocabulary of the contract: addresses, modes, states, outcomes, reasons.
 *
 * Numbers in here are stored and sent: never reused, only added to.
 */
#ifndef ACTORS_TYPES_H
#define ACTORS_TYPES_H

#include "core/types.h"

/* --- addresses ------------------------------------------------------------------------------- */

enum {
    KIND_STORE = 1, /* PostgreSQL or SQLite */
    KIND_HOPPER = 2,
    KIND_ARI = 3,
    KIND_WEB = 4,
    KIND_CTL = 5,
    KIND_DESK = 16, /* one: configuration, start and stop, who exists */
    KIND_CAMPAIGN = 17,
    KIND_AGENT = 18,
    KIND_TRUNK = 19,
};

#define ADDR_STORE named(KIND_STORE, 0)
#define ADDR_HOPPER named(KIND_HOPPER, 0)
#define ADDR_ARI named(KIND_ARI, 0)
#define ADDR_WEB named(KIND_WEB, 0)
#define ADDR_CTL named(KIND_CTL, 0)
#define ADDR_DESK named(KIND_DESK, 1)

/* --- ids of channels and bridges ------------------------------------------------------------- */

/* att-nnnn-cccccccc-eeeeeeee-ssssssss: node, campaign, lease epoch, sequence; all hexadecimal. One
 * fixed width, because Asterisk refuses a new id that is the beginning of a live one; a prefix of
 * its own, so that nothing Asterisk makes up can collide; unique without a clock, because the epoch
 * grows with every take-over. leg-nnnn-aaaaaaaa-eeeeeeee-ssssssss has the agent in the campaign's
 * place; brg-... is the attempt's id with another prefix (the call's bridge), or the agent's own.
 */
#define ID_LEN 35
#define ID_SIZE 36

/* An originate is judged by its actor and sent by another thread. A process that was stopped in
 * between must not send what was right a minute ago: the message says until when it holds. */
#define SEND_WITHIN_US (2 * US_PER_S)

/* --- modes and kinds ------------------------------------------------------------------------- */

enum campaign_mode {
    MODE_MANUAL = 1,
    MODE_PROGRESSIVE = 2,
    MODE_RATIO = 3,
    MODE_PREVIEW = 4,
    MODE_PREDICTIVE = 5,
};

/* When the time to look at a previewed lead is over. */
enum preview_expiry {
    PREVIEW_DIAL = 1,      /* it is dialed */
    PREVIEW_NOT_READY = 2, /* it goes back, and its agent goes on a break */
};

enum leg_kind { LEG_AUTO = 0, LEG_PERMANENT = 1, LEG_ON_DEMAND = 2 };

enum leg_use { LEG_AGENT = 1, LEG_TRANSFER = 2, LEG_SNOOP = 3 };

enum attempt_cause { CAUSE_AUTO = 1, CAUSE_AGENT = 2 };

enum phone_kind { PHONE_DESK = 1, PHONE_SOFT = 2, PHONE_BROWSER = 3 };

/* --- states ---------------------------------------------------------------------------------- */

enum agent_state {
    AGENT_OFFLINE = 0,
    AGENT_CONNECTING = 1, /* permanent leg is being called */
    AGENT_AVAILABLE = 2,
    AGENT_RESERVED = 3, /* a call is on its way to this agent */
    AGENT_BUSY = 4,
    AGENT_WRAPUP = 5,
    AGENT_BREAK = 6,
    AGENT_PREVIEW = 7, /* a lead is shown: this agent dials it, or skips it */
    AGENT_STATES
};

enum attempt_state {
    ATTEMPT_CLAIMING = 0, /* asked of the store, not yet committed: nothing may leave */
    ATTEMPT_CLAIMED = 1,
    ATTEMPT_ORIGINATING = 2,
    ATTEMPT_RINGING = 3,
    ATTEMPT_ANSWERED =
        4, /* waits for an agent; detection of machines will get a state of its own */
    ATTEMPT_BRIDGING = 5, /* an agent is reserved, Asterisk is joining the two */
    ATTEMPT_BRIDGED = 6,
    ATTEMPT_HELD = 7,    /* agent's leg lost: the customer hears hold */
    ATTEMPT_MESSAGE = 8, /* nobody came: the safe-harbour message plays */
    ATTEMPT_ENDING = 9,  /* we asked for the hang-up */
    ATTEMPT_ENDED = 10,  /* wrap-up: waits for its disposition */
    ATTEMPT_DISPOSED = 11,
    ATTEMPT_UNKNOWN = 12, /* it may live in Asterisk, nobody knows */
    ATTEMPT_PREVIEW = 13, /* claimed and shown to an agent, who dials or skips: nothing has left */
    ATTEMPT_STATES
};

/* Whatever is known of it, it has not left: by its record. */
static inline bool attempt_unsent(uint8_t state)
{
    return state == ATTEMPT_CLAIMED || state == ATTEMPT_PREVIEW;
}

enum row_status {
    ROW_PENDING = 0,
    ROW_DIALING = 1,
    ROW_ANSWERED = 2,
    ROW_COMPLETED = 3,
    ROW_FAILED = 4, /* waits to be due again; with `final`: never again */
};

enum campaign_state {
    CAMPAIGN_STOPPED = 0,
    CAMPAIGN_STARTING = 1, /* waits for lease, trunk, message check */
    CAMPAIGN_RUNNING = 2,
    CAMPAIGN_STOPPING = 3, /* no new dials; calls finish */
    CAMPAIGN_STATES,
    /* Only for the board (actor_type.parked): its machine stands where it stood and never moves. */
    CAMPAIGN_PARKED = CAMPAIGN_STATES
};

enum pbx_state {
    PBX_DOWN = 0,
    PBX_CONNECTING = 1,
    PBX_CHECKING = 2,
    PBX_LISTING = 3,
    PBX_UP = 4,
    PBX_REPLACED = 5,
    PBX_STATES
};

/* R19: the store's clock minus ours; further apart nothing is dialed. */
#define CLOCKS_APART_MS 2000
static inline bool clocks_apart(int64_t apart_ms)
{
    return apart_ms > CLOCKS_APART_MS || apart_ms < -CLOCKS_APART_MS;
}

/* What the daemon as a whole does (actors/desk_mode.c decides). Live calls are served in each. */
enum daemon_mode {
    DAEMON_RUN = 0,          /* dials; the cause, if any, says what it rides through */
    DAEMON_NO_NEW_DIALS = 1, /* until the cause is over */
    DAEMON_DRAIN = 2,        /* is being stopped */
    DAEMON_MODES
};

/* --- what people are called for -------------------------------------------------------------- */

/* R26: kinds of alarms. Each is a stored row with cause, start and end while it stands.
 * ALARM(number, name, code, what the subject is) */
#define ALARMS(ALARM)                                                                              \
    ALARM(1, store_away, "DLR-STORE-AWAY", "")                                                     \
    ALARM(2, journal_failing, "DLR-JOURNAL-FAILING", "")                                           \
    ALARM(3, journal_refused, "DLR-JOURNAL-REFUSED", "")                                           \
    ALARM(4, pbx_away, "DLR-PBX-AWAY", "pbx ")                                                     \
    ALARM(5, pbx_replaced, "DLR-PBX-REPLACED", "pbx ")                                             \
    ALARM(6, hopper_away, "DLR-HOPPER-AWAY", "")                                                   \
    ALARM(7, clocks_apart, "DLR-CLOCKS-APART", "")                                                 \
    ALARM(8, campaign_parked, "DLR-CAMPAIGN-PARKED", "campaign ")                                  \
    ALARM(9, no_message, "DLR-NO-MESSAGE", "campaign ")                                            \
    ALARM(10, config_unread, "DLR-CONFIG-UNREAD", "")

enum alarm_kind {
#define ALARM(number, name, code, subject) ALARM_##name = number,
    ALARMS(ALARM)
#undef ALARM
        ALARM_COUNT
};

/* --- how an attempt ended -------------------------------------------------------------------- */

enum outcome {
    OUTCOME_NONE = 0,
    OUTCOME_NO_ANSWER = 1,
    OUTCOME_BUSY = 2,
    OUTCOME_BAD_NUMBER = 3,    /* final */
    OUTCOME_CONGESTION = 4,    /* the network's fault: costs no attempt */
    OUTCOME_FAULT = 5,         /* our side's fault: costs no attempt */
    OUTCOME_CANCELLED = 6,     /* we took it back before the answer: costs no attempt */
    OUTCOME_ABANDONED = 7,     /* answered, nobody within the limit */
    OUTCOME_ANSWERED = 8,      /* bridged to an agent; the disposition says the rest */
    OUTCOME_CUSTOMER_GONE = 9, /* answered, hung up before an agent came, inside the limit */
    OUTCOME_UNKNOWN = 10,      /* fate unknown: counts as dialed */
    OUTCOME_NEVER_SENT = 11,   /* claimed, never left: the row goes back untouched */
    OUTCOME_REJECTED = 12,     /* callee or network refused the call (21, 603) */
    OUTCOME_MACHINE = 13,      /* place for detection */
    OUTCOMES
};

/* What happens to a row of the queue; row.c has the table. */
enum row_event {
    RE_TIMEOUT = 0,  /* failed: it is due; completed: nobody disposed; else: the attempt's end */
    RE_CLAIMED,      /* by its campaign */
    RE_ASKED_FOR,    /* claimed by an agent, by hand */
    RE_HELD_BACK,    /* its claim was refused: not now, or not before the settings change */
    RE_BARRED,       /* its claim was refused for good */
    RE_SPENT,        /* due, but it has used its attempts */
    RE_PICKED_UP,    /* answered */
    RE_NOT_SENT,     /* claimed, and the call never left */
    RE_MISSED,       /* the call is over and was nobody's, or nobody knows how it went */
    RE_BAD_NUMBER,   /* the call is over: there is no such number */
    RE_TALKED,       /* the call is over, its disposition decides */
    RE_SETTLED,      /* disposed for good */
    RE_AGAIN,        /* disposed: to be called again, after a while or at a time */
    RE_NOT_DISPOSED, /* nobody disposed: the system has */
    RE_UNBARRED,     /* the do-not-call list, for which it was barred, has its number no more */
    RE_EVENTS
};

struct row_step {
    bool moves;     /* false: it comes too late or too early for this row, which stays as it is */
    uint8_t status; /* enum row_status */
    bool final;
};

/* The one place that says what becomes of a row: of one that has this status and is final or not.
 */
struct row_step row_next(uint8_t status, bool final, enum row_event on);
/* What the end of an attempt is to its row. */
enum row_event row_event_of(enum outcome outcome);

static inline bool row_in_air(uint8_t status)
{
    return status == ROW_DIALING || status == ROW_ANSWERED;
}

/* --- why something is not dialed ------------------------------------------------------------- */

/* Reasons of the gate and of the claim, one list: counted for each campaign, shown by explain.
 * REASON(number, name, sentence) */
#define REASONS(REASON)                                                                            \
    REASON(0, allow, "may be dialed")                                                              \
    REASON(1, campaign_stopped, "the campaign is not running")                                     \
    REASON(2, list_stopped, "the lead's list is stopped")                                          \
    REASON(3, outside_hours, "outside the daily window where the callee is")                       \
    REASON(4, attempts_used, "all attempts of this lead are used")                                 \
    REASON(5, retry_interval, "called too short a time ago")                                       \
    REASON(6, number_alive, "an attempt to this number has not ended")                             \
    REASON(7, do_not_call, "the number is on the do-not-call list")                                \
    REASON(8, prefix_not_allowed, "the number's prefix is not allowed for this campaign")          \
    REASON(9, prefix_forbidden, "emergency and premium numbers are never called")                  \
    REASON(10, no_caller_id, "no caller id is set")                                                \
    REASON(11, ring_too_short, "the ring time is under 15 s")                                      \
    REASON(12, lines_used, "all lines of the trunk are in use")                                    \
    REASON(13, calls_per_second, "the trunk's calls per second are used")                          \
    REASON(14, bad_number, "not a valid E.164 number")                                             \
    REASON(15, no_available_agent, "no agent is available")                                        \
    REASON(16, fenced, "another daemon holds this campaign")                                       \
    REASON(17, row_not_pending, "the queue row is not pending")                                    \
    REASON(18, row_foreign, "the queue row is not this campaign's")                                \
    REASON(19, not_due, "its time has not come")                                                   \
    REASON(20, number_daily_limit, "three automatic attempts to this number in 24 hours")          \
    REASON(21, store_away, "the store cannot take the claim")                                      \
    REASON(22, line_away, "the trunk's Asterisk is not connected")                                 \
    REASON(23, hopper_empty, "no dialable lead is in the hopper")                                  \
    REASON(24, draining, "the daemon is shutting down")                                            \
    REASON(25, abandon_limit, "the next drop would pass the abandonment limit")                    \
    REASON(26, no_message, "the Asterisk does not have the campaign's message")                    \
    REASON(27, final, "the lead has a final disposition")                                          \
    REASON(28, agents_not_ready, "agents are logged in, none is available")                        \
    REASON(29, pace_full, "enough calls are in flight for the agents available")                   \
    REASON(30, clock_apart, "the clocks of daemon and store are more than 2 s apart")              \
    REASON(31, journal_failing, "outcomes could not be kept if the store went away")               \
    REASON(32, starting, "starting: what it needs has not been read yet")                          \
    REASON(33, parked, "an error of the daemon's own; start the campaign to take it up again")

enum reason {
#define REASON(number, name, sentence) REASON_##name = number,
    REASONS(REASON)
#undef REASON
        REASON_COUNT
};

const char *reason_name(unsigned reason);     /* "do_not_call" */
const char *reason_sentence(unsigned reason); /* "the number is ..." */
const char *outcome_name(unsigned outcome);
const char *agent_state_name(unsigned state);
const char *attempt_state_name(unsigned state);
const char *campaign_state_name(unsigned state);
const char *campaign_mode_name(unsigned mode);
/* Premium and shared-cost ranges, satellite and international premium codes: never called, whatever
 * a campaign allows (R16). An emergency number is no E.164 number at all; +CC followed by one is
 * among these. */
#define PREFIXES_NEVER_CALLED                                                                      \
    "+1900,+1976,+1911,+449,+44112,+49900,+49110,+49112,+33899,+3389,+34803,+34806,+34807,"        \
    "+39899,+39892,+61190,+979,+878,+881,+882,+883"

const char *row_status_name(unsigned status);
const char *pbx_state_name(unsigned state);
const char *daemon_mode_name(unsigned mode); /* "NO_NEW_DIALS" */
const char *alarm_name(unsigned kind);       /* "store_away" */
const char *alarm_code(unsigned kind);       /* "DLR-STORE-AWAY" */
const char *alarm_subject(unsigned kind);    /* "pbx ", in front of the number; "": no subject */
/* The number of a name, or -1. */
int campaign_mode_parse(struct text name);

/* --- people --------------------------------------------------------------------------------- */

/* What a supervisor may order an agent (R6). */
enum agent_order {
    ORDER_AVAILABLE = 1,
    ORDER_BREAK = 2,
    ORDER_LOGOUT = 3,
    ORDER_HANG_UP = 4, /* end the call; its disposition stays open */
};

/* What a user of the page may see and do; checked for each message (adapters/web/PROTOCOL.md). */
enum role {
    ROLE_NONE = 0,
    ROLE_AGENT = 1,      /* itself, its own call, its campaign's line */
    ROLE_SUPERVISOR = 2, /* everything to see; starts and stops campaigns */
    ROLE_ADMIN = 3,      /* and changes settings */
};

/* --- answers to people ----------------------------------------------------------------------- */

enum result {
    RESULT_OK = 0,
    RESULT_REFUSED = 1, /* not allowed now; the text says why */
    RESULT_NOT_FOUND = 2,
    RESULT_INVALID = 3,  /* the request itself is wrong */
    RESULT_CONFLICT = 4, /* somebody else was first */
    RESULT_AWAY = 5,     /* a dependency is missing; try again */
};

#endif
