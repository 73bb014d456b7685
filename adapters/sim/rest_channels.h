// Handlers of one channel's requests, for the route table in rest_dial.c.
#ifndef SIM_REST_CHANNELS_H
#define SIM_REST_CHANNELS_H

#include "adapters/sim/rest.h"

rest_handler channels_list, channel_get, channel_delete, channel_continue, channel_move,
    channel_redirect, channel_answer, channel_ring, channel_dtmf, channel_mute, channel_hold,
    channel_moh, channel_silence, variable_get, variable_post, variables_get, channel_rtp;

// A variable or a writable function, "__" stripped; told as ChannelVarset if asked.
void variable_set(struct chan *c, const char *name, const char *value, bool report, bool tell);

#endif
