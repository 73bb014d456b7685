/* older.h - messages as an older program packed them. */
#ifndef TESTS_SUPPORT_OLDER_H
#define TESTS_SUPPORT_OLDER_H

#include "core/message.h"

/* The packed message with its first `known` fields only, into `out` (len + 2 bytes); its length. */
size_t older_record(const struct message_desc *d, const uint8_t *packed, size_t len, unsigned known,
                    uint8_t *out);

#endif
