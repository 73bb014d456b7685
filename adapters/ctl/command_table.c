/* command_table.c - every command and argument of dialerctl: the one place to add one. */
#include "adapters/ctl/command.h"

/* Helpers that keep a line a line: P a place, R a required option, O an option. */
#define P(name, type, value, sentence)                                                             \
    {                                                                                              \
        name, type, true, true, false, NULL, value, sentence                                       \
    }
#define R(name, type, value, sentence)                                                             \
    {                                                                                              \
        name, type, false, true, false, NULL, value, sentence                                      \
    }
#define O(name, type, value, sentence)                                                             \
    {                                                                                              \
        name, type, false, false, false, NULL, value, sentence                                     \
    }
#define MANY(name, type, value, sentence)                                                          \
    {                                                                                              \
        name, type, false, false, true, NULL, value, sentence                                      \
    }
#define WORDS(name, words, required, sentence)                                                     \
    {                                                                                              \
        name, ARG_CHOICE, false, required, false, words, NULL, sentence                            \
    }
#define LAST                                                                                       \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct ctl_arg none[] = {LAST};
static const struct ctl_arg campaign_place[] = {P("campaign", ARG_ID, "N", "campaign id"), LAST};
static const struct ctl_arg list_place[] = {P("list", ARG_ID, "N", "list id"), LAST};
static const struct ctl_arg pbx_place[] = {P("pbx", ARG_TEXT, "NAME", "name in the config file"),
                                           LAST};
static const struct ctl_arg lead_place[] = {P("lead", ARG_ID, "N", "lead id"), LAST};
static const struct ctl_arg agent_place[] = {P("agent", ARG_ID, "N", "agent id"), LAST};

/* Settings are NAME=VALUE; the store's table knows them, `dialerctl settings KIND` shows them. */
#define SETTINGS                                                                                   \
    {                                                                                              \
        "settings", ARG_TEXT, true, false, true, NULL, "NAME=VALUE...",                            \
            "settings; dialerctl settings KIND lists them"                                         \
    }

static const struct ctl_arg name_settings[] = {P("name", ARG_TEXT, "NAME", "display name"),
                                               SETTINGS, LAST};
static const struct ctl_arg campaign_set[] = {P("campaign", ARG_ID, "N", "campaign id"), SETTINGS,
                                              LAST};
static const struct ctl_arg trunk_set[] = {P("trunk", ARG_ID, "N", "trunk id"), SETTINGS, LAST};
static const struct ctl_arg list_set[] = {P("list", ARG_ID, "N", "list id"), SETTINGS, LAST};
static const struct ctl_arg agent_set[] = {P("agent", ARG_ID, "N", "agent id"), SETTINGS, LAST};
static const struct ctl_arg settings_kind[] = {
    {"kind", ARG_CHOICE, true, true, false, "campaign trunk agent list", NULL, "of what"}, LAST};

static const struct ctl_arg campaign_stop[] = {
    P("campaign", ARG_ID, "N", "campaign id"),
    O("now", ARG_SWITCH, NULL, "cancel calls that ring, too (R24)"),
    LAST,
};

static const struct ctl_arg list_add[] = {
    P("name", ARG_TEXT, "NAME", "display name"),
    SETTINGS,
    R("campaign", ARG_ID, "N", "campaign it belongs to"),
    LAST,
};
static const struct ctl_arg list_list[] = {O("campaign", ARG_ID, "N", "of one campaign only"),
                                           LAST};

static const struct ctl_arg agent_add[] = {
    P("login", ARG_TEXT, "LOGIN", "user name"),
    SETTINGS,
    O("name", ARG_TEXT, "NAME", "display name"),
    O("password-file", ARG_SECRET, "FILE",
      "file with the password; without it the terminal is asked"),
    WORDS("role", "agent supervisor admin", false, "what the page shows and allows"),
    LAST,
};
static const struct ctl_arg agent_password[] = {
    P("agent", ARG_ID, "N", "agent id"),
    O("password-file", ARG_SECRET, "FILE",
      "file with the password; without it the terminal is asked"),
    LAST,
};
static const struct ctl_arg agent_assign[] = {
    P("agent", ARG_ID, "N", "agent id"),
    R("campaign", ARG_ID, "N", "campaign to work in"),
    LAST,
};
static const struct ctl_arg agent_phone[] = {
    P("agent", ARG_ID, "N", "agent id"),
    R("endpoint", ARG_TEXT, "ENDPOINT", "dial string of the phone: PJSIP/1001"),
    O("pbx", ARG_TEXT, "NAME", "Asterisk server, a [pbx NAME] section of dialerd.conf"),
    WORDS("kind", "desk softphone browser", false, "what it is"),
    O("enabled", ARG_YESNO, "yes|no", "may be used"),
    LAST,
};
static const struct ctl_arg agent_ticket[] = {
    O("agent", ARG_ID, "N", "first agent; without it the first of all"),
    O("count", ARG_COUNT, "N", "for so many agents, in the order of their ids"),
    O("bare", ARG_SWITCH, NULL, "nothing but the tickets, one a line, as agent-sim wants them"),
    LAST,
};

static const struct ctl_arg agent_state[] = {
    P("agent", ARG_ID, "N", "agent id"),
    {"state", ARG_CHOICE, true, true, false, "available break", NULL, "where to"},
    O("reason", ARG_TEXT, "TEXT", "of a break, default supervisor"),
    LAST,
};
static const struct ctl_arg attempt_list[] = {
    O("not-disposed", ARG_SWITCH, NULL, "only those whose wrap-up ended without a word (R4)"),
    O("from", ARG_TEXT, "TIME", "claimed from this time on, default seven days ago"),
    O("to", ARG_TEXT, "TIME", "claimed before this time"),
    LAST,
};
static const struct ctl_arg attempt_correct[] = {
    P("attempt", ARG_TEXT, "ATTEMPT", "attempt id, as attempt list and lead show have it"),
    P("code", ARG_TEXT, "CODE", "the disposition it should have had"),
    O("note", ARG_TEXT, "TEXT", "why"),
    LAST,
};

static const struct ctl_arg login_link[] = {
    WORDS("role", "supervisor admin agent", false, "what the page may do, default supervisor"),
    O("agent", ARG_ID, "N", "as this agent; default nobody's"),
    LAST,
};

static const struct ctl_arg dnc_add[] = {
    P("number", ARG_TEXT, "NUMBER", "E.164, or national with --country"),
    O("country", ARG_TEXT, "CC", "country of a national number"),
    O("source", ARG_TEXT, "TEXT", "where it comes from"),
    LAST,
};
static const struct ctl_arg dnc_list[] = {
    O("limit", ARG_COUNT, "N", "at most so many, newest first"),
    LAST,
};

static const struct ctl_arg lead_import[] = {
    P("file", ARG_FILE, "FILE.csv", "CSV with a heading line, UTF-8; - is standard input"),
    R("list", ARG_ID, "N", "list to put the leads in"),
    MANY("map", ARG_TEXT, "COLUMN=FIELD",
         "a column's field: number, name, zone, priority; without it columns of these names"),
    O("country", ARG_TEXT, "CC", "country of numbers in national format"),
    O("dry-run", ARG_SWITCH, NULL, "check everything, keep nothing"),
    O("errors", ARG_OUTPUT, "FILE", "write each bad row there with line, column and reason"),
    LAST,
};

static const struct ctl_arg export_args[] = {
    O("from", ARG_TEXT, "TIME", "from this time on: 2026-11-23 or 2026-11-23T09:00:00Z"),
    O("to", ARG_TEXT, "TIME", "before this time"),
    WORDS("format", "csv jsonl", false, "csv (default) or one JSON object a line"),
    O("output", ARG_OUTPUT, "FILE", "write to this file in place of standard output"),
    LAST,
};

static const struct ctl_arg audit_args[] = {O("limit", ARG_COUNT, "N", "at most so many"), LAST};
static const struct ctl_arg alarm_args[] = {O("all", ARG_SWITCH, NULL, "those that are over, too"),
                                            LAST};

static const struct ctl_arg demo_data[] = {
    O("leads", ARG_COUNT, "N", "fictional leads to make, default 1000"),
    O("agents", ARG_COUNT, "N", "agents to make, default 5"),
    O("pbx", ARG_TEXT, "NAME", "server for trunk and phones, default the first"),
    LAST,
};

const struct ctl_command ctl_commands[] = {
    {"status", "what runs, what is connected, what holds dialing back", SHAPE_TABLE, none, false,
     ""},
    {"campaign add", "make a campaign, stopped", SHAPE_RECORD, name_settings, false, "4"},
    {"campaign list", "all campaigns", SHAPE_TABLE, none, false, ""},
    {"campaign show", "every setting of a campaign", SHAPE_RECORD, campaign_place, false, "3"},
    {"campaign set", "change settings of a campaign", SHAPE_RECORD, campaign_set, false, "34"},
    {"campaign start", "let it dial", SHAPE_QUIET, campaign_place, false, "3"},
    {"campaign stop", "no new calls", SHAPE_QUIET, campaign_stop, false, "3"},
    {"list add", "make a list of leads, active", SHAPE_RECORD, list_add, false, "34"},
    {"list list", "all lists", SHAPE_TABLE, list_list, false, ""},
    {"list set", "change settings of a list", SHAPE_RECORD, list_set, false, "34"},
    {"list start", "let its leads be dialed", SHAPE_QUIET, list_place, false, "3"},
    {"list stop", "dial none of its leads, claimed ones included (R24)", SHAPE_QUIET, list_place,
     false, "3"},
    {"trunk add", "make a trunk", SHAPE_RECORD, name_settings, false, "4"},
    {"trunk list", "all trunks", SHAPE_TABLE, none, false, ""},
    {"trunk set", "change a trunk", SHAPE_RECORD, trunk_set, false, "34"},
    {"agent add", "make an agent", SHAPE_RECORD, agent_add, false, "4"},
    {"agent list", "all agents", SHAPE_TABLE, none, false, ""},
    {"agent assign", "the campaign an agent works in (R1)", SHAPE_QUIET, agent_assign, false, "3"},
    {"agent phone", "the agent's phone (R8)", SHAPE_QUIET, agent_phone, false, "3"},
    {"agent set", "change settings of an agent", SHAPE_RECORD, agent_set, false, "34"},
    {"agent password", "give an agent a new password", SHAPE_QUIET, agent_password, false, "3"},
    {"agent enable", "let the agent log in", SHAPE_QUIET, agent_place, false, "3"},
    {"agent disable", "keep the agent from logging in", SHAPE_QUIET, agent_place, false, "3"},
    {"agent ticket", "single-use tickets for the websocket, for tools", SHAPE_TABLE, agent_ticket,
     false, "3"},
    {"agent state", "available or break by a supervisor's word; waits for the end of a call (R6)",
     SHAPE_QUIET, agent_state, false, "3"},
    {"agent logout", "log the agent out, after its call and its disposition (R6)", SHAPE_QUIET,
     agent_place, false, "3"},
    {"agent hangup", "end the agent's call; its disposition stays open to the agent (R6)",
     SHAPE_QUIET, agent_place, false, "3"},
    {"pbx list", "the Asterisk servers of the config file, and how they are", SHAPE_TABLE, none,
     false, ""},
    {"pbx retake",
     "take the application back at a server where another program took it over; that one loses it",
     SHAPE_QUIET, pbx_place, false, "3"},
    {"attempt list", "calls as they are on record, oldest first", SHAPE_TABLE, attempt_list, false,
     ""},
    {"attempt correct", "another disposition for a call; the first stays on record (R25)",
     SHAPE_QUIET, attempt_correct, false, "34"},
    {"login-link", "a link that logs a browser in once, without a password", SHAPE_RECORD,
     login_link, false, "3"},
    {"dnc add", "never call this number again, in any campaign", SHAPE_QUIET, dnc_add, false, ""},
    {"dnc list", "the do-not-call list", SHAPE_TABLE, dnc_list, false, ""},
    {"lead import", "read leads from a CSV file; may be repeated without doubling", SHAPE_RECORD,
     lead_import, false, "3"},
    {"lead show", "a lead with its rows and attempts", SHAPE_RECORD, lead_place, false, "3"},
    {"export calls", "every call", SHAPE_DATA, export_args, false, ""},
    {"export agents", "every state of every agent (R28)", SHAPE_DATA, export_args, false, ""},
    {"export leads", "every lead", SHAPE_DATA, export_args, false, ""},
    {"explain campaign", "why it dials as it does", SHAPE_RECORD, campaign_place, false, "3"},
    {"explain lead", "why it is or is not dialed now, and when it will be", SHAPE_RECORD,
     lead_place, false, "3"},
    {"settings", "the settings of a kind of thing, with their ranges", SHAPE_TABLE, settings_kind,
     false, ""},
    {"audit", "who changed what, newest first (R25)", SHAPE_TABLE, audit_args, false, ""},
    {"alarms", "what is wrong now (R26)", SHAPE_TABLE, alarm_args, false, ""},
    {"db status", "schema, versions, owner", SHAPE_RECORD, none, true, "4"},
    {"db migrate", "bring the schema up to this program", SHAPE_RECORD, none, true, "4"},
    {"demo-data", "a trunk, a campaign, agents and fictional leads to play with", SHAPE_RECORD,
     demo_data, false, "4"},
};
const size_t ctl_n_commands = sizeof ctl_commands / sizeof ctl_commands[0];
