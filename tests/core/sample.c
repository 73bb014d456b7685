/* sample.c - codec and catalogue of sample.def. */
#include "tests/core/sample.h"

#define MESSAGES_DEF "tests/core/sample.def"
#define MESSAGES_CATALOGUE sample_catalogue
#include "core/messages_define.h"
