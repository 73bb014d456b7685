// One model with a made-up clock, and what it said.
#ifndef TEST_ARI_SIM_WORLD_H
#define TEST_ARI_SIM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sim/pbx.h"

enum { LOG = 1 << 20, WALL_MS = 1795424352 };

struct world {
    struct pbx *pbx;
    struct pbx_client *client;
    struct pbx_peer peer;
    int64_t now;
    struct pbx_answer answer;
    char body[4096];
    char events[LOG], witness[LOG]; // one line each
    size_t events_len, witness_len;
};

void plain_config(struct pbx_config *c);
struct world *world_with(const struct pbx_config *config);
struct world *world_new(void);
void world_free(struct world *w);
void pass(struct world *w, int ms);
int request(struct world *w, const char *method, const char *path, const char *query,
            const char *body);
int originate(struct world *w, const char *id, const char *endpoint);
bool event_with(struct world *w, const char *a, const char *b);
int count(const char *log, const char *what);

#endif
