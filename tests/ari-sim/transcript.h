// A recorded exchange with a real Asterisk, and what of it can be compared with a simulated one.
#ifndef TEST_TRANSCRIPT_H
#define TEST_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/net/json.h"

struct transcript_line {
    const char *text; // one JSON object
    size_t len;
};

struct transcript {
    char *memory;
    struct transcript_line *line;
    size_t lines;
};

// False: cannot be read.
bool transcript_read(struct transcript *t, const char *path);
void transcript_free(struct transcript *t);
// The wall clock of its first timestamp, milliseconds UTC; 0 if it has none.
int64_t transcript_wall_ms(const struct transcript *t);

// --- comparing ---

// Events fall into strands whose order is fixed: one for each channel, bridge, playback, recording,
// endpoint.
#define STRAND_MAX 240
#define SIGN_MAX 600

// The strand of an event, and its sign: its type with every field that a client may decide by. Ids
// that Asterisk made up are shown as "auto". False: nothing to compare.
bool event_sign(const struct json *doc, json_ref event, char strand[STRAND_MAX],
                char sign[SIGN_MAX]);

bool made_up_id(const char *id); // <epoch>.<counter> or a uuid
// The two bodies say the same, apart from times, made-up ids and names. Otherwise `why` names the
// place.
bool same_body(const struct json *a, json_ref wanted, const struct json *b, json_ref got,
               const char *key, char *why, size_t size);

#endif
