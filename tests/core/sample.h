/* sample.h - the messages of sample.def. */
#ifndef TESTS_CORE_SAMPLE_H
#define TESTS_CORE_SAMPLE_H

#define MESSAGES_DEF "tests/core/sample.def"
#include "core/messages_declare.h"

extern const struct message_catalogue sample_catalogue;

#endif
