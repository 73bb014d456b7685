/* pbx_command.h - between pbx_command.c and pbx_bridge.c. */
#ifndef ADAPTERS_ARI_PBX_COMMAND_H
#define ADAPTERS_ARI_PBX_COMMAND_H

#include "adapters/ari/pbx.h"

#include <string.h>

static inline struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

/* NULL, counted, without memory. */
struct command *command_make(struct pbx *pbx, enum command_kind kind, enum lane_kind lane);
/* False: it is longer than any id of ours. */
bool command_keep(char *to, size_t size, struct text from);

/* False: it is none of pbx_bridge.c's messages. */
bool bridge_take(struct pbx *pbx, handle from, uint16_t type, const void *msg);
/* Of a command that bridge_take() has made. */
void bridge_answered(struct pbx *pbx, const struct command *cmd, const struct answer *a);

#endif
