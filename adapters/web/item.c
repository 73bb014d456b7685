/* item.c - field by field, so that what leaves the house is written down in one place. */
#include "adapters/web/item.h"

#include <stdio.h>

void item_agent(struct json_writer *w, const struct msg_view_agent *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "status_update");
    json_put_uint(w, "agent", m->agent);
    json_put_text(w, "name", m->name);
    json_put_str(w, "state", agent_state_name(m->state));
    json_put_text(w, "reason", m->reason);
    json_put_int(w, "since", m->since_wall_ms);
    json_put_int(w, "until", m->until_wall_ms);
    json_put_uint(w, "campaign", m->campaign);
    json_put_text(w, "attempt", m->attempt);
    json_put_bool(w, "needs_disposition", m->needs_disposition);
    json_put_bool(w, "phone_online", m->phone_online);
    json_put_bool(w, "leg_up", m->leg_up);
    json_put_str(w, "next", m->next != 0 ? agent_state_name(m->next) : "");
    json_put_text(w, "next_reason", m->next_reason);
    json_put_text(w, "text", m->text);
    json_put_bool(w, "muted", m->muted);
    json_put_bool(w, "dials", m->dials);
    json_close_object(w);
}

void item_call(struct json_writer *w, const struct msg_view_call *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "call");
    json_put_text(w, "attempt", m->attempt);
    json_put_uint(w, "campaign", m->campaign);
    json_put_uint(w, "agent", m->agent);
    json_put_uint(w, "lead", m->lead);
    json_put_text(w, "number", m->number);
    json_put_text(w, "name", m->name);
    json_put_str(w, "state", attempt_state_name(m->state));
    json_put_int(w, "since", m->since_wall_ms);
    json_close_object(w);
}

void item_campaign(struct json_writer *w, const struct msg_view_campaign *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "campaign");
    json_put_uint(w, "campaign", m->campaign);
    json_put_text(w, "name", m->name);
    json_put_str(w, "state", campaign_state_name(m->state));
    json_put_str(w, "mode", campaign_mode_name(m->mode));
    json_put_uint(w, "agents", m->agents);
    json_put_uint(w, "available", m->available);
    json_put_uint(w, "busy", m->busy);
    json_put_uint(w, "wrapup", m->wrapup);
    json_put_uint(w, "claimed", m->claimed);
    json_put_uint(w, "ringing", m->ringing);
    json_put_uint(w, "waiting", m->waiting);
    json_put_uint(w, "bridged", m->bridged);
    json_put_uint(w, "dialed", m->dialed);
    json_put_uint(w, "answered", m->answered);
    json_put_uint(w, "abandoned", m->abandoned);
    json_put_uint(w, "hopper", m->hopper);
    json_put_uint(w, "answers_30d", m->answers_30d);
    json_put_uint(w, "abandoned_30d", m->abandoned_30d);
    json_put_str(w, "held_by", reason_name(m->held_by));
    json_put_text(w, "text", m->text);
    json_close_object(w);
}

static void put_card(struct json_writer *w, const struct json *card)
{
    json_open_object(w, "fields");
    if (card != NULL && json_type(card, JSON_ROOT) == JSON_OBJECT) {
        for (json_ref i = json_first(card, JSON_ROOT); i != JSON_NONE; i = json_next(card, i)) {
            const struct text value = json_text(card, i);
            double number;
            bool flag;
            char digits[32];

            if (value.ptr != NULL) {
                json_put_text(w, json_key(card, i).ptr, value);
            } else if (json_bool(card, i, &flag)) {
                json_put_str(w, json_key(card, i).ptr, flag ? "true" : "false");
            } else if (json_double(card, i, &number)) {
                snprintf(digits, sizeof digits, "%.15g", number);
                json_put_str(w, json_key(card, i).ptr, digits);
            }
        }
    }
    json_close_object(w);
}

/* R14: who there is to choose from. A card has no place here. */
static void put_choices(struct json_writer *w, const struct json *list)
{
    json_open_array(w, "choices");
    for (json_ref i = list != NULL ? json_first(list, JSON_ROOT) : JSON_NONE; i != JSON_NONE;
         i = json_next(list, i)) {
        int64_t lead;

        if (json_int(list, json_get(list, i, "lead"), &lead)) {
            json_open_object(w, NULL);
            json_put_int(w, "lead", lead);
            json_put_text(w, "name", json_text(list, json_get(list, i, "name")));
            json_put_text(w, "list", json_text(list, json_get(list, i, "list")));
            json_close_object(w);
        }
    }
    json_close_array(w);
}

void item_pop(struct json_writer *w, const struct msg_screen_pop *m, const struct json *card)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "pop");
    json_put_uint(w, "agent", m->agent);
    json_put_text(w, "attempt", m->attempt);
    json_put_uint(w, "campaign", m->campaign);
    json_put_uint(w, "lead", m->lead);
    json_put_text(w, "number", m->number);
    json_put_text(w, "name", m->name);
    json_put_uint(w, "attempt_no", m->attempt_no);
    json_put_uint(w, "matches", m->matches);
    put_card(w, m->matches > 1 ? NULL : card);
    put_choices(w, m->matches > 1 ? card : NULL);
    json_close_object(w);
}

void item_pbx(struct json_writer *w, const struct msg_view_pbx *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "pbx");
    json_put_uint(w, "pbx", m->pbx);
    json_put_text(w, "name", m->name);
    json_put_str(w, "state", pbx_state_name(m->state));
    json_put_text(w, "text", m->text);
    json_close_object(w);
}

void item_disposition(struct json_writer *w, const struct msg_view_disposition *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "disposition");
    json_put_text(w, "code", m->code);
    json_put_uint(w, "campaign", m->campaign);
    if (m->active) {
        json_put_text(w, "name", m->name);
        json_put_uint(w, "position", m->position);
        json_put_bool(w, "callback", m->callback);
    } else {
        json_put_bool(w, "gone", true);
    }
    json_close_object(w);
}

void item_dependency(struct json_writer *w, const struct msg_readiness *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "dependency");
    json_put_text(w, "name", m->name);
    json_put_bool(w, "ready", m->ready);
    json_put_text(w, "text", m->text);
    json_close_object(w);
}

void item_mode(struct json_writer *w, const struct msg_daemon_mode *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "mode");
    json_put_str(w, "mode", daemon_mode_name(m->mode));
    json_put_str(w, "cause", m->cause == REASON_allow ? "" : reason_name(m->cause));
    json_put_text(w, "text", m->text);
    json_put_int(w, "since", m->since_wall_ms);
    json_close_object(w);
}

void item_alarm(struct json_writer *w, const struct msg_alarm_moved *m)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", "alarm");
    json_put_text(w, "code", m->code);
    json_put_text(w, "subject", m->subject);
    if (m->stands) {
        json_put_text(w, "text", m->text);
        json_put_int(w, "since", m->started_wall_ms);
    } else {
        json_put_bool(w, "gone", true);
    }
    json_close_object(w);
}

void item_gone(struct json_writer *w, const char *type, const char *attempt)
{
    json_open_object(w, NULL);
    json_put_str(w, "type", type);
    if (attempt != NULL) {
        json_put_str(w, "attempt", attempt);
    }
    json_put_bool(w, "gone", true);
    json_close_object(w);
}
