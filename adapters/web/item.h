/* item.h - one view of the actors as one item of PROTOCOL.md. Pure. */
#ifndef ADAPTERS_WEB_ITEM_H
#define ADAPTERS_WEB_ITEM_H

#include "actors/messages.h"
#include "actors/types.h"
#include "adapters/net/json.h"

/* Each writes one whole object. */
void item_agent(struct json_writer *w, const struct msg_view_agent *m);
void item_call(struct json_writer *w, const struct msg_view_call *m);
void item_campaign(struct json_writer *w, const struct msg_view_campaign *m);
/* `card`: the lead card as parsed, NULL none. Of it only what is text, number or truth is shown,
 * always as text: pages need not expect more. */
void item_pop(struct json_writer *w, const struct msg_screen_pop *m, const struct json *card);
void item_pbx(struct json_writer *w, const struct msg_view_pbx *m);
void item_disposition(struct json_writer *w, const struct msg_view_disposition *m);
void item_dependency(struct json_writer *w, const struct msg_readiness *m);
void item_mode(struct json_writer *w, const struct msg_daemon_mode *m);
void item_alarm(struct json_writer *w, const struct msg_alarm_moved *m);
/* {"type":"call","attempt":"...","gone":true}; attempt NULL: without. */
void item_gone(struct json_writer *w, const char *type, const char *attempt);

#endif
