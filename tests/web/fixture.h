/* fixture.h - a web adapter on a free port, with the test as its actors, browsers and clients. */
#ifndef TESTS_WEB_FIXTURE_H
#define TESTS_WEB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/messages.h"
#include "actors/types.h"
#include "adapters/web/web.h"
#include "tests/web/page_client.h"

#define T(literal) ((struct text){literal, sizeof(literal) - 1})

/* --- the bus, played by the test (fake_endpoint.c) ------------------------------------------- */

/* Mail for the adapter. */
void fake_post(uint16_t type, const void *msg);
/* Wait at most five seconds for the adapter to send a message of this type; fails the test if none
 * comes. The oldest not yet taken; valid until the next call. */
const void *fake_sent(uint16_t type, handle *to);
/* Has one been sent? */
bool fake_has_sent(uint16_t type);
void fake_reset(void);
/* The store's answer to a login is made by itself: user ada with agent 7, bob with agent 8 are
 * agents, sue (9) supervises; all have the password "correct horse". fake_store_away: it never
 * answers. */
extern bool fake_store_away;
/* It says that it has no connection. */
extern bool fake_store_down;
/* Sessions that it keeps outlive the adapter, until: */
void fake_store_empty(void);

/* --- the adapter --------------------------------------------------------------------------------
 */

extern struct web *web;

int setup_web(void **state);
int teardown_web(void **state);

/* --- a browser's requests -----------------------------------------------------------------------
 */

/* Sends one request and returns the whole answer, head and body; valid until the next call.
 * `extra`: more header lines, each with CR LF, or "". body NULL: none. */
const char *ask(const char *method, const char *path, const char *extra, const char *body);
/* In /metrics, soon: a socket may be closed for us a moment before it is for the daemon. */
void expect_counted(const char *name, unsigned value);
int status_of(const char *answer);
/* The session cookie of a login's answer as a header line. */
const char *cookie_of(const char *answer);
/* A member of the JSON body, as text; "" if absent. */
const char *member_of(const char *answer, const char *name);
/* Log in, or by the operator's message: a ticket for the socket. */
const char *ticket_of(uint64_t agent, enum role role);

/* --- views
 * ----------------------------------------------------------------------------------------- */

void show_agent(uint64_t agent, enum agent_state state, const char *attempt);
void show_call(const char *attempt, uint64_t agent, enum attempt_state state);
void show_campaign(uint64_t campaign, uint32_t ringing);

#endif
