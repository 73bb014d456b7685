/* messages.c - codec and catalogue of the benches' messages. */
#include "bench/messages.h"

#define MESSAGES_DEF "bench/messages.def"
#define MESSAGES_CATALOGUE bench_catalogue
#include "core/messages_define.h"
