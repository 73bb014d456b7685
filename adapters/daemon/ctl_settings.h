/* ctl_settings.h - one thing of the configuration in hand: read from the store, changed by
 * NAME=VALUE, checked against the rules of calling, shown. */
#ifndef ADAPTERS_DAEMON_CTL_SETTINGS_H
#define ADAPTERS_DAEMON_CTL_SETTINGS_H

#include "adapters/daemon/ctl_job.h"

#define SETTINGS_MAX 64

union thing {
    struct msg_campaign_config campaign;
    struct msg_trunk_config trunk;
    struct msg_agent_config agent;
    struct store_list list;
};

struct settings {
    unsigned kind; /* KIND_CAMPAIGN, KIND_TRUNK, KIND_AGENT, 0 for lists */
    struct text names[SETTINGS_MAX];
    struct text values[SETTINGS_MAX];
    char numbers[SETTINGS_MAX][24]; /* where a name was turned into a number (pbx=asterisk1) */
    size_t n;
};

/* The thing `id` of the store; one block, the caller frees it. NULL: the job has
 * ended (not found, store away). */
void *settings_read(struct job *job, unsigned kind, uint64_t id);

/* The same for what no connection asked. RESULT_OK with the block, or why not. */
enum result settings_fetch(struct ctl *ctl, unsigned kind, uint64_t id, void **block, char *why,
                           size_t why_size);

/* Takes the NAME=VALUE arguments of the job apart. false: the job has ended. */
bool settings_take(struct job *job, unsigned kind, struct settings *out);
/* Turns value i from a server's name into its number. false: the job has ended. */
bool settings_name_pbx(struct job *job, struct settings *s, size_t i);
/* Adds one more. */
void settings_add(struct settings *s, const char *name, struct text value);
/* Puts them into the thing. false: the job has ended. */
bool settings_apply(struct job *job, const struct settings *s, void *thing);
/* Writes them to the store, with the audit rows. false: the job has ended. */
bool settings_store(struct job *job, const struct settings *s, uint64_t id);
enum result settings_write(struct ctl *ctl, const struct store_by *by, const struct settings *s,
                           uint64_t id, char *why, size_t why_size);
/* All settings of a thing as members of a row. */
void settings_show(struct json_writer *w, unsigned kind, const void *thing);

/* R2, R16, R22, R23 and the modes there are. `starting`: what must be set before it may dial. 0, or
 * -1 with a sentence that names the rule. */
int settings_check_campaign(const struct msg_campaign_config *c, bool starting, char *why,
                            size_t size);

#endif
