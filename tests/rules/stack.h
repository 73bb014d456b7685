/* stack.h - dialerd with SQLite and a simulated Asterisk, in a folder of their own; what an
 * operator would type. */
#ifndef TESTS_RULES_STACK_H
#define TESTS_RULES_STACK_H

#include "tests/web/page_client.h"

/* Starts both programs and waits until the daemon is ready; a group's set-up and tear-down. The
 * folder goes with them, unless RULES_KEEP is set: the tear-down then says where. */
int stack_up(void **state);
int stack_down(void **state);

/* `dialerctl --json` with these words (separated by '|' after formatting); returns its output,
 * valid until the next call. Anything but exit status 0 fails the test. */
const char *ctl(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A member of the last output: of the object, or of the array's first. "" or 0 if absent. */
const char *ctl_text(const char *name);
int64_t ctl_number(const char *name);

/* Lines of the witness file with both words in them (NULL: any). */
unsigned witnessed(const char *what, const char *word);
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
/* Originates of customers for the campaign. */
unsigned dialed_by(const struct site *s);
/* Its calls that ended in that way, by the record. */
unsigned outcomes(const struct site *s, const char *outcome);
/* Puts a lead with a number of its own into the list; returns its id. number: 20 bytes. */
int64_t site_lead(const struct site *s, const char *name, char *number);
/* A fictional number nobody else has. */
void fresh_number(char *number);

#endif
