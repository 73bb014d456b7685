// The dialplan: the few contexts that the recorded server had, line by line. "customers" is the
// plan of asterisk.md section 9 (Stasis, tried again, then the message); the configuration may give
// it more names.
#include <stdio.h>
#include <string.h>

#include "adapters/sim/media.h"

enum plan_op {
    OP_NOOP,
    OP_SET,     // a variable of its own
    OP_SET_TRY, // TRY = TRY + 1
    OP_SET_GLOBAL,
    OP_STASIS,
    OP_UNLESS_FAILED, // go to `to` unless STASISSTATUS is FAILED
    OP_IF_TRIED,      // go to `to` after more than three tries
    OP_WAIT,
    OP_GOTO,
    OP_PLAYBACK, // of the variable named in arg
    OP_AMD,
    OP_HANGUP
};

struct plan_line {
    const char *context, *exten;
    int priority;
    const char *label;
    enum plan_op op;
    const char *app, *data; // as ChannelDialplan shows them
    const char *arg;
    int to; // priority
};

enum { WAIT_US = 500000, TRIES = 3 };

static const struct plan_line lines[] = {
    {"customers", "s", 1, NULL, OP_SET, "Set", "TRY=0", "0", 0},
    {"customers", "s", 2, "enter", OP_STASIS, "Stasis", NULL, "customer", 0},
    {"customers", "s", 3, NULL, OP_UNLESS_FAILED, "GotoIf", NULL, NULL, 9},
    {"customers", "s", 4, NULL, OP_SET_TRY, "Set", NULL, NULL, 0},
    {"customers", "s", 5, NULL, OP_IF_TRIED, "GotoIf", NULL, NULL, 8},
    {"customers", "s", 6, NULL, OP_WAIT, "Wait", "0.5", NULL, 0},
    {"customers", "s", 7, NULL, OP_GOTO, "Goto", "enter", NULL, 2},
    {"customers", "s", 8, "message", OP_PLAYBACK, "Playback", NULL, "SAFE_HARBOUR", 0},
    {"customers", "s", 9, "done", OP_HANGUP, "Hangup", "", NULL, 0},
    {"dialer", "s", 1, NULL, OP_STASIS, "Stasis", NULL, "", 0},
    {"dialer", "s", 2, NULL, OP_HANGUP, "Hangup", "", NULL, 0},
    {"dialer", "noclient", 1, NULL, OP_STASIS, "Stasis", "nobody", NULL, 0},
    {"dialer", "noclient", 2, NULL, OP_SET_GLOBAL, "Set", "GLOBAL(LAST_STASISSTATUS)=FAILED",
     "FAILED", 0},
    {"dialer", "noclient", 3, NULL, OP_HANGUP, "Hangup", "", NULL, 0},
    {"dialer", "after", 1, NULL, OP_STASIS, "Stasis", NULL, "back,", 0},
    {"dialer", "after", 2, NULL, OP_HANGUP, "Hangup", "", NULL, 0},
    {"inbound", "*", 1, NULL, OP_STASIS, "Stasis", NULL, "inbound", 0},
    {"inbound", "*", 2, NULL, OP_HANGUP, "Hangup", "", NULL, 0},
    {"amd", "s", 1, NULL, OP_NOOP, "NoOp", "", NULL, 0},
    {"amd", "s", 2, NULL, OP_AMD, "AMD", "", NULL, 0},
    {"amd", "s", 3, NULL, OP_STASIS, "Stasis", NULL, "amd", 0},
    {"amd", "s", 4, NULL, OP_HANGUP, "Hangup", "", NULL, 0},
};
enum { LINES = sizeof lines / sizeof *lines };

static const char *plan_of(const struct pbx *pbx, const char *context)
{
    for (size_t i = 0; i < pbx->config.contexts; i++)
        if (strcmp(pbx->config.customers[i], context) == 0)
            return "customers";
    return context;
}

const struct plan_line *plan_find(const struct pbx *pbx, const char *context, const char *exten,
                                  int priority, const char *label)
{
    const char *plan = plan_of(pbx, context);
    for (int i = 0; i < LINES; i++) {
        const struct plan_line *l = &lines[i];
        if (strcmp(l->context, plan) == 0 && (l->exten[0] == '*' || strcmp(l->exten, exten) == 0) &&
            (label != NULL ? l->label != NULL && strcmp(l->label, label) == 0
                           : l->priority == priority))
            return l;
    }
    return NULL;
}

static const struct plan_line *sibling(const struct plan_line *line, int priority)
{
    for (int i = 0; i < LINES; i++)
        if (strcmp(lines[i].context, line->context) == 0 &&
            strcmp(lines[i].exten, line->exten) == 0 && lines[i].priority == priority)
            return &lines[i];
    return NULL;
}

bool plan_hangs_up(const struct chan *c)
{
    return c->plan != NULL && c->origin != BY_APP && c->plan->op != OP_HANGUP;
}

static void run(struct chan *c);

static void resume(void *owner)
{
    struct chan *c = owner;
    struct pbx *pbx = c->pbx;
    if (c->plan->op == OP_PLAYBACK)
        witness_word(pbx, "message_end", c->id, "media", c->plan_data);
    else if (c->plan->op == OP_AMD)
        amd_result(c, false);
    c->plan = sibling(c->plan, c->plan->priority + 1);
    run(c);
}

static void wait_for(struct chan *c, int64_t us)
{
    c->plan_task = (struct task){.run = resume, .owner = c};
    pbx_at(c->pbx, &c->plan_task, us);
}

static void set_var(struct chan *c, const char *name, const char *value)
{
    chan_set_var(c, name, value, false);
    ev_varset(c, name, value);
}

static bool enter(struct chan *c, const struct plan_line *l)
{
    char args[300];
    snprintf(args, sizeof args, "%s", l->arg != NULL ? l->arg : "");
    if (strcmp(l->context, "amd") == 0)
        snprintf(args, sizeof args, "amd,%s,%s", chan_var(c, "AMDSTATUS"), chan_var(c, "AMDCAUSE"));
    else if (strcmp(l->context, "inbound") == 0)
        snprintf(args, sizeof args, "inbound,%s", c->exten);
    return stasis_enter(c, l->data != NULL ? l->data : c->pbx->config.app, args);
}

static const char *shown(const struct chan *c, const struct plan_line *l, char *room, size_t size)
{
    const char *try = chan_var(c, "TRY"), *media = l->arg != NULL ? chan_var(c, l->arg) : NULL;
    if (l->data != NULL)
        return l->data;
    if (l->op == OP_SET_TRY)
        snprintf(room, size, "TRY=%d", (try != NULL ? try[0] - '0' : 0) + 1);
    else if (l->op == OP_PLAYBACK)
        snprintf(room, size, "%s", media != NULL ? media : "");
    else
        snprintf(room, size, "%d?%s", l->op == OP_IF_TRIED && try != NULL && try[0] > '0' + TRIES,
                 l->op == OP_IF_TRIED ? "message" : "done");
    return room;
}

// One line. True: the plan goes on at once with *next; false: it waits or is over.
static bool line_done(struct chan *c, const struct plan_line *l, int *next)
{
    const char *try = chan_var(c, "TRY"), *status = chan_var(c, "STASISSTATUS");
    char digits[2] = {(char)((try != NULL ? try[0] : '0') + 1), '\0'};
    switch (l->op) {
    case OP_NOOP:
        return true;
    case OP_SET:
        set_var(c, "TRY", l->arg);
        return true;
    case OP_SET_TRY:
        set_var(c, "TRY", digits);
        return true;
    case OP_SET_GLOBAL:
        global_set(c->pbx, "LAST_STASISSTATUS", l->arg);
        return true;
    case OP_UNLESS_FAILED:
        if (status == NULL || strcmp(status, "FAILED") != 0)
            *next = l->to;
        return true;
    case OP_IF_TRIED:
        if (try != NULL && try[0] > '0' + TRIES)
            *next = l->to;
        return true;
    case OP_GOTO:
        *next = l->to;
        return true;
    case OP_WAIT:
        wait_for(c, WAIT_US);
        return false;
    case OP_PLAYBACK:
        if (sound_seconds(c->pbx, c->plan_data) < 0) {
            witness_word(c->pbx, "message_missing", c->id, "media", c->plan_data);
            return true;
        }
        witness_word(c->pbx, "message", c->id, "media", c->plan_data);
        wait_for(c, (int64_t)(sound_seconds(c->pbx, c->plan_data) * 1e6));
        return false;
    case OP_AMD:
        wait_for(c, amd_time_us(c));
        return false;
    case OP_STASIS:
        return !enter(c, l);
    case OP_HANGUP:
        call_end(c, END_PLAN, NORMAL_CLEARING);
        return false;
    }
    return false;
}

static void run(struct chan *c)
{
    while (c->plan != NULL) {
        const struct plan_line *l = c->plan;
        char room[300];
        c->priority = l->priority;
        if (l->op != OP_STASIS) {
            chan_plan_app(c, l->app, shown(c, l, room, sizeof room));
            ev_dialplan(c);
        }
        int next = l->priority + 1;
        if (!line_done(c, l, &next))
            return;
        c->plan = sibling(l, next);
    }
    call_end(c, END_PLAN, 0);
}

void plan_start(struct chan *c, const struct plan_line *line, const char *context,
                const char *exten)
{
    if (context != NULL)
        mem_copy(c->context, sizeof c->context, context);
    if (exten != NULL)
        mem_copy(c->exten, sizeof c->exten, exten);
    c->plan = line;
    run(c);
}
