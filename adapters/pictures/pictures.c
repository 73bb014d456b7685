/* pictures.c - writes each state table as DIR/<name>.dot. Part of the build, not of the daemon. */
#include "actors/tables.h"
#include "adapters/ari/link.h"

#include <stdio.h>
#include <stdlib.h>

static int draw(const struct fsm_def *def, const char *folder)
{
    char path[512];
    size_t need = fsm_dot(def, NULL, 0) + 1;
    char *text = malloc(need);
    FILE *out;
    int bad;

    if (!text) {
        return -1;
    }
    (void)fsm_dot(def, text, need);
    (void)snprintf(path, sizeof path, "%s/%s.dot", folder, def->name);
    out = fopen(path, "w");
    bad = !out || fputs(text, out) < 0;
    if (out && fclose(out) != 0) {
        bad = 1;
    }
    free(text);
    if (bad) {
        (void)fprintf(stderr, "cannot write %s\n", path);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: table-pictures FOLDER\n");
        return 2;
    }
    for (size_t i = 0; i < ACTOR_TABLES; i++) {
        if (draw(actor_tables[i], argv[1]) != 0) {
            return 1;
        }
    }
    return draw(&link_def, argv[1]) != 0;
}
