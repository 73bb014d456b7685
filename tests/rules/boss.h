/* boss.h - a supervisor at the page: logged in with a password, like a browser. */
#ifndef TESTS_RULES_BOSS_H
#define TESTS_RULES_BOSS_H

#include "tests/rules/seat.h"

/* A new supervisor of this login name and this display name, connected; seat_ask and seat_leave
 * work. */
void boss_new(struct seat *s, const char *login, const char *name);
/* Connects again, after a restart. */
void boss_again(struct seat *s, const char *login);
/* campaign_switch; the result. */
const char *boss_switch(struct seat *s, int64_t campaign, const char *action);

#endif
