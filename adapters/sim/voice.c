// What the far end says, as far as anybody listens: AMD() in the dialplan, and TALK_DETECT.
#include <stdlib.h>
#include <string.h>

#include "adapters/sim/model.h"

enum { SPEECH_BEGINS_MS = 300, HELLO_MS = 580, HELLO_SILENCE_MS = 400 };

static const struct {
    const char *status, *cause;
    int64_t us;
} results[] = {[VOICE_SILENT] = {"MACHINE", "INITIALSILENCE-2500-2500", 2500000},
               [VOICE_NONE] = {"NOTSURE", "TOOLONG-4900", 5020000},
               [VOICE_HUMAN] = {"HUMAN", "HUMAN-800-800", 1680000},
               [VOICE_MACHINE] = {"MACHINE", "LONGGREETING-1500-1500", 1870000}};

int64_t amd_time_us(const struct chan *c)
{
    return results[c->far.voice].us;
}

void amd_result(struct chan *c, bool hangup)
{
    const char *status = hangup ? "HANGUP" : results[c->far.voice].status;
    const char *cause = hangup ? "" : results[c->far.voice].cause;
    ev_varset(c, "AMDSTATUS", status);
    ev_varset(c, "AMDCAUSE", cause);
    chan_set_var(c, "AMDSTATUS", status, false);
    chan_set_var(c, "AMDCAUSE", cause, false);
}

static void speech_ends(void *owner)
{
    ev_talking(owner, false, HELLO_MS);
}

static void speech_begins(void *owner)
{
    struct chan *c = owner;
    ev_talking(c, true, 0);
    if (c->far.voice == VOICE_HUMAN) { // a machine talks on
        c->voice_task.run = speech_ends;
        pbx_at(c->pbx, &c->voice_task, (int64_t)(HELLO_MS + HELLO_SILENCE_MS) * 1000);
    }
}

void voice_start(struct chan *c)
{
    if (chan_var(c, "TALK_DETECT(set)") == NULL || c->state != CHAN_UP ||
        (c->far.voice != VOICE_HUMAN && c->far.voice != VOICE_MACHINE))
        return;
    c->voice_task = (struct task){.run = speech_begins, .owner = c};
    pbx_at(c->pbx, &c->voice_task, SPEECH_BEGINS_MS * 1000);
}
