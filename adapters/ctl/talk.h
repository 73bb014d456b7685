/* talk.h - dialerctl's side of a conversation with the daemon: one request, its file, its answer.
 */
#ifndef ADAPTERS_CTL_TALK_H
#define ADAPTERS_CTL_TALK_H

#include "adapters/net/json.h"

#include <stdio.h>

struct talk {
    int fd;       /* the socket */
    int file;     /* what follows the request, -1 none */
    int64_t size; /* of the file, 0 unknown */
    int64_t sent; /* bytes of it */
    /* Called for each line of the answer but the last; `line` is its text. */
    void (*on_line)(void *ctx, struct json *doc, const char *line);
    void *ctx;
    /* The end, filled in. */
    int result; /* enum result */
    char text[1024];
};

/* 0, or -1 with a sentence. */
int talk_connect(struct talk *t, const char *path, char *why, size_t why_size);
/* Send the request line and the file, read until the end. 0, or -1 if the daemon went away or spoke
 * nonsense, with a sentence. */
int talk_run(struct talk *t, const char *request, size_t len, char *why, size_t why_size);

#endif
