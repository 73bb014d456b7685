/* demo_parts.h - the programs of the demo, in the order of their start. */
#ifndef ADAPTERS_DAEMON_DEMO_PARTS_H
#define ADAPTERS_DAEMON_DEMO_PARTS_H

#include <stdio.h>

#include "adapters/daemon/child.h"
#include "adapters/daemon/demo_check.h"

enum { PART_POSTGRES, PART_REDIS, PART_ARI_SIM, PART_DIALERD, PART_AGENT_SIM, DEMO_PARTS };

struct demo {
    /* asked for */
    long seconds, agents, leads, port, seed;
    long rate; /* 0: the demo's own load; else the bench's, so many calls a second */
    bool full, json;
    const char *keep;
    /* made */
    char dir[200]; /* everything lives here; gone at the end unless kept */
    char witness[256], socket[256], config[256], url[256], store_url[300], hopper_url[300];
    unsigned ari_port, web_port;
    bool keep_all;
    struct child part[DEMO_PARTS];
    int64_t started_ms, started_wall_ms, first_call_wall_ms;
};

int64_t demo_now_ms(void); /* monotonic */

/* Everything up and the campaign started. 0, or -1 with a sentence. */
int demo_start(struct demo *d, char *why, size_t why_size);
/* The daemon drains and ends; agents and Asterisk follow. The database is still there. */
void demo_stop_calls(struct demo *d);
/* Compare the store that a config file names with a witness file; as demo_check. */
int demo_verify(const char *config_path, const char *witness, struct demo_counts *counts, char *why,
                size_t why_size);
/* What is left ends, and the folder goes. */
void demo_stop(struct demo *d);

#endif
