/* stack.h - dialerd and a simulated Asterisk, in a folder of their own, and what can befall them;
 * what an operator would type. */
#ifndef TESTS_RULES_STACK_H
#define TESTS_RULES_STACK_H

#include "tests/web/page_client.h"

/* Lines of the config file. */
struct stack_parts {
    const char *store;  /* of [store]; NULL: SQLite in the folder */
    const char *hopper; /* of [hopper]; NULL: inside the daemon */
    unsigned files;     /* descriptors that dialerd may have, 0: as it is */
    bool second;        /* two Asterisk servers, "sim" and "other" */
    unsigned write_ms;  /* Asterisk's patience with a websocket that is not read; 0: its own, 100 */
    const char *more;   /* further sections, "" none; NULL the same */
};
/* Starts both programs and waits until the daemon is ready. */
void stack_open(const struct stack_parts *parts);
/* The folder goes with them, unless RULES_KEEP is set: then it says where. */
void stack_close(void);
/* The same as a group's, or a test's, set-up (SQLite) and tear-down. */
int stack_up(void **state);
int stack_down(void **state);

/* From now on the functions below, and new sites and seats, mean this server (1 or 2). */
void stack_at(unsigned server);
unsigned stack_server(void);
const char *stack_witness(void); /* its file's name */
uint16_t stack_port(void);       /* of its HTTP and websockets */

/* --- stack.c: the programs -------------------------------------------------------------------- */

void daemon_kill(void);      /* -9 */
void daemon_freeze(bool on); /* SIGSTOP; false: goes on */
void daemon_stop(void);      /* SIGTERM, and its end */
void daemon_start(void);     /* again: waits until it is ready */
/* GET of the daemon's: the body, valid until the next; status may be NULL. */
const char *daemon_get(const char *target, int *status);
/* Every dependency is there. */
bool daemon_ready(void);
/* How often the daemon's log has the words, since its start. */
unsigned logged(const char *words);
/* Resident memory of the daemon now, KiB. */
int64_t daemon_memory(void);
/* The sum of a metric's lines that begin so ("name" or "name{label="). */
int64_t metric(const char *beginning);
/* /sim/... of ari-sim: it must be done. */
void sim_order(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A count of /sim/stats. */
int64_t sim_count(const char *name);
/* ari-sim stands still (SIGSTOP), as a server does whose disk is gone; false: goes on. */
void sim_freeze(bool on);
/* GET /ari/... of Asterisk, as its user: the body, valid until the next. */
const char *asterisk_get(const char *target);
/* PUT with a JSON body, as somebody else would who has the password too. */
void asterisk_put(const char *target, const char *json);
/* By Asterisk's own word: the customer is in a bridge with exactly one more. */
bool talks(const char *attempt);
/* `dialerd check-witness`: do the tables say what the witness saw? The daemon must have ended. */
void assert_witnessed(void);

/* --- operator.c --------------------------------------------------------------------------------
 */

/* `dialerctl --json` with these words (separated by '|' after formatting); returns its output,
 * valid until the next call. Anything but exit status 0 fails the test. */
const char *ctl(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, where it may fail: its exit status; ctl_said() is what it said then. */
int ctl_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *ctl_said(void);
/* A member of the last output: of the object, or of the array's first. "" or 0 if absent. */
const char *ctl_text(const char *name);
int64_t ctl_number(const char *name);

/* Lines of the witness file with both words in them (NULL: any). */
unsigned witnessed(const char *what, const char *word);
/* The channel of the agent's newest leg, from the witness; false: there was none. id: 40 bytes. */
bool leg_of(int64_t agent, char *id);
/* The attempt's row of `export calls`, parsed: a member as text. */
const char *call_text(const char *attempt, const char *name);

/* Does the record of agents' states have this reason for the agent? */
bool agent_was(int64_t agent, const char *reason);

/* What callees do from now on: members of ari-sim's /sim/people. */
#define ANSWERS "human=1&no-answer=0&busy=0&machine=0&bad=0&congestion=0&ring=constant:0.3"
#define AND_TALKS(seconds) "&talk=constant:" seconds
#define IS_BUSY "human=0&no-answer=0&busy=1&machine=0&bad=0&congestion=0"
#define RINGS "human=0&no-answer=1&busy=0&machine=0&bad=0&congestion=0"
void far_ends(const char *people);

/* A campaign with its own trunk and list; its callees do as `people` says. */
struct site {
    int64_t trunk, campaign, list;
};
/* settings: "|"-separated NAME=VALUE, "" none. */
struct site site_new(const char *mode, const char *people, const char *settings);
void site_start(const struct site *s);
void site_stop(const struct site *s);
/* Originates of customers for the campaign. */
unsigned dialed_by(const struct site *s);
/* Those of them to a number that had been dialed before. */
unsigned dialed_again(const struct site *s);
/* Its calls that ended in that way, by the record. */
unsigned outcomes(const struct site *s, const char *outcome);
/* All that were originated and have ended, in whatever way. On a busy machine an agent may be
 * joined after the customer, who talks for half a second from the answer, has gone: such a call is
 * customer_gone, or abandoned, rightly. So a test that wants each lead called once sets a long
 * retry interval and asks for ends, not for answered. */
unsigned ended_of(const struct site *s);
/* Puts a lead with a number of its own into the list; returns its id. number: 20 bytes. */
int64_t site_lead(const struct site *s, const char *name, char *number);
/* The same with a number that others have, too. */
int64_t site_lead_as(const struct site *s, const char *name, const char *number);
/* Another list of the campaign: the site as if it were its only one. */
struct site site_list(const struct site *s, const char *name);
/* So many leads in one import. */
void site_leads(const struct site *s, unsigned count);
/* A fictional number nobody else has. */
void fresh_number(char *number);

/* --- between the two ---------------------------------------------------------------------------
 */

void operator_leave(void); /* frees what operator.c keeps */
/* A file in the stack's folder; the path is valid for a few further calls. */
const char *in_folder(const char *name);
void write_file(const char *name, const char *text);
char *read_file(const char *name); /* the caller frees; "" if there is none */
const char *program(const char *variable);

#endif
