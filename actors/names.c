/* names.c - the words people see for the numbers of types.h. */
#include "actors/types.h"

#include <string.h>

#define PICK(table, n) ((n) < sizeof(table) / sizeof((table)[0]) && (table)[n] ? (table)[n] : "?")

static const char *const reason_names[] = {
#define REASON(number, name, sentence) [number] = #name,
    REASONS(REASON)
#undef REASON
};

static const char *const reason_sentences[] = {
#define REASON(number, name, sentence) [number] = sentence,
    REASONS(REASON)
#undef REASON
};

static const char *const alarm_names[] = {
#define ALARM(number, name, code, subject) [number] = #name,
    ALARMS(ALARM)
#undef ALARM
};

static const char *const alarm_codes[] = {
#define ALARM(number, name, code, subject) [number] = (code),
    ALARMS(ALARM)
#undef ALARM
};

static const char *const alarm_subjects[] = {
#define ALARM(number, name, code, subject) [number] = (subject),
    ALARMS(ALARM)
#undef ALARM
};

static const char *const daemon_modes[] = {"RUN", "NO_NEW_DIALS", "DRAIN"};

static const char *const outcome_names[] = {
    [OUTCOME_NONE] = "none",
    [OUTCOME_NO_ANSWER] = "no_answer",
    [OUTCOME_BUSY] = "busy",
    [OUTCOME_BAD_NUMBER] = "bad_number",
    [OUTCOME_CONGESTION] = "congestion",
    [OUTCOME_FAULT] = "fault",
    [OUTCOME_CANCELLED] = "cancelled",
    [OUTCOME_ABANDONED] = "abandoned",
    [OUTCOME_ANSWERED] = "answered",
    [OUTCOME_CUSTOMER_GONE] = "customer_gone",
    [OUTCOME_UNKNOWN] = "unknown",
    [OUTCOME_NEVER_SENT] = "never_sent",
    [OUTCOME_REJECTED] = "rejected",
    [OUTCOME_MACHINE] = "machine",
};

static const char *const agent_names[] = {"offline", "connecting", "available", "reserved",
                                          "busy",    "wrapup",     "break",     "preview"};

static const char *const attempt_names[] = {
    "claiming", "claimed", "originating", "ringing", "answered", "bridging", "bridged",
    "held",     "message", "ending",      "ended",   "disposed", "unknown",  "preview"};

static const char *const campaign_names[] = {"stopped", "starting", "running", "stopping",
                                             "parked"};

static const char *const mode_names[] = {NULL,    "manual",  "progressive",
                                         "ratio", "preview", "predictive"};

static const char *const row_names[] = {"pending", "dialing", "answered", "completed", "failed"};

static const char *const pbx_names[] = {"down",    "connecting", "checking",
                                        "listing", "up",         "replaced"};

const char *reason_name(unsigned reason)
{
    return PICK(reason_names, reason);
}

const char *reason_sentence(unsigned reason)
{
    return PICK(reason_sentences, reason);
}

const char *daemon_mode_name(unsigned mode)
{
    return PICK(daemon_modes, mode);
}

const char *alarm_name(unsigned kind)
{
    return PICK(alarm_names, kind);
}

const char *alarm_code(unsigned kind)
{
    return PICK(alarm_codes, kind);
}

const char *alarm_subject(unsigned kind)
{
    return PICK(alarm_subjects, kind);
}

const char *outcome_name(unsigned outcome)
{
    return PICK(outcome_names, outcome);
}

const char *agent_state_name(unsigned state)
{
    return PICK(agent_names, state);
}

const char *attempt_state_name(unsigned state)
{
    return PICK(attempt_names, state);
}

const char *campaign_state_name(unsigned state)
{
    return PICK(campaign_names, state);
}

const char *campaign_mode_name(unsigned mode)
{
    return PICK(mode_names, mode);
}

const char *row_status_name(unsigned status)
{
    return PICK(row_names, status);
}

const char *pbx_state_name(unsigned state)
{
    return PICK(pbx_names, state);
}

static int parse(const char *const *table, size_t n, struct text name)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i] && strlen(table[i]) == name.len && memcmp(table[i], name.ptr, name.len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int campaign_mode_parse(struct text name)
{
    return parse(mode_names, sizeof mode_names / sizeof mode_names[0], name);
}
