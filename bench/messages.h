/* messages.h - the messages of the benches. */
#ifndef BENCH_MESSAGES_H
#define BENCH_MESSAGES_H

#define MESSAGES_DEF "bench/messages.def"
#include "core/messages_declare.h"

extern const struct message_catalogue bench_catalogue;

#endif
