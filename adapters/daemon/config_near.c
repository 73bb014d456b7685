/* config_near.c - see config_near.h. */
#include "adapters/daemon/config_near.h"
#include "adapters/daemon/config.h"

#include <string.h>

/* Edit distance with transpositions, for words of at most CONFIG_WORD_MAX - 1 bytes. */
static unsigned distance(const char *a, const char *b)
{
    size_t n = strnlen(a, CONFIG_WORD_MAX - 1);
    size_t m = strnlen(b, CONFIG_WORD_MAX - 1);
    unsigned row[3][CONFIG_WORD_MAX];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3];
        const unsigned *one = row[(i + 2) % 3];
        const unsigned *two = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = one[j - 1] + (a[i - 1] != b[j - 1]);
            if (one[j] + 1 < best)
                best = one[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

/* The nearest of the words that were offered so far. */
struct nearest {
    const char *best;
    unsigned least;
};

static void offer(struct nearest *n, const char *word, const char *candidate)
{
    unsigned d = distance(word, candidate);
    if (!n->best || d < n->least)
        *n = (struct nearest){candidate, d};
}

static const char *chosen(const struct nearest *n, const char *word, bool *meant)
{
    *meant = n->best && n->least < (unsigned)strlen(word) / 3 + 2;
    return n->best;
}

const char *config_near_key(const char *section, const char *word, bool *meant)
{
    struct nearest n = {.best = NULL};
    for (size_t i = 0; i < config_n_settings; i++)
        if (strcmp(config_settings[i].section, section) == 0)
            offer(&n, word, config_settings[i].key);
    return chosen(&n, word, meant);
}

const char *config_near_section(const char *word, bool *meant)
{
    struct nearest n = {.best = NULL};
    for (size_t i = 0; i < config_n_sections; i++)
        offer(&n, word, config_sections[i].name);
    return chosen(&n, word, meant);
}

const char *config_other_section(const char *key)
{
    for (size_t i = 0; i < config_n_settings; i++)
        if (strcmp(config_settings[i].key, key) == 0)
            return config_settings[i].section;
    return NULL;
}
