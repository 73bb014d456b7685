/*
 * world.h - a world for the actors, in virtual time: desk, campaigns, agents and trunks as they
 * are, and models of the store, the hopper, the Asterisk with its callees, and people.
 *
 * A test reads as sentences:
 *
 *     struct world *w = world_open(1);
 *     world_campaign(w, 1, MODE_PROGRESSIVE);
 *     world_agent(w, 7, 1);
 *     world_leads(w, 1, 10);
 *     world_begin(w);
 *     world_ready(w, 7);
 *     expect_agent(w, 7, AGENT_BUSY, 60);
 *     world_close(w);
 *
 * After every step, and at each thing the models see, the promises of design.md section 1 are
 * checked; a broken one fails the test in the next world_run or world_close, with its sentence.
 *
 * Settings are the defaults of the product except: caller id, allowed prefix +1, window of the
 * whole day, message "sorry", 100 lines and 100 calls a second. The wall clock starts at
 * WORLD_WALL_MS, a Wednesday 12:00 UTC.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "actors/messages.h"
#include "actors/types.h"
#include "core/sim.h"

#define WORLD_WALL_MS INT64_C(1767787200000)
#define WORLD_PBX 1u
#define WORLD_TRUNK 1u

struct world;

/* --- making ------------------------------------------------------------------------------- */

struct world *world_open(uint64_t seed);
/* The same, with every message through the codec, and the log on stderr. */
struct world *world_open_as(uint64_t seed, bool codec, bool log);
/* And each message takes up to so long by chance; only order between any two parts is kept. */
struct world *world_open_with(uint64_t seed, bool codec, bool log, double jitter_ms);
/* Checks what must hold at the end (each request answered once, nothing counted double). */
void world_close(struct world *w);

/* The configuration as the model store holds it: change it before world_begin(), or call
 * world_changed() after. Texts must be literals. */
struct msg_campaign_config *world_campaign(struct world *w, uint64_t id, enum campaign_mode mode);
struct msg_agent_config *world_agent(struct world *w, uint64_t id, uint64_t campaign);
struct msg_trunk_config *world_trunk(struct world *w);
struct msg_campaign_config *world_campaign_config(struct world *w, uint64_t id);
struct msg_agent_config *world_agent_config(struct world *w, uint64_t id);
void world_changed(struct world *w, unsigned kind, uint64_t id);
/* `n` leads with numbers of their own in the campaign's list (list id = campaign id). Returns the
 * id of the first. The row of a lead has the lead's id. */
uint64_t world_leads(struct world *w, uint64_t campaign, unsigned n);
/* One lead with this number. */
uint64_t world_lead(struct world *w, uint64_t campaign, const char *number);
/* The lead is given the highest priority. */
void world_lead_first(struct world *w, uint64_t lead);
/* The lead has a zone of its own, an IANA name. */
void world_lead_zone(struct world *w, uint64_t lead, const char *zone);
const char *world_number(const struct world *w, uint64_t lead);
/* Desk and Asterisk come up; runs until everything is loaded. */
void world_begin(struct world *w);
/* The daemon dies and comes back: actors are made anew, the models keep what they have. */
void world_restart(struct world *w);
/* The same, but Asterisk cannot be reached: world_pbx_up() says when. */
void world_restart_without_pbx(struct world *w);
/* For those who run the world themselves, without waiting: the daemon starts (and connects), dies,
 * is stopped for so long and goes on. */
void world_start(struct world *w, bool connect);
void world_kill(struct world *w);
void world_freeze(struct world *w, double seconds);
/* Only frees: nothing is checked. */
void world_free(struct world *w);

/* --- time --------------------------------------------------------------------------------- */

struct sim *world_sim(struct world *w);
int64_t world_now_ms(const struct world *w);
void world_run(struct world *w, double seconds);
/* Until it is true, at most `seconds`; fails the test when it does not come. */
void world_until_(struct world *w, bool (*is)(struct world *w, uint64_t a), uint64_t a,
                  double seconds, const char *what, const char *file, int line);
#define world_until(w, is, a, seconds) world_until_(w, is, a, seconds, #is, __FILE__, __LINE__)

/* --- callees ------------------------------------------------------------------------------ */

enum fate { FATE_HUMAN, FATE_NO_ANSWER, FATE_BUSY, FATE_BAD, FATE_CONGESTION, FATE_REJECTED };

struct callee {
    enum fate fate;
    double ring_s;     /* until the answer or the refusal; no answer: for ever */
    double talk_s;     /* hangs up after so long in a bridge; 0 never */
    double patience_s; /* hangs up after so long without anybody; 0 never */
};

/* What callees do that were not told otherwise. */
void world_callees(struct world *w, struct callee callee);
/* Shares and distributions instead (base mix of pacing.md section 5.1, talk mean in seconds). */
void world_population(struct world *w, double human, double busy, double bad, double talk_s);
void world_callee(struct world *w, const char *number, struct callee callee);
/* The callee of this number presses a key, hangs up. */
void world_press(struct world *w, const char *number, const char *key);
void world_customer_hangs_up(struct world *w, const char *number);

/* --- people ------------------------------------------------------------------------------- */

/* Each returns the number of its request. */
uint64_t world_login(struct world *w, uint64_t agent);
uint64_t world_login_to(struct world *w, uint64_t agent, uint64_t campaign);
uint64_t world_logout(struct world *w, uint64_t agent);
uint64_t world_available(struct world *w, uint64_t agent);
uint64_t world_break(struct world *w, uint64_t agent, const char *reason);
uint64_t world_dial(struct world *w, uint64_t agent, const char *number);
uint64_t world_hang_up(struct world *w, uint64_t agent);
uint64_t world_mute(struct world *w, uint64_t agent, bool on);
uint64_t world_dtmf(struct world *w, uint64_t agent, const char *digits);
uint64_t world_choose(struct world *w, uint64_t agent, const char *attempt, uint64_t lead);
/* The lead that is shown to it. */
uint64_t world_preview_dial(struct world *w, uint64_t agent);
uint64_t world_preview_skip(struct world *w, uint64_t agent, const char *reason);
uint64_t world_dispose(struct world *w, uint64_t agent, const char *code);
uint64_t world_dispose_as(struct world *w, uint64_t agent, const char *attempt, const char *code,
                          int64_t callback_wall_ms);
/* Logs in, waits for the leg, is available. */
void world_ready(struct world *w, uint64_t agent);
void world_socket(struct world *w, uint64_t agent, bool open);

/* The agent by itself: disposes after wrap_s with the code, goes on break now and then. */
struct habits {
    double wrap_s;        /* mean; 0: never disposes */
    double hang_up_share; /* of talks that the agent ends, at the callee's talk time */
    double work_s;        /* mean time before a break; 0 none */
    double break_s;
    double touch_s; /* mean time in a call until it is muted, heard again, keys are sent; 0 never */
    const char *code;
};
void world_habits(struct world *w, uint64_t agent, struct habits habits);

enum { REPLY_NONE = 255 };
struct reply {
    uint8_t result; /* enum result, REPLY_NONE: not yet */
    unsigned times;
    const char *what; /* was asked for */
    uint64_t agent;   /* a disposition: whose, of what, which */
    char attempt[40], code[24];
    char text[160];
    char json[4096];
};
const struct reply *world_reply(struct world *w, uint64_t request);

/* What the agent's page shows. */
struct page {
    uint8_t state;
    char reason[48];
    char text[96];
    char attempt[40];
    bool needs_disposition, leg_up, phone_online, muted;
    uint8_t next;
    int64_t until_ms;
    bool dials;
    /* the last screen pop */
    uint64_t pop_lead;
    char pop_number[24], pop_attempt[40], pop_name[64], pop_fields[256];
    uint32_t pops, pop_matches;
    unsigned updates;
};
const struct page *world_page(const struct world *w, uint64_t agent);
const struct msg_view_campaign *world_board(const struct world *w, uint64_t campaign);
/* How often the board was told that nobody knows what a call of this campaign does. */
unsigned world_calls_unknown(const struct world *w, uint64_t campaign);

/* --- operator ----------------------------------------------------------------------------- */

uint64_t world_switch(struct world *w, uint64_t campaign,
                      unsigned action); /* 1 start 2 stop 3 now */
void world_drain(struct world *w, double seconds);
bool world_drained(const struct world *w);
void world_do_not_call(struct world *w, const char *number);
void world_list_active(struct world *w, uint64_t campaign, bool active);
uint64_t world_explain(struct world *w, uint64_t campaign);
uint64_t world_explain_lead(struct world *w, uint64_t lead);

/* --- the models' knobs -------------------------------------------------------------------- */

void world_store_up(struct world *w, bool up);
/* The store says that its clock is ahead of ours by so much. */
void world_store_clock(struct world *w, int64_t ahead_ms);
void world_store_latency(struct world *w, double ms);
/* The journal's disk: what is told while the store is away cannot be kept, and waits in memory. */
void world_journal_ok(struct world *w, bool ok);
/* It tells at start how each agent was, as the real one does: nobody has to log in again. */
void world_remembers_agents(struct world *w);
void world_hopper_up(struct world *w, bool up);
void world_hopper_flush(struct world *w);
/* An entry that does not belong there: a row of another campaign, of the past, twice. */
void world_hopper_push(struct world *w, uint64_t campaign, uint64_t row);
void world_pbx_latency(struct world *w, double ms);
void world_pbx_up(struct world *w, bool up);
/* Every channel there is gone; comes back after `seconds`. */
void world_pbx_restarts(struct world *w, double seconds);
/* The same in two sentences; the network that eats everything until it is back, and whoever notices
 * that; one that lets nothing through for so long, and then all of it. */
void world_pbx_stops(struct world *w);
void world_pbx_starts(struct world *w);
/* The store tells each campaign what its record counts, as it does each minute. */
void world_store_counts(struct world *w);
void world_link_deaf(struct world *w);
void world_link_noticed(struct world *w);
void world_link_back(struct world *w);
void world_link_stalls(struct world *w, double seconds);
void world_pbx_duplicates(struct world *w, double share); /* of events that come twice */
/* Nobody hears of a channel's end any more. */
void world_pbx_hides_ends(struct world *w, bool hides);
void world_pbx_sound(struct world *w, bool present);
/* The next originate of a customer: fate of originate_failed; 2 and `carried_out`: rings anyway. */
void world_next_originate_fails(struct world *w, uint8_t fate, bool carried_out);
/* So many legs a second are sent; the others never leave, and may be asked for again. */
void world_pbx_legs_a_second(struct world *w, unsigned n);
void world_phone_online(struct world *w, uint64_t agent, bool online);
void world_phone_answers(struct world *w, uint64_t agent, bool answers);
/* The agent's phone hangs up. */
void world_phone_drops(struct world *w, uint64_t agent);
/* An originate that no claim stands behind, as a bug would send it. */
void world_forge_originate(struct world *w, const char *attempt, const char *number,
                           uint64_t permit);

/* --- what the models saw ------------------------------------------------------------------ */

struct witness {
    uint64_t leg_claims;
    uint64_t originates, legs, ringing, answered, bridged, messages, ended;
    uint64_t unclaimed; /* refused by the telephony for want of a permit */
    uint64_t claims, claims_refused, claims_allowed;
    uint64_t by_outcome[OUTCOMES]; /* attempts ended, by the store */
    uint64_t disposed, not_disposed;
    uint64_t moved; /* attempt_moved: each is a write */
    uint64_t drained, hopper_puts, hopper_takes, candidates_asked;
    uint64_t downtime_waits; /* answered into a trouble of ours: waited for its end */
    uint64_t late_answers;   /* answered calls without agent or message for more than 2 s */
    uint32_t lines_most;
    int64_t last_originate_us;
    double originates_a_second_most; /* in any second */
};
const struct witness *world_witness(const struct world *w);

uint8_t world_row(const struct world *w, uint64_t lead);        /* enum row_status */
int64_t world_row_due_ms(const struct world *w, uint64_t lead); /* 0 none */
bool world_row_final(const struct world *w, uint64_t lead);
unsigned world_attempts(const struct world *w, const char *number); /* that were dialed */
uint8_t world_outcome(const struct world *w, const char *number);   /* of the last one */
const char *world_attempt(const struct world *w, const char *number);
/* Why the last attempt was skipped, sent or not; whose it was. */
const char *world_skipped(const struct world *w, const char *number, uint64_t *agent);
/* When the store says the last attempt left, rang, was answered, ended. */
struct call_times {
    int64_t claimed_ms, originated_ms, ringing_ms, answered_ms, ended_ms;
};
struct call_times world_times(const struct world *w, const char *number);
const char *world_disposition(const struct world *w, const char *number);
bool world_suppressed(const struct world *w, const char *number);
unsigned world_open_attempts(const struct world *w);
unsigned world_open_legs(const struct world *w);
uint32_t world_lines(const struct world *w);
uint32_t world_hopper_length(const struct world *w, uint64_t campaign);
/* The agent's leg is up; it is in a bridge with a customer; in which state the channel to the
 * number is. */
bool world_leg_up(const struct world *w, uint64_t agent);
uint64_t world_talks_with(const struct world *w, uint64_t agent); /* lead, 0 nobody */
enum line { LINE_NONE, LINE_CALLING, LINE_RINGING, LINE_ANSWERED, LINE_BRIDGED, LINE_MESSAGE };
enum line world_line(const struct world *w, const char *number);
/* Its phone's channel is muted; the keys that the number's far end was sent last. */
bool world_leg_muted(const struct world *w, uint64_t agent);
const char *world_keys(const struct world *w, const char *number);
bool world_hears_hold(const struct world *w, const char *number);
uint32_t world_bridges(const struct world *w);
const char *world_a_bridge(const struct world *w); /* its id, "" when there is none */
/* Every agent's states, login to logout, without gap or overlap: what is wrong, or NULL. */
const char *world_times_tile(const struct world *w);
int64_t world_agent_time_ms(const struct world *w, uint64_t agent, enum agent_state state);
int64_t world_refused(struct world *w, uint64_t campaign, enum reason reason);

/* What the daemon as a whole does; alarms of this code that were ever raised, or stand; how long
 * those that are over stood together. */
enum daemon_mode world_mode(const struct world *w);
enum reason world_mode_cause(const struct world *w);
unsigned world_alarms(const struct world *w, const char *code, bool standing);
int64_t world_alarm_ms(const struct world *w, const char *code);

/* --- sentences ---------------------------------------------------------------------------- */

/* The page shows this state now, or within so many seconds. */
void expect_agent_(struct world *w, uint64_t agent, enum agent_state state, double seconds,
                   const char *file, int line);
#define expect_agent(w, agent, state, seconds)                                                     \
    expect_agent_(w, agent, state, seconds, __FILE__, __LINE__)
void expect_row_(struct world *w, uint64_t lead, enum row_status status, double seconds,
                 const char *file, int line);
#define expect_row(w, lead, status, seconds)                                                       \
    expect_row_(w, lead, status, seconds, __FILE__, __LINE__)
void expect_line_(struct world *w, const char *number, enum line line_state, double seconds,
                  const char *file, int line);
#define expect_line(w, number, state, seconds)                                                     \
    expect_line_(w, number, state, seconds, __FILE__, __LINE__)
void expect_reply_(struct world *w, uint64_t request, enum result result, const char *part,
                   const char *file, int line);
/* The request is answered within 5 s with this, its text or json containing `part` (NULL any). */
#define expect_reply(w, request, result, part)                                                     \
    expect_reply_(w, request, result, part, __FILE__, __LINE__)

#endif
