/* The store's suite on SQLite, and what only SQLite has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/store/conformance.h"

static char directory[64];
static char path[96];

static int again(struct store_options *o)
{
    o->where = path;
    return 0;
}

static int fresh(struct store_options *o)
{
    snprintf(directory, sizeof directory, "/tmp/dialer-store-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/dialer.db", directory);
    return again(o);
}

static void drop(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".owner"};
    char file[128];
    size_t i;

    for (i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(directory);
}

int main(void)
{
    static const struct fixture fixture = {&store_sqlite, fresh, again, drop, false};

    return conformance_run("sqlite", &fixture);
}
