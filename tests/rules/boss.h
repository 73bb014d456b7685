/* boss.h - a supervisor at the page: logged in with a password, like a browser. */
#ifndef TESTS_RULES_BOSS_H
#define TESTS_RULES_BOSS_H

#include "tests/rules/seat.h"

/* A new supervisor of this login name and this display name, connected; seat_ask and seat_leave
 * work. */
void boss_new(struct seat *s, const char *login, const char *name);
/* Connects again, after a restart. */
void boss_again(struct seat *s, const char *login);
/* POST as a browser does: head and body, valid until the next. *status 0: no answer. */
const char *boss_post(const char *path, const char *cookie, const char *body, int *status);
/* Logs in; the session's cookie as a header line. */
void boss_cookie(const char *login, char cookie[256]);
void boss_ticket(const char *cookie, char ticket[128]);
/* campaign_switch; the result. */
const char *boss_switch(struct seat *s, int64_t campaign, const char *action);

#endif
